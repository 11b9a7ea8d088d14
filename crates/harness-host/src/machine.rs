//! What a cage can be built from on this machine: folders, private homes, environment.
//!
//! Gathers facts for the guard, which makes plans of them. Nothing of the
//! person's home is readable in a cage but the install roots of tools on `PATH`,
//! and of those no file that holds credentials. What scopes hide or pin is not
//! known here: the runner adds it.

use std::{
    collections::BTreeSet,
    env, fs, io,
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use harness_core::Level;
use harness_guard::{Machine, clean_environment};

use crate::process::Scratch;

/// Whose processes a machine is described for. The two share no writable folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// What an agent runs.
    Agent,
    /// What a gate runs.
    Gate,
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

/// Folders of the system that hold programs, libraries, settings and facts about the machine.
const SYSTEM: [&str; 13] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/gnu/store",
    "/proc",
    "/sys",
];

/// What of those folders is for the system's administrator alone, who may be who runs this program.
const SECRETS: [&str; 6] = [
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/ssh",
    "/etc/ssl/private",
];

/// Homes of toolchains below the person's home, and the variables that lead elsewhere.
const TOOLCHAIN_HOMES: [(&str, &str); 6] = [
    ("CARGO_HOME", ".cargo"),
    ("RUSTUP_HOME", ".rustup"),
    ("PYENV_ROOT", ".pyenv"),
    ("NVM_DIR", ".nvm"),
    ("VOLTA_HOME", ".volta"),
    ("RBENV_ROOT", ".rbenv"),
];

/// Install roots below the person's home that are read whole when `PATH` leads into them.
const INSTALL_ROOTS: [&str; 18] = [
    ".rustup",
    ".pyenv",
    ".nvm",
    ".volta",
    ".rbenv",
    ".asdf",
    ".sdkman",
    ".bun",
    ".deno",
    ".fnm",
    ".nodenv",
    ".goenv",
    ".juliaup",
    ".ghcup",
    ".dotnet",
    ".npm-global",
    "miniconda3",
    "anaconda3",
];

/// What is read of cargo's home: its credentials stand beside these.
const CARGO_PARTS: [&str; 6] = ["bin", "registry", "git", "env", "config.toml", "config"];

/// What is read of `~/.local`, where keyrings are kept as well.
const LOCAL_PARTS: [&str; 6] = [
    "bin",
    "lib",
    "share/fnm",
    "share/mise",
    "share/pipx",
    "share/uv",
];

/// Folders below the person's home that are never read, wherever `PATH` leads.
const NEVER: [&str; 8] = [
    ".ssh",
    ".aws",
    ".config",
    ".gnupg",
    ".kube",
    ".docker",
    ".azure",
    ".password-store",
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
    write_git_config(&home)?;
    let host = host_environment();
    Ok(Machine {
        root: place.root.to_owned(),
        git_dir: place.git_dir.to_owned(),
        level: place.level,
        read: readable(&host),
        opened: Vec::new(),
        pinned: Vec::new(),
        masked: secrets(),
        environment: clean_environment(host.into_iter(), &home, &temp, place.environment),
        home,
        temp,
    })
}

/// Returns the machine with a home that is new: nothing a process left in an earlier one is in it.
///
/// `name` tells homes that are in use at the same time apart. The home lies
/// beside the kept one and is emptied first.
///
/// # Errors
/// When it cannot be emptied or made.
pub fn with_fresh_home(machine: &Machine, name: &str) -> Result<Machine, MachineError> {
    let home = machine.home.with_file_name(name);
    match fs::remove_dir_all(&home) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(MachineError { path: home, source });
        }
        _ => {}
    }
    let home = private(home)?;
    write_git_config(&home)?;
    let (old, new) = (machine.home.to_string_lossy(), home.to_string_lossy());
    let moved = |(key, value): &(String, String)| match value.strip_prefix(&*old) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            (key.clone(), format!("{new}{rest}"))
        }
        _ => (key.clone(), value.clone()),
    };
    let environment = machine.environment.iter().map(moved).collect();
    Ok(Machine {
        home,
        environment,
        ..machine.clone()
    })
}

impl Role {
    const fn folder(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Gate => "gate",
        }
    }
}

