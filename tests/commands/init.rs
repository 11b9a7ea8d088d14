//! `harness init` in fresh projects.

use harness_testkit::{Home, Project};

use super::{assert_ok, json, picture};
use crate::support::PROGRAM;

type Files = &'static [(&'static str, &'static str)];

const RUST: Files = &[
    (
        "Cargo.toml",
        "[package]\nname = \"x\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    ),
    ("src/lib.rs", "pub fn a() {}\n"),
    ("tests/a.rs", "#[test]\nfn a() {}\n"),
];
const PYTHON: Files = &[
    (
        "pyproject.toml",
        "[project]\nname = \"x\"\nversion = \"1\"\n[tool.pytest.ini_options]\n",
    ),
    ("src/x/__init__.py", "A = 1\n"),
    ("tests/test_a.py", "def test_a(): pass\n"),
];
const NODE: Files = &[
    (
        "package.json",
        "{ \"name\": \"x\", \"scripts\": { \"test\": \"node --test\" } }\n",
    ),
    ("src/a.js", "export const a = 1\n"),
    ("test/a.test.js", "import 'node:test'\n"),
];
const SHELL: Files = &[("src/a.sh", "echo a\n"), ("tests/run.sh", "echo ok\n")];
const NOTHING: Files = &[("README", "hello\n")];

#[test]
fn a_fresh_project_gets_a_configuration_that_is_read_back() {
    let cases: [(&str, Files, &[&str], &[&str]); 5] = [
        (
            "rust",
            RUST,
            &["src/**", "tests/**"],
            &["cargo test", "cargo clippy"],
        ),
        ("python", PYTHON, &["src/**", "tests/**"], &["pytest"]),
        ("node", NODE, &["src/**", "test/**"], &["node --test"]),
        (
            "shell",
            SHELL,
            &["src/**", "tests/**"],
            &["sh tests/run.sh"],
        ),
        ("nothing", NOTHING, &[], &[]),
    ];
    for (name, files, scopes, gates) in cases {
        let (home, project) = (Home::new(PROGRAM), Project::with_files(files));
        let run = |arguments: &[&str]| home.run(&project.root(), arguments);
        let head = project.git(&["rev-parse", "HEAD"]);
        let initialised = run(&["init", "--yes"]);
        assert_ok(&initialised);
        assert!(
            initialised.stdout.contains("nothing committed"),
            "{}",
            initialised.stdout
        );

        assert_eq!(
            project.git(&["rev-parse", "HEAD"]),
            head,
            "{name}: nothing is committed"
        );
        let status = project.git(&["status", "--porcelain"]);
        assert_eq!(
            status, "?? .gitattributes\n?? AGENTS.md\n?? feature_list.json\n?? harness.toml",
            "{name}"
        );

        let config = run(&["config", "show", "--origin"]);
        assert_ok(&config);
        for scope in scopes {
            let line = format!("scope.write = \"{scope}\"  # harness.toml:");
            assert!(
                config.stdout.contains(&line),
                "{name}: no {line} in {}",
                config.stdout
            );
        }
        let listed = run(&["gate", "list"]);
        assert_ok(&listed);
        for gate in gates {
            assert!(
                listed.stdout.contains(gate),
                "{name}: no {gate} in {}",
                listed.stdout
            );
        }
        assert_ok(&run(&["status"]));
        assert_ok(&run(&["trust", "--show"]));
        let features = run(&["feature", "list"]);
        assert_ok(&features);
        assert!(
            features.stdout.contains("the list is empty"),
            "{}",
            features.stdout
        );

        let before = picture(&project);
        let again = run(&["init", "--yes"]);
        assert_ok(&again);
        assert!(again.stdout.contains("nothing written"), "{}", again.stdout);
        assert_eq!(
            json(&run(&["init", "--yes", "--json"]))[0]["files"],
            serde_json::json!([])
        );
        assert_eq!(
            picture(&project),
            before,
            "{name}: a second init changes nothing"
        );
    }
}

#[test]
fn what_is_there_is_kept() {
    let (home, project) = (Home::new(PROGRAM), Project::with_files(SHELL));
    project.write("AGENTS.md", "mine\n");
    project.write("feature_list.json", "[]\n");
    let run = home.run(&project.root(), &["init", "--yes", "--json"]);
    assert_ok(&run);
    assert_eq!(
        json(&run)[0]["files"],
        serde_json::json!(["harness.toml", ".gitattributes"])
    );
    assert_eq!(project.read("AGENTS.md"), "mine\n");
    assert_eq!(project.read("feature_list.json"), "[]\n");
}

#[test]
fn without_a_yes_it_shows_and_writes_nothing() {
    let (home, project) = (Home::new(PROGRAM), Project::with_files(SHELL));
    let before = picture(&project);
    let run = home.run(&project.root(), &["init"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(run.stdout.contains("  +[scope]"), "{}", run.stdout);
    assert!(
        run.stderr.contains("hint: harness init --yes"),
        "{}",
        run.stderr
    );
    assert_eq!(picture(&project), before);
}

#[test]
fn what_init_proposes_can_be_trusted_and_worked_with() {
    let (home, project) = (Home::new(PROGRAM), Project::with_files(SHELL));
    let run = |arguments: &[&str]| home.run(&project.root(), arguments);
    assert_ok(&run(&["init", "--yes"]));
    project.commit_all("rules");
    assert_ok(&run(&["trust", "--yes"]));
    assert_ok(&run(&["gate", "run"]));
    assert_ok(&run(&["feature", "add", "Say hello"]));
    project.commit_all("a wish");
    let script = project.outside().join("script.toml");
    let text = "[[session]]\n[[session.turn]]\ncalls = [{ tool = \"write\", path = \"src/hello.sh\", content = \"echo hello\\n\" }]\n\
        [[session.turn]]\ncalls = [{ tool = \"finish\", text = \"done\" }]\n";
    std::fs::write(&script, text).unwrap();
    assert_ok(&run(&[
        "run",
        "--model",
        &format!("script:{}", script.display()),
    ]));
    assert_ok(&run(&["land"]));
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    assert_eq!(project.read("src/hello.sh"), "echo hello\n");
}

#[test]
fn the_progress_log_is_said_to_merge_line_by_line_and_nothing_else_of_the_file_changes() {
    let line = "progress.md merge=union";
    let cases = [
        ("*.x text", "*.x text\nprogress.md merge=union\n"),
        ("*.x text\r\n", "*.x text\r\nprogress.md merge=union\r\n"),
        ("", "progress.md merge=union\n"),
        (
            "progress.md -text\n",
            "progress.md -text\nprogress.md merge=union\n",
        ),
        (
            "/progress.md text merge=union",
            "/progress.md text merge=union",
        ),
        ("progress.md -merge\n", "progress.md -merge\n"),
    ];
    for (before, after) in cases {
        let (home, project) = (Home::new(PROGRAM), Project::with_files(SHELL));
        project.write(".gitattributes", before);
        let run = |arguments: &[&str]| home.run(&project.root(), arguments);
        let shown = run(&["init"]);
        assert_eq!(shown.code, 5);
        assert_eq!(project.read(".gitattributes"), before, "shown, not written");
        let told = format!("note: at the end of .gitattributes\n  +{line}\n");
        assert_eq!(
            shown.stdout.contains(&told),
            before != after,
            "{}",
            shown.stdout
        );
        assert_ok(&run(&["init", "--yes"]));
        assert_eq!(project.read(".gitattributes"), after);
        assert_ok(&run(&["init", "--yes"]));
        assert_eq!(project.read(".gitattributes"), after, "once");
    }
    let (home, project) = (Home::new(PROGRAM), Project::with_files(SHELL));
    project.write("claude-progress.txt", "so far\n");
    assert_ok(&home.run(&project.root(), &["init", "--yes"]));
    assert_eq!(
        project.read(".gitattributes"),
        "claude-progress.txt merge=union\n"
    );
}
