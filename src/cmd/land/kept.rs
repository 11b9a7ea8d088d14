//! What a person has in the feature list and the progress log beside what lands.
//!
//! The harness writes both files of the work tree while a run goes on, with the
//! statuses that no commit has, and people write them too. What is not of a
//! commit stays in the work tree, uncommitted, when the commits land.

use harness_core::{RepoPath, SessionOpened, TreeId};
use harness_gate::{
    list::{self, FeatureList},
    progress,
};

use crate::{cmd::runs, compose::Site, failure::Failure};

/// The files of the work tree that stay as they are.
pub(super) struct Kept {
    /// Their content.
    pub(super) files: Vec<(RepoPath, Vec<u8>)>,
    list: Option<KeptList>,
}

/// A feature list with statuses or features of its own.
struct KeptList {
    path: RepoPath,
    /// What stands in the work tree.
    text: String,
    here: FeatureList,
    /// The list as the run's last commit has it.
    tip: FeatureList,
}

impl Kept {
    /// Finds what stands beside the commits of a run.
    pub(super) fn find(site: &Site, opened: &SessionOpened) -> Result<Self, Failure> {
        let run = &opened.run;
        let Some(tip) = site.repo.branch_tip(&runs::branch(run.run))? else {
            return Ok(Self {
                files: Vec::new(),
                list: None,
            });
        };
        let tip = site.repo.tree_of(&tip)?;
        let base = site.repo.tree_of(&run.base)?;
        let list = KeptList::find(site, &run.policy.feature_file, &tip)?;
        let progress = kept_progress(site, &run.policy.progress_file, &base, &tip)?;
        let list_file = list.as_ref().map(|list| (list.path.clone(), &list.text));
        let files = list_file
            .into_iter()
            .chain(progress.as_ref().map(|(path, text)| (path.clone(), text)))
            .map(|(path, text)| (path, text.as_bytes().to_vec()))
            .collect();
        Ok(Self { files, list })
    }

    /// Brings the statuses that landed into a list that was kept.
    pub(super) fn catch_up(self, site: &Site) -> Result<(), Failure> {
        match self.list {
            Some(list) => list.catch_up(site),
            None => Ok(()),
        }
    }
}

impl KeptList {
    /// A list whose features mean what the run proved them to mean; anything else is for the person to settle.
    fn find(site: &Site, path: &RepoPath, tip: &TreeId) -> Result<Option<Self>, Failure> {
        let Some(text) = different(site, path, tip)? else {
            return Ok(None);
        };
        let landing = site.text_of(tip, path)?.unwrap_or_default();
        let (Ok(here), Ok(tip)) = (FeatureList::parse(&text), FeatureList::parse(&landing)) else {
            return Ok(None);
        };
        let means_the_same = tip.features().iter().all(|feature| {
            here.find(&feature.id)
                .is_some_and(|here| list::intent_hash(here) == list::intent_hash(feature))
        });
        Ok(means_the_same.then(|| Self {
            path: path.clone(),
            text,
            here,
            tip,
        }))
    }

    fn catch_up(mut self, site: &Site) -> Result<(), Failure> {
        let head = site.head()?.tree;
        let landed = site.text_of(&head, &self.path)?.unwrap_or_default();
        let Ok(landed) = FeatureList::parse(&landed) else {
            return Ok(());
        };
        for feature in landed.features() {
            let status = |list: &FeatureList| list.find(&feature.id).map(|found| found.status);
            let (here, tip) = (status(&self.here), status(&self.tip));
            // A status that is not the run's was set beside it, and holds.
            let done = match here {
                None => self.here.add(feature),
                _ if here == tip => self.here.set_status(&feature.id, feature.status),
                _ => Ok(()),
            };
            if done.is_err() {
                return Ok(());
            }
        }
        let wanted = self.here.render();
        if wanted == self.text {
            return Ok(());
        }
        site.rewrite(&self.path, |now| {
            let now = now.unwrap_or_default();
            let text = if now == self.text { &wanted } else { &now };
            Ok((text.clone(), ()))
        })
    }
}

/// Returns the progress log of the work tree when it has all that lands, and more.
fn kept_progress(
    site: &Site,
    path: &RepoPath,
    base: &TreeId,
    tip: &TreeId,
) -> Result<Option<(RepoPath, String)>, Failure> {
    let Some(text) = different(site, path, tip)? else {
        return Ok(None);
    };
    let before = site.text_of(base, path)?.unwrap_or_default();
    let landing = site.text_of(tip, path)?.unwrap_or_default();
    let added = progress::added(&before, &landing).unwrap_or_else(|| progress::Added {
        entries: landing.clone(),
        patterns: Vec::new(),
    });
    let has_patterns = added
        .patterns
        .iter()
        .all(|pattern| text.contains(pattern.as_str()));
    let entries = added.entries.trim();
    let has_all = !entries.is_empty() && text.contains(entries) && has_patterns;
    Ok(has_all.then(|| (path.clone(), text)))
}

/// Returns the text of the work tree when it is neither HEAD's nor what lands.
fn different(site: &Site, path: &RepoPath, tip: &TreeId) -> Result<Option<String>, Failure> {
    // What cannot be read is nothing to keep: landing itself says what stands there.
    let Ok(Some((text, _))) = site.host_file(path) else {
        return Ok(None);
    };
    let head = site.head()?.tree;
    for tree in [&head, tip] {
        if site.text_of(tree, path)?.as_ref() == Some(&text) {
            return Ok(None);
        }
    }
    Ok(Some(text))
}
