//! Counts what the person runs already: the kernel's bound on processes is one per person.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a count is good for.
const FRESH: Duration = Duration::from_secs(10);

/// Returns the number of processes and threads of this program's user, at most 10 s old.
pub(super) fn tasks_of_this_user() -> u64 {
    static LAST: Mutex<Option<(Instant, u64)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match *last {
        Some((when, count)) if when.elapsed() < FRESH => count,
        _ => {
            let count = count();
            *last = Some((Instant::now(), count));
            count
        }
    }
}

fn count() -> u64 {
    let user = rustix::process::getuid().as_raw();
    let Ok(processes) = fs::read_dir("/proc") else {
        return 0;
    };
    processes
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit())
        .filter_map(|process| fs::metadata(process.path().join("task")).ok())
        .filter(|tasks| tasks.uid() == user)
        // The folder has a link for each task beside its own two.
        .map(|tasks| tasks.nlink().saturating_sub(2))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_programs_own_threads_are_counted() {
        assert!(tasks_of_this_user() >= 2);
    }
}
