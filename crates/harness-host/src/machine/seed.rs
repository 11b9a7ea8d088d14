//! Fills a private home with what was downloaded before.
//!
//! Files are links to where they are, which a cage shows read-only; folders are
//! the home's own, so that toolchains can add to them. What a toolchain rewrites in
//! place is copied, or shown as it is where nothing can be downloaded.
//! Processes may have written the home, and the homes it is filled from, so every
//! step goes from handle to handle and follows no link. What cannot be filled is
//! left out: a toolchain then says that it cannot download.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags},
    io::Errno,
};

use super::{Reach, toolchain::Caches};
use crate::disk::{FOLDER, open_beneath};

/// How many entries of one cache are looked at.
const ENTRIES_MAX: usize = 50_000;

/// How much of one cache is copied. Unit: bytes.
const COPIED_MAX: u64 = 512 << 20;

/// How deep folders of a cache may lie in each other.
const DEPTH_MAX: usize = 12;

/// Fills a home that is kept, from what is asked first to what is asked last.
pub(super) fn fill_kept(home: &Path, caches: &[Caches], reach: Reach) {
    let Some(home) = Folder::open(home) else {
        return;
    };
    let index = match reach {
        Reach::Hosts => mirror,
        Reach::Nothing => show,
    };
    for caches in caches {
        if let Some(cargo) = &caches.cargo {
            fill_cargo(&home, cargo, index);
        }
        if let Some(pip) = &caches.pip {
            mirror_at(&home, &[".cache", "pip"], pip, |_| How::Link);
        }
        if let Some(npm) = &caches.npm {
            // The index is appended to in place.
            mirror_at(&home, &[".npm", "_cacache"], npm, |path| {
                if path.starts_with("content-v2") {
                    How::Link
                } else {
                    How::Copy
                }
            });
        }
    }
}

/// Fills a home that lasts for one command, which downloads nothing.
pub(super) fn fill_fresh(home: &Path, caches: &[Caches]) {
    let Some(home) = Folder::open(home) else {
        return;
    };
    for cargo in caches.iter().filter_map(|caches| caches.cargo.as_deref()) {
        fill_cargo(&home, cargo, show);
    }
}

/// Fills cargo's home; `index` brings the index of one registry.
fn fill_cargo(home: &Folder, cargo: &Path, index: impl Fn(&Folder, &Folder, &OsStr)) {
    let (Some(from), Some(into)) = (Folder::open(cargo), home.make(OsStr::new(".cargo"))) else {
        return;
    };
    for name in ["config.toml", "config"] {
        if from.kind(OsStr::new(name)) == Some(FileType::RegularFile) {
            into.link(OsStr::new(name), &cargo.join(name));
        }
    }
    let both = |path: &[&str]| Some((from.reach(path)?, into.make_all(path)?));
    if let Some((from, into)) = both(&["registry", "index"]) {
        for (name, _) in from.names() {
            index(&from, &into, &name);
        }
    }
    if let Some((from, into)) = both(&["registry", "cache"]) {
        link_inner(&from, &into, |_| true);
    }
    if let Some((from, into)) = both(&["registry", "src"]) {
        // A crate that was not unpacked to its end is unpacked again.
        link_inner(&from, &into, |inner| {
            inner.kind(OsStr::new(".cargo-ok")) == Some(FileType::RegularFile)
        });
    }
    if let Some((from, into)) = both(&["git", "db"]) {
        for (name, _) in from.names() {
            into.link(&name, &from.path.join(&name));
        }
    }
    if let Some((from, into)) = both(&["git", "checkouts"]) {
        link_inner(&from, &into, |_| true);
    }
}

/// Links what lies in the folders of a folder; of folders those that are `whole`.
fn link_inner(from: &Folder, into: &Folder, whole: impl Fn(&Folder) -> bool) {
    for (name, _) in from.names() {
        let (Some(from), Some(into)) = (from.child(&name), into.make(&name)) else {
            continue;
        };
        for (name, kind) in from.names() {
            let is_whole =
                kind != FileType::Directory || from.child(&name).is_some_and(|inner| whole(&inner));
            if is_whole {
                into.link(&name, &from.path.join(&name));
            }
        }
    }
}

