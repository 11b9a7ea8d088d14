//! Which line an event comes to.

use harness_core::{
    Action, Brought, CallEnd, CheckReport, CheckStatus, Decision, EndReason, Event, FeatureStatus,
    Money, NetworkUse, Outcome, Stop,
};

use super::{
    JsonLine, JsonLines, Tests, approval, beside, control, counts::cache_rate, job, plan, role,
    setup, steering, window,
};

impl JsonLines {
    pub(super) fn say(&self, event: &Event) -> Option<JsonLine> {
        Some(match event {
            Event::SessionOpened(opened) => JsonLine::SessionStarted {
                agent: "builtin".to_owned(),
                model: opened.run.model.name.clone(),
                effort: opened.run.model.effort.map(|effort| effort.to_string()),
                roles: role::of(&opened.run.roles),
                recorded: opened.run.model.recorded,
                level: opened.level.to_string(),
                run: opened.run.run.to_string(),
                branch: opened.branch.clone(),
                feature: opened.feature.to_string(),
            },
            Event::SessionEnded { reason } => JsonLine::SessionEnded {
                reason: reason.clone(),
                usage: self.of_session.usage.into(),
                cache_rate: cache_rate(self.of_session.usage),
                usd: self.of_session.cost().map(Money::as_usd),
            },
            Event::RunEnded { reason, detail } => JsonLine::RunEnded {
                reason: reason.to_string(),
                exit_code: reason.exit_code(),
                detail: detail.clone(),
                usd: self.of_run.cost().map(Money::as_usd),
            },
            Event::PersonSaid { text, .. } => JsonLine::PersonSaid { text: text.clone() },
            Event::PersonTookBack { text } => JsonLine::PersonTookBack { text: text.clone() },
            Event::PersonAwaited => {
                steering::needed("the agent has stopped: say how to go on".to_owned())
            }
            Event::TurnStarted { turn } => JsonLine::TurnStarted { turn: turn.0 },
            Event::ModelResponded(responded) => JsonLine::ModelResponded {
                turn: responded.turn.0,
                usage: responded.response.usage.into(),
                usd: responded.cost.map(Money::as_usd),
                usd_total: self.of_run.cost().map(Money::as_usd),
                ms: responded.ms,
                text: responded.response.text(),
            },
            Event::ModelFailed {
                turn,
                failure,
                spent,
            } => JsonLine::ModelFailed {
                turn: turn.0,
                message: failure.message.clone(),
                status: failure.status,
                class: failure.class.as_str().to_owned(),
                usd: spent.and_then(|spent| spent.cost).map(Money::as_usd),
                estimated: spent.is_some_and(|spent| spent.estimated),
            },
            Event::ModelChanged {
                from,
                model,
                reason,
            } => JsonLine::ModelChanged {
                from: from.clone(),
                to: model.name.clone(),
                reason: reason.clone(),
            },
            Event::ProviderRetried {
                attempt,
                delay_ms,
                reason,
                ..
            } => JsonLine::ProviderRetried {
                attempt: *attempt,
                delay_ms: *delay_ms,
                reason: reason.clone(),
            },
            Event::RequestPaced {
                delay_ms,
                limit,
                until,
                ..
            } => JsonLine::RequestPaced {
                delay_ms: *delay_ms,
                limit: limit.as_str().to_owned(),
                until: until.to_string(),
                reason: crate::phrase::held_for(*delay_ms, *limit, *until),
            },
            Event::CallJudged {
                call,
                tool,
                action,
                verdict,
            } => {
                let command = match action {
                    Some(Action::Run { command, .. }) => Some(command.clone()),
                    _ => None,
                };
                JsonLine::ToolCalled {
                    id: call.to_string(),
                    tool: tool.clone(),
                    action: action.as_ref().map(|action| kind(action).to_owned()),
                    path: action.as_ref().map(|action| action.path().to_string()),
                    to: action.as_ref().and_then(moved_to),
                    command,
                    verdict: verdict.decision.to_string(),
                    reason: if verdict.decision == Decision::Allow {
                        String::new()
                    } else {
                        verdict.reason.clone()
                    },
                }
            }
            Event::CallEnded { call, end, ms } => {
                let (ok, bytes) = result(end);
                JsonLine::ToolReturned {
                    id: call.to_string(),
                    ok,
                    ms: *ms,
                    bytes,
                }
            }
            Event::DocumentLoaded {
                path,
                tokens,
                problem,
                ..
            } => JsonLine::DocumentLoaded {
                path: path.to_string(),
                tokens: tokens.0,
                problem: problem.clone(),
            },
            Event::NoteTaken { text } => JsonLine::NoteTaken { text: text.clone() },
            Event::QuestionAsked { question, id, .. } => steering::asked(question, *id),
            Event::QuestionAnswered { answer, .. } => JsonLine::PersonSaid {
                text: answer.clone(),
            },
            Event::Nudged { text } => JsonLine::Nudged { text: text.clone() },
            Event::CheckpointSaved(saved) => JsonLine::CheckpointCreated {
                n: saved.number.0,
                commit: saved.commit.to_string(),
                files: saved
                    .changes
                    .iter()
                    .map(|change| change.path.to_string())
                    .collect(),
                ms: saved.ms,
            },
            Event::StrayUndone {
                path,
                message,
                why,
                restored,
                quarantine,
            } => JsonLine::StrayUndone {
                path: path.to_string(),
                message: message.clone(),
                why: why.clone(),
                restored: *restored,
                quarantine: quarantine.clone(),
            },
            Event::ChangedOutside { paths, more } => JsonLine::ChangedOutside {
                paths: paths.iter().map(ToString::to_string).collect(),
                more: *more,
            },
            Event::BaselineEnded { report, cached } => JsonLine::BaselineEnded {
                gate: report.gate.clone(),
                status: report.status.to_string(),
                tests: report.tests.map(Tests::from),
                cached: *cached,
            },
            Event::FinishRequested { summary, .. } => JsonLine::FinishRequested {
                summary: summary.clone(),
            },
            Event::FinishRefused { reason, findings } => JsonLine::FinishRefused {
                reason: reason.clone(),
                findings: approval::findings(findings),
            },
            Event::GateStarted { gate } => JsonLine::GateStarted { gate: gate.clone() },
            Event::CheckEnded { report } => check_ended(report),
            Event::GateEnded { gate, status } => JsonLine::GateEnded {
                gate: gate.clone(),
                status: CheckStatus::to_string(status),
            },
            Event::NegativeControlEnded { control } => control::line(control),
            Event::FeaturePassed(passed) => JsonLine::FeaturePassed {
                feature: passed.feature.to_string(),
                commit: passed.commit.to_string(),
                tree: passed.tree.to_string(),
                evidence: passed.evidence.as_ref().map(ToString::to_string),
                head: passed.head().map(ToString::to_string),
                not_landed: match &passed.brought {
                    Some(Brought::Refused { message }) => Some(message.clone()),
                    _ => None,
                },
            },
            Event::FeatureStatusChanged {
                feature,
                from,
                to,
                reason,
            } => JsonLine::FeatureStatus {
                feature: feature.to_string(),
                from: FeatureStatus::to_string(from),
                to: FeatureStatus::to_string(to),
                reason: reason.clone(),
            },
            // A limit leaves a feature for later, which its new status says.
            Event::FeatureGivenUp {
                reason: EndReason::Budget | EndReason::Limit,
                ..
            } => return None,
            Event::FeatureGivenUp { detail, .. } => steering::needed(detail.clone()),
            Event::WorkSetAside { files, message, .. } => JsonLine::WorkSetAside {
                files: *files,
                message: message.clone(),
            },
            Event::NetworkUsed(used) => network_used(used),
            Event::Formatted(formatted) => JsonLine::of_format(formatted),
            Event::SetupStarted { .. } | Event::SetupEnded { .. } => return setup::line(event),
            Event::JobStarted { .. } | Event::JobEnded { .. } => return job::line(event),
            Event::FeaturesProposed { .. }
            | Event::ProposalKept { .. }
            | Event::ProposalSettled(_) => return plan::line(event),
            Event::SessionResumed { .. }
            | Event::Forked(_)
            | Event::QuestionPutOff { .. }
            | Event::AnswerTaken(_)
            | Event::WorkBroughtBack { .. }
            | Event::RewindAsked { .. }
            | Event::Rewound(_)
            | Event::RewindRefused { .. }
            | Event::ReviewChanged(_)
            | Event::TurnedDown(_)
            | Event::CommentAnswered(_) => return steering::line(event),
            Event::ApprovalAsked(asked) => approval::asked(asked),
            Event::ApprovalAnswered { call, answer } => approval::answered(*call, answer),
            Event::FeatureAmended { amendment, .. } => approval::amended(amendment),
            Event::FindingsApproved {
                feature,
                findings,
                how,
            } => JsonLine::FindingsApproved {
                feature: feature.to_string(),
                findings: approval::findings(findings),
                how: how.as_str().to_owned(),
            },
            Event::BudgetWarned { what, limit } => JsonLine::BudgetWarned {
                what: what.clone(),
                limit: limit.map(|limit| limit.to_string()),
            },
            Event::HandedOver(note) => JsonLine::HandedOver {
                feature: note.feature.to_string(),
                by_model: note.by_model,
                note: note.note.clone(),
                problem: note.problem.clone(),
                usd: note.spent.and_then(|spent| spent.cost).map(Money::as_usd),
            },
            Event::Beside(told) => return beside::line(told),
            Event::Reviewed(review) => beside::reviewed(review),
            Event::PlanSet(set) => window::plan(set),
            Event::WindowCut(cut) => window::cut(cut),
            Event::WindowFull(full) => window::full(full),
            Event::StopDecided { reason, detail } => JsonLine::Stopping {
                reason: reason.to_string(),
                detail: detail.clone(),
            },
            Event::StopRequested | Event::Interrupted => JsonLine::Stopping {
                reason: "interrupted".to_owned(),
                detail: String::new(),
            },
            Event::CheckpointFailed { message }
            | Event::BaselineFailed { message }
            | Event::CandidateFailed { message }
            | Event::CommitFailed { message, .. }
            | Event::ManifestShort { message }
            | Event::OpenFailed { message } => JsonLine::Problem {
                message: message.clone(),
            },
            Event::RetryDue { .. }
            | Event::AllowanceTold { .. }
            | Event::ClaimTaken
            | Event::LinkMet { .. }
            | Event::CheckpointUnchanged
            | Event::ChangeShown(_)
            | Event::CandidateFrozen(_) => return None,
        })
    }
}

