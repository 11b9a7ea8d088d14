//! Reads `harness.toml`: what the repository asks for, checked, with the place of each value.
//!
//! Decides nothing about the person's wishes; `resolve` brings the two together.

use harness_core::{
    CommandRule, Format, Gate, RepoPath, ReviewBy, ScopeRules, Sourced, TokenCount,
};
use serde::Deserialize;

use crate::{
    ConfigError, ConfigFile,
    agent::{self, AgentChoice},
    document::Document,
    error::{Fault, shown},
    format,
    gate::{self, Setup},
    keys::Owner,
    limits::{self, LimitWishes, SandboxLimits},
    raw::{RawRepository, RawRule, Text},
    role::{self, RoleChoices},
    rule,
    value::{self, Here, Lister, Written},
    walk,
};

/// What a repository's file asks for: only what is written in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepositoryConfig {
    /// Patterns of paths; the protected ones come on top of the built-in ones.
    pub scope: ScopeRules,
    /// Gates in the order of the file.
    pub gates: Vec<Gate>,
    /// Formatters in the order of the file.
    pub formats: Vec<Written<Format>>,
    /// Setup steps in the order of the file.
    pub setup: Vec<Setup>,
    /// Whether gates run on an isolated checkout.
    pub isolate: Option<Written<bool>>,
    /// Folders that an isolated checkout may read from the work tree.
    pub link: Vec<RepoPath>,
    /// Who looks at a change before it counts as done.
    pub review: Option<Written<ReviewBy>>,
    /// Hosts the agent may reach once a person has trusted the file.
    pub network: Vec<Sourced>,
    /// Rules about commands: they ask and deny, and never allow.
    pub rules: Vec<CommandRule>,
    pub(crate) feature_file: Option<Written<RepoPath>>,
    pub(crate) map_file: Option<Written<String>>,
    pub(crate) context_budget: Option<Written<TokenCount>>,
    pub(crate) limits: LimitWishes,
    pub(crate) agent: AgentChoice,
    pub(crate) roles: RoleChoices,
}

/// What a pattern may not have to be a path.
const WILDCARDS: [char; 8] = ['*', '?', '[', ']', '{', '}', '\\', '!'];

/// Reads a repository's file.
///
/// # Errors
/// The first thing that is wrong, with its place: text that is no TOML, an
/// unknown key, a key of the user file, or a value that cannot be used.
pub fn parse_repository(file: ConfigFile<'_>) -> Result<RepositoryConfig, ConfigError> {
    let document = Document::new(file)?;
    let table = document.parse()?;
    walk::walk(&document, table.get_ref(), Owner::Repository)?;
    let raw = RawRepository::deserialize(toml::Deserializer::from(table))
        .map_err(|error| document.syntax_fault(&error))?;
    Ok(read(&document, &raw)?)
}

fn read(document: &Document<'_>, raw: &RawRepository) -> Result<RepositoryConfig, Box<Fault>> {
    let table = |name| Here::table(document, name);
    let (features, gates, context) = (table("features"), table("gates"), table("context"));
    let sandbox = SandboxLimits {
        memory: raw.sandbox.memory.as_ref(),
        processes: raw.sandbox.processes.as_ref(),
    };
    Ok(RepositoryConfig {
        scope: scope(document, raw)?,
        gates: gate::gates(document, &raw.gate)?,
        formats: format::formats(document, &raw.format)?,
        setup: gate::setup(document, &raw.setup)?,
        isolate: gates.written("isolate", raw.gates.isolate.as_ref(), |_, _, raw| {
            Ok(*raw.get_ref())
        })?,
        link: linked(&gates, raw)?,
        review: gates.written("review", raw.gates.review.as_ref(), review)?,
        network: value::hosts(
            &table("sandbox"),
            "network",
            &raw.sandbox.network,
            Lister::Repository,
        )?,
        rules: rules(document, &raw.rule)?,
        feature_file: features.written("file", raw.features.file.as_ref(), file_path)?,
        map_file: context.written("map", raw.context.map.as_ref(), file_name)?,
        context_budget: context.written("budget", raw.context.budget.as_ref(), value::tokens)?,
        limits: limits::wishes(document, &[], &raw.limits, &sandbox)?,
        agent: agent::choice(&table("agent"), &raw.agent)?,
        roles: role::of_file(document, &raw.role)?,
    })
}

