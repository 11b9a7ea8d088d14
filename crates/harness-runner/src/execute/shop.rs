//! The repository's workshop: everything that touches git, one thing at a time.
//!
//! Blocks; called on threads that may. Holds what makes snapshots cheap.

use std::{path::Path, time::Instant};

use harness_core::{
    Change, CheckpointNumber, CheckpointSaved, CommitId, Event, Feature, FinishSubject, RepoPath,
    RunId, SessionId, SessionOpened, SetAsideWork, TreeId,
};
use harness_git::{CheckoutStamp, CheckpointRef, Repo, RestoreMode, SnapshotCache};
use harness_guard::Guard;
use harness_store::Store;

use super::{
    Setting, chain, findings::Finder, keeping, left_out::LeftOut, regression, subject::subject_tree,
};
use crate::RunnerError;

/// Changes a record of a checkpoint names.
const CHANGES_MAX: usize = 1_000;

/// After how many checkpoints is looked whether there are too many.
const PRUNED_EVERY: u32 = 50;

/// The repository and what is known of its work tree.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) repo: Repo,
    cache: SnapshotCache,
    session: Option<OpenWork>,
    left_out: LeftOut,
}

/// What is snapshotted for the open session.
#[derive(Debug)]
struct OpenWork {
    setting: Setting,
    guard: Guard,
    /// The folders that may have changed.
    under: Vec<RepoPath>,
    last: LastSaved,
}

