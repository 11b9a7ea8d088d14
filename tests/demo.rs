//! `harness demo --fast`, the whole program from end to end on both surfaces.

use std::path::{Path, PathBuf};

use harness_gate::evidence::Evidence;
use harness_testkit::{Home, Run};
use serde_json::Value;

use crate::support::PROGRAM;

/// The demo's project and the home it was played in; both are removed at the end.
pub(crate) struct Demo {
    home: Home,
    root: PathBuf,
    pub(crate) run: Run,
}

impl Demo {
    /// Plays the demo without waiting.
    pub(crate) fn play(flags: &[&str]) -> Self {
        let home = Home::new(PROGRAM);
        let folder = home.path().join("tmp");
        std::fs::create_dir(&folder).expect("a new folder");
        let arguments = [&["demo", "--fast"], flags].concat();
        let mut command = home.command(home.path(), &arguments);
        let run = Run::from(
            command
                .env("TMPDIR", &folder)
                .output()
                .expect("the program starts"),
        );
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        let mut roots = std::fs::read_dir(&folder)
            .expect("a folder can be listed")
            .map(|entry| entry.expect("a folder has entries").path());
        let root = roots
            .next()
            .expect("the demo unpacks a repository")
            .join("till");
        assert_eq!(roots.next(), None, "the demo leaves one folder");
        Self { home, root, run }
    }

    fn harness(&self, arguments: &[&str]) -> Run {
        self.home.run(&self.root, arguments)
    }

    /// Returns the JSON lines.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        self.run.stdout.lines().map(read).collect()
    }
}

#[test]
fn the_plain_lines_tell_the_story_in_order() {
    let demo = Demo::play(&[]);
    assert_in_order(
        &demo.run.stdout,
        &[
            "harness: 0.1.0, repo till, branch harness/R-0001, session S-0001, agent recorded",
            "note: document docs/receipt.md loaded",
            "guard: refused write `docs/receipt.md`",
            "gate: test failed: 1 of 3 tests failed",
            "feature: not done: gate test red",
            "feature: F-001 committed as ",
            "evidence .harness/evidence/F-001.json",
            "feature: F-001 passing",
            "session S-0002",
            "feature: F-002 passing",
            "harness: run ended: all_passing, 2 of 2 features passing",
            "feature: landed F-001, F-002 on main, 2 commits",
        ],
    );
    assert!(demo.run.stdout.contains(&demo.root.display().to_string()));
    let acting = |char: char| char.is_control() && char != '\n';
    assert!(!demo.run.stdout.contains(acting), "{:?}", demo.run.stdout);
    assert!(!demo.run.stderr.contains(acting), "{:?}", demo.run.stderr);
}

#[test]
fn every_line_says_who_or_is_indented_below_one_that_does() {
    let demo = Demo::play(&[]);
    let (told, _) = demo
        .run
        .stdout
        .split_once("\nThe repository is at ")
        .unwrap();
    let who = [
        "harness",
        "you",
        "agent",
        "tool",
        "guard",
        "gate",
        "ask",
        "checkpoint",
        "feature",
        "note",
    ];
    for line in told.lines() {
        let named = line
            .split_once(": ")
            .is_some_and(|(word, _)| who.contains(&word));
        assert!(named || line.starts_with("  "), "{line}");
    }
}

#[test]
fn the_repository_holds_what_the_demo_said() {
    let demo = Demo::play(&[]);
    let log = git(&demo.root, &["log", "--format=%s%n%b", "main"]);
    assert_in_order(
        &log,
        &[
            "F-002: ",
            "Harness-Feature: F-002",
            "F-001: ",
            "Harness-Feature: F-001",
        ],
    );
    for trailer in ["Session", "Feature", "Gates", "Evidence", "Log"] {
        let name = format!("\nHarness-{trailer}: ");
        assert_eq!(log.matches(&name).count(), 2, "{name} in {log}");
    }
    assert_eq!(git(&demo.root, &["rev-list", "--count", "main"]), "3");
    assert_eq!(
        git(&demo.root, &["symbolic-ref", "HEAD"]),
        "refs/heads/main"
    );
    assert_eq!(git(&demo.root, &["status", "--porcelain"]), "");
    git(&demo.root, &["fsck", "--strict", "--no-dangling"]);

    for feature in ["F-001", "F-002"] {
        let path = format!(".harness/evidence/{feature}.json");
        let text = std::fs::read_to_string(demo.root.join(path)).unwrap();
        let evidence = Evidence::parse(&text).unwrap();
        assert_eq!(evidence.feature.as_str(), feature);
        assert!(
            evidence.checks.iter().all(|check| check.exit == Some(0)),
            "{text}"
        );
    }
    let progress = std::fs::read_to_string(demo.root.join("progress.md")).unwrap();
    assert_in_order(&progress, &["S-0001 F-001 passing", "S-0002 F-002 passing"]);
    assert!(
        progress.contains("printf %02d"),
        "the note is missing: {progress}"
    );
}

