//! `harness abort`: gives a run up and takes its files back.
//!
//! What is there is saved first and the log says that the run was given up, so
//! that nothing is lost and nothing is built upon it; then files go back. A
//! file that is not as the run left it is a person's now, and stays.

mod host_files;
mod work;

use harness_core::{EndReason, Event, RunId, SessionId, SessionOpened};
use harness_guard::HostAct;
use harness_runner::restore_ignored;
use harness_store::{LogWriter, Store};
use serde_json::json;

use self::work::Work;
use super::{moved, runs, worktree};
use crate::{
    cli::{Abort, Common},
    compose::{Site, evidence_path},
    failure::{Failure, NEEDS_HUMAN, chain},
    output::{Output, say},
    session,
};

pub(super) fn run(common: &Common, flags: &Abort) -> Result<u8, Failure> {
    let here = Site::open(common)?;
    let home = here.repo.home().map(|home| Site::open_at(&home));
    let home = home.transpose()?.unwrap_or(here);
    let store = home.existing_store()?.ok_or_else(runs::no_run)?;
    let lock = session::lock(&home, &store)?;
    let (run, openings) = choose(&home, &store, flags.run.as_deref())?;
    let linked = worktree::of_run(&home, &store, run);
    let linked = linked.map(|linked| moved::ready(&home, &linked));
    let linked = linked.transpose()?;
    let (site, _lock) = match &linked {
        Some(linked) => {
            let site = Site::open_at(&linked.root)?;
            let lock = session::lock(&site, &store)?;
            (site, lock)
        }
        None => (Site::open_at(home.repo.root())?, lock),
    };
    let openings = unlanded(&home, &openings)?;
    refuse_landed(&home, run, &openings)?;
    let mut work = Work::of(&site, &openings)?;
    let saved = work.save()?;
    let last = openings.last().map(|opened| opened.session);
    close(&store, last.ok_or_else(|| never_began(run))?)?;
    let mut files = work.take_back(&saved)?;
    if let Some(first) = openings.first() {
        let ignored = restore_ignored(store.folder(), first.session, &site.root, HostAct::Abort);
        files += ignored.map_err(Failure::failed)?.len();
    }
    let mut left = work.left()?;
    let hint = (!left.is_empty()).then(|| saved.to_hint());
    left.extend(host_files::take_back(&site, &store, &openings)?);
    let is_removed = linked.is_some() && left.is_empty();
    if let Some(linked) = linked.as_ref().filter(|_| is_removed) {
        worktree::remove(&home, linked);
    }
    let mut text = format!(
        "checkpoint: {run} given up, {files} files as before it; its branch and checkpoints are kept"
    );
    if let Some(linked) = &linked {
        let end = if is_removed { "removed" } else { "kept" };
        text.push_str(&format!(
            "; its work tree `{}` is {end}",
            linked.root.display()
        ));
    }
    for path in &left {
        text.push_str(&format!(
            "\n  {path} left as it is: the run did not leave it so"
        ));
    }
    let body = json!({ "run": run.to_string(), "files": files,
        "left": left.iter().map(ToString::to_string).collect::<Vec<_>>() });
    Output::new(common).entry("aborted", &text, body)?;
    if let Some(hint) = hint {
        say(&format!("hint: {hint}"));
    }
    Ok(if left.is_empty() { 0 } else { NEEDS_HUMAN })
}

/// Finds the run that is named, or the latest one of this work tree that began.
fn choose(
    site: &Site,
    store: &Store,
    named: Option<&str>,
) -> Result<(RunId, Vec<SessionOpened>), Failure> {
    let runs: Vec<RunId> = match named {
        Some(name) => vec![runs::with_own_tree(site, store, name)?],
        None => runs::newest_first_of_all(site, store)?,
    };
    for run in &runs {
        let openings = runs::openings(store, *run)?;
        if !openings.is_empty() {
            return Ok((*run, openings));
        }
    }
    Err(runs.first().copied().map_or_else(runs::no_run, never_began))
}

fn never_began(run: RunId) -> Failure {
    Failure::usage(format!("run `{run}` never began")).hint("harness status")
}

/// Returns the sessions whose work is not HEAD's yet, in a run that lands after each feature; all of
/// them where that is none or the run leaves HEAD alone.
fn unlanded(site: &Site, openings: &[SessionOpened]) -> Result<Vec<SessionOpened>, Failure> {
    let lands = openings.iter().any(|opened| opened.run.lands.is_some());
    let head = site.head()?.tree;
    let mut left = Vec::new();
    for opened in openings.iter().filter(|_| lands) {
        let proof = site.text_of(&head, &evidence_path(&opened.feature))?;
        let session = format!("\"session\": \"{}\"", opened.session);
        if !proof.is_some_and(|proof| proof.contains(&session)) {
            left.push(opened.clone());
        }
    }
    Ok(if left.is_empty() {
        openings.to_vec()
    } else {
        left
    })
}

/// What landed is HEAD's: taking its files back would leave the reverse of it uncommitted.
fn refuse_landed(site: &Site, run: RunId, openings: &[SessionOpened]) -> Result<(), Failure> {
    let (Some(first), Some(tip)) = (openings.first(), site.repo.branch_tip(&runs::branch(run))?)
    else {
        return Ok(());
    };
    let (head, tree) = (site.head()?, site.repo.tree_of(&tip)?);
    for proven in runs::proven(&site.repo, run, first.run.head())? {
        let path = evidence_path(&proven.feature);
        let proof = site.text_of(&tree, &path)?;
        if head.commit == tip || proof.is_some() && site.text_of(&head.tree, &path)? == proof {
            let message = format!("run `{run}` has landed: HEAD has {}", proven.feature);
            return Err(Failure::needs_human(message).hint("git revert"));
        }
    }
    Ok(())
}

/// Says in the log that the run is over, so that it is not taken up again.
fn close(store: &Store, session: SessionId) -> Result<(), Failure> {
    let failed =
        |error| Failure::failed(chain(&error)).hint(format!("harness log verify {session}"));
    let (mut log, records, _) = LogWriter::reopen(store, session).map_err(failed)?;
    let aborted = Event::RunEnded {
        reason: EndReason::Aborted,
        detail: String::new(),
    };
    if records.last().is_some_and(|record| record.event == aborted) {
        return Ok(());
    }
    log.append(&aborted, harness_host::clock::now())
        .and_then(|_| log.sync())
        .map_err(failed)
}
