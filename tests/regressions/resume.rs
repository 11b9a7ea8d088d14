//! A run goes on only as what it was: same base, same level, from its end.

use std::{fs, path::Path, process::Command};

use super::{one_proven_one_open, stopped};
use crate::support::Desk;

#[test]
fn a_session_goes_on_at_its_own_level_or_not_at_all() {
    let desk = Desk::new();
    let model = stopped(&desk, &["--sandbox", "none"]);
    let resume = |level| {
        let last = ["resume", "--last", "--max-turns", "9", "--model", &model];
        desk.harness(&[&last[..], &["--sandbox", level]].concat())
    };
    let run = resume("external");
    assert_eq!(run.code, 7, "{}", run.stdout);
    for word in ["`none`", "`external`", "--sandbox none"] {
        assert!(run.stderr.contains(word), "{}", run.stderr);
    }
    let run = resume("none");
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let evidence = desk.project.read(".harness/evidence/F-1.json");
    assert!(evidence.contains("\"none\""), "{evidence}");
}

#[test]
fn a_moved_head_is_said_before_anything_is_spent() {
    let desk = Desk::new();
    let model = stopped(&desk, &[]);
    let base = desk.project.git(&["rev-parse", "HEAD"]);
    desk.project
        .git(&["commit", "--quiet", "--allow-empty", "--message", "mine"]);
    let head = desk.project.git(&["rev-parse", "HEAD"]);
    let run = desk.harness(&["resume", "--last", "--model", &model, "--max-turns", "9"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert_eq!(run.stdout, "", "nothing went on");
    for id in [&base[..10], &head[..10]] {
        assert!(run.stderr.contains(id), "{}", run.stderr);
    }
}

#[test]
fn only_the_last_session_of_a_run_goes_on() {
    let desk = Desk::new();
    one_proven_one_open(&desk);
    let run = desk.harness(&["resume", "S-0001"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(
        run.stderr.contains("harness resume S-0002"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_face_knows_the_run_that_goes_on() {
    let desk = Desk::new();
    let model = stopped(&desk, &[]);
    let flags = ["resume", "--last", "--model", &model, "--max-turns", "9"];
    let run = desk.harness(&flags);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let first = run.stdout.lines().next().unwrap();
    assert!(first.contains("session S-0001"), "{first}");
    assert!(
        run.stdout.contains("1 of 1 features passing"),
        "{}",
        run.stdout
    );

    let desk = Desk::new();
    let model = stopped(&desk, &[]);
    let flags = ["resume", "--last", "--model", &model, "--max-turns", "9"];
    let story = desk.story(&flags);
    assert_eq!(story.run.code, 0, "{story}");
    assert!(!story.run.stdout.contains("\"session\":null"), "{story}");
}

#[test]
fn a_repository_that_was_moved_or_copied_keeps_its_runs() {
    let desk = Desk::new();
    let model = stopped(&desk, &[]);
    let goes_on = |folder: &Path| {
        let status = desk.home.run(folder, &["status"]);
        assert!(!status.stdout.contains(", in `"), "{}", status.stdout);
        assert_eq!(desk.home.run(folder, &["trust", "--yes"]).code, 0);
        let flags = ["resume", "--last", "--model", &model, "--max-turns", "9"];
        let run = desk.home.run(folder, &flags);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        let landed = desk.home.run(folder, &["land"]);
        assert_eq!(landed.code, 0, "{}", landed.stderr);
    };
    let root = desk.project.root();
    let (copied, moved) = (root.with_extension("copied"), root.with_extension("moved"));
    let mut copy = Command::new("cp");
    let copy = copy.arg("-a").args([&root, &copied]).status();
    assert!(copy.unwrap().success());
    goes_on(&copied);
    fs::rename(&root, &moved).unwrap();
    goes_on(&moved);
}
