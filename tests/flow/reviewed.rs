//! A person's review while the agent works: comments reach it, what is turned down is taken back, and
//! what must be fixed keeps the feature from finishing.

use std::{ffi::OsStr, thread, time::Duration};

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{Desk, FINISH, Live, Story, session, write};

const NOTE: &str = "{ tool = \"note\", text = \"more\" }";
const REPLY: &str = "{ tool = \"reply\", comment = 1, text = \"It is the answer to everything.\" }";

/// A session whose turns give the person time to say something.
fn slow(turns: &[&str]) -> String {
    let turns = session("F-1", turns);
    turns.replace("[[session.turn]]\n", "[[session.turn]]\nthink_ms = 2500\n")
}

fn begin(turns: &[&str]) -> (Desk, Server, Live) {
    begin_with(turns, None)
}

fn begin_with(turns: &[&str], variable: Option<(&str, &OsStr)>) -> (Desk, Server, Live) {
    begin_at(Desk::new(), turns, variable)
}

fn begin_at(desk: Desk, turns: &[&str], variable: Option<(&str, &OsStr)>) -> (Desk, Server, Live) {
    let server = Server::scripted(&slow(turns));
    desk.use_server(&server, "chat");
    let live = Live::start_with(&desk, &["run"], variable);
    (desk, server, live)
}

fn ok(desk: &Desk, arguments: &[&str]) -> String {
    let run = desk.harness(arguments);
    assert_eq!(run.code, 0, "{arguments:?}\n{}\n{}", run.stdout, run.stderr);
    run.stdout + &run.stderr
}

/// Returns the review as data.
fn review(desk: &Desk) -> Value {
    let run = desk.harness(&["review", "--json"]);
    serde_json::from_str(&run.stdout).unwrap()
}

/// Returns the id of the only hunk of a file.
fn hunk_of(desk: &Desk, path: &str) -> String {
    let review = review(desk);
    let mut files = review["files"].as_array().unwrap().iter();
    let file = files.find(|file| file["path"] == path).unwrap();
    file["hunks"][0]["id"].as_str().unwrap().to_owned()
}

fn told(server: &Server, text: &str) -> usize {
    let received = server.received();
    let last = received.last().unwrap();
    last.text.matches(text).count()
}

#[test]
fn a_must_fix_keeps_the_feature_from_finishing_until_it_is_answered_and_resolved() {
    let right = write("src/answer", "42\n");
    let turns = [right.as_str(), FINISH, FINISH, REPLY, FINISH, FINISH];
    let (desk, server, mut live) = begin(&turns);
    assert!(live.wait_for("checkpoint_created", 1));
    // The second terminal.
    ok(
        &desk,
        &["review", "comment", "why 42?", "--at", "src/answer:1"],
    );
    let status = desk.harness(&["review", "status"]);
    assert_eq!(status.code, 5, "{}", status.stdout);
    let sent = ok(&desk, &["review", "send"]);
    assert!(
        sent.contains("sent #1") && sent.contains("with its next turn"),
        "{sent}"
    );
    let story = live.end();
    story.assert_ended("needs_human", 5);
    let refused = story.first("finish_refused")["reason"].as_str().unwrap();
    assert!(refused.contains("#1 at src/answer:1"), "{story}");
    assert_eq!(story.first("comment_answered")["number"], 1, "{story}");
    assert!(story.all("feature_passed").is_empty(), "{story}");
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(detail.contains("harness review resolve 1"), "{detail}");
    assert!(told(&server, "why 42?") >= 1);

    let review = review(&desk);
    let comment = &review["comments"][0];
    assert_eq!(comment["state"], "answered", "{review}");
    assert!(
        comment["answers"][0]["text"]
            .as_str()
            .unwrap()
            .contains("everything")
    );
    ok(&desk, &["review", "resolve", "1"]);
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(desk.harness(&["review", "status"]).code, 0);
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
}

