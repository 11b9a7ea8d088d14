//! Logs: what is appended comes back, what a crash or a hand does to a file is found.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use harness_core::{ByteCount, Event, SessionId};
use harness_store::{
    BLOB_BYTES_MAX, Defect, LogWriter, RECORD_BYTES_MAX, Store, StoreError, first, fold, read,
    verify,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::{at, fresh, said};

fn log_of(store: &Store, texts: &[&str]) -> PathBuf {
    let (session, mut log) = store.new_session().unwrap();
    for (text, millis) in texts.iter().zip(0..) {
        log.append(&said(text), at(millis)).unwrap();
    }
    store.log_path(session)
}

fn texts(path: &Path) -> Vec<String> {
    let text = |event| match event {
        Event::PersonSaid { text, .. } => text,
        other => panic!("{other:?}"),
    };
    let records = read(path).unwrap().records;
    records
        .into_iter()
        .map(|record| text(record.event))
        .collect()
}

#[test]
fn a_log_cut_anywhere_in_its_last_record_goes_on() {
    let (_folder, store) = fresh();
    let path = log_of(&store, &["one", "two", "three"]);
    let session = SessionId::new(1);
    let whole = fs::read(&path).unwrap();
    let before = whole[..whole.len() - 1]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .unwrap()
        + 1;
    for cut in before..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let (mut log, records, torn) = LogWriter::reopen(&store, session).unwrap();
        let is_whole = cut == whole.len();
        assert_eq!(records.len(), if is_whole { 3 } else { 2 }, "cut at {cut}");
        assert_eq!(torn.is_some(), cut != before && !is_whole, "cut at {cut}");
        if let Some(torn) = torn {
            assert_eq!(fs::read(&torn.kept).unwrap(), &whole[before..cut]);
            assert_eq!(torn.bytes, ByteCount((cut - before) as u64));
            fs::remove_file(torn.kept).unwrap();
        }
        log.append(&said("more"), at(9)).unwrap();
        let found = verify(&path).unwrap();
        assert!(found.is_whole(), "cut at {cut}: {found:?}");
        assert_eq!(found.head, log.head());
        assert_eq!(texts(&path).last().unwrap(), "more");
    }
}

#[test]
fn torn_ends_are_kept_under_names_of_their_own() {
    let (_folder, store) = fresh();
    let path = log_of(&store, &["one"]);
    for number in 1..4 {
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        write!(file, "torn {number}").unwrap();
        let torn = LogWriter::reopen(&store, SessionId::new(1)).unwrap().2;
        let kept = path.with_file_name(format!("log.jsonl.torn-{number}"));
        assert_eq!(torn.unwrap().kept, kept);
        assert_eq!(fs::read_to_string(kept).unwrap(), format!("torn {number}"));
    }
}

#[test]
fn a_torn_end_is_read_over_and_counted() {
    let (_folder, store) = fresh();
    let path = log_of(&store, &["one"]);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&[0; 100]).unwrap();
    let log = read(&path).unwrap();
    assert_eq!((log.records.len(), log.torn), (1, ByteCount(100)));
    assert_eq!(verify(&path).unwrap().torn, ByteCount(100));
}

#[test]
fn a_change_of_any_byte_is_found() {
    let (_folder, store) = fresh();
    let path = log_of(&store, &["one", "Two \"2\"", "three"]);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        // 0x20 turns lower case into upper case, which a lenient reader of digits would take.
        for flip in [0x01, 0x20, 0x80] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            fs::write(&path, &changed).unwrap();
            let found = verify(&path).unwrap();
            assert!(!found.is_whole(), "byte {at} ^ {flip:#x} was not found");
            let line = whole[..at].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
            let says = found.problem.map_or(line, |problem| problem.line);
            assert_eq!(says, line, "byte {at} ^ {flip:#x}");
        }
    }
}

