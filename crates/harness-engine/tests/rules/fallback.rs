//! Another model goes on when a provider is given up.

use std::time::Duration;

use harness_core::{FailureClass, Goal, ModelProfile, Money, Price, TokenCount};
use harness_engine::Tick;

use crate::script::Script;

fn model(name: &str, provider: &str) -> ModelProfile {
    ModelProfile {
        name: name.to_owned(),
        id: format!("{name}-1"),
        provider: provider.to_owned(),
        context: TokenCount(100_000),
        output: TokenCount(4_000),
        price: Some(Price::default()),
        effort: None,
        beyond: None,
        recorded: false,
    }
}

/// Makes a run whose first model is `scripted`, at `near`, with these left.
fn chained(left: &[(&str, &str)]) -> Script {
    let mut script = Script::closed(Goal::All, 1, Vec::new(), |run| {
        run.model.provider = "near".to_owned();
        run.fallback = left.iter().map(|(name, at)| model(name, at)).collect();
    });
    script.opens(1);
    script
}

/// Lets a request fail and its retry come due.
fn fails_and_waits(run: &mut Script, class: FailureClass) -> String {
    let told = run.fails(class, Some(1_000));
    if told.starts_with("retry") {
        run.now = run.engine.next_deadline().unwrap();
        let due = run.engine.observe(Tick::Time, run.now).unwrap();
        assert_eq!(run.on(&due), "request 1");
    }
    told
}

#[test]
fn a_provider_out_of_quota_gives_way_at_once_and_the_end_of_the_chain_is_the_end() {
    let mut run = chained(&[("a", "far"), ("b", "farther")]);
    let quota = FailureClass::Quota;
    assert_eq!(run.fails(quota, None), "scripted gives way to a; request 1");
    assert_eq!(run.engine.run().model.name, "a");
    assert_eq!(run.fails(quota, None), "a gives way to b; request 1");
    assert_eq!(
        run.fails(quota, None),
        "stop provider_failed; run ended provider_failed"
    );
    assert_eq!(run.attempts(), 0);
}

#[test]
fn the_third_failure_in_a_row_gives_way_where_another_provider_is_there() {
    let mut run = chained(&[("a", "far")]);
    let overloaded = FailureClass::Overloaded;
    assert_eq!(fails_and_waits(&mut run, overloaded), "retry 1 in 1000 ms");
    assert_eq!(fails_and_waits(&mut run, overloaded), "retry 2 in 1000 ms");
    assert_eq!(
        run.fails(overloaded, None),
        "scripted gives way to a; request 1"
    );
    // The other one has its own count.
    assert_eq!(fails_and_waits(&mut run, overloaded), "retry 1 in 1000 ms");
}

#[test]
fn a_model_of_the_same_provider_waits_until_that_may_be_tried_again() {
    let mut run = chained(&[("sibling", "near"), ("a", "far")]);
    let quota = FailureClass::Quota;
    assert_eq!(run.fails(quota, None), "scripted gives way to a; request 1");
    run.now = run.now.plus(Duration::from_secs(31));
    assert_eq!(run.fails(quota, None), "a gives way to sibling; request 1");

    // Without another one it is asked all the same, but only when the first is given up.
    let mut run = chained(&[("sibling", "near")]);
    for attempt in 1..=8 {
        let told = fails_and_waits(&mut run, FailureClass::Overloaded);
        assert_eq!(told, format!("retry {attempt} in 1000 ms"));
    }
    assert_eq!(
        run.fails(FailureClass::Overloaded, None),
        "scripted gives way to sibling; request 1"
    );
}

#[test]
fn what_is_wrong_with_the_request_or_the_key_ends_the_run_as_ever() {
    for class in [
        FailureClass::Invalid,
        FailureClass::Auth,
        FailureClass::ContextOverflow,
    ] {
        let mut run = chained(&[("a", "far")]);
        assert_eq!(
            run.fails(class, None),
            "stop provider_failed; run ended provider_failed"
        );
    }
}

#[test]
fn resuming_keeps_the_model_that_took_over() {
    let mut run = chained(&[("a", "far"), ("b", "farther")]);
    run.fails(FailureClass::Quota, None);
    assert_eq!(run.crashes(), "request 1");
    let state = run.engine.run();
    assert_eq!(state.model.name, "a");
    assert_eq!(state.fallback.len(), 1);
    assert_eq!(
        run.fails(FailureClass::Quota, None),
        "a gives way to b; request 1"
    );
}

#[test]
fn a_model_of_unknown_price_takes_no_feature_over_that_has_a_budget_in_usd() {
    let mut run = Script::closed(Goal::All, 1, Vec::new(), |run| {
        run.features[0].budget.usd = Some(Money::from_usd(1.0));
        run.model.provider = "near".to_owned();
        run.model.price = Some(Price::default());
        let unknown = ModelProfile {
            price: None,
            ..model("a", "far")
        };
        run.fallback = vec![unknown];
    });
    run.opens(1);
    assert_eq!(
        run.fails(FailureClass::Quota, None),
        "scripted gives way to a; given up needs_human; status needs_human; session ended; run ended needs_human"
    );
    assert!(run.detail().contains("the price of model `a` is unknown"));
}
