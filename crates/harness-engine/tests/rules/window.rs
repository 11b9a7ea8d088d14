//! A window that fills up: what is cut, when a fresh session goes on, and what goes along.

use harness_core::{CallEnd, EndReason, FailureClass, Goal, Outcome, StopReason, TokenCount};

use super::script::Script;

/// Makes a run with a window of so many tokens, its first request in flight.
fn small(window: u64) -> Script {
    let mut run = Script::closed(Goal::All, 2, Vec::new(), |run| {
        run.model.context = TokenCount(window);
    });
    run.opens(1);
    run
}

fn read(bytes: usize) -> CallEnd {
    let line = "x".repeat(99) + "\n";
    CallEnd::Done {
        outcome: Outcome::Text {
            note: String::new(),
            text: line.repeat(bytes / 100),
            lines: (bytes / 100) as u64,
            cut: false,
        },
    }
}

impl Script {
    /// Reads a file of its own in one turn and returns what follows.
    fn reads(&mut self, bytes: usize) -> String {
        let turn = self.turn.0;
        self.calls(&[("read", &format!(r#"{{"path":"src/{turn}.rs"}}"#))]);
        self.ends(turn, 0, read(bytes))
    }

    fn plans(&mut self, items: &str) -> String {
        self.calls(&[("plan", &format!(r#"{{"items":{items}}}"#))])
    }

    /// Calls with arguments that nothing drops, until the window is full.
    fn fills_its_window(&mut self) -> String {
        for number in 0..20 {
            let text = format!("{number}{}", "w".repeat(6_000));
            let follows = self.calls(&[("shel", &format!(r#"{{"command":"{text}"}}"#))]);
            if follows.contains("window full") || follows.contains("given up") {
                return follows;
            }
        }
        panic!("the window is never full");
    }
}

#[test]
fn old_output_is_dropped_and_what_holds_is_said_again() {
    let mut run = small(12_000);
    run.plans(r#"["[>] look","[ ] write"]"#);
    let mut follows = String::new();
    for _ in 0..8 {
        follows = run.reads(9_000);
        if follows.contains("window cut") {
            break;
        }
    }
    assert!(follows.contains("window cut by"), "{follows}");
    assert!(run.told("dropped to make room: `read` `src/2.rs`") == 1);
    assert_eq!(run.told("[ ] write"), 2, "in the call and said again");
    assert_eq!(run.told("feature 1"), 2);
    let prompt = run.prompt();
    run.crashes();
    assert_eq!(run.prompt(), prompt, "the folded log sends the same");
}

#[test]
fn a_full_window_is_handed_over_to_a_fresh_session_of_the_same_feature() {
    let mut run = small(12_000);
    run.plans(r#"["[x] look","[ ] write"]"#);
    run.hears("use tabs");
    let follows = run.fills_its_window();
    assert!(follows.contains("window full 1; hand over"), "{follows}");
    let old = run.prompt();
    let follows = run.is_handed_over("half of it", 0.0);
    assert_eq!(follows, "session ended; open F-001");
    assert!(run.engine.run().given_up.is_empty());
    let follows = run.opens(2);
    assert!(follows.ends_with("request 1"), "{follows}");
    assert!(run.prompt().len() < old.len());
    for wanted in [
        "[ ] write",
        "use tabs",
        "You go on with this feature",
        "feature 1",
    ] {
        assert_eq!(run.told(wanted), 1, "{wanted}");
    }
}

#[test]
fn two_sessions_that_bring_nothing_are_stuck() {
    let mut run = small(12_000);
    run.fills_its_window();
    run.is_handed_over("half of it", 0.0);
    run.opens(2);
    let follows = run.fills_its_window();
    assert!(follows.contains("given up stuck"), "{follows}");
}

#[test]
fn what_the_provider_finds_too_long_is_cut_and_sent_again() {
    let mut run = small(100_000);
    for _ in 0..4 {
        run.reads(20_000);
    }
    let before = run.prompt().len();
    let follows = run.fails(FailureClass::ContextOverflow, None);
    assert!(follows.starts_with("window cut by"), "{follows}");
    assert!(follows.ends_with("request 5"), "{follows}");
    assert!(run.prompt().len() < before);
    let follows = run.responds(Vec::new(), StopReason::ContextFull);
    assert!(
        follows.contains("window full") || follows.contains("window cut"),
        "{follows}"
    );
}

#[test]
fn a_first_request_that_can_never_fit_says_so() {
    let mut run = Script::closed(Goal::All, 1, Vec::new(), |run| {
        run.model.context = TokenCount(1_000);
    });
    let follows = run.opens(1);
    assert!(
        follows.ends_with(&format!("run ended {}", EndReason::Blocked)),
        "{follows}"
    );
    assert!(
        run.detail().contains("the largest part is"),
        "{}",
        run.detail()
    );
}
