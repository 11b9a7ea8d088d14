//! The one thread that starts processes.
//!
//! The kernel ties "end this child when its parent dies" to the parent's
//! *thread*, so all helpers are started by a thread that lives as long as the
//! program. Each command has two helpers, one below the other, and the program adopts the
//! orphans of helpers that were killed, so that only the death of all three at one moment lets a
//! process escape; here orphans are found and ended.

use std::{
    collections::HashSet,
    fs, io,
    os::fd::{AsFd, OwnedFd},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitOptions};
use tokio::sync::oneshot;

use super::{
    Anchor,
    cage::{ASK, KILL},
    child::{self, Bars, Entry},
};

/// Makes a helper end everything at once; `SIGTERM` makes it ask.
const END_NOW: Signal = Signal::USR1;

/// How often helpers that are ending are looked at.
const REAP_PAUSE: Duration = Duration::from_millis(5);

/// How long orphans of a killed helper are looked for.
const ORPHANS_MAX: Duration = Duration::from_secs(2);

/// Everything the spawner needs to start one command.
pub(super) struct Start {
    /// Program, arguments and environment.
    pub(super) command: Command,
    pub(super) bars: Bars,
}

/// A started command, seen from outside. Dropping it ends the command.
pub(super) struct Started {
    /// Standard output and standard error, in one pipe.
    pub(super) output: OwnedFd,
    /// What is said at the end.
    pub(super) report: OwnedFd,
    pub(super) begun: Instant,
    /// What all its processes hang on.
    pub(super) anchor: Anchor,
    pub(super) keeper: Keeper,
}

/// Who ends a command and everything it left behind.
pub(super) enum Keeper {
    /// A helper of its own, a child of this program.
    Helper(Helper),
    /// The first process of the command's namespace, which listens to this pipe.
    Cage(OwnedFd),
}

/// A child of this program that ends others. Dropping it ends it and them.
#[derive(Debug)]
pub(super) struct Helper {
    child: Option<Child>,
    pid: Pid,
}

enum Job {
    Start(Box<Start>, oneshot::Sender<io::Result<Started>>),
    OpenCage(Box<Command>, oneshot::Sender<io::Result<Helper>>),
    Reap(Child, Option<oneshot::Sender<()>>),
}

/// Starts a command; the future may be dropped at any point.
pub(super) async fn start(start: Start) -> io::Result<Started> {
    let (tx, rx) = oneshot::channel();
    send(Job::Start(Box::new(start), tx))?;
    rx.await.unwrap_or_else(|_| Err(gone()))
}

/// Starts the program that holds a cage together; the future may be dropped at any point.
pub(super) async fn open_cage(command: Command) -> io::Result<Helper> {
    let (tx, rx) = oneshot::channel();
    send(Job::OpenCage(Box::new(command), tx))?;
    rx.await.unwrap_or_else(|_| Err(gone()))
}

impl Keeper {
    /// Asks the command to end.
    pub(super) fn ask(&self) {
        match self {
            Self::Helper(helper) => helper.signal(Signal::TERM),
            Self::Cage(control) => write(control, ASK),
        }
    }

    /// Ends the command and everything with it at once.
    pub(super) fn kill(&self) {
        match self {
            Self::Helper(helper) => helper.signal(END_NOW),
            Self::Cage(control) => write(control, KILL),
        }
    }

    /// Whether the command and what it started are more than `max` processes at this moment.
    pub(super) fn has_more_descendants_than(&self, max: u32) -> bool {
        match self {
            Self::Helper(helper) => {
                let helpers = u32::try_from(child::GENERATIONS).unwrap_or(0);
                helper.has_more_descendants_than(max.saturating_add(helpers))
            }
            // Counted in the cage.
            Self::Cage(_) => false,
        }
    }

    /// Lets go of one that has reported: nothing but its own exit is left to come.
    pub(super) fn release(self) {
        if let Self::Helper(helper) = self {
            helper.release();
        }
    }

    /// Waits until one that was killed is gone, and its orphans too.
    pub(super) async fn reap(self) {
        if let Self::Helper(helper) = self {
            helper.reap().await;
        }
    }
}

/// Says one word to a cage; one that is gone needs none.
fn write(control: impl AsFd, word: u8) {
    let _ = rustix::io::write(control, &[word]);
}

impl Helper {
    /// Returns what hangs on the helper; `keepers` generations below it look after the command.
    pub(super) const fn anchor(&self, keepers: usize) -> Anchor {
        Anchor::new(self.pid, keepers)
    }

    /// Passes a signal to the helper, which knows what each means.
    fn signal(&self, signal: Signal) {
        // A helper that is gone already is reaped in a moment.
        let _ = rustix::process::kill_process(self.pid, signal);
    }

    /// Whether the command and what it started are more than `max` processes at this moment.
    fn has_more_descendants_than(&self, max: u32) -> bool {
        let mut left = max;
        let mut generation = vec![self.pid];
        while !generation.is_empty() {
            generation = generation
                .iter()
                .flat_map(|pid| children_of(*pid))
                .collect();
            match left.checked_sub(u32::try_from(generation.len()).unwrap_or(u32::MAX)) {
                Some(rest) => left = rest,
                None => return true,
            }
        }
        false
    }

