//! Private keys in PEM: `-----BEGIN ... PRIVATE KEY-----`, lines of base64, an end.
//!
//! Kept output has a head and a tail, so a key may be cut: what looks like its
//! lines counts without the end. A header alone is no secret; source code that
//! handles keys is full of them.

use std::ops::Range;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// The longest label looked at, such as `ENCRYPTED PRIVATE KEY`.
const LABEL_BYTES_MAX: usize = 40;
/// A run of base64 of this length is a line of a key and not a word.
const LINE_BYTES_MIN: usize = 32;
/// Headers of an old encrypted key have fewer words than this, each shorter than a label.
const HEADER_WORDS_MAX: usize = 8;
/// A key ends with a short line and perhaps a checksum.
const SHORT_LINES_MAX: usize = 2;

/// Finds a private key that begins at `at`, header and end included.
pub(super) fn private_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let mut next = at + marker(&bytes[at..], BEGIN)?;
    let mut end = None;
    let mut header_words = 0;
    let mut short_lines = 0;
    loop {
        next += separators(&bytes[next..]);
        let rest = &bytes[next..];
        if let Some(length) = marker(rest, END) {
            return end.map(|_| at..next + length);
        }
        let word = rest.iter().take_while(|byte| is_base64(**byte)).count();
        if word >= LINE_BYTES_MIN {
            end = Some(next + word);
        } else if end.is_some() && word > 0 && short_lines < SHORT_LINES_MAX {
            short_lines += 1;
            end = Some(next + word);
        } else if end.is_none() && header_words < HEADER_WORDS_MAX {
            header_words += 1;
            next += header_word(rest)?;
            continue;
        } else {
            return end.map(|end| at..end);
        }
        next += word;
    }
}

/// Returns the length of the marker of a private key that `bytes` begin with.
fn marker(bytes: &[u8], begin: &[u8]) -> Option<usize> {
    let label = bytes.strip_prefix(begin)?;
    let label = &label[..label.len().min(LABEL_BYTES_MAX)];
    let length = label
        .iter()
        .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b' ')
        .count();
    let is_private = [&b"PRIVATE KEY"[..], b"PRIVATE KEY BLOCK"]
        .iter()
        .any(|ending| label[..length].ends_with(ending));
    let closed = bytes[begin.len() + length..].starts_with(DASHES);
    (is_private && closed).then_some(begin.len() + length + DASHES.len())
}

/// Returns how many bytes of white space come first, written out or as escapes of quoted text.
fn separators(bytes: &[u8]) -> usize {
    let mut length = 0;
    loop {
        match bytes[length..] {
            [b'\\', b'n' | b'r' | b't', ..] => length += 2,
            [byte, ..] if byte.is_ascii_whitespace() => length += 1,
            _ => return length,
        }
    }
}

/// Returns the length of a word before the key itself; `None` where none can stand.
fn header_word(bytes: &[u8]) -> Option<usize> {
    let length = bytes
        .iter()
        .take(LABEL_BYTES_MAX + 1)
        .take_while(|byte| {
            is_base64(**byte) || matches!(byte, b':' | b',' | b'-' | b'.' | b'(' | b')')
        })
        .count();
    let is_word = (1..=LABEL_BYTES_MAX).contains(&length) && !bytes.starts_with(DASHES);
    is_word.then_some(length)
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use crate::redact;

    const LINE: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected);
    }

    #[test]
    fn a_whole_key_goes_with_header_and_end() {
        for label in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
            check(
                &format!(
                    "a\n-----BEGIN {label}PRIVATE KEY-----\n{LINE}\n{LINE}\nMIIE==\n-----END {label}PRIVATE KEY-----\nb"
                ),
                "a\n[redacted:private-key]\nb",
            );
        }
    }

    #[test]
    fn a_key_in_quoted_text_goes() {
        check(
            &format!(
                r#"{{"key":"-----BEGIN PRIVATE KEY-----\n{LINE}\nabc=\n-----END PRIVATE KEY-----\n"}}"#
            ),
            r#"{"key":"[redacted:private-key]\n"}"#,
        );
    }

    #[test]
    fn an_old_encrypted_key_goes_with_its_headers() {
        check(
            &format!(
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123\n\n{LINE}\n-----END RSA PRIVATE KEY-----"
            ),
            "[redacted:private-key]",
        );
    }

    #[test]
    fn a_key_that_is_cut_goes_as_far_as_it_is_there() {
        check(
            &format!("-----BEGIN PRIVATE KEY-----\n{LINE}\n{LINE}"),
            "[redacted:private-key]",
        );
        check(
            &format!("-----BEGIN PRIVATE KEY-----\n{LINE}\n[900 bytes left out]\n"),
            "[redacted:private-key]\n[900 bytes left out]\n",
        );
    }

    #[test]
    fn markers_without_a_key_stay() {
        for text in [
            "-----BEGIN PRIVATE KEY-----",
            "const A: &str = \"-----BEGIN PRIVATE KEY-----\"; const B: &str = \"-----END PRIVATE KEY-----\";",
            "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
            "-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PUBLIC KEY-----",
        ] {
            check(text, text);
        }
    }
}
