//! The pages: what they show at the sizes people have.

mod keys;

use harness_core::{CheckReport, Feature, FeatureId, FeatureStatus, SessionId};
use serde_json::json;

use super::desk::{Desk, NOW};
use crate::{
    Answer, CheckpointFound, CheckpointsFound, Failed, FeatureFound, FeaturesFound, FirstFound,
    Found, GateFound, GatesFound, Input, Kept, Overview, Place, Progress, ProofFound, Query, Reach,
    Request, SessionFound, SessionsFound, Standing, Wanted,
};

pub(super) const TREE: &str = "4be1a0c4d2e0f1a2b3c4d5e6f708192a3b4c5d6e";
const OTHER: &str = "9f3ca0c4d2e0f1a2b3c4d5e6f708192a3b4c5d6e";

/// At every size that is reviewed, and once in ASCII.
pub(super) fn check_sizes(name: &str, play: impl Fn(&mut Desk)) {
    for (columns, rows) in [(80, 24), (120, 40), (60, 16)] {
        let mut desk = Desk::new(columns, rows);
        play(&mut desk);
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), desk.picture());
        let mut colourless = Desk::colourless(columns, rows);
        play(&mut colourless);
        assert_eq!(desk.picture(), colourless.picture());
        let (buffer, _) = colourless.buffer();
        let reset = ratatui::style::Color::Reset;
        assert!(buffer.content.iter().all(|cell| cell.fg == reset));
    }
    let mut desk = Desk::ascii(80, 24);
    play(&mut desk);
    let picture = desk.picture();
    assert!(picture.replace('▉', "").is_ascii(), "{picture}");
    insta::assert_snapshot!(format!("{name}_ascii_80x24"), picture);
}

fn feature(id: &str, title: &str, status: FeatureStatus) -> FeatureFound {
    FeatureFound {
        feature: Feature {
            status,
            ..Feature::titled(FeatureId::new(id).unwrap(), title)
        },
        is_claimed: false,
        is_changed: false,
        reason: String::new(),
        proof: None,
    }
}

pub(super) fn features() -> FeaturesFound {
    let mut import = feature("F-010", "Import", FeatureStatus::Passing);
    import.proof = Some(ProofFound {
        tree: OTHER.parse().unwrap(),
        checks: 3,
        session: SessionId::new(5),
    });
    let mut export = feature("F-012", "Export as CSV", FeatureStatus::InProgress);
    export.feature.acceptance = ["quotes doubled", "empty field kept", "header once"]
        .map(str::to_owned)
        .to_vec();
    export.feature.verify = vec![vec![
        "cargo".to_owned(),
        "test".to_owned(),
        "export_".to_owned(),
    ]];
    export.feature.depends_on = vec![FeatureId::new("F-010").unwrap()];
    let mut login = feature("F-014", "Login", FeatureStatus::NeedsHuman);
    login.reason = "asks: which provider?".to_owned();
    let mut paging = feature("F-013", "Paging", FeatureStatus::Pending);
    paging.feature.scope.write = vec!["src/page/**".to_owned()];
    let mut claimed = feature("F-015", "Search\u{1b}[2J 漢字", FeatureStatus::Passing);
    claimed.is_claimed = true;
    FeaturesFound {
        features: vec![
            import,
            export,
            login,
            paging,
            claimed,
            feature("F-016", "Old report", FeatureStatus::Failing),
            feature("F-017", "Print", FeatureStatus::Blocked),
            feature("F-018", "Fax", FeatureStatus::Cancelled),
        ],
        progress: "# Progress\n\n## 2025-11-19 S-0004 F-010 passing\n\n- Done: import\n\n\
            ## 2025-11-20 S-0006 F-012 open\n\n- Tried: regex replace\n- Next: double the quotes\n"
            .to_owned(),
        notes: Vec::new(),
    }
}

fn show_features(desk: &mut Desk) {
    assert_eq!(desk.press("f4"), [look(Wanted::Features)]);
    answer(desk, Wanted::Features, Found::Features(features()));
}

fn look(wanted: Wanted) -> Request {
    Request::Look(Query::Page(wanted))
}

fn answer(desk: &mut Desk, wanted: Wanted, found: Found) {
    desk.take(Input::Answered(Answer::Page(wanted, Ok(Box::new(found)))));
}

fn over(desk: &mut Desk, over: Result<&str, Failed>) -> Vec<Request> {
    let over = over.map(str::to_owned);
    desk.take(Input::Answered(Answer::Errand(Progress::Over(over))))
}

fn report(gate: &str, status: &str, output: &str) -> CheckReport {
    let is_green = status == "green";
    serde_json::from_value(json!({
        "gate": gate, "argv": ["cargo", gate], "stop": { "exited": i32::from(!is_green) },
        "ms": 9_800, "status": status, "reason": if is_green { "" } else { "1 of 212 tests failed" },
        "tests": { "run": 212, "failed": u32::from(!is_green), "skipped": 0 },
        "failed_tests": if is_green { json!([]) } else { json!(["csv::quotes"]) },
        "excerpt": if is_green { "" } else { "csv::quotes at tests/csv.rs:33: expected a\"\"b" },
        "output": { "head": output, "tail": "", "bytes": output.len() }, "output_sha256": "",
    }))
    .unwrap()
}

