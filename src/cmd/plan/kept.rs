//! `harness plan --show|--accept|--edit|--reject`: proposals that wait for a person's word.

use std::{
    env, fs,
    io::{self, Read as _},
    path::Path,
    process::Command,
};

use harness_core::{FeatureId, Policy, Proposal};
use harness_engine::read_proposal;
use harness_report::{clean_line, json_proposed, proposal_lines};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{check, next};
use crate::{
    ask,
    cli::{Common, Plan, RunOptions},
    cmd::gate,
    compose::Site,
    detect,
    failure::Failure,
    output::{Output, say},
    proposals::{self, Kept, Shelf, Standing},
    session,
    trust::{self, Subject, Trusted},
};

/// The largest file that comes back from an editor.
const EDITED_BYTES_MAX: u64 = 1024 * 1024;
/// The longest line of a goal that is shown. Unit: characters.
const GOAL_CHARS: usize = 400;

pub(super) fn show(common: &Common, id: Option<String>) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let mut output = Output::new(common);
    let Some(store) = site.existing_store()? else {
        return none(&mut output);
    };
    let Some(kept) = find_to_show(&Shelf::of(&store), id)? else {
        return none(&mut output);
    };
    let id = &kept.proposal.id;
    let mut text = format!(
        "proposal: {id} {}, session {}\n  the goal: {}",
        kept.standing.as_str(),
        kept.session,
        clean_line(&kept.proposal.goal, GOAL_CHARS)
    );
    for decided in &kept.proposal.decided {
        text.push_str(&format!(
            "\n  asked: {} you: {}",
            clean_line(&decided.question, GOAL_CHARS),
            clean_line(&decided.answer, GOAL_CHARS)
        ));
    }
    for line in proposal_lines(&kept.proposal) {
        text.push_str(&format!("\n{line}"));
    }
    for note in &kept.proposal.notes {
        text.push_str(&format!("\n  note: {}", clean_line(note, GOAL_CHARS)));
    }
    output.entry("proposal", &text, body(&kept))?;
    if kept.standing == Standing::Waiting && !output.is_json() {
        say(&format!(
            "hint: `harness plan --accept {id}` takes it, with `--without 2,5` all but some; `--edit {id}`, `--reject {id}`"
        ));
    }
    Ok(0)
}

pub(super) fn accept(common: &Common, flags: &Plan, id: Option<String>) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let store = site.existing_store()?.ok_or_else(nothing)?;
    let shelf = Shelf::of(&store);
    let lock = session::lock(&site, &store)?;
    let kept = find_waiting(&shelf, id)?;
    let without = flags.without.as_deref().unwrap_or_default();
    let without = kept.proposal.read_numbers(without);
    let without = without.map_err(|why| Failure::usage(format!("--without: {why}")))?;
    let policy = policy_of(&site)?;
    let (proposal, session) = (&kept.proposal, kept.session);
    let added = proposals::add(&site, &policy, proposal, Some(session), &without)?;
    let id = proposal.id.clone();
    shelf.write(&Kept {
        standing: Standing::Accepted {
            features: added.features.clone(),
        },
        ..kept
    })?;
    let mut output = Output::new(common);
    for added in &added.features {
        let text = format!(
            "feature: {} pending, {}",
            added.feature,
            clean_line(&added.title, GOAL_CHARS)
        );
        let body =
            json!({ "id": added.feature.as_str(), "title": added.title, "number": added.number });
        output.entry("feature_added", &text, body)?;
    }
    if output.is_json() {
        let features: Vec<&str> = added
            .features
            .iter()
            .map(|it| it.feature.as_str())
            .collect();
        let body = json!({ "proposal": id.as_str(), "accepted": true, "features": features,
            "file": added.file.to_string(), "remarks": added.remarks, "problem": "" });
        output.entry("proposal_settled", "", body)?;
    } else {
        added
            .remarks
            .iter()
            .for_each(|line| say(&format!("note: {line}")));
    }
    drop(lock);
    if !flags.no_check {
        try_base(&site, common, &flags.options)?;
    }
    if !common.json {
        say(&next(&site, &policy));
    }
    Ok(0)
}

pub(super) fn reject(common: &Common, id: Option<String>) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let store = site.existing_store()?.ok_or_else(nothing)?;
    let _lock = session::lock(&site, &store)?;
    let shelf = Shelf::of(&store);
    let kept = find_waiting(&shelf, id)?;
    let id = kept.proposal.id.clone();
    shelf.write(&Kept {
        standing: Standing::Rejected {
            reason: String::new(),
        },
        ..kept
    })?;
    let body = json!({ "proposal": id.as_str(), "accepted": false, "features": [],
        "file": Value::Null, "remarks": [], "problem": "" });
    let text = format!("proposal: {id} rejected, nothing was added");
    Output::new(common).entry("proposal_settled", &text, body)?;
    Ok(0)
}

