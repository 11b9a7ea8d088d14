//! What is tried by system calls that no crate wraps safely, one function each.

use std::{
    ffi::CString,
    io,
    net::SocketAddrV4,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketType};

/// How long a process that was left behind stays, should nobody end it. Unit: seconds.
const DAEMON_SECONDS: libc::c_uint = 20;

/// How long a crowd stays together, so that whoever counts can see it.
const CROWD_STAYS: Duration = Duration::from_millis(1500);

/// Sends the first data together with the request for a connection.
pub(super) fn connect_with_data(to: SocketAddrV4) -> io::Result<()> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from(*to.ip()).to_be(),
        },
        sin_zero: [0; 8],
    };
    // SAFETY: the buffer and the address have the lengths that are given.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            b"x".as_ptr().cast(),
            1,
            libc::MSG_FASTOPEN | libc::MSG_NOSIGNAL,
            (&raw const address).cast(),
            size_of::<libc::sockaddr_in>() as libc::socklen_t,
        )
    };
    done(sent as libc::c_long)
}

/// Makes a ring of one entry.
pub(super) fn make_ring() -> io::Result<()> {
    /// The structure of parameters, as long as the kernel reads it.
    const PARAMETERS_BYTES: usize = 120;
    let mut parameters = [0_u64; PARAMETERS_BYTES / 8];
    // SAFETY: the structure has the kernel's size and is zeroed, as it demands.
    taken(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()) })
}

/// Attaches to a process and lets go of it again.
pub(super) fn seize(pid: libc::pid_t) -> io::Result<()> {
    // SAFETY: integers only; nothing is read or written.
    unsafe {
        done(libc::ptrace(libc::PTRACE_SEIZE, pid, 0, 0))?;
        libc::ptrace(libc::PTRACE_DETACH, pid, 0, 0);
    }
    Ok(())
}

/// Makes a terminal, takes it for this process's own, and types into it.
pub(super) fn type_into_terminal() -> io::Result<()> {
    let (mut master, mut terminal): (RawFd, RawFd) = (-1, -1);
    // SAFETY: two places for descriptors, which are this function's own afterwards.
    let (_master, terminal) = unsafe {
        done(
            libc::openpty(
                &raw mut master,
                &raw mut terminal,
                std::ptr::null_mut(),
                std::ptr::null(),
                std::ptr::null(),
            )
            .into(),
        )?;
        (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(terminal))
    };
    // SAFETY: integers, and one byte that lives.
    unsafe {
        // The terminal goes away with this function, and would take its session along.
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
        libc::setsid();
        libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0);
        done(libc::ioctl(terminal.as_raw_fd(), libc::TIOCSTI, b"x".as_ptr()).into())
    }
}

/// Leaves for a user namespace of its own.
pub(super) fn make_user_namespace() -> io::Result<()> {
    unshare(libc::CLONE_NEWUSER)
}

/// Mounts an empty file system on a folder, out of sight of everybody else wherever that can be had.
pub(super) fn mount_in_private(folder: &Path) -> io::Result<()> {
    let private = unshare(libc::CLONE_NEWNS)
        .or_else(|_| unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS))
        .is_ok();
    let target = CString::new(folder.as_os_str().as_bytes()).map_err(io::Error::other)?;
    // SAFETY: all texts end in NUL, and the kernel wants no data for these.
    unsafe {
        if private {
            let flags = libc::MS_PRIVATE | libc::MS_REC;
            let none = std::ptr::null();
            done(libc::mount(none, c"/".as_ptr(), none, flags, std::ptr::null()).into())?;
        }
        done(
            libc::mount(
                c"none".as_ptr(),
                target.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                std::ptr::null(),
            )
            .into(),
        )?;
        libc::umount2(target.as_ptr(), libc::MNT_DETACH);
    }
    Ok(())
}

/// Asks for the keys of this process's user.
pub(super) fn reach_keys() -> io::Result<()> {
    /// Asks for a keyring's number.
    const GET_KEYRING_ID: libc::c_int = 0;
    /// The keyring of the user.
    const USER_KEYRING: libc::c_int = -4;
    // SAFETY: integers only.
    done(unsafe { libc::syscall(libc::SYS_keyctl, GET_KEYRING_ID, USER_KEYRING, 1) })
}

/// Makes an array of one entry in the kernel, which goes away with its handle.
pub(super) fn make_bpf_map() -> io::Result<()> {
    /// Makes a map.
    const MAP_CREATE: libc::c_int = 0;
    // Kind (an array), size of a key, size of a value, entries; the rest is zero.
    let attributes: [u32; 16] = [2, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the attributes have the size that is given.
    taken(unsafe {
        libc::syscall(
            libc::SYS_bpf,
            MAP_CREATE,
            attributes.as_ptr(),
            size_of_val(&attributes),
        )
    })
}

/// Makes a file in a folder of which nothing but a number is known.
pub(super) fn make_file_in(folder: RawFd) -> io::Result<()> {
    let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC;
    // SAFETY: the name ends in NUL; a number that is no open folder is an error.
    taken(unsafe { libc::openat(folder, c"leaked".as_ptr(), flags, 0o600) }.into())
}

/// Leaves a process behind that has left its session and its parent, and holds no file.
pub(super) fn leave_daemon() -> io::Result<()> {
    // SAFETY: this process has one thread, so the copies are whole; they make system calls alone.
    unsafe {
        match libc::fork() {
            0 => {
                libc::setsid();
                if libc::fork() == 0 {
                    libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, 0);
                    libc::sleep(DAEMON_SECONDS);
                }
                libc::_exit(0)
            }
            pid => {
                done(pid.into())?;
                libc::waitpid(pid, std::ptr::null_mut(), 0);
            }
        }
    }
    Ok(())
}

/// Starts so many processes that do nothing, and ends them a little later.
pub(super) fn crowd(count: usize) -> io::Result<()> {
    let begun = Instant::now();
    let mut crowd = Vec::with_capacity(count);
    let mut ended = Ok(());
    while crowd.len() < count {
        // SAFETY: this process has one thread, so the copies are whole; they make system calls alone.
        match unsafe { libc::fork() } {
            0 => unsafe {
                // SAFETY: integers only.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                libc::sleep(DAEMON_SECONDS);
                libc::_exit(0)
            },
            pid if pid > 0 => crowd.push(pid),
            _ => {
                ended = Err(io::Error::last_os_error());
                break;
            }
        }
    }
    if ended.is_ok() {
        std::thread::sleep(CROWD_STAYS.saturating_sub(begun.elapsed()));
    }
    for pid in crowd {
        // SAFETY: integers; each is a child of this process that nobody has waited for.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            libc::waitpid(pid, std::ptr::null_mut(), 0);
        }
    }
    ended
}

fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: integers only; no file table or memory is unshared.
    done(unsafe { libc::unshare(flags) }.into())
}

fn done(result: libc::c_long) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Closes the handle that a call gave.
fn taken(result: libc::c_long) -> io::Result<()> {
    done(result)?;
    let handle = RawFd::try_from(result).map_err(io::Error::other)?;
    // SAFETY: the handle was made by the call and nobody else has it.
    drop(unsafe { OwnedFd::from_raw_fd(handle) });
    Ok(())
}
