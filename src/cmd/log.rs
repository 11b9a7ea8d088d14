//! `harness log`: what happened in a session, and whether its record is whole.

use harness_core::SessionId;
use harness_report::{JsonLines, Lines};
use harness_store::Store;
use serde_json::json;

use super::runs;
use crate::{
    cli::{Common, Log},
    compose::Site,
    failure::{Failure, RED, chain},
    output::{self, Output},
};

pub(super) fn run(common: &Common, command: &Log) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let store = site.existing_store()?;
    let store = store.ok_or_else(|| {
        Failure::usage("there is no session in this repository").hint("harness run")
    })?;
    match command {
        Log::Show {
            session: Some(session),
        } => show(&store, common, runs::any_session(&store, session)?),
        Log::Show { session: None } => show(&store, common, runs::session(&site, &store, None)?),
        Log::Verify {
            session: Some(session),
        } => verify(&store, common, &[runs::any_session(&store, session)?]),
        Log::Verify { session: None } => {
            let sessions = store
                .sessions()
                .map_err(|error| Failure::failed(chain(&error)))?;
            verify(&store, common, &sessions)
        }
    }
}

fn show(store: &Store, common: &Common, session: SessionId) -> Result<u8, Failure> {
    let log = harness_store::read(store.log_path(session)).map_err(|error| {
        Failure::red(chain(&error)).hint(format!("harness log verify {session}"))
    })?;
    let (mut lines, mut json) = (Lines::detailed(), JsonLines::default());
    for record in &log.records {
        let text = if common.json {
            json.write(&record.event, record.time)
        } else {
            lines.at(record.time);
            lines.write(&record.event)
        };
        output::write(&text)?;
    }
    Ok(0)
}

fn verify(store: &Store, common: &Common, sessions: &[SessionId]) -> Result<u8, Failure> {
    let mut output = Output::new(common);
    let mut code = 0;
    for session in sessions {
        let found = harness_store::verify(store.log_path(*session));
        let found = found.map_err(|error| Failure::usage(chain(&error)).hint("harness status"))?;
        let problem = found
            .problem
            .as_ref()
            .map(|problem| format!("line {}: {}", problem.line, problem.what));
        let text = match &problem {
            Some(problem) => format!(
                "note: {session} does not hold after record {}: {problem}",
                found.records
            ),
            None if found.torn.0 > 0 => {
                format!(
                    "note: {session} holds, {} records, and ends with {} of a record that was cut short",
                    found.records, found.torn
                )
            }
            None => format!(
                "note: {session} holds, {} records, head {}",
                found.records, found.head.hash
            ),
        };
        let body = json!({ "session": session.to_string(), "records": found.records, "head": found.head.hash.to_string(),
            "whole": found.is_whole(), "torn_bytes": found.torn.0, "problem": problem });
        output.entry("log_verified", &text, body)?;
        if problem.is_some() {
            code = RED;
        }
    }
    if sessions.is_empty() {
        output.text("note: there is no session yet")?;
    }
    Ok(code)
}
