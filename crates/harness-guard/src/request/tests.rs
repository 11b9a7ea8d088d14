use harness_core::{Decision, Feature, FeatureId, Policy};

use super::*;
use crate::{default_protected, guard::tests::policy};

fn feature() -> Feature {
    Feature::titled(FeatureId::new("F-012").unwrap(), "CSV")
}

fn guard_of(policy: &Policy) -> Guard {
    Guard::new(policy, &feature()).unwrap()
}

fn wanted(guard: &Guard, paths: &[&str], hosts: &[&str]) -> Result<Amendment, Verdict> {
    let list =
        |list: &[&str]| -> Vec<String> { list.iter().map(|text| (*text).to_owned()).collect() };
    guard.amendment(Wanted {
        paths: &list(paths),
        hosts: &list(hosts),
        reason: " needs a reader ",
    })
}

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

#[test]
fn what_is_outside_comes_beside_the_scope_and_what_is_protected_becomes_an_exception() {
    let guard = guard_of(&policy());
    let more = wanted(
        &guard,
        &["Cargo.toml", "docs/**", "bench/a.rs", "docs/**", "src/a.rs"],
        &["crates.io:443", "example.org"],
    )
    .unwrap();
    assert_eq!(more.write, ["docs/**", "bench/a.rs"]);
    assert_eq!(more.may_change, [path("Cargo.toml")]);
    let hosts: Vec<String> = more.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["crates.io:443", "example.org:443"]);
    assert_eq!(more.reason, "needs a reader");
    assert_eq!(more.hosts[0].origin, "approved for `F-012`");
}

#[test]
fn what_nobody_gives_while_a_run_goes_on_is_refused_at_once() {
    let mut policy = policy();
    policy.scope.hide = vec![Sourced::built_in("secrets/**")];
    let guard = guard_of(&policy);
    for (text, why) in [
        (".git/config", "git's own files"),
        ("src/.GIT", "git's own files"),
        ("harness.toml", "by a person only"),
        ("AGENTS.md", "by a person only"),
        ("src/features.json", "by the harness only"),
        (".harness/**", "by the harness only"),
        ("secrets/key", "hidden by"),
        ("secrets/*.pem", "hidden by"),
        ("src/gen/a.rs", "denied by"),
        ("src/gen/*.rs", "denied by"),
        (".github/*.yml", "without wildcards"),
        (".", "whole repository"),
        ("../x", "leaves the repository"),
        ("/etc/passwd", "leaves the repository"),
        ("~/x", "leaves the repository"),
        ("", "it is empty"),
        ("!src", "cannot begin with `!`"),
        ("src/a\nb", "invisible"),
    ] {
        let verdict = wanted(&guard, &["docs/a.md", text], &[]).unwrap_err();
        assert_eq!(verdict.decision, Decision::Deny, "{text}");
        assert!(verdict.reason.contains(why), "{text}: {}", verdict.reason);
    }
    for text in [
        "127.0.0.1:80",
        "*",
        "*.org",
        "example.org:0",
        "a b",
        "169.254.169.254:80",
        "",
    ] {
        let verdict = wanted(&guard, &[], &[text]).unwrap_err();
        assert_eq!(verdict.decision, Decision::Deny, "{text}");
    }
    let many = vec!["docs/a"; 17];
    assert_eq!(
        wanted(&guard, &many, &[]).unwrap_err().decision,
        Decision::Deny
    );
}

#[test]
fn what_is_open_already_needs_nobody() {
    let guard = guard_of(&policy());
    let verdict = wanted(&guard, &["src/a.rs", "tests/b.rs"], &[]).unwrap_err();
    assert_eq!(verdict.decision, Decision::Allow);
}

#[test]
fn no_host_is_opened_where_the_network_is_closed() {
    let mut policy = policy();
    policy.network_closed = "`offline` is set (config.toml:3)".to_owned();
    let verdict = wanted(&guard_of(&policy), &[], &["npm"]).unwrap_err();
    assert!(
        verdict.reason.contains("`offline` is set"),
        "{}",
        verdict.reason
    );
}

#[test]
fn what_was_given_is_open_from_then_on_and_for_this_feature_alone() {
    let mut policy = policy();
    let guard = guard_of(&policy);
    let more = wanted(&guard, &["Cargo.toml", "docs/**"], &["example.org:443"]).unwrap();
    policy.amend(&more);
    let amended = guard.renewed(&policy, &feature()).unwrap();
    let writes = |guard: &Guard, text: &str| guard.scope().is_writable(&path(text));
    for text in ["Cargo.toml", "docs/a/b.md", "src/a.rs"] {
        assert!(writes(&amended, text), "{text}");
    }
    for text in [
        "Cargo.lock",
        "README.md",
        "docs/AGENTS.md",
        "docs/.git/config",
        "src/gen/a.rs",
    ] {
        assert!(!writes(&amended, text), "{text}");
    }
    let bounds = amended.bounds();
    assert_eq!(
        bounds.writable,
        [path("Cargo.toml"), path("docs"), path("src"), path("tests")]
    );
    assert!(bounds.network.judge("example.org", 443).is_allowed());
    let change = |text: &str| harness_core::Change {
        path: path(text),
        kind: harness_core::ChangeKind::Modified,
    };
    let changes = ["Cargo.toml", "docs/a.md", "Cargo.lock"].map(change);
    let found = amended.judge_changes(&changes);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, path("Cargo.lock"));
    let other = Feature::titled(FeatureId::new("F-013").unwrap(), "other");
    let other = Guard::new(&policy, &other).unwrap();
    assert!(!writes(&other, "Cargo.toml") && !writes(&other, "docs/a.md"));
    let told = amended.scope().write(&path("README.md")).reason;
    assert!(told.contains("allowed: `src/**`, `tests/**`, `Cargo.toml`, `docs/**`; ask for more with the tool `request`"), "{told}");
    assert_eq!(
        wanted(&amended, &["docs/x", "Cargo.toml"], &["example.org"])
            .unwrap_err()
            .decision,
        Decision::Allow
    );
}

#[test]
fn a_wide_pattern_opens_nothing_that_was_closed() {
    let mut policy = policy();
    policy.scope.protect = default_protected();
    let guard = guard_of(&policy);
    let more = wanted(&guard, &["**"], &[]).unwrap();
    policy.amend(&more);
    let amended = guard.renewed(&policy, &feature()).unwrap();
    for text in [
        "Cargo.toml",
        ".github/ci.yml",
        "harness.toml",
        ".git/config",
        "src/gen/a.rs",
        ".env",
    ] {
        assert!(!amended.scope().is_writable(&path(text)), "{text}");
    }
    assert!(amended.scope().is_writable(&path("README.md")));
}
