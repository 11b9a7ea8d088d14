//! What several commands need to know about runs and sessions.

use harness_core::{CommitId, Event, FeatureId, RunId, SessionId, SessionOpened};
use harness_git::Repo;
use harness_runner::Finished;
use harness_store::Store;

use crate::{
    cli::Common,
    failure::{Failure, chain},
    output::say,
};

/// The most commits a run's branch is followed back.
const COMMITS_MAX: usize = 10_000;

/// A proven feature on a run's branch.
#[derive(Clone, Debug)]
pub(super) struct Proven {
    pub(super) commit: CommitId,
    pub(super) feature: FeatureId,
    pub(super) title: String,
}

/// Says what a person can do after a run.
pub(super) fn say_what_next(finished: &Finished, common: &Common) {
    use harness_core::EndReason as End;
    if common.json {
        return;
    }
    match finished.reason {
        End::AllPassing | End::FeaturePassed => {
            say("hint: `harness land` brings the proven features to your branch");
        }
        End::Interrupted | End::Budget | End::Limit | End::ProviderFailed => {
            say("hint: `harness resume --last` goes on from here");
        }
        End::GatesRed | End::NeedsHuman | End::Stuck | End::Blocked => {
            say(
                "hint: `harness log show` tells what happened; `harness resume --last` tries on; `harness abort` takes the files back",
            );
        }
        End::Answered | End::Failed | End::Untrusted | End::Refused => {}
    }
}

/// Finds the run that is named, or the latest one with a branch.
pub(super) fn find(
    store: Option<&Store>,
    repo: &Repo,
    named: Option<&str>,
) -> Result<RunId, Failure> {
    if let Some(named) = named {
        let run: RunId = named
            .parse()
            .map_err(|error: harness_core::IdError| Failure::usage(error.to_string()))?;
        let unknown = || {
            Failure::usage(format!("there is no run `{run}` in this repository"))
                .hint("harness status")
        };
        let sessions = sessions_of(store.ok_or_else(unknown)?, run)?;
        return sessions.first().map(|_| run).ok_or_else(unknown);
    }
    let none = || Failure::usage("there is no run in this repository").hint("harness run");
    let index = store
        .ok_or_else(none)?
        .runs()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let mut runs: Vec<RunId> = index.entries.iter().map(|entry| entry.run).collect();
    runs.dedup();
    for run in runs.iter().rev() {
        if repo
            .branch_tip(&branch(*run))
            .map_err(|error| Failure::failed(chain(&error)))?
            .is_some()
        {
            return Ok(*run);
        }
    }
    runs.last().copied().ok_or_else(none)
}

/// Returns the name of a run's branch.
pub(super) fn branch(run: RunId) -> String {
    format!("harness/{run}")
}

/// Returns the sessions of a run, oldest first.
pub(super) fn sessions_of(store: &Store, run: RunId) -> Result<Vec<SessionId>, Failure> {
    let index = store
        .runs()
        .map_err(|error| Failure::failed(chain(&error)))?;
    Ok(index
        .entries
        .iter()
        .filter(|entry| entry.run == run)
        .map(|entry| entry.session)
        .collect())
}

/// Returns the proven features on a run's branch, oldest first, and the commit below them.
pub(super) fn proven(repo: &Repo, run: RunId) -> Result<(Vec<Proven>, Option<CommitId>), Failure> {
    let mut next = repo.branch_tip(&branch(run))?;
    let mut found = Vec::new();
    while let Some(commit) = next.clone().filter(|_| found.len() < COMMITS_MAX) {
        let info = repo.commit_info(&commit)?;
        let trailer = info
            .trailers
            .iter()
            .find(|(key, _)| key == "Harness-Feature");
        let Some(feature) = trailer.and_then(|(_, value)| FeatureId::new(value.as_str()).ok())
        else {
            break;
        };
        let line = info.message.lines().next().unwrap_or_default();
        let title = line
            .split_once(": ")
            .map_or(line, |(_, title)| title)
            .to_owned();
        found.push(Proven {
            commit,
            feature,
            title,
        });
        next = info.parents.first().cloned();
    }
    found.reverse();
    Ok((found, next))
}

/// Returns the session that is named, or the latest.
pub(super) fn session(store: &Store, named: Option<&str>) -> Result<SessionId, Failure> {
    match named {
        Some(named) => {
            let session: SessionId = named
                .parse()
                .map_err(|error: harness_core::IdError| Failure::usage(error.to_string()))?;
            let known = store
                .sessions()
                .map_err(|error| Failure::failed(chain(&error)))?;
            known.contains(&session).then_some(session).ok_or_else(|| {
                Failure::usage(format!("there is no session `{session}`")).hint("harness status")
            })
        }
        None => store
            .latest_session()
            .map_err(|error| Failure::failed(chain(&error)))?
            .ok_or_else(|| {
                Failure::usage("there is no session in this repository").hint("harness run")
            }),
    }
}

/// Returns the first record of a session.
pub(super) fn opening(store: &Store, session: SessionId) -> Result<SessionOpened, Failure> {
    let log = harness_store::read(store.log_path(session))
        .map_err(|error| Failure::failed(chain(&error)))?;
    match log.records.into_iter().next().map(|record| record.event) {
        Some(Event::SessionOpened(opened)) => Ok(*opened),
        _ => Err(Failure::failed(format!("session `{session}` never began"))),
    }
}
