//! Which words of a text are keywords, strings, numbers or comments, by the ending of its name.
//!
//! A light reading of lines with what is open carried over from line to line: enough for the eye
//! in a review, and no parser. Time goes with the length of the text, whatever is in it.

use std::ops::Range;

/// The longest line that is coloured. Unit: characters.
const COLUMNS_MAX: usize = 5_000;
/// The largest text that is coloured. Unit: bytes.
const TEXT_BYTES_MAX: usize = 1_000_000;

/// What a word of a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    /// Nothing special.
    #[default]
    Plain,
    /// A word of the language.
    Keyword,
    /// A string.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
}

/// Parts of a line that are something special, in order.
pub(crate) type Spans = Vec<(Range<usize>, Token)>;

/// How something in quotes begins and ends.
#[derive(Debug)]
struct Quote {
    open: &'static str,
    close: &'static str,
    /// Whether it goes on in the next line.
    is_long: bool,
    /// Whether a backslash takes the next character along.
    escapes: bool,
}

#[derive(Debug)]
struct Language {
    endings: &'static str,
    comments: &'static [&'static str],
    block: Option<(&'static str, &'static str)>,
    quotes: &'static [Quote],
    /// Whether `'x'` is one character, and a quote alone is none.
    has_chars: bool,
    keywords: &'static str,
}

const fn quote(open: &'static str, close: &'static str, is_long: bool, escapes: bool) -> Quote {
    Quote {
        open,
        close,
        is_long,
        escapes,
    }
}

const DOUBLE: Quote = quote("\"", "\"", false, true);
const SINGLE: Quote = quote("'", "'", false, true);
const C_BLOCK: Option<(&str, &str)> = Some(("/*", "*/"));

