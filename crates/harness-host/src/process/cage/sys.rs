//! System calls that no crate wraps safely, one function each.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
};

/// Rights that are taken from a mount, as the kernel numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Without(u64);

impl Without {
    pub(super) const WRITE: Self = Self(0x1);
    pub(super) const SET_USER: Self = Self(0x2);
    pub(super) const DEVICES: Self = Self(0x4);
    pub(super) const EXECUTE: Self = Self(0x8);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Takes rights from a mount and, if asked, from all below it.
pub(super) fn restrict(mount: impl AsFd, without: Without, is_recursive: bool) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: without.0,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let recursive = if is_recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is empty and ends in NUL, the structure has the size that is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | recursive,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    done(result)
}

/// Leaves the machine's namespaces for new ones. The next child is the first process of its own.
pub(super) fn leave() -> io::Result<()> {
    let flags = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS;
    // SAFETY: integers only; no file table or memory is unshared.
    done(unsafe { libc::unshare(flags) }.into())
}

/// Which side of a fork one is on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Side {
    Child,
    Parent(libc::pid_t),
}

/// Forks. The caller has one thread.
pub(super) fn fork() -> io::Result<Side> {
    // SAFETY: with one thread, the child's copy of everything is whole.
    side(unsafe { libc::fork() }.into())
}

/// Forks into namespaces in which the child is the first process; the caller has one thread.
pub(super) fn fork_inside() -> io::Result<Side> {
    let flags = libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::SIGCHLD;
    // SAFETY: without a new stack this is a fork; with one thread, the child's copy is whole.
    side(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })
}

fn side(pid: libc::c_long) -> io::Result<Side> {
    match libc::pid_t::try_from(pid) {
        Ok(0) => Ok(Side::Child),
        Ok(pid) if pid > 0 => Ok(Side::Parent(pid)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Switches the network's loopback device on.
pub(super) fn raise_loopback() -> io::Result<()> {
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        None,
    )?;
    // SAFETY: a zeroed request is a valid one; the name fits and the union's flags are its short.
    unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        done(
            libc::ioctl(
                socket.as_raw_fd(),
                libc::SIOCSIFFLAGS as _,
                &raw const request,
            )
            .into(),
        )
    }
}

/// Blocks all signals and returns a handle that is readable when a child has died.
pub(super) fn deaths_of_children() -> io::Result<OwnedFd> {
    // SAFETY: the sets are plain arrays of bits, filled before use; the descriptor is new.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        done(libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut()).into())?;
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        let mut deaths: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut deaths);
        libc::sigaddset(&raw mut deaths, libc::SIGCHLD);
        let handle = libc::signalfd(
            -1,
            &raw const deaths,
            libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
        );
        done(handle.into())?;
        Ok(OwnedFd::from_raw_fd(handle))
    }
}

/// Lets the system collect dead children by itself.
pub(super) fn ignore_deaths() {
    // SAFETY: integers only.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
    }
}

/// What came of looking for a dead child.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reaped {
    /// A child and its wait status.
    Dead(libc::pid_t, i32),
    /// All children live.
    Nobody,
    /// There is no child.
    Childless,
}

/// Collects one dead child, if there is one.
pub(super) fn reap() -> Reaped {
    let mut status = 0;
    // SAFETY: the status is a valid place for an integer.
    match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } {
        0 => Reaped::Nobody,
        pid if pid > 0 => Reaped::Dead(pid, status),
        _ => Reaped::Childless,
    }
}

/// Sends a signal to a process, or to a group where the number is negative.
pub(super) fn signal(to: libc::pid_t, signal: libc::c_int) {
    // SAFETY: integers only. That nobody is there is no matter.
    unsafe {
        libc::kill(to, signal);
    }
}

/// Closes every descriptor from `first` on.
pub(super) fn close_from(first: libc::c_uint) {
    // SAFETY: the caller owns no handle from there on any more.
    unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0);
    }
}

/// Ends this process at once, without what a program does at its end.
pub(super) fn exit(code: libc::c_int) -> ! {
    // SAFETY: does not return.
    unsafe { libc::_exit(code) }
}

/// Keeps the memory of this process from every other.
pub(super) fn hide_memory() {
    // SAFETY: integers only.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
}

fn done(result: libc::c_long) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
