//! Takes back what a person rejected of a change, in the files as they are now.
//!
//! A rejection is found by its content, so it may be carried out twice as if it were once, and what
//! others have written since stays. What cannot be taken back with certainty is left, with both
//! sides. All files are written or none: the same step is used that goes back to a checkpoint.
//! Called by a run at the end of a turn, and by the command where no run is at work.

use std::collections::{BTreeMap, BTreeSet};

use harness_core::{RepoPath, TreeId};
use harness_git::{FileKind, GitError, Repo, RestoreMode, State, WorkContent};
use harness_review::{Clash, Decision, Kept, Outcome, Side, Step, WholePatch, Why, undo};

use crate::execute::chain;

/// The largest file in which something is taken back. Unit: bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What rejections are carried out with.
pub struct TurnDown<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The tree that the states before and after are told as changes of.
    pub base: &'a TreeId,
    /// States in which a file that is gone is looked for, the likeliest first.
    pub sources: &'a [TreeId],
    /// Says why a path must not be touched, where that is so.
    pub forbidden: &'a dyn Fn(&RepoPath) -> Option<String>,
}

/// What became of rejections.
#[derive(Debug)]
pub struct TurnedBack {
    /// One for each rejection, in the order in which they were given.
    pub outcomes: Vec<Outcome>,
    /// The base with the files as they were.
    pub before: TreeId,
    /// The base with the files as they are now.
    pub after: TreeId,
    /// The files that were written or removed.
    pub changed: Vec<RepoPath>,
}

impl TurnDown<'_> {
    /// Takes everything back that can be.
    ///
    /// # Errors
    /// When a file or an object cannot be read or written; what was written until then stays, and the
    /// same call goes on from there.
    pub fn carry_out(&self, decisions: &[&Decision]) -> Result<TurnedBack, String> {
        let mut files = Files {
            with: self,
            now: BTreeMap::new(),
            wanted: BTreeMap::new(),
        };
        let mut outcomes: Vec<Option<Outcome>> = vec![None; decisions.len()];
        let paths: BTreeSet<&RepoPath> = decisions.iter().map(|decision| &decision.path).collect();
        for path in paths {
            let of_path = decisions.iter().enumerate();
            let of_path: Vec<(usize, &Kept)> = of_path
                .filter(|(_, decision)| decision.path == *path)
                .filter_map(|(at, decision)| Some((at, decision.kept.as_ref()?)))
                .collect();
            let found = files.take_back(path, &of_path)?;
            for ((at, _), outcome) in of_path.iter().zip(found) {
                outcomes[*at] = Some(outcome);
            }
        }
        let outcomes = outcomes
            .into_iter()
            .map(|found| found.unwrap_or(Outcome::Already));
        self.write(&files.now, &files.wanted, decisions, outcomes.collect())
    }

    fn write(
        &self,
        now: &BTreeMap<RepoPath, State>,
        wanted: &BTreeMap<RepoPath, State>,
        decisions: &[&Decision],
        mut outcomes: Vec<Outcome>,
    ) -> Result<TurnedBack, String> {
        let failed = |error: GitError| chain(&error);
        let before = self.repo.with_states(self.base, now).map_err(failed)?;
        let after = self.repo.with_states(&before, wanted).map_err(failed)?;
        let restored = self
            .repo
            .restore_some(&before, &after, RestoreMode::Write, &|_| true)
            .map_err(failed)?;
        if let Some(first) = restored.refused.first() {
            // Somebody wrote in this very moment: nothing was done, and the person decides again.
            let why = format!("`{}` {}", first.path, first.reason);
            for (outcome, decision) in outcomes.iter_mut().zip(decisions) {
                if matches!(outcome, Outcome::Applied { .. }) {
                    *outcome = Outcome::Clash(refusal(decision.kept.as_ref(), &why));
                }
            }
            return Ok(TurnedBack {
                outcomes,
                after: before.clone(),
                before,
                changed: Vec::new(),
            });
        }
        Ok(TurnedBack {
            outcomes,
            before,
            after,
            changed: restored
                .written
                .into_iter()
                .chain(restored.removed)
                .collect(),
        })
    }
}

/// The files that are touched, as they are and as they are to be.
struct Files<'a> {
    with: &'a TurnDown<'a>,
    now: BTreeMap<RepoPath, State>,
    wanted: BTreeMap<RepoPath, State>,
}

