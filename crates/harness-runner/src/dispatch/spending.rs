//! Money: what a request has cost however it ends, and the day's spend.
//!
//! The day is noted after every request and looked at before the next; what other runs
//! spend meanwhile counts. The sum is no event; the engine proposes one of it, as it does
//! of tokens that stream.

use harness_core::{EndReason, Event, Happened, Money, Spent, Usage};
use harness_engine::{Tick, WriteHandOver};
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
    /// Puts into the end of a request what it has cost, where the provider had no time to say it.
    pub(super) fn count_request(&mut self, event: &mut Event) {
        let model = self.engine.asked_model();
        match event {
            Event::Beside(told) => match &mut told.happened {
                Happened::Failed { failure, spent, .. } => {
                    let was_sent = self.executor.was_sent();
                    *spent = self.meter.failed(failure.class, was_sent, model);
                }
                Happened::Responded { response, cost, .. }
                    if !model.recorded && response.usage == Usage::default() =>
                {
                    *cost = self.meter.spent(model).cost;
                }
                _ => {}
            },
            Event::ModelFailed { failure, spent, .. } => {
                let was_sent = self.executor.was_sent();
                *spent = self.meter.failed(failure.class, was_sent, model);
            }
            // A server that says no tokens has read and written some all the same.
            Event::ModelResponded(responded)
                if !model.recorded && responded.response.usage == Usage::default() =>
            {
                responded.cost = self.meter.spent(model).cost;
            }
            _ => {}
        }
    }

    /// Adds what a request has cost to the day.
    pub(super) fn note_spend(&mut self, event: &Event) {
        let of = |spent: Option<Spent>| spent.and_then(|spent| spent.cost);
        let cost = match event {
            Event::ModelResponded(responded) => responded.cost,
            Event::ModelFailed { spent, .. } => of(*spent),
            Event::HandedOver(note) => of(note.spent),
            // What the request cost that had no end when its process ended.
            Event::SessionResumed { found, .. } => of(found.spent),
            Event::Beside(told) => match &told.happened {
                Happened::Responded { cost, .. } => *cost,
                Happened::Failed { spent, .. } => of(*spent),
                _ => None,
            },
            _ => None,
        };
        let cost = cost.filter(|cost| *cost > Money(0));
        if let (Some(cost), Some(session)) = (cost, self.session) {
            let now = harness_host::clock::now();
            let added = self.spending.log.add(session, cost, now);
            self.stop_uncounted(added.err());
        }
    }

    /// Looks at the day before a request goes out: the queue is worked off before it is sent.
    pub(super) fn check_day(&mut self) {
        if !self.engine.is_limited_by_day() {
            return;
        }
        match self.spending.log.today(harness_host::clock::now()) {
            Ok(today) => {
                self.spending.today = today;
                self.hold_to_day(self.meter.so_far());
            }
            Err(error) => self.stop_uncounted(Some(error)),
        }
    }

    /// Holds the answer that streams, with what it has used so far, to every limit in USD.
    pub(super) fn hold_to_limits(&mut self) {
        if self.meter.is_stopped {
            return;
        }
        let usage = self.meter.so_far();
        let now = harness_host::clock::now();
        if let Some(event) = self.engine.observe(Tick::Usage(usage), now) {
            self.meter.is_stopped = true;
            self.queue.push_back(event);
            return;
        }
        self.hold_to_day(usage);
    }

    fn hold_to_day(&mut self, in_flight: Usage) {
        let tick = Tick::Day {
            spent: self.spending.today,
            in_flight,
        };
        match self.engine.observe(tick, harness_host::clock::now()) {
            Some(Event::BudgetWarned { .. }) if self.spending.warned => {}
            Some(event) => {
                let is_warning = matches!(event, Event::BudgetWarned { .. });
                self.spending.warned |= is_warning;
                self.meter.is_stopped |= !is_warning;
                self.queue.push_back(event);
            }
            None => {}
        }
    }

    /// Asks no model for a note that the day has no money for.
    pub(super) fn refuse_unpaid_note(&mut self, write: &mut WriteHandOver) {
        let (Some(limit), Some(price)) = (self.engine.day_limit(), write.price) else {
            return;
        };
        let today = self.spending.log.today(harness_host::clock::now());
        let is_paid = today.is_ok_and(|today| today + price <= limit);
        if !is_paid && price > Money(0) {
            (write.prompt, write.price) = (None, None);
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
