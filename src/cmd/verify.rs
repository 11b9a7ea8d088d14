//! `harness verify`: whether the proof behind passing features fits what is there, and still holds.
//!
//! Without `--rerun` nothing is executed: files are compared with files. A
//! feature that was proven and has not landed is judged on the branch of its run.

mod rerun;

use harness_core::{Feature, FeatureStatus};
use harness_gate::evidence::{self, Doubt, Evidence, Standing, Weighed};
use harness_report::clean_line;
use harness_runner::Subject;
use serde_json::json;

use super::place::{Place, Places};
use crate::{
    cli::{Common, RunOptions, Verify},
    compose::{Site, demand},
    failure::{Failure, RED},
    isolation,
    output::{Output, say},
    surface::LineSurface,
    trust,
};

pub(super) fn run(common: &Common, flags: &Verify) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions {
        sandbox: flags.sandbox,
        ..RunOptions::default()
    })?;
    if flags.rerun {
        // Nothing is executed before a person has seen what it is.
        trust::trusted_features(&site, &resolved, &LineSurface::new(common))?;
    } else {
        // Looking needs no place to write.
        site.repo.write_in_memory()?;
    }
    let wanted = wanted(&site, &resolved, flags)?;
    let mut places = Places::new(&site, &resolved.policy);
    let mut judged = Vec::with_capacity(wanted.len());
    for feature in wanted {
        judged.push(judge(&site, &resolved, &mut places, feature, flags)?);
    }
    let mut output = Output::new(common);
    let mut code = 0;
    for entry in &judged {
        // A second run tells whether a broken one still is.
        let counts = entry.is_proven() || (flags.rerun && entry.is_broken());
        if !counts {
            code = RED;
        }
        output.entry("verified", &entry.to_text(), entry.to_body())?;
    }
    if judged.is_empty() {
        output.text("note: no feature is passing")?;
    }
    let is_unreviewed = |entry: &Judged| matches!(entry.weighed.doubt, Some(Doubt::Unreviewed(_)));
    if judged.iter().any(is_unreviewed) {
        say(
            "hint: what is committed is not reviewed again: `harness run ID` has its next change reviewed, `harness feature accept ID --reason TEXT` takes it as it is",
        );
    }
    isolation::note(&resolved.policy, &mut output)?;
    if flags.rerun {
        let agreed = rerun::run(&site, &resolved, &judged, &mut output)?;
        return Ok(if agreed { code } else { RED });
    }
    say(
        "note: only consistency was checked, that proof and content fit; `harness verify --rerun` runs the gates again",
    );
    Ok(code)
}

/// A feature, and what its proof is worth.
struct Judged {
    feature: Feature,
    evidence: Option<Evidence>,
    weighed: Weighed,
    place: Place,
}

impl Judged {
    fn is_proven(&self) -> bool {
        self.feature.status == FeatureStatus::Passing && self.weighed.standing.is_proof()
    }

    /// Whether it was passing and a gate was red since, its proof being there still.
    fn is_broken(&self) -> bool {
        self.feature.status == FeatureStatus::Failing && self.weighed.standing.is_proof()
    }

    fn to_text(&self) -> String {
        let id = &self.feature.id;
        if self.feature.status == FeatureStatus::Failing {
            return format!("feature: {id} is failing, it was passing until a gate became red");
        }
        if self.feature.status != FeatureStatus::Passing {
            let status = self.feature.status;
            return format!("feature: {id} is {status}, there is nothing to verify");
        }
        let standing = self.weighed.standing.as_str();
        let made = isolation::of_proof(self.evidence.as_ref());
        let made = format!("{made}{}", self.review());
        match (&self.weighed.doubt, &self.place) {
            (Some(doubt), _) => format!("feature: {id} {standing}, {doubt}"),
            (None, Place::Head(_)) => {
                format!("feature: {id} {standing}, {}{made}", self.meaning("HEAD"))
            }
            (None, Place::Branch { name, .. }) => format!(
                "feature: {id} {standing} on {name}, not landed yet: {}{made}",
                self.meaning("the branch")
            ),
        }
    }

