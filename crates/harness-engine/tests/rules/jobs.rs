//! Commands in the background: what begins, what ends them, and what the agent is told.

use harness_core::{CallEnd, Event, JobEnd, Stop};

use crate::{
    facts::gate,
    script::{Script, frozen},
};

const START: (&str, &str) = ("shell", r#"{"command":"make dev","background":true}"#);

fn answered() -> CallEnd {
    CallEnd::Answered {
        text: "job runs".to_owned(),
        is_error: false,
    }
}

fn ended(turn: u32, index: u32, end: JobEnd) -> Event {
    Event::JobEnded {
        call: Script::id(turn, index),
        end,
        ms: 9,
    }
}

fn exit(code: i32) -> JobEnd {
    JobEnd::Ended {
        stop: Stop::Exited(code),
    }
}

/// Starts one job with the call of a turn.
fn starts(run: &mut Script, turn: u32, index: u32) {
    run.on(&Event::JobStarted {
        call: Script::id(turn, index),
        command: "make dev".to_owned(),
    });
}

/// Makes a run whose first turn has started a job; its second request is in flight.
fn with_job() -> Script {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    assert_eq!(run.calls(&[START]), "allow 1.0; perform 1.0");
    starts(&mut run, 1, 0);
    assert_eq!(run.ends(1, 0, answered()), "save 1; request 2");
    run.on(&Event::CheckpointUnchanged);
    run
}

#[test]
fn a_job_is_listed_and_read_and_a_checkpoint_is_due_after_every_turn_while_it_runs() {
    let mut run = with_job();
    assert_eq!(
        run.calls(&[
            ("job", "{}"),
            ("job", r#"{"id":"t1c0"}"#),
            ("job", r#"{"id":"t9c0"}"#)
        ]),
        "allow 2.0; allow 2.1; allow 2.2; ended 2.0 answered; read job 1.0"
    );
    assert_eq!(
        run.ends(2, 1, answered()),
        "ended 2.2 answered; save 1; request 3"
    );
    assert_eq!(run.told("t1c0: runs: make dev"), 2);
    assert_eq!(run.told("there is no job `t9c0`"), 1);
}

#[test]
fn a_job_that_ends_by_itself_is_told_with_the_next_turn_and_one_that_the_agent_stops_is_not() {
    let mut run = with_job();
    run.on(&ended(1, 0, exit(1)));
    run.calls(&[("read", r#"{"path":"src/a.rs"}"#)]);
    assert_eq!(run.ends(2, 0, answered()), "save 1; request 3");
    assert_eq!(run.told("[job t1c0: exit 1: make dev"), 1);

    let mut run = with_job();
    let stop = [("job", r#"{"id":"t1c0","stop":true}"#)];
    assert_eq!(run.calls(&stop), "allow 2.0; stop job 1.0");
    run.on(&ended(1, 0, JobEnd::Stopped));
    assert_eq!(run.ends(2, 0, answered()), "save 1; request 3");
    assert_eq!(run.told("[job t1c0"), 0);
}

#[test]
fn a_finish_ends_jobs_before_anything_is_frozen_and_says_so() {
    let mut run = with_job();
    assert_eq!(
        run.calls(&[("finish", r#"{"text":"done"}"#)]),
        "allow 2.0; finish requested; status verifying; stop jobs 1.0"
    );
    assert_eq!(run.on(&ended(1, 0, JobEnd::Stopped)), "freeze");
    run.on(&frozen(2, Vec::new()));
    run.checks("test", harness_core::CheckStatus::Red);
    run.on(&Event::CheckpointUnchanged);
    assert_eq!(run.told("[job t1c0: stopped: make dev"), 1);
}

#[test]
fn a_check_leaves_jobs_alone_where_gates_do_not_meet_them() {
    let mut run = with_job();
    assert_eq!(run.calls(&[("check", "{}")]), "allow 2.0; freeze");

    let mut run = Script::closed(harness_core::Goal::All, 1, vec![gate("test")], |run| {
        run.policy.isolate = false;
    });
    run.opens(1);
    run.base_is_green();
    run.calls(&[START]);
    starts(&mut run, 1, 0);
    run.ends(1, 0, answered());
    run.on(&Event::CheckpointUnchanged);
    assert_eq!(run.calls(&[("check", "{}")]), "allow 2.0; stop jobs 1.0");
}

#[test]
fn no_more_than_four_jobs_run_at_a_time() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run.calls(&[START; 5]);
    for index in 0..3 {
        starts(&mut run, 1, index);
        let next = format!("perform 1.{}", index + 1);
        assert_eq!(run.ends(1, index, answered()), next);
    }
    starts(&mut run, 1, 3);
    assert_eq!(
        run.ends(1, 3, answered()),
        "ended 1.4 answered; save 1; nudged; request 2"
    );
    assert_eq!(run.told("not started: 4 jobs run already"), 1);
}

#[test]
fn jobs_die_with_the_process_and_the_agent_is_told() {
    let mut run = with_job();
    assert_eq!(run.crashes(), "job 1.0 lost; request 2");
    run.calls(&[("job", r#"{"id":"t1c0"}"#)]);
    run.on(&Event::CheckpointUnchanged);
    assert!(run.told("gone with the harness's process") > 0);
}

#[test]
fn an_interrupted_run_ends_its_jobs_and_saves_what_they_wrote() {
    let mut run = with_job();
    assert_eq!(run.on(&Event::Interrupted), "cancel model");
    assert_eq!(run.is_cancelled(), "stop jobs 1.0");
    assert_eq!(run.on(&ended(1, 0, JobEnd::Stopped)), "save 1");
    assert_eq!(run.on(&Event::CheckpointUnchanged), "run ended interrupted");
}

#[test]
fn a_few_reads_run_at_a_time_in_any_order_and_their_results_keep_the_order_of_the_calls() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    let read = ("read", r#"{"path":"src/a.rs"}"#);
    let asked = run.calls(&[read; 6]);
    assert!(
        asked.ends_with("perform 1.0; perform 1.1; perform 1.2; perform 1.3"),
        "{asked}"
    );
    let text = |index: u32| CallEnd::Answered {
        text: format!("the text of {index}"),
        is_error: false,
    };
    assert_eq!(run.ends(1, 2, text(2)), "perform 1.4");
    assert_eq!(run.ends(1, 4, text(4)), "perform 1.5");
    for index in [5, 3, 1] {
        assert_eq!(run.ends(1, index, text(index)), "");
    }
    assert_eq!(run.ends(1, 0, text(0)), "request 2");
    let prompt = run.prompt();
    let places: Vec<_> = (0..6)
        .map(|index| prompt.find(&format!("the text of {index}")))
        .collect();
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}");
}
