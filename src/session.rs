//! Driving a run from the command line: model, lock, signals, faces, exit code.

pub(crate) mod day;
pub(crate) mod fallback;
mod key;
pub(crate) mod recording;
pub(crate) mod roles;
pub(crate) mod signals;

use std::{
    path::Path,
    process, thread,
    time::{Duration, Instant},
};

use harness_config::{Model, Resolved};
use harness_core::{
    ByteCount, Effort, EndReason, Event, ModelProfile, Price, Role, Roles, Timestamp, TokenCount,
};
use harness_provider::{Api, RequestOptions, Script, Server, Untold, check_effort};
use harness_runner::{Finished, HttpModel, Launch, ModelClient, Models, Pace, Workplace};
use harness_store::{Held, Holder, Lock, LockError, Store};
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
};

use crate::{
    compose::{Site, config_failure},
    failure::{Failure, chain},
    files, loopback,
    surface::{Joined, Surface},
};

/// The largest script file that is read.
const SCRIPT_MAX: ByteCount = ByteCount::mib(4);
/// How long the helpers of a killed process may hold its lock, and how often they are looked at.
const HELPERS_MAX: Duration = Duration::from_secs(2);
const HELPERS_PAUSE: Duration = Duration::from_millis(20);
/// What a person can ask of a run before it has looked.
const REQUESTS_MAX: usize = 64;
/// The window of a scripted model: large enough for any script.
const SCRIPT_CONTEXT: TokenCount = TokenCount(200_000);
/// The longest answer of a scripted model.
const SCRIPT_OUTPUT: TokenCount = TokenCount(8_000);

/// A model that is ready to be asked.
#[derive(Debug)]
pub(crate) struct ChosenModel {
    pub(crate) profile: ModelProfile,
    pub(crate) client: ModelClient,
    /// The models that take its place in a recording.
    pub(crate) standby: Vec<ModelProfile>,
}

/// The models of a run, each ready to be asked.
#[derive(Debug)]
pub(crate) struct ReadyModels {
    pub(crate) first: ModelProfile,
    /// Those that take its place, in order.
    pub(crate) standby: Vec<ModelProfile>,
    pub(crate) roles: Roles,
    pub(crate) clients: Models,
}

impl ChosenModel {
    /// Makes those ready that stand by and those that serve the other roles; who cannot be asked is said.
    pub(crate) fn with_others(self, resolved: &Resolved, surface: &dyn Surface) -> ReadyModels {
        let (mut standby, others) = fallback::choose(&self.profile, resolved, surface);
        standby.extend(self.standby);
        let (roles, served) = roles::choose(&self.profile, resolved, surface);
        ReadyModels {
            first: self.profile,
            standby,
            roles,
            clients: Models {
                first: self.client,
                others,
                roles: served,
            },
        }
    }

    /// Has a script or a recording answer at this pace; a server has its own.
    pub(crate) fn at_pace(mut self, wished: Pace) -> Self {
        match &mut self.client {
            ModelClient::Script { pace, .. } => *pace = wished,
            ModelClient::Replay(replay) => replay.set_pace(wished),
            ModelClient::Http(_) | ModelClient::Absent { .. } => {}
        }
        self
    }
}

/// Finds the model that flags and configuration name, and its key.
pub(crate) fn choose_model(
    wish: Option<&str>,
    resolved: &Resolved,
) -> Result<ChosenModel, Failure> {
    if let Some(path) = wish.and_then(|wish| wish.strip_prefix("script:")) {
        let cannot = |why: &str| Failure::usage(format!("cannot read the script `{path}`: {why}"));
        let bytes = files::read_own(Path::new(path), SCRIPT_MAX)?
            .ok_or_else(|| cannot("there is no such file"))?;
        let text = String::from_utf8(bytes).map_err(|_| cannot("it is no UTF-8"))?;
        return scripted(&text, Pace::Fast)
            .map_err(|failure| failure.hint(format!("the script is `{path}`")));
    }
    if let Some(folder) = wish.and_then(|wish| wish.strip_prefix("replay:")) {
        return recording::replayed(folder);
    }
    let model = with_real_window(wished(wish, resolved)?);
    let effort = resolved.effort_for(Role::Main, &model);
    ready(&model, Role::Main, effort, resolved)
}

/// Asks the server of a model that nobody wrote down for its window.
pub(crate) fn with_real_window(model: Model) -> Model {
    if !model.is_found() {
        return model;
    }
    let base_url = base_url(&model, ollama_host().as_deref());
    loopback::with_real_context(model, &base_url)
}

