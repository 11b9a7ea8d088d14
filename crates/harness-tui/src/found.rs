//! What pages are made of: looked up by the program, and what a person can have done on them.

use std::path::PathBuf;

use harness_core::{
    CheckReport, CheckpointNumber, Event, Feature, FeatureId, SessionId, Timestamp, TreeId,
    TurnNumber,
};

use crate::{
    input::Failed,
    review::{ReviewAsked, ReviewFound},
};

/// What a page asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The features, with how they stand and the progress log.
    Features,
    /// The gates, with how they came out and whether that still counts.
    Gates,
    /// The checkpoints of a session; of the latest one when none is named.
    Checkpoints(Option<SessionId>),
    /// Sessions.
    Sessions(Reach),
    /// What somebody has to know who runs it here for the first time.
    First,
    /// What a checkpoint holds and how it differs from another one, or from the one before.
    Difference {
        /// The session.
        session: SessionId,
        /// The older one; the one before `to` when absent.
        from: Option<CheckpointNumber>,
        /// The newer one.
        to: CheckpointNumber,
    },
    /// A change to review.
    Review(ReviewAsked),
    /// A file, with a line of it.
    File {
        /// The path, from the root of the work tree.
        path: String,
        /// The line, from 1.
        line: u32,
    },
}

/// How far sessions are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// In this repository.
    #[default]
    Here,
    /// In all repositories.
    Everywhere,
}

/// What was found.
#[derive(Clone, Debug)]
pub enum Found {
    /// The features.
    Features(FeaturesFound),
    /// The gates.
    Gates(GatesFound),
    /// The checkpoints.
    Checkpoints(CheckpointsFound),
    /// The sessions.
    Sessions(SessionsFound),
    /// What a first run offers.
    First(FirstFound),
    /// A difference, as `git diff` writes it.
    Difference {
        /// What it is of.
        title: String,
        /// The text.
        text: String,
    },
    /// A change, and what was said about it.
    Review(Box<ReviewFound>),
    /// A file.
    File {
        /// Its path.
        path: String,
        /// The line that is meant, from 1.
        line: u32,
        /// Its text.
        text: String,
    },
}

/// What somebody has to know who runs it here for the first time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstFound {
    /// The repository's name.
    pub repository: String,
    /// The person's branch.
    pub branch: String,
    /// Files that are not committed.
    pub changed: usize,
    /// Models with tools that servers on this machine have.
    pub local: Vec<String>,
    /// Models whose key is in the environment, each with the variable's name.
    pub keys: Vec<(String, String)>,
    /// The commands of its gates, or of those that were detected.
    pub gates: Vec<String>,
    /// What could be written.
    pub write: Vec<String>,
    /// Whether it has a `harness.toml`.
    pub has_config: bool,
    /// Where its scopes and its gates stand in that, from 1.
    pub lines: (u32, u32),
}

/// The feature list, and what stands behind it.
#[derive(Clone, Debug, Default)]
pub struct FeaturesFound {
    /// The features, in the order in which they are worked on.
    pub features: Vec<FeatureFound>,
    /// The end of the progress log.
    pub progress: String,
    /// More that is worth knowing, a sentence each.
    pub notes: Vec<String>,
}

/// A feature, and what stands behind it.
#[derive(Clone, Debug)]
pub struct FeatureFound {
    /// What it is meant to be, and the status in the list.
    pub feature: Feature,
    /// Whether it says that it passes and has no proof.
    pub is_claimed: bool,
    /// Whether it was changed by hand since it was listed.
    pub is_changed: bool,
    /// Why it stands as it does; empty where nobody said.
    pub reason: String,
    /// Its proof.
    pub proof: Option<ProofFound>,
}

/// What proves a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFound {
    /// The tree the gates ran on.
    pub tree: TreeId,
    /// Checks that it holds.
    pub checks: usize,
    /// The session that did it.
    pub session: SessionId,
}

/// The gates, and how they came out.
#[derive(Clone, Debug, Default)]
pub struct GatesFound {
    /// The work tree as it is, without what only the harness writes.
    pub tree: Option<TreeId>,
    /// The gates, in their order.
    pub gates: Vec<GateFound>,
    /// Comments of the person's review that must be fixed; absent where there is no review of a run.
    pub must_fix: Option<usize>,
}

/// A gate, and how it came out last.
#[derive(Clone, Debug)]
pub struct GateFound {
    /// Its name.
    pub name: String,
    /// What it runs.
    pub argv: Vec<String>,
    /// How it came out, and on which work tree, without what only the harness writes.
    pub last: Option<(Box<CheckReport>, Option<TreeId>)>,
}

