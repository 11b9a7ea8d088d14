//! Gates that run real test tools, read test by test: green, red, and broken before the first test.

use std::path::Path;

use serde_json::{Value, json};

use super::has;
use crate::support::{Desk, say};

/// One project in several states, each with what its gate must say.
struct Case {
    /// The lines of the gate.
    gate: String,
    /// The files that are the same in each state.
    files: &'static [(&'static str, &'static str)],
    /// The file that differs.
    path: &'static str,
    green: (&'static str, Value),
    /// The text and what is said about its tests.
    red: (&'static str, &'static str),
    /// What the excerpt of the red state must have.
    red_place: &'static str,
    broken: &'static str,
    broken_place: &'static str,
}

impl Case {
    fn check(&self) {
        let config = format!(
            "[scope]\nwrite = [\"src/**\"]\nbuild = [\"target\"]\n[[gate]]\nname = \"test\"\ntimeout = \"5m\"\n{}\n",
            self.gate
        );
        let mut files = vec![("harness.toml", config.as_str()), (self.path, self.green.0)];
        files.extend(self.files);
        let desk = Desk::of(&files, "/target\n__pycache__\n.pytest_cache\n");

        let run = desk.harness(&["gate", "run", "--json"]);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        let line: Value = serde_json::from_str(run.stdout.trim_end()).unwrap();
        assert_eq!(line["status"], "green", "{line}");
        assert_eq!(line["tests"], self.green.1, "{line}");

        for (text, words) in [
            (self.red.0, [self.red.1, self.red_place]),
            (self.broken, ["gate: test", self.broken_place]),
        ] {
            desk.project.write(self.path, text);
            let run = desk.harness(&["gate", "run"]);
            assert_eq!(run.code, 4, "{}{}", run.stdout, run.stderr);
            for word in words {
                assert!(run.stdout.contains(word), "no {word:?} in {}", run.stdout);
            }
        }
    }
}

fn counts(run: u32, failed: u32, skipped: u32) -> Value {
    json!({ "run": run, "failed": failed, "skipped": skipped })
}

/// Returns a Python that has pytest.
pub(crate) fn python() -> Option<&'static str> {
    let has_pytest = |python: &&str| Path::new(python).exists() || !python.starts_with('/');
    let found = ["/usr/bin/python3", "python3"]
        .into_iter()
        .filter(has_pytest)
        .find(|python| has(python, &["-c", "import pytest"]));
    if found.is_none() {
        say("skipped: no Python here has pytest");
    }
    found
}

#[test]
fn pytest_is_read_test_by_test() {
    let Some(python) = python() else { return };
    Case {
        gate: format!("run = [\"{python}\", \"-m\", \"pytest\", \"-v\"]\nreport = \"pytest\""),
        files: &[("src/shop.py", "def total(): return 3\n")],
        path: "tests/test_shop.py",
        green: (
            "import pytest\ndef test_a(): pass\ndef test_b(): pass\n@pytest.mark.skip\ndef test_c(): pass\n",
            counts(2, 0, 1),
        ),
        red: ("def test_a(): pass\ndef test_b():\n    assert 3 == 4\n", "1 of 2 tests failed: "),
        red_place: "tests/test_shop.py:3: AssertionError",
        broken: "import nowhere\ndef test_a(): pass\n",
        broken_place: "No module named 'nowhere'",
    }
    .check();
}

#[test]
fn go_is_read_test_by_test() {
    if !has("go", &["version"]) {
        return;
    }
    for flag in ["-json", "-v"] {
        Case {
            gate: format!("run = [\"go\", \"test\", \"{flag}\", \"./...\"]\nreport = \"go\""),
            files: &[("go.mod", "module demo\n\ngo 1.19\n"), ("src/a.go", "package a\n")],
            path: "src/a_test.go",
            green: (
                "package a\nimport \"testing\"\nfunc TestA(t *testing.T) {}\nfunc TestB(t *testing.T) { t.Skip() }\n",
                counts(1, 0, 1),
            ),
            red: (
                "package a\nimport \"testing\"\nfunc TestA(t *testing.T) {}\nfunc TestB(t *testing.T) {\n\tt.Error(\"wrong\")\n}\n",
                "1 of 2 tests failed: ",
            ),
            red_place: "a_test.go:5: wrong",
            broken: "package a\nimport \"testing\"\nfunc TestA(t *testing.T) { nothing() }\n",
            broken_place: "undefined: nothing",
        }
        .check();
    }
}

