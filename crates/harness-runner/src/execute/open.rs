//! Opens a session: a log, checkpoint 0, and the texts of the first window.

use std::sync::Arc;

use harness_core::{
    ByteCount, CommitId, DirtyMode, Event, Level, RepoPath, RunState, SessionId, SessionOpened,
    Source, SourceKind,
};
use harness_engine::OpenSession;
use harness_gate::progress;
use harness_guard::Guard;
use harness_host::disk::{DiskError, Root};
use harness_store::{LogWriter, RunEntry};

use super::{Ended, Executor, Setting, chain, shop::Workshop};

/// The largest map that is read; the budget of the window is what counts.
const MAP_MAX: ByteCount = ByteCount::mib(1);
/// The largest progress log that is read.
const PROGRESS_MAX: ByteCount = ByteCount::mib(16);
/// How much of the progress log is given: its patterns and its newest entries. Unit: bytes.
const PROGRESS_TAIL: usize = 4 * 1024;
const COMMITS: usize = 8;
const TREE_ENTRIES: usize = 60;

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
    let (session, log) = executor
        .workplace
        .store
        .new_session()
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
    };
    let opened = executor
        .in_shop(move |shop| prepare(shop, performer.root(), place, session, run, feature, &guard));
    let opened = opened.await?;
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
}

fn prepare(
    shop: &mut Workshop,
    root: &Root,
    place: Place,
    session: SessionId,
    mut run: RunState,
    feature: harness_core::Feature,
    guard: &Guard,
) -> Result<SessionOpened, String> {
    let branch = format!("harness/{}", run.run);
    let head_tree = shop.tree_of(&run.base)?;
    let base = run.work_start.clone().unwrap_or(head_tree);
    let start = shop.start(session, &base, guard, &feature)?;
    if run.work_start.is_none() && run.dirty == DirtyMode::Base && start.tree != base {
        run.tip = keep_dirty(shop, &run, &branch, &start.tree)?;
    }
    let note = run.account.note_about(&feature.id);
    let sources = sources(shop, root, &run, guard, note)?;
    Ok(SessionOpened {
        session,
        feature: feature.id,
        repository: place.name,
        root: place.root,
        branch,
        level: place.level,
        start_tree: start.tree,
        start_checkpoint: start.checkpoint,
        sources,
        run,
    })
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

fn sources(
    shop: &Workshop,
    root: &Root,
    run: &RunState,
    guard: &Guard,
    note: Option<&str>,
) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for candidates in harness_context::map_candidates(&run.policy.map_file, &RepoPath::root()) {
        for path in candidates {
            if let Some(text) = read_map(root, &path, guard)? {
                sources.push(Source {
                    kind: SourceKind::Map,
                    path: Some(path),
                    text,
                });
                break;
            }
        }
    }
    if let Some(text) = read(root, &run.policy.progress_file, PROGRESS_MAX)? {
        let text = progress::window(&text, PROGRESS_TAIL);
        let path = Some(run.policy.progress_file.clone());
        sources.push(Source {
            kind: SourceKind::Progress,
            path,
            text,
        });
    }
    // The progress log may have it already, and a task may have no log.
    let is_told = |note: &&str| {
        let mut texts = sources.iter();
        texts.any(|source| source.text.contains(note.trim()))
    };
    if let Some(note) = note.filter(|note| !is_told(note)) {
        sources.push(Source {
            kind: SourceKind::HandOver,
            path: None,
            text: note.to_owned(),
        });
    }
    let commits = shop.repo.recent_commits(COMMITS).join("\n");
    sources.push(Source {
        kind: SourceKind::Commits,
        path: None,
        text: commits,
    });
    let hidden = |path: &RepoPath| guard.scope().is_hidden(path);
    let listing = root.host_list(&RepoPath::root(), &hidden, TREE_ENTRIES);
    let listing = listing.map_err(|error| chain(&error))?;
    let names = listing.entries.iter().map(|entry| match entry.kind {
        harness_host::disk::EntryKind::Folder => format!("{}/", harness_tool::quote(&entry.path)),
        _ => harness_tool::quote(&entry.path),
    });
    let mut text = names.collect::<Vec<_>>().join("\n");
    if listing.cut {
        text.push_str("\n[more entries left out]");
    }
    sources.push(Source {
        kind: SourceKind::Tree,
        path: None,
        text,
    });
    Ok(sources)
}

/// Reads a map; one that is a link to a file of the repository is that file.
fn read_map(root: &Root, path: &RepoPath, guard: &Guard) -> Result<Option<String>, String> {
    match root.host_read_file(path, MAP_MAX) {
        Err(DiskError::IsLink {
            resolved: Some(target),
            ..
        }) if guard.scope().read(&target).is_allowed() => read(root, &target, MAP_MAX),
        _ => read(root, path, MAP_MAX),
    }
}

fn read(root: &Root, path: &RepoPath, max: ByteCount) -> Result<Option<String>, String> {
    match root.host_read_file(path, max) {
        Ok(file) => Ok(Some(String::from_utf8_lossy(&file.bytes).into_owned())),
        Err(DiskError::NotFound { .. }) => Ok(None),
        Err(error) => Err(chain(&error)),
    }
}
