use super::*;
use crate::tests::every_kind;

fn summary(events: &[Event]) -> SessionSummary {
    let mut summary = SessionSummary::default();
    for (event, second) in events.iter().zip(0..) {
        summary.take(event, Timestamp::from_millis(second * 1_000));
    }
    summary
}

#[test]
fn every_kind_of_event_adds_up() {
    let summary = summary(&every_kind());
    assert_eq!(summary.model(), "model-b");
    let models = summary.models.iter();
    let models: Vec<(&str, u64)> = models
        .map(|(model, used)| (model.name.as_str(), used.requests))
        .collect();
    assert_eq!(models, [("model-a", 1), ("model-b", 2)]);
    assert_eq!(
        (summary.turns, summary.retries, summary.requests),
        (1, 1, 4)
    );
    assert_eq!(summary.failures["overloaded"], 1);
    assert_eq!(summary.total.money(), "about $0.02");
    assert_eq!(summary.dearest.len(), 3);
    assert_eq!(summary.dearest[0].0.name(), "hand-over");
    let tools: Vec<String> = summary
        .tools
        .iter()
        .map(|(name, used)| format!("{name} {} {} {}", used.calls, used.refused, used.failed))
        .collect();
    insta::assert_snapshot!(tools.join("\n"), @r"
    delete 1 1 0
    edit 2 0 1
    list 1 0 1
    read 1 0 0
    search 1 0 1
    shell 3 0 2
    write 1 1 0
    ");
    assert_eq!(summary.end.unwrap().run, Some(EndReason::Budget));
}

#[test]
fn a_session_that_goes_on_has_not_ended() {
    let mut events = every_kind();
    let Event::SessionOpened(opened) = &events[0] else {
        panic!("it does not begin with its opening");
    };
    let resumed = Event::SessionResumed {
        attended: false,
        model: Box::new(opened.run.model.clone()),
        limits: Box::new(opened.run.policy.limits.clone()),
        steered: false,
        fallback: Vec::new(),
        roles: Box::default(),
        answers: Vec::new(),
        found: Box::default(),
    };
    events.push(resumed);
    let summary = summary(&events);
    assert_eq!((summary.end.as_ref(), summary.resumed), (None, 2));
    assert_eq!(summary.ended_before.as_deref(), Some("budget"));
    // The model it goes on with is the last one, with what it had used before.
    let (model, used) = summary.models.last().unwrap();
    assert_eq!((model.name.as_str(), used.requests), ("model-a", 1));
}

#[test]
fn only_the_dearest_requests_are_kept_and_names_are_bounded() {
    let mut summary = SessionSummary::default();
    let at = Timestamp::from_millis(0);
    let mut events = every_kind();
    let answer = events
        .iter_mut()
        .find_map(|event| match event {
            Event::ModelResponded(responded) => Some(responded),
            _ => None,
        })
        .unwrap();
    for cost in [5, 900, 20, 700, 800, 1] {
        answer.cost = Some(harness_core::Money(cost));
        summary.take(&Event::ModelResponded(answer.clone()), at);
    }
    let dearest = summary.dearest.iter().map(|(bill, _)| bill.cost.unwrap().0);
    assert_eq!(dearest.collect::<Vec<_>>(), [900, 800, 700]);
    for index in 0..1_000_u32 {
        let call = serde_json::json!({"turn": 1, "index": index});
        summary.judged(
            serde_json::from_value(call).unwrap(),
            &format!("tool-{index}"),
            Decision::Deny,
        );
    }
    assert_eq!(summary.tools.len(), NAMES_MAX + 1);
    assert_eq!(summary.tools["others"].calls, 1_000 - NAMES_MAX as u64);
}

#[test]
fn who_wrote_a_note_alone_did_not_take_the_place_of_the_model() {
    let mut events = every_kind();
    for event in &mut events {
        let Event::SessionOpened(opened) = event else {
            continue;
        };
        let cheap = ModelProfile {
            name: "cheap".to_owned(),
            ..opened.run.model.clone()
        };
        opened.run.roles.set(Role::Cheap, cheap);
    }
    events.retain(|event| !matches!(event, Event::SessionResumed { .. }));
    let mut summary = summary(&events);
    assert_eq!(summary.helpers, ["cheap"]);
    assert!(
        summary
            .models
            .iter()
            .any(|(model, _)| model.name == "cheap")
    );
    assert_ne!(summary.model(), "cheap");
    let cheap = summary.roles.cheap.clone().unwrap();
    summary.turn_to(&cheap);
    assert_eq!(summary.helpers, [""; 0]);
}
