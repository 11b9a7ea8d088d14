//! Help and lists, over everything else.

use ratatui::layout::{Position, Rect};

use super::{Canvas, typed};
use crate::{
    app::App,
    overlay::{Item, Kind, Overlay},
    text::{Role, Row, shortened, tail},
};

/// Columns for the keys.
const KEYS: usize = 18;
/// The least room for a reason that is worth reading.
const REASON_MIN: usize = 10;

pub(super) fn paint(app: &App, overlay: &Overlay, canvas: &mut Canvas<'_>) -> Position {
    let area = app.layout.overlay();
    clear(area, canvas);
    canvas.rule(area, 0);
    let title = Row::of(Role::Plain, " ")
        .and(Role::Title, overlay.kind.title())
        .and(Role::Plain, " ");
    canvas.put_at(area, 0, 2, &title);
    let room = usize::from(area.width).saturating_sub(title.width() + 12);
    let words = typed(&overlay.needle);
    // The end of it is what is being typed.
    let needle = Row::of(Role::Quiet, " find: ").and(Role::Strong, tail(&words, room));
    let needle = needle.and(Role::Plain, " ");
    let column = 2 + u16::try_from(title.width()).unwrap_or(0) + 1;
    canvas.put_at(area, 0, column, &needle);
    let inner = Rect::new(
        area.x,
        area.y + 1,
        area.width,
        area.height.saturating_sub(2),
    );
    let seen = overlay.items.iter().enumerate().skip(overlay.top);
    for (line, (index, item)) in (0..inner.height).zip(seen) {
        canvas.put(inner, line, &row(item, usize::from(inner.width)));
        if overlay.kind != Kind::Help && index == overlay.chosen {
            canvas.choose(inner, line);
        }
    }
    if overlay.items.is_empty() {
        canvas.put_at(
            inner,
            0,
            2,
            &Row::of(Role::Quiet, "nothing fits these letters"),
        );
    }
    let end = area.height.saturating_sub(1);
    canvas.rule(area, end);
    let shown = overlay.top + usize::from(inner.height);
    let more = overlay.items.len().saturating_sub(shown);
    if more > 0 {
        canvas.put_right(
            area,
            end,
            &Row::of(Role::Quiet, format!(" {more} more below ")),
        );
    }
    let x = area.x + column + u16::try_from(needle.width()).unwrap_or(0) - 1;
    Position::new(x.min(area.x + area.width - 1), area.y)
}

fn clear(area: Rect, canvas: &mut Canvas<'_>) {
    let blank = Row::of(Role::Plain, " ".repeat(usize::from(area.width)));
    for line in 0..area.height {
        canvas.put(area, line, &blank);
    }
    canvas
        .buffer
        .set_style(area, ratatui::style::Style::reset());
}

fn row(item: &Item, columns: usize) -> Row {
    if item.is_heading {
        return Row::of(Role::Title, format!(" {}", item.text));
    }
    let mut row = Row::of(Role::Plain, "  ");
    row.push(Role::Strong, shortened(&item.aside, KEYS - 2));
    let mut row = row.padded(KEYS);
    let role = if item.reason.is_empty() {
        Role::Plain
    } else {
        Role::Quiet
    };
    let line = harness_report::clean_line(&item.text, 400);
    row.push(
        role,
        shortened(&line, columns.saturating_sub(row.width() + 1)),
    );
    let room = columns.saturating_sub(row.width() + 5);
    if !item.reason.is_empty() && room > REASON_MIN {
        row.push(
            Role::Quiet,
            format!("  ({})", shortened(&item.reason, room)),
        );
    }
    row
}
