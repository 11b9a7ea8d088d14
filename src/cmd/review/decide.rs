//! Accepting and turning down, by the ids of hunks.

use std::collections::BTreeSet;

use harness_report::clean_line;
use harness_review::{Choice, Chosen, Standing};
use serde_json::json;

use super::listing;
use crate::{
    cli::{Common, ReviewDecision},
    cmd::difference::quoted,
    failure::Failure,
    output::{Output, say},
    review::{
        Desk,
        apply::{self, Applied, Done},
        desk::refused,
    },
};

pub(super) fn run(
    common: &Common,
    desk: &Desk<'_>,
    flags: &ReviewDecision,
    choice: Choice,
) -> Result<(), Failure> {
    let standing = desk.standing(&desk.book()?);
    let wanted = if flags.all { &[][..] } else { &flags.hunks[..] };
    let spots = spots(desk, wanted, &standing)?;
    let chosen = match &flags.lines {
        None => Chosen::All,
        Some(_) if spots.len() != 1 => {
            return Err(Failure::usage("--lines is about one hunk").hint("name one hunk"));
        }
        Some(lines) => Chosen::Lines(lines_of(lines)?),
    };
    let reason = flags.reason.as_deref().unwrap_or_default();
    no_secret(reason)?;
    decide(common, desk, &spots, &chosen, (choice, reason))
}

/// Writes decisions down, and carries out what waits where no run is at work.
pub(super) fn decide(
    common: &Common,
    desk: &Desk<'_>,
    spots: &[(usize, usize)],
    chosen: &Chosen,
    (choice, reason): (Choice, &str),
) -> Result<(), Failure> {
    if choice == Choice::Rejected && !desk.source.is_now() && desk.source.run.is_none() {
        return Err(Failure::usage(
            "cannot turn down what two commits differ in: only files as they are can be changed",
        )
        .hint("comment instead, or review BASE.. in a work tree of that branch"));
    }
    desk.update(|book, change, now| {
        for (file, piece) in spots {
            let file = &change.files()[*file];
            let decided = book.decide(file, *piece, chosen, (choice, reason), now);
            decided.map_err(|error| refused(&error))?;
        }
        Ok(())
    })?;
    let standing = desk.standing(&desk.book()?);
    let mut output = Output::new(common);
    for (file, piece) in spots {
        let change = &desk.change.files()[*file];
        let id = &change.pieces()[*piece].id;
        let state = standing.files[*file].hunks[*piece].state;
        let path = quoted("", &change.path);
        let text = format!("review: {id} of {path} is {}", state.as_str());
        let body = json!({ "choice": choice, "hunk": id, "path": change.path, "state": state });
        output.entry("hunk_decided", &text, body)?;
    }
    if choice == Choice::Rejected {
        told(&mut output, desk, apply::pending(desk)?)?;
    }
    Ok(())
}

/// Carries out what waits.
pub(super) fn apply(common: &Common, desk: &Desk<'_>) -> Result<(), Failure> {
    let applied = apply::pending(desk)?;
    if matches!(applied, Applied::Nothing) {
        return Err(
            Failure::usage("nothing that was turned down waits").hint("harness review status")
        );
    }
    told(&mut Output::new(common), desk, applied)
}

/// Takes the last decision back.
pub(super) fn undo(common: &Common, desk: &Desk<'_>) -> Result<(), Failure> {
    let undone = desk.update(|book, _, now| {
        let undone = book.undo_last(now);
        Ok(undone.map(|decision| {
            (
                decision.path.clone(),
                decision.hunk.clone(),
                decision.choice,
            )
        }))
    })?;
    let Some((path, hunk, choice)) = undone else {
        return Err(Failure::usage("there is no decision to take back")
            .hint("what was taken back already comes back with `harness checkpoint undo`"));
    };
    let text = format!(
        "review: the decision about {hunk} of {} counts no longer",
        quoted("", &path)
    );
    Output::new(common).entry(
        "hunk_undecided",
        &text,
        json!({ "hunk": hunk, "path": path, "choice": choice }),
    )
}