impl Files<'_> {
    /// Says what is to be done for one file, and what becomes of each part.
    fn take_back(
        &mut self,
        path: &RepoPath,
        parts: &[(usize, &Kept)],
    ) -> Result<Vec<Outcome>, String> {
        let all = |why: &str| {
            let parts = parts.iter();
            parts
                .map(|(_, kept)| Outcome::Clash(refusal(Some(kept), why)))
                .collect()
        };
        if let Some(why) = (self.with.forbidden)(path) {
            return Ok(all(&why));
        }
        let state = match self.state(path) {
            Ok(state) => state,
            Err(why) => return Ok(all(&why)),
        };
        let kept: Vec<&Kept> = parts.iter().map(|(_, kept)| *kept).collect();
        let undone = undo(path, &side(state.as_ref()), &kept);
        let whole = kept.iter().find_map(|kept| match kept {
            Kept::Whole(patch) => Some(patch),
            Kept::Lines(_) => None,
        });
        let before = (self.now.clone(), self.wanted.clone());
        for step in undone.steps {
            if let Err(why) = self.plan(step, whole) {
                (self.now, self.wanted) = before;
                return Ok(all(&why));
            }
        }
        Ok(undone.outcomes)
    }

    fn plan(&mut self, step: Step, whole: Option<&WholePatch>) -> Result<(), String> {
        match step {
            Step::Write { path, text } => {
                let kind = self.state(&path)?.map_or(FileKind::File, |(kind, _)| kind);
                self.wanted.insert(path, Some((kind, text.into_bytes())));
            }
            Step::Delete { path } => _ = self.wanted.insert(path, None),
            Step::SetExecutable { path, executable } => {
                let kind = if executable {
                    FileKind::Executable
                } else {
                    FileKind::File
                };
                let state = self.state(&path)?.map(|(_, bytes)| (kind, bytes));
                self.wanted.insert(path, state);
            }
            Step::Restore { path } => {
                let state = self.old_state(&path, whole)?;
                self.state(&path)?;
                self.wanted.insert(path, Some(state));
            }
            Step::Move { from, to } => {
                if let Some(why) = (self.with.forbidden)(&to) {
                    return Err(why);
                }
                if self.state(&to)?.is_some() {
                    return Err(format!("something else stands at `{to}` now"));
                }
                let state = self.state(&from)?;
                self.wanted.insert(from, None);
                self.wanted.insert(to, state);
            }
        }
        Ok(())
    }

    /// Returns a file as it is to be so far, and notes how it is.
    fn state(&mut self, path: &RepoPath) -> Result<State, String> {
        if let Some(state) = self.wanted.get(path).or_else(|| self.now.get(path)) {
            return Ok(state.clone());
        }
        let found = self.with.repo.work_file(path, FILE_BYTES_MAX);
        let state = match found.map_err(|error| chain(&error))? {
            None => None,
            Some(file) => match file.content {
                WorkContent::Bytes(bytes) => Some((file.kind, bytes)),
                WorkContent::TooLarge { bytes, .. } => {
                    return Err(format!("`{path}` has {bytes} bytes, which is too much"));
                }
            },
        };
        self.now.insert(path.clone(), state.clone());
        Ok(state)
    }

    /// Finds what stood at a path before the change.
    fn old_state(
        &self,
        path: &RepoPath,
        whole: Option<&WholePatch>,
    ) -> Result<(FileKind, Vec<u8>), String> {
        let repo = self.with.repo;
        for tree in self.with.sources {
            let Ok(Some(state)) = repo.file_state(tree, path) else {
                continue;
            };
            let Ok(Some(bytes)) = repo.content(&state, FILE_BYTES_MAX) else {
                continue;
            };
            let found = (state.kind, bytes);
            let is_it = |patch: &WholePatch| patch.old == side(Some(&found)).digest();
            if whole.is_none_or(is_it) {
                return Ok(found);
            }
        }
        Err("what stood there before is in no checkpoint and no commit that is known".to_owned())
    }
}

fn side(state: Option<&(FileKind, Vec<u8>)>) -> Side {
    match state {
        None => Side::Absent,
        Some((FileKind::Link, target)) => Side::Link {
            target: target.clone(),
        },
        Some((kind, bytes)) => Side::of_file(bytes, *kind == FileKind::Executable),
    }
}

/// Makes the clash of something that must not or cannot be touched.
fn refusal(kept: Option<&Kept>, why: &str) -> Clash {
    let wanted = match kept {
        Some(Kept::Lines(patch)) => patch.worded(),
        _ => "[the file as it was before the change]".to_owned(),
    };
    Clash {
        why: Why::Gone,
        line: 1,
        wanted: String::new(),
        instead: wanted[..wanted.floor_char_boundary(4096)].to_owned(),
        found: why.to_owned(),
        places: Vec::new(),
    }
}
