//! What a terminal tells, in our words: keys with their names, and pastes that lost their marks.
//!
//! Keys that come faster than anybody types are a paste: returning inside one is a
//! newline. Nothing is read here.

use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEventKind};

use super::Told;
use crate::key::{Code, Key};

/// Keys that come closer together were not typed.
pub(super) const TYPED_APART: Duration = Duration::from_millis(5);
/// Rows that one notch of the wheel scrolls.
const NOTCH: i16 = 3;
/// The most keys that a late answer of the terminal is made of.
const LATE_MAX: usize = 64;

/// What is known of the keys that came last.
#[derive(Debug, Default)]
pub(super) struct Burst {
    last: Option<Instant>,
    /// Whether returning was a newline in this burst already.
    is_paste: bool,
    /// Whether the terminal still owes the colour of its background, which would look typed.
    pub(super) is_owed: bool,
    /// How much of such an answer was passed over.
    late: Option<usize>,
}

impl Burst {
    /// Whether the last event may be a newline inside a paste whose rest is on its way.
    pub(super) fn may_go_on(&self, batch: &[(Event, Instant)]) -> bool {
        let Some(((event, at), before)) = batch.split_last() else {
            return false;
        };
        let last = before.iter().rev().find(|(event, _)| key(event).is_some());
        let last = last.map(|(_, at)| *at).or(self.last);
        key(event) == Some(RETURN) && last.is_some_and(|last| is_close(last, *at))
    }

    /// Turns events into ours.
    pub(super) fn tell(&mut self, batch: &[(Event, Instant)]) -> Vec<Told> {
        let mut told = Vec::with_capacity(batch.len());
        for (index, (event, at)) in batch.iter().enumerate() {
            match event {
                Event::Key(pressed) => {
                    let next = batch.get(index + 1);
                    let next = next.filter(|(event, _)| key(event).is_some());
                    if let Some(key) = key_of(*pressed) {
                        told.extend(self.key(key, *at, next.map(|(_, at)| *at)));
                    }
                }
                Event::Paste(text) => told.push(Told::Pasted(text.clone())),
                Event::Resize(columns, rows) => told.push(Told::Resized {
                    columns: *columns,
                    rows: *rows,
                }),
                Event::FocusGained => told.push(Told::Focused(true)),
                Event::FocusLost => told.push(Told::Focused(false)),
                Event::Mouse(mouse) => told.extend(match mouse.kind {
                    MouseEventKind::ScrollUp => Some(Told::Turned(-NOTCH)),
                    MouseEventKind::ScrollDown => Some(Told::Turned(NOTCH)),
                    _ => None,
                }),
            }
        }
        told
    }

    fn key(&mut self, key: Key, at: Instant, next: Option<Instant>) -> Option<Told> {
        let follows = self.last.is_some_and(|last| is_close(last, at));
        self.last = Some(at);
        self.is_paste &= follows;
        if self.passes_over(key) {
            return None;
        }
        let goes_on = next.is_some_and(|next| is_close(at, next));
        if key == RETURN && follows && (goes_on || self.is_paste) {
            self.is_paste = true;
            return Some(Told::Pasted("\n".to_owned()));
        }
        Some(Told::Key(key))
    }

    /// Passes over an answer that came when nobody waited for it any more: `OSC 11`, read as keys.
    fn passes_over(&mut self, key: Key) -> bool {
        let is_alt = |char| key.alt && key.code == Code::Char(char);
        let passed = match self.late {
            None if self.is_owed && is_alt(']') => 0,
            None => return false,
            Some(passed) => passed,
        };
        let is_over = is_alt('\\') || key.ctrl && key.code == Code::Char('g');
        if is_over || passed == LATE_MAX {
            (self.late, self.is_owed) = (None, false);
        } else {
            self.late = Some(passed + 1);
        }
        true
    }
}

const RETURN: Key = Key::plain(Code::Enter);

fn is_close(one: Instant, other: Instant) -> bool {
    other.saturating_duration_since(one) < TYPED_APART
}

fn key(event: &Event) -> Option<Key> {
    match event {
        Event::Key(key) => key_of(*key),
        _ => None,
    }
}

/// Turns what was typed before the first frame into ours.
pub(super) fn of_bytes(bytes: &[u8]) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for char in String::from_utf8_lossy(bytes).chars() {
        let ctrl = |char| Key {
            ctrl: true,
            ..Key::plain(Code::Char(char))
        };
        told.push(Told::Key(match char {
            '\r' | '\n' => RETURN,
            '\u{3}' => ctrl('c'),
            '\u{4}' => ctrl('d'),
            '\u{1b}' => Key::plain(Code::Esc),
            '\u{7f}' => Key::plain(Code::Backspace),
            char if char.is_control() || char == char::REPLACEMENT_CHARACTER => continue,
            char => Key::plain(Code::Char(char)),
        }));
    }
    told
}

