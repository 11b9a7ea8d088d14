//! Changes by somebody else during a run, and a run that dies before it could undo.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use harness_testkit::Server;

use super::{
    arena::Arena,
    strays::{arena, levels, quarantine},
};
use crate::support::{Live, Story, news, session, shell, write};

const WISH: &str = "wait for somebody else";
const OVER: &str = "{ tool = \"ask\", text = \"What next?\" }";

/// Waits until a file is there.
fn await_file(arena: &Arena, path: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while !arena.root().join(path).exists() {
        assert!(Instant::now() < until, "`{path}` never came");
        thread::sleep(Duration::from_millis(5));
    }
}

fn start(arena: &Arena, level: &str, turns: &[String]) -> (Live, Server) {
    let turns: Vec<&str> = turns.iter().map(String::as_str).chain([OVER]).collect();
    let script = session(WISH, &turns);
    let server =
        Server::scripted(&script.replace("[[session.turn]]", "[[session.turn]]\nthink_ms = 400"));
    arena.desk.use_server(&server, "anthropic");
    (
        Live::start(&arena.desk, &["run", WISH, "--sandbox", level]),
        server,
    )
}

/// A command that says when it runs and ends when it is told to.
fn waiting(more: &str) -> String {
    shell(&format!(
        "{more} touch target/started; while [ ! -e target/go ]; do sleep 0.02; done"
    ))
}

