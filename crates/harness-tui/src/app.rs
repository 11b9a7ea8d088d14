//! The state of the screen.

use std::collections::VecDeque;

use harness_core::{CallId, SessionId, Timestamp};

use crate::{
    attention::Attention,
    command::{Command, Place},
    composer::Composer,
    input::Over,
    keymap::KeyMap,
    layout::Layout,
    offer::{Files, Offer},
    overlay::Overlay,
    page::{self, Page},
    pages::Pages,
    passage::{Notify, Passage},
    question::Panel,
    text::{Role, Row, shortened, wrap_hanging},
    theme::{Ground, Palette, Theme},
    transcript::{Spot, Transcript},
    vim::Vim,
    work::{Activity, Work},
};

/// How the screen is set up, all of it the person's.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// How it is painted.
    pub theme: Theme,
    /// The keys.
    pub keys: KeyMap,
    /// What was wrong in the person's file, a line each.
    pub problems: Vec<String>,
    /// Who opened it.
    pub origin: Origin,
    /// Where rules are kept that hold always, for people; empty where that is not known.
    pub rules_file: String,
    /// Whether the terminal's background decides between the light palette and the dark one.
    pub asks_ground: bool,
    /// How a person who looks elsewhere is told.
    pub notify: Notify,
    /// Whether a program of the person's is told too.
    pub has_notify_command: bool,
    /// What stands between here and the terminal.
    pub passage: Passage,
    /// How much may move.
    pub motion: Motion,
    /// Whether the wheel of the mouse scrolls here.
    pub has_mouse: bool,
    /// Whether the composer has vim's keys.
    pub has_vim_keys: bool,
    /// What the review page is opened with; the session page is when absent.
    pub review: Option<crate::review::ReviewAsked>,
}

/// How much may move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Motion {
    /// Answers stream as they come.
    #[default]
    Full,
    /// What nobody asked for changes once a second at most.
    Reduced,
}

/// Words that are typed to be found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// The words so far.
    pub(crate) words: String,
    /// Where the search began.
    pub(crate) spot: Spot,
    /// Whether they stand somewhere.
    pub(crate) is_found: bool,
}

/// Who opened the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// A person, to look around: nothing runs until asked.
    #[default]
    Bare,
    /// The demo: a recording that cannot hear anybody.
    Demo,
    /// A session that is shown again as it was: it cannot hear anybody either.
    Replay,
    /// A command with something to do; where that cannot begin, there is nothing to show.
    Command,
}

impl Origin {
    /// Whether what is shown was recorded, so that nobody hears what is said.
    pub(crate) const fn is_recorded(self) -> bool {
        matches!(self, Self::Demo | Self::Replay)
    }
}

/// Which pane the keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Focus {
    /// The composer.
    #[default]
    Composer,
    /// The transcript.
    Transcript,
    /// The list of a page, or the text over it.
    List,
    /// What stands below the list of a page.
    Below,
}

/// Whether the program works on something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing runs.
    #[default]
    Idle,
    /// Something was begun that takes nothing in yet: what is said is held for it.
    Opening,
    /// A run goes on.
    Busy,
}

/// How far a stop was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stopping {
    #[default]
    No,
    /// After the step in hand.
    Soon,
    /// Now, asked for at this time.
    Now(Timestamp),
}

/// How far quitting was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Quitting {
    #[default]
    No,
    /// Once more within two seconds quits.
    Armed(Timestamp),
    /// As soon as what goes on is over.
    WhenOver,
}

/// A message to the person: above the footer, until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Its lines.
    pub(crate) lines: Vec<String>,
    /// What it is.
    pub(crate) role: Role,
}

impl Notice {
    /// Lays it out, at most `rows_max` rows: a command in it is of no use without its end.
    pub(crate) fn rows(&self, columns: usize, rows_max: usize) -> Vec<Row> {
        let columns = columns.saturating_sub(2).max(1);
        let lines = self.lines.iter().enumerate();
        let mut rows: Vec<Row> = lines
            .flat_map(|(at, text)| {
                let role = if at == 0 { self.role } else { Role::Plain };
                let row = Row::of(role, text.clone());
                // A hint stays in sight, however long the error is.
                let room = rows_max.saturating_sub(self.lines.len() - 1).max(1);
                let mut rows = wrap_hanging(&row, columns, 2);
                if rows.len() > room {
                    rows.truncate(room);
                    if let Some(last) = rows.last_mut() {
                        let text: String = last
                            .pieces
                            .iter()
                            .map(|piece| piece.text.as_str())
                            .collect();
                        let cut = shortened(&text, columns.saturating_sub(1));
                        *last = Row::of(role, format!("{}…", cut.trim_end_matches('…')));
                    }
                }
                rows
            })
            .collect();
        rows.truncate(rows_max);
        rows
    }
}

