use std::collections::BTreeSet;

use harness_core::{FindingKind, LineRange};
use proptest::prelude::*;

use super::*;
use crate::{
    Anchor, AnchorSide, Author, Change, Choice, Chosen, CommentKind, DecisionState, FileChange,
    Heard, Kept, Located, Place, Side, Step, standing, undo,
};

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn book() -> Book {
    Book::new(Base::LastCheckpoint, at(0))
}

fn file(old: &str, new: &str) -> FileChange {
    FileChange::new(path("a"), Side::of_text(old), Side::of_text(new))
}

fn decide(
    book: &mut Book,
    file: &FileChange,
    lines: &[usize],
    choice: Choice,
    time: u64,
) -> String {
    let chosen = if lines.is_empty() {
        Chosen::All
    } else {
        Chosen::Lines(lines.iter().copied().collect())
    };
    let decision = book.decide(file, 0, &chosen, (choice, "why not"), at(time));
    decision.unwrap().id.clone()
}

fn said(text: &str, kind: CommentKind) -> Draft {
    let lines = LineRange { first: 2, last: 2 };
    let anchor = Anchor::of(path("a"), AnchorSide::New, "a\nB\nBB\nc\n", lines).unwrap();
    Draft {
        kind,
        place: Place::of_lines(anchor),
        text: text.to_owned(),
        by: Author::Person,
    }
}

fn state(book: &Book, file: &FileChange) -> DecisionState {
    let decisions: Vec<&Decision> = book.decisions_of(&file.path).collect();
    crate::states(file.pieces(), &decisions)[0].state
}

const OLD: &str = "a\nb\nc\n";
const NEW: &str = "a\nB\nBB\nc\n";

#[test]
fn a_rejection_waits_is_carried_out_and_the_rest_stays_decided() {
    let mut book = book();
    let before = file(OLD, NEW);
    decide(&mut book, &before, &[1, 2], Choice::Accepted, 1);
    let id = decide(&mut book, &before, &[3], Choice::Rejected, 2);
    assert_eq!(state(&book, &before), DecisionState::Mixed);
    let kept: Vec<&Kept> = book
        .pending()
        .filter_map(|decision| decision.kept.as_ref())
        .collect();
    let undone = undo(&path("a"), &before.new, &kept);
    let text = "a\nB\nc\n".to_owned();
    assert_eq!(
        undone.steps,
        [Step::Write {
            path: path("a"),
            text: text.clone()
        }]
    );
    assert!(
        crate::turned_down(&book.pending().collect::<Vec<_>>())
            .contains("a: why not\n>  a\n>  B\n> -BB\n>  c\n")
    );
    assert_eq!(book.applied(&[id].into(), at(3)), 1);
    assert_eq!(book.pending().count(), 0);
    assert_eq!(state(&book, &file(OLD, &text)), DecisionState::Accepted);
    // What was carried out is not undone here; what was accepted is.
    assert_eq!(book.undo_last(at(4)).unwrap().choice, Choice::Accepted);
    assert_eq!(book.undo_last(at(4)), None);
}

#[test]
fn what_is_accepted_in_the_end_is_not_taken_back() {
    let mut book = book();
    let file = file(OLD, NEW);
    decide(&mut book, &file, &[], Choice::Rejected, 1);
    decide(&mut book, &file, &[], Choice::Accepted, 2);
    assert_eq!(book.pending().count(), 0);
    assert_eq!(state(&book, &file), DecisionState::Accepted);
    assert_eq!(book.undecide(&file, 0, at(3)), 1);
    assert_eq!(state(&book, &file), DecisionState::Unseen);
    let nothing = book.decide(
        &file,
        0,
        &Chosen::Lines([0].into()),
        (Choice::Accepted, ""),
        at(4),
    );
    assert_eq!(nothing, Err(BookError::NothingThere { path: path("a") }));
    let far = book.decide(&file, 9, &Chosen::All, (Choice::Accepted, ""), at(4));
    assert!(far.is_err());
}

#[test]
fn the_rest_of_a_file_is_decided_at_once() {
    let old: String = (0..40).map(|line| format!("{line}\n")).collect();
    let new = old
        .replace("\n5\n", "\nfive\n")
        .replace("\n30\n", "\nthirty\n");
    let file = file(&old, &new);
    let mut book = book();
    decide(&mut book, &file, &[], Choice::Rejected, 1);
    assert_eq!(
        book.decide_rest(&file, (Choice::Accepted, ""), at(2)),
        Ok(1)
    );
    assert_eq!(
        book.decide_rest(&file, (Choice::Accepted, ""), at(3)),
        Ok(0)
    );
    let choices: Vec<Choice> = book
        .decisions
        .iter()
        .map(|decision| decision.choice)
        .collect();
    assert_eq!(choices, [Choice::Rejected, Choice::Accepted]);
    let checkpoint = Base::Checkpoint {
        number: CheckpointNumber(2),
    };
    assert_eq!(checkpoint.worded(), "checkpoint 2");
}

