//! What is kept of sessions: followed, exported, replayed, named, archived and pruned.

use std::{fs, time::Duration};

use harness_testkit::{Reply, Server};

use super::{assert_ok, busy_desk, busy_run, json};
use crate::support::{Desk, FINISH, Live, session, write};

fn slow_desk() -> (Desk, Server) {
    let right = write("src/answer", "42\n");
    let script = session("F-1", &[&right, FINISH]);
    let server =
        Server::scripted(&script.replace("[[session.turn]]", "[[session.turn]]\nthink_ms = 300"));
    let desk = Desk::new();
    desk.use_server(&server, "anthropic");
    (desk, server)
}

#[test]
fn a_run_is_followed_to_its_end_with_its_lines_and_its_code() {
    let (desk, _server) = slow_desk();
    let mut run = Live::start(&desk, &["run"]);
    assert!(run.wait_for("turn_started", 1));
    let followed = Live::start(&desk, &["log", "follow", "--run"]).end();
    let told = run.end();
    told.assert_ended("all_passing", 0);
    followed.assert_ended("all_passing", 0);
    // Over already: all of it at once, or its end.
    let all = desk.harness(&["log", "follow", "S-0001", "--json"]);
    assert_ok(&all);
    let lines = json(&all);
    assert_eq!(lines[0]["type"], "session_started");
    assert!(
        lines
            .iter()
            .all(|line| line["run"].is_string() || line["run"].is_array())
    );
    let returned = lines
        .iter()
        .find(|line| line["type"] == "tool_returned")
        .unwrap();
    assert_eq!(
        (&returned["turn"], &returned["call"]),
        (&1.into(), &"1.0".into())
    );
    let tail = desk.harness(&["log", "follow", "--tail", "1", "--last"]);
    assert_ok(&tail);
    assert!(
        tail.stdout.starts_with("harness: run ended: all_passing"),
        "{}",
        tail.stdout
    );
}

#[test]
fn a_session_that_was_cut_short_ends_the_following_and_says_how_it_goes_on() {
    let (desk, server) = slow_desk();
    server.reply_with([Reply::Stall(Duration::from_secs(3))]);
    let mut run = Live::start(&desk, &["run"]);
    assert!(run.wait_for("turn_started", 1));
    run.kill();
    let followed = desk.harness(&["log", "follow"]);
    assert_eq!(followed.code, 3, "{}", followed.stderr);
    assert!(
        followed.stderr.contains("`harness resume S-0001`"),
        "{}",
        followed.stderr
    );
}

#[test]
fn an_export_is_verified_and_played_anywhere() {
    let desk = busy_desk();
    busy_run(&desk);
    let file = desk.project.outside().join("copy.jsonl");
    let name = file.display().to_string();
    assert_ok(&desk.harness(&["log", "export", "--output", &name]));
    assert_eq!(desk.harness(&["log", "export", "--output", &name]).code, 2);
    let elsewhere = |arguments: &[&str]| desk.home.run(desk.home.path(), arguments);
    assert_ok(&elsewhere(&["log", "verify", &name]));
    let played = elsewhere(&["replay", &name]);
    assert_ok(&played);
    assert_eq!(played.stdout, desk.harness(&["log", "follow"]).stdout);
    let states = [
        desk.harness(&["replay", "--check", "--json"]),
        elsewhere(&["replay", "--check", "--json", &name]),
    ]
    .map(|checked| json(&checked)[0]["state"].clone());
    assert!(states[0].is_string() && states[0] == states[1]);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replacen("checkpoint_saved", "checkpoint_sawed", 1),
    )
    .unwrap();
    let verified = elsewhere(&["log", "verify", &name]);
    assert_eq!(verified.code, 4);
    assert!(verified.stdout.contains("line ") && verified.stderr.contains("hint: "));
    assert_eq!(elsewhere(&["replay", &name]).code, 4);
    let read = desk.harness(&["session", "export", "--format", "md"]);
    assert_ok(&read);
    assert!(
        read.stdout.starts_with("# Session S-0001 of run R-0001"),
        "{}",
        read.stdout
    );
}

#[test]
fn a_replay_that_leads_elsewhere_names_the_record() {
    let desk = busy_desk();
    busy_run(&desk);
    let checked = desk.harness(&["replay", "--check"]);
    assert_ok(&checked);
    assert!(
        checked.stdout.contains("leads to what it records"),
        "{}",
        checked.stdout
    );
}

