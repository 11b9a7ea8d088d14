//! A page: its header, its list or the text over it, what the chosen row has more, what waits for the person.

use ratatui::layout::Position;

use super::{Canvas, first, focus_mark, panes, review, typed};
use crate::{
    app::{App, Focus},
    command::Command,
    found::{Errand, Reach},
    key::Short,
    page::{self, Page},
    pages::State,
    text::{Role, Row, shortened, width},
    theme::Sign,
    work::Activity,
};

/// Blanks between two items of a header.
const GAP: &str = "   ";

pub(super) fn paint(app: &App, canvas: &mut Canvas<'_>) -> Option<Position> {
    header(app, canvas);
    match &app.pages.reader {
        Some(_) => reader(app, canvas),
        None => body(app, canvas),
    }
    below(app, canvas);
    asked(app, canvas);
    panes::question(app, canvas);
    let answers = app.focus == Focus::Composer && app.panels.is_empty() && app.asked.is_some();
    let cursor = match app.layout.composer.height {
        0 => None,
        _ => panes::composer(app, canvas).filter(|_| answers),
    };
    prompt(app, canvas).or(cursor)
}

/// The first line: the page, what it counts, and on the right what goes on meanwhile.
fn header(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.layout.header;
    let columns = usize::from(area.width).saturating_sub(1);
    // The parts of a review have titles of their own.
    let has_focus = matches!(app.focus, Focus::List)
        && app.pages.prompt.is_none()
        && app.pages.open != Page::Review;
    let mark = focus_mark(has_focus);
    let mut left = Row::of(Role::Working, mark).and(Role::Title, app.pages.open.title());
    let meanwhile = meanwhile(app, canvas);
    let aside = meanwhile.as_ref().map_or(0, |row| row.width() + GAP.len());
    let (items, outcome) = told(app, canvas, columns.saturating_sub(left.width() + aside));
    let right = match (outcome, meanwhile) {
        (Some(outcome), Some(meanwhile)) => {
            let mut both = outcome.and(Role::Plain, GAP);
            both.pieces.extend(meanwhile.pieces.iter().cloned());
            // What goes on is said where there is no room for both.
            let has_room = left.width() + GAP.len() + both.width() <= columns;
            Some(if has_room { both } else { meanwhile })
        }
        (outcome, meanwhile) => meanwhile.or(outcome),
    };
    let taken = right.as_ref().map_or(0, |row| row.width() + GAP.len());
    for item in items {
        if left.width() + GAP.len() + item.width() + taken > columns {
            break;
        }
        left.push(Role::Plain, GAP);
        left.pieces.extend(item.pieces);
    }
    canvas.put(area, 0, &left);
    if let Some(right) = right {
        let mut area = area;
        area.width = area.width.saturating_sub(1);
        let room = columns.saturating_sub(left.width() + GAP.len());
        if right.width() <= room {
            canvas.put_right(area, 0, &right);
        } else if let Some(first) = right.pieces.first() {
            // What goes on is cut before it goes.
            let text: String = right
                .pieces
                .iter()
                .map(|piece| piece.text.as_str())
                .collect();
            let cut = Row::of(first.role, shortened(&text, room));
            canvas.put_right(area, 0, &cut);
        }
    }
}

/// Says what goes on while a page is open: a question first, then a run, then an errand.
fn meanwhile(app: &App, canvas: &Canvas<'_>) -> Option<Row> {
    let signed = |sign: Sign, text: &str| {
        Row::of(sign.role(), canvas.theme.sign(sign)).and(Role::Plain, format!(" {text}"))
    };
    if page::is_asked(app) {
        let count = app.panels.len().max(1);
        let text = match count {
            1 => "1 question".to_owned(),
            many => format!("{many} questions"),
        };
        return Some(signed(Sign::Needed, &text));
    }
    match (&app.pages.errand, app.is_busy()) {
        (Some(errand), _) => Some(signed(Sign::Working, doing(errand))),
        (None, true)
            if app.work.activity == Activity::Awaiting
                || app.work.judged.waits_for_word().is_some() =>
        {
            Some(signed(Sign::Needed, "waits for you"))
        }
        (None, true) => Some(signed(Sign::Working, "running")),
        (None, false) => None,
    }
}

const fn doing(errand: &Errand) -> &'static str {
    match errand {
        Errand::RunGates { .. } => "gates run",
        Errand::Undo { .. } => "files go back",
        Errand::Add { .. } | Errand::Amend { .. } | Errand::Move { .. } => "the list is written",
        Errand::Block { .. } | Errand::Reopen { .. } => "the list is written",
        Errand::Init => "harness.toml is written",
        Errand::Rename { .. } | Errand::Archive { .. } => "the session is written",
    }
}

