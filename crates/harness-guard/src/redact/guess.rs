//! Secrets nobody gave a shape: a literal without sense, given to something named like one.
//!
//! A guess, so it only ever asks. It wants both signs at once: a name that says
//! secret, and a quoted or bare value that is long, mixed, and as good as random.

/// What a name of a secret contains, in lower case and without separators.
const NAMES: [&str; 12] = [
    "secret",
    "password",
    "passwd",
    "apikey",
    "accesskey",
    "authkey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "accesstoken",
    "authtoken",
    "credential",
];

/// What a value contains that stands for a secret or leads to one.
const STAND_INS: [&str; 14] = [
    "example",
    "changeme",
    "change-me",
    "placeholder",
    "your",
    "dummy",
    "sample",
    "redacted",
    "xxxx",
    "1234567890",
    "abcdef",
    "test",
    "fixture",
    "localhost",
];

/// The least length of a value that could be one. Unit: bytes.
const LENGTH_MIN: usize = 20;
/// The greatest. Unit: bytes.
const LENGTH_MAX: usize = 512;
/// The least entropy of its bytes. Unit: bits for each.
const ENTROPY_MIN: f64 = 3.6;
/// How much of a line is looked at. Unit: bytes.
const LINE_MAX: usize = 4096;

/// Whether a line of a file seems to give something secret away that has no known shape.
///
/// Known shapes are [`redact`](super::redact())'s business. Reads at most the
/// first 4 KiB of the line.
pub fn seems_secret(line: &str) -> bool {
    let line = &line[..line.floor_char_boundary(LINE_MAX)];
    let Some((name, value)) = line.split_once(['=', ':']) else {
        return false;
    };
    // The last word before the sign is what gets the value.
    let name: String = name
        .rsplit(|char: char| !(char.is_ascii_alphanumeric() || "_-\"'.[]".contains(char)))
        .find(|word| !word.is_empty())
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|char| char.to_ascii_lowercase())
        .collect();
    let is_named = name == "token" || NAMES.iter().any(|known| name.contains(known));
    is_named && value_of(value).is_some_and(is_random)
}

/// Returns the literal that is assigned: the first quoted one, or a bare word that is the whole value.
fn value_of(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(['=', ':', '>', ' ', '\t']);
    for quote in ['"', '\'', '`'] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.split(quote).next();
        }
    }
    let bare = text.trim_end_matches([',', ';', ' ', '\t', '\r']);
    (!bare.contains(char::is_whitespace)).then_some(bare)
}

fn is_random(value: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-.~!@#%^&*".contains(&byte);
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let lower = value.to_ascii_lowercase();
    (LENGTH_MIN..=LENGTH_MAX).contains(&value.len())
        && value.bytes().all(is_part)
        && is_mixed
        && !STAND_INS.iter().any(|known| lower.contains(known))
        && !is_path_or_version(value)
        && entropy(value) >= ENTROPY_MIN
}

/// Whether a value is words, numbers and marks between them, as paths, calls and versions are.
fn is_path_or_version(value: &str) -> bool {
    let mut parts = value
        .split(['/', '.', '_', '-'])
        .filter(|part| !part.is_empty());
    parts.all(|part| {
        part.len() < 12
            && (part.len() < 5
                || part.bytes().all(|byte| byte.is_ascii_digit())
                || part.bytes().all(|byte| byte.is_ascii_alphabetic()))
    })
}

/// Returns the entropy of a text's bytes. Unit: bits for each.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a bounded text are far below what a float holds exactly"
)]
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = text.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0);
    shares
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_literal_with_the_name_of_a_secret_seems_secret() {
        for line in [
            "DB_PASSWORD=9fKq2LmX7vTzR4wNbY8c",
            "  \"apiKey\": \"Zx81kQpLm02VnRt7YuWc4\",",
            "const API_KEY = 'b7Gd83hsK2mQ9xLpR5tYw1Zc';",
            "secret_key: q8W2e4R6t8Y0u1I3o5P7a9S1",
            "client.setAccessToken = \"kJ82hs7Qm4Lx9Zp3Vb6N1\"",
            "token = \"0c6f4bd1e97a3358d2c1a94477be02f6\"",
            "export JWT_SECRET=\"n4T8pX2vB7cM1zK9qL5wR3yD\"",
        ] {
            assert!(seems_secret(line), "{line}");
        }
    }

    #[test]
    fn names_references_stand_ins_and_plain_values_do_not() {
        for line in [
            "let password = read_password(prompt)?;",
            "password = os.environ[\"DATABASE_PASSWORD_2024\"]",
            "api_key = \"your-api-key-goes-here-0123456\"",
            "API_KEY=changeme1234567890abcdef",
            "checksum = \"0c6f4bd1e97a3358d2c1a94477be02f60c6f4bd1e97a3358d2c1a94477be02f6\"",
            "integrity: sha512-9fKq2LmX7vTzR4wNbY8c9fKq2LmX7vTzR4wNbY8c",
            "secret_name = \"projects/main/secrets/database-v2\"",
            "password_field = \"input.form-control.password-1\"",
            "# the password: see chapter 12 of the manual for 2024",
            "token: Token,",
            "secret",
            "",
        ] {
            assert!(!seems_secret(line), "{line}");
        }
    }

    #[test]
    fn a_long_line_is_bounded_and_a_cut_character_is_no_matter() {
        assert!(!seems_secret(&format!(
            "password = {}",
            "é".repeat(100_000)
        )));
    }
}
