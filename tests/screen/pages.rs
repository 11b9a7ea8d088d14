//! The pages on the real program: what they show of a real repository, and what their keys do to it.

use harness_testkit::Home;

use super::demo::Tmux;
use crate::support::{Desk, FINISH, PROGRAM, Terminal, session, write};

const SIZE: (u16, u16) = (100, 30);
const F2: &str = "\u{1b}OQ";
const F4: &str = "\u{1b}OS";
const F5: &str = "\u{1b}[15~";
const F6: &str = "\u{1b}[17~";

fn open(desk: &Desk) -> Terminal {
    let terminal = Terminal::start(&desk.home, &desk.project.root(), &[], SIZE);
    terminal.wait_for("this repository is trusted as it is");
    terminal
}

fn quit(mut terminal: Terminal) {
    terminal.press(F2);
    terminal.wait_for("harness  ");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn features_are_added_changed_moved_and_blocked_on_their_page() {
    let desk = Desk::new();
    let mut terminal = open(&desk);
    terminal.press(F4);
    terminal.wait_for("F-1  Give the answer");
    terminal.wait_for("description: src/answer must say 42");
    terminal.press("nExport as CSV --acceptance \"header once\"\r");
    terminal.wait_for("feature: F-2 pending, Export as CSV");
    terminal.wait_for("F-2  Export as CSV");
    terminal.press("j");
    terminal.wait_for("done when: header once");
    terminal.press("K");
    terminal.wait_for("feature: F-2 comes first");
    let list = desk.harness(&["feature", "show", "F-2", "--json"]).stdout;
    assert!(list.contains("\"priority\":1"), "{list}");
    // Its place in the list has changed, and it is still the one that is chosen.
    terminal.press("e\u{15}--add-acceptance \"an empty field\"\r");
    terminal.wait_for("done when: header once; an empty field");
    terminal.press("bthe bank\r");
    terminal.wait_for("feature: F-2 blocked: the bank");
    terminal.wait_for("blocked  the bank");
    // What is typed wrong is said, and nothing is changed.
    terminal.press("e\u{15}--no-such-flag\r");
    terminal.wait_for("error: cannot read the line");
    terminal.press("b\r");
    terminal.wait_for("feature: F-2 pending, was blocked");
    quit(terminal);
    let list = desk.harness(&["feature", "list"]).stdout;
    assert!(list.contains("F-2 pending, Export as CSV"), "{list}");
}

#[test]
fn gates_run_on_their_page_and_turn_stale_when_files_change() {
    let desk = Desk::new();
    desk.project.write("src/answer", "41\n");
    let mut terminal = open(&desk);
    terminal.press(F5);
    terminal.wait_for("not run");
    terminal.press("R");
    terminal.wait_for("1 of 2 failed");
    terminal.press("\r");
    terminal.wait_for("not ok 2 - the answer is not 41");
    terminal.press("q");
    desk.project.write("src/answer", "42\n");
    terminal.press(F5);
    terminal.wait_for("stale");
    terminal.press("r");
    terminal.wait_for("✓ test");
    terminal.wait_for("all green");
    quit(terminal);
}

#[test]
fn what_was_done_by_hand_is_finished_from_the_features_page() {
    let desk = Desk::new();
    desk.project.write("src/answer", "41\n");
    let mut terminal = open(&desk);
    terminal.press(F4);
    terminal.wait_for("F-1  Give the answer");
    terminal.press("D");
    // It never just flips a mark.
    terminal.wait_for("run ended: gates_red");
    desk.project.write("src/answer", "42\n");
    terminal.press(F4);
    terminal.wait_for("F-1  Give the answer");
    terminal.wait_until("nothing that runs", |terminal| {
        !terminal.screen().contains("● running")
    });
    terminal.press("D");
    terminal.wait_for("run ended: feature_passed");
    terminal.wait_for("brings it to your");
    terminal.press(F4);
    terminal.wait_for("passing");
    quit(terminal);
    assert!(desk.project.read("feature_list.json").contains("passing"));
}

#[test]
fn a_checkpoint_is_looked_at_and_gone_back_to_unless_that_would_lose_work() {
    let desk = Desk::new();
    let turns = [&*write("src/answer", "42\n"), FINISH];
    let script = desk.script(&session("", &turns));
    let run = desk.harness(&["run", "F-1", "--plain", "--model", &script]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    let mut terminal = open(&desk);
    terminal.press(F6);
    terminal.wait_for("before the session");
    terminal.press("\r");
    terminal.wait_for("base: checkpoint 0");
    terminal.wait_for("+ 42");
    terminal.press("q");
    terminal.wait_for("before the session");
    terminal.press("G");
    desk.project.write("src/answer", "mine\n");
    terminal.press("u\r");
    terminal.wait_for("Undo refused");
    terminal.wait_for("+mine");
    assert_eq!(desk.project.read("src/answer"), "mine\n");
    terminal.press("q");
    terminal.wait_for("u undo");
    terminal.press("u");
    terminal.wait_for("files keep-mine");
    terminal.press("\u{15}files save\r");
    terminal.wait_for("checkpoint: back at 0");
    assert_eq!(desk.project.read("src/answer"), "0\n");
    terminal.wait_for("undo to checkpoint 0");
    quit(terminal);
}

#[test]
fn a_session_is_found_by_its_words() {
    let desk = Desk::new();
    let turns = ["text = \"The answer wants two digits.\""; 4];
    let script = desk.script(&session("", &turns));
    desk.harness(&["run", "F-1", "--plain", "--no-input", "--model", &script]);
    let mut terminal = open(&desk);
    terminal.press("/sessions\r");
    terminal.wait_for("S-0001  Give the answer");
    terminal.press("/two digits\r");
    terminal.wait_for("1 shown");
    terminal.wait_for("The answer wants two digits.");
    terminal.press("\u{1b}");
    terminal.wait_until("all rows again", |terminal| {
        !terminal.screen().contains("1 shown")
    });
    quit(terminal);
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn the_pages_are_gone_through_by_keyboard_and_by_palette_in_tmux() {
    let Some(tmux) = Tmux::start("pages") else {
        eprintln!("skipped: tmux is not installed");
        return;
    };
    let home = Home::new(PROGRAM);
    tmux.play_demo(&home, "80", "24");
    tmux.wait_for("0 of 2 hunks");
    tmux.press(&["F2"]);
    tmux.wait_for("landed F-001, F-002 on main");
    // The session that was open last had the second feature.
    for (key, title, row) in [
        ("F4", "Features   2", "F-002  Take a discount"),
        // What the harness wrote of the proof makes nothing stale.
        ("F5", "Gates ", "F-002 passes"),
        ("F6", "Checkpoints   S-0002", "before the session"),
    ] {
        tmux.press(&[key]);
        let screen = tmux.wait_for(title);
        assert!(screen.starts_with(&format!("▌{title}")), "{screen}");
        tmux.wait_for(row);
        tmux.press(&["q"]);
        tmux.wait_for("Session S-0002");
    }
    // The same without a function key.
    for (name, title) in [
        ("features.show", "Features   2"),
        ("gates.show", "Gates "),
        ("checkpoints.show", "Checkpoints   S-0002"),
        ("sessions.show", "Sessions   this repo"),
        ("review.show", "Review"),
    ] {
        tmux.press(&["C-p"]);
        tmux.wait_for("find:");
        tmux.press(&[name]);
        tmux.wait_for(name);
        tmux.press(&["Enter"]);
        let screen = tmux.wait_for(title);
        // The parts of a review have marks of their own.
        let mark = if title == "Review" { " " } else { "▌" };
        assert!(screen.starts_with(&format!("{mark}{title}")), "{screen}");
    }
    tmux.press(&["C-p"]);
    tmux.wait_for("find:");
    tmux.press(&["session.show"]);
    tmux.wait_for("find: session.show");
    tmux.press(&["Enter"]);
    tmux.wait_for("Session S-0002");
    tmux.press(&["C-d"]);
    tmux.wait_for("exit 0");
}
