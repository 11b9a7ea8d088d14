//! What a cage can be built from on this machine: folders, private homes, environment.
//!
//! Gathers facts for the guard, which makes plans of them. Nothing of the
//! person's home is readable in a cage but the install roots of tools on `PATH`
//! and what their toolchains have downloaded, and of those no file that holds
//! credentials. What scopes hide or pin is not known here: the runner adds it.
//!
//! Homes, all below the cache of the repository:
//!
//! | home | kept | written by | besides it is read |
//! |---|---|---|---|
//! | `agent` | yes | the agent's commands | the work tree's setup home, the person's caches |
//! | `setup-work-tree`, `setup-base` | yes | setup steps alone | the person's caches |
//! | `setup-candidate` | until its steps run again | setup steps alone | the base's setup home, the person's caches |
//! | one for each checkout of a gate | no | one gate | the checkout's setup home, the person's caches |
//!
//! So nothing that an agent's command wrote, and nothing that a gate left, is in
//! the home of a gate or of a step that has a network.

mod masked;
mod readable;
mod seed;
mod toolchain;

use std::{
    env, fs, io,
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use harness_core::{Level, SetupPlace};
use harness_guard::{Machine, clean_environment, network::Hosts};

use self::{
    readable::{host_environment, readable},
    toolchain::Caches,
};
use crate::process::Scratch;

pub use masked::{masked_program, missing_program};
pub(crate) use readable::system_folders;

/// Whose processes a machine is described for. The two share no writable folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// What an agent runs.
    Agent,
    /// What a gate runs.
    Gate,
}

/// Whether what runs in a home can download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// It has hosts to download from: what toolchains rewrite then is the home's own.
    Hosts,
    /// It has no network: everything is shown as it is.
    Nothing,
}

impl Reach {
    /// Returns the reach of what may reach these hosts.
    pub fn of(hosts: &Hosts) -> Self {
        if hosts.is_empty() {
            Self::Nothing
        } else {
            Self::Hosts
        }
    }
}

/// Where things are, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The repository's root.
    pub root: &'a Path,
    /// The common git directory.
    pub git_dir: &'a Path,
    /// What is enforced, as it was proven.
    pub level: Level,
    /// The harness's cache folder for this repository.
    pub cache: &'a Path,
    /// Whose processes.
    pub role: Role,
    /// Names of variables that the trusted configuration passes on.
    pub environment: &'a [String],
}

/// A private folder that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare the private folder `{}`", path.display())]
pub struct MachineError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// What of the system's folders is for the system's administrator alone, who may be who runs this program.
const SECRETS: [&str; 6] = [
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/ssh",
    "/etc/ssl/private",
];

/// The person's own checkouts belong to somebody else than the cage's home, and git would refuse them.
const GIT_CONFIG: &str = "[safe]\n\tdirectory = *\n";

/// Gathers what the guard needs to make plans for a role; private folders are made where missing.
///
/// Each role has a kept home below the cache, and a folder in which each command
/// gets one of its own for temporary files. What killed processes left there is removed.
///
/// # Errors
/// When a private folder cannot be made.
pub fn machine(place: &Place<'_>) -> Result<Machine, MachineError> {
    let home = private(place.cache.join("home").join(place.role.folder()))?;
    let temp = private(place.cache.join("tmp").join(place.role.folder()))?;
    Scratch::remove_left_overs(&temp);
    let host = host_environment();
    let environment = clean_environment(host.iter().cloned(), &home, &temp, place.environment);
    let machine = Machine {
        root: place.root.to_owned(),
        git_dir: place.git_dir.to_owned(),
        level: place.level,
        read: readable(&host),
        opened: Vec::new(),
        pinned: Vec::new(),
        masked: secrets(),
        environment,
        home: home.clone(),
        temp,
    };
    let before: &[SetupPlace] = match place.role {
        Role::Agent => &[SetupPlace::WorkTree],
        Role::Gate => &[],
    };
    at_home(&machine, home, before)
}

/// Fills the agent's kept home with what its toolchains need of the person's caches and of what
/// setup steps left. What stands there already stays.
pub fn fill_agent_home(machine: &Machine, reach: Reach) {
    let caches = caches_before(machine, &[SetupPlace::WorkTree]);
    seed::fill_kept(&machine.home, &caches, reach);
}

/// Returns the machine with a home that is new: nothing a process left in an earlier one is in it.
///
/// `name` tells homes that are in use at the same time apart. The home lies
/// beside the kept one and is emptied first. What setup steps left for `setup` is
/// found from there, and not written.
///
/// # Errors
/// When it cannot be emptied or made.
pub fn with_fresh_home(
    machine: &Machine,
    name: &str,
    setup: SetupPlace,
) -> Result<Machine, MachineError> {
    let home = emptied(machine.home.with_file_name(name))?;
    // What such steps found in the home of others is a link to there.
    let before = [&[setup], steps_before(setup)].concat();
    let machine = at_home(machine, home, &before)?;
    seed::fill_fresh(&machine.home, &caches_before(&machine, &before));
    Ok(machine)
}

