//! A log that holds as a chain and has less than it had: emptied, cut behind a record, or gone.

use std::{fs, path::PathBuf};

use serde_json::json;

use super::{assert_ok, json};
use crate::support::{Desk, FINISH, session, write};

/// A run that was stopped after two turns; its model.
fn stopped(desk: &Desk) -> String {
    let turns = ["41\n", "43\n", "42\n"].map(|text| write("src/answer", text));
    let turns: Vec<&str> = turns.iter().map(String::as_str).chain([FINISH]).collect();
    let model = desk.script(&session("F-1", &turns));
    let run = desk.harness(&["run", "--no-input", "--model", &model, "--max-turns", "2"]);
    assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
    model
}

fn folder(desk: &Desk) -> PathBuf {
    desk.project.root().join(".git/harness/sessions/S-0001")
}

fn log(desk: &Desk) -> PathBuf {
    folder(desk).join("log.jsonl")
}

/// Returns what `log verify` says of the only session; it must not hold.
fn lost(desk: &Desk) -> String {
    for named in [&["log", "verify"][..], &["log", "verify", "S-0001"]] {
        let run = desk.harness(named);
        assert_eq!(run.code, 4, "{}\n{}", run.stdout, run.stderr);
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    }
    let run = desk.harness(&["log", "verify", "--json"]);
    let line = json(&run).remove(0);
    assert_eq!(
        (&line["whole"], &line["session"]),
        (&json!(false), &json!("S-0001"))
    );
    line["problem"].as_str().unwrap().to_owned()
}

#[test]
fn an_emptied_log_is_said_wherever_it_is_met() {
    for is_noted in [true, false] {
        let desk = Desk::new();
        let model = stopped(&desk);
        fs::write(log(&desk), "").unwrap();
        if !is_noted {
            // As an earlier version left it: the checkpoints know.
            fs::remove_file(folder(&desk).join("log.synced")).unwrap();
        }
        let problem = lost(&desk);
        assert!(problem.contains("was emptied"), "{problem}");
        let status = desk.harness(&["status"]);
        assert!(
            status.stdout.contains("the log of S-0001 was emptied"),
            "{}",
            status.stdout
        );
        for named in ["S-0001", "--last"] {
            let run = desk.harness(&["resume", named, "--no-input", "--model", &model]);
            assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
            assert!(run.stderr.contains("was emptied"), "{}", run.stderr);
        }
        assert_ok(&desk.harness(&["session", "archive", "S-0001"]));
        let run = desk.harness(&["resume", "--last", "--no-input", "--model", &model]);
        assert!(!run.stderr.contains("was emptied"), "{}", run.stderr);
    }
}

#[test]
fn a_log_that_was_cut_behind_any_record_is_known_to_be_short() {
    let desk = Desk::new();
    stopped(&desk);
    let whole = fs::read_to_string(log(&desk)).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for kept in 1..lines.len() {
        fs::write(log(&desk), lines[..kept].concat()).unwrap();
        let problem = lost(&desk);
        let wanted = format!(
            "{kept} records are there, it had {} records at least",
            lines.len()
        );
        assert!(problem.contains(&wanted), "{problem}");
    }
    fs::write(log(&desk), &whole).unwrap();
    assert_ok(&desk.harness(&["log", "verify"]));
    // Without the note, what a checkpoint names must be there.
    fs::remove_file(folder(&desk).join("log.synced")).unwrap();
    assert_ok(&desk.harness(&["log", "verify"]));
    fs::write(log(&desk), lines[..2].concat()).unwrap();
    assert!(lost(&desk).contains("checkpoint 2 says"));
}

#[test]
fn a_resume_goes_on_with_a_short_log_when_a_person_says_so() {
    let desk = Desk::new();
    let model = stopped(&desk);
    let whole = fs::read_to_string(log(&desk)).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    fs::write(log(&desk), lines[..lines.len() - 3].concat()).unwrap();
    let flags = [
        "resume",
        "--last",
        "--no-input",
        "--model",
        &model,
        "--max-turns",
        "9",
    ];
    let run = desk.harness(&flags);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("was cut or replaced"), "{}", run.stderr);
    assert!(
        run.stderr.contains("harness resume S-0001 --take-changes"),
        "{}",
        run.stderr
    );
    lost(&desk);
    let run = desk.harness(&[&flags[..], &["--take-changes"]].concat());
    assert_ok(&run);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(
        said.contains("what was done in the missing records is not known"),
        "{said}"
    );
    assert_ok(&desk.harness(&["log", "verify"]));
    assert_eq!(desk.project.read("src/answer"), "42\n");
}

#[test]
fn a_log_that_is_gone_is_said_and_one_that_was_pruned_is_not() {
    let desk = Desk::new();
    stopped(&desk);
    let whole = fs::read(log(&desk)).unwrap();
    fs::remove_file(log(&desk)).unwrap();
    let run = desk.harness(&["log", "verify"]);
    assert_eq!(run.code, 4, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stdout.contains("S-0001: its log is gone"),
        "{}",
        run.stdout
    );
    fs::write(log(&desk), whole).unwrap();
    assert_ok(&desk.harness(&["abort"]));
    let run = desk.harness(&["session", "prune", "--older-than", "0d", "--yes"]);
    assert_ok(&run);
    assert!(!log(&desk).exists(), "{}", run.stdout);
    assert_ok(&desk.harness(&["log", "verify"]));
}

#[test]
fn a_session_that_never_began_has_lost_nothing() {
    if !cfg!(debug_assertions) {
        return;
    }
    let desk = Desk::new();
    let model = desk.script(&session("F-1", &[FINISH]));
    for point in ["session.claimed:1", "log.append:1", "ref.moved:1"] {
        let mut run = desk.home.command(
            &desk.project.root(),
            &["run", "--no-input", "--model", &model],
        );
        let wish = format!("{point}:abort");
        let output = run.env("HARNESS_FAILPOINT", wish).output().unwrap();
        assert_eq!(harness_testkit::Run::from(output).code, 137, "{point}");
        assert_ok(&desk.harness(&["log", "verify"]));
    }
}
