//! The keys of the pages: moving about, looking things up, and what is asked for from a row.

mod acts;
mod errand;
mod line;

pub(super) use self::{
    errand::{begin, progressed},
    line::write,
};

use harness_report::{clean, clean_line};
use harness_review::Base;

use super::{first, review, run, words};
use crate::{
    app::{App, Focus, Notice},
    command::Command,
    found::{Errand, Found, Wanted},
    input::{Failed, Query, Request},
    list::Step,
    page::{self, Page, Prompt, Typing},
    pages::{GateKind, State},
    reader::Reader,
    review::ReviewAsked,
    text::{Role, Row, untabbed},
};

/// Carries a command out where it is about pages; `None` where it is about something else.
pub(super) fn perform(app: &mut App, command: Command) -> Option<Vec<Request>> {
    if let Some(page) = Page::of(command) {
        return Some(show(app, page));
    }
    if app.pages.open == Page::Session {
        return None;
    }
    if app.pages.prompt.is_some() {
        return line::typing(app, command);
    }
    if let Some(asked) = review::perform(app, command).or_else(|| first::perform(app, command)) {
        return Some(asked);
    }
    match command {
        Command::FocusNext => change_focus(app, Step::Down),
        Command::FocusPrevious => change_focus(app, Step::Up),
        Command::Back => return back(app),
        Command::LeavePage => return Some(leave(app)),
        Command::Find => find(app),
        Command::FindNext => seek(app, Step::Down),
        Command::FindPrevious => seek(app, Step::Up),
        Command::Open => return Some(open(app)),
        Command::RowUp
        | Command::RowDown
        | Command::RowHalfUp
        | Command::RowHalfDown
        | Command::RowPageUp
        | Command::RowPageDown
        | Command::RowFirst
        | Command::RowLast => moves(app, command),
        Command::SessionsEverywhere if page::is_asked(app) => change_focus(app, Step::Down),
        other => return acts::acts(app, other),
    }
    Some(Vec::new())
}

/// Opens a page, or looks anew where it is open already.
pub(super) fn show(app: &mut App, page: Page) -> Vec<Request> {
    let is_asked = page::is_asked(app);
    if page == Page::Checkpoints && app.pages.open != page {
        // From a session it goes to the checkpoints of that one.
        let chosen = app
            .pages
            .sessions
            .chosen()
            .filter(|found| found.elsewhere.is_empty());
        let chosen = chosen.and_then(|found| found.session);
        app.pages.checkpoints.wanted = chosen.filter(|_| app.pages.open == Page::Sessions);
    }
    app.pages.open = page;
    app.pages.review_from = None;
    app.pages.reader = None;
    if page == Page::Review {
        app.work.judged.look();
        // What waits for the person's word is what they come for.
        app.pages.review.wanted = app.work.judged.waits_for_word();
        review::go_to_wanted(app);
    }
    app.pages.prompt = None;
    app.transcript.unselect();
    app.focus = match page {
        Page::Session => Focus::Composer,
        // Keys that were meant for a page never decide a question; tab gives it the focus.
        _ => Focus::List,
    };
    if is_asked && page != Page::Session {
        app.tell(
            Role::Needed,
            "something waits for you below: tab answers it",
        );
    }
    look(app)
}

/// Sees that the focus of a page is where something is: a later question never gets keys unasked.
pub(super) fn keep_focus(app: &mut App) {
    let is_nowhere = match app.focus {
        Focus::Composer => !page::is_asked(app),
        Focus::Below => !app.pages.open.has_below(),
        Focus::Transcript => true,
        Focus::List => false,
    };
    if app.pages.open != Page::Session && is_nowhere {
        app.focus = Focus::List;
    }
}

/// Asks for what the open page is made of.
pub(super) fn look(app: &mut App) -> Vec<Request> {
    let page = app.pages.open;
    let Some(wanted) = page.wanted(&app.pages) else {
        return Vec::new();
    };
    let mut pending = app.pages.pending.iter_mut();
    if let Some((_, is_old)) = pending.find(|(pending, _)| *pending == wanted) {
        *is_old = true;
        return Vec::new();
    }
    app.pages.pending.push((wanted.clone(), false));
    if page == Page::Review {
        app.pages.review.is_stale = false;
    }
    if let Some(state) = app.pages.state_mut(page)
        && *state != State::There
    {
        *state = State::Asked;
    }
    vec![Request::Look(Query::Page(wanted))]
}

/// Takes in what was looked up.
pub(super) fn found(app: &mut App, wanted: &Wanted, found: Result<Found, Failed>) -> Vec<Request> {
    let mut pending = app.pages.pending.iter();
    let at = pending.position(|(pending, _)| pending == wanted);
    let is_old = at.is_some_and(|at| app.pages.pending.swap_remove(at).1);
    match found {
        Ok(found) => fill(app, found),
        Err(failed) => not_found(app, wanted, failed),
    }
    let is_open = app.pages.open.wanted(&app.pages).as_ref() == Some(wanted);
    let mut asked = match wanted {
        Wanted::Review(_) => review::found(app),
        _ => Vec::new(),
    };
    if is_old && is_open {
        asked.extend(look(app));
    }
    asked
}

