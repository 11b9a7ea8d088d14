//! One command from start to end, within its bounds.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    time::{Duration, Instant},
};

use harness_core::{Captured, Stop};
use harness_guard::CagePlan;
use rustix::process::Signal;
use tokio::{io::AsyncReadExt, net::unix::pipe};

use super::{
    Anchor, Cage, NetworkReport, RunLimits, SpawnError,
    capture::Capture,
    child::{REPORT_BYTES, Report},
    prepare::prepare,
    spawner::{self, Keeper, Started},
};
use crate::Cancelled;

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exited {
    /// Why it is over.
    pub stop: Stop,
    /// What it wrote, standard output and standard error in the order they came.
    pub output: Captured,
    /// How long it took, descendants included.
    pub took: Duration,
    /// Whether a descendant could not be ended; only one that hangs in the kernel can do that.
    pub has_survivors: bool,
}

/// How long output is read on after everything that could write it was ended.
const DRAIN: Duration = Duration::from_millis(200);

/// How long a helper has to end everything at once before it is given up.
const GIVE_UP: Duration = Duration::from_secs(15);

/// How often the processes of a command are counted.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// How much is read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Runs a command in a cage of `plan` that is opened for it alone, and waits until it and all its descendants are gone.
///
/// `argv` is the program, found on the plan's `PATH`, and its arguments; standard
/// input is empty. `on_output` sees every byte as it comes. Past a bound, or when
/// cancelled, the command is asked to end (`SIGTERM`), and after the grace it is
/// killed; one that writes too much is killed at once. Dropping the future kills
/// it too, without waiting.
///
/// # Errors
/// When the command was not started, because there is no such program, because
/// the working folder is gone or a link, or because the plan cannot be enforced.
pub async fn run(
    plan: &CagePlan,
    argv: &[OsString],
    limits: &RunLimits,
    on_output: impl FnMut(&[u8]),
    cancelled: Cancelled,
) -> Result<Exited, SpawnError> {
    let cage = Cage::open(plan, NetworkReport::to_nobody()).await?;
    cage.run(plan, argv, limits, on_output, cancelled).await
}

pub(super) async fn run_in(
    cage: &Cage,
    plan: &CagePlan,
    argv: &[OsString],
    limits: &RunLimits,
    on_output: impl FnMut(&[u8]),
    cancelled: Cancelled,
    on_start: impl FnOnce(Anchor),
) -> Result<Exited, SpawnError> {
    let program = argv.first().ok_or(SpawnError::Empty)?;
    let not_started = |source| SpawnError::Program {
        program: program.to_string_lossy().into_owned(),
        source,
    };
    let (started, own, scratch) = match cage.start(plan, argv).await {
        Some(attended) => {
            let attended = attended?;
            (attended.started, attended.own, None)
        }
        None => {
            let prepared = prepare(plan, argv)?;
            let started = spawner::start(prepared.start).await;
            (started.map_err(not_started)?, None, Some(prepared.scratch))
        }
    };
    on_start(started.anchor);
    let watch = Watch::new(started, limits, plan.limits().processes, on_output)?;
    let exited = watch.until_end(cancelled).await;
    drop((own, scratch));
    exited.map_err(not_started)
}

/// A command while it runs.
struct Watch<'a, F> {
    output: pipe::Receiver,
    report: pipe::Receiver,
    keeper: Keeper,
    limits: &'a RunLimits,
    begun: Instant,
    heard: Instant,
    counted: Instant,
    processes_max: u32,
    capture: Capture,
    on_output: F,
    is_closed: bool,
    ending: Option<Ending>,
}

/// Why a command is being ended, and how far that has come.
struct Ending {
    stop: Stop,
    next: Instant,
    is_killed: bool,
}

impl<'a, F: FnMut(&[u8])> Watch<'a, F> {
    fn new(
        started: Started,
        limits: &'a RunLimits,
        processes_max: u32,
        on_output: F,
    ) -> Result<Self, SpawnError> {
        let receiver = |handle| {
            pipe::Receiver::from_owned_fd(handle).map_err(|source| SpawnError::Prepare { source })
        };
        let begun = started.begun;
        Ok(Self {
            output: receiver(started.output)?,
            report: receiver(started.report)?,
            keeper: started.keeper,
            limits,
            begun,
            heard: begun,
            counted: begun,
            processes_max,
            capture: Capture::new(limits.head, limits.tail),
            on_output,
            is_closed: false,
            ending: None,
        })
    }

