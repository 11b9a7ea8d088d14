//! Sessions that an earlier version wrote: they are read, checked and played for ever.
//!
//! `fixtures/sessions/v1-*.jsonl` were exported by the program itself and are never made anew: two
//! sessions of one run, and one that was killed in the middle, resumed, and has long texts.

use std::{fs, path::Path};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{assert_ok, json};
use crate::support::{Desk, PROGRAM};

const TILL: &str = include_str!("../../fixtures/sessions/v1-till.jsonl");
const TILL_NEXT: &str = include_str!("../../fixtures/sessions/v1-till-next.jsonl");
const ANSWER: &str = include_str!("../../fixtures/sessions/v1-answer.jsonl");

/// Each with the number of its records and the end that its lines tell.
const PINNED: [(&str, u64, &str); 3] = [
    (TILL, 62, "feature: F-001 passing, passed"),
    (
        TILL_NEXT,
        49,
        "harness: run ended: all_passing, 2 of 2 features passing",
    ),
    (
        ANSWER,
        24,
        "harness: run ended: all_passing, 1 of 1 features passing",
    ),
];

/// Puts an exported session back to where a run keeps its own.
fn unpack(exported: &str, folder: &Path) {
    let (head, rest) = exported.split_once('\n').unwrap();
    let head: Value = serde_json::from_str(head).unwrap();
    let session = folder
        .join("sessions")
        .join(head["session"].as_str().unwrap());
    fs::create_dir_all(session.join("blobs")).unwrap();
    let mut log = String::new();
    for line in rest.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        match (&value["blob"], &value["text"]) {
            (Value::String(hash), Value::String(text)) => {
                fs::write(session.join("blobs").join(hash), text).unwrap();
            }
            _ => log.push_str(&format!("{line}\n")),
        }
    }
    fs::write(session.join("log.jsonl"), log).unwrap();
}

#[test]
fn a_session_of_an_earlier_version_is_verified_shown_and_played() {
    let home = harness_testkit::Home::new(PROGRAM);
    let folder = home.path().to_owned();
    for (text, records, end) in PINNED {
        fs::write(folder.join("old.jsonl"), text).unwrap();
        let read = |command: &[&str]| home.run(&folder, &[command, &["old.jsonl"]].concat());
        let verified = json(&read(&["log", "verify", "--json"]));
        assert_eq!(
            (&verified[0]["whole"], &verified[0]["records"]),
            (&true.into(), &records.into())
        );
        for command in [&["log", "show"][..], &["replay"], &["replay", "--instant"]] {
            let told = read(command);
            assert_ok(&told);
            assert!(told.stdout.contains(end), "{command:?}: {}", told.stdout);
        }
        let lines = read(&["replay", "--json"]);
        assert_ok(&lines);
        assert_eq!(json(&lines)[0]["type"], "session_started");
        let checked = read(&["replay", "--check"]);
        assert_ok(&checked);
        assert!(
            checked
                .stdout
                .contains(&format!("{records} records in one chain")),
            "{}",
            checked.stdout
        );
    }
}

#[test]
fn a_pinned_session_says_nothing_of_the_machine_it_was_made_on() {
    for (text, ..) in PINNED {
        for path in ["/home/", "/root", "/Users/"] {
            assert!(!text.contains(path), "`{path}`");
        }
    }
}

#[test]
fn the_session_after_one_begins_with_the_state_that_its_log_leaves() {
    let desk = Desk::new();
    let folder = desk.project.root().join(".git/harness");
    unpack(TILL, &folder);
    unpack(TILL_NEXT, &folder);
    let index: String = ["S-0001", "S-0002"]
        .map(|session| {
            format!(
                "{{\"run\":\"R-0001\",\"session\":\"{session}\",\"started_at\":\"2026-11-29T18:34:09.254Z\"}}\n"
            )
        })
        .concat();
    fs::write(folder.join("runs.jsonl"), index).unwrap();
    let checked = json(&desk.harness(&["replay", "--check", "1", "--json"])).remove(0);
    assert_eq!(
        (&checked["next_session"], &checked["problem"]),
        (&"S-0002".into(), &Value::Null)
    );
    // It began otherwise: each line holds, and the two logs do not fit together.
    let other = TILL_NEXT.replacen("\"attempts\":0", "\"attempts\":7", 1);
    assert_ne!(other, TILL_NEXT);
    unpack(&rechained(&other), &folder);
    assert_ok(&desk.harness(&["log", "verify", "2"]));
    let checked = desk.harness(&["replay", "--check", "1"]);
    assert_eq!(checked.code, 4);
    assert!(
        checked
            .stdout
            .contains("S-0002 began with another `run.attempts`"),
        "{}",
        checked.stdout
    );
}

