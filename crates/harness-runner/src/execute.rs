//! Does what the engine asks for, and answers with events.
//!
//! One method per effect; each ends in the events the effect promises, whatever
//! goes wrong. What blocks for more than a moment runs on another thread.

mod bench;
mod beside;
mod change;
mod closed;
mod commit;
mod compare;
mod findings;
mod hand_over;
mod jobs;
mod judged;
mod keeping;
mod left_out;
mod open;
mod outputs;
mod perform;
mod printed;
mod project;
mod regression;
mod report_file;
mod setup;
mod shop;
mod subject;
mod turn_down;
mod turning_back;
mod watch;
mod work_tree;

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use harness_core::{
    Amendment, CallEnd, CallId, Difference, Event, Gate, ModelDelta, ModelResponded,
    NegativeControl, Prompt, RunState, SessionOpened, TurnNumber,
};
use harness_engine::{CommitFeature, Effect, RunGate, RunNegativeControl};
use harness_guard::{Guard, HostAct, Permit};
use harness_host::{Cancelled, Canceller, cancel_pair, process::NetworkReport};
use harness_store::LogWriter;
use tokio::sync::mpsc;

pub use bench::{GateBench, GateCandidate, GatePlace};
pub use closed::with_closed;
pub use commit::land_message;
pub use compare::work_tree_now;
pub use findings::Finder;
pub use subject::{Subject, subject_tree_of};
pub use turning_back::changed_by_others;
pub use turning_back::named_paths;
pub use watch::restore_ignored;
pub use work_tree::judge_work_tree;

use crate::{Models, RunnerError, Workplace};
use bench::Bench;
use jobs::Jobs;
use judged::Judged;
use perform::Performer;
use setup::Setup;
use shop::Workshop;

/// The end of an effect.
#[derive(Debug)]
pub(crate) enum Ended {
    Event(Event),
    /// A session with the log that its events go to from now on.
    Opened {
        opened: Box<SessionOpened>,
        log: LogWriter,
    },
}

/// What an effect is started with.
#[derive(Debug)]
pub(crate) struct Context {
    /// How it learns that it is not wanted any more.
    pub(crate) cancelled: Cancelled,
    /// The hash of the last record when it was started.
    pub(crate) log_head: String,
    /// Where the pieces of an answer go.
    pub(crate) deltas: mpsc::Sender<ModelDelta>,
}

/// What an open session adds to the workplace.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) opened: SessionOpened,
    /// The run as the engine has it now.
    pub(crate) run: RunState,
}

/// Does what the engine asks for.
#[derive(Debug)]
pub(crate) struct Executor {
    workplace: Workplace,
    models: Models,
    shop: Arc<Mutex<Workshop>>,
    performer: Arc<Performer>,
    bench: Bench,
    judged: Judged,
    setup: Arc<Setup>,
    setting: RefCell<Option<Setting>>,
    asking: RefCell<Canceller>,
    /// Whether the last request went out before it was called off.
    sent: Cell<bool>,
    working: RefCell<(Canceller, Cancelled)>,
    ended: mpsc::UnboundedSender<Ended>,
}

impl Executor {
    pub(crate) fn new(
        workplace: Workplace,
        models: Models,
        ended: mpsc::UnboundedSender<Ended>,
    ) -> Result<Self, RunnerError> {
        let shop = Arc::new(Mutex::new(Workshop::open(&workplace.root)?));
        let listener = ended.clone();
        let report = NetworkReport::to(move |used| {
            // As in `send`.
            let _ = listener.send(Ended::Event(Event::NetworkUsed(used)));
        });
        let teller = ended.clone();
        let setup = Setup::new(workplace.clone(), report.clone(), move |event| {
            // As in `send`.
            let _ = teller.send(Ended::Event(event));
        });
        let job_teller = ended.clone();
        let jobs = Jobs::new(move |event| {
            // As in `send`.
            let _ = job_teller.send(Ended::Event(event));
        });
        let performer = Performer::open(
            &workplace,
            Arc::clone(&shop),
            report.clone(),
            Arc::clone(&setup),
            jobs,
        )?;
        let performer = Arc::new(performer);
        let bench = Bench::new(
            workplace.clone(),
            Arc::clone(&shop),
            report,
            Arc::clone(&setup),
        );
        let judged = Judged::new(workplace.cache.join("gates").join("review"));
        let (asking, _) = cancel_pair();
        Ok(Self {
            workplace,
            models,
            shop,
            performer,
            bench,
            judged,
            setup,
            setting: RefCell::new(None),
            asking: RefCell::new(asking),
            sent: Cell::new(false),
            working: RefCell::new(cancel_pair()),
            ended,
        })
    }

