//! What a resume says of a death in each phase of a run, and that it goes on from there.

use std::process::Command;

use harness_testkit::{Run, Server};
use serde_json::Value;

use crate::{
    flow::beside,
    support::{
        CONFIG, Desk, FEATURES, FINISH, Live, Story, TESTS, endless, say, session, shell, write,
    },
};

const FAILPOINT: &str = "HARNESS_FAILPOINT";

fn at(desk: &Desk, arguments: &[&str], wish: &str) -> Run {
    let mut command: Command = desk.home.command(&desk.project.root(), arguments);
    Run::from(command.env(FAILPOINT, wish).output().unwrap())
}

/// Whether the program under test has any points at all.
fn has_points() -> bool {
    if !cfg!(debug_assertions) {
        say("skipped: a build without debug assertions has no failpoints");
    }
    cfg!(debug_assertions)
}

/// Goes on, and returns what was in flight, as kind and fate.
fn resumed(desk: &Desk, when: &str) -> (Story, Vec<(String, String)>) {
    let story = desk.story(&["resume", "--last"]);
    assert_eq!(story.run.code, 0, "{when}: {story}");
    story.assert_ended("all_passing", 0);
    let found = &story.first("session_resumed")["found"];
    let list = found["in_flight"].as_array();
    let list = list.unwrap_or_else(|| panic!("{when}: {story}"));
    let word = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let kinds = list
        .iter()
        .map(|item| (word(item, "kind"), word(item, "fate")))
        .collect();
    (story, kinds)
}

fn has(found: &[(String, String)], kind: &str, fate: &str) -> bool {
    found
        .iter()
        .any(|(of, becomes)| of == kind && becomes == fate)
}

/// A run that dies at a point, of a model that makes a lost edit again.
fn dies(wish: &str) -> Desk {
    let desk = Desk::new();
    let right = write("src/answer", "42\n");
    let server = Server::scripted(&session("F-1", &[&right, &right, FINISH]));
    desk.use_server(&server, "chat");
    let run = at(&desk, &["run", "--no-input", "--json"], wish);
    assert_eq!(run.code, 137, "{wish}: {}{}", run.stdout, run.stderr);
    // The server lives as long as the run it answers.
    let (story, found) = resumed(&desk, wish);
    let (kind, fate) = match wish.split(':').next().unwrap() {
        "file.write" | "file.replace" | "file.replaced" => ("edit", "unknown"),
        _ if wish.starts_with("ref.moved:2") || wish.starts_with("ref.move:2") => {
            ("checkpoint", "again")
        }
        _ => ("commit", "again"),
    };
    assert!(has(&found, kind, fate), "{wish}: {found:?}\n{story}");
    assert_eq!(desk.project.read("src/answer"), "42\n", "{wish}");
    let (files, commits) = (
        desk.project.git(&["status", "--porcelain", "src"]),
        desk.project
            .git(&["rev-list", "--count", "main..harness/R-0001"]),
    );
    assert_eq!((&*files, &*commits), (" M src/answer", "1"), "{wish}");
    desk
}

#[test]
fn a_half_written_edit_is_unknown_and_leaves_no_half() {
    if has_points() {
        for wish in [
            "file.write:1:torn:1",
            "file.replace:1:abort",
            "file.replaced:1:abort",
        ] {
            dies(wish);
        }
    }
}

#[test]
fn a_checkpoint_and_a_commit_are_made_again() {
    if has_points() {
        for wish in [
            "ref.move:2:abort",
            "ref.moved:2:abort",
            "commit.sync:1:abort",
            "ref.move:3:abort",
            "ref.moved:3:abort",
        ] {
            dies(wish);
        }
    }
}

#[test]
fn a_landing_that_died_has_nothing_to_resume_and_is_landed_again() {
    if !has_points() {
        return;
    }
    for wish in [
        "ref.move:1:abort",
        "ref.moved:1:abort",
        "index.write:1:abort",
        "index.written:1:abort",
    ] {
        let desk = Desk::new();
        let right = write("src/answer", "42\n");
        let server = Server::scripted(&session("F-1", &[&right, FINISH]));
        desk.use_server(&server, "chat");
        desk.story(&["run"]).assert_ended("all_passing", 0);
        let run = at(&desk, &["land"], wish);
        assert_eq!(run.code, 137, "{wish}: {}{}", run.stdout, run.stderr);
        let landed = desk.harness(&["land"]);
        assert_eq!(landed.code, 0, "{wish}: {}", landed.stderr);
        assert_eq!(desk.project.git(&["show", "main:src/answer"]), "42");
        let status = desk.project.git(&["status", "--porcelain"]);
        assert_eq!(status, "", "{wish}");
        let story = desk.story(&["resume", "--last"]);
        assert_eq!(story.run.code, 0, "{wish}: {story}");
    }
}

