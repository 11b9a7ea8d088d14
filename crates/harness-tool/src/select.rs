//! The lines of a file that a read shows.

use harness_core::{ByteCount, LineRange, Outcome};

use crate::{
    content::{BYTE_ORDER_MARK, PROBE_BYTES, not_text},
    excerpt::whole_lines,
};

/// The longest line shown; the rest of it is counted.
const LINE_BYTES_MAX: usize = 2000;

/// Returns the asked lines of a file's content as an outcome, as [`LineSelector`] does.
pub fn select_lines(text: &[u8], lines: Option<LineRange>, limit: ByteCount) -> Outcome {
    let mut selector = LineSelector::new(lines, limit);
    selector.push(text);
    selector.finish()
}

/// Takes the asked lines out of a content that comes in parts, in memory that does not grow with it.
///
/// The content is any bytes; what is no UTF-8 is shown as U+FFFD, a byte order
/// mark is left out, line endings are kept. The result holds at most `limit`
/// bytes of whole lines, from the first asked one on; of a line longer than 2,000
/// bytes the beginning is shown and the rest counted. `lines` in the result is
/// the number of lines in the whole file. A file with a NUL byte in its first
/// 8 KiB is refused, and said what it seems to be.
#[derive(Debug)]
pub struct LineSelector {
    first: u64,
    last: u64,
    limit: usize,
    /// The beginning of the content, until there is enough of it to tell text from other things.
    probe: Option<Vec<u8>>,
    refusal: Option<&'static str>,
    bytes: u64,
    /// How many lines have ended.
    ended: u64,
    line: Line,
    shown: String,
    is_full: bool,
    cut: bool,
    seen: Seen,
}

/// A line that has not ended.
#[derive(Debug, Default)]
struct Line {
    /// Its beginning, where it is asked for.
    beginning: Vec<u8>,
    bytes: usize,
    /// What it ends with so far.
    last: u8,
}

/// What is worth a word about the lines that are shown.
#[derive(Debug, Default)]
struct Seen {
    lf: bool,
    crlf: bool,
    foreign: bool,
}

impl LineSelector {
    /// Begins at the beginning of a content; without `lines` all of them are asked for.
    pub fn new(lines: Option<LineRange>, limit: ByteCount) -> Self {
        let (first, last) = lines.map_or((1, u32::MAX), |range| (range.first.max(1), range.last));
        Self {
            first: first.into(),
            last: last.into(),
            limit: limit.as_usize(),
            probe: Some(Vec::new()),
            refusal: None,
            bytes: 0,
            ended: 0,
            line: Line::default(),
            shown: String::new(),
            is_full: false,
            cut: false,
            seen: Seen::default(),
        }
    }

    /// Takes in the next part.
    pub fn push(&mut self, part: &[u8]) {
        self.bytes += part.len() as u64;
        match &mut self.probe {
            None => self.take(part),
            Some(probe) => {
                let (rest, later) = part.split_at(part.len().min(PROBE_BYTES - probe.len()));
                probe.extend_from_slice(rest);
                if probe.len() == PROBE_BYTES {
                    self.open();
                    self.take(later);
                }
            }
        }
    }

    /// Returns the outcome, the content being at its end.
    pub fn finish(mut self) -> Outcome {
        self.open();
        if let Some(kind) = self.refusal {
            return Outcome::Refused {
                message: format!("the file is not text: {kind}, {}", ByteCount(self.bytes)),
            };
        }
        if self.line.bytes > 0 {
            self.end_line("");
        }
        Outcome::Text {
            note: self.seen.note(),
            text: self.shown,
            lines: self.ended,
            cut: self.cut,
        }
    }

    /// Looks at the beginning, and takes it in where it is text.
    fn open(&mut self) {
        let Some(probe) = self.probe.take() else {
            return;
        };
        self.refusal = not_text(&probe);
        let text = probe.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&probe);
        self.take(text);
    }

    fn take(&mut self, mut part: &[u8]) {
        if self.refusal.is_some() {
            return;
        }
        while let Some(end) = memchr::memchr(b'\n', part) {
            self.add(&part[..end]);
            self.end_line("\n");
            part = &part[end + 1..];
        }
        self.add(part);
    }

    fn add(&mut self, part: &[u8]) {
        let Some(last) = part.last() else {
            return;
        };
        self.line.last = *last;
        self.line.bytes += part.len();
        if self.is_asked_for() {
            let room = LINE_BYTES_MAX + 1 - self.line.beginning.len().min(LINE_BYTES_MAX + 1);
            let beginning = &part[..part.len().min(room)];
            self.line.beginning.extend_from_slice(beginning);
        }
    }

    fn is_asked_for(&self) -> bool {
        let number = self.ended + 1;
        !self.is_full && self.first <= number && number <= self.last
    }

    fn end_line(&mut self, ending: &str) {
        if self.is_asked_for() {
            self.show(ending);
        }
        self.ended += 1;
        self.line.beginning.clear();
        self.line.bytes = 0;
        self.line.last = 0;
    }

    fn show(&mut self, ending: &str) {
        let line = &self.line;
        let rest = line.bytes.saturating_sub(LINE_BYTES_MAX);
        let beginning = &line.beginning[..line.beginning.len().min(LINE_BYTES_MAX)];
        let text = String::from_utf8_lossy(beginning);
        let text = if rest == 0 {
            format!("{text}{ending}")
        } else {
            let whole = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
            format!("{whole} [{rest} more bytes in this line]{ending}")
        };
        self.cut |= rest > 0;
        self.seen.foreign |= rest == 0 && std::str::from_utf8(beginning).is_err();
        if ending == "\n" {
            self.seen.crlf |= line.last == b'\r';
            self.seen.lf |= line.last != b'\r';
        }
        let room = self.limit.saturating_sub(self.shown.len());
        if text.len() <= room {
            self.shown.push_str(&text);
            return;
        }
        self.cut = true;
        self.is_full = true;
        if self.shown.is_empty() {
            self.shown.push_str(whole_lines(&text, room));
        }
    }
}

