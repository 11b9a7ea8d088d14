//! The helper's side: waits for the command and ends whatever it leaves behind.
//!
//! There are two, one below the other. The lower one does the work; the upper one passes on what
//! it is told, and takes over when the lower one is killed. Whichever of program and helpers is
//! killed, the kernel tells who is left.
//!
//! A helper is a copy of this program that never executes anything else. It
//! adopts orphans (it is their sub-reaper), so no descendant gets out of its
//! sight by forking twice or by starting a session. It holds no file but the
//! pipe it reports through. When the program that started it is killed, the
//! kernel sends it the signal to end everything.

use std::os::fd::RawFd;

use super::every_signal;

/// Ends the command and all its descendants at once. `SIGTERM` asks the command to end.
pub(super) const END_NOW: libc::c_int = libc::SIGUSR1;

/// Generations of helpers below the first.
pub(in crate::process) const GENERATIONS: usize = 1;

/// The exit code of a helper that could not begin.
pub(super) const LOST: libc::c_int = 125;

/// How long descendants may take to die. Only ones that hang in the kernel take long.
const SWEEP_SECONDS: libc::time_t = 10;

/// How long the helper waits between two sweeps; a death wakes it earlier.
const SWEEP_PAUSE_NS: libc::c_long = 1_000_000;

/// The size of a report: the command's wait status, then one byte for each thing that may be said.
pub(in crate::process) const REPORT_BYTES: usize = 8;

/// What the helper says at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::process) struct Report {
    /// The command's wait status, as the system encodes it; the system's error when it was not started.
    pub(in crate::process) status: i32,
    /// Whether a descendant could not be ended.
    pub(in crate::process) has_survivors: bool,
    /// Whether it was killed for having too many processes.
    pub(in crate::process) is_crowded: bool,
    /// Whether it was killed for taking too much memory.
    pub(in crate::process) is_too_large: bool,
    /// Whether it was not started.
    pub(in crate::process) is_unstarted: bool,
}

impl Report {
    pub(in crate::process) fn decode(bytes: [u8; REPORT_BYTES]) -> Self {
        let [a, b, c, d, survivors, crowded, large, unstarted] = bytes;
        Self {
            status: i32::from_ne_bytes([a, b, c, d]),
            has_survivors: survivors != 0,
            is_crowded: crowded != 0,
            is_too_large: large != 0,
            is_unstarted: unstarted != 0,
        }
    }

    pub(in crate::process) fn encode(self) -> [u8; REPORT_BYTES] {
        let [a, b, c, d] = self.status.to_ne_bytes();
        let said = [
            self.has_survivors,
            self.is_crowded,
            self.is_too_large,
            self.is_unstarted,
        ];
        let [e, f, g, h] = said.map(u8::from);
        [a, b, c, d, e, f, g, h]
    }
}

/// Waits for `command`, ends its descendants, reports, and exits.
pub(super) fn attend(command: libc::pid_t, report: RawFd) -> ! {
    close_all_but(report);
    // SAFETY: the name ends in NUL; `SIGCHLD` at its default keeps the dead until they are waited for.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, c"harness-helper".as_ptr());
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
    let bytes = watch(command).encode();
    // SAFETY: the buffer has the length that is given; a reader that is gone is no matter.
    unsafe {
        libc::write(report, bytes.as_ptr().cast(), bytes.len());
        libc::_exit(0)
    }
}

/// Waits for the helper below, passes signals on to it, and exits after it.
///
/// Ends what that one leaves when it is killed, and it too when it does not end what it should.
pub(super) fn stand_by(below: libc::pid_t) -> ! {
    close(0, RawFd::MAX);
    let mut report = Report::default();
    let (mut ending_since, mut killing_since) = (None, None);
    // SAFETY: as in `attend`.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, c"harness-helper".as_ptr());
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
    while reap(below, &mut report, &mut killing_since) {
        if ending_since.is_some_and(|since| seconds() - since > SWEEP_SECONDS) {
            killing_since.get_or_insert_with(seconds);
        }
        if let Some(since) = killing_since {
            hurry();
            if seconds() - since > SWEEP_SECONDS {
                break;
            }
            kill_children();
        }
        let is_ending = ending_since.is_some() || killing_since.is_some();
        match next_signal(is_ending) {
            signal @ (libc::SIGTERM | END_NOW) if killing_since.is_none() => {
                if signal == END_NOW {
                    ending_since.get_or_insert_with(seconds);
                }
                // SAFETY: integers only; an unreaped child, which may have been stopped.
                unsafe {
                    libc::kill(below, signal);
                    libc::kill(below, libc::SIGCONT);
                }
            }
            _ => {}
        }
    }
    let code = if report.status == 0 { 0 } else { LOST };
    // SAFETY: an integer.
    unsafe { libc::_exit(code) }
}

/// Lets go of the output pipe, of the standard library's pipe, and of everything else.
fn close_all_but(kept: RawFd) {
    close(0, kept - 1);
    close(kept + 1, RawFd::MAX);
}

