//! What is to be done, where it may write and how it is proven, in the harness's words.

use harness_core::{Feature, Gate, Policy, RepoPath, Sourced};

use crate::text::one_line;

/// Words what is wanted.
pub(super) fn wanted(work: &str, feature: &Feature) -> String {
    let mut text = format!(
        "# The {work} {}: {}\n",
        feature.id,
        one_line(&feature.title)
    );
    let description = feature.description.trim();
    if !description.is_empty() && description != feature.title.trim() {
        text.push_str(&format!("{description}\n"));
    }
    text.push_str(&listed("Proposed steps:", &feature.steps));
    text.push_str(&listed("It is done when:", &feature.acceptance));
    text
}

/// Words where may be written, with the exceptions.
pub(super) fn scope(work: &str, policy: &Policy, feature: &Feature) -> String {
    let rules = &policy.scope;
    let denied = values(&rules.deny).chain(feature.scope.deny.iter().map(String::as_str));
    let given = policy.amendments.iter();
    let given: Vec<_> = given.filter(|more| more.feature == feature.id).collect();
    let lifted = given.iter().flat_map(|more| &more.may_change);
    let mut may_change: Vec<String> = feature
        .may_change
        .iter()
        .chain(lifted)
        .map(RepoPath::to_text)
        .collect();
    may_change.extend(given.iter().flat_map(|more| more.write.iter().cloned()));
    let repository = patterns(values(&rules.write));
    let (write, within) = if feature.scope.write.is_empty() {
        (repository, String::new())
    } else {
        let own = feature.scope.write.iter().map(String::as_str);
        (patterns(own), repository)
    };
    let write = if write.is_empty() {
        "nothing".to_owned()
    } else {
        write
    };
    let mut text = String::from("# Scope\n");
    text.push_str(&line("May be written", write));
    text.push_str(&line("As far as it lies in", within));
    text.push_str(&line("Not even there", patterns(denied)));
    text.push_str(&protected(&rules.protect));
    let exception = format!("Free for this {work} all the same");
    text.push_str(&line(
        &exception,
        patterns(may_change.iter().map(String::as_str)),
    ));
    text.push_str(&anywhere("Not readable", &rules.hide));
    text.push_str(&line(
        "Build outputs, writable for commands",
        patterns(values(&rules.build)),
    ));
    let hosts: Vec<String> = policy.network.iter().map(ToString::to_string).collect();
    text.push_str(&line(
        "Hosts that commands may reach, by the proxy of `HTTPS_PROXY`",
        patterns(hosts.iter().map(String::as_str)),
    ));
    text
}

/// Words what must be green.
pub(super) fn gates(policy: &Policy, feature: &Feature) -> String {
    let is_needed = |gate: &&Gate| feature.gates.is_empty() || feature.gates.contains(&gate.name);
    let gates = policy.gates.iter().filter(is_needed);
    let gates = gates.map(|gate| format!("{}: {}", gate.name, command(&gate.run)));
    let own = feature
        .verify
        .iter()
        .map(|argv| format!("verify: {}", command(argv)));
    let lines: Vec<String> = gates.chain(own).map(|line| format!("- {line}\n")).collect();
    if lines.is_empty() {
        return "# Gates\nNone: a person decides what counts as done.\n".to_owned();
    }
    format!("# Gates, all green before it is done\n{}", lines.concat())
}

fn values(rules: &[Sourced]) -> impl Iterator<Item = &str> {
    rules.iter().map(|rule| rule.value.as_str())
}

/// Built-in patterns that stand for all of them, as they are known best.
const KNOWN_BEST: [&str; 6] = [
    "Cargo.toml",
    "package.json",
    "Makefile",
    "conftest.py",
    "Cargo.lock",
    ".github/",
];

/// Words what is read only: of the program's own patterns, which are many, what they are about; all others.
///
/// Who writes to one of them all the same is refused with its name.
fn protected(rules: &[Sourced]) -> String {
    let (built_in, own): (Vec<&Sourced>, Vec<&Sourced>) =
        rules.iter().partition(|rule| rule.is_built_in());
    let is_known = |name: &&str| {
        let folder = name.strip_suffix('/').map(|name| format!("**/{name}/**"));
        let pattern = folder.unwrap_or_else(|| format!("**/{name}"));
        built_in.iter().any(|rule| rule.value == pattern)
    };
    let known: Vec<&str> = KNOWN_BEST.into_iter().filter(is_known).collect();
    if known.is_empty() {
        return anywhere("Read only", rules);
    }
    let own: Vec<Sourced> = own.into_iter().cloned().collect();
    format!(
        "Read only, in every folder: manifests, lockfiles, what configures builds, tests, linters, CI, editors and agents, \
         such as {}\n{}",
        known.join(" "),
        anywhere("Read only too", &own)
    )
}

/// Words patterns in two lines: names that hold in every folder, which are many, in few bytes; then the others.
fn anywhere(heading: &str, rules: &[Sourced]) -> String {
    let in_every_folder = |pattern: &str| {
        let name = pattern.strip_prefix("**/")?;
        let folder = name.strip_suffix("/**");
        let bare = folder.unwrap_or(name);
        let is_plain = |char: char| !char.is_whitespace() && !char.is_control() && char != '`';
        let is_name = !bare.is_empty() && !bare.contains('/') && bare.chars().all(is_plain);
        is_name.then(|| folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/")))
    };
    let names: Vec<String> = values(rules).filter_map(in_every_folder).collect();
    let others = values(rules).filter(|pattern| in_every_folder(pattern).is_none());
    let names = line(&format!("{heading}, in every folder"), names.join(" "));
    names + &line(heading, patterns(others))
}

fn patterns<'a>(patterns: impl Iterator<Item = &'a str>) -> String {
    let patterns: Vec<String> = patterns
        .map(|pattern| format!("`{}`", one_line(pattern)))
        .collect();
    patterns.join(", ")
}

/// Returns a line with its heading; nothing for nothing.
fn line(heading: &str, text: String) -> String {
    if text.is_empty() {
        text
    } else {
        format!("{heading}: {text}\n")
    }
}

fn listed(heading: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: Vec<String> = items
        .iter()
        .map(|item| format!("- {}\n", item.trim()))
        .collect();
    format!("{heading}\n{}", items.concat())
}

/// Shows an argv so that its words can be told apart.
fn command(argv: &[String]) -> String {
    let words: Vec<String> = argv
        .iter()
        .map(|word| {
            let is_plain = !word.is_empty()
                && !word.contains(|char: char| {
                    char.is_whitespace() || char.is_control() || matches!(char, '\'' | '"')
                });
            if is_plain {
                word.clone()
            } else {
                format!("{word:?}")
            }
        })
        .collect();
    words.join(" ")
}
