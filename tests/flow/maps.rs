//! Maps below the root, the index of documents, and what a session is told of its surroundings.

use std::{fs, os::unix::fs::symlink};

use harness_testkit::Server;

use crate::support::{
    CONFIG, Desk, FEATURES, FINISH, Live, Story, TESTS, news, session, shell, write,
};

const READ: &str = "{ tool = \"read\", path = \"src/deep/er/x\" }";

fn desk(files: &[(&str, &str)]) -> Desk {
    let all = [
        ("harness.toml", CONFIG),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("src/deep/er/x", "1\n"),
        ("tests/run.sh", TESTS),
    ];
    Desk::with_files(&[&all, files].concat())
}

/// Runs these turns, then the right answer; returns what was told and the server.
fn run(desk: &Desk, turns: &[&str]) -> (Story, Server) {
    let right = write("src/answer", "42\n");
    let turns = [turns, &[&right, FINISH]].concat();
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    (story, server)
}

fn loaded(story: &Story) -> Vec<String> {
    let told = story.all("document_loaded");
    told.iter()
        .map(|line| line["path"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn all_maps_on_the_way_are_loaded_outermost_first_and_each_once() {
    let desk = desk(&[
        ("AGENTS.md", "# demo\n"),
        ("src/AGENTS.md", "outer map\n"),
        ("src/deep/AGENTS.md", "hidden by the override\n"),
        ("src/deep/AGENTS.override.md", "middle map\n"),
        ("src/deep/er/AGENTS.md", "inner map\n"),
    ]);
    let (story, server) = run(&desk, &[READ, READ, &shell("true")]);
    assert_eq!(
        loaded(&story),
        [
            "src/AGENTS.md",
            "src/deep/AGENTS.override.md",
            "src/deep/er/AGENTS.md"
        ]
    );
    let told = news(&server.received()[1]);
    let at = |words: &str| {
        told.find(words)
            .unwrap_or_else(|| panic!("no {words}: {told}"))
    };
    assert!(at("outer map") < at("middle map") && at("middle map") < at("inner map"));
    let last = server.received().last().unwrap().body.to_string();
    assert_eq!(last.matches("inner map").count(), 1);
    assert!(!last.contains("hidden by the override"), "{last}");
}

#[test]
fn the_folder_that_a_file_is_moved_to_counts_as_touched() {
    let desk = desk(&[
        ("AGENTS.md", "# demo\n"),
        ("src/deep/AGENTS.md", "where it was\n"),
        ("src/other/AGENTS.md", "where it is\n"),
    ]);
    let moved = "{ tool = \"move\", path = \"src/deep/er/x\", to = \"src/other/y\" }";
    let (story, server) = run(&desk, &[moved]);
    assert_eq!(
        loaded(&story),
        ["src/deep/AGENTS.md", "src/other/AGENTS.md"]
    );
    let told = news(&server.received()[1]);
    assert!(
        told.contains("where it was") && told.contains("where it is"),
        "{told}"
    );
}

#[test]
fn a_commands_folder_counts_as_touched() {
    let desk = desk(&[
        ("AGENTS.md", "# demo\n"),
        ("src/deep/AGENTS.md", "deep map\n"),
    ]);
    let command = "{ tool = \"shell\", command = \"true\", cwd = \"src/deep\" }";
    let (story, server) = run(&desk, &[command]);
    assert_eq!(loaded(&story), ["src/deep/AGENTS.md"]);
    assert!(news(&server.received()[1]).contains("deep map"));
}

#[test]
fn a_map_that_cannot_be_loaded_is_said_and_nothing_of_it_is_told() {
    let secret = "from outside of the repository";
    let large = format!("too large a map\n{}", "x".repeat(70 * 1024));
    let desk = desk(&[
        ("AGENTS.md", "# demo\n"),
        ("src/deep/AGENTS.md", &large),
        ("maps/src.md", "the map of src\n"),
    ]);
    let outside = desk.project.outside().join("outside.md");
    fs::write(&outside, secret).unwrap();
    symlink(&outside, desk.project.root().join("src/deep/er/AGENTS.md")).unwrap();
    symlink("../maps/src.md", desk.project.root().join("src/AGENTS.md")).unwrap();
    symlink("../.env", desk.project.root().join("maps/AGENTS.md")).unwrap();
    desk.project.write(".env", "KEY=hidden-in-env\n");
    desk.project.commit_all("links");
    let (story, server) = run(&desk, &[READ, "{ tool = \"list\", path = \"maps\" }"]);
    let problems: Vec<bool> = story
        .all("document_loaded")
        .iter()
        .map(|line| line["problem"].is_string())
        .collect();
    assert_eq!(problems, [false, true, true, true], "{story}");
    let told = server.received().last().unwrap().body.to_string();
    for words in [
        "the map of src",
        "[map `src/deep/AGENTS.md`, not loaded: it has 70.0 KiB, more than 64 KiB",
        "[map `src/deep/er/AGENTS.md`, not loaded: it is a link to",
        "[map `maps/AGENTS.md`, not loaded: it leads to `.env`, which may not be read]",
    ] {
        assert!(told.contains(words), "no {words} in {told}");
    }
    for words in ["too large a map", secret, "hidden-in-env"] {
        assert!(!told.contains(words), "{told}");
    }
    let plain = desk.harness(&["log", "show"]);
    assert!(
        plain.stdout.contains("map src/deep/AGENTS.md NOT loaded: "),
        "{}",
        plain.stdout
    );
    assert!(
        plain.stdout.contains("map src/AGENTS.md loaded, 4 tokens"),
        "{}",
        plain.stdout
    );
}

#[test]
fn maps_are_not_told_twice_after_a_crash() {
    let desk = desk(&[
        ("AGENTS.md", "# demo\n"),
        ("src/deep/AGENTS.md", "deep map\n"),
    ]);
    let right = write("src/answer", "42\n");
    let turns = [READ, &shell("sleep 60"), READ, &right, FINISH];
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "chat");
    let mut run = Live::start(&desk, &["run"]);
    assert!(run.wait_for("tool_called", 2));
    run.kill();
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
    let last = server.received().last().unwrap().body.to_string();
    assert_eq!(last.matches("deep map").count(), 1, "{last}");
}

#[test]
fn the_index_says_what_each_document_is_about_and_what_is_missing() {
    let desk = desk(&[
        (
            "AGENTS.md",
            "# demo\n[Answers](docs/answer.md) [Gone](docs/gone.md) [Out](docs/out.md) [Env](.env) `LATER.md`\n",
        ),
        (
            "docs/answer.md",
            "---\ntitle: x\nsummary: How answers are found\n---\n# Answers\nThe answer is 42.\n",
        ),
    ]);
    symlink("/etc/passwd", desk.project.root().join("docs/out.md")).unwrap();
    desk.project.write(".env", "KEY=hidden-in-env\n");
    desk.project.commit_all("links");
    let (_, server) = run(&desk, &[]);
    let first = &server.received()[0].body;
    let shared = first["messages"][0]["content"][0]["text"].as_str().unwrap();
    for line in [
        "docs/answer.md (under 100 tokens): Answers; How answers are found\n",
        "docs/gone.md: Gone; missing\n",
        "docs/out.md: Out; a link out of the repository\n",
        ".env: Env; not readable\n",
    ] {
        assert!(shared.contains(line), "no {line} in {shared}");
    }
    for words in ["42", "root:", "hidden-in-env", "LATER.md (", "LATER.md:"] {
        assert!(!shared.contains(words), "{words} in {shared}");
    }
}

#[test]
fn the_surroundings_are_told_in_few_words_and_first_requests_stay_small() {
    let desk = desk(&[
        ("AGENTS.md", "# demo\n"),
        (".gitignore", "/ignored/\n"),
        ("ignored/x.rs", ""),
        ("tools/one.py", ""),
        ("tools/two.py", ""),
        ("tools/deep/three.rs", ""),
    ]);
    desk.project.write(".env", "KEY=1\n");
    let (_, server) = run(&desk, &[]);
    let first = &server.received()[0];
    let own = first.body["messages"][0]["content"][1]["text"]
        .as_str()
        .unwrap();
    assert!(own.contains("\ntools/ deep/ one.py two.py\n"), "{own}");
    assert!(
        own.contains("\nbranch: main\nfiles: python 2, rust 1, shell 1\n"),
        "{own}"
    );
    assert!(
        !own.contains("ignored/") && !own.contains(".env\n"),
        "{own}"
    );
    assert!(first.text.len() < 8_000, "{}", first.text.len());
}

#[test]
fn no_program_that_a_repository_brings_is_ever_run() {
    let desk = desk(&[("AGENTS.md", "# demo\n"), ("one.py", "")]);
    let bin = desk.project.root().join("bin");
    fs::create_dir(&bin).unwrap();
    let trap = bin.join("python3");
    fs::write(
        &trap,
        "#!/bin/sh\ntouch \"$(dirname \"$0\")/../src/trapped\"\necho 6.6.6\n",
    )
    .unwrap();
    fs::set_permissions(&trap, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    desk.project.commit_all("a trap");
    let right = write("src/answer", "42\n");
    let script = desk.script(&session("F-1", &[&shell("sleep 1"), &right, FINISH]));
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let with = |arguments: &[&str]| {
        let root = desk.project.root();
        desk.home.run_with(&root, arguments, "PATH", &path)
    };
    let run = with(&["run", "--no-input", "--agent", &script]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(!desk.project.root().join("src/trapped").exists());
    let known = desk.home.path().join(".cache/harness/programs.json");
    let known = fs::read_to_string(known).unwrap_or_default();
    assert!(!known.contains("6.6.6"), "{known}");
    let told = with(&["context", "--prompt"]);
    assert!(!told.stdout.contains("6.6.6"), "{}", told.stdout);
}
