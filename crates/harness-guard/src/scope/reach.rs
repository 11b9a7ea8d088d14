//! How far a process can be let by folders alone.
//!
//! A mount or a kernel rule knows folders, not patterns: a pattern is widened to
//! what stands before its first wildcard, and the difference is looked at
//! afterwards. Two lists are narrowed pair by pair, so that a feature's `**` can
//! never open what the repository keeps closed. What a person named or gave comes on top.

use harness_core::RepoPath;

use super::{Scope, Standing};

impl Scope {
    /// Returns the folders that hold every writable path, without those inside another.
    ///
    /// A pattern without wildcard is given whole and may name a file. The root
    /// stands for a pattern that begins with a wildcard.
    pub(crate) fn writable_reach(&self) -> Vec<RepoPath> {
        let given = self.may_change.iter().map(|(path, _)| path);
        let given = given
            .chain(self.granted.fixed())
            .filter(|path| self.is_open(path));
        let open = self.write.fixed().filter(|folder| self.is_open(folder));
        if self.feature_write.is_empty() {
            return outermost(open.chain(given).cloned());
        }
        let narrowed = open.flat_map(|folder| {
            let own = self.feature_write.fixed();
            own.filter_map(|own| narrower(folder, own))
        });
        let narrowed = narrowed.filter(|folder| self.is_open(folder));
        outermost(narrowed.chain(given).cloned())
    }

    /// Returns the folders of build outputs, without those inside another.
    pub(crate) fn build_reach(&self) -> Vec<RepoPath> {
        outermost(
            self.build
                .fixed()
                .filter(|folder| self.is_open(folder))
                .cloned(),
        )
    }

    /// Returns what stays read-only below a writable folder and is known by name alone.
    pub(crate) fn fixed_read_only(&self) -> Vec<RepoPath> {
        let protected = self
            .protect
            .plain()
            .filter(|path| !self.is_partly_lifted(path));
        let closed = self.deny.plain().chain(self.hide.plain()).chain(protected);
        outermost(self.fixed_host_owned().chain(closed.cloned()))
    }

    /// Whether something in `folder` could be writable as far as restrictions go.
    fn is_open(&self, folder: &RepoPath) -> bool {
        match self.standing(folder) {
            Standing::Owned(_) | Standing::Hidden(_) | Standing::Denied(_) => false,
            Standing::Protected(_) => self.is_partly_lifted(folder),
            _ => true,
        }
    }

    /// Whether `may_change` names `path`, a folder above it or something below it.
    pub(super) fn is_partly_lifted(&self, path: &RepoPath) -> bool {
        let mut named = self.may_change.iter();
        self.is_lifted(path) || named.any(|(named, _)| named.starts_with(path))
    }
}

/// Returns the one of two folders that lies in the other.
fn narrower<'a>(one: &'a RepoPath, other: &'a RepoPath) -> Option<&'a RepoPath> {
    if one.starts_with(other) {
        return Some(one);
    }
    other.starts_with(one).then_some(other)
}

/// Sorts folders and leaves out each that lies in another.
fn outermost(folders: impl Iterator<Item = RepoPath>) -> Vec<RepoPath> {
    let mut folders: Vec<RepoPath> = folders.collect();
    folders.sort();
    let mut kept: Vec<RepoPath> = Vec::new();
    for folder in folders {
        if !kept.iter().any(|outer| folder.starts_with(outer)) {
            kept.push(folder);
        }
    }
    kept
}