#[test]
fn a_comment_goes_its_way() {
    let mut book = book();
    let number = book
        .comment(said("Why?", CommentKind::MustFix), at(1))
        .unwrap()
        .number;
    book.comment(said("Nice", CommentKind::Note), at(2))
        .unwrap();
    assert_eq!(book.open_must_fix().len(), 1);
    book.edit(number, CommentKind::MustFix, "Why not?", at(3))
        .unwrap();
    let (message, told) = book.drafts();
    assert!(message.contains("#1 must-fix at a:2\n> B\nWhy not?\n"));
    assert_eq!((told.as_slice(), book.sent(&told, at(4))), (&[1, 2][..], 2));
    assert_eq!(book.drafts(), (String::new(), Vec::new()));
    let edited = book.edit(number, CommentKind::Nit, "x", at(5)).unwrap_err();
    assert_eq!(edited.to_string(), "comment #1 is sent");
    assert!(edited.hint().is_some());
    let heard = crate::heard("#1: done\n#2: thanks", &book.asked());
    assert_eq!(book.answer(&heard, Author::Agent, at(6)), [1, 2]);
    assert_eq!(
        book.comment_by_number(1).unwrap().state,
        CommentState::Answered
    );
    // An answer resolves nothing: a person does.
    assert_eq!(book.open_must_fix().len(), 1);
    book.resolve(1, at(7)).unwrap();
    assert_eq!(book.open_must_fix().len(), 0);
    assert!(book.resolve(1, at(8)).is_err());
    book.reopen(1, at(9)).unwrap();
    assert_eq!(book.open_must_fix().len(), 1);
    assert_eq!(
        book.resolve(7, at(9)).unwrap_err(),
        BookError::NoComment { number: 7 }
    );
    let again = book.answer(
        &[Heard {
            number: 1,
            text: "and this?".to_owned(),
        }],
        Author::Person,
        at(10),
    );
    assert_eq!(again, [1]);
    assert_eq!(
        book.comment_by_number(1).unwrap().state,
        CommentState::Draft
    );
    assert!(book.edit(1, CommentKind::Nit, "x", at(11)).is_err());
    assert!(book.withdraw(1, at(11)).is_err());
    let (message, told) = book.drafts();
    assert!(
        message.contains("Why not?\nagent: done\nperson: and this?\n"),
        "{message}"
    );
    assert_eq!((told, book.asked()), (vec![1], [1, 2].into()));
}

#[test]
fn what_only_an_agent_said_holds_nothing_up() {
    let mut book = book();
    let draft = Draft {
        by: Author::Agent,
        ..said("a note of mine", CommentKind::MustFix)
    };
    assert_eq!(
        book.comment(draft, at(1)).unwrap().state,
        CommentState::Sent
    );
    assert_eq!(book.open_must_fix().len(), 0);
}

#[test]
fn a_draft_that_was_taken_away_is_gone() {
    let mut book = book();
    book.comment(said("x", CommentKind::MustFix), at(1))
        .unwrap();
    book.withdraw(1, at(2)).unwrap();
    assert_eq!((book.shown().count(), book.open_must_fix().len()), (0, 0));
    assert_eq!(
        book.comment(said("y", CommentKind::Nit), at(3))
            .unwrap()
            .number,
        2
    );
    assert!(book.comment(said("  ", CommentKind::Nit), at(3)).is_err());
    assert!(
        book.comment(
            said(&"x".repeat(TEXT_BYTES_MAX + 1), CommentKind::Nit),
            at(3)
        )
        .is_err()
    );
}

#[test]
fn comments_follow_their_lines_and_are_outdated_without_them() {
    let mut book = book();
    book.comment(said("x", CommentKind::Question), at(1))
        .unwrap();
    book.sent(&[1], at(1));
    assert_eq!(book.relocate(|_, _| Some(NEW)), []);
    let moved = format!("top\n{NEW}");
    let found = book.relocate(|_, _| Some(&moved));
    assert_eq!(found[0].to, Located::Moved(LineRange { first: 3, last: 3 }));
    assert_eq!(book.comments[0].place.worded(), "a:3");
    let gone = book.relocate(|_, _| Some("a\nc\n"));
    assert!(matches!(gone[0].to, Located::Outdated { near: Some(2) }));
    assert_eq!(book.comments[0].shown_state(), CommentState::Outdated);
    assert_eq!(book.comments[0].place.anchor().unwrap().text, "B");
    assert_eq!(book.relocate(|_, _| None), []);
    assert_eq!(book.relocate(|_, _| Some(NEW)).len(), 1);
    assert_eq!(book.comments[0].shown_state(), CommentState::Sent);
}