    /// Leaves a helper to be reaped that ends by itself: nothing but its own exit is left to come.
    pub(super) fn release(mut self) {
        if let Some(child) = self.child.take() {
            // As in `reap`.
            let _ = send(Job::Reap(child, None));
        }
    }

    /// Waits until the helper is reaped, and, if it was killed, its orphans too.
    async fn reap(mut self) {
        let (tx, rx) = oneshot::channel();
        if let Some(child) = self.child.take()
            && send(Job::Reap(child, Some(tx))).is_ok()
        {
            // A failure means that the thread is gone, and the program with it.
            let _ = rx.await;
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            self.signal(END_NOW);
            // As in `reap`.
            let _ = send(Job::Reap(child, None));
        }
    }
}

fn send(job: Job) -> io::Result<()> {
    static SPAWNER: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    SPAWNER
        .get_or_init(|| {
            let (tx, rx) = channel();
            thread::Builder::new()
                .name("spawner".to_owned())
                .spawn(move || serve(&rx))
                .ok()
                .map(|_| tx)
        })
        .as_ref()
        .ok_or_else(gone)?
        .send(job)
        .map_err(|_| gone())
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts processes is gone")
}

fn serve(jobs: &Receiver<Job>) {
    // Without this right orphans go to the system's first process, as they would anyway.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let mut helpers = HashSet::new();
    let mut ending: Vec<(Child, Option<oneshot::Sender<()>>)> = Vec::new();
    loop {
        let job = if ending.is_empty() {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(REAP_PAUSE)
        };
        match job {
            Ok(Job::Start(start, reply)) => {
                let started = start_now(*start);
                if let Ok(Started {
                    keeper: Keeper::Helper(helper),
                    ..
                }) = &started
                {
                    helpers.insert(helper.pid);
                }
                // Whoever waited may be gone: dropping the answer ends the command.
                let _ = reply.send(started);
            }
            Ok(Job::OpenCage(command, reply)) => {
                let opened = open_cage_now(*command);
                if let Ok(helper) = &opened {
                    helpers.insert(helper.pid);
                }
                // As above.
                let _ = reply.send(opened);
            }
            Ok(Job::Reap(child, reply)) => ending.push((child, reply)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        ending.retain_mut(|(child, reply)| {
            let Ok(Some(status)) = child.try_wait() else {
                return true;
            };
            helpers.retain(|helper| helper.as_raw_nonzero().get().cast_unsigned() != child.id());
            if !status.success() {
                end_orphans(&helpers);
            }
            if let Some(reply) = reply.take() {
                let _ = reply.send(());
            }
            false
        });
    }
}

pub(super) fn start_now(start: Start) -> io::Result<Started> {
    let (output, output_end) = io::pipe()?;
    let (report, report_end) = io::pipe()?;
    let mut command = start.command;
    command
        .stdin(Stdio::null())
        .stdout(output_end.try_clone()?)
        .stderr(output_end);
    child::arm(
        &mut command,
        Entry {
            parent: rustix::process::getpid().as_raw_nonzero().get(),
            report: report_end.into(),
            bars: start.bars,
        },
    );
    let begun = Instant::now();
    let helper = spawn(command)?;
    Ok(Started {
        output: output.into(),
        report: report.into(),
        begun,
        anchor: helper.anchor(child::GENERATIONS),
        keeper: Keeper::Helper(helper),
    })
}

fn open_cage_now(mut command: Command) -> io::Result<Helper> {
    child::tie(
        &mut command,
        rustix::process::getpid().as_raw_nonzero().get(),
    );
    spawn(command)
}

fn spawn(mut command: Command) -> io::Result<Helper> {
    let child = command.spawn()?;
    let pid = Pid::from_child(&child);
    Ok(Helper {
        child: Some(child),
        pid,
    })
}

/// Ends what a killed helper left to this program.
///
/// Orphans are told from other children by what every command has and nothing
/// else that is started here: it can gain no privileges.
fn end_orphans(helpers: &HashSet<Pid>) {
    let since = Instant::now();
    while since.elapsed() < ORPHANS_MAX {
        let orphans: Vec<Pid> = children_of(rustix::process::getpid())
            .into_iter()
            .filter(|pid| !helpers.contains(pid) && has_no_new_privileges(*pid))
            .collect();
        if orphans.is_empty() {
            return;
        }
        for orphan in orphans {
            // Either fails only for one that is gone.
            let _ = rustix::process::kill_process(orphan, Signal::KILL);
            let _ = rustix::process::waitpid(Some(orphan), WaitOptions::NOHANG);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns the children of all threads of a process; none when it is gone.
pub(super) fn children_of(parent: Pid) -> Vec<Pid> {
    let Ok(threads) = fs::read_dir(format!("/proc/{}/task", parent.as_raw_nonzero())) else {
        return Vec::new();
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|children| {
            children
                .split_ascii_whitespace()
                .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn has_no_new_privileges(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()))
        .is_ok_and(|status| status.lines().any(|line| line == "NoNewPrivs:\t1"))
}
