//! What follows from what happened: the one place where the screen's state changes.

mod approve;
mod find;
mod first;
mod hand;
mod keys;
mod offer;
mod pages;
mod propose;
mod review;
mod rewind;
mod run;
mod tell;
mod words;

use crate::{
    app::{App, Focus},
    found::Errand,
    input::{Answer, Input, Overview, Request},
    layout::Layout,
    question::Panel,
    text::Role,
    theme::Sign,
    transcript::detail_rows,
    work::{FeatureLine, GateLine, GateState, Judged},
};
use harness_report::{Who, clean_line};

pub(crate) use first::obstacle as first_obstacle;

/// Takes one input in and says what is asked for in turn.
pub fn update(app: &mut App, input: Input) -> Vec<Request> {
    app.is_changed = true;
    let asked = take(app, input);
    pages::keep_focus(app);
    asked
}

fn take(app: &mut App, input: Input) -> Vec<Request> {
    match input {
        Input::Key { key, at } => keys::press(app, key, at),
        Input::Pasted(text) => keys::paste(app, &text),
        Input::Resized { columns, rows } => {
            app.layout = Layout::of(columns, rows);
            // What had the terminal meanwhile may have changed the files.
            if app.pages.open == crate::page::Page::First {
                return pages::look(app);
            }
            review::look_again(app)
        }
        Input::Focused(is_in_front) => {
            app.attention.focus(is_in_front);
            Vec::new()
        }
        Input::Turned(rows) => {
            keys::turn(app, rows);
            Vec::new()
        }
        Input::Passed(now) => {
            app.now = now;
            Vec::new()
        }
        Input::Started => run::started(app),
        Input::Logged { event, at } => run::happened(app, &event, at),
        Input::Past { events } => run::recalled(app, &events),
        Input::Streamed { delta, at } => {
            app.now = at;
            app.transcript.stream(&delta);
            app.work.stream(&delta, at);
            Vec::new()
        }
        Input::Said { who, text } => {
            app.transcript.say(who, None, &text);
            Vec::new()
        }
        Input::Asked { question, at } => {
            app.now = at;
            app.panels.push_back(Panel::new(&question, at));
            // Who asked for the files is asked about them: no other key brought the question up.
            if matches!(app.pages.errand, Some(Errand::Init)) {
                app.focus = Focus::Composer;
            }
            tell::of_question(app, at).into_iter().collect()
        }
        Input::Answered(answer) => answered(app, answer),
        Input::Over(over) => run::over(app, over),
        Input::Signalled { name } => run::signalled(app, name),
    }
}

fn answered(app: &mut App, answer: Answer) -> Vec<Request> {
    match answer {
        Answer::Detail {
            session,
            call,
            found,
        } => {
            let rows = match found {
                Some(found) => detail_rows(found.0.as_ref(), &found.1),
                None => vec![crate::text::Row::of(
                    Role::Quiet,
                    "the log does not have it",
                )],
            };
            app.transcript.fill(session, call, &rows);
        }
        Answer::Page(wanted, found) => {
            return pages::found(app, &wanted, found.map(|found| *found));
        }
        Answer::Dressed(dressed) => return review::dressed(app, *dressed),
        Answer::Reviewed(saved) => return review::saved(app, saved),
        Answer::Errand(progress) => return pages::progressed(app, progress),
        Answer::Files { names, is_cut } => offer::listed(app, names, is_cut),
        Answer::Composed(composed) => {
            hand::composed(app, composed);
            return offer::refresh(app);
        }
        Answer::Returned(failed) => hand::tell_failed(app, &failed),
        Answer::Kept(kept) => hand::kept(app, kept),
        Answer::Overview(Ok(overview)) => {
            let is_first = overview.is_first;
            overviewed(app, *overview);
            if is_first {
                return first::offer(app);
            }
        }
        Answer::Overview(Err(failed)) => {
            app.transcript
                .say(Who::Note, Some(Sign::Needed), &failed.message);
            if let Some(hint) = failed.hint {
                app.transcript
                    .say(Who::Note, None, &format!("hint: {hint}"));
            }
        }
    }
    Vec::new()
}

/// Shows where the repository stands, unless a run has shown it better.
fn overviewed(app: &mut App, overview: Overview) {
    app.resumable = overview.resumable;
    for note in &overview.notes {
        app.transcript.say(Who::Note, None, note);
    }
    if app.work.session.is_some() {
        return;
    }
    app.work.judged = Judged::known(overview.must_fix);
    app.work.repository = clean_line(&overview.repository, 60);
    app.work.branch = clean_line(&overview.branch, 80);
    app.work.scope = overview
        .scope
        .iter()
        .map(|pattern| clean_line(pattern, 80))
        .collect();
    app.work.features = overview
        .features
        .into_iter()
        .map(|(id, title, status)| FeatureLine {
            id,
            title: clean_line(&title, 200),
            status,
            refused: 0,
        })
        .collect();
    app.work.gates = overview
        .gates
        .iter()
        .map(|name| GateLine {
            name: clean_line(name, 40),
            state: GateState::Unknown,
        })
        .collect();
}
