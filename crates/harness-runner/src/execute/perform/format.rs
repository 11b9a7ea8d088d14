//! Runs the formatters of the repository on exactly the files that a tool has changed.
//!
//! A formatter is the repository's own program and trusted as its gates are, but it runs on what
//! an agent wrote: its cage opens the changed files alone, and what it does elsewhere is found
//! like what a command does. Whatever goes wrong is told and stops nothing.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    sync::Arc,
    time::Instant,
};

use harness_core::{
    Action, ByteCount, CallId, Captured, Event, Feature, FeatureScope, Format, Formatted, Outcome,
    Policy, RepoPath, Stop,
};
use harness_guard::{Attributes, CagePlan, Concern, FileKind, Guard, HostAct};
use harness_host::{
    Cancelled,
    process::{Cage, Exited, RunLimits},
};

use super::{Done, FILE_MAX, Halt, Performer};
use crate::execute::{Setting, chain, closed::with_closed, lock, millis};

/// What is kept of a formatter's output.
const OUTPUT_MAX: ByteCount = ByteCount::kib(64);
/// What is told of it. Unit: bytes.
const TOLD_MAX: usize = 1024;

/// What programs say when they may not make a file.
const REFUSED: [&str; 2] = ["Read-only file system", "Permission denied"];
const IN_PLACE: &str = " (it can write its files in place, and make none beside them)";

/// Returns the files that stand there when an action is done that edits, writes or moves.
pub(crate) fn changed_by(action: &Action) -> Vec<RepoPath> {
    match action {
        Action::Write { path, .. } | Action::Edit { path, .. } => vec![path.clone()],
        // What a file is named decides who formats it, and how.
        Action::Move { to, .. } => vec![to.clone()],
        _ => Vec::new(),
    }
}

/// One formatter with its work.
struct Task<'a> {
    call: CallId,
    format: &'a Format,
    paths: Vec<RepoPath>,
}

impl Performer {
    /// Runs the formatters that are about files which a call has changed; returns what is to be told.
    pub(crate) async fn format(
        self: &Arc<Self>,
        call: CallId,
        changed: &[RepoPath],
        done: &Done,
        setting: &Setting,
        cancelled: Cancelled,
    ) -> Vec<Event> {
        if !matches!(done, Done::Ended(Outcome::Written { .. } | Outcome::Moved)) {
            return Vec::new();
        }
        let mut told = Vec::new();
        for format in &setting.run.policy.formats {
            let concern = Concern::new(&format.paths);
            let paths = changed.iter().filter(|path| concern.is_about(path));
            let paths: Vec<RepoPath> = paths.cloned().collect();
            if paths.is_empty() || cancelled.is_cancelled() {
                continue;
            }
            let task = Task {
                call,
                format,
                paths,
            };
            self.run_format(task, setting, cancelled.clone(), &mut told)
                .await;
        }
        told
    }

    async fn run_format(
        self: &Arc<Self>,
        task: Task<'_>,
        setting: &Setting,
        cancelled: Cancelled,
        told: &mut Vec<Event>,
    ) {
        let begun = Instant::now();
        let before = self.rights_of(&task.paths);
        let problem = match self.try_format(&task, setting, cancelled, told).await {
            // Who called it off knows that it is over.
            Ok(()) | Err(Halt::Cancelled) => String::new(),
            Err(Halt::Failed(problem)) => problem,
        };
        self.give_rights_back(&before);
        let changed = task.paths.iter().filter(|path| self.see_again(path));
        told.push(Event::Formatted(Formatted {
            call: task.call,
            changed: changed.cloned().collect(),
            run: task.format.run.clone(),
            problem: harness_guard::redact(&problem).into_owned(),
            ms: millis(begun),
            paths: task.paths,
        }));
    }

