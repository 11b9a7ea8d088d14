//! One event of every kind, and every word that can stand in one.
//!
//! New samples go to the end of a group: the order is that of the stored file.

#[path = "samples/beside.rs"]
mod beside;
#[path = "samples/review.rs"]
mod review;

use std::time::Duration;

use harness_core::{
    Action, AddedFeature, Allowance, AllowedHost, Amendment, ApprovalAnswer, ApprovalAsked,
    ApprovalSubject, ApprovedFinding, ApprovedHow, AssistantPart, Baseline, Brought, ByteCount,
    CallEnd, CallId, Captured, Change, ChangeKind, CheckReport, CheckStatus, CheckpointNumber,
    CheckpointSaved, CommandRule, CommitId, ControlCheck, ControlOutcome, Decided, Decision,
    Difference, DifferenceKind, DirtyMode, Document, DroppedResult, Effort, EndReason, Event,
    FailureClass, Fate, Feature, FeatureBudget, FeatureId, FeaturePassed, FeatureScope,
    FeatureStatus, FeatureWork, Finding, FindingKind, FinishSubject, Forked, Format, Formatted,
    Gate, GivenAnswer, GivenUp, Goal, HandOverNote, HandedOver, Image, ImageFormat, InFlight,
    InFlightKind, JobEnd, Level, LimitKind, Limits, LineRange, Maker, ModelFailure, ModelProfile,
    ModelResponded, ModelResponse, Money, NegativeControl, NetworkUse, Outcome, PlanItem, PlanSet,
    Policy, Price, Proposal, ProposalSettled, ProposalWord, ProposedFeature, QuestionId, RateLimit,
    Reader, Regression, Replacement, RepoPath, RewindWhat, Rewound, Roles, Rule, RuleDecision,
    RunId, RunState, ScopeRules, SessionId, SessionOpened, SetAsideWork, SetupEnd, SetupPlace,
    Source, SourceKind, Sourced, Spent, StepState, Stop, StopReason, TakenUp, TestCounts,
    Timestamp, TokenCount, ToolCall, TreeId, TurnNumber, Urgency, Usage, Verdict, When, WindowCut,
    WindowFull,
};

/// Declares the type word of every event; a new variant does not compile until it stands here.
macro_rules! kinds {
    ($($pattern:pat => $kind:literal,)*) => {
        /// The type word of every event.
        pub(crate) const KINDS: &[&str] = &[$($kind),*];

        /// Returns the type word of an event.
        pub(crate) fn kind(event: &Event) -> &'static str {
            match event {
                $($pattern => $kind,)*
            }
        }
    };
}

kinds! {
    Event::SessionOpened(_) => "session_opened",
    Event::SessionResumed { .. } => "session_resumed",
    Event::SessionEnded { .. } => "session_ended",
    Event::RunEnded { .. } => "run_ended",
    Event::PersonSaid { .. } => "person_said",
    Event::Interrupted => "interrupted",
    Event::TurnStarted { .. } => "turn_started",
    Event::ModelResponded(_) => "model_responded",
    Event::ModelFailed { .. } => "model_failed",
    Event::ProviderRetried { .. } => "provider_retried",
    Event::RetryDue { .. } => "retry_due",
    Event::CallJudged { .. } => "call_judged",
    Event::LinkMet { .. } => "link_met",
    Event::CallEnded { .. } => "call_ended",
    Event::DocumentLoaded { .. } => "document_loaded",
    Event::NoteTaken { .. } => "note_taken",
    Event::QuestionAsked { .. } => "question_asked",
    Event::QuestionAnswered { .. } => "question_answered",
    Event::Nudged { .. } => "nudged",
    Event::CheckpointSaved(_) => "checkpoint_saved",
    Event::CheckpointUnchanged => "checkpoint_unchanged",
    Event::CheckpointFailed { .. } => "checkpoint_failed",
    Event::StrayUndone { .. } => "stray_undone",
    Event::BaselineEnded { .. } => "baseline_ended",
    Event::BaselineFailed { .. } => "baseline_failed",
    Event::FinishRequested { .. } => "finish_requested",
    Event::CandidateFrozen(_) => "candidate_frozen",
    Event::CandidateFailed { .. } => "candidate_failed",
    Event::GateStarted { .. } => "gate_started",
    Event::CheckEnded { .. } => "check_ended",
    Event::GateEnded { .. } => "gate_ended",
    Event::FinishRefused { .. } => "finish_refused",
    Event::FeaturePassed(_) => "feature_passed",
    Event::CommitFailed { .. } => "commit_failed",
    Event::FeatureStatusChanged { .. } => "feature_status_changed",
    Event::FeatureGivenUp { .. } => "feature_given_up",
    Event::WorkSetAside { .. } => "work_set_aside",
    Event::OpenFailed { .. } => "open_failed",
    Event::BudgetWarned { .. } => "budget_warned",
    Event::StopDecided { .. } => "stop_decided",
    Event::PersonTookBack { .. } => "person_took_back",
    Event::PersonAwaited => "person_awaited",
    Event::ClaimTaken => "claim_taken",
    Event::StopRequested => "stop_requested",
    Event::NetworkUsed(_) => "network_used",
    Event::ChangedOutside { .. } => "changed_outside",
    Event::ManifestShort { .. } => "manifest_short",
    Event::ApprovalAsked(_) => "approval_asked",
    Event::ApprovalAnswered { .. } => "approval_answered",
    Event::FeatureAmended { .. } => "feature_amended",
    Event::SetupStarted { .. } => "setup_started",
    Event::SetupEnded { .. } => "setup_ended",
    Event::NegativeControlEnded { .. } => "negative_control_ended",
    Event::FindingsApproved { .. } => "findings_approved",
    Event::ModelChanged { .. } => "model_changed",
    Event::HandedOver(_) => "handed_over",
    Event::AllowanceTold { .. } => "allowance_told",
    Event::RequestPaced { .. } => "request_paced",
    Event::Formatted(_) => "formatted",
    Event::JobStarted { .. } => "job_started",
    Event::JobEnded { .. } => "job_ended",
    Event::Beside(_) => "beside",
    Event::ChangeShown(_) => "change_shown",
    Event::Reviewed(_) => "reviewed",
    Event::FeaturesProposed { .. } => "features_proposed",
    Event::ProposalKept { .. } => "proposal_kept",
    Event::ProposalSettled(_) => "proposal_settled",
    Event::QuestionPutOff { .. } => "question_put_off",
    Event::AnswerTaken(_) => "answer_taken",
    Event::WorkBroughtBack { .. } => "work_brought_back",
    Event::RewindAsked { .. } => "rewind_asked",
    Event::Rewound(_) => "rewound",
    Event::RewindRefused { .. } => "rewind_refused",
    Event::PlanSet(_) => "plan_set",
    Event::WindowCut(_) => "window_cut",
    Event::WindowFull(_) => "window_full",
    Event::Forked(_) => "forked",
    Event::ReviewChanged(_) => "review_changed",
    Event::TurnedDown(_) => "turned_down",
    Event::CommentAnswered(_) => "comment_answered",
}

