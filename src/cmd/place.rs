//! Where a feature was proven: in HEAD's history, or on the branch of a run that has not landed.

use std::{collections::HashMap, rc::Rc};

use harness_core::{Feature, Policy, TreeId};
use harness_runner::Subject;

use crate::{
    cmd::runs,
    compose::{Site, evidence_path},
    failure::Failure,
};

/// Runs that are looked at for a proof that HEAD does not have, newest first.
const RUNS_MAX: usize = 50;

/// The tree that a proof is judged against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// HEAD's.
    Head(TreeId),
    /// That of the branch of a run.
    Branch {
        /// The branch.
        name: String,
        /// Its tree.
        tree: TreeId,
    },
}

impl Place {
    pub(crate) const fn tree(&self) -> &TreeId {
        match self {
            Self::Head(tree) | Self::Branch { tree, .. } => tree,
        }
    }
}

/// Finds places, and looks at each tree once.
pub(crate) struct Places<'a> {
    site: &'a Site,
    policy: &'a Policy,
    /// The branches of runs with their trees, once they were asked for.
    branches: Option<Vec<Place>>,
    subjects: HashMap<TreeId, Rc<Subject>>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(site: &'a Site, policy: &'a Policy) -> Self {
        Self {
            site,
            policy,
            branches: None,
            subjects: HashMap::new(),
        }
    }

    /// Says where the evidence that stands in the work tree belongs to.
    pub(crate) fn of(&mut self, feature: &Feature) -> Result<Place, Failure> {
        let head = self.site.head()?.tree;
        let path = evidence_path(&feature.id);
        // What cannot be read is no proof, wherever it belongs to.
        let here = self.site.host_file(&path).ok().flatten();
        let Some((here, _)) = here else {
            return Ok(Place::Head(head));
        };
        let site = self.site;
        let is_here = |tree: &TreeId| {
            site.text_of(tree, &path)
                .is_ok_and(|text| text.as_ref() == Some(&here))
        };
        if is_here(&head) {
            return Ok(Place::Head(head));
        }
        let found = self.branches()?.iter().find(|place| is_here(place.tree()));
        Ok(found.cloned().unwrap_or(Place::Head(head)))
    }

    /// Returns the tree of a place as a proof sees it.
    pub(crate) fn subject(&mut self, place: &Place) -> Result<Rc<Subject>, Failure> {
        let tree = place.tree();
        if let Some(known) = self.subjects.get(tree) {
            return Ok(Rc::clone(known));
        }
        let subject = Subject::of_tree(&self.site.repo, self.policy, tree);
        let subject = Rc::new(subject.map_err(Failure::failed)?);
        self.subjects.insert(tree.clone(), Rc::clone(&subject));
        Ok(subject)
    }

    fn branches(&mut self) -> Result<&[Place], Failure> {
        if self.branches.is_none() {
            self.branches = Some(branches(self.site)?);
        }
        Ok(self.branches.as_deref().unwrap_or_default())
    }
}

fn branches(site: &Site) -> Result<Vec<Place>, Failure> {
    let Some(store) = site.existing_store()? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for run in runs::newest_first(site, &store)?.take(RUNS_MAX) {
        let name = runs::branch(run);
        if let Some(tip) = site.repo.branch_tip(&name)? {
            let tree = site.repo.tree_of(&tip)?;
            found.push(Place::Branch { name, tree });
        }
    }
    Ok(found)
}
