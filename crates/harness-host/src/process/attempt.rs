//! Attempts to break out of a cage, made for real: what a level gives on this machine.
//!
//! Each attempt is this program, started anew with the name of what it is to try.
//! It is tried on folders, sockets and a process that were made for it, first
//! without a cage, then in one: what fails without a cage proves nothing. Whether
//! an attempt worked is looked up on this side wherever it can be seen from here.
//!
//! What is told is what a cage does, not what a run does afterwards: that changes
//! are found and undone is the runner's business. Called by `harness doctor`, and
//! for the few attempts that prove a level by [`prove`](super::prove).

mod act;
mod owed;
mod scene;
mod serve;
mod sys;
mod trial;

use std::{fmt, io};

use super::SpawnError;

pub use owed::{Owed, owed};
pub use serve::serve_attempt;
pub(super) use trial::{Step, try_steps};
pub use trial::{attempt_by, attempt_in, attempt_openly, try_builder};

/// Something that a process may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attempt {
    /// Write a file outside the repository.
    WriteOutside,
    /// Change the mode of a file outside the repository.
    ChangeModeOutside,
    /// Change the times of a file outside the repository.
    ChangeTimesOutside,
    /// Change the mode of a file of the repository that may not be written.
    ChangeModeInside,
    /// Write a protected file in a writable folder.
    WriteProtected,
    /// Move a protected file's folder away and make it anew.
    MoveProtected,
    /// Make a protected file that does not exist, in a writable folder.
    MakeProtected,
    /// Read a hidden file.
    ReadHidden,
    /// Read a hidden file in a writable folder.
    ReadHiddenInScope,
    /// Read a file of the person's home.
    ReadHome,
    /// Connect by TCP.
    ConnectTcp,
    /// Connect by TCP with the first data in the first packet, past `connect`.
    ConnectFastOpen,
    /// Connect by multipath TCP.
    ConnectMultipath,
    /// Send a datagram, as DNS does.
    SendDatagram,
    /// Connect to a UNIX socket by its path.
    ConnectUnix,
    /// Connect to a UNIX socket by its abstract name.
    ConnectAbstract,
    /// Open a socket to other virtual machines.
    OpenVsock,
    /// Open a socket to the kernel's own services.
    OpenNetlink,
    /// Make a ring that carries out calls unseen.
    MakeRing,
    /// Take another process over.
    Trace,
    /// Read the environment of another process.
    ReadEnvironment,
    /// Type into a terminal.
    TypeIntoTerminal,
    /// Make a user namespace.
    MakeUserNamespace,
    /// Mount a file system.
    Mount,
    /// Reach the person's keys in the kernel.
    ReachKeys,
    /// Load a program into the kernel.
    UseBpf,
    /// Write to a folder through a handle that was left open.
    UseLeakedHandle,
    /// Change a setting of the kernel.
    WriteSysctl,
    /// Leave a process behind that left its session and its parent.
    LeaveDaemon,
    /// Start more processes than allowed.
    Crowd,
    /// Take more memory than allowed.
    TakeMemory,
    /// End another process.
    Signal,
}

impl Attempt {
    /// All attempts, in the order in which they are made.
    pub const ALL: [Self; 32] = [
        Self::WriteOutside,
        Self::ChangeModeOutside,
        Self::ChangeTimesOutside,
        Self::ChangeModeInside,
        Self::WriteProtected,
        Self::MoveProtected,
        Self::MakeProtected,
        Self::ReadHidden,
        Self::ReadHiddenInScope,
        Self::ReadHome,
        Self::ConnectTcp,
        Self::ConnectFastOpen,
        Self::ConnectMultipath,
        Self::SendDatagram,
        Self::ConnectUnix,
        Self::ConnectAbstract,
        Self::OpenVsock,
        Self::OpenNetlink,
        Self::MakeRing,
        Self::Trace,
        Self::ReadEnvironment,
        Self::TypeIntoTerminal,
        Self::MakeUserNamespace,
        Self::Mount,
        Self::ReachKeys,
        Self::UseBpf,
        Self::UseLeakedHandle,
        Self::WriteSysctl,
        Self::LeaveDaemon,
        Self::Crowd,
        Self::TakeMemory,
        Self::Signal,
    ];

