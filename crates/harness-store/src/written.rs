//! Whether somebody writes a file, found out without getting in their way.
//!
//! A try to lock would do, but whoever opens the log at that moment would be refused. The kernel
//! lists the locks instead. Some file systems list a file under another number than they tell, so
//! the list is tried first on a folder that nobody else locks.

use std::{fs::File, os::unix::fs::MetadataExt, path::Path};

use rustix::fs::{FlockOperation, flock};

const LOCKS: &str = "/proc/locks";

/// Whether a process holds the kernel's lock on a file; `None` where that cannot be told.
///
/// `folder` is where the file lies.
pub(crate) fn is_locked(file: &File, folder: &Path) -> Option<bool> {
    let number = file.metadata().ok()?.ino();
    if holds(number)? {
        return Some(true);
    }
    let probe = File::open(folder).ok()?;
    let own = probe.metadata().ok()?.ino();
    flock(&probe, FlockOperation::NonBlockingLockShared).ok()?;
    let is_told = holds(own)?;
    let _ = flock(&probe, FlockOperation::Unlock);
    is_told.then_some(false)
}

/// Whether the list names a file of this number: `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`.
fn holds(number: u64) -> Option<bool> {
    let list = std::fs::read_to_string(LOCKS).ok()?;
    let number = number.to_string();
    Some(list.lines().any(|line| {
        let mut words = line.split_whitespace();
        let place = words.find(|word| word.matches(':').count() == 2);
        line.contains("FLOCK") && place.and_then(|place| place.rsplit(':').next()) == Some(&number)
    }))
}
