//! What the README offers for copying does what it says: each snippet is taken from it and run.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use harness_testkit::{Home, Run};
use serde_json::Value;

use super::{assert_ok, busy_desk, busy_run};
use crate::support::{Desk, PROGRAM};

const README: &str = include_str!("../../README.md");

/// Returns the snippets of a language in the section about other agents.
fn snippets(language: &str) -> Vec<String> {
    let section = README.split_once("\n## With another agent\n");
    let section = section.expect("the README has the section").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let fence = format!("```{language}\n");
    let blocks = section.split(&fence).skip(1);
    let text = |block: &str| block.split("```").next().unwrap_or_default().to_owned();
    blocks.map(text).collect()
}

fn snippet(language: &str, part: &str) -> String {
    let found = snippets(language)
        .into_iter()
        .find(|text| text.contains(part));
    found.unwrap_or_else(|| panic!("no `{language}` snippet with `{part}`"))
}

/// Prepares a program of the system with `harness` on its PATH, as in the person's shell.
fn with_harness(home: &Home, folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let own = home.command(folder, &[]);
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env_clear();
    command.envs(
        own.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let folder = Path::new(PROGRAM)
        .parent()
        .expect("a program lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", folder.display()));
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

fn shell(home: &Home, folder: &Path, line: &str, input: &str) -> Run {
    let mut child = with_harness(home, folder, "sh", &["-c", line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh is part of every system");
    let mut stdin = child.stdin.take().expect("it is piped");
    // It may have ended before it read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    Run::from(child.wait_with_output().expect("it ends"))
}

#[test]
fn the_stop_hook_of_the_settings_holds_back_and_lets_go() {
    let settings: Value = serde_json::from_str(&snippet("json", "\"Stop\"")).expect("it is JSON");
    let hook = &settings["hooks"]["Stop"][0]["hooks"][0];
    assert_eq!(hook["type"], "command");
    assert!(hook["timeout"].as_u64().is_some());
    let line = hook["command"].as_str().expect("a command is text");

    let desk = Desk::new();
    let root = desk.project.root();
    let input = serde_json::json!({ "session_id": "s", "cwd": root, "hook_event_name": "Stop",
        "stop_hook_active": false });
    desk.project.write("src/answer", "41\n");
    // An agent may call it from any folder.
    let run = shell(&desk.home, desk.project.outside(), line, &input.to_string());
    assert_ok(&run);
    let answer: Value = serde_json::from_str(&run.stdout).expect("the answer is JSON");
    assert_eq!(answer["decision"], "block", "{answer}");
    desk.project.write("src/answer", "42\n");
    let run = shell(&desk.home, desk.project.outside(), line, &input.to_string());
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
}

#[test]
fn the_pre_push_hook_keeps_claims_from_being_pushed() {
    let desk = busy_desk();
    busy_run(&desk);
    assert_ok(&desk.harness(&["land"]));
    let root = desk.project.root();
    let hook = root.join(".git/hooks/pre-push");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, snippet("sh", "#!/bin/sh")).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    desk.project
        .git(&["init", "--quiet", "--bare", "../remote.git"]);
    desk.project
        .git(&["remote", "add", "origin", "../remote.git"]);
    let push = || {
        let output = with_harness(&desk.home, &root, "git", &["push", "origin", "main"]).output();
        Run::from(output.expect("git is installed"))
    };
    assert_ok(&push());
    let pushed = || desk.project.git(&["ls-remote", "origin", "main"]);
    assert!(pushed().contains(&desk.project.git(&["rev-parse", "HEAD"])));

    let before = pushed();
    desk.project
        .git(&["rm", "--quiet", ".harness/evidence/F-1.json"]);
    desk.project.commit_all("trust me");
    let run = push();
    assert_ne!(run.code, 0, "{}", run.stderr);
    assert!(
        format!("{}{}", run.stdout, run.stderr).contains("F-1 claimed, there is no evidence"),
        "{}\n{}",
        run.stdout,
        run.stderr
    );
    assert_eq!(pushed(), before);
}

#[test]
fn the_steps_of_the_workflow_prove_what_was_pushed() {
    let workflow = snippet("yaml", "runs-on");
    let steps = workflow
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- run: "));
    let (install, steps): (Vec<&str>, Vec<&str>) =
        steps.partition(|step| step.starts_with("cargo install"));
    // What it installs is a package of this name; building it again here would take minutes.
    assert_eq!(
        install,
        ["cargo install --locked --git \"$HARNESS_SOURCE\" harness"]
    );
    assert_eq!(env!("CARGO_PKG_NAME"), "harness");
    assert_eq!(steps.len(), 2, "{workflow}");

    let desk = busy_desk();
    busy_run(&desk);
    assert_ok(&desk.harness(&["land"]));
    let all = |code: i32| {
        // A machine that has seen nothing of this repository.
        let machine = Home::new(PROGRAM);
        desk.project.git(&["clone", "--quiet", ".", "../machine"]);
        let clone = desk.project.outside().join("machine");
        let runs: Vec<Run> = steps
            .iter()
            .map(|step| shell(&machine, &clone, step, ""))
            .collect();
        fs::remove_dir_all(&clone).unwrap();
        let last = runs.last().expect("there are steps");
        assert_eq!(last.code, code, "{}\n{}", last.stdout, last.stderr);
        last.stdout.clone()
    };
    assert!(all(0).contains("F-1 agrees"));
    desk.project.write("src/answer", "41\n");
    desk.project.commit_all("a mistake");
    assert!(all(4).contains("F-1 differs: gate `test` is red now"));
}

#[test]
fn the_command_for_work_by_hand_is_one_that_there_is() {
    let line = snippet("sh", "feature finish");
    let desk = Desk::with_files(&[
        ("harness.toml", crate::support::CONFIG),
        (
            "feature_list.json",
            &crate::support::FEATURES.replace("F-1", "F-001"),
        ),
        ("src/answer", "0\n"),
        ("tests/run.sh", crate::support::TESTS),
    ]);
    desk.project.write("src/answer", "42\n");
    assert_ok(&shell(&desk.home, &desk.project.root(), &line, ""));
    assert!(desk.harness(&["verify"]).stdout.contains("F-001 exact"));
}