fn key_of(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let held = |modifier| event.modifiers.contains(modifier);
    let (mut ctrl, shift) = (held(KeyModifiers::CONTROL), held(KeyModifiers::SHIFT));
    let code = match event.code {
        // A terminal sends the newline that Ctrl+J is.
        KeyCode::Char('\n') => {
            ctrl = true;
            Code::Char('j')
        }
        KeyCode::Char(char) if ctrl => Code::Char(char.to_ascii_lowercase()),
        KeyCode::Char(char) => Code::Char(char),
        KeyCode::F(number) => Code::F(number),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab | KeyCode::BackTab => Code::Tab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        _ => return None,
    };
    Some(Key {
        code,
        ctrl,
        alt: held(KeyModifiers::ALT),
        shift: (shift || event.code == KeyCode::BackTab) && !matches!(code, Code::Char(_)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Vec<(Event, Instant)> {
        let now = Instant::now();
        let code = |char| match char {
            '\r' => KeyCode::Enter,
            char => KeyCode::Char(char),
        };
        let key = |char| Event::Key(KeyEvent::new(code(char), KeyModifiers::NONE));
        text.chars().map(|char| (key(char), now)).collect()
    }

    /// Whether each return of some batches sends; batches come a moment apart.
    fn enters(batches: &[&str]) -> Vec<bool> {
        let mut burst = Burst::default();
        let told = batches.iter().flat_map(|batch| burst.tell(&typed(batch)));
        told.filter_map(|told| match told {
            Told::Pasted(_) => Some(false),
            Told::Key(key) => (key.code == Code::Enter).then_some(true),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn return_inside_a_burst_is_a_newline_and_at_the_end_of_one_line_it_sends() {
        assert_eq!(enters(&["a\rb\rc"]), [false, false]);
        assert_eq!(enters(&["fix it\r"]), [true]);
        assert_eq!(enters(&["\r"]), [true]);
        assert_eq!(enters(&["\rx"]), [true]);
    }

    #[test]
    fn a_pasted_text_of_several_lines_never_sends_itself() {
        assert_eq!(enters(&["one\rtwo\r"]), [false, false]);
        assert_eq!(enters(&["one\rt", "wo\r", "\r"]), [false, false, false]);
    }

    #[test]
    fn what_is_typed_apart_sends() {
        let mut burst = Burst::default();
        let later = Instant::now() + TYPED_APART * 2;
        burst.tell(&typed("one\rtwo"));
        let key = Event::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
        assert_eq!(burst.tell(&[(key, later)]), [Told::Key(RETURN)]);
    }

    #[test]
    fn only_a_return_behind_a_key_is_waited_for() {
        let burst = Burst::default();
        assert!(burst.may_go_on(&typed("a\r")));
        assert!(!burst.may_go_on(&typed("\r")));
        assert!(!burst.may_go_on(&typed("\ra")));
        assert!(!burst.may_go_on(&[]));
    }

    #[test]
    fn an_answer_that_comes_late_types_nothing() {
        let mut burst = Burst {
            is_owed: true,
            ..Burst::default()
        };
        let now = Instant::now();
        let alt = |char| Event::Key(KeyEvent::new(KeyCode::Char(char), KeyModifiers::ALT));
        let mut batch = vec![(alt(']'), now)];
        batch.extend(typed("11;rgb:ffff/ffff/ffff"));
        batch.push((alt('\\'), now));
        batch.extend(typed("x"));
        assert_eq!(burst.tell(&batch), [Told::Key(Key::plain(Code::Char('x')))]);
        assert_eq!(burst.tell(&[(alt(']'), now)]).len(), 1);
    }

    #[test]
    fn what_was_typed_before_the_first_frame_is_not_lost() {
        let told = of_bytes("fé\r\u{3}\u{1}".as_bytes());
        let keys: Vec<String> = told
            .iter()
            .map(|told| match told {
                Told::Key(key) => key.to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(keys, ["f", "é", "enter", "ctrl+c"]);
    }

    #[test]
    fn keys_have_the_names_of_the_table() {
        let named = |code, modifiers| key_of(KeyEvent::new(code, modifiers)).unwrap().to_string();
        let (none, ctrl) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
        assert_eq!(named(KeyCode::Char('p'), ctrl), "ctrl+p");
        assert_eq!(named(KeyCode::Char('J'), KeyModifiers::SHIFT), "J");
        assert_eq!(named(KeyCode::BackTab, KeyModifiers::SHIFT), "shift+tab");
        assert_eq!(named(KeyCode::Enter, KeyModifiers::ALT), "alt+enter");
        assert_eq!(named(KeyCode::Char('\n'), none), "ctrl+j");
        assert_eq!(named(KeyCode::F(1), none), "f1");
    }
}
