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
        /// How many levels of folders are shown; 1 for the folder's own entries.
        #[serde(default = "one_level", skip_serializing_if = "is_one_level")]
        depth: u32,
    },
    /// Search file contents with a regular expression.
    Search {
        /// The expression.
        query: String,
        /// The folder or file to search.
        path: RepoPath,
        /// Which files alone: a pattern of names or of paths.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        glob: Option<String>,
        /// How many lines are shown before and after each found one.
        #[serde(default, skip_serializing_if = "is_zero")]
        context: u32,
    },
    /// Replace a file or make a new one.
    Write {
        /// The file.
        path: RepoPath,
        /// The whole new content.
        content: String,
    },
    /// Replace one place in a file, or several, one after the other: all of them or none.
    Edit {
        /// The file.
        path: RepoPath,
        /// The text to find; it must be there exactly once.
        old: String,
        /// The text to put in its place.
        new: String,
        /// Further places, found in what the replacements before have made of the file.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<Replacement>,
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
    /// Give a file another name, in the same folder or another.
    Move {
        /// The file.
        path: RepoPath,
        /// Its new path; nothing may stand there.
        to: RepoPath,
    },
    /// Delete a file or an empty folder.
    Delete {
        /// What is deleted; of a link the link itself.
        path: RepoPath,
    },
}

/// One place in a file and what is put there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The text to find; it must be there exactly once.
    pub old: String,
    /// The text to put in its place.
    pub new: String,
}

const fn one_level() -> u32 {
    1
}

// Serde hands a reference to every predicate.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
const fn is_one_level(depth: &u32) -> bool {
    *depth == one_level()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Action {
    /// Returns the path the action names: the file, the folder, or the command's working folder.
    pub fn path(&self) -> &RepoPath {
        match self {
            Self::Read { path, .. }
            | Self::List { path, .. }
            | Self::Search { path, .. }
            | Self::Write { path, .. }
            | Self::Edit { path, .. }
            | Self::Move { path, .. }
            | Self::Delete { path } => path,
            Self::Run { cwd, .. } => cwd,
        }
    }

    /// Returns the paths that a file tool changes: none for reads, and none for commands,
    /// of which nobody knows it before.
    pub fn changed_paths(&self) -> impl Iterator<Item = &RepoPath> {
        let (path, to) = match self {
            Self::Write { path, .. } | Self::Edit { path, .. } | Self::Delete { path } => {
                (Some(path), None)
            }
            Self::Move { path, to } => (Some(path), Some(to)),
            Self::Read { .. } | Self::List { .. } | Self::Search { .. } | Self::Run { .. } => {
                (None, None)
            }
        };
        path.into_iter().chain(to)
    }

    /// Returns what an edit replaces by what, in order; nothing for any other action.
    pub fn replacements(&self) -> impl Iterator<Item = (&str, &str)> {
        let (first, more) = match self {
            Self::Edit { old, new, more, .. } => {
                (Some((old.as_str(), new.as_str())), more.as_slice())
            }
            _ => (None, &[][..]),
        };
        let more = more
            .iter()
            .map(|next| (next.old.as_str(), next.new.as_str()));
        first.into_iter().chain(more)
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
            | Self::List { path, .. }
            | Self::Search { path, .. }
            | Self::Write { path, .. }
            | Self::Edit { path, .. }
            | Self::Move { path, .. }
            | Self::Delete { path } => *path = target,
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
        /// What is worth knowing about the text and does not stand in it, such as its encoding.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
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
    /// A file has another name.
    Moved,
    /// A file, a link or an empty folder is gone.
    Deleted {
        /// Lines that went with it.
        removed: u32,
    },
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
