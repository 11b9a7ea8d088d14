//! `harness checkpoint` and `harness abort`: the way back, byte for byte.

use serde_json::json;

use super::{BUSY_SCRIPT, assert_ok, busy_desk, busy_run, json, picture};
use crate::support::Desk;

/// The agent's part of a picture.
fn sources(desk: &Desk) -> Vec<(String, (u32, Vec<u8>))> {
    let entries = picture(&desk.project).into_iter();
    entries
        .filter(|(path, _)| path.starts_with("src/"))
        .collect()
}

#[test]
fn checkpoints_are_listed_with_what_changed() {
    let desk = busy_desk();
    busy_run(&desk);
    let lines = json(&desk.harness(&["checkpoint", "list", "--json"]));
    let numbers: Vec<_> = lines.iter().map(|line| line["n"].clone()).collect();
    assert_eq!(numbers, [json!(0), json!(1), json!(2)]);
    assert_eq!(
        lines[1]["files"],
        json!(["src/answer", "src/bytes", "src/deep/link", "src/gone"])
    );
    assert_eq!(lines[2]["files"], json!(["src/second"]));
    let plain = desk.harness(&["checkpoint", "list", "S-0001"]).stdout;
    assert_eq!(plain.lines().count(), 3);
    assert!(
        plain.lines().all(|line| line.starts_with("checkpoint: ")),
        "{plain}"
    );
}

#[test]
fn undo_restores_every_state_byte_for_byte_and_can_be_undone() {
    let desk = busy_desk();
    let start = sources(&desk);
    let person = desk.person_side();
    busy_run(&desk);
    let end = sources(&desk);
    assert_ne!(start, end);

    let back = desk.harness(&["checkpoint", "undo", "0"]);
    assert_ok(&back);
    assert!(
        back.stdout.starts_with("checkpoint: back at 0, "),
        "{}",
        back.stdout
    );
    assert_eq!(sources(&desk), start);
    let line = json(&desk.harness(&["checkpoint", "undo", "1", "--json"])).remove(0);
    assert_eq!(
        (&line["type"], &line["to"], &line["n"]),
        (&json!("undone"), &json!(1), &json!(4))
    );
    let names: Vec<String> = sources(&desk).into_iter().map(|(path, _)| path).collect();
    assert_eq!(names, ["src/answer", "src/bytes", "src/deep/link"]);
    assert_ok(&desk.harness(&["checkpoint", "undo", "2"]));
    assert_eq!(sources(&desk), end);
    assert_eq!(desk.person_side(), person);
}

#[test]
fn undo_refuses_to_overwrite_what_the_person_changed() {
    let desk = busy_desk();
    busy_run(&desk);
    for (path, text) in [
        ("src/answer", "mine\n"),
        ("src/gone", "back again\n"),
        ("src/bytes", ""),
    ] {
        let kept = std::fs::read(desk.project.root().join(path)).ok();
        desk.project.write(path, text);
        let before = picture(&desk.project);
        let run = desk.harness(&["checkpoint", "undo", "0"]);
        assert_eq!(run.code, 5, "{path}: {}\n{}", run.stdout, run.stderr);
        assert!(
            run.stderr
                .contains("error: cannot undo, nothing was changed"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains(path), "{}", run.stderr);
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
        assert_eq!(picture(&desk.project), before, "{path}");
        match kept {
            Some(bytes) => std::fs::write(desk.project.root().join(path), bytes).unwrap(),
            None => std::fs::remove_file(desk.project.root().join(path)).unwrap(),
        }
    }
    desk.project.write("src/my own", "untouched\n");
    assert_ok(&desk.harness(&["checkpoint", "undo", "0"]));
    assert_eq!(desk.project.read("src/my own"), "untouched\n");
}

#[test]
fn abort_takes_a_proven_run_back() {
    let desk = busy_desk();
    let (before, person) = (picture(&desk.project), desk.person_side());
    busy_run(&desk);
    let run = desk.harness(&["abort", "--json"]);
    assert_ok(&run);
    let line = json(&run).remove(0);
    assert_eq!(
        (&line["type"], &line["run"], &line["left"]),
        (&json!("aborted"), &json!("R-0001"), &json!([]))
    );
    assert_eq!(picture(&desk.project), before);
    assert_eq!(desk.person_side(), person);
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    let kept = desk
        .project
        .git(&["log", "--format=%s", "-1", "harness/R-0001"]);
    assert_eq!(kept, "F-1: Give the answer", "the proof itself is kept");
    assert_ok(&desk.harness(&["log", "verify"]));
}

#[test]
fn abort_takes_an_unproven_run_back() {
    let desk = busy_desk();
    let (before, person) = (picture(&desk.project), desk.person_side());
    let model = desk.script(BUSY_SCRIPT);
    let stopped = desk.harness(&["run", "--model", &model, "--max-turns", "2"]);
    assert_eq!(stopped.code, 3, "{}\n{}", stopped.stdout, stopped.stderr);
    assert_ne!(picture(&desk.project), before);
    assert_ok(&desk.harness(&["abort"]));
    assert_eq!(picture(&desk.project), before);
    assert_eq!(desk.person_side(), person);
}

#[test]
fn abort_keeps_what_the_person_changed_since_and_takes_the_rest_back() {
    let desk = busy_desk();
    let mut wanted = picture(&desk.project);
    busy_run(&desk);
    desk.project.write("src/answer", "mine\n");
    let run = desk.harness(&["abort"]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stdout.contains("\n  src/answer left as it is"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("hint: all of it is saved"),
        "{}",
        run.stderr
    );
    if let Some((_, bytes)) = wanted.get_mut("src/answer") {
        *bytes = b"mine\n".to_vec();
    }
    assert_eq!(picture(&desk.project), wanted);
}

#[test]
fn a_new_run_can_begin_after_an_abort() {
    let desk = busy_desk();
    busy_run(&desk);
    assert_ok(&desk.harness(&["abort"]));
    busy_run(&desk);
    assert_ok(&desk.harness(&["land"]));
    assert_eq!(desk.project.read("src/answer"), "42\n");
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
}
