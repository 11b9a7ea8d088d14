//! `harness land` and `harness status`: proven features on the person's branch.

use serde_json::json;

use super::{assert_ok, busy_desk, busy_run, json, picture};
use crate::support::{CONFIG, Desk, TESTS};

/// A desk with two features, both proven and not landed.
fn two_proven() -> Desk {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("tests/run.sh", TESTS),
        ("src/answer", "0\n"),
        (
            "feature_list.json",
            r#"{ "schema": 1, "features": [
              { "id": "A", "title": "First", "status": "pending", "passes": false },
              { "id": "B", "title": "Second", "depends_on": ["A"], "status": "pending", "passes": false } ] }"#,
        ),
    ]);
    let turns = |name: &str| {
        format!(
            "[[session.turn]]\ncalls = [{{ tool = \"write\", path = \"src/{name}\", content = \"{name}\\n\" }}]\n\
             [[session.turn]]\ncalls = [{{ tool = \"finish\", text = \"{name}\" }}]\n"
        )
    };
    // The second window speaks of the first feature as well.
    let script = format!(
        "[[session]]\nmatch = \"Second\"\n{}[[session]]\n{}",
        turns("second"),
        turns("first")
    );
    let model = desk.script(&script);
    assert_ok(&desk.harness(&["run", "--model", &model]));
    desk
}

