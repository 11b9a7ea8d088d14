//! What the stills show: the recorded demo, and pages with what a small project has.

use std::sync::Arc;

use harness_core::{
    CheckpointNumber, Event, Feature, FeatureId, FeatureStatus, Finding, FindingKind, LineRange,
    ModelDelta, RepoPath, RunId, SessionId, Timestamp,
};
use harness_review::{
    Anchor, AnchorSide, Author, Base, Book, Change, Choice, Chosen, CommentKind, Draft, FileChange,
    Place, Side,
};
use harness_tui::{
    Answer, App, FeatureFound, FeaturesFound, Found, Input, Painter, ProofFound, Query, Request,
    ReviewAsked, ReviewFound, Setup, Wanted, frame, update, view,
};
use ratatui::{buffer::Buffer, layout::Rect};
use serde_json::{Value, json};

const SIZE: (u16, u16) = (120, 32);
const DEMO: &str = include_str!("../../../../fixtures/sessions/demo.jsonl");

/// Returns every still by its name.
pub(crate) fn all() -> [(&'static str, Buffer); 4] {
    [
        ("session", session()),
        ("approval", approval()),
        ("features", features()),
        ("review", review()),
    ]
}

struct Screen {
    app: App,
    now: Timestamp,
}

impl Screen {
    fn new() -> Self {
        let now = Timestamp::from_millis(1_763_633_643_021);
        Self {
            app: App::new(Setup::default(), SIZE.0, SIZE.1, now),
            now,
        }
    }

    /// Plays the demo until an event of a kind was logged.
    fn played_until(kind: &str) -> Self {
        let mut screen = Self::new();
        screen.take(Input::Started);
        for line in DEMO.lines() {
            let record: Value = serde_json::from_str(line).expect("a record");
            screen.now = serde_json::from_value(record["time"].clone()).expect("a time");
            let is_last = record["event"]["type"] == kind;
            screen.log(record["event"].clone());
            if is_last {
                break;
            }
        }
        screen
    }

    fn log(&mut self, event: Value) {
        let event: Event = serde_json::from_value(event).expect("an event");
        let (event, at) = (Box::new(event), self.now);
        self.take(Input::Logged { event, at });
    }

    /// Takes an input in; what is dressed is dressed at once.
    fn take(&mut self, input: Input) {
        let mut waiting = update(&mut self.app, input);
        while let Some(request) = waiting.pop() {
            if let Request::Look(Query::Dress(wanted)) = request {
                let answer = Answer::Dressed(Box::new(wanted.make()));
                waiting.extend(update(&mut self.app, Input::Answered(answer)));
            }
        }
        // What comes next depends on how it was laid out, as for a person who looks first.
        frame(&mut self.app, &mut Painter::new()).expect("memory takes bytes");
    }

    fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            let (key, at) = (key.parse().expect("a key"), self.now);
            self.take(Input::Key { key, at });
        }
    }

    fn answer(&mut self, wanted: Wanted, found: Found) {
        self.take(Input::Answered(Answer::Page(wanted, Ok(Box::new(found)))));
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now.plus(std::time::Duration::from_millis(millis));
        self.take(Input::Passed(self.now));
    }

    fn buffer(&self) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
        view(&self.app, &mut buffer);
        buffer
    }
}

/// A gate has turned a finish down, and the agent goes on.
fn session() -> Buffer {
    let mut screen = Screen::played_until("finish_refused");
    screen.log(json!({"type": "turn_started", "turn": 4}));
    let text =
        "The gate is right: `12.5` lacks a digit. **I mend** the format and keep the rounding.";
    screen.take(Input::Streamed {
        delta: ModelDelta::Text(text.to_owned()),
        at: screen.now,
    });
    screen.wait(2_000);
    screen.buffer()
}

/// A command waits for a person's word.
fn approval() -> Buffer {
    let mut screen = Screen::played_until("checkpoint_saved");
    screen.log(json!({
        "type": "approval_asked",
        "call": {"turn": 3, "index": 0},
        "subject": {"kind": "action", "action": {"kind": "run", "command": "npm publish --tag next", "cwd": ""}},
        "reason": "publishing is a person's",
        "rule": {"text": "npm publish ...", "origin": "harness.toml:9"},
        "always": {"prefix": ["npm", "publish", "--tag", "next"], "exact": true, "decision": "allow", "reason": "a person said always"},
    }));
    screen.wait(500);
    screen.buffer()
}

fn feature(id: &str, title: &str, status: FeatureStatus) -> FeatureFound {
    FeatureFound {
        feature: Feature {
            status,
            ..Feature::titled(FeatureId::new(id).expect("an id"), title)
        },
        is_claimed: false,
        is_changed: false,
        reason: String::new(),
        proof: None,
    }
}

