//! Holds a log against the engine: the same facts must lead to the same decisions.
//!
//! What the engine wants to record after a fact has to be the next record. What only an effect can
//! bring about must have been asked for. Where a process was killed in between, the resume that
//! follows excuses it, and so does a person's word from outside.

use std::collections::BTreeSet;

use harness_core::{CallEnd, EndReason, Event};
use harness_engine::{Effect, Engine};
use harness_store::Record;
use serde_json::{Value, json};

use super::super::log::{Target, unreadable};
use crate::{
    cli::Common,
    failure::{Failure, RED},
    output::Output,
};

/// Members whose text is for people: other words for the same decision are no other decision.
const PROSE: [&str; 7] = [
    "text", "reason", "detail", "message", "summary", "note", "problem",
];
/// How many records may come between what a killed process left undone and the resume that takes it up.
const EXCUSED_AFTER: u64 = 64;

pub(super) fn run(common: &Common, target: &Target) -> Result<u8, Failure> {
    let mut check = Check::default();
    let found = harness_store::fold(&target.path, |record| check.take(&record));
    let found = found.map_err(|error| unreadable(target, &error))?;
    if let Some(problem) = found.problem {
        let name = target.name.replace('`', "");
        let message = format!(
            "{name} cannot be folded: line {} {}",
            problem.line, problem.what
        );
        return Err(Failure::red(message).hint(format!("harness log verify {name}")));
    }
    let mismatch = check.mismatch.or(check.suspect);
    let reworded = check.reworded.len();
    let text = match &mismatch {
        Some(mismatch) => format!("note: {} differs: {}", target.name, mismatch.text),
        None => format!(
            "note: {} leads to what it records, {} records{}",
            target.name,
            found.records,
            match reworded {
                0 => String::new(),
                count => format!(", {count} of them in other words"),
            }
        ),
    };
    let body = json!({ "log": target.name.replace('`', ""), "records": found.records, "reworded": check.reworded,
        "record": mismatch.as_ref().map(|mismatch| mismatch.seq),
        "problem": mismatch.as_ref().map(|mismatch| &mismatch.text),
        "end": check.engine.as_ref().and_then(Engine::end).map(|end| end.to_string()) });
    Output::new(common).entry("replay_checked", &text, body)?;
    Ok(if mismatch.is_some() { RED } else { 0 })
}

/// A record that does not follow from those before it.
#[derive(Clone, Debug)]
struct Mismatch {
    seq: u64,
    text: String,
}

/// The engine, given one record after the other.
#[derive(Default)]
struct Check {
    engine: Option<Engine>,
    /// What the engine wants to record next.
    expected: Option<Event>,
    /// What was asked for, in words.
    asked: BTreeSet<String>,
    reworded: Vec<u64>,
    /// What a resume may still excuse.
    suspect: Option<Mismatch>,
    mismatch: Option<Mismatch>,
}

impl Check {
    fn take(&mut self, record: &Record) {
        if self.mismatch.is_some() {
            return;
        }
        if let Some(suspect) = &self.suspect
            && record.seq > suspect.seq + EXCUSED_AFTER
        {
            self.mismatch = self.suspect.take();
            return;
        }
        let event = &record.event;
        if matches!(event, Event::SessionResumed { .. }) {
            (self.suspect, self.expected) = (None, None);
        }
        if let Some(text) = self.problem(event, record.seq) {
            let seq = record.seq;
            let text = format!("record {seq}, `{}`: {text}", kind(event));
            self.suspect.get_or_insert(Mismatch { seq, text });
        }
        let effects = match (&mut self.engine, event) {
            (Some(engine), event) => engine.refold(event, record.time),
            (None, Event::SessionOpened(opened)) => {
                let mut engine = Engine::new(opened.run.clone(), record.time);
                let effects = engine.handle(event, record.time);
                self.engine = Some(engine);
                effects
            }
            (None, _) => Vec::new(),
        };
        self.expected = None;
        for effect in effects {
            match effect {
                Effect::Record(event) => self.expected = Some(event),
                effect => self.asked.extend(asked_by(&effect)),
            }
        }
    }

