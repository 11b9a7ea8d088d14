//! `harness resume --all`: every run of this work tree that has work left, one after the other.
//!
//! Newest first: its work is what stands in the work tree. The first run that needs a person ends it,
//! for what comes behind would meet the same files.

use harness_core::{EndReason, RunId, SessionId};
use harness_engine::Engine;
use harness_store::Store;
use serde_json::json;

use super::one;
use crate::{
    cli::{Common, Resume},
    cmd::runs,
    compose::Site,
    failure::{Failure, NEEDS_HUMAN},
    job::Done,
    surface::Surface,
};

/// How one run fared.
struct Told {
    run: RunId,
    session: SessionId,
    code: u8,
    text: String,
}

pub(super) fn work(
    common: &Common,
    flags: &Resume,
    surface: &dyn Surface,
) -> Result<Done, Failure> {
    let site = Site::open(common)?;
    let store = site.existing_store()?.ok_or_else(super::nothing)?;
    let waiting = with_work_left(&site, &store)?;
    if waiting.is_empty() {
        surface.say("no run of this work tree has work left");
        return Ok(Done::without_run(0));
    }
    let mut told: Vec<Told> = Vec::new();
    let mut last = None;
    for (run, session) in &waiting {
        let flags = Resume {
            session: Some(session.to_string()),
            all: false,
            ..flags.clone()
        };
        let done = one(common, &flags, &[], surface);
        let (code, text) = match &done {
            Ok(done) => (done.code, ended(done)),
            Err(failure) => {
                surface.say(failure.to_text().trim_end());
                (failure.code(), failure.to_told().message)
            }
        };
        last = done.ok().and_then(|done| done.finished).or(last);
        told.push(Told {
            run: *run,
            session: *session,
            code,
            text,
        });
        if stops(code, last.as_ref().map(|finished| finished.reason)) {
            break;
        }
    }
    sum_up(&told, &waiting, surface)?;
    let code = told.iter().map(|told| told.code).find(|code| *code != 0);
    Ok(Done {
        code: code.unwrap_or(0),
        finished: last,
        farewell: String::new(),
    })
}

/// Whether what came of one run keeps the others from being gone on with.
fn stops(code: u8, reason: Option<EndReason>) -> bool {
    code == NEEDS_HUMAN || code >= 128 || reason == Some(EndReason::Interrupted)
}

fn ended(done: &Done) -> String {
    match &done.finished {
        Some(finished) => finished.reason.to_string(),
        None => "nothing was left to do".to_owned(),
    }
}

/// Lists the runs with work left, newest first, each with its last session.
pub(super) fn with_work_left(
    site: &Site,
    store: &Store,
) -> Result<Vec<(RunId, SessionId)>, Failure> {
    let mut found: Vec<(RunId, SessionId)> = Vec::new();
    for run in runs::newest_first_of_all(site, store)? {
        let Some(last) = runs::openings(store, run)?.pop() else {
            continue;
        };
        let is_known = found.iter().any(|(known, _)| *known == run);
        if last.run.by_hand.is_some() || is_known {
            continue;
        }
        let log = harness_store::read(store.log_path(last.session));
        let has_work = match log {
            Ok(log) => {
                let events = log.records.into_iter();
                let engine = Engine::fold(events.map(|record| (record.event, record.time)));
                engine.is_some_and(|engine| engine.has_work_left())
            }
            // Why it cannot go on is said where it is tried.
            Err(_) => true,
        };
        if has_work {
            found.push((run, last.session));
        }
    }
    Ok(found)
}

fn sum_up(
    told: &[Told],
    waiting: &[(RunId, SessionId)],
    surface: &dyn Surface,
) -> Result<(), Failure> {
    let list: Vec<_> = told
        .iter()
        .map(|told| {
            json!({ "run": told.run.to_string(), "session": told.session.to_string(), "exit_code": told.code,
                "text": told.text })
        })
        .collect();
    let left: Vec<String> = waiting[told.len()..]
        .iter()
        .map(|(run, _)| run.to_string())
        .collect();
    let mut text = format!("harness: {} of {} gone on with", told.len(), waiting.len());
    for told in told {
        let line = told.text.lines().next().unwrap_or_default();
        text.push_str(&format!("\n  {} ({}): {line}", told.run, told.session));
    }
    if !left.is_empty() {
        text.push_str(&format!(
            "\n  a person is needed first; not gone on with: {}",
            left.join(", ")
        ));
    }
    let body = json!({ "runs": list, "not_resumed": left });
    surface.entry("resumed_all", &text, body)
}
