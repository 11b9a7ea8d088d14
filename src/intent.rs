//! The ledger of intent against the feature list: what a person wished for changes by command only.
//!
//! A feature that the ledger does not know is adopted as it stands. One whose
//! text is another than the ledger's was changed by hand: nothing runs until a
//! person has said which of the two holds. For files that have no place for a
//! status the ledger keeps that as well.

use std::collections::{BTreeMap, HashMap, HashSet};

use harness_core::{Feature, FeatureId, FeatureStatus, RepoPath, SessionId};
use harness_gate::list::intent::{self, Difference};
use harness_store::{IntentEntry, IntentWord, StoreError};
use serde_json::{Map, Value};

use crate::{
    compose::Site,
    failure::{Failure, chain},
};

/// How many ids are named when features are adopted.
const NAMED_MAX: usize = 10;

/// What the ledger says of each feature.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    known: BTreeMap<FeatureId, Known>,
}

/// What it says of one.
#[derive(Debug)]
struct Known {
    intent: Map<String, Value>,
    sha256: String,
    /// Whether it is in the list, as far as the ledger knows.
    is_listed: bool,
    /// The last word on its status.
    status: Option<Word>,
}

/// A word on a feature's status.
#[derive(Debug)]
struct Word {
    status: FeatureStatus,
    reason: String,
    /// The session that said it; absent where a person did.
    session: Option<SessionId>,
}

/// A feature that is not what the ledger says.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) id: FeatureId,
    /// What differs; `None` where the feature is gone from the list.
    pub(crate) differences: Option<Vec<Difference>>,
}

impl Ledger {
    /// Reads the ledger of a repository; an empty one where there is none.
    pub(crate) fn read(site: &Site) -> Result<Self, Failure> {
        let entries = match site.existing_store()? {
            Some(store) => store.intent().map_err(|error| unreadable(&error))?,
            None => Vec::new(),
        };
        let mut ledger = Self::default();
        for entry in entries {
            ledger.take(entry);
        }
        Ok(ledger)
    }

    fn take(&mut self, entry: IntentEntry) {
        let before = self.known.remove(&entry.feature);
        let is_listed = entry.what != IntentWord::Removed;
        let known = match (entry.what.status(), before) {
            // A word on a status says nothing new about the intent: a run can be behind a person.
            (Some(status), before) => {
                let (intent, sha256, is_listed) = match before {
                    Some(before) => (before.intent, before.sha256, before.is_listed),
                    None => (entry.intent, entry.sha256, is_listed),
                };
                let word = Word {
                    status,
                    reason: entry.reason,
                    session: entry.session,
                };
                Known {
                    intent,
                    sha256,
                    is_listed,
                    status: Some(word),
                }
            }
            (None, before) => Known {
                intent: entry.intent,
                sha256: entry.sha256,
                is_listed,
                status: before
                    .filter(|_| entry.what == IntentWord::Amended)
                    .and_then(|before| before.status),
            },
        };
        self.known.insert(entry.feature, known);
    }

    /// Returns the features of a list that the ledger does not know.
    pub(crate) fn unknown<'a>(&self, features: &'a [Feature]) -> Vec<&'a Feature> {
        let is_known = |feature: &Feature| {
            let known = self.known.get(&feature.id);
            known.is_some_and(|known| known.is_listed)
        };
        features
            .iter()
            .filter(|feature| !is_known(feature))
            .collect()
    }

    /// Returns how a feature differs from what the ledger says; `None` where it does not.
    pub(crate) fn difference(&self, feature: &Feature) -> Option<Vec<Difference>> {
        let known = self
            .known
            .get(&feature.id)
            .filter(|known| known.is_listed)?;
        let now = intent::fields(feature);
        let is_same = known.sha256 == intent::hash(&now);
        (!is_same).then(|| intent::differences(&known.intent, &now))
    }

    /// Returns the features that were changed or taken out by hand.
    pub(crate) fn changed(&self, features: &[Feature]) -> Vec<Changed> {
        let changed = features.iter().filter_map(|feature| {
            Some(Changed {
                id: feature.id.clone(),
                differences: Some(self.difference(feature)?),
            })
        });
        let listed: HashSet<&FeatureId> = features.iter().map(|feature| &feature.id).collect();
        let known = self.known.iter().filter(|(_, known)| known.is_listed);
        let gone = known.filter(|(id, _)| !listed.contains(id));
        let gone = gone.map(|(id, _)| Changed {
            id: id.clone(),
            differences: None,
        });
        changed.chain(gone).collect()
    }

    /// Returns what the ledger says of statuses, for files that have no place for them.
    pub(crate) fn statuses(&self) -> HashMap<FeatureId, FeatureStatus> {
        let known = self.known.iter();
        let statuses =
            known.filter_map(|(id, known)| Some((id.clone(), known.status.as_ref()?.status)));
        statuses.collect()
    }

    /// Returns why a feature has the status it has; empty where nobody said.
    pub(crate) fn reason(&self, feature: &Feature) -> &str {
        let known = self.known.get(&feature.id);
        match known.and_then(|known| known.status.as_ref()) {
            Some(word) if word.status == feature.status => &word.reason,
            _ => "",
        }
    }

    /// Returns the intent that a feature had when it was last listed.
    pub(crate) fn intent(&self, id: &FeatureId) -> Map<String, Value> {
        let known = self.known.get(id);
        known.map(|known| known.intent.clone()).unwrap_or_default()
    }
}

