//! Which page is open, where its keys have their meaning, and what stands in their way.
//!
//! The session is a page as any other; what it shows is laid out and painted on its own.

mod review;

pub(crate) use crate::update::first_obstacle;
use crate::{
    app::{App, Focus},
    command::{Command, Place},
    composer::Composer,
    found::{Errand, Reach, Standing, Wanted},
    pages::{GateKind, Pages},
};
use std::path::PathBuf;

use harness_core::{CheckpointNumber, FeatureId, FeatureStatus, RepoPath, SessionId};
use harness_review::{Chosen, CommentKind};

/// What fills the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Page {
    /// What is said and done.
    #[default]
    Session,
    /// The changes.
    Review,
    /// The features.
    Features,
    /// The gates.
    Gates,
    /// What was saved.
    Checkpoints,
    /// Earlier sessions.
    Sessions,
    /// What a first run offers.
    First,
}

impl Page {
    /// Returns the page that a command shows.
    pub(crate) const fn of(command: Command) -> Option<Self> {
        Some(match command {
            Command::ShowSession => Self::Session,
            Command::ShowReview => Self::Review,
            Command::ShowFeatures => Self::Features,
            Command::ShowGates => Self::Gates,
            Command::ShowCheckpoints => Self::Checkpoints,
            Command::ShowSessions => Self::Sessions,
            Command::ShowFirst => Self::First,
            _ => return None,
        })
    }

    /// Returns its name.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Session => "Session",
            Self::Review => "Review",
            Self::Features => "Features",
            Self::Gates => "Gates",
            Self::Checkpoints => "Checkpoints",
            Self::Sessions => "Sessions",
            Self::First => "First run",
        }
    }

    /// Returns where its own keys have their meaning.
    const fn place(self) -> Place {
        match self {
            Self::Session => Place::Composer,
            Self::Review => Place::Review,
            Self::Features => Place::Features,
            Self::Gates => Place::Gates,
            Self::Checkpoints => Place::Checkpoints,
            Self::Sessions => Place::Sessions,
            Self::First => Place::First,
        }
    }

    /// Returns what it is made of.
    pub(crate) fn wanted(self, pages: &Pages) -> Option<Wanted> {
        match self {
            Self::Session => None,
            Self::Review => Some(Wanted::Review(pages.review.asked.clone())),
            Self::Features => Some(Wanted::Features),
            Self::Gates => Some(Wanted::Gates),
            Self::Checkpoints => Some(Wanted::Checkpoints(pages.checkpoints.wanted)),
            Self::Sessions => Some(Wanted::Sessions(pages.sessions.reach)),
            Self::First => Some(Wanted::First),
        }
    }

    /// Whether what is chosen has more to it, which stands below the list.
    pub(crate) const fn has_below(self) -> bool {
        matches!(self, Self::Features | Self::Sessions | Self::Review)
    }
}

/// What a line on a page is typed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    /// Which rows are kept.
    Filter,
    /// What is looked for in a text.
    Search,
    /// A new feature.
    New,
    /// What a feature is meant to be.
    Amend(FeatureId),
    /// What a feature waits for.
    Block(FeatureId),
    /// Why a feature is worked on again.
    Reopen(FeatureId),
    /// How to go back to a checkpoint.
    Undo(SessionId, CheckpointNumber),
    /// The name of a session; with a work tree of its repository, where that is another one.
    Rename(SessionId, Option<PathBuf>),
    /// The checkpoint of a session that a new one begins with.
    Fork(SessionId),
    /// What is looked for in a change.
    Seek,
    /// What a change is seen against.
    Base,
    /// Why a hunk is turned down, or lines of it.
    Reason {
        /// The file.
        path: RepoPath,
        /// The hunk, by its id.
        hunk: String,
        /// Its place.
        piece: usize,
        /// Which lines.
        chosen: Chosen,
    },
    /// A comment.
    Comment {
        /// How much it weighs.
        kind: CommentKind,
        /// What it is about.
        place: Box<harness_review::Place>,
        /// The draft that is changed; a new one when absent.
        number: Option<u32>,
    },
    /// An answer to a comment.
    Reply(u32),
}

/// A line that is typed on a page.
#[derive(Debug)]
pub(crate) struct Prompt {
    /// What for.
    pub(crate) what: Typing,
    /// What stands before it, cleaned.
    pub(crate) title: String,
    /// The line.
    pub(crate) line: Composer,
}

