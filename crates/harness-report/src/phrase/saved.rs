//! What is said about a saved work tree.

use harness_core::{ChangeKind, CheckpointSaved};

use super::{Line, Who, count};
use crate::clean::clean;

pub(super) fn checkpoint(saved: &CheckpointSaved) -> Line {
    let sign = |kind| match kind {
        ChangeKind::Added => '+',
        ChangeKind::Modified => '~',
        ChangeKind::Deleted => '-',
    };
    let files = saved.changes.len() as u64;
    let text = format!(
        "{} saved, {}, undo with `harness checkpoint undo {}`",
        saved.number,
        count(files, "file"),
        saved.number.0.saturating_sub(1)
    );
    let shown = saved
        .changes
        .iter()
        .take(5)
        .map(|change| format!("{} {}", sign(change.kind), clean(&change.path.to_text())));
    let left = saved.changes.len().saturating_sub(5);
    let rest = (left > 0).then(|| format!("and {left} more"));
    Line::new(Who::Checkpoint, text).with(shown.chain(rest))
}
