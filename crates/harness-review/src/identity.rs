//! What a change goes by: a name made of its content, the same wherever it stands.
//!
//! As with git's patch ids, line numbers are no part of a name; unlike them, every byte of the
//! changed lines is: for a person who has looked at a change, a blank more is another change.
//! The names of findings are made here too, so that one hash says what "exactly this" means.

use std::{collections::BTreeMap, fmt, fmt::Write as _, ops::Range};

use harness_core::RepoPath;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Hunk, LineKind, text::saturate};

/// Hexadecimal digits of a hunk's id.
const HUNK_ID_DIGITS: usize = 12;
/// Digits of a block's digest: what decides that a change is exactly the decided one.
const DIGEST_DIGITS: usize = 32;
/// Digits of what only helps to find a place again.
pub(crate) const HINT_DIGITS: usize = 8;
/// Unchanged lines beside a block that tell it from an equal one.
const AROUND_LINES: usize = 2;

/// Returns the first digits of the SHA-256 over parts, in hexadecimal.
///
/// Each part is hashed with its length in front, so that no two can pass for another two.
/// At most 64 digits.
pub fn content_id<P: AsRef<[u8]>>(digits: usize, parts: impl IntoIterator<Item = P>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let bytes = part.as_ref();
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    hex(&hash.finalize(), digits)
}

/// Returns the SHA-256 of some bytes as they are, 64 hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes), 64)
}

fn hex(bytes: &[u8], digits: usize) -> String {
    let mut text = bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    });
    text.truncate(digits);
    text
}

/// Names a hunk, or a change of a file as a whole, by its content.
///
/// Twelve hexadecimal digits over the path, the removed and added lines and its number among the
/// equal ones of the file. It stays when lines above move, and is another when a changed line is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HunkId(String);

impl HunkId {
    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a person means this hunk by `text`: its first digits, at least four.
    pub fn is_meant_by(&self, text: &str) -> bool {
        text.len() >= 4 && self.0.starts_with(&text.to_ascii_lowercase())
    }
}

impl fmt::Display for HunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gives names to the pieces of one file and numbers to equal ones.
#[derive(Default)]
pub(crate) struct Namer {
    hunks: BTreeMap<String, u32>,
    blocks: BTreeMap<String, u32>,
}

impl Namer {
    /// Names a piece by its changed lines or by what stands for them.
    pub(crate) fn piece<'a>(
        &mut self,
        path: &'a RepoPath,
        parts: impl Iterator<Item = &'a str>,
    ) -> HunkId {
        let parts: Vec<&[u8]> = std::iter::once(path.as_bytes())
            .chain(parts.map(str::as_bytes))
            .collect();
        let equal = content_id(64, &parts);
        let ordinal = next(&mut self.hunks, &equal);
        let ordinal = ordinal.to_string();
        HunkId(content_id(HUNK_ID_DIGITS, [&equal, &ordinal]))
    }

    /// Returns the blocks of a hunk.
    pub(crate) fn blocks(&mut self, hunk: &Hunk) -> Vec<Block> {
        let mut found = Vec::new();
        for lines in runs(hunk) {
            found.push(self.block(hunk, lines));
        }
        found
    }

    /// Returns the one block of a change that has no lines: what is there now, and what was.
    pub(crate) fn whole(&mut self, new: &str, old: &str) -> Block {
        let digest = content_id(DIGEST_DIGITS, ["whole", new, old]);
        let ordinal = next(&mut self.blocks, &digest);
        Block {
            digest,
            old: content_id(HINT_DIGITS, ["whole", old]),
            around: [String::new(), String::new()],
            ordinal,
            lines: 0..0,
        }
    }

    fn block(&mut self, hunk: &Hunk, lines: Range<usize>) -> Block {
        let changed = &hunk.lines[lines.clone()];
        let digest = digest(changed.iter().map(crate::Line::written));
        let ordinal = next(&mut self.blocks, &digest);
        let context = |line: &&crate::Line| line.kind == LineKind::Context;
        let hint = |texts: Vec<&str>| content_id(HINT_DIGITS, texts);
        let before = hunk.lines[..lines.start].iter().rev();
        let after = hunk.lines[lines.end..].iter();
        let around = [
            hint(
                before
                    .take_while(context)
                    .take(AROUND_LINES)
                    .map(text)
                    .collect(),
            ),
            hint(
                after
                    .take_while(context)
                    .take(AROUND_LINES)
                    .map(text)
                    .collect(),
            ),
        ];
        Block {
            digest,
            old: old_hint(changed),
            around,
            ordinal,
            lines,
        }
    }
}