/// Says what became of rejections.
pub(super) fn told(output: &mut Output, desk: &Desk<'_>, applied: Applied) -> Result<(), Failure> {
    match applied {
        Applied::Nothing => {}
        Applied::AtTurnEnd => {
            say(
                "note: a run is at work and takes it back at the end of its turn; the agent is told",
            );
        }
        Applied::Later => say(
            "note: another run is at work in this work tree; `harness review apply` takes it back once that is over",
        ),
        Applied::Done(done) => carried_out(output, desk, &done)?,
    }
    Ok(())
}

fn carried_out(output: &mut Output, desk: &Desk<'_>, done: &Done) -> Result<(), Failure> {
    let mut clashes = 0;
    for part in &done.parts {
        let path = quoted("", &part.path);
        let text = match &part.clash {
            None => format!("review: {} of {path} is taken back", part.hunk),
            Some(clash) => {
                clashes += 1;
                format!(
                    "review: {} of {path} cannot be taken back: {}\n  wanted there:\n{}  found at line {}:\n{}",
                    part.hunk,
                    clash.why.as_str(),
                    indented(&clash.instead),
                    clash.line,
                    indented(&clash.found)
                )
            }
        };
        let body = json!({ "hunk": part.hunk, "path": part.path, "clash": part.clash });
        output.entry("turned_down", text.trim_end(), body)?;
    }
    if let Some(way) = apply::way_back(&done.kept, desk.site.repo.root()) {
        say(&format!("note: {way}"));
    }
    if clashes > 0 {
        return Err(Failure::needs_human(format!(
            "{clashes} of {} rejections clash with what was changed since",
            done.parts.len()
        ))
        .hint(
            "change the file by hand, or look at the hunk as it is now with `harness review show`",
        ));
    }
    Ok(())
}

/// Returns the hunks that are meant: those named, or all that are not decided.
pub(super) fn spots(
    desk: &Desk<'_>,
    wanted: &[String],
    standing: &Standing,
) -> Result<Vec<(usize, usize)>, Failure> {
    if wanted.is_empty() {
        let files = standing.files.iter().enumerate();
        let open = files.flat_map(|(file, standing)| {
            let hunks = standing.hunks.iter().enumerate();
            let open = hunks.filter(|(_, hunk)| !hunk.state.is_decided());
            open.map(move |(piece, _)| (file, piece))
        });
        return Ok(open.collect());
    }
    let mut spots = Vec::new();
    for text in wanted {
        let spot = desk.change.find(text).ok_or_else(|| {
            let text = clean_line(text, 40);
            Failure::usage(format!("`{text}` means no hunk of this change, or several"))
                .hint("`harness review` lists them with their ids; four digits at least")
        })?;
        if !spots.contains(&spot) {
            spots.push(spot);
        }
    }
    Ok(spots)
}

/// Reads numbers of lines, such as `3-5,8`, as places from 0.
pub(super) fn lines_of(text: &str) -> Result<BTreeSet<usize>, Failure> {
    let wrong = || {
        Failure::usage(format!("`{}` are no lines", clean_line(text, 40)))
            .hint("write numbers as `harness review show ID` gives them, such as 3-5,8")
    };
    let mut lines = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wrong());
        let (first, last) = (number(first)?, number(last)?);
        if first == 0 || last < first || last > 1_000_000 {
            return Err(wrong());
        }
        lines.extend(first - 1..last);
    }
    Ok(lines)
}

/// Refuses words that would put a key on the disk.
pub(crate) fn no_secret(text: &str) -> Result<(), Failure> {
    match harness_runner::redact_for_log(text) {
        None => Ok(()),
        Some(_) => Err(Failure::usage(
            "cannot keep the words: they hold what looks like a key, and would be written to disk",
        )
        .hint("name the variable or the file that has it instead")),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// Says how a comment that was written stands beside the listing of it.
pub(super) fn comment_entry(
    common: &Common,
    desk: &Desk<'_>,
    kind: &str,
    number: u32,
) -> Result<(), Failure> {
    let book = desk.book()?;
    let text = book.comment_by_number(number).map(listing::comment_lines);
    Output::new(common).entry(
        kind,
        &text.unwrap_or_default(),
        listing::comment_body(&book, number),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!(lines_of("3-5,8").unwrap(), [2, 3, 4, 7].into());
        for wrong in ["", "0", "5-3", "a", "1-", "1-99999999999"] {
            assert!(lines_of(wrong).is_err(), "{wrong}");
        }
    }
}