/// Puts what was looked up where it belongs.
fn fill(app: &mut App, found: Found) {
    match found {
        Found::Features(found) => {
            app.pages.features.fill(found);
            if let Some(note) = app.pages.features.notes.first().cloned() {
                app.tell(Role::Needed, note);
            }
        }
        Found::Gates(found) => app.pages.gates.fill(found),
        Found::Checkpoints(found) => app.pages.checkpoints.fill(found),
        Found::Sessions(found) => app.pages.sessions.fill(found),
        Found::Review(found) => app.pages.review.fill(*found),
        Found::First(found) => app.pages.first.fill(found),
        Found::Difference { title, text } => {
            let lines = clean(&text).lines().map(difference_row).collect();
            read(app, Reader::new(clean_line(&title, 100), lines));
        }
        Found::File { path, line, text } => {
            let text = clean(&text);
            let numbered = text.lines().enumerate().map(|(at, text)| {
                let is_meant = at + 1 == line as usize;
                let (mark, role) = if is_meant {
                    (">", Role::Strong)
                } else {
                    (" ", Role::Plain)
                };
                Row::of(Role::Quiet, format!("{mark}{:>5} ", at + 1)).and(role, untabbed(text))
            });
            let mut reader = Reader::new(clean_line(&path, 200), numbered.collect());
            reader.arrange(200, 1);
            reader.step(Step::Down, (line as usize).saturating_sub(6));
            read(app, reader);
        }
    }
}

fn not_found(app: &mut App, wanted: &Wanted, failed: Failed) {
    let page = match wanted {
        Wanted::Features => Page::Features,
        Wanted::Gates => Page::Gates,
        Wanted::Checkpoints(_) => Page::Checkpoints,
        Wanted::Sessions(_) => Page::Sessions,
        Wanted::Review(_) => Page::Review,
        Wanted::First => Page::First,
        Wanted::Difference { .. } | Wanted::File { .. } => {
            complain(app, &failed);
            return;
        }
    };
    match app.pages.state_mut(page) {
        // What a run tells is worth more than nothing.
        Some(state) if *state != State::There => *state = State::Failed(failed),
        _ => complain(app, &failed),
    }
}

/// Says what went wrong above the footer, and all of it in the transcript.
fn complain(app: &mut App, failed: &Failed) {
    let mut lines = vec![format!("error: {}", clean_line(&failed.message, 400))];
    let hint = failed.hint.as_ref();
    lines.extend(hint.map(|hint| format!("hint: {}", clean_line(hint, 400))));
    app.notice = Some(Notice {
        lines,
        role: Role::Bad,
    });
}

/// Lays a text over the page.
fn read(app: &mut App, reader: Reader) {
    app.pages.reader = Some(reader);
    if app.focus == Focus::Below {
        app.focus = Focus::List;
    }
}

/// Returns a line of a difference in the colours of what it does.
fn difference_row(line: &str) -> Row {
    let role = match line.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Role::Title,
        [b'+', ..] => Role::Added,
        [b'-', ..] => Role::Removed,
        [b'@', b'@', ..] => Role::Working,
        _ if line.starts_with("diff --git ") => Role::Title,
        _ => Role::Plain,
    };
    Row::of(role, untabbed(line))
}

/// Gives the focus to the next part: the list, what is below it, what waits for the person.
fn change_focus(app: &mut App, step: Step) {
    let mut parts = vec![Focus::List];
    if page::is_asked(app) {
        parts.push(Focus::Composer);
    }
    let has_tree = app.pages.open == Page::Review && app.pages.review.has_files();
    if app.pages.room.below.height > 0 || has_tree {
        parts.push(Focus::Below);
    }
    let at = parts
        .iter()
        .position(|part| *part == app.focus)
        .unwrap_or(0);
    let by = match step {
        Step::Down => 1,
        Step::Up => parts.len() - 1,
    };
    app.focus = parts[(at + by) % parts.len()];
}

/// Stops gates that run from the page; `None` where none do.
pub(super) fn stop_gates(app: &mut App) -> Option<Vec<Request>> {
    if !matches!(app.pages.errand, Some(Errand::RunGates { .. })) {
        return None;
    }
    app.tell(Role::Needed, "stopping the gates");
    Some(vec![Request::StopErrand])
}

/// Goes back one step: out of a question's focus, a text, a filter, the page; stops gates that run.
fn back(app: &mut App) -> Option<Vec<Request>> {
    if app.pages.open == Page::Gates
        && app.pages.reader.is_none()
        && app.focus == Focus::List
        && let Some(stop) = stop_gates(app)
    {
        return Some(stop);
    }
    if app.focus == Focus::Composer && page::is_asked(app) {
        // Leaving a question decides nothing: it stays where it is.
        app.focus = Focus::List;
        return Some(Vec::new());
    }
    if app.pages.reader.is_none()
        && let Some(list) = app.pages.list_mut()
        && !list.needle().is_empty()
    {
        list.filter("");
        return Some(Vec::new());
    }
    Some(leave(app))
}

