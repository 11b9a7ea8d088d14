//! What a command that was killed had half written is gone after the next one, and nothing of a person's.

use std::{fs, path::Path};

use harness_testkit::Run;

use crate::support::{Desk, FINISH, say, session, write};

const FAILPOINT: &str = "HARNESS_FAILPOINT";
/// A name as the harness gives it, of a process that never held the lock.
const THEIRS: &str = "src/.harness-new-4194305-7";

fn desk(flags: &[&str]) -> Desk {
    let desk = Desk::new();
    let turns = [&write("src/answer", "42\n"), &write("src/deep/more", "1\n")];
    let model = desk.script(&session("F-1", &[turns[0], turns[1], FINISH]));
    let run = desk.harness(&[&["run", "--no-input", "--model", &model][..], flags].concat());
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    desk.project.write(THEIRS, "a person's\n");
    desk
}

/// Lists the files with such names in a folder, at any depth.
fn halves(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && name != ".git" {
            found.extend(halves(&entry.path()));
        } else if name.starts_with(".harness-new-") || name.starts_with(".~harness-") {
            found.push(name);
        }
    }
    found
}

/// Kills a command the `pass`th time it puts a file into its place.
fn killed(desk: &Desk, command: &[&str], point: &str, pass: usize) -> bool {
    let mut program = desk.home.command(&desk.project.root(), command);
    let output = program
        .env(FAILPOINT, format!("{point}:{pass}:abort"))
        .output();
    let run = Run::from(output.unwrap());
    assert!(
        [0, 137].contains(&run.code),
        "{}\n{}",
        run.stdout,
        run.stderr
    );
    run.code == 137
}

/// Kills a command wherever it puts a file into its place, and does it again.
fn check(flags: &[&str], command: &[&str], points: &[&str]) {
    if !cfg!(debug_assertions) {
        say("skipped: a build without debug assertions has no failpoints");
        return;
    }
    let mut deaths = 0;
    for point in points {
        for pass in 1..=3 {
            let desk = desk(flags);
            if !killed(&desk, command, point, pass) {
                break;
            }
            deaths += 1;
            let left = halves(&desk.project.root());
            assert_eq!(left.len(), 2, "{point} {pass}: {left:?}");
            let again = desk.harness(command);
            assert_eq!(again.code, 0, "{}\n{}", again.stdout, again.stderr);
            assert_eq!(
                halves(&desk.project.root()),
                [THEIRS.trim_start_matches("src/")],
                "{point} {pass}"
            );
            assert_eq!(desk.project.read(THEIRS), "a person's\n");
            assert_eq!(desk.harness(&["log", "verify"]).code, 0);
        }
    }
    assert!(deaths > 0, "it was never killed");
}

#[test]
fn an_undo_that_was_killed_leaves_nothing_half_written() {
    check(&[], &["checkpoint", "undo", "0"], &["tree.place"]);
}

#[test]
fn an_abort_that_was_killed_leaves_nothing_half_written() {
    check(&[], &["abort"], &["tree.place", "file.replace"]);
}

#[test]
fn a_landing_that_was_killed_leaves_nothing_half_written() {
    check(&["--worktree"], &["land"], &["tree.place", "file.replace"]);
}

#[test]
fn a_name_like_that_of_a_process_that_held_no_lock_is_a_persons() {
    let desk = Desk::new();
    desk.project.write(THEIRS, "a person's\n");
    let model = desk.script(&session("F-1", &[&write("src/answer", "42\n"), FINISH]));
    let run = desk.harness(&["run", "--no-input", "--model", &model]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert_eq!(desk.harness(&["land"]).code, 0);
    assert_eq!(desk.project.read(THEIRS), "a person's\n");
}