#[test]
fn what_was_said_and_decided_goes_with_a_renamed_file() {
    let mut book = book();
    decide(&mut book, &file(OLD, NEW), &[], Choice::Accepted, 1);
    book.comment(said("x", CommentKind::Nit), at(2)).unwrap();
    let moved = format!("{NEW}d\n");
    let renamed = FileChange::renamed(
        path("a"),
        path("b"),
        Side::of_text(OLD),
        Side::of_text(moved.as_str()),
    );
    let change = Change::new(vec![renamed]);
    assert_eq!(book.follow(&change), []);
    assert_eq!(book.comments[0].place.worded(), "b:2");
    let states = &standing(&change, &book).files[0].hunks;
    let states: Vec<DecisionState> = states.iter().map(|hunk| hunk.state).collect();
    assert_eq!(states, [DecisionState::Unseen, DecisionState::Partly]);
    let gone = Change::new(vec![FileChange::new(
        path("b"),
        Side::of_text(OLD),
        Side::Absent,
    )]);
    assert_eq!(book.follow(&gone).len(), 1);
}

#[test]
fn a_book_is_kept_as_json() {
    let mut book = book();
    decide(&mut book, &file(OLD, NEW), &[3], Choice::Rejected, 1);
    book.comment(said("x", CommentKind::MustFix), at(2))
        .unwrap();
    let json = book.to_json().unwrap();
    assert_eq!(Book::from_json(&json).unwrap(), book);
    let later = json.replacen('{', r#"{"later":[1],"#, 1);
    assert_eq!(Book::from_json(&later).unwrap(), book);
    let new = json.replacen(r#""schema":1"#, r#""schema":2"#, 1);
    assert_eq!(Book::from_json(&new), Err(BookError::TooNew { found: 2 }));
    assert!(matches!(
        Book::from_json("{}"),
        Err(BookError::Malformed(_))
    ));
    let large = " ".repeat(BOOK_BYTES_MAX + 1);
    assert!(matches!(
        Book::from_json(&large),
        Err(BookError::TooLarge { .. })
    ));
}

/// The form of version 1: what was written once is read for ever.
#[test]
fn the_first_form_is_read() {
    let json = r#"{"schema":1,"base":{"kind":"checkpoint","number":2},"based":"2026-01-02T03:04:05.000Z",
        "decisions":[{"id":"0123456789abcdef","time":"2026-01-02T03:04:05.000Z","choice":"rejected","path":"src/a.rs",
        "hunk":"0123456789ab","blocks":[{"digest":"00","lines":[1]}],"reason":"no",
        "kept":{"kind":"lines","start":4,"lines":[" a\n","+b\n","-c"]}}],
        "comments":[{"id":"fedcba9876543210","number":1,"kind":"must_fix","place":{"kind":"line","path":"src/a.rs",
        "side":"new","lines":{"first":4,"last":4},"text":"b","sha256":"00"},"state":"sent","text":"why?",
        "by":"person","time":"2026-01-02T03:04:05.000Z","edited":"2026-01-02T03:04:05.000Z",
        "moved":"2026-01-02T03:04:05.000Z"}]}"#;
    let book = Book::from_json(json).unwrap();
    assert_eq!(book.pending().count(), 1);
    assert_eq!(book.open_must_fix()[0].place.worded(), "src/a.rs:4");
}

#[test]
fn two_faces_lose_nothing() {
    let mut one = book();
    one.comment(said("first", CommentKind::Nit), at(1)).unwrap();
    let mut other = one.clone();
    one.comment(said("mine", CommentKind::MustFix), at(2))
        .unwrap();
    one.sent(&[1], at(3));
    decide(&mut one, &file(OLD, NEW), &[1, 2], Choice::Accepted, 3);
    other
        .comment(said("yours", CommentKind::Question), at(2))
        .unwrap();
    other
        .edit(1, CommentKind::Question, "first, edited", at(2))
        .unwrap();
    decide(&mut other, &file(OLD, NEW), &[3], Choice::Rejected, 4);
    other.choose_base(
        Base::Range {
            text: "main..".to_owned(),
        },
        at(5),
    );
    let mut merged = one.clone();
    let changed = merged.merge(other.clone());
    assert_eq!(changed, [(2, 3)]);
    assert_eq!(merged.comments.len(), 3);
    assert_eq!(merged.comments[0].text, "first, edited");
    assert_eq!(merged.comments[0].state, CommentState::Sent);
    assert_eq!(merged.decisions.len(), 2);
    assert_eq!(
        merged.base,
        Base::Range {
            text: "main..".to_owned()
        }
    );
    assert_eq!(state(&merged, &file(OLD, NEW)), DecisionState::Mixed);
    // What was edited after it was sent is sent again.
    let mut late = one.clone();
    late.comments[0].edited = at(9);
    late.comments[0].text = "late".to_owned();
    late.merge(one);
    assert_eq!(late.comments[0].state, CommentState::Draft);
    let mut again = merged.clone();
    assert_eq!(again.merge(other), []);
    assert_eq!(again, merged);
}

#[test]
fn a_whole_review_has_its_numbers() {
    let change = Change::new(vec![file(OLD, NEW)]);
    let mut book = book();
    book.comment(said("x", CommentKind::MustFix), at(1))
        .unwrap();
    decide(&mut book, &change.files()[0], &[], Choice::Accepted, 2);
    let now = standing(&change, &book).progress;
    assert_eq!(
        (now.decided, now.hunks, now.comments, now.must_fix),
        (1, 1, 1, 1)
    );
    assert!(!now.is_done());
    assert_eq!(crate::finding_rank(FindingKind::TestsRemoved), 0);
}

#[derive(Clone, Debug)]
enum Act {
    Comment(u8),
    Edit(u8),
    Send,
    Answer(u8),
    Resolve(u8),
    Withdraw(u8),
    Decide(bool),
    Undo,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        any::<u8>().prop_map(Act::Comment),
        (0_u8..6).prop_map(Act::Edit),
        Just(Act::Send),
        (0_u8..6).prop_map(Act::Answer),
        (0_u8..6).prop_map(Act::Resolve),
        (0_u8..6).prop_map(Act::Withdraw),
        any::<bool>().prop_map(Act::Decide),
        Just(Act::Undo),
    ]
}

