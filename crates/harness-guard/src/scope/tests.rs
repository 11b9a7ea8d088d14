use harness_core::{Decision, FeatureScope};
use proptest::{prelude::*, test_runner::TestRunner};

use super::*;
use crate::default_protected;

fn list(patterns: &[&str]) -> Vec<Sourced> {
    let sourced = |pattern: &&str| Sourced {
        value: (*pattern).to_owned(),
        origin: "harness.toml:3".to_owned(),
    };
    patterns.iter().map(sourced).collect()
}

fn path(text: impl AsRef<[u8]>) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn feature(write: &[&str], deny: &[&str], may_change: &[&str]) -> Feature {
    let owned = |patterns: &[&str]| patterns.iter().map(|text| (*text).to_owned()).collect();
    Feature {
        scope: FeatureScope {
            write: owned(write),
            deny: owned(deny),
        },
        may_change: may_change.iter().map(path).collect(),
        ..Feature::titled(FeatureId::new("F-012").unwrap(), "Export as CSV")
    }
}

fn rules() -> ScopeRules {
    ScopeRules {
        write: list(&["src/**", "tests/**", "Cargo.toml"]),
        deny: list(&["**/migrations/**"]),
        hide: list(&["**/.env*"]),
        protect: default_protected(),
        build: list(&["target"]),
        host_owned: list(&["feature_list.json"]),
    }
}

fn scope(feature: &Feature) -> Scope {
    Scope::compile(&rules(), feature).unwrap()
}

fn whole() -> Scope {
    scope(&feature(&[], &[], &[]))
}

/// Checks a writing verdict and that its reason holds `why`.
fn check(scope: &Scope, text: impl AsRef<[u8]>, expected: Decision, why: &str) {
    let path = path(text);
    let verdict = scope.write(&path);
    assert_eq!(verdict.decision, expected, "{verdict:?}");
    assert!(verdict.reason.contains(why), "{verdict:?}");
    assert_eq!(scope.is_writable(&path), verdict.is_allowed());
}

#[test]
fn a_denial_names_the_resolved_path_the_scope_missed_and_how_to_ask() {
    let verdict = whole().write(&path("./src/./../docs/a.md"));
    assert_eq!(
        verdict.reason,
        "write `docs/a.md`: not in the write scope; allowed: `src/**`, `tests/**`, `Cargo.toml`; \
         ask for more with the tool `request` if you need it"
    );
    assert_eq!(verdict.rule, None);
    let narrowed = scope(&feature(&["src/export/**"], &[], &[])).write(&path("src/a.rs"));
    assert_eq!(
        narrowed.reason,
        "write `src/a.rs`: not in the write scope of feature `F-012`; allowed: `src/export/**`; \
         ask for more with the tool `request` if you need it"
    );
}

#[test]
fn the_spelling_of_a_path_does_not_change_the_answer() {
    let scope = whole();
    for spelling in [
        "docs/a.md",
        "./docs/a.md",
        "src/../docs/a.md",
        "src/a/../../docs//a.md",
        "docs/./a.md/",
    ] {
        assert_eq!(
            scope.write(&path(spelling)),
            scope.write(&path("docs/a.md")),
            "{spelling}"
        );
    }
    for spelling in ["src/a.rs", "src//a.rs", "docs/../src/a.rs", "./src/./a.rs"] {
        check(&scope, spelling, Decision::Allow, "write `src/a.rs`");
    }
}

#[test]
fn an_empty_write_scope_opens_nothing() {
    let scope = Scope::compile(&ScopeRules::default(), &feature(&["**"], &[], &[])).unwrap();
    check(&scope, "src/a.rs", Decision::Deny, "allowed: nothing");
}

