//! `harness feature`: the list, seen and changed by a person.

mod add;
mod amend;
mod rank;
mod settle;

use harness_config::Resolved;
use harness_core::{Event, Feature as Entry, FeatureId, FeatureStatus, RepoPath};
use harness_gate::list::{FeatureList, ListError, intent as fields};
use harness_guard::Scope;
use harness_store::IntentEntry;
use serde_json::json;

use self::settle::Settle;
use super::runs;
use crate::{
    cli::{Common, Feature, RunOptions},
    compose::Site,
    failure::{Failure, chain},
    intent::{self, Ledger},
    output::{Output, say},
    session,
    trust::{self, Subject, Trusted},
};

/// How much of a title or a reason is shown. Unit: characters.
const TITLE_CHARS: usize = 200;

/// What every one of these commands works with.
struct Desk<'a> {
    site: &'a Site,
    common: &'a Common,
    resolved: &'a Resolved,
    path: &'a RepoPath,
    /// What the ledger said when the command began.
    ledger: Ledger,
}

pub(crate) fn run(common: &Common, command: &Feature) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let path = &resolved.policy.feature_file;
    let desk = Desk {
        site: &site,
        common,
        resolved: &resolved,
        path,
        ledger: Ledger::read(&site)?,
    };
    match command {
        Feature::List => show_all(&desk, site.list(path)?.as_ref()),
        Feature::Show { id } => {
            let list = site.list(path)?.ok_or_else(|| no_list(path))?;
            show(&desk, &find(&list, id, path)?, list.features())
        }
        Feature::Add(add) => add::run(&desk, add),
        Feature::Amend(amend) => amend::run(&desk, amend),
        Feature::Move { id, to } => rank::run(&desk, id, *to),
        Feature::Finish(finish) => crate::cmd::finish::run(common, finish),
        Feature::Accept { id, reason } => settle::run(&desk, Settle::Accept, id, reason),
        Feature::Cancel { id, reason } => settle::run(&desk, Settle::Cancel, id, reason),
        Feature::Block { id, reason } => settle::run(&desk, Settle::Block, id, reason),
        Feature::Reopen { id, reason } => settle::run(&desk, Settle::Reopen, id, reason),
    }
}

fn show_all(desk: &Desk<'_>, list: Option<&FeatureList>) -> Result<u8, Failure> {
    let mut output = Output::new(desk.common);
    let ledger = &desk.ledger;
    let features = list.map_or(&[][..], FeatureList::features);
    for entry in features {
        let claimed = desk.site.is_claimed(entry, desk.resolved);
        let word = if claimed {
            "claimed"
        } else {
            entry.status.as_str()
        };
        let mut text = format!("feature: {} {word}, {}", entry.id, title(entry));
        let (done, open): (Vec<_>, Vec<_>) = dependencies(entry, features);
        if !done.is_empty() {
            text.push_str(&format!(", after {}", ids(&done)));
        }
        if !open.is_empty() && entry.status.is_open() {
            text.push_str(&format!(", waits for {}", waits(&open, features)));
        }
        if ledger.difference(entry).is_some() {
            text.push_str(", changed by hand");
        }
        output.entry("feature", &text, body(desk, entry, features, claimed))?;
    }
    for gone in ledger
        .changed(features)
        .iter()
        .filter(|changed| changed.differences.is_none())
    {
        output.text(&format!(
            "note: {} is gone from the list, changed by hand; `harness feature amend {} --as-is` leaves it out",
            gone.id, gone.id
        ))?;
    }
    if list.is_none() {
        output.text("note: there is no feature list; `harness feature add \"TITLE\"` makes one")?;
    } else if features.is_empty() {
        output.text("note: the list is empty; `harness feature add \"TITLE\"` adds to it")?;
    }
    Ok(0)
}

/// Returns what a feature depends on: what is settled, and what it still waits for.
fn dependencies(entry: &Entry, features: &[Entry]) -> (Vec<FeatureId>, Vec<FeatureId>) {
    let is_settled = |id: &FeatureId| {
        let found = features.iter().find(|feature| feature.id == *id);
        found.is_some_and(|feature| feature.status.is_settled())
    };
    entry.depends_on.iter().cloned().partition(is_settled)
}

/// Names what is waited for; what will not come by itself with how it stands.
fn waits(open: &[FeatureId], features: &[Entry]) -> String {
    let named = open.iter().map(|id| {
        let found = features.iter().find(|feature| feature.id == *id);
        match found.map(|feature| feature.status) {
            Some(status) if !status.is_open() => format!("{id} ({status})"),
            _ => id.to_string(),
        }
    });
    named.collect::<Vec<_>>().join(", ")
}

/// Returns the title as one line, whatever the file says.
fn title(entry: &Entry) -> String {
    harness_report::clean_line(&entry.title, TITLE_CHARS)
}

fn body(desk: &Desk<'_>, entry: &Entry, features: &[Entry], claimed: bool) -> serde_json::Value {
    let (_, open) = dependencies(entry, features);
    let ledger = &desk.ledger;
    json!({ "id": entry.id.as_str(), "title": entry.title, "category": entry.category, "description": entry.description,
        "steps": entry.steps, "acceptance": entry.acceptance, "priority": entry.priority, "depends_on": entry.depends_on,
        "waits_for": open, "status": entry.status.as_str(), "reason": ledger.reason(entry),
        "passes": entry.status == FeatureStatus::Passing && !claimed, "claimed": claimed,
        "changed_by_hand": ledger.difference(entry).is_some() })
}

