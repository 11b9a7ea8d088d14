//! Servers that claim Chat Completions, and what each of them wants otherwise.
//!
//! Only requests differ here: what comes back is read as it is found, whoever
//! sends it. A row says something only where a server is known to refuse or to
//! misread the ordinary request.

use harness_core::{Effort, ImageFormat};

use crate::effort::DEGREES_OR_NONE;

/// A server that is known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// OpenAI itself.
    OpenAi,
    /// Ollama's compatible interface.
    Ollama,
    /// `llama-server` of llama.cpp.
    LlamaCpp,
    /// vLLM.
    Vllm,
    /// LM Studio.
    LmStudio,
    /// OpenRouter.
    OpenRouter,
    /// DeepSeek.
    DeepSeek,
    /// Groq.
    Groq,
    /// Together AI.
    Together,
    /// Mistral.
    Mistral,
    /// xAI.
    Xai,
}

/// What one server wants otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manners {
    /// The name of the limit on the answer.
    pub(crate) limit: LimitKey,
    /// What stands for the text of an answer that only calls tools.
    pub(crate) no_text: NoText,
    /// Whether calls made together have to be asked for.
    pub(crate) asks_for_parallel_calls: bool,
    /// Whether reasoning goes back as the parts it came in.
    pub(crate) takes_reasoning_details: bool,
    /// How it is told how hard to think.
    pub(crate) effort: EffortKey,
    /// What helps its cache.
    pub(crate) cache: CacheHelp,
    /// Whether reasoning goes back as text beside calls, be it empty.
    pub(crate) wants_reasoning: bool,
    /// Which ids of calls it takes.
    pub(crate) ids: Ids,
    /// Whether it refuses a user's text right behind results.
    pub(crate) answers_results: bool,
    /// Whether it takes images as PNG and JPEG alone.
    pub(crate) few_formats: bool,
}

/// Which ids of calls a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ids {
    /// Any of a sensible length.
    Any,
    /// Nine letters and digits.
    Nine,
}

impl Manners {
    /// Says why an image of a kind is not sent, where it is not.
    pub(crate) fn refuses(&self, format: ImageFormat) -> Option<&'static str> {
        let is_common = matches!(format, ImageFormat::Png | ImageFormat::Jpeg);
        (self.few_formats && !is_common).then_some("this server takes png and jpeg alone")
    }
}

/// What a server's cache has to be told; most find by themselves what they have read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheHelp {
    /// Nothing.
    None,
    /// `prompt_cache_key`, so that alike requests reach the same machine.
    Key,
    /// Marks in the messages, for models of Anthropic.
    Marks,
}

/// How a server is told how hard to think; why it cannot be, and the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EffortKey {
    /// `reasoning_effort`, with these words.
    Flat(&'static [Effort]),
    /// `reasoning.effort`, with every word.
    Nested,
    /// Nowhere.
    Nowhere((&'static str, &'static str)),
}

/// The name of the limit on the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitKey {
    /// `max_tokens`, which nearly all take.
    Tokens,
    /// `max_completion_tokens`.
    CompletionTokens,
}

/// What stands for the text of an answer that only calls tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoText {
    /// `null`.
    Null,
    /// `""`.
    Empty,
}

/// What most servers take.
const ORDINARY: Manners = Manners {
    limit: LimitKey::Tokens,
    no_text: NoText::Null,
    asks_for_parallel_calls: false,
    takes_reasoning_details: false,
    cache: CacheHelp::None,
    wants_reasoning: false,
    ids: Ids::Any,
    answers_results: false,
    few_formats: false,
    effort: EffortKey::Nowhere((
        "it is not known what it takes",
        "where it takes what a known server takes, say so: `server = \"vllm\"` or `server = \"openai\"`",
    )),
};

/// Words, hosts and ports on this machine by which the servers are known.
const KNOWN: [(Server, &str, &[&str], Option<u16>); 11] = [
    (Server::OpenAi, "openai", &["api.openai.com"], None),
    (Server::Ollama, "ollama", &["ollama.com"], Some(11434)),
    (Server::LlamaCpp, "llamacpp", &[], Some(8080)),
    (Server::Vllm, "vllm", &[], Some(8000)),
    (Server::LmStudio, "lmstudio", &[], Some(1234)),
    (Server::OpenRouter, "openrouter", &["openrouter.ai"], None),
    (Server::DeepSeek, "deepseek", &["api.deepseek.com"], None),
    (Server::Groq, "groq", &["api.groq.com"], None),
    (
        Server::Together,
        "together",
        &["api.together.xyz", "api.together.ai"],
        None,
    ),
    (Server::Mistral, "mistral", &["api.mistral.ai"], None),
    (Server::Xai, "xai", &["api.x.ai"], None),
];

impl Server {
    /// Returns the server of a word of the configuration.
    pub fn named(word: &str) -> Option<Self> {
        let row = KNOWN.iter().find(|(_, known, ..)| *known == word);
        row.map(|(server, ..)| *server)
    }

