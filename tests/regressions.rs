//! What once went wrong: each test says the rule that was broken.

mod abort;
mod land;
mod proof;
mod resume;
mod trust;

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{Desk, FINISH, session, write};

/// Two features that depend on nothing.
const TWO: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "status": "pending", "passes": false },
  { "id": "F-2", "title": "Give the question", "status": "pending", "passes": false }
] }
"#;

/// Proves the first feature; the second one asks a person.
fn one_proven_one_open(desk: &Desk) {
    desk.project.write("feature_list.json", TWO);
    desk.project.commit_all("two features");
    let ask = "{ tool = \"ask\", text = \"Which question?\" }";
    let script = session("Give the answer", &[&write("src/answer", "42\n"), FINISH])
        + &session("Give the question", &[&write("src/question", "?\n"), ask]);
    let model = desk.script(&script);
    let run = desk.harness(&["run", "--no-input", "--model", &model]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
}

/// Runs the one feature of the project to its proof; returns the model.
fn proven(desk: &Desk) -> String {
    let model = desk.script(&session(
        "Give the answer",
        &[&write("src/answer", "42\n"), FINISH],
    ));
    let run = desk.harness(&["run", "--no-input", "--model", &model]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    model
}

/// Begins a run that stops after its first turn; returns the model.
fn stopped(desk: &Desk, flags: &[&str]) -> String {
    let model = desk.script(&session(
        "Give the answer",
        &[&write("src/answer", "42\n"), FINISH],
    ));
    let arguments = [
        &["run", "--no-input", "--max-turns", "1", "--model", &model],
        flags,
    ]
    .concat();
    let run = desk.harness(&arguments);
    assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
    model
}

/// Starts the program with pipes.
fn spawn(desk: &Desk, arguments: &[&str]) -> Child {
    let mut command = desk.home.command(&desk.project.root(), arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Waits until something holds, and not for ever.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_gate_is_not_given_what_is_hidden() {
    let desk = Desk::with_files(&[
        (
            "harness.toml",
            "[scope]\nwrite = [\"src/**\"]\nhide = [\"key.txt\"]\n\n[[gate]]\nname = \"test\"\n\
             run = [\"sh\", \"-c\", \"test ! -f key.txt\"]\nreport = \"exit\"\n",
        ),
        ("src/answer", "0\n"),
    ]);
    desk.project.write("key.txt", "hidden from the agent\n");
    let run = desk.harness(&["gate", "run"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let id = desk.project.git(&["hash-object", "key.txt"]);
    let objects = desk.project.git(&[
        "cat-file",
        "--batch-all-objects",
        "--batch-check=%(objectname)",
    ]);
    assert!(!objects.contains(&id), "no object holds it");
}

#[test]
fn accepting_a_feature_never_touches_a_progress_log_it_cannot_read() {
    let desk = Desk::new();
    let outside = desk.project.outside().join("outside.md");
    std::fs::write(&outside, "theirs\n").unwrap();
    let log = desk.project.root().join("progress.md");
    let accept = || desk.harness(&["feature", "accept", "F-1", "--reason", "seen it"]);
    std::os::unix::fs::symlink(&outside, &log).unwrap();
    assert_eq!(accept().code, 2);
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "theirs\n");
    std::fs::remove_file(&log).unwrap();
    std::fs::write(&log, b"# Progress\n\xff\n").unwrap();
    assert_eq!(accept().code, 2);
    assert_eq!(std::fs::read(&log).unwrap(), b"# Progress\n\xff\n");
    assert!(desk.project.read("feature_list.json").contains("pending"));
    std::fs::remove_file(&log).unwrap();
    assert_eq!(accept().code, 0);
    assert!(desk.project.read("progress.md").contains("seen it"));
}

#[test]
fn what_a_hostile_clone_puts_in_the_way_is_neither_waited_for_nor_read_whole() {
    for name in ["harness.toml", "feature_list.json"] {
        let desk = Desk::new();
        let file = desk.project.root().join(name);
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        refused_at_once(&desk, name);
        std::fs::remove_file(&file).unwrap();
        let made = Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(made.success());
        refused_at_once(&desk, name);
    }
}

fn refused_at_once(desk: &Desk, name: &str) {
    let mut child = spawn(desk, &["status"]);
    wait_until("status ends", || child.try_wait().unwrap().is_some());
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{said}");
    assert!(said.contains(&format!("cannot read `{name}`")), "{said}");
}

#[test]
fn a_second_interrupt_ends_a_run_whose_reader_does_not_read() {
    let desk = Desk::new();
    let mut script = "[[session]]\n".to_owned();
    for turn in 0..30 {
        let text = "more than a pipe holds ".repeat(400);
        let call = format!("{{ tool = \"shell\", command = \"echo {turn}\" }}");
        script.push_str(&format!(
            "[[session.turn]]\ntext = {text:?}\ncalls = [{call}]\n"
        ));
    }
    let model = desk.script(&script);
    let mut child = spawn(&desk, &["run", "--json", "--model", &model]);
    let log = desk
        .project
        .root()
        .join(".git/harness/sessions/S-0001/log.jsonl");
    // The run stands still when its pipe is full; a machine that is busy is silent for less long.
    let (mut before, mut looks) = (None, 0);
    wait_until("the run stands still", || {
        std::thread::sleep(Duration::from_millis(700));
        let now = std::fs::metadata(&log).map(|stat| stat.len()).ok();
        let is_still = now.is_some() && std::mem::replace(&mut before, now) == now;
        looks = if is_still { looks + 1 } else { 0 };
        looks == 3
    });
    let interrupt = |child: &Child| {
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(sent.success());
    };
    if child.try_wait().unwrap().is_none() {
        interrupt(&child);
        std::thread::sleep(Duration::from_millis(300));
        interrupt(&child);
    }
    wait_until("the second interrupt ends it", || {
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_run_that_is_refused_leaves_nothing_behind() {
    let desk = Desk::new();
    assert_eq!(desk.harness(&["trust", "--revoke"]).code, 0);
    assert_eq!(desk.harness(&["run", "--no-input"]).code, 5);
    assert!(!desk.project.root().join(".git/harness").exists());
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
    assert_eq!(desk.harness(&["run", "--model", "nobody"]).code, 2);
    assert_eq!(desk.harness(&["run", "F-9"]).code, 2);
    proven(&desk);
    let status = desk.harness(&["status"]).stdout;
    assert!(status.contains("R-0001"), "no number is lost: {status}");
}

#[test]
fn runs_of_another_work_tree_are_left_alone() {
    let desk = Desk::new();
    let model = stopped(&desk, &[]);
    desk.project
        .git(&["worktree", "add", "--quiet", "../other", "HEAD"]);
    let other = desk.project.outside().join("other");
    let there = |arguments: &[&str]| desk.home.run(&other, arguments);
    assert_eq!(there(&["trust", "--yes"]).code, 0);
    for command in [
        &["abort"][..],
        &["land"],
        &["resume", "--last", "--model", &model],
        &["checkpoint", "undo", "0"],
    ] {
        let run = there(command);
        assert_eq!(run.code, 2, "{command:?}: {}", run.stderr);
        assert!(run.stderr.contains("there is no"), "{}", run.stderr);
    }
    let here = desk.project.root().canonicalize().unwrap();
    for command in [
        &["abort", "R-0001"][..],
        &["land", "R-0001"],
        &["resume", "S-0001"],
        &["checkpoint", "undo", "0", "--session", "S-0001"],
    ] {
        let run = there(command);
        assert_eq!(run.code, 2, "{command:?}: {}", run.stderr);
        assert!(
            run.stderr.contains(&here.display().to_string()),
            "{}",
            run.stderr
        );
    }
    assert!(there(&["status"]).stdout.contains("no run yet"));
    assert_eq!(there(&["log", "show", "S-0001"]).code, 0, "reading is free");
    assert_eq!(desk.project.read("src/answer"), "42\n");
    let resumed = desk.harness(&["resume", "--last", "--model", &model, "--max-turns", "9"]);
    assert_eq!(resumed.code, 0, "{}\n{}", resumed.stdout, resumed.stderr);
}
