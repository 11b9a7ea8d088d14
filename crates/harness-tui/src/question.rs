//! A question to the person, as a panel above the composer.

use harness_core::Timestamp;
use harness_report::{clean, clean_line};

use crate::{
    approval::Approval,
    text::{Role, Row, untabbed, wrap},
};

/// Keys are dead for this long, so that nothing typed for the composer decides anything. Unit: milliseconds.
pub(crate) const DEAD_MS: u64 = 400;

/// A decision that the program needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Tells the answer to whom it belongs.
    pub id: u64,
    /// What is to be decided, one line.
    pub title: String,
    /// Everything that has to be seen first.
    pub body: Vec<String>,
    /// What `y` does.
    pub yes: String,
    /// What `n` does.
    pub no: String,
}

/// A question with how far it was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// The question, cleaned.
    pub(crate) question: Question,
    /// When it came up.
    pub(crate) since: Timestamp,
    /// The first row that is seen.
    pub(crate) top: usize,
    /// Whether the last row was seen.
    pub(crate) is_read: bool,
    /// The rows that are seen, as they were arranged.
    pub(crate) window: Vec<Row>,
    /// How many rows are below them.
    pub(crate) below: usize,
    /// What more there is to it when it is an approval.
    pub(crate) approval: Option<Approval>,
}

impl Panel {
    pub(crate) fn new(question: &Question, since: Timestamp) -> Self {
        let line = |text: &String| clean(text).into_owned();
        Self {
            question: Question {
                id: question.id,
                title: clean_line(&question.title, 200),
                body: question.body.iter().map(line).collect(),
                yes: clean_line(&question.yes, 40),
                no: clean_line(&question.no, 40),
            },
            since,
            top: 0,
            is_read: false,
            window: Vec::new(),
            below: 0,
            approval: None,
        }
    }

    /// Makes the panel of an approval.
    pub(crate) fn of_approval(approval: Approval, since: Timestamp) -> Self {
        let question = approval.question();
        Self {
            approval: Some(approval),
            ..Self::new(&question, since)
        }
    }

    /// Shows an approval whose rule was edited: it has to be read again.
    pub(crate) fn ask_anew(&mut self) {
        if let Some(approval) = &self.approval {
            *self = Self::of_approval(approval.clone(), self.since);
        }
    }

    /// Whether a line is being typed into it.
    pub(crate) fn is_typing(&self) -> bool {
        self.approval
            .as_ref()
            .is_some_and(|approval| approval.line.is_some())
    }

    /// Whether the panel has been there long enough for its keys to count.
    pub(crate) fn is_awake(&self, now: Timestamp) -> bool {
        now.since(self.since).as_millis() >= u128::from(DEAD_MS)
    }

    /// Lays out the rows that are seen, at most `rows` of them.
    pub(crate) fn arrange(&mut self, columns: usize, rows: usize) {
        let lines = self.question.body.iter().flat_map(|text| {
            text.lines()
                .map(|line| Row::of(Role::Plain, untabbed(line)))
                .collect::<Vec<_>>()
        });
        let all: Vec<Row> = lines.flat_map(|line| wrap(&line, columns)).collect();
        self.top = self.top.min(all.len().saturating_sub(rows));
        let end = (self.top + rows).min(all.len());
        self.below = all.len() - end;
        self.is_read |= self.below == 0;
        self.window = all[self.top..end].to_vec();
    }
}
