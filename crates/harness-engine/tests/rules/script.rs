//! Drives an engine by hand: events in, what follows out in words, records handled on the way.

use harness_core::{
    Action, AssistantPart, BesideEnd, CallEnd, CallId, Change, ChangeKind, CheckStatus,
    CheckpointNumber, CheckpointSaved, Event, FailureClass, Feature, FeatureId, FeaturePassed,
    Finding, FinishSubject, Gate, Goal, Happened, ModelFailure, ModelResponded, ModelResponse,
    Money, Outcome, Prompt, Proposal, QuestionId, RunState, StopReason, Timestamp, TurnNumber,
    Urgency, Usage,
};
use harness_engine::{AskBeside, Effect, Engine, WriteHandOver};

use crate::facts;

/// One run and what is known of it from outside.
pub(crate) struct Script {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    log: Vec<(Event, Timestamp)>,
    gates: Vec<Gate>,
    pub(crate) turn: TurnNumber,
    pub(crate) prompt: Option<Prompt>,
    /// What answers cost.
    pub(crate) cost: Option<Money>,
    /// The note that is to be written.
    pub(crate) hand_over: Option<WriteHandOver>,
    /// The last request of a conversation beside the main one.
    pub(crate) beside: Option<AskBeside>,
    /// Whether questions get a name, as where they can be kept.
    pub(crate) names_questions: bool,
}

impl Script {
    /// Makes a run whose first session is not open yet.
    pub(crate) fn closed(
        goal: Goal,
        features: u32,
        gates: Vec<Gate>,
        change: impl FnOnce(&mut RunState),
    ) -> Self {
        let named = |number| Feature::titled(Self::feature(number), format!("feature {number}"));
        let mut features: Vec<Feature> = (1..=features).map(named).collect();
        if let Goal::Task { feature } = &goal {
            features = vec![Feature::titled(feature.clone(), "a task")];
        }
        let mut state = facts::run_state(goal, features, facts::policy(gates.clone()));
        change(&mut state);
        let now = Timestamp::from_millis(1_000);
        let mut script = Self {
            engine: Engine::new(state, now),
            now,
            log: Vec::new(),
            gates,
            turn: TurnNumber(0),
            prompt: None,
            cost: None,
            hand_over: None,
            beside: None,
            names_questions: false,
        };
        let effects = script.engine.start(now);
        script.follow(effects, true);
        script
    }

    /// Makes a run of all features, its first session open and its first request in flight.
    pub(crate) fn features(count: u32, gates: Vec<Gate>) -> Self {
        let mut script = Self::closed(Goal::All, count, gates, |_| {});
        script.opens(1);
        script
    }

    /// The same with the gate `test`, green on the base, and one attempt.
    pub(crate) fn one_attempt(count: u32) -> Self {
        let gates = vec![facts::gate("test")];
        let mut script = Self::closed(Goal::All, count, gates, |run| {
            run.policy.limits.attempts = 1;
        });
        script.opens(1);
        script.base_is_green();
        script
    }

    /// The same for a task.
    pub(crate) fn task(gates: Vec<Gate>) -> Self {
        let feature = FeatureId::task(1);
        let mut script = Self::closed(Goal::Task { feature }, 1, gates, |_| {});
        script.opens(1);
        script
    }

    /// Makes a run of one feature whose agent a person can go on talking to.
    pub(crate) fn steered() -> Self {
        Self::steered_for(Goal::All)
    }

    /// The same for a task.
    pub(crate) fn steered_task() -> Self {
        let feature = FeatureId::task(1);
        Self::steered_for(Goal::Task { feature })
    }

    fn steered_for(goal: Goal) -> Self {
        let mut script = Self::closed(goal, 1, vec![facts::gate("test")], |run| {
            run.steered = true;
        });
        script.opens(1);
        script.base_is_green();
        script
    }

    pub(crate) fn feature(number: u32) -> FeatureId {
        FeatureId::new(format!("F-{number:03}")).unwrap()
    }

    pub(crate) const fn id(turn: u32, index: u32) -> CallId {
        CallId {
            turn: TurnNumber(turn),
            index,
        }
    }

    /// Hands an event in and returns everything that follows, records included.
    pub(crate) fn on(&mut self, event: &Event) -> String {
        let effects = self.handle(event);
        self.follow(effects, true).join("; ")
    }

