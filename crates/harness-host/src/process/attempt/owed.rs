//! What each level owes: the table that attempts are held against.

use harness_core::Level;

use super::Attempt;

/// What a level owes against an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// It does not work.
    Prevented,
    /// Where it works, a run finds what was changed in the repository, and undoes it.
    Undone,
    /// Nothing, for this reason.
    Nothing(&'static str),
}

/// Returns what a level owes against an attempt.
pub const fn owed(attempt: Attempt, level: Level) -> Owed {
    match level {
        Level::Namespaces => owed_by_namespaces(attempt),
        Level::Landlock => owed_by_landlock(attempt),
        Level::External => Owed::Nothing("processes are left to the container"),
        Level::None => owed_by_none(attempt),
    }
}

const fn owed_by_namespaces(attempt: Attempt) -> Owed {
    match attempt {
        // A mount needs something to lie on.
        Attempt::MakeProtected => Owed::Undone,
        _ => Owed::Prevented,
    }
}

const fn owed_by_landlock(attempt: Attempt) -> Owed {
    match attempt {
        Attempt::ChangeModeOutside | Attempt::ChangeTimesOutside => Owed::Nothing(
            "the kernel keeps mode, owner and times from nobody who owns the file, and nobody looks outside the repository",
        ),
        Attempt::ChangeModeInside
        | Attempt::WriteProtected
        | Attempt::MoveProtected
        | Attempt::MakeProtected => Owed::Undone,
        Attempt::ReadHiddenInScope => {
            Owed::Nothing("what may be written below a folder may be read there")
        }
        Attempt::Signal => Owed::Nothing("kept from processes outside since Linux 6.12"),
        _ => Owed::Prevented,
    }
}

const fn owed_by_none(attempt: Attempt) -> Owed {
    match attempt {
        Attempt::ChangeModeInside
        | Attempt::WriteProtected
        | Attempt::MoveProtected
        | Attempt::MakeProtected => Owed::Undone,
        _ => Owed::Nothing("processes are not confined"),
    }
}
