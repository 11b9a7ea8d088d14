//! `harness feature amend`: what a person wishes for changes here and nowhere else.

use harness_core::{Feature as Entry, FeatureStatus};
use harness_gate::list::intent::{self as fields, Difference};
use harness_store::{IntentEntry, IntentWord};
use serde_json::{Value, json};

use super::{
    Desk, add, check_possible, find, keep, no_list, refuse_busy, trusted_subject, unwritable,
};
use crate::{
    cli::FeatureAmend,
    failure::{Failure, chain},
    intent::{self, Changed},
    output::{Output, say},
    trust::{self, Subject},
};

pub(super) fn run(desk: &Desk<'_>, amend: &FeatureAmend) -> Result<u8, Failure> {
    match (&amend.id, amend.as_is) {
        (id, true) => as_is(desk, id.as_deref()),
        (Some(id), false) => amend_one(desk, id, amend),
        (None, false) => Err(Failure::usage("which feature?").hint("harness feature list")),
    }
}

fn amend_one(desk: &Desk<'_>, id: &str, amend: &FeatureAmend) -> Result<u8, Failure> {
    let Desk {
        site,
        resolved,
        path,
        ..
    } = desk;
    refuse_busy(site, id)?;
    let (before, old, new, trusted) = site.rewrite(path, |text| {
        let mut list = site.parse_list(path, &text.ok_or_else(|| no_list(path))?)?;
        let before = list.features().to_vec();
        let old = find(&list, id, path)?;
        refuse_changed(desk, &old)?;
        let trusted = trusted_subject(site, resolved, &before)?;
        let new = amended(&old, amend)?;
        check_possible(&new, resolved)?;
        list.amend(&new).map_err(|error| unwritable(&error))?;
        // What the file says now: there a title can be the first line of a description.
        let new = list.find(&old.id).cloned().unwrap_or(new);
        let is_changed = fields::fields(&old) != fields::fields(&new);
        let new = reopened(new, is_changed);
        list.set_status(&new.id, new.status)
            .map_err(|error| Failure::failed(chain(&error)))?;
        Ok((list.render(), (before, old, new, trusted)))
    })?;
    let differences = fields::differences(&fields::fields(&old), &fields::fields(&new));
    if differences.is_empty() {
        Output::new(desk.common).entry(
            "feature_amended",
            &format!("feature: {} is like that already", new.id),
            told(&new, &differences, old.status),
        )?;
        return Ok(0);
    }
    if trusted {
        // Who types a command here has seen it; all else was trusted as it is.
        let features = before
            .iter()
            .map(|entry| if entry.id == new.id { &new } else { entry });
        let subject = Subject::of(site, resolved, &features.cloned().collect::<Vec<_>>())?;
        trust::accept(site, &subject)?;
    }
    let mut entries = vec![intent::entry(IntentWord::Amended, &new, "")];
    entries.extend(reopening(&old, &new));
    keep(site, &before, &entries)?;
    say_amended(desk, &new, &differences, old.status)?;
    Ok(0)
}

fn amended(old: &Entry, amend: &FeatureAmend) -> Result<Entry, Failure> {
    let mut new = old.clone();
    if let Some(title) = &amend.title {
        title.trim().clone_into(&mut new.title);
        if new.title.is_empty() {
            return Err(Failure::usage("a feature needs a title").hint("--title TEXT"));
        }
    }
    add::apply(&amend.intent, &mut new)?;
    let more = amend
        .add_acceptance
        .iter()
        .filter(|text| !text.trim().is_empty());
    new.acceptance.extend(more.cloned());
    Ok(new)
}

/// A proof is of what was wished for: when that changes, the feature is open again.
fn reopened(mut entry: Entry, is_changed: bool) -> Entry {
    if is_changed && entry.status == FeatureStatus::Passing {
        entry.status = FeatureStatus::Pending;
    }
    entry
}

fn reopening(old: &Entry, new: &Entry) -> Option<IntentEntry> {
    let is_reopened = old.status == FeatureStatus::Passing && new.status == FeatureStatus::Pending;
    is_reopened.then(|| intent::entry(IntentWord::Reopened, new, "amended after it had passed"))
}

