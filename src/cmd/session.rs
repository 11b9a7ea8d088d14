//! `harness session`: which sessions there were, and what one of them did, used and cost; their
//! names, and what goes when they are old.
//!
//! Listing and showing read logs, and nothing else of the repository. They take no lock and change
//! nothing, so that they can be asked while a run works.

mod all;
pub(crate) mod marks;
mod prune;
mod show;

use harness_core::SessionId;
use harness_report::{SessionSummary, Tally, cache_rate};
use harness_store::{Marks, RunIndex, Store, StoreError, Verification};
use serde_json::{Value, json};

use super::runs;
use crate::{
    cli::{Common, SessionCommand},
    compose::Site,
    failure::{Failure, chain},
    output::{Output, say},
    table,
};

/// How much of a name is shown in the list. Unit: characters.
const NAME_CHARS: usize = 24;
/// How much of an end is shown in the list. Unit: characters.
const END_CHARS: usize = 60;

pub(crate) fn run(common: &Common, command: &SessionCommand) -> Result<u8, Failure> {
    if let SessionCommand::List {
        all: true,
        archived,
    } = command
    {
        return all::list(*archived, &mut Output::new(common));
    }
    let site = Site::open(common)?;
    let store = site.existing_store()?;
    let mut output = Output::new(common);
    match command {
        SessionCommand::List { archived, .. } => {
            list(&site, store.as_ref(), *archived, &mut output)
        }
        SessionCommand::Show { session } => {
            show::run(&site, store.as_ref(), session.as_deref(), &mut output)
        }
        SessionCommand::Rename { session, name } => {
            let store = store.ok_or_else(none_yet)?;
            marks::rename(
                &store,
                find(&site, &store, Some(session))?,
                name,
                &mut output,
            )
        }
        SessionCommand::Archive { session, undo } => {
            let store = store.ok_or_else(none_yet)?;
            let session = find(&site, &store, Some(session))?;
            marks::archive(&store, session, !undo, &mut output)
        }
        SessionCommand::Export(flags) => {
            let store = store.ok_or_else(none_yet)?;
            super::log::export::run(&site, &store, common, flags)
        }
        SessionCommand::Prune(flags) => {
            let store = store.ok_or_else(none_yet)?;
            prune::run(&site, &store, common, flags)
        }
    }
}

/// A session's log as far as it can be read.
struct Told {
    session: SessionId,
    summary: SessionSummary,
    found: Result<Verification, StoreError>,
    /// The session in which its run went on.
    after: Option<SessionId>,
    /// What a person says of it.
    marks: Marks,
}

impl Told {
    /// Reads a log, one record in memory at a time.
    fn read(store: &Store, runs: &RunIndex, session: SessionId) -> Self {
        let mut summary = SessionSummary::default();
        let found = harness_store::fold(store.log_path(session), |record| {
            summary.take(&record.event, record.time);
        });
        let run = summary.opened.as_ref().map(|opened| opened.run.run);
        let mut of_run = runs.entries.iter().filter(|entry| Some(entry.run) == run);
        let after = of_run.find(|entry| entry.session > session);
        Self {
            session,
            summary,
            found,
            after: after.map(|entry| entry.session),
            marks: store.marks(session).unwrap_or_default(),
        }
    }

    /// Says what is wrong with the log; an end that is being written is not.
    fn problem(&self) -> Option<String> {
        match &self.found {
            Err(error) => Some(chain(error)),
            Ok(found) => {
                let problem = found.problem.as_ref()?;
                Some(format!("line {} {}", problem.line, problem.what))
            }
        }
    }

    fn records(&self) -> u64 {
        self.found.as_ref().map_or(0, |found| found.records)
    }

    /// Words how it ended.
    fn ended(&self) -> &str {
        match &self.summary.end {
            Some(end) => &end.text,
            None if self.problem().is_some() => "log damaged",
            None if self.summary.opened.is_none() => "never began",
            // It was taken up only to go on in another.
            None if self.after.is_some() => {
                let before = self.summary.ended_before.as_deref();
                before.unwrap_or("went on in another session")
            }
            None => "running or cut short",
        }
    }

    /// Returns what both commands say as JSON.
    fn body(&self) -> Value {
        let summary = &self.summary;
        let opened = summary.opened.as_ref();
        let end = summary.end.as_ref();
        json!({
            "session": self.session.to_string(),
            "name": self.marks.name,
            "archived": self.marks.archived,
            "run": opened.map(|opened| opened.run.run.to_string()),
            "feature": opened.map(|opened| opened.feature.to_string()),
            "root": opened.map(|opened| &opened.root),
            "began": summary.began.map(|time| time.to_string()),
            "last_record": summary.last.map(|time| time.to_string()),
            "model": summary.model(),
            "turns": summary.turns,
            "ended": end.map(|end| &end.text),
            "run_ended": end.and_then(|end| end.run).map(|reason| reason.as_str()),
            "usage": usage(&summary.total),
            "cache_rate": cache_rate(summary.total.usage),
            "usd": usd(&summary.total),
            "usd_estimated": summary.total.estimated,
            "records": self.records(),
            "problem": self.problem(),
        })
    }
}