    /// Takes in that files are not as the agent may have seen them.
    pub(crate) fn doubt(&self, differs: &[Difference]) {
        self.performer.doubt(differs);
    }

    /// Sets up for a session that another process opened.
    ///
    /// Returns what that process had no time to find and undo.
    pub(crate) fn take_up(
        &self,
        opened: &SessionOpened,
        run: &RunState,
    ) -> Result<Vec<Event>, RunnerError> {
        let setting = Setting {
            opened: opened.clone(),
            run: run.clone(),
        };
        let set_up = |message: String| RunnerError::SetUp {
            attempt: format!("take up session `{}`", opened.session),
            source: std::io::Error::other(message),
        };
        self.setup.begin_session(opened.session);
        if let Some(feature) = setting.feature() {
            let guard = Guard::new(&run.policy, feature).map_err(|error| set_up(chain(&error)))?;
            self.performer.begin_session(&guard, &run.policy.map_file);
        }
        let taken = lock(&self.shop).take_up(&setting);
        taken.map_err(set_up)?;
        self.remove_half_written(run).map_err(set_up)?;
        let mut found = Vec::new();
        if let Some(feature) = setting.feature() {
            let guard = Guard::new(&run.policy, feature).map_err(|error| set_up(chain(&error)))?;
            let watched = self.performer.watch_again(&guard, opened);
            found = watched.map_err(set_up)?;
        }
        *self.setting.borrow_mut() = Some(setting);
        Ok(found)
    }

    /// Removes what a killed process left beside the files that the harness writes itself.
    fn remove_half_written(&self, run: &RunState) -> Result<(), String> {
        let files = commit::host_files(run);
        let root = self.performer.root();
        root.remove_left_overs_beside(HostAct::WriteHostFile, &files)
            .map(|_| ())
            .map_err(|error| chain(&error))
    }

    /// Keeps what later effects need to know of the run.
    pub(crate) fn notice(&self, event: &Event) {
        match event {
            Event::SessionOpened(opened) => {
                let mut run = opened.run.clone();
                run.work_start
                    .get_or_insert_with(|| opened.start_tree.clone());
                *self.setting.borrow_mut() = Some(Setting {
                    opened: (**opened).clone(),
                    run,
                });
            }
            Event::SessionResumed {
                attended,
                model,
                limits,
                steered,
                fallback,
                roles,
                ..
            } => {
                if let Some(setting) = self.setting.borrow_mut().as_mut() {
                    setting.run.attended = *attended;
                    setting.run.steered = *steered;
                    setting.run.model = (**model).clone();
                    setting.run.fallback = fallback.clone();
                    setting.run.roles = (**roles).clone();
                    setting.run.policy.limits = (**limits).clone();
                }
            }
            Event::FeaturePassed(passed) => {
                if let Some(setting) = self.setting.borrow_mut().as_mut() {
                    setting.run.tip = passed.commit.clone();
                    if let Some(head) = passed.head() {
                        setting.run.lands = Some(head.clone());
                    }
                    setting.run.work_start = Some(passed.work_tree.clone());
                }
            }
            Event::SessionEnded { .. } => {
                self.performer.end_session();
                self.tidy();
            }
            Event::FeatureAmended { amendment, .. } => self.amend(amendment),
            Event::ModelChanged { model, .. } => {
                if let Some(setting) = self.setting.borrow_mut().as_mut() {
                    setting.run.change_model(model);
                }
            }
            Event::FeatureStatusChanged {
                feature,
                to,
                reason,
                ..
            } => {
                if let Some(setting) = self.setting.borrow().as_ref() {
                    let store = &self.workplace.store;
                    project::project_status(store, &self.performer, setting, feature, *to, reason);
                }
            }
            _ => {}
        }
    }

