//! Everything in the repository as it stands: what is compared after each command.
//!
//! An own walk from the root's handle, links never followed, ignored files too;
//! neither git's index nor its ignore rules nor its configuration have a say. It
//! records what a `stat` tells and reads no content, so that walking again costs
//! little; what differs is read by the caller. Left out are git's objects, the
//! harness's own folder and references, and what the caller names.
//!
//! It decides nothing. What is undone goes through the same handle and names its
//! [`HostAct`](harness_guard::HostAct). The runner calls it.

mod put_back;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use harness_core::RepoPath;
use harness_guard::{Attributes, Difference, FileKind};

pub use put_back::{Former, PutBackError};

/// The most entries of a manifest; about 200 bytes each. What lies beyond is not looked at,
/// and [`Manifest::is_cut`] says so.
pub const ENTRIES_MAX: usize = 400_000;

/// The paths of a repository with what stands there, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    entries: BTreeMap<RepoPath, Attributes>,
    /// Folders that could not be read, and so what is in them is not known.
    closed: Vec<RepoPath>,
    cut: bool,
    /// Paths that were looked at one by one in a manifest that is cut, and are gone.
    gone: BTreeSet<RepoPath>,
    /// The folders with their times of change; absent where these tell nothing.
    quiet: Option<Quiet>,
}

/// Folders, each with its time of change; absent where a later change might not show in it.
type Quiet = Vec<(RepoPath, Option<(i64, i64)>)>;

impl Manifest {
    /// Returns what stands at a path.
    pub fn at(&self, path: &RepoPath) -> Option<&Attributes> {
        self.entries.get(path)
    }

