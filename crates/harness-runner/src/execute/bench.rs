//! Runs gates: on a clean checkout of a tree, in the cage, judged by what they report.
//!
//! The same code serves the agent's `check`, its `finish`, the baseline and
//! `harness gate run`.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};

use harness_core::{
    ByteCount, Captured, CheckReport, CheckStatus, Gate, Level, Limits, Policy, RepoPath,
    SetupPlace, Stop, TreeId,
};
use harness_gate::{
    check::{self, RunFacts},
    readers::ReportFiles,
};
use harness_git::CheckoutStamp;
use harness_guard::{CagePlan, Guard, Machine, network::Hosts};
use harness_host::{
    Cancelled, machine,
    process::{Cage, NetworkReport, RunLimits},
};
use harness_store::state;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex as AsyncMutex;

use super::{
    Setting,
    closed::with_closed,
    in_shop,
    report_file::{Awaited, ReportPlace},
    setup::{Halt, Setup},
    shop::Workshop,
};
use crate::{RunnerError, Workplace};

/// What a reader gets of a gate's output; more is cut and makes the report unreadable.
const REPORT_MAX: ByteCount = ByteCount::mib(16);
/// What the log keeps of a gate's output: so much of the beginning, and as much of the end.
const KEPT: usize = 16 * 1024;

/// What programs say when the system refuses something to them.
const REFUSED: [&str; 3] = ["Operation not permitted", "PermissionDenied", "EPERM"];

/// What a gate runs on.
#[derive(Clone, Debug)]
pub struct GateCandidate {
    /// The tree.
    pub tree: TreeId,
    /// Where it stands.
    pub place: GatePlace,
}

/// Where a gate runs.
#[derive(Clone, Debug)]
pub enum GatePlace {
    /// On a checkout of the candidate, outside the repository; declared build outputs are kept there.
    Checkout {
        /// Folders of build outputs.
        build: Vec<RepoPath>,
        /// Hosts that may be reached.
        network: Hosts,
        /// What setup steps are held to.
        guard: Box<Guard>,
    },
    /// In the work tree itself, held to the scope of this guard.
    WorkTree(Box<Guard>),
}

impl GatePlace {
    /// Returns where gates run under a policy.
    pub fn of(policy: &Policy, guard: &Guard) -> Self {
        if policy.isolate {
            Self::Checkout {
                build: guard.bounds().build.clone(),
                network: guard.bounds().network.clone(),
                guard: Box::new(guard.clone()),
            }
        } else {
            Self::WorkTree(Box::new(guard.clone()))
        }
    }
}

/// Gates outside of a run: for `harness gate run`.
#[derive(Debug)]
pub struct GateBench(Bench);

impl GateBench {
    /// Opens the repository of a workplace.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(workplace: Workplace) -> Result<Self, RunnerError> {
        let shop = Arc::new(Mutex::new(Workshop::open(&workplace.root)?));
        let report = NetworkReport::to_nobody();
        let setup = Setup::new(workplace.clone(), report.clone(), |_| {});
        Ok(Self(Bench::new(workplace, shop, report, setup)))
    }

    /// Runs one gate on a tree.
    pub async fn check(
        &self,
        gate: &Gate,
        candidate: &GateCandidate,
        limits: &Limits,
    ) -> CheckReport {
        self.0
            .check(gate, candidate, None, limits, Cancelled::never())
            .await
    }
}

/// Where gates run.
#[derive(Debug)]
pub(crate) struct Bench {
    workplace: Workplace,
    shop: Arc<Mutex<Workshop>>,
    report: NetworkReport,
    steps: Arc<Setup>,
    base: AsyncMutex<Checkout>,
    candidate: AsyncMutex<Checkout>,
}

/// A kept checkout: a folder, and what is known of its files.
#[derive(Debug)]
struct Checkout {
    folder: PathBuf,
    /// The name of the home of what runs there.
    home: &'static str,
    /// Which setup steps are for it.
    setup: SetupPlace,
    stamp: CheckoutStamp,
}

/// What is checked out: the tree, the build outputs that stay beside it, and what is reached from there.
#[derive(Clone, Copy, Debug)]
struct Subject<'a> {
    tree: &'a TreeId,
    build: &'a [RepoPath],
    network: &'a Hosts,
    guard: &'a Guard,
}

