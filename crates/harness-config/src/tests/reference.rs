use std::collections::BTreeSet;

use harness_core::{Gate, Limits, Money, Reader};

use super::{repository, user};
use crate::{
    DEFAULT_REPOSITORY_FILE, DEFAULT_USER_FILE, Detected, Overrides,
    keys::{Key, Owner, Shape},
    render_repository, resolve,
};

/// Every key of a table of keys as a dotted path; entries under free names have `*`.
fn known(keys: &[Key], above: &str, paths: &mut BTreeSet<String>) {
    for key in keys {
        let path = format!("{above}{}", key.name);
        match key.shape {
            Shape::Table(inner) | Shape::Tables(inner) => known(inner, &format!("{path}."), paths),
            Shape::Named(inner) => known(inner, &format!("{path}.*."), paths),
            Shape::TableAndNamed(own, inner) => {
                known(own, &format!("{path}."), paths);
                known(inner, &format!("{path}.*."), paths);
            }
            _ => {
                paths.insert(path);
            }
        }
    }
}

/// Whether a path of keys occurs in a file.
fn occurs(value: &toml::Value, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    match value {
        toml::Value::Array(items) => items.iter().any(|item| occurs(item, path)),
        toml::Value::Table(table) if *first == "*" => {
            table.values().any(|value| occurs(value, rest))
        }
        toml::Value::Table(table) => table.get(*first).is_some_and(|value| occurs(value, rest)),
        _ => false,
    }
}

#[test]
fn the_reference_files_hold_every_known_key() {
    for (owner, text) in [
        (Owner::Repository, DEFAULT_REPOSITORY_FILE),
        (Owner::User, DEFAULT_USER_FILE),
    ] {
        let file = toml::Value::Table(text.parse().unwrap());
        let mut paths = BTreeSet::new();
        known(owner.keys(), "", &mut paths);
        for path in paths {
            // The tables of `[repo."PATH"]` are those of the whole file.
            if path.starts_with("repo.") {
                continue;
            }
            let parts: Vec<&str> = path.split('.').collect();
            assert!(occurs(&file, &parts), "{path} is not in the reference file");
        }
    }
}

#[test]
fn the_reference_files_are_read_and_say_the_real_defaults() {
    let repository = repository(DEFAULT_REPOSITORY_FILE).unwrap();
    let mut user = user(DEFAULT_USER_FILE).unwrap();
    assert!(user.models.contains_key("work"));
    user.models.clear();
    let none = Overrides::default();
    let resolved = resolve(Some(&repository), &user, &none, &none).unwrap();
    let with_money = Limits {
        usd: Some(Money::from_usd(5.0)),
        day_usd: Some(Money::from_usd(20.0)),
        session_usd: Some(Money::from_usd(4.0)),
        feature_usd: Some(Money::from_usd(4.0)),
        ..Limits::default()
    };
    assert_eq!(resolved.policy.limits, with_money);
    let empty = resolve(None, &super::user("").unwrap(), &none, &none).unwrap();
    let (shown, built_in) = (resolved.policy, empty.policy);
    assert_eq!(shown.feature_file, built_in.feature_file);
    assert_eq!(shown.map_file, built_in.map_file);
    assert_eq!(shown.context_budget, built_in.context_budget);
    assert_eq!(shown.isolate, built_in.isolate);
    assert_eq!(shown.review, built_in.review);
}

#[test]
fn a_truncated_file_is_read_or_refused_and_never_panics() {
    for text in [DEFAULT_REPOSITORY_FILE, DEFAULT_USER_FILE] {
        for end in (0..text.len())
            .filter(|end| text.is_char_boundary(*end))
            .step_by(7)
        {
            let errors = [repository(&text[..end]).err(), user(&text[..end]).err()];
            for error in errors.iter().flatten() {
                assert!(!super::shown(error).is_empty());
            }
        }
    }
}

#[test]
fn a_file_with_a_wrong_byte_is_read_or_refused_and_never_panics() {
    let text = DEFAULT_REPOSITORY_FILE;
    for at in (0..text.len()).step_by(23) {
        for wrong in ["\u{0}", "\"", "]", "\u{feff}", "é", "\r", "[[", "=", "'''"] {
            let garbled = format!("{}{wrong}{}", &text[..at], &text[at..]);
            if let Err(error) = repository(&garbled) {
                assert!(!super::shown(&error).is_empty());
            }
        }
    }
}

fn gate(name: &str, run: &[&str], reader: Reader) -> Gate {
    let report = reader.as_str();
    let text = format!("[[gate]]\nname = \"{name}\"\nrun = [\"x\"]\nreport = \"{report}\"");
    let read = repository(&text).unwrap().gates.remove(0);
    Gate {
        run: run.iter().map(|word| (*word).to_owned()).collect(),
        ..read
    }
}

#[test]
fn a_fresh_file_reads_back_as_what_was_detected() {
    let odd = Gate {
        cwd: harness_core::RepoPath::parse("a \"b\"/ü").unwrap(),
        environment: vec!["HOME_URL".to_owned()],
        when: harness_core::When::Turn,
        baseline: harness_core::Baseline::NoWorse,
        paths: vec!["src/**".to_owned()],
        ..gate(
            "odd",
            &["sh", "-c", "echo 'a' \"b\" \\ \n\t\u{7f}"],
            Reader::Tap,
        )
    };
    let detected = Detected {
        write: vec!["src/**".to_owned(), "tests/**".to_owned()],
        build: vec!["target".to_owned()],
        gates: vec![gate("test", &["cargo", "test"], Reader::Cargo), odd],
        feature_file: Some("prd.json".to_owned()),
    };
    let read = repository(&render_repository(&detected)).unwrap();
    let values = |list: &[harness_core::Sourced]| -> Vec<String> {
        list.iter().map(|pattern| pattern.value.clone()).collect()
    };
    assert_eq!(values(&read.scope.write), detected.write);
    assert_eq!(values(&read.scope.build), detected.build);
    assert_eq!(read.gates, detected.gates);
    let file = read.feature_file.map(|file| file.value.to_text());
    assert_eq!(file, detected.feature_file);
    assert!(repository(&render_repository(&Detected::default())).is_ok());
}

#[test]
fn a_fresh_file_is_short_and_explains_itself() {
    let detected = Detected {
        write: vec!["src/**".to_owned()],
        build: vec!["target".to_owned()],
        gates: vec![gate("test", &["cargo", "test"], Reader::Cargo)],
        feature_file: None,
    };
    insta::assert_snapshot!(render_repository(&detected), @r#"
    # What an agent may do in this repository, and what must be green before its work counts.
    # Every key, documented: `harness config default`.

    [scope]
    # What an agent may write.
    write = ["src/**"]
    # Build outputs: writable, never kept.
    build = ["target"]

    # Each gate is one command, without a shell. All of them must be green.
    [[gate]]
    name = "test"
    run = ["cargo", "test"]
    timeout = "10m"
    report = "cargo"
    min_tests = 1
    "#);
    insta::assert_snapshot!(render_repository(&Detected::default()), @r#"
    # What an agent may do in this repository, and what must be green before its work counts.
    # Every key, documented: `harness config default`.

    [scope]
    # Nothing may be written yet: name the folders of your sources, such as "src/**".
    write = []

    # Without a gate nothing can be proven. For instance:
    #
    # [[gate]]
    # name = "test"
    # run = ["make", "test"]
    "#);
}
