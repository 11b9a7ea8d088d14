//! `harness replay`: a session told again from its log, or held against what the engine makes of it.
//!
//! Reads the log alone: nothing runs, no model is asked, no lock is taken.

mod check;
mod shown;

pub(crate) use shown::work;

use std::{
    io::{self, IsTerminal as _},
    thread,
    time::Duration,
};

use harness_core::{RunId, Timestamp};
use harness_report::{JsonLines, Lines};
use harness_store::Store;
use serde_json::json;

use super::{
    log::{Target, target, unreadable},
    runs,
};
use crate::{
    cli::{Common, Replay},
    compose::Site,
    failure::{Failure, RED},
    job::Job,
    named,
    output::{self, Output},
    screen,
};

/// The longest pause between two lines.
const PAUSE_MAX: Duration = Duration::from_secs(3);

pub(super) fn run(common: &Common, flags: &Replay) -> Result<u8, Failure> {
    if flags.screen && screen::is_wanted(common, false)? {
        return screen::open(common, Some(Job::Replay(flags.clone())));
    }
    let targets = all_of(common, flags)?;
    let (mut code, mut output) = (0, Output::new(common));
    let mut json = JsonLines::default();
    for target in &targets {
        code = code.max(if flags.check {
            check::run(&mut output, target)?
        } else {
            play(common, flags, target, &mut json)?
        });
    }
    if flags.check && targets.len() > 1 && code == 0 {
        let name = flags.session.as_deref().unwrap_or_default();
        let body = json!({ "run": name, "sessions": targets.len() });
        let text = format!(
            "note: {name} holds as a whole: {} sessions, each began with the state that the one before left",
            targets.len()
        );
        output.entry("replay_run_checked", &text, body)?;
    }
    Ok(code)
}

/// Finds the file, the session, or the sessions of the run that are named.
fn all_of(common: &Common, flags: &Replay) -> Result<Vec<Target>, Failure> {
    let file = flags.session.as_deref().and_then(|name| {
        let path = named::file(common.directory.as_deref(), name)?;
        Some(Target::file(name, path))
    });
    if let Some(target) = file {
        return Ok(vec![target]);
    }
    let site = Site::open(common)?;
    let store = site.existing_store()?.ok_or_else(|| {
        Failure::usage("there is no session in this repository").hint("harness run")
    })?;
    match flags.session.as_deref().and_then(|name| name.parse().ok()) {
        Some(run) => sessions_of(&store, run),
        None => Ok(vec![target(&site, &store, flags.session.as_deref())?]),
    }
}

/// Lists the sessions of a run that have a log.
fn sessions_of(store: &Store, run: RunId) -> Result<Vec<Target>, Failure> {
    let sessions = runs::sessions_of(store, run)?;
    if sessions.is_empty() {
        return Err(
            Failure::usage(format!("there is no run `{run}` in this repository"))
                .hint("harness session list"),
        );
    }
    let mut targets = Vec::new();
    for session in sessions {
        // One that was killed before its first record has nothing to tell.
        if runs::began(store, session)?.is_some() {
            targets.push(Target::session(store, session));
        }
    }
    Ok(targets)
}

fn play(
    common: &Common,
    flags: &Replay,
    target: &Target,
    json: &mut JsonLines,
) -> Result<u8, Failure> {
    let is_watched = !common.json && io::stdout().is_terminal();
    let speed = match flags.speed {
        _ if flags.instant => None,
        Some(speed) => Some(speed),
        None => is_watched.then_some(1.0),
    };
    let mut lines = Lines::default();
    let mut before: Option<Timestamp> = None;
    let mut written = Ok(true);
    let found = harness_store::fold(&target.path, |record| {
        if !matches!(written, Ok(true)) {
            return;
        }
        let text = if common.json {
            json.write(&record.event, record.time)
        } else {
            lines.at(record.time);
            lines.write(&record.event)
        };
        if text.is_empty() {
            return;
        }
        if let (Some(speed), Some(before)) = (speed, before.replace(record.time)) {
            let pause = record.time.since(before).div_f64(speed);
            thread::sleep(pause.min(PAUSE_MAX));
        }
        written = output::write_while_read(&text);
    });
    let found = found.map_err(|error| unreadable(target, &error))?;
    written?;
    match found.problem {
        None => Ok(0),
        Some(problem) => {
            let message = format!(
                "{} cannot be played to its end: line {} {}",
                target.name, problem.line, problem.what
            );
            let name = target.name.replace('`', "");
            Failure::red(message)
                .hint(format!("harness log verify {name}"))
                .print();
            Ok(RED)
        }
    }
}
