//! Hints that something in the repository changed, from the kernel.
//!
//! A hint wakes whoever waits and says where to look; it never says what is there, and
//! nothing is decided by it: events get lost, come late and come twice. Folders are
//! watched one by one, never through a link, up to a bound; where that does not do, the
//! watch says why, and its owner looks on its own from time to time instead. Nothing runs
//! while nothing happens.
//!
//! The runner watches with it while a run waits for a person.

use std::{
    collections::BTreeSet,
    fmt, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use harness_core::RepoPath;
use notify::{
    Config, ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode},
};
use rustix::fs::{Dir, FileType};

use crate::disk::{FOLDER, Root, open_beneath};

/// The most folders that are watched: each takes about 1 KiB of the kernel's memory, and the
/// machine's bound for all programs of a person together can be as low as 8,192.
pub const FOLDERS_MAX: usize = 4_096;

/// The most paths a hint names; with more, anything may have changed.
pub const PATHS_MAX: usize = 1_000;

/// File systems whose changes come from other machines or programs, which the kernel does not
/// tell: `statfs` names them so.
const UNTOLD: [(u64, &str); 8] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFE53_4D42, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9P"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
];

/// What may have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// Where to look; of a folder, at everything below it.
    pub paths: BTreeSet<RepoPath>,
    /// Whether something may have changed that is not named: look everywhere.
    pub is_partial: bool,
}

/// Watches folders of one repository until it is dropped.
pub struct FolderWatch {
    root: Root,
    is_left_out: Box<dyn Fn(&RepoPath) -> bool + Send>,
    /// Absent where the kernel tells nothing.
    watcher: Option<RecommendedWatcher>,
    seen: Arc<Mutex<Seen>>,
    watched: BTreeSet<RepoPath>,
    folders_max: usize,
    blind: Option<String>,
}

/// What came since it was asked last.
#[derive(Debug, Default)]
struct Seen {
    paths: BTreeSet<RepoPath>,
    /// Folders that came and are not watched yet.
    folders: BTreeSet<RepoPath>,
    is_lost: bool,
}

impl FolderWatch {
    /// Watches folders with all below them but for what `is_left_out` names.
    ///
    /// `wake` is called on a thread of the watch's own, once for all that happens until
    /// [`take`](Self::take) is called; it must not block. Fails never: see
    /// [`blind`](Self::blind).
    pub fn begin(
        root: Root,
        folders: &[RepoPath],
        is_left_out: impl Fn(&RepoPath) -> bool + Send + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> Self {
        Self::begin_within(root, folders, is_left_out, wake, FOLDERS_MAX)
    }

    /// As [`begin`](Self::begin), with another bound on the number of folders.
    pub fn begin_within(
        root: Root,
        folders: &[RepoPath],
        is_left_out: impl Fn(&RepoPath) -> bool + Send + 'static,
        wake: impl Fn() + Send + 'static,
        folders_max: usize,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut watch = Self {
            is_left_out: Box::new(is_left_out),
            watcher: None,
            seen: Arc::clone(&seen),
            watched: BTreeSet::new(),
            folders_max,
            blind: untold(&root),
            root,
        };
        if watch.blind.is_some() {
            return watch;
        }
        let at = watch.root.path().to_owned();
        let told = move |event| {
            if note(&seen, &at, event) {
                wake();
            }
        };
        match RecommendedWatcher::new(told, Config::default().with_follow_symlinks(false)) {
            Ok(watcher) => watch.watcher = Some(watcher),
            Err(error) => watch.give_up(worded(&error)),
        }
        for folder in folders {
            watch.add(folder);
        }
        watch
    }

    /// Why the kernel tells nothing, or not of all folders; `None` when it tells all.
    pub fn blind(&self) -> Option<&str> {
        self.blind.as_deref()
    }

    /// Returns how many folders are watched.
    pub fn folders(&self) -> usize {
        self.watched.len()
    }

    /// Returns what came since the last call, and begins to watch folders that came.
    pub fn take(&mut self) -> Hint {
        let seen = std::mem::take(&mut *lock(&self.seen));
        for folder in seen.folders {
            // A folder that was put where one went is another one.
            self.watched.retain(|known| !known.starts_with(&folder));
            self.add(&folder);
        }
        Hint {
            paths: seen.paths,
            is_partial: seen.is_lost || self.blind.is_some(),
        }
    }

    /// Watches a folder and those below it, as far as the bound goes.
    fn add(&mut self, folder: &RepoPath) {
        let mut open = vec![folder.clone()];
        while let Some(folder) = open.pop() {
            if self.watcher.is_none() || self.is_out(&folder) || self.watched.contains(&folder) {
                continue;
            }
            // Gone, a link, no folder or closed: there is nothing to be told of.
            let Ok(handle) = open_beneath(self.root.handle(), folder.as_path(), FOLDER) else {
                continue;
            };
            if self.watched.len() >= self.folders_max {
                return self.give_up(format!("there are more than {} folders", self.folders_max));
            }
            let path = self.root.path().join(folder.as_path());
            let watcher = self.watcher.as_mut();
            let added = watcher.map(|watcher| watcher.watch(&path, RecursiveMode::NonRecursive));
            match added {
                Some(Err(error)) if !matches!(error.kind, ErrorKind::PathNotFound) => {
                    return self.give_up(worded(&error));
                }
                _ => {}
            }
            // Listed after it is watched: what comes in between is told.
            for entry in Dir::read_from(&handle).into_iter().flatten().flatten() {
                let name = entry.file_name().to_bytes();
                let is_folder = entry.file_type() == FileType::Directory;
                if is_folder
                    && name != b"."
                    && name != b".."
                    && let Ok(child) = folder.join(name)
                {
                    open.push(child);
                }
            }
            self.watched.insert(folder);
        }
    }

    fn is_out(&self, folder: &RepoPath) -> bool {
        let is_git = folder
            .file_name()
            .is_some_and(|name| name.eq_ignore_ascii_case(b".git"));
        is_git || (self.is_left_out)(folder)
    }

    /// Watches nothing any more: a half of the folders would only look like all of them.
    fn give_up(&mut self, why: String) {
        self.watcher = None;
        self.watched.clear();
        self.blind = Some(why);
    }
}

impl fmt::Debug for FolderWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderWatch")
            .field("folders", &self.watched.len())
            .field("blind", &self.blind)
            .finish_non_exhaustive()
    }
}

