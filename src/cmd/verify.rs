//! `harness verify`: checks that the proof behind passing features fits what is there.

use harness_core::{Feature, FeatureStatus};
use harness_gate::evidence::Standing;
use serde_json::json;

use crate::{
    cli::{Common, RunOptions, Verify},
    compose::Site,
    failure::{Failure, RED},
    isolation,
    output::{Output, say},
};

pub(super) fn run(common: &Common, flags: &Verify) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let path = &resolved.policy.feature_file;
    let list = site
        .list(path)?
        .ok_or_else(|| Failure::usage(format!("there is no feature list at `{path}`")))?;
    let wanted: Vec<Feature> = match &flags.feature {
        Some(id) => {
            let found = list
                .features()
                .iter()
                .find(|feature| feature.id.as_str() == id)
                .cloned();
            vec![found.ok_or_else(|| {
                Failure::usage(format!("there is no feature `{id}` in `{path}`"))
                    .hint("harness feature list")
            })?]
        }
        None => list
            .features()
            .iter()
            .filter(|feature| feature.status == FeatureStatus::Passing)
            .cloned()
            .collect(),
    };
    let subject =
        harness_runner::Subject::of_head(&site.repo, &resolved.policy).map_err(Failure::failed)?;
    let mut output = Output::new(common);
    let mut code = 0;
    for feature in &wanted {
        let content = subject
            .content_digest(&site.repo, feature)
            .map_err(Failure::failed)?;
        let standing = if feature.status == FeatureStatus::Passing {
            site.standing(feature, &resolved, subject.tree(), Some(&content))
        } else {
            Standing::Claimed
        };
        if !standing.is_proof() {
            code = RED;
        }
        let evidence = site.evidence(feature);
        let text = match feature.status {
            FeatureStatus::Passing => {
                format!(
                    "feature: {} {}, {}{}",
                    feature.id,
                    standing.as_str(),
                    meaning(standing),
                    isolation::of_proof(evidence.as_ref())
                )
            }
            status => format!(
                "feature: {} is {status}, there is nothing to verify",
                feature.id
            ),
        };
        output.entry(
            "verified",
            &text,
            json!({ "feature": feature.id.as_str(), "standing": standing.as_str(),
                "isolation": evidence.map(|evidence| evidence.isolation) }),
        )?;
    }
    if wanted.is_empty() {
        output.text("note: no feature is passing")?;
    }
    isolation::note(&resolved.policy, &mut output)?;
    say("note: this proves that proof and content fit, not that the gates would be green again");
    Ok(code)
}

/// Says what a standing means.
const fn meaning(standing: Standing) -> &'static str {
    match standing {
        Standing::Exact => "HEAD is what was proven",
        Standing::Content => "what it is about is as it was proven",
        Standing::Stale => {
            "its files are not those that were proven, `harness gate run` tells whether HEAD is green"
        }
        Standing::Claimed => "there is no proof that fits",
    }
}
