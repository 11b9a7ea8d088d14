use proptest::prelude::*;

use super::*;

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

/// Makes a library of files; folders follow from them.
fn library(files: &[(&str, &str)]) -> Library {
    let mut entries = BTreeMap::new();
    for (name, text) in files {
        let file = path(name);
        let folders = std::iter::successors(file.parent(), RepoPath::parent);
        for folder in folders.filter(|folder| !folder.is_root()) {
            let kind = EntryKind::Folder;
            entries.insert(
                folder,
                Entry {
                    kind,
                    ..Entry::default()
                },
            );
        }
        let entry = Entry {
            tokens: TokenCount::estimate(text),
            text: Some((*text).to_owned()),
            ..Entry::default()
        };
        entries.insert(file, entry);
    }
    Library {
        map_file: "AGENTS.md".to_owned(),
        budget: TokenCount(1_000),
        nested_budget: TokenCount(500),
        entries,
    }
}

fn said(library: &Library) -> Vec<String> {
    let findings = check(library).findings.into_iter();
    findings
        .map(|found| {
            let line = found
                .line
                .map(|line| format!(":{line}"))
                .unwrap_or_default();
            format!(
                "{}{line} {}: {}",
                found.path,
                found.rule.as_str(),
                found.message
            )
        })
        .collect()
}

#[track_caller]
fn check_files(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(said(&library(files)), expected);
}

#[test]
fn whole_maps_have_no_finding() {
    check_files(
        &[
            (
                "AGENTS.md",
                "# Map\n[a](docs/a.md#part) [code](src/main.rs) [src](src/) `src/main.rs` `src/` [me](#map)\n\
                 [web](https://example.com/x.md) `TODO.md` `target/debug/x` `and/or` `docs/*.md`",
            ),
            (
                "docs/a.md",
                "# Part\n[b](b.md) `old/gone.md` [issues](../../issues)",
            ),
            ("docs/b.md", "b"),
            ("other/c.md", "[dead](nowhere.md)"),
            ("src/main.rs", ""),
            (
                "src/AGENTS.md",
                "[root](../AGENTS.md) `main.rs` `/src/main.rs`",
            ),
        ],
        &[],
    );
}

#[test]
fn dead_links_name_the_nearest() {
    check_files(
        &[
            (
                "AGENTS.md",
                "\n[a](docs/tesitng.md)\n[b](gone/far-away.md) [c](../x.md)\n[d](docs/testing.md)",
            ),
            ("docs/testing.md", "[e](moved.md) [f](none/)"),
            ("docs/deep/moved.md", ""),
        ],
        &[
            "AGENTS.md:2 dead-link: `docs/tesitng.md` does not exist; the nearest is `docs/testing.md`",
            "AGENTS.md:3 dead-link: `../x.md` leads out of the repository",
            "AGENTS.md:3 dead-link: `gone/far-away.md` does not exist",
            "docs/deep/moved.md orphan: no map and no document that a map leads to points to it",
            "docs/testing.md:1 dead-link: `moved.md` does not exist; the nearest is `docs/deep/moved.md`",
            "docs/testing.md:1 dead-link: `none/` does not exist",
        ],
    );
}

#[test]
fn anchors_paths_and_orphans_are_found() {
    check_files(
        &[
            (
                "AGENTS.md",
                "[a](docs/a.md#gone) `src/old.rs` `docs/gone.md`",
            ),
            ("docs/a.md", "# Here"),
            ("docs/sub/lost.md", "nobody comes here"),
            ("src/new.rs", ""),
        ],
        &[
            "AGENTS.md:1 dead-anchor: `docs/a.md` has no heading for `#gone`",
            "AGENTS.md:1 stale-path: `docs/gone.md` does not exist",
            "AGENTS.md:1 stale-path: `src/old.rs` does not exist",
            "docs/sub/lost.md orphan: no map and no document that a map leads to points to it",
        ],
    );
}

