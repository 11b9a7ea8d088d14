//! What a key does where it is pressed.

use harness_core::Timestamp;

use crate::{
    app::{App, Focus},
    command::{Command, Entry, Place},
    composer::Taken,
    input::{Decision, Query, Request, Start},
    key::{Code, Key},
    overlay::{Kind, Overlay},
    page::Page,
    text::Role,
    transcript::Way,
    vim::Pressed,
};

use super::{approve, find, first, hand, offer, pages, review, rewind, run, words};

pub(super) fn press(app: &mut App, key: Key, at: Timestamp) -> Vec<Request> {
    app.now = at;
    app.notice = None;
    app.attention.hear(at);
    let mut asked = pressed(app, key);
    asked.extend(offer::refresh(app));
    asked
}

fn pressed(app: &mut App, key: Key) -> Vec<Request> {
    let place = match app.place() {
        Place::Offer if offer::yields(app, key) => Place::Composer,
        place => place,
    };
    // A question mark in an empty composer can only be meant as one.
    let asks = place == Place::Composer && key.typed() == Some('?') && app.composer.is_empty();
    if asks && app.asked.is_none() {
        return perform(app, Command::Help);
    }
    if place == Place::Composer && app.setup.has_vim_keys {
        match app.vim.press(&mut app.composer, key) {
            Pressed::Done => return Vec::new(),
            Pressed::Move(command) => return perform(app, command),
            Pressed::Other => {}
        }
    }
    match find_entry(app, place, key) {
        Some(entry) => match app.obstacle(entry.command) {
            Some(reason) => {
                let text = format!("{}: {reason}", entry.label);
                app.tell(Role::Needed, text);
                Vec::new()
            }
            None => perform(app, entry.command),
        },
        None => typed(app, place, key),
    }
}

/// While something is offered, the composer's keys go on to edit its text.
fn find_entry(app: &App, place: Place, key: Key) -> Option<&'static Entry> {
    let keys = &app.setup.keys;
    let found = keys.find(place, key);
    let is_own = found.is_some_and(|entry| entry.place == place);
    match place {
        Place::Offer if !is_own && !offer::is_looking(app) => keys.find(Place::Composer, key),
        _ => found,
    }
}

/// A key without a meaning of its own is a letter, or nothing.
fn typed(app: &mut App, place: Place, key: Key) -> Vec<Request> {
    if place == Place::Line && approve::typed(app, key) {
        return Vec::new();
    }
    if place == Place::Prompt {
        if let Some(char) = key.typed() {
            pages::write(app, char.encode_utf8(&mut [0; 4]));
        }
        return Vec::new();
    }
    if place == Place::Find {
        find::typed(app, key);
        return Vec::new();
    }
    if place == Place::Offer && offer::is_looking(app) {
        offer::typed(app, key);
        return Vec::new();
    }
    match (place, key.typed(), &mut app.overlay) {
        (Place::Overlay, Some(char), Some(overlay)) => overlay.type_char(char),
        (Place::Overlay, None, Some(overlay)) if key.code == Code::Backspace => overlay.delete(),
        (Place::Composer | Place::Offer, Some(char), _) => {
            let taken = app.composer.type_char(char);
            say_if_cut(app, taken);
        }
        (Place::Transcript, Some(char), _) if app.panels.is_empty() && char.is_alphanumeric() => {
            app.tell(
                Role::Quiet,
                "the transcript has the focus: tab or q goes back to the composer",
            );
        }
        _ => {}
    }
    Vec::new()
}

pub(super) fn paste(app: &mut App, text: &str) -> Vec<Request> {
    app.notice = None;
    let is_looking = offer::is_looking(app);
    match (app.place(), &mut app.overlay) {
        (Place::Overlay, Some(overlay)) => {
            let line = text.lines().next().unwrap_or_default();
            line.chars()
                .filter(|char| !char.is_control())
                .for_each(|char| overlay.type_char(char));
        }
        (Place::Prompt, _) => pages::write(app, text),
        // What is pasted would be taken for keys.
        (
            Place::Page
            | Place::Review
            | Place::Features
            | Place::Gates
            | Place::Checkpoints
            | Place::Sessions
            | Place::First,
            _,
        ) => app.tell(
            Role::Quiet,
            "nothing is written here: F2 or q goes to the composer",
        ),
        (Place::Find, _) => find::pasted(app, text),
        (Place::Offer, _) if is_looking => {
            let line = text.lines().next().unwrap_or_default();
            for char in line.chars().filter(|char| !char.is_control()) {
                offer::typed(app, Key::plain(Code::Char(char)));
            }
        }
        // Nothing that is pasted decides a question.
        (Place::Question | Place::Line, _) => {
            app.tell(Role::Needed, "a question is open: answer it with its keys");
        }
        _ => {
            focus_composer(app);
            let taken = app.composer.insert(text);
            say_if_cut(app, taken);
            return offer::refresh(app);
        }
    }
    Vec::new()
}

