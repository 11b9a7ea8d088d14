//! Reads what model servers say about themselves. Every field may be missing or nonsense.

use harness_core::TokenCount;
use serde_json::Value;

/// The longest id that is taken. Unit: bytes.
const ID_MAX: usize = 256;
/// A window larger than this is a mistake.
const CONTEXT_MAX: u64 = 100_000_000;

/// What a server told about one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) id: String,
    /// The size of its window.
    pub(crate) context: Option<TokenCount>,
    /// Whether it can call tools.
    pub(crate) tools: Option<bool>,
    /// Whether it takes images.
    pub(crate) images: Option<bool>,
    /// Whether it answers in words, and is not there for embeddings alone.
    talks: Option<bool>,
}

impl Told {
    /// Makes a model of which only the name is known.
    pub(super) const fn named(id: String) -> Self {
        Self {
            id,
            context: None,
            tools: None,
            images: None,
            talks: None,
        }
    }

    /// Whether it is not known to be something else than a language model.
    pub(super) fn can_talk(&self) -> bool {
        self.talks != Some(false)
    }
}

/// Reads `/api/tags` of Ollama.
pub(super) fn ollama_ids(tags: &Value, max: usize) -> Vec<String> {
    let models = array(&tags["models"]).filter_map(|model| id(&model["name"]));
    models.take(max).collect()
}

/// Reads `/api/show` of Ollama: the window stands under the name of the architecture.
pub(super) fn ollama_shown(id: &str, shown: &Value) -> Told {
    let info = shown["model_info"].as_object();
    let context = info.and_then(|info| {
        let mut named = info
            .iter()
            .filter(|(key, _)| key.ends_with(".context_length"));
        named.find_map(|(_, value)| tokens(value))
    });
    let can = |what: &str| {
        let capabilities = shown["capabilities"].as_array()?;
        Some(capabilities.iter().any(|it| it == what))
    };
    Told {
        context,
        tools: can("tools"),
        images: can("vision"),
        talks: can("completion"),
        ..Told::named(id.to_owned())
    }
}

/// Reads `/v1/models`; vLLM says `max_model_len` there.
pub(super) fn listed(list: &Value, max: usize) -> Vec<Told> {
    let models = array(&list["data"]).filter_map(|model| {
        Some(Told {
            context: tokens(&model["max_model_len"]),
            ..Told::named(id(&model["id"])?)
        })
    });
    models.take(max).collect()
}

/// Reads `/api/v0/models` of LM Studio. What is loaded has a window of its own.
pub(super) fn lm_studio(list: &Value, max: usize) -> Vec<Told> {
    let models = array(&list["data"]).filter_map(|model| {
        let can = model["capabilities"].as_array();
        Some(Told {
            context: tokens(&model["loaded_context_length"])
                .or_else(|| tokens(&model["max_context_length"])),
            tools: can.map(|can| can.iter().any(|it| it == "tool_use")),
            images: model["type"].as_str().map(|kind| kind == "vlm"),
            talks: model["type"].as_str().map(|kind| kind != "embeddings"),
            ..Told::named(id(&model["id"])?)
        })
    });
    models.filter(Told::can_talk).take(max).collect()
}

/// Adds what `/props` of llama.cpp says.
pub(super) fn llama_cpp(told: &mut Told, props: &Value) {
    told.context = tokens(&props["default_generation_settings"]["n_ctx"]).or(told.context);
    told.tools = props["chat_template_caps"]["supports_tool_calls"].as_bool();
    told.images = props["modalities"]["vision"].as_bool();
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn id(value: &Value) -> Option<String> {
    let id = value.as_str()?;
    let is_id = !id.trim().is_empty() && id.len() <= ID_MAX && !id.contains(char::is_control);
    is_id.then(|| id.to_owned())
}

fn tokens(value: &Value) -> Option<TokenCount> {
    let tokens = value.as_u64()?;
    (1..=CONTEXT_MAX)
        .contains(&tokens)
        .then_some(TokenCount(tokens))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ollama_names_its_models_and_shows_each() {
        let tags = json!({"models": [{"name": "qwen3:8b"}, {"name": "a\nb"}, {"name": 3}, {}, {"name": "x"}]});
        assert_eq!(ollama_ids(&tags, 9), ["qwen3:8b", "x"]);
        assert_eq!(ollama_ids(&tags, 1), ["qwen3:8b"]);
        let shown = json!({"model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40_960},
            "capabilities": ["completion", "tools"]});
        let told = ollama_shown("qwen3:8b", &shown);
        assert_eq!(
            (told.context, told.tools),
            (Some(TokenCount(40_960)), Some(true))
        );
        let embedding = json!({"capabilities": ["embedding"]});
        assert!(!ollama_shown("e", &embedding).can_talk());
        assert!(ollama_shown("e", &json!({})).can_talk());
    }

    #[test]
    fn the_others_list_their_models() {
        let list = json!({"data": [{"id": "org/x", "max_model_len": 8192}, {"id": "y", "max_model_len": -1}, {"id": ""}]});
        let told = listed(&list, 9);
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].context, Some(TokenCount(8192)));
        assert_eq!((told[1].context, told[1].tools), (None, None));
        let list = json!({"data": [
            {"id": "e", "type": "embeddings"},
            {"id": "m", "type": "llm", "max_context_length": 9, "loaded_context_length": 5, "capabilities": ["tool_use"]},
        ]});
        let told = lm_studio(&list, 9);
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].context, told[0].tools),
            (Some(TokenCount(5)), Some(true))
        );
        let mut told = Told::named("m".to_owned());
        let props = json!({"default_generation_settings": {"n_ctx": 4096}, "chat_template_caps": {"supports_tool_calls": false}});
        llama_cpp(&mut told, &props);
        assert_eq!(
            (told.context, told.tools),
            (Some(TokenCount(4096)), Some(false))
        );
    }

    #[test]
    fn nonsense_is_no_model() {
        for nonsense in [
            json!(null),
            json!([]),
            json!({"data": {}}),
            json!({"data": [[], 1, null]}),
            json!({"models": "x"}),
        ] {
            assert!(ollama_ids(&nonsense, 9).is_empty());
            assert!(listed(&nonsense, 9).is_empty());
            assert!(lm_studio(&nonsense, 9).is_empty());
            llama_cpp(&mut Told::named("m".to_owned()), &nonsense);
        }
    }
}
