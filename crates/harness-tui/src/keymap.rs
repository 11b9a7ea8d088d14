//! The keys as they are bound: the table as shipped, with what the person's file changes.

use std::collections::BTreeMap;

use crate::{
    command::{Binding, COMMANDS, Command, Entry, Place},
    key::Key,
};

/// Which key means what, place by place.
#[derive(Clone, Debug)]
pub struct KeyMap {
    bound: BTreeMap<(Place, Key), &'static Entry>,
    /// The keys of each row of the table, in its order.
    keys: Vec<Vec<Key>>,
}

/// What the person's file says about one command: its name, and exactly the keys it has from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The command's name.
    pub name: String,
    /// Its keys; none unbinds it.
    pub keys: Vec<String>,
}

impl Default for KeyMap {
    fn default() -> Self {
        Self::new(&[]).0
    }
}

impl KeyMap {
    /// Binds the table's keys with the person's wishes over them.
    ///
    /// What cannot be done is told in the second value, a line each; the rest applies.
    pub fn new(wishes: &[Wish]) -> (Self, Vec<String>) {
        let mut problems = unknown_names(wishes);
        let mut map = Self {
            bound: BTreeMap::new(),
            keys: Vec::new(),
        };
        for entry in COMMANDS {
            let keys = keys_of(entry, wishes, &mut problems);
            map.keys.push(keys);
        }
        // What a person asked for wins over what is shipped.
        let is_wished = |entry: &Entry| wishes.iter().any(|wish| wish.name == entry.name);
        for wished in [true, false] {
            for (index, entry) in COMMANDS.iter().enumerate() {
                if is_wished(entry) == wished {
                    map.bind(index, entry, &mut problems);
                }
            }
        }
        (map, problems)
    }

    fn bind(&mut self, index: usize, entry: &'static Entry, problems: &mut Vec<String>) {
        let keys = std::mem::take(&mut self.keys[index]);
        for key in keys {
            match self.bound.get(&(entry.place, key)) {
                Some(other) => problems.push(format!(
                    "key `{key}` stays with `{}`: `{}` cannot have it too",
                    other.name, entry.name
                )),
                None => {
                    self.bound.insert((entry.place, key), entry);
                    self.keys[index].push(key);
                }
            }
        }
    }

    /// Finds what a key means at a place, or else beyond it, and at last everywhere.
    pub fn find(&self, place: Place, key: Key) -> Option<&'static Entry> {
        beyond(place).find_map(|place| self.bound.get(&(place, key)).copied())
    }

    /// Returns the keys of a row of the table, the one for the footer first.
    pub fn keys(&self, entry: &Entry) -> &[Key] {
        let index = COMMANDS.iter().position(|other| other.name == entry.name);
        index.map_or(&[], |index| &self.keys[index])
    }

    /// Finds the row that gives a command its key at a place.
    pub fn row(&self, place: Place, command: Command) -> Option<(&'static Entry, Key)> {
        beyond(place).find_map(|wanted| {
            let rows = COMMANDS.iter().filter(move |entry| entry.place == wanted);
            let rows = rows.filter(|entry| entry.command == command);
            rows.flat_map(|entry| self.keys(entry).iter().map(move |key| (entry, *key)))
                .find(|(entry, key)| {
                    self.find(place, *key)
                        .is_some_and(|found| found.name == entry.name)
                })
        })
    }
}

/// Returns a place and those beyond it, out to everywhere.
fn beyond(place: Place) -> impl Iterator<Item = Place> {
    std::iter::successors(Some(place), |place| place.beyond())
}

fn unknown_names(wishes: &[Wish]) -> Vec<String> {
    let known = |wish: &&Wish| !COMMANDS.iter().any(|entry| entry.name == wish.name);
    wishes
        .iter()
        .filter(known)
        .map(|wish| format!("there is no command `{}`; F1 lists them", wish.name))
        .collect()
}

/// Returns the keys a row asks for: the person's, where they can be read, else the shipped ones.
fn keys_of(entry: &Entry, wishes: &[Wish], problems: &mut Vec<String>) -> Vec<Key> {
    let shipped = || {
        let keys = entry.keys.iter().map(|key| key.parse());
        keys.map(|key| key.expect("the table holds keys only"))
            .collect()
    };
    let Some(wish) = wishes.iter().find(|wish| wish.name == entry.name) else {
        return shipped();
    };
    if entry.binding == Binding::Fixed {
        problems.push(format!("the keys of `{}` are fixed", entry.name));
        return shipped();
    }
    let mut keys = Vec::new();
    for key in &wish.keys {
        match key.parse() {
            Ok(key) => keys.push(key),
            Err(error) => problems.push(format!("`{}`: {error}", entry.name)),
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn wish(name: &str, keys: &[&str]) -> Wish {
        Wish {
            name: name.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        }
    }

    fn name_at(map: &KeyMap, place: Place, key: &str) -> Option<&'static str> {
        map.find(place, key.parse().unwrap())
            .map(|entry| entry.name)
    }

    #[test]
    fn no_two_commands_share_a_key_in_one_place() {
        let (_, problems) = KeyMap::new(&[]);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn every_command_has_a_name_of_its_own_and_help() {
        let mut names = BTreeSet::new();
        for entry in COMMANDS {
            assert!(names.insert(entry.name), "{} twice", entry.name);
            assert!(
                !entry.help.is_empty() && !entry.help.ends_with('.'),
                "{}",
                entry.name
            );
            assert!(!entry.label.is_empty(), "{}", entry.name);
        }
    }

    #[test]
    fn multiplexers_keep_their_keys_everywhere() {
        let map = KeyMap::default();
        for key in ["ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q"] {
            assert_eq!(name_at(&map, Place::Everywhere, key), None, "{key}");
        }
    }

    #[test]
    fn a_wish_replaces_all_keys_of_its_command() {
        let (map, problems) = KeyMap::new(&[wish("composer.newline", &["ctrl+o"])]);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(
            name_at(&map, Place::Composer, "ctrl+o"),
            Some("composer.newline")
        );
        assert_eq!(name_at(&map, Place::Composer, "ctrl+j"), None);
        let (map, _) = KeyMap::new(&[wish("help.open", &[])]);
        assert_eq!(name_at(&map, Place::Composer, "f1"), None);
    }

    #[test]
    fn conflicts_and_unknown_names_are_told_and_the_rest_applies() {
        let (map, problems) = KeyMap::new(&[
            wish("help.open", &["f12", "ctrl+p"]),
            wish("help.close", &["x"]),
            wish("app.redraw", &["hyper+l", "ctrl+o"]),
            wish("question.yes", &["enter"]),
        ]);
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert_eq!(name_at(&map, Place::Everywhere, "f12"), Some("help.open"));
        assert_eq!(
            name_at(&map, Place::Everywhere, "ctrl+p"),
            Some("help.open")
        );
        assert_eq!(
            name_at(&map, Place::Everywhere, "ctrl+o"),
            Some("app.redraw")
        );
        assert_eq!(name_at(&map, Place::Question, "y"), Some("question.yes"));
        assert_eq!(name_at(&map, Place::Question, "enter"), None);
    }
}
