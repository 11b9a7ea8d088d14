//! Says that gates run in the work tree, wherever somebody could take it otherwise.

use harness_core::Policy;
use harness_gate::evidence::{Evidence, Isolation};
use serde_json::json;

use crate::{failure::Failure, output::Output};

/// Says that gates are not isolated; nothing where they are.
pub(crate) fn note(policy: &Policy, output: &mut Output) -> Result<(), Failure> {
    if policy.isolate {
        return Ok(());
    }
    let text = format!(
        "note: gates run {} (`isolate = false` in harness.toml)",
        Isolation::WorkTree.as_words()
    );
    output.entry("isolation", &text, json!({ "isolated": false }))
}

/// Returns what of a proof's making has to be known: empty where the work tree was out of reach.
pub(crate) fn of_proof(evidence: Option<&Evidence>) -> String {
    let isolation = evidence.map(|evidence| {
        let known = evidence.isolation;
        known.unwrap_or_else(|| Isolation::of(evidence.isolated, evidence.level))
    });
    match isolation {
        Some(how @ (Isolation::WorkTree | Isolation::Unenforced)) => {
            format!("; its gates ran {}", how.as_words())
        }
        Some(Isolation::RepositoryPath | Isolation::OwnPath) | None => String::new(),
    }
}
