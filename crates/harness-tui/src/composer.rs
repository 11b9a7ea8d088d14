//! Where a person writes: a text of several lines with the keys of readline, and what was written before.

mod cluster;
mod lay;

use ratatui_textarea::{CursorMove, TextArea};

use crate::{
    command::Command,
    text::{Row, untabbed},
};
use lay::lay_out;

/// The texts that can be brought back.
const HISTORY_MAX: usize = 200;
/// The longest text; more of a paste is left out. Unit: bytes.
const TEXT_MAX: usize = 256 * 1024;

/// The text that is being written.
#[derive(Debug, Default)]
pub(crate) struct Composer {
    area: TextArea<'static>,
    history: Vec<String>,
    /// Which text of the history is shown; `None` for the one that is new.
    recalled: Option<usize>,
    /// The new text while an old one is shown.
    draft: String,
    /// What is kept aside while a question is answered.
    aside: Option<String>,
}

/// A word that something can be offered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A file, after `@`.
    File(String),
    /// A command, after a `/` at the very beginning.
    Command(String),
}

/// What a pasted or typed text came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Whole,
    Cut,
}

impl Composer {
    /// Returns the text, lines joined by newlines.
    pub(crate) fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether nothing is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Whether the text has several lines.
    pub(crate) fn is_tall(&self) -> bool {
        self.area.lines().len() > 1
    }

    /// Returns the word before the cursor that something can be offered for.
    pub(crate) fn token(&self) -> Option<Token> {
        let (row, column) = (self.area.cursor().0, self.area.cursor().1);
        let line = self.area.lines().get(row)?;
        let before: String = line.chars().take(column).collect();
        let word = before.rsplit(char::is_whitespace).next()?;
        if let Some(name) = word.strip_prefix('@') {
            return Some(Token::File(name.to_owned()));
        }
        let name = before.strip_prefix('/')?;
        let is_alone = self.area.lines().len() == 1 && line.len() == before.len();
        let is_name = name.chars().all(|char| char.is_ascii_lowercase());
        (is_alone && is_name).then(|| Token::Command(name.to_owned()))
    }

    /// Replaces the word before the cursor, its `@` or `/` with it.
    pub(crate) fn replace_token(&mut self, text: &str) -> Taken {
        let length = match self.token() {
            Some(Token::File(name) | Token::Command(name)) => name.chars().count() + 1,
            None => 0,
        };
        for _ in 0..length {
            self.area.delete_char();
        }
        self.insert(text)
    }

    /// Types a character.
    pub(crate) fn type_char(&mut self, char: char) -> Taken {
        self.insert(char.encode_utf8(&mut [0; 4]))
    }

    /// Puts a text in at the cursor; line ends become newlines, other control characters go.
    pub(crate) fn insert(&mut self, text: &str) -> Taken {
        let room = TEXT_MAX.saturating_sub(self.area.lines().iter().map(String::len).sum());
        let plain = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut kept: String = plain
            .chars()
            .filter(|char| matches!(char, '\n' | '\t') || !char.is_control())
            .collect();
        let end = (0..=room.min(kept.len()))
            .rev()
            .find(|at| kept.is_char_boundary(*at));
        let is_cut = end.is_some_and(|end| end < kept.len());
        kept.truncate(end.unwrap_or_default());
        self.area.insert_str(kept);
        if is_cut { Taken::Cut } else { Taken::Whole }
    }

    /// Carries out an editing command; `false` when it is none.
    pub(crate) fn edit(&mut self, command: Command) -> bool {
        let area = &mut self.area;
        match command {
            Command::Newline => area.insert_newline(),
            Command::LineStart => area.move_cursor(CursorMove::Head),
            Command::LineEnd => area.move_cursor(CursorMove::End),
            Command::CharBack => cluster::back(area),
            Command::CharForward => cluster::forward(area),
            Command::WordBack => area.move_cursor(CursorMove::WordBack),
            Command::WordForward => area.move_cursor(CursorMove::WordForward),
            Command::LineUp => cluster::vertically(area, CursorMove::Up),
            Command::LineDown => cluster::vertically(area, CursorMove::Down),
            Command::DeleteBack => cluster::delete_before(area),
            Command::DeleteForward => cluster::delete_behind(area),
            Command::DeleteWordBack => drop(area.delete_word()),
            Command::DeleteWordForward => drop(area.delete_next_word()),
            Command::DeleteToStart => drop(area.delete_line_by_head()),
            Command::DeleteToEnd => drop(area.delete_line_by_end()),
            Command::Yank => drop(area.paste()),
            Command::HistoryPrevious => self.recall(Direction::Earlier),
            Command::HistoryNext => self.recall(Direction::Later),
            _ => return false,
        }
        true
    }