impl Prompt {
    /// Opens a line with something in it already.
    pub(crate) fn new(what: Typing, title: impl Into<String>, text: &str) -> Self {
        let mut line = Composer::default();
        line.set(text);
        let title = title.into();
        Self { what, title, line }
    }
}

/// Returns where keys have their meaning while a page is open.
pub(crate) fn place(app: &App) -> Place {
    let pages = &app.pages;
    if pages.prompt.is_some() {
        return Place::Prompt;
    }
    match (app.focus, app.panels.front()) {
        (Focus::Composer, Some(panel)) if panel.is_typing() => Place::Line,
        (Focus::Composer, Some(_)) => Place::Question,
        (Focus::Composer, None) if app.asked.is_some() => Place::Composer,
        _ if pages.reader.is_some() => Place::Page,
        _ => pages.open.place(),
    }
}

/// Whether something waits for the person above the footer of a page.
pub(crate) fn is_asked(app: &App) -> bool {
    !app.panels.is_empty() || app.asked.is_some()
}

const RUNS: &str = "a run is going on: stop it first";
const ERRAND: &str = "something is being done already";
const DEMO: &str = "what plays was recorded, and nobody hears";
/// Says why a command of a page cannot be used now.
pub(crate) fn obstacle(app: &App, command: Command) -> Option<&'static str> {
    let elsewhere = is_elsewhere(app, command);
    if elsewhere.is_some() {
        return elsewhere;
    }
    if review::is_meant(command) {
        return review::obstacle(app, command);
    }
    if app.pages.open == Page::First && app.pages.reader.is_none() {
        let first = first_obstacle(app, command);
        if first.is_some() {
            return first;
        }
    }
    if works(command) {
        if app.setup.origin.is_recorded() {
            return Some(DEMO);
        }
        if app.pages.errand.is_some() {
            return Some(ERRAND);
        }
    }
    if needs_quiet(command) && app.is_busy() {
        return Some(RUNS);
    }
    chosen_obstacle(app, command)
}

/// Says on which page a command belongs, while another one is open.
fn is_elsewhere(app: &App, command: Command) -> Option<&'static str> {
    let is_open = |page: Page| app.pages.open == page && app.pages.reader.is_none();
    let (page, why) = match command {
        Command::FeatureRun
        | Command::FeatureNew
        | Command::FeatureEdit
        | Command::FeatureBlock
        | Command::FeatureFinish
        | Command::FeatureEarlier
        | Command::FeatureLater => (Page::Features, "only on the features page"),
        Command::GateRun
        | Command::GateRunAll
        | Command::FailureNext
        | Command::FailurePrevious
        | Command::GateOpen
        | Command::GateTell => (Page::Gates, "only on the gates page"),
        Command::CheckpointCompare | Command::CheckpointUndo => {
            (Page::Checkpoints, "only on the checkpoints page")
        }
        Command::SessionFork
        | Command::SessionRename
        | Command::SessionArchive
        | Command::SessionsEverywhere => (Page::Sessions, "only on the sessions page"),
        Command::FirstNumber1
        | Command::FirstNumber2
        | Command::FirstNumber3
        | Command::FirstNumber4
        | Command::FirstWrite
        | Command::FirstScopes
        | Command::FirstGates => (Page::First, "only on the page of the first run"),
        command if review::is_meant(command) => (Page::Review, "only on the review page"),
        _ => return None,
    };
    (!is_open(page)).then_some(why)
}

/// Whether a command changes something or runs something.
const fn works(command: Command) -> bool {
    matches!(
        command,
        Command::FeatureRun
            | Command::FeatureNew
            | Command::FeatureEdit
            | Command::FeatureBlock
            | Command::FeatureFinish
            | Command::FeatureEarlier
            | Command::FeatureLater
            | Command::GateRun
            | Command::GateRunAll
            | Command::CheckpointUndo
            | Command::SessionFork
            | Command::SessionRename
            | Command::SessionArchive
            | Command::FirstWrite
    )
}

/// Whether a command needs the work tree for itself.
const fn needs_quiet(command: Command) -> bool {
    matches!(
        command,
        Command::FeatureRun
            | Command::FeatureFinish
            | Command::GateRun
            | Command::GateRunAll
            | Command::CheckpointUndo
            | Command::SessionFork
    )
}

