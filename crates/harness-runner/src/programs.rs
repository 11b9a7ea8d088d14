//! Which versions of programs are on this machine, asked at most once a day and never waited for.
//!
//! Only programs outside the repository are asked, each in a cage without repository and network.
//! What they said is kept in the person's cache by path, time and size, so that a session
//! is told it without a process. What is not known when a session opens is asked
//! beside it, and told to the next one.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::Read as _,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::future::join_all;
use harness_context::snapshot::{Found, Program, version_in};
use harness_core::{ByteCount, Limits, Timestamp};
use harness_guard::{CagePlan, Machine};
use harness_host::{
    cancel_pair,
    process::{Cage, NetworkReport, RunLimits},
};
use serde::{Deserialize, Serialize};

/// How long a program may take to say its version.
const TIME_MAX: Duration = Duration::from_millis(500);
/// What is kept of what it says.
const OUTPUT_MAX: ByteCount = ByteCount::kib(4);
/// How long an answer holds: a toolchain manager changes what a program is without touching it.
const HOLDS: Duration = Duration::from_secs(24 * 60 * 60);
/// The largest file of answers that is read.
const FILE_MAX: u64 = 64 * 1024;
/// The most answers that are kept.
const ANSWERS_MAX: usize = 100;

/// What programs have said of their versions, and where programs are.
#[derive(Clone, Debug)]
pub struct Known {
    answers: Answers,
    folders: Vec<PathBuf>,
    /// Where no program may lie that is asked.
    closed: Vec<PathBuf>,
    readable: Vec<PathBuf>,
    now: Timestamp,
}

/// A program that is there and was not asked yet, or not for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    program: Program,
    path: PathBuf,
    stamp: Stamp,
}

/// What a program's file was when it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    modified_s: i64,
    modified_ns: i64,
    size: u64,
}

/// The file of answers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Answers {
    schema: u32,
    programs: BTreeMap<String, Answer>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Answer {
    stamp: Stamp,
    asked_at: Timestamp,
    /// Absent when it said none.
    version: Option<String>,
}

const SCHEMA: u32 = 1;

impl Known {
    /// Reads what is known; a file that cannot be read counts as none.
    ///
    /// `file` is where answers are kept, `cache` the folder of the harness's caches: no program in
    /// it, in the repository or in a private folder of commands is ever asked.
    pub fn read(file: &Path, machine: &Machine, cache: &Path) -> Self {
        let path = machine.environment.iter().find(|(name, _)| name == "PATH");
        let folders = std::env::split_paths(path.map_or("", |(_, value)| value));
        let closed = [
            &machine.root,
            &machine.git_dir,
            &machine.home,
            &machine.temp,
        ];
        Self {
            answers: read(file),
            folders: folders.filter(|folder| folder.is_absolute()).collect(),
            closed: closed
                .into_iter()
                .map(PathBuf::as_path)
                .chain([cache])
                .map(Path::to_owned)
                .collect(),
            readable: machine.read.clone(),
            now: harness_host::clock::now(),
        }
    }

