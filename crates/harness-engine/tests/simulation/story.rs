//! What happened in one simulation, for people: kept only when it is looked at again.

use harness_core::{CallEnd, Event};
use harness_engine::Effect;

/// The lines of one simulation.
#[derive(Debug, Default)]
pub(crate) struct Story {
    lines: Option<Vec<String>>,
}

impl Story {
    pub(crate) const fn told() -> Self {
        Self {
            lines: Some(Vec::new()),
        }
    }

    pub(crate) fn event(&mut self, event: &Event) {
        self.add(|| format!("  {}", shown(event)));
    }

    pub(crate) fn effect(&mut self, effect: &Effect) {
        self.add(|| format!("      -> {}", asked(effect)));
    }

    pub(crate) fn add(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(line());
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

fn shown(event: &Event) -> String {
    let text = match event {
        Event::SessionOpened(opened) => {
            format!("SessionOpened {} {}", opened.session, opened.feature)
        }
        Event::SessionResumed {
            attended, steered, ..
        } => format!("SessionResumed attended {attended} steered {steered}"),
        Event::ModelResponded(responded) => {
            let calls: Vec<String> = responded
                .response
                .calls()
                .map(|call| format!("{} {}", call.name, call.arguments))
                .collect();
            format!(
                "ModelResponded {} {:?} {calls:?}",
                responded.turn, responded.response.stop
            )
        }
        Event::CallJudged {
            call,
            action,
            verdict,
            ..
        } => {
            format!("CallJudged {call:?} {:?} {action:?}", verdict.decision)
        }
        Event::CallEnded { call, end, .. } => format!("CallEnded {call:?} {}", how(end)),
        Event::CheckEnded { report } => format!(
            "CheckEnded {} {} {:?}",
            report.gate, report.status, report.stop
        ),
        Event::BaselineEnded { report, .. } => {
            format!("BaselineEnded {} {}", report.gate, report.status)
        }
        Event::Beside(told) => format!("Beside {} {:?}", told.conversation, told.happened),
        other => format!("{other:?}"),
    };
    text.chars().take(260).collect()
}

fn how(end: &CallEnd) -> String {
    format!("{end:?}").chars().take(90).collect()
}

fn asked(effect: &Effect) -> String {
    match effect {
        Effect::Record(_) => "Record".to_owned(),
        Effect::OpenSession(open) => format!("OpenSession {}", open.feature.id),
        Effect::RequestModel { turn, prompt } => {
            format!("RequestModel {turn}, {} messages", prompt.messages.len())
        }
        Effect::Perform { call, permit } => format!("Perform {call:?} {:?}", permit.action()),
        Effect::RunBaseline { gates } => format!("RunBaseline of {}", gates.len()),
        Effect::RunGate(run) => format!("RunGate {} on {}", run.gate.name, run.tree),
        Effect::RunNegativeControl(run) => format!("RunNegativeControl on {}", run.tree),
        Effect::CommitFeature(commit) => format!("CommitFeature {}", commit.feature.id),
        Effect::AskBeside(ask) => format!(
            "AskBeside {} {}, {} messages",
            ask.conversation,
            ask.turn,
            ask.prompt.messages.len()
        ),
        Effect::PerformBeside {
            conversation,
            call,
            permit,
            ..
        } => format!(
            "PerformBeside {conversation} {call:?} {:?}",
            permit.action()
        ),
        other => format!("{other:?}"),
    }
}
