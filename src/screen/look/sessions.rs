//! The sessions page: what each was about, how it stands, and what was said first and last.

use harness_core::{AssistantPart, EndReason, Event, Goal, SessionId, SessionOpened};
use harness_report::{SessionSummary, clean_line};
use harness_store::Store;
use harness_tui::{Reach, SessionFound, SessionsFound, Standing};

use crate::{
    cli::Common,
    compose::Site,
    failure::{Failure, chain},
    session,
};

/// The most sessions that are read, newest first.
const SESSIONS_MAX: usize = 200;
/// How much is kept of what was said, and of what failed. Unit: characters.
const WORDS_CHARS: usize = 400;
/// The most failures that are kept.
const TRIED_MAX: usize = 3;

pub(super) fn sessions(common: &Common, reach: Reach) -> Result<SessionsFound, Failure> {
    let site = Site::open(common)?;
    let Some(store) = site.existing_store()? else {
        return Ok(SessionsFound {
            reach,
            ..SessionsFound::default()
        });
    };
    let all = store
        .sessions()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let older = all.len().saturating_sub(SESSIONS_MAX);
    let newest_first = all.iter().rev().take(SESSIONS_MAX);
    let mut found: Vec<SessionFound> = newest_first
        .map(|session| told(&site, &store, *session))
        .collect();
    // Only the latest of this work tree can be the one that runs here.
    if let Some(latest) = found.iter_mut().find(|found| found.elsewhere.is_empty())
        && latest.standing == Standing::Stopped
        && session::lock(&site, &store).is_err()
    {
        latest.standing = Standing::Running;
        "running".clone_into(&mut latest.state);
    }
    Ok(SessionsFound {
        reach,
        sessions: found,
        older,
    })
}

/// Reads a log, one record in memory at a time.
fn told(site: &Site, store: &Store, session: SessionId) -> SessionFound {
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
        describe(&mut found, opened, site);
    }
    found
}

fn describe(found: &mut SessionFound, opened: &SessionOpened, site: &Site) {
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
    if opened.root != site.repo.root().display().to_string() {
        found.elsewhere.clone_from(&opened.root);
    }
}

/// Keeps what was said first and last, and what was refused.
fn listen(found: &mut SessionFound, event: &Event) {
    match event {
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
        EndReason::AllPassing | EndReason::FeaturePassed | EndReason::Answered => Standing::Done,
        EndReason::Aborted => Standing::Aborted,
        EndReason::NeedsHuman => Standing::Waiting,
        _ => Standing::Stopped,
    }
}
