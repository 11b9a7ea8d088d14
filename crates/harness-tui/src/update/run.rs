//! The run that is shown: its events, its end, and the ways to stop it.

use harness_core::{EndReason, Event, Timestamp};
use harness_report::Who;

use super::{approve, offer, pages, review, tell, words};
use crate::{
    app::{App, Notice, Origin, Phase, Quitting, Stopping},
    input::{Over, Query, Request},
    page::Page,
    text::Role,
    theme::Sign,
    work::Activity,
};

/// Within this time a second press means more than the first. Unit: milliseconds.
const TWICE_MS: u128 = 2_000;

pub(super) fn started(app: &mut App) -> Vec<Request> {
    app.phase = Phase::Opening;
    app.over = None;
    app.stopping = Stopping::No;
    app.resumable = None;
    app.work.activity = Activity::Opening;
    app.attention.begin(app.now);
    Vec::new()
}

/// Takes in what is logged as it happens: whoever logs it can be talked to.
pub(super) fn happened(app: &mut App, event: &Event, at: Timestamp) -> Vec<Request> {
    let mut asked = logged(app, event, at);
    app.ran = app.work.session.or(app.ran);
    if app.phase == Phase::Opening {
        app.phase = Phase::Busy;
        app.sent.clear();
        asked.extend(words::release(app));
    }
    asked
}

/// Takes in what a session held that is being opened.
pub(super) fn recalled(app: &mut App, events: &[(Event, Timestamp)]) -> Vec<Request> {
    let asked = events
        .iter()
        .flat_map(|(event, at)| logged(app, event, *at))
        .collect();
    if app.phase == Phase::Opening {
        app.work.activity = Activity::Opening;
    }
    asked
}

fn logged(app: &mut App, event: &Event, at: Timestamp) -> Vec<Request> {
    app.now = app.now.max(at);
    take_words(app, event);
    let waited = app.work.judged.waits_for_word();
    app.work.take(event, at);
    app.transcript.take(event, at);
    app.pages.take(event, at);
    app.pages.gates.judge(&app.work.judged);
    match event {
        Event::ApprovalAnswered { call, .. } | Event::CallEnded { call, .. } => {
            approve::withdraw(app, |waiting| waiting == *call);
        }
        Event::SessionEnded { .. } | Event::RunEnded { .. } => approve::withdraw(app, |_| true),
        _ => {}
    }
    match event {
        Event::QuestionAsked { call, question, .. } => {
            app.asked = Some(*call);
            app.question.clone_from(question);
            app.composer.set_aside();
            // It was offered for a word that is aside now.
            app.offer = None;
        }
        // A person's words can cut a question short.
        Event::CallEnded { call, .. } if app.asked != Some(*call) => {}
        Event::CallEnded { .. }
        | Event::QuestionAnswered { .. }
        | Event::SessionEnded { .. }
        | Event::RunEnded { .. } => {
            app.asked = None;
            app.composer.bring_back();
        }
        Event::ApprovalAsked(asked) => approve::ask(app, asked),
        _ => {}
    }
    let mut asked = review::logged(app, event);
    asked.extend(tell::of_event(app, event, at));
    if waited.is_none() && app.work.judged.waits_for_word().is_some() {
        asked.extend(tell::of_question(app, at));
    }
    asked
}

/// Follows the words that wait: said, taken back, sent, or never read.
fn take_words(app: &mut App, event: &Event) {
    match event {
        Event::PersonSaid { text, .. } => app.waiting.push(text.clone()),
        Event::PersonTookBack { text } => {
            if let Some(at) = app.waiting.iter().rposition(|waiting| waiting == text) {
                app.waiting.remove(at);
            }
            if let Some(at) = app.taking.iter().position(|taking| taking == text) {
                app.taking.remove(at);
            }
        }
        Event::TurnStarted { .. } => {
            app.waiting.clear();
            app.taking.clear();
        }
        Event::SessionEnded { .. } => {
            app.taking.clear();
            let unread = std::mem::take(&mut app.waiting);
            for text in &unread {
                let text = format!("the agent was done before it read: {text}");
                app.transcript.say(Who::Note, Some(Sign::Needed), &text);
            }
            if let Some(text) = unread.last().filter(|_| app.composer.is_empty()) {
                app.composer.set(text);
            }
        }
        _ => {}
    }
}

