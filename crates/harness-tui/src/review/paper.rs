//! Lines of a change on the sheet: numbers, signs, texts, below or beside each other.

use harness_review::{AnchorSide, Choice, Hunk, LineKind, Pairing};

use super::{
    Tint,
    dress::Dress,
    line::{self, Dressing},
};
use crate::{
    text::{Role, Row, width},
    theme::{Sign, Theme},
};

/// What lines are laid out on.
pub(super) struct Paper<'a> {
    pub(super) columns: usize,
    pub(super) digits: usize,
    pub(super) is_wrapped: bool,
    pub(super) needle: &'a str,
    pub(super) dress: Option<&'a Dress>,
    pub(super) theme: Theme,
}

impl Paper<'_> {
    /// Lays out a line of a hunk.
    pub(super) fn line(
        &self,
        hunk: &Hunk,
        piece: usize,
        at: usize,
        choice: Option<Choice>,
    ) -> Vec<Row> {
        self.half(hunk, (piece, at), choice, self.columns, Numbers::Both)
    }

    /// Lays out two lines of a hunk beside each other.
    pub(super) fn pair(
        &self,
        hunk: &Hunk,
        piece: usize,
        pairing: Pairing,
        (old_choice, new_choice): (Option<Choice>, Option<Choice>),
    ) -> Vec<Row> {
        let left = self.columns.saturating_sub(1) / 2;
        let right = self.columns.saturating_sub(left + 1);
        let half = |at: Option<usize>, choice, columns, numbers| match at {
            Some(at) => self.half(hunk, (piece, at), choice, columns, numbers),
            None => Vec::new(),
        };
        let old = half(pairing.old, old_choice, left, Numbers::Old);
        let new = half(pairing.new, new_choice, right, Numbers::New);
        beside(old, new, left)
    }

    /// Lays out a line around a hunk.
    pub(super) fn around(&self, (old, new): (u32, u32), text: &str, is_beside: bool) -> Vec<Row> {
        let dressing = |side, line| Dressing {
            spans: self.dress.map_or(&[], |dress| dress.spans(side, line)),
            needle: self.needle,
            ..Dressing::default()
        };
        let laid = |number: u32, side, columns: usize| {
            self.with_gutter(number, ' ', Tint::Both, columns, |columns| {
                line::rows(text, dressing(side, number), columns, self.is_wrapped)
            })
        };
        if is_beside {
            let left = self.columns.saturating_sub(1) / 2;
            let right = self.columns.saturating_sub(left + 1);
            let old = laid(old, AnchorSide::Old, left);
            return beside(old, laid(new, AnchorSide::New, right), left);
        }
        laid(new, AnchorSide::New, self.columns)
    }

    fn half(
        &self,
        hunk: &Hunk,
        (piece, at): (usize, usize),
        choice: Option<Choice>,
        columns: usize,
        numbers: Numbers,
    ) -> Vec<Row> {
        let Some((old, new, line)) = hunk.numbered().nth(at) else {
            return Vec::new();
        };
        let is_old = match numbers {
            Numbers::Both => line.kind == LineKind::Removed,
            Numbers::Old => true,
            Numbers::New => false,
        };
        let (side, number) = match is_old {
            true => (AnchorSide::Old, old),
            false => (AnchorSide::New, new),
        };
        let number = number.unwrap_or(0);
        let tint = Tint::from(line.kind);
        let marks = self
            .dress
            .and_then(|dress| dress.marks.get(piece)?.marks.get(at));
        let dressing = Dressing {
            tint,
            marks: marks.map_or(&[], Vec::as_slice),
            spans: self.dress.map_or(&[], |dress| dress.spans(side, number)),
            needle: self.needle,
        };
        let aside = match choice {
            Some(Choice::Accepted) => Some(Sign::Good),
            Some(Choice::Rejected) => Some(Sign::Bad),
            None => None,
        };
        let kept = aside.map_or(0, |sign| width(self.theme.sign(sign)) + 1);
        let mut rows = self.with_gutter(
            number,
            line.kind.sign(),
            tint,
            columns - kept.min(columns),
            |columns| line::rows(&line.text, dressing, columns, self.is_wrapped),
        );
        if !line.newline {
            rows.push(Row::of(Role::Quiet, " no newline at the end of the file"));
        }
        if let (Some(sign), Some(first)) = (aside, rows.first_mut()) {
            let mark = self.theme.sign(sign);
            *first = std::mem::take(first)
                .padded(columns - width(mark).min(columns))
                .and(sign.role(), mark);
        }
        rows
    }

    /// Puts the number and the sign before the rows of a line.
    fn with_gutter(
        &self,
        number: u32,
        sign: char,
        tint: Tint,
        columns: usize,
        rows: impl FnOnce(usize) -> Vec<Row>,
    ) -> Vec<Row> {
        let role = match tint {
            Tint::Both => Role::Plain,
            Tint::Added => Role::Added,
            Tint::Removed => Role::Removed,
        };
        let gutter = self.digits + 4;
        let laid = rows(columns.saturating_sub(gutter).max(1));
        let digits = self.digits;
        (0..)
            .zip(laid)
            .map(|(at, row)| {
                let mut all = match at {
                    0 => Row::of(Role::Quiet, format!(" {number:>digits$} "))
                        .and(role, format!("{sign} ")),
                    _ => Row::of(Role::Quiet, format!(" {:>digits$} ", ""))
                        .and(role, format!("{sign} ")),
                };
                all.pieces.extend(row.pieces);
                all
            })
            .collect()
    }
}

/// Which numbers a line has.
#[derive(Clone, Copy)]
enum Numbers {
    /// That of the text it is in.
    Both,
    Old,
    New,
}

/// Puts two columns of rows beside each other.
fn beside(old: Vec<Row>, new: Vec<Row>, left: usize) -> Vec<Row> {
    let count = old.len().max(new.len()).max(1);
    let (mut old, mut new) = (old.into_iter(), new.into_iter());
    (0..count)
        .map(|_| {
            let mut row = old
                .next()
                .unwrap_or_default()
                .padded(left)
                .and(Role::Quiet, "│");
            row.pieces.extend(new.next().unwrap_or_default().pieces);
            row
        })
        .collect()
}
