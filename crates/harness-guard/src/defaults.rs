//! What the program protects and hides before anybody configures anything.
//!
//! The lists are data for the configuration, which puts them into the rules with
//! their origin; a [`Scope`](crate::Scope) knows only the rules it is given.
//! Which file decides how gates run is answered here by name alone; script files
//! named in an argv and tests of passing features are known elsewhere.

use harness_core::{RepoPath, Sourced};

/// Names at any depth that decide how tests, builds and lints run; `name/**` is a folder.
///
/// At most one `*` each, and none in folders: [`is_gate_affecting`] matches them by hand.
const GATE_AFFECTING: &[&str] = &[
    ".cargo/**",
    ".circleci/**",
    ".coveragerc",
    ".eslintrc*",
    ".flake8",
    ".github/**",
    ".gitlab-ci.yml",
    ".golangci.y*ml",
    ".mocharc*",
    ".pre-commit-config.yaml",
    ".pylintrc",
    "Cargo.toml",
    "GNUmakefile",
    "Jenkinsfile",
    "Makefile",
    "azure-pipelines.yml",
    "babel.config.*",
    "biome.json*",
    "build.gradle*",
    "build.rs",
    "clippy.toml",
    ".clippy.toml",
    "conftest.py",
    "eslint.config.*",
    "go.mod",
    "jest.config.*",
    "jest.setup.*",
    "justfile",
    ".justfile",
    "mypy.ini",
    "nextest.toml",
    "noxfile.py",
    "package.json",
    "playwright.config.*",
    "pom.xml",
    "pyproject.toml",
    "pytest.ini",
    ".pytest.ini",
    "ruff.toml",
    ".ruff.toml",
    "rust-toolchain*",
    "rustfmt.toml",
    ".rustfmt.toml",
    "setup.cfg",
    "sitecustomize.py",
    "tox.ini",
    "tsconfig*.json",
    "usercustomize.py",
    "vite.config.*",
    "vitest.config.*",
    "vitest.setup.*",
    "vitest.workspace.*",
];

/// Expected output kept beside tests: it decides a gate, but writing it is ordinary work.
const SNAPSHOTS: &[&str] = &["*.snap", "__snapshots__/**"];

/// Names at any depth that run code on a machine, pin what is fetched or steer other agents.
const PROTECTED_BESIDE: &[&str] = &[
    ".aider*",
    ".claude/**",
    ".codex/**",
    ".cursor/**",
    ".cursorrules",
    ".devcontainer/**",
    ".envrc",
    ".gemini/**",
    ".gitattributes",
    ".gitmodules",
    ".husky/**",
    ".idea/**",
    ".lfsconfig",
    ".mcp.json",
    ".npmrc",
    ".pnpmfile.cjs",
    ".vscode/**",
    ".yarnrc*",
    "CLAUDE.md",
    "Cargo.lock",
    "GEMINI.md",
    "Gemfile*",
    "Pipfile*",
    "bun.lock*",
    "composer.json",
    "composer.lock",
    "deno.json*",
    "deno.lock",
    "go.sum",
    "go.work*",
    "gradle.properties",
    "gradlew*",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pdm.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "poetry.lock",
    "requirements*.txt",
    "settings.gradle*",
    "setup.py",
    "uv.lock",
    "yarn.lock",
];

/// Names at any depth that hold secrets by custom.
const HIDDEN: &[&str] = &[
    ".env",
    ".env.*",
    ".git-credentials",
    ".gnupg/**",
    ".netrc",
    ".pgpass",
    ".pypirc",
    ".ssh/**",
    "*.jks",
    "*.keystore",
    "*.p12",
    "*.pem",
    "*.pfx",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "id_rsa*",
];

/// Returns the patterns that are read-only unless a feature's `may_change` names the path.
///
/// Manifests and lockfiles, what decides how gates run except snapshots,
/// continuous integration, editors and other agents.
pub fn default_protected() -> Vec<Sourced> {
    anywhere(GATE_AFFECTING.iter().chain(PROTECTED_BESIDE))
}

/// Returns the patterns of files that are by custom secret.
pub fn default_hidden() -> Vec<Sourced> {
    anywhere(HIDDEN)
}

/// Returns the patterns of files that decide how gates run or what they compare with.
pub fn gate_affecting() -> Vec<Sourced> {
    anywhere(GATE_AFFECTING.iter().chain(SNAPSHOTS))
}

