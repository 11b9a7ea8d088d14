//! Takes the screen's requests on: begins runs on threads, passes words and decisions, looks things up.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    process::{Command, ExitStatus},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use harness_core::{EndReason, SessionId, Timestamp};
use harness_host::{Canceller, cancel_pair};
use harness_tui::{
    Answer, Decision, Errand, Failed, Host, Input, Known, Loan, Over, Progress, Query, Request,
    Start,
};
use tokio::sync::mpsc;

use super::{
    call, errand,
    lent::Lent,
    look, review,
    stage::{Cast, Link, Stage},
};
use crate::{
    cli::{Common, Demo, FeatureFinish, Plan, Resume, Run, RunBranch, RunOptions},
    cmd,
    compose::Site,
    failure::Failure,
    job::{Done, Job},
    surface::{Past, Surface as _},
};

/// How long the end waits for what was decided in a review to be kept.
const SETTLE: Duration = Duration::from_secs(5);

/// What the threads leave behind for the moment when the screen is left.
#[derive(Debug, Default)]
struct Remains {
    failure: Option<Failure>,
    farewell: String,
    is_broken: bool,
}

/// The screen's host.
pub(super) struct Conductor {
    common: Common,
    inputs: mpsc::Sender<Input>,
    link: Arc<Link>,
    remains: Arc<Mutex<Remains>>,
    /// What to begin with, once the first frame stands.
    first: Option<Job>,
    /// The flags that later runs take over from the first.
    options: RunOptions,
    /// The program that calls the person; empty for none.
    notify_command: Vec<String>,
    /// Who has the terminal.
    /// Books are kept one at a time.
    books: Arc<Mutex<()>>,
    /// What to look up first.
    first_query: Option<Query>,
    /// Stops what is done beside a run.
    errand: Option<Canceller>,
    lent: Option<Lent>,
}

impl Conductor {
    pub(super) fn new(
        common: &Common,
        inputs: mpsc::Sender<Input>,
        first: Option<Job>,
        notify_command: Vec<String>,
    ) -> Self {
        let mut options = match &first {
            Some(Job::Run(run)) => run.options.clone(),
            Some(Job::Plan(plan)) => plan.options.clone(),
            Some(Job::Resume { flags, .. }) => flags.options.clone(),
            _ => RunOptions::default(),
        };
        // A recording is of one run.
        options.record = None;
        Self {
            common: common.clone(),
            inputs,
            link: Arc::default(),
            remains: Arc::default(),
            first,
            options,
            notify_command,
            lent: None,
            books: Arc::default(),
            first_query: None,
            errand: None,
        }
    }

    /// Looks something up as soon as the first frame stands.
    pub(super) fn look_first(&mut self, query: Query) {
        self.first_query = Some(query);
    }

