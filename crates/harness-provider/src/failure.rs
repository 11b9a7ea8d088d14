//! Failures put into classes: what a server says, by status, header and text.
//!
//! Whether and when to try again is the engine's decision; this module only
//! says what kind of failure it is and how long the server asks to wait.

mod delay;
mod texts;

use std::time::{Duration, SystemTime};

use harness_core::{FailureClass, ModelFailure, Timestamp};
use serde_json::Value;

use crate::Api;

pub(crate) use delay::whole as whole_time;

/// Bound of a failure's message.
const MESSAGE_BYTES_MAX: usize = 2048;

/// What Anthropic says where thinking does not fit the conversation it comes back in, in lower case.
///
/// Source: <https://platform.claude.com/docs/en/build-with-claude/preserved-thinking/fix-bound-to-a-different-conversation>.
const UNFIT_THINKING: [&str; 2] = [
    "invalid `signature` in `thinking` block",
    "blocks in the latest assistant message cannot be modified",
];

/// Whether a server refused a conversation for what the model had thought in it: without that it would not.
pub fn is_about_thinking(failure: &ModelFailure) -> bool {
    let said = failure.message.to_lowercase();
    failure.status == Some(400) && UNFIT_THINKING.iter().any(|words| said.contains(words))
}

/// Puts a response whose status is not 200 into a class.
///
/// `header` returns a header by its lower-case name; `body` is what came of the
/// body, any bytes; `now` is what a `retry-after` date is compared with.
pub fn failure_of_status<'h>(
    api: Api,
    status: u16,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    now: Timestamp,
) -> ModelFailure {
    let said = said_in_body(body);
    let class = delay::class_of_limit(status, &said.message)
        .or_else(|| texts::class_of(&said.texts(), status != 429))
        .or_else(|| class_of_empty(api, status, body))
        .unwrap_or_else(|| class_of_status(status));
    let class = match header("x-should-retry").and_then(yes_or_no) {
        Some(false) if status == 429 => FailureClass::Quota,
        Some(false) if class.is_retryable() => FailureClass::Invalid,
        Some(true) if class == FailureClass::Invalid => FailureClass::Overloaded,
        _ => class,
    };
    let mut failure = ModelFailure {
        class,
        message: sentence(&format!("the server answered {status}"), &said, class),
        status: Some(status),
        retry_after_ms: retry_after(header, now)
            .or_else(|| delay::in_text(class, &said.message))
            .map(millis),
    };
    if is_about_thinking(&failure) {
        failure.class = FailureClass::Broken;
    }
    failure
}

/// Puts an error that a server reports inside a stream into a class.
///
/// One that says nothing known counts as the server's own trouble: the request
/// had been accepted.
pub(crate) fn failure_of_event(error: &Value) -> ModelFailure {
    let said = said_in_error(error);
    let status = [&error["code"], &error["status"]]
        .into_iter()
        .find_map(|code| {
            code.as_u64()
                .or_else(|| code.as_str().and_then(|text| text.parse().ok()))
        })
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code));
    let class = texts::class_of(&said.texts(), status != Some(429))
        .or_else(|| status.map(class_of_status))
        .or_else(|| texts::class_of_kind(&said.kinds))
        .unwrap_or(FailureClass::Overloaded);
    ModelFailure {
        class,
        message: sentence("the server reported an error", &said, class),
        status: None,
        retry_after_ms: delay::in_text(class, &said.message).map(millis),
    }
}

/// Makes the failure of a body that is one JSON text where a stream of events was asked for; none
/// when it is anything else.
pub(crate) fn failure_of_body(body: &[u8]) -> Option<ModelFailure> {
    let body = match serde_json::from_slice(body).ok()? {
        Value::Array(items) => items.into_iter().next()?,
        body => body,
    };
    if !body.is_object() {
        return None;
    }
    if !body["error"].is_null() {
        return Some(failure_of_event(&body["error"]));
    }
    // A server that gives its answers so does it every time; anything else may be a passing word of a proxy.
    let is_answer = ["choices", "content", "output", "candidates"]
        .iter()
        .any(|key| body[*key].is_array());
    let class = match is_answer {
        true => FailureClass::Invalid,
        false => FailureClass::Broken,
    };
    let opening = "the server answered with one JSON text and not with a stream of events";
    Some(ModelFailure {
        class,
        message: sentence(opening, &said_in_object(&body), class),
        status: None,
        retry_after_ms: None,
    })
}

