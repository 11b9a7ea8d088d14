//! Builds the file tree that the processes of a cage see, and moves into it.
//!
//! Everything that is to be seen is opened first, in the machine's tree. Then an
//! empty tree is made in memory, each mount is put into it without following a
//! link, and the machine's tree is let go of.

use std::{
    ffi::OsStr,
    fmt, fs, io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use harness_guard::{Mount, MountKind};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
    mount::{MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags},
};

use super::{
    layout::Layout,
    sys::{Without, restrict},
};
use crate::disk::{LOOK, open_beneath, open_folder};

/// Devices that every program may use. A terminal is not among them.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

/// How large the tree itself may be: it holds folders to mount on and nothing else.
const TREE_OPTIONS: &str = "size=4m,mode=755";

/// How much shared memory a command may have.
const SHARED_OPTIONS: &str = "size=512m,mode=1777";

/// Folders that programs expect and that are empty.
const EMPTY_FOLDERS: [&str; 5] = ["run", "var", "home", "mnt", "srv"];

/// A step that failed.
#[derive(Debug)]
pub(super) struct Failed {
    step: String,
    source: io::Error,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.source)
    }
}

/// Words a failure.
pub(super) trait At<T> {
    fn at(self, step: impl fmt::Display) -> Result<T, Failed>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, step: impl fmt::Display) -> Result<T, Failed> {
        self.map_err(|source| Failed {
            step: step.to_string(),
            source: source.into(),
        })
    }
}

/// Something that is to be seen, opened where it is.
enum Seen {
    /// A mount of its own, not yet part of any tree.
    Tree(OwnedFd, FileType),
    /// A link, which is made again.
    Link(PathBuf),
}

/// Builds the tree and makes it this process's own. The caller has mount and process namespaces of its own.
pub(super) fn enter(layout: &Layout) -> Result<(), Failed> {
    rustix::mount::mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )
    .at("keep mounts to itself")?;
    let root = open_folder(&layout.root).at(layout.root.display())?;
    let roots = [
        (layout.root.as_path(), Some(root)),
        // A plan that shows nothing of it may be made where it does not exist.
        (
            layout.work_tree.as_path(),
            open_folder(&layout.work_tree).ok(),
        ),
    ];
    let seen: Vec<(&Mount, Seen)> = layout
        .mounts
        .iter()
        .filter(|mount| !mount.target.starts_with("/proc"))
        .filter_map(|mount| Some((mount, open(mount, &roots)?)))
        .collect();
    let devices: Vec<(&str, OwnedFd)> = DEVICES
        .iter()
        .filter_map(|name| {
            let device = Path::new("/dev").join(name);
            Some((
                *name,
                clone_tree(CWD, &device, OpenTreeFlags::empty()).ok()?,
            ))
        })
        .collect();
    let base = make_base(&layout.scaffold)?;
    let tree = Tree::new(base, layout.temp_max)?;
    for (mount, seen) in seen {
        tree.place(mount, seen)
            .at(format_args!("show {}", mount.target.display()))?;
    }
    tree.place_devices(devices)?;
    tree.place_proc()?;
    tree.take_over()
}

/// Opens what a mount shows; `None` where there is nothing, or a link that the repository holds.
///
/// What lies below one of `roots` is opened beneath the first that holds it.
fn open(mount: &Mount, roots: &[(&Path, Option<OwnedFd>)]) -> Option<Seen> {
    let inside = roots
        .iter()
        .find_map(|(root, handle)| Some((mount.source.strip_prefix(root).ok()?, handle.as_ref()?)));
    let source = match inside {
        Some((inside, handle)) if inside.as_os_str().is_empty() => open_beneath(handle, ".", LOOK),
        Some((inside, handle)) => open_beneath(handle, inside, LOOK),
        None => rustix::fs::openat(CWD, &mount.source, LOOK, Mode::empty()),
    }
    .ok()?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&source).ok()?.st_mode);
    if kind == FileType::Symlink {
        // A link of the system leads to what is shown as well; one of the repository may lead anywhere.
        let target = fs::read_link(&mount.source).ok()?;
        return inside.is_none().then_some(Seen::Link(target));
    }
    if mount.kind == MountKind::Hide {
        // What is hidden is not opened: only its kind is needed.
        return Some(Seen::Tree(source, kind));
    }
    let tree = clone_tree(
        &source,
        Path::new(""),
        OpenTreeFlags::AT_EMPTY_PATH | OpenTreeFlags::AT_RECURSIVE,
    )
    .ok()?;
    let without = Without::SET_USER.and(Without::DEVICES);
    let without = match mount.kind {
        MountKind::Read | MountKind::Close => without.and(Without::WRITE),
        MountKind::Write | MountKind::Pin | MountKind::Hide => without,
    };
    restrict(&tree, without, true).ok()?;
    Some(Seen::Tree(tree, kind))
}

