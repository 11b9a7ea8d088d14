//! `harness feature`: the list, seen and changed by a person.

use harness_config::Resolved;
use harness_core::{Feature as Entry, FeatureId, FeatureScope, FeatureStatus, RepoPath};
use harness_gate::list::{self, FeatureList};
use harness_guard::Scope;
use serde_json::json;

use crate::{
    cli::{Common, Feature, FeatureAdd, RunOptions},
    compose::{Site, parse_list},
    failure::{Failure, chain},
    output::Output,
    trust::{self, Subject, Trusted},
};

/// How much of a title is shown. Unit: characters.
const TITLE_CHARS: usize = 200;

pub(super) fn run(common: &Common, command: &Feature) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let path = &resolved.policy.feature_file;
    match command {
        Feature::List => show_all(&site, common, &resolved, site.list(path)?.as_ref()),
        Feature::Show { id } => {
            let list = site.list(path)?.ok_or_else(|| no_list(path))?;
            show(&site, common, &resolved, &find(&list, id, path)?)
        }
        Feature::Add(add) => add_one(&site, common, &resolved, add),
        Feature::Finish(finish) => super::finish::run(common, finish),
        Feature::Accept { id, reason } => accept(&site, common, &resolved, id, reason),
    }
}

fn show_all(
    site: &Site,
    common: &Common,
    resolved: &Resolved,
    list: Option<&FeatureList>,
) -> Result<u8, Failure> {
    let mut output = Output::new(common);
    let Some(list) = list else {
        output.text("note: there is no feature list; `harness feature add \"TITLE\"` makes one")?;
        return Ok(0);
    };
    for entry in list.features() {
        let claimed = site.is_claimed(entry, resolved);
        let word = if claimed {
            "claimed"
        } else {
            entry.status.as_str()
        };
        let after = if entry.depends_on.is_empty() {
            String::new()
        } else {
            format!(", after {}", ids(&entry.depends_on))
        };
        let text = format!("feature: {} {word}, {}{after}", entry.id, title(entry));
        output.entry("feature", &text, body(entry, claimed))?;
    }
    if list.features().is_empty() {
        output.text("note: the list is empty; `harness feature add \"TITLE\"` adds to it")?;
    }
    Ok(0)
}

/// Returns the title as one line, whatever the file says.
fn title(entry: &Entry) -> String {
    harness_report::clean_line(&entry.title, TITLE_CHARS)
}

fn body(entry: &Entry, claimed: bool) -> serde_json::Value {
    json!({ "id": entry.id.as_str(), "title": entry.title, "category": entry.category, "description": entry.description,
        "acceptance": entry.acceptance, "priority": entry.priority, "depends_on": entry.depends_on,
        "status": entry.status.as_str(), "passes": entry.status == FeatureStatus::Passing && !claimed, "claimed": claimed })
}

fn show(site: &Site, common: &Common, resolved: &Resolved, entry: &Entry) -> Result<u8, Failure> {
    let claimed = site.is_claimed(entry, resolved);
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
    line("description", &entry.description);
    line("done when", &entry.acceptance.join("; "));
    line("steps", &entry.steps.join("; "));
    line("after", &ids(&entry.depends_on));
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
    if let Some(evidence) = site.evidence(entry) {
        line(
            "evidence",
            &format!(
                "tree {}, session {}",
                evidence.subject_tree, evidence.session
            ),
        );
    }
    Output::new(common).entry("feature", &text, body(entry, claimed))?;
    Ok(0)
}

fn add_one(
    site: &Site,
    common: &Common,
    resolved: &Resolved,
    add: &FeatureAdd,
) -> Result<u8, Failure> {
    let path = &resolved.policy.feature_file;
    let (entry, trusted) = site.rewrite(path, |text| {
        let mut list = parse_list(path, text.as_deref().unwrap_or(list::EMPTY_LIST))?;
        let trusted = trusted_subject(site, resolved, &list)?;
        let entry = new_entry(&list, add)?;
        check_possible(&entry, resolved)?;
        list.add(&entry)
            .map_err(|error| Failure::usage(chain(&error)))?;
        Ok((list.render(), (entry, trusted)))
    })?;
    if let Some(subject) = trusted {
        // Who adds a command here has seen it: asking again would teach to say yes unread.
        trust::accept(site, &subject.with_feature(site, resolved, &entry)?)?;
    }
    Output::new(common).entry(
        "feature_added",
        &format!("feature: {} pending, {}", entry.id, title(&entry)),
        body(&entry, false),
    )?;
    Ok(0)
}

