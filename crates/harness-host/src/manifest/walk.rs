//! The walk behind a manifest.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    sync::{Condvar, Mutex, PoisonError},
    thread,
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

/// How many entries are walked before another helps: most repositories have fewer.
const ALONE_MAX: usize = 4_096;

/// How many walk a large repository at the same time.
const WALKERS: usize = 2;

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
    pub fn manifest(&self, left_out: LeftOut<'_>) -> Result<Manifest, DiskError> {
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
        let mut found = walk.all(&[(root, attributes)])?;
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
        left_out: LeftOut<'_>,
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
        Walk::new(self, left_out).all(&starts)
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

/// Says what a walk leaves out.
type LeftOut<'a> = &'a (dyn Fn(&RepoPath) -> bool + Sync);

/// One that walks: alone, or with others at folders that nobody else has.
struct Walk<'a> {
    root: &'a Root,
    left_out: LeftOut<'a>,
    found: Vec<(RepoPath, Attributes)>,
    /// Folders that hold more than what was found, and whose times follow from that too.
    untold: Vec<RepoPath>,
    closed: Vec<RepoPath>,
    /// Folders with their times of change, looked at before their names were read.
    listed: Vec<(RepoPath, (i64, i64))>,
    devices: BTreeSet<u64>,
    cut: bool,
    names: Box<[MaybeUninit<u8>]>,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Root, left_out: LeftOut<'a>) -> Self {
        Self {
            root,
            left_out,
            found: Vec::new(),
            untold: Vec::new(),
            closed: Vec::new(),
            listed: Vec::new(),
            devices: BTreeSet::new(),
            cut: false,
            names: Box::new_uninit_slice(NAMES_BYTES),
        }
    }

    /// Walks everything at and below what it starts with.
    fn all(&mut self, starts: &[(RepoPath, Attributes)]) -> Result<Manifest, DiskError> {
        let mut open = self.begin(starts);
        self.some(&mut open, ALONE_MAX)?;
        let is_large = open.len() > 1;
        if is_large {
            self.together(std::mem::take(&mut open))?;
        }
        if is_large && (self.cut || self.found.len() > ENTRIES_MAX) {
            // What is beyond the bound has to be the same in each walk.
            *self = Self::new(self.root, self.left_out);
            open = self.begin(starts);
        }
        self.some(&mut open, usize::MAX)?;
        let mut entries = BTreeMap::from_iter(std::mem::take(&mut self.found));
        for folder in &self.untold {
            if let Some(attributes) = entries.get_mut(folder) {
                attributes.modified = Attributes::UNTOLD;
            }
        }
        Ok(Manifest {
            entries,
            closed: std::mem::take(&mut self.closed),
            cut: self.cut,
            gone: BTreeSet::new(),
            quiet: None,
        })
    }

    /// Takes in what a walk starts with and returns the folders among it.
    fn begin(&mut self, starts: &[(RepoPath, Attributes)]) -> Vec<RepoPath> {
        self.found.extend_from_slice(starts);
        let is_folder =
            |(_, attributes): &&(RepoPath, Attributes)| attributes.kind == FileKind::Folder;
        let folders = starts.iter().filter(is_folder);
        folders.map(|(path, _)| path.clone()).collect()
    }

    /// Walks until nothing is open, or so much was found.
    fn some(&mut self, open: &mut Vec<RepoPath>, until: usize) -> Result<(), DiskError> {
        while self.found.len() < until
            && let Some(folder) = open.pop()
        {
            self.one(folder, open)?;
        }
        Ok(())
    }

    fn one(&mut self, folder: RepoPath, open: &mut Vec<RepoPath>) -> Result<(), DiskError> {
        match self.enter(&folder, open) {
            Ok(()) => Ok(()),
            Err(errno) if folder.is_root() => Err(DiskError::io("list", &folder, errno)),
            // Gone since its name was read.
            Err(Errno::NOENT) => Ok(()),
            Err(_) => {
                self.closed.push(folder);
                Ok(())
            }
        }
    }

    /// Walks what is open with others, each at folders of its own.
    ///
    /// The bound is each one's own here: who calls looks at what all have found.
    fn together(&mut self, open: Vec<RepoPath>) -> Result<(), DiskError> {
        let shared = Shared::new(open);
        let (root, left_out) = (self.root, self.left_out);
        let walked = thread::scope(|scope| {
            let help = || {
                let mut walk = Walk::new(root, left_out);
                let walked = shared.work(&mut walk);
                walk.sort();
                walked.map(|()| walk)
            };
            let helpers: Vec<_> = (1..WALKERS).map(|_| scope.spawn(help)).collect();
            let own = shared.work(self);
            self.sort();
            let joined = helpers.into_iter().map(thread::ScopedJoinHandle::join);
            let joined: Vec<_> = joined.collect();
            own.map(|()| joined)
        })?;
        for walk in walked {
            let walk = walk.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            self.found.extend(walk.found);
            self.untold.extend(walk.untold);
            self.closed.extend(walk.closed);
            self.listed.extend(walk.listed);
            self.devices.extend(walk.devices);
            self.cut |= walk.cut;
        }
        self.closed.sort_unstable();
        Ok(())
    }

    /// Sorts what it found beside the others: to merge what is sorted takes far less.
    fn sort(&mut self) {
        self.found
            .sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
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
    fn enter(&mut self, folder: &RepoPath, open: &mut Vec<RepoPath>) -> Result<(), Errno> {
        let handle = open_beneath(self.root.handle(), folder.as_path(), FOLDER)?;
        let stat = rustix::fs::fstat(&handle)?;
        self.listed.push((folder.clone(), changed_of(&stat)));
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

    fn add(&mut self, folder: &RepoPath, handle: &OwnedFd, name: &[u8], open: &mut Vec<RepoPath>) {
        let Ok(path) = folder.join(name) else {
            // A name this deep cannot be a path of ours: what holds it is not known whole.
            self.closed.push(folder.clone());
            return;
        };
        if is_internal(&path) || (self.left_out)(&path) {
            if self.untold.last() != Some(folder) {
                self.untold.push(folder.clone());
            }
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
            open.push(path.clone());
        }
        self.found.push((path, attributes));
    }
}

/// Folders that several walk through.
struct Shared {
    queue: Mutex<Queue>,
    stirred: Condvar,
}

struct Queue {
    open: Vec<RepoPath>,
    /// How many are at a folder, which may open more.
    at_work: usize,
    /// Whether one of them failed: nobody goes on.
    is_over: bool,
}

impl Shared {
    fn new(open: Vec<RepoPath>) -> Self {
        Self {
            queue: Mutex::new(Queue {
                open,
                at_work: 0,
                is_over: false,
            }),
            stirred: Condvar::new(),
        }
    }

    /// Takes one folder after the other until nobody has any.
    fn work(&self, walk: &mut Walk<'_>) -> Result<(), DiskError> {
        let mut found = Vec::new();
        while let Some(folder) = self.next() {
            // Dropped also when what is called panics: the others must not wait for it.
            let mut done = Done(self, Err(()));
            let walked = walk.one(folder, &mut found);
            done.1 = walked
                .as_ref()
                .map(|()| std::mem::take(&mut found))
                .map_err(|_| ());
            drop(done);
            walked?;
        }
        Ok(())
    }

    fn next(&self) -> Option<RepoPath> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if queue.is_over {
                return None;
            }
            if let Some(folder) = queue.open.pop() {
                queue.at_work += 1;
                return Some(folder);
            }
            if queue.at_work == 0 {
                return None;
            }
            let woken = self.stirred.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The end of one folder: what it opened, or that nothing is to go on.
struct Done<'a>(&'a Shared, Result<Vec<RepoPath>, ()>);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.at_work -= 1;
        match &mut self.1 {
            Ok(more) => queue.open.append(more),
            Err(()) => queue.is_over = true,
        }
        self.0.stirred.notify_all();
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