    /// Returns those of the programs that are there, with the versions that are known, and those to be asked.
    pub fn of(
        &self,
        programs: &[Program],
        found: &Found,
    ) -> (Vec<(&'static str, Option<String>)>, Vec<Located>) {
        let mut tools = Vec::new();
        let mut unasked = Vec::new();
        for program in programs {
            let Some((path, stamp)) = self.find(program.name) else {
                continue;
            };
            // Where the repository picks the version, what is said elsewhere is not it.
            if program.is_pinned(found) {
                tools.push((program.name, None));
                continue;
            }
            let answer = self.answers.programs.get(&*path.to_string_lossy());
            let answer = answer.filter(|answer| answer.stamp == stamp);
            let is_new = |answer: &Answer| self.now.since(answer.asked_at) < HOLDS;
            if !answer.is_some_and(is_new) {
                unasked.push(Located {
                    program: *program,
                    path,
                    stamp,
                });
            }
            let said = answer.and_then(|answer| answer.version.as_deref());
            // The file is the person's; what stands in it is held to what a version may be all the same.
            tools.push((program.name, said.and_then(version_in)));
        }
        (tools, unasked)
    }

    /// Finds a program on `PATH` that commands can see and that no repository brought.
    fn find(&self, name: &str) -> Option<(PathBuf, Stamp)> {
        let is_in = |folders: &[PathBuf], path: &Path| {
            folders.iter().any(|folder| path.starts_with(folder))
        };
        self.folders.iter().find_map(|folder| {
            let path = folder.join(name);
            let real = path.canonicalize().ok()?;
            let stat = fs::metadata(&real).ok()?;
            let is_usable = stat.is_file() && stat.mode() & 0o111 != 0;
            let is_seen = is_in(&self.readable, &path) && is_in(&self.readable, &real);
            let is_foreign = is_in(&self.closed, &path) || is_in(&self.closed, &real);
            let stamp = Stamp {
                modified_s: stat.mtime(),
                modified_ns: stat.mtime_nsec(),
                size: stat.len(),
            };
            (is_usable && is_seen && !is_foreign).then_some((path, stamp))
        })
    }
}

/// Asks programs for their versions, all at once, and keeps what they say in `file`.
///
/// What goes wrong is nobody's concern: a version that is not known is not told.
pub(crate) async fn ask(machine: Machine, file: PathBuf, empty: PathBuf, unasked: Vec<Located>) {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&empty);
    if unasked.is_empty() || made.is_err() {
        return;
    }
    let limits = Limits {
        command: TIME_MAX,
        silence: TIME_MAX,
        output: OUTPUT_MAX,
        ..Limits::default()
    };
    let plan = CagePlan::for_looking(&machine, &empty, &limits);
    let Ok(cage) = Cage::open(&plan, NetworkReport::to_nobody()).await else {
        return;
    };
    let said = join_all(
        unasked
            .iter()
            .map(|located| version_of(&cage, &plan, located)),
    )
    .await;
    let now = harness_host::clock::now();
    let answers = unasked.into_iter().zip(said).map(|(located, version)| {
        let answer = Answer {
            stamp: located.stamp,
            asked_at: now,
            version,
        };
        (located.path.to_string_lossy().into_owned(), answer)
    });
    let answers: Vec<(String, Answer)> = answers.collect();
    let kept = tokio::task::spawn_blocking(move || keep(&file, answers));
    let _ = kept.await;
}

async fn version_of(cage: &Cage, plan: &CagePlan, located: &Located) -> Option<String> {
    let argv = [
        located.path.clone().into_os_string(),
        OsString::from(located.program.asked),
    ];
    let limits = RunLimits {
        grace: Duration::ZERO,
        ..RunLimits::of(plan.limits())
    };
    let (_canceller, cancelled) = cancel_pair();
    let exited = cage.run(plan, &argv, &limits, |_| {}, cancelled).await;
    version_in(&exited.ok()?.output.to_text())
}

fn read(file: &Path) -> Answers {
    let text = fs::File::open(file).and_then(|file| {
        let mut text = String::new();
        file.take(FILE_MAX).read_to_string(&mut text)?;
        Ok(text)
    });
    let answers: Option<Answers> = text.ok().and_then(|text| serde_json::from_str(&text).ok());
    answers
        .filter(|answers| answers.schema == SCHEMA)
        .unwrap_or_default()
}

/// Adds answers to the file; of two runs that do so at once the later one's stay.
fn keep(file: &Path, new: Vec<(String, Answer)>) {
    let mut answers = read(file);
    answers.schema = SCHEMA;
    answers.programs.extend(new);
    while answers.programs.len() > ANSWERS_MAX {
        let oldest = answers
            .programs
            .iter()
            .min_by_key(|(_, answer)| answer.asked_at);
        let Some(oldest) = oldest.map(|(path, _)| path.clone()) else {
            break;
        };
        answers.programs.remove(&oldest);
    }
    let beside = file.with_extension(format!("{}.new", std::process::id()));
    let written = serde_json::to_vec(&answers)
        .map_err(std::io::Error::other)
        .and_then(|bytes| fs::write(&beside, bytes))
        .and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
}
