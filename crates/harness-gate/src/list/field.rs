//! Typed access to the fields of one entry, with errors that name feature and field.

use serde_json::{Map, Value};

use super::ListError;

/// The fields of one entry and the name it goes by in errors.
pub(super) struct Fields<'a> {
    pub(super) feature: String,
    /// What stands before the field's name, such as `budget.`.
    pub(super) prefix: &'static str,
    pub(super) object: Option<&'a Map<String, Value>>,
}

impl<'a> Fields<'a> {
    /// Returns the value of a field; `null` counts as absent.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object?.get(name).filter(|value| !value.is_null())
    }

    /// Returns the fields of an object in a field; none when it is absent.
    pub(super) fn object(&self, name: &str, prefix: &'static str) -> Result<Self, ListError> {
        let object = match self.value(name) {
            None => None,
            Some(Value::Object(object)) => Some(object),
            Some(other) => return Err(self.mismatch(name, "an object", other)),
        };
        Ok(Self {
            feature: self.feature.clone(),
            prefix,
            object,
        })
    }

    /// Returns a text; empty when absent.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, ListError> {
        match self.value(name) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(self.mismatch(name, "a string", other)),
        }
    }

    /// Returns a truth value; false when absent.
    pub(super) fn truth(&self, name: &str) -> Result<bool, ListError> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(other) => Err(self.mismatch(name, "true or false", other)),
        }
    }

    /// Returns a value of a type that JSON numbers convert to; `None` when absent.
    pub(super) fn number<T>(
        &self,
        name: &str,
        expected: &str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, ListError> {
        self.value(name)
            .map(|value| convert(value).ok_or_else(|| self.mismatch(name, expected, value)))
            .transpose()
    }

    /// Returns a list of texts, each through `convert`; empty when absent.
    pub(super) fn texts<T, E: std::fmt::Display>(
        &self,
        name: &str,
        convert: impl Fn(&'a str) -> Result<T, E>,
    ) -> Result<Vec<T>, ListError> {
        self.items(name, |field, item| {
            let text = item
                .as_str()
                .ok_or_else(|| self.mismatch(field, "a string", item))?;
            convert(text).map_err(|error| self.problem(field, error.to_string()))
        })
    }

    /// Returns the items of a list, each through `convert`, which gets the item's name.
    pub(super) fn items<T>(
        &self,
        name: &str,
        convert: impl Fn(&str, &'a Value) -> Result<T, ListError>,
    ) -> Result<Vec<T>, ListError> {
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(index, item)| convert(&format!("{name}[{index}]"), item))
                .collect(),
            Some(other) => Err(self.mismatch(name, "a list", other)),
        }
    }

    /// Makes the error of a field whose value has another type.
    pub(super) fn mismatch(&self, name: &str, expected: &str, found: &Value) -> ListError {
        self.problem(name, format!("expected {expected}, found {}", kind(found)))
    }

    /// Makes the error of a field.
    pub(super) fn problem(&self, name: &str, problem: String) -> ListError {
        ListError::Field {
            feature: self.feature.clone(),
            field: format!("{}{name}", self.prefix),
            problem,
        }
    }
}

/// Returns what a value is, in words; short values are quoted.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) if text.len() <= 40 => format!("the string `{text}`"),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
