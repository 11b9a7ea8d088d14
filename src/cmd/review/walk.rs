//! Going through a change in plain lines: each hunk is shown, and answered by a number.

use harness_core::LineRange;
use harness_review::{AnchorSide, Change, Choice, Chosen, Place};

use super::{comments, decide, listing};
use crate::{
    ask,
    cli::{Common, ReviewKind},
    failure::Failure,
    output::Output,
    review::Desk,
};

const ANSWERS: &str =
    "  1 accept\n  2 reject\n  3 comment\n  4 next\n  5 previous\n  6 send\n  7 stop\nanswer 1-7: ";

/// Asks about each hunk until the person stops, or the input ends.
pub(super) fn run(common: &Common, desk: &Desk<'_>) -> Result<(), Failure> {
    let output = Output::new(common);
    let spots = spots(&desk.change);
    let standing = desk.standing(&desk.book()?);
    output.text(&listing::head(desk, &standing))?;
    for comment in desk.book()?.shown() {
        output.text(&listing::comment_lines(comment))?;
    }
    let is_open =
        |(file, piece): &&(usize, usize)| !standing.files[*file].hunks[*piece].state.is_decided();
    let mut at = spots.iter().position(|spot| is_open(&spot)).unwrap_or(0);
    while let Some(spot) = spots.get(at) {
        show(&output, desk, *spot, (at + 1, spots.len()))?;
        let Some(answer) = ask::line(ANSWERS) else {
            return Ok(());
        };
        let done = match answer.trim() {
            "1" | "accept" => accept(common, desk, *spot).map(|()| 1),
            "2" | "reject" => reject(common, desk, *spot).map(|()| 1),
            "3" | "comment" => comment(common, desk, *spot).map(|()| 0),
            "4" | "next" | "" => Ok(1),
            "5" | "previous" => Ok(-1),
            "6" | "send" => comments::send(common, desk).map(|()| 0),
            "7" | "stop" | "q" => return Ok(()),
            _ => Ok(0),
        };
        // What does not work is said, and the hunk is asked about again.
        let step = done.unwrap_or_else(|failure| {
            failure.print();
            0
        });
        at = at.saturating_add_signed(step);
    }
    output.text(&listing::head(desk, &desk.standing(&desk.book()?)))
}

fn spots(change: &Change) -> Vec<(usize, usize)> {
    let files = change.files().iter().enumerate();
    let spots =
        files.flat_map(|(file, change)| (0..change.pieces().len()).map(move |piece| (file, piece)));
    spots.collect()
}

fn show(
    output: &Output,
    desk: &Desk<'_>,
    (file, piece): (usize, usize),
    (at, of): (usize, usize),
) -> Result<(), Failure> {
    let standing = desk.standing(&desk.book()?);
    let (change, state) = (
        &desk.change.files()[file],
        &standing.files[file].hunks[piece],
    );
    let part = &change.pieces()[piece];
    let summary = listing::summary(change, part, state);
    let path = super::super::difference::quoted("", &change.path);
    let lines = listing::hunk_lines(part, state);
    output.text(format!("hunk: {at} of {of}, {path} {summary}\n{lines}").trim_end())
}

fn accept(common: &Common, desk: &Desk<'_>, spot: (usize, usize)) -> Result<(), Failure> {
    decide::decide(common, desk, &[spot], &Chosen::All, (Choice::Accepted, ""))
}

fn reject(common: &Common, desk: &Desk<'_>, spot: (usize, usize)) -> Result<(), Failure> {
    let lines = ask::line("lines, such as 3-5,8, or nothing for all: ").unwrap_or_default();
    let chosen = match lines.trim() {
        "" => Chosen::All,
        lines => Chosen::Lines(decide::lines_of(lines)?),
    };
    let reason = ask::line("why, for the agent: ").unwrap_or_default();
    decide::no_secret(&reason)?;
    decide::decide(
        common,
        desk,
        &[spot],
        &chosen,
        (Choice::Rejected, reason.trim()),
    )
}

fn comment(common: &Common, desk: &Desk<'_>, (file, piece): (usize, usize)) -> Result<(), Failure> {
    let change = &desk.change.files()[file];
    let part = &change.pieces()[piece];
    let asked = ask::line("line of the hunk, or nothing for the file: ").unwrap_or_default();
    let place = match asked.trim() {
        "" => Place::File {
            path: change.path.clone(),
        },
        number => {
            let lines = decide::lines_of(number)?;
            let at = lines.first().copied().unwrap_or_default();
            let numbered = part
                .hunk()
                .and_then(|hunk| hunk.numbered().nth(at).map(|(old, new, _)| (old, new)));
            match numbered {
                Some((_, Some(line))) => {
                    let lines = LineRange {
                        first: line,
                        last: line,
                    };
                    comments::anchored(&change.path, AnchorSide::New, &change.new, lines)?
                }
                Some((Some(line), None)) => {
                    let lines = LineRange {
                        first: line,
                        last: line,
                    };
                    comments::anchored(&change.path, AnchorSide::Old, &change.old, lines)?
                }
                _ => return Err(Failure::usage("the hunk has no such line")),
            }
        }
    };
    let kinds = "  1 must-fix\n  2 question\n  3 nit\n  4 note\nanswer 1-4: ";
    let kind = match ask::line(kinds).unwrap_or_default().trim() {
        "2" => ReviewKind::Question,
        "3" => ReviewKind::Nit,
        "4" => ReviewKind::Note,
        _ => ReviewKind::MustFix,
    };
    let text = ask::line(&format!("comment on {}: ", comments::worded(&place))).unwrap_or_default();
    decide::no_secret(&text)?;
    comments::write(common, desk, kind, place, &text)
}