fn text(line: &crate::Line) -> &str {
    &line.text
}

/// Changed lines without an unchanged one between them: what is decided at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Over all its lines, with their signs.
    pub(crate) digest: String,
    /// Over the removed ones; empty where there are none.
    pub(crate) old: String,
    /// The unchanged lines before and after.
    pub(crate) around: [String; 2],
    /// Which of the equal ones of the file it is, from 0.
    pub(crate) ordinal: u32,
    /// Where its lines stand in the hunk.
    pub(crate) lines: Range<usize>,
}

/// Returns where the changed lines of a hunk stand, run by run.
pub(crate) fn runs(hunk: &Hunk) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, line) in hunk.lines.iter().enumerate() {
        match (line.kind, found.last_mut()) {
            (LineKind::Context, _) => {}
            (_, Some(run)) if run.end == at => run.end += 1,
            _ => found.push(at..at + 1),
        }
    }
    found
}

/// Returns what exactly these changed lines go by.
pub(crate) fn digest(lines: impl Iterator<Item = String>) -> String {
    content_id(DIGEST_DIGITS, lines)
}

/// Returns what the removed ones of some lines go by; empty where there are none.
pub(crate) fn old_hint(lines: &[crate::Line]) -> String {
    let removed: Vec<&str> = lines
        .iter()
        .filter(|line| line.kind == LineKind::Removed)
        .map(text)
        .collect();
    if removed.is_empty() {
        String::new()
    } else {
        content_id(HINT_DIGITS, removed)
    }
}

fn next(seen: &mut BTreeMap<String, u32>, key: &str) -> u32 {
    let number = seen.entry(key.to_owned()).or_insert(0);
    let this = *number;
    *number = saturate(this as usize + 1);
    this
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hunks;

    fn ids(old: &str, new: &str) -> Vec<HunkId> {
        let path = RepoPath::parse("src/a.rs").unwrap();
        let mut namer = Namer::default();
        hunks(old, new, 1)
            .iter()
            .map(|hunk| {
                let lines: Vec<String> = hunk.changed().map(crate::Line::written).collect();
                namer.piece(&path, lines.iter().map(String::as_str))
            })
            .collect()
    }

    #[test]
    fn an_id_stays_when_lines_above_move() {
        let (old, new) = ("a\nb\nc\nd\n", "a\nB\nc\nd\n");
        let before = ids(old, new);
        assert_eq!(
            before,
            ids(&format!("x\ny\n{old}"), &format!("x\ny\n{new}"))
        );
        assert_ne!(before, ids(old, "a\nB \nc\nd\n"));
        assert_eq!(before[0].as_str().len(), 12);
        assert!(before[0].is_meant_by(&before[0].as_str()[..4].to_uppercase()));
        assert!(!before[0].is_meant_by(&before[0].as_str()[..3]));
    }

    #[test]
    fn equal_hunks_are_told_apart_by_their_number() {
        let found = ids("x\na\nb\nc\nd\ne\nx\n", "y\na\nb\nc\nd\ne\ny\n");
        assert_eq!(found.len(), 2);
        assert_ne!(found[0], found[1]);
    }

    #[test]
    fn no_two_parts_pass_for_another_two() {
        assert_ne!(content_id(64, ["ab", "c"]), content_id(64, ["a", "bc"]));
        assert_eq!(content_id(4, ["a"]).len(), 4);
        assert!(sha256_hex(b"").starts_with("e3b0c442"));
    }

    #[test]
    fn a_newline_at_the_end_is_a_part_of_the_content() {
        assert_ne!(ids("a\n", "b\n"), ids("a\n", "b"));
    }
}
