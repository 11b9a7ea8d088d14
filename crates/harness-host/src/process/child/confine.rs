//! The command's side: gives up everything it does not need, then goes on to exec.
//!
//! Each step that fails ends the start: a command never runs with less of a cage
//! than its bars say. Only two steps may fail, on kernels that do not
//! know them: marking descriptors, and volunteering when memory runs out.

use std::{
    io,
    os::fd::{AsRawFd, RawFd},
};

use super::{Bars, Lock, check, check_call, no_signal, set_signal_mask};

/// The highest capability number asked about; the kernel has fewer.
const CAPABILITY_MAX: libc::c_ulong = 63;

/// The highest signal number with a default handling of its own.
const SIGNAL_MAX: libc::c_int = 31;

/// The first descriptor that a command has no use for.
const FIRST_OTHER_FD: libc::c_uint = 3;

/// Gives up everything; `parent` is who ends the command, and with whom it ends.
pub(in crate::process) fn confine(bars: &Bars, parent: libc::pid_t) -> io::Result<()> {
    die_with(parent)?;
    reset_signals()?;
    // SAFETY: no arguments; a new process leads no group, so this cannot fail for that reason.
    check(unsafe { libc::setsid() })?;
    close_on_exec();
    for (resource, limit) in &bars.resources {
        rustix::process::setrlimit(*resource, *limit)?;
    }
    volunteer_for_the_oom_killer();
    // SAFETY: the descriptor is open, the bars own it.
    check(unsafe { libc::fchdir(bars.cwd.as_raw_fd()) })?;
    drop_capabilities()?;
    // SAFETY: integers only; the zeros are demanded by the kernel.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    bars.lock.as_ref().map_or(Ok(()), close_lock)
}

/// Lets the kernel end the command when its parent is gone.
fn die_with(parent: libc::pid_t) -> io::Result<()> {
    // SAFETY: these calls take integers and change this process only.
    unsafe {
        check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
        // A process that is not dumpable cannot write to its own files in `/proc`.
        check(libc::prctl(libc::PR_SET_DUMPABLE, 1))?;
        if libc::getppid() != parent {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
    }
    Ok(())
}

/// Takes back the program's signal handlers before signals can arrive again.
fn reset_signals() -> io::Result<()> {
    for signal in 1..=SIGNAL_MAX {
        // SAFETY: both structures are plain data, filled by the kernel or zeroed,
        // which means the default action with no flags.
        unsafe {
            let mut old: libc::sigaction = std::mem::zeroed();
            let default: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(signal, std::ptr::null(), &raw mut old) == 0
                && old.sa_sigaction != libc::SIG_IGN
                && old.sa_sigaction != libc::SIG_DFL
            {
                libc::sigaction(signal, &raw const default, std::ptr::null_mut());
            }
        }
    }
    set_signal_mask(&no_signal())
}

/// Marks all other descriptors to be closed at exec; the standard library still uses one until
/// then. It opens all of its own so: a kernel that cannot mark many at once changes little.
fn close_on_exec() {
    // SAFETY: integers only; closing happens at exec.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST_OTHER_FD,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
    }
}

fn volunteer_for_the_oom_killer() {
    const WORST: &[u8] = b"1000";
    // SAFETY: the path ends in NUL, the buffer has the length that is given, and
    // the descriptor is this function's own.
    unsafe {
        let file: RawFd = libc::open(
            c"/proc/self/oom_score_adj".as_ptr(),
            libc::O_WRONLY | libc::O_CLOEXEC,
        );
        if file >= 0 {
            libc::write(file, WORST.as_ptr().cast(), WORST.len());
            libc::close(file);
        }
    }
}

/// Drops every capability, and for a privileged process also the way back to one.
fn drop_capabilities() -> io::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    // Header: version and process; then, twice for 64 bits: effective, permitted, inheritable.
    let header: [u32; 2] = [VERSION_3, 0];
    let none: [u32; 6] = [0; 6];
    // SAFETY: integers, and two arrays laid out as version 3 of the call reads them.
    unsafe {
        for capability in 0..=CAPABILITY_MAX {
            // Fails past the last capability, and for whoever has none to drop.
            if libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 {
                break;
            }
        }
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_CLEAR_ALL,
            0,
            0,
            0,
        );
        check_call(libc::syscall(
            libc::SYS_capset,
            header.as_ptr(),
            none.as_ptr(),
        ))
    }
}

/// Applies Landlock, then seccomp: the filter would not let anything be added.
fn close_lock(lock: &Lock) -> io::Result<()> {
    // SAFETY: the descriptor is an open ruleset; the kernel copies each program,
    // whose length is its own and below the kernel's bound of 4096.
    unsafe {
        check_call(libc::syscall(
            libc::SYS_landlock_restrict_self,
            lock.ruleset.as_raw_fd(),
            0,
        ))?;
        for filter in lock.filters {
            let program = libc::sock_fprog {
                len: filter.len() as libc::c_ushort,
                filter: filter.as_ptr().cast_mut(),
            };
            check_call(libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                0,
                &raw const program,
            ))?;
        }
    }
    Ok(())
}
