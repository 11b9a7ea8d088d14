//! `harness gate`: the gates, and how they come out on the work tree as it would be committed.

mod detect;

use std::time::Duration;

use harness_core::{CheckReport, CheckStatus, Event, Gate, TreeId};
use harness_guard::Guard;
use harness_host::Cancelled;
use harness_report::{JsonLines, Lines};
use harness_runner::{GateBench, GateCandidate, GatePlace};
use serde_json::{Value, json};

use crate::{
    cli::{Common, GateCommand, RunOptions, SandboxLevel},
    cmd::work::snapshot,
    compose::{Site, any_feature},
    failure::{Failure, RED, chain},
    isolation,
    output::{self, Output},
    session,
    surface::{LineSurface, Surface},
    trust,
};

pub(super) fn run(common: &Common, command: &GateCommand) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    match command {
        GateCommand::List => list(&site, common),
        GateCommand::Run {
            names,
            compare: true,
            sandbox,
        } => crate::compare::run(&site, common, names, *sandbox),
        GateCommand::Run { names, sandbox, .. } => run_gates(&site, common, names, *sandbox),
        GateCommand::Detect => detect::run(&site, common),
    }
}

fn list(site: &Site, common: &Common) -> Result<u8, Failure> {
    let resolved = site.resolve(&RunOptions::default())?;
    let mut output = Output::new(common);
    for gate in &resolved.policy.gates {
        let text = format!(
            "gate: {} `{}`, report {}, {}",
            gate.name,
            gate.run.join(" "),
            gate.reader.as_str(),
            minutes(gate.timeout)
        );
        let mut body = body(gate);
        body["isolated"] = json!(resolved.policy.isolate);
        output.entry("gate", &text, body)?;
    }
    isolation::note(&resolved.policy, &mut output)?;
    if resolved.policy.gates.is_empty() {
        output.text(
            "note: there are no gates, so nothing can become passing; `harness init` proposes some",
        )?;
    }
    Ok(0)
}

/// Writes a gate for JSON lines.
fn body(gate: &Gate) -> Value {
    let mut body = json!({ "gate": gate.name, "run": gate.run, "report": gate.reader.as_str(), "min_tests": gate.min_tests,
        "timeout_ms": u64::try_from(gate.timeout.as_millis()).unwrap_or(u64::MAX) });
    if let Some(file) = &gate.report_file {
        body["report_file"] = json!(file);
    }
    body
}

pub(crate) fn run_gates(
    site: &Site,
    common: &Common,
    names: &[String],
    sandbox: Option<SandboxLevel>,
) -> Result<u8, Failure> {
    let (mut lines, mut json) = (Lines::default(), JsonLines::default());
    let surface = LineSurface::new(common);
    let wish = Wish {
        names,
        sandbox,
        cancelled: Cancelled::never(),
    };
    check_gates(site, &wish, common, &surface, &mut |event, _| {
        let text = match event {
            Event::GateStarted { .. } => return Ok(()),
            event if common.json => json.write(event, harness_host::clock::now()),
            event => lines.write(event),
        };
        output::write(&text)
    })
}

/// Which gates are run, and how.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    /// Which; all when empty.
    pub(crate) names: &'a [String],
    /// The level; the configured one when absent.
    pub(crate) sandbox: Option<SandboxLevel>,
    /// Notices that a person stops them.
    pub(crate) cancelled: Cancelled,
}

/// Runs gates on the work tree as it is; `tell` hears when each begins and how it came out, on
/// which tree without what only the harness writes.
pub(crate) fn check_gates(
    site: &Site,
    wish: &Wish<'_>,
    common: &Common,
    surface: &dyn Surface,
    tell: &mut dyn FnMut(&Event, &TreeId) -> Result<(), Failure>,
) -> Result<u8, Failure> {
    let resolved = site.resolve(&RunOptions {
        sandbox: wish.sandbox,
        ..RunOptions::default()
    })?;
    let gates = choose(&resolved.policy.gates, wish.names)?;
    trust::trusted_features(site, &resolved, surface)?;
    let store = site.store()?;
    let _lock = session::lock(site, &store)?;
    let any = any_feature();
    let guard = Guard::new(&resolved.policy, &any);
    let guard = guard.map_err(|error| Failure::usage(chain(&error)))?;
    let tree = snapshot(site, &guard)?;
    let subject = without_own(site, &guard, &tree)?;
    let bench = GateBench::open(site.workplace(&resolved, store)?)
        .map_err(|error| Failure::failed(chain(&error)))?;
    let place = GatePlace::of(&resolved.policy, &guard);
    let candidate = GateCandidate { tree, place };
    isolation::note(&resolved.policy, &mut Output::new(common))?;
    let runtime = session::runtime()?;
    let mut code = 0;
    for gate in gates {
        if wish.cancelled.is_cancelled() {
            break;
        }
        let name = gate.name.clone();
        tell(&Event::GateStarted { gate: name }, &subject)?;
        let (limits, cancelled) = (&resolved.policy.limits, wish.cancelled.clone());
        let report: CheckReport =
            runtime.block_on(bench.check_until(&gate, &candidate, limits, cancelled));
        if report.status != CheckStatus::Green {
            code = RED;
        }
        let report = Box::new(report);
        tell(&Event::CheckEnded { report }, &subject)?;
    }
    runtime.shutdown_timeout(session::SHUTDOWN);
    Ok(code)
}

/// Returns a tree without what only the harness writes: a proof that is written down changes nothing of it.
pub(crate) fn without_own(site: &Site, guard: &Guard, tree: &TreeId) -> Result<TreeId, Failure> {
    let files = site.repo.files(tree)?.into_iter();
    let own = files.filter(|file| guard.scope().is_host_owned(&file.path));
    let gone: Vec<_> = own.map(|file| (file.path, None)).collect();
    Ok(site.repo.with_files(tree, &gone)?)
}

pub(crate) fn choose(gates: &[Gate], names: &[String]) -> Result<Vec<Gate>, Failure> {
    if gates.is_empty() {
        return Err(Failure::usage("there are no gates")
            .hint("harness init, or add a [[gate]] to harness.toml"));
    }
    if names.is_empty() {
        return Ok(gates.to_vec());
    }
    let find = |name: &String| {
        let found = gates.iter().find(|gate| gate.name == *name).cloned();
        found.ok_or_else(|| {
            Failure::usage(format!("there is no gate `{name}`"))
                .hint(format!("the gates are: {}", super::run::names(gates)))
        })
    };
    names.iter().map(find).collect()
}

fn minutes(timeout: Duration) -> String {
    format!("at most {}", humantime::format_duration(timeout))
}
