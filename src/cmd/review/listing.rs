//! What there is to review, in lines: files, hunks, decisions, comments, findings and evidence.

use harness_core::ChangeKind;
use harness_report::{clean, clean_line};
use harness_review::{
    Book, Choice, Comment, FileChange, HunkState, Piece, PieceContent, Standing, WholeChange,
    export,
};
use serde_json::{Value, json};

use crate::{
    cli::Common,
    cmd::difference::quoted,
    failure::Failure,
    output::{Output, say},
    review::{Desk, proof::Proof},
};

/// The most lines of one hunk that are shown.
const LINES_MAX: usize = 2_000;
/// The longest line that is shown whole. Unit: characters.
const LINE_CHARS_MAX: usize = 2_000;
/// What is shown of a text where several are listed. Unit: characters.
const SHORT: usize = 400;

/// Lists everything.
pub(super) fn all(common: &Common, desk: &Desk<'_>) -> Result<(), Failure> {
    let (book, proof) = (desk.book()?, Proof::of(desk.site, &desk.source)?);
    let standing = desk.standing(&book);
    let mut output = Output::new(common);
    if common.json {
        let findings = proof.findings();
        let body = export::json(&export::Exported {
            title: &desk.source.title,
            base: &desk.source.words,
            time: harness_host::clock::now(),
            change: &desk.change,
            standing: &standing,
            book: &book,
            findings: &findings,
            evidence: &proof.checks,
        });
        return output.entry("review", "", without_envelope(body));
    }
    output.text(&head(desk, &standing))?;
    for (file, standing) in desk.change.files().iter().zip(&standing.files) {
        let (added, removed) = file.counts();
        output.text(&format!(
            "file: {} {}, +{added} -{removed}, {} of {} hunks",
            sign(file),
            named(file),
            standing.decided(),
            standing.hunks.len()
        ))?;
        for (piece, state) in file.pieces().iter().zip(&standing.hunks) {
            output.text(&format!("  hunk: {}", summary(file, piece, state)))?;
        }
    }
    if desk.change.left_out() > 0 {
        output.text(&format!(
            "file: {} more are not shown",
            desk.change.left_out()
        ))?;
    }
    for comment in book.shown() {
        output.text(&comment_lines(comment))?;
    }
    for shown in proof.findings() {
        let finding = shown.finding;
        let state = if shown.is_approved { ", approved" } else { "" };
        let kind = finding.kind.as_str().replace('_', " ");
        let message = clean_line(&finding.message, SHORT);
        output.text(&format!(
            "finding: {kind}{state} at {}: {message}",
            finding.place()
        ))?;
    }
    for check in &proof.checks {
        let tests = check
            .tests
            .map_or_else(String::new, |[run, failed, skipped]| {
                format!(", {run} tests, {failed} failed, {skipped} skipped")
            });
        output.text(&format!(
            "evidence: gate {}, {}{tests}",
            check.gate, check.status
        ))?;
    }
    if desk.change.files().is_empty() {
        output.text("review: nothing differs")?;
    } else {
        say(
            "hint: `harness review show ID` shows a hunk, `accept`, `reject` and `comment` decide; see `harness review --help`",
        );
    }
    Ok(())
}

/// Says how far the review has come.
pub(super) fn status(common: &Common, desk: &Desk<'_>) -> Result<(), Failure> {
    let book = desk.book()?;
    let standing = desk.standing(&book);
    let progress = standing.progress;
    let mut output = Output::new(common);
    let body = json!({ "title": desk.source.title, "base": desk.source.words, "files": progress.files,
        "files_done": progress.files_done, "hunks": progress.hunks, "decided": progress.decided,
        "comments": progress.comments, "drafts": progress.drafts, "must_fix_open": progress.must_fix,
        "waiting": progress.pending });
    output.entry("review_status", &head(desk, &standing), body)?;
    for comment in book.open_must_fix() {
        output.text(&comment_lines(comment))?;
    }
    Ok(())
}

/// Shows hunks with their lines.
pub(super) fn show(common: &Common, desk: &Desk<'_>, wanted: &[String]) -> Result<(), Failure> {
    let book = desk.book()?;
    let standing = desk.standing(&book);
    let mut output = Output::new(common);
    for (file, piece) in super::decide::spots(desk, wanted, &standing)? {
        let (change, state) = (
            &desk.change.files()[file],
            &standing.files[file].hunks[piece],
        );
        let part = &change.pieces()[piece];
        let lines = hunk_lines(part, state);
        let text = format!(
            "hunk: {} {}\n{lines}",
            named(change),
            summary(change, part, state)
        );
        let body = json!({ "path": change.path, "hunk": part.id, "state": state.state,
            "lines": part.hunk().map(|hunk| hunk.lines.iter().map(harness_review::Line::written).collect::<Vec<_>>()) });
        output.entry("hunk", text.trim_end(), body)?;
    }
    Ok(())
}