fn usage(tally: &Tally) -> Value {
    json!(harness_report::Tokens::from(tally.usage))
}

fn usd(tally: &Tally) -> Option<f64> {
    tally.cost().map(harness_core::Money::as_usd)
}

fn list(
    site: &Site,
    store: Option<&Store>,
    archived: bool,
    output: &mut Output,
) -> Result<u8, Failure> {
    let sessions = match store {
        Some(store) => store.sessions(),
        None => Ok(Vec::new()),
    };
    let sessions = sessions.map_err(|error| Failure::failed(chain(&error)))?;
    let (Some(store), false) = (store, sessions.is_empty()) else {
        output.text("note: there is no session yet; `harness run` begins one")?;
        return Ok(0);
    };
    let runs = store
        .runs()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let told = sessions
        .iter()
        .rev()
        .map(|session| Told::read(store, &runs, *session));
    let (hidden, shown): (Vec<Told>, Vec<Told>) =
        told.partition(|told| told.marks.archived && !archived);
    let root = site.repo.root().display().to_string();
    let rows: Vec<Vec<String>> = shown.iter().map(|told| cells(told, &root)).collect();
    for (text, told) in table::fitted(&rows).iter().zip(&shown) {
        output.entry("session", text, told.body())?;
    }
    if !hidden.is_empty() {
        say(&format!(
            "note: {} archived, shown with `--archived`",
            hidden.len()
        ));
    }
    Ok(0)
}

/// Returns the row of a session, seen from the work tree at `root`.
fn cells(told: &Told, root: &str) -> Vec<String> {
    let summary = &told.summary;
    let began = summary.began.map(|time| minute(&time.to_string()));
    let opened = summary.opened.as_deref();
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let mut ended = shortened(told.ended(), END_CHARS);
    let elsewhere = opened.filter(|opened| opened.root != root);
    if let Some(opened) = elsewhere {
        ended.push_str(&format!(", in {}", opened.root));
    }
    if told.marks.archived {
        ended.push_str(", archived");
    }
    let name = told.marks.name.as_ref();
    let turns = match summary.turns {
        1 => "1 turn".to_owned(),
        turns => format!("{turns} turns"),
    };
    vec![
        match name {
            Some(name) => format!("{} {}", told.session, shortened(name, NAME_CHARS)),
            None => told.session.to_string(),
        },
        text(began),
        text(opened.map(|opened| opened.run.run.to_string())),
        text(opened.map(|opened| shortened(opened.feature.as_str(), NAME_CHARS))),
        text(Some(shortened(summary.model(), NAME_CHARS)).filter(|name| !name.is_empty())),
        turns,
        summary.total.money(),
        ended,
    ]
}

/// Returns a time to the minute: `2026-11-20 10:14`.
fn minute(time: &str) -> String {
    time.chars().take(16).collect::<String>().replace('T', " ")
}

/// Cuts a text at its end, and says so.
fn shortened(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars - 1).collect();
    format!("{kept}…")
}

/// Finds the session that is named, or the latest of this work tree.
pub(super) fn find(site: &Site, store: &Store, named: Option<&str>) -> Result<SessionId, Failure> {
    let known = store.sessions();
    let known = known.map_err(|error| Failure::failed(chain(&error)))?;
    let Some(named) = named else {
        let root = site.repo.root().display().to_string();
        let is_here = |session: &&SessionId| runs::root_of(store, **session) == Some(root.clone());
        let latest = known.iter().rev().find(is_here).or(known.last());
        return latest.copied().ok_or_else(none_yet);
    };
    if let Some(session) = crate::named::session(store, named)? {
        return Ok(session);
    }
    if let Some(failure) = crate::named::pruned(store, named) {
        return Err(failure);
    }
    let nearest = nearest(named, &known);
    let hint = if nearest.is_empty() {
        "harness run".to_owned()
    } else {
        format!(
            "the nearest: {}; `harness session list` names all",
            nearest.join(", ")
        )
    };
    Err(Failure::usage(format!("there is no session `{named}`")).hint(hint))
}

fn none_yet() -> Failure {
    Failure::usage("there is no session yet").hint("harness run")
}

/// Names up to three sessions that may have been meant: by number, else the latest.
fn nearest(named: &str, known: &[SessionId]) -> Vec<String> {
    let digits: String = named.chars().filter(char::is_ascii_digit).collect();
    let mut known = known.to_vec();
    match digits.parse::<u32>() {
        Ok(wanted) => known.sort_by_key(|session| session.number().abs_diff(wanted)),
        Err(_) => known.reverse(),
    }
    known.truncate(3);
    known.iter().map(ToString::to_string).collect()
}