    /// Waits until every book that was handed over is kept, or that takes too long.
    pub(super) fn settle(&self) {
        let begun = Instant::now();
        // Each thread that keeps one holds its share until it is done.
        while Arc::strong_count(&self.books) > 1 && begun.elapsed() < SETTLE {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns how the last thing that was begun failed, if it did.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.lock_remains().failure.take()
    }

    /// Returns what is worth reading when everything is over.
    pub(super) fn farewell(&self) -> String {
        std::mem::take(&mut self.lock_remains().farewell)
    }

    /// Whether a thread came to its end by a bug of ours.
    pub(super) fn is_broken(&self) -> bool {
        self.lock_remains().is_broken
    }

    fn lock_remains(&self) -> std::sync::MutexGuard<'_, Remains> {
        self.remains.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a job on a thread of its own.
    fn begin(&self, job: Job, past: Past) {
        let stage = Stage {
            inputs: self.inputs.clone(),
            link: Arc::clone(&self.link),
            cast: match job {
                Job::Demo(_) | Job::Replay(_) => Cast::Audience,
                _ => Cast::Person,
            },
            past,
        };
        let (common, remains) = (self.common.clone(), Arc::clone(&self.remains));
        self.link.begin();
        let work = move || {
            stage.send(Input::Started);
            let done = panic::catch_unwind(AssertUnwindSafe(|| perform(&common, &job, &stage)));
            stage.link.part();
            let done = done.unwrap_or_else(|_| {
                lock(&remains).is_broken = true;
                Err(Failure::failed("cannot go on: a bug of ours; see above"))
            });
            let over = over(done, &remains);
            stage.send(Input::Over(over));
        };
        self.spawn("run", work);
    }

    fn look(&self, query: Query) {
        let common = match query {
            Query::Page(_) => self.common_of_pages(),
            _ => self.common.clone(),
        };
        self.answer("look", move || look::answer(&common, &query));
    }

    /// Does something on a thread of its own that has an answer.
    fn answer(&self, name: &str, work: impl FnOnce() -> Answer + Send + 'static) {
        let stage = self.stage(Cast::Audience);
        self.spawn(name, move || {
            stage.send(Input::Answered(work()));
        });
    }

    /// Does something beside a run, on a thread of its own.
    fn begin_errand(&mut self, errand: Errand) {
        let (canceller, cancelled) = cancel_pair();
        self.errand = Some(canceller);
        let stage = self.stage(Cast::Person);
        let common = match errand {
            Errand::Undo { .. } => self.common_of_pages(),
            _ => self.common.clone(),
        };
        self.spawn("errand", move || {
            let done = panic::catch_unwind(AssertUnwindSafe(|| {
                errand::perform(&common, &errand, &stage, &cancelled)
            }));
            let done = done.unwrap_or_else(|_| Err(Failure::failed("cannot go on: a bug of ours")));
            let over = Progress::Over(done.map_err(|failure| failure.to_told()));
            stage.send(Input::Answered(Answer::Errand(over)));
        });
    }

    fn stage(&self, cast: Cast) -> Stage {
        Stage {
            inputs: self.inputs.clone(),
            link: Arc::clone(&self.link),
            cast,
            past: Past::Nothing,
        }
    }

    /// Returns the flags for what pages show: the work tree of the session, which may be one of its own.
    fn common_of_pages(&self) -> Common {
        let root = self.link.root().filter(|root| root.is_dir());
        Common {
            directory: root.or_else(|| self.common.directory.clone()),
            json: false,
            ..self.common.clone()
        }
    }

    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) {
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
        if let Err(error) = spawned {
            let failure = Failed {
                message: format!("cannot start a thread: {error}"),
                hint: None,
            };
            let _ = self.inputs.try_send(Input::Over(Over {
                code: 1,
                failure: Some(failure),
                resumable: None,
            }));
        }
    }

    fn start(&self, start: Start) {
        let run = |goal| {
            Job::Run(Run {
                goal,
                options: self.options.clone(),
                dirty: None,
                branch: RunBranch::Own,
                worktree: false,
            })
        };
        match start {
            Start::All => self.begin(run(None), Past::Whole),
            Start::Goal(goal) => self.begin(run(Some(goal)), Past::Whole),
            Start::Plan(goal) => self.begin(self.plan(goal), Past::Whole),
            Start::Resume {
                session,
                text,
                known,
            } => {
                let past = match known {
                    Known::Shown => Past::Nothing,
                    Known::New => Past::Whole,
                };
                self.begin(self.resume(session, text), past);
            }
            Start::Rewind {
                session,
                turn,
                what,
            } => self.begin(
                Job::Rewind {
                    session,
                    turn,
                    what,
                },
                Past::Nothing,
            ),
            Start::Land => self.begin(Job::Land, Past::Nothing),
            Start::Demo => {
                let flags = Demo {
                    fast: false,
                    plain: false,
                };
                self.begin(Job::Demo(flags), Past::Whole);
            }
            Start::Finish(feature) => {
                let flags = FeatureFinish {
                    id: feature.to_string(),
                    summary: FeatureFinish::SUMMARY.to_owned(),
                    ..FeatureFinish::default()
                };
                self.begin(Job::Finish(flags), Past::Nothing);
            }
            Start::Fork(session, number) => {
                let options = Box::new(self.options.clone());
                let job = Job::Fork {
                    session,
                    number,
                    options,
                };
                self.begin(job, Past::Whole);
            }
        }
    }

    fn plan(&self, goal: String) -> Job {
        Job::Plan(Box::new(Plan {
            goal: Some(goal),
            options: self.options.clone(),
            ..Plan::default()
        }))
    }

    fn resume(&self, session: SessionId, text: String) -> Job {
        Job::Resume {
            flags: Resume {
                session: Some(session.to_string()),
                options: self.options.clone(),
                ..Resume::default()
            },
            said: Some(text)
                .filter(|text| !text.is_empty())
                .into_iter()
                .collect(),
        }
    }
}

impl Host for Conductor {
    fn now(&self) -> Timestamp {
        harness_host::clock::now()
    }

