//! The output of a program as it coloured it: its sixteen colours and weights stay, all else that
//! acts on a terminal goes.

use crate::text::{Role, Row, untabbed};

/// The most of an output that is shown; the cut is marked. Unit: bytes.
const BYTES_MAX: usize = 512 * 1024;
/// The longest line; what is longer is cut. Unit: characters.
const LINE_CHARS_MAX: usize = 5_000;

/// How a program wants its text to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ink {
    /// One of the terminal's sixteen colours.
    pub(crate) colour: Option<u8>,
    /// Bold.
    pub(crate) is_bold: bool,
    /// Dim.
    pub(crate) is_dim: bool,
    /// Italic.
    pub(crate) is_slanted: bool,
    /// Underlined.
    pub(crate) is_underlined: bool,
}

/// Returns an output in lines: colours kept, other escape codes removed, what is left cleaned.
///
/// A carriage return within a line begins it anew, as a terminal would show it in the end.
pub(crate) fn inked(text: &str) -> Vec<Row> {
    let end = (0..=text.len().min(BYTES_MAX))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let mut paper = Paper::default();
    let mut chars = text[..end].chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => escape(&mut chars, &mut paper.ink),
            '\u{9b}' => control(&mut chars, &mut paper.ink),
            '\n' => paper.end_line(),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => paper.begin_anew(),
            '\u{8}' => paper.back(),
            char => paper.put(char),
        }
    }
    paper.end_text();
    if end < text.len() {
        let mark = format!("[{} bytes more are left out]", text.len() - end);
        paper.lines.push(Row::of(Role::Quiet, mark));
    }
    paper.lines
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Takes what follows an escape; only colours and weights mean anything.
fn escape(chars: &mut Chars<'_>, ink: &mut Ink) {
    match chars.next() {
        Some('[') => control(chars, ink),
        // Strings for the terminal, up to their end.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(char) = chars.next() {
                match char {
                    '\u{7}' | '\u{9c}' => break,
                    '\u{1b}' => {
                        chars.next_if_eq(&'\\');
                        break;
                    }
                    // Nothing that was never closed swallows the lines behind it.
                    '\n' => break,
                    _ => {}
                }
            }
        }
        Some('(' | ')' | '#' | ' ' | '%') => {
            chars.next();
        }
        _ => {}
    }
}

/// Takes a control sequence.
fn control(chars: &mut Chars<'_>, ink: &mut Ink) {
    let mut parameters = String::new();
    while let Some(char) = chars.peek().copied() {
        match char {
            '\u{20}'..='\u{3f}' if parameters.len() < 64 => parameters.push(char),
            '\u{20}'..='\u{3f}' => {}
            '\u{40}'..='\u{7e}' => {
                chars.next();
                if char == 'm' {
                    colour(&parameters, ink);
                }
                return;
            }
            _ => return,
        }
        chars.next();
    }
}

fn colour(parameters: &str, ink: &mut Ink) {
    let mut numbers = parameters
        .split([';', ':'])
        .map(|number| number.parse::<u16>().unwrap_or(0));
    while let Some(number) = numbers.next() {
        match number {
            0 => *ink = Ink::default(),
            1 => ink.is_bold = true,
            2 => ink.is_dim = true,
            3 => ink.is_slanted = true,
            4 => ink.is_underlined = true,
            22 => (ink.is_bold, ink.is_dim) = (false, false),
            23 => ink.is_slanted = false,
            24 => ink.is_underlined = false,
            30..=37 => ink.colour = u8::try_from(number - 30).ok(),
            90..=97 => ink.colour = u8::try_from(number - 82).ok(),
            39 => ink.colour = None,
            38 => ink.colour = wide(&mut numbers),
            // A background of somebody else's is none of ours; its numbers are skipped.
            48 | 58 => _ = wide(&mut numbers),
            _ => {}
        }
    }
}

/// Returns the nearest of the terminal's own colours.
fn wide(numbers: &mut impl Iterator<Item = u16>) -> Option<u8> {
    match numbers.next()? {
        5 => match numbers.next()? {
            own @ 0..=15 => u8::try_from(own).ok(),
            cube @ 16..=231 => {
                let cube = cube - 16;
                Some(nearest([cube / 36 * 51, cube / 6 % 6 * 51, cube % 6 * 51]))
            }
            _ => None,
        },
        2 => Some(nearest([numbers.next()?, numbers.next()?, numbers.next()?])),
        _ => None,
    }
}

