//! The work tree goes back to a turn, and work that was put aside comes back.
//!
//! Both are done twice as if they were done once, and neither touches what a person has
//! changed: then nothing is written and the names are told.

use harness_core::{Event, RepoPath, Rewound, SetAsideWork, TreeId};
use harness_engine::RewindFiles;
use harness_git::{Refused, RestoreMode};

use super::{Executor, NO_SESSION, chain, shop::Workshop};

/// The most names of files in a message.
const NAMES_MAX: usize = 10;

impl Executor {
    /// Takes the work tree back to a turn.
    pub(super) async fn rewind(&self, files: RewindFiles) {
        let (turn, what) = (files.turn, files.what);
        let checkpoint = files.checkpoint;
        let done = self.in_shop(move |shop| shop.rewind(&files)).await;
        self.performer.wrote_many();
        self.tell(match done {
            Ok(mut paths) => {
                let count = paths.len();
                paths.truncate(Rewound::PATHS_MAX);
                Event::Rewound(Box::new(Rewound {
                    turn,
                    what,
                    checkpoint: Some(checkpoint),
                    more: (count - paths.len()) as u64,
                    paths,
                }))
            }
            Err(reason) => Event::RewindRefused { turn, reason },
        });
    }

    /// Brings work back that was put aside.
    pub(super) async fn bring_back(&self, work: SetAsideWork) {
        let feature = work.feature.clone();
        let back = self.in_shop(move |shop| shop.bring_back(&work)).await;
        self.performer.wrote_many();
        let (files, message) = match back {
            Ok(files) => (files, String::new()),
            Err(message) => (0, message),
        };
        self.tell(Event::WorkBroughtBack {
            feature,
            files,
            message,
        });
    }
}

impl Workshop {
    /// Takes the files back; what is saved last stays what it is, so that the way back is a checkpoint.
    fn rewind(&mut self, files: &RewindFiles) -> Result<Vec<RepoPath>, String> {
        let last = self.last_tree().ok_or(NO_SESSION)?;
        let (written, removed) = self.write_tree(last, &files.tree)?;
        Ok(written.into_iter().chain(removed).collect())
    }

    /// Puts the work on top of the tree as it is now, where both have not changed the same files.
    fn bring_back(&mut self, work: &SetAsideWork) -> Result<u32, String> {
        let now = self.last_tree().ok_or(NO_SESSION)?.clone();
        let kept = format!(
            "it is checkpoint {} of {}: `git diff {} {}` shows it",
            work.checkpoint,
            work.session,
            work.start.short(),
            work.tree.short()
        );
        let failed = |error: &dyn std::error::Error| format!("{}; {kept}", chain(error));
        let diff = |from: &TreeId, to: &TreeId| self.repo.diff(from, to);
        let wanted = diff(&work.start, &work.tree).map_err(|error| failed(&error))?;
        let others = diff(&work.start, &now).map_err(|error| failed(&error))?;
        let still = diff(&work.tree, &now).map_err(|error| failed(&error))?;
        let is_among = |changes: &[harness_core::Change], path: &RepoPath| {
            changes.iter().any(|change| change.path == *path)
        };
        let is_agents = |path: &RepoPath| !self.is_host_owned(path);
        // Where both came to the same, there is nothing to bring.
        let clashes = wanted.iter().filter(|change| {
            is_agents(&change.path)
                && is_among(&others, &change.path)
                && is_among(&still, &change.path)
        });
        let clashes: Vec<&RepoPath> = clashes.map(|change| &change.path).collect();
        if !clashes.is_empty() {
            return Err(format!(
                "other work has changed {} since; {kept}",
                named_paths(clashes.into_iter())
            ));
        }
        self.write_tree(&work.start, &work.tree)
            .map_err(|message| format!("{message}; {kept}"))?;
        // Also what a process that died over it had brought back already.
        let back = wanted.iter().filter(|change| is_agents(&change.path));
        u32::try_from(back.count()).map_err(|error| error.to_string())
    }

    /// Brings what an agent may have changed from one tree to another, to the byte.
    fn write_tree(
        &self,
        from: &TreeId,
        to: &TreeId,
    ) -> Result<(Vec<RepoPath>, Vec<RepoPath>), String> {
        let is_agents = |path: &RepoPath| !self.is_host_owned(path);
        let restored = self
            .repo
            .restore_some(from, to, RestoreMode::Write, &is_agents)
            .map_err(|error| chain(&error))?;
        if restored.refused.is_empty() {
            return Ok((restored.written, restored.removed));
        }
        Err(changed_by_others(&restored.refused))
    }
}

/// Says what a restore would have overwritten.
pub fn changed_by_others(refused: &[Refused]) -> String {
    let reason = refused.first().map_or("", |refused| &refused.reason);
    let names = named_paths(refused.iter().map(|refused| &refused.path));
    format!("{names}: {reason}; nothing was changed")
}

/// Names paths in one line, at most ten of them, and says how many more there are.
pub fn named_paths<'a>(paths: impl ExactSizeIterator<Item = &'a RepoPath>) -> String {
    let more = paths.len().saturating_sub(NAMES_MAX);
    let names: Vec<String> = paths
        .take(NAMES_MAX)
        .map(|path| format!("`{path}`"))
        .collect();
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{rest}", names.join(", "))
}
