//! Brings the person's wishes and the repository's together: what holds, and whose word it is.
//!
//! The person is asked first; what the repository says fills gaps, adds
//! protection, and narrows limits.

use std::{collections::BTreeMap, path::PathBuf};

use harness_core::{
    CommandRule, Level, Policy, Price, RepoPath, ReviewBy, Role, ScopeRules, Sourced, TokenCount,
};

use crate::{
    ConfigError, Overrides, RepositoryConfig, UserConfig,
    agent::Agent,
    choice, format,
    gate::Setup,
    limits, loopback,
    model::{self, Model},
    network,
    role::{self, RoleWish},
    rule,
    setting::{Setting, Settings, quoted},
};

/// The feature list where a repository does not name one.
const FEATURE_FILE: &str = "feature_list.json";

/// The progress log; a caller that finds an older one in its place replaces it.
const PROGRESS_FILE: &str = "progress.md";

/// The map's name where a repository does not give one.
const MAP_FILE: &str = "AGENTS.md";

/// How much of the window map and first message may take where nothing is said.
const CONTEXT_BUDGET: TokenCount = TokenCount(16_000);

/// How a flag is named as an origin.
pub(crate) const FLAG: &str = "flag";

/// How the environment is named as an origin.
pub(crate) const ENVIRONMENT: &str = "environment";

/// Everything that holds for one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The rules of a run.
    pub policy: Policy,
    /// All models by name, built-in ones included.
    pub models: BTreeMap<String, Model>,
    /// The name of the model that was chosen, if somebody chose one; it may be one nobody has defined.
    pub model: Option<String>,
    /// Names of models to go on with when the first one fails, in order.
    pub fallback: Vec<String>,
    pub(crate) roles: BTreeMap<Role, RoleWish>,
    /// The agent: `builtin`, a name of `agents`, or what a flag asked for.
    pub agent: String,
    /// The person's agents by name.
    pub agents: BTreeMap<String, Agent>,
    /// Who reviews a change by the repository's own word: what its proofs are held to, whoever looks.
    pub demanded_review: ReviewBy,
    /// Commands that prepare the work tree.
    pub setup: Vec<Setup>,
    /// Folders that an isolated checkout may read from the work tree.
    pub link: Vec<RepoPath>,
    /// Who has closed the network for all processes, setup steps included; nobody when absent.
    pub offline: Option<String>,
    /// How processes are to be confined.
    pub sandbox: SandboxWish,
    /// Every setting, what it is and who said so, table by table; lists entry by entry.
    pub origins: Vec<Setting>,
}

/// How processes are to be confined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxWish {
    /// The level that is demanded; the strongest this machine has when absent.
    pub level: Option<Level>,
    /// Paths a process may read beside the usual ones; absolute, or below `~/`.
    pub read: Vec<PathBuf>,
}

/// Brings all sources together.
///
/// Order for limits: flag, else environment (narrows only), else user file, else
/// built in; the repository's value narrows the result. Order for agent and
/// model: flag, environment, user file, repository, built in. The level of the
/// sandbox is a flag's alone. Hosts are those of both files, unless the person's
/// file, the environment or a flag says `offline`.
///
/// # Errors
/// When a flag or the environment names a model that nobody has defined, or a
/// gate asks for the variable that holds a model's key.
pub fn resolve(
    repository: Option<&RepositoryConfig>,
    user: &UserConfig,
    environment: &Overrides,
    flags: &Overrides,
) -> Result<Resolved, ConfigError> {
    let none = RepositoryConfig::default();
    let repository = repository.unwrap_or(&none);
    let mut settings = Settings::default();
    let mut models = all_models(user);
    let model = choice::chosen_model(repository, user, environment, flags);
    let fallback = choice::chosen_fallback(repository, user);
    let roles = role::chosen(repository, user);
    let named = model.iter().map(|model| &model.value);
    let spare = fallback.iter().flat_map(|fallback| &fallback.value);
    add_found(&mut models, named.chain(spare).chain(roles.models()));
    choice::check_person_knows(model.as_ref(), &models)?;
    choice::check_gates_get_no_key(&repository.gates, &models)?;

    let files = Files::of(repository, &mut settings);
    let scope = scope(repository, &files, &mut settings);
    let isolate = settings.keep_or("gates.isolate", repository.isolate.as_ref(), true);
    // A repository can demand more of a change than the person does, and never less.
    let review = [user.review(), repository.review.as_ref()];
    let review = review.into_iter().flatten().max_by_key(|said| said.value);
    let review = settings.keep_or("gates.review", review, ReviewBy::None);
    let limits = limits::resolve(
        &repository.limits,
        user.limits(),
        environment,
        flags,
        &mut settings,
    );
    let context_budget = settings.keep_or(
        "context.budget",
        repository.context_budget.as_ref(),
        CONTEXT_BUDGET,
    );
    let commands: Vec<CommandRule> = user.rules().chain(&repository.rules).cloned().collect();
    rule::note(&commands, &mut settings);
    format::note(&repository.formats, &mut settings);
    let formats = repository.formats.iter();
    let formats = formats.map(|format| format.value.clone());
    let offline = network::closed_by(user, environment, flags);
    let network = network::resolve(repository, user, environment, flags, &mut settings);
    let sandbox = sandbox(user, flags, &mut settings);
    let agent = settings.keep(
        "agent.use",
        choice::chosen_agent(repository, user, environment, flags),
    );
    let model = settings.keep_optional("agent.model", model);
    let fallback = settings
        .keep_optional("agent.fallback", fallback)
        .unwrap_or_default();
    let effort = choice::chosen_effort(repository, user);
    let roles = role::resolve(effort, roles, &mut settings);
    note_models(&models, &mut settings);

    Ok(Resolved {
        policy: Policy {
            scope,
            gates: repository.gates.clone(),
            formats: formats.collect(),
            commands,
            limits,
            isolate,
            feature_file: files.features,
            progress_file: files.progress,
            map_file: files.map,
            context_budget,
            network: network.hosts,
            network_closed: network.closed,
            amendments: Vec::new(),
            review,
        },
        models,
        model,
        fallback,
        roles,
        agent,
        agents: user.agents.clone(),
        demanded_review: repository
            .review
            .as_ref()
            .map_or(ReviewBy::None, |said| said.value),
        setup: repository.setup.clone(),
        link: repository.link.clone(),
        offline,
        sandbox,
        origins: settings.into_inner(),
    })
}

