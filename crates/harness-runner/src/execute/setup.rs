//! Runs setup steps: before the first command of a session, before gates, and again when a file
//! that they depend on has changed.
//!
//! A step has the network that it lists, so it runs in a home that no command of
//! the agent and no gate can write, and changes the declared build outputs and the
//! linked folders alone. What ran is kept by what it depends on, so that the next
//! session begins at once.

mod fault;
mod link;
mod record;

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use harness_core::{Event, RepoPath, SessionId, SetupEnd, SetupPlace, Stop, TreeId};
use harness_guard::{CagePlan, Guard, HostAct, Machine, SetupStep};
use harness_host::{
    Cancelled,
    disk::Root,
    machine::{self, Reach},
    process::{Cage, Exited, NetworkReport, RunLimits, SpawnError},
};
use tokio::sync::Mutex as AsyncMutex;

use self::record::{Record, Scripts, Stamps};
use super::{chain, closed::with_closed, lock, millis};
use crate::Workplace;

/// How long a step may take: what it downloads or builds from nothing may be large.
const STEP_MAX: Duration = Duration::from_mins(30);

/// Prepares the work tree and the checkouts of gates.
pub(crate) struct Setup {
    workplace: Workplace,
    report: NetworkReport,
    tell: Box<dyn Fn(Event) + Send + Sync>,
    scripts: Scripts,
    /// Stands for the files of a step in the work tree that names none: it runs once a session.
    session: Mutex<String>,
    /// Whether steps have run in the work tree since that was last asked.
    worked: AtomicBool,
    work_tree: AsyncMutex<Known>,
    base: AsyncMutex<Known>,
    candidate: AsyncMutex<Known>,
}

/// What is known of one place since this process began.
#[derive(Debug, Default)]
struct Known {
    /// The files that the steps depend on, as they were when all steps had run.
    stamps: Option<Stamps>,
    /// Whether all steps have run.
    is_ready: bool,
    /// Why they have not.
    fault: Option<String>,
}

/// What is prepared.
#[derive(Clone, Copy, Debug)]
struct Ground<'a> {
    /// Which place.
    place: SetupPlace,
    /// Where it is on the machine.
    folder: &'a Path,
    /// Stands for the files of a step that names none.
    version: &'a str,
    /// What the agent's commands may do.
    guard: &'a Guard,
}

/// Why a place is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    Cancelled,
    /// For people and the agent.
    Failed(String),
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("plan", &self.workplace.setup)
            .finish_non_exhaustive()
    }
}

impl Setup {
    /// `tell` is given what happens; it must not wait.
    pub(crate) fn new(
        workplace: Workplace,
        report: NetworkReport,
        tell: impl Fn(Event) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let scripts = Scripts::read(&workplace.setup, &workplace.root);
        Arc::new(Self {
            scripts,
            workplace,
            report,
            tell: Box::new(tell),
            session: Mutex::default(),
            worked: AtomicBool::new(false),
            work_tree: AsyncMutex::default(),
            base: AsyncMutex::default(),
            candidate: AsyncMutex::default(),
        })
    }

    /// Sets up for a session: steps that depend on nothing in particular run again.
    pub(crate) fn begin_session(&self, session: SessionId) {
        *lock(&self.session) = session.to_string();
    }

    /// Sees that all steps have run on the work tree as it is now.
    ///
    /// Called before every command, so it costs next to nothing when nothing
    /// changed. A file that begins to match a pattern with a wildcard is met by the
    /// next session.
    pub(crate) async fn prepare_work_tree(
        &self,
        guard: &Guard,
        cancelled: Cancelled,
    ) -> Result<(), Halt> {
        let version = lock(&self.session).clone();
        let ground = Ground {
            place: SetupPlace::WorkTree,
            folder: &self.workplace.root,
            version: &version,
            guard,
        };
        self.prepare(ground, cancelled).await
    }

    /// Sees that all steps have run for the gates of a checkout, and that it has its linked folders.
    pub(crate) async fn prepare_checkout(
        &self,
        place: SetupPlace,
        checkout: &Path,
        tree: &TreeId,
        guard: &Guard,
        cancelled: Cancelled,
    ) -> Result<(), Halt> {
        if !self.link().is_empty() {
            self.prepare_work_tree(guard, cancelled).await?;
            return self.place_links(checkout).await.map_err(Halt::Failed);
        }
        let version = tree.to_string();
        let ground = Ground {
            place,
            folder: checkout,
            version: &version,
            guard,
        };
        self.prepare(ground, cancelled).await
    }

    /// Returns which steps' results are found from a checkout: with a linked folder, the work tree's.
    pub(crate) fn source_of(&self, place: SetupPlace) -> SetupPlace {
        if self.workplace.setup.link.is_empty() {
            place
        } else {
            SetupPlace::WorkTree
        }
    }

