//! Why a feature list cannot be read or changed.

use harness_core::FeatureId;

/// Why a feature list cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The file is larger than [`LIST_BYTES_MAX`](super::LIST_BYTES_MAX).
    #[error("the feature list has {bytes} bytes, more than can be read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The list has more than [`FEATURES_MAX`](super::FEATURES_MAX) features.
    #[error("the feature list has more features than can be kept")]
    TooMany,
    /// The text is not JSON.
    #[error("cannot read the feature list, line {line}, column {column}: {message}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What was expected there.
        message: String,
    },
    /// A merge was left half done.
    #[error("the feature list holds a merge that nobody has settled, it begins in line {line}")]
    Conflict {
        /// The line of `<<<<<<<`, counted from 1.
        line: usize,
    },
    /// It is JSON of another shape.
    #[error("the feature list must be {expected}, found {found}")]
    Shape {
        /// What it should be.
        expected: &'static str,
        /// What is there instead.
        found: String,
    },
    /// It was written by a newer version.
    #[error("the feature list has schema {found}, this version reads schema 1")]
    Schema {
        /// The value of `schema`.
        found: String,
    },
    /// A field of a feature is not what it should be.
    #[error("cannot read field `{field}` of feature `{feature}`: {problem}")]
    Field {
        /// The feature's id, or `#` and its place counted from 1 where it has none.
        feature: String,
        /// The field, such as `budget.usd` or `steps[2]`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two features have the same id.
    #[error("feature `{id}` is in the list twice, as entries {first} and {second}")]
    Duplicate {
        /// The id.
        id: FeatureId,
        /// The place of the first one, counted from 1.
        first: usize,
        /// The place of the second one, counted from 1.
        second: usize,
    },
    /// A feature depends on one that is not in the list.
    #[error("feature `{feature}` depends on `{dependency}`, which is not in the list")]
    UnknownDependency {
        /// The feature.
        feature: FeatureId,
        /// What it depends on.
        dependency: FeatureId,
    },
    /// Features depend on each other in a circle.
    #[error("features depend on each other: {}", arrows(cycle))]
    Cycle {
        /// The circle, its first feature again at the end.
        cycle: Vec<FeatureId>,
    },
    /// The list has no feature of this id.
    #[error("the feature list has no feature `{id}`")]
    UnknownFeature {
        /// The id.
        id: FeatureId,
    },
    /// The file's shape has no place for a field.
    #[error("cannot write field `{field}` of feature `{id}`: {shape} has no place for it")]
    NoPlace {
        /// The feature.
        id: FeatureId,
        /// The shape, with its article.
        shape: &'static str,
        /// The field.
        field: &'static str,
    },
    /// What was written would not be read back as it was meant.
    #[error("cannot write feature `{id}`: {shape} would read it back as something else")]
    NotKept {
        /// The feature.
        id: FeatureId,
        /// The shape, with its article.
        shape: &'static str,
    },
}

fn arrows(cycle: &[FeatureId]) -> String {
    let names: Vec<_> = cycle.iter().map(|id| format!("`{id}`")).collect();
    names.join(" -> ")
}
