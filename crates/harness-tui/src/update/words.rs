//! What a person writes: a task, an answer, words for the next turn, or a command after `/`.

use std::sync::Arc;

use harness_core::{SessionId, Urgency};

use harness_report::{Reply, reply};

use crate::{
    app::{App, Phase},
    command::Command,
    input::{Known, Request, Start},
    offer::Offered,
    text::Role,
};

use super::{keys, rewind, run};

/// Commands that can be typed, with what is expected behind them and what they do.
#[rustfmt::skip]
const TYPED: [(&str, Typed, &str); 22] = [
    ("now", Typed::Now, "TEXT: interrupt the running turn with the text"),
    ("run", Typed::Run, "work on all features, or on a feature or task that is named"),
    ("plan", Typed::Plan, "GOAL: have features proposed for a goal"),
    ("back", Typed::Back, "take back the last text that waits, or the one of a number"),
    ("gates", Typed::Command(Command::LetGatesDecide), "let the gates decide whether the feature is done"),
    ("later", Typed::Command(Command::PutOff), "leave the agent's question for later"),
    ("rewind", Typed::Rewind, "TURN talk|files|both: go back to before a turn's answer"),
    ("resume", Typed::Command(Command::Resume), "go on with the last session"),
    ("land", Typed::Command(Command::Land), "bring the proven features to your branch"),
    ("stop", Typed::Stop, "stop the agent after the step in hand"),
    ("copy", Typed::Command(Command::CopyAnswer), "copy the agent's last answer to the clipboard"),
    ("read", Typed::Command(Command::ReadAll), "read everything in $PAGER"),
    ("shell", Typed::Command(Command::Shell), "open your own shell; nothing guards it"),
    ("session", Typed::Command(Command::ShowSession), "show what is said and done"),
    ("review", Typed::Command(Command::ShowReview), "show the changes to review"),
    ("features", Typed::Command(Command::ShowFeatures), "show the features"),
    ("checks", Typed::Command(Command::ShowGates), "show the gates and how they came out"),
    ("checkpoints", Typed::Command(Command::ShowCheckpoints), "show what was saved"),
    ("sessions", Typed::Command(Command::ShowSessions), "show earlier sessions"),
    ("help", Typed::Command(Command::Help), "show the keys as they are bound now"),
    ("quit", Typed::Command(Command::Quit), "quit; a run at work is stopped in order first"),
    ("exit", Typed::Command(Command::Quit), "quit, as /quit does"),
];

/// What is said to who gives no goal.
const PLAN_USAGE: &str =
    "`/plan GOAL` has features proposed for the goal; nothing is written before you take them";

#[derive(Clone, Copy)]
enum Typed {
    Command(Command),
    Now,
    Run,
    Plan,
    Back,
    Rewind,
    Stop,
}

/// Sends the text on its way: where it goes depends on what is going on.
pub(super) fn send(app: &mut App) -> Vec<Request> {
    let text = app.composer.text();
    if text.trim().is_empty() {
        return empty(app);
    }
    match typed_command(&text) {
        Some(command) if app.asked.is_none() || command.is_beside_a_question() => {
            return perform_typed(app, command);
        }
        _ => {}
    }
    app.composer.take();
    if app.asked.is_some() {
        return vec![Request::Steer(match reply(&app.question, &text) {
            Reply::Later => harness_core::Request::PutOff,
            // What was typed stays as it is, but for the number of a choice.
            Reply::Answer(answer) if answer != text.trim() => {
                harness_core::Request::Answer { text: answer }
            }
            Reply::Answer(_) => harness_core::Request::Answer { text },
        })];
    }
    if app.is_busy() {
        return say(app, text, Urgency::NextTurn);
    }
    match app.resumable {
        Some(_) => resume(app, text),
        None => begin(app, text.clone(), Start::Goal(text)),
    }
}

/// Begins something with a person's words, which come back if it does not open.
fn begin(app: &mut App, words: String, start: Start) -> Vec<Request> {
    app.sent = words;
    vec![Request::Start(start)]
}

