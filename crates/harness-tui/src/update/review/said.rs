//! Comments on the review page, and every line that is typed there.

use harness_report::clean_line;
use harness_review::{
    Author, Base, BookError, Choice, Chosen, CommentKind, CommentState, Draft, Heard, Place, Spot,
};

use super::{ask, decide_at, keep};
use crate::{
    app::App,
    input::{Failed, Request},
    page::{Prompt, Typing},
    review::Then,
    text::Role,
    update::hand,
};

/// The longest range of commits that is typed. Unit: characters.
const BASE_CHARS_MAX: usize = 400;

/// Begins a comment about something.
pub(super) fn begin_comment(app: &mut App, place: Option<Place>) -> Vec<Request> {
    let Some(place) = place else {
        app.tell(
            Role::Needed,
            "there is no line here: C comments on the file",
        );
        return Vec::new();
    };
    type_comment(app, CommentKind::MustFix, place, None, "");
    Vec::new()
}

/// Returns the file as what a comment is about.
pub(super) fn file_place(app: &App) -> Option<Place> {
    let path = app.pages.review.file()?.path.clone();
    Some(Place::File { path })
}

fn type_comment(app: &mut App, kind: CommentKind, place: Place, number: Option<u32>, text: &str) {
    app.pages.review.unselect();
    let title = title(kind, &place);
    let typing = Typing::Comment {
        kind,
        place: Box::new(place),
        number,
    };
    app.pages.prompt = Some(Prompt::new(typing, title, text));
    app.tell(
        Role::Quiet,
        "tab: must-fix, question, nit or note   enter keeps it as a draft",
    );
}

fn title(kind: CommentKind, place: &Place) -> String {
    let place = match place {
        Place::Change => "the whole change".to_owned(),
        Place::File { .. } => "the file".to_owned(),
        Place::Line(anchor) => format!("line {}", anchor.lines.first),
        Place::Range(anchor) => format!("lines {} to {}", anchor.lines.first, anchor.lines.last),
    };
    format!("{} on {place}: ", kind.as_str())
}

/// Turns to the next kind of a comment that is typed; `false` when none is.
pub(in crate::update) fn turn_kind(app: &mut App, by: usize) -> bool {
    let Some(prompt) = &mut app.pages.prompt else {
        return false;
    };
    let Typing::Comment { kind, place, .. } = &mut prompt.what else {
        return false;
    };
    let all = CommentKind::ALL;
    let at = all.iter().position(|other| other == kind).unwrap_or(0);
    *kind = all[(at + by) % all.len()];
    prompt.title = title(*kind, place);
    true
}

/// Opens the comment that one stands on: a draft to be changed, another to be answered.
pub(super) fn open(app: &mut App) -> Vec<Request> {
    let number = app.pages.review.comment();
    let comment = number.and_then(|number| {
        app.pages
            .review
            .found()?
            .book
            .comment_by_number(number)
            .cloned()
    });
    let Some(comment) = comment else {
        return begin_comment(app, app.pages.review.lines_place());
    };
    if comment.state == CommentState::Draft && comment.answers.is_empty() {
        type_comment(
            app,
            comment.kind,
            comment.place,
            Some(comment.number),
            &comment.text,
        );
    } else if comment.state == CommentState::Resolved {
        app.tell(Role::Needed, "it is resolved: R opens it again");
    } else {
        let title = format!("answer #{}: ", comment.number);
        app.pages.prompt = Some(Prompt::new(Typing::Reply(comment.number), title, ""));
    }
    Vec::new()
}

/// Changes the book and keeps it; says what the book does not take.
fn write<T>(
    app: &mut App,
    write: impl FnOnce(&mut harness_review::Book) -> Result<T, BookError>,
) -> Option<T> {
    match app.pages.review.write(|book, _| write(book))? {
        Ok(made) => Some(made),
        Err(error) => {
            let hint = error.hint().map(str::to_owned);
            let message = error.to_string();
            hand::tell_failed(app, &Failed { message, hint });
            None
        }
    }
}

pub(super) fn withdraw(app: &mut App) -> Vec<Request> {
    let (Some(number), now) = (app.pages.review.comment(), app.now) else {
        return Vec::new();
    };
    if write(app, |book| book.withdraw(number, now).map(|_| ())).is_none() {
        return Vec::new();
    }
    app.tell(Role::Quiet, format!("draft #{number} is taken away"));
    keep(app, Then::Nothing)
}

pub(super) fn resolve(app: &mut App) -> Vec<Request> {
    let (Some(number), now) = (app.pages.review.comment(), app.now) else {
        return Vec::new();
    };
    let moved = write(app, |book| {
        let state = book.comment_by_number(number).map(|comment| comment.state);
        match state {
            Some(CommentState::Resolved) => book.reopen(number, now).map(|_| "open again"),
            _ => book.resolve(number, now).map(|_| "resolved"),
        }
    });
    let Some(word) = moved else {
        return Vec::new();
    };
    app.tell(Role::Quiet, format!("#{number} is {word}"));
    keep(app, Then::Nothing)
}

