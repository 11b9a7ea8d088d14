//! The screen as a surface: runs work on a thread of their own, the screen draws and asks on this one.
//!
//! What goes on in a run comes to the screen as inputs; what a person asks goes
//! back as requests. Neither waits for the other for longer than a full queue.

mod call;
mod conductor;
mod errand;
mod lent;
mod look;
mod names;
mod review;
mod setup;
mod stage;

use harness_tui::{App, Left, Line, Over, Query, ReviewAsked, Setup, Wanted, summary};
use tokio::sync::mpsc;

use crate::{
    cli::Common,
    failure::Failure,
    job::Job,
    output::{self, say},
    session::{SHUTDOWN, runtime},
};

use conductor::Conductor;
pub(crate) use setup::is_wanted;

/// Inputs that wait for the screen; a run waits while there are more.
const INPUTS_MAX: usize = 512;
/// Exit code of a process that a person left with `Ctrl+C` before it was over.
const ABANDONED: u8 = 130;
/// What the exit code of a process that a signal ended is counted from.
const SIGNALLED: u8 = 128;

/// Opens the screen without anything to do: nothing runs until a person asks.
pub(crate) fn look_around(common: &Common) -> Result<u8, Failure> {
    if !setup::can_be_shown(common) {
        return Err(
            Failure::usage("cannot open the screen: there is no terminal")
                .hint("`harness --help` lists the commands; `harness run --plain` needs no screen"),
        );
    }
    open(common, None)
}

/// Opens the screen on the review page.
pub(crate) fn review(common: &Common, asked: ReviewAsked) -> Result<u8, Failure> {
    let (mut setup, notify_command) = setup::read(None)?;
    setup.review = Some(asked.clone());
    let (inputs_tx, inputs) = mpsc::channel(INPUTS_MAX);
    let mut conductor = Conductor::new(common, inputs_tx, None, notify_command);
    conductor.look_first(Query::Page(Wanted::Review(asked)));
    let left = show(setup, inputs, &mut conductor)?;
    conductor.settle();
    leave(&left, &conductor)
}

/// Opens the screen with something to do, and returns the exit code of what was done last.
pub(crate) fn open(common: &Common, job: Option<Job>) -> Result<u8, Failure> {
    let (setup, notify_command) = setup::read(job.as_ref())?;
    let (inputs_tx, inputs) = mpsc::channel(INPUTS_MAX);
    let mut conductor = Conductor::new(common, inputs_tx, job, notify_command);
    let left = show(setup, inputs, &mut conductor)?;
    conductor.settle();
    leave(&left, &conductor)
}

fn show(
    setup: Setup,
    inputs: mpsc::Receiver<harness_tui::Input>,
    conductor: &mut Conductor,
) -> Result<Left, Failure> {
    let runtime = runtime()?;
    let now = harness_host::clock::now();
    let make = |columns, rows| App::new(setup, columns, rows, now);
    let far = ["SSH_CONNECTION", "SSH_TTY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    let line = if far { Line::Far } else { Line::Near };
    let left = runtime.block_on(harness_tui::show(make, inputs, conductor, line));
    runtime.shutdown_timeout(SHUTDOWN);
    left.map_err(|error| Failure::failed(format!("cannot show the screen: {error}")))
}

/// Says on the normal screen how it went.
fn leave(left: &Left, conductor: &Conductor) -> Result<u8, Failure> {
    let lines = summary(&left.app);
    for line in &lines {
        output::write(&format!("{}\n", harness_report::clean(line)))?;
    }
    output::write(&conductor.farewell())?;
    let over = left.app.over();
    if lines.is_empty()
        && let Some(failure) = conductor.failure()
    {
        return Err(failure);
    }
    let code = match (left.signal, over) {
        (Some(signal), _) => SIGNALLED + signal,
        (None, _) if left.is_abandoned => ABANDONED,
        (None, Some(Over { code, .. })) => *code,
        (None, None) if conductor.is_broken() => 1,
        (None, None) => 0,
    };
    if left.is_abandoned {
        say(
            "left before the run was over; `harness resume --last` goes on from what is in the log",
        );
        exit_at_once(code);
    }
    Ok(code)
}

/// A run may still be at work on another thread; the log is whole at every moment.
#[expect(clippy::exit, reason = "a person asked to leave without waiting")]
fn exit_at_once(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
