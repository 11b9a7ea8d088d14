//! A finding is red until a person approves exactly that change.

use harness_core::{ApprovalAnswer, ApprovedHow, CallId, Event, Finding, FindingKind, Goal};

use super::{
    facts::{gate, path},
    script::{Script, frozen},
};

const FINISH: (&str, &str) = ("finish", r#"{"text":"done"}"#);

fn finding(id: &str) -> Finding {
    Finding {
        id: id.to_owned(),
        line: Some(3),
        hunk: "-a\n".to_owned(),
        ..Finding::of_path(
            FindingKind::TestsRemoved,
            path("tests/a.rs"),
            "1 test is gone: `a`".to_owned(),
        )
    }
}

/// A run of one feature whose agent has just called `finish`.
fn finished(attended: bool) -> Script {
    let mut run = Script::closed(Goal::All, 1, vec![gate("test")], |run| {
        run.attended = attended;
    });
    run.opens(1);
    run.base_is_green();
    run.calls(&[FINISH]);
    run
}

fn approves(run: &mut Script, turn: u32, ids: &[&str]) -> String {
    let call: CallId = Script::id(turn, 0);
    let answered = run.on(&Event::ApprovalAnswered {
        call,
        answer: ApprovalAnswer::Once,
    });
    assert_eq!(answered, "", "a yes counts with its record alone");
    approved(run, ids, ApprovedHow::Asked)
}

fn approved(run: &mut Script, ids: &[&str], how: ApprovedHow) -> String {
    run.on(&Event::FindingsApproved {
        feature: Script::feature(1),
        findings: ids.iter().map(|id| finding(id)).collect(),
        how,
    })
}

#[test]
fn a_person_is_asked_and_their_yes_lets_the_gates_go_on() {
    let mut run = finished(true);
    assert_eq!(
        run.on(&frozen(2, vec![finding("0a"), finding("0b")])),
        "approval asked; ask approval 1.0"
    );
    let follows = approves(&mut run, 1, &["0a", "0b"]);
    assert!(follows.contains("gate"), "{follows}");
    let known = run.engine.run().approved;
    assert_eq!(known.len(), 2);
    assert_eq!(known[0].id, "0a");
}

#[test]
fn another_change_is_asked_about_anew_and_only_about_what_is_new() {
    let mut run = finished(true);
    run.on(&frozen(2, vec![finding("0a")]));
    approves(&mut run, 1, &["0a"]);
    let follows = run.checks("test", harness_core::CheckStatus::Red);
    assert!(follows.contains("finish refused"), "{follows}");
    run.calls(&[FINISH]);
    assert_eq!(
        run.on(&frozen(3, vec![finding("0a"), finding("0c")])),
        "approval asked; ask approval 2.0"
    );
    let follows = approves(&mut run, 2, &["0c"]);
    assert!(follows.contains("gate"), "{follows}");
}

#[test]
fn a_no_goes_to_the_agent_with_its_reason() {
    let mut run = finished(true);
    run.on(&frozen(2, vec![finding("0a")]));
    let follows = run.on(&Event::ApprovalAnswered {
        call: Script::id(1, 0),
        answer: ApprovalAnswer::No {
            reason: "keep the test".to_owned(),
        },
    });
    assert!(follows.starts_with("finish refused"), "{follows}");
    let prompt = run.prompt();
    for said in [
        "keep the test",
        "tests/a.rs:3: 1 test is gone: `a` [0a]",
        "Restore",
    ] {
        assert!(prompt.contains(said), "{said}: {prompt}");
    }
    assert!(run.engine.run().approved.is_empty());
}

#[test]
fn nobody_is_a_no_but_what_was_approved_beforehand_passes() {
    let mut run = finished(false);
    let follows = run.on(&frozen(2, vec![finding("0a")]));
    assert!(follows.starts_with("finish refused"), "{follows}");
    let mut run = finished(false);
    run.on_unrecorded(&Event::FindingsApproved {
        feature: Script::feature(1),
        findings: vec![finding("0a")],
        how: ApprovedHow::Flag,
    });
    let follows = run.on(&frozen(2, vec![finding("0a")]));
    assert!(follows.contains("gate"), "{follows}");
    // What has no id, as in logs of earlier versions, nothing can approve.
    let mut run = finished(false);
    approved(&mut run, &[""], ApprovedHow::Flag);
    let follows = run.on(&frozen(2, vec![finding("")]));
    assert!(follows.starts_with("finish refused"), "{follows}");
}

#[test]
fn a_question_that_nobody_answered_is_asked_again_and_a_yes_is_kept() {
    let mut run = finished(true);
    run.on(&frozen(2, vec![finding("0a")]));
    let follows = run.crashes_attended();
    assert!(follows.contains("ask approval 1.0"), "{follows}");
    approves(&mut run, 1, &["0a"]);
    run.crashes_attended();
    assert_eq!(run.engine.run().approved.len(), 1);
}
