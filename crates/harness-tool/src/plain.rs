//! The output of a program as a person would have seen it in the end: no escape sequences, and
//! of a line that was written over and over its last state.
//!
//! A terminal's control codes cost a model thousands of tokens and tell it nothing. Called for
//! what a model is shown; what is kept of the output keeps its bytes.

use std::borrow::Cow;

/// The longest line that is worked out cell by cell; a longer one is shown as it came.
const CELLS_MAX: usize = 16 << 10;
/// How much of an output is looked at to tell whether it is text. Unit: characters.
const LOOKED_AT: usize = 4_096;

/// Returns `text` without escape sequences, with what a carriage return or a backspace wrote over left out.
///
/// Line ends become `\n`. What holds nothing of this comes back as it is.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'\r' | 0x08 | 0x1b)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut line = Line::default();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\n' => line.end(&mut out, true),
            '\r' => line.at = 0,
            '\u{8}' => line.at = line.at.saturating_sub(1),
            '\u{1b}' => escape(&mut rest, &mut line),
            character => line.put(character, &mut out),
        }
    }
    line.end(&mut out, false);
    Cow::Owned(out)
}

/// Whether an output is no text: it holds a NUL, or much that is no character.
pub(crate) fn is_binary(text: &str) -> bool {
    let (mut all, mut odd) = (0_usize, 0_usize);
    for character in text.chars().take(LOOKED_AT) {
        all += 1;
        match character {
            '\0' => return true,
            '\u{fffd}' => odd += 1,
            _ => {}
        }
    }
    odd * 10 > all
}

/// The line that is being written.
#[derive(Default)]
struct Line {
    cells: Vec<char>,
    at: usize,
}

impl Line {
    fn put(&mut self, character: char, out: &mut String) {
        if self.cells.len() >= CELLS_MAX {
            out.extend(self.cells.drain(..));
            self.at = 0;
        }
        match self.cells.get_mut(self.at) {
            Some(cell) => *cell = character,
            None => self.cells.push(character),
        }
        self.at += 1;
    }

    fn end(&mut self, out: &mut String, is_ended: bool) {
        out.extend(self.cells.drain(..));
        self.at = 0;
        if is_ended {
            out.push('\n');
        }
    }

    /// Does what `ESC [ … K` says: the line is cleared behind here, before here, or as a whole.
    fn clear(&mut self, how: &str) {
        match how {
            "" | "0" => self.cells.truncate(self.at),
            "1" => {
                let until = self.at.min(self.cells.len());
                self.cells[..until].fill(' ');
            }
            _ => {
                self.cells.clear();
                self.at = 0;
            }
        }
    }
}

/// Takes in what follows an escape character.
fn escape(rest: &mut std::str::Chars<'_>, line: &mut Line) {
    match rest.next() {
        Some('[') => control(rest, line),
        Some(']' | 'P' | 'X' | '^' | '_') => string(rest),
        Some(' '..='/') => {
            // One final character follows the ones in between.
            for character in rest.by_ref() {
                if !matches!(character, ' '..='/') {
                    return;
                }
            }
        }
        _ => {}
    }
}

/// Takes in a control sequence up to its final character; all but the clearing of a line is left out.
fn control(rest: &mut std::str::Chars<'_>, line: &mut Line) {
    const PARAMETERS_MAX: usize = 64;
    let mut parameters = String::new();
    loop {
        let mut ahead = rest.clone();
        match ahead.next() {
            Some(character @ ('0'..='?' | ' '..='/')) if parameters.len() < PARAMETERS_MAX => {
                parameters.push(character);
                *rest = ahead;
            }
            Some(last @ '@'..='~') => {
                *rest = ahead;
                match last {
                    'K' => line.clear(&parameters),
                    'G' => line.at = column(&parameters),
                    _ => {}
                }
                // Behind the end of the line there is nothing to write over.
                line.at = line.at.min(line.cells.len());
                return;
            }
            // What is none ends here, so that a stray escape swallows no line.
            _ => return,
        }
    }
}

fn column(parameters: &str) -> usize {
    let column: usize = parameters.parse().unwrap_or(1);
    column.saturating_sub(1)
}

/// Takes in a string that a bell or `ESC \` ends, or the line.
fn string(rest: &mut std::str::Chars<'_>) {
    loop {
        let mut ahead = rest.clone();
        match ahead.next() {
            None | Some('\n') => return,
            Some('\u{7}') => {
                *rest = ahead;
                return;
            }
            Some('\u{1b}') => {
                if ahead.next() == Some('\\') {
                    *rest = ahead;
                }
                return;
            }
            Some(_) => *rest = ahead,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(plain(text), expected, "{text:?}");
    }

    #[test]
    fn a_text_of_a_program_that_expects_no_terminal_stays_as_it_is() {
        assert!(matches!(plain("a\tb\nü\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn colours_titles_and_links_are_left_out() {
        check("\u{1b}[1;31merror\u{1b}[0m: no\n", "error: no\n");
        check("\u{1b}]0;title\u{7}a\u{1b}]8;;http://x\u{1b}\\b\n", "ab\n");
        check("\u{1b}(Ba\u{1b}[?25lb\u{1b}=c\n", "abc\n");
        check("a\u{1b}", "a");
        check("a\u{1b}[", "a");
        check("a\u{1b}[31\nb\n", "a\nb\n");
        check("a\u{1b}]title\nb\n", "a\nb\n");
    }

    #[test]
    fn of_a_line_that_is_written_over_the_last_state_stays() {
        check(" 10 %\r 50 %\r100 %\ndone\r\n", "100 %\ndone\n");
        check("long line\rshort\n", "shortline\n");
        check("long line\r\u{1b}[Kshort\n", "short\n");
        check("long line\u{1b}[2Kshort\n", "short\n");
        check("ab\u{8}c\u{8}\u{8}\u{8}\u{8}d\n", "dc\n");
        check("abc\u{1b}[2Gx\n", "axc\n");
        check("\r\n\r\n", "\n\n");
        check("a\r", "a");
    }

    #[test]
    fn what_is_no_text_is_known() {
        assert!(is_binary("\u{7f}ELF\0\0"));
        assert!(is_binary("a\u{fffd}b\u{fffd}"));
        assert!(!is_binary(
            "naïve \u{fffd} in a long line of text that is readable"
        ));
        assert!(!is_binary(""));
    }

    proptest! {
        #[test]
        fn nothing_grows_and_no_escape_is_left(text in "[ab\r\n\u{8}\u{1b}\\[\\]KG0-9;]{0,200}") {
            let shown = plain(&text);
            prop_assert!(shown.len() <= text.len());
            let is_clean = !shown.contains(['\r', '\u{8}', '\u{1b}']);
            prop_assert!(is_clean);
        }
    }
}
