//! What agent and reviewers said of a change while it was made: remarks and notes, as comments in place.
//!
//! Read out of the logs of the sessions that made the change, and put into the book of its review,
//! once each. What they call a must-fix holds nothing up here: a reviewer's word is a gate of its own.

use harness_core::{Event, LineRange, Remark as Judged, RemarkKind, RepoPath, Timestamp};
use harness_review::{Anchor, AnchorSide, Author, Book, Change, CommentKind, Draft, Place};

use super::Source;
use crate::compose::Site;

/// The most that are taken over, the last ones.
const REMARKS_MAX: usize = 100;
/// The most sessions whose logs are read, the last ones.
const SESSIONS_MAX: usize = 10;

/// Something that was said.
#[derive(Clone, Debug)]
pub(crate) struct Remark {
    draft: Draft,
    /// What tells it from everything else.
    from: Vec<String>,
    time: Timestamp,
}

/// Reads what was said of a change; a log that cannot be read says nothing.
pub(crate) fn read(site: &Site, source: &Source, change: &Change) -> Vec<Remark> {
    let Ok(Some(store)) = site.existing_store() else {
        return Vec::new();
    };
    let sessions: Vec<_> = source.sessions().collect();
    let mut remarks = Vec::new();
    for session in &sessions[sessions.len().saturating_sub(SESSIONS_MAX)..] {
        let _ = harness_store::fold(store.log_path(*session), |record| {
            let said = match &record.event {
                Event::Reviewed(review) => {
                    let remarks = review.remarks.iter();
                    remarks.map(|remark| judged(change, remark)).collect()
                }
                Event::NoteTaken { text } => vec![noted(change, text)],
                _ => Vec::new(),
            };
            for (at, draft) in said.into_iter().enumerate() {
                let from = [
                    "said",
                    &session.to_string(),
                    &record.seq.to_string(),
                    &at.to_string(),
                ];
                remarks.push(Remark {
                    draft,
                    from: from.map(str::to_owned).to_vec(),
                    time: record.time,
                });
            }
        });
    }
    remarks.drain(..remarks.len().saturating_sub(REMARKS_MAX));
    remarks
}

/// Puts them into a book, each once.
pub(crate) fn into_book(remarks: &[Remark], book: &mut Book) {
    for remark in remarks {
        book.overhear(remark.draft.clone(), &remark.from, remark.time);
    }
}

fn judged(change: &Change, remark: &Judged) -> Draft {
    let kind = match remark.kind {
        RemarkKind::MustFix => CommentKind::MustFix,
        RemarkKind::Question => CommentKind::Question,
        RemarkKind::Nit => CommentKind::Nit,
    };
    let place = place(change, &remark.at);
    let text = match (&place, remark.at.is_empty()) {
        // A place that is not in the change is said in words.
        (None, false) => format!("{}: {}", remark.at, remark.why),
        _ => remark.why.clone(),
    };
    Draft {
        kind,
        place: place.unwrap_or(Place::Change),
        text,
        by: Author::Reviewer,
    }
}

fn noted(change: &Change, text: &str) -> Draft {
    let is_apart = |char: char| char.is_whitespace() || matches!(char, '`' | '(' | ')' | ',' | ';');
    let place = text.split(is_apart).find_map(|word| place(change, word));
    Draft {
        kind: CommentKind::Note,
        place: place.unwrap_or(Place::Change),
        text: text.to_owned(),
        by: Author::Agent,
    }
}

/// Finds a place of the change as it is named: `src/a.rs:12`, or a file.
fn place(change: &Change, named: &str) -> Option<Place> {
    let named = named.trim_end_matches(['.', ':', '?', '!']);
    let (path, lines) = match named.split_once(':') {
        Some((path, rest)) => (path, lines(rest)),
        None => (named, None),
    };
    let path = RepoPath::parse(path).ok()?;
    let (_, file) = change.file(&path)?;
    let anchor = lines
        .zip(file.new.text())
        .and_then(|(lines, text)| Anchor::of(path.clone(), AnchorSide::New, text, lines));
    Some(anchor.map_or(Place::File { path }, Place::of_lines))
}

/// Reads `12`, `12-14` or `12:5`.
fn lines(text: &str) -> Option<LineRange> {
    let text = text.split(':').next()?;
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first > 0 && last >= first).then_some(LineRange { first, last })
}
