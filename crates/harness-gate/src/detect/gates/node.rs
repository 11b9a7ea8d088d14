//! Node: by what `package.json` depends on and what its script `test` says.
//!
//! Programs of packages are started by `npx --offline --no-install`, which downloads nothing and
//! asks no registry: without the first it tries for more than a minute where a package is missing.

use harness_core::{Gate, Reader};
use serde_json::Value;

use super::{Project, gate};

const NODE_TEST: &str = "node --test --test-reporter=tap";

/// How deep scripts that call scripts are followed.
const DEPTH_MAX: usize = 4;

/// How many scripts `npm test` may come to; more stay one command.
const PARTS_MAX: usize = 8;

/// What measures coverage around a test program, which a gate leaves out.
const COVERAGE: [&str; 2] = ["c8", "nyc"];

const ESLINT_FILES: [&str; 9] = [
    "eslint.config.js",
    "eslint.config.mjs",
    "eslint.config.cjs",
    "eslint.config.ts",
    ".eslintrc",
    ".eslintrc.js",
    ".eslintrc.cjs",
    ".eslintrc.json",
    ".eslintrc.yml",
];

pub(super) fn gates(project: &Project<'_>) -> Vec<Gate> {
    let package = package(project);
    let mut gates = Vec::new();
    let is_linted = project.has_any(&ESLINT_FILES) || package.get("eslintConfig").is_some();
    if is_linted && depends_on(&package, "eslint") {
        gates.push(gate("lint", &npx("eslint ."), Reader::Exit));
    }
    if project.has("tsconfig.json") && depends_on(&package, "typescript") {
        gates.push(gate("types", &npx("tsc --noEmit"), Reader::Exit));
    }
    let parts = parts(&package);
    if parts.is_empty() {
        gates.extend(unset(project, &package));
        return gates;
    }
    for gate in tests(&parts) {
        if gates.iter().all(|other| other.name != gate.name) {
            gates.push(gate);
        }
    }
    gates
}

fn package(project: &Project<'_>) -> Value {
    serde_json::from_str(&project.text("package.json")).unwrap_or_default()
}

fn depends_on(package: &Value, name: &str) -> bool {
    ["dependencies", "devDependencies"]
        .iter()
        .any(|list| package[*list].get(name).is_some())
}

fn npx(command: &str) -> String {
    format!("npx --offline --no-install {command}")
}

/// One script that has a part in `npm test`, with the words of what it runs.
#[derive(Clone, Debug)]
struct Part<'a> {
    script: &'a str,
    words: Vec<&'a str>,
}

/// Returns what `npm test` runs: a script that only calls others by `npm run` is those. Nothing
/// where there is no such script, or the one that `npm init` writes, which fails on purpose.
fn parts(package: &Value) -> Vec<Part<'_>> {
    let text = script(package, "test");
    if text.is_empty() || text.contains("no test specified") {
        return Vec::new();
    }
    let whole = Part {
        script: "test",
        words: text.split_whitespace().collect(),
    };
    let mut parts = vec![whole.clone()];
    for _ in 0..DEPTH_MAX {
        let called = parts.iter().map(|part| called(package, part));
        let next: Vec<Part<'_>> = called.flatten().collect();
        if next.len() == parts.len() && next.iter().zip(&parts).all(|(a, b)| a.script == b.script) {
            return parts;
        }
        if next.len() > PARTS_MAX {
            break;
        }
        parts = next;
    }
    vec![whole]
}

/// Returns the scripts that one calls if it does nothing else, or the one itself.
fn called<'a>(package: &'a Value, part: &Part<'a>) -> Vec<Part<'a>> {
    let calls: Option<Vec<Part<'a>>> = part
        .words
        .split(|word| *word == "&&")
        .map(|command| match command {
            ["npm", "run", name] => Some(Part {
                script: name,
                words: script(package, name).split_whitespace().collect(),
            }),
            _ => None,
        })
        .collect();
    let calls = calls.filter(|calls| calls.iter().all(|call| !call.words.is_empty()));
    calls.unwrap_or_else(|| vec![part.clone()])
}

fn script<'a>(package: &'a Value, name: &str) -> &'a str {
    package["scripts"][name].as_str().unwrap_or_default().trim()
}

