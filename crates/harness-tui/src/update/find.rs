//! Finding words in the transcript while they are typed, and going from one place to the next.

use crate::{
    app::{App, Finding},
    command::Command,
    key::Key,
    text::Role,
    transcript::{Begin, Needle, Sought, Way},
};

/// The longest words to look for. Unit: characters.
const WORDS_MAX: usize = 100;

/// Carries out a command that finds; `false` when it is none.
pub(super) fn perform(app: &mut App, command: Command) -> bool {
    match command {
        Command::Seek => begin(app),
        Command::SeekNext => go(app, Way::Down),
        Command::SeekPrevious => go(app, Way::Up),
        Command::SeekAccept => accept(app),
        Command::SeekErase => erase(app),
        Command::SeekClose => close(app),
        _ => return false,
    }
    true
}

fn begin(app: &mut App) {
    app.transcript.select();
    app.finding = Some(Finding {
        words: String::new(),
        spot: app.transcript.spot(),
        is_found: true,
    });
}

/// Types a character of the words, and shows the first place where they stand.
pub(super) fn typed(app: &mut App, key: Key) {
    if let (Some(char), Some(finding)) = (key.typed(), &mut app.finding)
        && finding.words.chars().count() < WORDS_MAX
    {
        finding.words.push(char);
        look(app);
    }
}

/// Takes a pasted text as words: its first line.
pub(super) fn pasted(app: &mut App, text: &str) {
    if let Some(finding) = &mut app.finding {
        let line = text.lines().next().unwrap_or_default();
        let room = WORDS_MAX.saturating_sub(finding.words.chars().count());
        let plain = line.chars().filter(|char| !char.is_control());
        finding.words.extend(plain.take(room));
        look(app);
    }
}

fn erase(app: &mut App) {
    let Some(finding) = &mut app.finding else {
        return;
    };
    match finding.words.pop() {
        Some(_) => look(app),
        None => close(app),
    }
}

fn look(app: &mut App) {
    let Some(finding) = &mut app.finding else {
        return;
    };
    app.transcript.go_back(finding.spot);
    app.transcript.mark(Needle::of(&finding.words));
    finding.is_found =
        finding.words.is_empty() || app.transcript.seek(Way::Down, Begin::Here) != Sought::Nowhere;
}

fn accept(app: &mut App) {
    let Some(finding) = app.finding.take() else {
        return;
    };
    if finding.words.is_empty() {
        app.transcript.mark(None);
    } else if !finding.is_found {
        tell_nowhere(app, &finding.words);
    }
}

fn close(app: &mut App) {
    if let Some(finding) = app.finding.take() {
        app.transcript.mark(None);
        app.transcript.go_back(finding.spot);
    }
}

fn go(app: &mut App, way: Way) {
    match (app.transcript.seek(way, Begin::Beyond), way) {
        (Sought::Found, _) => {}
        (Sought::Around, Way::Down) => app.tell(Role::Quiet, "from the beginning again"),
        (Sought::Around, Way::Up) => app.tell(Role::Quiet, "from the end again"),
        (Sought::Nowhere, _) => app.tell(Role::Needed, "these words stand nowhere"),
    }
}

fn tell_nowhere(app: &mut App, words: &str) {
    let words = harness_report::clean_line(words, 60);
    app.tell(Role::Needed, format!("`{words}` stands nowhere"));
}
