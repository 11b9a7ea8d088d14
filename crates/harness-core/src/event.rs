//! What happened: the only input of every fold, and the content of the log.
//!
//! The serialised form is the log's format. It only ever grows: a new field has
//! a default, a variant is never renamed, and a snapshot in the store pins each.

use serde::{Deserialize, Serialize};

use crate::{
    Action, Allowance, Amendment, ApprovalAnswer, ApprovalAsked, ApprovedHow, Beside, CallId,
    ChangeShown, CheckReport, CheckStatus, CheckpointNumber, CommentAnswered, CommitId, EndReason,
    FeatureId, FeatureStatus, Finding, Forked, Formatted, Gate, GivenAnswer, JobEnd, LimitKind,
    Limits, ModelFailure, ModelProfile, ModelResponse, Money, NegativeControl, NetworkUse, Outcome,
    PlanSet, Proposal, ProposalSettled, QuestionId, RateLimit, RepoPath, Review, ReviewChanged,
    RewindWhat, Rewound, Roles, SessionOpened, SetAsideWork, SetupEnd, SetupPlace, Spent, TakenUp,
    Timestamp, TokenCount, TreeId, TurnNumber, TurnedDown, Urgency, Verdict, WindowCut, WindowFull,
};

/// A logged fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A session began; the first record of its log.
    SessionOpened(Box<SessionOpened>),
    /// A process took up a session that another process left; what was in flight is lost.
    SessionResumed {
        /// Whether a person can be asked from now on.
        attended: bool,
        /// The model that answers from now on.
        model: Box<ModelProfile>,
        /// The bounds that hold from now on.
        limits: Box<Limits>,
        /// Whether a person can go on talking to the agent from now on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        steered: bool,
        /// The models that take its place from now on, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fallback: Vec<ModelProfile>,
        /// Who serves the other roles from now on.
        #[serde(default, skip_serializing_if = "Roles::is_empty")]
        roles: Box<Roles>,
        /// What a person has answered while no process had the run.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        answers: Vec<GivenAnswer>,
        /// How the session stood; empty in logs of earlier versions.
        #[serde(default, skip_serializing_if = "TakenUp::is_empty")]
        found: Box<TakenUp>,
    },
    /// The session is over; the run may go on in another.
    SessionEnded {
        /// Why, in one line.
        reason: String,
    },
    /// The run is over.
    RunEnded {
        /// Why.
        reason: EndReason,
        /// The same for people, with the way on; may be empty.
        detail: String,
    },

    /// A person said something to the agent.
    PersonSaid {
        /// The text.
        text: String,
        /// When it reaches the agent.
        #[serde(default, skip_serializing_if = "Urgency::is_next_turn")]
        urgency: Urgency,
    },
    /// A person took words back that had not reached the agent.
    PersonTookBack {
        /// The text; the last one of these words that waits.
        text: String,
    },
    /// The agent stopped without saying that it is done, and a person can say how to go on.
    PersonAwaited,
    /// A person takes the agent's stop for a claim of being done: the gates decide.
    ClaimTaken,
    /// A person asked the run to stop after the step in hand.
    StopRequested,
    /// A person asked the run to stop now.
    Interrupted,
    /// A model request goes out.
    TurnStarted {
        /// Its number.
        turn: TurnNumber,
    },
    /// A model answered.
    ModelResponded(ModelResponded),
    /// A model request failed.
    ModelFailed {
        /// The turn.
        turn: TurnNumber,
        /// How.
        failure: ModelFailure,
        /// What it used all the same; absent when nothing was sent or nothing came back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spent: Option<Spent>,
    },
    /// The failed request will be sent again.
    ProviderRetried {
        /// The turn.
        turn: TurnNumber,
        /// Which retry this is, from 1.
        attempt: u32,
        /// How long is waited first. Unit: milliseconds.
        delay_ms: u64,
        /// What had failed.
        reason: String,
    },
    /// The wait before a retry is over.
    RetryDue {
        /// The turn.
        turn: TurnNumber,
    },

    /// The guard has judged a tool call.
    CallJudged {
        /// The call.
        call: CallId,
        /// The tool's name as the model wrote it.
        tool: String,
        /// What it would do; absent for tools that touch nothing and for calls that make no sense.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<Action>,
        /// What the guard says.
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
    /// A tool call is over.
    CallEnded {
        /// The call.
        call: CallId,
        /// How it ended.
        end: CallEnd,
        /// How long it took. Unit: milliseconds.
        ms: u64,
    },
    /// A deeper document was given to the agent.
    DocumentLoaded {
        /// Which.
        path: RepoPath,
        /// What it costs in the window, estimated.
        tokens: TokenCount,
        /// The text, when the harness loads it by itself because its folder was touched;
        /// absent when it is the result of a call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Why a map that should have been loaded was not; the text is absent then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// The agent proposed a line for the progress log.
    NoteTaken {
        /// The line.
        text: String,
    },
    /// The agent asks a person.
    QuestionAsked {
        /// The call that waits for the answer.
        call: CallId,
        /// The question.
        question: String,
        /// What an answer names it by; absent where it could not be kept, and in logs of earlier
        /// versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<QuestionId>,
    },
    /// A person answered.
    QuestionAnswered {
        /// The call that waited.
        call: CallId,
        /// The answer.
        answer: String,
    },
    /// The agent was told to change its ways.
    Nudged {
        /// What it was told.
        text: String,
    },

    /// The work tree was saved after a turn that changed it.
    CheckpointSaved(CheckpointSaved),
    /// The work tree is as the last checkpoint has it.
    CheckpointUnchanged,
    /// The work tree could not be saved.
    CheckpointFailed {
        /// Why.
        message: String,
    },
    /// A change outside what the agent may change was found and taken back.
    StrayUndone {
        /// Where.
        path: RepoPath,
        /// What was done with it.
        message: String,
        /// Which rule it was against; empty in logs of earlier versions.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
        /// Whether everything is as it was before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        restored: bool,
        /// The folder that keeps the bytes taken away, from the common git directory; absent
        /// where there were none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quarantine: Option<String>,
    },

    /// A gate ran on the base.
    BaselineEnded {
        /// How it came out there.
        report: Box<CheckReport>,
        /// Whether the result was kept from an earlier run on the same tree.
        cached: bool,
    },
    /// Gates could not be run on the base.
    BaselineFailed {
        /// Why.
        message: String,
    },
    /// The agent says the feature is done.
    FinishRequested {
        /// The call; absent when the agent only stopped, which counts as a claim.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
        /// Its summary.
        summary: String,
    },
    /// What would be committed is fixed.
    CandidateFrozen(FinishSubject),
    /// What would be committed could not be fixed.
    CandidateFailed {
        /// Why.
        message: String,
    },
    /// A gate starts.
    GateStarted {
        /// Which.
        gate: String,
    },
    /// A check of a gate is over.
    CheckEnded {
        /// How it came out.
        report: Box<CheckReport>,
    },
    /// A gate is over.
    GateEnded {
        /// Which.
        gate: String,
        /// Its colour.
        status: CheckStatus,
    },
    /// The feature is not done.
    FinishRefused {
        /// Why, for the agent and for people.
        reason: String,
        /// What was found in the change.
        #[serde(default)]
        findings: Vec<Finding>,
    },
    /// A feature is proven and committed.
    FeaturePassed(FeaturePassed),
    /// The proof could not be committed.
    CommitFailed {
        /// Why.
        message: String,
        /// Whether a person has to decide something; else it is our bug or an I/O failure.
        needs_human: bool,
    },
    /// A feature's status changed.
    FeatureStatusChanged {
        /// Which.
        feature: FeatureId,
        /// What it was.
        from: FeatureStatus,
        /// What it is.
        to: FeatureStatus,
        /// Why.
        reason: String,
    },
    /// The run leaves the feature to a person.
    FeatureGivenUp {
        /// The end it leads to when nothing else is left to do.
        reason: EndReason,
        /// Why, in one line.
        detail: String,
    },
    /// The unproven work of a feature was put aside, so that another can start clean.
    WorkSetAside {
        /// The files taken back to the session's start.
        files: u32,
        /// What went wrong; empty when all went well.
        #[serde(default)]
        message: String,
        /// Where the work is kept; absent when something went wrong, and in logs of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Box<SetAsideWork>>,
    },
    /// The next session could not be opened.
    OpenFailed {
        /// Why.
        message: String,
    },

    /// Four fifths of a limit are used up.
    BudgetWarned {
        /// Which limit, and how much of it is used.
        what: String,
        /// Which limit, in a word; absent in logs of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<LimitKind>,
    },
    /// The run is to stop: what is in flight ends first.
    StopDecided {
        /// The end it leads to.
        reason: EndReason,
        /// Which limit, or what is in the way, and the way on.
        detail: String,
    },

    /// A process reached a host, or was refused one; the connection is over.
    NetworkUsed(NetworkUse),
    /// Somebody who is not the run changed files meanwhile; they were left alone.
    ChangedOutside {
        /// Where, at most 20.
        paths: Vec<RepoPath>,
        /// How many more.
        #[serde(default)]
        more: u64,
    },
    /// Not everything could be looked at or kept, so a stray may stay unseen or not come back.
    ManifestShort {
        /// What, and which bound or failure is behind it.
        message: String,
    },

    /// A call waits for a person's word.
    ApprovalAsked(Box<ApprovalAsked>),
    /// A person has answered.
    ApprovalAnswered {
        /// The call that waited.
        call: CallId,
        /// The answer.
        answer: ApprovalAnswer,
    },
    /// A person's yes gave the run more; it holds from the next action on.
    FeatureAmended {
        /// The call that asked for it.
        call: CallId,
        /// What was given.
        amendment: Amendment,
    },

    /// A setup step starts.
    SetupStarted {
        /// Its argv.
        run: Vec<String>,
        /// What it prepares.
        place: SetupPlace,
        /// The hosts it may reach, as `host:port`.
        #[serde(default)]
        network: Vec<String>,
    },
    /// A setup step is over.
    SetupEnded {
        /// Its argv.
        run: Vec<String>,
        /// What it prepares.
        place: SetupPlace,
        /// How it ended.
        end: SetupEnd,
        /// What went wrong, with the end of its output and the way on; empty when all went well.
        #[serde(default)]
        message: String,
        /// How long it took. Unit: milliseconds.
        ms: u64,
    },

    /// Tests that the change adds were run on the base.
    NegativeControlEnded {
        /// How they came out there.
        control: NegativeControl,
    },
    /// A person has approved what was found in a change; it holds for exactly these hunks.
    FindingsApproved {
        /// The feature whose change it is.
        feature: FeatureId,
        /// What was approved, with the hunks.
        findings: Vec<Finding>,
        /// How the person said so.
        how: ApprovedHow,
    },
    /// A provider is given up: another model goes on with the same conversation.
    ModelChanged {
        /// The person's name of the model that is given up.
        from: String,
        /// The model that answers from now on, and its price.
        model: ModelProfile,
        /// What the last failure was.
        reason: String,
    },
    /// A limit has stopped the work on a feature: a note is left for the next session.
    HandedOver(Box<HandedOver>),
    /// The provider said that one of its limits is nearly or wholly used up.
    ///
    /// It belongs to the answer of the request in flight; what is not said is not short.
    AllowanceTold {
        /// What may hold the next request back.
        allowances: Vec<Allowance>,
    },
    /// The request is held back until the provider's limit is open again.
    RequestPaced {
        /// The turn.
        turn: TurnNumber,
        /// How long is waited. Unit: milliseconds.
        delay_ms: u64,
        /// The limit that is used up.
        limit: RateLimit,
        /// When the provider says that it is open again; the wait can be shorter.
        until: Timestamp,
    },
    /// A formatter has run on files that a call has changed.
    Formatted(Formatted),
    /// A command goes on as a job of its call.
    JobStarted {
        /// The call that started it, which is its name.
        call: CallId,
        /// The command line.
        command: String,
    },
    /// A job is over, and nothing of it is left.
    JobEnded {
        /// The call that started it.
        call: CallId,
        /// How.
        end: JobEnd,
        /// How long it ran. Unit: milliseconds.
        ms: u64,
    },
    /// Something happened in a conversation beside the main one.
    Beside(Box<Beside>),
    /// A change was put into words for whoever reviews it.
    ChangeShown(Box<ChangeShown>),
    /// A reviewer has judged a change, or could not.
    Reviewed(Box<Review>),
    /// The agent proposes features for the list.
    FeaturesProposed {
        /// The call that waits for a person's word.
        call: CallId,
        /// What it proposes.
        proposal: Box<Proposal>,
    },
    /// A proposal is kept outside the log, where it waits for a person's word.
    ProposalKept {
        /// The call that proposed.
        call: CallId,
        /// Why it could not be kept; empty when it was.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        problem: String,
    },
    /// A person's word on a proposal was carried out, or could not be.
    ProposalSettled(Box<ProposalSettled>),
    /// A question is left for later: its feature waits for the answer, and others go on.
    QuestionPutOff {
        /// The call that waited.
        call: CallId,
        /// Whether nobody had answered for too long; else a person said so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        waited: bool,
    },
    /// A person has answered a question from outside of the run.
    AnswerTaken(Box<GivenAnswer>),
    /// The work on the session's feature that was put aside stands in the work tree again.
    WorkBroughtBack {
        /// The feature.
        feature: FeatureId,
        /// The files that are back, whichever process wrote or removed them.
        files: u32,
        /// Why it was not brought back, with where it is kept; empty when all went well.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// A person wants the session to go back to an earlier turn.
    RewindAsked {
        /// The turn.
        turn: TurnNumber,
        /// What is to go back.
        what: RewindWhat,
    },
    /// The session went back to an earlier turn.
    Rewound(Box<Rewound>),
    /// The session did not go back: everything is as it was.
    RewindRefused {
        /// The turn that was asked for.
        turn: TurnNumber,
        /// Why, with the names of what is in the way.
        reason: String,
    },
    /// The agent has set its plan for the feature.
    PlanSet(PlanSet),
    /// Old results were taken out of the conversation, because its window filled up.
    WindowCut(Box<WindowCut>),
    /// The window is full: the session ends, and a fresh one goes on with its feature.
    WindowFull(Box<WindowFull>),
    /// All before this is what another session did: a new run goes on from there, and has spent nothing.
    Forked(Box<Forked>),
    /// A person's review of the run's change says something else than before.
    ReviewChanged(Box<ReviewChanged>),
    /// What a person rejected was taken back, or could not be.
    TurnedDown(Box<TurnedDown>),
    /// The agent has answered a comment of the review.
    CommentAnswered(Box<CommentAnswered>),
}

/// What a session leaves for the next one about a feature that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOver {
    /// The feature.
    pub feature: FeatureId,
    /// The note: what the model says of it, or else what the log shows.
    pub note: String,
    /// Whether a model wrote it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_model: bool,
    /// Why no model wrote it, or what could not be written; empty when all went well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
    /// What the request for it used; absent when none was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
    /// How long it took. Unit: milliseconds.
    pub ms: u64,
}

/// A model's answer with what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelResponded {
    /// The turn.
    pub turn: TurnNumber,
    /// The answer.
    pub response: ModelResponse,
    /// What it cost, estimated where the server says no tokens; absent when the price is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// From sending the request to the last byte. Unit: milliseconds.
    pub ms: u64,
}