#[test]
fn a_setup_step_is_run_again() {
    let setup = "[[setup]]\nrun = [\"sh\", \"setup.sh\"]\n";
    let config = CONFIG.replacen("[scope]\n", "[scope]\nbuild = [\"out\"]\n", 1);
    let desk = Desk::with_files(&[
        ("harness.toml", &format!("{config}\n{setup}")),
        (".gitignore", "out\n"),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        (
            "setup.sh",
            "mkdir -p out\nsleep 0.4\necho run >> out/runs\n",
        ),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let turns = [
        &shell("cat out/runs"),
        &*write("src/answer", "42\n"),
        FINISH,
    ];
    let server = Server::scripted(&session("F-1", &turns.map(|turn| turn)));
    desk.use_server(&server, "chat");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("setup_started", 1));
    live.kill();
    let (story, found) = resumed(&desk, "setup");
    assert!(has(&found, "setup", "again"), "{found:?}\n{story}");
    let ended = story.all("setup_ended");
    assert!(
        ended.iter().any(|line| line["place"] == "work_tree"),
        "{story}"
    );
}

#[test]
fn a_review_is_made_again() {
    let slow = format!(
        "[[session.turn]]\nthink_ms = 900\ntext = '''{}'''\n",
        beside::judgement(3)
    );
    let right = write("src/answer", "42\n");
    let script = [
        beside::one(beside::REVIEW, &[slow.clone(), slow]),
        session("F-1", &[&right, FINISH]),
    ];
    let server = Server::scripted(&script.concat());
    let desk = beside::desk(&server, "agent");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("beside_started", 1));
    live.kill();
    let (story, found) = resumed(&desk, "review");
    assert!(has(&found, "review", "again"), "{found:?}\n{story}");
    assert_eq!(story.first("reviewed")["verdict"], "approved", "{story}");
}

#[test]
fn what_detectors_have_counted_outlives_kills() {
    let desk = Desk::new();
    let same = shell("cat src/answer");
    let script =
        endless("F-1", &[&same]).replacen("[[session.turn]]", "[[session.turn]]\nthink_ms = 30", 1);
    let server = Server::scripted(&script);
    desk.use_server(&server, "chat");
    for arguments in [&["run"][..], &["resume", "--last"]] {
        let mut live = Live::start(&desk, arguments);
        assert!(live.wait_for("tool_returned", 3), "{arguments:?}");
        live.kill();
    }
    desk.story(&["resume", "--last"]).assert_ended("stuck", 5);
    let log = desk.harness(&["log", "show", "S-0001", "--json"]).stdout;
    let calls = log.matches("\"tool_called\"").count();
    // One call may have been lost with each kill; it counts for nothing.
    assert!((7..=12).contains(&calls), "{calls} calls\n{log}");
}

#[test]
fn what_a_day_has_cost_outlives_kills() {
    let desk = Desk::new();
    let script = endless(
        "F-1",
        &[&shell("echo line >> src/growing; wc -l src/growing")],
    );
    let server = Server::scripted(&script);
    let base = server.base_url("chat");
    let configure = |day: &str| {
        desk.home.configure(&format!(
            "[agent]\nmodel = \"test\"\n[limits]\nday_usd = {day}\n[model.test]\napi = \"chat\"\nbase_url = \"{base}\"\nid = \"m\"\nprice = {{ input = 20.0, output = 20.0 }}\n"
        ));
    };
    configure("9.0");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("tool_returned", 3));
    live.kill();
    // Less than what was spent: the day is used up, whoever goes on.
    configure("0.05");
    let story = desk.story(&["resume", "--last"]);
    assert_eq!(story.run.code, 3, "{story}");
    assert!(story.all("model_responded").is_empty(), "{story}");
    configure("9.0");
    let story = desk.story(&["resume", "--last", "--max-turns", "6"]);
    story.assert_ended("limit", 3);
}
