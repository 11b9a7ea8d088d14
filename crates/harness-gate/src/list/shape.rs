//! The shapes a list comes in, and how the entries of a text are found in each.

use std::ops::Range;

use harness_core::{Feature, FeatureId, FeatureStatus};
use serde_json::{Map, Value};

use super::{
    FEATURES_MAX, LIST_BYTES_MAX, ListError,
    field::kind,
    foreign, json, markdown,
    native::{self, own_value},
};

const EXPECTED: &str =
    "an object with `schema` and `features`, an object with `userStories`, or a list of features";

/// The forms of the file that can be read and written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An object with `schema` and `features`.
    Native,
    /// An array of entries with `category`, `description`, `steps` and `passes`.
    Bare,
    /// An object with `userStories`.
    Stories,
    /// Checkboxes in a Markdown file.
    Markdown,
}

impl Shape {
    /// Returns its name, with the article.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "a native list",
            Self::Bare => "a bare array",
            Self::Stories => "a list of `userStories`",
            Self::Markdown => "a Markdown list",
        }
    }

    /// Whether an entry has a place for each status; where not, it says only whether it passes.
    pub const fn keeps_status(self) -> bool {
        matches!(self, Self::Native)
    }

    /// Returns the key of the entries; none where the file is the list itself.
    pub(super) const fn key(self) -> Option<&'static str> {
        match self {
            Self::Native => Some("features"),
            Self::Stories => Some("userStories"),
            Self::Bare | Self::Markdown => None,
        }
    }
}

/// What a text holds: its shape, and each feature with the place of its entry.
pub(super) type Found = (Shape, Vec<(Feature, Range<usize>)>);

/// Reads a text without its byte order mark.
pub(super) fn read(text: &str) -> Result<Found, ListError> {
    if text.len() > LIST_BYTES_MAX {
        return Err(ListError::TooLarge { bytes: text.len() });
    }
    if let Some(line) = conflict(text) {
        return Err(ListError::Conflict { line });
    }
    let found = if is_json(text) {
        read_json(text)?
    } else {
        (Shape::Markdown, markdown::read(text)?)
    };
    if found.1.len() > FEATURES_MAX {
        return Err(ListError::TooMany);
    }
    Ok(found)
}

/// Writes a status at its place; returns whether the text has changed.
pub(super) fn write_status(
    shape: Shape,
    text: &mut String,
    entry: &Range<usize>,
    status: FeatureStatus,
) -> bool {
    let before = text.len();
    let passes = Value::from(status == FeatureStatus::Passing);
    match shape {
        Shape::Markdown => markdown::write_status(text, entry, status),
        Shape::Native => {
            let old = text[entry.clone()].to_owned();
            json::set(text, entry, "status", &status.as_str().into());
            let grown = entry.start..(entry.end + text.len()) - before;
            json::set(text, &grown, "passes", &passes);
            let grown = entry.start..(entry.end + text.len()) - before;
            text[grown] != old
        }
        Shape::Bare | Shape::Stories => {
            let old = text[entry.clone()].to_owned();
            json::set(text, entry, "passes", &passes);
            let grown = entry.start..(entry.end + text.len()) - before;
            text[grown] != old
        }
    }
}

/// Returns the text with one more entry.
pub(super) fn add(
    shape: Shape,
    text: &str,
    feature: &Feature,
    features: &[Feature],
) -> Result<String, ListError> {
    if shape == Shape::Markdown {
        foreign::check_markdown(feature)?;
        return markdown::add(text, feature);
    }
    let mut entry = fields(shape, feature, features.len())?;
    match shape {
        Shape::Native => native::add_state(&mut entry, feature),
        _ => foreign::add_state(shape, &mut entry, feature, features),
    }
    let mut text = text.to_owned();
    let list = list_at(shape, &text);
    json::push(&mut text, &list, &Value::Object(entry));
    Ok(text)
}

/// Returns the text with the intent of the entry at `place` as it is in `new`.
pub(super) fn amend(
    shape: Shape,
    text: &str,
    place: usize,
    entry: &Range<usize>,
    old: &Feature,
    new: &Feature,
) -> Result<String, ListError> {
    if shape == Shape::Markdown {
        foreign::check_amended(old, new)?;
        return markdown::amend(text, place, old, new);
    }
    let (before, after) = (fields(shape, old, place)?, fields(shape, new, place)?);
    let mut text = text.to_owned();
    let mut entry = entry.clone();
    let names = after
        .keys()
        .chain(before.keys().filter(|name| !after.contains_key(*name)));
    for name in names {
        if before.get(name) == after.get(name) {
            continue;
        }
        let there = json::member(&text, &entry, name);
        let there = there.and_then(|member| serde_json::from_str(&text[member.value]).ok());
        let value = own_value(there.as_ref(), before.get(name), after.get(name));
        let length = text.len();
        json::set(&mut text, &entry, name, &value);
        entry.end = entry.end + text.len() - length;
    }
    Ok(text)
}

