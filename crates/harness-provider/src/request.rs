//! One request as bytes: what is sent, where, and under which headers.
//!
//! The key is not here: the host adds it under the header this module names.

use harness_core::{Prompt, TokenCount};

use crate::{Api, anthropic, chat};

/// What a request needs beside the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestOptions {
    /// The provider's id of the model.
    pub model: String,
    /// The longest answer asked for.
    pub max_output: TokenCount,
    /// Where the server is: for [`Api::Anthropic`] without `/v1`, for [`Api::Chat`] with it.
    pub base_url: String,
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
}

/// Encodes a prompt as one streaming request.
///
/// The history is repaired on the way: see the rules of the wires for calls
/// without results, repeated ids and parts that cannot be sent back.
pub fn encode(api: Api, prompt: &Prompt, options: &RequestOptions) -> WireRequest {
    match api {
        Api::Anthropic => anthropic::encode(prompt, options),
        Api::Chat => chat::encode(prompt, options),
    }
}

/// Makes the headers that both wires send.
pub(crate) fn headers() -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "application/json".to_owned()),
        ("accept", "text/event-stream".to_owned()),
    ]
}

/// Serialises a body.
pub(crate) fn json(body: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("bodies hold only text, numbers and maps with text keys")
}

/// Returns the schema of a tool's arguments; a text that is no object allows anything.
pub(crate) fn schema(text: &str) -> serde_json::Value {
    serde_json::from_str(text)
        .ok()
        .filter(serde_json::Value::is_object)
        .unwrap_or_else(|| serde_json::json!({ "type": "object" }))
}
