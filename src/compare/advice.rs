//! What to do about a gate that comes out otherwise on a checkout than in the work tree.
//!
//! Pure: says the lines to add, and adds none.

use harness_core::{CheckReport, CheckStatus, RepoPath};

use super::missing::Missing;

/// Folders that hold what a project depends on, by name.
const DEPENDENCIES: [&str; 11] = [
    "node_modules",
    "bower_components",
    ".venv",
    "venv",
    "vendor",
    ".bundle",
    "deps",
    ".tox",
    ".nox",
    ".yarn",
    "Pods",
];

/// What makes dependencies, by the file that pins them: the argv, and the network it needs.
const STEPS: [(&str, &str, &[&str], &str); 7] = [
    ("node_modules", "package-lock.json", &["npm", "ci"], "npm"),
    (
        "node_modules",
        "pnpm-lock.yaml",
        &["pnpm", "install", "--frozen-lockfile"],
        "npm",
    ),
    (
        "node_modules",
        "yarn.lock",
        &["yarn", "install", "--frozen-lockfile"],
        "npm",
    ),
    (".venv", "uv.lock", &["uv", "sync", "--frozen"], "pypi"),
    (".venv", "poetry.lock", &["poetry", "install"], "pypi"),
    (
        ".venv",
        "requirements.txt",
        &[".venv/bin/pip", "install", "-r", "requirements.txt"],
        "pypi",
    ),
    ("vendor", "go.sum", &["go", "mod", "vendor"], "go"),
];

/// What programs say when they find no network.
const NO_NETWORK: [&str; 6] = [
    "EAI_AGAIN",
    "ENOTFOUND",
    "getaddrinfo",
    "Network is unreachable",
    "Could not resolve",
    "Temporary failure in name resolution",
];

/// What is known of the project.
pub(super) struct Circumstances<'a> {
    /// What is in the work tree and in no checkout.
    pub(super) missing: &'a [Missing],
    /// What is linked already.
    pub(super) link: &'a [RepoPath],
    /// The build outputs that are declared already.
    pub(super) build: &'a [RepoPath],
    /// Whether there is such a path in the work tree.
    pub(super) exists: &'a dyn Fn(&str) -> bool,
}

/// Says what to do, one entry each, the likeliest first; nothing where both are green alike.
pub(super) fn of(
    in_place: &CheckReport,
    isolated: &CheckReport,
    about: &Circumstances<'_>,
) -> Vec<String> {
    let is_green = |report: &CheckReport| report.status == CheckStatus::Green;
    let counted = |report: &CheckReport| report.tests.as_ref().map(|tests| tests.run);
    let said = said(isolated);
    let has_no_network = NO_NETWORK.iter().any(|word| said.contains(word));
    match (is_green(in_place), is_green(isolated)) {
        (true, true) if counted(in_place) == counted(isolated) => Vec::new(),
        (false, true) => vec![
            "in place a gate may write what the scope opens and nothing else; it counts how the gate comes out isolated".to_owned(),
        ],
        _ if has_no_network => vec![
            "there is no network: what it downloads has to be there before, in harness.toml:\n  [[setup]]\n  run = [\"...\"]\n  network = [\"...\"]".to_owned(),
        ],
        (false, false) if in_place.reason == isolated.reason => vec![
            "it is not green in either place, for the same reason: the checkout has nothing to do with it".to_owned(),
        ],
        _ => missing_pieces(isolated, &said, about),
    }
}

fn said(report: &CheckReport) -> String {
    format!(
        "{}\n{}\n{}",
        report.reason,
        report.excerpt,
        report.output.to_text()
    )
}

fn missing_pieces(isolated: &CheckReport, said: &str, about: &Circumstances<'_>) -> Vec<String> {
    let mut advice = Vec::new();
    if isolated.reason.contains("changed files of the candidate") {
        advice.push("a gate may write build outputs alone: list the folder it writes in [scope] build, and keep it out of git".to_owned());
    }
    let is_known = |path: &RepoPath| about.link.iter().any(|known| path.starts_with(known));
    let is_built = |path: &RepoPath| about.build.iter().any(|known| path.starts_with(known));
    let missing = about
        .missing
        .iter()
        .filter(|missing| !is_known(&missing.path));
    let (dependencies, others): (Vec<&Missing>, Vec<&Missing>) =
        missing.partition(|missing| missing.is_folder && is_dependency(&missing.path));
    let (made, absent): (Vec<&Missing>, Vec<&Missing>) = dependencies
        .into_iter()
        .partition(|missing| is_built(&missing.path));
    if !absent.is_empty() {
        advice.push(link(&absent, about));
    }
    for Missing { path, .. } in made {
        advice.push(linked_or_made(path, about));
    }
    for Missing { path, is_folder } in others {
        let name = String::from_utf8_lossy(path.file_name().unwrap_or_default()).into_owned();
        let is_named = said.contains(&path.to_text()) || said.contains(&name);
        if !is_named || is_built(path) {
            continue;
        }
        advice.push(if *is_folder {
            format!("`{path}` is ignored by git, so no checkout has it; where the gate writes it: [scope] build = {}; where it reads it:{}", list(about.build, &[path]), step(path, about))
        } else {
            format!("`{path}` is ignored by git, so no checkout has it: commit it, or make it there by a [[setup]] step")
        });
    }
    if advice.is_empty() {
        advice.push("what the gate finds in the work tree and not in a checkout is not known: everything it needs has to be committed, linked (`[gates] link`), or made by a `[[setup]]` step".to_owned());
    }
    advice
}

