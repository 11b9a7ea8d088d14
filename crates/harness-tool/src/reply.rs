//! The tool `reply`: what an agent says to a comment of a person's review.
//!
//! It is offered once a comment was sent and never before, so that a session without a review pays
//! nothing for it.

use harness_core::{ToolCall, ToolSpec};
use serde::Deserialize;

use crate::{Intent, ToolFault};

/// The name of the tool.
pub(crate) const NAME: &str = "reply";

/// The longest answer; what is more is left out. Unit: bytes.
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// The longest arguments. Unit: bytes.
const ARGUMENTS_BYTES_MAX: usize = 64 * 1024;

static REPLY: ToolSpec = ToolSpec {
    name: NAME,
    description: "Answer a comment of the review by its number: what you changed, or why not.",
    schema: r#"{"type":"object","properties":{"comment":{"type":"integer"},"text":{"type":"string"}},"required":["comment","text"]}"#,
};

/// Returns the tool that answers comments.
pub fn reply_spec() -> ToolSpec {
    REPLY.clone()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    comment: u32,
    text: String,
}

/// Reads a call of `reply`.
pub(crate) fn parse(call: &ToolCall) -> Result<Intent, ToolFault> {
    let refused = |problem: String| ToolFault::NotReply { problem };
    if call.arguments.len() > ARGUMENTS_BYTES_MAX {
        return Err(refused("they are too long".to_owned()));
    }
    let arguments: Arguments =
        serde_json::from_str(&call.arguments).map_err(|error| refused(error.to_string()))?;
    let text = arguments.text.trim();
    if text.is_empty() {
        return Err(refused("`text` is empty".to_owned()));
    }
    Ok(Intent::Reply {
        comment: arguments.comment,
        text: text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(arguments: &str) -> Result<Intent, String> {
        let call = ToolCall {
            id: "1".to_owned(),
            name: NAME.to_owned(),
            arguments: arguments.to_owned(),
        };
        crate::parse(&call, Path::new("/")).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_reply_has_a_number_and_a_text() {
        let reply = Intent::Reply {
            comment: 3,
            text: "done".to_owned(),
        };
        assert_eq!(check(r#"{"comment":3,"text":" done "}"#), Ok(reply));
        for wrong in [
            r#"{"comment":3,"text":" "}"#,
            r#"{"comment":"3","text":"x"}"#,
            r#"{"comment":3,"text":"x","approved":true}"#,
            "[]",
            "",
        ] {
            assert!(check(wrong).unwrap_err().contains("`reply`"), "{wrong}");
        }
    }
}
