//! The keys of the pages: moving about, looking things up, and what is asked for from a row.

use harness_core::RewindWhat;
use harness_report::{clean, clean_line};

use crate::{
    app::{App, Focus, Notice},
    command::Command,
    found::{Errand, Found, Mine, Progress, Rank, Wanted},
    input::{Failed, Known, Query, Request, Start},
    list::Step,
    page::{self, Page, Prompt, Typing},
    pages::State,
    reader::Reader,
    text::{Role, Row, untabbed},
};

use super::words;

/// The most lines of what an errand says that stand as a notice; all of it is in the transcript.
const NOTICE_LINES_MAX: usize = 3;

/// Carries a command out where it is about pages; `None` where it is about something else.
pub(super) fn perform(app: &mut App, command: Command) -> Option<Vec<Request>> {
    if let Some(page) = Page::of(command) {
        return Some(show(app, page));
    }
    if app.pages.open == Page::Session {
        return None;
    }
    if app.pages.prompt.is_some() {
        return typing(app, command);
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
        other => return acts(app, other),
    }
    Some(Vec::new())
}

/// Opens a page, or looks anew where it is open already.
fn show(app: &mut App, page: Page) -> Vec<Request> {
    let is_asked = page::is_asked(app);
    app.pages.open = page;
    app.pages.reader = None;
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
    if let Some(state) = app.pages.state_mut(page)
        && *state != State::There
    {
        *state = State::Asked;
    }
    vec![Request::Look(Query::Page(wanted))]
}

/// Takes in what was looked up.
pub(super) fn found(app: &mut App, wanted: &Wanted, found: Result<Found, Failed>) -> Vec<Request> {
    let found = match found {
        Ok(found) => found,
        Err(failed) => return not_found(app, wanted, failed),
    };
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
    Vec::new()
}

