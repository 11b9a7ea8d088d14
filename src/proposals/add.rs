//! From a proposal to the feature list, the ledger of intent and the progress log.
//!
//! The list is changed in one step, in the bytes of what is added: what a person has not committed
//! yet stays. What is there already by its title counts as added, so that doing it twice, after a
//! crash in between, is doing it once.

use std::collections::BTreeMap;

use harness_core::{
    AddedFeature, Feature, FeatureId, FeatureStatus, Policy, Proposal, ProposedFeature, SessionId,
};
use harness_engine::title_key;
use harness_gate::{
    list::{self, FeatureList, ListError},
    progress::{self, Entry, Word},
};
use harness_guard::Scope;
use harness_runner::Added;
use harness_store::IntentWord;

use super::fit;
use crate::{
    compose::Site,
    failure::{Failure, chain},
    intent,
};

/// How much of a goal stands in the progress log. Unit: characters.
const GOAL_CHARS: usize = 300;

/// What the list became.
struct Listed {
    before: Vec<Feature>,
    new: Vec<Feature>,
    added: Vec<AddedFeature>,
    remarks: Vec<String>,
}

/// Adds a proposal's features to the list but for some, and tells ledger and progress log.
///
/// # Errors
/// When a feature cannot be added; then none is.
pub(crate) fn add(
    site: &Site,
    policy: &Policy,
    proposal: &Proposal,
    session: Option<SessionId>,
    without: &[u16],
) -> Result<Added, Failure> {
    let path = &policy.feature_file;
    // What cannot be read cannot be appended to: then nothing is changed at all.
    site.host_file(&policy.progress_file)?;
    let listed = site.rewrite(path, |text| {
        let mut list = site.parse_list(path, text.as_deref().unwrap_or(list::empty(path)))?;
        let listed = put(&mut list, policy, proposal, without)?;
        Ok((list.render(), listed))
    })?;
    let mut remarks = listed.remarks;
    remarks.extend(intent::adopt(site, &listed.before)?);
    let new = listed.new.iter();
    let entries: Vec<_> = new
        .map(|feature| intent::entry(IntentWord::Added, feature, ""))
        .collect();
    intent::append(site, &entries)?;
    tell_progress(site, policy, proposal, session, &listed.added)?;
    Ok(Added {
        features: listed.added,
        file: path.clone(),
        remarks,
    })
}

fn put(
    list: &mut FeatureList,
    policy: &Policy,
    proposal: &Proposal,
    without: &[u16],
) -> Result<Listed, Failure> {
    let before = list.features().to_vec();
    let wanted: Vec<(u16, &ProposedFeature)> = proposal
        .numbered()
        .filter(|(number, _)| !without.contains(number))
        .collect();
    if wanted.is_empty() {
        return Err(Failure::usage("no feature would be left to add"));
    }
    let ids = names(list, &before, &wanted)?;
    let (mut new, mut added, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
    for (number, proposed) in in_order(&wanted) {
        let (id, is_there) = &ids[&number];
        added.push(AddedFeature {
            number,
            feature: id.clone(),
            title: proposed.title.clone(),
        });
        if *is_there {
            continue;
        }
        let (depends_on, dropped) = dependencies(proposed, &ids, &before);
        if !dropped.is_empty() {
            remarks.push(format!(
                "{id} waits no longer for {}, which is left out",
                dropped.join(", ")
            ));
        }
        let entry = fit::entry(list.shape(), id.clone(), proposed, depends_on);
        check_possible(&entry, policy)?;
        list.add(&entry).map_err(|error| refused(number, &error))?;
        new.push(list.find(id).cloned().unwrap_or(entry));
    }
    added.sort_by_key(|added| added.number);
    Ok(Listed {
        before,
        new,
        added,
        remarks,
    })
}

/// Gives each feature its id, in their order; one of that title keeps the one it has.
fn names(
    list: &FeatureList,
    before: &[Feature],
    wanted: &[(u16, &ProposedFeature)],
) -> Result<BTreeMap<u16, (FeatureId, bool)>, Failure> {
    let mut ids = BTreeMap::new();
    let next = list.next_id();
    let (prefix, first, width) = counted(&next);
    let mut free = first;
    for (number, proposed) in wanted {
        let same = before.iter().find(|feature| {
            feature.status != FeatureStatus::Cancelled
                && title_key(&feature.title) == title_key(&proposed.title)
        });
        if let Some(same) = same {
            ids.insert(*number, (same.id.clone(), true));
            continue;
        }
        let id = FeatureId::new(format!("{prefix}{free:0width$}"));
        let id = id.map_err(|error| Failure::failed(error.to_string()))?;
        ids.insert(*number, (id, false));
        free += 1;
    }
    Ok(ids)
}

/// Takes an id apart: what stands in front of its number, the number, its digits.
fn counted(id: &FeatureId) -> (&str, u64, usize) {
    let text = id.as_str();
    let prefix = text.trim_end_matches(|char: char| char.is_ascii_digit());
    let digits = &text[prefix.len()..];
    (prefix, digits.parse().unwrap_or(1), digits.len())
}

/// Orders features so that each comes behind what it waits for; else they stay as they are.
fn in_order<'a>(wanted: &[(u16, &'a ProposedFeature)]) -> Vec<(u16, &'a ProposedFeature)> {
    let mut left = wanted.to_vec();
    let mut ordered: Vec<(u16, &ProposedFeature)> = Vec::new();
    while !left.is_empty() {
        let is_ready = |(_, feature): &(u16, &ProposedFeature)| {
            !feature
                .after
                .iter()
                .any(|after| left.iter().any(|(number, _)| number == after))
        };
        // A circle was refused when it was proposed.
        let at = left.iter().position(is_ready).unwrap_or(0);
        ordered.push(left.remove(at));
    }
    ordered
}

