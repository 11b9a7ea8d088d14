//! Reports that are not what they say: each would be green by its exit code alone, and is not.
//!
//! Code under test runs in the process that writes the report, or writes to the
//! same output. Where it imitates its runner to the letter (every line, numbers that
//! agree, exit code 0), no reader can tell: such a run is green when it claims as many
//! tests as the base had. What holds then is that it must claim at least that many,
//! that tests which vanish and exits are findings in the change, that configuration of
//! the runner is protected, and that a person reviews it. That floor is tried here too.

use harness_testkit::Server;
use serde_json::Value;

use super::arena::is_caged;
use crate::{
    real_work::reports::python,
    support::{Desk, FEATURES, FINISH, Story, session, write},
};

/// Paths with their texts.
type Files<'a> = &'a [(&'a str, &'a str)];

/// Two gates of one command: one that believes the exit code, and one that reads.
fn config(run: &str, report: &str) -> String {
    format!(
        "[scope]\nwrite = [\"src/**\", \"tests/**\", \"package.json\", \"Cargo.toml\"]\nbuild = [\"target\"]\n\
         [[gate]]\nname = \"naive\"\nrun = [{run}]\ntimeout = \"2m\"\nreport = \"exit\"\n\
         [[gate]]\nname = \"test\"\nrun = [{run}]\ntimeout = \"2m\"\n{report}\n\
         [limits]\nattempts = 1\n"
    )
}

/// Runs both gates on files; the one that believes must be green. Returns what the other says.
fn forged(run: &str, report: &str, files: Files<'_>) -> Value {
    let config = config(run, report);
    let desk = Desk::with_files(&[&[("harness.toml", config.as_str())], files].concat());
    let naive = gate(&desk, "naive");
    assert_eq!(naive["status"], "green", "{naive}");
    gate(&desk, "test")
}

fn gate(desk: &Desk, name: &str) -> Value {
    let run = desk.harness(&["gate", "run", name, "--json"]);
    let line = run.stdout.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr))
}

/// Holds a forged report against the colour and the words it must have.
fn assert_refused(what: &str, line: &Value, word: &str) {
    assert_ne!(line["status"], "green", "{what}: {line}");
    let reason = line["reason"].as_str().unwrap_or_default();
    assert!(reason.contains(word), "{what}: no {word:?} in {line}");
}

const FAILING: &str = "def test_a():\n    pass\ndef test_b():\n    assert False\n";

