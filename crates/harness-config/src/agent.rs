//! Who does the work: `[agent]` of either file and `[agent.NAME]` of the user file.

use std::collections::BTreeMap;

use crate::{
    document::{Document, Place},
    error::{Fault, shown},
    loopback,
    raw::{RawAgent, RawAgentChoice, Text},
    role::{self, EffortWish},
    value::{self, Here, Written},
};

/// The agent's name where nobody says otherwise.
pub(crate) const BUILT_IN_AGENT: &str = "builtin";

/// An agent under the name a person gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// What it is.
    pub kind: AgentKind,
    /// How it is started, an argv; empty for the built-in one.
    pub command: Vec<String>,
    /// Where it is defined.
    pub origin: String,
}

/// Kinds of agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentKind {
    /// The one inside the harness.
    BuiltIn,
    /// A foreign one that speaks the Agent Client Protocol.
    Acp,
    /// Scripted turns.
    Script,
}

/// What a file says about agent and model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AgentChoice {
    pub(crate) agent: Option<Written<String>>,
    pub(crate) model: Option<Written<String>>,
    pub(crate) effort: Option<Written<EffortWish>>,
    pub(crate) fallback: Option<Written<Vec<String>>>,
}

impl AgentChoice {
    pub(crate) fn overlaid(self, over: Self) -> Self {
        Self {
            agent: over.agent.or(self.agent),
            model: over.model.or(self.model),
            effort: over.effort.or(self.effort),
            fallback: over.fallback.or(self.fallback),
        }
    }
}

/// Reads the keys of `[agent]` itself: names only.
///
/// A file may not name a script or a recording: those are asked for by flag.
pub(crate) fn choice(here: &Here<'_>, raw: &RawAgentChoice) -> Result<AgentChoice, Box<Fault>> {
    let fallback = raw
        .fallback
        .iter()
        .map(|name| model_name(here, "fallback", name))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(AgentChoice {
        agent: here.written("use", raw.agent.as_ref(), value::name)?,
        model: here.written("model", raw.model.as_ref(), model_name)?,
        effort: here.written("effort", raw.effort.as_ref(), role::wish)?,
        fallback: raw.fallback.first().map(|first| Written {
            value: fallback,
            origin: here.origin(first),
        }),
    })
}

/// Reads the name of a model: one that is defined, or one such as `ollama/NAME` that needs no definition.
pub(crate) fn model_name(here: &Here<'_>, key: &str, raw: &Text) -> Result<String, Box<Fault>> {
    if loopback::is_name(raw.get_ref()) {
        return Ok(raw.get_ref().clone());
    }
    value::name(here, key, raw)
}

/// Reads every `[agent.NAME]`.
pub(crate) fn agents(
    document: &Document<'_>,
    raw: &BTreeMap<Text, RawAgent>,
) -> Result<BTreeMap<String, Agent>, Box<Fault>> {
    raw.iter()
        .map(|(name, raw)| {
            let subject = format!("agent `{}`", shown(name.get_ref()));
            let here = Here::new(document, Place::named(subject, ["agent", name.get_ref()]));
            Ok((value::name(&here, "", name)?, agent(&here, name, raw)?))
        })
        .collect()
}

fn agent(here: &Here<'_>, name: &Text, raw: &RawAgent) -> Result<Agent, Box<Fault>> {
    const WORDS: [(&str, AgentKind); 3] = [
        (BUILT_IN_AGENT, AgentKind::BuiltIn),
        ("acp", AgentKind::Acp),
        ("script", AgentKind::Script),
    ];
    let kind = value::word(here, "kind", &raw.kind, &WORDS)?;
    let command = match &raw.command {
        Some(command) if kind == AgentKind::BuiltIn => {
            return Err(here.fault("command", command, "the built-in agent has no command"));
        }
        Some(command) => value::argv(here, "command", command)?,
        None if kind == AgentKind::BuiltIn => Vec::new(),
        None => {
            let problem = format!(
                "key `command` is missing: `{}` needs one",
                raw.kind.get_ref()
            );
            return Err(here.fault("command", &raw.kind, problem));
        }
    };
    Ok(Agent {
        kind,
        command,
        origin: here.origin(name),
    })
}
