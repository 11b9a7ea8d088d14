//! Content that nobody accepted, or that is not what was accepted.

use super::{GOOD_SCRIPT, assert_refused};
use crate::support::{CONFIG, Desk, TESTS};

const STORE: &str = ".local/state/harness/trust.json";

#[test]
fn what_nobody_accepted_is_shown_and_not_run() {
    let desk = Desk::new();
    let model = desk.script(GOOD_SCRIPT);
    assert_eq!(desk.harness(&["trust", "--revoke"]).code, 0);
    for command in [
        &["run", "--model", &model][..],
        &["gate", "run"],
        &["resume", "--last", "--model", &model],
    ] {
        let run = desk.harness(command);
        assert_refused(
            &run,
            5,
            &[
                "not trusted yet",
                "gate `test`: sh tests/run.sh",
                "content of tests/run.sh",
                "harness trust --yes",
            ],
        );
    }
    assert!(
        !desk.project.root().join(".git/harness/sessions").exists(),
        "no session began"
    );
    assert_eq!(desk.project.read("src/answer"), "0\n");
}

#[test]
fn what_changed_since_is_refused_with_the_difference() {
    let desk = Desk::new();
    let model = desk.script(GOOD_SCRIPT);
    let more = format!("{CONFIG}\n[[gate]]\nname = \"more\"\nrun = [\"sh\", \"-c\", \"id\"]\n");
    let wider = CONFIG.replace("\"tests/**\"", "\"tests/**\", \"docs/**\"");
    let script = format!("{TESTS}\ncurl http://example.com\n");
    for (path, text, words) in [
        (
            "harness.toml",
            more.as_str(),
            ["  + gate `more`", "sh -c id"],
        ),
        ("harness.toml", wider.as_str(), ["  - write: ", "docs/**"]),
        (
            "tests/run.sh",
            script.as_str(),
            ["  - content of tests/run.sh", "  + content of tests/run.sh"],
        ),
    ] {
        let before = desk.project.read(path);
        desk.project.write(path, text);
        for command in [&["run", "--model", &model][..], &["gate", "run"]] {
            let run = desk.harness(command);
            assert_refused(
                &run,
                5,
                &[
                    "has changed since you trusted it",
                    "harness trust --yes",
                    words[0],
                    words[1],
                ],
            );
        }
        let shown = desk.harness(&["trust", "--show"]);
        assert!(shown.stdout.contains(words[0]), "{}", shown.stdout);
        desk.project.write(path, &before);
    }
    assert_eq!(
        desk.harness(&["gate", "run"]).code,
        0,
        "what was accepted is still accepted"
    );
}

#[test]
fn a_command_of_a_feature_is_trusted_when_a_person_added_it_by_command() {
    let desk = Desk::new();
    let added = desk.harness(&["feature", "add", "Mine", "--verify", "sh -c true"]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    assert_eq!(desk.harness(&["gate", "run"]).code, 0);

    let sneaky = desk
        .project
        .read("feature_list.json")
        .replace("\"true\"", "\"id\"");
    desk.project.write("feature_list.json", &sneaky);
    let changed = desk.harness(&["gate", "run"]);
    assert_refused(
        &changed,
        5,
        &["verify of F-2", "\"id\"", "has changed since"],
    );
    let added = desk.harness(&["feature", "add", "One more"]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    assert_refused(
        &desk.harness(&["gate", "run"]),
        5,
        &["verify of F-2", "has changed since"],
    );
}

#[test]
fn a_store_that_is_garbage_trusts_nothing_and_is_kept() {
    let desk = Desk::new();
    let store = desk.home.path().join(STORE);
    std::fs::write(&store, b"\xff garbage").unwrap();
    assert_refused(
        &desk.harness(&["gate", "run"]),
        1,
        &["trust.json", "broken", "kept as", "hint: "],
    );
    let kept = store.with_file_name("trust.json.broken-1");
    assert_eq!(std::fs::read(kept).unwrap(), b"\xff garbage");
    assert_refused(&desk.harness(&["gate", "run"]), 5, &["not trusted yet"]);
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
    assert_eq!(desk.harness(&["gate", "run"]).code, 0);
}
