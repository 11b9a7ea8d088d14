//! The sessions page: what each was about, how it stands, and what was said first and last.

use std::cmp::Reverse;

use harness_core::{AssistantPart, EndReason, Event, Goal, SessionId, SessionOpened};
use harness_report::{SessionSummary, clean_line};
use harness_store::Store;
use harness_tui::{Reach, SessionFound, SessionsFound, Standing};

use crate::{
    cli::Common,
    cmd::session::marks::is_running,
    compose::Site,
    failure::{Failure, chain},
    repositories,
};

/// The most sessions of this repository that are read, newest first.
const SESSIONS_MAX: usize = 200;
/// The most sessions of each other repository that are read, newest first.
const SESSIONS_EACH_MAX: usize = 20;
/// The most other repositories that are looked at, the one used last first.
const REPOSITORIES_MAX: usize = 50;
/// How much is kept of what was said, and of what failed. Unit: characters.
const WORDS_CHARS: usize = 400;
/// The most failures that are kept.
const TRIED_MAX: usize = 3;

pub(super) fn sessions(common: &Common, reach: Reach) -> Result<SessionsFound, Failure> {
    let site = Site::open(common)?;
    let mut found = SessionsFound {
        reach,
        ..SessionsFound::default()
    };
    let root = site.repo.root().display().to_string();
    if let Some(store) = site.existing_store()? {
        read(&mut found, &store, &root, SESSIONS_MAX)?;
    }
    if reach == Reach::Everywhere {
        for known in repositories::all(&site.folders)
            .into_iter()
            .take(REPOSITORIES_MAX)
        {
            if known.common_dir != site.repo.common_dir() {
                // What is gone, or of another version, keeps nobody from the rest.
                let _ = elsewhere(&mut found, &known);
            }
        }
        found.sessions.sort_by_key(|found| Reverse(found.last));
    }
    Ok(found)
}

/// Adds the sessions of another repository, each with where that is.
fn elsewhere(found: &mut SessionsFound, known: &repositories::Known) -> Result<(), Failure> {
    let store = Store::open_existing(known.common_dir.join("harness"));
    let Some(store) = store.map_err(|error| Failure::failed(chain(&error)))? else {
        return Ok(());
    };
    let before = found.sessions.len();
    read(found, &store, "", SESSIONS_EACH_MAX)?;
    for session in &mut found.sessions[before..] {
        session.repository = Some(known.root.clone());
        if session.elsewhere.is_empty() {
            session.elsewhere = known.root.display().to_string();
        }
    }
    Ok(())
}

/// Adds the sessions of a store, newest first, as they are seen from the work tree at `root`.
fn read(found: &mut SessionsFound, store: &Store, root: &str, most: usize) -> Result<(), Failure> {
    let all = store
        .sessions()
        .map_err(|error| Failure::failed(chain(&error)))?;
    found.older += all.len().saturating_sub(most);
    for session in all.iter().rev().take(most) {
        let marks = store.marks(*session).unwrap_or_default();
        if marks.archived {
            found.archived += 1;
            continue;
        }
        let mut told = told(root, store, *session);
        told.name = marks.name.unwrap_or_default();
        if told.standing == Standing::Stopped && is_running(store, *session).unwrap_or(false) {
            told.standing = Standing::Running;
            "running".clone_into(&mut told.state);
        }
        found.sessions.push(told);
    }
    Ok(())
}

/// Reads a log, one record in memory at a time.
fn told(root: &str, store: &Store, session: SessionId) -> SessionFound {
    let mut summary = SessionSummary::default();
    let mut found = SessionFound {
        session: Some(session),
        ..SessionFound::default()
    };
    let read = harness_store::fold(store.log_path(session), |record| {
        summary.take(&record.event, record.time);
        listen(&mut found, &record.event);
    });
    let is_damaged = read.as_ref().map_or(true, |read| read.problem.is_some());
    let end = summary.end.as_ref();
    (found.standing, found.state) = match (end.and_then(|end| end.run), end) {
        (Some(reason), Some(end)) => (standing(reason), end.text.clone()),
        // The run went on in another session.
        (None, Some(end)) => (Standing::Done, end.text.clone()),
        _ if is_damaged => (Standing::Damaged, "log damaged".to_owned()),
        _ => (Standing::Stopped, "cut short".to_owned()),
    };
    found.last = summary.last;
    found.checkpoints = summary.checkpoints;
    if let Some(opened) = summary.opened.as_deref() {
        describe(&mut found, opened, root);
    }
    found
}

fn describe(found: &mut SessionFound, opened: &SessionOpened, root: &str) {
    let feature = &opened.feature;
    let mut features = opened.run.features.iter();
    let title = features
        .find(|known| known.id == *feature)
        .map(|known| clean_line(&known.title, WORDS_CHARS));
    found.goal = title.unwrap_or_default();
    found.features = match &opened.run.goal {
        Goal::All => format!("{feature} of all"),
        _ => feature.to_string(),
    };
    found.branch.clone_from(&opened.branch);
    if opened.root != root {
        found.elsewhere.clone_from(&opened.root);
    }
}

/// Keeps what was said first and last, and what was refused.
fn listen(found: &mut SessionFound, event: &Event) {
    match event {
        Event::CheckpointSaved(saved) => found.checkpoint = Some(saved.number),
        Event::PersonSaid { text, .. } if found.words.0.is_empty() => {
            found.words.0 = clean_line(text, WORDS_CHARS);
        }
        Event::ModelResponded(responded) => {
            let text = responded
                .response
                .parts
                .iter()
                .rev()
                .find_map(|part| match part {
                    AssistantPart::Text { text } if !text.trim().is_empty() => Some(text),
                    _ => None,
                });
            if let Some(text) = text {
                found.words.1 = clean_line(text, WORDS_CHARS);
            }
        }
        Event::FinishRefused { reason, .. } => {
            if found.tried.len() == TRIED_MAX {
                found.tried.remove(0);
            }
            found.tried.push(clean_line(reason, WORDS_CHARS));
        }
        _ => {}
    }
}

const fn standing(reason: EndReason) -> Standing {
    match reason {
        EndReason::AllPassing | EndReason::FeaturePassed => Standing::Done,
        EndReason::Aborted => Standing::Aborted,
        EndReason::NeedsHuman => Standing::Waiting,
        _ => Standing::Stopped,
    }
}
