//! What the session has used, held against its limits: before a turn, and while an answer streams.
//!
//! Whether a limit is reached is judged in `limits`; this file brings its numbers together.

use harness_core::{EndReason, Event, LimitKind, Money, RunState, Spent, Timestamp, Usage};

use super::{Cost, Session, Step};
use crate::{
    limits::{self, Ahead, Used},
    words,
};

impl Cost {
    /// Adds what a request used that was no whole answer.
    pub(super) const fn add(&mut self, spent: Spent) {
        self.usage = self.usage.plus(spent.usage);
        let cost = match spent.cost {
            Some(cost) => cost.0,
            None => 0,
        };
        self.spent = Money(self.spent.0.saturating_add(cost));
    }
}

impl Session {
    /// Begins to count anew.
    pub(super) fn forget_spent(&mut self, now: Timestamp) {
        self.cost = Cost {
            since: now,
            usage: Usage::default(),
            spent: Money(0),
        };
    }

    /// Remembers what was warned of, and tells the agent; an older log does not say which limit.
    pub(super) fn on_warned(&mut self, what: &str, limit: Option<LimitKind>) {
        let Some(limit) = limit else { return };
        self.warned.insert(limit);
        self.talk.tell(words::limit_near(limit, what));
    }

    /// Returns what is used so far.
    pub(crate) fn used_of(&self, run: &RunState, since: Timestamp, now: Timestamp) -> Used {
        Used {
            turn: self.talk.turn,
            run_spent: run.spent + self.cost.spent,
            session_spent: self.cost.spent,
            feature_spent: run.account.of_feature(&self.feature.id) + self.cost.spent,
            run_since: since,
            session_since: self.cost.since,
            now,
            attempts: self.attempts,
            attempts_max: self.attempts_max(run),
        }
    }

    /// Returns what a request of this usage and a hand-over behind it would cost.
    pub(crate) fn ahead(&self, run: &RunState, usage: Usage) -> Ahead {
        Ahead {
            request: self.asked_model(run).cost(usage).unwrap_or_default(),
            hand_over: self.hand_over_price(run),
        }
    }

    /// Returns the input of the request in flight, estimated.
    pub(crate) fn estimate(&self) -> Usage {
        self.beside_estimate()
            .unwrap_or_else(|| self.talk.estimate())
    }

    /// Says what cuts the answer that streams, once it has used this much.
    pub(crate) fn cut(&self, run: &RunState, used: Used, usage: Usage) -> Option<Event> {
        if !self.talk.is_in_flight() && !self.is_heard_beside() {
            return None;
        }
        let ahead = self.ahead(run, usage);
        limits::cut(&run.policy.limits, &self.feature, used, ahead).map(limits::Reached::into_event)
    }

    /// Warns of the first limit that is nearly used up and was not warned of.
    pub(super) fn warning_step(&self, run: &RunState, used: Used) -> Option<Step> {
        let ahead = self.ahead(run, self.talk.estimate());
        let near = limits::nearly_used(&run.policy.limits, &self.feature, used, ahead);
        let mut near = near.into_iter();
        let is_new =
            |limit: &_| !self.warned.contains(limit) && !run.account.warned.contains(limit);
        let (limit, what) = near.find(|(limit, _)| is_new(limit))?;
        Some(Step::Record(Event::BudgetWarned {
            what,
            limit: Some(limit),
        }))
    }

    /// Gives up a feature with a budget in USD that cannot be held: nobody knows the price.
    pub(super) fn price_missing(&self, run: &RunState) -> Option<Step> {
        let is_limited = limits::feature_usd(&run.policy.limits, &self.feature).is_some();
        let model = self.asked_model(run);
        let is_unknown = model.price.is_none() && !model.recorded;
        (is_limited && is_unknown).then(|| {
            Step::Record(Event::FeatureGivenUp {
                reason: EndReason::NeedsHuman,
                detail: format!(
                    "its budget in USD cannot be held: the price of model `{}` is unknown",
                    model.name
                ),
            })
        })
    }
}
