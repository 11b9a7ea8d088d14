//! What follows from a conversation beside the main one, and what it costs the session.
//!
//! There is one at a time: the main conversation waits for it. Its requests are held to the
//! limits, paced and sent again like any other; what it may look at is what the agent may. Called
//! by `steps`, and by `apply` with what happens.

use harness_context::prompts::{PromptName, prompt};
use harness_core::{
    Beside, BesideEnd, CallEnd, CallId, ConversationId, ConversationKind, Event, Happened,
    ModelProfile, Role, RunState, SessionOpened, Timestamp, TreeId, TurnNumber, Usage,
};
use harness_guard::Permit;

use super::{
    Session,
    steps::{Step, Surroundings, cancel_request, ended},
};
use crate::{
    AskBeside, Effect, breaker,
    calls::{Call, CallState},
    check::Check,
    conversation::{Conversation, output_of},
    limits,
    retry::{self, Patience, Retry},
    talk::Request,
    words,
};

/// How often the agent may have something explored in one session.
const EXPLORED_MAX: u32 = 32;
/// The longest question. Unit: bytes.
const QUESTION_BYTES_MAX: usize = 4 * 1024;

/// The conversations beside the main one: the one that is going on, and how many there were.
#[derive(Debug, Default)]
pub(super) struct Besides {
    pub(super) open: Option<Conversation>,
    begun: u32,
    explored: u32,
    /// The instructions of an explorer.
    explorer: String,
    /// What every explorer is told first.
    explorer_head: String,
    /// The instructions of a reviewer.
    pub(super) reviewer: String,
}

impl Besides {
    pub(super) fn new(opened: &SessionOpened) -> Self {
        let own = &opened.run.prompts;
        Self {
            explorer: prompt(PromptName::Explore, own),
            explorer_head: harness_context::explorer_head(opened),
            reviewer: prompt(PromptName::Reviewer, own),
            ..Self::default()
        }
    }

    /// Names the next conversation.
    pub(super) const fn next(&self, kind: ConversationKind) -> ConversationId {
        ConversationId {
            kind,
            number: self.begun + 1,
        }
    }
}

impl Session {
    pub(super) fn on_beside(&mut self, told: &Beside, now: Timestamp) {
        if let Happened::Started { call, asked, .. } = &told.happened {
            return self.on_beside_started(told.conversation, *call, asked);
        }
        let open = &mut self.besides.open;
        let Some(beside) = open
            .as_mut()
            .filter(|beside| beside.id == told.conversation)
        else {
            return;
        };
        if let Happened::Ended { end, .. } = &told.happened {
            let beside = open.take();
            return self.on_beside_ended(beside, end);
        }
        if let Some(spent) = beside.apply(&told.happened, now) {
            self.cost.add(spent);
        }
    }

    fn on_beside_started(&mut self, id: ConversationId, call: Option<CallId>, asked: &str) {
        if self.besides.open.is_some() || id != self.besides.next(id.kind) {
            return;
        }
        let begun = match id.kind {
            ConversationKind::Explore => self.explorer(id, call, asked),
            ConversationKind::Reviewer => self.reviewer(id),
        };
        if begun.is_some() {
            self.besides.begun = id.number;
            self.besides.open = begun;
        }
    }

    fn explorer(
        &mut self,
        id: ConversationId,
        call: Option<CallId>,
        asked: &str,
    ) -> Option<Conversation> {
        let waiting = self.calls.find(call?)?;
        if !matches!(waiting.state, CallState::Judged(_)) {
            return None;
        }
        waiting.state = CallState::Running;
        self.besides.explored += 1;
        let question = harness_context::explorer_question(asked);
        let head = &self.besides.explorer_head;
        let task = [head.as_str(), &question].join(if head.is_empty() { "" } else { "\n" });
        let window = (self.besides.explorer.as_str(), task);
        Some(Conversation::new(id, call, None, window, self.root.clone()))
    }

    fn on_beside_ended(&mut self, beside: Option<Conversation>, end: &BesideEnd) {
        let Some(beside) = beside else { return };
        match beside.kind() {
            ConversationKind::Explore => {
                let call = beside.call.and_then(|id| self.calls.find(id));
                if let Some(call) = call.filter(|call| call.state == CallState::Running) {
                    // Where it was called off, the call is too.
                    if let Some((text, is_error)) = words::explored(end, beside.used) {
                        call.answer(text, is_error);
                    }
                }
            }
            ConversationKind::Reviewer => self.on_reviewer_ended(end, beside.used),
        }
    }

    /// Begins to have a question explored, as far as there may be more.
    pub(super) fn explore(&self, call: CallId, text: &str, run: &RunState) -> Step {
        let refused = |text: String| {
            ended(
                call,
                CallEnd::Answered {
                    text,
                    is_error: true,
                },
            )
        };
        if text.len() > QUESTION_BYTES_MAX {
            return refused(format!(
                "the question has more than {QUESTION_BYTES_MAX} bytes; ask one thing"
            ));
        }
        if self.besides.explored >= EXPLORED_MAX {
            return refused(format!(
                "{EXPLORED_MAX} questions were explored in this session; look yourself"
            ));
        }
        Step::Record(Event::Beside(Box::new(Beside {
            conversation: self.besides.next(ConversationKind::Explore),
            happened: Happened::Started {
                call: Some(call),
                asked: text.to_owned(),
                model: run.model_for(Role::Cheap).name.clone(),
            },
        })))
    }

