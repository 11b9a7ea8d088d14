//! One entry in the native shape, read and written.

use std::convert::Infallible;

use harness_core::{
    Feature, FeatureBudget, FeatureId, FeatureScope, FeatureStatus, Money, RepoPath,
};
use serde_json::{Map, Value, json};

use super::{ListError, field::Fields};

/// Reads an entry; `place` counts from 0 and names it while its id is unknown.
pub(super) fn read(value: &Value, place: usize) -> Result<Feature, ListError> {
    let mut fields = entry_fields(value, place)?;
    let id = fields.text("id")?;
    let id = FeatureId::new(id).map_err(|error| fields.problem("id", error.to_string()))?;
    fields.feature = id.to_string();
    let description = fields.text("description")?;
    Ok(Feature {
        category: fields.text("category")?.to_owned(),
        title: title(&fields, fields.text("title")?, description, "title")?,
        description: description.to_owned(),
        steps: fields.texts("steps", own)?,
        acceptance: fields.texts("acceptance", own)?,
        priority: fields
            .number("priority", "a whole number", Value::as_i64)?
            .unwrap_or_default(),
        depends_on: fields.texts("depends_on", FeatureId::new)?,
        scope: scope(&fields.object("scope", "scope.")?)?,
        may_change: fields.texts("may_change", RepoPath::parse)?,
        gates: fields.texts("gates", own)?,
        verify: verify(&fields)?,
        budget: budget(&fields.object("budget", "budget.")?)?,
        status: status(&fields)?,
        id,
    })
}

/// Returns the fields of an entry, which must be an object.
pub(super) fn entry_fields(value: &Value, place: usize) -> Result<Fields<'_>, ListError> {
    let object = value.as_object().ok_or_else(|| ListError::Shape {
        expected: "a list of objects",
        found: super::field::kind(value),
    })?;
    Ok(Fields {
        feature: format!("#{}", place + 1),
        prefix: "",
        object: Some(object),
    })
}

/// Returns the title, or the first line of the description where there is none.
pub(super) fn title(
    fields: &Fields<'_>,
    title: &str,
    description: &str,
    missing: &str,
) -> Result<String, ListError> {
    if !title.trim().is_empty() {
        return Ok(title.to_owned());
    }
    first_line(description)
        .map(str::to_owned)
        .ok_or_else(|| fields.problem(missing, "it is missing or empty".to_owned()))
}

/// Returns the first line with words on it, trimmed.
pub(super) fn first_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !line.is_empty())
}

/// Takes a text as it is.
pub(super) fn own(text: &str) -> Result<String, Infallible> {
    Ok(text.to_owned())
}

fn scope(fields: &Fields<'_>) -> Result<FeatureScope, ListError> {
    Ok(FeatureScope {
        write: fields.texts("write", own)?,
        deny: fields.texts("deny", own)?,
    })
}

fn verify(fields: &Fields<'_>) -> Result<Vec<Vec<String>>, ListError> {
    fields.items("verify", |field, item| {
        let expected = "a list of words, such as `[\"cargo\", \"test\"]`";
        let argv: Option<Vec<String>> =
            item.as_array()
                .filter(|words| !words.is_empty())
                .and_then(|words| {
                    let words = words.iter().map(|word| word.as_str().map(str::to_owned));
                    words.collect()
                });
        argv.ok_or_else(|| fields.mismatch(field, expected, item))
    })
}

fn budget(fields: &Fields<'_>) -> Result<FeatureBudget, ListError> {
    let count = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok());
    let usd = |value: &Value| value.as_f64().filter(|usd| *usd >= 0.0);
    Ok(FeatureBudget {
        attempts: fields.number("attempts", "a count", count)?,
        usd: fields
            .number("usd", "an amount of US dollars", usd)?
            .map(Money::from_usd),
        minutes: fields.number("minutes", "a count of minutes", count)?,
    })
}

