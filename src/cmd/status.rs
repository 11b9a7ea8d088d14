//! `harness status`: where the repository, its features and its runs stand. Reads only.

mod glance;
mod jobs;
mod needed;
mod open;
mod watch;

use harness_core::{Event, FeatureStatus, SessionOpened};
use harness_report::{JsonStep, clean};
use harness_store::Record;
use serde_json::json;

use self::needed::Needed;
use super::{lost, runs};
use crate::{
    cli::{Common, RunOptions, Status},
    compose::Site,
    failure::{Failure, chain},
    intent::Ledger,
    isolation,
    output::Output,
    trust::{self, Subject, Trusted},
};

pub(super) fn run(common: &Common, flags: &Status) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    if flags.watch {
        return watch::watch(common, &site);
    }
    let head = site.head()?;
    let resolved = site.resolve(&RunOptions::default())?;
    let features = site.features(&resolved.policy.feature_file)?;
    let mut output = Output::new(common);

    let branch = head
        .branch
        .clone()
        .unwrap_or_else(|| "detached HEAD".to_owned());
    let trusted = match trust::check(&site, &Subject::of(&site, &resolved, &features)?)? {
        Trusted::Yes => "trusted",
        Trusted::Never => "not trusted",
        Trusted::Changed { .. } => "changed since it was trusted",
    };
    let config = if site.repository.is_some() {
        trusted
    } else {
        "no harness.toml, `harness init` writes one"
    };
    let gates = super::run::names(&resolved.policy.gates);
    let text = format!(
        "harness: repo {}, branch {branch}, {config}, gates {}",
        site.repo.name(),
        if gates.is_empty() { "none" } else { &gates }
    );
    let body = json!({ "name": site.repo.name(), "branch": head.branch, "head": head.commit.to_string(), "trust": trusted,
        "configured": site.repository.is_some(), "isolated": resolved.policy.isolate });
    output.entry("repository", &text, body)?;
    isolation::note(&resolved.policy, &mut output)?;

    let mut passing = 0;
    let mut claimed = Vec::new();
    for feature in &features {
        if site.is_claimed(feature, &resolved) {
            claimed.push(feature.id.as_str());
        } else if feature.status == FeatureStatus::Passing {
            passing += 1;
        }
    }
    let needed = Needed::look(&site, &features)?;
    let waiting = needed.features;
    let text = format!(
        "feature: {passing} of {} passing, {} claimed, {waiting} need you",
        features.len(),
        claimed.len()
    );
    let changed = Ledger::read(&site)?.changed(&features);
    let changed: Vec<&str> = changed.iter().map(|changed| changed.id.as_str()).collect();
    let body = json!({ "features": features.len(), "passing": passing, "claimed": claimed.len(), "waiting": waiting,
        "claimed_features": claimed, "changed_by_hand": changed, "answered": needed.answered(),
        "questions": needed.questions() });
    output.entry("features", &text, body)?;
    if !claimed.is_empty() {
        output.text(&format!(
            "note: without proof: {}; `harness verify` says why, `harness run` works on them",
            claimed.join(", ")
        ))?;
    }
    if !changed.is_empty() {
        output.text(&format!(
            "note: changed by hand: {}; `harness feature show ID` tells how, nothing runs until `harness feature amend ID --as-is` or the old text is back",
            changed.join(", ")
        ))?;
    }
    needed.tell(&output)?;
    last_session(&site, &needed, &mut output)?;
    open::tell(&site, &mut output)?;
    Ok(0)
}

/// Shows the plan of a feature that is not proven yet.
fn plan(opened: &SessionOpened, records: &[Record], output: &mut Output) -> Result<(), Failure> {
    let mut items = match opened.run.work_on(&opened.feature) {
        Some(work) => work.plan.clone(),
        None => Vec::new(),
    };
    for record in records {
        match &record.event {
            Event::PlanSet(set) => items.clone_from(&set.items),
            Event::FeaturePassed(_) => items.clear(),
            _ => {}
        }
    }
    if items.is_empty() {
        return Ok(());
    }
    let done = items.iter().filter(|item| !item.is_open()).count();
    let text = format!("plan: {}, {done} of {} done", opened.feature, items.len());
    let steps: Vec<JsonStep> = items.iter().map(JsonStep::from).collect();
    let body = json!({ "feature": opened.feature.to_string(), "items": steps });
    output.entry("plan", &text, body)?;
    for item in &items {
        output.text(&format!("plan: {}", clean(&item.to_string())))?;
    }
    Ok(())
}

