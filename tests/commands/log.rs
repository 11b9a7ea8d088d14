//! `harness log`: shown and verified.

use serde_json::json;

use super::{assert_ok, busy_desk, busy_run, json};

#[test]
fn a_log_is_shown_as_the_run_told_it() {
    let desk = busy_desk();
    busy_run(&desk);
    let shown = desk.harness(&["log", "show"]);
    assert_ok(&shown);
    for line in [
        "harness: 0.1.0, repo demo, branch harness/R-0001, session S-0001, agent recorded",
        "tool: write src/answer, 1 line added, 1 removed",
        "feature: F-1 passing",
        "harness: run ended: all_passing",
    ] {
        assert!(
            shown.stdout.contains(line),
            "no `{line}` in {}",
            shown.stdout
        );
    }
    assert_eq!(
        desk.harness(&["log", "show", "S-0001"]).stdout,
        shown.stdout
    );
    let lines = json(&desk.harness(&["log", "show", "--json"]));
    assert_eq!(lines[0]["type"], "session_started");
    assert!(lines.iter().all(|line| line["session"] == "S-0001"));
    assert_eq!(lines.last().unwrap()["type"], "run_ended");
}

#[test]
fn a_whole_log_holds() {
    let desk = busy_desk();
    busy_run(&desk);
    let line = json(&desk.harness(&["log", "verify", "--json"])).remove(0);
    for (key, value) in [
        ("type", json!("log_verified")),
        ("session", json!("S-0001")),
        ("whole", json!(true)),
        ("torn_bytes", json!(0)),
        ("problem", json!(null)),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    let head = line["head"].as_str().unwrap();
    let plain = desk.harness(&["log", "verify", "S-0001"]);
    assert_ok(&plain);
    assert!(plain.stdout.contains(head), "{}", plain.stdout);
}

#[test]
fn the_trailer_of_a_commit_stands_in_the_log() {
    let desk = busy_desk();
    busy_run(&desk);
    let trailer = desk.project.git(&[
        "log",
        "-1",
        "--format=%(trailers:key=Harness-Log,valueonly)",
        "harness/R-0001",
    ]);
    let log = desk.project.read(".git/harness/sessions/S-0001/log.jsonl");
    let hash = trailer.split_whitespace().last().unwrap_or_default();
    assert!(
        hash.len() >= 32 && log.contains(hash),
        "`{trailer}` is not in the log"
    );
}

#[test]
fn files_of_the_log_are_the_persons_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = busy_desk();
    busy_run(&desk);
    for path in [
        "",
        "sessions",
        "sessions/S-0001",
        "sessions/S-0001/log.jsonl",
    ] {
        let path = desk.project.root().join(".git/harness").join(path);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is open to others", path.display());
    }
}
