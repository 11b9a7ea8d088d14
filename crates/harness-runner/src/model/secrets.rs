//! What neither a recording nor a complaint must hold: keys by their value, keys by their shape,
//! headers that carry them.

use std::fmt;

use serde_json::{Map, Value};

/// What stands where a key was.
const MARKER: &[u8] = b"[redacted:key]";

/// Shorter ones are words that local servers take for a key; taking them out would spoil the bytes.
const KEY_BYTES_MIN: usize = 8;

/// Longer ones no server takes in a header.
const KEY_BYTES_MAX: usize = 64 << 10;

/// How much of an unfinished line is held back, so that a key is seen whole.
const HELD_BYTES_MAX: usize = 1 << 20;

/// Headers that carry keys, or say whose account it is.
const REMOVED: [&str; 11] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "set-cookie",
    "set-cookie2",
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
];

/// Parts of an address's query that are no secret.
const KEPT_IN_QUERY: [&str; 2] = ["alt", "api-version"];

/// The key of a model. It is not shown.
pub(super) struct Key(pub(super) String);

/// The values that must not reach the disk. They are not shown.
pub(super) struct Secrets {
    keys: Vec<Vec<u8>>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Takes keys, each in the forms it may be written in.
    pub(super) fn new(keys: &[&str]) -> Self {
        let mut forms: Vec<Vec<u8>> = keys
            .iter()
            .filter(|key| (KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&key.len()))
            .flat_map(|key| [(*key).to_owned(), in_json(key), in_address(key)])
            .map(String::into_bytes)
            .collect();
        // A key may be the beginning of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self { keys: forms }
    }

    /// Takes all secrets out of bytes.
    pub(super) fn text(&self, bytes: &[u8]) -> Vec<u8> {
        let mut clean = bytes.to_vec();
        for key in &self.keys {
            clean = without(&clean, key);
        }
        let mut kept = Vec::with_capacity(clean.len());
        for chunk in clean.utf8_chunks() {
            kept.extend_from_slice(harness_guard::redact(chunk.valid()).as_bytes());
            kept.extend_from_slice(chunk.invalid());
        }
        kept
    }

    /// Takes all secrets out of a text.
    pub(super) fn plain(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.text(text.as_bytes())).into_owned()
    }

    /// Returns headers without those that carry secrets; one that came twice has its values joined.
    pub(super) fn headers<'h>(
        &self,
        headers: impl Iterator<Item = &'h (String, String)>,
    ) -> Map<String, Value> {
        let mut kept: Map<String, Value> = Map::new();
        for (name, value) in headers.filter(|(name, _)| !is_removed(name)) {
            let value = self.plain(value);
            let joined = match kept.get(name).and_then(Value::as_str) {
                Some(before) => format!("{before}, {value}"),
                None => value,
            };
            kept.insert(name.clone(), Value::String(joined));
        }
        kept
    }

    /// Returns an address without what names or proves a person: user, password, values of the query.
    pub(super) fn address(&self, url: &str) -> String {
        let url = url.split('#').next().unwrap_or_default();
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = place.split_once("://").unwrap_or(("", place));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.rsplit('@').next().unwrap_or_default();
        let parts = query.split('&').filter(|part| !part.is_empty());
        let parts = parts.map(|part| match part.split_once('=') {
            Some((name, _)) if !KEPT_IN_QUERY.contains(&name) => format!("{name}=[removed]"),
            _ => part.to_owned(),
        });
        let parts: Vec<String> = parts.collect();
        let query = match parts.as_slice() {
            [] => String::new(),
            parts => format!("?{}", parts.join("&")),
        };
        self.plain(&format!("{scheme}://{host}{path}{query}"))
    }
}

/// Returns the path of an address, with its query.
pub(super) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// The end of a stream that is held back until a key in it would be whole.
///
/// A key has no line end in it, and neither has an event, so what is held is the
/// line that is not finished yet.
#[derive(Debug, Default)]
pub(super) struct Held(Vec<u8>);

impl Held {
    /// Takes what came and returns what can be kept.
    pub(super) fn push(&mut self, bytes: &[u8], secrets: &Secrets) -> Vec<u8> {
        let line_end = bytes.iter().rposition(|byte| *byte == b'\n');
        let before = self.0.len();
        self.0.extend_from_slice(bytes);
        let end = match line_end {
            Some(at) => before + at + 1,
            None if self.0.len() > HELD_BYTES_MAX => border(&self.0, secrets),
            None => return Vec::new(),
        };
        let rest = self.0.split_off(end);
        let whole = std::mem::replace(&mut self.0, rest);
        secrets.text(&whole)
    }

    /// Returns what is held at the end.
    pub(super) fn take(&mut self, secrets: &Secrets) -> Vec<u8> {
        secrets.text(&std::mem::take(&mut self.0))
    }
}