fn not_found(app: &mut App, wanted: &Wanted, failed: Failed) -> Vec<Request> {
    let page = match wanted {
        Wanted::Features => Page::Features,
        Wanted::Gates => Page::Gates,
        Wanted::Checkpoints(_) => Page::Checkpoints,
        Wanted::Sessions(_) => Page::Sessions,
        Wanted::Difference { .. } | Wanted::File { .. } => {
            complain(app, &failed);
            return Vec::new();
        }
    };
    match app.pages.state_mut(page) {
        // What a run tells is worth more than nothing.
        Some(state) if *state != State::There => *state = State::Failed(failed),
        _ => complain(app, &failed),
    }
    Vec::new()
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
    if app.pages.room.below.height > 0 {
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

/// Goes back one step: out of a question's focus, a text, a filter, the page.
fn back(app: &mut App) -> Option<Vec<Request>> {
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
            .map(|gate| (gate.name.clone(), gate.output()))
        {
            Some((name, Some(rows))) => read(app, Reader::new(clean_line(&name, 40), rows)),
            Some((_, None)) => app.tell(Role::Quiet, "it has not run yet: r runs it"),
            None => {}
        },
        Page::Checkpoints => return difference(app, None),
        Page::Sessions => return resume(app),
        Page::Session | Page::Review => {}
    }
    Vec::new()
}

/// Asks how the chosen checkpoint differs from another one, or from the one before.
fn difference(app: &mut App, with: Option<harness_core::CheckpointNumber>) -> Vec<Request> {
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
    let (from, to) = match with {
        Some(other) => (Some(other.min(number)), other.max(number)),
        None => (None, number),
    };
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
    let known = if app.work.session == Some(session) {
        Known::Shown
    } else {
        Known::New
    };
    show(app, Page::Session);
    vec![Request::Start(Start::Resume {
        session,
        text: String::new(),
        known,
    })]
}

/// Does what a page is for.
fn acts(app: &mut App, command: Command) -> Option<Vec<Request>> {
    match command {
        Command::FailureNext => failure(app, Step::Down),
        Command::FailurePrevious => failure(app, Step::Up),
        Command::FeatureNew => {
            app.pages.prompt = Some(Prompt::new(Typing::New, "new feature: ", ""));
            app.tell(
                Role::Quiet,
                "its title, then flags if you like, as in --acceptance \"header once\"",
            );
        }
        Command::FeatureEdit => edit(app),
        Command::FeatureBlock => block(app),
        Command::FeatureRun => {
            let id = app.pages.features.chosen()?.feature.id.to_string();
            show(app, Page::Session);
            return Some(vec![Request::Start(Start::Goal(id))]);
        }
        Command::FeatureFinish => {
            let id = app.pages.features.chosen()?.feature.id.clone();
            show(app, Page::Session);
            return Some(vec![Request::Start(Start::Finish(id))]);
        }
        Command::FeatureEarlier => return ranked(app, Rank::Earlier),
        Command::FeatureLater => return ranked(app, Rank::Later),
        Command::GateRun => {
            let names = vec![app.pages.gates.chosen()?.name.clone()];
            return Some(begin(app, Errand::RunGates { names }));
        }
        Command::GateRunAll => return Some(begin(app, Errand::RunGates { names: Vec::new() })),
        Command::GateOpen => {
            let (path, line) = app.pages.gates.chosen()?.place()?;
            return Some(vec![Request::Look(Query::Page(Wanted::File {
                path,
                line,
            }))]);
        }
        Command::GateTell => return tell_agent(app),
        Command::CheckpointCompare => return compare(app),
        Command::CheckpointUndo => undo(app),
        Command::SessionRename => {
            let chosen = app.pages.sessions.chosen()?;
            let prompt = Prompt::new(
                Typing::Rename(chosen.session?),
                "name: ",
                &chosen.name.clone(),
            );
            app.pages.prompt = Some(prompt);
        }
        Command::SessionArchive => {
            let session = app.pages.sessions.chosen()?.session?;
            return Some(begin(app, Errand::Archive { session }));
        }
        Command::SessionFork => {
            let session = app.pages.sessions.chosen()?.session?;
            show(app, Page::Session);
            return Some(vec![Request::Start(Start::Fork(session))]);
        }
        Command::SessionsEverywhere => {
            app.pages.sessions.reach = page::other(app.pages.sessions.reach);
            return Some(look(app));
        }
        _ => return None,
    }
    Some(Vec::new())
}

fn failure(app: &mut App, step: Step) {
    let gates = &mut app.pages.gates;
    let mut list = std::mem::take(&mut gates.list);
    list.seek(step, |line| gates.is_red(line));
    gates.list = list;
}

fn edit(app: &mut App) {
    let Some(found) = app.pages.features.chosen() else {
        return;
    };
    let id = found.feature.id.clone();
    let title = found.feature.title.replace('"', "\\\"");
    let prompt = Prompt::new(
        Typing::Amend(id.clone()),
        format!("amend {id}: "),
        &format!("--title \"{}\"", clean_line(&title, 400)),
    );
    app.pages.prompt = Some(prompt);
    app.tell(
        Role::Quiet,
        "flags as of `harness feature amend`, as in --add-acceptance \"header once\"",
    );
}

fn block(app: &mut App) {
    use harness_core::FeatureStatus as Status;
    let Some(found) = app.pages.features.chosen() else {
        return;
    };
    let id = found.feature.id.clone();
    let prompt = match found.feature.status {
        Status::Blocked | Status::NeedsHuman | Status::Cancelled => {
            let title = format!("reopen {id}, why (may be empty): ");
            Prompt::new(Typing::Reopen(id), title, "")
        }
        _ => {
            let title = format!("{id} waits for: ");
            Prompt::new(Typing::Block(id), title, "")
        }
    };
    app.pages.prompt = Some(prompt);
}

fn ranked(app: &mut App, to: Rank) -> Option<Vec<Request>> {
    let feature = app.pages.features.chosen()?.feature.id.clone();
    Some(begin(app, Errand::Move { feature, to }))
}

/// Puts how a gate failed to the agent, as words of the person.
fn tell_agent(app: &mut App) -> Option<Vec<Request>> {
    let text = app.pages.gates.chosen()?.to_words()?;
    show(app, Page::Session);
    // What was being written stays: it goes along behind.
    let written = app.composer.text();
    let text = if written.trim().is_empty() {
        text
    } else {
        format!("{text}\n\n{written}")
    };
    app.composer.set(&text);
    app.tell(
        Role::Needed,
        "Enter sends this to the agent; change it first if you like",
    );
    Some(Vec::new())
}

/// Marks the chosen checkpoint, or compares it with the one that is marked.
fn compare(app: &mut App) -> Option<Vec<Request>> {
    let number = app.pages.checkpoints.chosen()?.number;
    match app.pages.checkpoints.marked {
        Some(marked) if marked == number => {
            app.pages.checkpoints.mark(None);
            app.tell(Role::Quiet, "the mark is taken away");
            Some(Vec::new())
        }
        Some(marked) => {
            app.pages.checkpoints.mark(None);
            Some(difference(app, Some(marked)))
        }
        None => {
            app.pages.checkpoints.mark(Some(number));
            app.tell(Role::Needed, "now choose the other one and press d again");
            Some(Vec::new())
        }
    }
}

fn undo(app: &mut App) {
    let checkpoints = &app.pages.checkpoints;
    let (Some(session), Some(chosen)) = (checkpoints.session, checkpoints.chosen()) else {
        return;
    };
    let number = chosen.number;
    let text = if checkpoints.is_refused {
        "files keep-mine"
    } else {
        "files"
    };
    let title = format!("back to checkpoint {number}, what: ");
    app.pages.prompt = Some(Prompt::new(Typing::Undo(session, number), title, text));
    app.tell(
        Role::Needed,
        "files, talk or both; files keep-mine leaves yours as they are, files save saves them first",
    );
}

/// Begins something beside a run.
fn begin(app: &mut App, errand: Errand) -> Vec<Request> {
    app.pages.errand = Some(errand.clone());
    vec![Request::Do(errand)]
}

/// Takes in how far an errand has come.
pub(super) fn progressed(app: &mut App, progress: Progress) -> Vec<Request> {
    let over = match progress {
        Progress::Checked { event, tree } => {
            app.pages.gates.check(&event, Some(tree));
            return Vec::new();
        }
        Progress::Over(over) => over,
    };
    let errand = app.pages.errand.take();
    let is_undo = matches!(errand, Some(Errand::Undo { .. }));
    app.pages.gates.settle();
    match over {
        Ok(text) => done(app, &text),
        Err(failed) if is_undo => refused(app, &failed),
        Err(failed) => {
            complain(app, &failed);
            say_all(app, &failed.message);
        }
    }
    if app.quitting == crate::app::Quitting::WhenOver && !app.is_busy() {
        return vec![Request::Quit];
    }
    look(app)
}

fn done(app: &mut App, text: &str) {
    app.pages.checkpoints.is_refused = false;
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| clean_line(line, 400))
        .collect();
    if lines.is_empty() {
        return;
    }
    say_all(app, text);
    if app.pages.open != Page::Session {
        app.notice = Some(Notice {
            lines: lines.into_iter().take(NOTICE_LINES_MAX).collect(),
            role: Role::Good,
        });
    }
}

