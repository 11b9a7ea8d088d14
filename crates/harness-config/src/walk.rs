//! Walks a parsed file against the table of known keys, before anything is read from it.
//!
//! Finds unknown keys, keys of the other file, missing keys and values of the
//! wrong type, and reports the first in the file. What a value means is not
//! its business.

use std::ops::Range;

use harness_core::Role;
use toml::{
    Spanned,
    de::{DeInteger, DeString, DeTable, DeValue},
};

use crate::{
    ConfigError,
    document::{Document, Place},
    error::{Fault, list_names, nearest, shown},
    keys::{self, Key, Owner, Shape},
};

/// The longest string of a configuration. Unit: bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// The longest list of a configuration.
const LIST_ITEMS_MAX: usize = 1000;

/// Checks that a file holds known keys with values of their types, and nothing else.
///
/// # Errors
/// The first fault in the order of the file.
pub(crate) fn walk(
    document: &Document<'_>,
    root: &DeTable<'_>,
    owner: Owner,
) -> Result<(), ConfigError> {
    let mut walk = Walk {
        document,
        owner,
        first: None,
    };
    walk.table(root, 0..0, owner.keys(), &Place::default());
    match walk.first {
        Some((_, fault)) => Err(fault.into()),
        None => Ok(()),
    }
}

struct Walk<'a> {
    document: &'a Document<'a>,
    owner: Owner,
    /// The fault that stands first in the file, and where.
    first: Option<(usize, Box<Fault>)>,
}

impl Walk<'_> {
    fn table(
        &mut self,
        table: &DeTable<'_>,
        span: Range<usize>,
        known: &'static [Key],
        place: &Place,
    ) {
        let mut all_known = true;
        for (name, value) in table {
            match known.iter().find(|key| key.name == name.get_ref()) {
                Some(key) => self.value(value, key.name, key.shape, place),
                None => {
                    all_known = false;
                    self.unknown(name, value, known, place);
                }
            }
        }
        // A key that is missing is most often there, misspelt.
        if all_known {
            self.missing(table, &span, known, place);
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, name: &str, shape: Shape, place: &Place) {
        match (shape, value.get_ref()) {
            (Shape::Table(known), DeValue::Table(table)) => {
                self.table(table, value.span(), known, &inside(place, name));
            }
            (Shape::Tables(known), DeValue::Array(_)) => self.tables(value, name, known),
            (Shape::Named(known), DeValue::Table(table)) => {
                self.named(table, name, &[], known);
            }
            (Shape::TableAndNamed(own, known), DeValue::Table(table)) => {
                self.named(table, name, own, known);
            }
            (Shape::Whole, DeValue::Integer(number)) => self.whole(value, number, name, place),
            (Shape::Open, DeValue::Table(_))
            | (Shape::Number, DeValue::Integer(_) | DeValue::Float(_))
            | (Shape::Flag, DeValue::Boolean(_)) => {}
            (Shape::Text, DeValue::String(text)) => self.text(value, text, name, place),
            (Shape::Texts, DeValue::Array(_)) => self.texts(value, name, place),
            (shape, found) => self.wrong_type(value, name, shape.expected(), found, place),
        }
    }

    /// `[[gate]]`: each entry is described by its name, else by its number.
    fn tables(&mut self, list: &Spanned<DeValue<'_>>, name: &str, known: &'static [Key]) {
        let Some(entries) = list.get_ref().as_array() else {
            return;
        };
        self.bound(list, name, entries.len(), &Place::default());
        for (index, entry) in entries.iter().enumerate() {
            let place = Place::named(entry_subject(name, index, entry.get_ref()), [name]);
            match entry.get_ref() {
                DeValue::Table(table) => self.table(table, entry.span(), known, &place),
                found => self.wrong_type(entry, "", "a table", found, &place),
            }
        }
    }

    /// `[model.NAME]`, and `[agent]` with keys of its own.
    fn named(
        &mut self,
        table: &DeTable<'_>,
        name: &str,
        own: &'static [Key],
        known: &'static [Key],
    ) {
        for (entry, value) in table {
            let entry_name: &str = entry.get_ref();
            if let Some(key) = own.iter().find(|key| key.name == entry_name) {
                self.value(value, key.name, key.shape, &inside(&Place::default(), name));
                continue;
            }
            let place = Place::named(
                format!("{name} `{}`", shown(entry_name)),
                [name, entry_name],
            );
            match value.get_ref() {
                DeValue::Table(table) => self.table(table, value.span(), known, &place),
                _ if !own.is_empty() => {
                    self.unknown(entry, value, own, &inside(&Place::default(), name));
                }
                found => self.wrong_type(value, "", "a table", found, &place),
            }
        }
    }

    fn text(&mut self, value: &Spanned<DeValue<'_>>, text: &str, name: &str, place: &Place) {
        let problem = if text.len() > TEXT_BYTES_MAX {
            format!("`{name}` is longer than {TEXT_BYTES_MAX} bytes")
        } else if text.contains('\0') {
            format!("`{name}` contains a NUL character")
        } else {
            return;
        };
        self.note(value.span().start, |document| {
            document.fault(value.span(), place, name, problem)
        });
    }

    fn whole(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        number: &DeInteger<'_>,
        name: &str,
        place: &Place,
    ) {
        if i64::from_str_radix(number.as_str(), number.radix()).is_err() {
            self.note(value.span().start, |document| {
                document.fault(value.span(), place, name, format!("`{name}` is too large"))
            });
        }
    }

    fn texts(&mut self, list: &Spanned<DeValue<'_>>, name: &str, place: &Place) {
        let Some(items) = list.get_ref().as_array() else {
            return;
        };
        self.bound(list, name, items.len(), place);
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => self.text(item, text, name, place),
                found => self.wrong_type(item, name, "a list of strings", found, place),
            }
        }
    }

    fn bound(&mut self, list: &Spanned<DeValue<'_>>, name: &str, length: usize, place: &Place) {
        if length > LIST_ITEMS_MAX {
            self.note(list.span().start, |document| {
                let problem = format!("`{name}` has more than {LIST_ITEMS_MAX} entries");
                document.fault(list.span(), place, name, problem)
            });
        }
    }

    fn wrong_type(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        name: &str,
        expected: &str,
        found: &DeValue<'_>,
        place: &Place,
    ) {
        let subject = match name {
            "" => "it".to_owned(),
            name => format!("`{name}`"),
        };
        let problem = format!("{subject} must be {expected}, not {}", kind(found));
        self.note(value.span().start, |document| {
            document.fault(value.span(), place, name, problem)
        });
    }

    fn missing(&mut self, table: &DeTable<'_>, span: &Range<usize>, known: &[Key], place: &Place) {
        for key in known.iter().filter(|key| key.required) {
            if !table.contains_key(key.name) {
                self.note(span.start, |document| {
                    let problem = format!("key `{}` is missing", key.name);
                    document.fault(span.clone(), place, key.name, problem)
                });
            }
        }
    }

    fn unknown(
        &mut self,
        name: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        known: &'static [Key],
        place: &Place,
    ) {
        let elsewhere = belongs_elsewhere(self.owner, name.get_ref(), value.get_ref(), place);
        let owner = self.owner;
        self.note(name.span().start, |document| {
            if elsewhere {
                misplaced_fault(document, owner, name, place)
            } else {
                unknown_fault(document, owner, name, known, place)
            }
        });
    }

    /// Keeps a fault if it stands before the one kept; only then it is made.
    fn note(&mut self, at: usize, fault: impl FnOnce(&Document<'_>) -> Box<Fault>) {
        if self.first.as_ref().is_none_or(|(first, _)| at < *first) {
            self.first = Some((at, fault(self.document)));
        }
    }
}