    /// Tells the server from its address: by host, or by port on this machine.
    pub(crate) fn at(base_url: &str) -> Option<Self> {
        let (host, port) = host_and_port(base_url);
        let is_near = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let row = KNOWN.iter().find(|(_, _, hosts, near)| {
            hosts.contains(&host) || (is_near && near.is_some() && *near == port)
        });
        row.map(|(server, ..)| *server)
    }

    /// Returns what this server wants otherwise.
    pub(crate) const fn manners(self) -> Manners {
        match self {
            // Reasoning models refuse `max_tokens` and name the other key; the recorded
            // request `openai-chat--text` uses it.
            Self::OpenAi => Manners {
                limit: LimitKey::CompletionTokens,
                cache: CacheHelp::Key,
                effort: EffortKey::Flat(&Effort::ALL),
                ..ORDINARY
            },
            // Templates of chat models join texts; the recorded second request of
            // `deepseek--parallel-tools` sends an empty one and is answered. Since its fourth kind it
            // refuses calls without their `reasoning_content`, be it empty:
            // https://api-docs.deepseek.com/guides/thinking_mode, tool calls, and
            // https://github.com/deepseek-ai/deepseek-harness/discussions/739.
            Self::DeepSeek => Manners {
                wants_reasoning: true,
                no_text: NoText::Empty,
                effort: EffortKey::Nowhere((
                    "its models are told by their name",
                    "leave `effort` out, and choose the model with or without reasoning by its `id`",
                )),
                ..ORDINARY
            },
            // Its documentation: one call at a time unless `parallel_tool_calls` is sent.
            Self::LlamaCpp => Manners {
                asks_for_parallel_calls: true,
                effort: EffortKey::Nowhere((
                    "llama.cpp takes it where the server is started",
                    "leave `effort` out, and start it with `--reasoning-budget 0` or `--chat-template-kwargs`",
                )),
                ..ORDINARY
            },
            // Its documentation, and the recorded second requests of `openrouter--*`, send
            // `reasoning_details` back as they came. Models of Anthropic cache what is marked.
            Self::OpenRouter => Manners {
                takes_reasoning_details: true,
                cache: CacheHelp::Marks,
                effort: EffortKey::Nested,
                ..ORDINARY
            },
            // `Tool call id was .. but must be a-z, A-Z, 0-9, with a length of 9`, and `Unexpected
            // role 'user' after role 'tool'`: https://github.com/mistralai/mistral-common,
            // `validator.py`, and https://github.com/zed-industries/zed/issues/37021.
            // Its documentation on caching names the key, as OpenAI's does.
            Self::Mistral => Manners {
                cache: CacheHelp::Key,
                ids: Ids::Nine,
                answers_results: true,
                effort: EffortKey::Flat(DEGREES_OR_NONE),
                ..ORDINARY
            },
            // https://docs.x.ai/docs/guides/image-understanding: jpg and png.
            Self::Xai => Manners {
                few_formats: true,
                effort: EffortKey::Flat(DEGREES_OR_NONE),
                ..ORDINARY
            },
            // `max_tokens` and `null`, or no text at all, in the recorded requests of groq,
            // together and xai; nothing else is known of the others.
            Self::Ollama | Self::Vllm | Self::Groq | Self::Together => Manners {
                effort: EffortKey::Flat(DEGREES_OR_NONE),
                ..ORDINARY
            },
            Self::LmStudio => Manners {
                effort: EffortKey::Nowhere((
                    "LM Studio takes it in the settings of the model",
                    "leave `effort` out, and set it there",
                )),
                ..ORDINARY
            },
        }
    }
}

/// Returns the manners of what answers at an address; `said` goes before what the address tells.
pub(crate) fn manners_of(base_url: &str, said: Option<Server>) -> Manners {
    said.or_else(|| Server::at(base_url))
        .map_or(ORDINARY, Server::manners)
}

/// Returns host and port of an address, without user.
fn host_and_port(url: &str) -> (&str, Option<u16>) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_host_or_by_its_port_on_this_machine() {
        for (url, server) in [
            ("https://api.openai.com/v1", Some(Server::OpenAi)),
            ("https://api.openai.com:443/v1", Some(Server::OpenAi)),
            ("https://api.openai.com.example/v1", None),
            ("http://localhost/api.openai.com/v1", None),
            ("https://openrouter.ai/api/v1", Some(Server::OpenRouter)),
            ("https://api.together.xyz/v1", Some(Server::Together)),
            ("http://127.0.0.1:11434/v1", Some(Server::Ollama)),
            ("http://[::1]:1234/v1", Some(Server::LmStudio)),
            ("http://localhost:8080", Some(Server::LlamaCpp)),
            ("http://192.168.1.2:8080/v1", None),
            ("http://127.0.0.1:9/v1", None),
            ("[::1]", None),
        ] {
            assert_eq!(Server::at(url), server, "{url}");
        }
    }

    #[test]
    fn every_server_has_a_word() {
        for (server, word, ..) in KNOWN {
            assert_eq!(Server::named(word), Some(server));
        }
        assert_eq!(Server::named("OpenAI"), None);
    }
}
