//! A published crate from this machine's registry cache: broken, caught, mended, landed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use harness_testkit::{Home, Project, Server};
use serde_json::Value;

use crate::support::{Desk, FINISH, PROGRAM, news, say, session, shell};

/// A crate with quick tests and no dependencies, a line of it that matters, and one of its tests that notices.
struct Candidate {
    name: &'static str,
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
    notices: &'static str,
    added: &'static str,
}

const CANDIDATES: [Candidate; 3] = [
    Candidate {
        name: "strsim",
        file: "src/lib.rs",
        right: "if x != y {",
        wrong: "if x == y {",
        notices: "hamming",
        added: "assert_eq!(crate::levenshtein(\"kitten\", \"sitting\"), 3);",
    },
    Candidate {
        name: "shlex",
        file: "src/bytes.rs",
        right: "if ch2 != b'\\n' { result.push(ch2); }",
        wrong: "if ch2 == b'\\n' { result.push(ch2); }",
        notices: "test_split",
        added: "assert_eq!(crate::split(\"a 'b c'\").unwrap(), [\"a\", \"b c\"]);",
    },
    Candidate {
        name: "percent-encoding",
        file: "src/lib.rs",
        right: "%20%21%22%23",
        wrong: "%20%20%22%23",
        notices: "percent_encode_byte",
        added: "assert_eq!(crate::percent_encode_byte(b' '), \"%20\");",
    },
];

/// The limits are wide: how fast a machine compiles is not what is tested.
const CONFIG: &str = r#"
[scope]
write = ["src/**", "tests/**"]
build = ["target"]

[[gate]]
name = "test"
run = ["cargo", "test"]
timeout = "5m"
report = "cargo"
min_tests = 5
"#;

const FEATURES: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "One test more", "description": "There is one test more than before", "status": "pending", "passes": false }
] }
"#;

#[test]
fn a_broken_test_of_a_published_crate_is_caught_and_mended_and_landed() {
    let Some((candidate, desk)) = CANDIDATES.iter().find_map(unpacked) else {
        say("skipped: none of the known crates is in the registry cache");
        return;
    };
    let line = |old: &str, new: &str| {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        format!(
            "{{ tool = \"edit\", path = \"{}\", old = {}, new = {} }}",
            candidate.file,
            quoted(old),
            quoted(new)
        )
    };
    let added = shell(&format!(
        "cat >> src/lib.rs <<'END'\n\n#[cfg(test)]\nmod one_more {{\n    #[test]\n    fn is_right() {{\n        {}\n    }}\n}}\nEND",
        candidate.added
    ));
    let (breaks, mends) = (
        line(candidate.right, candidate.wrong),
        line(candidate.wrong, candidate.right),
    );
    let server = Server::scripted(&session("F-1", &[&added, &breaks, FINISH, &mends, FINISH]));
    desk.use_server(&server, "anthropic");
    let before = desk.person_side();

    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let refusal = news(&server.received()[3]);
    assert!(
        refusal.contains("Not done") && refusal.contains(candidate.notices),
        "{refusal}"
    );
    let base = tests(story.first("baseline_ended"));
    let checks = story.all("check_ended");
    assert_eq!(checks.len(), 2, "{story}");
    assert_eq!(
        (checks[0]["status"].as_str(), checks[1]["status"].as_str()),
        (Some("red"), Some("green")),
        "{story}"
    );
    assert!(checks[0]["tests"]["failed"].as_u64() > Some(0), "{story}");
    assert_eq!(tests(checks[1]), base + 1, "{story}");
    assert_eq!(desk.person_side(), before);

    assert_eq!(desk.harness(&["land"]).code, 0);
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    assert_eq!(
        desk.project
            .git(&[
                "diff",
                "--stat",
                "HEAD~1",
                "--",
                candidate.file,
                "src/lib.rs"
            ])
            .lines()
            .count(),
        2
    );
    let verified = desk.harness(&["verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    say(&format!(
        "{} {base} tests, caught by `{}`",
        candidate.name, candidate.notices
    ));
}

fn tests(line: &Value) -> u64 {
    line["tests"]["run"]
        .as_u64()
        .unwrap_or_else(|| panic!("no tests in {line}"))
}

/// Unpacks a crate into a repository of its own, if it is there and builds here without a network.
fn unpacked(candidate: &'static Candidate) -> Option<(&'static Candidate, Desk)> {
    let archive = archive(candidate.name)?;
    let project = Project::new();
    let done = Command::new("tar")
        .arg("--extract")
        .arg("--strip-components=1")
        .arg("--file")
        .arg(&archive)
        .current_dir(project.root())
        .status();
    done.ok().filter(std::process::ExitStatus::success)?;
    let source = fs::read_to_string(project.root().join(candidate.file)).ok()?;
    if source.matches(candidate.right).count() != 1 {
        say(&format!(
            "skipped: {} is not as it is known",
            archive.display()
        ));
        return None;
    }
    for (path, text) in [
        ("harness.toml", CONFIG),
        ("feature_list.json", FEATURES),
        (".gitignore", "/target\n"),
    ] {
        project.write(path, text);
    }
    // The lock file that this makes belongs to the base: a gate may not add it.
    let metadata = Command::new("cargo")
        .args(["metadata", "--offline", "--format-version", "1"])
        .current_dir(project.root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    metadata.ok().filter(std::process::ExitStatus::success)?;
    project.commit_all("start");
    let desk = Desk {
        home: Home::new(PROGRAM),
        project,
    };
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
    Some((candidate, desk))
}

/// Finds a crate's archive in cargo's home: the newest version by name.
fn archive(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = fs::read_dir(home.join("registry/cache")).ok()?;
    let files = registries
        .flatten()
        .filter_map(|registry| fs::read_dir(registry.path()).ok());
    let is_version = |file: &PathBuf| {
        let file = file
            .file_name()
            .and_then(|file| file.to_str())
            .unwrap_or_default();
        let version = file
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('-'));
        version.is_some_and(|version| {
            version.starts_with(|first: char| first.is_ascii_digit()) && version.ends_with(".crate")
        })
    };
    files
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(is_version)
        .max()
}
