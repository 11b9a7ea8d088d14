//! Finds out what the kernel enforces, by trying it.

use std::path::Path;

use harness_core::Level;

use super::{
    Attempt, AttemptError,
    attempt::{Step, try_steps},
};

/// The levels that are tried, strongest first.
pub const PROVABLE: [Level; 2] = [Level::Namespaces, Level::Landlock];

/// What is tried at every start: one process in one cage.
const ESSENTIAL: [Step; 4] = [
    Step::WriteInside,
    Step::IsFiltered,
    Step::Try(Attempt::WriteOutside),
    Step::Try(Attempt::ConnectTcp),
];

/// A level that this machine does not enforce.
#[derive(Debug, thiserror::Error)]
pub enum LevelError {
    /// Nothing is promised at this level.
    #[error("the level `{0}` promises nothing that could be proven")]
    Nothing(Level),
    /// Without the list of its children a helper cannot find what a command left behind.
    #[error("the kernel does not list the children of a process")]
    Children,
    /// Its cage could not be opened, or nothing could be started in it.
    #[error(transparent)]
    Untried(AttemptError),
    /// What a command has to be able to do failed, or what it must not be able to do worked.
    #[error("the level `{level}` does not hold: {what}")]
    Broken {
        /// The level.
        level: Level,
        /// What happened.
        what: String,
    },
}

/// Returns the strongest level that real attempts to break out of it proved.
///
/// Nothing is remembered: each call tries again. Blocks for some milliseconds.
pub fn probe_level() -> Level {
    let found = PROVABLE.into_iter().find(|level| is_enforced(*level));
    found.unwrap_or(Level::None)
}

/// Whether real attempts to break out of a level failed. Blocks for some milliseconds.
pub fn is_enforced(level: Level) -> bool {
    prove(level).is_ok()
}

/// Proves a level by attempts to break out of it; `none` and `external` promise nothing.
///
/// A short-lived process writes where it may, then where it may not, and connects to
/// a listener of this program. Blocks for some milliseconds.
///
/// # Errors
/// When its cage cannot be opened, or does not hold.
pub fn prove(level: Level) -> Result<(), LevelError> {
    if !PROVABLE.contains(&level) {
        return Err(LevelError::Nothing(level));
    }
    if level == Level::Landlock && !Path::new("/proc/thread-self/children").exists() {
        return Err(LevelError::Children);
    }
    let mut steps = ESSENTIAL.to_vec();
    if level == Level::Namespaces {
        steps.push(Step::Try(Attempt::ChangeModeOutside));
        steps.push(Step::Try(Attempt::WriteProtected));
    }
    let worked = try_steps(level, &steps);
    let worked = worked.map_err(LevelError::Untried)?;
    for (step, worked) in steps.into_iter().zip(worked) {
        let what = match step {
            Step::WriteInside if !worked => "a write inside the scope failed".to_owned(),
            Step::IsFiltered if !worked => "system calls are not filtered".to_owned(),
            Step::Try(attempt) if worked => format!("`{attempt}` worked"),
            _ => continue,
        };
        return Err(LevelError::Broken { level, what });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_promises_nothing_is_not_proven() {
        for level in [Level::None, Level::External] {
            assert!(matches!(prove(level), Err(LevelError::Nothing(_))));
        }
    }
}