    /// Returns its name, as JSON lines carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WriteOutside => "write_outside",
            Self::ChangeModeOutside => "change_mode_outside",
            Self::ChangeTimesOutside => "change_times_outside",
            Self::ChangeModeInside => "change_mode_inside",
            Self::WriteProtected => "write_protected",
            Self::MoveProtected => "move_protected",
            Self::MakeProtected => "make_protected",
            Self::ReadHidden => "read_hidden",
            Self::ReadHiddenInScope => "read_hidden_in_scope",
            Self::ReadHome => "read_home",
            Self::ConnectTcp => "connect_tcp",
            Self::ConnectFastOpen => "connect_tcp_fast_open",
            Self::ConnectMultipath => "connect_multipath_tcp",
            Self::SendDatagram => "send_datagram",
            Self::ConnectUnix => "connect_unix",
            Self::ConnectAbstract => "connect_abstract_unix",
            Self::OpenVsock => "open_vsock",
            Self::OpenNetlink => "open_netlink",
            Self::MakeRing => "make_io_uring",
            Self::Trace => "trace_process",
            Self::ReadEnvironment => "read_environment",
            Self::TypeIntoTerminal => "type_into_terminal",
            Self::MakeUserNamespace => "make_user_namespace",
            Self::Mount => "mount",
            Self::ReachKeys => "reach_keys",
            Self::UseBpf => "use_bpf",
            Self::UseLeakedHandle => "use_leaked_handle",
            Self::WriteSysctl => "write_sysctl",
            Self::LeaveDaemon => "leave_daemon",
            Self::Crowd => "crowd",
            Self::TakeMemory => "take_memory",
            Self::Signal => "signal_process",
        }
    }

    /// Returns what is tried, for people; at most 34 characters.
    pub const fn words(self) -> &'static str {
        match self {
            Self::WriteOutside => "write a file outside",
            Self::ChangeModeOutside => "change a mode outside",
            Self::ChangeTimesOutside => "change times outside",
            Self::ChangeModeInside => "change a mode outside the scope",
            Self::WriteProtected => "write a protected file in scope",
            Self::MoveProtected => "move a protected file's folder",
            Self::MakeProtected => "make an absent protected file",
            Self::ReadHidden => "read a hidden file",
            Self::ReadHiddenInScope => "read a hidden file in scope",
            Self::ReadHome => "read a file of your home",
            Self::ConnectTcp => "connect by TCP",
            Self::ConnectFastOpen => "connect by TCP fast open",
            Self::ConnectMultipath => "connect by multipath TCP",
            Self::SendDatagram => "send a datagram (UDP, DNS)",
            Self::ConnectUnix => "connect to a UNIX socket",
            Self::ConnectAbstract => "connect to an abstract UNIX socket",
            Self::OpenVsock => "open a vsock",
            Self::OpenNetlink => "open a netlink socket",
            Self::MakeRing => "make an io_uring",
            Self::Trace => "take a process over (ptrace)",
            Self::ReadEnvironment => "read a process's environment",
            Self::TypeIntoTerminal => "type into a terminal (TIOCSTI)",
            Self::MakeUserNamespace => "make a user namespace",
            Self::Mount => "mount a file system",
            Self::ReachKeys => "reach kernel keys (keyctl)",
            Self::UseBpf => "use bpf",
            Self::UseLeakedHandle => "use a folder handle left open",
            Self::WriteSysctl => "write to /proc/sys",
            Self::LeaveDaemon => "leave a daemon behind",
            Self::Crowd => "start too many processes",
            Self::TakeMemory => "take too much memory",
            Self::Signal => "end a process outside",
        }
    }

    /// Finds an attempt by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attempt| attempt.name() == name)
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did not work.
    Prevented,
    /// It worked.
    Allowed,
    /// It does not work without a cage either, so nothing is proven.
    NotHere,
}

impl Outcome {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prevented => "prevented",
            Self::Allowed => "allowed",
            Self::NotHere => "not on this machine",
        }
    }
}

/// An attempt that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// Which.
    pub attempt: Attempt,
    /// How it ended.
    pub outcome: Outcome,
    /// What the kernel said to whoever tried; empty where it worked.
    pub detail: String,
}

/// Attempts that could not be made at all.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// What they are made on could not be prepared.
    #[error("cannot prepare attempts: {step}")]
    Prepare {
        /// What failed.
        step: &'static str,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The cage, or a process in it, could not be started.
    #[error(transparent)]
    Cage(SpawnError),
    /// A process that was to try something said nothing of it.
    #[error("the attempt `{attempt}` said nothing: {output}")]
    Silent {
        /// Which.
        attempt: &'static str,
        /// What it wrote instead, and how it ended.
        output: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attempt_has_a_name_and_words_of_its_own() {
        for (index, attempt) in Attempt::ALL.into_iter().enumerate() {
            assert_eq!(Attempt::named(attempt.name()), Some(attempt));
            assert!(attempt.words().len() <= 34, "{attempt}");
            assert!(Attempt::ALL[..index].iter().all(|other| *other != attempt));
        }
        assert_eq!(Attempt::named("no_such"), None);
    }
}
