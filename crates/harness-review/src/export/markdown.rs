//! A review as Markdown.

use std::fmt::Write as _;

use harness_core::ChangeKind;

use super::{Exported, LINES_BYTES_MAX, ShownCheck, ShownFinding};
use crate::{
    Choice, Comment, Decision, DecisionState, FileChange, FileStanding, Hunk, HunkState, Piece,
    PieceContent,
    text::{count, one_line, visible},
};

/// Returns a review as Markdown: numbers, findings, evidence, comments, then every file.
pub fn markdown(review: &Exported<'_>) -> String {
    let mut out = head(review);
    findings(&mut out, review);
    evidence(&mut out, review.evidence);
    comments(&mut out, review);
    files(&mut out, review);
    out
}

fn head(review: &Exported<'_>) -> String {
    let progress = &review.standing.progress;
    let (added, removed) = review.change.counts();
    let must_fix = match progress.must_fix {
        0 => String::new(),
        open => format!(", **{open} must-fix open**"),
    };
    format!(
        "# Review: {}\n\nBase: {}. Written {}.\n\n{}, +{added} −{removed}; {}{must_fix}.\n",
        one_line(review.title),
        one_line(review.base),
        review.time.to_seconds_text(),
        count(progress.files + review.change.left_out(), "file"),
        progress.worded(),
    )
}

fn findings(out: &mut String, review: &Exported<'_>) {
    if review.findings.is_empty() {
        return;
    }
    out.push_str("\n## Findings\n");
    for ShownFinding {
        finding,
        is_approved,
    } in review.findings()
    {
        let word = finding.kind.as_str().replace('_', " ");
        let place = code(&finding.place());
        let message = one_line(&finding.message);
        let approved = if *is_approved { " (approved)" } else { "" };
        let id = match finding.id.as_str() {
            "" => String::new(),
            id => format!(" {}", code(id)),
        };
        _ = writeln!(out, "\n- **{word}**{approved} at {place}:{id} {message}");
        if !finding.hunk.is_empty() {
            out.push('\n');
            fenced(out, "diff", &finding.hunk);
        }
    }
}

fn evidence(out: &mut String, checks: &[ShownCheck]) {
    if checks.is_empty() {
        return;
    }
    out.push_str("\n## Evidence\n\n");
    for check in checks {
        let tests = match check.tests {
            Some([run, failed, skipped]) => {
                format!(", {run} tests, {failed} failed, {skipped} skipped")
            }
            None => String::new(),
        };
        let (gate, status) = (code(&check.gate), one_line(&check.status));
        let tree = match check.tree.as_str() {
            "" => String::new(),
            tree => format!(", tree {}", code(tree)),
        };
        _ = writeln!(out, "- {gate}: **{status}**{tests}, {} ms{tree}", check.ms);
        if !check.failed.is_empty() {
            out.push('\n');
            fenced(out, "text", &check.failed);
        }
    }
}

fn comments(out: &mut String, review: &Exported<'_>) {
    let mut shown: Vec<&Comment> = review.book.shown().collect();
    if shown.is_empty() {
        return;
    }
    shown.sort_by_key(|comment| (!comment.is_open_must_fix(), comment.number));
    out.push_str("\n## Comments\n");
    for comment in shown {
        let (number, kind, state) = (
            comment.number,
            comment.kind.as_str(),
            comment.shown_state().as_str(),
        );
        let place = code(&comment.place.worded());
        let old = if comment.outdated {
            ", its text is gone"
        } else {
            ""
        };
        let by = comment.by.as_str();
        _ = writeln!(
            out,
            "\n### #{number} {kind}, {state}{old}: {place}, by {by}\n"
        );
        if let Some(anchor) = comment.place.anchor() {
            fenced(out, "text", &anchor.text);
            out.push('\n');
        }
        out.push_str(&quoted(&comment.text));
        for answer in &comment.answers {
            _ = writeln!(
                out,
                "\n{} answered {}:\n",
                answer.by.as_str(),
                answer.time.to_seconds_text()
            );
            out.push_str(&quoted(&answer.text));
        }
    }
}

