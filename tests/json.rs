//! The JSON lines as they are promised: the schema in `docs/`, and lines held against it.

use serde_json::{Value, json};

use crate::{demo::Demo, support::Desk};

const SCHEMA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json-lines.schema.json");

#[test]
fn the_schema_in_docs_is_the_one_of_the_code() {
    let made = format!("{:#}\n", schema());
    if std::env::var_os("HARNESS_ACCEPT_SCHEMA").is_some() {
        std::fs::write(SCHEMA_FILE, &made).unwrap();
    }
    let kept = std::fs::read_to_string(SCHEMA_FILE).unwrap_or_default();
    assert!(
        made == kept,
        "docs/json-lines.schema.json is not what the code says; \
         look at the difference, then run this test with HARNESS_ACCEPT_SCHEMA=1"
    );
}

#[test]
fn the_types_that_tools_rely_on_are_there() {
    let schema = schema();
    let promised: [(&str, &[&str]); 20] = [
        ("demo_started", &["repository"]),
        ("session_started", &["agent", "model", "level", "branch"]),
        ("turn_started", &["turn"]),
        ("model_responded", &["usage", "usd"]),
        (
            "tool_called",
            &["id", "tool", "action", "verdict", "reason"],
        ),
        ("tool_returned", &["id", "ok", "ms", "bytes"]),
        ("stray_undone", &["path"]),
        ("checkpoint_created", &["n", "commit", "files", "ms"]),
        ("finish_requested", &[]),
        ("finish_refused", &["reason", "findings"]),
        ("gate_started", &["gate"]),
        (
            "check_ended",
            &["gate", "check", "status", "exit_code", "ms", "tests"],
        ),
        ("gate_ended", &["gate", "status"]),
        ("feature_status", &["feature", "from", "to", "reason"]),
        ("feature_passed", &["feature", "commit", "tree", "evidence"]),
        ("budget_warned", &[]),
        ("provider_retried", &[]),
        ("needs_human", &["question"]),
        ("session_ended", &["reason", "usage"]),
        ("run_ended", &["reason", "exit_code"]),
    ];
    for (kind, keys) in promised {
        let variant = variant(&schema, kind).unwrap_or_else(|| panic!("no type `{kind}`"));
        for key in keys {
            assert!(requires(variant, key), "`{kind}` does not promise `{key}`");
        }
    }
}

#[test]
fn every_line_of_a_demo_fits_the_schema() {
    let schema = schema();
    for line in Demo::play(&["--json"]).lines() {
        let problems = problems_of(&line, &schema);
        assert!(problems.is_empty(), "{problems:?} in {line}");
    }
}

#[test]
fn every_line_of_doctor_fits_the_schema() {
    let schema = schema();
    let run = Desk::new().harness(&["doctor", "--json"]);
    let lines = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    assert!(lines.len() > 30, "{}", run.stdout);
    for line in lines {
        let problems = problems_of(&line, &schema);
        assert!(problems.is_empty(), "{problems:?} in {line}");
    }
}

