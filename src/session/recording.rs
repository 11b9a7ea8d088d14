//! Recordings of model traffic: what `--record` begins, and what `replay:` plays.

use std::{
    env, fs,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use harness_config::{AgentKind, Resolved};
use harness_core::{Event, Happened, ModelProfile, Price, RunId, TokenCount};
use harness_runner::{ModelClient, Models, Pace, Recorder, Replay};
use harness_store::{RecordedModel, RecordingError, RecordingWriter, Store};

use super::{ChosenModel, SCRIPT_CONTEXT, SCRIPT_OUTPUT};
use crate::{
    cli::{PlayPace, RunOptions},
    compose::Site,
    failure::{Failure, chain},
    surface::Surface,
};

/// What the flags `--agent` and `--model` can name that is no model.
const PLAYED: [&str; 2] = ["script:", "replay:"];

/// The name under which a recording is shown.
const RECORDED: &str = "recorded";

/// Whether a name is one of a script or a recording.
pub(crate) fn is_played(name: &str) -> bool {
    PLAYED.iter().any(|prefix| name.starts_with(prefix))
}

/// Returns what a run is to be answered by, as flags say it; `None` leaves it to the configuration.
pub(crate) fn wish<'o>(
    options: &'o RunOptions,
    resolved: &Resolved,
) -> Result<Option<&'o str>, Failure> {
    let model = options.model.as_deref();
    let Some(agent) = options.agent.as_deref() else {
        return Ok(model);
    };
    if is_played(agent) {
        return match model {
            None => Ok(Some(agent)),
            Some(model) => Err(Failure::usage(format!(
                "cannot ask model `{model}`: `--agent {agent}` answers in its stead"
            ))
            .hint("drop one of `--agent` and `--model`")),
        };
    }
    let kind = match resolved.agents.get(agent) {
        _ if agent == "builtin" => Some(AgentKind::BuiltIn),
        other => other.map(|agent| agent.kind),
    };
    let failure = match kind {
        Some(AgentKind::BuiltIn) => return Ok(model),
        Some(AgentKind::Acp) => {
            format!("cannot start agent `{agent}`: agents of kind `acp` are not supported yet")
        }
        Some(AgentKind::Script) => {
            format!("cannot start agent `{agent}`: a script is named by its file")
        }
        None => format!("there is no agent `{agent}`"),
    };
    let hint = "use `--agent builtin`, `--agent script:FILE` or `--agent replay:DIR`";
    Err(Failure::usage(failure).hint(hint))
}

/// Makes a model of a recording.
pub(super) fn replayed(folder: &str) -> Result<ChosenModel, Failure> {
    let replay = Replay::open(Path::new(folder), Pace::Fast).map_err(|error| {
        let failure = Failure::usage(chain(&error));
        match error {
            RecordingError::Missing { .. } => failure
                .hint("name the folder of one recording; `harness run --record DIR` makes one"),
            _ => failure.hint(format!(
                "the recording is `{folder}`; docs/recordings.md has its layout"
            )),
        }
    })?;
    let models = replay.recording().models();
    let first = models.first().cloned().unwrap_or_default();
    let profile = profile(&RecordedModel {
        name: RECORDED.to_owned(),
        id: RECORDED.to_owned(),
        ..first
    });
    // A run that went on with another model does so again: when to is the engine's decision.
    let standby = models.iter().skip(1).map(self::profile).collect();
    Ok(ChosenModel {
        profile,
        standby,
        client: ModelClient::Replay(Box::new(replay)),
    })
}

/// Makes the profile of a model that is played: it costs nothing.
fn profile(model: &RecordedModel) -> ModelProfile {
    let or = |tokens: TokenCount, else_: TokenCount| if tokens.0 == 0 { else_ } else { tokens };
    ModelProfile {
        name: model.name.clone(),
        id: model.id.clone(),
        provider: model.provider.clone(),
        context: or(model.context, SCRIPT_CONTEXT),
        output: or(model.output, SCRIPT_OUTPUT),
        price: Some(Price::default()),
        effort: None,
        beyond: None,
        recorded: true,
    }
}

/// Has a replayed run go on behind the exchanges that it had before it was stopped.
pub(crate) fn skip_answered(
    client: &ModelClient,
    store: &Store,
    run: RunId,
) -> Result<(), Failure> {
    let ModelClient::Replay(replay) = client else {
        return Ok(());
    };
    let failed = |error: &dyn std::error::Error| Failure::failed(chain(error));
    let runs = store.runs().map_err(|error| failed(&error))?;
    let mut answered = 0;
    for entry in runs.entries.iter().filter(|entry| entry.run == run) {
        let log = harness_store::read(store.log_path(entry.session));
        let log = log.map_err(|error| failed(&error))?;
        let is_answer = |event: &Event| match event {
            Event::ModelResponded(_) | Event::ModelFailed { .. } => true,
            Event::Beside(told) => matches!(
                told.happened,
                Happened::Responded { .. } | Happened::Failed { .. }
            ),
            _ => false,
        };
        let answers = log.records.iter().filter(|record| is_answer(&record.event));
        answered += answers.count();
    }
    replay.skip(answered);
    Ok(())
}

