//! Test files that moved: one that is gone and a new one with its tests are one change.
//!
//! Judged apart, what stood in the old file would count as new in the new one, and a test could
//! lose its assertions on the way. Which file a test went to is told by the names of the tests.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FILE_BYTES_MAX, FileChange,
    fixture::is_fixture,
    language::{self, Language},
    scan,
};

/// Returns the changes with each file that is gone and the new one that took most of its tests as
/// one change at the new path, in the order of the files.
pub(super) fn joined<'a>(changes: &[FileChange<'a>]) -> Vec<FileChange<'a>> {
    let origins = origins(changes);
    let gone: BTreeSet<usize> = origins.values().copied().collect();
    let numbered = changes.iter().enumerate();
    let left = numbered.filter(|(index, _)| !gone.contains(index));
    left.map(|(index, change)| {
        let origin = origins.get(&index).and_then(|&origin| changes[origin].old);
        FileChange {
            old: change.old.or(origin),
            ..change.clone()
        }
    })
    .collect()
}

/// Returns for new files the file that is gone whose tests they have, each by its place.
fn origins(changes: &[FileChange<'_>]) -> BTreeMap<usize, usize> {
    let mut holders: BTreeMap<(Language, bool, String), Vec<usize>> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        if change.old.is_none() {
            for key in tests(change, change.new) {
                holders.entry(key).or_default().push(index);
            }
        }
    }
    let mut origins = BTreeMap::new();
    if holders.is_empty() {
        return origins;
    }
    for (index, change) in changes.iter().enumerate() {
        if change.new.is_some() {
            continue;
        }
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for key in tests(change, change.old) {
            for &holder in holders.get(&key).into_iter().flatten() {
                *shared.entry(holder).or_default() += 1;
            }
        }
        shared.retain(|holder, _| !origins.contains_key(holder));
        // Of equals the first.
        let most = shared
            .into_iter()
            .max_by_key(|&(holder, count)| (count, std::cmp::Reverse(holder)));
        if let Some((holder, _)) = most {
            origins.insert(holder, index);
        }
    }
    origins
}

/// Returns the tests of a text with what must be the same where they went.
fn tests(change: &FileChange<'_>, text: Option<&str>) -> Vec<(Language, bool, String)> {
    let language = Language::of(&change.path);
    // A script is a test as a whole.
    let language = language.filter(|language| *language != Language::Shell);
    let text = text.filter(|text| text.len() <= FILE_BYTES_MAX && !is_fixture(&change.path));
    let (Some(language), Some(text)) = (language, text) else {
        return Vec::new();
    };
    let is_test = language::is_test_file(&change.path);
    let names = scan::facts(language, text, is_test).tests.into_keys();
    names.map(|name| (language, is_test, name)).collect()
}
