//! A window that fills up: old output is dropped, then a fresh session goes on with the feature;
//! and what must survive both: the plan, a person's words, what was changed.
//!
//! What is dropped is said in `window` of the crate; the note for the fresh session is written by
//! `hand_over`, and the engine opens it. A model that never gets further than its window is
//! stopped: hand-overs of a feature are counted, and two in a row must not both bring nothing.

use harness_core::{
    CallId, EndReason, Event, FailureClass, FeatureWork, PlanItem, RunState, TokenCount, TreeId,
    WindowCut, WindowFull,
};
use harness_tool::Intent;

use super::{Conclusion, Session, Step};
use crate::{calls::CallState, talk::Request, window::is_full, words};

/// Hand-overs of one feature in a run.
const HAND_OVERS_MAX: u32 = 20;
/// Hand-overs in a row that may bring nothing: no change, no note and no step of the plan.
const FRUITLESS_MAX: u32 = 2;

/// What a session knows of its window, and of those that were before it.
#[derive(Debug)]
pub(super) struct Carried {
    /// What goes on to the next session.
    pub(super) work: FeatureWork,
    /// The largest part of the first window, for people.
    largest: String,
    /// What there was when the session began: against it is said whether it brought anything.
    start: TreeId,
    notes: usize,
    plan: Vec<PlanItem>,
}

impl Carried {
    pub(super) fn new(work: FeatureWork, start: &TreeId, largest: String) -> Self {
        Self {
            largest,
            start: start.clone(),
            notes: work.notes.len(),
            plan: work.plan.clone(),
            work,
        }
    }
}

impl Session {
    /// Drops old output where the window is full and that makes room for a while.
    pub(super) fn cut_step(&self, run: &RunState) -> Option<Step> {
        let window = self.talk.window(run.model.context);
        let before = self.talk.whole().tokens;
        if !knows(window) || !is_full(before, window) {
            return None;
        }
        let restored = words::room_made(&harness_context::intent(
            run,
            &self.feature,
            &self.carried.work.plan,
        ));
        let more = TokenCount::estimate(&restored).0;
        let cut = self.talk.possible_cut(window);
        cut.is_worth_it(more, window).then(|| {
            Step::Record(Event::WindowCut(Box::new(WindowCut {
                after: TokenCount(cut.after + more),
                dropped: cut.dropped,
                before: TokenCount(before),
                window,
                restored,
            })))
        })
    }

    /// Hands over to a fresh session where the window is full and nothing can be dropped any more.
    pub(super) fn full_step(&self, run: &RunState) -> Option<Step> {
        let window = self.talk.window(run.model.context);
        let need = self.talk.whole().tokens;
        if !knows(window) || !is_full(need, window) {
            return None;
        }
        if !self.talk.has_answers() {
            return Some(Step::Record(Event::StopDecided {
                reason: EndReason::Blocked,
                detail: words::never_fits(need, window, &run.model.name, &self.carried.largest),
            }));
        }
        // Whether anything was brought is known when the work tree is saved.
        if self.saving.in_flight {
            return Some(Step::Wait);
        }
        let known = &self.carried.work;
        let event = if known.hand_overs >= HAND_OVERS_MAX {
            Event::FeatureGivenUp {
                reason: EndReason::Limit,
                detail: words::handed_over_too_often(known.hand_overs, window),
            }
        } else if !self.has_brought_something() && known.fruitless + 1 >= FRUITLESS_MAX {
            Event::FeatureGivenUp {
                reason: EndReason::Stuck,
                detail: words::handed_over_for_nothing(known.fruitless + 1, window),
            }
        } else {
            Event::WindowFull(Box::new(WindowFull {
                need: TokenCount(need),
                window,
                number: known.hand_overs + 1,
                reason: words::window_full(need, window),
            }))
        };
        Some(Step::Record(event))
    }

    /// Says what becomes of a request that the provider found too large; `None` when it was another failure.
    pub(super) fn overflow_step(&self, run: &RunState) -> Option<Step> {
        let (_, failure) = self.talk.failures.as_ref()?;
        if failure.class != FailureClass::ContextOverflow {
            return None;
        }
        if let Some(step) = self.cut_step(run) {
            return Some(step);
        }
        if self.talk.is_hardly_begun() {
            return Some(Step::Record(Event::StopDecided {
                reason: EndReason::ProviderFailed,
                detail: format!(
                    "{}; the largest part of the first request is {}",
                    failure.message, self.carried.largest
                ),
            }));
        }
        self.full_step(run)
    }

    fn has_brought_something(&self) -> bool {
        let carried = &self.carried;
        self.saving.tree != carried.start
            || self.story.notes.len() > carried.notes
            || carried.work.plan != carried.plan
    }

    pub(super) fn on_cut(&mut self, cut: &WindowCut) {
        if !self.talk.is_in_flight() {
            self.talk.cut(&cut.dropped, &cut.restored);
        }
    }

    pub(super) fn on_full(&mut self, full: &WindowFull) {
        if self.conclusion.is_none() {
            self.conclusion = Some(Conclusion::HandedOver {
                reason: full.reason.clone(),
            });
        }
    }

    /// The provider stopped in the middle: the window is no larger than what is in it.
    pub(super) fn on_window_used_up(&mut self) {
        self.talk.overflow();
        self.talk.request = Request::Due;
    }

    pub(super) fn on_plan(&mut self, id: CallId, items: &[PlanItem]) {
        let Some(call) = self.calls.find(id) else {
            return;
        };
        let is_its = matches!(call.intent, Ok(Intent::Plan { .. }));
        if is_its && matches!(call.state, CallState::Judged(_)) {
            call.answer(words::planned(&self.carried.work.plan, items), false);
            self.carried.work.plan = items.to_vec();
        }
    }

    /// Remembers an answer of a person with the question it is about.
    pub(super) fn remember_answer(&mut self, id: CallId, answer: &str) {
        let mut calls = self.calls.iter();
        let asked = calls.find(|call| call.id == id && call.state == CallState::Running);
        if let Some(Ok(Intent::Ask { text })) = asked.map(|call| &call.intent) {
            let heard = format!("asked \"{}\": {answer}", text.trim());
            self.carried.work.hear(&heard);
        }
    }

    /// Returns what the next session of the feature has to know.
    pub(crate) fn work(&self) -> FeatureWork {
        let mut work = self.carried.work.clone();
        work.keep_lines(&self.story.notes, &self.story.refusals);
        work.decided = self.decided().to_vec();
        work.asks_no_more = self.asks_no_more;
        work.mends = self.mends;
        if self.aside == super::SettingAside::Done {
            work.changed.clear();
        }
        work
    }

    /// Returns the same for a session that was handed over.
    pub(crate) fn work_handed_over(&self, now: harness_core::Timestamp) -> FeatureWork {
        let mut work = self.work();
        work.hand_overs += 1;
        work.fruitless = if self.has_brought_something() {
            0
        } else {
            work.fruitless + 1
        };
        let worked = now.since(self.cost.since).as_millis();
        work.worked_ms = u64::try_from(worked).unwrap_or(u64::MAX);
        work
    }
}

/// Whether there is anything to hold a request against: a model may not say how large its window is.
fn knows(window: TokenCount) -> bool {
    window > TokenCount(0)
}
