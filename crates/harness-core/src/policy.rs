//! The rules of a run as plain data, fixed when it starts and stored in its log.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    AllowedHost, Amendment, ByteCount, Format, Gate, Money, RepoPath, ReviewBy, TokenCount,
};

/// Everything that holds for a run: where it may write, what must be green, how far it may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Paths.
    pub scope: ScopeRules,
    /// Gates in the order of the configuration.
    pub gates: Vec<Gate>,
    /// Formatters in the order of the configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<Format>,
    /// Rules about commands; their order makes no difference.
    #[serde(default)]
    pub commands: Vec<CommandRule>,
    /// Bounds.
    pub limits: Limits,
    /// Whether gates run on an isolated checkout of the candidate.
    pub isolate: bool,
    /// The feature list's file.
    pub feature_file: RepoPath,
    /// The progress log's file.
    pub progress_file: RepoPath,
    /// The map's file name.
    pub map_file: String,
    /// How much of the window the map and the first message may take.
    pub context_budget: TokenCount,
    /// Hosts that processes may reach; without one there is no network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<AllowedHost>,
    /// Why no further host can be opened; empty where a person can open one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub network_closed: String,
    /// What a person has given beside the rest since the run began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amendments: Vec<Amendment>,
    /// Who looks at a change before it counts as done, beside the gates.
    #[serde(default, skip_serializing_if = "ReviewBy::is_none")]
    pub review: ReviewBy,
}

impl Policy {
    /// Adds what a person has given; hosts that are known already are not listed again.
    pub fn amend(&mut self, amendment: &Amendment) {
        for host in &amendment.hosts {
            let same = |known: &AllowedHost| known.host == host.host && known.port == host.port;
            if !self.network.iter().any(same) {
                self.network.push(host.clone());
            }
        }
        self.amendments.push(amendment.clone());
    }
}

/// A value and where it was written, such as `harness.toml:3`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sourced {
    /// The value.
    pub value: String,
    /// Its origin.
    pub origin: String,
}

/// The origin of what the program itself brings.
const BUILT_IN: &str = "built in";

impl Sourced {
    /// Whether the program itself brings it.
    pub fn is_built_in(&self) -> bool {
        self.origin == BUILT_IN
    }

    /// Makes a value the program itself brings.
    pub fn built_in(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            origin: BUILT_IN.to_owned(),
        }
    }
}

/// Patterns of paths. Precedence: deny over protect over write.
///
/// Pattern grammar: `*` inside a component, `**` across components, `?`, `[...]`;
/// a pattern that names a folder covers what is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeRules {
    /// May be written.
    pub write: Vec<Sourced>,
    /// Inside write, still forbidden.
    pub deny: Vec<Sourced>,
    /// Not readable either.
    pub hide: Vec<Sourced>,
    /// Read-only unless a feature's `may_change` names the path.
    pub protect: Vec<Sourced>,
    /// Build outputs: writable for processes, not kept.
    pub build: Vec<Sourced>,
    /// Host-owned files beside the built-in ones, such as the feature list.
    pub host_owned: Vec<Sourced>,
}

/// A rule about command lines: manners for the agent, not a boundary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRule {
    /// Words a command must begin with; `*` stands for any one word.
    pub prefix: Vec<String>,
    /// Whether the command must end with these words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact: bool,
    /// What is said about it.
    pub decision: RuleDecision,
    /// What the agent is told.
    pub reason: String,
    /// Where it stands, such as `harness.toml:3`; empty in logs of older versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
}

impl CommandRule {
    /// Whether its words fit every command that `narrower` spells out word by word.
    pub fn covers(&self, narrower: &Self) -> bool {
        let fits = |(wanted, word): (&String, &String)| wanted == "*" || wanted == word;
        let has_length = if self.exact {
            narrower.exact && self.prefix.len() == narrower.prefix.len()
        } else {
            self.prefix.len() <= narrower.prefix.len()
        };
        has_length && self.prefix.iter().zip(&narrower.prefix).all(fits)
    }
}

impl fmt::Display for CommandRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix.join(" "))?;
        f.write_str(if self.exact { "" } else { " ..." })
    }
}

/// What a command rule may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleDecision {
    /// Ask a person.
    Ask,
    /// Refuse.
    Deny,
    /// Do not ask, whatever another rule says; only a person's own rule may say so.
    Allow,
}

impl RuleDecision {
    /// Returns the word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}

/// Bounds of a run. Every one has a default; none is ever absent but the money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// What a run may cost; not limited when absent.
    pub usd: Option<Money>,
    /// What all runs of one day may cost together; not limited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_usd: Option<Money>,
    /// What one session may cost; not limited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_usd: Option<Money>,
    /// What the work on one feature may cost in a run; not limited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_usd: Option<Money>,
    /// Model requests per session.
    pub turns: u32,
    /// How long a run may take.
    pub time: Duration,
    /// Red finishes of one feature before a person is needed.
    pub attempts: u32,
    /// What is kept of one command's output.
    pub output: ByteCount,
    /// How long one command may run.
    pub command: Duration,
    /// How long one command may be silent.
    pub silence: Duration,
    /// How long a provider that cannot be reached is waited for.
    pub patience: Duration,
    /// How long a model's stream may be silent.
    pub idle: Duration,
    /// Memory of one process in the cage.
    pub memory: ByteCount,
    /// Processes in the cage.
    pub processes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            usd: None,
            day_usd: None,
            session_usd: None,
            feature_usd: None,
            turns: 200,
            time: Duration::from_secs(240 * 60),
            attempts: 3,
            output: ByteCount::mib(1),
            command: Duration::from_secs(600),
            silence: Duration::from_secs(120),
            patience: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            memory: ByteCount::gib(4),
            processes: 512,
        }
    }
}
