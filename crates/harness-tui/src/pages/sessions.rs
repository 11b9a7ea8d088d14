//! Earlier sessions, newest first.

use harness_core::Timestamp;
use harness_report::{clean, clean_line};

use super::State;
use crate::{
    found::{Reach, SessionFound, SessionsFound, Standing},
    list::{Line, List},
    text::{Role, Row},
    theme::Sign,
    work::age,
};

/// The longest name or branch that is shown. Unit: characters.
const NAME_CHARS: usize = 60;
/// The longest words that are shown. Unit: characters.
const WORDS_CHARS: usize = 400;

/// The sessions page.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) state: State,
    pub(crate) list: List,
    pub(crate) reach: Reach,
    /// Sessions that are older and left out.
    pub(crate) older: usize,
    /// Sessions that were put away.
    pub(crate) archived: usize,
    found: Vec<SessionFound>,
    is_changed: bool,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            state: State::default(),
            list: List::with_flexible(1),
            reach: Reach::default(),
            older: 0,
            archived: 0,
            found: Vec::new(),
            is_changed: true,
        }
    }
}

impl Sessions {
    /// Takes in what was looked up.
    pub(crate) fn fill(&mut self, found: SessionsFound) {
        self.found = found.sessions;
        (self.reach, self.older) = (found.reach, found.older);
        self.archived = found.archived;
        self.state = State::There;
        self.is_changed = true;
    }

    /// Returns the session that is chosen.
    pub(crate) fn chosen(&self) -> Option<&SessionFound> {
        let id = &self.list.chosen()?.id;
        self.found.iter().find(|found| identity(found) == *id)
    }

    /// Makes the rows anew where something has changed; says whether it has.
    pub(crate) fn renew(&mut self, now: Timestamp) -> bool {
        if !std::mem::take(&mut self.is_changed) {
            return false;
        }
        let lines = self.found.iter().map(|found| line(found, now)).collect();
        self.list.replace(lines);
        true
    }

    /// Returns what the chosen session came to.
    pub(crate) fn more(&self) -> Option<(String, Vec<Row>)> {
        let found = self.chosen()?;
        let mut rows = Vec::new();
        let mut said = |name: &str, text: &str| {
            if !text.trim().is_empty() {
                let text = clean_line(text, WORDS_CHARS);
                rows.push(Row::of(Role::Quiet, format!("{name}: ")).and(Role::Plain, text));
            }
        };
        said("first", &found.words.0);
        said("last", &found.words.1);
        for tried in &found.tried {
            said("tried and failed", tried);
        }
        if !found.elsewhere.is_empty() {
            said("where", &found.elsewhere);
        }
        if rows.is_empty() {
            rows.push(Row::of(Role::Quiet, "nothing was said in it"));
        }
        Some((identity(found), rows))
    }
}

fn identity(found: &SessionFound) -> String {
    let session = found
        .session
        .map_or(String::new(), |session| session.to_string());
    format!("{session} {}", found.elsewhere)
}

fn line(found: &SessionFound, now: Timestamp) -> Line {
    let sign = match found.standing {
        Standing::Running => Sign::Working,
        Standing::Stopped => Sign::Blocked,
        Standing::Waiting => Sign::Needed,
        Standing::Done => Sign::Good,
        Standing::Aborted => Sign::Cancelled,
        Standing::Damaged => Sign::Bad,
    };
    let name = if found.name.is_empty() {
        &found.goal
    } else {
        &found.name
    };
    let checkpoints = match found.checkpoints {
        0 => String::new(),
        1 => "1 checkpoint".to_owned(),
        many => format!("{many} checkpoints"),
    };
    let session = found
        .session
        .map_or(String::new(), |session| session.to_string());
    let last = found
        .last
        .map_or(String::new(), |last| age(now.since(last).as_secs()));
    let mut line = Line::new(identity(found))
        .signed(sign)
        .cell(Role::Strong, session)
        .cell(Role::Plain, clean_line(name, NAME_CHARS))
        .cell(Role::Plain, clean_line(&found.features, 40))
        .cell(Role::Quiet, clean_line(&found.branch, 40))
        .cell(Role::Quiet, last)
        .cell(Role::Plain, clean_line(&found.state, NAME_CHARS))
        .cell(Role::Quiet, checkpoints);
    let (first, last) = &found.words;
    line.more = clean(&format!("{first}\n{last}\n{}", found.goal)).into_owned();
    line
}
