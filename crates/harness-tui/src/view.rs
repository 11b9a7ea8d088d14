//! The picture of the state: nothing is decided here, and nothing changes.

mod column;
mod first;
mod footer;
mod header;
mod offer;
mod over;
mod page;
mod panes;
mod review;

pub(crate) use review::tree_columns;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use crate::{
    app::App,
    layout::LEAST,
    page::Page,
    text::{Role, Row, untabbed, width},
    theme::{Signs, Theme, to_ascii},
};

/// Paints the screen; returns where the cursor stands, if it is shown.
///
/// `buffer` is as large as the screen that the state was arranged for.
pub fn view(app: &App, buffer: &mut Buffer) -> Option<Position> {
    let canvas = &mut Canvas {
        buffer,
        theme: app.setup.theme,
    };
    let cursor = if app.layout.fits() {
        whole(app, canvas)
    } else {
        too_small(app, canvas);
        None
    };
    if app.setup.theme.signs == Signs::Ascii {
        to_ascii(buffer);
    }
    cursor
}

/// What stands before the title of a part: a bar where the keys go to it.
const fn focus_mark(has_focus: bool) -> &'static str {
    if has_focus { "▌" } else { " " }
}

fn whole(app: &App, canvas: &mut Canvas<'_>) -> Option<Position> {
    let cursor = match app.pages.open {
        Page::Session => session(app, canvas),
        _ => page::paint(app, canvas),
    };
    panes::notice(app, canvas);
    let finding = offer::finding(app, canvas);
    if finding.is_none() {
        footer::paint(app, canvas);
    }
    let cursor = finding.or(cursor);
    match &app.overlay {
        Some(overlay) => Some(over::paint(app, overlay, canvas)),
        None => cursor,
    }
}

fn session(app: &App, canvas: &mut Canvas<'_>) -> Option<Position> {
    header::paint(app, canvas);
    panes::titles(app, canvas);
    panes::transcript(app, canvas);
    column::paint(app, canvas);
    panes::waiting(app, canvas);
    panes::question(app, canvas);
    let cursor = panes::composer(app, canvas);
    offer::paint(app, canvas);
    cursor
}

fn too_small(app: &App, canvas: &mut Canvas<'_>) {
    let whole = app.layout.whole;
    let text = format!(
        "{}x{} is too small, {}x{} is needed",
        whole.width, whole.height, LEAST.0, LEAST.1
    );
    canvas.put(whole, 0, &Row::of(Role::Needed, text));
    canvas.put(
        whole,
        1,
        &Row::of(Role::Plain, "hint: make it larger, or use --plain"),
    );
}

/// Returns what a person has typed as it is shown, with the blanks at its ends: the cursor is behind them.
fn typed(text: &str) -> String {
    harness_report::clean(&untabbed(text)).into_owned()
}

/// The most columns of a cluster that anybody writes.
const CLUSTER_MAX: u16 = 8;

/// Where rows are painted.
struct Canvas<'a> {
    buffer: &'a mut Buffer,
    theme: Theme,
}

impl Canvas<'_> {
    /// Paints a row into a line of an area, cut at its end.
    fn put(&mut self, area: Rect, line: u16, row: &Row) {
        self.put_at(area, line, 0, row);
    }

    /// The same from a column on.
    fn put_at(&mut self, area: Rect, line: u16, column: u16, row: &Row) {
        if line >= area.height || column >= area.width {
            return;
        }
        let (mut x, y) = (area.x + column, area.y + line);
        self.uncover(x, y);
        for piece in &row.pieces {
            let room = usize::from((area.x + area.width).saturating_sub(x));
            let style = self.theme.style(piece.role);
            (x, _) = self.buffer.set_stringn(x, y, &piece.text, room, style);
        }
    }

    /// Takes a cluster away of which a part is painted over: half of it cannot be shown.
    fn uncover(&mut self, x: u16, y: u16) {
        for head in (x.saturating_sub(CLUSTER_MAX)..x).rev() {
            let columns = width(self.buffer[(head, y)].symbol());
            if usize::from(x - head) < columns {
                self.buffer[(head, y)].set_symbol(" ");
                return;
            }
        }
    }

    /// Paints a row that ends at the right.
    fn put_right(&mut self, area: Rect, line: u16, row: &Row) {
        let width = u16::try_from(row.width()).unwrap_or(u16::MAX);
        self.put_at(area, line, area.width.saturating_sub(width), row);
    }

    /// Draws a rule.
    fn rule(&mut self, area: Rect, line: u16) {
        let row = Row::of(Role::Quiet, "─".repeat(usize::from(area.width)));
        self.put(area, line, &row);
    }

    /// Turns a line of an area over, as what is chosen.
    fn choose(&mut self, area: Rect, line: u16) {
        if line < area.height {
            let area = Rect::new(area.x, area.y + line, area.width, 1);
            self.buffer.set_style(area, self.theme.style(Role::Chosen));
        }
    }
}
