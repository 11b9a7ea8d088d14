//! `harness answer`: lists the questions that wait for a person, and answers one.
//!
//! The answer is kept beside the runs. A run that is at work and waits takes it within a moment;
//! else `harness resume` and `harness run` take it up. Nothing is begun here.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use harness_core::{Event, Feature, FeatureId, QuestionId, SessionId};
use harness_report::{Reply, choices, clean_line, reply};
use harness_store::{
    ANSWER_BYTES_MAX, KeptAnswer, KeptQuestion, QuestionError, QuestionState, Store,
};
use serde_json::{Value, json};

use super::{moved, runs};
use crate::{
    cli::{Answer, Common, RunOptions},
    compose::Site,
    failure::Failure,
    files,
    output::{Output, say},
    questions::{self, failed},
    session,
};

/// What is shown of a question where several are listed. Unit: characters.
const SHORT: usize = 160;
/// The longest name of whoever answers. Unit: characters.
const NAME_CHARS: usize = 60;

pub(super) fn run(common: &Common, flags: &Answer) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let desk = Desk::open(&site)?;
    let (named, words) = named(&flags.words)?;
    let text = match (&flags.file, words) {
        (Some(_), Some(_)) => {
            return Err(
                Failure::usage("an answer is given as words or as a file, not as both")
                    .hint("harness answer Q-0001 --file FILE"),
            );
        }
        (Some(path), None) => Some(read(path)?),
        (None, words) => words.map(ToOwned::to_owned),
    };
    let Some(text) = text else {
        return desk.show(common, named, flags.feature.as_deref());
    };
    let store = desk.store.as_ref().ok_or_else(nothing_waits)?;
    let kept = desk.choose(store, named, flags.feature.as_deref())?;
    let text = answer(&kept, &text)?;
    let given = KeptAnswer {
        text,
        by: name(),
        at: harness_host::clock::now(),
    };
    store
        .answer_question(kept.id, given.clone())
        .map_err(|error| match error {
            QuestionError::Unknown { .. }
            | QuestionError::Answered { .. }
            | QuestionError::Closed { .. } => failed(&error).hint("harness answer"),
            error => failed(&error),
        })?;
    let (heard, way) = desk.way_on(store, &kept)?;
    let line = format!(
        "answer: kept for {} of {}: {}",
        kept.id,
        kept.asked.feature,
        clean_line(&given.text, SHORT)
    );
    let body = json!({ "id": kept.id.to_string(), "feature": kept.asked.feature.to_string(),
        "run": kept.asked.run.to_string(), "answer": given.text, "by": given.by, "at": given.at.to_string(),
        "heard": heard });
    Output::new(common).entry("question_answered", &line, body)?;
    if !common.json {
        say(&way);
    }
    Ok(0)
}

/// What the command looks at.
struct Desk<'a> {
    site: &'a Site,
    store: Option<Store>,
    features: Vec<Feature>,
}

impl<'a> Desk<'a> {
    fn open(site: &'a Site) -> Result<Self, Failure> {
        let resolved = site.resolve(&RunOptions::default())?;
        let store = site.existing_store()?;
        if let Some(store) = &store {
            // A broken file is mended before anybody looks for one by its name.
            questions::read(store, &say)?;
        }
        Ok(Self {
            site,
            store,
            features: site.features(&resolved.policy.feature_file)?,
        })
    }

    /// Returns the questions that wait, oldest first.
    fn waiting(&self) -> Result<Vec<KeptQuestion>, Failure> {
        let Some(store) = &self.store else {
            return Ok(Vec::new());
        };
        let mut waiting = Vec::new();
        for kept in questions::in_reach(self.site, store, &|_| {})? {
            if questions::settled(&kept, &self.features, store)?.is_none() {
                waiting.push(kept);
            }
        }
        Ok(waiting)
    }

