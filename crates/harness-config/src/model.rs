//! Models: where one answers, with whose key, how much it holds and what it costs.
//!
//! Only the user file defines models. Knows where a key is found and never the
//! key itself; asks no server anything.

use std::collections::BTreeMap;

use harness_core::{Effort, ModelProfile, Price, TokenCount};

use crate::{
    document::{Document, Place},
    error::{Fault, shown},
    prices::{self, Listed},
    raw::{RawModel, RawPrice, Text},
    role,
    setting::BUILT_IN,
    value::{self, Here},
};

/// The window of a model that does not say.
const CONTEXT: TokenCount = TokenCount(128_000);

/// The longest answer asked of a model that does not say.
pub(crate) const OUTPUT: TokenCount = TokenCount(8_000);

/// A model under the name a person gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The person's name for it.
    pub name: String,
    /// How its server is spoken to.
    pub api: Api,
    /// What answers there, in one of the words of [`SERVERS`]; for [`Api::Chat`] alone.
    pub server: Option<&'static str>,
    /// The server's address, without a slash at the end.
    pub base_url: String,
    /// The provider's id.
    pub id: String,
    /// Where its key is found; absent where none is needed.
    pub key: Option<KeySource>,
    /// The size of its window; where nothing is said that of the price table, else 128,000 tokens.
    pub context: TokenCount,
    /// The longest answer asked for; where nothing is said that of the price table, else 8,000 tokens.
    pub output: TokenCount,
    /// Whether it takes images; where nothing is said as the price table knows, else it does not.
    pub images: bool,
    /// How hard it is asked to think where no role says; left to the provider when absent.
    pub effort: Option<Effort>,
    /// What it costs; absent when unknown, zero for a local server that does not say.
    pub price: Option<Price>,
    /// What a prompt larger than its window costs, where the price table knows.
    pub beyond: Option<Price>,
    /// Who says what it costs, such as `config.toml:7` or `price table, 2025-10-01`.
    pub price_origin: String,
    /// Whether it answers on this machine.
    pub local: bool,
    /// Where it is defined, such as `config.toml:3`.
    pub origin: String,
}

impl Model {
    /// Returns the model as a run uses it.
    pub fn profile(&self) -> ModelProfile {
        ModelProfile {
            name: self.name.clone(),
            id: self.id.clone(),
            provider: self.host().to_owned(),
            context: self.context,
            output: self.output,
            price: self.price,
            effort: self.effort,
            beyond: self.beyond,
            recorded: false,
        }
    }
}

/// The wire interfaces this version speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Chat Completions, and every server compatible with it.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Gemini.
    Gemini,
    /// Ollama's own.
    Ollama,
}

/// The servers that claim Chat Completions and are known to want something otherwise, or to want nothing.
pub const SERVERS: [&str; 11] = [
    "openai",
    "ollama",
    "llamacpp",
    "vllm",
    "lmstudio",
    "openrouter",
    "deepseek",
    "groq",
    "together",
    "mistral",
    "xai",
];

impl Api {
    /// Returns the word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    /// Returns the address of the provider itself.
    pub const fn default_base_url(self) -> &'static str {
        match self {
            Self::Anthropic => "https://api.anthropic.com",
            Self::Chat | Self::Responses => "https://api.openai.com/v1",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta",
            Self::Ollama => "http://127.0.0.1:11434",
        }
    }

    /// Returns the variable in which the key of the provider itself is kept; none where there is no key.
    const fn default_key(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::Chat | Self::Responses => Some("OPENAI_API_KEY"),
            Self::Gemini => Some("GEMINI_API_KEY"),
            Self::Ollama => None,
        }
    }

    /// Returns the end of an address that this wire adds by itself.
    const fn added_path(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("/v1"),
            Self::Ollama => Some("/api"),
            Self::Chat | Self::Responses | Self::Gemini => None,
        }
    }
}

/// Reads `OLLAMA_HOST` as Ollama's own client does and returns an address; none when it says nothing.
///
/// `host`, `host:port` and whole addresses will do; without a port it is 11434, with
/// a scheme that of the scheme. An address to listen on everywhere is this machine.
pub fn ollama_address(said: &str) -> Option<String> {
    let said = said.trim().trim_matches(['"', '\'']).trim_end_matches('/');
    let (scheme, rest, port) = match said.split_once("://") {
        Some(("https", rest)) => ("https", rest, "443"),
        Some((_, rest)) => ("http", rest, "80"),
        None => ("http", said, "11434"),
    };
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    if authority.is_empty() {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, said)) if !said.is_empty() && said.bytes().all(|it| it.is_ascii_digit()) => {
            (host, said)
        }
        _ => (authority, port),
    };
    let host = match host {
        "" | "0.0.0.0" | "[::]" => "127.0.0.1",
        host => host,
    };
    let url = format!("{scheme}://{host}:{port}{path}");
    is_address(&url).then_some(url)
}

