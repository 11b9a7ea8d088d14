//! The command line: what can be asked, with its help text.

mod checkpoint;
mod features;
mod logs;
mod plan;
mod review;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use checkpoint::{Checkpoint, CheckpointDiff, CheckpointUndo};
pub(crate) use features::{Feature, FeatureAdd, FeatureAmend, FeatureFinish, Intent, Rank};
pub(crate) use logs::{Export, ExportFormat, Follow, Log, Prune, Replay, SessionCommand};
pub(crate) use plan::Plan;
pub(crate) use review::{
    Review, ReviewBase, ReviewCommand, ReviewDecision, ReviewForm, ReviewKind, ReviewOf, ReviewPart,
};

/// Let a coding agent loose in a repository, and keep it to the repository's rules
///
/// The agent works only where the scope allows, and nothing counts as done until the gates are
/// green on exactly the tree that is committed.
#[derive(Debug, Parser)]
#[command(name = "harness", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  harness                          open the screen; nothing runs until asked
  harness demo                     watch a recorded model work, no key, no network
  harness init --yes               write harness.toml for this repository
  harness run F-001 --model gpt    work on one feature
  harness plan \"add CSV import\"    have features proposed for a goal
  harness run \"fix the paging bug\"  work on a task
  harness resume --last            go on after a stop or a crash
  harness land                     bring proven features to the current branch
  harness doctor                   prove what keeps processes in on this machine

Exit codes: 0 proven or answered, 1 our bug or I/O, 2 usage or configuration, 3 stopped with work
left, 4 gates red, 5 a person is needed, 6 model or network, 7 refused, 128+n ended by a signal.";