impl Seen {
    fn note(&self) -> String {
        let endings = match (self.crlf, self.lf) {
            (true, false) => Some("lines end with CRLF"),
            (true, true) => Some("some lines end with CRLF"),
            (false, _) => None,
        };
        let foreign = "not UTF-8, perhaps Latin-1: other bytes are shown as U+FFFD";
        let notes = endings.into_iter().chain(self.foreign.then_some(foreign));
        notes.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn selected(text: &[u8], lines: Option<(u32, u32)>, limit: u64) -> Outcome {
        let range = lines.map(|(first, last)| LineRange { first, last });
        select_lines(text, range, ByteCount(limit))
    }

    fn check(text: &[u8], lines: Option<(u32, u32)>, limit: u64, expected: (&str, u64, bool)) {
        match selected(text, lines, limit) {
            Outcome::Text {
                text, lines, cut, ..
            } => assert_eq!((text.as_str(), lines, cut), expected),
            other => panic!("{other:?}"),
        }
    }

    fn check_note(text: &[u8], expected: &str) {
        match selected(text, None, 10_000) {
            Outcome::Text { note, .. } => assert_eq!(note, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_asked_lines_are_shown() {
        check(b"a\nb\nc", None, 100, ("a\nb\nc", 3, false));
        check(b"a\r\nb\r\n", Some((2, 2)), 100, ("b\r\n", 2, false));
        check(b"a\nb\nc\n", Some((2, 2)), 100, ("b\n", 3, false));
        check(b"a\nb\nc\n", Some((3, u32::MAX)), 100, ("c\n", 3, false));
        check(b"a\n", Some((7, 9)), 100, ("", 1, false));
        check(b"", None, 100, ("", 0, false));
        check(b"\n\n", None, 100, ("\n\n", 2, false));
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
        check_note(text.as_bytes(), "");
        // The cut goes through a character: that says nothing about the encoding.
        check_note(
            format!("{}{}\n", "a".repeat(1999), "\u{fc}".repeat(9)).as_bytes(),
            "",
        );
    }

    #[test]
    fn what_is_odd_about_the_lines_is_said() {
        check_note(b"a\nb\n", "");
        check_note(b"a\r\nb\r\n", "lines end with CRLF");
        check_note(b"a\r\nb\n", "some lines end with CRLF");
        check_note(
            b"caf\xe9\r\n",
            "lines end with CRLF; not UTF-8, perhaps Latin-1: other bytes are shown as U+FFFD",
        );
    }

    #[test]
    fn what_is_not_text_is_refused_as_what_it_is() {
        let cases: [(&[u8], &str); 3] = [
            (b"\x7fELF\0\0", "an ELF program or library, 6 bytes"),
            (b"ab\0c", "binary, 4 bytes"),
            (
                b"\xff\xfea\0b\0",
                "UTF-16; `iconv -f UTF-16 -t UTF-8` shows it, 6 bytes",
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(
                selected(bytes, None, 1000),
                Outcome::Refused {
                    message: format!("the file is not text: {expected}")
                }
            );
        }
        let later = [b"a\n".repeat(PROBE_BYTES), b"\0".to_vec()].concat();
        assert!(matches!(selected(&later, None, 9), Outcome::Text { .. }));
    }

    #[test]
    fn a_huge_content_takes_no_memory_that_grows_with_it() {
        let range = Some(LineRange {
            first: 3_000_000,
            last: 3_000_001,
        });
        let mut selector = LineSelector::new(range, ByteCount::kib(4));
        let part = b"0123456789\n".repeat(1000);
        for _ in 0..4000 {
            selector.push(&part);
            assert!(selector.shown.capacity() + selector.line.beginning.capacity() < 10_000);
        }
        assert!(matches!(
            selector.finish(),
            Outcome::Text { text, lines: 4_000_000, cut: false, .. } if text == "0123456789\n0123456789\n"
        ));
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

        #[test]
        fn it_does_not_matter_in_what_parts_a_content_comes(
            text in "([ab\u{fc}]{0,4}(\n|\r\n)){0,9}[ab]{0,3}", cut in 0_usize..60,
            first in 1_u32..6, last in 0_u32..9, limit in 0_u64..60,
        ) {
            let range = Some(LineRange { first, last });
            let (one, two) = text.as_bytes().split_at(cut.min(text.len()));
            let mut selector = LineSelector::new(range, ByteCount(limit));
            selector.push(one);
            selector.push(two);
            prop_assert_eq!(selector.finish(), select_lines(text.as_bytes(), range, ByteCount(limit)));
        }
    }
}