/// Returns the samples, in the order of the stored file.
pub(crate) fn samples() -> Vec<Event> {
    let mut events = sessions();
    events.extend(conversation());
    events.extend(calls());
    events.extend(checkpoints());
    events.extend(gates());
    events.extend(features());
    events.extend(steering());
    events.extend(network());
    events.extend(strays());
    events.extend(approvals());
    events.extend(setup());
    events.extend(controls());
    events.extend(approved_findings());
    events.push(answer_of_parts());
    events.extend(fallback());
    events.extend(roles());
    events.extend(limits_held());
    events.extend(pacing());
    events.extend(formatting());
    events.extend(jobs());
    events.extend(beside::beside());
    events.extend(surroundings());
    events.extend(proposals());
    events.extend(questions());
    events.extend(turning_back());
    events.extend(long_work());
    events.extend(landing());
    events.extend(taken_up());
    events.extend(review::review());
    events
}

/// A run that lands after each feature, and what came of that.
fn landing() -> Vec<Event> {
    let mut open = opened(5, 6);
    open.run.lands = Some(commit('7'));
    let passed = |brought| {
        Event::FeaturePassed(FeaturePassed {
            feature: feature_id("F-1"),
            commit: commit('2'),
            tree: tree('3'),
            work_tree: tree('5'),
            evidence: Some(path(".harness/evidence/F-1.json")),
            brought: Some(brought),
        })
    };
    let landed = |branch: Option<&str>| Brought::Landed {
        head: commit('8'),
        branch: branch.map(str::to_owned),
    };
    vec![
        Event::SessionOpened(Box::new(open)),
        passed(landed(Some("main"))),
        passed(landed(None)),
        passed(Brought::Refused {
            message: "cannot land: HEAD has moved\nhint: land again".to_owned(),
        }),
    ]
}
/// A run with a formatter, what that does, and the last attempt.
fn formatting() -> Vec<Event> {
    let run = || {
        vec![
            "rustfmt".to_owned(),
            "--edition".to_owned(),
            "2024".to_owned(),
        ]
    };
    let mut open = opened(4, 5);
    open.run.policy.formats = vec![Format {
        run: run(),
        paths: vec!["**/*.rs".to_owned()],
        timeout: Duration::from_secs(20),
    }];
    let formatted = |changed, problem: &str| {
        Event::Formatted(Formatted {
            call: CallId {
                turn: TurnNumber(2),
                index: 0,
            },
            run: run(),
            paths: vec![path("src/a.rs")],
            changed,
            problem: problem.to_owned(),
            ms: 41,
        })
    };
    vec![
        Event::SessionOpened(Box::new(open)),
        formatted(vec![path("src/a.rs")], ""),
        formatted(Vec::new(), "it exited with 1: error: expected one of `!`"),
        Event::BudgetWarned {
            what: "2 of 3 attempts are used, the next refused `finish` is the last".to_owned(),
            limit: Some(LimitKind::Attempts),
        },
    ]
}

/// A command in the background, one whose output was kept, and how jobs end.
fn jobs() -> Vec<Event> {
    let call = CallId {
        turn: TurnNumber(3),
        index: 0,
    };
    let command = "npm run dev".to_owned();
    let ends = [
        JobEnd::Ended {
            stop: Stop::Exited(1),
        },
        JobEnd::Stopped,
        JobEnd::Failed {
            message: "it could not be held still".to_owned(),
        },
        JobEnd::Lost,
    ];
    let ended = ends.map(|end| Event::JobEnded {
        call,
        end,
        ms: 12_000,
    });
    let judged = Event::CallJudged {
        call,
        tool: "shell".to_owned(),
        action: Some(Action::Run {
            command: command.clone(),
            cwd: RepoPath::root(),
            background: true,
        }),
        verdict: Verdict::allow("in the cage", None),
    };
    let kept = Event::CallEnded {
        call,
        end: CallEnd::Done {
            outcome: Outcome::Exited {
                stop: Stop::Exited(0),
                output: captured(),
                kept: call.kept_output(),
            },
        },
        ms: 4,
    };
    [judged, Event::JobStarted { call, command }, kept]
        .into_iter()
        .chain(ended)
        .collect()
}

/// What a session knows of its surroundings: documents, the person's prompts, a map that was left out.
fn surroundings() -> Vec<Event> {
    let mut told = opened(3, 4);
    told.sources = vec![Source {
        kind: SourceKind::Environment,
        path: None,
        text: "branch: main\ntools: cargo 1.91.0\n".to_owned(),
    }];
    told.documents = Some(vec![
        Document {
            path: path("docs/money.md"),
            title: "Money".to_owned(),
            tokens: Some(TokenCount(240)),
            about: "How amounts are counted".to_owned(),
        },
        Document {
            path: path("docs/gone.md"),
            title: "docs/gone.md".to_owned(),
            tokens: None,
            about: String::new(),
        },
    ]);
    let work = ("work".to_owned(), "Be slow.\n".to_owned());
    told.run.prompts = [work].into_iter().collect();
    vec![
        Event::SessionOpened(Box::new(told)),
        Event::DocumentLoaded {
            path: path("src/AGENTS.md"),
            tokens: TokenCount(0),
            text: None,
            problem: Some("it has 70.0 KiB, more than 64 KiB".to_owned()),
        },
    ]
}

/// A session that plans, what it proposes, and each word on it.
fn proposals() -> Vec<Event> {
    let Event::SessionOpened(mut opened) = sessions().swap_remove(0) else {
        unreachable!("the first sample opens a session");
    };
    let id = FeatureId::plan(7);
    opened.feature = id.clone();
    opened.run.goal = Goal::Plan {
        feature: id.clone(),
    };
    let short = ProposedFeature {
        title: "Import CSV".to_owned(),
        acceptance: vec!["a comma in quotes stays".to_owned()],
        ..ProposedFeature::default()
    };
    let whole = ProposedFeature {
        title: "Report bad rows".to_owned(),
        description: "Each with its line.".to_owned(),
        steps: vec!["count lines".to_owned()],
        after: vec![1],
        depends_on: vec![feature_id("F-2")],
        write: vec!["src/import/**".to_owned()],
        gates: vec!["test".to_owned()],
        priority: -2,
        ..short.clone()
    };
    let proposal = Proposal {
        id: id.clone(),
        goal: "import tables".to_owned(),
        notes: vec!["there is a reader".to_owned()],
        decided: vec![Decided {
            question: "Which separator?".to_owned(),
            answer: "comma".to_owned(),
        }],
        features: vec![short, whole],
    };
    let kept = |problem: &str| Event::ProposalKept {
        call: call(),
        problem: problem.to_owned(),
    };
    let settled = |word| ProposalSettled {
        call: call(),
        proposal: id.clone(),
        word,
        features: Vec::new(),
        file: None,
        remarks: Vec::new(),
        problem: String::new(),
    };
    let all = ProposalWord::Accepted {
        without: Vec::new(),
    };
    let refused = |reason: &str| ProposalWord::Refused {
        reason: reason.to_owned(),
    };
    vec![
        Event::SessionOpened(opened),
        Event::FeaturesProposed {
            call: call(),
            proposal: Box::new(proposal.clone()),
        },
        kept(""),
        kept("no space left on device"),
        Event::ApprovalAsked(Box::new(ApprovalAsked {
            call: call(),
            subject: ApprovalSubject::Features {
                proposal: Box::new(proposal),
            },
            reason: "import tables".to_owned(),
            rule: None,
            always: None,
        })),
        Event::ApprovalAnswered {
            call: call(),
            answer: ApprovalAnswer::Part { without: vec![2] },
        },
        Event::ProposalSettled(Box::new(ProposalSettled {
            features: vec![AddedFeature {
                number: 1,
                feature: feature_id("F-3"),
                title: "Import CSV".to_owned(),
            }],
            file: Some(path("feature_list.json")),
            remarks: vec!["F-3 is taken as it stands".to_owned()],
            ..settled(ProposalWord::Accepted { without: vec![2] })
        })),
        Event::ProposalSettled(Box::new(ProposalSettled {
            problem: "the list cannot be read".to_owned(),
            ..settled(all)
        })),
        Event::ProposalSettled(Box::new(settled(refused("")))),
        Event::ProposalSettled(Box::new(settled(refused("not now")))),
    ]
}