/// Returns the first line about a review.
pub(super) fn head(desk: &Desk<'_>, standing: &Standing) -> String {
    let (added, removed) = desk.change.counts();
    let progress = &standing.progress;
    let must_fix = match progress.must_fix {
        0 => String::new(),
        open => format!(", {open} must-fix open"),
    };
    let waiting = match progress.pending {
        0 => String::new(),
        waiting => format!(", {waiting} rejected and not taken back yet"),
    };
    format!(
        "review: {}, base: {}, {} files, +{added} -{removed}, {}{must_fix}{waiting}",
        clean_line(&desk.source.title, SHORT),
        desk.source.words,
        progress.files + desk.change.left_out(),
        progress.worded(),
    )
}

/// Returns what a hunk goes by, where it is and how it stands.
pub(super) fn summary(file: &FileChange, piece: &Piece, state: &HunkState) -> String {
    let place = match &piece.content {
        PieceContent::Lines(hunk) => {
            let (old, new) = hunk.extent();
            format!("@@ -{},{old} +{},{new} @@", hunk.old_start, hunk.new_start)
        }
        PieceContent::Whole(WholeChange::Mode) => {
            let (old, new) = file.mode_change().unwrap_or_default();
            format!("mode {old} to {new}")
        }
        PieceContent::Whole(WholeChange::Renamed) => {
            let was = file.was.as_ref().map(|was| quoted("", was));
            format!("renamed from {}", was.unwrap_or_default())
        }
        PieceContent::Whole(whole) => format!("{} as a whole", whole.as_str()),
    };
    format!("{} {place}, {}", piece.id, state.state.as_str())
}

/// Returns the lines of a hunk with their numbers in it.
pub(super) fn hunk_lines(piece: &Piece, state: &HunkState) -> String {
    let Some(hunk) = piece.hunk() else {
        return String::new();
    };
    let mut text = String::new();
    for (at, line) in hunk.lines.iter().take(LINES_MAX).enumerate() {
        let mark = match state.lines.get(at).copied().flatten() {
            Some(Choice::Accepted) => "  (accepted)",
            Some(Choice::Rejected) => "  (rejected)",
            None => "",
        };
        let words = shown(&line.text);
        text.push_str(&format!(
            "  {:>4} {}{words}{mark}\n",
            at + 1,
            line.kind.sign()
        ));
    }
    if hunk.lines.len() > LINES_MAX {
        text.push_str(&format!("  {} more lines\n", hunk.lines.len() - LINES_MAX));
    }
    text
}

/// Returns a line of a file as it stands, cut where it is very long.
fn shown(line: &str) -> String {
    let cleaned = clean(line);
    match cleaned.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &cleaned[..end]),
        None => cleaned.into_owned(),
    }
}

/// Returns a comment with what was answered.
pub(super) fn comment_lines(comment: &Comment) -> String {
    let gone = if comment.outdated {
        ", its lines are gone"
    } else {
        ""
    };
    let mut text = format!(
        "comment: #{} {} at {}, {}{gone}, by {}: {}",
        comment.number,
        comment.kind.as_str(),
        clean_line(&comment.place.worded(), SHORT),
        comment.shown_state().as_str(),
        comment.by.as_str(),
        whole(&comment.text),
    );
    for answer in &comment.answers {
        let words = whole(&answer.text);
        text.push_str(&format!("\n  {} answered: {words}", answer.by.as_str()));
    }
    text
}

/// Returns all of a text, its later lines indented.
fn whole(text: &str) -> String {
    text.trim().replace('\n', "\n    ")
}

/// Lists comments as data.
pub(super) fn comment_body(book: &Book, number: u32) -> Value {
    let found = book.comment_by_number(number);
    json!({ "number": number, "kind": found.map(|comment| comment.kind),
        "state": found.map(|comment| comment.shown_state()),
        "place": found.map(|comment| comment.place.worded()), "text": found.map(|comment| &comment.text) })
}

fn named(file: &FileChange) -> String {
    quoted("", &file.path)
}

const fn sign(file: &FileChange) -> char {
    match file.kind() {
        ChangeKind::Added => '+',
        ChangeKind::Deleted => '-',
        ChangeKind::Modified => '~',
    }
}

/// Takes out what the line of output says itself.
fn without_envelope(mut body: Value) -> Value {
    if let Some(body) = body.as_object_mut() {
        for key in ["v", "type", "time"] {
            body.remove(key);
        }
    }
    body
}