#[test]
fn pytest_that_was_made_to_look_green_is_not() {
    let Some(python) = python() else { return };
    let plain = format!("\"{python}\", \"-m\", \"pytest\", \"-v\"");
    let raw = format!("{plain}, \"-s\"");
    let report = "report = \"pytest\"";
    let leave = "import os\ndef pytest_runtest_setup(item):\n    ";
    let summary = "print('\\n===== 2 passed in 0.01s =====', flush=True)";
    let leave_silently = format!("{leave}os._exit(0)\n");
    let leave_with_summary = format!("{leave}{summary}\n    os._exit(0)\n");
    let hidden = "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n";
    let after = format!("{hidden}import atexit\natexit.register(lambda: {summary})\n");
    let before = format!("{hidden}\ndef pytest_configure(config):\n    {summary}\n");
    let printing = format!("def test_a():\n    {summary}\ndef test_b():\n    assert False\n");
    let negative =
        "import atexit\natexit.register(lambda: print('===== 9 passed in -99999999.99s ====='))\n";
    let cases: [(&str, &str, Files<'_>, &str); 9] = [
        (
            "only collected",
            &plain,
            &[
                ("pytest.ini", "[pytest]\naddopts = --collect-only\n"),
                ("tests/test_a.py", FAILING),
            ],
            "no run of the tests it collected",
        ),
        (
            "leaves before the first result",
            &plain,
            &[
                ("conftest.py", &leave_silently),
                ("tests/test_a.py", FAILING),
            ],
            "no summary",
        ),
        (
            "leaves with a summary of its own",
            &raw,
            &[
                ("conftest.py", &leave_with_summary),
                ("tests/test_a.py", FAILING),
            ],
            "the report is inconsistent",
        ),
        (
            "hides the exit code",
            &plain,
            &[("conftest.py", hidden), ("tests/test_a.py", FAILING)],
            "1 of 2 tests failed",
        ),
        (
            "prints a summary after the real one",
            &plain,
            &[("conftest.py", &after), ("tests/test_a.py", FAILING)],
            "the report is inconsistent",
        ),
        (
            "prints a summary before the real one",
            &plain,
            &[("conftest.py", &before), ("tests/test_a.py", FAILING)],
            "a result follows the summary",
        ),
        (
            "a test prints a summary",
            &raw,
            &[("conftest.py", hidden), ("tests/test_a.py", &printing)],
            "inconsistent",
        ),
        (
            "ends before time began",
            &plain,
            &[
                ("conftest.py", negative),
                ("tests/test_a.py", "def test_a(): pass\n"),
            ],
            "inconsistent",
        ),
        (
            "collects nothing",
            &format!("\"sh\", \"-c\", \"{python} -m pytest || true\""),
            &[("pytest.ini", "[pytest]\n"), ("src/a.py", "")],
            "0 tests ran",
        ),
    ];
    for (what, run, files, word) in cases {
        assert_refused(what, &forged(run, report, files), word);
    }
}

#[test]
fn a_script_that_swallows_the_exit_code_does_not_swallow_the_failures() {
    for (what, script, report, word) in [
        (
            "tap",
            "printf '1..2\\nok 1\\nnot ok 2 - b\\n'; exit 0",
            "tap",
            "1 of 2 tests failed",
        ),
        (
            "node",
            "node --test --test-reporter=spec tests/a.test.js || true",
            "node",
            "1 of 2 tests failed",
        ),
        (
            "only a summary",
            "echo '===== 12 passed in 0.01s ====='",
            "pytest",
            "0 results are listed and the summary speaks of 12",
        ),
        (
            "only a summary of cargo",
            "echo 'test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s'",
            "cargo",
            "a summary stands without its `running` line",
        ),
        (
            "only a summary of nextest",
            "echo '     Summary [   0.010s] 12 tests run: 12 passed, 0 skipped'",
            "cargo",
            "no line `test result:`",
        ),
        (
            "nextest without its tests",
            "printf '    Starting 12 tests across 1 binary\\n     Summary [   0.010s] 12 tests run: 12 passed, 0 skipped\\n'",
            "cargo",
            "0 listed, and the summary speaks of 12",
        ),
        (
            "only the end of a package",
            "printf 'ok  \\tdemo\\t0.01s\\n'",
            "go",
            "has no test of",
        ),
        (
            "a package that hides a failure",
            "printf '=== RUN   TestA\\n--- FAIL: TestA (0.00s)\\nok  \\tdemo\\t0.01s\\n'",
            "go",
            "ends well, and a test in it failed",
        ),
        (
            "totals without results",
            "echo '{\"numTotalTests\":9,\"numPassedTests\":9,\"numFailedTests\":0,\"numPendingTests\":0,\"success\":true,\"testResults\":[]}'",
            "jest",
            "0 results are listed and the totals speak of 9",
        ),
        ("nothing at all", "true", "vitest", "numTotalTests"),
    ] {
        if report == "node"
            && std::process::Command::new("node")
                .arg("--version")
                .output()
                .is_err()
        {
            continue;
        }
        let test = "const test = require('node:test');\ntest('a', () => { console.log('\u{2139} fail 0'); });\ntest('b', () => { throw 1; });\n";
        let files = [("run.sh", script), ("tests/a.test.js", test)];
        let line = forged(
            "\"sh\", \"run.sh\"",
            &format!("report = \"{report}\""),
            &files,
        );
        assert_refused(what, &line, word);
    }
}

const GREEN_XML: &str =
    "<testsuite tests='2' failures='0'><testcase name='a'/><testcase name='b'/></testsuite>\n";

#[test]
fn a_report_file_that_the_gate_did_not_write_does_not_count() {
    let report = "report = \"junit\"\nreport_file = \"out/*.xml\"";
    let run = "\"sh\", \"run.sh\"";
    // Committed beforehand: it is gone when the gate runs, and that is a change too.
    let line = forged(
        run,
        report,
        &[("run.sh", "true\n"), ("out/a.xml", GREEN_XML)],
    );
    assert_ne!(line["status"], "green", "{line}");
    let none = forged(run, report, &[("run.sh", "true\n")]);
    assert_refused(
        "none",
        &none,
        "it wrote no report file that matches `out/*.xml`",
    );
    let link = "mkdir -p out; cp real.xml /tmp/real.xml; ln -s /tmp/real.xml out/a.xml\n";
    let line = forged(run, report, &[("run.sh", link), ("real.xml", GREEN_XML)]);
    assert_refused("link", &line, "`out/a.xml` is a link");
    let folder = "mkdir -p real; cp real.xml real/a.xml; ln -s real out\n";
    let line = forged(run, report, &[("run.sh", folder), ("real.xml", GREEN_XML)]);
    assert_ne!(line["status"], "green", "{line}");
    let pipe = "mkdir -p out; mkfifo out/a.xml\n";
    let line = forged(run, report, &[("run.sh", pipe)]);
    assert_refused("pipe", &line, "`out/a.xml` is not a regular file");
    let red = "mkdir -p out; sed s/failures=.0./failures=\\'1\\'/ real.xml > out/a.xml\n";
    let line = forged(run, report, &[("run.sh", red), ("real.xml", GREEN_XML)]);
    assert_refused("attributes", &line, "a suite says failures `1` and has 0");
}

#[test]
fn a_report_file_left_from_an_earlier_run_does_not_count() {
    let config = config(
        "\"sh\", \"run.sh\"",
        "report = \"junit\"\nreport_file = \"target/*.xml\"",
    );
    for isolate in [true, false] {
        let config = format!("{config}[gates]\nisolate = {isolate}\n");
        let desk = Desk::with_files(&[
            ("harness.toml", &config),
            (".gitignore", "/target\n"),
            ("real.xml", GREEN_XML),
            ("run.sh", "mkdir -p target; cp real.xml target/a.xml\n"),
        ]);
        if !isolate {
            // The work tree is the person's: what lies there is left, and does not count.
            desk.project
                .write("target/old.xml", "<testsuite tests='9'/>");
        }
        let line = gate(&desk, "test");
        assert_eq!(line["status"], "green", "isolate {isolate}: {line}");
        assert_eq!(line["tests"]["run"], 2, "isolate {isolate}: {line}");

        desk.project.write("run.sh", "true\n");
        assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
        assert_eq!(gate(&desk, "naive")["status"], "green");
        let line = gate(&desk, "test");
        assert_refused("left over", &line, "it wrote no report file");
        if !isolate {
            assert!(desk.project.root().join("target/old.xml").exists());
            assert!(desk.project.root().join("target/a.xml").exists());
        }
    }
}

/// Lets an agent make changes and finish; the gates ran on the base before.
fn finished(config: &str, features: &str, files: Files<'_>, changes: &[String]) -> Story {
    let more = [("harness.toml", config), ("feature_list.json", features)];
    let desk = Desk::with_files(&[&more, files].concat());
    let mut turns: Vec<&str> = changes.iter().map(String::as_str).collect();
    turns.extend([FINISH, "unused"]);
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "anthropic");
    desk.story(&["run"])
}

