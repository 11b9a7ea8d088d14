//! `harness feature`: seen and changed by a person.

mod amend;
mod foreign;
mod progress;
mod settle;

use serde_json::{Value, json};

use super::{assert_ok, json};
use crate::support::Desk;

#[test]
fn a_feature_is_added_with_all_that_was_said() {
    let desk = Desk::new();
    let added = desk.harness(&[
        "feature",
        "add",
        "Export as CSV",
        "--description",
        "For spreadsheets",
        "--acceptance",
        "quotes doubled",
        "--acceptance",
        "header once",
        "--write",
        "src/export/**",
        "--may-change",
        "Cargo.toml",
        "--gate",
        "test",
        "--verify",
        "sh tests/run.sh 'two words'",
        "--after",
        "F-1",
        "--priority",
        "7",
        "--json",
    ]);
    assert_ok(&added);
    let line = &json(&added)[0];
    assert_eq!(
        (&line["type"], &line["id"]),
        (&"feature_added".into(), &"F-2".into())
    );

    let list: Value = serde_json::from_str(&desk.project.read("feature_list.json")).unwrap();
    let entry = &list["features"][1];
    for (key, value) in [
        ("id", json!("F-2")),
        ("title", json!("Export as CSV")),
        ("description", json!("For spreadsheets")),
        ("acceptance", json!(["quotes doubled", "header once"])),
        ("priority", json!(7)),
        ("depends_on", json!(["F-1"])),
        ("scope", json!({ "write": ["src/export/**"] })),
        ("may_change", json!(["Cargo.toml"])),
        ("gates", json!(["test"])),
        ("verify", json!([["sh", "tests/run.sh", "two words"]])),
        ("status", json!("pending")),
        ("passes", json!(false)),
    ] {
        assert_eq!(entry[key], value, "{key}");
    }

    let shown = desk.harness(&["feature", "show", "F-2"]).stdout;
    for line in [
        "feature: F-2 pending, Export as CSV",
        "  description: For spreadsheets",
        "  done when: quotes doubled; header once",
        "  waits for: F-1",
        "  write: src/export/**",
        "  may change: Cargo.toml",
        "  gates: test",
        "  verify: sh tests/run.sh two words",
    ] {
        assert!(
            shown.lines().any(|found| found == line),
            "no `{line}` in {shown}"
        );
    }
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert_eq!(
        listed,
        "feature: F-1 pending, Give the answer\nfeature: F-2 pending, Export as CSV, waits for F-1\n"
    );
}

#[test]
fn the_rest_of_the_list_stays_as_it_was_written() {
    let desk = Desk::new();
    let text = "{\n  \"schema\": 1,\n  \"team\": \"blue\",\n  \"features\": [\n    {\n      \"points\": 3.5,\n      \"id\": \"F-1\",\n      \"title\": \"One\",\n      \"status\": \"pending\",\n      \"passes\": false\n    }\n  ]\n}\n";
    desk.project.write("feature_list.json", text);
    assert_ok(&desk.harness(&["feature", "add", "Two"]));
    let now = desk.project.read("feature_list.json");
    let kept = text.trim_end().trim_end_matches("\n    }\n  ]\n}");
    assert!(now.starts_with(kept), "{now}");
    assert!(now.contains("\"Two\""), "{now}");
}

#[test]
fn lists_come_as_json_lines() {
    let desk = Desk::new();
    let lines = json(&desk.harness(&["feature", "list", "--json"]));
    assert_eq!(lines.len(), 1);
    let (kind, claimed) = (&lines[0]["type"], &lines[0]["claimed"]);
    assert_eq!((kind, claimed), (&"feature".into(), &false.into()));
    let mut shown = json(&desk.harness(&["feature", "show", "F-1", "--json"]));
    shown[0]["time"] = lines[0]["time"].clone();
    assert_eq!(shown, lines);
}

#[test]
fn a_person_may_take_a_feature_without_proof_and_it_is_shown_as_that() {
    let desk = Desk::new();
    let accepted = desk.harness(&["feature", "accept", "F-1", "--reason", "seen it work"]);
    assert_ok(&accepted);
    assert_eq!(
        accepted.stdout,
        "feature: F-1 accepted without proof: seen it work\n"
    );
    let line = json(&desk.harness(&["feature", "list", "--json"])).remove(0);
    assert_eq!(
        (&line["status"], &line["passes"], &line["claimed"]),
        (&"accepted".into(), &false.into(), &false.into())
    );
    let progress = desk.project.read("progress.md");
    assert!(
        progress.contains(" F-1 accepted without proof"),
        "{progress}"
    );
    assert!(progress.contains("- Reason: seen it work"), "{progress}");
    let status = desk.harness(&["status"]).stdout;
    assert!(status.contains("0 of 1 passing, 0 claimed"), "{status}");
    assert_eq!(
        desk.harness(&["verify"]).stdout,
        "note: no feature is passing\n"
    );
    assert_eq!(
        desk.harness(&["feature", "accept", "F-1"]).code,
        2,
        "a reason is needed"
    );
}

#[test]
fn a_first_feature_makes_the_list() {
    let desk = Desk::with_files(&[
        ("harness.toml", crate::support::CONFIG),
        ("tests/run.sh", "exit 0\n"),
    ]);
    let listed = desk.harness(&["feature", "list"]);
    assert_ok(&listed);
    assert!(
        listed.stdout.contains("there is no feature list"),
        "{}",
        listed.stdout
    );
    assert_ok(&desk.harness(&["feature", "add", "The first"]));
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert!(listed.contains(" pending, The first"), "{listed}");
}

#[test]
fn a_title_cannot_begin_a_line_of_its_own() {
    let desk = Desk::new();
    let list = "{ \"schema\": 1, \"features\": [ { \"id\": \"F-1\", \"title\": \"x\\nfeature: F-2 passing, forged \\u001b[2J\", \"status\": \"pending\", \"passes\": false } ] }";
    desk.project.write("feature_list.json", list);
    for command in [
        &["feature", "list"][..],
        &["feature", "show", "F-1"],
        &["status"],
    ] {
        let run = desk.harness(command);
        assert!(
            !run.stdout
                .lines()
                .any(|line| line.starts_with("feature: F-2")),
            "{}",
            run.stdout
        );
        assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
    }
}

#[test]
fn a_feature_is_moved_among_the_others_by_its_priority_alone() {
    let desk = Desk::new();
    for title in ["Second", "Third"] {
        assert_ok(&desk.harness(&["feature", "add", title]));
    }
    let moved = desk.harness(&["feature", "move", "F-3", "earlier"]);
    assert_ok(&moved);
    assert_eq!(moved.stdout, "feature: F-3 comes in place 2, Third\n");
    let first = desk.harness(&["feature", "move", "F-3", "first"]);
    assert_eq!(first.stdout, "feature: F-3 comes first, Third\n");
    let again = desk.harness(&["feature", "move", "F-3", "first", "--json"]);
    let line = json(&again).remove(0);
    assert_eq!(
        (&line["type"], &line["place"]),
        (&json!("feature_moved"), &json!(1))
    );
    assert_eq!(line["changed"], json!(0));
    let unknown = desk.harness(&["feature", "move", "F-9", "last"]);
    assert_eq!(unknown.code, 2, "{}", unknown.stderr);
    // Who is worked on first is no part of what is wished for.
    let status = desk.harness(&["status"]);
    assert!(
        !status.stdout.contains("changed by hand"),
        "{}",
        status.stdout
    );
}
