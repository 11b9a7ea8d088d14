//! The review page on the real program: a change of a plain repository, decided, commented and sent.

use crate::support::{Desk, Terminal};

const SIZE: (u16, u16) = (100, 30);
const F3: &str = "\u{1b}OR";

fn review(desk: &Desk, arguments: &[&str]) -> Terminal {
    Terminal::start(&desk.home, &desk.project.root(), arguments, SIZE)
}

#[test]
fn a_change_is_decided_commented_and_found_again_the_next_time() {
    let desk = Desk::new();
    desk.project.write("src/answer", "41\n");
    desk.project
        .write("src/new", "one\ntwo \u{1b}]52;c;aGk=\u{7}\n");
    let mut terminal = review(&desk, &["review", "HEAD.."]);
    terminal.wait_for("0 of 2 hunks");
    terminal.press("a");
    terminal.wait_for("1 of 2 hunks");
    terminal.press("c\t");
    terminal.wait_for("question on line 1");
    terminal.press("why not 42?\r");
    terminal.wait_for("why not 42?");
    terminal.press("c");
    terminal.wait_for("must-fix on line 1");
    terminal.press("it has to be 42\r");
    terminal.wait_for("2 comments");
    terminal.press("S");
    terminal.wait_for("2 sent, though no run is there");
    terminal.press("]x");
    terminal.wait_for("reject, why");
    terminal.press("not needed\r");
    terminal.wait_for("rejected, S takes it back");
    terminal.press("q");
    // A person is needed while something must be fixed.
    assert_eq!(terminal.end(), 5);

    let status = desk.harness(&["review", "status", "--of", "HEAD.."]);
    assert!(status.stdout.contains("2 of 2 hunks"), "{}", status.stdout);
    let mut terminal = review(&desk, &["review", "HEAD.."]);
    terminal.wait_for("2 of 2 hunks");
    // What was said before is there, and it can be taken back now.
    terminal.press("mm");
    terminal.wait_for("it has to be 42");
    terminal.press("R");
    terminal.wait_for("is resolved");
    terminal.press("S");
    terminal.wait_for("1 file  ");
    assert!(!desk.project.root().join("src/new").exists());
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn the_page_opens_from_the_session_and_says_when_nothing_differs() {
    let desk = Desk::new();
    let mut terminal = review(&desk, &[]);
    terminal.wait_for("this repository is trusted as it is");
    terminal.press(F3);
    terminal.wait_for("nothing differs");
    desk.project.write("src/answer", "41\n");
    terminal.press(F3);
    terminal.wait_for("src/answer");
    terminal.press("b");
    terminal.wait_for("what is not committed");
    terminal.press("\u{1b}");
    // An escape and a key right behind it would be one key with Alt.
    terminal.wait_until("the page again", |terminal| {
        !terminal.screen().contains("Compare with")
    });
    terminal.press("q\u{4}");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn what_the_editor_changed_is_seen_when_it_gives_the_terminal_back() {
    let desk = Desk::new();
    desk.project.write("src/answer", "41\n");
    let editor = desk.project.outside().join("editor");
    std::fs::write(&editor, "#!/bin/sh\nprintf '42\\n43\\n' > \"$1\"\n").unwrap();
    let mut mode = std::fs::metadata(&editor).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
    std::fs::set_permissions(&editor, mode).unwrap();
    let environment = [("EDITOR", editor.to_str().unwrap())];
    let root = desk.project.root();
    let arguments = ["review", "HEAD.."];
    let mut terminal = Terminal::start_with(&desk.home, &root, &arguments, SIZE, &environment);
    terminal.wait_for("+ 41");
    terminal.press("e");
    terminal.wait_for("+ 43");
    // And again: looking anew goes on.
    desk.project.write("src/more", "1\n");
    terminal.press("\u{1b}OR");
    terminal.wait_for("more");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}
