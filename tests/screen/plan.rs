//! Proposed features as a panel: seen whole before they are taken, and never taken by accident.

use crate::support::{Desk, Terminal, session};

/// Enough features that not all of them fit on a small screen.
fn proposal(count: usize) -> String {
    let feature = |number: usize| {
        format!(
            "{{ title = \"Greet in language {number}\", description = \"Details of {number}.\", acceptance = [\"src/{number} holds a greeting\"] }}"
        )
    };
    let features: Vec<String> = (1..=count).map(feature).collect();
    format!(
        "{{ tool = \"propose\", features = [ {} ] }}",
        features.join(", ")
    )
}

fn awake() {
    std::thread::sleep(std::time::Duration::from_millis(600));
}

#[test]
fn a_plan_is_begun_on_the_screen_and_taken_in_part_at_both_sizes() {
    for size in [(80, 24), (120, 40)] {
        let desk = Desk::new();
        let script = desk.script(&session("The goal P-", &[&proposal(12)]));
        let arguments = ["plan", "greet everybody", "--model", script.as_str()];
        let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, size);
        terminal.wait_for("Take these 12 features into the list?");
        // Neither what was typed before nor a way out decides anything.
        terminal.press("y");
        awake();
        terminal.press("\u{1b}");
        terminal.wait_for("o leaves some out, n says what else");
        terminal.press("y");
        terminal.wait_for("page down to the end first");
        for _ in 0..12 {
            terminal.press("\u{1b}[6~");
        }
        terminal.wait_for("lines above");
        terminal.press("o2,40\r");
        terminal.wait_for("only 1 to 12");
        terminal.press("\u{8}\u{8}12\r");
        terminal.wait_for("run ended: answered");
        terminal.press("\u{4}");
        assert_eq!(terminal.end(), 0, "{}", terminal.screen());
        let said = String::from_utf8_lossy(&terminal.bytes()).into_owned();
        assert!(
            said.contains("harness: run ended: answered, P-0001 accepted, 10 features added"),
            "{said}"
        );
        let list = desk.project.read("feature_list.json");
        assert!(list.contains("Greet in language 11"), "{list}");
        assert!(
            !list.contains("language 12") && !list.contains("language 2\""),
            "{list}"
        );
    }
}

#[test]
fn the_command_typed_on_the_screen_plans_and_words_go_back_to_the_agent() {
    let desk = Desk::new();
    let turns = [&*proposal(2), &proposal(1)];
    let script = desk.script(&session("The goal P-", &turns));
    desk.home.configure("[ui]\nascii = false\n");
    let arguments = ["plan", "first goal", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, (100, 30));
    terminal.wait_for("Take these 2 features into the list?");
    awake();
    terminal.press("nonly one of them\r");
    terminal.wait_for("Take this feature into the list?");
    awake();
    terminal.press("d");
    terminal.wait_for("run ended: interrupted");
    awake();
    terminal.press("/plan\r");
    terminal.wait_for("`/plan GOAL` has features proposed");
    terminal.press("\u{3}/plan the goal again\r");
    terminal.wait_for("P-0002");
    terminal.wait_for("Take these 2 features into the list?");
    awake();
    terminal.press("y");
    terminal.wait_for("run ended: answered");
    terminal.press("\u{4}");
    terminal.end();
    let list = desk.project.read("feature_list.json");
    assert!(list.contains("Greet in language 2"), "{list}");
}
