//! Checkpoints: snapshots of the work tree on private references.
//!
//! They lie under `refs/harness/<session>/<number>`, where no branch, stash or
//! push refers to them, and are not synced: they survive the death of the
//! process, and after a loss of power the damaged ones are named.

use std::{collections::BTreeSet, fs};

use harness_core::{CheckpointNumber, CommitId, SessionId, Timestamp, TreeId};

use crate::{
    commit::timestamp,
    repo::{During, GitError, Repo, commit_id, tree_id},
    signature,
    tree::Mode,
};

/// Names one checkpoint of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CheckpointRef {
    /// The session it belongs to.
    pub session: SessionId,
    /// Its number there.
    pub number: CheckpointNumber,
}

impl CheckpointRef {
    fn to_reference(self) -> String {
        format!("refs/harness/{}/{}", self.session, self.number)
    }
}

/// One checkpoint, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointEntry {
    /// Its number.
    pub number: CheckpointNumber,
    /// Its commit.
    pub commit: CommitId,
    /// The work tree it holds.
    pub tree: TreeId,
    /// When it was made.
    pub time: Timestamp,
    /// The message, bytes that are no UTF-8 replaced.
    pub message: String,
}

impl CheckpointEntry {
    /// Returns what it says of itself, without its trailers.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

/// The checkpoints of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// Those that can be read, by number.
    pub whole: Vec<CheckpointEntry>,
    /// Those whose reference or objects are damaged, by number.
    pub damaged: Vec<CheckpointNumber>,
}

impl Repo {
    /// Keeps `tree` as a checkpoint: a commit on a reference of its own.
    ///
    /// HEAD, index, branches and stash are left alone.
    ///
    /// # Errors
    /// [`GitError::RefMoved`] when the number is taken; when an object cannot
    /// be read or written.
    pub fn checkpoint(
        &self,
        name: CheckpointRef,
        tree: &TreeId,
        parent: Option<&CommitId>,
        message: &str,
        now: Timestamp,
    ) -> Result<CommitId, GitError> {
        let reference = name.to_reference();
        let signature = signature::of_harness(now)?;
        let tree = self.tree_object(tree)?;
        let parents = parent
            .map(|parent| self.commit_object(parent))
            .transpose()?;
        let parents: Vec<_> = parents.iter().collect();
        let commit = self
            .git
            .commit(None, &signature, &signature, message, &tree, &parents)
            .during("commit to", &reference)?;
        self.move_reference(&reference, None, commit, "harness checkpoint")?;
        Ok(commit_id(commit))
    }

    /// Returns the checkpoints of a session, by number.
    ///
    /// # Errors
    /// When the references cannot be listed at all.
    pub fn checkpoints(&self, session: SessionId) -> Result<Checkpoints, GitError> {
        let mut found = Checkpoints::default();
        for number in self.checkpoint_numbers(session)? {
            // What the one before holds was looked at with it.
            let before = found.whole.last().map(|entry| &entry.tree);
            match self.checkpoint_entry(CheckpointRef { session, number }, before) {
                Ok(entry) => found.whole.push(entry),
                Err(_) => found.damaged.push(number),
            }
        }
        Ok(found)
    }

    /// Forgets a checkpoint; git removes its objects in its own time.
    ///
    /// # Errors
    /// When the reference is there and cannot be removed.
    pub fn forget_checkpoint(&self, name: CheckpointRef) -> Result<(), GitError> {
        let reference = name.to_reference();
        match self.git.find_reference(&reference) {
            Ok(mut found) => {
                let removed = match found.delete() {
                    Err(error)
                        if error.code() == git2::ErrorCode::Locked
                            && self.remove_left_lock(&reference) =>
                    {
                        found.delete()
                    }
                    removed => removed,
                };
                removed.during("remove", reference)
            }
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(()),
            Err(source) => Err(source).during("read", reference),
        }
    }

    /// Lists the numbers in use, also those whose reference file is damaged.
    pub(crate) fn checkpoint_numbers(
        &self,
        session: SessionId,
    ) -> Result<BTreeSet<CheckpointNumber>, GitError> {
        let mut numbers = BTreeSet::new();
        let mut add = |name: &str| numbers.extend(name.parse().map(CheckpointNumber));
        let prefix = format!("refs/harness/{session}/");
        let mut references = self
            .git
            .references_glob(&format!("{prefix}*"))
            .during("list", &prefix)?;
        for name in references.names().flatten() {
            add(name.strip_prefix(&prefix).unwrap_or_default());
        }
        // libgit2 passes over a reference file it cannot parse, such as one left empty by a crash.
        if let Ok(files) = fs::read_dir(self.common_dir().join(&prefix)) {
            for file in files.flatten() {
                add(&file.file_name().to_string_lossy());
            }
        }
        Ok(numbers)
    }

    /// Reads a checkpoint and what it holds beyond the tree `before`, else beyond its parent's.
    pub(crate) fn checkpoint_entry(
        &self,
        name: CheckpointRef,
        before: Option<&TreeId>,
    ) -> Result<CheckpointEntry, GitError> {
        let reference = name.to_reference();
        let commit = self
            .git
            .find_reference(&reference)
            .and_then(|found| found.peel_to_commit())
            .during("read", &reference)?;
        let tree = tree_id(commit.tree_id());
        let parent = commit.parent_ids().next().map(commit_id);
        let parent = parent.and_then(|parent| self.tree_of(&parent).ok());
        self.check_objects(before.or(parent.as_ref()), &tree)?;
        Ok(CheckpointEntry {
            number: name.number,
            commit: commit_id(commit.id()),
            tree,
            time: timestamp(commit.time()),
            message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
        })
    }

    /// Reads every file that a checkpoint has and the tree before it has not; without one
    /// only the head of each.
    fn check_objects(&self, before: Option<&TreeId>, tree: &TreeId) -> Result<(), GitError> {
        let odb = self.git.odb().during("open the objects of", tree)?;
        if let Some(before) = before
            && self.tree_object(before).is_ok()
        {
            let changed = self.differences(before, tree)?;
            for entry in changed.iter().filter_map(|change| change.new) {
                if entry.mode != Mode::Module {
                    odb.read(entry.id).during("read", entry.id)?;
                }
            }
            return Ok(());
        }
        for entry in self.files_of(tree)?.values() {
            if entry.mode != Mode::Module {
                odb.read_header(entry.id).during("read", entry.id)?;
            }
        }
        Ok(())
    }
}
