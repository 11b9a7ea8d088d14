//! Tasks: a wish typed on the command line, kept with the run alone.

use harness_testkit::Server;

use crate::support::{Desk, FINISH, news, session, write};

const WISH: &str = "make the answer right";

#[test]
fn a_task_with_a_change_is_proven_in_its_trailers_and_writes_no_lists() {
    let desk = Desk::new();
    let change = write("src/answer", "42\n");
    let server = Server::scripted(&session(WISH, &[&change, FINISH]));
    desk.use_server(&server, "anthropic");
    let list = desk.project.read("feature_list.json");
    let before = desk.person_side();

    let story = desk.story(&["run", WISH]);
    story.assert_ended("feature_passed", 0);
    assert_eq!(story.first("feature_passed")["feature"], "T-0001");
    assert_eq!(
        story.first("feature_passed")["evidence"],
        serde_json::Value::Null
    );
    assert_eq!(desk.person_side(), before);
    let message = desk
        .project
        .git(&["log", "-1", "--format=%B", "harness/R-0001"]);
    for trailer in [
        "Harness-Session: S-0001",
        "Harness-Feature: T-0001",
        "Harness-Gates: test",
        "Harness-Evidence: gates ",
    ] {
        assert!(message.contains(trailer), "{message}");
    }
    let files = desk
        .project
        .git(&["diff", "--name-only", "main", "harness/R-0001"]);
    assert_eq!(files, "src/answer");
    assert_eq!(desk.project.read("feature_list.json"), list);
    assert!(!desk.project.root().join(".harness").exists());
    assert!(!desk.project.root().join("progress.md").exists());
}

#[test]
fn a_task_that_changes_nothing_is_a_question_with_its_answer() {
    let desk = Desk::new();
    let look = "{ tool = \"doc\", path = \"docs/answer.md\" }";
    let server = Server::scripted(&session("what is the answer", &[look, "The answer is 42."]));
    desk.use_server(&server, "chat");

    let story = desk.story(&["run", "what is the answer?"]);
    story.assert_ended("answered", 0);
    assert!(news(&server.received()[1]).contains("The answer is 42."));
    assert!(story.all("gate_started").is_empty(), "{story}");
    assert_eq!(desk.project.git(&["branch", "--list", "harness/*"]), "");
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_claim_about_a_changed_tree_is_judged_for_a_task_too() {
    let desk = Desk::new();
    let change = write("src/answer", "41\n");
    let mend = write("src/answer", "42\n");
    let turns = [
        change.as_str(),
        "Done.",
        "Yes, done.",
        &mend,
        "Done.",
        "Done.",
    ];
    let server = Server::scripted(&session(WISH, &turns));
    desk.use_server(&server, "chat");

    let story = desk.story(&["run", WISH]);
    story.assert_ended("feature_passed", 0);
    assert_eq!(story.all("finish_refused").len(), 1, "{story}");
}