fn network_used(used: &NetworkUse) -> JsonLine {
    JsonLine::NetworkUsed {
        host: used.host.clone(),
        port: used.port,
        allowed: used.allowed,
        reason: used.reason.clone(),
        sent: used.sent.0,
        received: used.received.0,
        ms: used.ms,
    }
}

fn check_ended(report: &CheckReport) -> JsonLine {
    JsonLine::CheckEnded {
        gate: report.gate.clone(),
        check: report.argv.join(" "),
        status: report.status.to_string(),
        exit_code: match report.stop {
            Some(Stop::Exited(code)) => Some(code),
            _ => None,
        },
        ms: report.ms,
        tests: report.tests.map(Tests::from),
        reason: report.reason.clone(),
        retried: report.retried,
    }
}

fn moved_to(action: &Action) -> Option<String> {
    match action {
        Action::Move { to, .. } => Some(to.to_string()),
        _ => None,
    }
}

const fn kind(action: &Action) -> &'static str {
    match action {
        Action::Read { .. } => "read",
        Action::List { .. } => "list",
        Action::Search { .. } => "search",
        Action::Write { .. } => "write",
        Action::Edit { .. } => "edit",
        Action::Run { .. } => "run",
        Action::Move { .. } => "move",
        Action::Delete { .. } => "delete",
    }
}

pub(super) fn result(end: &CallEnd) -> (bool, u64) {
    match end {
        CallEnd::Done {
            outcome: Outcome::Text { text, .. },
        } => (true, text.len() as u64),
        CallEnd::Done {
            outcome: Outcome::Written { .. } | Outcome::Moved | Outcome::Deleted { .. },
        } => (true, 0),
        CallEnd::Done {
            outcome: Outcome::Exited { stop, output, .. },
        } => (*stop == Stop::Exited(0), output.bytes),
        CallEnd::Done {
            outcome: Outcome::Image(image),
        } => (true, image.size().0),
        CallEnd::Answered { text, is_error } => (!is_error, text.len() as u64),
        CallEnd::Done {
            outcome: Outcome::Refused { .. },
        }
        | CallEnd::Refused { .. }
        | CallEnd::Failed { .. }
        | CallEnd::Cancelled
        | CallEnd::Lost => (false, 0),
    }
}
