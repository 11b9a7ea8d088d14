//! The loop of the screen: waits, takes inputs in, draws when something changed.

mod lend;

use std::{
    io,
    pin::Pin,
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use harness_core::Timestamp;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::Sleep,
};

use crate::{
    app::{App, Motion},
    input::{Answer, Failed, Input, Loan, Request},
    layout,
    paint::Painter,
    term::{Group, Term, Told},
    update::update,
    view::view,
};

/// Inputs that are taken in before the next frame; a flood never keeps the screen from being drawn.
const INPUTS_MAX: usize = 256;
/// The shortest time between two frames that no key asked for: 30 a second, 10 over a network.
const FRAME: Duration = Duration::from_millis(33);
const SLOW_FRAME: Duration = Duration::from_millis(100);
/// The same where little may move.
const CALM_FRAME: Duration = Duration::from_secs(1);

/// What the screen needs of the program.
pub trait Host {
    /// Says what time it is.
    fn now(&self) -> Timestamp;

    /// Is told that the first frame stands.
    fn opened(&mut self);

    /// Takes a request on; must not block. What comes of it comes back as inputs.
    fn take(&mut self, request: Request);

    /// Prepares a program that takes the terminal for a while.
    ///
    /// # Errors
    /// When there is no such program.
    fn program(&mut self, errand: &Loan) -> Result<Command, Failed> {
        Err(Failed {
            message: format!("cannot open anything for {errand:?}"),
            hint: None,
        })
    }

    /// Takes in how that program ended; what came of it goes to the screen.
    fn returned(&mut self, errand: &Loan, ended: io::Result<ExitStatus>) -> Option<Answer> {
        let _ = (errand, ended);
        None
    }
}

/// How the screen was left.
#[derive(Debug)]
pub struct Left {
    /// The state it was left in.
    pub app: App,
    /// The signal that asked for it, as its number.
    pub signal: Option<u8>,
    /// Whether a person left without waiting for the end.
    pub is_abandoned: bool,
}

/// Whether the terminal is far away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// On this machine.
    Near,
    /// Over a network, where every byte takes its time.
    Far,
}

/// Opens the screen and shows it until a person or a signal ends it.
///
/// The terminal is given back before this returns, however it returns.
///
/// # Errors
/// When the terminal cannot be taken over or written to.
pub async fn show(
    make: impl FnOnce(u16, u16) -> App,
    mut inputs: mpsc::Receiver<Input>,
    host: &mut dyn Host,
    line: Line,
) -> io::Result<Left> {
    let mut signals = Signals::watch()?;
    let (columns, rows) = Term::size()?;
    let mut app = make(columns, rows);
    let (mut term, ground) = Term::enter(app.setup.asks_ground)?;
    if let Some(ground) = ground {
        app.stand_on(ground);
    }
    if app.setup.has_mouse {
        term.take_mouse(true)?;
    }
    let mut screen = Screen {
        pause: match (app.setup.motion, line) {
            (Motion::Reduced, _) => CALM_FRAME,
            (Motion::Full, Line::Near) => FRAME,
            (Motion::Full, Line::Far) => SLOW_FRAME,
        },
        app,
        painter: Painter::new(),
        drawn: None,
        errand: None,
        left: None,
        is_abandoned: false,
        is_gone: false,
        signal: None,
    };
    screen.draw(&term)?;
    host.opened();
    while screen.left.is_none() {
        let wake = screen.next_wake(host.now());
        let sleep = wake.map(tokio::time::sleep);
        tokio::select! {
            biased;
            told = term.next(), if !screen.is_gone => match told {
                Ok(told) => screen.told(told, &mut term, host)?,
                // The terminal is gone; a signal says so too, where there is one.
                Err(_) => screen.hung_up(&mut term, host)?,
            },
            caught = signals.next() => screen.caught(caught, &mut term, host)?,
            input = inputs.recv() => match input {
                Some(input) => screen.inputs(input, &mut inputs, &mut term, host)?,
                None => screen.left = Some(()),
            },
            () = elapsed(sleep) => screen.woken(&mut term, host)?,
        }
        if screen.is_gone && screen.signal.is_none() {
            screen.hung_up(&mut term, host)?;
        }
        if let Some(errand) = screen.errand.take() {
            let mut around = Around {
                term: &mut term,
                host,
                inputs: &mut inputs,
                signals: &mut signals,
            };
            lend::lend(&mut screen, &errand, &mut around).await?;
        }
        if !term.is_ours() {
            // A panic in another thread gave the terminal back; there is nothing to show any more.
            screen.left = Some(());
        }
    }
    drop(term);
    Ok(Left {
        app: screen.app,
        signal: screen.signal,
        is_abandoned: screen.is_abandoned,
    })
}