pub(super) fn gates() -> GatesFound {
    let gate = |name: &str, last| GateFound {
        name: name.to_owned(),
        argv: vec!["cargo".to_owned(), name.to_owned()],
        last,
    };
    let tree = |text: &str| Some(text.parse().unwrap());
    let red = "\u{1b}[1;31mtest csv::quotes FAILED\u{1b}[0m\n\u{1b}]52;c;aGk=\u{7}\u{1b}[2Jexpected a\"\"b, got a\"b\n";
    GatesFound {
        must_fix: Some(1),
        tree: tree(TREE),
        gates: vec![
            gate(
                "lint",
                Some((Box::new(report("lint", "green", "ok\n")), tree(TREE))),
            ),
            gate(
                "fmt",
                Some((Box::new(report("fmt", "green", "")), tree(OTHER))),
            ),
            gate(
                "test",
                Some((Box::new(report("test", "red", red)), tree(TREE))),
            ),
            gate("docs", None),
        ],
    }
}

fn show_gates(desk: &mut Desk) {
    assert_eq!(desk.press("f5"), [look(Wanted::Gates)]);
    answer(desk, Wanted::Gates, Found::Gates(gates()));
}

pub(super) fn checkpoint(number: u32, turn: Option<u32>, message: &str) -> CheckpointFound {
    let at = std::time::Duration::from_secs(u64::from(number) * 95);
    CheckpointFound {
        number: harness_core::CheckpointNumber(number),
        state: Kept::Whole,
        time: Some(NOW.plus(at)),
        feature: Some(FeatureId::new("F-012").unwrap()),
        turn: turn.map(harness_core::TurnNumber),
        gates: if number == 3 {
            "2/3 green".to_owned()
        } else {
            String::new()
        },
        files: number as usize,
        message: message.to_owned(),
    }
}

fn show_checkpoints(desk: &mut Desk) {
    let wanted = Wanted::Checkpoints(None);
    assert_eq!(desk.press("f6"), [look(wanted.clone())]);
    let mut damaged = checkpoint(2, Some(4), "");
    damaged.state = Kept::Damaged;
    let found = CheckpointsFound {
        session: Some(SessionId::new(7)),
        checkpoints: vec![
            checkpoint(0, None, ""),
            checkpoint(1, Some(2), ""),
            damaged,
            checkpoint(3, Some(7), ""),
            checkpoint(4, None, "undo to checkpoint 1 of S-0007"),
        ],
    };
    answer(desk, wanted, Found::Checkpoints(found));
}

fn session(number: u32, goal: &str, standing: Standing, state: &str) -> SessionFound {
    SessionFound {
        session: Some(SessionId::new(number)),
        goal: goal.to_owned(),
        features: format!("F-0{number:02}"),
        branch: "harness/R-0002".to_owned(),
        last: Some(NOW.minus(std::time::Duration::from_secs(
            u64::from(10 - number) * 3_000,
        ))),
        state: state.to_owned(),
        standing,
        checkpoints: number - 4,
        words: (
            "fix csv export".to_owned(),
            "The test wants doubled quotes.".to_owned(),
        ),
        tried: vec!["regex replace".to_owned()],
        checkpoint: Some(harness_core::CheckpointNumber(number - 4)),
        ..SessionFound::default()
    }
}

pub(super) fn sessions() -> SessionsFound {
    SessionsFound {
        archived: 0,
        reach: Reach::Here,
        sessions: vec![
            session(7, "fix csv export", Standing::Stopped, "interrupted"),
            session(6, "importer", Standing::Waiting, "needs you"),
            session(5, "scaffold", Standing::Done, "all passing"),
        ],
        older: 0,
    }
}

fn show_sessions(desk: &mut Desk) {
    desk.write("/sessions");
    let wanted = Wanted::Sessions(Reach::Here);
    assert_eq!(desk.press("enter"), [look(wanted.clone())]);
    answer(desk, wanted, Found::Sessions(sessions()));
}

#[test]
fn the_features_page() {
    check_sizes("page_features", |desk| {
        show_features(desk);
        desk.press("j");
    });
}

#[test]
fn the_features_page_while_a_run_goes_on() {
    check_sizes("page_features_run", |desk| {
        desk.play_until("finish_refused", 1);
        desk.press("f4");
    });
}

#[test]
fn a_feature_in_full() {
    check_sizes("page_feature", |desk| {
        show_features(desk);
        desk.press("j enter");
    });
}

#[test]
fn a_new_feature_is_typed() {
    check_sizes("page_new", |desk| {
        show_features(desk);
        desk.press("n");
        desk.write("Export as JSON --acceptance \"one object\"");
    });
}

#[test]
fn the_gates_page() {
    check_sizes("page_gates", |desk| {
        show_gates(desk);
        desk.press("n");
    });
}

#[test]
fn the_gates_page_while_a_run_goes_on() {
    check_sizes("page_gates_run", |desk| {
        desk.play_until("finish_refused", 1);
        desk.press("f5");
    });
}

