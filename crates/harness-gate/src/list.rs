//! The feature list: read, checked, changed, and written back in its own shape.
//!
//! People and other tools own the file as well, so a list is kept as its text
//! and as typed features, and a change touches the bytes of what it changes and
//! no others. Whether a feature that says it passes has proof is not decided
//! here but with its evidence; what a shape has no place for is kept by the
//! caller. The runner owns the file during a run; commands add to it.

mod error;
mod field;
mod foreign;
mod graph;
pub mod intent;
mod json;
mod markdown;
mod merge;
mod native;
mod shape;

use std::{cmp::Reverse, collections::HashMap, ops::Range};

use harness_core::{Feature, FeatureId, FeatureStatus, Goal, RepoPath};

pub use error::ListError;
pub use merge::{Clash, Merged, merge};
pub use shape::Shape;

/// The text of a list without features.
pub const EMPTY_LIST: &str = "{\n  \"schema\": 1,\n  \"features\": []\n}\n";
const EMPTY_STORIES: &str = "{\n  \"userStories\": []\n}\n";
const EMPTY_MARKDOWN: &str = "# Features\n";

/// The largest file read. Unit: bytes.
pub const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most features a list may have.
pub const FEATURES_MAX: usize = 10_000;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A feature list: its file's text and the features in it.
#[derive(Clone, Debug)]
pub struct FeatureList {
    shape: Shape,
    /// The text behind the byte order mark.
    text: String,
    has_mark: bool,
    features: Vec<Feature>,
    /// Where the entry of each feature stands in the text.
    places: Vec<Range<usize>>,
}

/// Returns the text of a list without features, in the shape that a file of this name has.
pub fn empty(path: &RepoPath) -> &'static str {
    if is_markdown(path) {
        EMPTY_MARKDOWN
    } else if path.to_text().ends_with("prd.json") {
        EMPTY_STORIES
    } else {
        EMPTY_LIST
    }
}

/// Whether a file of this name is read by people first: without words it is a list without features.
pub fn is_markdown(path: &RepoPath) -> bool {
    let name = path.to_text().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    matches!(ending, Some("md" | "markdown" | "txt"))
}

