//! Turns a plan into what the spawner needs; everything that can fail early, fails here.

use std::{ffi::OsString, os::fd::OwnedFd, path::Path, process::Command};

use harness_core::{ByteCount, Level};
use harness_guard::CagePlan;
use rustix::{
    io::Errno,
    process::{Resource, Rlimit},
};

use super::{
    SpawnError, census,
    child::{Bars, Lock},
    filter::Filters,
    lock::rules,
    scratch::Scratch,
    spawner::Start,
};
use crate::disk::{FOLDER, open_beneath, open_folder};

/// The largest file a command may write.
pub(super) const FILE_MAX: ByteCount = ByteCount::gib(2);

/// How many files a command may hold open.
pub(super) const OPEN_FILES_MAX: u64 = 4096;

/// A command that is ready to start.
pub(super) struct Prepared {
    pub(super) start: Start,
    /// The command's folder for temporary files; it lasts as long as this does.
    pub(super) scratch: Scratch,
}

pub(super) fn prepare(plan: &CagePlan, argv: &[OsString]) -> Result<Prepared, SpawnError> {
    let (program, arguments) = argv.split_first().ok_or(SpawnError::Empty)?;
    let root = open_folder(plan.root()).map_err(|errno| folder(plan.root(), errno))?;
    let cwd = open_cwd(&root, plan)?;
    let scratch = Scratch::create(plan.temp()).map_err(|source| SpawnError::Folder {
        path: plan.temp().to_owned(),
        source,
    })?;
    let lock = match plan.level() {
        Level::None | Level::External => None,
        Level::Landlock => Some(Lock {
            ruleset: rules(&root, plan, scratch.path())?,
            filters: Filters::in_the_open().map_err(|source| SpawnError::Seccomp { source })?,
        }),
        // Such a command is started in its open cage.
        Level::Namespaces => return Err(folder(plan.root(), Errno::NOSYS)),
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(plan.environment().iter().cloned())
        .env("TMPDIR", scratch.path());
    Ok(Prepared {
        start: Start {
            command,
            bars: Bars {
                cwd,
                resources: resources(plan),
                lock,
            },
        },
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
fn open_cwd(root: &OwnedFd, plan: &CagePlan) -> Result<OwnedFd, SpawnError> {
    let path = plan.cwd();
    let failed = |errno: Errno| SpawnError::Cwd {
        path: path.to_owned(),
        source: errno.into(),
    };
    let inside = path
        .strip_prefix(plan.root())
        .map_err(|_| failed(Errno::XDEV))?;
    open_beneath(root, dotted(inside), FOLDER).map_err(failed)
}

/// Says why a plan's working folder cannot be entered.
pub(super) fn check_cwd(plan: &CagePlan) -> Result<(), SpawnError> {
    let root = open_folder(plan.root()).map_err(|errno| folder(plan.root(), errno))?;
    open_cwd(&root, plan).map(drop)
}

/// Returns a path that names the folder itself where it is empty.
pub(super) fn dotted(path: &Path) -> &Path {
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}

/// Returns the bounds that each process of the command inherits.
fn resources(plan: &CagePlan) -> Vec<(Resource, Rlimit)> {
    // The kernel counts everything the person runs, so that is added.
    let processes = census::tasks_of_this_user() + u64::from(plan.limits().processes);
    [
        (Resource::Core, 0),
        (Resource::Fsize, FILE_MAX.0),
        (Resource::Data, plan.limits().memory.0),
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