#[test]
fn a_decision_that_the_engine_does_not_make_is_named_though_every_line_holds() {
    let home = harness_testkit::Home::new(PROGRAM);
    let folder = home.path().to_owned();
    for (from, to, what) in [
        (
            "\"reason\":\"all_passing\"",
            "\"reason\":\"gates_red\"",
            "the engine records another `reason` here",
        ),
        (
            "{\"type\":\"turn_started\",\"turn\":2}",
            "{\"type\":\"turn_started\",\"turn\":3}",
            "the engine records another `turn` here",
        ),
        (
            "{\"type\":\"turn_started\",\"turn\":2}",
            "{\"type\":\"finish_refused\",\"reason\":\"\",\"findings\":[]}",
            "the engine records `turn_started` here",
        ),
        (
            "\"type\":\"checkpoint_saved\",\"number\":1",
            "\"type\":\"checkpoint_saved\",\"number\":9",
            "nothing asked for it: checkpoint 9",
        ),
    ] {
        let changed = rechained(&TILL_NEXT.replacen(from, to, 1));
        fs::write(folder.join("other.jsonl"), &changed).unwrap();
        let run = |command: &[&str]| home.run(&folder, &[command, &["other.jsonl"]].concat());
        assert_ok(&run(&["log", "verify"]));
        let checked = run(&["replay", "--check"]);
        assert_eq!(checked.code, 4, "{from}: {}", checked.stdout);
        assert!(checked.stdout.contains(what), "{what}: {}", checked.stdout);
    }
}

#[test]
fn a_session_of_another_place_is_listed_and_exported_again_and_not_resumed() {
    for (text, records, _) in PINNED {
        let desk = Desk::new();
        unpack(text, &desk.project.root().join(".git/harness"));
        let head: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let session = head["session"].as_str().unwrap();
        let listed = json(&desk.harness(&["session", "list", "--json"])).remove(0);
        assert_eq!(
            (&listed["session"], &listed["records"]),
            (&session.into(), &records.into())
        );
        for command in [
            &["session", "show"][..],
            &["log", "verify"],
            &["log", "show"],
            &["replay", "--check"],
        ] {
            assert_ok(&desk.harness(&[command, &[session]].concat()));
        }
        assert!(desk.harness(&["log", "export", session]).stdout == text);
        let before = desk.person_side();
        let resumed = desk.harness(&["resume", session]);
        // A repository may have moved; that it is another one is told by its commits.
        let told = format!("{}{}", resumed.stdout, resumed.stderr);
        let (code, words) = if told.contains("ended well") {
            (0, "nothing is left to do")
        } else {
            (5, "began from")
        };
        assert_eq!(resumed.code, code, "{told}");
        assert!(told.contains(words), "{told}");
        assert_eq!(desk.person_side(), before);
        assert!(desk.harness(&["log", "export", session]).stdout == text);
    }
}

/// Chains the records of an exported session anew, as only whoever writes a log can.
fn rechained(exported: &str) -> String {
    let (head, rest) = exported.split_once('\n').unwrap();
    let mut head: Value = serde_json::from_str(head).unwrap();
    let (mut text, mut prev) = (String::new(), None::<String>);
    for line in rest.lines() {
        if !line.starts_with("{\"v\":") {
            text.push_str(&format!("{line}\n"));
            continue;
        }
        let value: Value = serde_json::from_str(line).unwrap();
        let given = value["prev"].as_str().unwrap();
        let before = prev.as_deref().unwrap_or(given);
        let line = line.replacen(given, before, 1);
        let body = line.split_once(",\"hash\":\"").unwrap().0;
        let mut hash = Sha256::new();
        hash.update(bytes(before));
        hash.update(body.as_bytes());
        hash.update(b"}");
        let hash: String = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        text.push_str(&format!("{body},\"hash\":\"{hash}\"}}\n"));
        prev = Some(hash);
    }
    head["head"] = prev.unwrap().into();
    // The members of the head stand in the order of the program.
    format!(
        "{{\"export\":1,\"session\":{},\"records\":{},\"head\":{}}}\n{text}",
        head["session"], head["records"], head["head"]
    )
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}
