//! Models on this machine that nobody wrote down: `ollama/NAME` and its like.
//!
//! Knows where such servers answer by default and what a name means. Asks none of
//! them: who can lists what is there; here any name stands for a model.

use std::collections::BTreeMap;

use harness_core::{Price, TokenCount};

use crate::{
    Resolved,
    model::{Api, LOCAL, Model, OUTPUT},
};

/// The window of such a model where its server says nothing, and the most that is asked of
/// Ollama, which sets aside memory for all that is asked.
pub const LOOPBACK_CONTEXT: TokenCount = TokenCount(32_000);

/// Who defines such a model.
const ORIGIN: &str = "found on this machine";

/// The servers that are known to answer on this machine, each with its usual address.
const USUAL: [(&str, Api, &str); 4] = [
    ("ollama", Api::Ollama, "http://127.0.0.1:11434"),
    ("lmstudio", Api::Chat, "http://127.0.0.1:1234/v1"),
    ("llamacpp", Api::Chat, "http://127.0.0.1:8080/v1"),
    ("vllm", Api::Chat, "http://127.0.0.1:8000/v1"),
];

/// A server on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopbackServer {
    /// What it is; the part of a model's name before the slash.
    pub word: &'static str,
    /// How it is spoken to.
    pub api: Api,
    /// Its address as a model's configuration would have it.
    pub base_url: String,
}

impl Resolved {
    /// Returns the servers that models may be found on, four at most.
    pub fn loopback_servers(&self) -> Vec<LoopbackServer> {
        servers(&self.models)
    }

    /// Returns the model that a name such as `ollama/NAME` stands for; `None` for any other name.
    pub fn loopback_model(&self, name: &str) -> Option<Model> {
        find(name, &self.models)
    }
}

impl Model {
    /// Whether nobody wrote it down: its name alone says what it is.
    pub fn is_found(&self) -> bool {
        self.origin == ORIGIN
    }

    /// Takes a window of this size; the longest answer leaves room for the question.
    pub fn with_context(mut self, context: TokenCount) -> Self {
        self.output = OUTPUT.min(TokenCount((context.0 / 4).max(1)));
        self.context = context;
        self
    }

    /// Takes images, or does not, as its server says.
    pub fn with_images(self, images: Option<bool>) -> Self {
        Self {
            images: images.unwrap_or(self.images),
            ..self
        }
    }

    /// Returns the host and port of its server; nothing that stands before an `@`.
    pub fn host(&self) -> &str {
        crate::model::host_and_port(&self.base_url)
    }
}

/// Whether a name needs no definition: the word of a server, a slash, and the server's id of a model.
pub(crate) fn is_name(name: &str) -> bool {
    name.split_once('/').is_some_and(|(word, id)| {
        let is_id = !id.trim().is_empty() && id.len() <= 256 && !id.contains(char::is_control);
        is_id && USUAL.iter().any(|(known, ..)| *known == word)
    })
}

/// Returns the model that a name stands for, whether or not it is there.
pub(crate) fn find(name: &str, models: &BTreeMap<String, Model>) -> Option<Model> {
    let (word, id) = name.split_once('/').filter(|_| is_name(name))?;
    let server = servers(models)
        .into_iter()
        .find(|server| server.word == word)?;
    let model = Model {
        name: name.to_owned(),
        api: server.api,
        server: (server.api == Api::Chat).then_some(server.word),
        base_url: server.base_url,
        id: id.to_owned(),
        key: None,
        context: LOOPBACK_CONTEXT,
        output: OUTPUT,
        images: false,
        effort: None,
        price: Some(Price::default()),
        beyond: None,
        price_origin: LOCAL.to_owned(),
        local: true,
        origin: ORIGIN.to_owned(),
    };
    Some(model.with_context(LOOPBACK_CONTEXT))
}

/// A person's model on this machine that names its server says where that server answers.
fn servers(models: &BTreeMap<String, Model>) -> Vec<LoopbackServer> {
    let own = |word: &str, api: Api| {
        let mut written = models.values().filter(|model| {
            let says = match api {
                Api::Ollama => model.api == Api::Ollama,
                _ => model.server == Some(word),
            };
            says && model.local && model.key.is_none() && !model.is_found()
        });
        written.next().map(|model| model.base_url.clone())
    };
    USUAL
        .iter()
        .map(|&(word, api, usual)| LoopbackServer {
            word,
            api,
            base_url: own(word, api).unwrap_or_else(|| usual.to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConfigFile, Overrides, parse_user, resolve};

    fn resolved(user: &str, model: Option<&str>) -> Result<Resolved, crate::ConfigError> {
        let file = ConfigFile::from_bytes("config.toml", user.as_bytes()).unwrap();
        let user = parse_user(file).unwrap();
        let flags = Overrides {
            model: model.map(str::to_owned),
            ..Overrides::default()
        };
        resolve(None, &user, &Overrides::default(), &flags)
    }

    #[test]
    fn a_name_with_a_servers_word_is_a_model_that_costs_nothing() {
        for (name, api, base_url) in [
            ("ollama/qwen3:8b", Api::Ollama, "http://127.0.0.1:11434"),
            ("lmstudio/a/b", Api::Chat, "http://127.0.0.1:1234/v1"),
            ("llamacpp/x.gguf", Api::Chat, "http://127.0.0.1:8080/v1"),
            ("vllm/org/x", Api::Chat, "http://127.0.0.1:8000/v1"),
        ] {
            let resolved = resolved("", Some(name)).unwrap();
            let model = resolved.start_model(&|_| false).unwrap();
            assert_eq!((model.api, model.base_url.as_str()), (api, base_url));
            assert_eq!(model.id, name.split_once('/').unwrap().1);
            assert_eq!((model.price, &model.key), (Some(Price::default()), &None));
            assert!(model.output < model.context && model.is_found());
        }
        for other in [
            "ollama",
            "ollama/",
            "ollama/ ",
            "groq/x",
            "/x",
            "ollama/a\nb",
        ] {
            assert!(resolved("", Some(other)).is_err(), "{other}");
        }
    }

    #[test]
    fn a_persons_own_server_says_where_its_word_leads() {
        let own = "[model.mine]\napi = \"chat\"\nid = \"x\"\nserver = \"vllm\"\nbase_url = \"http://localhost:9000/v1\"\n";
        let found = resolved(own, Some("vllm/y")).unwrap();
        let model = found.start_model(&|_| false).unwrap();
        assert_eq!(model.base_url, "http://localhost:9000/v1");
        assert_eq!(model.host(), "localhost:9000");
        let far = own.replace("localhost", "192.0.2.1");
        let found = resolved(&far, Some("vllm/y")).unwrap();
        let model = found.start_model(&|_| false).unwrap();
        assert_eq!(model.base_url, "http://127.0.0.1:8000/v1");
    }

    #[test]
    fn the_users_file_may_choose_one() {
        let found = resolved(
            "[agent]\nmodel = \"ollama/a\"\nfallback = [\"vllm/b\"]",
            None,
        )
        .unwrap();
        assert_eq!(found.start_model(&|_| false).unwrap().id, "a");
        assert_eq!(found.find_model("vllm/b").unwrap().id, "b");
    }
}
