//! Conversations beside the main one: who they are, and what happens in them.
//!
//! Each has a window of its own, reads and never writes, and ends in an answer for whoever
//! asked. What follows from that is the engine's.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Action, CallEnd, CallId, ModelFailure, ModelResponse, Money, RateLimit, RepoPath, Role, Spent,
    Timestamp, TreeId, TurnNumber, Usage, Verdict,
};

/// What a conversation beside the main one is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// Finding something out for the agent, which gets a summary.
    Explore,
    /// Judging a finished change.
    Reviewer,
}

/// Names a conversation beside the main one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConversationId {
    /// What it is for.
    pub kind: ConversationKind,
    /// Which it is of all conversations of the session, from 1.
    pub number: u32,
}

/// Something that happened in a conversation beside the main one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Which.
    pub conversation: ConversationId,
    /// What.
    pub happened: Happened,
}

/// What happens in a conversation beside the main one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happened {
    /// It began.
    Started {
        /// The main conversation's call that waits for its answer; absent where the harness asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
        /// What is asked, in the words of whoever asks; empty where the harness asks.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        asked: String,
        /// The person's name of the model that is asked.
        model: String,
    },
    /// Its model answered.
    Responded {
        /// Its own turn, from 1.
        turn: TurnNumber,
        /// The answer.
        response: ModelResponse,
        /// What it cost; absent when the price is unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<Money>,
        /// From sending the request to the last byte. Unit: milliseconds.
        ms: u64,
    },
    /// A request failed.
    Failed {
        /// Its own turn.
        turn: TurnNumber,
        /// How.
        failure: ModelFailure,
        /// What it used all the same; absent when nothing was sent or nothing came back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spent: Option<Spent>,
    },
    /// The failed request will be sent again.
    Retried {
        /// Its own turn.
        turn: TurnNumber,
        /// Which retry this is, from 1.
        attempt: u32,
        /// How long is waited first. Unit: milliseconds.
        delay_ms: u64,
        /// What had failed.
        reason: String,
    },
    /// The request is held back until the provider's limit is open again.
    Paced {
        /// Its own turn.
        turn: TurnNumber,
        /// How long is waited. Unit: milliseconds.
        delay_ms: u64,
        /// The limit that is used up.
        limit: RateLimit,
        /// When the provider says that it is open again.
        until: Timestamp,
    },
    /// The wait is over.
    RetryDue {
        /// Its own turn.
        turn: TurnNumber,
    },
    /// The guard has judged a call.
    CallJudged {
        /// The call, of this conversation.
        call: CallId,
        /// The tool's name as the model wrote it.
        tool: String,
        /// What it would do; absent for calls that make no sense.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<Action>,
        /// What is said of it.
        verdict: Verdict,
    },
    /// A symbolic link stands at the action's path: nothing was done, and the target is judged next.
    LinkMet {
        /// The call.
        call: CallId,
        /// The path of the link itself.
        link: RepoPath,
        /// Where it leads, as stored in the link.
        target: String,
        /// The action's whole path with the link followed; absent when it leaves the repository.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resolved: Option<RepoPath>,
    },
    /// A call is over.
    CallEnded {
        /// The call.
        call: CallId,
        /// How it ended.
        end: CallEnd,
        /// How long it took. Unit: milliseconds.
        ms: u64,
    },
    /// Its answer had not the form that was asked for; it is asked once more.
    Corrected {
        /// What it was told.
        text: String,
    },
    /// It is over.
    Ended {
        /// How.
        end: BesideEnd,
        /// What all of it used.
        used: BesideUse,
    },
}

/// How a conversation beside the main one ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum BesideEnd {
    /// With an answer.
    Answered {
        /// The answer.
        text: String,
        /// Which bound had ended the looking before it; empty when none had.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        bound: String,
    },
    /// Without one.
    Failed {
        /// Why.
        reason: String,
    },
    /// It was called off.
    Cancelled,
}

/// What a conversation beside the main one used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BesideUse {
    /// Answers of its model.
    pub turns: u32,
    /// Calls that were carried out.
    pub calls: u32,
    /// Tokens.
    pub usage: Usage,
    /// What is known of its cost.
    pub cost: Money,
    /// Whether there is more whose price is unknown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
}

/// Who looks at a change before it counts as done, beside the gates. Later ones demand more.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ReviewBy {
    /// Nobody: gates decide.
    #[default]
    None,
    /// A second agent.
    Agent,
    /// A person.
    Person,
}

/// A change in words, for whoever reviews it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeShown {
    /// The tree with the change, as it would be committed.
    pub tree: TreeId,
    /// The change file by file, bounded; what is left out of it is said in it.
    pub diff: String,
    /// How many files are changed.
    pub files: u32,
    /// How many of them are not shown whole.
    #[serde(default)]
    pub cut: u32,
    /// Why it cannot be shown; empty when it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
}

/// What a reviewer made of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The conversation it comes from.
    pub conversation: ConversationId,
    /// The person's name of the model that judged.
    pub model: String,
    /// What was judged: the candidate without host-owned paths.
    pub tree: TreeId,
    /// What a person approves to let exactly this change pass whatever the reviewer says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// SHA-256 of everything the reviewer was told before it said anything, in hexadecimal.
    pub seen_sha256: String,
    /// What follows from it.
    pub verdict: ReviewVerdict,
    /// Why there is no judgement; empty where there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
    /// What was judged, each with its score.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// What was found, the weightiest first.
    #[serde(default)]
    pub remarks: Vec<Remark>,
    /// How many more were found and are not kept.
    #[serde(default)]
    pub left_out: u32,
    /// What it used.
    pub used: BesideUse,
}

/// What follows from a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewVerdict {
    /// Nothing stands against the change.
    Approved,
    /// Something does.
    Refused,
    /// There is no judgement.
    Failed,
}

/// What a reviewer says of one criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The criterion: `A1` for the first of the feature's own, or a word for the change as a whole.
    pub criterion: String,
    /// From 0, not met, to 3, met.
    pub score: u8,
    /// The least that is enough.
    pub needed: u8,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Something a reviewer found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// How much it weighs.
    pub kind: RemarkKind,
    /// Where, such as `src/a.rs:12`; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// What, and why it matters.
    pub why: String,
}

/// How much a remark weighs, the heaviest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemarkKind {
    /// The change is not done with it.
    MustFix,
    /// Something the change leaves open.
    Question,
    /// A matter of taste.
    Nit,
}

impl ConversationKind {
    /// Returns the word of the log and of JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Explore => "explore",
            Self::Reviewer => "reviewer",
        }
    }

    /// Returns the role of the model that is asked.
    pub const fn role(self) -> Role {
        match self {
            Self::Explore => Role::Cheap,
            Self::Reviewer => Role::Reviewer,
        }
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.number)
    }
}

impl ReviewBy {
    /// Returns the word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Agent => "agent",
            Self::Person => "person",
        }
    }

    /// Whether nobody is asked.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl ReviewVerdict {
    /// Returns the word of the log, of the evidence and of JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl RemarkKind {
    /// Returns the word of the reviewer's form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MustFix => "must-fix",
            Self::Question => "question",
            Self::Nit => "nit",
        }
    }
}

impl Mark {
    /// Whether the score is enough.
    pub const fn is_enough(&self) -> bool {
        self.score >= self.needed
    }
}