async fn elapsed(sleep: Option<Sleep>) {
    match sleep {
        Some(sleep) => sleep.await,
        None => std::future::pending().await,
    }
}

/// What the screen stands between.
struct Around<'a> {
    term: &'a mut Term,
    host: &'a mut dyn Host,
    inputs: &'a mut mpsc::Receiver<Input>,
    signals: &'a mut Signals,
}

struct Screen {
    app: App,
    /// What the terminal is to be given away for.
    errand: Option<Loan>,
    painter: Painter,
    drawn: Option<Instant>,
    pause: Duration,
    left: Option<()>,
    is_abandoned: bool,
    /// Whether nobody reads what is written any more.
    is_gone: bool,
    signal: Option<u8>,
}

impl Screen {
    fn told(&mut self, told: Vec<Told>, term: &mut Term, host: &mut dyn Host) -> io::Result<()> {
        for told in told {
            let input = match told {
                Told::Key(key) => Input::Key {
                    key,
                    at: host.now(),
                },
                Told::Pasted(text) => Input::Pasted(text),
                Told::Focused(is_in_front) => Input::Focused(is_in_front),
                Told::Turned(rows) => Input::Turned(rows),
                Told::Resized { columns, rows } => {
                    self.painter.forget();
                    Input::Resized { columns, rows }
                }
            };
            self.take(input, term, host)?;
        }
        // Who presses a key sees what it did before anything else.
        self.draw(term)
    }

    fn inputs(
        &mut self,
        first: Input,
        inputs: &mut mpsc::Receiver<Input>,
        term: &mut Term,
        host: &mut dyn Host,
    ) -> io::Result<()> {
        // Many at once: a key has its turn before there are more.
        let mut is_past = matches!(first, Input::Past { .. });
        self.take(first, term, host)?;
        for _ in 0..INPUTS_MAX {
            if is_past {
                break;
            }
            let Ok(input) = inputs.try_recv() else { break };
            is_past = matches!(input, Input::Past { .. });
            self.take(input, term, host)?;
        }
        self.draw_if_due(term)
    }

    fn woken(&mut self, term: &mut Term, host: &mut dyn Host) -> io::Result<()> {
        let now = host.now();
        if self.app.next_change().is_some_and(|at| at <= now) {
            self.take(Input::Passed(now), term, host)?;
        }
        self.draw_if_due(term)
    }

    fn caught(&mut self, caught: Caught, term: &mut Term, host: &mut dyn Host) -> io::Result<()> {
        match caught {
            Caught::End { name, number } => {
                self.signal = number.or(self.signal);
                self.take(Input::Signalled { name }, term, host)?;
            }
            Caught::Quit => {
                self.signal = Some(3);
                self.abandon();
            }
            Caught::Stop => self.suspend(Group::Alone, term, host)?,
            // After a stop that could not be caught, nobody knows what the terminal was used for.
            // Who loses the terminal is also continued, once, to hear of it.
            Caught::Continue => {
                let again = term.again().and_then(|()| self.refit(host));
                self.is_gone |= again.is_err();
            }
        }
        self.draw(term)
    }

    fn hung_up(&mut self, term: &mut Term, host: &mut dyn Host) -> io::Result<()> {
        self.is_gone = true;
        if self.signal.is_some() {
            // Already on the way out.
            return Ok(());
        }
        self.signal = Some(1);
        self.take(Input::Signalled { name: "SIGHUP" }, term, host)
    }

