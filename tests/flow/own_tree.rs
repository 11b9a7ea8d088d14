//! `run --branch current` and `run --worktree`: where a run works, and how its work comes home.

use std::{fs, path::PathBuf};

use crate::support::{CONFIG, Desk, FINISH, TESTS, session, write};

const TWO: &str = r#"{ "schema": 1, "features": [
  { "id": "A", "title": "First", "status": "pending", "passes": false },
  { "id": "B", "title": "Second", "depends_on": ["A"], "status": "pending", "passes": false } ] }"#;

fn desk() -> Desk {
    Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("docs/answer.md", "42\n"),
        (".gitignore", ".env\n"),
        ("feature_list.json", TWO),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

fn script(desk: &Desk) -> String {
    let (first, second) = (write("src/first", "1\n"), write("src/second", "2\n"));
    // The second window speaks of the first feature as well.
    desk.script(
        &[
            session("Second", &[&second, "Almost.", FINISH]),
            session("First", &[&first, FINISH]),
        ]
        .concat(),
    )
}

fn subjects(desk: &Desk) -> String {
    desk.project.git(&["log", "--format=%s", "main"])
}

#[test]
fn each_feature_lands_when_it_is_proven() {
    let desk = desk();
    desk.project.write("docs/answer.md", "mine, staged\n");
    desk.project.git(&["add", "docs"]);
    let model = script(&desk);
    let flags = ["run", "--model", &model, "--branch", "current"];
    let story = desk.story(&[&flags[..], &["--dirty", "base"]].concat());
    story.assert_ended("all_passing", 0);
    assert_eq!(subjects(&desk), "B: Second\nA: First\nstart");
    let heads: Vec<String> = story
        .all("feature_passed")
        .iter()
        .map(|line| line["head"].as_str().unwrap_or("none").to_owned())
        .collect();
    let at = |revision| desk.project.git(&["rev-parse", revision]);
    assert_eq!(heads, [at("main~1"), at("main")]);
    assert_eq!(
        desk.project.git(&["status", "--porcelain"]),
        "M  docs/answer.md"
    );
    assert_eq!(desk.harness(&["verify"]).code, 0);
    let again = desk.harness(&["land"]);
    assert!(
        again.stdout.starts_with("feature: nothing new in R-0001"),
        "{}",
        again.stdout
    );
}

#[test]
fn what_cannot_land_is_said_and_lands_with_the_next() {
    let desk = desk();
    // Another list in the index is in the way of every landing.
    desk.project
        .write("feature_list.json", &TWO.replace("First", "First "));
    desk.project.git(&["add", "feature_list.json"]);
    desk.project.write("feature_list.json", TWO);
    let story = desk.story(&["run", "--model", &script(&desk), "--branch", "current"]);
    story.assert_ended("all_passing", 0);
    for line in story.all("feature_passed") {
        assert!(line["head"].is_null(), "{line}");
        let why = line["not_landed"].as_str().unwrap();
        assert!(
            why.contains("cannot land") && why.contains("feature_list.json"),
            "{why}"
        );
    }
    assert_eq!(subjects(&desk), "start");
    desk.project.git(&["reset", "--quiet", "feature_list.json"]);
    assert_eq!(desk.harness(&["land"]).code, 0);
    assert_eq!(subjects(&desk), "B: Second\nA: First\nstart");
}

#[test]
fn a_run_that_landed_in_part_is_resumed_or_given_up_from_there() {
    for gives_up in [false, true] {
        let desk = desk();
        let model = script(&desk);
        let flags = ["run", "--model", &model, "--branch", "current"];
        let run = desk.harness(&[&flags[..], &["--no-input", "--max-turns", "2"]].concat());
        assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
        assert_eq!(subjects(&desk), "A: First\nstart");
        assert_eq!(desk.project.read("src/second"), "2\n");
        if gives_up {
            let run = desk.harness(&["abort"]);
            assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
            assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
            assert_eq!(subjects(&desk), "A: First\nstart");
        } else {
            let run = desk.harness(&["resume", "--last", "--no-input", "--model", &model]);
            assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
            assert_eq!(subjects(&desk), "B: Second\nA: First\nstart");
            assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
        }
    }
}

#[test]
fn a_head_that_moved_during_the_run_is_not_landed_on() {
    let desk = desk();
    let model = script(&desk);
    let flags = ["run", "--model", &model, "--branch", "current"];
    let run = desk.harness(&[&flags[..], &["--no-input", "--max-turns", "2"]].concat());
    assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
    desk.project
        .git(&["commit", "--quiet", "--allow-empty", "--message", "mine"]);
    let run = desk.harness(&["resume", "--last", "--no-input", "--model", &model]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("HEAD is at"), "{}", run.stderr);
    assert_eq!(subjects(&desk), "mine\nA: First\nstart");
}

/// The folders of the work trees that were made for runs.
fn own_trees(desk: &Desk) -> Vec<PathBuf> {
    let list = desk.project.git(&["worktree", "list", "--porcelain"]);
    let folders = list
        .lines()
        .filter_map(|line| line.strip_prefix("worktree "));
    let folders = folders.map(PathBuf::from).skip(1);
    folders.collect()
}

#[test]
fn a_run_in_a_work_tree_of_its_own_leaves_the_persons_alone_and_lands_there() {
    let desk = desk();
    desk.project.write(".env", "ignored\n");
    desk.project.write("src/mine", "uncommitted\n");
    desk.project.write("docs/answer.md", "staged\n");
    desk.project.git(&["add", "docs"]);
    let before = desk.person_side();
    let story = desk.story(&["run", "--model", &script(&desk), "--worktree"]);
    story.assert_ended("all_passing", 0);
    let made = story.first("worktree_made");
    assert_eq!(made["ignored"][0], ".env", "{made}");
    assert_eq!(made["uncommitted"], 2, "{made}");
    assert_eq!(desk.person_side(), before);
    assert!(!desk.project.root().join("src/first").exists());
    let trees = own_trees(&desk);
    assert_eq!(trees.len(), 1);
    assert!(
        trees[0].starts_with(desk.home.path().join(".local/state/harness/worktrees"))
            && trees[0].ends_with("1/demo"),
        "{trees:?}"
    );
    assert!(trees[0].join("src/first").exists() && !trees[0].join(".env").exists());
    let status = desk.harness(&["status"]);
    assert!(
        status.stdout.contains("of run R-0001") && status.stdout.contains("1/demo`"),
        "{}",
        status.stdout
    );

    let run = desk.harness(&["land"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("is removed"), "{}", run.stdout);
    assert_eq!(subjects(&desk), "B: Second\nA: First\nstart");
    assert_eq!(
        desk.project.git(&["status", "--porcelain"]),
        "M  docs/answer.md\n?? src/mine"
    );
    assert!(!trees[0].exists() && own_trees(&desk).is_empty());
    let leftover = fs::read_dir(desk.project.root().join(".git/worktrees"));
    assert_eq!(leftover.into_iter().flatten().count(), 0);
    assert_eq!(desk.harness(&["verify"]).code, 0);
    assert_eq!(desk.harness(&["status"]).code, 0);
}

#[test]
fn a_work_tree_of_a_run_is_found_again_and_kept_while_something_is_only_there() {
    let desk = desk();
    let model = script(&desk);
    let flags = ["run", "--no-input", "--model", &model, "--worktree"];
    let run = desk.harness(&[&flags[..], &["--max-turns", "2"]].concat());
    assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
    let trees = own_trees(&desk);
    // The second feature is not proven: landing brings the first and keeps the rest.
    let run = desk.harness(&["land"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stdout.contains("stays") && run.stdout.contains("src/second"),
        "{}",
        run.stdout
    );
    assert_eq!(subjects(&desk), "A: First\nstart");
    assert!(trees[0].join("src/second").exists());
    // From here or from there.
    let run = desk.harness(&["resume", "--last", "--no-input", "--model", &model]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let run = desk.home.run(&trees[0], &["land"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert_eq!(subjects(&desk), "B: Second\nA: First\nstart");
    assert!(!trees[0].exists());
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
}

#[test]
fn giving_up_removes_the_work_tree_and_saves_what_was_in_it() {
    let desk = desk();
    let model = script(&desk);
    let flags = ["run", "--no-input", "--model", &model, "--worktree"];
    let run = desk.harness(&[&flags[..], &["--max-turns", "2"]].concat());
    assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
    let trees = own_trees(&desk);
    fs::write(trees[0].join("src/mine"), "by hand\n").unwrap();
    let before = desk.person_side();
    let run = desk.harness(&["abort"]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stdout.contains("src/mine left as it is"),
        "{}",
        run.stdout
    );
    assert!(trees[0].join("src/mine").exists());
    fs::remove_file(trees[0].join("src/mine")).unwrap();
    let run = desk.harness(&["abort"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(!trees[0].exists());
    assert_eq!(desk.person_side(), before);
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    assert!(desk.project.git(&["show", "harness/R-0001:src/first"]) == "1");
}

#[test]
fn a_work_tree_needs_what_the_run_goes_by_in_its_commit() {
    let desk = desk();
    assert_eq!(desk.harness(&["feature", "add", "Third"]).code, 0);
    let model = script(&desk);
    let run = desk.harness(&["run", "--no-input", "--model", &model, "--worktree"]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stderr.contains("feature_list.json") && run.stderr.contains("git commit"),
        "{}",
        run.stderr
    );
    assert!(own_trees(&desk).is_empty());
    // What never began leaves no folder either.
    desk.project.commit_all("third");
    let run = desk.harness(&["run", "--no-input", "--model", "nobody", "--worktree"]);
    assert_eq!(run.code, 2, "{}\n{}", run.stdout, run.stderr);
    assert!(own_trees(&desk).is_empty());
}

#[test]
fn a_question_of_a_run_in_its_own_work_tree_is_answered_from_the_persons() {
    let desk = desk();
    let ask = "{ tool = \"ask\", text = \"commas or dots?\" }";
    let model = desk.script(&session(
        "First",
        &[&write("src/first", "1\n"), ask, FINISH],
    ));
    let flags = ["run", "A", "--worktree", "--model", &model];
    desk.story(&flags).assert_ended("needs_human", 5);
    let listed = desk.harness(&["answer"]);
    assert!(listed.stdout.contains("Q-0001"), "{}", listed.stdout);
    let status = desk.harness(&["status"]).stdout;
    assert!(
        status.contains("waiting for an answer of yours: Q-0001"),
        "{status}"
    );
    let answered = desk.harness(&["answer", "dots"]);
    assert_eq!(answered.code, 0, "{}", answered.stderr);
    assert!(
        answered.stderr.contains("harness resume S-0001")
            && !answered.stderr.contains("harness run"),
        "{}",
        answered.stderr
    );
    let model = desk.script(&session("First", &[FINISH]));
    desk.story(&["resume", "--last", "--model", &model])
        .assert_ended("feature_passed", 0);
}
