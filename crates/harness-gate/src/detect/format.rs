//! Which formatter a project has, by the files that steer it: only mentioned, never set up by itself.

use super::Project;

/// The files of prettier.
const PRETTIER: [&str; 6] = [
    ".prettierrc",
    ".prettierrc.json",
    ".prettierrc.yaml",
    ".prettierrc.yml",
    ".prettierrc.js",
    "prettier.config.js",
];

/// Says how the project's formatter is run on what an agent edits; nothing where none is clear.
pub(super) fn note(project: &Project<'_>) -> Option<String> {
    let (run, paths) = found(project)?;
    Some(format!(
        "a formatter can run on what an agent edits: a table `[[format]]` with run = {run}, paths = {paths}"
    ))
}

fn found(project: &Project<'_>) -> Option<(String, &'static str)> {
    if project.has_any(&["rustfmt.toml", ".rustfmt.toml"]) {
        let manifest = project.text("Cargo.toml");
        let edition = edition(&manifest);
        return Some((
            format!(r#"["rustfmt", "--edition", "{edition}"]"#),
            r#"["**/*.rs"]"#,
        ));
    }
    if project.has_any(&PRETTIER) {
        let run = r#"["node_modules/.bin/prettier", "--write"]"#;
        return Some((run.to_owned(), r#"["**/*.js", "**/*.ts", "**/*.tsx"]"#));
    }
    let pyproject = project.text("pyproject.toml");
    let run = if pyproject.contains("[tool.ruff") || project.has("ruff.toml") {
        r#"["ruff", "format"]"#
    } else if pyproject.contains("[tool.black]") {
        r#"["black", "--quiet"]"#
    } else {
        return None;
    };
    Some((run.to_owned(), r#"["**/*.py"]"#))
}

/// Returns the edition that the manifest names; rustfmt itself would take the oldest.
fn edition(manifest: &str) -> &str {
    const EDITIONS: [&str; 4] = ["2024", "2021", "2018", "2015"];
    let is_named = |edition: &&&str| {
        let named = format!("\"{edition}\"");
        let mut lines = manifest.lines();
        lines.any(|line| line.trim_start().starts_with("edition") && line.contains(&named))
    };
    EDITIONS.iter().find(is_named).unwrap_or(&"2021")
}
