//! What a child does between fork and exec: system calls only.
//!
//! The program has other threads, so the child's memory may hold a lock that
//! nobody will ever release. Nothing here allocates, locks or panics; whatever
//! needs more is built by the parent and handed over as an [`Entry`].
//!
//! The forked child does not become the command. It forks twice more; it and its
//! child stay behind as the command's helpers: see [`helper`].

mod confine;
mod helper;

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::Command,
};

use rustix::process::{Resource, Rlimit};

pub(super) use confine::confine;
pub(super) use helper::{GENERATIONS, REPORT_BYTES, Report};

/// Everything a child needs, built beforehand.
pub(super) struct Entry {
    /// The process that starts the child.
    pub(super) parent: libc::pid_t,
    /// Where the helper writes how the command ended.
    pub(super) report: OwnedFd,
    /// What the command is held by.
    pub(super) bars: Bars,
}

/// What a process is held by, applied in the moment before it becomes the command.
pub(super) struct Bars {
    /// The working folder.
    pub(super) cwd: OwnedFd,
    /// Bounds, by resource.
    pub(super) resources: Vec<(Resource, Rlimit)>,
    /// What the kernel is to enforce; nothing at the levels that enforce nothing.
    pub(super) lock: Option<Lock>,
}

/// The kernel's part of a cage.
pub(super) struct Lock {
    /// The Landlock rules.
    pub(super) ruleset: OwnedFd,
    /// The seccomp programs, loaded in this order.
    pub(super) filters: &'static [Vec<libc::sock_filter>],
}

/// Makes `command` start as its entry says.
pub(super) fn arm(command: &mut Command, entry: Entry) {
    // SAFETY: `enter` makes system calls on values that the closure owns, and
    // touches no memory that another thread could have left in between.
    unsafe {
        command.pre_exec(move || enter(&entry));
    }
}

/// Ties a process to the thread that starts it, which is the last to go.
pub(super) fn tie(command: &mut Command, parent: libc::pid_t) {
    // SAFETY: system calls with integers, on this process only.
    unsafe {
        command.pre_exec(move || {
            check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            if libc::getppid() != parent {
                libc::_exit(helper::LOST);
            }
            // As for a helper: it must not be stopped with the program.
            check(libc::setsid())?;
            Ok(())
        });
    }
}

/// Splits into two helpers, which do not return, and the command, which goes on to exec.
///
/// The second helper ends with the first, and the first takes over what a killed second one
/// leaves: neither the death of the program with one of them nor that of either alone sets anything free.
fn enter(entry: &Entry) -> io::Result<()> {
    // Until each of them has its own handling, no signal may run a handler of
    // the program they are copies of.
    set_signal_mask(&every_signal())?;
    let first = keep(entry.parent)?;
    match fork()? {
        0 => {}
        second => helper::stand_by(second),
    }
    let second = keep(first)?;
    match fork()? {
        0 => confine(&entry.bars, second),
        command => helper::attend(command, entry.report.as_raw_fd()),
    }
}

/// Makes this process one that adopts orphans and is told to end everything when `parent` dies.
fn keep(parent: libc::pid_t) -> io::Result<libc::pid_t> {
    // SAFETY: these calls take integers and change this process only.
    unsafe {
        check(libc::prctl(libc::PR_SET_PDEATHSIG, helper::END_NOW))?;
        check(libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1))?;
        // The helper's memory is a copy of the program's, keys included.
        check(libc::prctl(libc::PR_SET_DUMPABLE, 0))?;
        if libc::getppid() != parent {
            libc::_exit(helper::LOST);
        }
        // A terminal that suspends the program must not stop who ends things for it.
        check(libc::setsid())?;
        Ok(libc::getpid())
    }
}

/// Forks without the C library's own preparations, which take locks.
fn fork() -> io::Result<libc::pid_t> {
    // SAFETY: without flags and with no new stack this is a plain fork; both
    // sides go on with their own copy of everything.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    match libc::pid_t::try_from(pid) {
        Ok(pid) if pid >= 0 => Ok(pid),
        _ => Err(io::Error::last_os_error()),
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn check_call(result: libc::c_long) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn every_signal() -> libc::sigset_t {
    // SAFETY: the set is a plain array of bits, and `sigfillset` writes all of it.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        set
    }
}

fn no_signal() -> libc::sigset_t {
    // SAFETY: as in `every_signal`.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        set
    }
}

fn set_signal_mask(mask: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: the set is initialised; this process has one thread since the fork.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) })
}
