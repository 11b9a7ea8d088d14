//! What a feature breaks that has passed before: noticed at its finish, and later.

use harness_testkit::Server;

use crate::support::{CONFIG, Desk, FINISH, TESTS, news, session, write};

/// F-1 has passed and landed, with a command of its own that says so; F-2 is open.
const LIST: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "description": "it must say forty-two", "verify": [["grep", "-q", "42", "src/answer"]], "status": "pending", "passes": false },
  { "id": "F-2", "title": "Give the question", "description": "it must ask something", "status": "pending", "passes": false },
  { "id": "F-3", "title": "Write notes", "description": "they must be kept", "scope": { "write": ["src/notes"] }, "status": "pending", "passes": false } ] }
"#;

fn desk(config: &str) -> Desk {
    let desk = Desk::with_files(&[
        ("harness.toml", config),
        ("feature_list.json", LIST),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    desk.project.write("src/answer", "42\n");
    let run = desk.harness(&["feature", "finish", "F-1", "--land"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    desk
}

#[test]
fn a_finish_that_breaks_a_passed_feature_is_refused_until_it_is_mended() {
    let desk = desk(CONFIG);
    let (breaks, question, mends) = (
        write("src/answer", "7\n"),
        write("src/question", "what?\n"),
        write("src/answer", "6 * 7 = 42\n"),
    );
    let server = Server::scripted(&session("", &[&breaks, &question, FINISH, &mends, FINISH]));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run", "F-2"]);
    story.assert_ended("feature_passed", 0);
    assert_eq!(story.all("finish_refused").len(), 1, "{story}");
    let refusal = news(&server.received()[3]);
    for part in ["verify-1 of F-1", "breaks what has passed before: F-1"] {
        assert!(refusal.contains(part), "{refusal}");
    }
    assert_eq!(desk.harness(&["land"]).code, 0);
    let run = desk.harness(&["verify", "--rerun"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn a_feature_that_touches_nothing_of_another_does_not_run_its_gates() {
    let desk = desk(CONFIG);
    let model = desk.script(&session("", &[&write("src/notes", "1\n"), FINISH]));
    let run = desk.harness(&["run", "F-3", "--model", &model]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(!run.stdout.contains("verify-1"), "{}", run.stdout);
}

#[test]
fn work_by_hand_that_breaks_a_passed_feature_is_refused_too() {
    let desk = desk(CONFIG);
    desk.project.write("src/answer", "7\n");
    let run = desk.harness(&["feature", "finish", "F-2"]);
    assert_eq!(run.code, 4, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("verify-1 of F-1"), "{}", run.stdout);
}

#[test]
fn what_was_broken_before_is_marked_and_taken_up_next() {
    let desk = desk(CONFIG);
    desk.project.write("src/answer", "7\n");
    desk.project.commit_all("a mistake by hand");
    // F-2 touches the same file and does not mend it.
    let script = session("it must ask", &[&write("src/answer", "8\n"), FINISH])
        + &session("it must say", &[&write("src/answer", "42\n"), FINISH])
        + &session("they must be", &[&write("src/notes", "1\n"), FINISH]);
    let server = Server::scripted(&script);
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let told: Vec<(&str, &str)> = story
        .all("feature_status")
        .iter()
        .filter_map(|line| Some((line["feature"].as_str()?, line["to"].as_str()?)))
        .filter(|(_, to)| ["failing", "passing"].contains(to))
        .collect();
    assert_eq!(
        told,
        [
            ("F-1", "failing"),
            ("F-2", "passing"),
            ("F-1", "passing"),
            ("F-3", "passing")
        ],
        "{story}"
    );
}
