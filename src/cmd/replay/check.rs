//! Holds a log against the engine: the same facts must lead to the same decisions.
//!
//! Proven is that each line follows the one before it; that what the engine records after a fact is
//! the next record, and reads the same to a person; that what only an effect can bring about was
//! asked for, and came once; and that the next session of the run began with the state in which this
//! log, folded, leaves the run. Where a process was killed in between, the resume that follows
//! excuses it, and so does a person's word from outside.

mod asked;
mod differ;

use std::collections::BTreeSet;

use harness_core::{EndReason, Event, FeatureId, RunState, SessionOpened};
use harness_engine::{Effect, Engine};
use harness_report::Lines;
use harness_store::Record;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use self::{
    asked::{asked_by, ended_by, needs},
    differ::{Difference, difference, differing_state, kind},
};
use super::super::{
    log::{Target, unreadable},
    runs,
};
use crate::{
    failure::{Failure, RED},
    output::Output,
};

/// How many records may come between what a killed process left undone and the resume that takes it up.
const EXCUSED_AFTER: u64 = 64;

pub(super) fn run(output: &mut Output, target: &Target) -> Result<u8, Failure> {
    let mut check = Check::default();
    let found = harness_store::fold(&target.path, |record| check.take(&record));
    let found = found.map_err(|error| unreadable(target, &error))?;
    let name = target.name.replace('`', "");
    if let Some(problem) = found.problem {
        let message = format!(
            "{name} cannot be folded: line {} {}",
            problem.line, problem.what
        );
        return Err(Failure::red(message).hint(format!("harness log verify {name}")));
    }
    let next = check.next_session(target)?;
    let after = next.as_ref().and_then(|next| check.hold_against(next));
    let mismatch = check.mismatch.take().or(check.suspect.take()).or(after);
    let text = match &mismatch {
        Some(mismatch) => format!("note: {} differs: {}", target.name, mismatch.text),
        None => check.told(target, found.records, next.as_ref()),
    };
    let state = check.engine.as_ref().map(|engine| digest(&engine.run()));
    let body = json!({ "log": name, "records": found.records, "head": found.head.hash.to_string(),
        "decisions": check.decisions, "lines": check.lines, "reworded": check.reworded,
        "next_session": next.map(|next| next.session.to_string()), "state": state,
        "record": mismatch.as_ref().map(|mismatch| mismatch.seq),
        "problem": mismatch.as_ref().map(|mismatch| &mismatch.text),
        "pending": check.expected.as_ref().map(kind),
        "end": check.engine.as_ref().and_then(Engine::end).map(|end| end.to_string()) });
    output.entry("replay_checked", &text, body)?;
    if mismatch.is_some() {
        crate::output::say(
            "hint: a log whose lines hold and that leads elsewhere was written by another version of harness, or shows a bug of this one",
        );
        return Ok(RED);
    }
    Ok(0)
}

