//! Published packages of Python and Node as places of work: proposed by `init`, refused with the
//! failing test's name, mended, proven, landed. What the agent does is scripted; the rest is real.

use std::{path::Path, process::Command};

use harness_testkit::{Home, Project, Server};
use sha2::{Digest as _, Sha256};

use super::{has, reports::python, tests_run};
use crate::support::{Desk, FINISH, PROGRAM, Story, news, say, session, shell, write};

/// A published archive, as it was when this was written.
struct Archive {
    url: &'static str,
    sha256: &'static str,
}

const INFLECTION: Archive = Archive {
    url: "https://files.pythonhosted.org/packages/e1/7e/691d061b7329bc8d54edbf0ec22fbfb2afe61facb681f9aaa9bff7a27d04/inflection-0.5.1.tar.gz",
    sha256: "1a29730d366e996aaacffb2f1f1cb9593dc38e2ddd30c91250c6dde09ea9b417",
};

const FASTIFY_ERROR: Archive = Archive {
    url: "https://registry.npmjs.org/@fastify/error/-/error-4.2.0.tgz",
    sha256: "58ec6d9b9c29a78cbe98de68cf8d7b648ca4f8791db6c2d32d8a72e26415245f",
};

impl Archive {
    /// Unpacks the archive into a folder, where the network is there.
    ///
    /// # Panics
    /// Where it is not the archive that is known, or `HARNESS_REQUIRE_NETWORK` is set and it does not come.
    fn unpack(&self, folder: &Path) -> Option<()> {
        let file = folder.with_extension("archive");
        let got = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--fail",
                "--location",
                "--retry",
                "2",
            ])
            .args(["--max-time", "60", "--output"])
            .arg(&file)
            .arg(self.url)
            .output();
        let problem = match got {
            Ok(got) if got.status.success() => None,
            Ok(got) => Some(String::from_utf8_lossy(&got.stderr).trim().to_owned()),
            Err(error) => Some(format!("curl: {error}")),
        };
        if let Some(problem) = problem {
            let must = std::env::var_os("HARNESS_REQUIRE_NETWORK").is_some();
            assert!(!must, "{} did not come: {problem}", self.url);
            say(&format!("skipped: {} did not come: {problem}", self.url));
            return None;
        }
        let bytes = std::fs::read(&file).unwrap();
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(digest, self.sha256, "{} is another archive", self.url);
        let unpacked = Command::new("tar")
            .args([
                "--extract",
                "--no-same-owner",
                "--strip-components=1",
                "--file",
            ])
            .arg(&file)
            .arg("--directory")
            .arg(folder)
            .status();
        assert!(unpacked.unwrap().success());
        Some(())
    }
}