    /// Hands an event in; the process dies before the record that follows is logged.
    pub(crate) fn on_unrecorded(&mut self, event: &Event) {
        let effects = self.handle(event);
        self.follow(effects, false);
    }

    /// Opens the session that was asked for.
    pub(crate) fn opens(&mut self, session: u32) -> String {
        let run = self.engine.run();
        let taken = |id: &FeatureId| run.given_up.iter().any(|given_up| given_up.feature == *id);
        let open = |feature: &&Feature| feature.status.is_open() && !taken(&feature.id);
        let feature = run.features.iter().find(open).cloned().unwrap();
        let start = run.work_start.clone().unwrap_or_else(|| facts::tree(1));
        self.log.clear();
        let opened = facts::opened(session, &run, &feature, start);
        self.on(&Event::SessionOpened(Box::new(opened)))
    }

    /// The process dies and another takes the session up.
    pub(crate) fn crashes(&mut self) -> String {
        self.engine = Engine::fold(self.log.iter().cloned()).unwrap();
        let steered = self.engine.run().steered;
        self.resume(false, steered)
    }

    /// The process dies; the next one has nobody who talks to the agent.
    pub(crate) fn crashes_and_is_not_steered(&mut self) -> String {
        self.engine = Engine::fold(self.log.iter().cloned()).unwrap();
        self.resume(false, false)
    }

    /// The process dies; a person is there when the next one takes the session up.
    pub(crate) fn crashes_attended(&mut self) -> String {
        self.engine = Engine::fold(self.log.iter().cloned()).unwrap();
        self.resume(true, false)
    }

    /// An event is logged and the process dies before anything follows from it.
    pub(crate) fn dies_with(&mut self, event: &Event) {
        self.log.push((event.clone(), self.now));
    }

    /// The process dies with this in the log and nothing behind it; another folds it.
    pub(crate) fn dies_once(&mut self, is_last: impl Fn(&Event) -> bool) {
        let mut logged = self.log.iter();
        let last = logged.rposition(|(event, _)| is_last(event)).unwrap();
        self.log.truncate(last + 1);
        self.engine = Engine::fold(self.log.iter().cloned()).unwrap();
    }

    /// Returns what was proposed last.
    pub(crate) fn proposed(&self) -> &Proposal {
        let mut newest_first = self.log.iter().rev();
        let found = newest_first.find_map(|(event, _)| match event {
            Event::FeaturesProposed { proposal, .. } => Some(&**proposal),
            _ => None,
        });
        found.unwrap()
    }

    pub(crate) fn resumes_attended(&mut self) {
        self.resume(true, false);
    }

    /// The person says something for the next turn.
    pub(crate) fn hears(&mut self, text: &str) -> String {
        self.hears_with(text, Urgency::NextTurn)
    }

    /// The person says something that cannot wait.
    pub(crate) fn hears_now(&mut self, text: &str) -> String {
        self.hears_with(text, Urgency::Now)
    }

    fn hears_with(&mut self, text: &str, urgency: Urgency) -> String {
        let text = text.to_owned();
        self.on(&Event::PersonSaid { text, urgency })
    }

    /// The person takes something back.
    pub(crate) fn forgets(&mut self, text: &str) -> String {
        let text = text.to_owned();
        self.on(&Event::PersonTookBack { text })
    }

    /// The request in flight ends as cancelled.
    pub(crate) fn is_cancelled(&mut self) -> String {
        self.fails(FailureClass::Cancelled, None)
    }

    pub(crate) fn says(&mut self, text: &str) -> String {
        let part = AssistantPart::Text {
            text: text.to_owned(),
        };
        self.responds(vec![part], StopReason::EndTurn)
    }

    pub(crate) fn calls(&mut self, calls: &[(&str, &str)]) -> String {
        let turn = self.turn;
        let part = |(index, (tool, arguments)): (usize, &(&str, &str))| {
            facts::call(&format!("{turn}-{index}"), tool, arguments)
        };
        self.responds(
            calls.iter().enumerate().map(part).collect(),
            StopReason::ToolUse,
        )
    }

    pub(crate) fn responds(&mut self, parts: Vec<AssistantPart>, stop: StopReason) -> String {
        let response = self.response(parts, stop);
        self.on(&response)
    }

