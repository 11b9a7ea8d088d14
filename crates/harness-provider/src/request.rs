//! One request as bytes: what is sent, where, and under which headers.
//!
//! The key is not here: the host adds it under the header this module names.

use harness_core::{Effort, Maker, Prompt, TokenCount};
use serde::Serialize;
use serde_json::Value;

use crate::{Api, Server, anthropic, chat, gemini, ollama, responses};

/// What a request needs beside the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestOptions {
    /// The provider's id of the model.
    pub model: String,
    /// The longest answer asked for.
    pub max_output: TokenCount,
    /// The size of the window, for a server that has to be told.
    pub context: TokenCount,
    /// Where the server is: for [`Api::Chat`] and [`Api::Responses`] with `/v1`, for
    /// [`Api::Gemini`] with `/v1beta`, for the others without a version.
    pub base_url: String,
    /// What answers there, for [`Api::Chat`]; told from the address where it is not said.
    pub server: Option<Server>,
    /// Whether the model takes images; one that does not is told of them in words.
    pub images: bool,
    /// How hard the model is to think; nothing is said of it when absent. What cannot be told
    /// ([`check_effort`](crate::check_effort)) is left out.
    pub effort: Option<Effort>,
}

/// What was asked, as far as the answer is judged by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The provider's id of the model; what it made is marked with it.
    pub model: String,
    /// About how many tokens the prompt has; zero where nothing is compared with it.
    pub prompt: TokenCount,
}

/// A POST request without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// The whole address.
    pub url: String,
    /// Headers by lower-case name.
    pub headers: Vec<(&'static str, String)>,
    /// The name of the header that carries the key, and what stands before the key in it.
    pub key_header: (&'static str, &'static str),
    /// JSON; the same prompt and options give the same bytes.
    pub body: Vec<u8>,
    /// What [`Decoder::new`](crate::Decoder::new) needs to know of the question.
    pub asked: Asked,
}

/// Encodes a prompt as one streaming request.
///
/// The history is repaired on the way: see the rules of the wires for calls
/// without results, repeated ids and parts that cannot be sent back.
pub fn encode(api: Api, prompt: &Prompt, options: &RequestOptions) -> WireRequest {
    let maker = Maker {
        wire: api.as_str().to_owned(),
        model: options.model.clone(),
    };
    match api {
        Api::Anthropic => anthropic::encode(prompt, options, &maker),
        Api::Chat => chat::encode(prompt, options, &maker),
        Api::Responses => responses::encode(prompt, options, &maker),
        Api::Gemini => gemini::encode(prompt, options, &maker),
        Api::Ollama => ollama::encode(prompt, options, &maker),
    }
}

impl Asked {
    /// Says which model was asked, and nothing of the prompt's size.
    pub(crate) fn of_model(options: &RequestOptions) -> Self {
        Self {
            model: options.model.clone(),
            prompt: TokenCount::default(),
        }
    }
}

/// A tool in the words of Chat Completions, which Ollama took over.
#[derive(Serialize)]
#[serde(tag = "type", content = "function", rename_all = "snake_case")]
pub(crate) enum Tool<'a> {
    Function {
        name: &'a str,
        description: &'a str,
        parameters: Value,
    },
}

/// Returns the tools of a prompt as functions.
pub(crate) fn functions(prompt: &Prompt) -> Vec<Tool<'_>> {
    let tools = prompt.tools.iter();
    let function = |tool: &harness_core::ToolSpec| Tool::Function {
        name: tool.name,
        description: tool.description,
        parameters: schema(tool.schema),
    };
    tools.map(function).collect()
}

/// Makes the headers of a request for a stream of events.
pub(crate) fn headers() -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "application/json".to_owned()),
        ("accept", "text/event-stream".to_owned()),
    ]
}

/// Serialises a body.
pub(crate) fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("bodies hold only text, numbers and maps with text keys")
}

/// Returns an image as an address that holds it.
pub(crate) fn data_url(image: &harness_core::Image) -> String {
    format!("data:{};base64,{}", image.format.media_type(), image.data)
}

/// Returns the schema of a tool's arguments; a text that is no object allows anything.
pub(crate) fn schema(text: &str) -> Value {
    serde_json::from_str(text)
        .ok()
        .filter(Value::is_object)
        .unwrap_or_else(|| serde_json::json!({ "type": "object" }))
}
