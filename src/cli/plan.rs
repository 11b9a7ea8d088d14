//! The command line of `harness plan`.

use std::path::PathBuf;

use clap::Args;

use super::RunOptions;

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Plan {
    /// What is wanted, in your words, such as "add CSV import with tests"
    #[arg(value_name = "GOAL", conflicts_with_all = ["prompt_file", "show", "accept", "edit", "reject"])]
    pub(crate) goal: Option<String>,
    /// Take the goal from this file, or from standard input with `-`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["show", "accept", "edit", "reject"])]
    pub(crate) prompt_file: Option<PathBuf>,
    /// Show a proposal; the latest that waits when absent
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["accept", "edit", "reject"])]
    pub(crate) show: Option<String>,
    /// Add a proposal's features to the list, then run the gates once
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["edit", "reject"])]
    pub(crate) accept: Option<String>,
    /// With --accept: numbers of features that stay out, such as 2,5
    #[arg(long, value_name = "NUMBERS", requires = "accept")]
    pub(crate) without: Option<String>,
    /// With --accept: do not run the gates
    #[arg(long, requires = "accept")]
    pub(crate) no_check: bool,
    /// Change a proposal with $VISUAL or $EDITOR
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "", conflicts_with = "reject")]
    pub(crate) edit: Option<String>,
    /// Put a proposal away; nothing is added
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub(crate) reject: Option<String>,
    #[command(flatten)]
    pub(crate) options: RunOptions,
}
