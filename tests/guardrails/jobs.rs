//! What goes on when its call has returned: it is held to the same, and nothing of it stays.

use super::{
    arena::has,
    strays::{arena, levels},
};
use crate::{
    flow::jobs::{job, tend},
    support::{alive, assert_gone, news, shell, unique_word},
};

/// Waits in a command until a job has put a file into the build outputs.
fn met(file: &str) -> String {
    shell(&format!(
        "while [ ! -e target/{file} ]; do sleep 0.02; done"
    ))
}

#[test]
fn what_a_job_writes_when_its_call_has_returned_is_taken_back_before_anything_is_told() {
    for level in levels() {
        let word = unique_word();
        let arena = arena();
        // Written over and over: what is taken back is written again as soon as it can be.
        // Nothing keeps a command at `none` from what is beside the repository.
        let outside = if level == "none" {
            ""
        } else {
            "echo bad > ../outside/new;"
        };
        // Written over and over: what is taken back is written again as soon as it can be.
        let writer = format!(
            "while :; do echo bad > src/locked.txt; echo bad > src/gen/new.rs; echo bad > docs/new.md; \
             {outside} echo bad > .git/hooks/new; touch target/round; sleep 0.01; done; : {word}"
        );
        let read = "{ tool = \"read\", path = \"src/locked.txt\" }".to_owned();
        let turns = [
            job(&writer),
            met("round"),
            read,
            tend("t1c0", true),
            shell("cat src/locked.txt; ls src/gen docs"),
        ];
        let free = alive(&word);
        assert_eq!(free, 0);
        let outcome = arena.attack_at(level, &turns);
        assert_gone(&word, level);
        assert_eq!(arena.desk.project.read("src/locked.txt"), "locked\n");
        assert!(!arena.root().join("src/gen/new.rs").exists());
        let requests = outcome.server.received();
        let last = news(&requests[5]);
        assert!(last.contains("\nlocked\n"), "{level}: {last}");
        assert!(
            !last.contains("new.rs") && !last.contains("new.md"),
            "{level}: {last}"
        );
        // Held still, it cannot be faster than what takes it back.
        let problems = outcome.story.all("problem");
        assert!(problems.is_empty(), "{level}: {problems:?}");
    }
}

#[test]
fn what_a_job_leaves_behind_is_gone_when_it_is_stopped_and_when_the_run_ends() {
    for level in levels() {
        let arena = arena();
        let word = unique_word();
        let mut attempts = vec![
            format!("setsid sleep {word} >/dev/null 2>&1 & sleep {word}"),
            format!(
                "(setsid sh -c 'trap \"\" TERM INT HUP; sleep {word}' </dev/null >/dev/null 2>&1 &) ; sleep {word}"
            ),
            format!("trap '' TERM INT HUP; while :; do sleep {word}; done"),
        ];
        if has("perl") {
            attempts.push(format!(
                "perl -MPOSIX -e 'fork and exit; setsid; fork and exit; close STDIN; close STDOUT; close STDERR; $SIG{{TERM}} = \"IGNORE\"; exec \"sleep\", \"{word}\"'; sleep {word}"
            ));
        }
        let mut turns: Vec<String> = attempts.iter().map(|attempt| job(attempt)).collect();
        turns.push(tend("t1c0", true));
        let outcome = arena.attack_at(level, &turns);
        assert_gone(&word, level);
        let ended = outcome.story.all("job_ended");
        assert_eq!(ended.len(), attempts.len(), "{level}: {}", outcome.story);
    }
}

#[test]
fn a_job_has_the_scope_of_its_call_and_no_word_of_a_model_widens_it() {
    for level in crate::support::levels() {
        let arena = arena();
        let attempts = [
            job("echo x > ../outside/new; touch target/a"),
            met("a"),
            job("echo x > docs/kept.md; touch target/b"),
            met("b"),
            job("ln -s ../../outside src/way; echo x > src/way/new; rm src/way; touch target/c"),
            met("c"),
            "{ tool = \"shell\", command = \"true\", background = true, sandbox = \"none\" }"
                .to_owned(),
            "{ tool = \"shell\", command = \"true\", background = \"yes\" }".to_owned(),
        ];
        let outcome = arena.attack_at(level, &attempts);
        let requests = outcome.server.received();
        assert!(
            news(&requests[7]).contains("sandbox"),
            "{}",
            news(&requests[7])
        );
        assert!(
            news(&requests[8]).contains("background"),
            "{}",
            news(&requests[8])
        );
    }
}
