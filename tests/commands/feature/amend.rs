//! `harness feature amend`, and what the ledger of intent says of changes by hand.

use serde_json::json;

use crate::{
    commands::{assert_ok, json as lines},
    support::{Desk, FEATURES, FINISH, write},
};

fn script() -> String {
    format!(
        "[[session]]\n[[session.turn]]\ncalls = [{}]\n[[session.turn]]\ncalls = [{FINISH}]\n",
        write("src/answer", "42\n")
    )
}

#[test]
fn each_field_is_amended_and_told_old_and_new() {
    let desk = Desk::new();
    assert_ok(&desk.harness(&[
        "feature",
        "add",
        "Two",
        "--step",
        "begin",
        "--deny",
        "src/x/**",
        "--attempts",
        "2",
        "--usd",
        "1.5",
        "--minutes",
        "9",
    ]));
    let amended = desk.harness(&[
        "feature",
        "amend",
        "F-2",
        "--title",
        "Second",
        "--description",
        "all of it",
        "--category",
        "ui",
        "--acceptance",
        "it opens",
        "--add-acceptance",
        "it closes",
        "--step",
        "end",
        "--write",
        "src/**",
        "--deny",
        "",
        "--may-change",
        "Cargo.toml",
        "--gate",
        "test",
        "--verify",
        "sh tests/run.sh",
        "--depends-on",
        "F-1",
        "--attempts",
        "5",
        "--usd",
        "0",
        "--minutes",
        "30",
    ]);
    assert_ok(&amended);
    assert_eq!(
        amended.stdout,
        "feature: F-2 pending, amended\n  category\n    was: \"functional\"\n    now: \"ui\"\n  title\n    was: \"Two\"\n    now: \"Second\"\n  description\n    was: nothing\n    now: \"all of it\"\n  steps\n    was: [\"begin\"]\n    now: [\"end\"]\n  acceptance\n    was: nothing\n    now: [\"it opens\",\"it closes\"]\n  depends_on\n    was: nothing\n    now: [\"F-1\"]\n  scope.write\n    was: nothing\n    now: [\"src/**\"]\n  scope.deny\n    was: [\"src/x/**\"]\n    now: nothing\n  may_change\n    was: nothing\n    now: [\"Cargo.toml\"]\n  gates\n    was: nothing\n    now: [\"test\"]\n  verify\n    was: nothing\n    now: [[\"sh\",\"tests/run.sh\"]]\n  budget.attempts\n    was: 2\n    now: 5\n  budget.minutes\n    was: 9\n    now: 30\n  budget.usd\n    was: 1.5\n    now: nothing\n"
    );
    let again =
        &lines(&desk.harness(&["feature", "amend", "F-2", "--title", "Second", "--json"]))[0];
    assert_eq!(
        (&again["type"], &again["changes"]),
        (&"feature_amended".into(), &json!([]))
    );
    let told = &lines(&desk.harness(&["feature", "amend", "F-2", "--title", "Third", "--json"]))[0];
    assert_eq!(
        told["changes"],
        json!([{ "field": "title", "old": "Second", "new": "Third" }])
    );
    let shown = desk.harness(&["feature", "show", "F-2"]).stdout;
    assert!(
        shown.contains("  limits: 5 attempts, 30 minutes\n"),
        "{shown}"
    );
}

#[test]
fn an_amendment_that_cannot_hold_changes_nothing() {
    let desk = Desk::new();
    assert_ok(&desk.harness(&["feature", "add", "Two", "--depends-on", "F-1"]));
    let before = desk.project.read("feature_list.json");
    for (arguments, code, word) in [
        (
            &["F-1", "--depends-on", "F-2"][..],
            2,
            "features depend on each other: `F-1` -> `F-2` -> `F-1`",
        ),
        (
            &["F-1", "--depends-on", "F-9"],
            2,
            "`F-9`, which is not in the list",
        ),
        (&["F-1", "--title", " "], 2, "needs a title"),
        (&["F-1", "--gate", "nope"], 2, "there is no gate `nope`"),
        (&["F-1", "--usd", "-1"], 2, "-1"),
        (&["F-9", "--title", "x"], 2, "there is no feature `F-9`"),
        (&["--title", "x"], 2, "required"),
        (
            &["F-1", "--as-is", "--title", "x"],
            2,
            "cannot be used with",
        ),
        (&["F-1", "--as-is", "--step", "x"], 2, "cannot be used with"),
    ] {
        let run = desk.harness(&[&["feature", "amend"], arguments].concat());
        assert_eq!(run.code, code, "{arguments:?} {}", run.stderr);
        assert!(run.stderr.contains(word), "{arguments:?} {}", run.stderr);
    }
    assert_eq!(desk.project.read("feature_list.json"), before);
}

