//! What was asked for and what came of it, in the same words.

use harness_core::{Beside, CallEnd, ConversationId, Event, Happened};
use harness_engine::Effect;

/// Names what an effect can bring about.
pub(super) fn asked_by(effect: &Effect) -> Option<String> {
    Some(match effect {
        Effect::RequestModel { turn, .. } => format!("answer of turn {}", turn.0),
        Effect::Perform { call, .. }
        | Effect::PerformApproved { call, .. }
        | Effect::TendJob { call, .. } => format!("end of call {call}"),
        Effect::SaveCheckpoint { number } => format!("checkpoint {number}"),
        Effect::FreezeCandidate => "a candidate".to_owned(),
        Effect::RunGate(run) => format!("gate {}", run.gate.name),
        Effect::RunNegativeControl(_) => "a negative control".to_owned(),
        Effect::CommitFeature(commit) => format!("commit of {}", commit.feature.id),
        Effect::SetAside => "work put aside".to_owned(),
        Effect::Rewind(files) => format!("way back to turn {}", files.turn.0),
        Effect::HandOver(write) => format!("hand-over of {}", write.feature),
        Effect::AskBeside(ask) => answer_beside(ask.conversation, ask.turn.0),
        Effect::PerformBeside {
            conversation, call, ..
        } => end_beside(*conversation, &call.to_string()),
        Effect::ShowChange { .. } => "a change in words".to_owned(),
        Effect::KeepProposal { call, .. } => format!("proposal of call {call}"),
        Effect::TurnDown(_) => "rejections taken back".to_owned(),
        Effect::BringBack(_) => "work brought back".to_owned(),
        _ => return None,
    })
}

/// Names what must have been asked for before an event.
pub(super) fn needs(event: &Event) -> Option<String> {
    match event {
        // What was given up or lost needs nobody who asked.
        Event::CallEnded { end, .. } if !matches!(end, CallEnd::Done { .. }) => None,
        Event::ModelFailed { .. } => None,
        Event::Beside(told) => match &told.happened {
            Happened::CallEnded { end, .. } if !matches!(end, CallEnd::Done { .. }) => None,
            Happened::Failed { .. } => None,
            _ => ended_by(event),
        },
        // A gate has several checks.
        Event::CheckEnded { report } => Some(format!("gate {}", report.gate)),
        _ => ended_by(event),
    }
}

/// Names what has come with an event, and can come again only when it is asked for again.
pub(super) fn ended_by(event: &Event) -> Option<String> {
    Some(match event {
        Event::ModelResponded(responded) => format!("answer of turn {}", responded.turn.0),
        Event::ModelFailed { turn, .. } => format!("answer of turn {}", turn.0),
        Event::CallEnded { call, .. } => format!("end of call {call}"),
        Event::CheckpointSaved(saved) => format!("checkpoint {}", saved.number),
        Event::CandidateFrozen(_) => "a candidate".to_owned(),
        Event::NegativeControlEnded { .. } => "a negative control".to_owned(),
        Event::FeaturePassed(passed) => format!("commit of {}", passed.feature),
        Event::WorkSetAside { .. } => "work put aside".to_owned(),
        Event::HandedOver(note) => format!("hand-over of {}", note.feature),
        Event::ChangeShown(_) => "a change in words".to_owned(),
        Event::ProposalKept { call, .. } => format!("proposal of call {call}"),
        Event::TurnedDown(_) => "rejections taken back".to_owned(),
        Event::WorkBroughtBack { .. } => "work brought back".to_owned(),
        Event::Beside(told) => return of_beside(told),
        _ => return None,
    })
}

fn of_beside(told: &Beside) -> Option<String> {
    let id = told.conversation;
    Some(match &told.happened {
        Happened::Responded { turn, .. } | Happened::Failed { turn, .. } => {
            answer_beside(id, turn.0)
        }
        Happened::CallEnded { call, .. } => end_beside(id, &call.to_string()),
        _ => return None,
    })
}

fn answer_beside(id: ConversationId, turn: u32) -> String {
    format!("answer of turn {turn} of {id}")
}

fn end_beside(id: ConversationId, call: &str) -> String {
    format!("end of call {call} of {id}")
}