const LANGUAGES: &[Language] = &[
    Language {
        endings: "rs",
        comments: &["//"],
        block: C_BLOCK,
        quotes: &[
            quote("r##\"", "\"##", true, false),
            quote("r#\"", "\"#", true, false),
            quote("r\"", "\"", true, false),
            quote("\"", "\"", true, true),
        ],
        has_chars: true,
        keywords: "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while",
    },
    Language {
        endings: "c h cc cpp cxx hpp hh java cs kt kts swift scala dart zig m mm",
        comments: &["//"],
        block: C_BLOCK,
        quotes: &[quote("\"\"\"", "\"\"\"", true, false), DOUBLE],
        has_chars: true,
        keywords: "abstract auto bool boolean break case catch char class const constexpr continue data default defer delete do double else enum explicit extends extern false final finally float for foreach fun func goto guard if implements import in inline int interface internal is let long namespace new nil null nullptr object operator override package private protected public return sealed short signed sizeof static struct super switch template this throw throws true try typedef typename union unsigned using val var virtual void volatile when while",
    },
    Language {
        endings: "go",
        comments: &["//"],
        block: C_BLOCK,
        quotes: &[quote("`", "`", true, false), DOUBLE],
        has_chars: true,
        keywords: "break case chan const continue default defer else fallthrough false for func go goto if import interface iota map nil package range return select struct switch true type var",
    },
    Language {
        endings: "js jsx mjs cjs ts tsx mts cts vue svelte",
        comments: &["//"],
        block: C_BLOCK,
        quotes: &[quote("`", "`", true, true), DOUBLE, SINGLE],
        has_chars: false,
        keywords: "abstract any as async await boolean break case catch class const continue declare default delete do else enum export extends false finally for from function get if implements import in instanceof interface keyof let namespace never new null number of private protected public readonly return set static string super switch this throw true try type typeof undefined unknown var void while yield",
    },
    Language {
        endings: "py pyi",
        comments: &["#"],
        block: None,
        quotes: &[
            quote("\"\"\"", "\"\"\"", true, true),
            quote("'''", "'''", true, true),
            DOUBLE,
            SINGLE,
        ],
        has_chars: false,
        keywords: "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield",
    },
    Language {
        endings: "sh bash zsh fish mk Makefile Dockerfile",
        comments: &["#"],
        block: None,
        quotes: &[quote("\"", "\"", true, true), quote("'", "'", true, false)],
        has_chars: false,
        keywords: "case do done elif else esac exit export fi for function if in local readonly return set shift then trap unset until while",
    },
    Language {
        endings: "rb ex exs cr",
        comments: &["#"],
        block: None,
        quotes: &[DOUBLE, SINGLE],
        has_chars: false,
        keywords: "alias and begin break case class def defmodule defp do else elsif end ensure false fn for if in module next nil not or raise require rescue return self super then true unless until use when while yield",
    },
    Language {
        endings: "lua",
        comments: &["--"],
        block: Some(("--[[", "]]")),
        quotes: &[quote("[[", "]]", true, false), DOUBLE, SINGLE],
        has_chars: false,
        keywords: "and break do else elseif end false for function goto if in local nil not or repeat return then true until while",
    },
    Language {
        endings: "sql",
        comments: &["--"],
        block: C_BLOCK,
        quotes: &[quote("'", "'", true, false), DOUBLE],
        has_chars: false,
        keywords: "ALTER AND AS ASC BEGIN BY CASE COMMIT CREATE DEFAULT DELETE DESC DISTINCT DROP ELSE END EXISTS FROM GROUP HAVING IN INDEX INNER INSERT INTO IS JOIN KEY LEFT LIKE LIMIT NOT NULL ON OR ORDER PRIMARY SELECT SET TABLE THEN UNION UNIQUE UPDATE VALUES WHEN WHERE alter and as begin by case commit create default delete desc distinct drop else end exists from group having in index inner insert into is join key left like limit not null on or order primary select set table then union unique update values when where",
    },
    Language {
        endings: "php",
        comments: &["//", "#"],
        block: C_BLOCK,
        quotes: &[DOUBLE, SINGLE],
        has_chars: false,
        keywords: "abstract and array as break case catch class const continue default do echo else elseif extends false final finally fn for foreach function if implements interface namespace new null or private protected public require return static switch this throw trait true try use var while",
    },
    Language {
        endings: "css scss less",
        comments: &[],
        block: C_BLOCK,
        quotes: &[DOUBLE, SINGLE],
        has_chars: false,
        keywords: "",
    },
    Language {
        endings: "toml ini cfg conf properties",
        comments: &["#", ";"],
        block: None,
        quotes: &[
            quote("\"\"\"", "\"\"\"", true, true),
            quote("'''", "'''", true, false),
            DOUBLE,
            quote("'", "'", false, false),
        ],
        has_chars: false,
        keywords: "true false",
    },
    Language {
        endings: "yaml yml",
        comments: &["#"],
        block: None,
        quotes: &[DOUBLE, quote("'", "'", false, false)],
        has_chars: false,
        keywords: "true false null yes no",
    },
    Language {
        endings: "json jsonc json5",
        comments: &["//"],
        block: C_BLOCK,
        quotes: &[DOUBLE],
        has_chars: false,
        keywords: "true false null",
    },
    Language {
        endings: "html htm xml svg",
        comments: &[],
        block: Some(("<!--", "-->")),
        quotes: &[DOUBLE],
        has_chars: false,
        keywords: "",
    },
];

/// What is open at the end of a line.
#[derive(Clone, Copy, Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Block(&'static str),
    Quote(&'static Quote),
}

/// Reads a text line by line and hands out the special parts of each, lines counted from 1.
///
/// Nothing where the language is not known, and nothing of a line that is too long.
pub(crate) fn highlight(name: &str, text: &str, mut told: impl FnMut(u32, Spans)) {
    let Some(language) = language(name).filter(|_| text.len() <= TEXT_BYTES_MAX) else {
        return;
    };
    let mut open = Open::Nothing;
    for (number, line) in (1..).zip(text.split('\n')) {
        if line.len() > COLUMNS_MAX && line.chars().nth(COLUMNS_MAX).is_some() {
            // What such a line opens is not known.
            open = Open::Nothing;
            continue;
        }
        let spans = Reading {
            language,
            line,
            spans: Vec::new(),
        }
        .read(&mut open);
        if !spans.is_empty() {
            told(number, spans);
        }
    }
}

