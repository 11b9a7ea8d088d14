//! The ledger of intent.

use std::{fs, thread};

use harness_core::{FeatureId, FeatureStatus};
use harness_store::{Defect, IntentEntry, IntentWord, Store, StoreError};
use proptest::prelude::*;
use serde_json::json;

use crate::{at, fresh};

fn entry(feature: &str, what: IntentWord) -> IntentEntry {
    let serde_json::Value::Object(intent) = json!({ "id": feature, "title": "é \n \"x\"" }) else {
        unreachable!()
    };
    IntentEntry {
        time: at(1),
        what,
        feature: FeatureId::new(feature).unwrap(),
        intent,
        sha256: "00".to_owned(),
        reason: String::new(),
        session: None,
    }
}

fn text(store: &Store) -> String {
    fs::read_to_string(store.ledger_path()).unwrap()
}

#[test]
fn what_is_appended_is_given_back_in_order() {
    let (_folder, store) = fresh();
    assert!(store.intent().unwrap().is_empty());
    store.append_intent(&[]).unwrap();
    assert!(!store.ledger_path().exists(), "nothing is no entry");
    let mut second = entry("b", IntentWord::NeedsHuman);
    second.reason = "stuck".to_owned();
    second.session = Some("S-0001".parse().unwrap());
    store
        .append_intent(&[entry("a", IntentWord::Adopted), second.clone()])
        .unwrap();
    store
        .append_intent(&[entry("a", IntentWord::Amended)])
        .unwrap();
    let expected = [
        entry("a", IntentWord::Adopted),
        second,
        entry("a", IntentWord::Amended),
    ];
    assert_eq!(store.intent().unwrap(), expected);
}

#[test]
fn the_stored_form_is_one_versioned_line_of_json() {
    let (_folder, store) = fresh();
    store
        .append_intent(&[entry("a", IntentWord::Adopted)])
        .unwrap();
    assert_eq!(
        text(&store),
        "{\"v\":1,\"entry\":{\"time\":\"2025-11-20T00:53:20.001Z\",\"what\":\"adopted\",\"feature\":\"a\",\"intent\":{\"id\":\"a\",\"title\":\"é \\n \\\"x\\\"\"},\"sha256\":\"00\"}}\n"
    );
}

#[test]
fn a_torn_last_line_is_left_out_and_put_aside() {
    let (_folder, store) = fresh();
    store
        .append_intent(&[
            entry("a", IntentWord::Adopted),
            entry("b", IntentWord::Adopted),
        ])
        .unwrap();
    let whole = text(&store);
    for cut in [1, 20, whole.len() / 2 - 1] {
        fs::write(store.ledger_path(), &whole[..whole.len() - cut]).unwrap();
        assert_eq!(store.intent().unwrap(), [entry("a", IntentWord::Adopted)]);
        store
            .append_intent(&[entry("c", IntentWord::Added)])
            .unwrap();
        let expected = [
            entry("a", IntentWord::Adopted),
            entry("c", IntentWord::Added),
        ];
        assert_eq!(store.intent().unwrap(), expected);
    }
    assert!(store.folder().join("intent.jsonl.torn-3").exists());
}

#[test]
fn a_broken_line_is_named_and_a_later_version_is_not_guessed_at() {
    let (_folder, store) = fresh();
    let cases = [
        ("{\"v\":1}\n", Defect::NotARecord),
        ("{\"v\":2,\"entry\":{}}\n", Defect::Newer { version: 2 }),
        ("\n", Defect::NotARecord),
        ("\0\0\0\0", Defect::NotARecord),
        (
            "{\"v\":1,\"entry\":{\"what\":\"forged\"}}\n",
            Defect::NotARecord,
        ),
    ];
    store
        .append_intent(&[entry("a", IntentWord::Adopted)])
        .unwrap();
    let good = text(&store);
    for (line, expected) in cases {
        fs::write(store.ledger_path(), format!("{good}{line}{good}")).unwrap();
        match store.intent() {
            Err(StoreError::Unreadable {
                line: 2, defect, ..
            }) => assert_eq!(defect, expected),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn writers_do_not_get_into_each_others_lines() {
    let (_folder, store) = fresh();
    thread::scope(|scope| {
        for writer in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..10 {
                    let one = entry(&format!("f{writer}-{number}"), IntentWord::Added);
                    store.append_intent(&[one.clone(), one]).unwrap();
                }
            });
        }
    });
    let entries = store.intent().unwrap();
    assert_eq!(entries.len(), 80);
    assert!(entries.chunks(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn each_kept_status_has_a_word_and_back() {
    use FeatureStatus::{Accepted, Blocked, Cancelled, Failing, NeedsHuman, Pending};
    for status in [Accepted, Blocked, Cancelled, Failing, NeedsHuman, Pending] {
        assert_eq!(
            IntentWord::of_status(status).and_then(IntentWord::status),
            Some(status)
        );
    }
    assert_eq!(IntentWord::of_status(FeatureStatus::Passing), None);
}

proptest! {
    #[test]
    fn any_bytes_are_an_error_or_entries_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (_folder, store) = fresh();
        fs::write(store.ledger_path(), &bytes).unwrap();
        let _ = store.intent();
        store.append_intent(&[entry("a", IntentWord::Added)]).unwrap();
        let ends_well = fs::read(store.ledger_path()).unwrap().ends_with(b"}\n");
        prop_assert!(ends_well);
    }
}
