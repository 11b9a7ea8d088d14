//! `harness feature finish`: what a person did by hand, proven and committed without an agent.

use super::{assert_ok, json, picture};
use crate::support::{CONFIG, Desk, FEATURES, TESTS, session, write};

/// A desk where a person has worked on F-1 and on something else; nobody gave it a model or a key.
fn worked() -> Desk {
    let desk = Desk::new();
    desk.project.write("src/answer", "42\n");
    desk.project.write("src/new/part", "new\n");
    desk.project.write("docs/answer.md", "My own notes.\n");
    desk.project.write("notes.txt", "mine\n");
    desk
}

#[test]
fn what_was_done_by_hand_is_proven_on_a_branch_of_its_own() {
    let desk = worked();
    let before = desk.person_side();
    let run = desk.harness(&[
        "feature",
        "finish",
        "F-1",
        "--summary",
        "By hand, with care.",
    ]);
    assert_ok(&run);
    assert!(
        run.stdout.contains("gate: test green, 2 tests"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("hint: `harness land`"),
        "{}",
        run.stderr
    );
    assert_eq!(desk.person_side(), before);
    let git = |arguments: &[&str]| desk.project.git(arguments);
    let files = git(&["diff", "--name-only", "main", "harness/R-0001"]);
    assert_eq!(
        files.lines().collect::<Vec<_>>(),
        [
            ".harness/evidence/F-1.json",
            "feature_list.json",
            "progress.md",
            "src/answer",
            "src/new/part"
        ]
    );
    let message = git(&["log", "-1", "--format=%B", "harness/R-0001"]);
    for part in [
        "F-1: Give the answer",
        "By hand, with care.",
        "Harness-Session: S-0001",
        "Harness-Gates: test",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(
        desk.project
            .read("progress.md")
            .contains("By hand, with care.")
    );
    // What lies elsewhere is named, kept, and not committed.
    for part in ["docs/answer.md", "notes.txt"] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    assert_eq!(desk.project.read("docs/answer.md"), "My own notes.\n");

    assert_ok(&desk.harness(&["land"]));
    assert_ok(&desk.harness(&["verify", "--rerun"]));
    assert_eq!(
        git(&["status", "--porcelain"]),
        " M docs/answer.md\n?? notes.txt"
    );
}

#[test]
fn landing_at_once_moves_the_branch_and_nothing_else_of_the_person() {
    let desk = worked();
    desk.project.git(&["add", "src/answer"]);
    let run = desk.harness(&["feature", "finish", "F-1", "--land", "--json"]);
    assert_ok(&run);
    let lines = json(&run);
    let last = lines.last().expect("there are lines");
    assert_eq!(last["type"], "landed", "{}", run.stdout);
    let git = |arguments: &[&str]| desk.project.git(arguments);
    assert_eq!(
        git(&["status", "--porcelain"]),
        " M docs/answer.md\n?? notes.txt"
    );
    assert_eq!(git(&["show", "HEAD:src/new/part"]), "new");
    assert!(desk.harness(&["verify"]).stdout.contains("F-1 exact"));
}

#[test]
fn red_gates_print_what_failed_and_change_nothing() {
    let desk = worked();
    desk.project.write("src/answer", "41\n");
    let before = (picture(&desk.project), desk.person_side());
    let run = desk.harness(&["feature", "finish", "F-1"]);
    assert_eq!(run.code, 4, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stdout.contains("not ok 2 - the answer is not 41"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("harness feature finish F-1"),
        "{}",
        run.stderr
    );
    assert_eq!((picture(&desk.project), desk.person_side()), before);
    assert_eq!(desk.project.git(&["branch", "--list", "harness/*"]), "");
    // It is judged once: nobody is there to try again.
    assert_eq!(
        run.stdout.matches("gate: test failed").count(),
        1,
        "{}",
        run.stdout
    );
    // There is no agent that could go on.
    let resumed = desk.harness(&["resume", "--last", "--plain"]);
    assert_eq!(resumed.code, 2, "{}", resumed.stderr);
    assert!(
        resumed.stderr.contains("feature finish F-1"),
        "{}",
        resumed.stderr
    );
    desk.project.write("src/answer", "42\n");
    assert_ok(&desk.harness(&["feature", "finish", "F-1"]));
}

#[test]
fn a_weakened_test_is_a_finding_here_too() {
    let list = FEATURES.replace(
        "\"status\"",
        "\"may_change\": [\"tests/run.sh\"], \"status\"",
    );
    let checks =
        "def test_one():\n    assert 1 + 1 == 2\n\n\ndef test_two():\n    assert 2 + 2 == 4\n";
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", &list),
        ("src/answer", "0\n"),
        ("tests/test_sums.py", checks),
        ("tests/run.sh", TESTS),
    ]);
    desk.project.write("src/answer", "42\n");
    desk.project
        .write("tests/test_sums.py", checks.split("\n\n\n").next().unwrap());
    let run = desk.harness(&["feature", "finish", "F-1"]);
    assert_eq!(run.code, 4, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("tests/test_sums.py"), "{}", run.stdout);
    assert!(run.stderr.contains("--approve"), "{}", run.stderr);
    assert_eq!(desk.project.git(&["branch", "--list", "harness/*"]), "");
}

#[test]
fn nothing_in_the_scope_is_nothing_to_prove() {
    let desk = Desk::new();
    let run = desk.harness(&["feature", "finish", "F-1"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert!(
        run.stderr
            .contains("nothing is changed where `F-1` may write"),
        "{}",
        run.stderr
    );
    desk.project.write("docs/answer.md", "Elsewhere.\n");
    let run = desk.harness(&["feature", "finish", "F-1"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert!(run.stderr.contains("docs/answer.md"), "{}", run.stderr);
}

#[test]
fn nothing_is_run_for_a_feature_that_cannot_be_proven_or_a_repository_nobody_trusts() {
    let desk = worked();
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let run = desk.harness(&[&["feature", "finish"], arguments].concat());
        assert_eq!(run.code, code, "{}", run.stderr);
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert!(!run.stdout.contains("gate:"), "{}", run.stdout);
    };
    refused(&["F-9"], 2, "there is no feature `F-9`");
    desk.project.write("tests/run.sh", "echo 1..1; echo ok 1\n");
    refused(&["F-1"], 5, "harness trust --yes");
    assert_eq!(desk.project.git(&["branch", "--list", "harness/*"]), "");
}

#[test]
fn what_another_run_has_proven_is_not_taken_for_the_persons_own() {
    let list = FEATURES.replace(
        "\n] }",
        ",\n  { \"id\": \"F-2\", \"title\": \"Give the question\", \"status\": \"pending\", \"passes\": false }\n] }",
    );
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", &list),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let finish = "{ tool = \"finish\", text = \"Done.\" }";
    let model = desk.script(&session("F-1", &[&write("src/answer", "42\n"), finish]));
    assert_ok(&desk.harness(&["run", "F-1", "--model", &model]));
    desk.project.write("src/question", "what?\n");
    let run = desk.harness(&["feature", "finish", "F-2"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(
        run.stderr.contains("`F-1` is proven on harness/R-0001"),
        "{}",
        run.stderr
    );
    assert_ok(&desk.harness(&["land"]));
    assert_ok(&desk.harness(&["feature", "finish", "F-2", "--land"]));
    let files = desk
        .project
        .git(&["show", "--name-only", "--format=", "HEAD"]);
    assert!(!files.contains("src/answer"), "{files}");
}

#[test]
fn a_file_beside_the_scope_in_the_same_folder_is_left_out_whatever_its_line_ends() {
    let list = FEATURES.replace(
        "\"status\"",
        "\"scope\": { \"write\": [\"src/answer\"] }, \"status\"",
    );
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        (".gitattributes", "* text=auto\n"),
        ("feature_list.json", &list),
        ("src/answer", "0\n"),
        ("src/beside", "one\n"),
        ("tests/run.sh", TESTS),
    ]);
    desk.project.write("src/answer", "42\r\n");
    desk.project.write("src/beside", "one\r\ntwo\r\n");
    desk.project.write("src/untracked", "three\r\n");
    let run = desk.harness(&["feature", "finish", "F-1", "--land"]);
    assert_ok(&run);
    let files = desk
        .project
        .git(&["show", "--name-only", "--format=", "HEAD"]);
    assert!(files.contains("src/answer"), "{files}");
    assert!(
        !files.contains("src/beside") && !files.contains("untracked"),
        "{files}"
    );
    for part in ["src/beside", "src/untracked"] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    assert_eq!(desk.project.read("src/beside"), "one\r\ntwo\r\n");
}

#[test]
fn what_stands_there_already_is_proven_by_a_command_of_its_own() {
    let list = FEATURES.replace(
        "\"status\"",
        "\"verify\": [[\"grep\", \"-q\", \"42\", \"src/answer\"]], \"status\"",
    );
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", &list),
        ("src/answer", "42\n"),
        ("tests/run.sh", TESTS),
    ]);
    let run = desk.harness(&["feature", "finish", "F-1", "--land"]);
    assert_ok(&run);
    assert!(
        run.stdout.contains("gate: verify-1 green"),
        "{}",
        run.stdout
    );
    assert!(desk.harness(&["verify"]).stdout.contains("F-1 exact"));
}

#[test]
fn what_somebody_typed_counts_as_not_passing_here_too() {
    let typed = FEATURES.replace(
        "\n] }",
        ",\n  { \"id\": \"F-2\", \"title\": \"Typed\", \"status\": \"passing\", \"passes\": true }\n] }",
    );
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", &typed),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    desk.project.write("src/answer", "42\n");
    let run = desk.harness(&["feature", "finish", "F-1"]);
    assert_ok(&run);
    assert!(
        run.stdout.contains("1 of 2 features passing"),
        "{}",
        run.stdout
    );
    let claim = "F-2 says it passes and has no proof: it counts as not passing";
    assert!(run.stderr.contains(claim), "{}", run.stderr);
}
