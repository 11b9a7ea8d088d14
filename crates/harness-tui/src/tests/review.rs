//! The review page: what it shows at the sizes people have, and what its keys come to.

mod any;
mod keys;
mod unicode;

use std::sync::Arc;

use harness_core::{
    CheckpointNumber, FeatureId, Finding, FindingKind, LineRange, RepoPath, RunId, SessionId,
    Timestamp,
};
use harness_review::{
    Anchor, AnchorSide, Author, Base, Book, Change, Choice, Chosen, CommentKind, Draft, FileChange,
    Place, Side, export::ShownCheck,
};

use super::{
    desk::{Desk, NOW},
    pages::check_sizes,
};
use crate::{Answer, Found, Input, Query, Request, ReviewAsked, ReviewFound, ReviewSaved, Wanted};

pub(super) fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub(super) fn file(name: &str, old: &str, new: &str) -> FileChange {
    let side = |text: &str| match text {
        "" => Side::Absent,
        text => Side::of_text(text),
    };
    FileChange::new(path(name), side(old), side(new))
}

const OLD: &str = "use std::fmt;\n\n/// Escapes.\nfn escape(s: &str) -> String {\n    s.replace('\"', \"\\\"\")\n}\n\n\
    fn one() {}\n\nfn two() {}\n\nfn three() {}\n\nfn four() {}\n\nfn five() {}\n\n\
    fn write_row(row: &[&str]) -> String {\n    let mut out = String::new();\n    for f in row {\n        out.push_str(f); // 1\n    }\n    out\n}\n";

pub(super) fn change() -> Change {
    let new = OLD
        .replace("\"\\\"\")", "\"\\\"\\\"\")")
        .replace("    for f in row {\n        out.push_str(f); // 1\n", "    for (at, field) in row.iter().enumerate() {\n        if at > 0 {\n            out.push(',');\n        }\n        out.push_str(&escape(field)); // 2\n");
    let tests = "#[test]\nfn quotes() {\n    assert_eq!(escape(\"a\"), \"a\");\n}\n";
    Change::new(vec![
        file("src/export/csv.rs", OLD, &new),
        file(
            "src/export/quote.rs",
            "",
            "//! Quotes.\n\npub const QUOTE: char = '\"';\n",
        ),
        file("src/old.rs", "fn gone() {}\n", ""),
        file(
            "tests/csv.rs",
            tests,
            &tests.replace(
                "    assert_eq!(escape(\"a\"), \"a\");\n",
                "    let _ = escape(\"a\");\n",
            ),
        ),
    ])
}

/// A change with a decision of each kind, comments, a finding and evidence.
pub(super) fn found() -> ReviewFound {
    let change = change();
    let feature = FeatureId::new("F-012").unwrap();
    let mut book = Book::new(Base::Feature { feature }, NOW);
    let (_, csv) = change.file(&path("src/export/csv.rs")).unwrap();
    let (_, quote) = change.file(&path("src/export/quote.rs")).unwrap();
    let later = |millis| Timestamp::from_millis(millis);
    book.decide(quote, 0, &Chosen::All, (Choice::Accepted, ""), later(1))
        .unwrap();
    book.decide(csv, 0, &Chosen::All, (Choice::Accepted, ""), later(2))
        .unwrap();
    book.decide(
        csv,
        1,
        &Chosen::All,
        (Choice::Rejected, "too clever"),
        later(3),
    )
    .unwrap();
    let lines = LineRange { first: 5, last: 5 };
    let text = csv.new.text().unwrap();
    let anchor = Anchor::of(csv.path.clone(), AnchorSide::New, text, lines).unwrap();
    let draft = |kind, place, text: &str, by| Draft {
        kind,
        place,
        text: text.to_owned(),
        by,
    };
    let place = Place::of_lines(anchor);
    let must = draft(
        CommentKind::MustFix,
        place,
        "also a newline inside a field?",
        Author::Person,
    );
    book.comment(must, later(4)).unwrap();
    let place = Place::File {
        path: path("tests/csv.rs"),
    };
    let note = draft(
        CommentKind::Note,
        place,
        "the test is not needed any more",
        Author::Agent,
    );
    book.comment(note, later(5)).unwrap();
    let finding = Finding {
        line: Some(3),
        id: "12345678".to_owned(),
        ..Finding::of_path(
            FindingKind::AssertionsWeakened,
            path("tests/csv.rs"),
            "1 assertion fewer in `quotes`".to_owned(),
        )
    };
    let check = |gate: &str, status: &str, failed| ShownCheck {
        gate: gate.to_owned(),
        status: status.to_owned(),
        tests: Some([212, failed, 0]),
        ms: 9_800,
        tree: "4be1".to_owned(),
        failed: String::new(),
    };
    ReviewFound {
        key: "R-0001".to_owned(),
        change: Arc::new(change),
        book,
        title: "F-012 Export as CSV".to_owned(),
        words: "checkpoint 2 → now".to_owned(),
        run: Some(RunId::new(1)),
        session: Some(SessionId::new(7)),
        can_reject: true,
        findings: vec![(finding, false)],
        checks: vec![check("lint", "green", 0), check("test", "red", 1)],
        bases: vec![
            (Base::LastCheckpoint, "since the last checkpoint".to_owned()),
            (
                Base::Range {
                    text: "HEAD..".to_owned(),
                },
                "what is not committed".to_owned(),
            ),
        ],
        checkpoints: vec![
            CheckpointNumber(1),
            CheckpointNumber(2),
            CheckpointNumber(3),
        ],
    }
}

