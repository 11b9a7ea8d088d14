//! A command while it runs: its line, and the last lines of what it prints.

use std::collections::VecDeque;

use harness_core::{Action, CallId};
use harness_report::{Line, Who, clean, clean_line};

use super::{
    Transcript,
    entry::{Entry, Fold},
};
use crate::{
    text::Row,
    theme::{Sign, Theme},
};

/// How many lines are seen.
const LINES_MAX: usize = 3;
/// The longest line that is kept. Unit: characters.
const CHARS_MAX: usize = 400;

/// The command that runs.
#[derive(Debug)]
pub(super) struct Live {
    call: CallId,
    command: String,
    lines: VecDeque<String>,
    /// Whether the last line is still being printed.
    is_open: bool,
    turn: u32,
    entry: Option<Entry>,
}

impl Live {
    fn add(&mut self, text: &str) {
        // Who goes back to the beginning of the line writes it anew, as bars of progress do.
        let text = text.replace("\r\n", "\n");
        for piece in text.split_inclusive('\n') {
            let line = piece.trim_end_matches('\n');
            let anew = line.rsplit_once('\r').map(|(_, last)| last);
            match self.lines.back_mut().filter(|_| self.is_open) {
                Some(last) if anew.is_none() => {
                    let room = CHARS_MAX.saturating_sub(last.chars().count());
                    last.extend(line.chars().take(room));
                }
                Some(last) => *last = cut(anew.unwrap_or_default()),
                None => self.lines.push_back(cut(anew.unwrap_or(line))),
            }
            self.is_open = !piece.ends_with('\n');
            while self.lines.len() > LINES_MAX {
                self.lines.pop_front();
            }
        }
        self.entry = None;
    }

    pub(super) fn rows(&mut self, columns: usize, theme: Theme) -> &[Row] {
        let (command, lines, turn) = (&self.command, &self.lines, self.turn);
        let entry = self.entry.get_or_insert_with(|| {
            let line = Line {
                who: Who::Tool,
                text: format!("shell {command}"),
                more: lines.iter().map(|line| clean(line).into_owned()).collect(),
            };
            Entry::new(line, Some(Sign::Working), Fold::Never, turn)
        });
        entry.rows(columns, theme)
    }
}

fn cut(line: &str) -> String {
    line.chars().take(CHARS_MAX).collect()
}

impl Transcript {
    /// Hears that a command is about to run.
    pub(super) fn begin_live(&mut self, call: CallId, action: Option<&Action>) {
        if let Some(Action::Run { command, .. }) = action {
            self.live = Some(Live {
                call,
                command: clean_line(command, 200),
                lines: VecDeque::new(),
                is_open: false,
                turn: self.turn,
                entry: None,
            });
        }
    }

    /// Hears that a call is over: what it printed is in the log now.
    pub(super) fn end_live(&mut self, call: CallId) {
        self.live = self.live.take().filter(|live| live.call != call);
    }

    /// Hears what a command prints.
    pub(super) fn print(&mut self, call: CallId, text: &str) {
        if let Some(live) = self.live.as_mut().filter(|live| live.call == call) {
            live.add(text);
        }
    }

    /// Whether there is something of it to see.
    pub(super) fn is_live_seen(&self) -> bool {
        self.live
            .as_ref()
            .is_some_and(|live| !live.lines.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use harness_core::TurnNumber;

    use super::*;

    fn printed(pieces: &[&str]) -> Vec<String> {
        let call = CallId {
            turn: TurnNumber(1),
            index: 0,
        };
        let mut live = Live {
            call,
            command: "make".to_owned(),
            lines: VecDeque::new(),
            is_open: false,
            turn: 1,
            entry: None,
        };
        pieces.iter().for_each(|piece| live.add(piece));
        live.lines.into_iter().collect()
    }

    #[test]
    fn the_last_lines_are_kept_wherever_pieces_are_cut() {
        assert_eq!(printed(&["a\nb\nc\nd\n"]), ["b", "c", "d"]);
        assert_eq!(printed(&["a\nb", "c\n", "d"]), ["a", "bc", "d"]);
        assert_eq!(printed(&["10 %\r20 %", "\r30 %"]), ["30 %"]);
        assert_eq!(printed(&["one\r\ntwo\r\n"]), ["one", "two"]);
        assert_eq!(printed(&[&"x".repeat(1_000)])[0].len(), CHARS_MAX);
    }
}
