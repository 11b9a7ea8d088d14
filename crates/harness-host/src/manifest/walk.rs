//! The walk behind a manifest.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use harness_core::RepoPath;
use harness_guard::{Attributes, FileKind};
use rustix::{
    fs::{AtFlags, FileType, RawDir, Stat},
    io::Errno,
};

use super::{ENTRIES_MAX, Manifest, Quiet};
use crate::{
    disk::{DiskError, FOLDER, LOOK, Root, open_beneath},
    watch::is_told,
};

/// A folder that changed within so short a time before the walk may change again unseen.
/// Unit: seconds.
const SETTLED_AFTER: i64 = 2;

/// The room for the names that the kernel gives at once. Unit: bytes.
const NAMES_BYTES: usize = 32 * 1024;

impl Root {
    /// Walks the whole repository.
    ///
    /// Left out are git's objects, the harness's folder and references in `.git`, and
    /// each path for which `left_out` holds, with all below it. Folders that cannot be
    /// read are named in the result.
    ///
    /// # Errors
    /// [`DiskError::Io`] when the root itself cannot be read.
    pub fn manifest(&self, left_out: &dyn Fn(&RepoPath) -> bool) -> Result<Manifest, DiskError> {
        let begun = now();
        let root = RepoPath::root();
        let stat = rustix::fs::fstat(self.handle())
            .map_err(|errno| DiskError::io("look at", &root, errno))?;
        // The root's own times follow from what the harness itself puts there.
        let attributes = Attributes {
            modified: Attributes::UNTOLD,
            ..attributes_of(&stat, None)
        };
        let mut walk = Walk::new(self, left_out);
        let mut found = walk.all(vec![(root, attributes)])?;
        found.quiet = walk.quiet(begun);
        Ok(found)
    }

    /// Walks some folders alone, as [`manifest`](Self::manifest) walks everything.
    ///
    /// What is no folder is looked at; of what is not there nothing is in the result.
    ///
    /// # Errors
    /// [`DiskError::Io`] when the root itself cannot be read.
    pub fn manifest_of(
        &self,
        folders: &[RepoPath],
        left_out: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<Manifest, DiskError> {
        let mut starts = Vec::new();
        for folder in folders {
            if is_internal(folder) || left_out(folder) {
                continue;
            }
            if let Some(attributes) = self.look(folder)? {
                starts.push((folder.clone(), attributes));
            }
        }
        Walk::new(self, left_out).all(starts)
    }

    /// Whether no name has come or gone in any folder that a walk of everything listed, but for
    /// those that `is_out` names; where that is not certain, `false`.
    ///
    /// A folder's time of change moves with each name and nobody can set it. It is not trusted
    /// where it is so young that another change could hide in the same tick, where the file
    /// system is another machine's, and where there are several.
    pub fn has_same_names(&self, known: &Manifest, is_out: &dyn Fn(&RepoPath) -> bool) -> bool {
        let Some(quiet) = &known.quiet else {
            return false;
        };
        if known.closed.iter().any(|folder| !is_out(folder)) {
            return false;
        }
        quiet.iter().all(|(path, changed)| {
            if is_out(path) {
                return true;
            }
            let Some(changed) = changed else {
                return false;
            };
            let name = if path.is_root() {
                Path::new(".")
            } else {
                path.as_path()
            };
            // A link on the way would be a new name in a folder that is looked at as well.
            let stat = rustix::fs::statat(self.handle(), name, AtFlags::SYMLINK_NOFOLLOW);
            stat.is_ok_and(|stat| changed_of(&stat) == *changed)
        })
    }

    /// Looks at one path as the walk does; `None` when nothing stands there.
    ///
    /// # Errors
    /// As the disk answers; a link on the way is not followed.
    pub fn look(&self, path: &RepoPath) -> Result<Option<Attributes>, DiskError> {
        let handle = match open_beneath(self.handle(), path.as_path(), LOOK) {
            Ok(handle) => handle,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            Err(errno) => return Err(DiskError::io("look at", path, errno)),
        };
        let stat =
            rustix::fs::fstat(&handle).map_err(|errno| DiskError::io("look at", path, errno))?;
        let target = if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            rustix::fs::readlinkat(&handle, c"", Vec::new())
                .ok()
                .map(|target| target.into_bytes())
        } else {
            None
        };
        Ok(Some(attributes_of(&stat, target)))
    }
}

/// A folder that is yet to be read, and the place of its own entry.
struct Folder {
    path: RepoPath,
    at: usize,
}

