//! What was wished for, changed behind the harness: by hand in every field and shape, and by the agent.

use super::{GOOD_SCRIPT, assert_calm, assert_refused};
use crate::support::{CONFIG, Desk, FINISH, Live, TESTS, session, shell, write};

const NATIVE: &str = r#"{ "schema": 1, "features": [
  { "id": "F-0", "title": "First", "status": "pending", "passes": false },
  { "id": "F-1", "category": "functional", "title": "Give it", "description": "all of it", "steps": ["begin"],
    "acceptance": ["opens"], "priority": 3, "depends_on": ["F-0"], "scope": { "write": ["src/**"], "deny": ["src/x"] },
    "may_change": ["Cargo.toml"], "gates": ["test"], "verify": [["sh", "tests/run.sh"]],
    "budget": { "attempts": 3, "usd": 4.0, "minutes": 40 }, "status": "pending", "passes": false }
] }
"#;
const BARE: &str = r#"[
  { "category": "functional", "description": "Give it\nall of it", "steps": ["begin"], "passes": false }
]
"#;
const PRD: &str = r#"{ "project": "x", "userStories": [
  { "id": "F-1", "title": "Give it", "description": "all of it", "acceptanceCriteria": ["opens"], "priority": 3, "passes": false, "notes": "" }
] }
"#;
const PLAN: &str = "# functional\n\n- [ ] F-1: Give it\n  all of it\n  - begin\n";

const SHAPES: [(&str, &str); 4] = [
    ("feature_list.json", NATIVE),
    ("features.json", BARE),
    ("prd.json", PRD),
    ("PLAN.md", PLAN),
];

/// What is replaced by what, and the field that changes by it.
type Edits = &'static [(&'static str, &'static str, &'static str)];

