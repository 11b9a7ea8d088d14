//! A repository, or a work tree that was made for a run, that has another path than when it was worked in.

use std::{fs, path::PathBuf};

use harness_testkit::Run;

use super::assert_ok;
use crate::support::{CONFIG, Desk, FINISH, TESTS, session, write};

const LIST: &str = r#"{ "schema": 1, "features": [
  { "id": "A", "title": "First", "status": "pending", "passes": false } ] }
"#;

const ASK: &str = "{ tool = \"ask\", text = \"this or that?\" }";

fn desk() -> Desk {
    Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", LIST),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

/// The agent asks once, and is done when it has its answer.
fn script(desk: &Desk) -> String {
    let first = write("src/first", "1\n");
    desk.script(
        &[
            session("The person answers: ", &[&first, FINISH]),
            session("First", &[&first, ASK]),
        ]
        .concat(),
    )
}

/// Moves the repository, and returns where it is now.
fn moved(desk: &Desk) -> PathBuf {
    let to = desk.project.root().with_file_name("moved");
    fs::rename(desk.project.root(), &to).unwrap();
    // What is trusted is trusted at its place.
    assert_ok(&desk.home.run(&to, &["trust", "--yes"]));
    to
}

struct There<'a> {
    desk: &'a Desk,
    root: PathBuf,
}

impl There<'_> {
    fn harness(&self, arguments: &[&str]) -> Run {
        self.desk.home.run(&self.root, arguments)
    }

    /// Answers the question, goes on, and lands.
    fn finish(&self, model: &str) {
        let status = self.harness(&["status"]);
        assert_ok(&status);
        assert!(status.stdout.contains("Q-0001"), "{}", status.stdout);
        let list = self.harness(&["answer"]);
        assert!(
            list.stdout.contains("this or that?"),
            "{}\n{}",
            list.stdout,
            list.stderr
        );
        let answered = self.harness(&["answer", "that"]);
        assert_ok(&answered);
        let resumed = self.harness(&["resume", "--last", "--no-input", "--model", model]);
        assert_ok(&resumed);
        let landed = self.harness(&["land"]);
        assert_ok(&landed);
        assert_eq!(
            fs::read_to_string(self.root.join("src/first")).unwrap(),
            "1\n"
        );
        assert_ok(&self.harness(&["verify"]));
    }
}

fn asked(desk: &Desk, flags: &[&str]) -> String {
    let model = script(desk);
    let run = desk.harness(&[&["run", "--no-input", "--model", &model][..], flags].concat());
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    model
}

#[test]
fn questions_of_a_moved_repository_are_found_and_answered() {
    let desk = desk();
    let model = asked(&desk, &[]);
    let root = moved(&desk);
    There { desk: &desk, root }.finish(&model);
}

#[test]
fn a_run_in_a_work_tree_of_its_own_is_found_from_a_moved_repository() {
    let desk = desk();
    let model = asked(&desk, &["--worktree"]);
    let root = moved(&desk);
    There { desk: &desk, root }.finish(&model);
}

#[test]
fn a_work_tree_of_a_run_that_git_moved_is_found() {
    let desk = desk();
    let model = asked(&desk, &["--worktree"]);
    let list = desk.project.git(&["worktree", "list", "--porcelain"]);
    let mut trees = list
        .lines()
        .filter_map(|line| line.strip_prefix("worktree "));
    let made = trees.next_back().unwrap().to_owned();
    let to = desk.project.outside().join("elsewhere");
    desk.project
        .git(&["worktree", "move", &made, to.to_str().unwrap()]);
    let there = There {
        desk: &desk,
        root: desk.project.root(),
    };
    there.finish(&model);
    assert!(!to.exists(), "what landed needs no work tree");
}

#[test]
fn a_run_in_a_work_tree_of_its_own_is_given_up_from_a_moved_repository() {
    let desk = desk();
    asked(&desk, &["--worktree"]);
    let there = There {
        desk: &desk,
        root: moved(&desk),
    };
    assert_ok(&there.harness(&["abort"]));
    let left = fs::read_dir(there.root.join(".git/worktrees"));
    assert_eq!(left.into_iter().flatten().count(), 0);
}
