//! The feature list: read, checked, changed, and written back in its own shape.
//!
//! A list is kept twice: as the JSON value of the file, with unknown fields and
//! their order, and as typed features. Whether a feature that says it passes
//! has proof is not decided here but with its evidence. The runner owns the
//! file; commands add to it.

mod error;
mod field;
mod graph;
mod native;
mod shape;

use std::cmp::Reverse;

use harness_core::{Feature, FeatureId, FeatureStatus, Goal};
use serde_json::Value;

pub use error::ListError;

use crate::canonical;

/// The text of a list without features.
pub const EMPTY_LIST: &str = "{\n  \"schema\": 1,\n  \"features\": []\n}\n";

/// The largest file read. Unit: bytes.
pub const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most features a list may have.
pub const FEATURES_MAX: usize = 10_000;

/// A feature list: its file's value and the features in it.
#[derive(Clone, Debug)]
pub struct FeatureList {
    shape: Shape,
    value: Value,
    features: Vec<Feature>,
    /// The file's text while nothing has been changed.
    text: Option<String>,
}

/// The forms of the file that can be read and written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// An object with `schema` and `features`.
    Native,
    /// An array of entries with `category`, `description`, `steps` and `passes`.
    Bare,
}

impl FeatureList {
    /// Reads a list: the native shape, or a bare array of `{category, description, steps, passes}`.
    ///
    /// Entries of a bare array without `id` are named by their place: `F-001`.
    ///
    /// # Errors
    /// When the text is too large, is no JSON, has another shape or a newer
    /// schema, when a field has the wrong type, an id is illegal or given twice,
    /// or dependencies are missing or go in a circle.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        let (shape, value) = shape::read(text)?;
        let features = shape::features(shape, &value)?;
        graph::check(&features)?;
        Ok(Self {
            shape,
            value,
            features,
            text: Some(text.to_owned()),
        })
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
    /// A bare array has no place for the status: there only `passes` is written.
    ///
    /// # Errors
    /// When the list has no feature of this id.
    pub fn set_status(&mut self, id: &FeatureId, status: FeatureStatus) -> Result<(), ListError> {
        let unknown = || ListError::UnknownFeature { id: id.clone() };
        let index = self.features.iter().position(|feature| feature.id == *id);
        let index = index.ok_or_else(unknown)?;
        self.features[index].status = status;
        if shape::write_status(self.shape, &mut self.value, index, status) {
            self.text = None;
        }
        Ok(())
    }

    /// Adds a feature at the end.
    ///
    /// # Errors
    /// When its id is taken, a dependency does not exist, the list is full, or
    /// the file's shape has no place for one of its fields.
    pub fn add(&mut self, feature: &Feature) -> Result<(), ListError> {
        if self.features.len() == FEATURES_MAX {
            return Err(ListError::TooMany);
        }
        let place = self.features.len();
        let entry = shape::entry(self.shape, feature, place)?;
        let mut features = self.features.clone();
        // Read back, so that it is what the next reader of the file will see.
        features.push(shape::feature(self.shape, &entry, place)?);
        graph::check(&features)?;
        self.features = features;
        shape::push(self.shape, &mut self.value, entry);
        self.text = None;
        Ok(())
    }

    /// Returns the id that follows the highest one of the form `F-001`.
    pub fn next_id(&self) -> FeatureId {
        const PREFIX: &str = "F-";
        let (number, width) = self
            .features
            .iter()
            .filter_map(|feature| feature.id.as_str().strip_prefix(PREFIX))
            .filter(|digits| digits.len() <= 18)
            .filter_map(|digits| Some((digits.parse::<u64>().ok()?, digits.len())))
            .max()
            .unwrap_or((0, 3));
        shape::numbered(number + 1, width)
    }

    /// Returns the file's text: unchanged to the byte when nothing was changed, else JSON with
    /// an indent of two and a newline at the end, unknown fields and the order of all kept.
    pub fn render(&self) -> String {
        self.text
            .clone()
            .unwrap_or_else(|| format!("{:#}\n", self.value))
    }
}

/// Returns the SHA-256 of a feature's intent, in hexadecimal: of all but status and priority.
///
/// It is taken from canonical JSON of the fields that are not empty, in the
/// native shape, so it does not depend on the shape of the file.
pub fn intent_hash(feature: &Feature) -> String {
    canonical::value_hash(Value::Object(native::intent(feature)))
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
        Goal::One { feature: id } | Goal::Task { feature: id } => feature.id == *id,
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