#[test]
fn a_passing_feature_that_is_amended_is_open_again() {
    let desk = Desk::new();
    let model = desk.script(&script());
    assert_ok(&desk.harness(&["run", "--model", &model]));
    assert_ok(&desk.harness(&["land"]));
    assert_ok(&desk.harness(&["verify"]));
    let amended = desk.harness(&[
        "feature",
        "amend",
        "F-1",
        "--description",
        "src/answer must say 42, and why",
    ]);
    assert_ok(&amended);
    assert!(
        amended
            .stdout
            .starts_with("feature: F-1 pending, amended\n"),
        "{}",
        amended.stdout
    );
    assert!(
        amended
            .stderr
            .contains("F-1 was passing: its proof is of what it was before"),
        "{}",
        amended.stderr
    );
    let line = &lines(&desk.harness(&["feature", "list", "--json"]))[0];
    assert_eq!(
        (&line["status"], &line["claimed"]),
        (&"pending".into(), &false.into())
    );
    assert!(
        desk.project
            .read(".harness/evidence/F-1.json")
            .contains("F-1"),
        "the record stays"
    );
    desk.project.commit_all("why");
    let model = desk.script(&script().replace("src/answer", "src/why"));
    let run = desk.harness(&["run", "--model", &model]);
    assert_ok(&run);
    assert!(run.stdout.contains("F-1 passing"), "{}", run.stdout);
}