    /// The agent stops and the process dies before anything that follows is logged.
    pub(crate) fn dies_after_saying(&mut self, text: &str) {
        let part = AssistantPart::Text {
            text: text.to_owned(),
        };
        let response = self.response(vec![part], StopReason::EndTurn);
        self.on_unrecorded(&response);
    }

    fn response(&self, parts: Vec<AssistantPart>, stop: StopReason) -> Event {
        let response = ModelResponse {
            parts,
            stop,
            usage: Usage::default(),
        };
        Event::ModelResponded(ModelResponded {
            turn: self.turn,
            response,
            cost: self.cost,
            ms: 5,
        })
    }

    pub(crate) fn fails(&mut self, class: FailureClass, retry_after_ms: Option<u64>) -> String {
        let failure = ModelFailure {
            class,
            message: "no".to_owned(),
            status: None,
            retry_after_ms,
        };
        self.on(&Event::ModelFailed {
            turn: self.turn,
            failure,
            spent: None,
        })
    }

    pub(crate) fn ends(&mut self, turn: u32, index: u32, end: CallEnd) -> String {
        self.on(&Event::CallEnded {
            call: Self::id(turn, index),
            end,
            ms: 1,
        })
    }

    pub(crate) fn written(&self) -> CallEnd {
        let outcome = Outcome::Written {
            created: false,
            added: 1,
            removed: 0,
            inexact: None,
        };
        CallEnd::Done { outcome }
    }

