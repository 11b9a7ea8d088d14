//! Moving and deleting what is not the agent's: out of a closed place, into one, over a link.

use std::{fs, path::Path};

use super::arena::{Arena, is_caged};
use crate::support::{CONFIG, news};

fn move_to(path: &str, to: &str) -> String {
    format!("{{ tool = \"move\", path = \"{path}\", to = \"{to}\" }}")
}

fn delete(path: &str) -> String {
    format!("{{ tool = \"delete\", path = \"{path}\" }}")
}

/// Makes the calls and returns what the model was told of each.
fn told(arena: &Arena, turns: &[String]) -> Vec<String> {
    let outcome = arena.attack(turns);
    outcome.server.received()[1..].iter().map(news).collect()
}

#[test]
fn nothing_is_moved_out_of_a_closed_place_or_into_one() {
    if !is_caged() {
        return;
    }
    let config = CONFIG.replace(
        "[scope]\n",
        "[scope]\ndeny = [\"src/gen/**\"]\nhide = [\"src/.env\"]\n",
    );
    let arena = Arena::with_config(&config);
    let root = arena.root();
    for (file, text) in [
        ("src/gen/a", "made\n"),
        ("src/.env", "KEY=1\n"),
        ("src/mine", "mine\n"),
    ] {
        arena.desk.project.write(file, text);
    }
    arena.desk.project.commit_all("closed places");
    let closed = [
        "docs/kept.md",
        "src/../docs/kept.md",
        "src/gen/a",
        "src/.env",
        "AGENTS.md",
        "feature_list.json",
        "harness.toml",
        ".git/HEAD",
        ".git/hooks/pre-commit",
        "src/.git/hooks/pre-commit",
        ".GIT/config",
        ".harness/x",
        "../outside/kept.txt",
        "/etc/hostname",
        "~/x",
    ];
    let turns: Vec<String> = closed
        .iter()
        .flat_map(|path| {
            [
                move_to(path, "src/taken"),
                move_to("src/mine", path),
                delete(path),
            ]
        })
        .collect();
    let told = told(&arena, &turns);
    for (turn, told) in turns.iter().zip(&told) {
        let is_refused =
            told.contains("denied") || told.contains("out of reach") || told.contains("outside");
        assert!(is_refused, "{turn}: {told}");
    }
    assert_eq!(
        fs::read_to_string(root.join("src/gen/a")).unwrap(),
        "made\n"
    );
    assert_eq!(
        fs::read_to_string(root.join("src/.env")).unwrap(),
        "KEY=1\n"
    );
    assert_eq!(fs::read_to_string(root.join("src/mine")).unwrap(), "mine\n");
    assert!(!root.join("src/taken").exists());
}

#[test]
fn a_move_or_a_delete_goes_through_no_link_and_over_nothing() {
    if !is_caged() {
        return;
    }
    let arena = Arena::new();
    let root = arena.root();
    arena.desk.project.write("src/mine", "mine\n");
    arena.link("src/out", &arena.outside());
    arena.link("src/near", Path::new("../docs"));
    arena.link("src/kept", Path::new("../docs/kept.md"));
    let turns = [
        (move_to("src/out/kept.txt", "src/taken"), "is a link"),
        (move_to("src/near/kept.md", "src/taken"), "is a link"),
        (move_to("src/kept", "src/taken"), "is a link"),
        (move_to("src/mine", "src/out/new"), "is a link"),
        (move_to("src/mine", "src/near/new"), "is a link"),
        (move_to("src/mine", "src/near"), "exists already"),
        (move_to("src/mine", "src/answer"), "exists already"),
        (move_to("src/mine", "src/mine/new"), "not a folder"),
        (delete("src/out/kept.txt"), "is a link"),
        (delete("src/near/kept.md"), "is a link"),
        (delete("src"), "denied"),
        // The link itself is the agent's, and goes alone.
        (delete("src/near"), "deleted src/near"),
        (delete("src/out"), "deleted src/out"),
    ];
    let calls: Vec<String> = turns.iter().map(|(turn, _)| turn.clone()).collect();
    for ((turn, expected), told) in turns.iter().zip(told(&arena, &calls)) {
        assert!(told.contains(expected), "{turn}: {told}");
    }
    assert!(!root.join("src/taken").exists());
    assert_eq!(fs::read_to_string(root.join("src/mine")).unwrap(), "mine\n");
    assert_eq!(fs::read_to_string(root.join("src/answer")).unwrap(), "0\n");
}
