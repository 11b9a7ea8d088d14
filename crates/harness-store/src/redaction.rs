//! Takes secrets out of an event before it is hashed and written.
//!
//! What a secret is, is not known here: a function says it about a text.

use std::borrow::Cow;

use harness_core::Event;
use serde::Deserialize;
use serde_json::Value;

/// Returns the text without its secrets, or `None` when it holds none.
///
/// Must find a secret wherever it stands in a text. A tool call's arguments
/// come as the JSON text that the model wrote, with that text's own escapes.
pub type Redaction = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Takes the secrets out of an event's JSON; `None` when it holds none.
///
/// Asks once about the whole text, and about each string only when that hits.
/// Every string is replaced in which something is found, save those whose
/// replacement would make the event unreadable: they are the harness's own
/// words (tags, object ids), which a short or odd secret can equal.
pub(crate) fn redacted(json: &str, redaction: &Redaction) -> Option<String> {
    redaction(&unescaped(json))?;
    let event: Value = serde_json::from_str(json).expect("an event was written by serde_json");
    let (all, hits) = replaced(&event, redaction, |_| true);
    if is_event(&all) {
        return Some(all.to_string());
    }
    let harmless: Vec<usize> = hits
        .into_iter()
        .filter(|&hit| is_event(&replaced(&event, redaction, |index| index == hit).0))
        .collect();
    let (rest, _) = replaced(&event, redaction, |index| {
        harmless.binary_search(&index).is_ok()
    });
    Some(rest.to_string())
}

/// Replaces the chosen strings, and returns which of them had something to replace.
fn replaced(
    event: &Value,
    redaction: &Redaction,
    is_chosen: impl Fn(usize) -> bool,
) -> (Value, Vec<usize>) {
    let mut copy = event.clone();
    let mut hits = Vec::new();
    let mut index = 0;
    each_string(&mut copy, &mut |text| {
        if is_chosen(index)
            && let Some(clean) = redaction(text)
        {
            *text = clean;
            hits.push(index);
        }
        index += 1;
    });
    (copy, hits)
}

/// Gives every string of a value, but no key, to `change`.
pub(crate) fn each_string(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_string(item, change)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| each_string(member, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_event(value: &Value) -> bool {
    Event::deserialize(value).is_ok()
}

/// Undoes the escapes of JSON strings, so that a secret over several lines is seen as it is.
fn unescaped(json: &str) -> Cow<'_, str> {
    if !json.contains('\\') {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let mut after = escape.chars();
        match after.next() {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('u') => {
                let code = escape
                    .get(1..5)
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok());
                text.extend(code.and_then(char::from_u32));
                after = escape.get(5..).unwrap_or_default().chars();
            }
            Some(character) => text.push(character),
            None => {}
        }
        rest = after.as_str();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hiding(secret: &'static str) -> Redaction {
        Box::new(move |text| {
            text.contains(secret)
                .then(|| text.replace(secret, "[redacted]"))
        })
    }

    fn check(event: &Event, secret: &'static str, expected: Option<&Event>) {
        let json = serde_json::to_string(event).unwrap();
        let clean = redacted(&json, &hiding(secret));
        let read = clean.map(|clean| serde_json::from_str::<Event>(&clean).unwrap());
        assert_eq!(read.as_ref(), expected);
    }

    fn said(text: &str) -> Event {
        Event::PersonSaid {
            text: text.to_owned(),
            urgency: harness_core::Urgency::NextTurn,
        }
    }

    #[test]
    fn only_the_secret_is_replaced() {
        check(
            &said("my key is hunter2!"),
            "hunter2",
            Some(&said("my key is [redacted]!")),
        );
        check(&said("nothing to see"), "hunter2", None);
    }

    #[test]
    fn a_secret_that_json_has_to_escape_is_found() {
        for secret in [
            "-- BEGIN\nabc\n-- END",
            "a\"b",
            "back\\slash",
            "bell\u{7}",
            "tab\té",
            "a/b",
        ] {
            check(
                &said(&format!("x {secret} y")),
                secret,
                Some(&said("x [redacted] y")),
            );
        }
    }

    #[test]
    fn a_secret_that_equals_a_tag_does_not_break_the_event() {
        check(
            &said("the person_said it"),
            "person_said",
            Some(&said("the [redacted] it")),
        );
    }

    #[test]
    fn undoing_escapes_equals_reading_the_string() {
        for text in [
            "",
            "a\\",
            "\u{0}\u{1f}\u{7f}",
            "é\n\"\\n\"",
            "\\u0041",
            "😀\t",
        ] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(unescaped(&json), format!("\"{text}\""));
        }
    }
}