    async fn try_format(
        self: &Arc<Self>,
        task: &Task<'_>,
        setting: &Setting,
        cancelled: Cancelled,
        told: &mut Vec<Event>,
    ) -> Result<(), Halt> {
        self.prepare(cancelled.clone()).await?;
        let looked = self.look(Self::before_command).await;
        told.extend(looked.map_err(Halt::Failed)?);
        let ended = self.run_in_cage(task, setting, cancelled).await;
        let looked = self.look(Self::after_command).await;
        told.extend(looked.map_err(Halt::Failed)?);
        match ended.map_err(Halt::Failed)? {
            Exited {
                stop: Stop::Exited(0),
                ..
            } => Ok(()),
            Exited {
                stop: Stop::Cancelled,
                ..
            } => Err(Halt::Cancelled),
            Exited { stop, output, .. } => Err(Halt::Failed(failure(stop, &output))),
        }
    }

    async fn run_in_cage(
        self: &Arc<Self>,
        task: &Task<'_>,
        setting: &Setting,
        cancelled: Cancelled,
    ) -> Result<Exited, String> {
        // The agent's home is filled with it.
        self.machine().await?;
        let feature = setting.feature().ok_or(crate::execute::NO_SESSION)?;
        let guard = narrowed(&setting.run.policy, feature, &task.paths)?;
        let machine = with_closed(&self.machine, &guard).await?;
        let plan = CagePlan::for_format(task.format, guard.bounds(), &machine);
        let mut limits = RunLimits::of(plan.limits());
        limits.head = ByteCount(OUTPUT_MAX.0 / 2);
        limits.tail = ByteCount(OUTPUT_MAX.0 / 2);
        let words = task.format.run.iter().map(OsString::from);
        let argv: Vec<OsString> = words.chain(task.paths.iter().map(argument)).collect();
        let cage = Cage::open(&plan, self.report.clone()).await;
        let cage = cage.map_err(|error| chain(&error))?;
        let exited = cage.run(&plan, &argv, &limits, |_| {}, cancelled).await;
        exited.map_err(|error| chain(&error))
    }

    fn rights_of(&self, paths: &[RepoPath]) -> Vec<(RepoPath, Attributes)> {
        let look = |path: &RepoPath| Some((path.clone(), self.root.look(path).ok()??));
        paths.iter().filter_map(look).collect()
    }

    /// Sets rights back that a formatter has changed: its business is what a file holds. What
    /// cannot be set back is the agent's to see, like every other change in its scope.
    fn give_rights_back(&self, before: &[(RepoPath, Attributes)]) {
        for (path, old) in before {
            let Ok(Some(now)) = self.root.look(path) else {
                continue;
            };
            if now.kind != FileKind::File || now.mode == old.mode {
                continue;
            }
            let wanted = Attributes {
                mode: old.mode,
                ..now
            };
            if self
                .root
                .set_rights(HostAct::SetAside, path, &wanted)
                .is_ok()
            {
                self.wrote(path);
            }
        }
    }

    /// Takes a file in as the agent has it from now on; says whether it was changed.
    fn see_again(&self, path: &RepoPath) -> bool {
        let before = self.last_seen(path);
        let now = self.root.host_read_file(path, FILE_MAX).ok();
        let now = now.map(|file| file.stamp);
        let is_same = match (&before, &now) {
            (Some(before), Some(now)) => before.sha256() == now.sha256(),
            _ => false,
        };
        match now {
            Some(now) => lock(&self.seen).insert(path.clone(), now),
            None => lock(&self.seen).remove(path),
        };
        !is_same
    }
}

/// A pattern of the host's own files, which no scope opens.
const NOTHING: &str = ".harness/none";

/// Makes a guard for which the scope is these files alone.
///
/// They are named as paths and not as patterns: what a name looks like opens no other file. What a
/// person gave beside the scope was for the agent.
fn narrowed(policy: &Policy, feature: &Feature, paths: &[RepoPath]) -> Result<Guard, String> {
    let policy = Policy {
        amendments: Vec::new(),
        ..policy.clone()
    };
    let feature = Feature {
        scope: FeatureScope {
            write: vec![NOTHING.to_owned()],
            deny: feature.scope.deny.clone(),
        },
        may_change: paths.to_vec(),
        ..feature.clone()
    };
    Guard::new(&policy, &feature).map_err(|error| chain(&error))
}

