//! The gates page: how gates came out last, and the work tree that would count.

use std::collections::BTreeMap;

use harness_core::{CheckReport, Event, TreeId};
use harness_guard::Guard;
use harness_store::ReviewKey;
use harness_tui::{GateFound, GatesFound};

use crate::{
    cli::{Common, RunOptions},
    cmd::{gate, runs, work::snapshot},
    compose::{Site, any_feature},
    detect,
    failure::{Failure, chain},
    review,
};

type Last = BTreeMap<String, (Box<CheckReport>, Option<TreeId>)>;

pub(super) fn gates(common: &Common) -> Result<GatesFound, Failure> {
    let site = Site::open(common)?;
    let policy = site.resolve(&RunOptions::default())?.policy;
    let mut last = last(&site)?;
    let gates = match &site.repository {
        Some(_) => policy.gates.clone(),
        None => detect::detect(&site).gates,
    };
    let found = gates.into_iter().map(|gate| GateFound {
        last: last.remove(&gate.name),
        name: gate.name,
        argv: gate.run,
    });
    let any = any_feature();
    let guard = Guard::new(&policy, &any).map_err(|error| Failure::usage(chain(&error)))?;
    Ok(GatesFound {
        must_fix: must_fix(&site)?,
        gates: found.collect(),
        // Without a commit there is none, and nothing counts.
        tree: snapshot(&site, &guard)
            .and_then(|tree| gate::without_own(&site, &guard, &tree))
            .ok(),
    })
}

/// Finds how each gate came out last in the latest session of this work tree.
fn last(site: &Site) -> Result<Last, Failure> {
    let mut last = Last::new();
    let Some(store) = site.existing_store()? else {
        return Ok(last);
    };
    let Some(session) = runs::latest_session(site, &store)? else {
        return Ok(last);
    };
    let mut tree = None;
    // A log that is damaged is told as far as it goes.
    let _ = harness_store::fold(store.log_path(session), |record| match &record.event {
        Event::CandidateFrozen(subject) => tree = Some(subject.tree.clone()),
        Event::CheckEnded { report } => {
            let report = report.clone();
            last.insert(report.gate.clone(), (report, tree.clone()));
        }
        _ => {}
    });
    Ok(last)
}

/// Counts what must be fixed before the newest run of this work tree can finish; `None` where nobody
/// reviewed it.
pub(super) fn must_fix(site: &Site) -> Result<Option<usize>, Failure> {
    let Some(store) = site.existing_store()? else {
        return Ok(None);
    };
    let Some(session) = runs::latest_session(site, &store)? else {
        return Ok(None);
    };
    let run = runs::began(&store, session)?.map(|opened| opened.run.run);
    let book = run.map(|run| review::desk::read(&store, &ReviewKey::of_run(run)));
    Ok(book
        .transpose()?
        .flatten()
        .map(|book| book.open_must_fix().len()))
}
