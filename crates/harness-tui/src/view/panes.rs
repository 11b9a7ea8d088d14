//! The panes of the session screen: titles, transcript, words that wait, question, composer, notice.

use ratatui::layout::{Position, Rect};

use super::{Canvas, focus_mark, typed};
use crate::{
    app::{App, Focus},
    command::{Command, Place},
    key::Short,
    offer::Offer,
    page::Page,
    question::Panel,
    text::{Role, Row, shortened, tail, width},
    transcript::LEAD,
    vim::Mode,
    work::{Activity, age},
};

pub(super) fn titles(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.layout.titles;
    canvas.rule(area, 0);
    let mark = focus_mark(app.focus == Focus::Transcript);
    let title = match app.work.session {
        Some(session) => format!("Session {session} "),
        None => "Session ".to_owned(),
    };
    canvas.put(
        area,
        0,
        &Row::of(Role::Plain, " ")
            .and(Role::Working, mark)
            .and(Role::Title, title),
    );
    if app.layout.work.width > 0 {
        let column = app.layout.work.x - 2;
        canvas.put_at(
            area,
            0,
            column,
            &Row::of(Role::Quiet, "┬─").and(Role::Title, " Work "),
        );
    }
}

pub(super) fn transcript(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.layout.transcript;
    for (line, seen) in (0..area.height).zip(app.transcript.window()) {
        if seen.is_selected {
            canvas.put(area, line, &Row::of(Role::Working, "▌"));
        }
        canvas.put_at(area, line, 1, &seen.row);
    }
    if app.layout.activity.height > 0 {
        canvas.put(app.layout.activity, 0, &activity(app, canvas));
    }
}

/// What is going on, with the time it has taken.
fn activity(app: &App, canvas: &Canvas<'_>) -> Row {
    let waits = app.work.judged.waits_for_word();
    let (who, what) = match &app.work.activity {
        Activity::Working(tool, _) if tool.is_empty() && waits.is_some() => {
            let number = waits.unwrap_or_default();
            let key = Command::ShowReview;
            let key = app.setup.keys.row(app.place(), key);
            let key = key.map_or(String::new(), |(_, key)| format!(": {}", Short(key)));
            ("ask", format!("waits for your word on #{number}{key}"))
        }
        Activity::Nothing | Activity::Opening => ("harness", "opening".to_owned()),
        Activity::Thinking(_) => ("agent", "thinking".to_owned()),
        Activity::Answering(_) => ("agent", "answering".to_owned()),
        Activity::Calling(tool, _) => ("agent", format!("calling {tool}")),
        Activity::Working(tool, _) if tool.is_empty() => ("harness", "working".to_owned()),
        Activity::Working(tool, _) => ("tool", format!("{tool} runs")),
        Activity::Checking(gate, _) => ("gate", format!("{gate} runs")),
        Activity::Retrying(reason, _) => ("agent", format!("will be asked again: {reason}")),
        Activity::Held(what, _) => ("agent", format!("waits: {what}")),
        Activity::Noting(_) => ("harness", "leaves a note for the next session".to_owned()),
        Activity::Awaiting => ("ask", "waits for you".to_owned()),
        Activity::Stopping => ("harness", "stopping".to_owned()),
    };
    let sign = match app.work.activity {
        Activity::Awaiting => crate::theme::Sign::Needed,
        Activity::Working(..) if who == "ask" => crate::theme::Sign::Needed,
        _ => crate::theme::Sign::Working,
    };
    let since = app
        .work
        .activity
        .since()
        .map(|since| app.now.since(since).as_secs());
    let past = since
        .filter(|seconds| *seconds > 0)
        .map(|seconds| format!("  {}", age(seconds)));
    let left = app
        .left()
        .map(|seconds| format!("  {}", countdown(seconds)));
    let time = past.or(left).unwrap_or_default();
    let row = Row::of(Role::Plain, "  ")
        .and(Role::Quiet, who)
        .padded(LEAD + 1)
        .and(sign.role(), canvas.theme.sign(sign))
        .and(Role::Plain, " ");
    // The time is what changes: it stays in sight, whatever has to be cut.
    let columns = usize::from(app.layout.activity.width);
    let room = columns.saturating_sub(row.width() + width(&time) + 1);
    row.and(Role::Plain, shortened(&what, room))
        .and(Role::Quiet, time)
}