fn language(name: &str) -> Option<&'static Language> {
    let ending = name.rsplit(['.', '/']).next()?;
    let knows = |language: &&Language| language.endings.split(' ').any(|known| known == ending);
    LANGUAGES.iter().find(knows)
}

struct Reading<'a> {
    language: &'static Language,
    line: &'a str,
    spans: Spans,
}

impl Reading<'_> {
    fn read(mut self, open: &mut Open) -> Spans {
        let mut at = match *open {
            Open::Nothing => 0,
            Open::Block(close) => self.up_to(0, 0, close, open),
            Open::Quote(quote) => self.quoted(0, 0, quote, open),
        };
        while at < self.line.len() {
            at = self.step(at, open);
        }
        self.spans
    }

    /// Takes what begins at a place; returns where the next thing begins.
    fn step(&mut self, at: usize, open: &mut Open) -> usize {
        let rest = &self.line[at..];
        let language = self.language;
        if let Some((begin, close)) = language.block.filter(|(begin, _)| rest.starts_with(begin)) {
            return self.up_to(at, at + begin.len(), close, open);
        }
        if language.comments.iter().any(|mark| rest.starts_with(mark)) && self.may_comment(at) {
            self.spans.push((at..self.line.len(), Token::Comment));
            return self.line.len();
        }
        if let Some(quote) = language
            .quotes
            .iter()
            .find(|quote| rest.starts_with(quote.open))
        {
            return self.quoted(at, at + quote.open.len(), quote, open);
        }
        let char = rest.chars().next().unwrap_or(' ');
        if char == '\'' && language.has_chars {
            return self.char_at(at);
        }
        if is_word(char) {
            return self.word(at);
        }
        at + char.len_utf8()
    }

    /// In languages with `#`, it begins a comment only where a word could begin.
    fn may_comment(&self, at: usize) -> bool {
        !self.line[at..].starts_with('#')
            || self.line[..at]
                .chars()
                .next_back()
                .is_none_or(char::is_whitespace)
    }

    /// Takes a comment up to its end.
    fn up_to(&mut self, from: usize, inside: usize, close: &'static str, open: &mut Open) -> usize {
        let end = self.line[inside..].find(close);
        *open = match end {
            Some(_) => Open::Nothing,
            None => Open::Block(close),
        };
        let end = end.map_or(self.line.len(), |end| inside + end + close.len());
        self.spans.push((from..end, Token::Comment));
        end
    }

    /// Takes what is in quotes up to their end.
    fn quoted(
        &mut self,
        from: usize,
        inside: usize,
        quote: &'static Quote,
        open: &mut Open,
    ) -> usize {
        let mut chars = self.line[inside..].char_indices();
        let mut end = None;
        while let Some((at, char)) = chars.next() {
            if char == '\\' && quote.escapes {
                chars.next();
            } else if self.line[inside + at..].starts_with(quote.close) {
                end = Some(inside + at + quote.close.len());
                break;
            }
        }
        *open = match end {
            None if quote.is_long => Open::Quote(quote),
            _ => Open::Nothing,
        };
        let end = end.unwrap_or(self.line.len());
        self.spans.push((from..end, Token::Text));
        end
    }

    /// Takes one character in quotes; a quote alone, as of a lifetime, is nothing.
    fn char_at(&mut self, at: usize) -> usize {
        let mut chars = self.line[at + 1..].char_indices();
        let first = chars.next();
        let close = match first {
            Some((_, '\\')) => {
                chars.next();
                chars.find(|(_, char)| *char == '\'')
            }
            Some(_) => chars.next().filter(|(_, char)| *char == '\''),
            None => None,
        };
        match close {
            Some((offset, _)) => {
                let end = at + 1 + offset + 1;
                self.spans.push((at..end, Token::Text));
                end
            }
            None => at + 1,
        }
    }

    fn word(&mut self, at: usize) -> usize {
        let rest = &self.line[at..];
        let end = at + rest.find(|char| !is_word(char)).unwrap_or(rest.len());
        let word = &self.line[at..end];
        let token = if word.starts_with(|char: char| char.is_ascii_digit()) {
            Token::Number
        } else if self.language.keywords.split(' ').any(|known| known == word) {
            Token::Keyword
        } else {
            return end;
        };
        self.spans.push((at..end, token));
        end
    }
}