    /// Says what the conversation beside the main one wants; `None` where there is none.
    pub(super) fn beside_step(&mut self, around: Surroundings<'_>, now: Timestamp) -> Option<Step> {
        let beside = self.besides.open.as_mut()?;
        let model = around.run.model_for(beside.kind().role());
        if let Some(end) = &beside.outcome {
            return Some(Step::Record(beside.told(Happened::Ended {
                end: end.clone(),
                used: beside.used,
            })));
        }
        if !beside.calls.is_empty() {
            return Some(self.beside_call_step(model));
        }
        Some(match beside.talk.request {
            Request::InFlight { .. } | Request::BackingOff { .. } => Step::Wait,
            Request::Due => {
                beside.begin_turn(model);
                Step::Again
            }
            Request::Ready => self.ask_beside(around, now)?,
            Request::Failed => self.after_beside_failure(around, now)?,
            Request::Idle | Request::Claimed | Request::Awaiting => {
                beside.conclude().map_or(Step::Again, Step::Record)
            }
        })
    }

    fn beside_call_step(&mut self, model: &ModelProfile) -> Step {
        let Some(beside) = self.besides.open.as_mut() else {
            return Step::Wait;
        };
        if let Some(call) = beside.calls.next_to_judge() {
            return Step::Record(beside.told(Happened::CallJudged {
                call: call.id,
                tool: call.asked.name.clone(),
                action: call.action.clone(),
                verdict: Conversation::judge(call, &self.guard),
            }));
        }
        if beside.calls.are_over() {
            beside.gather(model);
            return Step::Again;
        }
        let Some(call) = beside.calls.next_to_act() else {
            return Step::Wait;
        };
        let (id, allowed) = (call.id, allowed(call));
        let end = match allowed {
            Err(end) => end,
            Ok(action) => match self.guard.permit(action) {
                Ok(permit) => {
                    let tree = self
                        .check
                        .as_ref()
                        .and_then(|check| judged_tree(check, beside.id));
                    return perform(beside, id, permit, tree);
                }
                Err(verdict) => CallEnd::Refused {
                    reason: verdict.reason,
                },
            },
        };
        Step::Record(beside.told(Happened::CallEnded {
            call: id,
            end,
            ms: 0,
        }))
    }

    /// Sends its request, as far as limits and the provider allow.
    fn ask_beside(&mut self, around: Surroundings<'_>, now: Timestamp) -> Option<Step> {
        let run = around.run;
        let beside = self.besides.open.as_ref()?;
        let model = run.model_for(beside.kind().role());
        let used = self.used_of(run, around.since, now);
        let ahead = self.ahead(run, beside.talk.estimate());
        let forbidden = limits::unpaid(&run.policy.limits, &self.feature, used, ahead);
        if let Some(step) = self.price_missing(run) {
            return Some(step);
        }
        if let Some(forbidden) = forbidden {
            return Some(Step::Record(forbidden.into_event()));
        }
        let beside = self.besides.open.as_mut()?;
        if around.pacing.is_short(model, now)
            && let Some(hold) = around.pacing.hold(model, beside.talk.need(), now)
        {
            return Some(Step::Record(beside.told(Happened::Paced {
                turn: beside.talk.turn,
                delay_ms: u64::try_from(hold.wait.as_millis()).unwrap_or(u64::MAX),
                limit: hold.limit,
                until: hold.until,
            })));
        }
        beside.talk.request = Request::InFlight { cancelling: false };
        Some(Step::Do(Effect::AskBeside(Box::new(AskBeside {
            conversation: beside.id,
            turn: beside.talk.turn,
            prompt: beside.talk.prompt(),
            output: output_of(model),
        }))))
    }

    /// Says what becomes of its failed request: sent again, to another model where the main one
    /// serves it, or given up with the conversation.
    fn after_beside_failure(&mut self, around: Surroundings<'_>, now: Timestamp) -> Option<Step> {
        let run = around.run;
        let beside = self.besides.open.as_mut()?;
        let (failures, failure) = beside.talk.failures.as_ref()?;
        let turn = beside.talk.turn;
        let place = u64::from(beside.id.number) << 16 | u64::from(turn.0);
        let seed = u64::from(run.run.number()) << 32 | place;
        let patience = Patience::of(run.attended, &run.policy.limits);
        let decision = retry::decide(failure, *failures, patience, seed, now);
        let is_given_up = decision == Retry::GiveUp;
        if run.roles.named(beside.kind().role()).is_none()
            && let Some(model) = breaker::successor(run, around.breakers, failure, is_given_up, now)
        {
            return Some(Step::Record(Event::ModelChanged {
                from: run.model.name.clone(),
                model: model.clone(),
                reason: failure.message.clone(),
            }));
        }
        Some(match decision {
            Retry::After(delay) => Step::Record(beside.told(Happened::Retried {
                turn,
                attempt: failures.count,
                delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                reason: failure.message.clone(),
            })),
            Retry::GiveUp => {
                let reason = failure.message.clone();
                beside.fail(reason);
                Step::Again
            }
        })
    }

