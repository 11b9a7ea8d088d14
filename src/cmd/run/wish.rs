//! What a person asks a run for: all features, one of them, or a task.

use harness_config::Resolved;
use harness_core::{Feature, FeatureId, FeatureStatus, Goal, RepoPath, RunId};

use crate::{compose::Site, failure::Failure, surface::Surface};

/// What a person asks a run for.
pub(in crate::cmd) enum Wish {
    All,
    One(FeatureId),
    /// All features, and none is left to work on.
    AllDone,
    /// A feature that is passing already.
    Done(FeatureId),
    Task(String),
}

impl Wish {
    /// Makes the goal of a run; a task becomes a feature of its own.
    pub(in crate::cmd) fn to_goal(
        &self,
        mut features: Vec<Feature>,
        run: RunId,
    ) -> (Goal, Vec<Feature>) {
        let goal = match self {
            Self::All | Self::AllDone => Goal::All,
            Self::One(feature) | Self::Done(feature) => Goal::One {
                feature: feature.clone(),
            },
            Self::Task(text) => {
                let feature = FeatureId::task(run.number());
                let title = text.lines().next().unwrap_or_default().to_owned();
                let mut task = Feature::titled(feature.clone(), title);
                text.clone_into(&mut task.description);
                features.push(task);
                Goal::Task { feature }
            }
        };
        (goal, features)
    }
}

/// Says what the run is for: all features, the named one, or a task.
pub(in crate::cmd) fn choose(
    site: &Site,
    resolved: &Resolved,
    mut features: Vec<Feature>,
    goal: Option<&str>,
    surface: &dyn Surface,
) -> Result<(Wish, Vec<Feature>), Failure> {
    for claim in site.reopen_claims(&mut features, resolved) {
        surface.say(&claim);
    }
    let list = &resolved.policy.feature_file;
    let Some(goal) = goal else {
        if features.is_empty() {
            let message = format!("there are no features in `{list}`");
            return Err(Failure::usage(message)
                .hint("add one with `harness feature add \"TITLE\"`, or give a task: `harness run \"TEXT\"`"));
        }
        let is_done = |feature: &Feature| {
            feature.status.is_settled() || feature.status == FeatureStatus::Cancelled
        };
        let wish = if features.iter().all(is_done) {
            Wish::AllDone
        } else {
            Wish::All
        };
        return Ok((wish, features));
    };
    let is_meant_as_id = is_like_an_id(goal) || is_misspelt_id(goal, &features);
    let named = features
        .iter_mut()
        .find(|feature| feature.id.as_str() == goal);
    match named {
        Some(named) if named.status == FeatureStatus::Passing => {
            Ok((Wish::Done(named.id.clone()), features))
        }
        Some(named) => {
            // Who names a feature wants it worked on, whatever it waits for; a broken one is mended.
            if named.status != FeatureStatus::Failing {
                named.status = FeatureStatus::Pending;
            }
            Ok((Wish::One(named.id.clone()), features))
        }
        None if is_meant_as_id => Err(no_feature(goal, list, &features)),
        None => Ok((Wish::Task(goal.to_owned()), features)),
    }
}

fn no_feature(goal: &str, list: &RepoPath, features: &[Feature]) -> Failure {
    let known: Vec<&str> = features.iter().map(|feature| feature.id.as_str()).collect();
    let message = format!("there is no feature `{goal}` in `{list}`");
    Failure::usage(message).hint(match known.as_slice() {
        [] => "the list is empty: `harness feature add \"TITLE\"`".to_owned(),
        known => format!("the features are: {}", known.join(", ")),
    })
}

/// Whether a word is an id of the list but for upper and lower case.
fn is_misspelt_id(text: &str, features: &[Feature]) -> bool {
    let mut ids = features.iter().map(|feature| feature.id.as_str());
    ids.any(|id| id.eq_ignore_ascii_case(text))
}

/// Whether a word can only be meant as a feature's id: no spaces, letters, a dash, digits.
fn is_like_an_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(letters, digits)| {
        (1..=4).contains(&letters.len())
            && letters.bytes().all(|byte| byte.is_ascii_uppercase())
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}