    /// Returns the folders of the work tree that checkouts have.
    pub(crate) fn link(&self) -> &[RepoPath] {
        &self.workplace.setup.link
    }

    /// Returns what tells results of gates with this setup from those with another.
    pub(crate) fn digest(&self) -> Option<String> {
        let plan = &self.workplace.setup;
        (!plan.steps.is_empty() || !plan.link.is_empty()).then(|| record::digest(plan))
    }

    async fn prepare(&self, ground: Ground<'_>, cancelled: Cancelled) -> Result<(), Halt> {
        if self.workplace.setup.steps.is_empty() {
            return Ok(());
        }
        let mut known = self.known(ground.place).lock().await;
        if known.stamps.as_ref().is_some_and(Stamps::still_hold) {
            return match &known.fault {
                Some(fault) => Err(Halt::Failed(fault.clone())),
                None => Ok(()),
            };
        }
        let was_ready = known.is_ready;
        let (result, stamps) = self.bring_up(ground, cancelled).await;
        if ground.place == SetupPlace::WorkTree {
            self.worked.store(true, Ordering::SeqCst);
        }
        known.is_ready |= result.is_ok();
        known.stamps = stamps;
        known.fault = match &result {
            Err(Halt::Failed(fault)) => Some(fault.clone()),
            _ => None,
        };
        // What worked before and does not after a change is the agent's to mend.
        if let (Err(Halt::Failed(fault)), false, SetupPlace::WorkTree) =
            (&result, was_ready, ground.place)
        {
            (self.tell)(Event::StopDecided {
                reason: harness_core::EndReason::Blocked,
                detail: fault.clone(),
            });
        }
        result
    }

    /// Whether steps have run in the work tree since this was last asked.
    pub(crate) fn take_worked(&self) -> bool {
        self.worked.swap(false, Ordering::SeqCst)
    }

    fn known(&self, place: SetupPlace) -> &AsyncMutex<Known> {
        match place {
            SetupPlace::WorkTree => &self.work_tree,
            SetupPlace::Base => &self.base,
            SetupPlace::Candidate => &self.candidate,
        }
    }

    async fn bring_up(
        &self,
        ground: Ground<'_>,
        cancelled: Cancelled,
    ) -> (Result<(), Halt>, Option<Stamps>) {
        let found = self.look(ground).await;
        let (stamps, keys) = match found {
            Ok(found) => found,
            Err(fault) => return (Err(Halt::Failed(fault)), None),
        };
        let result = self.run_stale(ground, &keys, cancelled).await;
        // Only the work tree changes without being told.
        let keeps = result != Err(Halt::Cancelled) && ground.place == SetupPlace::WorkTree;
        (result, stamps.filter(|_| keeps))
    }

    /// Finds what the steps depend on, and the key of each.
    async fn look(&self, ground: Ground<'_>) -> Result<(Option<Stamps>, Vec<String>), String> {
        let (folder, version) = (ground.folder.to_owned(), ground.version.to_owned());
        let plan = self.workplace.setup.clone();
        let looked = tokio::task::spawn_blocking(move || record::look(&plan, &folder, &version));
        let looked = looked.await;
        looked.map_err(|error| format!("looking at setup's files was cut short: {error}"))?
    }

    async fn run_stale(
        &self,
        ground: Ground<'_>,
        keys: &[String],
        cancelled: Cancelled,
    ) -> Result<(), Halt> {
        let file = self.workplace.cache.join("setup");
        let mut record = Record::read(file.join(format!("{}.json", ground.place.as_str())));
        let mut first = record.first_stale(keys, ground.folder);
        if first == keys.len() {
            return Ok(());
        }
        // The base is the person's, or proven.
        if ground.place != SetupPlace::Base {
            let folders = self.folders(ground.guard);
            let checked = self.scripts.check(ground.folder, &folders);
            checked.map_err(Halt::Failed)?;
        }
        if ground.place == SetupPlace::Candidate {
            first = 0;
            machine::empty_setup_home(&self.workplace.agent, ground.place)
                .map_err(|error| Halt::Failed(chain(&error)))?;
        }
        record.forget_from(first).map_err(Halt::Failed)?;
        for (step, key) in self.workplace.setup.steps.iter().zip(keys).skip(first) {
            let folders = self.folders(ground.guard);
            let empty = record::empty_ones(ground.folder, &folders);
            self.run_step(step, ground, &folders, cancelled.clone())
                .await?;
            record
                .add(key, record::filled_ones(ground.folder, &empty))
                .map_err(Halt::Failed)?;
        }
        Ok(())
    }

    /// Returns what a step may write beside its home.
    fn folders(&self, guard: &Guard) -> Vec<RepoPath> {
        let build = guard.bounds().build.iter();
        let folders = build.filter(|folder| !folder.is_root());
        folders.chain(self.link()).cloned().collect()
    }