fn is_word(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(name: &str, text: &str) -> Vec<(String, Token)> {
        let lines: Vec<&str> = text.split('\n').collect();
        let mut found = Vec::new();
        highlight(name, text, |number, spans| {
            let line = lines[number as usize - 1];
            found.extend(
                spans
                    .into_iter()
                    .map(|(at, token)| (line[at].to_owned(), token)),
            );
        });
        found
    }

    fn of(name: &str, text: &str, token: Token) -> Vec<String> {
        let found = told(name, text).into_iter();
        found
            .filter(|(_, other)| *other == token)
            .map(|(text, _)| text)
            .collect()
    }

    #[test]
    fn words_strings_numbers_and_comments_are_told_apart() {
        let text = "pub fn a<'a>(x: &'a str) -> u8 { // say \"no\"\n    let y = 'x' + '\\n'; \"a \\\" b\" 0x1f }";
        assert_eq!(of("src/a.rs", text, Token::Keyword), ["pub", "fn", "let"]);
        assert_eq!(
            of("a.rs", text, Token::Text),
            ["'x'", "'\\n'", "\"a \\\" b\""]
        );
        assert_eq!(of("a.rs", text, Token::Number), ["0x1f"]);
        assert_eq!(of("a.rs", text, Token::Comment), ["// say \"no\""]);
    }

    #[test]
    fn what_is_open_goes_on_in_the_next_line() {
        let text = "a /* b\nc */ let d = r#\"e\n\"f\"# g\n";
        assert_eq!(of("x.rs", text, Token::Comment), ["/* b", "c */"]);
        assert_eq!(of("x.rs", text, Token::Text), ["r#\"e", "\"f\"#"]);
        assert_eq!(of("x.py", "'''a\nb''' # c", Token::Text), ["'''a", "b'''"]);
        assert_eq!(of("x.sh", "a=$#b # c", Token::Comment), ["# c"]);
        assert_eq!(
            of("Cargo.toml", "a = \"b # c\"", Token::Text),
            ["\"b # c\""]
        );
    }

    #[test]
    fn nothing_is_coloured_that_is_too_large_or_of_no_known_kind() {
        assert!(told("x.rs", &"fn ".repeat(COLUMNS_MAX)).is_empty());
        assert!(told("x.rs", &"fn\n".repeat(TEXT_BYTES_MAX / 2)).is_empty());
        assert!(told("x.unknown", "fn").is_empty());
        assert!(told("", "fn").is_empty());
    }

    proptest! {
        #[test]
        fn parts_are_in_order_and_whole_characters(
            text in "([a-z \"'`/*#\\\\\\-\\[\\]<!>0-9é漢\n]{0,8}|r#\"|/\\*|'''|//){0,12}",
            name in "[a-z]\\.(rs|py|js|sh|lua|toml|html|go)",
        ) {
            let lines: Vec<&str> = text.split('\n').collect();
            highlight(&name, &text, |number, spans| {
                let line = lines[number as usize - 1];
                let mut end = 0;
                for (at, _) in spans {
                    assert!(at.start >= end && at.start < at.end || at.is_empty());
                    assert!(line.get(at.clone()).is_some());
                    end = at.end;
                }
            });
        }
    }
}
