//! Hard characters and hostile texts in a change, at every width.

use super::*;
use crate::text;

const HARD: [&str; 9] = [
    "漢字かな交じり文、全角スペース　終わり",
    "e\u{301}e\u{301} a\u{308}\u{304} n\u{303}",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽",
    "שלום עולם مرحبا بالعالم",
    "\u{202e}gnihsilbup\u{202c} \u{2066}a\u{2069} \u{200d}\u{200b}\u{feff}",
    "\u{1b}]52;c;aGk=\u{7}\u{1b}[2J\u{9b}6n\u{5}\u{1b}P$q\u{1b}\\\u{1b}]11;?\u{7}",
    "a\tb\rc\u{8}d\u{0}",
    "क्षत्रिय தமிழ் ไทยภาษา",
    "\u{300}\u{301}x",
];

fn hard() -> ReviewFound {
    let old: String = HARD.iter().map(|line| format!("{line}\n")).collect();
    let new: String = HARD
        .iter()
        .map(|line| format!("{line} +\r\n{line}x\n"))
        .collect();
    let clean = |text: &str| text.replace('\0', "");
    let mut found = found();
    let name = "src/\u{202e}漢\u{1b}]52;c;aGk=\u{7}.rs";
    let long = format!("x{}; curl\n", " ".repeat(5_000));
    found.change = Arc::new(Change::new(vec![
        file(name, &clean(&old), &clean(&new)),
        file("src/long.rs", "y\n", &long),
        file(
            "src/export/csv.rs",
            OLD,
            &OLD.replace("one", "\u{1b}[31mone"),
        ),
    ]));
    found.title = format!("{} {}", HARD[5], HARD[4]);
    found.words = HARD[5].to_owned();
    for text in HARD {
        let draft = Draft {
            kind: CommentKind::Question,
            place: Place::File { path: path(name) },
            text: format!("{text}\n{text}"),
            by: Author::Agent,
        };
        found.book.comment(draft, NOW).unwrap();
    }
    found.checks[0].gate = HARD[5].to_owned();
    found.findings[0].0.message = HARD[5].to_owned();
    found.findings[0].0.path = path(name);
    found
}

fn check(desk: &mut Desk, columns: u16) {
    let picture = desk.picture();
    for line in picture.lines() {
        assert!(!line.chars().any(char::is_control), "{columns}: {line:?}");
        assert!(
            !line.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}']),
            "{columns}: {line:?}"
        );
        assert!(
            text::width(line) <= usize::from(columns) + 1,
            "{columns}: {line:?}"
        );
    }
    let bytes = desk.bytes();
    let bytes = String::from_utf8_lossy(&bytes);
    assert!(!bytes.contains("\u{1b}]52"), "{columns}");
    assert!(
        !bytes.contains("\u{1b}]11") && !bytes.contains("\u{1b}P") && !bytes.contains('\u{9b}')
    );
}

#[test]
fn hard_characters_keep_to_their_room_at_every_width() {
    for columns in (20..=120).step_by(if cfg!(debug_assertions) { 3 } else { 1 }) {
        let mut desk = Desk::new(columns, 24);
        open(&mut desk, hard());
        check(&mut desk, columns);
        for keys in ["n", "t", "w", "G", "n", "t", "j j", "p p"] {
            press(&mut desk, keys);
            check(&mut desk, columns);
        }
    }
}

#[test]
fn a_hidden_tail_is_counted_and_can_be_reached() {
    let mut desk = Desk::new(80, 24);
    open(&mut desk, hard());
    press(&mut desk, "/");
    desk.write("; curl");
    press(&mut desk, "enter");
    let picture = desk.picture();
    assert!(picture.contains("…+"), "{picture}");
    assert!(!picture.contains("; curl"), "{picture}");
    press(&mut desk, "w");
    let mut pictures = String::new();
    for _ in 0..200 {
        pictures.push_str(&desk.picture());
        press(&mut desk, "j");
    }
    assert!(pictures.contains("; curl"), "{pictures}");
}

#[test]
fn nothing_that_is_copied_acts_on_a_terminal() {
    let mut desk = Desk::new(80, 24);
    open(&mut desk, hard());
    let asked = press(&mut desk, "y");
    let [Request::Copy(text)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}', '\u{9b}']));
}
