//! Runs in a work tree of their own: made for `run --worktree`, found by `resume`, `land` and `abort`,
//! and removed when nothing is in it that is not elsewhere.

use harness_config::Resolved;
use harness_core::{RepoPath, RunId};
use harness_git::{Linked, LinkedMade, SnapshotCache};
use harness_store::Store;
use serde_json::json;

use super::{moved, runs};
use crate::{
    cli::{Common, Run},
    compose::{Site, config_path},
    failure::Failure,
    job::Done,
    session,
    surface::Surface,
};

/// Paths that are named of what the new work tree has not.
const NAMED_MAX: usize = 5;

/// Makes a work tree from HEAD and runs there.
pub(super) fn run(common: &Common, flags: &Run, surface: &dyn Surface) -> Result<Done, Failure> {
    let site = Site::open(common)?;
    if let Some(home) = site.repo.home() {
        let message = "this work tree was made for a run already";
        return Err(Failure::usage(message).hint(format!("cd {}", home.display())));
    }
    let head = site.head()?;
    let resolved = site.resolve(&flags.options)?;
    refuse_uncommitted_rules(&site, &resolved)?;
    let store = site.store()?;
    sweep(&site, &store);
    let place = site.folders.worktrees_of(site.repo.root());
    let made = site.repo.add_linked(&place, &head.commit)?;
    tell(&site, &resolved, &made, surface)?;
    let inside = Common {
        directory: Some(made.linked.root.clone()),
        ..common.clone()
    };
    let flags = Run {
        worktree: false,
        ..flags.clone()
    };
    let done = super::run::work(&inside, &flags, surface);
    // A run that never began leaves nothing that is worth a folder.
    if !has_session(&store, &made.linked) {
        remove(&site, &made.linked);
    }
    done
}

/// Finds the work tree that a run has for itself, seen from the person's.
pub(super) fn of_run(site: &Site, store: &Store, run: RunId) -> Option<Linked> {
    let sessions = runs::sessions_of(store, run).ok()?;
    let root = runs::root_of(store, *sessions.first()?)?;
    let mut ours = moved::linked(site).into_iter();
    ours.find(|linked| moved::is_of(store, linked, &root))
}

/// Removes the work tree of a run that landed, unless something in it is nowhere else.
///
/// Returns what there is to say.
pub(super) fn tidy(site: &Site, store: &Store, run: RunId) -> Result<Option<String>, Failure> {
    let Some(linked) = of_run(site, store, run) else {
        return Ok(None);
    };
    let linked = moved::ready(site, &linked)?;
    let folder = linked.root.display().to_string();
    let Ok(inside) = Site::open_at(&linked.root) else {
        return Ok(None);
    };
    let Ok(_lock) = session::lock(&inside, store) else {
        return Ok(Some(format!(
            "note: a command works in `{folder}`, so it stays"
        )));
    };
    let left = left_in(&inside, run)?;
    if left.is_empty() {
        remove(site, &linked);
        return Ok(Some(format!(
            "note: the run's work tree `{folder}` is removed: nothing else was in it"
        )));
    }
    let named: Vec<String> = left.iter().take(NAMED_MAX).map(RepoPath::to_text).collect();
    let more = left.len().saturating_sub(named.len());
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Ok(Some(format!(
        "note: the run's work tree stays, what is in it is nowhere else: {}{rest} in `{folder}`; `harness abort {run}` gives it up",
        named.join(", ")
    )))
}

/// Returns what the work tree of a run has beyond the run's branch.
fn left_in(inside: &Site, run: RunId) -> Result<Vec<RepoPath>, Failure> {
    let Some(tip) = inside.repo.branch_tip(&runs::branch(run))? else {
        return Ok(vec![RepoPath::root()]);
    };
    let tip = inside.repo.tree_of(&tip)?;
    let mut cache = SnapshotCache::default();
    let here = inside
        .repo
        .snapshot(&mut cache, &tip, &[RepoPath::root()], &|_| false)?;
    if !here.skipped.is_empty() {
        let skipped = here.skipped.into_iter();
        return Ok(skipped.map(|skipped| skipped.path).collect());
    }
    let changes = inside.repo.diff(&tip, &here.tree)?.into_iter();
    Ok(changes.map(|change| change.path).collect())
}

