//! What is known of a checkout's files, kept beside it for the next process.
//!
//! A file's times and its number in the file system say that nobody wrote it since: what ran in
//! the folder cannot set the time of its last change. The file lies beside the folder, as the
//! record of its trees does, where no program of a gate can write. One that cannot be read
//! whole is none, and every file is read again.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use git2::Oid;
use harness_core::RepoPath;

use super::{CheckoutStamp, FEW, Known};
use crate::{
    beneath::Stat,
    repo::{GitError, OnPath},
};

/// What the file begins with: another form is not read.
const FORM: &[u8] = b"harness checkout 1\n";

/// The longest file that is read. Unit: bytes.
const BYTES_MAX: u64 = 256 << 20;

impl CheckoutStamp {
    /// Reads what an earlier process has kept of a folder's files; an empty one when there is nothing.
    pub fn kept_beside(folder: &Path) -> Self {
        let path = place(folder);
        let is_small = fs::metadata(&path).is_ok_and(|file| file.len() <= BYTES_MAX);
        let bytes = is_small.then(|| fs::read(&path).ok()).flatten();
        let files = bytes.and_then(|bytes| bytes.strip_prefix(FORM).and_then(parse));
        Self {
            files: files.unwrap_or_default(),
            news: 0,
        }
    }

    /// Keeps what is known of a folder's files, where so much is new that it is worth it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_beside(&mut self, folder: &Path) -> Result<(), GitError> {
        if self.news <= FEW {
            return Ok(());
        }
        let path = place(folder);
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(".new");
        let kept = self.write(Path::new(&fresh));
        kept.and_then(|()| fs::rename(&fresh, &path))
            .on_path("write", &path)?;
        self.news = 0;
        Ok(())
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(FORM)?;
        for (path, (stat, id)) in &self.files {
            let Stat {
                size,
                mtime_ns,
                ctime_ns,
                inode,
                mode,
            } = stat;
            write!(file, "{size} {mtime_ns} {ctime_ns} {inode} {mode} {id} ")?;
            file.write_all(path.as_bytes())?;
            file.write_all(b"\0")?;
        }
        file.flush()
    }
}

fn parse(bytes: &[u8]) -> Option<std::collections::HashMap<RepoPath, Known>> {
    let bytes = bytes.strip_suffix(b"\0")?;
    bytes.split(|byte| *byte == 0).map(entry).collect()
}

fn entry(line: &[u8]) -> Option<(RepoPath, Known)> {
    let mut parts = line.splitn(7, |byte| *byte == b' ');
    let mut word = || std::str::from_utf8(parts.next()?).ok();
    let stat = Stat {
        size: word()?.parse().ok()?,
        mtime_ns: word()?.parse().ok()?,
        ctime_ns: word()?.parse().ok()?,
        inode: word()?.parse().ok()?,
        mode: word()?.parse().ok()?,
    };
    let id = Oid::from_str(word()?).ok()?;
    let path = RepoPath::parse(parts.next()?).ok()?;
    Some((path, (stat, id)))
}

/// Returns `<folder>.files`.
fn place(folder: &Path) -> PathBuf {
    let mut name: OsString = folder.as_os_str().to_owned();
    name.push(".files");
    PathBuf::from(name)
}
