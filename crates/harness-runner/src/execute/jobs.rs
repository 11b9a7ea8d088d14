//! Commands that go on when their call has returned.
//!
//! A job runs in the cage and under the plan of its call, like any command, and counts as one
//! that is active in the work tree until it is over and what it did was looked at. Whoever looks
//! at the tree meanwhile, or takes a snapshot of it, holds all jobs still first: what changes
//! while it is read can be neither judged nor taken back. A job that cannot be held still is ended.
//!
//! Which jobs there may be is the engine's business. Nothing of a job survives the performer.

use std::{
    collections::BTreeMap,
    fmt, mem,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use harness_core::{ByteCount, CallId, Captured, Event, JobEnd, RepoPath, Stop};
use harness_host::{
    Cancelled, Canceller,
    process::{Anchor, Cage, Capture, Exited, Still},
};
use harness_tool::{Printed, ToolText};
use tokio::sync::{OwnedMutexGuard, watch};

use super::{lock, outputs::Outputs};

/// What a model is shown of what a job printed.
const SHOWN_MAX: ByteCount = ByteCount::kib(24);
/// What is kept of either end of it until it is read.
const UNREAD_HALF: ByteCount = ByteCount::kib(16);
/// How long a start waits for a job that ends at once, such as one whose program is missing.
const START_MAX: Duration = Duration::from_secs(1);
/// How long a read waits for something new.
const NEWS_MAX: Duration = Duration::from_secs(5);
/// Jobs that are over and can still be read.
const OVER_MAX: usize = 16;

/// The jobs of a run.
pub(crate) struct Jobs {
    all: Mutex<BTreeMap<CallId, Arc<Job>>>,
    /// Held by who holds the jobs still.
    still: Arc<tokio::sync::Mutex<()>>,
    tell: Box<dyn Fn(Event) + Send + Sync>,
}

/// One job.
pub(crate) struct Job {
    pub(crate) call: CallId,
    command: String,
    note: String,
    begun: Instant,
    canceller: Canceller,
    state: Mutex<State>,
    /// Changes with everything that happens to it.
    news: watch::Sender<()>,
}

struct State {
    anchor: Option<Anchor>,
    /// What it runs in, while it runs.
    cage: Option<Arc<Cage>>,
    unread: Capture,
    whole: Option<Capture>,
    /// Whether its processes are gone.
    is_gone: bool,
    /// Why the harness ended it.
    problem: Option<String>,
    /// How it ended, and how long it ran. Unit: milliseconds.
    over: Option<(JobEnd, u64)>,
}

/// Jobs that stand still until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    // First, so that everything goes on before another may hold it.
    _still: Still,
    _turn: OwnedMutexGuard<()>,
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls: Vec<CallId> = lock(&self.all).keys().copied().collect();
        f.debug_tuple("Jobs").field(&calls).finish()
    }
}