fn named(story: &Story) -> Vec<String> {
    let told = story.all("changed_outside");
    let paths = told
        .iter()
        .flat_map(|line| line["paths"].as_array().unwrap());
    paths
        .map(|path| path.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_a_person_changes_between_commands_is_left_alone_and_named() {
    for level in levels() {
        let arena = arena();
        let turns = [
            shell("true"),
            shell("true"),
            write("src/answer", "the agent's\n"),
        ];
        let read = "{ tool = \"read\", path = \"src/answer\" }".to_owned();
        let turns = [vec![read], turns.to_vec()].concat();
        let (mut live, server) = start(&arena, level, &turns);
        assert!(live.wait_for("tool_returned", 2));
        let project = &arena.desk.project;
        project.write("src/answer", "the person's\n");
        project.write("docs/kept.md", "the person's\n");
        project.write("src/locked.txt", "the person's\n");
        project.write("docs/new.md", "the person's\n");
        let story = live.end();
        for path in [
            "src/answer",
            "docs/kept.md",
            "src/locked.txt",
            "docs/new.md",
        ] {
            assert_eq!(
                project.read(path),
                "the person's\n",
                "{path} at {level}: {story}"
            );
        }
        assert_eq!(
            named(&story),
            [
                "docs/kept.md",
                "docs/new.md",
                "src/answer",
                "src/locked.txt"
            ],
            "{level}: {story}"
        );
        assert!(story.all("stray_undone").is_empty(), "{level}: {story}");
        let told = server.received();
        let refused = news(told.last().unwrap());
        assert!(
            refused.contains("was changed since it was last read"),
            "{refused}"
        );
    }
}

#[test]
fn what_a_person_changes_during_a_command_is_left_alone_where_a_cage_held_the_command() {
    for level in levels() {
        let arena = arena();
        let (live, _server) = start(&arena, level, &[waiting("")]);
        await_file(&arena, "target/started");
        let project = &arena.desk.project;
        project.write("docs/kept.md", "the person's\n");
        project.write("docs/new.md", "the person's\n");
        project.write(".git/hooks/mine", "the person's\n");
        project.write("src/during.rs", "the person's\n");
        project.write("target/go", "");
        let story = live.end();
        assert_eq!(project.read("src/during.rs"), "the person's\n");
        let undone: Vec<_> = story.all("stray_undone");
        if level == "none" {
            // Nobody can tell who it was: the person's bytes are not lost.
            assert_eq!(project.read("docs/kept.md"), "kept\n");
            let kept = quarantine(&arena);
            assert!(
                kept.contains(&("1/docs/kept.md".to_owned(), b"the person's\n".to_vec())),
                "{kept:?}"
            );
            assert!(kept.contains(&("1/docs/new.md".to_owned(), b"the person's\n".to_vec())));
            continue;
        }
        assert!(undone.is_empty(), "{story}");
        assert_eq!(project.read("docs/kept.md"), "the person's\n");
        assert_eq!(project.read(".git/hooks/mine"), "the person's\n");
        assert_eq!(
            named(&story),
            [".git/hooks/mine", "docs/kept.md", "docs/new.md"]
        );
    }
}

#[test]
fn a_later_stray_brings_back_what_the_person_wrote_meanwhile() {
    for level in levels() {
        let arena = arena();
        let turns = [
            shell("true"),
            shell("echo bad > src/locked.txt; rm -f src/.env"),
        ];
        let (mut live, _server) = start(&arena, level, &turns);
        assert!(live.wait_for("tool_returned", 1));
        let project = &arena.desk.project;
        project.write("src/locked.txt", "the person's\n");
        project.write("src/.env", "SECRET=new\n");
        let story = live.end();
        if level != "namespaces" {
            assert_eq!(story.all("stray_undone").len(), 2, "{story}");
        }
        assert_eq!(project.read("src/locked.txt"), "the person's\n");
        assert_eq!(project.read("src/.env"), "SECRET=new\n");
    }
}

#[test]
fn a_run_that_is_killed_before_it_could_undo_does_so_when_it_is_resumed() {
    for level in levels() {
        let arena = arena();
        let attack = "echo bad > src/locked.txt; rm src/.env; mkdir -p src/.git; mkfifo src/pipe; chmod 777 docs/kept.md;";
        let (live, server) = start(&arena, level, &[waiting(attack)]);
        await_file(&arena, "target/started");
        live.kill();
        let project = &arena.desk.project;
        // Mounts hold what was there, and let new things come.
        let is_mounted = level == "namespaces";
        assert_eq!(project.read("src/locked.txt") == "bad\n", !is_mounted);
        let resumed = arena.desk.story(&["resume", "--last", "--sandbox", level]);
        let told: Vec<&str> = resumed
            .all("stray_undone")
            .iter()
            .map(|line| line["path"].as_str().unwrap())
            .collect();
        let all = [
            "docs/kept.md",
            "src/.env",
            "src/.git",
            "src/locked.txt",
            "src/pipe",
        ];
        let new = ["src/.git", "src/pipe"];
        let expected = if is_mounted { &new[..] } else { &all };
        assert_eq!(told, expected, "{level}: {resumed}");
        assert_eq!(project.read("src/locked.txt"), "locked\n");
        assert_eq!(project.read("src/.env"), "SECRET=kept\n");
        assert!(!arena.root().join("src/.git").exists());
        let received = server.received();
        let model = news(received.last().unwrap());
        assert!(model.contains("undone: src/.git: "), "{model}");
        assert_eq!(arena.desk.harness(&["log", "verify"]).code, 0);
    }
}

#[test]
fn what_a_person_changes_while_no_run_lives_is_left_alone() {
    for level in levels() {
        let arena = arena();
        let (mut live, _server) = start(&arena, level, &[shell("true")]);
        assert!(live.wait_for("tool_returned", 1));
        live.kill();
        let project = &arena.desk.project;
        project.write("src/locked.txt", "the person's\n");
        project.write("docs/kept.md", "the person's\n");
        let resumed = arena.desk.story(&["resume", "--last", "--sandbox", level]);
        assert!(resumed.all("stray_undone").is_empty(), "{level}: {resumed}");
        assert_eq!(project.read("src/locked.txt"), "the person's\n");
        assert_eq!(
            named(&resumed),
            ["docs/kept.md", "src/locked.txt"],
            "{level}: {resumed}"
        );
    }
}

#[test]
fn what_is_too_much_to_be_kept_is_said_before_and_after() {
    for level in levels() {
        let arena = arena();
        let big = fs::File::create(arena.root().join("src/gen/big.db")).unwrap();
        big.set_len(70 * 1024 * 1024).unwrap();
        let outcome = arena.attack_at(
            level,
            &[shell(
                "echo x >> src/gen/big.db; echo x > src/gen/schema.rs",
            )],
        );
        let problem = outcome.story.first("problem")["message"].as_str().unwrap();
        assert!(
            problem.contains("1 file of 70 MiB") && problem.contains("64 MiB"),
            "{problem}"
        );
        if level == "namespaces" {
            continue;
        }
        let told = outcome.story.all("stray_undone");
        assert_eq!(told.len(), 2, "{}", outcome.story);
        assert_eq!(
            (&told[0]["path"], &told[0]["restored"]),
            (&"src/gen/big.db".into(), &false.into())
        );
        assert!(
            told[0]["message"].as_str().unwrap().contains("64 MiB"),
            "{}",
            told[0]
        );
        assert_eq!(told[1]["restored"], true);
        // What cannot come back is not taken away either.
        let left = fs::metadata(arena.root().join("src/gen/big.db")).unwrap();
        assert_eq!(left.len(), 70 * 1024 * 1024 + 2);
        let lines = arena.desk.harness(&["log", "show"]).stdout;
        assert!(lines.contains("NOT undone src/gen/big.db"), "{lines}");
    }
}
