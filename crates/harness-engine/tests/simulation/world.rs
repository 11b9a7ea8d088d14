//! A repository that is a few numbers: what effects do to it and how they end.

use std::collections::BTreeSet;

use fastrand::Rng;
use harness_core::{
    Action, Beside, Brought, CallEnd, CallId, Captured, Change, ChangeKind, CheckReport,
    CheckStatus, CheckpointNumber, CheckpointSaved, CommitId, ConversationId, Event, FailureClass,
    FeatureId, FeaturePassed, Finding, FindingKind, FinishSubject, Formatted, Gate, GivenAnswer,
    Goal, HandedOver, Happened, ModelFailure, ModelResponded, NegativeControl, Outcome,
    ProposalSettled, QuestionId, Rejection, Rewound, SessionId, SetAsideWork, Spent, Stop, TreeId,
    TurnNumber, TurnedDown, TurnedDownEnd, TurnedDownPart, Usage,
};
use harness_engine::{
    AskBeside, CommitFeature, Effect, OpenSession, RewindFiles, SettleProposal, WriteHandOver,
};

use super::{
    beside,
    jobs::Running,
    model::Model,
    person,
    plan::{Plan, chance},
};
use crate::facts;

/// How an effect ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Well,
    Badly,
    Cancelled,
}

/// A commit on the run's branch.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) feature: FeatureId,
    pub(crate) session: u32,
    pub(crate) tree: TreeId,
    pub(crate) id: CommitId,
    work_tree: TreeId,
}

/// What lasts when the program dies.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) model: Model,
    pub(crate) branch: Vec<Commit>,
    rng: Rng,
    /// The work tree.
    work: u64,
    /// The checkpoints of the session: their numbers and trees.
    saved: Vec<(CheckpointNumber, u64)>,
    /// The work tree that belongs to the branch's tip.
    start: u64,
    session: u32,
    /// The feature in work.
    feature: Option<FeatureId>,
    pub(crate) jobs: Running,
    /// What agents have asked: session, call, feature, and whether it has its answer.
    questions: Vec<(u32, CallId, FeatureId, bool)>,
    /// Rejections that were taken back.
    turned_down: BTreeSet<String>,
}

impl World {
    pub(crate) fn new(plan: Plan, model: Model, rng: Rng) -> Self {
        Self {
            plan,
            model,
            branch: Vec::new(),
            rng,
            work: 1,
            saved: Vec::new(),
            start: 1,
            session: 0,
            feature: None,
            jobs: Running::default(),
            questions: Vec::new(),
            turned_down: BTreeSet::new(),
        }
    }

    /// Whether the tree holds unproven work on a feature other than `next`.
    pub(crate) fn is_spoiled_for(&self, next: &FeatureId) -> bool {
        self.work != self.start && self.feature.as_ref().is_some_and(|feature| feature != next)
    }

    /// Whether the work tree is the one that belongs to the branch's tip.
    pub(crate) const fn is_untouched(&self) -> bool {
        self.work == self.start
    }

    /// Whether `tree` is the work tree that belongs to the branch's tip.
    pub(crate) fn is_start(&self, tree: &TreeId) -> bool {
        number(tree) == self.start
    }

    /// The program is gone, and with it what ran.
    pub(crate) fn die(&mut self) {
        self.change_by_jobs();
        self.jobs.die();
    }

    /// A job ends by itself now and then.
    pub(crate) fn end_job(&mut self) -> Option<Event> {
        self.change_by_jobs();
        self.jobs.some_end(&mut self.rng)
    }

    /// A job writes whenever it wants to.
    fn change_by_jobs(&mut self) {
        let may_write = !matches!(self.plan.run.goal, Goal::Plan { .. });
        if !self.jobs.is_empty() && may_write && self.rng.bool() {
            self.work = mix(self.work, 31);
        }
    }

