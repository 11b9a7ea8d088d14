//! The folder: its numbers, its modes, what is listed.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    thread,
};

use harness_core::{Event, RunId, SessionId};
use harness_store::{Holder, Lock, Store, StoreError};

use crate::{at, fresh};

#[test]
fn looking_for_a_store_makes_none() {
    let (folder, store) = fresh();
    let missing = folder.path().join("none");
    assert_eq!(Store::open_existing(&missing).unwrap(), None);
    assert!(!missing.exists());
    assert_eq!(Store::open_existing(store.folder()).unwrap(), Some(store));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Store::open_existing(file).is_err());
}

#[test]
fn numbers_go_up_and_are_never_given_twice() {
    let (_folder, store) = fresh();
    assert_eq!(store.latest_session().unwrap(), None);
    assert_eq!(store.new_session().unwrap().0, SessionId::new(1));
    assert_eq!(store.new_run().unwrap(), RunId::new(1));
    let taken = store.folder().join("sessions/S-0007");
    fs::create_dir(taken).unwrap();
    assert_eq!(store.new_session().unwrap().0, SessionId::new(8));
    assert_eq!(store.new_run().unwrap(), RunId::new(2));
    // A folder without a log is the claim of a process that went no further.
    assert_eq!(store.sessions().unwrap(), [1, 8].map(SessionId::new));
    assert_eq!(store.latest_session().unwrap(), Some(SessionId::new(8)));
}

#[test]
fn callers_at_the_same_time_get_different_numbers() {
    let (_folder, store) = fresh();
    let claimed: Vec<(SessionId, RunId)> = thread::scope(|scope| {
        let claim = || (store.new_session().unwrap().0, store.new_run().unwrap());
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(claim)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let sessions: BTreeSet<_> = claimed
        .iter()
        .map(|(session, _)| session.number())
        .collect();
    let runs: BTreeSet<_> = claimed.iter().map(|(_, run)| run.number()).collect();
    assert_eq!(sessions, (1..=20).collect());
    assert_eq!(runs, (1..=20).collect());
}

#[test]
fn no_number_left_is_an_error() {
    let (_folder, store) = fresh();
    fs::create_dir_all(store.folder().join("sessions/S-4294967295")).unwrap();
    let error = store.new_session().unwrap_err();
    assert!(matches!(error, StoreError::Exhausted { .. }), "{error}");
}

#[test]
fn only_the_owner_may_look() {
    let (_folder, store) = fresh();
    let (_, mut log) = store.new_session().unwrap();
    log.append(&Event::Interrupted, at(0)).unwrap();
    store.new_run().unwrap();
    let holder = Holder {
        pid: 1,
        started_at: at(0),
        host: String::new(),
        command: String::new(),
    };
    let _lock = Lock::acquire(&store, "run", &holder).unwrap();
    check_modes(store.folder());
    fs::set_permissions(store.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    Store::open(store.folder()).unwrap();
    check_modes(store.folder());
}

fn check_modes(path: &Path) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mode = metadata.permissions().mode() & 0o777;
    let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(mode, expected, "{}: {mode:o}", path.display());
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            check_modes(&entry.unwrap().path());
        }
    }
}

#[test]
fn a_link_in_place_of_a_log_is_not_followed() {
    let (folder, store) = fresh();
    let (session, log) = store.new_session().unwrap();
    drop(log);
    let path = store.log_path(session);
    let outside = folder.path().join("outside");
    fs::rename(&path, &outside).unwrap();
    symlink(&outside, &path).unwrap();
    assert!(harness_store::read(&path).is_err());
    assert!(harness_store::LogWriter::reopen(&store, session).is_err());
}

#[test]
fn an_output_has_a_place_beside_its_log() {
    let (_folder, store) = fresh();
    let (session, _log) = store.new_session().unwrap();
    let path = store.output_path(session, 3);
    assert!(path.ends_with("sessions/S-0001/output/3.txt"));
    fs::write(path, "long").unwrap();
}
