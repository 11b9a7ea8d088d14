//! A conversation beside the main one: a small state machine with a window of its own.
//!
//! It can look and nothing else; what it looks at is judged by the session's guard. It ends
//! in an answer, or in the reason why there is none, whichever of its bounds it meets. This file
//! takes events in and knows its bounds; `session/beside` says what follows and pays for it,
//! so that a limit of the session is one here too.

use std::{path::PathBuf, time::Duration};

use harness_core::{
    AssistantPart, BesideEnd, BesideUse, CallEnd, CallId, ConversationId, ConversationKind, Event,
    FailureClass, Happened, ModelFailure, ModelProfile, ModelResponse, Money, Spent, StopReason,
    Timestamp, TokenCount, TurnNumber, Verdict,
};
use harness_gate::review::{self, Criterion};
use harness_guard::Guard;
use harness_tool::Intent;

use crate::{
    calls::{Call, CallState, Calls},
    retry::Failures,
    talk::{Request, Talk},
    words,
};

/// The most requests of one conversation; the last one is for the answer.
pub const BESIDE_TURNS_MAX: u32 = 20;
/// The longest answer that is asked for. Unit: tokens.
pub const BESIDE_OUTPUT_MAX: TokenCount = TokenCount(8_000);
/// Tokens of one conversation, read and written; then one request more is for the answer.
const TOKENS_MAX: u64 = 500_000;
/// The most calls of one answer that are carried out.
const CALLS_MAX: u32 = 8;
/// What is kept of a window beside prompt and answer, because sizes are estimated. Unit: tokens.
const SLACK: u64 = 512;
/// How often an answer that has not the form is sent back.
const CORRECTIONS_MAX: u32 = 1;

/// One conversation beside the main one.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    /// The main conversation's call that waits for its answer.
    pub(crate) call: Option<CallId>,
    /// What its answer has to judge; absent where any answer will do.
    form: Option<Vec<Criterion>>,
    pub(crate) talk: Talk,
    pub(crate) calls: Calls,
    pub(crate) used: BesideUse,
    corrections: u32,
    /// Which bound has ended the looking; empty while none has.
    bound: String,
    /// What the last answer said that asked for nothing.
    said: String,
    /// How it ends; not recorded yet.
    pub(crate) outcome: Option<BesideEnd>,
    root: PathBuf,
}

impl Conversation {
    /// Begins one with its instructions and its first message.
    pub(crate) fn new(
        id: ConversationId,
        call: Option<CallId>,
        form: Option<Vec<Criterion>>,
        (system, task): (&str, String),
        root: PathBuf,
    ) -> Self {
        let tools = harness_tool::looking_specs().into();
        Self {
            id,
            call,
            form,
            talk: Talk::new(system.to_owned(), [task, String::new()], tools),
            calls: Calls::default(),
            used: BesideUse::default(),
            corrections: 0,
            bound: String::new(),
            said: String::new(),
            outcome: None,
            root,
        }
    }

    /// Whether something is under way that will end in an event.
    pub(crate) fn is_in_flight(&self) -> bool {
        self.talk.is_in_flight() || self.calls.iter().any(Call::is_performed)
    }

    /// Takes in what happened in it; events that no longer fit change nothing.
    ///
    /// Returns what it cost.
    pub(crate) fn apply(&mut self, happened: &Happened, now: Timestamp) -> Option<Spent> {
        match happened {
            Happened::Responded {
                turn,
                response,
                cost,
                ..
            } => return self.on_response(*turn, response, *cost),
            Happened::Failed {
                turn,
                failure,
                spent,
            } => return self.on_failure(*turn, failure, *spent, now),
            Happened::Retried { turn, delay_ms, .. } => {
                self.wait(Request::Failed, *turn, *delay_ms, now);
            }
            Happened::Paced { turn, delay_ms, .. } => {
                if self.talk.request == Request::Ready && *turn == self.talk.turn {
                    self.talk.hold(now.plus(Duration::from_millis(*delay_ms)));
                }
            }
            Happened::RetryDue { turn } => {
                if matches!(self.talk.request, Request::BackingOff { .. })
                    && *turn == self.talk.turn
                {
                    self.talk.request = Request::Ready;
                }
            }
            Happened::CallJudged {
                call,
                action,
                verdict,
                ..
            } => {
                let found = self.calls.find(*call);
                if let Some(call) = found.filter(|call| call.state == CallState::New) {
                    call.action.clone_from(action);
                    call.state = CallState::Judged(verdict.clone());
                }
            }
            Happened::LinkMet {
                call,
                link,
                target,
                resolved,
            } => {
                let found = self.calls.find(*call);
                if let Some(call) = found.filter(|call| call.state == CallState::Running) {
                    call.follow_link(link, target, resolved.as_ref());
                }
            }
            Happened::CallEnded { call, end, ms } => {
                let found = self.calls.find(*call);
                if let Some(call) = found.filter(|call| call.can_end(end)) {
                    self.used.calls += u32::from(matches!(end, CallEnd::Done { .. }));
                    call.end(end, *ms);
                }
            }
            Happened::Corrected { text } => {
                self.corrections += 1;
                self.talk.tell(text.clone());
                self.talk.request = Request::Due;
            }
            Happened::Started { .. } | Happened::Ended { .. } => {}
        }
        None
    }