/// How a tool call ended: exactly one per call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum CallEnd {
    /// It was done; the outcome may still be bad news.
    Done {
        /// What came of it.
        outcome: Outcome,
    },
    /// It was answered without touching anything.
    Answered {
        /// The answer for the model.
        text: String,
        /// Whether it is bad news.
        is_error: bool,
    },
    /// It was refused.
    Refused {
        /// Why, with what is allowed.
        reason: String,
    },
    /// The harness could not do it: our bug or an I/O failure.
    Failed {
        /// Why.
        message: String,
    },
    /// It was cancelled.
    Cancelled,
    /// The process that did it is gone; what it did is unknown.
    Lost,
}

/// A saved work tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointSaved {
    /// Its number in the session.
    pub number: CheckpointNumber,
    /// The commit on the private ref.
    pub commit: CommitId,
    /// The whole tree.
    pub tree: TreeId,
    /// What differs from the checkpoint before, at most 1,000 paths.
    pub changes: Vec<Change>,
    /// How long it took. Unit: milliseconds.
    pub ms: u64,
}

/// A path that differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The path.
    pub path: RepoPath,
    /// How.
    pub kind: ChangeKind,
}

/// How a path differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its content or mode is another.
    Modified,
    /// It is gone.
    Deleted,
}

