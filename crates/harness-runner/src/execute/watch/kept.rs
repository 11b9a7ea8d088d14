//! What a command could damage and no git tree holds, kept once when a session begins.
//!
//! A folder per session below the harness's own holds three files: `bytes`, the
//! kept contents one behind the other; `manifest.jsonl`, what stood where and how
//! its content comes back, a line per path and later lines winning; and `command`,
//! which is there while a command runs whose changes were not looked at yet. None
//! is synced: they are for the death of the process, not for a loss of power.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
};

use harness_core::{BlobId, ByteCount, RepoPath};
use harness_guard::Attributes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The most that is kept for a session.
pub(super) const KEPT_MAX: ByteCount = ByteCount::mib(64);
/// How many sessions' kept bytes stay; older ones go when a session begins.
const SESSIONS_MAX: usize = 8;

const MANIFEST: &str = "manifest.jsonl";
const BYTES: &str = "bytes";
const COMMAND: &str = "command";

/// How the content of a file comes back, or is at least recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub(super) enum Source {
    /// The session's first tree has it.
    Tree {
        /// As this.
        blob: BlobId,
    },
    /// The kept bytes have it.
    Kept {
        /// Where it begins. Unit: bytes.
        offset: u64,
        /// How long it is. Unit: bytes.
        size: u64,
        /// What it must hash to.
        sha256: [u8; 32],
        /// Whether the agent may change it, so that it comes back with an undo alone.
        #[serde(default)]
        open: bool,
    },
    /// Only its hash is known: nothing in reach can change it.
    Hash {
        /// SHA-256.
        sha256: [u8; 32],
    },
}

/// A line of the stored manifest.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    path: RepoPath,
    /// What stands there; absent when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<Attributes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
}

/// The kept contents of one session.
#[derive(Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    bytes: File,
    manifest: File,
    sources: HashMap<RepoPath, Source>,
    used: u64,
}

/// What a session left behind.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) kept: Kept,
    pub(super) entries: BTreeMap<RepoPath, Attributes>,
    /// Whether a command ran whose changes nobody looked at.
    pub(super) in_command: bool,
}

