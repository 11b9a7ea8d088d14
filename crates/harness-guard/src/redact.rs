//! Secrets in text that is kept or shown: found by their shape, replaced by a word.
//!
//! Only shapes that issuers made recognisable are known, so this is a net with
//! holes: it keeps a leaked key out of a log, and is no reason to print one.
//! Whoever writes foreign text into a log or a report calls it first. The time it
//! takes grows with the length of the text and not faster.

mod guess;
mod private_key;

use std::{borrow::Cow, ops::Range};

pub use self::guess::seems_secret;
use self::private_key::private_key;

/// Replaces every token of a known shape by `[redacted:kind]`.
///
/// Text without one is given back as it is, and redacted text stays the same when
/// redacted again. Known: keys of Anthropic, `OpenAI`, Google and AWS, tokens of
/// GitHub, GitLab and Slack, bearer tokens, and private keys in PEM, whole or cut.
pub fn redact(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut redacted = String::new();
    let mut kept = 0;
    let mut at = 0;
    while at < bytes.len() {
        let Some((secret, kind)) = secret(bytes, at) else {
            at += 1;
            continue;
        };
        // Secrets begin and end beside ASCII, so both ends are borders of characters.
        redacted.push_str(&text[kept..secret.start]);
        redacted.push_str("[redacted:");
        redacted.push_str(kind);
        redacted.push(']');
        kept = secret.end;
        at = secret.end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    redacted.push_str(&text[kept..]);
    Cow::Owned(redacted)
}

/// A token that begins with a fixed text.
struct Shape {
    prefix: &'static [u8],
    kind: &'static str,
    /// Bytes that may follow the prefix.
    alphabet: fn(u8) -> bool,
    /// The least number of bytes after the prefix.
    least: usize,
    /// The greatest number of bytes after the prefix.
    most: usize,
    /// Whether no word may run into the prefix.
    begins_word: bool,
    /// Whether a digit must be among the bytes.
    has_digit: bool,
}

impl Shape {
    const fn new(
        prefix: &'static str,
        kind: &'static str,
        alphabet: fn(u8) -> bool,
        least: usize,
    ) -> Self {
        Self {
            prefix: prefix.as_bytes(),
            kind,
            alphabet,
            least,
            most: usize::MAX,
            begins_word: false,
            has_digit: false,
        }
    }

    const fn at_word(self) -> Self {
        Self {
            begins_word: true,
            ..self
        }
    }

    const fn with_digit(self) -> Self {
        Self {
            has_digit: true,
            ..self
        }
    }

    const fn no_longer(self) -> Self {
        Self {
            most: self.least,
            ..self
        }
    }

    fn find(&self, bytes: &[u8], at: usize) -> Option<Range<usize>> {
        if !bytes[at..].starts_with(self.prefix) || (self.begins_word && !begins_word(bytes, at)) {
            return None;
        }
        let token = run(&bytes[at + self.prefix.len()..], self.alphabet);
        let fits = (self.least..=self.most).contains(&token.len())
            && (!self.has_digit || token.iter().any(u8::is_ascii_digit));
        fits.then(|| at..at + self.prefix.len() + token.len())
    }
}

/// Longer prefixes stand before those they begin with.
const SHAPES: &[Shape] = &[
    Shape::new("sk-ant-", "anthropic-key", is_token, 20),
    Shape::new("sk-", "openai-key", is_token, 20)
        .at_word()
        .with_digit(),
    Shape::new("github_pat_", "github-token", is_token, 22),
    Shape::new("ghp_", "github-token", is_alphanumeric, 20),
    Shape::new("gho_", "github-token", is_alphanumeric, 20),
    Shape::new("ghu_", "github-token", is_alphanumeric, 20),
    Shape::new("ghs_", "github-token", is_alphanumeric, 20),
    Shape::new("ghr_", "github-token", is_alphanumeric, 20),
    Shape::new("glpat-", "gitlab-token", is_token, 20),
    Shape::new("xoxa-", "slack-token", is_token, 10),
    Shape::new("xoxb-", "slack-token", is_token, 10),
    Shape::new("xoxp-", "slack-token", is_token, 10),
    Shape::new("xoxr-", "slack-token", is_token, 10),
    Shape::new("xoxs-", "slack-token", is_token, 10),
    Shape::new("AIza", "google-key", is_token, 35).at_word(),
    Shape::new("AKIA", "aws-key-id", is_upper, 16)
        .at_word()
        .no_longer(),
    Shape::new("ASIA", "aws-key-id", is_upper, 16)
        .at_word()
        .no_longer(),
];

const BEARER: &[u8] = b"bearer ";
/// Shorter ones are words: `Bearer authentication`.
const BEARER_TOKEN_BYTES_MIN: usize = 16;

fn secret(bytes: &[u8], at: usize) -> Option<(Range<usize>, &'static str)> {
    match bytes[at] {
        b'-' => private_key(bytes, at).map(|found| (found, "private-key")),
        b'b' | b'B' => bearer(bytes, at).map(|found| (found, "bearer-token")),
        b's' | b'g' | b'x' | b'A' => SHAPES
            .iter()
            .find_map(|shape| shape.find(bytes, at).map(|found| (found, shape.kind))),
        _ => None,
    }
}

/// Finds the token after the word `Bearer`, which itself is kept.
fn bearer(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let word = bytes.get(at..at + BEARER.len())?;
    if !word.eq_ignore_ascii_case(BEARER) || !begins_word(bytes, at) {
        return None;
    }
    let start = at + BEARER.len();
    let token = run(&bytes[start..], is_bearer);
    let fits = token.len() >= BEARER_TOKEN_BYTES_MIN && token.iter().any(u8::is_ascii_digit);
    fits.then(|| start..start + token.len())
}

/// Whether a word begins at `at`; an escape such as `\n` of quoted text is no part of it.
fn begins_word(bytes: &[u8], at: usize) -> bool {
    match bytes[..at] {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., before] => !is_token(before),
        [] => true,
    }
}

