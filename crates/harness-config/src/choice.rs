//! Which agent and which model: who may say so, and what a name stands for.
//!
//! Called by `resolve`, and by whoever starts a run through [`Resolved`].

use std::collections::BTreeMap;

use harness_core::Gate;

use crate::{
    ConfigError, Overrides, RepositoryConfig, Resolved, UserConfig,
    agent::BUILT_IN_AGENT,
    error::{list_names, nearest, shown},
    model::{self, KeySource, Model},
    resolve::{ENVIRONMENT, FLAG},
    role::EffortWish,
    setting::BUILT_IN,
    value::Written,
};

/// How a name on the command line is named as an origin.
const ARGUMENT: &str = "argument";

impl Resolved {
    /// Returns the model of this name, or with this provider's id where the id is of one model only.
    pub fn find_model(&self, name: &str) -> Option<&Model> {
        find_model(&self.models, name)
    }

    /// Returns the model that a flag or an argument names, which need not be written down.
    ///
    /// # Errors
    /// When there is no such model; the nearest name is told.
    pub fn named_model(&self, name: &str) -> Result<Model, ConfigError> {
        let defined = self.find_model(name).cloned();
        let found = defined.or_else(|| self.loopback_model(name));
        found.ok_or_else(|| unknown_model(name, ARGUMENT, &self.models))
    }

    /// Returns the model to start with.
    ///
    /// That is the one that was chosen, else the first that could answer: a model
    /// of the person's whose key can be had, then a built-in one with its key in
    /// the environment. `is_set` says whether an environment variable has a value.
    ///
    /// # Errors
    /// When the chosen model is not defined, or nothing was chosen and no key was found.
    pub fn start_model(&self, is_set: &dyn Fn(&str) -> bool) -> Result<&Model, ConfigError> {
        if let Some(name) = &self.model {
            let origin = self
                .origins
                .iter()
                .find(|setting| setting.key == "agent.model")
                .map_or(BUILT_IN, |setting| setting.origin.as_str());
            return find_model(&self.models, name)
                .ok_or_else(|| unknown_model(name, origin, &self.models));
        }
        let built_in = model::built_in();
        let is_own = |model: &&Model| model.origin != BUILT_IN;
        let own = self.models.values().filter(is_own);
        let brought = built_in
            .iter()
            .filter_map(|model| self.models.get(&model.name))
            .filter(|model| !is_own(model) && !model.local);
        own.chain(brought)
            .find(|model| match &model.key {
                Some(KeySource::Env(name)) => is_set(name),
                Some(KeySource::Command(_)) | None => true,
            })
            .ok_or_else(|| ConfigError::NoModel {
                variables: key_variables(&self.models),
            })
    }
}

fn key_variables(models: &BTreeMap<String, Model>) -> Vec<String> {
    models
        .values()
        .filter_map(|model| match &model.key {
            Some(KeySource::Env(name)) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

pub(crate) fn chosen_model(
    repository: &RepositoryConfig,
    user: &UserConfig,
    environment: &Overrides,
    flags: &Overrides,
) -> Option<Written<String>> {
    said(flags.model.as_ref(), FLAG)
        .or_else(|| said(environment.model.as_ref(), ENVIRONMENT))
        .or_else(|| user.agent().model.clone())
        .or_else(|| repository.agent.model.clone())
}

pub(crate) fn chosen_agent(
    repository: &RepositoryConfig,
    user: &UserConfig,
    environment: &Overrides,
    flags: &Overrides,
) -> Written<String> {
    said(flags.agent.as_ref(), FLAG)
        .or_else(|| said(environment.agent.as_ref(), ENVIRONMENT))
        .or_else(|| user.agent().agent.clone())
        .or_else(|| repository.agent.agent.clone())
        .unwrap_or_else(|| Written {
            value: BUILT_IN_AGENT.to_owned(),
            origin: BUILT_IN.to_owned(),
        })
}

pub(crate) fn chosen_fallback(
    repository: &RepositoryConfig,
    user: &UserConfig,
) -> Option<Written<Vec<String>>> {
    let person = user.agent().fallback.clone();
    person.or_else(|| repository.agent.fallback.clone())
}

pub(crate) fn chosen_effort(
    repository: &RepositoryConfig,
    user: &UserConfig,
) -> Option<Written<EffortWish>> {
    let person = user.agent().effort.clone();
    person.or_else(|| repository.agent.effort.clone())
}

fn said(value: Option<&String>, origin: &str) -> Option<Written<String>> {
    value.map(|value| Written {
        value: value.clone(),
        origin: origin.to_owned(),
    })
}

/// Refuses a model that a flag or the environment names wrongly.
///
/// A repository may name one that this person has not defined; that is found
/// when a model is needed, so that everything else still works.
pub(crate) fn check_person_knows(
    model: Option<&Written<String>>,
    models: &BTreeMap<String, Model>,
) -> Result<(), ConfigError> {
    match model {
        Some(model)
            if [FLAG, ENVIRONMENT].contains(&model.origin.as_str())
                && find_model(models, &model.value).is_none() =>
        {
            Err(unknown_model(&model.value, &model.origin, models))
        }
        _ => Ok(()),
    }
}

/// A key never reaches a process that the repository's content decides about.
pub(crate) fn check_gates_get_no_key(
    gates: &[Gate],
    models: &BTreeMap<String, Model>,
) -> Result<(), ConfigError> {
    let keys = key_variables(models);
    for gate in gates {
        if let Some(variable) = gate.environment.iter().find(|name| keys.contains(name)) {
            return Err(ConfigError::KeyForGate {
                gate: gate.name.clone(),
                variable: variable.clone(),
            });
        }
    }
    Ok(())
}

pub(crate) fn find_model<'a>(models: &'a BTreeMap<String, Model>, name: &str) -> Option<&'a Model> {
    let only_with_id = || {
        let mut with_id = models.values().filter(|model| model.id == name);
        with_id.next().filter(|_| with_id.next().is_none())
    };
    models.get(name).or_else(only_with_id)
}

fn unknown_model(name: &str, origin: &str, models: &BTreeMap<String, Model>) -> ConfigError {
    let names = || models.keys().map(String::as_str);
    ConfigError::UnknownModel {
        name: shown(name),
        origin: origin.to_owned(),
        hint: match nearest(name, names()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "known are {}; `[model.NAME]` in the user file adds one",
                list_names(names(), ", ")
            ),
        },
    }
}
