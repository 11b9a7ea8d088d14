//! Comments: written, sent, answered and resolved.

use std::{
    io::{self, Read as _},
    path::Path,
};

use harness_core::{ByteCount, LineRange, RepoPath};
use harness_report::clean_line;
use harness_review::{
    Anchor, AnchorSide, Author, CommentKind, Draft, Heard, Place, Side, book::TEXT_BYTES_MAX,
};
use serde_json::json;

use super::decide::{comment_entry, no_secret};
use crate::{
    cli::{Common, ReviewKind},
    cmd::scope,
    failure::Failure,
    files,
    output::{Output, say},
    review::{Desk, apply, desk::refused, held},
    session,
};

/// What happens to comments, one by one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Withdraw,
    Resolve,
    Reopen,
}

/// Returns what is said, from the command line, a file or standard input.
pub(super) fn text(words: Option<&str>, file: Option<&Path>) -> Result<String, Failure> {
    let most = ByteCount(TEXT_BYTES_MAX as u64);
    let text = match (words, file) {
        (Some(words), _) => words.to_owned(),
        (None, None) => {
            return Err(Failure::usage("a comment says something")
                .hint("harness review comment \"TEXT\" --at PATH:LINE"));
        }
        (None, Some(path)) => {
            let bytes = if path == Path::new("-") {
                let mut bytes = Vec::new();
                let read = io::stdin().lock().take(most.0 + 1).read_to_end(&mut bytes);
                read.map_err(|error| {
                    Failure::failed(format!("cannot read standard input: {error}"))
                })?;
                bytes
            } else {
                files::read_own(path, most)?.ok_or_else(|| {
                    Failure::usage(format!(
                        "cannot read `{}`: there is no such file",
                        path.display()
                    ))
                })?
            };
            String::from_utf8(bytes)
                .map_err(|_| Failure::usage("cannot take the comment: it is no UTF-8"))?
        }
    };
    no_secret(&text)?;
    Ok(text)
}

/// Finds what a comment is about: `PATH`, `PATH:LINE` or `PATH:FIRST-LAST`.
pub(super) fn place(desk: &Desk<'_>, at: Option<&str>, old: bool) -> Result<Place, Failure> {
    let Some(at) = at else {
        return Ok(Place::Change);
    };
    let (path, lines) = split(at);
    let path = scope::from_here(desk.site, path)?;
    let (_, file) = desk.change.file(&path).ok_or_else(|| {
        Failure::usage(format!("`{path}` does not differ")).hint("harness review")
    })?;
    let Some(lines) = lines else {
        return Ok(Place::File { path });
    };
    let (side, text) = if old {
        (AnchorSide::Old, &file.old)
    } else {
        (AnchorSide::New, &file.new)
    };
    anchored(&path, side, text, lines)
}

/// Makes the place of some lines of a side.
pub(super) fn anchored(
    path: &RepoPath,
    side: AnchorSide,
    text: &Side,
    lines: LineRange,
) -> Result<Place, Failure> {
    let Some(text) = text.text() else {
        return Err(
            Failure::usage(format!("`{path}` has no lines on that side"))
                .hint("leave the lines out, or take --old"),
        );
    };
    let count = text.lines().count();
    let anchor = Anchor::of(path.clone(), side, text, lines);
    let anchor = anchor.ok_or_else(|| Failure::usage(format!("`{path}` has {count} lines")))?;
    Ok(Place::of_lines(anchor))
}

/// Takes a place apart; a name that ends like lines is a name where a file is called so.
fn split(at: &str) -> (&str, Option<LineRange>) {
    let parsed = at.rsplit_once(':').and_then(|(path, lines)| {
        let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first > 0 && last >= first).then_some((path, LineRange { first, last }))
    });
    parsed.map_or((at, None), |(path, lines)| (path, Some(lines)))
}

/// Writes a comment down.
pub(super) fn write(
    common: &Common,
    desk: &Desk<'_>,
    kind: ReviewKind,
    place: Place,
    text: &str,
) -> Result<(), Failure> {
    let draft = Draft {
        kind: kind_of(kind),
        place,
        text: text.to_owned(),
        by: Author::Person,
    };
    let number = desk.update(|book, _, now| {
        let comment = book.comment(draft, now).map_err(|error| refused(&error))?;
        Ok(comment.number)
    })?;
    comment_entry(common, desk, "comment_written", number)?;
    if common.json {
        return Ok(());
    }
    match held::holds_nothing(desk).filter(|_| kind == ReviewKind::MustFix) {
        Some(text) => say(&format!("note: {text}")),
        None if desk.source.run.is_some() => {
            say("hint: `harness review send` sends all drafts to the agent as one message");
        }
        None => {}
    }
    Ok(())
}

