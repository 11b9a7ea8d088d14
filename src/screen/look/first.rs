//! What a first run offers: models on this machine, keys in the environment, gates and scopes.
//!
//! Servers on this machine are asked for at most 300 ms; nothing else is reached, and of keys only
//! the names of their variables are told.

use harness_config::KeySource;
use harness_guard::Scope;
use harness_tui::FirstFound;

use crate::{
    cli::{Common, RunOptions},
    cmd::models,
    compose::{CONFIG_FILE, Site, any_feature, config_path},
    detect,
    failure::{Failure, chain},
    files::{self, HOST_FILE_MAX},
    loopback, session,
};

pub(super) fn first(common: &Common) -> Result<FirstFound, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let head = site.head()?;
    let local = loopback::find(&models::servers(&resolved)).into_iter();
    // What cannot call tools can do no work.
    let local = local.filter(|found| found.told.tools != Some(false));
    let keyed = resolved
        .models
        .values()
        .filter_map(|model| match &model.key {
            Some(KeySource::Env(name)) if session::is_set(name) => {
                Some((model.name.clone(), name.clone()))
            }
            _ => None,
        });
    let has_config = site.repository.is_some();
    let (gates, write): (Vec<String>, Vec<String>) = if has_config {
        let policy = &resolved.policy;
        let gates = policy.gates.iter().map(|gate| gate.run.join(" "));
        let write = policy.scope.write.iter().map(|rule| rule.value.clone());
        (gates.collect(), write.collect())
    } else {
        let found = detect::detect(&site);
        let gates = found.gates.iter().map(|gate| gate.run.join(" "));
        (gates.collect(), found.write)
    };
    Ok(FirstFound {
        repository: site.repo.name(),
        branch: head.branch.unwrap_or_else(|| "detached HEAD".to_owned()),
        changed: changed(&site, &resolved.policy.scope)?,
        local: local.map(|found| found.name()).collect(),
        keys: keyed.collect(),
        gates,
        write,
        has_config,
        lines: lines(&site)?,
    })
}

/// Counts what is not committed.
fn changed(site: &Site, policy: &harness_core::ScopeRules) -> Result<usize, Failure> {
    let scope = Scope::compile(policy, &any_feature());
    let scope = scope.map_err(|error| Failure::usage(chain(&error)))?;
    let changes = site.repo.dirty(&|path| scope.is_writable(path), &|_| false);
    Ok(changes
        .map_err(|error| Failure::failed(chain(&error)))?
        .len())
}

/// Finds where scopes and gates stand in `harness.toml`, from 1.
fn lines(site: &Site) -> Result<(u32, u32), Failure> {
    let file = files::read_beneath(&site.root, &config_path(), HOST_FILE_MAX)?;
    let bytes = file.map(|file| file.bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let line = |heading: &str| {
        let at = text
            .lines()
            .position(|line| line.trim_start().starts_with(heading));
        at.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(1)
    };
    Ok((line("[scope]"), line("[[gate]]")))
}

/// Whether nothing was ever set up or run here.
pub(super) fn is_first(site: &Site) -> Result<bool, Failure> {
    let has_config = site.repo.root().join(CONFIG_FILE).exists();
    let sessions = site.existing_store()?.map(|store| store.sessions());
    let sessions = sessions.transpose();
    let sessions = sessions.map_err(|error| Failure::failed(chain(&error)))?;
    Ok(!has_config && sessions.is_none_or(|sessions| sessions.is_empty()))
}
