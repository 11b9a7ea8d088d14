//! Features that were passing and have a gate that is red now: marked as failing, with the commit that did it.
//!
//! A gate that features share says nothing about which of them is broken; its own
//! files do: only a feature whose content is another than was proven is marked
//! for it. A feature's own command speaks for that feature alone.

use harness_config::Resolved;
use harness_core::{
    Baseline, CheckStatus, CommitId, Event, Feature, FeatureId, FeatureStatus, RepoPath, SessionId,
};
use harness_gate::{
    evidence::{Evidence, Standing, gates_of, weigh},
    proof::named_files,
    regression::suspects,
};
use harness_guard::{Guard, is_gate_affecting};
use harness_runner::Subject;
use harness_store::{IntentWord, Store};
use serde_json::{Value, json};

use crate::{
    compose::{Site, demand, evidence_path},
    failure::{Failure, chain},
    intent,
    surface::Surface,
};

/// Commits that are looked through for the one that broke a feature.
const COMMITS_MAX: usize = 1_000;
/// Commits that are named where several may have done it.
const NAMED_MAX: usize = 5;

/// A gate that is red on HEAD.
#[derive(Clone, Debug)]
pub(super) struct RedGate {
    /// Its name.
    pub(super) gate: String,
    /// The feature, where the gate is one of its own commands.
    pub(super) of: Option<FeatureId>,
    /// What is said about it, such as `is red now: exit 1`.
    pub(super) reason: String,
}

/// A feature that was marked.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) feature: FeatureId,
    /// The gate and, where it can be told, the commit.
    pub(super) reason: String,
    /// The commits that may have done it, newest first.
    pub(super) commits: Vec<CommitId>,
}

impl Broken {
    pub(super) fn to_text(&self) -> String {
        format!("feature: {} failing, {}", self.feature, self.reason)
    }

    pub(super) fn to_body(&self) -> Value {
        let commits: Vec<&str> = self.commits.iter().map(CommitId::as_str).collect();
        json!({ "feature": self.feature.as_str(), "from": "passing", "to": "failing", "reason": self.reason,
            "commits": commits })
    }
}

/// Marks the passing features that red gates break, in the feature list and the progress log.
pub(super) fn mark(
    site: &Site,
    resolved: &Resolved,
    red: &[RedGate],
) -> Result<Vec<Broken>, Failure> {
    if red.is_empty() {
        return Ok(Vec::new());
    }
    let subject = Subject::of_head(&site.repo, &resolved.policy).map_err(Failure::failed)?;
    let features = site.features(&resolved.policy.feature_file)?.into_iter();
    let passing = features.filter(|feature| feature.status == FeatureStatus::Passing);
    let mut broken = Vec::new();
    for feature in passing {
        if let Some(found) = look(site, resolved, &subject, &feature, red)? {
            broken.push(found);
        }
    }
    write(site, resolved, &broken)?;
    Ok(broken)
}

/// Marks what a red base breaks that stopped a run.
pub(super) fn mark_after(
    site: &Site,
    resolved: &Resolved,
    store: &Store,
    session: SessionId,
    surface: &dyn Surface,
) -> Result<(), Failure> {
    let log = harness_store::read(store.log_path(session));
    let log = log.map_err(|error| Failure::failed(chain(&error)))?;
    let gates = &resolved.policy.gates;
    let is_strict = |name: &str| {
        let mut strict = gates
            .iter()
            .filter(|gate| gate.baseline == Baseline::Strict);
        strict.any(|gate| gate.name == name)
    };
    let red: Vec<RedGate> = log
        .records
        .iter()
        .filter_map(|record| match &record.event {
            Event::BaselineEnded { report, .. }
                if report.status == CheckStatus::Red && is_strict(&report.gate) =>
            {
                Some(RedGate {
                    gate: report.gate.clone(),
                    of: None,
                    reason: format!("is red on HEAD: {}", report.reason),
                })
            }
            _ => None,
        })
        .collect();
    for broken in mark(site, resolved, &red)? {
        surface.say(&format!(
            "{}; `harness run` takes it up first",
            broken.to_text()
        ));
    }
    Ok(())
}

