//! Names, the archive, and logs that were pruned.

use harness_core::SessionId;
use harness_store::{Marks, PruneError, StoreError, is_session_name};

use crate::{at, fresh, said};

#[test]
fn a_name_is_no_id_and_nothing_a_terminal_minds() {
    for good in ["paging", "fix-2", "a.b_c", "Überblick"] {
        assert!(is_session_name(good), "{good}");
    }
    let long = "x".repeat(65);
    for bad in [
        "",
        "7",
        "S-0001",
        "s-1",
        "R-2",
        "-x",
        "a b",
        "a/b",
        "a\u{1b}[m",
        "last",
        &long,
    ] {
        assert!(!is_session_name(bad), "{bad}");
    }
}

#[test]
fn a_session_is_found_by_its_name() {
    let (_folder, store) = fresh();
    let (session, _log) = store.new_session().unwrap();
    assert_eq!(store.session_named("paging").unwrap(), None);
    let marks = Marks {
        name: Some("paging".to_owned()),
        ..Marks::default()
    };
    store.set_marks(session, &marks).unwrap();
    assert_eq!(store.session_named("paging").unwrap(), Some(session));
    assert_eq!(store.marks(session).unwrap(), marks);
    assert_eq!(store.marks(SessionId::new(9)).unwrap(), Marks::default());
}

#[test]
fn what_is_pruned_is_gone_its_number_is_not_given_again_and_a_held_log_stays() {
    let (_folder, store) = fresh();
    let (session, mut log) = store.new_session().unwrap();
    let head = log.append(&said(&"x".repeat(100_000)), at(0)).unwrap();
    let held = store.prune_session(session, at(1));
    assert!(matches!(
        held,
        Err(PruneError::Store(StoreError::InUse { .. }))
    ));
    assert_eq!(store.sessions().unwrap(), [session]);
    drop(log);
    assert!(store.session_bytes(session).0 > 100_000);
    store.prune_session(session, at(1)).unwrap();
    assert!(store.sessions().unwrap().is_empty());
    let left = store.marks(session).unwrap().pruned.unwrap();
    assert_eq!((left.records, left.head), (head.seq, head.hash));
    assert!(store.session_bytes(session).0 < 1_000);
    assert_ne!(store.new_session().unwrap().0, session);
}
