//! What all wires do with the parts of an answer: bounds while it grows, rules when it ends.

use std::collections::HashSet;

use harness_core::{AssistantPart, ModelFailure, ModelResponse, StopReason, ToolCall, Usage};
use serde::de::IgnoredAny;

use crate::failure::broken;

/// Bound of everything one response says: text, thinking, arguments. An answer is one record of a log.
const RESPONSE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bound of the tool calls of one response.
const CALLS_MAX: usize = 128;

/// Bound of the parts of one response; cited text comes in many small ones.
const PARTS_MAX: usize = 4096;

/// What one response may still hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Room {
    bytes: usize,
    calls: usize,
    parts: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            bytes: RESPONSE_BYTES_MAX,
            calls: CALLS_MAX,
            parts: PARTS_MAX,
        }
    }
}

impl Room {
    /// Returns how many bytes were said so far.
    pub(crate) const fn said(&self) -> usize {
        RESPONSE_BYTES_MAX - self.bytes
    }

    /// Takes room for a piece of text.
    pub(crate) fn take_text(&mut self, piece: &str) -> Result<(), ModelFailure> {
        self.take_bytes(piece.len())
    }

    /// Takes room for so many bytes.
    pub(crate) fn take_bytes(&mut self, bytes: usize) -> Result<(), ModelFailure> {
        take(&mut self.bytes, bytes, "the answer exceeds 8 MiB")
    }

    /// Takes room for one part.
    pub(crate) fn take_part(&mut self) -> Result<(), ModelFailure> {
        take(&mut self.parts, 1, "the answer has more than 4096 parts")
    }

    /// Takes room for one tool call.
    pub(crate) fn take_call(&mut self) -> Result<(), ModelFailure> {
        take(
            &mut self.calls,
            1,
            "the answer has more than 128 tool calls",
        )
    }
}

fn take(left: &mut usize, wanted: usize, beyond: &str) -> Result<(), ModelFailure> {
    *left = left.checked_sub(wanted).ok_or_else(|| broken(beyond))?;
    Ok(())
}

/// Makes the answer of a stream that has ended in order.
///
/// Calls that the stop may have cut are left out: the last one, since shortened
/// arguments can be well formed, and any whose arguments are no whole JSON. What
/// stands right before such a call for the provider alone goes with it. The
/// presence of calls is trusted over a stop that claims an ordinary end.
///
/// # Errors
/// When the stop announces tool calls and there is none.
pub(crate) fn close(
    mut parts: Vec<AssistantPart>,
    stop: StopReason,
    usage: Usage,
) -> Result<ModelResponse, ModelFailure> {
    if may_cut(&stop) {
        let last = parts.len().saturating_sub(1);
        drop_calls(&mut parts, |place, call| {
            place == last || !is_whole_json(&call.arguments)
        });
    }
    let mut response = ModelResponse { parts, stop, usage };
    let has_calls = response.calls().next().is_some();
    match response.stop {
        StopReason::EndTurn if has_calls => response.stop = StopReason::ToolUse,
        StopReason::ToolUse if !has_calls => {
            return Err(broken("the answer announces tool calls and has none"));
        }
        _ => {}
    }
    Ok(response)
}

/// Leaves out the calls that `is_cut` names by place, each with the opaque parts right before it.
pub(crate) fn drop_calls(
    parts: &mut Vec<AssistantPart>,
    is_cut: impl Fn(usize, &ToolCall) -> bool,
) {
    let mut kept: Vec<AssistantPart> = Vec::with_capacity(parts.len());
    for (place, part) in parts.drain(..).enumerate() {
        match part {
            AssistantPart::ToolCall(call) if is_cut(place, &call) => {
                while kept
                    .pop_if(|part| matches!(part, AssistantPart::Opaque { .. }))
                    .is_some()
                {}
            }
            part => kept.push(part),
        }
    }
    *parts = kept;
}

/// Gives an id to every call that came without one: `call_0`, `call_1`, by place among the calls.
pub(crate) fn name_calls(parts: &mut [AssistantPart]) {
    let calls = parts.iter_mut().filter_map(|part| match part {
        AssistantPart::ToolCall(call) => Some(call),
        _ => None,
    });
    let mut calls: Vec<&mut ToolCall> = calls.collect();
    let mut used: HashSet<String> = calls.iter().map(|call| call.id.clone()).collect();
    for (place, call) in calls.iter_mut().enumerate() {
        if call.id.is_empty() {
            let mut number = place;
            while !used.insert(format!("call_{number}")) {
                number += 1;
            }
            call.id = format!("call_{number}");
        }
    }
}

/// Whether a model that stopped so may have been in the middle of a tool call.
pub(crate) const fn may_cut(stop: &StopReason) -> bool {
    !matches!(
        stop,
        StopReason::EndTurn | StopReason::ToolUse | StopReason::Paused
    )
}

/// Whether `text` is one complete JSON value.
pub(crate) fn is_whole_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Makes the call of collected fragments; a call without arguments has `{}`.
pub(crate) fn finished(mut call: ToolCall) -> AssistantPart {
    if call.arguments.trim().is_empty() {
        "{}".clone_into(&mut call.arguments);
    }
    AssistantPart::ToolCall(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &str) -> AssistantPart {
        AssistantPart::ToolCall(ToolCall {
            id: "1".to_owned(),
            name: "read".to_owned(),
            arguments: arguments.to_owned(),
        })
    }

    fn text() -> AssistantPart {
        AssistantPart::Text {
            text: "a".to_owned(),
        }
    }

    fn opaque() -> AssistantPart {
        AssistantPart::Opaque {
            data: "{}".to_owned(),
            maker: None,
        }
    }

    #[test]
    fn a_stop_that_may_cut_drops_the_last_call_and_every_incomplete_one() {
        let cutting = [
            StopReason::MaxTokens,
            StopReason::ContextFull,
            StopReason::StopSequence,
            StopReason::Refused,
            StopReason::Other("new".to_owned()),
        ];
        for stop in cutting {
            for (parts, kept) in [
                (vec![text(), call("{}")], vec![text()]),
                (vec![call("{}"), call("{}")], vec![call("{}")]),
                (vec![call("{\"a"), call("{}")], vec![]),
                (vec![call("{}"), text()], vec![call("{}"), text()]),
                (vec![text(), opaque(), opaque(), call("{}")], vec![text()]),
                (
                    vec![opaque(), call("{}"), opaque(), call("{")],
                    vec![opaque(), call("{}")],
                ),
            ] {
                let response = close(parts, stop.clone(), Usage::default()).unwrap();
                assert_eq!(response.parts, kept, "{stop:?}");
                assert_eq!(response.stop, stop);
            }
        }
    }

    #[test]
    fn calls_are_trusted_over_the_stop() {
        let ended = close(vec![call("{}")], StopReason::EndTurn, Usage::default()).unwrap();
        assert_eq!(ended.stop, StopReason::ToolUse);
        assert!(close(vec![text()], StopReason::ToolUse, Usage::default()).is_err());
    }

    #[test]
    fn invalid_arguments_of_a_finished_call_stay_for_the_tool_to_refuse() {
        let response = close(vec![call("{oops")], StopReason::ToolUse, Usage::default()).unwrap();
        assert_eq!(response.parts, [call("{oops")]);
    }
}
