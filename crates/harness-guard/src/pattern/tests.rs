use proptest::prelude::*;

use super::*;

fn set(patterns: &[&str], effect: Effect) -> PatternSet {
    let list: Vec<Sourced> = patterns.iter().map(|pattern| sourced(pattern)).collect();
    PatternSet::compile(&list, effect).unwrap()
}

fn sourced(pattern: &str) -> Sourced {
    Sourced {
        value: pattern.to_owned(),
        origin: "harness.toml:3".to_owned(),
    }
}

fn path(bytes: impl AsRef<[u8]>) -> RepoPath {
    RepoPath::parse(bytes).unwrap()
}

fn check(pattern: &str, effect: Effect, covered: &[&str], missed: &[&str]) {
    let set = set(&[pattern], effect);
    for text in covered {
        assert!(set.covers(&path(text)), "{pattern} {effect:?} {text}");
        assert_eq!(set.find(&path(text)).unwrap().value, pattern);
    }
    for text in missed {
        assert!(!set.covers(&path(text)), "{pattern} {effect:?} {text}");
        assert_eq!(set.find(&path(text)), None);
    }
}

#[test]
fn a_grant_covers_below_the_folders_it_names_and_stays_in_components() {
    use Effect::Grant;
    check(
        "src",
        Grant,
        &["src", "src/a", "src/a/b"],
        &["", "srcs", "SRC/a", "a/src"],
    );
    check("src/", Grant, &["src", "src/a"], &["srcs"]);
    check("./src//a", Grant, &["src/a", "src/a/b"], &["src", "src/b"]);
    check(
        "src/**",
        Grant,
        &["src/a", "src/a/b"],
        &["", "src", "srcs/a"],
    );
    check("src/*", Grant, &["src/a"], &["src", "src/a/b"]);
    check(
        "*.md",
        Grant,
        &["a.md", ".md"],
        &["docs/a.md", "a.md/b", "a.mdx"],
    );
    check("**/*.md", Grant, &["a.md", "docs/x/a.md"], &["a.md/b"]);
    check("**/gen", Grant, &["gen", "a/gen", "a/gen/b"], &["a/genx"]);
    check(
        "src/**/gen",
        Grant,
        &["src/gen/a", "src/a/b/gen/c"],
        &["gen", "src/a"],
    );
    check("src/?.rs", Grant, &["src/a.rs"], &["src/ab.rs", "src//.rs"]);
    check("**", Grant, &["a", "a/b/c"], &[""]);
    check(".", Grant, &["a", "a/b/c"], &[""]);
    check("a**b", Grant, &["ab", "axb"], &["a/b"]);
}

#[test]
fn a_restriction_covers_the_folder_everything_below_and_any_case() {
    use Effect::Restrict;
    check(
        "secrets/**",
        Restrict,
        &["secrets", "secrets/a", "Secrets/A"],
        &["", "secretsx"],
    );
    check(
        "**/migrations/**",
        Restrict,
        &["a/migrations", "migrations/x/y"],
        &["a"],
    );
    check(
        ".env*",
        Restrict,
        &[".env", ".env.local", ".ENV", ".env.d/key"],
        &["a/.env"],
    );
    check("*.pem", Restrict, &["KEY.PEM", "x.pem/y"], &["a/x.pem"]);
    check("**", Restrict, &["a", "a/b"], &[""]);
    check("*", Restrict, &["a", "a/b"], &[""]);
}

#[test]
fn classes_stay_in_a_component() {
    use Effect::Grant;
    check("src/[ab].rs", Grant, &["src/a.rs"], &["src/c.rs"]);
    check("src[!x]a", Grant, &["src-a"], &["src/a", "srcxa"]);
    check("src[^x]a", Grant, &["src-a"], &["src/a", "srcxa"]);
    check("a[!]]b", Grant, &["acb"], &["a]b", "a/b"]);
    check("a[!-]b", Grant, &["acb"], &["a-b", "a/b"]);
    check("a[!a-c-]b", Grant, &["adb"], &["a-b", "abb", "a/b"]);
    check("a[]]b", Grant, &["a]b"], &["acb"]);
    check("a[*]b", Grant, &["a*b"], &["acb"]);
    check("a[{]b", Grant, &["a{b"], &["acb"]);
    check("[\\]", Grant, &["\\"], &["a"]);
}

#[test]
fn names_that_are_no_text_match_by_their_bytes() {
    let set = set(&["src/**/*.rs"], Effect::Grant);
    assert!(set.covers(&path(b"src/\xff\xfe.rs")));
    assert!(set.covers(&path(b"src/a\nb/\x1b[31m.rs")));
    assert!(!set.covers(&path(b"\xff/a.rs")));
}

#[test]
fn the_first_pattern_that_covers_a_path_is_named() {
    let set = set(&["b/**", "a", "a/b"], Effect::Grant);
    assert_eq!(set.find(&path("a/b/c")).unwrap().value, "a");
    assert_eq!(set.find(&path("b/a")).unwrap().value, "b/**");
}

#[test]
fn what_stands_before_the_first_wildcard_is_fixed() {
    let set = set(
        &[
            "src/**",
            "docs/*.md",
            "a/b",
            "**/x",
            "s*/b",
            "./a/[b]/c",
            ".",
        ],
        Effect::Grant,
    );
    let fixed: Vec<String> = set.fixed().map(RepoPath::to_text).collect();
    assert_eq!(fixed, ["src", "docs", "a/b", "", "", "a", ""]);
    let plain: Vec<String> = set.plain().map(RepoPath::to_text).collect();
    assert_eq!(plain, ["a/b"]);
}

