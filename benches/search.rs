//! Measures the tool `search` against `rg`: `cargo bench --bench search [-- FOLDER]`.
//!
//! Prints figures and asserts nothing: machines differ. The folder is the sources of the packages
//! that this machine has, or the one that is given. Where `rg` is found, by `RG` or in the path,
//! the ratio is of runs that took turns, each looking into as many files with as many threads.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use harness_core::{
    Action, Feature, FeatureId, Limits, Policy, RepoPath, ScopeRules, Sourced, TokenCount,
};
use harness_guard::{Guard, default_hidden, default_protected};
use harness_host::disk::{Root, SearchLimits};

const ROUNDS: usize = 7;
/// What is searched for: rare, common as a word, an expression, and nothing that is there.
const QUERIES: [&str; 4] = [
    "RESOLVE_NO_SYMLINKS",
    "unsafe impl",
    r"fn\s+\w+_with_\w+\(",
    "zqxjkvbwmfy",
];

fn main() {
    let given = env::args().skip(1).find(|word| !word.starts_with('-'));
    let Some(folder) = given.map(PathBuf::from).or_else(sources) else {
        println!("no sources of packages are here; name a folder");
        return;
    };
    let root = Root::open(&folder).expect("a folder that can be read");
    let guard = guard();
    let program = env::var_os("RG").unwrap_or_else(|| "rg".into());
    let has_rg = rg(&program, &folder, QUERIES[3]).is_some();
    for query in QUERIES {
        let mut own: Vec<Duration> = Vec::new();
        let mut theirs: Vec<Duration> = Vec::new();
        let mut told = String::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            told = search(&root, &guard, query);
            own.push(begun.elapsed());
            theirs.extend(rg(&program, &folder, query).filter(|_| has_rg));
        }
        println!("{query}: {told}");
        println!("  search {}", range(&mut own));
        if !theirs.is_empty() {
            println!("  rg     {}", range(&mut theirs));
            let ratio = median(&own).as_secs_f64() / median(&theirs).as_secs_f64();
            println!("  search takes {ratio:.2} times as long");
        }
    }
    if !has_rg {
        println!("`rg` is not here; `RG` names another place");
    }
}

fn sources() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo")))?;
    Some(home.join("registry/src")).filter(|folder| folder.is_dir())
}

/// Searches everything, with no bound on what is found: `rg` has none either.
fn search(root: &Root, guard: &Guard, query: &str) -> String {
    let action = Action::Search {
        query: query.to_owned(),
        path: RepoPath::root(),
        glob: None,
        context: 0,
    };
    let permit = guard.permit(action).expect("reading is free");
    let limits = SearchLimits {
        hits: usize::MAX - 1,
        ..SearchLimits::default()
    };
    let found = root
        .search(&permit, &|_| false, limits)
        .expect("an expression");
    format!("{} lines in {} files", found.hits.len(), found.files)
}

/// Runs `rg` as the tool searches: hidden files too, ignored ones not, sorted, without its own configuration.
fn rg(program: &std::ffi::OsStr, folder: &Path, query: &str) -> Option<Duration> {
    let begun = Instant::now();
    let status = Command::new(program)
        .args([
            "--no-config",
            "--hidden",
            "--no-require-git",
            "--no-ignore-global",
        ])
        .args(["--line-number", "--glob", "!.git", "-e", query])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.ok().map(|_| begun.elapsed())
}

fn median(times: &[Duration]) -> Duration {
    times[times.len() / 2]
}

fn range(times: &mut [Duration]) -> String {
    times.sort();
    format!(
        "{:.0?} (from {:.0?} to {:.0?})",
        median(times),
        times[0],
        times[times.len() - 1]
    )
}

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
        formats: Vec::new(),
        review: harness_core::ReviewBy::None,
        network_closed: String::new(),
        amendments: Vec::new(),
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
