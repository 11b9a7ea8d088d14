//! Twenty runs at once: one wins in each work tree, the others say who holds it, and nothing is mixed up.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use harness_core::Timestamp;
use harness_store::{Holder, Lock, Store};
use harness_testkit::{Run, Server};

use crate::support::{Desk, FINISH, PROGRAM, say, session, write};

const RUN: [&str; 2] = ["run", "--no-input"];

/// A project whose model thinks so long that every run is met by every other.
fn desk() -> (Desk, Server) {
    let script = session("F-1", &[&write("src/answer", "42\n"), FINISH]);
    let slow = script.replacen("calls = ", "think_ms = 2500\ncalls = ", 1);
    let server = Server::scripted(&slow);
    let desk = Desk::new();
    desk.use_server(&server, "chat");
    (desk, server)
}

fn start(command: &mut Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for all; returns the process and the end of each.
fn ends(children: Vec<Child>) -> Vec<(u32, Run)> {
    let end = |child: Child| {
        let pid = child.id();
        (pid, Run::from(child.wait_with_output().unwrap()))
    };
    children.into_iter().map(end).collect()
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap()
        .trim()
        .to_owned()
}

/// One won; every other names its process, its machine and when it began.
fn assert_one_won(ends: &[(u32, Run)]) {
    let winners: Vec<_> = ends.iter().filter(|(_, run)| run.code == 0).collect();
    let all: Vec<_> = ends
        .iter()
        .map(|(_, run)| (run.code, &run.stderr))
        .collect();
    let [(winner, _)] = winners[..] else {
        panic!("{} won: {all:#?}", winners.len())
    };
    for (_, run) in ends.iter().filter(|(pid, _)| pid != winner) {
        assert_eq!(run.code, 5, "{}", run.stderr);
        for part in [
            format!("process {winner} on `{}` since 20", host()),
            "hint: ".to_owned(),
        ] {
            assert!(run.stderr.contains(&part), "no `{part}`: {}", run.stderr);
        }
    }
}

fn assert_logs_hold(desk: &Desk, sessions: usize) {
    let verified = desk.harness(&["log", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert_eq!(
        verified.stdout.lines().count(),
        sessions,
        "{}",
        verified.stdout
    );
    assert_eq!(
        desk.project
            .git(&["fsck", "--connectivity-only", "--no-dangling"]),
        ""
    );
}

#[test]
fn of_twenty_runs_in_one_work_tree_one_wins() {
    let (desk, server) = desk();
    let root = desk.project.root();
    let children = (0..20)
        .map(|_| start(&mut desk.home.command(&root, &RUN)))
        .collect();
    assert_one_won(&ends(children));
    assert_eq!(server.received().len(), 2);
    assert_logs_hold(&desk, 1);
    assert_eq!(
        desk.project
            .git(&["rev-list", "--count", "--branches=harness/*", "^main"]),
        "1"
    );
    assert_eq!(
        desk.project
            .git(&["for-each-ref", "--format=%(refname)", "refs/harness"])
            .lines()
            .count(),
        2
    );
    assert_eq!(desk.harness(&["land"]).code, 0);
}

#[test]
fn of_twenty_runs_in_four_linked_work_trees_one_wins_in_each() {
    let (desk, _server) = desk();
    let trees: Vec<_> = (0..4)
        .map(|number| desk.project.outside().join(format!("tree-{number}")))
        .collect();
    for tree in &trees {
        desk.project.git(&[
            "worktree",
            "add",
            "--quiet",
            "--detach",
            &tree.display().to_string(),
        ]);
        let trusted = desk.home.run(tree, &["trust", "--yes"]);
        assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    }
    let children: Vec<Vec<Child>> = trees
        .iter()
        .map(|tree| {
            (0..5)
                .map(|_| start(&mut desk.home.command(tree, &RUN)))
                .collect()
        })
        .collect();
    for contenders in children {
        assert_one_won(&ends(contenders));
    }
    assert_logs_hold(&desk, 4);
    let branches = desk
        .project
        .git(&["for-each-ref", "--format=%(refname)", "refs/heads/harness"]);
    assert_eq!(branches.lines().count(), 4, "{branches}");
    for branch in branches.lines() {
        assert_eq!(
            desk.project
                .git(&["rev-list", "--count", &format!("main..{branch}")]),
            "1",
            "{branch}"
        );
        assert_eq!(
            desk.project.git(&["show", &format!("{branch}:src/answer")]),
            "42"
        );
    }
    for session in 1..=4 {
        let refs = desk
            .project
            .git(&["for-each-ref", &format!("refs/harness/S-000{session}")]);
        assert_eq!(refs.lines().count(), 2, "{refs}");
    }
}

#[test]
fn a_work_tree_that_is_reached_by_another_path_is_the_same() {
    let tried = Command::new("unshare")
        .args(["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .output();
    if !tried.is_ok_and(|output| output.status.success()) {
        say("skipped: no folder can be mounted elsewhere here");
        return;
    }
    let (desk, _server) = desk();
    let (root, other) = (desk.project.root(), desk.project.outside().join("other"));
    fs::create_dir(&other).unwrap();
    // Who comes by the other path has trusted it there.
    let by_mount = |arguments: &str| {
        let script = format!(
            "mount --bind {} {} && cd {} && exec {PROGRAM} {arguments}",
            root.display(),
            other.display(),
            other.display()
        );
        let prepared = desk.home.command(&root, &[]);
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c", &script]).env_clear();
        for (name, value) in prepared
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)))
        {
            command.env(name, value);
        }
        command
    };
    let trusted = Run::from(by_mount("trust --yes").output().unwrap());
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    let mut children = Vec::new();
    for _ in 0..10 {
        children.push(start(&mut by_mount("run --no-input")));
        children.push(start(&mut desk.home.command(&root, &RUN)));
    }
    assert_one_won(&ends(children));
    assert_logs_hold(&desk, 1);
}

fn holder(pid: u32, host: &str) -> Holder {
    Holder {
        pid,
        started_at: Timestamp::from_millis(1_763_600_000_000),
        host: host.to_owned(),
        command: "harness run".to_owned(),
    }
}

fn store(root: &Path) -> Store {
    Store::open(root.join(".git/harness")).unwrap()
}

#[test]
fn a_name_in_a_lock_that_nobody_holds_is_no_obstacle() {
    let (desk, _server) = desk();
    // One that died, one whose number another process has now, one of another machine.
    for (pid, machine) in [
        (4_194_305, host()),
        (1, host()),
        (1, "elsewhere".to_owned()),
    ] {
        let lock = Lock::acquire(
            &store(&desk.project.root()),
            "work-tree",
            &holder(pid, &machine),
        )
        .unwrap();
        drop(lock);
        let run = desk.harness(&["run", "--no-input", "--max-turns", "0"]);
        assert_ne!(run.code, 5, "{}", run.stderr);
        let gate = desk.harness(&["gate", "run"]);
        assert_eq!(gate.code, 0, "{}", gate.stderr);
    }
}

#[test]
fn a_lock_that_is_held_names_the_machine_it_is_held_from() {
    let (desk, _server) = desk();
    for (pid, machine) in [(77, "elsewhere".to_owned()), (std::process::id(), host())] {
        let _lock = Lock::acquire(
            &store(&desk.project.root()),
            "work-tree",
            &holder(pid, &machine),
        )
        .unwrap();
        let run = desk.harness(&RUN);
        assert_eq!(run.code, 5, "{}", run.stderr);
        let named = format!("process {pid} on `{machine}` since 2025-11-20T00:53:20Z");
        assert!(run.stderr.contains(&named), "{}", run.stderr);
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    }
}
