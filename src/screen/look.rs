//! Looks up what is no event: where the repository stands, what a call did, what pages show.

mod features;
mod first;
mod gates;
mod sessions;

use harness_core::{CallId, EndReason, Event, FeatureStatus, RepoPath, SessionId};
use harness_tui::{Answer, Found, Overview, Query, Wanted};

use super::names;
use crate::{
    cli::{Common, RunOptions},
    cmd::{checkpoint, runs},
    compose::{CONFIG_FILE, Site},
    detect,
    failure::{Failure, chain},
    files::{self, HOST_FILE_MAX},
    trust::{self, Subject, Trusted},
};

pub(super) fn answer(common: &Common, query: &Query) -> Answer {
    match *query {
        Query::Page(ref wanted) => {
            let found = page(common, wanted).map(Box::new);
            Answer::Page(wanted.clone(), found.map_err(|failure| failure.to_told()))
        }
        Query::Overview => {
            let overview = overview(common).map(Box::new);
            Answer::Overview(overview.map_err(|failure| failure.to_told()))
        }
        Query::Dress(ref wanted) => Answer::Dressed(Box::new(wanted.clone().make())),
        Query::Files => names::files(common),
        Query::Detail { session, call } => Answer::Detail {
            session,
            call,
            found: detail(common, session, call).ok().flatten().map(Box::new),
        },
    }
}

fn page(common: &Common, wanted: &Wanted) -> Result<Found, Failure> {
    Ok(match wanted {
        Wanted::Features => Found::Features(features::features(common)?),
        Wanted::Gates => Found::Gates(gates::gates(common)?),
        Wanted::Checkpoints(session) => {
            Found::Checkpoints(checkpoint::page::checkpoints(common, *session)?)
        }
        Wanted::Review(asked) => Found::Review(Box::new(super::review::found(common, asked)?)),
        Wanted::First => Found::First(first::first(common)?),
        Wanted::Sessions(reach) => Found::Sessions(sessions::sessions(common, *reach)?),
        Wanted::Difference { session, from, to } => Found::Difference {
            title: match from {
                Some(from) => format!("{session}, checkpoint {from} to {to}"),
                None => format!("{session}, checkpoint {to}"),
            },
            text: checkpoint::page::difference(common, *session, *from, *to)?,
        },
        Wanted::File { path, line } => Found::File {
            text: file(common, path)?,
            path: path.clone(),
            line: *line,
        },
    })
}

/// Reads a file of the work tree for the person's own eyes.
fn file(common: &Common, path: &str) -> Result<String, Failure> {
    let site = Site::open(common)?;
    let parsed = RepoPath::parse(path)
        .map_err(|error| Failure::usage(format!("cannot open `{path}`: {error}")))?;
    let file = files::read_beneath(&site.root, &parsed, HOST_FILE_MAX)?;
    let file = file.ok_or_else(|| Failure::usage(format!("there is no file `{parsed}`")))?;
    Ok(String::from_utf8_lossy(&file.bytes).into_owned())
}

fn overview(common: &Common) -> Result<Overview, Failure> {
    let site = Site::open(common)?;
    let head = site.head()?;
    let resolved = site.resolve(&RunOptions::default())?;
    let features = site.features(&resolved.policy.feature_file)?;
    let mut overview = Overview {
        repository: site.repo.name(),
        branch: head.branch.unwrap_or_else(|| "detached HEAD".to_owned()),
        ..Overview::default()
    };
    for feature in &features {
        // What is claimed counts as not passing, here as everywhere.
        let (title, status) = if site.is_claimed(feature, &resolved) {
            let title = format!("{} (claimed, no proof)", feature.title);
            (title, FeatureStatus::Pending)
        } else {
            (feature.title.clone(), feature.status)
        };
        overview.features.push((feature.id.clone(), title, status));
    }
    match &site.repository {
        Some(_) => {
            let policy = &resolved.policy;
            overview.gates = policy.gates.iter().map(|gate| gate.name.clone()).collect();
            overview.scope = policy
                .scope
                .write
                .iter()
                .map(|rule| rule.value.clone())
                .collect();
            let subject = Subject::of(&site, &resolved, &features)?;
            overview.notes.push(match trust::check(&site, &subject)? {
                Trusted::Yes => "this repository is trusted as it is".to_owned(),
                Trusted::Never => "not trusted yet: a run asks first".to_owned(),
                Trusted::Changed { .. } => {
                    "changed since you trusted it: a run asks first".to_owned()
                }
            });
        }
        None => {
            let found = detect::detect(&site);
            overview.gates = found.gates.iter().map(|gate| gate.name.clone()).collect();
            overview.scope = found.write;
            overview.notes.push(format!(
                "there is no {CONFIG_FILE}: what was detected counts for one run; `harness init` writes it down"
            ));
        }
    }
    overview.is_first = first::is_first(&site)?;
    overview.must_fix = gates::must_fix(&site)?.unwrap_or_default();
    last_session(&site, &mut overview)?;
    Ok(overview)
}

/// Finds the last session, and whether it can be gone on with.
fn last_session(site: &Site, overview: &mut Overview) -> Result<(), Failure> {
    let Some(store) = site.existing_store()? else {
        return Ok(());
    };
    let Some(session) = runs::latest_session(site, &store)? else {
        return Ok(());
    };
    let Ok(log) = harness_store::read(store.log_path(session)) else {
        overview.notes.push(format!(
            "the log of {session} cannot be read: `harness log verify {session}` tells more"
        ));
        return Ok(());
    };
    let end = log
        .records
        .iter()
        .rev()
        .find_map(|record| match &record.event {
            Event::RunEnded { reason, .. } => Some(*reason),
            _ => None,
        });
    let opened = log.records.first().map(|record| &record.event);
    let Some(Event::SessionOpened(opened)) = opened else {
        return Ok(());
    };
    let (what, goes_on) = match end {
        Some(reason) => (
            format!("ended: {reason}"),
            reason.exit_code() != 0 && reason != EndReason::Aborted,
        ),
        None => ("was cut short, or is running".to_owned(), true),
    };
    overview.notes.push(format!(
        "last session {session} of run {}, {}, {what}",
        opened.run.run, opened.feature
    ));
    overview.resumable = goes_on.then_some(session);
    Ok(())
}

type Detail = (Option<harness_core::Action>, harness_core::CallEnd);

fn detail(common: &Common, session: SessionId, call: CallId) -> Result<Option<Detail>, Failure> {
    let site = Site::open(common)?;
    let Some(store) = site.existing_store()? else {
        return Ok(None);
    };
    let log = harness_store::read(store.log_path(session));
    let log = log.map_err(|error| Failure::failed(chain(&error)))?;
    let mut action = None;
    for record in log.records {
        match record.event {
            Event::CallJudged {
                call: of,
                action: judged,
                ..
            } if of == call => action = judged,
            Event::CallEnded { call: of, end, .. } if of == call => {
                return Ok(Some((action, end)));
            }
            _ => {}
        }
    }
    Ok(None)
}