    /// Carries an effect out and returns the events it ends in.
    pub(crate) fn act(&mut self, effect: &Effect, ending: Ending) -> Vec<Event> {
        self.change_by_jobs();
        match effect {
            Effect::OpenSession(open) => vec![self.open(open, ending)],
            Effect::RequestModel { turn, .. } => vec![self.respond(*turn, ending)],
            Effect::Perform { call, permit } => self.perform(*call, permit.action(), ending),
            Effect::PerformApproved { call, awaited } => {
                self.perform(*call, awaited.action(), ending)
            }
            Effect::AskApproval(asked) => person::approval(&mut self.rng, asked),
            Effect::AskPerson { call, .. } => vec![Event::QuestionAnswered {
                call: *call,
                answer: "the second".to_owned(),
            }],
            Effect::TendJob { call, .. } if ending != Ending::Well => vec![Event::CallEnded {
                call: *call,
                end: CallEnd::Cancelled,
                ms: 1,
            }],
            Effect::TendJob { call, job, stop } => self.jobs.tend(*call, *job, *stop),
            Effect::StopJobs { jobs } => self.jobs.stop(jobs),
            Effect::SaveCheckpoint { number } => vec![self.save(*number, ending)],
            Effect::RunBaseline { gates } => self.baseline(gates, ending),
            Effect::FreezeCandidate => vec![self.freeze(ending)],
            Effect::RunGate(run) => vec![Event::CheckEnded {
                report: Box::new(self.check(&run.gate, number(&run.tree), ending)),
            }],
            Effect::RunNegativeControl(_) => vec![Event::NegativeControlEnded {
                control: NegativeControl::not_run(format!("{ending:?}")),
            }],
            Effect::CommitFeature(commit) => vec![self.commit(commit, ending)],
            Effect::SetAside => vec![self.set_aside(ending)],
            Effect::BringBack(work) => vec![self.bring_back(work, ending)],
            Effect::Rewind(files) => vec![self.rewind(files, ending)],
            Effect::TurnDown(rejections) => vec![self.turn_down(rejections, ending)],
            Effect::HandOver(write) => vec![self.hand_over(write, ending)],
            Effect::AskBeside(ask) => vec![self.respond_beside(ask, ending)],
            Effect::PerformBeside {
                conversation,
                call,
                permit,
                ..
            } => {
                let ends = self.perform(*call, permit.action(), ending);
                ends.into_iter()
                    .filter_map(|end| told_beside(*conversation, end))
                    .collect()
            }
            Effect::ShowChange { tree } => vec![beside::shown(tree, ending != Ending::Badly)],
            Effect::KeepProposal { call, .. } => vec![Event::ProposalKept {
                call: *call,
                problem: if ending == Ending::Well {
                    String::new()
                } else {
                    "disk full".to_owned()
                },
            }],
            Effect::SettleProposal(settle) => vec![settled(settle, ending)],
            Effect::Record(_) | Effect::CancelModel | Effect::CancelWork => Vec::new(),
        }
    }

    /// Changes the work tree; in a session that plans nothing can be written.
    fn change(&mut self, salt: u64) {
        if !matches!(self.plan.run.goal, Goal::Plan { .. }) {
            self.work = mix(self.work, salt);
        }
    }

    /// Says what a gate shows on a tree, whoever asks.
    pub(crate) fn colour(&self, gate: &str, tree: u64) -> CheckStatus {
        let lot = mix(tree, gate.bytes().map(u64::from).sum());
        match lot % 10 {
            low if low < self.plan.green_of_ten => CheckStatus::Green,
            9 => CheckStatus::Timeout,
            _ => CheckStatus::Red,
        }
    }

    fn open(&mut self, open: &OpenSession, ending: Ending) -> Event {
        if ending == Ending::Badly {
            return Event::OpenFailed {
                message: "no space left".to_owned(),
            };
        }
        self.session += 1;
        self.feature = Some(open.feature.id.clone());
        self.saved = vec![(CheckpointNumber(0), self.work)];
        self.start = open.run.work_start.as_ref().map_or(self.work, number);
        let start = facts::tree(self.work);
        Event::SessionOpened(Box::new(facts::opened(
            self.session,
            &open.run,
            &open.feature,
            start,
        )))
    }

