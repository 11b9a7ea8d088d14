//! `harness land`: brings a run's proven features to the current branch.

mod kept;
mod own;
mod there;

use std::path::PathBuf;

use harness_core::{Brought, Event, FeatureId, RunId, SessionOpened};
use harness_git::{GitError, LandError, LandStyle, Own};
use harness_report::JsonLine;
use harness_runner::Lander;
use harness_store::Store;

use self::kept::Kept;
use super::{
    runs::{self, Proven},
    worktree,
};
use crate::{
    cli::{Common, Land},
    compose::Site,
    failure::{Failure, chain},
    output::{Output, say},
    session,
};

/// Paths that are named of those that stand against landing.
const PATHS_MAX: usize = 20;
/// Files whose conflicts are shown.
const CONFLICTS_MAX: usize = 5;

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
    // From a work tree that was made for a run, it goes to the person's.
    let home = site.repo.home().map(|home| Site::open_at(&home));
    let home = home.transpose()?;
    let site = home.as_ref().unwrap_or(site);
    let store = site.existing_store()?.ok_or_else(runs::no_run)?;
    let _lock = session::lock(site, &store)?;
    let run = choose(site, &store, flags.run.as_deref())?;
    let (mut text, line) = bring_run(site, &store, run, flags.squash)?;
    if let Some(tidied) = worktree::tidy(site, &store, run)? {
        text.push_str(&format!("\n{tidied}"));
    }
    Ok((text, line))
}

/// Lands a run for whoever holds the lock of the work tree.
fn bring_run(
    site: &Site,
    store: &Store,
    run: RunId,
    squash: bool,
) -> Result<(String, JsonLine), Failure> {
    let nothing = || {
        Failure::red(format!("run `{run}` has no proven feature to land")).hint("harness status")
    };
    refuse_other_index(site)?;
    if let Err(GitError::NoCommits { .. }) = site.repo.head() {
        return Err(no_commits());
    }
    let opened = runs::openings(store, run)?;
    let opened = opened.into_iter().next().ok_or_else(nothing)?;
    let proven = runs::proven(&site.repo, run, &opened.run.base)?;
    if proven.is_empty() {
        return Err(branch_gone(site, store, run)?.unwrap_or_else(nothing));
    }
    let last = proven.last().ok_or_else(nothing)?.clone();
    let (there, proven) = there::part(site, proven)?;
    let commits: Vec<_> = proven.iter().map(|proven| proven.commit.clone()).collect();
    let titles: Vec<_> = proven
        .iter()
        .map(|proven| (proven.feature.clone(), proven.title.clone()))
        .collect();
    let mut message = harness_runner::land_message(&titles);
    message.push_str(&there::squash_trailers(&commits));
    let style = if squash {
        LandStyle::Squash { message: &message }
    } else {
        LandStyle::EachCommit
    };
    let kept = Kept::find(site, &opened)?;
    let landed = site.repo.land(
        &runs::branch(run),
        &commits,
        style,
        Own {
            keep: &kept.files,
            put: &|path, sides| own::put(&opened.run.policy, path, sides),
        },
        harness_host::clock::now(),
    );
    let landed = landed.map_err(|error| refusal(&error, run, &proven))?;
    kept.catch_up(site, landed.commits)?;
    let branch = landed
        .branch
        .clone()
        .unwrap_or_else(|| "a detached HEAD".to_owned());
    let names = |proven: &[Proven]| {
        let names = proven.iter().map(|proven| proven.feature.to_string());
        names.collect::<Vec<_>>()
    };
    let before = names(&there).join(", ");
    let (text, features) = match landed.commits {
        0 => {
            let all: Vec<String> = [names(&there), names(&proven)].concat();
            let text = format!(
                "feature: nothing new in {run}, {} landed before",
                all.join(", ")
            );
            (text, all)
        }
        commits => {
            let plural = if commits == 1 { "" } else { "s" };
            let names = names(&proven);
            let mut text = format!(
                "feature: landed {} on {branch}, {commits} commit{plural}, HEAD {}",
                names.join(", "),
                landed.head.short()
            );
            if !before.is_empty() {
                text.push_str(&format!("; {before} landed before"));
            }
            if landed.branch.is_none() {
                text.push_str("\n  no branch names these commits: `git switch -c NAME` makes one");
            }
            (text, names)
        }
    };
    let subject_of = |commit| {
        harness_runner::subject_tree_of(&site.repo, &opened.run.policy, commit)
            .map_err(Failure::failed)
    };
    let line = JsonLine::Landed {
        proven_tree: subject_of(&landed.head)? == subject_of(&last.commit)?,
        run: run.to_string(),
        head: landed.head.to_string(),
        commits: landed.commits,
        features,
        branch: landed.branch,
    };
    Ok((text, line))
}

/// Returns the features that a run has proven and that HEAD has not.
pub(super) fn waiting(site: &Site, opened: &SessionOpened) -> Result<Vec<FeatureId>, Failure> {
    let proven = runs::proven(&site.repo, opened.run.run, &opened.run.base)?;
    if proven.is_empty() {
        return Ok(Vec::new());
    }
    let (_, missing) = there::part(site, proven)?;
    Ok(missing.into_iter().map(|proven| proven.feature).collect())
}

/// Lands what a run has proven while the run goes on, in its own work tree.
#[derive(Debug)]
pub(crate) struct RunLander {
    pub(crate) root: PathBuf,
}

