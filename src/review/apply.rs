//! Carries rejections out where no run is at work: a run does that itself, at the end of a turn.
//!
//! What is taken back is a checkpoint of the newest session of the run, so that it can be undone;
//! where there is no session, a patch is kept that brings it back.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use harness_core::{CheckpointNumber, RepoPath, TreeId};
use harness_git::Repo;
use harness_review::{Book, Clash, Decision, Outcome};
use harness_runner::{TurnDown, TurnedBack};
use harness_store::Store;

use super::desk::Desk;
use crate::{
    cmd::{checkpoint::known::Known, runs},
    failure::{Failure, chain},
    session,
};

/// The largest file that is told in a patch.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// What became of the rejections of a review.
#[derive(Debug)]
pub(crate) enum Applied {
    /// None waited.
    Nothing,
    /// The run whose change it is is at work, and takes them back at the end of its turn.
    AtTurnEnd,
    /// Another run is at work in this work tree: they wait.
    Later,
    /// They were carried out.
    Done(Done),
}

/// Rejections that were carried out.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) parts: Vec<Part>,
    pub(crate) kept: Kept,
}

/// A rejection, and what became of it.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) path: RepoPath,
    pub(crate) hunk: String,
    /// Both sides, where it could not be taken back.
    pub(crate) clash: Option<Clash>,
}

/// Where the way back is.
#[derive(Debug)]
pub(crate) enum Kept {
    /// Nothing was changed.
    Nowhere,
    /// A checkpoint; the one before it has what was taken back.
    Checkpoint(String, CheckpointNumber),
    /// A patch that brings it back.
    Patch(PathBuf),
}

/// Carries out what waits.
pub(crate) fn pending(desk: &Desk<'_>) -> Result<Applied, Failure> {
    let book = desk.book()?;
    if book.pending().next().is_none() {
        return Ok(Applied::Nothing);
    }
    let store = desk.site.store()?;
    let Ok(_lock) = session::lock(desk.site, &store) else {
        return at_work(desk, &store);
    };
    // Another face may have decided before the lock was taken.
    let book = desk.book()?;
    let waiting: Vec<&Decision> = book.pending().collect();
    let known = known(desk, &store)?;
    let last = known.as_ref().and_then(|known| known.whole.last());
    let base = match last {
        Some(last) => last.tree.clone(),
        None => desk.site.head()?.tree,
    };
    let whole = known.iter().flat_map(|known| known.whole.iter().rev());
    let mut sources = vec![desk.source.old().clone()];
    sources.extend(whole.map(|entry| entry.tree.clone()));
    sources.extend(desk.site.repo.head().map(|head| head.tree));
    let turned = TurnDown {
        repo: &desk.site.repo,
        base: &base,
        sources: &sources,
        forbidden: &|_| None,
    };
    let turned = turned.carry_out(&waiting).map_err(Failure::failed)?;
    let kept = match (&known, turned.changed.is_empty()) {
        (_, true) => Kept::Nowhere,
        (Some(known), false) => checkpoint(&desk.site.repo, known, &base, &turned)?,
        (None, false) => {
            let patch = patch(&desk.site.repo, &turned)?;
            let kept = store.keep_turned_down(&desk.source.key, &patch);
            Kept::Patch(kept.map_err(|error| Failure::failed(chain(&error)))?)
        }
    };
    note(desk, &waiting, &turned)?;
    let parts = waiting
        .iter()
        .zip(turned.outcomes)
        .map(|(decision, outcome)| Part {
            path: decision.path.clone(),
            hunk: decision.hunk.to_string(),
            clash: match outcome {
                Outcome::Clash(clash) => Some(clash),
                Outcome::Applied { .. } | Outcome::Already => None,
            },
        });
    Ok(Applied::Done(Done {
        parts: parts.collect(),
        kept,
    }))
}

/// Whose run holds the work tree.
fn at_work(desk: &Desk<'_>, store: &Store) -> Result<Applied, Failure> {
    let latest = runs::latest_session(desk.site, store)?;
    let opened = latest
        .map(|session| runs::began(store, session))
        .transpose()?;
    let run = opened.flatten().map(|opened| opened.run.run);
    Ok(if run.is_some() && run == desk.source.run {
        Applied::AtTurnEnd
    } else {
        Applied::Later
    })
}

