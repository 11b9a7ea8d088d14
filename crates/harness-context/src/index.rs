//! The deeper documents that the maps point to.

use std::collections::HashSet;

use harness_core::{RepoPath, Source, SourceKind};

use markdown::Reference;

mod markdown;

/// The most documents one map, or all maps together, may point to; further ones are left out.
const LINKS_MAX: usize = 200;

/// A place in a map that points to a file of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The link's text, or the path where it has none; one line.
    pub title: String,
    /// The file; whether it exists is not known here.
    pub target: RepoPath,
    /// The line of the map, counted from 1.
    pub line: usize,
    /// Whether it is a path in backticks: then it may as well be the name of something that is made later.
    pub quoted: bool,
}

/// Returns the files a map points to, each once, in the order they first stand there.
///
/// `text` is Markdown. Taken are links and link definitions, relative to the
/// map's folder or from the root with a leading `/`, and paths in backticks that
/// end like a document (`.md`, `.txt`, `.rst`, `.adoc`). Not taken: addresses
/// with a scheme, mere anchors, images, folders, fenced code, what leads out of
/// the repository, and the map itself. At most 200; of each line the first
/// 2,000 bytes are read.
pub fn links(map_path: &RepoPath, text: &str) -> Vec<Link> {
    let folder = map_path.parent().unwrap_or_default();
    let mut known = HashSet::from([map_path.clone()]);
    let mut links = Vec::new();
    for (line, reference) in markdown::references(text) {
        if reference.quoted && !markdown::is_document(&reference.target) {
            continue;
        }
        let Some(target) = target(&folder, &reference) else {
            continue;
        };
        if links.len() < LINKS_MAX && known.insert(target.clone()) {
            links.push(Link {
                title: reference.title.unwrap_or_else(|| target.to_text()),
                target,
                line,
                quoted: reference.quoted,
            });
        }
    }
    links
}

/// Returns the documents of all maps among the sources: each once, without the
/// sources themselves, at most 200.
pub fn documents(sources: &[Source]) -> Vec<Link> {
    let mut known: HashSet<RepoPath> = sources
        .iter()
        .filter_map(|source| source.path.clone())
        .collect();
    let mut documents: Vec<Link> = sources
        .iter()
        .filter(|source| source.kind == SourceKind::Map)
        .flat_map(|map| links(map.path.as_ref().unwrap_or(&RepoPath::root()), &map.text))
        .filter(|link| known.insert(link.target.clone()))
        .collect();
    documents.truncate(LINKS_MAX);
    documents
}

/// Something a Markdown file says of a place in the repository, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The address as written.
    pub(crate) written: String,
    /// Where it leads.
    pub(crate) place: Place,
    /// The part behind `#`, decoded; of links alone.
    pub(crate) anchor: Option<String>,
    /// Whether it is a path in backticks.
    pub(crate) quoted: bool,
}

/// Where an address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// To this path; the file itself for a mere anchor.
    Inside(RepoPath),
    /// Out of the repository.
    Outside,
}

/// Returns what a Markdown file mentions: links without a scheme, and paths in backticks.
///
/// At most `most`, in the order in which they stand there.
pub(crate) fn mentions(file: &RepoPath, text: &str, most: usize) -> Vec<Mention> {
    let folder = file.parent().unwrap_or_default();
    let found = markdown::references(text).filter_map(|(line, reference)| {
        let written = reference.target;
        let (path, anchor) = match written.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor)),
            None => (written.as_str(), None),
        };
        let path = path.split('?').next().unwrap_or_default();
        if has_scheme(path) || path.starts_with("//") || (path.is_empty() && anchor.is_none()) {
            return None;
        }
        let place = if path.is_empty() {
            Place::Inside(file.clone())
        } else {
            resolved(&folder, path).map_or(Place::Outside, Place::Inside)
        };
        let decoded = |anchor: &str| String::from_utf8_lossy(&percent_decoded(anchor)).into_owned();
        Some(Mention {
            line,
            place,
            anchor: anchor.filter(|anchor| !anchor.is_empty()).map(decoded),
            quoted: reference.quoted,
            written,
        })
    });
    found.take(most).collect()
}

/// Whether a path ends like a document.
pub(crate) fn is_document(path: &RepoPath) -> bool {
    markdown::is_document(&path.to_text())
}

/// Resolves an address: from the root with a leading `/`, else from a folder.
fn resolved(folder: &RepoPath, path: &str) -> Option<RepoPath> {
    let bytes = percent_decoded(path);
    match bytes.strip_prefix(b"/") {
        Some(from_root) => RepoPath::parse(from_root),
        None => folder.join(&bytes),
    }
    .ok()
}

/// Resolves what a reference points to; `None` for everything that is no file of the repository.
fn target(folder: &RepoPath, reference: &Reference) -> Option<RepoPath> {
    let address = reference.target.as_str();
    let path = address.split(['#', '?']).next().unwrap_or_default();
    if path.is_empty() || path.starts_with("//") || path.ends_with('/') || has_scheme(path) {
        return None;
    }
    resolved(folder, path).filter(|path| !path.is_root() && path != folder)
}

