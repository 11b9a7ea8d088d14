//! The day's spend: noted after every answer, looked at before every request.
//!
//! What other runs spend meanwhile counts. The sum is no event; the engine proposes
//! one of it, as it does of tokens that stream.

use harness_core::{EndReason, Event, ModelResponded, Money, Usage};
use harness_engine::Tick;
use harness_store::{FileError, SpendLog};

use super::Dispatcher;

/// What the day has cost, as far as this run has looked.
#[derive(Debug)]
pub(super) struct Spending {
    log: SpendLog,
    today: Money,
    warned: bool,
}

impl Spending {
    pub(super) const fn new(log: SpendLog) -> Self {
        Self {
            log,
            today: Money(0),
            warned: false,
        }
    }
}

impl Dispatcher<'_> {
    /// Adds what an answer has cost to the day.
    pub(super) fn note_spend(&mut self, responded: &ModelResponded) {
        let cost = responded.cost.filter(|cost| *cost > Money(0));
        if let (Some(cost), Some(session)) = (cost, self.session) {
            let now = harness_host::clock::now();
            let added = self.spending.log.add(session, cost, now);
            self.stop_uncounted(added.err());
        }
    }

    /// Looks at the day before a request goes out: the queue is worked off before it is sent.
    pub(super) fn check_day(&mut self) {
        match self.spending.log.today(harness_host::clock::now()) {
            Ok(today) => {
                self.spending.today = today;
                self.check_day_while_streaming(Usage::default());
            }
            Err(error) => self.stop_uncounted(Some(error)),
        }
    }

    /// Holds the answer that streams, with what it has used so far, to what is left of the day.
    pub(super) fn check_day_while_streaming(&mut self, in_flight: Usage) {
        let tick = Tick::Day {
            spent: self.spending.today,
            in_flight,
        };
        match self.engine.observe(tick, harness_host::clock::now()) {
            Some(Event::BudgetWarned { .. }) if self.spending.warned => {}
            Some(event) => {
                self.spending.warned |= matches!(event, Event::BudgetWarned { .. });
                self.queue.push_back(event);
            }
            None => {}
        }
    }

    /// A limit that cannot be counted against cannot be held: the run stops.
    fn stop_uncounted(&mut self, error: Option<FileError>) {
        if let Some(error) = error.filter(|_| self.engine.is_limited_by_day()) {
            self.queue.push_back(Event::StopDecided {
                reason: EndReason::Failed,
                detail: format!(
                    "the day's spend cannot be counted: {error}: {}",
                    error.source
                ),
            });
        }
    }
}