fn inside(place: &Place, name: &str) -> Place {
    Place::nested(place.tables.iter().map(String::as_str).chain([name]))
}

/// Returns how messages call an entry of a list of tables.
pub(crate) fn entry_subject(table: &str, index: usize, entry: &DeValue<'_>) -> String {
    let name = entry
        .as_table()
        .and_then(|entry| entry.get("name"))
        .and_then(|name| name.get_ref().as_str());
    match name {
        Some(name) => format!("{table} `{}`", shown(name)),
        None => format!("{table} {}", index + 1),
    }
}

fn misplaced_fault(
    document: &Document<'_>,
    owner: Owner,
    name: &Spanned<DeString<'_>>,
    place: &Place,
) -> Box<Fault> {
    let other = owner.other().phrase();
    let problem = format!("key `{}` belongs in {other}", shown(name.get_ref()));
    let hint = match owner {
        Owner::Repository => {
            "a repository names no providers, keys or paths outside it: move it to your own file"
        }
        Owner::User => "move it into the file of the repository it is about",
        Owner::Saved => "move it into your own file",
    };
    document
        .fault(name.span(), place, name.get_ref(), problem)
        .with_hint(hint)
}

fn unknown_fault(
    document: &Document<'_>,
    owner: Owner,
    name: &Spanned<DeString<'_>>,
    known: &'static [Key],
    place: &Place,
) -> Box<Fault> {
    let key = shown(name.get_ref());
    let problem = format!("unknown key `{key}`");
    let fault = document.fault(name.span(), place, name.get_ref(), problem);
    let names = || known.iter().map(|key| key.name);
    if let Some(meant) = nearest(name.get_ref(), names()) {
        return fault.with_hint(format!("did you mean `{meant}`?"));
    }
    if place.tables == ["role"] && name.get_ref() == Role::Main.as_str() {
        return fault.with_hint("the main role is `[agent]`");
    }
    match keys::table_with(owner.keys(), name.get_ref()) {
        Some(table) => fault.with_hint(format!("`{key}` is a key of `{table}`")),
        None => fault.with_hint(format!("known here: {}", list_names(names(), ", "))),
    }
}

/// Whether the other file knows this key, at the same place or as a key of a model.
fn belongs_elsewhere(owner: Owner, key: &str, value: &DeValue<'_>, place: &Place) -> bool {
    let other = owner.other().keys();
    let at_same_place = match place.tables.as_slice() {
        [] => (value.is_table() || value.is_array()) && other.iter().any(|other| other.name == key),
        [table] => other
            .iter()
            .find(|other| other.name == table)
            .is_some_and(|other| is_known_in(other.shape, key, value)),
        _ => false,
    };
    at_same_place || (owner == Owner::Repository && MODEL_ONLY.contains(&key))
}

fn is_known_in(shape: Shape, key: &str, value: &DeValue<'_>) -> bool {
    let has = |keys: &[Key]| keys.iter().any(|known| known.name == key);
    match shape {
        Shape::Table(keys) | Shape::Tables(keys) => has(keys),
        Shape::TableAndNamed(keys, _) => has(keys) || value.is_table(),
        _ => false,
    }
}

/// Keys that say where a model answers and with whose key, wherever they are written.
const MODEL_ONLY: [&str; 6] = [
    "api",
    "base_url",
    "key_env",
    "key_command",
    "api_key",
    "price",
];

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