/// Returns what the list would have executed if exactly that is trusted.
fn trusted_subject(
    site: &Site,
    resolved: &Resolved,
    list: &FeatureList,
) -> Result<Option<Subject>, Failure> {
    let subject = Subject::of(site, resolved, list.features())?;
    let is_trusted = trust::check(site, &subject)? == Trusted::Yes;
    Ok(is_trusted.then_some(subject))
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

fn new_entry(list: &FeatureList, add: &FeatureAdd) -> Result<Entry, Failure> {
    let id = match &add.id {
        Some(id) => {
            FeatureId::new(id.as_str()).map_err(|error| Failure::usage(error.to_string()))?
        }
        None => list.next_id(),
    };
    let mut entry = Entry::titled(id, add.title.trim());
    if entry.title.is_empty() {
        return Err(Failure::usage("a feature needs a title").hint("harness feature add \"TITLE\""));
    }
    entry.description.clone_from(&add.description);
    entry.category.clone_from(&add.category);
    entry.acceptance.clone_from(&add.acceptance);
    entry.priority = add.priority;
    entry.gates.clone_from(&add.gates);
    entry.scope = FeatureScope {
        write: add.write.clone(),
        deny: Vec::new(),
    };
    entry.depends_on = parse_all(&add.depends_on, |id| {
        FeatureId::new(id).map_err(|error| error.to_string())
    })?;
    entry.may_change = parse_all(&add.may_change, |path| {
        RepoPath::parse(path).map_err(|error| error.to_string())
    })?;
    entry.verify = parse_all(&add.verify, |command| {
        shlex::split(command)
            .filter(|argv| !argv.is_empty())
            .ok_or_else(|| format!("`{command}` is no command"))
    })?;
    Ok(entry)
}

fn accept(
    site: &Site,
    common: &Common,
    resolved: &Resolved,
    id: &str,
    reason: &str,
) -> Result<u8, Failure> {
    if reason.trim().is_empty() {
        return Err(
            Failure::usage("taking a feature without proof needs a reason").hint("--reason TEXT"),
        );
    }
    // What cannot be read cannot be appended to: then nothing is changed at all.
    let progress = &resolved.policy.progress_file;
    site.host_file(progress)?;
    let path = &resolved.policy.feature_file;
    let entry = site.rewrite(path, |text| {
        let mut list = parse_list(path, &text.ok_or_else(|| no_list(path))?)?;
        let entry = find(&list, id, path)?;
        if entry.status.is_settled() {
            let message = format!("feature `{id}` is {} already", entry.status);
            return Err(Failure::usage(message).hint("harness feature list"));
        }
        list.set_status(&entry.id, FeatureStatus::Accepted)
            .map_err(|error| Failure::failed(chain(&error)))?;
        Ok((list.render(), entry))
    })?;
    let note = acceptance(&entry, reason);
    site.rewrite(progress, |text| {
        let text = text.unwrap_or_default();
        Ok((harness_gate::progress::append(&text, &note), ()))
    })?;
    Output::new(common).entry(
        "feature_accepted",
        &format!(
            "feature: {} accepted without proof: {}",
            entry.id,
            reason.trim()
        ),
        json!({ "id": entry.id.as_str(), "reason": reason }),
    )?;
    Ok(0)
}

/// Makes a person's word for the progress log, where the next reader looks.
fn acceptance(entry: &Entry, reason: &str) -> String {
    let heading = format!(
        "## {} {} accepted without proof",
        harness_host::clock::now().to_seconds_text(),
        entry.id
    );
    let reason = harness_report::clean_line(reason, 500);
    format!("{heading}\n\n- Reason: {reason}\n")
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

fn parse_all<T>(
    texts: &[String],
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Failure> {
    texts
        .iter()
        .map(|text| parse(text))
        .collect::<Result<_, _>>()
        .map_err(Failure::usage)
}

fn ids(ids: &[FeatureId]) -> String {
    ids.iter()
        .map(FeatureId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
