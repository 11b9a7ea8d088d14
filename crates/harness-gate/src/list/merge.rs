//! Two lists that came from one, put together: by features and their fields, not by lines.
//!
//! Lines say too little: two runs that each proved a feature change lines beside each other, and
//! that is no conflict. What a list says beyond its features, or a feature that was removed by the
//! side that comes, is left to whoever can compare lines. Called when the commits of a run land.

use std::{collections::BTreeSet, fmt};

use harness_core::{FeatureId, FeatureStatus};
use serde_json::{Map, Value};

use super::{FeatureList, Shape, intent_hash, json, shape};

/// The longest value that is quoted in a clash. Unit: characters.
const VALUE_CHARS_MAX: usize = 60;

/// What became of two lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// One list that holds what both changed.
    Text(String),
    /// Both changed the same in another way.
    Clash(Vec<Clash>),
    /// The lists say too little of themselves for this.
    Unknown,
}

/// A field that both sides changed, each in another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The feature.
    pub feature: FeatureId,
    /// Its field; none where the whole feature is meant.
    pub field: Option<String>,
    /// What the list that stands says, in words.
    pub ours: String,
    /// What the list that comes says, in words.
    pub theirs: String,
}

impl fmt::Display for Clash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "feature `{}`", self.feature)?;
        if let Some(field) = &self.field {
            write!(formatter, ", field `{field}`")?;
        }
        write!(
            formatter,
            ": HEAD has {}, the run has {}",
            self.ours, self.theirs
        )
    }
}

/// Puts what `theirs` changed since `base` into `ours`, which came from `base` as well.
///
/// Fields that only one side changed are as that side has them, fields that are not known to this
/// version too. Of statuses a proven one stands against any that is open; everything else that
/// both changed in different ways is a clash. `ours` keeps its order and its bytes.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Merged {
    let lists = [base, ours, theirs].map(FeatureList::parse);
    let [Ok(base), Ok(ours), Ok(theirs)] = lists else {
        return Merged::Unknown;
    };
    if base.shape != ours.shape || base.shape != theirs.shape {
        return Merged::Unknown;
    }
    let merge = Merge {
        base: &base,
        ours: &ours,
        theirs: &theirs,
    };
    if !merge.is_told_by_features() {
        return Merged::Unknown;
    }
    let done = match base.shape {
        Shape::Markdown => merge.markdown(),
        _ => merge.json(),
    };
    match done {
        // What does not hold together as a list is nobody's list.
        Ok(text) if FeatureList::parse(&text).is_err() => Merged::Unknown,
        Ok(text) => Merged::Text(text),
        Err(clashes) if clashes.is_empty() => Merged::Unknown,
        Err(clashes) => Merged::Clash(clashes),
    }
}

struct Merge<'a> {
    base: &'a FeatureList,
    ours: &'a FeatureList,
    theirs: &'a FeatureList,
}