pub(super) fn edit(common: &Common, id: Option<String>) -> Result<u8, Failure> {
    if !ask::is_attended(common) {
        return Err(
            Failure::needs_human("cannot open an editor without a terminal")
                .hint("`harness plan --accept ID --without 2,5` leaves some out"),
        );
    }
    let site = Site::open(common)?;
    let store = site.existing_store()?.ok_or_else(nothing)?;
    let _lock = session::lock(&site, &store)?;
    let shelf = Shelf::of(&store);
    let kept = find_waiting(&shelf, id)?;
    let before = editable(&kept.proposal);
    let file = edited(&before)?;
    let text = match saved(file.path()) {
        Ok(text) => text,
        Err(why) => return Err(not_taken(&why, file)),
    };
    if text == before {
        let text = format!("proposal: {} is as it was", kept.proposal.id);
        Output::new(common).entry("proposal", &text, body(&kept))?;
        return Ok(0);
    }
    let policy = policy_of(&site)?;
    let existing = site.features(&policy.feature_file)?;
    let features = match read_proposal(&text, &existing, &policy) {
        Ok(features) => features,
        Err(why) => return Err(not_taken(&why, file)),
    };
    let proposal = Proposal {
        features,
        ..kept.proposal.clone()
    };
    let lines = proposal_lines(&proposal).join("\n");
    let id = proposal.id.clone();
    let changed = Kept { proposal, ..kept };
    shelf.write(&changed)?;
    let text = format!("proposal: {id} changed\n{lines}");
    Output::new(common).entry("proposal", &text, body(&changed))?;
    say(&format!("hint: `harness plan --accept {id}`"));
    Ok(0)
}

/// Runs the gates as `harness gate run` does and says what is to be mended.
fn try_base(site: &Site, common: &Common, options: &RunOptions) -> Result<(), Failure> {
    let resolved = site.resolve(options)?;
    if resolved.policy.gates.is_empty() {
        say(&format!("note: {}", check::no_gates()));
        return Ok(());
    }
    let features = site.features(&resolved.policy.feature_file)?;
    let subject = Subject::of(site, &resolved, &features)?;
    if site.repository.is_none() || trust::check(site, &subject)? != Trusted::Yes {
        say("note: the gates were not run: this repository is not trusted yet (`harness trust`)");
        return Ok(());
    }
    match gate::run_gates(site, common, &[], options.sandbox) {
        Ok(0) => {}
        Ok(_) => say("note: not all gates are green: mend that first, features build on it"),
        // The features are in the list all the same.
        Err(failure) => failure.print(),
    }
    Ok(())
}

/// Returns the rules that features keep to; detected ones where there is no configuration.
fn policy_of(site: &Site) -> Result<Policy, Failure> {
    let mut policy = site.resolve(&RunOptions::default())?.policy;
    if site.repository.is_none() {
        let found = detect::detect(site);
        let write = found.write.iter();
        policy.scope.write = write.map(harness_core::Sourced::built_in).collect();
        policy.gates = found.gates;
    }
    Ok(policy)
}

fn body(kept: &Kept) -> Value {
    let proposal = &kept.proposal;
    let features = match &kept.standing {
        Standing::Accepted { features } => {
            features.iter().map(|it| it.feature.to_string()).collect()
        }
        _ => Vec::new(),
    };
    let decided = proposal.decided.iter();
    let decided: Vec<Value> = decided
        .map(|it| json!({ "question": it.question, "answer": it.answer }))
        .collect();
    json!({ "proposal": proposal.id.as_str(), "standing": kept.standing.as_str(), "goal": proposal.goal,
        "made_by": kept.session.to_string(), "features": json_proposed(proposal), "added": features,
        "notes": proposal.notes, "decided": decided })
}

/// Finds the proposal of an id, else the latest that waits, else the latest.
fn find_to_show(shelf: &Shelf, id: Option<String>) -> Result<Option<Kept>, Failure> {
    if let Some(id) = id {
        return named(shelf, &id).map(Some);
    }
    match waiting(shelf)?.pop() {
        Some(kept) => Ok(Some(kept)),
        None => shelf.names().last().map_or(Ok(None), |id| shelf.read(id)),
    }
}