/// Returns the failure that a finish reason stands for, none when it is an ordinary end.
pub(crate) fn failure_of_finish(reason: &str) -> Option<ModelFailure> {
    let class = match reason {
        "error" | "abort" | "load" | "unload" => FailureClass::Broken,
        "insufficient_system_resource" => FailureClass::Overloaded,
        _ => return None,
    };
    Some(ModelFailure {
        class,
        message: format!("the server ended the answer with `{reason}`"),
        status: None,
        retry_after_ms: None,
    })
}

/// Makes the failure of a stream that is not what the wire promises.
pub(crate) fn broken(message: &str) -> ModelFailure {
    ModelFailure {
        class: FailureClass::Broken,
        message: message.to_owned(),
        status: None,
        retry_after_ms: None,
    }
}

/// What a server said about a failure.
#[derive(Default)]
struct Said {
    /// Its words for the kind, such as `overloaded_error`.
    kinds: Vec<String>,
    /// Its sentence for people.
    message: String,
}

impl Said {
    fn texts(&self) -> String {
        format!("{} {}", self.kinds.join(" "), self.message).to_lowercase()
    }
}

fn said_in_body(body: &[u8]) -> Said {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Array(items)) => items.first().map(said_in_object).unwrap_or_default(),
        Ok(value) => said_in_object(&value),
        // A page of a proxy says nothing that its status does not say.
        Err(_) if text.trim_start().starts_with('<') => Said::default(),
        Err(_) => Said {
            kinds: Vec::new(),
            message: text.into_owned(),
        },
    }
}

fn said_in_object(body: &Value) -> Said {
    match &body["error"] {
        Value::Null => said_in_error(body),
        error => said_in_error(error),
    }
}

fn said_in_error(error: &Value) -> Said {
    let kinds = [&error["type"], &error["code"], &error["status"]];
    let sentences = [error, &error["message"], &error["detail"]];
    Said {
        kinds: kinds
            .iter()
            .filter_map(|it| it.as_str())
            .map(str::to_owned)
            .collect(),
        message: sentences
            .iter()
            .find_map(|it| it.as_str())
            .unwrap_or_default()
            .to_owned(),
    }
}

const fn class_of_status(status: u16) -> FailureClass {
    match status {
        401 | 403 => FailureClass::Auth,
        402 => FailureClass::Quota,
        413 => FailureClass::ContextOverflow,
        429 => FailureClass::RateLimited,
        408 | 409 | 500.. => FailureClass::Overloaded,
        _ => FailureClass::Invalid,
    }
}

/// Some compatible servers refuse a prompt that is too long with 400 and no body.
fn class_of_empty(api: Api, status: u16, body: &[u8]) -> Option<FailureClass> {
    (api == Api::Chat && status == 400 && body.trim_ascii().is_empty())
        .then_some(FailureClass::ContextOverflow)
}

fn yes_or_no(word: &str) -> Option<bool> {
    let is = |known: &str| word.trim().eq_ignore_ascii_case(known);
    is("true").then_some(true).or(is("false").then_some(false))
}

/// A wait without end is as good as a very long one.
fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

fn retry_after<'h>(header: impl Fn(&str) -> Option<&'h str>, now: Timestamp) -> Option<Duration> {
    let seconds = |text: &str, scale: f64| {
        let number = text.trim().parse::<f64>().ok()?;
        Duration::try_from_secs_f64(number * scale).ok()
    };
    let in_millis = || seconds(header("retry-after-ms")?, 1e-3);
    let in_seconds = || seconds(header("retry-after")?, 1.0);
    let at_date = || {
        let date = httpdate::parse_http_date(header("retry-after")?).ok()?;
        Some(
            date.duration_since(SystemTime::from(now))
                .unwrap_or_default(),
        )
    };
    in_millis().or_else(in_seconds).or_else(at_date)
}

/// Words a failure for people: one line, bounded, no key.
fn sentence(opening: &str, said: &Said, class: FailureClass) -> String {
    let detail = match said.message.trim() {
        "" => said.kinds.first().map_or("", String::as_str),
        message => message,
    };
    let mut sentence = opening.to_owned();
    if !detail.is_empty() {
        sentence.push_str(": ");
    }
    let clean = detail.split(|char: char| char.is_whitespace() || char.is_control());
    for word in clean.filter(|word| !word.is_empty()) {
        if sentence.len() + word.len() >= MESSAGE_BYTES_MAX {
            sentence.push('…');
            break;
        }
        if !sentence.ends_with(' ') {
            sentence.push(' ');
        }
        push_without_keys(&mut sentence, word, class);
    }
    sentence
}