pub(super) fn say_if_cut(app: &mut App, taken: Taken) {
    if taken == Taken::Cut {
        app.tell(
            Role::Bad,
            "error: the text is too long for the composer: the rest was left out",
        );
    }
}

/// Carries a command out, wherever it came from.
pub(super) fn perform(app: &mut App, command: Command) -> Vec<Request> {
    let writes = matches!(app.place(), Place::Composer | Place::Offer);
    if writes && edits(app, command) {
        return Vec::new();
    }
    // On a page the way back decides nothing: the question stays below.
    let is_back = command == Command::Back
        && app.place() == Place::Question
        && app.pages.open != Page::Session;
    let in_question = matches!(app.place(), Place::Question | Place::Line) && !is_back;
    if in_question && let Some(asked) = approve::perform_if_meant(app, command) {
        return asked;
    }
    if let Some(asked) = pages::perform(app, command) {
        return asked;
    }
    if find::perform(app, command) {
        return Vec::new();
    }
    if let Some(asked) = hand::perform(app, command) {
        return asked;
    }
    match command {
        Command::Help => open(app, Kind::Help),
        Command::Palette => open(app, Kind::Palette),
        Command::HistorySearch => offer::earlier(app),
        Command::OfferUp | Command::OfferDown | Command::OfferTake | Command::OfferClose => {
            offer::perform(app, command);
        }
        Command::Close => app.overlay = None,
        Command::FocusNext | Command::FocusPrevious => change_focus(app),
        Command::Leave => focus_composer(app),
        Command::Back => return back(app),
        Command::Interrupt => return run::interrupt(app),
        // A text was deleted from above; without one there is nothing left but to quit.
        Command::Quit | Command::DeleteForward => return run::quit(app),
        Command::Suspend => return vec![Request::Suspend],
        Command::Redraw => return vec![Request::Redraw],
        Command::RunAll => return vec![Request::Start(Start::All)],
        Command::Plan => words::begin_plan(app),
        Command::Land => return vec![Request::Start(Start::Land)],
        Command::Resume => return words::resume(app, String::new()),
        Command::LetGatesDecide => {
            return vec![Request::Steer(harness_core::Request::TakeClaim)];
        }
        Command::TakeBack => return words::take_back(app),
        Command::PutOff => return vec![Request::Steer(harness_core::Request::PutOff)],
        Command::Rewind => rewind::propose(app),
        Command::Send => return words::send(app),
        Command::SendNow => return words::send_now(app),
        Command::Yes => return decide(app, Decision::Yes),
        Command::No => return decide(app, Decision::No),
        Command::Unfold => return unfold(app),
        Command::Choose => return choose(app),
        other => moves(app, other),
    }
    Vec::new()
}

/// What the composer does with a command; `false` when it is none of its own.
fn edits(app: &mut App, command: Command) -> bool {
    match command {
        Command::LineUp | Command::LineDown if !app.composer.is_tall() => {
            let way = if command == Command::LineUp {
                Way::Up
            } else {
                Way::Down
            };
            app.transcript.scroll(way, 1);
            true
        }
        Command::LineEnd if app.composer.is_empty() => {
            app.transcript.follow();
            true
        }
        Command::DeleteForward if app.composer.is_empty() => false,
        command => app.composer.edit(command),
    }
}

/// Follows the wheel: what lies in front scrolls.
pub(super) fn turn(app: &mut App, rows: i16) {
    let way = if rows < 0 { Way::Up } else { Way::Down };
    match &mut app.overlay {
        Some(overlay) => overlay.step(isize::from(rows)),
        None => app.transcript.scroll(way, usize::from(rows.unsigned_abs())),
    }
}

