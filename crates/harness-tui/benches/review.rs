//! Measures the review page without a terminal: `cargo bench -p harness-tui --bench review`.
//!
//! Prints figures and asserts nothing: machines differ. A step is what one key costs, from the
//! key to the bytes of the frame that shows what it did.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

mod figures;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use harness_core::{RepoPath, Timestamp};
use harness_review::{Base, Book, Change, FileChange, Side};
use harness_tui::{
    Answer, App, Found, Input, Painter, Query, Request, ReviewAsked, ReviewFound, Setup, Wanted,
    frame, update,
};

use figures::{ms, range};

const STEPS: usize = 200;

fn main() {
    for (files, lines, apart) in [
        (200, 25, Apart::Parts),
        (1, 5_000, Apart::Parts),
        (1, 5_000, Apart::Nothing),
        (1_000, 100, Apart::Parts),
    ] {
        let found = found(files, lines, apart);
        let begun = Instant::now();
        found.compare();
        let compared = begun.elapsed();
        let mut screen = Screen::opened(found);
        println!(
            "{files} files of {lines} changed lines, {apart}: compared in {}, compared and drawn in {}",
            ms(compared),
            ms(begun.elapsed())
        );
        for (what, keys) in [
            ("a hunk", &["]"][..]),
            ("a file", &["n"]),
            ("a line", &["j"]),
            ("half a page", &["ctrl+d"]),
            ("accept and next", &["a", "]"]),
            ("the other layout", &["t"]),
            ("wider", &["z"]),
            ("wrap", &["w"]),
            ("the end", &["G"]),
            ("the beginning", &["g"]),
        ] {
            println!("        {what:<18} {}", range(&screen.steps(keys)));
        }
    }
}

/// What stands between changed lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Apart {
    /// Every second part has not changed.
    Parts,
    /// Nothing: it is one hunk.
    Nothing,
}

impl std::fmt::Display for Apart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Parts => "in parts",
            Self::Nothing => "in one hunk",
        })
    }
}

fn found(files: usize, lines: usize, apart: Apart) -> ReviewFound {
    let changes = (0..files).map(|file| {
        let text = |word: &str| {
            let line = |at: usize| {
                // Every second hunk-sized part changes.
                let word = if apart == Apart::Nothing || (at / 10).is_multiple_of(2) {
                    word
                } else {
                    "same"
                };
                format!("    let value_{at} = {word}(\"text {at}\", {at}); // as before\n")
            };
            let all = match apart {
                Apart::Parts => lines * 2,
                Apart::Nothing => lines,
            };
            (0..all).map(line).collect::<String>()
        };
        let path =
            RepoPath::parse(format!("src/part_{}/file_{file}.rs", file / 20)).unwrap_or_default();
        FileChange::new(path, Side::of_text(text("old")), Side::of_text(text("new")))
    });
    let text = "main..".to_owned();
    ReviewFound {
        key: "range".to_owned(),
        change: Arc::new(Change::new(changes.collect())),
        book: Book::new(Base::Range { text }, Timestamp::default()),
        title: "main..".to_owned(),
        words: "main → now".to_owned(),
        run: None,
        session: None,
        can_reject: true,
        findings: Vec::new(),
        checks: Vec::new(),
        bases: Vec::new(),
        checkpoints: Vec::new(),
    }
}

struct Screen {
    app: App,
    painter: Painter,
    now: Timestamp,
}

impl Screen {
    fn opened(found: ReviewFound) -> Self {
        let now = Timestamp::from_millis(1);
        let mut screen = Self {
            app: App::new(Setup::default(), 120, 40, now),
            painter: Painter::new(),
            now,
        };
        screen.press("f3");
        let wanted = Wanted::Review(ReviewAsked::Usual);
        let found = Box::new(Found::Review(Box::new(found)));
        screen.take(Input::Answered(Answer::Page(wanted, Ok(found))));
        screen.draw();
        screen
    }

    /// Takes an input in; what is dressed is dressed on another thread in the program.
    fn take(&mut self, input: Input) -> Vec<Request> {
        update(&mut self.app, input)
    }

    fn press(&mut self, key: &str) -> Vec<Request> {
        let Ok(key) = key.parse() else {
            return Vec::new();
        };
        let at = self.now;
        self.take(Input::Key { key, at })
    }

    fn dress(&mut self, asked: Vec<Request>) {
        for request in asked {
            if let Request::Look(Query::Dress(wanted)) = request {
                self.take(Input::Answered(Answer::Dressed(Box::new(wanted.make()))));
            }
        }
        self.draw();
    }

    fn draw(&mut self) -> usize {
        frame(&mut self.app, &mut self.painter).map_or(0, |bytes| bytes.len())
    }

    fn steps(&mut self, keys: &[&str]) -> Vec<Duration> {
        let mut times = Vec::new();
        for at in 0..STEPS {
            let begun = Instant::now();
            let asked = self.press(keys[at % keys.len()]);
            self.draw();
            times.push(begun.elapsed());
            self.dress(asked);
        }
        times
    }
}
