//! The one source of phrases: what is said about each event, and who says it.

mod agent;
mod approval;
mod beside;
mod control;
mod fallback;
mod format;
mod given_up;
mod hand_over;
mod job;
mod line;
mod loaded;
mod pacing;
mod plan;
mod saved;
mod setup;
mod shown;
mod spent;
mod steering;
mod stray;
mod taken_up;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use harness_core::{
    Action, AssistantPart, CallEnd, CallId, CheckReport, CheckStatus, Decision, Event,
    ModelResponded, NetworkUse, Outcome, SessionOpened, Stop, Timestamp, Verdict,
};

use crate::{
    clean::{clean, clean_line},
    planned::Planned,
};

pub use line::{Line, Who};
pub use pacing::held_for;

/// How much of a failing check is shown. Unit: lines.
const EXCERPT_LINES: usize = 12;
/// How much of a failed command's end is shown. Unit: lines.
const FAILED_LINES: usize = 4;
/// How much of a command or an argument is shown. Unit: characters.
const ARGUMENT_CHARS: usize = 120;

/// Says what there is to say about events, in order.
#[derive(Debug, Default)]
pub struct Phrases {
    actions: BTreeMap<CallId, (String, Option<Action>)>,
    passing: usize,
    features: usize,
    /// What a planning run has come to, in the place of these.
    planned: Option<Planned>,
    ledger: spent::Ledger,
    /// What was said about hosts: the same is not said again.
    hosts: BTreeSet<String>,
    worker: approval::Worker,
}

impl Phrases {
    /// Makes phrases that also say what each model request has used.
    pub fn detailed() -> Self {
        let mut phrases = Self::default();
        phrases.ledger.tell_all();
        phrases
    }

    /// Says when the events that follow happened; without it nothing is said about time.
    pub const fn at(&mut self, time: Timestamp) {
        self.ledger.set_time(time);
    }

    /// Says what there is to say about one event: nothing for most.
    pub fn say(&mut self, event: &Event) -> Vec<Line> {
        let around = self.ledger.take(event);
        if let Some(planned) = &mut self.planned {
            planned.hear(event);
        }
        let words = self.words(event);
        let lines = around.before.into_iter().chain(words);
        lines.chain(around.after).collect()
    }

