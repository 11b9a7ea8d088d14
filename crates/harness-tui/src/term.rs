//! The terminal: entered, left, read and written here, and nowhere else.
//!
//! Leaving puts everything back, on whatever way the program goes: the guard is
//! armed before the first mode is set, a panic in any thread leaves first, and
//! leaving twice is leaving once.

use std::{
    io::{self, Write as _},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crossterm::{
    cursor::{Hide, Show},
    event::{
        self, DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
        Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
    },
    queue,
    style::ResetColor,
    terminal::{
        EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
        enable_raw_mode,
    },
};
use futures_util::StreamExt as _;
use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};

use crate::key::{Code, Key};

/// Whether the terminal is ours.
static ENTERED: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// The most events that are taken at once.
const BATCH_MAX: usize = 4_096;

/// The terminal as long as it is ours; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Term {
    events: Option<EventStream>,
}

/// What a terminal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Key(Key),
    Pasted(String),
    Resized { columns: u16, rows: u16 },
}

impl Term {
    /// Takes the terminal over.
    pub(crate) fn enter() -> io::Result<Self> {
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                leave();
                before(info);
            }));
        });
        let term = Self {
            events: Some(EventStream::new()),
        };
        set_modes()?;
        Ok(term)
    }

    /// Whether the terminal is still ours: a panic elsewhere gives it back.
    pub(crate) fn is_ours(&self) -> bool {
        ENTERED.load(Ordering::SeqCst)
    }

    /// Returns columns and rows.
    pub(crate) fn size() -> io::Result<(u16, u16)> {
        crossterm::terminal::size()
    }

    /// Sends bytes in one piece.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        if !self.is_ours() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// Waits for what the terminal tells next, and takes everything that is there with it.
    ///
    /// Returning inside a burst is a pasted newline: no one types that fast.
    pub(crate) async fn next(&mut self) -> io::Result<Vec<Told>> {
        let Some(events) = &mut self.events else {
            return std::future::pending().await;
        };
        let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let mut batch = vec![events.next().await.ok_or_else(gone)??];
        while batch.len() < BATCH_MAX {
            // Asking the stream would leave it with a waker that wakes nobody.
            match event::poll(Duration::ZERO)? {
                true => batch.push(event::read()?),
                false => break,
            }
        }
        Ok(tell(&batch))
    }

    /// Gives the terminal back, stops the process, and takes the terminal again when it goes on.
    ///
    /// `whole_group` stops the programs that were started together with this one, as a
    /// terminal's own key would.
    pub(crate) fn suspend(&mut self, whole_group: Group) -> io::Result<()> {
        // The reader must not eat what is typed for the shell.
        self.events = None;
        leave();
        let stopped = match whole_group {
            Group::Whole => kill_current_process_group(Signal::STOP),
            Group::Alone => kill_process(getpid(), Signal::STOP),
        };
        stopped?;
        self.again()
    }

    /// Takes the terminal again after the process was stopped and goes on.
    pub(crate) fn again(&mut self) -> io::Result<()> {
        set_modes()?;
        self.events.get_or_insert_default();
        Ok(())
    }
}

/// Who is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Whole,
    Alone,
}

impl Drop for Term {
    fn drop(&mut self) {
        leave();
    }
}

fn set_modes() -> io::Result<()> {
    ENTERED.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    let mut stdout = io::stdout().lock();
    queue!(
        stdout,
        EnterAlternateScreen,
        DisableMouseCapture,
        EnableBracketedPaste,
        Hide
    )?;
    stdout.flush()
}

/// Returns columns and rows of the terminal; `None` when there is none.
pub fn size() -> Option<(u16, u16)> {
    Term::size().ok()
}

/// Gives the terminal back: every mode that was ever set is reset. Does nothing when it is not ours.
pub fn leave() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut bytes = Vec::new();
    // Writing to memory cannot fail, and a terminal that is gone needs nothing.
    let _ = queue!(
        bytes,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        DisableFocusChange,
        ResetColor,
        LeaveAlternateScreen,
        Show
    );
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(&bytes);
    let _ = stdout.flush();
    let _ = disable_raw_mode();
}

/// Turns a burst of events into ours.
fn tell(batch: &[Event]) -> Vec<Told> {
    let last = batch.len().saturating_sub(1);
    let is_key = |event: Option<&Event>| {
        event.is_some_and(|event| matches!(event, Event::Key(key) if key_of(*key).is_some()))
    };
    let mut told = Vec::with_capacity(batch.len());
    for (index, event) in batch.iter().enumerate() {
        let between = index > 0
            && index < last
            && is_key(batch.get(index - 1))
            && is_key(batch.get(index + 1));
        match event {
            Event::Key(key) => match key_of(*key) {
                Some(key) if between && key == Key::plain(Code::Enter) => {
                    told.push(Told::Pasted("\n".to_owned()));
                }
                key => told.extend(key.map(Told::Key)),
            },
            Event::Paste(text) => told.push(Told::Pasted(text.clone())),
            Event::Resize(columns, rows) => told.push(Told::Resized {
                columns: *columns,
                rows: *rows,
            }),
            Event::FocusGained | Event::FocusLost | Event::Mouse(_) => {}
        }
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

    fn typed(text: &str) -> Vec<Event> {
        let code = |char| match char {
            '\r' => KeyCode::Enter,
            char => KeyCode::Char(char),
        };
        text.chars()
            .map(|char| Event::Key(KeyEvent::new(code(char), KeyModifiers::NONE)))
            .collect()
    }

    fn enters(text: &str) -> Vec<bool> {
        tell(&typed(text))
            .into_iter()
            .filter_map(|told| match told {
                Told::Pasted(_) => Some(false),
                Told::Key(key) => (key.code == Code::Enter).then_some(true),
                Told::Resized { .. } => None,
            })
            .collect()
    }

    #[test]
    fn return_inside_a_burst_is_a_newline_and_at_its_end_it_sends() {
        assert_eq!(enters("a\rb\rc"), [false, false]);
        assert_eq!(enters("fix it\r"), [true]);
        assert_eq!(enters("\r"), [true]);
        assert_eq!(enters("\rx"), [true]);
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