    fn on_response(
        &mut self,
        turn: TurnNumber,
        response: &ModelResponse,
        cost: Option<Money>,
    ) -> Option<Spent> {
        if !self.talk.is_in_flight() || turn != self.talk.turn {
            return None;
        }
        let spent = Spent {
            usage: response.usage,
            cost,
            estimated: false,
        };
        self.used.turns += 1;
        self.pay(spent);
        self.talk.hear(response);
        self.calls = Calls::new(turn, response.calls(), &self.root);
        if !self.calls.is_empty() {
            if !self.bound.is_empty() {
                self.calls = Calls::default();
                self.outcome = Some(self.at_the_bound(response.text()));
            }
            return Some(spent);
        }
        match response.stop {
            StopReason::Paused => self.talk.request = Request::Due,
            StopReason::Refused => {
                self.fail(format!("the model declined: {}", response.text()));
            }
            StopReason::ContextFull => self.fail("its window is full"),
            _ => self.said = answer_of(response),
        }
        Some(spent)
    }

    /// Says how it ends that asks for more where no more is given.
    fn at_the_bound(&self, text: String) -> BesideEnd {
        let bound = &self.bound;
        if self.form.is_some() || text.trim().is_empty() {
            let reason = format!("it went on looking when it had to answer, {bound}");
            return BesideEnd::Failed { reason };
        }
        BesideEnd::Answered {
            text,
            bound: bound.clone(),
        }
    }

    fn on_failure(
        &mut self,
        turn: TurnNumber,
        failure: &ModelFailure,
        spent: Option<Spent>,
        now: Timestamp,
    ) -> Option<Spent> {
        if !self.talk.is_in_flight() || turn != self.talk.turn {
            return None;
        }
        if let Some(spent) = spent {
            self.pay(spent);
        }
        if failure.class == FailureClass::Cancelled {
            self.talk.request = Request::Ready;
            return spent;
        }
        let earlier = self.talk.failures.as_ref().map(|(failures, _)| *failures);
        let failures = Failures::after(earlier, failure.class, now);
        self.talk.failures = Some((failures, failure.clone()));
        self.talk.request = Request::Failed;
        spent
    }

    fn pay(&mut self, spent: Spent) {
        self.used.usage = self.used.usage.plus(spent.usage);
        self.used.cost = self.used.cost + spent.cost.unwrap_or_default();
        self.used.unpriced |= spent.cost.is_none();
    }

    fn wait(&mut self, from: Request, turn: TurnNumber, delay_ms: u64, now: Timestamp) {
        if self.talk.request == from && turn == self.talk.turn {
            self.talk.request = Request::BackingOff {
                until: now.plus(Duration::from_millis(delay_ms)),
            };
        }
    }

    /// Ends it without an answer.
    pub(crate) fn fail(&mut self, reason: impl Into<String>) {
        self.outcome.get_or_insert(BesideEnd::Failed {
            reason: reason.into(),
        });
    }

    /// Takes up one that another process left: what was in flight has no end and never will.
    ///
    /// A request is sent again; a call is lost and told so.
    pub(crate) fn resume(&mut self, now: Timestamp) {
        for call in self.calls.iter_mut() {
            if call.state == CallState::Running {
                call.state = CallState::Orphaned;
            }
        }
        self.talk.ask_again_after(false, true, now);
    }

