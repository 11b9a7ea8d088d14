//! How much of a text that is still being written stands for good, so that it is laid out once.

/// The least that is worth being told apart. Unit: bytes.
const LEAST: usize = 512;

/// The beginning of a text whose lines no later word changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled<'a> {
    /// Its length. Unit: bytes.
    pub(crate) bytes: usize,
    /// The line that opened the code it ends in: the rest goes on in it.
    pub(crate) fence: Option<&'a str>,
}

/// Returns the longest such beginning that can be told with certainty.
///
/// A paragraph or heading at the left edge behind a blank line begins anew whatever was before, and
/// so does each line of code at the left edge. Behind what looks like HTML, the target of a link or
/// indented code with marks of its own, nothing is told.
pub(crate) fn settled(text: &str) -> Option<Settled<'_>> {
    let mut best = None;
    let mut fence: Option<&str> = None;
    let (mut at, mut is_behind_blank, mut is_behind_code) = (0, false, false);
    for line in text.split_inclusive('\n') {
        let words = line.trim_end();
        let inner = words.trim_start();
        match fence {
            Some(open) => match closing(open, words) {
                Closing::No if !line.ends_with('\n') => break,
                Closing::No => {
                    if is_behind_code && !words.is_empty() {
                        best = Some((at, fence));
                    }
                    is_behind_code = !words.is_empty();
                }
                Closing::Yes => fence = None,
                Closing::Unsure => break,
            },
            None => {
                let begins = words.chars().next();
                let is_new = begins.is_some_and(|char| char.is_alphabetic() || char == '#');
                if is_behind_blank && is_new {
                    best = Some((at, None));
                }
                if inner.starts_with(['<', '[']) {
                    break;
                }
                if inner.starts_with("```") || inner.starts_with("~~~") {
                    let marks = inner.trim_start_matches(['`', '~']);
                    if words != inner || marks.contains('`') || !line.ends_with('\n') {
                        break;
                    }
                    (fence, is_behind_code) = (Some(words), false);
                }
            }
        }
        is_behind_blank = fence.is_none() && words.is_empty();
        at += line.len();
    }
    best.filter(|(bytes, _)| *bytes >= LEAST)
        .map(|(bytes, fence)| Settled { bytes, fence })
}

enum Closing {
    Yes,
    No,
    Unsure,
}

/// Whether a line ends the code that another one opened.
fn closing(open: &str, line: &str) -> Closing {
    let mark = open.chars().next().unwrap_or('`');
    let count = open.chars().take_while(|char| *char == mark).count();
    let inner = line.trim_start();
    let is_marks = !inner.is_empty() && inner.chars().all(|char| char == mark);
    match is_marks && inner.chars().count() >= count {
        true if inner == line => Closing::Yes,
        true => Closing::Unsure,
        false => Closing::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(usize, Option<&str>)> {
        settled(text).map(|told| (told.bytes, told.fence))
    }

    #[test]
    fn only_what_no_later_word_changes_is_settled() {
        let long = "word ".repeat(200);
        let blocks = format!("{long}\n\nNext");
        assert_eq!(told(&blocks), Some((blocks.len() - 4, None)));
        // A list may go on, a paragraph too, and nobody knows where a tag ends.
        for rest in [
            "\n\n- a", "\n\n1. a", "\n\n  a", "\nNext", "\n\n", "\n\n> a",
        ] {
            assert_eq!(told(&format!("{long}{rest}")), None, "{rest:?}");
        }
        assert_eq!(told(&format!("<div>\n{long}\n\nNext")), None);
        let code = format!("```rust\n{long}\nlet a = 1;\nlet b");
        let at = code.find("let a").unwrap();
        assert_eq!(told(&code), Some((at, Some("```rust"))));
        assert_eq!(told(&format!("```rust\n{long}\n```\n")), None);
        assert_eq!(told("short\n\nNext"), None);
    }
}
