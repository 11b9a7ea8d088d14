//! The lines of a file that a read shows.

use harness_core::{ByteCount, LineRange, Outcome};

use crate::excerpt::whole_lines;

/// The longest line shown; the rest of it is counted.
const LINE_BYTES_MAX: usize = 2000;

/// How much of a file is looked at to tell text from other things, as git does.
const PROBE_BYTES: usize = 8 * 1024;

pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns the asked lines of a file's content as an outcome.
///
/// `text` is any bytes; what is no UTF-8 is shown as U+FFFD, a byte order mark
/// is left out, line endings are kept. The result holds at most `limit` bytes of
/// whole lines, from the first asked one on; of a line longer than 2,000 bytes
/// the beginning is shown and the rest counted. `lines` in the result is the
/// number of lines in the whole file. A file with a NUL byte in its first 8 KiB
/// is refused as binary.
pub fn select_lines(text: &[u8], lines: Option<LineRange>, limit: ByteCount) -> Outcome {
    if is_binary(text) {
        return Outcome::Refused {
            message: format!(
                "the file is not text: binary, {}",
                ByteCount(text.len() as u64)
            ),
        };
    }
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let (first, last) = lines.map_or((1, u32::MAX), |range| (range.first.max(1), range.last));
    let skipped = usize::try_from(first - 1).unwrap_or(usize::MAX);
    let asked = usize::try_from(last.saturating_sub(first - 1)).unwrap_or(usize::MAX);

    let mut shown = String::new();
    let mut cut = false;
    let wanted = text.split_inclusive(|&byte| byte == b'\n');
    for line in wanted.skip(skipped).take(asked) {
        let room = limit.as_usize().saturating_sub(shown.len());
        let line = shown_line(line);
        cut |= line.cut;
        if line.text.len() > room {
            cut = true;
            if shown.is_empty() {
                shown.push_str(whole_lines(&line.text, room));
            }
            break;
        }
        shown.push_str(&line.text);
    }
    Outcome::Text {
        text: shown,
        lines: line_count(text),
        cut,
    }
}

/// Whether a content is not meant to be read as lines.
pub(crate) fn is_binary(text: &[u8]) -> bool {
    text[..text.len().min(PROBE_BYTES)].contains(&0)
}

fn line_count(text: &[u8]) -> u64 {
    let ends = memchr::memchr_iter(b'\n', text).count() as u64;
    let has_open_line = !text.is_empty() && !text.ends_with(b"\n");
    ends + u64::from(has_open_line)
}

struct ShownLine {
    text: String,
    cut: bool,
}

fn shown_line(line: &[u8]) -> ShownLine {
    let content = line.strip_suffix(b"\n").unwrap_or(line);
    if content.len() <= LINE_BYTES_MAX {
        return ShownLine {
            text: String::from_utf8_lossy(line).into_owned(),
            cut: false,
        };
    }
    let beginning = String::from_utf8_lossy(&content[..LINE_BYTES_MAX]);
    let beginning = beginning.trim_end_matches(char::REPLACEMENT_CHARACTER);
    let rest = content.len() - LINE_BYTES_MAX;
    let ending = if line.len() > content.len() { "\n" } else { "" };
    ShownLine {
        text: format!("{beginning} [{rest} more bytes in this line]{ending}"),
        cut: true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &[u8], lines: Option<(u32, u32)>, limit: u64, expected: (&str, u64, bool)) {
        let range = lines.map(|(first, last)| LineRange { first, last });
        let (text_shown, lines, cut) = expected;
        assert_eq!(
            select_lines(text, range, ByteCount(limit)),
            Outcome::Text {
                text: text_shown.to_owned(),
                lines,
                cut
            }
        );
    }

    #[test]
    fn the_asked_lines_are_shown() {
        check(b"a\nb\nc", None, 100, ("a\nb\nc", 3, false));
        check(b"a\r\nb\r\n", Some((2, 2)), 100, ("b\r\n", 2, false));
        check(b"a\nb\nc\n", Some((2, 2)), 100, ("b\n", 3, false));
        check(b"a\nb\nc\n", Some((3, u32::MAX)), 100, ("c\n", 3, false));
        check(b"a\n", Some((7, 9)), 100, ("", 1, false));
        check(b"", None, 100, ("", 0, false));
        check(b"\xef\xbb\xbfa\xff\n", None, 100, ("a\u{fffd}\n", 1, false));
    }

    #[test]
    fn the_limit_cuts_at_a_line_end_and_says_so() {
        check(b"aaa\nbbb\nccc\n", None, 9, ("aaa\nbbb\n", 3, true));
        check(b"aaaaaa\nb\n", None, 3, ("aaa", 2, true));
    }

    #[test]
    fn a_long_line_is_cut_and_counted() {
        let text = format!("{}\nb\n", "a".repeat(2500));
        let expected = format!("{} [500 more bytes in this line]\nb\n", "a".repeat(2000));
        check(text.as_bytes(), None, 10_000, (&expected, 2, true));
    }

    #[test]
    fn what_is_not_text_is_refused() {
        assert_eq!(
            select_lines(b"\x7fELF\0\0", None, ByteCount::kib(1)),
            Outcome::Refused {
                message: "the file is not text: binary, 6 bytes".to_owned()
            }
        );
    }

    proptest! {
        #[test]
        fn a_selection_stays_within_its_limit(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), 1_u8..=255], 0..200),
            first in 0_u32..9, last in 0_u32..9, limit in 0_u64..100,
        ) {
            let range = Some(LineRange { first, last });
            if let Outcome::Text { text, .. } = select_lines(&text, range, ByteCount(limit)) {
                prop_assert!(text.len() as u64 <= limit);
            }
        }
    }
}
