//! A session that is followed from outside of its process: what is new, and whether more will come.
//!
//! Reads the log and the index of runs; takes no lock and writes nothing. Called by `harness log
//! follow`, and by whatever else watches a run that is not its own.

use std::time::{Duration, Instant};

use harness_core::{EndReason, Event, RunId, SessionId};
use harness_store::{Follower, Record, Store};

use crate::failure::{Failure, chain};

/// How often a log is looked at: a look that finds nothing asks for the size of one file.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long no process may have a session before it counts as cut short: a resume takes it up in between.
const ORPHANED: Duration = Duration::from_secs(5);
/// How often is looked who writes, and whether the run went on, while nothing happens.
const QUIET: Duration = Duration::from_secs(1);

/// Where a followed session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// More may come.
    Open,
    /// No process has had it for a while; it can be resumed.
    CutShort,
    /// The run went on in another session.
    WentOn(SessionId),
    /// The run is over.
    Over(EndReason),
    /// Its log was removed.
    Gone,
}

/// A session that is followed.
#[derive(Debug)]
pub(crate) struct Followed {
    store: Store,
    session: SessionId,
    follower: Follower,
    run: Option<RunId>,
    is_over: bool,
    end: Option<EndReason>,
    /// When the last record came.
    news: Instant,
    /// When the quiet was looked into last.
    looked: Option<Instant>,
    orphaned: Option<Instant>,
}

impl Followed {
    /// Follows a session from its first record.
    pub(crate) fn new(store: &Store, session: SessionId) -> Self {
        Self {
            store: store.clone(),
            session,
            follower: Follower::new(store, session),
            run: None,
            is_over: false,
            end: None,
            news: Instant::now(),
            looked: None,
            orphaned: None,
        }
    }

    /// Returns the session.
    pub(crate) const fn session(&self) -> SessionId {
        self.session
    }

    /// Gives what is new to `each` and says whether more may come. Never waits.
    pub(crate) fn look(&mut self, mut each: impl FnMut(&Record)) -> Result<Stand, Failure> {
        let (run, end, is_over) = (&mut self.run, &mut self.end, &mut self.is_over);
        let looked = self.follower.look(|record| {
            match &record.event {
                Event::SessionOpened(opened) => *run = Some(opened.run.run),
                Event::SessionResumed { .. } => (*end, *is_over) = (None, false),
                Event::SessionEnded { .. } => *is_over = true,
                Event::RunEnded { reason, .. } => *end = Some(*reason),
                _ => {}
            }
            each(&record);
        });
        let looked = looked.map_err(|error| {
            Failure::red(chain(&error)).hint(format!("harness log verify {}", self.session))
        })?;
        if looked.records > 0 {
            (self.news, self.looked, self.orphaned) = (Instant::now(), None, None);
            return Ok(Stand::Open);
        }
        if let Some(reason) = self.end {
            return Ok(Stand::Over(reason));
        }
        if looked.is_gone {
            return Ok(Stand::Gone);
        }
        self.look_around()
    }

    /// Looks why nothing comes: at once when the session is over, else after a while.
    fn look_around(&mut self) -> Result<Stand, Failure> {
        let since = self.looked.unwrap_or(self.news);
        if !self.is_over && since.elapsed() < QUIET {
            return Ok(Stand::Open);
        }
        self.looked = Some(Instant::now());
        if let Some(next) = self.next()? {
            return Ok(Stand::WentOn(next));
        }
        if self.follower.is_written() != Some(false) {
            self.orphaned = None;
            return Ok(Stand::Open);
        }
        let since = *self.orphaned.get_or_insert_with(Instant::now);
        Ok(if since.elapsed() >= ORPHANED {
            Stand::CutShort
        } else {
            Stand::Open
        })
    }

    /// Returns the session in which the run went on, once it has begun.
    fn next(&self) -> Result<Option<SessionId>, Failure> {
        let Some(run) = self.run else {
            return Ok(None);
        };
        let index = self.store.runs();
        let index = index.map_err(|error| Failure::failed(chain(&error)))?;
        let mut later = index
            .entries
            .iter()
            .filter(|entry| entry.run == run && entry.session > self.session)
            .map(|entry| entry.session);
        Ok(later.find(|session| {
            let first = harness_store::first(self.store.log_path(*session));
            matches!(first, Ok(Some(_)))
        }))
    }
}
