//! `harness doctor MODEL`: one real, minimal request to each model that is named.
//!
//! Says where it is sent before it is sent, and how it went. Asks for a call of a
//! tool that does nothing: an agent whose model calls no tools is none. Sends
//! nothing twice, and prints nothing that a model says.

mod way_out;

use std::time::{Duration, Instant};

use harness_config::{Model, Resolved};
use harness_core::{
    EndReason, FailureClass, Message, ModelFailure, ModelProfile, ModelResponse, Money, Prompt,
    Role, SessionId, StopReason, TokenCount, ToolSpec, UserPart,
};
use harness_host::Cancelled;
use harness_report::usd;
use harness_runner::ModelClient;
use harness_store::SpendLog;
use serde_json::json;
use tokio::{sync::mpsc, time::timeout};

use crate::{
    cli::Common,
    cmd::models,
    compose::config_failure,
    failure::{Failure, USAGE, chain},
    folders::Folders,
    output::Output,
    session::{self, ChosenModel, roles},
};

/// How long one model is waited for in all.
const TIME_MAX: Duration = Duration::from_secs(30);
/// The longest answer asked for; a model that thinks needs some for that.
const OUTPUT_MAX: TokenCount = TokenCount(2_048);
/// About what the question itself has.
const PROMPT_TOKENS: TokenCount = TokenCount(500);
/// Pieces of the answer that wait to be looked at.
const PIECES_MAX: usize = 64;
/// Under which session the spend is noted: none has this number.
const NO_SESSION: SessionId = SessionId::new(0);

/// The tool that is offered.
const TOOL: ToolSpec = ToolSpec {
    name: "ready",
    description: "Reports that tool calls work. Does nothing else.",
    schema: r#"{"type":"object","properties":{"word":{"type":"string","description":"The word yes."}},"required":["word"]}"#,
};

/// What the model is told.
const SYSTEM: &str = "This is a test of the connection. Call the tool that you are offered, once, and say nothing else.";
const QUESTION: &str = "Call `ready` with the word yes.";

/// Asks every model that is named, each once, and returns the exit code of the worst.
pub(super) fn run(common: &Common, names: &[String]) -> Result<u8, Failure> {
    let resolved = models::resolve(common)?;
    let folders = Folders::find()?;
    let mut desk = Desk {
        output: Output::new(common),
        resolved,
        folders,
    };
    let mut codes = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if !names[..at].contains(name) {
            codes.push(desk.examine(name)?);
        }
    }
    Ok(worst(&codes))
}

/// What is wrong with the configuration comes before what is wrong with a server, and that before the rest.
fn worst(codes: &[u8]) -> u8 {
    let first = [USAGE, EndReason::ProviderFailed.exit_code()];
    let first = first.into_iter().find(|code| codes.contains(code));
    first.unwrap_or_else(|| codes.iter().copied().max().unwrap_or(0))
}

struct Desk {
    output: Output,
    resolved: Resolved,
    folders: Folders,
}

/// How a request went.
struct Outcome {
    answer: Result<ModelResponse, ModelFailure>,
    /// Until the first piece of the answer.
    first: Option<Duration>,
    all: Duration,
}

impl Desk {
    /// Examines one model and returns its exit code.
    fn examine(&mut self, name: &str) -> Result<u8, Failure> {
        match self.prepare(name) {
            Ok((model, chosen)) => {
                let limits = &self.resolved.policy.limits;
                session::day::refuse_spent(&self.folders, limits, &chosen.profile)?;
                self.announce(name, &model, &chosen.profile)?;
                let outcome = ask(&chosen.client)?;
                self.report(&model, &chosen.profile, &outcome)
            }
            Err(failure) => {
                let told = failure.to_told();
                let body = json!({
                    "name": name, "ok": false, "class": "configuration", "status": null,
                    "message": told.message, "hint": told.hint,
                });
                if self.output.is_json() {
                    self.output.entry("model_failed", "", body)?;
                }
                failure.print();
                Ok(failure.code())
            }
        }
    }

