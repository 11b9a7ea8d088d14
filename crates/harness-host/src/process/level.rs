//! Finds out what the kernel enforces, by trying it.

use std::{ffi::OsString, fs, path::Path, thread, time::Duration};

use harness_core::{Baseline, Gate, Level, Limits, Reader, RepoPath, When};
use harness_guard::{CagePlan, Machine, network::Hosts};
use tokio::runtime::Builder;

use super::{RunLimits, Scratch, run};
use crate::{Cancelled, machine::system_folders};

/// Writes where it may, then where it may not, and notes whether it is filtered.
const ATTEMPT: &str = r#"
while read -r name value; do
    case $name in Seccomp:) [ "$value" = 2 ] && echo x > filtered ;; esac
done < /proc/self/status
echo x > written
echo x > "$1/written"
"#;

/// The levels that are tried, strongest first.
const TRIED: [Level; 2] = [Level::Namespaces, Level::Landlock];

/// Returns the strongest level that a real attempt to break out of it proved.
///
/// A short-lived shell tries to write inside and outside of what it may. Nothing
/// is remembered: each call tries again. Blocks for a few milliseconds.
pub fn probe_level() -> Level {
    let found = TRIED.into_iter().find(|level| is_enforced(*level));
    found.unwrap_or(Level::None)
}

/// Whether a real attempt to break out of a level failed; `none` and `external` promise nothing.
/// Blocks for a few milliseconds.
pub fn is_enforced(level: Level) -> bool {
    // Without the list of its children a helper cannot find what a command left behind.
    let can_list = level == Level::Namespaces || Path::new("/proc/thread-self/children").exists();
    // On a thread of its own, because whoever asks may already be waiting for something else.
    let tried = thread::scope(|scope| {
        let attempt = scope.spawn(|| {
            let runtime = Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(attempt(level))
        });
        attempt.join().ok().flatten()
    });
    can_list && tried.unwrap_or(false)
}

/// Returns whether the attempt ended as the level promises; `None` when it could not be made.
async fn attempt(level: Level) -> Option<bool> {
    let folder = Scratch::create(&std::env::temp_dir()).ok()?;
    let [inside, outside, home, temp] =
        ["inside", "outside", "home", "temp"].map(|name| folder.path().join(name));
    for made in [&inside, &outside, &home, &temp] {
        fs::create_dir(made).ok()?;
    }
    let machine = Machine {
        root: inside.clone(),
        git_dir: inside.join(".git"),
        level,
        home,
        temp,
        read: system_folders(),
        opened: Vec::new(),
        pinned: Vec::new(),
        masked: Vec::new(),
        environment: Vec::new(),
    };
    let gate = Gate {
        name: "probe".to_owned(),
        run: Vec::new(),
        cwd: RepoPath::root(),
        environment: Vec::new(),
        timeout: Duration::from_secs(10),
        reader: Reader::Exit,
        min_tests: 0,
        when: When::Finish,
        baseline: Baseline::Strict,
        paths: Vec::new(),
    };
    let limits = Limits::default();
    let plan = CagePlan::for_gate(&gate, &limits, &Hosts::default(), &machine, &inside);
    let mut argv: Vec<OsString> = ["/bin/sh", "-c", ATTEMPT, "sh"].map(OsString::from).into();
    argv.push(outside.clone().into());
    let bounds = RunLimits::of(&limits);
    run(&plan, &argv, &bounds, |_| {}, Cancelled::never())
        .await
        .ok()?;
    let is_there = |folder: &Path, name: &str| folder.join(name).exists();
    Some(
        is_there(&inside, "written")
            && is_there(&inside, "filtered")
            && !is_there(&outside, "written"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_same_each_time() {
        assert_eq!(probe_level(), probe_level());
    }
}