#[test]
fn what_is_turned_down_is_taken_back_at_the_end_of_the_turn_and_the_agent_is_told() {
    let both = format!(
        "{}, {}",
        write("src/answer", "42\n"),
        write("src/extra", "x\n")
    );
    let (desk, server, mut live) = begin(&[&both, NOTE, FINISH]);
    assert!(live.wait_for("checkpoint_created", 1));
    let hunk = hunk_of(&desk, "src/extra");
    let said = ok(
        &desk,
        &["review", "reject", &hunk, "--reason", "nobody asked for it"],
    );
    assert!(said.contains("at the end of its turn"), "{said}");
    assert_eq!(desk.project.read("src/extra"), "x\n");
    let story = live.end();
    story.assert_ended("all_passing", 0);
    let turned = story.first("turned_down");
    assert_eq!(turned["parts"][0]["end"], "applied", "{story}");
    assert!(!desk.project.root().join("src/extra").exists());
    assert_eq!(told(&server, "nobody asked for it"), 1);
    let files = desk
        .project
        .git(&["ls-tree", "-r", "--name-only", "harness/R-0001"]);
    assert!(!files.contains("src/extra"), "{files}");
    // The way back: a checkpoint before, and one of its own behind.
    assert!(story.all("checkpoint_created").len() >= 2, "{story}");
    ok(&desk, &["replay", "--check"]);
}

#[test]
fn what_the_agent_has_changed_since_is_not_taken_back_and_both_sides_are_shown() {
    let both = format!(
        "{}, {}",
        write("src/answer", "42\n"),
        write("src/extra", "x\n")
    );
    let again = write("src/extra", "y\n");
    let (desk, _server, mut live) = begin(&[&both, &again, FINISH]);
    assert!(live.wait_for("checkpoint_created", 1));
    let hunk = hunk_of(&desk, "src/extra");
    ok(&desk, &["review", "reject", &hunk]);
    let story = live.end();
    story.assert_ended("needs_human", 5);
    let part = &story.first("turned_down")["parts"][0];
    assert_eq!(
        (&part["end"], &part["found"]),
        (&"clash".into(), &"y\n".into()),
        "{story}"
    );
    assert_eq!(desk.project.read("src/extra"), "y\n");
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(
        detail.contains("decide anew with `harness review`"),
        "{detail}"
    );
    // It is decided anew, as it is now.
    let hunk = hunk_of(&desk, "src/extra");
    ok(&desk, &["review", "reject", &hunk]);
    assert!(!desk.project.root().join("src/extra").exists());
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
}

fn survives(point: &str) {
    let both = format!(
        "{}, {}",
        write("src/answer", "42\n"),
        write("src/extra", "x\n")
    );
    let turns = [both.as_str(), NOTE, FINISH, FINISH];
    let wish = format!("{point}:1:abort");
    let variable = ("HARNESS_FAILPOINT", OsStr::new(&wish));
    let (desk, server, mut live) = begin_with(&turns, Some(variable));
    assert!(live.wait_for("checkpoint_created", 1));
    let hunk = hunk_of(&desk, "src/extra");
    ok(
        &desk,
        &["review", "reject", &hunk, "--reason", "nobody asked for it"],
    );
    let story = live.end();
    assert_eq!(story.run.code, 137, "{point}: {story}");
    assert!(story.all("turned_down").is_empty(), "{point}: {story}");
    // Its helpers let go of the lock.
    thread::sleep(Duration::from_millis(200));
    let story: Story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    let turned = story.all("turned_down");
    assert_eq!(turned.len(), 1, "{point}: {story}");
    assert_eq!(turned[0]["parts"][0]["end"], "applied", "{point}: {story}");
    assert_eq!(told(&server, "nobody asked for it"), 1, "{point}");
    assert!(!desk.project.root().join("src/extra").exists(), "{point}");
}

#[test]
fn a_kill_while_it_is_taken_back_takes_it_back_once() {
    if !cfg!(debug_assertions) {
        crate::support::say("skipped: a build without debug assertions has no failpoints");
        return;
    }
    survives("turn_down.written");
    survives("turn_down.noted");
}

