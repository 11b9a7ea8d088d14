//! OpenAI's models: which words each of them takes.
//!
//! Source: the page on reasoning, the pages of the models and the server's own
//! complaints about a word, as copied in 2026-11.

use harness_core::Effort;

use super::{
    DEGREES, DEGREES_OR_NONE, Untold,
    name::{has, version, words},
    one_of, without_thinking,
};

/// `gpt-5` and its small ones.
const FIFTH: &[Effort] = &[Effort::Minimal, Effort::Low, Effort::Medium, Effort::High];
/// The large ones from 5.1 on.
const LARGE: &[Effort] = &[Effort::Medium, Effort::High];

/// The first version that OpenAI lets think beside tools over Responses alone.
///
/// Source: <https://github.com/openai/openai-openapi/issues/541>.
const NOT_OVER_CHAT: (u32, u32) = (5, 4);

/// As [`take`], where OpenAI itself is asked over Chat Completions.
pub(super) fn take_over_chat(model: &str, effort: Effort) -> Result<bool, Untold> {
    let is_told = take(model, effort)?;
    let words = words(model, "gpt-").unwrap_or_default();
    let is_late = version(&words).is_some_and(|version| version >= NOT_OVER_CHAT);
    if is_told && is_late && effort != Effort::None {
        return Err(Untold {
            problem: format!("OpenAI lets `{model}` think beside tools over `responses` alone"),
            hint: "write `api = \"responses\"` for it, or `effort = \"none\"`".to_owned(),
        });
    }
    Ok(is_told)
}

/// Whether a model is told this effort; one that does not think need not be told to think not at all.
///
/// A name that says nothing, such as that of a deployment, is told whatever is wanted.
pub(super) fn take(model: &str, effort: Effort) -> Result<bool, Untold> {
    // Routers put a vendor before the name.
    let name = model.rsplit('/').next().unwrap_or(model);
    let who = format!("`{model}`");
    let all_of = |known: &[Effort]| one_of(effort, known, &who).map(|()| true);
    if ["o1", "o3", "o4"].iter().any(|old| is_or_begins(name, old)) || name.contains("gpt-oss") {
        return all_of(DEGREES);
    }
    let is_mute = ["gpt-3", "gpt-4", "chatgpt-"]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    let words = words(name, "gpt-").unwrap_or_default();
    if is_mute || has(&words, "chat") {
        return without_thinking(model, effort).map(|()| false);
    }
    match version(&words) {
        None => Ok(true),
        Some(_) if has(&words, "codex") => all_of(DEGREES),
        Some((5, 0)) if has(&words, "pro") => all_of(&[Effort::High]),
        Some((5, 0)) => all_of(FIFTH),
        Some(_) if has(&words, "pro") => all_of(LARGE),
        Some(_) => all_of(DEGREES_OR_NONE),
    }
}

fn is_or_begins(name: &str, word: &str) -> bool {
    name.strip_prefix(word)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
