//! The rules of a person's words: when they reach the agent and what they bring to an end.

use harness_core::{CallEnd, CheckStatus, EndReason, Event, FailureClass, Outcome, StopReason};
use harness_engine::Tick;

use crate::{
    facts,
    facts::gate,
    script::{Script, frozen, passed},
};

const SHELL: (&str, &str) = ("shell", r#"{"command":"make"}"#);
const READ: (&str, &str) = ("read", r#"{"path":"src/a.rs"}"#);
const FINISH: (&str, &str) = ("finish", r#"{"text":"done"}"#);

/// A run whose agent has claimed to be done, with the gate `test` running.
fn with_a_gate_running() -> Script {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run.calls(&[FINISH]);
    assert_eq!(run.on(&frozen(2, Vec::new())), "gate test");
    run
}

/// The same, its agent having only stopped.
fn with_a_gate_running_for_a_stop() -> Script {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run.says("done");
    run.says("done");
    assert_eq!(run.on(&frozen(2, Vec::new())), "gate test");
    run
}

fn cancelled_check() -> Event {
    let mut report = facts::report(&gate("test"), CheckStatus::Error);
    report.stop = Some(harness_core::Stop::Cancelled);
    Event::CheckEnded {
        report: Box::new(report),
    }
}

fn text(words: &str) -> CallEnd {
    CallEnd::Done {
        outcome: Outcome::Text {
            text: words.to_owned(),
            lines: 1,
            cut: false,
            note: String::new(),
        },
    }
}

#[test]
fn words_go_with_the_next_turn_after_results_and_the_harness_own_texts() {
    let mut run = Script::features(1, Vec::new());
    assert_eq!(run.hears("use tabs"), "");
    run.calls(&[("read", r#"{"path":"docs/a.md"}"#)]);
    run.on(&Event::DocumentLoaded {
        path: facts::path("docs/AGENTS.md"),
        tokens: harness_core::TokenCount(4),
        text: Some("keep it short".to_owned()),
        problem: None,
    });
    assert_eq!(run.ends(1, 0, text("the file")), "request 2");
    let prompt = run.prompt();
    let place = |words: &str| prompt.find(words).unwrap();
    assert!(place("the file") < place("keep it short"));
    assert!(place("keep it short") < place("use tabs"));
}

#[test]
fn words_taken_back_are_not_sent() {
    let mut run = Script::features(1, Vec::new());
    run.hears("first");
    run.hears("second");
    run.hears("first");
    assert_eq!(run.forgets("first"), "");
    run.calls(&[READ]);
    run.ends(1, 0, text("a"));
    assert_eq!((run.told("first"), run.told("second")), (1, 1));
    let prompt = run.prompt();
    assert!(prompt.find("first") < prompt.find("second"));
}

#[test]
fn words_that_were_sent_cannot_be_taken_back() {
    let mut run = Script::features(1, Vec::new());
    run.hears("use tabs");
    run.calls(&[READ]);
    run.ends(1, 0, text("a"));
    assert_eq!(run.forgets("use tabs"), "");
    run.calls(&[READ]);
    run.ends(2, 0, text("b"));
    assert_eq!(run.told("use tabs"), 1);
}

#[test]
fn words_that_wait_survive_a_crash_and_those_taken_back_do_not_come_back() {
    let mut run = Script::features(1, Vec::new());
    run.calls(&[SHELL]);
    run.hears("stays");
    run.hears("goes");
    run.forgets("goes");
    assert_eq!(run.crashes(), "ended 1.0 lost; save 1; request 2");
    assert_eq!((run.told("stays"), run.told("goes")), (1, 0));
}

#[test]
fn a_stop_while_words_wait_is_only_the_end_of_a_turn() {
    for mut run in [Script::task(Vec::new()), Script::features(1, Vec::new())] {
        run.hears("and the other one?");
        assert_eq!(run.says("It means this."), "request 2");
        assert_eq!(run.told("and the other one?"), 1);
    }
}

#[test]
fn a_stop_that_words_follow_uses_up_no_nudge() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.hears("first");
    assert_eq!(run.says("Yes."), "request 2");
    assert_eq!(run.says("Done."), "nudged; request 3");
    run.hears("second");
    assert_eq!(run.says("Yes."), "request 4");
    assert_eq!(
        run.says("Done."),
        "finish requested; status verifying; freeze"
    );
}

#[test]
fn a_finish_while_words_wait_is_not_judged_and_uses_no_attempt() {
    let mut run = Script::one_attempt(1);
    run.hears("not yet");
    assert_eq!(
        run.calls(&[FINISH]),
        "allow 1.0; ended 1.0 answered; request 2"
    );
    assert_eq!(run.told("the person has said something first"), 1);
    assert_eq!((run.told("not yet"), run.attempts()), (1, 0));
    assert_eq!(
        run.calls(&[FINISH]),
        "allow 2.0; finish requested; status verifying; freeze"
    );
}

#[test]
fn calls_that_a_person_answers_every_time_are_no_loop() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    for turn in 1..20 {
        run.hears(&format!("no, {turn}"));
        let next = turn + 1;
        assert_eq!(
            run.calls(&[FINISH]),
            format!("allow {turn}.0; ended {turn}.0 answered; request {next}")
        );
    }
    for turn in 20..40 {
        run.calls(&[SHELL]);
        run.hears_now("not that");
        let follows = run.ends(turn, 0, CallEnd::Cancelled);
        assert!(!follows.contains("given up"), "{follows}");
        run.on(&Event::CheckpointUnchanged);
    }
}

#[test]
fn words_that_come_while_gates_run_wait() {
    let mut run = with_a_gate_running();
    assert_eq!(run.hears("mind the docs"), "");
    assert_eq!(
        run.checks("test", CheckStatus::Red),
        "gate ended red; finish refused; status in_progress; ended 1.0 answered; request 2"
    );
    assert_eq!((run.told("mind the docs"), run.attempts()), (1, 1));
}

#[test]
fn words_at_once_cancel_the_request_and_join_the_message_that_was_not_answered() {
    let mut run = Script::features(1, Vec::new());
    assert_eq!(run.hears_now("stop that"), "cancel model");
    assert_eq!(run.hears_now("and listen"), "");
    assert_eq!(run.is_cancelled(), "request 2");
    assert_eq!((run.told("stop that"), run.told("and listen")), (1, 1));
    assert_eq!(run.messages(), 1);
}

#[test]
fn an_answer_that_comes_all_the_same_is_kept_and_its_calls_are_not_begun() {
    let mut run = Script::features(1, Vec::new());
    run.hears_now("stop that");
    assert_eq!(
        run.calls(&[SHELL, READ]),
        "ended 1.0 cancelled; ended 1.1 cancelled; request 2"
    );
    assert_eq!(run.messages(), 3);
    assert_eq!(run.calls(&[READ]), "allow 2.0; perform 2.0");
}

#[test]
fn words_at_once_cancel_calls_and_the_turn_carries_results_and_words() {
    let mut run = Script::features(1, Vec::new());
    run.calls(&[SHELL, FINISH]);
    assert_eq!(
        run.hears_now("stop that"),
        "cancel work; ended 1.1 cancelled"
    );
    assert_eq!(run.ends(1, 0, CallEnd::Cancelled), "save 1; request 2");
    assert_eq!(run.told("cancelled before it was done"), 2);
    assert_eq!((run.told("stop that"), run.attempts()), (1, 0));
    assert_eq!(run.on(&Event::CheckpointUnchanged), "");
}

#[test]
fn words_at_once_take_a_question_back() {
    let mut run = Script::features(1, Vec::new());
    run.resumes_attended();
    run.calls(&[("ask", r#"{"text":"which?"}"#)]);
    assert_eq!(
        run.hears_now("neither"),
        "ended 1.0 cancelled; save 1; request 2"
    );
    let late = Event::QuestionAnswered {
        call: Script::id(1, 0),
        answer: "the first".to_owned(),
    };
    assert_eq!(run.on(&late), "");
}

#[test]
fn words_at_once_cut_gates_short_and_use_no_attempt() {
    let mut run = with_a_gate_running();
    assert_eq!(run.hears_now("not yet"), "cancel work");
    assert_eq!(
        run.on(&cancelled_check()),
        "ended 1.0 cancelled; status in_progress; request 2"
    );
    assert_eq!((run.told("not yet"), run.attempts()), (1, 0));
}

#[test]
fn words_at_once_end_the_check_of_a_stop_with_a_turn() {
    let mut run = with_a_gate_running_for_a_stop();
    assert_eq!(run.hears_now("not yet"), "cancel work");
    assert_eq!(run.on(&cancelled_check()), "status in_progress; request 3");
    assert_eq!(run.told("not yet"), 1);
}

#[test]
fn a_check_of_a_stop_goes_on_when_the_words_that_cut_it_short_were_taken_back() {
    let mut run = with_a_gate_running_for_a_stop();
    run.hears_now("not yet");
    run.forgets("not yet");
    assert_eq!(
        run.on(&cancelled_check()),
        "status in_progress; finish requested; status verifying; freeze"
    );
}

#[test]
fn gates_on_the_base_that_an_interruption_cut_short_run_again() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.calls(&[SHELL]);
    run.hears_now("stop that");
    assert_eq!(
        run.ends(1, 0, CallEnd::Cancelled),
        "baseline test; save 1; request 2"
    );
}

#[test]
fn words_at_once_never_cut_a_commit_short() {
    let mut run = with_a_gate_running();
    run.checks("test", CheckStatus::Green);
    assert_eq!(run.hears_now("wait"), "");
    assert_eq!(
        run.on(&passed("F-001", 2)),
        "status passing; ended 1.0 answered; session ended; run ended all_passing"
    );
}

#[test]
fn words_at_once_end_the_wait_for_a_retry() {
    let mut run = Script::features(1, Vec::new());
    run.fails(FailureClass::RateLimited, Some(60_000));
    assert_eq!(run.hears_now("try now"), "request 2");
    assert_eq!((run.told("try now"), run.messages()), (1, 1));
}

#[test]
fn an_interruption_is_brought_to_its_end_after_a_crash() {
    let mut run = Script::features(1, Vec::new());
    run.hears_now("stop that");
    assert_eq!(run.crashes(), "save 1; request 2");
    assert_eq!(run.told("stop that"), 1);

    let mut run = Script::features(1, Vec::new());
    run.calls(&[SHELL, SHELL]);
    run.on_unrecorded(&Event::PersonSaid {
        text: "not the second".to_owned(),
        urgency: harness_core::Urgency::Now,
    });
    assert_eq!(
        run.crashes(),
        "ended 1.0 lost; ended 1.1 cancelled; save 1; request 2"
    );
    assert_eq!(run.told("not the second"), 1);
}

#[test]
fn a_proof_that_was_being_committed_goes_before_the_words_after_a_crash() {
    let mut run = with_a_gate_running();
    run.checks("test", CheckStatus::Green);
    run.hears_now("wait");
    assert_eq!(run.crashes(), "commit F-001");
}

#[test]
fn a_stop_after_the_step_waits_for_the_answer_and_begins_none_of_its_calls() {
    let mut run = Script::features(1, Vec::new());
    assert_eq!(run.on(&Event::StopRequested), "");
    assert_eq!(
        run.calls(&[SHELL, READ]),
        "ended 1.0 cancelled; ended 1.1 cancelled; run ended interrupted"
    );
    assert_eq!(run.crashes(), "save 1; request 2");
}

#[test]
fn a_stop_after_the_step_waits_for_the_calls_that_run() {
    let mut run = Script::features(1, Vec::new());
    run.calls(&[READ, READ, SHELL]);
    assert_eq!(run.on(&Event::StopRequested), "");
    assert_eq!(run.ends(1, 1, text("a")), "");
    let met = Event::LinkMet {
        call: Script::id(1, 0),
        link: facts::path("src"),
        target: "docs".to_owned(),
        resolved: Some(facts::path("docs/a.rs")),
    };
    assert_eq!(
        run.on(&met),
        "ended 1.0 cancelled; ended 1.2 cancelled; run ended interrupted"
    );
}

#[test]
fn a_link_met_beside_a_running_call_is_not_followed_after_a_stop_was_asked_for() {
    let mut run = Script::features(1, Vec::new());
    run.calls(&[READ, READ]);
    run.on(&Event::StopRequested);
    let met = Event::LinkMet {
        call: Script::id(1, 0),
        link: facts::path("src"),
        target: "docs".to_owned(),
        resolved: Some(facts::path("docs/a.rs")),
    };
    assert_eq!(run.on(&met), "");
    assert_eq!(
        run.ends(1, 1, text("a")),
        "ended 1.0 cancelled; run ended interrupted"
    );
}

#[test]
fn a_stop_after_the_step_waits_for_the_gate_that_runs() {
    let mut run = Script::features(1, vec![gate("lint"), gate("test")]);
    run.base_is_green();
    run.calls(&[FINISH]);
    assert_eq!(run.on(&frozen(2, Vec::new())), "gate lint");
    assert_eq!(run.on(&Event::StopRequested), "");
    assert_eq!(
        run.checks("lint", CheckStatus::Green),
        "ended 1.0 cancelled; run ended interrupted"
    );
    assert_eq!(run.attempts(), 0);
}

#[test]
fn a_stop_after_the_step_waits_for_the_commit() {
    let mut run = with_a_gate_running();
    run.checks("test", CheckStatus::Green);
    assert_eq!(run.on(&Event::StopRequested), "");
    assert_eq!(
        run.on(&passed("F-001", 2)),
        "ended 1.0 answered; run ended interrupted"
    );
}

#[test]
fn a_stop_after_the_step_takes_hold_at_once_where_the_agent_only_waits() {
    let mut retrying = Script::features(1, Vec::new());
    retrying.fails(FailureClass::RateLimited, Some(60_000));
    assert_eq!(retrying.on(&Event::StopRequested), "run ended interrupted");

    let mut asking = Script::features(1, Vec::new());
    asking.resumes_attended();
    asking.calls(&[("ask", r#"{"text":"which?"}"#)]);
    assert_eq!(
        asking.on(&Event::StopRequested),
        "ended 1.0 cancelled; save 1"
    );
    assert_eq!(
        asking.on(&Event::CheckpointUnchanged),
        "run ended interrupted"
    );
}

#[test]
fn a_stop_asked_for_between_sessions_stops_the_next_one_before_it_begins() {
    let mut run = Script::closed(harness_core::Goal::All, 1, Vec::new(), |_| {});
    assert_eq!(run.on(&Event::StopRequested), "");
    assert_eq!(run.opens(1), "run ended interrupted");
}

#[test]
fn an_interrupt_after_a_stop_was_asked_for_stops_now() {
    let mut run = Script::features(1, Vec::new());
    run.on(&Event::StopRequested);
    assert_eq!(run.on(&Event::Interrupted), "cancel model");
    assert_eq!(run.is_cancelled(), "run ended interrupted");
}

#[test]
fn a_stop_asked_for_is_forgotten_when_the_run_is_taken_up_again() {
    let mut run = Script::features(1, Vec::new());
    run.on(&Event::StopRequested);
    assert_eq!(run.crashes(), "request 1");
    assert_eq!(run.calls(&[READ]), "allow 1.0; perform 1.0");
}

#[test]
fn a_steered_stop_is_nudged_once_and_then_left_to_the_person() {
    let mut run = Script::steered();
    run.saves_changed_work(2);
    assert_eq!(run.says("All done."), "nudged; request 3");
    assert_eq!(run.says("All done."), "person awaited");
    assert_eq!(run.hears("and the docs?"), "request 4");
    assert_eq!(run.told("and the docs?"), 1);
    assert_eq!(
        run.says("They are fine."),
        "person awaited",
        "no second nudge"
    );
    run.hears("look again");
    run.calls(&[READ]);
    run.ends(5, 0, text("a"));
    assert_eq!(run.says("Done."), "nudged; request 7", "a call in between");
}

#[test]
fn a_steered_answer_to_a_task_is_left_to_the_person_at_once() {
    let mut run = Script::steered_task();
    assert_eq!(run.says("It means this."), "person awaited");
    assert_eq!(run.hears_now("and that?"), "request 2");
    assert_eq!(run.says("It means that."), "person awaited");
}

#[test]
fn the_time_limit_holds_while_a_person_is_awaited() {
    let mut run = Script::steered_task();
    run.says("It means this.");
    let deadline = run.engine.next_deadline().unwrap();
    let stop = run.engine.observe(Tick::Time, deadline).unwrap();
    assert_eq!(run.on(&stop), "hand over, asked");
    assert_eq!(run.is_handed_over("half", 0.0), "run ended limit");
}

#[test]
fn a_claim_the_person_takes_lets_the_gates_decide() {
    let mut run = Script::steered();
    run.says("Done.");
    run.says("Done indeed.");
    assert_eq!(
        run.on(&Event::ClaimTaken),
        "finish requested; status verifying; freeze"
    );
    run.on(&frozen(2, Vec::new()));
    assert_eq!(
        run.checks("test", CheckStatus::Red),
        "gate ended red; finish refused; status in_progress; request 3"
    );
    assert_eq!(run.attempts(), 1);
}

#[test]
fn a_claim_taken_when_nobody_is_awaited_changes_nothing() {
    let mut run = Script::steered();
    assert_eq!(run.on(&Event::ClaimTaken), "");
    assert_eq!(run.calls(&[SHELL]), "allow 1.0; perform 1.0");
    assert_eq!(run.on(&Event::ClaimTaken), "");
    assert_eq!(run.ends(1, 0, text("a")), "save 1; request 2");
    run.on(&Event::CheckpointUnchanged);
    assert_eq!(run.says("Done."), "nudged; request 3");
}

#[test]
fn a_claim_the_person_took_is_made_after_a_crash() {
    let mut run = Script::steered();
    run.says("Done.");
    run.says("Done.");
    run.on_unrecorded(&Event::ClaimTaken);
    assert_eq!(run.crashes_and_is_not_steered(), "save 1");
    assert_eq!(
        run.on(&Event::CheckpointUnchanged),
        "finish requested; status verifying; freeze"
    );
}

#[test]
fn stopping_a_run_that_awaits_a_person_ends_it_as_answered_if_it_was_an_answer() {
    for stop in [Event::Interrupted, Event::StopRequested] {
        let mut answer = Script::steered_task();
        answer.says("It means this.");
        assert_eq!(answer.on(&stop), "run ended answered");

        let mut changed = Script::steered_task();
        changed.saves_changed_work(2);
        changed.says("Done.");
        changed.says("Done.");
        assert_eq!(changed.on(&stop), "run ended interrupted");

        let mut feature = Script::steered();
        feature.says("Done.");
        feature.says("Done.");
        assert_eq!(feature.on(&stop), "run ended interrupted");
    }
}

#[test]
fn a_person_is_awaited_once_for_one_stop_whatever_crashes() {
    let mut run = Script::steered();
    run.says("Done.");
    run.says("Done.");
    assert_eq!(run.crashes(), "save 1");
    assert_eq!(run.on(&Event::CheckpointUnchanged), "");
    assert_eq!(run.hears("tests next"), "request 3");
    assert_eq!(run.crashes(), "request 3");
    assert_eq!(run.told("tests next"), 1);
    assert_eq!(run.says("Done."), "save 1");
    assert_eq!(run.on(&Event::CheckpointUnchanged), "person awaited");
}

#[test]
fn a_stop_taken_up_without_a_person_counts_as_it_always_did() {
    let mut answer = Script::steered_task();
    answer.says("It means this.");
    assert_eq!(answer.crashes_and_is_not_steered(), "save 1");
    assert_eq!(
        answer.on(&Event::CheckpointUnchanged),
        "session ended; run ended answered"
    );

    let mut claim = Script::steered();
    claim.says("Done.");
    claim.says("Done.");
    assert_eq!(claim.crashes_and_is_not_steered(), "save 1");
    assert_eq!(
        claim.on(&Event::CheckpointUnchanged),
        "finish requested; status verifying; freeze"
    );
}

#[test]
fn an_answer_whose_end_was_not_recorded_is_judged_anew_after_a_crash() {
    let mut run = Script::task(vec![gate("test")]);
    run.dies_after_saying("It means this.");
    assert_eq!(run.crashes(), "baseline test; save 1");
    assert_eq!(run.hears("and that?"), "request 2");
    assert_eq!(run.told("and that?"), 1);
}

#[test]
fn an_answered_run_that_is_taken_up_again_goes_on_with_the_talk() {
    let mut run = Script::steered_task();
    run.says("It means this.");
    run.on(&Event::Interrupted);
    assert_eq!(run.engine.end(), Some(EndReason::Answered));
    run.crashes();
    run.on(&Event::CheckpointUnchanged);
    assert_eq!(run.hears("and that?"), "request 2");
    assert_eq!(run.messages(), 3);
}

#[test]
fn a_cut_answer_goes_on_with_the_words_that_wait() {
    let mut run = Script::steered();
    run.hears("shorter");
    assert_eq!(
        run.responds(Vec::new(), StopReason::MaxTokens),
        "nudged; request 2"
    );
    assert_eq!(run.told("shorter"), 1);
}

#[test]
fn an_answer_to_what_was_asked_in_another_session_ends_no_call_of_this_one() {
    let mut run = Script::features(1, Vec::new());
    assert!(run.calls(&[READ]).ends_with("perform 1.0"));
    let answer = Event::QuestionAnswered {
        call: Script::id(1, 0),
        answer: "the second".to_owned(),
    };
    assert_eq!(run.on(&answer), "");
    run.ends(1, 0, text("the file"));
    assert_eq!((run.told("the second"), run.told("the file")), (0, 1));
}
