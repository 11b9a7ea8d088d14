//! What every request to a model must look like.

use std::collections::BTreeSet;

use harness_core::{AssistantPart, Message, Prompt, UserPart};

use super::monitor::ensure;

/// Messages alternate from a user message, and each call has one result in the next one.
pub(crate) fn check_prompt(prompt: &Prompt) -> Result<(), String> {
    let mut called: BTreeSet<&str> = BTreeSet::new();
    for (index, message) in prompt.messages.iter().enumerate() {
        match (index % 2, &**message) {
            (0, Message::User(parts)) => {
                let results: Vec<&str> = parts.iter().filter_map(result_id).collect();
                let given: BTreeSet<&str> = results.iter().copied().collect();
                ensure(given.len() == results.len(), || {
                    format!("two results for one call in message {index}")
                })?;
                ensure(given == called, || {
                    format!("message {index} has results {given:?} for {called:?}")
                })?;
                ensure(!parts.is_empty(), || format!("message {index} is empty"))?;
                let sorted = parts
                    .iter()
                    .skip(results.len())
                    .all(|part| matches!(part, UserPart::Text { .. }));
                ensure(sorted, || {
                    format!("message {index} has text before results")
                })?;
                called.clear();
            }
            (1, Message::Assistant(parts)) => {
                ensure(!parts.is_empty(), || format!("message {index} is empty"))?;
                called = parts.iter().filter_map(call_id).collect();
            }
            _ => return Err(format!("message {index} does not alternate")),
        }
    }
    ensure(!prompt.messages.is_empty(), || {
        "a prompt without messages".to_owned()
    })?;
    ensure(called.is_empty(), || format!("{called:?} have no results"))
}

fn result_id(part: &UserPart) -> Option<&str> {
    match part {
        UserPart::ToolResult(result) => Some(&result.id),
        UserPart::Text { .. } => None,
    }
}

fn call_id(part: &AssistantPart) -> Option<&str> {
    match part {
        AssistantPart::ToolCall(call) => Some(&call.id),
        _ => None,
    }
}