    /// Takes the last change back.
    pub(crate) fn undo(&mut self) {
        self.area.undo();
    }

    /// Goes to the beginning of the text.
    pub(crate) fn go_to_start(&mut self) {
        self.area.move_cursor(CursorMove::Top);
        self.area.move_cursor(CursorMove::Head);
    }

    /// Goes to the last line.
    pub(crate) fn go_to_end(&mut self) {
        self.area.move_cursor(CursorMove::Bottom);
    }

    /// Whether the cursor is on the last line.
    pub(crate) fn is_on_last_line(&self) -> bool {
        self.area.cursor().0 + 1 >= self.area.lines().len()
    }

    /// Whether a blank stands at the cursor.
    pub(crate) fn is_on_blank(&self) -> bool {
        let (row, column) = (self.area.cursor().0, self.area.cursor().1);
        let line = self.area.lines().get(row);
        let here = line.and_then(|line| line.chars().nth(column));
        here.is_some_and(char::is_whitespace)
    }

    /// Whether the line of the cursor is empty.
    pub(crate) fn is_line_empty(&self) -> bool {
        let line = self.area.lines().get(self.area.cursor().0);
        line.is_none_or(String::is_empty)
    }

    /// Takes the text out and keeps it in the history.
    pub(crate) fn take(&mut self) -> String {
        let text = self.text();
        self.remember(&text);
        self.set("");
        text
    }

    /// Throws the text away, but for the history.
    pub(crate) fn clear(&mut self) {
        self.take();
    }

    /// Replaces the text.
    pub(crate) fn set(&mut self, text: &str) {
        let mut area = TextArea::from(text.split('\n'));
        area.set_yank_text(self.area.yank_text());
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        self.area = area;
        self.recalled = None;
    }

    /// Keeps the half-written text aside for as long as a question is open.
    pub(crate) fn set_aside(&mut self) {
        if self.aside.is_none() {
            self.aside = Some(self.text());
            self.set("");
        }
    }

    /// Brings back what was kept aside.
    pub(crate) fn bring_back(&mut self) {
        if let Some(text) = self.aside.take() {
            self.set(&text);
        }
    }

    /// Returns the history, newest first.
    pub(crate) fn history(&self) -> impl Iterator<Item = &str> {
        self.history.iter().rev().map(String::as_str)
    }

    fn remember(&mut self, text: &str) {
        if text.trim().is_empty() || self.history.last().is_some_and(|last| last == text) {
            return;
        }
        if self.history.len() == HISTORY_MAX {
            self.history.remove(0);
        }
        self.history.push(text.to_owned());
    }

    fn recall(&mut self, direction: Direction) {
        let next = match (direction, self.recalled) {
            (Direction::Earlier, None) => self.history.len().checked_sub(1),
            (Direction::Earlier, Some(at)) => Some(at.saturating_sub(1)),
            (Direction::Later, Some(at)) if at + 1 < self.history.len() => Some(at + 1),
            (Direction::Later, _) => None,
        };
        if self.recalled.is_none() {
            self.draft = self.text();
        }
        let text = match next {
            Some(at) => self.history[at].clone(),
            None => std::mem::take(&mut self.draft),
        };
        self.set(&text);
        self.recalled = next;
    }

    /// Lays the text out: its rows, and row and column of the cursor.
    pub(crate) fn arrange(&self, columns: usize) -> (Vec<Row>, (usize, usize)) {
        let cursor = self.area.cursor();
        let (mut rows, mut at) = (Vec::new(), (0, 0));
        for (index, line) in self.area.lines().iter().enumerate() {
            let here = (index == cursor.0).then(|| {
                let before: String = line.chars().take(cursor.1).collect();
                shown(&before).len()
            });
            let (laid, place) = lay_out(&shown(line), columns, here);
            if let Some((row, column)) = place {
                at = (rows.len() + row, column);
            }
            rows.extend(laid);
        }
        (rows, at)
    }
}

