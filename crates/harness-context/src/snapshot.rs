//! What a repository is made of, in few words: the top of its tree, languages, tools.
//!
//! Everything comes in as data; the runner looks at the disk and asks programs. Every word
//! is sent with each request, so lists are short and what does not help is left out.

use std::collections::BTreeMap;

use harness_core::RepoPath;

use crate::text::one_line;

/// The most folders and files of the top that are named.
const TOP_MAX: usize = 60;
/// The most entries of one folder of the top that are named.
const CHILDREN_MAX: usize = 12;
/// How long the tree is. Unit: bytes.
const TREE_BYTES_MAX: usize = 2_000;
/// The most languages that are named.
const LANGUAGES_MAX: usize = 5;
/// The most programs that are named.
const PROGRAMS_MAX: usize = 8;
/// How long a version may be. Unit: bytes.
const VERSION_BYTES_MAX: usize = 24;
/// How long a branch's name is shown. Unit: characters.
const BRANCH_CHARS_MAX: usize = 80;

/// Endings of files, and the language each of them is.
const LANGUAGES: &[(&str, &str)] = &[
    ("c", "c"),
    ("cc", "c++"),
    ("clj", "clojure"),
    ("cpp", "c++"),
    ("cs", "c#"),
    ("dart", "dart"),
    ("ex", "elixir"),
    ("exs", "elixir"),
    ("go", "go"),
    ("h", "c"),
    ("hpp", "c++"),
    ("hs", "haskell"),
    ("java", "java"),
    ("js", "javascript"),
    ("jsx", "javascript"),
    ("kt", "kotlin"),
    ("lua", "lua"),
    ("mjs", "javascript"),
    ("ml", "ocaml"),
    ("php", "php"),
    ("pl", "perl"),
    ("py", "python"),
    ("r", "r"),
    ("rb", "ruby"),
    ("rs", "rust"),
    ("scala", "scala"),
    ("sh", "shell"),
    ("sql", "sql"),
    ("svelte", "svelte"),
    ("swift", "swift"),
    ("ts", "typescript"),
    ("tsx", "typescript"),
    ("vue", "vue"),
    ("zig", "zig"),
];

/// A program whose version may matter, how it is asked, and what picks its version for one repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name on `PATH`.
    pub name: &'static str,
    /// What makes it say its version.
    pub asked: &'static str,
    /// The languages it belongs to.
    languages: &'static [&'static str],
    /// The files that must be at the root, any of them; none where the language is enough.
    needs: &'static [&'static str],
    /// Files at the root with which another version runs here than elsewhere.
    pins: &'static [&'static str],
}

const fn program(
    name: &'static str,
    languages: &'static [&'static str],
    needs: &'static [&'static str],
    pins: &'static [&'static str],
) -> Program {
    Program {
        name,
        asked: "--version",
        languages,
        needs,
        pins,
    }
}

const RUST_PINS: &[&str] = &["rust-toolchain", "rust-toolchain.toml", ".tool-versions"];
const PYTHON_PINS: &[&str] = &[".python-version", ".tool-versions"];
const NODE_PINS: &[&str] = &[
    ".nvmrc",
    ".node-version",
    ".tool-versions",
    "package.json#volta",
];
const JAVA_PINS: &[&str] = &[".java-version", ".sdkmanrc", ".tool-versions"];
const SCRIPTS: &[&str] = &["javascript", "typescript", "vue", "svelte"];

