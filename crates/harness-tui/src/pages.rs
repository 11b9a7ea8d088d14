//! What the pages know: looked up by the program, and kept up by the events of a run while one goes on.

mod checkpoints;
mod features;
mod first;
mod gates;
mod sessions;

use harness_core::{Event, Timestamp};
use ratatui::layout::Rect;

pub(crate) use self::{
    checkpoints::Checkpoints,
    features::Features,
    first::{First, Worker},
    gates::{GateKind, Gates},
    sessions::Sessions,
};
use crate::{
    found::{Errand, Wanted},
    input::Failed,
    list::List,
    page::{Page, Prompt},
    reader::Reader,
    review::{DressWanted, Review, ReviewAsked},
    text::Row,
};

/// All pages, and which one is open.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// The page that is open.
    pub(crate) open: Page,
    pub(crate) features: Features,
    pub(crate) gates: Gates,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) sessions: Sessions,
    pub(crate) first: First,
    pub(crate) review: Review,
    /// The page that a review was opened from, and goes back to.
    pub(crate) review_from: Option<Page>,
    /// Files whose words and colours were asked for and have not come yet.
    pub(crate) dressing: Vec<DressWanted>,
    /// A text over the page.
    pub(crate) reader: Option<Reader>,
    /// A line that is typed.
    pub(crate) prompt: Option<Prompt>,
    /// What was asked for and has not come yet, and whether it has to be asked for once more then:
    /// what is on its way may be older than what changed since.
    pub(crate) pending: Vec<(Wanted, bool)>,
    /// What is being done beside a run.
    pub(crate) errand: Option<Errand>,
    /// What stands below the list of the open page.
    pub(crate) below: Reader,
    /// Whose that is.
    shown_below: (Page, Option<String>),
    /// Where everything stands, as it was laid out.
    pub(crate) room: Room,
}

/// Where the parts of a page stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// The list, or the text over it.
    pub(crate) body: Rect,
    /// The rule above what is below; empty where nothing is.
    pub(crate) rule: Rect,
    /// What the chosen row has more.
    pub(crate) below: Rect,
    /// The agent's question.
    pub(crate) asked: Rect,
    /// The line that is typed.
    pub(crate) prompt: Rect,
}

/// Whether a page has what it is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody asked yet.
    #[default]
    Unknown,
    /// It was asked for.
    Asked,
    /// It is there.
    There,
    /// It could not be told.
    Failed(Failed),
}

impl Pages {
    /// Begins on the review page, for which the program looks up what is asked for.
    pub(crate) fn open_review(&mut self, asked: ReviewAsked) {
        self.open = Page::Review;
        self.pending.push((Wanted::Review(asked.clone()), false));
        self.review.asked = asked;
        self.review.state = State::Asked;
    }

    /// Takes an event of a run in.
    pub(crate) fn take(&mut self, event: &Event, at: Timestamp) {
        self.features.take(event);
        self.gates.take(event);
        self.checkpoints.take(event, at);
    }

    /// Returns the list of the open page.
    pub(crate) fn list(&self) -> Option<&List> {
        Some(match self.open {
            Page::Session | Page::Review | Page::First => return None,
            Page::Features => &self.features.list,
            Page::Gates => &self.gates.list,
            Page::Checkpoints => &self.checkpoints.list,
            Page::Sessions => &self.sessions.list,
        })
    }

    /// The same, to move in it.
    pub(crate) fn list_mut(&mut self) -> Option<&mut List> {
        Some(match self.open {
            Page::Session | Page::Review | Page::First => return None,
            Page::Features => &mut self.features.list,
            Page::Gates => &mut self.gates.list,
            Page::Checkpoints => &mut self.checkpoints.list,
            Page::Sessions => &mut self.sessions.list,
        })
    }

    /// Returns whether the open page has what it is made of.
    pub(crate) fn state(&self) -> &State {
        match self.open {
            Page::Session => &State::There,
            Page::Review => &self.review.state,
            Page::Features => &self.features.state,
            Page::Gates => &self.gates.state,
            Page::Checkpoints => &self.checkpoints.state,
            Page::Sessions => &self.sessions.state,
            Page::First => &self.first.state,
        }
    }

    /// The same, to change it.
    pub(crate) fn state_mut(&mut self, page: Page) -> Option<&mut State> {
        Some(match page {
            Page::Session => return None,
            Page::Review => &mut self.review.state,
            Page::Features => &mut self.features.state,
            Page::Gates => &mut self.gates.state,
            Page::Checkpoints => &mut self.checkpoints.state,
            Page::Sessions => &mut self.sessions.state,
            Page::First => &mut self.first.state,
        })
    }

    /// Makes the rows of the open page anew where something has changed, and what stands below them.
    pub(crate) fn renew(&mut self, now: Timestamp) {
        let is_changed = match self.open {
            Page::Session | Page::Review | Page::First => false,
            Page::Features => self.features.renew(),
            Page::Gates => self.gates.renew(),
            Page::Checkpoints => self.checkpoints.renew(),
            Page::Sessions => self.sessions.renew(now),
        };
        let chosen = self.list().and_then(List::chosen);
        let chosen = (self.open, chosen.map(|line| line.id.clone()));
        if is_changed || self.shown_below != chosen {
            let (title, rows) = self.more().unwrap_or_default();
            self.below.renew(&title, rows);
            self.shown_below = chosen;
        }
    }

    /// Returns what the chosen row has more: a title that stays while the row does, and lines.
    pub(crate) fn more(&self) -> Option<(String, Vec<Row>)> {
        match self.open {
            Page::Features => self.features.more(),
            Page::Sessions => self.sessions.more(),
            _ => None,
        }
    }
}
