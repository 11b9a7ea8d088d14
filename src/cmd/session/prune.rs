//! `harness session prune`: what is old and settled goes, after it was shown and agreed to.

use std::collections::BTreeSet;

use harness_core::{ByteCount, CommitId, EndReason, RunId, SessionId, SessionOpened};
use harness_git::CheckpointRef;
use harness_store::{ReviewKey, Store};
use serde_json::json;

use super::super::runs;
use super::{Told, marks::is_running};
use crate::{
    ask,
    cli::{Common, Prune},
    compose::{Site, evidence_path},
    failure::{Failure, chain},
    output::{Output, say},
};

/// How far back is looked on the person's branch for what has landed.
const COMMITS_MAX: usize = 2_000;

/// A session that can go.
struct Candidate {
    session: SessionId,
    run: Option<RunId>,
    bytes: ByteCount,
    why: String,
}

pub(super) fn run(
    site: &Site,
    store: &Store,
    common: &Common,
    flags: &Prune,
) -> Result<u8, Failure> {
    let mut output = Output::new(common);
    let (candidates, kept) = choose(site, store, flags)?;
    let total = candidates.iter().map(|candidate| candidate.bytes.0).sum();
    for Candidate {
        session,
        bytes,
        why,
        ..
    } in &candidates
    {
        let text = format!("{session}: {bytes}, {why}");
        let body = json!({ "session": session.to_string(), "bytes": bytes.0, "why": why });
        output.entry("session_to_prune", &text, body)?;
    }
    for (session, why) in &kept {
        say(&format!("note: {session} stays: {why}"));
    }
    if candidates.is_empty() {
        output.text("note: there is nothing to prune")?;
        return Ok(0);
    }
    let what = format!("{} sessions, {}", candidates.len(), ByteCount(total));
    if flags.dry_run {
        say(&format!("note: {what} would go, with their checkpoints"));
        return Ok(0);
    }
    if !flags.yes {
        let question = format!("Remove {what}, and their checkpoints?");
        if !ask::is_attended(common) {
            return Err(Failure::needs_human(question).hint("harness session prune --yes"));
        }
        if !ask::confirm(&question) {
            say("note: nothing was removed");
            return Ok(0);
        }
    }
    let mut freed = 0;
    for candidate in &candidates {
        remove(site, store, candidate.session)?;
        freed += candidate.bytes.0;
        let text = format!("note: {} pruned, {}", candidate.session, candidate.bytes);
        let body = json!({ "session": candidate.session.to_string(), "bytes": candidate.bytes.0 });
        output.entry("session_pruned", &text, body)?;
    }
    let runs: BTreeSet<RunId> = candidates.iter().filter_map(|one| one.run).collect();
    for run in runs {
        forget_review(store, run)?;
    }
    say(&format!("note: {} freed", ByteCount(freed)));
    Ok(0)
}

/// Removes the book of a run's review with the last of its sessions.
fn forget_review(store: &Store, run: RunId) -> Result<(), Failure> {
    let mut left = runs::sessions_of(store, run)?.into_iter();
    if left.any(|session| store.log_path(session).exists()) {
        return Ok(());
    }
    let forgotten = store.forget_review(&ReviewKey::of_run(run));
    forgotten.map_err(|error| Failure::failed(chain(&error)))
}

/// Removes a session; its checkpoints first, for without its log nobody knows of them.
fn remove(site: &Site, store: &Store, session: SessionId) -> Result<(), Failure> {
    // Between the question and now a resume may have taken it up.
    if is_running(store, session)? {
        return Err(
            Failure::needs_human(format!("a process works on {session}")).hint("harness status"),
        );
    }
    let checkpoints = site.repo.checkpoints(session)?;
    let whole = checkpoints.whole.iter().map(|entry| entry.number);
    for number in whole.chain(checkpoints.damaged.iter().copied()) {
        site.repo
            .forget_checkpoint(CheckpointRef { session, number })?;
    }
    store
        .prune_session(session, harness_host::clock::now())
        .map_err(|error| Failure::failed(chain(&error)))
}

type Kept = Vec<(SessionId, String)>;

