//! Questions that wait for a person, and answers that wait for a run.
//!
//! A question waits as long as its feature could still be worked on. An answer is taken up by the run
//! that asked, or by a new run of a feature that was left to a person before the answer came; either
//! goes on with the work that was put aside for it.

mod rebuilt;

use std::collections::{BTreeSet, HashMap};

use harness_core::{
    EndReason, Event, Feature, FeatureId, FeatureStatus, GivenAnswer, Kept, RunState, Timestamp,
};
use harness_runner::given_answer;
use harness_store::{IntentWord, KeptQuestion, QuestionError, QuestionState, Store};

use crate::{
    asides,
    cmd::{moved, runs},
    compose::Site,
    failure::{Failure, chain},
    surface::Surface,
};

/// The most answers about one feature that a new run starts with.
const ANSWERS_MAX: usize = 10;

/// Reads the questions of this work tree; what cannot be read is said.
pub(crate) fn all(
    site: &Site,
    store: &Store,
    say: &dyn Fn(&str),
) -> Result<Vec<KeptQuestion>, Failure> {
    let mut questions = read(store, say)?;
    questions.retain(|kept| is_here(site, store, kept));
    Ok(questions)
}

/// Reads the questions of this work tree, and of those that were made for runs from here.
pub(crate) fn in_reach(
    site: &Site,
    store: &Store,
    say: &dyn Fn(&str),
) -> Result<Vec<KeptQuestion>, Failure> {
    let mut questions = read(store, say)?;
    questions.retain(|kept| is_in_reach(site, store, kept));
    Ok(questions)
}

/// Whether a question was asked in this work tree, or in one that was made for a run from here.
pub(crate) fn is_in_reach(site: &Site, store: &Store, kept: &KeptQuestion) -> bool {
    is_here(site, store, kept)
        || moved::linked(site)
            .iter()
            .any(|linked| moved::is_of(store, linked, &kept.asked.root))
}

/// Whether a question was asked in this work tree, wherever it stood then.
pub(crate) fn is_here(site: &Site, store: &Store, kept: &KeptQuestion) -> bool {
    let root = &kept.asked.root;
    site.repo.root().display().to_string() == *root || moved::was_at(site, store, root)
}

/// Reads every question; one whose file is broken is said, and kept anew from the logs.
pub(crate) fn read(store: &Store, say: &dyn Fn(&str)) -> Result<Vec<KeptQuestion>, Failure> {
    let (questions, problems) = store.questions().map_err(|error| failed(&error))?;
    for problem in problems {
        say(&format!("note: {}", chain(&problem)));
    }
    let rebuilt = rebuilt::rebuild(store).unwrap_or_else(|error| {
        say(&format!("note: {}", chain(&error)));
        Vec::new()
    });
    if rebuilt.is_empty() {
        return Ok(questions);
    }
    for id in rebuilt {
        say(&format!(
            "note: {id} was kept anew from the log; an answer that no run had taken must be given again"
        ));
    }
    let (questions, _) = store.questions().map_err(|error| failed(&error))?;
    Ok(questions)
}

/// Says why nothing waits for the answer to a question any more; `None` where something does.
pub(crate) fn settled(
    kept: &KeptQuestion,
    features: &[Feature],
    store: &Store,
) -> Result<Option<String>, Failure> {
    match &kept.state {
        QuestionState::Open => {}
        QuestionState::Answered(answer) => {
            return Ok(Some(format!("{} has answered it", answer.by)));
        }
        QuestionState::Closed => return Ok(Some("it was answered or cut short".to_owned())),
    }
    let id = &kept.asked.feature;
    let listed = features.iter().find(|feature| feature.id == *id);
    match listed.map(|feature| feature.status) {
        Some(
            status @ (FeatureStatus::Cancelled | FeatureStatus::Accepted | FeatureStatus::Passing),
        ) => return Ok(Some(format!("{id} is {status}"))),
        Some(_) => return Ok(None),
        None => {}
    }
    // A task, or the goal of a plan, lives with its run.
    let last = runs::sessions_of(store, kept.asked.run)?.pop();
    let log = last.and_then(|session| harness_store::read(store.log_path(session)).ok());
    let records = log.map(|log| log.records).unwrap_or_default();
    let is_of_list = !records.iter().any(|record| {
        matches!(&record.event, Event::SessionOpened(opened)
            if opened.run.features.iter().any(|feature| feature.id == *id)
                && opened.run.goal.is_kept_with_run())
    });
    if is_of_list {
        return Ok(Some(format!("{id} is not in the list any more")));
    }
    let end = records.last().and_then(|record| match &record.event {
        Event::RunEnded { reason, .. } => Some(*reason),
        _ => None,
    });
    Ok(end
        .filter(|end| end.exit_code() == 0 || *end == EndReason::Aborted)
        .map(|end| format!("run {} is over: {end}", kept.asked.run)))
}

