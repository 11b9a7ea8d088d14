//! Opens a session: a log, checkpoint 0, and the texts of the first window.

use std::sync::Arc;

use harness_core::{CommitId, DirtyMode, Event, Level, RunState, SessionId, SessionOpened};
use harness_engine::OpenSession;
use harness_guard::Guard;
use harness_host::disk::Root;
use harness_store::{LogWriter, RunEntry};

use super::{Ended, Executor, Setting, chain, shop::Workshop};
use crate::{
    Workplace,
    context::{Around, gather},
    programs::{self, Known, Located},
};

/// Opens a session for the feature the engine has chosen.
pub(super) async fn open(executor: &Executor, open: OpenSession) -> Ended {
    match try_open(executor, open).await {
        Ok((opened, log)) => Ended::Opened {
            opened: Box::new(opened),
            log,
        },
        Err(message) => Ended::Event(Event::OpenFailed { message }),
    }
}

async fn try_open(
    executor: &Executor,
    open: OpenSession,
) -> Result<(SessionOpened, LogWriter), String> {
    let OpenSession { run, feature } = open;
    let guard = Guard::new(&run.policy, &feature).map_err(|error| chain(&error))?;
    let used = executor.in_shop(|shop| {
        let found = shop.repo.sessions_with_checkpoints();
        found.map_err(|error| chain(&error))
    });
    let used = used.await?.last().copied();
    let (session, log) = executor
        .workplace
        .store
        .new_session_after(used)
        .map_err(|error| chain(&error))?;
    let log = log.with_redaction(Box::new(super::redact_for_log));
    let entry = RunEntry {
        run: run.run,
        session,
        started_at: harness_host::clock::now(),
    };
    executor
        .workplace
        .store
        .append_run(&entry)
        .map_err(|error| chain(&error))?;
    executor
        .performer
        .begin_session(&guard, &run.policy.map_file);
    executor.setup.begin_session(session);
    executor.remove_half_written(&run)?;
    let performer = Arc::clone(&executor.performer);
    let watched = guard.clone();
    let place = Place {
        level: executor.workplace.level,
        name: executor.workplace.name.clone(),
        root: executor.workplace.root.display().to_string(),
        known: known(&executor.workplace),
    };
    let opened = executor
        .in_shop(move |shop| prepare(shop, performer.root(), place, session, run, feature, &guard));
    let (opened, unasked) = opened.await?;
    ask_beside(&executor.workplace, unasked);
    executor.performer.watch(&watched, &opened);
    let setting = Setting {
        run: opened.run.clone(),
        opened: opened.clone(),
    };
    executor.in_shop(move |shop| shop.take_up(&setting)).await?;
    Ok((opened, log))
}

/// What of the workplace stands in the first record.
struct Place {
    level: Level,
    name: String,
    root: String,
    known: Known,
}

fn known(workplace: &Workplace) -> Known {
    let caches = workplace.programs.parent().unwrap_or(&workplace.cache);
    Known::read(&workplace.programs, &workplace.agent, caches)
}

/// Has programs say their versions while the session goes on: the next one is told.
fn ask_beside(workplace: &Workplace, unasked: Vec<Located>) {
    if unasked.is_empty() {
        return;
    }
    let empty = workplace.cache.join("empty");
    let (machine, file) = (workplace.agent.clone(), workplace.programs.clone());
    drop(tokio::spawn(programs::ask(machine, file, empty, unasked)));
}

fn prepare(
    shop: &mut Workshop,
    root: &Root,
    place: Place,
    session: SessionId,
    mut run: RunState,
    feature: harness_core::Feature,
    guard: &Guard,
) -> Result<(SessionOpened, Vec<Located>), String> {
    let branch = format!("harness/{}", run.run);
    let head_tree = shop.tree_of(&run.base)?;
    let base = run.work_start.clone().unwrap_or(head_tree);
    let start = shop.start(session, &base, guard, &feature)?;
    if run.work_start.is_none() && run.dirty == DirtyMode::Base && start.tree != base {
        run.tip = keep_dirty(shop, &run, &branch, &start.tree)?;
    }
    let gathered = gather(Around {
        root,
        repo: &shop.repo,
        run: &run,
        guard,
        note: run.account.note_about(&feature.id),
        known: &place.known,
    })?;
    let opened = SessionOpened {
        session,
        feature: feature.id,
        repository: place.name,
        root: place.root,
        branch,
        level: place.level,
        start_tree: start.tree,
        start_checkpoint: start.checkpoint,
        sources: gathered.sources,
        documents: Some(gathered.documents),
        run,
    };
    Ok((opened, gathered.unasked))
}

/// Commits the person's uncommitted work to the run's branch, as the base of everything.
fn keep_dirty(
    shop: &Workshop,
    run: &RunState,
    branch: &str,
    tree: &harness_core::TreeId,
) -> Result<CommitId, String> {
    let message = format!("wip before {}\n", run.run);
    let parents = std::slice::from_ref(&run.base);
    let made = shop.repo.commit_to_branch(
        branch,
        None,
        tree,
        parents,
        &message,
        harness_host::clock::now(),
    );
    made.map_err(|error| chain(&error))
}
