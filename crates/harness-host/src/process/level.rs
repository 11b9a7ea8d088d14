//! Finds out what the kernel enforces, by trying it.

use std::{ffi::OsString, fs, io::Read, path::Path};

use harness_core::{Level, Limits};

use super::{
    Scratch,
    child::{REPORT_BYTES, Report},
    prepare::{Outline, prepare},
    spawner::{self, Started},
};
use crate::machine::system_folders;

/// Writes where it may, then where it may not, and notes whether it is filtered.
const ATTEMPT: &str = r#"
while read -r name value; do
    case $name in Seccomp:) [ "$value" = 2 ] && echo x > inside/filtered ;; esac
done < /proc/self/status
echo x > inside/written
echo x > outside/written
"#;

/// Returns the strongest level that a real attempt to break out of it proved.
///
/// A short-lived shell tries to write inside and outside of what it may. Nothing
/// is remembered: each call tries again. Blocks for a few milliseconds.
pub fn probe_level() -> Level {
    // Without the list of its children a helper cannot find what a command left behind.
    let can_list = Path::new("/proc/thread-self/children").exists();
    if can_list && is_confined().unwrap_or(false) {
        Level::Landlock
    } else {
        Level::None
    }
}

/// Returns whether the attempt ended as the level promises; `None` when it could not be made.
fn is_confined() -> Option<bool> {
    let folder = Scratch::create(&std::env::temp_dir()).ok()?;
    let root = folder.path();
    let inside = root.join("inside");
    let outside = root.join("outside");
    fs::create_dir(&inside).ok()?;
    fs::create_dir(&outside).ok()?;
    let limits = Limits::default();
    let outline = Outline {
        level: Level::Landlock,
        root,
        cwd: root,
        writable: std::slice::from_ref(&inside),
        readable: &system_folders(),
        read_only: &[],
        masked: &[],
        environment: &[],
        home: &inside,
        temp: &inside,
        memory: limits.memory,
        processes: limits.processes,
    };
    let argv = ["/bin/sh", "-c", ATTEMPT].map(OsString::from);
    let prepared = prepare(&outline, &argv).ok()?;
    wait_for(spawner::start_now(prepared.start).ok()?)?;
    let is_there = |folder: &Path, name: &str| folder.join(name).exists();
    Some(
        is_there(&inside, "written")
            && is_there(&inside, "filtered")
            && !is_there(&outside, "written"),
    )
}

fn wait_for(started: Started) -> Option<Report> {
    let mut bytes = [0; REPORT_BYTES];
    fs::File::from(started.report).read_exact(&mut bytes).ok()?;
    Some(Report::decode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_same_each_time() {
        assert_eq!(probe_level(), probe_level());
    }
}