/// Neither as the last checkpoint has it nor as it was before: and still no change of a person's.
#[test]
fn a_kill_while_one_hunk_of_two_is_taken_back_asks_nobody() {
    if !cfg!(debug_assertions) {
        crate::support::say("skipped: a build without debug assertions has no failpoints");
        return;
    }
    let text = |first: &str, last: &str| format!("{first}\n{}{last}\n", "same\n".repeat(20));
    for point in ["turn_down.written:1", "turn_down.noted:1", "ref.move:3"] {
        let desk = Desk::new();
        desk.project.write("src/long", &text("one", "last"));
        desk.project.commit_all("Long");
        let both = format!(
            "{}, {}",
            write("src/answer", "42\n"),
            write("src/long", &text("first", "end"))
        );
        let wish = format!("{point}:abort");
        let variable = ("HARNESS_FAILPOINT", OsStr::new(&wish));
        let turns = [both.as_str(), NOTE, FINISH, FINISH];
        let (desk, _server, mut live) = begin_at(desk, &turns, Some(variable));
        assert!(live.wait_for("checkpoint_created", 1));
        let hunk = hunk_of(&desk, "src/long");
        ok(&desk, &["review", "reject", &hunk]);
        let story = live.end();
        assert_eq!(story.run.code, 137, "{point}: {story}");
        let half = text("one", "end");
        assert_eq!(desk.project.read("src/long"), half, "{point}");
        // Its helpers let go of the lock.
        thread::sleep(Duration::from_millis(200));
        let story: Story = desk.story(&["resume", "--last"]);
        story.assert_ended("all_passing", 0);
        let differs = &story.first("session_resumed")["found"]["differs"];
        assert_eq!(
            differs.as_array().map(Vec::len),
            Some(0),
            "{point}: {story}"
        );
        assert_eq!(desk.project.read("src/long"), half, "{point}");
    }
}

#[test]
fn after_the_run_what_is_turned_down_is_a_checkpoint() {
    let both = format!(
        "{}, {}",
        write("src/answer", "42\n"),
        write("src/extra", "x\n")
    );
    let (desk, _server, live) = begin(&[&both, FINISH]);
    live.end().assert_ended("all_passing", 0);
    let hunk = hunk_of(&desk, "src/extra");
    let said = ok(&desk, &["review", "reject", &hunk]);
    assert!(said.contains("saved as checkpoint"), "{said}");
    assert!(!desk.project.root().join("src/extra").exists());
    let back = said
        .split('`')
        .find(|part| part.starts_with("harness checkpoint undo"));
    let back: Vec<&str> = back.unwrap().split(' ').skip(1).collect();
    ok(&desk, &back);
    assert_eq!(desk.project.read("src/extra"), "x\n");
}

#[test]
fn a_must_fix_holds_what_a_person_finishes_by_hand_and_one_of_another_range_says_that_it_does_not()
{
    let desk = Desk::new();
    desk.project.write("src/answer", "42\n");
    let said = ok(
        &desk,
        &["review", "comment", "why 42?", "--at", "src/answer:1"],
    );
    assert!(said.contains("no run of an agent"), "{said}");
    let finished = desk.harness(&["feature", "finish", "F-1"]);
    assert_eq!(finished.code, 4, "{}", finished.stderr);
    let told = &finished.stderr;
    assert!(
        told.contains("gate `review` is red: 1 must-fix open: #1 at src/answer:1"),
        "{told}"
    );
    assert!(
        told.contains("harness review resolve 1 --of HEAD.."),
        "{told}"
    );
    let elsewhere = [
        "review",
        "comment",
        "no",
        "--of",
        "HEAD~0..",
        "--at",
        "src/answer:1",
    ];
    let said = ok(&desk, &elsewhere);
    assert!(said.contains("it holds nothing up"), "{said}");
    ok(&desk, &["review", "resolve", "1", "--of", "HEAD.."]);
    ok(&desk, &["feature", "finish", "F-1"]);
}

#[test]
fn what_agent_and_reviewers_said_stands_in_the_review_and_the_book_goes_with_its_sessions() {
    let note = "{ tool = \"note\", text = \"src/answer:1 is a number\" }";
    let right = write("src/answer", "42\n");
    let desk = Desk::new();
    let server = Server::scripted(&session("F-1", &[&right, note, FINISH]));
    desk.use_server(&server, "chat");
    desk.story(&["run"]).assert_ended("all_passing", 0);
    let review = review(&desk);
    let comment = &review["comments"][0];
    assert_eq!(
        (&comment["kind"], &comment["by"]),
        (&"note".into(), &"agent".into()),
        "{review}"
    );
    assert!(
        comment["text"].as_str().unwrap().contains("is a number"),
        "{review}"
    );
    // It is heard once, and is a comment like any other.
    ok(&desk, &["review", "answer", "1", "it may stay"]);
    ok(&desk, &["review", "resolve", "1"]);
    let again = self::review(&desk);
    assert_eq!(again["comments"].as_array().unwrap().len(), 1, "{again}");
    let book = desk.project.root().join(".git/harness/reviews/R-0001.json");
    assert!(book.is_file());
    ok(&desk, &["land"]);
    ok(
        &desk,
        &[
            "session",
            "prune",
            "--yes",
            "--older-than",
            "0s",
            "--keep",
            "0",
        ],
    );
    assert!(!book.exists());
}
