//! `harness resume --fork SESSION@CHECKPOINT`: a new run with the conversation and the files of a checkpoint.
//!
//! The other session is only read. The files go there through the restore that never overwrites what
//! nothing else holds; then the new log is written: what the other did until then, and where it
//! comes from. Whoever is killed in between has files that are saved, or a session to resume.

use harness_core::{
    CheckpointNumber, Event, Forked, Goal, SessionId, SessionOpened, Timestamp, TreeId, TurnNumber,
};
use harness_engine::Engine;
use harness_git::{CheckpointEntry, CheckpointRef, RestoreMode};
use harness_guard::Guard;
use harness_runner::changed_by_others;
use harness_store::{LogWriter, RunEntry, Store};

use super::refused::Refused;
use crate::{
    cmd::runs,
    compose::Site,
    failure::{Failure, chain},
    surface::Surface,
};

type Events = Vec<(Event, Timestamp)>;

/// Makes the new session and returns it.
pub(super) fn fork(
    site: &Site,
    store: &Store,
    wanted: &str,
    surface: &dyn Surface,
) -> Result<SessionId, Refused> {
    let (session, number) = parse(wanted)?;
    let session = runs::any_session(store, session)?;
    let opened = runs::opening(store, session)?;
    refuse_kind(&opened)?;
    let head = site.head()?.commit;
    let base = opened.run.head();
    if head != *base {
        let message = format!(
            "cannot begin with checkpoint {number} of {session}: its run began from {} and HEAD is at {}",
            base.short(),
            head.short()
        );
        let hint = format!("git checkout {}", base.short());
        return Err(Refused::asked(
            "head",
            Failure::needs_human(message).hint(hint),
        ));
    }
    let log = harness_store::read(store.log_path(session))
        .map_err(|error| Refused::log(session, &error))?;
    let events = log
        .records
        .into_iter()
        .map(|record| (record.event, record.time))
        .collect();
    let held = checkpoints(site, session, number)?;
    let (events, turn) = until(events, number).ok_or_else(|| not_in_log(session, number))?;
    refuse_proven(&events, session, number)?;
    let wanted = held.last().ok_or_else(|| not_in_log(session, number))?;
    let files = take_files(site, store, &opened, session, &wanted.tree)?;
    let forked = Forked {
        session,
        run: opened.run.run,
        checkpoint: number,
        turn,
        files,
    };
    let made = write(site, store, opened, events, &held, forked)?;
    surface.say(&format!(
        "note: {made} begins with checkpoint {number} of {session}; `harness resume {made}` goes on with it should this one end"
    ));
    Ok(made)
}

fn parse(wanted: &str) -> Result<(&str, CheckpointNumber), Failure> {
    let parts = wanted.split_once('@');
    let number = parts.and_then(|(session, number)| Some((session, number.parse().ok()?)));
    number
        .map(|(session, number)| (session, CheckpointNumber(number)))
        .ok_or_else(|| {
            Failure::usage(format!("`{wanted}` does not name a checkpoint")).hint(
                "write SESSION@CHECKPOINT, such as S-0007@3; `harness checkpoint list S-0007` has the numbers",
            )
        })
}

fn refuse_kind(opened: &SessionOpened) -> Result<(), Refused> {
    let session = opened.session;
    let what = match (&opened.run.by_hand, &opened.run.goal) {
        (Some(_), _) => "judged what was done by hand: it has no conversation",
        (None, Goal::Plan { .. }) => "only plans: it has no files of its own",
        _ => return Ok(()),
    };
    Err(Failure::usage(format!("session `{session}` {what}"))
        .hint("harness session list")
        .into())
}

