//! Reading the arguments of a call: JSON that a model wrote, trusted in nothing.
//!
//! A JSON library may keep the first or the last of two equal keys; who reads
//! the log must not have to know which. So the keys are collected one by one
//! and a second one is a fault.

use std::{fmt, path::Path};

use harness_core::{ByteCount, LineRange, Replacement, RepoPath, ToolCall};
use serde::{Deserialize, Deserializer, de};
use serde_json::error::Category;

use crate::{
    ToolFault,
    excerpt::shorten,
    fault::suggestion,
    name,
    shape::{self, Field, Kind, Shape},
};

/// The longest arguments taken; a larger file is written in parts.
const ARGUMENT_BYTES_MAX: ByteCount = ByteCount::mib(1);

/// The most edits of one call.
const EDITS_MAX: usize = 100;

/// The arguments of one call: known fields only, each at most once, each of its type.
#[derive(Debug)]
pub(crate) struct Arguments {
    shape: &'static Shape,
    values: Vec<(&'static Field, Value)>,
}

impl Arguments {
    /// Reads the call's arguments; a blank text counts as an empty object, as
    /// some servers send it for a call without arguments.
    pub(crate) fn read(call: &ToolCall) -> Result<Self, ToolFault> {
        let shape = shape::shape(&call.name).ok_or_else(|| unknown_tool(&call.name))?;
        let bytes = ByteCount(call.arguments.len() as u64);
        if bytes > ARGUMENT_BYTES_MAX {
            return Err(ToolFault::TooLong {
                tool: shape.name,
                bytes,
                limit: ARGUMENT_BYTES_MAX,
            });
        }
        let members = match call.arguments.trim() {
            "" => Vec::new(),
            text => members(shape, text)?,
        };
        let mut arguments = Self {
            shape,
            values: Vec::new(),
        };
        for (key, value) in members {
            arguments.insert(&key, value)?;
        }
        Ok(arguments)
    }

    /// Returns the tool's name.
    pub(crate) fn tool(&self) -> &'static str {
        self.shape.name
    }

