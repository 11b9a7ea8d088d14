//! Files that are one with a name that the scope opens: a command writes them through that name.
//!
//! No cage sees it: the name is open, and the bytes are those of a file that is not. What such a
//! file holds is kept, and it is looked at after every command wherever it lies.

use std::collections::HashSet;

use harness_core::RepoPath;
use harness_guard::{Attributes, FileKind};

use super::Watch;

impl Watch {
    /// Finds out which files have a name in the scope and, as far as their number of names tells, others.
    pub(super) fn know_shared(&mut self) {
        let scope = self.post.guard.scope();
        let open = self
            .manifest
            .iter()
            .filter(|(path, attributes)| has_several_names(attributes) && scope.is_writable(path));
        self.shared = open.map(|(_, attributes)| key(attributes)).collect();
    }

    /// Whether a command can change what a closed file holds: at its own name, or through another.
    pub(super) fn can_be_damaged(&self, path: &RepoPath, attributes: &Attributes) -> bool {
        let Self { post, shared, .. } = self;
        post.guard.is_in_reach(post.level, path)
            || has_several_names(attributes) && shared.contains(&key(attributes))
    }

    /// Whether a file in a command's reach has a name beyond it.
    pub(super) fn shares_beyond(&self, reach: &[RepoPath]) -> bool {
        let is_in = |path: &RepoPath| reach.iter().any(|folder| path.starts_with(folder));
        let inside: HashSet<(u64, u64)> = reach
            .iter()
            .flat_map(|folder| self.manifest.below(folder))
            .filter(|(_, attributes)| has_several_names(attributes))
            .map(|(_, attributes)| key(attributes))
            .collect();
        !inside.is_empty()
            && self.manifest.iter().any(|(path, attributes)| {
                has_several_names(attributes) && inside.contains(&key(attributes)) && !is_in(path)
            })
    }
}

fn has_several_names(attributes: &Attributes) -> bool {
    attributes.kind == FileKind::File && attributes.links > 1
}

const fn key(attributes: &Attributes) -> (u64, u64) {
    (attributes.device, attributes.inode)
}
