//! `harness checkpoint undo`: the files go back, and never over what a person wrote unless they say how.

use std::collections::BTreeSet;

use harness_core::{CheckpointNumber, CommitId, RepoPath, TreeId};
use harness_git::{CheckpointEntry, Refused, RestoreMode, Restored};
use harness_guard::HostAct;
use harness_runner::restore_ignored;
use harness_store::Store;
use serde_json::json;

use super::{known::Known, sides};
use crate::{
    cli::{CheckpointUndo, Common},
    cmd::{reach::Reach, runs},
    compose::Site,
    failure::Failure,
    output::{Output, say},
};

/// Kept files that are named.
const NAMED_MAX: usize = 20;

/// What an undo did.
struct Undone {
    restored: Restored,
    /// What the checkpoint after it holds.
    tree: TreeId,
    /// Where the person's files were saved first.
    saved: Option<(CheckpointNumber, CommitId)>,
}

/// Goes back, always as a new checkpoint, so that going back can be undone as well.
pub(super) fn run(
    site: &Site,
    store: &Store,
    common: &Common,
    known: &Known,
    flags: &CheckpointUndo,
) -> Result<u8, Failure> {
    let (wanted, last) = (known.get(CheckpointNumber(flags.number))?, known.last()?);
    let undo = Undo {
        site,
        store,
        known,
        last,
        wanted,
        lost: known.lost_paths(),
    };
    let undone = if flags.keep_mine {
        undo.around()?
    } else if flags.save {
        undo.after_saving()?
    } else {
        undo.all()?
    };
    let mut name = known.next();
    let mut parent = &last.commit;
    if let Some((number, commit)) = &undone.saved {
        name.number = number.next();
        parent = commit;
    }
    let session = known.session;
    let message = format!("undo to checkpoint {} of {session}", wanted.number);
    let now = harness_host::clock::now();
    site.repo
        .checkpoint(name, &undone.tree, Some(parent), &message, now)?;
    let ignored = restore_ignored(store.folder(), session, &site.root, HostAct::Undo)
        .map_err(Failure::failed)?;
    let Restored {
        written,
        removed,
        refused: kept,
    } = &undone.restored;
    let files = written.len() + removed.len() + ignored.len();
    let mut text = format!(
        "checkpoint: back at {}, {files} files restored, saved as checkpoint {}",
        wanted.number, name.number
    );
    for kept in kept.iter().take(NAMED_MAX) {
        text.push_str(&format!("\n  {} left as it is: {}", kept.path, kept.reason));
    }
    if kept.len() > NAMED_MAX {
        text.push_str(&format!("\n  and {} more", kept.len() - NAMED_MAX));
    }
    let saved = undone.saved.as_ref().map(|(number, _)| *number);
    let body = json!({ "session": session.to_string(), "to": wanted.number.0, "n": name.number.0, "files": files,
        "kept": kept.iter().map(|kept| kept.path.to_string()).collect::<Vec<_>>(),
        "saved": saved.map(|number| number.0) });
    Output::new(common).entry("undone", &text, body)?;
    if !common.json {
        let back = saved.unwrap_or(last.number);
        let what = saved.map_or("takes this undo back", |_| "brings your files back");
        say(&format!(
            "hint: `harness checkpoint undo {back} --session {session}` {what}"
        ));
    }
    Ok(0)
}

/// An undo that was asked for.
struct Undo<'a> {
    site: &'a Site,
    store: &'a Store,
    known: &'a Known,
    /// The last state that is known.
    last: &'a CheckpointEntry,
    wanted: &'a CheckpointEntry,
    /// What the agent changed since, where those checkpoints are lost.
    lost: BTreeSet<RepoPath>,
}