#[test]
fn git_is_host_owned_at_any_depth_and_in_any_case() {
    let open = ScopeRules {
        write: list(&["**"]),
        ..ScopeRules::default()
    };
    let scope = Scope::compile(&open, &feature(&[], &[], &[".git", "src/.git"])).unwrap();
    for text in [
        ".git",
        ".git/config",
        ".Git/hooks/pre-commit",
        "src/.git",
        "src/.GIT/config",
        "a/b/.gIt/x",
    ] {
        check(&scope, text, Decision::Deny, "git's own files");
        assert!(!scope.read(&path(text)).is_allowed(), "{text}");
        assert!(scope.is_host_owned(&path(text)));
    }
    for text in [".gitignore", "git/config", "src/.github2", "a.git"] {
        check(&scope, text, Decision::Allow, "");
    }
}

#[test]
fn the_rules_the_map_and_the_records_are_host_owned() {
    let open = ScopeRules {
        write: list(&["**"]),
        host_owned: list(&["feature_list.json"]),
        ..ScopeRules::default()
    };
    let lifted = feature(
        &[],
        &[],
        &["harness.toml", "AGENTS.md", ".harness", "feature_list.json"],
    );
    let scope = Scope::compile(&open, &lifted).unwrap();
    for (text, who) in [
        ("harness.toml", "by a person only"),
        ("Harness.TOML", "by a person only"),
        ("AGENTS.md", "by a person only"),
        ("src/agents.md", "by a person only"),
        ("AGENTS.override.md", "by a person only"),
        ("a/b/AGENTS.override.md", "by a person only"),
        (".harness", "by the harness only"),
        (".harness/evidence/F-012.json", "by the harness only"),
        (".HARNESS/x", "by the harness only"),
        (
            "feature_list.json",
            "`feature_list.json` (harness.toml:3) is written by the harness only; propose text with the tool `note`",
        ),
        ("Feature_List.json", "by the harness only"),
    ] {
        check(&scope, text, Decision::Deny, who);
        assert!(scope.read(&path(text)).is_allowed(), "{text}");
    }
    for text in [
        "src/harness.toml",
        "a/.harness/x",
        "AGENTS.md.bak",
        "a/feature_list.json",
    ] {
        check(&scope, text, Decision::Allow, "");
    }
}

#[test]
fn each_rule_stands_above_the_next() {
    let mut rules = ScopeRules {
        write: list(&["**"]),
        ..ScopeRules::default()
    };
    let plain = feature(&[], &[], &[]);
    let mut expect = |change: &dyn Fn(&mut ScopeRules), why: &str| {
        change(&mut rules);
        let scope = Scope::compile(&rules, &plain).unwrap();
        let verdict = scope.write(&path("a/b"));
        assert!(verdict.reason.contains(why), "{verdict:?}");
    };
    expect(&|_| {}, "in the write scope");
    expect(
        &|rules| rules.protect = list(&["a"]),
        "protected by `a` (harness.toml:3)",
    );
    expect(
        &|rules| rules.deny = list(&["a"]),
        "denied by `a` (harness.toml:3)",
    );
    expect(
        &|rules| rules.hide = list(&["a"]),
        "hidden by `a` (harness.toml:3)",
    );
    expect(
        &|rules| rules.host_owned = list(&["a"]),
        "written by the harness only",
    );
}

#[test]
fn deny_beats_write_on_a_longer_path() {
    let scope = whole();
    check(
        &scope,
        "src/db/migrations/deep/down/1.sql",
        Decision::Deny,
        "denied by `**/migrations/**`",
    );
    check(&scope, "src/db/migrations", Decision::Deny, "denied");
    let rules = ScopeRules {
        write: list(&["a/b/c/**"]),
        deny: list(&["a"]),
        ..ScopeRules::default()
    };
    let scope = Scope::compile(&rules, &feature(&[], &[], &[])).unwrap();
    check(&scope, "a/b/c/d", Decision::Deny, "denied by `a`");
}

#[test]
fn hidden_paths_are_neither_read_nor_written() {
    let scope = whole();
    for text in [".env", "src/.env.local", "src/.ENV", "src/.env.d/key"] {
        check(&scope, text, Decision::Deny, "hidden by `**/.env*`");
        assert!(!scope.read(&path(text)).is_allowed(), "{text}");
        assert!(scope.is_hidden(&path(text)));
    }
    assert!(scope.read(&path("")).is_allowed());
    assert!(scope.read(&path("docs/a.md")).is_allowed());
    assert!(!scope.is_hidden(&path("src/env.rs")));
}