fn play(book: &mut Book, acts: &[Act], start: u64) {
    for (now, act) in (start..).step_by(3).map(at).zip(acts) {
        match act {
            Act::Comment(text) => _ = book.comment(said(&text.to_string(), CommentKind::Nit), now),
            Act::Edit(number) => {
                _ = book.edit((*number).into(), CommentKind::MustFix, "edited", now);
            }
            Act::Send => {
                let (_, told) = book.drafts();
                book.sent(&told, now);
            }
            Act::Answer(number) => {
                let heard = [Heard {
                    number: (*number).into(),
                    text: now.to_string(),
                }];
                book.answer(&heard, Author::Agent, now);
            }
            Act::Resolve(number) => _ = book.resolve((*number).into(), now),
            Act::Withdraw(number) => _ = book.withdraw((*number).into(), now),
            Act::Decide(good) => {
                let choice = if *good {
                    Choice::Accepted
                } else {
                    Choice::Rejected
                };
                _ = book.decide(&file(OLD, NEW), 0, &Chosen::All, (choice, ""), now);
            }
            Act::Undo => _ = book.undo_last(now),
        }
    }
}

proptest! {
    #[test]
    fn books_can_be_put_together_in_any_order_and_again(
        before in proptest::collection::vec(act(), 0..8),
        mine in proptest::collection::vec(act(), 0..8),
        yours in proptest::collection::vec(act(), 0..8),
    ) {
        let mut one = book();
        play(&mut one, &before, 1);
        let mut other = one.clone();
        play(&mut one, &mine, 1_000);
        play(&mut other, &yours, 1_001);
        let (mut merged, mut turned) = (one.clone(), other.clone());
        merged.merge(other.clone());
        turned.merge(one.clone());
        prop_assert_eq!(&merged, &turned);
        let mut again = merged.clone();
        again.merge(one.clone());
        again.merge(other.clone());
        prop_assert_eq!(&again, &merged);
        let numbers: BTreeSet<u32> = merged.comments.iter().map(|comment| comment.number).collect();
        prop_assert_eq!(numbers.len(), merged.comments.len());
        for book in [&one, &other] {
            for comment in &book.comments {
                let kept = merged.comments.iter().find(|kept| kept.id == comment.id).unwrap();
                for answer in &comment.answers {
                    prop_assert!(kept.answers.contains(answer));
                }
            }
            for decision in &book.decisions {
                prop_assert!(merged.decisions.iter().any(|kept| kept.id == decision.id));
            }
        }
        prop_assert_eq!(Book::from_json(&merged.to_json().unwrap()).unwrap(), merged);
    }
}