impl Jobs {
    pub(crate) fn new(tell: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self {
            all: Mutex::default(),
            still: Arc::default(),
            tell: Box::new(tell),
        }
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.tell)(event);
    }

    /// Takes a job in that starts now; `output` is how much of its output is kept.
    pub(crate) fn add(
        &self,
        call: CallId,
        command: &str,
        cage: &Arc<Cage>,
        output: ByteCount,
        canceller: Canceller,
    ) -> Arc<Job> {
        let half = ByteCount(output.0 / 2);
        let note = if cage.shares_loopback() {
            "later commands reach its ports on 127.0.0.1"
        } else {
            "at this level no other command reaches its ports"
        };
        let job = Arc::new(Job {
            call,
            command: command.to_owned(),
            note: note.to_owned(),
            begun: Instant::now(),
            canceller,
            state: Mutex::new(State {
                anchor: None,
                cage: Some(Arc::clone(cage)),
                unread: Capture::new(UNREAD_HALF, UNREAD_HALF),
                whole: Some(Capture::new(half, half)),
                is_gone: false,
                problem: None,
                over: None,
            }),
            news: watch::Sender::new(()),
        });
        let mut all = lock(&self.all);
        let over: Vec<CallId> = all
            .values()
            .filter(|job| job.is_over())
            .map(|job| job.call)
            .collect();
        for old in over.iter().rev().skip(OVER_MAX) {
            all.remove(old);
        }
        all.insert(call, Arc::clone(&job));
        job
    }

    pub(crate) fn find(&self, call: CallId) -> Option<Arc<Job>> {
        lock(&self.all).get(&call).cloned()
    }

    /// Whether one is not over, so that the work tree can have changed.
    pub(crate) fn are_alive(&self) -> bool {
        lock(&self.all).values().any(|job| !job.is_over())
    }

    /// Asks jobs to end; each says so when it has. One that is not there is over.
    pub(crate) fn stop(&self, calls: &[CallId]) {
        for call in calls {
            match self.find(*call) {
                Some(job) => job.canceller.cancel(),
                None => self.tell(Event::JobEnded {
                    call: *call,
                    end: JobEnd::Lost,
                    ms: 0,
                }),
            }
        }
    }

    /// Holds all jobs still; those that cannot be are ended.
    pub(crate) async fn hold(&self) -> Held {
        let turn = Arc::clone(&self.still).lock_owned().await;
        loop {
            let running = self.running();
            let mut anchors = Vec::new();
            for job in &running {
                anchors.extend(job.anchor().await);
            }
            if anchors.is_empty() {
                return Held {
                    _still: Still::default(),
                    _turn: turn,
                };
            }
            let held = tokio::task::spawn_blocking(move || Still::hold(&anchors)).await;
            if let Ok(Ok(still)) = held {
                return Held {
                    _still: still,
                    _turn: turn,
                };
            }
            for job in running {
                job.give_up("it could not be held still while the harness looked at the files");
                job.wait_for(|state| state.is_gone).await;
            }
        }
    }

    fn running(&self) -> Vec<Arc<Job>> {
        let all = lock(&self.all);
        let running = all.values().filter(|job| !lock(&job.state).is_gone);
        running.cloned().collect()
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        for job in lock(&self.all).values() {
            job.canceller.cancel();
        }
    }
}

impl Job {
    /// Takes in what the command writes.
    pub(crate) fn take(&self, bytes: &[u8]) {
        let mut state = lock(&self.state);
        state.unread.push(bytes);
        if let Some(whole) = &mut state.whole {
            whole.push(bytes);
        }
        drop(state);
        self.news.send_replace(());
    }

    /// Takes in that it has started.
    pub(crate) fn started(&self, anchor: Anchor) {
        lock(&self.state).anchor = Some(anchor);
        self.news.send_replace(());
    }

    /// Takes in that its processes are gone.
    pub(crate) fn gone(&self) {
        let mut state = lock(&self.state);
        state.is_gone = true;
        state.cage = None;
        drop(state);
        self.news.send_replace(());
    }

    /// Takes in that all is said of it, and says how it ended.
    pub(crate) fn end(
        &self,
        exited: Result<Exited, String>,
        looked: Result<(), String>,
        outputs: &Outputs,
    ) -> Event {
        let mut state = lock(&self.state);
        let failed = |message: String| JobEnd::Failed { message };
        let end = match (looked, state.problem.take(), exited) {
            (Err(message), _, _) | (Ok(()), Some(message), _) => failed(message),
            (_, _, Err(message)) => failed(message),
            (_, _, Ok(exited)) if exited.stop == Stop::Cancelled => JobEnd::Stopped,
            (_, _, Ok(exited)) => JobEnd::Ended { stop: exited.stop },
        };
        // What it wrote is read on from where it is kept.
        if let Some(whole) = state.whole.take() {
            outputs.keep_long(self.call, &whole.into_captured());
        }
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        state.over = Some((end.clone(), ms));
        drop(state);
        self.news.send_replace(());
        Event::JobEnded {
            call: self.call,
            end,
            ms,
        }
    }