#[test]
fn each_feature_lands_as_one_commit_with_its_trailers() {
    let desk = two_proven();
    let tree = picture(&desk.project);
    let run = desk.harness(&["land", "--json"]);
    assert_ok(&run);
    let line = json(&run).remove(0);
    for (key, value) in [
        ("type", json!("landed")),
        ("run", json!("R-0001")),
        ("branch", json!("main")),
        ("head", json!(desk.project.git(&["rev-parse", "main"]))),
        ("commits", json!(2)),
        ("features", json!(["A", "B"])),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    assert_eq!(
        desk.project.git(&["log", "--format=%s", "main"]),
        "B: Second\nA: First\nstart"
    );
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    assert_eq!(picture(&desk.project), tree, "the files were there already");
    let trailers = desk
        .project
        .git(&["log", "-1", "--format=%(trailers:only)", "main"]);
    for name in [
        "Session: S-0002",
        "Feature: B",
        "Gates: ",
        "Evidence: .harness/evidence/B.json",
        "Log: ",
    ] {
        assert!(
            trailers.contains(&format!("Harness-{name}")),
            "no {name} in {trailers}"
        );
    }
    assert_ok(&desk.harness(&["verify"]));
}

#[test]
fn landing_twice_changes_nothing() {
    let desk = two_proven();
    assert_ok(&desk.harness(&["land"]));
    let person = desk.person_side();
    let again = desk.harness(&["land"]);
    assert_ok(&again);
    assert_eq!(
        again.stdout,
        "feature: nothing new in R-0001, A, B landed before\n"
    );
    assert_eq!(desk.person_side(), person);
}

#[test]
fn a_squash_is_one_commit_that_names_all() {
    let desk = two_proven();
    let run = desk.harness(&["land", "R-0001", "--squash"]);
    assert_ok(&run);
    assert!(
        run.stdout.contains("landed A, B on main, 1 commit, HEAD"),
        "{}",
        run.stdout
    );
    assert_eq!(desk.project.git(&["rev-list", "--count", "main"]), "2");
    let message = desk.project.git(&["log", "-1", "--format=%B", "main"]);
    assert!(
        message.contains("First") && message.contains("Second"),
        "{message}"
    );
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    assert_ok(&desk.harness(&["verify"]));
}

#[test]
fn landing_refuses_where_the_person_went_another_way() {
    let desk = two_proven();
    let saved = desk.project.git(&["stash", "create"]);
    desk.project.git(&["stash", "store", &saved]);
    desk.project.git(&["checkout", "--quiet", "."]);
    desk.project.write("src/first", "another first\n");
    desk.project.git(&["add", "src/first"]);
    desk.project
        .git(&["commit", "--quiet", "--message", "my own"]);
    let (person, before) = (desk.person_side(), picture(&desk.project));
    let run = desk.harness(&["land"]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("error: cannot land"), "{}", run.stderr);
    assert!(run.stderr.contains("src/first"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    assert_eq!(
        (desk.person_side(), picture(&desk.project)),
        (person, before)
    );
}

#[test]
fn a_conflict_shows_its_hunks_and_the_way_by_hand_ends_as_landed() {
    let desk = two_proven();
    assert_ok(&desk.harness(&["abort"]));
    desk.project.write("src/first", "mine\n");
    desk.project.commit_all("my own");
    let run = desk.harness(&["land", "R-0001"]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    let range = run.stderr.split("git cherry-pick ").nth(1).unwrap();
    let range = range.split('`').next().unwrap();
    assert!(
        run.stderr
            .contains("src/first:\n  <<<<<<< HEAD\n  mine\n  =======\n  first\n  >>>>>>> "),
        "{}",
        run.stderr
    );
    desk.project
        .git(&["cherry-pick", "--strategy-option", "theirs", range]);
    // What was changed since does not come back.
    desk.project.write("src/first", "settled\n");
    desk.project.commit_all("settled");
    let again = desk.harness(&["land", "R-0001"]);
    assert_ok(&again);
    assert_eq!(
        again.stdout,
        "feature: nothing new in R-0001, A, B landed before\n"
    );
    assert_eq!(desk.project.read("src/first"), "settled\n");
}

#[test]
fn a_squash_and_a_merge_by_hand_count_as_landed() {
    let desk = two_proven();
    assert_ok(&desk.harness(&["land", "--squash"]));
    desk.project.write("src/second", "changed since\n");
    desk.project.commit_all("changed since");
    let again = desk.harness(&["land"]);
    assert_ok(&again);
    assert!(again.stdout.contains("nothing new"), "{}", again.stdout);
    assert_eq!(desk.project.read("src/second"), "changed since\n");

    let desk = two_proven();
    assert_ok(&desk.harness(&["abort"]));
    desk.project
        .git(&["commit", "--quiet", "--allow-empty", "--message", "mine"]);
    desk.project
        .git(&["merge", "--quiet", "--no-edit", "harness/R-0001"]);
    let again = desk.harness(&["land", "R-0001"]);
    assert_ok(&again);
    assert!(again.stdout.contains("nothing new"), "{}", again.stdout);
}

#[test]
fn states_that_cannot_take_a_run_are_told_with_the_way_out() {
    let desk = two_proven();
    let person = desk.person_side();
    let tip = desk.project.git(&["rev-parse", "harness/R-0001"]);
    let git = |arguments: &[&str]| desk.project.git(arguments);
    let refuse = |what: &str, hint: &str| {
        let run = desk.harness(&["land"]);
        assert_eq!(run.code, 5, "{what}: {}\n{}", run.stdout, run.stderr);
        assert!(
            run.stderr.contains(what) && run.stderr.contains(hint),
            "{}",
            run.stderr
        );
    };
    git(&["symbolic-ref", "HEAD", "refs/heads/fresh"]);
    refuse("has no commit", "git switch");
    git(&["symbolic-ref", "HEAD", "refs/heads/harness/R-0001"]);
    refuse("the branch of the run itself", "git switch");
    git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    git(&["update-ref", "CHERRY_PICK_HEAD", "HEAD"]);
    refuse("a cherry-pick is under way", "git status");
    git(&["update-ref", "-d", "CHERRY_PICK_HEAD"]);
    git(&["update-ref", "-d", "refs/heads/harness/R-0001"]);
    refuse("is gone", &format!("git branch harness/R-0001 {tip}"));
    git(&["branch", "harness/R-0001", &tip]);
    git(&["worktree", "add", "--quiet", "--force", "../other", "main"]);
    refuse("is checked out in", "git switch");
    git(&["worktree", "remove", "--force", "../other"]);
    let root = desk.project.root();
    let run = desk
        .home
        .run_with(&root, &["land"], "GIT_INDEX_FILE", "/nowhere");
    assert_eq!(run.code, 5, "{}", run.stdout);
    let run = desk.home.run_with(&root, &["land"], "GIT_DIR", "/nowhere");
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.stderr.contains("unset GIT_DIR"), "{}", run.stderr);
    assert_eq!(desk.person_side(), person);
    git(&["checkout", "--quiet", "--detach"]);
    let run = desk.harness(&["land"]);
    assert_ok(&run);
    assert!(run.stdout.contains("git switch -c NAME"), "{}", run.stdout);
    assert_eq!(git(&["rev-parse", "HEAD"]), tip);
}

#[test]
fn landing_keeps_what_is_staged_elsewhere() {
    let desk = two_proven();
    desk.project.write("notes.txt", "mine\n");
    desk.project.git(&["add", "notes.txt"]);
    assert_ok(&desk.harness(&["land"]));
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "A  notes.txt");
}

#[test]
fn status_says_where_all_stands() {
    let desk = busy_desk();
    let lines = json(&desk.harness(&["status", "--json"]));
    assert_eq!(
        (&lines[0]["type"], &lines[0]["trust"]),
        (&json!("repository"), &json!("trusted"))
    );
    assert_eq!(
        (&lines[1]["features"], &lines[1]["passing"]),
        (&json!(1), &json!(0))
    );
    assert!(
        desk.harness(&["status"])
            .stdout
            .contains("note: no run yet")
    );

    busy_run(&desk);
    let lines = json(&desk.harness(&["status", "--json"]));
    assert_eq!(lines[1]["passing"], json!(1));
    for (key, value) in [
        ("type", json!("last_session")),
        ("session", json!("S-0001")),
        ("run", json!("R-0001")),
        ("ended", json!("all_passing")),
        ("branch", json!("harness/R-0001")),
        ("proven", json!(["F-1"])),
    ] {
        assert_eq!(lines[2][key], value, "{key}");
    }
    let plain = desk.harness(&["status"]).stdout;
    assert!(
        plain.contains("harness: repo demo, branch main, trusted, gates test"),
        "{plain}"
    );
    assert!(
        plain.contains("note: branch harness/R-0001 holds F-1"),
        "{plain}"
    );
}