/// Shows a whole index as it is; one that the home has of its own stays.
fn show(from: &Folder, into: &Folder, name: &OsStr) {
    into.link(name, &from.path.join(name));
}

/// Brings a whole index, copied: cargo adds to it.
fn mirror(from: &Folder, into: &Folder, name: &OsStr) {
    let (Some(from), Some(into)) = (from.child(name), into.make(name)) else {
        return;
    };
    Mirror::new(|path| {
        // The clone of an index that is kept with git is large and never rewritten.
        if path.starts_with(".git") {
            How::Link
        } else {
            How::Copy
        }
    })
    .walk(&from, &into, Path::new(""), 0);
}

fn mirror_at(home: &Folder, place: &[&str], from: &Path, how: impl Fn(&Path) -> How) {
    if let (Some(from), Some(into)) = (Folder::open(from), home.make_all(place)) {
        Mirror::new(how).walk(&from, &into, Path::new(""), 0);
    }
}

/// How one file is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Link,
    Copy,
}

/// Brings a tree, within bounds.
struct Mirror<F> {
    how: F,
    entries_left: usize,
    bytes_left: u64,
}

impl<F: Fn(&Path) -> How> Mirror<F> {
    fn new(how: F) -> Self {
        Self {
            how,
            entries_left: ENTRIES_MAX,
            bytes_left: COPIED_MAX,
        }
    }

    fn walk(&mut self, from: &Folder, into: &Folder, inside: &Path, depth: usize) {
        for (name, kind) in from.names() {
            let Some(left) = self.entries_left.checked_sub(1) else {
                return;
            };
            self.entries_left = left;
            let path = inside.join(&name);
            match kind {
                FileType::Directory if depth < DEPTH_MAX => {
                    if let (Some(from), Some(into)) = (from.child(&name), into.make(&name)) {
                        self.walk(&from, &into, &path, depth + 1);
                    }
                }
                FileType::RegularFile if (self.how)(&path) == How::Link => {
                    into.link(&name, &from.path.join(&name));
                }
                FileType::RegularFile => {
                    let copied = from.copy_into(into, &name, self.bytes_left);
                    self.bytes_left -= copied.unwrap_or(0).min(self.bytes_left);
                }
                _ => {}
            }
        }
    }
}

