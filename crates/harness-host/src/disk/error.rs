//! Why a file could not be read, listed, searched or written.

use std::io;

use harness_core::{ByteCount, RepoPath};

/// A disk access that was not done, or not completed; a failed write left the old file in place.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Nothing is there.
    #[error("`{path}` does not exist")]
    NotFound {
        /// What was looked for.
        path: RepoPath,
    },
    /// A symbolic link stands at the path or on the way to it; it was not followed.
    #[error("`{link}` is a link to `{}`", String::from_utf8_lossy(target))]
    IsLink {
        /// The link itself.
        link: RepoPath,
        /// Where it leads, as stored in it.
        target: Vec<u8>,
        /// The whole path with the link followed lexically; absent when it leaves the repository.
        resolved: Option<RepoPath>,
    },
    /// A folder is there where a file was wanted.
    #[error("`{path}` is a folder")]
    IsFolder {
        /// The path.
        path: RepoPath,
    },
    /// A file is there where a folder was wanted.
    #[error("`{path}` is not a folder")]
    NotFolder {
        /// The path.
        path: RepoPath,
    },
    /// A pipe, socket or device is there.
    #[error("`{path}` is not a regular file")]
    NotRegular {
        /// The path.
        path: RepoPath,
    },
    /// Something stands where a file was to be put.
    #[error("`{path}` exists already")]
    Exists {
        /// The path.
        path: RepoPath,
    },
    /// A folder that was to be removed holds something.
    #[error("`{path}` is a folder that is not empty")]
    NotEmpty {
        /// The folder.
        path: RepoPath,
    },
    /// The file is larger than was asked for.
    #[error("`{path}` has {size}, more than the {max} that are read")]
    TooLarge {
        /// The file.
        path: RepoPath,
        /// Its size.
        size: ByteCount,
        /// The bound.
        max: ByteCount,
    },
    /// The file is not what the writer expected; it was left as it is.
    #[error("`{path}` was changed since it was last read")]
    Stale {
        /// The file.
        path: RepoPath,
    },
    /// The query is no regular expression, or one that would grow too large.
    #[error("`{query}` is not a regular expression that can be searched for")]
    Query {
        /// The expression.
        query: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The pattern of files to search is none.
    #[error("`{glob}` is not a pattern of files")]
    Glob {
        /// The pattern.
        glob: String,
        /// What is wrong with it.
        #[source]
        source: ignore::Error,
    },
    /// The permit is for another kind of action.
    #[error("the permit for `{path}` does not allow this access")]
    NotPermitted {
        /// The path that the permit names.
        path: RepoPath,
    },
    /// The system refused or failed.
    #[error("cannot {attempt} `{path}`")]
    Io {
        /// What was attempted, such as `open`.
        attempt: &'static str,
        /// On what; the folder's own path when a repository is opened.
        path: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

impl DiskError {
    pub(crate) fn io(attempt: &'static str, path: &RepoPath, source: impl Into<io::Error>) -> Self {
        Self::Io {
            attempt,
            path: path.to_string(),
            source: source.into(),
        }
    }
}
