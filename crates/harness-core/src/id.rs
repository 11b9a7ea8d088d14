//! Typed ids, so that a session can never be passed where a run is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An id that does not have the form its kind requires.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} id `{value}` must match {form}")]
pub struct IdError {
    kind: &'static str,
    form: &'static str,
    value: String,
}

/// Declares an id made of a prefix and a number of at least four digits.
macro_rules! numbered_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u32);

        impl $name {
            /// Names the `number`th of its kind, counted from 1.
            pub const fn new(number: u32) -> Self {
                Self(number)
            }

            /// Returns the number behind the prefix.
            pub const fn number(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "-{:04}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(value: &str) -> Result<Self, IdError> {
                value
                    .strip_prefix(concat!($prefix, "-"))
                    .filter(|digits| digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
                    .and_then(|digits| digits.parse().ok())
                    .map(Self)
                    .ok_or_else(|| IdError {
                        kind: $kind,
                        form: concat!("`", $prefix, "-0001`"),
                        value: value.to_owned(),
                    })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(value: String) -> Result<Self, IdError> {
                value.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

numbered_id! {
    /// Names one session of a repository: one agent with one fresh context.
    SessionId, "S", "session"
}
numbered_id! {
    /// Names one run of a repository: what one `harness run` started.
    RunId, "R", "run"
}
numbered_id! {
    /// Names one question to a person that an agent of this repository has asked.
    QuestionId, "Q", "question"
}

/// Names one entry of the feature list.
///
/// Matches `[A-Za-z0-9._-]{1,64}` and is neither `.` nor `..`, so that it can
/// be a file name and a trailer value without quoting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeatureId(String);

impl FeatureId {
    /// Parses an id as it stands in a feature list.
    ///
    /// # Errors
    /// When `value` does not have the documented form.
    pub fn new(value: impl Into<String>) -> Result<Self, IdError> {
        let value = value.into();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let well_formed = (1..=64).contains(&value.len()) && value.bytes().all(legal);
        if well_formed && value != "." && value != ".." {
            Ok(Self(value))
        } else {
            Err(IdError {
                kind: "feature",
                form: "`[A-Za-z0-9._-]{1,64}`",
                value,
            })
        }
    }

    /// Names the `number`th task typed on the command line: `T-0001`.
    pub fn task(number: u32) -> Self {
        Self(format!("T-{number:04}"))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeatureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for FeatureId {
    type Err = IdError;

    fn from_str(value: &str) -> Result<Self, IdError> {
        Self::new(value)
    }
}

impl TryFrom<String> for FeatureId {
    type Error = IdError;

    fn try_from(value: String) -> Result<Self, IdError> {
        Self::new(value)
    }
}

impl From<FeatureId> for String {
    fn from(id: FeatureId) -> Self {
        id.0
    }
}

/// Names one tool call inside a session, in the harness's own numbering.
///
/// Models repeat or forget their ids; this one is the turn and the place of
/// the call in the response, and is unique in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId {
    /// The turn whose response asked for the call.
    pub turn: TurnNumber,
    /// The place among the calls of that response, counted from 0.
    pub index: u32,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.turn.0, self.index)
    }
}

/// Counts the model requests of a session, from 1; a retried request keeps its number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TurnNumber(pub u32);

impl TurnNumber {
    /// Returns the turn after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for TurnNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Counts the checkpoints of a session; 0 is the state before its first turn.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CheckpointNumber(pub u32);

impl CheckpointNumber {
    /// Returns the number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for CheckpointNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_ids_round_trip_and_refuse_other_forms() {
        assert_eq!(SessionId::new(7).to_string(), "S-0007");
        assert_eq!("S-0007".parse(), Ok(SessionId::new(7)));
        assert_eq!("S-123456".parse(), Ok(SessionId::new(123_456)));
        for wrong in ["S-7", "R-0007", "S-00x7", "s-0007", "", "S-+007"] {
            assert!(wrong.parse::<SessionId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn feature_ids_can_be_file_names() {
        for right in ["F-012", "a", "login.v2", "X_1"] {
            assert!(FeatureId::new(right).is_ok(), "{right}");
        }
        for wrong in ["", "..", ".", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(FeatureId::new(wrong).is_err(), "{wrong}");
        }
    }
}
