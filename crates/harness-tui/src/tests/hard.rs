//! Texts that are hard to show, and what holds of every frame whatever it shows.

use std::{collections::BTreeSet, num::NonZero};

use ratatui::{buffer::Buffer, layout::Position};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

use super::desk::Desk;
use crate::text::width;

const TEXTS: &str = include_str!("hard.txt");

/// Returns every text with its name.
pub(super) fn hard() -> Vec<(&'static str, String)> {
    let lines = TEXTS.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, text) = line.split_once(": ").expect("a name and a text");
            (name, decoded(text))
        })
        .collect()
}

/// Returns all of them in one text, a line each.
pub(super) fn all_hard() -> String {
    hard().iter().map(|(_, text)| format!("{text}\n")).collect()
}

/// Reads what is written as `\u{..}` and `\x..`; bytes that are no characters are replaced, as
/// everything that reads a file or an output does.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let after = &rest[at + 1..];
        let (hex, length) = match after.as_bytes().first() {
            Some(b'u') => {
                let end = after.find('}').expect("a character ends with }");
                (&after[2..end], end + 1)
            }
            Some(b'x') => (&after[1..3], 3),
            Some(b't') => ("09", 1),
            Some(b'r') => ("0d", 1),
            Some(b'n') => ("0a", 1),
            _ => ("5c", 1),
        };
        let number = u32::from_str_radix(hex, 16).expect("a number");
        match after.starts_with('u') {
            true => {
                let char = char::from_u32(number).expect("a character");
                bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
            false => bytes.push(u8::try_from(number).expect("a byte")),
        }
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a character acts on a terminal, or cannot be seen and changes what is around it.
fn acts(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(char, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
        || matches!(char, '\u{ad}' | '\u{180b}'..='\u{180f}' | '\u{2028}'..='\u{2029}' | '\u{3164}')
}

/// Says what is wrong with a frame; nothing is when it is sound.
///
/// Each cell holds one whole cluster that acts on nothing, each row is exactly as wide as the
/// screen, and nothing stands where a wide cluster covers it.
pub(super) fn fault(buffer: &Buffer, cursor: Option<Position>, is_ascii: bool) -> Option<String> {
    let area = buffer.area;
    if let Some(at) = cursor
        && (at.x >= area.width || at.y >= area.height)
    {
        return Some(format!("the cursor is at {at} of {area}"));
    }
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let symbol = buffer[(x, y)].symbol();
            if matches!(symbol.as_bytes(), [b' '..=b'~']) {
                x += 1;
                continue;
            }
            let columns = u16::try_from(width(symbol)).unwrap_or(u16::MAX);
            let at = || format!("`{}` at {x},{y} of {area}", symbol.escape_debug());
            if symbol.chars().any(acts) {
                return Some(format!("{} acts", at()));
            }
            if columns == 0 {
                return Some(format!("{} has no width", at()));
            }
            if columns > area.width - x {
                return Some(format!("{} is {columns} wide", at()));
            }
            let is_whole = match is_ascii {
                true => symbol.is_ascii(),
                false => symbol.graphemes(true).count() == 1,
            };
            if !is_whole {
                return Some(format!("{} is not one sign", at()));
            }
            let covered = (1..columns).find(|more| buffer[(x + more, y)].symbol() != " ");
            if let Some(more) = covered {
                let below = buffer[(x + more, y)].symbol();
                return Some(format!("{} covers `{}`", at(), below.escape_debug()));
            }
            x += columns;
        }
    }
    None
}

/// A terminal that shows what was sent, to hold against what was meant.
pub(super) struct Emulator {
    parser: vt100::Parser,
    size: (u16, u16),
    /// Rows with something that terminals measure differently; they are known again once all is
    /// painted anew.
    doubtful: BTreeSet<u16>,
}

impl Emulator {
    pub(super) fn new() -> Self {
        Self {
            parser: vt100::Parser::new(length(1), length(1), 0),
            size: (0, 0),
            doubtful: BTreeSet::new(),
        }
    }

    /// Takes the bytes of a frame; says where it shows something else than was meant.
    pub(super) fn show(
        &mut self,
        bytes: &[u8],
        buffer: &Buffer,
        cursor: Option<Position>,
    ) -> Option<String> {
        let size = (buffer.area.width, buffer.area.height);
        if size.0 == 0 || size.1 == 0 {
            return None;
        }
        if size != self.size {
            self.parser = vt100::Parser::new(length(size.1), length(size.0), 0);
            (self.size, self.doubtful) = (size, BTreeSet::new());
        }
        self.parser.process(bytes);
        for y in 0..size.1 {
            if (0..size.0).any(|x| is_doubtful(buffer[(x, y)].symbol())) {
                // What is too long for a terminal goes on in the next row, and may scroll.
                match y + 1 == size.1 {
                    true => self.doubtful.extend(0..size.1),
                    false => self.doubtful.extend([y, y + 1]),
                }
            }
        }
        let screen = self.parser.screen();
        for (y, shown) in (0..size.1).zip(screen.rows(0, size.0)) {
            if self.doubtful.contains(&y) {
                continue;
            }
            let meant = row(buffer, y);
            if meant.trim_end() != shown.trim_end() {
                return Some(format!(
                    "row {y} of {size:?}:\n{meant}\nis shown as\n{shown}"
                ));
            }
        }
        let at = screen.cursor_position();
        let seen = (!screen.hide_cursor()).then(|| Position::new(at.1, at.0));
        (seen != cursor).then(|| format!("the cursor is at {seen:?}, not {cursor:?}"))
    }
}

fn length(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has room")
}

/// Whether terminals do not agree on the width of a cluster: they add up characters, or they do not.
fn is_doubtful(symbol: &str) -> bool {
    if symbol.len() == 1 {
        return false;
    }
    let added: usize = symbol
        .chars()
        .map(|char| char.width().unwrap_or(0).min(2))
        .sum();
    // The emulator leaves the replacement character out, and marks beyond a handful.
    added != width(symbol)
        || symbol.contains('\u{fffd}')
        || symbol.chars().count() > 6
        || symbol.chars().next().and_then(char::width) == Some(0)
}

fn row(buffer: &Buffer, y: u16) -> String {
    let mut text = String::new();
    let mut x = 0;
    while x < buffer.area.width {
        let symbol = buffer[(x, y)].symbol();
        text.push_str(symbol);
        x += u16::try_from(width(symbol).max(1)).unwrap_or(1);
    }
    text
}

/// Draws the next frame and holds it against everything that is said of frames here.
pub(super) fn look(desk: &mut Desk, emulator: &mut Emulator) -> Result<usize, String> {
    let bytes = desk.bytes();
    let again = desk.bytes();
    if !again.is_empty() {
        return Err(format!("drawn again it costs {} bytes", again.len()));
    }
    let (buffer, cursor) = desk.buffer();
    let is_ascii = desk.app.setup.theme.signs == crate::Signs::Ascii;
    if let Some(fault) = fault(&buffer, cursor, is_ascii) {
        return Err(fault);
    }
    for begin in [&b"\x1b]"[..], b"\x1bP", b"\x1b_", b"\x1b[2J", b"\x1b[6n"] {
        if bytes.windows(begin.len()).any(|part| part == begin) {
            return Err(format!("{begin:?} is sent"));
        }
    }
    match emulator.show(&bytes, &buffer, cursor) {
        Some(fault) => Err(fault),
        None => Ok(bytes.len()),
    }
}
