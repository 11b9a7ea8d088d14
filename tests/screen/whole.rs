//! The whole way by keyboard: from the first screen to an accepted review, and a review of a run that
//! is at work.

use std::fs;

use harness_testkit::{Home, Project};

use super::demo::Tmux;
use crate::support::{Desk, PROGRAM, Terminal, say, write};

#[test]
fn the_demo_goes_from_the_first_screen_to_an_accepted_review_by_keyboard() {
    let Some(tmux) = Tmux::start("whole") else {
        say("skipped: tmux is not installed");
        return;
    };
    let home = Home::new(PROGRAM);
    let project = Project::with_files(&[("README.md", "new here\n"), ("src/a.sh", "true\n")]);
    tmux.open(&home, &project.root(), &[], ("120", "40"));
    tmux.wait_for("Who does the work?");
    let screen = tmux.wait_for("src/**");
    for text in ["recorded demo", "nothing yet"] {
        assert!(screen.contains(text), "{text} in:\n{screen}");
    }
    // What cannot be done says why.
    tmux.press(&["e"]);
    tmux.wait_for("w writes harness.toml first");
    tmux.press(&["1"]);
    tmux.wait_for("A recorded model works on a small project");
    // It plays at the pace of a person who watches, and ends where a person has the last word.
    tmux.wait_for("0 of 2 hunks");
    tmux.wait_for("rounds the discount in the customer's favour");
    tmux.press(&["m"]);
    tmux.wait_for(">   ┃ note #1 agent");
    tmux.press(&["Enter"]);
    tmux.wait_for("answer #1:");
    tmux.press(&["yes, both ways", "Enter"]);
    tmux.wait_for("answer is a draft");
    tmux.press(&["S"]);
    tmux.wait_for("answer sent");
    tmux.press(&["R"]);
    tmux.wait_for("#1 is resolved");
    tmux.press(&["a"]);
    tmux.wait_for("1 of 2 hunks");
    tmux.press(&["]", "a"]);
    tmux.wait_for("2 of 2 hunks");
    tmux.press(&["q"]);
    tmux.wait_for("landed F-001, F-002 on main");
    tmux.press(&["C-d"]);
    let screen = tmux.wait_for("exit 0");
    assert!(screen.contains("The repository is at"), "{screen}");
    // Nothing was written where it began.
    assert!(!project.root().join("harness.toml").exists());
}

/// A session whose commands wait until the test says `go`.
fn live() -> String {
    let first = write("src/answer", "42\n");
    let second = write("src/extra", "one\ntwo\n");
    let hold = |number: u32| {
        format!(
            "{{ tool = \"shell\", command = \"while [ ! -e go{number} ]; do sleep 0.05; done; echo went\" }}"
        )
    };
    let finish = "{ tool = \"finish\", text = \"done\" }";
    let reply = "{ tool = \"reply\", comment = 1, text = \"Because it was asked for.\" }";
    let turns = [
        format!("{first}, {second}"),
        hold(1),
        "{ tool = \"note\", text = \"src/answer:1 is a number, no text\" }".to_owned(),
        hold(2),
        finish.to_owned(),
        reply.to_owned(),
        finish.to_owned(),
        finish.to_owned(),
    ];
    let turns = turns.map(|calls| format!("[[session.turn]]\ncalls = [{calls}]\n"));
    format!("[[session]]\nmatch = \"F-1\"\n{}", turns.concat())
}

#[test]
fn a_run_at_work_is_reviewed_on_its_page_and_waits_for_the_persons_word() {
    let desk = Desk::new();
    fs::write(desk.project.root().join(".git/info/exclude"), "go*\n").unwrap();
    let agent = desk.script(&live());
    let arguments = ["run", "F-1", "--agent", &agent];
    let root = desk.project.root();
    let mut terminal = Terminal::start(&desk.home, &root, &arguments, (100, 30));
    terminal.wait_for("shell runs");
    terminal.press("\u{1b}OR");
    terminal.wait_for("0 of 2 hunks");
    terminal.press("a");
    terminal.wait_for("1 of 2 hunks");
    terminal.press("u");
    terminal.wait_for("taken back: src/answer was accepted");
    terminal.press("c");
    terminal.wait_for("must-fix on line 1");
    terminal.press("why 42?\r");
    terminal.wait_for("1 must-fix");
    terminal.press("n");
    terminal.wait_for("▌src/extra");
    terminal.press("x");
    terminal.wait_for("reject, why");
    terminal.press("nobody asked for it\r");
    terminal.wait_for("rejected, at turn end");
    terminal.press("S");
    terminal.wait_for("1 comment goes to the agent with its next turn");
    assert!(root.join("src/extra").exists());
    terminal.press("\u{1b}OQ");
    // The run has heard it, and the turn is not over.
    terminal.wait_for("1 rejection to be taken");
    terminal.press("\u{1b}OR");
    fs::write(root.join("go1"), "").unwrap();
    // It is taken back at the end of the turn, and the agent's own note stands at its line.
    terminal.wait_until("src/extra taken back", |_| !root.join("src/extra").exists());
    terminal.wait_for("is a number, no text");
    fs::write(root.join("go2"), "").unwrap();
    // The finish is refused, the agent answers, and then only the person's word is missing.
    terminal.wait_for("Because it was asked for.");
    terminal.wait_for("! waits for you");
    terminal.press("\u{1b}[15~");
    terminal.wait_for("✗ review");
    terminal.press("G\r");
    terminal.wait_for("1 must-fix");
    terminal.press("\u{1b}OQ");
    terminal.wait_for("waits for your word on #1: F3");
    terminal.press("\u{1b}OR");
    // It stands on the comment already.
    terminal.wait_for(">   ┃ must-fix #1");
    terminal.press("R");
    terminal.wait_for("is resolved");
    terminal.press("\u{1b}OQ");
    terminal.wait_for("run ended");
    assert!(
        terminal.screen().contains("F-1 passing"),
        "{}",
        terminal.screen()
    );
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    let files = desk
        .project
        .git(&["ls-tree", "-r", "--name-only", "harness/R-0001"]);
    assert!(!files.contains("src/extra"), "{files}");
    assert_eq!(desk.harness(&["replay", "--check"]).code, 0);
}