    /// Says why an event does not follow; `None` when it does.
    fn problem(&mut self, event: &Event, seq: u64) -> Option<String> {
        if self.engine.is_none() {
            let is_opening = matches!(event, Event::SessionOpened(_));
            return (!is_opening).then(|| "a log begins with `session_opened`".to_owned());
        }
        if is_from_outside(event) {
            return None;
        }
        if let Some(expected) = self.expected.take() {
            return match difference(&expected, event) {
                None => None,
                Some(Difference::Words) => {
                    self.reworded.push(seq);
                    None
                }
                Some(Difference::Kind) => {
                    Some(format!("the engine records `{}` here", kind(&expected)))
                }
                Some(Difference::Member(path)) => {
                    Some(format!("the engine records another `{path}` here"))
                }
            };
        }
        let needed = needs(event)?;
        (!self.asked.contains(&needed)).then(|| format!("nothing asked for it: {needed}"))
    }
}

/// Whether a person or another command can bring an event about at any time.
fn is_from_outside(event: &Event) -> bool {
    matches!(
        event,
        Event::SessionResumed { .. }
            | Event::RewindAsked { .. }
            | Event::RunEnded {
                reason: EndReason::Aborted,
                ..
            }
    )
}

/// Names what an effect can bring about.
fn asked_by(effect: &Effect) -> Option<String> {
    Some(match effect {
        Effect::RequestModel { turn, .. } => format!("answer of turn {}", turn.0),
        Effect::Perform { call, .. }
        | Effect::PerformApproved { call, .. }
        | Effect::TendJob { call, .. } => format!("end of call {call}"),
        Effect::SaveCheckpoint { number } => format!("checkpoint {number}"),
        Effect::FreezeCandidate => "a candidate".to_owned(),
        Effect::RunGate(run) => format!("gate {}", run.gate.name),
        Effect::CommitFeature(commit) => format!("commit of {}", commit.feature.id),
        _ => return None,
    })
}

/// Names what must have been asked for before an event.
fn needs(event: &Event) -> Option<String> {
    Some(match event {
        Event::ModelResponded(responded) => format!("answer of turn {}", responded.turn.0),
        Event::CallEnded {
            call,
            end: CallEnd::Done { .. },
            ..
        } => format!("end of call {call}"),
        Event::CheckpointSaved(saved) => format!("checkpoint {}", saved.number),
        Event::CandidateFrozen(_) => "a candidate".to_owned(),
        Event::CheckEnded { report } => format!("gate {}", report.gate),
        Event::FeaturePassed(passed) => format!("commit of {}", passed.feature),
        _ => return None,
    })
}

enum Difference {
    Kind,
    Member(String),
    Words,
}

/// Compares what was expected with what is recorded, secrets taken out of both.
fn difference(expected: &Event, recorded: &Event) -> Option<Difference> {
    if expected == recorded {
        return None;
    }
    let value = |event: &Event| serde_json::to_value(event).unwrap_or_default();
    let (expected, recorded) = (value(expected), value(recorded));
    if expected["type"] != recorded["type"] {
        return Some(Difference::Kind);
    }
    let mut paths = Vec::new();
    differing(&expected, &recorded, "", &mut paths);
    // The dispatcher gives a question its id.
    paths.retain(|(path, _)| !(path == "id" && expected["type"] == "question_asked"));
    match paths.iter().find(|(_, is_prose)| !is_prose) {
        Some((path, _)) => Some(Difference::Member(path.clone())),
        None => (!paths.is_empty()).then_some(Difference::Words),
    }
}

fn differing(one: &Value, other: &Value, path: &str, found: &mut Vec<(String, bool)>) {
    let under = |key: &str| match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let null = Value::Null;
                let (one, other) = (one.get(key), other.get(key));
                let (one, other) = (one.unwrap_or(&null), other.unwrap_or(&null));
                differing(one, other, &under(key), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                differing(one, other, &under(&at.to_string()), found);
            }
        }
        (Value::String(one), Value::String(other)) => {
            if one != other && harness_guard::redact(one) != harness_guard::redact(other) {
                let name = path.rsplit('.').next().unwrap_or_default();
                found.push((path.to_owned(), PROSE.contains(&name)));
            }
        }
        (one, other) if one == other => {}
        _ => found.push((path.to_owned(), false)),
    }
}

fn kind(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap_or_default();
    value["type"].as_str().unwrap_or("event").to_owned()
}
