//! What a review is made of: looked up by the program, and what is kept of it.

use std::sync::Arc;

use harness_core::{CheckpointNumber, Finding, RunId, SessionId};
use harness_review::{Base, Book, Change, export::ShownCheck};

use super::dress::{self, Dress};

/// What somebody wants to review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReviewAsked {
    /// What was reviewed last, or what the newest run changed.
    #[default]
    Usual,
    /// What a base says.
    Base {
        /// The base.
        base: Base,
        /// The session whose checkpoints are meant; the newest when absent.
        session: Option<SessionId>,
    },
}

/// A change, and what was said about it.
#[derive(Clone, Debug)]
pub struct ReviewFound {
    /// What the book is kept under: what belongs together has the same.
    pub key: String,
    /// What differs.
    pub change: Arc<Change>,
    /// What was decided and said; its base is what the change is seen against.
    pub book: Book,
    /// What is reviewed, for people.
    pub title: String,
    /// The two states, for people.
    pub words: String,
    /// The run whose change it is.
    pub run: Option<RunId>,
    /// The session whose checkpoints go on from it.
    pub session: Option<SessionId>,
    /// Whether files can be changed, so that something can be turned down.
    pub can_reject: bool,
    /// The findings of the last judged finish, each whether it was approved.
    pub findings: Vec<(Finding, bool)>,
    /// How the gates came out.
    pub checks: Vec<ShownCheck>,
    /// What else can be compared, each with words for people.
    pub bases: Vec<(Base, String)>,
    /// The checkpoints of the session that can be gone through, oldest first.
    pub checkpoints: Vec<CheckpointNumber>,
}

impl ReviewFound {
    /// Compares every file, so that nobody does it while drawing.
    pub fn compare(&self) {
        self.change.counts();
    }
}

/// What was decided and said, to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewKept {
    /// The run whose change it is; a range of commits when absent.
    pub run: Option<RunId>,
    /// The session whose checkpoints are meant.
    pub session: Option<SessionId>,
    /// Everything, as the screen has it; put together with what others wrote meanwhile.
    pub book: Book,
    /// What follows.
    pub then: Then,
}

/// What follows when a review was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// What waits is carried out: rejections are taken back where no run does it at the end of a turn.
    TurnDown,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct ReviewSaved {
    /// What it was kept under.
    pub key: String,
    /// The book as it is now, with what others wrote.
    pub book: Book,
    /// What was done, a sentence each.
    pub told: Vec<String>,
    /// Whether files were changed.
    pub is_changed: bool,
}

/// A file whose words and colours are wanted.
#[derive(Clone, Debug)]
pub struct DressWanted {
    /// The change.
    pub change: Arc<Change>,
    /// The file's place in it.
    pub file: usize,
}

impl DressWanted {
    /// Finds the words and colours; takes its time.
    pub fn make(self) -> Dressed {
        let dress = self.change.files().get(self.file).map(dress::dress);
        Dressed {
            wanted: self,
            dress: Arc::new(dress.unwrap_or_default()),
        }
    }
}

impl PartialEq for DressWanted {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.change, &other.change) && self.file == other.file
    }
}

impl Eq for DressWanted {}

/// A file with its words and colours.
#[derive(Clone, Debug)]
pub struct Dressed {
    pub(crate) wanted: DressWanted,
    pub(crate) dress: Arc<Dress>,
}

impl Dressed {
    /// Returns what was wanted.
    pub(crate) const fn wanted(&self) -> &DressWanted {
        &self.wanted
    }
}
