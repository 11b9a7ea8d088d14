//! What a feature is meant to be: all but its status, `passes` and priority, in one spelling.
//!
//! Evidence and the ledger of intent keep it, so that nobody can change what
//! was proven or wished for unseen. It does not depend on the shape of the file.

use harness_core::Feature;
use serde_json::{Map, Value};

use super::native;
use crate::canonical;

/// How much of a long value is shown. Unit: characters.
const SHOWN_CHARS: usize = 400;
/// How much of that may stand before the first difference. Unit: characters.
const BEFORE_CHARS: usize = 40;

/// A field that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name, such as `scope.write`.
    pub field: String,
    /// What it was; absent when it was empty.
    pub old: Option<Value>,
    /// What it is; absent when it is empty.
    pub new: Option<Value>,
}

/// Returns the fields of a feature's intent that are not empty, named as in the native shape.
pub fn fields(feature: &Feature) -> Map<String, Value> {
    native::intent(feature)
}

/// Returns the SHA-256 of an intent's canonical JSON, in hexadecimal.
pub fn hash(fields: &Map<String, Value>) -> String {
    canonical::value_hash(Value::Object(fields.clone()))
}

/// Returns what differs between two intents, field by field.
pub fn differences(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", old, new, &mut found);
    found
}

fn compare(
    prefix: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    found: &mut Vec<Difference>,
) {
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    for name in new.keys().chain(gone) {
        let (before, after) = (old.get(name), new.get(name));
        let empty = Map::new();
        let inner = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
        match (inner(before), inner(after)) {
            (None, None) if before != after => found.push(Difference {
                field: format!("{prefix}{name}"),
                old: before.cloned(),
                new: after.cloned(),
            }),
            (None, None) => {}
            (before, after) => compare(
                &format!("{prefix}{name}."),
                before.as_ref().unwrap_or(&empty),
                after.as_ref().unwrap_or(&empty),
                found,
            ),
        }
    }
}

/// Writes differences for a person: the field, what it was, what it is, a line each.
///
/// Long values are shown from shortly before the place where they differ.
pub fn describe(differences: &[Difference]) -> String {
    let mut text = String::new();
    for Difference { field, old, new } in differences {
        let (old, new) = (shown(old.as_ref()), shown(new.as_ref()));
        let same = old
            .chars()
            .zip(new.chars())
            .take_while(|(old, new)| old == new);
        let from = same.count().saturating_sub(BEFORE_CHARS);
        let (old, new) = (window(&old, from), window(&new, from));
        text.push_str(&format!("  {field}\n    was: {old}\n    now: {new}\n"));
    }
    text
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

fn window(text: &str, from: usize) -> String {
    if text.chars().count() <= SHOWN_CHARS {
        return text.to_owned();
    }
    let mut shown: String = text.chars().skip(from).take(SHOWN_CHARS).collect();
    if from > 0 {
        shown.insert(0, '…');
    }
    if text.chars().count() > from + SHOWN_CHARS {
        shown.push('…');
    }
    shown
}
