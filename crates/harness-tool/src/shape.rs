//! The tools: what the model is told about them and which arguments they take.
//!
//! The schema a model sees and the fields the parser accepts stand side by
//! side here; a test holds them equal.

use harness_core::ToolSpec;

/// Returns the built-in tools, sorted by name, the same bytes in every session.
pub fn specs() -> &'static [ToolSpec] {
    SPECS
}

/// The arguments of one tool, as the parser takes them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The tool's name.
    pub(crate) name: &'static str,
    /// Its arguments, in the order they are named to the model.
    pub(crate) fields: &'static [Field],
}

/// One argument of a tool.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// What an argument's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A JSON string.
    Text,
    /// A line number, counted from 1.
    Line,
    /// A JSON array of strings.
    Texts,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Line => "line number",
            Self::Texts => "list of texts",
        }
    }
}

/// Returns the tool of that name.
pub(crate) fn shape(name: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.name == name)
}

/// Returns the tool whose name is most like `name`, if one is alike at all.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let names: Vec<&'static str> = SHAPES.iter().map(|shape| shape.name).collect();
    let near = similar::get_close_matches(name, &names, 1, 0.6);
    near.first().copied()
}

/// Returns all names, comma-separated.
pub(crate) fn names() -> String {
    let names: Vec<&str> = SHAPES.iter().map(|shape| shape.name).collect();
    names.join(", ")
}

/// Returns the right form of a tool's arguments, in one line.
pub(crate) fn usage(tool: &str) -> String {
    let fields = shape(tool).map_or(&[][..], |shape| shape.fields);
    let fields: Vec<String> = fields
        .iter()
        .map(|field| {
            let optional = if field.required { "" } else { ", optional" };
            format!("\"{}\": {}{optional}", field.name, field.kind.as_str())
        })
        .collect();
    format!("`{tool}` takes {{{}}}", fields.join(", "))
}