fn shown(text: &str) -> String {
    harness_report::clean(&untabbed(text)).into_owned()
}

#[derive(Clone, Copy)]
enum Direction {
    Earlier,
    Later,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Composer {
        let mut composer = Composer::default();
        composer.insert(text);
        composer
    }

    #[test]
    fn the_keys_of_readline_edit() {
        let mut composer = written("fix the paging bug");
        composer.edit(Command::DeleteWordBack);
        assert_eq!(composer.text(), "fix the paging ");
        composer.edit(Command::WordBack);
        composer.edit(Command::DeleteToEnd);
        assert_eq!(composer.text(), "fix the ");
        composer.edit(Command::Yank);
        assert_eq!(composer.text(), "fix the paging ");
        composer.edit(Command::LineStart);
        composer.edit(Command::DeleteWordForward);
        assert_eq!(composer.text(), " the paging ");
        composer.edit(Command::LineEnd);
        composer.edit(Command::DeleteToStart);
        assert_eq!(composer.text(), "");
    }

    #[test]
    fn a_paste_keeps_its_lines_and_loses_what_acts() {
        let composer = written("a\r\nb\rc\u{1b}[2J\td");
        assert_eq!(composer.text(), "a\nb\nc[2J\td");
    }

    #[test]
    fn a_word_is_offered_something_where_it_stands() {
        let token = |text: &str| written(text).token();
        let file = |name: &str| Some(Token::File(name.to_owned()));
        assert_eq!(token("mend @src/pa"), file("src/pa"));
        assert_eq!(token("one\n@"), file(""));
        assert_eq!(token("me@home"), None);
        assert_eq!(token("@a b"), None);
        assert_eq!(token("/re"), Some(Token::Command("re".to_owned())));
        assert_eq!(token("/etc/x"), None);
        assert_eq!(token("/run it"), None);
        assert_eq!(token(" /run"), None);
        let mut composer = written("mend @pé now");
        for _ in 0.." now".len() {
            composer.edit(Command::CharBack);
        }
        composer.replace_token("src/page.rs");
        assert_eq!(composer.text(), "mend src/page.rs now");
    }

    #[test]
    fn a_paste_has_a_bound() {
        let mut composer = Composer::default();
        assert_eq!(composer.insert(&"é".repeat(TEXT_MAX)), Taken::Cut);
        assert!(composer.text().len() <= TEXT_MAX);
        assert_eq!(composer.type_char('x'), Taken::Cut);
    }

    #[test]
    fn earlier_texts_come_back_and_the_new_one_is_kept() {
        let mut composer = written("one");
        composer.take();
        composer.insert("two");
        composer.take();
        composer.insert("new");
        composer.edit(Command::HistoryPrevious);
        assert_eq!(composer.text(), "two");
        composer.edit(Command::HistoryPrevious);
        composer.edit(Command::HistoryPrevious);
        assert_eq!(composer.text(), "one");
        composer.edit(Command::HistoryNext);
        composer.edit(Command::HistoryNext);
        assert_eq!(composer.text(), "new");
    }

    #[test]
    fn a_half_written_text_waits_for_a_question() {
        let mut composer = written("half");
        composer.set_aside();
        assert!(composer.is_empty());
        composer.insert("8080");
        assert_eq!(composer.take(), "8080");
        composer.bring_back();
        assert_eq!(composer.text(), "half");
    }

    #[test]
    fn the_cursor_is_where_the_next_character_goes() {
        let at = |text: &str, columns| written(text).arrange(columns).1;
        assert_eq!(at("", 10), (0, 0));
        assert_eq!(at("ab", 10), (0, 2));
        assert_eq!(at("ab ", 10), (0, 3));
        assert_eq!(at("one two three", 8), (1, 5));
        assert_eq!(at("漢字", 10), (0, 4));
        assert_eq!(at("a\nb", 10), (1, 1));
    }
}
