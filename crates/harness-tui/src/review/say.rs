//! Comments and findings as they stand between the lines.

use harness_core::Finding;
use harness_report::{clean, clean_line};
use harness_review::{Author, Comment, CommentKind, CommentState};

use crate::{
    text::{Role, Row, untabbed, width, wrap_hanging},
    theme::{Sign, Theme},
};

/// The most rows of one comment or answer; the rest is counted.
const ROWS_MAX: usize = 40;
/// Columns before what is said.
const INDENT: usize = 5;

/// Returns the rows of a comment with its answers.
pub(super) fn comment(comment: &Comment, columns: usize) -> Vec<Row> {
    let state = comment.shown_state();
    let kind = match comment.kind {
        CommentKind::MustFix if comment.is_open() => Role::Bad,
        CommentKind::Note => Role::Quiet,
        _ => Role::Needed,
    };
    let who = match comment.by {
        Author::Person => String::new(),
        other => format!(" {}", other.as_str()),
    };
    let number = format!("#{}{who}", comment.number);
    let head = Row::of(kind, comment.kind.as_str()).and(Role::Quiet, format!(" {number}  "));
    let waits = state == CommentState::Draft;
    let role = if waits { Role::Needed } else { Role::Quiet };
    let word = match (comment.by, state) {
        (Author::Person, _) => state.as_str(),
        // What others say was never sent; an answer to it may have been.
        (_, CommentState::Sent) if comment.answers.is_empty() => "open",
        (_, CommentState::Sent) => "answer sent",
        (_, CommentState::Draft) => "answer is a draft",
        _ => state.as_str(),
    };
    let mut rows = said(head, &comment.text, (role, word), columns);
    if state == CommentState::Outdated
        && let Some(anchor) = comment.place.anchor()
    {
        let head = Row::of(Role::Quiet, "about  ");
        rows.extend(said(
            head,
            &clean_line(&anchor.text, 200),
            (Role::Quiet, ""),
            columns,
        ));
    }
    for answer in &comment.answers {
        let head = Row::of(Role::Title, format!("{}  ", answer.by.as_str()));
        rows.extend(said(head, &answer.text, (Role::Quiet, ""), columns));
    }
    rows
}

/// Returns the rows of a finding.
pub(super) fn finding(
    finding: &Finding,
    is_approved: bool,
    columns: usize,
    theme: Theme,
) -> Vec<Row> {
    let word = finding.kind.as_str().replace('_', " ");
    let (sign, state) = if is_approved {
        (Sign::Good, "approved")
    } else {
        (Sign::Needed, "")
    };
    let head = Row::of(sign.role(), format!("{} {word}", theme.sign(sign))).and(Role::Plain, "  ");
    said(head, &finding.message, (Role::Quiet, state), columns)
}

fn said(head: Row, text: &str, (role, state): (Role, &str), columns: usize) -> Vec<Row> {
    let room = columns.saturating_sub(INDENT + 2 + width(state)).max(8);
    let hanging = head.width();
    let text = untabbed(&clean(text.trim()));
    let mut rows: Vec<Row> = Vec::new();
    let mut head = Some(head);
    for line in text.lines() {
        let row = match head.take() {
            Some(head) => head.and(Role::Plain, line),
            None => Row::of(Role::Plain, format!("{}{line}", " ".repeat(hanging))),
        };
        rows.extend(wrap_hanging(&row, room, hanging));
        if rows.len() > ROWS_MAX {
            break;
        }
    }
    if let Some(head) = head {
        rows.push(head);
    }
    let hidden = rows.len().saturating_sub(ROWS_MAX);
    if hidden > 0 {
        rows.truncate(ROWS_MAX);
        rows.push(Row::of(Role::Needed, "… more: enter opens it"));
    }
    let mut shown: Vec<Row> = rows
        .into_iter()
        .map(|row| {
            let mut lead = Row::of(Role::Plain, "   ").and(Role::Needed, "┃ ");
            lead.pieces.extend(row.pieces);
            lead
        })
        .collect();
    if let Some(first) = shown.first_mut().filter(|_| !state.is_empty()) {
        let full = std::mem::take(first).padded(columns.saturating_sub(width(state)));
        *first = full.and(role, state);
    }
    shown
}
