//! What a session had under way when its process ended, in words for people.
//!
//! Nothing follows from it: `resume` decides what is done again and what is not. Called by the
//! engine only, before a resume is logged.

use harness_core::{Action, CallId, Fate, InFlight, InFlightKind, RunState, Spent, TakenUp};
use harness_tool::Intent;

use super::{Session, SettingAside};
use crate::{
    calls::{Call, CallState},
    check::Errand,
    words,
};

impl Session {
    /// Lists what was under way, what is not repeated first.
    pub(crate) fn in_flight(&self) -> Vec<InFlight> {
        let mut found: Vec<InFlight> = self.calls.iter().filter_map(of_call).collect();
        found.extend(self.jobs.alive().map(|(call, command)| {
            let what = format!("`{}`, job {call}", words::shortened(command));
            item(InFlightKind::Job, what, Fate::Unknown)
        }));
        found.extend(self.own_in_flight());
        found.truncate(TakenUp::NAMED_MAX);
        found
    }

    /// Lists what the harness did for itself.
    fn own_in_flight(&self) -> Vec<InFlight> {
        let mut found = Vec::new();
        let mut again = |kind, what: &str| found.push(item(kind, what.to_owned(), Fate::Again));
        if self.talk.is_in_flight() {
            again(InFlightKind::Request, &format!("turn {}", self.talk.turn));
        }
        if let Some(beside) = self
            .besides
            .open
            .as_ref()
            .filter(|open| open.is_in_flight())
        {
            let kind = match beside.kind() {
                harness_core::ConversationKind::Reviewer => InFlightKind::Review,
                harness_core::ConversationKind::Explore => InFlightKind::Request,
            };
            again(kind, &format!("{} turn {}", beside.id, beside.talk.turn));
        }
        if let Some(check) = &self.check {
            if check.commit == Errand::InFlight {
                again(InFlightKind::Commit, self.feature.id.as_str());
            } else if check.review.is_in_flight() {
                again(InFlightKind::Review, "the change is put into words");
            } else if check.is_in_flight() {
                let running: Vec<&str> = check.running().collect();
                let what = if running.is_empty() {
                    "around the gates".to_owned()
                } else {
                    running.join(", ")
                };
                again(InFlightKind::Gate, &what);
            }
        }
        if self.saving.in_flight {
            let number = self.saving.next;
            again(InFlightKind::Checkpoint, &format!("number {number}"));
        }
        if self.aside == SettingAside::InFlight {
            again(InFlightKind::Files, "unproven work put aside");
        }
        if self.bring_back.is_in_flight() {
            again(InFlightKind::Files, "earlier work brought back");
        }
        if self.is_rewinding() {
            again(InFlightKind::Files, "back to an earlier turn");
        }
        if self.is_handing_over() {
            again(InFlightKind::HandOver, "the note for the next session");
        }
        found
    }

    /// Returns the turn it stands in.
    pub(crate) const fn turn(&self) -> harness_core::TurnNumber {
        self.talk.turn
    }

    /// Whether its feature is committed.
    pub(crate) fn is_proven(&self) -> bool {
        self.conclusion == Some(super::Conclusion::Passed)
    }

    /// Estimates what the request in flight has cost: its input, which is all that is known of it.
    ///
    /// A recording costs nothing and is not counted.
    pub(crate) fn lost_spend(&self, run: &RunState) -> Option<Spent> {
        let is_sent = self.talk.is_in_flight() || self.is_heard_beside();
        let model = self.asked_model(run);
        if !is_sent || model.recorded {
            return None;
        }
        let usage = self.estimate();
        Some(Spent {
            usage,
            cost: model.cost(usage),
            estimated: true,
        })
    }
}

fn item(kind: InFlightKind, what: String, fate: Fate) -> InFlight {
    InFlight { kind, what, fate }
}

fn of_call(call: &Call) -> Option<InFlight> {
    let asks = matches!(
        call.state,
        CallState::Asking(_) | CallState::Approved(_) | CallState::ToApprove(_) | CallState::ToAsk
    );
    let is_question = matches!(call.intent, Ok(Intent::Ask { .. }));
    if asks || is_question && call.state == CallState::Running {
        let what = format!("call {}", call.id);
        return Some(item(InFlightKind::Question, what, Fate::Asked));
    }
    if call.state != CallState::Running {
        return None;
    }
    // What gates, a review or an explorer do for a call is told as that.
    let (Ok(Intent::Act(_) | Intent::Doc { .. } | Intent::Job { .. }), Some(action)) =
        (&call.intent, &call.action)
    else {
        return None;
    };
    Some(of_action(call.id, action))
}

fn of_action(call: CallId, action: &Action) -> InFlight {
    match action {
        Action::Run { command, .. } => {
            let what = format!("`{}`, call {call}", words::shortened(command));
            item(InFlightKind::Command, what, Fate::Unknown)
        }
        action if action.is_read_only() => {
            let what = format!("`{}`, call {call}", action.path());
            item(InFlightKind::Call, what, Fate::Unknown)
        }
        action => {
            let what = format!("`{}`, call {call}", action.path());
            item(InFlightKind::Edit, what, Fate::Unknown)
        }
    }
}
