//! Limits of a run: which is reached, and which is nearly used up.

use harness_core::{EndReason, Event, Feature, Limits, Money, Timestamp, TurnNumber};

/// What has been used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) turn: TurnNumber,
    pub(crate) run_spent: Money,
    pub(crate) session_spent: Money,
    pub(crate) run_since: Timestamp,
    pub(crate) session_since: Timestamp,
    pub(crate) now: Timestamp,
}

/// A limit that is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It ends the run.
    Run(EndReason, String),
    /// It ends the work on the feature.
    Feature(EndReason, String),
}

/// Says which limit forbids another turn.
pub(crate) fn reached(limits: &Limits, feature: &Feature, used: Used) -> Option<Reached> {
    if let Some(usd) = limits.usd.filter(|&usd| used.run_spent >= usd) {
        return Some(Reached::Run(
            EndReason::Budget,
            format!("the run has cost {} of {usd}", used.run_spent),
        ));
    }
    if used.now.since(used.run_since) >= limits.time {
        let minutes = limits.time.as_secs() / 60;
        return Some(Reached::Run(
            EndReason::Limit,
            format!("the run has taken its {minutes} minutes"),
        ));
    }
    if let Some(usd) = feature.budget.usd.filter(|&usd| used.session_spent >= usd) {
        let text = format!("the feature has cost {} of {usd}", used.session_spent);
        return Some(Reached::Feature(EndReason::Budget, text));
    }
    if feature
        .budget
        .time()
        .is_some_and(|time| used.now.since(used.session_since) >= time)
    {
        return Some(Reached::Feature(
            EndReason::Limit,
            "the feature has taken its time".to_owned(),
        ));
    }
    if used.turn.0 >= limits.turns {
        return Some(Reached::Feature(
            EndReason::Limit,
            format!("the session has taken its {} turns", limits.turns),
        ));
    }
    None
}

/// Says whether the day has cost too much, or nearly.
///
/// `spent` is what all runs have spent, `in_flight` what the answer that streams adds
/// to it; before a request that is nothing, and a day that is used up allows none.
pub(crate) fn of_day(limit: Money, spent: Money, in_flight: Money) -> Option<Event> {
    let sum = spent + in_flight;
    if spent >= limit || sum > limit {
        let detail = format!("all runs of the day have cost {sum} of {limit}");
        let reason = EndReason::Budget;
        return Some(Event::StopDecided { reason, detail });
    }
    (sum.0.saturating_mul(5) >= limit.0.saturating_mul(4)).then(|| Event::BudgetWarned {
        what: format!("all runs of the day have cost {sum} of {limit}"),
    })
}

/// Says which limit is four fifths used: a fixed name for each, and the words.
pub(crate) fn warning(limits: &Limits, used: Used) -> Option<(&'static str, String)> {
    let nearly = |part: u64, whole: u64| part.saturating_mul(5) >= whole.saturating_mul(4);
    if let Some(usd) = limits.usd.filter(|usd| nearly(used.run_spent.0, usd.0)) {
        return Some((
            "usd",
            format!("the run has cost {} of {usd}", used.run_spent),
        ));
    }
    if nearly(u64::from(used.turn.0), u64::from(limits.turns)) {
        return Some((
            "turns",
            format!("{} of {} turns are used", used.turn, limits.turns),
        ));
    }
    None
}
