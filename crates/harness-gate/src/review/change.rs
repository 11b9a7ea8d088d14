//! A change in words for whoever reviews it: every file by name, and as much of each as there is room for.
//!
//! Nothing is left out silently: a file that is not shown whole says so in its place, and the
//! reviewer can look at it. Called by the runner, which reads the texts.

use std::borrow::Cow;

use harness_core::{Change, ChangeKind};
use harness_review::{counts, unified};

/// The most of a change that is shown. Unit: bytes.
const CHANGE_BYTES_MAX: usize = 64 * 1024;
/// The most of one file's change that is shown. Unit: bytes.
const FILE_BYTES_MAX: usize = 16 * 1024;
/// What is shown of a file that has no room. Unit: bytes.
const PART_BYTES: usize = 1024;

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    path: String,
    kind: ChangeKind,
    /// Lines added and removed; absent where it is no text.
    lines: Option<(u32, u32)>,
    diff: String,
}

impl ChangedFile {
    /// Compares a file's texts; one that is absent or no text is `None`.
    ///
    /// `name` is its path as it is shown; `redact` takes secrets out of what is shown.
    pub fn new(
        name: String,
        change: &Change,
        [old, new]: [Option<&str>; 2],
        redact: impl FnOnce(&str) -> Cow<'_, str>,
    ) -> Self {
        let absent = |kind| (change.kind == kind).then_some("");
        let old = old.or(absent(ChangeKind::Added));
        let new = new.or(absent(ChangeKind::Deleted));
        let (lines, diff) = match (old, new) {
            (Some(old), Some(new)) => {
                let diff = unified(&change.path, old, new);
                (Some(counts(old, new)), redact(&diff).into_owned())
            }
            _ => (None, String::new()),
        };
        Self {
            path: name,
            kind: change.kind,
            lines,
            diff,
        }
    }
}

/// Words the files of a change, with `unnamed` more that are not among them.
///
/// At most about 64 KiB; returns how many of the files are not shown whole as well.
pub fn worded(files: &[ChangedFile], unnamed: usize) -> (String, usize) {
    let mut out: String = files.iter().map(line).collect();
    if unnamed > 0 {
        out.push_str(&format!("[{unnamed} files more]\n"));
    }
    let mut cut = 0;
    let mut left = CHANGE_BYTES_MAX;
    for file in files {
        out.push('\n');
        let path = &file.path;
        if file.lines.is_none() {
            out.push_str(&format!("[{path} is no text, or too large]\n"));
            cut += 1;
        } else if file.diff.len() <= left.min(FILE_BYTES_MAX) {
            left -= file.diff.len();
            // What is very long was cut when it was compared, and says so at its end.
            cut += usize::from(file.diff.ends_with(" lines left out]\n"));
            out.push_str(&file.diff);
        } else {
            let part = head(&file.diff, left.min(PART_BYTES));
            left -= part.len();
            let more = file.diff.len() - part.len();
            out.push_str(&format!(
                "{part}[{more} bytes of the change of {path} left out: look at it with `read`]\n"
            ));
            cut += 1;
        }
    }
    (out, cut)
}

fn line(file: &ChangedFile) -> String {
    let what = match file.kind {
        ChangeKind::Added => "added",
        ChangeKind::Modified => "changed",
        ChangeKind::Deleted => "deleted",
    };
    let lines = file
        .lines
        .map(|(added, removed)| format!(", +{added} -{removed}"));
    format!("{what} {}{}\n", file.path, lines.unwrap_or_default())
}

/// Returns the beginning of a text, cut at a line end.
fn head(text: &str, most: usize) -> &str {
    let end = text.floor_char_boundary(most);
    let end = text[..end].rfind('\n').map_or(0, |at| at + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use harness_core::RepoPath;

    use super::*;

    fn file(path: &str, kind: ChangeKind, new: Option<&str>) -> ChangedFile {
        let change = Change {
            path: RepoPath::parse(path).unwrap(),
            kind,
        };
        ChangedFile::new(path.to_owned(), &change, [None, new], redact)
    }

    fn redact(text: &str) -> Cow<'_, str> {
        Cow::Owned(text.replace("s3cret", "[secret]"))
    }

    fn added(path: &str, new: &str) -> ChangedFile {
        file(path, ChangeKind::Added, Some(new))
    }

    #[test]
    fn a_change_has_its_bound_and_says_what_it_leaves_out() {
        let small = added("src/a.rs", "one s3cret\n");
        let large = added("src/b.rs", &"x".repeat(99).repeat(2_000));
        let many: Vec<ChangedFile> = (0..90)
            .map(|number| added(&format!("src/m{number}.rs"), &"line\n".repeat(400)))
            .collect();
        let (text, cut) = worded(&[small, large], 0);
        assert!(text.starts_with("added src/a.rs, +1 -0\nadded src/b.rs, +1 -0\n"));
        assert!(text.contains("+one [secret]\n"));
        assert!(text.contains("[1 lines left out]"), "{text}");
        assert_eq!(cut, 1);
        let (text, cut) = worded(&many, 7);
        assert!(text.len() < CHANGE_BYTES_MAX + 90 * 200, "{}", text.len());
        assert!(cut > 10 && text.contains("[7 files more]"));
        assert!(text.contains("added src/m89.rs, +400 -0"));
    }

    #[test]
    fn what_is_no_text_is_named() {
        let (text, cut) = worded(&[file("logo.png", ChangeKind::Modified, None)], 0);
        assert_eq!(
            (text.as_str(), cut),
            (
                "changed logo.png\n\n[logo.png is no text, or too large]\n",
                1
            )
        );
    }
}