/// The whole state of the screen.
#[derive(Debug, Default)]
pub struct App {
    pub(crate) setup: Setup,
    pub(crate) now: Timestamp,
    pub(crate) layout: Layout,
    pub(crate) transcript: Transcript,
    pub(crate) work: Work,
    pub(crate) pages: Pages,
    pub(crate) composer: Composer,
    /// Vim's keys, where the person wants them.
    pub(crate) vim: Vim,
    pub(crate) panels: VecDeque<Panel>,
    /// The agent's question that the composer answers.
    pub(crate) asked: Option<CallId>,
    /// What that question says.
    pub(crate) question: String,
    /// The words that something was begun with, until it has opened.
    pub(crate) sent: String,
    /// Words that came while no session could hear them: one opens, or ends.
    pub(crate) held: Vec<String>,
    /// Words that wait for the next turn.
    pub(crate) waiting: Vec<String>,
    pub(crate) focus: Focus,
    pub(crate) overlay: Option<Overlay>,
    /// What is offered above the composer.
    pub(crate) offer: Option<Offer>,
    /// Whether the person went on without what was offered for this word.
    pub(crate) is_offer_closed: bool,
    pub(crate) files: Files,
    /// The words to find while they are typed.
    pub(crate) finding: Option<Finding>,
    pub(crate) attention: Attention,
    /// Words that were asked back, until the log says so.
    pub(crate) taking: Vec<String>,
    pub(crate) notice: Option<Notice>,
    pub(crate) phase: Phase,
    /// The session that was last at work while the screen looked on.
    pub(crate) ran: Option<SessionId>,
    pub(crate) stopping: Stopping,
    pub(crate) quitting: Quitting,
    pub(crate) resumable: Option<SessionId>,
    pub(crate) over: Option<Over>,
    /// Whether something changed since the last frame.
    pub(crate) is_changed: bool,
}

impl App {
    /// Makes the screen of a size.
    pub fn new(setup: Setup, columns: u16, rows: u16, now: Timestamp) -> Self {
        let mut app = Self {
            transcript: Transcript::new(setup.theme),
            layout: Layout::of(columns, rows),
            attention: Attention::since(now),
            setup,
            now,
            is_changed: true,
            ..Self::default()
        };
        if let Some(asked) = app.setup.review.clone() {
            app.pages.open_review(asked);
            app.focus = Focus::List;
        }
        if !app.setup.problems.is_empty() {
            app.notice = Some(Notice {
                lines: app.setup.problems.clone(),
                role: Role::Needed,
            });
        }
        app
    }

    /// Takes in which background the terminal has.
    pub(crate) fn stand_on(&mut self, ground: Ground) {
        if self.setup.asks_ground {
            self.setup.theme.palette = Palette::on(ground);
            self.transcript.paint_with(self.setup.theme);
        }
    }

    /// Whether a frame is due because something changed.
    pub fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// How the last run or errand ended.
    pub fn over(&self) -> Option<&Over> {
        self.over.as_ref()
    }

    /// Returns where keys have their meaning now.
    pub(crate) fn place(&self) -> Place {
        if self.pages.open != Page::Session && self.overlay.is_none() {
            return page::place(self);
        }
        match (&self.overlay, self.panels.front(), self.focus) {
            (Some(_), ..) => Place::Overlay,
            (None, _, Focus::Transcript) if self.finding.is_some() => Place::Find,
            (None, _, Focus::Transcript) => Place::Transcript,
            (None, Some(panel), _) if panel.is_typing() => Place::Line,
            (None, Some(_), _) => Place::Question,
            (None, None, Focus::Composer) if self.is_offering() => Place::Offer,
            (None, None, _) => Place::Composer,
        }
    }

