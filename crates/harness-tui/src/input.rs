//! What comes in and what is asked for: the whole traffic between the screen and the program.

use harness_core::{
    Action, CallEnd, CallId, Event, FeatureId, FeatureStatus, ModelDelta, RepoPath, RewindWhat,
    SessionId, Timestamp, TurnNumber,
};
use harness_report::Who;

use crate::{
    found::{Errand, Found, Progress, Wanted},
    key::Key,
    question::Question,
    review::{DressWanted, Dressed, ReviewKept, ReviewSaved},
};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A key was pressed.
    Key {
        /// Which.
        key: Key,
        /// When.
        at: Timestamp,
    },
    /// A text was pasted.
    Pasted(String),
    /// The terminal has another size.
    Resized {
        /// Its columns.
        columns: u16,
        /// Its rows.
        rows: u16,
    },
    /// The terminal came to the front, or went behind.
    Focused(bool),
    /// The wheel was turned, so many rows; up is less than zero.
    Turned(i16),
    /// Time has passed.
    Passed(Timestamp),
    /// A run is being set up.
    Started,
    /// A fact of the run was logged.
    Logged {
        /// The fact.
        event: Box<Event>,
        /// When it was logged.
        at: Timestamp,
    },
    /// Facts of a session that goes on, as they were logged before.
    Past {
        /// Each with the time when it was logged.
        events: Vec<(Event, Timestamp)>,
    },
    /// A piece of an answer, which no log will hold.
    Streamed {
        /// The piece.
        delta: ModelDelta,
        /// When it came.
        at: Timestamp,
    },
    /// The program says something that is no event.
    Said {
        /// Who it is about.
        who: Who,
        /// The text; several lines belong together.
        text: String,
    },
    /// The program needs a decision.
    Asked {
        /// Which.
        question: Question,
        /// When.
        at: Timestamp,
    },
    /// The answer to a query.
    Answered(Answer),
    /// A run or an errand is over.
    Over(Over),
    /// A signal asks for an end in order.
    Signalled {
        /// Its name, such as `SIGTERM`.
        name: &'static str,
    },
}

/// How a run or an errand ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// The exit code it would have had as a command of its own.
    pub code: u8,
    /// What went wrong, where it never came to a run.
    pub failure: Option<Failed>,
    /// The session that a further text goes on with.
    pub resumable: Option<SessionId>,
}

/// Why something could not be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failed {
    /// What was attempted on what.
    pub message: String,
    /// The command that mends it.
    pub hint: Option<String>,
}

/// What the screen asks the program for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Something for the run that goes on.
    Steer(harness_core::Request),
    /// Begin something.
    Start(Start),
    /// The decision on a question.
    Decide {
        /// Which.
        id: u64,
        /// What was decided.
        decision: Decision,
    },
    /// Look something up.
    Look(Query),
    /// Keep what was decided and said in a review.
    Review(Box<ReviewKept>),
    /// Do something beside a run; one at a time.
    Do(Errand),
    /// Give the terminal to a program of the person's.
    Lend(Loan),
    /// Put a text into the clipboard; it is no longer than [`crate::CLIPBOARD_MAX`].
    Copy(String),
    /// Keep a text that was to be copied in a file.
    Keep(String),
    /// Tell a person who looks elsewhere.
    Notify(String),
    /// Take the wheel of the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Stop the process, to be continued.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Leave the screen.
    Quit,
    /// Leave at once, whatever is still going on.
    Abandon,
}

/// What a program is to do that takes the whole screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loan {
    /// Write the text of the composer on, in an editor.
    Compose(String),
    /// Look at a copy of a text in an editor.
    Edit(String),
    /// Read a text in a pager.
    Read(String),
    /// Open a file of the work tree at a line, in an editor.
    Open {
        /// The file.
        path: RepoPath,
        /// The line, from 1.
        line: u32,
    },
    /// A shell.
    Shell,
}

/// What a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// What can be begun from the screen while nothing runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// All features.
    All,
    /// A feature, or a task in words.
    Goal(String),
    /// A list of features for a goal.
    Plan(String),
    /// A session that was stopped, with what the person says first.
    Resume {
        /// Which.
        session: SessionId,
        /// The words; empty for none.
        text: String,
        /// Whether the transcript has it already.
        known: Known,
    },
    /// Take a stopped session back to an earlier turn.
    Rewind {
        /// Which.
        session: SessionId,
        /// The turn.
        turn: TurnNumber,
        /// What goes back.
        what: RewindWhat,
    },
    /// Bring the proven features to the person's branch.
    Land,
    /// Prove and commit what the person did by hand for a feature.
    Finish(FeatureId),
    /// Go on from a session in a new one.
    Fork(SessionId),
}

/// Whether the screen shows a session already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Its events were shown as they came.
    Shown,
    /// Nothing of it was shown.
    New,
}

/// Data that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Where the repository stands.
    Overview,
    /// What a call did.
    Detail {
        /// The session.
        session: SessionId,
        /// The call.
        call: CallId,
    },
    /// What a page shows.
    Page(Wanted),
    /// The words and colours of a file that is reviewed; asks nobody, but takes its time.
    Dress(DressWanted),
    /// The names of the repository's files.
    Files,
}

/// What was looked up.
#[derive(Clone, Debug)]
pub enum Answer {
    /// What a page shows, or why that cannot be told.
    Page(Wanted, Result<Box<Found>, Failed>),
    /// The words and colours of a file that is reviewed.
    Dressed(Box<Dressed>),
    /// What was kept of a review.
    Reviewed(Result<Box<ReviewSaved>, Failed>),
    /// How far an errand has come.
    Errand(Progress),
    /// Where the repository stands, or why that cannot be told.
    Overview(Result<Box<Overview>, Failed>),
    /// The names of the files, sorted; none where they cannot be told.
    Files {
        /// The names.
        names: Vec<String>,
        /// Whether there are more.
        is_cut: bool,
    },
    /// What was written in the editor; nothing where it was left as it was.
    Composed(Result<Option<String>, Failed>),
    /// What came of a program that had the screen, where that has to be told.
    Returned(Failed),
    /// Where a text was kept.
    Kept(Result<String, Failed>),
    /// What a call did; nothing when the log does not have it.
    Detail {
        /// The session.
        session: SessionId,
        /// The call.
        call: CallId,
        /// What it was to do, and how it ended.
        found: Option<Box<(Option<Action>, CallEnd)>>,
    },
}

/// Where the repository stands while nothing runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The repository's name.
    pub repository: String,
    /// The person's branch.
    pub branch: String,
    /// Its features: id, title, status.
    pub features: Vec<(FeatureId, String, FeatureStatus)>,
    /// The names of its gates.
    pub gates: Vec<String>,
    /// Patterns that may be written.
    pub scope: Vec<String>,
    /// More that is worth knowing, a sentence each.
    pub notes: Vec<String>,
    /// The session that can be gone on with.
    pub resumable: Option<SessionId>,
}
