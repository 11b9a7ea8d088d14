//! The unified form of a difference, as `git diff` writes it.

use std::fmt::Write;

use harness_core::RepoPath;

use crate::{Hunk, hunks};

/// The most bytes of a unified difference, without the line that says what was left out.
pub const UNIFIED_BYTES_MAX: usize = 64 * 1024;

/// Equal lines around each change, as `git diff` shows by default.
const CONTEXT_LINES: usize = 3;

/// Returns the difference of two texts in unified form; empty when they are equal.
///
/// Shape: `---` and `+++` lines with the path, then hunks. At most
/// [`UNIFIED_BYTES_MAX`] bytes, cut at a line end, and then one line that says
/// how many lines were left out.
pub fn unified(path: &RepoPath, old: &str, new: &str) -> String {
    let found = hunks(old, new, CONTEXT_LINES);
    if found.is_empty() {
        return String::new();
    }
    let mut out = format!("--- {}\n+++ {}\n", shown("a", path), shown("b", path));
    let mut left_out = 0_usize;
    for line in found.iter().flat_map(hunk_lines) {
        if left_out > 0 || out.len() + line.len() > UNIFIED_BYTES_MAX {
            left_out += 1;
        } else {
            out.push_str(&line);
        }
    }
    if left_out > 0 {
        let _ = writeln!(out, "[{left_out} lines left out]");
    }
    out
}

/// Returns the header and the lines of a hunk, each with its newline.
fn hunk_lines(hunk: &Hunk) -> impl Iterator<Item = String> {
    let (old_count, new_count) = hunk.extent();
    let header = format!(
        "@@ -{},{old_count} +{},{new_count} @@\n",
        hunk.old_start, hunk.new_start
    );
    std::iter::once(header).chain(hunk.lines.iter().map(|line| {
        let sign = line.kind.sign();
        let end = if line.newline {
            "\n"
        } else {
            "\n\\ No newline at end of file\n"
        };
        format!("{sign}{}{end}", line.text)
    }))
}

/// Returns the path under its side's prefix, quoted where a name could break the line.
fn shown(side: &str, path: &RepoPath) -> String {
    let text = format!("{side}/{}", path.to_text());
    if text.contains(|char: char| char.is_control() || char == '"') {
        format!("{text:?}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, old: &str, new: &str, expected: &str) {
        assert_eq!(unified(&RepoPath::parse(path).unwrap(), old, new), expected);
    }

    #[test]
    fn the_form_is_that_of_git() {
        check(
            "src/a.rs",
            "one\ntwo\nthree\n",
            "one\n2\nthree",
            "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,3 +1,3 @@\n one\n-two\n-three\n+2\n+three\n\\ No newline at end of file\n",
        );
        check("a", "", "x\n", "--- a/a\n+++ b/a\n@@ -0,0 +1,1 @@\n+x\n");
        check("a", "x\n", "x\n", "");
    }

    #[test]
    fn a_name_with_a_newline_stays_on_its_line() {
        check(
            "a\n+++ b",
            "",
            "x\n",
            "--- \"a/a\\n+++ b\"\n+++ \"b/a\\n+++ b\"\n@@ -0,0 +1,1 @@\n+x\n",
        );
    }

    #[test]
    fn a_long_difference_is_cut_at_a_line_end() {
        let new = "0123456789\n".repeat(20_000);
        let text = unified(&RepoPath::parse("a").unwrap(), "", &new);
        assert!(text.len() < UNIFIED_BYTES_MAX + 100);
        assert!(
            text.ends_with("lines left out]\n"),
            "{}",
            &text[text.len() - 80..]
        );
        assert!(text.lines().all(|line| line.len() < 40));
    }
}
