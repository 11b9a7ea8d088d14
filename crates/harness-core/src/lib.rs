//! The words of the harness as types: ids, paths, messages, actions, verdicts, events.
//!
//! Every other crate speaks in these. This crate knows nothing: it reads no
//! file, clock, network or environment, and decides nothing.

mod account;
mod action;
mod amount;
mod approval;
mod beside;
mod control;
mod end;
mod event;
mod failure;
mod feature;
mod finding;
mod format;
mod gate;
mod id;
mod image;
mod job;
mod message;
mod network;
mod object;
mod path;
mod person_review;
mod policy;
mod proposal;
mod question;
mod rate;
mod request;
mod rewind;
mod role;
mod session;
mod setup;
mod size;
mod taken_up;
mod time;
mod verdict;
mod work;

pub use account::{Account, HandOverNote, LimitKind, Spent};
pub use action::{Action, Captured, LineRange, Outcome, Replacement, Stop};
pub use amount::{AmountError, ByteCount, Money, TokenCount};
pub use approval::{Amendment, ApprovalAnswer, ApprovalAsked, ApprovalSubject};
pub use beside::{
    Beside, BesideEnd, BesideUse, ChangeShown, ConversationId, ConversationKind, Happened, Mark,
    Remark, RemarkKind, Review, ReviewBy, ReviewVerdict,
};
pub use control::{ControlCheck, ControlOutcome, NegativeControl};
pub use end::EndReason;
pub use event::{
    Brought, CallEnd, Change, ChangeKind, CheckpointSaved, Event, FeaturePassed, FinishSubject,
    HandedOver, ModelResponded, Regression,
};
pub use failure::{FailureClass, ModelFailure};
pub use feature::{Feature, FeatureBudget, FeatureScope, FeatureStatus};
pub use finding::{ApprovedFinding, ApprovedHow};
pub use format::{Format, Formatted};
pub use gate::{
    Baseline, CheckReport, CheckStatus, Finding, FindingKind, Gate, Reader, ReportFile, TestCounts,
    When,
};
pub use id::{
    CallId, CheckpointNumber, FeatureId, IdError, QuestionId, RunId, SessionId, TurnNumber,
};
pub use image::{Image, ImageFormat};
pub use job::{JobEnd, KEPT_FOLDER};
pub use message::{
    AssistantPart, Maker, Message, ModelDelta, ModelResponse, Prompt, StopReason, ToolCall,
    ToolResult, ToolSpec, Usage, UserPart,
};
pub use network::{AllowedHost, NetworkUse};
pub use object::{BlobId, CommitId, ObjectIdError, TreeId};
pub use path::{PathError, RepoPath};
pub use person_review::{
    CommentAnswered, OpenMustFix, Rejection, ReviewChanged, ToldComment, ToldComments, TurnedDown,
    TurnedDownEnd, TurnedDownPart,
};
pub use policy::{CommandRule, Limits, Policy, RuleDecision, ScopeRules, Sourced};
pub use proposal::{
    AddedFeature, Decided, PROPOSED_MAX, Proposal, ProposalSettled, ProposalWord, ProposedFeature,
};
pub use question::{GivenAnswer, Kept, SetAsideWork};
pub use rate::{Allowance, RateLimit};
pub use request::{Request, Urgency};
pub use rewind::{RewindWhat, Rewound};
pub use role::{Effort, Role, Roles};
pub use session::{
    DirtyMode, Document, GivenUp, Goal, Level, ModelProfile, Price, RunState, SessionOpened,
    Source, SourceKind,
};
pub use setup::{SetupEnd, SetupPlace};
pub use taken_up::{Difference, DifferenceKind, Fate, Forked, InFlight, InFlightKind, TakenUp};
pub use time::Timestamp;
pub use verdict::{Decision, Rule, Verdict};
pub use work::{
    AnsweredCommand, DroppedResult, FeatureWork, PLAN_ITEM_CHARS_MAX, PLAN_ITEMS_MAX, PlanItem,
    PlanSet, StepState, WindowCut, WindowFull,
};
