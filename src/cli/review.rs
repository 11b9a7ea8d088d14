//! The command line of `harness review`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Review {
    #[command(subcommand)]
    pub(crate) command: Option<ReviewCommand>,
    #[command(flatten)]
    pub(crate) base: ReviewBase,
    /// Write the whole review out instead
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) export: Option<ReviewForm>,
    /// Go through the hunks in plain lines, one by one
    #[arg(long, conflicts_with = "export")]
    pub(crate) plain: bool,
}

/// What is compared
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReviewBase {
    /// Commits: `main..` to the files as they are, `main..topic`, or `main...` from where they parted
    #[arg(value_name = "BASE..[HEAD]", id = "range")]
    pub(crate) range: Option<String>,
    #[command(flatten)]
    pub(crate) part: ReviewPart,
}

/// Which part of a run is compared
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReviewPart {
    /// What one checkpoint changed
    #[arg(long, value_name = "N", conflicts_with_all = ["range", "feature", "last"])]
    pub(crate) checkpoint: Option<u32>,
    /// What changed since the last checkpoint but one
    #[arg(long, conflicts_with_all = ["range", "feature"])]
    pub(crate) last: bool,
    /// Everything since the work on this feature began
    #[arg(long, value_name = "ID", conflicts_with_all = ["range", "session"])]
    pub(crate) feature: Option<String>,
    /// Everything since this session began; with --checkpoint or --last, the session that has it
    #[arg(long, value_name = "ID", conflicts_with = "range")]
    pub(crate) session: Option<String>,
}

/// What is compared, behind a verb
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReviewOf {
    /// The commits that are compared, as in `harness review BASE..`
    #[arg(long = "of", value_name = "BASE..[HEAD]", id = "range")]
    pub(crate) range: Option<String>,
    #[command(flatten)]
    pub(crate) part: ReviewPart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReviewForm {
    /// Markdown, for people
    Md,
    /// One JSON object
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReviewKind {
    /// The feature cannot finish before it is resolved
    #[default]
    MustFix,
    /// Something is not clear
    Question,
    /// A small thing
    Nit,
    /// Only said
    Note,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    /// Say how far the review has come; exits with 5 while a must-fix is open
    Status {
        #[command(flatten)]
        of: ReviewOf,
    },
    /// Show hunks with their lines numbered; all that are not decided when none is named
    Show {
        /// First digits of the hunks' ids
        hunks: Vec<String>,
        #[command(flatten)]
        of: ReviewOf,
    },
    /// Mark hunks as good; nothing is changed
    Accept(ReviewDecision),
    /// Turn hunks down: they are taken back, at the end of the turn where a run is at work
    ///
    /// What is taken back is a checkpoint of its own, or without a session a patch that is kept. Where
    /// the lines have changed since, nothing is guessed: both sides are shown.
    Reject(ReviewDecision),
    /// Take back now what was turned down while another run was at work
    Apply {
        #[command(flatten)]
        of: ReviewOf,
    },
    /// Take the last decision back
    Undo {
        #[command(flatten)]
        of: ReviewOf,
    },
    /// Write a comment: a draft, until it is sent
    Comment {
        /// What is said, in quotes
        text: Option<String>,
        /// Read it from this file; `-` reads standard input
        #[arg(long, value_name = "FILE", conflicts_with = "text")]
        file: Option<PathBuf>,
        /// What it is about: a file, or lines of it, such as src/a.rs:4 or src/a.rs:4-9; the whole
        /// change when absent
        #[arg(long, value_name = "PATH[:LINES]")]
        at: Option<String>,
        /// The lines are those of the earlier state
        #[arg(long, requires = "at")]
        old: bool,
        /// How much it weighs
        #[arg(long, value_enum, default_value = "must-fix")]
        kind: ReviewKind,
        #[command(flatten)]
        of: ReviewOf,
    },
    /// Change the text of a draft
    Edit {
        /// Its number
        number: u32,
        /// What is said, in quotes
        text: String,
        /// How much it weighs; as before when absent
        #[arg(long, value_enum)]
        kind: Option<ReviewKind>,
        #[command(flatten)]
        of: ReviewOf,
    },
    /// Take drafts away
    Withdraw(ReviewNumbers),
    /// Send all drafts to the agent as one message
    Send {
        #[command(flatten)]
        of: ReviewOf,
    },
    /// Say more about a comment that was sent; it waits to be sent, as a draft does
    Answer {
        /// Its number
        number: u32,
        /// What is said, in quotes
        text: String,
        #[command(flatten)]
        of: ReviewOf,
    },
    /// Be content with comments
    Resolve(ReviewNumbers),
    /// Open resolved comments again
    Reopen(ReviewNumbers),
}

#[derive(Debug, Args)]
pub(crate) struct ReviewDecision {
    /// First digits of the hunks' ids
    #[arg(required_unless_present = "all")]
    pub(crate) hunks: Vec<String>,
    /// All hunks that are not decided
    #[arg(long, conflicts_with_all = ["hunks", "lines"])]
    pub(crate) all: bool,
    /// Only these lines of the one hunk, by the numbers that `show` gives, such as 3-5,8
    #[arg(long, value_name = "LINES")]
    pub(crate) lines: Option<String>,
    /// Why; the agent is told
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) of: ReviewOf,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewNumbers {
    /// The comments' numbers
    #[arg(required = true)]
    pub(crate) numbers: Vec<u32>,
    #[command(flatten)]
    pub(crate) of: ReviewOf,
}
