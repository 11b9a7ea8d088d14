//! What attempts are made on: folders, sockets and a process, made for them and gone with them.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    net::{TcpListener, UdpSocket},
    os::{
        fd::AsRawFd,
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStringExt,
            fs::MetadataExt,
            net::{SocketAddr, UnixListener},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness_core::{
    Action, ByteCount, Feature, FeatureId, Level, Limits, Policy, RepoPath, ScopeRules, Sourced,
    TokenCount,
};
use harness_guard::{CagePlan, Guard, Machine, clean_environment};
use rustix::{
    io::FdFlags,
    process::{Pid, Signal},
};

use super::{
    Attempt,
    serve::{ARGUMENT, STAND_IN},
};
use crate::{machine::system_folders, process::Scratch};

/// How many processes a command may have while attempts are made.
const PROCESSES_MAX: u32 = 24;

/// How many an attempt starts.
const CROWD: u32 = 96;

/// How much memory a process may have while attempts are made.
const MEMORY_MAX: ByteCount = ByteCount::mib(64);

/// How much an attempt takes.
const MEMORY: ByteCount = ByteCount::mib(160);

/// How long one command may take. The longest attempt takes two seconds.
const COMMAND_MAX: Duration = Duration::from_secs(10);

/// How long what was ended may take to be gone, and what was sent to arrive.
const SETTLES: Duration = Duration::from_millis(300);

/// The variable that is looked for in environments.
const MARKER: &str = "HARNESS_ATTEMPT_MARKER";

/// Folders and listeners; dropping it takes all of it away.
pub(super) struct Scene {
    folder: Scratch,
    program: PathBuf,
    tcp: TcpListener,
    udp: UdpSocket,
    unix: UnixListener,
    hidden_unix: UnixListener,
    /// A handle that every process inherits; only while all attempts are made.
    left_open: Option<File>,
    stand_in: Option<Child>,
}

impl Scene {
    /// Makes one below the folder for temporary files; `program` is what tries.
    pub(super) fn make(program: PathBuf) -> io::Result<Self> {
        let folder = Scratch::create(&std::env::temp_dir().canonicalize()?)?;
        let at = |path: &str| folder.path().join(path);
        for made in [
            "repo/src/kept",
            "repo/src/moved",
            "repo/.git",
            "outside",
            "home",
            "temp",
        ] {
            fs::create_dir_all(at(made))?;
        }
        for file in [
            "repo/src/kept/lock",
            "repo/src/moved/lock",
            "repo/src/hidden",
            "repo/hidden",
            "repo/closed",
            "outside/mode",
            "outside/times",
        ] {
            fs::write(at(file), "as it was\n")?;
        }
        let unix = UnixListener::bind(at("outside/socket"))?;
        let name = SocketAddr::from_abstract_name(abstract_name(folder.path()).as_encoded_bytes())?;
        let hidden_unix = UnixListener::bind_addr(&name)?;
        let tcp = TcpListener::bind(("127.0.0.1", 0))?;
        let udp = UdpSocket::bind(("127.0.0.1", 0))?;
        tcp.set_nonblocking(true)?;
        udp.set_nonblocking(true)?;
        unix.set_nonblocking(true)?;
        hidden_unix.set_nonblocking(true)?;
        Ok(Self {
            folder,
            program,
            tcp,
            udp,
            unix,
            hidden_unix,
            left_open: None,
            stand_in: None,
        })
    }

    /// Opens a folder as a library might leave it: handed on to every program that is started.
    pub(super) fn leave_open(&mut self) -> io::Result<()> {
        let folder = File::open(self.at("outside"))?;
        rustix::io::fcntl_setfd(&folder, FdFlags::empty())?;
        self.left_open = Some(folder);
        Ok(())
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// Returns a path below the scene's own folder.
    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Returns a file that may be written in a cage.
    pub(super) fn inside(&self) -> PathBuf {
        self.at("repo/src/written")
    }

    /// Makes the plan of a command in the scene's repository.
    pub(super) fn plan(&self, level: Level) -> Option<CagePlan> {
        let rule = |path: &str| Sourced::built_in(path.to_owned());
        let file = |path: &str| RepoPath::parse(path).ok();
        let policy = Policy {
            scope: ScopeRules {
                write: vec![rule("src/**")],
                hide: vec![rule("src/hidden"), rule("hidden")],
                protect: vec![
                    rule("src/kept/lock"),
                    rule("src/moved/lock"),
                    rule("src/absent"),
                ],
                ..ScopeRules::default()
            },
            gates: Vec::new(),
            commands: Vec::new(),
            network_closed: String::new(),
            formats: Vec::new(),
            amendments: Vec::new(),
            review: harness_core::ReviewBy::None,
            limits: Limits {
                command: COMMAND_MAX,
                processes: PROCESSES_MAX,
                memory: MEMORY_MAX,
                ..Limits::default()
            },
            isolate: true,
            feature_file: file("feature_list.json")?,
            progress_file: file("progress.md")?,
            map_file: "AGENTS.md".to_owned(),
            context_budget: TokenCount(0),
            network: Vec::new(),
        };
        let action = Action::Run {
            command: String::new(),
            cwd: RepoPath::root(),
            background: false,
        };
        let guard = Guard::new(&policy, &Feature::titled(FeatureId::task(1), "attempts")).ok()?;
        let permit = guard.permit(action).ok()?;
        let [root, home, temp] = ["repo", "home", "temp"].map(|path| self.at(path));
        let environment = clean_environment(std::iter::empty(), &home, &temp, &[]);
        let machine = Machine {
            git_dir: root.join(".git"),
            level,
            home,
            temp,
            read: [system_folders(), vec![self.program.clone()]].concat(),
            opened: Vec::new(),
            pinned: Vec::new(),
            masked: vec![root.join("src/hidden"), root.join("hidden")],
            environment,
            root,
        };
        CagePlan::for_permit(&permit, &machine)
    }

    /// Returns what an attempt is told; `None` where there is nothing on this machine to try it on.
    pub(super) fn argument(&mut self, attempt: Attempt) -> io::Result<Option<OsString>> {
        let path = |path: &str| OsString::from(self.at(path));
        let argument = match attempt {
            Attempt::WriteOutside => path("outside/new"),
            Attempt::ChangeModeOutside => path("outside/mode"),
            Attempt::ChangeTimesOutside => path("outside/times"),
            Attempt::ChangeModeInside => path("repo/closed"),
            Attempt::WriteProtected => path("repo/src/kept/lock"),
            Attempt::MoveProtected => path("repo/src/moved/lock"),
            Attempt::MakeProtected => path("repo/src/absent"),
            Attempt::ReadHidden => path("repo/hidden"),
            Attempt::ReadHiddenInScope => path("repo/src/hidden"),
            Attempt::ReadHome => return Ok(readable_file_of_home(&self.program).map(Into::into)),
            Attempt::ConnectTcp | Attempt::ConnectFastOpen | Attempt::ConnectMultipath => {
                self.tcp.local_addr()?.port().to_string().into()
            }
            Attempt::SendDatagram => self.udp.local_addr()?.port().to_string().into(),
            Attempt::ConnectUnix => path("outside/socket"),
            Attempt::ConnectAbstract => abstract_name(self.folder.path()),
            Attempt::Trace | Attempt::Signal => self.stand_in()?.to_string().into(),
            Attempt::ReadEnvironment => {
                self.stand_in()?;
                self.marker()
            }
            Attempt::Mount => path("repo/src"),
            Attempt::UseLeakedHandle => match &self.left_open {
                Some(folder) => folder.as_raw_fd().to_string().into(),
                None => return Ok(None),
            },
            Attempt::LeaveDaemon => path("daemon"),
            Attempt::Crowd => CROWD.to_string().into(),
            Attempt::TakeMemory => MEMORY.0.to_string().into(),
            Attempt::OpenVsock
            | Attempt::OpenNetlink
            | Attempt::MakeRing
            | Attempt::TypeIntoTerminal
            | Attempt::MakeUserNamespace
            | Attempt::ReachKeys
            | Attempt::UseBpf
            | Attempt::WriteSysctl => OsString::new(),
        };
        Ok(Some(argument))
    }

    /// Looks whether an attempt worked. `is_said` is what whoever tried says, which decides where
    /// nothing can be seen from here.
    pub(super) fn has_worked(&mut self, attempt: Attempt, is_said: bool) -> bool {
        // What was refused has no effect later on either.
        let arrives =
            |has_come: &mut dyn FnMut() -> bool| has_come() || is_said && arrives(has_come);
        let is_there = |path: &str| self.at(path).exists();
        let is_changed =
            |path: &str| fs::read(self.at(path)).ok().as_deref() != Some(b"as it was\n");
        let mode = |path: &str| fs::metadata(self.at(path)).map_or(0, |found| found.mode() & 0o777);
        match attempt {
            Attempt::WriteOutside => is_there("outside/new"),
            Attempt::ChangeModeOutside => mode("outside/mode") == 0o777,
            Attempt::ChangeModeInside => mode("repo/closed") == 0o777,
            Attempt::ChangeTimesOutside => {
                fs::metadata(self.at("outside/times")).is_ok_and(|found| found.mtime() == 1)
            }
            Attempt::WriteProtected => is_changed("repo/src/kept/lock"),
            Attempt::MoveProtected => is_changed("repo/src/moved/lock"),
            Attempt::MakeProtected => is_there("repo/src/absent"),
            Attempt::UseLeakedHandle => is_there("outside/leaked"),
            Attempt::ConnectTcp | Attempt::ConnectFastOpen | Attempt::ConnectMultipath => {
                arrives(&mut || self.tcp.accept().is_ok())
            }
            Attempt::SendDatagram => arrives(&mut || self.udp.recv(&mut [0]).is_ok()),
            Attempt::ConnectUnix => arrives(&mut || self.unix.accept().is_ok()),
            Attempt::ConnectAbstract => arrives(&mut || self.hidden_unix.accept().is_ok()),
            Attempt::LeaveDaemon => self.end_daemons(),
            Attempt::Signal => {
                let child = self.stand_in.as_mut();
                child.is_some_and(|child| arrives(&mut || !matches!(child.try_wait(), Ok(None))))
            }
            _ => is_said,
        }
    }

    /// Starts the process that others are tried on, unless it lives.
    fn stand_in(&mut self) -> io::Result<u32> {
        if let Some(child) = &mut self.stand_in
            && child.try_wait()?.is_none()
        {
            return Ok(child.id());
        }
        let child = Command::new(&self.program)
            .args([ARGUMENT, STAND_IN])
            .env_clear()
            .env(MARKER, self.marker())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pid = child.id();
        self.stand_in = Some(child);
        Ok(pid)
    }

    fn marker(&self) -> OsString {
        abstract_name(self.folder.path())
    }

    /// Ends what an attempt left behind; whether there was something.
    fn end_daemons(&self) -> bool {
        let word = self.at("daemon");
        let daemons = || processes_with(&word);
        if !arrives_not(|| daemons().is_empty()) {
            return false;
        }
        for pid in daemons() {
            // One that is gone meanwhile needs no end.
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        true
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(child) = &mut self.stand_in {
            // Either fails only for one that is gone.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A name that no other scene has.
fn abstract_name(folder: &Path) -> OsString {
    let mut name = b"harness-attempt".to_vec();
    name.extend(folder.as_os_str().as_encoded_bytes());
    OsString::from_vec(name)
}

/// Waits a moment for something to happen.
fn arrives(has_come: &mut dyn FnMut() -> bool) -> bool {
    let since = Instant::now();
    while since.elapsed() < SETTLES {
        if has_come() {
            return true;
        }
        thread::sleep(Duration::from_millis(2));
    }
    has_come()
}

/// Waits for something to end; whether it is still there after all.
fn arrives_not(mut is_over: impl FnMut() -> bool) -> bool {
    let since = Instant::now();
    while since.elapsed() < SETTLES {
        if is_over() {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    !is_over()
}

/// Finds the processes that carry a word as one of their arguments.
fn processes_with(word: &Path) -> Vec<Pid> {
    let word = word.as_os_str().as_encoded_bytes();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter(|process| {
            fs::read(process.path().join("cmdline"))
                .is_ok_and(|line| line.split(|byte| *byte == 0).any(|part| part == word))
        })
        .filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// Returns a file directly in the person's home that has something to read, and that is not shown
/// in a cage anyway, as the program that tries and the system's folders are.
fn readable_file_of_home(program: &Path) -> Option<PathBuf> {
    let home = std::env::home_dir()?;
    let program = fs::canonicalize(program).ok();
    let is_shown = |path: &PathBuf| {
        let whole = fs::canonicalize(path).ok();
        whole == program || system_folders().iter().any(|seen| path.starts_with(seen))
    };
    fs::read_dir(home)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| !is_shown(path))
        .find(|path| File::open(path).is_ok_and(|mut file| file.read_exact(&mut [0]).is_ok()))
}
