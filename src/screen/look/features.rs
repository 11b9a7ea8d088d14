//! The features page: the list with what the ledger, the proofs and the progress log say.

use std::cmp::Reverse;

use harness_core::FeatureStatus;
use harness_gate::progress;
use harness_tui::{FeatureFound, FeaturesFound, ProofFound};

use crate::{
    cli::{Common, RunOptions},
    compose::Site,
    failure::Failure,
    intent::Ledger,
};

/// How much of the progress log is looked at. Unit: bytes.
const PROGRESS_BYTES_MAX: usize = 256 * 1024;

pub(super) fn features(common: &Common) -> Result<FeaturesFound, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let features = site.features(&resolved.policy.feature_file)?;
    let ledger = Ledger::read(&site)?;
    let found = features.iter().map(|feature| FeatureFound {
        feature: feature.clone(),
        is_claimed: site.is_claimed(feature, &resolved),
        is_changed: ledger.difference(feature).is_some(),
        reason: ledger.reason(feature).to_owned(),
        proof: Some(feature.status)
            .filter(|status| *status == FeatureStatus::Passing)
            .and_then(|_| site.evidence(feature))
            .map(|evidence| ProofFound {
                tree: evidence.subject_tree,
                checks: evidence.checks.len(),
                session: evidence.session,
            }),
    });
    let mut found: Vec<FeatureFound> = found.collect();
    found.sort_by_key(|found| Reverse(found.feature.priority));
    let progress = site.host_file(&resolved.policy.progress_file)?;
    let progress = progress.map(|(text, _)| progress::tail(&text, PROGRESS_BYTES_MAX).to_owned());
    let gone = ledger.changed(&features);
    let gone = gone.iter().filter(|changed| changed.differences.is_none());
    Ok(FeaturesFound {
        features: found,
        progress: progress.unwrap_or_default(),
        notes: gone
            .map(|gone| format!("{} is gone from the list, changed by hand", gone.id))
            .collect(),
    })
}
