//! Names of git objects, as data: this crate never opens a repository.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A text that is not the hexadecimal name of a SHA-1 object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an object id of 40 hexadecimal digits")]
pub struct ObjectIdError(String);

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the 40 lower-case hexadecimal digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the first ten digits, for people.
            pub fn short(&self) -> &str {
                &self.0[..10]
            }
        }

        impl FromStr for $name {
            type Err = ObjectIdError;

            fn from_str(value: &str) -> Result<Self, ObjectIdError> {
                let hex = value.len() == 40 && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                if hex { Ok(Self(value.to_owned())) } else { Err(ObjectIdError(value.to_owned())) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = ObjectIdError;

            fn try_from(value: String) -> Result<Self, ObjectIdError> {
                value.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.short())
            }
        }
    };
}

object_id! {
    /// Names a tree object.
    TreeId
}
object_id! {
    /// Names a commit object.
    CommitId
}
object_id! {
    /// Names a blob object.
    BlobId
}
