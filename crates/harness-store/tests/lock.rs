//! Locks: one holder, named to the others, gone with its process.

use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use harness_store::{Holder, Lock, LockError, Store};
use tempfile::TempDir;

use crate::{at, fresh};

/// Tells a process of this test program to be a contender, and below which folder.
const CONTEND_IN: &str = "HARNESS_TEST_CONTEND_IN";

fn holder(pid: u32) -> Holder {
    Holder {
        pid,
        started_at: at(0),
        host: "box".to_owned(),
        command: "harness run".to_owned(),
    }
}

fn pid_of_holder(error: LockError) -> Option<u32> {
    match error {
        LockError::Held(held) => held.holder.map(|holder| holder.pid),
        other => panic!("{other}"),
    }
}

#[test]
fn one_of_many_threads_wins_and_the_others_are_told_who() {
    let (_folder, store) = fresh();
    // The name of an earlier holder must not be told.
    drop(Lock::acquire(&store, "run", &holder(999)).unwrap());
    for _ in 0..20 {
        let barrier = Barrier::new(20);
        let contend = |pid| {
            barrier.wait();
            let taken = Lock::acquire(&store, "run", &holder(pid));
            barrier.wait();
            taken.map(|_lock| pid).map_err(pid_of_holder)
        };
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (1..=20)
                .map(|pid| scope.spawn(move || contend(pid)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let winners: Vec<u32> = results.iter().filter_map(|result| result.ok()).collect();
        let [winner] = winners[..] else {
            panic!("winners: {winners:?}")
        };
        let losers = results.into_iter().filter_map(Result::err);
        assert_eq!(losers.collect::<Vec<_>>(), [Some(winner); 19]);
    }
}

#[test]
fn one_of_many_processes_wins_and_a_dead_one_holds_nothing() {
    let (folder, store) = fresh();
    let mut contenders: Vec<Child> = (0..20).map(|_| contender(folder.path())).collect();
    let results = results(folder.path(), contenders.len());
    let winner: u32 = results
        .iter()
        .find_map(|(pid, told)| (told == "won").then_some(*pid))
        .unwrap();
    for (pid, told) in results {
        let expected = if pid == winner {
            "won".to_owned()
        } else {
            winner.to_string()
        };
        assert_eq!(told, expected, "process {pid}");
    }
    let told = Lock::acquire(&store, "run", &holder(1)).map_err(pid_of_holder);
    assert_eq!(told.map(drop), Err(Some(winner)));

    let dying = contenders
        .iter_mut()
        .find(|child| child.id() == winner)
        .unwrap();
    // SIGKILL: nothing of the holder's own code runs any more.
    dying.kill().unwrap();
    dying.wait().unwrap();
    Lock::acquire(&store, "run", &holder(1)).unwrap();
    for mut contender in contenders {
        drop(contender.stdin.take());
        contender.wait().unwrap();
    }
}

/// Does nothing in the test's own process; is the contender in the processes it starts.
#[test]
fn contend() {
    let Some(folder) = env::var_os(CONTEND_IN).map(PathBuf::from) else {
        return;
    };
    let store = Store::open(folder.join("harness")).unwrap();
    let pid = std::process::id();
    let taken = Lock::acquire(&store, "run", &holder(pid));
    let told = match &taken {
        Ok(_) => "won".to_owned(),
        Err(LockError::Held(held)) => held.holder.as_ref().unwrap().pid.to_string(),
        Err(other) => other.to_string(),
    };
    let draft = folder.join(format!("draft-{pid}"));
    fs::write(&draft, told).unwrap();
    fs::rename(draft, folder.join(format!("result-{pid}"))).unwrap();
    // Holds until it is killed or the test lets go of the other end.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn contender(folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "lock::contend"])
        .env(CONTEND_IN, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn results(folder: &Path, count: usize) -> Vec<(u32, String)> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let found: Vec<(u32, String)> = fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let pid = name.strip_prefix("result-")?.parse().unwrap();
                Some((pid, fs::read_to_string(folder.join(name)).unwrap()))
            })
            .collect();
        if found.len() == count {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "{} of {count} answered",
            found.len()
        );
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_message_says_who_holds_it() {
    let (_folder, store) = fresh();
    let _lock = Lock::acquire(&store, "worktree-1", &holder(42)).unwrap();
    let error = Lock::acquire(&store, "worktree-1", &holder(43)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot take lock `worktree-1`: it is held by process 42 on `box` since 2025-11-20T00:53:20Z (`harness run`)"
    );
    assert!(Lock::acquire(&store, "worktree-2", &holder(43)).is_ok());
}

#[test]
fn a_lock_file_with_garbage_still_locks() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).unwrap();
    fs::create_dir(folder.path().join("locks")).unwrap();
    for garbage in [&b""[..], b"\0\0\0", b"\xff{", b"{\"pid\":\"x\"}"] {
        fs::write(folder.path().join("locks/run"), garbage).unwrap();
        let lock = Lock::acquire(&store, "run", &holder(7)).unwrap();
        let told = Lock::acquire(&store, "run", &holder(8)).map_err(pid_of_holder);
        assert_eq!(told.map(drop), Err(Some(7)));
        fs::write(lock.path(), garbage).unwrap();
        let told = Lock::acquire(&store, "run", &holder(8)).map_err(pid_of_holder);
        assert_eq!(told.map(drop), Err(None));
    }
}

#[test]
fn a_name_that_could_leave_the_folder_is_refused() {
    let (_folder, store) = fresh();
    for name in ["", ".", "..", ".gate", "a/b", "/a", "a b", &"x".repeat(101)] {
        let error = Lock::acquire(&store, name, &holder(1)).unwrap_err();
        assert!(matches!(error, LockError::Name { .. }), "{name}: {error}");
    }
}

#[test]
fn who_died_with_the_lock_is_told_until_somebody_has_cleared_up() {
    let (_folder, store) = fresh();
    let path = Lock::acquire(&store, "run", &holder(1))
        .unwrap()
        .path()
        .to_owned();
    // Let go in order: nobody died.
    assert_eq!(fs::read(&path).unwrap(), b"");
    let died = |pid: u32| fs::write(&path, serde_json::to_vec(&holder(pid)).unwrap()).unwrap();
    died(7);
    let lock = Lock::acquire(&store, "run", &holder(2)).unwrap();
    assert_eq!(lock.left_behind(), [7]);
    // Whoever only looked leaves it to the next, and so does whoever dies meanwhile.
    drop(lock);
    let mut lock = Lock::acquire(&store, "run", &holder(3)).unwrap();
    assert_eq!(lock.left_behind(), [2, 7]);
    lock.cleared_up().unwrap();
    assert!(lock.left_behind().is_empty());
    drop(lock);
    let lock = Lock::acquire(&store, "run", &holder(4)).unwrap();
    assert!(lock.left_behind().is_empty());
    drop(lock);
    // What cannot be read names nobody.
    fs::write(&path, "garbage").unwrap();
    let lock = Lock::acquire(&store, "run", &holder(5)).unwrap();
    assert!(lock.left_behind().is_empty());
}