/// Notes what the kernel tells; `true` when it is the first since it was asked.
fn note(seen: &Mutex<Seen>, root: &Path, event: notify::Result<Event>) -> bool {
    let mut seen = lock(seen);
    let was_empty = seen.paths.is_empty() && !seen.is_lost;
    let event = match event {
        Ok(event) if event.need_rescan() => None,
        Ok(event) => Some(event),
        Err(_) => None,
    };
    let Some(event) = event else {
        seen.is_lost = true;
        return was_empty;
    };
    let is_look = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    };
    if is_look {
        return false;
    }
    let may_be_new = matches!(
        event.kind,
        EventKind::Create(CreateKind::Folder | CreateKind::Any | CreateKind::Other)
            | EventKind::Modify(ModifyKind::Name(
                RenameMode::To | RenameMode::Both | RenameMode::Any
            ))
    );
    for path in &event.paths {
        let inside = inside(root, path);
        match inside {
            Some(path) if seen.paths.len() < PATHS_MAX => {
                if may_be_new {
                    seen.folders.insert(path.clone());
                }
                seen.paths.insert(path);
            }
            _ => seen.is_lost = true,
        }
    }
    was_empty && (seen.is_lost || !seen.paths.is_empty())
}

fn inside(root: &Path, path: &Path) -> Option<RepoPath> {
    let inside: PathBuf = path.strip_prefix(root).ok()?.to_owned();
    RepoPath::parse(inside.as_os_str().as_bytes()).ok()
}

/// Says why a repository's file system tells nothing; `None` where it does.
fn untold(root: &Root) -> Option<String> {
    let found = rustix::fs::fstatfs(root.handle()).ok()?;
    // The type is as wide as the machine's word; the number has 32 bits.
    let kind = u64::from(found.f_type as u32);
    let (_, name) = UNTOLD.iter().find(|(number, _)| *number == kind)?;
    Some(format!("{name} does not tell of changes"))
}

/// Whether all changes of a repository's files are made through this machine's kernel.
pub(crate) fn is_told(root: &Root) -> bool {
    untold(root).is_none()
}

fn worded(error: &notify::Error) -> String {
    match &error.kind {
        ErrorKind::MaxFilesWatch => {
            "the machine's bound on watched folders is reached (fs.inotify.max_user_watches)"
                .to_owned()
        }
        ErrorKind::Io(error) if error.raw_os_error() == Some(libc::EMFILE) => {
            "the machine's bound on watches is reached (fs.inotify.max_user_instances)".to_owned()
        }
        ErrorKind::Io(error) => io::Error::to_string(error),
        _ => error.to_string(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use notify::event::Flag;

    use super::*;

    fn event(kind: EventKind, path: &str) -> notify::Result<Event> {
        Ok(Event::new(kind).add_path(Path::new("/repo").join(path)))
    }

    fn noted(events: impl IntoIterator<Item = notify::Result<Event>>) -> (Seen, usize) {
        let seen = Mutex::new(Seen::default());
        let woken = events
            .into_iter()
            .map(|event| note(&seen, Path::new("/repo"), event))
            .filter(|woken| *woken)
            .count();
        (seen.into_inner().unwrap(), woken)
    }

    #[test]
    fn reading_wakes_nobody() {
        let opened = EventKind::Access(AccessKind::Open(AccessMode::Any));
        let (seen, woken) = noted([event(opened, "a")]);
        assert_eq!((seen.paths.len(), woken), (0, 0));
    }

    #[test]
    fn a_lost_event_makes_the_hint_partial() {
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        let (seen, woken) = noted([Ok(overflow)]);
        assert_eq!((seen.is_lost, woken), (true, 1));
        let failed = notify::Error::generic("broken");
        assert!(noted([Err(failed)]).0.is_lost);
        let outside = Event::new(EventKind::Any).add_path(PathBuf::from("/elsewhere"));
        assert!(noted([Ok(outside)]).0.is_lost);
    }

    #[test]
    fn a_storm_of_renames_wakes_once_and_is_bounded() {
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let events = (0..PATHS_MAX * 3).map(|number| event(renamed, &format!("file-{number}")));
        let (seen, woken) = noted(events);
        assert_eq!((seen.paths.len(), woken), (PATHS_MAX, 1));
        assert!(seen.is_lost && seen.folders.len() <= PATHS_MAX);
    }

    #[test]
    fn bounds_of_the_machine_are_said_by_name() {
        let limit = notify::Error::new(ErrorKind::MaxFilesWatch);
        assert!(worded(&limit).contains("max_user_watches"));
        let instances = notify::Error::io(io::Error::from_raw_os_error(libc::EMFILE));
        assert!(worded(&instances).contains("max_user_instances"));
    }
}