#[test]
fn what_is_too_large_says_how_large() {
    let (large, middle) = ("x".repeat(4_004), "x".repeat(2_004));
    check_files(
        &[
            ("AGENTS.md", "[a](docs/a.md)"),
            ("docs/a.md", &large),
            ("src/AGENTS.md", &middle),
        ],
        &[
            "docs/a.md over-budget: takes 1001 tokens, over the context budget of 1000 tokens: split it",
            "src/AGENTS.md over-budget: takes 501 tokens, over what a nested map may take of 500 tokens: \
             move detail into documents that it links to",
        ],
    );
}

#[test]
fn maps_that_are_never_loaded_are_found() {
    let mut library = library(&[
        ("AGENTS.md", ""),
        ("a/AGENTS.md", "[x](gone.md)"),
        ("a/AGENTS.override.md", ""),
        ("b/agents.md", ""),
        ("c/AGENTS.md", ""),
        ("d/AGENTS.md", ""),
        ("e/AGENTS.md", ""),
        ("f/AGENTS.md", ""),
        ("f/AGENTS.override.md", ""),
    ]);
    let mut set = |name: &str, change: fn(&mut Entry)| {
        change(library.entries.get_mut(&path(name)).unwrap());
    };
    set("c/AGENTS.md", |entry| entry.is_hidden = true);
    set("d/AGENTS.md", |entry| entry.is_ignored = true);
    set("e/AGENTS.md", |entry| entry.kind = EntryKind::LeadsOut);
    set("f/AGENTS.override.md", |entry| entry.is_ignored = true);
    assert_eq!(
        said(&library),
        [
            "a/AGENTS.md unreachable-map: is never loaded: it has `a/AGENTS.override.md` beside it, which is loaded",
            "b/agents.md unreachable-map: is never loaded: a map is called `AGENTS.md`",
            "c/AGENTS.md unreachable-map: is never loaded: it is hidden by `[scope] hide`",
            "d/AGENTS.md unreachable-map: is never loaded: it is in an ignored folder, or ignored",
            "e/AGENTS.md unreachable-map: is never loaded: it is a link that leads out of the repository, or nowhere",
        ]
    );
}

#[test]
fn what_an_agent_cannot_read_is_no_document() {
    let mut library = library(&[
        ("AGENTS.md", "[a](docs/a.md) [b](docs/b.md)"),
        ("docs/a.md", ""),
        ("docs/b.md", ""),
    ]);
    library
        .entries
        .get_mut(&path("docs/a.md"))
        .unwrap()
        .is_hidden = true;
    library
        .entries
        .get_mut(&path("docs/b.md"))
        .unwrap()
        .is_ignored = true;
    assert_eq!(
        said(&library),
        [
            "AGENTS.md:1 dead-link: `docs/a.md` is hidden: no agent can read it",
            "AGENTS.md:1 dead-link: `docs/b.md` is ignored: it is not there in a fresh clone",
        ]
    );
}

#[test]
fn documents_that_point_at_each_other_end_and_findings_are_bounded() {
    let dead: String = (0..3_000).map(|at| format!("[x](gone-{at})\n")).collect();
    let library = library(&[
        ("AGENTS.md", "[a](docs/a.md)"),
        ("docs/a.md", "[b](b.md)"),
        ("docs/b.md", &format!("[a](a.md)\n{dead}")),
    ]);
    let check = check(&library);
    assert_eq!(
        (check.findings.len(), check.maps, check.documents),
        (FINDINGS_MAX, 1, 2)
    );
    assert_eq!(check.more, MENTIONS_MAX - FINDINGS_MAX);
}

proptest! {
    #[test]
    fn hostile_maps_break_nothing(
        map in "([\\[\\]()`#/.a%<>!-]|docs/a\\.md|\n| ){0,120}",
        document in "([\\[\\]()`#/.a%<>!-]|AGENTS\\.md|\n| ){0,120}",
    ) {
        let library = library(&[("AGENTS.md", &map), ("docs/a.md", &document)]);
        prop_assert!(check(&library).findings.len() <= FINDINGS_MAX);
    }
}
