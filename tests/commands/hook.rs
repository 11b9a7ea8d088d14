//! `harness hook stop`: another agent wants to stop, and the gates decide.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use harness_testkit::Run;
use serde_json::Value;

use super::{assert_ok, picture};
use crate::support::{CONFIG, Desk, FEATURES, TESTS};

/// Calls the hook as an agent does.
fn stop_with(desk: &Desk, arguments: &[&str], input: &str) -> Run {
    let arguments = [&["hook", "stop"], arguments].concat();
    let mut command = desk.home.command(&desk.project.root(), &arguments);
    finish(&mut command, input)
}

fn finish(command: &mut Command, input: &str) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program under test starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // It may have ended before it read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    Run::from(child.wait_with_output().expect("it ends"))
}

fn event(desk: &Desk, session: &str) -> String {
    serde_json::json!({ "session_id": session, "cwd": desk.project.root(), "hook_event_name": "Stop",
        "stop_hook_active": false, "transcript_path": null })
    .to_string()
}

fn stop(desk: &Desk, arguments: &[&str]) -> Run {
    stop_with(desk, arguments, &event(desk, "s-1"))
}

/// Returns why the agent is held back; the answer has nothing else in it.
fn blocked(run: &Run) -> String {
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let answer: Value = serde_json::from_str(&run.stdout).expect("the answer is JSON");
    let keys: Vec<&str> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        (keys, &answer["decision"]),
        (vec!["decision", "reason"], &"block".into())
    );
    answer["reason"]
        .as_str()
        .expect("a reason is text")
        .to_owned()
}

/// Returns what the person is told when the agent is let go.
fn let_go(run: &Run) -> String {
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let answer: Value = serde_json::from_str(&run.stdout).expect("the answer is JSON");
    let keys: Vec<&str> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, ["systemMessage"], "{answer}");
    let told = answer["systemMessage"].as_str().unwrap().to_owned();
    assert_eq!(run.stderr.trim_end(), told);
    told
}

fn silent(run: &Run) {
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "", "")
    );
}

#[test]
fn a_red_gate_holds_the_agent_back_and_a_green_one_lets_it_go_silently() {
    let desk = Desk::new();
    silent(&stop(&desk, &[]));
    desk.project.write("src/answer", "41\n");
    let before = (picture(&desk.project), desk.person_side());
    let reason = blocked(&stop(&desk, &[]));
    assert!(
        reason.starts_with("Not done yet: gate `test` is red"),
        "{reason}"
    );
    assert!(
        reason.contains("not ok 2 - the answer is not 41"),
        "{reason}"
    );
    assert_eq!((picture(&desk.project), desk.person_side()), before);
    assert_eq!(
        desk.project
            .git(&["for-each-ref", "refs/harness", "refs/heads/harness"]),
        ""
    );
    desk.project.write("src/answer", "42\n");
    silent(&stop(&desk, &[]));
}

#[test]
fn a_removed_test_holds_the_agent_back_although_the_gates_are_green() {
    let checks =
        "def test_one():\n    assert 1 + 1 == 2\n\n\ndef test_two():\n    assert 2 + 2 == 4\n";
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("src/answer", "42\n"),
        ("tests/test_sums.py", checks),
        ("tests/run.sh", TESTS),
    ]);
    desk.project
        .write("tests/test_sums.py", checks.split("\n\n\n").next().unwrap());
    let reason = blocked(&stop(&desk, &[]));
    assert!(reason.contains("tests/test_sums.py"), "{reason}");
}

