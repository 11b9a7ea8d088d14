//! The stored form of every event and of a record: what a log of a released version looks like.

use std::{collections::BTreeSet, env, fs};

use harness_core::{Event, SessionId};
use harness_store::{Head, read};

use crate::{
    at, fresh, said,
    samples::{KINDS, kind, samples},
};

const STORED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/format_v1.jsonl");

fn stored_lines() -> Vec<String> {
    let text = fs::read_to_string(STORED).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// `HARNESS_ACCEPT_FORMAT=1` writes the file anew; a line that changes breaks the logs people have.
#[test]
fn events_are_stored_as_they_ever_were() {
    let written: Vec<String> = samples()
        .iter()
        .map(|event| serde_json::to_string(event).unwrap())
        .collect();
    if env::var_os("HARNESS_ACCEPT_FORMAT").is_some() {
        fs::write(STORED, written.join("\n") + "\n").unwrap();
    }
    let stored = stored_lines();
    for (written, stored) in written.iter().zip(&stored) {
        assert_eq!(written, stored);
    }
    assert_eq!(written.len(), stored.len());
}

#[test]
fn stored_events_are_read_as_what_they_were() {
    let read: Vec<Event> = stored_lines()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read, samples());
}

#[test]
fn every_event_has_a_sample_under_its_own_word() {
    let mut seen = BTreeSet::new();
    for event in samples() {
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], kind(&event));
        seen.insert(kind(&event));
    }
    assert_eq!(seen, KINDS.iter().copied().collect());
}

#[test]
fn every_event_goes_through_a_log_unchanged() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    for event in samples() {
        log.append(&event, at(0)).unwrap();
    }
    let read = read(store.log_path(session)).unwrap();
    let events: Vec<Event> = read
        .records
        .into_iter()
        .map(|record| record.event)
        .collect();
    assert_eq!(events, samples());
}

/// The hashes were computed by another program, from the documented rule alone.
#[test]
fn a_record_is_stored_byte_for_byte_as_documented() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    assert_eq!(session, SessionId::new(1));
    let head = |seq, hash: &str| Head {
        seq,
        hash: hash.parse().unwrap(),
    };
    assert_eq!(log.head(), head(0, GENESIS));
    log.append(&Event::Interrupted, at(21)).unwrap();
    assert_eq!(log.head(), head(1, FIRST));
    log.append(&said("line\n\"two\" é"), at(22)).unwrap();
    assert_eq!(log.head(), head(2, SECOND));
    let expected = [
        r#"{"v":1,"seq":1,"time":"2025-11-20T00:53:20.021Z","prev":""#,
        GENESIS,
        r#"","event":{"type":"interrupted"},"hash":""#,
        FIRST,
        "\"}\n",
        r#"{"v":1,"seq":2,"time":"2025-11-20T00:53:20.022Z","prev":""#,
        FIRST,
        r#"","event":{"type":"person_said","text":"line\n\"two\" é"},"hash":""#,
        SECOND,
        "\"}\n",
    ];
    assert_eq!(
        fs::read_to_string(store.log_path(session)).unwrap(),
        expected.concat()
    );
}

const GENESIS: &str = "0249aa0ed0f00120da3744089720283f6aebd56d68ecff75cb52e96b404b6b21";
const FIRST: &str = "9b3d8d57ae7353bf02db4e222c3fc8d7824230bd1f358f1aa85ce50e4c949536";
const SECOND: &str = "1e9a4c41d7a9b06e8f9287cd8c695cc1fdf5bbc55ac028dc08859a9c84d27782";
