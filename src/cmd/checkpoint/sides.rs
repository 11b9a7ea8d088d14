//! Why an undo is refused: per file, what a person changed and what the undo would do.

use std::fmt::Write as _;

use harness_core::TreeId;
use harness_git::{CheckpointEntry, FileChange, Refused};

use super::known::Known;
use crate::{
    cmd::difference::{FileDifference, count},
    compose::Site,
    failure::Failure,
};

/// Files whose sides are shown; the rest is counted.
const FILES_MAX: usize = 10;
/// Lines that are shown of one side of a file.
const LINES_MAX: usize = 30;

/// Returns the failure that shows both sides of each file and the ways out.
pub(super) fn refusal<T>(
    site: &Site,
    known: &Known,
    last: &CheckpointEntry,
    wanted: &CheckpointEntry,
    refused: &[Refused],
) -> Result<T, Failure> {
    let (session, number) = (known.session, wanted.number);
    let mut text = format!(
        "cannot undo, nothing was changed: since checkpoint {} somebody else than the agent changed {}",
        last.number,
        count(refused.len())
    );
    if let Some(damaged) = known.damaged.iter().max().filter(|n| **n > last.number) {
        _ = write!(
            text,
            " (checkpoint {damaged} is damaged, so what the agent did since {} counts as well)",
            last.number
        );
    }
    let here = here(site, &last.tree, refused)?;
    for refused in refused.iter().take(FILES_MAX) {
        let path = &refused.path;
        _ = write!(text, "\n\n{path}: {}", refused.reason);
        for (what, from, to) in [
            ("you, since then", &last.tree, &here),
            ("the undo", &last.tree, &wanted.tree),
        ] {
            let change = FileChange {
                path: path.clone(),
                old: site.repo.file_state(from, path)?,
                new: site.repo.file_state(to, path)?,
            };
            if change.old == change.new {
                continue;
            }
            let patch = FileDifference::read(&site.repo, &change)?.patch();
            _ = write!(text, "\n{what}:");
            // The line that names both sides says nothing that the heading does not.
            let lines = patch.lines().skip(1);
            for line in lines.clone().take(LINES_MAX) {
                _ = write!(text, "\n  {line}");
            }
            let more = lines.count().saturating_sub(LINES_MAX);
            if more > 0 {
                _ = write!(text, "\n  [{more} more lines]");
            }
        }
    }
    if refused.len() > FILES_MAX {
        _ = write!(text, "\n\nand {} more", count(refused.len() - FILES_MAX));
    }
    let undo = format!("harness checkpoint undo {number} --session {session}");
    Err(Failure::needs_human(text).hint(format!(
        "`{undo} --keep-mine` leaves these as they are and restores the rest; `{undo} --save` saves yours as a checkpoint first and restores all; `harness checkpoint diff {} --session {session}` shows all that differs",
        last.number
    )))
}

/// Returns the last tree with the refused files as they are now.
fn here(site: &Site, last: &TreeId, refused: &[Refused]) -> Result<TreeId, Failure> {
    let under: Vec<_> = refused
        .iter()
        .filter_map(|refused| {
            let mut folder = refused.path.parent()?;
            while !site.repo.root().join(folder.as_path()).is_dir() {
                folder = folder.parent()?;
            }
            Some(folder)
        })
        .collect();
    let mut cache = harness_git::SnapshotCache::default();
    let shot = site.repo.snapshot(&mut cache, last, &under, &|_| false)?;
    Ok(shot.tree)
}