    fn opened(&mut self) {
        match self.first.take() {
            Some(job) => self.begin(job, Past::Whole),
            None => {
                if let Some(query) = self.first_query.take() {
                    self.look(query);
                }
                self.look(Query::Overview);
            }
        }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Steer(request) => {
                if request == harness_core::Request::Interrupt {
                    self.link.refuse_all();
                }
                self.link.steer(request);
            }
            Request::Start(start) => self.start(start),
            Request::Decide { id, decision } => self.link.decide(id, decision == Decision::Yes),
            Request::Look(query) => self.look(query),
            Request::Review(kept) => {
                let (common, books) = (self.common_of_pages(), Arc::clone(&self.books));
                self.answer("review", move || {
                    // One after the other, in the order in which they were made.
                    let _turn = lock(&books);
                    Answer::Reviewed(review::keep(&common, *kept).map(Box::new))
                });
            }
            Request::Do(errand) => self.begin_errand(errand),
            Request::UseModel(name) => {
                self.options.model = Some(name);
                self.options.agent = None;
            }
            Request::StopErrand => {
                if let Some(canceller) = &self.errand {
                    canceller.cancel();
                }
            }
            Request::Keep(text) => self.answer("keep", move || call::keep(&text)),
            Request::Notify(words) => {
                let command = self.notify_command.clone();
                if !command.is_empty() {
                    self.spawn("call", move || call::run(&command, &words));
                }
            }
            // The loop of the screen does these itself.
            Request::Suspend
            | Request::Redraw
            | Request::Quit
            | Request::Abandon
            | Request::Lend(_)
            | Request::Copy(_)
            | Request::Mouse(_) => {}
        }
    }

    fn program(&mut self, errand: &Loan) -> Result<Command, Failed> {
        let folder = match errand {
            Loan::Open { .. } => {
                let site = Site::open(&self.common_of_pages());
                let site = site.map_err(|failure| failure.to_told())?;
                Some(site.root.path().to_path_buf())
            }
            _ => self.common.directory.clone(),
        };
        let (lent, command) = Lent::prepare(errand, folder)?;
        self.lent = Some(lent);
        Ok(command)
    }

    fn returned(&mut self, errand: &Loan, ended: io::Result<ExitStatus>) -> Option<Answer> {
        self.lent.take()?.finish(errand, &ended)
    }
}

fn perform(common: &Common, job: &Job, stage: &Stage) -> Result<Done, Failure> {
    match job {
        Job::Run(flags) => cmd::run::work(common, flags, stage),
        Job::Plan(flags) => cmd::plan::work(common, flags, stage),
        Job::Resume { flags, said } => cmd::resume::work(common, flags, said, stage),
        Job::Demo(flags) => cmd::demo::work(flags, stage),
        Job::Replay(flags) => cmd::replay::work(common, flags, stage),
        Job::Land => land(common, stage),
        Job::Finish(flags) => cmd::finish::work(common, flags, stage),
        Job::Fork {
            session,
            number,
            options,
        } => {
            let flags = Resume {
                fork: Some(format!("{session}@{number}")),
                options: options.as_ref().clone(),
                ..Resume::default()
            };
            cmd::resume::work(common, &flags, &[], stage)
        }
        Job::Rewind {
            session,
            turn,
            what,
        } => {
            let named = session.to_string();
            // Whatever came of it, the session can be gone on with.
            if let Err(failure) = cmd::rewind::work(common, Some(&named), *turn, *what, stage) {
                stage.say(failure.to_text().trim_end());
            }
            Ok(Done::still_open(*session))
        }
    }
}

fn land(common: &Common, stage: &Stage) -> Result<Done, Failure> {
    let flags = crate::cli::Land {
        run: None,
        squash: false,
    };
    let (text, line) = cmd::land::bring(&Site::open(common)?, &flags)?;
    stage.entry(
        "landed",
        &text,
        serde_json::to_value(&line).unwrap_or_default(),
    )?;
    Ok(Done::without_run(0))
}

/// Says how a job came out, and keeps what is wanted later.
fn over(done: Result<Done, Failure>, remains: &Mutex<Remains>) -> Over {
    let mut remains = lock(remains);
    match done {
        Ok(done) => {
            remains.failure = None;
            remains.farewell = done.farewell;
            let goes_on = |reason: EndReason| {
                reason.exit_code() != 0 && reason != EndReason::Aborted
                    || reason == EndReason::Answered
            };
            let finished = done.finished.filter(|finished| goes_on(finished.reason));
            Over {
                code: done.code,
                failure: None,
                resumable: finished.and_then(|finished| finished.session),
            }
        }
        Err(failure) => {
            let over = Over {
                code: failure.code(),
                failure: Some(failure.to_told()),
                resumable: None,
            };
            remains.failure = Some(failure);
            over
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