/// Returns what a page counts, and what it comes to. Unit of the room: columns.
fn told(app: &App, canvas: &Canvas<'_>, room: usize) -> (Vec<Row>, Option<Row>) {
    let pages = &app.pages;
    let plain = |text: String| Row::of(Role::Plain, text);
    let filter = pages.list().map(|list| list.needle()).unwrap_or_default();
    let filter = (!filter.is_empty()).then(|| {
        let shown = pages.list().map_or(0, |list| list.shown().count());
        Row::of(Role::Needed, format!("/ {}  {shown} shown", typed(filter)))
    });
    let mut items: Vec<Row> = filter.into_iter().collect();
    let mut outcome = None;
    match pages.open {
        Page::Session => {}
        Page::First => items = first::told(app),
        Page::Review => items = review::told(app, room, GAP.len()),
        Page::Features => {
            items.insert(0, plain(pages.features.len().to_string()));
            items.extend(
                pages
                    .features
                    .counts()
                    .into_iter()
                    .map(|(sign, word, count)| {
                        Row::of(Role::Plain, format!("{count} "))
                            .and(sign.role(), canvas.theme.sign(sign))
                            .and(Role::Plain, format!(" {word}"))
                    }),
            );
        }
        Page::Gates => {
            let (told, comes_to) = pages.gates.told();
            items.extend(told.into_iter().map(plain));
            outcome = comes_to.map(|text| {
                let is_good = !text.contains("not green");
                Row::of(if is_good { Role::Good } else { Role::Bad }, text)
            });
        }
        Page::Checkpoints => {
            let session = pages.checkpoints.session.map(|session| session.to_string());
            items.extend(session.map(plain));
            items.push(plain(pages.checkpoints.len().to_string()));
        }
        Page::Sessions => {
            let reach = match pages.sessions.reach {
                Reach::Here => "this repo",
                Reach::Everywhere => "all repos",
            };
            items.insert(0, plain(reach.to_owned()));
            if pages.sessions.older > 0 {
                items.push(plain(format!("{} older not shown", pages.sessions.older)));
            }
            if pages.sessions.archived > 0 {
                items.push(plain(format!("{} archived", pages.sessions.archived)));
            }
        }
    }
    (items, outcome)
}

/// The list, or why there is none.
fn body(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.pages.room.body;
    if app.pages.open == Page::First {
        return first::paint(app, canvas);
    }
    let Some(list) = app.pages.list() else {
        return review::paint(app, canvas);
    };
    if list.shown().next().is_none() {
        let rows = match app.pages.state() {
            State::Unknown | State::Asked if list.is_empty() => {
                vec![Row::of(Role::Quiet, "looking")]
            }
            State::Failed(failed) => {
                let message = harness_report::clean_line(&failed.message, 400);
                let mut rows = vec![Row::of(Role::Bad, format!("error: {message}"))];
                rows.extend(failed.hint.as_ref().map(|hint| {
                    let hint = harness_report::clean_line(hint, 400);
                    Row::of(Role::Plain, format!("hint: {hint}"))
                }));
                rows
            }
            _ if list.is_empty() => nothing(app.pages.open),
            _ => vec![Row::of(
                Role::Quiet,
                "nothing has these letters; esc shows all again",
            )],
        };
        for (line, row) in (0..area.height).zip(&rows) {
            canvas.put_at(area, line, 3, row);
        }
        return;
    }
    let columns = usize::from(area.width);
    let rows = list.rows(columns, usize::from(area.height), canvas.theme);
    for (line, (row, is_chosen)) in (0..area.height).zip(&rows) {
        canvas.put(area, line, row);
        if *is_chosen && app.focus != Focus::Below {
            canvas.choose(area, line);
        }
    }
    let (_, hidden) = list.hidden();
    if hidden > 0 && rows.len() < usize::from(area.height) {
        let line = u16::try_from(rows.len()).unwrap_or(u16::MAX);
        canvas.put_at(
            area,
            line,
            3,
            &Row::of(Role::Quiet, format!("{hidden} more")),
        );
    }
}

