//! Runs each gate twice, in the work tree and on a clean checkout of it, and says what differs.
//!
//! For `harness gate run --compare` and `harness init`. Nothing is judged here and
//! nothing is written: what to put into `harness.toml` is proposed in words.

mod advice;
mod missing;

use harness_core::{CheckReport, CheckStatus, Gate};
use harness_guard::Guard;
use harness_runner::{GateBench, GateCandidate, GatePlace};
use serde_json::{Value, json};

use self::advice::Circumstances;
use crate::{
    cli::{Common, RunOptions, SandboxLevel},
    cmd::{gate::choose, work::snapshot},
    compose::{Site, any_feature},
    failure::{Failure, RED, chain},
    output::Output,
    session,
    surface::LineSurface,
    trust,
};

/// How many lines of a failing part are shown.
const LINES_MAX: usize = 12;

/// How a gate came out in both places.
#[derive(Debug)]
struct Compared {
    in_place: CheckReport,
    isolated: CheckReport,
}

/// Compares the gates that are named, all when none is; red when one is on the checkout.
pub(crate) fn run(
    site: &Site,
    common: &Common,
    names: &[String],
    sandbox: Option<SandboxLevel>,
) -> Result<u8, Failure> {
    let options = RunOptions {
        sandbox,
        ..RunOptions::default()
    };
    let resolved = site.resolve(&options)?;
    let gates = choose(&resolved.policy.gates, names)?;
    trust::trusted_features(site, &resolved, &LineSurface::new(common))?;
    let store = site.store()?;
    let _lock = session::lock(site, &store)?;
    let guard = Guard::new(&resolved.policy, &any_feature())
        .map_err(|error| Failure::usage(chain(&error)))?;
    let tree = snapshot(site, &guard)?;
    let missing = missing::from(site, &tree, &guard)?;
    let bench = GateBench::open(site.workplace(&resolved, store)?)
        .map_err(|error| Failure::failed(chain(&error)))?;
    let on = |place| GateCandidate {
        tree: tree.clone(),
        place,
    };
    let in_place = on(GatePlace::WorkTree(Box::new(guard.clone())));
    let isolated = on(GatePlace::isolated(&guard));
    let runtime = session::runtime()?;
    let mut output = Output::new(common);
    let mut code = 0;
    for gate in &gates {
        let check = |on| runtime.block_on(bench.check(gate, on, &resolved.policy.limits));
        let compared = Compared {
            in_place: check(&in_place),
            isolated: check(&isolated),
        };
        if compared.isolated.status != CheckStatus::Green {
            code = RED;
        }
        let circumstances = Circumstances {
            missing: &missing,
            link: &resolved.link,
            build: &guard.bounds().build,
            exists: &|path| site.repo.root().join(path).exists(),
        };
        tell(&mut output, gate, &compared, &circumstances)?;
    }
    runtime.shutdown_timeout(session::SHUTDOWN);
    Ok(code)
}

fn tell(
    output: &mut Output,
    gate: &Gate,
    compared: &Compared,
    circumstances: &Circumstances<'_>,
) -> Result<(), Failure> {
    let Compared { in_place, isolated } = compared;
    let advice = advice::of(in_place, isolated, circumstances);
    let mut text = format!(
        "gate: {} in place {}, isolated {}",
        gate.name,
        words(in_place),
        words(isolated)
    );
    for (place, report) in [("in place", in_place), ("isolated", isolated)] {
        if report.status != CheckStatus::Green {
            text.push_str(&format!("\n  {place}: {}", report.reason));
            for line in failing(report) {
                text.push_str(&format!("\n    {line}"));
            }
        }
    }
    for line in &advice {
        text.push_str(&format!("\n  {}", line.replace('\n', "\n  ")));
    }
    let body = json!({ "gate": gate.name, "in_place": told(in_place), "isolated": told(isolated), "advice": advice });
    output.entry("gate_compared", &text, body)
}

fn words(report: &CheckReport) -> String {
    let tests = report.tests.as_ref();
    let tests = tests.map_or(String::new(), |tests| match tests.run {
        1 => " with 1 test".to_owned(),
        run => format!(" with {run} tests"),
    });
    format!("{}{tests}", report.status)
}

/// Returns the first lines of the failing part.
fn failing(report: &CheckReport) -> Vec<String> {
    let lines = report.excerpt.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.is_empty());
    lines.take(LINES_MAX).map(str::to_owned).collect()
}

fn told(report: &CheckReport) -> Value {
    json!({ "status": report.status, "reason": report.reason, "ms": report.ms,
        "tests": report.tests.as_ref().map(|tests| tests.run), "failing": failing(report) })
}