#[test]
fn loops_are_bounded_for_each_session_of_the_agent() {
    let desk = Desk::with_files(&[
        ("harness.toml", &format!("{CONFIG}[limits]\nattempts = 2\n")),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    desk.project.write("src/answer", "41\n");
    let stop = |session: &str| stop_with(&desk, &[], &event(&desk, session));
    blocked(&stop("one"));
    blocked(&stop("one"));
    let told = let_go(&stop("one"));
    assert!(told.contains("after 2 tries, a person is needed"), "{told}");
    let_go(&stop("one"));
    blocked(&stop("two"));
    // What was mended begins anew.
    desk.project.write("src/answer", "42\n");
    silent(&stop("one"));
    desk.project.write("src/answer", "41\n");
    blocked(&stop("one"));
    // A count that cannot be kept must not hold anybody for ever.
    let counts = desk.project.root().join(".git/harness/hook-stop.json");
    std::fs::remove_file(&counts).unwrap();
    std::fs::create_dir(&counts).unwrap();
    let told = let_go(&stop("one"));
    assert!(told.contains("cannot be counted"), "{told}");
}

#[test]
fn nothing_runs_and_nobody_is_held_where_nothing_is_configured_or_trusted() {
    let desk = Desk::new();
    desk.project.write("src/answer", "41\n");
    assert_ok(&desk.harness(&["trust", "--revoke"]));
    assert!(let_go(&stop(&desk, &[])).contains("not trusted"));
    desk.project
        .write("tests/run.sh", "touch ../ran; echo 1..1; echo ok 1\n");
    assert_ok(&desk.harness(&["trust", "--yes"]));
    desk.project
        .write("tests/run.sh", "touch ../ran; echo 1..0; exit 1\n");
    assert!(let_go(&stop(&desk, &[])).contains("changed since you trusted it"));
    std::fs::remove_file(desk.project.root().join("harness.toml")).unwrap();
    assert!(let_go(&stop(&desk, &[])).contains("no `harness.toml`"));
    desk.project.write("harness.toml", "[scope\n");
    assert!(let_go(&stop(&desk, &[])).contains("nothing was judged"));
    let nowhere = desk.project.outside();
    let mut command = desk.home.command(nowhere, &["hook", "stop"]);
    assert!(let_go(&finish(&mut command, "{}")).contains("nothing was judged"));
    assert!(!desk.project.outside().join("ran").exists());
}

#[test]
fn input_that_is_no_hooks_is_said_and_never_blocks() {
    let desk = Desk::new();
    desk.project.write("src/answer", "41\n");
    for input in [
        "",
        "{",
        "[]",
        "null",
        "\u{0}",
        "nonsense\n",
        &"[".repeat(100_000),
    ] {
        let run = stop_with(&desk, &[], input);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{input:.20}");
        assert!(
            run.stderr.contains("cannot read the hook's input"),
            "{}",
            run.stderr
        );
    }
    // For an agent, 2 would mean to go on.
    for arguments in [&["--bogus"][..], &["--feature"]] {
        assert_eq!(stop_with(&desk, arguments, "{}").code, 1);
    }
    // A session without a name is one, and its blocks are counted.
    blocked(&stop_with(&desk, &[], "{}"));
    let told = let_go(&stop(&desk, &["--feature", "F-9"]));
    assert!(told.contains("there is no feature `F-9`"), "{told}");
}

#[test]
fn with_a_feature_its_scope_and_gates_hold_and_the_rest_is_named() {
    let list = FEATURES.replace(
        "\"status\"",
        "\"scope\": { \"write\": [\"src/answer\"] }, \"verify\": [[\"grep\", \"-q\", \"42\", \"src/answer\"]], \"status\"",
    );
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", &list),
        ("src/answer", "0\n"),
        ("src/other", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    desk.project.write("src/other", "1\n");
    let feature = ["--feature", "F-1"];
    let told = let_go(&stop(&desk, &feature));
    assert!(
        told.contains("left out") && told.contains("src/other"),
        "{told}"
    );
    desk.project.write("src/answer", "43\n");
    let reason = blocked(&stop(&desk, &feature));
    assert!(reason.contains("gate `verify-1` is red"), "{reason}");
    assert!(reason.contains("src/other"), "{reason}");
    desk.project.write("src/answer", "42\n");
    let told = let_go(&stop(&desk, &feature));
    assert!(told.contains("src/other"), "{told}");
}

#[test]
fn gates_that_the_change_does_not_concern_do_not_run() {
    let config = format!("{CONFIG}paths = [\"src/**\"]\n");
    let desk = Desk::with_files(&[
        ("harness.toml", &config),
        ("src/answer", "41\n"),
        ("docs/a.md", "a\n"),
        ("tests/run.sh", TESTS),
    ]);
    desk.project.write("docs/a.md", "b\n");
    let told = let_go(&stop(&desk, &[]));
    assert!(told.contains("only a person allows"), "{told}");
    desk.project.write("src/new", "1\n");
    blocked(&stop(&desk, &[]));
}

#[test]
fn a_long_failure_is_cut_to_what_an_agent_can_read() {
    let noisy = "echo 1..1; i=0; while [ $i -lt 3000 ]; do echo \"# line $i of noise\"; i=$((i+1)); done; echo 'not ok 1 - no'; exit 1\n";
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("src/answer", "0\n"),
        ("tests/run.sh", noisy),
    ]);
    desk.project.write("src/answer", "1\n");
    let reason = blocked(&stop(&desk, &[]));
    assert!(reason.len() <= 8 * 1024, "{}", reason.len());
    assert!(reason.contains("not ok 1 - no"), "{reason}");
}

#[test]
fn while_a_run_works_here_nothing_is_judged() {
    let desk = Desk::new();
    desk.project.write("src/answer", "41\n");
    let script = crate::support::session("", &["{ tool = \"shell\", command = \"sleep 30\" }"]);
    let model = desk.script(&script);
    let mut run = desk.home.command(
        &desk.project.root(),
        &[
            "run",
            "a task",
            "--dirty",
            "base",
            "--no-input",
            "--model",
            &model,
        ],
    );
    let mut child = run
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lock = || {
        let told = stop(&desk, &[]);
        (told.stdout.contains("another run works"), told)
    };
    let held = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        lock().0
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(held, "{:?}", lock().1);
}
