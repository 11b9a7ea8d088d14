//! What each level holds against every attempt, and that each attempt works without it.

use std::{
    env,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::Command,
};

use harness_core::Level;
use harness_host::process::{
    Attempt, Attempted, Builder, Outcome, Owed, attempt_by, attempt_in, attempt_openly, owed,
};

use crate::world::levels;

/// Set for the copy of this test program that runs as somebody without rights.
const AS_NOBODY: &str = "HARNESS_HOST_TEST_AS_NOBODY";

/// A user without rights that every system has.
const NOBODY: u32 = 65534;

/// What every Linux lets everybody do, so that a refusal of it proves something.
const ALWAYS_THERE: [Attempt; 14] = [
    Attempt::WriteOutside,
    Attempt::ChangeModeOutside,
    Attempt::ChangeTimesOutside,
    Attempt::WriteProtected,
    Attempt::MoveProtected,
    Attempt::ReadHidden,
    Attempt::ConnectTcp,
    Attempt::SendDatagram,
    Attempt::ConnectUnix,
    Attempt::ConnectAbstract,
    Attempt::UseLeakedHandle,
    Attempt::LeaveDaemon,
    Attempt::TakeMemory,
    Attempt::Signal,
];

#[test]
fn each_level_holds_what_it_owes() {
    hold_all();
}

#[test]
fn each_level_holds_what_it_owes_for_somebody_without_rights() {
    if !is_root() {
        eprintln!(
            "skipped: only root can become somebody else, and this user has no rights anyway"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let ran = Command::new(env::current_exe().unwrap())
        .args(["attempts::as_nobody", "--exact", "--nocapture"])
        .env(AS_NOBODY, "1")
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output();
    match ran {
        Ok(output) => assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => eprintln!("skipped: nobody cannot start this test program: {error}"),
    }
}

/// Plays somebody without rights when it is started as such; does nothing in an ordinary test run.
#[test]
fn as_nobody() {
    if env::var_os(AS_NOBODY).is_some() {
        assert!(!is_root());
        std::fs::write(env::home_dir().unwrap().join("notes"), "mine\n").unwrap();
        hold_all();
    }
}

fn hold_all() {
    let levels = levels();
    let openly = attempt_openly().unwrap();
    assert_eq!(openly.len(), Attempt::ALL.len());
    for made in &openly {
        match made.outcome {
            Outcome::Allowed => {}
            Outcome::NotHere if !ALWAYS_THERE.contains(&made.attempt) => {
                eprintln!("not on this machine: {}: {}", made.attempt, made.detail);
            }
            _ => panic!("no attempt: {made:?}"),
        }
    }
    for level in &levels {
        hold(*level, &attempt_in(*level, &openly).unwrap());
    }
    if !levels.contains(&Level::Namespaces) || !Path::new("/usr/bin/bwrap").exists() {
        eprintln!("skipped: there is no bubblewrap here that could build a cage");
        return;
    }
    match attempt_by(Builder::Bwrap, &openly) {
        Ok(made) => hold(Level::Namespaces, &made),
        Err(error) => panic!("bubblewrap cannot build a cage: {error}"),
    }
}

fn hold(level: Level, made: &[Attempted]) {
    let broken: Vec<&Attempted> = made
        .iter()
        .filter(|made| made.outcome == Outcome::Allowed)
        .filter(|made| owed(made.attempt, level) == Owed::Prevented)
        .collect();
    assert!(broken.is_empty(), "{level}: {broken:#?}");
    check_what_is_not_owed(level, made);
}

/// What a level is said not to prevent is seen to work, so that the table stays true.
fn check_what_is_not_owed(level: Level, made: &[Attempted]) {
    let outcome = |attempt| {
        let found = made.iter().find(|made| made.attempt == attempt);
        found.map(|made| made.outcome)
    };
    let works: &[Attempt] = match level {
        Level::Namespaces => &[Attempt::MakeProtected],
        Level::Landlock => &[
            Attempt::ChangeModeOutside,
            Attempt::ChangeTimesOutside,
            Attempt::ChangeModeInside,
            Attempt::WriteProtected,
            Attempt::MoveProtected,
            Attempt::MakeProtected,
            Attempt::ReadHiddenInScope,
        ],
        Level::None | Level::External => &[
            Attempt::WriteOutside,
            Attempt::ChangeModeOutside,
            Attempt::WriteProtected,
            Attempt::ReadHidden,
            Attempt::ConnectTcp,
            Attempt::ConnectUnix,
            Attempt::Signal,
        ],
    };
    for attempt in works {
        assert_eq!(
            outcome(*attempt),
            Some(Outcome::Allowed),
            "{level}: {attempt}"
        );
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