/// What a finish is judged on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishSubject {
    /// What is proven: the candidate without host-owned paths, so that the harness's own files
    /// make no difference to whether a proof still fits.
    pub tree: TreeId,
    /// The tip of the run's branch with the agent's changes: the tree the gates run on.
    pub candidate: TreeId,
    /// The whole work tree at that moment.
    pub work_tree: TreeId,
    /// What differs from the tip of the run's branch.
    pub changes: Vec<Change>,
    /// What was found in the difference.
    pub findings: Vec<Finding>,
    /// Gates of features that have passed and that the difference touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regressions: Vec<Regression>,
}

/// A gate that shows whether a change breaks what has passed before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// Whose gate it is.
    pub features: Vec<FeatureId>,
    /// The gate, named after them.
    pub gate: Gate,
}

/// The proof of a feature, committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeaturePassed {
    /// The feature.
    pub feature: FeatureId,
    /// The commit on the run's branch.
    pub commit: CommitId,
    /// The tree that was proven.
    pub tree: TreeId,
    /// The whole work tree that belongs to the commit.
    pub work_tree: TreeId,
    /// The evidence file; absent for a task, whose proof stands in log and trailers.
    pub evidence: Option<RepoPath>,
    /// What came of bringing it to the person's branch; absent in a run that leaves HEAD alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought: Option<Brought>,
}

/// What came of bringing a proven feature to the person's branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Brought {
    /// HEAD has it.
    Landed {
        /// Where HEAD stands now.
        head: CommitId,
        /// The branch; absent when HEAD is detached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<String>,
    },
    /// HEAD stands where it stood; the feature is on the run's branch.
    Refused {
        /// Why.
        message: String,
    },
}

impl FeaturePassed {
    /// Returns where HEAD stands since, when it was moved.
    pub const fn head(&self) -> Option<&CommitId> {
        match &self.brought {
            Some(Brought::Landed { head, .. }) => Some(head),
            Some(Brought::Refused { .. }) | None => None,
        }
    }
}
