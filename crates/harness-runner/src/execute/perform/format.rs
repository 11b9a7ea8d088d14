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
use harness_guard::{CagePlan, Concern, Guard};
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

/// Returns the files that an action changes with a tool that edits or writes.
pub(crate) fn changed_by(action: &Action) -> Vec<RepoPath> {
    match action {
        Action::Write { path, .. } | Action::Edit { path, .. } => vec![path.clone()],
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
        if !matches!(done, Done::Ended(Outcome::Written { .. })) {
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
        let problem = match self.try_format(&task, setting, cancelled, told).await {
            // Who called it off knows that it is over.
            Ok(()) | Err(Halt::Cancelled) => String::new(),
            Err(Halt::Failed(problem)) => problem,
        };
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
/// They are named as paths and not as patterns: what a name looks like opens no other file.
fn narrowed(policy: &Policy, feature: &Feature, paths: &[RepoPath]) -> Result<Guard, String> {
    let feature = Feature {
        scope: FeatureScope {
            write: vec![NOTHING.to_owned()],
            deny: feature.scope.deny.clone(),
        },
        may_change: paths.to_vec(),
        ..feature.clone()
    };
    Guard::new(policy, &feature).map_err(|error| chain(&error))
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
    format!("{how}: {}", &said[start..])
}

#[cfg(test)]
mod tests {
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
}
