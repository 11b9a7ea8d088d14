//! Model servers on this machine: what answers right now, and what it has.
//!
//! All are asked at once and none is waited for beyond [`TIME_MAX`]; what came by
//! then is what there is. Nothing beyond this machine is reached and no key is
//! sent. `harness models` lists what is found, a run asks about the one it uses.

mod answer;

use std::time::Duration;

use futures_util::future::{join, join_all};
use harness_config::{Api, LOOPBACK_CONTEXT, LoopbackServer, Model};
use harness_core::{ByteCount, TokenCount};
use harness_host::http::LoopbackClient;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

pub(crate) use answer::Told;

/// How long all servers together are waited for.
const TIME_MAX: Duration = Duration::from_millis(300);
/// The longest answer that is read.
const ANSWER_MAX: ByteCount = ByteCount::mib(1);
/// How many models of one server are looked at.
const MODELS_MAX: usize = 64;

/// A model that a server has.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The word of its server.
    pub(crate) word: &'static str,
    pub(crate) told: Told,
}

impl Found {
    /// Returns the name under which it can be used.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.word, self.told.id)
    }
}

/// Asks the servers what they have, in parallel.
pub(crate) fn find(servers: &[LoopbackServer]) -> Vec<Found> {
    in_time(async |asking: &Asking| {
        let asked = servers.iter().map(|server| asking.models(server));
        join_all(asked).await.into_iter().flatten().collect()
    })
    .unwrap_or_default()
}

/// Asks the server of a found model how large its window is and whether it takes images, and takes that.
///
/// Ollama is asked for no more than [`LOOPBACK_CONTEXT`]; the window of any other server is there already.
pub(crate) fn with_real_context(model: Model, base_url: &str) -> Model {
    let Some((word, id)) = model.name.split_once('/') else {
        return model;
    };
    let told = in_time(async |asking: &Asking| asking.one(word, base_url, id).await).flatten();
    let model = model.with_images(told.as_ref().and_then(|told| told.images));
    match told.and_then(|told| told.context) {
        Some(context) => {
            let context = used_context(model.api, context);
            model.with_context(context)
        }
        None => model,
    }
}

/// Returns how much is used of a window that a server speaks of.
pub(crate) fn used_context(api: Api, context: TokenCount) -> TokenCount {
    match api {
        Api::Ollama => context.min(LOOPBACK_CONTEXT),
        _ => context,
    }
}

/// Runs questions on a runtime of their own; `None` when there can be none.
fn in_time<T>(ask: impl AsyncFnOnce(&Asking) -> T) -> Option<T> {
    let runtime = crate::session::runtime().ok()?;
    let answer = runtime.block_on(async {
        let asking = Asking {
            until: Instant::now() + TIME_MAX,
            client: LoopbackClient::new().ok()?,
        };
        Some(ask(&asking).await)
    });
    runtime.shutdown_background();
    answer
}

/// One round of questions.
struct Asking {
    client: LoopbackClient,
    until: Instant,
}

impl Asking {
    async fn models(&self, server: &LoopbackServer) -> Vec<Found> {
        let told = match server.word {
            "ollama" => self.ollama(&server.base_url).await,
            "lmstudio" => self.lm_studio(&server.base_url).await,
            "llamacpp" => self.llama_cpp(&server.base_url).await,
            _ => self.list(&server.base_url).await,
        };
        let word = server.word;
        told.into_iter().map(|told| Found { word, told }).collect()
    }

    async fn one(&self, word: &str, base_url: &str, id: &str) -> Option<Told> {
        let told = match word {
            "ollama" => return self.show(base_url, id).await,
            "lmstudio" => self.lm_studio(base_url).await,
            "llamacpp" => self.llama_cpp(base_url).await,
            _ => self.list(base_url).await,
        };
        told.into_iter().find(|told| told.id == id)
    }

    /// Lists what Ollama has, then asks about each; what is not told in time stays unknown.
    async fn ollama(&self, base_url: &str) -> Vec<Told> {
        let Some(tags) = self.json(format!("{base_url}/api/tags"), None).await else {
            return Vec::new();
        };
        let ids = answer::ollama_ids(&tags, MODELS_MAX);
        let asked = ids.into_iter().map(async |id| {
            let told = self.show(base_url, &id).await;
            told.unwrap_or_else(|| Told::named(id))
        });
        let mut told = join_all(asked).await;
        told.retain(Told::can_talk);
        told
    }

    async fn show(&self, base_url: &str, id: &str) -> Option<Told> {
        let body = json!({ "model": id }).to_string();
        let shown = self
            .json(format!("{base_url}/api/show"), Some(body))
            .await?;
        Some(answer::ollama_shown(id, &shown))
    }

    /// LM Studio's own interface says more than the common one, where there is one.
    async fn lm_studio(&self, base_url: &str) -> Vec<Told> {
        let root = root(base_url);
        let (own, list) = join(
            self.json(format!("{root}/api/v0/models"), None),
            self.list(base_url),
        )
        .await;
        match own.map(|own| answer::lm_studio(&own, MODELS_MAX)) {
            Some(told) if !told.is_empty() => told,
            _ => list,
        }
    }

    /// llama.cpp has one model, and says of itself what its window is.
    async fn llama_cpp(&self, base_url: &str) -> Vec<Told> {
        let root = root(base_url);
        let (props, mut told) = join(
            self.json(format!("{root}/props"), None),
            self.list(base_url),
        )
        .await;
        if let (Some(props), [only]) = (&props, told.as_mut_slice()) {
            answer::llama_cpp(only, props);
        }
        told
    }

    async fn list(&self, base_url: &str) -> Vec<Told> {
        match self.json(format!("{base_url}/models"), None).await {
            Some(list) => answer::listed(&list, MODELS_MAX),
            None => Vec::new(),
        }
    }

    async fn json(&self, url: String, body: Option<String>) -> Option<Value> {
        let answer = timeout_at(self.until, self.client.ask(&url, body, ANSWER_MAX)).await;
        serde_json::from_slice(&answer.ok()??).ok()
    }
}

/// Takes `/v1` off an address.
fn root(base_url: &str) -> &str {
    base_url.strip_suffix("/v1").unwrap_or(base_url)
}
