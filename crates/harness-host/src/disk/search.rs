//! Searching file contents with a regular expression, within bounds.

use std::{fs::File, io};

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkMatch};
use harness_core::{Action, ByteCount, RepoPath};
use harness_guard::Permit;

use super::{DiskError, Root};

/// Bounds of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchLimits {
    /// Matching lines in all.
    pub hits: usize,
    /// Bytes shown of one line.
    pub line: usize,
    /// The largest file that is searched.
    pub file: ByteCount,
    /// How many files are looked into.
    pub files: u64,
}

impl Default for SearchLimits {
    fn default() -> Self {
        Self {
            hits: 200,
            line: 400,
            file: ByteCount::mib(4),
            files: 200_000,
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The lines, by path, then by number.
    pub hits: Vec<Hit>,
    /// How many files were looked into.
    pub files: u64,
    /// How many files were left out as too large, or could not be read.
    pub skipped: u64,
    /// Whether the search ended at a bound.
    pub cut: bool,
}

/// A line that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The file.
    pub path: RepoPath,
    /// The line's number, from 1.
    pub line: u64,
    /// The line without its end; other bytes than UTF-8 are replaced, a long one is cut.
    pub text: String,
}

/// Memory for a compiled expression; a query comes from a model.
const QUERY_BYTES_MAX: usize = 4 << 20;

impl Root {
    /// Searches below the path that an agent was permitted to search.
    ///
    /// Left out: what ignore files name, `.git`, what `hidden` says, links, and
    /// files that hold a NUL byte.
    ///
    /// # Errors
    /// [`DiskError::NotPermitted`] for a permit of another kind, [`DiskError::Query`]
    /// for what is no expression; else as the disk answers.
    pub fn search(
        &self,
        permit: &Permit,
        hidden: &dyn Fn(&RepoPath) -> bool,
        limits: SearchLimits,
    ) -> Result<Found, DiskError> {
        match permit.action() {
            Action::Search { query, path } => self.search_at(query, path, hidden, limits),
            other => Err(DiskError::NotPermitted {
                path: other.path().clone(),
            }),
        }
    }

    fn search_at(
        &self,
        query: &str,
        path: &RepoPath,
        hidden: &dyn Fn(&RepoPath) -> bool,
        limits: SearchLimits,
    ) -> Result<Found, DiskError> {
        let matcher = compile(query)?;
        // Says what is wrong with the path itself; below it, trouble is only counted.
        self.open_at(path, super::open::READ)?;
        let mut searcher = searcher(limits);
        let mut found = Found::default();
        for entry in self.walk(path).build().flatten() {
            let Some(file) = self.repo_path(entry.path()) else {
                continue;
            };
            if !entry.file_type().is_some_and(|kind| kind.is_file()) || hidden(&file) {
                continue;
            }
            if found.files == limits.files {
                found.cut = true;
            }
            if found.cut {
                break;
            }
            found.files += 1;
            self.search_file(&matcher, &mut searcher, &file, limits, &mut found);
        }
        Ok(found)
    }

    fn search_file(
        &self,
        matcher: &RegexMatcher,
        searcher: &mut Searcher,
        path: &RepoPath,
        limits: SearchLimits,
        found: &mut Found,
    ) {
        let file = match self.open_file(path) {
            Ok((file, stat)) if u64::try_from(stat.st_size).unwrap_or(0) <= limits.file.0 => file,
            _ => {
                found.skipped += 1;
                return;
            }
        };
        let sink = HitSink {
            path,
            limits,
            first: found.hits.len(),
            found,
        };
        if searcher
            .search_file(matcher, &File::from(file), sink)
            .is_err()
        {
            found.skipped += 1;
        }
    }
}

fn compile(query: &str) -> Result<RegexMatcher, DiskError> {
    RegexMatcherBuilder::new()
        .line_terminator(Some(b'\n'))
        .size_limit(QUERY_BYTES_MAX)
        .dfa_size_limit(QUERY_BYTES_MAX)
        .build(query)
        .map_err(|source| DiskError::Query {
            query: query.to_owned(),
            source,
        })
}

fn searcher(limits: SearchLimits) -> Searcher {
    SearcherBuilder::new()
        .binary_detection(BinaryDetection::quit(0))
        // A line can be as long as a file; anything beyond grew since it was measured.
        .heap_limit(Some(limits.file.as_usize().saturating_mul(2)))
        .line_number(true)
        .build()
}

struct HitSink<'a> {
    path: &'a RepoPath,
    limits: SearchLimits,
    /// How many hits there were before this file.
    first: usize,
    found: &'a mut Found,
}

impl Sink for HitSink<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, matched: &SinkMatch<'_>) -> Result<bool, io::Error> {
        if self.found.hits.len() == self.limits.hits {
            self.found.cut = true;
            return Ok(false);
        }
        self.found.hits.push(Hit {
            path: self.path.clone(),
            line: matched.line_number().unwrap_or(0),
            text: line_text(matched.bytes(), self.limits.line),
        });
        Ok(true)
    }

    /// Takes back what was found before the first NUL byte.
    fn binary_data(&mut self, _: &Searcher, _: u64) -> Result<bool, io::Error> {
        self.found.hits.truncate(self.first);
        Ok(false)
    }
}

/// Returns a line without its end, cut between characters to at most `max` bytes and a mark.
fn line_text(line: &[u8], max: usize) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // Replacing bytes can lengthen a text threefold, so both sides are cut.
    let text = String::from_utf8_lossy(&line[..line.len().min(max.saturating_add(4))]);
    if text.len() <= max {
        return text.into_owned();
    }
    let end = (0..=max)
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or(0);
    format!("{}…", &text[..end])
}
