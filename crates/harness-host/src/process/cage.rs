//! A cage that is kept open: commands are started in it one after the other, or at once.
//!
//! At the level `namespaces` a cage is a file tree, a network and a set of
//! processes of its own, held together by its first process (see [`serve`]).
//! Building it takes several milliseconds, starting a command in it about one. At
//! the other levels a cage is its plan alone, and each command is confined anew.

mod attend;
mod layout;
mod serve;
mod sys;
mod tree;
mod wire;

use std::{
    ffi::OsString,
    fmt, fs, io,
    net::TcpListener,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use harness_core::{Level, NetworkUse};
use harness_guard::{CagePlan, MountKind, network::Hosts};
use rustix::{
    net::{AddressFamily, SocketFlags, SocketType, sockopt::Timeout},
    process::Resource,
};

use self::layout::{Layout, Order, RESOURCES};
use super::{
    RunLimits, SpawnError,
    prepare::{FILE_MAX, OPEN_FILES_MAX, check_cwd},
    run::Exited,
    spawner::{self, Helper, Keeper, Started},
};
use crate::{
    Cancelled,
    proxy::{Proxy, ProxyBounds, ProxyRules},
};

pub(super) use attend::{ASK, KILL};
pub use serve::serve_cage;

/// How long a cage may take to be built.
const OPENING_MAX: Duration = Duration::from_secs(20);

/// How much memory the processes of a command may have together, as a multiple of what one may have.
const MEMORY_FACTOR: u64 = 2;

/// Processes of the cage itself, which the kernel counts with the command's.
const OWN_PROCESSES: u64 = 8;

/// Where temporary files are in a cage with a tree of its own.
const TEMP: &str = "/tmp";

/// Says which program serves as the first process of cages; this one unless said otherwise.
///
/// The program must begin with [`serve_cage`] and [`serve_attempt`](super::serve_attempt). Only
/// the first call counts.
pub fn set_cage_program(program: PathBuf) {
    let _ = CAGE_PROGRAM.set(program);
}

static CAGE_PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Where it is said that a connection of a caged process ended or was refused.
#[derive(Clone)]
pub struct NetworkReport(Arc<dyn Fn(NetworkUse) + Send + Sync>);

impl NetworkReport {
    /// Calls `listener`, which must not wait, for each connection.
    pub fn to(listener: impl Fn(NetworkUse) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Tells nobody.
    pub fn to_nobody() -> Self {
        Self::to(drop)
    }
}

impl fmt::Debug for NetworkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkReport")
    }
}

/// What a plan says of files, processes and the network, enforced. Dropping it ends everything in it.
#[derive(Debug)]
pub struct Cage {
    level: Level,
    open: Option<Open>,
}

/// The first process of a cage, as the program sees it.
#[derive(Debug)]
struct Open {
    layout: Layout,
    /// The hosts that are open, and the only way to them.
    hosts: Hosts,
    proxy: Option<Proxy>,
    socket: OwnedFd,
    /// What was closed or hidden when the cage was built: a file that is replaced by another of
    /// the same name takes what lies over it away.
    stamps: Vec<(PathBuf, Option<(u64, u64)>)>,
    /// Last, so that the socket is closed before the process is waited for.
    _porter: Porter,
}

/// The parent of a cage's first process. It ends when that does, which ends when nobody asks any more.
#[derive(Debug)]
struct Porter(Option<Helper>);

impl Drop for Porter {
    fn drop(&mut self) {
        if let Some(helper) = self.0.take() {
            helper.release();
        }
    }
}

impl Cage {
    /// Builds the cage of a plan; connections of its processes are told to `report`.
    ///
    /// # Errors
    /// When the kernel does not give what the plan's level promises, with the step that failed.
    pub async fn open(plan: &CagePlan, report: NetworkReport) -> Result<Self, SpawnError> {
        let level = plan.level();
        let open = match level {
            Level::Namespaces => Some(open(plan, report).await?),
            Level::Landlock | Level::External | Level::None => None,
        };
        Ok(Self { level, open })
    }

    /// Whether commands of `plan` may still be run in this cage.
    ///
    /// A file of the person's that was replaced by a rename, as editors and git do
    /// it, is no longer closed or hidden: such a cage has to be opened anew.
    pub fn fits(&self, plan: &CagePlan) -> bool {
        let stands = |open: &Open| {
            let mut stamps = open.stamps.iter();
            stamps.all(|(path, stamp)| stamp_of(path) == *stamp)
                && open.layout == Layout::of(plan)
                && open.hosts == *plan.network()
        };
        self.level == plan.level() && self.open.as_ref().is_none_or(stands)
    }

    /// Runs a command of a plan that fits, and waits until it and all its descendants are gone.
    ///
    /// As [`run`](super::run()) otherwise. Commands may run at the same time.
    ///
    /// # Errors
    /// As [`run`](super::run()).
    pub async fn run(
        &self,
        plan: &CagePlan,
        argv: &[OsString],
        limits: &RunLimits,
        on_output: impl FnMut(&[u8]),
        cancelled: Cancelled,
    ) -> Result<Exited, SpawnError> {
        super::run::run_in(self, plan, argv, limits, on_output, cancelled).await
    }