/// What was changed by hand is not taken along unseen.
fn refuse_changed(desk: &Desk<'_>, entry: &Entry) -> Result<(), Failure> {
    match desk.ledger.difference(entry) {
        None => Ok(()),
        Some(differences) => {
            let changed = Changed {
                id: entry.id.clone(),
                differences: Some(differences),
            };
            Err(intent::refusal(desk.path, &[changed]))
        }
    }
}

fn as_is(desk: &Desk<'_>, id: Option<&str>) -> Result<u8, Failure> {
    let Desk { site, path, .. } = desk;
    if let Some(id) = id {
        refuse_busy(site, id)?;
    }
    let before = site
        .list(path)?
        .map_or(Vec::new(), |list| list.features().to_vec());
    let changed = desk.ledger.changed(&before);
    let mut changed: Vec<Changed> = changed
        .into_iter()
        .filter(|changed| id.is_none_or(|id| changed.id.as_str() == id))
        .collect();
    if let (Some(id), []) = (id, changed.as_slice()) {
        find(&site.list(path)?.ok_or_else(|| no_list(path))?, id, path)?;
    }
    changed.sort_by(|a, b| a.id.cmp(&b.id));
    let mut entries = Vec::new();
    for Changed { id, differences } in &changed {
        let entry = before.iter().find(|entry| entry.id == *id);
        match (entry, differences) {
            (Some(entry), Some(differences)) => {
                let new = reopen_in_file(desk, entry)?;
                entries.push(intent::entry(
                    IntentWord::Amended,
                    &new,
                    "taken as the file says",
                ));
                entries.extend(reopening(entry, &new));
                say_amended(desk, &new, differences, entry.status)?;
            }
            _ => {
                let fields = desk.ledger.intent(id);
                entries.push(intent::entry_of(
                    IntentWord::Removed,
                    id,
                    fields,
                    "gone from the list",
                ));
                Output::new(desk.common).entry(
                    "feature_removed",
                    &format!("feature: {id} is gone from the list, and stays so"),
                    json!({ "id": id.as_str() }),
                )?;
            }
        }
    }
    keep(site, &before, &entries)?;
    if changed.is_empty() {
        let text = match id {
            Some(id) => format!("note: `{id}` was not changed by hand"),
            None => "note: nothing was changed by hand".to_owned(),
        };
        Output::new(desk.common).text(&text)?;
    }
    Ok(0)
}

/// Writes that a feature counts as open where it passed as something else.
fn reopen_in_file(desk: &Desk<'_>, entry: &Entry) -> Result<Entry, Failure> {
    let new = reopened(entry.clone(), true);
    if new.status != entry.status {
        desk.site.rewrite(desk.path, |text| {
            let mut list = desk
                .site
                .parse_list(desk.path, &text.ok_or_else(|| no_list(desk.path))?)?;
            list.set_status(&new.id, new.status)
                .map_err(|error| Failure::failed(chain(&error)))?;
            Ok((list.render(), ()))
        })?;
    }
    Ok(new)
}

fn say_amended(
    desk: &Desk<'_>,
    new: &Entry,
    differences: &[Difference],
    was: FeatureStatus,
) -> Result<(), Failure> {
    let text = format!(
        "feature: {} {}, amended\n{}",
        new.id,
        new.status,
        fields::describe(differences).trim_end()
    );
    let mut output = Output::new(desk.common);
    output.entry("feature_amended", &text, told(new, differences, was))?;
    if was != new.status && !output.is_json() {
        say(&format!(
            "note: {} was {was}: its proof is of what it was before, so it counts as open",
            new.id
        ));
    }
    Ok(())
}

fn told(new: &Entry, differences: &[Difference], was: FeatureStatus) -> Value {
    let changes: Vec<Value> = differences
        .iter()
        .map(|difference| json!({ "field": difference.field, "old": difference.old, "new": difference.new }))
        .collect();
    json!({ "id": new.id.as_str(), "changes": changes, "from": was.as_str(), "to": new.status.as_str() })
}