impl Merge<'_> {
    /// Whether the side that comes differs from the base in features alone, and in such as are
    /// the same ones on the side that stands.
    fn is_told_by_features(&self) -> bool {
        let removes = |list: &FeatureList| {
            let mut features = self.base.features.iter();
            features.any(|feature| list.find(&feature.id).is_none())
        };
        if removes(self.theirs) || rest(self.base) != rest(self.theirs) {
            return false;
        }
        // A name that only says at which place an entry stands names another when one came before it.
        let mut changed = self.base.features.iter().enumerate();
        changed.all(|(place, feature)| {
            let is_changed =
                self.entry(self.theirs, &feature.id) != self.entry(self.base, &feature.id);
            !is_changed
                || has_own_id(self.base, place)
                || self
                    .ours
                    .find(&feature.id)
                    .is_some_and(|ours| intent_hash(ours) == intent_hash(feature))
        })
    }

    /// Returns the text of a feature's entry.
    fn entry<'list>(&self, list: &'list FeatureList, id: &FeatureId) -> Option<&'list str> {
        let place = list.place(id).ok()?;
        Some(&list.text[list.places[place].clone()])
    }

    /// Returns what a feature's status is to be, where the side that comes changed it.
    fn status(&self, id: &FeatureId) -> Result<Option<FeatureStatus>, Clash> {
        let status = |list: &FeatureList| list.find(id).map(|feature| feature.status);
        let (before, ours, theirs) = (status(self.base), status(self.ours), status(self.theirs));
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            return Ok(None);
        };
        if Some(theirs) == before || ours == theirs {
            return Ok(None);
        }
        if Some(ours) == before || theirs == FeatureStatus::Passing && is_open_work(ours) {
            return Ok(Some(theirs));
        }
        if ours == FeatureStatus::Passing && is_open_work(theirs) {
            return Ok(None);
        }
        Err(Clash {
            feature: id.clone(),
            field: Some("status".to_owned()),
            ours: format!("`{}`", ours.as_str()),
            theirs: format!("`{}`", theirs.as_str()),
        })
    }

    fn gone(id: &FeatureId) -> Clash {
        Clash {
            feature: id.clone(),
            field: None,
            ours: "removed it".to_owned(),
            theirs: "changed it".to_owned(),
        }
    }

    /// Puts checkboxes together; a change of their words is left to whoever compares lines.
    fn markdown(&self) -> Result<String, Vec<Clash>> {
        let mut list = self.ours.clone();
        let mut clashes = Vec::new();
        for feature in &self.theirs.features {
            let id = &feature.id;
            match (self.base.find(id), self.ours.find(id)) {
                (Some(before), _) if intent_hash(before) != intent_hash(feature) => {
                    return Err(Vec::new());
                }
                (Some(before), None) if before.status != feature.status => {
                    clashes.push(Self::gone(id));
                }
                (Some(_), None) => {}
                (None, None) => list.add(feature).map_err(|_| Vec::new())?,
                (None, Some(ours)) if intent_hash(ours) != intent_hash(feature) => {
                    return Err(Vec::new());
                }
                (_, Some(_)) => match self.status(id) {
                    Ok(Some(status)) => list.set_status(id, status).map_err(|_| Vec::new())?,
                    Ok(None) => {}
                    Err(clash) => clashes.push(clash),
                },
            }
        }
        if clashes.is_empty() {
            Ok(list.render())
        } else {
            Err(clashes)
        }
    }

    fn json(&self) -> Result<String, Vec<Clash>> {
        let mut clashes = Vec::new();
        let mut text = self.ours.text.clone();
        // From the last entry to the first, so that a change moves none that is still to come.
        let mut places: Vec<usize> = (0..self.ours.features.len()).collect();
        places.sort_by_key(|place| self.ours.places[*place].start);
        for place in places.into_iter().rev() {
            let id = &self.ours.features[place].id;
            clashes.extend(self.entry_into(&mut text, id, self.ours.places[place].clone()));
        }
        for feature in &self.theirs.features {
            let id = &feature.id;
            if self.ours.find(id).is_some() {
                continue;
            }
            let theirs = object(self.entry(self.theirs, id));
            match object(self.entry(self.base, id)) {
                None => {
                    let list = shape::list_at(self.ours.shape, &text);
                    json::push(&mut text, &list, &Value::Object(theirs.unwrap_or_default()));
                }
                before if before != theirs => clashes.push(Self::gone(id)),
                Some(_) => {}
            }
        }
        let mark = if self.ours.has_mark { "\u{feff}" } else { "" };
        if clashes.is_empty() {
            Ok(format!("{mark}{text}"))
        } else {
            Err(clashes)
        }
    }

    /// Brings what the side that comes changed of one feature into its entry.
    fn entry_into(
        &self,
        text: &mut String,
        id: &FeatureId,
        mut at: std::ops::Range<usize>,
    ) -> Vec<Clash> {
        let Some(theirs) = object(self.entry(self.theirs, id)) else {
            return Vec::new();
        };
        let base = object(self.entry(self.base, id)).unwrap_or_default();
        let ours = object(self.entry(self.ours, id)).unwrap_or_default();
        let mut clashes = Vec::new();
        let names: BTreeSet<&String> = base.keys().chain(theirs.keys()).collect();
        for name in names
            .into_iter()
            .filter(|name| !matches!(name.as_str(), "status" | "passes"))
        {
            let (before, here, there) = (base.get(name), ours.get(name), theirs.get(name));
            if before == there || here == there {
                continue;
            }
            let length = text.len();
            match there {
                // A field that was taken out says as much as none.
                _ if here != before => clashes.push(Clash {
                    feature: id.clone(),
                    field: Some(name.clone()),
                    ours: words(here),
                    theirs: words(there),
                }),
                Some(there) => json::set(text, &at, name, there),
                None => json::set(text, &at, name, &Value::Null),
            }
            at.end = at.end + text.len() - length;
        }
        match self.status(id) {
            Ok(Some(status)) => {
                shape::write_status(self.ours.shape, text, &at, status);
            }
            Ok(None) => {}
            Err(clash) => clashes.push(clash),
        }
        clashes
    }
}

/// Whether a status says that work on a feature is not over and nobody has said a last word.
const fn is_open_work(status: FeatureStatus) -> bool {
    matches!(
        status,
        FeatureStatus::Pending
            | FeatureStatus::InProgress
            | FeatureStatus::Verifying
            | FeatureStatus::NeedsHuman
            | FeatureStatus::Blocked
    )
}

/// Whether the entry at a place says its own name.
fn has_own_id(list: &FeatureList, place: usize) -> bool {
    let entry = &list.text[list.places[place].clone()];
    list.shape == Shape::Native || object(Some(entry)).is_some_and(|entry| entry.contains_key("id"))
}

fn object(entry: Option<&str>) -> Option<Map<String, Value>> {
    match serde_json::from_str(entry?) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

/// Returns what a list says beyond its features.
fn rest(list: &FeatureList) -> Option<Map<String, Value>> {
    let mut fields = object(Some(&list.text))?;
    let key = list.shape.key()?;
    fields.remove(key);
    Some(fields)
}

fn words(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "none".to_owned();
    };
    let text = value.to_string();
    if text.chars().count() <= VALUE_CHARS_MAX {
        return format!("`{text}`");
    }
    let shown: String = text.chars().take(VALUE_CHARS_MAX).collect();
    format!("`{shown}…`")
}

#[cfg(test)]
mod tests;
