//! A repository so large that not all of it is looked at around every command.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use harness_testkit::Server;

use super::{
    arena::Arena,
    strays::{self, arena},
};
use crate::support::{Live, levels, say, session, shell};

const WISH: &str = "work in a large repository";
const OVER: &str = "{ tool = \"ask\", text = \"What next?\" }";

/// An arena with more files beyond the scope than are looked at every time, old enough that
/// each further change shows in the times of the folders.
fn large() -> Option<Arena> {
    if !levels().contains(&"namespaces") {
        say("skipped: this machine gives commands no file tree of their own");
        return None;
    }
    let arena = many();
    thread::sleep(Duration::from_millis(3_200));
    Some(arena)
}

fn many() -> Arena {
    let arena = arena();
    for folder in 0..30 {
        let folder = arena.root().join(format!("docs/many/{folder}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..200 {
            fs::write(folder.join(file.to_string()), "text\n").unwrap();
        }
    }
    arena.desk.project.commit_all("many files");
    arena
}

fn start(arena: &Arena, turns: &[String]) -> (Live, Server) {
    let turns: Vec<&str> = turns.iter().map(String::as_str).chain([OVER]).collect();
    let script = session(WISH, &turns);
    let script = script.replace("[[session.turn]]", "[[session.turn]]\nthink_ms = 300");
    let server = Server::scripted(&script);
    arena.desk.use_server(&server, "anthropic");
    let arguments = ["run", WISH, "--sandbox", "namespaces"];
    (Live::start(&arena.desk, &arguments), server)
}

#[test]
fn what_a_command_can_reach_is_looked_at_after_every_command() {
    let Some(arena) = large() else { return };
    let turns = [
        shell("echo one > src/one"),
        shell("mkfifo src/pipe; ln docs/kept.md src/hard 2> /dev/null; chmod 4755 src/one"),
        shell("mkdir -p src/gen && echo bad > src/gen/new.rs || true"),
    ];
    let (live, _server) = start(&arena, &turns);
    let story = live.end();
    let told = story.all("stray_undone");
    let paths: Vec<&str> = told
        .iter()
        .map(|line| line["path"].as_str().unwrap())
        .collect();
    assert!(paths.contains(&"src/pipe"), "{paths:?} {story}");
    assert!(!arena.root().join("src/pipe").exists());
    assert!(!arena.root().join("src/gen/new.rs").exists());
    assert_eq!(arena.desk.project.read("src/one"), "one\n");
    assert_eq!(arena.desk.project.read("src/locked.txt"), "locked\n");
}

#[test]
fn a_secret_that_comes_beyond_a_commands_reach_is_hidden_from_the_next_one() {
    let Some(arena) = large() else { return };
    let look = shell("cat docs/many/7/.env docs/fresh/.env");
    let turns = [shell("true"), shell("true"), look.clone(), look];
    let (mut live, server) = start(&arena, &turns);
    assert!(live.wait_for("tool_returned", 2));
    let project = &arena.desk.project;
    project.write("docs/many/7/.env", "KEY=canary-one\n");
    project.write("docs/fresh/.env", "KEY=canary-two\n");
    let story = live.end();
    for request in server.received() {
        let told = request.body.to_string();
        assert!(!told.contains("canary"), "{told}");
    }
    story.assert_ended("needs_human", 5);
}

#[test]
fn a_persons_change_beyond_a_commands_reach_is_left_alone_and_told_in_time() {
    let Some(arena) = large() else { return };
    let until = Instant::now();
    let turns: Vec<String> = (0..50)
        .map(|number| shell(&format!("true {number}; sleep 0.1")))
        .collect();
    let (mut live, _server) = start(&arena, &turns);
    assert!(live.wait_for("tool_returned", 2));
    let project = &arena.desk.project;
    project.write("docs/many/3/5", "the person's\n");
    project.write("docs/kept.md", "the person's\n");
    let story = live.end();
    assert!(story.all("stray_undone").is_empty(), "{story}");
    assert_eq!(project.read("docs/many/3/5"), "the person's\n");
    let told = story.all("changed_outside");
    let paths: Vec<&str> = told
        .iter()
        .flat_map(|line| line["paths"].as_array().unwrap())
        .map(|path| path.as_str().unwrap())
        .collect();
    // Writing in place changes no folder: it takes a look at everything, which comes later.
    let ran = until.elapsed();
    assert_eq!(
        paths,
        ["docs/kept.md", "docs/many/3/5"],
        "after {ran:?}: {story}"
    );
}

/// Ways to change what lies far from the scope, so that it does not show at first sight.
const FAR: &[&str] = &[
    "printf 'TEXT\\n' > docs/many/17/3; touch -r docs/many/17/4 docs/many/17/3",
    "touch -r docs/many/17/3 src/t; printf 'TEXT\\n' > src/u; touch -r src/t src/u; mv -f src/u docs/many/17/3; rm src/t",
    "echo x > docs/many/29/new; touch -d @1000000000 docs/many/29/new docs/many/29",
    "rm docs/many/5/5; mv docs/many/8 docs/many/moved; mkdir docs/many/8",
];

#[test]
fn what_a_command_does_far_away_is_found_before_anything_is_kept_or_proven() {
    for level in strays::levels() {
        for command in FAR {
            let free = many();
            assert!(free.unguarded(command), "`{command}` is no attack");
            let arena = many();
            let before = strays::listing(&arena.root().join("docs"));
            // Within the turn that says that the work is done.
            let turn = format!(
                "{},\n{},\n{}",
                shell(command),
                shell("echo 42 > src/answer"),
                crate::support::FINISH
            );
            let script = arena.desk.script(&session(WISH, &[&turn]));
            let arguments = ["run", WISH, "--model", &script, "--sandbox", level];
            let story = arena.desk.story(&arguments);
            let what = format!("{command} at {level}: {story}");
            assert_eq!(
                before,
                strays::listing(&arena.root().join("docs")),
                "{what}"
            );
            assert_eq!(arena.desk.project.git(&["status", "--short", "docs"]), "");
            let strays = story.all("stray_undone");
            // Mounts prevent it, and then there is nothing to tell.
            assert!(!strays.is_empty() || level != "none", "{what}");
            assert!(strays.iter().all(|line| line["restored"] == true), "{what}");
            story.first("feature_passed");
            let docs = |at: &str| {
                arena
                    .desk
                    .project
                    .git(&["rev-parse", &format!("{at}:docs")])
            };
            let kept = ["refs/harness", "refs/heads/harness"];
            let kept = [&["for-each-ref", "--format=%(refname)"][..], &kept].concat();
            for at in arena.desk.project.git(&kept).lines() {
                assert_eq!(docs(at), docs("HEAD"), "{at} after {what}");
            }
        }
    }
}
