//! Commands that go on when their call has returned.
//!
//! What runs is known from the log alone: a job begins and ends with an event. None outlives its
//! session, none runs while a finish is proven, and none outlives the process that runs it: a
//! resumed session records those as lost and tells the agent. What a job writes is looked at by
//! the runner; here it only makes a checkpoint due.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use harness_core::{CallEnd, CallId, Event, JobEnd};
use harness_tool::{Intent, JobLine};

use super::{
    Session,
    steps::{Step, ended},
};
use crate::{
    Effect,
    calls::{Call, CallState},
    words,
};

/// The most jobs at a time.
const JOBS_MAX: usize = 4;
/// The most jobs that are over and still listed.
const OVER_MAX: usize = 16;

/// What is known of a session's jobs.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    /// The command of each that runs.
    alive: BTreeMap<CallId, String>,
    /// The last ones that are over, oldest first.
    over: VecDeque<(CallId, String, JobEnd)>,
    /// Which of those that run the harness has asked to end.
    asked: BTreeSet<CallId>,
    /// Whether the process that ran them is gone.
    lost: bool,
    /// Whether gates run in the work tree itself.
    pub(super) gates_in_place: bool,
}

impl Jobs {
    pub(super) fn new(isolate: bool) -> Self {
        Self {
            gates_in_place: !isolate,
            ..Self::default()
        }
    }

    /// Whether one runs, so that the work tree can change at any time.
    pub(super) fn run(&self) -> bool {
        !self.alive.is_empty()
    }

    /// Takes up a session whose process is gone.
    pub(super) fn resume(&mut self) {
        self.asked.clear();
        self.lost = self.run();
    }

    /// Lists those that run, with their commands.
    pub(super) fn alive(&self) -> impl Iterator<Item = (CallId, &str)> {
        let alive = self.alive.iter();
        alive.map(|(call, command)| (*call, command.as_str()))
    }

    fn end(&mut self, call: CallId, end: &JobEnd) -> Option<String> {
        let command = self.alive.remove(&call)?;
        self.over.push_back((call, command.clone(), end.clone()));
        if self.over.len() > OVER_MAX {
            self.over.pop_front();
        }
        self.lost &= self.run();
        Some(command)
    }

    fn to_text(&self) -> String {
        let alive = self.alive.iter().map(|(call, command)| JobLine {
            call: *call,
            command,
            end: None,
        });
        let over = self.over.iter().map(|(call, command, end)| JobLine {
            call: *call,
            command,
            end: Some(end),
        });
        harness_tool::jobs_text(alive.chain(over))
    }

    /// Whether the runner can say something of a job.
    fn is_known(&self, call: CallId) -> bool {
        let mut over = self.over.iter();
        self.alive.contains_key(&call)
            || over.any(|(known, _, end)| *known == call && *end != JobEnd::Lost)
    }
}

impl Session {
    pub(super) fn on_job_started(&mut self, call: CallId, command: &str) {
        let mut calls = self.calls.iter();
        if calls.any(|running| running.id == call && running.state == CallState::Running) {
            self.jobs.alive.insert(call, command.to_owned());
        }
    }

    /// Takes in that a job is over, and tells the agent unless it is told already.
    pub(super) fn on_job_ended(&mut self, call: CallId, end: &JobEnd) {
        let Some(command) = self.jobs.end(call, end) else {
            return;
        };
        self.saving.due = true;
        let was_asked = self.jobs.asked.remove(&call);
        let is_stopped_by_agent = *end == JobEnd::Stopped && !was_asked;
        let is_heard = |waiting: &Call| {
            waiting.state == CallState::Running
                && (waiting.id == call || job_of(waiting) == Some(call))
        };
        if !is_stopped_by_agent && !self.calls.iter().any(is_heard) {
            self.talk.tell(words::job_over(call, &command, end));
        }
    }

    /// Records the end of a job whose process is gone.
    pub(super) fn lost_job(&self) -> Option<Step> {
        if !self.jobs.lost {
            return None;
        }
        let (&call, _) = self.jobs.alive.first_key_value()?;
        Some(Step::Record(Event::JobEnded {
            call,
            end: JobEnd::Lost,
            ms: 0,
        }))
    }

    /// Ends all jobs and waits until they are gone; `None` when there are none.
    pub(super) fn stop_jobs(&mut self) -> Option<Step> {
        if let Some(step) = self.lost_job() {
            return Some(step);
        }
        if !self.jobs.run() {
            return None;
        }
        let alive = self.jobs.alive.keys().copied();
        let jobs: Vec<CallId> = alive
            .filter(|call| !self.jobs.asked.contains(call))
            .collect();
        if jobs.is_empty() {
            return Some(Step::Wait);
        }
        self.jobs.asked.extend(&jobs);
        Some(Step::Do(Effect::StopJobs { jobs }))
    }

    /// Refuses another job where there are as many as may be.
    pub(super) fn refuse_job(&self, call: &Call) -> Option<Step> {
        let is_next = match &call.state {
            CallState::Judged(verdict) => verdict.is_allowed(),
            CallState::Approved(_) => true,
            _ => false,
        };
        let is_job = call.action.as_ref().is_some_and(|action| action.is_job());
        if !is_next || !is_job || self.jobs.alive.len() < JOBS_MAX {
            return None;
        }
        let text = format!(
            "not started: {JOBS_MAX} jobs run already; stop one of them with `job`\n{}",
            self.jobs.to_text()
        );
        Some(answered(call.id, text, true))
    }

    /// Answers a call about jobs, or has the runner do it.
    pub(super) fn tend_job(&mut self, id: CallId) -> Step {
        let Some(call) = self.calls.find(id) else {
            return Step::Wait;
        };
        let (wanted, stop) = match &call.intent {
            Ok(Intent::Job { id: None, stop }) => (None, *stop),
            Ok(Intent::Job {
                id: Some(name),
                stop,
            }) => (Some(name.clone()), *stop),
            _ => return Step::Wait,
        };
        let job = job_of(call).filter(|job| self.jobs.is_known(*job));
        match (wanted, job) {
            (_, Some(job)) => {
                call.state = CallState::Running;
                Step::Do(Effect::TendJob {
                    call: id,
                    job,
                    stop,
                })
            }
            (None, None) => answered(id, self.jobs.to_text(), stop),
            (Some(name), None) => {
                let known = self.jobs.to_text();
                answered(id, format!("there is no job `{name}`\n{known}"), true)
            }
        }
    }
}

/// Returns the job that a call is about.
fn job_of(call: &Call) -> Option<CallId> {
    match &call.intent {
        Ok(Intent::Job { id: Some(name), .. }) => CallId::of_handle(name),
        _ => None,
    }
}

fn answered(call: CallId, text: String, is_error: bool) -> Step {
    ended(call, CallEnd::Answered { text, is_error })
}
