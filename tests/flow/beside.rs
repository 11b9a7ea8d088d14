//! `explore` and the review of a change, over a wire: three conversations with one server.

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{CONFIG, Desk, FEATURES, FINISH, TESTS, session, shell};

/// How the first message of a reviewer begins.
const REVIEW: &str = "# Criteria";
const EXPLORE: &str = "# The agent's question";

fn desk(server: &Server, review: &str) -> Desk {
    let desk = Desk::with_files(&[
        (
            "harness.toml",
            &format!("{CONFIG}\n[gates]\nreview = \"{review}\"\n"),
        ),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    desk.use_server(server, "chat");
    desk
}

fn said(text: &str) -> String {
    format!("[[session.turn]]\ntext = '''{text}'''\n")
}

fn judgement(score: u32) -> String {
    let marks = ["A1", "correctness", "tests", "scope", "security"]
        .map(|id| format!(r#"{{"criterion":"{id}","score":{score},"why":"so"}}"#));
    format!(r#"{{"marks":[{}],"findings":[]}}"#, marks.join(","))
}

fn one(fits: &str, turns: &[String]) -> String {
    format!("[[session]]\nmatch = \"{fits}\"\n{}\n", turns.concat())
}

#[test]
fn a_question_is_explored_and_a_change_reviewed_by_one_server() {
    let ask = "{ tool = \"explore\", text = \"where is the answer?\" }";
    let look =
        "[[session.turn]]\ncalls = [{ tool = \"read\", path = \"src/answer\" }]\n".to_owned();
    let script = [
        one(REVIEW, &[said(&judgement(3))]),
        one(EXPLORE, &[look, said("It stands in src/answer:1.")]),
        session("F-1", &[ask, &shell("echo 42 > src/answer"), FINISH]),
    ]
    .concat();
    let server = Server::scripted(&script);
    let desk = desk(&server, "agent");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(story.first("reviewed")["verdict"], "approved");
    let ended = story.first("beside_ended");
    assert_eq!(ended["text"], "It stands in src/answer:1.", "{ended}");
    let evidence = desk
        .project
        .git(&["show", "harness/R-0001:.harness/evidence/F-1.json"]);
    let evidence: Value = serde_json::from_str(&evidence).unwrap();
    assert_eq!(evidence["review"]["judged"]["verdict"], "approved");
    let shown = desk.harness(&["session", "show"]).stdout;
    assert!(shown.contains("explore: 1 conversation"), "{shown}");
    assert!(shown.contains("reviewer: 1 conversation"), "{shown}");
}

#[test]
fn without_a_judgement_the_run_stops_and_a_persons_word_lets_the_change_pass() {
    let script = [
        one(REVIEW, &[said("LGTM"), said("approve")]),
        session("F-1", &[&shell("echo 42 > src/answer"), FINISH, FINISH]),
    ]
    .concat();
    let server = Server::scripted(&script);
    let desk = desk(&server, "agent");
    let story = desk.story(&["run"]);
    story.assert_ended("needs_human", 5);
    let review = story.first("reviewed");
    assert_eq!(review["verdict"], "failed", "{review}");
    let id = review["id"].as_str().unwrap();
    let story = desk.story(&["resume", "--last", "--approve", id]);
    story.assert_ended("all_passing", 0);
}

#[test]
fn a_review_that_is_demanded_later_makes_what_was_proven_without_a_claim() {
    let script = session("F-1", &[&shell("echo 42 > src/answer"), FINISH]);
    let server = Server::scripted(&script);
    let desk = desk(&server, "none");
    desk.story(&["run"]).assert_ended("all_passing", 0);
    assert_eq!(desk.harness(&["land"]).code, 0);
    assert_eq!(desk.harness(&["verify"]).code, 0);
    for (review, code) in [("agent", 4), ("person", 4), ("none", 0)] {
        let config = format!("{CONFIG}\n[gates]\nreview = \"{review}\"\n");
        desk.project.write("harness.toml", &config);
        desk.project.commit_all(review);
        let run = desk.harness(&["verify", "F-1"]);
        assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
        let words = format!(
            "claimed, it was proven without the review that `[gates] review = \"{review}\"` demands"
        );
        assert_eq!(run.stdout.contains(&words), code == 4, "{}", run.stdout);
        assert_eq!(
            run.stderr.contains("harness feature accept ID"),
            code == 4,
            "{}",
            run.stderr
        );
        let listed = desk.harness(&["feature", "list", "--json"]).stdout;
        let claimed = format!("\"claimed\":{}", code == 4);
        assert!(listed.contains(&claimed), "{listed}");
    }
}
