//! What the keys of the review page come to.

use harness_review::{Base, Choice, CommentKind, CommentState, DecisionState};

use super::*;
use crate::{Loan, Then, review::Sides};

fn kept(asked: &[Request]) -> &crate::ReviewKept {
    let [Request::Review(kept)] = asked else {
        panic!("one book is kept, not {asked:?}");
    };
    kept
}

fn here(desk: &Desk) -> String {
    let review = &desk.app.pages.review;
    let file = review
        .file()
        .map(|file| file.path.to_string())
        .unwrap_or_default();
    format!("{file} {}", review.spot().map_or(0, |spot| spot.piece + 1))
}

fn state(desk: &Desk) -> DecisionState {
    desk.app.pages.review.hunk_state().unwrap().state
}

#[test]
fn hunks_and_files_are_gone_through_in_the_order_of_the_tree() {
    let mut desk = opened(120, 40);
    let mut seen = vec![here(&desk)];
    for _ in 0..5 {
        press(&mut desk, "]");
        seen.push(here(&desk));
    }
    assert_eq!(
        seen,
        [
            "tests/csv.rs 1",
            "src/export/csv.rs 1",
            "src/export/csv.rs 2",
            "src/export/quote.rs 1",
            "src/old.rs 1",
            "src/old.rs 1"
        ]
    );
    assert!(desk.picture().contains("this is the last hunk"));
    press(&mut desk, "[ [");
    assert_eq!(here(&desk), "src/export/csv.rs 2");
    press(&mut desk, "p");
    assert_eq!(here(&desk), "tests/csv.rs 1");
    // The focus on the tree goes by files.
    press(&mut desk, "tab j j");
    assert_eq!(here(&desk), "src/export/quote.rs 1");
}

#[test]
fn decisions_are_kept_one_by_one_and_taken_back() {
    let mut desk = opened(80, 24);
    assert_eq!(state(&desk), DecisionState::Unseen);
    let asked = press(&mut desk, "a");
    assert_eq!(
        kept(&asked).book.decisions.last().unwrap().choice,
        Choice::Accepted
    );
    assert_eq!(kept(&asked).then, Then::Nothing);
    assert_eq!(state(&desk), DecisionState::Accepted);
    let asked = press(&mut desk, "space");
    assert!(
        kept(&asked)
            .book
            .decisions
            .last()
            .unwrap()
            .withdrawn
            .is_some()
    );
    assert_eq!(state(&desk), DecisionState::Unseen);
    press(&mut desk, "x");
    desk.write("not this");
    let asked = press(&mut desk, "enter");
    let decision = kept(&asked).book.decisions.last().unwrap();
    assert_eq!(
        (decision.choice, decision.reason.as_str()),
        (Choice::Rejected, "not this")
    );
    assert_eq!(state(&desk), DecisionState::Rejected);
    let asked = press(&mut desk, "u");
    assert!(
        kept(&asked)
            .book
            .decisions
            .last()
            .unwrap()
            .withdrawn
            .is_some()
    );
    // Leaving the line says nothing.
    assert_eq!(press(&mut desk, "x esc"), []);
    assert_eq!(state(&desk), DecisionState::Unseen);
}

#[test]
fn a_part_of_a_hunk_is_decided() {
    let mut desk = opened(80, 24);
    press(&mut desk, "n ] u");
    assert_eq!(here(&desk), "src/export/csv.rs 2");
    let asked = press(&mut desk, "v j a");
    assert_eq!(
        kept(&asked).book.decisions.last().unwrap().choice,
        Choice::Accepted
    );
    assert_eq!(state(&desk), DecisionState::Partly);
    assert!(!desk.app.pages.review.is_selecting());
    // Lines are selected within their hunk.
    press(&mut desk, "v G x");
    let asked = press(&mut desk, "enter");
    assert_eq!(
        kept(&asked).book.decisions.last().unwrap().choice,
        Choice::Rejected
    );
    assert!(state(&desk).is_decided());
}

#[test]
fn comments_are_written_changed_taken_away_sent_answered_and_resolved() {
    let mut desk = opened(80, 24);
    press(&mut desk, "n C tab tab");
    desk.write("a nit");
    let asked = press(&mut desk, "enter");
    let comment = kept(&asked).book.comments.last().unwrap();
    assert_eq!((comment.kind, comment.number), (CommentKind::Nit, 3));
    assert_eq!(desk.app.pages.review.comment(), Some(3));
    // One stands on it, so enter changes it.
    press(&mut desk, "enter");
    desk.write("!");
    let asked = press(&mut desk, "enter");
    assert_eq!(kept(&asked).book.comments.last().unwrap().text, "a nit!");
    let asked = press(&mut desk, "D");
    assert!(
        kept(&asked)
            .book
            .comments
            .last()
            .unwrap()
            .withdrawn
            .is_some()
    );
    assert!(press(&mut desk, "D").is_empty(), "nothing is here any more");
    let asked = press(&mut desk, "S");
    let book = &kept(&asked).book;
    assert_eq!(kept(&asked).then, Then::TurnDown);
    assert_eq!(book.comments[0].state, CommentState::Sent);
    press(&mut desk, "g m enter");
    desk.write("please");
    let asked = press(&mut desk, "enter");
    assert_eq!(kept(&asked).book.comments[0].answers.len(), 1);
    let asked = press(&mut desk, "R");
    assert_eq!(kept(&asked).book.comments[0].state, CommentState::Resolved);
    let asked = press(&mut desk, "R");
    assert_ne!(kept(&asked).book.comments[0].state, CommentState::Resolved);
}

