//! How hard a model is asked to think, in the words of each wire.
//!
//! What a model takes is told from its id, as far as vendors document it: the
//! tables follow copies of their pages of 2026-11, some of them excerpts, and
//! no server was asked. Where nobody says how hard, nothing is sent. What cannot be told is an error of [`check_effort`],
//! which whoever makes a model ready asks before the first request.

mod claude;
mod gemini;
mod gpt;
mod name;

use harness_core::{Effort, TokenCount};
use serde_json::{Map, Value, json};

use crate::{
    Api, RequestOptions, Server,
    history::Turn,
    server::{self, EffortKey},
};

/// What a request says of the effort: keys beside the others, none where there is nothing to say.
pub(crate) type Fields = Map<String, Value>;

/// Why a server cannot be told how hard to think.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Untold {
    /// What is wrong, as the end of a sentence about the model.
    pub problem: String,
    /// The way out.
    pub hint: String,
}

/// The efforts that whoever asks for a degree knows.
const DEGREES: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High];
/// The same, and none.
pub(crate) const DEGREES_OR_NONE: &[Effort] =
    &[Effort::None, Effort::Low, Effort::Medium, Effort::High];

/// Says whether the server of `options` can be told their effort; nothing can always be said.
///
/// # Errors
/// When it is known that the model refuses the word, or not known how it would be told.
pub fn check_effort(api: Api, options: &RequestOptions) -> Result<(), Untold> {
    fields(api, options).map(|_| ())
}

/// Returns the smallest effort that the server of `options` can be told; what they say where it can be told none.
pub fn lowest_effort(api: Api, options: &RequestOptions) -> Option<Effort> {
    let can_be_told = |effort: &Effort| {
        let asked = RequestOptions {
            effort: Some(*effort),
            ..options.clone()
        };
        fields(api, &asked).is_ok()
    };
    let lowest = Effort::ALL.into_iter().find(can_be_told);
    lowest.or(options.effort)
}

/// Returns what a request says of the effort; what cannot be told is left out.
pub(crate) fn said(api: Api, options: &RequestOptions) -> Fields {
    fields(api, options).unwrap_or_default()
}

/// As [`said`], for a conversation with Claude.
///
/// A budget for thinking is refused while results are sent for the calls of
/// answers that did not think, as after a change of the model: until the next
/// question nothing is said then.
pub(crate) fn said_to_claude(options: &RequestOptions, turns: &[Turn<'_>]) -> Fields {
    let fields = said(Api::Anthropic, options);
    if claude::is_budget(&fields) && !claude::may_think(turns) {
        return Fields::new();
    }
    fields
}

fn fields(api: Api, options: &RequestOptions) -> Result<Fields, Untold> {
    let Some(effort) = options.effort else {
        return Ok(Fields::new());
    };
    let model = options.model.as_str();
    match api {
        Api::Anthropic => claude::fields(model, options.max_output, effort),
        Api::Responses => Ok(match gpt::take(model, effort)? {
            true => one("reasoning", json!({"effort": effort.as_str()})),
            false => Fields::new(),
        }),
        Api::Chat => chat(options, effort),
        Api::Gemini => gemini::fields(model, options.max_output, effort),
        Api::Ollama => ollama(model, effort),
    }
}

/// Servers of Chat Completions name the key differently, or have none.
fn chat(options: &RequestOptions, effort: Effort) -> Result<Fields, Untold> {
    let server = options.server.or_else(|| Server::at(&options.base_url));
    let manners = server::manners_of(&options.base_url, options.server);
    match manners.effort {
        EffortKey::Nowhere((why, way_out)) => Err(Untold {
            problem: format!("its server cannot be told how hard to think: {why}"),
            hint: way_out.to_owned(),
        }),
        EffortKey::Nested => Ok(one("reasoning", json!({"effort": effort.as_str()}))),
        EffortKey::Flat(known) => {
            let is_told = match server {
                Some(Server::OpenAi) => gpt::take_over_chat(&options.model, effort)?,
                _ => one_of(effort, known, "its server").map(|()| true)?,
            };
            Ok(match is_told {
                true => one("reasoning_effort", json!(effort.as_str())),
                false => Fields::new(),
            })
        }
    }
}

/// Ollama takes a degree for `gpt-oss`, which always thinks, and a switch for the others.
///
/// A model that cannot think refuses to be switched on; only its server knows.
fn ollama(model: &str, effort: Effort) -> Result<Fields, Untold> {
    if model.contains("gpt-oss") {
        one_of(effort, DEGREES, &format!("`{model}`"))?;
        return Ok(one("think", json!(effort.as_str())));
    }
    Ok(one("think", json!(effort != Effort::None)))
}

fn one(key: &str, value: Value) -> Fields {
    Fields::from_iter([(key.to_owned(), value)])
}

/// Refuses an effort that is not among those `who` takes.
fn one_of(effort: Effort, known: &[Effort], who: &str) -> Result<(), Untold> {
    if known.contains(&effort) {
        return Ok(());
    }
    let words: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
    let problem = match words.as_slice() {
        [only] => format!("{who} takes the effort {only} alone"),
        [all @ .., last] => format!("{who} takes the efforts {} and {last}", all.join(", ")),
        [] => format!("{who} takes no effort"),
    };
    // The nearest one it takes, rather less than more.
    let nearest = known.iter().rev().find(|known| **known < effort);
    let hint = match nearest.or_else(|| known.first()) {
        Some(nearest) => format!("write `effort = \"{nearest}\"`"),
        None => LEAVE_OUT.to_owned(),
    };
    Err(Untold { problem, hint })
}

/// The way out where there is no other.
const LEAVE_OUT: &str =
    "leave `effort` out for this model, or write `effort = \"default\"` for its role";

/// What a model without thinking is told: nothing where nothing is wanted.
fn without_thinking(model: &str, effort: Effort) -> Result<(), Untold> {
    if effort == Effort::None {
        return Ok(());
    }
    Err(Untold {
        problem: format!("`{model}` does not think before it answers"),
        hint: LEAVE_OUT.to_owned(),
    })
}

/// How a model is told of which nothing is known.
fn unknown(model: &str) -> Untold {
    Untold {
        problem: format!("it is not known how `{model}` is told how hard to think"),
        hint: LEAVE_OUT.to_owned(),
    }
}

/// Returns the part of the longest answer that may go into thinking, at least `least`.
///
/// A quarter, half or three quarters of it: an answer has to fit behind the
/// thinking, and both count towards the same limit.
fn budget(effort: Effort, output: TokenCount, least: u64) -> Result<u64, Untold> {
    if output.0 < 2 * least {
        return Err(Untold {
            problem: format!("its `output` of {output} leaves no room to think"),
            hint: format!("write `output = \"{} tokens\"` or more", 2 * least),
        });
    }
    let quarters = match effort {
        Effort::None | Effort::Minimal => 0,
        Effort::Low => 1,
        Effort::Medium => 2,
        Effort::High => 3,
    };
    Ok((output.0 / 4 * quarters).max(least))
}
