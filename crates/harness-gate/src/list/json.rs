//! Changes in the text of a JSON file: only the bytes of what is changed are touched.
//!
//! The text has been read as JSON before, so what is looked for here is there.
//! What is written anew takes the look of its neighbours: their indent, their
//! newline, one line or several.

use std::ops::Range;

use serde::Serialize as _;
use serde_json::{Map, Value, ser::PrettyFormatter};

/// A key of an object and where it and its value stand.
pub(super) struct Member {
    pub(super) name: String,
    key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// Returns where the value that begins at or behind `at` stands.
pub(super) fn value_at(text: &str, at: usize) -> Range<usize> {
    let start = skip_space(text, at);
    start..end_of(text, start)
}

/// Returns the members of an object, in order.
pub(super) fn members(text: &str, object: &Range<usize>) -> Vec<Member> {
    let mut members = Vec::new();
    let mut at = skip_space(text, object.start + 1);
    while at < object.end - 1 {
        let key = at..end_of(text, at);
        let value = value_at(text, skip_space(text, key.end) + 1);
        at = skip_space(text, skip_space(text, value.end) + 1);
        members.push(Member {
            name: serde_json::from_str(&text[key.clone()]).unwrap_or_default(),
            key,
            value,
        });
    }
    members
}

/// Returns where the items of an array stand, in order.
pub(super) fn items(text: &str, array: &Range<usize>) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    let mut at = skip_space(text, array.start + 1);
    while at < array.end - 1 {
        let item = value_at(text, at);
        at = skip_space(text, skip_space(text, item.end) + 1);
        items.push(item);
    }
    items
}

/// Returns the member of this name; of several the last, which is the one that counts.
pub(super) fn member(text: &str, object: &Range<usize>, name: &str) -> Option<Member> {
    let members = members(text, object).into_iter().rev();
    members.into_iter().find(|member| member.name == name)
}

/// Sets a member of an object; a new one comes last.
pub(super) fn set(text: &mut String, object: &Range<usize>, name: &str, value: &Value) {
    let style = Style::of(text);
    if let Some(member) = member(text, object, name) {
        let old = &text[member.value.clone()];
        if serde_json::from_str::<Value>(old).is_ok_and(|old| old == *value) {
            return;
        }
        let is_list = matches!(old.as_bytes().first(), Some(b'[' | b'{'));
        let is_spread = old.contains('\n')
            || (!is_list || old.len() <= 3) && text[object.clone()].contains('\n');
        let new = style.write(value, indent_of(text, member.key.start), is_spread);
        text.replace_range(member.value, &new);
        return;
    }
    let key = Value::from(name);
    let Some(last) = members(text, object).pop() else {
        let new = format!("{{{key}: {}}}", style.write(value, "", false));
        text.replace_range(object.clone(), &new);
        return;
    };
    let gap = space_before(text, last.key.start);
    let colon = &text[last.key.end..last.value.start];
    let value = style.write(value, last_line(gap), gap.contains('\n'));
    let new = format!(",{gap}{key}{colon}{value}");
    text.insert_str(last.value.end, &new);
}

/// Appends an item to an array.
pub(super) fn push(text: &mut String, array: &Range<usize>, value: &Value) {
    let style = Style::of(text);
    if let Some(last) = items(text, array).pop() {
        let gap = space_before(text, last.start);
        let is_spread = text[last.clone()].contains('\n');
        let new = format!(",{gap}{}", style.write(value, last_line(gap), is_spread));
        text.insert_str(last.end, &new);
        return;
    }
    let new = if text.trim_end().contains('\n') || array.len() == text.trim().len() {
        let base = indent_of(text, array.start);
        let inner = format!("{base}{}", style.unit);
        let value = style.write(value, &inner, true);
        format!(
            "[{newline}{inner}{value}{newline}{base}]",
            newline = style.newline
        )
    } else {
        format!("[{}]", style.write(value, "", false))
    };
    text.replace_range(array.clone(), &new);
}

/// How a file is written.
struct Style {
    newline: &'static str,
    /// One step of its indent.
    unit: String,
    /// Whether `{ "a": 1 }` has spaces inside.
    is_padded: bool,
}

impl Style {
    fn of(text: &str) -> Self {
        let is_blank = |char: char| matches!(char, ' ' | '\t');
        let indents = text
            .lines()
            .map(|line| &line[..line.len() - line.trim_start_matches(is_blank).len()]);
        let unit = indents.map(str::to_owned).find(|indent| !indent.is_empty());
        Self {
            newline: newline(text),
            unit: unit.unwrap_or_else(|| "  ".to_owned()),
            is_padded: text.contains("{ \""),
        }
    }

    /// Writes a value, in one line or spread over several behind `base`.
    fn write(&self, value: &Value, base: &str, is_spread: bool) -> String {
        if !is_spread {
            return self.line(value);
        }
        let mut bytes = Vec::new();
        let formatter = PrettyFormatter::with_indent(self.unit.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        match value.serialize(&mut serializer) {
            // Inside of a string a newline is escaped.
            Ok(()) => {
                String::from_utf8_lossy(&bytes).replace('\n', &format!("{}{base}", self.newline))
            }
            Err(_) => self.line(value),
        }
    }

    fn line(&self, value: &Value) -> String {
        match value {
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.line(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Object(fields) => self.object_line(fields),
            other => other.to_string(),
        }
    }

    fn object_line(&self, fields: &Map<String, Value>) -> String {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), self.line(value)))
            .collect();
        let pad = if self.is_padded && !fields.is_empty() {
            " "
        } else {
            ""
        };
        format!("{{{pad}{}{pad}}}", fields.join(", "))
    }
}

/// Returns the newline of a text: that of its first line.
pub(super) fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Returns the blanks that the line of `at` begins with.
fn indent_of(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn space_before(text: &str, at: usize) -> &str {
    let before = &text[..at];
    &before[before.trim_end_matches([' ', '\t', '\r', '\n']).len()..]
}

fn last_line(space: &str) -> &str {
    &space[space.rfind('\n').map_or(0, |newline| newline + 1)..]
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = &text[at.min(text.len())..];
    text.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len()
}

/// Returns where the value that begins at `start` ends.
fn end_of(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(start) {
        Some(b'"') => end_of_string(bytes, start),
        Some(b'[' | b'{') => end_of_group(bytes, start),
        _ => {
            let ends = |byte: &u8| {
                matches!(
                    byte,
                    b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\r' | b'\n'
                )
            };
            let length = bytes[start..].iter().position(ends);
            length.map_or(bytes.len(), |length| start + length)
        }
    }
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_group(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}
