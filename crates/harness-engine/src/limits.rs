//! Limits of a run: which is reached, which is nearly used up, and what is kept back of each.
//!
//! Of every limit in USD a reserve is kept for the hand-over: work stops at the limit less
//! the reserve, and the note that follows is paid with it. Nothing here knows how a
//! note is written. Called by `steps` before a turn and by the engine while an answer streams.

use harness_core::{EndReason, Event, Feature, LimitKind, Limits, Money, Timestamp, TurnNumber};

/// The largest part of a limit that is kept for the hand-over: one twentieth.
const RESERVE_PART: u64 = 20;

/// What has been used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) turn: TurnNumber,
    pub(crate) run_spent: Money,
    pub(crate) session_spent: Money,
    pub(crate) feature_spent: Money,
    pub(crate) run_since: Timestamp,
    pub(crate) session_since: Timestamp,
    pub(crate) now: Timestamp,
    /// Red finishes of the feature.
    pub(crate) attempts: u32,
    /// How many it may have.
    pub(crate) attempts_max: u32,
}

/// What comes on top of what is spent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ahead {
    /// What a request costs that is not sent yet, or what the one that streams has cost so far.
    pub(crate) request: Money,
    /// What a hand-over would cost.
    pub(crate) hand_over: Money,
}

/// A limit that is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It ends the run.
    Run(EndReason, String),
    /// It ends the work on the feature.
    Feature(EndReason, String),
}

impl Reached {
    /// Makes the record that stops.
    pub(crate) fn into_event(self) -> Event {
        match self {
            Self::Run(reason, detail) => Event::StopDecided { reason, detail },
            Self::Feature(reason, detail) => Event::FeatureGivenUp { reason, detail },
        }
    }
}

/// One limit in USD, and what is spent of it.
#[derive(Clone, Copy, Debug)]
struct UsdLimit {
    kind: LimitKind,
    limit: Money,
    spent: Money,
}

impl UsdLimit {
    const fn whose(self) -> &'static str {
        match self.kind {
            LimitKind::SessionUsd => "the session has cost",
            LimitKind::FeatureUsd => "the feature has cost",
            LimitKind::DayUsd => "all runs of the day have cost",
            _ => "the run has cost",
        }
    }

    fn to_text(self) -> String {
        let (spent, limit) = (exact(self.spent), exact(self.limit));
        format!("{} {spent} of {limit}", self.whose())
    }

    /// Says how much of it is used and what is left, in requests where one has a price.
    fn to_warning(self, ahead: Ahead) -> String {
        let left = self.usable(ahead.hand_over).less(self.spent);
        let text = format!("{}, {} is left", self.to_text(), exact(left));
        match left.0.checked_div(ahead.request.0) {
            Some(requests) => format!("{text}: about {}", counted(requests, "request")),
            None => text,
        }
    }

    /// Returns what may be spent before the hand-over.
    fn usable(self, hand_over: Money) -> Money {
        self.limit.less(reserve(self.limit, hand_over))
    }

    fn reached(self, detail: String) -> Reached {
        match self.kind {
            LimitKind::RunUsd | LimitKind::DayUsd => Reached::Run(EndReason::Budget, detail),
            _ => Reached::Feature(EndReason::Budget, detail),
        }
    }

    /// Whether another request may not be sent.
    fn forbids(self, ahead: Ahead) -> Option<Reached> {
        let usable = self.usable(ahead.hand_over);
        if self.spent >= usable {
            return Some(self.reached(self.to_text()));
        }
        (self.spent + ahead.request > usable).then(|| {
            let next = exact(ahead.request);
            let text = self.to_text();
            self.reached(format!(
                "{text}, and the next request alone costs about {next}"
            ))
        })
    }

    /// Whether the answer that streams may not go on.
    fn cuts(self, ahead: Ahead) -> Option<Reached> {
        let sum = self.spent + ahead.request;
        (sum > self.usable(ahead.hand_over)).then(|| {
            let so_far = Self { spent: sum, ..self };
            self.reached(format!(
                "{} with the answer that was coming",
                so_far.to_text()
            ))
        })
    }

    const fn is_nearly_used(self) -> bool {
        nearly(self.spent.0, self.limit.0)
    }
}

/// Returns what is kept of a limit for the hand-over: what one costs, but no more than a twentieth.
pub(crate) fn reserve(limit: Money, hand_over: Money) -> Money {
    hand_over.min(Money(limit.0 / RESERVE_PART))
}

/// Returns what the work on a feature may cost: the smaller of its own budget and the configuration's.
pub(crate) fn feature_usd(limits: &Limits, feature: &Feature) -> Option<Money> {
    let both = [feature.budget.usd, limits.feature_usd];
    both.into_iter().flatten().min()
}

