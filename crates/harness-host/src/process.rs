//! Processes, each in a cage that its plan describes.
//!
//! What a plan may contain is the guard's business; nothing here widens one, and
//! no process is started without one. A plan that cannot be enforced is an
//! error, never a weaker cage.
//!
//! At the level `namespaces` a cage has a file tree, a network and processes of its
//! own, made once and kept open for as many commands as it fits: see [`Cage`].
//! Each command is the first child of a process of its own namespace; when that
//! ends, the kernel ends everything the command left behind.
//!
//! At the other levels a command is started by one thread that lives as long as the
//! program, as the child of a small helper process. The helper ends everything that
//! the command left behind, also when this program is killed.
//!
//! At both, the child gives up what it does not need before the command's program
//! starts: open files, capabilities, rights on files (Landlock), system calls
//! (seccomp).
//!
//! The level `landlock` has three limits that follow from what the kernel can
//! express. Rights are given, not taken: a writable folder is writable with
//! everything below it, so the repository's root as a writable folder is
//! replaced by its present entries except the protected ones, and a command
//! cannot create a new name directly in the root. Mode, owner, times and
//! extended attributes of a file elsewhere can be changed by its owner. And
//! local servers cannot be reached, TCP or UNIX, so tests that need one fail.

#[expect(
    unsafe_code,
    reason = "what is tried goes past what safe wrappers offer"
)]
mod attempt;
mod bounds;
#[expect(
    unsafe_code,
    reason = "namespaces, mounts and forks of a process with one thread are system calls"
)]
mod cage;
mod capture;
mod census;
#[expect(
    unsafe_code,
    reason = "what runs between fork and exec is system calls; the safe wrappers allocate"
)]
mod child;
mod error;
mod filter;
mod level;
mod lock;
mod prepare;
mod ruleset;
mod run;
mod scratch;
mod spawner;
mod still;

pub use attempt::{
    Attempt, AttemptError, Attempted, Outcome, Owed, attempt_by, attempt_in, attempt_openly, owed,
    serve_attempt, try_builder,
};
pub use bounds::RunLimits;
pub use cage::{Builder, Cage, NetworkReport, serve_cage, set_cage_program};
pub use capture::Capture;
pub use error::SpawnError;
pub use level::{LevelError, PROVABLE, is_enforced, probe_level, prove};
pub use run::{Exited, run};
pub(crate) use scratch::Scratch;
pub use still::{Anchor, NotStill, Still};