    fn respond(&mut self, turn: TurnNumber, ending: Ending) -> Event {
        let failure = match ending {
            Ending::Cancelled => ModelFailure {
                class: FailureClass::Cancelled,
                message: "cancelled".to_owned(),
                status: None,
                retry_after_ms: None,
            },
            Ending::Badly => self.model.fail(),
            Ending::Well => {
                let response = self.model.answer();
                let cost = self
                    .plan
                    .run
                    .model
                    .price
                    .map(|price| price.of(response.usage));
                return Event::ModelResponded(ModelResponded {
                    turn,
                    response,
                    cost,
                    ms: 900,
                });
            }
        };
        // What was cut had cost something, more often than not.
        let spent = self.rng.bool().then(|| {
            let usage = self.model.answer().usage;
            Spent {
                usage,
                cost: self.plan.run.model.cost(usage),
                estimated: true,
            }
        });
        Event::ModelFailed {
            turn,
            failure,
            spent,
        }
    }

    fn respond_beside(&mut self, ask: &AskBeside, ending: Ending) -> Event {
        let happened = match self.respond(ask.turn, ending) {
            Event::ModelResponded(mut responded) => {
                (responded.response.parts, responded.response.stop) =
                    beside::answer(&mut self.rng, ask);
                Happened::Responded {
                    turn: ask.turn,
                    response: responded.response,
                    cost: responded.cost,
                    ms: responded.ms,
                }
            }
            Event::ModelFailed { failure, spent, .. } => Happened::Failed {
                turn: ask.turn,
                failure,
                spent,
            },
            other => panic!("no end of a request: {other:?}"),
        };
        Event::Beside(Box::new(Beside {
            conversation: ask.conversation,
            happened,
        }))
    }

    fn hand_over(&mut self, write: &WriteHandOver, ending: Ending) -> Event {
        let is_asked = write.prompt.is_some() && self.rng.bool();
        let spent = is_asked.then(|| Spent {
            usage: Usage::default(),
            cost: write.price,
            estimated: ending != Ending::Well,
        });
        Event::HandedOver(Box::new(HandedOver {
            feature: write.feature.clone(),
            note: "half of it is done".to_owned(),
            by_model: is_asked && ending == Ending::Well,
            problem: String::new(),
            spent,
            ms: 3,
        }))
    }

    fn perform(&mut self, call: CallId, action: &Action, ending: Ending) -> Vec<Event> {
        if let Some(met) = met_link(call, action) {
            return vec![met];
        }
        if action.is_job() && ending == Ending::Well {
            return self.jobs.start(call, &mut self.rng);
        }
        let end = match ending {
            Ending::Cancelled => {
                // A command that is cut short may have done a part of its work.
                if matches!(action, Action::Run { .. }) && self.rng.bool() {
                    self.change(5);
                }
                CallEnd::Cancelled
            }
            Ending::Badly => CallEnd::Failed {
                message: "disk failed".to_owned(),
            },
            Ending::Well => CallEnd::Done {
                outcome: self.outcome(action),
            },
        };
        let mut events = Vec::new();
        if action.path().to_text().starts_with("docs/") {
            events.push(Event::DocumentLoaded {
                path: facts::path("docs/AGENTS.md"),
                tokens: harness_core::TokenCount(9),
                text: Some("keep it short".to_owned()),
                problem: None,
            });
        }
        if matches!(action, Action::Run { .. }) && chance(&mut self.rng, 1, 10) {
            let message = "taken back".to_owned();
            events.push(Event::StrayUndone {
                path: facts::path("docs/x.md"),
                message,
                why: "not in the write scope".to_owned(),
                restored: true,
                quarantine: None,
            });
        }
        let is_written = matches!(
            &end,
            CallEnd::Done {
                outcome: Outcome::Written { .. }
            }
        );
        if is_written && chance(&mut self.rng, 1, 5) {
            let path = action.path().clone();
            let is_changed = self.rng.bool();
            events.push(Event::Formatted(Formatted {
                call,
                run: vec!["rustfmt".to_owned()],
                paths: vec![path.clone()],
                changed: is_changed.then_some(path).into_iter().collect(),
                problem: if is_changed {
                    String::new()
                } else {
                    "exit 1".to_owned()
                },
                ms: 2,
            }));
        }
        events.push(Event::CallEnded { call, end, ms: 3 });
        events
    }

