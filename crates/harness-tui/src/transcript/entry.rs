//! One entry of the transcript: who, what, and what can be unfolded below it.

use harness_core::{CallId, SessionId};
use harness_report::{Line as Said, Who};

use super::{find::Needle, role_of, streamed::Streamed};
use crate::{
    markdown::{self, Line},
    text::{Role, Row, untabbed, wrap_hanging},
    theme::{Sign, Theme},
};

/// Columns before the text of an entry: a mark, the word and a blank.
pub(crate) const LEAD: usize = 9;
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
    /// How far it is laid out for good, while it streams in.
    streamed: Option<Streamed>,
}

impl Entry {
    /// Makes an entry of a line: the agent's words are read as Markdown.
    pub(super) fn new(line: Said, sign: Option<Sign>, fold: Fold, turn: u32) -> Self {
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
            streamed: None,
        }
    }

    /// Makes the entry of an answer that has just begun.
    pub(super) fn streaming(turn: u32) -> Self {
        let line = Said {
            who: Who::Agent,
            text: String::new(),
            more: Vec::new(),
        };
        Self {
            streamed: Some(Streamed::default()),
            ..Self::new(line, None, Fold::Never, turn)
        }
    }

    /// Adds to an answer, up to `bytes_max`; the whole comes with its event.
    pub(super) fn append(&mut self, more: &str, bytes_max: usize) {
        if let Body::Markdown(text) = &mut self.body
            && text.len() + more.len() <= bytes_max
        {
            text.push_str(more);
            match &mut self.streamed {
                Some(streamed) => streamed.append(more),
                None => self.layout = None,
            }
        }
    }

    /// Says that an answer was cut and does not count.
    pub(super) fn mark_cut(&mut self) {
        self.sign = Some(Sign::Bad);
        self.streamed = None;
        if let Body::Markdown(text) = &mut self.body {
            text.push_str("\n\n*cut here; it does not count*");
        }
        self.layout = None;
    }

    pub(super) const fn who(&self) -> Who {
        self.who
    }

    /// Whether it is something that the agent said.
    pub(super) const fn is_answer(&self) -> bool {
        matches!(self.body, Body::Markdown(_))
    }

    /// Returns its text without marks, with what is unfolded.
    pub(super) fn to_text(&self) -> String {
        let (text, more) = match &self.body {
            Body::Markdown(text) => return text.clone(),
            Body::Lines { text, more } => (text, more),
        };
        let mut lines = vec![text.clone()];
        match self.open_detail() {
            Some(rows) => lines.extend(rows.iter().map(Row::to_text)),
            None => lines.extend(more.iter().cloned()),
        }
        lines.join("\n")
    }

    fn open_detail(&self) -> Option<&[Row]> {
        match &self.fold {
            Fold::Detail {
                rows: Some(rows),
                openness: Openness::Open,
                ..
            } => Some(rows),
            _ => None,
        }
    }

    /// Whether words stand in it, folded away or not.
    pub(super) fn has(&self, needle: &Needle) -> bool {
        match &self.body {
            Body::Markdown(text) => needle.is_in(text),
            Body::Lines { text, more } => {
                needle.is_in(text)
                    || more.iter().any(|line| needle.is_in(line))
                    || self
                        .open_detail()
                        .is_some_and(|rows| rows.iter().any(|row| needle.is_in(&row.to_text())))
            }
        }
    }

    /// Unfolds its lines when the words stand in them.
    pub(super) fn unfold_for(&mut self, needle: &Needle) {
        if let (Body::Lines { more, .. }, Fold::Lines(Openness::Closed)) = (&self.body, &self.fold)
            && more.iter().any(|line| needle.is_in(line))
        {
            self.toggle();
        }
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
        let is_laid = self
            .layout
            .as_ref()
            .is_some_and(|(laid, _)| *laid == columns);
        if let (Some(streamed), Body::Markdown(text)) = (&mut self.streamed, &self.body) {
            let (_, rows) = self.layout.get_or_insert_with(|| (columns, Vec::new()));
            if !is_laid {
                streamed.begin(text, rows);
            }
            streamed.lay_out(columns.max(LEAD + TEXT_MIN), rows);
            if let Some((laid, _)) = &mut self.layout {
                *laid = columns;
            }
        } else if !is_laid {
            self.layout = Some((columns, self.lay_out(columns, theme)));
        }
        self.layout.as_ref().map_or(&[], |(_, rows)| rows)
    }

    fn lay_out(&self, columns: usize, theme: Theme) -> Vec<Row> {
        let columns = columns.max(LEAD + TEXT_MIN);
        let mut lines = self.lines(theme).into_iter();
        let first = lines.next().unwrap_or_default();
        let mut rows = led(lead(self.who), &first, columns);
        for line in lines {
            rows.extend(led(Row::default().padded(LEAD), &line, columns));
        }
        rows
    }

    /// Returns what is shown now, line by line.
    fn lines(&self, theme: Theme) -> Vec<Line> {
        let (text, more) = match &self.body {
            Body::Markdown(text) => return markdown::lines(text),
            Body::Lines { text, more } => (text, more),
        };
        let mut lines = vec![Line::hanging(self.sentence(text, more.len(), theme), 0)];
        let below = |role| more.iter().map(move |line| Row::of(role, untabbed(line)));
        match &self.fold {
            Fold::Never | Fold::Lines(Openness::Open) => {
                lines.extend(below(self.below()).map(|row| Line::hanging(row, 2)));
            }
            Fold::Lines(Openness::Closed) => {}
            Fold::Detail {
                openness: Openness::Closed,
                ..
            } => lines.extend(below(Role::Quiet).map(|row| Line::hanging(row, 2))),
            Fold::Detail {
                rows: Some(detail), ..
            } => lines.extend(detail.iter().map(|row| Line::hanging(row.clone(), 2))),
            Fold::Detail { rows: None, .. } => {
                lines.push(Line::hanging(Row::of(Role::Quiet, "reading the log"), 0));
            }
        }
        lines
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
}

/// Returns what stands before the first row: who it is.
pub(super) fn lead(who: Who) -> Row {
    // The longest word takes some of the text's room in the first row.
    let word = Row::of(Role::Plain, " ").and(role_of(who), who.as_str());
    word.and(Role::Plain, " ").padded(LEAD)
}

/// Wraps a line behind its lead; the rows below the first stand below the text.
pub(super) fn led(lead: Row, line: &Line, columns: usize) -> Vec<Row> {
    let mut row = lead;
    row.pieces.extend(line.row.pieces.iter().cloned());
    wrap_hanging(&row, columns, LEAD + line.hanging)
}
