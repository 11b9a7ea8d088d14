//! A scripted model: turns from a file instead of a server.
//!
//! Stateless: which turn comes next follows from the conversation alone, so
//! that a killed run resumes where it was. Used by `--model script:FILE`, by
//! the demo, and by test servers that speak a wire on its behalf.

use std::time::Duration;

use harness_core::{
    AssistantPart, Message, ModelResponse, Prompt, StopReason, ToolCall, Usage, UserPart,
};
use serde::Deserialize;

/// The longest script file accepted. Unit: bytes.
const SCRIPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why a script cannot be read or has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The file is no script.
    #[error("cannot read the script: {0}")]
    Syntax(String),
    /// The file is too large.
    #[error("cannot read the script: it is larger than 4 MiB")]
    TooLarge,
    /// No session of the script fits the conversation.
    #[error("the script has no session for this conversation; its first message begins: {0}")]
    NoSession(String),
    /// The session has no turn left.
    #[error("the script's session `{session}` has {turns} turns and is asked for one more")]
    NoTurn {
        /// What the session matches on.
        session: String,
        /// How many turns it has.
        turns: usize,
    },
    /// What was sent is not what the script expects.
    #[error(
        "turn {turn} of the script's session `{session}` expects `{expected}` in what was sent, which was: {sent}"
    )]
    Unexpected {
        /// What the session matches on.
        session: String,
        /// The turn, from 1.
        turn: usize,
        /// What is missing.
        expected: String,
        /// The end of what was sent.
        sent: String,
    },
}

/// Scripted turns, by session.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    #[serde(default, rename = "session")]
    sessions: Vec<ScriptSession>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptSession {
    /// A text of the first message; any conversation fits when absent.
    #[serde(default, rename = "match")]
    fits: String,
    /// Whether the last turn is given for ever.
    #[serde(default)]
    repeat_last: bool,
    #[serde(default, rename = "turn")]
    turns: Vec<ScriptTurn>,
}

/// One answer of a script.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptTurn {
    /// Texts that must be in the last user message.
    #[serde(default)]
    pub expect: Vec<String>,
    /// What is said.
    #[serde(default)]
    pub text: String,
    /// The tool calls: `tool`, and its arguments beside it.
    #[serde(default)]
    pub calls: Vec<toml::Table>,
    /// How long the model seems to think. Unit: milliseconds.
    #[serde(default)]
    pub think_ms: u64,
}

/// What a script looks at to find its next turn.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The text of the first message.
    pub first: &'a str,
    /// The text and results of the last user message.
    pub last: &'a str,
    /// How many answers there were.
    pub answers: usize,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// When the text is no TOML of the documented shape, or too large.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        if text.len() > SCRIPT_BYTES_MAX {
            return Err(ScriptError::TooLarge);
        }
        toml::from_str(text).map_err(|error| ScriptError::Syntax(error.to_string()))
    }

    /// Finds the answer to a conversation.
    ///
    /// # Errors
    /// When no session fits, none of its turns is left, or the turn expects something else.
    pub fn turn(&self, seen: Seen<'_>) -> Result<&ScriptTurn, ScriptError> {
        let fitting = self
            .sessions
            .iter()
            .find(|session| seen.first.contains(&session.fits));
        let session = fitting.ok_or_else(|| ScriptError::NoSession(start_of(seen.first)))?;
        let last = session.turns.last().filter(|_| session.repeat_last);
        let turn = session
            .turns
            .get(seen.answers)
            .or(last)
            .ok_or_else(|| ScriptError::NoTurn {
                session: session.fits.clone(),
                turns: session.turns.len(),
            })?;
        match turn
            .expect
            .iter()
            .find(|expected| !seen.last.contains(expected.as_str()))
        {
            None => Ok(turn),
            Some(expected) => Err(ScriptError::Unexpected {
                session: session.fits.clone(),
                turn: seen.answers + 1,
                expected: expected.clone(),
                sent: start_of(seen.last),
            }),
        }
    }

    /// Finds the answer to a prompt.
    ///
    /// # Errors
    /// As [`Script::turn`].
    pub fn answer(&self, prompt: &Prompt) -> Result<&ScriptTurn, ScriptError> {
        let users: Vec<String> = prompt
            .messages
            .iter()
            .filter_map(|message| user_text(message))
            .collect();
        let answers = prompt.messages.len() - users.len();
        let first = users.first().map_or("", String::as_str);
        let last = users.last().map_or("", String::as_str);
        self.turn(Seen {
            first,
            last,
            answers,
        })
    }
}

