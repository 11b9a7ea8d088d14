//! How gates run: side by side, after turns, a second time, and added tests on the base.

use std::{fs, os::unix::fs::PermissionsExt as _};

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{CONFIG, Desk, FEATURES, FINISH, TESTS, news, session, shell, write};

const SCOPE: &str = "[scope]\nwrite = [\"src/**\", \"tests/**\"]\nbuild = [\"out\"]\n";

/// Waits until the other one has begun; whoever is alone fails.
const MEETS: &str = r#"#!/bin/sh
[ "$(cat src/answer)" = 42 ] || exit 0
mkdir -p met
: > "met/${0##*/}"
tries=0
while [ "$(ls met | wc -l)" -lt 2 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { echo "${0##*/} is alone"; exit 1; }
    sleep 0.05
done
"#;

/// Fails when another one is at work.
const ALONE: &str = r#"#!/bin/sh
mkdir -p met
mkdir met/lock || { echo "another one is at work"; exit 1; }
sleep 0.2
rmdir met/lock
"#;

/// Reports each file of `tests/cases` as a test.
const CASES: &str = r#"
cd "$(dirname "$0")/.." || exit 2
failed=0
count=0
for case in tests/cases/*; do
    count=$((count + 1))
    if sh "$case"; then echo "ok $count - ${case##*/}"; else echo "not ok $count - ${case##*/}"; failed=1; fi
done
echo "1..$count"
exit $failed
"#;

fn gate(name: &str, run: &[&str], more: &str) -> String {
    format!("[[gate]]\nname = \"{name}\"\nrun = {run:?}\ntimeout = \"1m\"\n{more}\n")
}

/// Makes a project whose `venv/bin` has these programs; their names say what they share.
fn desk_with(config: &str, programs: &[&str], script: &str) -> Desk {
    let paths: Vec<String> = programs
        .iter()
        .map(|name| format!("venv/bin/{name}"))
        .collect();
    let mut files = vec![
        ("harness.toml", config),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
    ];
    files.extend(paths.iter().map(|path| (path.as_str(), script)));
    let desk = Desk::with_files(&files);
    for path in &paths {
        let path = desk.project.root().join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    desk.project.commit_all("programs");
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
    desk
}

fn run_with(desk: &Desk, turns: &[&str]) -> (crate::support::Story, Server) {
    let server = Server::scripted(&session("F-1", turns));
    desk.use_server(&server, "anthropic");
    (desk.story(&["run"]), server)
}

#[test]
fn gates_that_share_no_build_run_at_the_same_time() {
    let config = SCOPE.to_owned()
        + &gate("lint", &["venv/bin/ruff", "check"], "")
        + &gate("types", &["venv/bin/mypy", "src"], "");
    let desk = desk_with(&config, &["ruff", "mypy"], MEETS);
    let (story, _server) = run_with(&desk, &[&write("src/answer", "42\n"), FINISH]);
    story.assert_ended("all_passing", 0);
    // The proof names them in the order of the configuration, whoever was first.
    let evidence = desk
        .project
        .git(&["show", "harness/R-0001:.harness/evidence/F-1.json"]);
    let evidence: Value = serde_json::from_str(&evidence).unwrap();
    let gates: Vec<&str> = evidence["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["gate"].as_str().unwrap())
        .collect();
    assert_eq!(gates, ["lint", "types"]);
}

#[test]
fn gates_that_share_a_build_run_one_after_the_other() {
    let config = SCOPE.to_owned()
        + &gate("unit", &["venv/bin/pytest"], "")
        + &gate("cover", &["venv/bin/coverage"], "")
        + &gate("all", &["sh", "venv/bin/all"], "");
    let desk = desk_with(&config, &["pytest", "coverage", "all"], ALONE);
    let (story, _server) = run_with(&desk, &[&write("src/answer", "42\n"), FINISH]);
    story.assert_ended("all_passing", 0);
    let told: Vec<String> = ["gate_started", "gate_ended"]
        .iter()
        .flat_map(|kind| story.all(kind))
        .map(|line| format!("{} {}", line["seq"], line["gate"]))
        .collect();
    assert_eq!(told.len(), 6, "{story}");
    let seq = |kind: &str, at: usize| story.all(kind)[at]["seq"].as_u64().unwrap();
    for at in 0..2 {
        assert!(
            seq("gate_ended", at) < seq("gate_started", at + 1),
            "{story}"
        );
    }
}

#[test]
fn every_red_gate_is_told_and_one_that_is_red_stops_no_other() {
    let red =
        "#!/bin/sh\n[ \"$(cat src/answer)\" != 41 ] || { echo \"${0##*/} says no\"; exit 3; }\n";
    let config = SCOPE.to_owned()
        + &gate("lint", &["venv/bin/ruff", "check"], "")
        + &gate("types", &["venv/bin/mypy", "src"], "")
        + &gate("all", &["sh", "venv/bin/all"], "");
    let desk = desk_with(&config, &["ruff", "mypy", "all"], red);
    let wrong = write("src/answer", "41\n");
    let right = write("src/answer", "42\n");
    let (story, server) = run_with(&desk, &[&wrong, FINISH, &right, FINISH]);
    story.assert_ended("all_passing", 0);
    let refusal = news(&server.received()[2]);
    assert!(
        refusal.contains("Not done: 3 of 3 gates not green: lint, types, all."),
        "{refusal}"
    );
    let place = |text: &str| {
        refusal
            .find(text)
            .unwrap_or_else(|| panic!("{text} in {refusal}"))
    };
    assert!(place("gate lint: red: exit 3\nruff says no") < place("gate types: red"));
    assert!(place("gate types: red: exit 3\nmypy says no") < place("gate all: red"));
    assert_eq!(story.all("gate_ended").len(), 6, "{story}");
}

#[test]
fn gates_after_a_turn_inform_before_the_next_request_and_use_no_attempt() {
    let config = format!("{CONFIG}when = \"turn\"\npaths = [\"src/**\"]\n[limits]\nattempts = 1\n");
    let desk = Desk::with_files(&[
        ("harness.toml", &config),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let wrong = write("src/answer", "41\n");
    let beside = write("tests/notes", "nothing\n");
    let other = shell("echo more > src/other");
    let right = write("src/answer", "42\n");
    let (story, server) = run_with(&desk, &[&wrong, &beside, &other, &right, FINISH]);
    story.assert_ended("all_passing", 0);
    assert!(story.all("finish_refused").is_empty(), "{story}");

    let told: Vec<String> = server.received().iter().map(news).collect();
    assert!(told[1].contains("[gates after the turn"), "{}", told[1]);
    assert!(
        told[1].contains("gate test: red: 1 of 2 tests failed"),
        "{}",
        told[1]
    );
    assert!(
        told[1].contains("not ok 2 - the answer is not 41"),
        "{}",
        told[1]
    );
    // Nothing that concerns the gate has changed.
    assert!(!told[2].contains("gates after the turn"), "{}", told[2]);
    // The same result is not told a second time.
    assert!(told[3].contains("gate test: red as before"), "{}", told[3]);
    assert!(!told[3].contains("not ok 2"), "{}", told[3]);
    assert!(told[4].contains("gate test: green, 2 tests"), "{}", told[4]);
    // Three turns, and the finish, which runs it again whatever was known.
    assert_eq!(story.all("gate_started").len(), 4, "{story}");
}

#[test]
fn a_gate_for_edits_runs_after_an_edit_and_not_after_a_command() {
    let config = format!("{CONFIG}when = \"edit\"\n");
    let desk = Desk::with_files(&[
        ("harness.toml", &config),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let command = shell("echo 41 > src/answer");
    let right = write("src/answer", "42\n");
    let (story, server) = run_with(&desk, &[&command, &right, FINISH]);
    story.assert_ended("all_passing", 0);
    let told: Vec<String> = server.received().iter().map(news).collect();
    assert!(!told[1].contains("gates after the turn"), "{}", told[1]);
    assert!(told[2].contains("gate test: green, 2 tests"), "{}", told[2]);
    assert_eq!(story.all("gate_started").len(), 2, "{story}");
}

#[test]
fn an_added_test_that_passes_without_the_change_is_said_to_prove_nothing() {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", CASES),
        ("tests/cases/old", "true\n"),
    ]);
    let change = write("src/answer", "42\n");
    let real = write("tests/cases/real", "[ \"$(cat src/answer)\" = 42 ]\n");
    let trivial = write("tests/cases/trivial", "[ 1 = 1 ]\n");
    let (story, _server) = run_with(&desk, &[&change, &real, &trivial, FINISH]);
    story.assert_ended("all_passing", 0);
    let check = &story.first("negative_control_ended")["checks"][0];
    assert_eq!(check["outcome"], "proves_nothing", "{story}");
    assert_eq!(check["tests"], serde_json::json!(["trivial"]), "{story}");

    let show = |path: &str| {
        desk.project
            .git(&["show", &format!("harness/R-0001:{path}")])
    };
    let evidence: Value = serde_json::from_str(&show(".harness/evidence/F-1.json")).unwrap();
    let record = &evidence["negative_control"];
    assert_eq!(record["checks"][0]["tests"][0], "trivial", "{evidence}");
    let progress = show("progress.md");
    assert!(progress.contains("prove nothing: trivial"), "{progress}");
}

#[test]
fn an_added_test_that_needs_the_change_is_not_spoken_of() {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", CASES),
        ("tests/cases/old", "true\n"),
    ]);
    let change = write("src/answer", "42\n");
    let real = write("tests/cases/real", "[ \"$(cat src/answer)\" = 42 ]\n");
    let (story, _server) = run_with(&desk, &[&change, &real, FINISH]);
    story.assert_ended("all_passing", 0);
    let check = &story.first("negative_control_ended")["checks"][0];
    assert_eq!(check["outcome"], "needed", "{story}");
    let progress = desk.project.git(&["show", "harness/R-0001:progress.md"]);
    assert!(!progress.contains("nothing"), "{progress}");
    // The base is still known for what it is: the next run does not begin with the added test.
    assert_eq!(desk.harness(&["verify"]).code, 0);
}

#[test]
fn a_change_without_tests_records_why_nothing_was_tried() {
    let desk = Desk::new();
    let (story, _server) = run_with(&desk, &[&write("src/answer", "42\n"), FINISH]);
    story.assert_ended("all_passing", 0);
    assert!(story.all("negative_control_ended").is_empty(), "{story}");
    let evidence = desk
        .project
        .git(&["show", "harness/R-0001:.harness/evidence/F-1.json"]);
    let evidence: Value = serde_json::from_str(&evidence).unwrap();
    assert_eq!(
        evidence["negative_control"]["skipped"],
        "no test file was added or changed"
    );
}

#[test]
fn a_flaky_gate_is_run_once_more_and_that_is_recorded() {
    let flaky = format!(
        "cd \"$(dirname \"$0\")/..\" || exit 2\nif [ \"$(cat src/answer)\" = 42 ] && [ ! -e out/seen ]; then mkdir -p out; : > out/seen; echo 1..1; echo not ok 1 - a whim; exit 1; fi\n{TESTS}"
    );
    for (retries, reason, code) in [(1, "all_passing", 0), (0, "gates_red", 4)] {
        let config = format!(
            "{SCOPE}{}[limits]\nattempts = 1\n",
            gate(
                "test",
                &["sh", "tests/run.sh"],
                &format!("report = \"tap\"\nflaky_retries = {retries}\n")
            )
        );
        let desk = Desk::with_files(&[
            ("harness.toml", &config),
            ("AGENTS.md", "# demo\n"),
            ("feature_list.json", FEATURES),
            ("src/answer", "0\n"),
            ("tests/run.sh", &flaky),
        ]);
        let (story, _server) =
            run_with(&desk, &[&write("src/answer", "42\n"), FINISH, "I give up."]);
        story.assert_ended(reason, code);
        let check = story.first("check_ended");
        assert_eq!(check["retried"], retries == 1, "{story}");
        if retries == 1 {
            let show = |path: &str| {
                desk.project
                    .git(&["show", &format!("harness/R-0001:{path}")])
            };
            let evidence: Value =
                serde_json::from_str(&show(".harness/evidence/F-1.json")).unwrap();
            assert_eq!(evidence["checks"][0]["retried"], true, "{evidence}");
            assert!(show("progress.md").contains("test green on the second run, 2 tests"));
        }
    }
}

#[test]
fn used_up_attempts_leave_the_story_with_the_person_and_the_run_goes_on() {
    let two = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "description": "src/answer must say forty-two", "status": "pending", "passes": false },
  { "id": "F-2", "title": "Give the question", "description": "src/question must end in a mark", "status": "pending", "passes": false }
] }
"#;
    let tests = format!("{TESTS}[ \"$(cat src/answer)\" != 40 ] || exit 7\n");
    let config = format!("{CONFIG}[limits]\nattempts = 2\n");
    let desk = Desk::with_files(&[
        ("harness.toml", &config),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", two),
        ("src/answer", "0\n"),
        ("tests/run.sh", &tests),
    ]);
    let (first, second) = (write("src/answer", "41\n"), write("src/answer", "40\n"));
    let question = write("src/question", "What is six times seven?\n");
    let script = session("src/question must end", &[&question, FINISH])
        + &session(
            "src/answer must say",
            &[&first, FINISH, &second, FINISH, "unused"],
        );
    let server = Server::scripted(&script);
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run"]);
    story.assert_ended("gates_red", 4);
    assert_eq!(story.status_of("F-1"), "needs_human");
    assert_eq!(story.status_of("F-2"), "passing");

    let tried = [
        "2 attempts refused",
        "attempt 1: gate test red: 1 of 2 tests failed: the answer is not 41",
        "attempt 2: gate test red: exit 7, though no test failed",
    ];
    let reason = story
        .all("feature_status")
        .into_iter()
        .find(|line| line["to"] == "needs_human");
    let reason = reason.unwrap()["reason"].as_str().unwrap().to_owned();
    let status = desk.harness(&["status"]);
    for line in tried {
        assert!(reason.contains(line), "{line}: {reason}");
        assert!(status.stdout.contains(line), "{line}: {}", status.stdout);
    }
}

