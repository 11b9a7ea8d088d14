//! What may be read on the machine: the system, and the tools on `PATH` with what they need.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
};

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

/// Returns the program's environment as text, toolchains' homes spelled out: in the cage
/// `HOME` leads elsewhere, so that their defaults would not be found.
pub(super) fn host_environment() -> Vec<(String, String)> {
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
pub(super) fn readable(host: &[(String, String)]) -> Vec<PathBuf> {
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

/// Returns the system's folders that exist.
pub(crate) fn system_folders() -> Vec<PathBuf> {
    SYSTEM
        .iter()
        .map(PathBuf::from)
        .filter(|path| path.exists())
        .collect()
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
    fn neither_the_home_nor_a_folder_above_it_is_readable() {
        let home = env::home_dir().unwrap();
        for path in readable(&host_environment()) {
            assert!(!home.starts_with(&path), "{}", path.display());
        }
    }
}
