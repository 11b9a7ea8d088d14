//! Looking at many files at once.
//!
//! A `stat` waits for the disk or the kernel's locks more than for the processor, so that
//! several threads are worth it where there are many; each goes its own way from the root.

use std::{io, num::NonZero, thread};

use harness_core::RepoPath;

use crate::beneath::{Cursor, Folder, Stat};

/// Fewer files are looked at by one thread.
const ALONE_MAX: usize = 4_000;

/// More threads than this gain nothing.
const THREADS_MAX: usize = 8;

/// What stands at a path: `None` when nothing does.
pub(crate) type Looked = io::Result<Option<Stat>>;

/// Looks at every path, in order; sorted paths share most of their folders.
pub(crate) fn look_at_all(root: &Folder, paths: &[RepoPath]) -> Vec<Looked> {
    let threads = match paths.len() {
        0..=ALONE_MAX => 1,
        _ => thread::available_parallelism().map_or(1, NonZero::get),
    };
    let share = paths.len().div_ceil(threads.clamp(1, THREADS_MAX)).max(1);
    let look = |paths: &[RepoPath]| -> Vec<Looked> {
        let mut cursor = Cursor::new(root);
        paths.iter().map(|path| cursor.stat(path)).collect()
    };
    if share >= paths.len() {
        return look(paths);
    }
    thread::scope(|scope| {
        let parts = paths.chunks(share);
        let looking: Vec<_> = parts
            .map(|part| (part, scope.spawn(move || look(part))))
            .collect();
        let looked = looking
            .into_iter()
            .map(|(part, looked)| looked.join().unwrap_or_else(|_| look(part)));
        looked.flatten().collect()
    })
}