/// Returns the text with the priority of an entry; only some shapes have a place for it.
pub(super) fn prioritize(
    shape: Shape,
    text: &str,
    entry: &Range<usize>,
    (id, priority): (&FeatureId, i64),
) -> Result<String, ListError> {
    let written = match shape {
        Shape::Native => priority,
        // There 1 is the first.
        Shape::Stories => priority.saturating_neg(),
        Shape::Bare | Shape::Markdown => {
            return Err(ListError::NoPlace {
                id: id.clone(),
                shape: shape.name(),
                field: "priority",
            });
        }
    };
    let mut text = text.to_owned();
    json::set(&mut text, entry, "priority", &written.into());
    Ok(text)
}

/// Names the `number`th feature, with at least `width` digits.
pub(super) fn numbered(number: u64, width: usize) -> FeatureId {
    with_number("F-", number, width)
}

/// Names a feature by a prefix that has been part of an id, and a number.
pub(super) fn with_number(prefix: &str, number: u64, width: usize) -> FeatureId {
    FeatureId::new(format!("{prefix}{number:0width$}")).unwrap_or_else(|_| {
        FeatureId::new(format!("F-{number}"))
            .expect("a prefix and at most twenty digits are a legal id")
    })
}

/// Returns the intent of a feature as this shape has it.
fn fields(shape: Shape, feature: &Feature, place: usize) -> Result<Map<String, Value>, ListError> {
    match shape {
        Shape::Native => Ok(native::intent(feature)),
        Shape::Bare => foreign::bare_fields(feature, place),
        Shape::Stories => foreign::story_fields(feature),
        Shape::Markdown => Ok(Map::new()),
    }
}

fn read_json(text: &str) -> Result<Found, ListError> {
    let value: Value = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    let shape = shape_of(&value)?;
    let list = match shape.key() {
        Some(key) => &value[key],
        None => &value,
    };
    let entries = list.as_array().ok_or_else(|| ListError::Shape {
        expected: match shape {
            Shape::Stories => "an object whose `userStories` is a list",
            _ => "an object whose `features` is a list",
        },
        found: kind(list),
    })?;
    if entries.len() > FEATURES_MAX {
        return Err(ListError::TooMany);
    }
    let places = json::items(text, &list_at(shape, text));
    let features = entries.iter().enumerate().zip(places);
    let features = features.map(|((place, entry), at)| Ok((feature(shape, entry, place)?, at)));
    Ok((shape, features.collect::<Result<_, ListError>>()?))
}

fn shape_of(value: &Value) -> Result<Shape, ListError> {
    match value {
        Value::Array(_) => Ok(Shape::Bare),
        Value::Object(object) if object.contains_key("features") => {
            check_schema(object.get("schema"))?;
            Ok(Shape::Native)
        }
        Value::Object(object) if object.contains_key("userStories") => Ok(Shape::Stories),
        Value::Object(_) => Err(wrong_shape("an object without `features`".to_owned())),
        other => Err(wrong_shape(kind(other))),
    }
}

fn feature(shape: Shape, entry: &Value, place: usize) -> Result<Feature, ListError> {
    match shape {
        Shape::Native => native::read(entry, place),
        Shape::Bare => foreign::read_bare(entry, place),
        Shape::Stories | Shape::Markdown => foreign::read_story(entry, place),
    }
}

/// Returns where the array of the entries stands.
pub(super) fn list_at(shape: Shape, text: &str) -> Range<usize> {
    let root = json::value_at(text, 0);
    match shape.key().and_then(|key| json::member(text, &root, key)) {
        Some(member) => member.value,
        None => root,
    }
}

/// Whether a text is meant as JSON: what cannot be told is.
fn is_json(text: &str) -> bool {
    let start = text.trim_start();
    match start.as_bytes().first() {
        Some(b'{') => true,
        Some(b'[') => {
            let next = start[1..].trim_start().as_bytes().first().copied();
            matches!(
                next,
                None | Some(b'{' | b'[' | b']' | b'"' | b'0'..=b'9' | b'-')
            ) || !markdown::is_likely(text)
        }
        _ => !markdown::is_likely(text),
    }
}

/// Returns the line of the first mark that a merge has left, counted from 1.
fn conflict(text: &str) -> Option<usize> {
    if !text.contains("<<<<<<<") {
        return None;
    }
    let mut lines = text.lines().enumerate();
    let (begins, _) = lines.find(|(_, line)| line.starts_with("<<<<<<< "))?;
    lines
        .find(|(_, line)| line.starts_with(">>>>>>>"))
        .map(|_| begins + 1)
}

fn check_schema(schema: Option<&Value>) -> Result<(), ListError> {
    match schema {
        None => Ok(()),
        Some(schema) if schema.as_u64() == Some(1) => Ok(()),
        Some(other) => Err(ListError::Schema { found: kind(other) }),
    }
}

fn wrong_shape(found: String) -> ListError {
    ListError::Shape {
        expected: EXPECTED,
        found,
    }
}

fn syntax(error: &serde_json::Error) -> ListError {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let place = format!(" at line {line} column {column}");
    ListError::Syntax {
        line,
        column,
        message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
    }
}
