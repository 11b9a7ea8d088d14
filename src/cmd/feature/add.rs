//! `harness feature add`, and what a person may say of a feature.

use harness_core::{Feature as Entry, FeatureId, Money, RepoPath};
use harness_gate::list::{self, FeatureList, Shape};
use harness_store::IntentWord;

use super::{Desk, body, check_possible, keep, title, trusted_subject, unwritable};
use crate::{
    cli::{FeatureAdd, Intent},
    failure::Failure,
    intent,
    output::Output,
    trust::{self, Subject},
};

/// The group of a feature for which nobody named one.
const CATEGORY: &str = "functional";

pub(super) fn run(desk: &Desk<'_>, add: &FeatureAdd) -> Result<u8, Failure> {
    let Desk {
        site,
        resolved,
        path,
        ..
    } = desk;
    let (before, entry, trusted) = site.rewrite(path, |text| {
        let mut list = site.parse_list(path, text.as_deref().unwrap_or(list::empty(path)))?;
        let before = list.features().to_vec();
        let trusted = trusted_subject(site, resolved, list.features())?;
        let entry = new_entry(&list, add)?;
        check_possible(&entry, resolved)?;
        list.add(&entry).map_err(|error| unwritable(&error))?;
        let entry = list.find(&entry.id).cloned().unwrap_or(entry);
        Ok((list.render(), (before, entry, trusted)))
    })?;
    if trusted {
        // Who adds a command here has seen it: asking again would teach to say yes unread.
        let features = before.iter().chain([&entry]).cloned();
        let subject = Subject::of(site, resolved, &features.collect::<Vec<_>>())?;
        trust::accept(site, &subject)?;
    }
    keep(
        site,
        &before,
        &[intent::entry(IntentWord::Added, &entry, "")],
    )?;
    Output::new(desk.common).entry(
        "feature_added",
        &format!("feature: {} pending, {}", entry.id, title(&entry)),
        body(desk, &entry, &before, false),
    )?;
    Ok(0)
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
    if matches!(list.shape(), Shape::Native | Shape::Bare) {
        CATEGORY.clone_into(&mut entry.category);
    }
    entry.priority = add.priority;
    apply(&add.intent, &mut entry)?;
    Ok(entry)
}

/// Changes what was named; an empty text clears a list, and 0 a limit.
pub(super) fn apply(said: &Intent, entry: &mut Entry) -> Result<(), Failure> {
    if let Some(text) = &said.description {
        text.clone_into(&mut entry.description);
    }
    if let Some(text) = &said.category {
        text.trim().clone_into(&mut entry.category);
    }
    let lists = [
        (&said.acceptance, &mut entry.acceptance),
        (&said.steps, &mut entry.steps),
        (&said.write, &mut entry.scope.write),
        (&said.deny, &mut entry.scope.deny),
        (&said.gates, &mut entry.gates),
    ];
    for (said, list) in lists {
        replace(said, list, |text| Ok(text.to_owned()))?;
    }
    replace(&said.depends_on, &mut entry.depends_on, |id| {
        FeatureId::new(id).map_err(|error| error.to_string())
    })?;
    replace(&said.may_change, &mut entry.may_change, |path| {
        RepoPath::parse(path).map_err(|error| error.to_string())
    })?;
    replace(&said.verify, &mut entry.verify, |command| {
        shlex::split(command)
            .filter(|argv| !argv.is_empty())
            .ok_or_else(|| format!("`{command}` is no command"))
    })?;
    limits(said, entry)
}

fn limits(said: &Intent, entry: &mut Entry) -> Result<(), Failure> {
    let count = |said: Option<u32>, now: Option<u32>| match said {
        None => now,
        Some(0) => None,
        some => some,
    };
    entry.budget.attempts = count(said.attempts, entry.budget.attempts);
    entry.budget.minutes = count(said.minutes, entry.budget.minutes);
    if let Some(usd) = said.usd {
        if !usd.is_finite() || usd < 0.0 {
            return Err(Failure::usage(format!(
                "`{usd}` is no amount of US dollars"
            )));
        }
        entry.budget.usd = (usd > 0.0).then(|| Money::from_usd(usd));
    }
    Ok(())
}

fn replace<T>(
    said: &[String],
    list: &mut Vec<T>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<(), Failure> {
    if said.is_empty() {
        return Ok(());
    }
    let texts = said.iter().filter(|text| !text.trim().is_empty());
    let parsed: Result<Vec<T>, String> = texts.map(|text| parse(text)).collect();
    *list = parsed.map_err(Failure::usage)?;
    Ok(())
}
