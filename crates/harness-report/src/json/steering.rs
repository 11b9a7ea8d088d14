//! Lines about questions, answers from outside of a run, and ways back to an earlier turn.

use harness_core::{Event, QuestionId};

use super::{JsonLine, taken_up};

pub(super) fn asked(question: &str, id: Option<QuestionId>) -> JsonLine {
    JsonLine::NeedsHuman {
        question: question.to_owned(),
        id: id.map(|id| id.to_string()),
        answer: id.map(|id| format!("harness answer {id} TEXT")),
    }
}

/// Returns a line of a person who is needed for something else than a question.
pub(super) const fn needed(question: String) -> JsonLine {
    JsonLine::NeedsHuman {
        question,
        id: None,
        answer: None,
    }
}

pub(super) fn line(event: &Event) -> Option<JsonLine> {
    Some(match event {
        Event::SessionResumed { answers, found, .. } => taken_up::resumed(answers, found),
        Event::Forked(forked) => taken_up::forked(forked),
        Event::QuestionPutOff { call, waited } => JsonLine::QuestionPutOff {
            call: call.to_string(),
            waited: *waited,
        },
        Event::AnswerTaken(given) => JsonLine::AnswerTaken {
            question: given.question.to_string(),
            feature: given.feature.to_string(),
            asked: given.asked.clone(),
            answer: given.answer.clone(),
            by: given.by.clone(),
            at: given.at.to_string(),
        },
        Event::WorkBroughtBack {
            feature,
            files,
            message,
        } => JsonLine::WorkBroughtBack {
            feature: feature.to_string(),
            files: *files,
            message: message.clone(),
        },
        Event::RewindAsked { turn, what } => JsonLine::RewindAsked {
            turn: turn.0,
            what: what.to_string(),
        },
        Event::Rewound(rewound) => JsonLine::Rewound {
            turn: rewound.turn.0,
            what: rewound.what.to_string(),
            checkpoint: rewound.checkpoint.map(|number| number.0),
            files: rewound.files(),
            paths: rewound.paths.iter().map(ToString::to_string).collect(),
        },
        Event::RewindRefused { turn, reason } => JsonLine::RewindRefused {
            turn: turn.0,
            reason: reason.clone(),
        },
        event => return super::review::line(event),
    })
}