#[test]
fn protected_paths_need_the_feature_to_name_them() {
    check(
        &whole(),
        "Cargo.toml",
        Decision::Deny,
        "protected by `**/Cargo.toml` (built in)",
    );
    check(&whole(), "src/CARGO.LOCK", Decision::Deny, "protected");
    let lifted = scope(&feature(&[], &[], &["Cargo.toml", "src/.github"]));
    check(&lifted, "Cargo.toml", Decision::Allow, "");
    check(&lifted, "src/.github/workflows/ci.yml", Decision::Allow, "");
    check(&lifted, "src/Cargo.toml", Decision::Deny, "protected");
    check(&lifted, "tests/conftest.py", Decision::Deny, "protected");
}

#[test]
fn may_change_opens_exactly_what_it_names_and_nothing_that_is_denied_or_hidden() {
    let lifted = scope(&feature(
        &["src/export/**"],
        &["src/gen"],
        &["docs/a.md", "bench", "src/gen/a", "src/.env", "Cargo.lock"],
    ));
    for text in [
        "docs/a.md",
        "Cargo.lock",
        "bench/deep/a.rs",
        "src/export/a.rs",
    ] {
        check(&lifted, text, Decision::Allow, "");
    }
    for text in ["docs/b.md", "Cargo.toml", "bench2/a.rs", "src/a.rs"] {
        check(&lifted, text, Decision::Deny, "");
    }
    check(
        &lifted,
        "src/gen/a",
        Decision::Deny,
        "denied by `src/gen` (feature `F-012`)",
    );
    check(&lifted, "src/.env", Decision::Deny, "hidden");
    let empty = scope(&feature(&[], &[], &[""]));
    check(&empty, "Cargo.toml", Decision::Deny, "protected");
}

#[test]
fn a_feature_narrows_and_never_widens() {
    let narrowed = scope(&feature(
        &["src/export/**", "docs/**"],
        &["src/export/schema.rs"],
        &[],
    ));
    check(&narrowed, "src/export/csv.rs", Decision::Allow, "");
    check(&narrowed, "src/export/schema.rs", Decision::Deny, "denied");
    check(
        &narrowed,
        "src/lib.rs",
        Decision::Deny,
        "of feature `F-012`",
    );
    check(
        &narrowed,
        "docs/a.md",
        Decision::Deny,
        "not in the write scope; allowed: `src/**`",
    );
}

#[test]
fn names_that_cannot_be_read_are_not_written_but_may_be_read() {
    let scope = whole();
    for text in [
        "src/a\nb.rs",
        "src/\x1b[31m.rs",
        "src/a\u{202e}b.rs",
        "src/a\u{200b}/b.rs",
    ] {
        check(
            &scope,
            text,
            Decision::Deny,
            "control or invisible character",
        );
        assert!(scope.read(&path(text)).is_allowed(), "{text:?}");
        assert!(
            !scope
                .write(&path(text))
                .reason
                .contains(['\n', '\x1b', '\u{202e}', '\u{200b}'])
        );
    }
    check(&scope, b"src/\xff.rs", Decision::Allow, "src/\\xff.rs");
    check(&scope, "src/-rf", Decision::Allow, "");
    check(
        &scope,
        "docs/a\nb",
        Decision::Deny,
        "not in the write scope",
    );
}

#[test]
fn the_root_is_read_and_never_written() {
    let open = ScopeRules {
        write: list(&["**"]),
        hide: list(&["**"]),
        ..ScopeRules::default()
    };
    let scope = Scope::compile(&open, &feature(&[], &[], &[])).unwrap();
    check(&scope, "", Decision::Deny, "the repository's root");
    assert!(scope.read(&RepoPath::root()).is_allowed());
}

