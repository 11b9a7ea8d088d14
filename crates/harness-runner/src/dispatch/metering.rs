//! What a request has used so far: what its provider has said, else an estimate.
//!
//! A provider says most of it at the end, and nothing of an answer that is cut. The input
//! is the engine's estimate until it is said; the output is what was heard, four bytes a
//! token. Reasoning that a provider hides is not heard: it counts when it is said.

use harness_core::{FailureClass, ModelDelta, ModelProfile, Spent, Usage};

/// Bytes of an answer that are taken for one token.
const BYTES_PER_TOKEN: u64 = 4;

/// The meter of one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    /// The input, estimated before it was sent.
    estimate: Usage,
    reported: Usage,
    said: u64,
    shown: u64,
    /// Whether it was found to be too much.
    pub(crate) is_stopped: bool,
}

impl Meter {
    pub(crate) fn new(estimate: Usage) -> Self {
        Self {
            estimate,
            ..Self::default()
        }
    }

    /// Takes a piece of the answer in; says whether more is used now.
    pub(crate) fn hear(&mut self, delta: &ModelDelta) -> bool {
        match delta {
            ModelDelta::Usage(usage) => self.reported = *usage,
            ModelDelta::Said(bytes) => self.said = self.said.max(*bytes),
            ModelDelta::Text(text) | ModelDelta::Thinking(text) => {
                self.shown = self.shown.saturating_add(text.len() as u64);
            }
            ModelDelta::CallStarted { .. }
            | ModelDelta::Allowances(_)
            | ModelDelta::Printed { .. } => {}
        }
        matches!(delta, ModelDelta::Usage(_) | ModelDelta::Said(_))
    }

    /// Returns what is used so far.
    pub(crate) fn so_far(&self) -> Usage {
        let input = if self.reported.input_total() > 0 {
            self.reported
        } else {
            self.estimate
        };
        Usage {
            output: self.reported.output.max(self.heard()),
            ..input
        }
    }

    fn heard(&self) -> u64 {
        self.said.max(self.shown).div_ceil(BYTES_PER_TOKEN)
    }

    fn has_heard(&self) -> bool {
        self.said > 0 || self.shown > 0 || self.reported != Usage::default()
    }

    /// Returns what a request used that ended without an answer.
    ///
    /// A failure costs where something of the answer was seen. One that was called off
    /// also costs when nothing was: its prompt may have been read. A recording costs nothing.
    pub(crate) fn failed(
        &self,
        class: FailureClass,
        was_sent: bool,
        model: &ModelProfile,
    ) -> Option<Spent> {
        let is_billed = self.has_heard() || (class == FailureClass::Cancelled && was_sent);
        (is_billed && !model.recorded).then(|| self.spent(model))
    }

    /// Returns what is used so far with its price.
    pub(crate) fn spent(&self, model: &ModelProfile) -> Spent {
        let usage = self.so_far();
        let is_said = self.reported.input_total() > 0 && self.reported.output >= self.heard();
        Spent {
            usage,
            cost: model.cost(usage),
            estimated: !is_said,
        }
    }
}

#[cfg(test)]
mod tests {
    use harness_core::{Money, Price, TokenCount};

    use super::*;

    fn model() -> ModelProfile {
        ModelProfile {
            name: "m".to_owned(),
            id: "m".to_owned(),
            provider: String::new(),
            context: TokenCount(1_000_000),
            output: TokenCount(1_000),
            price: Some(Price {
                input: Money(1_000_000),
                output: Money(2_000_000),
                ..Price::default()
            }),
            effort: None,
            beyond: None,
            recorded: false,
        }
    }

    fn input(input: u64) -> Usage {
        Usage {
            input,
            ..Usage::default()
        }
    }

    #[test]
    fn what_is_said_takes_the_place_of_what_was_estimated() {
        let mut meter = Meter::new(input(1_000));
        assert_eq!(meter.so_far(), input(1_000));
        meter.hear(&ModelDelta::Text("12345678".to_owned()));
        assert_eq!(meter.so_far().output, 2);
        assert!(meter.hear(&ModelDelta::Said(400)));
        assert_eq!(meter.so_far().output, 100);
        meter.hear(&ModelDelta::Usage(Usage {
            cache_read: 700,
            output: 1,
            ..input(100)
        }));
        let usage = meter.so_far();
        assert_eq!(
            (usage.input, usage.cache_read, usage.output),
            (100, 700, 100)
        );
        assert!(meter.spent(&model()).estimated);
        meter.hear(&ModelDelta::Usage(Usage {
            output: 120,
            ..input(100)
        }));
        let spent = meter.spent(&model());
        assert_eq!((spent.cost, spent.estimated), (Some(Money(340)), false));
    }

    #[test]
    fn a_failure_costs_where_something_was_seen_or_may_have_been_read() {
        let silent = Meter::new(input(1_000));
        let cost = |meter: &Meter, class, was_sent| {
            let spent = meter.failed(class, was_sent, &model());
            spent.and_then(|spent| spent.cost)
        };
        assert_eq!(cost(&silent, FailureClass::RateLimited, true), None);
        assert_eq!(cost(&silent, FailureClass::Cancelled, false), None);
        let read = Some(Money(1_000));
        assert_eq!(cost(&silent, FailureClass::Cancelled, true), read);
        let mut heard = silent;
        heard.hear(&ModelDelta::Said(40));
        let some = Some(Money(1_020));
        assert_eq!(cost(&heard, FailureClass::Broken, true), some);
        let recorded = ModelProfile {
            recorded: true,
            ..model()
        };
        assert_eq!(heard.failed(FailureClass::Broken, true, &recorded), None);
    }

    #[test]
    fn a_prompt_beyond_the_window_of_its_price_costs_twice() {
        let small = ModelProfile {
            context: TokenCount(1_000),
            ..model()
        };
        assert_eq!(small.cost(input(1_000)), Some(Money(1_000)));
        assert_eq!(small.cost(input(1_001)), Some(Money(2_002)));
        // Or what is known.
        let beyond = Price {
            input: Money(5_000_000),
            ..Price::default()
        };
        let known = ModelProfile {
            beyond: Some(beyond),
            ..small
        };
        assert_eq!(known.cost(input(1_000)), Some(Money(1_000)));
        assert_eq!(known.cost(input(1_001)), Some(Money(5_005)));
    }
}