/// Returns what is left of a wait: in seconds as long as a person counts along.
fn countdown(seconds: u64) -> String {
    const COUNTED: u64 = 10 * 60;
    match seconds {
        0..COUNTED => format!("{seconds} s"),
        _ => age(seconds),
    }
}

/// The words that wait for the next turn, the last ones.
pub(super) fn waiting(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.layout.waiting;
    let hidden = app.waiting.len().saturating_sub(usize::from(area.height));
    for (line, (at, text)) in (0..area.height).zip(app.waiting.iter().enumerate().skip(hidden)) {
        let mut row = Row::of(Role::Plain, "  ")
            .and(Role::Needed, "waits")
            .padded(LEAD + 1);
        // The number is what `/back` takes.
        if app.waiting.len() > 1 {
            row.push(Role::Quiet, format!("{} ", at + 1));
        }
        let room = usize::from(area.width).saturating_sub(row.width() + 16);
        row.push(
            Role::Plain,
            shortened(&harness_report::clean_line(text, 500), room),
        );
        if line == 0 && hidden > 0 {
            row.push(Role::Quiet, format!("  and {hidden} more"));
        }
        if line + 1 == area.height
            && let Some((entry, key)) = app.setup.keys.row(app.place(), Command::TakeBack)
        {
            row.push(Role::Quiet, format!("  {} {}", Short(key), entry.label));
        }
        canvas.put(area, line, &row);
    }
}

pub(super) fn question(app: &App, canvas: &mut Canvas<'_>) {
    let (area, Some(panel)) = (app.layout.panel, app.panels.front()) else {
        return;
    };
    if area.height == 0 {
        return;
    }
    let mark = focus_mark(app.focus == Focus::Composer);
    canvas.put(
        area,
        0,
        &Row::of(Role::Plain, " ")
            .and(Role::Needed, mark)
            .and(Role::Needed, &panel.question.title),
    );
    let turn = panel.approval.as_ref();
    let turn = turn.map(|approval| format!("turn {}", approval.asked.call.turn.0));
    let count = app.panels.len();
    let waiting = (count > 1).then(|| format!("1 of {count} waiting"));
    let told: Vec<String> = turn.into_iter().chain(waiting).collect();
    canvas.put_right(
        area,
        0,
        &Row::of(Role::Quiet, format!("{} ", told.join(", "))),
    );
    for (line, row) in (1..).zip(&panel.window) {
        canvas.put_at(area, line, 3, row);
    }
    let body = 1 + u16::try_from(panel.window.len()).unwrap_or(0);
    let hidden = match (panel.top, panel.below) {
        (0, 0) => String::new(),
        (above, 0) => format!("{above} lines above"),
        (_, below) => format!("{below} lines more below, page down"),
    };
    canvas.put_at(area, body, 3, &Row::of(Role::Quiet, hidden));
    canvas.put_at(area, body + 1, 3, &choices(app, panel));
}

/// The keys of a question: quiet as long as they do not count.
fn choices(app: &App, panel: &Panel) -> Row {
    if let Some(line) = panel
        .approval
        .as_ref()
        .and_then(|approval| approval.line.as_ref())
    {
        let room = usize::from(app.layout.panel.width.saturating_sub(5));
        let prompt = shortened(line.what.prompt(), room / 2);
        // The end of the line is what is being typed.
        let words = typed(&line.text);
        let words = tail(&words, room.saturating_sub(width(&prompt) + 1));
        return Row::of(Role::Strong, prompt)
            .and(Role::Plain, words)
            .and(Role::Chosen, " ");
    }
    if app.focus != Focus::Composer && app.pages.open != Page::Session {
        let key = app.setup.keys.row(app.place(), Command::FocusNext);
        let key = key.map_or(String::new(), |(_, key)| Short(key).to_string());
        return Row::of(Role::Strong, key).and(Role::Plain, " answers it, this page stays");
    }
    let is_awake = panel.is_awake(app.now);
    let mut row = Row::default();
    let mut add = |key: &str, words: &str, is_live: bool| {
        let (strong, plain) = if is_live {
            (Role::Strong, Role::Plain)
        } else {
            (Role::Quiet, Role::Quiet)
        };
        row.push(strong, key);
        row.push(plain, format!(" {words}   "));
    };
    add("y", &panel.question.yes, is_awake && panel.is_read);
    let Some(approval) = &panel.approval else {
        add("n", &panel.question.no, is_awake);
        return row;
    };
    if approval.proposal().is_some() {
        add("o", "leave some out", is_awake && panel.is_read);
        add("n", "otherwise", is_awake);
        add("d", "refuse", is_awake);
        return row;
    }
    if approval.is_action() {
        add("s", "session", is_awake && panel.is_read);
        if approval.rule.is_some() {
            add("a", "always", is_awake && panel.is_read);
            add("e", "edit", is_awake && panel.is_read);
        }
    }
    add("n", "no", is_awake);
    add("d", "never", is_awake);
    row
}

