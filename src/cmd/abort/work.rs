//! The files the agent may have changed, brought back to where the run began.

use harness_core::{CheckpointNumber, RepoPath, SessionId, SessionOpened, TreeId};
use harness_git::{CheckpointRef, RestoreMode};

use crate::{cmd::reach::Reach, compose::Site, failure::Failure};

/// A run's reach in the work tree.
pub(super) struct Work<'a> {
    site: &'a Site,
    openings: &'a [SessionOpened],
    reach: Reach<'a>,
}

/// The work tree before anything was taken back.
pub(super) struct Saved {
    /// As the run left it.
    known: TreeId,
    /// The checkpoint of the last session that has the start of the run.
    start: CheckpointRef,
}

impl Saved {
    /// Returns the command that takes back the rest as well.
    pub(super) fn to_hint(&self) -> String {
        let CheckpointRef { session, number } = self.start;
        format!(
            "all of it is saved; `harness checkpoint undo {number} --session {session}` takes back the rest as well"
        )
    }
}

/// What the messages of checkpoints end with that are no work of the run.
const MARK: &str = ", saved by abort";

impl<'a> Work<'a> {
    pub(super) fn of(site: &'a Site, openings: &'a [SessionOpened]) -> Result<Self, Failure> {
        Ok(Self {
            site,
            openings,
            reach: Reach::of(site, openings)?,
        })
    }

    /// Saves what is there now, and where the run began, as checkpoints of the last session.
    pub(super) fn save(&mut self) -> Result<Saved, Failure> {
        let (Some(first), Some(last)) = (self.openings.first(), self.openings.last()) else {
            return Err(Failure::failed("cannot save a run that never began"));
        };
        let known = self.newest(first)?;
        let now = self.reach.snapshot(&known)?;
        let mut start = CheckpointRef {
            session: first.session,
            number: CheckpointNumber(0),
        };
        if now != known {
            if first.session != last.session {
                start = self.keep(last.session, &first.start_tree)?;
            }
            self.keep(last.session, &now)?;
        }
        Ok(Saved { known, start })
    }

    /// Takes back what is as the run left it; returns how many files that were.
    pub(super) fn take_back(&self, saved: &Saved) -> Result<usize, Failure> {
        let Some(first) = self.openings.first() else {
            return Ok(0);
        };
        let done = self.site.repo.restore_around(
            &saved.known,
            &first.start_tree,
            RestoreMode::Write,
            &|path| self.is_agents(path),
        )?;
        Ok(done.written.len() + done.removed.len())
    }

    /// Returns the files in reach that are not as they were before the run.
    pub(super) fn left(&mut self) -> Result<Vec<RepoPath>, Failure> {
        let Some(first) = self.openings.first() else {
            return Ok(Vec::new());
        };
        let now = self.reach.snapshot(&first.start_tree)?;
        let changes = self.site.repo.diff(&first.start_tree, &now)?;
        let paths = changes.into_iter().map(|change| change.path);
        Ok(paths.filter(|path| self.is_agents(path)).collect())
    }

    /// Returns the newest tree of the run that is whole; where there is none the run has changed nothing known.
    fn newest(&self, first: &SessionOpened) -> Result<TreeId, Failure> {
        for opened in self.openings.iter().rev() {
            let checkpoints = self.site.repo.checkpoints(opened.session)?;
            let mut newest_first = checkpoints.whole.into_iter().rev();
            let newest = newest_first.find(|entry| !entry.message.trim_end().ends_with(MARK));
            if let Some(entry) = newest {
                return Ok(entry.tree);
            }
        }
        Ok(first.start_tree.clone())
    }

    /// Saves a tree as the next checkpoint of a session.
    fn keep(&self, session: SessionId, tree: &TreeId) -> Result<CheckpointRef, Failure> {
        let repo = &self.site.repo;
        let known = repo.checkpoints(session)?;
        let numbers = known.whole.iter().map(|entry| entry.number);
        let last = numbers.chain(known.damaged.iter().copied()).max();
        let name = CheckpointRef {
            session,
            number: last.map_or(CheckpointNumber(0), CheckpointNumber::next),
        };
        let parent = known.whole.last().map(|entry| &entry.commit);
        let message = format!("checkpoint {} of {session}{MARK}", name.number);
        repo.checkpoint(name, tree, parent, &message, harness_host::clock::now())?;
        Ok(name)
    }

    fn is_agents(&self, path: &RepoPath) -> bool {
        !self.reach.is_host_owned(path)
    }
}