    /// Says how long a file is: most are short.
    fn length(&mut self) -> usize {
        if self.rng.bool() {
            self.rng.usize(100..900)
        } else {
            1
        }
    }

    fn outcome(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Read { .. } | Action::List { .. } | Action::Search { .. } => Outcome::Text {
                text: format!("content {}\n", self.work % 7).repeat(self.length()),
                lines: 1,
                cut: false,
                note: String::new(),
            },
            Action::Write { content, .. } => {
                self.change(content.len() as u64);
                Outcome::Written {
                    created: false,
                    added: 1,
                    removed: 1,
                    inexact: None,
                }
            }
            Action::Edit { .. } if self.rng.bool() => Outcome::Refused {
                message: "`old` is not there".to_owned(),
            },
            Action::Edit { .. } => {
                self.change(2);
                Outcome::Written {
                    created: false,
                    added: 1,
                    removed: 1,
                    inexact: None,
                }
            }
            Action::Move { .. } => {
                self.work = mix(self.work, 7);
                Outcome::Moved
            }
            Action::Delete { .. } => {
                self.work = mix(self.work, 11);
                Outcome::Deleted { removed: 1 }
            }
            Action::Run { .. } => {
                if self.rng.bool() {
                    self.change(3);
                }
                let code = i32::from(self.rng.bool());
                Outcome::Exited {
                    stop: Stop::Exited(code),
                    output: Captured::default(),
                    kept: None,
                }
            }
        }
    }

    fn save(&mut self, number: CheckpointNumber, ending: Ending) -> Event {
        if ending == Ending::Badly {
            return Event::CheckpointFailed {
                message: "disk full".to_owned(),
            };
        }
        // What was saved and never logged does not count.
        self.saved.retain(|&(earlier, _)| earlier < number);
        if self
            .saved
            .last()
            .is_some_and(|&(_, tree)| tree == self.work)
        {
            return Event::CheckpointUnchanged;
        }
        self.saved.push((number, self.work));
        Event::CheckpointSaved(CheckpointSaved {
            number,
            commit: facts::commit(self.work),
            tree: facts::tree(self.work),
            changes: vec![Change {
                path: facts::path(if self.work.is_multiple_of(3) {
                    "docs/a.md"
                } else {
                    "src/a.rs"
                }),
                kind: ChangeKind::Modified,
            }],
            ms: 4,
        })
    }

    fn baseline(&mut self, gates: &[Gate], ending: Ending) -> Vec<Event> {
        if ending == Ending::Badly {
            return vec![Event::BaselineFailed {
                message: "cannot check out".to_owned(),
            }];
        }
        let ended = |gate: &Gate| {
            let mut report = facts::report(gate, CheckStatus::Green);
            if ending == Ending::Cancelled {
                report = cancelled(gate);
            } else if self.plan.is_base_red && self.branch.is_empty() {
                report = facts::report(gate, CheckStatus::Red);
            }
            Event::BaselineEnded {
                report: Box::new(report),
                cached: false,
            }
        };
        gates.iter().map(ended).collect()
    }

    fn freeze(&mut self, ending: Ending) -> Event {
        if ending != Ending::Well {
            return Event::CandidateFailed {
                message: "cannot freeze".to_owned(),
            };
        }
        let change = Change {
            path: facts::path("src/a.rs"),
            kind: ChangeKind::Modified,
        };
        let finding = Finding {
            // Another change now and then has the same finding, and so the same id.
            id: format!("{:08x}", mix(self.work, 12) % 4),
            ..Finding::of_path(
                FindingKind::TestsRemoved,
                change.path.clone(),
                "one test fewer".to_owned(),
            )
        };
        let has_findings = mix(self.work, 11) % 10 < self.plan.findings_of_ten;
        Event::CandidateFrozen(FinishSubject {
            tree: facts::tree(mix(self.work, 1)),
            candidate: facts::tree(mix(self.work, 1)),
            work_tree: facts::tree(self.work),
            changes: vec![
                change,
                Change {
                    path: facts::path(if self.work.is_multiple_of(2) {
                        "tests/a.rs"
                    } else {
                        "src/b.rs"
                    }),
                    kind: ChangeKind::Added,
                },
            ],
            findings: has_findings.then_some(finding).into_iter().collect(),
            regressions: Vec::new(),
        })
    }

    fn check(&self, gate: &Gate, tree: u64, ending: Ending) -> CheckReport {
        match ending {
            Ending::Well => facts::report(gate, self.colour(&gate.name, tree)),
            Ending::Badly => facts::report(gate, CheckStatus::Error),
            Ending::Cancelled => cancelled(gate),
        }
    }

    fn commit(&mut self, commit: &CommitFeature, ending: Ending) -> Event {
        let failed = |message: &str, needs_human: bool| Event::CommitFailed {
            message: message.to_owned(),
            needs_human,
        };
        let made = self.branch.iter().find(|made| {
            made.feature == commit.feature.id
                && made.session == self.session
                && made.tree == commit.subject.tree
        });
        if let Some(made) = made {
            return passed(made);
        }
        if ending == Ending::Badly {
            return failed("the branch was moved by somebody else", self.rng.bool());
        }
        // The harness's own files change with the commit, so the work tree does.
        self.work = mix(self.work, 21);
        self.start = self.work;
        let made = Commit {
            feature: commit.feature.id.clone(),
            session: self.session,
            tree: commit.subject.tree.clone(),
            id: facts::commit(100 + self.branch.len() as u64),
            work_tree: facts::tree(self.work),
        };
        self.branch.push(made.clone());
        passed(&made)
    }

    fn set_aside(&mut self, ending: Ending) -> Event {
        if ending == Ending::Badly {
            return Event::WorkSetAside {
                files: 0,
                message: "`src/a.rs` was changed".to_owned(),
                kept: None,
            };
        }
        let tree = std::mem::replace(&mut self.work, self.start);
        Event::WorkSetAside {
            files: 1,
            message: String::new(),
            kept: self.feature.clone().map(|feature| {
                Box::new(SetAsideWork {
                    feature,
                    session: SessionId::new(self.session),
                    checkpoint: CheckpointNumber(1),
                    start: facts::tree(self.start),
                    tree: facts::tree(tree),
                })
            }),
        }
    }

    fn bring_back(&mut self, work: &SetAsideWork, ending: Ending) -> Event {
        let is_well = ending == Ending::Well;
        if is_well {
            self.work = number(&work.tree);
        }
        Event::WorkBroughtBack {
            feature: work.feature.clone(),
            files: u32::from(is_well),
            message: if is_well { "" } else { "`src/a.rs` is another" }.to_owned(),
        }
    }

    fn rewind(&mut self, files: &RewindFiles, ending: Ending) -> Event {
        if ending != Ending::Well {
            return Event::RewindRefused {
                turn: files.turn,
                reason: "`src/a.rs` was changed by somebody".to_owned(),
            };
        }
        self.work = number(&files.tree);
        Event::Rewound(Box::new(Rewound {
            turn: files.turn,
            what: files.what,
            checkpoint: Some(files.checkpoint),
            paths: vec![facts::path("src/a.rs")],
            more: 0,
        }))
    }

    fn turn_down(&mut self, rejections: &[Rejection], ending: Ending) -> Event {
        let is_well = ending == Ending::Well;
        let ids: Vec<String> = rejections.iter().map(|one| one.id.clone()).collect();
        // Doing it twice is doing it once.
        if is_well && ids.iter().any(|id| !self.turned_down.contains(id)) {
            self.work = mix(self.work, 47);
        }
        if is_well {
            self.turned_down.extend(ids);
        }
        let end = if is_well {
            TurnedDownEnd::Applied
        } else {
            TurnedDownEnd::Clash {
                why: "it is not there any more".to_owned(),
                line: 1,
                wanted: "a\n".to_owned(),
                found: "b\n".to_owned(),
            }
        };
        let parts = rejections.iter().map(|one| TurnedDownPart {
            id: one.id.clone(),
            hunk: one.hunk.clone(),
            path: one.path.clone(),
            end: end.clone(),
        });
        Event::TurnedDown(Box::new(TurnedDown {
            parts: parts.collect(),
            problem: String::new(),
        }))
    }

    /// Returns the work tree.
    pub(crate) const fn work(&self) -> u64 {
        self.work
    }

    /// Gives a question that is asked its name; the same one keeps it.
    pub(crate) fn keep_question(&mut self, event: &mut Event) {
        let (Event::QuestionAsked { call, id, .. }, Some(feature)) = (event, &self.feature) else {
            return;
        };
        let is_it =
            |known: &(u32, CallId, FeatureId, bool)| known.0 == self.session && known.1 == *call;
        let at = self.questions.iter().position(is_it).unwrap_or_else(|| {
            self.questions
                .push((self.session, *call, feature.clone(), false));
            self.questions.len() - 1
        });
        id.get_or_insert(QuestionId::new(at as u32 + 1));
    }

    /// Returns answers to some of the questions that wait, each once.
    pub(crate) fn answers(&mut self, rng: &mut Rng) -> Vec<GivenAnswer> {
        let mut given = Vec::new();
        for (at, (_, _, feature, answered)) in (1..).zip(&mut self.questions) {
            if *answered || rng.bool() {
                continue;
            }
            *answered = true;
            given.push(GivenAnswer {
                question: QuestionId::new(at),
                feature: feature.clone(),
                asked: "which?".to_owned(),
                answer: "the third".to_owned(),
                by: "ana".to_owned(),
                at: harness_core::Timestamp::from_millis(1),
            });
        }
        given
    }
}