    /// Whether something is offered above the composer.
    pub(crate) fn is_offering(&self) -> bool {
        self.offer.as_ref().is_some_and(Offer::is_shown)
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Whether the agent has stopped and a person can say how to go on.
    pub(crate) fn is_awaited(&self) -> bool {
        self.is_busy()
            && self.asked.is_none()
            && self.panels.is_empty()
            && self.work.activity == Activity::Awaiting
    }

    /// Says why a command cannot be used now.
    pub(crate) fn obstacle(&self, command: Command) -> Option<&'static str> {
        match command {
            Command::RunAll | Command::Plan | Command::Land if self.is_busy() => {
                Some("something is going on")
            }
            Command::RunAll | Command::Land | Command::Resume
                if page::is_at_work(self.pages.errand.as_ref()) =>
            {
                Some("something is being done in the work tree")
            }
            Command::Resume if self.is_busy() => Some("something is going on"),
            Command::Resume if self.resumable.is_none() => {
                Some("there is no session to go on with")
            }
            Command::LetGatesDecide if !self.is_awaited() => {
                Some("only when the agent has stopped and waits for you")
            }
            Command::PutOff if self.asked.is_none() => Some("no question is open"),
            Command::Rewind if self.focus != Focus::Transcript => {
                Some("the transcript does not have the focus: tab, then a turn with [ and ]")
            }
            Command::Rewind if self.transcript.chosen_turn().is_none() => {
                Some("there is no turn here")
            }
            Command::TakeBack if self.waiting.is_empty() => Some("no text waits for the next turn"),
            Command::SendNow if !self.is_busy() => Some("no turn is running"),
            Command::ForSession
            | Command::Always
            | Command::EditRule
            | Command::Never
            | Command::LeaveOut
                if self
                    .panels
                    .front()
                    .is_none_or(|panel| panel.approval.is_none()) =>
            {
                Some("only where something needs your approval")
            }
            Command::Unfold if self.focus != Focus::Transcript => {
                Some("the transcript does not have the focus")
            }
            Command::Unfold if !self.transcript.can_toggle() => {
                Some("there is nothing folded here")
            }
            Command::Seek | Command::Copy if self.focus != Focus::Transcript => {
                Some("the transcript does not have the focus: tab gives it")
            }
            // What answers the question must not seem to have done so.
            Command::Copy | Command::EditAll if !self.panels.is_empty() => {
                Some("a question is open: tab gives it the keys")
            }
            Command::SeekNext | Command::SeekPrevious if !self.transcript.has_needle() => {
                Some("nothing was looked for yet: tab, then /")
            }
            Command::Copy if self.transcript.selected_text().is_none() => {
                Some("there is nothing here")
            }
            Command::CopyAnswer if self.transcript.last_answer().is_none() => {
                Some("the agent has said nothing yet")
            }
            Command::ReadAll | Command::EditAll if self.transcript.is_empty() => {
                Some("there is nothing yet")
            }
            Command::HistorySearch | Command::HistoryPrevious
                if self.composer.history().next().is_none() =>
            {
                Some("nothing was written yet")
            }
            other => page::obstacle(self, other),
        }
    }

    pub(crate) fn tell(&mut self, role: Role, text: impl Into<String>) {
        self.notice = Some(Notice {
            lines: vec![text.into()],
            role,
        });
    }

    /// Returns when time alone changes what is shown. Unit of what is shown: seconds.
    pub(crate) fn next_change(&self) -> Option<Timestamp> {
        let after = |millis| std::time::Duration::from_millis(millis);
        let asleep = self
            .panels
            .front()
            .filter(|panel| !panel.is_awake(self.now));
        let wake = asleep.map(|panel| panel.since.plus(after(crate::question::DEAD_MS)));
        let age = self.work.activity.since().filter(|_| self.is_busy());
        let tick = age.map(|since| {
            let seconds = self.now.since(since).as_secs();
            since.plus(after((seconds + 1) * 1_000))
        });
        let left = self.left().zip(self.work.activity.until());
        let countdown = left.map(|(seconds, until)| {
            let shown = after(seconds.saturating_sub(1).saturating_mul(1_000));
            Timestamp::from_millis(0).plus(until.since(Timestamp::from_millis(0).plus(shown)))
        });
        [wake, tick, countdown].into_iter().flatten().min()
    }

    /// Returns how long a wait goes on, rounded up; none when nothing is waited for. Unit: seconds.
    pub(crate) fn left(&self) -> Option<u64> {
        let until = self.work.activity.until().filter(|_| self.is_busy())?;
        let left = u64::try_from(until.since(self.now).as_millis()).unwrap_or(u64::MAX);
        Some(left.div_ceil(1_000)).filter(|seconds| *seconds > 0)
    }
}
