//! Makes attempts, without a cage and in one, and judges how they ended.

use std::{
    ffi::OsString,
    io, iter,
    process::{Command, Stdio},
    thread,
};

use harness_core::{Level, Limits, Stop};
use tokio::runtime;

use super::{
    Attempt, AttemptError, Attempted, Outcome,
    scene::Scene,
    serve::{ARGUMENT, IS_FILTERED, NEXT, WRITE_INSIDE},
};
use crate::{
    Cancelled,
    process::{Builder, Cage, NetworkReport, RunLimits, cage::own_program},
};

/// One thing that a process is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::process) enum Step {
    /// What should not work.
    Try(Attempt),
    /// A write that has to work.
    WriteInside,
    /// A look at whether system calls are filtered, which they have to be.
    IsFiltered,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Try(attempt) => attempt.name(),
            Self::WriteInside => WRITE_INSIDE,
            Self::IsFiltered => IS_FILTERED,
        }
    }
}

/// Makes all attempts without a cage. Each ends as allowed, or as not possible on this machine.
///
/// Blocks for some seconds.
///
/// # Errors
/// When there is nothing to make them on, or this program cannot be started anew.
pub fn attempt_openly() -> Result<Vec<Attempted>, AttemptError> {
    let mut scene = whole_scene()?;
    Attempt::ALL
        .into_iter()
        .map(|attempt| attempt_once_openly(&mut scene, attempt))
        .collect()
}

/// Makes all attempts in a cage of a level. `openly` is how they ended without one.
///
/// What does not work without a cage is not tried. Blocks for some seconds.
///
/// # Errors
/// When there is nothing to make them on, or the level's cage cannot be opened.
pub fn attempt_in(level: Level, openly: &[Attempted]) -> Result<Vec<Attempted>, AttemptError> {
    attempt_in_cage(level, None, openly)
}

/// Makes all attempts at the level `namespaces`, in a cage that one builder makes and no other.
///
/// # Errors
/// As [`attempt_in`].
pub fn attempt_by(builder: Builder, openly: &[Attempted]) -> Result<Vec<Attempted>, AttemptError> {
    attempt_in_cage(Level::Namespaces, Some(builder), openly)
}

/// Tries whether one builder can make a cage at the level `namespaces`. Blocks for some milliseconds.
///
/// # Errors
/// When it cannot, with the step that failed.
pub fn try_builder(builder: Builder) -> Result<(), AttemptError> {
    on_own_thread(async || {
        let opened = Caged::open(&scene()?, Level::Namespaces, Some(builder)).await;
        opened.map(drop)
    })
}

fn attempt_in_cage(
    level: Level,
    builder: Option<Builder>,
    openly: &[Attempted],
) -> Result<Vec<Attempted>, AttemptError> {
    on_own_thread(async || {
        let mut scene = whole_scene()?;
        let caged = Caged::open(&scene, level, builder).await?;
        let mut ended = Vec::new();
        for before in openly {
            ended.push(match before.outcome {
                Outcome::NotHere => before.clone(),
                _ => caged.attempt(&mut scene, before.attempt).await?,
            });
        }
        Ok(ended)
    })
}

/// Does several things in one process in one cage; whether each worked, in order.
pub(in crate::process) fn try_steps(
    level: Level,
    steps: &[Step],
) -> Result<Vec<bool>, AttemptError> {
    on_own_thread(async || {
        let mut scene = scene()?;
        let caged = Caged::open(&scene, level, None).await?;
        let mut arguments = Vec::new();
        for step in steps {
            let argument = match step {
                Step::Try(attempt) => argument(&mut scene, *attempt)?.unwrap_or_default(),
                Step::WriteInside => scene.inside().into(),
                Step::IsFiltered => OsString::new(),
            };
            arguments.extend([step.name().into(), argument, NEXT.into()]);
        }
        let told = caged.start(&scene, arguments).await?;
        let worked = |step: &Step| {
            let said = told.of(step.name());
            match step {
                Step::Try(attempt) => {
                    let said = said.ok_or_else(|| told.silent(step.name()))?;
                    Ok(scene.has_worked(*attempt, said.is_none()))
                }
                Step::WriteInside => Ok(scene.inside().exists()),
                Step::IsFiltered => Ok(said == Some(None)),
            }
        };
        steps.iter().map(worked).collect()
    })
}

fn scene() -> Result<Scene, AttemptError> {
    let program = own_program().map_err(prepare("find this program"))?;
    Scene::make(program).map_err(prepare("make folders and sockets"))
}

/// Makes a scene on which everything can be tried.
fn whole_scene() -> Result<Scene, AttemptError> {
    let mut scene = scene()?;
    scene.leave_open().map_err(prepare("leave a folder open"))?;
    Ok(scene)
}

fn prepare(step: &'static str) -> impl FnOnce(io::Error) -> AttemptError {
    move |source| AttemptError::Prepare { step, source }
}

fn argument(scene: &mut Scene, attempt: Attempt) -> Result<Option<OsString>, AttemptError> {
    let argument = scene.argument(attempt);
    argument.map_err(prepare("start a process to try others on"))
}