/// Returns a digest of a run's state: the same wherever the same log is folded.
fn digest(run: &RunState) -> String {
    let state = serde_json::to_vec(run).unwrap_or_default();
    let digest = Sha256::digest(state);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
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
    /// What was asked for and has not come, in words.
    asked: BTreeSet<String>,
    /// What the next session is to begin with.
    opening: Option<(RunState, FeatureId)>,
    /// How many records the engine has decided again.
    decisions: u64,
    /// The lines of a person's screen, as the log tells them and as the engine decides.
    told: (Lines, Lines),
    lines: u64,
    /// Records that say the same in other words.
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
        let decided = self.expected.clone();
        if let Some(text) = self.problem(event) {
            let seq = record.seq;
            let text = format!("record {seq}, `{}`: {text}", kind(event));
            self.suspect.get_or_insert(Mismatch { seq, text });
        }
        self.read_out(record, decided.as_ref());
        if let Some(ended) = ended_by(event) {
            self.asked.remove(&ended);
        }
        self.expected = None;
        for effect in self.follow(record) {
            match effect {
                Effect::Record(event) => self.expected = Some(event),
                Effect::OpenSession(open) => self.opening = Some((open.run, open.feature.id)),
                effect => self.asked.extend(asked_by(&effect)),
            }
        }
    }

    /// Gives a record to the engine.
    fn follow(&mut self, record: &Record) -> Vec<Effect> {
        match (&mut self.engine, &record.event) {
            (Some(engine), event) => engine.refold(event, record.time),
            (None, Event::SessionOpened(opened)) => {
                let engine = Engine::new(opened.run.clone(), record.time);
                self.engine
                    .insert(engine)
                    .handle(&record.event, record.time)
            }
            (None, _) => Vec::new(),
        }
    }

    /// Says why an event does not follow; `None` when it does.
    fn problem(&mut self, event: &Event) -> Option<String> {
        if self.engine.is_none() {
            let is_opening = matches!(event, Event::SessionOpened(_));
            return (!is_opening).then(|| "a log begins with `session_opened`".to_owned());
        }
        if is_from_outside(event) {
            return None;
        }
        if let Some(expected) = self.expected.take() {
            let problem = match difference(&expected, event) {
                None | Some(Difference::Words) => None,
                Some(Difference::Kind) => {
                    Some(format!("the engine records `{}` here", kind(&expected)))
                }
                Some(Difference::Member(path)) => {
                    Some(format!("the engine records another `{path}` here"))
                }
            };
            self.decisions += u64::from(problem.is_none());
            return problem;
        }
        let needed = needs(event)?;
        (!self.asked.contains(&needed)).then(|| format!("nothing asked for it: {needed}"))
    }

    /// Tells a record as a screen does, from the log and from what the engine decides.
    fn read_out(&mut self, record: &Record, decided: Option<&Event>) {
        let (of_log, of_engine) = &mut self.told;
        of_log.at(record.time);
        of_engine.at(record.time);
        let decided = decided.filter(|decided| kind(decided) == kind(&record.event));
        let told = of_log.write(&record.event);
        if told != of_engine.write(decided.unwrap_or(&record.event)) {
            self.reworded.push(record.seq);
        }
        self.lines += told.lines().count() as u64;
    }

    /// Finds how the run went on; `None` for its last session, and for a file that stands for itself.
    fn next_session(&self, target: &Target) -> Result<Option<SessionOpened>, Failure> {
        let (Some(store), Some(engine)) = (&target.store, &self.engine) else {
            return Ok(None);
        };
        let Some(opened) = engine.opened() else {
            return Ok(None);
        };
        let later = runs::sessions_of(store, opened.run.run)?;
        for session in later.into_iter().filter(|next| *next > opened.session) {
            if let Some(next) = runs::began(store, session)? {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    /// Compares the state that the log leaves with the one that the next session began with.
    fn hold_against(&self, next: &SessionOpened) -> Option<Mismatch> {
        let seq = 1;
        let Some((run, feature)) = &self.opening else {
            let text = format!("{} began, and the log asks for no session", next.session);
            return Some(Mismatch { seq, text });
        };
        let text = if *feature != next.feature {
            format!("{} took up {}, not {feature}", next.session, next.feature)
        } else {
            let path = differing_state(run, &next.run)?;
            format!(
                "{} began with another `run.{path}` than this log leaves",
                next.session
            )
        };
        Some(Mismatch { seq, text })
    }

    /// Words what was proven.
    fn told(&self, target: &Target, records: u64, next: Option<&SessionOpened>) -> String {
        let mut text = format!(
            "note: {} leads to what it records: {records} records in one chain, {} of them decided again, {} lines told as they were",
            target.name, self.decisions, self.lines
        );
        if !self.reworded.is_empty() {
            text.push_str(&format!(", {} in other words", self.reworded.len()));
        }
        if let Some(next) = next {
            text.push_str(&format!(
                "; {} began with the state it leaves",
                next.session
            ));
        }
        if let Some(expected) = &self.expected {
            text.push_str(&format!("; it was cut short before `{}`", kind(expected)));
        }
        text
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