/// Shows why an undo was refused, both sides of each file, and the ways out.
fn refused(app: &mut App, failed: &Failed) {
    say_all(app, &failed.message);
    if failed.message.lines().count() < 2 {
        complain(app, failed);
        return;
    }
    app.tell(
        Role::Bad,
        "error: nothing was undone: it would have overwritten what is yours",
    );
    app.pages.checkpoints.is_refused = true;
    let mut lines: Vec<Row> = clean(&failed.message)
        .lines()
        .map(|line| match line.strip_prefix("  ") {
            Some(changed) => difference_row(changed),
            None => Row::of(Role::Strong, untabbed(line)),
        })
        .collect();
    lines.push(Row::default());
    for way in [
        "q, then u with `files keep-mine`: yours stay as they are, the rest is restored",
        "q, then u with `files save`: yours are saved as a checkpoint first, then all is restored",
    ] {
        lines.push(Row::of(Role::Needed, way));
    }
    read(app, Reader::new("Undo refused", lines));
}

fn say_all(app: &mut App, text: &str) {
    let text = text.trim_end();
    if !text.is_empty() {
        app.transcript.say(harness_report::Who::Note, None, text);
    }
}

/// Carries a command out in the line that is typed.
fn typing(app: &mut App, command: Command) -> Option<Vec<Request>> {
    match command {
        Command::TakeLine | Command::Send | Command::SendNow => return Some(take_line(app)),
        Command::Back | Command::Interrupt => {
            let prompt = app.pages.prompt.take();
            if prompt.is_some_and(|prompt| prompt.what == Typing::Filter)
                && let Some(list) = app.pages.list_mut()
            {
                list.filter("");
            }
        }
        // A list is looked through while its filter is typed.
        Command::LineUp | Command::EntryUp => moves(app, Command::RowUp),
        Command::LineDown | Command::EntryDown => moves(app, Command::RowDown),
        Command::Newline
        | Command::HistoryPrevious
        | Command::HistoryNext
        | Command::HistorySearch => {}
        Command::Suspend | Command::Redraw => return None,
        other => {
            if let Some(prompt) = &mut app.pages.prompt {
                prompt.line.edit(other);
            }
            follow(app);
        }
    }
    Some(Vec::new())
}

