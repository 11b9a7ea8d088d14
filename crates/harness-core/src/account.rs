//! What a run remembers of its limits from one session to the next: money by feature, what
//! was warned of, and the notes that were handed over.
//!
//! Nothing is decided here; the engine fills it from events and holds it to the limits.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{FeatureId, Money, Usage};

/// A limit that can be nearly used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// What the run may cost.
    RunUsd,
    /// What a session may cost.
    SessionUsd,
    /// What the work on a feature may cost.
    FeatureUsd,
    /// What all runs of a day may cost.
    DayUsd,
    /// Model requests of a session.
    Turns,
    /// How long the run may take.
    RunMinutes,
    /// How long a feature may be worked on.
    FeatureMinutes,
    /// Red finishes of a feature.
    Attempts,
}

impl LimitKind {
    /// Returns the word of the log and of JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunUsd => "run_usd",
            Self::SessionUsd => "session_usd",
            Self::FeatureUsd => "feature_usd",
            Self::DayUsd => "day_usd",
            Self::Turns => "turns",
            Self::RunMinutes => "run_minutes",
            Self::FeatureMinutes => "feature_minutes",
            Self::Attempts => "attempts",
        }
    }

    /// Whether it is a limit of the run or the day, so that one warning does for all its sessions.
    pub const fn is_of_run(self) -> bool {
        matches!(self, Self::RunUsd | Self::DayUsd | Self::RunMinutes)
    }
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a request used that did not end with a whole answer, or that was no turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Its tokens.
    pub usage: Usage,
    /// What they cost; absent when the price is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Whether the tokens are estimated, because the provider had not said all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// A note that one session leaves to the next about its feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOverNote {
    /// The feature.
    pub feature: FeatureId,
    /// The note.
    pub text: String,
}

/// The account of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What the closed sessions of each feature have cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    features: Vec<(FeatureId, Money)>,
    /// The limits of run and day that were warned of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warned: Vec<LimitKind>,
    /// The newest note about each feature that has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<HandOverNote>,
}

impl Account {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what the closed sessions of a feature have cost.
    pub fn of_feature(&self, feature: &FeatureId) -> Money {
        let mut known = self.features.iter();
        known
            .find(|(id, _)| id == feature)
            .map(|(_, spent)| *spent)
            .unwrap_or_default()
    }

    /// Adds what a session of a feature has cost.
    pub fn add(&mut self, feature: &FeatureId, cost: Money) {
        if cost == Money(0) {
            return;
        }
        match self.features.iter_mut().find(|(id, _)| id == feature) {
            Some((_, spent)) => *spent = *spent + cost,
            None => self.features.push((feature.clone(), cost)),
        }
    }

    /// Forgets what was paid and warned of; notes stay.
    pub fn forget_spent(&mut self) {
        self.features.clear();
        self.warned.clear();
    }

    /// Remembers that a limit was warned of; one of a session is its own matter.
    pub fn warn(&mut self, limit: LimitKind) {
        if limit.is_of_run() && !self.warned.contains(&limit) {
            self.warned.push(limit);
        }
    }

    /// Returns the newest note about a feature.
    pub fn note_about(&self, feature: &FeatureId) -> Option<&str> {
        let mut notes = self.notes.iter();
        notes
            .find(|note| note.feature == *feature)
            .map(|note| note.text.as_str())
    }

    /// Forgets the note about a feature: it tells of work that is done.
    pub fn forget_note(&mut self, feature: &FeatureId) {
        self.notes.retain(|known| known.feature != *feature);
    }

    /// Keeps a note about a feature in place of an earlier one.
    pub fn keep_note(&mut self, note: HandOverNote) {
        self.forget_note(&note.feature);
        self.notes.push(note);
    }
}