/// The checkpoint before the next one.
#[derive(Clone, Debug)]
struct LastSaved {
    number: CheckpointNumber,
    tree: TreeId,
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
            left_out: LeftOut::default(),
        })
    }

    /// Saves the work tree as checkpoint 0 of a new session.
    pub(crate) fn start(
        &mut self,
        session: SessionId,
        base: &TreeId,
        guard: &Guard,
        feature: &Feature,
    ) -> Result<Start, String> {
        let under = self.existing_folders(guard);
        let shot = self.repo.snapshot(&mut self.cache, base, &under, &|path| {
            guard.scope().is_never_kept(path)
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
    ///
    /// Returns the folders the agent may write below.
    pub(crate) fn take_up(&mut self, setting: &Setting) -> Result<Vec<RepoPath>, String> {
        let opened = &setting.opened;
        let feature = setting
            .feature()
            .ok_or("the session's feature is not in the run's list")?;
        let guard = Guard::new(&setting.run.policy, feature).map_err(|error| chain(&error))?;
        let under = self.existing_folders(&guard);
        let last = self.saved_before(opened, CheckpointNumber(u32::MAX))?;
        self.session = Some(OpenWork {
            setting: setting.clone(),
            guard,
            under: under.clone(),
            last,
        });
        Ok(under)
    }

    /// Goes on with what a person gave: what is saved reaches as far as what may be written.
    pub(crate) fn amend(&mut self, setting: &Setting, guard: Guard) {
        let under = self.existing_folders(&guard);
        if let Some(work) = &mut self.session {
            work.setting = setting.clone();
            work.under = under;
            work.guard = guard;
        }
    }

    /// Returns the newest whole checkpoint of a session below a number.
    fn saved_before(
        &self,
        opened: &SessionOpened,
        number: CheckpointNumber,
    ) -> Result<LastSaved, String> {
        let newest = self.repo.newest_checkpoint(opened.session, number);
        Ok(match newest.map_err(|error| chain(&error))? {
            Some(entry) => LastSaved {
                number: entry.number,
                tree: entry.tree,
            },
            None => LastSaved {
                number: CheckpointNumber(0),
                tree: opened.start_tree.clone(),
            },
        })
    }

    /// Saves the work tree if it differs from the checkpoint before `number`; `log_head` is the
    /// last record before, which the checkpoint names.
    pub(crate) fn save(
        &mut self,
        number: CheckpointNumber,
        log_head: &str,
    ) -> Result<Event, String> {
        let begun = Instant::now();
        let session = self.session.as_ref().ok_or(super::NO_SESSION)?;
        // A number that is taken was made just before a crash, and its record is missing.
        let last = match &session.last {
            last if last.number < number => last.clone(),
            _ => self.saved_before(&session.setting.opened, number)?,
        };
        let hidden = |path: &RepoPath| session.guard.scope().is_never_kept(path);
        let shot = self
            .repo
            .snapshot(&mut self.cache, &last.tree, &session.under, &hidden);
        let shot = shot.map_err(|error| chain(&error))?;
        self.left_out.note(&shot.skipped);
        let opened = &session.setting.opened;
        let name = CheckpointRef {
            session: opened.session,
            number,
        };
        if shot.tree == last.tree {
            self.remember(last);
            return Ok(Event::CheckpointUnchanged);
        }
        let message = format!(
            "checkpoint {number} of {}, {}\n\nHarness-Log: {log_head}\n",
            opened.session, opened.feature
        );
        self.repo
            .forget_checkpoint(name)
            .map_err(|error| chain(&error))?;
        let now = harness_host::clock::now();
        // Each begins with the first one alone, so that one that goes is held by no other.
        let commit = self.repo.checkpoint(
            name,
            &shot.tree,
            Some(&opened.start_checkpoint),
            &message,
            now,
        );
        let commit = commit.map_err(|error| chain(&error))?;
        let mut changes = shot.changes;
        changes.truncate(CHANGES_MAX);
        self.remember(LastSaved {
            number,
            tree: shot.tree.clone(),
        });
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Event::CheckpointSaved(CheckpointSaved {
            number,
            commit,
            tree: shot.tree,
            changes,
            ms,
        }))
    }

    /// Forgets checkpoints where the session has more than stay; looked at now and then.
    pub(crate) fn keep_within_bounds(&self, number: CheckpointNumber, store: &Store) {
        let Some(session) = &self.session else {
            return;
        };
        if !number.0.is_multiple_of(PRUNED_EVERY) {
            return;
        }
        let id = session.setting.opened.session;
        // What cannot be done now is done at the end of the session.
        let kept = || keeping::referred_to(store, id);
        let _ = self
            .repo
            .prune_checkpoints(id, &kept, harness_host::clock::now());
    }

    /// Returns what is in no checkpoint and was not told yet.
    pub(crate) fn take_left_out(&mut self) -> Option<Event> {
        self.left_out.take()
    }

    fn remember(&mut self, last: LastSaved) {
        if let Some(session) = &mut self.session {
            session.last = last;
        }
    }

    /// Fixes what would be committed: the tip of the run's branch with the agent's changes.
    pub(crate) fn freeze(&mut self, setting: &Setting) -> Result<FinishSubject, String> {
        let session = self.session.as_ref().ok_or(super::NO_SESSION)?;
        let guard = &session.guard;
        let hidden = |path: &RepoPath| guard.scope().is_never_kept(path);
        let shot = self
            .repo
            .snapshot(&mut self.cache, &session.last.tree, &session.under, &hidden);
        let work_tree = shot.map_err(|error| chain(&error))?.tree;
        let start = setting
            .run
            .work_start
            .as_ref()
            .unwrap_or(&setting.opened.start_tree);
        let (candidate, changes) = self.candidate(&setting.run.tip, start, &work_tree, guard)?;
        let policy = &setting.run.policy;
        let feature = setting
            .feature()
            .ok_or("the session's feature is not in the run's list")?;
        let base = self
            .repo
            .tree_of(&setting.run.tip)
            .map_err(|error| chain(&error))?;
        let findings = Finder {
            repo: &self.repo,
            guard,
            policy,
            feature,
            base: &base,
            candidate: &candidate,
        }
        .find(&changes)?;
        Ok(FinishSubject {
            tree: subject_tree(&self.repo, &setting.run.policy, &candidate)?,
            regressions: regression::of_change(&self.repo, setting, &changes),
            candidate,
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
    ) -> Result<(TreeId, Vec<Change>), String> {
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

    /// Takes the work tree back to where the feature began; its last state stays in the checkpoints.
    pub(crate) fn set_aside(&mut self, setting: &Setting) -> Result<(u32, SetAsideWork), String> {
        let session = self.session.as_mut().ok_or(super::NO_SESSION)?;
        let start = setting
            .run
            .work_start
            .as_ref()
            .unwrap_or(&setting.opened.start_tree);
        let scope = session.guard.scope();
        // What the harness keeps of every feature stays as it is.
        let is_agents = |path: &RepoPath| !scope.is_host_owned(path);
        let last = &session.last.tree;
        let restored = self
            .repo
            .restore_some(last, start, RestoreMode::Write, &is_agents)
            .map_err(|error| chain(&error))?;
        if let Some(refused) = restored.refused.first() {
            return Err(format!(
                "`{}` was changed meanwhile: {}",
                refused.path, refused.reason
            ));
        }
        let stands = self.repo.apply_changes(last, last, start, &is_agents);
        // It is only what the next state is compared with.
        let stands = stands.unwrap_or_else(|_| start.clone());
        let tree = std::mem::replace(&mut session.last.tree, stands);
        let files = u32::try_from(restored.written.len() + restored.removed.len())
            .map_err(|error| error.to_string())?;
        let kept = SetAsideWork {
            feature: setting.opened.feature.clone(),
            session: setting.opened.session,
            checkpoint: session.last.number,
            start: start.clone(),
            tree,
        };
        Ok((files, kept))
    }

    /// Returns the work tree as it was saved last.
    pub(crate) fn session_and_run(&self) -> Option<(SessionId, RunId)> {
        let opened = &self.session.as_ref()?.setting.opened;
        Some((opened.session, opened.run.run))
    }

    pub(crate) fn last_tree(&self) -> Option<&TreeId> {
        self.session.as_ref().map(|session| &session.last.tree)
    }

    /// Whether a path is the harness's own.
    pub(crate) fn is_host_owned(&self, path: &RepoPath) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| session.guard.scope().is_host_owned(path))
    }

    pub(crate) fn tree_of(&self, commit: &CommitId) -> Result<TreeId, String> {
        self.repo.tree_of(commit).map_err(|error| chain(&error))
    }

    /// Brings a kept folder outside the repository to a tree; of anything else only build outputs stay.
    ///
    /// Ends early, as a failure, when `is_over` says that nobody waits for it any more.
    pub(crate) fn check_out(
        &self,
        tree: &TreeId,
        folder: &Path,
        (stamp, is_over): (&mut CheckoutStamp, &dyn Fn() -> bool),
        build: &[RepoPath],
    ) -> Result<(), String> {
        let is_build = |path: &RepoPath| build.iter().any(|folder| path.starts_with(folder));
        let brought = self
            .repo
            .check_out_alone(tree, folder, stamp, &is_build, is_over);
        brought.map_err(|error| chain(&error))
    }

    /// Returns the checked-out files that are not as their tree has them, but for build outputs.
    pub(crate) fn changed_files(
        &self,
        tree: &TreeId,
        folder: &Path,
        stamp: &mut CheckoutStamp,
        build: &[RepoPath],
    ) -> Result<Vec<RepoPath>, String> {
        let changed = self.repo.verify_checkout(tree, folder, stamp);
        let mut changed = changed.map_err(|error| chain(&error))?;
        changed.retain(|path| !build.iter().any(|folder| path.starts_with(folder)));
        Ok(changed)
    }

    /// Returns the folders that exist among those a process may write below.
    fn existing_folders(&self, guard: &Guard) -> Vec<RepoPath> {
        super::compare::existing_folders(&self.repo, guard)
    }
}

impl Setting {
    /// Returns the judge of the feature in work.
    pub(crate) fn guard(&self) -> Result<Guard, String> {
        let feature = self.feature().ok_or(super::NO_SESSION)?;
        Guard::new(&self.run.policy, feature).map_err(|error| chain(&error))
    }

    /// Returns the feature in work.
    pub(crate) fn feature(&self) -> Option<&Feature> {
        self.run
            .features
            .iter()
            .find(|feature| feature.id == self.opened.feature)
    }
}
