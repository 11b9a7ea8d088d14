//! Reads the person's own file: models, agents, limits, and what holds for single repositories.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use harness_core::{CommandRule, ReviewBy, Sourced};
use serde::Deserialize;

use crate::{
    ConfigError, ConfigFile,
    agent::{self, Agent, AgentChoice},
    document::{Document, Place},
    error::{Fault, list_names, nearest, shown},
    keys::Owner,
    limits::{self, LimitWishes, SandboxLimits},
    loopback,
    model::{self, Model},
    raw::{
        RawAgentChoice, RawLimits, RawRoles, RawSaved, RawUser, RawUserGates, RawUserSandbox, Text,
    },
    repository::review,
    role::{self, RoleChoices},
    rule::{self, PersonRule},
    setting::Setting,
    ui::{self, Notify, Ui},
    value::{self, Here, Lister, Written},
    walk,
};

/// What a person's file says. The default is an empty file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserConfig {
    /// The person's models by name; one of a built-in model's name replaces it wholly.
    pub models: BTreeMap<String, Model>,
    /// The person's agents by name.
    pub agents: BTreeMap<String, Agent>,
    /// Tables that the faces read themselves.
    pub faces: Faces,
    wishes: Wishes,
    repositories: BTreeMap<PathBuf, Wishes>,
}

/// What is said about screen, keys and notices; the names of keys are known to the faces.
#[derive(Clone, Debug, PartialEq)]
pub struct Faces {
    /// `[ui]`.
    pub ui: Ui,
    /// `[keys]`.
    pub keys: toml::Table,
    /// `[notify]`.
    pub notify: Notify,
    /// Both as `config show` lists them.
    pub settings: Vec<Setting>,
}

impl Default for Faces {
    fn default() -> Self {
        Self {
            ui: Ui::default(),
            keys: toml::Table::new(),
            notify: Notify::default(),
            settings: ui::default_settings(),
        }
    }
}

/// What may be said for all repositories or for one.
#[derive(Clone, Debug, Default, PartialEq)]
struct Wishes {
    agent: AgentChoice,
    roles: RoleChoices,
    limits: LimitWishes,
    read: Vec<Sourced>,
    network: Vec<Sourced>,
    offline: Option<Written<bool>>,
    review: Option<Written<ReviewBy>>,
    rules: Vec<PersonRule>,
}

impl UserConfig {
    /// Returns what holds in the repository at `root`: `[repo."PATH"]` lies over the rest.
    ///
    /// `root` is absolute; paths are compared component by component, links are not followed.
    #[must_use]
    pub fn for_repository(&self, root: &Path) -> Self {
        let mut config = self.clone();
        let holds = |entry: &PersonRule| entry.repository.as_deref().is_none_or(|at| at == root);
        config.wishes.rules.retain(holds);
        if let Some(over) = config.repositories.remove(root) {
            config.wishes.agent = config.wishes.agent.overlaid(over.agent);
            config.wishes.roles = config.wishes.roles.overlaid(over.roles);
            config.wishes.limits = config.wishes.limits.overlaid(over.limits);
            config.wishes.read.extend(over.read);
            config.wishes.network.extend(over.network);
            config.wishes.review = over.review.or(config.wishes.review.take());
            config.wishes.offline = over.offline.or(config.wishes.offline.take());
        }
        config
    }

    /// Paths a process in the cage may read: absolute, or below `~/`, which the caller replaces.
    pub(crate) fn read(&self) -> &[Sourced] {
        &self.wishes.read
    }

    /// Hosts that processes may reach, whatever the repository says: as written, a registry under its name.
    pub(crate) fn network(&self) -> &[Sourced] {
        &self.wishes.network
    }

    /// Whether processes reach no host, whatever else is said.
    pub(crate) const fn offline(&self) -> Option<&Written<bool>> {
        self.wishes.offline.as_ref()
    }

    /// Who has to review a change, whatever the repository says.
    pub(crate) const fn review(&self) -> Option<&Written<ReviewBy>> {
        self.wishes.review.as_ref()
    }

    /// Adds the rules that the person had saved.
    #[must_use]
    pub fn with_saved(mut self, saved: SavedRules) -> Self {
        self.wishes.rules.extend(saved.0);
        self
    }

    /// The person's rules about commands.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &CommandRule> {
        self.wishes.rules.iter().map(|entry| &entry.rule)
    }

    pub(crate) const fn limits(&self) -> &LimitWishes {
        &self.wishes.limits
    }

    pub(crate) const fn agent(&self) -> &AgentChoice {
        &self.wishes.agent
    }

    pub(crate) const fn roles(&self) -> &RoleChoices {
        &self.wishes.roles
    }
}

/// Rules that a person had saved, each for one repository.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedRules(Vec<PersonRule>);

/// Reads the file of saved rules.
///
/// # Errors
/// As [`crate::parse_repository`].
pub fn parse_saved_rules(file: ConfigFile<'_>) -> Result<SavedRules, ConfigError> {
    let document = Document::new(file)?;
    let table = document.parse()?;
    walk::walk(&document, table.get_ref(), Owner::Saved)?;
    let raw = RawSaved::deserialize(toml::Deserializer::from(table))
        .map_err(|error| document.syntax_fault(&error))?;
    Ok(SavedRules(rule::rules(&document, &raw.rule, Owner::Saved)?))
}

/// Reads a person's file.
///
/// # Errors
/// As [`crate::parse_repository`]; no message repeats a value that may be a key.
pub fn parse_user(file: ConfigFile<'_>) -> Result<UserConfig, ConfigError> {
    let document = Document::new(file)?;
    let table = document.parse()?;
    walk::walk(&document, table.get_ref(), Owner::User)?;
    let raw = RawUser::deserialize(toml::Deserializer::from(table))
        .map_err(|error| document.syntax_fault(&error))?;
    Ok(read(&document, raw)?)
}