/// Removes a work tree with its caches; what cannot be removed is no reason to fail.
pub(super) fn remove(site: &Site, linked: &Linked) {
    let _ = std::fs::remove_dir_all(site.folders.cache_of(&linked.root));
    let _ = site.repo.remove_linked(linked);
}

/// Removes what a process left that was killed before its run began.
fn sweep(site: &Site, store: &Store) {
    for linked in moved::linked(site) {
        if has_session(store, &linked) {
            continue;
        }
        match Site::open_at(&linked.root) {
            // Whoever holds the lock is about to begin.
            Ok(inside) => {
                if let Ok(_lock) = session::lock(&inside, store) {
                    remove(site, &linked);
                }
            }
            Err(_) => remove(site, &linked),
        }
    }
}

fn has_session(store: &Store, linked: &Linked) -> bool {
    let sessions = store.sessions().unwrap_or_default();
    let mut newest_first = sessions.into_iter().rev();
    newest_first.any(|session| {
        let root = runs::root_of(store, session);
        root.is_some_and(|root| moved::is_of(store, linked, &root))
    })
}

/// What a run goes by has to be in the commit that its work tree is made from.
fn refuse_uncommitted_rules(site: &Site, resolved: &Resolved) -> Result<(), Failure> {
    let head = site.head()?.tree;
    let mut differing = Vec::new();
    for path in [config_path(), resolved.policy.feature_file.clone()] {
        let here = site.host_file(&path)?.map(|(text, _)| text);
        if here != site.text_of(&head, &path)? {
            differing.push(path.to_text());
        }
    }
    if differing.is_empty() {
        return Ok(());
    }
    let names = differing.join(" ");
    let message = format!("a work tree is made from HEAD, and HEAD has another {names}");
    Err(Failure::needs_human(message).hint(format!("git add {names} && git commit")))
}

/// Says where the run works and what is not there.
fn tell(
    site: &Site,
    resolved: &Resolved,
    made: &LinkedMade,
    surface: &dyn Surface,
) -> Result<(), Failure> {
    let folder = made.linked.root.display().to_string();
    let dirty = site.repo.dirty(&|_| true, &|_| false)?;
    let dirty: Vec<RepoPath> = dirty.into_iter().map(|change| change.path).collect();
    let ignored = site.repo.ignored_at_root()?;
    let mut text = format!("note: works in `{folder}`, made from HEAD");
    for (paths, what) in [
        (&dirty, "your uncommitted changes are not there"),
        (&ignored, "ignored files are not there"),
        (&made.modules, "submodules are empty there"),
        (
            &made.unfiltered,
            "files of a filter program hold what git stores",
        ),
    ] {
        if paths.is_empty() {
            continue;
        }
        let named: Vec<String> = paths
            .iter()
            .take(NAMED_MAX)
            .map(RepoPath::to_text)
            .collect();
        let more = paths.len().saturating_sub(named.len());
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        text.push_str(&format!("\n  {what}: {}{rest}", named.join(", ")));
    }
    text.push_str(match resolved.setup.len() {
        0 => "\n  no setup step makes it ready: `[[setup]]` in harness.toml would",
        1 => "\n  1 setup step makes it ready",
        _ => "\n  setup steps make it ready",
    });
    let body = json!({ "folder": folder, "uncommitted": dirty.len(), "setup": resolved.setup.len(),
        "ignored": ignored.iter().map(ToString::to_string).collect::<Vec<_>>() });
    surface.entry("worktree_made", &text, body)
}
