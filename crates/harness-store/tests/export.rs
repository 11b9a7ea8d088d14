//! Long texts beside the log, and sessions in one file: what is missing or changed is named.

use std::{fs, path::PathBuf};

use harness_core::{Event, SessionId};
use harness_store::{BLOB_BYTES_MIN, Defect, Store, fold, read, verify};

use crate::{at, fresh, said};

fn long(letter: &str) -> String {
    letter.repeat(BLOB_BYTES_MIN.as_usize())
}

/// Makes a log with two long texts, one of them twice.
fn busy(store: &Store) -> (SessionId, Vec<Event>) {
    let (session, mut log) = store.new_session().unwrap();
    let texts = ["short", &long("a"), &long("é"), &long("a"), "end"];
    let events: Vec<Event> = texts.iter().map(|text| said(text)).collect();
    for (event, millis) in events.iter().zip(0..) {
        log.append(event, at(millis)).unwrap();
    }
    log.sync().unwrap();
    (session, events)
}

fn blobs(store: &Store, session: SessionId) -> Vec<PathBuf> {
    let folder = store.log_path(session).with_file_name("blobs");
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn events(path: &std::path::Path) -> Vec<Event> {
    let records = read(path).unwrap().records;
    records.into_iter().map(|record| record.event).collect()
}

#[test]
fn long_texts_are_kept_once_under_their_digest_and_come_back() {
    let (_folder, store) = fresh();
    let (session, written) = busy(&store);
    let path = store.log_path(session);
    assert_eq!(blobs(&store, session).len(), 2);
    assert!(fs::metadata(&path).unwrap().len() < 4_000);
    assert_eq!(events(&path), written);
    assert!(verify(&path).unwrap().is_whole());
}

#[test]
fn a_missing_or_changed_blob_is_named_with_its_line() {
    let (_folder, store) = fresh();
    let (session, _) = busy(&store);
    let path = store.log_path(session);
    for blob in blobs(&store, session) {
        let name = blob.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read(&blob).unwrap();
        let problem = || verify(&path).unwrap().problem.unwrap();
        let mut changed = text.clone();
        changed[7] ^= 1;
        fs::write(&blob, &changed).unwrap();
        let found = problem();
        assert!(matches!(found.what, Defect::BlobChanged { hash } if hash.to_string() == name));
        assert!(matches!(found.line, 2 | 3));
        fs::remove_file(&blob).unwrap();
        let found = problem();
        assert!(matches!(found.what, Defect::BlobMissing { hash } if hash.to_string() == name));
        // What stands before it is told all the same.
        let mut told = 0;
        fold(&path, |_| told += 1).unwrap();
        assert_eq!(told + 1, found.line);
        fs::write(&blob, &text).unwrap();
        assert!(verify(&path).unwrap().is_whole());
    }
}

#[test]
fn an_export_stands_for_itself_and_every_flipped_byte_is_found() {
    let (folder, store) = fresh();
    let (session, written) = busy(&store);
    let mut text = Vec::new();
    store.export(session, &mut text).unwrap().unwrap();
    let path = folder.path().join("copy.jsonl");
    fs::write(&path, &text).unwrap();
    let whole = verify(&path).unwrap();
    assert_eq!(whole, verify(store.log_path(session)).unwrap());
    assert_eq!(events(&path), written);

    // All of the head and of the records; of the long texts a byte here and there.
    for at in (0..text.len()).filter(|at| at % 997 == 0 || *at < 250 || *at + 700 > text.len()) {
        let mut flipped = text.clone();
        flipped[at] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let found = verify(&path).unwrap();
        assert!(!found.is_whole(), "byte {at} makes no difference");
    }
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    for gone in 0..lines.len() {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != gone);
        let kept: Vec<u8> = kept.flat_map(|(_, line)| line.to_vec()).collect();
        fs::write(&path, kept).unwrap();
        let found = verify(&path).unwrap();
        assert!(
            !found.is_whole() || gone == 0,
            "line {gone} makes no difference"
        );
        let mut doubled = lines.clone();
        doubled.insert(gone, lines[gone]);
        fs::write(&path, doubled.concat()).unwrap();
        let found = verify(&path).unwrap().problem.unwrap();
        assert_eq!(found.line as usize, gone + 2, "line {gone} twice");
        // The head apart, without which the file is a plain copy of the log.
        if gone > 0 && gone + 1 < lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(gone, gone + 1);
            fs::write(&path, swapped.concat()).unwrap();
            assert!(!verify(&path).unwrap().is_whole(), "line {gone} swapped");
        }
    }
    // A text that no record is the first to name, at the end.
    let stray: Vec<u8> = [lines.concat(), lines[2].to_vec()].concat();
    fs::write(&path, stray).unwrap();
    let found = verify(&path).unwrap().problem.unwrap();
    assert!(
        matches!(found.what, Defect::BlobMisplaced { .. }),
        "{found:?}"
    );
    for cut in (0..text.len()).filter(|cut| cut % 997 == 0) {
        fs::write(&path, &text[..cut]).unwrap();
        assert!(
            cut == 0 || !verify(&path).unwrap().is_whole(),
            "cut at {cut}"
        );
    }
}