/// Says which limits hold otherwise than before: a person has changed them.
pub(crate) fn changed(before: &Limits, after: &Limits) -> Vec<LimitKind> {
    let all = [
        (LimitKind::RunUsd, before.usd != after.usd),
        (
            LimitKind::SessionUsd,
            before.session_usd != after.session_usd,
        ),
        (
            LimitKind::FeatureUsd,
            before.feature_usd != after.feature_usd,
        ),
        (LimitKind::DayUsd, before.day_usd != after.day_usd),
        (LimitKind::Turns, before.turns != after.turns),
        (LimitKind::Attempts, before.attempts != after.attempts),
        // Times are counted anew by the process that takes a run up.
        (LimitKind::RunMinutes, true),
        (LimitKind::FeatureMinutes, true),
    ];
    let changed = all.into_iter().filter(|(_, is_other)| *is_other);
    changed.map(|(kind, _)| kind).collect()
}

/// Says which limit forbids another turn.
pub(crate) fn reached(
    limits: &Limits,
    feature: &Feature,
    used: Used,
    ahead: Ahead,
) -> Option<Reached> {
    let [run, session, of_feature] = usd_limits(limits, feature, used);
    let forbids = |limit: Option<UsdLimit>| limit.and_then(|limit| limit.forbids(ahead));
    forbids(run)
        .or_else(|| run_time(limits, used))
        .or_else(|| forbids(of_feature))
        .or_else(|| forbids(session))
        .or_else(|| feature_time(feature, used))
        .or_else(|| {
            let text = || format!("the session has taken its {} turns", limits.turns);
            (used.turn.0 >= limits.turns).then(|| Reached::Feature(EndReason::Limit, text()))
        })
}

/// Says which limit in USD forbids to send a request.
pub(crate) fn unpaid(
    limits: &Limits,
    feature: &Feature,
    used: Used,
    ahead: Ahead,
) -> Option<Reached> {
    let mut all = usd_limits(limits, feature, used).into_iter().flatten();
    all.find_map(|limit| limit.forbids(ahead))
}

/// Says which limit cuts the answer that streams.
pub(crate) fn cut(limits: &Limits, feature: &Feature, used: Used, ahead: Ahead) -> Option<Reached> {
    let mut all = usd_limits(limits, feature, used).into_iter().flatten();
    all.find_map(|limit| limit.cuts(ahead))
}

/// Says whether the time of the run or of the feature is over.
pub(crate) fn time_is_up(limits: &Limits, feature: &Feature, used: Used) -> Option<Reached> {
    run_time(limits, used).or_else(|| feature_time(feature, used))
}

/// Returns when the time of run or feature is over.
pub(crate) fn time_is_up_at(limits: &Limits, feature: &Feature, used: Used) -> Timestamp {
    let run = used.run_since.plus(limits.time);
    let time = feature.budget.time();
    time.map_or(run, |time| run.min(used.session_since.plus(time)))
}

/// Says whether a hand-over can be paid with what is left of every limit.
pub(crate) fn can_pay(limits: &Limits, feature: &Feature, used: Used, hand_over: Money) -> bool {
    let mut all = usd_limits(limits, feature, used).into_iter().flatten();
    all.all(|limit| limit.spent + hand_over <= limit.limit)
}

/// Says whether the day has cost too much, or nearly.
///
/// `spent` is what all runs have spent, `in_flight` what the answer that streams adds
/// to it; before a request that is what the request alone costs.
pub(crate) fn of_day(limit: Money, spent: Money, ahead: Ahead) -> Option<Event> {
    let day = UsdLimit {
        kind: LimitKind::DayUsd,
        limit,
        spent,
    };
    let spends = ahead.request > Money(0);
    if let Some(reached) = day.cuts(ahead).filter(|_| spends) {
        return Some(reached.into_event());
    }
    if let Some(reached) = day.forbids(ahead) {
        return Some(reached.into_event());
    }
    let sum = UsdLimit {
        spent: spent + ahead.request,
        ..day
    };
    // What comes on top is counted: how many requests are left cannot be told from it.
    let rest = Ahead {
        request: Money(0),
        ..ahead
    };
    sum.is_nearly_used().then(|| Event::BudgetWarned {
        what: sum.to_warning(rest),
        limit: Some(LimitKind::DayUsd),
    })
}