    /// Works with what a person gave from the next action on.
    fn amend(&self, amendment: &Amendment) {
        let mut setting = self.setting.borrow_mut();
        let Some(setting) = setting.as_mut() else {
            return;
        };
        setting.run.policy.amend(amendment);
        let renewed = setting
            .feature()
            .map(|feature| Guard::new(&setting.run.policy, feature));
        // The guard of the engine was made of the same rules and did not fail.
        if let Some(Ok(guard)) = renewed {
            self.performer.amend(&guard);
            lock(&self.shop).amend(setting, guard);
        }
    }

    pub(crate) fn cancel_model(&self) {
        self.asking.borrow().cancel();
    }

    pub(crate) fn cancel_work(&self) {
        let (canceller, _) = self.working.replace(cancel_pair());
        canceller.cancel();
    }

    /// Takes the way an effect is cancelled by, in the moment it is started.
    pub(crate) fn begin(&self, effect: &Effect) -> Cancelled {
        let is_request = matches!(
            effect,
            Effect::RequestModel { .. } | Effect::HandOver(_) | Effect::AskBeside(_)
        );
        if !is_request {
            return self.working.borrow().1.clone();
        }
        let (canceller, cancelled) = cancel_pair();
        *self.asking.borrow_mut() = canceller;
        self.sent.set(false);
        cancelled
    }

    /// Whether the last request went out before it was called off.
    pub(crate) fn was_sent(&self) -> bool {
        self.sent.get()
    }

    /// Does one effect and sends its end.
    pub(crate) async fn execute(&self, effect: Effect, context: Context) {
        let Context {
            cancelled,
            log_head,
            deltas,
        } = context;
        match effect {
            Effect::OpenSession(open) => {
                self.send(open::open(self, *open).await);
                // Beside the first request: nothing runs in the work tree before it is ready.
                self.performer.set_up(cancelled).await;
            }
            Effect::RequestModel { turn, prompt } => {
                self.request(turn, prompt, deltas, cancelled).await;
            }
            Effect::Perform { call, permit } => {
                self.performer.printed().tell(&deltas);
                self.perform(call, permit, cancelled).await;
            }
            Effect::TendJob { call, job, stop } => self.tend_job(call, job, stop, cancelled).await,
            Effect::StopJobs { jobs } => self.performer.stop_jobs(&jobs),
            Effect::SaveCheckpoint { number } => self.save(number, log_head).await,
            Effect::RunBaseline { gates } => self.baseline(gates, cancelled).await,
            Effect::FreezeCandidate => self.freeze().await,
            Effect::RunGate(gate) => self.gate(*gate, cancelled).await,
            Effect::RunNegativeControl(run) => self.negative_control(*run, cancelled).await,
            Effect::CommitFeature(commit) => self.commit(*commit, log_head).await,
            Effect::SetAside => self.set_aside().await,
            Effect::BringBack(work) => self.bring_back(*work).await,
            Effect::Rewind(files) => self.rewind(*files).await,
            Effect::TurnDown(rejections) => self.turn_down(rejections).await,
            Effect::HandOver(write) => {
                self.tell(hand_over::hand_over(self, *write, cancelled).await);
            }
            Effect::AskBeside(ask) => self.ask_beside(*ask, deltas, cancelled).await,
            Effect::PerformBeside {
                conversation,
                call,
                permit,
                tree,
            } => {
                self.look_beside(conversation, call, permit, tree).await;
            }
            Effect::ShowChange { tree } => self.show_change(tree).await,
            Effect::Record(_)
            | Effect::CancelModel
            | Effect::CancelWork
            | Effect::AskPerson { .. }
            | Effect::AskApproval(_)
            | Effect::PerformApproved { .. }
            | Effect::KeepProposal { .. }
            | Effect::SettleProposal(_) => {}
        }
    }

    async fn commit(&self, commit: CommitFeature, log_head: String) {
        self.tell(match self.setting() {
            Some(setting) => commit::commit(self, commit, setting, log_head).await,
            None => Event::CommitFailed {
                message: NO_SESSION.to_owned(),
                needs_human: false,
            },
        });
    }