fn desk(file: &str, list: &str) -> Desk {
    let config = format!("{CONFIG}\n[features]\nfile = \"{file}\"\n");
    Desk::with_files(&[
        ("harness.toml", &config),
        (file, list),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

/// Makes a desk whose list the ledger knows, and returns the list.
fn adopted(file: &str, list: &str) -> (Desk, String) {
    let desk = desk(file, list);
    let added = desk.harness(&["feature", "add", "One more"]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    let list = desk.project.read(file);
    (desk, list)
}

#[test]
fn every_field_of_every_shape_is_guarded() {
    let edits: [(&str, Edits); 4] = [
        (
            NATIVE,
            &[
                (
                    "\"functional\", \"title\": \"Give",
                    "\"ui\", \"title\": \"Give",
                    "category",
                ),
                ("Give it", "Give more", "title"),
                ("all of it", "some of it", "description"),
                ("[\"begin\"]", "[\"begin\", \"end\"]", "steps"),
                ("[\"opens\"]", "[]", "acceptance"),
                ("[\"F-0\"]", "[]", "depends_on"),
                ("\"src/**\"", "\"src/**\", \"tests/**\"", "scope.write"),
                ("\"deny\": [\"src/x\"]", "\"deny\": []", "scope.deny"),
                (
                    "\"Cargo.toml\"",
                    "\"Cargo.toml\", \"build.rs\"",
                    "may_change",
                ),
                ("\"gates\": [\"test\"]", "\"gates\": []", "gates"),
                ("\"tests/run.sh\"", "\"-c\", \"true\"", "verify"),
                ("\"attempts\": 3", "\"attempts\": 99", "budget.attempts"),
                ("4.0", "400.0", "budget.usd"),
                ("\"minutes\": 40", "\"minutes\": 4000", "budget.minutes"),
            ],
        ),
        (
            BARE,
            &[
                (
                    "\"category\": \"functional\", \"description\": \"Give",
                    "\"category\": \"ui\", \"description\": \"Give",
                    "category",
                ),
                ("Give it", "Give more", "title"),
                ("all of it", "some of it", "description"),
                ("[\"begin\"]", "[]", "steps"),
            ],
        ),
        (
            PRD,
            &[
                ("Give it", "Give more", "title"),
                ("all of it", "some of it", "description"),
                ("[\"opens\"]", "[]", "acceptance"),
            ],
        ),
        (
            PLAN,
            &[
                ("# functional", "# ui", "category"),
                ("Give it", "Give more", "title"),
                ("all of it", "some of it", "description"),
                ("- begin", "- begin\n  - end", "steps"),
            ],
        ),
    ];
    for ((file, list), (_, edits)) in SHAPES.into_iter().zip(edits) {
        let (desk, good) = adopted(file, list);
        let model = desk.script(GOOD_SCRIPT);
        for (old, new, field) in edits {
            let edited = good.replace(old, new);
            assert_ne!(edited, good, "{file}: {field}");
            desk.project.write(file, &edited);
            let run = desk.harness(&["run", "--model", &model]);
            let field = format!("\n  {field}\n    was: ");
            let id = if list == BARE { "F-001" } else { "F-1" };
            assert_refused(
                &run,
                5,
                &[
                    "changed by hand",
                    &format!("`{file}`"),
                    &format!("\n{id} says something else\n"),
                    &field,
                    "--as-is`",
                ],
            );
            assert_eq!(run.stdout, "", "nothing has begun");
            assert_eq!(desk.project.read(file), edited, "the person's text stays");
        }
        assert_eq!(
            desk.project.git(&["branch", "--list", "harness/*"]),
            "",
            "no run was made"
        );
    }
}

#[test]
fn what_is_no_intent_is_free_to_change() {
    for (file, list) in SHAPES {
        let (desk, good) = adopted(file, list);
        let edited = good
            .replace("\"priority\": 3", "\"priority\": 9")
            .replace("\"notes\": \"\"", "\"notes\": \"mine\", \"extra\": [ 1 ]")
            .replace("\"schema\": 1", "\"owner\": \"me\", \"schema\": 1")
            .replace("# functional\n", "# functional\n\nProse.\n")
            .replace("  { ", "    {   ");
        assert_ne!(edited, good, "{file}");
        desk.project.write(file, &edited);
        let status = desk.harness(&["status", "--json"]);
        assert!(
            status.stdout.contains("\"changed_by_hand\":[]"),
            "{file}: {}",
            status.stdout
        );
    }
}

#[test]
fn a_mark_by_hand_is_a_claim_in_every_shape() {
    for (file, list) in SHAPES {
        let (desk, good) = adopted(file, list);
        let edited = good
            .replace("\"passes\": false", "\"passes\": true")
            .replace("- [ ] F-1", "- [x] F-1");
        assert_ne!(edited, good, "{file}");
        desk.project.write(file, &edited);
        let listed = desk.harness(&["feature", "list"]).stdout;
        let id = if list == BARE { "F-001" } else { "F-1" };
        assert!(
            listed.contains(&format!("{id} claimed")) && !listed.contains("passing"),
            "{listed}"
        );
        assert_eq!(desk.harness(&["verify"]).code, 4, "{file}");
    }
}

#[test]
fn a_merge_that_nobody_has_settled_is_named_with_its_line() {
    for (file, list) in SHAPES {
        let (desk, good) = adopted(file, list);
        let (head, tail) = good.split_at(good.find('\n').unwrap() + 1);
        let broken = format!("{head}<<<<<<< HEAD\n{tail}=======\n{tail}>>>>>>> other\n");
        desk.project.write(file, &broken);
        for command in [
            &["run"][..],
            &["status"],
            &["feature", "list"],
            &["feature", "add", "x"],
            &["feature", "cancel", "F-1", "--reason", "x"],
        ] {
            let words = [
                &format!("cannot read `{file}`"),
                "a merge that nobody has settled, it begins in line 2",
                "hint: mend the file",
            ];
            assert_refused(&desk.harness(command), 2, &words);
        }
        assert_eq!(desk.project.read(file), broken);
    }
}

#[test]
fn an_id_given_twice_is_refused_with_both_places() {
    let twice = [
        (
            "feature_list.json",
            "{ \"features\": [ { \"id\": \"a\", \"title\": \"x\" }, { \"id\": \"b\", \"title\": \"x\" }, { \"id\": \"a\", \"title\": \"x\" } ] }",
        ),
        (
            "features.json",
            "[ { \"id\": \"a\", \"description\": \"x\" }, { \"description\": \"x\" }, { \"id\": \"a\", \"description\": \"x\" } ]",
        ),
        (
            "prd.json",
            "{ \"userStories\": [ { \"id\": \"a\", \"title\": \"x\" }, { \"id\": \"b\", \"title\": \"x\" }, { \"id\": \"a\", \"title\": \"x\" } ] }",
        ),
    ];
    for (file, list) in twice {
        let desk = desk(file, "[]\n");
        desk.project.write(file, list);
        assert_refused(
            &desk.harness(&["feature", "list"]),
            2,
            &["feature `a` is in the list twice, as entries 1 and 3"],
        );
    }
    let desk = desk("PLAN.md", "# x\n");
    desk.project
        .write("PLAN.md", "- [ ] F-1: x\n- [ ] y\n- [x] **F-1** z\n");
    assert_refused(
        &desk.harness(&["feature", "list"]),
        2,
        &["feature `F-1` is in the list twice, as entries 1 and 3"],
    );
}

#[test]
fn the_agent_writes_neither_the_list_nor_the_ledger() {
    for (file, list) in SHAPES {
        let (desk, good) = adopted(file, list);
        desk.project.commit_all("known");
        let ledger = desk.project.root().join(".git/harness/intent.jsonl");
        let before = std::fs::read_to_string(&ledger).unwrap();
        let id = match list {
            NATIVE => "F-0",
            BARE => "F-001",
            _ => "F-1",
        };
        let model = desk.script(&session(
            id,
            &[
                &write(file, "mine"),
                &write(".git/harness/intent.jsonl", "mine"),
                &shell(&format!("echo mine > {file}; echo mine >> .git/harness/intent.jsonl; rm -rf .git/harness; cat .git/harness/intent.jsonl; true")),
                &write("src/answer", "42\n"),
                FINISH,
            ],
        ));
        let story = desk.story(&["run", id, "--model", &model]);
        story.assert_ended("feature_passed", 0);
        let refused = story.all("tool_called");
        let refused = refused
            .iter()
            .filter(|call| call["verdict"] == "deny")
            .count();
        assert_eq!(refused, 2, "{story}");
        let now = std::fs::read_to_string(&ledger).unwrap();
        assert!(now.starts_with(&before) && !now.contains("\nmine"), "{now}");
        let list_now = desk.project.read(file);
        assert!(
            list_now.len() >= good.len() - 1 && !list_now.contains("mine"),
            "{list_now}"
        );
        assert!(
            !story.run.stdout.contains("\\\"sha256\\\""),
            "the agent cannot read the ledger: {story}"
        );
        assert_calm(&story.run);
    }
}

#[test]
fn a_feature_in_work_is_left_alone_by_commands_and_the_others_are_not() {
    let (desk, _) = adopted("features.json", BARE);
    desk.project.commit_all("known");
    let model = desk.script(&session(
        "F-001",
        &[&write("src/answer", "42\n"), &shell("sleep 30"), FINISH],
    ));
    let mut live = Live::start(&desk, &["run", "F-001", "--model", &model]);
    assert!(live.wait_for("tool_called", 2), "the shell runs");
    for command in [
        &["amend", "F-001", "--category", "x"][..],
        &["amend", "F-001", "--as-is"],
        &["cancel", "F-001", "--reason", "x"],
        &["reopen", "F-001"],
    ] {
        let run = desk.harness(&[&["feature"], command].concat());
        assert_refused(
            &run,
            5,
            &[
                "session S-0001 works on `F-001` at this moment",
                "hint: stop it first",
            ],
        );
    }
    let run = desk.harness(&["feature", "block", "F-002", "--reason", "later"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    live.signal("TERM");
    live.end();
    let run = desk.harness(&["feature", "amend", "F-001", "--category", "x"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn a_run_that_was_stopped_goes_on_only_with_the_list_it_knows() {
    let (desk, good) = adopted("features.json", BARE);
    desk.project.commit_all("known");
    let model = desk.script(&session(
        "F-001",
        &[&write("src/answer", "42\n"), &shell("sleep 30"), FINISH],
    ));
    let mut live = Live::start(&desk, &["run", "F-001", "--model", &model]);
    assert!(live.wait_for("tool_called", 2), "the shell runs");
    live.signal("TERM");
    live.end();
    desk.project
        .write("features.json", &good.replace("all of it", "none of it"));
    let run = desk.harness(&["resume", "--last", "--model", &model]);
    assert_refused(&run, 5, &["F-001 says something else", "  description\n"]);
    desk.project.write("features.json", &good);
    let run = desk.harness(&["resume", "--last", "--model", &model]);
    assert!(!run.stderr.contains("by hand"), "{}", run.stderr);
}

#[test]
fn a_word_on_a_status_takes_no_text_along() {
    let (desk, good) = adopted("PLAN.md", PLAN);
    desk.project
        .write("PLAN.md", &good.replace("all of it", "none of it"));
    let run = desk.harness(&["feature", "block", "F-1", "--reason", "x"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert!(
        listed.contains("F-1 blocked, Give it, changed by hand\n"),
        "{listed}"
    );
    assert_refused(&desk.harness(&["run"]), 5, &["F-1 says something else"]);
}

#[test]
fn a_list_that_somebody_brings_beside_a_configuration_is_none() {
    let desk = Desk::with_files(&[("harness.toml", CONFIG), ("tests/run.sh", TESTS)]);
    desk.project.write("prd.json", PRD);
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert!(listed.contains("there is no feature list"), "{listed}");
}
