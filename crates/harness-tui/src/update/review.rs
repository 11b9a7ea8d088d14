//! The keys of the review page: going about in a change, deciding, commenting, sending.

mod said;

use harness_core::Event;
use harness_report::{clean, clean_line};
use harness_review::{Base, Choice, Chosen, Spot, export};

pub(super) use said::{take_line, turn_kind};

use super::{hand, pages};
use crate::{
    app::App,
    command::Command,
    input::{Failed, Loan, Query, Request},
    overlay::Overlay,
    page::{Page, Prompt, Typing},
    review::{Dressed, ReviewAsked, ReviewSaved, Seek, Sides, Then, Way},
    text::Role,
};

/// Carries a command out on the open page; `None` where it is none of its own.
pub(super) fn perform(app: &mut App, command: Command) -> Option<Vec<Request>> {
    if app.pages.open != Page::Review || app.pages.reader.is_some() {
        return None;
    }
    if let Some(asked) = moves(app, command).or_else(|| looks(app, command)) {
        return Some(dress(app, asked));
    }
    let asked = match command {
        Command::ReviewAccept => decide(app, Choice::Accepted, ""),
        Command::ReviewReject => ask_reason(app),
        Command::ReviewToggle => toggle(app),
        Command::ReviewLines => select(app),
        Command::ReviewUndo => undo(app),
        Command::ReviewComment => said::begin_comment(app, app.pages.review.lines_place()),
        Command::ReviewCommentFile => said::begin_comment(app, said::file_place(app)),
        Command::ReviewCommentChange => {
            said::begin_comment(app, Some(harness_review::Place::Change))
        }
        Command::Open => said::open(app),
        Command::ReviewWithdraw => said::withdraw(app),
        Command::ReviewResolve => said::resolve(app),
        Command::ReviewSend => said::send(app),
        Command::ReviewBase => return Some(choose_base(app)),
        Command::ReviewCheckpointNext => checkpoint(app, Way::On),
        Command::ReviewCheckpointPrevious => checkpoint(app, Way::Back),
        Command::ReviewEditor => editor(app),
        Command::ReviewCopy => copy(app),
        Command::Back => return back(app),
        _ => return None,
    };
    Some(dress(app, asked))
}

/// Asks for words and colours of what is looked at now, after whatever else is asked for.
fn dress(app: &mut App, mut asked: Vec<Request>) -> Vec<Request> {
    for wanted in app.pages.review.undressed() {
        if !app.pages.dressing.contains(&wanted) {
            app.pages.dressing.push(wanted.clone());
            asked.push(Request::Look(Query::Dress(wanted)));
        }
    }
    asked
}

/// Takes in the words and colours of a file.
pub(super) fn dressed(app: &mut App, dressed: Dressed) -> Vec<Request> {
    app.pages.dressing.retain(|other| other != dressed.wanted());
    app.pages.review.dressed(dressed);
    Vec::new()
}

/// Goes to the comment that the page was opened for, once it is there.
pub(super) fn go_to_wanted(app: &mut App) {
    let review = &mut app.pages.review;
    let is_there = |number: &u32| {
        let found = review.found();
        found.is_some_and(|found| found.book.comment_by_number(*number).is_some())
    };
    if let Some(number) = review.wanted.filter(is_there) {
        review.wanted = None;
        review.go_to_number(number);
    }
}

/// Takes in what was looked up.
pub(super) fn found(app: &mut App) -> Vec<Request> {
    go_to_wanted(app);
    app.pages.dressing.clear();
    dress(app, Vec::new())
}

/// Takes in what was kept.
pub(super) fn saved(app: &mut App, saved: Result<Box<ReviewSaved>, Failed>) -> Vec<Request> {
    let saved = match saved {
        Ok(saved) => saved,
        Err(failed) => {
            app.pages.review.keeping = app.pages.review.keeping.saturating_sub(1);
            hand::tell_failed(app, &failed);
            return Vec::new();
        }
    };
    app.pages.review.saved(&saved);
    // While a run is at work the page has said already what becomes of it.
    let is_said = app.is_busy() && saved.told.iter().all(|line| line.starts_with("note: "));
    if !saved.told.is_empty() && !is_said {
        let lines = saved.told.iter().map(|line| clean_line(line, 400));
        app.notice = Some(crate::app::Notice {
            lines: lines.collect(),
            role: Role::Plain,
        });
    }
    if saved.is_changed && app.pages.open == Page::Review {
        return pages::look(app);
    }
    Vec::new()
}

