//! What a document is about, in one line: from its front matter, else its first words.
//!
//! Front matter is read as `key: value` lines and nothing more of YAML: three keys are
//! wanted, and a parser that knows anchors and tags would be the largest dependency of a
//! pure crate, on text that anybody may have written. What it does not understand is
//! passed over.

use crate::text::one_line;

/// How long a line about a document is. Unit: characters.
const ABOUT_CHARS_MAX: usize = 100;
/// The most lines of front matter that are read.
const FRONT_LINES_MAX: usize = 100;
/// The most lines that are looked at for a heading or a sentence.
const LINES_MAX: usize = 200;
/// How many words a heading has that says more than a name.
const WORDS_MIN: usize = 3;
/// The keys that are taken, the best first.
const KEYS: [&str; 3] = ["description", "summary", "title"];

/// Returns what a document is about, in one line; empty where nothing says it.
///
/// `text` is the document or its beginning, `title` what a map calls it: a heading that
/// says the same is passed over for the first sentence.
pub fn about(text: &str, title: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (front, body) = split(text);
    let said = KEYS.iter().find_map(|key| value(front, key));
    let found = said
        .filter(|said| !is_same(said, title))
        .or_else(|| words(body, title));
    shortened(&found.unwrap_or_default())
}

/// Splits front matter off; without a line that ends it there is none.
fn split(text: &str) -> (&str, &str) {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
        return ("", text);
    };
    let mut at = first.len();
    for line in lines.take(FRONT_LINES_MAX) {
        let end = at + line.len();
        if matches!(line.trim_end(), "---" | "...") {
            return (&text[first.len()..at], &text[end..]);
        }
        at = end;
    }
    ("", text)
}

/// Returns the value of a key at the left margin: plain, quoted, or a block below it.
fn value(front: &str, key: &str) -> Option<String> {
    let mut lines = front.lines();
    let found = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_value = value.is_empty() || value.starts_with([' ', '\t']);
        (name.eq_ignore_ascii_case(key) && is_value).then(|| value.trim())
    })?;
    let text = if found.is_empty() || found.starts_with(['>', '|']) {
        let block = lines.take_while(|line| line.starts_with([' ', '\t']) || line.is_empty());
        block.map(str::trim).collect::<Vec<_>>().join(" ")
    } else {
        unquoted(found).to_owned()
    };
    let text = one_line(&text);
    // A list or a table is no sentence.
    let is_text = !text.is_empty() && !text.starts_with(['[', '{', '&', '*', '!']);
    (is_text && !text.starts_with("- ")).then_some(text)
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = value.strip_prefix(quote);
        if let Some((inner, _)) = inner.and_then(|inner| inner.rsplit_once(quote)) {
            return inner;
        }
    }
    value.split(" #").next().unwrap_or(value).trim_end()
}

/// Returns the first heading, or the first sentence where the heading is a mere name.
fn words(body: &str, title: &str) -> Option<String> {
    let mut in_fence = false;
    let mut in_comment = false;
    let lines = body.lines().take(LINES_MAX).map(str::trim);
    let mut wanted = lines.filter(|line| {
        if line.starts_with("```") || line.starts_with("~~~") {
            in_fence = !in_fence;
            return false;
        }
        in_comment |= line.starts_with("<!--");
        let is_shown = !in_fence && !in_comment;
        in_comment &= !line.contains("-->");
        is_shown && !line.is_empty()
    });
    let mut found = String::new();
    let said = wanted.find_map(|line| {
        let (text, is_heading) = match heading(line) {
            Some(text) => (plain(text), true),
            None if is_prose(line) => (sentence(&plain(line)), false),
            None => return None,
        };
        let is_news = !text.is_empty() && !is_same(&text, title);
        // A heading of a word or two is a name; what follows says more.
        if is_news && is_heading && found.is_empty() && text.split(' ').count() < WORDS_MIN {
            found = text;
            return None;
        }
        is_news.then_some(text)
    });
    said.or(Some(found).filter(|found| !found.is_empty()))
}

fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    ((1..=6).contains(&level) && rest.starts_with([' ', '\t']))
        .then(|| rest.trim().trim_end_matches('#').trim_end())
}

/// Whether a line is text and no table, quote, list, badge, rule or markup.
fn is_prose(line: &str) -> bool {
    !line.starts_with(['|', '>', '<', '!', '=', '-', '*', '+', '#', '[', ':'])
        && line.chars().any(char::is_alphanumeric)
}

/// Returns text without the marks of Markdown; of a link what it says.
pub(crate) fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = after.split_once(')').map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    one_line(&text.replace(['`', '*', '[', ']', '\\'], ""))
}

/// Returns a text up to the end of its first sentence.
fn sentence(text: &str) -> String {
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    text[..end].to_owned()
}

fn is_same(one: &str, other: &str) -> bool {
    let bare = |text: &str| {
        let letters = text.chars().filter(|char| char.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    bare(one) == bare(other)
}

fn shortened(text: &str) -> String {
    let text = text.trim_end_matches('.');
    if text.chars().count() <= ABOUT_CHARS_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(ABOUT_CHARS_MAX - 3).collect();
    format!("{}...", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(about(text, "The title"), expected, "{text}");
    }

    #[test]
    fn front_matter_speaks_first() {
        check(
            "---\ndescription: How money is counted\n---\n# Money\n",
            "How money is counted",
        );
        check(
            "---\r\ntitle: x\r\nsummary: 'It''s short'\r\n---\r\n",
            "It''s short",
        );
        check("---\ntitle: \"A: b\" # c\n---\n", "A: b");
        check("---\nSummary: >-\n  one\n  two\nother: 1\n---\n", "one two");
        check("---\ndescription:\n  folded here\n...\n# H", "folded here");
        check("---\ntitle: The Title\n---\n# Money\n", "Money");
        check("---\nmeta:\n  description: nested\n---\n# Money\n", "Money");
        check("---\ndescription: [a, b]\ntags: x\n---\n# Money\n", "Money");
        check("\u{feff}---\ntitle: Marked\n---\n", "Marked");
    }

    #[test]
    fn else_the_first_heading_or_sentence() {
        check(
            "# The title\n\nIt counts *money*. And more.\n",
            "It counts money",
        );
        check("# Money and `cents` ##\n\nText.", "Money and cents");
        check(
            "<!-- a\n b -->\n[![x](y)](z)\n\nSee [the plan](a.md) first.\n",
            "See the plan first",
        );
        check("```\ncode\n```\n| a |\n> quote\n\nWords here", "Words here");
        check("---\nno end: here\n# Money\n", "no end: here");
        check("# harness\n\nIt runs agents. Well.\n", "It runs agents");
        check("# Money\n\n| a |\n", "Money");
        check("", "");
        check("# The title\n", "");
        check(
            &"word ".repeat(60),
            &format!("{}...", &"word ".repeat(20)[..97].trim_end()),
        );
    }

    #[test]
    fn a_line_about_a_document_stays_one_short_line() {
        check("---\ntitle: \"a\u{7}\u{2028}b\"\n---\n", "a b");
        check(&format!("---\n{}", "a: b\n".repeat(5_000)), "a: b");
    }

    proptest! {
        #[test]
        fn hostile_documents_give_one_bounded_line(
            front in "(---\n)?([a-z]{0,11}: ?[\"'>|\\[#]?.{0,40}\r?\n| .{0,20}\n|---\n){0,12}",
            body in "([#`<!\\[\\]()>*. a-z\u{fc}\n-]){0,200}",
            title in ".{0,20}",
        ) {
            let line = about(&format!("{front}{body}"), &title);
            prop_assert!(line.chars().count() <= ABOUT_CHARS_MAX);
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
