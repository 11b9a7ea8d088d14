//! Runs gates: on a clean checkout of a tree, in the cage, judged by what they report.
//!
//! The same code serves the agent's `check`, its `finish`, the baseline and
//! `harness gate run`.

mod absent;
mod checkout;
mod control;
mod in_place;
mod kept;
mod party;

use std::{
    ffi::OsString,
    fmt::Write as _,
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
use harness_guard::{CagePlan, Guard, Machine, network::Hosts};
use harness_host::{
    Cancelled, machine,
    process::{Cage, NetworkReport, RunLimits},
};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex as AsyncMutex;

use self::{
    checkout::{Checkout, Subject},
    kept::PassedTests,
    party::{Ground, Party, Verdict},
};
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

/// The most failures that are named as known.
const KNOWN_MAX: usize = 5;

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
            Self::isolated(guard)
        } else {
            Self::WorkTree(Box::new(guard.clone()))
        }
    }

    /// Returns the clean checkout, whatever the policy says.
    pub fn isolated(guard: &Guard) -> Self {
        Self::Checkout {
            build: guard.bounds().build.clone(),
            network: guard.bounds().network.clone(),
            guard: Box::new(guard.clone()),
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
        self.check_until(gate, candidate, limits, Cancelled::never())
            .await
    }

    /// The same, until it is cancelled.
    pub async fn check_until(
        &self,
        gate: &Gate,
        candidate: &GateCandidate,
        limits: &Limits,
        cancelled: Cancelled,
    ) -> CheckReport {
        let baseline = self.baseline_of_head(gate).await;
        let report = self
            .0
            .check(gate, candidate, baseline.as_ref(), limits, cancelled);
        with_known(report.await, baseline.as_ref())
    }

    /// Returns how a gate came out on HEAD, where a run has kept that.
    async fn baseline_of_head(&self, gate: &Gate) -> Option<CheckReport> {
        let head = in_shop(&self.0.shop, |shop| {
            shop.repo.head().map_err(|error| super::chain(&error))
        });
        let kept = self.0.kept(&head.await.ok()?.tree, gate)?;
        Some(kept.report)
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
    candidate: Party,
    /// Whose turn it is to make a checkout.
    making: AsyncMutex<()>,
    passed: PassedTests,
}

impl Bench {
    pub(crate) fn new(
        workplace: Workplace,
        shop: Arc<Mutex<Workshop>>,
        report: NetworkReport,
        steps: Arc<Setup>,
    ) -> Self {
        let checkout = |name: &str, home, setup| {
            Checkout::new(workplace.cache.join("gates").join(name), home, setup)
        };
        Self {
            report,
            steps,
            base: AsyncMutex::new(checkout("base", "gate-base", SetupPlace::Base)),
            candidate: Party::new(checkout(
                "candidate",
                "gate-candidate",
                SetupPlace::Candidate,
            )),
            making: AsyncMutex::default(),
            passed: PassedTests::default(),
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
        if let Some(kept) = self.kept(&tree, gate) {
            return Ok((kept.report, true));
        }
        // The floor of tests is for the candidate: a project without tests is a green base.
        let floorless = Gate {
            min_tests: 0,
            ..gate.clone()
        };
        let limits = &setting.run.policy.limits;
        let checkout = self.base.lock().await;
        let guard = setting.guard()?;
        let on = Subject {
            tree: &tree,
            build: &guard.bounds().build,
            network: &guard.bounds().network,
            guard: &guard,
        };
        match self.ready(&checkout, on, cancelled.clone()).await {
            Ok(()) => {}
            Err(Halt::Cancelled) => {
                return Ok((GateRun::cancelled(gate).judge(gate, None).report, false));
            }
            Err(Halt::Failed(message)) => return Err(message),
        }
        let mut judged = self
            .check_in(&checkout, &floorless, on, None, limits, cancelled.clone())
            .await;
        if judged.is_to_be_run_again(gate) {
            let again = self.check_in(&checkout, &floorless, on, None, limits, cancelled);
            judged = judged.or_else(again.await);
        }
        let report = judged.report.clone();
        if matches!(report.stop, Some(Stop::Exited(_))) {
            self.keep(&self.baseline_file(&tree, gate), judged);
        }
        Ok((report, false))
    }

    /// Runs a gate on a candidate; where it may be flaky, a red one is run a second time.
    pub(crate) async fn check(
        &self,
        gate: &Gate,
        candidate: &GateCandidate,
        baseline: Option<&CheckReport>,
        limits: &Limits,
        cancelled: Cancelled,
    ) -> CheckReport {
        let once = || self.check_once(gate, candidate, baseline, limits, cancelled.clone());
        let mut judged = once().await;
        if judged.is_to_be_run_again(gate) {
            judged = judged.or_else(once().await);
        }
        let Judged { report, passed } = judged;
        self.passed.remember(&candidate.tree, &gate.name, &passed);
        report
    }

    async fn check_once(
        &self,
        gate: &Gate,
        candidate: &GateCandidate,
        baseline: Option<&CheckReport>,
        limits: &Limits,
        cancelled: Cancelled,
    ) -> Judged {
        match &candidate.place {
            GatePlace::Checkout {
                build,
                network,
                guard,
            } => {
                let on = Subject {
                    tree: &candidate.tree,
                    build,
                    network,
                    guard,
                };
                let seat = match self.join(&gate.name, on, cancelled.clone()).await {
                    Ok(seat) => seat,
                    Err(halt) => return GateRun::halted(gate, halt).judge(gate, baseline),
                };
                let run = self.run_in(seat.ground(), gate, on, limits, cancelled);
                let judged = self.with_level_note(run.await.judge(gate, baseline));
                self.leave(seat, on).await.weigh(judged)
            }
            GatePlace::WorkTree(guard) => {
                let ready = self.steps.prepare_work_tree(guard, cancelled.clone());
                if let Err(halt) = ready.await {
                    return GateRun::halted(gate, halt).judge(gate, baseline);
                }
                let _outputs = in_place::Outputs::open(&self.workplace.root, guard);
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

    /// Runs a gate on a checkout that is ready, and sees whether it left the files alone.
    async fn check_in(
        &self,
        checkout: &Checkout,
        gate: &Gate,
        on: Subject<'_>,
        baseline: Option<&CheckReport>,
        limits: &Limits,
        cancelled: Cancelled,
    ) -> Judged {
        let ground = Ground {
            folder: &checkout.folder,
            home: checkout.home,
            setup: checkout.setup,
        };
        let run = self.run_in(ground, gate, on, limits, cancelled).await;
        let judged = self.with_level_note(run.judge(gate, baseline));
        let changed = self.changed_by_gate(checkout, on).await;
        Verdict::alone(changed).weigh(judged)
    }

    /// Runs a gate's command on a checkout that is ready.
    async fn run_in(
        &self,
        ground: Ground<'_>,
        gate: &Gate,
        on: Subject<'_>,
        limits: &Limits,
        cancelled: Cancelled,
    ) -> GateRun {
        let setup = self.steps.source_of(ground.setup);
        match self.fresh_machine(ground.home, setup) {
            Ok(machine) => {
                let plan = CagePlan::for_gate(gate, limits, on.network, &machine, ground.folder)
                    .with_linked(self.steps.link(), &self.workplace.root);
                let place = ReportPlace::checkout(ground.folder);
                self.run_reporting(gate, &plan, place, limits, cancelled)
                    .await
            }
            Err(message) => GateRun::not_started(gate, message),
        }
    }

    /// Says when the level is why tests fail that serve on localhost.
    fn with_level_note(&self, judged: Judged) -> Judged {
        let report = &judged.report;
        let is_red = report.status != CheckStatus::Green;
        let text = report.output.to_text();
        let is_refused = REFUSED.iter().any(|word| text.contains(word));
        if self.workplace.level != Level::Landlock || !is_red || !is_refused {
            return judged;
        }
        let reason = format!(
            "{}; level `landlock` has no sockets: tests that serve on localhost need level `namespaces`",
            report.reason
        );
        let report = CheckReport {
            reason,
            ..judged.report
        };
        Judged { report, ..judged }
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
                way_on: absent::of_end(&exited, plan),
                stop: Some(exited.stop),
                ms,
                full: exited.output,
                report_files: None,
                output_sha256: hex(&hasher.finalize()),
                start_error: None,
            },
            Err(error) => GateRun {
                ms,
                way_on: absent::of_error(&error, plan),
                ..GateRun::not_started(gate, super::chain(&error))
            },
        }
    }
}

/// Says which failures of a red gate were there before.
fn with_known(report: CheckReport, base: Option<&CheckReport>) -> CheckReport {
    let Some(base) = base.filter(|_| report.status == CheckStatus::Red) else {
        return report;
    };
    let known = check::known_failures_of(&report, base);
    if known.is_empty() {
        return report;
    }
    let shown = known.iter().take(KNOWN_MAX).copied();
    let names: Vec<&str> = shown.collect();
    let more = match known.len().saturating_sub(KNOWN_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let reason = format!(
        "{}; known at base: {}{more}",
        report.reason,
        names.join(", ")
    );
    CheckReport { reason, ..report }
}

/// Makes the report of a gate that could not be run.
pub(super) fn not_run(gate: &Gate, message: String) -> CheckReport {
    GateRun::not_started(gate, message).judge(gate, None).report
}

/// A report with the names of the tests that passed.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) report: CheckReport,
    pub(super) passed: Vec<String>,
}

impl Judged {
    /// Whether a gate that may be flaky is red; nothing else is ever run again.
    fn is_to_be_run_again(&self, gate: &Gate) -> bool {
        self.report.status == CheckStatus::Red && gate.flaky_retries > 0
    }

    /// Lets a second run count; one that says nothing does not take the place of a red one.
    fn or_else(self, again: Self) -> Self {
        let says_something = matches!(again.report.status, CheckStatus::Green | CheckStatus::Red);
        let mut judged = if says_something { again } else { self };
        judged.report.retried = true;
        judged
    }
}

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
    /// Where the program is that was not found.
    way_on: Option<String>,
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
            way_on: None,
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

    fn judge(self, gate: &Gate, baseline: Option<&CheckReport>) -> Judged {
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
        let (mut report, passed) = check::judge_named(gate, facts, baseline);
        let is_green = report.status == CheckStatus::Green;
        if let Some(way_on) = self.way_on.filter(|_| !is_green) {
            report.reason = format!("{}; {way_on}", report.reason);
        }
        Judged { report, passed }
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

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
