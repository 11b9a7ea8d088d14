//! What the modules of this binary share: the program, a small project, and a way to run it.

mod level;
mod live;
mod story;
mod terminal;
mod world;

use harness_testkit::{Home, Project, Run, Server};

pub(crate) use level::levels;
pub(crate) use live::{Live, assert_gone, signal, unique_word};
pub(crate) use story::{FINISH, Story, endless, has_answer, messages, news, session, shell, write};
pub(crate) use terminal::{Modes, Terminal};
pub(crate) use world::{alive, say};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_harness");

/// The words of the wires a model can be spoken to over.
pub(crate) const WIRES: [&str; 5] = ["anthropic", "chat", "responses", "gemini", "ollama"];

/// Gates that need nothing but `sh`: the test prints TAP.
pub(crate) const CONFIG: &str = r#"
[scope]
write = ["src/**", "tests/**"]

[[gate]]
name = "test"
run = ["sh", "tests/run.sh"]
timeout = "1m"
report = "tap"
"#;

/// Passes when `src/answer` says 42.
pub(crate) const TESTS: &str = r#"
cd "$(dirname "$0")/.." || exit 2
echo 1..2
[ -f src/answer ] && echo "ok 1 - there is an answer" || echo "not ok 1 - there is an answer"
if [ "$(cat src/answer)" = 41 ]; then echo "not ok 2 - the answer is not 41"; exit 1; fi
echo "ok 2 - the answer is not 41"
"#;

pub(crate) const FEATURES: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "description": "src/answer must say 42", "status": "pending", "passes": false }
] }
"#;

/// A project with one feature, its gates, and a home that trusts it.
pub(crate) struct Desk {
    pub(crate) home: Home,
    pub(crate) project: Project,
}

impl Desk {
    /// Makes the project of this module, committed and trusted.
    pub(crate) fn new() -> Self {
        Self::with_files(&[
            ("harness.toml", CONFIG),
            (
                "AGENTS.md",
                "# demo\n\nOne answer. Details: [docs/answer.md](docs/answer.md)\n",
            ),
            ("docs/answer.md", "The answer is 42.\n"),
            ("feature_list.json", FEATURES),
            ("src/answer", "0\n"),
            ("tests/run.sh", TESTS),
        ])
    }

    /// Makes a project of these files, committed and trusted.
    pub(crate) fn with_files(files: &[(&str, &str)]) -> Self {
        let desk = Self {
            home: Home::new(PROGRAM),
            project: Project::with_files(files),
        };
        let trusted = desk.harness(&["trust", "--yes"]);
        assert_eq!(trusted.code, 0, "{}", trusted.stderr);
        desk
    }

    /// Tells the home about a model behind a test server: name `test`, wire `api`.
    pub(crate) fn use_server(&self, server: &Server, api: &str) {
        let base = server.base_url(api);
        self.home.configure(&format!(
            "[agent]\nmodel = \"test\"\n[model.test]\napi = \"{api}\"\nbase_url = \"{base}\"\nid = \"test-model\"\n"
        ));
    }

    /// Runs the program in the project.
    pub(crate) fn harness(&self, arguments: &[&str]) -> Run {
        self.home.run(&self.project.root(), arguments)
    }

    /// Writes a script beside the project and returns the flag that names it.
    pub(crate) fn script(&self, text: &str) -> String {
        let path = self.project.outside().join("script.toml");
        std::fs::write(&path, text).expect("a file in a temporary folder");
        format!("script:{}", path.display())
    }
}
