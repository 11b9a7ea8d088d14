//! Reading, listing and searching what is hidden, endless, no file, or no text.

use std::{
    ffi::OsStr,
    fs::{self, File},
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::Path,
    process::Command,
};

use super::arena::Arena;
use crate::support::{CONFIG, news, shell};

/// Lets the agent make the calls and returns what it was told of each.
fn told(arena: &Arena, turns: &[String]) -> Vec<String> {
    let outcome = arena.attack_at("none", turns);
    outcome.server.received()[1..].iter().map(news).collect()
}

fn check(arena: &Arena, cases: &[(&str, &str)]) {
    let turns: Vec<String> = cases.iter().map(|(turn, _)| (*turn).to_owned()).collect();
    for ((turn, expected), told) in cases.iter().zip(told(arena, &turns)) {
        assert!(told.contains(expected), "{turn}: {told}");
        assert!(!told.contains("SECRET"), "{turn}: {told}");
        assert!(told.len() < 64 * 1024, "{turn}: {} bytes", told.len());
    }
}

#[test]
fn what_is_hidden_is_found_by_no_tool() {
    let config = CONFIG.replace("[scope]\n", "[scope]\nhide = [\"docs/private/**\"]\n");
    let arena = Arena::with_config(&config);
    let project = &arena.desk.project;
    project.write("docs/private/plan.md", "SECRET plan\n");
    project.write("docs/open.md", "an open plan\n");
    project.commit_all("files");
    project.write("docs/.env", "TOKEN=SECRET\n");
    symlink("private/plan.md", arena.root().join("docs/way.md")).unwrap();
    symlink("private", arena.root().join("docs/folder")).unwrap();
    check(
        &arena,
        &[
            (
                r#"{ tool = "read", path = "docs/private/plan.md" }"#,
                "denied",
            ),
            (r#"{ tool = "read", path = "docs/way.md" }"#, "denied"),
            (
                r#"{ tool = "read", path = "docs/folder/plan.md" }"#,
                "denied",
            ),
            (r#"{ tool = "doc", path = "docs/.env" }"#, "denied"),
            (r#"{ tool = "list", path = "docs/private" }"#, "denied"),
            (r#"{ tool = "list", path = "docs/folder" }"#, "denied"),
            (
                r#"{ tool = "list", path = "docs", depth = 5 }"#,
                "docs/open.md",
            ),
            (
                r#"{ tool = "search", query = "TOKEN|plan" }"#,
                "docs/open.md:1: an open plan",
            ),
            (
                r#"{ tool = "search", query = "TOKEN", glob = ".env" }"#,
                "nothing found",
            ),
            (
                r#"{ tool = "search", query = ".", path = "docs/.env" }"#,
                "denied",
            ),
            (
                r#"{ tool = "search", query = ".", path = "docs/folder" }"#,
                "denied",
            ),
        ],
    );
}

#[test]
fn what_is_no_file_or_never_ends_is_answered_at_once() {
    let arena = Arena::new();
    let root = arena.root();
    arena
        .desk
        .project
        .write(".gitignore", "/docs/huge\n/docs/pipe\n");
    arena.desk.project.commit_all("ignored");
    let pipe = root.join("docs/pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    File::create(root.join("docs/huge"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    symlink("/dev/zero", root.join("docs/zero")).unwrap();
    symlink("zero", root.join("docs/one")).unwrap();
    symlink("loop", root.join("docs/loop")).unwrap();
    check(
        &arena,
        &[
            (
                r#"{ tool = "read", path = "docs/pipe" }"#,
                "`docs/pipe` is not a regular file",
            ),
            (
                r#"{ tool = "search", query = "x", path = "docs/pipe" }"#,
                "nothing found",
            ),
            (
                r#"{ tool = "read", path = "docs/huge" }"#,
                "look at a part of it with a command",
            ),
            (
                r#"{ tool = "read", path = "docs/huge", first = 1, last = 2 }"#,
                "look at a part of it with a command",
            ),
            (
                r#"{ tool = "search", query = "x", path = "docs/huge" }"#,
                "1 too large or unreadable left out",
            ),
            (r#"{ tool = "read", path = "docs/zero" }"#, "outside"),
            (r#"{ tool = "read", path = "docs/one" }"#, "outside"),
            (r#"{ tool = "read", path = "docs/loop" }"#, "link"),
            (
                r#"{ tool = "read", path = "/proc/self/environ" }"#,
                "outside",
            ),
            (r#"{ tool = "read", path = "/dev/stdin" }"#, "outside"),
            (r#"{ tool = "list", path = "docs/kept.md/x" }"#, "not"),
        ],
    );
}

#[test]
fn names_and_lines_of_any_bytes_are_told_within_bounds() {
    let arena = Arena::new();
    let root = arena.root();
    let name = OsStr::from_bytes(b"docs/caf\xe9\x1b[2J\n.md");
    fs::write(root.join(Path::new(name)), "the needle\n").unwrap();
    fs::write(root.join("docs/raw"), b"\xff\xfe\x1b[2J needle \xc3\n").unwrap();
    fs::write(root.join("docs/many"), "a needle\n".repeat(100_000)).unwrap();
    fs::write(root.join("docs/line"), "needle ".repeat(800_000)).unwrap();
    let turns = [
        r#"{ tool = "search", query = "needle", path = "docs" }"#.to_owned(),
        r#"{ tool = "search", query = "needle", glob = "many" }"#.to_owned(),
        r#"{ tool = "search", query = "needle", glob = "line" }"#.to_owned(),
        r#"{ tool = "search", query = "(a|aa)+$", path = "docs" }"#.to_owned(),
        r#"{ tool = "search", query = "((((a{100}){100}){100}){100})", path = "docs" }"#.to_owned(),
        r#"{ tool = "list", path = "docs" }"#.to_owned(),
        r#"{ tool = "read", path = "docs/many" }"#.to_owned(),
        r#"{ tool = "read", path = "docs/line" }"#.to_owned(),
        shell("true"),
    ];
    let told = told(&arena, &turns);
    for (turn, told) in turns.iter().zip(&told) {
        assert!(told.len() < 64 * 1024, "{turn}: {} bytes", told.len());
        assert!(!told.contains('\u{1b}'), "{turn}: {told}");
    }
    for (at, expected) in [
        (0, "ended after 200 that match"),
        (1, "ended after 200 that match"),
        (2, "docs/line:1:"),
        (4, "exceeds size limit"),
        (5, "docs/many (878.9 KiB)"),
    ] {
        assert!(
            told[at].contains(expected),
            "{}: {}",
            turns[at],
            &told[at][..told[at].len().min(600)]
        );
    }
}

#[test]
fn kept_output_is_read_and_nothing_beside_it() {
    let arena = Arena::new();
    let long = shell("seq 1 20000");
    let cases = [
        ("read", "@output/../log.jsonl", "does not exist"),
        ("read", "@output/../../S-0001/log.jsonl", "outside"),
        ("read", "@output/t1c0.txt/../../log.jsonl", "does not exist"),
        ("list", "@output/..", "docs/"),
        ("read", "@Output/t1c0.txt", "does not exist"),
        ("read", "@output/t1c0.txt/", "20000"),
        ("delete", "@output/t1c0.txt", "denied"),
        ("read", "x/@output/t1c0.txt", "does not exist"),
    ];
    let more = [
        (
            "{ tool = \"move\", path = \"@output/t1c0.txt\", to = \"src/x\" }",
            "denied",
        ),
        (
            "{ tool = \"move\", path = \"src/answer\", to = \"@output/x\" }",
            "denied",
        ),
        (
            "{ tool = \"edit\", path = \"@output/t1c0.txt\", old = \"1\", new = \"2\" }",
            "denied",
        ),
    ];
    let calls = cases.map(|(tool, path, _)| format!("{{ tool = \"{tool}\", path = \"{path}\" }}"));
    let turns: Vec<String> = [long]
        .into_iter()
        .chain(calls)
        .chain(more.map(|(turn, _)| turn.to_owned()))
        .collect();
    let expected = cases
        .iter()
        .map(|case| case.2)
        .chain(more.map(|case| case.1));
    let told = told(&arena, &turns);
    for ((turn, expected), told) in turns[1..].iter().zip(expected).zip(&told[1..]) {
        assert!(
            told.contains(expected),
            "{turn}: {}",
            &told[..told.len().min(600)]
        );
        assert!(!told.contains("session_opened"), "{turn}");
    }
}
