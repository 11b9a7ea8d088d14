//! What is to be done: plain data that can be printed, compared and replayed.

use harness_core::{
    ApprovalAsked, ApprovedFinding, CallId, CheckReport, CheckpointNumber, ConversationId, Event,
    Feature, FeatureId, FinishSubject, Gate, Money, NegativeControl, PlanItem, Prompt, Proposal,
    ProposalWord, Rejection, Review, RewindWhat, RunState, SetAsideWork, TokenCount, TreeId,
    TurnNumber,
};
use harness_gate::control::ControlPlan;
use harness_guard::{Awaited, Permit};

/// One thing the runner has to do.
///
/// Each effect but [`Effect::Record`] ends in exactly one event (or, for the
/// baseline, one per gate), whatever happens to it.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Log this fact and handle it before any other event.
    Record(Event),
    /// Open a session. Ends in `SessionOpened` or `OpenFailed`.
    OpenSession(Box<OpenSession>),
    /// Send a request. Ends in `ModelResponded` or `ModelFailed`.
    RequestModel {
        /// Its number; a retry keeps it.
        turn: TurnNumber,
        /// What to send.
        prompt: Prompt,
    },
    /// Give up the request in flight, which then ends as cancelled.
    CancelModel,
    /// Do what was allowed. Ends in `CallEnded` or `LinkMet`.
    Perform {
        /// For which call.
        call: CallId,
        /// The proof that it is allowed, with the action.
        permit: Permit,
    },
    /// Do what a person approved, once their yes makes a permit of it. Ends in `CallEnded` or `LinkMet`.
    PerformApproved {
        /// For which call.
        call: CallId,
        /// The action, which is no permit yet.
        awaited: Awaited,
    },
    /// Put an approval to the person. Ends in `ApprovalAnswered`; a yes to findings in
    /// `FindingsApproved` behind it.
    AskApproval(Box<ApprovalAsked>),
    /// End what runs for calls and gates; each then ends as cancelled.
    CancelWork,
    /// Say what a job has printed, or end it. Ends in `CallEnded`.
    TendJob {
        /// For which call.
        call: CallId,
        /// The call that started the job.
        job: CallId,
        /// Whether it is to end.
        stop: bool,
    },
    /// End jobs. Ends in `JobEnded` for each.
    StopJobs {
        /// Which, by the calls that started them.
        jobs: Vec<CallId>,
    },
    /// Put a question to the person. Ends in `QuestionAnswered`.
    AskPerson {
        /// The call that waits.
        call: CallId,
        /// The question.
        question: String,
    },
    /// Save the work tree. Ends in `CheckpointSaved`, `CheckpointUnchanged` or `CheckpointFailed`.
    ///
    /// It is compared with the checkpoint before `number`, or with the session's
    /// start: a checkpoint of this number or a later one was never logged, and
    /// "unchanged" against it would hide a change.
    SaveCheckpoint {
        /// The number it gets if something changed.
        number: CheckpointNumber,
    },
    /// Run gates on the base, beside everything else. Ends in `BaselineEnded` per gate, or `BaselineFailed`.
    RunBaseline {
        /// Which.
        gates: Vec<Gate>,
    },
    /// Fix what would be committed. Ends in `CandidateFrozen` or `CandidateFailed`.
    FreezeCandidate,
    /// Run one gate on a tree. Ends in `CheckEnded`.
    RunGate(Box<RunGate>),
    /// Run the tests that a change adds on the base. Ends in `NegativeControlEnded`.
    RunNegativeControl(Box<RunNegativeControl>),
    /// Commit a proven feature. Ends in `FeaturePassed` or `CommitFailed`; doing it twice is doing it once.
    CommitFeature(Box<CommitFeature>),
    /// Take the work tree back to where the session's feature began. Ends in `WorkSetAside`.
    SetAside,
    /// Bring work back that was put aside. Ends in `WorkBroughtBack`.
    ///
    /// Doing it twice is doing it once.
    BringBack(Box<SetAsideWork>),
    /// Take the work tree back to a turn. Ends in `Rewound` or `RewindRefused`.
    ///
    /// Doing it twice is doing it once.
    Rewind(Box<RewindFiles>),
    /// Take back in the files what a person rejected. Ends in `TurnedDown`; doing it twice is doing it once.
    TurnDown(Vec<Rejection>),
    /// Leave a note for the next session of the feature. Ends in `HandedOver`.
    HandOver(Box<WriteHandOver>),
    /// Send a request of a conversation beside the main one. Ends in `Beside`: `Responded` or `Failed`.
    AskBeside(Box<AskBeside>),
    /// Look at something for a conversation beside the main one. Ends in `Beside`: `CallEnded` or `LinkMet`.
    PerformBeside {
        /// For which conversation.
        conversation: ConversationId,
        /// For which of its calls.
        call: CallId,
        /// The proof that it is allowed, with the action; it only reads.
        permit: Permit,
        /// The tree that is looked at; absent for the work tree as it is then.
        tree: Option<TreeId>,
    },
    /// Put a change into words for whoever reviews it. Ends in `ChangeShown`.
    ShowChange {
        /// The tree with the change, as it would be committed.
        tree: TreeId,
    },
    /// Keep a proposal where it survives the session. Ends in `ProposalKept`.
    KeepProposal {
        /// The call that proposed.
        call: CallId,
        /// All of it.
        proposal: Box<Proposal>,
    },
    /// Do what a person said of a proposal. Ends in `ProposalSettled`; doing it twice is doing it once.
    SettleProposal(Box<SettleProposal>),
}