impl From<PlayPace> for Pace {
    fn from(pace: PlayPace) -> Self {
        match pace {
            PlayPace::Fast => Self::Fast,
            PlayPace::Natural => Self::Natural,
        }
    }
}

/// Whether a folder may hold a recording already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It must not: another run made it.
    Refused,
    /// It is gone on with.
    Continued,
}

/// A recording that may be made of a run.
#[derive(Debug)]
pub(crate) struct Recording(Option<Arc<Recorder>>);

impl Recording {
    /// Begins the recording that the flags ask for; without one nothing is made.
    pub(crate) fn begin(
        options: &RunOptions,
        site: &Site,
        profiles: (&ModelProfile, &[ModelProfile]),
        models: &mut Models,
        found: Found,
    ) -> Result<Self, Failure> {
        let Some(folder) = &options.record else {
            return Ok(Self(None));
        };
        let (first, standby) = profiles;
        if first.recorded {
            return Err(Failure::usage(format!(
                "cannot record into `{}`: a script or a recording asks no server",
                folder.display()
            ))
            .hint("drop `--record`, or name a model with `--model`"));
        }
        refuse_work_tree(folder, site)?;
        let known = std::iter::once(first)
            .chain(standby)
            .map(|profile| RecordedModel {
                name: profile.name.clone(),
                id: profile.id.clone(),
                provider: profile.provider.clone(),
                context: profile.context,
                output: profile.output,
            });
        let known = known.collect();
        let opened = match found {
            Found::Refused => RecordingWriter::create(folder, known),
            Found::Continued => RecordingWriter::reopen(folder, known),
        };
        let writer = opened.map_err(|error| {
            let hint = match error {
                RecordingError::Taken { .. } => Some(
                    "name another folder; `harness resume --record DIR` goes on with a recording",
                ),
                RecordingError::NotEmpty { .. } | RecordingError::Foreign { .. } => {
                    Some("name a folder that is not there yet")
                }
                _ => None,
            };
            Failure::usage(chain(&error)).maybe_hint(hint.map(str::to_owned))
        })?;
        Ok(Self(Some(models.record(writer))))
    }

    /// Says what became of it.
    pub(crate) fn tell(&self, surface: &dyn Surface) {
        let Some(recorder) = &self.0 else {
            return;
        };
        let recorded = recorder.recorded();
        let folder = recorded.folder.display();
        if let Some(why) = &recorded.stopped {
            surface.say(&format!(
                "warning: recording into `{folder}` stopped: {why}"
            ));
        }
        let (exchanges, them) = match recorded.exchanges {
            1 => ("1 exchange is".to_owned(), "it"),
            count => (format!("{count} exchanges are"), "them"),
        };
        surface.say(&format!(
            "{exchanges} recorded in `{folder}`; play {them} with `--agent replay:{folder}`"
        ));
    }
}

/// An agent could read and change what lies in the work tree, and a commit would take it.
fn refuse_work_tree(folder: &Path, site: &Site) -> Result<(), Failure> {
    let place = real_place(folder);
    let inside = [site.repo.root(), site.repo.common_dir()]
        .into_iter()
        .any(|of| place.starts_with(fs::canonicalize(of).unwrap_or_else(|_| of.to_owned())));
    if !inside {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default().display();
    let message = format!(
        "cannot record into `{}`: it is inside the repository, where the agent works",
        folder.display()
    );
    let root = site.repo.root();
    let beside = root.parent().unwrap_or(root).join(name.to_string());
    Err(Failure::usage(message).hint(format!("--record {}", beside.display())))
}

/// Returns where a folder is or would be, with all links of what is there followed.
fn real_place(folder: &Path) -> PathBuf {
    let absolute = env::current_dir().unwrap_or_default().join(folder);
    for above in absolute.ancestors() {
        if let Ok(real) = fs::canonicalize(above) {
            let rest = absolute.strip_prefix(above).unwrap_or(Path::new(""));
            return rest.components().fold(real, step);
        }
    }
    absolute
}

/// Goes one step of a path that is not there, and so has no links.
fn step(mut place: PathBuf, component: Component<'_>) -> PathBuf {
    match component {
        Component::ParentDir => {
            place.pop();
        }
        other => place.push(other),
    }
    place
}