/// Makes a model ready to be asked: it can be told how hard to think, its key is found and its price
/// fits the limits.
pub(crate) fn ready(
    model: &Model,
    role: Role,
    effort: Option<Effort>,
    resolved: &Resolved,
) -> Result<ChosenModel, Failure> {
    let (api, options) = request_options(model, effort);
    if let (Some(effort), Err(untold)) = (effort, check_effort(api, &options)) {
        let said_by = resolved.effort_origin(role, model);
        let message = format!(
            "model `{}` cannot be asked with effort `{effort}` ({}): {untold}",
            model.name,
            said_by.unwrap_or("the log"),
        );
        return Err(Failure::usage(message).hint(untold.hint));
    }
    let key = model
        .key
        .as_ref()
        .map(|source| key::find(model, source))
        .transpose()?;
    let idle = resolved.policy.limits.idle;
    let profile = ModelProfile {
        effort,
        ..model.profile()
    };
    let limits = &resolved.policy.limits;
    let in_usd = [
        limits.usd,
        limits.day_usd,
        limits.session_usd,
        limits.feature_usd,
    ];
    let limits_money = in_usd.iter().any(Option::is_some);
    if profile.price.is_none() && limits_money {
        return Err(Failure::usage(format!(
            "cannot hold model `{}` to a limit in USD: its price is unknown",
            model.name
        ))
        .hint(format!(
            "add `price = {{ input = 3.0, output = 15.0 }}` to `[model.{}]`, or drop the limit",
            model.name
        )));
    }
    Ok(ChosenModel {
        profile,
        standby: Vec::new(),
        client: ModelClient::Http(Box::new(HttpModel::new(api, options, key, idle))),
    })
}

/// Returns how a model is spoken to.
pub(crate) fn request_options(model: &Model, effort: Option<Effort>) -> (Api, RequestOptions) {
    let api = match model.api {
        harness_config::Api::Anthropic => Api::Anthropic,
        harness_config::Api::Chat => Api::Chat,
        harness_config::Api::Responses => Api::Responses,
        harness_config::Api::Gemini => Api::Gemini,
        harness_config::Api::Ollama => Api::Ollama,
    };
    let options = RequestOptions {
        model: model.id.clone(),
        max_output: model.output,
        context: model.context,
        base_url: base_url(model, ollama_host().as_deref()),
        server: model.server.and_then(Server::named),
        images: model.images,
        effort,
    };
    (api, options)
}

/// Says why a model cannot be told an effort; nothing where it can.
pub(crate) fn untold(model: &Model, effort: Option<Effort>) -> Option<Untold> {
    let (api, options) = request_options(model, effort);
    check_effort(api, &options).err()
}

/// Returns the model of this name where there still is one, else the one to start with.
fn wished(wish: Option<&str>, resolved: &Resolved) -> Result<Model, Failure> {
    let named = wish.and_then(|name| {
        let defined = resolved.find_model(name).cloned();
        defined.or_else(|| resolved.loopback_model(name))
    });
    if let Some(model) = named {
        return Ok(model);
    }
    let model = resolved.start_model(&|name| is_set(name));
    model.cloned().map_err(|error| config_failure(&error))
}

/// Whether an environment variable has a value.
pub(crate) fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Returns what the environment says of Ollama's address.
pub(crate) fn ollama_host() -> Option<String> {
    std::env::var("OLLAMA_HOST").ok()
}

/// Returns where a model is asked: Ollama's variable moves its own interface, unless an address is written.
pub(crate) fn base_url(model: &Model, ollama_host: Option<&str>) -> String {
    let is_default = model.base_url == harness_config::Api::Ollama.default_base_url();
    ollama_host
        .filter(|_| is_default && model.api == harness_config::Api::Ollama)
        .and_then(harness_config::ollama_address)
        .unwrap_or_else(|| model.base_url.clone())
}

/// Makes a model of a script.
pub(crate) fn scripted(text: &str, pace: Pace) -> Result<ChosenModel, Failure> {
    let script = Script::parse(text).map_err(|error| Failure::usage(error.to_string()))?;
    let profile = ModelProfile {
        name: "recorded".to_owned(),
        id: "recorded".to_owned(),
        provider: String::new(),
        context: SCRIPT_CONTEXT,
        output: SCRIPT_OUTPUT,
        price: Some(Price::default()),
        effort: None,
        beyond: None,
        recorded: true,
    };
    Ok(ChosenModel {
        profile,
        standby: Vec::new(),
        client: ModelClient::Script { script, pace },
    })
}

