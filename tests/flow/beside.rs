//! `explore` and the review of a change, over a wire: three conversations with one server.

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{CONFIG, Desk, FEATURES, FINISH, Live, TESTS, news, session, shell};

/// How the first message of a reviewer begins.
pub(crate) const REVIEW: &str = "# Criteria";
pub(crate) const EXPLORE: &str = "# The agent's question";

pub(crate) fn desk(server: &Server, review: &str) -> Desk {
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

pub(crate) fn said(text: &str) -> String {
    format!("[[session.turn]]\ntext = '''{text}'''\n")
}

pub(crate) fn judgement(score: u32) -> String {
    let marks = ["A1", "correctness", "tests", "scope", "security"]
        .map(|id| format!(r#"{{"criterion":"{id}","score":{score},"why":"so"}}"#));
    format!(r#"{{"marks":[{}],"findings":[]}}"#, marks.join(","))
}

pub(crate) fn one(fits: &str, turns: &[String]) -> String {
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
fn a_reviewer_reads_what_would_be_committed_whatever_a_person_does_meanwhile() {
    let calls = [
        r#"{ tool = "read", path = "src/answer" }"#,
        r#"{ tool = "list", path = "src" }"#,
        r#"{ tool = "search", query = "person|42", path = "." }"#,
        r#"{ tool = "read", path = "src/gone" }"#,
        r#"{ tool = "read", path = ".env" }"#,
    ];
    let look = format!(
        "[[session.turn]]\nthink_ms = 1500\ncalls = [{}]\n",
        calls.join(", ")
    );
    let script = [
        one(REVIEW, &[look, said(&judgement(3))]),
        session(
            "F-1",
            &[&shell("echo 42 > src/answer; echo new > src/new"), FINISH],
        ),
    ]
    .concat();
    let server = Server::scripted(&script);
    let desk = desk(&server, "agent");
    desk.project.write("src/gone", "still committed\n");
    desk.project.write(".gitignore", ".env\n");
    desk.project.commit_all("more");
    desk.project.write(".env", "KEY=1\n");
    // Somebody whose home is a repository of its own: its ignore file is none of this one's.
    std::fs::write(desk.home.path().join(".gitignore"), "*\n").unwrap();
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("beside_started", 1));
    desk.project.write("src/answer", "the person's\n");
    desk.project.write("src/late", "the person's\n");
    std::fs::remove_file(desk.project.root().join("src/gone")).unwrap();
    let story = live.end();
    story.assert_ended("all_passing", 0);
    let requests = server.received();
    let told = requests
        .iter()
        .map(news)
        .find(|told| told.contains("still committed"))
        .unwrap_or_else(|| panic!("{story}"));
    for part in ["\n42\n", "src/new (4 bytes)", "src/answer:1: 42"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for part in ["person's", "src/late", "KEY=1"] {
        assert!(!told.contains(part), "{part}: {told}");
    }
    // What it judged is what was committed, and the person's work is untouched.
    let reviewed = story.first("reviewed");
    let committed = desk.project.git(&["show", "harness/R-0001:src/answer"]);
    assert_eq!(
        (reviewed["verdict"].as_str(), committed.as_str()),
        (Some("approved"), "42")
    );
    assert_eq!(desk.project.read("src/answer"), "the person's\n");
    assert_eq!(desk.project.read("src/late"), "the person's\n");
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
