//! Entries as other tools write them: of a bare array, and stories of a `prd.json`.
//!
//! A field that a shape has no place for is said by name, never dropped.

use harness_core::{Feature, FeatureId, FeatureStatus};
use serde_json::{Map, Value, json};

use super::{
    ListError,
    native::{self, entry_fields, own},
    shape::{Shape, numbered},
};

/// Reads an entry of a bare array; one without an id is named by its place.
pub(super) fn read_bare(value: &Value, place: usize) -> Result<Feature, ListError> {
    let mut fields = entry_fields(value, place)?;
    let id = match fields.text("id")? {
        "" => by_place(place),
        id => FeatureId::new(id).map_err(|error| fields.problem("id", error.to_string()))?,
    };
    fields.feature = id.to_string();
    let description = fields.text("description")?;
    let title = native::title(&fields, "", description, "description")?;
    Ok(Feature {
        category: fields.text("category")?.to_owned(),
        description: description.to_owned(),
        steps: fields.texts("steps", own)?,
        status: status(fields.truth("passes")?),
        ..Feature::titled(id, title)
    })
}

/// Reads a story. Its priority counts the other way round: 1 is the first.
pub(super) fn read_story(value: &Value, place: usize) -> Result<Feature, ListError> {
    let mut fields = entry_fields(value, place)?;
    let id = match fields.value("id") {
        None => by_place(place),
        Some(Value::Number(number)) if number.is_u64() => FeatureId::new(number.to_string())
            .map_err(|error| fields.problem("id", error.to_string()))?,
        Some(_) => FeatureId::new(fields.text("id")?)
            .map_err(|error| fields.problem("id", error.to_string()))?,
    };
    fields.feature = id.to_string();
    let description = fields.text("description")?;
    let title = native::title(&fields, fields.text("title")?, description, "title")?;
    let priority = fields.number("priority", "a whole number", Value::as_i64)?;
    Ok(Feature {
        description: description.to_owned(),
        acceptance: fields.texts("acceptanceCriteria", own)?,
        priority: priority.unwrap_or_default().saturating_neg(),
        status: status(fields.truth("passes")?),
        ..Feature::titled(id, title)
    })
}

/// Returns the intent of a feature as a bare array has it.
pub(super) fn bare_fields(
    feature: &Feature,
    place: usize,
) -> Result<Map<String, Value>, ListError> {
    let description = match feature.description.as_str() {
        "" => &feature.title,
        text => text,
    };
    let is_titled = native::first_line(description) == Some(&feature.title);
    refuse(
        Shape::Bare,
        feature,
        &[
            ("title", !is_titled),
            ("acceptance", !feature.acceptance.is_empty()),
        ],
    )?;
    refuse_rest(Shape::Bare, feature)?;
    let mut fields = object(json!({
        "category": feature.category,
        "description": description,
        "steps": feature.steps,
    }));
    if feature.id != by_place(place) {
        fields.insert("id".to_owned(), json!(feature.id));
    }
    Ok(fields)
}

/// Returns the intent of a feature as a story has it.
pub(super) fn story_fields(feature: &Feature) -> Result<Map<String, Value>, ListError> {
    refuse(
        Shape::Stories,
        feature,
        &[
            ("category", !feature.category.is_empty()),
            ("steps", !feature.steps.is_empty()),
        ],
    )?;
    refuse_rest(Shape::Stories, feature)?;
    Ok(object(json!({
        "id": feature.id,
        "title": feature.title,
        "description": feature.description,
        "acceptanceCriteria": feature.acceptance,
    })))
}

/// Adds to a new entry what is not intent.
pub(super) fn add_state(
    shape: Shape,
    entry: &mut Map<String, Value>,
    feature: &Feature,
    features: &[Feature],
) {
    if shape == Shape::Stories {
        // Without a wish it comes behind all others.
        let last = features
            .iter()
            .map(|feature| feature.priority.saturating_neg())
            .max();
        let priority = match feature.priority {
            0 => last.unwrap_or_default().max(0).saturating_add(1),
            wish => wish.saturating_neg(),
        };
        entry.insert("priority".to_owned(), priority.into());
    }
    let passes = feature.status == FeatureStatus::Passing;
    entry.insert("passes".to_owned(), passes.into());
    if shape == Shape::Stories {
        entry.insert("notes".to_owned(), "".into());
    }
}

/// Sees that a new entry of a Markdown list has nothing the list has no place for.
pub(super) fn check_markdown(feature: &Feature) -> Result<(), ListError> {
    refuse(
        Shape::Markdown,
        feature,
        &[
            ("acceptance", !feature.acceptance.is_empty()),
            ("priority", feature.priority != 0),
        ],
    )?;
    refuse_rest(Shape::Markdown, feature)
}

/// Sees the same of an entry that is amended.
pub(super) fn check_amended(old: &Feature, new: &Feature) -> Result<(), ListError> {
    refuse(
        Shape::Markdown,
        new,
        &[("category", old.category != new.category)],
    )?;
    check_markdown(new)
}

fn refuse_rest(shape: Shape, feature: &Feature) -> Result<(), ListError> {
    let is_bare = shape == Shape::Bare;
    refuse(
        shape,
        feature,
        &[
            ("priority", is_bare && feature.priority != 0),
            ("depends_on", !feature.depends_on.is_empty()),
            ("scope", feature.scope != Default::default()),
            ("may_change", !feature.may_change.is_empty()),
            ("gates", !feature.gates.is_empty()),
            ("verify", !feature.verify.is_empty()),
            ("budget", feature.budget != Default::default()),
        ],
    )
}

fn refuse(
    shape: Shape,
    feature: &Feature,
    fields: &[(&'static str, bool)],
) -> Result<(), ListError> {
    match fields.iter().find(|(_, is_set)| *is_set) {
        Some((field, _)) => Err(ListError::NoPlace {
            id: feature.id.clone(),
            shape: shape.name(),
            field,
        }),
        None => Ok(()),
    }
}

const fn status(passes: bool) -> FeatureStatus {
    if passes {
        FeatureStatus::Passing
    } else {
        FeatureStatus::Pending
    }
}

fn by_place(place: usize) -> FeatureId {
    numbered(place as u64 + 1, 3)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
