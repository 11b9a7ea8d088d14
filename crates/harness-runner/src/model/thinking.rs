//! A conversation without what the model thought, for a server that refuses that.
//!
//! Claude binds what it thinks to all that stood before it. A session that is taken up by
//! another version of this program may word that otherwise, and would be refused for ever.

use std::{borrow::Cow, sync::Arc};

use harness_core::{AssistantPart, Message, Prompt};

/// Returns a prompt whose messages before `from` hold no thinking.
pub(super) fn left_out(prompt: &Prompt, from: usize) -> Cow<'_, Prompt> {
    let mut prompt = Cow::Borrowed(prompt);
    let thinks = |message: &Message| match message {
        Message::Assistant(parts) => parts.iter().any(AssistantPart::is_thinking),
        Message::User(_) => false,
    };
    let last = prompt.messages.len().min(from);
    if !prompt.messages[..last].iter().any(|it| thinks(it)) {
        return prompt;
    }
    for message in &mut prompt.to_mut().messages[..last] {
        if thinks(message)
            && let Message::Assistant(parts) = Arc::make_mut(message)
        {
            parts.retain(|part| !part.is_thinking());
        }
    }
    prompt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Arc<Message> {
        let thought = AssistantPart::Thinking {
            text: text.to_owned(),
            signature: Some("s".to_owned()),
            maker: None,
        };
        let said = AssistantPart::Text {
            text: text.to_owned(),
        };
        Arc::new(Message::Assistant(vec![thought, said]))
    }

    #[test]
    fn what_was_thought_before_a_message_is_left_out() {
        let prompt = Prompt {
            system: "".into(),
            tools: [].into(),
            messages: vec![answer("a"), answer("b")],
        };
        let thoughts = |from| {
            let left = left_out(&prompt, from);
            let has = |it: &Arc<Message>| match &**it {
                Message::Assistant(parts) => parts.len(),
                Message::User(_) => 0,
            };
            left.messages.iter().map(has).collect::<Vec<_>>()
        };
        assert_eq!(thoughts(0), [2, 2]);
        assert_eq!(thoughts(1), [1, 2]);
        assert_eq!(thoughts(9), [1, 1]);
        assert!(matches!(left_out(&prompt, 0), Cow::Borrowed(_)));
    }
}