    fn words(&mut self, event: &Event) -> Vec<Line> {
        match event {
            Event::SessionOpened(opened) => self.session_opened(opened),
            Event::SessionEnded { .. } => Vec::new(),
            Event::RunEnded { reason, detail } => self.run_ended(*reason, detail),
            Event::PersonSaid { text, .. } => vec![paragraph(Who::You, text)],
            Event::PersonTookBack { text } => one(
                Who::You,
                format!("took back: {}", clean_line(text, ARGUMENT_CHARS)),
            ),
            Event::PersonAwaited => one(Who::Ask, "the agent has stopped: say how to go on"),
            Event::ClaimTaken => one(Who::You, "let the gates decide"),
            Event::StopRequested => one(Who::You, "stop after the step in hand"),
            Event::Interrupted => one(Who::You, "stop"),
            Event::TurnStarted { .. } | Event::RetryDue { .. } | Event::AllowanceTold { .. } => {
                Vec::new()
            }
            Event::ModelResponded(responded) => said(responded),
            Event::ModelFailed { failure, .. } if failure.class.is_retryable() => Vec::new(),
            Event::ModelFailed { failure, .. } => vec![given_up::request(failure)],
            Event::HandedOver(note) => hand_over::handed_over(note),
            Event::PlanSet(set) => vec![window::plan(set)],
            Event::WindowCut(cut) => vec![window::cut(cut)],
            Event::WindowFull(full) => vec![window::full(full)],
            Event::ModelChanged {
                from,
                model,
                reason,
            } => vec![fallback::changed(from, model, reason)],
            Event::ProviderRetried { .. } | Event::RequestPaced { .. } => {
                pacing::waiting(event).into_iter().collect()
            }
            Event::CallJudged {
                call,
                tool,
                action,
                verdict,
            } => self.call_judged(*call, tool, action.as_ref(), verdict),
            Event::LinkMet { link, target, .. } => one(
                Who::Note,
                format!(
                    "`{}` is a link to `{}`",
                    clean(&link.to_text()),
                    clean(target)
                ),
            ),
            Event::CallEnded { call, end, ms } => self.call_ended(*call, end, *ms),
            Event::DocumentLoaded {
                path,
                tokens,
                text,
                problem,
            } => {
                let (is_map, why) = (text.is_some(), problem.as_deref());
                one(Who::Note, loaded::document(path, *tokens, is_map, why))
            }
            Event::NoteTaken { text } => vec![paragraph(Who::Note, text)],
            Event::QuestionAsked { question, id, .. } => steering::asked(question, *id),
            Event::QuestionAnswered { answer, .. } => vec![paragraph(Who::You, answer)],
            Event::Nudged { text } => one(Who::Harness, clean_line(text, 200)),
            Event::CheckpointSaved(saved) => vec![saved::checkpoint(saved)],
            Event::CheckpointUnchanged => Vec::new(),
            Event::CheckpointFailed { message } => {
                one(Who::Checkpoint, format!("FAILED: {}", clean(message)))
            }
            Event::StrayUndone {
                path,
                message,
                why,
                restored,
                ..
            } => vec![stray::undone(path, why, message, *restored)],
            Event::BaselineEnded { report, cached } => baseline(report, *cached),
            Event::BaselineFailed { message } => one(
                Who::Gate,
                format!("not run on the base: {}", clean(message)),
            ),
            Event::FinishRequested { .. } => vec![self.worker.claims()],
            Event::CandidateFrozen(_) | Event::GateStarted { .. } | Event::GateEnded { .. } => {
                Vec::new()
            }
            Event::CandidateFailed { message } => {
                one(Who::Gate, format!("no candidate: {}", clean(message)))
            }
            Event::CheckEnded { report } => vec![check_ended(report)],
            Event::FinishRefused { reason, findings } => {
                let more = approval::refused(findings, &self.worker);
                vec![
                    Line::new(
                        Who::Feature,
                        format!("not done: {}", clean_line(reason, 300)),
                    )
                    .with(more),
                ]
            }
            Event::NegativeControlEnded { control } => control::lines(control),
            Event::FeaturePassed(passed) => {
                self.passing += 1;
                let evidence = passed
                    .evidence
                    .as_ref()
                    .map(|path| format!(", evidence {}", clean(&path.to_text())));
                let text = format!(
                    "{} committed as {}, tree {}{}",
                    passed.feature,
                    passed.commit.short(),
                    passed.tree.short(),
                    evidence.unwrap_or_default()
                );
                vec![saved::brought(Line::new(Who::Feature, text), passed)]
            }
            Event::CommitFailed { message, .. } => {
                one(Who::Feature, format!("not committed: {}", clean(message)))
            }
            Event::FeatureStatusChanged {
                feature,
                to,
                reason,
                ..
            } => {
                let why = if reason.is_empty() {
                    String::new()
                } else {
                    format!(", {}", clean_line(reason, 300))
                };
                one(Who::Feature, format!("{feature} {to}{why}"))
            }
            Event::FeatureGivenUp { reason, detail } => vec![given_up::feature(*reason, detail)],
            Event::WorkSetAside { files, message, .. } if message.is_empty() => one(
                Who::Checkpoint,
                format!(
                    "{} of the unproven work put aside, kept in the checkpoints",
                    count((*files).into(), "file")
                ),
            ),
            Event::WorkSetAside { message, .. } => one(
                Who::Checkpoint,
                format!("work not put aside: {}", clean(message)),
            ),
            Event::OpenFailed { message } => one(
                Who::Note,
                format!("cannot open a session: {}", clean(message)),
            ),
            Event::NetworkUsed(used) => self.network_used(used),
            Event::ApprovalAsked(asked) => vec![approval::asked(asked)],
            Event::ApprovalAnswered { answer, .. } => vec![approval::answered(answer)],
            Event::FeatureAmended { amendment, .. } => vec![approval::amended(amendment)],
            Event::FindingsApproved {
                feature,
                findings,
                how,
            } => vec![approval::findings_approved(feature, findings, *how)],
            Event::SetupStarted { .. } | Event::SetupEnded { .. } => setup::lines(event),
            Event::Formatted(formatted) => format::lines(formatted),
            Event::JobStarted { .. } | Event::JobEnded { .. } => job::lines(event),
            Event::FeaturesProposed { .. }
            | Event::ProposalKept { .. }
            | Event::ProposalSettled(_) => plan::lines(event),
            Event::SessionResumed { found, answers, .. } => taken_up::resumed(found, answers),
            Event::Forked(forked) => vec![taken_up::forked(forked)],
            Event::QuestionPutOff { .. }
            | Event::AnswerTaken(_)
            | Event::WorkBroughtBack { .. }
            | Event::RewindAsked { .. }
            | Event::Rewound(_)
            | Event::RewindRefused { .. }
            | Event::ReviewChanged(_)
            | Event::TurnedDown(_)
            | Event::CommentAnswered(_) => steering::lines(event),
            Event::BudgetWarned { what, .. } => {
                one(Who::Note, format!("limit near: {}", clean(what)))
            }
            Event::StopDecided { reason, detail } => one(
                Who::Note,
                format!("stopping ({reason}): {}", clean_line(detail, 400)),
            ),
            Event::ChangedOutside { paths, more } => vec![stray::changed_outside(paths, *more)],
            Event::Beside(_) | Event::ChangeShown(_) | Event::Reviewed(_) => beside::lines(event),
            Event::ManifestShort { message } => one(
                Who::Guard,
                format!("not all is watched: {}", clean(message)),
            ),
        }
    }