const fn required(name: &'static str) -> Field {
    Field {
        name,
        kind: Kind::Text,
        required: true,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

static SHAPES: &[Shape] = &[
    Shape {
        name: "ask",
        fields: &[required("text")],
    },
    Shape {
        name: "check",
        fields: &[optional("gate", Kind::Text)],
    },
    Shape {
        name: "doc",
        fields: &[required("path")],
    },
    Shape {
        name: "edit",
        fields: &[required("path"), required("old"), required("new")],
    },
    Shape {
        name: "finish",
        fields: &[required("text")],
    },
    Shape {
        name: "list",
        fields: &[optional("path", Kind::Text)],
    },
    Shape {
        name: "note",
        fields: &[required("text")],
    },
    Shape {
        name: "plan",
        fields: &[Field {
            name: "items",
            kind: Kind::Texts,
            required: true,
        }],
    },
    Shape {
        name: "read",
        fields: &[
            required("path"),
            optional("first", Kind::Line),
            optional("last", Kind::Line),
        ],
    },
    Shape {
        name: "request",
        fields: &[
            optional("paths", Kind::Texts),
            optional("hosts", Kind::Texts),
            required("reason"),
        ],
    },
    Shape {
        name: "search",
        fields: &[required("query"), optional("path", Kind::Text)],
    },
    Shape {
        name: "shell",
        fields: &[required("command"), optional("cwd", Kind::Text)],
    },
    Shape {
        name: "write",
        fields: &[required("path"), required("content")],
    },
];

/// The schema of a tool with one required text, told apart only by its name.
macro_rules! one_text {
    ($field:literal) => {
        concat!(
            r#"{"type":"object","properties":{""#,
            $field,
            r#"":{"type":"string"}},"required":[""#,
            $field,
            r#""],"additionalProperties":false}"#
        )
    };
}

/// The schema of a tool with one optional text.
macro_rules! maybe_text {
    ($field:literal) => {
        concat!(
            r#"{"type":"object","properties":{""#,
            $field,
            r#"":{"type":"string"}},"additionalProperties":false}"#
        )
    };
}

static SPECS: &[ToolSpec] = &[
    ToolSpec {
        name: "ask",
        description: "Ask a person what only a person can decide, and wait for the answer.",
        schema: one_text!("text"),
    },
    ToolSpec {
        name: "check",
        description: "Run one gate, or all gates, on the work as it is now. Red is information, not a failed attempt.",
        schema: maybe_text!("gate"),
    },
    ToolSpec {
        name: "doc",
        description: "Load a deeper document of the index.",
        schema: one_text!("path"),
    },
    ToolSpec {
        name: "edit",
        description: "Replace `old`, which must stand in the file exactly once, by `new`.",
        schema: r#"{"type":"object","properties":{"path":{"type":"string"},"old":{"type":"string"},"new":{"type":"string"}},"required":["path","old","new"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "finish",
        description: "Say that the work is done, with a summary of what was done. The harness then runs the gates and commits when they are green.",
        schema: one_text!("text"),
    },
    ToolSpec {
        name: "list",
        description: "List a folder; the repository's root without `path`.",
        schema: maybe_text!("path"),
    },
    ToolSpec {
        name: "note",
        description: "Propose a line for the progress log: what later sessions should know. Begin with `pattern:` for what holds everywhere in this code.",
        schema: one_text!("text"),
    },
    ToolSpec {
        name: "plan",
        description: "Set your plan: all steps, each with `[ ]`, `[>]` or `[x]` in front.",
        schema: r#"{"type":"object","properties":{"items":{"type":"array","items":{"type":"string"}}},"required":["items"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "read",
        description: "Read a text file, or its lines `first` to `last`, counted from 1; or an image.",
        schema: r#"{"type":"object","properties":{"path":{"type":"string"},"first":{"type":"integer"},"last":{"type":"integer"}},"required":["path"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "request",
        description: "Ask a person for more than the scope gives: `paths` or patterns to write, `hosts` as host:port, and why.",
        schema: r#"{"type":"object","properties":{"paths":{"type":"array","items":{"type":"string"}},"hosts":{"type":"array","items":{"type":"string"}},"reason":{"type":"string"}},"required":["reason"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "search",
        description: "Find lines that match a regular expression, below `path` or everywhere.",
        schema: r#"{"type":"object","properties":{"query":{"type":"string"},"path":{"type":"string"}},"required":["query"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "shell",
        description: "Run a command line with `sh -c`, in the folder `cwd` or at the root.",
        schema: r#"{"type":"object","properties":{"command":{"type":"string"},"cwd":{"type":"string"}},"required":["command"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "write",
        description: "Make a file or replace its whole content.",
        schema: r#"{"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"}},"required":["path","content"],"additionalProperties":false}"#,
    },
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn tools_are_sorted_and_small() {
        let names: Vec<&str> = specs().iter().map(|spec| spec.name).collect();
        assert!(names.is_sorted());
        let bytes: usize = specs()
            .iter()
            .map(|spec| spec.name.len() + spec.description.len() + spec.schema.len())
            .sum();
        assert!(bytes < 3900, "{bytes}");
    }

    #[test]
    fn the_schema_a_model_sees_is_what_the_parser_takes() {
        assert_eq!(specs().len(), SHAPES.len());
        for (spec, shape) in specs().iter().zip(SHAPES) {
            let schema: Value = serde_json::from_str(spec.schema).unwrap();
            let mut properties = serde_json::Map::new();
            let mut required = Vec::new();
            for field in shape.fields {
                let kind = match field.kind {
                    Kind::Text => json!({ "type": "string" }),
                    Kind::Line => json!({ "type": "integer" }),
                    Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
                };
                properties.insert(field.name.to_owned(), kind);
                if field.required {
                    required.push(field.name);
                }
            }
            let mut expected = json!({
                "type": "object",
                "properties": properties,
                "additionalProperties": false,
            });
            if !required.is_empty() {
                expected["required"] = json!(required);
            }
            assert_eq!(spec.name, shape.name);
            assert_eq!(schema, expected, "{}", spec.name);
        }
    }
}