/// Sees that nobody has changed the list's intent by hand; else says field by field what.
pub(crate) fn require(site: &Site, path: &RepoPath, features: &[Feature]) -> Result<(), Failure> {
    let changed = Ledger::read(site)?.changed(features);
    if changed.is_empty() {
        return Ok(());
    }
    Err(refusal(path, &changed))
}

/// Says what was changed by hand, and the two ways out.
pub(crate) fn refusal(path: &RepoPath, changed: &[Changed]) -> Failure {
    let mut text = format!("what is wished for was changed by hand in `{path}`:");
    for Changed { id, differences } in changed {
        match differences {
            Some(differences) => {
                text.push_str(&format!(
                    "\n{id} says something else\n{}",
                    intent::describe(differences)
                ));
            }
            None => text.push_str(&format!("\n{id} is gone from the list\n")),
        }
    }
    let one = match changed {
        [only] => format!("{} --as-is", only.id),
        _ => "--as-is".to_owned(),
    };
    Failure::needs_human(text.trim_end()).hint(format!(
        "`harness feature amend {one}` takes what the file says now, or put the old text back"
    ))
}

/// Takes the features into the ledger that it does not know; returns one line that says so.
pub(crate) fn adopt(site: &Site, features: &[Feature]) -> Result<Option<String>, Failure> {
    let ledger = Ledger::read(site)?;
    let unknown = ledger.unknown(features);
    let entries: Vec<IntentEntry> = unknown
        .iter()
        .map(|feature| entry(IntentWord::Adopted, feature, ""))
        .collect();
    append(site, &entries)?;
    let names: Vec<&str> = unknown.iter().map(|feature| feature.id.as_str()).collect();
    Ok(match names.as_slice() {
        [] => None,
        names if names.len() > NAMED_MAX => Some(format!(
            "{} and {} more are taken as they stand: from now on their wording changes by `harness feature amend`",
            names[..NAMED_MAX].join(", "),
            names.len() - NAMED_MAX
        )),
        names => Some(format!(
            "{} {} taken as {}: from now on the wording changes by `harness feature amend`",
            names.join(", "),
            if names.len() == 1 { "is" } else { "are" },
            if names.len() == 1 {
                "it stands"
            } else {
                "they stand"
            },
        )),
    })
}

/// Takes back what sessions said of statuses: the features stand again as they stood before.
pub(crate) fn take_back(
    site: &Site,
    sessions: &[SessionId],
    before: &[(FeatureId, FeatureStatus)],
) -> Result<(), Failure> {
    let ledger = Ledger::read(site)?;
    let entries = before.iter().filter_map(|(id, status)| {
        let word = ledger.known.get(id)?.status.as_ref()?;
        word.session.filter(|session| sessions.contains(session))?;
        let what = IntentWord::of_status(*status).unwrap_or(IntentWord::Reopened);
        Some(entry_of(
            what,
            id,
            ledger.intent(id),
            "the run was given up",
        ))
    });
    append(site, &entries.collect::<Vec<_>>())
}

/// Makes an entry of a feature as it stands.
pub(crate) fn entry(what: IntentWord, feature: &Feature, reason: &str) -> IntentEntry {
    entry_of(what, &feature.id, intent::fields(feature), reason)
}

/// Makes an entry of an intent.
pub(crate) fn entry_of(
    what: IntentWord,
    id: &FeatureId,
    fields: Map<String, Value>,
    reason: &str,
) -> IntentEntry {
    IntentEntry {
        time: harness_host::clock::now(),
        what,
        feature: id.clone(),
        sha256: intent::hash(&fields),
        intent: fields,
        reason: reason.trim().to_owned(),
        session: None,
    }
}

/// Appends entries to the ledger.
pub(crate) fn append(site: &Site, entries: &[IntentEntry]) -> Result<(), Failure> {
    if entries.is_empty() {
        return Ok(());
    }
    let appended = site.store()?.append_intent(entries);
    appended.map_err(|error| unreadable(&error))
}

fn unreadable(error: &StoreError) -> Failure {
    let failure = Failure::failed(chain(error));
    match error {
        StoreError::Unreadable { path, .. } | StoreError::Full { path } => failure.hint(format!(
            "look at it; with `{}` out of the way all features are taken as they stand",
            path.display()
        )),
        _ => failure,
    }
}