/// A question that is left for later, and its answer; work that is put aside meanwhile.
fn questions() -> Vec<Event> {
    let given = GivenAnswer {
        question: QuestionId::new(3),
        feature: feature_id("F-2"),
        asked: "Which port?".to_owned(),
        answer: "8080".to_owned(),
        by: "ana".to_owned(),
        at: time(),
    };
    let work = SetAsideWork {
        feature: feature_id("F-2"),
        session: SessionId::new(2),
        checkpoint: CheckpointNumber(4),
        start: tree('4'),
        tree: tree('5'),
    };
    let mut opened = opened(5, 6);
    opened.run.given_up[0].question = Some(QuestionId::new(3));
    opened.run.kept.take_answer(&given);
    opened.run.kept.set_aside(work.clone());
    vec![
        Event::SessionOpened(Box::new(opened)),
        Event::SessionResumed {
            attended: false,
            model: Box::new(model()),
            limits: Box::new(limits()),
            steered: false,
            fallback: Vec::new(),
            roles: Box::default(),
            answers: vec![given.clone()],
            found: Box::default(),
        },
        Event::QuestionAsked {
            call: call(),
            question: "Which port?".to_owned(),
            id: Some(QuestionId::new(3)),
        },
        Event::QuestionPutOff {
            call: call(),
            waited: false,
        },
        Event::QuestionPutOff {
            call: call(),
            waited: true,
        },
        Event::WorkSetAside {
            files: 4,
            message: String::new(),
            kept: Some(Box::new(work)),
        },
        Event::AnswerTaken(Box::new(given)),
        Event::WorkBroughtBack {
            feature: feature_id("F-2"),
            files: 4,
            message: String::new(),
        },
        Event::WorkBroughtBack {
            feature: feature_id("F-2"),
            files: 0,
            message: "other work has changed `src/a.rs` since".to_owned(),
        },
    ]
}

/// Ways back to an earlier turn.
fn turning_back() -> Vec<Event> {
    let asked = |what| Event::RewindAsked {
        turn: TurnNumber(3),
        what,
    };
    let rewound = |what, checkpoint, paths, more| {
        Event::Rewound(Box::new(Rewound {
            turn: TurnNumber(3),
            what,
            checkpoint,
            paths,
            more,
        }))
    };
    vec![
        asked(RewindWhat::Talk),
        asked(RewindWhat::Files),
        asked(RewindWhat::Both),
        rewound(RewindWhat::Talk, None, Vec::new(), 0),
        rewound(
            RewindWhat::Both,
            Some(CheckpointNumber(2)),
            vec![path("src/a.rs")],
            4,
        ),
        Event::RewindRefused {
            turn: TurnNumber(9),
            reason: "there is no turn 9".to_owned(),
        },
    ]
}

/// A plan, a window that filled up, and a session that goes on with what was left.
fn long_work() -> Vec<Event> {
    let step = |text: &str, state| PlanItem {
        text: text.to_owned(),
        state,
    };
    let items = vec![
        step("read", StepState::Done),
        step("write", StepState::Doing),
        step("test", StepState::Open),
    ];
    let mut work = FeatureWork::new(feature_id("F-1"));
    work.plan = items.clone();
    work.hear("use tabs");
    work.keep_lines(
        &["the writer is slow".to_owned()],
        &["gate test red".to_owned()],
    );
    work.add_changes(&[Change {
        path: path("src/a.rs"),
        kind: ChangeKind::Modified,
    }]);
    work.answer("make", &ApprovalAnswer::Session);
    (work.asks_no_more, work.mends) = (true, true);
    (work.hand_overs, work.fruitless, work.worked_ms) = (2, 1, 90_000);
    let mut fresh = opened(6, 7);
    fresh.run.keep_work(work);
    vec![
        Event::PlanSet(PlanSet {
            call: CallId {
                turn: TurnNumber(1),
                index: 0,
            },
            items,
        }),
        Event::WindowCut(Box::new(WindowCut {
            dropped: vec![DroppedResult {
                message: 2,
                part: 0,
                tool: "read".to_owned(),
                bytes: ByteCount(9_000),
                stub: "[dropped to make room: `read` `src/a.rs`]".to_owned(),
            }],
            before: TokenCount(76_000),
            after: TokenCount(51_000),
            window: TokenCount(100_000),
            restored: "# Gates".to_owned(),
        })),
        Event::WindowFull(Box::new(WindowFull {
            need: TokenCount(76_000),
            window: TokenCount(100_000),
            number: 1,
            reason: "the window is full".to_owned(),
        })),
        Event::SessionOpened(Box::new(fresh)),
    ]
}

/// A session that was taken up with something in flight and something different, and a fork of it.
fn taken_up() -> Vec<Event> {
    let in_flight = |kind, fate| InFlight {
        kind,
        what: "`make`, call 3.0".to_owned(),
        fate,
    };
    let files = Difference::new(
        DifferenceKind::Files,
        "`src/a.rs` changed since checkpoint 2",
        "kept as part of the work; the agent is told",
    );
    vec![
        Event::SessionResumed {
            attended: false,
            model: Box::new(model()),
            limits: Box::new(limits()),
            steered: false,
            fallback: Vec::new(),
            roles: Box::default(),
            answers: Vec::new(),
            found: Box::new(TakenUp {
                turn: TurnNumber(3),
                feature: Some(feature_id("F-1")),
                in_flight: vec![
                    in_flight(InFlightKind::Command, Fate::Unknown),
                    in_flight(InFlightKind::Checkpoint, Fate::Again),
                    in_flight(InFlightKind::Question, Fate::Asked),
                ],
                differs: vec![
                    files.about(vec![path("src/a.rs")]),
                    Difference::new(DifferenceKind::Log, "a torn record", "kept aside"),
                ],
                spent: Some(Spent {
                    usage: usage(),
                    cost: Some(Money(61_000)),
                    estimated: true,
                }),
                ..TakenUp::default()
            }),
        },
        Event::Forked(Box::new(Forked {
            session: SessionId::new(1),
            run: RunId::new(1),
            checkpoint: CheckpointNumber(2),
            turn: TurnNumber(2),
            files: 3,
        })),
    ]
}

