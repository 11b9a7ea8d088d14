//! A session shown again on the screen, at the speed it had or another.
//!
//! The screen is given each record as if it happened now; nothing runs, and nobody hears what is
//! typed. A stop ends it. Called by the screen, on the thread of its work.

use std::{
    thread,
    time::{Duration, Instant},
};

use harness_core::{Request, Timestamp};
use tokio::sync::mpsc::{self, error::TryRecvError};

use super::{super::log::unreadable, PAUSE_MAX, all_of};
use crate::{
    cli::{Common, Replay},
    failure::Failure,
    job::Done,
    surface::{Joined, Surface},
};

/// Requests that wait; more are of no use.
const REQUESTS_MAX: usize = 8;
/// How long a stop may go unnoticed.
const NOTICE: Duration = Duration::from_millis(20);

/// Shows the sessions that are named, one after the other.
pub(crate) fn work(
    common: &Common,
    flags: &Replay,
    surface: &dyn Surface,
) -> Result<Done, Failure> {
    let (requests, mut asked) = mpsc::channel(REQUESTS_MAX);
    let Joined { mut faces, .. } = surface.join(&requests)?;
    let mut is_stopped = || {
        loop {
            match asked.try_recv() {
                Ok(Request::Interrupt | Request::Stop) => break true,
                Ok(_) => {}
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break false,
            }
        }
    };
    let speed = (!flags.instant).then(|| flags.speed.unwrap_or(1.0));
    let mut is_over = false;
    for target in all_of(common, flags)? {
        surface.say(&format!("{} is shown as it was", target.name));
        let mut before: Option<Timestamp> = None;
        let found = harness_store::fold(&target.path, |record| {
            if let (Some(speed), Some(before)) = (speed, before.replace(record.time)) {
                let pause = record.time.since(before).div_f64(speed).min(PAUSE_MAX);
                let until = Instant::now() + pause;
                while !is_over && Instant::now() < until {
                    is_over = is_stopped();
                    thread::sleep(NOTICE.min(until.saturating_duration_since(Instant::now())));
                }
            }
            is_over = is_over || is_stopped();
            if is_over {
                return;
            }
            let now = harness_host::clock::now();
            for face in &mut faces {
                is_over |= !face.event(&record.event, now);
            }
        });
        let found = found.map_err(|error| unreadable(&target, &error))?;
        if let Some(problem) = found.problem.filter(|_| !is_over) {
            let name = target.name.replace('`', "");
            let message = format!(
                "{} cannot be shown to its end: line {} {}",
                target.name, problem.line, problem.what
            );
            return Err(Failure::red(message).hint(format!("harness log verify {name}")));
        }
        if is_over {
            break;
        }
    }
    Ok(Done::without_run(0))
}
