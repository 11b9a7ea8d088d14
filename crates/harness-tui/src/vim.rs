//! Vim's keys in the composer: beside the mode that types there is one that moves and deletes.
//!
//! A small part of vim: what one uses in a text of a few lines. Everything without a meaning here
//! goes on to the keys of the composer. Called by `update::keys` where the person's file asks for it.

use crate::{
    command::Command,
    composer::Composer,
    key::{Code, Key},
};

/// The most times that a count repeats something.
const COUNT_MAX: usize = 999;

/// Where the keys of the composer go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Letters are typed.
    #[default]
    Insert,
    /// Letters move and delete.
    Normal,
}

/// What is known of the keys before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vim {
    /// Where keys go.
    pub(crate) mode: Mode,
    /// `d`, `c` or `g`, which wait for what they are about.
    waiting: Option<char>,
    count: usize,
}

/// What comes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// It is done.
    Done,
    /// The transcript scrolls where the text has one line.
    Move(Command),
    /// It is a key of the composer.
    Other,
}

impl Vim {
    /// Takes a key in.
    pub(crate) fn press(&mut self, composer: &mut Composer, key: Key) -> Pressed {
        if self.mode == Mode::Insert {
            if key == Key::plain(Code::Esc) {
                self.mode = Mode::Normal;
                composer.edit(Command::CharBack);
                return Pressed::Done;
            }
            return Pressed::Other;
        }
        let Some(char) = key.typed() else {
            if key.code == Code::Enter {
                *self = Self::default();
            }
            let is_begun = self.waiting.take().is_some() || std::mem::take(&mut self.count) > 0;
            // The first esc gives up what was begun.
            return match key.code {
                Code::Esc if is_begun => Pressed::Done,
                _ => Pressed::Other,
            };
        };
        if let Some(waiting) = self.waiting.take() {
            let count = self.times();
            (0..count).for_each(|_| operate(composer, waiting, char));
            if waiting == 'c' {
                self.mode = Mode::Insert;
            }
            return Pressed::Done;
        }
        match char {
            '0' if self.count == 0 => return self.moved(composer, Command::LineStart),
            '0'..='9' => {
                let digit = char.to_digit(10).map_or(0, |digit| digit as usize);
                self.count = (self.count * 10 + digit).min(COUNT_MAX);
            }
            'd' | 'c' | 'g' => self.waiting = Some(char),
            'h' => return self.moved(composer, Command::CharBack),
            'l' => return self.moved(composer, Command::CharForward),
            'w' | 'e' => return self.moved(composer, Command::WordForward),
            'b' => return self.moved(composer, Command::WordBack),
            '$' => return self.moved(composer, Command::LineEnd),
            '^' => return self.moved(composer, Command::LineStart),
            'x' => return self.moved(composer, Command::DeleteForward),
            'X' => return self.moved(composer, Command::DeleteBack),
            'D' => return self.moved(composer, Command::DeleteToEnd),
            'p' | 'P' => return self.moved(composer, Command::Yank),
            'u' => composer.undo(),
            'G' => composer.go_to_end(),
            'j' if composer.is_tall() => return self.moved(composer, Command::LineDown),
            'k' if composer.is_tall() => return self.moved(composer, Command::LineUp),
            'j' => return Pressed::Move(Command::LineDown),
            'k' => return Pressed::Move(Command::LineUp),
            'i' | 'a' | 'I' | 'A' | 'o' | 'O' | 's' | 'S' | 'C' => self.insert(composer, char),
            _ => {}
        }
        Pressed::Done
    }

    /// Returns how often something is done, and begins to count anew.
    fn times(&mut self) -> usize {
        std::mem::take(&mut self.count).max(1)
    }

    fn moved(&mut self, composer: &mut Composer, command: Command) -> Pressed {
        for _ in 0..self.times() {
            composer.edit(command);
        }
        Pressed::Done
    }

