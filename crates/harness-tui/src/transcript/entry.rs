//! One entry of the transcript: who, what, and what can be unfolded below it.

use harness_core::{CallId, SessionId};
use harness_report::{Line, Who};

use super::role_of;
use crate::{
    markdown,
    text::{Role, Row, untabbed, wrap, wrap_hanging},
    theme::{Sign, Theme},
};

/// Columns before the text of an entry: a mark, the word and a blank.
const LEAD: usize = 8;
/// The least room for text; a narrower pane is not laid out for reading.
const TEXT_MIN: usize = 8;

/// What can be unfolded below an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    /// Everything is shown always.
    Never,
    /// Its further lines.
    Lines(Openness),
    /// What the call did, asked for when it is wanted.
    Detail {
        /// The session of the call.
        session: SessionId,
        /// The call.
        call: CallId,
        /// What is there of it.
        rows: Option<Vec<Row>>,
        /// Whether it is shown.
        openness: Openness,
    },
}

/// Whether something is shown or folded away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Openness {
    /// Folded away.
    Closed,
    /// Shown.
    Open,
}

impl Openness {
    const fn other(self) -> Self {
        match self {
            Self::Closed => Self::Open,
            Self::Open => Self::Closed,
        }
    }
}

impl Fold {
    pub(super) const fn closed() -> Self {
        Self::Lines(Openness::Closed)
    }

    pub(super) const fn detail(session: SessionId, call: CallId) -> Self {
        Self::Detail {
            session,
            call,
            rows: None,
            openness: Openness::Closed,
        }
    }

    const fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Never
                | Self::Lines(Openness::Open)
                | Self::Detail {
                    openness: Openness::Open,
                    ..
                }
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// A sentence, and lines below it.
    Lines { text: String, more: Vec<String> },
    /// What an agent writes.
    Markdown(String),
}

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    who: Who,
    sign: Option<Sign>,
    body: Body,
    fold: Fold,
    turn: u32,
    /// The rows for a width, until something changes.
    layout: Option<(usize, Vec<Row>)>,
}

impl Entry {
    /// Makes an entry of a line: the agent's words are read as Markdown.
    pub(super) fn new(line: Line, sign: Option<Sign>, fold: Fold, turn: u32) -> Self {
        let body = match line.who {
            Who::Agent => {
                let mut text = line.text;
                for more in line.more {
                    text.push('\n');
                    text.push_str(&more);
                }
                Body::Markdown(text)
            }
            _ => Body::Lines {
                text: line.text,
                more: line.more,
            },
        };
        Self {
            who: line.who,
            sign,
            body,
            fold,
            turn,
            layout: None,
        }
    }

    /// Makes the entry of an answer that has just begun.
    pub(super) fn streaming(turn: u32) -> Self {
        let line = Line {
            who: Who::Agent,
            text: String::new(),
            more: Vec::new(),
        };
        Self::new(line, None, Fold::Never, turn)
    }

    /// Adds to an answer, up to `bytes_max`; the whole comes with its event.
    pub(super) fn append(&mut self, more: &str, bytes_max: usize) {
        if let Body::Markdown(text) = &mut self.body
            && text.len() + more.len() <= bytes_max
        {
            text.push_str(more);
            self.layout = None;
        }
    }

    /// Says that an answer was cut and does not count.
    pub(super) fn mark_cut(&mut self) {
        self.sign = Some(Sign::Bad);
        if let Body::Markdown(text) = &mut self.body {
            text.push_str("\n\n*cut here; it does not count*");
        }
        self.layout = None;
    }

    pub(super) const fn turn(&self) -> u32 {
        self.turn
    }

    pub(super) fn forget_layout(&mut self) {
        self.layout = None;
    }

    pub(super) const fn can_toggle(&self) -> bool {
        !matches!(self.fold, Fold::Never)
    }

    /// Shows or folds away; returns the call whose detail is not there yet.
    pub(super) fn toggle(&mut self) -> Option<(SessionId, CallId)> {
        self.layout = None;
        match &mut self.fold {
            Fold::Never => None,
            Fold::Lines(openness) => {
                *openness = openness.other();
                None
            }
            Fold::Detail {
                session,
                call,
                rows,
                openness,
            } => {
                *openness = openness.other();
                (rows.is_none() && *openness == Openness::Open).then_some((*session, *call))
            }
        }
    }

