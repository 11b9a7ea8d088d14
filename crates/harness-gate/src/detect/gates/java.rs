//! Java: Maven and Gradle, offline, with the JUnit reports that both write.
//!
//! Gates have no network, so both are told to ask for none; what they need is
//! brought by a setup step or lies in the person's cache.

use harness_core::{Gate, Reader};

use super::{Project, gate};

const GRADLE_FILES: [&str; 2] = ["build.gradle", "build.gradle.kts"];
const GRADLE_SETTINGS: [&str; 2] = ["settings.gradle", "settings.gradle.kts"];

pub(in super::super) fn is_java(project: &Project<'_>) -> bool {
    project.has("pom.xml") || project.has_any(&GRADLE_FILES) || project.has_any(&GRADLE_SETTINGS)
}

pub(super) fn gates(project: &Project<'_>) -> Vec<Gate> {
    if project.has("pom.xml") {
        let program = program(project, "mvnw", "mvn");
        let has_modules = project.text("pom.xml").contains("<modules>");
        let files = beneath(has_modules, "target/surefire-reports/*.xml");
        return vec![report(&format!("{program} -B -o test"), files)];
    }
    let program = program(project, "gradlew", "gradle");
    let has_modules = GRADLE_SETTINGS
        .iter()
        .any(|path| project.text(path).contains("include"));
    let files = beneath(has_modules, "build/test-results/test/*.xml");
    vec![report(&format!("{program} --offline test"), files)]
}

/// Returns the wrapper of a repository that has one.
fn program(project: &Project<'_>, wrapper: &str, plain: &str) -> String {
    match project.has(wrapper) {
        true => format!("./{wrapper}"),
        false => plain.to_owned(),
    }
}

fn beneath(has_modules: bool, pattern: &str) -> String {
    match has_modules {
        true => format!("**/{pattern}"),
        false => pattern.to_owned(),
    }
}

fn report(command: &str, files: String) -> Gate {
    Gate {
        report_file: Some(files),
        ..gate("test", command, Reader::Junit)
    }
}

/// Says how dependencies come where gates run.
pub(super) fn note(project: &Project<'_>) -> Option<String> {
    let (run, when) = match project.has("pom.xml") {
        true => {
            let program = program(project, "mvnw", "mvn");
            (
                format!("\"{program}\", \"-B\", \"dependency:go-offline\""),
                "pom.xml",
            )
        }
        false => {
            let program = program(project, "gradlew", "gradle");
            let file = GRADLE_FILES.iter().find(|file| project.has(file))?;
            (format!("\"{program}\", \"testClasses\""), *file)
        }
    };
    Some(format!(
        "dependencies are not downloaded without a network: a step `[[setup]]` with run = [{run}], \
         network = [\"maven\"], when = [\"{when}\"] brings them"
    ))
}
