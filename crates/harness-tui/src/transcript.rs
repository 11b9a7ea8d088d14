//! What was said and done, as a fold over events: entries that can be unfolded and scrolled.
//!
//! The sentences are those of the plain lines. Layout happens in `arrange`, for
//! the rows that can be seen; painting only copies them.

mod detail;
mod entry;
mod find;
mod live;
mod scroll;
mod streamed;

use harness_core::{CallId, Event, ModelDelta, SessionId, Timestamp};
use harness_report::{Line, Phrases, Who, clean};

pub(crate) use detail::rows as detail_rows;
pub(crate) use entry::{Entry, Fold, LEAD};
pub(crate) use find::{Begin, Needle, Sought, Spot};

use crate::{
    text::{Role, Row},
    theme::{Sign, Theme},
};
use live::Live;
use scroll::Top;
pub(crate) use scroll::Way;

/// The most entries that are kept; older ones are in the log.
const ENTRIES_MAX: usize = 20_000;
/// How many are dropped at once when there are more.
const ENTRIES_DROPPED: usize = 1_000;
/// The most text of an answer that is shown while it streams. Unit: bytes.
const STREAM_MAX: usize = 256 * 1024;

/// The transcript of a run, session after session.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    entries: Vec<Entry>,
    phrases: Phrases,
    /// The answer that streams in.
    stream: Option<Entry>,
    /// The command that runs, with the last lines of what it prints.
    live: Option<Live>,
    session: Option<SessionId>,
    turn: u32,
    top: Top,
    selected: Option<usize>,
    /// The words that are marked.
    needle: Option<Needle>,
    /// The entry and the row where they were found last.
    hit: Option<(usize, usize)>,
    /// Entries that came while the person looks elsewhere.
    unseen: usize,
    size: Size,
    theme: Theme,
    window: Vec<SeenRow>,
}

/// The room for the transcript.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Columns for text and marks.
    pub(crate) columns: usize,
    /// Rows.
    pub(crate) rows: usize,
}

/// A row of the transcript as it is painted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeenRow {
    /// The text.
    pub(crate) row: Row,
    /// Whether it belongs to the entry that is selected.
    pub(crate) is_selected: bool,
}

impl Transcript {
    pub(crate) fn new(theme: Theme) -> Self {
        Self {
            theme,
            ..Self::default()
        }
    }

    /// Takes another theme.
    pub(crate) fn paint_with(&mut self, theme: Theme) {
        self.theme = theme;
        self.entries.iter_mut().for_each(Entry::forget_layout);
    }

    /// Whether nothing was said yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds what there is to say about an event that happened now.
    pub(crate) fn take(&mut self, event: &Event, at: Timestamp) {
        self.phrases.at(at);
        match event {
            Event::SessionOpened(opened) => self.session = Some(opened.session),
            Event::TurnStarted { turn } => self.turn = turn.0,
            Event::ModelResponded(_) => self.stream = None,
            Event::CallJudged { call, action, .. } => self.begin_live(*call, action.as_ref()),
            Event::CallEnded { call, .. } => self.end_live(*call),
            Event::SessionEnded { .. } => self.live = None,
            Event::ModelFailed { .. } | Event::RunEnded { .. } => self.cut_stream(),
            _ => {}
        }
        let sign = sign_of(event);
        let call = match event {
            Event::CallEnded { call, .. } => Some(*call),
            _ => None,
        };
        let lines = self.phrases.say(event);
        let last = lines.len().saturating_sub(1);
        for (at, line) in lines.into_iter().enumerate() {
            // What is said of a session on the way to the end is no end of its own.
            let is_about = at == last || !matches!(event, Event::RunEnded { .. });
            let sign = sign.filter(|_| is_about);
            let fold = self.fold_of(&line, call);
            self.push(Entry::new(line, sign, fold, self.turn));
        }
    }

    /// Adds a line that comes from no event, or one for people who look at nothing but the screen.
    pub(crate) fn say(&mut self, who: Who, sign: Option<Sign>, text: &str) {
        let cleaned = clean(text);
        let mut lines = cleaned.lines().map(str::to_owned);
        let line = Line {
            who,
            text: lines.next().unwrap_or_default(),
            more: lines.collect(),
        };
        self.push(Entry::new(line, sign, Fold::Never, self.turn));
    }

    /// Adds a piece of the answer that streams in.
    pub(crate) fn stream(&mut self, delta: &ModelDelta) {
        let text = match delta {
            ModelDelta::Text(text) => text,
            ModelDelta::Printed { call, text } => return self.print(*call, text),
            _ => return,
        };
        let turn = self.turn;
        let entry = self.stream.get_or_insert_with(|| Entry::streaming(turn));
        entry.append(&clean(text), STREAM_MAX);
    }

    /// What streamed in and was never whole stays, marked: it was shown, and it does not count.
    fn cut_stream(&mut self) {
        if let Some(mut entry) = self.stream.take() {
            entry.mark_cut();
            self.push(entry);
        }
    }

    /// Refusals, questions and words are never folded.
    fn fold_of(&self, line: &Line, call: Option<CallId>) -> Fold {
        match (line.who, call, self.session) {
            (Who::Tool, Some(call), Some(session)) => Fold::detail(session, call),
            (Who::Tool | Who::Gate | Who::Checkpoint, ..) if !line.more.is_empty() => {
                Fold::closed()
            }
            _ => Fold::Never,
        }
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() >= ENTRIES_MAX {
            self.entries.drain(..ENTRIES_DROPPED);
            self.top.shift(ENTRIES_DROPPED);
            self.hit = None;
            self.selected = self
                .selected
                .map(|selected| selected.saturating_sub(ENTRIES_DROPPED));
        }
        if self.top != Top::Follow {
            self.unseen += 1;
        }
        self.entries.push(entry);
    }