    pub(super) fn waits_for(&self, of: SessionId, which: CallId) -> bool {
        matches!(&self.fold, Fold::Detail { session, call, .. } if *session == of && *call == which)
    }

    pub(super) fn fill(&mut self, detail: Vec<Row>) {
        self.layout = None;
        if let Fold::Detail { rows, .. } = &mut self.fold {
            *rows = Some(detail);
        }
    }

    /// Returns the rows for a width.
    pub(super) fn rows(&mut self, columns: usize, theme: Theme) -> &[Row] {
        if self
            .layout
            .as_ref()
            .is_none_or(|(laid, _)| *laid != columns)
        {
            self.layout = Some((columns, self.lay_out(columns, theme)));
        }
        self.layout.as_ref().map_or(&[], |(_, rows)| rows)
    }

    fn lay_out(&self, columns: usize, theme: Theme) -> Vec<Row> {
        let room = columns.saturating_sub(LEAD).max(TEXT_MIN);
        let mut rows: Vec<Row> = Vec::new();
        match &self.body {
            Body::Markdown(text) => {
                for line in markdown::lines(text) {
                    rows.extend(wrap_hanging(&line.row, room, line.hanging));
                }
            }
            Body::Lines { text, more } => {
                rows.extend(wrap(&self.sentence(text, more.len(), theme), room));
                if self.fold.is_open() && !matches!(self.fold, Fold::Detail { .. }) {
                    let below = more
                        .iter()
                        .map(|line| Row::of(self.below(), untabbed(line)));
                    rows.extend(below.flat_map(|line| wrap_hanging(&line, room, 2)));
                } else if matches!(self.fold, Fold::Detail { .. }) && !self.fold.is_open() {
                    let below = more.iter().map(|line| Row::of(Role::Quiet, untabbed(line)));
                    rows.extend(below.flat_map(|line| wrap_hanging(&line, room, 2)));
                }
            }
        }
        if let Fold::Detail {
            rows: detail,
            openness: Openness::Open,
            ..
        } = &self.fold
        {
            match detail {
                Some(detail) => {
                    rows.extend(detail.iter().flat_map(|line| wrap_hanging(line, room, 2)));
                }
                None => rows.push(Row::of(Role::Quiet, "reading the log")),
            }
        }
        if rows.is_empty() {
            rows.push(Row::default());
        }
        self.with_lead(rows)
    }

    /// What is below a refusal or a question is part of it; below other sentences it is an addition.
    const fn below(&self) -> Role {
        match self.who {
            Who::Ask | Who::You | Who::Guard => Role::Plain,
            _ => Role::Quiet,
        }
    }

    /// The sentence with its mark, and with what is folded away behind it.
    fn sentence(&self, text: &str, more: usize, theme: Theme) -> Row {
        let mut row = Row::default();
        if let Some(sign) = self.sign {
            row.push(sign.role(), theme.sign(sign));
            row.push(Role::Plain, " ");
        }
        let role = match self.who {
            Who::Note | Who::Checkpoint => Role::Quiet,
            _ => Role::Plain,
        };
        row.push(role, untabbed(text));
        match &self.fold {
            Fold::Lines(Openness::Closed) => {
                let lines = if more == 1 { "line" } else { "lines" };
                row.push(Role::Quiet, format!("  {more} {lines} ⏎"));
            }
            Fold::Detail {
                openness: Openness::Closed,
                ..
            } => row.push(Role::Quiet, "  ⏎"),
            _ => {}
        }
        row
    }

    /// Puts the word before the first row and blanks before the others.
    fn with_lead(&self, rows: Vec<Row>) -> Vec<Row> {
        let word = self.who.as_str();
        let lead = |index: usize| match index {
            0 => Row::of(Role::Plain, " ").and(role_of(self.who), word),
            _ => Row::default(),
        };
        let rows = rows.into_iter().enumerate().map(|(index, row)| {
            let mut led = lead(index).padded(LEAD);
            if index == 0 && word.len() + 2 > LEAD {
                // The longest words stand in the text's first columns.
                led = lead(index).and(Role::Plain, " ");
            }
            led.pieces.extend(row.pieces);
            led
        });
        rows.collect()
    }
}