/// Takes the lock of the work tree, or says who holds it.
pub(crate) fn lock(site: &Site, store: &Store) -> Result<Lock, Failure> {
    let holder = Holder {
        pid: process::id(),
        started_at: harness_host::clock::now(),
        host: std::fs::read_to_string("/proc/sys/kernel/hostname")
            .unwrap_or_default()
            .trim()
            .to_owned(),
        command: std::env::args().take(3).collect::<Vec<_>>().join(" "),
    };
    let name = lock_name(site);
    let until = Instant::now() + HELPERS_MAX;
    let taken = loop {
        match Lock::acquire(store, &name, &holder) {
            Err(LockError::Held(held)) if is_gone(&held, &holder) && Instant::now() < until => {
                thread::sleep(HELPERS_PAUSE);
            }
            taken => break taken,
        }
    };
    taken.map_err(|error| match error {
        LockError::Held(ref held) => Failure::needs_human(format!(
            "another run works in this work tree: {}",
            chain(&error)
        ))
        .hint(way_around(held, &holder)),
        error => Failure::failed(chain(&error)),
    })
}

/// Says what a person can do about a lock that another holds.
fn way_around(held: &Held, own: &Holder) -> String {
    match held.holder.as_ref().filter(|holder| holder.host != own.host) {
        Some(other) => format!(
            "it runs on `{}`: wait for it, stop it there, or work in another worktree",
            other.host
        ),
        None => "wait for it, stop it, or work in another worktree; `harness status --watch` shows what it does".to_owned(),
    }
}

/// Whether the process that holds a lock was killed: its helpers, which end now, hold it a moment longer.
fn is_gone(held: &Held, own: &Holder) -> bool {
    let on_this_host = held
        .holder
        .as_ref()
        .filter(|holder| holder.host == own.host);
    on_this_host.is_some_and(|holder| !Path::new("/proc").join(holder.pid.to_string()).exists())
}

/// Linked work trees of one repository have locks of their own.
pub(crate) fn lock_name(site: &Site) -> String {
    let (own, common) = (site.repo.git_dir(), site.repo.common_dir());
    match own.file_name().filter(|_| own != common) {
        Some(name) => {
            let safe = name
                .to_string_lossy()
                .replace(|char: char| !char.is_ascii_alphanumeric(), "-");
            format!("work-tree-{}", &safe[..safe.len().min(60)])
        }
        None => "work-tree".to_owned(),
    }
}

/// Drives a run to its end and returns the exit code.
pub(crate) fn drive(
    workplace: Workplace,
    launch: Launch,
    past: &[(Event, Timestamp)],
    surface: &dyn Surface,
) -> Result<(u8, Finished), Failure> {
    let runtime = runtime()?;
    let (requests_tx, requests) = mpsc::channel(REQUESTS_MAX);
    let Joined {
        mut faces,
        signalled,
    } = surface.join(&requests_tx)?;
    // A face is a fold over a run's events, and a run that is resumed has begun already.
    for face in &mut faces {
        face.past(past);
    }
    let (run, mut spend) = (launch.engine.run(), launch.spend.clone());
    let ended = runtime.block_on(async {
        let finished = harness_runner::drive(workplace, launch, &mut faces, requests).await;
        let finished = finished.map_err(|error| Failure::failed(chain(&error)))?;
        let by_signal = signalled.and_then(|signalled| *signalled.borrow());
        let code = match by_signal {
            Some(signal) if finished.reason == EndReason::Interrupted => 128 + signal,
            _ => finished.reason.exit_code(),
        };
        if !finished.not_found.is_empty() {
            surface.say(&format!(
                "note: nothing was found with the id {}: a change that is another has another id",
                finished.not_found.join(", ")
            ));
        }
        Ok((code, finished))
    });
    if let Some(told) = day::told(&run, &mut spend) {
        surface.say(&told);
    }
    // A name that a resolver does not find for half a minute is not waited for.
    runtime.shutdown_timeout(RUN_SHUTDOWN);
    ended
}

/// Makes the one thread that waits; what blocks goes to others.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let built = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(8)
        .build();
    built.map_err(|error| Failure::failed(format!("cannot start the event loop: {error}")))
}

/// How long the runtime of a run waits for what it still does aside, such as removing a checkout.
const RUN_SHUTDOWN: Duration = Duration::from_secs(5);

/// Waits for nothing longer than this when a runtime ends.
pub(crate) const SHUTDOWN: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_of_the_configuration_is_known_to_the_codec() {
        for word in harness_config::SERVERS {
            assert!(Server::named(word).is_some(), "{word}");
        }
    }
}