/// Closes descriptors, both ends included; one by one where the kernel cannot do it at once.
fn close(first: RawFd, last: RawFd) {
    /// As many as a program usually can have.
    const LAST_TRIED: RawFd = 4096;
    // SAFETY: nothing in this process uses these descriptors any more.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, last, 0) < 0 {
            for descriptor in first..=last.min(LAST_TRIED) {
                libc::close(descriptor);
            }
        }
    }
}

fn watch(command: libc::pid_t) -> Report {
    let mut report = Report::default();
    let mut killing_since = None;
    while reap(command, &mut report, &mut killing_since) {
        if let Some(since) = killing_since {
            hurry();
            if seconds() - since > SWEEP_SECONDS {
                report.has_survivors = true;
                break;
            }
            kill_children();
        }
        match next_signal(killing_since.is_some()) {
            libc::SIGTERM if killing_since.is_none() => ask_to_end(command),
            END_NOW if killing_since.is_none() => killing_since = Some(seconds()),
            _ => {}
        }
    }
    report
}

/// Collects the dead; returns whether a child is left. The command's death begins the killing.
fn reap(
    command: libc::pid_t,
    report: &mut Report,
    killing_since: &mut Option<libc::time_t>,
) -> bool {
    loop {
        let dead = match next_dead() {
            0 => return true,
            dead if dead < 0 => return false,
            dead => dead,
        };
        if dead == command {
            killing_since.get_or_insert_with(seconds);
        }
        if killing_since.is_some() {
            kill_group(dead);
        }
        let mut status = 0;
        // SAFETY: the status is a valid place for an integer.
        let reaped = unsafe { libc::waitpid(dead, &raw mut status, libc::WNOHANG) };
        if reaped == command {
            report.status = status;
        }
    }
}

/// Returns a dead child that stays unreaped, so that its id is still its own; 0 when all live,
/// below 0 when there is none.
fn next_dead() -> libc::pid_t {
    // SAFETY: the structure is plain data that the kernel fills, or leaves zeroed
    // when no child is dead.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let look = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        if libc::waitid(libc::P_ALL, 0, &raw mut info, look) < 0 {
            return -1;
        }
        info.si_pid()
    }
}

/// Waits for a signal, during a sweep only for a moment; 0 when none came.
fn next_signal(is_killing: bool) -> libc::c_int {
    let every = every_signal();
    let pause = libc::timespec {
        tv_sec: 0,
        tv_nsec: SWEEP_PAUSE_NS,
    };
    let limit = if is_killing {
        &raw const pause
    } else {
        std::ptr::null()
    };
    // SAFETY: the set and the time are valid; no information is asked for.
    let signal = unsafe { libc::sigtimedwait(&raw const every, std::ptr::null_mut(), limit) };
    signal.max(0)
}

/// Sends `SIGTERM` to the command's group; a stopped process is woken to receive it.
fn ask_to_end(command: libc::pid_t) {
    // SAFETY: integers only. The command is an unreaped child, so its id is its own;
    // it has no group of its own yet if it is asked at its very beginning.
    unsafe {
        if libc::kill(-command, libc::SIGTERM) < 0 {
            libc::kill(command, libc::SIGTERM);
        }
        libc::kill(-command, libc::SIGCONT);
    }
}

/// Kills every child there is at this moment, orphans of dead ones included.
fn kill_children() {
    let mut bytes = [0_u8; 4096];
    // SAFETY: the path ends in NUL, reads stay within the buffer, and the ids
    // are unreaped children of this process.
    unsafe {
        let file = libc::open(
            c"/proc/thread-self/children".as_ptr(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        );
        if file < 0 {
            return;
        }
        let mut pid: libc::pid_t = 0;
        loop {
            let read = libc::read(file, bytes.as_mut_ptr().cast(), bytes.len());
            let Ok(read) = usize::try_from(read) else {
                break;
            };
            for byte in bytes.iter().take(read) {
                if byte.is_ascii_digit() {
                    pid = pid
                        .wrapping_mul(10)
                        .wrapping_add(libc::pid_t::from(byte - b'0'));
                } else {
                    kill_one(pid);
                    pid = 0;
                }
            }
            if read == 0 {
                break;
            }
        }
        kill_one(pid);
        libc::close(file);
    }
}

fn kill_one(pid: libc::pid_t) {
    // 0 and below mean groups, the helper's own among them.
    if pid > 0 {
        kill_group(pid);
        // SAFETY: integers only.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
        }
    }
}

/// Kills the group that an unreaped child leads, if it leads one: all at once, so that members
/// that start others all the time cannot outrun it.
fn kill_group(leader: libc::pid_t) {
    // SAFETY: integers only.
    unsafe {
        libc::kill(-leader, libc::SIGKILL);
    }
}

/// Takes precedence over what is to be ended, where that is allowed: a thousand processes that
/// all want to run leave little time for the one that ends them.
fn hurry() {
    const URGENT: libc::c_int = -10;
    // SAFETY: integers only; 0 is this process.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, URGENT);
    }
}

/// Returns seconds of the clock that nobody sets.
fn seconds() -> libc::time_t {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec
}