impl Bench {
    pub(crate) fn new(
        workplace: Workplace,
        shop: Arc<Mutex<Workshop>>,
        report: NetworkReport,
        steps: Arc<Setup>,
    ) -> Self {
        let checkout = |name: &str, home, setup| Checkout {
            folder: workplace.cache.join("gates").join(name),
            home,
            setup,
            stamp: CheckoutStamp::default(),
        };
        Self {
            report,
            steps,
            base: AsyncMutex::new(checkout("base", "gate-base", SetupPlace::Base)),
            candidate: AsyncMutex::new(checkout(
                "candidate",
                "gate-candidate",
                SetupPlace::Candidate,
            )),
            workplace,
            shop,
        }
    }

    /// Runs a gate on the tip of the run's branch, or returns what is known from before.
    pub(crate) async fn baseline(
        &self,
        gate: &Gate,
        setting: &Setting,
        cancelled: Cancelled,
    ) -> Result<(CheckReport, bool), String> {
        let tip = setting.run.tip.clone();
        let tree = in_shop(&self.shop, move |shop| shop.tree_of(&tip)).await?;
        let kept = self.baseline_file(&tree, gate);
        // A kept result that cannot be read is made again.
        if let Ok(Some(Kept(report))) = state::read_json(&kept) {
            return Ok((report, true));
        }
        // The floor of tests is for the candidate: a project without tests is a green base.
        let floorless = Gate {
            min_tests: 0,
            ..gate.clone()
        };
        let limits = &setting.run.policy.limits;
        let mut checkout = self.base.lock().await;
        let guard = setting.guard()?;
        let on = Subject {
            tree: &tree,
            build: &guard.bounds().build,
            network: &guard.bounds().network,
            guard: &guard,
        };
        match self.ready(&mut checkout, on, cancelled.clone()).await {
            Ok(()) => {}
            Err(Halt::Cancelled) => return Ok((GateRun::cancelled(gate).judge(gate, None), false)),
            Err(Halt::Failed(message)) => return Err(message),
        }
        let report = self
            .check_in(&mut checkout, &floorless, on, None, limits, cancelled)
            .await;
        if matches!(report.stop, Some(Stop::Exited(_))) {
            self.keep(&kept, &report);
        }
        Ok((report, false))
    }

    /// Keeps the results of a proven tree: they are the baseline of what comes after it.
    pub(crate) fn keep_baseline(&self, tree: &TreeId, gates: &[Gate], reports: &[CheckReport]) {
        for gate in gates {
            if let Some(report) = reports.iter().find(|report| report.gate == gate.name) {
                self.keep(&self.baseline_file(tree, gate), report);
            }
        }
    }

    /// A baseline that cannot be kept is run again next time.
    fn keep(&self, file: &Path, report: &CheckReport) {
        let made = file
            .parent()
            .is_some_and(|folder| fs::create_dir_all(folder).is_ok());
        if made {
            let _ = state::write_json(file, &Kept(report.clone()));
        }
    }

    fn baseline_file(&self, tree: &TreeId, gate: &Gate) -> PathBuf {
        // Another setup may bring other dependencies.
        let setup = self.steps.digest();
        let setup = setup.map_or_else(String::new, |digest| format!("-{}", &digest[..16]));
        let name = format!("{tree}-{}{setup}.json", &check::gate_hash(gate)[..16]);
        self.workplace.cache.join("baseline").join(name)
    }

    /// Runs a gate on a candidate.
    pub(crate) async fn check(
        &self,
        gate: &Gate,
        candidate: &GateCandidate,
        baseline: Option<&CheckReport>,
        limits: &Limits,
        cancelled: Cancelled,
    ) -> CheckReport {
        match &candidate.place {
            GatePlace::Checkout {
                build,
                network,
                guard,
            } => {
                let mut checkout = self.candidate.lock().await;
                let on = Subject {
                    tree: &candidate.tree,
                    build,
                    network,
                    guard,
                };
                if let Err(halt) = self.ready(&mut checkout, on, cancelled.clone()).await {
                    return GateRun::halted(gate, halt).judge(gate, baseline);
                }
                self.check_in(&mut checkout, gate, on, baseline, limits, cancelled)
                    .await
            }
            GatePlace::WorkTree(guard) => {
                let ready = self.steps.prepare_work_tree(guard, cancelled.clone());
                if let Err(halt) = ready.await {
                    return GateRun::halted(gate, halt).judge(gate, baseline);
                }
                let run = match self.plan_in_place(gate, guard).await {
                    Ok(plan) => {
                        let place = ReportPlace::work_tree(&self.workplace.root);
                        self.run_reporting(gate, &plan, place, limits, cancelled)
                            .await
                    }
                    Err(message) => GateRun::not_started(gate, message),
                };
                run.judge(gate, baseline)
            }
        }
    }