/// Whether an address begins with a scheme such as `https:`.
fn has_scheme(address: &str) -> bool {
    let Some((scheme, _)) = address.split_once(':') else {
        return false;
    };
    scheme.starts_with(|char: char| char.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |index: usize| {
            let byte = char::from(*tail.get(index)?);
            byte.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
        };
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high * 16 + low);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(map: &str, text: &str, expected: &[(&str, &str, usize)]) {
        let links = links(&RepoPath::parse(map).unwrap(), text);
        let found: Vec<(String, String, usize)> = links
            .into_iter()
            .map(|link| (link.title, link.target.to_text(), link.line))
            .collect();
        let expected: Vec<(String, String, usize)> = expected
            .iter()
            .map(|&(title, target, line)| (title.to_owned(), target.to_owned(), line))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    fn check_root(text: &str, expected: &[(&str, &str, usize)]) {
        check("AGENTS.md", text, expected);
    }

    #[test]
    fn links_are_relative_to_the_folder_of_the_map() {
        check_root(
            "See [Testing](docs/testing.md).",
            &[("Testing", "docs/testing.md", 1)],
        );
        check(
            "src/AGENTS.md",
            "[a](../docs/a.md) [b](./b.md)",
            &[("a", "docs/a.md", 1), ("b", "src/b.md", 1)],
        );
        check(
            "src/AGENTS.md",
            "\n[a](/docs/a.md)",
            &[("a", "docs/a.md", 2)],
        );
        check("src/AGENTS.md", "[a](../../a.md)", &[]);
    }

    #[test]
    fn all_ways_to_write_a_link_are_read() {
        check_root("[a](<docs/a b.md>)", &[("a", "docs/a b.md", 1)]);
        check_root("[a](docs/a%20b.md \"Title\")", &[("a", "docs/a b.md", 1)]);
        check_root("[a](docs/a_(1).md#part)", &[("a", "docs/a_(1).md", 1)]);
        check_root(
            "[**The** `a` [b]](docs/a.md)",
            &[("The a [b]", "docs/a.md", 1)],
        );
        check_root(
            "[![badge](b.svg)](docs/a.md)",
            &[("docs/a.md", "docs/a.md", 1)],
        );
        check_root("[a]: docs/a.md \"Title\"", &[("a", "docs/a.md", 1)]);
        check_root(
            "- `docs/a.md` and ``docs/b.txt``",
            &[
                ("docs/a.md", "docs/a.md", 1),
                ("docs/b.txt", "docs/b.txt", 1),
            ],
        );
    }

    #[test]
    fn what_is_no_document_is_left_out() {
        let texts = [
            "[a](https://example.com/a.md) [b](mailto:a@example.com) [c](//example.com/a.md)",
            "[a](#part) [b](?x) [c]() [d](docs/) [e](.)",
            "![a](docs/a.png)",
            "`[a](docs/a.md)` `cargo test` `src/a.rs` `*.md` `--file.md`",
            "\\[a](docs/a.md) [a] (docs/a.md) [a][b]",
            "```\n[a](docs/a.md)\n```",
            "~~~md\n```\n[a](docs/a.md)\n~~~",
            "[me](AGENTS.md)",
        ];
        for text in texts {
            check_root(text, &[]);
        }
        check_root("```\ncode\n```\n[a](docs/a.md)", &[("a", "docs/a.md", 4)]);
        check_root("```sh``` [a](docs/a.md)", &[("a", "docs/a.md", 1)]);
    }

    #[test]
    fn a_document_is_named_once() {
        check_root(
            "[a](docs/a.md)\n[b](./docs/a.md#x)\n`docs/a.md`",
            &[("a", "docs/a.md", 1)],
        );
    }

    #[test]
    fn hostile_maps_are_bounded() {
        let many: String = (0..500)
            .map(|index| format!("[a](docs/{index}.md)\n"))
            .collect();
        assert_eq!(links(&RepoPath::root(), &many).len(), LINKS_MAX);
        for piece in [
            "[", "`", "](", "![", "[[](", "\\", "(", "%", "[a](<", "\u{fc}[",
        ] {
            let line = piece.repeat(20_000);
            let _ = links(&RepoPath::root(), &format!("{line}\n").repeat(5));
        }
    }

    #[test]
    fn the_index_is_over_all_maps_and_without_them() {
        let map = |path: &str, text: &str| Source {
            kind: SourceKind::Map,
            path: Some(RepoPath::parse(path).unwrap()),
            text: text.to_owned(),
        };
        let progress = Source {
            kind: SourceKind::Progress,
            path: None,
            text: "[x](x.md)".to_owned(),
        };
        let sources = [
            map("AGENTS.md", "[src](src/AGENTS.md) [a](docs/a.md)"),
            map("src/AGENTS.md", "[again](../docs/a.md) [b](b.md)"),
            progress,
        ];
        let found: Vec<String> = documents(&sources)
            .iter()
            .map(|link| link.target.to_text())
            .collect();
        assert_eq!(found, ["docs/a.md", "src/b.md"]);
    }
}