pub(super) fn composer(app: &App, canvas: &mut Canvas<'_>) -> Option<Position> {
    if app.layout.rule.height > 0 {
        canvas.rule(app.layout.rule, 0);
    }
    if app.layout.work.width > 0 && app.layout.panel.height == 0 && app.layout.waiting.height == 0 {
        canvas.put_at(
            app.layout.rule,
            0,
            app.layout.work.x - 2,
            &Row::of(Role::Quiet, "┴"),
        );
    }
    let area = app.layout.composer;
    let is_normal = app.setup.has_vim_keys && app.vim.mode == Mode::Normal;
    let prompt = match (app.asked.is_some(), is_normal) {
        (true, false) => "answer> ",
        (true, true) => "answer: ",
        (false, false) => "> ",
        // As in vim: what is typed now is a command.
        (false, true) => ": ",
    };
    if let Some(offer) = app.offer.as_ref().filter(|_| is_looking_back(app)) {
        return Some(looking_back(area, &offer.needle, canvas));
    }
    canvas.put_at(area, 0, 1, &Row::of(Role::Strong, prompt));
    let indent = 1 + u16::try_from(width(prompt)).unwrap_or(2);
    let (rows, (row, column)) = app
        .composer
        .arrange(usize::from(area.width.saturating_sub(4)));
    if app.composer.is_empty() {
        let room = usize::from(area.width.saturating_sub(indent + 1));
        let hint = shortened(hint(app), room);
        canvas.put_at(area, 0, indent, &Row::of(Role::Quiet, hint));
    }
    // The cursor stays in sight when the text is taller than its room.
    let room = usize::from(area.height).max(1);
    let top = (row + 1).saturating_sub(room);
    let left = |line: usize| if line == 0 { indent } else { 3 };
    for (line, text) in rows.iter().enumerate().skip(top).take(room) {
        let below = u16::try_from(line - top).unwrap_or(0);
        canvas.put_at(area, below, left(line), text);
    }
    let x = area.x + left(row) + u16::try_from(column).unwrap_or(0);
    let y = area.y + u16::try_from(row - top).unwrap_or(0);
    let has_focus = app.focus == Focus::Composer && app.panels.is_empty();
    has_focus.then_some(Position::new(
        x.min(area.x + area.width.saturating_sub(1)),
        y,
    ))
}

/// Whether an earlier text is looked for: the letters stand where the text stands else.
fn is_looking_back(app: &App) -> bool {
    let is_earlier = |offer: &Offer| offer.kind == crate::offer::Kind::Earlier;
    app.place() == Place::Offer && app.offer.as_ref().is_some_and(is_earlier)
}

fn looking_back(area: Rect, needle: &str, canvas: &mut Canvas<'_>) -> Position {
    let room = usize::from(area.width).saturating_sub(12);
    let row = Row::of(Role::Strong, "earlier> ");
    let row = row.and(Role::Plain, tail(&typed(needle), room));
    canvas.put_at(area, 0, 1, &row);
    let column = 1 + u16::try_from(row.width()).unwrap_or(0);
    Position::new(area.x + column.min(area.width.saturating_sub(1)), area.y)
}

/// What the composer is for right now.
fn hint(app: &App) -> &'static str {
    if !app.panels.is_empty() {
        "a question is open above"
    } else if app.asked.is_some() {
        "type the answer, Enter sends it, /later leaves it"
    } else if app.is_awaited() {
        "the agent has stopped: say how to go on"
    } else if app.is_busy() {
        "say something for the next turn, /now TEXT interrupts"
    } else if app.resumable.is_some() {
        "Enter with a text goes on from here, /run TEXT starts anew"
    } else {
        "type a task and press Enter, or /run for all features"
    }
}

pub(super) fn notice(app: &App, canvas: &mut Canvas<'_>) {
    let Some(notice) = &app.notice else { return };
    let area = app.layout.notice;
    let rows = notice.rows(usize::from(area.width), usize::from(area.height));
    for (line, row) in (0..area.height).zip(&rows) {
        canvas.put_at(area, line, 1, row);
    }
}
