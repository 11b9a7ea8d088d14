//! `harness land`: brings a run's proven features to the current branch.

mod kept;

use harness_core::RunId;
use harness_git::{LandError, LandStyle};
use harness_report::JsonLine;
use harness_store::Store;

use self::kept::Kept;
use super::runs;
use crate::{
    cli::{Common, Land},
    compose::Site,
    failure::{Failure, chain},
    output::{Output, say},
    session,
};

pub(super) fn run(common: &Common, flags: &Land) -> Result<u8, Failure> {
    let (text, line) = bring(&Site::open(common)?, flags)?;
    if let JsonLine::Landed {
        proven_tree: false, ..
    } = line
    {
        say(
            "warning: HEAD now holds more or less than what was proven: `harness gate run` tells whether it is green",
        );
    }
    let body = serde_json::to_value(&line).unwrap_or_default();
    Output::new(common).entry("landed", &text, body)?;
    Ok(0)
}

/// Lands a run; returns what there is to say, for people and for programs.
pub(crate) fn bring(site: &Site, flags: &Land) -> Result<(String, JsonLine), Failure> {
    let store = site.existing_store()?.ok_or_else(runs::no_run)?;
    let _lock = session::lock(site, &store)?;
    let run = choose(site, &store, flags.run.as_deref())?;
    let nothing = || {
        Failure::red(format!("run `{run}` has no proven feature to land")).hint("harness status")
    };
    let opened = runs::openings(&store, run)?;
    let opened = opened.into_iter().next().ok_or_else(nothing)?;
    let proven = runs::proven(&site.repo, run, &opened.run.base)?;
    if proven.is_empty() {
        return Err(nothing());
    }
    let commits: Vec<_> = proven.iter().map(|proven| proven.commit.clone()).collect();
    let titles: Vec<_> = proven
        .iter()
        .map(|proven| (proven.feature.clone(), proven.title.clone()))
        .collect();
    let message = harness_runner::land_message(&titles);
    let style = if flags.squash {
        LandStyle::Squash { message: &message }
    } else {
        LandStyle::EachCommit
    };
    let kept = Kept::find(site, &opened)?;
    let landed = site.repo.land(
        &runs::branch(run),
        &commits,
        style,
        &kept.files,
        harness_host::clock::now(),
    );
    let landed = landed.map_err(|error| refusal(&error))?;
    kept.catch_up(site)?;
    let branch = landed
        .branch
        .clone()
        .unwrap_or_else(|| "a detached HEAD".to_owned());
    let names: Vec<&str> = proven
        .iter()
        .map(|proven| proven.feature.as_str())
        .collect();
    let text = match landed.commits {
        0 => format!(
            "feature: nothing new in {run}, {} landed before",
            names.join(", ")
        ),
        commits => {
            let plural = if commits == 1 { "" } else { "s" };
            format!(
                "feature: landed {} on {branch}, {commits} commit{plural}, HEAD {}",
                names.join(", "),
                landed.head.short()
            )
        }
    };
    let subject_of = |commit| {
        harness_runner::subject_tree_of(&site.repo, &opened.run.policy, commit)
            .map_err(Failure::failed)
    };
    let last = proven.last().ok_or_else(nothing)?;
    let line = JsonLine::Landed {
        proven_tree: subject_of(&landed.head)? == subject_of(&last.commit)?,
        run: run.to_string(),
        head: landed.head.to_string(),
        commits: landed.commits,
        features: names.iter().map(ToString::to_string).collect(),
        branch: landed.branch,
    };
    Ok((text, line))
}

/// Finds the run that is named, or the latest one of this work tree that has a branch.
fn choose(site: &Site, store: &Store, named: Option<&str>) -> Result<RunId, Failure> {
    if let Some(name) = named {
        return runs::named(site, store, name);
    }
    let mut latest = None;
    for run in runs::newest_first(site, store)? {
        if site.repo.branch_tip(&runs::branch(run))?.is_some() {
            return Ok(run);
        }
        latest.get_or_insert(run);
    }
    latest.ok_or_else(runs::no_run)
}

fn refusal(error: &LandError) -> Failure {
    let list = |paths: &[harness_core::RepoPath]| {
        paths
            .iter()
            .take(20)
            .map(|path| format!("\n  {path}"))
            .collect::<String>()
    };
    let text = chain(error);
    match error {
        LandError::Conflict { paths, .. } => {
            Failure::needs_human(format!("{text}:{}", list(paths)))
                .hint("start a new run on the present HEAD, or merge the run's branch by hand")
        }
        LandError::Overlap { work_tree, staged } => {
            Failure::needs_human(format!("{text}:{}{}", list(work_tree), list(staged)))
                .hint("commit or stash your changes in these files, then land again")
        }
        LandError::Busy { .. } => Failure::needs_human(text).hint("finish or abort it first"),
        LandError::Moved => Failure::needs_human(text).hint("land again"),
        _ => Failure::failed(text),
    }
}