    /// Brings the conversation beside the main one to its end; `None` when there is none.
    pub(super) fn cut_beside(&mut self) -> Option<Step> {
        let beside = self.besides.open.as_mut()?;
        if let Some(step) = cancel_request(&mut beside.talk) {
            return Some(step);
        }
        let mut cancel = false;
        let mut is_performed = false;
        for call in beside.calls.iter_mut().filter(|call| call.is_performed()) {
            cancel |= !std::mem::replace(&mut call.cancelling, true);
            is_performed = true;
        }
        if cancel {
            return Some(self.cancel_work());
        }
        if is_performed {
            return Some(Step::Wait);
        }
        if let Some(call) = beside.calls.iter().find(|call| !call.is_over()) {
            let end = match allowed(call) {
                Err(end) => end,
                Ok(_) => CallEnd::Cancelled,
            };
            return Some(Step::Record(beside.told(Happened::CallEnded {
                call: call.id,
                end,
                ms: 0,
            })));
        }
        let end = beside.outcome.clone().unwrap_or(BesideEnd::Cancelled);
        let used = beside.used;
        Some(Step::Record(beside.told(Happened::Ended { end, used })))
    }

    pub(super) fn on_model_changed(&mut self) {
        self.talk.turn_to_another();
        if let Some(beside) = &mut self.besides.open {
            beside.talk.turn_to_another();
        }
    }

    /// Returns the model that is asked at present, or would be next.
    pub(crate) fn asked_model<'r>(&self, run: &'r RunState) -> &'r ModelProfile {
        match &self.besides.open {
            Some(beside) => run.model_for(beside.kind().role()),
            None => &run.model,
        }
    }

    /// Whether the answer of this turn of a conversation beside the main one is waited for.
    pub(crate) fn is_asking_beside(&self, id: ConversationId, turn: TurnNumber) -> bool {
        let open = self.besides.open.as_ref();
        open.is_some_and(|beside| {
            beside.id == id && beside.talk.turn == turn && beside.talk.is_in_flight()
        })
    }

    /// Whether a conversation beside the main one has a request in flight.
    pub(crate) fn is_heard_beside(&self) -> bool {
        let open = self.besides.open.as_ref();
        open.is_some_and(|beside| beside.talk.is_in_flight())
    }

    /// Returns when the wait of its request is over.
    pub(super) fn beside_deadline(&self) -> Option<Timestamp> {
        match self.besides.open.as_ref()?.talk.request {
            Request::BackingOff { until } => Some(until),
            _ => None,
        }
    }

    /// Returns the record of a wait that is over.
    pub(crate) fn beside_due(&self, now: Timestamp) -> Option<Event> {
        let until = self.beside_deadline()?;
        let beside = self.besides.open.as_ref()?;
        let turn = beside.talk.turn;
        (until <= now).then(|| beside.told(Happened::RetryDue { turn }))
    }

    /// Returns the input of its request, estimated.
    pub(super) fn beside_estimate(&self) -> Option<Usage> {
        let open = self.besides.open.as_ref();
        open.map(|beside| beside.talk.estimate())
    }
}

/// Returns what a call may do, or how it ends without doing anything.
fn allowed(call: &Call) -> Result<harness_core::Action, CallEnd> {
    match (&call.state, &call.action) {
        (CallState::Judged(verdict), Some(action)) if verdict.is_allowed() => Ok(action.clone()),
        (CallState::Judged(verdict), _) => Err(CallEnd::Refused {
            reason: verdict.reason.clone(),
        }),
        (CallState::Answering { text, is_error }, _) => Err(CallEnd::Answered {
            text: text.clone(),
            is_error: *is_error,
        }),
        (CallState::Orphaned, _) => Err(CallEnd::Lost),
        _ => Err(CallEnd::Cancelled),
    }
}

/// Returns the tree that a reviewer looks at: what would be committed, whatever the work tree holds by then.
fn judged_tree(check: &Check, id: ConversationId) -> Option<TreeId> {
    let is_review = id.kind == ConversationKind::Reviewer;
    let subject = check.subject.as_ref().filter(|_| is_review)?;
    Some(subject.candidate.clone())
}

fn perform(beside: &mut Conversation, id: CallId, permit: Permit, tree: Option<TreeId>) -> Step {
    if let Some(call) = beside.calls.find(id) {
        call.state = CallState::Running;
    }
    Step::Do(Effect::PerformBeside {
        conversation: beside.id,
        call: id,
        permit,
        tree,
    })
}