fn nearest([red, green, blue]: [u16; 3]) -> u8 {
    let bit = |value: u16, bit: u8| if value >= 96 { bit } else { 0 };
    let bright = if red.max(green).max(blue) >= 224 {
        8
    } else {
        0
    };
    bit(red, 1) | bit(green, 2) | bit(blue, 4) | bright
}

/// The lines so far and the one that is being written.
#[derive(Default)]
struct Paper {
    lines: Vec<Row>,
    line: Row,
    /// What is written in one ink, not yet cleaned.
    run: String,
    written: Ink,
    ink: Ink,
    chars: usize,
}

impl Paper {
    fn put(&mut self, char: char) {
        self.chars += 1;
        if self.chars > LINE_CHARS_MAX {
            return;
        }
        if self.ink != self.written {
            self.end_run();
            self.written = self.ink;
        }
        self.run.push(char);
    }

    fn back(&mut self) {
        self.run.pop();
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        let role = match self.written == Ink::default() {
            true => Role::Plain,
            false => Role::Own(self.written),
        };
        let text = harness_report::clean(&run);
        self.line.push(role, untabbed(&text));
    }

    fn end_line(&mut self) {
        self.end_run();
        if self.chars > LINE_CHARS_MAX {
            self.line.push(Role::Quiet, "…");
        }
        self.lines.push(std::mem::take(&mut self.line));
        self.chars = 0;
    }

    fn begin_anew(&mut self) {
        self.run.clear();
        self.line = Row::default();
        self.chars = 0;
    }

    fn end_text(&mut self) {
        self.end_run();
        if !self.line.pieces.is_empty() {
            self.end_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        inked(text).iter().map(Row::to_text).collect()
    }

    #[test]
    fn colours_stay_and_all_other_codes_go() {
        let rows =
            inked("\u{1b}[1;31merror\u{1b}[0m: \u{1b}[38;5;9mred\u{1b}[39m\u{1b}[2J\u{1b}[H end\n");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].to_text(), "error: red end");
        let red = |is_bold, colour| {
            Role::Own(Ink {
                colour: Some(colour),
                is_bold,
                ..Ink::default()
            })
        };
        let roles: Vec<Role> = rows[0].pieces.iter().map(|piece| piece.role).collect();
        assert_eq!(
            roles,
            [red(true, 1), Role::Plain, red(false, 9), Role::Plain]
        );
    }

    #[test]
    fn nothing_that_acts_on_the_terminal_is_left() {
        for attack in [
            "\u{1b}]52;c;aGk=\u{7}x",
            "\u{1b}]52;c;aGk=\u{1b}\\x",
            "\u{1b}P$q\"p\u{1b}\\x",
            "\u{1b}[6nx",
            "\u{1b}[c\u{5}x",
            "\u{9b}6nx",
            "\u{1b}(0x",
            "\u{1b}",
            "\u{1b}[",
            "\u{1b}]11;?",
            "\u{202e}x\u{200d}",
            "\u{1b}[99999999999999999999mx",
            "\u{1b}[38;5mx\u{1b}[38mx",
        ] {
            for row in inked(attack) {
                let text = row.to_text();
                assert!(!text.chars().any(char::is_control), "{attack:?}: {text:?}");
                assert!(!text.contains('\u{202e}') && !text.contains('\u{200d}'));
                assert!(!text.contains("aGk"), "{text}");
            }
        }
        // What is never closed swallows its own line alone.
        assert_eq!(texts("\u{1b}]52;c;xxx\nnext\n"), ["next"]);
    }

    #[test]
    fn a_bar_that_is_drawn_over_itself_shows_its_end() {
        assert_eq!(texts("10%\r50%\r100%\r\ndone\u{8}t\n"), ["100%", "dont"]);
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let line = "x".repeat(LINE_CHARS_MAX + 10);
        assert!(texts(&line)[0].ends_with("x…"));
        let many = "y\n".repeat(BYTES_MAX);
        let rows = texts(&many);
        assert_eq!(
            rows.last().unwrap(),
            &format!("[{BYTES_MAX} bytes more are left out]")
        );
    }
}