pub(super) fn over(app: &mut App, over: Over) -> Vec<Request> {
    if app.phase == Phase::Opening && over.failure.is_some() {
        words::give_back(app);
    }
    app.phase = Phase::Idle;
    // What a notice said of the way to the end is over with it.
    if app.stopping != Stopping::No && app.quitting == Quitting::No {
        app.notice = None;
    }
    // What stopped the run was half of the way out.
    if let Stopping::Now(since) = app.stopping
        && app.quitting != Quitting::WhenOver
    {
        app.quitting = Quitting::Armed(since);
    }
    app.stopping = Stopping::No;
    app.work.activity = Activity::Nothing;
    app.panels.clear();
    app.resumable = over.resumable;
    if over.resumable.is_none() {
        app.waiting.clear();
    }
    let began = app.ran.is_some();
    let quits = app.quitting == Quitting::WhenOver
        || over.failure.is_some() && !began && app.setup.origin == Origin::Command;
    if let Some(failed) = &over.failure {
        let mut lines = vec![format!("error: {}", failed.message)];
        lines.extend(failed.hint.as_ref().map(|hint| format!("hint: {hint}")));
        app.transcript
            .say(Who::Note, Some(Sign::Bad), &lines.join("\n"));
        let lines = lines
            .iter()
            .flat_map(|line| line.lines())
            .map(|line| harness_report::clean_line(line, 400));
        app.notice = Some(Notice {
            lines: lines.collect(),
            role: Role::Bad,
        });
    }
    app.over = Some(over);
    if quits && app.pages.errand.is_none() {
        return vec![Request::Quit];
    }
    let next = words::go_on(app);
    if !next.is_empty() {
        return next;
    }
    // The demo ends where a person has the last word.
    let is_told = app.pages.open == Page::Session && app.panels.is_empty();
    if app.setup.origin == Origin::Demo && is_told && app.work.end == Some(EndReason::AllPassing) {
        let next = pages::show(app, Page::Review);
        app.tell(
            Role::Needed,
            "your word: a accepts a hunk, m goes to the agent's question, enter answers it; F2 has the story",
        );
        return next;
    }
    // What a run left behind is not what was known before it.
    let mut next = pages::look(app);
    if !began {
        next.push(Request::Look(Query::Overview));
    }
    next
}

pub(super) fn signalled(app: &mut App, name: &str) -> Vec<Request> {
    if !app.is_busy() && app.pages.errand.is_none() {
        return vec![Request::Quit];
    }
    app.tell(
        Role::Needed,
        format!("{name}: stopping after what is in flight"),
    );
    app.quitting = Quitting::WhenOver;
    app.stopping = Stopping::Now(app.now);
    app.panels.clear();
    vec![Request::Steer(harness_core::Request::Interrupt)]
}

/// Asks the agent to stop after the step in hand; once more: now.
pub(super) fn stop(app: &mut App) -> Vec<Request> {
    if !app.is_busy() {
        app.tell(Role::Quiet, "nothing runs; Ctrl+D quits");
        return Vec::new();
    }
    match app.stopping {
        Stopping::No => {
            app.stopping = Stopping::Soon;
            app.tell(
                Role::Needed,
                "stopping after the step in hand; Esc again stops it now",
            );
            vec![Request::Steer(harness_core::Request::Stop)]
        }
        Stopping::Soon | Stopping::Now(_) => {
            app.stopping = Stopping::Now(app.now);
            app.tell(Role::Needed, "stopping now");
            vec![Request::Steer(harness_core::Request::Interrupt)]
        }
    }
}

/// Clears the text, then stops, then quits.
pub(super) fn interrupt(app: &mut App) -> Vec<Request> {
    if app.overlay.take().is_some() || offer::close_earlier(app) {
        return Vec::new();
    }
    if !app.composer.is_empty() && app.pages.open == Page::Session {
        app.composer.clear();
        return Vec::new();
    }
    let now = app.now;
    let is_soon = |since: Timestamp| now.since(since).as_millis() <= TWICE_MS;
    let is_armed = matches!(app.quitting, Quitting::Armed(since) if is_soon(since))
        || app.quitting == Quitting::WhenOver;
    if !app.is_busy()
        && !is_armed
        && let Some(stop) = pages::stop_gates(app)
    {
        app.quitting = Quitting::Armed(app.now);
        app.tell(Role::Needed, "stopping the gates; Ctrl+C again quits");
        return stop;
    }
    if !app.is_busy() {
        return match app.quitting {
            Quitting::WhenOver => vec![Request::Abandon],
            Quitting::Armed(since) if is_soon(since) => quit(app),
            _ => {
                app.quitting = Quitting::Armed(app.now);
                app.tell(Role::Needed, "press Ctrl+C again to quit");
                Vec::new()
            }
        };
    }
    match (app.quitting, app.stopping) {
        (Quitting::WhenOver, _) => vec![Request::Abandon],
        (_, Stopping::Now(since)) if is_soon(since) => quit(app),
        _ => {
            app.stopping = Stopping::Now(app.now);
            app.tell(Role::Needed, "stopping now; Ctrl+C again quits");
            vec![Request::Steer(harness_core::Request::Interrupt)]
        }
    }
}

/// Quits, after what goes on has come to its end in order.
pub(super) fn quit(app: &mut App) -> Vec<Request> {
    let has_errand = app.pages.errand.is_some();
    if !app.is_busy() && !has_errand {
        return vec![Request::Quit];
    }
    if app.quitting == Quitting::WhenOver {
        app.tell(
            Role::Needed,
            "stopping in order first; Ctrl+C leaves at once",
        );
        return Vec::new();
    }
    app.quitting = Quitting::WhenOver;
    if !app.is_busy() {
        app.tell(
            Role::Needed,
            "quitting after what is being done; Ctrl+C leaves at once",
        );
        return Vec::new();
    }
    app.tell(
        Role::Needed,
        "stopping in order, then quitting; Ctrl+C leaves at once",
    );
    vec![Request::Steer(harness_core::Request::Interrupt)]
}
