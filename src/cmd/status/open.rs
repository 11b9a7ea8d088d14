//! Every run that lives or has something left to do, where there is more than the newest one to tell of.
//!
//! Reads the beginning and the end of each log alone, so that many old runs cost little.

use harness_core::{ByteCount, EndReason, Event, RunId, SessionOpened};
use harness_report::clean;
use harness_store::Store;
use serde_json::json;

use crate::{
    cmd::{land, runs, session::marks::is_archived},
    compose::Site,
    failure::Failure,
    output::{Output, say},
};

/// The most runs that are looked at, newest first.
const RUNS_MAX: usize = 200;
/// How much of the end of a log is read.
const TAIL_BYTES: ByteCount = ByteCount::kib(256);
/// The most features that are named of a run.
const NAMED_MAX: usize = 5;

/// How a run stands that is not done with.
struct Open {
    opened: SessionOpened,
    /// How its last session ended; `None` while it has no end.
    end: Option<EndReason>,
    /// Whether a process works on it; `None` where the system does not tell.
    is_running: Option<bool>,
    /// Whether it can be gone on with.
    is_resumable: bool,
    /// Features that wait to be landed.
    waiting: Vec<String>,
}

/// Tells of all runs that are not done with when others than the newest one are among them.
pub(super) fn tell(site: &Site, output: &mut Output) -> Result<(), Failure> {
    let Some(store) = site.existing_store()? else {
        return Ok(());
    };
    let mut known: Vec<RunId> = Vec::new();
    for run in runs::newest_first_of_all(site, &store)? {
        if !known.contains(&run) {
            known.push(run);
        }
    }
    let newest = known.first().copied();
    let more = known.len().saturating_sub(RUNS_MAX);
    let mut open = Vec::new();
    for run in known.into_iter().take(RUNS_MAX) {
        open.extend(look(site, &store, run)?);
    }
    if open.iter().all(|open| Some(open.opened.run.run) == newest) {
        return Ok(());
    }
    for run in open {
        let (text, body) = (run.text(site, &store), run.body());
        output.entry("open_run", &text, body)?;
    }
    if more > 0 {
        say(&format!(
            "note: {more} older runs were not looked at; `harness session list` has them"
        ));
    }
    Ok(())
}

/// Looks at a run; `None` when it is done with, or its log does not tell.
fn look(site: &Site, store: &Store, run: RunId) -> Result<Option<Open>, Failure> {
    let Ok(openings) = runs::openings(store, run) else {
        return Ok(None);
    };
    let Some(opened) = openings.into_iter().next_back() else {
        return Ok(None);
    };
    let Ok(events) = harness_store::tail(store.log_path(opened.session), TAIL_BYTES) else {
        return Ok(None);
    };
    let end = end(&events);
    let is_running = match end {
        Some(_) => Some(false),
        None => harness_store::is_written(store, opened.session),
    };
    let is_put_away = is_running != Some(true) && is_archived(store, opened.session);
    let is_over = end.is_some_and(|end| end.exit_code() == 0 || end == EndReason::Aborted);
    let is_resumable = !is_over && !is_put_away && opened.run.by_hand.is_none();
    let waiting = if end == Some(EndReason::Aborted) || is_put_away {
        Vec::new()
    } else {
        let waiting = land::waiting(site, &opened)?.into_iter();
        waiting.map(|feature| feature.to_string()).collect()
    };
    let is_open = is_resumable || !waiting.is_empty();
    Ok(is_open.then_some(Open {
        opened,
        end,
        is_running,
        is_resumable,
        waiting,
    }))
}

/// Returns how a session ended that was not taken up since.
fn end(events: &[Event]) -> Option<EndReason> {
    let mut newest_first = events.iter().rev();
    newest_first.find_map(|event| match event {
        Event::RunEnded { reason, .. } => Some(Some(*reason)),
        Event::SessionResumed { .. } => Some(None),
        _ => None,
    })?
}

impl Open {
    /// Says how it stands and what can be done.
    fn text(&self, site: &Site, store: &Store) -> String {
        let Self { opened, end, .. } = self;
        let state = match (end, self.is_running) {
            (Some(end), _) => format!("ended, {end}"),
            (None, Some(true)) => "running".to_owned(),
            (None, Some(false)) => "cut short".to_owned(),
            (None, None) => "running or cut short".to_owned(),
        };
        let mut text = format!(
            "run: {} {}, {}, {state}",
            opened.run.run,
            opened.session,
            clean(opened.feature.as_str())
        );
        if !self.waiting.is_empty() {
            let mut named = self.waiting.clone();
            let more = named.len().saturating_sub(NAMED_MAX);
            named.truncate(NAMED_MAX);
            if more > 0 {
                named.push(format!("and {more} more"));
            }
            text.push_str(&format!(", proven and not landed: {}", named.join(", ")));
        }
        if runs::is_elsewhere(site, store, opened.session) {
            text.push_str(&format!(", in `{}`", clean(&opened.root)));
        }
        for (number, way) in self.ways().into_iter().enumerate() {
            let at = if number == 0 { "; " } else { ", " };
            text.push_str(&format!("{at}`{way}`"));
        }
        text
    }

    /// Returns the commands that lead on.
    fn ways(&self) -> Vec<String> {
        let (run, session) = (self.opened.run.run, self.opened.session);
        if self.is_running == Some(true) {
            return vec![format!("harness log follow {session}")];
        }
        let mut ways = Vec::new();
        if self.is_resumable {
            ways.push(format!("harness resume {session}"));
        }
        if !self.waiting.is_empty() {
            ways.push(format!("harness land {run}"));
        }
        ways.push(format!("harness abort {run}"));
        ways
    }

    fn body(&self) -> serde_json::Value {
        let Self { opened, end, .. } = self;
        json!({ "run": opened.run.run.to_string(), "session": opened.session.to_string(),
            "feature": opened.feature.to_string(), "ended": end.map(|end| end.to_string()),
            "running": self.is_running, "root": opened.root, "not_landed": self.waiting, "ways_out": self.ways() })
    }
}
