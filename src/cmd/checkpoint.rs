//! `harness checkpoint`: lists what was saved, shows and compares it, and goes back to it.

mod diff;
pub(crate) mod known;
pub(crate) mod page;
mod show;
mod sides;
mod undo;

use harness_core::CheckpointNumber;
use serde_json::json;

use self::known::Known;
use super::{difference::count, runs};
use crate::{
    cli::{Checkpoint, Common},
    compose::Site,
    failure::Failure,
    output::Output,
    session,
};

pub(crate) fn run(common: &Common, command: &Checkpoint) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let store = site.existing_store()?;
    let store = store.ok_or_else(|| {
        Failure::usage("there is no session in this repository").hint("harness run")
    })?;
    let known = |named: &Option<String>| {
        let session = runs::session(&site, &store, named.as_deref())?;
        Known::of(&site, &store, session)
    };
    match command {
        Checkpoint::List { session } => list(&site, common, &known(session)?),
        Checkpoint::Show { number, session } => {
            show::run(&site, common, &known(session)?, CheckpointNumber(*number))
        }
        Checkpoint::Diff(flags) => diff::run(&site, &store, common, &known(&flags.session)?, flags),
        Checkpoint::Undo(flags) => {
            let _lock = session::lock(&site, &store)?;
            undo::run(&site, &store, common, &known(&flags.session)?, flags)
        }
    }
}

fn list(site: &Site, common: &Common, known: &Known) -> Result<u8, Failure> {
    let session = known.session;
    let mut output = Output::new(common);
    let mut before = None;
    for entry in &known.whole {
        let changes = before.map_or(Ok(Vec::new()), |tree| site.repo.diff(tree, &entry.tree))?;
        let paths: Vec<String> = changes
            .iter()
            .map(|change| change.path.to_string())
            .collect();
        let text = format!(
            "checkpoint: {}, {}, {}, {}",
            entry.number,
            entry.time,
            entry.commit.short(),
            count(paths.len())
        );
        let body = json!({ "session": session.to_string(), "n": entry.number.0, "time": entry.time.to_string(),
            "commit": entry.commit.to_string(), "tree": entry.tree.to_string(), "files": paths });
        output.entry("checkpoint", &text, body)?;
        before = Some(&entry.tree);
    }
    for number in &known.damaged {
        let body = json!({ "session": session.to_string(), "n": number.0 });
        output.entry(
            "checkpoint_damaged",
            &format!("checkpoint: {number}, damaged, skipped"),
            body,
        )?;
    }
    for number in &known.pruned {
        let body = json!({ "session": session.to_string(), "n": number.0 });
        output.entry(
            "checkpoint_pruned",
            &format!("checkpoint: {number}, removed to save space"),
            body,
        )?;
    }
    Ok(0)
}