/// Finds the proposal of an id, or the only one that waits.
fn find_waiting(shelf: &Shelf, id: Option<String>) -> Result<Kept, Failure> {
    if let Some(id) = id {
        let kept = named(shelf, &id)?;
        return match kept.standing {
            Standing::Waiting => Ok(kept),
            standing => Err(Failure::usage(format!(
                "proposal `{id}` is {} already",
                standing.as_str()
            ))
            .hint("harness feature list")),
        };
    }
    let mut all = waiting(shelf)?;
    if all.len() > 1 {
        let names: Vec<String> = all
            .iter()
            .map(|kept| kept.proposal.id.to_string())
            .collect();
        return Err(Failure::usage("more than one proposal waits")
            .hint(format!("name one of {}", names.join(", "))));
    }
    all.pop().ok_or_else(nothing)
}

fn waiting(shelf: &Shelf) -> Result<Vec<Kept>, Failure> {
    let mut all = Vec::new();
    for id in shelf.names() {
        all.extend(
            shelf
                .read(&id)?
                .filter(|kept| kept.standing == Standing::Waiting),
        );
    }
    Ok(all)
}

fn named(shelf: &Shelf, id: &str) -> Result<Kept, Failure> {
    let names = shelf.names();
    let found = names.iter().find(|name| name.as_str() == id);
    let kept = found.map(|id: &FeatureId| shelf.read(id)).transpose()?;
    kept.flatten().ok_or_else(|| {
        let failure = Failure::usage(format!("there is no proposal `{id}`"));
        match names.last() {
            Some(last) => failure.hint(format!(
                "the latest is {last}: `harness plan --show {last}`"
            )),
            None => failure.hint("`harness plan \"GOAL\"` makes one"),
        }
    })
}

/// Has the person edit a text, and returns the file it is in.
fn edited(text: &str) -> Result<NamedTempFile, Failure> {
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.trim().is_empty()));
    let editor = editor
        .ok_or_else(|| Failure::usage("which editor?").hint("EDITOR=nano harness plan --edit"))?;
    let words = shlex::split(&editor).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| Failure::usage(format!("`{editor}` is no command")))?;
    let failed = |error: io::Error| Failure::failed(format!("cannot edit the proposal: {error}"));
    let file = tempfile::Builder::new()
        .prefix("proposal-")
        .suffix(".json")
        .tempfile()
        .map_err(failed)?;
    fs::write(file.path(), text).map_err(failed)?;
    let status = Command::new(&words[0])
        .args(&words[1..])
        .arg(file.path())
        .status();
    let status = status.map_err(|error| {
        Failure::usage(format!("cannot start the editor `{}`: {error}", words[0]))
    })?;
    if !status.success() {
        return Err(Failure::usage(format!(
            "the editor ended with {status}; nothing was changed"
        )));
    }
    Ok(file)
}

/// Reads what an editor has left, or says why that is no text.
fn saved(path: &Path) -> Result<String, String> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "the editor has left no file".to_owned(),
        _ => format!("cannot read what the editor has left: {error}"),
    };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let read = file.take(EDITED_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(failed)?;
    if bytes.len() as u64 > EDITED_BYTES_MAX {
        return Err("the file is too large".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "the file is no UTF-8".to_owned())
}

/// Writes a proposal as the tool takes it.
fn editable(proposal: &Proposal) -> String {
    let features = proposal.features.iter().map(|feature| {
        let mut depends_on: Vec<String> = feature.after.iter().map(ToString::to_string).collect();
        depends_on.extend(feature.depends_on.iter().map(ToString::to_string));
        json!({ "title": feature.title, "description": feature.description, "acceptance": feature.acceptance,
            "steps": feature.steps, "depends_on": depends_on, "scope": feature.write, "gates": feature.gates,
            "priority": feature.priority })
    });
    let value = json!({ "features": features.collect::<Vec<_>>() });
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

/// Makes the failure of an edit that cannot be taken; what the person wrote is not lost with it.
fn not_taken(why: &str, file: NamedTempFile) -> Failure {
    let failure = Failure::usage(format!("the proposal stays as it was: {why}"));
    if !file.path().exists() {
        return failure;
    }
    match file.keep() {
        Ok((_, path)) => failure.hint(format!("what you wrote is kept in {}", path.display())),
        Err(_) => failure,
    }
}

fn none(output: &mut Output) -> Result<u8, Failure> {
    output.text("note: no proposal waits; `harness plan \"GOAL\"` makes one")?;
    Ok(0)
}

fn nothing() -> Failure {
    Failure::usage("no proposal waits for your word").hint("`harness plan \"GOAL\"` makes one")
}