/// Returns the machine with the kept home that only setup steps write.
///
/// # Errors
/// When it cannot be made.
pub fn with_setup_home(
    machine: &Machine,
    place: SetupPlace,
    reach: Reach,
) -> Result<Machine, MachineError> {
    let home = private(setup_home(machine, place))?;
    let before = steps_before(place);
    let machine = at_home(machine, home, before)?;
    seed::fill_kept(&machine.home, &caches_before(&machine, before), reach);
    Ok(machine)
}

/// Empties the home that only setup steps write: what they leave there is made anew.
///
/// # Errors
/// When it cannot be emptied.
pub fn empty_setup_home(machine: &Machine, place: SetupPlace) -> Result<(), MachineError> {
    emptied(setup_home(machine, place)).map(drop)
}

/// A candidate has an agent's changes in it, so that its steps write a home of their own.
const fn steps_before(place: SetupPlace) -> &'static [SetupPlace] {
    match place {
        SetupPlace::WorkTree | SetupPlace::Base => &[],
        SetupPlace::Candidate => &[SetupPlace::Base],
    }
}

fn setup_home(machine: &Machine, place: SetupPlace) -> PathBuf {
    let name = match place {
        SetupPlace::WorkTree => "setup-work-tree",
        SetupPlace::Base => "setup-base",
        SetupPlace::Candidate => "setup-candidate",
    };
    machine.home.with_file_name(name)
}

/// Returns where toolchains find what was downloaded before, what is asked first before what is asked last.
fn caches_before(machine: &Machine, before: &[SetupPlace]) -> Vec<Caches> {
    let homes = before.iter().map(|place| setup_home(machine, *place));
    let mut caches: Vec<Caches> = homes.map(|home| Caches::below(&home)).collect();
    caches.push(Caches::of_person(&host_environment()));
    caches
}

/// Moves the machine to another home, from which what was downloaded before is found.
fn at_home(
    machine: &Machine,
    home: PathBuf,
    before: &[SetupPlace],
) -> Result<Machine, MachineError> {
    write_git_config(&home)?;
    let (old, new) = (machine.home.to_string_lossy(), home.to_string_lossy());
    let moved = |(key, value): &(String, String)| match value.strip_prefix(&*old) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            (key.clone(), format!("{new}{rest}"))
        }
        _ => (key.clone(), value.clone()),
    };
    let mut environment: Vec<(String, String)> = machine.environment.iter().map(moved).collect();
    let caches = caches_before(machine, before);
    toolchain::point(&mut environment, &home, &caches);
    let mut read = machine.read.clone();
    for place in before {
        // A cage is built from what exists.
        read.push(private(setup_home(machine, *place))?);
    }
    read.extend(caches.iter().flat_map(Caches::folders));
    // A cache that was moved to the person's home, or above it, opens neither.
    let above = env::home_dir().unwrap_or_default();
    read.retain(|path| !above.starts_with(path));
    read.sort();
    read.dedup();
    Ok(Machine {
        home,
        environment,
        read,
        ..machine.clone()
    })
}

fn emptied(home: PathBuf) -> Result<PathBuf, MachineError> {
    match fs::remove_dir_all(&home) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(MachineError { path: home, source });
        }
        _ => {}
    }
    private(home)
}

impl Role {
    const fn folder(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Gate => "gate",
        }
    }
}

/// Returns the system's secrets that exist and that this user could read.
fn secrets() -> Vec<PathBuf> {
    let is_readable =
        |path: &&&str| rustix::fs::access(**path, rustix::fs::Access::READ_OK).is_ok();
    SECRETS
        .iter()
        .filter(is_readable)
        .map(PathBuf::from)
        .collect()
}

fn private(path: PathBuf) -> Result<PathBuf, MachineError> {
    match fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path)
    {
        Ok(()) => Ok(path),
        Err(source) => Err(MachineError { path, source }),
    }
}

/// Writes the home's git settings anew. Commands may write there: a link left in the way is
/// removed, never followed.
fn write_git_config(home: &Path) -> Result<(), MachineError> {
    let path = home.join(".gitconfig");
    let write = || {
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        fs::File::create_new(&path)?.write_all(GIT_CONFIG.as_bytes())
    };
    write().map_err(|source| MachineError {
        path: path.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_own_folders_that_others_cannot_enter() {
        use std::os::unix::fs::PermissionsExt;
        let cache = tempfile::tempdir().unwrap();
        let of = |role| {
            machine(&Place {
                root: Path::new("/repository"),
                git_dir: Path::new("/repository/.git"),
                level: Level::None,
                cache: cache.path(),
                role,
                environment: &[],
            })
            .unwrap()
        };
        let (agent, gate) = (of(Role::Agent), of(Role::Gate));
        assert_ne!(agent.home, gate.home);
        assert_ne!(agent.temp, gate.temp);
        for folder in [&agent.home, &agent.temp, &gate.home, &gate.temp] {
            let mode = fs::metadata(folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
        assert!(agent.home.join(".gitconfig").is_file());
    }

    #[test]
    fn a_link_left_at_the_git_settings_is_not_followed() {
        let cache = tempfile::tempdir().unwrap();
        let victim = cache.path().join("victim");
        fs::write(&victim, "kept").unwrap();
        let home = private(cache.path().join("home")).unwrap();
        std::os::unix::fs::symlink(&victim, home.join(".gitconfig")).unwrap();
        write_git_config(&home).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }
}
