//! Any keys in any order, with resizes and answers among them.

use proptest::prelude::*;

use super::*;

const KEYS: [&str; 52] = [
    "]",
    "[",
    "n",
    "p",
    "j",
    "k",
    "down",
    "up",
    "g",
    "G",
    "ctrl+d",
    "ctrl+u",
    "pgdn",
    "pgup",
    "a",
    "x",
    "space",
    "v",
    "c",
    "C",
    "S",
    "u",
    "b",
    "(",
    ")",
    "t",
    "z",
    "w",
    "W",
    "o",
    "e",
    "y",
    "D",
    "R",
    "m",
    "M",
    "/",
    ";",
    ",",
    "enter",
    "esc",
    "tab",
    "shift+tab",
    "?",
    "ctrl+p",
    "f3",
    "f2",
    "f6",
    "i",
    "backspace",
    "1",
    "N",
];

#[derive(Clone, Debug)]
enum Step {
    Key(usize),
    Resize(u16, u16),
    Look,
    Other,
    Empty,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..KEYS.len()).prop_map(Step::Key),
        2 => (10_u16..140, 5_u16..45).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => Just(Step::Look),
        1 => Just(Step::Other),
        1 => Just(Step::Empty),
    ];
    proptest::collection::vec(step, 0..60)
}

fn another() -> ReviewFound {
    let mut other = found();
    let mut files = vec![file(
        "src/export/csv.rs",
        OLD,
        &OLD.replace("one", "uno").replace("five", "cinque"),
    )];
    files.push(file("a", "x", "y"));
    other.change = Arc::new(Change::new(files));
    other
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 512 }))]
    #[test]
    fn no_keys_break_it(steps in steps()) {
        let mut desk = opened(80, 24);
        for step in steps {
            let asked = match step {
                Step::Key(key) => desk.press(KEYS[key]),
                Step::Resize(columns, rows) => desk.take(Input::Resized { columns, rows }),
                Step::Look | Step::Other | Step::Empty => {
                    let mut found = if matches!(step, Step::Other) { another() } else { found() };
                    if matches!(step, Step::Empty) {
                        found.change = Arc::new(Change::default());
                    }
                    let found = Found::Review(Box::new(found));
                    let wanted = Wanted::Review(desk.app.pages.review.asked.clone());
                    desk.take(Input::Answered(Answer::Page(wanted, Ok(Box::new(found)))))
                }
            };
            let left = serve(&mut desk, asked);
            save(&mut desk, &left);
            desk.bytes();
            let review = &desk.app.pages.review;
            if let Some(spot) = review.spot().filter(|_| review.file().is_some()) {
                let pieces = review.file().map_or(0, |file| file.pieces().len());
                prop_assert!(spot.piece < pieces.max(1));
            }
        }
    }
}