/// Says whether and how red gates break a feature.
fn look(
    site: &Site,
    resolved: &Resolved,
    subject: &Subject,
    feature: &Feature,
    red: &[RedGate],
) -> Result<Option<Broken>, Failure> {
    let gates = &resolved.policy.gates;
    let named: Vec<&str> = gates_of(feature, gates)
        .into_iter()
        .map(|gate| gate.name.as_str())
        .collect();
    let Ok(evidence) = site.read_evidence(feature) else {
        return Ok(None);
    };
    let demand = demand(resolved);
    let weighed = weigh(Ok(&evidence), feature, demand, subject.tree(), |evidence| {
        subject.content(feature, &evidence.changed)
    });
    let standing = weighed.map_err(Failure::failed)?.standing;
    let breaks = |red: &&RedGate| match &red.of {
        Some(of) => *of == feature.id && standing.is_proof(),
        None => standing == Standing::Stale && named.contains(&red.gate.as_str()),
    };
    let Some(red) = red.iter().find(breaks) else {
        return Ok(None);
    };
    let commits = culprits(site, resolved, feature, &evidence)?;
    let by = match commits.as_slice() {
        [] => String::new(),
        [(commit, title)] => format!(", broken by {} {title}", commit.short()),
        several => {
            let shown: Vec<String> = several
                .iter()
                .take(NAMED_MAX)
                .map(|(commit, _)| commit.short().to_owned())
                .collect();
            let more = several.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!(", broken by one of {}{more}", shown.join(", "))
        }
    };
    Ok(Some(Broken {
        feature: feature.id.clone(),
        reason: format!("gate `{}` {}{by}", red.gate, red.reason),
        commits: commits.into_iter().map(|(commit, _)| commit).collect(),
    }))
}

/// A commit with its first line.
type Named = (CommitId, String);

/// Returns the commits since a feature's proof that touched what it is about, newest first.
fn culprits(
    site: &Site,
    resolved: &Resolved,
    feature: &Feature,
    evidence: &Evidence,
) -> Result<Vec<Named>, Failure> {
    let guard = Guard::new(&resolved.policy, feature);
    let guard = guard.map_err(|error| Failure::usage(chain(&error)))?;
    let gates: Vec<_> = gates_of(feature, &resolved.policy.gates)
        .into_iter()
        .cloned()
        .collect();
    let named = named_files(&gates, feature);
    let concerns = |path: &RepoPath| {
        guard.scope().is_writable(path)
            || is_gate_affecting(path)
            || evidence.changed.contains(path)
            || named.contains(path)
    };
    let history = history(site, feature)?;
    Ok(suspects(&history, &concerns).into_iter().cloned().collect())
}

/// Walks HEAD's own line back to the commit that brought the feature's evidence, which is left out.
fn history(site: &Site, feature: &Feature) -> Result<Vec<(Named, Vec<RepoPath>)>, Failure> {
    let path = evidence_path(&feature.id);
    let mut found = Vec::new();
    let mut commit = site.head()?.commit;
    let proof = site.text_of(&site.repo.tree_of(&commit)?, &path)?;
    while found.len() < COMMITS_MAX {
        let info = site.repo.commit_info(&commit)?;
        let Some(parent) = info.parents.first() else {
            break;
        };
        // The history of a shallow clone ends before its first commit does.
        let Ok(before) = site.repo.tree_of(parent) else {
            break;
        };
        if site.text_of(&before, &path)? != proof {
            break;
        }
        let changes = site.repo.diff(&before, &info.tree)?.into_iter();
        let title = info.message.lines().next().unwrap_or_default();
        let title = harness_report::clean_line(title, 80);
        found.push(((commit, title), changes.map(|change| change.path).collect()));
        commit = parent.clone();
    }
    Ok(found)
}

fn write(site: &Site, resolved: &Resolved, broken: &[Broken]) -> Result<(), Failure> {
    let reasons = broken
        .iter()
        .map(|broken| (&broken.feature, &*broken.reason));
    set_status(
        site,
        resolved,
        FeatureStatus::Failing,
        &reasons.collect::<Vec<_>>(),
    )
}

/// Writes a status with its reason to the feature list and the progress log.
pub(super) fn set_status(
    site: &Site,
    resolved: &Resolved,
    to: FeatureStatus,
    features: &[(&FeatureId, &str)],
) -> Result<(), Failure> {
    if features.is_empty() {
        return Ok(());
    }
    let path = &resolved.policy.feature_file;
    let entries = site.rewrite(path, |text| {
        let mut list = site.parse_list(path, &text.unwrap_or_default())?;
        let mut entries = Vec::new();
        for (feature, reason) in features {
            list.set_status(feature, to)
                .map_err(|error| Failure::failed(chain(&error)))?;
            // Not every shape of the list has a place for a status.
            let known = IntentWord::of_status(to).zip(list.find(feature));
            entries.extend(known.map(|(what, known)| intent::entry(what, known, reason)));
        }
        Ok((list.render(), entries))
    })?;
    intent::append(site, &entries)?;
    let now = harness_host::clock::now().to_seconds_text();
    let notes = features.iter().map(|(feature, reason)| {
        let reason = harness_report::clean_line(reason, 500);
        format!("## {now} {feature} {to}\n\n- Reason: {reason}\n")
    });
    let notes: Vec<String> = notes.collect();
    site.rewrite(&resolved.policy.progress_file, |text| {
        let mut text = text.unwrap_or_default();
        for note in &notes {
            text = harness_gate::progress::append(&text, note);
        }
        Ok((text, ()))
    })
}
