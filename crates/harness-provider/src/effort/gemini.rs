//! Gemini: a budget of tokens for 2.5, a level from 3 on.
//!
//! Source: the page on thinking of the Gemini API, as copied in 2026-11. A name without a
//! version, such as `gemini-flash-latest`, says neither.

use harness_core::{Effort, TokenCount};
use serde_json::json;

use super::{
    DEGREES, Fields, Untold, budget,
    name::{has, version, words},
    one, one_of, unknown, without_thinking,
};

/// The smallest budget that all of 2.5 take. Unit: tokens.
const BUDGET_MIN: u64 = 512;
/// The largest budget that all of them take. Unit: tokens.
const BUDGET_MAX: u64 = 24_576;
/// All but none at all.
const SOME: &[Effort] = &[Effort::Minimal, Effort::Low, Effort::Medium, Effort::High];
/// `gemini-3-pro`.
const LITTLE_OR_MUCH: &[Effort] = &[Effort::Low, Effort::High];

pub(super) fn fields(model: &str, output: TokenCount, effort: Effort) -> Result<Fields, Untold> {
    let words = words(model, "gemini").ok_or_else(|| unknown(model))?;
    let version = version(&words).ok_or_else(|| unknown(model))?;
    let who = format!("`{model}`");
    let is_pro = has(&words, "pro");
    let thinking = match version {
        version if version < (2, 5) => {
            return without_thinking(model, effort).map(|()| Fields::new());
        }
        (2, _) => {
            if is_pro {
                one_of(effort, SOME, &who)?;
            }
            let tokens = match effort {
                Effort::None => 0,
                effort => budget(effort, output, BUDGET_MIN)?.min(BUDGET_MAX),
            };
            json!({"thinkingBudget": tokens})
        }
        version => {
            let known = match version {
                (3, 0) if is_pro => LITTLE_OR_MUCH,
                version if is_pro || version > (3, 7) => DEGREES,
                _ => SOME,
            };
            one_of(effort, known, &who)?;
            json!({"thinkingLevel": effort.as_str()})
        }
    };
    Ok(one("thinkingConfig", thinking))
}
