//! `harness feature accept|cancel|block|reopen`: a person's word on how a feature stands.

use harness_core::{Feature as Entry, FeatureStatus};
use harness_store::IntentWord;
use serde_json::json;

use super::{Desk, find, ids, keep, no_list, refuse_busy};
use crate::{
    failure::{Failure, chain},
    intent,
    output::Output,
};

/// What a person says of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settle {
    Accept,
    Cancel,
    Block,
    Reopen,
}

impl Settle {
    const fn to(self) -> FeatureStatus {
        match self {
            Self::Accept => FeatureStatus::Accepted,
            Self::Cancel => FeatureStatus::Cancelled,
            Self::Block => FeatureStatus::Blocked,
            Self::Reopen => FeatureStatus::Pending,
        }
    }

    const fn word(self) -> IntentWord {
        match self {
            Self::Accept => IntentWord::Accepted,
            Self::Cancel => IntentWord::Cancelled,
            Self::Block => IntentWord::Blocked,
            Self::Reopen => IntentWord::Reopened,
        }
    }

    /// Returns the words for people and for the progress log.
    const fn words(self) -> &'static str {
        match self {
            Self::Accept => "accepted without proof",
            Self::Cancel => "cancelled",
            Self::Block => "blocked",
            Self::Reopen => "reopened",
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Accept => "feature_accepted",
            Self::Cancel => "feature_cancelled",
            Self::Block => "feature_blocked",
            Self::Reopen => "feature_reopened",
        }
    }

    /// Says what a reason is missing for, where one is needed.
    const fn missing(self) -> Option<&'static str> {
        match self {
            Self::Accept => Some("taking a feature without proof needs a reason"),
            Self::Cancel => Some("cancelling a feature needs a reason"),
            Self::Block => Some("blocking a feature needs a reason"),
            Self::Reopen => None,
        }
    }

    /// Whether the word makes sense for a feature that stands so.
    const fn is_possible(self, from: FeatureStatus) -> bool {
        match self {
            Self::Accept => !from.is_settled(),
            Self::Cancel => !matches!(from, FeatureStatus::Cancelled),
            Self::Block => !matches!(
                from,
                FeatureStatus::Passing
                    | FeatureStatus::Accepted
                    | FeatureStatus::Cancelled
                    | FeatureStatus::Blocked
            ),
            Self::Reopen => matches!(
                from,
                FeatureStatus::NeedsHuman
                    | FeatureStatus::Blocked
                    | FeatureStatus::Cancelled
                    | FeatureStatus::Accepted
                    | FeatureStatus::Failing
                    | FeatureStatus::Passing
            ),
        }
    }
}

pub(super) fn run(desk: &Desk<'_>, settle: Settle, id: &str, reason: &str) -> Result<u8, Failure> {
    let reason = reason.trim();
    if let (Some(missing), true) = (settle.missing(), reason.is_empty()) {
        return Err(Failure::usage(missing).hint("--reason TEXT"));
    }
    let Desk {
        site,
        resolved,
        path,
        ..
    } = desk;
    refuse_busy(site, id)?;
    // What cannot be read cannot be appended to: then nothing is changed at all.
    let progress = &resolved.policy.progress_file;
    site.host_file(progress)?;
    let (before, entry) = site.rewrite(path, |text| {
        let mut list = site.parse_list(path, &text.ok_or_else(|| no_list(path))?)?;
        let entry = find(&list, id, path)?;
        if !settle.is_possible(entry.status) {
            let message = format!("feature `{id}` is {} already", entry.status);
            return Err(Failure::usage(message).hint(match (settle, entry.status) {
                (Settle::Block, FeatureStatus::Blocked) => "harness feature list".to_owned(),
                (Settle::Block, _) => format!("harness feature reopen {id}"),
                _ => "harness feature list".to_owned(),
            }));
        }
        let before = list.features().to_vec();
        list.set_status(&entry.id, settle.to())
            .map_err(|error| Failure::failed(chain(&error)))?;
        Ok((list.render(), (before, entry)))
    })?;
    let was = if site.is_claimed(&entry, resolved) {
        "claimed"
    } else {
        entry.status.as_str()
    };
    keep(
        site,
        &before,
        &[intent::entry(settle.word(), &entry, reason)],
    )?;
    if !reason.is_empty() {
        let note = note(&entry, settle, reason);
        site.rewrite(progress, |text| {
            let text = text.unwrap_or_default();
            Ok((harness_gate::progress::append(&text, &note), ()))
        })?;
    }
    let told = Told {
        settle,
        entry: &entry,
        was,
        reason,
    };
    tell(desk, &told, &before)?;
    Ok(0)
}

/// What a person has said, and of what.
struct Told<'a> {
    settle: Settle,
    entry: &'a Entry,
    /// The word for how it stood, also for a claim.
    was: &'static str,
    reason: &'a str,
}

fn tell(desk: &Desk<'_>, told: &Told<'_>, features: &[Entry]) -> Result<(), Failure> {
    let Told {
        settle,
        entry,
        was,
        reason,
    } = *told;
    let waiting: Vec<_> = features
        .iter()
        .filter(|other| settle == Settle::Cancel && other.depends_on.contains(&entry.id))
        .filter(|other| other.status.is_open())
        .map(|other| other.id.clone())
        .collect();
    let why = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    let mut text = format!("feature: {} {}{why}", entry.id, settle.words());
    if settle == Settle::Reopen {
        text = format!("feature: {} pending, was {was}{why}", entry.id);
        if was == FeatureStatus::Passing.as_str() {
            text.push_str("\n  its proof stays where it is and counts no longer");
        }
    }
    if !waiting.is_empty() {
        text.push_str(&format!(
            "\n  {} cannot start without it: amend what they depend on, or cancel them too",
            ids(&waiting)
        ));
    }
    let waiting: Vec<&str> = waiting
        .iter()
        .map(harness_core::FeatureId::as_str)
        .collect();
    let body = json!({ "id": entry.id.as_str(), "reason": reason, "from": entry.status.as_str(), "claimed": was == "claimed",
        "to": settle.to().as_str(), "dependants": waiting });
    Output::new(desk.common).entry(settle.kind(), &text, body)
}

/// Makes a person's word for the progress log, where the next reader looks.
fn note(entry: &Entry, settle: Settle, reason: &str) -> String {
    let now = harness_host::clock::now();
    harness_gate::progress::by_person(now, &entry.id, settle.words(), reason)
}