    /// Iterates over everything, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&RepoPath, &Attributes)> {
        self.entries.iter()
    }

    /// Iterates over a path and everything below it.
    pub fn below(&self, path: &RepoPath) -> impl Iterator<Item = (&RepoPath, &Attributes)> {
        let from = self.entries.range(path.clone()..);
        // Names that only begin like it lie in between.
        from.take_while(|(entry, _)| entry.as_bytes().starts_with(path.as_bytes()))
            .filter(|(entry, _)| entry.starts_with(path))
    }

    /// Returns how many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing, not even the root.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether there was more than a manifest holds.
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// Returns the folders that could not be read.
    pub fn closed(&self) -> &[RepoPath] {
        &self.closed
    }

    /// Takes in what was looked at separately; `None` when nothing stands there any more.
    pub fn set(&mut self, path: &RepoPath, attributes: Option<Attributes>) {
        match attributes {
            Some(attributes) => {
                self.entries.insert(path.clone(), attributes);
            }
            None => {
                self.entries.remove(path);
            }
        }
    }

    /// Takes in what a cut manifest may have missed, looked at separately.
    pub fn set_missed(&mut self, path: &RepoPath, attributes: Option<Attributes>) {
        if attributes.is_none() {
            self.gone.insert(path.clone());
        }
        self.set(path, attributes);
    }

    /// Returns what is known of paths, to go on from.
    pub fn of(entries: impl IntoIterator<Item = (RepoPath, Attributes)>) -> Self {
        Self {
            entries: entries.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Returns what is known of some folders and everything below them.
    pub fn part(&self, folders: &[RepoPath]) -> Self {
        let below = folders.iter().flat_map(|folder| self.below(folder));
        let is_in = |path: &&RepoPath| folders.iter().any(|folder| path.starts_with(folder));
        Self {
            entries: below
                .map(|(path, attributes)| (path.clone(), attributes.clone()))
                .collect(),
            closed: self.closed.iter().filter(is_in).cloned().collect(),
            ..Self::default()
        }
    }

    /// Takes in what is known now of some folders and everything below them.
    pub fn set_part(&mut self, folders: &[RepoPath], part: Self) {
        for folder in folders {
            let old: Vec<RepoPath> = self.below(folder).map(|(path, _)| path.clone()).collect();
            for path in old {
                if !part.entries.contains_key(&path) {
                    self.entries.remove(&path);
                }
            }
        }
        let is_in = |path: &RepoPath| folders.iter().any(|folder| path.starts_with(folder));
        self.closed.retain(|path| !is_in(path));
        self.closed.extend(part.closed);
        self.cut |= part.cut;
        self.entries.extend(part.entries);
    }

    /// Returns what differs from an earlier manifest, sorted by path.
    ///
    /// What lies in a folder that cannot be read any more does not count as gone. The
    /// times of a folder count only where its names are the same as before.
    pub fn differences_from(&self, earlier: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut old = earlier.entries.iter().peekable();
        let mut new = self.entries.iter().peekable();
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some((one, _)), Some((other, _))) => one.cmp(other),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => break,
            };
            let before = if order.is_le() { old.next() } else { None };
            let after = if order.is_ge() { new.next() } else { None };
            let (before, after) = (before, after);
            if before.map(|(_, attributes)| attributes) == after.map(|(_, attributes)| attributes) {
                continue;
            }
            let Some((path, _)) = before.or(after) else {
                continue;
            };
            if after.is_none() && self.is_out_of_sight(path) {
                continue;
            }
            found.push(Difference {
                path: path.clone(),
                old: before.map(|(_, attributes)| attributes.clone()),
                new: after.map(|(_, attributes)| attributes.clone()),
                names: Vec::new(),
                former_names: Vec::new(),
            });
        }
        drop_times_of_changed_folders(&mut found);
        self.add_names(&mut found, earlier);
        found
    }

    fn is_out_of_sight(&self, path: &RepoPath) -> bool {
        let is_missed = self.cut && !self.gone.contains(path);
        is_missed || self.closed.iter().any(|folder| path.starts_with(folder))
    }

    /// Fills in the names of files that have several, or had.
    fn add_names(&self, differences: &mut [Difference], earlier: &Self) {
        let (now, before) = (
            self.names_of(differences.iter().filter_map(|found| found.new.as_ref())),
            earlier.names_of(differences.iter().filter_map(|found| found.old.as_ref())),
        );
        let known = |names: &HashMap<(u64, u64), Vec<RepoPath>>, file: &Option<Attributes>| {
            let file = file.as_ref().filter(|file| has_several_names(file));
            file.and_then(|file| names.get(&(file.device, file.inode)).cloned())
                .unwrap_or_default()
        };
        for difference in differences {
            difference.names = known(&now, &difference.new);
            difference.former_names = known(&before, &difference.old);
        }
    }

    /// Returns every name here of those files that have several, by device and number.
    pub fn names_of<'a>(
        &self,
        files: impl Iterator<Item = &'a Attributes>,
    ) -> HashMap<(u64, u64), Vec<RepoPath>> {
        let several = files.filter(|file| has_several_names(file));
        let mut names: HashMap<(u64, u64), Vec<RepoPath>> = several
            .map(|file| ((file.device, file.inode), Vec::new()))
            .collect();
        if names.is_empty() {
            return names;
        }
        for (path, attributes) in &self.entries {
            if let Some(known) = names.get_mut(&(attributes.device, attributes.inode)) {
                known.push(path.clone());
            }
        }
        names
    }
}

/// Whether a file has more names than one; what is no file is never written through another.
fn has_several_names(attributes: &Attributes) -> bool {
    attributes.kind == FileKind::File && attributes.links > 1
}

/// A folder's times follow from what came and went in it; that is told by its own difference.
fn drop_times_of_changed_folders(found: &mut Vec<Difference>) {
    let is_other = |difference: &Difference| match (&difference.old, &difference.new) {
        (Some(old), Some(new)) => (old.device, old.inode) != (new.device, new.inode),
        _ => true,
    };
    let touched: std::collections::HashSet<RepoPath> = found
        .iter()
        .filter(|difference| is_other(difference))
        .filter_map(|difference| difference.path.parent())
        .collect();
    found.retain(|difference| {
        let (Some(old), Some(new)) = (&difference.old, &difference.new) else {
            return true;
        };
        let only_times = Attributes {
            modified: new.modified,
            ..old.clone()
        } == *new;
        let is_untold = [old.modified, new.modified].contains(&Attributes::UNTOLD);
        let is_told = touched.contains(&difference.path);
        !(new.kind == FileKind::Folder && only_times && (is_told || is_untold))
    });
}