/// Returns the ids of what a feature waits for, and the numbers of what was left out.
fn dependencies(
    proposed: &ProposedFeature,
    ids: &BTreeMap<u16, (FeatureId, bool)>,
    before: &[Feature],
) -> (Vec<FeatureId>, Vec<String>) {
    let is_listed = |id: &&FeatureId| before.iter().any(|feature| feature.id == **id);
    let (listed, gone): (Vec<_>, Vec<_>) = proposed.depends_on.iter().partition(is_listed);
    let mut depends_on: Vec<FeatureId> = listed.into_iter().cloned().collect();
    let mut dropped: Vec<String> = gone.into_iter().map(ToString::to_string).collect();
    for after in &proposed.after {
        match ids.get(after) {
            Some((id, _)) => depends_on.push(id.clone()),
            None => dropped.push(format!("number {after}")),
        }
    }
    (depends_on, dropped)
}

/// Sees that a feature could ever pass: the configuration may have changed since it was proposed.
fn check_possible(entry: &Feature, policy: &Policy) -> Result<(), Failure> {
    let gates = &policy.gates;
    let missing = entry.gates.iter();
    let mut missing = missing.filter(|name| !gates.iter().any(|gate| gate.name == **name));
    if let Some(name) = missing.next() {
        return Err(Failure::usage(format!(
            "there is no gate `{name}`, which `{}` names",
            entry.title
        ))
        .hint("`harness plan --edit` changes the proposal"));
    }
    Scope::compile(&policy.scope, entry).map_err(|error| Failure::usage(chain(&error)))?;
    Ok(())
}

fn refused(number: u16, error: &ListError) -> Failure {
    Failure::usage(format!("cannot add number {number}: {}", chain(error)))
        .hint("`harness plan --edit` changes the proposal")
}

/// Writes what was planned to the progress log, once.
fn tell_progress(
    site: &Site,
    policy: &Policy,
    proposal: &Proposal,
    session: Option<SessionId>,
    added: &[AddedFeature],
) -> Result<(), Failure> {
    let entry = story(proposal, added);
    let session = session.unwrap_or(SessionId::new(0));
    let heading = format!(" {session} {} {}", proposal.id, Word::Planned.as_str());
    site.rewrite(&policy.progress_file, |text| {
        let text = text.unwrap_or_default();
        if text.contains(&heading) {
            return Ok((text, ()));
        }
        let now = harness_host::clock::now();
        let entry = progress::entry(now, session, &proposal.id, Word::Planned, &entry);
        let notes = proposal.notes.iter();
        let patterns: Vec<String> = notes.filter_map(|note| progress::pattern(note)).collect();
        let text = progress::append(&text, &entry);
        Ok((progress::with_patterns(&text, &patterns), ()))
    })
}

fn story(proposal: &Proposal, added: &[AddedFeature]) -> Entry {
    let goal: String = proposal.goal.chars().take(GOAL_CHARS).collect();
    let ids: Vec<&str> = added.iter().map(|added| added.feature.as_str()).collect();
    let mut done = vec![
        format!("goal: {goal}"),
        format!("planned {}", ids.join(", ")),
    ];
    let decided = proposal.decided.iter();
    done.extend(decided.map(|it| format!("asked: {} Answer: {}", it.question, it.answer)));
    let notes = proposal.notes.iter();
    done.extend(
        notes
            .filter(|note| progress::pattern(note).is_none())
            .cloned(),
    );
    Entry {
        done,
        ..Entry::default()
    }
}