/// Writes a path as an argument that no program takes for an option or an instruction.
fn argument(path: &RepoPath) -> OsString {
    let bytes = path.as_path().as_os_str().as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if bytes.first().is_some_and(is_plain) {
        return OsStr::from_bytes(bytes).to_owned();
    }
    OsString::from_vec([b"./", bytes].concat())
}

fn failure(stop: Stop, output: &Captured) -> String {
    let how = match stop {
        Stop::Exited(code) => format!("it exited with {code}"),
        Stop::Signalled(signal) => format!("signal {signal} ended it"),
        Stop::TimedOut | Stop::Silent => "it took too long and was ended".to_owned(),
        Stop::Flooded => "it wrote more than its output limit".to_owned(),
        Stop::Cancelled => "it was cancelled".to_owned(),
        Stop::Crowded => "it had more processes than its limit".to_owned(),
        Stop::TooLarge => "its processes took more memory than their limit".to_owned(),
    };
    let said = output.to_text();
    let said = said.trim();
    let start = said.ceil_char_boundary(said.len().saturating_sub(TOLD_MAX));
    if said.is_empty() {
        return how;
    }
    let is_refused = REFUSED.iter().any(|words| said.contains(words));
    let way_on = if is_refused { IN_PLACE } else { "" };
    format!("{how}: {}{way_on}", &said[start..])
}

#[cfg(test)]
mod tests {
    use harness_core::{Amendment, FeatureId, Limits, ReviewBy, ScopeRules, Sourced, TokenCount};

    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    #[test]
    fn no_name_of_a_file_is_an_option_or_an_instruction() {
        for (name, given) in [
            ("src/a.rs", "src/a.rs"),
            ("--config=x", "./--config=x"),
            ("-i", "./-i"),
            ("@args", "./@args"),
            ("+nightly", "./+nightly"),
            (".eslintrc.js", "./.eslintrc.js"),
        ] {
            assert_eq!(argument(&path(name)), OsString::from(given));
        }
    }

    #[test]
    fn one_that_makes_files_beside_its_own_is_told_why_it_cannot() {
        let told = |said: &str| {
            let output = Captured {
                head: said.to_owned(),
                tail: String::new(),
                bytes: said.len() as u64,
            };
            failure(Stop::Exited(2), &output)
        };
        assert_eq!(told("no such rule\n"), "it exited with 2: no such rule");
        let told = told("cannot create src/a.new: Permission denied\n");
        assert!(told.contains("write its files in place"), "{told}");
    }

    #[test]
    fn what_a_person_gave_the_agent_is_not_the_formatters() {
        let write = Sourced {
            value: "src/**".to_owned(),
            origin: "harness.toml:1".to_owned(),
        };
        let feature = Feature {
            may_change: vec![path("tests/held.rs")],
            ..Feature::titled(FeatureId::task(1), "task")
        };
        let policy = Policy {
            scope: ScopeRules {
                write: vec![write],
                ..ScopeRules::default()
            },
            amendments: vec![Amendment {
                feature: feature.id.clone(),
                write: vec!["docs/**".to_owned()],
                may_change: vec![path("build.rs")],
                hosts: Vec::new(),
                reason: String::new(),
            }],
            gates: Vec::new(),
            formats: Vec::new(),
            commands: Vec::new(),
            limits: Limits::default(),
            isolate: true,
            feature_file: path("feature_list.json"),
            progress_file: path("progress.md"),
            map_file: "AGENTS.md".to_owned(),
            context_budget: TokenCount(16_000),
            network: Vec::new(),
            network_closed: String::new(),
            review: ReviewBy::None,
        };
        for file in ["src/a.rs", "docs/guide.md"] {
            let guard = narrowed(&policy, &feature, &[path(file)]).unwrap();
            let is_open = |name: &str| guard.scope().is_writable(&path(name));
            assert!(is_open(file), "{file}");
            for other in ["src/b.rs", "docs/other.md", "build.rs", "tests/held.rs"] {
                assert!(!is_open(other), "{file}: {other}");
            }
            assert_eq!(guard.bounds().writable, [path(file)]);
        }
    }
}