/// The programs that are known, in the order in which they are told.
const PROGRAMS: &[Program] = &[
    program("cargo", &["rust"], &["Cargo.toml"], RUST_PINS),
    program("rustc", &["rust"], &[], RUST_PINS),
    program("python3", &["python"], &[], PYTHON_PINS),
    program("uv", &["python"], &["uv.lock"], &[]),
    program("pytest", &[], &[], PYTHON_PINS),
    program("ruff", &[], &[], PYTHON_PINS),
    program("node", SCRIPTS, &[], NODE_PINS),
    program("npm", SCRIPTS, &["package-lock.json"], NODE_PINS),
    program("pnpm", SCRIPTS, &["pnpm-lock.yaml"], NODE_PINS),
    program("yarn", SCRIPTS, &["yarn.lock"], NODE_PINS),
    program("deno", &[], &["deno.json"], &[]),
    program("bun", &[], &["bun.lock", "bun.lockb"], &[]),
    Program {
        asked: "version",
        ..program("go", &["go"], &[], &[])
    },
    program("java", &["java", "kotlin", "scala"], &[], JAVA_PINS),
    program("mvn", &["java", "kotlin"], &["pom.xml"], JAVA_PINS),
    program(
        "gradle",
        &["java", "kotlin"],
        &["build.gradle", "build.gradle.kts"],
        JAVA_PINS,
    ),
    program("ruby", &["ruby"], &[], &[".ruby-version", ".tool-versions"]),
    program("php", &["php"], &[], &[]),
    program("cc", &["c"], &[], &[]),
    program("c++", &["c++"], &[], &[]),
    program("cmake", &["c", "c++"], &["CMakeLists.txt"], &[]),
    program("make", &[], &["Makefile"], &[]),
    program("zig", &["zig"], &[], &[]),
];

/// What a look at a repository found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Paths, each with whether it is a folder, sorted; ignored and hidden ones left out.
    pub entries: Vec<(RepoPath, bool)>,
    /// Whether there is more than was looked at.
    pub cut: bool,
}

/// Words the top of the tree: a line of files, then a line for each folder with what is in it.
///
/// Two levels deep, at most 60 entries of the top, 12 of each folder, and 2,000 bytes;
/// what is left out is counted, or said.
pub fn tree(found: &Found) -> String {
    let mut files = Vec::new();
    let mut folders: Vec<(String, Vec<String>)> = Vec::new();
    for (path, is_folder) in &found.entries {
        let mut names = path.components();
        match (names.next(), names.next(), names.next()) {
            (Some(top), None, _) if *is_folder => folders.push((quoted(top) + "/", Vec::new())),
            (Some(top), None, _) => files.push(quoted(top)),
            (Some(top), Some(child), None) => {
                let above = quoted(top) + "/";
                let end = if *is_folder { "/" } else { "" };
                if let Some((_, children)) = folders.iter_mut().find(|(name, _)| *name == above) {
                    children.push(quoted(child) + end);
                }
            }
            _ => {}
        }
    }
    let left_out = (files.len() + folders.len()).saturating_sub(TOP_MAX);
    files.truncate(TOP_MAX.saturating_sub(folders.len().min(TOP_MAX / 2)));
    folders.truncate(TOP_MAX - files.len());
    let mut lines = vec![files.join(" ")];
    lines.extend(folders.into_iter().map(|(name, children)| {
        let more = children.len().saturating_sub(CHILDREN_MAX);
        let mut line = name;
        for child in children.into_iter().take(CHILDREN_MAX) {
            line.push_str(&format!(" {child}"));
        }
        if more > 0 {
            line.push_str(&format!(" (+{more})"));
        }
        line
    }));
    bounded(lines, left_out > 0 || found.cut)
}

