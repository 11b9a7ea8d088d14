//! As much Markdown as it takes to find links: fences, code spans, links, definitions.
//!
//! Written here because a full parser would be the largest dependency of a
//! pure crate, and because every step has to be bounded on hostile text.

use crate::text::one_line;

/// How much of a line is read. Unit: bytes.
const LINE_BYTES_MAX: usize = 2000;

/// How long the text of a link may be. Unit: bytes.
const TITLE_BYTES_MAX: usize = 400;

/// Endings of paths in backticks that count as documents.
const DOCUMENT_ENDINGS: [&str; 5] = [".md", ".markdown", ".txt", ".rst", ".adoc"];

/// Something that points somewhere.
#[derive(Debug)]
pub(super) struct Reference {
    /// The text; absent where there is none beside the path itself.
    pub(super) title: Option<String>,
    /// The address as written.
    pub(super) target: String,
    /// Whether it is a path in backticks and no link.
    pub(super) quoted: bool,
}

/// Iterates over the references of a text with their lines, counted from 1.
pub(super) fn references(text: &str) -> impl Iterator<Item = (usize, Reference)> {
    let mut fence: Option<Fence> = None;
    text.lines().enumerate().flat_map(move |(index, line)| {
        let found = if in_fence(&mut fence, line) {
            Vec::new()
        } else {
            on_line(bounded(line))
        };
        found
            .into_iter()
            .map(move |reference| (index + 1, reference))
    })
}

/// The beginning of fenced code.
#[derive(Clone, Copy)]
struct Fence {
    mark: u8,
    length: usize,
}

/// Takes a line in; tells whether it is fenced code or a fence.
fn in_fence(fence: &mut Option<Fence>, line: &str) -> bool {
    let line = line.trim();
    let mark = line.bytes().next().unwrap_or(b' ');
    let length = run_length(line.as_bytes(), 0);
    let rest = &line[if matches!(mark, b'`' | b'~') {
        length
    } else {
        0
    }..];
    let is_mark = matches!(mark, b'`' | b'~') && length >= 3;
    match *fence {
        Some(open) => {
            if is_mark && mark == open.mark && length >= open.length && rest.is_empty() {
                *fence = None;
            }
            true
        }
        None if is_mark && !(mark == b'`' && rest.contains('`')) => {
            *fence = Some(Fence { mark, length });
            true
        }
        None => false,
    }
}

fn bounded(line: &str) -> &str {
    let mut end = line.len().min(LINE_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    &line[..end]
}

fn on_line(line: &str) -> Vec<Reference> {
    if let Some(reference) = definition(line) {
        return vec![reference];
    }
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        at = match bytes[at] {
            b'\\' => at + 2,
            b'`' => code_span(line, at, &mut found),
            b'!' if bytes.get(at + 1) == Some(&b'[') => {
                link(line, at + 1).map_or(at + 2, |(_, end)| end)
            }
            b'[' => inline_link(line, at, &mut found),
            _ => at + 1,
        };
    }
    found
}

fn inline_link(line: &str, open: usize, found: &mut Vec<Reference>) -> usize {
    let Some((reference, end)) = link(line, open) else {
        return open + 1;
    };
    found.push(reference);
    end
}

/// Reads a code span and takes its content where it looks like a path.
fn code_span(line: &str, open: usize, found: &mut Vec<Reference>) -> usize {
    let bytes = line.as_bytes();
    let length = run_length(bytes, open);
    let start = open + length;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at] != b'`' {
            at += 1;
            continue;
        }
        let run = run_length(bytes, at);
        if run == length {
            let content = line[start..at].trim();
            if is_path(content) {
                found.push(Reference {
                    title: None,
                    target: content.to_owned(),
                    quoted: true,
                });
            }
            return at + run;
        }
        at += run;
    }
    start
}

/// Reads `[text](address "title")` from its opening bracket.
fn link(line: &str, open: usize) -> Option<(Reference, usize)> {
    let bytes = line.as_bytes();
    let close = closing_bracket(bytes, open)?;
    if bytes.get(close + 1) != Some(&b'(') {
        return None;
    }
    let blanks = bytes[close + 2..].iter().take_while(|byte| **byte == b' ');
    let start = close + 2 + blanks.count();
    let (target, after) = address(line, start)?;
    let end = line[after..].find(')')? + after + 1;
    let reference = Reference {
        title: title(&line[open + 1..close]),
        target: target.to_owned(),
        quoted: false,
    };
    Some((reference, end))
}

/// Reads an address: between angle brackets, or up to a blank or a bracket it did not open.
fn address(line: &str, start: usize) -> Option<(&str, usize)> {
    let rest = &line[start..];
    if let Some(inner) = rest.strip_prefix('<') {
        let end = inner.find('>')?;
        return Some((&inner[..end], start + end + 2));
    }
    let mut depth = 0_usize;
    for (offset, char) in rest.char_indices() {
        match char {
            '(' => depth += 1,
            ')' if depth == 0 => return Some((&rest[..offset], start + offset)),
            ')' => depth -= 1,
            ' ' | '\t' => return Some((&rest[..offset], start + offset)),
            _ => {}
        }
    }
    None
}

/// Reads `[label]: address`.
fn definition(line: &str) -> Option<Reference> {
    let line = line.trim();
    if !line.starts_with('[') {
        return None;
    }
    let close = closing_bracket(line.as_bytes(), 0)?;
    let rest = line[close + 1..].strip_prefix(':')?.trim_start();
    let target = match rest.strip_prefix('<') {
        Some(inner) => inner.split('>').next()?,
        None => rest.split_whitespace().next()?,
    };
    Some(Reference {
        title: title(&line[1..close]),
        target: target.to_owned(),
        quoted: false,
    })
}

fn closing_bracket(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = open;
    while at < bytes.len().min(open + TITLE_BYTES_MAX) {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' => depth += 1,
            b']' if depth == 1 => return Some(at),
            b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns the text of a link without its decoration; `None` for an image or nothing.
fn title(text: &str) -> Option<String> {
    if text.contains("![") {
        return None;
    }
    let plain = one_line(&text.replace(['`', '*', '\\'], ""));
    (!plain.is_empty()).then_some(plain)
}

/// Whether a text can only be meant as a path: a document's name, or folders with slashes.
fn is_path(text: &str) -> bool {
    let is_plain = |char: char| char.is_alphanumeric() || matches!(char, '.' | '_' | '-' | '/');
    !text.starts_with('-')
        && text.chars().all(is_plain)
        && (text.contains('/') || is_document(text))
}

/// Whether a path ends like a document.
pub(super) fn is_document(path: &str) -> bool {
    DOCUMENT_ENDINGS.iter().any(|ending| {
        path.strip_suffix(ending)
            .is_some_and(|stem| !stem.is_empty() && !stem.ends_with('/'))
    })
}

/// Returns how often the byte at `at` is repeated from there on.
fn run_length(bytes: &[u8], at: usize) -> usize {
    let Some(first) = bytes.get(at) else {
        return 0;
    };
    bytes[at..].iter().take_while(|byte| *byte == first).count()
}