    pub(crate) fn stop(&self) {
        self.canceller.cancel();
    }

    /// Waits a moment, for a job that ends at once.
    pub(crate) async fn settle(&self, cancelled: Cancelled) {
        let over = self.wait_for(|state| state.over.is_some());
        let _ = until_cancelled(cancelled, tokio::time::timeout(START_MAX, over)).await;
    }

    /// Waits until it has printed something or is over, or for as long as a read may wait.
    ///
    /// Returns `false` when that was cut short.
    pub(crate) async fn await_news(&self, cancelled: Cancelled) -> bool {
        let news = self.wait_for(|state| state.over.is_some() || state.unread.bytes() > 0);
        until_cancelled(cancelled, tokio::time::timeout(NEWS_MAX, news))
            .await
            .is_some()
    }

    /// Waits until it is over; `false` when that was cut short.
    pub(crate) async fn await_end(&self, cancelled: Cancelled) -> bool {
        let over = self.wait_for(|state| state.over.is_some());
        until_cancelled(cancelled, over).await.is_some()
    }

    /// Words what it has printed since this was asked last; `cage` is what commands run in now.
    pub(crate) fn read(
        &self,
        outputs: &Outputs,
        cage: Option<&Arc<Cage>>,
        first: bool,
    ) -> ToolText {
        let mut state = lock(&self.state);
        let fresh = Capture::new(UNREAD_HALF, UNREAD_HALF);
        let output = mem::replace(&mut state.unread, fresh).into_captured();
        let kept = self.keep(&state, &output, outputs);
        let is_elsewhere = match (&state.cage, cage) {
            (Some(own), Some(now)) => own.shares_loopback() && !Arc::ptr_eq(own, now),
            _ => false,
        };
        let note = match (is_elsewhere, first && state.over.is_none()) {
            (true, _) => {
                "what is open to commands has changed, so they do not reach its ports any more; start it again for that"
            }
            (false, true) => &self.note,
            (false, false) => "",
        };
        let (end, ms) = match &state.over {
            Some((end, ms)) => (Some(end.clone()), *ms),
            None => {
                let ms = self.begun.elapsed().as_millis();
                (None, u64::try_from(ms).unwrap_or(u64::MAX))
            }
        };
        let printed = Printed {
            call: self.call,
            command: self.command.clone(),
            end,
            seconds: ms / 1_000,
            output,
            kept,
            note: note.to_owned(),
        };
        harness_tool::job_text(&printed, SHOWN_MAX)
    }

    /// Keeps all that it has printed, where what is new is more than is shown.
    fn keep(&self, state: &State, unread: &Captured, outputs: &Outputs) -> Option<RepoPath> {
        if unread.bytes < SHOWN_MAX.0 / 2 {
            return None;
        }
        match &state.whole {
            Some(whole) => outputs.keep_long(self.call, &whole.clone().into_captured()),
            // Kept when it ended.
            None => self
                .call
                .kept_output()
                .filter(|path| outputs.root_of(path).is_some()),
        }
    }

    fn is_over(&self) -> bool {
        lock(&self.state).over.is_some()
    }

    fn give_up(&self, problem: &str) {
        lock(&self.state)
            .problem
            .get_or_insert_with(|| problem.to_owned());
        self.canceller.cancel();
    }

    /// Returns what its processes hang on, once it has started; `None` when they are gone.
    async fn anchor(&self) -> Option<Anchor> {
        self.wait_for(|state| state.is_gone || state.anchor.is_some())
            .await;
        let state = lock(&self.state);
        state.anchor.filter(|_| !state.is_gone)
    }

    async fn wait_for(&self, has_come: impl Fn(&State) -> bool) {
        let mut news = self.news.subscribe();
        while !has_come(&lock(&self.state)) {
            if news.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Waits for something unless it is not wanted any more.
async fn until_cancelled<T>(
    mut cancelled: Cancelled,
    wanted: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        () = cancelled.wait() => None,
        came = wanted => Some(came),
    }
}
