//! What stands in the way of a command of the review page.

use crate::{app::App, command::Command};

/// Whether a command belongs on the review page.
pub(super) const fn is_meant(command: Command) -> bool {
    matches!(
        command,
        Command::ReviewAccept
            | Command::ReviewReject
            | Command::ReviewToggle
            | Command::ReviewLines
            | Command::ReviewComment
            | Command::ReviewCommentFile
            | Command::ReviewCommentChange
            | Command::ReviewSend
            | Command::ReviewUndo
            | Command::ReviewBase
            | Command::ReviewCheckpointNext
            | Command::ReviewCheckpointPrevious
            | Command::ReviewHunkNext
            | Command::ReviewHunkPrevious
            | Command::ReviewFileNext
            | Command::ReviewFilePrevious
            | Command::ReviewCommentNext
            | Command::ReviewCommentPrevious
            | Command::ReviewLayout
            | Command::ReviewContext
            | Command::ReviewWrap
            | Command::ReviewWhitespace
            | Command::ReviewHideDone
            | Command::ReviewEditor
            | Command::ReviewCopy
            | Command::ReviewWithdraw
            | Command::ReviewResolve
    )
}

/// Says why a command of the page cannot be used now.
pub(super) fn obstacle(app: &App, command: Command) -> Option<&'static str> {
    let review = &app.pages.review;
    if review.found().is_none() {
        return Some("it is being looked up");
    }
    let needs_files = !matches!(
        command,
        Command::ReviewBase
            | Command::ReviewCheckpointNext
            | Command::ReviewCheckpointPrevious
            | Command::ReviewCopy
            | Command::ReviewSend
            | Command::ReviewCommentChange
            | Command::ReviewHideDone
    );
    if needs_files && !review.has_files() {
        return Some("nothing differs");
    }
    match command {
        Command::ReviewReject if review.found().is_some_and(|found| !found.can_reject) => {
            Some("two commits are compared: comment instead, or compare with the files as they are")
        }
        Command::ReviewSend => {
            let progress = review.standing().progress;
            let waits = !app.is_busy() && progress.pending > 0;
            (progress.drafts == 0 && !waits)
                .then_some("there is nothing to send: c writes a comment")
        }
        Command::ReviewWithdraw | Command::ReviewResolve if review.comment().is_none() => {
            Some("no comment is here: m goes to the next one")
        }
        Command::ReviewUndo => {
            let counts = |decision: &harness_review::Decision| {
                decision.withdrawn.is_none() && decision.applied.is_none()
            };
            let decided = review
                .found()
                .is_some_and(|found| found.book.decisions.iter().any(counts));
            (!decided).then_some("there is no decision to take back")
        }
        Command::ReviewCheckpointNext | Command::ReviewCheckpointPrevious => {
            let none = review
                .found()
                .is_none_or(|found| found.checkpoints.is_empty());
            none.then_some("there are no checkpoints here")
        }
        _ => None,
    }
}