    /// Returns a text that must be there; it may be empty.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<String, ToolFault> {
        self.maybe_text(field).ok_or_else(|| self.missing(field))
    }

    /// Returns a text that must be there and say something.
    pub(crate) fn words(&mut self, field: &'static str) -> Result<String, ToolFault> {
        let text = self.text(field)?;
        if text.trim().is_empty() {
            return Err(self.empty(field));
        }
        Ok(text)
    }

    /// Returns a text that need not be there.
    pub(crate) fn maybe_text(&mut self, field: &'static str) -> Option<String> {
        match self.take(field)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns whether something is wanted; not without it.
    pub(crate) fn flag(&mut self, field: &'static str) -> bool {
        matches!(self.take(field), Some(Value::Flag(true)))
    }

    /// Returns texts that need not be there; none without them.
    pub(crate) fn texts(&mut self, field: &'static str) -> Vec<String> {
        match self.take(field) {
            Some(Value::List(items)) => items.into_iter().filter_map(Value::into_text).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns edits that need not be there; none without them.
    ///
    /// # Errors
    /// When one is no object of the texts `old` and `new`, and nothing else, or there are too many.
    pub(crate) fn edits(&mut self, field: &'static str) -> Result<Vec<Replacement>, ToolFault> {
        let tool = self.tool();
        let Some(Value::List(items)) = self.take(field) else {
            return Ok(Vec::new());
        };
        if items.len() > EDITS_MAX {
            return Err(ToolFault::TooMany {
                tool,
                field,
                count: items.len(),
                limit: EDITS_MAX,
            });
        }
        let numbered = items.into_iter().enumerate();
        numbered
            .map(|(index, item)| {
                replacement(item).map_err(|problem| ToolFault::Item {
                    tool,
                    field,
                    number: index + 1,
                    problem,
                })
            })
            .collect()
    }

    /// Returns a number that need not be there; what is larger than any is the largest.
    pub(crate) fn count(&mut self, field: &'static str) -> Option<u32> {
        let number = self.number(field)?;
        Some(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Returns the fault of a field that is not there.
    pub(crate) fn missing(&self, field: &'static str) -> ToolFault {
        ToolFault::MissingField {
            tool: self.tool(),
            field,
        }
    }

    /// Returns texts of which there must be some.
    pub(crate) fn some_texts(&mut self, field: &'static str) -> Result<Vec<String>, ToolFault> {
        let Some(Value::List(items)) = self.take(field) else {
            return Err(self.missing(field));
        };
        if items.is_empty() {
            return Err(self.empty(field));
        }
        Ok(items.into_iter().filter_map(Value::into_text).collect())
    }

    /// Returns a path that must be there and is not the root.
    pub(crate) fn file(&mut self, field: &'static str, root: &Path) -> Result<RepoPath, ToolFault> {
        let text = self.text(field)?;
        let path = repo_path(&text, root)?;
        if path.is_root() {
            return Err(self.empty(field));
        }
        Ok(path)
    }

    /// Returns a path that need not be there; the root without it.
    pub(crate) fn folder(
        &mut self,
        field: &'static str,
        root: &Path,
    ) -> Result<RepoPath, ToolFault> {
        let text = self.maybe_text(field);
        text.map_or(Ok(RepoPath::root()), |text| repo_path(&text, root))
    }

    /// Returns the lines asked for; one end may be left open.
    pub(crate) fn lines(&mut self) -> Result<Option<LineRange>, ToolFault> {
        let (first, last) = (self.number("first"), self.number("last"));
        if first.is_none() && last.is_none() {
            return Ok(None);
        }
        let first = first.unwrap_or(1);
        if first == 0 || last.is_some_and(|last| last < first) {
            return Err(ToolFault::NoRange {
                first,
                last: last.unwrap_or(first),
            });
        }
        let bounded = |line: u64| u32::try_from(line).unwrap_or(u32::MAX);
        Ok(Some(LineRange {
            first: bounded(first),
            last: last.map_or(u32::MAX, bounded),
        }))
    }

    fn insert(&mut self, key: &str, value: Value) -> Result<(), ToolFault> {
        let tool = self.tool();
        let Some(field) = self.shape.fields.iter().find(|field| field.name == key) else {
            return Err(ToolFault::UnknownField {
                tool,
                field: shorten(key),
                meant: meant(key, self.shape.fields.iter().map(|field| field.name)),
            });
        };
        let name = field.name;
        if self.values.iter().any(|(present, _)| present.name == name) {
            return Err(ToolFault::DuplicateField { tool, field: name });
        }
        let value = value.lenient(field.kind);
        if let Some(found) = value.mismatch(field) {
            return Err(ToolFault::WrongType {
                tool,
                field: name,
                found,
            });
        }
        self.values.push((field, value));
        Ok(())
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let index = self
            .values
            .iter()
            .position(|(field, _)| field.name == name)?;
        Some(self.values.swap_remove(index).1)
    }

    fn number(&mut self, field: &str) -> Option<u64> {
        match self.take(field)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    fn empty(&self, field: &'static str) -> ToolFault {
        ToolFault::EmptyField {
            tool: self.tool(),
            field,
        }
    }
}

fn unknown_tool(name: &str) -> ToolFault {
    let name = shorten(name);
    ToolFault::UnknownTool {
        nearest: shape::nearest(&name),
        name,
    }
}

fn members(shape: &'static Shape, text: &str) -> Result<Vec<(String, Value)>, ToolFault> {
    let tool = shape.name;
    match serde_json::from_str::<Members>(text) {
        Ok(Members(members)) => Ok(members),
        Err(error) if error.classify() == Category::Data => Err(ToolFault::NotObject { tool }),
        Err(error) => Err(ToolFault::NotJson {
            tool,
            problem: error.to_string(),
        }),
    }
}

/// Parses a path as a model writes it: relative, absolute below the root, or quoted as in a list.
fn repo_path(text: &str, root: &Path) -> Result<RepoPath, ToolFault> {
    if text.starts_with('~') {
        return Err(ToolFault::Home {
            path: shorten(text),
        });
    }
    match name::unquote(text) {
        Some(bytes) => RepoPath::parse(bytes),
        None => RepoPath::parse_below(root, text),
    }
    .map_err(ToolFault::Path)
}

/// What other tools of the kind call the arguments that these call otherwise.
const ALIASES: [(&str, &[&str]); 8] = [
    (
        "path",
        &[
            "file_path",
            "filepath",
            "filename",
            "file",
            "absolute_path",
            "dir",
            "dir_path",
            "directory",
            "from",
            "source",
        ],
    ),
    (
        "old",
        &[
            "old_string",
            "old_str",
            "oldText",
            "old_text",
            "oldString",
            "search",
        ],
    ),
    (
        "new",
        &[
            "new_string",
            "new_str",
            "newText",
            "new_text",
            "newString",
            "replace",
            "replacement",
        ],
    ),
    ("content", &["file_text", "contents", "text", "new_content"]),
    ("query", &["pattern", "regex", "search_term", "q"]),
    ("glob", &["include", "file_pattern", "files"]),
    ("first", &["offset", "start", "start_line", "line"]),
    ("to", &["destination", "dest", "new_path", "target"]),
];

/// Returns the one of `names` that a model means by `key`, if that can be said.
fn meant(key: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let names: Vec<&'static str> = names.collect();
    let known = ALIASES
        .iter()
        .find(|(name, aliases)| names.contains(name) && aliases.contains(&key));
    let near = || {
        similar::get_close_matches(key, &names, 1, 0.7)
            .first()
            .copied()
    };
    known.map(|(name, _)| *name).or_else(near)
}

/// Reads one item of `edits`; the fault continues a sentence about the item.
fn replacement(item: Value) -> Result<Replacement, String> {
    let members = match item {
        Value::Object(members) => members,
        other => return Err(format!("is {}", other.kind_name())),
    };
    let (mut old, mut new) = (None, None);
    for (key, value) in members {
        let place = match key.as_str() {
            "old" => &mut old,
            "new" => &mut new,
            _ => {
                let meant = meant(&key, ["old", "new"].into_iter());
                return Err(format!("has no `{}`{}", shorten(&key), suggestion(meant)));
            }
        };
        match value {
            Value::Text(_) if place.is_some() => return Err(format!("names `{key}` twice")),
            Value::Text(text) => *place = Some(text),
            other => return Err(format!("has a `{key}` that is {}", other.kind_name())),
        }
    }
    Ok(Replacement {
        old: old.ok_or("lacks `old`")?,
        new: new.ok_or("lacks `new`")?,
    })
}

/// A value of an argument, as far as it can be one.
#[derive(Debug)]
enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
    List(Vec<Self>),
    /// Its members in their order, equal keys included.
    Object(Vec<(String, Self)>),
    /// Some models write null for what they leave out.
    Null,
    /// Something no argument can be, with its name for the model.
    Other(&'static str),
}

impl Value {
    /// Returns what this is when it is not what the field takes.
    fn mismatch(&self, field: &Field) -> Option<&'static str> {
        match (self, field.kind) {
            (Self::Text(_), Kind::Text)
            | (Self::Number(_), Kind::Line | Kind::Count)
            | (Self::Flag(_), Kind::Flag)
            | (Self::List(_), Kind::Edits) => None,
            (Self::List(items), Kind::Texts)
                if items.iter().all(|item| matches!(item, Self::Text(_))) =>
            {
                None
            }
            (Self::Null, _) if !field.required => None,
            (other, _) => Some(other.kind_name()),
        }
    }

    /// Takes a number that stands in quotes for the number: some models write all values so.
    fn lenient(self, kind: Kind) -> Self {
        match (self, kind) {
            (Self::Text(text), Kind::Line | Kind::Count) => {
                text.trim().parse().map_or(Self::Text(text), Self::Number)
            }
            (other, _) => other,
        }
    }

    fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    const fn kind_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Null => "null",
            Self::Other(found) => found,
        }
    }
}

/// All members of an object in their order, equal keys included.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> de::Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(u64::try_from(number).map_or(Value::Other("a negative number"), Value::Number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        // A whole number that was written with a point.
        let whole = format!("{number}").parse();
        Ok(whole.map_or(Value::Other("a fraction"), Value::Number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Value::Object(members))
    }
}