fn clone_tree(folder: impl AsFd, path: &Path, flags: OpenTreeFlags) -> Result<OwnedFd, Errno> {
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    rustix::mount::open_tree(folder, path, clone | flags)
}

/// Mounts an empty tree over a folder that is not needed any more, and goes there.
fn make_base(scaffold: &Path) -> Result<OwnedFd, Failed> {
    mount_memory(scaffold, TREE_OPTIONS).at("make an empty tree")?;
    rustix::process::chdir(scaffold).at("go to the empty tree")?;
    open_folder(scaffold).at("open the empty tree")
}

fn mount_memory(at: &Path, options: &str) -> io::Result<()> {
    let options = std::ffi::CString::new(options)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    Ok(rustix::mount::mount(
        "none",
        at,
        "tmpfs",
        flags,
        options.as_c_str(),
    )?)
}

/// The new tree while it is built; the working folder is its root.
struct Tree {
    base: OwnedFd,
    /// The file systems in memory, in which places to mount on may be made.
    own: [u64; 2],
    empty_file: PathBuf,
    empty_folder: PathBuf,
}

impl Tree {
    fn new(base: OwnedFd, temp_max: u64) -> Result<Self, Failed> {
        for folder in EMPTY_FOLDERS
            .iter()
            .chain(&["tmp", "dev", "proc", ".empty"])
        {
            fs::create_dir(folder).at(folder)?;
        }
        std::os::unix::fs::symlink("/tmp", "var/tmp").at("link /var/tmp")?;
        let empty_file = PathBuf::from(".empty/file");
        let empty_folder = PathBuf::from(".empty/folder");
        fs::File::create(&empty_file).at("make an empty file")?;
        fs::create_dir(&empty_folder).at("make an empty folder")?;
        mount_memory(Path::new("tmp"), &format!("size={temp_max},mode=1777")).at("mount /tmp")?;
        let device_of = |folder: &str| fs::metadata(folder).map(|found| device(&found));
        let own = [
            device_of(".").at("look at the tree")?,
            device_of("tmp").at("look at /tmp")?,
        ];
        Ok(Self {
            base,
            own,
            empty_file,
            empty_folder,
        })
    }