/// An open folder and where it was found.
struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder by a path that leads over nothing a process wrote.
    fn open(path: &Path) -> Option<Self> {
        let handle = rustix::fs::openat(CWD, path, FOLDER, Mode::empty()).ok()?;
        let path = path.to_owned();
        Some(Self { handle, path })
    }

    /// Opens a folder in this one; a link is none.
    fn child(&self, name: &OsStr) -> Option<Self> {
        let handle = open_beneath(&self.handle, name, FOLDER).ok()?;
        let path = self.path.join(name);
        Some(Self { handle, path })
    }

    fn reach(&self, path: &[&str]) -> Option<Self> {
        let (first, rest) = path.split_first()?;
        let mut folder = self.child(OsStr::new(first))?;
        for name in rest {
            folder = folder.child(OsStr::new(name))?;
        }
        Some(folder)
    }

    /// Opens a folder in this one and makes it where it is missing; what else stands there gives way.
    fn make(&self, name: &OsStr) -> Option<Self> {
        match rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o700)) {
            Err(Errno::EXIST) if self.kind(name) != Some(FileType::Directory) => {
                rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()).ok()?;
                rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o700)).ok()?;
            }
            Ok(()) | Err(Errno::EXIST) => {}
            Err(_) => return None,
        }
        self.child(name)
    }

    fn make_all(&self, path: &[&str]) -> Option<Self> {
        let (first, rest) = path.split_first()?;
        let mut folder = self.make(OsStr::new(first))?;
        for name in rest {
            folder = folder.make(OsStr::new(name))?;
        }
        Some(folder)
    }

    fn kind(&self, name: &OsStr) -> Option<FileType> {
        let found = rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(FileType::from_raw_mode(found.st_mode))
    }

    /// Returns what is in the folder, at most as much as is looked at of one cache.
    fn names(&self) -> Vec<(OsString, FileType)> {
        let Ok(entries) = Dir::read_from(&self.handle) else {
            return Vec::new();
        };
        let named = entries.flatten().filter_map(|entry| {
            let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
            if name == "." || name == ".." {
                return None;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => self.kind(&name)?,
                kind => kind,
            };
            Some((name, kind))
        });
        named.take(ENTRIES_MAX).collect()
    }

    /// Puts a link here; a link that dangles gives way, anything else stays.
    fn link(&self, name: &OsStr, target: &Path) {
        if rustix::fs::symlinkat(target, &self.handle, name) != Err(Errno::EXIST) {
            return;
        }
        let stands = rustix::fs::readlinkat(&self.handle, name, Vec::new());
        let is_other =
            stands.is_ok_and(|stands| stands.to_bytes() != target.as_os_str().as_bytes());
        // What is asked first may have it too; a link that dangles helps nobody.
        if is_other && rustix::fs::statat(&self.handle, name, AtFlags::empty()).is_err() {
            let _ = rustix::fs::unlinkat(&self.handle, name, AtFlags::empty());
            let _ = rustix::fs::symlinkat(target, &self.handle, name);
        }
    }

    /// Copies a file of at most `bytes_max` where there is none; returns how much was copied.
    fn copy_into(&self, into: &Self, name: &OsStr, bytes_max: u64) -> io::Result<u64> {
        if into.kind(name).is_some() {
            return Ok(0);
        }
        let read = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::File::from(open_beneath(&self.handle, name, read)?);
        if file.metadata()?.len() > bytes_max {
            return Ok(0);
        }
        let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        let copy = rustix::fs::openat(&into.handle, name, write | OFlags::NOFOLLOW, mode)?;
        io::copy(
            &mut io::Read::take(file, bytes_max),
            &mut fs::File::from(copy),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(root: &Path) -> Caches {
        for (path, text) in [
            ("registry/cache/reg/a-1.crate", "a"),
            ("registry/index/reg/.cache/a/b", "index"),
            ("registry/src/reg/a-1/.cargo-ok", "{}"),
            ("registry/src/reg/half-1/lib.rs", ""),
            ("config.toml", "[net]"),
            ("credentials.toml", "secret"),
        ] {
            let path = root.join("cargo").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Caches {
            cargo: Some(root.join("cargo")),
            ..Caches::default()
        }
    }

    fn is_link(path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
    }

    #[test]
    fn cargo_finds_what_was_downloaded_and_no_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let caches = [person(folder.path())];
        let kept = |home: &Path, caches: &[Caches]| fill_kept(home, caches, Reach::Hosts);
        for (name, fill) in [
            ("kept", &kept as &dyn Fn(&Path, &[Caches])),
            ("fresh", &fill_fresh),
        ] {
            let home = folder.path().join(name);
            fs::create_dir(&home).unwrap();
            fill(&home, &caches);
            // Twice is once.
            fill(&home, &caches);
            let cargo = home.join(".cargo");
            for path in [
                "registry/cache/reg/a-1.crate",
                "registry/src/reg/a-1",
                "config.toml",
            ] {
                assert!(is_link(&cargo.join(path)), "{name} {path}");
            }
            assert!(cargo.join("registry/index/reg/.cache/a/b").is_file());
            assert_eq!(is_link(&cargo.join("registry/index/reg")), name == "fresh");
            assert!(!cargo.join("registry/src/reg/half-1").exists());
            assert!(!cargo.join("credentials.toml").exists());
            assert!(cargo.join("registry/src/reg").is_dir());
        }
    }

    #[test]
    fn a_link_in_the_home_or_in_the_cache_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let caches = [person(folder.path())];
        let secret = folder.path().join("secret");
        fs::create_dir(&secret).unwrap();
        fs::write(secret.join("key"), "k").unwrap();
        let home = folder.path().join("home");
        fs::create_dir_all(home.join(".cargo/registry")).unwrap();
        std::os::unix::fs::symlink(&secret, home.join(".cargo/registry/cache")).unwrap();
        let index = folder.path().join("cargo/registry/index/reg/.cache");
        std::os::unix::fs::symlink(secret.join("key"), index.join("stolen")).unwrap();
        fill_kept(&home, &caches, Reach::Hosts);
        assert_eq!(fs::read_dir(&secret).unwrap().count(), 1);
        assert!(!is_link(&home.join(".cargo/registry/cache")));
        assert!(
            !home
                .join(".cargo/registry/index/reg/.cache/stolen")
                .exists()
        );
    }
}