#[test]
fn every_proof_of_the_demo_holds_afterwards() {
    let demo = Demo::play(&[]);
    for arguments in [
        &["verify"][..],
        &["log", "verify"],
        &["gate", "run"],
        &["status"],
        &["feature", "list"],
        &["checkpoint", "list"],
        &["log", "show"],
        &["scope", "explain", "src/till.sh", "docs/receipt.md"],
    ] {
        let run = demo.harness(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}\n{}", run.stdout, run.stderr);
        assert!(!run.stdout.is_empty(), "{arguments:?} says nothing");
    }
    let verified = demo.harness(&["verify"]).stdout;
    assert!(verified.contains("feature: F-002 exact"), "{verified}");
    assert!(verified.contains("feature: F-001 "), "{verified}");
    assert!(!verified.contains("claimed"), "{verified}");
}

#[test]
fn the_log_shown_later_is_what_the_run_said() {
    let demo = Demo::play(&[]);
    let shown = ["S-0001", "S-0002"]
        .map(|id| demo.harness(&["log", "show", id]).stdout)
        .concat();
    let said = demo.run.stdout.split("feature: landed").next().unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    // The cost of a whole run is known to the run alone, and the log tells of each request.
    let is_told = |line: &String| !line.contains("run ended") && !line.contains(" so far");
    let apart = |text: &str| sorted(text).into_iter().filter(is_told).collect();
    let (shown, said): (Vec<String>, Vec<String>) = (apart(&shown), apart(said));
    assert_eq!(shown, said);
}

#[test]
fn json_lines_tell_the_same_story_and_are_numbered_without_a_gap() {
    let demo = Demo::play(&["--json"]);
    let lines = demo.lines();
    for (seq, line) in lines.iter().enumerate() {
        assert_eq!(line["v"], 1, "{line}");
        assert_eq!(line["seq"], seq, "{line}");
        assert!(line["type"].is_string(), "{line}");
        let time = line["time"].as_str().unwrap_or_default();
        assert!(humantime::parse_rfc3339(time).is_ok(), "{line}");
        assert!(line.get("session").is_some(), "{line}");
    }
    assert_eq!(lines[0]["type"], "demo_started");
    assert_eq!(lines[0]["repository"], demo.root.display().to_string());
    let story: [(&str, &[(&str, &str)]); 9] = [
        (
            "session_started",
            &[("session", "S-0001"), ("agent", "builtin")],
        ),
        ("document_loaded", &[("path", "docs/receipt.md")]),
        (
            "tool_called",
            &[("path", "docs/receipt.md"), ("verdict", "deny")],
        ),
        ("check_ended", &[("gate", "test"), ("status", "red")]),
        ("finish_refused", &[]),
        ("feature_passed", &[("feature", "F-001")]),
        ("session_started", &[("session", "S-0002")]),
        ("feature_passed", &[("feature", "F-002")]),
        ("run_ended", &[("reason", "all_passing")]),
    ];
    let mut rest = lines.iter();
    for (kind, fields) in story {
        let fits = |line: &&Value| {
            line["type"] == kind && fields.iter().all(|(key, value)| line[*key] == **value)
        };
        assert!(
            rest.any(|line| fits(&line)),
            "no {kind} with {fields:?} at its place"
        );
    }
    let landed = lines.last().unwrap();
    assert_eq!(landed["type"], "landed");
    assert_eq!(landed["commits"], 2);
    assert_eq!(landed["head"], git(&demo.root, &["rev-parse", "main"]));
    assert!(demo.run.stderr.is_empty(), "{}", demo.run.stderr);
}

fn assert_in_order(text: &str, parts: &[&str]) {
    let mut from = 0;
    for part in parts {
        let found = text[from..].find(part);
        let at = found.unwrap_or_else(|| panic!("no `{part}` at its place in:\n{text}"));
        from += at + part.len();
    }
}

fn git(root: &Path, arguments: &[&str]) -> String {
    let output = std::process::Command::new("git")
        .args(arguments)
        .current_dir(root)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}
