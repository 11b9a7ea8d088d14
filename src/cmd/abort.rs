//! `harness abort`: gives a run up and restores the files it changed.

use harness_core::{CommitId, RepoPath, SessionId, SessionOpened, TreeId};
use harness_git::RestoreMode;
use serde_json::json;

use super::runs;
use crate::{
    cli::{Abort, Common},
    compose::Site,
    failure::Failure,
    output::Output,
    session,
};

/// The largest host-owned file that is restored. Unit: bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

pub(super) fn run(common: &Common, flags: &Abort) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let store = site.store()?;
    let _lock = session::lock(&site, &store)?;
    let run = runs::find(Some(&store), &site.repo, flags.run.as_deref())?;
    let sessions = runs::sessions_of(&store, run)?;
    let (Some(first), Some(last)) = (sessions.first(), sessions.last()) else {
        return Err(
            Failure::usage(format!("there is no run `{run}` in this repository"))
                .hint("harness status"),
        );
    };
    let opened = runs::opening(&store, *first)?;
    let now = last_tree(&site, *last, &opened)?;
    let restored = site
        .repo
        .restore(&now, &opened.start_tree, RestoreMode::Write)?;
    if let Some(refused) = restored.refused.first() {
        let message = format!("cannot restore `{}`: {}", refused.path, refused.reason);
        return Err(Failure::needs_human(message)
            .hint("nothing was changed; move your own changes away, or restore single files from the checkpoints"));
    }
    let left = restore_host_files(&site, run, &opened)?;
    let files = restored.written.len() + restored.removed.len();
    let mut text = format!(
        "checkpoint: {run} given up, {files} files as before it; its branch and checkpoints are kept"
    );
    for path in &left {
        text.push_str(&format!("\n  {path} left as it is: it was changed since"));
    }
    let body = json!({ "run": run.to_string(), "files": files,
        "left": left.iter().map(ToString::to_string).collect::<Vec<_>>() });
    Output::new(common).entry("aborted", &text, body)?;
    Ok(0)
}

fn last_tree(site: &Site, session: SessionId, opened: &SessionOpened) -> Result<TreeId, Failure> {
    let checkpoints = site.repo.checkpoints(session)?;
    Ok(checkpoints
        .whole
        .last()
        .map_or_else(|| opened.start_tree.clone(), |entry| entry.tree.clone()))
}

/// Takes back what the harness wrote with the run's commits; returns what somebody changed since.
fn restore_host_files(
    site: &Site,
    run: harness_core::RunId,
    opened: &SessionOpened,
) -> Result<Vec<RepoPath>, Failure> {
    let Some(tip) = site.repo.branch_tip(&runs::branch(run))? else {
        return Ok(Vec::new());
    };
    let base = site.repo.tree_of(&opened.run.base)?;
    let mut left = Vec::new();
    for path in host_files(site, &tip, &base, opened)? {
        let at = |tree: &TreeId| {
            site.repo
                .read_blob(tree, &path, FILE_BYTES_MAX)
                .map_err(Failure::from)
        };
        let (then, now) = (at(&base)?, at(&site.repo.tree_of(&tip)?)?);
        let before = site.repo.with_files(&base, &[(path.clone(), then)])?;
        let after = site.repo.with_files(&base, &[(path.clone(), now)])?;
        let restored = site.repo.restore(&after, &before, RestoreMode::Write)?;
        left.extend(restored.refused.into_iter().map(|refused| refused.path));
    }
    Ok(left)
}

/// Returns the host-owned files that differ between the run's base and its tip.
fn host_files(
    site: &Site,
    tip: &CommitId,
    base: &TreeId,
    opened: &SessionOpened,
) -> Result<Vec<RepoPath>, Failure> {
    let policy = &opened.run.policy;
    let evidence = RepoPath::parse(".harness/evidence").expect("a plain path is inside");
    let tip = site.repo.tree_of(tip)?;
    let changes = site.repo.diff(base, &tip)?;
    let is_host = |path: &RepoPath| {
        *path == policy.feature_file || *path == policy.progress_file || path.starts_with(&evidence)
    };
    Ok(changes
        .into_iter()
        .map(|change| change.path)
        .filter(is_host)
        .collect())
}