/// Servers quote the key they refuse; some quote all of it.
fn push_without_keys(sentence: &mut String, word: &str, class: FailureClass) {
    let is_key_char = |char: char| char.is_ascii_alphanumeric() || "-_*".contains(char);
    for piece in word.split_inclusive(|char| !is_key_char(char)) {
        let token = piece.trim_end_matches(|char| !is_key_char(char));
        if is_key(token, class) {
            sentence.push_str("[key]");
            sentence.push_str(&piece[token.len()..]);
        } else {
            sentence.push_str(piece);
        }
    }
}

fn is_key(token: &str, class: FailureClass) -> bool {
    const PREFIXES: [&str; 6] = ["sk-", "gsk_", "xai-", "hf_", "AIza", "csk-"];
    let has_prefix = PREFIXES.iter().any(|prefix| token.starts_with(prefix));
    let is_opaque = token.len() >= 20
        && token
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte == b'*');
    (has_prefix && token.len() >= 12) || (class == FailureClass::Auth && is_opaque)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(status: u16, headers: &[(&str, &str)], body: &str) -> ModelFailure {
        let header = |name: &str| {
            let found = headers.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| *value)
        };
        let now = Timestamp::from_millis(784_111_777_000);
        failure_of_status(Api::Chat, status, header, body.as_bytes(), now)
    }

    #[test]
    fn a_status_alone_has_a_class() {
        use FailureClass::{Auth, ContextOverflow, Invalid, Overloaded, Quota, RateLimited};
        for (status, class) in [
            (400, Invalid),
            (401, Auth),
            (402, Quota),
            (403, Auth),
            (404, Invalid),
            (408, Overloaded),
            (409, Overloaded),
            (413, ContextOverflow),
            (422, Invalid),
            (429, RateLimited),
            (500, Overloaded),
            (502, Overloaded),
            (503, Overloaded),
            (504, Overloaded),
            (529, Overloaded),
        ] {
            let failure = check(status, &[], "<html>nothing</html>");
            assert_eq!(failure.class, class, "{status}");
            assert_eq!(failure.status, Some(status));
            assert_eq!(failure.message, format!("the server answered {status}"));
        }
        assert_eq!(check(400, &[], "").class, ContextOverflow);
    }

    #[test]
    fn what_the_server_says_goes_before_its_status() {
        use FailureClass::{
            Auth, Broken, ContextOverflow, Invalid, Overloaded, Quota, RateLimited,
        };
        for (status, body, class) in [
            (
                400,
                r#"{"error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
                Quota,
            ),
            (
                400,
                r#"{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
                ContextOverflow,
            ),
            (
                400,
                r#"{"error":{"code":"context_length_exceeded","message":"too big"}}"#,
                ContextOverflow,
            ),
            (
                500,
                r#"{"error":"input exceeds the available context size"}"#,
                ContextOverflow,
            ),
            (
                429,
                r#"{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}"#,
                Quota,
            ),
            (
                429,
                r#"{"error":{"message":"Too many tokens per minute, limit is 10000"}}"#,
                RateLimited,
            ),
            (
                401,
                r#"{"error":{"type":"invalid_request_error","code":"invalid_api_key"}}"#,
                Auth,
            ),
            (
                503,
                r#"[{"error":{"code":503,"status":"UNAVAILABLE"}}]"#,
                Overloaded,
            ),
            (422, r#"{"detail":"field required"}"#, Invalid),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation."}}"#,
                Broken,
            ),
            (
                400,
                r#"{"error":{"message":"`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified."}}"#,
                Broken,
            ),
        ] {
            assert_eq!(check(status, &[], body).class, class, "{body}");
        }
    }

    #[test]
    fn an_error_inside_a_stream_is_classified_by_its_words() {
        use FailureClass::{Auth, ContextOverflow, Invalid, Overloaded, Quota, RateLimited};
        for (error, class) in [
            (
                r#"{"type":"overloaded_error","message":"Overloaded"}"#,
                Overloaded,
            ),
            (r#"{"type":"api_error","message":"Internal"}"#, Overloaded),
            (r#"{"type":"rate_limit_error"}"#, RateLimited),
            (r#"{"type":"authentication_error"}"#, Auth),
            (r#"{"type":"billing_error"}"#, Quota),
            (r#"{"type":"request_too_large"}"#, ContextOverflow),
            (r#"{"type":"invalid_request_error"}"#, Invalid),
            (r#"{"code":502,"message":"upstream"}"#, Overloaded),
            (r#"{"code":"429","message":"slow down"}"#, RateLimited),
            (r#"{"code":400,"type":"invalid_request_error"}"#, Invalid),
            (r#""something else""#, Overloaded),
        ] {
            let failure = failure_of_event(&serde_json::from_str(error).unwrap());
            assert_eq!(failure.class, class, "{error}");
            assert_eq!(failure.status, None);
        }
    }

    #[test]
    fn the_wait_is_read_from_whichever_header_is_there() {
        for (headers, wait) in [
            (
                &[("retry-after-ms", "350"), ("retry-after", "9")][..],
                Some(350),
            ),
            (&[("retry-after", "1.5")], Some(1500)),
            (
                &[("retry-after-ms", "soon"), ("retry-after", "2")],
                Some(2000),
            ),
            (
                &[("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")],
                Some(3000),
            ),
            (&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], Some(0)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "1e300")], None),
            (&[("retry-after", "inf")], None),
            (
                &[("retry-after-ms", "-inf"), ("retry-after", "2")],
                Some(2000),
            ),
            (&[("retry-after", "")], None),
            // Longer than a number of milliseconds can say, and not nonsense for that.
            (&[("retry-after", "99999999999999999")], Some(u64::MAX)),
            (
                &[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")],
                Some(252_618_189_022_000),
            ),
            (&[], None),
        ] {
            assert_eq!(check(429, headers, "").retry_after_ms, wait, "{headers:?}");
        }
    }

    proptest! {
        #[test]
        fn every_form_of_the_header_says_the_same(seconds in 0..4_000_u32) {
            let wait = Some(u64::from(seconds) * 1000);
            let date = SystemTime::from(Timestamp::from_millis(784_111_777_000))
                + Duration::from_secs(u64::from(seconds));
            for (name, value) in [
                ("retry-after-ms", format!("{seconds}000")),
                ("retry-after", seconds.to_string()),
                ("retry-after", format!(" {seconds}.0 ")),
                ("retry-after", httpdate::fmt_http_date(date)),
            ] {
                prop_assert_eq!(check(429, &[(name, &value)], "").retry_after_ms, wait, "{}", value);
            }
        }

        #[test]
        fn no_header_does_harm(value in "\\PC{0,40}") {
            for name in ["retry-after", "retry-after-ms", "x-should-retry"] {
                check(429, &[(name, &value)], "");
            }
        }
    }

    #[test]
    fn the_server_may_say_itself_whether_to_retry() {
        use FailureClass::{Auth, Invalid, Overloaded, Quota};
        for (status, said, body, class) in [
            (500, "false", "x", Invalid),
            (429, "false", "x", Quota),
            (400, "true", "x", Overloaded),
            (400, "true", "insufficient_quota", Quota),
            (401, "true", "x", Auth),
            (500, "False", "x", Invalid),
            (400, " TRUE ", "x", Overloaded),
            (500, "no", "x", Overloaded),
        ] {
            let failure = check(status, &[("x-should-retry", said)], body);
            assert_eq!(failure.class, class, "{status} {said}");
        }
    }

    #[test]
    fn messages_are_one_bounded_line_without_keys() {
        let body =
            r#"{"error":{"message":"Bad key: sk-proj-abcdefghijkl0123.\n\u001b[31mUse another"}}"#;
        assert_eq!(
            check(401, &[], body).message,
            "the server answered 401: Bad key: [key]. [31mUse another"
        );
        let quoted = r#"{"error":{"message":"key 'abcdef0123456789abcdef' is unknown"}}"#;
        assert_eq!(
            check(401, &[], quoted).message,
            "the server answered 401: key '[key]' is unknown"
        );
        for endless in ["word ".repeat(4000), "x".repeat(8000)] {
            assert!(check(500, &[], &endless).message.len() <= MESSAGE_BYTES_MAX + 3);
        }
    }
}