/// Returns the checkpoints up to the wanted one, which is whole and the last of them.
fn checkpoints(
    site: &Site,
    session: SessionId,
    number: CheckpointNumber,
) -> Result<Vec<CheckpointEntry>, Refused> {
    let known = site.repo.checkpoints(session).map_err(Failure::from)?;
    let list = format!("harness checkpoint list {session}");
    if known.damaged.contains(&number) {
        let message = format!("checkpoint {number} of {session} is damaged");
        return Err(Refused::cannot(
            "checkpoint_damaged",
            Failure::failed(message).hint(list),
        ));
    }
    let highest = known.whole.last().map(|entry| entry.number);
    let whole: Vec<_> = known
        .whole
        .into_iter()
        .filter(|entry| entry.number <= number)
        .collect();
    if whole.last().is_some_and(|entry| entry.number == number) {
        return Ok(whole);
    }
    let message = match highest {
        None => {
            format!("the checkpoints of {session} were pruned: its files are not kept any more")
        }
        Some(highest) if highest > number => format!("checkpoint {number} of {session} was pruned"),
        Some(highest) => {
            format!("there is no checkpoint {number} in {session}: the last one is {highest}")
        }
    };
    Err(Refused::cannot(
        "checkpoint",
        Failure::usage(message).hint(list),
    ))
}

fn not_in_log(session: SessionId, number: CheckpointNumber) -> Refused {
    let message = format!(
        "the log of {session} does not tell of checkpoint {number}: it was made by an undo or a rewind"
    );
    let failure = Failure::usage(message).hint(format!(
        "name the checkpoint it went back to: `harness checkpoint list {session}`"
    ));
    Refused::cannot("checkpoint", failure)
}

/// Returns what happened until the turn that a checkpoint stands before, and the last turn of it.
///
/// A checkpoint is saved while the next request is on its way: that turn is left out, unless the
/// agent changed something in it before the checkpoint was there.
fn until(mut events: Events, number: CheckpointNumber) -> Option<(Events, TurnNumber)> {
    let is_saved = |(event, _): &(Event, Timestamp)| matches!(event, Event::CheckpointSaved(saved) if saved.number == number);
    let is_turn = |(event, _): &(Event, Timestamp)| matches!(event, Event::TurnStarted { .. });
    let (end, saved) = if number == CheckpointNumber(0) {
        (
            events.iter().position(is_turn).unwrap_or(events.len()),
            None,
        )
    } else {
        let at = events.iter().rposition(is_saved)?;
        let begun = events[..at].iter().rposition(is_turn);
        let cut = begun.filter(|begun| !has_changed(&events[*begun..at]));
        (cut.unwrap_or(at), Some(events[at].clone()))
    };
    events.truncate(end);
    events.extend(saved);
    let mut turns = events.iter().filter_map(|(event, _)| match event {
        Event::TurnStarted { turn } => Some(*turn),
        _ => None,
    });
    let turn = turns.next_back().unwrap_or_default();
    Some((events, turn))
}

/// Whether a call that may change files has ended among these.
fn has_changed(events: &[(Event, Timestamp)]) -> bool {
    let changing: Vec<_> = events
        .iter()
        .filter_map(|(event, _)| match event {
            Event::CallJudged {
                call,
                action: Some(action),
                ..
            } if !action.is_read_only() => Some(*call),
            _ => None,
        })
        .collect();
    events
        .iter()
        .any(|(event, _)| matches!(event, Event::CallEnded { call, .. } if changing.contains(call)))
}

fn refuse_proven(
    events: &[(Event, Timestamp)],
    session: SessionId,
    number: CheckpointNumber,
) -> Result<(), Refused> {
    let engine = Engine::fold(events.iter().cloned());
    if engine.is_some_and(|engine| !engine.is_proven() && engine.session().is_some()) {
        return Ok(());
    }
    let message = format!(
        "by checkpoint {number} of {session} its feature was proven: nothing is left to do"
    );
    Err(Refused::cannot(
        "proven",
        Failure::usage(message).hint(format!(
            "name an earlier one: `harness checkpoint list {session}`"
        )),
    ))
}