fn show(desk: &Desk<'_>, entry: &Entry, features: &[Entry]) -> Result<u8, Failure> {
    let claimed = desk.site.is_claimed(entry, desk.resolved);
    let ledger = &desk.ledger;
    let word = if claimed {
        "claimed, without proof it counts as not passing"
    } else {
        entry.status.as_str()
    };
    let mut text = format!("feature: {} {word}, {}", entry.id, title(entry));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!(
                "\n  {name}: {}",
                value.trim_end().replace('\n', "\n    ")
            ));
        }
    };
    line(
        "reason",
        &harness_report::clean_line(ledger.reason(entry), TITLE_CHARS),
    );
    line(
        "category",
        if entry.category == "functional" {
            ""
        } else {
            &entry.category
        },
    );
    line("description", &entry.description);
    line("done when", &entry.acceptance.join("; "));
    line("steps", &entry.steps.join("; "));
    let (done, open) = dependencies(entry, features);
    line("after", &ids(&done));
    line("waits for", &waits(&open, features));
    line("write", &entry.scope.write.join(" "));
    line("deny", &entry.scope.deny.join(" "));
    line(
        "may change",
        &entry
            .may_change
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" "),
    );
    line("gates", &entry.gates.join(", "));
    line(
        "verify",
        &entry
            .verify
            .iter()
            .map(|argv| argv.join(" "))
            .collect::<Vec<_>>()
            .join("; "),
    );
    line("limits", &limits(entry));
    if let Some(evidence) = desk.site.evidence(entry) {
        line(
            "evidence",
            &format!(
                "tree {}, session {}",
                evidence.subject_tree, evidence.session
            ),
        );
    }
    if let Some(differences) = ledger.difference(entry) {
        let told = fields::describe(&differences);
        let told = told.trim_end().replace('\n', "\n  ");
        text.push_str(&format!("\n  changed by hand:\n  {told}"));
    }
    Output::new(desk.common).entry("feature", &text, body(desk, entry, features, claimed))?;
    Ok(0)
}

fn limits(entry: &Entry) -> String {
    let budget = entry.budget;
    let limits = [
        budget
            .attempts
            .map(|attempts| format!("{attempts} attempts")),
        budget.usd.map(|usd| format!("{} USD", usd.as_usd())),
        budget.minutes.map(|minutes| format!("{minutes} minutes")),
    ];
    limits.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Writes what a command did to the ledger, with the features of the list that it did not know.
fn keep(site: &Site, before: &[Entry], entries: &[IntentEntry]) -> Result<(), Failure> {
    if let Some(line) = intent::adopt(site, before)? {
        say(&format!("note: {line}"));
    }
    intent::append(site, entries)
}

/// Sees that no run works on exactly this feature: its agent has been told the old words.
fn refuse_busy(site: &Site, id: &str) -> Result<(), Failure> {
    let Some(store) = site.existing_store()? else {
        return Ok(());
    };
    let Err(held) = session::lock(site, &store) else {
        return Ok(());
    };
    let Some(session) = runs::latest_session(site, &store)? else {
        return Ok(());
    };
    let log = harness_store::read(store.log_path(session));
    let records = log.map_or_else(|_| Vec::new(), |log| log.records);
    let is_over =
        |event: &Event| matches!(event, Event::SessionEnded { .. } | Event::RunEnded { .. });
    let is_on = match records.first().map(|record| &record.event) {
        Some(Event::SessionOpened(opened)) => opened.feature.as_str() == id,
        _ => false,
    };
    if is_on && !records.last().is_some_and(|record| is_over(&record.event)) {
        let text = format!("session {session} works on `{id}` at this moment");
        return Err(Failure::needs_human(text)
            .hint("stop it first, then `harness resume --last` or a new run goes on"));
    }
    drop(held);
    Ok(())
}

/// Says why the list could not take a change.
fn unwritable(error: &ListError) -> Failure {
    let failure = Failure::usage(chain(error));
    match error {
        ListError::NoPlace { .. } => failure.hint(
            "an object `{ \"schema\": 1, \"features\": [...] }` has a place for every field; `[features] file` names the file",
        ),
        _ => failure,
    }
}

/// Whether exactly what the list would have executed is trusted.
fn trusted_subject(site: &Site, resolved: &Resolved, features: &[Entry]) -> Result<bool, Failure> {
    let subject = Subject::of(site, resolved, features)?;
    Ok(trust::check(site, &subject)? == Trusted::Yes)
}

/// Sees that a feature could ever pass: its gates exist, and its scope is one.
fn check_possible(entry: &Entry, resolved: &Resolved) -> Result<(), Failure> {
    let gates = &resolved.policy.gates;
    let missing = entry
        .gates
        .iter()
        .find(|name| !gates.iter().any(|gate| gate.name == **name));
    if let Some(name) = missing {
        let known = super::run::names(gates);
        return Err(Failure::usage(format!("there is no gate `{name}`"))
            .hint(format!("the gates are: {known}")));
    }
    Scope::compile(&resolved.policy.scope, entry).map_err(|error| Failure::usage(chain(&error)))?;
    Ok(())
}

fn find(list: &FeatureList, id: &str, path: &RepoPath) -> Result<Entry, Failure> {
    let mut features = list.features().iter();
    let found = features.find(|entry| entry.id.as_str() == id).cloned();
    found.ok_or_else(|| {
        Failure::usage(format!("there is no feature `{id}` in `{path}`"))
            .hint("harness feature list")
    })
}

fn no_list(path: &RepoPath) -> Failure {
    Failure::usage(format!("there is no feature list at `{path}`"))
        .hint("harness feature add \"TITLE\"")
}

fn ids(ids: &[FeatureId]) -> String {
    ids.iter()
        .map(FeatureId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