fn features() -> Buffer {
    let proof = |session| {
        Some(ProofFound {
            tree: "9f3ca0c4d2e0f1a2b3c4d5e6f708192a3b4c5d6e"
                .parse()
                .expect("a tree"),
            checks: 3,
            session: SessionId::new(session),
        })
    };
    let mut import = feature("F-010", "Import a till roll", FeatureStatus::Passing);
    import.proof = proof(5);
    let mut total = feature(
        "F-011",
        "Print the total of a receipt",
        FeatureStatus::Passing,
    );
    total.proof = proof(6);
    let mut export = feature("F-012", "Export as CSV", FeatureStatus::InProgress);
    export.feature.acceptance = [
        "quotes are doubled",
        "an empty field is kept",
        "the header comes once",
    ]
    .map(str::to_owned)
    .to_vec();
    export.feature.verify = vec![["sh", "tests/export.sh"].map(str::to_owned).to_vec()];
    export.feature.depends_on = vec![FeatureId::new("F-010").expect("an id")];
    let mut login = feature("F-014", "Log in", FeatureStatus::NeedsHuman);
    login.reason = "asks: which provider?".to_owned();
    let mut paging = feature("F-013", "Paging", FeatureStatus::Pending);
    paging.feature.scope.write = vec!["src/page/**".to_owned()];
    let mut claimed = feature("F-015", "Search", FeatureStatus::Passing);
    claimed.is_claimed = true;
    let mut screen = Screen::new();
    screen.press("f4");
    let found = FeaturesFound {
        features: vec![
            import,
            total,
            export,
            login,
            paging,
            claimed,
            feature("F-016", "Old report", FeatureStatus::Failing),
            feature("F-017", "Print on two printers", FeatureStatus::Blocked),
        ],
        progress: "# Progress\n\n## 2025-11-20 S-0006 F-012 open\n\n- Tried: regex replace\n- Next: double the quotes\n".to_owned(),
        notes: Vec::new(),
    };
    screen.answer(Wanted::Features, Found::Features(found));
    screen.press("j j");
    screen.buffer()
}

const OLD: &str = "use std::fmt;\n\n/// Escapes a field.\nfn escape(field: &str) -> String {\n    field.replace('\"', \"\\\"\")\n}\n\nfn is_empty(field: &str) -> bool {\n    field.is_empty()\n}\n\n/// Writes a row.\nfn write_row(row: &[&str]) -> String {\n    let mut out = String::new();\n    for field in row {\n        out.push_str(field);\n    }\n    out\n}\n";

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).expect("a path")
}

fn review() -> Buffer {
    let new = OLD.replace("\"\\\"\")", "\"\\\"\\\"\")").replace(
        "    for field in row {\n        out.push_str(field);\n",
        "    for (at, field) in row.iter().enumerate() {\n        if at > 0 {\n            out.push(',');\n        }\n        out.push_str(&escape(field));\n",
    );
    let file = |name: &str, old: &str, new: &str| {
        let side = |text: &str| match text {
            "" => Side::Absent,
            text => Side::of_text(text),
        };
        FileChange::new(path(name), side(old), side(new))
    };
    let tests = "#[test]\nfn quotes() {\n    assert_eq!(escape(\"a\"), \"a\");\n}\n";
    let weaker = "#[test]\nfn quotes() {\n    let _ = escape(\"a\");\n}\n";
    let quote = "//! Quotes.\n\npub const QUOTE: char = '\"';\n";
    let change = Change::new(vec![
        file("src/export/csv.rs", OLD, &new),
        file("src/export/quote.rs", "", quote),
        file("tests/csv.rs", tests, weaker),
    ]);
    let found = ReviewFound {
        key: "R-0001".to_owned(),
        book: book(&change),
        change: Arc::new(change),
        title: "F-012 Export as CSV".to_owned(),
        words: "checkpoint 2 → now".to_owned(),
        run: Some(RunId::new(1)),
        session: Some(SessionId::new(7)),
        can_reject: true,
        findings: vec![(
            Finding {
                line: Some(3),
                id: "12345678".to_owned(),
                ..Finding::of_path(
                    FindingKind::AssertionsWeakened,
                    path("tests/csv.rs"),
                    "1 assertion fewer in `quotes`".to_owned(),
                )
            },
            false,
        )],
        checks: Vec::new(),
        bases: Vec::new(),
        checkpoints: vec![CheckpointNumber(1), CheckpointNumber(2)],
    };
    let mut screen = Screen::new();
    screen.press("f3");
    let found = Found::Review(Box::new(found));
    screen.answer(Wanted::Review(ReviewAsked::Usual), found);
    screen.press("n j");
    screen.buffer()
}

fn book(change: &Change) -> Book {
    let feature = FeatureId::new("F-012").expect("an id");
    let later = Timestamp::from_millis;
    let mut book = Book::new(Base::Feature { feature }, later(0));
    let (_, csv) = change
        .file(&path("src/export/csv.rs"))
        .expect("it is there");
    let (_, quote) = change
        .file(&path("src/export/quote.rs"))
        .expect("it is there");
    for (file, at) in [(quote, 1), (csv, 2)] {
        book.decide(file, 0, &Chosen::All, (Choice::Accepted, ""), later(at))
            .expect("it has a hunk");
    }
    let text = csv.new.text().expect("a text");
    let lines = LineRange { first: 5, last: 5 };
    let anchor = Anchor::of(csv.path.clone(), AnchorSide::New, text, lines).expect("lines");
    let must = Draft {
        kind: CommentKind::MustFix,
        place: Place::of_lines(anchor),
        text: "also a newline inside a field?".to_owned(),
        by: Author::Person,
    };
    book.comment(must, later(3)).expect("it has room");
    book
}
