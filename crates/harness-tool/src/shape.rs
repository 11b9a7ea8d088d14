//! The tools: what the model is told about them and which arguments they take.
//!
//! One table says both: the schema a model sees is made from the fields the
//! parser accepts. It does not say `additionalProperties`: no wire asks for it,
//! the parser refuses what it does not know, and every byte is sent with every
//! request.

use std::sync::LazyLock;

use harness_core::ToolSpec;

/// Returns the built-in tools, sorted by name, the same bytes in every session.
pub fn specs() -> &'static [ToolSpec] {
    static SPECS: LazyLock<Vec<ToolSpec>> =
        LazyLock::new(|| SHAPES.iter().map(Shape::spec).collect());
    &SPECS
}

/// The tools that look and change nothing.
const LOOKING: [&str; 4] = ["doc", "list", "read", "search"];

/// Returns the tools that look and change nothing, sorted by name, for a conversation that may do no more.
pub fn looking_specs() -> Vec<ToolSpec> {
    let all = specs().iter();
    all.filter(|spec| LOOKING.contains(&spec.name))
        .cloned()
        .collect()
}

/// Whether the tool of this name looks and changes nothing.
pub fn is_looking(name: &str) -> bool {
    LOOKING.contains(&name)
}

/// One tool: what a model is told, and the arguments as the parser takes them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The tool's name.
    pub(crate) name: &'static str,
    /// What it does, for the model.
    description: &'static str,
    /// Its arguments, in the order they are named to the model.
    pub(crate) fields: &'static [Field],
}