/// How much is shown of why the last run ended. Unit: lines.
const DETAIL_LINES: usize = 20;

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Says how a session stands whose log has no end.
fn unfinished(is_running: Option<bool>) -> String {
    let text = match is_running {
        Some(true) => "running",
        Some(false) => "cut short, `harness resume --last` goes on",
        None => "running or cut short",
    };
    text.to_owned()
}

/// Returns how a session ended, and why; an end before it was taken up again is none.
fn end(records: &[Record]) -> Option<(String, &str)> {
    let since = records
        .iter()
        .rposition(|record| matches!(record.event, Event::SessionResumed { .. }));
    let records = &records[since.unwrap_or(0)..];
    records.iter().rev().find_map(|record| match &record.event {
        Event::RunEnded { reason, detail } => Some((reason.to_string(), detail.as_str())),
        Event::SessionEnded { reason } => Some((first_line(reason), "")),
        _ => None,
    })
}

fn last_session(site: &Site, needed: &Needed, output: &mut Output) -> Result<(), Failure> {
    let Some(store) = site.existing_store()? else {
        return output.text("note: no run yet");
    };
    let Some(session) = runs::latest_session_of_all(site, &store)? else {
        return output.text("note: no run yet");
    };
    let log = match harness_store::read(store.log_path(session)) {
        Ok(log) => log,
        Err(error) => {
            let body = json!({ "session": session.to_string(), "problem": chain(&error) });
            let text = format!(
                "note: the log of {session} cannot be read: {}; `harness log verify` tells more",
                chain(&error)
            );
            return output.entry("last_session", &text, body);
        }
    };
    let known = store.synced(session);
    let has = log.records.iter().map(|record| record.hash).collect();
    if let Some(lost) = lost::look(Some(site), &store, session, known, (&has, log.torn.0 > 0))? {
        output.text(&format!(
            "note: the log of {session} {}; `harness log verify` tells more",
            lost.words()
        ))?;
    }
    let Some(Event::SessionOpened(opened)) = log.records.first().map(|record| &record.event) else {
        return output.text(&format!("note: session {session} never began"));
    };
    let (ended, detail) = end(&log.records).unzip();
    let last = log
        .records
        .last()
        .map(|record| record.time.to_string())
        .unwrap_or_default();
    let is_running = match &ended {
        Some(_) => Some(false),
        None => harness_store::is_written(&store, session),
    };
    let state = ended.clone().unwrap_or_else(|| unfinished(is_running));
    let mut text = format!(
        "note: last session {session} of run {}, {}, {state}, last record {last}",
        opened.run.run, opened.feature
    );
    if runs::is_elsewhere(site, &store, session) {
        text.push_str(&format!(", in `{}`", opened.root));
    }
    let proven = runs::proven(&site.repo, opened.run.run, &opened.run.base)?;
    let names: Vec<&str> = proven
        .iter()
        .map(|proven| proven.feature.as_str())
        .collect();
    let body = json!({ "session": session.to_string(), "run": opened.run.run.to_string(), "feature": opened.feature.to_string(),
        "ended": ended, "running": is_running, "detail": detail.unwrap_or_default(), "last_record": last, "branch": opened.branch, "root": opened.root, "proven": names });
    output.entry("last_session", &text, body)?;
    plan(opened, &log.records, output)?;
    jobs::running(&log.records, output)?;
    // Why features were left to the person, with what was tried.
    for line in detail.unwrap_or_default().lines().take(DETAIL_LINES) {
        output.text(&format!("note: {}", needed.still_true(line)))?;
    }
    if !names.is_empty() {
        output.text(&format!(
            "note: branch {} holds {}",
            opened.branch,
            names.join(", ")
        ))?;
    }
    Ok(())
}