/// Says how folders of dependencies get into a checkout.
fn link(absent: &[&Missing], about: &Circumstances<'_>) -> String {
    let paths: Vec<&RepoPath> = absent.iter().map(|missing| &missing.path).collect();
    let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    format!(
        "{} in the work tree and in no checkout; in harness.toml, under [gates]:\n  link = {}\nor, where it is to be made in each checkout, {} and:{}",
        are(&names),
        list(about.link, &paths),
        format_args!("[scope] build = {}", list(about.build, &paths)),
        step(paths[0], about)
    )
}

/// Says how a declared build output that holds dependencies gets into a checkout.
fn linked_or_made(path: &RepoPath, about: &Circumstances<'_>) -> String {
    let others = about.build.iter().filter(|known| !path.starts_with(known));
    let others: Vec<&RepoPath> = others.collect();
    format!(
        "`{path}` is a build output, so a checkout begins without it; in harness.toml, instead, under [scope] and [gates]:\n  build = {}\n  link = {}\nor, as a build output that each checkout makes:{}",
        list(&[], &others),
        list(about.link, &[path]),
        step(path, about)
    )
}

fn are(names: &[String]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(", "))
}

/// Words a step that makes a folder.
fn step(folder: &RepoPath, about: &Circumstances<'_>) -> String {
    let name = folder.file_name().unwrap_or_default();
    let known = STEPS
        .iter()
        .find(|(of, file, ..)| of.as_bytes() == name && (about.exists)(file));
    match known {
        Some((_, file, argv, network)) => format!(
            "\n  [[setup]]\n  run = {argv:?}\n  when = [{file:?}]\n  network = [{network:?}]"
        ),
        None => format!("\n  [[setup]]\n  run = [\"...\"]  # makes {folder}"),
    }
}

fn is_dependency(path: &RepoPath) -> bool {
    let name = path.file_name().unwrap_or_default();
    DEPENDENCIES.iter().any(|known| known.as_bytes() == name)
}

/// Words a list of a configuration file: what stands in it, and more.
fn list(known: &[RepoPath], more: &[&RepoPath]) -> String {
    let paths = known.iter().chain(more.iter().copied());
    let paths: Vec<String> = paths
        .map(|path| format!("\"{}\"", path.to_text()))
        .collect();
    format!("[{}]", paths.join(", "))
}

#[cfg(test)]
mod tests {
    use harness_core::{Captured, TestCounts};

    use super::*;

    fn report(status: CheckStatus, reason: &str, run: u32) -> CheckReport {
        CheckReport {
            gate: "test".to_owned(),
            argv: Vec::new(),
            stop: None,
            ms: 1,
            status,
            reason: reason.to_owned(),
            tests: Some(TestCounts {
                run,
                ..TestCounts::default()
            }),
            failed_tests: Vec::new(),
            excerpt: String::new(),
            output: Captured::default(),
            output_sha256: String::new(),
            retried: false,
        }
    }

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn check(isolated: &CheckReport, link: &[RepoPath], build: &[RepoPath]) -> String {
        let missing = |text: &str, is_folder| Missing {
            path: path(text),
            is_folder,
        };
        let missing = [
            missing("node_modules", true),
            missing("dist", true),
            missing("src/local.js", false),
        ];
        let about = Circumstances {
            missing: &missing,
            link,
            build,
            exists: &|path| path == "package-lock.json",
        };
        of(&report(CheckStatus::Green, "", 3), isolated, &about).join("\n")
    }

    #[test]
    fn a_folder_of_dependencies_gets_the_exact_lines() {
        let red = report(CheckStatus::Red, "exit 1", 0);
        let said = check(&red, &[path("web/node_modules")], &[path("target")]);
        for line in [
            "link = [\"web/node_modules\", \"node_modules\"]",
            "[scope] build = [\"target\", \"node_modules\"]",
            "run = [\"npm\", \"ci\"]",
            "network = [\"npm\"]",
        ] {
            assert!(said.contains(line), "no {line} in {said}");
        }
        assert!(!said.contains("dist"), "{said}");
    }

    #[test]
    fn what_the_gate_names_is_told_and_what_it_has_is_not() {
        let red = report(
            CheckStatus::Red,
            "Cannot find module './local.js' from dist/a",
            0,
        );
        let said = check(&red, &[path("node_modules")], &[]);
        assert!(said.contains("`src/local.js` is ignored by git"), "{said}");
        assert!(said.contains("[scope] build = [\"dist\"]"), "{said}");
        assert!(!said.contains("link ="), "{said}");
    }

    #[test]
    fn a_build_output_that_holds_dependencies_is_linked_instead() {
        let red = report(CheckStatus::Red, "exit 1", 0);
        let said = check(&red, &[], &[path("node_modules"), path("dist")]);
        for line in [
            "build = [\"dist\"]\n",
            "link = [\"node_modules\"]",
            "run = [\"npm\", \"ci\"]",
        ] {
            assert!(said.contains(line), "no {line} in {said}");
        }
    }

    #[test]
    fn where_nothing_differs_nothing_is_said() {
        assert_eq!(check(&report(CheckStatus::Green, "", 3), &[], &[]), "");
        let fewer = check(&report(CheckStatus::Green, "", 2), &[], &[]);
        assert!(fewer.contains("node_modules"), "{fewer}");
    }
}
