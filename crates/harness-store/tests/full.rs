//! A disk that is full in the middle of a record: the log ends as it did before.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use harness_store::{Store, StoreError, verify};

use crate::{at, fresh, said};

/// Tells a process of this test program that its files may not grow, and where to write.
const WRITE_IN: &str = "HARNESS_TEST_WRITE_IN";

#[test]
fn a_record_that_was_written_in_part_is_taken_back() {
    let (folder, store) = fresh();
    // A file size limit cuts a write as a full disk does, but only for the process that has it.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "full::write_beyond_the_limit"])
        .env(WRITE_IN, folder.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let log = store.log_path(store.latest_session().unwrap().unwrap());
    let found = verify(log).unwrap();
    assert!(found.is_whole(), "{found:?}");
    assert_eq!(found.records, 2);
}

/// Does nothing in the test's own process; writes in the process it starts.
#[test]
fn write_beyond_the_limit() {
    let Some(folder) = env::var_os(WRITE_IN).map(PathBuf::from) else {
        return;
    };
    let store = Store::open(folder.join("harness")).unwrap();
    let (session, mut log) = store.new_session().unwrap();
    let first = log.append(&said("first"), at(0)).unwrap();
    let error = log
        .append(&said(&"x".repeat(64 * 1024)), at(1))
        .unwrap_err();
    assert!(matches!(error, StoreError::File(_)), "{error}");
    assert_eq!(log.head(), first);
    assert!(verify(store.log_path(session)).unwrap().is_whole());
    log.append(&said("second"), at(2)).unwrap();
    log.sync().unwrap();
}