/// What to do where a page has nothing to show.
fn nothing(page: Page) -> Vec<Row> {
    let (what, hint) = match page {
        Page::Features => (
            "there is no feature yet",
            "n adds one; /plan GOAL has some proposed",
        ),
        Page::Gates => (
            "there are no gates, so nothing can be proven",
            "`harness init` proposes some",
        ),
        Page::Checkpoints => (
            "nothing was saved yet",
            "a run saves what the agent changes",
        ),
        Page::Sessions => (
            "there is no session yet",
            "type a task on the session page: F2",
        ),
        Page::Session | Page::Review | Page::First => ("", ""),
    };
    vec![Row::of(Role::Quiet, what), Row::of(Role::Quiet, hint)]
}

/// The text over the page: its title with the place in it, then its lines.
fn reader(app: &App, canvas: &mut Canvas<'_>) {
    let (area, Some(reader)) = (app.pages.room.body, &app.pages.reader) else {
        return;
    };
    canvas.rule(area, 0);
    let (line, lines) = reader.place();
    let place = Row::of(Role::Quiet, format!(" {line} of {lines} lines "));
    let room = usize::from(area.width).saturating_sub(place.width() + 4);
    let title = shortened(&reader.title, room);
    let title = Row::of(Role::Plain, " ")
        .and(Role::Title, title)
        .and(Role::Plain, " ");
    canvas.put_at(area, 0, 1, &title);
    canvas.put_right(area, 0, &place);
    for (line, row) in (1..area.height).zip(&reader.window) {
        canvas.put_at(area, line, 1, row);
    }
}

/// What the chosen row has more, below a rule with its title.
fn below(app: &App, canvas: &mut Canvas<'_>) {
    let room = app.pages.room;
    if room.below.height == 0 {
        return;
    }
    canvas.rule(room.rule, 0);
    let below = &app.pages.below;
    let has_focus = app.focus == Focus::Below;
    let (line, lines) = below.place();
    if app.pages.open == Page::Features || has_focus {
        let mark = focus_mark(has_focus);
        let columns = usize::from(room.rule.width).saturating_sub(20);
        let title = Row::of(Role::Working, mark)
            .and(Role::Title, shortened(&below.title, columns))
            .and(Role::Plain, " ");
        canvas.put_at(room.rule, 0, 1, &title);
    }
    if line < lines {
        let more = Row::of(Role::Quiet, format!(" {} more ", lines - line));
        canvas.put_right(room.rule, 0, &more);
    }
    for (line, row) in (0..room.below.height).zip(&below.window) {
        canvas.put_at(room.below, line, 1, row);
    }
}

/// The agent's question, above the line that answers it.
fn asked(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.pages.room.asked;
    if area.height == 0 {
        return;
    }
    let mark = focus_mark(app.focus == Focus::Composer);
    let question = harness_report::clean(&app.question);
    let columns = usize::from(area.width).saturating_sub(8);
    let lines: Vec<&str> = question.lines().collect();
    let hidden = lines.len().saturating_sub(usize::from(area.height));
    for (line, text) in (0..area.height).zip(&lines) {
        let lead = if line == 0 { "ask  " } else { "     " };
        let mut row = Row::of(Role::Working, if line == 0 { mark } else { " " })
            .and(Role::Needed, lead)
            .and(Role::Plain, shortened(text, columns));
        if line + 1 == area.height && hidden > 0 {
            row.push(Role::Quiet, format!("  and {hidden} more lines: F2"));
        } else if line == 0
            && app.focus != Focus::Composer
            && let Some((_, key)) = app.setup.keys.row(app.place(), Command::FocusNext)
            && row.width() + 16 < usize::from(area.width)
        {
            row.push(Role::Quiet, format!("  {} answers", Short(key)));
        }
        canvas.put(area, line, &row);
    }
}

/// The line that is typed; its end stays in sight.
fn prompt(app: &App, canvas: &mut Canvas<'_>) -> Option<Position> {
    let (area, prompt) = (app.pages.room.prompt, app.pages.prompt.as_ref()?);
    let columns = usize::from(area.width).saturating_sub(2);
    let title = shortened(&prompt.title, (columns / 2).max(columns.saturating_sub(24)));
    let room = columns.saturating_sub(width(&title) + 1).max(1);
    let (rows, (row, column)) = prompt.line.arrange(room);
    canvas.put_at(area, 0, 1, &Row::of(Role::Strong, &title));
    let indent = 1 + u16::try_from(width(&title)).unwrap_or(0);
    if let Some(text) = rows.get(row) {
        canvas.put_at(area, 0, indent, text);
    }
    let x = area.x + indent + u16::try_from(column).unwrap_or(0);
    Some(Position::new(
        x.min(area.x + area.width.saturating_sub(1)),
        area.y,
    ))
}
