//! Conversations beside the main one, and reviews, as JSON lines.

use harness_core::{Beside, BesideEnd, BesideUse, Decision, Happened, Mark, Money, Remark, Review};
use schemars::JsonSchema;
use serde::Serialize;

use super::{JsonLine, Tokens, say};

/// What a reviewer says of one criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonMark {
    /// `A1` for the feature's first, or `correctness`, `tests`, `scope`, `security`.
    criterion: String,
    /// From 0, not met, to 3, met.
    score: u8,
    /// The least that is enough.
    needed: u8,
    /// Why.
    why: String,
}

/// Something a reviewer found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonRemark {
    /// `must-fix`, `question` or `nit`.
    kind: String,
    /// Where, such as `src/a.rs:12`; may be empty.
    at: String,
    /// What.
    why: String,
}

/// What a conversation beside the main one used.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JsonUse {
    /// Answers of its model.
    turns: u32,
    /// Calls that were carried out.
    calls: u32,
    /// Tokens.
    usage: Tokens,
    /// What it cost; null where a price is unknown.
    usd: Option<f64>,
}

/// What is said of conversations beside the main one, each line with its own `type`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JsonBeside {
    /// A conversation beside the main one began.
    BesideStarted {
        /// Which: `explore 1`, `reviewer 2`.
        conversation: String,
        /// The call that waits for it; null where the harness asks.
        call: Option<String>,
        /// The question; empty where the harness asks.
        asked: String,
        /// The model that is asked.
        model: String,
    },
    /// Its model answered.
    BesideResponded {
        /// Which.
        conversation: String,
        /// Its own turn.
        turn: u32,
        /// Tokens.
        usage: Tokens,
        /// What it cost; null when the price is unknown.
        usd: Option<f64>,
        /// How long it took.
        ms: u64,
    },
    /// A request of it failed.
    BesideFailed {
        /// Which.
        conversation: String,
        /// Its own turn.
        turn: u32,
        /// What happened.
        message: String,
        /// Its class, a word of `docs/faults.md`.
        class: String,
    },
    /// A request of it is sent again, or waits for a limit of the provider.
    BesideRetried {
        /// Which.
        conversation: String,
        /// Which retry; 0 where it only waits.
        attempt: u32,
        /// How long is waited.
        delay_ms: u64,
        /// Why.
        reason: String,
    },
    /// The guard has judged a call of it.
    BesideToolCalled {
        /// Which.
        conversation: String,
        /// The call, within the conversation.
        id: String,
        /// The tool.
        tool: String,
        /// The path or folder; null where there is none.
        path: Option<String>,
        /// `allow` or `deny`.
        verdict: String,
        /// Why.
        reason: String,
    },
    /// A call of it is over.
    BesideToolReturned {
        /// Which.
        conversation: String,
        /// The call, within the conversation.
        id: String,
        /// Whether it was done and went well.
        ok: bool,
        /// How long it took.
        ms: u64,
        /// How many bytes it gave.
        bytes: u64,
    },
    /// It is over.
    BesideEnded {
        /// Which.
        conversation: String,
        /// `answered`, `failed` or `cancelled`.
        how: String,
        /// The answer, or why there is none.
        text: String,
        /// What all of it used.
        used: JsonUse,
    },
    /// A second model has judged a change whose gates are green, or could not.
    Reviewed {
        /// The conversation it comes from.
        conversation: String,
        /// The model.
        model: String,
        /// `approved`, `refused` or `failed`.
        verdict: String,
        /// Why there is no judgement; empty where there is one.
        problem: String,
        /// What a person approves to let exactly this change pass.
        id: String,
        /// The scores.
        marks: Vec<JsonMark>,
        /// What was found.
        findings: Vec<JsonRemark>,
        /// What it used.
        used: JsonUse,
    },
}

impl From<BesideUse> for JsonUse {
    fn from(used: BesideUse) -> Self {
        Self {
            turns: used.turns,
            calls: used.calls,
            usage: used.usage.into(),
            usd: (!used.unpriced).then(|| used.cost.as_usd()),
        }
    }
}

pub(super) fn line(told: &Beside) -> Option<JsonLine> {
    let conversation = told.conversation.to_string();
    Some(JsonLine::Beside(match &told.happened {
        Happened::Started { call, asked, model } => JsonBeside::BesideStarted {
            conversation,
            call: call.map(|call| call.to_string()),
            asked: asked.clone(),
            model: model.clone(),
        },
        Happened::Responded {
            turn,
            response,
            cost,
            ms,
        } => JsonBeside::BesideResponded {
            conversation,
            turn: turn.0,
            usage: response.usage.into(),
            usd: cost.map(Money::as_usd),
            ms: *ms,
        },
        Happened::Failed { turn, failure, .. } => JsonBeside::BesideFailed {
            conversation,
            turn: turn.0,
            message: failure.message.clone(),
            class: failure.class.as_str().to_owned(),
        },
        Happened::Retried {
            attempt,
            delay_ms,
            reason,
            ..
        } => JsonBeside::BesideRetried {
            conversation,
            attempt: *attempt,
            delay_ms: *delay_ms,
            reason: reason.clone(),
        },
        Happened::Paced {
            delay_ms,
            limit,
            until,
            ..
        } => JsonBeside::BesideRetried {
            conversation,
            attempt: 0,
            delay_ms: *delay_ms,
            reason: crate::phrase::held_for(*delay_ms, *limit, *until),
        },
        Happened::CallJudged {
            call,
            tool,
            action,
            verdict,
        } => JsonBeside::BesideToolCalled {
            conversation,
            id: call.to_string(),
            tool: tool.clone(),
            path: action.as_ref().map(|action| action.path().to_string()),
            verdict: verdict.decision.to_string(),
            reason: if verdict.decision == Decision::Allow {
                String::new()
            } else {
                verdict.reason.clone()
            },
        },
        Happened::CallEnded { call, end, ms } => {
            let (ok, bytes) = say::result(end);
            JsonBeside::BesideToolReturned {
                conversation,
                id: call.to_string(),
                ok,
                ms: *ms,
                bytes,
            }
        }
        Happened::Ended { end, used } => {
            let (how, text) = match end {
                BesideEnd::Answered { text, .. } => ("answered", text.clone()),
                BesideEnd::Failed { reason } => ("failed", reason.clone()),
                BesideEnd::Cancelled => ("cancelled", String::new()),
            };
            JsonBeside::BesideEnded {
                conversation,
                how: how.to_owned(),
                text,
                used: (*used).into(),
            }
        }
        Happened::RetryDue { .. } | Happened::LinkMet { .. } | Happened::Corrected { .. } => {
            return None;
        }
    }))
}

pub(super) fn reviewed(review: &Review) -> JsonLine {
    let mark = |mark: &Mark| JsonMark {
        criterion: mark.criterion.clone(),
        score: mark.score,
        needed: mark.needed,
        why: mark.why.clone(),
    };
    let remark = |remark: &Remark| JsonRemark {
        kind: remark.kind.as_str().to_owned(),
        at: remark.at.clone(),
        why: remark.why.clone(),
    };
    JsonLine::Beside(JsonBeside::Reviewed {
        conversation: review.conversation.to_string(),
        model: review.model.clone(),
        verdict: review.verdict.as_str().to_owned(),
        problem: review.problem.clone(),
        id: review.id.clone(),
        marks: review.marks.iter().map(mark).collect(),
        findings: review.remarks.iter().map(remark).collect(),
        used: review.used.into(),
    })
}