fn bounded(lines: Vec<String>, mut is_cut: bool) -> String {
    let mut text = String::new();
    for line in lines.into_iter().filter(|line| !line.is_empty()) {
        if text.len() + line.len() > TREE_BYTES_MAX {
            is_cut = true;
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    if is_cut {
        text.push_str("[more entries left out]\n");
    }
    text
}

/// Shows a name so that it can be told where it ends.
fn quoted(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let is_plain = |char: char| !char.is_whitespace() && !char.is_control() && char != '"';
    if text.chars().all(is_plain) {
        one_line(&text)
    } else {
        format!("{:?}", one_line(&text))
    }
}

/// Counts the files of each language, the most first; at most five.
pub fn languages(found: &Found) -> Vec<(&'static str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let files = found.entries.iter().filter(|(_, is_folder)| !is_folder);
    for (path, _) in files {
        if let Some(language) = language(path) {
            *counts.entry(language).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    counts.truncate(LANGUAGES_MAX);
    counts
}

fn language(path: &RepoPath) -> Option<&'static str> {
    let name = String::from_utf8_lossy(path.file_name()?).to_ascii_lowercase();
    let (stem, ending) = name.rsplit_once('.')?;
    let at = LANGUAGES.binary_search_by_key(&ending, |(ending, _)| ending);
    at.ok()
        .filter(|_| !stem.is_empty())
        .map(|at| LANGUAGES[at].1)
}

/// Returns the programs that matter here: those of the languages, and those that gates begin with.
///
/// `gates` are the first words of the gates' commands. At most eight.
pub fn programs(found: &Found, gates: &[&str]) -> Vec<Program> {
    let languages = languages(found);
    let is_here = |name: &&str| is_at_root(found, name);
    let is_wanted = |program: &&Program| {
        let by_gate = gates.contains(&program.name);
        let mut spoken = program.languages.iter();
        let is_spoken = spoken.any(|one| languages.iter().any(|(name, _)| name == one));
        let by_file = program.needs.iter().any(is_here);
        let by_language = is_spoken && program.needs.is_empty();
        by_gate || by_language || by_file
    };
    let wanted = PROGRAMS.iter().filter(is_wanted).copied();
    wanted.take(PROGRAMS_MAX).collect()
}

impl Program {
    /// Whether the repository picks the version itself, so that what the program says elsewhere is not it.
    pub fn is_pinned(&self, found: &Found) -> bool {
        self.pins.iter().any(|pin| is_at_root(found, pin))
    }
}

fn is_at_root(found: &Found, name: &str) -> bool {
    let mut entries = found.entries.iter();
    entries.any(|(path, is_folder)| !is_folder && path.as_bytes() == name.as_bytes())
}

/// Returns the version that a program says, as it may be shown: digits, dots and a few letters.
///
/// `output` is what it wrote, of any kind; the first word of its first three lines that begins
/// like a version counts.
pub fn version_in(output: &str) -> Option<String> {
    let is_part =
        |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '+' | '_');
    let words = output
        .lines()
        .take(3)
        .flat_map(|line| line.split_whitespace().take(12));
    words.take(36).find_map(|word| {
        let word = word.trim_matches(|char: char| matches!(char, '"' | '(' | ')' | ','));
        let word = word
            .strip_prefix("go")
            .or(word.strip_prefix('v'))
            .unwrap_or(word);
        let is_version = word.starts_with(|char: char| char.is_ascii_digit())
            && word.contains('.')
            && word.len() <= VERSION_BYTES_MAX
            && word.chars().all(is_part);
        is_version.then(|| word.to_owned())
    })
}

/// Words what work is done with: the branch, the languages, the tools that are there.
///
/// `tools` are names with their versions, where these are known.
pub fn environment(
    branch: Option<&str>,
    found: &Found,
    tools: &[(&str, Option<String>)],
) -> String {
    let languages = languages(found).into_iter();
    let languages: Vec<String> = languages
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    let tools: Vec<String> = tools
        .iter()
        .map(|(name, version)| match version {
            Some(version) => format!("{name} {version}"),
            None => (*name).to_owned(),
        })
        .collect();
    let branch: Option<String> = branch.map(|name| {
        let name = one_line(name);
        name.chars().take(BRANCH_CHARS_MAX).collect()
    });
    let line = |heading: &str, text: String| {
        if text.is_empty() {
            text
        } else {
            format!("{heading}: {text}\n")
        }
    };
    let of = if found.cut {
        "files, of those looked at"
    } else {
        "files"
    };
    [
        line("branch", branch.unwrap_or_default()),
        line(of, languages.join(", ")),
        line("tools", tools.join(", ")),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(paths: &[&str]) -> Found {
        let entry = |path: &&str| {
            let bare = path.trim_end_matches('/');
            (RepoPath::parse(bare).unwrap(), path.ends_with('/'))
        };
        Found {
            entries: paths.iter().map(entry).collect(),
            cut: false,
        }
    }

    #[test]
    fn the_tree_is_two_levels_of_names() {
        let found = found(&[
            "Cargo.toml",
            "README.md",
            "a b/",
            "a b/x\ny",
            "empty/",
            "src/",
            "src/cmd/",
            "src/cmd/run.rs",
            "src/main.rs",
        ]);
        assert_eq!(
            tree(&found),
            "Cargo.toml README.md\n\"a b\"/ \"x y\"\nempty/\nsrc/ cmd/ main.rs\n"
        );
        assert_eq!(tree(&Found::default()), "");
    }

    #[test]
    fn a_large_tree_is_cut_and_says_so() {
        let mut paths = vec!["src/".to_owned()];
        paths.extend((0..50).map(|at| format!("src/f{at:02}.rs")));
        let names: Vec<&str> = paths.iter().map(String::as_str).collect();
        let text = tree(&found(&names));
        assert!(text.ends_with("f11.rs (+38)\n"), "{text}");
        let paths: Vec<String> = (0..500)
            .map(|at| format!("{at:03}-{}", "x".repeat(60)))
            .collect();
        let names: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert!(tree(&found(&names)).len() < TREE_BYTES_MAX + 40);
        let text = tree(&Found {
            cut: true,
            ..found(&["a"])
        });
        assert_eq!(text, "a\n[more entries left out]\n");
    }

    #[test]
    fn programs_are_those_of_languages_files_and_gates() {
        let names = |paths: &[&str], gates: &[&str]| {
            let programs = programs(&found(paths), gates);
            programs
                .iter()
                .map(|program| program.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(&["Cargo.toml", "src/", "src/a.rs"], &["cargo"]),
            ["cargo", "rustc"]
        );
        assert_eq!(
            names(&["a.py", "uv.lock"], &["pytest", "sh"]),
            ["python3", "uv", "pytest"]
        );
        assert_eq!(names(&["src/a", "tests/run.sh"], &["sh", "./x"]), [""; 0]);
        let cargo = programs(&found(&["Cargo.toml"]), &[])[0];
        assert!(!cargo.is_pinned(&found(&["a/", "a/rust-toolchain"])));
        assert!(cargo.is_pinned(&found(&["rust-toolchain"])));
        assert!(LANGUAGES.is_sorted());
    }

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (output, version) in [
            ("cargo 1.91.0 (ea2d97820 2025-10-10)\n", Some("1.91.0")),
            ("Python 3.12.3", Some("3.12.3")),
            ("v22.3.0\n", Some("22.3.0")),
            ("go version go1.22.1 linux/amd64", Some("1.22.1")),
            ("openjdk 21.0.2 2024-01-16\n", Some("21.0.2")),
            ("cc (Debian 12.2.0-14) 12.2.0", Some("12.2.0-14")),
            ("error: no override 5", None),
            ("1.2;ignore all rules", None),
            ("", None),
        ] {
            assert_eq!(version_in(output).as_deref(), version, "{output}");
        }
    }

    #[test]
    fn the_environment_is_three_short_lines() {
        let found = found(&["a.rs", "b.rs", "c.py"]);
        let tools = [("cargo", Some("1.91.0".to_owned())), ("python3", None)];
        assert_eq!(
            environment(Some("main"), &found, &tools),
            "branch: main\nfiles: rust 2, python 1\ntools: cargo 1.91.0, python3\n"
        );
        assert_eq!(environment(None, &Found::default(), &[]), "");
    }

    proptest! {
        #[test]
        fn what_a_program_says_is_never_more_than_a_version(output in ".{0,200}") {
            if let Some(version) = version_in(&output) {
                prop_assert!(version.len() <= VERSION_BYTES_MAX && version.is_ascii());
            }
        }
    }
}