/// Sends all drafts, and has rejections carried out that wait for no run.
pub(super) fn send(app: &mut App) -> Vec<Request> {
    let now = app.now;
    let pending = app.pages.review.standing().progress.pending;
    let sent = app.pages.review.write(|book, _| {
        let mut all = 0;
        // What has no room in one message goes with the next one.
        loop {
            let (_, numbers) = book.drafts();
            let sent = if numbers.is_empty() {
                0
            } else {
                book.sent(&numbers, now)
            };
            if sent == 0 {
                return all;
            }
            all += sent;
        }
    });
    let has_reader = app
        .pages
        .review
        .found()
        .is_some_and(|found| found.run.is_some());
    let comments = match sent.unwrap_or(0) {
        0 => None,
        many if !has_reader => Some(format!(
            "{many} sent, though no run is there to read it: y copies everything"
        )),
        1 if app.is_busy() => Some("1 comment goes to the agent with its next turn".to_owned()),
        many if app.is_busy() => Some(format!(
            "{many} comments go to the agent with its next turn"
        )),
        many => Some(format!(
            "{many} sent: the agent reads it when its run goes on"
        )),
    };
    let rejected = (pending > 0).then(|| match app.is_busy() {
        true => "what was rejected is taken back at the end of the turn".to_owned(),
        false => "what was rejected is being taken back".to_owned(),
    });
    let told: Vec<String> = comments.into_iter().chain(rejected).collect();
    app.tell(Role::Quiet, told.join("; "));
    keep(app, Then::TurnDown)
}

/// Takes a line that was typed; `None` where it is none of the page's.
pub(in crate::update) fn take_line(
    app: &mut App,
    what: Typing,
    text: &str,
) -> Option<Vec<Request>> {
    let now = app.now;
    Some(match what {
        Typing::Seek => {
            if !app.pages.review.find(text) && !text.is_empty() {
                app.tell(Role::Needed, "it is not in this change");
            }
            Vec::new()
        }
        Typing::Base => based(app, text),
        Typing::Reason {
            path,
            hunk,
            piece,
            chosen,
        } => reject(app, (&path, &hunk, piece), &chosen, text),
        // Who says nothing wants nothing.
        Typing::Comment { .. } | Typing::Reply(_) if text.is_empty() => Vec::new(),
        Typing::Comment {
            kind,
            place,
            number: None,
        } => {
            let draft = Draft {
                kind,
                place: *place,
                text: text.to_owned(),
                by: Author::Person,
            };
            match write(app, |book| {
                book.comment(draft, now).map(|comment| comment.number)
            }) {
                Some(number) => {
                    app.pages.review.go_to_number(number);
                    let has_run = app
                        .pages
                        .review
                        .found()
                        .is_some_and(|found| found.run.is_some());
                    if kind == CommentKind::MustFix && !has_run {
                        app.tell(
                            Role::Quiet,
                            "a must-fix of a range is for people: it keeps no run from finishing",
                        );
                    }
                    keep(app, Then::Nothing)
                }
                None => Vec::new(),
            }
        }
        Typing::Comment {
            kind,
            number: Some(number),
            ..
        } => match write(app, |book| book.edit(number, kind, text, now).map(|_| ())) {
            Some(()) => keep(app, Then::Nothing),
            None => Vec::new(),
        },
        Typing::Reply(number) => {
            let heard = Heard {
                number,
                text: text.to_owned(),
            };
            let answered = app
                .pages
                .review
                .write(|book, _| book.answer(&[heard], Author::Person, now));
            if answered.is_some_and(|answered| answered.is_empty()) {
                app.tell(Role::Needed, "it cannot be answered now");
                return Some(Vec::new());
            }
            app.tell(Role::Quiet, "S sends the answer to the agent");
            keep(app, Then::Nothing)
        }
        _ => return None,
    })
}

fn based(app: &mut App, text: &str) -> Vec<Request> {
    if text.is_empty() {
        return Vec::new();
    }
    if text.chars().count() > BASE_CHARS_MAX {
        app.tell(Role::Needed, "that is too long for a range of commits");
        return Vec::new();
    }
    // A name alone means from there to the files as they are.
    let text = match text.contains("..") {
        true => text.to_owned(),
        false => format!("{text}.."),
    };
    ask(app, Base::Range { text })
}

/// Rejects the hunk that was meant when the line was opened, wherever it is now.
fn reject(
    app: &mut App,
    (path, hunk, piece): (&harness_core::RepoPath, &str, usize),
    chosen: &Chosen,
    reason: &str,
) -> Vec<Request> {
    let spot = app.pages.review.found().and_then(|found| {
        let (file, change) = found.change.file(path)?;
        let is_same = |piece: &harness_review::Piece| piece.id.as_str() == hunk;
        let here = change.pieces().get(piece).is_some_and(is_same);
        let at = if here {
            Some(piece)
        } else {
            change.pieces().iter().position(is_same)
        };
        Some(Spot { file, piece: at? })
    });
    let Some(spot) = spot else {
        let path = clean_line(&path.to_text(), 200);
        app.tell(
            Role::Needed,
            format!("{path} has changed meanwhile: look at it again"),
        );
        return Vec::new();
    };
    decide_at(app, spot, chosen, Choice::Rejected, reason)
}