    async fn request(
        &self,
        turn: TurnNumber,
        prompt: Prompt,
        deltas: mpsc::Sender<ModelDelta>,
        cancelled: Cancelled,
    ) {
        let begun = Instant::now();
        let profile = self.setting().map(|setting| setting.run.model);
        let name = profile.as_ref().map(|profile| profile.name.as_str());
        let model = self.models.named(name.unwrap_or_default());
        self.sent.set(!cancelled.is_cancelled());
        let mut unwanted = cancelled.clone();
        let answer = tokio::select! {
            biased;
            // The request is dropped where it stands: nothing it does is waited for.
            () = unwanted.wait() => Err(crate::model::cancelled_failure()),
            answer = model.request(&prompt, deltas, cancelled) => answer,
        };
        self.tell(match answer {
            Ok(response) => {
                let cost = profile.and_then(|profile| profile.cost(response.usage));
                Event::ModelResponded(ModelResponded {
                    turn,
                    response,
                    cost,
                    ms: millis(begun),
                })
            }
            Err(failure) => Event::ModelFailed {
                turn,
                failure,
                spent: None,
            },
        });
    }

    async fn perform(&self, call: CallId, permit: Permit, cancelled: Cancelled) {
        let begun = Instant::now();
        let changed = perform::changed_by(permit.action());
        let done = Performer::perform(&self.performer, call, permit, cancelled.clone()).await;
        for event in done.told {
            self.tell(event);
        }
        if let (false, Some(setting)) = (changed.is_empty(), self.setting()) {
            let formatting =
                self.performer
                    .format(call, &changed, &done.result, &setting, cancelled);
            for event in formatting.await {
                self.tell(event);
            }
        }
        self.tell(match done.result {
            perform::Done::Answered(text) => Event::CallEnded {
                call,
                end: CallEnd::Answered {
                    text: text.text,
                    is_error: text.is_error,
                },
                ms: millis(begun),
            },
            perform::Done::Ended(outcome) => Event::CallEnded {
                call,
                end: CallEnd::Done { outcome },
                ms: millis(begun),
            },
            perform::Done::Cancelled => Event::CallEnded {
                call,
                end: CallEnd::Cancelled,
                ms: millis(begun),
            },
            perform::Done::Failed(message) => Event::CallEnded {
                call,
                end: CallEnd::Failed { message },
                ms: millis(begun),
            },
            perform::Done::Link {
                link,
                target,
                resolved,
            } => Event::LinkMet {
                call,
                link,
                target,
                resolved,
            },
        });
    }

    async fn tend_job(&self, call: CallId, job: CallId, stop: bool, cancelled: Cancelled) {
        let begun = Instant::now();
        let done = self.performer.tend_job(job, stop, cancelled).await;
        for event in done.told {
            self.tell(event);
        }
        let end = match done.result {
            perform::Done::Answered(text) => CallEnd::Answered {
                text: text.text,
                is_error: text.is_error,
            },
            perform::Done::Failed(message) => CallEnd::Failed { message },
            _ => CallEnd::Cancelled,
        };
        self.tell(Event::CallEnded {
            call,
            end,
            ms: millis(begun),
        });
    }

    /// Holds jobs still while the work tree is taken as it is, once what they wrote was looked at.
    async fn quiet(&self) -> Result<Option<jobs::Held>, String> {
        let (events, held) = self.performer.quiet().await?;
        for event in events {
            self.tell(event);
        }
        Ok(held)
    }

    async fn freeze(&self) {
        let event = match (self.setting(), self.quiet().await) {
            (Some(setting), Ok(_held)) => self
                .in_shop(move |shop| shop.freeze(&setting))
                .await
                .map(Event::CandidateFrozen),
            (_, Err(message)) => Err(message),
            (None, _) => Err(NO_SESSION.to_owned()),
        };
        self.tell(event.unwrap_or_else(|message| Event::CandidateFailed { message }));
    }

