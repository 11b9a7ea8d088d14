//! Turns a plan into what the spawner needs; everything that can fail early, fails here.

use std::{
    ffi::OsString,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use harness_core::{ByteCount, Level};
use harness_guard::CagePlan;
use rustix::{
    io::Errno,
    process::{Resource, Rlimit},
};

use super::{
    SpawnError, census, child::Lock, filter::Filters, lock::rules, scratch::Scratch, spawner::Start,
};
use crate::disk::{FOLDER, open_beneath, open_folder};

/// The largest file a command may write.
const FILE_MAX: ByteCount = ByteCount::gib(2);

/// How many files a command may hold open.
const OPEN_FILES_MAX: u64 = 4096;

/// What a cage is made of, as plain references.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline<'a> {
    pub(super) level: Level,
    pub(super) root: &'a Path,
    pub(super) cwd: &'a Path,
    pub(super) writable: &'a [PathBuf],
    pub(super) readable: &'a [PathBuf],
    pub(super) read_only: &'a [PathBuf],
    pub(super) masked: &'a [PathBuf],
    pub(super) environment: &'a [(String, String)],
    pub(super) home: &'a Path,
    pub(super) temp: &'a Path,
    pub(super) memory: ByteCount,
    pub(super) processes: u32,
}

impl<'a> Outline<'a> {
    pub(super) fn of(plan: &'a CagePlan) -> Self {
        Self {
            level: plan.level(),
            root: plan.root(),
            cwd: plan.cwd(),
            writable: plan.writable(),
            readable: plan.readable(),
            read_only: plan.read_only(),
            masked: plan.masked(),
            environment: plan.environment(),
            home: plan.home(),
            temp: plan.temp(),
            memory: plan.limits().memory,
            processes: plan.limits().processes,
        }
    }
}

/// A command that is ready to start.
pub(super) struct Prepared {
    pub(super) start: Start,
    pub(super) program: String,
    /// The command's folder for temporary files; it lasts as long as this does.
    pub(super) scratch: Scratch,
}

pub(super) fn prepare(outline: &Outline<'_>, argv: &[OsString]) -> Result<Prepared, SpawnError> {
    let (program, arguments) = argv.split_first().ok_or(SpawnError::Empty)?;
    let root = open_folder(outline.root).map_err(|errno| folder(outline.root, errno))?;
    let cwd = open_cwd(&root, outline)?;
    let scratch = Scratch::create(outline.temp).map_err(|source| SpawnError::Folder {
        path: outline.temp.to_owned(),
        source,
    })?;
    let lock = match outline.level {
        Level::None | Level::External => None,
        Level::Landlock => Some(Lock {
            ruleset: rules(&root, outline, scratch.path())?,
            filters: filters()?,
        }),
        Level::Namespaces => return Err(SpawnError::Level(outline.level)),
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(outline.environment.iter().cloned())
        .env("TMPDIR", scratch.path());
    Ok(Prepared {
        start: Start {
            command,
            cwd,
            resources: resources(outline),
            lock,
        },
        program: program.to_string_lossy().into_owned(),
        scratch,
    })
}

pub(super) fn folder(path: &Path, errno: Errno) -> SpawnError {
    SpawnError::Folder {
        path: path.to_owned(),
        source: errno.into(),
    }
}

/// Opens the working folder beneath the root: a link on the way to it is not followed.
fn open_cwd(root: &OwnedFd, outline: &Outline<'_>) -> Result<OwnedFd, SpawnError> {
    let path = outline.cwd;
    let failed = |errno: Errno| SpawnError::Cwd {
        path: path.to_owned(),
        source: errno.into(),
    };
    let inside = path
        .strip_prefix(outline.root)
        .map_err(|_| failed(Errno::XDEV))?;
    open_beneath(root, dotted(inside), FOLDER).map_err(failed)
}

/// Returns a path that names the folder itself where it is empty.
pub(super) fn dotted(path: &Path) -> &Path {
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}

/// Returns the compiled filters, which are the same for every command.
fn filters() -> Result<&'static [Vec<libc::sock_filter>], SpawnError> {
    static FILTERS: OnceLock<Filters> = OnceLock::new();
    if let Some(filters) = FILTERS.get() {
        return Ok(&filters.0);
    }
    let compiled = Filters::compile().map_err(|source| SpawnError::Seccomp { source })?;
    Ok(&FILTERS.get_or_init(|| compiled).0)
}

/// Returns the bounds that each process of the command inherits.
fn resources(outline: &Outline<'_>) -> Vec<(Resource, Rlimit)> {
    // The kernel counts everything the person runs, so that is added.
    let processes = census::tasks_of_this_user() + u64::from(outline.processes);
    [
        (Resource::Core, 0),
        (Resource::Fsize, FILE_MAX.0),
        (Resource::Data, outline.memory.0),
        (Resource::Nofile, OPEN_FILES_MAX),
        (Resource::Nproc, processes),
    ]
    .map(|(resource, wanted)| {
        let hard = rustix::process::getrlimit(resource).maximum;
        let limit = Some(hard.map_or(wanted, |hard| hard.min(wanted)));
        let limit = Rlimit {
            current: limit,
            maximum: limit,
        };
        (resource, limit)
    })
    .into()
}