/// A request that waits for a limit of its provider.
fn pacing() -> Vec<Event> {
    let allowance = |limit, of| Allowance {
        limit,
        left: 0,
        of,
        until: time(),
    };
    let limits = [
        RateLimit::Requests,
        RateLimit::Tokens,
        RateLimit::InputTokens,
        RateLimit::OutputTokens,
    ];
    let of = [Some(50), None, None, None];
    let short = limits.into_iter().zip(of);
    vec![
        Event::AllowanceTold {
            allowances: short.map(|(limit, of)| allowance(limit, of)).collect(),
        },
        Event::RequestPaced {
            turn: TurnNumber(1),
            delay_ms: 12_000,
            limit: RateLimit::Requests,
            until: time(),
        },
    ]
}

/// A run with other models that may take over, and one that did.
fn fallback() -> Vec<Event> {
    let spare = ModelProfile {
        name: "spare".to_owned(),
        provider: "models.example:8443".to_owned(),
        price: None,
        ..model()
    };
    let mut chained = opened(3, 4);
    chained.run.fallback = vec![spare.clone()];
    vec![
        Event::SessionOpened(Box::new(chained)),
        Event::SessionResumed {
            attended: false,
            model: Box::new(model()),
            limits: Box::new(limits()),
            steered: false,
            fallback: vec![spare.clone()],
            roles: Box::default(),
            answers: Vec::new(),
            found: Box::default(),
        },
        Event::ModelChanged {
            from: "large".to_owned(),
            model: spare,
            reason: "the server answered 529".to_owned(),
        },
    ]
}

/// A run with a model of its own for each role, each asked to think in another way.
fn roles() -> Vec<Event> {
    let thinking = |name: &str, effort| ModelProfile {
        name: name.to_owned(),
        effort: Some(effort),
        ..model()
    };
    let roles = Roles {
        cheap: Some(thinking("small", Effort::None)),
        reviewer: Some(thinking("other", Effort::High)),
    };
    let mut opened = opened(4, 5);
    opened.run.roles = roles;
    let only_reviewer = Roles {
        cheap: None,
        reviewer: Some(thinking("other", Effort::Medium)),
    };
    vec![
        Event::SessionOpened(Box::new(opened)),
        Event::SessionResumed {
            attended: false,
            model: Box::new(thinking("large", Effort::Low)),
            limits: Box::new(limits()),
            steered: false,
            fallback: vec![thinking("spare", Effort::Minimal)],
            roles: Box::new(only_reviewer),
            answers: Vec::new(),
            found: Box::default(),
        },
    ]
}

/// What limits of money and their hand-over added.
fn limits_held() -> Vec<Event> {
    let spent = |estimated| Spent {
        usage: usage(),
        cost: Some(Money(61_000)),
        estimated,
    };
    let mut limited = opened(5, 6);
    limited.run.policy.limits = Limits {
        day_usd: Some(Money(9_000_000)),
        session_usd: Some(Money(2_000_000)),
        feature_usd: Some(Money(3_000_000)),
        ..limits()
    };
    let account = &mut limited.run.account;
    account.add(&feature_id("F-1"), Money(61_000));
    account.warn(LimitKind::RunUsd);
    account.keep_note(HandOverNote {
        feature: feature_id("F-1"),
        text: "- Done: half of it".to_owned(),
    });
    let kinds = [
        LimitKind::RunUsd,
        LimitKind::SessionUsd,
        LimitKind::FeatureUsd,
        LimitKind::DayUsd,
        LimitKind::Turns,
        LimitKind::RunMinutes,
        LimitKind::FeatureMinutes,
    ];
    let warned = kinds.map(|limit| Event::BudgetWarned {
        what: format!("{limit} is nearly used up"),
        limit: Some(limit),
    });
    let mut events = vec![
        Event::SessionOpened(Box::new(limited)),
        Event::ModelFailed {
            turn: TurnNumber(3),
            failure: ModelFailure {
                class: FailureClass::Cancelled,
                message: "the request was cancelled".to_owned(),
                status: None,
                retry_after_ms: None,
            },
            spent: Some(spent(true)),
        },
    ];
    events.extend(warned);
    let note = HandedOver {
        feature: feature_id("F-1"),
        note: "- Done: half of it".to_owned(),
        by_model: true,
        problem: String::new(),
        spent: Some(spent(false)),
        ms: 2_100,
    };
    events.push(Event::HandedOver(Box::new(note.clone())));
    events.push(Event::HandedOver(Box::new(HandedOver {
        by_model: false,
        problem: "the model wrote no note".to_owned(),
        spent: None,
        ..note
    })));
    events
}

/// Returns the first record of a session, filled in everywhere.
pub(crate) fn opened(session: u32, run: u32) -> SessionOpened {
    SessionOpened {
        session: SessionId::new(session),
        run: RunState {
            run: RunId::new(run),
            started_at: time(),
            goal: Goal::All,
            policy: policy(),
            features: vec![
                feature(),
                Feature::titled(feature_id("F-2"), "Only a title"),
            ],
            model: model(),
            fallback: Vec::new(),
            roles: Roles::default(),
            attended: true,
            steered: false,
            dirty: DirtyMode::Refuse,
            base: commit('a'),
            tip: commit('b'),
            work_start: Some(tree('4')),
            given_up: vec![GivenUp {
                feature: feature_id("F-2"),
                reason: EndReason::NeedsHuman,
                detail: "a question is open".to_owned(),
                question: None,
            }],
            attempts: 1,
            usage: usage(),
            spent: Money(820_000),
            by_hand: None,
            approved: Vec::new(),
            account: harness_core::Account::default(),
            prompts: std::collections::BTreeMap::new(),
            kept: harness_core::Kept::default(),
            work: Vec::new(),
            lands: None,
        },
        feature: feature_id("F-1"),
        repository: "demo".to_owned(),
        root: "/home/me/demo".to_owned(),
        branch: "harness/R-0001".to_owned(),
        level: Level::Namespaces,
        start_tree: tree('c'),
        start_checkpoint: commit('d'),
        sources: [
            (SourceKind::Map, Some(path("AGENTS.md"))),
            (SourceKind::Progress, Some(path("progress.md"))),
            (SourceKind::Commits, None),
            (SourceKind::Tree, None),
            (SourceKind::HandOver, None),
        ]
        .map(|(kind, path)| Source {
            kind,
            path,
            text: "line one\nline \"two\"\n".to_owned(),
        })
        .to_vec(),
        documents: None,
    }
}

