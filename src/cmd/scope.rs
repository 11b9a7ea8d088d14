//! `harness scope explain`: what may be read and written, and by which rule.

mod gates;
mod sandbox;

use std::fs;

use harness_core::{Decision, RepoPath, Verdict};
use harness_guard::Guard;
use serde_json::json;

use crate::{
    cli::{Common, RunOptions, ScopeCommand},
    compose::{Site, any_feature},
    failure::{Failure, chain},
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
    let plan = sandbox
        .then(|| sandbox::plan(&site, &resolved, &guard))
        .transpose()?;
    for path in paths {
        let resolved = from_here(&site, path)?;
        let explanation = guard.explain(&resolved);
        let mut text = format!(
            "{resolved}\n  read: {}\n  write: {}",
            words(&explanation.read),
            words(&explanation.write)
        );
        let mut body =
            json!({ "path": resolved, "read": explanation.read, "write": explanation.write });
        if let Some(plan) = &plan
            && explanation.write.decision != Decision::Allow
        {
            let whole = site.repo.root().join(resolved.as_path());
            let held = plan.holds(&whole, fs::symlink_metadata(&whole).is_ok());
            text.push_str(&format!("\n  a process that writes it: {held}"));
            body["process"] = json!(held);
        }
        output.entry("scope", &text, body)?;
    }
    if let Some(command) = command {
        explain_command(&guard, command, &mut output)?;
    }
    if let Some(plan) = &plan {
        sandbox::explain(plan, &resolved, &mut output)?;
        gates::explain(&site, &resolved, &guard, &mut output)?;
    }
    Ok(0)
}

/// Says which rule decides about a command. Rules are manners: what a command may touch is the sandbox's.
fn explain_command(guard: &Guard, command: &str, output: &mut Output) -> Result<(), Failure> {
    let verdict = guard.judge(&harness_core::Action::Run {
        command: command.to_owned(),
        cwd: RepoPath::root(),
        background: false,
    });
    let text = format!("{command}\n  run: {}", words(&verdict));
    output.entry(
        "command",
        &text,
        json!({ "command": command, "run": verdict }),
    )
}

/// Reads a path as the person means it: from the current folder, or absolute.
pub(super) fn from_here(site: &Site, path: &str) -> Result<RepoPath, Failure> {
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
