//! The terminal: entered, left, read and written here, and nowhere else.
//!
//! Leaving puts everything back, on whatever way the program goes: the guard is
//! armed before the first mode is set, a panic in any thread leaves first, and
//! leaving twice is leaving once.

mod burst;

use std::{
    io::{self, Write as _},
    panic,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crossterm::{
    cursor::{Hide, Show},
    event::{
        self, DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
        EnableFocusChange, EventStream, KeyboardEnhancementFlags, PopKeyboardEnhancementFlags,
        PushKeyboardEnhancementFlags,
    },
    queue,
    style::ResetColor,
    terminal::{
        EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
        enable_raw_mode,
    },
};
use futures_util::StreamExt as _;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Signal, getpid, kill_current_process_group, kill_process},
    termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
};

use crate::{
    answers::{self, Answers},
    key::Key,
    theme::Ground,
};
use burst::{Burst, TYPED_APART};

/// Whether the terminal is ours.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// Whether the terminal was told to tell more keys apart.
static KEYBOARD: AtomicBool = AtomicBool::new(false);
/// The line discipline as it was found: a program that had the terminal may not leave it so.
static FOUND: Mutex<Option<Termios>> = Mutex::new(None);
static HOOK: Once = Once::new();
/// How long the terminal has to answer; one that does not is as good.
const ANSWER: Duration = Duration::from_millis(200);
/// The most events that are taken at once.
const BATCH_MAX: usize = 4_096;

/// The terminal as long as it is ours; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Term {
    events: Option<EventStream>,
    burst: Burst,
    /// What was typed before the first frame.
    early: Vec<Told>,
    modes: Modes,
}

/// What is wanted of the terminal beside what is always set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Modes {
    /// More keys, where the terminal said that it can tell them apart.
    keyboard: bool,
    /// The wheel of the mouse.
    mouse: bool,
}

/// What a terminal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Key(Key),
    Pasted(String),
    Resized { columns: u16, rows: u16 },
    Focused(bool),
    Turned(i16),
}