/// Says which limits are four fifths used, with the words.
pub(crate) fn nearly_used(
    limits: &Limits,
    feature: &Feature,
    used: Used,
    ahead: Ahead,
) -> Vec<(LimitKind, String)> {
    let money = usd_limits(limits, feature, used).into_iter().flatten();
    let money = money.filter(|limit| limit.is_nearly_used());
    let mut found: Vec<(LimitKind, String)> = money
        .map(|limit| (limit.kind, limit.to_warning(ahead)))
        .collect();
    if nearly(u64::from(used.turn.0), u64::from(limits.turns)) {
        let text = format!(
            "{} of {} turns are used, {} left",
            used.turn,
            limits.turns,
            limits.turns.saturating_sub(used.turn.0)
        );
        found.push((LimitKind::Turns, text));
    }
    if used.attempts > 0 && used.attempts + 1 == used.attempts_max {
        let text = format!(
            "{} of {} attempts are used, the next refused `finish` is the last",
            used.attempts, used.attempts_max
        );
        found.push((LimitKind::Attempts, text));
    }
    let times = [
        (
            LimitKind::RunMinutes,
            "run",
            used.run_since,
            Some(limits.time),
        ),
        (
            LimitKind::FeatureMinutes,
            "feature",
            used.session_since,
            feature.budget.time(),
        ),
    ];
    for (kind, whose, since, time) in times {
        let Some(time) = time else { continue };
        let taken = used.now.since(since);
        if nearly(taken.as_secs(), time.as_secs()) {
            let (taken, whole) = (taken.as_secs() / 60, time.as_secs() / 60);
            found.push((
                kind,
                format!(
                    "the {whose} has taken {taken} of {whole} minutes, {} left",
                    whole.saturating_sub(taken)
                ),
            ));
        }
    }
    found
}

/// Writes an amount; one below ten cents that is no whole number of them with more digits.
pub(crate) fn exact(money: Money) -> String {
    const CENT: u64 = 10_000;
    if money.0.is_multiple_of(CENT) || money.0 >= 10 * CENT {
        money.to_string()
    } else {
        format!("${:.4}", money.as_usd())
    }
}

fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

const fn nearly(part: u64, whole: u64) -> bool {
    part.saturating_mul(5) >= whole.saturating_mul(4)
}

fn usd_limits(limits: &Limits, feature: &Feature, used: Used) -> [Option<UsdLimit>; 3] {
    let of = |kind, limit: Option<Money>, spent| limit.map(|limit| UsdLimit { kind, limit, spent });
    [
        of(LimitKind::RunUsd, limits.usd, used.run_spent),
        of(
            LimitKind::SessionUsd,
            limits.session_usd,
            used.session_spent,
        ),
        of(
            LimitKind::FeatureUsd,
            feature_usd(limits, feature),
            used.feature_spent,
        ),
    ]
}

fn run_time(limits: &Limits, used: Used) -> Option<Reached> {
    let minutes = limits.time.as_secs() / 60;
    (used.now.since(used.run_since) >= limits.time).then(|| {
        let text = format!("the run has taken its {minutes} minutes");
        Reached::Run(EndReason::Limit, text)
    })
}

fn feature_time(feature: &Feature, used: Used) -> Option<Reached> {
    let is_over = |time| used.now.since(used.session_since) >= time;
    let minutes = feature.budget.minutes.unwrap_or_default();
    feature
        .budget
        .time()
        .filter(|&time| is_over(time))
        .map(|_| {
            let text = format!("the feature has taken its {minutes} minutes");
            Reached::Feature(EndReason::Limit, text)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(usd: f64) -> Money {
        Money::from_usd(usd)
    }

    #[test]
    fn a_reserve_is_a_hand_over_and_never_more_than_a_twentieth() {
        assert_eq!(reserve(usd(1.0), usd(0.02)), usd(0.02));
        assert_eq!(reserve(usd(1.0), usd(0.2)), usd(0.05));
        assert_eq!(reserve(usd(1.0), Money(0)), Money(0));
    }

    #[test]
    fn small_amounts_are_told_with_more_digits() {
        let told = [0.0, 0.85, 0.0004, 0.0512, 1.2345].map(|amount| exact(usd(amount)));
        assert_eq!(told, ["$0.00", "$0.85", "$0.0004", "$0.0512", "$1.23"]);
    }

    #[test]
    fn a_request_that_alone_is_too_dear_is_not_sent_and_one_that_becomes_so_is_cut() {
        let day = |spent: f64, request: f64| {
            let ahead = Ahead {
                request: usd(request),
                hand_over: usd(0.01),
            };
            of_day(usd(1.0), usd(spent), ahead)
        };
        assert_eq!(day(0.5, 0.2), None);
        for (spent, request) in [(0.99, 0.0), (0.5, 0.495), (1.5, 0.0)] {
            let stop = day(spent, request);
            assert!(matches!(stop, Some(Event::StopDecided { .. })), "{stop:?}");
        }
        // Of $1.00 one cent is kept for the hand-over.
        for (spent, request) in [(0.8, 0.0), (0.7, 0.1)] {
            let what = "all runs of the day have cost $0.80 of $1.00, $0.19 is left".to_owned();
            let limit = Some(LimitKind::DayUsd);
            assert_eq!(
                day(spent, request),
                Some(Event::BudgetWarned { what, limit })
            );
        }
    }
}