fn run(bytes: &[u8], alphabet: fn(u8) -> bool) -> &[u8] {
    let length = bytes.iter().take_while(|byte| alphabet(**byte)).count();
    &bytes[..length]
}

const fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

const fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

const fn is_bearer(byte: u8) -> bool {
    is_token(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected);
    }

    /// Makes a body of that many characters that looks drawn at random.
    fn body(length: usize) -> String {
        "aB3dE5fG7hJ9kL1mN".chars().cycle().take(length).collect()
    }

    #[test]
    fn known_tokens_become_their_kind() {
        for (prefix, length, kind) in [
            ("sk-ant-api03-", 60, "anthropic-key"),
            ("sk-proj-", 60, "openai-key"),
            ("sk-", 48, "openai-key"),
            ("ghp_", 36, "github-token"),
            ("ghs_", 36, "github-token"),
            ("github_pat_", 82, "github-token"),
            ("glpat-", 20, "gitlab-token"),
            ("xoxb-", 40, "slack-token"),
            ("AIza", 35, "google-key"),
        ] {
            let token = format!("{prefix}{}", body(length));
            check(&token, &format!("[redacted:{kind}]"));
            check(
                &format!("é key=\"{token}\"; ü"),
                &format!("é key=\"[redacted:{kind}]\"; ü"),
            );
            check(
                &format!("{{\"a\":\"x\\n{token}\"}}"),
                &format!("{{\"a\":\"x\\n[redacted:{kind}]\"}}"),
            );
        }
        check("id AKIAABCDEFGH23456XYZ.", "id [redacted:aws-key-id].");
    }

    #[test]
    fn bearer_tokens_go_and_the_word_stays() {
        check(
            "Authorization: Bearer abc.def-123_456~7+8/9==\n",
            "Authorization: Bearer [redacted:bearer-token]\n",
        );
        check(
            "-H 'authorization: bearer eyJhbGciOiJIUzI1NiJ9.e30'",
            "-H 'authorization: bearer [redacted:bearer-token]'",
        );
        check(
            "Bearer authentication-is-required",
            "Bearer authentication-is-required",
        );
        check(
            "a forbearer 1234567890123456",
            "a forbearer 1234567890123456",
        );
    }

    #[test]
    fn ordinary_text_is_given_back_as_it_is() {
        for text in [
            "",
            "task-management-for-2024-and-much-later",
            "sk-circle-fade-dot-animation-long",
            "sk-short1",
            "ghp_short",
            "AKIAABCDEFGH23456XYZ7",
            "XAKIAABCDEFGH23456XYZ",
            "AIza-short",
            "-----BEGIN CERTIFICATE-----",
            "日本語 sk- ghp_ xoxb- -----",
        ] {
            assert!(
                matches!(redact(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn several_secrets_in_one_text_all_go() {
        let text = format!("a ghp_{0} b ghp_{0},sk-{0}", body(36));
        check(
            &text,
            "a [redacted:github-token] b [redacted:github-token],[redacted:openai-key]",
        );
    }

    proptest! {
        #[test]
        fn any_text_is_redacted_once_and_for_all(
            parts in prop::collection::vec(
                prop_oneof![
                    "\\PC{0,12}",
                    "[A-Za-z0-9_-]{0,40}",
                    prop::sample::select(vec![
                        "sk-", "sk-ant-", "ghp_", "github_pat_", "AKIA", "AIza", "xoxb-", "glpat-", "Bearer ", " ", "\n",
                        "\\n", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----BEGIN ", "-----",
                    ]).prop_map(str::to_owned),
                ],
                0..16,
            ),
        ) {
            let text = parts.concat();
            let once = redact(&text).into_owned();
            prop_assert_eq!(redact(&once), once.as_str());
        }
    }
}