/// Looks anew when something happened that a review shows, as long as it is looked at.
pub(super) fn logged(app: &mut App, event: &Event) -> Vec<Request> {
    let concerns = matches!(
        event,
        Event::CheckpointSaved(_)
            | Event::TurnedDown { .. }
            | Event::CommentAnswered { .. }
            | Event::NoteTaken { .. }
            | Event::Reviewed(_)
            | Event::CheckEnded { .. }
            | Event::SessionEnded { .. }
    );
    if !concerns {
        return Vec::new();
    }
    app.pages.review.is_stale = true;
    look_again(app)
}

/// Looks anew where something happened that is not shown yet.
pub(super) fn look_again(app: &mut App) -> Vec<Request> {
    if app.pages.review.is_stale && app.pages.open == Page::Review {
        return pages::look(app);
    }
    Vec::new()
}

/// Goes about; `None` for other commands.
fn moves(app: &mut App, command: Command) -> Option<Vec<Request>> {
    let review = &mut app.pages.review;
    let page = review.page();
    let on_tree = app.focus == crate::app::Focus::Below;
    match command {
        Command::RowDown if on_tree => return Some(seek(app, Seek::NextFile)),
        Command::RowUp if on_tree => return Some(seek(app, Seek::PreviousFile)),
        Command::RowDown => review.step(Way::On, 1),
        Command::RowUp => review.step(Way::Back, 1),
        Command::RowHalfDown => review.step(Way::On, page.div_ceil(2)),
        Command::RowHalfUp => review.step(Way::Back, page.div_ceil(2)),
        Command::RowPageDown => review.step(Way::On, page.saturating_sub(1).max(1)),
        Command::RowPageUp => review.step(Way::Back, page.saturating_sub(1).max(1)),
        Command::RowFirst => review.end(Way::Back),
        Command::RowLast => review.end(Way::On),
        Command::ReviewHunkNext => return Some(seek(app, Seek::NextHunk)),
        Command::ReviewHunkPrevious => return Some(seek(app, Seek::PreviousHunk)),
        Command::ReviewFileNext => return Some(seek(app, Seek::NextFile)),
        Command::ReviewFilePrevious => return Some(seek(app, Seek::PreviousFile)),
        Command::ReviewCommentNext | Command::ReviewCommentPrevious => {
            let way = match command {
                Command::ReviewCommentNext => Way::On,
                _ => Way::Back,
            };
            if !review.go_to_comment(way) {
                app.tell(Role::Quiet, "there is no other comment that way");
            }
        }
        Command::FindNext | Command::FindPrevious => {
            let way = match command {
                Command::FindNext => Way::On,
                _ => Way::Back,
            };
            if review.needle().is_empty() {
                app.tell(Role::Quiet, "nothing is looked for: / takes the letters");
            } else if !review.find_next(way) {
                app.tell(Role::Needed, "it is not in this change");
            }
        }
        Command::Find => {
            let needle = review.needle().to_owned();
            app.pages.prompt = Some(Prompt::new(Typing::Seek, "find: ", &needle));
        }
        _ => return None,
    }
    Some(Vec::new())
}

fn seek(app: &mut App, what: Seek) -> Vec<Request> {
    match app.pages.review.seek(what) {
        Some(spot) => app.pages.review.go(spot),
        None => {
            let told = match what {
                Seek::NextHunk => "this is the last hunk",
                Seek::PreviousHunk => "this is the first hunk",
                Seek::NextFile => "this is the last file",
                Seek::PreviousFile => "this is the first file",
            };
            app.tell(Role::Quiet, told);
        }
    }
    Vec::new()
}