/// Says what of the chosen row stands in the way.
fn chosen_obstacle(app: &App, command: Command) -> Option<&'static str> {
    let pages = &app.pages;
    match command {
        Command::FeatureRun
        | Command::FeatureEdit
        | Command::FeatureBlock
        | Command::FeatureFinish
        | Command::FeatureEarlier
        | Command::FeatureLater => {
            let Some(feature) = pages.features.chosen() else {
                return Some("no feature is chosen");
            };
            let status = feature.feature.status;
            match command {
                Command::FeatureRun if status == FeatureStatus::Passing && !feature.is_claimed => {
                    Some("it passes already")
                }
                Command::FeatureRun if !status.is_open() && !status.is_settled() => {
                    Some("it waits for you: b reopens it, `harness answer` answers")
                }
                Command::FeatureRun | Command::FeatureFinish
                    if status == FeatureStatus::Cancelled =>
                {
                    Some("it is cancelled")
                }
                _ => None,
            }
        }
        Command::GateRun | Command::GateTell | Command::GateOpen => {
            let Some(gate) = pages.gates.chosen() else {
                return Some("no gate is chosen");
            };
            match command {
                _ if gate.kind == GateKind::Review => Some("it is your review: enter opens it"),
                Command::GateRun if gate.kind == GateKind::Own => {
                    Some("it is the feature's own: it runs when the feature is finished")
                }
                Command::GateTell if !gate.is_red() => Some("it is not red"),
                Command::GateTell if !app.is_busy() && app.resumable.is_none() => {
                    Some("no agent is there: start a run first")
                }
                Command::GateTell if app.setup.origin.is_recorded() => Some(DEMO),
                Command::GateOpen if gate.place().is_none() => {
                    Some("its output names no file with a line")
                }
                _ => None,
            }
        }
        Command::GateRunAll if pages.gates.list.is_empty() => {
            Some("there are no gates: add one to harness.toml")
        }
        Command::FailureNext | Command::FailurePrevious if !pages.gates.has_red() => {
            Some("nothing is red")
        }
        Command::Open if pages.open == Page::Checkpoints && pages.reader.is_none() => {
            match pages.checkpoints.chosen() {
                None => Some("no checkpoint is chosen"),
                Some(chosen) if !chosen.is_whole() => Some("it is not there any more"),
                Some(chosen) if chosen.number.0 == 0 => {
                    Some("it is the state before the session: nothing led to it")
                }
                Some(_) => None,
            }
        }
        Command::CheckpointCompare | Command::CheckpointUndo => match pages.checkpoints.chosen() {
            None => Some("no checkpoint is chosen"),
            Some(chosen) if !chosen.is_whole() => Some("it is not there any more"),
            Some(_) => None,
        },
        Command::SessionFork | Command::SessionRename | Command::SessionArchive => {
            session_obstacle(app, command)
        }
        Command::Open if pages.reader.is_some() => Some("this is all of it"),
        Command::Open if pages.open == Page::Sessions && app.is_busy() => Some(RUNS),
        Command::Open if pages.open == Page::Sessions && app.setup.origin.is_recorded() => {
            Some(DEMO)
        }
        Command::Open if pages.open == Page::Sessions => session_obstacle(app, command),
        _ => None,
    }
}

/// Says what of the chosen session stands in the way.
fn session_obstacle(app: &App, command: Command) -> Option<&'static str> {
    let Some(chosen) = app.pages.sessions.chosen() else {
        return Some("no session is chosen");
    };
    let goes_on = matches!(command, Command::SessionFork | Command::Open);
    if goes_on && chosen.repository.is_some() {
        return Some("it is of another repository: start `harness` there, the place stands below");
    }
    match (command, chosen.standing) {
        (Command::SessionArchive | Command::Open, Standing::Running) => {
            Some("a process works on it: stop it first")
        }
        (Command::Open, Standing::Aborted) => Some("it was given up"),
        (Command::Open, Standing::Done) => Some("it ended well: f goes on from it in a new one"),
        (Command::Open | Command::SessionFork, Standing::Damaged) => {
            Some("its log cannot be read: `harness log verify` tells more")
        }
        (Command::SessionFork, _) if chosen.checkpoint.is_none() => {
            Some("it saved no checkpoint to begin with")
        }
        _ => None,
    }
}

/// Whether an errand needs the work tree for itself, so that no run can begin beside it.
pub(crate) const fn is_at_work(errand: Option<&Errand>) -> bool {
    matches!(errand, Some(Errand::RunGates { .. } | Errand::Undo { .. }))
}

/// Returns the reach on the other side.
pub(crate) const fn other(reach: Reach) -> Reach {
    match reach {
        Reach::Here => Reach::Everywhere,
        Reach::Everywhere => Reach::Here,
    }
}