#[test]
fn the_output_of_a_gate() {
    check_sizes("page_output", |desk| {
        show_gates(desk);
        desk.press("n enter");
    });
}

#[test]
fn the_checkpoints_page() {
    check_sizes("page_checkpoints", |desk| {
        show_checkpoints(desk);
        desk.press("j d j");
    });
}

#[test]
fn how_two_checkpoints_differ() {
    check_sizes("page_difference", |desk| {
        show_checkpoints(desk);
        let number = harness_core::CheckpointNumber;
        let wanted = Wanted::Difference {
            session: SessionId::new(7),
            from: Some(number(3)),
            to: number(4),
        };
        assert_eq!(desk.press("d j d"), [look(wanted.clone())]);
        let text = "checkpoint: 4 of S-0007\n\ndiff --git a/src/x b/src/x\n--- a/src/x\n+++ b/src/x\n@@ -1 +1 @@\n-a\n+b\u{1b}[2J\n";
        let found = Found::Difference {
            title: "S-0007, checkpoint 4".to_owned(),
            text: text.to_owned(),
        };
        answer(desk, wanted, found);
    });
}

#[test]
fn an_undo_that_is_refused_shows_why_and_the_ways_out() {
    check_sizes("page_refused", |desk| {
        show_checkpoints(desk);
        desk.press("G u enter");
        let message = "cannot undo, nothing was changed: since checkpoint 4 somebody else than the agent changed 1 file\n\n\
            src/x: it was changed\nyou, since then:\n  -a\n  +mine\nthe undo:\n  -a\n  +b";
        over(
            desk,
            Err(Failed {
                message: message.to_owned(),
                hint: Some("`harness checkpoint undo 0 --keep-mine` leaves these".to_owned()),
            }),
        );
    });
}

fn first() -> FirstFound {
    FirstFound {
        repository: "demo\u{1b}[2J".to_owned(),
        branch: "main".to_owned(),
        changed: 0,
        local: vec!["ollama/one".to_owned(), "ollama/two".to_owned()],
        keys: Vec::new(),
        gates: vec!["cargo clippy".to_owned(), "cargo test".to_owned()],
        write: vec!["src/**".to_owned(), "tests/**".to_owned()],
        has_config: false,
        lines: (1, 1),
    }
}

fn begin_first(desk: &mut Desk) {
    let overview = Overview {
        repository: "demo".to_owned(),
        is_first: true,
        ..Overview::default()
    };
    let overview = Answer::Overview(Ok(Box::new(overview)));
    assert_eq!(desk.take(Input::Answered(overview)), [look(Wanted::First)]);
    answer(desk, Wanted::First, Found::First(first()));
}

#[test]
fn the_page_of_the_first_run() {
    check_sizes("page_first", begin_first);
}

#[test]
fn the_sessions_page() {
    check_sizes("page_sessions", show_sessions);
}

#[test]
fn a_question_stays_above_whatever_page_is_open() {
    check_sizes("page_question", |desk| {
        desk.play_until("checkpoint_saved", 1);
        desk.press("f5");
        desk.ask(30);
        desk.wait(500);
    });
}

#[test]
fn a_question_is_reached_by_tab_and_never_by_a_key_meant_for_the_page() {
    for page in ["f3", "f4", "f5", "f6"] {
        let mut desk = Desk::new(80, 24);
        desk.play_until("checkpoint_saved", 1);
        desk.press(page);
        desk.ask(2);
        desk.wait(500);
        assert!(
            desk.press("y n esc")
                .iter()
                .all(|asked| !matches!(asked, Request::Decide { .. }))
        );
        desk.press(page);
        assert!(desk.picture().contains("Trust exactly this?"), "{page}");
        desk.press("tab");
        assert_eq!(desk.app.place(), Place::Question);
        // Leaving it decides nothing, and it can be reached again.
        assert!(desk.press("esc").is_empty());
        desk.press("tab");
        let decided = desk.press("y");
        assert!(
            matches!(decided[..], [Request::Decide { id: 7, .. }]),
            "{decided:?}"
        );
        // The next one has to be reached by tab again.
        desk.ask(2);
        desk.wait(500);
        assert!(desk.press("y").is_empty());
    }
}

#[test]
fn the_agents_question_is_answered_from_a_page() {
    check_sizes("page_asked", |desk| {
        desk.play_until("checkpoint_saved", 1);
        desk.press("f4");
        let call = r#""call":{"turn":3,"index":0}"#;
        desk.log_json(&format!(
            r#"{{"type":"question_asked",{call},"question":"Which separator?\n1 comma\n2 semicolon"}}"#
        ));
        desk.press("tab");
        desk.write("comma");
    });
    let mut desk = Desk::new(80, 24);
    desk.play_until("checkpoint_saved", 1);
    desk.press("f4");
    desk.log_json(r#"{"type":"question_asked","call":{"turn":3,"index":0},"question":"Which?"}"#);
    desk.press("tab");
    desk.write("comma");
    let text = "comma".to_owned();
    let answer = harness_core::Request::Answer { text };
    assert_eq!(desk.press("enter"), [Request::Steer(answer)]);
}
