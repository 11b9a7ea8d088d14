//! Leaves a note for the next session: in the progress log, and in the record that the engine keeps.
//!
//! A model is asked where the engine made a prompt for it; what it says and what the log
//! shows become one entry. It is asked once, for a bounded time: a note without its
//! words is a note all the same.

use std::time::{Duration, Instant};

use harness_core::{
    CheckpointSaved, Event, Goal, HandedOver, ModelFailure, ModelProfile, ModelResponse, Prompt,
    Role, Spent, Usage,
};
use harness_engine::WriteHandOver;
use harness_gate::progress::{self, Entry, Word};
use harness_host::Cancelled;
use tokio::sync::mpsc;

use super::{
    Executor, Setting,
    commit::{plain, read, write as write_file},
    millis, project,
};
use crate::dispatch::Meter;

/// How long the model's words are waited for.
const TIME_MAX: Duration = Duration::from_secs(30);
/// The longest note that the next session is given. Unit: bytes.
const NOTE_BYTES_MAX: usize = 4 * 1024;
/// The most changed paths that are named.
const PATHS_MAX: usize = 20;

/// What came of asking a model.
#[derive(Default)]
struct Asked {
    text: String,
    problem: String,
    spent: Option<Spent>,
}

/// Writes the note.
pub(super) async fn hand_over(
    executor: &Executor,
    write: WriteHandOver,
    cancelled: Cancelled,
) -> Event {
    let begun = Instant::now();
    let asked = match (&write.prompt, executor.setting()) {
        (Some(prompt), Some(setting)) => {
            let model = setting.run.model_for(Role::Cheap);
            ask(executor, prompt, model, cancelled).await
        }
        _ => Asked::default(),
    };
    let mut handed_over = HandedOver {
        feature: write.feature.clone(),
        note: String::new(),
        by_model: !asked.text.is_empty(),
        problem: asked.problem,
        spent: asked.spent,
        ms: 0,
    };
    if let Some(setting) = executor.setting() {
        let entry = entry(executor, &setting, &write.reason, &asked.text);
        handed_over.note = bounded(&entry);
        if let Err(message) = keep(executor, &setting, &entry) {
            handed_over.problem = message;
        }
    }
    handed_over.ms = millis(begun);
    Event::HandedOver(Box::new(handed_over))
}

/// Asks the model for its words, and counts what that used however it ends.
async fn ask(
    executor: &Executor,
    prompt: &Prompt,
    model: &ModelProfile,
    cancelled: Cancelled,
) -> Asked {
    let (tx, mut deltas) = mpsc::channel(64);
    let mut meter = Meter::new(Usage {
        input: prompt.estimate().0,
        ..Usage::default()
    });
    let client = executor.models.for_role(Role::Cheap, &model.name);
    let request = client.request_note(prompt, tx, cancelled.clone());
    let listen = async {
        while let Some(delta) = deltas.recv().await {
            meter.hear(&delta);
        }
    };
    let was_sent = !cancelled.is_cancelled();
    let both = async { tokio::join!(request, listen).0 };
    match tokio::time::timeout(TIME_MAX, both).await {
        Ok(Ok(response)) => heard(&response, meter, model),
        Ok(Err(failure)) => Asked {
            spent: meter.failed(failure.class, was_sent, model),
            problem: told(&failure),
            ..Asked::default()
        },
        Err(_) => Asked {
            spent: Some(meter.spent(model)),
            problem: format!("the model wrote no note within {} s", TIME_MAX.as_secs()),
            ..Asked::default()
        },
    }
}

fn heard(response: &ModelResponse, meter: Meter, model: &ModelProfile) -> Asked {
    let is_said = response.usage != Usage::default();
    let spent = if is_said {
        Spent {
            usage: response.usage,
            cost: model.cost(response.usage),
            estimated: false,
        }
    } else {
        meter.spent(model)
    };
    let text = response.text();
    let problem = if text.trim().is_empty() {
        "the model wrote no note".to_owned()
    } else {
        String::new()
    };
    Asked {
        text,
        problem,
        spent: Some(spent),
    }
}

fn told(failure: &ModelFailure) -> String {
    format!("the model wrote no note: {}", failure.message)
}

/// Makes the entry of the model's words and of what the log shows.
fn entry(executor: &Executor, setting: &Setting, reason: &str, said: &str) -> String {
    let store = &executor.workplace.store;
    let log = harness_store::read(store.log_path(setting.opened.session));
    let records = log.map_or_else(|_| Vec::new(), |log| log.records);
    let events: Vec<Event> = records.into_iter().map(|record| record.event).collect();
    let mut entry = Entry {
        parent: Some(setting.run.tip.clone()),
        ..Entry::default()
    };
    add_words(&mut entry, said);
    project::add_tried(&mut entry, &events);
    add_work(&mut entry, setting, &events);
    entry
        .next
        .push(plain(&format!("stopped by a limit: {reason}")));
    progress::entry(
        harness_host::clock::now(),
        setting.opened.session,
        &setting.opened.feature,
        Word::HandedOver,
        &entry,
    )
}

/// Puts each line of the model behind the label it asks for; a line without one is about what was done.
fn add_words(entry: &mut Entry, said: &str) {
    for line in said.lines() {
        let line = line.trim().trim_start_matches(['-', '*', ' ']);
        let (lines, rest) = match line.split_once(':') {
            Some((label, rest)) if label.eq_ignore_ascii_case("left") => (&mut entry.next, rest),
            Some((label, rest)) if label.eq_ignore_ascii_case("tried") => (&mut entry.tried, rest),
            Some((label, rest)) if label.eq_ignore_ascii_case("done") => (&mut entry.done, rest),
            _ => (&mut entry.done, line),
        };
        lines.push(plain(rest.trim()));
    }
}

/// Names what was changed, and where it is kept.
fn add_work(entry: &mut Entry, setting: &Setting, events: &[Event]) {
    let saved: Vec<&CheckpointSaved> = events
        .iter()
        .filter_map(|event| match event {
            Event::CheckpointSaved(saved) => Some(saved),
            _ => None,
        })
        .collect();
    let Some(last) = saved.last() else {
        return;
    };
    let paths = saved.iter().flat_map(|saved| &saved.changes);
    let mut paths: Vec<String> = paths.map(|change| change.path.to_text()).collect();
    paths.sort();
    paths.dedup();
    let more = match paths.len().saturating_sub(PATHS_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    paths.truncate(PATHS_MAX);
    entry.done.push(plain(&format!(
        "changed so far, unproven: {}{more}; kept in checkpoint {} of {}",
        paths.join(", "),
        last.number,
        setting.opened.session
    )));
}

/// Appends the entry to the progress log; a task has one only where a log is kept.
fn keep(executor: &Executor, setting: &Setting, entry: &str) -> Result<(), String> {
    let path = &setting.run.policy.progress_file;
    let cannot = |why: String| format!("cannot write `{path}`: {why}");
    let text = read(executor.performer.root(), path).map_err(cannot)?;
    if text.is_none() && matches!(setting.run.goal, Goal::Task { .. }) {
        return Ok(());
    }
    let text = progress::append(&text.unwrap_or_default(), entry);
    write_file(&executor.performer, path, text.as_bytes())
        .map_err(|error| cannot(super::chain(&error)))
}

/// Returns the beginning of a note, whole lines.
fn bounded(entry: &str) -> String {
    let end = entry.floor_char_boundary(NOTE_BYTES_MAX);
    if end == entry.len() {
        return entry.to_owned();
    }
    let end = entry[..end].rfind('\n').map_or(end, |line| line + 1);
    entry[..end].to_owned()
}
