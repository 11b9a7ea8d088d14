//! Places where no run can begin.

use std::path::Path;

use harness_testkit::{Home, Project};

use super::{GOOD_SCRIPT, assert_refused};
use crate::support::{Desk, PROGRAM};

/// One of every command that looks at a repository.
const COMMANDS: [&[&str]; 14] = [
    &["run"],
    &["status"],
    &["resume", "--last"],
    &["feature", "list"],
    &["feature", "add", "a title"],
    &["gate", "run"],
    &["verify"],
    &["checkpoint", "list"],
    &["land"],
    &["abort"],
    &["log", "verify"],
    &["scope", "explain", "a"],
    &["trust", "--yes"],
    &["config", "show"],
];

#[test]
fn without_a_repository_every_command_says_so() {
    let home = Home::new(PROGRAM);
    let folder = home.path().join("nowhere");
    std::fs::create_dir(&folder).unwrap();
    for command in COMMANDS.iter().chain(&[&["init", "--yes"][..]]) {
        let run = home.run(&folder, command);
        let place = format!("`{}`", folder.display());
        assert_refused(
            &run,
            2,
            &["cannot find a git repository", &place, "hint: git init"],
        );
    }
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        0,
        "nothing is made there"
    );
}

#[test]
fn a_bare_repository_is_refused() {
    let home = Home::new(PROGRAM);
    let project = Project::with_files(&[("a", "1\n")]);
    project.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let folder = project.outside().join("bare.git");
    for command in COMMANDS.iter().chain(&[&["init", "--yes"][..]]) {
        let run = home.run(&folder, command);
        assert_refused(&run, 2, &["cannot work in", "bare.git", "bare"]);
    }
    assert!(!folder.join("harness").exists());
}

#[test]
fn a_repository_without_commits_is_told_how_to_get_one() {
    let home = Home::new(PROGRAM);
    let project = Project::new();
    let initialised = home.run(&project.root(), &["init", "--yes"]);
    assert_eq!(initialised.code, 0, "{}", initialised.stderr);
    assert_eq!(home.run(&project.root(), &["trust", "--yes"]).code, 0);
    for command in [&["run"][..], &["run", "a task"], &["status"]] {
        let run = home.run(&project.root(), command);
        assert_refused(
            &run,
            2,
            &["there is no commit yet", "hint: git add -A && git commit"],
        );
    }
}

#[test]
fn a_dirty_work_tree_is_refused_and_left_as_it_is() {
    let desk = Desk::new();
    desk.project.write("src/answer", "mine\n");
    desk.project.write("src/new", "mine too\n");
    let model = desk.script(GOOD_SCRIPT);
    let before = desk.person_side();
    for flags in [
        &["run", "--model", &model][..],
        &["run", "--model", &model, "--dirty", "refuse"],
    ] {
        let run = desk.harness(flags);
        assert_refused(
            &run,
            5,
            &[
                "uncommitted changes",
                "src/answer",
                "src/new",
                "--dirty base",
            ],
        );
    }
    assert_eq!(desk.person_side(), before);
    assert_eq!(desk.project.read("src/answer"), "mine\n");
    assert_eq!(
        desk.project.git(&["status", "--porcelain"]),
        " M src/answer\n?? src/new"
    );
}

#[test]
fn dirty_work_taken_as_the_base_stays_on_the_branch_of_the_run() {
    let desk = Desk::new();
    desk.project.write("src/mine", "mine\n");
    let before = desk.person_side();
    let model = desk.script(GOOD_SCRIPT);
    let run = desk.harness(&["run", "--model", &model, "--dirty", "base"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert_eq!(desk.person_side(), before);
    assert_eq!(desk.project.read("src/mine"), "mine\n");
    let log = desk.project.git(&["log", "--format=%s", "harness/R-0001"]);
    assert_eq!(log, "F-1: Give the answer\nwip before R-0001\nstart");
    let landed = desk.harness(&["land"]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    let log = desk.project.git(&["log", "--format=%s", "main"]);
    assert_eq!(
        log, "F-1: Give the answer\nstart",
        "the person's work is not landed for them"
    );
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "?? src/mine");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let home = Home::new(PROGRAM);
    let run = home.run(Path::new("/"), &["status", "-C", "/no/such/folder"]);
    assert_refused(&run, 2, &["/no/such/folder"]);
}

#[test]
fn a_flag_that_is_none_is_a_matter_of_usage() {
    let desk = Desk::new();
    for arguments in [
        &["run", "--no-such-flag"][..],
        &["run", "--max-usd", "much"],
        &["run", "--dirty", "maybe"],
        &["no-such-command"],
        &["feature"],
        &["checkpoint", "undo"],
        &["resume"],
    ] {
        let run = desk.harness(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        super::assert_calm(&run);
    }
}