    async fn baseline(&self, gates: Vec<Gate>, cancelled: Cancelled) {
        let Some(setting) = self.setting() else {
            return self.tell(Event::BaselineFailed {
                message: NO_SESSION.to_owned(),
            });
        };
        for gate in gates {
            match self
                .bench
                .baseline(&gate, &setting, cancelled.clone())
                .await
            {
                Ok((report, cached)) => self.tell(Event::BaselineEnded {
                    report: Box::new(report),
                    cached,
                }),
                Err(message) => return self.tell(Event::BaselineFailed { message }),
            }
        }
    }

    async fn gate(&self, run: RunGate, cancelled: Cancelled) {
        let Some(setting) = self.setting() else {
            return;
        };
        let place = match self.gate_place(&setting) {
            Ok(place) => place,
            Err(message) => {
                return self.tell(Event::CheckEnded {
                    report: Box::new(bench::not_run(&run.gate, message)),
                });
            }
        };
        let candidate = GateCandidate {
            tree: run.tree,
            place,
        };
        let limits = &setting.run.policy.limits;
        let in_place = matches!(candidate.place, GatePlace::WorkTree(_));
        if in_place && let Err(message) = self.look(Performer::before_command).await {
            let report = Box::new(bench::not_run(&run.gate, message));
            return self.tell(Event::CheckEnded { report });
        }
        let report = self
            .bench
            .check(
                &run.gate,
                &candidate,
                run.baseline.as_ref(),
                limits,
                cancelled,
            )
            .await;
        let looked = if in_place {
            self.look(Performer::after_command).await
        } else {
            Ok(())
        };
        let report = match looked {
            Ok(()) => report,
            Err(message) => bench::not_run(&run.gate, message),
        };
        let report = Box::new(report);
        self.tell(Event::CheckEnded { report });
    }

    async fn negative_control(&self, run: RunNegativeControl, cancelled: Cancelled) {
        let control = match self.setting() {
            Some(setting) => self.bench.negative_control(&run, &setting, cancelled).await,
            None => NegativeControl::not_run(NO_SESSION),
        };
        self.tell(Event::NegativeControlEnded { control });
    }

    /// Looks at the work tree before or after something ran in it, and tells what was found.
    async fn look(&self, look: fn(&Performer) -> Result<Vec<Event>, String>) -> Result<(), String> {
        for event in self.performer.look(look).await? {
            self.tell(event);
        }
        Ok(())
    }

    fn gate_place(&self, setting: &Setting) -> Result<GatePlace, String> {
        let feature = setting.feature().ok_or(NO_SESSION)?;
        let guard = Guard::new(&setting.run.policy, feature).map_err(|error| chain(&error))?;
        Ok(GatePlace::of(&setting.run.policy, &guard))
    }

    async fn set_aside(&self) {
        let result = match self.setting() {
            Some(setting) => self.in_shop(move |shop| shop.set_aside(&setting)).await,
            None => Err(NO_SESSION.to_owned()),
        };
        self.performer.wrote_many();
        self.tell(match result {
            Ok((files, kept)) => Event::WorkSetAside {
                files,
                message: String::new(),
                kept: Some(Box::new(kept)),
            },
            Err(message) => Event::WorkSetAside {
                files: 0,
                message,
                kept: None,
            },
        });
    }

    /// Runs something with the repository, on a thread that may block.
    async fn in_shop<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Workshop) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        in_shop(&self.shop, work).await
    }

    fn setting(&self) -> Option<Setting> {
        self.setting.borrow().clone()
    }

    fn tell(&self, event: Event) {
        self.send(Ended::Event(event));
    }

    /// Nobody listens any more only when the run is over.
    fn send(&self, ended: Ended) {
        let _ = self.ended.send(ended);
    }
}

const NO_SESSION: &str = "no session is open";

pub(crate) async fn in_shop<T: Send + 'static>(
    shop: &Arc<Mutex<Workshop>>,
    work: impl FnOnce(&mut Workshop) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let shop = Arc::clone(shop);
    let done = tokio::task::spawn_blocking(move || work(&mut lock(&shop))).await;
    done.map_err(|error| format!("the work on the repository was cut short: {error}"))?
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Returns `text` without known secrets, or `None` when there are none: what a log is given.
pub fn redact_for_log(text: &str) -> Option<String> {
    match harness_guard::redact(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

/// Returns an error's message with the causes behind it, outermost first.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