#[test]
fn lines_that_are_added_removed_or_moved_are_found() {
    let (_folder, store) = fresh();
    let path = log_of(&store, &["one", "two", "three"]);
    let other = fs::read_to_string(log_of(&store, &["ONE", "TWO"])).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let [one, two, three] = text.split_inclusive('\n').collect::<Vec<_>>()[..] else {
        panic!("three lines were written")
    };
    let foreign = other.split_inclusive('\n').nth(1).unwrap();
    let cases = [
        (
            [two, three, ""],
            1,
            Defect::Misnumbered {
                found: 2,
                expected: 1,
            },
        ),
        (
            [one, three, ""],
            2,
            Defect::Misnumbered {
                found: 3,
                expected: 2,
            },
        ),
        (
            [one, one, two],
            2,
            Defect::Misnumbered {
                found: 1,
                expected: 2,
            },
        ),
        ([one, foreign, three], 2, Defect::Unchained),
        ([other.as_str(), "", ""], 1, Defect::Unchained),
        ([one, "\n", two], 2, Defect::NotARecord),
    ];
    for (lines, line, what) in cases {
        fs::write(&path, lines.concat()).unwrap();
        let problem = verify(&path).unwrap().problem.unwrap();
        assert_eq!((problem.line, &problem.what), (line, &what));
        let error = LogWriter::reopen(&store, SessionId::new(1)).unwrap_err();
        assert!(matches!(error, StoreError::Unreadable { defect, .. } if defect == what));
        assert_eq!(fs::read_to_string(&path).unwrap(), lines.concat());
    }
}

#[test]
fn a_copy_elsewhere_is_read_without_its_session_being_known() {
    let (folder, store) = fresh();
    let copy = folder.path().join("exported.jsonl");
    fs::copy(log_of(&store, &["one", "two"]), &copy).unwrap();
    assert_eq!(texts(&copy), ["one", "two"]);
    assert!(verify(&copy).unwrap().is_whole());
}

#[test]
fn what_stands_before_a_broken_line_is_told_one_record_at_a_time() {
    let (_folder, store) = fresh();
    let path = log_of(&store, &["one", "two", "three"]);
    let mut seqs = Vec::new();
    let whole = fold(&path, |record| seqs.push(record.seq)).unwrap();
    assert!(whole.is_whole());
    assert_eq!((seqs.as_slice(), whole.records), ([1, 2, 3].as_slice(), 3));
    assert_eq!(first(&path).unwrap().unwrap().seq, 1);

    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("two", "six")).unwrap();
    seqs.clear();
    let broken = fold(&path, |record| seqs.push(record.seq)).unwrap();
    assert_eq!(seqs, [1]);
    let problem = broken.problem.unwrap();
    assert_eq!((problem.line, problem.what), (2, Defect::WrongHash));
}

#[test]
fn an_unreadable_line_is_named_with_its_path() {
    let (folder, _store) = fresh();
    let path = folder.path().join("log.jsonl");
    fs::write(&path, "{\"v\":2}\n").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "cannot read `{}`: line 1 was written by a later version of the harness, in record version 2",
            path.display()
        )
    );
    let missing = folder.path().join("none");
    let error = verify(&missing).unwrap_err().to_string();
    assert_eq!(error, format!("cannot open `{}`", missing.display()));
}

#[test]
fn an_event_of_a_later_version_is_named_and_its_log_still_verifies() {
    let (folder, _store) = fresh();
    let path = folder.path().join("log.jsonl");
    let prev = "00".repeat(32);
    let body = format!(
        r#"{{"v":1,"seq":1,"time":"2025-11-20T00:53:20Z","prev":"{prev}","event":{{"type":"dreamt"}}"#
    );
    let mut digest = Sha256::new();
    digest.update([0; 32]);
    digest.update(format!("{body}}}"));
    let hash: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    fs::write(&path, format!("{body},\"hash\":\"{hash}\"}}\n")).unwrap();
    let error = read(&path).unwrap_err().to_string();
    let expected = "line 1 holds an event of type `dreamt` that only a later version";
    assert!(error.contains(expected), "{error}");
    assert!(verify(&path).unwrap().is_whole());
}

#[test]
fn one_process_at_a_time_writes_a_log() {
    let (_folder, store) = fresh();
    let (session, log) = store.new_session().unwrap();
    let error = LogWriter::reopen(&store, session).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    drop(log);
    assert!(LogWriter::reopen(&store, session).is_ok());
}

#[test]
fn only_what_was_appended_needs_a_sync() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    assert!(log.is_synced());
    log.append(&Event::Interrupted, at(0)).unwrap();
    assert!(!log.is_synced());
    log.sync().unwrap();
    assert!(log.is_synced());
    drop(log);
    let (mut log, ..) = LogWriter::reopen(&store, session).unwrap();
    assert!(!log.is_synced(), "the earlier process may not have synced");
    log.sync().unwrap();
    assert!(log.is_synced());
}

#[test]
fn a_record_that_is_too_long_is_refused_and_leaves_the_log_as_it_was() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    let head = log.append(&said("first"), at(0)).unwrap();
    let error = log.append(&said(&"x".repeat(BLOB_BYTES_MAX.as_usize() + 1)), at(1));
    assert!(matches!(error, Err(StoreError::RecordTooLong { .. })));
    assert_eq!(log.head(), head);
    log.append(&said(&"x".repeat(RECORD_BYTES_MAX.as_usize())), at(1))
        .unwrap();
    assert!(verify(store.log_path(session)).unwrap().is_whole());
}