    /// Says what a call may do that the guard has not spoken about: look, as far as the guard allows.
    pub(crate) fn judge(call: &Call, guard: &Guard) -> Verdict {
        if call.id.index >= CALLS_MAX {
            return Verdict::deny(format!(
                "more than {CALLS_MAX} calls in one answer; ask again"
            ));
        }
        let verdict = match (&call.intent, &call.action) {
            (Err(fault), _) => return Verdict::deny(fault.to_string()),
            (Ok(Intent::Act(_) | Intent::Doc { .. }), Some(action))
                if action.is_read_only() && harness_tool::is_looking(&call.asked.name) =>
            {
                guard.judge(action)
            }
            _ => return Verdict::deny(words::ONLY_LOOKS),
        };
        match verdict.decision {
            // Nobody is asked here.
            harness_core::Decision::Ask => Verdict::deny(verdict.reason),
            _ => verdict,
        }
    }

    /// Takes the finished calls of an answer in; what has no room in the window is left out of it.
    pub(crate) fn gather(&mut self, model: &ModelProfile) {
        let mut room = room(model).saturating_sub(self.talk.estimate().input_total());
        let calls = self.calls.take();
        let results = calls.iter().filter_map(|call| call.result().cloned());
        let fitting = results.map(|mut result| {
            let tokens = (result.content.len() as u64).div_ceil(4);
            if tokens > room {
                words::LEFT_OUT.clone_into(&mut result.content);
                result.images.clear();
            } else {
                room -= tokens;
            }
            result
        });
        self.talk.give_results(fitting.collect::<Vec<_>>());
        self.talk.request = Request::Due;
    }

    /// Begins the next request, the last one where a bound is near; ends it where there is no room at all.
    pub(crate) fn begin_turn(&mut self, model: &ModelProfile) {
        let (room, taken) = (room(model), self.talk.estimate().input_total());
        if taken > room {
            let name = &model.name;
            return self.fail(format!(
                "the window of `{name}`, {}, is too small for it",
                model.context
            ));
        }
        if self.bound.is_empty() {
            self.bound = self.near_bound(room, taken);
            if !self.bound.is_empty() {
                let words = words::last_turn(&self.bound, self.form.is_some());
                self.talk.tell(words);
            }
        }
        self.talk.begin_turn(self.talk.turn.next());
    }

    fn near_bound(&self, room: u64, taken: u64) -> String {
        let tokens = self.used.usage.input_total() + self.used.usage.output;
        if self.talk.turn.0 + 1 >= BESIDE_TURNS_MAX {
            format!("{BESIDE_TURNS_MAX} turns are used up")
        } else if tokens >= TOKENS_MAX {
            format!("{TOKENS_MAX} tokens are used up")
        } else if self.talk.turn.0 > 0 && taken > room / 4 * 3 {
            "its window is nearly full".to_owned()
        } else {
            String::new()
        }
    }

    /// Judges the answer it has given: the record that sends it back, or the end.
    pub(crate) fn conclude(&mut self) -> Option<Event> {
        let text = self.said.clone();
        if let Some(criteria) = &self.form
            && self.corrections < CORRECTIONS_MAX
            && let Err(error) = review::read(&text, criteria)
        {
            return Some(self.told(Happened::Corrected {
                text: words::not_the_form(&error),
            }));
        }
        self.outcome = Some(if text.trim().is_empty() {
            BesideEnd::Failed {
                reason: "the model said nothing".to_owned(),
            }
        } else {
            BesideEnd::Answered {
                text,
                bound: self.bound.clone(),
            }
        });
        None
    }

    /// Makes the record of something that happens in it.
    pub(crate) fn told(&self, happened: Happened) -> Event {
        Event::Beside(Box::new(harness_core::Beside {
            conversation: self.id,
            happened,
        }))
    }

    pub(crate) const fn kind(&self) -> ConversationKind {
        self.id.kind
    }
}

/// Returns the longest answer that a model is asked for.
pub(crate) fn output_of(model: &ModelProfile) -> TokenCount {
    BESIDE_OUTPUT_MAX.min(model.output)
}

/// Returns what of a model's window a prompt may take; a window that is not known has room for all.
fn room(model: &ModelProfile) -> u64 {
    match model.context.0 {
        0 => u64::MAX / 4,
        context => context.saturating_sub(output_of(model).0 + SLACK),
    }
}

/// Returns what an answer says, its parts as they came: a form is not to be torn apart.
fn answer_of(response: &ModelResponse) -> String {
    let texts = response.parts.iter().filter_map(|part| match part {
        AssistantPart::Text { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}
