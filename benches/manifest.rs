//! Measures the walk after each command: `cargo bench --bench manifest`.
//!
//! Prints figures and asserts nothing: machines differ. The folder has as many entries as a
//! middling repository with its ignored files.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use harness_core::{Feature, FeatureId, Limits, Policy, RepoPath, ScopeRules, Sourced, TokenCount};
use harness_guard::{Guard, default_hidden, default_protected};
use harness_host::disk::Root;

const FOLDERS: usize = 400;
const FILES: usize = 49;
const ROUNDS: usize = 15;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(folder.path());
    let root = Root::open(folder.path()).expect("a folder that was just made");
    let guard = guard();
    let walk = || {
        root.manifest(&|path| guard.scope().is_build_output(path))
            .expect("a folder that can be read")
    };
    let first = walk();
    let mut walks: Vec<Duration> = Vec::new();
    let mut comparisons: Vec<Duration> = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let again = walk();
        walks.push(begun.elapsed());
        let begun = Instant::now();
        assert!(again.differences_from(&first).is_empty());
        comparisons.push(begun.elapsed());
    }
    println!("{} entries", first.len());
    println!("walk: {}", range(&mut walks));
    println!("comparison: {}", range(&mut comparisons));
}

/// The rules that a walk asks: with a build output, as most repositories have.
fn guard() -> Guard {
    let file = |name| RepoPath::parse(name).expect("a plain name is inside");
    let rule = |pattern| vec![Sourced::built_in(pattern)];
    let policy = Policy {
        scope: ScopeRules {
            write: rule("area-1/**"),
            deny: Vec::new(),
            hide: default_hidden(),
            protect: default_protected(),
            build: rule("target"),
            host_owned: Vec::new(),
        },
        gates: Vec::new(),
        commands: Vec::new(),
        network_closed: String::new(),
        formats: Vec::new(),
        amendments: Vec::new(),
        review: harness_core::ReviewBy::None,
        limits: Limits::default(),
        isolate: true,
        feature_file: file("feature_list.json"),
        progress_file: file("progress.md"),
        map_file: "AGENTS.md".to_owned(),
        context_budget: TokenCount(16_000),
        network: Vec::new(),
    };
    Guard::new(&policy, &Feature::titled(FeatureId::task(1), "any")).expect("plain patterns")
}

fn fill(root: &Path) {
    for folder in 0..FOLDERS {
        let folder = root.join(format!("area-{}/part-{folder}", folder % 20));
        fs::create_dir_all(&folder).expect("a folder");
        for file in 0..FILES {
            fs::write(folder.join(format!("file-{file}.txt")), "text\n").expect("a file");
        }
    }
}

fn range(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let (least, middle) = (times[0], times[times.len() / 2]);
    format!("at best {least:.1?}, median {middle:.1?}")
}