struct Walk<'a> {
    root: &'a Root,
    left_out: &'a dyn Fn(&RepoPath) -> bool,
    found: Vec<(RepoPath, Attributes)>,
    closed: Vec<RepoPath>,
    /// Folders with their times of change, looked at before their names were read.
    listed: Vec<(RepoPath, (i64, i64))>,
    devices: BTreeSet<u64>,
    cut: bool,
    names: Box<[MaybeUninit<u8>]>,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Root, left_out: &'a dyn Fn(&RepoPath) -> bool) -> Self {
        Self {
            root,
            left_out,
            found: Vec::new(),
            closed: Vec::new(),
            listed: Vec::new(),
            devices: BTreeSet::new(),
            cut: false,
            names: Box::new_uninit_slice(NAMES_BYTES),
        }
    }

    /// Walks everything at and below what it starts with.
    fn all(&mut self, starts: Vec<(RepoPath, Attributes)>) -> Result<Manifest, DiskError> {
        let mut open = Vec::new();
        for (path, attributes) in starts {
            if attributes.kind == FileKind::Folder {
                let (path, at) = (path.clone(), self.found.len());
                open.push(Folder { path, at });
            }
            self.found.push((path, attributes));
        }
        while let Some(folder) = open.pop() {
            match self.enter(&folder, &mut open) {
                Ok(()) => {}
                Err(errno) if folder.path.is_root() => {
                    return Err(DiskError::io("list", &folder.path, errno));
                }
                // Gone since its name was read.
                Err(Errno::NOENT) => {}
                Err(_) => self.closed.push(folder.path),
            }
        }
        Ok(Manifest {
            entries: BTreeMap::from_iter(std::mem::take(&mut self.found)),
            closed: std::mem::take(&mut self.closed),
            cut: self.cut,
            gone: BTreeSet::new(),
            quiet: None,
        })
    }

    /// Returns the folders with their times of change, where these can be trusted at all.
    fn quiet(&mut self, begun: (i64, i64)) -> Option<Quiet> {
        let listed = std::mem::take(&mut self.listed);
        if self.cut || self.devices.len() != 1 || !is_told(self.root) {
            return None;
        }
        let is_settled = |changed: &(i64, i64)| changed.0 + SETTLED_AFTER < begun.0;
        // Git's own folders change all the time, and nothing in them is looked for by name.
        let counted = listed.into_iter().filter(|(path, _)| !is_git(path));
        let folders = counted.map(|(path, changed)| (path, Some(changed).filter(is_settled)));
        Some(folders.collect())
    }

    /// Records what a folder holds and adds the folders among it to `open`.
    fn enter(&mut self, folder: &Folder, open: &mut Vec<Folder>) -> Result<(), Errno> {
        let handle = open_beneath(self.root.handle(), folder.path.as_path(), FOLDER)?;
        let stat = rustix::fs::fstat(&handle)?;
        self.listed.push((folder.path.clone(), changed_of(&stat)));
        self.devices.insert(stat.st_dev);
        let mut names = std::mem::take(&mut self.names);
        let mut entries = RawDir::new(&handle, &mut names);
        let mut end = Ok(());
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(errno) => {
                    end = Err(errno);
                    break;
                }
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if self.found.len() >= ENTRIES_MAX {
                self.cut = true;
                break;
            }
            self.add(folder, &handle, name, open);
        }
        self.names = names;
        end
    }

    fn add(&mut self, folder: &Folder, handle: &OwnedFd, name: &[u8], open: &mut Vec<Folder>) {
        let Ok(path) = folder.path.join(name) else {
            // A name this deep cannot be a path of ours: what holds it is not known whole.
            self.closed.push(folder.path.clone());
            return;
        };
        if is_internal(&path) || (self.left_out)(&path) {
            // The folder's times follow from what is not in the manifest, too.
            self.found[folder.at].1.modified = Attributes::UNTOLD;
            return;
        }
        let Ok(stat) = rustix::fs::statat(handle, name, AtFlags::SYMLINK_NOFOLLOW) else {
            return;
        };
        let target = (FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
            .then(|| rustix::fs::readlinkat(handle, name, Vec::new()))
            .and_then(Result::ok)
            .map(|target| target.into_bytes());
        let attributes = attributes_of(&stat, target);
        if attributes.kind == FileKind::Folder {
            open.push(Folder {
                path: path.clone(),
                at: self.found.len(),
            });
        }
        self.found.push((path, attributes));
    }
}

/// Whether git or the harness keeps its own store there: nothing that anybody reads as a file.
fn is_internal(path: &RepoPath) -> bool {
    const OWN: [&[u8]; 5] = [
        b".git/harness",
        b".git/refs/harness",
        b".git/refs/heads/harness",
        b".git/logs/refs/harness",
        b".git/logs/refs/heads/harness",
    ];
    if OWN.contains(&path.as_bytes()) {
        return true;
    }
    let mut inside = path.components();
    let is_git = |name: &[u8]| name.eq_ignore_ascii_case(b".git");
    if path.file_name() != Some(b"objects") || !inside.any(is_git) {
        return false;
    }
    // Of the repository itself, of a submodule, or of an extension that keeps large files.
    let stores: [&[u8]; 4] = [b"objects", b"modules", b"lfs", b"annex"];
    inside.next().is_some_and(|name| stores.contains(&name))
}

fn is_git(path: &RepoPath) -> bool {
    let mut inside = path.components();
    inside.any(|name| name.eq_ignore_ascii_case(b".git"))
}

#[allow(clippy::unnecessary_cast, clippy::cast_possible_wrap)]
fn changed_of(stat: &Stat) -> (i64, i64) {
    (stat.st_ctime as i64, stat.st_ctime_nsec as i64)
}

fn now() -> (i64, i64) {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    (now.tv_sec, now.tv_nsec)
}

#[allow(clippy::unnecessary_cast, clippy::cast_possible_wrap)]
fn attributes_of(stat: &Stat, target: Option<Vec<u8>>) -> Attributes {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Folder,
        FileType::Symlink => FileKind::Link,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        _ => FileKind::Device,
    };
    let is_folder = kind == FileKind::Folder;
    let modified = (stat.st_mtime as i64, stat.st_mtime_nsec as i64);
    let changed = (stat.st_ctime as i64, stat.st_ctime_nsec as i64);
    Attributes {
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: if is_folder {
            0
        } else {
            u64::try_from(stat.st_size).unwrap_or(0)
        },
        modified,
        changed: if is_folder { (0, 0) } else { changed },
        device: stat.st_dev,
        inode: stat.st_ino,
        links: if is_folder { 1 } else { stat.st_nlink as u64 },
        target,
    }
}

/// Returns the attributes of an open file.
pub(super) fn attributes_of_handle(handle: impl AsFd) -> Result<Attributes, Errno> {
    rustix::fs::fstat(handle).map(|stat| attributes_of(&stat, None))
}
