//! Driving a run from the command line: model, lock, signals, faces, exit code.

use std::{process, time::Duration};

use harness_config::{KeySource, Model, Resolved};
use harness_core::{ByteCount, EndReason, ModelProfile, Price, Timestamp, TokenCount};
use harness_provider::{Api, RequestOptions, Script};
use harness_runner::{Face, Finished, HttpModel, Launch, ModelClient, Pace, Request, Workplace};
use harness_store::{Holder, Lock, LockError, Store};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::{
    ask,
    cli::Common,
    compose::{Site, config_failure},
    failure::{Failure, chain},
    output::say,
};

/// The largest script file that is read.
const SCRIPT_MAX: ByteCount = ByteCount::mib(4);
/// The window of a scripted model: large enough for any script.
const SCRIPT_CONTEXT: TokenCount = TokenCount(200_000);
/// How much of what a key command prints is looked at. Unit: bytes.
const KEY_BYTES_MAX: usize = 16 * 1024;

/// A model that is ready to be asked.
#[derive(Debug)]
pub(crate) struct ChosenModel {
    pub(crate) profile: ModelProfile,
    pub(crate) client: ModelClient,
}

/// Finds the model that flags and configuration name, and its key.
pub(crate) fn choose_model(
    wish: Option<&str>,
    resolved: &Resolved,
) -> Result<ChosenModel, Failure> {
    if let Some(path) = wish.and_then(|wish| wish.strip_prefix("script:")) {
        let size = std::fs::metadata(path).map(|stat| stat.len());
        let size = size
            .map_err(|error| Failure::usage(format!("cannot read the script `{path}`: {error}")))?;
        if size > SCRIPT_MAX.0 {
            return Err(Failure::usage(format!(
                "cannot read the script `{path}`: it is larger than {SCRIPT_MAX}"
            )));
        }
        let text = std::fs::read_to_string(path);
        let text = text
            .map_err(|error| Failure::usage(format!("cannot read the script `{path}`: {error}")))?;
        return scripted(&text, Pace::Fast)
            .map_err(|failure| failure.hint(format!("the script is `{path}`")));
    }
    let model =
        resolved.start_model(&|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let model = model.map_err(|error| config_failure(&error))?;
    let key = model
        .key
        .as_ref()
        .map(|source| key(model, source))
        .transpose()?;
    let options = RequestOptions {
        model: model.id.clone(),
        max_output: model.output,
        base_url: model.base_url.clone(),
    };
    let api = match model.api {
        harness_config::Api::Anthropic => Api::Anthropic,
        harness_config::Api::Chat => Api::Chat,
    };
    let idle = resolved.policy.limits.idle;
    let profile = model.profile();
    if profile.price.is_none() && resolved.policy.limits.usd.is_some() {
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
        client: ModelClient::Http(Box::new(HttpModel::new(api, options, key, idle))),
    })
}

/// Makes a model of a script.
pub(crate) fn scripted(text: &str, pace: Pace) -> Result<ChosenModel, Failure> {
    let script = Script::parse(text).map_err(|error| Failure::usage(error.to_string()))?;
    let profile = ModelProfile {
        name: "recorded".to_owned(),
        id: "recorded".to_owned(),
        context: SCRIPT_CONTEXT,
        output: TokenCount(8_000),
        price: Some(Price::default()),
        recorded: true,
    };
    Ok(ChosenModel {
        profile,
        client: ModelClient::Script { script, pace },
    })
}

