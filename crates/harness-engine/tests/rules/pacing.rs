//! A request waits while its provider would refuse it.

use std::time::Duration;

use harness_core::{
    Allowance, CallEnd, Event, FailureClass, Goal, ModelProfile, Price, RateLimit, TokenCount,
    Urgency,
};
use harness_engine::Tick;

use crate::script::Script;

fn started() -> Script {
    let mut script = Script::closed(Goal::All, 1, Vec::new(), |run| {
        run.model.provider = "near".to_owned();
        run.fallback = vec![ModelProfile {
            name: "a".to_owned(),
            id: "a-1".to_owned(),
            provider: "far".to_owned(),
            context: TokenCount(100_000),
            output: TokenCount(4_000),
            price: Some(Price::default()),
            effort: None,
            beyond: None,
            recorded: false,
        }];
    });
    script.opens(1);
    script
}

/// The provider says what is left, and that there is more in so many seconds.
fn hears_of(run: &mut Script, limit: RateLimit, left: u64, seconds: u64) {
    let until = run.now.plus(Duration::from_secs(seconds));
    let allowances = vec![Allowance {
        limit,
        left,
        of: None,
        until,
    }];
    assert_eq!(run.on(&Event::AllowanceTold { allowances }), "");
}

/// The agent reads a file.
fn reads(run: &mut Script) -> String {
    let path = format!(r#"{{"path":"src/{}.rs"}}"#, run.turn.0);
    run.calls(&[("read", &path)]);
    let text = "a line\n".repeat(100);
    let outcome = harness_core::Outcome::Text {
        text,
        lines: 100,
        cut: false,
        note: String::new(),
    };
    run.ends(run.turn.0, 0, CallEnd::Done { outcome })
}

fn waits(run: &mut Script) -> String {
    run.now = run.engine.next_deadline().unwrap();
    let due = run.engine.observe(Tick::Time, run.now).unwrap();
    run.on(&due)
}

#[test]
fn the_next_request_waits_until_the_limit_is_open_again_and_is_then_sent() {
    let mut run = started();
    hears_of(&mut run, RateLimit::Requests, 0, 12);
    assert_eq!(reads(&mut run), "paced by requests for 12000 ms");
    assert_eq!(run.engine.observe(Tick::Time, run.now), None);
    assert_eq!(waits(&mut run), "request 2");
    // Nothing was said with the second answer.
    assert_eq!(reads(&mut run), "request 3");
}

#[test]
fn tokens_hold_back_what_they_are_too_few_for() {
    let mut run = started();
    hears_of(&mut run, RateLimit::Tokens, 1_000_000, 12);
    assert_eq!(reads(&mut run), "request 2");
    hears_of(&mut run, RateLimit::Tokens, 20, 12);
    assert_eq!(reads(&mut run), "paced by tokens for 12000 ms");
    assert_eq!(waits(&mut run), "request 3");
    // What a cache can have does not count: the result of the call is what is new.
    hears_of(&mut run, RateLimit::InputTokens, 400, 12);
    assert_eq!(reads(&mut run), "request 4");
    hears_of(&mut run, RateLimit::InputTokens, 100, 12);
    assert_eq!(reads(&mut run), "paced by input tokens for 12000 ms");
}

#[test]
fn no_reset_holds_a_request_back_for_more_than_two_minutes() {
    let mut run = started();
    hears_of(&mut run, RateLimit::Requests, 0, 250_000_000_000);
    assert_eq!(reads(&mut run), "paced by requests for 120000 ms");
    assert_eq!(waits(&mut run), "request 2");
}

#[test]
fn a_person_ends_the_wait() {
    let mut run = started();
    hears_of(&mut run, RateLimit::Requests, 0, 12);
    reads(&mut run);
    assert_eq!(run.on(&Event::Interrupted), "run ended interrupted");
    // Words that cannot wait are sent at once: the wait was for a request that is not sent.
    let mut run = started();
    hears_of(&mut run, RateLimit::Requests, 0, 12);
    reads(&mut run);
    let told = run.on(&Event::PersonSaid {
        text: "stop that".to_owned(),
        urgency: Urgency::Now,
    });
    assert_eq!(told, "request 3");
}

#[test]
fn a_wait_outlives_its_process_unless_another_provider_is_asked() {
    let mut run = started();
    hears_of(&mut run, RateLimit::Requests, 0, 12);
    reads(&mut run);
    assert_eq!(run.crashes(), "");
    assert_eq!(waits(&mut run), "request 2");
    // What was said before the crash holds, as long as it was said for.
    hears_of(&mut run, RateLimit::Requests, 0, 12);
    assert_eq!(run.crashes(), "paced by requests for 12000 ms");
    run.now = run.now.plus(Duration::from_secs(13));
    assert_eq!(run.crashes(), "request 2");

    let mut run = started();
    hears_of(&mut run, RateLimit::Requests, 0, 12);
    reads(&mut run);
    let state = run.engine.run();
    let far = state.fallback[0].clone();
    let follows = run.on(&Event::SessionResumed {
        attended: false,
        model: Box::new(far),
        limits: Box::new(state.policy.limits),
        steered: false,
        fallback: Vec::new(),
        roles: Box::default(),
        answers: Vec::new(),
        found: Box::default(),
    });
    assert_eq!(follows, "request 2");
}

#[test]
fn what_one_provider_says_does_not_hold_another_back() {
    let mut run = started();
    hears_of(&mut run, RateLimit::Requests, 0, 12);
    let told = run.fails(FailureClass::Quota, None);
    assert_eq!(told, "scripted gives way to a; request 1");
}

#[test]
fn a_refusal_is_paced_unless_it_says_how_long_to_wait() {
    let mut run = started();
    hears_of(&mut run, RateLimit::Requests, 0, 12);
    let told = run.fails(FailureClass::RateLimited, Some(250));
    assert_eq!(told, "retry 1 in 250 ms");
    assert_eq!(waits(&mut run), "request 1");

    let mut run = started();
    hears_of(&mut run, RateLimit::Requests, 0, 12);
    assert!(
        run.fails(FailureClass::RateLimited, None)
            .starts_with("retry 1 in ")
    );
    assert!(waits(&mut run).starts_with("paced by requests for "));
    assert_eq!(waits(&mut run), "request 1");
}
