//! Where two facts differ, and whether that is more than words.

use std::collections::BTreeSet;

use harness_core::{Event, RunState};
use serde_json::Value;

/// Members whose text is for people: other words for the same decision are no other decision.
const PROSE: [&str; 7] = [
    "text", "reason", "detail", "message", "summary", "note", "problem",
];

/// How two facts differ.
pub(super) enum Difference {
    Kind,
    Member(String),
    Words,
}

/// Compares what was expected with what is recorded, secrets taken out of both.
pub(super) fn difference(expected: &Event, recorded: &Event) -> Option<Difference> {
    if expected == recorded {
        return None;
    }
    let value = |event: &Event| serde_json::to_value(event).unwrap_or_default();
    let (expected, recorded) = (value(expected), value(recorded));
    if expected["type"] != recorded["type"] {
        return Some(Difference::Kind);
    }
    let mut paths = Vec::new();
    differing(&expected, &recorded, "", &mut paths);
    // The dispatcher gives a question its id.
    paths.retain(|(path, _)| !(path == "id" && expected["type"] == "question_asked"));
    match paths.iter().find(|(_, is_prose)| !is_prose) {
        Some((path, _)) => Some(Difference::Member(path.clone())),
        None => (!paths.is_empty()).then_some(Difference::Words),
    }
}

/// Names a member in which two states of a run differ; `None` when they are the same.
pub(super) fn differing_state(one: &RunState, other: &RunState) -> Option<String> {
    let value = |run: &RunState| serde_json::to_value(run).unwrap_or_default();
    let mut paths = Vec::new();
    differing(&value(one), &value(other), "", &mut paths);
    let mut paths = paths.into_iter().filter(|(_, is_words)| !is_words);
    paths.next().map(|(path, _)| path)
}

fn differing(one: &Value, other: &Value, path: &str, found: &mut Vec<(String, bool)>) {
    let under = |key: &str| match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let null = Value::Null;
                let (one, other) = (one.get(key), other.get(key));
                let (one, other) = (one.unwrap_or(&null), other.unwrap_or(&null));
                differing(one, other, &under(key), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                differing(one, other, &under(&at.to_string()), found);
            }
        }
        (Value::String(one), Value::String(other)) => {
            if one != other && harness_guard::redact(one) != harness_guard::redact(other) {
                let name = path.rsplit('.').next().unwrap_or_default();
                // A single word is a name that programs go by, such as how a run ended.
                let is_prose = |text: &str| text.is_empty() || text.contains(' ');
                let is_words = PROSE.contains(&name) && is_prose(one) && is_prose(other);
                found.push((path.to_owned(), is_words));
            }
        }
        (one, other) if one == other => {}
        _ => found.push((path.to_owned(), false)),
    }
}

pub(super) fn kind(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap_or_default();
    value["type"].as_str().unwrap_or("event").to_owned()
}