fn sessions() -> Vec<Event> {
    let mut task = opened(2, 3);
    task.run.goal = Goal::Task {
        feature: FeatureId::task(1),
    };
    task.run.dirty = DirtyMode::Base;
    task.run.work_start = None;
    task.run.given_up.clear();
    task.run.model.price = None;
    task.run.model.recorded = true;
    task.run.policy.limits = Limits::default();
    task.level = Level::Landlock;
    task.sources.clear();
    let mut one = task.clone();
    one.run.goal = Goal::One {
        feature: feature_id("F-1"),
    };
    one.level = Level::External;
    let mut unconfined = task.clone();
    unconfined.level = Level::None;
    let mut events: Vec<Event> = [opened(1, 1), task, one, unconfined]
        .map(|opened| Event::SessionOpened(Box::new(opened)))
        .to_vec();
    events.push(Event::SessionResumed {
        attended: true,
        model: Box::new(model()),
        limits: Box::new(limits()),
        steered: false,
        fallback: Vec::new(),
        roles: Box::default(),
        answers: Vec::new(),
        found: Box::default(),
    });
    events.push(Event::SessionEnded {
        reason: "the window is three quarters full".to_owned(),
    });
    events.extend(
        [
            EndReason::AllPassing,
            EndReason::FeaturePassed,
            EndReason::Answered,
            EndReason::Failed,
            EndReason::Budget,
            EndReason::Limit,
            EndReason::Interrupted,
            EndReason::GatesRed,
            EndReason::NeedsHuman,
            EndReason::Blocked,
            EndReason::Stuck,
            EndReason::Untrusted,
            EndReason::ProviderFailed,
            EndReason::Refused,
            EndReason::Aborted,
        ]
        .map(|reason| Event::RunEnded {
            reason,
            detail: "see `harness report`".to_owned(),
        }),
    );
    events
}

fn steering() -> Vec<Event> {
    let text = "and the tests".to_owned();
    let mut steered = opened(2, 3);
    steered.run.steered = true;
    vec![
        Event::SessionOpened(Box::new(steered)),
        Event::SessionResumed {
            attended: true,
            model: Box::new(model()),
            limits: Box::new(limits()),
            steered: true,
            fallback: Vec::new(),
            roles: Box::default(),
            answers: Vec::new(),
            found: Box::default(),
        },
        Event::PersonSaid {
            text: text.clone(),
            urgency: Urgency::Now,
        },
        Event::PersonTookBack { text },
        Event::PersonAwaited,
        Event::ClaimTaken,
        Event::StopRequested,
    ]
}

fn setup() -> Vec<Event> {
    let run = || vec!["npm".to_owned(), "ci".to_owned()];
    let ended = |place, end, message: &str| Event::SetupEnded {
        run: run(),
        place,
        end,
        message: message.to_owned(),
        ms: 2_150,
    };
    vec![
        Event::SetupStarted {
            run: run(),
            place: SetupPlace::WorkTree,
            network: vec!["registry.npmjs.org:443".to_owned()],
        },
        ended(SetupPlace::WorkTree, SetupEnd::Done, ""),
        ended(
            SetupPlace::Base,
            SetupEnd::Failed,
            "exit code 1\nnpm error EROFS",
        ),
        ended(SetupPlace::Candidate, SetupEnd::Cancelled, ""),
    ]
}

fn network() -> Vec<Event> {
    let mut open = opened(4, 5);
    open.run.policy.network = vec![
        AllowedHost {
            host: "static.crates.io".to_owned(),
            port: 443,
            origin: "harness.toml:30, crates.io".to_owned(),
            private: false,
        },
        AllowedHost {
            host: "10.0.0.7".to_owned(),
            port: 8080,
            origin: "config.toml:4".to_owned(),
            private: true,
        },
    ];
    let used = |host: &str, allowed, reason: &str| {
        Event::NetworkUsed(NetworkUse {
            host: host.to_owned(),
            port: 443,
            allowed,
            reason: reason.to_owned(),
            sent: ByteCount(if allowed { 517 } else { 0 }),
            received: ByteCount(if allowed { 90_112 } else { 0 }),
            ms: 250,
        })
    };
    vec![
        Event::SessionOpened(Box::new(open)),
        used("static.crates.io", true, ""),
        used("example.org", false, "not one of the hosts that are open"),
    ]
}

fn conversation() -> Vec<Event> {
    let turn = TurnNumber(7);
    let mut events = vec![
        Event::PersonSaid {
            text: "use tabs,\n\tnot \"spaces\" \\ é \u{1f600} \u{7} \u{7f}".to_owned(),
            urgency: Urgency::NextTurn,
        },
        Event::Interrupted,
        Event::TurnStarted { turn },
        Event::ModelResponded(ModelResponded {
            turn,
            response: ModelResponse {
                parts: vec![
                    AssistantPart::Thinking {
                        text: "hm".to_owned(),
                        signature: Some("c2ln".to_owned()),
                        maker: None,
                    },
                    AssistantPart::Thinking {
                        text: String::new(),
                        signature: None,
                        maker: None,
                    },
                    AssistantPart::RedactedThinking {
                        data: "b3BhcXVl".to_owned(),
                        maker: None,
                    },
                    AssistantPart::Text {
                        text: "I read the file.".to_owned(),
                    },
                    AssistantPart::ToolCall(ToolCall {
                        id: "call_1".to_owned(),
                        name: "read".to_owned(),
                        arguments: r#"{"path":"src/a.rs"}"#.to_owned(),
                    }),
                ],
                stop: StopReason::ToolUse,
                usage: usage(),
            },
            cost: Some(Money(12_345)),
            ms: 4_200,
        }),
    ];
    events.extend(
        [
            StopReason::EndTurn,
            StopReason::MaxTokens,
            StopReason::StopSequence,
            StopReason::Paused,
            StopReason::Refused,
            StopReason::ContextFull,
            StopReason::Other("tired".to_owned()),
        ]
        .map(|stop| {
            Event::ModelResponded(ModelResponded {
                turn,
                response: ModelResponse {
                    parts: Vec::new(),
                    stop,
                    usage: Usage::default(),
                },
                cost: None,
                ms: 1,
            })
        }),
    );
    events.extend(
        [
            (FailureClass::Unreachable, None),
            (FailureClass::Broken, None),
            (FailureClass::Overloaded, Some(529)),
            (FailureClass::RateLimited, Some(429)),
            (FailureClass::ContextOverflow, Some(400)),
            (FailureClass::Quota, Some(402)),
            (FailureClass::Auth, Some(401)),
            (FailureClass::Invalid, Some(400)),
            (FailureClass::Cancelled, None),
        ]
        .map(|(class, status)| Event::ModelFailed {
            turn,
            failure: ModelFailure {
                class,
                message: "the server said no".to_owned(),
                status,
                retry_after_ms: status.map(|_| 1_500),
            },
            spent: None,
        }),
    );
    events.push(Event::ProviderRetried {
        turn,
        attempt: 1,
        delay_ms: 2_000,
        reason: "overloaded".to_owned(),
    });
    events.push(Event::RetryDue { turn });
    events
}

/// An answer whose parts say who made them.
fn answer_of_parts() -> Event {
    let maker = |wire: &str| {
        Some(Maker {
            wire: wire.to_owned(),
            model: "model-a".to_owned(),
        })
    };
    let parts = vec![
        AssistantPart::Thinking {
            text: "hm".to_owned(),
            signature: Some("c2ln".to_owned()),
            maker: maker("anthropic"),
        },
        AssistantPart::RedactedThinking {
            data: "b3BhcXVl".to_owned(),
            maker: maker("anthropic"),
        },
        AssistantPart::Opaque {
            data: r#"{"thoughtSignature":"c2ln"}"#.to_owned(),
            maker: maker("gemini"),
        },
        AssistantPart::Opaque {
            data: "{}".to_owned(),
            maker: None,
        },
    ];
    Event::ModelResponded(ModelResponded {
        turn: TurnNumber(4),
        response: ModelResponse {
            parts,
            stop: StopReason::EndTurn,
            usage: usage(),
        },
        cost: None,
        ms: 1,
    })
}

