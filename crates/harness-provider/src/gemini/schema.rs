//! The subset of JSON Schema that Gemini takes; it refuses a request for any other keyword.

use serde_json::{Map, Value, json};

/// The deepest schema followed.
const DEPTH_MAX: usize = 32;

/// Keywords that are taken as they are.
const PLAIN: [&str; 14] = [
    "title",
    "description",
    "nullable",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "pattern",
    "default",
    "propertyOrdering",
];

/// Formats that are known; any other is refused.
const FORMATS: [&str; 6] = ["int32", "int64", "float", "double", "enum", "date-time"];

/// Returns the parameters of a tool; none for a tool without any, whose empty object is refused.
pub(super) fn parameters(schema: &Value) -> Option<Value> {
    let schema = taken(schema, DEPTH_MAX);
    let has_properties = schema["properties"]
        .as_object()
        .is_some_and(|properties| !properties.is_empty());
    has_properties.then_some(schema)
}

/// Leaves out what is not taken and says in its own words what can be said.
fn taken(schema: &Value, depth: usize) -> Value {
    let (Some(fields), Some(deeper)) = (schema.as_object(), depth.checked_sub(1)) else {
        return json!({});
    };
    let mut out = Map::new();
    put_type(&mut out, fields);
    for (key, value) in fields {
        match key.as_str() {
            plain if PLAIN.contains(&plain) => {
                out.insert(key.clone(), value.clone());
            }
            "format" if value.as_str().is_some_and(|it| FORMATS.contains(&it)) => {
                out.insert(key.clone(), value.clone());
            }
            // Only texts can be listed.
            "enum"
                if value
                    .as_array()
                    .is_some_and(|all| all.iter().all(Value::is_string)) =>
            {
                out.insert(key.clone(), value.clone());
            }
            "const" if value.is_string() => {
                out.insert("enum".to_owned(), json!([value]));
            }
            "items" => {
                out.insert(key.clone(), taken(value, deeper));
            }
            "anyOf" | "oneOf" => {
                let choices = value.as_array().into_iter().flatten();
                let choices = choices.map(|choice| taken(choice, deeper));
                out.insert("anyOf".to_owned(), Value::Array(choices.collect()));
            }
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties =
                    properties.map(|(name, schema)| (name.clone(), taken(schema, deeper)));
                out.insert(key.clone(), Value::Object(properties.collect()));
            }
            _ => {}
        }
    }
    put_required(&mut out, fields);
    Value::Object(out)
}

/// Says the type, in capitals; one of two types where the other is `null`.
fn put_type(out: &mut Map<String, Value>, fields: &Map<String, Value>) {
    let types: Vec<&str> = match &fields.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ if fields.contains_key("properties") => vec!["object"],
        _ => Vec::new(),
    };
    if let Some(one) = types.iter().find(|one| **one != "null") {
        out.insert("type".to_owned(), json!(one.to_ascii_uppercase()));
    }
    if types.len() > 1 && types.contains(&"null") {
        out.insert("nullable".to_owned(), json!(true));
    }
}

/// Says what is required; a name that is no property is refused.
fn put_required(out: &mut Map<String, Value>, fields: &Map<String, Value>) {
    let names = fields.get("required").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter(|name| {
        let properties = out.get("properties");
        name.as_str()
            .is_some_and(|name| properties.is_some_and(|all| all.get(name).is_some()))
    });
    let names: Vec<Value> = names.cloned().collect();
    if !names.is_empty() {
        out.insert("required".to_owned(), Value::Array(names));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &Value, expected: Option<&Value>) {
        assert_eq!(parameters(schema).as_ref(), expected, "{schema}");
    }

    #[test]
    fn only_what_is_taken_is_said() {
        check(
            &json!({
                "$schema": "x",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "path": {"type": "string", "description": "p", "format": "uri", "examples": []},
                    "lines": {"type": ["integer", "null"], "minimum": 1, "exclusiveMinimum": 0},
                    "all": {"type": "array", "items": {"type": "string", "const": "x"}},
                    "kind": {"enum": ["a", "b"], "type": "string"},
                    "level": {"enum": [1, 2], "type": "integer"},
                    "one": {"oneOf": [{"type": "string"}, {"$ref": "#/x"}]},
                    "inner": {"properties": {"additionalProperties": {"type": "boolean"}}}
                },
                "required": ["path", "gone"]
            }),
            Some(&json!({
                "type": "OBJECT",
                "properties": {
                    "path": {"type": "STRING", "description": "p"},
                    "lines": {"type": "INTEGER", "nullable": true, "minimum": 1},
                    "all": {"type": "ARRAY", "items": {"type": "STRING", "enum": ["x"]}},
                    "kind": {"type": "STRING", "enum": ["a", "b"]},
                    "level": {"type": "INTEGER"},
                    "one": {"anyOf": [{"type": "STRING"}, {}]},
                    "inner": {
                        "type": "OBJECT",
                        "properties": {"additionalProperties": {"type": "BOOLEAN"}}
                    }
                },
                "required": ["path"]
            })),
        );
    }

    #[test]
    fn a_tool_without_parameters_has_none() {
        for schema in [
            json!({"type": "object"}),
            json!({"type": "object", "properties": {}}),
            json!(true),
        ] {
            check(&schema, None);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = (0..100).fold(json!({}), |inner, _| json!({"properties": {"a": inner}}));
        let text = parameters(&deep).unwrap().to_string();
        assert_eq!(text.matches("properties").count(), DEPTH_MAX);
    }
}