    fn session_opened(&mut self, opened: &SessionOpened) -> Vec<Line> {
        let run = &opened.run;
        self.actions.clear();
        self.worker = approval::Worker::of(opened);
        self.planned = Planned::opened(opened, self.planned.take());
        self.features = run.features.len();
        self.passing = run
            .features
            .iter()
            .filter(|feature| feature.status.is_settled())
            .count();
        let first = format!(
            "{}, repo {}, branch {}, session {}, agent {}, sandbox {}",
            env!("CARGO_PKG_VERSION"),
            clean(&opened.repository),
            clean(&opened.branch),
            opened.session,
            agent::of(&run.model),
            opened.level,
        );
        let feature = run
            .features
            .iter()
            .find(|feature| feature.id == opened.feature);
        let title = feature
            .map(|feature| clean_line(&feature.title, 200))
            .unwrap_or_default();
        vec![
            Line::new(Who::Harness, first),
            Line::new(Who::Feature, format!("{} {title}", opened.feature)),
        ]
    }

    fn run_ended(&self, reason: harness_core::EndReason, detail: &str) -> Vec<Line> {
        let done = match &self.planned {
            Some(planned) => planned.to_text(),
            None => format!(
                "{} of {} features passing",
                self.passing.min(self.features),
                self.features
            ),
        };
        let text = format!("run ended: {reason}, {done}, {}", self.ledger.of_run());
        let more = detail
            .lines()
            .take(20)
            .map(|line| clean_line(line, 400))
            .filter(|line| !line.is_empty());
        vec![Line::new(Who::Harness, text).with(more)]
    }

    /// A package manager makes dozens of connections to one host: the first stands for all that go as well.
    fn network_used(&mut self, used: &NetworkUse) -> Vec<Line> {
        let host = format!("{}:{}", clean_line(&used.host, ARGUMENT_CHARS), used.port);
        let reason = clean_line(&used.reason, 400);
        let (who, text) = match (used.allowed, reason.is_empty()) {
            (false, _) => (Who::Guard, format!("refused network {host}: {reason}")),
            (true, true) => (Who::Note, format!("network {host} reached")),
            (true, false) => (Who::Note, format!("network {host}: {reason}")),
        };
        if self.hosts.insert(text.clone()) {
            one(who, text)
        } else {
            Vec::new()
        }
    }

