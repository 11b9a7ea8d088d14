//! Features: from the list to a proven commit, and what stands in the way of one.

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{CONFIG, Desk, FINISH, TESTS, WIRES, has_answer, news, session, shell, write};

const TWO: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "description": "src/answer must say forty-two", "status": "pending", "passes": false },
  { "id": "F-2", "title": "Give the question", "description": "src/question must end in a mark", "status": "pending", "passes": false }
] }
"#;

fn desk_of_two(config: &str) -> Desk {
    Desk::with_files(&[
        ("harness.toml", config),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", TWO),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

/// The second feature stands first: its window also speaks of the one that passed before it.
fn script_of_two(first: &[&str]) -> String {
    let question = write("src/question", "What is six times seven?\n");
    let second = session("src/question must end", &[&question, FINISH]);
    second + &session("src/answer must say", first)
}

fn wires(check: impl Fn(&str)) {
    for api in WIRES {
        check(api);
    }
}

#[test]
fn a_feature_goes_from_the_list_to_a_proven_commit_and_only_land_moves_the_person() {
    wires(|api| {
        let desk = desk_of_two(CONFIG);
        let early = write("src/answer", "41\n");
        let late = write("src/answer", "42\n");
        let server = Server::scripted(&script_of_two(&[&early, FINISH, &late, FINISH]));
        desk.use_server(&server, api);
        let before = desk.person_side();

        let story = desk.story(&["run"]);
        story.assert_ended("all_passing", 0);
        assert_eq!(story.all("feature_passed").len(), 2, "{story}");
        assert_eq!(
            story.first("finish_refused")["findings"],
            Value::Array(Vec::new())
        );
        assert_eq!(desk.person_side(), before, "{api}");

        // The early finish came back with the failing part, as the result of the call.
        let requests = server.received();
        let refusal = news(&requests[2]);
        assert!(refusal.contains("Not done"), "{refusal}");
        assert!(
            refusal.contains("not ok 2 - the answer is not 41"),
            "{refusal}"
        );
        assert!(
            !refusal.contains("ok 1 - there is an answer\nok"),
            "{refusal}"
        );

        // The second feature began with a window of its own.
        let opening = requests.iter().position(|request| {
            news(request).contains("F-2: Give the question")
                || news(request).contains("src/question must end")
        });
        let opening = &requests[opening.expect("a request about the second feature")];
        assert!(!has_answer(opening), "{}", opening.body);
        assert!(
            !opening.body.to_string().contains("not ok 2"),
            "{}",
            opening.body
        );

        let git = |arguments: &[&str]| desk.project.git(arguments);
        assert_eq!(git(&["rev-list", "--count", "main..harness/R-0001"]), "2");
        let commit = story.first("feature_passed")["commit"]
            .as_str()
            .unwrap()
            .to_owned();
        let message = git(&["log", "-1", "--format=%B", &commit]);
        for trailer in [
            "Harness-Session: S-0001",
            "Harness-Feature: F-1",
            "Harness-Gates: test",
            "Harness-Evidence: .harness/evidence/F-1.json",
            "Harness-Log: ",
        ] {
            assert!(message.contains(trailer), "{message}");
        }
        let committed = git(&["show", "harness/R-0001:feature_list.json"]);
        assert_eq!(
            committed.matches("\"passes\": true").count(),
            2,
            "{committed}"
        );
        assert!(git(&["show", "harness/R-0001:progress.md"]).contains("F-2 passing"));
        // Each commit holds what was proven for it and no more.
        let files = git(&["show", "--name-only", "--format=", &commit]);
        assert!(!files.contains("src/question"), "{files}");

        assert_eq!(desk.harness(&["land"]).code, 0);
        assert_eq!(git(&["status", "--porcelain"]), "");
        assert_eq!(git(&["show", "HEAD:src/answer"]), "42");
        assert_eq!(git(&["rev-list", "--count", "HEAD"]), "3");
        assert_eq!(desk.harness(&["verify"]).code, 0);
        assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    });
}

#[test]
fn stopping_without_finish_is_nudged_once_and_then_counts_as_a_claim() {
    let desk = Desk::new();
    let change = write("src/answer", "41\n");
    let mend = write("src/answer", "42\n");
    let turns = [
        change.as_str(),
        "All tests pass, feature complete.",
        "It is complete.",
        &mend,
        "Done.",
        "Done now.",
    ];
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "anthropic");

    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let requests = server.received();
    assert!(
        news(&requests[2]).contains("call `finish`"),
        "{}",
        news(&requests[2])
    );
    assert!(
        news(&requests[3]).contains("not ok 2"),
        "{}",
        news(&requests[3])
    );
    assert_eq!(story.all("finish_requested").len(), 2, "{story}");
    assert_eq!(story.all("nudged").len(), 2, "{story}");
}

#[test]
fn a_question_nobody_answers_leaves_the_feature_to_a_person_and_the_rest_goes_on() {
    let desk = desk_of_two(CONFIG);
    let half = write("src/answer", "half\n");
    let ask = "{ tool = \"ask\", text = \"Which answer?\" }";
    let server = Server::scripted(&script_of_two(&[&half, ask]));
    desk.use_server(&server, "chat");

    let story = desk.story(&["run"]);
    story.assert_ended("needs_human", 5);
    assert_eq!(story.status_of("F-1"), "needs_human");
    assert_eq!(story.status_of("F-2"), "passing");
    assert!(story.run.stdout.contains("Which answer?"), "{story}");
    // The unproven half is out of the second feature's way, and not lost.
    assert_eq!(story.first("work_set_aside")["files"], 1, "{story}");
    assert_eq!(desk.project.read("src/answer"), "0\n");
    assert_eq!(
        desk.project.git(&["show", "harness/R-0001:src/answer"]),
        "0"
    );
    let list = desk.project.read("feature_list.json");
    assert!(list.contains("\"needs_human\""), "{list}");
    let saved = story.first("checkpoint_created")["commit"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        desk.project.git(&["show", &format!("{saved}:src/answer")]),
        "half"
    );
}

#[test]
fn used_up_attempts_leave_the_feature_to_a_person_and_the_rest_goes_on() {
    let desk = desk_of_two(&format!("{CONFIG}[limits]\nattempts = 2\n"));
    let wrong = write("src/answer", "41\n");
    let server = Server::scripted(&script_of_two(&[&wrong, FINISH, FINISH, FINISH]));
    desk.use_server(&server, "anthropic");

    let story = desk.story(&["run"]);
    story.assert_ended("gates_red", 4);
    assert_eq!(story.all("finish_refused").len(), 2, "{story}");
    assert_eq!(story.status_of("F-1"), "needs_human");
    assert_eq!(story.status_of("F-2"), "passing");
    let list = desk.project.read("feature_list.json");
    assert!(
        list.contains("\"needs_human\"") && list.contains("\"passing\""),
        "{list}"
    );
    assert_eq!(
        desk.project
            .git(&["rev-list", "--count", "main..harness/R-0001"]),
        "1"
    );
}

#[test]
fn a_red_base_stops_a_strict_run_before_anything_is_judged() {
    let desk = desk_of_two(CONFIG);
    desk.project.write("src/answer", "41\n");
    desk.project.commit_all("a red base");
    let look = "{ tool = \"read\", path = \"src/answer\" }";
    // The base is known before the agent says that it has done nothing.
    let script = script_of_two(&[look, FINISH]).replace(
        "calls = [{ tool = \"finish\"",
        "think_ms = 3000\ncalls = [{ tool = \"finish\"",
    );
    let server = Server::scripted(&script);
    desk.use_server(&server, "anthropic");

    let story = desk.story(&["run"]);
    story.assert_ended("blocked", 5);
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(
        detail.contains("gate `test` is red on the base"),
        "{detail}"
    );
    assert!(detail.contains("no-worse"), "{detail}");
    assert!(story.all("gate_started").is_empty(), "{story}");
}

#[test]
fn no_worse_lets_a_known_failure_pass_and_the_evidence_names_it() {
    let config = CONFIG.replace(
        "report = \"tap\"",
        "report = \"tap\"\nbaseline = \"no-worse\"",
    );
    let desk = desk_of_two(&config);
    desk.project.write("src/answer", "41\n");
    desk.project.commit_all("a red base");
    let other = write("src/other", "something else\n");
    let server = Server::scripted(&script_of_two(&[&other, FINISH]));
    desk.use_server(&server, "anthropic");

    let story = desk.story(&["run", "F-1"]);
    story.assert_ended("feature_passed", 0);
    let evidence = desk
        .project
        .git(&["show", "harness/R-0001:.harness/evidence/F-1.json"]);
    let evidence: Value = serde_json::from_str(&evidence).expect("evidence is JSON");
    assert_eq!(
        evidence["known_failures"],
        serde_json::json!(["the answer is not 41"]),
        "{evidence}"
    );

    // What was green at the base must stay so.
    let desk = desk_of_two(&config);
    desk.project.write("src/answer", "41\n");
    desk.project.commit_all("a red base");
    let server = Server::scripted(&script_of_two(&[
        &shell("rm src/answer"),
        FINISH,
        FINISH,
        FINISH,
    ]));
    desk.use_server(&server, "anthropic");
    desk.story(&["run", "F-1"]).assert_ended("gates_red", 4);
}