/// Brings the work tree to the checkpoint; what nothing else holds is never overwritten.
fn take_files(
    site: &Site,
    store: &Store,
    opened: &SessionOpened,
    session: SessionId,
    to: &TreeId,
) -> Result<u64, Refused> {
    let repo = &site.repo;
    let failed = |error: &dyn std::error::Error| Refused::from(Failure::failed(chain(error)));
    let features = opened.run.features.iter();
    let mut of_session = features.filter(|feature| feature.id == opened.feature);
    let feature = of_session.next().ok_or_else(|| {
        Refused::from(Failure::failed(format!(
            "session `{session}` has no feature in its list"
        )))
    })?;
    let guard = Guard::new(&opened.run.policy, feature).map_err(|error| failed(&error))?;
    let now = harness_runner::work_tree_now(repo, &guard, to).map_err(Failure::failed)?;
    let mut saved = vec![repo.tree_of(&opened.run.base).map_err(Failure::from)?];
    let latest = runs::latest_session(site, store)?;
    for session in [Some(session), latest].into_iter().flatten() {
        let known = repo.checkpoints(session).map_err(Failure::from)?;
        saved.extend(known.whole.into_iter().map(|entry| entry.tree));
    }
    saved.dedup();
    let mut unsaved: Vec<_> = repo
        .diff(to, &now)
        .map_err(Failure::from)?
        .into_iter()
        .map(|change| change.path)
        .filter(|path| !guard.scope().is_host_owned(path))
        .collect();
    for tree in saved.iter().rev() {
        if unsaved.is_empty() {
            break;
        }
        let differs = repo.diff(tree, &now).map_err(Failure::from)?;
        unsaved.retain(|path| differs.iter().any(|change| change.path == *path));
    }
    if !unsaved.is_empty() {
        let names: Vec<String> = unsaved
            .iter()
            .take(10)
            .map(|path| format!("`{path}`"))
            .collect();
        let message = format!(
            "cannot bring the files to the checkpoint, nothing was changed: {} changed by you ({} in all)",
            names.join(", "),
            unsaved.len()
        );
        return Err(Refused::asked(
            "files",
            Failure::needs_human(message)
                .hint("put your own changes away first, for instance with `git stash`"),
        ));
    }
    let restored = repo
        .restore_some(&now, to, RestoreMode::Write, &|path| {
            !guard.scope().is_host_owned(path)
        })
        .map_err(Failure::from)?;
    if !restored.refused.is_empty() {
        return Err(Refused::asked(
            "files",
            Failure::needs_human(changed_by_others(&restored.refused)),
        ));
    }
    Ok((restored.written.len() + restored.removed.len()) as u64)
}

/// Writes the log of the new session, and what holds its checkpoints and its branch.
fn write(
    site: &Site,
    store: &Store,
    opened: SessionOpened,
    mut events: Events,
    held: &[CheckpointEntry],
    forked: Forked,
) -> Result<SessionId, Refused> {
    let failed = |error: &dyn std::error::Error| Failure::failed(chain(error));
    let repo = &site.repo;
    let run = store.new_run().map_err(|error| failed(&error))?;
    let (session, log) = store.new_session().map_err(|error| failed(&error))?;
    let now = harness_host::clock::now();
    let entry = RunEntry {
        run,
        session,
        started_at: now,
    };
    let mut parent = None;
    for entry in held {
        let name = CheckpointRef {
            session,
            number: entry.number,
        };
        let made = repo.checkpoint(name, &entry.tree, parent.as_ref(), &entry.message, now);
        parent = Some(made.map_err(Failure::from)?);
    }
    let branch = runs::branch(run);
    if opened.run.tip != opened.run.base {
        repo.begin_branch(&branch, &opened.run.tip)
            .map_err(Failure::from)?;
    }
    let mut own = opened;
    own.session = session;
    own.run.run = run;
    own.run.started_at = now;
    own.branch = branch;
    own.root = repo.root().display().to_string();
    events[0].0 = Event::SessionOpened(Box::new(own));
    let mut log = log.with_redaction(Box::new(harness_runner::redact_for_log));
    keep(&mut log, &events, forked, now).map_err(|error| failed(&error))?;
    store.append_run(&entry).map_err(|error| failed(&error))?;
    Ok(session)
}

fn keep(
    log: &mut LogWriter,
    events: &[(Event, Timestamp)],
    forked: Forked,
    now: Timestamp,
) -> Result<(), harness_store::StoreError> {
    for (event, time) in events {
        log.append(event, *time)?;
    }
    log.append(&Event::Forked(Box::new(forked)), now)?;
    log.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_named_with_its_session() {
        assert_eq!(parse("S-0001@3").unwrap(), ("S-0001", CheckpointNumber(3)));
        for wrong in ["S-0001", "S-0001@", "S-0001@x", "@", "3"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