impl Lander for RunLander {
    fn land(&self, run: RunId) -> Brought {
        let brought = || -> Result<Brought, Failure> {
            let site = Site::open_at(&self.root)?;
            let store = site.existing_store()?.ok_or_else(runs::no_run)?;
            bring_run(&site, &store, run, false)?;
            let head = site.head()?;
            Ok(Brought::Landed {
                head: head.commit,
                branch: head.branch,
            })
        };
        brought().unwrap_or_else(|failure| Brought::Refused {
            message: failure.to_text().trim_end().to_owned(),
        })
    }
}

/// Finds the run that is named, or the latest one of this work tree that has a branch.
fn choose(site: &Site, store: &Store, named: Option<&str>) -> Result<RunId, Failure> {
    if let Some(name) = named {
        return runs::with_own_tree(site, store, name);
    }
    let mut latest = None;
    for run in runs::newest_first_of_all(site, store)? {
        if site.repo.branch_tip(&runs::branch(run))?.is_some() {
            return Ok(run);
        }
        latest.get_or_insert(run);
    }
    latest.ok_or_else(runs::no_run)
}

/// A feature that was proven and whose branch is gone is not lost: the log has its commit.
fn branch_gone(site: &Site, store: &Store, run: RunId) -> Result<Option<Failure>, Failure> {
    let branch = runs::branch(run);
    if site.repo.branch_tip(&branch)?.is_some() {
        return Ok(None);
    }
    let mut commit = None;
    for session in runs::sessions_of(store, run)? {
        let records = harness_store::read(store.log_path(session)).map(|log| log.records);
        for record in records.unwrap_or_default() {
            if let Event::FeaturePassed(passed) = record.event {
                commit = Some(passed.commit);
            }
        }
    }
    let commit = commit.filter(|commit| site.repo.commit_info(commit).is_ok());
    Ok(commit.map(|commit| {
        Failure::needs_human(format!(
            "the branch `{branch}` is gone; the log says that it stood at {}",
            commit.short()
        ))
        .hint(format!("git branch {branch} {commit}"))
    }))
}

/// Another index than the work tree's own would be left behind.
fn refuse_other_index(site: &Site) -> Result<(), Failure> {
    let Some(index) = std::env::var_os("GIT_INDEX_FILE").filter(|value| !value.is_empty()) else {
        return Ok(());
    };
    let own = site.repo.git_dir().join("index");
    let meant = site.repo.root().join(&index);
    if meant.canonicalize().ok() == own.canonicalize().ok() {
        return Ok(());
    }
    let message = format!(
        "cannot land: GIT_INDEX_FILE names `{}`, which is not the index of this work tree",
        meant.display()
    );
    Err(Failure::needs_human(message).hint("unset GIT_INDEX_FILE"))
}

fn no_commits() -> Failure {
    Failure::needs_human("cannot land: the branch that HEAD names has no commit")
        .hint("`git switch` to the branch that shall have it, then land again")
}

fn refusal(error: &LandError, run: RunId, proven: &[Proven]) -> Failure {
    let list = |paths: &[harness_core::RepoPath]| {
        let mut lines: String = paths
            .iter()
            .take(PATHS_MAX)
            .map(|path| format!("\n  {path}"))
            .collect();
        if paths.len() > PATHS_MAX {
            lines.push_str(&format!("\n  and {} more", paths.len() - PATHS_MAX));
        }
        lines
    };
    let text = chain(error);
    match error {
        LandError::Conflict { files, .. } => {
            let mut text = text;
            for file in files.iter().take(CONFLICTS_MAX) {
                text.push_str(&format!("\n\n{}:", file.path));
                for line in file.text.lines() {
                    text.push_str(&format!("\n  {line}"));
                }
            }
            if files.len() > CONFLICTS_MAX {
                text.push_str(&format!("\n\nand {} more", files.len() - CONFLICTS_MAX));
            }
            let range = match (proven.first(), proven.last()) {
                (Some(first), Some(last)) => {
                    format!("{}^..{}", first.commit.short(), last.commit.short())
                }
                _ => runs::branch(run),
            };
            Failure::needs_human(text).hint(format!(
                "nothing was changed. By hand: `harness abort {run}` takes the run's files out of the work tree and keeps its branch, then `git cherry-pick {range}` stops where it has to be settled. Or start a new run on the present HEAD"
            ))
        }
        LandError::Overlap { work_tree, staged } => {
            let mut text = text;
            if !work_tree.is_empty() {
                text.push_str(&format!("\nin the work tree:{}", list(work_tree)));
            }
            if !staged.is_empty() {
                text.push_str(&format!("\nstaged:{}", list(staged)));
            }
            Failure::needs_human(text).hint(
                "commit or stash your changes in these files, then land again; `git diff HEAD -- FILE` shows them",
            )
        }
        LandError::CaseClash { .. } => Failure::needs_human(text).hint(
            "where the file system tells them apart: `git config core.ignorecase false`, then land again",
        ),
        LandError::Busy { .. } => Failure::needs_human(text)
            .hint("finish or abort it first: `git status` says how, then land again"),
        LandError::Moved => Failure::needs_human(text).hint("land again"),
        LandError::OnRunBranch { .. } => Failure::needs_human(text)
            .hint("`git switch` to the branch that shall have it, then land again"),
        LandError::CheckedOutTwice { .. } => Failure::needs_human(text)
            .hint("`git switch` to another branch there or here, then land again"),
        LandError::Git(GitError::NoCommits { .. }) => no_commits(),
        _ => Failure::failed(text),
    }
}
