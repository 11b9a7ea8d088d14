//! `harness log`: what happened in a session, whether its record is whole, and a copy of it.

pub(super) mod export;
mod follow;
mod transcript;

use std::path::PathBuf;

use harness_core::SessionId;
use harness_report::{JsonLines, Lines};
use harness_store::{Defect, Store};
use serde_json::json;

use super::{
    lost::{self, Lost, StoreOrGit},
    runs,
};
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
            _ => verify(common, None, &[], &[target]),
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
        } => verify(
            common,
            Some(&site),
            &[],
            &[target(&site, &store, Some(session))?],
        ),
        Log::Verify { session: None } => {
            let sessions = store
                .sessions()
                .map_err(|error| Failure::failed(chain(&error)))?;
            let targets: Vec<Target> = sessions
                .into_iter()
                .map(|session| Target::session(&store, session))
                .collect();
            verify(common, Some(&site), &lost::without_log(&store)?, &targets)
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
    /// The session, and where it is kept; absent for a file that stands for itself.
    pub(super) store: Option<Store>,
    session: Option<SessionId>,
}

impl Target {
    pub(super) fn session(store: &Store, session: SessionId) -> Self {
        Self {
            name: session.to_string(),
            path: store.log_path(session),
            store: Some(store.clone()),
            session: Some(session),
        }
    }

    /// Names a file.
    pub(super) fn file(name: &str, path: PathBuf) -> Self {
        Self {
            name: format!("`{name}`"),
            path,
            store: None,
            session: None,
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

fn verify(
    common: &Common,
    site: Option<&Site>,
    gone: &[SessionId],
    targets: &[Target],
) -> Result<u8, Failure> {
    let mut output = Output::new(common);
    let mut code = 0;
    for target in targets {
        let Target { name, path, .. } = target;
        let verified = match (&target.store, target.session) {
            (Some(store), Some(session)) => lost::verify(site, store, session),
            _ => harness_store::verify(path)
                .map(|found| (found, None))
                .map_err(StoreOrGit::Store),
        };
        let (found, lost) = verified.map_err(|error| match error {
            StoreOrGit::Other(failure) => failure,
            StoreOrGit::Store(error) => {
                Failure::usage(chain(&error)).hint(match target.is_here() {
                    true => "harness session list",
                    false => "name a session, or a file that `harness log export` has written",
                })
            }
        })?;
        let problem = found
            .problem
            .as_ref()
            .map(|problem| format!("line {}: {}", problem.line, problem.what));
        let text = match (&problem, &lost) {
            (Some(problem), _) => format!(
                "note: {name} does not hold after record {}: {problem}",
                found.records
            ),
            (None, Some(lost)) => format!("note: {name} {}", lost.words()),
            (None, None) if found.torn.0 > 0 => {
                format!(
                    "note: {name} holds, {} records, and ends with {} of a record that was cut short",
                    found.records, found.torn
                )
            }
            (None, None) => format!(
                "note: {name} holds, {} records, head {}",
                found.records, found.head.hash
            ),
        };
        let had = lost.as_ref().and_then(|lost| lost.had);
        let is_whole = found.is_whole() && lost.is_none();
        let problem = problem.or_else(|| lost.as_ref().map(Lost::words));
        let body = json!({ "session": target.is_here().then_some(name), "file": path.display().to_string(),
            "records": found.records, "had_records": had, "head": found.head.hash.to_string(),
            "whole": is_whole, "torn_bytes": found.torn.0, "problem": problem });
        output.entry("log_verified", &text, body)?;
        if problem.is_some() {
            code = RED;
            let defect = found.problem.as_ref().map(|problem| &problem.what);
            say(&format!("hint: {}", way_out(target, found.records, defect)));
        }
    }
    for session in gone {
        code = RED;
        let problem = "its log is gone, and nobody pruned it";
        let body = json!({ "session": session.to_string(), "file": null, "records": 0, "had_records": null,
            "head": null, "whole": false, "torn_bytes": 0, "problem": problem });
        let text = format!("note: {session}: {problem}");
        output.entry("log_verified", &text, body)?;
        say(&format!(
            "hint: put the log back from a copy; the files are in its checkpoints: `harness checkpoint list {session}`"
        ));
    }
    if targets.is_empty() && gone.is_empty() {
        output.text("note: there is no session yet")?;
    }
    Ok(code)
}

/// Says what can be done about a log that does not hold.
fn way_out(target: &Target, records: u64, defect: Option<&Defect>) -> String {
    let name = &target.name;
    match defect {
        Some(Defect::Newer { .. } | Defect::UnknownEvent { .. }) => {
            "use the version of harness that wrote it, or a later one".to_owned()
        }
        Some(Defect::BlobMissing { hash } | Defect::BlobChanged { hash }) if target.is_here() => {
            format!(
                "put `{}` back from a copy; the {records} records before it can be told: `harness session show {name}`",
                target
                    .path
                    .with_file_name("blobs")
                    .join(hash.to_string())
                    .display()
            )
        }
        None if records == 0 => format!(
            "put the log back from a copy; the files are in its checkpoints: `harness checkpoint list {name}`; `harness run` begins anew"
        ),
        _ if target.is_here() => format!(
            "the {records} records before it can be told: `harness session show {name}`; the files are in its checkpoints: `harness checkpoint list {name}`; to go on, put the log back from a copy, or begin anew with `harness run`"
        ),
        _ => "export the session anew with `harness log export`".to_owned(),
    }
}