/// Returns what is known of the checkpoints of the run's newest session.
fn known(desk: &Desk<'_>, store: &Store) -> Result<Option<Known>, Failure> {
    let Some(run) = desk.source.run else {
        return Ok(None);
    };
    let newest = runs::sessions_of(store, run)?.pop();
    let known = newest
        .map(|session| Known::of(desk.site, store, session))
        .transpose()?;
    Ok(known.filter(|known| !known.whole.is_empty()))
}

/// Saves what was there, if no checkpoint has it, and what is there now.
fn checkpoint(
    repo: &Repo,
    known: &Known,
    base: &TreeId,
    turned: &TurnedBack,
) -> Result<Kept, Failure> {
    let (mut name, now) = (known.next(), harness_host::clock::now());
    let mut parent = known.last()?.commit.clone();
    if turned.before != *base {
        let message = "before what a person turned down, with changes by hand";
        parent = repo.checkpoint(name, &turned.before, Some(&parent), message, now)?;
        name.number = name.number.next();
    }
    let message = "what a person turned down is taken back";
    repo.checkpoint(name, &turned.after, Some(&parent), message, now)?;
    Ok(Kept::Checkpoint(known.session.to_string(), name.number))
}

/// Words what brings back what was taken back.
fn patch(repo: &Repo, turned: &TurnedBack) -> Result<String, Failure> {
    let mut text = String::new();
    for change in repo.file_changes(&turned.after, &turned.before)? {
        let side = |state: Option<&harness_git::FileState>| -> Result<Option<String>, Failure> {
            let Some(state) = state else {
                return Ok(Some(String::new()));
            };
            let bytes = repo.content(state, FILE_BYTES_MAX)?;
            Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
        };
        match (side(change.old.as_ref())?, side(change.new.as_ref())?) {
            (Some(old), Some(new)) => {
                text.push_str(&harness_review::unified(&change.path, &old, &new));
            }
            _ => {
                let blob = change.new.map(|state| state.blob.to_string());
                let blob = blob.unwrap_or_default();
                text.push_str(&format!(
                    "# `{}` is no text: it was blob {blob}\n",
                    change.path
                ));
            }
        }
    }
    Ok(text)
}

/// Notes in the book what was taken back; what could not be is to be decided anew.
fn note(desk: &Desk<'_>, waiting: &[&Decision], turned: &TurnedBack) -> Result<(), Failure> {
    let is_clash = |outcome: &Outcome| matches!(outcome, Outcome::Clash(_));
    let ids = |clashes: bool| -> BTreeSet<String> {
        let all = waiting.iter().zip(&turned.outcomes);
        let meant = all.filter(|(_, outcome)| is_clash(outcome) == clashes);
        meant.map(|(decision, _)| decision.id.clone()).collect()
    };
    let (done, clashed) = (ids(false), ids(true));
    desk.update(|book, _, now| {
        book.applied(&done, now);
        withdraw(book, &clashed, now);
        Ok(())
    })
}

fn withdraw(book: &mut Book, ids: &BTreeSet<String>, now: harness_core::Timestamp) {
    let clashed = book
        .decisions
        .iter_mut()
        .filter(|decision| ids.contains(&decision.id));
    for decision in clashed {
        (decision.withdrawn, decision.kept) = (Some(now), None);
    }
}

/// Names where the way back is.
pub(crate) fn way_back(kept: &Kept, root: &Path) -> Option<String> {
    match kept {
        Kept::Nowhere => None,
        Kept::Checkpoint(session, number) => {
            let before = number.0.saturating_sub(1);
            Some(format!(
                "saved as checkpoint {number} of {session}; `harness checkpoint undo {before} --session {session}` brings it back"
            ))
        }
        Kept::Patch(path) => Some(format!(
            "`git -C {} apply {}` brings it back",
            root.display(),
            path.display()
        )),
    }
}