    /// Returns how many entries came below what is shown.
    pub(crate) fn unseen(&self) -> usize {
        self.unseen
    }

    /// Whether the end is shown and stays shown.
    pub(crate) fn is_following(&self) -> bool {
        self.top == Top::Follow
    }

    /// Returns the rows that are seen, as they were arranged.
    pub(crate) fn window(&self) -> &[SeenRow] {
        &self.window
    }

    /// Unfolds the selected entry, or folds it again; the call whose detail is wanted, if it has one.
    pub(crate) fn toggle(&mut self) -> Option<(SessionId, CallId)> {
        let selected = self.selected?;
        let wanted = self.entries.get_mut(selected)?.toggle();
        self.keep_in_sight(selected);
        wanted
    }

    /// Whether the selected entry can be unfolded.
    pub(crate) fn can_toggle(&self) -> bool {
        let selected = self.selected.and_then(|at| self.entries.get(at));
        selected.is_some_and(Entry::can_toggle)
    }

    /// Puts in what was asked for when an entry was unfolded.
    pub(crate) fn fill(&mut self, session: SessionId, call: CallId, rows: &[Row]) {
        let wanted = |entry: &&mut Entry| entry.waits_for(session, call);
        if let Some(entry) = self.entries.iter_mut().rev().find(wanted) {
            entry.fill(rows.to_vec());
        }
    }

    /// Lays out the rows that are seen.
    pub(crate) fn arrange(&mut self, size: Size) {
        if self.size.columns != size.columns {
            self.entries.iter_mut().for_each(Entry::forget_layout);
        }
        self.size = size;
        self.settle_top();
        let (first, skip) = self.top_row();
        let mut window = Vec::with_capacity(size.rows);
        let mut skip = skip;
        for index in first..self.len() {
            let is_selected = self.selected == Some(index);
            let rows = self.rows(index);
            window.extend(rows.iter().skip(skip).map(|row| SeenRow {
                row: row.clone(),
                is_selected,
            }));
            skip = 0;
            if window.len() >= size.rows {
                break;
            }
        }
        window.truncate(size.rows);
        if let Some(needle) = &self.needle {
            for seen in &mut window {
                seen.row = needle.mark(&seen.row);
            }
        }
        self.window = window;
    }

    /// Returns the number of entries, the streaming one included.
    fn len(&self) -> usize {
        self.entries.len() + usize::from(self.stream.is_some() || self.is_live_seen())
    }

    fn rows(&mut self, index: usize) -> &[Row] {
        let (columns, theme) = (self.size.columns, self.theme);
        match self.entries.get_mut(index) {
            Some(entry) => entry.rows(columns, theme),
            None => match (&mut self.stream, &mut self.live) {
                (Some(entry), _) => entry.rows(columns, theme),
                (None, Some(live)) => live.rows(columns, theme),
                (None, None) => &[],
            },
        }
    }

    fn height(&mut self, index: usize) -> usize {
        self.rows(index).len()
    }
}

/// Returns the mark that an event's line begins with.
fn sign_of(event: &Event) -> Option<Sign> {
    use harness_core::{CheckStatus, Decision, FeatureStatus, ReviewVerdict};
    match event {
        Event::CallJudged { verdict, .. } if verdict.decision == Decision::Deny => Some(Sign::Bad),
        Event::StrayUndone { .. }
        | Event::ManifestShort { .. }
        | Event::FinishRefused { .. }
        | Event::CheckpointFailed { .. }
        | Event::BaselineFailed { .. }
        | Event::CandidateFailed { .. }
        | Event::CommitFailed { .. }
        | Event::OpenFailed { .. }
        | Event::JobEnded {
            end: harness_core::JobEnd::Failed { .. },
            ..
        }
        | Event::SetupEnded {
            end: harness_core::SetupEnd::Failed,
            ..
        } => Some(Sign::Bad),
        Event::Formatted(formatted) if !formatted.problem.is_empty() => Some(Sign::Bad),
        Event::CheckEnded { report } | Event::BaselineEnded { report, .. } => {
            Some(match report.status {
                CheckStatus::Green => Sign::Good,
                CheckStatus::Red | CheckStatus::Error | CheckStatus::Timeout => Sign::Bad,
            })
        }
        Event::Reviewed(review) => Some(match review.verdict {
            ReviewVerdict::Approved => Sign::Good,
            ReviewVerdict::Refused => Sign::Bad,
            ReviewVerdict::Failed => Sign::Needed,
        }),
        Event::FeaturePassed(_) => Some(Sign::Good),
        Event::FeatureStatusChanged { to, .. } => match to {
            FeatureStatus::Passing | FeatureStatus::Accepted => Some(Sign::Good),
            FeatureStatus::NeedsHuman => Some(Sign::Needed),
            FeatureStatus::Failing => Some(Sign::Bad),
            _ => None,
        },
        Event::RewindRefused { .. } => Some(Sign::Bad),
        Event::WorkBroughtBack { message, .. } if !message.is_empty() => Some(Sign::Needed),
        Event::QuestionAsked { .. }
        | Event::PersonAwaited
        | Event::ApprovalAsked(_)
        | Event::FeaturesProposed { .. }
        | Event::FeatureGivenUp { .. } => Some(Sign::Needed),
        Event::RunEnded { reason, .. } => Some(if reason.exit_code() == 0 {
            Sign::Good
        } else {
            Sign::Needed
        }),
        _ => None,
    }
}

/// Returns the role of the word at the beginning of an entry.
pub(crate) const fn role_of(who: Who) -> Role {
    match who {
        Who::You => Role::Strong,
        Who::Ask => Role::Needed,
        Who::Guard => Role::Bad,
        _ => Role::Quiet,
    }
}