    fn take(&mut self, input: Input, term: &mut Term, host: &mut dyn Host) -> io::Result<()> {
        for request in update(&mut self.app, input) {
            match request {
                Request::Quit => self.left = Some(()),
                Request::Abandon => self.abandon(),
                Request::Suspend => self.suspend(Group::Whole, term, host)?,
                Request::Redraw => self.refit(host)?,
                Request::Lend(errand) => self.errand = Some(errand),
                Request::Copy(text) => {
                    let sent = term.send(&self.app.setup.passage.copy(&text));
                    self.is_gone |= sent.is_err();
                }
                Request::Mouse(is_wanted) => self.is_gone |= term.take_mouse(is_wanted).is_err(),
                Request::Notify(text) => {
                    let setup = &self.app.setup;
                    let sent = term.send(&setup.notify.bytes(setup.passage, &text));
                    self.is_gone |= sent.is_err();
                    host.take(Request::Notify(text));
                }
                request => host.take(request),
            }
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.is_abandoned = true;
        self.left = Some(());
    }

    fn suspend(&mut self, group: Group, term: &mut Term, host: &mut dyn Host) -> io::Result<()> {
        term.suspend(group)?;
        self.refit(host)
    }

    /// Asks for the size anew and paints everything; what is looked up anew for that is the host's.
    fn refit(&mut self, host: &mut dyn Host) -> io::Result<()> {
        let (columns, rows) = Term::size()?;
        for request in update(&mut self.app, Input::Resized { columns, rows }) {
            host.take(request);
        }
        self.painter.forget();
        Ok(())
    }

    /// Returns how long to wait at most: for the next frame, or for what time changes.
    fn next_wake(&self, now: Timestamp) -> Option<Duration> {
        let frame = self.app.is_changed.then(|| self.until_frame());
        let change = self.app.next_change().map(|at| at.since(now));
        match (frame, change) {
            (Some(frame), Some(change)) => Some(frame.min(change)),
            (one, other) => one.or(other),
        }
    }

    fn until_frame(&self) -> Duration {
        let drawn = self.drawn.map(|drawn| drawn.elapsed());
        drawn.map_or(Duration::ZERO, |ago| self.pause.saturating_sub(ago))
    }

    fn draw_if_due(&mut self, term: &Term) -> io::Result<()> {
        if self.app.is_changed && self.until_frame().is_zero() {
            return self.draw(term);
        }
        Ok(())
    }

    fn draw(&mut self, term: &Term) -> io::Result<()> {
        let bytes = frame(&mut self.app, &mut self.painter)?;
        self.drawn = Some(Instant::now());
        // A terminal that is gone ends nothing at once: the run still has to end in order.
        self.is_gone |= term.send(&bytes).is_err();
        Ok(())
    }
}

/// Lays the state out and returns the bytes of its picture; none when nothing differs.
///
/// # Errors
/// As [`Painter::frame`].
pub fn frame(app: &mut App, painter: &mut Painter) -> io::Result<Vec<u8>> {
    layout::arrange(app);
    app.is_changed = false;
    painter.frame(app.layout.whole, |buffer| view(app, buffer))
}

/// Signals that the screen has to answer.
struct Signals {
    streams: Vec<(Caught, Pin<Box<Signal>>)>,
}

/// A signal that came.
#[derive(Clone, Copy, Debug)]
enum Caught {
    /// End in order; the number that decides the exit code.
    End {
        name: &'static str,
        number: Option<u8>,
    },
    /// End at once.
    Quit,
    Stop,
    Continue,
}

impl Signals {
    /// Begins to watch, before the terminal is touched.
    fn watch() -> io::Result<Self> {
        let end = |name, number| Caught::End { name, number };
        let kinds = [
            (SignalKind::interrupt(), end("SIGINT", None)),
            (SignalKind::terminate(), end("SIGTERM", Some(15))),
            (SignalKind::hangup(), end("SIGHUP", Some(1))),
            (SignalKind::quit(), Caught::Quit),
            (SignalKind::from_raw(SIGTSTP), Caught::Stop),
            (SignalKind::from_raw(SIGCONT), Caught::Continue),
        ];
        let streams = kinds
            .into_iter()
            .map(|(kind, caught)| Ok((caught, Box::pin(signal(kind)?))))
            .collect::<io::Result<_>>()?;
        Ok(Self { streams })
    }

    async fn next(&mut self) -> Caught {
        std::future::poll_fn(|context| {
            for (caught, stream) in &mut self.streams {
                if stream.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(*caught);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

const SIGTSTP: i32 = rustix::process::Signal::TSTP.as_raw();
const SIGCONT: i32 = rustix::process::Signal::CONT.as_raw();
