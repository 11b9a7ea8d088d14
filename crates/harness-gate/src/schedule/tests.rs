use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn gate(command: &str) -> Gate {
    Gate {
        timeout: Duration::from_secs(60),
        ..Gate::named(command, command.split(' ').map(ToOwned::to_owned).collect())
    }
}

fn share(one: &str, other: &str) -> bool {
    let (one, other) = (gate(one), gate(other));
    let shared = share_a_build(&one, &other);
    assert_eq!(shared, share_a_build(&other, &one));
    shared
}

fn grouped(commands: &[&str]) -> Vec<Vec<String>> {
    let gates: Vec<Gate> = commands.iter().map(|command| gate(command)).collect();
    let named = |group: Vec<usize>| group.iter().map(|&at| gates[at].name.clone()).collect();
    groups(&gates, AT_ONCE).into_iter().map(named).collect()
}

#[test]
fn tools_of_a_family_share_a_build() {
    for (one, other) in [
        ("cargo test", "cargo clippy -- -D warnings"),
        ("cargo +stable test", "rustc src/main.rs"),
        ("jest", "node --test"),
        ("npx vitest run", "node_modules/.bin/tsc"),
        ("pytest -q", "python3 -m pytest"),
        ("uv run ruff check", ".venv/bin/pytest"),
        ("go vet ./...", "go test ./..."),
        ("./gradlew test", "mvn -q verify"),
    ] {
        assert!(share(one, other), "{one} beside {other}");
    }
}

#[test]
fn tools_of_different_families_do_not() {
    for (one, other) in [
        ("cargo test", "pytest"),
        ("go test ./...", "npx jest"),
        ("mvn test", "/usr/bin/python3 -m unittest"),
    ] {
        assert!(!share(one, other), "{one} beside {other}");
    }
}

#[test]
fn what_only_looks_shares_with_nobody() {
    for looker in [
        "ruff check",
        "ruff format --check",
        "mypy src",
        "cargo fmt --all --check",
        "eslint .",
        "npx eslint src",
        "npx --no-install tsc --noEmit",
        "tsc --noEmit",
        "shellcheck a.sh",
        "python -m mypy src",
        "prettier --check .",
        "gofmt -l .",
    ] {
        for other in ["cargo test", "pytest", "jest", "go test", looker] {
            assert!(!share(looker, other), "{looker} beside {other}");
        }
    }
}

#[test]
fn a_looker_that_mends_what_it_sees_shares_with_everything() {
    for mender in [
        "ruff check --fix",
        "ruff format",
        "cargo fmt",
        "eslint --fix .",
        "npx prettier --write .",
        "gofmt -w .",
    ] {
        let shared = share(mender, "go test ./...") || share(mender, "jest");
        assert!(shared, "{mender}");
    }
}

#[test]
fn what_is_not_known_shares_with_everything() {
    for unknown in [
        "make test",
        "just check",
        "sh tests/run.sh",
        "npm test",
        "npm run lint",
        "./pytest",
        "tools/ruff check",
        "env A=1 pytest",
    ] {
        for other in ["ruff check", "cargo test", "pytest", "eslint .", unknown] {
            assert!(share(unknown, other), "{unknown} beside {other}");
        }
    }
}

#[test]
fn gates_that_share_a_build_follow_each_other_and_others_go_beside_them() {
    assert_eq!(
        grouped(&["cargo clippy", "cargo test", "cargo fmt --check", "pytest"]),
        [
            vec!["cargo clippy", "cargo fmt --check"],
            vec!["cargo test", "pytest"]
        ]
    );
    assert_eq!(
        grouped(&["ruff check", "make", "mypy ."]),
        [vec!["ruff check"], vec!["make"], vec!["mypy ."]]
    );
    assert_eq!(
        grouped(&["ruff check", "mypy .", "shellcheck a.sh"]),
        [vec!["ruff check", "mypy ."], vec!["shellcheck a.sh"]]
    );
    assert!(grouped(&[]).is_empty());
}

proptest! {
    #[test]
    fn every_gate_runs_once_and_in_order_with_those_it_shares_with(
        picked in proptest::collection::vec(0_usize..8, 0..12),
        at_once in 0_usize..4,
    ) {
        const COMMANDS: [&str; 8] = ["cargo test", "cargo clippy", "pytest", "ruff check", "make", "go test", "jest", "eslint ."];
        let gates: Vec<Gate> = picked.iter().map(|&at| gate(COMMANDS[at])).collect();
        let groups = groups(&gates, at_once);
        let order: Vec<usize> = groups.iter().flatten().copied().collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..gates.len()).collect::<Vec<_>>());
        for group in &groups {
            prop_assert!(group.len() <= at_once.max(1));
            for (nth, &one) in group.iter().enumerate() {
                for &other in &group[nth + 1..] {
                    prop_assert!(!share_a_build(&gates[one], &gates[other]));
                }
            }
        }
        for (nth, &one) in order.iter().enumerate() {
            for &other in &order[nth + 1..] {
                prop_assert!(one < other || !share_a_build(&gates[one], &gates[other]));
            }
        }
    }
}
