//! The difference of two trees in the forms of `git diff`, bounded, for people and for scripts.

use std::fmt::Write as _;

use harness_core::RepoPath;
use harness_git::{FileChange, FileKind, FileState, Repo};
use harness_review::counts;
use serde_json::{Value, json};

use crate::failure::Failure;

/// The largest side of a file that is compared line by line.
const SIDE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// A file that differs, with what is known of its lines.
#[derive(Clone, Debug)]
pub(super) struct FileDifference {
    pub(super) path: RepoPath,
    old: Option<FileKind>,
    new: Option<FileKind>,
    lines: Lines,
}

/// How the content differs.
#[derive(Clone, Debug)]
enum Lines {
    /// Both sides are text.
    Text { old: String, new: String },
    /// One side is no text, or too large to be compared.
    Opaque,
    /// A submodule has another commit.
    Module { old: String, new: String },
}

impl FileDifference {
    /// Reads both sides.
    pub(super) fn read(repo: &Repo, change: &FileChange) -> Result<Self, Failure> {
        let kind = |state: Option<&FileState>| state.map(|state| state.kind);
        let lines = if [&change.old, &change.new]
            .into_iter()
            .flatten()
            .any(|state| state.kind == FileKind::Module)
        {
            let id = |state: Option<&FileState>| {
                let id = state.map(|state| state.blob.to_string());
                id.unwrap_or_default()
            };
            Lines::Module {
                old: id(change.old.as_ref()),
                new: id(change.new.as_ref()),
            }
        } else {
            match (
                text(repo, change.old.as_ref())?,
                text(repo, change.new.as_ref())?,
            ) {
                (Some(old), Some(new)) => Lines::Text { old, new },
                _ => Lines::Opaque,
            }
        };
        Ok(Self {
            path: change.path.clone(),
            old: kind(change.old.as_ref()),
            new: kind(change.new.as_ref()),
            lines,
        })
    }

    /// Returns how many lines were added and removed; `None` where that says nothing.
    pub(super) fn counts(&self) -> Option<(u32, u32)> {
        match &self.lines {
            Lines::Text { old, new } => Some(counts(old, new)),
            Lines::Opaque | Lines::Module { .. } => None,
        }
    }

    const fn change(&self) -> (&'static str, char) {
        match (self.old, self.new) {
            (None, _) => ("added", 'A'),
            (_, None) => ("deleted", 'D'),
            _ => ("modified", 'M'),
        }
    }

    /// Returns one line: the letter of the change, the path, and its lines.
    pub(super) fn stat(&self) -> String {
        let lines = match (self.counts(), &self.lines) {
            (Some((added, removed)), _) => format!("+{added} -{removed}"),
            (None, Lines::Module { .. }) => "submodule".to_owned(),
            (None, _) => "binary".to_owned(),
        };
        let mode = match (self.old, self.new) {
            (Some(old), Some(new)) if old != new => {
                format!(", mode {} => {}", old.mode(), new.mode())
            }
            (None, Some(FileKind::Link)) => ", link".to_owned(),
            (None, Some(FileKind::Executable)) => ", executable".to_owned(),
            _ => String::new(),
        };
        format!(
            "{} {} {lines}{mode}",
            self.change().1,
            quoted("", &self.path)
        )
    }

    /// Returns the difference in unified form, with the lines about modes that git writes.
    pub(super) fn patch(&self) -> String {
        let (old_name, new_name) = (quoted("a/", &self.path), quoted("b/", &self.path));
        let mut text = format!("diff --git {old_name} {new_name}\n");
        match (self.old, self.new) {
            (None, Some(new)) => _ = writeln!(text, "new file mode {}", new.mode()),
            (Some(old), None) => _ = writeln!(text, "deleted file mode {}", old.mode()),
            (Some(old), Some(new)) if old != new => {
                _ = write!(text, "old mode {}\nnew mode {}\n", old.mode(), new.mode());
            }
            _ => {}
        }
        match &self.lines {
            Lines::Opaque => _ = writeln!(text, "Binary files differ"),
            Lines::Module { old, new } => {
                _ = writeln!(text, "Subproject commit {old} => {new}");
            }
            Lines::Text { old, new } => {
                let unified = harness_review::unified(&self.path, old, new);
                // Its own two lines with names know nothing of files that are new or gone.
                let hunks = unified.splitn(3, '\n').nth(2).unwrap_or_default();
                if !hunks.is_empty() {
                    let side = |kind: Option<FileKind>, name: String| {
                        kind.map_or("/dev/null".to_owned(), |_| name)
                    };
                    let (old, new) = (side(self.old, old_name), side(self.new, new_name));
                    _ = write!(text, "--- {old}\n+++ {new}\n{hunks}");
                }
            }
        }
        text
    }

    /// Returns it as the body of a JSON line.
    pub(super) fn to_json(&self, with_patch: bool) -> Value {
        let mode = |kind: Option<FileKind>| kind.map(FileKind::mode);
        let counts = self.counts();
        let mut body = json!({ "path": self.path, "change": self.change().0,
            "old_mode": mode(self.old), "new_mode": mode(self.new),
            "added": counts.map(|counts| counts.0), "removed": counts.map(|counts| counts.1),
            "binary": counts.is_none() });
        if with_patch && let Some(body) = body.as_object_mut() {
            body.insert("patch".to_owned(), self.patch().into());
        }
        body
    }
}

/// Reads a side as text, nothing being empty; `None` where it is none or too large.
fn text(repo: &Repo, state: Option<&FileState>) -> Result<Option<String>, Failure> {
    let Some(state) = state else {
        return Ok(Some(String::new()));
    };
    let bytes = repo.content(state, SIDE_BYTES_MAX)?;
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(text.filter(|text| !text.contains('\0')))
}

/// Returns a path so that it stays on one line, as git quotes it.
pub(super) fn quoted(prefix: &str, path: &RepoPath) -> String {
    let is_plain = |byte: &u8| !byte.is_ascii_control() && !matches!(byte, b'"' | b'\\');
    let is_text = std::str::from_utf8(path.as_bytes()).is_ok();
    if is_text && path.as_bytes().iter().all(is_plain) {
        return format!("{prefix}{}", path.to_text());
    }
    let mut out = format!("\"{prefix}");
    for byte in path.as_bytes() {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            byte if byte.is_ascii_control() || !byte.is_ascii() => {
                _ = write!(out, "\\{byte:03o}");
            }
            byte => out.push(char::from(*byte)),
        }
    }
    out.push('"');
    out
}

/// Counts files in words.
pub(super) fn count(files: usize) -> String {
    match files {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    }
}
