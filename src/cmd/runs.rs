//! What several commands need to know about runs and sessions.

use std::path::Path;

use harness_core::{CommitId, Event, FeatureId, RunId, SessionId, SessionOpened};
use harness_git::Repo;
use harness_runner::Finished;
use harness_store::{RunEntry, Store};

use super::{moved, worktree};
use crate::{
    cli::Common,
    compose::Site,
    failure::{Failure, chain, remedy::remedy},
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

/// Gives out the next run's number, above those of branches that are left of runs nobody has noted.
pub(super) fn claim(site: &Site, store: &Store) -> Result<RunId, Failure> {
    let used = site.repo.last_run_with_branch()?;
    let run = store.new_run_after(used);
    run.map_err(|error| Failure::failed(chain(&error)))
}

/// Says what a person can do after a run.
pub(super) fn say_what_next(finished: &Finished, common: &Common) {
    use harness_core::EndReason as End;
    if common.json {
        return;
    }
    match finished.reason {
        // What lands after each feature is where it belongs, or its line says why not.
        End::AllPassing | End::FeaturePassed if lands(finished, common) => {}
        End::AllPassing | End::FeaturePassed => {
            say("hint: `harness land` brings the proven features to your branch");
        }
        End::Budget | End::Limit => {
            say(&format!(
                "hint: `harness resume --last` goes on from here, once the limit is raised: {}",
                raised_by(&finished.detail)
            ));
        }
        End::Interrupted => say("hint: `harness resume --last` goes on from here"),
        End::ProviderFailed => {
            say(
                "hint: `harness resume --last` goes on from here; `harness doctor MODEL` asks a model once and says what helps",
            );
        }
        End::Blocked => {
            say(
                "hint: mend what is in the way, then `harness abort`, commit, and `harness run` anew",
            );
        }
        End::NeedsHuman if finished.detail.contains("`harness answer ") => {
            say(
                "hint: `harness answer` lists what waits for you; `harness resume --last` goes on with the answers",
            );
        }
        End::NeedsHuman if finished.detail.contains("`harness review") => {
            say(
                "hint: `harness review` shows what waits for your word; `harness resume --last` goes on with it",
            );
        }
        End::GatesRed | End::NeedsHuman | End::Stuck => {
            say(
                "hint: `harness log show` tells what happened; `harness resume --last` tries on; `harness abort` takes the files back",
            );
        }
        End::Failed => say(&format!(
            "hint: {}",
            remedy(&finished.detail).unwrap_or(
                "`harness log show` tells what happened; `harness resume --last` goes on from here"
            )
        )),
        End::Answered | End::Aborted | End::Untrusted | End::Refused => {}
    }
}

/// Whether a run brings each feature to the person's branch by itself.
fn lands(finished: &Finished, common: &Common) -> bool {
    let opened = || {
        let store = Site::open(common).ok()?.existing_store().ok()??;
        opening(&store, finished.session?).ok()
    };
    opened().is_some_and(|opened| opened.run.lands.is_some())
}

/// The words for each limit that is reached, and what raises it.
const LIMITS: [(&str, &str); 7] = [
    ("the run has cost", "`--max-usd`"),
    ("the session has cost", "`[limits] session_usd`"),
    (
        "the feature has cost",
        "`[limits] feature_usd`, or the feature's own: `harness feature amend ID --usd N`",
    ),
    ("runs of the day have cost", "`[limits] day_usd`"),
    ("the session has taken its", "`--max-turns`"),
    ("the run has taken", "`[limits] minutes`"),
    (
        "the feature has taken",
        "the feature's own: `harness feature amend ID --minutes N`",
    ),
];

/// Names what raises the limits that a run's end tells of.
fn raised_by(detail: &str) -> String {
    let reached = LIMITS.iter().filter(|(words, _)| detail.contains(words));
    let ways: Vec<&str> = reached.map(|(_, way)| *way).collect();
    match ways.as_slice() {
        [] => "`--max-usd`, `--max-turns` or `[limits]`".to_owned(),
        ways => ways.join("; "),
    }
}

/// Where a session worked, as far as its log tells.
enum Place {
    Here,
    /// In another work tree of the repository.
    Elsewhere(String),
    /// Its log has no opening, or cannot be read.
    Unknown,
}

/// Finds a run of this work tree by its name.
pub(super) fn named(site: &Site, store: &Store, name: &str) -> Result<RunId, Failure> {
    let run: RunId = name
        .parse()
        .map_err(|error: harness_core::IdError| Failure::usage(error.to_string()))?;
    let sessions = sessions_of(store, run)?;
    let Some(first) = sessions.first() else {
        return Err(
            Failure::usage(format!("there is no run `{run}` in this repository"))
                .hint("harness status"),
        );
    };
    refuse_elsewhere(site, store, *first, &format!("run `{run}`"))?;
    Ok(run)
}

/// Lists the runs of this work tree, newest first.
pub(crate) fn newest_first(
    site: &Site,
    store: &Store,
) -> Result<impl Iterator<Item = RunId>, Failure> {
    let index = store
        .runs()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let mut entries = index.entries;
    entries.dedup_by_key(|entry| entry.run);
    let here = move |entry: &RunEntry| !is_elsewhere(site, store, entry.session);
    Ok(entries
        .into_iter()
        .rev()
        .filter(here)
        .map(|entry| entry.run))
}

/// Finds a run by its name, of this work tree or of one that was made for it from here.
pub(super) fn with_own_tree(site: &Site, store: &Store, name: &str) -> Result<RunId, Failure> {
    let run: Option<RunId> = name.parse().ok();
    match run.filter(|run| worktree::of_run(site, store, *run).is_some()) {
        Some(run) => Ok(run),
        None => named(site, store, name),
    }
}

/// Lists the runs of this work tree and of those that were made for them from here, newest first.
pub(super) fn newest_first_of_all(site: &Site, store: &Store) -> Result<Vec<RunId>, Failure> {
    let index = store
        .runs()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let mut entries = index.entries;
    entries.dedup_by_key(|entry| entry.run);
    let is_here = |entry: &RunEntry| {
        !is_elsewhere(site, store, entry.session)
            || worktree::of_run(site, store, entry.run).is_some()
    };
    let newest_first = entries.into_iter().rev().filter(is_here);
    Ok(newest_first.map(|entry| entry.run).collect())
}

/// The failure of a command that needs a run where there is none.
pub(super) fn no_run() -> Failure {
    Failure::usage("there is no run in this work tree").hint("harness run")
}

/// Whether a session is known to have worked in another work tree of the repository.
pub(super) fn is_elsewhere(site: &Site, store: &Store, session: SessionId) -> bool {
    matches!(place_of(site, store, session), Place::Elsewhere(_))
}

/// Refuses what belongs to another work tree: its files are not here.
pub(super) fn refuse_elsewhere(
    site: &Site,
    store: &Store,
    session: SessionId,
    what: &str,
) -> Result<(), Failure> {
    let Place::Elsewhere(folder) = place_of(site, store, session) else {
        return Ok(());
    };
    let message = format!("{what} belongs to the work tree at `{folder}`");
    if !Path::new(&folder).is_dir() {
        return Err(Failure::usage(format!("{message}, which is gone")).hint(format!(
            "`git worktree add {folder}` brings the folder back; `harness resume --fork {session}@N` goes on here from checkpoint N of it"
        )));
    }
    Err(Failure::usage(message).hint(format!("cd {folder}")))
}

fn place_of(site: &Site, store: &Store, session: SessionId) -> Place {
    match opening(store, session) {
        Ok(opened) if opened.root == site.repo.root().display().to_string() => Place::Here,
        Ok(opened) if moved::was_at(site, store, &opened.root) => Place::Here,
        Ok(opened) => Place::Elsewhere(opened.root),
        Err(_) => Place::Unknown,
    }
}

/// Returns the name of a run's branch.
pub(super) fn branch(run: RunId) -> String {
    format!("harness/{run}")
}

/// Returns the sessions of a run, oldest first.
pub(crate) fn sessions_of(store: &Store, run: RunId) -> Result<Vec<SessionId>, Failure> {
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

/// Returns the proven features on a run's branch, oldest first, down to the commit the run began from.
pub(super) fn proven(repo: &Repo, run: RunId, base: &CommitId) -> Result<Vec<Proven>, Failure> {
    let mut next = repo.branch_tip(&branch(run))?;
    let mut found = Vec::new();
    while let Some(commit) = next.filter(|commit| commit != base && found.len() < COMMITS_MAX) {
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
    Ok(found)
}

/// Returns the session that is named, or the latest one of this work tree.
pub(crate) fn session(
    site: &Site,
    store: &Store,
    named: Option<&str>,
) -> Result<SessionId, Failure> {
    let Some(named) = named else {
        let latest = latest_session(site, store)?;
        return latest.ok_or_else(|| {
            Failure::usage("there is no session in this work tree").hint("harness run")
        });
    };
    let session = any_session(store, named)?;
    refuse_elsewhere(site, store, session, &format!("session `{session}`"))?;
    Ok(session)
}

/// Returns the session that is named, whichever work tree it belongs to.
pub(super) fn any_session(store: &Store, named: &str) -> Result<SessionId, Failure> {
    if let Some(session) = crate::named::session(store, named)? {
        return Ok(session);
    }
    if let Some(failure) = crate::named::pruned(store, named) {
        return Err(failure);
    }
    if harness_store::is_session_name(named) {
        return Err(
            Failure::usage(format!("no session is called `{named}`")).hint("harness session list")
        );
    }
    let session: SessionId = named
        .parse()
        .map_err(|error: harness_core::IdError| Failure::usage(error.to_string()))?;
    let known = store
        .sessions()
        .map_err(|error| Failure::failed(chain(&error)))?;
    known
        .contains(&session)
        .then_some(session)
        .ok_or_else(|| unknown_session(session))
}

/// The failure of a command that names a session nobody knows.
pub(super) fn unknown_session(session: SessionId) -> Failure {
    Failure::usage(format!("there is no session `{session}`")).hint("harness status")
}

/// Returns the latest session of this work tree.
pub(crate) fn latest_session(site: &Site, store: &Store) -> Result<Option<SessionId>, Failure> {
    let known = store
        .sessions()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let mut newest_first = known.into_iter().rev();
    Ok(newest_first.find(|session| !is_elsewhere(site, store, *session)))
}

/// Returns the latest session of this work tree, or of one that was made for a run from here.
pub(super) fn latest_session_of_all(
    site: &Site,
    store: &Store,
) -> Result<Option<SessionId>, Failure> {
    let known = store
        .sessions()
        .map_err(|error| Failure::failed(chain(&error)))?;
    // A work tree that was removed after its run landed counts as well.
    let own = site.folders.worktrees_of(site.repo.root());
    let own = own.canonicalize().unwrap_or(own);
    let mut newest_first = known.into_iter().rev();
    Ok(
        newest_first.find(|session| match place_of(site, store, *session) {
            Place::Here | Place::Unknown => true,
            Place::Elsewhere(folder) => {
                Path::new(&folder).starts_with(&own)
                    || moved::linked(site)
                        .iter()
                        .any(|linked| moved::is_of(store, linked, &folder))
            }
        }),
    )
}

/// Returns the first record of a session.
pub(crate) fn opening(store: &Store, session: SessionId) -> Result<SessionOpened, Failure> {
    began(store, session)?
        .ok_or_else(|| Failure::failed(format!("session `{session}` never began")))
}

/// Returns the work tree a session worked in; `None` when its log does not tell.
pub(super) fn root_of(store: &Store, session: SessionId) -> Option<String> {
    let first = harness_store::first(store.log_path(session)).ok()??;
    match first.event {
        Event::SessionOpened(opened) => Some(opened.root),
        _ => None,
    }
}

/// Returns the openings of a run's sessions, oldest first; sessions that never began have none.
pub(crate) fn openings(store: &Store, run: RunId) -> Result<Vec<SessionOpened>, Failure> {
    let mut openings = Vec::new();
    for session in sessions_of(store, run)? {
        openings.extend(began(store, session)?);
    }
    Ok(openings)
}

/// Returns the first record of a session; `None` when it never began.
pub(crate) fn began(store: &Store, session: SessionId) -> Result<Option<SessionOpened>, Failure> {
    let path = store.log_path(session);
    // The first record alone: with many sessions, whole logs are too much to find one.
    let first = harness_store::first(&path).and_then(|first| match first {
        Some(first) => Ok(Some(first)),
        // Empty, or damaged: reading all of it says which.
        None => Ok(harness_store::read(&path)?.records.into_iter().next()),
    });
    let first = first.map_err(|error| {
        Failure::failed(chain(&error)).hint(format!("harness log verify {session}"))
    })?;
    Ok(match first.map(|record| record.event) {
        Some(Event::SessionOpened(opened)) => Some(*opened),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_raises_a_limit_is_named_and_nothing_else() {
        let day = "all runs of the day have cost $0.11 of $0.10";
        assert_eq!(raised_by(day), "`[limits] day_usd`");
        assert_eq!(raised_by("the run has cost $1.00 of $1.00"), "`--max-usd`");
        let two =
            "F-1: the session has taken its 2 turns\nF-2: the feature has cost $1.00 of $1.00";
        let told = raised_by(two);
        assert!(
            told.contains("`[limits] feature_usd`") && told.ends_with("`--max-turns`"),
            "{told}"
        );
        assert!(raised_by("").contains("--max-usd"));
    }
}