    /// Makes the plan of a gate in the work tree; what the scope hides is hidden from it too.
    async fn plan_in_place(&self, gate: &Gate, guard: &Guard) -> Result<CagePlan, String> {
        let machine = self.fresh_machine("gate-work-tree", SetupPlace::WorkTree)?;
        let machine = with_closed(&machine, guard).await?;
        Ok(CagePlan::for_gate_in_place(gate, guard.bounds(), &machine))
    }

    /// Returns the machine with a home in which no earlier gate has left anything.
    fn fresh_machine(&self, name: &str, setup: SetupPlace) -> Result<Machine, String> {
        machine::with_fresh_home(&self.workplace.gate, name, setup)
            .map_err(|error| super::chain(&error))
    }

    /// Brings a checkout to a tree and sees that setup steps have run on it.
    async fn ready(
        &self,
        checkout: &mut Checkout,
        on: Subject<'_>,
        cancelled: Cancelled,
    ) -> Result<(), Halt> {
        self.bring(checkout, on).await.map_err(Halt::Failed)?;
        let (place, folder) = (checkout.setup, &checkout.folder);
        let ready = self
            .steps
            .prepare_checkout(place, folder, on.tree, on.guard, cancelled);
        ready.await
    }

    /// Runs a gate on a checkout that is ready, and sees whether it left the files alone.
    async fn check_in(
        &self,
        checkout: &mut Checkout,
        gate: &Gate,
        on: Subject<'_>,
        baseline: Option<&CheckReport>,
        limits: &Limits,
        cancelled: Cancelled,
    ) -> CheckReport {
        let setup = self.steps.source_of(checkout.setup);
        let run = match self.fresh_machine(checkout.home, setup) {
            Ok(machine) => {
                let plan = CagePlan::for_gate(gate, limits, on.network, &machine, &checkout.folder)
                    .with_linked(self.steps.link());
                let place = ReportPlace::checkout(&checkout.folder);
                self.run_reporting(gate, &plan, place, limits, cancelled)
                    .await
            }
            Err(message) => GateRun::not_started(gate, message),
        };
        let report = self.with_level_note(run.judge(gate, baseline));
        match self.changed_by_gate(checkout, on.tree).await {
            Ok(changed) if changed.is_empty() => report,
            Ok(changed) => spoiled(
                report,
                format!(
                    "the gate changed files of the candidate: {}",
                    changed.join(", ")
                ),
            ),
            Err(message) => spoiled(report, message),
        }
    }

    /// Says when the level is why tests fail that serve on localhost.
    fn with_level_note(&self, report: CheckReport) -> CheckReport {
        let is_red = report.status != CheckStatus::Green;
        let text = report.output.to_text();
        let is_refused = REFUSED.iter().any(|word| text.contains(word));
        if self.workplace.level != Level::Landlock || !is_red || !is_refused {
            return report;
        }
        let reason = format!(
            "{}; level `landlock` has no sockets: tests that serve on localhost need level `namespaces`",
            report.reason
        );
        CheckReport { reason, ..report }
    }

    /// Brings the checkout to a tree, and removes what programs left in it.
    async fn bring(&self, checkout: &mut Checkout, on: Subject<'_>) -> Result<(), String> {
        let (folder, tree, build) = (checkout.folder.clone(), on.tree.clone(), on.build.to_vec());
        self.with_stamp(checkout, move |shop, stamp| {
            shop.check_out(&tree, &folder, stamp, &build)
        })
        .await
    }

    async fn changed_by_gate(
        &self,
        checkout: &mut Checkout,
        tree: &TreeId,
    ) -> Result<Vec<String>, String> {
        let (folder, tree) = (checkout.folder.clone(), tree.clone());
        let changed = self
            .with_stamp(checkout, move |shop, stamp| {
                shop.changed_files(&tree, &folder, stamp)
            })
            .await?;
        Ok(changed.iter().take(10).map(ToString::to_string).collect())
    }

