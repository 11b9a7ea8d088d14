//! The first process of one command's own namespaces: starts it, watches it, ends all it left.
//!
//! It listens to the program through a pipe: a byte asks for something, and the
//! pipe's end means that nobody waits any more. When it ends, the kernel ends
//! everything else in the namespace, however far it forked away.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec},
    io::Errno,
};

use super::{
    layout::Order,
    sys::{self, Reaped, Side},
    tree,
};
use crate::{
    disk::{FOLDER, look_at, open_beneath, open_folder},
    process::{
        child::{Bars, Lock, Report, confine},
        filter::Filters,
        ruleset::{Right, Rules},
    },
};

/// Asks the command to end.
pub(in crate::process) const ASK: u8 = b't';
/// Ends the command and everything with it.
pub(in crate::process) const KILL: u8 = b'k';

/// How often the processes of a command are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long what was killed may take to die. Only what hangs in the kernel takes long.
const SWEEP_MAX: Duration = Duration::from_secs(10);

/// The exit code of a command that could not be started.
const NOT_STARTED: i32 = 125;

/// Fewer process numbers than this the kernel does not accept as a bound.
const NUMBERS_MIN: u64 = 400;

/// Where the view of processes comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proc {
    /// This process is new in its namespaces and makes it.
    IsMade,
    /// Whoever built the cage made it.
    IsThere,
}

/// What a command is tied to the program with.
#[derive(Debug)]
pub(super) struct Handles {
    /// Where the command writes.
    output: OwnedFd,
    /// Where it is said how the command ended.
    report: OwnedFd,
    /// Where the program asks.
    control: OwnedFd,
}

impl Handles {
    /// Takes the handles of an order in the order they are sent in.
    pub(super) fn of(handles: Vec<OwnedFd>) -> Option<Self> {
        let [output, report, control] = handles.try_into().ok()?;
        Some(Self {
            output,
            report,
            control,
        })
    }
}

/// Carries an order out and ends this process.
pub(super) fn attend(order: &Order, handles: Handles, proc: Proc) -> ! {
    let Handles {
        output,
        report,
        control,
    } = handles;
    let ended = start(order, output, proc)
        .and_then(|(command, deaths)| Watch::new(order, command, control).until_end(&deaths));
    let report_of = |error: &io::Error| Report {
        status: error.raw_os_error().unwrap_or(libc::EIO),
        is_unstarted: true,
        ..Report::default()
    };
    let bytes = ended.unwrap_or_else(|error| report_of(&error)).encode();
    // Whoever does not wait any more needs no answer.
    let _ = File::from(report).write_all(&bytes);
    sys::exit(0)
}

/// Makes the command's own view of processes and starts it.
fn start(order: &Order, output: OwnedFd, proc: Proc) -> io::Result<(libc::pid_t, OwnedFd)> {
    let deaths = sys::deaths_of_children()?;
    if proc == Proc::IsMade {
        make_proc(order)?;
    }
    let bars = bars(order)?;
    let (mut failure, failure_end) = io::pipe()?;
    match sys::fork()? {
        Side::Child => {
            drop(failure);
            let error = become_command(order, output, bars);
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            let _ = { failure_end }.write_all(&errno.to_ne_bytes());
            sys::exit(NOT_STARTED)
        }
        Side::Parent(command) => {
            drop(failure_end);
            let mut errno = [0; 4];
            // The pipe closes unwritten when the command has begun.
            match failure.read_exact(&mut errno) {
                Ok(()) => Err(io::Error::from_raw_os_error(i32::from_ne_bytes(errno))),
                Err(_) => Ok((command, deaths)),
            }
        }
    }
}

/// Mounts the view of the command's own processes, and closes the kernel's settings in it.
fn make_proc(order: &Order) -> io::Result<()> {
    tree::mount_proc(Path::new("/proc"))?;
    if rustix::process::geteuid().is_root() {
        // The kernel bounds nothing for root but this, and lets root change its settings.
        let numbers = order.processes.max(NUMBERS_MIN).to_string();
        let _ = fs::write("/proc/sys/kernel/pid_max", numbers);
        tree::close(Path::new("/proc/sys"))?;
    }
    Ok(())
}

/// Gathers what the command is held by.
fn bars(order: &Order) -> io::Result<Bars> {
    let place = open_folder(&order.place)?;
    let inside = order.cwd.strip_prefix(&order.place);
    let inside = inside.map_err(|_| Errno::XDEV)?;
    let inside = if inside.as_os_str().is_empty() {
        Path::new(".")
    } else {
        inside
    };
    Ok(Bars {
        cwd: open_beneath(&place, inside, FOLDER)?,
        resources: order.limits(),
        lock: Some(Lock {
            ruleset: second_lock(order).map_err(io::Error::other)?,
            filters: Filters::in_namespaces().map_err(io::Error::other)?,
        }),
    })
}