/// Finds where a long line can be cut without cutting a key.
fn border(line: &[u8], secrets: &Secrets) -> usize {
    // Half of it is kept back, and no key is as long as that, nor as what is looked through.
    let middle = line.len() / 2;
    let start = middle / 2;
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(byte);
    let end = line[start..middle].iter().rposition(|byte| !is_word(byte));
    let mut cut = end.map_or(middle, |at| start + at + 1);
    for key in &secrets.keys {
        let from = cut.saturating_sub(key.len() - 1);
        let across = line[from..(cut + key.len() - 1).min(line.len())]
            .windows(key.len())
            .position(|window| window == key);
        cut = across.map_or(cut, |at| from + at);
    }
    cut
}

/// Returns bytes with every occurrence of a key replaced.
fn without(bytes: &[u8], key: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = find(rest, key) {
        kept.extend_from_slice(&rest[..at]);
        kept.extend_from_slice(MARKER);
        rest = &rest[at + key.len()..];
    }
    kept.extend_from_slice(rest);
    kept
}

fn find(bytes: &[u8], key: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|byte| *byte == key[0])?;
        if bytes[at..].starts_with(key) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn is_removed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    REMOVED.contains(&name.as_str())
        || name.ends_with("-token")
        || ["secret", "apikey", "api-key", "password"]
            .iter()
            .any(|part| name.contains(part))
}

/// Returns a text as it stands inside a JSON string.
fn in_json(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Returns a text as it stands inside an address.
fn in_address(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "k/ey\"with+signs-0123456789";

    /// Plays a stream in pieces of so many bytes and returns what is kept.
    fn kept(stream: &str, step: usize) -> String {
        let secrets = Secrets::new(&[KEY]);
        let mut held = Held::default();
        let mut kept = Vec::new();
        for piece in stream.as_bytes().chunks(step) {
            kept.extend(held.push(piece, &secrets));
        }
        kept.extend(held.take(&secrets));
        String::from_utf8(kept).unwrap()
    }

    #[test]
    fn a_key_is_taken_out_wherever_the_stream_is_cut() {
        let github = format!("ghp_{}", "aB3".repeat(12));
        let stream = format!(
            "data: {KEY}\n\ndata: {{\"a\":{}}}\n\ndata: {} {github}\ndata: no end {KEY}",
            Value::String(KEY.to_owned()),
            in_address(KEY)
        );
        let clean = "data: [redacted:key]\n\ndata: {\"a\":\"[redacted:key]\"}\n\n\
            data: [redacted:key] [redacted:github-token]\ndata: no end [redacted:key]";
        for step in 1..stream.len() {
            assert_eq!(kept(&stream, step), clean, "{step}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_held_for_ever_and_no_key_is_cut_in_it() {
        for fill in ["x", " ", "x-"] {
            let half = fill.repeat(HELD_BYTES_MAX / 2 / fill.len() - 7);
            let stream = format!("{half}{KEY}{half}{KEY}{half}{half}");
            let kept = kept(&stream, 4096);
            assert!(!kept.contains(KEY));
            assert_eq!(kept.matches("[redacted:key]").count(), 2);
            assert_eq!(kept.len(), stream.len() - 2 * (KEY.len() - MARKER.len()));
        }
    }

    #[test]
    fn an_address_says_nothing_of_the_person() {
        let secrets = Secrets::new(&[KEY]);
        for (url, kept) in [
            (
                "https://me:word@host:1/v1/x?alt=sse&key=abc&sig=1#f",
                "https://host:1/v1/x?alt=sse&key=[removed]&sig=[removed]",
            ),
            ("http://host", "http://host"),
            (
                "http://host/k%2Fey%22with%2Bsigns-0123456789/x",
                "http://host/[redacted:key]/x",
            ),
        ] {
            assert_eq!(secrets.address(url), kept);
        }
    }

    #[test]
    fn headers_with_keys_go_and_rates_stay() {
        let names = [
            "Authorization",
            "x-api-key",
            "x-goog-api-key",
            "set-cookie",
            "x-amz-security-token",
            "x-client-secret",
            "openai-organization",
            "anthropic-ratelimit-tokens-remaining",
            "x-ratelimit-remaining-tokens",
            "retry-after",
        ];
        let headers = names.map(|name| (name.to_owned(), format!("a {KEY}")));
        let kept = Secrets::new(&[KEY]).headers(headers.iter());
        let kept: Vec<String> = kept.iter().map(|pair| format!("{pair:?}")).collect();
        assert_eq!(
            kept,
            [
                "anthropic-ratelimit-tokens-remaining",
                "x-ratelimit-remaining-tokens",
                "retry-after"
            ]
            .map(|name| format!("({name:?}, String(\"a [redacted:key]\"))"))
        );
    }

    #[test]
    fn a_word_that_stands_for_a_key_spoils_nothing() {
        assert_eq!(Secrets::new(&["ollama"]).plain("ollama"), "ollama");
    }
}
