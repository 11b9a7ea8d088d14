//! A person at the keyboard: starts, answers, steers, stops, goes on.

use harness_testkit::Home;

use crate::support::{Desk, FINISH, PROGRAM, Terminal, shell, write};

const SIZE: (u16, u16) = (100, 30);

/// Writes a session of a script; each turn is given as it stands there.
fn session(turns: &[&str]) -> String {
    let turns = turns
        .iter()
        .map(|turn| format!("[[session.turn]]\n{turn}\n"));
    std::iter::once("[[session]]\n".to_owned())
        .chain(turns)
        .collect()
}

fn call(call: &str) -> String {
    format!("calls = [{call}]")
}

fn ask(question: &str) -> String {
    call(&format!("{{ tool = \"ask\", text = \"{question}\" }}"))
}

fn words(text: &str) -> String {
    format!("text = \"{text}\"")
}

fn finish() -> String {
    call(FINISH)
}

#[test]
fn nothing_runs_until_asked_and_then_a_task_is_typed() {
    let desk = Desk::new();
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &[], SIZE);
    terminal.wait_for("this repository is trusted as it is");
    terminal.wait_for("F-1 Give the answer");
    let bare = desk.project.root().join(".git/harness/sessions");
    assert!(!bare.exists(), "a session was opened");
    // Without a key there is no model, and that is said where it is seen.
    terminal.press("fix it\r");
    terminal.wait_for("error: ");
    terminal.wait_for("hint: ");
    // The words are given back: nothing began with them. Ctrl+C takes them away.
    terminal.wait_for("> fix it");
    terminal.wait_for("^C clear");
    terminal.press("\u{3}");
    terminal.wait_until("an empty line to write in", |terminal| {
        !terminal.screen().contains("> fix it")
    });
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 2);
}

#[test]
fn a_question_is_answered_and_the_words_reach_the_agent() {
    let desk = Desk::new();
    let turns = [
        &*call(&shell("sleep 2")),
        &*format!("expect = [\"mind the tests\"]\n{}", ask("Which port?")),
        "expect = [\"the person answers: 8080\"]\n\
         text = \"Thank you.\"\ncalls = [{ tool = \"shell\", command = \"true\" }]\n",
        &*words("I only talk."),
        &*words("And talk."),
        &*call(&write("src/answer", "42\n")),
        &*finish(),
    ];
    let script = desk.script(&session(&turns));
    let arguments = ["run", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("shell runs");
    terminal.press("mind the tests\r");
    terminal.wait_for("waits   mind the tests");
    terminal.wait_for("Which port?");
    terminal.press("8080\r");
    terminal.wait_for("say how to go on");
    terminal.press("write it down\r");
    terminal.wait_for("run ended: all_passing");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_stopped_run_goes_on_when_something_is_said() {
    let desk = Desk::new();
    let turns = [
        &*call(&shell("sleep 30")),
        "expect = [\"never mind\"]\ncalls = [{ tool = \"write\", path = \"src/answer\", content = \"42\\n\" }]\n",
        &*finish(),
    ];
    let script = desk.script(&session(&turns));
    let arguments = ["run", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("shell runs");
    terminal.press("\u{1b}");
    terminal.wait_for("stopping after the step in hand");
    terminal.press("\u{1b}");
    terminal.wait_for("run ended: interrupted");
    terminal.press("never mind\r");
    terminal.wait_for("run ended: all_passing");
    let screen = terminal.screen();
    assert_eq!(
        screen.matches("session S-0001, agent").count(),
        1,
        "{screen}"
    );
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn the_gates_decide_when_a_person_lets_them() {
    let desk = Desk::new();
    let turns = [
        &*call(&write("src/answer", "42\n")),
        &*words("There."),
        &*words("Yes."),
    ];
    let script = desk.script(&session(&turns));
    let arguments = ["run", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("say how to go on");
    terminal.press("/gates\r");
    terminal.wait_for("run ended: all_passing");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn trust_is_asked_as_a_panel_and_no_is_no() {
    let desk = Desk::new();
    let turns = [&*call(&write("src/answer", "42\n")), &*finish()];
    let script = desk.script(&session(&turns));
    assert_eq!(desk.harness(&["trust", "--revoke"]).code, 0);
    let arguments = ["run", "--model", script.as_str()];
    for (key, code, text) in [("n", 5, "not trusted"), ("y", 0, "run ended: all_passing")] {
        let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
        terminal.wait_for("Trust exactly this?");
        terminal.wait_for("tests/run.sh");
        // Too early: nobody has read it yet.
        terminal.press("y");
        std::thread::sleep(std::time::Duration::from_millis(600));
        terminal.wait_for("Trust exactly this?");
        terminal.press(key);
        terminal.wait_until(text, |terminal| terminal.screen().contains(text));
        terminal.press("\u{4}");
        assert_eq!(terminal.end(), code, "{}", terminal.screen());
    }
}

#[test]
fn a_command_that_cannot_begin_leaves_the_screen_and_says_why() {
    let desk = Desk::new();
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &["run", "F-9"], SIZE);
    assert_eq!(terminal.end(), 2);
    let screen = terminal.screen();
    assert!(
        screen.contains("error: there is no feature `F-9`"),
        "{screen}"
    );
    assert!(screen.contains("hint: the features are: F-1"), "{screen}");
    let home = Home::new(PROGRAM);
    let bare = home.run(home.path(), &[]);
    assert_eq!(bare.code, 2);
    assert!(
        bare.stderr.contains("there is no terminal"),
        "{}",
        bare.stderr
    );
}

#[test]
fn what_agent_and_files_say_never_acts_on_the_terminal() {
    let desk = Desk::new();
    let wild = "\\u001b]52;c;aGk=\\u0007\\u001b[6n\\u009b6n\\u202ex";
    let turns = [
        &*words(wild),
        &*call(&shell(
            "printf '\\\\033]52;c;aGk=\\\\007\\\\033[6n'; exit 1",
        )),
        &*finish(),
    ];
    let script = desk.script(&session(&turns));
    let arguments = ["run", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("run ended");
    terminal.press("\u{4}");
    terminal.end();
    let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert!(bytes.contains("‹U+001B›"), "the text was not shown");
    for acting in ["\u{1b}]", "\u{1b}[6n", "\u{9b}", "\u{202e}", "\u{7}"] {
        assert!(!bytes.contains(acting), "{acting:?}");
    }
}
