//! A cage that is kept open: commands are started in it one after the other, or at once.
//!
//! At the level `namespaces` a cage is a file tree, a network and a set of
//! processes of its own, held together by its first process (see [`serve`]).
//! Building it takes several milliseconds, starting a command in it about one. At
//! the other levels a cage is its plan alone, and each command is confined anew.

mod attend;
mod bwrap;
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
    Anchor, RunLimits, Scratch, SpawnError,
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

/// Generations between the porter and a command: the first process of the cage, and that of the command.
const OWN_KEEPERS: usize = 2;

/// The same in a cage that was built for one command, whose first process is both.
const BUILT_KEEPERS: usize = 1;

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
    tree: Option<OwnTree>,
}

/// Who makes namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builder {
    /// This program, once for all commands of a cage.
    Own,
    /// The system's bubblewrap, anew for each command.
    Bwrap,
}

/// A cage with a file tree, a network and processes of its own.
#[derive(Debug)]
struct OwnTree {
    layout: Layout,
    /// The hosts that are open.
    hosts: Hosts,
    report: NetworkReport,
    kind: Kind,
    /// What was closed or hidden when the cage was built: a file that is replaced by another of
    /// the same name takes what lies over it away.
    stamps: Vec<(PathBuf, Option<(u64, u64)>)>,
}

#[derive(Debug)]
enum Kind {
    Open(Open),
    /// Built anew for each command, with this folder for temporary files.
    Anew(Scratch),
}

/// The first process of a cage, as the program sees it.
#[derive(Debug)]
struct Open {
    /// The only way to the hosts that are open.
    proxy: Option<Proxy>,
    socket: OwnedFd,
    /// Last, so that the socket is closed before the process is waited for.
    porter: Porter,
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
    /// Where this program may make no namespaces, the system's bubblewrap does.
    ///
    /// # Errors
    /// When the kernel does not give what the plan's level promises, with the step that failed.
    pub async fn open(plan: &CagePlan, report: NetworkReport) -> Result<Self, SpawnError> {
        match Self::open_by(Builder::Own, plan, report.clone()).await {
            Err(error) if bwrap::is_there() && plan.root().exists() => {
                let other = Self::open_by(Builder::Bwrap, plan, report).await;
                // What stood in the way of the better builder is what a person has to know.
                other.map_err(|_| error)
            }
            opened => opened,
        }
    }

    /// Builds the cage of a plan by one builder and no other.
    ///
    /// # Errors
    /// As [`Cage::open`].
    pub async fn open_by(
        builder: Builder,
        plan: &CagePlan,
        report: NetworkReport,
    ) -> Result<Self, SpawnError> {
        let level = plan.level();
        let tree = match level {
            Level::Namespaces => Some(OwnTree::build(builder, plan, report).await?),
            Level::Landlock | Level::External | Level::None => None,
        };
        Ok(Self { level, tree })
    }

    /// Whether commands of `plan` may still be run in this cage.
    ///
    /// A file of the person's that was replaced by a rename, as editors and git do
    /// it, is no longer closed or hidden: such a cage has to be opened anew.
    pub fn fits(&self, plan: &CagePlan) -> bool {
        let stands = |tree: &OwnTree| {
            let mut stamps = tree.stamps.iter();
            stamps.all(|(path, stamp)| stamp_of(path) == *stamp)
                && tree.layout == Layout::of(plan)
                && tree.hosts == *plan.network()
        };
        self.level == plan.level() && self.tree.as_ref().is_none_or(stands)
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
        super::run::run_in(self, plan, argv, limits, on_output, cancelled, drop).await
    }

    /// As [`Cage::run`], for a command that is held still now and then: `on_start` is told what
    /// all its processes hang on.
    ///
    /// # Errors
    /// As [`run`](super::run()).
    pub async fn run_anchored(
        &self,
        plan: &CagePlan,
        argv: &[OsString],
        limits: &RunLimits,
        on_output: impl FnMut(&[u8]),
        cancelled: Cancelled,
        on_start: impl FnOnce(Anchor),
    ) -> Result<Exited, SpawnError> {
        super::run::run_in(self, plan, argv, limits, on_output, cancelled, on_start).await
    }

    /// Whether a server of one command is reached by the next, as long as this cage is open.
    pub fn shares_loopback(&self) -> bool {
        match (&self.tree, self.level) {
            (Some(tree), _) => matches!(tree.kind, Kind::Open(_)),
            (None, level) => matches!(level, Level::External | Level::None),
        }
    }