/// The files that only the harness writes.
struct Files {
    features: RepoPath,
    progress: RepoPath,
    map: String,
}

impl Files {
    fn of(repository: &RepositoryConfig, settings: &mut Settings) -> Self {
        let built_in = |path: &str| RepoPath::parse(path).expect("built-in paths are inside");
        Self {
            features: settings.keep_or(
                "features.file",
                repository.feature_file.as_ref(),
                built_in(FEATURE_FILE),
            ),
            progress: built_in(PROGRESS_FILE),
            map: settings.keep_or(
                "context.map",
                repository.map_file.as_ref(),
                MAP_FILE.to_owned(),
            ),
        }
    }

    /// Returns the patterns of these files; the map may stand in any folder.
    fn patterns(&self) -> Vec<Sourced> {
        [
            self.features.to_text(),
            self.progress.to_text(),
            format!("**/{}", self.map),
        ]
        .into_iter()
        .map(Sourced::built_in)
        .collect()
    }
}

/// What is hidden and protected by default stays so: a repository can only add to it.
fn scope(repository: &RepositoryConfig, files: &Files, settings: &mut Settings) -> ScopeRules {
    let mut scope = repository.scope.clone();
    // Gates read these from the work tree: what an agent could write there would decide a gate.
    let linked = repository.link.iter().map(|path| Sourced {
        value: path.to_text(),
        origin: "[gates] link".to_owned(),
    });
    scope.deny.extend(linked);
    scope.hide.splice(0..0, harness_guard::default_hidden());
    scope
        .protect
        .splice(0..0, harness_guard::default_protected());
    scope.host_owned = files.patterns();
    settings.list("scope.write", &scope.write);
    settings.list("scope.build", &scope.build);
    settings.list("scope.deny", &scope.deny);
    settings.list("scope.hide", &scope.hide);
    settings.list("protect.paths", &scope.protect);
    scope
}

fn sandbox(user: &UserConfig, flags: &Overrides, settings: &mut Settings) -> SandboxWish {
    settings.list("sandbox.read", user.read());
    if let Some(level) = flags.sandbox {
        settings.note("sandbox", quoted(level.as_str()), FLAG);
    }
    let value = |sourced: &Sourced| sourced.value.clone();
    SandboxWish {
        level: flags.sandbox,
        read: user.read().iter().map(value).map(PathBuf::from).collect(),
    }
}

fn all_models(user: &UserConfig) -> BTreeMap<String, Model> {
    let mut models: BTreeMap<String, Model> = model::built_in()
        .into_iter()
        .map(|model| (model.name.clone(), model))
        .collect();
    models.extend(user.models.clone());
    models
}

/// Adds what is chosen by a name that needs no definition, such as `ollama/NAME`.
fn add_found<'a>(models: &mut BTreeMap<String, Model>, names: impl Iterator<Item = &'a String>) {
    for name in names {
        if let Some(found) = loopback::find(name, models)
            && choice::find_model(models, name).is_none()
        {
            models.insert(name.clone(), found);
        }
    }
}

fn note_models(models: &BTreeMap<String, Model>, settings: &mut Settings) {
    for model in models.values() {
        let value = quoted(&format!("{} {}", model.api.as_str(), model.id));
        settings.note(&format!("model.{}", model.name), value, &model.origin);
        let price = model.price.map_or_else(|| "none".to_owned(), literal);
        let key = format!("model.{}.price", model.name);
        settings.note(&key, price, &model.price_origin);
        if let Some(effort) = model.effort {
            let key = format!("model.{}.effort", model.name);
            settings.note(&key, quoted(effort.as_str()), &model.origin);
        }
    }
}

/// Returns a price as it would be written in a file.
fn literal(price: Price) -> String {
    format!(
        "{{ input = {:?}, output = {:?}, cache_read = {:?}, cache_write = {:?} }}",
        price.input.as_usd(),
        price.output.as_usd(),
        price.cache_read.as_usd(),
        price.cache_write.as_usd()
    )
}