/// Returns the system's folders that exist.
pub(crate) fn system_folders() -> Vec<PathBuf> {
    SYSTEM
        .iter()
        .map(PathBuf::from)
        .filter(|path| path.exists())
        .collect()
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

/// Returns the program's environment as text, toolchains' homes spelled out: in the cage
/// `HOME` leads elsewhere, so that their defaults would not be found.
fn host_environment() -> Vec<(String, String)> {
    let mut host: Vec<(String, String)> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let Some(home) = env::home_dir() else {
        return host;
    };
    for (name, folder) in TOOLCHAIN_HOMES {
        let path = home.join(folder);
        if !host.iter().any(|(known, _)| known == name)
            && let Some(path) = path.to_str().filter(|_| path.is_dir())
        {
            host.push((name.to_owned(), path.to_owned()));
        }
    }
    host
}

/// Returns what exists of the system, of tools on `PATH`, and of toolchains.
fn readable(host: &[(String, String)]) -> Vec<PathBuf> {
    let home = env::home_dir().unwrap_or_default();
    let value = |name: &str| host.iter().find(|(known, _)| known == name);
    let mut found: BTreeSet<PathBuf> = system_folders().into_iter().collect();
    let path = value("PATH").map_or("", |(_, path)| path.as_str());
    for entry in env::split_paths(path).filter(|entry| entry.is_absolute()) {
        found.extend(install_root(&entry, &home));
    }
    for (name, _) in TOOLCHAIN_HOMES {
        if let Some((_, folder)) = value(name) {
            found.extend(toolchain_parts(name, Path::new(folder)));
        }
    }
    found.extend(env::current_exe().ok());
    found.retain(|path| path.exists() && !home.starts_with(path));
    found.into_iter().collect()
}

/// Returns what is read because `entry` is on `PATH`.
fn install_root(entry: &Path, home: &Path) -> Vec<PathBuf> {
    let Some(first) = entry
        .strip_prefix(home)
        .ok()
        .filter(|_| !home.as_os_str().is_empty())
        .map(|inside| inside.components().next())
    else {
        return vec![entry.to_owned()];
    };
    let Some(first) = first.and_then(|first| first.as_os_str().to_str()) else {
        return Vec::new();
    };
    let root = home.join(first);
    match first {
        never if NEVER.contains(&never) => Vec::new(),
        ".cargo" => parts(&root, &CARGO_PARTS),
        ".local" => parts(&root, &LOCAL_PARTS),
        "go" => parts(&root, &["bin", "pkg"]),
        known if INSTALL_ROOTS.contains(&known) => vec![root],
        _ => vec![entry.to_owned()],
    }
}

fn toolchain_parts(name: &str, folder: &Path) -> Vec<PathBuf> {
    if name == "CARGO_HOME" {
        return parts(folder, &CARGO_PARTS);
    }
    vec![folder.to_owned()]
}

fn parts(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(entry: &str) -> Vec<String> {
        install_root(Path::new(entry), Path::new("/home/me"))
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    }

    #[test]
    fn a_tool_brings_its_install_root_and_never_a_folder_of_secrets() {
        for (entry, expected) in [
            ("/opt/x/bin", &["/opt/x/bin"][..]),
            ("/home/me/.pyenv/shims", &["/home/me/.pyenv"]),
            ("/home/me/bin", &["/home/me/bin"]),
            (
                "/home/me/project/node_modules/.bin",
                &["/home/me/project/node_modules/.bin"],
            ),
            ("/home/me/go/bin", &["/home/me/go/bin", "/home/me/go/pkg"]),
            ("/home/me/.config/tool/bin", &[]),
            ("/home/me/.ssh", &[]),
            ("/home/me", &[]),
        ] {
            assert_eq!(roots(entry), expected, "{entry}");
        }
    }

    #[test]
    fn of_cargos_home_no_credentials_are_read() {
        let cargo = roots("/home/me/.cargo/bin");
        assert!(cargo.contains(&"/home/me/.cargo/registry".to_owned()));
        assert!(!cargo.iter().any(|path| path.ends_with(".cargo")));
        assert!(!cargo.iter().any(|path| path.contains("credentials")));
    }

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

    #[test]
    fn neither_the_home_nor_a_folder_above_it_is_readable() {
        let home = env::home_dir().unwrap();
        for path in readable(&host_environment()) {
            assert!(!home.starts_with(&path), "{}", path.display());
        }
    }
}
