//! What is said about tokens, money and time: per request where it is asked for, per session, per run.

use harness_core::{Event, SessionId, SessionOpened, Timestamp};

use super::{Line, Who, count, seconds};
use crate::tally::{Bill, Span, Tally, span, tokens, usd};

/// What the sessions of a run have used so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Whether each request is told of.
    is_detailed: bool,
    now: Option<Timestamp>,
    session: Option<SessionId>,
    /// Sessions that were opened.
    sessions: u32,
    turns: u32,
    /// Whether turns of the session were begun by another process: what they used is not known here.
    is_part: bool,
    of_session: Tally,
    took: Span,
    /// Whether the session's line was said.
    is_told: bool,
    of_run: Tally,
    /// Turns of all its sessions; absent where some are in logs that were not read.
    run_turns: Option<u32>,
    run_took: Span,
}

/// Lines around what else is said about an event.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) before: Option<Line>,
    pub(super) after: Option<Line>,
}

impl Ledger {
    /// Tells of each request as well.
    pub(super) const fn tell_all(&mut self) {
        self.is_detailed = true;
    }

    /// Says when the next events happened.
    pub(super) const fn set_time(&mut self, at: Timestamp) {
        self.now = Some(at);
    }

    pub(super) fn take(&mut self, event: &Event) -> Around {
        let mut around = Around::default();
        match event {
            // Which session is the run's only one is known by then.
            Event::SessionOpened(opened) => {
                around.before = self.close();
                self.open(opened);
            }
            Event::RunEnded { .. } if self.is_detailed || self.sessions > 1 => {
                around.before = self.close();
            }
            _ => {}
        }
        if let Some(now) = self.now {
            for took in [&mut self.took, &mut self.run_took] {
                match event {
                    Event::SessionResumed { .. } => took.begin_again(now),
                    _ => took.go_on(now),
                }
            }
        }
        if let Event::TurnStarted { turn } = event {
            self.is_part |= self.turns == 0 && turn.0 > 1;
            if let Some(turns) = &mut self.run_turns {
                *turns += turn.0.saturating_sub(self.turns);
            }
            self.turns = turn.0;
        }
        if let Some(bill) = Bill::of(event) {
            self.of_session.add(&bill);
            self.of_run.add(&bill);
            around.after = self.is_detailed.then(|| self.request(&bill));
        }
        if self.is_detailed && matches!(event, Event::SessionEnded { .. }) {
            around.after = self.close();
        }
        around
    }

    /// Words what the run has used, as the end of its last line.
    pub(super) fn of_run(&self) -> String {
        let used = format!("{}, {}", self.of_run.tokens(), self.of_run.money());
        // Of sessions in other logs only tokens and money are known.
        match self.run_turns {
            Some(turns) => format!(
                "{}, {used}{}",
                count(turns.into(), "turn"),
                self.time(self.run_took)
            ),
            None => used,
        }
    }

    fn open(&mut self, opened: &SessionOpened) {
        let run = &opened.run;
        if self.sessions == 0 {
            let is_new = run.usage.input_total() == 0;
            self.run_turns = is_new.then_some(0);
            self.of_run = Tally {
                usage: run.usage,
                spent: run.spent,
                ..Tally::default()
            };
        }
        self.of_run.unpriced |= run.model.price.is_none();
        self.session = Some(opened.session);
        self.sessions += 1;
        self.turns = 0;
        self.is_part = false;
        self.of_session = Tally {
            unpriced: run.model.price.is_none(),
            ..Tally::default()
        };
        self.took = Span::default();
        self.is_told = false;
    }

    /// Words the session in hand once.
    fn close(&mut self) -> Option<Line> {
        let session = self.session.filter(|_| !self.is_told)?;
        self.is_told = true;
        // One that is only passed through, as on the way to the next, has nothing to tell.
        if self.turns == 0 && self.of_session.requests == 0 {
            return None;
        }
        let part = if self.is_part {
            "since it was resumed "
        } else {
            ""
        };
        let text = format!(
            "session {session} ended: {}, {part}{}, {}{}",
            count(self.turns.into(), "turn"),
            self.of_session.tokens(),
            self.of_session.money(),
            self.time(self.took)
        );
        Some(Line::new(Who::Harness, text))
    }

    fn request(&self, bill: &Bill) -> Line {
        let about = if bill.estimated { "about " } else { "" };
        let cost = bill.cost.map_or_else(
            || "price unknown".to_owned(),
            |cost| format!("{about}{}", usd(cost)),
        );
        // How long one took that came to nothing is not in the log.
        let took = match bill.ms {
            0 => String::new(),
            ms => format!(", {}", seconds(ms)),
        };
        let text = format!(
            "{}: {about}{}, {cost}, {} so far{took}",
            bill.name(),
            tokens(bill.usage),
            self.of_run.money(),
        );
        Line::new(Who::Note, text)
    }

    fn time(&self, took: Span) -> String {
        let known = self.now.map(|_| format!(", {}", span(took.taken())));
        known.unwrap_or_default()
    }
}