    fn call_judged(
        &mut self,
        call: CallId,
        tool: &str,
        action: Option<&Action>,
        verdict: &Verdict,
    ) -> Vec<Line> {
        self.actions
            .insert(call, (clean_line(tool, 40), action.cloned()));
        match verdict.decision {
            Decision::Allow => Vec::new(),
            // What is asked follows with the approval itself.
            Decision::Ask => Vec::new(),
            Decision::Deny => {
                let reason = clean_line(&verdict.reason, 400);
                // The guard's reason begins with what was attempted.
                let what = if action.is_some() {
                    String::new()
                } else {
                    format!("{}: ", clean_line(tool, 40))
                };
                one(Who::Guard, format!("refused {what}{reason}"))
            }
        }
    }

    fn call_ended(&mut self, call: CallId, end: &CallEnd, ms: u64) -> Vec<Line> {
        let Some((tool, action)) = self.actions.remove(&call) else {
            return Vec::new();
        };
        let what = action.as_ref().map_or(tool, describe);
        match end {
            CallEnd::Done { outcome } => {
                let line = Line::new(Who::Tool, format!("{what}{}", outcome_words(outcome, ms)));
                vec![line.with(failed_end(outcome))]
            }
            CallEnd::Answered { .. } | CallEnd::Refused { .. } => Vec::new(),
            CallEnd::Failed { message } => one(
                Who::Tool,
                format!("{what}, FAILED: {}", clean_line(message, 300)),
            ),
            CallEnd::Cancelled => one(Who::Tool, format!("{what}, cancelled")),
            CallEnd::Lost => one(
                Who::Tool,
                format!("{what}, outcome unknown: the harness stopped while it ran"),
            ),
        }
    }
}

fn said(responded: &ModelResponded) -> Vec<Line> {
    let texts = responded.response.parts.iter();
    let texts = texts.filter_map(|part| match part {
        AssistantPart::Text { text } if !text.trim().is_empty() => {
            Some(paragraph(Who::Agent, text))
        }
        _ => None,
    });
    texts.collect()
}

fn one(who: Who, text: impl AsRef<str>) -> Vec<Line> {
    vec![Line::new(who, text)]
}

/// A text of several lines: the first on the line, the others below it.
fn paragraph(who: Who, text: &str) -> Line {
    let cleaned = clean(text.trim());
    let mut lines = cleaned.lines().map(str::to_owned);
    let first = lines.next().unwrap_or_default();
    Line::new(who, first).with(lines)
}

/// Names an action: the tool's word and its object.
fn describe(action: &Action) -> String {
    let path = |path: &harness_core::RepoPath| clean_line(&path.to_string(), ARGUMENT_CHARS);
    match action {
        Action::Read {
            path: file,
            lines: Some(lines),
        } => format!("read {}, lines {}-{}", path(file), lines.first, lines.last),
        Action::Read {
            path: file,
            lines: None,
        } => format!("read {}", path(file)),
        Action::List { path: folder, .. } => format!("list {}", path(folder)),
        Action::Search {
            query,
            path: folder,
            glob,
            ..
        } => {
            format!(
                "search `{}` in {}{}",
                clean_line(query, ARGUMENT_CHARS),
                path(folder),
                shown::files(glob.as_deref())
            )
        }
        Action::Write { path: file, .. } => format!("write {}", path(file)),
        Action::Edit {
            path: file, more, ..
        } => format!("edit {}{}", path(file), shown::places(more.len())),
        Action::Move { path: file, to } => format!("move {} to {}", path(file), path(to)),
        Action::Delete { path: file } => format!("delete {}", path(file)),
        Action::Run { command, cwd, .. } => job::command(action.is_job(), command, cwd),
    }
}

/// Says how much of a command is not shown.
fn hidden(command: &str) -> String {
    let shown = command
        .trim()
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        .min(ARGUMENT_CHARS);
    match command.trim().chars().count().saturating_sub(shown) {
        0 => String::new(),
        more => format!(" and {more} characters more"),
    }
}