/// Moves something that is looked at.
fn moves(app: &mut App, command: Command) {
    let page = usize::from(app.layout.transcript.height.max(2)) - 1;
    match command {
        Command::ScrollPageUp => app.transcript.scroll(Way::Up, page),
        Command::ScrollPageDown => app.transcript.scroll(Way::Down, page),
        Command::HalfUp => app.transcript.scroll(Way::Up, page.div_ceil(2)),
        Command::HalfDown => app.transcript.scroll(Way::Down, page.div_ceil(2)),
        Command::EntryUp => app.transcript.step(Way::Up),
        Command::EntryDown => app.transcript.step(Way::Down),
        Command::TurnPrevious => app.transcript.step_turn(Way::Up),
        Command::TurnNext => app.transcript.step_turn(Way::Down),
        Command::Top => app.transcript.show_first(),
        Command::Follow => app.transcript.follow(),
        Command::QuestionUp => scroll_question(app, -1),
        Command::QuestionDown => scroll_question(app, 1),
        Command::QuestionPageUp => scroll_question(app, -8),
        Command::QuestionPageDown => scroll_question(app, 8),
        Command::ListUp => step_list(app, -1),
        Command::ListDown => step_list(app, 1),
        Command::ListPageUp => step_list(app, -10),
        Command::ListPageDown => step_list(app, 10),
        _ => {}
    }
}

fn scroll_question(app: &mut App, by: isize) {
    if let Some(panel) = app.panels.front_mut() {
        panel.top = panel.top.saturating_add_signed(by);
    }
}

fn step_list(app: &mut App, by: isize) {
    if let Some(overlay) = &mut app.overlay {
        overlay.step(by);
    }
}

fn open(app: &mut App, kind: Kind) {
    let keys = &app.setup.keys;
    app.overlay = Some(match kind {
        Kind::Help => Overlay::help(keys, |command| app.obstacle(command)),
        Kind::Palette | Kind::Bases | Kind::Models => {
            Overlay::palette(keys, |command| app.obstacle(command))
        }
    });
}

/// Takes what is chosen in a list.
fn choose(app: &mut App) -> Vec<Request> {
    let Some(overlay) = app.overlay.take() else {
        return Vec::new();
    };
    let Some(item) = overlay.choice() else {
        return Vec::new();
    };
    if overlay.kind == Kind::Bases {
        return review::based(app, &item.text);
    }
    if overlay.kind == Kind::Models {
        return first::take(app, &item.text);
    }
    if let (Kind::Palette, Some(command)) = (overlay.kind, item.command) {
        match app.obstacle(command) {
            Some(reason) => app.tell(Role::Needed, format!("{}: {reason}", item.text)),
            None => return perform(app, command),
        }
    }
    Vec::new()
}

fn change_focus(app: &mut App) {
    match app.focus {
        Focus::Composer => {
            app.focus = Focus::Transcript;
            app.transcript.select();
        }
        _ => focus_composer(app),
    }
}

fn focus_composer(app: &mut App) {
    app.focus = Focus::Composer;
    app.finding = None;
    app.transcript.unselect();
}

/// Goes back from where the person is, or else stops the agent.
fn back(app: &mut App) -> Vec<Request> {
    if app.focus == Focus::Transcript {
        focus_composer(app);
        return Vec::new();
    }
    if !app.panels.is_empty() {
        return decide(app, Decision::No);
    }
    run::stop(app)
}

/// Decides the open question, once it is awake; yes only when all of it was seen.
fn decide(app: &mut App, decision: Decision) -> Vec<Request> {
    let Some(panel) = app.panels.front() else {
        return Vec::new();
    };
    if !panel.is_awake(app.now) {
        return Vec::new();
    }
    if decision == Decision::Yes && !panel.is_read {
        let text = format!(
            "{} lines are hidden: page down to the end first",
            panel.below
        );
        app.tell(Role::Needed, text);
        return Vec::new();
    }
    let id = panel.question.id;
    app.panels.pop_front();
    approve::wake_next(app);
    vec![Request::Decide { id, decision }]
}

fn unfold(app: &mut App) -> Vec<Request> {
    let wanted = app.transcript.toggle();
    let look = wanted.map(|(session, call)| Request::Look(Query::Detail { session, call }));
    look.into_iter().collect()
}
