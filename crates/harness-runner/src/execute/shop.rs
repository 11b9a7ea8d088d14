//! The repository's workshop: everything that touches git, one thing at a time.
//!
//! Blocks; called on threads that may. Holds what makes snapshots cheap.

use std::{path::Path, time::Instant};

use harness_core::{
    CheckpointNumber, CheckpointSaved, CommitId, Event, Feature, FinishSubject, RepoPath, TreeId,
};
use harness_gate::integrity::{self, FileChange};
use harness_git::{CheckoutStamp, CheckpointRef, Repo, RestoreMode, SnapshotCache};
use harness_guard::Guard;

use super::{Setting, chain};
use crate::RunnerError;

/// Changes a record of a checkpoint names.
const CHANGES_MAX: usize = 1_000;
/// The largest file that is looked into for findings.
const TEXT_MAX: u64 = 2 * 1024 * 1024;

/// The repository and what is known of its work tree.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) repo: Repo,
    cache: SnapshotCache,
    session: Option<OpenWork>,
}

/// What is snapshotted for the open session.
#[derive(Debug)]
struct OpenWork {
    setting: Setting,
    guard: Guard,
    /// The folders that may have changed.
    under: Vec<RepoPath>,
    last: TreeId,
    last_checkpoint: CommitId,
}

/// Checkpoint 0 of a session.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) tree: TreeId,
    pub(crate) checkpoint: CommitId,
}

impl Workshop {
    pub(crate) fn open(root: &Path) -> Result<Self, RunnerError> {
        let repo = Repo::discover(root).map_err(|error| RunnerError::SetUp {
            attempt: format!("open the repository at `{}`", root.display()),
            source: std::io::Error::other(chain(&error)),
        })?;
        Ok(Self {
            repo,
            cache: SnapshotCache::default(),
            session: None,
        })
    }

    /// Saves the work tree as checkpoint 0 of a new session.
    pub(crate) fn start(
        &mut self,
        session: harness_core::SessionId,
        base: &TreeId,
        guard: &Guard,
        feature: &Feature,
    ) -> Result<Start, String> {
        let under = self.existing_folders(guard);
        let shot = self.repo.snapshot(&mut self.cache, base, &under, &|path| {
            guard.scope().is_hidden(path)
        });
        let shot = shot.map_err(|error| chain(&error))?;
        let name = CheckpointRef {
            session,
            number: CheckpointNumber(0),
        };
        let message = format!("checkpoint 0 of {session}, {}", feature.id);
        let checkpoint =
            self.repo
                .checkpoint(name, &shot.tree, None, &message, harness_host::clock::now());
        Ok(Start {
            checkpoint: checkpoint.map_err(|error| chain(&error))?,
            tree: shot.tree,
        })
    }

    /// Sets up for the open session, after its start or when it is taken up again.
    pub(crate) fn take_up(&mut self, setting: &Setting) -> Result<(), String> {
        let opened = &setting.opened;
        let feature = setting
            .feature()
            .ok_or("the session's feature is not in the run's list")?;
        let guard = Guard::new(&setting.run.policy, feature).map_err(|error| chain(&error))?;
        let under = self.existing_folders(&guard);
        let known = self
            .repo
            .checkpoints(opened.session)
            .map_err(|error| chain(&error))?;
        let (last, last_checkpoint) = match known.whole.last() {
            Some(entry) => (entry.tree.clone(), entry.commit.clone()),
            None => (opened.start_tree.clone(), opened.start_checkpoint.clone()),
        };
        self.session = Some(OpenWork {
            setting: setting.clone(),
            guard,
            under,
            last,
            last_checkpoint,
        });
        Ok(())
    }