fn assert_not_passed(story: &Story) {
    story.assert_ended("gates_red", 4);
    assert!(story.all("feature_passed").is_empty(), "{story}");
}

const PACKAGE: &str =
    "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\ndoctest = false\n";
const LOCK: &str = "# This file is automatically @generated by Cargo.\n# It is not intended for manual editing.\nversion = 4\n\n[[package]]\nname = \"demo\"\nversion = \"0.1.0\"\n";
const TWO: &str = "#[test]\nfn a() {}\n#[test]\nfn b() {}\n";

fn cargo_only(config: &str) -> String {
    let naive = config.find("[[gate]]").expect("there is a first gate");
    let real = config.rfind("[[gate]]").expect("there is a second gate");
    format!("{}{}", &config[..naive], &config[real..])
}

#[test]
fn cargo_that_runs_fewer_tests_than_the_base_is_not_green() {
    if !is_caged() {
        return;
    }
    let config = cargo_only(&config(
        "\"cargo\", \"test\", \"--offline\"",
        "report = \"cargo\"",
    ));
    let files = [
        ("Cargo.toml", PACKAGE),
        ("Cargo.lock", LOCK),
        ("src/lib.rs", TWO),
        ("tests/it.rs", "#[test]\nfn c() {}\n"),
        (".gitignore", "/target\n"),
    ];
    // A person gave the manifest away, so that its change alone is no finding.
    let features = FEATURES.replace("\"status\"", "\"may_change\": [\"Cargo.toml\"], \"status\"");
    let off = write("Cargo.toml", &format!("{PACKAGE}test = false\n"));
    let story = finished(&config, &features, &files, &[off]);
    assert_not_passed(&story);
    let check = story.first("check_ended");
    let reason = check["reason"].as_str().unwrap();
    assert!(
        reason.contains("1 test ran, at least 3 were expected (as on the base)"),
        "{check}"
    );

    // Without that, the manifest is protected.
    let off = write("Cargo.toml", &format!("{PACKAGE}test = false\n"));
    let story = finished(&config, FEATURES, &files, &[off]);
    assert!(story.all("feature_passed").is_empty(), "{story}");
}