#[test]
fn a_line_that_does_not_fit_is_found() {
    let schema = schema();
    let good = json!({ "v": 1, "seq": 0, "time": "2026-11-20T10:14:03.021Z", "session": null,
        "type": "turn_started", "turn": 1 });
    assert_eq!(problems_of(&good, &schema), Vec::<String>::new());
    for (key, value) in [
        ("turn", json!("1")),
        ("turn", json!(-1)),
        ("seq", json!(0.5)),
        ("v", json!(2)),
        ("session", json!(7)),
        ("type", json!("no_such_type")),
        ("more", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        assert!(!problems_of(&bad, &schema).is_empty(), "{bad}");
    }
    let mut bad = good;
    bad.as_object_mut().unwrap().remove("turn");
    assert!(!problems_of(&bad, &schema).is_empty(), "{bad}");
}

/// Makes the schema of a line: what every line has, and what each type has beside it.
fn schema() -> Value {
    let mut made = schemars::schema_for!(harness_report::JsonLine).to_value();
    let variants = flattened(&made);
    made["oneOf"] = variants;
    for variant in made["oneOf"].as_array_mut().expect("an enum has variants") {
        // A field that may be null is written all the same.
        let keys = variant["properties"].as_object().into_iter().flatten();
        variant["required"] = keys.map(|(key, _)| key.as_str()).collect();
    }
    let head = json!({
        "v": { "description": "The version of this format; it only grows.", "const": 1 },
        "seq": { "description": "Counts the lines of one process, from 0.", "type": "integer", "minimum": 0 },
        "time": { "description": "When it happened, RFC 3339 in UTC.", "type": "string", "format": "date-time" },
        "session": { "description": "The session, such as `S-0001`; null before the first.", "type": ["string", "null"] },
        "run": { "description": "The run, such as `R-0001`; absent before the first session. Lines about a command have its argv here instead.", "type": ["string", "array"] },
        "turn": { "description": "The turn of the main conversation it happened in; absent before the first.", "type": "integer", "minimum": 0 },
        "call": { "description": "The tool call it is about, such as `1.0`: turn and place; absent where it is about none.", "type": ["string", "null"] },
    });
    json!({
        "$schema": made["$schema"],
        "title": "A JSON line of `harness run`, `resume`, `demo`, `log show` or `doctor`",
        "description": "Types and fields are added, never changed or taken away: ignore what you do not know.",
        "type": "object",
        "properties": head,
        "required": ["v", "seq", "time", "session", "type"],
        "oneOf": made["oneOf"],
        "$defs": made["$defs"],
    })
}

/// Returns all variants, those of an enum within the enum in its place.
fn flattened(made: &Value) -> Value {
    let lists = [&made["oneOf"], &made["anyOf"]];
    let variants = lists.iter().filter_map(|list| list.as_array()).flatten();
    let flat = variants.flat_map(|variant| {
        let inner = variant["$ref"].as_str();
        let inner = inner.and_then(|path| path.strip_prefix("#/$defs/"));
        match inner.map(|name| &made["$defs"][name]["oneOf"]) {
            Some(Value::Array(inner)) => inner.clone(),
            _ if variant["oneOf"].is_array() => {
                flattened(variant).as_array().cloned().unwrap_or_default()
            }
            _ => vec![variant.clone()],
        }
    });
    Value::Array(flat.collect())
}

fn variant<'a>(schema: &'a Value, kind: &str) -> Option<&'a Value> {
    let variants = schema["oneOf"].as_array()?;
    variants
        .iter()
        .find(|variant| variant["properties"]["type"]["const"] == kind)
}

fn requires(schema: &Value, key: &str) -> bool {
    schema["required"]
        .as_array()
        .is_some_and(|keys| keys.iter().any(|known| known == key))
}

/// Says what of a line does not fit.
fn problems_of(line: &Value, schema: &Value) -> Vec<String> {
    let kind = line["type"].as_str().unwrap_or_default();
    match variant(schema, kind) {
        None => vec![format!("there is no type `{kind}`")],
        Some(variant) => {
            let mut problems = Vec::new();
            check(line, schema, schema, kind, &mut problems);
            check(line, variant, schema, kind, &mut problems);
            let known = |key: &&String| {
                [schema, variant]
                    .iter()
                    .any(|part| part["properties"].get(key.as_str()).is_some())
            };
            let keys = line
                .as_object()
                .into_iter()
                .flat_map(|object| object.keys());
            problems.extend(
                keys.filter(|key| !known(key))
                    .map(|key| format!("{kind}: `{key}` is not documented")),
            );
            problems
        }
    }
}

/// Holds a value against the part of JSON Schema that our types make use of.
fn check(value: &Value, schema: &Value, whole: &Value, at: &str, problems: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = whole
            .pointer(name.trim_start_matches('#'))
            .expect("a reference leads somewhere");
        return check(value, target, whole, at, problems);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = |choice: &Value| {
            let mut found = Vec::new();
            check(value, choice, whole, at, &mut found);
            found.is_empty()
        };
        if !choices.iter().any(fits) {
            problems.push(format!("{at}: none of the choices"));
        }
        return;
    }
    if schema.get("const").is_some_and(|wanted| wanted != value) {
        problems.push(format!("{at}: not {}", schema["const"]));
    }
    if schema
        .get("type")
        .is_some_and(|types| !has_type(value, types))
    {
        problems.push(format!("{at}: not {}", schema["type"]));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        problems.push(format!("{at}: below {least}"));
    }
    for item in value.as_array().into_iter().flatten() {
        check(item, &schema["items"], whole, at, problems);
    }
    check_keys(value, schema, whole, at, problems);
}

fn check_keys(value: &Value, schema: &Value, whole: &Value, at: &str, problems: &mut Vec<String>) {
    let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object())
    else {
        return;
    };
    for key in schema["required"].as_array().into_iter().flatten() {
        if !object.contains_key(key.as_str().unwrap_or_default()) {
            problems.push(format!("{at}: lacks {key}"));
        }
    }
    for (key, value) in object {
        if let Some(schema) = properties.get(key) {
            check(value, schema, whole, &format!("{at}.{key}"), problems);
        }
    }
}

fn has_type(value: &Value, types: &Value) -> bool {
    let is = |name: &str| match name {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("a type this test does not know: {other}"),
    };
    match types {
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        name => is(name.as_str().unwrap_or_default()),
    }
}
