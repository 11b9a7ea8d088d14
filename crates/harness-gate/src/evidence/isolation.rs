//! What a proof was made on, and what of the work tree could have been in it.

use harness_core::Level;
use serde::{Deserialize, Serialize};

/// Where gates ran, and what kept the work tree from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// On a checkout at the repository's own path, with the work tree out of sight.
    RepositoryPath,
    /// On a checkout at a path of its own; the kernel refuses to read the work tree.
    OwnPath,
    /// On a checkout at a path of its own; nothing refuses to read the work tree.
    Unenforced,
    /// In the work tree itself.
    WorkTree,
}

impl Isolation {
    /// Says how gates run: `isolate` is the configuration's word, `level` what is enforced.
    pub const fn of(isolate: bool, level: Level) -> Self {
        match (isolate, level) {
            (false, _) => Self::WorkTree,
            (true, Level::Namespaces) => Self::RepositoryPath,
            (true, Level::Landlock) => Self::OwnPath,
            (true, Level::External | Level::None) => Self::Unenforced,
        }
    }

    /// Returns the half of a sentence that says it: "gates run ...".
    pub const fn as_words(self) -> &'static str {
        match self {
            Self::RepositoryPath => {
                "on a clean checkout at the repository's own path, the work tree out of sight"
            }
            Self::OwnPath => "on a clean checkout at a path of its own, the work tree not readable",
            Self::Unenforced => {
                "on a clean checkout, and nothing keeps them from reading the work tree"
            }
            Self::WorkTree => "in the work tree, not isolated",
        }
    }
}
