//! The rules of a run, one small script each: an event goes in, what follows comes out in words.

#![expect(
    clippy::unwrap_used,
    reason = "what a test builds is valid, and a panic is how it fails"
)]

#[path = "rules/approval.rs"]
mod approval;
#[path = "rules/beside.rs"]
mod beside;
#[path = "rules/by_hand.rs"]
mod by_hand;
#[path = "rules/drift.rs"]
mod drift;
#[path = "support/facts.rs"]
mod facts;
#[path = "rules/fallback.rs"]
mod fallback;
#[path = "rules/findings.rs"]
mod findings;
#[path = "rules/gates.rs"]
mod gates;
#[path = "rules/jobs.rs"]
mod jobs;
#[path = "rules/limits.rs"]
mod limits;
#[path = "rules/network.rs"]
mod network;
#[path = "rules/pacing.rs"]
mod pacing;
#[path = "rules/person_review.rs"]
mod person_review;
#[path = "rules/planning.rs"]
mod planning;
#[path = "rules/recorded.rs"]
mod recorded;
#[path = "rules/regression.rs"]
mod regression;
#[path = "rules/review.rs"]
mod review;
#[path = "rules/script.rs"]
mod script;
#[path = "rules/steering.rs"]
mod steering;
#[path = "rules/turning_back.rs"]
mod turning_back;
#[path = "rules/window.rs"]
mod window;

use std::time::Duration;

use facts::{call, gate, path, tree};
use harness_core::{
    CallEnd, CheckStatus, CheckpointNumber, CheckpointSaved, EndReason, Event, FailureClass,
    Finding, FindingKind, Goal, Money, Outcome, Price, RepoPath, Stop, StopReason, TokenCount,
    Usage,
};
use harness_engine::Tick;
use script::{Script, frozen, frozen_unchanged, passed};

#[test]
fn a_stop_without_a_call_is_nudged_once_and_then_counts_as_a_claim() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.saves_changed_work(2);
    assert_eq!(run.says("All done."), "nudged; request 3");
    assert_eq!(
        run.says("All done."),
        "finish requested; status verifying; freeze"
    );
}

#[test]
fn a_task_whose_tree_is_unchanged_is_answered() {
    let mut run = Script::task(vec![gate("test")]);
    assert_eq!(
        run.says("It means this."),
        "session ended; run ended answered"
    );
}

#[test]
fn a_task_whose_tree_has_changed_is_not_answered_by_stopping() {
    let mut run = Script::task(vec![gate("test")]);
    run.saves_changed_work(2);
    assert_eq!(run.says("Done."), "nudged; request 3");
}

#[test]
fn a_red_strict_base_blocks_the_run() {
    let mut run = Script::features(1, vec![gate("test")]);
    let red = facts::report(&gate("test"), CheckStatus::Red);
    assert_eq!(
        run.on(&Event::BaselineEnded {
            report: Box::new(red),
            cached: false
        }),
        "stop blocked; cancel model"
    );
    assert_eq!(
        run.fails(FailureClass::Cancelled, None),
        "run ended blocked"
    );
    assert!(
        run.detail()
            .contains("gate `test` is red on the base already")
    );
}

#[test]
fn a_cancelled_gate_says_nothing_about_the_base() {
    let mut run = Script::features(1, vec![gate("test")]);
    let mut report = facts::report(&gate("test"), CheckStatus::Error);
    report.stop = Some(Stop::Cancelled);
    assert_eq!(
        run.on(&Event::BaselineEnded {
            report: Box::new(report),
            cached: false
        }),
        ""
    );
}

