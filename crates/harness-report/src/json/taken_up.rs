//! Lines about a session that is taken up, and about one that begins with another's work.

use harness_core::{Forked, GivenAnswer, Money, TakenUp};
use schemars::JsonSchema;
use serde::Serialize;

use super::JsonLine;

/// How a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JsonOutcome {
    /// Where it was.
    AsItWas,
    /// Something differs.
    Differs,
}

/// Something that was under way when a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonInFlight {
    /// What it is: `request`, `command`, `job`, `edit`, `call`, `gate`, `review`, `commit`,
    /// `checkpoint`, `setup`, `files`, `hand_over` or `question`.
    pub kind: String,
    /// Which one.
    pub what: String,
    /// What becomes of it: `unknown` is not repeated and the agent is told, `again` is done again,
    /// `asked` is asked again.
    pub fate: String,
}

/// Something that is not as the log left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonDifference {
    /// What it is about: `files`, `head`, `branch`, `configuration`, `model`, `checkpoint` or `log`.
    pub kind: String,
    /// What differs.
    pub text: String,
    /// What is done about it.
    pub done: String,
    /// The files it is about, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// How many more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<u64>,
}

/// How a session stood when it was taken up.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JsonTakenUp {
    /// How it goes on.
    pub outcome: JsonOutcome,
    /// Whether the last session was over, so that a fresh one goes on with what is left.
    pub fresh: bool,
    /// The feature in work; null where none is.
    pub feature: Option<String>,
    /// The turn it stood in.
    pub turn: u32,
    /// What was under way when its process ended, and what becomes of it.
    pub in_flight: Vec<JsonInFlight>,
    /// What is not as it was, and what is done about it.
    pub differs: Vec<JsonDifference>,
    /// What the request in flight cost at least, estimated; null where none was, or the price is unknown.
    pub usd_lost: Option<f64>,
}

pub(super) fn resumed(answers: &[GivenAnswer], found: &TakenUp) -> JsonLine {
    JsonLine::SessionResumed {
        answers: answers
            .iter()
            .map(|given| given.question.to_string())
            .collect(),
        found: (!found.is_empty()).then(|| stood(found)),
    }
}

fn stood(found: &TakenUp) -> JsonTakenUp {
    let in_flight = found.in_flight.iter().map(|item| JsonInFlight {
        kind: item.kind.to_string(),
        what: item.what.clone(),
        fate: item.fate.as_str().to_owned(),
    });
    let differs = found.differs.iter().map(|difference| JsonDifference {
        kind: difference.kind.to_string(),
        text: difference.text.clone(),
        done: difference.done.clone(),
        paths: difference.paths.iter().map(ToString::to_string).collect(),
        more: Some(difference.more).filter(|more| *more > 0),
    });
    JsonTakenUp {
        outcome: if found.differs.is_empty() {
            JsonOutcome::AsItWas
        } else {
            JsonOutcome::Differs
        },
        fresh: found.is_fresh,
        feature: found.feature.as_ref().map(ToString::to_string),
        turn: found.turn.0,
        in_flight: in_flight.collect(),
        differs: differs.collect(),
        usd_lost: found.spent.and_then(|spent| spent.cost).map(Money::as_usd),
    }
}

pub(super) fn forked(forked: &Forked) -> JsonLine {
    JsonLine::Forked {
        from: forked.session.to_string(),
        from_run: forked.run.to_string(),
        checkpoint: forked.checkpoint.0,
        turn: forked.turn.0,
        files: forked.files,
    }
}
