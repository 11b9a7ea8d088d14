//! One thing that is said, and who it is about.

/// Who a line is about: the word at its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The program itself: first and last lines.
    Harness,
    /// The person.
    You,
    /// The model.
    Agent,
    /// A tool call.
    Tool,
    /// The guard, when it refuses.
    Guard,
    /// A gate.
    Gate,
    /// A question to the person.
    Ask,
    /// A saved work tree.
    Checkpoint,
    /// A feature and its status.
    Feature,
    /// Everything worth knowing that is none of the others.
    Note,
}

impl Who {
    /// Returns the word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Harness => "harness",
            Self::You => "you",
            Self::Agent => "agent",
            Self::Tool => "tool",
            Self::Guard => "guard",
            Self::Gate => "gate",
            Self::Ask => "ask",
            Self::Checkpoint => "checkpoint",
            Self::Feature => "feature",
            Self::Note => "note",
        }
    }
}

/// One thing said: a line, and lines that belong below it. All of it is cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who it is about.
    pub who: Who,
    /// The line.
    pub text: String,
    /// More lines, shown indented.
    pub more: Vec<String>,
}

impl Line {
    /// Makes a line of a text; what stands behind its first newline goes below it, so that
    /// no foreign text can begin a line of its own.
    pub(super) fn new(who: Who, text: impl AsRef<str>) -> Self {
        let (text, below) = match text.as_ref().split_once('\n') {
            Some((first, below)) => (first, Some(below.to_owned())),
            None => (text.as_ref(), None),
        };
        Self {
            who,
            text: text.to_owned(),
            more: Vec::new(),
        }
        .with(below)
    }

    pub(super) fn with(mut self, more: impl IntoIterator<Item = String>) -> Self {
        for text in more {
            self.more.extend(text.split('\n').map(str::to_owned));
        }
        self
    }
}