    /// Runs a step and says so.
    async fn run_step(
        &self,
        step: &SetupStep,
        ground: Ground<'_>,
        folders: &[RepoPath],
        cancelled: Cancelled,
    ) -> Result<(), Halt> {
        let run = step.run().to_vec();
        (self.tell)(Event::SetupStarted {
            run: run.clone(),
            place: ground.place,
            network: step.network().iter().map(ToString::to_string).collect(),
        });
        let begun = Instant::now();
        let ended = self.try_step(step, ground, folders, cancelled).await;
        let (end, message) = match &ended {
            Ok(()) => (SetupEnd::Done, String::new()),
            Err(Halt::Cancelled) => (SetupEnd::Cancelled, String::new()),
            Err(Halt::Failed(why)) => (SetupEnd::Failed, why.clone()),
        };
        let ms = millis(begun);
        let place = ground.place;
        let failed = |why| {
            let run = run.join(" ");
            Halt::Failed(format!(
                "setup `{run}` failed for {place} (environment): {why}"
            ))
        };
        let result = ended.map_err(|halt| match halt {
            Halt::Failed(why) => failed(why),
            Halt::Cancelled => Halt::Cancelled,
        });
        (self.tell)(Event::SetupEnded {
            run: run.clone(),
            place,
            end,
            message,
            ms,
        });
        result
    }

    async fn try_step(
        &self,
        step: &SetupStep,
        ground: Ground<'_>,
        folders: &[RepoPath],
        cancelled: Cancelled,
    ) -> Result<(), Halt> {
        let failed = |error: &dyn std::error::Error| Halt::Failed(chain(error));
        let reach = Reach::of(step.network());
        let machine = self.machine(ground, reach).await.map_err(Halt::Failed)?;
        make_folders(ground.folder, folders).map_err(Halt::Failed)?;
        let plan = plan(step, ground, folders, &machine);
        let argv: Vec<OsString> = step.run().iter().map(OsString::from).collect();
        let limits = RunLimits {
            total: STEP_MAX,
            silence: STEP_MAX,
            ..RunLimits::of(plan.limits())
        };
        let cage = Cage::open(&plan, self.report.clone()).await;
        let cage = cage.map_err(|error| failed(&error))?;
        match cage.run(&plan, &argv, &limits, |_| {}, cancelled).await {
            Ok(Exited {
                stop: Stop::Exited(0),
                ..
            }) => Ok(()),
            Ok(exited) if exited.stop == Stop::Cancelled => Err(Halt::Cancelled),
            Ok(exited) => Err(Halt::Failed(self.fault(step, folders, &plan, &exited))),
            Err(error @ SpawnError::Program { .. }) => {
                let masked = machine::masked_program(plan.readable(), &step.run()[0]);
                Err(Halt::Failed(fault::with_hint(chain(&error), masked)))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    fn fault(
        &self,
        step: &SetupStep,
        folders: &[RepoPath],
        plan: &CagePlan,
        exited: &Exited,
    ) -> String {
        fault::of(
            exited,
            &fault::Circumstances {
                folders,
                readable: plan.readable(),
                has_network: !step.network().is_empty(),
                offline: self.workplace.setup.offline.as_deref(),
            },
        )
    }

    /// Returns the machine as a step sees it; gates alone are given variables that hold secrets.
    async fn machine(&self, ground: Ground<'_>, reach: Reach) -> Result<Machine, String> {
        let (agent, place) = (self.workplace.agent.clone(), ground.place);
        let made =
            tokio::task::spawn_blocking(move || machine::with_setup_home(&agent, place, reach));
        let made = made.await.map_err(|error| error.to_string())?;
        let machine = made.map_err(|error| chain(&error))?;
        match place {
            SetupPlace::WorkTree => with_closed(&machine, ground.guard).await,
            SetupPlace::Base | SetupPlace::Candidate => Ok(machine),
        }
    }
}

fn plan(step: &SetupStep, ground: Ground<'_>, folders: &[RepoPath], machine: &Machine) -> CagePlan {
    let (bounds, network) = (ground.guard.bounds(), step.network());
    match ground.place {
        SetupPlace::WorkTree => CagePlan::for_setup(bounds, folders, network, machine),
        SetupPlace::Base | SetupPlace::Candidate => {
            CagePlan::for_setup_on(ground.folder, bounds, folders, network, machine)
        }
    }
}

/// Makes folders that are missing; a link on the way is refused.
fn make_folders(root: &Path, folders: &[RepoPath]) -> Result<(), String> {
    let root = Root::open(root).map_err(|error| chain(&error))?;
    for folder in folders {
        root.host_create_folder(HostAct::WriteHostFile, folder)
            .map_err(|error| chain(&error))?;
    }
    Ok(())
}

fn whole(root: &Path, path: &RepoPath) -> PathBuf {
    root.join(path.as_path())
}
