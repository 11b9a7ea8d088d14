//! Which gates may run at the same time: those that do not share a build.
//!
//! A build is what tools of one family keep and lock: `target`, caches of
//! modules, compiled bytecode. It is told from the argv alone, so it is a
//! guess, and doubt means waiting: a program that is not known here may start
//! any other. The engine orders gates with it.

use harness_core::Gate;

/// The most gates at the same time; tests of one gate often use every core already.
pub const AT_ONCE: usize = 2;

/// What a command may share with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    /// Nothing: it looks and writes no build.
    Nothing,
    /// What the tools of a family share.
    Family(Family),
    /// Anything: nothing is known of it.
    Anything,
}

/// Tools that share a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rust,
    Node,
    Python,
    Go,
    Jvm,
}

/// Whether two gates must not run at the same time.
pub fn share_a_build(one: &Gate, other: &Gate) -> bool {
    match (build_of(&one.run), build_of(&other.run)) {
        (Build::Anything, _) | (_, Build::Anything) => true,
        (Build::Family(one), Build::Family(other)) => one == other,
        (Build::Nothing, _) | (_, Build::Nothing) => false,
    }
}

/// Puts gates into groups of at most `at_once` that may run at the same time.
///
/// Each group holds positions in `gates`, in order. Gates that share a build
/// are in different groups, in the order of `gates`.
pub fn groups(gates: &[Gate], at_once: usize) -> Vec<Vec<usize>> {
    let mut left: Vec<usize> = (0..gates.len()).collect();
    let mut groups = Vec::new();
    while !left.is_empty() {
        let (mut group, mut later): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for &next in &left {
            let mut before = group.iter().chain(&later);
            let is_free = before.all(|&other| !share_a_build(&gates[other], &gates[next]));
            if is_free && group.len() < at_once.max(1) {
                group.push(next);
            } else {
                later.push(next);
            }
        }
        groups.push(group);
        left = later;
    }
    groups
}

fn build_of(argv: &[String]) -> Build {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => Build::Anything,
        [program, rest @ ..] => known_as(program).map_or(Build::Anything, |name| of(name, rest)),
    }
}

/// Returns the name a program is known by; a script of the repository is known by none.
fn known_as(program: &str) -> Option<&str> {
    let name = program.rsplit('/').next()?;
    let is_installed = program == name
        || program.starts_with('/')
        || program.contains("node_modules/.bin/")
        || program.contains("venv/bin/");
    let is_wrapper = matches!(name, "gradlew" | "mvnw");
    (is_installed || is_wrapper).then_some(name)
}

fn of(name: &str, rest: &[&str]) -> Build {
    let has = |flags: &[&str]| rest.iter().any(|word| flags.contains(word));
    match name {
        "cargo" => cargo(rest),
        "rustfmt" => looks_if(has(&["--check"])),
        "rustc" | "rustdoc" => Build::Family(Family::Rust),
        "npx" | "pnpx" | "bunx" => started(rest, Family::Node),
        "npm" | "pnpm" | "yarn" | "bun" => node_packages(rest),
        "tsc" if has(&["--noEmit"]) => Build::Nothing,
        "node" | "jest" | "vitest" | "mocha" | "ava" | "tap" | "tsc" | "tsx" | "ts-node"
        | "vite" | "webpack" | "playwright" => Build::Family(Family::Node),
        "prettier" => looks_if(has(&["--check", "-c", "--list-different", "-l"])),
        "uv" | "poetry" | "pipenv" | "hatch" | "tox" | "nox" | "pytest" | "py.test"
        | "coverage" => Build::Family(Family::Python),
        "black" | "isort" => looks_if(has(&["--check", "--check-only", "-c"])),
        "ruff" => {
            looks_if(rest.first() != Some(&"format") || has(&["--check"])).unless_it_writes(rest)
        }
        python if python.starts_with("python") => match rest {
            ["-m", rest @ ..] => started(rest, Family::Python),
            _ => Build::Family(Family::Python),
        },
        "go" | "gotestsum" | "golangci-lint" | "staticcheck" => Build::Family(Family::Go),
        "mvn" | "mvnw" | "gradle" | "gradlew" | "java" | "javac" => Build::Family(Family::Jvm),
        "eslint" | "stylelint" | "mypy" | "pyright" | "flake8" | "pylint" | "shellcheck"
        | "hadolint" | "actionlint" | "yamllint" | "markdownlint" | "typos" => {
            Build::Nothing.unless_it_writes(rest)
        }
        "gofmt" | "shfmt" => looks_if(has(&["-l", "-d"])).unless_it_writes(rest),
        _ => Build::Anything,
    }
}

impl Build {
    /// A looker that mends what it sees changes what others see.
    fn unless_it_writes(self, rest: &[&str]) -> Self {
        const WRITES: [&str; 6] = ["--fix", "--write", "-w", "--write-changes", "--apply", "-i"];
        let writes = |word: &&str| WRITES.contains(word) || word.starts_with("--fix");
        if rest.iter().any(writes) {
            Self::Anything
        } else {
            self
        }
    }
}

/// A formatter that is not told to look only writes.
const fn looks_if(looks: bool) -> Build {
    if looks {
        Build::Nothing
    } else {
        Build::Anything
    }
}

fn cargo(rest: &[&str]) -> Build {
    let mut words = rest.iter().filter(|word| !word.starts_with('+'));
    match words.next() {
        Some(&"fmt") => looks_if(rest.contains(&"--check")),
        Some(&"xtask" | &"make" | &"run") => Build::Anything,
        _ => Build::Family(Family::Rust),
    }
}

/// `npm test` and `npm run` start what `package.json` says, which may be anything.
fn node_packages(rest: &[&str]) -> Build {
    match rest {
        ["exec" | "dlx" | "x", rest @ ..] => started(rest, Family::Node),
        ["ci" | "install" | "audit" | "ls", ..] => Build::Family(Family::Node),
        _ => Build::Anything,
    }
}

/// Returns what a program shares that another starts, which itself belongs to a family.
fn started(rest: &[&str], family: Family) -> Build {
    let mut rest = rest;
    while let [flag, more @ ..] = rest
        && flag.starts_with('-')
    {
        rest = more;
    }
    match rest {
        [name, more @ ..] if !name.contains('/') => match of(name, more) {
            Build::Anything => Build::Family(family),
            build => build,
        },
        _ => Build::Family(family),
    }
}

#[cfg(test)]
mod tests;
