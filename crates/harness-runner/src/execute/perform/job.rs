//! Jobs: how one starts, is read and stopped, and what it writes is looked at.

use std::sync::Arc;

use harness_core::{Action, CallId, Event};
use harness_guard::Permit;
use harness_host::{
    Cancelled, cancel_pair,
    process::{Exited, RunLimits},
};
use harness_tool::ToolText;

use super::{Done, Performed, Performer, Ready};
use crate::execute::{
    chain,
    jobs::{Held, Job},
    lock,
};

impl Performer {
    /// Starts a command that goes on, and waits a moment for one that ends at once.
    ///
    /// It counts as active in the work tree until it is over and was looked at.
    pub(super) async fn start_job(
        self: &Arc<Self>,
        call: CallId,
        permit: &Permit,
        cancelled: Cancelled,
        told: &mut Vec<Event>,
    ) -> Done {
        if let Err(done) = self.before_running(cancelled.clone(), told).await {
            return done;
        }
        let unstarted = match self.ready(permit).await {
            Ok(ready) if !cancelled.is_cancelled() => {
                let job = self.spawn_job(call, permit, ready);
                job.settle(cancelled).await;
                let cage = lock(&self.cage).clone();
                return Done::Answered(job.read(&self.outputs, cage.as_ref(), true));
            }
            Ok(_) => Done::Cancelled,
            Err(message) => Done::Failed(message),
        };
        match self.look(Self::after_command).await {
            Ok(events) => told.extend(events),
            Err(message) => return Done::Failed(message),
        }
        unstarted
    }

    fn spawn_job(self: &Arc<Self>, call: CallId, permit: &Permit, ready: Ready) -> Arc<Job> {
        let Ready { plan, argv, cage } = ready;
        let command = match permit.action() {
            Action::Run { command, .. } => command.as_str(),
            _ => "",
        };
        let bounds = permit.bounds().limits.clone();
        let (canceller, cancelled) = cancel_pair();
        let job = self
            .jobs
            .add(call, command, &cage, bounds.output, canceller);
        self.jobs.tell(Event::JobStarted {
            call,
            command: command.to_owned(),
        });
        let own = Arc::clone(&job);
        let run = tokio::spawn(async move {
            let limits = RunLimits::of_job(&bounds);
            let exited = cage
                .run_anchored(
                    &plan,
                    &argv,
                    &limits,
                    |bytes| own.take(bytes),
                    cancelled,
                    |anchor| own.started(anchor),
                )
                .await;
            exited.map_err(|error| chain(&error))
        });
        // The performer ends its jobs when it goes: they must not keep it.
        let (own, performer) = (Arc::clone(&job), Arc::downgrade(self));
        drop(tokio::spawn(async move {
            let exited = run.await;
            let exited = exited.unwrap_or_else(|error| Err(format!("it was cut short: {error}")));
            own.gone();
            if let Some(performer) = performer.upgrade() {
                performer.end_job(&own, exited).await;
            }
        }));
        job
    }

    /// Looks at what a job has left behind, and says that it is over.
    async fn end_job(self: &Arc<Self>, job: &Job, exited: Result<Exited, String>) {
        let looked = self.look(Self::after_command).await.map(|events| {
            for event in events {
                self.jobs.tell(event);
            }
        });
        let ended = job.end(exited, looked, &self.outputs);
        self.jobs.tell(ended);
    }

    /// Says what a job has printed since it was read last, once it has ended where that is wanted.
    pub(crate) async fn tend_job(
        self: &Arc<Self>,
        call: CallId,
        stop: bool,
        cancelled: Cancelled,
    ) -> Performed {
        let Some(job) = self.jobs.find(call) else {
            let text = format!("what job {} has printed is gone", call.handle());
            return Performed {
                result: Done::Answered(ToolText {
                    text,
                    is_error: true,
                }),
                told: Vec::new(),
            };
        };
        let has_come = if stop {
            job.stop();
            job.await_end(cancelled).await
        } else {
            job.await_news(cancelled).await
        };
        let result = if has_come {
            let cage = lock(&self.cage).clone();
            Done::Answered(job.read(&self.outputs, cage.as_ref(), false))
        } else {
            Done::Cancelled
        };
        self.look_meanwhile(result, Vec::new()).await
    }

    /// Asks jobs to end.
    pub(crate) fn stop_jobs(&self, jobs: &[CallId]) {
        self.jobs.stop(jobs);
    }

    /// Takes back what jobs may not have written so far, before a call's result is told.
    pub(super) async fn look_meanwhile(
        self: &Arc<Self>,
        result: Done,
        mut told: Vec<Event>,
    ) -> Performed {
        if !self.jobs.are_alive() {
            return Performed { result, told };
        }
        let result = match self.look(Self::meanwhile).await {
            Ok(events) => {
                told.extend(events);
                result
            }
            Err(message) => Done::Failed(message),
        };
        Performed { result, told }
    }

    fn meanwhile(&self) -> Result<Vec<Event>, String> {
        self.with_watch(|watch, root| watch.meanwhile(root))
    }

    /// Looks at what jobs have written and keeps them still until the answer is dropped; `None`
    /// where none is alive.
    pub(crate) async fn quiet(self: &Arc<Self>) -> Result<(Vec<Event>, Option<Held>), String> {
        if !self.jobs.are_alive() {
            return Ok((Vec::new(), None));
        }
        let held = self.jobs.hold().await;
        let events = self.look_now(Self::meanwhile).await?;
        Ok((events, Some(held)))
    }

    /// Removes what was kept for the session.
    pub(crate) fn end_session(&self) {
        self.outputs.remove();
    }
}