    /// Finds the model behind a name or a role's word, and its key.
    fn prepare(&self, name: &str) -> Result<(Model, ChosenModel), Failure> {
        let role = Role::ALL.into_iter().find(|role| role.as_str() == name);
        let (role, model, effort) = match role {
            Some(role) => {
                let main = self.resolved.start_model(&|name| session::is_set(name));
                let main = main.map_err(|error| config_failure(&error))?;
                let served = roles::served(role, &main.name, &self.resolved).map_err(|why| {
                    Failure::usage(format!("nobody serves the role `{role}`: {why}"))
                })?;
                (role, served.model, served.effort)
            }
            None => {
                let model = self.resolved.named_model(name);
                let model = model.map_err(|error| config_failure(&error))?;
                let effort = model.effort;
                (Role::Main, model, effort)
            }
        };
        let model = session::with_real_window(model);
        let model = Model {
            output: model.output.min(OUTPUT_MAX),
            ..model
        };
        let chosen = session::ready(&model, role, effort, &self.resolved)?;
        Ok((model, chosen))
    }

    /// Says where a request is about to be sent, and what it can cost.
    fn announce(
        &mut self,
        asked: &str,
        model: &Model,
        profile: &ModelProfile,
    ) -> Result<(), Failure> {
        let most = most(profile);
        let cost = match most {
            None => "its price is unknown".to_owned(),
            Some(Money(0)) => "costs nothing".to_owned(),
            Some(most) => format!("costs about {} at the most", usd(most)),
        };
        let effort = profile
            .effort
            .map_or_else(String::new, |effort| format!(", effort {effort}"));
        let role = match asked == model.name {
            true => String::new(),
            false => format!(" as `{asked}`"),
        };
        let text = format!(
            "{}: sending one request{role} to {} ({} `{}`{effort}), {cost}",
            model.name,
            profile.provider,
            model.api.as_str(),
            model.id,
        );
        let body = json!({
            "name": model.name, "api": model.api.as_str(), "id": model.id,
            "host": profile.provider, "context": model.context.0, "effort": profile.effort,
            "usd_max": most.map(Money::as_usd),
        });
        self.output.entry("model_asked", &text, body)
    }

    fn report(
        &mut self,
        model: &Model,
        profile: &ModelProfile,
        outcome: &Outcome,
    ) -> Result<u8, Failure> {
        match &outcome.answer {
            Ok(answer) => {
                let spent = profile.cost(answer.usage);
                self.note(spent)?;
                self.tell_answer(model, outcome, answer, spent)?;
                Ok(0)
            }
            Err(failure) => {
                self.tell_failure(model, profile, outcome, failure)?;
                Ok(EndReason::ProviderFailed.exit_code())
            }
        }
    }

    /// Counts what was spent to the day's.
    fn note(&self, spent: Option<Money>) -> Result<(), Failure> {
        let Some(spent) = spent.filter(|spent| spent.0 > 0) else {
            return Ok(());
        };
        SpendLog::new(self.folders.spend())
            .add(NO_SESSION, spent, harness_host::clock::now())
            .map_err(|error| Failure::failed(chain(&error)))
    }

    fn tell_answer(
        &mut self,
        model: &Model,
        outcome: &Outcome,
        answer: &ModelResponse,
        spent: Option<Money>,
    ) -> Result<(), Failure> {
        let name = &model.name;
        let usage = answer.usage;
        let called = answer.calls().any(|call| call.name == TOOL.name);
        let cost = spent.map_or_else(|| "price unknown".to_owned(), usd);
        let input = usage.input + usage.cache_read + usage.cache_write;
        let text = format!(
            "{name}: answered{}\n{name}: {}\n{name}: {input} tokens in, {} out, {cost}; its window holds {}",
            times(outcome),
            what_of_tools(answer, called),
            usage.output,
            model.context,
        );
        let body = json!({
            "name": name, "ok": true, "first_ms": outcome.first.map(millis), "ms": millis(outcome.all),
            "tool_called": called, "usage": {
                "input": usage.input, "output": usage.output,
                "cache_read": usage.cache_read, "cache_write": usage.cache_write,
            },
            "usd": spent.map(Money::as_usd),
        });
        self.output.entry("model_answered", &text, body)
    }