fn attempt_once_openly(scene: &mut Scene, attempt: Attempt) -> Result<Attempted, AttemptError> {
    let not_here = |detail: &str| Attempted {
        attempt,
        outcome: Outcome::NotHere,
        detail: detail.to_owned(),
    };
    let Some(argument) = argument(scene, attempt)? else {
        return Ok(not_here("there is nothing to try it on"));
    };
    let output = Command::new(scene.program())
        .args([ARGUMENT, attempt.name()])
        .arg(argument)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(prepare("start this program anew"))?;
    let told = Told {
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
        end: output.status.to_string(),
    };
    let said = told.of(attempt.name());
    let has_worked = scene.has_worked(attempt, said == Some(None));
    if has_worked {
        return Ok(Attempted {
            attempt,
            outcome: Outcome::Allowed,
            detail: String::new(),
        });
    }
    Ok(match said {
        Some(Some(answer)) => not_here(answer),
        Some(None) => not_here("it has no effect"),
        None => return Err(told.silent(attempt.name())),
    })
}

/// A cage in which attempts are made.
struct Caged {
    cage: Cage,
    level: Level,
}

/// What a process said of what it tried.
struct Told {
    text: String,
    /// How it ended.
    end: String,
}

impl Told {
    /// Returns what was said of one attempt: nothing, that it worked, or the system's answer.
    fn of(&self, name: &str) -> Option<Option<&str>> {
        self.text.lines().find_map(|line| {
            let said = line.strip_prefix(name)?.strip_prefix(' ')?;
            match said.strip_prefix("refused ") {
                Some(answer) => Some(Some(answer)),
                None => (said == "worked").then_some(None),
            }
        })
    }

    fn silent(&self, attempt: &'static str) -> AttemptError {
        AttemptError::Silent {
            attempt,
            output: format!("{} {}", self.text.trim(), self.end)
                .trim()
                .to_owned(),
        }
    }
}

impl Caged {
    async fn open(
        scene: &Scene,
        level: Level,
        builder: Option<Builder>,
    ) -> Result<Self, AttemptError> {
        let plan = scene.plan(level).ok_or_else(no_plan)?;
        let report = NetworkReport::to_nobody();
        let cage = match builder {
            Some(builder) => Cage::open_by(builder, &plan, report).await,
            None => Cage::open(&plan, report).await,
        };
        let cage = cage.map_err(AttemptError::Cage)?;
        Ok(Self { cage, level })
    }

    async fn attempt(
        &self,
        scene: &mut Scene,
        attempt: Attempt,
    ) -> Result<Attempted, AttemptError> {
        let argument = argument(scene, attempt)?.unwrap_or_default();
        let told = self
            .start(scene, vec![attempt.name().into(), argument])
            .await?;
        let said = told.of(attempt.name());
        let has_worked = scene.has_worked(attempt, said == Some(None));
        let detail = match said {
            _ if has_worked => String::new(),
            Some(Some(answer)) => answer.to_owned(),
            Some(None) => "it has no effect".to_owned(),
            // These are ended for what they try.
            None if matches!(attempt, Attempt::Crowd | Attempt::TakeMemory) => told.end,
            None => return Err(told.silent(attempt.name())),
        };
        let outcome = match has_worked {
            true => Outcome::Allowed,
            false => Outcome::Prevented,
        };
        Ok(Attempted {
            attempt,
            outcome,
            detail,
        })
    }

    async fn start(&self, scene: &Scene, steps: Vec<OsString>) -> Result<Told, AttemptError> {
        let plan = scene.plan(self.level).ok_or_else(no_plan)?;
        let program = OsString::from(scene.program());
        let argv: Vec<OsString> = iter::once(program)
            .chain([ARGUMENT.into()])
            .chain(steps)
            .collect();
        let limits = RunLimits::of(&Limits {
            command: plan.limits().command,
            ..Limits::default()
        });
        let run = self
            .cage
            .run(&plan, &argv, &limits, |_| {}, Cancelled::never());
        let exited = run.await.map_err(AttemptError::Cage)?;
        let end = words(exited.stop);
        Ok(Told {
            text: exited.output.to_text(),
            end,
        })
    }
}

fn words(stop: Stop) -> String {
    match stop {
        Stop::Exited(code) => format!("exit code {code}"),
        Stop::Signalled(signal) => format!("signal {signal}"),
        Stop::Crowded => "ended for its number of processes".to_owned(),
        Stop::TooLarge => "ended for its memory".to_owned(),
        Stop::TimedOut | Stop::Silent | Stop::Flooded | Stop::Cancelled => "ended".to_owned(),
    }
}

fn no_plan() -> AttemptError {
    prepare("make the plan of a cage")(io::ErrorKind::InvalidInput.into())
}

/// Waits for something on a thread of its own, because whoever asks may already be waiting for something else.
fn on_own_thread<T: Send>(
    attempt: impl AsyncFnOnce() -> Result<T, AttemptError> + Send,
) -> Result<T, AttemptError> {
    let lost = || prepare("wait for them")(io::ErrorKind::Other.into());
    thread::scope(|scope| {
        let made = scope.spawn(|| {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .map_err(prepare("wait for them"))?
                .block_on(attempt())
        });
        made.join().unwrap_or_else(|_| Err(lost()))
    })
}
