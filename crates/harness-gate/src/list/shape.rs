//! The shapes a list comes in, and where an entry and its status stand in each.

use harness_core::{Feature, FeatureId, FeatureStatus};
use serde_json::{Value, json};

use super::{
    FEATURES_MAX, LIST_BYTES_MAX, ListError, Shape,
    field::kind,
    native::{self, entry_fields, own},
};

const EXPECTED: &str = "an object with `schema` and `features`, or a list of features";

/// Reads the text as JSON and tells its shape.
pub(super) fn read(text: &str) -> Result<(Shape, Value), ListError> {
    if text.len() > LIST_BYTES_MAX {
        return Err(ListError::TooLarge { bytes: text.len() });
    }
    if is_markdown(text) {
        return Err(ListError::Unsupported {
            format: "a Markdown file",
        });
    }
    let value: Value = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    let shape = match &value {
        Value::Array(_) => Shape::Bare,
        Value::Object(object) if object.contains_key("features") => {
            check_schema(object.get("schema"))?;
            Shape::Native
        }
        Value::Object(object) if object.contains_key("userStories") => {
            return Err(ListError::Unsupported {
                format: "a `prd.json` with `userStories`",
            });
        }
        Value::Object(_) => return Err(wrong_shape("an object without `features`".to_owned())),
        other => return Err(wrong_shape(kind(other))),
    };
    Ok((shape, value))
}

/// Reads the features of a list of known shape.
pub(super) fn features(shape: Shape, value: &Value) -> Result<Vec<Feature>, ListError> {
    let list = match shape {
        Shape::Native => &value["features"],
        Shape::Bare => value,
    };
    let entries = list.as_array().ok_or_else(|| ListError::Shape {
        expected: "an object whose `features` is a list",
        found: kind(list),
    })?;
    if entries.len() > FEATURES_MAX {
        return Err(ListError::TooMany);
    }
    let entries = entries.iter().enumerate();
    entries
        .map(|(place, entry)| feature(shape, entry, place))
        .collect()
}

/// Reads the entry at `place`.
pub(super) fn feature(shape: Shape, entry: &Value, place: usize) -> Result<Feature, ListError> {
    match shape {
        Shape::Native => native::read(entry, place),
        Shape::Bare => read_bare(entry, place),
    }
}

/// Writes a status at its place; returns whether the value has changed.
pub(super) fn write_status(
    shape: Shape,
    value: &mut Value,
    index: usize,
    status: FeatureStatus,
) -> bool {
    let list = match shape {
        Shape::Native => value.get_mut("features"),
        Shape::Bare => Some(value),
    };
    let entry = list
        .and_then(|list| list.get_mut(index))
        .and_then(Value::as_object_mut)
        .expect("features and entries are in step since `FeatureList::parse`");
    let before = entry.clone();
    match shape {
        Shape::Native => native::write_status(entry, status),
        Shape::Bare => {
            let passes = status == FeatureStatus::Passing;
            entry.insert("passes".to_owned(), passes.into());
        }
    }
    *entry != before
}

/// Writes a new entry that will stand at `place`.
pub(super) fn entry(shape: Shape, feature: &Feature, place: usize) -> Result<Value, ListError> {
    match shape {
        Shape::Native => Ok(native::write(feature)),
        Shape::Bare => write_bare(feature, place),
    }
}

/// Appends an entry to the list.
pub(super) fn push(shape: Shape, value: &mut Value, entry: Value) {
    let list = match shape {
        Shape::Native => value.get_mut("features"),
        Shape::Bare => Some(value),
    };
    list.and_then(Value::as_array_mut)
        .expect("a parsed list holds its entries in an array")
        .push(entry);
}

/// Names the `number`th feature, with at least `width` digits.
pub(super) fn numbered(number: u64, width: usize) -> FeatureId {
    FeatureId::new(format!("F-{number:0width$}"))
        .expect("a prefix and at most twenty digits are a legal id")
}

fn read_bare(value: &Value, place: usize) -> Result<Feature, ListError> {
    let mut fields = entry_fields(value, place)?;
    let id = match fields.text("id")? {
        "" => bare_id(place),
        id => FeatureId::new(id).map_err(|error| fields.problem("id", error.to_string()))?,
    };
    fields.feature = id.to_string();
    let description = fields.text("description")?;
    let title = native::title(&fields, "", description, "description")?;
    Ok(Feature {
        category: fields.text("category")?.to_owned(),
        description: description.to_owned(),
        steps: fields.texts("steps", own)?,
        status: if fields.truth("passes")? {
            FeatureStatus::Passing
        } else {
            FeatureStatus::Pending
        },
        ..Feature::titled(id, title)
    })
}

fn write_bare(feature: &Feature, place: usize) -> Result<Value, ListError> {
    let description = match feature.description.as_str() {
        "" => &feature.title,
        text => text,
    };
    let extra = [
        (
            "title",
            native::first_line(description) != Some(&feature.title),
        ),
        ("acceptance", !feature.acceptance.is_empty()),
        ("priority", feature.priority != 0),
        ("depends_on", !feature.depends_on.is_empty()),
        ("scope", feature.scope != Default::default()),
        ("may_change", !feature.may_change.is_empty()),
        ("gates", !feature.gates.is_empty()),
        ("verify", !feature.verify.is_empty()),
        ("budget", feature.budget != Default::default()),
    ];
    if let Some((field, _)) = extra.into_iter().find(|(_, is_set)| *is_set) {
        return Err(ListError::NoPlace {
            id: feature.id.clone(),
            field,
        });
    }
    let mut entry = json!({
        "category": feature.category,
        "description": description,
        "steps": feature.steps,
        "passes": feature.status == FeatureStatus::Passing,
    });
    if feature.id != bare_id(place) {
        entry["id"] = json!(feature.id);
    }
    Ok(entry)
}

fn bare_id(place: usize) -> FeatureId {
    numbered(place as u64 + 1, 3)
}

fn is_markdown(text: &str) -> bool {
    let first = text.trim_start();
    ["# ", "## ", "- ", "* "]
        .iter()
        .any(|mark| first.starts_with(mark))
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
