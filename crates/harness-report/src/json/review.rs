//! A person's review of the change, as JSON lines.

use harness_core::{CommentAnswered, Event, ReviewChanged, TurnedDown, TurnedDownEnd};
use schemars::JsonSchema;
use serde::Serialize;

use super::JsonLine;

/// What a review wants of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonReview {
    /// Comments that must be fixed and are not resolved, the first ones.
    must_fix: Vec<JsonMustFix>,
    /// How many there are.
    must_fix_open: u64,
    /// Numbers of the comments that the agent is told of with its next turn.
    sent: Vec<u32>,
    /// Hunks that are to be taken back at the end of the turn.
    rejected: Vec<JsonRejected>,
}

/// A comment that keeps the feature from finishing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct JsonMustFix {
    /// What it is called by.
    number: u32,
    /// What it is about.
    place: String,
    /// What was said.
    text: String,
    /// Whether only a person can go on with it: the agent has answered, or was not told yet.
    waits_for_person: bool,
}

/// A hunk that a person has turned down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct JsonRejected {
    /// What it goes by.
    hunk: String,
    /// The file.
    path: String,
    /// Why; empty where nothing was said.
    reason: String,
}

/// Hunks that were taken back, or could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonTurnedDown {
    /// Each of them.
    parts: Vec<JsonTurnedDownPart>,
    /// Why nothing could be done; empty when all went well.
    problem: String,
}

/// What became of a hunk that was turned down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct JsonTurnedDownPart {
    /// What it goes by.
    hunk: String,
    /// The file.
    path: String,
    /// `applied`, `withdrawn` or `clash`.
    end: String,
    /// Why it clashes; null otherwise.
    why: Option<String>,
    /// What would stand there; null unless it clashes.
    wanted: Option<String>,
    /// What stands there; null unless it clashes.
    found: Option<String>,
}

/// What the agent answered to a comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonCommentAnswer {
    /// The comment.
    number: u32,
    /// What was said.
    text: String,
    /// The call that answers; null where it stood in the agent's text.
    call: Option<String>,
}

pub(super) fn line(event: &Event) -> Option<JsonLine> {
    Some(match event {
        Event::ReviewChanged(changed) => JsonLine::ReviewChanged(review(changed)),
        Event::TurnedDown(turned) => JsonLine::TurnedDown(turned_down(turned)),
        Event::CommentAnswered(answered) => JsonLine::CommentAnswered(answer(answered)),
        _ => return None,
    })
}

fn review(changed: &ReviewChanged) -> JsonReview {
    let must_fix = changed.must_fix.iter().map(|comment| JsonMustFix {
        number: comment.number,
        place: comment.place.clone(),
        text: comment.text.clone(),
        waits_for_person: comment.waits_for_person,
    });
    let told = changed.told.iter().flat_map(|told| &told.comments);
    let rejected = changed.rejections.iter().map(|rejection| JsonRejected {
        hunk: rejection.hunk.clone(),
        path: rejection.path.to_string(),
        reason: rejection.reason.clone(),
    });
    JsonReview {
        must_fix: must_fix.collect(),
        must_fix_open: changed.must_fix.len() as u64 + changed.more,
        sent: told.map(|comment| comment.number).collect(),
        rejected: rejected.collect(),
    }
}

fn turned_down(turned: &TurnedDown) -> JsonTurnedDown {
    let parts = turned.parts.iter().map(|part| {
        let (end, clash) = match &part.end {
            TurnedDownEnd::Applied => ("applied", None),
            TurnedDownEnd::Withdrawn => ("withdrawn", None),
            TurnedDownEnd::Clash {
                why, wanted, found, ..
            } => ("clash", Some((why, wanted, found))),
        };
        JsonTurnedDownPart {
            hunk: part.hunk.clone(),
            path: part.path.to_string(),
            end: end.to_owned(),
            why: clash.map(|(why, _, _)| why.clone()),
            wanted: clash.map(|(_, wanted, _)| wanted.clone()),
            found: clash.map(|(_, _, found)| found.clone()),
        }
    });
    JsonTurnedDown {
        parts: parts.collect(),
        problem: turned.problem.clone(),
    }
}

fn answer(answered: &CommentAnswered) -> JsonCommentAnswer {
    JsonCommentAnswer {
        number: answered.number,
        text: answered.text.clone(),
        call: answered.call.map(|call| call.to_string()),
    }
}