    /// Starts a command in the open cage; `None` where the level has none.
    pub(super) fn start(
        &self,
        plan: &CagePlan,
        argv: &[OsString],
    ) -> Option<Result<Started, SpawnError>> {
        let open = self.open.as_ref()?;
        Some(check_cwd(plan).and_then(|()| {
            open.start(&order(plan, argv, open.proxy.as_ref()))
                .map_err(|source| SpawnError::Prepare { source })
        }))
    }
}

/// Words what is to be started as the cage sees it.
fn order(plan: &CagePlan, argv: &[OsString], proxy: Option<&Proxy>) -> Order {
    let limits = plan.limits();
    let processes = u64::from(limits.processes);
    let environment = match proxy {
        Some(proxy) => plan.environment_with_proxy(proxy.port()),
        None => plan.environment().to_vec(),
    };
    let resource = |(index, resource): (u32, &Resource)| {
        let limit = match *resource {
            Resource::Fsize => FILE_MAX.0,
            Resource::Data => limits.memory.0,
            Resource::Nofile => OPEN_FILES_MAX,
            Resource::Nproc => processes + OWN_PROCESSES,
            _ => 0,
        };
        let hard = rustix::process::getrlimit(*resource).maximum;
        (index, hard.map_or(limit, |hard| hard.min(limit)))
    };
    Order {
        argv: argv.to_vec(),
        environment: environment
            .into_iter()
            .filter(|(name, _)| name != "TMPDIR")
            .map(|(name, value)| (name.into(), value.into()))
            .chain([("TMPDIR".into(), TEMP.into())])
            .collect(),
        place: plan.place().to_owned(),
        cwd: plan.inside(plan.cwd()),
        writable: plan
            .writable()
            .iter()
            .map(|path| plan.inside(path))
            .chain([plan.home().to_owned()])
            .collect(),
        resources: (0..).zip(&RESOURCES).map(resource).collect(),
        processes,
        memory: limits.memory.0.saturating_mul(MEMORY_FACTOR),
    }
}

impl Open {
    fn start(&self, order: &Order) -> io::Result<Started> {
        let (output, output_end) = io::pipe()?;
        let (report, report_end) = io::pipe()?;
        let (control_end, control) = io::pipe()?;
        let begun = Instant::now();
        let handles = [output_end.as_fd(), report_end.as_fd(), control_end.as_fd()];
        wire::send(&self.socket, &order.encode(), &handles)?;
        Ok(Started {
            output: output.into(),
            report: report.into(),
            begun,
            keeper: Keeper::Cage(control.into()),
        })
    }
}

async fn open(plan: &CagePlan, report: NetworkReport) -> Result<Open, SpawnError> {
    let failed = |source| SpawnError::Cage { source };
    let (socket, far_end) = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|errno| failed(errno.into()))?;
    let mut command = Command::new(cage_program());
    command
        .arg(serve::ARGUMENT)
        .env_clear()
        .stdin(far_end)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let porter = spawner::open_cage(command).await.map_err(failed)?;
    let porter = Porter(Some(porter));
    let layout = Layout::of(plan);
    let stamps = layout
        .mounts
        .iter()
        .filter(|mount| matches!(mount.kind, MountKind::Close | MountKind::Hide))
        .map(|mount| (mount.source.clone(), stamp_of(&mount.source)))
        .collect();
    let message = layout.encode();
    let built = tokio::task::spawn_blocking(move || build(socket, &message)).await;
    let built = built.map_err(|error| failed(io::Error::other(error)))?;
    let (socket, listener) = built.map_err(failed)?;
    let hosts = plan.network().clone();
    let start = |listener| {
        let rules = ProxyRules::new(hosts.clone(), ProxyBounds::default());
        Proxy::start(listener, rules, move |used| (report.0)(used))
    };
    let proxy = listener.map(start).transpose();
    let proxy = proxy.map_err(|error| failed(io::Error::other(error)))?;
    Ok(Open {
        layout,
        hosts,
        proxy,
        socket,
        stamps,
        _porter: porter,
    })
}

/// Asks for the cage and waits until it stands.
fn build(socket: OwnedFd, layout: &[u8]) -> io::Result<(OwnedFd, Option<TcpListener>)> {
    rustix::net::sockopt::set_socket_timeout(&socket, Timeout::Recv, Some(OPENING_MAX))?;
    wire::send(&socket, layout, &[])?;
    match wire::receive(&socket)? {
        Some((text, mut handles)) if text.is_empty() => {
            Ok((socket, handles.pop().map(TcpListener::from)))
        }
        Some((text, _)) => Err(io::Error::other(
            String::from_utf8_lossy(&text).into_owned(),
        )),
        None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
    }
}

/// Returns where this program, or what stands in for it, is found.
pub(super) fn own_program() -> io::Result<PathBuf> {
    match CAGE_PROGRAM.get() {
        Some(program) => Ok(program.clone()),
        None => std::env::current_exe(),
    }
}

fn cage_program() -> &'static Path {
    CAGE_PROGRAM
        .get()
        .map_or(Path::new("/proc/self/exe"), PathBuf::as_path)
}

/// Returns which file stands at a path, links not followed.
fn stamp_of(path: &Path) -> Option<(u64, u64)> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}