/// Reads how far an entry is.
///
/// `passes: true` is reported as passing whatever the status says, so that
/// somebody's claim is shown and weighed; only a person's final words,
/// accepted and cancelled, stand above it.
fn status(fields: &Fields<'_>) -> Result<FeatureStatus, ListError> {
    const ALL: [FeatureStatus; 9] = [
        FeatureStatus::Pending,
        FeatureStatus::InProgress,
        FeatureStatus::Verifying,
        FeatureStatus::NeedsHuman,
        FeatureStatus::Blocked,
        FeatureStatus::Passing,
        FeatureStatus::Failing,
        FeatureStatus::Accepted,
        FeatureStatus::Cancelled,
    ];
    let word = fields.text("status")?;
    let passes = fields.truth("passes")?;
    let known = ALL.into_iter().find(|status| status.as_str() == word);
    match known {
        Some(status @ (FeatureStatus::Accepted | FeatureStatus::Cancelled)) => Ok(status),
        _ if passes => Ok(FeatureStatus::Passing),
        Some(status) => Ok(status),
        None if word.is_empty() => Ok(FeatureStatus::Pending),
        None => {
            let words: Vec<_> = ALL.iter().map(|status| status.as_str()).collect();
            let problem = format!("`{word}` is none of {}", words.join(", "));
            Err(fields.problem("status", problem))
        }
    }
}

/// Adds to a new entry what is not intent: priority, status and `passes`.
pub(super) fn add_state(entry: &mut Map<String, Value>, feature: &Feature) {
    if feature.priority != 0 {
        entry.insert("priority".to_owned(), feature.priority.into());
    }
    let passes = feature.status == FeatureStatus::Passing;
    entry.insert("status".to_owned(), feature.status.as_str().into());
    entry.insert("passes".to_owned(), passes.into());
}

/// Returns what a field is to hold: `new`, with what else stands in the object that is `there`.
///
/// A field that has become empty stays, empty: its place in the file is somebody's choice.
pub(super) fn own_value(there: Option<&Value>, old: Option<&Value>, new: Option<&Value>) -> Value {
    let empty = |value: Option<&Value>| match value {
        Some(Value::String(_)) => json!(""),
        Some(Value::Object(_)) => json!({}),
        _ => json!([]),
    };
    let new = new.cloned().unwrap_or_else(|| empty(old));
    let (Some(Value::Object(there)), Value::Object(fields)) = (there, &new) else {
        return new;
    };
    let mut merged = there.clone();
    merged.retain(|name, _| {
        fields.contains_key(name) || old.is_none_or(|old| old.get(name).is_none())
    });
    merged.extend(fields.clone());
    Value::Object(merged)
}

/// Writes the intent of a feature: the fields that are not empty.
///
/// Empty fields are left out so that a field that a later version adds does
/// not change the hash of features that do not use it.
pub(super) fn intent(feature: &Feature) -> Map<String, Value> {
    let scope = without_empty([
        ("write", json!(feature.scope.write)),
        ("deny", json!(feature.scope.deny)),
    ]);
    let budget = without_empty([
        ("attempts", json!(feature.budget.attempts)),
        ("usd", json!(feature.budget.usd.map(Money::as_usd))),
        ("minutes", json!(feature.budget.minutes)),
    ]);
    without_empty([
        ("id", json!(feature.id)),
        ("category", json!(feature.category)),
        ("title", json!(feature.title)),
        ("description", json!(feature.description)),
        ("steps", json!(feature.steps)),
        ("acceptance", json!(feature.acceptance)),
        ("depends_on", json!(feature.depends_on)),
        ("scope", Value::Object(scope)),
        ("may_change", json!(feature.may_change)),
        ("gates", json!(feature.gates)),
        ("verify", json!(feature.verify)),
        ("budget", Value::Object(budget)),
    ])
}

fn without_empty<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    fields
        .into_iter()
        .filter(|(_, value)| !is_empty(value))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
