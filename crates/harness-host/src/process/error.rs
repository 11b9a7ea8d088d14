//! Why a process was not started.

use std::{io, path::PathBuf};

/// A process that was not started, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There is no program to start.
    #[error("the command is empty")]
    Empty,
    /// The program does not exist, is not executable, or its child could not be confined.
    #[error("cannot start `{program}`")]
    Program {
        /// Its name as given.
        program: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The working folder cannot be entered, or a link is on the way to it.
    #[error("cannot work in `{}`", path.display())]
    Cwd {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The repository's root or another folder of the plan cannot be opened.
    #[error("cannot open `{}` for the cage", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The kernel does not enforce what the plan's level promises.
    #[error("the level `landlock` cannot be enforced here")]
    Landlock {
        /// What Landlock says.
        #[source]
        source: landlock::RulesetError,
    },
    /// The list of forbidden system calls cannot be built for this machine.
    #[error("the level `landlock` cannot be enforced here")]
    Seccomp {
        /// What is missing.
        #[source]
        source: seccompiler::BackendError,
    },
    /// The cage cannot be built: the step that failed and the system's answer.
    #[error("the level `namespaces` cannot be enforced here")]
    Cage {
        /// What the cage's first process says.
        #[source]
        source: io::Error,
    },
    /// A pipe or a thread could not be made.
    #[error("cannot prepare a process")]
    Prepare {
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}