fn passed(made: &Commit) -> Event {
    Event::FeaturePassed(FeaturePassed {
        feature: made.feature.clone(),
        commit: made.id.clone(),
        tree: made.tree.clone(),
        work_tree: made.work_tree.clone(),
        evidence: None,
        brought: Some(Brought::Landed {
            head: made.id.clone(),
            branch: None,
        }),
    })
}

fn cancelled(gate: &Gate) -> CheckReport {
    CheckReport {
        stop: Some(Stop::Cancelled),
        ..facts::report(gate, CheckStatus::Error)
    }
}

/// `link/**` leads to `src/**`, to a place outside, and to itself through a chain of twelve.
fn met_link(call: CallId, action: &Action) -> Option<Event> {
    let path = action.path().to_text();
    let (link, rest) = path.split_once('/').unwrap_or((&path, ""));
    let (target, resolved) = match link {
        "link" if rest == "out.rs" => ("/etc/out.rs".to_owned(), None),
        "link" => ("src".to_owned(), Some(format!("src/{rest}"))),
        _ => {
            let place: u32 = link.strip_prefix("chain")?.parse().ok()?;
            let next = format!("chain{}", place + 1);
            (next.clone(), Some(format!("{next}/{rest}")))
        }
    };
    Some(Event::LinkMet {
        call,
        link: facts::path(link),
        target,
        resolved: resolved.map(|path| facts::path(&path)),
    })
}

