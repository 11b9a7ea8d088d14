//! A review as JSON.

use serde_json::{Value, json};

use super::{Exported, LINES_BYTES_MAX, ShownFinding};
use crate::{
    Comment, Decision, FileChange, FileStanding, HunkState, Line, Piece, PieceContent, Side,
};

/// The version of the form; fields are only ever added to it.
pub const JSON_VERSION: u32 = 1;

/// Returns a review as one JSON object.
pub fn json(review: &Exported<'_>) -> Value {
    let mut room = LINES_BYTES_MAX;
    let files: Vec<Value> = review
        .change
        .files()
        .iter()
        .enumerate()
        .map(|(at, file)| {
            let decisions: Vec<&Decision> = review.book.decisions_of(&file.path).collect();
            file_value(file, review.standing.files.get(at), &decisions, &mut room)
        })
        .collect();
    let progress = &review.standing.progress;
    let (added, removed) = review.change.counts();
    json!({
        "v": JSON_VERSION,
        "type": "review",
        "time": review.time,
        "title": review.title,
        "base": review.base,
        "base_choice": review.book.base,
        "added": added,
        "removed": removed,
        "hunks": progress.hunks,
        "decided": progress.decided,
        "must_fix_open": progress.must_fix,
        "findings": review.findings().into_iter().map(finding).collect::<Vec<_>>(),
        "evidence": review.evidence.iter().map(check).collect::<Vec<_>>(),
        "comments": review.book.shown().map(comment).collect::<Vec<_>>(),
        "files": files,
        "files_left_out": review.change.left_out(),
    })
}

fn finding(shown: &ShownFinding<'_>) -> Value {
    let finding = shown.finding;
    json!({
        "id": finding.id, "kind": finding.kind, "path": finding.path, "line": finding.line,
        "message": finding.message, "hunk": finding.hunk, "approved": shown.is_approved,
    })
}

fn check(check: &super::ShownCheck) -> Value {
    let tests = check
        .tests
        .map(|[run, failed, skipped]| json!({ "run": run, "failed": failed, "skipped": skipped }));
    json!({
        "gate": check.gate, "status": check.status, "tests": tests, "ms": check.ms,
        "tree": check.tree, "failed": check.failed,
    })
}

fn comment(comment: &Comment) -> Value {
    let anchor = comment.place.anchor();
    json!({
        "number": comment.number, "kind": comment.kind, "state": comment.shown_state(),
        "outdated": comment.outdated, "by": comment.by, "time": comment.time,
        "path": comment.place.path(), "side": anchor.map(|anchor| anchor.side),
        "lines": anchor.map(|anchor| anchor.lines), "quoted": anchor.map(|anchor| &anchor.text),
        "text": comment.text, "answers": comment.answers,
    })
}

fn file_value(
    file: &FileChange,
    standing: Option<&FileStanding>,
    decisions: &[&Decision],
    room: &mut usize,
) -> Value {
    let (added, removed) = file.counts();
    let pieces = file.pieces().iter().enumerate();
    let hunks: Vec<Value> = pieces
        .map(|(at, piece)| {
            let state = standing.and_then(|standing| standing.hunks.get(at));
            hunk(piece, state, decisions, room)
        })
        .collect();
    json!({
        "path": file.path, "was": file.was, "change": file.kind(),
        "old_mode": file.old.mode(), "new_mode": file.new.mode(),
        "old": side(&file.old), "new": side(&file.new),
        "added": added, "removed": removed,
        "done": standing.is_some_and(FileStanding::is_done), "hunks": hunks,
    })
}

const fn side(side: &Side) -> &'static str {
    match side {
        Side::Absent => "absent",
        Side::Link { .. } => "link",
        Side::Gitlink { .. } => "gitlink",
        Side::File { content, .. } => match content {
            crate::Content::Text(_) => "text",
            crate::Content::Binary { .. } => "binary",
            crate::Content::TooLarge { .. } => "too_large",
        },
    }
}

fn hunk(
    piece: &Piece,
    state: Option<&HunkState>,
    decisions: &[&Decision],
    room: &mut usize,
) -> Value {
    let reasons: Vec<&str> = decisions
        .iter()
        .filter(|decision| decision.hunk == piece.id && !decision.reason.is_empty())
        .map(|decision| decision.reason.as_str())
        .collect();
    let mut value = json!({
        "id": piece.id, "state": state.map(|state| state.state), "reasons": reasons,
    });
    let more = match &piece.content {
        PieceContent::Whole(whole) => json!({ "whole": whole.as_str() }),
        PieceContent::Lines(hunk) => {
            let lines: Vec<String> = hunk.lines.iter().map(Line::written).collect();
            let bytes: usize = lines.iter().map(String::len).sum();
            let fits = bytes <= *room;
            *room -= if fits { bytes } else { 0 };
            json!({
                "old_start": hunk.old_start, "new_start": hunk.new_start,
                "lines": fits.then_some(lines),
                "decided": state.map(|state| &state.lines),
            })
        }
    };
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}