impl Undo<'_> {
    /// Restores everything, or nothing and shows why.
    fn all(&self) -> Result<Undone, Failure> {
        let (from, to) = (&self.last.tree, &self.wanted.tree);
        let restore = |mode| self.site.repo.restore(from, to, mode);
        let mut refused = restore(RestoreMode::DryRun)?.refused;
        refused.extend(self.unknown()?);
        if !refused.is_empty() {
            return self.refuse(&refused);
        }
        let restored = restore(RestoreMode::Write)?;
        if !restored.refused.is_empty() {
            return self.refuse(&restored.refused);
        }
        Ok(Undone {
            restored,
            tree: to.clone(),
            saved: None,
        })
    }

    /// Restores what the person did not change; their files count as changed since, as before.
    fn around(&self) -> Result<Undone, Failure> {
        let (from, to) = (&self.last.tree, &self.wanted.tree);
        let unknown = self.unknown()?;
        let is_known = |path: &RepoPath| !unknown.iter().any(|unknown| unknown.path == *path);
        let repo = &self.site.repo;
        let mut restored = repo.restore_around(from, to, RestoreMode::Write, &is_known)?;
        restored.refused.extend(unknown);
        let kept = restored.refused.iter();
        let kept: BTreeSet<RepoPath> = kept.map(|refused| refused.path.clone()).collect();
        Ok(Undone {
            tree: repo.with_paths_of(to, from, &kept)?,
            restored,
            saved: None,
        })
    }

    /// Saves what the undo would overwrite as a checkpoint, then restores everything from there.
    fn after_saving(&self) -> Result<Undone, Failure> {
        let (repo, here) = (&self.site.repo, self.here()?);
        // What the agent never touched is no part of an undo: it is not saved, so no later one takes it away.
        let touched = repo.diff(&self.last.tree, &self.wanted.tree)?;
        let touched = touched.into_iter().map(|change| change.path);
        let touched: BTreeSet<RepoPath> = touched.chain(self.lost.iter().cloned()).collect();
        let is_part = |path: &RepoPath| is_on_the_way(path, &touched);
        let mine = repo.diff(&self.last.tree, &here)?.into_iter();
        let mine = mine.map(|change| change.path).filter(is_part).collect();
        let saved = repo.with_paths_of(&self.last.tree, &here, &mine)?;
        let restore = |mode| repo.restore(&saved, &self.wanted.tree, mode);
        let tried = restore(RestoreMode::DryRun)?;
        if !tried.refused.is_empty() {
            return self.refuse(&tried.refused);
        }
        let name = self.known.next();
        let message = format!("before an undo of {}, with changes by hand", name.session);
        let (parent, now) = (Some(&self.last.commit), harness_host::clock::now());
        let commit = repo.checkpoint(name, &saved, parent, &message, now)?;
        let restored = restore(RestoreMode::Write)?;
        if !restored.refused.is_empty() {
            return self.refuse(&restored.refused);
        }
        Ok(Undone {
            restored,
            tree: self.wanted.tree.clone(),
            saved: Some((name.number, commit)),
        })
    }

    /// Returns the files whose last known state is lost and that are not as they are wanted.
    fn unknown(&self) -> Result<Vec<Refused>, Failure> {
        if self.lost.is_empty() {
            return Ok(Vec::new());
        }
        let (repo, here) = (&self.site.repo, self.here()?);
        let mut unknown = Vec::new();
        for path in &self.lost {
            if repo.file_state(&here, path)? != repo.file_state(&self.wanted.tree, path)? {
                unknown.push(Refused {
                    path: path.clone(),
                    reason: format!(
                        "what the agent did to it after checkpoint {} is lost, so nobody knows whose it is",
                        self.last.number
                    ),
                });
            }
        }
        Ok(unknown)
    }

    /// Returns the last known state with all that is in reach as it is now.
    fn here(&self) -> Result<TreeId, Failure> {
        let opened = runs::opening(self.store, self.known.session)?;
        Reach::of(self.site, &[opened])?.snapshot(&self.last.tree)
    }

    fn refuse<T>(&self, refused: &[Refused]) -> Result<T, Failure> {
        sides::refusal(self.site, self.known, self.last, self.wanted, refused)
    }
}

/// Whether a path is one of these, lies below one, or is a folder of one.
fn is_on_the_way(path: &RepoPath, touched: &BTreeSet<RepoPath>) -> bool {
    let mut above = Some(path.clone());
    while let Some(folder) = above {
        if touched.contains(&folder) {
            return true;
        }
        above = folder.parent();
    }
    // Whatever lies below a path comes behind it, among names that only begin like it.
    let behind = touched.range(path.clone()..);
    let mut behind = behind.take_while(|other| other.as_bytes().starts_with(path.as_bytes()));
    behind.any(|other| other.starts_with(path))
}