fn read(document: &Document<'_>, raw: RawUser) -> Result<UserConfig, Box<Fault>> {
    let (ui, notify, settings) = ui::read(document, &raw.ui, (&raw.composer, &raw.notify))?;
    let mut config = UserConfig {
        models: model::models(document, &raw.model)?,
        agents: agent::agents(document, &raw.agent.agents)?,
        faces: Faces {
            ui,
            keys: raw.keys,
            notify,
            settings,
        },
        ..UserConfig::default()
    };
    let top = RawWishes {
        agent: &raw.agent.choice,
        roles: &raw.role,
        limits: &raw.limits,
        sandbox: &raw.sandbox,
        gates: &raw.gates,
    };
    config.wishes = wishes(document, &[], &top, &config)?;
    config.wishes.rules = rule::rules(document, &raw.rule, Owner::User)?;
    for (path, over) in &raw.repo {
        let above = ["repo", path.get_ref().as_str()];
        let over = RawWishes {
            agent: &over.agent,
            roles: &over.role,
            limits: &over.limits,
            sandbox: &over.sandbox,
            gates: &over.gates,
        };
        let root = root(document, path)?;
        let wishes = wishes(document, &above, &over, &config)?;
        config.repositories.insert(root, wishes);
    }
    Ok(config)
}

struct RawWishes<'a> {
    agent: &'a RawAgentChoice,
    roles: &'a RawRoles,
    limits: &'a RawLimits,
    sandbox: &'a RawUserSandbox,
    gates: &'a RawUserGates,
}

fn wishes(
    document: &Document<'_>,
    above: &[&str],
    raw: &RawWishes<'_>,
    config: &UserConfig,
) -> Result<Wishes, Box<Fault>> {
    let here = |name| {
        let tables = above.iter().copied().chain([name]);
        Here::new(document, Place::nested(tables))
    };
    check_names(&here("agent"), agent_names(raw.agent), config)?;
    let role_here = |role| Here::new(document, role::place(above, role));
    for (role, raw) in raw.roles.named() {
        let names = raw.model.iter().map(|name| ("model", name));
        check_names(&role_here(role), names, config)?;
    }
    let sandbox = SandboxLimits {
        memory: raw.sandbox.memory.as_ref(),
        processes: raw.sandbox.processes.as_ref(),
    };
    Ok(Wishes {
        agent: agent::choice(&here("agent"), raw.agent)?,
        roles: role::choices(role_here, raw.roles)?,
        limits: limits::wishes(document, above, raw.limits, &sandbox)?,
        read: raw
            .sandbox
            .read
            .iter()
            .map(|path| outside_path(&here("sandbox"), path))
            .collect::<Result<_, _>>()?,
        network: value::hosts(
            &here("sandbox"),
            "network",
            &raw.sandbox.network,
            Lister::Person,
        )?,
        offline: here("sandbox").written(
            "offline",
            raw.sandbox.offline.as_ref(),
            |_, _, raw| Ok(*raw.get_ref()),
        )?,
        review: here("gates").written("review", raw.gates.review.as_ref(), review)?,
        rules: Vec::new(),
    })
}

/// Returns the models that `[agent]` names.
fn agent_names(raw: &RawAgentChoice) -> impl Iterator<Item = (&'static str, &Text)> {
    let model = raw.model.iter().map(|name| ("model", name));
    model.chain(raw.fallback.iter().map(|name| ("fallback", name)))
}

/// The person's file defines the models, so a name it does not know is a slip.
fn check_names<'a>(
    here: &Here<'_>,
    names: impl IntoIterator<Item = (&'static str, &'a Text)>,
    config: &UserConfig,
) -> Result<(), Box<Fault>> {
    let built_in = model::built_in();
    let known: Vec<&str> = config
        .models
        .keys()
        .map(String::as_str)
        .chain(built_in.iter().map(|model| model.name.as_str()))
        .collect();
    for (key, name) in names {
        let is_found = loopback::is_name(name.get_ref());
        if !is_found && !known.contains(&name.get_ref().as_str()) {
            return Err(unknown_model(here, key, name, &known));
        }
    }
    Ok(())
}

fn unknown_model(here: &Here<'_>, key: &str, name: &Text, known: &[&str]) -> Box<Fault> {
    let problem = format!("there is no model `{}`", shown(name.get_ref()));
    let hint = match nearest(name.get_ref(), known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known are {}", list_names(known.iter().copied(), ", ")),
    };
    here.fault(key, name, problem).with_hint(hint)
}

fn root(document: &Document<'_>, path: &Text) -> Result<PathBuf, Box<Fault>> {
    let here = Here::table(document, "repo");
    if path.get_ref().starts_with('/') && is_direct(path.get_ref()) {
        return Ok(PathBuf::from(path.get_ref()));
    }
    let problem = format!("`{}` is not an absolute path", shown(path.get_ref()));
    Err(here
        .fault("", path, problem)
        .with_hint("write the repository's folder in full, such as `[repo.\"/home/me/shop\"]`"))
}

fn outside_path(here: &Here<'_>, raw: &Text) -> Result<Sourced, Box<Fault>> {
    let path = raw.get_ref();
    let anchored = path.starts_with('/') || path.starts_with("~/");
    if anchored && is_direct(path) {
        return Ok(Sourced {
            value: path.clone(),
            origin: here.origin(raw),
        });
    }
    let problem = format!("`{}` in `read` is not an absolute path", shown(path));
    Err(here
        .fault("read", raw, problem)
        .with_hint("begin it with `/` or `~/`, without `..`"))
}

fn is_direct(path: &str) -> bool {
    !path.split('/').any(|component| component == "..")
}
