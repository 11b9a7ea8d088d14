//! `harness session`: which sessions there were, and what one of them did, used and cost.
//!
//! Reads logs, and nothing else of the repository. Takes no lock and changes nothing, so that
//! it can be asked while a run works.

mod show;

use harness_core::SessionId;
use harness_report::{SessionSummary, Tally, cache_rate};
use harness_store::{RunIndex, Store, StoreError, Verification};
use serde_json::{Value, json};

use super::runs;
use crate::{
    cli::{Common, SessionCommand},
    compose::Site,
    failure::{Failure, chain},
    output::Output,
    table,
};

/// How much of a name is shown in the list. Unit: characters.
const NAME_CHARS: usize = 24;
/// How much of an end is shown in the list. Unit: characters.
const END_CHARS: usize = 60;

pub(super) fn run(common: &Common, command: &SessionCommand) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let store = site.existing_store()?;
    let mut output = Output::new(common);
    match command {
        SessionCommand::List => list(&site, store.as_ref(), &mut output),
        SessionCommand::Show { session } => {
            show::run(&site, store.as_ref(), session.as_deref(), &mut output)
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

fn list(site: &Site, store: Option<&Store>, output: &mut Output) -> Result<u8, Failure> {
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
    let newest_first = sessions.iter().rev();
    let rows: Vec<(Vec<String>, Value)> = newest_first
        .map(|session| {
            let told = Told::read(store, &runs, *session);
            (cells(&told, site), told.body())
        })
        .collect();
    let (cells, bodies): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    for (text, body) in table::fitted(&cells).iter().zip(bodies) {
        output.entry("session", text, body)?;
    }
    Ok(0)
}

fn cells(told: &Told, site: &Site) -> Vec<String> {
    let summary = &told.summary;
    let began = summary.began.map(|time| minute(&time.to_string()));
    let opened = summary.opened.as_deref();
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let mut ended = shortened(told.ended(), END_CHARS);
    let elsewhere = opened.filter(|opened| opened.root != site.repo.root().display().to_string());
    if let Some(opened) = elsewhere {
        ended.push_str(&format!(", in {}", opened.root));
    }
    let turns = match summary.turns {
        1 => "1 turn".to_owned(),
        turns => format!("{turns} turns"),
    };
    vec![
        told.session.to_string(),
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
    // A number alone will do.
    let by_number = named.parse().ok().map(SessionId::new);
    let session = by_number.or_else(|| named.parse().ok());
    if let Some(session) = session.filter(|session| known.contains(session)) {
        return Ok(session);
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