impl Term {
    /// Takes the terminal over, and asks it once what it is; its background only where that is wanted.
    pub(crate) fn enter(asks_ground: bool) -> io::Result<(Self, Option<Ground>)> {
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                leave();
                before(info);
            }));
        });
        let mut term = Self {
            events: None,
            burst: Burst::default(),
            early: Vec::new(),
            modes: Modes::default(),
        };
        ENTERED.store(true, Ordering::SeqCst);
        remember_line();
        enable_raw_mode()?;
        let answers = ask(asks_ground)?;
        term.burst.is_owed = asks_ground && !answers.is_whole;
        term.early = burst::of_bytes(&answers.typed);
        term.modes.keyboard = answers.has_keyboard;
        term.again()?;
        Ok((term, answers.ground))
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
        if !self.early.is_empty() {
            return Ok(std::mem::take(&mut self.early));
        }
        let Some(events) = &mut self.events else {
            return std::future::pending().await;
        };
        let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let first = events.next().await.ok_or_else(gone)??;
        let mut batch = vec![(first, Instant::now())];
        while batch.len() < BATCH_MAX {
            let patience = match self.burst.may_go_on(&batch) {
                true => TYPED_APART,
                false => Duration::ZERO,
            };
            // Asking the stream would leave it with a waker that wakes nobody.
            match event::poll(patience)? {
                true => batch.push((event::read()?, Instant::now())),
                false => break,
            }
        }
        Ok(self.burst.tell(&batch))
    }

    /// Takes the wheel of the mouse, or leaves the mouse to the terminal.
    pub(crate) fn take_mouse(&mut self, is_wanted: bool) -> io::Result<()> {
        self.modes.mouse = is_wanted;
        let mut bytes = Vec::new();
        add_mouse(&mut bytes, is_wanted)?;
        self.send(&bytes)
    }

    /// Gives the terminal back to whoever is started next; [`Term::again`] takes it.
    pub(crate) fn lend(&mut self) {
        // The reader must not eat what is typed for another program.
        self.events = None;
        leave();
    }

    /// Gives the terminal back, stops the process, and takes the terminal again when it goes on.
    ///
    /// `whole_group` stops the programs that were started together with this one, as a
    /// terminal's own key would.
    pub(crate) fn suspend(&mut self, whole_group: Group) -> io::Result<()> {
        self.lend();
        let stopped = match whole_group {
            Group::Whole => kill_current_process_group(Signal::STOP),
            Group::Alone => kill_process(getpid(), Signal::STOP),
        };
        stopped?;
        // Who had it meanwhile was a shell, and what that set is the person's.
        remember_line();
        self.again()
    }

    /// Takes the terminal again after another program had it.
    pub(crate) fn again(&mut self) -> io::Result<()> {
        set_modes(self.modes)?;
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

fn set_modes(modes: Modes) -> io::Result<()> {
    ENTERED.store(true, Ordering::SeqCst);
    restore_line();
    enable_raw_mode()?;
    let mut stdout = io::stdout().lock();
    queue!(
        stdout,
        EnterAlternateScreen,
        DisableMouseCapture,
        EnableBracketedPaste,
        EnableFocusChange,
        Hide
    )?;
    if modes.keyboard {
        // After a stop that could not be caught it may still be set.
        if KEYBOARD.swap(true, Ordering::SeqCst) {
            queue!(stdout, PopKeyboardEnhancementFlags)?;
        }
        let flags = KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES;
        queue!(stdout, PushKeyboardEnhancementFlags(flags))?;
    }
    if modes.mouse {
        add_mouse(&mut stdout, true)?;
    }
    stdout.flush()
}

/// Keeps the line discipline as it is, to be left as it is.
fn remember_line() {
    // One that cannot be told is left to what `enable_raw_mode` finds.
    let found = tcgetattr(rustix::stdio::stdin()).ok();
    *FOUND.lock().unwrap_or_else(PoisonError::into_inner) = found;
}

/// Puts the line discipline back, so that what is kept when it is changed next is how it was found.
fn restore_line() {
    let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = &*found {
        // A terminal that is gone needs nothing.
        let _ = disable_raw_mode();
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, found);
    }
}

/// The wheel and the buttons, and no movement: that would never be silent.
fn add_mouse(bytes: &mut impl io::Write, is_wanted: bool) -> io::Result<()> {
    match is_wanted {
        true => bytes.write_all(b"\x1b[?1000h\x1b[?1006h"),
        false => queue!(bytes, DisableMouseCapture),
    }
}

/// Asks the terminal what it is, before anything else reads from it.
fn ask(asks_ground: bool) -> io::Result<Answers> {
    let mut question = answers::KEYBOARD.to_vec();
    if asks_ground {
        question.extend_from_slice(answers::BACKGROUND);
    }
    question.extend_from_slice(answers::CLASS);
    let mut stdout = io::stdout().lock();
    stdout.write_all(&question)?;
    stdout.flush()?;
    let stdin = rustix::stdio::stdin();
    let until = Instant::now() + ANSWER;
    let (mut bytes, mut chunk) = (Vec::new(), [0; 256]);
    while bytes.len() < answers::ANSWER_MAX {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).unwrap_or_default();
        let mut wanted = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut wanted, Some(&left)) {
            Ok(1..) => {}
            Err(Errno::INTR) => continue,
            // No answer is normal.
            Ok(0) | Err(_) => break,
        }
        match rustix::io::read(stdin, &mut chunk) {
            Ok(read @ 1..) => bytes.extend_from_slice(&chunk[..read]),
            Err(Errno::INTR) => {}
            Ok(0) | Err(_) => break,
        }
        if answers::read(&bytes).is_whole {
            break;
        }
    }
    Ok(answers::read(&bytes))
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
    if KEYBOARD.swap(false, Ordering::SeqCst) {
        // The terminal keeps it for the alternate screen alone, so it goes first.
        let _ = queue!(bytes, PopKeyboardEnhancementFlags);
    }
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