fn files(out: &mut String, review: &Exported<'_>) {
    if review.change.files().is_empty() {
        return;
    }
    out.push_str("\n## Files\n");
    let mut room = LINES_BYTES_MAX;
    for (at, file) in review.change.files().iter().enumerate() {
        let standing = review.standing.files.get(at);
        file_head(out, file, standing);
        let decisions: Vec<&Decision> = review.book.decisions_of(&file.path).collect();
        for (at, piece) in file.pieces().iter().enumerate() {
            let state = standing.and_then(|standing| standing.hunks.get(at));
            piece_head(out, file, piece, state);
            reasons(out, piece, &decisions);
            if let Some(hunk) = piece.hunk() {
                let lines = patch(hunk, state);
                if lines.len() <= room {
                    room -= lines.len();
                    fenced(out, "diff", &lines);
                } else {
                    _ = writeln!(out, "[{} left out]", count(hunk.lines.len(), "line"));
                }
            }
        }
    }
    if review.change.left_out() > 0 {
        _ = writeln!(out, "\n[{} more]", count(review.change.left_out(), "file"));
    }
}

fn file_head(out: &mut String, file: &FileChange, standing: Option<&FileStanding>) {
    let what = match (&file.was, file.kind()) {
        (Some(was), _) => format!("renamed from {}", code(&was.to_text())),
        (None, ChangeKind::Added) => "added".to_owned(),
        (None, ChangeKind::Deleted) => "deleted".to_owned(),
        (None, ChangeKind::Modified) => "modified".to_owned(),
    };
    let (added, removed) = file.counts();
    let decided = standing.map_or(0, FileStanding::decided);
    let hunks = file.pieces().len();
    _ = writeln!(
        out,
        "\n### {}\n\n{what}, +{added} −{removed}, {decided} of {} decided",
        code(&file.path.to_text()),
        count(hunks, "hunk"),
    );
}

fn piece_head(out: &mut String, file: &FileChange, piece: &Piece, state: Option<&HunkState>) {
    let state = state
        .map_or(DecisionState::Unseen, |state| state.state)
        .as_str();
    let what = match &piece.content {
        PieceContent::Lines(hunk) => {
            let (old, new) = hunk.extent();
            format!("-{},{old} +{},{new}", hunk.old_start, hunk.new_start)
        }
        PieceContent::Whole(crate::WholeChange::Mode) => {
            let (old, new) = file.mode_change().unwrap_or_default();
            format!("mode {old} to {new}")
        }
        PieceContent::Whole(whole) => whole.as_str().to_owned(),
    };
    _ = writeln!(out, "\n{} {what}: **{state}**\n", code(piece.id.as_str()));
}

/// Writes why a piece was turned down.
fn reasons(out: &mut String, piece: &Piece, decisions: &[&Decision]) {
    let of_piece = decisions
        .iter()
        .filter(|decision| decision.hunk == piece.id);
    for decision in of_piece.filter(|decision| !decision.reason.is_empty()) {
        out.push_str(&quoted(&decision.reason));
        out.push('\n');
    }
}

/// Writes the lines of a hunk; those that were decided alone say so at their end.
fn patch(hunk: &Hunk, state: Option<&HunkState>) -> String {
    let is_mixed = state
        .is_some_and(|state| matches!(state.state, DecisionState::Mixed | DecisionState::Partly));
    let mut out = String::new();
    for (at, line) in hunk.lines.iter().enumerate() {
        let choice = state.and_then(|state| state.lines.get(at).copied().flatten());
        let mark = match choice.filter(|_| is_mixed) {
            Some(Choice::Accepted) => "  ✓",
            Some(Choice::Rejected) => "  ✗",
            None => "",
        };
        _ = writeln!(out, "{}{}{mark}", line.kind.sign(), line.text);
        if !line.newline {
            out.push_str("\\ No newline at end of file\n");
        }
    }
    out
}

/// Quotes a text, so that nothing in it is a heading of the whole.
fn quoted(text: &str) -> String {
    let text = visible(text).replace('<', "&lt;");
    let lines = text.lines().map(|line| format!("> {line}\n"));
    lines.collect()
}

/// Writes a text in a fence that it cannot end.
fn fenced(out: &mut String, language: &str, text: &str) {
    let text = visible(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    _ = writeln!(out, "{fence}{language}\n{text}{end}{fence}");
}

/// Writes a text as code inside a line.
fn code(text: &str) -> String {
    let text = one_line(text);
    let mark = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{mark}{pad}{text}{pad}{mark}")
}

/// Returns how many backticks stand together at most.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|char| char != '`').map(str::len);
    runs.max().unwrap_or(0)
}
