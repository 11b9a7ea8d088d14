//! A finding is approved on the screen, with the change in sight, or it is not.

use crate::support::{CONFIG, Desk, FEATURES, FINISH, TESTS, Terminal, session, write};

const SIZE: (u16, u16) = (100, 30);
const PYTHON: &str = "def test_sum():\n    assert 1 + 1 == 2\n    assert 2 + 2 == 4\n";

fn desk() -> Desk {
    Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/test_math.py", PYTHON),
        ("tests/run.sh", TESTS),
    ])
}

fn start(desk: &Desk, turns: &[&str]) -> Terminal {
    let script = desk.script(&session("", turns));
    let arguments = ["run", "F-1", "--model", script.as_str()];
    Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE)
}

fn awake() {
    std::thread::sleep(std::time::Duration::from_millis(600));
}

fn weaken(times: usize) -> String {
    let lines = "    print('more')\n".repeat(times);
    let weak = PYTHON.replace("    assert 2 + 2 == 4\n", &lines);
    write("tests/test_math.py", &weak)
}

#[test]
fn a_yes_with_the_change_in_sight_lets_the_gates_go_on() {
    let desk = desk();
    let turns = [&*weaken(1), &write("src/answer", "42\n"), FINISH];
    let mut terminal = start(&desk, &turns);
    terminal.wait_for("Approve this finding in the change of F-1?");
    terminal.wait_for("tests/test_math.py:3: assertions fell from 2 to 1");
    terminal.wait_for("-    assert 2 + 2 == 4");
    awake();
    terminal.press("s");
    terminal.wait_for("for exactly these changes: y or n");
    terminal.press("y");
    terminal.wait_for("approved for F-1: 1 finding");
    terminal.wait_for("run ended: feature_passed");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    let evidence = desk.project.read(".harness/evidence/F-1.json");
    assert!(evidence.contains("\"how\": \"asked\""), "{evidence}");
}

#[test]
fn a_yes_before_the_end_was_seen_is_none_and_a_no_reaches_the_agent() {
    let desk = desk();
    let turns = [
        &*weaken(60),
        &write("src/answer", "42\n"),
        FINISH,
        &write("tests/test_math.py", PYTHON),
        FINISH,
    ];
    let mut terminal = start(&desk, &turns);
    terminal.wait_for("Approve this finding in the change of F-1?");
    awake();
    terminal.press("y");
    terminal.wait_for("page down to the end first");
    terminal.press("nkeep the assertion\r");
    terminal.wait_for("no: keep the assertion");
    terminal.wait_for("run ended: feature_passed");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert_eq!(desk.project.read("tests/test_math.py"), PYTHON);
    let evidence = desk.project.read(".harness/evidence/F-1.json");
    assert!(evidence.contains("\"findings\": []"), "{evidence}");
}

#[test]
fn plain_lines_show_the_change_and_take_the_answer() {
    let desk = desk();
    let script = desk.script(&session(
        "",
        &[&weaken(1), &write("src/answer", "42\n"), FINISH],
    ));
    let arguments = ["run", "F-1", "--plain", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("Approve this finding in the change of F-1?");
    terminal.wait_for("-    assert 2 + 2 == 4");
    terminal.wait_for("y  yes, exactly these changes");
    awake();
    terminal.press("y\r");
    terminal.wait_for("approved for F-1: 1 finding");
    assert_eq!(terminal.end(), 0);
}