fn leave(app: &mut App) -> Vec<Request> {
    if app.pages.reader.take().is_some() {
        return Vec::new();
    }
    if app.focus == Focus::Below {
        app.focus = Focus::List;
        return Vec::new();
    }
    if app.pages.open == Page::Review
        && let Some(page) = app.pages.review_from
    {
        return show(app, page);
    }
    // Who came for the review alone leaves with it.
    if app.pages.open == Page::Review && app.setup.review.is_some() && !app.is_busy() {
        return run::quit(app);
    }
    show(app, Page::Session)
}

fn find(app: &mut App) {
    let prompt = match (&app.pages.reader, app.pages.list()) {
        (Some(reader), _) => Prompt::new(Typing::Search, "find: ", reader.needle()),
        (None, Some(list)) => Prompt::new(Typing::Filter, "keep: ", list.needle()),
        (None, None) => return,
    };
    app.pages.prompt = Some(prompt);
}

fn seek(app: &mut App, step: Step) {
    let is_there = match (&mut app.pages.reader, app.focus) {
        (Some(reader), _) => reader.seek(step),
        (None, Focus::Below) => app.pages.below.seek(step),
        // All rows that are kept are matches.
        (None, _) => app
            .pages
            .list_mut()
            .is_some_and(|list| list.seek(step, |_| true)),
    };
    if !is_there {
        app.tell(Role::Quiet, "nothing is looked for: / takes the letters");
    }
}

fn moves(app: &mut App, command: Command) {
    let step = match command {
        Command::RowUp | Command::RowHalfUp | Command::RowPageUp | Command::RowFirst => Step::Up,
        _ => Step::Down,
    };
    let pages = &mut app.pages;
    let page_of_list = pages.list().map_or(1, crate::list::List::page);
    let reader = match (&mut pages.reader, app.focus) {
        (Some(reader), _) => Some(reader),
        (None, Focus::Below) => Some(&mut pages.below),
        _ => None,
    };
    let page = reader.as_ref().map_or(page_of_list, |reader| reader.page());
    let rows = match command {
        Command::RowHalfUp | Command::RowHalfDown => page.div_ceil(2),
        Command::RowPageUp | Command::RowPageDown => page.saturating_sub(1).max(1),
        Command::RowFirst | Command::RowLast => usize::MAX,
        _ => 1,
    };
    match reader {
        Some(reader) if rows == usize::MAX => reader.end(step),
        Some(reader) => reader.step(step, rows),
        None => {
            if let Some(list) = app.pages.list_mut() {
                if rows == usize::MAX {
                    list.end(step);
                } else {
                    list.step(step, rows);
                }
            }
        }
    }
}

/// Opens what is chosen.
fn open(app: &mut App) -> Vec<Request> {
    match app.pages.open {
        Page::Features => {
            if let Some((title, rows)) = app.pages.more() {
                read(app, Reader::new(title, rows));
            }
        }
        Page::Gates => match app
            .pages
            .gates
            .chosen()
            .map(|gate| (gate.kind, gate.name.clone(), gate.output()))
        {
            Some((GateKind::Review, ..)) => return show(app, Page::Review),
            Some((_, name, Some(rows))) => read(app, Reader::new(clean_line(&name, 40), rows)),
            Some((.., None)) => app.tell(Role::Quiet, "it has not run yet: r runs it"),
            None => {}
        },
        Page::Checkpoints => return review_checkpoint(app),
        Page::Sessions => return resume(app),
        Page::Session | Page::Review | Page::First => {}
    }
    Vec::new()
}

/// Opens what the chosen checkpoint changed in the review.
fn review_checkpoint(app: &mut App) -> Vec<Request> {
    let (session, chosen) = (
        app.pages.checkpoints.session,
        app.pages.checkpoints.chosen(),
    );
    let Some(number) = chosen.map(|chosen| chosen.number) else {
        return Vec::new();
    };
    app.pages.review.asked = ReviewAsked::Base {
        base: Base::Checkpoint { number },
        session,
    };
    let asked = show(app, Page::Review);
    app.pages.review_from = Some(Page::Checkpoints);
    asked
}

/// Asks how the chosen checkpoint differs from another one.
fn difference(app: &mut App, with: harness_core::CheckpointNumber) -> Vec<Request> {
    let (Some(session), Some(chosen)) = (
        app.pages.checkpoints.session,
        app.pages.checkpoints.chosen(),
    ) else {
        return Vec::new();
    };
    if !chosen.is_whole() {
        app.tell(Role::Needed, "it is not there any more");
        return Vec::new();
    }
    let number = chosen.number;
    let (from, to) = (Some(with.min(number)), with.max(number));
    vec![Request::Look(Query::Page(Wanted::Difference {
        session,
        from,
        to,
    }))]
}

fn resume(app: &mut App) -> Vec<Request> {
    let Some(chosen) = app.pages.sessions.chosen() else {
        return Vec::new();
    };
    let Some(session) = chosen.session else {
        return Vec::new();
    };
    show(app, Page::Session);
    words::resume_one(app, session, String::new())
}