fn scope(document: &Document<'_>, raw: &RawRepository) -> Result<ScopeRules, Box<Fault>> {
    let scope = Here::table(document, "scope");
    let protect = Here::table(document, "protect");
    Ok(ScopeRules {
        write: value::patterns(&scope, "write", &raw.scope.write)?,
        deny: value::patterns(&scope, "deny", &raw.scope.deny)?,
        hide: value::patterns(&scope, "hide", &raw.scope.hide)?,
        protect: value::patterns(&protect, "paths", &raw.protect.paths)?,
        build: value::patterns(&scope, "build", &raw.scope.build)?,
        host_owned: Vec::new(),
    })
}

fn rules(document: &Document<'_>, raw: &[RawRule]) -> Result<Vec<CommandRule>, Box<Fault>> {
    let rules = rule::rules(document, raw, Owner::Repository)?;
    Ok(rules.into_iter().map(|entry| entry.rule).collect())
}

/// Folders that gates read from the work tree are closed to the agent, which a build output is not.
fn linked(here: &Here<'_>, raw: &RawRepository) -> Result<Vec<RepoPath>, Box<Fault>> {
    let paths = value::repo_paths(here, "link", &raw.gates.link)?;
    for (path, raw_path) in paths.iter().zip(&raw.gates.link) {
        let text = path.to_text();
        if text.contains(WILDCARDS) {
            let problem = "`link` must name folders, without wildcards";
            return Err(here.fault("link", raw_path, problem.to_owned()));
        }
        let overlaps = |pattern: &&Text| {
            let fixed = pattern.get_ref().split(['*', '?', '[']).next();
            let fixed = RepoPath::parse(fixed.unwrap_or_default().trim_end_matches('/'));
            fixed.is_ok_and(|fixed| path.starts_with(&fixed) || fixed.starts_with(path))
        };
        if let Some(build) = raw.scope.build.iter().find(overlaps) {
            let build = shown(build.get_ref());
            let problem = format!(
                "`{}` in `link` is a build output (`{build}`), which the agent can write",
                shown(&text)
            );
            return Err(here.fault("link", raw_path, problem).with_hint(
                "take it out of `[scope] build`: setup steps may write linked folders anyway",
            ));
        }
    }
    Ok(paths)
}

/// Reads who reviews a change, in either file.
pub(crate) fn review(here: &Here<'_>, key: &str, raw: &Text) -> Result<ReviewBy, Box<Fault>> {
    const WORDS: [(&str, ReviewBy); 3] = [
        (ReviewBy::None.as_str(), ReviewBy::None),
        (ReviewBy::Agent.as_str(), ReviewBy::Agent),
        (ReviewBy::Person.as_str(), ReviewBy::Person),
    ];
    value::word(here, key, raw, &WORDS)
}

fn file_path(here: &Here<'_>, key: &str, raw: &Text) -> Result<RepoPath, Box<Fault>> {
    let path = value::repo_path(here, key, raw)?;
    if path.is_root() {
        return Err(here.fault(key, raw, format!("`{key}` names no file")));
    }
    // The path becomes a pattern of what only the harness writes.
    if path.to_text().contains(WILDCARDS) {
        let problem = format!("`{key}` must be the path of one file, without wildcards");
        return Err(here.fault(key, raw, problem));
    }
    Ok(path)
}

/// The map is looked for in every folder, so it is a name and no path.
fn file_name(here: &Here<'_>, key: &str, raw: &Text) -> Result<String, Box<Fault>> {
    let path = file_path(here, key, raw)?;
    if path.components().count() != 1 {
        return Err(here
            .fault(
                key,
                raw,
                format!("`{key}` must be a file name without folders"),
            )
            .with_hint(
                "the map may stand in every folder: name the file only, such as `AGENTS.md`",
            ));
    }
    Ok(path.to_text())
}
