//! Holds the processes of commands still, so that a tree can be looked at while they live.
//!
//! What writes all the time cannot be looked at: a file is another one by the time the next is
//! read, and what is undone is done again. So everything below the process that a command hangs
//! on is stopped (`SIGSTOP`), and goes on when the look is over. Each process is held by a handle
//! that stays its own, so that a number that is given anew hits nobody else.
//!
//! Nothing is decided here: who cannot be held still is for the caller to end.

use std::{
    collections::BTreeMap,
    fs,
    os::fd::OwnedFd,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::spawner::children_of;

/// How long everything may take to stand still.
const STILL_MAX: Duration = Duration::from_secs(2);
/// How long one try takes: a process that waits for the first steps of its child stands still
/// only after that child, which must not be held in them.
const TRY_MAX: Duration = Duration::from_millis(250);
/// How long is waited between two looks.
const PAUSE: Duration = Duration::from_millis(1);
/// The most processes that are held.
const PROCESSES_MAX: usize = 20_000;

/// The process that all processes of a command hang on.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    pid: Pid,
    /// How many generations below it are not the command's.
    keepers: usize,
}

/// What is held still. Dropping it lets it go on.
#[derive(Debug, Default)]
pub struct Still(BTreeMap<i32, OwnedFd>);

/// Something that could not be held still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot hold the processes of a command still")]
pub struct NotStill;

impl Anchor {
    /// Takes a child of this program; `keepers` generations below it look after the command.
    pub(super) const fn new(pid: Pid, keepers: usize) -> Self {
        Self { pid, keepers }
    }
}

impl Still {
    /// Stops everything that hangs on `anchors` and waits until it stands still. Blocks.
    ///
    /// # Errors
    /// When something goes on after two seconds; what was stopped goes on then.
    pub fn hold(anchors: &[Anchor]) -> Result<Self, NotStill> {
        let until = Instant::now() + STILL_MAX;
        while Instant::now() < until {
            let mut still = Self::default();
            if still.stop_all(anchors, Instant::now() + TRY_MAX) {
                return Ok(still);
            }
            drop(still);
            thread::sleep(PAUSE);
        }
        Err(NotStill)
    }

    /// Stops what is found until two looks in a row find the same, all of it standing.
    fn stop_all(&mut self, anchors: &[Anchor], until: Instant) -> bool {
        let mut before: Option<Vec<i32>> = None;
        while Instant::now() < until {
            let found = descendants(anchors);
            let mut all_stand = found.len() <= PROCESSES_MAX;
            for &number in &found {
                if !stands(number) {
                    self.stop(number);
                    all_stand = false;
                }
            }
            if all_stand && before.as_ref() == Some(&found) {
                return true;
            }
            if !all_stand {
                thread::sleep(PAUSE);
            }
            before = all_stand.then_some(found);
        }
        false
    }

    fn stop(&mut self, number: i32) {
        if !self.0.contains_key(&number)
            && let Some(pid) = Pid::from_raw(number)
            && let Ok(handle) = pidfd_open(pid, PidfdFlags::empty())
        {
            self.0.insert(number, handle);
        }
        let is_gone = self
            .0
            .get(&number)
            .is_some_and(|handle| pidfd_send_signal(handle, Signal::STOP).is_err());
        if is_gone {
            // The number may be another's by now, which gets a handle of its own.
            self.0.remove(&number);
        }
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        for handle in self.0.values() {
            // It fails only for one that is gone.
            let _ = pidfd_send_signal(handle, Signal::CONT);
        }
    }
}

/// Returns all processes that hang on `anchors` and are a command's, sorted.
fn descendants(anchors: &[Anchor]) -> Vec<i32> {
    let own = rustix::process::getpid();
    let mut all: Vec<i32> = Vec::new();
    for anchor in anchors
        .iter()
        .filter(|anchor| parent_of(anchor.pid) == Some(own))
    {
        let mut generation = vec![anchor.pid];
        for depth in 0.. {
            generation = generation
                .iter()
                .flat_map(|pid| children_of(*pid))
                .collect();
            if generation.is_empty() || all.len() > PROCESSES_MAX {
                break;
            }
            if depth >= anchor.keepers {
                all.extend(generation.iter().map(|pid| pid.as_raw_nonzero().get()));
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let parent = fields.split_ascii_whitespace().nth(1)?;
    Pid::from_raw(parent.parse().ok()?)
}

/// Whether no thread of a process runs; one that is gone does not.
fn stands(number: i32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{number}/task")) else {
        return true;
    };
    threads.flatten().all(|thread| {
        let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else {
            return true;
        };
        let state = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.chars().next());
        matches!(state, Some('T' | 't' | 'Z' | 'X' | 'x') | None)
    })
}
