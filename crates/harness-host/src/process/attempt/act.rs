//! What each attempt does. All of it is harmless where it works: it changes what was made for it.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddrV4, TcpStream, UdpSocket},
    num::NonZeroU32,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            fs::PermissionsExt,
            net::{SocketAddr, UnixStream},
        },
    },
    path::Path,
    str::FromStr,
    time::Duration,
};

use rustix::{
    fs::{AtFlags, CWD, Timespec, Timestamps},
    net::{AddressFamily, Protocol, SocketType},
    process::{Pid, Signal},
};

use super::{Attempt, sys};

/// How long a connection on this machine may take.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// What numbers of the kernel are not in the libraries.
const NETLINK_GENERIC: u32 = 16;
const MULTIPATH: u32 = 262;
const VSOCK: u16 = 40;

/// A setting that every kernel has and that is written back as it is.
const SETTING: &str = "/proc/sys/vm/swappiness";

/// Tries one thing. An error is the system's answer to whoever tried.
pub(super) fn act(attempt: Attempt, argument: &OsStr) -> io::Result<()> {
    let path = Path::new(argument);
    match attempt {
        Attempt::WriteOutside | Attempt::WriteProtected | Attempt::MakeProtected => {
            fs::write(path, "x")
        }
        Attempt::ChangeModeOutside | Attempt::ChangeModeInside => {
            fs::set_permissions(path, Permissions::from_mode(0o777))
        }
        Attempt::ChangeTimesOutside => change_times(path),
        Attempt::MoveProtected => move_folder(path),
        Attempt::ReadHidden | Attempt::ReadHiddenInScope | Attempt::ReadHome => {
            File::open(path)?.read_exact(&mut [0])
        }
        Attempt::ConnectTcp => connect(argument),
        Attempt::ConnectFastOpen => sys::connect_with_data(address(argument)?),
        Attempt::ConnectMultipath => connect_multipath(argument),
        Attempt::SendDatagram => send_datagram(argument),
        Attempt::ConnectUnix => UnixStream::connect(path)?.write_all(b"x"),
        Attempt::ConnectAbstract => connect_abstract(argument),
        Attempt::OpenVsock => open(AddressFamily::from_raw(VSOCK), SocketType::STREAM, 0),
        Attempt::OpenNetlink => open(AddressFamily::NETLINK, SocketType::RAW, NETLINK_GENERIC),
        Attempt::MakeRing => sys::make_ring(),
        Attempt::Trace => sys::seize(number(argument)?),
        Attempt::ReadEnvironment => find_in_environments(argument),
        Attempt::TypeIntoTerminal => sys::type_into_terminal(),
        Attempt::MakeUserNamespace => sys::make_user_namespace(),
        Attempt::Mount => sys::mount_in_private(path),
        Attempt::ReachKeys => sys::reach_keys(),
        Attempt::UseBpf => sys::make_bpf_map(),
        Attempt::UseLeakedHandle => sys::make_file_in(number(argument)?),
        Attempt::WriteSysctl => {
            let value = fs::read(SETTING)?;
            fs::write(SETTING, value)
        }
        Attempt::LeaveDaemon => sys::leave_daemon(),
        Attempt::Crowd => sys::crowd(number(argument)?),
        Attempt::TakeMemory => take_memory(number(argument)?),
        Attempt::Signal => {
            let pid = Pid::from_raw(number(argument)?).ok_or(io::ErrorKind::InvalidInput)?;
            Ok(rustix::process::kill_process(pid, Signal::KILL)?)
        }
    }
}

/// Fails unless the kernel filters this process's system calls.
pub(super) fn is_filtered() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    match status.lines().any(|line| line == "Seccomp:\t2") {
        true => Ok(()),
        false => Err(io::Error::other("system calls are not filtered")),
    }
}

fn number<T: FromStr>(argument: &OsStr) -> io::Result<T> {
    let parsed = argument.to_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

fn address(port: &OsStr) -> io::Result<SocketAddrV4> {
    Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, number(port)?))
}

fn change_times(path: &Path) -> io::Result<()> {
    let long_ago = Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: long_ago,
        last_modification: long_ago,
    };
    Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::empty())?)
}

fn move_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::rename(folder, folder.with_extension("away"))?;
    fs::create_dir(folder)?;
    fs::write(file, "x")
}

fn connect(port: &OsStr) -> io::Result<()> {
    let address = address(port)?.into();
    TcpStream::connect_timeout(&address, CONNECT_MAX)?.write_all(b"x")
}

fn connect_multipath(port: &OsStr) -> io::Result<()> {
    let protocol = NonZeroU32::new(MULTIPATH).map(Protocol::from_raw);
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, protocol)?;
    rustix::net::connect(&socket, &address(port)?)?;
    rustix::io::write(&socket, b"x")?;
    Ok(())
}

fn send_datagram(port: &OsStr) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.send_to(b"x", address(port)?).map(drop)
}

fn connect_abstract(name: &OsStr) -> io::Result<()> {
    let address = SocketAddr::from_abstract_name(name.as_bytes())?;
    UnixStream::connect_addr(&address)?.write_all(b"x")
}

fn open(family: AddressFamily, kind: SocketType, protocol: u32) -> io::Result<()> {
    let protocol = NonZeroU32::new(protocol).map(Protocol::from_raw);
    rustix::net::socket(family, kind, protocol)?;
    Ok(())
}

/// Looks for a word in the environments of all processes that can be seen; nothing else of them is kept.
fn find_in_environments(word: &OsStr) -> io::Result<()> {
    let word = word.as_bytes();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for process in fs::read_dir("/proc")?.flatten() {
        match fs::read(process.path().join("environ")) {
            Ok(bytes) if bytes.windows(word.len()).any(|part| part == word) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => last = error,
            _ => {}
        }
    }
    Err(last)
}

fn take_memory(bytes: usize) -> io::Result<()> {
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(bytes).map_err(io::Error::other)?;
    memory.resize(bytes, 1);
    std::hint::black_box(&memory);
    Ok(())
}
