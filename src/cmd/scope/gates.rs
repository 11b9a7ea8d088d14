//! What a gate may see and change: the plan of its cage, for people.

use harness_config::Resolved;
use harness_core::Level;
use harness_gate::evidence::Isolation;
use harness_guard::{CagePlan, Guard, network::Hosts};
use serde_json::json;

use crate::{compose::Site, failure::Failure, output::Output};

/// Explains how gates are held to the candidate; nothing where there are no gates.
pub(super) fn explain(
    site: &Site,
    resolved: &Resolved,
    guard: &Guard,
    output: &mut Output,
) -> Result<(), Failure> {
    let policy = &resolved.policy;
    let Some(gate) = policy.gates.first() else {
        return Ok(());
    };
    let workplace = site.explained_workplace(resolved, site.store()?)?;
    let isolation = Isolation::of(policy.isolate, workplace.level);
    let mut text = format!("gates: run {}", isolation.as_words());
    let mut body = json!({ "isolation": isolation });
    if policy.isolate {
        let checkout = workplace.cache.join("gates/candidate");
        let hosts: &Hosts = &guard.bounds().network;
        let plan = CagePlan::for_gate(gate, &policy.limits, hosts, &workplace.gate, &checkout)
            .with_linked(&resolved.link, site.repo.root());
        text.push_str(&format!(
            "\n  checkout: {}, seen at {}",
            plan.root().display(),
            plan.place().display()
        ));
        let linked: Vec<String> = resolved.link.iter().map(ToString::to_string).collect();
        let git = plan.git().iter().map(|path| path.display().to_string());
        for (what, paths) in [("git", git.collect()), ("linked", linked)] {
            if !paths.is_empty() {
                text.push_str(&format!("\n  {what}, read-only: {}", paths.join(", ")));
            }
        }
        body["plan"] = serde_json::to_value(&plan).unwrap_or_default();
        if plan.level() == Level::Namespaces {
            body["plan"]["tree"] = serde_json::to_value(plan.mounts()).unwrap_or_default();
        }
    }
    output.entry("sandbox_gates", &text, body)
}
