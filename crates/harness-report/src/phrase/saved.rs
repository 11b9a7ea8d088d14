//! What is said about a saved work tree, and about a commit that was brought home.

use harness_core::{Brought, ChangeKind, CheckpointSaved, FeaturePassed};

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

/// Adds what came of bringing a feature to the person's branch.
pub(super) fn brought(line: Line, passed: &FeaturePassed) -> Line {
    match &passed.brought {
        None => line,
        Some(Brought::Landed { head, branch }) => {
            let branch = branch.as_deref().unwrap_or("a detached HEAD");
            line.with([format!(
                "landed on {}, HEAD {}",
                clean(branch),
                head.short()
            )])
        }
        Some(Brought::Refused { message }) => {
            let mut lines = message.lines();
            let first = lines.next().unwrap_or_default();
            let first = format!("proven and not landed: {}", clean(first));
            let rest = lines.take(20).map(|line| clean(line).into_owned());
            line.with(std::iter::once(first).chain(rest))
        }
    }
}
