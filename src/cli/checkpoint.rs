//! The command line of `harness checkpoint`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Checkpoint {
    /// List the checkpoints of a session
    List {
        /// The session; the latest when absent
        session: Option<String>,
    },
    /// Say what a checkpoint holds: its turn, the calls of that turn, and each file with its lines
    Show {
        /// Its number; 0 is the state before the session
        number: u32,
        /// The session; the latest when absent
        #[arg(long)]
        session: Option<String>,
    },
    /// Compare a checkpoint with another one, or with the work tree
    ///
    /// Prints the difference in unified form, at most 64 KiB of a file and 4 MiB in all. With --json it
    /// is one object per file.
    Diff(CheckpointDiff),
    /// Restore the files of a checkpoint, byte for byte
    ///
    /// Takes back files alone: what the agent was told and said is taken back by `harness rewind TURN`,
    /// with its files or without. Everything is restored or nothing: where you changed a file since the
    /// last checkpoint, both sides are shown, and --keep-mine or --save says what happens with yours.
    /// What was there is a checkpoint as well, so an undo can be undone.
    Undo(CheckpointUndo),
}

#[derive(Debug, Args)]
pub(crate) struct CheckpointDiff {
    /// The checkpoint to start from
    pub(crate) from: u32,
    /// The checkpoint to compare it with; the work tree when absent
    pub(crate) to: Option<u32>,
    /// Print the lines added and removed of each file instead
    #[arg(long, conflicts_with = "name_only")]
    pub(crate) stat: bool,
    /// Print paths alone
    #[arg(long)]
    pub(crate) name_only: bool,
    /// The session; the latest when absent
    #[arg(long)]
    pub(crate) session: Option<String>,
    /// Only these files and folders, seen from the current folder; write them behind `--`
    #[arg(last = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckpointUndo {
    /// Its number; 0 is the state before the session
    pub(crate) number: u32,
    /// The session; the latest when absent
    #[arg(long)]
    pub(crate) session: Option<String>,
    /// Leave the files that you changed as they are, and restore the others
    #[arg(long, conflicts_with = "save")]
    pub(crate) keep_mine: bool,
    /// Save your files as a checkpoint first, then restore all
    #[arg(long)]
    pub(crate) save: bool,
}
