//! `harness resume`: goes on where a run was stopped or killed.

use harness_core::{Event, SessionId};
use harness_engine::Engine;
use harness_runner::Launch;
use harness_store::{LogWriter, Record, Store};

use crate::{
    ask,
    cli::{Common, Resume},
    compose::Site,
    faces,
    failure::{Failure, chain},
    output::say,
    session,
    trust::{self, Subject},
};

pub(super) fn run(common: &Common, flags: &Resume) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&flags.options)?;
    let list = site.features(&resolved.policy.feature_file)?;
    let features = list
        .as_ref()
        .map(|list| list.features().to_vec())
        .unwrap_or_default();
    trust::require(&site, &Subject::of(&site, &features)?, common)?;
    let store = site.existing_store()?.ok_or_else(nothing)?;
    let _lock = session::lock(&site, &store)?;
    let wanted = flags
        .session
        .as_deref()
        .map(str::parse::<SessionId>)
        .transpose();
    let wanted = wanted.map_err(|error| Failure::usage(error.to_string()))?;
    let (session, log, records) = open(&store, wanted)?;
    let engine = Engine::fold(
        records
            .into_iter()
            .map(|record| (record.event, record.time)),
    );
    let engine = engine.ok_or_else(|| {
        Failure::failed(format!(
            "session `{session}` does not begin with its opening"
        ))
    })?;
    if engine.end().is_some_and(|end| end.exit_code() == 0) {
        say(&format!(
            "session {session} ended well: nothing is left to do"
        ));
        return Ok(0);
    }
    let model = session::choose_model(
        flags.options.model.as_deref().or(recorded_as(&engine)),
        &resolved,
    )?;
    let resumed = Event::SessionResumed {
        attended: ask::is_attended(common),
        model: model.profile,
        limits: resolved.policy.limits.clone(),
    };
    let workplace = site.workplace(&resolved, store)?;
    let launch = Launch {
        engine,
        resumed: Some((log, resumed)),
        model: model.client,
    };
    let (code, finished) = session::drive(workplace, launch, vec![faces::choose(common)], common)?;
    super::runs::say_what_next(&finished, common);
    Ok(code)
}

/// Returns the model of the run when the configuration still has it; a recording has to be named.
fn recorded_as(engine: &Engine) -> Option<&str> {
    let model = &engine.opened()?.run.model;
    (!model.recorded).then_some(model.name.as_str())
}

/// Opens the log of the wanted session, or of the latest one that began.
fn open(
    store: &Store,
    wanted: Option<SessionId>,
) -> Result<(SessionId, LogWriter, Vec<Record>), Failure> {
    let sessions = store
        .sessions()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let candidates: Vec<SessionId> = match wanted {
        Some(session) if sessions.contains(&session) => vec![session],
        Some(session) => {
            return Err(
                Failure::usage(format!("there is no session `{session}`")).hint("harness status")
            );
        }
        None => sessions.into_iter().rev().collect(),
    };
    for session in candidates {
        let (log, records, torn) = LogWriter::reopen(store, session).map_err(|error| {
            Failure::failed(chain(&error)).hint(format!("harness log verify {session}"))
        })?;
        if let Some(torn) = torn {
            say(&format!(
                "the last record of {session} was cut short; its {} are kept in `{}`",
                torn.bytes,
                torn.kept.display()
            ));
        }
        // A log without a record belongs to a session that never began.
        if !records.is_empty() {
            let log = log.with_redaction(Box::new(harness_runner::redact_for_log));
            return Ok((session, log, records));
        }
    }
    Err(nothing())
}

fn nothing() -> Failure {
    Failure::usage("there is no session to resume in this repository").hint("harness run")
}
