//! Output that is more than a model is shown, kept where its tools find it.
//!
//! One file per call, below the session's own folder and so in no work tree, no checkpoint and no
//! command's sight. The tools that read see it at the path that [`CallId::kept_output`] names, as
//! long as something was kept there. Gone with the session. Bytes are kept as they came, but for
//! what is no UTF-8 and for secrets, which are nowhere written.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use harness_core::{ByteCount, CallId, Captured, KEPT_FOLDER, RepoPath};
use harness_host::disk::Root;

use super::lock;

/// Output of so many bytes can be more than a model is shown.
const KEPT_FROM: ByteCount = ByteCount::kib(12);
/// The most files of a session; the oldest go.
const FILES_MAX: usize = 64;

/// The kept output of the open session.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    place: Mutex<Option<PathBuf>>,
    root: Mutex<Option<Arc<Root>>>,
}

impl Outputs {
    /// Keeps below `folder` from now on, with what was kept there before.
    pub(crate) fn open(&self, folder: PathBuf) {
        *lock(&self.root) = Root::open(&folder).ok().map(Arc::new);
        *lock(&self.place) = Some(folder);
    }

    /// Removes all of it.
    pub(crate) fn remove(&self) {
        *lock(&self.root) = None;
        if let Some(folder) = lock(&self.place).take() {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(folder);
        }
    }

    /// Keeps output that is more than is shown; returns where it is found.
    ///
    /// What cannot be kept is not: the call goes on without.
    pub(crate) fn keep_long(&self, call: CallId, output: &Captured) -> Option<RepoPath> {
        if output.bytes < KEPT_FROM.0 {
            return None;
        }
        self.keep(call, output)
    }

    fn keep(&self, call: CallId, output: &Captured) -> Option<RepoPath> {
        let path = call.kept_output()?;
        let place = lock(&self.place).clone()?;
        let text = output.to_text();
        let text = harness_guard::redact(&text);
        write(&place, &path, text.as_bytes()).ok()?;
        let mut root = lock(&self.root);
        if root.is_none() {
            *root = Root::open(&place).ok().map(Arc::new);
        }
        root.is_some().then_some(path)
    }

    /// Returns where a path is found that names kept output, or the folder of it.
    pub(crate) fn root_of(&self, path: &RepoPath) -> Option<Arc<Root>> {
        let is_kept = path.components().next() == Some(KEPT_FOLDER.as_bytes());
        let place = lock(&self.place).clone().filter(|_| is_kept)?;
        fs::symlink_metadata(place.join(path.as_path())).ok()?;
        lock(&self.root).clone()
    }
}

fn write(place: &Path, path: &RepoPath, bytes: &[u8]) -> io::Result<()> {
    let folder = place.join(KEPT_FOLDER);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    make_room(&folder)?;
    let target = place.join(path.as_path());
    let half = target.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    io::Write::write_all(&mut options.open(&half)?, bytes)?;
    harness_failpoint::pass("output.rename")?;
    fs::rename(half, target)
}

/// Removes the oldest files where there are as many as may be.
fn make_room(folder: &Path) -> io::Result<()> {
    let mut files: Vec<_> = fs::read_dir(folder)?
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    if files.len() < FILES_MAX {
        return Ok(());
    }
    files.sort();
    for (_, path) in &files[..=files.len() - FILES_MAX] {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use harness_core::TurnNumber;

    use super::*;

    fn call(turn: u32) -> CallId {
        CallId {
            turn: TurnNumber(turn),
            index: 0,
        }
    }

    fn output(text: &str) -> Captured {
        Captured {
            head: text.to_owned(),
            tail: String::new(),
            bytes: text.len() as u64,
        }
    }

    #[test]
    fn only_long_output_is_kept_and_the_oldest_goes_first() {
        let place = tempfile::tempdir().unwrap();
        let outputs = Outputs::default();
        let long = output(&"a line\n".repeat(4_000));
        assert_eq!(
            outputs.keep_long(call(1), &long),
            None,
            "no session is open"
        );
        outputs.open(place.path().join("tools"));
        assert_eq!(outputs.keep_long(call(1), &output("short")), None);
        for turn in 1..80 {
            let kept = outputs.keep_long(call(turn), &long).unwrap();
            assert!(outputs.root_of(&kept).is_some());
        }
        let folder = place.path().join("tools/@output");
        assert!(fs::read_dir(&folder).unwrap().count() <= FILES_MAX);
        let outside = RepoPath::parse("src/t1c0.txt").unwrap();
        assert!(outputs.root_of(&outside).is_none());
        outputs.remove();
        assert!(!folder.exists());
    }
}