impl Shape {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name,
            description: self.description,
            // The table is made once and stays as long as the program.
            schema: self.schema().leak(),
        }
    }

    fn schema(&self) -> String {
        let fields = self.fields.iter();
        let properties = fields
            .clone()
            .map(|field| format!(r#""{}":{}"#, field.name, field.kind.schema()));
        let required = fields
            .filter(|field| field.required)
            .map(|field| format!(r#""{}""#, field.name));
        let (properties, required) = (joined(properties), joined(required));
        let required = match required.as_str() {
            "" => String::new(),
            names => format!(r#","required":[{names}]"#),
        };
        format!(r#"{{"type":"object","properties":{{{properties}}}{required}}}"#)
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
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
    /// A number that counts something.
    Count,
    /// A JSON array of strings.
    Texts,
    /// A JSON true or false.
    Flag,
    /// A JSON array of objects with the texts `old` and `new`.
    Edits,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Line => "line number",
            Self::Count => "number",
            Self::Texts => "list of texts",
            Self::Flag => "true or false",
            Self::Edits => "list of {\"old\": text, \"new\": text}",
        }
    }

    const fn schema(self) -> &'static str {
        match self {
            Self::Text => r#"{"type":"string"}"#,
            Self::Line | Self::Count => r#"{"type":"integer"}"#,
            Self::Texts => r#"{"type":"array","items":{"type":"string"}}"#,
            Self::Flag => r#"{"type":"boolean"}"#,
            Self::Edits => {
                r#"{"type":"array","items":{"type":"object","properties":{"old":{"type":"string"},"new":{"type":"string"}}}}"#
            }
        }
    }
}

/// Returns the tool of that name.
pub(crate) fn shape(name: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.name == name)
}

/// What other agents call the tools.
const ALIASES: [(&str, &[&str]); 7] = [
    ("delete", &["rm", "remove", "delete_file"]),
    (
        "edit",
        &[
            "replace",
            "str_replace",
            "str_replace_editor",
            "apply_patch",
            "multi_edit",
        ],
    ),
    ("list", &["ls", "dir", "list_directory"]),
    ("move", &["mv", "rename"]),
    ("read", &["open", "cat", "view", "read_file"]),
    ("search", &["grep", "rg", "find", "search_dir"]),
    (
        "shell",
        &[
            "bash",
            "run",
            "exec",
            "execute",
            "terminal",
            "run_shell_command",
        ],
    ),
];

/// Returns the tool that is meant by `name`: as other agents call it, or by the name most like it.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let called = ALIASES.iter().find(|(_, aliases)| aliases.contains(&name));
    if let Some((own, _)) = called {
        return Some(own);
    }
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
        description: "Ask a person what only they can decide.",
        fields: &[required("text")],
    },
    Shape {
        name: "check",
        description: "Run one gate, or all, on the work as it is; no attempt is used up.",
        fields: &[optional("gate", Kind::Text)],
    },
    Shape {
        name: "delete",
        description: "Delete a file or an empty folder.",
        fields: &[required("path")],
    },
    Shape {
        name: "doc",
        description: "Load a document of the index.",
        fields: &[required("path")],
    },
    Shape {
        name: "edit",
        description: "Replace `old`, which must stand in the file exactly once, by `new`; with `edits` several in order, all or none.",
        fields: &[
            required("path"),
            optional("old", Kind::Text),
            optional("new", Kind::Text),
            optional("edits", Kind::Edits),
        ],
    },
    Shape {
        name: "explore",
        description: "Have another model look around and answer a question.",
        fields: &[required("text")],
    },
    Shape {
        name: "finish",
        description: "Say that the work is done, with a summary; the gates decide.",
        fields: &[required("text")],
    },
    Shape {
        name: "job",
        description: "List jobs; with `id` read what is new, or `stop` it.",
        fields: &[optional("id", Kind::Text), optional("stop", Kind::Flag)],
    },
    Shape {
        name: "list",
        description: "List a folder or the root, `depth` levels deep.",
        fields: &[optional("path", Kind::Text), optional("depth", Kind::Count)],
    },
    Shape {
        name: "move",
        description: "Move or rename a file; nothing may stand at `to`.",
        fields: &[required("path"), required("to")],
    },
    Shape {
        name: "note",
        description: "Propose a line for the progress log. Begin with `pattern:` what holds everywhere in this code.",
        fields: &[required("text")],
    },
    Shape {
        name: "plan",
        description: "Set your plan: all steps, each with `[ ]`, `[>]` or `[x]` in front.",
        fields: &[Field {
            name: "items",
            kind: Kind::Texts,
            required: true,
        }],
    },
    Shape {
        name: "read",
        description: "Read a text file, or its lines `first` to `last`, from 1; or an image.",
        fields: &[
            required("path"),
            optional("first", Kind::Line),
            optional("last", Kind::Line),
        ],
    },
    Shape {
        name: "request",
        description: "Ask a person for more than the scope: `paths` or patterns to write, `hosts` as host:port.",
        fields: &[
            optional("paths", Kind::Texts),
            optional("hosts", Kind::Texts),
            required("reason"),
        ],
    },
    Shape {
        name: "search",
        description: "Find lines by a regular expression, below `path`, in files like `glob`, with lines of `context`.",
        fields: &[
            required("query"),
            optional("path", Kind::Text),
            optional("glob", Kind::Text),
            optional("context", Kind::Count),
        ],
    },
    Shape {
        name: "shell",
        description: "Run `sh -c command` in the folder `cwd` or the root; `background`: as a job.",
        fields: &[
            required("command"),
            optional("cwd", Kind::Text),
            optional("background", Kind::Flag),
        ],
    },
    Shape {
        name: "write",
        description: "Make a file or replace its whole content.",
        fields: &[required("path"), required("content")],
    },
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn tools_are_sorted_and_small() {
        let names: Vec<&str> = specs().iter().map(|spec| spec.name).collect();
        assert!(names.is_sorted());
        let bytes: usize = specs()
            .iter()
            .map(|spec| spec.name.len() + spec.description.len() + spec.schema.len())
            .sum();
        assert!(bytes < 3100, "{bytes}");
    }

    #[test]
    fn a_schema_says_what_each_argument_is_and_which_are_needed() {
        let schema = |name: &str| {
            let spec = specs().iter().find(|spec| spec.name == name).unwrap();
            spec.schema
        };
        assert_eq!(
            schema("read"),
            r#"{"type":"object","properties":{"path":{"type":"string"},"first":{"type":"integer"},"last":{"type":"integer"}},"required":["path"]}"#
        );
        assert_eq!(
            schema("check"),
            r#"{"type":"object","properties":{"gate":{"type":"string"}}}"#
        );
        assert_eq!(
            schema("request"),
            r#"{"type":"object","properties":{"paths":{"type":"array","items":{"type":"string"}},"hosts":{"type":"array","items":{"type":"string"}},"reason":{"type":"string"}},"required":["reason"]}"#
        );
        for spec in specs() {
            assert!(
                serde_json::from_str::<Value>(spec.schema)
                    .unwrap()
                    .is_object()
            );
        }
    }
}