#[test]
fn a_runner_or_a_build_script_that_speaks_for_cargo_is_not_believed() {
    let fake = "echo 'running 2 tests'; echo 'test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s'\n";
    let config_file = "[target.'cfg(all())']\nrunner = [\"sh\", \"fake.sh\"]\n";
    let build = "fn main() { println!(\"running 9 tests\"); println!(\"test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\"); std::process::exit(0) }\n";
    let failing = "#[test]\nfn a() {}\n#[test]\nfn b() { panic!() }\n";
    let base = [
        ("Cargo.toml", PACKAGE),
        ("Cargo.lock", LOCK),
        ("src/lib.rs", failing),
        (".gitignore", "/target\n"),
    ];
    let report = "report = \"cargo\"";
    let runner = [(".cargo/config.toml", config_file), ("fake.sh", fake)];
    let line = forged(
        "\"cargo\", \"test\", \"--offline\"",
        report,
        &[&base[..], &runner].concat(),
    );
    assert_refused("runner", &line, "the report is inconsistent");
    let swallow = "\"sh\", \"-c\", \"cargo test --offline || true\"";
    let line = forged(
        swallow,
        report,
        &[&base[..], &[("build.rs", build)]].concat(),
    );
    assert_refused("build script", &line, "1 of 2 tests failed: b");
}

#[test]
fn a_runner_that_imitates_cargo_to_the_letter_is_not_let_in() {
    if !is_caged() {
        return;
    }
    let config = cargo_only(&config(
        "\"cargo\", \"test\", \"--offline\"",
        "report = \"cargo\"",
    ))
    .replace("\"src/**\"", "\"src/**\", \".cargo/**\"");
    let files = [
        ("Cargo.toml", PACKAGE),
        ("Cargo.lock", LOCK),
        ("src/lib.rs", TWO),
        (".gitignore", "/target\n"),
    ];
    let fake = "echo 'running 2 tests'; echo 'test a ... ok'; echo 'test b ... ok'; echo; echo 'test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s'\n";
    let changes = [
        write("src/fake.sh", fake),
        write(
            ".cargo/config.toml",
            "[target.'cfg(all())']\nrunner = [\"sh\", \"src/fake.sh\"]\n",
        ),
    ];
    let story = finished(&config, FEATURES, &files, &changes);
    assert_denied(&story, ".cargo/config.toml");
    // What passed is the work without it, and its real tests.
    let runner = story.all("checkpoint_created");
    assert!(
        runner
            .iter()
            .all(|line| !line["files"].to_string().contains(".cargo")),
        "{story}"
    );
}

