//! What the kernel is to allow below which path, worked out from the plan.
//!
//! Landlock only adds rights as one goes down the tree. What must be left out
//! is left out by naming everything beside it: entry by entry, for the
//! repository's root where it may be written, and for each folder on the way to
//! a masked path where it may be read. A masked path below a writable folder
//! cannot be left out, because new files there have to be readable.

use std::{
    ffi::{OsStr, OsString},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use harness_guard::CagePlan;
use rustix::{
    fs::{Dir, FileType},
    io::Errno,
};

use super::{
    SpawnError,
    prepare::{dotted, folder},
    ruleset::{Right, Rules},
};
use crate::disk::{FOLDER, LOOK, look_at, open_beneath, open_folder};

/// Devices every program may use. A terminal is not among them.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// How many entries are named one by one; what comes after them stays out of reach.
const ENTRIES_MAX: usize = 4096;

/// Builds the ruleset: read what the plan says, write what it says, nothing else.
pub(super) fn rules(
    root: &OwnedFd,
    plan: &CagePlan,
    scratch: &Path,
) -> Result<OwnedFd, SpawnError> {
    let mut grants = Grants {
        rules: Rules::in_the_open().map_err(|source| SpawnError::Landlock { source })?,
        entries: 0,
    };
    for path in plan.readable() {
        if let Ok(handle) = look_at(path) {
            grants.read(&handle, path, plan.masked())?;
        }
    }
    for device in DEVICES {
        if let Ok(handle) = look_at(Path::new(device)) {
            grants.allow(&handle, Right::Device)?;
        }
    }
    for path in [plan.home(), scratch] {
        let handle = open_folder(path).map_err(|errno| folder(path, errno))?;
        grants.allow(&handle, Right::Write)?;
    }
    for path in plan.writable() {
        grants.write(root, path, plan)?;
    }
    let ruleset = grants.rules.into_handle();
    ruleset.ok_or_else(|| folder(plan.root(), Errno::NOSYS))
}

struct Grants {
    rules: Rules,
    /// How many entries were named one by one so far.
    entries: usize,
}

impl Grants {
    fn allow(&mut self, handle: &OwnedFd, right: Right) -> Result<(), SpawnError> {
        self.rules
            .allow(handle, right)
            .map_err(|source| SpawnError::Landlock { source })
    }

    /// Lets a path be read, all below it included but what is masked.
    fn read(
        &mut self,
        handle: &OwnedFd,
        path: &Path,
        masked: &[PathBuf],
    ) -> Result<(), SpawnError> {
        let masked: Vec<PathBuf> = masked
            .iter()
            .filter(|masked| masked.starts_with(path) && look_at(masked).is_ok())
            .cloned()
            .collect();
        if masked.is_empty() {
            return self.allow(handle, Right::Read);
        }
        if masked.iter().any(|masked| masked == path) {
            return Ok(());
        }
        self.allow(handle, Right::List)?;
        for name in self.entries_of(handle) {
            if let Some(entry) = open_entry(handle, &name) {
                self.read(&entry, &path.join(name), &masked)?;
            }
        }
        Ok(())
    }

    /// Lets a path below the root be written; what does not exist or is a link gives no right.
    fn write(&mut self, root: &OwnedFd, path: &Path, plan: &CagePlan) -> Result<(), SpawnError> {
        let Ok(inside) = path.strip_prefix(plan.root()) else {
            return Ok(());
        };
        let Ok(handle) = open_beneath(root, dotted(inside), LOOK) else {
            return Ok(());
        };
        let kept: Vec<&OsStr> = plan
            .read_only()
            .iter()
            .filter(|kept| kept.parent() == Some(plan.root()) && look_at(kept).is_ok())
            .filter_map(|kept| kept.file_name())
            .collect();
        if !inside.as_os_str().is_empty() || kept.is_empty() {
            return match kind_of(&handle) {
                FileType::Symlink => Ok(()),
                _ => self.allow(&handle, Right::Write),
            };
        }
        for name in self.entries_of(&handle) {
            let is_kept = kept.iter().any(|kept| kept.eq_ignore_ascii_case(&name));
            if let Some(entry) = open_entry(&handle, &name).filter(|_| !is_kept) {
                self.allow(&entry, Right::Write)?;
            }
        }
        Ok(())
    }

    /// Returns the names in a folder, as many as there is room for rules.
    fn entries_of(&mut self, folder: &OwnedFd) -> Vec<OsString> {
        let Ok(names) = open_beneath(folder, ".", FOLDER).and_then(Dir::new) else {
            return Vec::new();
        };
        let room = ENTRIES_MAX.saturating_sub(self.entries);
        let entries: Vec<OsString> = names
            .flatten()
            .map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned())
            .filter(|name| name != "." && name != "..")
            .take(room)
            .collect();
        self.entries += entries.len();
        entries
    }
}

/// Opens an entry of a folder; a link gives no right, so it is left out.
fn open_entry(folder: &OwnedFd, name: &OsStr) -> Option<OwnedFd> {
    open_beneath(folder, name, LOOK)
        .ok()
        .filter(|entry| kind_of(entry) != FileType::Symlink)
}

fn kind_of(handle: &OwnedFd) -> FileType {
    rustix::fs::fstat(handle).map_or(FileType::Unknown, |stat| {
        FileType::from_raw_mode(stat.st_mode)
    })
}
