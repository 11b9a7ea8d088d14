//! Names of models taken apart: `us.anthropic.claude-opus-4-6-v1`, `openai/gpt-5.1-codex`.

/// Returns the words of a name from where `family` begins, in lower case; none where it is of another family.
///
/// `claude-opus-4-6` of `claude` gives `opus`, `4`, `6`.
pub(super) fn words(model: &str, family: &str) -> Option<Vec<String>> {
    let model = model.to_ascii_lowercase();
    let at = model.find(family)?;
    let rest = model[at + family.len()..].split(|char: char| !char.is_ascii_alphanumeric());
    Some(
        rest.filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

/// Returns the version in the words of a name: its first number and the one right behind it; a date is none.
pub(super) fn version(words: &[String]) -> Option<(u32, u32)> {
    let number = |word: &String| word.parse::<u32>().ok().filter(|_| word.len() <= 2);
    let at = words.iter().position(|word| number(word).is_some())?;
    let minor = words.get(at + 1).and_then(number).unwrap_or(0);
    Some((number(&words[at])?, minor))
}

/// Whether one of the words is this one.
pub(super) fn has(words: &[String], wanted: &str) -> bool {
    words.iter().any(|word| word == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_off_every_way_to_write_it() {
        for (model, family, expected) in [
            ("claude-opus-4-6", "claude", Some((4, 6))),
            ("anthropic/claude-opus-4.6", "claude", Some((4, 6))),
            ("us.anthropic.claude-opus-4-6-v1", "claude", Some((4, 6))),
            ("claude-sonnet-4-20250514", "claude", Some((4, 0))),
            ("claude-3-7-sonnet-20250219", "claude", Some((3, 7))),
            ("claude-sonnet-4-5@20250929", "claude", Some((4, 5))),
            ("claude-opus-5", "claude", Some((5, 0))),
            ("gemini-2.5-flash-lite", "gemini", Some((2, 5))),
            ("models/gemini-3-pro-preview", "gemini", Some((3, 0))),
            ("gemini-flash-latest", "gemini", None),
            ("GPT-5.1-codex", "gpt", Some((5, 1))),
            ("gpt-4o", "gpt", None),
        ] {
            let words = words(model, family).unwrap();
            assert_eq!(version(&words), expected, "{model}");
        }
        assert_eq!(words("qwen3", "claude"), None);
    }
}