#[test]
fn a_base_that_lacks_a_program_is_a_matter_of_the_environment() {
    let config = SCOPE.to_owned() + &gate("lint", &["no-such-linter", "."], "");
    let desk = Desk::with_files(&[
        ("harness.toml", &config),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
    ]);
    let (story, _server) = run_with(&desk, &[&write("src/answer", "42\n"), FINISH]);
    story.assert_ended("blocked", 5);
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    for word in [
        "`no-such-linter` could not be run",
        "environment",
        "install",
    ] {
        assert!(detail.contains(word), "{word}: {detail}");
    }
    assert!(!detail.contains("no-worse"), "{detail}");
}

#[test]
fn a_gate_run_by_hand_says_what_was_red_on_the_base() {
    let tests = "cd \"$(dirname \"$0\")/..\" || exit 2\necho 1..2\necho not ok 1 - old trouble\n[ \"$(cat src/answer)\" != 41 ] && echo ok 2 - new || echo not ok 2 - new\nexit 1\n";
    let desk = Desk::with_files(&[
        (
            "harness.toml",
            &format!("{CONFIG}baseline = \"no-worse\"\n"),
        ),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", tests),
    ]);
    let red = desk.harness(&["gate", "run"]);
    assert_eq!(red.code, 4, "{}", red.stdout);
    assert!(!red.stdout.contains("known"), "{}", red.stdout);
    // A run learns how the base comes out, and keeps it.
    let (story, _server) = run_with(&desk, &[&write("src/answer", "42\n"), FINISH]);
    story.assert_ended("all_passing", 0);
    let green = desk.harness(&["gate", "run"]);
    assert_eq!(green.code, 0, "{}", green.stdout);
    assert!(green.stdout.contains("1 known failure"), "{}", green.stdout);
    desk.project.write("src/answer", "41\n");
    let red = desk.harness(&["gate", "run"]);
    assert_eq!(red.code, 4, "{}", red.stdout);
    assert!(
        red.stdout.contains("known at base: old trouble"),
        "{}",
        red.stdout
    );
}
