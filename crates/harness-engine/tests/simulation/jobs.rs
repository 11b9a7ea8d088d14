//! Jobs: what the world has running, and what must hold of it, found out without asking the engine.

use std::collections::BTreeSet;

use fastrand::Rng;
use harness_core::{CallEnd, CallId, Event, JobEnd, Stop};
use harness_engine::Effect;

use super::{monitor::ensure, plan::chance};

/// The most that may run at a time.
const JOBS_MAX: usize = 4;

/// What runs in the world; it dies with the program.
#[derive(Debug, Default)]
pub(crate) struct Running {
    all: BTreeSet<CallId>,
    /// Those whose start was told, so that their end may be.
    told: BTreeSet<CallId>,
}

impl Running {
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn die(&mut self) {
        self.all.clear();
        self.told.clear();
    }

    pub(crate) fn is_told(&mut self, call: CallId) {
        self.told.insert(call);
    }

    /// Starts one; some end before the call does.
    pub(crate) fn start(&mut self, call: CallId, rng: &mut Rng) -> Vec<Event> {
        self.all.insert(call);
        let mut events = vec![Event::JobStarted {
            call,
            command: "make".to_owned(),
        }];
        if chance(rng, 1, 4) {
            events.extend(self.end(call, by_itself(rng)));
        }
        events.push(answered(call, "job", false));
        events
    }

    /// Ends one that ends by itself, if there is any.
    pub(crate) fn some_end(&mut self, rng: &mut Rng) -> Option<Event> {
        let all: Vec<CallId> = self.all.intersection(&self.told).copied().collect();
        let call = *rng.choice(&all)?;
        self.end(call, by_itself(rng))
    }

    /// Ends those that are asked to; of one that has ended it is said already.
    pub(crate) fn stop(&mut self, jobs: &[CallId]) -> Vec<Event> {
        let ended = jobs.iter().map(|call| self.end(*call, JobEnd::Stopped));
        ended.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    pub(crate) fn tend(&mut self, call: CallId, job: CallId, stop: bool) -> Vec<Event> {
        let mut events = Vec::new();
        if stop {
            events.extend(self.end(job, JobEnd::Stopped));
        }
        events.push(answered(call, "printed", false));
        events
    }

    fn end(&mut self, call: CallId, end: JobEnd) -> Option<Event> {
        self.told.remove(&call);
        let was_there = self.all.remove(&call);
        was_there.then_some(Event::JobEnded { call, end, ms: 5 })
    }
}

fn by_itself(rng: &mut Rng) -> JobEnd {
    if chance(rng, 1, 6) {
        return JobEnd::Failed {
            message: "it could not be held still".to_owned(),
        };
    }
    JobEnd::Ended {
        stop: Stop::Exited(i32::from(rng.bool())),
    }
}

fn answered(call: CallId, text: &str, is_error: bool) -> Event {
    let end = CallEnd::Answered {
        text: text.to_owned(),
        is_error,
    };
    Event::CallEnded { call, end, ms: 9 }
}

/// What the log says of jobs.
#[derive(Debug, Default)]
pub(crate) struct Known {
    alive: BTreeSet<CallId>,
    /// Whether those that are alive died with a process.
    lost: bool,
    /// Whether a finish is being proven.
    proves: bool,
}

impl Known {
    /// Whether something may write while nobody asks it to.
    pub(crate) fn may_write(&self) -> bool {
        !self.alive.is_empty()
    }

    pub(crate) fn event(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::JobStarted { call, .. } => {
                self.alive.insert(*call);
                ensure(self.alive.len() <= JOBS_MAX, || "too many jobs".to_owned())
            }
            Event::JobEnded { call, .. } => {
                self.alive.remove(call);
                Ok(())
            }
            Event::SessionOpened(_) => {
                *self = Self::default();
                Ok(())
            }
            Event::SessionResumed { .. } => {
                self.lost = true;
                self.proves = false;
                Ok(())
            }
            Event::SessionEnded { .. } | Event::RunEnded { .. } => {
                ensure(self.alive.is_empty(), || {
                    "a job outlives its session".to_owned()
                })
            }
            Event::FinishRequested { .. } => {
                self.proves = true;
                Ok(())
            }
            Event::FinishRefused { .. } | Event::Rewound(_) | Event::TurnStarted { .. } => {
                self.proves = false;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn effect(&mut self, effect: &Effect) -> Result<(), String> {
        if matches!(effect, Effect::Record(Event::JobEnded { .. })) {
            return Ok(());
        }
        self.lost &= !self.alive.is_empty();
        let is_turn = matches!(effect, Effect::RequestModel { .. } | Effect::TendJob { .. });
        ensure(!(self.lost && is_turn), || {
            "goes on with jobs that are gone".to_owned()
        })?;
        match effect {
            Effect::CommitFeature(_) | Effect::SetAside => {
                ensure(self.alive.is_empty(), || format!("{effect:?} beside a job"))
            }
            Effect::StopJobs { jobs } => ensure(
                jobs.iter().all(|job| self.alive.contains(job)) && !jobs.is_empty(),
                || "stops jobs that do not run".to_owned(),
            ),
            Effect::FreezeCandidate => ensure(!self.proves || self.alive.is_empty(), || {
                "a finish is frozen beside a job".to_owned()
            }),
            _ => Ok(()),
        }
    }
}
