//! A comment: what it is about, what was said, and how far it has come.

use harness_core::{RepoPath, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Anchor;

/// Something that was said about a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Tells it from every other one, also of another face.
    pub id: String,
    /// What it is called by, from 1.
    pub number: u32,
    /// How much it weighs.
    pub kind: CommentKind,
    /// What it is about.
    pub place: Place,
    /// How far it has come; whether it is outdated stands beside this.
    pub state: CommentState,
    /// What was said.
    pub text: String,
    /// What was answered, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// Who said it.
    pub by: Author,
    /// When it was written.
    pub time: Timestamp,
    /// When its text or kind was last changed.
    pub edited: Timestamp,
    /// When its state last changed.
    pub moved: Timestamp,
    /// Whether the text it is about is not there any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub outdated: bool,
    /// When it was taken away; then it is shown nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
}

const fn is_false(value: &bool) -> bool {
    !*value
}

impl Comment {
    /// Returns how far it has come, as it is shown: what waits for an answer about text that is gone
    /// is outdated.
    pub const fn shown_state(&self) -> CommentState {
        match self.state {
            CommentState::Sent if self.outdated => CommentState::Outdated,
            state => state,
        }
    }

    /// Whether it still asks for something: it is not resolved.
    pub const fn is_open(&self) -> bool {
        self.withdrawn.is_none() && !matches!(self.state, CommentState::Resolved)
    }

    /// Whether it holds the work up: a person's `must-fix` that nobody has resolved, also as a draft
    /// and also where the text has changed since.
    pub fn is_open_must_fix(&self) -> bool {
        self.is_open() && self.kind == CommentKind::MustFix && self.by == Author::Person
    }
}

/// How much a comment weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentKind {
    /// The feature cannot finish before it is resolved.
    MustFix,
    /// Something is not clear.
    Question,
    /// A small thing.
    Nit,
    /// Only said.
    Note,
}

impl CommentKind {
    /// Every kind, the weightiest first.
    pub const ALL: [Self; 4] = [Self::MustFix, Self::Question, Self::Nit, Self::Note];

    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MustFix => "must-fix",
            Self::Question => "question",
            Self::Nit => "nit",
            Self::Note => "note",
        }
    }
}

/// What a comment is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    /// One line.
    Line(Anchor),
    /// Several lines.
    Range(Anchor),
    /// A file.
    File {
        /// Which.
        path: RepoPath,
    },
    /// The whole change.
    Change,
}

impl Place {
    /// Makes the place of some lines.
    pub const fn of_lines(anchor: Anchor) -> Self {
        if anchor.lines.first == anchor.lines.last {
            Self::Line(anchor)
        } else {
            Self::Range(anchor)
        }
    }

    /// Returns the lines, if it is about lines.
    pub const fn anchor(&self) -> Option<&Anchor> {
        match self {
            Self::Line(anchor) | Self::Range(anchor) => Some(anchor),
            _ => None,
        }
    }

    /// Takes on the new name of a file.
    pub(crate) fn renamed(&mut self, was: &RepoPath, now: &RepoPath) {
        let path = match self {
            Self::Line(anchor) | Self::Range(anchor) => &mut anchor.path,
            Self::File { path } => path,
            Self::Change => return,
        };
        if path == was {
            now.clone_into(path);
        }
    }

    pub(crate) const fn anchor_mut(&mut self) -> Option<&mut Anchor> {
        match self {
            Self::Line(anchor) | Self::Range(anchor) => Some(anchor),
            _ => None,
        }
    }

    /// Returns the file, if it is about one.
    pub const fn path(&self) -> Option<&RepoPath> {
        match self {
            Self::Line(anchor) | Self::Range(anchor) => Some(&anchor.path),
            Self::File { path } => Some(path),
            Self::Change => None,
        }
    }

    /// Returns it in words: `src/a.rs:4-7`, with `(old)` for lines of the old text.
    pub fn worded(&self) -> String {
        let Some(anchor) = self.anchor() else {
            return self
                .path()
                .map_or_else(|| "the whole change".to_owned(), RepoPath::to_text);
        };
        let lines = if anchor.lines.first == anchor.lines.last {
            anchor.lines.first.to_string()
        } else {
            format!("{}-{}", anchor.lines.first, anchor.lines.last)
        };
        let old = match anchor.side {
            crate::AnchorSide::Old => " (old)",
            crate::AnchorSide::New => "",
        };
        format!("{}:{lines}{old}", anchor.path.to_text())
    }
}

/// How far a comment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentState {
    /// Nobody else has seen it.
    Draft,
    /// The agent was told.
    Sent,
    /// The text it is about is not there any more.
    Outdated,
    /// The agent has answered.
    Answered,
    /// A person is content with it.
    Resolved,
}

impl CommentState {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent => "sent",
            Self::Outdated => "outdated",
            Self::Answered => "answered",
            Self::Resolved => "resolved",
        }
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Answer {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub by: Author,
    /// What.
    pub text: String,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A person.
    Person,
    /// The agent that made the change.
    Agent,
    /// A model that was asked to judge it.
    Reviewer,
}

impl Author {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Agent => "agent",
            Self::Reviewer => "reviewer",
        }
    }
}
