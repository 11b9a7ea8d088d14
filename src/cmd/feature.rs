//! `harness feature`: the list, seen and changed by a person.

use std::io::Write as _;

use harness_config::Resolved;
use harness_core::{Feature as Entry, FeatureId, FeatureScope, FeatureStatus, RepoPath};
use harness_gate::list::{self, FeatureList};
use serde_json::json;

use crate::{
    cli::{Common, Feature, FeatureAdd, RunOptions},
    compose::Site,
    failure::{Failure, chain},
    output::Output,
    trust::{self, Subject, Trusted},
};

/// How much of a title is shown. Unit: characters.
const TITLE_CHARS: usize = 200;

pub(super) fn run(common: &Common, command: &Feature) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let path = resolved.policy.feature_file.clone();
    let list = site.features(&path)?;
    match command {
        Feature::List => show_all(&site, common, &resolved, list.as_ref()),
        Feature::Show { id } => show(&site, common, &resolved, &find(list.as_ref(), id, &path)?),
        Feature::Add(add) => {
            let list = match list {
                Some(list) => list,
                None => FeatureList::parse(list::EMPTY_LIST)
                    .map_err(|error| Failure::failed(chain(&error)))?,
            };
            add_one(&site, common, list, add, &path)
        }
        Feature::Accept { id, reason } => {
            let entry = find(list.as_ref(), id, &path)?;
            let list = list.ok_or_else(|| no_list(&path))?;
            accept(&site, common, list, &entry, reason, &path)
        }
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
        let claimed = site.is_claimed(entry, resolved)?;
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
    let claimed = site.is_claimed(entry, resolved)?;
    let word = if claimed {
        "claimed, without proof it counts as not passing"
    } else {
        entry.status.as_str()
    };
    let mut text = format!("feature: {} {word}, {}", entry.id, title(entry));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("\n  {name}: {}", value.trim_end().replace('\n', "\n    ")));
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
    let evidence = site.evidence(entry)?;
    if let Some(evidence) = &evidence {
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
    mut list: FeatureList,
    add: &FeatureAdd,
    path: &RepoPath,
) -> Result<u8, Failure> {
    let id = match &add.id {
        Some(id) => {
            FeatureId::new(id.as_str()).map_err(|error| Failure::usage(error.to_string()))?
        }
        None => list.next_id(),
    };
    let mut entry = Entry::titled(id.clone(), add.title.trim());
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
    if entry.title.is_empty() {
        return Err(Failure::usage("a feature needs a title").hint("harness feature add \"TITLE\""));
    }
    let was_trusted = is_trusted(site, &list)?;
    list.add(&entry)
        .map_err(|error| Failure::usage(chain(&error)))?;
    save(site, path, &list)?;
    if was_trusted {
        // Who adds a command here has seen it: asking again would teach to say yes unread.
        trust::accept(site, &Subject::of(site, list.features())?)?;
    }
    Output::new(common).entry(
        "feature_added",
        &format!("feature: {id} pending, {}", title(&entry)),
        body(&entry, false),
    )?;
    Ok(0)
}

fn accept(
    site: &Site,
    common: &Common,
    mut list: FeatureList,
    entry: &Entry,
    reason: &str,
    path: &RepoPath,
) -> Result<u8, Failure> {
    if reason.trim().is_empty() {
        return Err(
            Failure::usage("taking a feature without proof needs a reason").hint("--reason TEXT"),
        );
    }
    list.set_status(&entry.id, FeatureStatus::Accepted)
        .map_err(|error| Failure::failed(chain(&error)))?;
    save(site, path, &list)?;
    let text = format!(
        "feature: {} accepted without proof: {}",
        entry.id,
        reason.trim()
    );
    note_acceptance(site, entry, reason)?;
    Output::new(common).entry(
        "feature_accepted",
        &text,
        json!({ "id": entry.id.as_str(), "reason": reason }),
    )?;
    Ok(0)
}

/// Keeps a person's word in the progress log, where the next reader looks.
fn note_acceptance(site: &Site, entry: &Entry, reason: &str) -> Result<(), Failure> {
    let resolved = site.resolve(&RunOptions::default())?;
    let path = resolved.policy.progress_file;
    let file = site.repo.root().join(path.as_path());
    let existing = std::fs::read_to_string(&file).unwrap_or_default();
    let heading = format!(
        "## {} {} accepted without proof",
        harness_host::clock::now().to_seconds_text(),
        entry.id
    );
    let reason = harness_report::clean_line(reason, 500);
    let text =
        harness_gate::progress::append(&existing, &format!("{heading}\n\n- Reason: {reason}\n"));
    replace(&file, text.as_bytes())
        .map_err(|error| Failure::failed(format!("cannot write `{path}`: {error}")))
}

fn find(list: Option<&FeatureList>, id: &str, path: &RepoPath) -> Result<Entry, Failure> {
    let list = list.ok_or_else(|| no_list(path))?;
    let found = list
        .features()
        .iter()
        .find(|entry| entry.id.as_str() == id)
        .cloned();
    found.ok_or_else(|| {
        Failure::usage(format!("there is no feature `{id}` in `{path}`"))
            .hint("harness feature list")
    })
}

fn no_list(path: &RepoPath) -> Failure {
    Failure::usage(format!("there is no feature list at `{path}`"))
        .hint("harness feature add \"TITLE\"")
}

fn is_trusted(site: &Site, list: &FeatureList) -> Result<bool, Failure> {
    let subject = Subject::of(site, list.features())?;
    Ok(trust::check(site, &subject)? == Trusted::Yes)
}

fn save(site: &Site, path: &RepoPath, list: &FeatureList) -> Result<(), Failure> {
    let file = site.repo.root().join(path.as_path());
    replace(&file, list.render().as_bytes())
        .map_err(|error| Failure::failed(format!("cannot write `{path}`: {error}")))
}

/// Replaces a file in one step, so that a reader sees the old or the new one.
fn replace(file: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(std::path::Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .prefix(".harness-new-")
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    let mode = std::fs::metadata(file).map(|stat| stat.permissions());
    if let Ok(mode) = mode {
        temporary.as_file().set_permissions(mode)?;
    } else {
        use std::os::unix::fs::PermissionsExt as _;
        temporary
            .as_file()
            .set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    temporary
        .persist(file)
        .map(|_| ())
        .map_err(|error| error.error)
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
