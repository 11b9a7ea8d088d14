//! From one frame to the next: only the cells that differ are sent.
//!
//! There is no terminal here, only bytes: what a frame costs can be counted.

use std::io;

use ratatui::{
    backend::{Backend as _, CrosstermBackend},
    buffer::{Buffer, Cell},
    layout::{Position, Rect},
};
use unicode_width::UnicodeWidthChar as _;

/// Marks around a frame, so that a terminal that knows them shows it at once.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
const HIDE_CURSOR: &[u8] = b"\x1b[?25l";
const SHOW_CURSOR: &[u8] = b"\x1b[?25h";

/// What the terminal shows.
#[derive(Debug, Default)]
pub struct Painter {
    shown: Buffer,
    cursor: Option<Position>,
    /// Whether what the terminal shows is not known.
    is_unknown: bool,
}

impl Painter {
    /// Makes a painter for a terminal of which nothing is known.
    pub fn new() -> Self {
        Self {
            is_unknown: true,
            ..Self::default()
        }
    }

    /// Forgets what the terminal shows: the next frame is painted whole.
    pub fn forget(&mut self) {
        self.is_unknown = true;
    }

    /// Returns the bytes that turn what is shown into the next frame; none when nothing differs.
    ///
    /// # Errors
    /// Never in practice: the bytes go to memory.
    pub fn frame(
        &mut self,
        area: Rect,
        paint: impl FnOnce(&mut Buffer) -> Option<Position>,
    ) -> io::Result<Vec<u8>> {
        let mut next = Buffer::empty(area);
        let cursor = paint(&mut next);
        let is_whole = self.is_unknown || self.shown.area != area;
        let mut bytes = Vec::new();
        if is_whole {
            bytes.extend_from_slice(BEGIN);
            bytes.extend_from_slice(HIDE_CURSOR);
            // Every cell is sent, so nothing is cleared first and nothing flickers.
            let rows = 0..area.height;
            let cells = rows.flat_map(|y| (0..area.width).map(move |x| (x, y)));
            let next = &next;
            let cells = cells.map(|(x, y)| (x, y, &next[(x, y)]));
            let mut skip = 0_usize;
            let cells = cells.filter(move |(_, _, cell)| {
                let is_hidden = skip > 0;
                skip = match is_hidden {
                    true => skip - 1,
                    false => crate::text::width(cell.symbol()).saturating_sub(1),
                };
                !is_hidden
            });
            CrosstermBackend::new(&mut bytes).draw(cells)?;
        } else {
            unsettle(&mut self.shown, &next);
            let changes = heads_last(self.shown.diff(&next));
            if changes.is_empty() && cursor == self.cursor {
                self.shown = next;
                return Ok(Vec::new());
            }
            bytes.extend_from_slice(BEGIN);
            if !changes.is_empty() {
                // A cursor that jumps about while cells are sent is seen on slow lines.
                if self.cursor.is_some() {
                    bytes.extend_from_slice(HIDE_CURSOR);
                }
                CrosstermBackend::new(&mut bytes).draw(changes.into_iter())?;
            }
        }
        place(&mut bytes, cursor);
        bytes.extend_from_slice(END);
        self.shown = next;
        self.cursor = cursor;
        self.is_unknown = false;
        Ok(bytes)
    }
}

/// Stands in a cell whose picture is not known; no text has it, it is no character.
const UNKNOWN: &str = "\u{10fffe}";

/// Forgets what is shown beside a cluster that comes or goes.
///
/// Terminals do not agree on what takes several columns: some keep `ทำ` or a hand with a colour in
/// as many cells as it has characters. What is left of it would stay for ever.
fn unsettle(shown: &mut Buffer, next: &Buffer) {
    // From the end on: what is forgotten must have been looked at before.
    for at in (0..next.content.len().min(shown.content.len())).rev() {
        let (Some(old), Some(new)) = (shown.content.get(at), next.content.get(at)) else {
            return;
        };
        if old == new {
            continue;
        }
        let reach = reach(old.symbol()).max(reach(new.symbol()));
        let beside = shown.content.iter_mut().skip(at + 1);
        for cell in beside.take(reach.saturating_sub(1)) {
            cell.set_symbol(UNKNOWN);
        }
    }
}

/// Puts what a cluster covers before the cluster: a blank that comes behind it would wipe half of it out.
fn heads_last(changes: Vec<(u16, u16, &Cell)>) -> Vec<(u16, u16, &Cell)> {
    let mut ordered: Vec<(u16, u16, &Cell)> = Vec::with_capacity(changes.len());
    // Where the last cluster stands in the order, and the column behind it.
    let mut head = (0, (0, 0));
    for change in changes {
        let (x, y, cell) = change;
        if (y, x) < head.1 && !ordered.is_empty() {
            ordered.insert(head.0, change);
            head.0 += 1;
            continue;
        }
        let columns = u16::try_from(crate::text::width(cell.symbol())).unwrap_or(1);
        head = (ordered.len(), (y, x.saturating_add(columns.max(1))));
        ordered.push(change);
    }
    ordered
}

/// Returns the most columns that a terminal gives a cluster.
fn reach(symbol: &str) -> usize {
    if symbol.len() == 1 || symbol == UNKNOWN {
        return 1;
    }
    let added = symbol.chars().map(|char| char.width().unwrap_or(0)).sum();
    crate::text::width(symbol).max(added)
}

fn place(bytes: &mut Vec<u8>, cursor: Option<Position>) {
    match cursor {
        Some(at) => {
            let move_there = format!("\x1b[{};{}H", at.y + 1, at.x + 1);
            bytes.extend_from_slice(move_there.as_bytes());
            bytes.extend_from_slice(SHOW_CURSOR);
        }
        None => bytes.extend_from_slice(HIDE_CURSOR),
    }
}
