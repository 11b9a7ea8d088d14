//! That no run, session or feature costs more than its limit and one answer.

use std::collections::BTreeMap;

use harness_core::{Event, Feature, FeatureId, Happened, Limits, Money};
use harness_engine::WriteHandOver;

use super::monitor::ensure;

/// What an answer of the simulated model costs at most.
const ONE_ANSWER: Money = Money(24_000);

/// What was spent, counted without asking the engine.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    run: Money,
    session: Money,
    features: BTreeMap<FeatureId, Money>,
}

impl Purse {
    pub(crate) const fn run(&self) -> Money {
        self.run
    }

    pub(crate) fn open_session(&mut self) {
        self.session = Money(0);
    }

    /// Counts what an event says was spent, and holds it to the limits.
    pub(crate) fn event(
        &mut self,
        event: &Event,
        feature: &Feature,
        limits: &Limits,
    ) -> Result<(), String> {
        let cost = match event {
            Event::ModelResponded(responded) => responded.cost,
            Event::ModelFailed { spent, .. } => spent.and_then(|spent| spent.cost),
            Event::Beside(told) => match &told.happened {
                Happened::Responded { cost, .. } => *cost,
                Happened::Failed { spent, .. } => spent.and_then(|spent| spent.cost),
                _ => return Ok(()),
            },
            Event::HandedOver(note) => note.spent.and_then(|spent| spent.cost),
            Event::SessionResumed { found, .. } => found.spent.and_then(|spent| spent.cost),
            _ => return Ok(()),
        };
        let cost = cost.unwrap_or_default();
        let of_feature = self.features.entry(feature.id.clone()).or_default();
        *of_feature = *of_feature + cost;
        self.run = self.run + cost;
        self.session = self.session + cost;
        for (spent, limit) in self.held(feature, limits) {
            ensure(spent <= limit + ONE_ANSWER, || {
                format!("{} spent of {}", spent.0, limit.0)
            })?;
        }
        Ok(())
    }

    /// Holds a hand-over that asks a model to what is left of every limit.
    pub(crate) fn may_hand_over(
        &self,
        write: &WriteHandOver,
        feature: &Feature,
        limits: &Limits,
    ) -> Result<(), String> {
        ensure(write.feature == feature.id, || {
            "hands over another feature".to_owned()
        })?;
        let Some(price) = write.price else {
            return Ok(());
        };
        for (spent, limit) in self.held(feature, limits) {
            ensure(spent + price <= limit, || {
                format!("a hand-over that is not paid: {} of {}", spent.0, limit.0)
            })?;
        }
        Ok(())
    }

    fn held(&self, feature: &Feature, limits: &Limits) -> Vec<(Money, Money)> {
        let of_feature = self.features.get(&feature.id).copied().unwrap_or_default();
        let own = [feature.budget.usd, limits.feature_usd];
        let all = [
            (self.run, limits.usd),
            (self.session, limits.session_usd),
            (of_feature, own.into_iter().flatten().min()),
        ];
        let held = all.into_iter();
        held.filter_map(|(spent, limit)| Some((spent, limit?)))
            .collect()
    }
}