    /// Says who reviewed the change; empty where nobody did.
    fn review(&self) -> String {
        let review = self.evidence.as_ref().and_then(|it| it.review.as_ref());
        review.map_or_else(String::new, |review| {
            format!("; review: {}", clean_line(&review.to_text(), 400))
        })
    }

    fn to_body(&self) -> serde_json::Value {
        let is_passing = self.feature.status == FeatureStatus::Passing;
        let standing = if is_passing {
            self.weighed.standing
        } else {
            Standing::Claimed
        };
        let branch = match &self.place {
            Place::Head(_) => None,
            Place::Branch { name, .. } => Some(name),
        };
        json!({ "feature": self.feature.id.as_str(), "standing": standing.as_str(), "claimed": is_passing && !standing.is_proof(),
            "status": self.feature.status.as_str(),
            "reason": self.weighed.doubt.as_ref().map(ToString::to_string), "landed": branch.is_none(), "branch": branch,
            "isolation": self.evidence.as_ref().map(|evidence| evidence.isolation),
            "review": self.evidence.as_ref().and_then(|evidence| evidence.review.as_ref()) })
    }

    /// Says what a standing means.
    fn meaning(&self, tree: &str) -> String {
        match self.weighed.standing {
            Standing::Exact => format!("{tree} is what was proven"),
            Standing::Content => "what it is about is as it was proven".to_owned(),
            Standing::Stale | Standing::Claimed => {
                "its files are not those that were proven, `harness verify --rerun` tells whether they are green"
                    .to_owned()
            }
        }
    }
}

/// Returns the feature that is named, or all that say they pass.
fn wanted(
    site: &Site,
    resolved: &harness_config::Resolved,
    flags: &Verify,
) -> Result<Vec<Feature>, Failure> {
    let path = &resolved.policy.feature_file;
    let list = site
        .list(path)?
        .ok_or_else(|| Failure::usage(format!("there is no feature list at `{path}`")))?;
    let Some(id) = &flags.feature else {
        let all = list.features().iter();
        let wanted = all.filter(|feature| match feature.status {
            FeatureStatus::Passing => true,
            // Whether it is still broken is what a second run tells.
            FeatureStatus::Failing => flags.rerun,
            _ => false,
        });
        return Ok(wanted.cloned().collect());
    };
    let mut all = list.features().iter();
    let found = all.find(|feature| feature.id.as_str() == id).cloned();
    let found = found.ok_or_else(|| {
        Failure::usage(format!("there is no feature `{id}` in `{path}`"))
            .hint("harness feature list")
    })?;
    Ok(vec![found])
}

fn judge(
    site: &Site,
    resolved: &harness_config::Resolved,
    places: &mut Places<'_>,
    feature: Feature,
    flags: &Verify,
) -> Result<Judged, Failure> {
    let read = site.read_evidence(&feature);
    let place = places.of(&feature)?;
    let subject = places.subject(&place)?;
    let mut weighed = evidence::weigh(
        read.as_ref().map_err(Doubt::clone),
        &feature,
        demand(resolved),
        subject.tree(),
        |evidence| subject.content(&feature, &evidence.changed),
    )
    .map_err(Failure::failed)?;
    // One feature is looked at as closely as can be: the tree of its proof is walked too.
    if let (Ok(evidence), Some(_), None) = (&read, &flags.feature, &weighed.doubt)
        && let Some(doubt) = recorded_tree_doubt(site, resolved, &feature, evidence)
    {
        weighed = doubt.into();
    }
    Ok(Judged {
        evidence: read.ok(),
        feature,
        weighed,
        place,
    })
}

/// Says whether evidence is about another tree than it names, where git still has that tree.
fn recorded_tree_doubt(
    site: &Site,
    resolved: &harness_config::Resolved,
    feature: &Feature,
    evidence: &Evidence,
) -> Option<Doubt> {
    let recorded = Subject::of_tree(&site.repo, &resolved.policy, &evidence.subject_tree).ok()?;
    let content = recorded.content(feature, &evidence.changed).ok()?;
    evidence::tree_doubt(evidence, &content)
}