/// Returns the number a tree stands for.
pub(crate) fn number(tree: &TreeId) -> u64 {
    u64::from_str_radix(&tree.as_str()[24..], 16).unwrap()
}

/// Makes another tree of a tree and what happens to it.
const fn mix(tree: u64, what: u64) -> u64 {
    let mut bits = tree.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(what);
    bits = (bits ^ (bits >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits ^ (bits >> 29)
}

/// Makes the end of a call one of a conversation beside the main one; maps are not loaded for it.
fn told_beside(conversation: ConversationId, end: Event) -> Option<Event> {
    let happened = match end {
        Event::CallEnded { call, end, ms } => Happened::CallEnded { call, end, ms },
        Event::LinkMet {
            call,
            link,
            target,
            resolved,
        } => Happened::LinkMet {
            call,
            link,
            target,
            resolved,
        },
        _ => return None,
    };
    Some(Event::Beside(Box::new(Beside {
        conversation,
        happened,
    })))
}

/// Does what a person said of a proposal, or fails to.
fn settled(settle: &SettleProposal, ending: Ending) -> Event {
    let problem = match ending {
        Ending::Well => String::new(),
        _ => "the list cannot be read".to_owned(),
    };
    Event::ProposalSettled(Box::new(ProposalSettled {
        call: settle.call,
        proposal: settle.proposal.id.clone(),
        word: settle.word.clone(),
        features: Vec::new(),
        file: None,
        remarks: Vec::new(),
        problem,
    }))
}