/// Where a key is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In this environment variable.
    Env(String),
    /// On the first line that this command prints; an argv, no shell.
    Command(Vec<String>),
}

/// Who says that a model costs nothing: it answers on this machine.
pub(crate) const LOCAL: &str = "local server";

/// Returns the models that need no configuration, the preferred one first.
pub(crate) fn built_in() -> [Model; 4] {
    let base = |name: &str, api: Api, id: &str| {
        let listed = prices::find(id, "");
        Model {
            name: name.to_owned(),
            api,
            server: None,
            base_url: api.default_base_url().to_owned(),
            id: id.to_owned(),
            key: api
                .default_key()
                .map(|name| KeySource::Env(name.to_owned())),
            context: listed.map_or(CONTEXT, Listed::context),
            output: listed.map_or(OUTPUT, Listed::output),
            images: listed.is_some_and(Listed::takes_images),
            effort: None,
            price: listed.map(|listed| listed.price(listed.context())),
            beyond: listed.and_then(Listed::beyond),
            price_origin: listed.map_or_else(|| BUILT_IN.to_owned(), Listed::origin),
            local: false,
            origin: BUILT_IN.to_owned(),
        }
    };
    [
        base("claude-sonnet", Api::Anthropic, "claude-sonnet-5-5"),
        base("gpt", Api::Responses, "gpt-6.2-sol"),
        base("gemini", Api::Gemini, "gemini-3.8-flash"),
        Model {
            base_url: "http://127.0.0.1:11434/v1".to_owned(),
            key: None,
            price: Some(Price::default()),
            beyond: None,
            price_origin: LOCAL.to_owned(),
            local: true,
            ..base("local", Api::Chat, "local")
        },
    ]
}

/// Reads every `[model.NAME]`.
pub(crate) fn models(
    document: &Document<'_>,
    raw: &BTreeMap<Text, RawModel>,
) -> Result<BTreeMap<String, Model>, Box<Fault>> {
    raw.iter()
        .map(|(name, raw)| {
            let subject = format!("model `{}`", shown(name.get_ref()));
            let here = Here::new(document, Place::named(subject, ["model", name.get_ref()]));
            let model = model(&here, name, raw)?;
            Ok((model.name.clone(), model))
        })
        .collect()
}

fn model(here: &Here<'_>, name: &Text, raw: &RawModel) -> Result<Model, Box<Fault>> {
    let api = api(here, &raw.api)?;
    let base_url = match &raw.base_url {
        Some(base_url) => read_base_url(here, base_url, api)?,
        None => api.default_base_url().to_owned(),
    };
    let local = host(&base_url).is_some_and(is_loopback);
    let id = id(here, &raw.id)?;
    let listed = prices::find(&id, host(&base_url).unwrap_or_default()).filter(|_| !local);
    let context = match &raw.context {
        Some(context) => value::tokens(here, "context", context)?,
        None => listed.map_or(CONTEXT, Listed::context),
    };
    let (price, price_origin) = match (&raw.price, listed) {
        (Some(price), _) => (Some(read_price(here, price)?), here.origin(&price.input)),
        (None, _) if local => (Some(Price::default()), LOCAL.to_owned()),
        (None, Some(listed)) => (Some(listed.price(context)), listed.origin()),
        (None, None) => (None, BUILT_IN.to_owned()),
    };
    Ok(Model {
        name: value::name(here, "", name)?,
        api,
        server: server(here, raw.server.as_ref(), api)?,
        id,
        key: key(here, raw, api, &base_url)?,
        context,
        output: output(here, raw.output.as_ref(), context, listed)?,
        images: raw.images.as_ref().map_or_else(
            || listed.is_some_and(Listed::takes_images),
            |said| *said.get_ref(),
        ),
        effort: effort(here, raw.effort.as_ref())?,
        price,
        // Whoever writes a price means all prompts by it.
        beyond: listed
            .filter(|_| raw.price.is_none())
            .and_then(Listed::beyond),
        price_origin,
        local,
        base_url,
        origin: here.origin(name),
    })
}

fn api(here: &Here<'_>, raw: &Text) -> Result<Api, Box<Fault>> {
    const WORDS: [(&str, Api); 5] = [
        (Api::Anthropic.as_str(), Api::Anthropic),
        (Api::Chat.as_str(), Api::Chat),
        (Api::Responses.as_str(), Api::Responses),
        (Api::Gemini.as_str(), Api::Gemini),
        (Api::Ollama.as_str(), Api::Ollama),
    ];
    value::word(here, "api", raw, &WORDS)
}

fn server(
    here: &Here<'_>,
    raw: Option<&Text>,
    api: Api,
) -> Result<Option<&'static str>, Box<Fault>> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    if api != Api::Chat {
        let problem = format!("`server` says nothing for api `{}`", api.as_str());
        return Err(here
            .fault("server", raw, problem)
            .with_hint("leave it out; servers differ in `chat` alone"));
    }
    let words = SERVERS.map(|word| (word, word));
    value::word(here, "server", raw, &words).map(Some)
}