/// Flags that every command takes
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Common {
    /// Print one JSON object per line on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Never ask; what would need an answer exits with 5
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Work in this folder instead of the current one
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a recorded model work on a small project in a temporary repository
    Demo(Demo),
    /// Write harness.toml, an empty feature list and, if missing, a short AGENTS.md
    Init(Init),
    /// Accept what this repository would execute
    Trust(Trust),
    /// Work on all features, on one, or on a task
    Run(Run),
    /// Have an agent propose features for a goal; you take, change or refuse them
    ///
    /// The agent looks at the repository, asks what only you can decide, and proposes a list. Nothing
    /// is written before you take it: all of it, all but some numbers, or otherwise, which goes back to
    /// the agent as words. What you take stands in the feature list, with an entry in the progress log.
    /// Without a terminal the proposal is kept and the command exits with 5: look at it later with
    /// --show, then --accept, --edit or --reject. Meanwhile the gates run on HEAD, so that you know
    /// what features would build on.
    Plan(Box<Plan>),
    /// Go on with a run that was stopped or killed
    Resume(Resume),
    /// Take a stopped session back to an earlier turn: the conversation, the files, or both
    ///
    /// What the agent answered in that turn, and everything since, is forgotten; the log keeps it. The
    /// files go back to the checkpoint that stood when the turn began, as a new checkpoint, and never
    /// over changes of your own. Money that is spent stays spent. `harness resume` goes on from there;
    /// on the screen `/rewind TURN` does the same while the agent works.
    Rewind(Rewind),
    /// List the questions that wait for you, and answer one
    ///
    /// Without a text it lists them. With one it answers the question that waits, or the one that is
    /// named. A run that waits takes the answer at once; else `harness resume` or the next
    /// `harness run` goes on with it.
    Answer(Answer),
    /// Look at a change hunk by hunk, accept, turn down and comment
    ///
    /// Shows what the newest run changed, or with a base any other difference, in any git repository:
    /// no configuration, run, key or network is needed. Accepting marks only; what is turned down is
    /// taken back at the end of the turn, and the agent is told why. A comment that must be fixed keeps
    /// the feature from finishing until it is resolved; the command exits with 5 while one is open.
    Review(Box<Review>),
    /// Show where the repository, its features and its runs stand
    Status(Status),
    /// Try to break out of each level of confinement, and check what a run would use
    ///
    /// Every attempt is made on files, sockets and processes made for it, first without
    /// confinement, then at each level. Of the repository only the configuration is read; nothing of
    /// it runs. Exits with 7 when no level can be used, or when the one a run would use lets through
    /// what it owes to prevent; with 2 when the configuration cannot be read.
    ///
    /// With the name of a model, such as claude-sonnet, ollama/NAME or a role's word (main, cheap,
    /// reviewer), it sends that model one small, real request instead, which costs what it costs, and
    /// says whether the server can be reached, how long it took and whether the model calls a tool.
    /// Nothing is sent twice and no model is waited for longer than 30 seconds. Exits with 6 when there
    /// was no answer, with 2 when it cannot be asked as it is configured, and with 3 when the day's
    /// limit is used up.
    Doctor(Doctor),
    /// List the models that can be used, what they cost, and which keys are set
    ///
    /// Beside the built-in ones and those of your own file, this lists what servers on this machine
    /// have right now: Ollama (OLLAMA_HOST, else port 11434), LM Studio (1234), llama.cpp (8080) and
    /// vLLM (8000), all asked at once, for at most 300 ms. Nothing else is reached. What is found so
    /// can be used at once, as in `harness run --model ollama/NAME`.
    Models,
    /// List, show, add, amend, finish and settle features
    #[command(subcommand)]
    Feature(Feature),
    /// List gates and run them
    #[command(subcommand)]
    Gate(GateCommand),
    /// Check the proof behind passing features
    Verify(Verify),
    /// Answer the hooks of other agents
    #[command(subcommand)]
    Hook(Hook),
    /// List checkpoints, look at one, compare two, and go back to one
    #[command(subcommand)]
    Checkpoint(Checkpoint),
    /// Bring a run's proven features to the current branch
    Land(Land),
    /// Give a run up and restore the files it changed
    Abort(Abort),
    /// List, show, name, archive, export and prune sessions
    ///
    /// Listing and showing read logs and nothing else: neither trust nor a lock is needed, and a
    /// session that is running, or whose log is damaged, is told as far as its log goes.
    #[command(subcommand)]
    Session(SessionCommand),
    /// Show, verify, follow and export the log of a session
    #[command(subcommand)]
    Log(Log),
    /// Play a session again from its log, or check that it leads to what it records
    ///
    /// Nothing runs, no model is asked, and nothing is changed.
    Replay(Replay),
    /// Say what may be read and written, and by which rule
    #[command(subcommand)]
    Scope(ScopeCommand),
    /// Show what an agent is sent first and what it may load, with tokens
    ///
    /// Gathers what a run would gather and prints it by source, held against the budget; needs no
    /// trust, model, key or network. Exits with 2 when the first message is over its budget.
    Context(Context),
    /// Check maps and documents against the repository
    #[command(subcommand)]
    Docs(DocsCommand),
    /// Print the effective configuration with its origins, or the default files
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Demo {
    /// Do not wait where the recorded model would think
    #[arg(long)]
    pub(crate) fast: bool,
    /// Print plain lines instead of the screen (the default without a terminal; also HARNESS_PLAIN=1)
    #[arg(long)]
    pub(crate) plain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Try this level alone: namespaces, landlock, none
    #[arg(long, value_name = "LEVEL")]
    pub(crate) sandbox: Option<SandboxLevel>,
    /// Send one small, real request to this model instead: its name, or main, cheap, reviewer
    #[arg(value_name = "MODEL", num_args = 0..=8, conflicts_with = "sandbox")]
    pub(crate) models: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Write without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Try each gate once in the work tree and once isolated, and say what differs; with --yes this
    /// trusts what was just written
    #[arg(long = "try")]
    pub(crate) attempt: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// Accept without asking
    #[arg(long, conflicts_with_all = ["show", "revoke"])]
    pub(crate) yes: bool,
    /// Show all that would be accepted and how it differs from what was, and nothing else
    #[arg(long, conflicts_with = "revoke")]
    pub(crate) show: bool,
    /// Take the acceptance back
    #[arg(long)]
    pub(crate) revoke: bool,
}

/// What a run may use
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RunOptions {
    /// Use this model: a name that `harness models` lists, `script:FILE` or `replay:DIR` (config: agent.model)
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Let this agent work: `builtin`, or one that plays: `script:FILE`, `replay:DIR` (config: agent.use)
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<String>,
    /// Keep all that goes to model servers and comes back in this new folder, without keys
    ///
    /// The folder must lie outside the repository. `--agent replay:DIR` plays it without a server
    /// and without a key; docs/recordings.md has its layout. `resume` goes on with the one of its run.
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// How fast a script or a recording answers
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub(crate) pace: PlayPace,
    /// Stop when the run has cost this much in USD (config: limits.usd)
    #[arg(long, value_name = "N", value_parser = usd, allow_negative_numbers = true)]
    pub(crate) max_usd: Option<f64>,
    /// Stop a session after this many model requests (config: limits.turns)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true)]
    pub(crate) max_turns: Option<u32>,
    /// Require this confinement of processes: namespaces, landlock, external, none
    #[arg(long, value_name = "LEVEL")]
    pub(crate) sandbox: Option<SandboxLevel>,
    /// Approve the finding with this id, for exactly the change it was shown with; can be repeated
    #[arg(long, value_name = "ID", value_parser = finding_id)]
    pub(crate) approve: Vec<String>,
    /// Print plain lines instead of the screen (the default without a terminal; also HARNESS_PLAIN=1)
    #[arg(long)]
    pub(crate) plain: bool,
}

/// How fast a script or a recording answers
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlayPace {
    /// At once, and without waits before retries
    #[default]
    Fast,
    /// As it was recorded
    Natural,
}

/// Reads an amount of money that something can be done with.
fn usd(text: &str) -> Result<f64, String> {
    let amount = text
        .parse()
        .ok()
        .filter(|usd: &f64| usd.is_finite() && *usd > 0.0);
    amount.ok_or_else(|| "write an amount in USD above 0, such as 0.50".to_owned())
}

/// Reads the id of a finding.
pub(crate) fn finding_id(text: &str) -> Result<String, String> {
    let is_id = text.len() == 8 && text.chars().all(|char| char.is_ascii_hexdigit());
    if is_id {
        return Ok(text.to_ascii_lowercase());
    }
    Err("the id of a finding has eight hexadecimal digits, as a refused finish shows it".to_owned())
}

/// Levels that can be asked for
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SandboxLevel {
    /// A file tree, a network and processes of its own
    Namespaces,
    /// Landlock and seccomp
    Landlock,
    /// A container you vouch for
    External,
    /// No confinement of processes
    None,
}

/// What is done with uncommitted work
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dirty {
    /// Refuse to start
    #[default]
    Refuse,
    /// Commit it to the run's branch first, as the base of everything
    Base,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Run {
    /// A feature's id, or the text of a task; all features when absent
    #[arg(value_name = "FEATURE|TEXT")]
    pub(crate) goal: Option<String>,
    #[command(flatten)]
    pub(crate) options: RunOptions,
    /// What to do with uncommitted work
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) dirty: Option<Dirty>,
    /// Where proven features go: to the run's own branch, or to yours after each of them
    #[arg(long, value_enum, value_name = "WHICH", default_value_t)]
    pub(crate) branch: RunBranch,
    /// Work in a linked work tree of its own; yours stays as it is
    ///
    /// It is made from HEAD in the state folder, ~/.local/state/harness/worktrees, without what you
    /// have not committed and without ignored files. `harness land` brings what is proven to the
    /// branch of your own work tree and removes it when nothing else is in it; so does `harness abort`.
    #[arg(long, conflicts_with_all = ["dirty", "branch"])]
    pub(crate) worktree: bool,
}

/// Where proven features go
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunBranch {
    /// To the run's own branch; `harness land` brings them to yours
    #[default]
    Own,
    /// To the branch that is checked out, after each feature
    Current,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Resume {
    /// The session, such as S-0007
    #[arg(value_name = "SESSION", required_unless_present_any = ["last", "all", "fork"])]
    pub(crate) session: Option<String>,
    /// Take the latest session of this work tree
    #[arg(long)]
    pub(crate) last: bool,
    /// Go on with every run of this work tree that has work left, newest first
    ///
    /// Stops at the first one that needs a person, and sums up.
    #[arg(long, conflicts_with_all = ["session", "last", "fork"])]
    pub(crate) all: bool,
    /// Begin a new run with the conversation and the files of a checkpoint
    ///
    /// The other session stays as it is. Files go to the checkpoint as with `harness checkpoint
    /// undo`: never over changes of your own. The new run has spent nothing; what the day has cost counts.
    #[arg(long, value_name = "SESSION@CHECKPOINT", conflicts_with_all = ["session", "last"])]
    pub(crate) fork: Option<String>,
    /// Take what was changed in the agent's files since it stopped as part of its work
    #[arg(long)]
    pub(crate) take_changes: bool,
    #[command(flatten)]
    pub(crate) options: RunOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Follow the run of this work tree: its feature, turn, gate, cost, and what waits for you
    ///
    /// Reads its log alone and is in nobody's way: any number can watch, before the run begins and
    /// after it was killed. Plain lines where there is no terminal. Ctrl+C leaves.
    #[arg(long)]
    pub(crate) watch: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rewind {
    /// The turn whose answer is the first to be forgotten; `harness log show` has the numbers
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) turn: u32,
    /// The session, such as S-0007; the latest of this work tree when absent
    #[arg(long)]
    pub(crate) session: Option<String>,
    /// Take back the conversation alone
    #[arg(long, conflicts_with = "files")]
    pub(crate) talk: bool,
    /// Take back the files alone
    #[arg(long)]
    pub(crate) files: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Answer {
    /// The answer in quotes, behind the question's id where several wait, such as Q-0001
    #[arg(value_name = "QUESTION|TEXT", num_args = 0..=2)]
    pub(crate) words: Vec<String>,
    /// Answer the question about this feature
    #[arg(long, value_name = "ID")]
    pub(crate) feature: Option<String>,
    /// Read the answer from this file; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GateCommand {
    /// List the gates
    List,
    /// Run gates on the work tree as it would be committed
    Run {
        /// Which gates; all when absent
        names: Vec<String>,
        /// Run each gate twice, in the work tree and on a clean checkout, and say what differs and what to do
        #[arg(long)]
        compare: bool,
        /// Require this confinement of processes: namespaces, landlock, external, none
        #[arg(long, value_name = "LEVEL")]
        sandbox: Option<SandboxLevel>,
    },
    /// Print the gates that this repository seems to have; change nothing
    Detect,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hook {
    /// Judge the work tree when an agent wants to stop (Claude Code, Codex)
    ///
    /// Reads the hook's JSON from standard input. What is uncommitted is judged against HEAD: findings
    /// of weakened tests and the like, then the gates it concerns, on a checkout of their own. Where
    /// something is red it prints `{"decision":"block","reason":...}`, so that the agent goes on; else
    /// nothing. After `[limits] attempts` blocks in one session of the agent it lets go and says that a
    /// person is needed. A repository that is not configured or not trusted is never judged and never
    /// blocked; that is said. Commits nothing. Exits with 0, or with 1 when the input is no hook's.
    Stop {
        /// The feature whose scope and gates hold; the repository's scope and all gates when absent
        #[arg(long, value_name = "ID")]
        feature: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The feature; all when absent
    pub(crate) feature: Option<String>,
    /// Run the gates behind the proof again, on the committed tree, and compare
    ///
    /// Each gate runs once for all features that share it. A passing feature with a gate that is red
    /// now becomes `failing`, so that `harness run` takes it up again.
    #[arg(long)]
    pub(crate) rerun: bool,
    /// Require this confinement of gates: namespaces, landlock, external, none
    #[arg(long, value_name = "LEVEL", requires = "rerun")]
    pub(crate) sandbox: Option<SandboxLevel>,
}

#[derive(Debug, Args)]
pub(crate) struct Land {
    /// The run, such as R-0003; the latest when absent
    pub(crate) run: Option<String>,
    /// Make one commit of all features
    #[arg(long)]
    pub(crate) squash: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Abort {
    /// The run, such as R-0003; the latest when absent
    pub(crate) run: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Context {
    /// A feature's id, or the text of a task; the feature that a run would take up when absent
    #[arg(value_name = "FEATURE|TEXT", conflicts_with = "session")]
    pub(crate) feature: Option<String>,
    /// Show what the window of this session held at its end; the latest one when no session is named
    #[arg(long, value_name = "SESSION", num_args = 0..=1, default_missing_value = "last")]
    pub(crate) session: Option<String>,
    /// Print the exact texts that are sent, with where each comes from
    #[arg(long)]
    pub(crate) prompt: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DocsCommand {
    /// Find dead links, stale paths, orphans, and maps that are too large or never loaded
    ///
    /// Looks into the maps (AGENTS.md) and what can be reached from them. Prints file, line, rule and
    /// what is wrong; exits with 4 when anything is. Works as a gate: run = ["harness", "docs", "check"],
    /// where a folder of PATH has `harness`, or a link to it.
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScopeCommand {
    /// Say for each path whether it may be read and written, and by which rule
    Explain {
        /// Paths, seen from the current folder
        #[arg(required_unless_present = "command")]
        paths: Vec<String>,
        /// A command line: whether it may run, and by which `[[rule]]`
        #[arg(long, value_name = "COMMAND LINE")]
        command: Option<String>,
        /// The feature whose scope holds
        #[arg(long)]
        feature: Option<String>,
        /// Also print what processes are confined to
        #[arg(long)]
        sandbox: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every value and where it comes from
    Show {
        /// Print the origin of each value
        #[arg(long)]
        origin: bool,
    },
    /// Print the commented default files
    Default {
        /// Print the person's file instead of the repository's
        #[arg(long)]
        user: bool,
    },
}
