//! One spelling for a JSON value, so that its hash does not depend on the order of keys.

use std::fmt::Write;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Returns the SHA-256 of the canonical form of `value`, in hexadecimal.
///
/// Canonical: keys sorted by their bytes at every depth, no white space.
pub(crate) fn value_hash(value: Value) -> String {
    sha256_hex(sorted(value).to_string().as_bytes())
}

/// Returns the SHA-256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns `bytes` in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter_and_that_of_items_does() {
        let hash = |text: &str| value_hash(serde_json::from_str(text).unwrap());
        assert_eq!(
            hash(r#"{"b": [{"y": 1, "x": 2}], "a": null}"#),
            hash(r#"{"a":null,"b":[{"x":2,"y":1}]}"#)
        );
        assert_ne!(hash("[1, 2]"), hash("[2, 1]"));
    }

    #[test]
    fn the_hash_is_plain_sha_256() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
