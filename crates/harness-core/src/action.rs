//! What a tool call would do to the world, and what came of it.

use serde::{Deserialize, Serialize};

use crate::{Image, RepoPath};

/// One thing an agent wants done outside its own head.
///
/// Paths are resolved lexically; whether a link stands there is found when the
/// host opens the path, and the target is then judged as an action of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Read a text file or an image.
    Read {
        /// The file.
        path: RepoPath,
        /// Which lines; all of them when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lines: Option<LineRange>,
    },
    /// List a folder's entries, ignored files left out.
    List {
        /// The folder.
        path: RepoPath,
    },
    /// Search file contents with a regular expression.
    Search {
        /// The expression.
        query: String,
        /// The folder or file to search.
        path: RepoPath,
    },
    /// Replace a file or make a new one.
    Write {
        /// The file.
        path: RepoPath,
        /// The whole new content.
        content: String,
    },
    /// Replace one place in a file.
    Edit {
        /// The file.
        path: RepoPath,
        /// The text to find; it must be there exactly once.
        old: String,
        /// The text to put in its place.
        new: String,
    },
    /// Run a command line in the cage.
    Run {
        /// Passed to `sh -c`.
        command: String,
        /// The working folder.
        cwd: RepoPath,
        /// Whether it goes on as a job when the call has returned.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        background: bool,
    },
}

impl Action {
    /// Returns the path the action names: the file, the folder, or the command's working folder.
    pub fn path(&self) -> &RepoPath {
        match self {
            Self::Read { path, .. }
            | Self::List { path }
            | Self::Search { path, .. }
            | Self::Write { path, .. }
            | Self::Edit { path, .. } => path,
            Self::Run { cwd, .. } => cwd,
        }
    }

    /// Whether the action leaves the work tree as it is.
    pub const fn is_read_only(&self) -> bool {
        matches!(
            self,
            Self::Read { .. } | Self::List { .. } | Self::Search { .. }
        )
    }

    /// Whether it is a command that goes on as a job when its call has returned.
    pub const fn is_job(&self) -> bool {
        matches!(
            self,
            Self::Run {
                background: true,
                ..
            }
        )
    }

    /// Returns the same action on another path; a command keeps its text and moves its folder.
    #[must_use]
    pub fn at(&self, target: RepoPath) -> Self {
        let mut action = self.clone();
        match &mut action {
            Self::Read { path, .. }
            | Self::List { path }
            | Self::Search { path, .. }
            | Self::Write { path, .. }
            | Self::Edit { path, .. } => *path = target,
            Self::Run { cwd, .. } => *cwd = target,
        }
        action
    }
}

/// Lines of a file, counted from 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRange {
    /// The first line.
    pub first: u32,
    /// The last line; a file may end earlier.
    pub last: u32,
}

/// What an action came to, as facts; the tool crate words them for the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// Text that was read, listed or found.
    Text {
        /// The text, bounded.
        text: String,
        /// How many lines there were in all, shown or not.
        lines: u64,
        /// Whether something was left out.
        cut: bool,
    },
    /// A file was written.
    Written {
        /// Whether the file did not exist before.
        created: bool,
        /// Lines added.
        added: u32,
        /// Lines removed.
        removed: u32,
        /// How the place was found when it was not found exactly.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inexact: Option<String>,
    },
    /// A command ended.
    Exited {
        /// How.
        stop: Stop,
        /// Standard output and standard error, in the order they came.
        output: Captured,
        /// Where the tools find the output where it is more than a model is shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<RepoPath>,
    },
    /// The action could not be done and changed nothing; the text says why and what would help.
    Refused {
        /// For the model.
        message: String,
    },
    /// An image that was read.
    Image(Image),
}

/// How a process came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It exited with this code.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
    /// It ran longer than its total limit and was ended.
    TimedOut,
    /// It was silent longer than its limit and was ended.
    Silent,
    /// It wrote more than its output limit and was ended.
    Flooded,
    /// It was cancelled.
    Cancelled,
    /// It had more processes than its limit and was ended.
    Crowded,
    /// Its processes took more memory together than its limit and were ended.
    TooLarge,
}

/// The output of a process: head and tail kept, the middle counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The beginning; valid UTF-8, other bytes replaced.
    pub head: String,
    /// The end, empty when nothing was left out.
    pub tail: String,
    /// How many bytes the process wrote.
    pub bytes: u64,
}

impl Captured {
    /// Returns how many bytes were left out between head and tail.
    pub fn omitted(&self) -> u64 {
        if self.tail.is_empty() {
            return 0;
        }
        self.bytes
            .saturating_sub((self.head.len() + self.tail.len()) as u64)
    }

    /// Returns head, a mark for what was left out, and tail as one text.
    pub fn to_text(&self) -> String {
        if self.tail.is_empty() {
            return self.head.clone();
        }
        format!(
            "{}\n[{} bytes left out]\n{}",
            self.head,
            self.omitted(),
            self.tail
        )
    }
}