    /// Lends what is known of a checkout's files to the workshop's thread; cut short, it is simply not known.
    async fn with_stamp<T: Send + 'static>(
        &self,
        checkout: &mut Checkout,
        work: impl FnOnce(&Workshop, &mut CheckoutStamp) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let mut stamp = std::mem::take(&mut checkout.stamp);
        let (result, stamp) = in_shop(&self.shop, move |shop| {
            let result = work(shop, &mut stamp);
            Ok((result, stamp))
        })
        .await?;
        checkout.stamp = stamp;
        result
    }

    /// Runs a gate and reads the files of its report, where it names some.
    async fn run_reporting(
        &self,
        gate: &Gate,
        plan: &CagePlan,
        place: ReportPlace,
        limits: &Limits,
        cancelled: Cancelled,
    ) -> GateRun {
        let awaited = match Awaited::before(gate, place).await {
            Ok(awaited) => awaited,
            Err(message) => return GateRun::not_started(gate, message),
        };
        let run = self.run(gate, plan, limits, cancelled).await;
        match awaited {
            Some(awaited) => GateRun {
                report_files: Some(awaited.read().await),
                ..run
            },
            None => run,
        }
    }

    async fn run(
        &self,
        gate: &Gate,
        plan: &CagePlan,
        limits: &Limits,
        cancelled: Cancelled,
    ) -> GateRun {
        let argv: Vec<OsString> = gate.run.iter().map(OsString::from).collect();
        let bounds = RunLimits {
            total: gate.timeout,
            silence: gate.timeout,
            ..RunLimits::of(limits)
        };
        let bounds = bounds.keep_whole(REPORT_MAX);
        let begun = Instant::now();
        let mut hasher = Sha256::new();
        let cage = Cage::open(plan, self.report.clone()).await;
        let run = match &cage {
            Ok(cage) => {
                let on_output = |bytes: &[u8]| hasher.update(bytes);
                cage.run(plan, &argv, &bounds, on_output, cancelled).await
            }
            Err(error) => return GateRun::not_started(gate, super::chain(error)),
        };
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match run {
            Ok(exited) => GateRun {
                argv: gate.run.clone(),
                stop: Some(exited.stop),
                ms,
                full: exited.output,
                report_files: None,
                output_sha256: hex(&hasher.finalize()),
                start_error: None,
            },
            Err(error) => GateRun {
                ms,
                ..GateRun::not_started(gate, super::chain(&error))
            },
        }
    }
}

/// Makes the report of a gate that could not be run.
pub(super) fn not_run(gate: &Gate, message: String) -> CheckReport {
    GateRun::not_started(gate, message).judge(gate, None)
}

/// A report as it is kept between runs.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Kept(CheckReport);

/// The run of a gate's command.
#[derive(Debug)]
struct GateRun {
    argv: Vec<String>,
    stop: Option<Stop>,
    ms: u64,
    full: Captured,
    report_files: Option<ReportFiles>,
    output_sha256: String,
    start_error: Option<String>,
}

impl GateRun {
    fn not_started(gate: &Gate, message: String) -> Self {
        Self {
            argv: gate.run.clone(),
            stop: None,
            ms: 0,
            full: Captured::default(),
            report_files: None,
            output_sha256: hex(&Sha256::digest([])),
            start_error: Some(message),
        }
    }

    fn cancelled(gate: &Gate) -> Self {
        Self {
            stop: Some(Stop::Cancelled),
            start_error: None,
            ..Self::not_started(gate, String::new())
        }
    }

    fn halted(gate: &Gate, halt: Halt) -> Self {
        match halt {
            Halt::Cancelled => Self::cancelled(gate),
            Halt::Failed(message) => Self::not_started(gate, message),
        }
    }

    fn judge(self, gate: &Gate, baseline: Option<&CheckReport>) -> CheckReport {
        let text = self.full.to_text();
        let facts = RunFacts {
            argv: self.argv,
            stop: self.stop,
            ms: self.ms,
            output: kept(&text, self.full.bytes),
            full_text: &text,
            report_files: self.report_files,
            output_sha256: self.output_sha256,
            start_error: self.start_error,
        };
        check::judge(gate, facts, baseline)
    }
}

/// Returns head and tail of an output for the log.
fn kept(text: &str, bytes: u64) -> Captured {
    if text.len() <= 2 * KEPT {
        return Captured {
            head: text.to_owned(),
            tail: String::new(),
            bytes,
        };
    }
    let head = text.floor_char_boundary(KEPT);
    let tail = text.ceil_char_boundary(text.len() - KEPT);
    Captured {
        head: text[..head].to_owned(),
        tail: text[tail..].to_owned(),
        bytes,
    }
}

/// Makes a report that counts for nothing, whatever the gate said.
fn spoiled(report: CheckReport, reason: String) -> CheckReport {
    CheckReport {
        status: CheckStatus::Error,
        reason,
        ..report
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