#[test]
fn node_is_read_test_by_test() {
    if !has("node", &["--test", "--version"]) {
        return;
    }
    for reporter in ["spec", "tap"] {
        Case {
            gate: format!(
                "run = [\"node\", \"--test\", \"--test-reporter={reporter}\", \"tests/\"]\nreport = \"node\""
            ),
            files: &[("src/a.js", "module.exports = 1;\n")],
            path: "tests/a.test.js",
            green: (
                "const test = require('node:test');\ntest('a', () => {});\ntest.skip('b', () => {});\n",
                counts(1, 0, 1),
            ),
            red: (
                "const test = require('node:test');\ntest('a', () => {});\ntest('b', () => { throw new Error('wrong'); });\n",
                "1 of 2 tests failed: ",
            ),
            red_place: "a.test.js:3",
            broken: "require('nowhere');\n",
            broken_place: "a.test.js",
        }
        .check();
    }
}

#[test]
fn cargo_and_nextest_are_read_test_by_test() {
    let mut gates = vec!["\"cargo\", \"test\", \"--offline\""];
    if has("cargo", &["nextest", "--version"]) {
        gates.push("\"cargo\", \"nextest\", \"run\", \"--offline\"");
    }
    for gate in gates {
        Case {
            gate: format!("run = [{gate}]\nreport = \"cargo\""),
            files: &[
                (
                    "Cargo.toml",
                    "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\ndoctest = false\n",
                ),
                ("Cargo.lock", "# This file is automatically @generated by Cargo.\n# It is not intended for manual editing.\nversion = 4\n\n[[package]]\nname = \"demo\"\nversion = \"0.1.0\"\n"),
            ],
            path: "src/lib.rs",
            green: ("#[test]\nfn a() {}\n#[test]\n#[ignore]\nfn b() {}\n", counts(1, 0, 1)),
            red: ("#[test]\nfn a() {}\n#[test]\nfn b() {\n    assert_eq!(3, 4);\n}\n", "1 of 2 tests failed: "),
            red_place: "src/lib.rs:5:5",
            broken: "#[test]\nfn a() { nothing() }\n",
            broken_place: "--> src/lib.rs:2:10",
        }
        .check();
    }
}

const POM: &str = r"<project xmlns='http://maven.apache.org/POM/4.0.0'>
  <modelVersion>4.0.0</modelVersion>
  <groupId>demo</groupId><artifactId>demo</artifactId><version>1</version>
  <properties>
    <maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.x</version><scope>test</scope></dependency>
  </dependencies>
  <build><plugins>
    <plugin><artifactId>maven-surefire-plugin</artifactId><version>2.22.3</version></plugin>
    <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.0</version></plugin>
    <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.10.1</version></plugin>
  </plugins></build>
</project>
";

#[test]
fn maven_is_read_by_the_reports_of_surefire() {
    const PLUGINS: &str = "/usr/share/maven-repo/org/apache/maven/plugins";
    let plugins = [
        "maven-surefire-plugin/2.22.3",
        "maven-resources-plugin/3.3.0",
        "maven-compiler-plugin/3.10.1",
    ];
    let is_there = plugins
        .iter()
        .all(|plugin| Path::new(PLUGINS).join(plugin).exists());
    if !has("mvn", &["-version"]) || !is_there {
        return say("skipped: Maven is not here with the plugins of the system's own repository");
    }
    Case {
        gate: "run = [\"mvn\", \"-B\", \"-o\", \"-Dmaven.repo.local=/usr/share/maven-repo\", \"test\"]\n\
               report = \"junit\"\nreport_file = \"target/surefire-reports/*.xml\""
            .to_owned(),
        files: &[("pom.xml", POM)],
        path: "src/test/java/demo/AllTest.java",
        green: (
            "package demo;\nimport org.junit.*;\npublic class AllTest {\n  @Test public void a() {}\n  @Ignore @Test public void b() {}\n}\n",
            counts(1, 0, 1),
        ),
        red: (
            "package demo;\nimport org.junit.*;\npublic class AllTest {\n  @Test public void a() {}\n  @Test public void b() { Assert.assertEquals(3, 4); }\n}\n",
            "1 of 2 tests failed: ",
        ),
        red_place: "AllTest.java:5",
        broken: "package demo;\npublic class AllTest { void a() { nothing(); } }\n",
        broken_place: "AllTest.java:[2,35] cannot find symbol",
    }
    .check();
}