/// Changes how the change is looked at; `None` for other commands.
fn looks(app: &mut App, command: Command) -> Option<Vec<Request>> {
    let review = &mut app.pages.review;
    let told = match command {
        Command::ReviewLayout => match review.turn() {
            Sides::Stacked => "one text below the other",
            _ => "both texts beside each other",
        }
        .to_owned(),
        Command::ReviewContext => match review.widen() {
            0 => "no more than the hunks themselves".to_owned(),
            lines => format!("{lines} more lines around the hunks"),
        },
        Command::ReviewWrap => {
            review.manner.is_wrapped = !review.manner.is_wrapped;
            match review.manner.is_wrapped {
                true => "long lines are wrapped",
                false => "long lines are cut, with what is hidden counted",
            }
            .to_owned()
        }
        Command::ReviewWhitespace => {
            review.manner.hides_blank = !review.manner.hides_blank;
            match review.manner.hides_blank {
                true => "hunks of white space alone are only named",
                false => "white space counts",
            }
            .to_owned()
        }
        Command::ReviewHideDone => {
            review.manner.hides_done = !review.manner.hides_done;
            review.recount();
            match (review.manner.hides_done, review.hidden()) {
                (true, 1) => "1 file that is done is hidden".to_owned(),
                (true, hidden) => format!("{hidden} files that are done are hidden"),
                (false, _) => "every file is shown".to_owned(),
            }
        }
        _ => return None,
    };
    app.tell(Role::Quiet, told);
    Some(Vec::new())
}

/// Keeps what was decided or said, through the program.
fn keep(app: &mut App, then: Then) -> Vec<Request> {
    let kept = app.pages.review.keep(then);
    kept.map(|kept| Request::Review(Box::new(kept)))
        .into_iter()
        .collect()
}

/// Decides the hunk, or the selected lines of it.
fn decide(app: &mut App, choice: Choice, reason: &str) -> Vec<Request> {
    let chosen = app.pages.review.chosen();
    let Some(spot) = app.pages.review.spot() else {
        return Vec::new();
    };
    decide_at(app, spot, &chosen, choice, reason)
}