#[test]
fn a_pattern_that_leaves_the_repository_is_an_error_that_names_it_and_its_origin() {
    for pattern in [
        "/",
        "/etc/**",
        "..",
        "../x",
        "a/../b",
        "src/**/..",
        "~",
        "~/x",
        "~root/x",
    ] {
        let error = PatternSet::compile(&[sourced(pattern)], Effect::Grant).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot use pattern `{pattern}` (harness.toml:3): the pattern leaves the repository"
            )
        );
    }
}

#[test]
fn what_is_not_in_the_grammar_is_an_error() {
    for (pattern, what) in [
        ("", "it is empty"),
        ("!src", "cannot begin with `!`"),
        ("src/{a,b}", "'{' is not in the grammar"),
        ("src\\a", "'\\\\' is not in the grammar"),
        ("a\0b", "'\\0' is not in the grammar"),
        ("a[é]", "'é' is not in the grammar"),
        ("a[+-9]b", "'/' is not in the grammar"),
        ("a[+-,-9]b", "'/' is not in the grammar"),
        ("a[a/b]", "'[' is not in the grammar"),
        ("a[", "'[' is not in the grammar"),
        ("a[!", "'[' is not in the grammar"),
        ("a[z-a]", "cannot read pattern"),
        ("a[!z-a]", "cannot read pattern"),
        (&"a".repeat(1025), "longer than 1024 bytes"),
    ] {
        let error = PatternSet::compile(&[sourced(pattern)], Effect::Grant).unwrap_err();
        assert!(error.to_string().contains(what), "{pattern}: {error}");
        assert!(
            error.to_string().contains("harness.toml:3"),
            "{pattern}: {error}"
        );
    }
    let surplus = vec![sourced("a"); 1001];
    let error = PatternSet::compile(&surplus, Effect::Grant).unwrap_err();
    assert!(matches!(error, ScopeError::TooMany { .. }), "{error}");
}

/// Says the same in the plainest way there is, component by component.
fn covers_plainly(pattern: &str, effect: Effect, path: &str) -> bool {
    let (pattern, path) = match effect {
        Effect::Grant => (pattern.to_owned(), path.to_owned()),
        Effect::Restrict => (pattern.to_lowercase(), path.to_lowercase()),
    };
    let mut names: Vec<&str> = pattern.split('/').collect();
    let components: Vec<&str> = path.split('/').collect();
    let whole = |names: &[&str]| match effect {
        Effect::Grant if names.last().is_some_and(|name| name.contains(['*', '?'])) => {
            all_match(names, &components)
        }
        _ => (1..=components.len()).any(|end| all_match(names, &components[..end])),
    };
    if whole(&names) {
        return true;
    }
    while effect == Effect::Restrict && names.len() > 1 && names.last() == Some(&"**") {
        names.pop();
        if names.iter().any(|name| *name != "**") && whole(&names) {
            return true;
        }
    }
    false
}

fn all_match(names: &[&str], components: &[&str]) -> bool {
    match (names.split_first(), components.split_first()) {
        (None, rest) => rest.is_none(),
        // A last `**` needs something below.
        (Some((&"**", [])), rest) => rest.is_some(),
        (Some((&"**", names_after)), rest) => {
            all_match(names_after, components)
                || rest.is_some_and(|(_, after)| all_match(names, after))
        }
        (Some(_), None) => false,
        (Some((name, names)), Some((component, components))) => {
            one_matches(name.as_bytes(), component.as_bytes()) && all_match(names, components)
        }
    }
}

fn one_matches(name: &[u8], component: &[u8]) -> bool {
    match (name, component) {
        ([], rest) => rest.is_empty(),
        ([b'*', name @ ..], _) => {
            one_matches(name, component)
                || component
                    .split_first()
                    .is_some_and(|(_, rest)| one_matches(&[b"*", name].concat(), rest))
        }
        ([b'?', name @ ..], [_, component @ ..]) => one_matches(name, component),
        ([byte, name @ ..], [same, component @ ..]) if byte == same => one_matches(name, component),
        _ => false,
    }
}

proptest! {
    #[test]
    fn matching_is_what_the_grammar_says(
        pattern in "([ab]|[aB*?]{1,3}|\\*\\*)(/([ab]|[aB*?]{1,3}|\\*\\*)){0,3}",
        path_text in "[aAb]{1,2}(/[aAb]{1,2}){0,4}",
    ) {
        for effect in [Effect::Grant, Effect::Restrict] {
            let covered = set(&[&pattern], effect).covers(&path(&path_text));
            prop_assert_eq!(covered, covers_plainly(&pattern, effect, &path_text), "{:?}", effect);
        }
    }

    #[test]
    fn what_a_grant_covers_lies_below_what_is_fixed(
        pattern in "[ab*?]{1,3}(/[ab*?]{1,3}){0,3}",
        path_text in "[ab]{1,2}(/[ab]{1,2}){0,4}",
    ) {
        let set = set(&[&pattern], Effect::Grant);
        if set.covers(&path(&path_text)) {
            prop_assert!(set.fixed().all(|folder| path(&path_text).starts_with(folder)));
        }
    }

    #[test]
    fn a_class_never_matches_a_slash(class in "\\[[!^]?[a-c+./9\\]!^-]{1,5}\\]") {
        let pattern = sourced(&format!("a{class}b"));
        if let Ok(set) = PatternSet::compile(&[pattern], Effect::Grant) {
            prop_assert!(!set.covers(&path("a/b")));
        }
    }

    #[test]
    fn no_text_panics(pattern in "[\\PC/*?!~.\\[\\]\\\\{}-]{0,20}") {
        for effect in [Effect::Grant, Effect::Restrict] {
            let _either = PatternSet::compile(&[sourced(&pattern)], effect);
        }
    }
}