    /// Lists what waits, or shows one question whole.
    fn show(
        &self,
        common: &Common,
        named: Option<QuestionId>,
        feature: Option<&str>,
    ) -> Result<u8, Failure> {
        let mut output = Output::new(common);
        if let Some(id) = named {
            let store = self.store.as_ref().ok_or_else(nothing_waits)?;
            let kept = store.question(id).map_err(|error| failed(&error))?;
            let kept = kept.ok_or_else(|| unknown(id))?;
            let text = format!("{}\n{}", head(&kept), indented(&kept.asked.text));
            output.entry("question", &text, body(&kept))?;
            return Ok(0);
        }
        let mut waiting = self.waiting()?;
        waiting.retain(|kept| feature.is_none_or(|id| kept.asked.feature.as_str() == id));
        for kept in &waiting {
            let text = format!("{}: {}", head(kept), clean_line(&kept.asked.text, SHORT));
            let choices = choices(&kept.asked.text);
            let choices = (1..)
                .zip(&choices)
                .map(|(at, choice)| format!("\n  {at} {choice}"));
            let text = text + &choices.collect::<String>();
            output.entry("question", &text, body(kept))?;
        }
        match waiting.as_slice() {
            [] => output.text("question: none waits for an answer")?,
            _ if common.json => {}
            [one] => say(&format!("hint: harness answer \"TEXT\" answers {}", one.id)),
            [first, ..] => say(&format!("hint: harness answer {} \"TEXT\"", first.id)),
        }
        Ok(0)
    }

    /// Finds the question that is meant; it must wait.
    fn choose(
        &self,
        store: &Store,
        named: Option<QuestionId>,
        feature: Option<&str>,
    ) -> Result<KeptQuestion, Failure> {
        if let Some(id) = named {
            let kept = store.question(id).map_err(|error| failed(&error))?;
            let kept = kept.ok_or_else(|| unknown(id))?;
            if !questions::is_in_reach(self.site, store, &kept) {
                let message = format!(
                    "question `{id}` belongs to the work tree at `{}`",
                    kept.asked.root
                );
                return Err(Failure::usage(message).hint(format!("cd {}", kept.asked.root)));
            }
            if let Some(feature) = feature.filter(|id| *id != kept.asked.feature.as_str()) {
                let message = format!(
                    "question `{id}` is about {}, not about {feature}",
                    kept.asked.feature
                );
                return Err(Failure::usage(message).hint("harness answer"));
            }
            return match questions::settled(&kept, &self.features, store)? {
                Some(why) => Err(Failure::usage(format!(
                    "nothing waits for an answer to `{id}`: {why}"
                ))
                .hint("harness answer")),
                None => Ok(kept),
            };
        }
        let mut waiting = self.waiting()?;
        waiting.retain(|kept| feature.is_none_or(|id| kept.asked.feature.as_str() == id));
        match (waiting.len(), waiting.pop()) {
            (1, Some(kept)) => Ok(kept),
            (0, _) => Err(match feature {
                Some(id) => Failure::usage(format!("no question about `{id}` waits for an answer"))
                    .hint("harness answer"),
                None => nothing_waits(),
            }),
            (count, last) => {
                let id = last.map(|kept| kept.id.to_string()).unwrap_or_default();
                Err(
                    Failure::usage(format!("{count} questions wait: say which one is meant")).hint(
                        format!("`harness answer` lists them; harness answer {id} \"TEXT\""),
                    ),
                )
            }
        }
    }

    /// Says who hears the answer, and how to go on.
    fn way_on(
        &self,
        store: &Store,
        kept: &KeptQuestion,
    ) -> Result<(&'static str, String), Failure> {
        let last = runs::sessions_of(store, kept.asked.run)?.pop();
        // A run in a work tree of its own: only itself goes on with its answers.
        let is_here = questions::is_here(self.site, store, kept);
        let mut linked = moved::linked(self.site).into_iter();
        let linked = linked.find(|linked| moved::is_of(store, linked, &kept.asked.root));
        let there = match linked.filter(|_| !is_here) {
            Some(linked) => Some(moved::ready(self.site, &linked)?.root),
            None => (!is_here).then(|| PathBuf::from(&kept.asked.root)),
        };
        let there = there.map(|root| Site::open_at(&root));
        let there = there.transpose()?;
        let site = there.as_ref().unwrap_or(self.site);
        // A task, or the goal of a plan, is in no list that a new run could take it from.
        let mut features = self.features.iter();
        let is_listed = is_here && features.any(|feature| feature.id == kept.asked.feature);
        let resume = |last| resume(last, is_listed);
        if session::lock(site, store).is_err() {
            let latest = runs::latest_session(site, store)?;
            return Ok(
                if latest.is_some() && latest == last && !has_ended(store, latest) {
                    (
                        "now",
                        "note: the run is at work and takes the answer in a moment".to_owned(),
                    )
                } else {
                    (
                        "later",
                        format!("note: another run is at work; {}", resume(last)),
                    )
                },
            );
        }
        Ok(("later", format!("hint: {}", resume(last))))
    }
}

fn resume(last: Option<SessionId>, is_listed: bool) -> String {
    let session = last.map_or_else(|| "--last".to_owned(), |session| session.to_string());
    let new = if is_listed {
        "; so does a new `harness run`"
    } else {
        ""
    };
    format!("`harness resume {session}` goes on with the answer{new}")
}

