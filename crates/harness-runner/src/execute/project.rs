//! Writes how a feature stands where no commit says so: for people, and for the next run.
//!
//! The log of the session has it already; a file that cannot be read or written
//! is left as it is.

use harness_core::{CheckStatus, Event, Feature, FeatureId, FeatureStatus};
use harness_gate::{
    list::{FeatureList, intent},
    progress::{self, Entry, Word},
};
use harness_store::{IntentEntry, IntentWord, Store};

use super::{
    Setting,
    commit::{plain, read, write},
    perform::Performer,
};

/// Writes a status that is not part of a commit to the feature list; a feature that is left to a
/// person gets an entry in the progress log, with what was tried.
pub(super) fn project_status(
    store: &Store,
    performer: &Performer,
    setting: &Setting,
    feature: &FeatureId,
    to: FeatureStatus,
    reason: &str,
) {
    let settled = matches!(
        to,
        FeatureStatus::NeedsHuman | FeatureStatus::Blocked | FeatureStatus::Failing
    );
    if !settled || reason.is_empty() || setting.run.goal.is_kept_with_run() {
        return;
    }
    write_status(store, performer, setting, feature, to, reason);
    if to == FeatureStatus::NeedsHuman {
        write_entry(store, performer, setting, feature, reason);
    }
}

fn write_status(
    store: &Store,
    performer: &Performer,
    setting: &Setting,
    feature: &FeatureId,
    to: FeatureStatus,
    reason: &str,
) {
    let path = &setting.run.policy.feature_file;
    let Ok(Some(text)) = read(performer.root(), path) else {
        return;
    };
    let Ok(mut list) = FeatureList::parse(&text) else {
        return;
    };
    if let Some(found) = list.find(feature) {
        keep(store, setting, found, to, reason);
    }
    if list.set_status(feature, to).is_ok() {
        let rendered = list.render();
        if rendered != text {
            let _ = write(performer, path, rendered.as_bytes());
        }
    }
}

/// Tells the ledger as well: not every shape of the list has a place for a status.
fn keep(store: &Store, setting: &Setting, found: &Feature, to: FeatureStatus, reason: &str) {
    let Some(what) = IntentWord::of_status(to) else {
        return;
    };
    // What a person changed meanwhile is not taken over: the intent is that of the run.
    let known = setting.feature().filter(|known| known.id == found.id);
    let fields = intent::fields(known.unwrap_or(found));
    let entry = IntentEntry {
        time: harness_host::clock::now(),
        what,
        feature: found.id.clone(),
        sha256: intent::hash(&fields),
        intent: fields,
        reason: plain(reason),
        session: Some(setting.opened.session),
    };
    let _ = store.append_intent(&[entry]);
}

fn write_entry(
    store: &Store,
    performer: &Performer,
    setting: &Setting,
    feature: &FeatureId,
    reason: &str,
) {
    let path = &setting.run.policy.progress_file;
    let Ok(text) = read(performer.root(), path) else {
        return;
    };
    let entry = progress::entry(
        harness_host::clock::now(),
        setting.opened.session,
        feature,
        Word::NeedsHuman,
        &tried(store, setting, reason),
    );
    let text = progress::append(&text.unwrap_or_default(), &entry);
    let _ = write(performer, path, text.as_bytes());
}

/// Gathers from the session's log what was tried and how it came out.
fn tried(store: &Store, setting: &Setting, reason: &str) -> Entry {
    let log = harness_store::read(store.log_path(setting.opened.session));
    let records = log.map_or_else(|_| Vec::new(), |log| log.records);
    let events: Vec<Event> = records.into_iter().map(|record| record.event).collect();
    let mut entry = Entry {
        parent: Some(setting.run.tip.clone()),
        ..Entry::default()
    };
    add_tried(&mut entry, &events);
    // What follows the first line are the attempts, which stand here already.
    let why = reason.lines().next().unwrap_or_default();
    entry.tried.push(format!("given up: {}", plain(why)));
    entry
}

/// Adds what a session's events show: notes, refusals, the gates as they came out last, open questions.
pub(super) fn add_tried(entry: &mut Entry, events: &[Event]) {
    let mut questions = Vec::new();
    for event in events {
        match event {
            Event::NoteTaken { text } if progress::pattern(text).is_none() => {
                entry.done.push(plain(text));
            }
            Event::FinishRefused { reason, findings } => {
                entry.tried.push(plain(reason));
                let findings = findings.iter();
                entry
                    .tried
                    .extend(findings.map(|finding| {
                        plain(&format!("{}: {}", finding.place(), finding.message))
                    }));
            }
            Event::CheckEnded { report } => {
                entry
                    .gates
                    .retain(|line| !line.starts_with(&format!("{} ", report.gate)));
                if report.status != CheckStatus::Green {
                    let part = format!(
                        "{} {}: {} {}",
                        report.gate, report.status, report.reason, report.excerpt
                    );
                    entry.gates.push(plain(&part));
                }
            }
            Event::QuestionAsked { call, question, .. } => questions.push((*call, plain(question))),
            Event::QuestionAnswered { call, .. } => questions.retain(|(asked, _)| asked != call),
            _ => {}
        }
    }
    entry.tried.dedup();
    // The newest say most.
    let oldest = entry.tried.len().saturating_sub(progress::LINES_MAX - 1);
    entry.tried.drain(..oldest);
    entry.questions = questions
        .into_iter()
        .map(|(_, question)| question)
        .collect();
}
