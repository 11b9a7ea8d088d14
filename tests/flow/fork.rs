//! A run that begins with the conversation and the files of a checkpoint of another.

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{Desk, FINISH, Story, session, shell, write};

/// A run that wrote two files, a turn each, and was stopped.
fn stopped() -> Desk {
    let desk = Desk::new();
    let turns = [
        write("src/first", "wort-uno\n"),
        write("src/second", "wort-due\n"),
        shell("true"),
    ];
    let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "chat");
    desk.story(&["run", "--max-turns", "2"])
        .assert_ended("limit", 3);
    desk
}

fn fork(desk: &Desk, from: &str) -> (Server, Story) {
    let turns = [&*shell("true"), &write("src/answer", "42\n"), FINISH];
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "chat");
    let story = desk.story(&["resume", "--fork", from, "--max-turns", "9"]);
    (server, story)
}

#[test]
fn a_fork_has_the_talk_and_the_files_of_the_checkpoint_and_the_other_session_stays() {
    let desk = stopped();
    let before = desk.project.read(".git/harness/sessions/S-0001/log.jsonl");
    let (server, story) = fork(&desk, "S-0001@1");
    story.assert_ended("all_passing", 0);
    let first = &server.received()[0].text;
    assert!(
        first.contains("wort-uno") && !first.contains("wort-due"),
        "{first}"
    );
    assert!(first.contains("checkpoint 1 of S-0001"), "{first}");
    assert!(!desk.project.root().join("src/second").exists());
    assert_eq!(desk.project.read("src/first"), "wort-uno\n");
    assert_eq!(
        desk.project.read(".git/harness/sessions/S-0001/log.jsonl"),
        before
    );
    assert_eq!(
        desk.project.git(&["show", "harness/R-0002:src/answer"]),
        "42"
    );
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    let log = desk.harness(&["log", "show", "S-0002", "--json"]).stdout;
    assert!(log.contains("\"type\":\"forked\""), "{log}");
    // The old one is still there to go on with: its files are in its checkpoints.
    assert_eq!(desk.harness(&["checkpoint", "list", "S-0001"]).code, 0);
    assert_eq!(desk.harness(&["land", "R-0002"]).code, 0);
}

#[test]
fn a_fork_has_spent_nothing_and_begins_at_its_start_with_checkpoint_0() {
    let desk = stopped();
    let (server, story) = fork(&desk, "S-0001@0");
    story.assert_ended("all_passing", 0);
    assert!(!server.received()[0].text.contains("wort-uno"), "{story}");
    let usage = |story: &Story| -> u64 {
        let answers = story.all("model_responded");
        answers
            .iter()
            .filter_map(|it| it["usage"]["input"].as_u64())
            .sum()
    };
    let shown = desk
        .harness(&["session", "show", "S-0002", "--json"])
        .stdout;
    let shown: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
    assert_eq!(
        shown["usage"]["input"].as_u64(),
        Some(usage(&story)),
        "{shown}"
    );
}

#[test]
fn a_fork_never_goes_over_changes_of_a_person() {
    let desk = stopped();
    desk.project.write("src/second", "mine\n");
    let (_server, story) = fork(&desk, "S-0001@1");
    assert_eq!(story.run.code, 5, "{story}");
    assert_eq!(story.first("resume_refused")["why"], "files", "{story}");
    assert_eq!(desk.project.read("src/second"), "mine\n");
    assert!(
        !desk
            .project
            .root()
            .join(".git/harness/sessions/S-0002")
            .exists()
    );
}

#[test]
fn what_cannot_be_forked_is_named() {
    let desk = stopped();
    for (from, code, word) in [
        ("S-0001", 2, "S-0007@3"),
        ("S-0009@1", 2, "there is no session `S-0009`"),
        ("S-0001@9", 2, "there is no checkpoint 9 in S-0001"),
    ] {
        let (_server, story) = fork(&desk, from);
        assert_eq!(story.run.code, code, "{story}");
        assert!(story.run.stderr.contains(word), "{story}");
    }
    desk.project
        .git(&["update-ref", "-d", "refs/harness/S-0001/1"]);
    let (_server, story) = fork(&desk, "S-0001@1");
    assert!(story.run.stderr.contains("was pruned"), "{story}");
    desk.project.write(
        ".git/refs/harness/S-0001/1",
        "0123456789012345678901234567890123456789\n",
    );
    let (_server, story) = fork(&desk, "S-0001@1");
    assert!(story.run.stderr.contains("is damaged"), "{story}");
    assert_eq!(story.run.code, 1, "{story}");
}

#[test]
fn giving_a_fork_up_takes_back_what_it_began_with() {
    let desk = stopped();
    let (_server, story) = fork(&desk, "S-0001@1");
    story.assert_ended("all_passing", 0);
    let ended = desk.harness(&["abort", "R-0002"]);
    assert!(!ended.stdout.contains("src/first"), "{}", ended.stdout);
    assert!(!desk.project.root().join("src/first").exists());
}