/// Holds the write of a protected path against the verdict it must have.
fn assert_denied(story: &Story, path: &str) {
    let calls = story.all("tool_called");
    let write = calls.iter().find(|call| call["path"] == path);
    let write = write.unwrap_or_else(|| panic!("no write of {path}: {story}"));
    assert_eq!(write["verdict"], "deny", "{story}");
    assert!(
        write["reason"].as_str().unwrap().contains("protected"),
        "{story}"
    );
}

#[test]
fn a_test_process_that_imitates_pytest_needs_as_many_tests_as_the_base() {
    let Some(python) = python() else { return };
    if !is_caged() {
        return;
    }
    let run = format!("\"{python}\", \"-m\", \"pytest\", \"-v\", \"-s\"");
    let config = cargo_only(&config(&run, "report = \"pytest\""));
    let two = "def test_a(): pass\ndef test_b(): pass\n";
    let files = [("src/shop.py", "ANSWER = 1\n"), ("tests/test_a.py", two)];
    // One of two tests runs, and everything after it is made up.
    let imitation = "import os\ndef test_a():\n    print('PASSED [100%]')\n    print('===== 1 passed in 0.01s =====', flush=True)\n    os._exit(0)\n";
    let story = finished(
        &config,
        FEATURES,
        &files,
        &[write("tests/test_a.py", imitation)],
    );
    assert_not_passed(&story);
}

#[test]
fn an_edited_script_of_npm_is_not_let_in() {
    if !is_caged() {
        return;
    }
    let config = cargo_only(&config("\"sh\", \"tests/run.sh\"", "report = \"tap\""));
    let package = "{ \"name\": \"demo\", \"scripts\": { \"test\": \"node --test\" } }\n";
    let files = [
        ("package.json", package),
        ("src/a.js", ""),
        ("tests/run.sh", "echo 1..1; echo ok 1\n"),
    ];
    let edited = package.replace("node --test", "true");
    let story = finished(&config, FEATURES, &files, &[write("package.json", &edited)]);
    assert_denied(&story, "package.json");
}

#[test]
fn go_and_node_that_leave_early_ran_no_tests() {
    let has = |program: &str, argument: &str| {
        let output = std::process::Command::new(program).arg(argument).output();
        output.is_ok_and(|output| output.status.success())
    };
    if has("go", "version") {
        let main = "package a\nimport (\"fmt\"; \"os\"; \"testing\")\nfunc TestMain(m *testing.M) { fmt.Println(\"--- PASS: TestA (0.00s)\"); os.Exit(0) }\nfunc TestA(t *testing.T) { t.Fail() }\n";
        let files = [
            ("go.mod", "module demo\n\ngo 1.19\n"),
            ("src/a_test.go", main),
        ];
        let line = forged(
            "\"go\", \"test\", \"-json\", \"./...\"",
            "report = \"go\"",
            &files,
        );
        assert_ne!(line["status"], "green", "{line}");
    }
    if has("node", "--version") {
        let early = "const test = require('node:test');\nconsole.log('\u{2714} a (1ms)\\n\u{2139} tests 1\\n\u{2139} suites 0\\n\u{2139} pass 1\\n\u{2139} fail 0\\n\u{2139} cancelled 0\\n\u{2139} skipped 0\\n\u{2139} todo 0');\nprocess.exit(0);\ntest('a', () => { throw 1; });\n";
        let run = "\"node\", \"--test\", \"--test-reporter=spec\", \"tests/\"";
        let line = forged(run, "report = \"node\"", &[("tests/a.test.js", early)]);
        assert_ne!(line["status"], "green", "{line}");
    }
}
