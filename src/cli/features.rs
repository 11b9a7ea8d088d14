//! The command line of `harness feature`.

use clap::{Args, Subcommand, ValueEnum};

use super::{SandboxLevel, finding_id};

#[derive(Debug, Subcommand)]
pub(crate) enum Feature {
    /// List the features
    List,
    /// Show one feature
    Show {
        /// Its id
        id: String,
    },
    /// Add a feature
    Add(Box<FeatureAdd>),
    /// Change what a feature is meant to be
    ///
    /// What is not named stays. A list that is named is replaced; an empty text clears it, and 0
    /// clears a limit. A passing feature counts as open again: its proof was of something else.
    Amend(Box<FeatureAmend>),
    /// Say that a feature is not wanted any more
    Cancel {
        /// Its id
        id: String,
        /// Why it is not wanted
        #[arg(long)]
        reason: String,
    },
    /// Say that a feature waits for something outside
    Block {
        /// Its id
        id: String,
        /// What it waits for
        #[arg(long)]
        reason: String,
    },
    /// Have a feature worked on earlier or later than the others
    ///
    /// Changes priorities and nothing else: as few of them as will do. Of equal ones the list's order
    /// counts.
    Move {
        /// Its id
        id: String,
        /// Where to
        #[arg(value_enum)]
        to: Rank,
    },
    /// Have a feature worked on again, also one that passes
    Reopen {
        /// Its id
        id: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Prove and commit what you, or an agent of yours, did by hand
    ///
    /// The uncommitted changes in the feature's scope are judged as an agent's are: findings, then the
    /// gates on HEAD with these changes, checked out for themselves. When all is green they are
    /// committed to a branch of their own with evidence, feature list and progress log. Your branch,
    /// HEAD and the index stay where they are unless `--land` is given. No model is asked.
    Finish(FeatureFinish),
    /// Take a feature without proof, with a reason
    Accept {
        /// Its id
        id: String,
        /// Why it is taken without proof
        #[arg(long)]
        reason: String,
    },
}

/// Where a feature goes in the order of work
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rank {
    /// One place earlier
    Earlier,
    /// One place later
    Later,
    /// Before all others
    First,
    /// Behind all others
    Last,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FeatureFinish {
    /// Its id
    pub(crate) id: String,
    /// Bring it to the current branch when it is proven
    #[arg(long)]
    pub(crate) land: bool,
    /// Approve the finding with this id, for exactly the change it was shown with; can be repeated
    #[arg(long, value_name = "ID", value_parser = finding_id)]
    pub(crate) approve: Vec<String>,
    /// What was done, for the commit and the progress log
    #[arg(long, value_name = "TEXT", default_value = FeatureFinish::SUMMARY)]
    pub(crate) summary: String,
    /// Require this confinement of gates: namespaces, landlock, external, none
    #[arg(long, value_name = "LEVEL")]
    pub(crate) sandbox: Option<SandboxLevel>,
}

impl FeatureFinish {
    /// What stands for the summary where nobody gave one.
    pub(crate) const SUMMARY: &str = "Done by hand.";
}

#[derive(Debug, Args)]
pub(crate) struct FeatureAdd {
    /// One line
    pub(crate) title: String,
    /// Its id; the next free one when absent
    #[arg(long)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) intent: Intent,
    /// Higher is earlier
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) priority: i64,
}

#[derive(Debug, Args)]
pub(crate) struct FeatureAmend {
    /// Its id; with --as-is all that were changed by hand when absent
    #[arg(required_unless_present = "as_is")]
    pub(crate) id: Option<String>,
    /// One line
    #[arg(long)]
    pub(crate) title: Option<String>,
    #[command(flatten)]
    pub(crate) intent: Intent,
    /// One more way to tell that it is done; may be given several times
    #[arg(long = "add-acceptance", value_name = "TEXT")]
    pub(crate) add_acceptance: Vec<String>,
    /// Take what the file says now, after it was changed by hand
    #[arg(long, conflicts_with_all = ["title", "add_acceptance", "Intent"])]
    pub(crate) as_is: bool,
}

/// What a feature is meant to be, beside its title
#[derive(Debug, Args)]
pub(crate) struct Intent {
    /// The whole wish
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// A group, such as `functional`
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// When it counts as done; may be given several times
    #[arg(long = "acceptance", value_name = "TEXT")]
    pub(crate) acceptance: Vec<String>,
    /// A step on the way; may be given several times
    #[arg(long = "step", value_name = "TEXT")]
    pub(crate) steps: Vec<String>,
    /// A pattern it may write, inside the repository's scope; may be given several times
    #[arg(long = "write", value_name = "PATTERN")]
    pub(crate) write: Vec<String>,
    /// A pattern that stays forbidden; may be given several times
    #[arg(long = "deny", value_name = "PATTERN")]
    pub(crate) deny: Vec<String>,
    /// A path it may change although it is protected or outside the scope; may be given several times
    #[arg(long = "may-change", value_name = "PATH")]
    pub(crate) may_change: Vec<String>,
    /// A gate it must pass; all gates when absent
    #[arg(long = "gate", value_name = "NAME")]
    pub(crate) gates: Vec<String>,
    /// A command that proves it, split as a shell splits words; may be given several times
    #[arg(long = "verify", value_name = "COMMAND")]
    pub(crate) verify: Vec<String>,
    /// A feature that must pass first; may be given several times
    #[arg(long = "depends-on", visible_alias = "after", value_name = "ID")]
    pub(crate) depends_on: Vec<String>,
    /// How many finishes may be refused before a person is needed (config: limits.attempts)
    #[arg(long, value_name = "N")]
    pub(crate) attempts: Option<u32>,
    /// What it may cost in USD
    #[arg(long, value_name = "N")]
    pub(crate) usd: Option<f64>,
    /// How long it may be worked on
    #[arg(long, value_name = "N")]
    pub(crate) minutes: Option<u32>,
}