/// Gives the words back that something was to begin with: it did not open.
pub(super) fn give_back(app: &mut App) {
    let sent = std::mem::take(&mut app.sent);
    let held = std::mem::take(&mut app.held);
    let words = [sent].into_iter().chain(held).chain([app.composer.text()]);
    let words: Vec<String> = words.filter(|words| !words.trim().is_empty()).collect();
    app.composer.set(&words.join("\n"));
}

/// Sends the text into the running turn.
pub(super) fn send_now(app: &mut App) -> Vec<Request> {
    if app.composer.text().trim().is_empty() {
        return empty(app);
    }
    if app.asked.is_some() {
        return send(app);
    }
    let text = app.composer.take();
    say(app, text, Urgency::Now)
}

/// Puts the beginning of the command into the composer: the goal is the person's to type.
pub(super) fn begin_plan(app: &mut App) {
    if app.composer.is_empty() {
        app.composer.set("/plan ");
    }
    app.tell(Role::Needed, PLAN_USAGE);
}

pub(super) fn resume(app: &mut App, text: String) -> Vec<Request> {
    let Some(session) = app.resumable else {
        return Vec::new();
    };
    resume_one(app, session, text)
}

/// Goes on with a session, which is shown as far as it is not.
pub(super) fn resume_one(app: &mut App, session: SessionId, text: String) -> Vec<Request> {
    let known = if app.work.session == Some(session) {
        Known::Shown
    } else {
        Known::New
    };
    let start = Start::Resume {
        session,
        text: text.clone(),
        known,
    };
    begin(app, text, start)
}

/// Takes the last waiting words back into the composer.
pub(super) fn take_back(app: &mut App) -> Vec<Request> {
    let last = (0..app.waiting.len()).rev();
    match last.into_iter().find(|at| is_takable(app, *at)) {
        Some(at) => take_back_at(app, at),
        None => Vec::new(),
    }
}

/// Whether it was not asked back already; the log says so a moment later.
fn is_takable(app: &App, at: usize) -> bool {
    let same = |texts: &[String]| {
        texts
            .iter()
            .filter(|text| **text == app.waiting[at])
            .count()
    };
    same(&app.waiting) > same(&app.taking)
}

/// Puts the words before what is being written: neither is lost.
fn take_back_at(app: &mut App, at: usize) -> Vec<Request> {
    let text = app.waiting[at].clone();
    let written = app.composer.text();
    let both = match written.trim().is_empty() {
        true => text.clone(),
        false => format!("{text}\n{written}"),
    };
    app.composer.set(&both);
    app.taking.push(text.clone());
    vec![Request::Steer(harness_core::Request::TakeBack { text })]
}

/// Takes back the words of a number, as they are listed; without one the last.
fn take_back_typed(app: &mut App, number: &str) -> Vec<Request> {
    if let Some(reason) = app.obstacle(Command::TakeBack) {
        return refuse(app, reason);
    }
    let count = app.waiting.len();
    let at = match number {
        "" => Some(count - 1),
        number => number
            .parse::<usize>()
            .ok()
            .and_then(|at| at.checked_sub(1)),
    };
    match at.filter(|at| *at < count && is_takable(app, *at)) {
        Some(at) => {
            app.composer.take();
            take_back_at(app, at)
        }
        None => refuse(
            app,
            &format!("`/back N` takes back one of the {count} texts that wait"),
        ),
    }
}

/// Returns the commands that are offered after a `/`.
pub(super) fn offered() -> Arc<[Offered]> {
    let offered = TYPED.iter().map(|(name, _, help)| Offered {
        text: (*name).to_owned(),
        help: (*help).to_owned(),
    });
    offered.collect()
}

fn empty(app: &mut App) -> Vec<Request> {
    if app.asked.is_some() {
        app.tell(Role::Needed, "the agent waits for an answer: type it first");
    }
    Vec::new()
}