/// Finds the key of a model; its value goes to the request's header and nowhere else.
fn key(model: &Model, source: &KeySource) -> Result<String, Failure> {
    match source {
        KeySource::Env(name) => match std::env::var(name) {
            Ok(key) if !key.trim().is_empty() => Ok(key.trim().to_owned()),
            _ => Err(Failure::usage(format!(
                "model `{}` needs its key in `{name}`, which is not set",
                model.name
            ))
            .hint(format!(
                "export {name}=..., or choose another model with --model"
            ))),
        },
        KeySource::Command(argv) => {
            let (program, arguments) = argv
                .split_first()
                .ok_or_else(|| Failure::usage("`key_command` is empty"))?;
            let output = process::Command::new(program)
                .args(arguments)
                .stdin(process::Stdio::null())
                .output();
            let output = output.map_err(|error| {
                Failure::usage(format!(
                    "cannot run the key command `{program}` of model `{}`: {error}",
                    model.name
                ))
            })?;
            let text =
                String::from_utf8_lossy(&output.stdout[..output.stdout.len().min(KEY_BYTES_MAX)])
                    .into_owned();
            let line = text.lines().next().unwrap_or_default().trim().to_owned();
            if !output.status.success() || line.is_empty() {
                let message = format!(
                    "the key command `{program}` of model `{}` gave no key ({})",
                    model.name, output.status
                );
                return Err(
                    Failure::usage(message).hint("run it by hand and look at what it prints")
                );
            }
            Ok(line)
        }
    }
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
    Lock::acquire(store, &lock_name(site), &holder).map_err(|error| match error {
        LockError::Held(_) => Failure::needs_human(format!(
            "another run works in this work tree: {}",
            chain(&error)
        ))
        .hint("wait for it, stop it, or work in another worktree"),
        error => Failure::failed(chain(&error)),
    })
}

/// Linked work trees of one repository have locks of their own.
fn lock_name(site: &Site) -> String {
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
    mut faces: Vec<Box<dyn Face>>,
    common: &Common,
) -> Result<(u8, Finished), Failure> {
    let runtime = runtime()?;
    let (requests_tx, requests) = mpsc::channel(16);
    faces.push(Box::new(AskingFace {
        requests: requests_tx.clone(),
        attended: ask::is_attended(common),
    }));
    runtime.block_on(async {
        let signalled = watch_signals(&requests_tx)?;
        let finished = harness_runner::drive(workplace, launch, &mut faces, requests).await;
        let finished = finished.map_err(|error| Failure::failed(chain(&error)))?;
        let by_signal = *signalled.borrow();
        let code = match by_signal {
            Some(signal) if finished.reason == EndReason::Interrupted => 128 + signal,
            _ => finished.reason.exit_code(),
        };
        Ok((code, finished))
    })
}

/// Makes the one thread that waits; what blocks goes to others.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let built = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(8)
        .build();
    built.map_err(|error| Failure::failed(format!("cannot start the event loop: {error}")))
}

/// Turns signals into requests: the first asks for an end in order, a second `SIGINT` ends at once.
///
/// The channel holds the number of the signal that decides the exit code;
/// `SIGINT` is a person's stop and has the run's own code.
fn watch_signals(
    requests: &mpsc::Sender<Request>,
) -> Result<tokio::sync::watch::Receiver<Option<u8>>, Failure> {
    let (signalled_tx, signalled) = tokio::sync::watch::channel(None);
    let kinds = [
        (SignalKind::interrupt(), None),
        (SignalKind::terminate(), Some(15)),
        (SignalKind::hangup(), Some(1)),
    ];
    for (kind, code) in kinds {
        let mut stream = signal(kind)
            .map_err(|error| Failure::failed(format!("cannot watch signals: {error}")))?;
        let (requests, signalled) = (requests.clone(), signalled_tx.clone());
        tokio::spawn(async move {
            let mut asked = false;
            while stream.recv().await.is_some() {
                if asked && code.is_none() {
                    exit_at_once();
                }
                asked = true;
                signalled.send_replace(code);
                say("stopping after what is in flight; press Ctrl+C again to stop at once");
                if requests.send(Request::Interrupt).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(signalled)
}

/// The log is whole at every moment, so nothing has to be put in order.
#[expect(clippy::exit, reason = "a second Ctrl+C asks for exactly this")]
fn exit_at_once() -> ! {
    process::exit(130)
}

/// Asks the person in plain lines when the agent has a question.
#[derive(Debug)]
struct AskingFace {
    requests: mpsc::Sender<Request>,
    attended: bool,
}

impl Face for AskingFace {
    fn event(&mut self, event: &harness_core::Event, _time: Timestamp) -> bool {
        if let (harness_core::Event::QuestionAsked { .. }, true) = (event, self.attended) {
            let requests = self.requests.clone();
            // Reading a line blocks for as long as a person thinks.
            std::thread::spawn(move || {
                let answer = ask::line("answer:\n").unwrap_or_else(|| "no answer".to_owned());
                let _ = requests.blocking_send(Request::Answer(answer));
            });
        }
        true
    }
}

/// Waits for nothing longer than this when a runtime ends.
pub(crate) const SHUTDOWN: Duration = Duration::from_millis(200);
