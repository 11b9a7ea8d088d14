//! A log that is read while it is written, cut and taken up again.

use std::{
    fs::{self, OpenOptions},
    io::Write,
};

use harness_core::{Event, SessionId};
use harness_store::{Defect, Follower, LogWriter, StoreError};

use crate::{at, fresh, said};

fn news(follower: &mut Follower) -> Vec<String> {
    let mut texts = Vec::new();
    let each = |record: harness_store::Record| match record.event {
        Event::PersonSaid { text, .. } => texts.push(text),
        other => panic!("{other:?}"),
    };
    follower.look(each).unwrap();
    texts
}

#[test]
fn each_record_is_given_once_and_no_lock_is_taken() {
    let (_folder, store) = fresh();
    let mut early = Follower::new(&store, SessionId::new(1));
    assert_eq!(news(&mut early), [""; 0]);
    let (session, mut log) = store.new_session().unwrap();
    let mut follower = Follower::new(&store, session);
    assert_eq!(news(&mut follower), [""; 0]);
    for (text, millis) in ["one", "two", "three"].iter().zip(0..) {
        log.append(&said(text), at(millis)).unwrap();
        assert_eq!(news(&mut follower), [*text]);
        assert_eq!(news(&mut follower), [""; 0]);
        assert_eq!(follower.head(), log.head());
    }
    assert_eq!(news(&mut early), ["one", "two", "three"]);
    assert_ne!(follower.is_written(), Some(false));
    drop(log);
    assert_ne!(follower.is_written(), Some(true));
    // Whoever looks is not in the way of whoever takes it up.
    LogWriter::reopen(&store, session).unwrap();
}

#[test]
fn a_line_that_is_written_in_pieces_is_given_when_it_is_whole() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    log.append(&said("one"), at(0)).unwrap();
    log.append(&said("two"), at(1)).unwrap();
    let path = store.log_path(session);
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    fs::write(&path, &whole[..first]).unwrap();
    let mut follower = Follower::new(&store, session);
    assert_eq!(news(&mut follower), ["one"]);
    for byte in &whole[first..whole.len() - 1] {
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&[*byte]).unwrap();
        assert_eq!(news(&mut follower), [""; 0]);
    }
    OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"\n")
        .unwrap();
    assert_eq!(news(&mut follower), ["two"]);
}

#[test]
fn a_repair_in_between_loses_and_repeats_nothing() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    log.append(&said("one"), at(0)).unwrap();
    drop(log);
    let path = store.log_path(session);
    let mut follower = Follower::new(&store, session);
    assert_eq!(news(&mut follower), ["one"]);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(br#"{"v":1,"seq":2,"time":"#).unwrap();
    assert_eq!(news(&mut follower), [""; 0]);
    let (mut log, _, torn) = LogWriter::reopen(&store, session).unwrap();
    assert!(torn.is_some());
    assert_eq!(news(&mut follower), [""; 0]);
    log.append(&said("two"), at(2)).unwrap();
    assert_eq!(news(&mut follower), ["two"]);

    // After a loss of power less may be there than was seen.
    let text = fs::read(&path).unwrap();
    let first = text.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(first as u64)
        .unwrap();
    assert_eq!(news(&mut follower), [""; 0]);
    drop(log);
    let (mut log, _, _) = LogWriter::reopen(&store, session).unwrap();
    log.append(&said("two again"), at(3)).unwrap();
    log.append(&said("three"), at(4)).unwrap();
    assert_eq!(news(&mut follower), ["three"]);
}

#[test]
fn a_broken_line_is_named_when_it_stays_broken() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    log.append(&said("one"), at(0)).unwrap();
    let path = store.log_path(session);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"no record\n").unwrap();
    let mut follower = Follower::new(&store, session);
    assert_eq!(news(&mut follower), ["one"]);
    let found = follower.look(|_| {});
    let Err(StoreError::Unreadable {
        line: 2, defect, ..
    }) = found
    else {
        panic!("{found:?}");
    };
    assert_eq!(defect, Defect::NotARecord);
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_log_that_was_removed_is_said_to_be_gone() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    log.append(&said("one"), at(0)).unwrap();
    let mut follower = Follower::new(&store, session);
    assert!(!follower.look(|_| {}).unwrap().is_gone);
    fs::remove_file(store.log_path(session)).unwrap();
    assert!(follower.look(|_| {}).unwrap().is_gone);
}