#[test]
fn what_another_face_wrote_comes_in() {
    let mut desk = opened(80, 24);
    let asked = press(&mut desk, "a");
    let mut other = kept(&asked).clone();
    let place = Place::Change;
    let draft = Draft {
        kind: CommentKind::Question,
        place,
        text: "from elsewhere".to_owned(),
        by: Author::Person,
    };
    other.book.comment(draft, NOW).unwrap();
    save(&mut desk, &[Request::Review(Box::new(other))]);
    assert!(desk.picture().contains("from elsewhere"));
    assert_eq!(state(&desk), DecisionState::Accepted);
    assert_eq!(desk.app.pages.review.keeping, 0);
}

#[test]
fn a_hunk_that_changed_says_so_and_one_that_only_moved_stays_decided() {
    let mut desk = opened(80, 24);
    press(&mut desk, "n");
    let mut again = found();
    let (_, csv) = again.change.file(&path("src/export/csv.rs")).unwrap();
    let moved = format!("// a line more\n{}", csv.new.text().unwrap());
    let old = format!("// a line more\n{}", csv.old.text().unwrap());
    again.change = Arc::new(Change::new(vec![file("src/export/csv.rs", &old, &moved)]));
    desk.press("f3");
    give(&mut desk, ReviewAsked::Usual, again);
    assert_eq!(state(&desk), DecisionState::Accepted);
    let mut again = found();
    let changed = moved.replace("replace('\"'", "replacen('\"'");
    again.change = Arc::new(Change::new(vec![file("src/export/csv.rs", &old, &changed)]));
    desk.press("f3");
    give(&mut desk, ReviewAsked::Usual, again);
    assert_eq!(state(&desk), DecisionState::Changed);
    assert!(desk.picture().contains("changed"), "{}", desk.picture());
}

#[test]
fn bases_and_checkpoints_are_asked_for() {
    let mut desk = opened(80, 24);
    let wanted = |base, session| {
        Request::Look(Query::Page(Wanted::Review(ReviewAsked::Base {
            base,
            session,
        })))
    };
    let seven = Some(SessionId::new(7));
    assert_eq!(
        press(&mut desk, "b enter"),
        [wanted(Base::LastCheckpoint, seven)]
    );
    let number = CheckpointNumber(3);
    assert_eq!(
        press(&mut desk, "("),
        [wanted(Base::Checkpoint { number }, seven)]
    );
    press(&mut desk, "b");
    desk.write("type");
    press(&mut desk, "enter");
    desk.write("main");
    let text = "main..".to_owned();
    assert_eq!(
        press(&mut desk, "enter"),
        [wanted(Base::Range { text }, None)]
    );
}

#[test]
fn a_text_is_found_over_the_ends_of_files_and_around() {
    let mut desk = opened(80, 24);
    press(&mut desk, "/");
    desk.write("GONE");
    press(&mut desk, "enter");
    assert_eq!(here(&desk), "src/old.rs 1");
    press(&mut desk, "esc /");
    desk.write("escape");
    press(&mut desk, "enter");
    assert_eq!(here(&desk), "tests/csv.rs 1");
    let mut seen = Vec::new();
    for _ in 0..4 {
        press(&mut desk, ";");
        seen.push(here(&desk));
    }
    assert!(seen.contains(&"src/export/csv.rs 1".to_owned()), "{seen:?}");
    press(&mut desk, ", esc /");
    desk.write("nowhere");
    press(&mut desk, "enter");
    assert!(desk.picture().contains("it is not in this change"));
}

#[test]
fn the_change_is_looked_at_in_other_ways() {
    let mut desk = opened(120, 40);
    desk.picture();
    press(&mut desk, "n t");
    assert_eq!(desk.app.pages.review.manner.sides, Sides::Stacked);
    let narrow = desk.picture();
    press(&mut desk, "z");
    assert!(desk.picture().contains("fn one() {}"));
    press(&mut desk, "z z");
    press(&mut desk, "t");
    assert_ne!(desk.picture(), narrow);
    press(&mut desk, "o");
    assert!(!desk.picture().contains("quote.rs"), "{}", desk.picture());
    press(&mut desk, "o");
    let asked = press(&mut desk, "e");
    let [Request::Lend(Loan::Open { path, line })] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!((path.to_string().as_str(), *line), ("src/export/csv.rs", 5));
    let asked = press(&mut desk, "y");
    let [Request::Copy(text)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(text.starts_with("# Review: F-012"), "{text}");
    assert!(text.contains("also a newline inside a field?"));
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut desk = Desk::new(80, 24);
    let mut between = found();
    between.can_reject = false;
    open(&mut desk, between);
    assert!(press(&mut desk, "x").is_empty());
    assert!(
        desk.picture().contains("two commits are compared"),
        "{}",
        desk.picture()
    );
    press(&mut desk, "R");
    assert!(desk.picture().contains("no comment is here"));
    press(&mut desk, "q");
    assert_eq!(desk.app.place(), crate::Place::Composer);
}