/// Puts a text into the line that is typed.
pub(super) fn write(app: &mut App, text: &str) {
    let Some(prompt) = &mut app.pages.prompt else {
        return;
    };
    let line: String = text
        .chars()
        .map(|char| if char.is_whitespace() { ' ' } else { char })
        .collect();
    prompt.line.insert(&line);
    follow(app);
}

/// Keeps the rows with what is typed so far.
fn follow(app: &mut App) {
    let Some(prompt) = &app.pages.prompt else {
        return;
    };
    if prompt.what == Typing::Filter {
        let needle = prompt.line.text();
        if let Some(list) = app.pages.list_mut() {
            list.filter(&needle);
        }
    }
}

/// Takes the line that was typed.
fn take_line(app: &mut App) -> Vec<Request> {
    let Some(prompt) = app.pages.prompt.take() else {
        return Vec::new();
    };
    let text = prompt.line.text().trim().to_owned();
    match prompt.what {
        Typing::Filter => Vec::new(),
        Typing::Search => {
            if let Some(reader) = &mut app.pages.reader
                && !text.is_empty()
                && !reader.find(&text)
            {
                app.tell(Role::Needed, "it is not in this text");
            }
            Vec::new()
        }
        // Who says nothing wants nothing.
        Typing::New | Typing::Amend(_) | Typing::Block(_) | Typing::Rename(_)
            if text.is_empty() =>
        {
            Vec::new()
        }
        Typing::New => begin(app, Errand::Add { said: text }),
        Typing::Amend(feature) => begin(
            app,
            Errand::Amend {
                feature,
                said: text,
            },
        ),
        Typing::Block(feature) => begin(
            app,
            Errand::Block {
                feature,
                reason: text,
            },
        ),
        Typing::Reopen(feature) => begin(
            app,
            Errand::Reopen {
                feature,
                reason: text,
            },
        ),
        Typing::Rename(session) => begin(
            app,
            Errand::Rename {
                session,
                name: text,
            },
        ),
        Typing::Undo(session, number) => match read_undo(&text) {
            Some((RewindWhat::Files, mine)) => begin(
                app,
                Errand::Undo {
                    session,
                    number,
                    mine,
                },
            ),
            Some((what, _)) => rewind(app, session, what),
            None => words::refuse(app, "say files, talk or both; files keep-mine, files save"),
        },
    }
}

/// Takes talk, or both, back to the turn behind the chosen checkpoint.
fn rewind(app: &mut App, session: harness_core::SessionId, what: RewindWhat) -> Vec<Request> {
    let Some(chosen) = app.pages.checkpoints.chosen() else {
        return Vec::new();
    };
    let turn = match (chosen.number.0, chosen.turn) {
        (0, _) => harness_core::TurnNumber(1),
        (_, Some(turn)) => harness_core::TurnNumber(turn.0.saturating_add(1)),
        (_, None) => {
            return words::refuse(
                app,
                "no turn of the agent led to it: only its files can be restored",
            );
        }
    };
    show(app, Page::Session);
    vec![Request::Start(Start::Rewind {
        session,
        turn,
        what,
    })]
}

fn read_undo(text: &str) -> Option<(RewindWhat, Mine)> {
    let mut words = text.split_whitespace();
    let what: RewindWhat = words.next()?.parse().ok()?;
    let mine = match words.next() {
        None => Mine::Refuse,
        Some("keep-mine" | "--keep-mine") => Mine::Keep,
        Some("save" | "--save") => Mine::Save,
        Some(_) => return None,
    };
    let is_whole = words.next().is_none() && (mine == Mine::Refuse || what == RewindWhat::Files);
    is_whole.then_some((what, mine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undo_is_said_in_words() {
        let files = |mine| Some((RewindWhat::Files, mine));
        assert_eq!(read_undo("files"), files(Mine::Refuse));
        assert_eq!(read_undo("files keep-mine"), files(Mine::Keep));
        assert_eq!(read_undo(" files  --save "), files(Mine::Save));
        assert_eq!(read_undo("talk"), Some((RewindWhat::Talk, Mine::Refuse)));
        for wrong in ["", "all", "talk save", "files keep-mine now", "files mine"] {
            assert_eq!(read_undo(wrong), None, "{wrong}");
        }
    }
}