    /// Starts a command in the cage; `None` where the level has no tree of its own.
    pub(super) async fn start(
        &self,
        plan: &CagePlan,
        argv: &[OsString],
    ) -> Option<Result<Attended, SpawnError>> {
        match &self.tree {
            Some(tree) => Some(tree.start(plan, argv).await),
            None => None,
        }
    }
}

/// A command that was started in a cage.
pub(super) struct Attended {
    pub(super) started: Started,
    /// The cage of a command that has one to itself.
    pub(super) own: Option<OneCage>,
}

/// A cage that lasts as long as this does.
#[derive(Debug)]
pub(super) struct OneCage {
    _open: Open,
}

impl OwnTree {
    async fn build(
        builder: Builder,
        plan: &CagePlan,
        report: NetworkReport,
    ) -> Result<Self, SpawnError> {
        let layout = Layout::of(plan);
        let closed = |kind| matches!(kind, MountKind::Close | MountKind::Hide);
        let stamps = layout.mounts.iter().filter(|mount| closed(mount.kind));
        let stamps = stamps.map(|mount| (mount.source.clone(), stamp_of(&mount.source)));
        let stamps = stamps.collect();
        let hosts = plan.network().clone();
        let kind = match builder {
            Builder::Own => {
                let mut command = Command::new(cage_program());
                command.arg(serve::ARGUMENT);
                Kind::Open(open(command, &layout, &hosts, &report).await?)
            }
            Builder::Bwrap => {
                let temp = temp_of(plan)?;
                // Tried once, so that what cannot be built is known before it is needed.
                drop(open_by_bwrap(&temp, &layout, &hosts, &report).await?);
                Kind::Anew(temp)
            }
        };
        Ok(Self {
            layout,
            hosts,
            report,
            kind,
            stamps,
        })
    }

    async fn start(&self, plan: &CagePlan, argv: &[OsString]) -> Result<Attended, SpawnError> {
        check_cwd(plan)?;
        let start = |open: &Open, keepers: usize| {
            let order = order(plan, argv, open.proxy.as_ref());
            let started = open.start(&order, keepers);
            started.map_err(|source| SpawnError::Prepare { source })
        };
        match &self.kind {
            Kind::Open(open) => Ok(Attended {
                started: start(open, OWN_KEEPERS)?,
                own: None,
            }),
            Kind::Anew(temp) => {
                let open = open_by_bwrap(temp, &self.layout, &self.hosts, &self.report).await?;
                Ok(Attended {
                    started: start(&open, BUILT_KEEPERS)?,
                    own: Some(OneCage { _open: open }),
                })
            }
        }
    }
}

/// Makes the folder for temporary files of cages that do not last.
fn temp_of(plan: &CagePlan) -> Result<Scratch, SpawnError> {
    Scratch::create(plan.temp()).map_err(|source| SpawnError::Folder {
        path: plan.temp().to_owned(),
        source,
    })
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
    fn start(&self, order: &Order, keepers: usize) -> io::Result<Started> {
        let porter = self.porter.0.as_ref();
        let porter = porter.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
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
            anchor: porter.anchor(keepers),
            keeper: Keeper::Cage(control.into()),
        })
    }
}

/// Has a cage built for one command.
async fn open_by_bwrap(
    temp: &Scratch,
    layout: &Layout,
    hosts: &Hosts,
    report: &NetworkReport,
) -> Result<Open, SpawnError> {
    let layout = Layout {
        is_built: true,
        ..layout.clone()
    };
    let program = fs::canonicalize(cage_program());
    let program = program.map_err(|source| SpawnError::Cage { source })?;
    let command = bwrap::command(&layout, temp.path(), &program);
    open(command, &layout, hosts, report).await
}

/// Starts the program that holds a cage together, and waits until it stands.
async fn open(
    mut command: Command,
    layout: &Layout,
    hosts: &Hosts,
    report: &NetworkReport,
) -> Result<Open, SpawnError> {
    let failed = |source| SpawnError::Cage { source };
    let (socket, far_end) = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|errno| failed(errno.into()))?;
    command
        .env_clear()
        .stdin(far_end)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let porter = spawner::open_cage(command).await.map_err(failed)?;
    let porter = Porter(Some(porter));
    let message = layout.encode();
    let built = tokio::task::spawn_blocking(move || build(socket, &message)).await;
    let built = built.map_err(|error| failed(io::Error::other(error)))?;
    let (socket, listener) = built.map_err(failed)?;
    let start = |listener| {
        let rules = ProxyRules::new(hosts.clone(), ProxyBounds::default());
        let report = report.clone();
        Proxy::start(listener, rules, move |used| (report.0)(used))
    };
    let proxy = listener.map(start).transpose();
    Ok(Open {
        proxy: proxy.map_err(|error| failed(io::Error::other(error)))?,
        socket,
        porter,
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
