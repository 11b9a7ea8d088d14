//! `harness feature cancel|block|reopen`, and what depends on it.

use serde_json::json;

use crate::{
    commands::{assert_ok, json as lines},
    support::{Desk, FINISH, session, write},
};

fn desk_of_three() -> Desk {
    let desk = Desk::new();
    for arguments in [
        &["Two", "--depends-on", "F-1"][..],
        &["Three", "--depends-on", "F-2"],
    ] {
        assert_ok(&desk.harness(&[&["feature", "add"], arguments].concat()));
    }
    desk
}

fn status(desk: &Desk, feature: &str) -> String {
    let found = lines(&desk.harness(&["feature", "list", "--json"]));
    let found = found.into_iter().find(|line| line["id"] == feature);
    found.map_or_else(String::new, |line| {
        line["status"].as_str().unwrap_or_default().to_owned()
    })
}

#[test]
fn a_feature_is_cancelled_and_what_depends_on_it_is_named() {
    let desk = desk_of_three();
    let cancelled = desk.harness(&[
        "feature",
        "cancel",
        "F-1",
        "--reason",
        "not wanted\n## forged",
    ]);
    assert_ok(&cancelled);
    assert_eq!(
        cancelled.stdout,
        "feature: F-1 cancelled: not wanted\n## forged\n  F-2 cannot start without it: amend what they depend on, or cancel them too\n"
    );
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert_eq!(
        listed,
        "feature: F-1 cancelled, Give the answer\nfeature: F-2 pending, Two, waits for F-1 (cancelled)\nfeature: F-3 pending, Three, waits for F-2\n"
    );
    let progress = desk.project.read("progress.md");
    assert!(
        progress.contains(" F-1 cancelled\n\n- Reason: not wanted ## forged\n"),
        "{progress}"
    );
    assert_eq!(
        desk.harness(&["feature", "cancel", "F-1", "--reason", "x"])
            .code,
        2
    );
    let told = &lines(&desk.harness(&["feature", "cancel", "F-2", "--reason", "x", "--json"]))[0];
    assert_eq!(
        (
            &told["type"],
            &told["from"],
            &told["to"],
            &told["dependants"]
        ),
        (
            &"feature_cancelled".into(),
            &"pending".into(),
            &"cancelled".into(),
            &json!(["F-3"])
        )
    );
}

#[test]
fn a_blocked_feature_keeps_what_depends_on_it_waiting() {
    let desk = desk_of_three();
    let model = desk.script(&session("F-", &[&write("src/answer", "42\n"), FINISH]));
    let blocked = desk.harness(&["feature", "block", "F-1", "--reason", "the server is down"]);
    assert_ok(&blocked);
    assert_eq!(blocked.stdout, "feature: F-1 blocked: the server is down\n");
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert!(
        listed.contains("F-2 pending, Two, waits for F-1 (blocked)\n"),
        "{listed}"
    );
    let shown = desk.harness(&["feature", "show", "F-1"]).stdout;
    assert!(shown.contains("  reason: the server is down\n"), "{shown}");
    let run = desk.harness(&["run", "--model", &model]);
    assert_ne!(run.code, 0, "{}", run.stdout);
    assert_eq!(
        (status(&desk, "F-1").as_str(), status(&desk, "F-2").as_str()),
        ("blocked", "pending")
    );

    let reopened = desk.harness(&["feature", "reopen", "F-1"]);
    assert_eq!(reopened.stdout, "feature: F-1 pending, was blocked\n");
    assert_eq!(status(&desk, "F-1"), "pending");
    assert_eq!(
        desk.harness(&["feature", "reopen", "F-1"]).code,
        2,
        "there is nothing to reopen"
    );
}

#[test]
fn a_proven_feature_can_be_reopened_and_its_proof_stays() {
    let desk = Desk::new();
    let model = desk.script(&session("F-1", &[&write("src/answer", "42\n"), FINISH]));
    assert_ok(&desk.harness(&["run", "--model", &model]));
    assert_ok(&desk.harness(&["land"]));
    let evidence = desk.project.read(".harness/evidence/F-1.json");
    let refused = desk.harness(&["feature", "block", "F-1", "--reason", "x"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("hint: harness feature reopen F-1"),
        "{}",
        refused.stderr
    );
    let reopened = desk.harness(&["feature", "reopen", "F-1", "--reason", "too slow"]);
    assert_ok(&reopened);
    assert_eq!(
        reopened.stdout,
        "feature: F-1 pending, was passing: too slow\n  its proof stays where it is and counts no longer\n"
    );
    assert_eq!(desk.project.read(".harness/evidence/F-1.json"), evidence);
    assert!(
        desk.project
            .read("progress.md")
            .contains(" F-1 reopened\n\n- Reason: too slow\n")
    );
    assert_eq!(
        desk.harness(&["verify"]).stdout,
        "note: no feature is passing\n"
    );
    for (to, words) in [
        ("accept", "accepted"),
        ("cancel", "cancelled"),
        ("block", "blocked"),
    ] {
        assert_ok(&desk.harness(&["feature", to, "F-1", "--reason", "x"]));
        assert_eq!(status(&desk, "F-1"), words);
        assert_ok(&desk.harness(&["feature", "reopen", "F-1"]));
        assert_eq!(status(&desk, "F-1"), "pending");
    }
}

#[test]
fn a_reason_is_needed_where_a_person_decides() {
    let desk = Desk::new();
    let before = desk.project.read("feature_list.json");
    for word in ["cancel", "block", "accept"] {
        let run = desk.harness(&["feature", word, "F-1", "--reason", " "]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(
            run.stderr.contains("needs a reason\nhint: --reason TEXT"),
            "{}",
            run.stderr
        );
        assert_eq!(desk.harness(&["feature", word, "F-1"]).code, 2);
    }
    assert_eq!(desk.project.read("feature_list.json"), before);
    assert_eq!(desk.project.read("progress.md"), "");
}