/// Answers what the page asks for of its own, as the program does.
pub(super) fn serve(desk: &mut Desk, asked: Vec<Request>) -> Vec<Request> {
    let mut left = Vec::new();
    let mut waiting = asked;
    while let Some(request) = waiting.pop() {
        match request {
            Request::Look(Query::Dress(wanted)) => {
                let answer = Answer::Dressed(Box::new(wanted.make()));
                waiting.extend(desk.take(Input::Answered(answer)));
            }
            other => left.push(other),
        }
    }
    left
}

pub(super) fn give(desk: &mut Desk, wanted: ReviewAsked, found: ReviewFound) {
    let found = Found::Review(Box::new(found));
    let answer = Answer::Page(Wanted::Review(wanted), Ok(Box::new(found)));
    let asked = desk.take(Input::Answered(answer));
    assert_eq!(serve(desk, asked), []);
}

/// Opens the page with a change.
pub(super) fn open(desk: &mut Desk, found: ReviewFound) {
    let usual = Wanted::Review(ReviewAsked::Usual);
    assert_eq!(desk.press("f3"), [Request::Look(Query::Page(usual))]);
    give(desk, ReviewAsked::Usual, found);
}

/// Presses keys and returns what is asked of the program beside looking.
pub(super) fn press(desk: &mut Desk, keys: &str) -> Vec<Request> {
    let asked = desk.press(keys);
    serve(desk, asked)
}

fn opened(columns: u16, rows: u16) -> Desk {
    let mut desk = Desk::new(columns, rows);
    open(&mut desk, found());
    desk
}

/// Hands a book back as the program does.
fn save(desk: &mut Desk, asked: &[Request]) {
    for request in asked {
        if let Request::Review(kept) = request {
            let saved = ReviewSaved {
                key: "R-0001".to_owned(),
                book: kept.book.clone(),
                told: Vec::new(),
                is_changed: false,
            };
            desk.take(Input::Answered(Answer::Reviewed(Ok(Box::new(saved)))));
        }
    }
}

#[test]
fn the_review_page() {
    check_sizes("review", |desk| {
        open(desk, found());
        press(desk, "n");
    });
}

#[test]
fn a_weakened_test_comes_first_with_its_finding() {
    check_sizes("review_finding", |desk| open(desk, found()));
}

#[test]
fn lines_are_selected_and_turned_down_with_a_reason() {
    check_sizes("review_reason", |desk| {
        open(desk, found());
        press(desk, "n ] v j x");
        desk.write("too clever");
    });
}

#[test]
fn a_comment_is_typed_with_its_kind() {
    check_sizes("review_comment", |desk| {
        open(desk, found());
        press(desk, "n c tab");
        desk.write("why not `replacen`?");
    });
}

#[test]
fn what_it_can_be_compared_with() {
    check_sizes("review_bases", |desk| {
        open(desk, found());
        press(desk, "b");
    });
}

#[test]
fn nothing_differs() {
    check_sizes("review_nothing", |desk| {
        let mut found = found();
        found.change = Arc::new(Change::default());
        found.findings.clear();
        open(desk, found);
    });
}

#[test]
fn what_cannot_be_told_says_why() {
    check_sizes("review_failed", |desk| {
        desk.press("f3");
        let failed = crate::Failed {
            message: "cannot read the log of S-0007".to_owned(),
            hint: Some("harness log verify S-0007".to_owned()),
        };
        let wanted = Wanted::Review(ReviewAsked::Usual);
        desk.take(Input::Answered(Answer::Page(wanted, Err(failed))));
    });
}
