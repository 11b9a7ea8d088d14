//! What the screen shows of checkpoints: the same list and the same differences, as data.

use std::collections::BTreeMap;

use harness_core::{CheckStatus, CheckpointNumber, Event, SessionId};
use harness_tui::{CheckpointFound, CheckpointsFound, Kept};

use super::{Known, show};
use crate::{
    cli::{Checkpoint, CheckpointDiff, Common},
    cmd::runs,
    compose::Site,
    failure::Failure,
    output,
};

/// Lists the checkpoints of a session, of the latest one when none is named.
pub(crate) fn checkpoints(
    common: &Common,
    wanted: Option<SessionId>,
) -> Result<CheckpointsFound, Failure> {
    let site = Site::open(common)?;
    let Some(store) = site.existing_store()? else {
        return Ok(CheckpointsFound::default());
    };
    let latest = match wanted {
        Some(session) => Some(session),
        None => runs::latest_session(&site, &store)?,
    };
    let Some(session) = latest else {
        return Ok(CheckpointsFound::default());
    };
    let known = Known::of(&site, &store, session)?;
    let turns = show::turns(&known.events);
    let gates = gates(&known.events);
    let feature = known.events.iter().find_map(|event| match event {
        Event::SessionOpened(opened) => Some(opened.feature.clone()),
        _ => None,
    });
    let mut found = Vec::new();
    let mut before = None;
    for entry in &known.whole {
        let changes = before.map_or(Ok(Vec::new()), |tree| site.repo.diff(tree, &entry.tree))?;
        let turn = turns.get(&entry.number).copied();
        found.push(CheckpointFound {
            number: entry.number,
            state: Kept::Whole,
            time: Some(entry.time),
            feature: feature.clone(),
            turn,
            gates: gates.get(&entry.number).cloned().unwrap_or_default(),
            files: changes.len(),
            // What a command made says itself what it is.
            message: match turn {
                Some(_) => String::new(),
                None => entry.subject().to_owned(),
            },
        });
        before = Some(&entry.tree);
    }
    let gone = |number: &CheckpointNumber, state| CheckpointFound {
        number: *number,
        state,
        time: None,
        feature: feature.clone(),
        turn: turns.get(number).copied(),
        gates: String::new(),
        files: 0,
        message: String::new(),
    };
    found.extend(
        known
            .damaged
            .iter()
            .map(|number| gone(number, Kept::Damaged)),
    );
    found.extend(known.pruned.iter().map(|number| gone(number, Kept::Pruned)));
    Ok(CheckpointsFound {
        session: Some(session),
        checkpoints: found,
    })
}

/// Words how the gates came out between a checkpoint and the next.
fn gates(events: &[Event]) -> BTreeMap<CheckpointNumber, String> {
    let mut counts: BTreeMap<CheckpointNumber, (usize, usize)> = BTreeMap::new();
    let mut now = None;
    for event in events {
        match event {
            Event::CheckpointSaved(saved) => now = Some(saved.number),
            Event::CheckEnded { report } => {
                if let Some(now) = now {
                    let count = counts.entry(now).or_default();
                    count.0 += usize::from(report.status == CheckStatus::Green);
                    count.1 += 1;
                }
            }
            _ => {}
        }
    }
    let words = counts.into_iter();
    words
        .map(|(number, (green, all))| (number, format!("{green}/{all} green")))
        .collect()
}

/// Returns what a checkpoint holds and how it differs: from another one, or from the one before.
pub(crate) fn difference(
    common: &Common,
    session: SessionId,
    from: Option<CheckpointNumber>,
    to: CheckpointNumber,
) -> Result<String, Failure> {
    let named = Some(session.to_string());
    let before = match from {
        Some(from) => Some(from),
        None => {
            let site = Site::open(common)?;
            let store = site.existing_store()?;
            let store = store.ok_or_else(|| Failure::usage("there is no session"))?;
            let known = Known::of(&site, &store, session)?;
            known.before(to).map(|entry| entry.number)
        }
    };
    let shown = Checkpoint::Show {
        number: to.0,
        session: named.clone(),
    };
    let mut text = String::new();
    if from.is_none() {
        text = said(common, &shown)?;
        text.push('\n');
    }
    if let Some(before) = before {
        text.push_str(&said(
            common,
            &Checkpoint::Diff(CheckpointDiff {
                from: before.0,
                to: Some(to.0),
                stat: false,
                name_only: false,
                session: named,
                paths: Vec::new(),
            }),
        )?);
    }
    Ok(text)
}

/// Returns what a command would print.
fn said(common: &Common, command: &Checkpoint) -> Result<String, Failure> {
    let (done, text) = output::heard(|| super::run(common, command));
    done.map(|_| text)
}
