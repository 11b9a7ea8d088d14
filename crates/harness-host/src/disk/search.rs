//! Searching file contents with a regular expression, within bounds.
//!
//! One thread walks, in the order of the paths; several look into the files it
//! names, a batch at a time. So the result is the same whatever is quicker.

mod glob;
mod sink;

use std::{
    fs::File,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use harness_core::{Action, ByteCount, RepoPath};
use harness_guard::Permit;

use self::{glob::Files, sink::HitSink};
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
    /// How long it takes.
    pub time: Duration,
}

impl Default for SearchLimits {
    fn default() -> Self {
        Self {
            hits: 200,
            line: 400,
            file: ByteCount::mib(64),
            files: 200_000,
            time: Duration::from_secs(20),
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
    /// Where the search ended before it was through.
    pub cut: Option<Cut>,
}

/// The bound at which a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// There are more lines that match.
    Hits,
    /// There are more files.
    Files,
    /// It took too long.
    Time,
}

/// A line that matches, or one beside such a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The file.
    pub path: RepoPath,
    /// The line's number, from 1.
    pub line: u64,
    /// The line without its end; other bytes than UTF-8 are replaced, a long one is cut
    /// around what matches.
    pub text: String,
    /// Whether it matches; else it stands beside one that does.
    pub is_match: bool,
}

/// Memory for a compiled expression; a query comes from a model.
const QUERY_BYTES_MAX: usize = 4 << 20;

/// Memory for the lines of one file; one with a longer line is left out.
const HEAP_BYTES_MAX: usize = 8 << 20;

/// How many files are handed to the threads at a time.
const BATCH_FILES: usize = 512;

/// How many files are worth another thread.
const THREAD_FILES_MIN: usize = 32;

/// How many threads look into files at most.
const THREADS_MAX: usize = 8;

impl Root {
    /// Searches below the path that an agent was permitted to search.
    ///
    /// Left out: what ignore files name, `.git`, what `hidden` says, links, and
    /// files that hold a NUL byte.
    ///
    /// # Errors
    /// [`DiskError::NotPermitted`] for a permit of another kind, [`DiskError::Query`]
    /// for what is no expression, [`DiskError::Glob`] for what is no pattern of files;
    /// else as the disk answers.
    pub fn search(
        &self,
        permit: &Permit,
        hidden: &dyn Fn(&RepoPath) -> bool,
        limits: SearchLimits,
    ) -> Result<Found, DiskError> {
        let Action::Search {
            query,
            path,
            glob,
            context,
        } = permit.action()
        else {
            return Err(DiskError::NotPermitted {
                path: permit.action().path().clone(),
            });
        };
        let wanted = Wanted {
            matcher: compile(query)?,
            files: Files::compile(glob.as_deref(), path)?,
            context: usize::try_from(*context).unwrap_or(usize::MAX),
            limits,
            deadline: Instant::now() + limits.time,
        };
        // Says what is wrong with the path itself; below it, trouble is only counted.
        self.open_at(path, super::open::READ)?;
        Ok(self.search_below(path, &wanted, hidden))
    }

    fn search_below(
        &self,
        path: &RepoPath,
        wanted: &Wanted,
        hidden: &dyn Fn(&RepoPath) -> bool,
    ) -> Found {
        let mut found = Found::default();
        let entries = self.walk(path).build().flatten();
        let mut files = entries
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .filter_map(|entry| self.repo_path(entry.path()))
            .filter(|file| wanted.files.cover(file) && !hidden(file));
        loop {
            let left = wanted.limits.files.saturating_sub(found.files);
            let room = usize::try_from(left).unwrap_or(usize::MAX);
            let batch: Vec<RepoPath> = files.by_ref().take(BATCH_FILES.min(room)).collect();
            if batch.is_empty() {
                if room == 0 && files.next().is_some() {
                    found.cut = Some(Cut::Files);
                }
                return found;
            }
            found.files += batch.len() as u64;
            for (hits, is_skipped) in self.search_batch(&batch, wanted) {
                found.skipped += u64::from(is_skipped);
                found.add(hits, wanted.limits.hits);
            }
            if found.cut.is_none() && wanted.is_late() {
                found.cut = Some(Cut::Time);
            }
            if found.cut.is_some() {
                return found;
            }
        }
    }

    /// Looks into files with as many threads as are worth it; the results are in the files' order.
    fn search_batch(&self, files: &[RepoPath], wanted: &Wanted) -> Vec<(Vec<Hit>, bool)> {
        let most = thread::available_parallelism().map_or(1, usize::from);
        let threads = files
            .len()
            .div_ceil(THREAD_FILES_MIN)
            .min(most)
            .min(THREADS_MAX);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut searcher = wanted.searcher();
            let mut done = Vec::new();
            while !wanted.is_late() {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = files.get(index) else {
                    break;
                };
                let found = self.search_file(file, wanted, &mut searcher);
                if found.1 || !found.0.is_empty() {
                    done.push((index, found));
                }
            }
            done
        };
        let mut done = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut done = work();
            for other in others {
                match other.join() {
                    Ok(theirs) => done.extend(theirs),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, found)| found).collect()
    }

    /// Returns what is found in one file, and whether it could not be looked into.
    fn search_file(
        &self,
        path: &RepoPath,
        wanted: &Wanted,
        searcher: &mut Searcher,
    ) -> (Vec<Hit>, bool) {
        let file = match self.open_file(path) {
            Ok((file, stat))
                if u64::try_from(stat.st_size).unwrap_or(0) <= wanted.limits.file.0 =>
            {
                file
            }
            _ => return (Vec::new(), true),
        };
        let mut sink = HitSink::new(path, &wanted.matcher, wanted.limits);
        let searched = searcher.search_file(&wanted.matcher, &File::from(file), &mut sink);
        (sink.into_hits(), searched.is_err())
    }
}

impl Found {
    /// Adds the lines of one file, as long as no more match than are wanted.
    fn add(&mut self, hits: Vec<Hit>, hits_max: usize) {
        let mut matches = self.hits.iter().filter(|hit| hit.is_match).count();
        for hit in hits {
            if self.cut.is_some() {
                return;
            }
            if hit.is_match && matches == hits_max {
                self.cut = Some(Cut::Hits);
                return;
            }
            matches += usize::from(hit.is_match);
            self.hits.push(hit);
        }
    }
}

/// What is searched for.
struct Wanted {
    matcher: RegexMatcher,
    files: Files,
    /// Lines shown before and after each found one.
    context: usize,
    limits: SearchLimits,
    deadline: Instant,
}

impl Wanted {
    fn is_late(&self) -> bool {
        Instant::now() > self.deadline
    }

    fn searcher(&self) -> Searcher {
        SearcherBuilder::new()
            .binary_detection(BinaryDetection::quit(0))
            .heap_limit(Some(HEAP_BYTES_MAX))
            .before_context(self.context)
            .after_context(self.context)
            .line_number(true)
            .build()
    }
}

/// Returns an expression that finds `text` as it stands.
pub fn literal(text: &str) -> String {
    regex_syntax::escape(text)
}

fn compile(query: &str) -> Result<RegexMatcher, DiskError> {
    RegexMatcherBuilder::new()
        .line_terminator(Some(b'\n'))
        .size_limit(QUERY_BYTES_MAX)
        .dfa_size_limit(QUERY_BYTES_MAX)
        .build(query)
        .map_err(|error| DiskError::Query {
            query: query.to_owned(),
            // The matcher has wrapped the query, and would point into that.
            source: match regex_syntax::parse(query) {
                Err(problem) => problem.into(),
                Ok(_) => error.into(),
            },
        })
}