fn id(here: &Here<'_>, raw: &Text) -> Result<String, Box<Fault>> {
    let id = raw.get_ref();
    if id.trim().is_empty() || id.len() > 256 || id.contains(char::is_control) {
        return Err(here
            .fault("id", raw, "`id` is not the id of a model")
            .with_hint("write the provider's name of the model, such as `gpt-5`"));
    }
    Ok(id.clone())
}

/// The address is not repeated in messages: people put passwords into addresses.
fn read_base_url(here: &Here<'_>, raw: &Text, api: Api) -> Result<String, Box<Fault>> {
    let fault = |problem: &str, hint: &str| {
        Err(here
            .fault("base_url", raw, format!("`base_url` {problem}"))
            .with_hint(hint))
    };
    let url = raw.get_ref().trim_end_matches('/');
    let Some(host) = host(url).filter(|_| is_address(url)) else {
        return fault(
            "is not an address",
            "write it as `https://HOST/PATH`, or `http://` for a server near by",
        );
    };
    if host.contains('@') || url.contains(['?', '#']) {
        return fault(
            "holds more than an address",
            "leave user, password, `?` and `#` out; a key goes into `key_env` or `key_command`",
        );
    }
    if let Some(added) = api.added_path().filter(|path| url.ends_with(path)) {
        let word = api.as_str();
        return fault(
            &format!("ends with `{added}`, which is added for `{word}`"),
            &format!("leave `{added}` out"),
        );
    }
    if api == Api::Ollama && url.ends_with("/v1") {
        return fault(
            "ends with `/v1`, where Ollama speaks `chat`",
            "leave `/v1` out, or write `api = \"chat\"`",
        );
    }
    Ok(url.to_owned())
}

fn is_address(url: &str) -> bool {
    let plain = |char: char| char.is_ascii_graphic() && !"\"<>\\^`{|}".contains(char);
    host(url).is_some_and(|host| !host.is_empty()) && url.chars().all(plain)
}

/// Returns the part of an address between the scheme and the path, port included.
pub(crate) fn host(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    rest.split(['/', '?', '#']).next()
}

/// Returns what tells a server from others; nothing that a person put before an `@`.
pub(crate) fn host_and_port(url: &str) -> &str {
    let host = host(url).unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default()
}

fn is_loopback(host_and_port: &str) -> bool {
    let host = match host_and_port.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host_and_port.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The provider's own variable is the default at the provider's own address and nowhere else:
/// no other server is ever sent that key unasked.
fn key(
    here: &Here<'_>,
    raw: &RawModel,
    api: Api,
    base_url: &str,
) -> Result<Option<KeySource>, Box<Fault>> {
    match (&raw.key_env, &raw.key_command) {
        (Some(_), Some(command)) => Err(here
            .fault("key_command", command, "there is a `key_env` already")
            .with_hint("keep one of `key_env` and `key_command`")),
        (Some(name), None) => Ok(Some(KeySource::Env(value::variable(
            here, "key_env", name,
        )?))),
        (None, Some(command)) => Ok(Some(KeySource::Command(value::argv(
            here,
            "key_command",
            command,
        )?))),
        (None, None) => Ok(api
            .default_key()
            .filter(|_| base_url == api.default_base_url())
            .map(|name| KeySource::Env(name.to_owned()))),
    }
}

fn output(
    here: &Here<'_>,
    raw: Option<&Text>,
    context: TokenCount,
    listed: Option<&Listed>,
) -> Result<TokenCount, Box<Fault>> {
    let Some(raw) = raw else {
        // A small window keeps room for the question.
        return Ok(listed
            .map_or(OUTPUT, Listed::output)
            .min(TokenCount((context.0 / 4).max(1))));
    };
    let output = value::tokens(here, "output", raw)?;
    if output >= context {
        let problem = format!("`output` must be smaller than the window of {context}");
        return Err(here.fault("output", raw, problem));
    }
    Ok(output)
}

fn effort(here: &Here<'_>, raw: Option<&Text>) -> Result<Option<Effort>, Box<Fault>> {
    raw.map(|raw| role::effort(here, "effort", raw)).transpose()
}

/// A cache price that is not given is the price of fresh input: never too low for a limit.
fn read_price(here: &Here<'_>, raw: &RawPrice) -> Result<Price, Box<Fault>> {
    let input = value::price(here, "input", &raw.input)?;
    let or_input = |key, raw: Option<&toml::Spanned<f64>>| match raw {
        Some(raw) => value::price(here, key, raw),
        None => Ok(input),
    };
    Ok(Price {
        input,
        output: value::price(here, "output", &raw.output)?,
        cache_read: or_input("cache_read", raw.cache_read.as_ref())?,
        cache_write: or_input("cache_write", raw.cache_write.as_ref())?,
    })
}