fn has_ended(store: &Store, session: Option<SessionId>) -> bool {
    let log = session.and_then(|session| harness_store::read(store.log_path(session)).ok());
    let records = log.map(|log| log.records).unwrap_or_default();
    let last = records.last().map(|record| &record.event);
    matches!(last, Some(Event::RunEnded { .. }))
}

/// Takes the words of the command line apart: the name of a question, and the answer.
fn named(words: &[String]) -> Result<(Option<QuestionId>, Option<&str>), Failure> {
    let id = |word: &String| word.parse::<QuestionId>().ok();
    match words {
        [] => Ok((None, None)),
        [one] => Ok(match id(one) {
            Some(id) => (Some(id), None),
            None => (None, Some(one)),
        }),
        [first, text] => {
            let id = first
                .parse()
                .map_err(|error: harness_core::IdError| Failure::usage(error.to_string()));
            let id = id.map_err(|failure| failure.hint("put the whole answer into quotes"))?;
            Ok((Some(id), Some(text)))
        }
        _ => Err(Failure::usage("an answer is one text").hint("put the whole answer into quotes")),
    }
}

/// Reads an answer from a file, or from standard input for `-`.
fn read(path: &Path) -> Result<String, Failure> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let input = io::stdin().lock();
        let read = input.take(ANSWER_BYTES_MAX.0 + 1).read_to_end(&mut bytes);
        read.map_err(|error| Failure::failed(format!("cannot read standard input: {error}")))?;
        bytes
    } else {
        files::read_own(path, ANSWER_BYTES_MAX)?.ok_or_else(|| {
            Failure::usage(format!(
                "cannot read `{}`: there is no such file",
                path.display()
            ))
        })?
    };
    String::from_utf8(bytes).map_err(|_| Failure::usage("cannot take the answer: it is no UTF-8"))
}

/// Makes the answer that is kept of what was given.
fn answer(kept: &KeptQuestion, text: &str) -> Result<String, Failure> {
    let refused = |why: String| Failure::usage(format!("cannot take the answer: {why}"));
    if text.trim().is_empty() {
        return Err(
            refused("it is empty".to_owned()).hint(format!("harness answer {} \"TEXT\"", kept.id))
        );
    }
    if text.len() as u64 > ANSWER_BYTES_MAX.0 {
        return Err(refused(format!("it is longer than {ANSWER_BYTES_MAX}"))
            .hint("put it into a file of the repository and name that"));
    }
    if harness_runner::redact_for_log(text).is_some() {
        return Err(refused(
            "it holds what looks like a key, and would be written to disk".to_owned(),
        )
        .hint("name the variable or the file that has it instead"));
    }
    match reply(&kept.asked.text, text) {
        Reply::Answer(answer) => Ok(answer),
        Reply::Later => Err(refused(
            "`later` leaves the question as it is: it waits already".to_owned(),
        )),
    }
}

/// Returns the person's name on this machine.
fn name() -> String {
    let named = ["USER", "LOGNAME"]
        .iter()
        .find_map(|variable| std::env::var(variable).ok());
    let name = clean_line(named.unwrap_or_default().trim(), NAME_CHARS);
    if name.is_empty() {
        "a person".to_owned()
    } else {
        name
    }
}

fn head(kept: &KeptQuestion) -> String {
    format!(
        "question: {}, {} in {}, {}",
        kept.id, kept.asked.feature, kept.asked.session, kept.asked.at
    )
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("  {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn body(kept: &KeptQuestion) -> Value {
    let (state, answer) = match &kept.state {
        QuestionState::Open => ("open", None),
        QuestionState::Answered(answer) => ("answered", Some(answer)),
        QuestionState::Closed => ("closed", None),
    };
    let feature: &FeatureId = &kept.asked.feature;
    json!({ "id": kept.id.to_string(), "feature": feature.to_string(), "run": kept.asked.run.to_string(),
        "asked_in": kept.asked.session.to_string(), "asked_at": kept.asked.at.to_string(),
        "question": kept.asked.text, "choices": choices(&kept.asked.text), "state": state,
        "answer": answer.map(|answer| &answer.text), "by": answer.map(|answer| &answer.by),
        "command": format!("harness answer {} TEXT", kept.id) })
}

fn unknown(id: QuestionId) -> Failure {
    Failure::usage(format!("there is no question `{id}`")).hint("harness answer")
}

fn nothing_waits() -> Failure {
    Failure::usage("no question waits for an answer").hint("harness status")
}
