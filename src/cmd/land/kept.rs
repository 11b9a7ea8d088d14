//! What a person has in the feature list and the progress log beside what lands.
//!
//! The harness writes both files of the work tree while a run goes on, with the
//! statuses that no commit has, and people write them too. What is not of a
//! commit stays in the work tree, uncommitted, when the commits land.

use harness_core::{RepoPath, SessionOpened, TreeId};
use harness_gate::{
    list::{self, FeatureList, Merged},
    progress,
};

use crate::{cmd::runs, compose::Site, failure::Failure};

/// The files of the work tree that stay as they are.
pub(super) struct Kept {
    /// Their content.
    pub(super) files: Vec<(RepoPath, Vec<u8>)>,
    list: Option<KeptList>,
    progress: Option<KeptProgress>,
}

/// A progress log with entries of its own.
struct KeptProgress {
    path: RepoPath,
    /// What stands in the work tree.
    text: String,
    /// What stood on HEAD.
    head: String,
}

/// A feature list with statuses or features of its own.
struct KeptList {
    path: RepoPath,
    /// What stands in the work tree.
    text: String,
    here: FeatureList,
    /// The list as the run's last commit has it.
    tip: FeatureList,
    /// What stood on HEAD.
    head: String,
}

impl Kept {
    /// Finds what stands beside the commits of a run.
    pub(super) fn find(site: &Site, opened: &SessionOpened) -> Result<Self, Failure> {
        let run = &opened.run;
        let Some(tip) = site.repo.branch_tip(&runs::branch(run.run))? else {
            return Ok(Self {
                files: Vec::new(),
                list: None,
                progress: None,
            });
        };
        let tip = site.repo.tree_of(&tip)?;
        let base = site.repo.tree_of(&run.base)?;
        let list = KeptList::find(site, &run.policy.feature_file, &tip)?;
        let progress = KeptProgress::find(site, &run.policy.progress_file, &base, &tip)?;
        let list_file = list.as_ref().map(|list| (list.path.clone(), &list.text));
        let files = list_file
            .into_iter()
            .chain(
                progress
                    .as_ref()
                    .map(|kept| (kept.path.clone(), &kept.text)),
            )
            .map(|(path, text)| (path, text.as_bytes().to_vec()))
            .collect();
        Ok(Self {
            files,
            list,
            progress,
        })
    }

    /// Brings what landed into the files that were kept.
    pub(super) fn catch_up(self, site: &Site, commits: usize) -> Result<(), Failure> {
        if let Some(progress) = self.progress.filter(|_| commits > 0) {
            progress.catch_up(site)?;
        }
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
        let head = site.text_of(&site.head()?.tree, path)?;
        Ok(means_the_same.then(|| Self {
            path: path.clone(),
            text,
            here,
            tip,
            head: head.unwrap_or_default(),
        }))
    }

    fn catch_up(self, site: &Site) -> Result<(), Failure> {
        let head = site.head()?.tree;
        let landed = site.text_of(&head, &self.path)?.unwrap_or_default();
        let wanted = match list::merge(&self.head, &self.text, &landed) {
            Merged::Text(wanted) => wanted,
            Merged::Clash(_) | Merged::Unknown => match self.statuses_of(&landed) {
                Some(wanted) => wanted,
                None => return Ok(()),
            },
        };
        if wanted == self.text {
            return Ok(());
        }
        site.rewrite(&self.path, |now| {
            let now = now.unwrap_or_default();
            let text = if now == self.text { &wanted } else { &now };
            Ok((text.clone(), ()))
        })
    }

    /// Returns the list with the statuses that landed, but for those that were set beside the run.
    fn statuses_of(&self, landed: &str) -> Option<String> {
        let landed = FeatureList::parse(landed).ok()?;
        let mut wanted = self.here.clone();
        for feature in landed.features() {
            let status = |list: &FeatureList| list.find(&feature.id).map(|found| found.status);
            match status(&self.here) {
                None => wanted.add(feature).ok()?,
                here if here == status(&self.tip) => {
                    wanted.set_status(&feature.id, feature.status).ok()?;
                }
                _ => {}
            }
        }
        Some(wanted.render())
    }
}

impl KeptProgress {
    /// A log that is HEAD's or the base's with more in it, or that has all that lands.
    fn find(
        site: &Site,
        path: &RepoPath,
        base: &TreeId,
        tip: &TreeId,
    ) -> Result<Option<Self>, Failure> {
        let Some(text) = different(site, path, tip)? else {
            return Ok(None);
        };
        let head = site.text_of(&site.head()?.tree, path)?.unwrap_or_default();
        let before = site.text_of(base, path)?.unwrap_or_default();
        let landing = site.text_of(tip, path)?.unwrap_or_default();
        let has_grown = [&before, &head]
            .iter()
            .any(|from| progress::added(from, &text).is_some());
        let kept = has_grown || has_all(&text, &before, &landing);
        Ok(kept.then(|| Self {
            path: path.clone(),
            text,
            head,
        }))
    }

    fn catch_up(self, site: &Site) -> Result<(), Failure> {
        let landed = site
            .text_of(&site.head()?.tree, &self.path)?
            .unwrap_or_default();
        let joined = progress::join(&self.head, &self.text, &landed);
        let Some(wanted) = joined.filter(|joined| *joined != self.text) else {
            return Ok(());
        };
        site.rewrite(&self.path, |now| {
            let now = now.unwrap_or_default();
            let text = if now == self.text { &wanted } else { &now };
            Ok((text.clone(), ()))
        })
    }
}

/// Whether a log has all that lands.
fn has_all(text: &str, before: &str, landing: &str) -> bool {
    let added = progress::added(before, landing).unwrap_or_else(|| progress::Added {
        entries: landing.to_owned(),
        patterns: Vec::new(),
    });
    let entries = added.entries.trim();
    let mut patterns = added.patterns.iter();
    !entries.is_empty()
        && text.contains(entries)
        && patterns.all(|pattern| text.contains(pattern.as_str()))
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