#[test]
fn what_a_person_types_is_trusted_and_nothing_else() {
    let desk = Desk::new();
    let model = desk.script(&script());
    assert_ok(&desk.harness(&["feature", "amend", "F-1", "--verify", "sh tests/run.sh"]));
    let trusted = desk.harness(&["trust", "--show"]).stdout;
    assert!(
        trusted.contains("verify of F-1") && trusted.contains("You trust exactly this"),
        "{trusted}"
    );
    let list = desk.project.read("feature_list.json");
    desk.project.write(
        "feature_list.json",
        &list.replace("tests/run.sh", "tests/other.sh"),
    );
    let amended = desk.harness(&["feature", "amend", "F-1", "--as-is"]);
    assert_ok(&amended);
    let run = desk.harness(&["run", "--model", &model]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(
        run.stderr.contains("has changed since you trusted it"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_list_is_adopted_once_and_a_change_by_hand_stops_a_run_until_a_person_says_which_holds() {
    let desk = Desk::new();
    let model = desk.script(&script());
    let run = ["run", "--model", model.as_str()];
    assert_ok(&desk.harness(&["feature", "add", "Two", "--depends-on", "F-1"]));
    let good = desk.project.read("feature_list.json");
    let changed = good.replace("must say 42", "must say 43");
    desk.project.write("feature_list.json", &changed);

    let refused = desk.harness(&run);
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (5, ""),
        "{}",
        refused.stderr
    );
    assert_eq!(
        refused.stderr,
        "error: what is wished for was changed by hand in `feature_list.json`:\nF-1 says something else\n  description\n    was: \"src/answer must say 42\"\n    now: \"src/answer must say 43\"\nhint: `harness feature amend F-1 --as-is` takes what the file says now, or put the old text back\n"
    );
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert!(
        listed.contains("F-1 pending, Give the answer, changed by hand\n"),
        "{listed}"
    );
    let status = desk.harness(&["status"]).stdout;
    assert!(status.contains("changed by hand: F-1;"), "{status}");
    let shown = desk.harness(&["feature", "show", "F-1"]).stdout;
    assert!(shown.contains("must say 43\""), "{shown}");
    let typed = desk.harness(&["feature", "amend", "F-1", "--title", "x"]);
    assert_eq!(
        typed.code, 5,
        "what was changed by hand is not taken along unseen"
    );
    assert_eq!(desk.project.read("feature_list.json"), changed);

    desk.project.write("feature_list.json", &good);
    let refused = desk.harness(&["feature", "amend", "F-1", "--as-is"]);
    assert_eq!(refused.stdout, "note: `F-1` was not changed by hand\n");
    desk.project.write("feature_list.json", &changed);
    let taken = desk.harness(&["feature", "amend", "--as-is"]);
    assert_ok(&taken);
    assert!(
        taken
            .stdout
            .starts_with("feature: F-1 pending, amended\n  description\n"),
        "{}",
        taken.stdout
    );
    desk.project.commit_all("as I want it");
    assert_ok(&desk.harness(&["run", "F-1", "--model", &model]));
}

#[test]
fn a_feature_taken_out_by_hand_is_missed_and_may_stay_out() {
    let desk = Desk::new();
    let model = desk.script(&script());
    assert_ok(&desk.harness(&["feature", "add", "Two"]));
    desk.project.write("feature_list.json", FEATURES);
    let refused = desk.harness(&["run", "--model", &model]);
    assert_eq!(refused.code, 5);
    assert!(
        refused.stderr.contains("F-2 is gone from the list\n"),
        "{}",
        refused.stderr
    );
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert!(
        listed.contains("note: F-2 is gone from the list"),
        "{listed}"
    );
    let taken = desk.harness(&["feature", "amend", "F-2", "--as-is"]);
    assert_ok(&taken);
    assert_eq!(
        taken.stdout,
        "feature: F-2 is gone from the list, and stays so\n"
    );
    assert_ok(&desk.harness(&["run", "--model", &model]));
}

#[test]
fn priority_and_what_is_beside_the_intent_are_everybodys() {
    let desk = Desk::new();
    let model = desk.script(&script());
    assert_ok(&desk.harness(&["feature", "add", "Two", "--depends-on", "F-1"]));
    let list = desk.project.read("feature_list.json");
    let list = list.replace(
        "\"title\": \"Give",
        "\"priority\": 7, \"owner\": [ \"me\" ], \"title\": \"Give",
    );
    desk.project.write("feature_list.json", &list);
    let run = desk.harness(&["run", "F-1", "--model", &model]);
    assert_ok(&run);
    assert!(!run.stderr.contains("by hand"), "{}", run.stderr);
}

#[test]
fn a_run_says_in_one_line_what_it_adopts_and_a_fresh_clone_adopts_anew() {
    let desk = Desk::new();
    let model = desk.script(&script());
    let run = desk.harness(&["run", "--model", &model]);
    assert_ok(&run);
    let line =
        "F-1 is taken as it stands: from now on the wording changes by `harness feature amend`";
    assert_eq!(run.stderr.matches(line).count(), 1, "{}", run.stderr);
    assert_ok(&desk.harness(&["land"]));
    let ledger = desk.project.root().join(".git/harness/intent.jsonl");
    let text = std::fs::read_to_string(&ledger).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    std::fs::remove_file(&ledger).unwrap();
    let again = desk.harness(&["feature", "add", "More"]);
    assert!(
        again.stderr.contains("note: F-1 is taken as it stands"),
        "{}",
        again.stderr
    );
    assert_ok(&desk.harness(&["verify"]));
}

#[test]
fn a_broken_ledger_is_named_with_the_way_out() {
    let desk = Desk::new();
    assert_ok(&desk.harness(&["feature", "add", "Two"]));
    let ledger = desk.project.root().join(".git/harness/intent.jsonl");
    let good = std::fs::read_to_string(&ledger).unwrap();
    std::fs::write(&ledger, format!("{good}{{\"v\":1,\"entry\":{{\"what\"")).unwrap();
    assert_ok(&desk.harness(&["feature", "list"]));
    std::fs::write(&ledger, format!("nonsense\n{good}")).unwrap();
    for command in [
        &["feature", "list"][..],
        &["status"],
        &["feature", "add", "x"],
        &["run"],
    ] {
        let run = desk.harness(command);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(
            run.stderr.contains("intent.jsonl`: line 1 is not a record"),
            "{}",
            run.stderr
        );
        assert!(
            run.stderr.contains("hint: look at it; with `"),
            "{}",
            run.stderr
        );
    }
}
