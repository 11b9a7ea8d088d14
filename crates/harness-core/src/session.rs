//! What a session starts from: enough, in one record, to fold its log alone.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    Account, ApprovedFinding, CommitId, Effort, EndReason, Feature, FeatureId, FeatureWork, Kept,
    Money, Policy, QuestionId, RepoPath, Roles, RunId, SessionId, Timestamp, TokenCount, TreeId,
    Usage,
};

/// The state of a run as far as its next session needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// The run.
    pub run: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// What it was asked for.
    pub goal: Goal,
    /// Its rules.
    pub policy: Policy,
    /// The features as the run knows them, statuses included.
    pub features: Vec<Feature>,
    /// The model that answers.
    pub model: ModelProfile,
    /// The models that take its place when its provider fails, in order; those that are left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<ModelProfile>,
    /// Who serves the other roles.
    #[serde(default, skip_serializing_if = "Roles::is_empty")]
    pub roles: Roles,
    /// Whether a person can be asked while it runs.
    pub attended: bool,
    /// Whether a person can go on talking to the agent when it stops.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub steered: bool,
    /// What was done with a dirty work tree.
    pub dirty: DirtyMode,
    /// The person's commit the run began from.
    pub base: CommitId,
    /// The tip of the run's branch: the base until something was committed.
    pub tip: CommitId,
    /// The work tree that belongs to the tip: what differs from it is the agent's work.
    ///
    /// Absent before the first session, which takes it from its checkpoint 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_start: Option<TreeId>,
    /// Features this run has given up on, and the end each one leads to.
    #[serde(default)]
    pub given_up: Vec<GivenUp>,
    /// Red finishes of the feature in work so far.
    pub attempts: u32,
    /// Tokens spent by earlier sessions of the run.
    pub usage: Usage,
    /// Money spent by earlier sessions of the run.
    pub spent: Money,
    /// What a person says they did, where the work is theirs: no model is asked, and it is judged once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<String>,
    /// What a person has approved in the changes of the run's features.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved: Vec<ApprovedFinding>,
    /// What the run remembers of its limits.
    #[serde(default, skip_serializing_if = "Account::is_empty")]
    pub account: Account,
    /// The person's own prompts, by the names of those they take the place of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<String, String>,
    /// What the run keeps for its later sessions: answers, and work that was put aside.
    #[serde(default, skip_serializing_if = "Kept::is_empty")]
    pub kept: Kept,
    /// What earlier sessions leave to the next one of their feature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub work: Vec<FeatureWork>,
    /// Where HEAD has to stand, in a run that brings each feature to the person's branch when it
    /// is proven: the base until one was brought. Absent in a run that leaves HEAD alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lands: Option<CommitId>,
}

/// A feature that a run leaves to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// Which.
    pub feature: FeatureId,
    /// How the run ends when nothing else is left.
    pub reason: EndReason,
    /// Why, in one line.
    pub detail: String,
    /// The question that waits for an answer; absent where something else is in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionId>,
}

/// What a run was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Goal {
    /// All features, by priority and dependencies.
    All,
    /// One feature.
    One {
        /// Which.
        feature: FeatureId,
    },
    /// A task typed on the command line, kept with the run only.
    Task {
        /// Its id, an entry of the run's features.
        feature: FeatureId,
    },
    /// A list of features for a goal: nothing is written, and a person says what becomes of it.
    Plan {
        /// The goal as an entry of the run's features. Its description is the person's text and
        /// its scope what the features may write; the scope of the run itself is empty.
        feature: FeatureId,
    },
}

impl Goal {
    /// Returns the feature that it names; none where it is all of them.
    pub const fn feature(&self) -> Option<&FeatureId> {
        match self {
            Self::All => None,
            Self::One { feature } | Self::Task { feature } | Self::Plan { feature } => {
                Some(feature)
            }
        }
    }

    /// Whether it is kept with the run alone: no list, progress log or evidence tells of it.
    pub const fn is_kept_with_run(&self) -> bool {
        matches!(self, Self::Task { .. } | Self::Plan { .. })
    }
}

/// What is done with the person's uncommitted work when a run starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirtyMode {
    /// The work tree was clean, or the run is refused.
    #[default]
    Refuse,
    /// It is committed to the run's branch first, as the base of everything.
    Base,
}

/// A model as one run uses it: no key, of its address no more than the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelProfile {
    /// The person's name for it.
    pub name: String,
    /// The provider's id.
    pub id: String,
    /// The host and port it is asked at: models of one provider fail together. Empty where none is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// The size of its window.
    pub context: TokenCount,
    /// The longest answer asked for.
    pub output: TokenCount,
    /// What it costs; absent when unknown.
    pub price: Option<Price>,
    /// How hard it is asked to think; absent where it is left to the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// What a request costs whose input is larger than the window, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<Price>,
    /// Whether answers are played from a recording.
    pub recorded: bool,
}

impl ModelProfile {
    /// Returns what tells its provider from others: a model without one stands for itself.
    pub fn provider(&self) -> &str {
        if self.provider.is_empty() {
            &self.name
        } else {
            &self.provider
        }
    }