/// Builds the Landlock rules: what may be written once more, should a mount be wrong.
fn second_lock(order: &Order) -> Result<OwnedFd, Box<dyn std::error::Error + Send + Sync>> {
    let mut rules = Rules::in_namespaces()?;
    rules.allow(&open_folder(Path::new("/"))?, Right::Read)?;
    let own = ["/tmp", "/dev/shm", "/dev/pts"].map(Path::new);
    for path in order.writable.iter().map(AsRef::as_ref).chain(own) {
        if let Ok(handle) = look_at(path) {
            rules.allow(&handle, Right::Write)?;
        }
    }
    for device in ["null", "zero", "full", "random", "urandom", "pts"] {
        if let Ok(handle) = look_at(&Path::new("/dev").join(device)) {
            rules.allow(&handle, Right::Device)?;
        }
    }
    Ok(rules.into_handle().ok_or(Errno::NOSYS)?)
}

/// Gives everything up and becomes the command; returns only why it could not.
fn become_command(order: &Order, output: OwnedFd, bars: Bars) -> io::Error {
    let Some((program, arguments)) = order.argv.split_first() else {
        return Errno::INVAL.into();
    };
    let both = match output.try_clone() {
        Ok(both) => both,
        Err(error) => return error,
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(order.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(both);
    // SAFETY: this process has one thread, so nothing that `confine` does can find a lock held.
    unsafe {
        command.pre_exec(move || confine(&bars, 1));
    }
    command.exec()
}

/// A command while it runs.
struct Watch<'a> {
    order: &'a Order,
    command: libc::pid_t,
    control: File,
    report: Report,
    killing_since: Option<Instant>,
}

impl<'a> Watch<'a> {
    fn new(order: &'a Order, command: libc::pid_t, control: OwnedFd) -> Self {
        Self {
            order,
            command,
            control: control.into(),
            report: Report::default(),
            killing_since: None,
        }
    }

    fn until_end(mut self, deaths: &OwnedFd) -> io::Result<Report> {
        let mut looked = Instant::now();
        while self.reap() {
            if let Some(since) = self.killing_since {
                if since.elapsed() > SWEEP_MAX {
                    self.report.has_survivors = true;
                    break;
                }
                kill_all();
            } else if looked.elapsed() >= LOOK_EVERY {
                looked = Instant::now();
                self.look();
            }
            self.wait(deaths)?;
        }
        Ok(self.report)
    }

    /// Collects the dead; `false` when there is nobody left. The command's death begins the killing.
    fn reap(&mut self) -> bool {
        loop {
            match sys::reap() {
                Reaped::Nobody => return true,
                Reaped::Childless => return false,
                Reaped::Dead(pid, status) if pid == self.command => {
                    self.report.status = status;
                    self.kill();
                }
                Reaped::Dead(..) => {}
            }
        }
    }

    fn kill(&mut self) {
        self.killing_since.get_or_insert_with(Instant::now);
        kill_all();
    }

    /// Waits for a death, a word of the program, or the next look.
    fn wait(&mut self, deaths: &OwnedFd) -> io::Result<()> {
        let is_killing = self.killing_since.is_some();
        let pause = if is_killing {
            Duration::from_millis(1)
        } else {
            LOOK_EVERY
        };
        let pause = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(pause.subsec_nanos()),
        };
        let mut watched = [
            PollFd::new(deaths, PollFlags::IN),
            PollFd::from_borrowed_fd(self.control.as_fd(), PollFlags::IN),
        ];
        // Once everything is being killed, nothing that the program says matters.
        let count = if is_killing { 1 } else { 2 };
        match rustix::event::poll(&mut watched[..count], Some(&pause)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let is_asked = !is_killing && !watched[1].revents().is_empty();
        let mut told = [0; 128];
        let _ = rustix::io::read(deaths, &mut told);
        if is_asked {
            let mut byte = [0];
            match self.control.read(&mut byte) {
                Ok(1) if byte == [ASK] => self.ask(),
                _ => self.kill(),
            }
        }
        Ok(())
    }

    /// Asks the command's group to end; a stopped process is woken to hear it.
    fn ask(&self) {
        sys::signal(-self.command, libc::SIGTERM);
        sys::signal(self.command, libc::SIGTERM);
        sys::signal(-self.command, libc::SIGCONT);
    }

    /// Ends a command that has too many processes or takes too much memory.
    fn look(&mut self) {
        let (count, memory) = census();
        self.report.is_crowded |= count > self.order.processes;
        self.report.is_too_large |= memory > self.order.memory;
        if self.report.is_crowded || self.report.is_too_large {
            self.kill();
        }
    }
}

/// Kills every process of the namespace but this one.
fn kill_all() {
    sys::signal(-1, libc::SIGKILL);
}

/// Counts the processes of the namespace but this one, and the memory they have. Unit: bytes.
fn census() -> (u64, u64) {
    let Ok(processes) = fs::read_dir("/proc") else {
        return (0, 0);
    };
    let page = rustix::param::page_size() as u64;
    processes
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name != OsStr::new("1") && name.as_encoded_bytes()[0].is_ascii_digit())
        .fold((0, 0), |(count, memory), name| {
            let pages = fs::read_to_string(Path::new("/proc").join(name).join("statm"))
                .ok()
                .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
            (count + 1, memory + pages.unwrap_or(0) * page)
        })
}