impl ScriptTurn {
    /// Returns how long the model seems to think.
    pub const fn think(&self) -> Duration {
        Duration::from_millis(self.think_ms)
    }

    /// Returns the turn as a model's answer; `turn` numbers its calls, `sent` is the size of the request.
    pub fn to_response(&self, turn: usize, sent: usize) -> ModelResponse {
        let text = (!self.text.is_empty()).then(|| AssistantPart::Text {
            text: self.text.clone(),
        });
        let calls = self.calls.iter().enumerate().map(|(index, call)| {
            let mut arguments = call.clone();
            let name = match arguments.remove("tool") {
                Some(toml::Value::String(name)) => name,
                _ => String::new(),
            };
            // A table of TOML has no value that JSON lacks but dates, which scripts have no use for.
            let arguments = serde_json::to_string(&arguments).unwrap_or_default();
            AssistantPart::ToolCall(ToolCall {
                id: format!("call_{turn}_{index}"),
                name,
                arguments,
            })
        });
        let parts: Vec<AssistantPart> = text.into_iter().chain(calls).collect();
        let stop = if self.calls.is_empty() {
            StopReason::EndTurn
        } else {
            StopReason::ToolUse
        };
        let written: usize = self.text.len()
            + self
                .calls
                .iter()
                .map(|call| call.to_string().len())
                .sum::<usize>();
        let usage = Usage {
            input: sent.div_ceil(4) as u64,
            output: written.div_ceil(4) as u64,
            ..Usage::default()
        };
        ModelResponse { parts, stop, usage }
    }
}

/// Returns everything a user message says, results included; `None` for the model's own.
fn user_text(message: &Message) -> Option<String> {
    let Message::User(parts) = message else {
        return None;
    };
    let texts = parts.iter().map(|part| match part {
        UserPart::Text { text } => text.as_str(),
        UserPart::ToolResult(result) => result.content.as_str(),
    });
    Some(texts.collect::<Vec<_>>().join("\n"))
}

fn start_of(text: &str) -> String {
    text.chars().take(400).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SCRIPT: &str = r#"
        [[session]]
        match = "F-001"
        [[session.turn]]
        text = "I look."
        calls = [{ tool = "read", path = "src/a", first = 1 }]
        [[session.turn]]
        expect = ["two lines"]
        text = "Done."
    "#;

    fn prompt(results: &[&str]) -> Prompt {
        let user = |text: &str| {
            Arc::new(Message::User(vec![UserPart::Text {
                text: text.to_owned(),
            }]))
        };
        let mut messages = vec![user("feature F-001: export")];
        for result in results {
            messages.push(Arc::new(Message::Assistant(Vec::new())));
            messages.push(user(result));
        }
        Prompt {
            system: "".into(),
            tools: Vec::new().into(),
            messages,
        }
    }

    #[test]
    fn the_turn_follows_from_the_conversation_alone() {
        let script = Script::parse(SCRIPT).unwrap();
        let response = script.answer(&prompt(&[])).unwrap().to_response(1, 400);
        assert_eq!(response.stop, StopReason::ToolUse);
        assert_eq!(
            response.calls().next().unwrap().arguments,
            r#"{"first":1,"path":"src/a"}"#
        );
        assert_eq!(
            script.answer(&prompt(&["two lines"])).unwrap().text,
            "Done."
        );
    }

    #[test]
    fn what_a_script_does_not_expect_is_loud() {
        let script = Script::parse(SCRIPT).unwrap();
        assert!(matches!(
            script.answer(&prompt(&["other"])),
            Err(ScriptError::Unexpected { turn: 2, .. })
        ));
        assert!(matches!(
            script.answer(&prompt(&["two lines", ""])),
            Err(ScriptError::NoTurn { turns: 2, .. })
        ));
        assert!(Script::parse("[[sesion]]").is_err());
    }
}