    /// Returns what `usage` of one request costs; nothing where the price is unknown.
    ///
    /// A price holds up to the size of the window. Beyond it most providers charge up to
    /// twice as much, so twice is counted where nothing else is known: a limit is never
    /// held to too little.
    pub fn cost(&self, usage: Usage) -> Option<Money> {
        let cost = self.price?.of(usage);
        let is_beyond = self.context > TokenCount(0) && usage.input_total() > self.context.0;
        Some(match self.beyond {
            _ if !is_beyond => cost,
            Some(beyond) => beyond.of(usage),
            None => cost + cost,
        })
    }
}

/// Prices. Unit: millionths of a US dollar per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Fresh input.
    pub input: Money,
    /// Output, reasoning included.
    pub output: Money,
    /// Input read from a cache.
    pub cache_read: Money,
    /// Input written to a cache.
    pub cache_write: Money,
}

impl RunState {
    /// Makes a run that has done nothing yet, with one model and nobody to ask.
    pub fn new(
        run: RunId,
        started_at: Timestamp,
        goal: Goal,
        policy: Policy,
        features: Vec<Feature>,
        model: ModelProfile,
        base: CommitId,
    ) -> Self {
        Self {
            run,
            started_at,
            goal,
            policy,
            features,
            model,
            fallback: Vec::new(),
            roles: Roles::default(),
            attended: false,
            steered: false,
            dirty: DirtyMode::Refuse,
            tip: base.clone(),
            base,
            work_start: None,
            given_up: Vec::new(),
            attempts: 0,
            usage: Usage::default(),
            spent: Money(0),
            by_hand: None,
            approved: Vec::new(),
            account: Account::default(),
            prompts: BTreeMap::new(),
            kept: Kept::default(),
            work: Vec::new(),
            lands: None,
        }
    }

    /// Returns the commit that HEAD has to stand at.
    pub fn head(&self) -> &CommitId {
        self.lands.as_ref().unwrap_or(&self.base)
    }

    /// Lets another model answer from now on; it is no longer one that is left.
    pub fn change_model(&mut self, model: &ModelProfile) {
        self.fallback.retain(|left| left.name != model.name);
        self.model = model.clone();
    }

    /// Returns what earlier sessions left about a feature.
    pub fn work_on(&self, feature: &FeatureId) -> Option<&FeatureWork> {
        self.work.iter().find(|work| work.feature == *feature)
    }

    /// Keeps what the sessions of a feature know, in place of what was known before.
    pub fn keep_work(&mut self, work: FeatureWork) {
        self.forget_work(&work.feature);
        if !work.is_empty() {
            self.work.push(work);
        }
    }

    /// Forgets what sessions left about a feature: it is settled.
    pub fn forget_work(&mut self, feature: &FeatureId) {
        self.work.retain(|work| work.feature != *feature);
    }
}

impl Price {
    /// Returns what `usage` costs, rounded down to the millionth of a dollar.
    pub fn of(&self, usage: Usage) -> Money {
        let part = |tokens: u64, price: Money| u128::from(tokens) * u128::from(price.0);
        let total = part(usage.input, self.input)
            + part(usage.output, self.output)
            + part(usage.cache_read, self.cache_read)
            + part(usage.cache_write, self.cache_write);
        Money(u64::try_from(total / 1_000_000).unwrap_or(u64::MAX))
    }
}

/// What the kernel enforces on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing: tools are judged, processes are not confined.
    None,
    /// A container the person vouches for.
    External,
    /// Landlock and seccomp.
    Landlock,
    /// Own namespaces.
    Namespaces,
}

impl Level {
    /// Returns the word of flags, lines and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::External => "external",
            Self::Landlock => "landlock",
            Self::Namespaces => "namespaces",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first record of every session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOpened {
    /// The session.
    pub session: SessionId,
    /// The run it belongs to, as it stands now.
    pub run: RunState,
    /// The feature it works on.
    pub feature: FeatureId,
    /// The repository's name, for people.
    pub repository: String,
    /// The repository's root on the machine that opened the session.
    pub root: String,
    /// The run's branch, such as `harness/R-0001`.
    pub branch: String,
    /// What is enforced.
    pub level: Level,
    /// The work tree when the session began: checkpoint 0.
    pub start_tree: TreeId,
    /// The commit of checkpoint 0.
    pub start_checkpoint: CommitId,
    /// Texts for the first window, in order.
    pub sources: Vec<Source>,
    /// The deeper documents that the maps point to; absent in logs that were written before they were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<Vec<Document>>,
}

/// A deeper document that a map points to, as it was when the session opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The file.
    pub path: RepoPath,
    /// What the map calls it; the path where it has no words for it.
    pub title: String,
    /// What it takes when it is loaded, estimated; absent where it cannot be loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenCount>,
    /// What it is about in one line, or why it cannot be loaded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
}

/// A text that goes into the first window, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// The file, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RepoPath>,
    /// The text.
    pub text: String,
}

/// Kinds of texts that a window is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The map, one per folder.
    Map,
    /// The end of the progress log.
    Progress,
    /// Recent commits, one line each.
    Commits,
    /// The top of the tree.
    Tree,
    /// What an earlier session handed over.
    HandOver,
    /// Languages, tools and the branch.
    Environment,
}