    /// Saves the work tree if it differs from the last checkpoint.
    pub(crate) fn save(&mut self, number: CheckpointNumber) -> Result<Event, String> {
        let begun = Instant::now();
        let session = self.session.as_mut().ok_or(super::NO_SESSION)?;
        let OpenWork {
            setting,
            guard,
            under,
            last,
            last_checkpoint,
        } = session;
        let hidden = |path: &RepoPath| guard.scope().is_hidden(path);
        let shot = self
            .repo
            .snapshot(&mut self.cache, last, under, &hidden)
            .map_err(|error| chain(&error))?;
        if shot.tree == *last {
            return Ok(Event::CheckpointUnchanged);
        }
        let opened = &setting.opened;
        let name = CheckpointRef {
            session: opened.session,
            number,
        };
        let message = format!(
            "checkpoint {number} of {}, {}",
            opened.session, opened.feature
        );
        // A number that is taken was made just before a crash and never logged.
        self.repo
            .forget_checkpoint(name)
            .map_err(|error| chain(&error))?;
        let saved = self.repo.checkpoint(
            name,
            &shot.tree,
            Some(last_checkpoint),
            &message,
            harness_host::clock::now(),
        );
        let commit = saved.map_err(|error| chain(&error))?;
        let mut changes = shot.changes;
        changes.truncate(CHANGES_MAX);
        last.clone_from(&shot.tree);
        last_checkpoint.clone_from(&commit);
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Event::CheckpointSaved(CheckpointSaved {
            number,
            commit,
            tree: shot.tree,
            changes,
            ms,
        }))
    }

    /// Fixes what would be committed: the tip of the run's branch with the agent's changes.
    pub(crate) fn freeze(&mut self, setting: &Setting) -> Result<FinishSubject, String> {
        let session = self.session.as_ref().ok_or(super::NO_SESSION)?;
        let guard = &session.guard;
        let hidden = |path: &RepoPath| guard.scope().is_hidden(path);
        let shot = self
            .repo
            .snapshot(&mut self.cache, &session.last, &session.under, &hidden);
        let work_tree = shot.map_err(|error| chain(&error))?.tree;
        let start = setting
            .run
            .work_start
            .as_ref()
            .unwrap_or(&setting.opened.start_tree);
        let (tree, changes) = self.candidate(&setting.run.tip, start, &work_tree, guard)?;
        let mut findings = guard.judge_changes(&changes);
        findings.extend(self.inspect(&setting.run.tip, &tree, &changes)?);
        Ok(FinishSubject {
            tree,
            work_tree,
            changes,
            findings,
        })
    }

    fn candidate(
        &self,
        tip: &CommitId,
        start: &TreeId,
        work_tree: &TreeId,
        guard: &Guard,
    ) -> Result<(TreeId, Vec<harness_core::Change>), String> {
        let onto = self.repo.tree_of(tip).map_err(|error| chain(&error))?;
        let is_agents = |path: &RepoPath| !guard.scope().is_host_owned(path);
        let tree = self
            .repo
            .apply_changes(&onto, start, work_tree, &is_agents)
            .map_err(|error| chain(&error))?;
        let changes = self
            .repo
            .diff(&onto, &tree)
            .map_err(|error| chain(&error))?;
        Ok((tree, changes))
    }

    /// Looks for weakened tests and the like in the difference.
    fn inspect(
        &self,
        tip: &CommitId,
        tree: &TreeId,
        changes: &[harness_core::Change],
    ) -> Result<Vec<harness_core::Finding>, String> {
        let base = self.repo.tree_of(tip).map_err(|error| chain(&error))?;
        let mut texts = Vec::with_capacity(changes.len());
        for change in changes {
            texts.push((
                change.path.clone(),
                self.text(&base, &change.path)?,
                self.text(tree, &change.path)?,
            ));
        }
        let files: Vec<FileChange<'_>> = texts
            .iter()
            .map(|(path, old, new)| FileChange {
                path: path.clone(),
                old: old.as_deref(),
                new: new.as_deref(),
            })
            .collect();
        Ok(integrity::inspect(&files))
    }

    /// Reads a text file of a tree; `None` when it is absent, binary or too large to be a source.
    fn text(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<String>, String> {
        match self.repo.read_blob(tree, path, TEXT_MAX) {
            Ok(bytes) => Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok())),
            Err(
                harness_git::GitError::TooLarge { .. } | harness_git::GitError::NotAFile { .. },
            ) => Ok(None),
            Err(error) => Err(chain(&error)),
        }
    }

    /// Takes the work tree back to where the feature began; its last state stays in the checkpoints.
    pub(crate) fn set_aside(&mut self, setting: &Setting) -> Result<u32, String> {
        let session = self.session.as_mut().ok_or(super::NO_SESSION)?;
        let start = setting
            .run
            .work_start
            .as_ref()
            .unwrap_or(&setting.opened.start_tree);
        let restored = self
            .repo
            .restore(&session.last, start, RestoreMode::Write)
            .map_err(|error| chain(&error))?;
        if let Some(refused) = restored.refused.first() {
            return Err(format!(
                "`{}` was changed meanwhile: {}",
                refused.path, refused.reason
            ));
        }
        session.last.clone_from(start);
        u32::try_from(restored.written.len() + restored.removed.len())
            .map_err(|error| error.to_string())
    }

    pub(crate) fn tree_of(&self, commit: &CommitId) -> Result<TreeId, String> {
        self.repo.tree_of(commit).map_err(|error| chain(&error))
    }

    /// Brings a kept folder outside the repository to a tree.
    pub(crate) fn check_out(
        &self,
        tree: &TreeId,
        folder: &Path,
        stamp: &mut CheckoutStamp,
    ) -> Result<(), String> {
        self.repo
            .check_out(tree, folder, stamp)
            .map(|_| ())
            .map_err(|error| chain(&error))
    }

    /// Returns the checked-out files that are not as their tree has them.
    pub(crate) fn changed_files(
        &self,
        tree: &TreeId,
        folder: &Path,
        stamp: &mut CheckoutStamp,
    ) -> Result<Vec<RepoPath>, String> {
        self.repo
            .verify_checkout(tree, folder, stamp)
            .map_err(|error| chain(&error))
    }

    /// Returns the folders that exist among those a process may write below.
    fn existing_folders(&self, guard: &Guard) -> Vec<RepoPath> {
        let root = self.repo.root();
        let existing = |path: &RepoPath| {
            let mut folder = path.clone();
            while !root.join(folder.as_path()).is_dir() {
                folder = folder.parent()?;
            }
            Some(folder)
        };
        guard
            .bounds()
            .writable
            .iter()
            .filter_map(existing)
            .collect()
    }
}

impl Setting {
    /// Returns the feature in work.
    pub(crate) fn feature(&self) -> Option<&Feature> {
        self.run
            .features
            .iter()
            .find(|feature| feature.id == self.opened.feature)
    }
}