#[test]
fn a_line_longer_than_a_record_is_not_read_into_memory() {
    let (folder, _store) = fresh();
    let path = folder.path().join("log.jsonl");
    fs::File::create(&path).unwrap().set_len(1 << 34).unwrap();
    let problem = verify(&path).unwrap().problem.unwrap();
    assert_eq!((problem.line, problem.what), (1, Defect::TooLong));
}

#[test]
fn secrets_are_out_before_the_hash() {
    let (_folder, store) = fresh();
    let (session, log) = store.new_session().unwrap();
    let mut log = log.with_redaction(Box::new(|text| {
        text.contains("canary")
            .then(|| text.replace("canary", "[redacted]"))
    }));
    log.append(&said("the canary sings"), at(0)).unwrap();
    log.append(&said("nothing"), at(1)).unwrap();
    let path = store.log_path(session);
    assert!(!fs::read_to_string(&path).unwrap().contains("canary"));
    assert_eq!(texts(&path), ["the [redacted] sings", "nothing"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_comes_back(texts in proptest::collection::vec(any::<String>(), 1..6)) {
        let (_folder, store) = fresh();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let path = log_of(&store, &texts);
        prop_assert_eq!(self::texts(&path), texts);
        prop_assert!(verify(&path).unwrap().is_whole());
    }

    #[test]
    fn garbage_is_a_problem_and_no_panic(
        good in 0_usize..3,
        garbage in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            r#"\{"v":[0-9]{0,3},"seq":[0-9]{0,22},"event":[\{\["a]{0,200},"hash":"[0-9a-f]{60,68}"\}\n"#.prop_map(String::into_bytes),
        ],
    ) {
        let (_folder, store) = fresh();
        let path = log_of(&store, &["one", "two", "three"][..good]);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&garbage).unwrap();
        let found = verify(&path).unwrap();
        prop_assert_eq!(found.records, good as u64);
        prop_assert_eq!(read(&path).is_ok(), found.problem.is_none());
        let reopened = LogWriter::reopen(&store, SessionId::new(1));
        prop_assert_eq!(reopened.is_ok(), found.problem.is_none());
    }
}

#[test]
fn how_far_a_log_was_durable_is_known_beside_it() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    assert_eq!(store.synced(session), None);
    let first = log.append(&said("one"), at(0)).unwrap();
    assert_eq!(store.synced(session), None, "nothing was durable yet");
    log.sync().unwrap();
    assert_eq!(store.synced(session), Some(first));
    let second = log.append(&said("two"), at(1)).unwrap();
    log.sync().unwrap();
    drop(log);
    assert_eq!(store.synced(session), Some(second));
    // Cut behind a whole record, the note stays until somebody takes the log as it is.
    let path = store.log_path(session);
    let whole = fs::read_to_string(&path).unwrap();
    let cut = whole.split_inclusive('\n').next().unwrap();
    fs::write(&path, cut).unwrap();
    let (mut log, _, _) = LogWriter::reopen(&store, session).unwrap();
    log.append(&said("three"), at(2)).unwrap();
    log.sync().unwrap();
    assert_eq!(store.synced(session), Some(second));
    log.accept_loss();
    let fourth = log.append(&said("four"), at(3)).unwrap();
    log.sync().unwrap();
    assert_eq!(store.synced(session), Some(fourth));
    let note = path.with_file_name("log.synced");
    for text in ["", "7", "7 no-digest\n", "x y\n"] {
        fs::write(&note, text).unwrap();
        assert_eq!(store.synced(session), None, "{text:?}");
    }
}

#[test]
fn the_end_of_a_log_is_read_alone() {
    let (_folder, store) = fresh();
    let path = log_of(&store, &["one", "two", "three"]);
    let all = harness_store::tail(&path, ByteCount::kib(64)).unwrap();
    assert_eq!(all.len(), 3);
    let line = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .len() as u64;
    let last = harness_store::tail(&path, ByteCount(line + 10)).unwrap();
    assert_eq!(last.len(), 1);
    assert!(matches!(&last[0], Event::PersonSaid { text, .. } if text == "three"));
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"torn").unwrap();
    assert_eq!(
        harness_store::tail(&path, ByteCount::kib(64))
            .unwrap()
            .len(),
        3
    );
}
