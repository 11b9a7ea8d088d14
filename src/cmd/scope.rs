//! `harness scope explain`: what may be read and written, and by which rule.

use harness_core::{AllowedHost, Decision, Level, RepoPath, Verdict};
use harness_guard::{CagePlan, Guard};
use serde_json::json;

use crate::{
    cli::{Common, RunOptions, ScopeCommand},
    compose::{Site, any_feature},
    failure::{Failure, chain},
    network,
    output::Output,
};

pub(super) fn run(common: &Common, command: &ScopeCommand) -> Result<u8, Failure> {
    let ScopeCommand::Explain {
        paths,
        command,
        feature,
        sandbox,
    } = command;
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let feature = match feature {
        Some(id) => {
            let features = site.features(&resolved.policy.feature_file)?;
            let found = features.into_iter().find(|entry| entry.id.as_str() == id);
            found.ok_or_else(|| {
                Failure::usage(format!("there is no feature `{id}`")).hint("harness feature list")
            })?
        }
        None => any_feature(),
    };
    let guard =
        Guard::new(&resolved.policy, &feature).map_err(|error| Failure::usage(chain(&error)))?;
    let mut output = Output::new(common);
    for path in paths {
        let resolved = from_here(&site, path)?;
        let explanation = guard.explain(&resolved);
        let text = format!(
            "{resolved}\n  read: {}\n  write: {}",
            words(&explanation.read),
            words(&explanation.write)
        );
        let body =
            json!({ "path": resolved, "read": explanation.read, "write": explanation.write });
        output.entry("scope", &text, body)?;
    }
    if let Some(command) = command {
        explain_command(&guard, command, &mut output)?;
    }
    if *sandbox {
        explain_sandbox(&site, &resolved, &guard, &mut output)?;
    }
    Ok(0)
}

/// Says which rule decides about a command. Rules are manners: what a command may touch is the sandbox's.
fn explain_command(guard: &Guard, command: &str, output: &mut Output) -> Result<(), Failure> {
    let verdict = guard.judge(&harness_core::Action::Run {
        command: command.to_owned(),
        cwd: RepoPath::root(),
    });
    let text = format!("{command}\n  run: {}", words(&verdict));
    output.entry(
        "command",
        &text,
        json!({ "command": command, "run": verdict }),
    )
}

/// Reads a path as the person means it: from the current folder, or absolute.
fn from_here(site: &Site, path: &str) -> Result<RepoPath, Failure> {
    let root = site.repo.root();
    let outside =
        |error: harness_core::PathError| Failure::ended(harness_core::EndReason::Refused, error);
    if path.starts_with('/') {
        return RepoPath::parse_below(root, path).map_err(outside);
    }
    let here = std::env::current_dir()
        .ok()
        .and_then(|here| here.canonicalize().ok());
    let folder = here.and_then(|here| {
        here.strip_prefix(root)
            .map(|inside| inside.as_os_str().as_encoded_bytes().to_vec())
            .ok()
    });
    let folder = RepoPath::parse(folder.unwrap_or_default()).map_err(outside)?;
    folder.join(path).map_err(outside)
}

fn words(verdict: &Verdict) -> String {
    let rule = verdict
        .rule
        .as_ref()
        .map(|rule| format!(", by {rule}"))
        .unwrap_or_default();
    match verdict.decision {
        Decision::Allow => format!("allow{rule}"),
        decision => format!("{decision}{rule}: {}", verdict.reason),
    }
}

fn explain_sandbox(
    site: &Site,
    resolved: &harness_config::Resolved,
    guard: &Guard,
    output: &mut Output,
) -> Result<(), Failure> {
    let workplace = site.explained_workplace(resolved, site.store()?)?;
    let action = harness_core::Action::Run {
        command: "true".to_owned(),
        cwd: RepoPath::root(),
    };
    let permit = guard
        .permit(action)
        .map_err(|verdict| Failure::ended(harness_core::EndReason::Refused, verdict.reason))?;
    let Some(plan) = CagePlan::for_permit(&permit, &workplace.agent) else {
        return Ok(());
    };
    let list = |paths: &[std::path::PathBuf]| {
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
            .join("\n    ")
    };
    let names: Vec<&str> = plan
        .environment()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let missing = match plan.level() {
        Level::Landlock => {
            "\n  not prevented at this level: new names directly in a writable folder, changes of mode, owner and times; what they touch cannot be committed"
        }
        Level::None | Level::External => "\n  processes are not confined by the harness",
        Level::Namespaces => "",
    };
    let text = format!(
        "sandbox: {}\n  writable:\n    {}\n  readable:\n    {}\n  home: {}\n  network: {}\n  environment: {}{missing}",
        plan.level(),
        list(plan.writable()),
        list(plan.readable()),
        plan.home().display(),
        network_words(plan.level(), &resolved.policy.network),
        names.join(" "),
    );
    let mut body = serde_json::to_value(&plan).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.insert("hosts".to_owned(), network::json(&resolved.policy.network));
    }
    output.entry("sandbox", &text, body)
}

/// Says which hosts are open, who opened them, and what the level makes of it.
fn network_words(level: Level, hosts: &[AllowedHost]) -> String {
    let listed = || format!("\n    {}", network::lines(hosts).join("\n    "));
    match level {
        Level::None | Level::External => {
            format!("not confined by the harness; listed are:{}", listed())
        }
        _ if hosts.is_empty() => "none".to_owned(),
        Level::Landlock => format!(
            "{}\n  not to be held to these hosts at this level: a run is refused",
            listed()
        ),
        Level::Namespaces => listed(),
    }
}