/// Finds what can go; of what is old enough and cannot, why not.
fn choose(site: &Site, store: &Store, flags: &Prune) -> Result<(Vec<Candidate>, Kept), Failure> {
    let failed = |error| Failure::failed(chain(&error));
    let (sessions, index) = (
        store.sessions().map_err(failed)?,
        store.runs().map_err(failed)?,
    );
    let now = harness_host::clock::now();
    let (mut candidates, mut kept) = (Vec::new(), Vec::new());
    let told: Vec<Told> = sessions
        .iter()
        .map(|session| Told::read(store, &index, *session))
        .collect();
    for told in told.iter().rev().skip(flags.keep) {
        let is_old = told
            .summary
            .last
            .is_none_or(|last| now.since(last) >= flags.older_than);
        if !is_old {
            continue;
        }
        let session = told.session;
        match reason(site, store, told, &sessions_told(told))? {
            Ok(why) => candidates.push(Candidate {
                session,
                run: run_of(told),
                bytes: store.session_bytes(session),
                why,
            }),
            Err(why) => kept.push((session, why)),
        }
    }
    // A run whose later session stays needs its earlier ones.
    let stays: Vec<Option<RunId>> = told
        .iter()
        .filter(|told| !candidates.iter().any(|one| one.session == told.session))
        .map(run_of)
        .collect();
    let (gone, needed): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|candidate| {
        let told = told.iter().find(|told| told.session == candidate.session);
        let run = told.and_then(run_of);
        run.is_none() || !stays.contains(&run)
    });
    kept.extend(needed.into_iter().map(|candidate| {
        let why = "another session of its run stays".to_owned();
        (candidate.session, why)
    }));
    Ok((gone, kept))
}

fn run_of(told: &Told) -> Option<RunId> {
    told.summary.opened.as_ref().map(|opened| opened.run.run)
}

/// Returns how the run ended with a session; `None` where it went on or can go on.
fn sessions_told(told: &Told) -> Option<EndReason> {
    told.summary.end.as_ref().and_then(|end| end.run)
}

/// Says why a session can go, or why it stays.
fn reason(
    site: &Site,
    store: &Store,
    told: &Told,
    end: &Option<EndReason>,
) -> Result<Result<String, String>, Failure> {
    if is_running(store, told.session)? {
        return Ok(Err("a process works on it".to_owned()));
    }
    if told.problem().is_some() && !told.marks.archived {
        return Ok(Err("its log is damaged; archive it to let it go".to_owned()));
    }
    let Some(opened) = told.summary.opened.as_deref() else {
        return Ok(Ok("it never began".to_owned()));
    };
    if !is_landed(site, opened)? {
        return Ok(Err(format!(
            "run {} has proven features that have not landed: `harness land {}`, or remove its branch",
            opened.run.run, opened.run.run
        )));
    }
    if told.marks.archived {
        return Ok(Ok("archived".to_owned()));
    }
    Ok(match end {
        Some(end) if end.exit_code() == 0 || *end == EndReason::Aborted => {
            Ok(format!("its run ended: {end}"))
        }
        None if told.after.is_some() => Ok("its run went on in another session".to_owned()),
        _ => Err("its run can be resumed; archive it to let it go".to_owned()),
    })
}

/// Whether nothing of a run waits to be landed.
fn is_landed(site: &Site, opened: &SessionOpened) -> Result<bool, Failure> {
    let Some(tip) = site.repo.branch_tip(&runs::branch(opened.run.run))? else {
        return Ok(true);
    };
    let proven = runs::proven(&site.repo, opened.run.run, &opened.run.base)?;
    let Some(last) = proven.last() else {
        return Ok(true);
    };
    let head = site.head()?;
    let tree = site.repo.tree_of(&tip)?;
    let path = evidence_path(&last.feature);
    let proof = site.text_of(&tree, &path)?;
    if proof.is_some() && site.text_of(&head.tree, &path)? == proof {
        return Ok(true);
    }
    let log_of = |commit: &CommitId| -> Result<Option<String>, Failure> {
        let info = site.repo.commit_info(commit)?;
        let mut trailers = info.trailers.into_iter();
        Ok(trailers.find_map(|(key, value)| (key == "Harness-Log").then_some(value)))
    };
    let wanted = log_of(&last.commit)?;
    let mut next = Some(head.commit);
    for _ in 0..COMMITS_MAX {
        let Some(commit) = next else { break };
        if commit == tip || wanted.is_some() && log_of(&commit)? == wanted {
            return Ok(true);
        }
        next = site.repo.commit_info(&commit)?.parents.first().cloned();
    }
    Ok(false)
}