fn outcome_words(outcome: &Outcome, ms: u64) -> String {
    match outcome {
        Outcome::Text { lines, cut, .. } => shown::text(*lines, *cut),
        Outcome::Written {
            created,
            added,
            removed,
            inexact,
        } => {
            let new = if *created { ", new" } else { "" };
            let how = inexact
                .as_ref()
                .map(|how| format!(", {}", clean_line(how, 80)))
                .unwrap_or_default();
            format!(
                "{new}, {} added, {removed} removed{how}",
                count(u64::from(*added), "line")
            )
        }
        Outcome::Exited { stop, output, .. } => {
            format!(
                ", {}, {}, {}",
                stop_words(*stop),
                harness_core::ByteCount(output.bytes),
                seconds(ms)
            )
        }
        Outcome::Image(image) => shown::image(image),
        Outcome::Moved => String::new(),
        Outcome::Deleted { removed } => shown::deleted(*removed),
        Outcome::Refused { message } => format!(", not done: {}", clean_line(message, 200)),
    }
}

/// Returns the last lines of a command that did not go well.
fn failed_end(outcome: &Outcome) -> Vec<String> {
    let Outcome::Exited { stop, output, .. } = outcome else {
        return Vec::new();
    };
    if *stop == Stop::Exited(0) {
        return Vec::new();
    }
    let end = if output.tail.is_empty() {
        &output.head
    } else {
        &output.tail
    };
    let mut lines: Vec<String> = end
        .lines()
        .rev()
        .filter(|line| !line.trim().is_empty())
        .take(FAILED_LINES)
        .map(|line| clean_line(line, 200))
        .collect();
    lines.reverse();
    lines
}

fn stop_words(stop: Stop) -> String {
    match stop {
        Stop::Exited(code) => format!("exit {code}"),
        Stop::Signalled(signal) => format!("ended by signal {signal}"),
        Stop::TimedOut => "ended at its time limit".to_owned(),
        Stop::Silent => "ended because it was silent too long".to_owned(),
        Stop::Flooded => "ended because it wrote too much".to_owned(),
        Stop::Cancelled => "cancelled".to_owned(),
        Stop::Crowded => "ended because it had too many processes".to_owned(),
        Stop::TooLarge => "ended because it took too much memory".to_owned(),
    }
}

fn baseline(report: &CheckReport, cached: bool) -> Vec<Line> {
    let kept = if cached { ", kept from before" } else { "" };
    let text = match report.status {
        CheckStatus::Green => format!(
            "{} green on the base{}{kept}",
            clean(&report.gate),
            tests(report)
        ),
        status => format!(
            "{} {status} on the base: {}{kept}",
            clean(&report.gate),
            clean_line(&report.reason, 200)
        ),
    };
    vec![Line::new(Who::Gate, text).with(excerpt(report))]
}

/// Returns the failing part of a check, as far as it is shown.
fn excerpt(report: &CheckReport) -> Vec<String> {
    let lines = report
        .excerpt
        .lines()
        .filter(|line| !line.trim().is_empty());
    lines
        .take(EXCERPT_LINES)
        .map(|line| clean_line(line, 200))
        .collect()
}

fn check_ended(report: &CheckReport) -> Line {
    let gate = clean(&report.gate);
    if report.status == CheckStatus::Green {
        let note = if report.reason.is_empty() {
            String::new()
        } else {
            format!(", {}", clean_line(&report.reason, 200))
        };
        return Line::new(
            Who::Gate,
            format!(
                "{gate} green{}{}{note}, {}",
                again(report),
                tests(report),
                seconds(report.ms)
            ),
        );
    }
    let text = format!(
        "{gate} {}{}: {}, {}",
        word(report.status),
        again(report),
        clean_line(&report.reason, 300),
        seconds(report.ms)
    );
    Line::new(Who::Gate, text).with(excerpt(report))
}

const fn again(report: &CheckReport) -> &'static str {
    if report.retried {
        " on the second run"
    } else {
        ""
    }
}

const fn word(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Green => "green",
        CheckStatus::Red => "failed",
        CheckStatus::Error => "could not run",
        CheckStatus::Timeout => "ran out of time",
    }
}

fn tests(report: &CheckReport) -> String {
    report
        .tests
        .map(|tests| format!(", {}", count(u64::from(tests.run), "test")))
        .unwrap_or_default()
}

fn count(number: u64, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}
