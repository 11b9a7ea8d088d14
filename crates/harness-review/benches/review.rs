//! Measures how long a change of 5,000 lines over 200 files takes: `cargo bench -p harness-review`.
//!
//! Prints figures and asserts nothing: machines differ.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use harness_core::{RepoPath, Timestamp};
use harness_review::{
    Base, Book, Change, Choice, Chosen, FileChange, Hidden, Kept, Order, Side, Sorting,
    export::{Exported, markdown},
    mark, standing, undo,
};

const FILES: usize = 200;
/// Changed lines of a file: 5,000 over all of them, removed and added counted.
const CHANGED: usize = 25;
/// Lines of a file.
const LINES: usize = 500;
const ROUNDS: usize = 20;

fn main() {
    let texts: Vec<[String; 2]> = (0..FILES).map(texts).collect();
    let open = || Change::new(texts.iter().enumerate().map(file).collect());
    let mut book = Book::new(Base::LastCheckpoint, Timestamp::default());
    let change = open();
    let (added, removed) = change.counts();
    println!("{FILES} files, +{added} -{removed}");
    measure("open, nothing compared", || open().files().len());
    measure("compare and name everything", || open().counts());
    let seen = standing(&change, &book);
    let sorted = (Sorting::Path, Hidden::Nothing);
    measure("tree and order", || {
        Order::new(&change, &seen, &BTreeSet::new(), sorted)
            .rows()
            .len()
    });
    measure("words of every hunk", || {
        let pieces = change.files().iter().flat_map(FileChange::pieces);
        pieces
            .filter_map(|piece| piece.hunk())
            .map(|hunk| mark(hunk).rows.len())
            .sum::<usize>()
    });
    for file in change.files() {
        for piece in 0..file.pieces().len() {
            let choice = if piece % 2 == 0 {
                Choice::Rejected
            } else {
                Choice::Accepted
            };
            let now = Timestamp::from_millis(1);
            book.decide(file, piece, &Chosen::All, (choice, ""), now)
                .expect("there is room");
        }
    }
    println!(
        "{} decisions, {} bytes of JSON",
        book.decisions.len(),
        book.to_json().map_or(0, |json| json.len())
    );
    measure("how everything stands, all decided", || {
        standing(&change, &book).progress.decided
    });
    measure("open, compare, how it stands, tree", || {
        let change = open();
        let seen = standing(&change, &book);
        Order::new(&change, &seen, &BTreeSet::new(), sorted)
            .rows()
            .len()
    });
    measure("take half of it back", || take_back(&change, &book));
    let seen = standing(&change, &book);
    measure("write it out as Markdown", || {
        let review = Exported {
            title: "bench",
            base: "base",
            time: Timestamp::default(),
            change: &change,
            standing: &seen,
            book: &book,
            findings: &[],
            evidence: &[],
        };
        markdown(&review).len()
    });
    measure("write and read the book", || {
        let json = book.to_json().unwrap_or_default();
        Book::from_json(&json).map_or(0, |book| book.decisions.len())
    });
}

fn take_back(change: &Change, book: &Book) -> usize {
    let files = change.files().iter();
    files
        .map(|file| {
            let kept: Vec<&Kept> = book
                .decisions_of(&file.path)
                .filter_map(|decision| decision.kept.as_ref())
                .collect();
            undo(&file.path, &file.new, &kept).steps.len()
        })
        .sum()
}

/// Returns both texts of a file: lines of code, some of them changed.
fn texts(file: usize) -> [String; 2] {
    let old = |line: usize| format!("    let value_{line} = compute({file}, {line}, \"text\");\n");
    let every = LINES / CHANGED * 2;
    let new = |line: usize| match line % every {
        7 => format!("    let value_{line} = calculate({file}, {line}, \"text\")?;\n"),
        _ => old(line),
    };
    let joined = |line: &dyn Fn(usize) -> String| (0..LINES).map(line).collect();
    [joined(&old), joined(&new)]
}

fn file((at, [old, new]): (usize, &[String; 2])) -> FileChange {
    let path =
        RepoPath::parse(format!("src/module_{}/file_{at}.rs", at % 20)).expect("it is inside");
    FileChange::new(
        path,
        Side::of_text(old.as_str()),
        Side::of_text(new.as_str()),
    )
}

/// Runs something some times and prints the median and the slowest.
fn measure<T>(what: &str, mut run: impl FnMut() -> T) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(run());
            start.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "{what}: median {:.1?}, slowest {:.1?}",
        times[ROUNDS / 2],
        times[ROUNDS - 1]
    );
}