fn calls() -> Vec<Event> {
    let judged = |action, verdict| Event::CallJudged {
        call: call(),
        tool: "read".to_owned(),
        action,
        verdict,
    };
    let ended = |end| Event::CallEnded {
        call: call(),
        end,
        ms: 12,
    };
    let mut events = vec![
        judged(None, Verdict::deny("there is no tool `reed`")),
        judged(
            Some(Action::Read {
                path: path("src/a.rs"),
                lines: Some(LineRange { first: 3, last: 9 }),
            }),
            Verdict::allow("read is free", Some(rule())),
        ),
    ];
    events.extend(
        [
            Action::Read {
                path: path(b"src/\xff.rs"),
                lines: None,
            },
            Action::List {
                path: RepoPath::root(),
                depth: 1,
            },
            Action::List {
                path: RepoPath::root(),
                depth: 3,
            },
            Action::Search {
                query: "fn .*main".to_owned(),
                path: path("src"),
                glob: None,
                context: 0,
            },
            Action::Search {
                query: "fn .*main".to_owned(),
                path: path("src"),
                glob: Some("*.rs".to_owned()),
                context: 2,
            },
            Action::Write {
                path: path("src/b.rs"),
                content: "fn b() {}\n".to_owned(),
            },
            Action::Edit {
                path: path("src/b.rs"),
                old: "b()".to_owned(),
                new: "c()".to_owned(),
                more: Vec::new(),
            },
            Action::Edit {
                path: path("src/b.rs"),
                old: "b()".to_owned(),
                new: "c()".to_owned(),
                more: vec![Replacement {
                    old: "d()".to_owned(),
                    new: "e()".to_owned(),
                }],
            },
            Action::Move {
                path: path("src/b.rs"),
                to: path("src/c.rs"),
            },
            Action::Delete {
                path: path("src/c.rs"),
            },
            Action::Run {
                command: "cargo test".to_owned(),
                cwd: RepoPath::root(),
                background: false,
            },
        ]
        .map(|action| {
            judged(
                Some(action),
                Verdict {
                    decision: Decision::Ask,
                    reason: "a rule asks".to_owned(),
                    rule: Some(rule()),
                },
            )
        }),
    );
    events.extend(
        [
            ("src/link", "../docs", Some(path("docs/a.md"))),
            ("src/out", "/etc", None),
        ]
        .map(|(link, target, resolved)| Event::LinkMet {
            call: call(),
            link: path(link),
            target: target.to_owned(),
            resolved,
        }),
    );
    events.extend(outcomes().map(|outcome| ended(CallEnd::Done { outcome })));
    events.extend(
        [
            CallEnd::Answered {
                text: "noted".to_owned(),
                is_error: false,
            },
            CallEnd::Refused {
                reason: "outside the scope".to_owned(),
            },
            CallEnd::Failed {
                message: "cannot open `src`".to_owned(),
            },
            CallEnd::Cancelled,
            CallEnd::Lost,
        ]
        .map(ended),
    );
    events.extend([
        Event::DocumentLoaded {
            path: path("src/AGENTS.md"),
            tokens: TokenCount(420),
            text: None,
            problem: None,
        },
        Event::DocumentLoaded {
            path: path("src/AGENTS.md"),
            tokens: TokenCount(5),
            text: Some("# The source\n".to_owned()),
            problem: None,
        },
        Event::NoteTaken {
            text: "the parser is next".to_owned(),
        },
        Event::QuestionAsked {
            call: call(),
            question: "Which port?".to_owned(),
            id: None,
        },
        Event::QuestionAnswered {
            call: call(),
            answer: "8080".to_owned(),
        },
        Event::Nudged {
            text: "the same call gave the same result".to_owned(),
        },
    ]);
    events
}

fn outcomes() -> impl Iterator<Item = Outcome> {
    let stops = [
        Stop::Exited(101),
        Stop::Signalled(9),
        Stop::TimedOut,
        Stop::Silent,
        Stop::Flooded,
        Stop::Cancelled,
        Stop::Crowded,
        Stop::TooLarge,
    ];
    let exited = stops.map(|stop| Outcome::Exited {
        stop,
        output: captured(),
        kept: None,
    });
    let others = [
        Outcome::Text {
            text: "1\tfn a() {}\n".to_owned(),
            lines: 900,
            cut: true,
            note: String::new(),
        },
        Outcome::Text {
            text: "caf\u{fffd}\n".to_owned(),
            lines: 1,
            cut: false,
            note: "not UTF-8".to_owned(),
        },
        Outcome::Moved,
        Outcome::Deleted { removed: 4 },
        Outcome::Written {
            created: true,
            added: 3,
            removed: 0,
            inexact: None,
        },
        Outcome::Written {
            created: false,
            added: 1,
            removed: 1,
            inexact: Some("white space differed".to_owned()),
        },
        Outcome::Refused {
            message: "the text is there twice".to_owned(),
        },
        Outcome::Image(Image {
            path: RepoPath::parse("docs/shot.png").unwrap(),
            format: ImageFormat::Png,
            width: 800,
            height: 600,
            data: "iVBORw0KGgo=".into(),
        }),
    ];
    others.into_iter().chain(exited)
}

fn checkpoints() -> Vec<Event> {
    vec![
        Event::CheckpointSaved(CheckpointSaved {
            number: CheckpointNumber(3),
            commit: commit('e'),
            tree: tree('f'),
            changes: changes(),
            ms: 9,
        }),
        Event::CheckpointUnchanged,
        Event::CheckpointFailed {
            message: "the disk is full".to_owned(),
        },
        Event::StrayUndone {
            path: path("ci/build.yml"),
            message: "taken back to the checkpoint before".to_owned(),
            why: String::new(),
            restored: false,
            quarantine: None,
        },
    ]
}

fn gates() -> Vec<Event> {
    let mut events = vec![
        Event::BaselineEnded {
            report: Box::new(report(CheckStatus::Green)),
            cached: true,
        },
        Event::BaselineFailed {
            message: "no checkout".to_owned(),
        },
        Event::FinishRequested {
            call: Some(call()),
            summary: "the export works".to_owned(),
        },
        Event::FinishRequested {
            call: None,
            summary: String::new(),
        },
        Event::CandidateFrozen(FinishSubject {
            tree: tree('1'),
            candidate: tree('6'),
            work_tree: tree('5'),
            changes: changes(),
            findings: findings(),
            regressions: Vec::new(),
        }),
        Event::CandidateFailed {
            message: "a file vanished".to_owned(),
        },
        Event::GateStarted {
            gate: "unit".to_owned(),
        },
    ];
    let statuses = [
        CheckStatus::Green,
        CheckStatus::Red,
        CheckStatus::Error,
        CheckStatus::Timeout,
    ];
    events.extend(statuses.map(|status| Event::CheckEnded {
        report: Box::new(report(status)),
    }));
    events.extend(statuses.map(|status| Event::GateEnded {
        gate: "unit".to_owned(),
        status,
    }));
    events.push(Event::FinishRefused {
        reason: "`unit` is red".to_owned(),
        findings: findings(),
    });
    events
}