    /// Goes on to type, from where the letter says.
    fn insert(&mut self, composer: &mut Composer, char: char) {
        let before: &[Command] = match char {
            'a' => &[Command::CharForward],
            'I' => &[Command::LineStart],
            'A' => &[Command::LineEnd],
            'o' => &[Command::LineEnd, Command::Newline],
            'O' => &[Command::LineStart, Command::Newline, Command::LineUp],
            's' => &[Command::DeleteForward],
            'S' => &[Command::LineStart, Command::DeleteToEnd],
            'C' => &[Command::DeleteToEnd],
            _ => &[],
        };
        for command in before {
            composer.edit(*command);
        }
        *self = Self::default();
    }
}

/// Deletes what a letter after `d` or `c` names, or goes where one after `g` does.
fn operate(composer: &mut Composer, waiting: char, char: char) {
    let commands: &[Command] = match (waiting, char) {
        ('g', 'g') => {
            composer.go_to_start();
            return;
        }
        ('d', 'w') => {
            composer.edit(Command::DeleteWordForward);
            // The blanks behind the word go with it.
            while composer.is_on_blank() {
                composer.edit(Command::DeleteForward);
            }
            return;
        }
        ('d' | 'c', 'e') | ('c', 'w') => &[Command::DeleteWordForward],
        ('d' | 'c', 'b') => &[Command::DeleteWordBack],
        ('d' | 'c', '$') => &[Command::DeleteToEnd],
        ('d' | 'c', '0' | '^') => &[Command::DeleteToStart],
        ('d' | 'c', 'l') => &[Command::DeleteForward],
        ('d' | 'c', 'h') => &[Command::DeleteBack],
        ('c', 'c') => &[Command::LineStart, Command::DeleteToEnd],
        // The line and its end, which of the last one is the one before it.
        ('d', 'd') if composer.is_on_last_line() => &[
            Command::LineStart,
            Command::DeleteToEnd,
            Command::DeleteBack,
        ],
        ('d', 'd') => &[
            Command::LineStart,
            Command::DeleteToEnd,
            Command::DeleteForward,
        ],
        _ => &[],
    };
    // Deleting to the end of an empty line would take its end along.
    for command in commands {
        if *command == Command::DeleteToEnd && composer.is_line_empty() {
            continue;
        }
        composer.edit(*command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, keys: &str) -> (String, Mode) {
        let mut composer = Composer::default();
        composer.insert(text);
        let mut vim = Vim::default();
        for key in keys.split(' ') {
            let key: Key = key.parse().unwrap();
            let pressed = vim.press(&mut composer, key);
            if let (Pressed::Other, Some(char)) = (pressed, key.typed()) {
                composer.type_char(char);
            }
        }
        (composer.text(), vim.mode)
    }

    #[test]
    fn letters_move_and_delete_until_one_goes_on_to_type() {
        for (text, keys, expected) in [
            ("one two", "esc 0 d w", "two"),
            ("one two", "esc 0 2 x", "e two"),
            ("one two", "esc b D", "one "),
            ("one two", "esc b c w t e n", "one ten"),
            ("one two", "esc I > esc A !", ">one two!"),
            ("one two", "esc b D p", "one two"),
            ("a\nb\nc", "esc d d", "a\nb"),
            ("a\nb\nc", "esc g g d d", "b\nc"),
            ("a\nb", "esc g g o x", "a\nx\nb"),
            ("a\nb", "esc O x", "a\nx\nb"),
            ("one two", "esc d esc x", "one tw"),
            ("one", "esc 0 x u", "one"),
            ("", "esc x D d d p", ""),
        ] {
            assert_eq!(after(text, keys).0, expected, "{text:?} {keys}");
        }
    }

    #[test]
    fn esc_leaves_typing_and_then_belongs_to_the_screen() {
        let mut composer = Composer::default();
        composer.insert("one");
        let mut vim = Vim::default();
        let esc: Key = "esc".parse().unwrap();
        assert_eq!(vim.press(&mut composer, esc), Pressed::Done);
        assert_eq!(vim.mode, Mode::Normal);
        assert_eq!(vim.press(&mut composer, esc), Pressed::Other);
        let enter: Key = "enter".parse().unwrap();
        assert_eq!(vim.press(&mut composer, enter), Pressed::Other);
        assert_eq!(vim.mode, Mode::Insert);
    }
}