    fn place(&self, mount: &Mount, seen: Seen) -> io::Result<()> {
        let inside = mount.target.strip_prefix("/").unwrap_or(&mount.target);
        match seen {
            Seen::Link(target) => match self.make_way(inside) {
                Ok(Some((folder, name))) => {
                    // An earlier mount may have brought it.
                    let _ = rustix::fs::symlinkat(target.as_path(), folder, name);
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            Seen::Tree(tree, kind) => {
                let Some(target) = self.target(inside, kind)? else {
                    return Ok(());
                };
                if mount.kind == MountKind::Hide {
                    let empty = if kind == FileType::Directory {
                        &self.empty_folder
                    } else {
                        &self.empty_file
                    };
                    let empty = clone_tree(CWD, empty, OpenTreeFlags::empty())?;
                    restrict(&empty, Without::WRITE, false)?;
                    return attach(&empty, &target);
                }
                attach(&tree, &target)
            }
        }
    }

    /// Opens the place something is mounted on, and makes it where the tree is still bare.
    /// `None` where a link is on the way, or an earlier mount has nothing there.
    fn target(&self, inside: &Path, kind: FileType) -> io::Result<Option<OwnedFd>> {
        if inside.as_os_str().is_empty() {
            return Ok(None);
        }
        match self.find(inside) {
            Ok(found) => return Ok(Some(found)),
            Err(Errno::NOENT) => {}
            Err(Errno::LOOP | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
        let Some((folder, name)) = self.make_way(inside)? else {
            return Ok(None);
        };
        if kind == FileType::Directory {
            rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755))?;
        } else {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            rustix::fs::openat(&folder, name, flags, Mode::from_raw_mode(0o444))?;
        }
        Ok(Some(self.find(inside)?))
    }

    /// Returns the folder that holds the last component, made in memory where it is missing.
    fn make_way<'a>(&self, inside: &'a Path) -> io::Result<Option<(OwnedFd, &'a OsStr)>> {
        let Some(name) = inside.file_name() else {
            return Ok(None);
        };
        let parent = inside.parent().unwrap_or(Path::new(""));
        let mut folder = open_beneath(&self.base, ".", LOOK)?;
        for component in parent.components() {
            let name = component.as_os_str();
            let next = match self.step(&folder, name) {
                Err(Errno::NOENT) => {
                    if !self.is_own(&folder)? {
                        return Ok(None);
                    }
                    rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755))?;
                    self.step(&folder, name)
                }
                found => found,
            };
            folder = match next {
                Ok(next) => next,
                Err(Errno::LOOP | Errno::NOTDIR) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            };
        }
        Ok(self.is_own(&folder)?.then_some((folder, name)))
    }

    fn is_own(&self, folder: &OwnedFd) -> io::Result<bool> {
        Ok(self.own.contains(&rustix::fs::fstat(folder)?.st_dev))
    }

    /// Opens a folder in another; a mount on it is entered, a link is not.
    fn step(&self, folder: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
        open_beneath(folder, name, LOOK.union(OFlags::DIRECTORY))
    }

    fn find(&self, inside: &Path) -> Result<OwnedFd, Errno> {
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(&self.base, inside, LOOK, Mode::empty(), resolve)
    }

    fn place_devices(&self, devices: Vec<(&str, OwnedFd)>) -> Result<(), Failed> {
        for (name, tree) in devices {
            let place = Path::new("dev").join(name);
            fs::File::create(&place).at(place.display())?;
            restrict(&tree, Without::SET_USER.and(Without::EXECUTE), false).at(name)?;
            let target = self.find(&place).at(place.display())?;
            attach(&tree, &target).at(place.display())?;
        }
        for (link, target) in [
            ("dev/fd", "/proc/self/fd"),
            ("dev/stdin", "/proc/self/fd/0"),
            ("dev/stdout", "/proc/self/fd/1"),
            ("dev/stderr", "/proc/self/fd/2"),
            ("dev/ptmx", "pts/ptmx"),
        ] {
            std::os::unix::fs::symlink(target, link).at(link)?;
        }
        fs::create_dir("dev/shm").at("make /dev/shm")?;
        mount_memory(Path::new("dev/shm"), SHARED_OPTIONS).at("mount /dev/shm")?;
        fs::create_dir("dev/pts").at("make /dev/pts")?;
        // Terminals of its own, for programs that drive others through one; a kernel
        // that gives none leaves those programs without.
        let _ = rustix::mount::mount(
            "none",
            "dev/pts",
            "devpts",
            MountFlags::NOSUID | MountFlags::NOEXEC,
            c"newinstance,ptmxmode=0666,mode=620",
        );
        Ok(())
    }

    fn place_proc(&self) -> Result<(), Failed> {
        mount_proc(Path::new("proc")).at("mount /proc")
    }

    /// Makes the tree the root, lets go of the machine's, and closes the tree itself.
    fn take_over(self) -> Result<(), Failed> {
        rustix::process::pivot_root(".", ".").at("change the root")?;
        rustix::mount::unmount(".", UnmountFlags::DETACH).at("let go of the machine's tree")?;
        rustix::process::chdir("/").at("go to the new root")?;
        let root = open_folder(Path::new("/")).at("open the new root")?;
        restrict(&root, Without::WRITE, false).at("close the new root")
    }
}

/// Mounts the view of processes that the caller's own namespace gives.
pub(super) fn mount_proc(at: &Path) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    Ok(rustix::mount::mount("proc", at, "proc", flags, c"")?)
}

/// Lays a path over itself, read-only.
pub(super) fn close(path: &Path) -> io::Result<()> {
    let tree = clone_tree(CWD, path, OpenTreeFlags::AT_RECURSIVE)?;
    restrict(&tree, Without::WRITE, true)?;
    let target = rustix::fs::openat(CWD, path, LOOK, Mode::empty())?;
    attach(&tree, &target)
}

fn attach(tree: &OwnedFd, target: &OwnedFd) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(rustix::mount::move_mount(tree, "", target, "", flags)?)
}

fn device(found: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    found.dev()
}
