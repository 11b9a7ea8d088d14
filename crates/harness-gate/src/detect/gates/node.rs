//! Node: by what `package.json` depends on and what its script `test` says.
//!
//! Programs of packages are started by `npx --no-install`, which downloads nothing.

use harness_core::{Gate, Reader};
use serde_json::Value;

use super::{Project, gate};

const NODE_TEST: &str = "node --test --test-reporter=tap";

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
    let package: Value = serde_json::from_str(&project.text("package.json")).unwrap_or_default();
    let depends_on = |name: &str| {
        ["dependencies", "devDependencies"]
            .iter()
            .any(|list| package[*list].get(name).is_some())
    };
    let mut gates = Vec::new();
    let is_linted = project.has_any(&ESLINT_FILES) || package.get("eslintConfig").is_some();
    if is_linted && depends_on("eslint") {
        gates.push(gate("lint", "npx --no-install eslint .", Reader::Exit));
    }
    if project.has("tsconfig.json") && depends_on("typescript") {
        gates.push(gate("types", "npx --no-install tsc --noEmit", Reader::Exit));
    }
    let script = package["scripts"]["test"]
        .as_str()
        .unwrap_or_default()
        .trim();
    gates.extend(test(project, script, &depends_on));
    gates
}

fn test(project: &Project<'_>, script: &str, depends_on: &dyn Fn(&str) -> bool) -> Option<Gate> {
    let words: Vec<&str> = script.split_whitespace().collect();
    // What `npm init` writes fails on purpose.
    let is_unset = script.is_empty() || script.contains("no test specified");
    let runs = |program: &str| words.contains(&program) || (is_unset && depends_on(program));
    for (program, base, reader) in [
        (
            "vitest",
            "npx --no-install vitest run --reporter=json",
            Reader::Vitest,
        ),
        ("jest", "npx --no-install jest --json", Reader::Jest),
    ] {
        if runs(program) {
            let more = arguments(&words, program);
            let command = [&[base], more.as_slice()].concat().join(" ");
            return Some(gate("test", &command, reader));
        }
    }
    // The same run, with a report that names its tests.
    if let ["node", "--test", rest @ ..] = words.as_slice()
        && rest.iter().all(|word| is_plain(word))
    {
        let command = [&[NODE_TEST], rest].concat().join(" ");
        return Some(gate("test", &command, Reader::Node));
    }
    if !is_unset {
        return Some(gate("test", "npm test", Reader::Exit));
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

/// Says how packages come where gates run.
pub(super) fn note(project: &Project<'_>) -> Option<String> {
    project.has("package-lock.json").then(|| {
        "packages are not downloaded without a network: a step `[[setup]]` with run = [\"npm\", \"ci\"], \
         network = [\"npm\"], when = [\"package-lock.json\"] brings them, and `[gates] link = [\"node_modules\"]` \
         shows them to gates"
            .to_owned()
    })
}
