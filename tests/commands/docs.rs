//! `harness docs check`: what is wrong with maps and documents, and what is not.

use std::os::unix::fs::symlink;

use harness_testkit::{Home, Run, Server};

use super::{assert_ok, json};
use crate::support::{
    CONFIG, Desk, FEATURES, FINISH, PROGRAM, Story, TESTS, levels, news, session, write,
};

fn desk(map: &str) -> Desk {
    Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("AGENTS.md", map),
        ("docs/answer.md", "# Answers\n\nThe answer is 42.\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

/// What every broken thing looks like, and what only looks broken.
const MAP: &str = "# demo
[Answers](docs/answer.md#answers) [dead](docs/anwser.md) [part](docs/answer.md#gone)
`src/old.rs` `src/answer` `feature_list.json` `and/or` `target/debug/demo` `src/made.log`
[out](../../etc/passwd) [web](https://example.com/x.md) [hidden](.env)
";

#[test]
fn this_repository_has_no_finding() {
    let home = Home::new(PROGRAM);
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = home.run(here, &["docs", "check"]);
    assert_ok(&run);
    assert!(run.stdout.contains(": 0 findings\n"), "{}", run.stdout);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_ends_with_4() {
    let desk = desk(MAP);
    let project = &desk.project;
    project.write(".gitignore", "*.log\n/sub/ignored.md\n");
    project.write(".env", "KEY=1\n");
    project.write("docs/lost.md", "nobody points here\n");
    project.write("src/agents.md", "misspelt\n");
    project.write("big/AGENTS.md", &"x".repeat(70 * 1024));
    symlink("/etc", project.root().join("docs/out.md")).unwrap();
    let run = desk.harness(&["docs", "check"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "AGENTS.md:2: dead-link: `docs/anwser.md` does not exist; the nearest is `docs/answer.md`",
            "AGENTS.md:2: dead-anchor: `docs/answer.md` has no heading for `#gone`",
            "AGENTS.md:3: stale-path: `src/old.rs` does not exist",
            "AGENTS.md:4: dead-link: `../../etc/passwd` leads out of the repository",
            "AGENTS.md:4: dead-link: `.env` is hidden: no agent can read it",
            "big/AGENTS.md: over-budget: takes 17k tokens, over what a nested map may take of 16k tokens: \
             move detail into documents that it links to",
            "docs/lost.md: orphan: no map and no document that a map leads to points to it",
            "src/agents.md: unreachable-map: is never loaded: a map is called `AGENTS.md`",
            "docs: 2 maps, 1 document: 8 findings",
        ],
        "{}",
        run.stderr
    );
    let told = json(&desk.harness(&["docs", "check", "--json"]));
    assert_eq!(told.len(), 9);
    assert_eq!(told[0]["rule"], "dead-link");
    assert_eq!(
        (&told[0]["path"], &told[0]["line"]),
        (&"AGENTS.md".into(), &2.into())
    );
    assert_eq!(told[8]["findings"], 8);
}

#[test]
fn it_works_as_a_gate_and_where_git_cannot_be_seen() {
    let desk = desk("# demo\n[Answers](docs/answer.md)\n");
    assert_ok(&desk.harness(&["docs", "check"]));
    let copy = desk.project.outside().join("copy");
    std::fs::create_dir_all(copy.join("docs")).unwrap();
    for name in ["harness.toml", "AGENTS.md", "docs/answer.md"] {
        std::fs::copy(desk.project.root().join(name), copy.join(name)).unwrap();
    }
    let run = desk.home.run(&copy, &["docs", "check"]);
    assert_ok(&run);
    assert_eq!(run.stdout, "docs: 1 map, 1 document: 0 findings\n");
    std::fs::remove_file(copy.join("docs/answer.md")).unwrap();
    assert_eq!(desk.home.run(&copy, &["docs", "check"]).code, 4);
    std::fs::remove_file(copy.join("harness.toml")).unwrap();
    assert_eq!(desk.home.run(&copy, &["docs", "check"]).code, 2);
}

#[test]
fn a_committed_override_hides_a_map_and_a_persons_own_does_not() {
    let desk = desk("# demo\n");
    desk.project.write("src/AGENTS.md", "here\n");
    desk.project.write("src/AGENTS.override.md", "there\n");
    let run = desk.harness(&["docs", "check"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert!(
        run.stdout.contains("src/AGENTS.md: unreachable-map: is never loaded: it has `src/AGENTS.override.md` beside it"),
        "{}",
        run.stdout
    );
    desk.project.write(".gitignore", "AGENTS.override.md\n");
    assert_ok(&desk.harness(&["docs", "check"]));
}

#[test]
fn hostile_documents_end_and_print_nothing_raw() {
    let desk = desk(&format!(
        "{}\n{}\n[x](docs/\u{1b}[2J.md) [a](docs/a.md)\n",
        "[".repeat(50_000),
        "[x](gone-%00-%ff.md)\n".repeat(3_000)
    ));
    desk.project
        .write("docs/a.md", "---\ntitle: \u{1b}]0;x\u{7}\n[b](a.md)");
    symlink("loop.md", desk.project.root().join("docs/loop.md")).unwrap();
    let run = desk.harness(&["docs", "check"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
    assert!(run.stdout.contains("not shown"), "{}", run.stdout);
}

/// The check as a gate, as the help says it.
const GATE: &str =
    "\n[[gate]]\nname = \"docs\"\nrun = [\"harness\", \"docs\", \"check\"]\ntimeout = \"1m\"\n";

fn gated(map: &str) -> Desk {
    let config = format!("{CONFIG}{GATE}");
    Desk::with_files(&[
        ("harness.toml", &config),
        ("AGENTS.md", map),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

/// Runs the program with folders before those of `PATH`.
fn run_on(desk: &Desk, folder: &std::path::Path, arguments: &[&str]) -> Run {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = desk.home.command(&desk.project.root(), arguments);
    command.env("PATH", format!("{}:{path}", folder.display()));
    command.output().unwrap().into()
}

#[test]
fn a_gate_finds_dead_links_of_a_change_at_every_level() {
    for level in levels() {
        let desk = gated("# demo\n[The answer](src/answer)\n");
        // As it is installed: a link in a folder of `PATH` to where it was built.
        let folder = desk.home.path().join(".local/bin");
        std::fs::create_dir_all(&folder).unwrap();
        symlink(PROGRAM, folder.join("harness")).unwrap();
        let away = "{ tool = \"move\", path = \"src/answer\", to = \"src/reply\" }";
        let right = write("src/answer", "42\n");
        let server = Server::scripted(&session("F-1", &[away, FINISH, &right, FINISH]));
        desk.use_server(&server, "anthropic");
        let story = Story::of(run_on(
            &desk,
            &folder,
            &["run", "--sandbox", level, "--json", "--no-input"],
        ));
        story.assert_ended("all_passing", 0);
        let docs: Vec<&str> = story
            .all("check_ended")
            .iter()
            .filter(|line| line["gate"] == "docs")
            .map(|line| line["status"].as_str().unwrap())
            .collect();
        assert!(
            docs.contains(&"red") && docs.last() == Some(&"green"),
            "{level}: {story}"
        );
        let told = news(&server.received()[2]);
        assert!(
            told.contains("AGENTS.md:2: dead-link: `src/answer` does not exist"),
            "{level}: {told}"
        );
    }
}

#[test]
fn a_gate_that_does_not_find_the_program_says_where_it_is() {
    let desk = gated("# demo\n");
    let run = desk.harness(&["gate", "run", "docs"]);
    assert_ne!(run.code, 0);
    let told = format!("{}{}", run.stdout, run.stderr);
    for part in [
        "cannot start `harness`",
        PROGRAM,
        "no folder of `PATH` has it",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Through a shell as well.
    let config = format!(
        "{CONFIG}{}",
        GATE.replace(
            "[\"harness\", \"docs\", \"check\"]",
            "[\"sh\", \"-c\", \"harness docs check\"]"
        )
    );
    desk.project.write("harness.toml", &config);
    desk.project.commit_all("a shell");
    assert_ok(&desk.harness(&["trust", "--yes"]));
    let run = desk.harness(&["gate", "run", "docs"]);
    let told = format!("{}{}", run.stdout, run.stderr);
    assert!(told.contains("no folder of `PATH` has it"), "{told}");
}