impl FeatureList {
    /// Reads a list: the native shape, a bare array of `{category, description, steps, passes}`,
    /// an object with `userStories`, or checkboxes in Markdown.
    ///
    /// Entries without an id are named by their place: `F-001`.
    ///
    /// # Errors
    /// When the text is too large, is neither, has a newer schema, or is a merge
    /// that nobody has settled; when a field has the wrong type, an id is illegal
    /// or given twice, or dependencies are missing or go in a circle.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        let (has_mark, text) = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (shape, found) = shape::read(text)?;
        let (features, places): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        graph::check(&features)?;
        Ok(Self {
            shape,
            text: text.to_owned(),
            has_mark,
            features,
            places,
        })
    }

    /// Returns the shape of the file.
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// Returns the features in the order of the file, with the status that stands there.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Returns the feature of this id.
    pub fn find(&self, id: &FeatureId) -> Option<&Feature> {
        self.features.iter().find(|feature| feature.id == *id)
    }

    /// Sets a feature's status, and with it `passes`.
    ///
    /// Only the native shape has a place for the status: in the others only
    /// whether it passes is written.
    ///
    /// # Errors
    /// When the list has no feature of this id.
    pub fn set_status(&mut self, id: &FeatureId, status: FeatureStatus) -> Result<(), ListError> {
        let place = self.place(id)?;
        self.features[place].status = status;
        let before = self.text.len();
        let entry = self.places[place].clone();
        if shape::write_status(self.shape, &mut self.text, &entry, status) {
            let moved = |at: usize| (at + self.text.len()) - before;
            let end = entry.end;
            for at in &mut self.places {
                if at.start >= end {
                    at.start = moved(at.start);
                }
                if at.end >= end {
                    at.end = moved(at.end);
                }
            }
        }
        Ok(())
    }

    /// Says how features stand where the file has no place for it; a file that says one passes
    /// stands against all but a person's final word.
    pub fn overlay(&mut self, statuses: &HashMap<FeatureId, FeatureStatus>) {
        if self.shape.keeps_status() {
            return;
        }
        for feature in &mut self.features {
            let Some(status) = statuses.get(&feature.id) else {
                continue;
            };
            let is_final = matches!(status, FeatureStatus::Accepted | FeatureStatus::Cancelled);
            if is_final || feature.status != FeatureStatus::Passing {
                feature.status = *status;
            }
        }
    }

    /// Adds a feature at the end; in Markdown under the heading of its category.
    ///
    /// # Errors
    /// When its id is taken, a dependency does not exist, the list is full, or
    /// the file's shape has no place for one of its fields.
    pub fn add(&mut self, feature: &Feature) -> Result<(), ListError> {
        if self.features.len() == FEATURES_MAX {
            return Err(ListError::TooMany);
        }
        if let Some(place) = self
            .features
            .iter()
            .position(|other| other.id == feature.id)
        {
            return Err(ListError::Duplicate {
                id: feature.id.clone(),
                first: place + 1,
                second: self.features.len() + 1,
            });
        }
        let text = shape::add(self.shape, &self.text, feature, &self.features)?;
        self.take(&text, feature)
    }

    /// Changes the intent of the feature of this id to that of `new`; its status stays.
    ///
    /// # Errors
    /// When the list has no feature of this id, a dependency does not exist or
    /// goes in a circle, or the file's shape has no place for one of its fields.
    pub fn amend(&mut self, new: &Feature) -> Result<(), ListError> {
        let place = self.place(&new.id)?;
        let old = &self.features[place];
        let mut new = new.clone();
        if self.shape == Shape::Bare && new.title == old.title && new.description != old.description
        {
            // There the first line of the description is the title.
            let first = native::first_line(&new.description).map(str::to_owned);
            new.title = first.unwrap_or(new.title);
        }
        let text = shape::amend(
            self.shape,
            &self.text,
            place,
            &self.places[place],
            old,
            &new,
        )?;
        self.take(&text, &new)
    }

    /// Sets a feature's priority: higher is earlier.
    ///
    /// # Errors
    /// When the list has no feature of this id, or the file's shape has no place for a priority.
    pub fn set_priority(&mut self, id: &FeatureId, priority: i64) -> Result<(), ListError> {
        let place = self.place(id)?;
        let wanted = self.features[place].clone();
        let entry = self.places[place].clone();
        let text = shape::prioritize(self.shape, &self.text, &entry, (id, priority))?;
        self.take(&text, &wanted)
    }

    /// Returns the id that follows the highest one that is written as the last one is: `F-001`.
    pub fn next_id(&self) -> FeatureId {
        let ids = || self.features.iter().map(|feature| feature.id.as_str());
        let split = |id: &'_ str| {
            id.trim_end_matches(|char: char| char.is_ascii_digit())
                .len()
        };
        let is_prefix = |prefix: &&str| {
            let letters = prefix.strip_suffix(['-', '_']).unwrap_or(prefix);
            (1..=16).contains(&letters.len())
                && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
        };
        let mut prefixes = ids()
            .rev()
            .filter(|id| split(id) < id.len())
            .map(|id| &id[..split(id)]);
        let prefix = prefixes.find(is_prefix).unwrap_or("F-");
        let (number, width) = ids()
            .filter_map(|id| id.strip_prefix(prefix))
            .filter(|digits| digits.len() <= 18)
            .filter_map(|digits| Some((digits.parse::<u64>().ok()?, digits.len())))
            .max()
            .unwrap_or((0, 3));
        shape::with_number(prefix, number + 1, width)
    }

    /// Returns the file's text: all but what was changed is as it was, to the byte.
    pub fn render(&self) -> String {
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        format!("{mark}{}", self.text)
    }

    /// Takes a changed text over when it says of `wanted` what it should.
    fn take(&mut self, text: &str, wanted: &Feature) -> Result<(), ListError> {
        let mut read = Self::parse(text)?;
        let not_kept = || ListError::NotKept {
            id: wanted.id.clone(),
            shape: self.shape.name(),
        };
        let mut wanted = wanted.clone();
        let found = read.find(&wanted.id).ok_or_else(not_kept)?;
        if self.shape == Shape::Bare && wanted.description.is_empty() {
            wanted.description.clone_from(&wanted.title);
        }
        if self.shape == Shape::Markdown && wanted.category.is_empty() {
            // It stands under somebody's heading.
            wanted.category.clone_from(&found.category);
        }
        if !intent::differences(&intent::fields(&wanted), &intent::fields(found)).is_empty() {
            return Err(not_kept());
        }
        // What the file has no place for is as it was.
        let statuses = self.features.iter();
        let statuses = statuses.map(|feature| (feature.id.clone(), feature.status));
        read.overlay(&statuses.collect());
        read.has_mark = self.has_mark;
        *self = read;
        Ok(())
    }

    fn place(&self, id: &FeatureId) -> Result<usize, ListError> {
        let place = self.features.iter().position(|feature| feature.id == *id);
        place.ok_or_else(|| ListError::UnknownFeature { id: id.clone() })
    }
}

/// Returns the SHA-256 of a feature's intent, in hexadecimal: of all but status and priority.
///
/// It is taken from canonical JSON of the fields that are not empty, in the
/// native shape, so it does not depend on the shape of the file.
pub fn intent_hash(feature: &Feature) -> String {
    intent::hash(&intent::fields(feature))
}

/// Returns the feature to work on next.
///
/// It is open, is not in `skip`, and depends only on settled features; of
/// several the one with the highest priority, of these the first in the list.
/// A goal that names a feature allows no other.
pub fn next_feature<'a>(
    features: &'a [Feature],
    goal: &Goal,
    skip: &[FeatureId],
) -> Option<&'a Feature> {
    let wanted = |feature: &Feature| match goal {
        Goal::All => true,
        goal => goal.feature() == Some(&feature.id),
    };
    let is_settled = |id: &FeatureId| {
        let dependency = features.iter().find(|feature| feature.id == *id);
        dependency.is_some_and(|dependency| dependency.status.is_settled())
    };
    features
        .iter()
        .filter(|feature| wanted(feature) && feature.status.is_open())
        .filter(|feature| !skip.contains(&feature.id))
        .filter(|feature| feature.depends_on.iter().all(is_settled))
        .min_by_key(|feature| Reverse(feature.priority))
}

#[cfg(test)]
mod tests;