/// Proposes `npm test`, or a gate for each of its parts where one of them names its tests.
fn tests(parts: &[Part<'_>]) -> Vec<Gate> {
    let named: Vec<Option<Gate>> = parts.iter().map(named).collect();
    let Some(first) = named.iter().position(Option::is_some) else {
        return vec![gate("test", "npm test", Reader::Exit)];
    };
    let of_part = |(index, (part, named)): (usize, (&Part<'_>, Option<Gate>))| {
        let name = match index == first {
            true => "test".to_owned(),
            false => part
                .script
                .replace(|char: char| !char.is_ascii_alphanumeric(), "-"),
        };
        let whole = || gate("", &format!("npm run {}", part.script), Reader::Exit);
        Gate {
            name,
            ..named.unwrap_or_else(whole)
        }
    };
    parts.iter().zip(named).enumerate().map(of_part).collect()
}

/// Returns the gate of a script whose program can say which tests it ran.
fn named(part: &Part<'_>) -> Option<Gate> {
    let words = without_coverage(&part.words);
    for (program, command, reader) in RUNNERS {
        if words.contains(&program) {
            let command = npx(command);
            let command = [&[command.as_str()], arguments(words, program).as_slice()].concat();
            return Some(gate("test", &command.join(" "), reader));
        }
    }
    // The same run, with a report that names its tests.
    match words {
        ["node", "--test", rest @ ..] if rest.iter().all(|word| is_plain(word)) => {
            let command = [&[NODE_TEST], rest].concat().join(" ");
            Some(gate("test", &command, Reader::Node))
        }
        _ => None,
    }
}

const RUNNERS: [(&str, &str, Reader); 2] = [
    ("vitest", "vitest run --reporter=json", Reader::Vitest),
    ("jest", "jest --json", Reader::Jest),
];

/// Returns what a program that measures coverage is given to run; other words as they are.
fn without_coverage<'a, 'b>(words: &'b [&'a str]) -> &'b [&'a str] {
    match words {
        [first, rest @ ..] if COVERAGE.contains(first) => {
            let options = rest.iter().take_while(|word| word.starts_with('-'));
            &rest[options.count()..]
        }
        _ => words,
    }
}

/// Proposes tests of a package whose `package.json` names none: by what it depends on, or by its files.
fn unset(project: &Project<'_>, package: &Value) -> Option<Gate> {
    let runner = RUNNERS.iter().find(|(name, ..)| depends_on(package, name));
    if let Some((_, command, reader)) = runner {
        return Some(gate("test", &npx(command), *reader));
    }
    has_tests(project).then(|| gate("test", NODE_TEST, Reader::Node))
}

/// Returns what a script that is one call of a program gives it, but for what a gate says itself.
fn arguments<'a>(words: &[&'a str], program: &str) -> Vec<&'a str> {
    match words {
        [first, rest @ ..] if *first == program && rest.iter().all(|word| is_plain(word)) => rest
            .iter()
            .copied()
            .filter(|word| !matches!(*word, "run" | "watch" | "--run" | "--watch" | "--json"))
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a word means the same without a shell, and names no reporter of its own.
fn is_plain(word: &str) -> bool {
    !word.contains(['"', '\'', '*', '?', '$', '&', '|', ';', '<', '>', '(', '`'])
        && !word.starts_with("--test-reporter")
        && !word.starts_with("--reporter")
}

fn has_tests(project: &Project<'_>) -> bool {
    let is_test = |name: &str| {
        let stem = name
            .rsplit_once('.')
            .map_or("", |(stem, ending)| match ending {
                "js" | "mjs" | "cjs" => stem,
                _ => "",
            });
        stem.ends_with(".test") || stem.ends_with("_test") || stem.ends_with("-test")
    };
    project.top().any(is_test)
        || project
            .second()
            .any(|(folder, name)| is_test(name) || (folder == "test" && name.ends_with("js")))
}

/// Says how packages come where gates run, and what of `npm test` no gate does.
pub(super) fn notes(project: &Project<'_>) -> Vec<String> {
    let package = package(project);
    let coverage = parts(&package).into_iter().find(|part| {
        without_coverage(&part.words).len() < part.words.len() && named(part).is_some()
    });
    let coverage = coverage.map(|part| {
        format!(
            "the gate `test` runs without `{}`, so that it can name its tests: `npm test` measures coverage too",
            part.words[0]
        )
    });
    packages(project, &package)
        .into_iter()
        .chain(coverage)
        .collect()
}

fn packages(project: &Project<'_>, package: &Value) -> Option<String> {
    let depends = ["dependencies", "devDependencies"].iter().any(|list| {
        package[*list]
            .as_object()
            .is_some_and(|list| !list.is_empty())
    });
    let (run, when) = match project.has("package-lock.json") {
        true => ("\"npm\", \"ci\"", "package-lock.json"),
        // Another manager's packages are not npm's to bring.
        false if depends && !project.has_any(&["yarn.lock", "pnpm-lock.yaml", "bun.lock"]) => (
            "\"npm\", \"install\", \"--no-package-lock\"",
            "package.json",
        ),
        false => return None,
    };
    Some(format!(
        "packages are not downloaded without a network: a step `[[setup]]` with run = [{run}], \
         network = [\"npm\"], when = [\"{when}\"] brings them, and `[gates] link = [\"node_modules\"]`, \
         in place of that folder in `[scope] build`, shows them to gates"
    ))
}
