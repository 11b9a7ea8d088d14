//! A repository, something outside of it, and plans for commands in it.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use harness_core::{
    Action, ByteCount, Feature, FeatureId, Level, Limits, Policy, RepoPath, ScopeRules, Sourced,
    Stop, TokenCount,
};
use harness_guard::{CagePlan, Guard, Permit};
use harness_host::{
    Cancelled,
    machine::{Place, Role, machine},
    process::{Exited, RunLimits, SpawnError, is_enforced, run, set_cage_program},
};
use tempfile::TempDir;

/// A repository whose scope is `src/**`, its build output `target`, and a folder outside.
pub(crate) struct World {
    folder: TempDir,
    write: Vec<&'static str>,
    limits: Limits,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::writable(&["src/**"])
    }

    pub(crate) fn writable(write: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for made in [
            "repo/src",
            "repo/target",
            "repo/.git/hooks",
            "repo/docs",
            "outside",
        ] {
            fs::create_dir_all(folder.path().join(made)).unwrap();
        }
        for (file, text) in [
            ("repo/src/a.txt", "one\ntwo\n"),
            ("repo/docs/a.md", "read me\n"),
            ("repo/.git/config", "[core]\n"),
            ("repo/Cargo.lock", "locked\n"),
            ("outside/secret", "canary\n"),
        ] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        Self {
            folder,
            write: write.to_vec(),
            limits: Limits::default(),
        }
    }

    /// Bounds the processes of a command.
    pub(crate) fn with_processes(mut self, processes: u32) -> Self {
        self.limits.processes = processes;
        self
    }

    /// Bounds the memory of a process. Unit: bytes.
    pub(crate) fn with_memory(mut self, memory: u64) -> Self {
        self.limits.memory = ByteCount(memory);
        self
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.at("repo")
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.at("outside")
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn permit(&self, action: Action) -> Permit {
        let policy = Policy {
            scope: ScopeRules {
                write: self
                    .write
                    .iter()
                    .map(|text| Sourced::built_in(*text))
                    .collect(),
                hide: vec![Sourced::built_in(".env")],
                protect: vec![Sourced::built_in("Cargo.lock")],
                build: vec![Sourced::built_in("target")],
                ..ScopeRules::default()
            },
            gates: Vec::new(),
            commands: Vec::new(),
            limits: self.limits.clone(),
            isolate: true,
            feature_file: path("feature_list.json"),
            progress_file: path("progress.md"),
            map_file: "AGENTS.md".to_owned(),
            context_budget: TokenCount(16_000),
            network: Vec::new(),
            network_closed: String::new(),
            formats: Vec::new(),
            amendments: Vec::new(),
            review: harness_core::ReviewBy::None,
        };
        let feature = Feature::titled(FeatureId::task(1), "a task");
        Guard::new(&policy, &feature)
            .unwrap()
            .permit(action)
            .unwrap()
    }

    pub(crate) fn plan(&self, level: Level, cwd: &str) -> CagePlan {
        self.plan_with(level, cwd, &[])
    }

    pub(crate) fn plan_with(&self, level: Level, cwd: &str, masked: &[PathBuf]) -> CagePlan {
        let permit = self.permit(Action::Run {
            command: String::new(),
            cwd: path(cwd),
            background: false,
        });
        let mut machine = machine(&Place {
            root: &self.root(),
            git_dir: &self.at("repo/.git"),
            level,
            cache: &self.at("cache"),
            role: Role::Agent,
            environment: &[],
        })
        .unwrap();
        machine.masked = masked.to_vec();
        CagePlan::for_permit(&permit, &machine).unwrap()
    }

    /// Runs a shell command in the repository's root.
    pub(crate) fn shell(&self, level: Level, command: &str) -> Exited {
        self.shell_within(level, command, &RunLimits::of(&Limits::default()))
    }

    pub(crate) fn shell_within(&self, level: Level, command: &str, limits: &RunLimits) -> Exited {
        let plan = self.plan(level, "");
        block_on(run(
            &plan,
            &shell_argv(command),
            limits,
            |_| {},
            Cancelled::never(),
        ))
        .unwrap()
    }
}

pub(crate) fn shell_argv(command: &str) -> Vec<OsString> {
    ["sh", "-c", command].map(OsString::from).into()
}

pub(crate) fn start(plan: &CagePlan, argv: &[&str]) -> Result<Exited, SpawnError> {
    let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
    let limits = RunLimits::of(plan.limits());
    block_on(run(plan, &argv, &limits, |_| {}, Cancelled::never()))
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub(crate) fn path(text: impl AsRef<[u8]>) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

/// Bounds short enough for a test.
pub(crate) fn quick() -> RunLimits {
    RunLimits {
        grace: Duration::from_millis(200),
        ..RunLimits::of(&Limits {
            output: ByteCount::kib(64),
            ..Limits::default()
        })
    }
}

/// The levels that confine and that can be tried here; says which cannot, and fails where one was demanded.
pub(crate) fn cages() -> Vec<Level> {
    use_cage_program();
    let demanded = std::env::var("HARNESS_REQUIRE_LEVEL").unwrap_or_default();
    let is_there = |level: &Level| {
        let is_there = is_enforced(*level);
        assert!(
            is_there || !demanded.split(',').any(|name| name == level.as_str()),
            "this kernel does not enforce the level `{level}`"
        );
        if !is_there {
            eprintln!("skipped: this kernel does not enforce the level `{level}`");
        }
        is_there
    };
    let mut levels = vec![Level::Landlock, Level::Namespaces];
    levels.retain(is_there);
    levels
}

/// Cages are served by a program of this crate: a test program has threads before it has anything else.
fn use_cage_program() {
    set_cage_program(env!("CARGO_BIN_EXE_harness-cage").into());
}

/// The levels that can be tried here.
pub(crate) fn levels() -> Vec<Level> {
    [vec![Level::None], cages()].concat()
}

/// Whether a program is installed; says so when it is not.
pub(crate) fn has(program: &str) -> bool {
    let found = std::process::Command::new(program)
        .arg("--version")
        .output();
    if found.is_err() {
        eprintln!("skipped: `{program}` is not installed");
    }
    found.is_ok()
}

pub(crate) fn is_success(exited: &Exited) -> bool {
    exited.stop == Stop::Exited(0)
}

/// A number of seconds that no other process sleeps for.
pub(crate) fn unique_sleep() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("9{}.{count}", std::process::id())
}

/// Counts processes that carry `word` in their arguments.
pub(crate) fn alive(word: &str) -> usize {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            fs::read(entry.path().join("cmdline")).is_ok_and(|line| {
                line.split(|&byte| byte == 0)
                    .any(|argument| argument == word.as_bytes())
            })
        })
        .count()
}

/// Waits up to `limit` for a condition.
pub(crate) fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let since = Instant::now();
    while since.elapsed() < limit {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    holds()
}

/// Lists everything below a folder: kind, rights, size and content.
pub(crate) fn manifest(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let metadata = entry.metadata().unwrap();
        let content = fs::read(entry.path()).unwrap_or_default();
        entries.push((
            entry.path(),
            format!("{:?} {content:?}", metadata.permissions()),
        ));
        if metadata.is_dir() {
            entries.extend(manifest(&entry.path()));
        }
    }
    entries.sort();
    entries
}
