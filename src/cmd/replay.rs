//! `harness replay`: a session told again from its log, or held against what the engine makes of it.
//!
//! Reads the log alone: nothing runs, no model is asked, no lock is taken.

mod check;

use std::{
    io::{self, IsTerminal as _},
    thread,
    time::Duration,
};

use harness_core::Timestamp;
use harness_report::{JsonLines, Lines};

use super::log::{Target, target, unreadable};
use crate::{
    cli::{Common, Replay},
    compose::Site,
    failure::{Failure, RED},
    named, output,
};

/// The longest pause between two lines.
const PAUSE_MAX: Duration = Duration::from_secs(3);

pub(super) fn run(common: &Common, flags: &Replay) -> Result<u8, Failure> {
    let file = flags.session.as_deref().and_then(|name| {
        let path = named::file(common.directory.as_deref(), name)?;
        Some(Target::file(name, path))
    });
    let target = match file {
        Some(target) => target,
        None => {
            let site = Site::open(common)?;
            let store = site.existing_store()?.ok_or_else(|| {
                Failure::usage("there is no session in this repository").hint("harness run")
            })?;
            target(&site, &store, flags.session.as_deref())?
        }
    };
    if flags.check {
        return check::run(common, &target);
    }
    play(common, flags, &target)
}

fn play(common: &Common, flags: &Replay, target: &Target) -> Result<u8, Failure> {
    let is_watched = !common.json && io::stdout().is_terminal();
    let speed = match flags.speed {
        _ if flags.instant => None,
        Some(speed) => Some(speed),
        None => is_watched.then_some(1.0),
    };
    let (mut lines, mut json) = (Lines::default(), JsonLines::default());
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