impl Kept {
    /// Makes an empty store for a session in the folder `kept`, and removes those of old sessions.
    pub(super) fn create(kept: &Path, session: &str) -> std::io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(kept)?;
        prune(kept, session);
        let folder = kept.join(session);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self {
            bytes: private(&folder.join(BYTES))?,
            manifest: private(&folder.join(MANIFEST).with_extension("new"))?,
            sources: HashMap::new(),
            used: 0,
            folder,
        })
    }

    /// Reads what an earlier process kept; `None` when it never came to a first command.
    pub(super) fn load(kept: &Path, session: &str) -> std::io::Result<Option<Left>> {
        let folder = kept.join(session);
        let file = match File::open(folder.join(MANIFEST)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (mut entries, mut sources) = (BTreeMap::new(), HashMap::new());
        for line in BufReader::new(file).split(b'\n') {
            // The last line may have been cut short by the death of the process.
            let Ok(line) = serde_json::from_slice::<Line>(&line?) else {
                continue;
            };
            sources.remove(&line.path);
            sources.extend(line.source.map(|source| (line.path.clone(), source)));
            match line.is {
                Some(attributes) => entries.insert(line.path, attributes),
                None => entries.remove(&line.path),
            };
        }
        let bytes = private(&folder.join(BYTES))?;
        Ok(Some(Left {
            in_command: folder.join(COMMAND).exists(),
            kept: Self {
                used: bytes.metadata()?.len(),
                bytes,
                manifest: private(&folder.join(MANIFEST))?,
                sources,
                folder,
            },
            entries,
        }))
    }

    /// Stores the first manifest; from now on the session can be taken up.
    pub(super) fn complete(&mut self, entries: &[(&RepoPath, &Attributes)]) -> std::io::Result<()> {
        let mut out = BufWriter::new(&self.manifest);
        for (path, attributes) in entries {
            let line = Line {
                path: (*path).clone(),
                is: Some((*attributes).clone()),
                source: self.sources.get(path).cloned(),
            };
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        drop(out);
        let path = self.folder.join(MANIFEST);
        harness_failpoint::pass("kept.rename")?;
        fs::rename(path.with_extension("new"), path)
    }

    /// Stores that something else stands at a path now.
    pub(super) fn update(
        &mut self,
        path: &RepoPath,
        is: Option<&Attributes>,
    ) -> std::io::Result<()> {
        let line = Line {
            path: path.clone(),
            is: is.cloned(),
            source: self.sources.get(path).cloned(),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        self.manifest.write_all(&text)
    }

    /// Stores that a command runs, or that its changes were looked at.
    ///
    /// `root` is the work tree it runs in: several may share a git directory.
    pub(super) fn mark_command(&self, root: &Path, runs: bool) -> std::io::Result<()> {
        let path = self.folder.join(COMMAND);
        if runs {
            return fs::write(path, root.as_os_str().as_bytes());
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn source(&self, path: &RepoPath) -> Option<&Source> {
        self.sources.get(path)
    }

    /// Says how a file comes back that the session's first tree has.
    pub(super) fn know(&mut self, path: &RepoPath, source: Source) {
        self.sources.insert(path.clone(), source);
    }

    pub(super) fn forget(&mut self, path: &RepoPath) {
        self.sources.remove(path);
    }

    /// Whether a file of this size can still be kept.
    pub(super) const fn has_room(&self, size: u64) -> bool {
        self.used + size <= KEPT_MAX.0
    }

    /// Keeps the bytes of a file.
    pub(super) fn keep(
        &mut self,
        path: &RepoPath,
        bytes: &[u8],
        sha256: [u8; 32],
        open: bool,
    ) -> std::io::Result<()> {
        let offset = self.bytes.seek(SeekFrom::End(0))?;
        self.bytes.write_all(bytes)?;
        self.used = offset + bytes.len() as u64;
        let source = Source::Kept {
            offset,
            size: bytes.len() as u64,
            sha256,
            open,
        };
        self.sources.insert(path.clone(), source);
        Ok(())
    }

    /// Reads kept bytes back; `None` when they are not what was kept.
    pub(super) fn read(
        &self,
        offset: u64,
        size: u64,
        sha256: [u8; 32],
    ) -> std::io::Result<Option<Vec<u8>>> {
        let mut file = &self.bytes;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(size).read_to_end(&mut bytes)?;
        Ok((Sha256::digest(&bytes)[..] == sha256).then_some(bytes))
    }
}

/// Opens a file of the harness's own, to be read and added to.
fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// Returns a session of the work tree whose last command nobody looked at.
pub(super) fn unseen(kept: &Path, root: &Path) -> Option<String> {
    let mut sessions = fs::read_dir(kept).ok()?.flatten();
    let is_unseen = |entry: &fs::DirEntry| {
        fs::read(entry.path().join(COMMAND)).is_ok_and(|text| text == root.as_os_str().as_bytes())
    };
    let found = sessions.find(is_unseen)?;
    Some(found.file_name().to_string_lossy().into_owned())
}

/// Removes the oldest sessions' folders; one that cannot be removed is tried again next time.
fn prune(kept: &Path, session: &str) {
    let names = fs::read_dir(kept).into_iter().flatten().flatten();
    let mut names: Vec<_> = names
        .map(|entry| entry.file_name())
        .filter(|name| name != session)
        .collect();
    names.sort();
    let surplus = names.len().saturating_sub(SESSIONS_MAX - 1);
    for name in &names[..surplus] {
        let _ = fs::remove_dir_all(kept.join(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    #[test]
    fn what_was_kept_comes_back_after_the_death_of_the_process() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Kept::load(folder.path(), "S-0001").unwrap().is_none());
        let mut kept = Kept::create(folder.path(), "S-0001").unwrap();
        // Not complete yet: nothing can be taken up.
        assert!(Kept::load(folder.path(), "S-0001").unwrap().is_none());
        let hash = |bytes: &[u8]| -> [u8; 32] { Sha256::digest(bytes).into() };
        kept.keep(&path("a"), b"one", hash(b"one"), true).unwrap();
        kept.keep(&path("b"), b"two!", hash(b"two!"), false)
            .unwrap();
        kept.complete(&[]).unwrap();
        kept.update(&path("a"), None).unwrap();
        kept.update(&path("b"), None).unwrap();
        kept.mark_command(folder.path(), true).unwrap();
        drop(kept);
        let manifest = folder.path().join("S-0001").join(MANIFEST);
        let torn = [fs::read(&manifest).unwrap().as_slice(), b"{\"path\":\"c\""].concat();
        fs::write(&manifest, torn).unwrap();

        let left = Kept::load(folder.path(), "S-0001").unwrap().unwrap();
        assert!(left.in_command);
        assert_eq!(
            unseen(folder.path(), folder.path()).as_deref(),
            Some("S-0001")
        );
        assert_eq!(unseen(folder.path(), Path::new("/elsewhere")), None);
        let Some(Source::Kept {
            offset,
            size,
            sha256,
            ..
        }) = left.kept.source(&path("b")).cloned()
        else {
            panic!("not kept");
        };
        assert_eq!(
            left.kept.read(offset, size, sha256).unwrap().unwrap(),
            b"two!"
        );
        assert_eq!(left.kept.read(0, size, sha256).unwrap(), None);
        left.kept.mark_command(folder.path(), false).unwrap();
        assert!(
            !Kept::load(folder.path(), "S-0001")
                .unwrap()
                .unwrap()
                .in_command
        );
    }

    #[test]
    fn only_the_newest_sessions_stay() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=12 {
            Kept::create(folder.path(), &format!("S-{number:04}")).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), SESSIONS_MAX);
        assert!(folder.path().join("S-0012").exists());
        assert!(!folder.path().join("S-0004").exists());
    }
}