fn features() -> Vec<Event> {
    let mut events = vec![
        Event::FeaturePassed(FeaturePassed {
            feature: feature_id("F-1"),
            commit: commit('2'),
            tree: tree('3'),
            work_tree: tree('5'),
            evidence: Some(path(".harness/evidence/F-1.json")),
            brought: None,
        }),
        Event::FeaturePassed(FeaturePassed {
            feature: FeatureId::task(1),
            commit: commit('2'),
            tree: tree('3'),
            work_tree: tree('5'),
            evidence: None,
            brought: None,
        }),
        Event::CommitFailed {
            message: "the branch has moved".to_owned(),
            needs_human: true,
        },
    ];
    events.extend(
        [
            FeatureStatus::InProgress,
            FeatureStatus::Verifying,
            FeatureStatus::NeedsHuman,
            FeatureStatus::Blocked,
            FeatureStatus::Passing,
            FeatureStatus::Failing,
            FeatureStatus::Accepted,
            FeatureStatus::Cancelled,
        ]
        .map(|to| Event::FeatureStatusChanged {
            feature: feature_id("F-1"),
            from: FeatureStatus::Pending,
            to,
            reason: "as it goes".to_owned(),
        }),
    );
    events.extend([
        Event::FeatureGivenUp {
            reason: EndReason::GatesRed,
            detail: "3 attempts are used up".to_owned(),
        },
        Event::WorkSetAside {
            files: 4,
            message: String::new(),
            kept: None,
        },
        Event::OpenFailed {
            message: "the lock is held".to_owned(),
        },
        Event::BudgetWarned {
            what: "turns: 160 of 200".to_owned(),
            limit: None,
        },
        Event::StopDecided {
            reason: EndReason::Limit,
            detail: "200 turns are used up".to_owned(),
        },
    ]);
    events
}

/// Kinds and fields that came later.
fn strays() -> Vec<Event> {
    vec![
        Event::StrayUndone {
            path: path("docs/a.md"),
            message: "put back; its bytes are kept for the person".to_owned(),
            why: "not in the write scope; allowed: `src/**`".to_owned(),
            restored: true,
            quarantine: Some("harness/quarantine/S-0001/1".to_owned()),
        },
        Event::ChangedOutside {
            paths: vec![path("docs/b.md")],
            more: 3,
        },
        Event::ManifestShort {
            message: "2 files, 80 MiB, are more than is kept".to_owned(),
        },
    ]
}

fn policy() -> Policy {
    let sourced = |value: &str| {
        vec![Sourced {
            value: value.to_owned(),
            origin: "harness.toml:3".to_owned(),
        }]
    };
    let gate = |name: &str, reader, when, baseline| Gate {
        name: name.to_owned(),
        run: vec!["cargo".to_owned(), "test".to_owned()],
        cwd: RepoPath::root(),
        environment: vec!["CARGO_HOME".to_owned()],
        timeout: Duration::from_millis(90_500),
        reader,
        min_tests: 1,
        when,
        baseline,
        paths: vec!["src/**".to_owned()],
        report_file: None,
        flaky_retries: 0,
    };
    let command = |decision| CommandRule {
        prefix: vec!["git".to_owned(), "push".to_owned()],
        decision,
        reason: "the harness commits".to_owned(),
        exact: false,
        origin: String::new(),
    };
    Policy {
        scope: ScopeRules {
            write: sourced("src/**"),
            deny: sourced("src/generated/**"),
            hide: sourced("secrets/**"),
            protect: sourced("Cargo.lock"),
            build: sourced("target"),
            host_owned: vec![Sourced::built_in("feature_list.json")],
        },
        gates: vec![
            gate("unit", Reader::Cargo, When::Finish, Baseline::Strict),
            gate("tap", Reader::Tap, When::Turn, Baseline::NoWorse),
            gate("lint", Reader::Exit, When::Edit, Baseline::Strict),
        ],
        commands: vec![command(RuleDecision::Ask), command(RuleDecision::Deny)],
        limits: limits(),
        isolate: true,
        feature_file: path("feature_list.json"),
        progress_file: path("progress.md"),
        map_file: "AGENTS.md".to_owned(),
        context_budget: TokenCount(16_000),
        network: Vec::new(),
        network_closed: String::new(),
        formats: Vec::new(),
        amendments: Vec::new(),
        review: harness_core::ReviewBy::None,
    }
}

fn model() -> ModelProfile {
    ModelProfile {
        name: "large".to_owned(),
        id: "large-1".to_owned(),
        provider: String::new(),
        context: TokenCount(200_000),
        output: TokenCount(32_000),
        price: Some(Price {
            input: Money(3_000_000),
            output: Money(15_000_000),
            cache_read: Money(300_000),
            cache_write: Money(3_750_000),
        }),
        effort: None,
        beyond: None,
        recorded: false,
    }
}

fn limits() -> Limits {
    Limits {
        usd: Some(Money(5_000_000)),
        day_usd: None,
        session_usd: None,
        feature_usd: None,
        turns: 100,
        time: Duration::from_secs(3_600),
        attempts: 2,
        output: ByteCount::kib(64),
        command: Duration::from_secs(60),
        silence: Duration::from_secs(30),
        patience: Duration::from_secs(20),
        idle: Duration::from_secs(10),
        memory: ByteCount::gib(2),
        processes: 64,
    }
}

fn feature() -> Feature {
    Feature {
        id: feature_id("F-1"),
        category: "functional".to_owned(),
        title: "Export as CSV".to_owned(),
        description: "A table can be saved.".to_owned(),
        steps: vec!["write the writer".to_owned()],
        acceptance: vec!["a file is there".to_owned()],
        priority: -5,
        depends_on: vec![feature_id("F-0")],
        scope: FeatureScope {
            write: vec!["src/export/**".to_owned()],
            deny: vec!["src/export/old/**".to_owned()],
        },
        may_change: vec![path("Cargo.toml")],
        gates: vec!["unit".to_owned()],
        verify: vec![vec!["sh".to_owned(), "-c".to_owned(), "true".to_owned()]],
        budget: FeatureBudget {
            attempts: Some(2),
            usd: Some(Money(1_000_000)),
            minutes: Some(30),
        },
        status: FeatureStatus::InProgress,
    }
}

fn report(status: CheckStatus) -> CheckReport {
    let is_green = status == CheckStatus::Green;
    CheckReport {
        gate: "unit".to_owned(),
        argv: vec!["cargo".to_owned(), "test".to_owned()],
        stop: (status != CheckStatus::Error).then_some(Stop::Exited(i32::from(!is_green))),
        ms: 3_000,
        status,
        reason: if is_green { "" } else { "1 of 9 failed" }.to_owned(),
        tests: (!matches!(status, CheckStatus::Error)).then_some(TestCounts {
            run: 9,
            failed: u32::from(!is_green),
            skipped: 2,
        }),
        failed_tests: vec!["export::quotes".to_owned()],
        excerpt: "left: 1\nright: 2\n".to_owned(),
        output: captured(),
        output_sha256: "9f".repeat(32),
        retried: false,
    }
}