/// Decides a part of a hunk; what was selected is not any more.
fn decide_at(
    app: &mut App,
    spot: Spot,
    chosen: &Chosen,
    choice: Choice,
    reason: &str,
) -> Vec<Request> {
    let now = app.now;
    let decided = app.pages.review.write(|book, change| {
        let file = change.files().get(spot.file)?;
        let decided = book.decide(file, spot.piece, chosen, (choice, reason), now);
        Some(decided.map(|_| ()))
    });
    app.pages.review.unselect();
    match decided.flatten() {
        Some(Ok(())) => keep(app, Then::Nothing),
        Some(Err(error)) => {
            let hint = error.hint().map(str::to_owned);
            let message = error.to_string();
            hand::tell_failed(app, &Failed { message, hint });
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn ask_reason(app: &mut App) -> Vec<Request> {
    let Some((spot, file)) = app.pages.review.spot().zip(app.pages.review.file()) else {
        return Vec::new();
    };
    let path = file.path.clone();
    let hunk = app.pages.review.piece().map(|piece| piece.id.to_string());
    let chosen = app.pages.review.chosen();
    let what = match &chosen {
        Chosen::All => "reject, why (may be empty): ",
        Chosen::Lines(_) => "reject these lines, why (may be empty): ",
    };
    let typing = Typing::Reason {
        path,
        hunk: hunk.unwrap_or_default(),
        piece: spot.piece,
        chosen,
    };
    app.pages.prompt = Some(Prompt::new(typing, what, ""));
    Vec::new()
}

/// Accepts what is not decided, and takes the decision back of what is.
fn toggle(app: &mut App) -> Vec<Request> {
    let is_decided = app
        .pages
        .review
        .hunk_state()
        .is_some_and(|hunk| hunk.state.is_decided());
    if !is_decided || app.pages.review.is_selecting() {
        return decide(app, Choice::Accepted, "");
    }
    let (Some(spot), now) = (app.pages.review.spot(), app.now) else {
        return Vec::new();
    };
    let undone = app.pages.review.write(|book, change| {
        let file = change.files().get(spot.file);
        file.map_or(0, |file| book.undecide(file, spot.piece, now))
    });
    match undone {
        Some(0) | None => {
            app.tell(
                Role::Needed,
                "it was taken back already: F6 goes back to a checkpoint",
            );
            Vec::new()
        }
        Some(_) => keep(app, Then::Nothing),
    }
}

fn select(app: &mut App) -> Vec<Request> {
    let was = app.pages.review.is_selecting();
    match (was, app.pages.review.select()) {
        (_, true) => app.tell(
            Role::Quiet,
            "j and k take more lines; a accepts, x rejects, c comments on them; v lets go",
        ),
        (true, false) => {}
        (false, false) => app.tell(Role::Needed, "there is no line of a hunk here"),
    }
    Vec::new()
}

fn undo(app: &mut App) -> Vec<Request> {
    let now = app.now;
    let undone = app.pages.review.write(|book, _| {
        let undone = book.undo_last(now)?;
        Some((undone.path.clone(), undone.hunk.clone(), undone.choice))
    });
    let Some((path, hunk, choice)) = undone.flatten() else {
        app.tell(Role::Quiet, "there is no decision to take back");
        return Vec::new();
    };
    let spot = app.pages.review.found().and_then(|found| {
        let (file, change) = found.change.file(&path)?;
        let piece = change.pieces().iter().position(|piece| piece.id == hunk)?;
        Some(Spot { file, piece })
    });
    if let Some(spot) = spot {
        app.pages.review.go(spot);
    }
    let word = match choice {
        Choice::Accepted => "accepted",
        Choice::Rejected => "rejected",
    };
    let path = clean_line(&path.to_text(), 200);
    app.tell(Role::Quiet, format!("taken back: {path} was {word}"));
    keep(app, Then::Nothing)
}

/// Lays the bases over the page that a change can be seen against.
fn choose_base(app: &mut App) -> Vec<Request> {
    let Some(found) = app.pages.review.found() else {
        return Vec::new();
    };
    let words = found.bases.iter().map(|(_, words)| words.as_str());
    app.overlay = Some(Overlay::bases(words));
    Vec::new()
}

/// Takes the base that was chosen.
pub(super) fn based(app: &mut App, words: &str) -> Vec<Request> {
    let Some(found) = app.pages.review.found() else {
        return Vec::new();
    };
    match found
        .bases
        .iter()
        .find(|(_, other)| clean_line(other, 200) == words)
    {
        Some((base, _)) => {
            let base = base.clone();
            ask(app, base)
        }
        None => {
            let typed = Prompt::new(Typing::Base, "base, as in main.. or v1..v2: ", "");
            app.pages.prompt = Some(typed);
            Vec::new()
        }
    }
}

/// Asks for the change since another base.
pub(super) fn ask(app: &mut App, base: Base) -> Vec<Request> {
    let session = app.pages.review.found().and_then(|found| found.session);
    // A checkpoint counts within its session; the others are found by themselves.
    let session =
        session.filter(|_| matches!(base, Base::Checkpoint { .. } | Base::LastCheckpoint));
    app.pages.review.asked = ReviewAsked::Base { base, session };
    pages::look(app)
}

fn checkpoint(app: &mut App, way: Way) -> Vec<Request> {
    match app.pages.review.checkpoint(way) {
        Some(number) => ask(app, Base::Checkpoint { number }),
        None => {
            let told = match way {
                Way::On => "there is no later checkpoint",
                Way::Back => "there is no earlier checkpoint",
            };
            app.tell(Role::Quiet, told);
            Vec::new()
        }
    }
}

fn editor(app: &mut App) -> Vec<Request> {
    let Some(file) = app.pages.review.file() else {
        return Vec::new();
    };
    if matches!(file.new, harness_review::Side::Absent) {
        app.tell(Role::Needed, "the file is not there any more");
        return Vec::new();
    }
    let path = file.path.clone();
    let line = app.pages.review.line();
    app.pages.review.is_stale = true;
    vec![Request::Lend(Loan::Open { path, line })]
}

/// Copies the whole review as Markdown.
fn copy(app: &mut App) -> Vec<Request> {
    let Some(found) = app.pages.review.found() else {
        return Vec::new();
    };
    let shown: Vec<export::ShownFinding<'_>> = found
        .findings
        .iter()
        .map(|(finding, is_approved)| export::ShownFinding {
            finding,
            is_approved: *is_approved,
        })
        .collect();
    let text = export::markdown(&export::Exported {
        title: &found.title,
        base: &found.words,
        time: app.now,
        change: &found.change,
        standing: app.pages.review.standing(),
        book: &found.book,
        findings: &shown,
        evidence: &found.checks,
    });
    let text = clean(&text).into_owned();
    hand::copy(app, Some(text))
}

/// Goes back one step: out of a selection, a search, the page.
fn back(app: &mut App) -> Option<Vec<Request>> {
    if app.focus == crate::app::Focus::Composer {
        return None;
    }
    if app.pages.review.is_selecting() {
        app.pages.review.unselect();
        return Some(Vec::new());
    }
    if !app.pages.review.needle().is_empty() {
        app.pages.review.find("");
        return Some(Vec::new());
    }
    None
}