    async fn until_end(mut self, mut cancelled: Cancelled) -> io::Result<Exited> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let report = loop {
            let deadline = tokio::time::Instant::from_std(self.deadline());
            tokio::select! {
                biased;
                report = read_report(&mut self.report) => break report,
                () = cancelled.wait(), if self.ending.is_none() => self.ask(Stop::Cancelled),
                () = tokio::time::sleep_until(deadline) => {
                    if !self.pass_deadline() {
                        break None;
                    }
                }
                read = self.output.read(&mut chunk), if !self.is_closed => {
                    self.take(&chunk, read.unwrap_or(0));
                }
            }
        };
        self.drain(&mut chunk).await;
        self.finish(report).await
    }

    /// Returns when something is due: a bound while the command may run, the next step afterwards.
    fn deadline(&self) -> Instant {
        match &self.ending {
            Some(ending) => ending.next,
            None => after(self.begun, self.limits.total)
                .min(after(self.heard, self.limits.silence))
                .min(self.counted + COUNT_EVERY),
        }
    }

    /// Takes the step that is due; `false` when there is none left.
    fn pass_deadline(&mut self) -> bool {
        match &self.ending {
            None if self.begun.elapsed() >= self.limits.total => self.ask(Stop::TimedOut),
            None if self.heard.elapsed() >= self.limits.silence => self.ask(Stop::Silent),
            None => self.count_processes(),
            Some(ending) if ending.is_killed => return false,
            Some(ending) => self.kill(ending.stop),
        }
        true
    }

    /// Kills a command that has too many processes: the kernel's own bound does not hold for root.
    fn count_processes(&mut self) {
        self.counted = Instant::now();
        if self.keeper.has_more_descendants_than(self.processes_max) {
            self.kill(Stop::Crowded);
        }
    }

    fn ask(&mut self, stop: Stop) {
        self.keeper.ask();
        self.ending = Some(Ending {
            stop,
            next: after(Instant::now(), self.limits.grace),
            is_killed: false,
        });
    }

    fn kill(&mut self, stop: Stop) {
        self.keeper.kill();
        self.ending = Some(Ending {
            stop,
            next: Instant::now() + GIVE_UP,
            is_killed: true,
        });
    }

    fn take(&mut self, chunk: &[u8], read: usize) {
        let chunk = &chunk[..read];
        self.is_closed = chunk.is_empty();
        self.heard = Instant::now();
        self.capture.push(chunk);
        if !chunk.is_empty() {
            (self.on_output)(chunk);
        }
        let is_flood = self.capture.bytes() > self.limits.flood.0;
        if is_flood && self.ending.as_ref().is_none_or(|ending| !ending.is_killed) {
            let stop = self
                .ending
                .as_ref()
                .map_or(Stop::Flooded, |ending| ending.stop);
            self.kill(stop);
        }
    }

    /// Reads what is left in the pipe. Nobody writes to it any more, unless something survived.
    async fn drain(&mut self, chunk: &mut [u8]) {
        let until = tokio::time::Instant::now() + DRAIN;
        while !self.is_closed {
            match tokio::time::timeout_at(until, self.output.read(chunk)).await {
                Ok(Ok(read)) => self.take(chunk, read),
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    async fn finish(self, report: Option<Report>) -> io::Result<Exited> {
        if let Some(report) = report.filter(|report| report.is_unstarted) {
            self.keeper.release();
            return Err(io::Error::from_raw_os_error(report.status));
        }
        let stop = match (&self.ending, report) {
            (Some(ending), _) => ending.stop,
            (None, Some(report)) if report.is_crowded => Stop::Crowded,
            (None, Some(report)) if report.is_too_large => Stop::TooLarge,
            (None, Some(report)) => stop_of(ExitStatus::from_raw(report.status)),
            // The helper was killed, and the kernel ended the command with it.
            (None, None) => Stop::Signalled(Signal::KILL.as_raw()),
        };
        let is_given_up = report.is_none()
            && self
                .ending
                .is_some_and(|ending| ending.is_killed && ending.next <= Instant::now());
        if report.is_some() {
            self.keeper.release();
        } else if !is_given_up {
            self.keeper.reap().await;
        }
        Ok(Exited {
            stop,
            output: self.capture.into_captured(),
            took: self.begun.elapsed(),
            has_survivors: is_given_up || report.is_some_and(|report| report.has_survivors),
        })
    }
}

/// Returns what the helper says, `None` when it ended without a word.
async fn read_report(pipe: &mut pipe::Receiver) -> Option<Report> {
    // A report is written at once and is far smaller than a pipe's atomic unit.
    let mut bytes = [0; REPORT_BYTES];
    match pipe.read(&mut bytes).await {
        Ok(REPORT_BYTES) => Some(Report::decode(bytes)),
        _ => None,
    }
}

/// Returns a later point in time; one that is out of reach is a year away.
fn after(point: Instant, duration: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    point + duration.min(YEAR)
}

fn stop_of(status: ExitStatus) -> Stop {
    match (status.code(), status.signal()) {
        (Some(code), _) => Stop::Exited(code),
        (None, Some(signal)) => Stop::Signalled(signal),
        // A wait for an ended process yields one of the two.
        (None, None) => Stop::Exited(-1),
    }
}