#[test]
fn a_bad_pattern_names_where_it_stands() {
    let error = Scope::compile(&rules(), &feature(&["../x"], &[], &[])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot use pattern `../x` (feature `F-012`): the pattern leaves the repository"
    );
    for wide in ["/", "..", "~", "/etc"] {
        let rules = ScopeRules {
            write: list(&[wide]),
            ..ScopeRules::default()
        };
        assert!(
            Scope::compile(&rules, &feature(&[], &[], &[])).is_err(),
            "{wide}"
        );
    }
}

#[test]
fn long_lists_are_counted_in_a_reason() {
    let many: Vec<String> = (0..20).map(|number| format!("d{number}/**")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let rules = ScopeRules {
        write: list(&many),
        ..ScopeRules::default()
    };
    let scope = Scope::compile(&rules, &feature(&[], &[], &[])).unwrap();
    check(&scope, "x", Decision::Deny, "`d11/**` and 8 more;");
}

fn reach(rules: &ScopeRules, feature: &Feature) -> Vec<String> {
    let scope = Scope::compile(rules, feature).unwrap();
    scope
        .writable_reach()
        .iter()
        .map(RepoPath::to_string)
        .collect()
}

#[test]
fn the_reach_of_processes_is_what_both_lists_open() {
    let rules = |write: &[&str]| ScopeRules {
        write: list(write),
        protect: default_protected(),
        ..ScopeRules::default()
    };
    let plain = feature(&[], &[], &[]);
    assert_eq!(
        reach(&rules(&["src/**", "src/a/*.rs", "docs/*.md"]), &plain),
        ["docs", "src"]
    );
    assert_eq!(reach(&rules(&["**/*.rs", "src"]), &plain), ["."]);
    assert_eq!(
        reach(&rules(&["src/**"]), &feature(&["**"], &[], &[])),
        ["src"]
    );
    assert_eq!(
        reach(&rules(&["**"]), &feature(&["src/a/**", "docs"], &[], &[])),
        ["docs", "src/a"]
    );
    assert_eq!(
        reach(&rules(&["src/**"]), &feature(&["docs/**"], &[], &[])),
        [""; 0]
    );
    assert_eq!(reach(&rules(&[]), &feature(&["**"], &[], &[])), [""; 0]);
}

#[test]
fn closed_folders_are_out_of_the_reach_of_processes() {
    let mut rules = ScopeRules {
        write: list(&[
            ".git/**",
            ".harness",
            "gen/**",
            "secret/*",
            ".github/**",
            "Cargo.toml",
            "src",
        ]),
        deny: list(&["gen"]),
        hide: list(&["secret/**"]),
        protect: default_protected(),
        ..ScopeRules::default()
    };
    assert_eq!(reach(&rules, &feature(&[], &[], &[])), ["src"]);
    let lifted = feature(&[], &[], &["Cargo.toml", ".github/workflows/ci.yml"]);
    assert_eq!(reach(&rules, &lifted), [".github", "Cargo.toml", "src"]);
    rules.build = list(&["target", "web/dist/**", ".git"]);
    let scope = Scope::compile(&rules, &lifted).unwrap();
    let build: Vec<String> = scope.build_reach().iter().map(RepoPath::to_text).collect();
    assert_eq!(build, ["target", "web/dist"]);
}

fn pattern() -> impl Strategy<Value = String> {
    "([abc]|\\*|[ab]\\*|\\*\\*|\\?)(/([abc]|\\*|\\*\\*)){0,2}"
}

fn some(patterns: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(patterns, 0..3)
}

fn scope_of(lists: [&[String]; 5], may_change: &[String]) -> (Scope, Feature) {
    let [write, deny, hide, protect, own] =
        lists.map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
    let may_change: Vec<&str> = may_change.iter().map(String::as_str).collect();
    let rules = ScopeRules {
        write: list(&write),
        deny: list(&deny),
        hide: list(&hide),
        protect: list(&protect),
        ..ScopeRules::default()
    };
    let feature = feature(&own, &[], &may_change);
    (Scope::compile(&rules, &feature).unwrap(), feature)
}

fn covered(patterns: &[String], effect: Effect, path: &RepoPath) -> bool {
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    PatternSet::compile(&list(&patterns), effect)
        .unwrap()
        .covers(path)
}

proptest! {
    #[test]
    fn no_path_that_neither_the_scope_nor_may_change_opens_is_ever_written(
        write in some(pattern()), deny in some(pattern()), hide in some(pattern()), protect in some(pattern()),
        own in some(pattern()), may_change in some("[abc](/[abc]){0,2}"), text in "[abc](/[abc]){0,3}",
    ) {
        let path = path(text);
        let (scope, _) = scope_of([&write, &deny, &hide, &protect, &own], &may_change);
        if scope.write(&path).is_allowed() {
            let in_scope = covered(&write, Effect::Grant, &path)
                && (own.is_empty() || covered(&own, Effect::Grant, &path));
            prop_assert!(in_scope || scope.is_lifted(&path));
            prop_assert!(!covered(&deny, Effect::Restrict, &path));
            prop_assert!(!covered(&hide, Effect::Restrict, &path));
            prop_assert!(scope.is_lifted(&path) || !covered(&protect, Effect::Restrict, &path));
            prop_assert!(scope.writable_reach().iter().any(|folder| path.starts_with(folder)));
        }
    }

    #[test]
    fn a_feature_without_may_change_opens_nothing_that_was_closed(
        write in some(pattern()), deny in some(pattern()), protect in some(pattern()),
        own in some(pattern()), text in "[abc](/[abc]){0,3}",
    ) {
        let path = path(text);
        let (narrowed, _) = scope_of([&write, &deny, &[], &protect, &own], &[]);
        let (plain, _) = scope_of([&write, &deny, &[], &protect, &[]], &[]);
        prop_assert!(plain.is_writable(&path) || !narrowed.is_writable(&path));
        for folder in narrowed.writable_reach() {
            prop_assert!(plain.writable_reach().iter().any(|wider| folder.starts_with(wider)));
        }
    }

    #[test]
    fn may_change_opens_only_what_it_names_and_nothing_that_is_closed(
        write in some(pattern()), deny in some(pattern()), hide in some(pattern()), protect in some(pattern()),
        may_change in some("[abc](/[abc]){0,2}"), text in "[abc](/[abc]){0,3}",
    ) {
        let path = path(text);
        let (lifted, _) = scope_of([&write, &deny, &hide, &protect, &[]], &may_change);
        let (plain, _) = scope_of([&write, &deny, &hide, &protect, &[]], &[]);
        if lifted.is_writable(&path) && !plain.is_writable(&path) {
            prop_assert!(lifted.is_lifted(&path));
            prop_assert!(matches!(
                plain.standing(&path),
                Standing::Protected(_) | Standing::OutsideRepository | Standing::OutsideFeature
            ));
        }
    }

    #[test]
    fn host_owned_paths_are_never_written(
        before in "([ab]/){0,2}", name in "\\.[gG][iI][tT]|[aA][gG][eE][nN][tT][sS]\\.[mM][dD]", after in "(/[ab]){0,2}",
    ) {
        let open = ScopeRules { write: list(&["**"]), ..ScopeRules::default() };
        let text = format!("{before}{name}{after}");
        let scope = Scope::compile(&open, &feature(&["**"], &[], &[&text])).unwrap();
        prop_assert!(!scope.write(&path(&text)).is_allowed());
    }
}

#[test]
fn any_bytes_get_a_verdict_of_one_readable_line() {
    let scope = whole();
    let names = prop::collection::vec(1_u8..=255, 0..60);
    let mut runner = TestRunner::default();
    let checked = runner.run(&names, |bytes| {
        if let Ok(path) = RepoPath::parse(&bytes) {
            for verdict in [scope.read(&path), scope.write(&path)] {
                prop_assert!(!verdict.reason.chars().any(char::is_control));
            }
        }
        Ok(())
    });
    assert_eq!(checked, Ok(()));
}
