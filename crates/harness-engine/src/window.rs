//! Making room in a window that fills up: which old results can go, and whether that is worth it.
//!
//! A cut changes the beginning of the request, so the provider's cache is lost behind it. So
//! it is made seldom: from three quarters of the window down to half of it at once, and not at
//! all where it would gain little. Decides on sizes alone and touches nothing; the conversation
//! is changed by `Talk`, when the cut is recorded.

use std::sync::Arc;

use harness_core::{
    AssistantPart, ByteCount, DroppedResult, Message, TokenCount, ToolCall, ToolResult, UserPart,
};
use harness_tool::Droppable;

/// How much of the window may be filled before something has to go. Unit: percent.
pub(crate) const FULL_PERCENT: u64 = 75;
/// What a cut brings it down to. Unit: percent.
const CUT_PERCENT: u64 = 50;
/// What a cut that is worth it leaves at most: another one is not due at once. Unit: percent.
const WORTH_PERCENT: u64 = 65;
/// Turns at the end that keep their results.
const KEPT_TURNS: usize = 6;
/// What the results of these turns may take, but for the last one; in a small window there are fewer. Unit: percent.
const KEPT_PERCENT: u64 = 25;

/// How large a conversation is, and what a part of it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) tokens: u64,
    /// So many tokens are so many bytes.
    pub(crate) rate: (u64, u64),
}

impl Size {
    pub(crate) const fn tokens_of(self, bytes: u64) -> u64 {
        scaled(bytes, self.rate.0, self.rate.1)
    }

    const fn bytes_of(self, tokens: u64) -> u64 {
        scaled(tokens, self.rate.1, self.rate.0)
    }
}

const fn scaled(part: u64, to: u64, from: u64) -> u64 {
    if from == 0 {
        return 0;
    }
    let scaled = part as u128 * to as u128 / from as u128;
    if scaled > u64::MAX as u128 {
        u64::MAX
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "it was compared")]
        let scaled = scaled as u64;
        scaled
    }
}

const fn percent_of(window: TokenCount, percent: u64) -> u64 {
    scaled(window.0, percent, 100)
}

/// Whether so many tokens are more than a request may have.
pub(crate) const fn is_full(tokens: u64, window: TokenCount) -> bool {
    tokens > percent_of(window, FULL_PERCENT)
}

/// A cut that could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) dropped: Vec<DroppedResult>,
    /// What is left. Unit: tokens.
    pub(crate) after: u64,
}

impl Cut {
    /// Whether it leaves room for a while, with `more` tokens that come with it.
    pub(crate) const fn is_worth_it(&self, more: u64, window: TokenCount) -> bool {
        !self.dropped.is_empty() && self.after + more <= percent_of(window, WORTH_PERCENT)
    }
}

/// Says what could be dropped: whole results, oldest first, until half of the window is free.
///
/// `size` is the whole next request, of which `waiting` bytes are results that are in no message
/// yet. Never dropped are texts, what the model said and called, the results of the last
/// turns, and results that are a person's words or cannot be got back.
pub(crate) fn cut(messages: &[Arc<Message>], waiting: u64, size: Size, window: TokenCount) -> Cut {
    let end = kept_from(messages, waiting, size, window);
    let mut cut = Cut {
        dropped: Vec::new(),
        after: size.tokens,
    };
    drop_some(&mut cut, &messages[..end], Droppable::First, size, window);
    if is_full(cut.after, window) {
        drop_some(&mut cut, &messages[..end], Droppable::Last, size, window);
        let place = |dropped: &DroppedResult| (dropped.message, dropped.part);
        cut.dropped.sort_by_key(place);
    }
    cut
}

fn drop_some(
    cut: &mut Cut,
    messages: &[Arc<Message>],
    when: Droppable,
    size: Size,
    window: TokenCount,
) {
    let target = percent_of(window, CUT_PERCENT);
    for (place, (call, result)) in results(messages) {
        if cut.after <= target {
            return;
        }
        if harness_tool::droppable(&call.name) != when {
            continue;
        }
        let stub = harness_tool::stub(call, result);
        let bytes = UserPart::result_bytes(result);
        // A stub in place of next to nothing gains nothing, and a stub is no result.
        if bytes.0 < 2 * stub.len() as u64 {
            continue;
        }
        let gained = size.tokens_of(bytes.0 - stub.len() as u64);
        cut.after = cut.after.saturating_sub(gained);
        cut.dropped.push(DroppedResult {
            message: place.0,
            part: place.1,
            tool: call.name.clone(),
            bytes: ByteCount(bytes.0),
            stub,
        });
    }
}

/// Where a result stands: the message and its part.
type Place = (u32, u32);

/// Iterates over results with their calls and their places, oldest first.
fn results(messages: &[Arc<Message>]) -> impl Iterator<Item = (Place, (&ToolCall, &ToolResult))> {
    let pairs = (1_u32..).zip(messages.windows(2));
    pairs.flat_map(|(message, pair)| {
        let parts: &[UserPart] = match &*pair[1] {
            Message::User(parts) => parts,
            Message::Assistant(_) => &[],
        };
        let found = (0_u32..).zip(parts).filter_map(|(part, of)| match of {
            UserPart::ToolResult(result) => Some((part, call_of(&pair[0], result)?, result)),
            UserPart::Text { .. } => None,
        });
        let placed = found.map(|(part, call, result)| ((message, part), (call, result)));
        placed.collect::<Vec<_>>()
    })
}

fn call_of<'m>(message: &'m Message, result: &ToolResult) -> Option<&'m ToolCall> {
    let Message::Assistant(parts) = message else {
        return None;
    };
    parts.iter().find_map(|part| match part {
        AssistantPart::ToolCall(call) if call.id == result.id => Some(call),
        _ => None,
    })
}

/// Returns the message from which on all results stay.
fn kept_from(messages: &[Arc<Message>], waiting: u64, size: Size, window: TokenCount) -> usize {
    let room = size.bytes_of(percent_of(window, KEPT_PERCENT));
    let (mut held, mut turns, mut from) = (waiting, 0, messages.len());
    for (place, message) in messages.iter().enumerate().rev() {
        match &**message {
            Message::User(parts) => {
                let results = parts
                    .iter()
                    .filter(|part| matches!(part, UserPart::ToolResult(_)));
                held += results.map(|part| part.bytes().0).sum::<u64>();
            }
            Message::Assistant(_) => {
                turns += 1;
                if turns > KEPT_TURNS || turns > 1 && held > room {
                    return from;
                }
                from = place;
            }
        }
    }
    from
}

#[cfg(test)]
mod tests;