/// The checkpoints of a session.
#[derive(Clone, Debug, Default)]
pub struct CheckpointsFound {
    /// The session; absent when there is none.
    pub session: Option<SessionId>,
    /// Its checkpoints, by number.
    pub checkpoints: Vec<CheckpointFound>,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFound {
    /// Its number; 0 is the state before the session.
    pub number: CheckpointNumber,
    /// Whether it is there.
    pub state: Kept,
    /// When it was made.
    pub time: Option<Timestamp>,
    /// The feature of its session.
    pub feature: Option<FeatureId>,
    /// The turn that led to it.
    pub turn: Option<TurnNumber>,
    /// How the gates came out on it, in words.
    pub gates: String,
    /// Files that differ from the one before.
    pub files: usize,
    /// Its message.
    pub message: String,
}

/// What became of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is there.
    Whole,
    /// Objects of it are missing.
    Damaged,
    /// It was removed to save space.
    Pruned,
}

/// Sessions.
#[derive(Clone, Debug, Default)]
pub struct SessionsFound {
    /// How far was looked.
    pub reach: Reach,
    /// The sessions, newest first.
    pub sessions: Vec<SessionFound>,
    /// Older ones that are left out.
    pub older: usize,
    /// Ones that a person has put away.
    pub archived: usize,
}

/// A session.
#[derive(Clone, Debug, Default)]
pub struct SessionFound {
    /// Which.
    pub session: Option<SessionId>,
    /// What the person calls it; empty where they never did.
    pub name: String,
    /// What it was to do, in words.
    pub goal: String,
    /// The features of it.
    pub features: String,
    /// The branch.
    pub branch: String,
    /// When it was worked on last.
    pub last: Option<Timestamp>,
    /// How it stands, in words.
    pub state: String,
    /// How it stands.
    pub standing: Standing,
    /// Its checkpoints.
    pub checkpoints: u32,
    /// What was said first, and last.
    pub words: (String, String),
    /// What was tried and failed, a line each.
    pub tried: Vec<String>,
    /// The work tree, where that is another one.
    pub elsewhere: String,
    /// A work tree of its repository, where that is another one.
    pub repository: Option<PathBuf>,
    /// Its last checkpoint.
    pub checkpoint: Option<CheckpointNumber>,
}

/// How a session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It is being worked on.
    Running,
    /// It was stopped, and can be gone on with.
    #[default]
    Stopped,
    /// It waits for a person.
    Waiting,
    /// It ended well.
    Done,
    /// It was given up.
    Aborted,
    /// Its log cannot be read.
    Damaged,
}

/// What a person has done from a page, beside a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Write `harness.toml` and what goes with it, once it was shown.
    Init,
    /// Add a feature.
    Add {
        /// Its title, with flags as of `harness feature add`.
        said: String,
    },
    /// Change what a feature is meant to be.
    Amend {
        /// Which.
        feature: FeatureId,
        /// Flags as of `harness feature amend`.
        said: String,
    },
    /// Have a feature worked on earlier or later.
    Move {
        /// Which.
        feature: FeatureId,
        /// Where to.
        to: Rank,
    },
    /// Say what a feature waits for.
    Block {
        /// Which.
        feature: FeatureId,
        /// What for.
        reason: String,
    },
    /// Have a feature worked on again.
    Reopen {
        /// Which.
        feature: FeatureId,
        /// Why; may be empty.
        reason: String,
    },
    /// Run gates on the work tree.
    RunGates {
        /// Which; all when empty.
        names: Vec<String>,
    },
    /// Go back to a checkpoint.
    Undo {
        /// The session.
        session: SessionId,
        /// The checkpoint.
        number: CheckpointNumber,
        /// What happens to files that the person changed.
        mine: Mine,
    },
    /// Name a session.
    Rename {
        /// Which.
        session: SessionId,
        /// A work tree of its repository, where that is another one.
        repository: Option<PathBuf>,
        /// The name; none when empty.
        name: String,
    },
    /// Put a session away.
    Archive {
        /// Which.
        session: SessionId,
        /// A work tree of its repository, where that is another one.
        repository: Option<PathBuf>,
    },
}

/// Where a feature goes in the order of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// One place earlier.
    Earlier,
    /// One place later.
    Later,
}

/// What an undo does with files that the person changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mine {
    /// They stand in its way.
    #[default]
    Refuse,
    /// They stay as they are.
    Keep,
    /// They are saved as a checkpoint first.
    Save,
}

/// How far an errand has come.
#[derive(Clone, Debug)]
pub enum Progress {
    /// A gate began or ended on a work tree.
    Checked {
        /// What happened.
        event: Box<Event>,
        /// The work tree, without what only the harness writes.
        tree: TreeId,
    },
    /// It is over, with what it says to people, or why it failed.
    Over(Result<String, Failed>),
}