pub(super) fn edit(
    common: &Common,
    desk: &Desk<'_>,
    number: u32,
    kind: Option<ReviewKind>,
    text: &str,
) -> Result<(), Failure> {
    no_secret(text)?;
    desk.update(|book, _, now| {
        let before = book.comment_by_number(number).map(|comment| comment.kind);
        let kind = kind.map(kind_of).or(before).unwrap_or(CommentKind::MustFix);
        let edited = book.edit(number, kind, text, now).map(|_| ());
        edited.map_err(|error| refused(&error))
    })?;
    comment_entry(common, desk, "comment_edited", number)
}

/// Says more about a comment; the agent is asked again once it is sent.
pub(super) fn answer(
    common: &Common,
    desk: &Desk<'_>,
    number: u32,
    text: &str,
) -> Result<(), Failure> {
    no_secret(text)?;
    if text.trim().is_empty() {
        return Err(Failure::usage("the answer is empty"));
    }
    let heard = Heard {
        number,
        text: text.trim().to_owned(),
    };
    let answered = desk.update(|book, _, now| Ok(book.answer(&[heard], Author::Person, now)))?;
    if answered.is_empty() {
        return Err(
            Failure::usage(format!("comment #{number} was not sent, or is resolved"))
                .hint("`harness review send` sends drafts, `reopen` opens what is resolved"),
        );
    }
    comment_entry(common, desk, "comment_answered", number)?;
    if !common.json {
        say("hint: `harness review send` sends it to the agent");
    }
    Ok(())
}

/// Changes comments one by one; all or none.
pub(super) fn each(
    common: &Common,
    desk: &Desk<'_>,
    numbers: &[u32],
    change: Change,
) -> Result<(), Failure> {
    desk.update(|book, _, now| {
        for number in numbers {
            let done = match change {
                Change::Withdraw => book.withdraw(*number, now),
                Change::Resolve => book.resolve(*number, now),
                Change::Reopen => book.reopen(*number, now),
            };
            done.map_err(|error| refused(&error))?;
        }
        Ok(())
    })?;
    let book = desk.book()?;
    let mut output = Output::new(common);
    for number in numbers {
        let (kind, word) = match change {
            Change::Withdraw => ("comment_withdrawn", "taken away"),
            Change::Resolve => ("comment_resolved", "resolved"),
            Change::Reopen => ("comment_reopened", "open again"),
        };
        output.entry(
            kind,
            &format!("comment: #{number} is {word}"),
            json!({ "number": number }),
        )?;
    }
    let open = book.open_must_fix().len();
    if open > 0 && !common.json {
        say(&format!("note: {open} must-fix open"));
    }
    Ok(())
}

/// Sends every draft.
pub(super) fn send(common: &Common, desk: &Desk<'_>) -> Result<(), Failure> {
    let sent = desk.update(|book, _, now| {
        // What has no room in one message goes with the next one.
        let mut all = Vec::new();
        loop {
            let (_, numbers) = book.drafts();
            if numbers.is_empty() || book.sent(&numbers, now) == 0 {
                return Ok(all);
            }
            all.extend(numbers);
        }
    })?;
    if sent.is_empty() {
        return Err(Failure::usage("there is no draft to send")
            .hint("harness review comment \"TEXT\" --at PATH:LINE"));
    }
    let named: Vec<String> = sent.iter().map(|number| format!("#{number}")).collect();
    let text = format!("review: sent {}", named.join(", "));
    let mut output = Output::new(common);
    output.entry("comments_sent", &text, json!({ "numbers": sent }))?;
    super::decide::told(&mut output, desk, apply::pending(desk)?)?;
    way_on(common, desk)
}

/// Says who hears of it.
fn way_on(common: &Common, desk: &Desk<'_>) -> Result<(), Failure> {
    if common.json {
        return Ok(());
    }
    if desk.source.run.is_none() {
        say(
            "note: no run made this change, so no agent hears of it; `harness review --export md` writes it out",
        );
        return Ok(());
    }
    let store = desk.site.store()?;
    if session::lock(desk.site, &store).is_err() {
        say("note: the run is at work and tells the agent with its next turn");
    } else {
        say("hint: `harness resume --last` tells the agent");
    }
    Ok(())
}

const fn kind_of(kind: ReviewKind) -> CommentKind {
    match kind {
        ReviewKind::MustFix => CommentKind::MustFix,
        ReviewKind::Question => CommentKind::Question,
        ReviewKind::Nit => CommentKind::Nit,
        ReviewKind::Note => CommentKind::Note,
    }
}

/// Names a place for a prompt.
pub(super) fn worded(place: &Place) -> String {
    clean_line(&place.worded(), 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_or_lines_of_it() {
        let check = |at, path, lines: Option<(u32, u32)>| {
            let lines = lines.map(|(first, last)| LineRange { first, last });
            assert_eq!(split(at), (path, lines), "{at}");
        };
        check("src/a.rs", "src/a.rs", None);
        check("src/a.rs:4", "src/a.rs", Some((4, 4)));
        check("a:b:4-9", "a:b", Some((4, 9)));
        check("a:0", "a:0", None);
        check("a:9-4", "a:9-4", None);
        check("a:b", "a:b", None);
    }
}