#[test]
fn a_whole_run_is_held_against_what_its_logs_lead_to() {
    let desk = Desk::with_files(&[
        ("harness.toml", crate::support::CONFIG),
        ("tests/run.sh", crate::support::TESTS),
        ("src/answer", "0\n"),
        (
            "feature_list.json",
            r#"{ "schema": 1, "features": [
              { "id": "A", "title": "First", "status": "pending", "passes": false },
              { "id": "B", "title": "Second", "depends_on": ["A"], "status": "pending", "passes": false } ] }"#,
        ),
    ]);
    let (first, second) = (write("src/first", "1\n"), write("src/second", "2\n"));
    let script = [
        session("Second", &[&second, FINISH]),
        session("First", &[&first, FINISH]),
    ];
    let model = desk.script(&script.concat());
    assert_ok(&desk.harness(&["run", "--no-input", "--model", &model]));
    let checked = desk.harness(&["replay", "--check", "R-0001"]);
    assert_ok(&checked);
    for part in [
        "S-0001 leads to what it records",
        "S-0002 began with the state it leaves",
        "S-0002 leads to what it records",
        "R-0001 holds as a whole: 2 sessions",
    ] {
        assert!(checked.stdout.contains(part), "{}", checked.stdout);
    }
    let lines = json(&desk.harness(&["replay", "--check", "R-0001", "--json"]));
    assert_eq!(lines[2]["type"], "replay_run_checked");
    let played = desk.harness(&["replay", "R-0001", "--instant"]);
    assert_ok(&played);
    for session in ["S-0001", "S-0002"] {
        let alone = desk.harness(&["replay", session, "--instant"]);
        assert!(played.stdout.contains(&alone.stdout), "{}", played.stdout);
    }
    assert_eq!(desk.harness(&["replay", "--check", "R-0009"]).code, 2);
    let log = desk
        .project
        .root()
        .join(".git/harness/sessions/S-0001/log.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("\"turn\":1", "\"turn\":7", 1)).unwrap();
    assert_eq!(desk.harness(&["replay", "--check", "R-0001"]).code, 4);
}

#[test]
fn a_name_stands_for_the_id_and_an_archived_session_is_left_out() {
    let desk = busy_desk();
    busy_run(&desk);
    assert_eq!(desk.harness(&["session", "rename", "1", "no name"]).code, 2);
    assert_ok(&desk.harness(&["session", "rename", "1", "answer"]));
    for command in [
        &["log", "verify"][..],
        &["log", "show"],
        &["session", "show"],
        &["replay"],
    ] {
        assert_ok(&desk.harness(&[command, &["answer"]].concat()));
    }
    assert!(
        desk.harness(&["session", "list"])
            .stdout
            .starts_with("S-0001 answer  ")
    );
    assert_ok(&desk.harness(&["session", "archive", "answer"]));
    assert_eq!(desk.harness(&["session", "list"]).stdout, "");
    let archived = desk.harness(&["session", "list", "--archived"]).stdout;
    assert!(archived.contains(", archived"), "{archived}");
    assert_ok(&desk.harness(&["session", "archive", "answer", "--undo"]));
    let everywhere = json(&desk.harness(&["session", "list", "--all", "--json"]));
    assert_eq!(everywhere[0]["name"], "answer");
    assert_eq!(
        everywhere[0]["repository"],
        desk.project.root().display().to_string()
    );
}

#[test]
fn an_archived_session_is_not_taken_up_and_is_named() {
    let (desk, server) = slow_desk();
    server.reply_with([Reply::Stall(Duration::from_secs(3))]);
    let mut run = Live::start(&desk, &["run"]);
    assert!(run.wait_for("turn_started", 1));
    run.kill();
    assert_ok(&desk.harness(&["session", "rename", "1", "stuck"]));
    assert_ok(&desk.harness(&["session", "archive", "stuck"]));
    for (command, way) in [
        (
            &["resume", "S-0001"][..],
            "harness session archive S-0001 --undo",
        ),
        (
            &["resume", "stuck"],
            "harness session archive S-0001 --undo",
        ),
        (&["resume", "--last"], "harness session list --archived"),
    ] {
        let refused = desk.harness(command);
        assert_eq!(refused.code, 2, "{command:?}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("archived") && refused.stderr.contains(way),
            "{command:?}: {}",
            refused.stderr
        );
    }
    assert_ok(&desk.harness(&["session", "archive", "stuck", "--undo"]));
    desk.story(&["resume", "stuck"])
        .assert_ended("all_passing", 0);
}

#[test]
fn what_has_not_landed_is_never_pruned_and_a_prune_is_asked_for() {
    let desk = busy_desk();
    busy_run(&desk);
    let prune =
        |more: &[&str]| desk.harness(&[&["session", "prune", "--older-than", "0s"], more].concat());
    let kept = prune(&["--yes"]);
    assert_ok(&kept);
    assert!(kept.stderr.contains("have not landed"), "{}", kept.stderr);
    assert_ok(&desk.harness(&["land"]));
    assert!(prune(&["--dry-run"]).stdout.starts_with("S-0001: "));
    assert_eq!(prune(&["--no-input"]).code, 5);
    assert_eq!(
        prune(&["--keep", "1"]).stdout,
        "note: there is nothing to prune\n"
    );
    assert_ok(&prune(&["--yes"]));
    assert_eq!(
        desk.project.git(&["for-each-ref", "refs/harness/S-0001"]),
        ""
    );
    let shown = desk.harness(&["session", "show", "1"]);
    assert_eq!(shown.code, 2);
    assert!(shown.stderr.contains("was pruned"), "{}", shown.stderr);
    for command in [&["log", "verify"][..], &["replay"], &["log", "export"]] {
        let shown = desk.harness(&[command, &["S-0001"]].concat());
        assert_eq!(shown.code, 2, "{command:?}");
        assert!(shown.stderr.contains("was pruned"), "{}", shown.stderr);
    }
    assert_ok(&desk.harness(&["status"]));
}