#[test]
fn gates_wait_for_the_base() {
    let mut run = Script::features(1, vec![gate("test")]);
    assert_eq!(
        run.calls(&[("finish", r#"{"text":"done"}"#)]),
        "allow 1.0; finish requested; status verifying; freeze"
    );
    assert_eq!(run.on(&frozen(2, Vec::new())), "");
    assert_eq!(run.base_is_green(), "gate test");
}

#[test]
fn red_gates_give_the_failing_text_back_and_use_an_attempt() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    assert_eq!(run.on(&frozen(2, Vec::new())), "gate test");
    assert_eq!(
        run.checks("test", CheckStatus::Red),
        "gate ended red; finish refused; status in_progress; ended 1.0 answered; request 2"
    );
    assert!(run.prompt().contains("assertion failed: left == right"));
    assert_eq!(run.attempts(), 1);
}

#[test]
fn attempts_used_up_leave_the_feature_to_a_person_and_the_next_one_starts_clean() {
    let mut run = Script::one_attempt(2);
    run.saves_changed_work(2);
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    run.on(&frozen(2, Vec::new()));
    assert_eq!(
        run.checks("test", CheckStatus::Red),
        "gate ended red; finish refused; status in_progress; given up gates_red; \
         status needs_human; ended 2.0 answered; set aside"
    );
    let aside = Event::WorkSetAside {
        files: 1,
        message: String::new(),
        kept: None,
    };
    assert_eq!(run.on(&aside), "session ended; open F-002");
    run.opens(2);
    run.base_is_green();
    assert_eq!(
        run.calls(&[("ask", r#"{"text":"which?"}"#)]),
        "allow 1.0; question asked; given up needs_human; status needs_human; \
         ended 1.0 cancelled; session ended; run ended gates_red"
    );
}

#[test]
fn several_claims_in_one_answer_do_not_go_over_the_attempts() {
    let mut run = Script::one_attempt(1);
    run.calls(&[("finish", r#"{"text":"a"}"#), ("finish", r#"{"text":"b"}"#)]);
    run.on(&frozen(2, Vec::new()));
    let follows = run.checks("test", CheckStatus::Red);
    assert!(
        follows.ends_with("ended 1.1 cancelled; session ended; run ended gates_red"),
        "{follows}"
    );
}

#[test]
fn work_that_cannot_be_set_aside_stops_the_run() {
    let mut run = Script::features(2, Vec::new());
    run.saves_changed_work(2);
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    assert_eq!(
        run.on(&frozen(2, Vec::new())),
        "given up needs_human; status needs_human; ended 2.0 cancelled; set aside"
    );
    let aside = Event::WorkSetAside {
        files: 0,
        message: "`src/a.rs` was changed".to_owned(),
        kept: None,
    };
    assert_eq!(run.on(&aside), "stop needs_human; run ended needs_human");
}

#[test]
fn a_question_without_a_person_leaves_the_feature_to_one() {
    let mut run = Script::features(1, vec![gate("test")]);
    assert_eq!(
        run.calls(&[("ask", r#"{"text":"which?"}"#)]),
        "allow 1.0; question asked; given up needs_human; status needs_human; \
         ended 1.0 cancelled; session ended; run ended needs_human"
    );
}

#[test]
fn a_question_with_a_person_is_put_to_them() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.resumes_attended();
    assert_eq!(
        run.calls(&[("ask", r#"{"text":"which?"}"#)]),
        "allow 1.0; question asked; ask which?"
    );
    let answer = Event::QuestionAnswered {
        call: Script::id(1, 0),
        answer: "the first".to_owned(),
    };
    assert_eq!(run.on(&answer), "ended 1.0 answered; save 1; request 2");
    assert!(run.prompt().contains("the person answers: the first"));
}

#[test]
fn an_interrupt_ends_in_order_with_a_checkpoint() {
    let mut run = Script::features(1, vec![gate("test")]);
    assert_eq!(
        run.calls(&[
            ("shell", r#"{"command":"make"}"#),
            ("note", r#"{"text":"n"}"#)
        ]),
        "allow 1.0; allow 1.1; perform 1.0"
    );
    assert_eq!(
        run.on(&Event::Interrupted),
        "cancel work; ended 1.1 cancelled"
    );
    assert_eq!(run.ends(1, 0, CallEnd::Cancelled), "save 1");
    assert_eq!(run.on(&Event::CheckpointUnchanged), "run ended interrupted");
}

#[test]
fn an_interrupt_never_cuts_a_commit_short() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    run.on(&frozen(2, Vec::new()));
    assert_eq!(
        run.checks("test", CheckStatus::Green),
        "gate ended green; commit F-001"
    );
    assert_eq!(run.on(&Event::Interrupted), "");
    assert_eq!(
        run.on(&passed("F-001", 2)),
        "ended 1.0 answered; run ended interrupted"
    );
}

#[test]
fn a_proof_that_was_being_committed_is_committed_first_after_a_crash() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    run.on(&frozen(2, Vec::new()));
    run.checks("test", CheckStatus::Green);
    assert_eq!(run.crashes(), "commit F-001");
    assert_eq!(
        run.on(&passed("F-001", 2)),
        "status passing; ended 1.0 answered; save 1"
    );
    assert_eq!(
        run.on(&Event::CheckpointUnchanged),
        "session ended; run ended all_passing"
    );
}

#[test]
fn the_next_feature_gets_a_fresh_context_on_the_new_tip() {
    let mut run = Script::features(2, vec![gate("test")]);
    run.base_is_green();
    run.calls(&[
        ("note", r#"{"text":"the old session"}"#),
        ("finish", r#"{"text":"done"}"#),
    ]);
    run.on(&frozen(2, Vec::new()));
    run.checks("test", CheckStatus::Green);
    assert_eq!(
        run.on(&passed("F-001", 7)),
        "status passing; ended 1.1 answered; session ended; open F-002"
    );
    assert_eq!(run.opens(2), "status in_progress; baseline test; request 1");
    assert!(!run.prompt().contains("the old session"));
    let state = run.engine.run();
    assert_eq!(
        (state.tip, state.work_start),
        (facts::commit(7), Some(tree(7)))
    );
    assert_eq!(run.engine.opened().unwrap().session.number(), 2);
}

#[test]
fn the_same_call_with_the_same_result_is_stuck_within_ten() {
    let mut run = Script::features(1, vec![gate("test")]);
    let mut follows = String::new();
    let mut turn = 0;
    while !follows.contains("given up") {
        turn += 1;
        run.calls(&[("read", r#"{"path":"src/a.rs"}"#)]);
        let outcome = Outcome::Text {
            text: "same".to_owned(),
            lines: 1,
            cut: false,
            note: String::new(),
        };
        follows = run.ends(turn, 0, CallEnd::Done { outcome });
        assert_eq!(
            follows.contains("nudged"),
            turn == 3,
            "turn {turn}: {follows}"
        );
    }
    assert!(turn < 10);
    assert_eq!(
        follows,
        "given up stuck; status needs_human; session ended; run ended stuck"
    );
}

#[test]
fn a_refused_key_ends_provider_failed_and_resuming_tries_again() {
    let mut run = Script::features(1, Vec::new());
    assert_eq!(
        run.fails(FailureClass::Auth, None),
        "stop provider_failed; run ended provider_failed"
    );
    assert_eq!(run.crashes(), "request 1");
}

#[test]
fn a_failed_request_is_sent_again_after_its_delay_on_the_same_turn() {
    let mut run = Script::features(1, Vec::new());
    assert_eq!(
        run.fails(FailureClass::RateLimited, Some(1_500)),
        "retry 1 in 1500 ms"
    );
    let due = run.engine.next_deadline().unwrap();
    assert_eq!(due, run.now.plus(Duration::from_millis(1_500)));
    assert_eq!(run.engine.observe(Tick::Time, run.now), None);
    let retry = run.engine.observe(Tick::Time, due).unwrap();
    assert_eq!(run.on(&retry), "request 1");
    assert_eq!(
        run.fails(FailureClass::RateLimited, Some(3_600_000)),
        "stop provider_failed; run ended provider_failed"
    );
}

#[test]
fn a_late_end_changes_nothing() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.calls(&[("write", r#"{"path":"src/a.rs","content":"1"}"#)]);
    let done = run.written();
    assert_eq!(run.ends(1, 0, done.clone()), "save 1; request 2");
    assert_eq!(run.ends(1, 0, done), "");
    assert_eq!(run.on(&Event::CheckpointUnchanged), "");
    assert_eq!(
        run.on(&Event::CheckpointFailed {
            message: "late".to_owned()
        }),
        ""
    );
    assert_eq!(run.on(&passed("F-001", 9)), "");
    let saved = |number| {
        Event::CheckpointSaved(CheckpointSaved {
            number: CheckpointNumber(number),
            commit: facts::commit(9),
            tree: tree(9),
            changes: Vec::new(),
            ms: 1,
        })
    };
    let write = [("write", r#"{"path":"src/a.rs","content":"2"}"#)];
    let done = run.written();
    run.calls(&write);
    assert_eq!(run.ends(2, 0, done), "save 1; request 3");
    assert_eq!(run.on(&saved(7)), "");
    assert_eq!(run.calls(&write), "allow 3.0");
    assert_eq!(run.on(&saved(1)), "perform 3.0");
    assert_eq!(
        run.on(&Event::OpenFailed {
            message: "late".to_owned()
        }),
        ""
    );
    assert_eq!(run.engine.run().tip, facts::commit(1));
}

#[test]
fn findings_refuse_a_finish_before_any_gate_runs() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    let finding = Finding::of_path(
        FindingKind::TestsRemoved,
        path("tests/a.rs"),
        "two tests fewer".to_owned(),
    );
    assert_eq!(
        run.on(&frozen(2, vec![finding])),
        "finish refused; status in_progress; ended 1.0 answered; request 2"
    );
    assert!(run.prompt().contains("tests/a.rs: two tests fewer"));
}

#[test]
fn a_finish_that_changed_nothing_is_refused() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    run.base_is_green();
    let follows = run.on(&frozen_unchanged(2));
    assert!(follows.starts_with("finish refused"), "{follows}");
    assert!(run.prompt().contains("nothing was changed"));
}

#[test]
fn without_gates_nothing_can_be_proven() {
    let mut run = Script::features(1, Vec::new());
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    let follows = run.on(&frozen(2, Vec::new()));
    assert!(follows.starts_with("given up needs_human"), "{follows}");
    assert!(run.detail().contains("harness feature accept"));
}

#[test]
fn a_feature_that_names_an_unknown_gate_blocks_the_run_and_is_named() {
    let mut run = Script::closed(Goal::All, 1, vec![gate("test")], |run| {
        run.features[0].gates = vec!["ghost".to_owned()];
    });
    assert_eq!(run.opens(1), "run ended blocked");
    assert!(
        run.detail()
            .contains("feature `F-001` names the gate `ghost`")
    );
}

#[test]
fn a_goal_whose_feature_waits_for_another_is_not_reached() {
    let goal = Goal::One {
        feature: Script::feature(2),
    };
    let run = Script::closed(goal, 2, Vec::new(), |run| {
        run.features[1].depends_on = vec![Script::feature(1)];
    });
    assert_eq!(run.engine.end(), Some(EndReason::NeedsHuman));
}

#[test]
fn a_session_that_cannot_be_opened_fails_the_run() {
    let mut run = Script::closed(Goal::All, 1, Vec::new(), |_| {});
    assert_eq!(
        run.on(&Event::OpenFailed {
            message: "no space left".to_owned()
        }),
        "run ended failed"
    );
}

#[test]
fn the_map_of_a_touched_folder_reaches_the_next_prompt_once() {
    let mut run = Script::features(1, Vec::new());
    run.calls(&[("read", r#"{"path":"docs/a.md"}"#)]);
    let map = Event::DocumentLoaded {
        path: path("docs/AGENTS.md"),
        tokens: TokenCount(4),
        text: Some("keep it short".to_owned()),
        problem: None,
    };
    assert_eq!(run.on(&map), "");
    assert_eq!(run.on(&map), "");
    let outcome = Outcome::Text {
        text: "a".to_owned(),
        lines: 1,
        cut: false,
        note: String::new(),
    };
    assert_eq!(run.ends(1, 0, CallEnd::Done { outcome }), "request 2");
    assert_eq!(run.prompt().matches("keep it short").count(), 1);
}

#[test]
fn the_budget_holds_while_an_answer_streams() {
    let mut run = Script::closed(Goal::All, 1, Vec::new(), |run| {
        run.policy.limits.usd = Some(Money::from_usd(0.01));
        run.model.price = Some(Price {
            output: Money(15_000_000),
            ..Price::default()
        });
    });
    run.opens(1);
    let tokens = |output| {
        Tick::Usage(Usage {
            output,
            ..Usage::default()
        })
    };
    assert_eq!(run.engine.observe(tokens(600), run.now), None);
    let stop = run.engine.observe(tokens(700), run.now).unwrap();
    assert_eq!(run.on(&stop), "cancel model");
    assert_eq!(run.fails(FailureClass::Cancelled, None), "hand over");
    assert_eq!(run.is_handed_over("facts", 0.0), "run ended budget");
}

#[test]
fn what_others_spend_on_the_day_stops_a_run() {
    let script = |price: Price| {
        let mut run = Script::closed(Goal::All, 1, Vec::new(), |run| {
            run.policy.limits.day_usd = Some(Money::from_usd(1.0));
            run.model.price = Some(price);
        });
        run.opens(1);
        run
    };
    let mut run = script(Price {
        output: Money(15_000_000),
        ..Price::default()
    });
    let day = |usd, output| Tick::Day {
        spent: Money::from_usd(usd),
        in_flight: Usage {
            output,
            ..Usage::default()
        },
    };
    let seen = |run: &Script, tick| run.engine.observe(tick, run.now);
    assert_eq!(seen(&run, day(0.79, 0)), None);
    let warned = seen(&run, day(0.79, 10_000));
    assert!(
        matches!(warned, Some(Event::BudgetWarned { .. })),
        "{warned:?}"
    );
    let warned = seen(&run, day(0.8, 0));
    assert!(
        matches!(warned, Some(Event::BudgetWarned { .. })),
        "{warned:?}"
    );
    let stopped = seen(&run, day(0.9, 10_000));
    assert!(
        matches!(stopped, Some(Event::StopDecided { .. })),
        "{stopped:?}"
    );
    let stop = seen(&run, day(1.0, 0)).unwrap();
    assert_eq!(run.on(&stop), "cancel model");
    assert_eq!(run.fails(FailureClass::Cancelled, None), "hand over");
    assert_eq!(run.is_handed_over("facts", 0.0), "run ended budget");

    let free = script(Price::default());
    assert_eq!(seen(&free, day(9.0, 10_000)), None);
}

#[test]
fn a_denied_call_names_the_resolved_path_in_its_record() {
    let cases = [
        (
            r#"{"path":"src/../docs/a.md","content":""}"#,
            Some("docs/a.md"),
            "docs/a.md",
        ),
        (
            r#"{"path":"src/../../up.rs","content":""}"#,
            None,
            "../up.rs",
        ),
        (
            r#"{"path":"/etc/passwd","content":""}"#,
            None,
            "/etc/passwd",
        ),
    ];
    for (arguments, resolved, named) in cases {
        let mut run = Script::features(1, Vec::new());
        assert_eq!(
            run.calls(&[("write", arguments)]),
            "deny 1.0; ended 1.0 refused; request 2"
        );
        let (action, reason) = run.judged();
        assert_eq!(
            action.map(|action| action.path().clone()),
            resolved.map(path)
        );
        assert!(reason.contains(named), "{reason}");
    }
}

#[test]
fn reads_run_side_by_side_and_changes_alone() {
    let mut run = Script::features(1, Vec::new());
    let read = ("read", r#"{"path":"src/a.rs"}"#);
    let write = ("write", r#"{"path":"src/a.rs","content":"1"}"#);
    assert_eq!(
        run.calls(&[read, read, write, read]),
        "allow 1.0; allow 1.1; allow 1.2; allow 1.3; perform 1.0; perform 1.1"
    );
    let text = || CallEnd::Done {
        outcome: Outcome::Text {
            text: "a".to_owned(),
            lines: 1,
            cut: false,
            note: String::new(),
        },
    };
    assert_eq!(run.ends(1, 1, text()), "");
    assert_eq!(run.ends(1, 0, text()), "perform 1.2");
    let done = run.written();
    assert_eq!(run.ends(1, 3, text()), "", "only what runs can be done");
    assert_eq!(run.ends(1, 2, done), "perform 1.3");
    assert_eq!(run.ends(1, 3, text()), "save 1; request 2");
}

#[test]
fn the_target_of_a_link_is_judged_like_any_path() {
    let met = |resolved: Option<RepoPath>| Event::LinkMet {
        call: Script::id(1, 0),
        link: path("link"),
        target: "elsewhere".to_owned(),
        resolved,
    };
    let cases = [
        (Some(path("src/x.rs")), "allow 1.0; perform 1.0"),
        (
            Some(path("docs/x.rs")),
            "deny 1.0; ended 1.0 refused; request 2",
        ),
        (Some(path(".env")), "deny 1.0; ended 1.0 refused; request 2"),
        (None, "ended 1.0 answered; request 2"),
    ];
    for (resolved, follows) in cases {
        let mut run = Script::features(1, Vec::new());
        run.calls(&[("write", r#"{"path":"link/x.rs","content":"1"}"#)]);
        assert_eq!(run.on(&met(resolved)), follows);
    }
}

#[test]
fn a_link_that_was_followed_is_not_followed_again() {
    let mut run = Script::features(1, Vec::new());
    run.calls(&[("write", r#"{"path":"link/x.rs","content":"1"}"#)]);
    let met = Event::LinkMet {
        call: Script::id(1, 0),
        link: path("link"),
        target: "src".to_owned(),
        resolved: Some(path("src/x.rs")),
    };
    assert_eq!(run.on(&met), "allow 1.0; perform 1.0");
    assert_eq!(run.on(&met), "");
}

#[test]
fn what_a_person_says_after_a_cancelled_request_joins_the_message_that_was_not_answered() {
    let mut run = Script::features(1, Vec::new());
    run.on(&Event::Interrupted);
    run.fails(FailureClass::Cancelled, None);
    run.hears("mind the tests");
    assert_eq!(run.crashes(), "save 1; request 2");
    assert!(run.prompt().contains("mind the tests"));
    assert_eq!(run.messages(), 1);
}

#[test]
fn a_paused_answer_is_sent_back_as_it_is_and_goes_on_in_one_message() {
    let mut run = Script::features(1, Vec::new());
    let part = |text: &str| {
        vec![harness_core::AssistantPart::Text {
            text: text.to_owned(),
        }]
    };
    assert_eq!(
        run.responds(part("first half"), StopReason::Paused),
        "request 2"
    );
    assert_eq!(run.messages(), 2);
    assert_eq!(
        run.responds(part("second half"), StopReason::EndTurn),
        "nudged; request 3"
    );
    assert_eq!(run.messages(), 3);
}

#[test]
fn a_call_in_flight_at_a_crash_is_never_repeated() {
    let mut run = Script::features(1, Vec::new());
    run.calls(&[("shell", r#"{"command":"make"}"#)]);
    assert_eq!(run.crashes(), "ended 1.0 lost; save 1; request 2");
    assert!(run.prompt().contains("its outcome is unknown"));
}

#[test]
fn a_check_cut_off_by_an_interrupt_is_run_again_after_a_crash() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run.calls(&[("check", "{}")]);
    run.on(&frozen(2, Vec::new()));
    assert_eq!(run.on(&Event::Interrupted), "cancel work");
    let mut report = facts::report(&gate("test"), CheckStatus::Error);
    report.stop = Some(Stop::Cancelled);
    run.on_unrecorded(&Event::CheckEnded {
        report: Box::new(report),
    });
    assert_eq!(run.crashes(), "freeze");
}

#[test]
fn resuming_goes_on_with_the_feature_whose_work_stands_in_the_tree() {
    let mut run = Script::features(2, vec![gate("test")]);
    let ask = [("ask", r#"{"text":"which?"}"#)];
    assert!(run.calls(&ask).ends_with("open F-002"));
    run.opens(2);
    assert!(run.calls(&ask).ends_with("run ended needs_human"));
    assert_eq!(run.crashes(), "open F-002");
}

#[test]
fn a_call_with_arguments_that_make_no_sense_is_refused_in_words() {
    let cases = [
        ("teleport", "{}", "there is no tool `teleport`"),
        ("read", "{", "not JSON"),
        (
            "write",
            r#"{"path":"src/a.rs","approved":true}"#,
            "no argument `approved`",
        ),
    ];
    for (tool, arguments, words) in cases {
        let mut run = Script::features(1, Vec::new());
        let parts = vec![call("a", tool, arguments)];
        assert_eq!(
            run.responds(parts, StopReason::ToolUse),
            "deny 1.0; ended 1.0 refused; request 2"
        );
        assert!(run.prompt().contains(words), "{}", run.prompt());
    }
}
