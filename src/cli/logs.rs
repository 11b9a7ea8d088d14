//! `harness log`, `harness replay` and `harness session`: flags and help.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Print a session's events, with what each model request used and cost
    Show {
        /// The session: id, name or number, or an exported file; the latest when absent
        session: Option<String>,
    },
    /// Check that a session's log is whole and unchanged, with the files it names
    ///
    /// Exits with 4 when a line is broken, out of order or missing, or when a file that a record
    /// names is missing or changed; line and way out are told. The end of a write that was cut is
    /// no damage: the next `harness resume` puts it aside.
    Verify {
        /// The session: id, name or number, or an exported file; all sessions when absent
        session: Option<String>,
    },
    /// Print a session's lines as its run prints them, and go on while it works
    ///
    /// Takes no lock and writes nothing, so the run does not notice. It is looked for news ten times
    /// a second. Ends when the session does: with the exit code of the run where that has ended, with
    /// 0 where the run went on in another session, with 3 where the session was cut short and no
    /// process has it for five seconds. `Ctrl+C` ends the following alone, with 130.
    Follow(Follow),
    /// Write a session into one file that stands for itself
    ///
    /// As JSON lines: a head, the records byte for byte, and the files they name. `harness log
    /// verify FILE` checks it anywhere, `harness replay FILE` plays it. Secrets were taken out when
    /// the log was written. Markdown is for reading alone.
    Export(Export),
}

#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// The session: id, name or number; or a run, such as R-0003; the latest session when absent
    pub(crate) session: Option<String>,
    /// Take the latest session of this work tree
    #[arg(long, conflicts_with = "session")]
    pub(crate) last: bool,
    /// Go on with the next session of the run, until the run is over
    #[arg(long)]
    pub(crate) run: bool,
    /// Begin with this record instead of the first
    #[arg(long, value_name = "N", conflicts_with = "tail", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) from: Option<u64>,
    /// Begin with the last N entries that are there
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(crate) tail: Option<u32>,
    /// Wait for a session that was cut short to be resumed
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// JSON lines that can be verified and played
    #[default]
    Jsonl,
    /// A transcript to read
    Md,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The session: id, name or number; the latest when absent
    pub(crate) session: Option<String>,
    /// Write to this file, which must not exist, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub(crate) format: ExportFormat,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Replay {
    /// The session: id, name or number, or an exported file; all of a run for R-0001; the latest when absent
    pub(crate) session: Option<String>,
    /// Say whether the log, folded again, leads to what it records; print nothing of it
    ///
    /// The engine is given each record anew. What it then wants to record must be the next record;
    /// what was done must have been asked for, and have come once; and the next session of the run
    /// must have begun with the state that this log leaves. Exits with 4 and names the record where
    /// that does not hold. Other words for the same decision, as another version may choose them,
    /// are counted and are no failure. With --json there is a digest of the state at the end, which
    /// is the same wherever the log is folded.
    #[arg(long, conflicts_with_all = ["speed", "instant"])]
    pub(crate) check: bool,
    /// Play so many times as fast as it was; no pause is longer than 3 seconds
    #[arg(long, value_name = "N", value_parser = speed)]
    pub(crate) speed: Option<f64>,
    /// Show it on the screen, as a run is shown; Esc or Ctrl+C ends it
    #[arg(long, conflicts_with = "check")]
    pub(crate) screen: bool,
    /// Play without pauses (the default where standard output is no terminal, and with --json)
    #[arg(long, conflicts_with = "speed")]
    pub(crate) instant: bool,
}

/// Reads how many times as fast.
fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok();
    let speed = speed.filter(|speed: &f64| speed.is_finite() && (0.01..=10_000.0).contains(speed));
    speed.ok_or_else(|| "write a number from 0.01 to 10000, such as 2".to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List the sessions of this repository, newest first
    List {
        /// List those of all repositories in which a session was ever opened
        #[arg(long)]
        all: bool,
        /// List the archived ones too
        #[arg(long)]
        archived: bool,
    },
    /// Say what one session did: turns, tokens, cache, cost, tools, gates, and how it ended
    Show {
        /// The session: id, name or number; the latest of this work tree when absent
        session: Option<String>,
    },
    /// Give a session a name, which every command then takes in place of its id
    Rename {
        /// The session: id, name or number
        session: String,
        /// The name: letters, digits, `-`, `_`, `.`, a letter first; empty takes the name away
        name: String,
    },
    /// Leave a session out of lists; nothing of it is removed
    Archive {
        /// The session: id, name or number
        session: String,
        /// Put it back into lists
        #[arg(long)]
        undo: bool,
    },
    /// Write a session into one file that stands for itself; the same as `harness log export`
    Export(Export),
    /// Remove the logs of old sessions, and their checkpoints
    ///
    /// Taken are sessions whose run is over for good (proven, answered or given up) and archived ones.
    /// Never one that a process has, one whose run can be resumed and is not archived, or one whose run
    /// has proven features that have not landed. Says what would go and how much it takes, and asks.
    /// A commit's trailer still names the log; what is left of it says that it was pruned.
    Prune(Prune),
}

#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Take sessions whose last record is older than this, such as `2w`
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = humantime::parse_duration)]
    pub(crate) older_than: std::time::Duration,
    /// Keep the newest N sessions whatever their age
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) keep: usize,
    /// Say what would go, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Remove without asking
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) yes: bool,
}