/// Whether a path is by its name one of [`gate_affecting`], in any ASCII case.
pub fn is_gate_affecting(path: &RepoPath) -> bool {
    path.components().any(|component| {
        GATE_AFFECTING
            .iter()
            .chain(SNAPSHOTS)
            .any(|name| is_named(component, name))
    })
}

fn anywhere<'a>(names: impl IntoIterator<Item = &'a &'static str>) -> Vec<Sourced> {
    names
        .into_iter()
        .map(|name| Sourced::built_in(format!("**/{name}")))
        .collect()
}

fn is_named(component: &[u8], name: &str) -> bool {
    let name = name.strip_suffix("/**").unwrap_or(name);
    let Some((before, after)) = name.split_once('*') else {
        return component.eq_ignore_ascii_case(name.as_bytes());
    };
    let fits = component.len() >= before.len() + after.len();
    fits && component[..before.len()].eq_ignore_ascii_case(before.as_bytes())
        && component[component.len() - after.len()..].eq_ignore_ascii_case(after.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{Effect, PatternSet};

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    #[test]
    fn default_lists_compile_and_say_that_they_are_built_in() {
        for list in [default_protected(), default_hidden(), gate_affecting()] {
            assert!(list.iter().all(|pattern| pattern.origin == "built in"));
            PatternSet::compile(&list, Effect::Restrict).unwrap();
        }
    }

    #[test]
    fn names_and_patterns_give_the_same_answer() {
        let patterns = PatternSet::compile(&gate_affecting(), Effect::Restrict).unwrap();
        let others = [
            "src/lib.rs",
            "cargo/config",
            "xCargo.toml",
            "tsconfig",
            "a.snapshot",
            ".golangci.y",
        ];
        let names = GATE_AFFECTING.iter().chain(SNAPSHOTS).flat_map(|name| {
            let name = name.trim_end_matches("/**").replace('*', "x");
            let upper = name.to_uppercase();
            [format!("a/b/{name}"), format!("{name}/below"), upper, name]
        });
        for text in names.chain(others.map(str::to_owned)) {
            let path = path(&text);
            assert_eq!(is_gate_affecting(&path), patterns.covers(&path), "{text}");
        }
    }

    #[test]
    fn configuration_of_tests_and_builds_is_gate_affecting() {
        for right in [
            "Cargo.toml",
            "crates/a/Cargo.toml",
            ".cargo/config.toml",
            "rust-toolchain.toml",
            "conftest.py",
            "tests/CONFTEST.PY",
            ".github/workflows/ci.yml",
            "web/tsconfig.build.json",
            "vitest.config.ts",
            "tests/snapshots/a.snap",
            "Makefile",
        ] {
            assert!(is_gate_affecting(&path(right)), "{right}");
        }
        for wrong in [
            "",
            "src/main.rs",
            "Cargo.lock",
            "docs/Makefile.md",
            "tsconfig.md",
        ] {
            assert!(!is_gate_affecting(&path(wrong)), "{wrong}");
        }
    }

    #[test]
    fn manifests_agents_and_ci_are_protected_and_secrets_hidden() {
        let protected = PatternSet::compile(&default_protected(), Effect::Restrict).unwrap();
        for right in [
            "Cargo.lock",
            "web/package.json",
            "requirements-dev.txt",
            "CLAUDE.md",
            ".claude/settings.json",
            ".vscode/tasks.json",
            ".envrc",
            "claude.md",
            ".github",
            "deep/down/go.sum",
            ".gitattributes",
        ] {
            assert!(protected.covers(&path(right)), "{right}");
        }
        for wrong in [
            "src/lib.rs",
            "README.md",
            "tests/a.snap",
            "docs/requirements.md",
        ] {
            assert!(!protected.covers(&path(wrong)), "{wrong}");
        }
        let hidden = PatternSet::compile(&default_hidden(), Effect::Restrict).unwrap();
        for right in [
            ".env",
            "web/.env.local",
            "tls/KEY.PEM",
            "id_rsa",
            ".ssh/config",
        ] {
            assert!(hidden.covers(&path(right)), "{right}");
        }
        for wrong in ["src/env.rs", "environment", "pem.rs"] {
            assert!(!hidden.covers(&path(wrong)), "{wrong}");
        }
    }
}
