//! Claude: a budget for thinking up to 4.5, thinking that adapts from 4.6 on.
//!
//! Source: the pages on extended and adaptive thinking and the migration guides of
//! the versions, as copied in 2026-11. Thinking goes without `temperature` and without
//! a demand for a certain tool; neither is ever sent.

use harness_core::{AssistantPart, Effort, TokenCount};
use serde_json::json;

use super::{
    DEGREES, DEGREES_OR_NONE, Fields, Untold, budget,
    name::{has, version, words},
    one, one_of, unknown, without_thinking,
};
use crate::history::{SentPart, Turn};

/// The smallest budget the server takes. Unit: tokens.
const BUDGET_MIN: u64 = 1024;
/// The first version that thinks.
const THINKS: (u32, u32) = (3, 7);
/// The first version that adapts, and takes a word instead of a budget.
const ADAPTS: (u32, u32) = (4, 6);
/// The last version whose pages were seen.
const KNOWN: (u32, u32) = (5, 5);

/// How a model is kept from thinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Off {
    /// It can be switched off.
    Disabled,
    /// It thinks between calls at the least.
    BetweenTools,
    /// It always thinks.
    Never,
}

pub(super) fn fields(model: &str, output: TokenCount, effort: Effort) -> Result<Fields, Untold> {
    let words = words(model, "claude").ok_or_else(|| unknown(model))?;
    let version = version(&words);
    match version {
        Some(version) if version < THINKS => {
            without_thinking(model, effort).map(|()| Fields::new())
        }
        Some(version) if version < ADAPTS => Ok(one(
            "thinking",
            match effort {
                Effort::None => json!({"type": "disabled"}),
                effort => json!({
                    "type": "enabled",
                    "budget_tokens": budget(effort, output, BUDGET_MIN)?,
                }),
            },
        )),
        version => adaptive(model, off(&words, version), effort),
    }
}

fn adaptive(model: &str, off: Off, effort: Effort) -> Result<Fields, Untold> {
    let known = match off {
        Off::Never => DEGREES,
        Off::Disabled | Off::BetweenTools => DEGREES_OR_NONE,
    };
    one_of(effort, known, &format!("`{model}`"))?;
    Ok(match (effort, off) {
        (Effort::None, Off::BetweenTools) => one("thinking", json!({"type": "between_tools"})),
        (Effort::None, _) => one("thinking", json!({"type": "disabled"})),
        (effort, _) => {
            let mut fields = one("thinking", json!({"type": "adaptive"}));
            fields.extend(one("output_config", json!({"effort": effort.as_str()})));
            fields
        }
    })
}

/// Fable, Mythos and Opus 5.5 cannot be kept from thinking, Sonnet 5.5 not wholly; what comes after
/// is taken to be the same.
fn off(words: &[String], version: Option<(u32, u32)>) -> Off {
    let always = has(words, "fable") || has(words, "mythos");
    match version {
        None => Off::Never,
        Some(version) if always || version > KNOWN => Off::Never,
        Some(version) if version < KNOWN || has(words, "haiku") => Off::Disabled,
        Some(_) if has(words, "sonnet") => Off::BetweenTools,
        Some(_) => Off::Never,
    }
}

/// Whether a request asks for a budget of thinking.
pub(super) fn is_budget(fields: &Fields) -> bool {
    let thinking = fields.get("thinking");
    thinking.is_some_and(|thinking| thinking.get("budget_tokens").is_some())
}

/// Whether an answer may think: the answers since the last question did, or there are none.
///
/// Thinking stands before the first calls and need not stand before those that follow.
pub(super) fn may_think(turns: &[Turn<'_>]) -> bool {
    let is_question =
        |turn: &Turn<'_>| matches!(turn, Turn::User { results, .. } if results.is_empty());
    let since = turns.iter().rposition(is_question).map_or(0, |at| at + 1);
    let mut answers = turns[since..].iter().filter_map(|turn| match turn {
        Turn::Assistant(parts) => Some(parts),
        Turn::User { .. } => None,
    });
    let thinks = |parts: &Vec<SentPart<'_>>| {
        matches!(
            parts.first(),
            Some(SentPart::Said(
                AssistantPart::Thinking { .. } | AssistantPart::RedactedThinking { .. }
            ))
        )
    };
    answers.clone().next().is_none() || answers.any(thinks)
}
