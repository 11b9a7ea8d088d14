//! JSON lines: one versioned object per line, additive only.

mod approval;
mod beside;
mod control;
mod counts;
mod format;
mod job;
mod lines;
mod plan;
mod review;
mod role;
mod say;
mod setup;
mod steering;
mod taken_up;
mod window;

use schemars::JsonSchema;
use serde::Serialize;

pub use approval::JsonFinding;
pub use beside::{JsonBeside, JsonMark, JsonRemark, JsonUse};
pub use control::Control;
pub use counts::{Tests, Tokens, cache_rate};
pub use lines::JsonLines;
pub use plan::{JsonAdded, JsonPlan, JsonProposed, json_proposed};
pub use role::JsonRole;
pub use taken_up::{JsonDifference, JsonInFlight, JsonOutcome, JsonTakenUp};
pub use window::{JsonDropped, JsonStep};

/// What one line says. Every line also has `v`, `seq`, `time` and `session`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JsonLine {
    /// The demo has unpacked its repository.
    DemoStarted {
        /// Where it is.
        repository: String,
    },
    /// A session began.
    SessionStarted {
        /// Who decides the next call.
        agent: String,
        /// The model's name.
        model: String,
        /// How hard it is asked to think; null where that is left to the provider.
        effort: Option<String>,
        /// Models that serve a role of their own.
        roles: Vec<JsonRole>,
        /// Whether the model is a recording.
        recorded: bool,
        /// What the kernel enforces.
        level: String,
        /// The run.
        run: String,
        /// The run's branch.
        branch: String,
        /// The feature in work.
        feature: String,
    },
    /// A session was taken up again.
    SessionResumed {
        /// The questions that were answered meanwhile.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        answers: Vec<String>,
        /// How it stood; absent in logs of earlier versions.
        #[serde(skip_serializing_if = "Option::is_none")]
        found: Option<JsonTakenUp>,
    },
    /// A session began with the conversation and the files of another.
    Forked {
        /// The other session.
        from: String,
        /// Its run.
        from_run: String,
        /// The checkpoint whose files it began with.
        checkpoint: u32,
        /// The last turn of the other that it knows of.
        turn: u32,
        /// How many files were written or removed.
        files: u64,
    },
    /// A model request goes out.
    TurnStarted {
        /// Its number.
        turn: u32,
    },
    /// A model answered.
    ModelResponded {
        /// The turn.
        turn: u32,
        /// Tokens.
        usage: Tokens,
        /// What it cost; null when the price is unknown.
        usd: Option<f64>,
        /// What the run has cost so far, this answer included; null when a price is unknown.
        usd_total: Option<f64>,
        /// How long it took.
        ms: u64,
        /// What it said.
        text: String,
    },
    /// A model request failed.
    ModelFailed {
        /// The turn.
        turn: u32,
        /// What happened.
        message: String,
        /// The HTTP status.
        status: Option<u16>,
        /// Its class, a word of `docs/faults.md`.
        class: String,
        /// What it cost all the same; absent when it cost nothing or the price is unknown.
        #[serde(skip_serializing_if = "Option::is_none")]
        usd: Option<f64>,
        /// Whether that is estimated; absent when it is not.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        estimated: bool,
    },
    /// A provider is given up and another model goes on.
    ModelChanged {
        /// The model that is given up.
        from: String,
        /// The model that answers from now on.
        to: String,
        /// What had failed.
        reason: String,
    },
    /// A model request is sent again.
    ProviderRetried {
        /// Which retry.
        attempt: u32,
        /// How long is waited.
        delay_ms: u64,
        /// What had failed.
        reason: String,
    },
    /// A model request waits until a limit of its provider is open again.
    RequestPaced {
        /// How long is waited.
        delay_ms: u64,
        /// What is used up: `requests`, `tokens`, `input tokens`, `output tokens`.
        limit: String,
        /// When the provider says it is open again; the wait may end before.
        until: String,
        /// The same for people.
        reason: String,
    },
    /// The guard has judged a call; refused calls too.
    ToolCalled {
        /// The call.
        id: String,
        /// The tool.
        tool: String,
        /// `read`, `list`, `search`, `write`, `edit`, `move`, `delete`, `run`; null when it touches nothing.
        action: Option<String>,
        /// The path or folder.
        path: Option<String>,
        /// Where it is moved to; null unless it is a `move`.
        to: Option<String>,
        /// The command.
        command: Option<String>,
        /// `allow`, `ask` or `deny`.
        verdict: String,
        /// Why.
        reason: String,
    },
    /// A call is over.
    ToolReturned {
        /// The call.
        id: String,
        /// Whether it was done and went well.
        ok: bool,
        /// How long it took.
        ms: u64,
        /// How many bytes it gave.
        bytes: u64,
    },
    /// A deeper document was loaded.
    DocumentLoaded {
        /// Which.
        path: String,
        /// What it costs, estimated.
        tokens: u64,
        /// Why it was not loaded after all, as a map that is too large; null when it was.
        problem: Option<String>,
    },
    /// The agent proposed a line for the progress log.
    NoteTaken {
        /// The line.
        text: String,
    },
    /// A person said something.
    PersonSaid {
        /// What.
        text: String,
    },
    /// A person took words back before they reached the agent.
    PersonTookBack {
        /// What.
        text: String,
    },
    /// The agent was told to change its ways.
    Nudged {
        /// What it was told.
        text: String,
    },
    /// A change outside the scope was taken back.
    StrayUndone {
        /// Where.
        path: String,
        /// What was done.
        message: String,
        /// Which rule it was against.
        why: String,
        /// Whether everything is as it was before.
        restored: bool,
        /// The folder that keeps the bytes taken away, from the common git directory.
        quarantine: Option<String>,
    },
    /// Somebody who is not the run changed files, which were left alone.
    ChangedOutside {
        /// Where, at most 20.
        paths: Vec<String>,
        /// How many more.
        more: u64,
    },
    /// The work tree was saved.
    CheckpointCreated {
        /// Its number in the session.
        n: u32,
        /// The commit.
        commit: String,
        /// The changed files.
        files: Vec<String>,
        /// How long it took.
        ms: u64,
    },
    /// A gate ran on the base.
    BaselineEnded {
        /// The gate.
        gate: String,
        /// `green`, `red`, `error` or `timeout`.
        status: String,
        /// Its tests.
        tests: Option<Tests>,
        /// Whether the result was kept from before.
        cached: bool,
    },
    /// The agent says it is done.
    FinishRequested {
        /// Its summary.
        summary: String,
    },
    /// It is not done.
    FinishRefused {
        /// Why.
        reason: String,
        /// What was found in the change.
        findings: Vec<JsonFinding>,
    },
    /// A gate starts.
    GateStarted {
        /// Which.
        gate: String,
    },
    /// A check is over.
    CheckEnded {
        /// The gate.
        gate: String,
        /// The command.
        check: String,
        /// `green`, `red`, `error` or `timeout`.
        status: String,
        /// The exit code.
        exit_code: Option<i32>,
        /// How long it took.
        ms: u64,
        /// Its tests.
        tests: Option<Tests>,
        /// Why it is not green.
        reason: String,
        /// Whether it was red at first and this is its second run.
        retried: bool,
    },
    /// A gate is over.
    GateEnded {
        /// Which.
        gate: String,
        /// Its colour.
        status: String,
    },
    /// A feature's status changed.
    FeatureStatus {
        /// Which.
        feature: String,
        /// What it was.
        from: String,
        /// What it is.
        to: String,
        /// Why.
        reason: String,
    },
    /// A feature is proven and committed.
    FeaturePassed {
        /// Which.
        feature: String,
        /// The commit.
        commit: String,
        /// The tree that was proven.
        tree: String,
        /// The evidence file.
        evidence: Option<String>,
        /// Where HEAD stands, in a run that lands after each feature; null where it did not land.
        head: Option<String>,
        /// Why it did not land.
        not_landed: Option<String>,
    },
    /// Unproven work was put aside.
    WorkSetAside {
        /// How many files.
        files: u32,
        /// What went wrong; empty when all went well.
        message: String,
    },
    /// A connection of a process to a host is over, or was refused.
    NetworkUsed {
        /// The host as it was asked for.
        host: String,
        /// The port; 0 where none was named.
        port: u16,
        /// Whether the host is one that may be reached.
        allowed: bool,
        /// Why it was refused, or what broke it; empty when all went well.
        reason: String,
        /// How many bytes were sent.
        sent: u64,
        /// How many bytes were received.
        received: u64,
        /// How long it took.
        ms: u64,
    },
    /// A setup step starts.
    SetupStarted {
        /// Its argv.
        run: Vec<String>,
        /// `work_tree`, `base` or `candidate`.
        place: String,
        /// The hosts it may reach.
        network: Vec<String>,
    },
    /// A setup step is over.
    SetupEnded {
        /// Its argv.
        run: Vec<String>,
        /// `work_tree`, `base` or `candidate`.
        place: String,
        /// `done`, `failed` or `cancelled`.
        status: String,
        /// What went wrong; empty when all went well.
        message: String,
        /// How long it took.
        ms: u64,
    },
    /// A formatter has run on files that a tool of the agent has changed.
    Formatted {
        /// Its argv, without the files.
        run: Vec<String>,
        /// The files that it was given.
        files: Vec<String>,
        /// Those of them that it has changed.
        changed: Vec<String>,
        /// What went wrong; empty when all went well.
        message: String,
        /// How long it took.
        ms: u64,
    },
    /// A command goes on in the background.
    JobStarted {
        /// The call that started it, as in `tool_called`.
        id: String,
        /// The command.
        command: String,
    },
    /// A command in the background is over.
    JobEnded {
        /// The call that started it.
        id: String,
        /// `ended`, `stopped`, `failed` or `lost`.
        how: String,
        /// Its exit code; null where it did not exit by itself.
        exit_code: Option<i32>,
        /// What went wrong; empty unless it failed.
        message: String,
        /// How long it ran.
        ms: u64,
    },
    /// Tests that the change adds were run on the base.
    NegativeControlEnded {
        /// Why nothing was run; empty when something was.
        skipped: String,
        /// What it does not cover; empty when it covers all that was added.
        left_out: String,
        /// One per gate that was run.
        checks: Vec<Control>,
    },
    /// Four fifths of a limit are used.
    BudgetWarned {
        /// Which, in words.
        what: String,
        /// Which: `run_usd`, `session_usd`, `feature_usd`, `day_usd`, `turns`, `run_minutes`,
        /// `feature_minutes` or `attempts`.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<String>,
    },
    /// A limit or a full window has stopped the work on a feature: a note is left for the next session.
    HandedOver {
        /// The feature.
        feature: String,
        /// Whether a model wrote it.
        by_model: bool,
        /// The note.
        note: String,
        /// Why no model wrote it, or what could not be written; empty when all went well.
        problem: String,
        /// What asking cost; null when nothing was asked or the price is unknown.
        usd: Option<f64>,
    },
    /// The agent has set its plan for the feature.
    PlanSet {
        /// All of its steps, in order.
        items: Vec<JsonStep>,
    },
    /// Old results were dropped from the conversation, because its window filled up.
    WindowCut {
        /// What was dropped, oldest first.
        dropped: Vec<JsonDropped>,
        /// What the next request would have taken, estimated. Unit: tokens.
        before: u64,
        /// What it takes now, estimated. Unit: tokens.
        after: u64,
        /// The window. Unit: tokens.
        window: u64,
        /// What the agent is told again: gates, scope, feature and plan.
        restored: String,
    },
    /// The window is full: a fresh session goes on with the feature.
    WindowFull {
        /// What the next request would have taken, estimated. Unit: tokens.
        need: u64,
        /// The window. Unit: tokens.
        window: u64,
        /// Which hand-over of the feature this is in the run, from 1.
        number: u32,
        /// The same for people.
        reason: String,
    },
    /// A person is needed.
    NeedsHuman {
        /// For what.
        question: String,
        /// What an answer names the question by; absent where no answer is waited for.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The command that answers it, with the text in place of `TEXT`; absent with `id`.
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// A question is left for later: its feature waits, and others go on.
    QuestionPutOff {
        /// The call that waited.
        call: String,
        /// Whether nobody had answered for too long; else a person said so.
        waited: bool,
    },
    /// A person has answered a question from outside of the run.
    AnswerTaken {
        /// The question.
        question: String,
        /// The feature that waited.
        feature: String,
        /// What was asked.
        asked: String,
        /// The answer.
        answer: String,
        /// Who gave it.
        by: String,
        /// When.
        at: String,
    },
    /// Work that was put aside stands in the work tree again.
    WorkBroughtBack {
        /// The feature.
        feature: String,
        /// How many files.
        files: u32,
        /// Why it was not brought back, with where it is kept; empty when all went well.
        message: String,
    },
    /// A person wants the session to go back to an earlier turn.
    RewindAsked {
        /// The turn.
        turn: u32,
        /// What is to go back: `talk`, `files`, `both`.
        what: String,
    },
    /// The session went back to an earlier turn.
    Rewound {
        /// The turn; what the agent answered in it, and everything since, is what went.
        turn: u32,
        /// What went back: `talk`, `files`, `both`.
        what: String,
        /// The checkpoint the files went back to; null where they stayed.
        checkpoint: Option<u32>,
        /// How many files were written or removed.
        files: u64,
        /// Their paths, the first ones.
        paths: Vec<String>,
    },
    /// The session did not go back: everything is as it was.
    RewindRefused {
        /// The turn that was asked for.
        turn: u32,
        /// Why, with the names of what is in the way.
        reason: String,
    },
    /// A person's review of the change says something else than before.
    ReviewChanged(review::JsonReview),
    /// What a person rejected was taken back, or could not be.
    TurnedDown(review::JsonTurnedDown),
    /// The agent has answered a comment of the review.
    CommentAnswered(review::JsonCommentAnswer),
    /// Something went wrong that the run may survive.
    Problem {
        /// What.
        message: String,
    },
    /// The run is to stop.
    Stopping {
        /// The end it leads to.
        reason: String,
        /// Why.
        detail: String,
    },
    /// A session is over.
    SessionEnded {
        /// Why.
        reason: String,
        /// Its tokens.
        usage: Tokens,
        /// The part of its input that came from a cache, from 0 to 1; null where no cache was told of.
        cache_rate: Option<f64>,
        /// What it cost; null when a price is unknown.
        usd: Option<f64>,
    },
    /// The run is over.
    RunEnded {
        /// Why.
        reason: String,
        /// What the process exits with.
        exit_code: u8,
        /// The same for people.
        detail: String,
        /// What it cost; null when the price is unknown.
        usd: Option<f64>,
    },
    /// Proven features are on the person's branch.
    Landed {
        /// The run they come from.
        run: String,
        /// The branch; null where HEAD is detached.
        branch: Option<String>,
        /// The commit that HEAD is at now.
        head: String,
        /// Whether HEAD holds exactly what was proven last.
        proven_tree: bool,
        /// How many commits were made; 0 when all had landed before.
        commits: usize,
        /// The features.
        features: Vec<String>,
    },
    /// `harness doctor` looks at this machine.
    DoctorStarted {
        /// The kernel's release.
        kernel: String,
        /// Whether the person is root.
        root: bool,
    },
    /// A level of confinement was proven, or why it cannot be.
    LevelTried {
        /// The level.
        level: String,
        /// Whether a run could use it.
        usable: bool,
        /// Why it cannot be used, or only through bubblewrap; null where nothing is in the way.
        reason: Option<String>,
        /// What would take that out of the way, as far as it is known.
        hints: Vec<String>,
    },
    /// Something that a run rests on was looked at.
    CheckMade {
        /// What: `configuration`, `model`, `terminal`.
        check: String,
        /// Whether it is as it should be.
        ok: bool,
        /// What was found; never a value of a secret.
        detail: String,
    },
    /// An attempt to break out of a level was made.
    AttemptMade {
        /// The level.
        level: String,
        /// The attempt.
        attempt: String,
        /// How it ended: `prevented`, `allowed` or `not_here`, where it fails without confinement too.
        outcome: String,
        /// What the level owes: `prevented`, `undone` or `nothing`.
        owed: String,
        /// Whether it does what it owes.
        held: bool,
        /// What the system answered, or why nothing is owed; empty where there is nothing to say.
        detail: String,
    },
    /// What `harness doctor` found.
    DoctorEnded {
        /// The level that a run uses; null where there is none.
        level: Option<String>,
        /// Whether it prevents what it owes to prevent.
        held: bool,
        /// What the process exits with.
        exit_code: u8,
    },
    /// A call waits for a person's approval.
    ApprovalAsked {
        /// The call.
        id: String,
        /// What is asked for: `command`, `action`, `amendment`, `findings` or `features`.
        subject: String,
        /// The command; null for anything else.
        command: Option<String>,
        /// What would be done or given, in one line.
        text: String,
        /// Why it is asked.
        reason: String,
        /// The rule that asks.
        rule: Option<String>,
        /// The words of the rule that `always` would keep.
        always: Option<Vec<String>>,
        /// What was found in the change; null where something else is asked for.
        findings: Option<Vec<JsonFinding>>,
    },
    /// A person has answered.
    ApprovalAnswered {
        /// The call.
        id: String,
        /// `once`, `session`, `always`, `part`, `no` or `never`.
        answer: String,
        /// What the agent is told with a no.
        reason: Option<String>,
    },
    /// A person has given the run more.
    FeatureAmended {
        /// The feature.
        feature: String,
        /// Patterns that may be written.
        write: Vec<String>,
        /// Protected paths that may be changed.
        may_change: Vec<String>,
        /// Hosts that may be reached.
        hosts: Vec<String>,
        /// What the agent gave as its reason.
        reason: String,
    },
    /// A person has approved what was found in a change, for exactly these hunks.
    FindingsApproved {
        /// The feature.
        feature: String,
        /// What was approved.
        findings: Vec<JsonFinding>,
        /// `asked` or `flag`.
        how: String,
    },
    /// Something of proposed features.
    #[serde(untagged)]
    Plan(JsonPlan),
    /// Something of a conversation beside the main one, or a review.
    #[serde(untagged)]
    Beside(JsonBeside),
}