/// Returns what was answered while no process had a run.
pub(crate) fn for_resume(store: &Store, run: &RunState) -> Result<Vec<GivenAnswer>, Failure> {
    let questions = read(store, &|_| {})?;
    let own = questions
        .into_iter()
        .filter(|kept| kept.asked.run == run.run && run.kept.answer_to(kept.id).is_none());
    Ok(own.filter_map(given_answer).collect())
}

/// Opens the features again whose question was answered after a run had left them to a person, and
/// returns what a new run is told of them.
pub(crate) fn take_up(
    site: &Site,
    store: &Store,
    features: &mut [Feature],
    surface: &dyn Surface,
) -> Result<Kept, Failure> {
    let answers: Vec<GivenAnswer> = all(site, store, &|text| surface.say(text))?
        .into_iter()
        .filter_map(given_answer)
        .collect();
    let mut kept = Kept::default();
    if answers.is_empty() {
        return Ok(kept);
    }
    let left = left_to_a_person(store)?;
    for feature in features.iter_mut() {
        let own: Vec<&GivenAnswer> = answers
            .iter()
            .filter(|given| given.feature == feature.id)
            .collect();
        let Some(last) = own.last() else { continue };
        let since = left.get(&feature.id).copied().unwrap_or_default();
        if feature.status == FeatureStatus::NeedsHuman && last.at > since {
            feature.status = FeatureStatus::Pending;
            surface.say(&format!(
                "feature: {} is taken up again, {} has its answer",
                feature.id, last.question
            ));
        }
        if feature.status.is_open() {
            let newest = &own[own.len().saturating_sub(ANSWERS_MAX)..];
            newest.iter().for_each(|given| kept.take_answer(given));
        }
    }
    Ok(kept)
}

/// Returns the features whose answer came after they were left to a person: the next run takes it up.
pub(crate) fn with_answer(site: &Site, store: &Store) -> Result<BTreeSet<FeatureId>, Failure> {
    let answers = all(site, store, &|_| {})?.into_iter();
    let answers: Vec<GivenAnswer> = answers.filter_map(given_answer).collect();
    if answers.is_empty() {
        return Ok(BTreeSet::new());
    }
    let left = left_to_a_person(store)?;
    let since = |id: &FeatureId| left.get(id).copied().unwrap_or_default();
    let is_new = |given: &GivenAnswer| given.at > since(&given.feature);
    let new = answers.into_iter().filter(is_new);
    Ok(new.map(|given| given.feature).collect())
}

/// Adds the work that lies aside for a question to what a new run is told, for every feature that
/// it may work on.
pub(crate) fn take_asides(
    site: &Site,
    store: &Store,
    features: &[Feature],
    kept: &mut Kept,
) -> Result<(), Failure> {
    let questions = all(site, store, &|_| {})?;
    for feature in features.iter().filter(|feature| feature.status.is_open()) {
        let mut oldest_first = questions.iter();
        let first = oldest_first.find(|kept| kept.asked.feature == feature.id);
        let Some(since) = first.map(|kept| kept.asked.session) else {
            continue;
        };
        if let Some(work) = asides::of(site, store, &feature.id, since)? {
            kept.set_aside(work);
        }
    }
    Ok(())
}

/// Returns when each feature was left to a person last.
fn left_to_a_person(store: &Store) -> Result<HashMap<FeatureId, Timestamp>, Failure> {
    let entries = store
        .intent()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let left = entries
        .into_iter()
        .filter(|entry| entry.what == IntentWord::NeedsHuman);
    Ok(left.map(|entry| (entry.feature, entry.time)).collect())
}

/// Says what could not be done with a question.
pub(crate) fn failed(error: &QuestionError) -> Failure {
    match error {
        QuestionError::Unknown { .. }
        | QuestionError::Answered { .. }
        | QuestionError::Closed { .. } => Failure::usage(error),
        _ => Failure::failed(chain(error)),
    }
}
