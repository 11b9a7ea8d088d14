//! Running the gates behind proofs again: each once for all features that share it.

use std::{collections::HashMap, time::Duration};

use harness_config::Resolved;
use harness_core::{CheckReport, Event, FeatureStatus, Gate, TreeId};
use harness_gate::{
    check::gate_hash,
    evidence::{self, Difference, gates_of},
    proof::own_gates,
};
use harness_guard::Guard;
use harness_report::{JsonLines, Lines};
use harness_runner::{GateBench, GateCandidate, GatePlace};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Judged;
use crate::{
    cmd::{
        broken::{self, RedGate},
        place::Place,
    },
    compose::{Site, any_feature},
    failure::{Failure, chain},
    output::{Output, say},
    session,
};

/// Runs the gates of every feature with a proof and says how each compares; `true` when all agree.
pub(super) fn run(
    site: &Site,
    resolved: &Resolved,
    judged: &[Judged],
    output: &mut Output,
) -> Result<bool, Failure> {
    let proven: Vec<&Judged> = judged
        .iter()
        .filter(|entry| entry.is_proven() || entry.is_broken())
        .collect();
    if proven.is_empty() {
        return Ok(true);
    }
    let store = site.store()?;
    let _lock = session::lock(site, &store)?;
    let guard = Guard::new(&resolved.policy, &any_feature());
    let guard = guard.map_err(|error| Failure::usage(chain(&error)))?;
    if !resolved.policy.isolate {
        say(
            "warning: gates run in the work tree, as `isolate = false` says: uncommitted changes are in it",
        );
    }
    let bench = GateBench::open(site.workplace(resolved, store)?)
        .map_err(|error| Failure::failed(chain(&error)))?;
    let mut runs = Runs {
        bench,
        place: GatePlace::of(&resolved.policy, &guard),
        resolved,
        runtime: session::runtime()?,
        known: HashMap::new(),
    };
    let mut agreed = true;
    let (mut red, mut mended) = (Vec::new(), Vec::new());
    for entry in proven {
        let found = runs.compare(entry, output)?;
        agreed &= found.is_empty();
        tell(entry, &found, output)?;
        red.extend(red_gates(entry, &found));
        if entry.is_broken() && found.is_empty() {
            mended.push((&entry.feature.id, "its gates are as they were proven again"));
        }
    }
    runs.runtime.shutdown_timeout(session::SHUTDOWN);
    broken::set_status(site, resolved, FeatureStatus::Passing, &mended)?;
    for (feature, reason) in mended {
        let body = json!({ "feature": feature.as_str(), "from": "failing", "to": "passing", "reason": reason });
        output.entry(
            "feature_status",
            &format!("feature: {feature} passing, {reason}"),
            body,
        )?;
    }
    for broken in broken::mark(site, resolved, &red)? {
        output.entry("feature_status", &broken.to_text(), broken.to_body())?;
    }
    Ok(agreed)
}

/// Returns the gates that are red on HEAD; what has not landed breaks nothing there.
fn red_gates<'a>(entry: &'a Judged, found: &'a [Difference]) -> impl Iterator<Item = RedGate> + 'a {
    let is_here = matches!(entry.place, Place::Head(_));
    let is_own = |gate: &str| {
        let own = own_gates(&entry.feature, Duration::ZERO);
        own.iter().any(|own| own.name == gate)
    };
    let red = found.iter().filter(move |found| found.is_red && is_here);
    red.map(move |found| RedGate {
        of: is_own(&found.gate).then(|| entry.feature.id.clone()),
        gate: found.gate.clone(),
        reason: found.what.clone(),
    })
}

/// Gates that run, and what they said.
struct Runs<'a> {
    bench: GateBench,
    place: GatePlace,
    resolved: &'a Resolved,
    runtime: Runtime,
    known: HashMap<(TreeId, String), CheckReport>,
}

impl Runs<'_> {
    fn compare(&mut self, entry: &Judged, output: &mut Output) -> Result<Vec<Difference>, Failure> {
        let policy = &self.resolved.policy;
        let named = gates_of(&entry.feature, &policy.gates);
        let own = own_gates(&entry.feature, policy.limits.command);
        let gates: Vec<&Gate> = named.into_iter().chain(&own).collect();
        let mut reports = Vec::with_capacity(gates.len());
        for gate in &gates {
            reports.push(self.run(gate, entry.place.tree(), output)?);
        }
        let runs: Vec<(&Gate, &CheckReport)> = gates.into_iter().zip(&reports).collect();
        let evidence = entry.evidence.as_ref();
        Ok(evidence.map_or_else(Vec::new, |evidence| evidence::differences(evidence, &runs)))
    }

    /// Runs a gate on a tree, or returns how it came out before.
    fn run(
        &mut self,
        gate: &Gate,
        tree: &TreeId,
        output: &mut Output,
    ) -> Result<CheckReport, Failure> {
        let key = (tree.clone(), gate_hash(gate));
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let candidate = GateCandidate {
            tree: tree.clone(),
            place: self.place.clone(),
        };
        let check = self
            .bench
            .check(gate, &candidate, &self.resolved.policy.limits);
        let report = self.runtime.block_on(check);
        show(&report, output)?;
        self.known.insert(key, report.clone());
        Ok(report)
    }
}

/// Shows how a gate came out, as a run would.
fn show(report: &CheckReport, output: &mut Output) -> Result<(), Failure> {
    let event = Event::CheckEnded {
        report: Box::new(report.clone()),
    };
    let text = Lines::default().write(&event);
    let line = JsonLines::default().write(&event, harness_host::clock::now());
    let mut body: Value =
        serde_json::from_str(line.lines().next().unwrap_or_default()).unwrap_or_else(|_| json!({}));
    if let Some(object) = body.as_object_mut() {
        object.retain(|key, _| !["v", "seq", "time", "session", "type"].contains(&key.as_str()));
    }
    output.entry("check_ended", text.trim_end(), body)
}

fn tell(entry: &Judged, found: &[Difference], output: &mut Output) -> Result<(), Failure> {
    let id = &entry.feature.id;
    let text = if found.is_empty() {
        format!("feature: {id} agrees, its gates come out as they are recorded")
    } else {
        let what: Vec<String> = found.iter().map(ToString::to_string).collect();
        format!("feature: {id} differs: {}", what.join("; "))
    };
    let differences: Vec<Value> = found
        .iter()
        .map(|found| json!({ "gate": found.gate, "red": found.is_red, "what": found.what }))
        .collect();
    let body =
        json!({ "feature": id.as_str(), "agrees": found.is_empty(), "differences": differences });
    output.entry("rerun", &text, body)
}