fn findings() -> Vec<Finding> {
    [
        FindingKind::OutsideScope,
        FindingKind::Protected,
        FindingKind::GateAffecting,
        FindingKind::TestsRemoved,
        FindingKind::TestsSkipped,
        FindingKind::AssertionsWeakened,
        FindingKind::LintSilenced,
        FindingKind::GateChangedFiles,
        FindingKind::SecretAdded,
    ]
    .map(|kind| Finding::of_path(kind, path("tests/a.rs"), "2 tests are gone".to_owned()))
    .to_vec()
}

/// Findings as they are told since they have an id, asked about and approved.
fn approved_findings() -> Vec<Event> {
    let findings = [
        FindingKind::TestsRenamed,
        FindingKind::ThresholdLowered,
        FindingKind::SnapshotChanged,
    ]
    .map(|kind| Finding {
        kind,
        path: path("tests/a.rs"),
        message: "1 test is renamed: `a` to `b`".to_owned(),
        line: Some(3),
        id: "0a1b2c3d".to_owned(),
        hunk: "@@ -3,1 +3,1 @@\n-fn a() {\n+fn b() {\n".to_owned(),
    })
    .to_vec();
    let feature = FeatureId::new("F-012").unwrap();
    let approved = |how| Event::FindingsApproved {
        feature: feature.clone(),
        findings: findings.clone(),
        how,
    };
    let asked = Event::ApprovalAsked(Box::new(ApprovalAsked {
        call: call(),
        subject: ApprovalSubject::Findings {
            feature: feature.clone(),
            findings: findings.clone(),
        },
        reason: "3 findings".to_owned(),
        rule: None,
        always: None,
    }));
    let Event::SessionOpened(mut opened) = sessions().swap_remove(0) else {
        unreachable!("the first sample opens a session");
    };
    opened.run.by_hand = Some("done by hand".to_owned());
    opened.run.policy.limits.day_usd = Some(Money(20_000_000));
    opened.run.approved = vec![ApprovedFinding {
        feature: feature.clone(),
        id: "0a1b2c3d".to_owned(),
        time: Timestamp::from_millis(1_700_000_000_000),
        how: ApprovedHow::Flag,
    }];
    vec![
        asked,
        approved(ApprovedHow::Asked),
        approved(ApprovedHow::Flag),
        Event::SessionOpened(opened),
        touching_what_passed(feature),
    ]
}

fn touching_what_passed(feature: FeatureId) -> Event {
    let gate = policy().gates.swap_remove(0);
    Event::CandidateFrozen(FinishSubject {
        tree: tree('1'),
        candidate: tree('6'),
        work_tree: tree('5'),
        changes: changes(),
        findings: Vec::new(),
        regressions: vec![Regression {
            features: vec![feature],
            gate: Gate {
                name: "F-012/verify-1".to_owned(),
                report_file: Some("target/*.xml".to_owned()),
                flaky_retries: 1,
                ..gate
            },
        }],
    })
}

fn changes() -> Vec<Change> {
    [ChangeKind::Added, ChangeKind::Modified, ChangeKind::Deleted]
        .map(|kind| Change {
            path: path("src/a.rs"),
            kind,
        })
        .to_vec()
}

fn captured() -> Captured {
    Captured {
        head: "running 9 tests\n".to_owned(),
        tail: "test result: FAILED\n".to_owned(),
        bytes: 1_048_576,
    }
}

fn rule() -> Rule {
    Rule {
        text: "src/**".to_owned(),
        origin: "harness.toml:3".to_owned(),
    }
}

fn usage() -> Usage {
    Usage {
        input: 1_200,
        cache_read: 9_000,
        cache_write: 300,
        output: 450,
    }
}

fn time() -> Timestamp {
    Timestamp::from_millis(1_763_633_643_021)
}

fn call() -> CallId {
    CallId {
        turn: TurnNumber(7),
        index: 1,
    }
}

fn path(text: impl AsRef<[u8]>) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn feature_id(text: &str) -> FeatureId {
    FeatureId::new(text).unwrap()
}

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn tree(digit: char) -> TreeId {
    digit.to_string().repeat(40).parse().unwrap()
}

/// What is asked of a person and what they answer.
fn controls() -> Vec<Event> {
    let check = |outcome| ControlCheck {
        gate: "unit".to_owned(),
        outcome,
        tests: vec!["export::trivial".to_owned()],
        count: 1,
        reason: "exit 101".to_owned(),
        ms: 3_000,
    };
    let control = NegativeControl {
        skipped: String::new(),
        left_out: "tests inside sources".to_owned(),
        checks: [
            ControlOutcome::Needed,
            ControlOutcome::ProvesNothing,
            ControlOutcome::Skipped,
        ]
        .map(check)
        .to_vec(),
    };
    vec![
        Event::NegativeControlEnded { control },
        Event::NegativeControlEnded {
            control: NegativeControl::not_run("no test file was added or changed"),
        },
        Event::CheckEnded {
            report: Box::new(CheckReport {
                retried: true,
                ..report(CheckStatus::Green)
            }),
        },
    ]
}

fn approvals() -> Vec<Event> {
    let id = call();
    let rule = CommandRule {
        prefix: vec!["npm".to_owned(), "publish".to_owned()],
        exact: true,
        decision: RuleDecision::Allow,
        reason: "a person said always".to_owned(),
        origin: "rules.toml:2".to_owned(),
    };
    let amendment = Amendment {
        feature: FeatureId::new("F-012").unwrap(),
        write: vec!["docs/**".to_owned()],
        may_change: vec![path("Cargo.toml")],
        hosts: vec![AllowedHost {
            host: "crates.io".to_owned(),
            port: 443,
            origin: "approved for `F-012`".to_owned(),
            private: false,
        }],
        reason: "needs a reader".to_owned(),
    };
    let asked = |subject, always| {
        Event::ApprovalAsked(Box::new(ApprovalAsked {
            call: id,
            subject,
            reason: "publishing is a person's".to_owned(),
            rule: Some(Rule {
                text: "npm publish ...".to_owned(),
                origin: "harness.toml:9".to_owned(),
            }),
            always,
        }))
    };
    let action = Action::Run {
        command: "npm publish".to_owned(),
        cwd: RepoPath::root(),
        background: false,
    };
    let answered = |answer| Event::ApprovalAnswered { call: id, answer };
    let always = |problem: &str| ApprovalAnswer::Always {
        rule: rule.clone(),
        problem: problem.to_owned(),
    };
    vec![
        asked(ApprovalSubject::Action { action }, Some(rule.clone())),
        answered(ApprovalAnswer::Once),
        answered(ApprovalAnswer::Session),
        answered(always("")),
        answered(always("cannot write `rules.toml`")),
        answered(ApprovalAnswer::No {
            reason: "not now".to_owned(),
        }),
        answered(ApprovalAnswer::Never),
        asked(
            ApprovalSubject::Amendment {
                amendment: amendment.clone(),
            },
            None,
        ),
        Event::FeatureAmended {
            call: id,
            amendment,
        },
    ]
}
