//! Evidence that is broken, made for something else, or edited: it counts for nothing, and why is said.

use serde_json::{Value, json};

use super::{super::assert_ok, landed};
use crate::support::{CONFIG, Desk, FINISH, TESTS, session, write};

/// A change to evidence by hand.
type Edit<'a> = &'a dyn Fn(&mut Value);

const EVIDENCE: &str = ".harness/evidence/F-1.json";

/// Sees that the evidence of F-1 is a claim everywhere, and says why.
fn claimed(desk: &Desk, text: &str) -> String {
    desk.project.write(EVIDENCE, text);
    let run = desk.harness(&["verify", "F-1"]);
    assert_eq!(run.code, 4, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("F-1 claimed, "), "{}", run.stdout);
    run.stdout
}

/// Does the same with an edited evidence.
fn edited(desk: &Desk, good: &Value, edit: impl Fn(&mut Value)) -> String {
    let mut value = good.clone();
    edit(&mut value);
    assert_ne!(value, *good);
    claimed(desk, &value.to_string())
}

fn good(desk: &Desk) -> Value {
    serde_json::from_str(&desk.project.read(EVIDENCE)).expect("evidence is JSON")
}

#[test]
fn what_cannot_be_read_as_evidence_is_a_claim_with_clear_words() {
    let desk = landed();
    let mut newer = good(&desk);
    newer["schema"] = 7.into();
    let oversized = format!("{{ \"pad\": \"{}\" }}", "x".repeat(5 * 1024 * 1024));
    for (text, words) in [
        ("", "cannot read the evidence"),
        ("{", "cannot read the evidence"),
        ("{}", "missing field"),
        (&oversized, "more than can be read"),
        (
            &newer.to_string(),
            "has schema 7, this version reads schema 1",
        ),
    ] {
        let told = claimed(&desk, text);
        assert!(told.contains(words), "{words}: {told}");
        let listed = desk.harness(&["feature", "list"]).stdout;
        assert!(listed.contains("F-1 claimed"), "{listed}");
    }
    // Nor is a link to it, wherever that leads.
    std::fs::remove_file(desk.project.root().join(EVIDENCE)).unwrap();
    let elsewhere = desk.project.outside().join("elsewhere.json");
    std::fs::write(&elsewhere, good_text(&desk)).unwrap();
    std::os::unix::fs::symlink(&elsewhere, desk.project.root().join(EVIDENCE)).unwrap();
    let run = desk.harness(&["verify"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert!(run.stdout.contains("counts for nothing"), "{}", run.stdout);
}

fn good_text(desk: &Desk) -> String {
    desk.project.git(&["show", &format!("HEAD:{EVIDENCE}")])
}

#[test]
fn evidence_of_another_feature_is_a_claim_also_when_it_is_renamed() {
    let list = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "status": "passing", "passes": true },
  { "id": "F-2", "title": "Give the question", "status": "pending", "passes": false } ] }
"#;
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", list),
        ("src/answer", "42\n"),
        ("tests/run.sh", TESTS),
    ]);
    let question = write("src/question", "what?\n");
    let model = desk.script(&session("", &[&question, FINISH]));
    assert_ok(&desk.harness(&["run", "F-2", "--model", &model]));
    assert_ok(&desk.harness(&["land"]));
    let copied = desk.project.read(".harness/evidence/F-2.json");
    let told = claimed(&desk, &copied);
    assert!(told.contains("its evidence is that of `F-2`"), "{told}");
    let told = claimed(&desk, &copied.replace("\"F-2\"", "\"F-1\""));
    assert!(told.contains("another text"), "{told}");
}

#[test]
fn an_edited_check_is_found_where_the_rest_of_the_file_tells() {
    let desk = landed();
    let good = good(&desk);
    // All of a short output is kept, so that it can be read again.
    assert_eq!(good["checks"][0]["tail_is_all"], true, "{good}");
    let table: [(&str, Edit<'_>); 7] = [
        ("is not green", &|v| v["checks"][0]["status"] = "red".into()),
        ("did not end with 0", &|v| v["checks"][0]["exit"] = 1.into()),
        ("tests failed", &|v| {
            v["checks"][0]["tests"]["failed"] = 1.into();
        }),
        ("does not fit the hash", &|v| {
            v["checks"][0]["tail"] = "1..2\nok 1\nok 2\n".into();
        }),
        ("counts other tests", &|v| {
            v["checks"][0]["tests"]["run"] = 3.into();
        }),
        ("no check of gate `test`", &|v| v["checks"] = json!([])),
        ("another command", &|v| {
            v["checks"][0]["argv"] = json!(["true"]);
        }),
    ];
    for (words, edit) in table {
        let told = edited(&desk, &good, edit);
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_red_check_that_was_edited_to_green_does_not_fit_its_output() {
    let desk = landed();
    let mut value = good(&desk);
    // What a red run would have left, turned green by hand in every place but the output.
    let red = "1..2\nok 1 - there is an answer\nnot ok 2 - the answer is not 41\n";
    desk.project.write("red", red);
    let hash = std::process::Command::new("sha256sum")
        .arg(desk.project.root().join("red"))
        .output()
        .expect("sha256sum is part of coreutils");
    let hash = String::from_utf8_lossy(&hash.stdout)[..64].to_owned();
    let check = &mut value["checks"][0];
    check["tail"] = red.into();
    check["output_sha256"] = hash.into();
    check["tests"] = json!({ "run": 2, "failed": 0, "skipped": 0 });
    let told = claimed(&desk, &value.to_string());
    assert!(told.contains("counts other tests"), "{told}");
}

#[test]
fn the_tree_of_something_else_is_found() {
    let desk = landed();
    let good = good(&desk);
    let git = |arguments: &[&str]| desk.project.git(arguments);
    // HEAD's own tree as the harness names it, after the content has moved on.
    desk.project.write("src/answer", "43\n");
    git(&["commit", "--quiet", "--all", "--message", "another answer"]);
    git(&[
        "rm",
        "--quiet",
        "-r",
        "--cached",
        "harness.toml",
        "AGENTS.md",
        "feature_list.json",
        "progress.md",
        ".harness",
    ]);
    let tree = git(&["write-tree"]);
    git(&["reset", "--quiet"]);
    let told = edited(&desk, &good, |value| {
        value["subject_tree"] = tree.clone().into();
    });
    assert!(told.contains("not that of the tree it names"), "{told}");
    // A tree that is not HEAD's, but that git still has.
    git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let older = git(&["rev-parse", "HEAD~1^{tree}"]);
    let told = edited(&desk, &good, |value| {
        value["subject_tree"] = older.clone().into();
    });
    assert!(told.contains("not that of the tree it names"), "{told}");
}

#[test]
fn a_feature_with_commands_of_its_own_needs_their_checks() {
    let list = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "verify": [["grep", "-q", "42", "src/answer"]], "status": "pending", "passes": false } ] }
"#;
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", list),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let answer = write("src/answer", "42\n");
    let model = desk.script(&session("F-1", &[&answer, FINISH]));
    assert_ok(&desk.harness(&["run", "--model", &model]));
    assert_ok(&desk.harness(&["land"]));
    assert_ok(&desk.harness(&["verify"]));
    let good = good(&desk);
    let told = edited(&desk, &good, |value| {
        value["checks"]
            .as_array_mut()
            .unwrap()
            .retain(|check| check["gate"] == "test");
    });
    assert!(told.contains("no check of gate `verify-1`"), "{told}");
}
