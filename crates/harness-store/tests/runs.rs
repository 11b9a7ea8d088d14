//! The index of runs.

use std::fs;

use harness_core::{Event, RunId, SessionId, Timestamp};
use harness_store::{Defect, RunEntry, Store};
use proptest::prelude::*;

use crate::{at, fresh, samples::opened};

fn entry(run: u32, session: u32) -> RunEntry {
    RunEntry {
        run: RunId::new(run),
        session: SessionId::new(session),
        started_at: Timestamp::from_millis(1_763_633_643_021),
    }
}

/// Makes two sessions of run 1 and one of run 2, in their logs and in the index.
fn indexed(store: &Store) -> Vec<RunEntry> {
    let entries = vec![entry(1, 1), entry(1, 2), entry(2, 3)];
    for entry in &entries {
        let (session, mut log) = store.new_session().unwrap();
        assert_eq!(session, entry.session);
        let first = opened(session.number(), entry.run.number());
        log.append(&Event::SessionOpened(Box::new(first)), at(0))
            .unwrap();
        store.append_run(entry).unwrap();
    }
    entries
}

#[test]
fn what_is_appended_is_listed_in_order() {
    let (_folder, store) = fresh();
    assert!(store.runs().unwrap().entries.is_empty());
    let entries = indexed(&store);
    let index = store.runs().unwrap();
    assert_eq!((index.entries, index.problem), (entries, None));
}

#[test]
fn the_stored_form_is_one_line_of_json() {
    let (_folder, store) = fresh();
    store.append_run(&entry(1, 2)).unwrap();
    let stored = fs::read_to_string(store.folder().join("runs.jsonl")).unwrap();
    assert_eq!(
        stored,
        "{\"run\":\"R-0001\",\"session\":\"S-0002\",\"started_at\":\"2025-11-20T10:14:03.021Z\"}\n"
    );
}

#[test]
fn an_index_cut_anywhere_in_its_last_line_goes_on() {
    let (_folder, store) = fresh();
    indexed(&store);
    let path = store.folder().join("runs.jsonl");
    let whole = fs::read(&path).unwrap();
    let before = whole[..whole.len() - 1]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .unwrap()
        + 1;
    for cut in before..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let index = store.runs().unwrap();
        assert_eq!(
            (index.entries.len(), index.problem),
            (2, None),
            "cut at {cut}"
        );
        store.append_run(&entry(9, 9)).unwrap();
        let index = store.runs().unwrap();
        assert_eq!(index.entries.last(), Some(&entry(9, 9)), "cut at {cut}");
        assert_eq!(
            (index.entries.len(), index.problem),
            (3, None),
            "cut at {cut}"
        );
    }
    let kept = fs::read(store.folder().join("runs.jsonl.torn-1")).unwrap();
    assert_eq!(kept, &whole[before..=before]);
}

#[test]
fn a_broken_index_is_told_from_the_logs() {
    let (_folder, store) = fresh();
    let entries = indexed(&store);
    let path = store.folder().join("runs.jsonl");
    let first = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    for (broken, line) in [
        ("\0\0\0\n", 1),
        ("{}\n", 1),
        (&format!("{first}\n[]\n{first}\n"), 2),
    ] {
        fs::write(&path, broken).unwrap();
        let index = store.runs().unwrap();
        assert_eq!(index.entries, entries);
        let problem = index.problem.unwrap();
        assert_eq!((problem.line, problem.what), (line, Defect::NotARecord));
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_in_the_index_is_no_panic(garbage in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (_folder, store) = fresh();
        fs::write(store.folder().join("runs.jsonl"), garbage).unwrap();
        store.runs().unwrap();
        store.append_run(&entry(1, 1)).unwrap();
        prop_assert_eq!(store.new_run().unwrap().number() > 0, true);
    }
}
