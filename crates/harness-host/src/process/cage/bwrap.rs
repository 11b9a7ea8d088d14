//! The same cage built by bubblewrap, where this program may make no namespaces itself.
//!
//! Some systems let one program only make namespaces for users without privileges,
//! and that is `/usr/bin/bwrap`. It makes a new cage for every command, and in it
//! this program is the first process: no other namespace can be made inside.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use harness_guard::{Mount, MountKind};

use super::{layout::Layout, serve};

/// Where the system keeps it. One from `PATH` or the repository could be anybody's.
const PROGRAM: &str = "/usr/bin/bwrap";

/// What the cage shares with the machine: nothing.
const APART: [&str; 11] = [
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-net",
    "--unshare-uts",
    "--disable-userns",
    "--die-with-parent",
    "--new-session",
    "--as-pid-1",
    "--cap-drop",
    "ALL",
];

/// Whether the system has it, installed by its administrator and writable by nobody else.
pub(super) fn is_there() -> bool {
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    fs::symlink_metadata(PROGRAM).is_ok_and(|found| {
        found.is_file() && found.uid() == 0 && found.mode() & WRITABLE_BY_OTHERS == 0
    })
}

/// Makes the command that builds a cage and serves in it; `temp` is seen as `/tmp`.
pub(super) fn command(layout: &Layout, temp: &Path, program: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(APART)
        .args(["--hostname", "cage", "--perms", "1777"])
        .args([
            "--dir", "/run", "--dir", "/home", "--dir", "/mnt", "--dir", "/srv",
        ])
        .args([OsStr::new("--bind"), temp.as_os_str(), OsStr::new("/tmp")])
        .args(["--dir", "/var", "--symlink", "/tmp", "/var/tmp"]);
    let seen = |mount: &&Mount| !mount.target.starts_with("/proc");
    for mount in layout.mounts.iter().filter(seen) {
        command.args(arguments(mount, &[&layout.root, &layout.work_tree]));
    }
    command
        .args(["--dev", "/dev", "--proc", "/proc"])
        .args(["--ro-bind", "/proc/sys", "/proc/sys"])
        .arg("--ro-bind")
        .args([program, program])
        .args(["--remount-ro", "/", "--"])
        .arg(program)
        .arg(serve::ARGUMENT);
    command
}

/// Returns what makes one mount; nothing for what is not there, or for a link the repository holds.
fn arguments(mount: &Mount, own: &[&Path]) -> Vec<OsString> {
    let Ok(found) = fs::symlink_metadata(&mount.source) else {
        return Vec::new();
    };
    let words = |words: &[&OsStr]| words.iter().map(|&word| word.to_owned()).collect();
    let (source, target) = (mount.source.as_os_str(), mount.target.as_os_str());
    if found.is_symlink() {
        let is_own = own.iter().any(|root| mount.source.starts_with(root));
        let link = (!is_own).then(|| fs::read_link(&mount.source).ok());
        return link.flatten().map_or(Vec::new(), |link: PathBuf| {
            words(&["--symlink".as_ref(), link.as_os_str(), target])
        });
    }
    match mount.kind {
        MountKind::Read | MountKind::Close => words(&["--ro-bind".as_ref(), source, target]),
        MountKind::Write | MountKind::Pin => words(&["--bind".as_ref(), source, target]),
        MountKind::Hide if found.is_dir() => {
            words(&["--tmpfs".as_ref(), target, "--remount-ro".as_ref(), target])
        }
        MountKind::Hide => words(&["--ro-bind".as_ref(), "/dev/null".as_ref(), target]),
    }
}