/// A request of a conversation beside the main one.
#[derive(Clone, Debug, PartialEq)]
pub struct AskBeside {
    /// Which conversation; who is asked follows from what it is for.
    pub conversation: ConversationId,
    /// Its own turn; a retry keeps it.
    pub turn: TurnNumber,
    /// What to send.
    pub prompt: Prompt,
    /// The longest answer that is asked for.
    pub output: TokenCount,
}

/// A person's word on a proposal, to be carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct SettleProposal {
    /// The call that proposed.
    pub call: CallId,
    /// All of it.
    pub proposal: Proposal,
    /// The word.
    pub word: ProposalWord,
}

/// What a new session starts from.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSession {
    /// The run as it stands.
    pub run: RunState,
    /// The feature to work on.
    pub feature: Feature,
}

/// Where the files of a turn are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewindFiles {
    /// The turn.
    pub turn: TurnNumber,
    /// What goes back; files at least.
    pub what: RewindWhat,
    /// The checkpoint that holds the work tree as it stood when the turn began.
    pub checkpoint: CheckpointNumber,
    /// That work tree.
    pub tree: TreeId,
}

/// A note to leave for the next session.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteHandOver {
    /// The feature.
    pub feature: FeatureId,
    /// What stopped the work.
    pub reason: String,
    /// The plan as it stands.
    pub plan: Vec<PlanItem>,
    /// Whether a fresh session of the same run goes on at once.
    pub goes_on: bool,
    /// What to ask a model; without it the note is made of what the log shows.
    pub prompt: Option<Prompt>,
    /// What asking costs at most; absent where no model is asked.
    pub price: Option<Money>,
}

/// A gate to run and what its result is held against.
#[derive(Clone, Debug, PartialEq)]
pub struct RunGate {
    /// The gate.
    pub gate: Gate,
    /// The tree to run it on.
    pub tree: TreeId,
    /// How it came out on the base.
    pub baseline: Option<CheckReport>,
}

/// A negative control to run: it decides nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct RunNegativeControl {
    /// What is run.
    pub plan: ControlPlan,
    /// The candidate that the test files are taken from.
    pub tree: TreeId,
    /// How the gates came out on it.
    pub reports: Vec<CheckReport>,
}

/// A proven feature, ready to be committed.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitFeature {
    /// The feature.
    pub feature: Feature,
    /// What was proven.
    pub subject: FinishSubject,
    /// The proof.
    pub reports: Vec<CheckReport>,
    /// The gates behind the proof, the feature's own included.
    pub gates: Vec<Gate>,
    /// How the tests that were added came out on the base.
    pub negative_control: NegativeControl,
    /// What the agent says it did.
    pub summary: String,
    /// Lines the agent proposed for the progress log.
    pub notes: Vec<String>,
    /// Reasons of refused finishes, for the progress log.
    pub refusals: Vec<String>,
    /// What a person has approved of the subject's findings.
    pub approved: Vec<ApprovedFinding>,
    /// What a reviewing model made of it; absent where none was asked.
    pub review: Option<Review>,
    /// A person's word that let it pass where it had to be reviewed.
    pub reviewed_by_person: Option<ApprovedFinding>,
}
