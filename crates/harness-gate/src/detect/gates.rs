//! Which commands prove something, by the files that say so.

mod java;
mod node;

use harness_core::{Gate, Reader};

pub(super) use self::java::is_java;
use super::{Language, Project};

/// The names `make` looks for.
pub(super) const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// The most test scripts that become a gate each.
const SCRIPTS_MAX: usize = 8;

/// Proposes gates for the languages found.
///
/// Scripts and make targets are proposed only where no language has tests of
/// its own: they usually run these.
pub(super) fn propose(project: &Project<'_>, languages: &[Language]) -> Vec<Gate> {
    let mut gates: Vec<Gate> = Vec::new();
    let mut has_tests = false;
    for language in languages {
        let proposed = match language {
            Language::Rust => rust(),
            Language::Python => python(project),
            Language::Node => node::gates(project),
            Language::Go => go(),
            Language::Java => java::gates(project),
            Language::Shell if !has_tests => shell(project),
            Language::Make if !has_tests => make(project),
            Language::Shell | Language::Make => Vec::new(),
        };
        has_tests |= proposed.iter().any(|gate| gate.name.starts_with("test"));
        for mut gate in proposed {
            if gates.iter().any(|other| other.name == gate.name) {
                gate.name = format!("{}-{}", language.name(), gate.name);
            }
            gates.push(gate);
        }
    }
    gates
}

/// Says what a person should know about the proposal, one line each.
pub(super) fn notes(project: &Project<'_>, languages: &[Language], gates: &[Gate]) -> Vec<String> {
    let mut notes = Vec::new();
    for language in languages {
        match language {
            Language::Node => notes.extend(node::notes(project)),
            Language::Java => notes.extend(java::note(project)),
            Language::Go if project.has("go.sum") => notes.push(
                "modules are not downloaded without a network: a step `[[setup]]` with run = [\"go\", \"mod\", \"download\"], \
                 network = [\"go\"], when = [\"go.sum\"] brings them"
                    .to_owned(),
            ),
            _ => {}
        }
    }
    if gates.iter().all(|gate| !gate.name.contains("test")) {
        notes.push(match languages.contains(&Language::Shell) {
            true => "nothing here runs tests: a script `tests/run.sh` that prints TAP (`1..2`, `ok 1 - name`, \
                     `not ok 2 - name`) and ends with 1 when one fails is found as a gate"
                .to_owned(),
            false => "no tests were found: without a gate that runs some, nothing can become passing".to_owned(),
        });
    }
    notes
}

/// Plain `cargo test`, also where nextest is configured: whether it is installed is not seen in the files.
fn rust() -> Vec<Gate> {
    vec![
        gate("fmt", "cargo fmt --all --check", Reader::Exit),
        gate(
            "clippy",
            "cargo clippy --all-targets -- -D warnings",
            Reader::Exit,
        ),
        gate("test", "cargo test", Reader::Cargo),
    ]
}

fn python(project: &Project<'_>) -> Vec<Gate> {
    let pyproject = project.text("pyproject.toml");
    let mut gates = Vec::new();
    if project.has_any(&["ruff.toml", ".ruff.toml"]) || pyproject.contains("[tool.ruff") {
        gates.push(gate("lint", "ruff check .", Reader::Exit));
    }
    let is_test = |name: &str| {
        name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"))
    };
    let other = [
        project.text("setup.cfg"),
        project.text("tox.ini"),
        project.text("pytest.ini"),
    ]
    .concat();
    let has_tests = project.has_any(&["pytest.ini", "conftest.py", "tests/conftest.py"])
        || pyproject.contains("[tool.pytest")
        || other.contains("[tool:pytest]")
        || other.contains("[pytest]")
        || project.top().any(is_test)
        || project.second().any(|(_, name)| is_test(name));
    if has_tests {
        // The form that names every test.
        let command = "python3 -m pytest -v";
        let finds = match is_beneath_src(project, &[&pyproject, &other]) {
            true => format!("{command} -o pythonpath=src"),
            false => command.to_owned(),
        };
        gates.push(gate("test", &finds, Reader::Pytest));
    }
    gates
}

/// Whether tests import a package that lies below `src`, and nothing says how they find it: they
/// then need it installed, and what is installed may be another tree than the one to prove.
fn is_beneath_src(project: &Project<'_>, config: &[&str]) -> bool {
    let has_packages = project
        .second()
        .any(|(folder, name)| folder == "src" && (name.ends_with(".py") || !name.contains('.')));
    has_packages && !config.iter().any(|text| text.contains("pythonpath"))
}

fn go() -> Vec<Gate> {
    vec![
        gate("vet", "go vet ./...", Reader::Exit),
        gate("test", "go test -json ./...", Reader::Go),
    ]
}

fn shell(project: &Project<'_>) -> Vec<Gate> {
    let runners = ["tests/run.sh", "test/run.sh", "test.sh", "tests/test.sh"];
    if let Some(path) = runners.iter().find(|path| project.has(path)) {
        return vec![script(project, "test", path)];
    }
    let mut scripts: Vec<(&str, &str)> = project
        .second()
        .filter(|(folder, name)| matches!(*folder, "tests" | "test") && name.ends_with(".sh"))
        .collect();
    scripts.sort_unstable();
    scripts.truncate(SCRIPTS_MAX);
    scripts
        .into_iter()
        .map(|(folder, name)| {
            let stem = name.trim_end_matches(".sh");
            script(
                project,
                &format!("test-{stem}"),
                &format!("{folder}/{name}"),
            )
        })
        .collect()
}

/// Makes the gate of a script: read as TAP where its text writes a plan, run by the shell it names.
fn script(project: &Project<'_>, name: &str, path: &str) -> Gate {
    let text = project.text(path);
    let first = text.lines().next().unwrap_or_default();
    let shell = match first.starts_with("#!") && first.contains("bash") {
        true => "bash",
        false => "sh",
    };
    let reader = match text.contains("1..") {
        true => Reader::Tap,
        false => Reader::Exit,
    };
    Gate {
        run: vec![shell.to_owned(), path.to_owned()],
        ..gate(name, "", reader)
    }
}

fn make(project: &Project<'_>) -> Vec<Gate> {
    let path = MAKEFILES.iter().find(|path| project.has(path));
    let text = path.map(|path| project.text(path)).unwrap_or_default();
    let has_target = text.lines().any(|line| {
        let targets = line
            .split_once(':')
            .filter(|(_, rest)| !rest.starts_with('='));
        targets.is_some_and(|(targets, _)| {
            !targets.starts_with(['\t', '#'])
                && targets.split_whitespace().any(|word| word == "test")
        })
    });
    match has_target {
        true => vec![gate("test", "make test", Reader::Exit)],
        false => Vec::new(),
    }
}

/// Makes a gate of a command without quotes in it; at least one test where tests are counted.
fn gate(name: &str, command: &str, reader: Reader) -> Gate {
    Gate {
        reader,
        min_tests: u32::from(reader.names_tests()),
        ..Gate::named(
            name,
            command.split_whitespace().map(str::to_owned).collect(),
        )
    }
}
