//! The way out of a failed request: what to set, start or ask for.

use harness_config::{Api, KeySource, LoopbackServer, Model};
use harness_core::{FailureClass, ModelFailure, ModelProfile};

use crate::{loopback, session};

/// How many names of models are listed.
const NAMES_MAX: usize = 8;
/// What the connection says of encryption that failed.
const TLS: &str = "cannot encrypt";
/// What servers say that want to be started otherwise, and how.
const STARTED_OTHERWISE: [(&str, &str); 3] = [
    (
        "jinja",
        "start it with `--jinja`: llama.cpp needs that for tool calls",
    ),
    (
        "enable-auto-tool-choice",
        "start it with `--enable-auto-tool-choice --tool-call-parser PARSER`: vLLM needs both for tool calls",
    ),
    (
        "does not support tools",
        "choose a model that can call tools: `harness models` says which can",
    ),
];

/// Returns what would help; nothing where nobody can know.
///
/// `answered` says whether a piece of an answer came.
pub(super) fn of(
    model: &Model,
    profile: &ModelProfile,
    failure: &ModelFailure,
    answered: bool,
) -> Option<String> {
    let said = failure.message.to_lowercase();
    let started = STARTED_OTHERWISE
        .iter()
        .find(|(text, _)| said.contains(text));
    if let Some((_, hint)) = started {
        return Some((*hint).to_owned());
    }
    match failure.class {
        FailureClass::Auth => Some(of_key(model)),
        FailureClass::Quota => Some(format!(
            "the provider wants money: look at your account at {}, or name another model",
            profile.provider
        )),
        FailureClass::Unreachable if failure.message.starts_with(TLS) => Some(
            "look at `base_url`: a server without encryption wants `http://`; a certificate of your own has to be among the system's".to_owned(),
        ),
        FailureClass::Unreachable => Some(of_unreachable(model, profile)),
        FailureClass::RateLimited | FailureClass::Overloaded => Some(match failure.retry_after_ms {
            Some(wait) => format!("try again in {} s", wait.div_ceil(1000)),
            None => "try again later".to_owned(),
        }),
        FailureClass::Invalid if failure.status == Some(404) => Some(of_missing(model)),
        FailureClass::Invalid if profile.effort.is_some() => Some(
            "it may not take the effort it was asked with: leave `effort` out and try again".to_owned(),
        ),
        FailureClass::Broken if failure.message.contains("within") => Some(
            "a model that is still loading answers later: try again".to_owned(),
        ),
        FailureClass::Broken if answered => {
            Some("the answer broke off on its way: try again".to_owned())
        }
        FailureClass::Broken => Some(format!(
            "look at `base_url` and `api`: what answers there may not speak `{}`",
            model.api.as_str()
        )),
        FailureClass::ContextOverflow => {
            Some("its window is very small: give it a larger one where its server is started".to_owned())
        }
        FailureClass::Invalid | FailureClass::Cancelled => None,
    }
}

fn of_key(model: &Model) -> String {
    match &model.key {
        Some(KeySource::Env(name)) => {
            format!(
                "the key in `{name}` is not accepted: look whether it is whole and belongs to this server"
            )
        }
        Some(KeySource::Command(argv)) => format!(
            "the key that `{}` printed is not accepted: run it by hand and look",
            argv.first().map_or("", String::as_str)
        ),
        None => format!(
            "this server wants a key: name its variable, `key_env = \"...\"` in `[model.{}]`",
            model.name
        ),
    }
}

/// Only servers on this machine can be started from here.
fn of_unreachable(model: &Model, profile: &ModelProfile) -> String {
    if !model.local {
        return format!(
            "look at the network and at `base_url`: nothing was reached at {}",
            profile.provider
        );
    }
    let start = match word(model) {
        Some("ollama") => "ollama serve",
        Some("llamacpp") => "llama-server --jinja -m MODEL.gguf",
        Some("lmstudio") => "lms server start",
        Some("vllm") => "vllm serve MODEL --enable-auto-tool-choice --tool-call-parser PARSER",
        _ => {
            return format!(
                "is the server running? Nothing answers at {}; `harness models` lists what does",
                profile.provider
            );
        }
    };
    format!("start the server: `{start}`")
}

/// What the server has instead, where it is on this machine and says so.
fn of_missing(model: &Model) -> String {
    let id = &model.id;
    let has = names(model);
    if !has.is_empty() && !has.contains(id) {
        let listed = has.iter().take(NAMES_MAX).map(|name| format!("`{name}`"));
        let more = if has.len() > NAMES_MAX {
            " and others"
        } else {
            ""
        };
        let listed = listed.collect::<Vec<_>>().join(", ");
        let pull = match model.api {
            Api::Ollama => format!("; or get it: `ollama pull {id}`"),
            _ => String::new(),
        };
        return format!("it has {listed}{more}{pull}");
    }
    match model.api {
        Api::Ollama => format!("get the model: `ollama pull {id}`"),
        _ => format!(
            "look at `id` and `base_url`: it knows no model `{id}`, or speaks no `{}` there",
            model.api.as_str()
        ),
    }
}

fn names(model: &Model) -> Vec<String> {
    let is_listed = model.local && matches!(model.api, Api::Ollama | Api::Chat);
    if !is_listed {
        return Vec::new();
    }
    let server = LoopbackServer {
        word: word(model).unwrap_or("other"),
        api: model.api,
        base_url: session::base_url(model, session::ollama_host().as_deref()),
    };
    let found = loopback::find(&[server]).into_iter();
    found.map(|found| found.told.id).collect()
}

/// Returns the word of a server on this machine: as it is written, else by its usual port.
fn word(model: &Model) -> Option<&'static str> {
    const PORTS: [(&str, &str); 4] = [
        (":11434", "ollama"),
        (":8080", "llamacpp"),
        (":1234", "lmstudio"),
        (":8000", "vllm"),
    ];
    if model.api == Api::Ollama {
        return Some("ollama");
    }
    let by_port = || {
        let mut ports = PORTS.iter();
        ports
            .find(|(port, _)| model.host().ends_with(port))
            .map(|(_, word)| *word)
    };
    model.server.or_else(by_port)
}