    /// Writes a file in one turn; the checkpoint after it has this tree.
    pub(crate) fn saves_changed_work(&mut self, tree: u64) {
        let turn = self.turn.0;
        self.calls(&[("write", r#"{"path":"src/a.rs","content":"1"}"#)]);
        let written = self.written();
        self.ends(turn, 0, written);
        self.on(&Event::CheckpointSaved(CheckpointSaved {
            number: CheckpointNumber(1),
            commit: facts::commit(50),
            tree: facts::tree(tree),
            changes: Vec::new(),
            ms: 1,
        }));
    }

    pub(crate) fn base_is_green(&mut self) -> String {
        let mut follows = String::new();
        for gate in self.gates.clone() {
            let report = facts::report(&gate, CheckStatus::Green);
            follows.push_str(&self.on(&Event::BaselineEnded {
                report: Box::new(report),
                cached: false,
            }));
        }
        follows
    }

    pub(crate) fn checks(&mut self, name: &str, status: CheckStatus) -> String {
        let report = facts::report(&facts::gate(name), status);
        self.on(&Event::CheckEnded {
            report: Box::new(report),
        })
    }

    /// Returns the text of the last prompt's messages.
    pub(crate) fn prompt(&self) -> String {
        format!("{:?}", self.prompt.as_ref().unwrap().messages)
    }

    pub(crate) fn messages(&self) -> usize {
        self.prompt.as_ref().unwrap().messages.len()
    }

    /// Returns how often a text stands in the last prompt.
    pub(crate) fn told(&self, text: &str) -> usize {
        self.prompt().matches(text).count()
    }

    /// Returns what the last stop, giving up or end says.
    pub(crate) fn detail(&self) -> String {
        let detail = |(event, _): &(Event, Timestamp)| match event {
            Event::RunEnded { detail, .. } => Some(detail.clone()),
            _ => None,
        };
        self.log.iter().rev().find_map(detail).unwrap()
    }

    /// Returns the last judgement.
    pub(crate) fn judged(&self) -> (Option<Action>, String) {
        let judged = |(event, _): &(Event, Timestamp)| match event {
            Event::CallJudged {
                action, verdict, ..
            } => Some((action.clone(), verdict.reason.clone())),
            _ => None,
        };
        self.log.iter().rev().find_map(judged).unwrap()
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.engine.run().attempts
    }

    fn resume(&mut self, attended: bool, steered: bool) -> String {
        let run = self.engine.run();
        let limits = run.policy.limits;
        self.on(&Event::SessionResumed {
            attended,
            model: Box::new(run.model),
            limits: Box::new(limits),
            steered,
            fallback: run.fallback,
            roles: Box::new(run.roles),
            answers: Vec::new(),
            found: Box::default(),
        })
    }

    fn handle(&mut self, event: &Event) -> Vec<Effect> {
        self.log.push((event.clone(), self.now));
        self.engine.handle(event, self.now)
    }

    fn follow(&mut self, effects: Vec<Effect>, recording: bool) -> Vec<String> {
        let mut words = Vec::new();
        for effect in effects {
            match effect {
                Effect::Record(mut event) if recording => {
                    if let (Event::QuestionAsked { id, .. }, true) =
                        (&mut event, self.names_questions)
                    {
                        *id = Some(QuestionId::new(1));
                    }
                    words.extend(recorded(&event));
                    let next = self.handle(&event);
                    words.extend(self.follow(next, true));
                }
                effect => words.extend(self.asked(effect)),
            }
        }
        words
    }

    fn asked(&mut self, effect: Effect) -> Option<String> {
        self.hears_effect(&effect);
        Some(match effect {
            Effect::Record(_) => return None,
            Effect::OpenSession(open) => format!("open {}", open.feature.id),
            Effect::RequestModel { turn, prompt } => {
                self.turn = turn;
                self.prompt = Some(prompt);
                format!("request {turn}")
            }
            Effect::CancelModel => "cancel model".to_owned(),
            Effect::Perform { call, .. } => format!("perform {}", short(call)),
            Effect::PerformApproved { call, .. } => format!("perform approved {}", short(call)),
            Effect::AskApproval(asked) => format!("ask approval {}", short(asked.call)),
            Effect::CancelWork => "cancel work".to_owned(),
            Effect::TendJob { job, stop, .. } => {
                let verb = if stop { "stop" } else { "read" };
                format!("{verb} job {}", short(job))
            }
            Effect::StopJobs { jobs } => {
                let jobs: Vec<String> = jobs.into_iter().map(short).collect();
                format!("stop jobs {}", jobs.join(" "))
            }
            Effect::AskPerson { question, .. } => format!("ask {question}"),
            Effect::SaveCheckpoint { number } => format!("save {number}"),
            Effect::RunBaseline { gates } => {
                let names: Vec<&str> = gates.iter().map(|gate| gate.name.as_str()).collect();
                format!("baseline {}", names.join(" "))
            }
            Effect::FreezeCandidate => "freeze".to_owned(),
            Effect::RunGate(run) => format!("gate {}", run.gate.name),
            Effect::CommitFeature(commit) => format!("commit {}", commit.feature.id),
            Effect::RunNegativeControl(_) => "negative control".to_owned(),
            Effect::KeepProposal { call, .. } => format!("keep {}", short(call)),
            Effect::SettleProposal(settle) => format!("settle {}", short(settle.call)),
            Effect::SetAside => "set aside".to_owned(),
            Effect::HandOver(write) if write.prompt.is_some() => "hand over, asked".to_owned(),
            Effect::HandOver(_) => "hand over".to_owned(),
            Effect::AskBeside(ask) => {
                let words = format!("ask {} {}", ask.conversation, ask.turn);
                self.beside = Some(*ask);
                words
            }
            Effect::PerformBeside {
                call,
                tree: Some(tree),
                ..
            } => {
                let tree = tree.to_string();
                format!("look {} in {}", short(call), tree.trim_start_matches('0'))
            }
            Effect::PerformBeside { call, .. } => format!("look {}", short(call)),
            Effect::ShowChange { .. } => "show change".to_owned(),
            Effect::BringBack(work) => format!("bring back {}", work.feature),
            Effect::Rewind(files) => format!("files back to turn {}", files.turn),
            Effect::TurnDown(rejections) => format!("turn down {}", rejections.len()),
        })
    }
}

/// Fixes a candidate of this tree, with one changed file.
pub(crate) fn frozen(tree: u64, findings: Vec<Finding>) -> Event {
    let change = Change {
        path: facts::path("src/a.rs"),
        kind: ChangeKind::Modified,
    };
    frozen_with(tree, vec![change], findings)
}

/// Fixes a candidate that is the base.
pub(crate) fn frozen_unchanged(tree: u64) -> Event {
    frozen_with(tree, Vec::new(), Vec::new())
}

fn frozen_with(tree: u64, changes: Vec<Change>, findings: Vec<Finding>) -> Event {
    Event::CandidateFrozen(FinishSubject {
        tree: facts::tree(tree),
        candidate: facts::tree(tree),
        work_tree: facts::tree(tree),
        changes,
        findings,
        regressions: Vec::new(),
    })
}

/// Commits a feature; the commit and its trees have one number.
pub(crate) fn passed(feature: &str, number: u64) -> Event {
    Event::FeaturePassed(FeaturePassed {
        feature: FeatureId::new(feature).unwrap(),
        commit: facts::commit(number),
        tree: facts::tree(number),
        work_tree: facts::tree(number),
        evidence: None,
        brought: None,
    })
}

/// Words a record; what an effect says right after is left out.
fn recorded(event: &Event) -> Option<String> {
    Some(match event {
        Event::TurnStarted { .. } | Event::GateStarted { .. } => return None,
        Event::SessionEnded { .. } => "session ended".to_owned(),
        Event::RunEnded { reason, .. } => format!("run ended {reason}"),
        Event::CallJudged { call, verdict, .. } => format!("{} {}", verdict.decision, short(*call)),
        Event::CallEnded { call, end, .. } => format!("ended {} {}", short(*call), how(end)),
        Event::ProviderRetried {
            attempt, delay_ms, ..
        } => format!("retry {attempt} in {delay_ms} ms"),
        Event::RequestPaced {
            limit, delay_ms, ..
        } => format!("paced by {} for {delay_ms} ms", limit.as_str()),
        Event::ModelChanged { from, model, .. } => format!("{from} gives way to {}", model.name),
        Event::NoteTaken { .. } => "note taken".to_owned(),
        Event::PlanSet(_) => "plan set".to_owned(),
        Event::WindowCut(cut) => format!("window cut by {}", cut.dropped.len()),
        Event::WindowFull(full) => format!("window full {}", full.number),
        Event::QuestionAsked { .. } => "question asked".to_owned(),
        Event::ApprovalAsked(_) => "approval asked".to_owned(),
        Event::FeaturesProposed { .. } => "features proposed".to_owned(),
        Event::FeatureAmended { .. } => "amended".to_owned(),
        Event::JobEnded {
            call,
            end: harness_core::JobEnd::Lost,
            ..
        } => format!("job {} lost", short(*call)),
        Event::PersonAwaited => "person awaited".to_owned(),
        Event::Nudged { .. } => "nudged".to_owned(),
        Event::FinishRequested { .. } => "finish requested".to_owned(),
        Event::GateEnded { status, .. } => format!("gate ended {status}"),
        Event::FinishRefused { .. } => "finish refused".to_owned(),
        Event::FeatureStatusChanged { to, .. } => format!("status {to}"),
        Event::FeatureGivenUp { reason, .. } => format!("given up {reason}"),
        Event::StopDecided { reason, .. } => format!("stop {reason}"),
        Event::BudgetWarned { limit, .. } => match limit {
            Some(limit) => format!("warned {limit}"),
            None => "warned".to_owned(),
        },
        Event::Beside(told) => return happened(&told.happened),
        Event::Reviewed(review) => format!("reviewed {}", review.verdict.as_str()),
        other => format!("{other:?}"),
    })
}

/// Words a record of a conversation beside the main one.
fn happened(happened: &Happened) -> Option<String> {
    Some(match happened {
        Happened::Started { .. } => "beside started".to_owned(),
        Happened::Retried { attempt, .. } => format!("retry {attempt} beside"),
        Happened::Paced { .. } => "paced beside".to_owned(),
        Happened::CallJudged { call, verdict, .. } => {
            format!("{} beside {}", verdict.decision, short(*call))
        }
        Happened::CallEnded { call, end, .. } => {
            format!("ended beside {} {}", short(*call), how(end))
        }
        Happened::Corrected { .. } => "corrected".to_owned(),
        Happened::Ended { end, .. } => match end {
            BesideEnd::Answered { .. } => "beside answered".to_owned(),
            BesideEnd::Failed { .. } => "beside failed".to_owned(),
            BesideEnd::Cancelled => "beside cancelled".to_owned(),
        },
        _ => return None,
    })
}

const fn how(end: &CallEnd) -> &'static str {
    match end {
        CallEnd::Done { .. } => "done",
        CallEnd::Answered { .. } => "answered",
        CallEnd::Refused { .. } => "refused",
        CallEnd::Failed { .. } => "failed",
        CallEnd::Cancelled => "cancelled",
        CallEnd::Lost => "lost",
    }
}

fn short(call: CallId) -> String {
    format!("{}.{}", call.turn, call.index)
}