    fn tell_failure(
        &mut self,
        model: &Model,
        profile: &ModelProfile,
        outcome: &Outcome,
        failure: &ModelFailure,
    ) -> Result<(), Failure> {
        let name = &model.name;
        let hint = way_out::of(model, profile, failure, outcome.first.is_some());
        let message = harness_guard::redact(&failure.message);
        let mut text = format!("{name}: failed{}: {message}", times(outcome));
        if let Some(hint) = &hint {
            text.push_str(&format!("\n{name}: hint: {hint}"));
        }
        let body = json!({
            "name": name, "ok": false, "class": failure.class.as_str(), "status": failure.status,
            "message": message, "hint": hint, "ms": millis(outcome.all),
        });
        self.output.entry("model_failed", &text, body)
    }
}

/// Sends the one request.
fn ask(client: &ModelClient) -> Result<Outcome, Failure> {
    let (pieces, mut seen) = mpsc::channel(PIECES_MAX);
    let begun = Instant::now();
    let prompt = Prompt {
        system: SYSTEM.into(),
        tools: [TOOL].into(),
        messages: vec![
            Message::User(vec![UserPart::Text {
                text: QUESTION.to_owned(),
            }])
            .into(),
        ],
    };
    let runtime = session::runtime()?;
    let (answer, first) = runtime.block_on(async {
        let asked = async {
            let asked = client.request(&prompt, pieces, Cancelled::never());
            timeout(TIME_MAX, asked)
                .await
                .unwrap_or_else(|_| Err(too_slow()))
        };
        let watched = async {
            let first = seen.recv().await.map(|_| begun.elapsed());
            while seen.recv().await.is_some() {}
            first
        };
        tokio::join!(asked, watched)
    });
    runtime.shutdown_timeout(session::SHUTDOWN);
    Ok(Outcome {
        answer,
        first,
        all: begun.elapsed(),
    })
}

fn too_slow() -> ModelFailure {
    ModelFailure {
        class: FailureClass::Broken,
        message: format!(
            "there was no whole answer within {} seconds",
            TIME_MAX.as_secs()
        ),
        status: None,
        retry_after_ms: None,
    }
}

/// Returns what the request costs at the most; none where the price is unknown.
fn most(profile: &ModelProfile) -> Option<Money> {
    let usage = harness_core::Usage {
        input: PROMPT_TOKENS.0,
        output: profile.output.0,
        ..harness_core::Usage::default()
    };
    profile.cost(usage)
}

fn what_of_tools(answer: &ModelResponse, called: bool) -> &'static str {
    match (called, &answer.stop) {
        (true, _) => "called the tool: it can work as an agent",
        (false, StopReason::MaxTokens) => {
            "was cut before it called the tool: tool calls were not seen"
        }
        (false, _) => "did not call the tool: tool calls were not seen, and an agent needs them",
    }
}

fn times(outcome: &Outcome) -> String {
    let all = millis(outcome.all);
    match outcome.first {
        Some(first) => format!(
            " after {all} ms, its first piece after {} ms",
            millis(first)
        ),
        None => format!(" after {all} ms"),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_failure_is_taken_for_success() {
        for (codes, code) in [
            (&[0, 0][..], 0),
            (&[0, 6], 6),
            (&[6, 2, 0], 2),
            (&[0, 1, 0], 1),
            (&[1, 6], 6),
            (&[], 0),
        ] {
            assert_eq!(worst(codes), code, "{codes:?}");
        }
    }
}
