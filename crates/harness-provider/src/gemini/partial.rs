//! Arguments of a call that come in pieces, each under a path: `$.items[0].name`.

use harness_core::ModelFailure;
use serde_json::{Map, Value};

use crate::{assembly::Room, failure::broken};

/// The deepest path followed. Real arguments have two or three steps.
const DEPTH_MAX: usize = 32;

/// The longest list made by an index.
const INDEX_MAX: usize = 4096;

/// Puts one piece at its path; a piece of a text is added to the pieces before it.
///
/// # Errors
/// When the path is not one, or leads through something that holds nothing, and when
/// the places it makes have no room left.
pub(super) fn set(
    arguments: &mut Value,
    piece: &Value,
    room: &mut Room,
) -> Result<(), ModelFailure> {
    let path = piece["jsonPath"].as_str().and_then(steps);
    let path = path.ok_or_else(no_path)?;
    let place = path
        .iter()
        .try_fold(arguments, |value, step| follow(value, step, room))?;
    match (&mut *place, value_of(piece)) {
        (Value::String(whole), Some(Value::String(text))) => whole.push_str(&text),
        (place, Some(value)) => *place = value,
        (_, None) => {}
    }
    Ok(())
}

fn no_path() -> ModelFailure {
    broken("a piece of a tool call has no path to go to")
}

#[derive(Debug, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Reads `$.a.b[0]['c']`; none when it is anything else.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == DEPTH_MAX {
            return None;
        }
        let (step, after) = if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            (Step::Key(after[..end].to_owned()), &after[end..])
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = ['\'', '"'].into_iter().find_map(|quote| {
                let inside = inside.strip_prefix(quote)?;
                inside.strip_suffix(quote)
            });
            let step = match quoted {
                Some(key) => Step::Key(key.to_owned()),
                None => Step::Index(inside.parse().ok().filter(|it| *it < INDEX_MAX)?),
            };
            (step, after)
        };
        if step == Step::Key(String::new()) {
            return None;
        }
        steps.push(step);
        rest = after;
    }
    (!steps.is_empty()).then_some(steps)
}

/// Goes one step down, making what is not there yet. A short path can make many places: they take room.
fn follow<'a>(
    value: &'a mut Value,
    step: &Step,
    room: &mut Room,
) -> Result<&'a mut Value, ModelFailure> {
    let place = match step {
        Step::Key(key) => {
            if value.is_null() {
                *value = Value::Object(Map::new());
            }
            let fields = value.as_object_mut().ok_or_else(no_path)?;
            Some(fields.entry(key).or_insert(Value::Null))
        }
        Step::Index(index) => {
            if value.is_null() {
                *value = Value::Array(Vec::new());
            }
            let list = value.as_array_mut().ok_or_else(no_path)?;
            if list.len() <= *index {
                room.take_bytes((index + 1 - list.len()) * size_of::<Value>())?;
                list.resize(index + 1, Value::Null);
            }
            list.get_mut(*index)
        }
    };
    place.ok_or_else(no_path)
}

fn value_of(piece: &Value) -> Option<Value> {
    if piece.get("nullValue").is_some() {
        return Some(Value::Null);
    }
    let keys = ["stringValue", "numberValue", "boolValue"];
    keys.iter().find_map(|key| piece.get(key).cloned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(pieces: &[Value], expected: Option<&Value>) {
        let mut arguments = json!({});
        let done: Result<(), _> = pieces
            .iter()
            .try_for_each(|piece| set(&mut arguments, piece, &mut Room::default()));
        assert_eq!(done.ok().map(|()| &arguments), expected, "{pieces:?}");
    }

    fn text(path: &str, text: &str) -> Value {
        json!({"jsonPath": path, "stringValue": text, "willContinue": true})
    }

    #[test]
    fn pieces_go_to_their_paths_and_texts_grow() {
        check(
            &[text("$.a", "x"), text("$.a", "y"), text("$.a", "")],
            Some(&json!({"a": "xy"})),
        );
        check(
            &[
                json!({"jsonPath": "$.a.b[1]['c d']", "numberValue": 7}),
                json!({"jsonPath": "$.a.b[0]", "boolValue": true}),
                json!({"jsonPath": "$.n", "nullValue": null}),
                json!({"jsonPath": "$.later"}),
            ],
            Some(&json!({"a": {"b": [true, {"c d": 7}]}, "n": null, "later": null})),
        );
    }

    #[test]
    fn a_piece_without_a_place_is_broken() {
        for path in ["", "$", "a", "$.", "$[", "$[x]", "$[999999]", "$..a"] {
            check(&[text(path, "x")], None);
        }
        check(&[text(&"$.a".repeat(40).replace("a$", "a"), "x")], None);
        check(&[text("$.a", "x"), text("$.a.b", "x")], None);
        check(&[json!({"stringValue": "x"})], None);
    }
    #[test]
    fn places_that_short_paths_make_take_room() {
        let (mut arguments, mut room) = (json!({}), Room::default());
        let deep = "[4095]".repeat(DEPTH_MAX - 1);
        let made = (0..100).try_for_each(|it| {
            set(
                &mut arguments,
                &text(&format!("$.a{it}{deep}"), "x"),
                &mut room,
            )
        });
        assert_eq!(made, Err(broken("the answer exceeds 8 MiB")));
    }
}
