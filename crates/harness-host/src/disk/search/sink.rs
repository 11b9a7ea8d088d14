//! Taking the lines of one file, cut around what matches.

use std::{io, ops::Range};

use grep_matcher::Matcher as _;
use grep_regex::RegexMatcher;
use grep_searcher::{Searcher, Sink, SinkContext, SinkMatch};
use harness_core::RepoPath;

use super::{Hit, SearchLimits};

/// Collects what is found in one file.
pub(super) struct HitSink<'a> {
    path: &'a RepoPath,
    matcher: &'a RegexMatcher,
    limits: SearchLimits,
    matches: usize,
    hits: Vec<Hit>,
}

impl<'a> HitSink<'a> {
    pub(super) const fn new(
        path: &'a RepoPath,
        matcher: &'a RegexMatcher,
        limits: SearchLimits,
    ) -> Self {
        Self {
            path,
            matcher,
            limits,
            matches: 0,
            hits: Vec::new(),
        }
    }

    pub(super) fn into_hits(self) -> Vec<Hit> {
        self.hits
    }

    fn add(&mut self, line: Option<u64>, bytes: &[u8], matched: Option<Range<usize>>) {
        self.hits.push(Hit {
            path: self.path.clone(),
            line: line.unwrap_or(0),
            is_match: matched.is_some(),
            text: line_text(bytes, &matched.unwrap_or(0..0), self.limits.line),
        });
    }
}

impl Sink for &mut HitSink<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, line: &SinkMatch<'_>) -> Result<bool, io::Error> {
        let bytes = line.bytes();
        let matched = self.matcher.find(bytes).ok().flatten();
        let matched = matched.map_or(0..0, |matched| matched.start()..matched.end());
        self.add(line.line_number(), bytes, Some(matched));
        self.matches += 1;
        // One more than is wanted tells that there are more.
        Ok(self.matches <= self.limits.hits)
    }

    fn context(&mut self, _: &Searcher, line: &SinkContext<'_>) -> Result<bool, io::Error> {
        self.add(line.line_number(), line.bytes(), None);
        Ok(true)
    }

    /// Takes back what was found before the first NUL byte.
    fn binary_data(&mut self, _: &Searcher, _: u64) -> Result<bool, io::Error> {
        self.hits.clear();
        Ok(false)
    }
}

/// Returns a line without its end; of a long one about `max` bytes around what matches.
fn line_text(line: &[u8], matched: &Range<usize>, max: usize) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() <= max {
        return bounded(line, max);
    }
    // A third of the room before the match, and never less of the line than there is room for.
    let wanted = matched.start.min(line.len()).saturating_sub(max / 3);
    let start = begin_of_char(line, wanted.min(line.len() - max));
    let end = begin_of_char(line, (start + max).min(line.len()));
    let before = if start > 0 { "…" } else { "" };
    let after = if end < line.len() { "…" } else { "" };
    format!("{before}{}{after}", bounded(&line[start..end], max))
}

/// Returns where the character begins that the byte at `offset` is a part of, looking back as far as one is long.
fn begin_of_char(line: &[u8], offset: usize) -> usize {
    let is_within = |at: &usize| line.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let mut places = (offset.saturating_sub(3)..=offset).rev();
    places.find(|at| !is_within(at)).unwrap_or(offset)
}

/// Returns bytes as text; replacing what is no UTF-8 can lengthen a text threefold, so it is cut again.
fn bounded(bytes: &[u8], max: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.len() <= max {
        return text.into_owned();
    }
    let end = (0..=max).rev().find(|&end| text.is_char_boundary(end));
    format!("{}…", &text[..end.unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_what_matches() {
        let line = format!("{}needle{}\r\n", "a".repeat(100), "b".repeat(100));
        let text = line_text(line.as_bytes(), &(100..106), 30);
        assert_eq!(
            text,
            format!("…{}needle{}…", "a".repeat(10), "b".repeat(14))
        );
        assert_eq!(line_text(b"needle and more", &(0..6), 10), "needle and…");
        assert_eq!(line_text(b"before a needle", &(9..15), 10), "…e a needle");
        assert_eq!(line_text(b"short\r\n", &(0..5), 10), "short");
    }

    #[test]
    fn a_cut_goes_through_no_character() {
        let line = "\u{e9}".repeat(100);
        for start in 0..190 {
            let text = line_text(line.as_bytes(), &(start..start + 2), 31);
            assert!(!text.contains('\u{fffd}'), "{start}: {text}");
        }
        let text = line_text(&[0xff; 100], &(50..51), 30);
        assert!(text.len() < 40, "{text}");
    }
}