/// Says something to the agent; while a session opens or ends, the words are held for it.
fn say(app: &mut App, text: String, urgency: Urgency) -> Vec<Request> {
    if app.setup.origin.is_recorded() {
        app.tell(
            Role::Needed,
            "a recorded model plays: it cannot hear you; watch, or Ctrl+D quits",
        );
        return Vec::new();
    }
    let is_over = app.work.session.is_none() || app.work.end.is_some();
    if app.phase == Phase::Opening || is_over {
        app.held.push(text);
        return Vec::new();
    }
    vec![Request::Steer(harness_core::Request::Say { text, urgency })]
}

/// Says what was held to the session that has opened.
pub(super) fn release(app: &mut App) -> Vec<Request> {
    let say = |text| {
        Request::Steer(harness_core::Request::Say {
            text,
            urgency: Urgency::NextTurn,
        })
    };
    app.held.drain(..).map(say).collect()
}

/// Goes on with what was held, now that nothing runs any more.
pub(super) fn go_on(app: &mut App) -> Vec<Request> {
    let text = std::mem::take(&mut app.held).join("\n");
    match app.resumable {
        _ if text.is_empty() => Vec::new(),
        Some(_) => resume(app, text),
        None => begin(app, text.clone(), Start::Goal(text)),
    }
}

enum Line {
    Known(Typed, String),
    Unknown(String),
}

impl Line {
    /// Whether it is meant as a command although a question is open, which any other text answers.
    const fn is_beside_a_question(&self) -> bool {
        matches!(
            self,
            Self::Known(
                Typed::Rewind | Typed::Stop | Typed::Command(Command::PutOff),
                _
            )
        )
    }
}

/// Reads a line that begins with one slash and a word; a path is no such word.
fn typed_command(text: &str) -> Option<Line> {
    let line = text.trim().strip_prefix('/')?;
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let is_word = !word.is_empty() && word.chars().all(|char| char.is_ascii_lowercase());
    if !is_word {
        return None;
    }
    let known = TYPED.iter().find(|(name, ..)| *name == word);
    Some(match known {
        Some((_, typed, _)) => Line::Known(*typed, rest.trim().to_owned()),
        None => Line::Unknown(word.to_owned()),
    })
}

fn perform_typed(app: &mut App, line: Line) -> Vec<Request> {
    let (typed, rest) = match line {
        Line::Known(typed, rest) => (typed, rest),
        Line::Unknown(word) => {
            let names: Vec<String> = TYPED.iter().map(|(name, ..)| format!("/{name}")).collect();
            app.tell(
                Role::Bad,
                format!(
                    "error: there is no command `/{word}`; there are {}",
                    names.join(" ")
                ),
            );
            return Vec::new();
        }
    };
    match typed {
        Typed::Now if rest.is_empty() || !app.is_busy() => {
            app.tell(
                Role::Needed,
                "`/now TEXT` interrupts the running turn with the text",
            );
            Vec::new()
        }
        Typed::Now => {
            app.composer.take();
            say(app, rest, Urgency::Now)
        }
        Typed::Run if app.is_busy() => refuse(app, "a run is going on already"),
        Typed::Run => {
            let typed = app.composer.take();
            let start = if rest.is_empty() {
                Start::All
            } else {
                Start::Goal(rest)
            };
            begin(app, typed, start)
        }
        Typed::Plan if app.is_busy() => refuse(app, "a run is going on already"),
        Typed::Plan if rest.is_empty() => refuse(app, PLAN_USAGE),
        Typed::Plan => {
            let typed = app.composer.take();
            begin(app, typed, Start::Plan(rest))
        }
        Typed::Back => take_back_typed(app, &rest),
        Typed::Rewind => rewind::typed(app, &rest),
        Typed::Stop => {
            app.composer.take();
            run::stop(app)
        }
        Typed::Command(command) => match app.obstacle(command) {
            Some(reason) => refuse(app, reason),
            None => {
                app.composer.take();
                keys::perform(app, command)
            }
        },
    }
}

pub(super) fn refuse(app: &mut App, reason: &str) -> Vec<Request> {
    app.tell(Role::Needed, reason);
    Vec::new()
}