/// Unpacks a package into a repository, and lets `init` propose what a person then keeps.
fn proposed(archive: &Archive, feature: &str, kept: impl Fn(String) -> String) -> Option<Desk> {
    let project = Project::new();
    archive.unpack(&project.root())?;
    project.commit_all("start");
    let desk = Desk {
        home: Home::new(PROGRAM),
        project,
    };
    let init = desk.harness(&["init", "--yes"]);
    assert_eq!(init.code, 0, "{}", init.stderr);
    let config = kept(desk.project.read("harness.toml"));
    desk.project.write("harness.toml", &config);
    desk.project.commit_all("harness");
    for arguments in [&["trust", "--yes"][..], &["feature", "add", feature]] {
        let run = desk.harness(arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    desk.project.commit_all("feature");
    Some(desk)
}

/// Runs the feature; returns what it told and what the model heard after each of its turns.
fn work(desk: &Desk, turns: &[&str]) -> (Story, Vec<String>) {
    let server = Server::scripted(&session("F-001", turns));
    desk.use_model(&server, "");
    let before = desk.person_side();
    let story = desk.story(&["run"]);
    assert_eq!(desk.person_side(), before);
    (story, server.received()[1..].iter().map(news).collect())
}

/// Holds a run that was refused once and proven then, and lands it.
fn assert_refused_then_landed(desk: &Desk, story: &Story, tests: u64) {
    story.assert_ended("all_passing", 0);
    let checks: Vec<_> = story
        .all("check_ended")
        .iter()
        .map(|line| line["status"].clone())
        .collect();
    assert_eq!(
        checks.first().map(ToString::to_string),
        Some("\"red\"".to_owned()),
        "{story}"
    );
    assert_eq!(
        checks.last().map(ToString::to_string),
        Some("\"green\"".to_owned()),
        "{story}"
    );
    assert_eq!(story.all("finish_refused").len(), 1, "{story}");
    assert_eq!(
        tests_run(story.first("baseline_ended")),
        Some(tests),
        "{story}"
    );
    assert_eq!(
        tests_run(story.all("check_ended").last().unwrap()),
        Some(tests),
        "{story}"
    );
    let landed = desk.harness(&["land"]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    let verified = desk.harness(&["verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
}

#[test]
fn a_package_of_pypi_is_worked_on_and_landed() {
    let Some(python) = python() else { return };
    let kept = |config: String| {
        let proposed = "run = [\"python3\", \"-m\", \"pytest\", \"-v\"]";
        assert!(config.contains(proposed), "{config}");
        assert!(
            config.contains("write = [\"inflection/**\", \"*.py\"]"),
            "{config}"
        );
        config.replace("\"python3\"", &format!("\"{python}\""))
    };
    let Some(desk) = proposed(&INFLECTION, "Keep the code in a module of its own", kept) else {
        return;
    };
    let map = desk.project.read("AGENTS.md");
    assert!(
        map.contains("`inflection/`: a package") && map.contains("(README.rst)"),
        "{map}"
    );

    let look = r#"{ tool = "list", depth = 2 }, { tool = "search", query = "def ordinal|in \\(11", path = "inflection", context = 1 }, { tool = "read", path = "inflection/__init__.py", first = 228, last = 240 }"#;
    let moves = format!(
        "{{ tool = \"move\", path = \"inflection/__init__.py\", to = \"inflection/core.py\" }}, {}",
        write(
            "inflection/__init__.py",
            "from inflection.core import *\nfrom inflection.core import __version__\n"
        )
    );
    // The first is told without its indentation.
    let edits = r#"{ tool = "edit", path = "inflection/core.py", edits = [
        { old = "if number % 100 in (11, 12, 13):\n    return \"th\"", new = "if number % 100 in (11, 12):\n    return \"th\"" },
        { old = "    Turn a number into an ordinal string used to denote the position in an\n", new = "    Turn a whole number into an ordinal string used to denote the position in an\n" },
        { old = "        >>> ordinalize(-11)\n", new = "        >>> ordinalize(13)\n        '13th'\n        >>> ordinalize(-11)\n" } ] }"#;
    let try_it = shell(&format!(
        "{python} -c 'import inflection; print(inflection.ordinalize(13))'"
    ));
    let mends = r#"{ tool = "edit", path = "inflection/core.py", old = "in (11, 12):", new = "in (11, 12, 13):" }, { tool = "check", gate = "test" }"#;
    let (story, told) = work(
        &desk,
        &[look, &moves, edits, &try_it, FINISH, mends, FINISH],
    );

    assert!(
        told[0].contains("def ordinal(number: int) -> str:"),
        "{}",
        told[0]
    );
    assert!(
        told[1].contains("moved inflection/__init__.py to inflection/core.py"),
        "{}",
        told[1]
    );
    assert!(
        told[2].contains("4 lines added, 2 removed (matched edit 1 without indentation)"),
        "{}",
        told[2]
    );
    assert!(told[3].contains("13rd"), "{}", told[3]);
    for word in [
        "Not done",
        "test_inflection.py::test_ordinal[13-13th]",
        "assert '-13th' == '-13rd'",
    ] {
        assert!(told[4].contains(word), "no {word:?} in {}", told[4]);
    }
    assert!(told[5].contains("green, 455 tests"), "{}", told[5]);
    assert_refused_then_landed(&desk, &story, 455);
    let changed = desk
        .project
        .git(&["diff", "--stat", "HEAD~1", "--", "inflection", "*.pyc"]);
    assert_eq!(changed.lines().count(), 3, "{changed}");
    say("inflection 0.5.1: 455 tests, refused by name, proven, landed");
}

#[test]
fn a_package_of_npm_is_worked_on_and_landed() {
    if !has("node", &["--version"]) {
        return;
    }
    // A person without the development dependencies keeps what runs without them.
    let kept = |config: String| {
        let (head, gates) = config.split_at(config.find("[[gate]]").unwrap());
        let tests =
            "[[gate]]\nname = \"test\"\nrun = [\"node\", \"--test\", \"--test-reporter=tap\"]\n";
        for word in [
            tests,
            "name = \"lint\"",
            "name = \"test-typescript\"\nrun = [\"npm\", \"run\", \"test:typescript\"]",
        ] {
            assert!(gates.contains(word), "no {word} in {gates}");
        }
        format!("{head}{tests}report = \"node\"\nmin_tests = 29\n")
    };
    let Some(desk) = proposed(
        &FASTIFY_ERROR,
        "Say the status in the text of an error",
        kept,
    ) else {
        return;
    };
    let look = r#"{ tool = "list", depth = 2 }, { tool = "search", query = "statusCode", glob = "*.js", context = 1 }, { tool = "read", path = "index.js" }"#;
    // A test file that moves keeps its tests, and what it caught before it may still catch.
    let moves = r#"{ tool = "move", path = "test/instanceof.test.js", to = "test/instances/of.test.js" }, { tool = "edit", path = "test/instances/of.test.js", old = "require('..')", new = "require('../..')" }"#;
    let breaks = r#"{ tool = "edit", path = "index.js", edits = [
        { old = "this.statusCode = statusCode\n", new = "this.statusCode = statusCode || 500\n" },
        { old = "return `${this.name} [${this.code}]: ${this.message}`", new = "return `${this.name} [${this.code}]: ${this.message}` // as it is" } ] }"#;
    let mends = r#"{ tool = "edit", path = "index.js", edits = [
        { old = "statusCode || 500", new = "statusCode" },
        { old = "` // as it is", new = "`" },
        { old = "function toString () {\n", new = "// Name, code and message, as node prints them.\nfunction toString () {\n" } ] }"#;
    let try_it =
        shell("node -e 'console.log(require(\".\")(\"A\", \"b\", undefined)().statusCode)'");
    let (story, told) = work(
        &desk,
        &[look, moves, breaks, &try_it, FINISH, mends, FINISH],
    );

    assert!(
        told[0].contains("this.statusCode = statusCode"),
        "{}",
        told[0]
    );
    assert!(told[2].contains("edited index.js"), "{}", told[2]);
    for word in [
        "Not done",
        "Create error with no statusCode property",
        "500 == undefined",
    ] {
        assert!(told[4].contains(word), "no {word:?} in {}", told[4]);
    }
    assert_refused_then_landed(&desk, &story, 29);
    let renamed = desk
        .project
        .git(&["diff", "--stat", "-M", "HEAD~1", "--", "test"]);
    assert!(
        renamed.contains("instanceof.test.js => instances/of.test.js"),
        "{renamed}"
    );
    say("@fastify/error 4.2.0: 29 tests, refused by name, proven, landed");
}
