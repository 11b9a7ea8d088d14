//! A file of the scope that is one with a file outside: what is written to the one is in both.

use std::fs;

use super::{
    arena::Arena,
    strays::{arena, levels},
};
use crate::support::shell;

/// Ways to change `docs/kept.md` through `src/alias`, which is the same file.
const WAYS: &[&str] = &[
    "echo bad > src/alias",
    "echo bad > src/alias; rm src/alias",
    "mv src/alias src/other; echo bad > src/other",
    "touch -r src/alias src/t; printf 'kePt\\n' > src/alias; touch -r src/t src/alias; rm src/t",
    "chmod 600 src/alias; echo worse > src/alias; chmod 644 src/alias",
];

fn shared() -> Arena {
    let arena = arena();
    let root = arena.root();
    fs::hard_link(root.join("docs/kept.md"), root.join("src/alias")).unwrap();
    arena.desk.project.commit_all("one file with two names");
    arena
}

#[test]
fn what_is_written_through_a_name_in_the_scope_comes_back_outside_of_it() {
    for level in levels() {
        for command in WAYS {
            let free = shared();
            assert!(free.unguarded(command), "{command}");
            let changed = free.desk.project.read("docs/kept.md");
            assert_ne!(changed, "kept\n", "`{command}` is no attack");

            let arena = shared();
            let outcome = arena.attack_at(level, &[shell(command)]);
            let told = outcome.story.all("stray_undone");
            let is_told = |line: &serde_json::Value| {
                line["path"] == "docs/kept.md" && line["restored"] == true
            };
            assert!(
                told.iter().any(|line| is_told(line)),
                "{command} at {level}: {}",
                outcome.story
            );
        }
    }
}
