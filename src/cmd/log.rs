//! `harness log`: what happened in a session, whether its record is whole, and a copy of it.

pub(super) mod export;
mod follow;
mod transcript;

use std::path::PathBuf;

use harness_core::SessionId;
use harness_report::{JsonLines, Lines};
use harness_store::{Defect, Store};
use serde_json::json;

use super::runs;
use crate::{
    cli::{Common, Log},
    compose::Site,
    failure::{Failure, RED, chain},
    named,
    output::{self, Output, say},
};

pub(super) fn run(common: &Common, command: &Log) -> Result<u8, Failure> {
    // A file stands for itself: no repository is needed.
    if let Log::Show {
        session: Some(name),
    }
    | Log::Verify {
        session: Some(name),
    } = command
        && let Some(path) = named::file(common.directory.as_deref(), name)
    {
        let target = Target::file(name, path);
        return match command {
            Log::Show { .. } => show(common, &target),
            _ => verify(common, &[target]),
        };
    }
    let site = Site::open(common)?;
    let store = site.existing_store()?;
    let store = store.ok_or_else(|| {
        Failure::usage("there is no session in this repository").hint("harness run")
    })?;
    match command {
        Log::Show { session } => show(common, &target(&site, &store, session.as_deref())?),
        Log::Verify {
            session: Some(session),
        } => verify(common, &[target(&site, &store, Some(session))?]),
        Log::Verify { session: None } => {
            let sessions = store
                .sessions()
                .map_err(|error| Failure::failed(chain(&error)))?;
            let targets: Vec<Target> = sessions
                .into_iter()
                .map(|session| Target::session(&store, session))
                .collect();
            verify(common, &targets)
        }
        Log::Follow(flags) => follow::run(&site, &store, common, flags),
        Log::Export(flags) => export::run(&site, &store, common, flags),
    }
}

/// A log that is looked at.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// What it is called.
    pub(super) name: String,
    /// Its file.
    pub(super) path: PathBuf,
    /// Where the session is kept; absent for a file that stands for itself.
    pub(super) store: Option<Store>,
}

impl Target {
    pub(super) fn session(store: &Store, session: SessionId) -> Self {
        Self {
            name: session.to_string(),
            path: store.log_path(session),
            store: Some(store.clone()),
        }
    }

    /// Names a file.
    pub(super) fn file(name: &str, path: PathBuf) -> Self {
        Self {
            name: format!("`{name}`"),
            path,
            store: None,
        }
    }

    /// Whether it is a session of the repository.
    const fn is_here(&self) -> bool {
        self.store.is_some()
    }
}

/// Finds the log that is named, or the one of the latest session.
pub(super) fn target(site: &Site, store: &Store, name: Option<&str>) -> Result<Target, Failure> {
    let session = match name {
        Some(name) => runs::any_session(store, name)?,
        None => runs::session(site, store, None)?,
    };
    Ok(Target::session(store, session))
}

fn show(common: &Common, target: &Target) -> Result<u8, Failure> {
    let (mut lines, mut json) = (Lines::detailed(), JsonLines::default());
    let log = harness_store::read(&target.path).map_err(|error| unreadable(target, &error))?;
    for record in &log.records {
        let text = if common.json {
            json.write(&record.event, record.time)
        } else {
            lines.at(record.time);
            lines.write(&record.event)
        };
        output::write(&text)?;
    }
    Ok(0)
}

/// The failure of a command that needs a whole log.
pub(super) fn unreadable(target: &Target, error: &harness_store::StoreError) -> Failure {
    let text = chain(error);
    match error {
        harness_store::StoreError::File(_) if !target.is_here() => Failure::usage(text)
            .hint("name a session, or a file that `harness log export` has written"),
        harness_store::StoreError::File(_) => Failure::usage(text).hint("harness session list"),
        _ => Failure::red(text).hint(format!(
            "harness log verify {}",
            target.name.replace('`', "")
        )),
    }
}

fn verify(common: &Common, targets: &[Target]) -> Result<u8, Failure> {
    let mut output = Output::new(common);
    let mut code = 0;
    for target in targets {
        let Target { name, path, .. } = target;
        let found = harness_store::verify(path);
        let found = found.map_err(|error| {
            Failure::usage(chain(&error)).hint(match target.is_here() {
                true => "harness session list",
                false => "name a session, or a file that `harness log export` has written",
            })
        })?;
        let problem = found
            .problem
            .as_ref()
            .map(|problem| format!("line {}: {}", problem.line, problem.what));
        let text = match &problem {
            Some(problem) => format!(
                "note: {name} does not hold after record {}: {problem}",
                found.records
            ),
            None if found.torn.0 > 0 => {
                format!(
                    "note: {name} holds, {} records, and ends with {} of a record that was cut short",
                    found.records, found.torn
                )
            }
            None => format!(
                "note: {name} holds, {} records, head {}",
                found.records, found.head.hash
            ),
        };
        let body = json!({ "session": target.is_here().then_some(name), "file": path.display().to_string(),
            "records": found.records, "head": found.head.hash.to_string(),
            "whole": found.is_whole(), "torn_bytes": found.torn.0, "problem": problem });
        output.entry("log_verified", &text, body)?;
        if let Some(problem) = &found.problem {
            code = RED;
            say(&format!(
                "hint: {}",
                way_out(target, found.records, &problem.what)
            ));
        }
    }
    if targets.is_empty() {
        output.text("note: there is no session yet")?;
    }
    Ok(code)
}

/// Says what can be done about a log that does not hold.
fn way_out(target: &Target, records: u64, defect: &Defect) -> String {
    let name = &target.name;
    match defect {
        Defect::Newer { .. } | Defect::UnknownEvent { .. } => {
            "use the version of harness that wrote it, or a later one".to_owned()
        }
        Defect::BlobMissing { hash } | Defect::BlobChanged { hash } if target.is_here() => format!(
            "put `{}` back from a copy; the {records} records before it can be told: `harness session show {name}`",
            target
                .path
                .with_file_name("blobs")
                .join(hash.to_string())
                .display()
        ),
        _ if target.is_here() => format!(
            "the {records} records before it can be told: `harness session show {name}`; the files are in its checkpoints: `harness checkpoint list {name}`; to go on, put the log back from a copy, or begin anew with `harness run`"
        ),
        _ => "export the session anew with `harness log export`".to_owned(),
    }
}
