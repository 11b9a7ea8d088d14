//! Folders of the work tree that checkouts have: seen in their places, or found through links.
//!
//! Where the cage of a gate has a file tree of its own, the folder is laid over an
//! empty one of the checkout. Elsewhere the checkout has a link to it, and then
//! nothing in the folder may lead back into the work tree: a gate would prove what
//! stands there and not the candidate.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Component, Path, PathBuf},
};

use harness_core::RepoPath;
use harness_guard::{HostAct, places_checkouts};
use harness_host::disk::Root;

use super::{Setup, make_folders, whole};
use crate::execute::chain;

/// How many entries of linked folders are looked at; in larger ones nobody knows what leads where.
const ENTRIES_MAX: usize = 300_000;

/// The largest file that is looked into; those that lead elsewhere are a few lines.
const TEXT_MAX: u64 = 256 * 1024;

impl Setup {
    /// Returns the linked folders that a checkout has already as they should be.
    pub(in crate::execute) fn placed_links(&self, checkout: &Path) -> Vec<RepoPath> {
        let is_mounted = places_checkouts(self.workplace.level);
        let is_placed = |path: &&RepoPath| {
            let target = fs::read_link(whole(checkout, path)).ok();
            target.map_or(is_mounted, |target| {
                !is_mounted && target == whole(&self.workplace.root, path)
            })
        };
        self.link().iter().filter(is_placed).cloned().collect()
    }

    /// Sees that the folders of the work tree can be shown in a checkout, and makes their places.
    ///
    /// # Errors
    /// With the folder's name: when it is missing or a link, or when it leads back
    /// into the work tree and the level cannot put the candidate there.
    pub(super) async fn place_links(&self, checkout: &Path) -> Result<(), String> {
        if self.link().is_empty() {
            return Ok(());
        }
        let work_tree = Root::open(&self.workplace.root).map_err(|error| chain(&error))?;
        for folder in self.link() {
            work_tree
                .host_list(folder, &|_| false, 1)
                .map_err(|error| format!("cannot link `{folder}`: {}", chain(&error)))?;
        }
        if places_checkouts(self.workplace.level) {
            return make_folders(checkout, self.link());
        }
        let (root, links) = (self.workplace.root.clone(), self.link().to_vec());
        let looked = tokio::task::spawn_blocking(move || way_back(&root, &links)).await;
        let looked =
            looked.map_err(|error| format!("looking at linked folders was cut short: {error}"))?;
        if let Some((folder, why)) = looked {
            return Err(format!(
                "cannot link `{folder}` at level `{}`: {why}; use level `namespaces`, or take `{folder}` out of `[gates] link` and list it in `[scope] build`, so that a `[[setup]]` step makes it in each checkout",
                self.workplace.level
            ));
        }
        let place = |folder| place_link(&self.workplace.root, checkout, folder);
        self.link().iter().try_for_each(place)
    }
}

/// Makes the link to a folder of the work tree, unless it is there.
fn place_link(root: &Path, checkout: &Path, folder: &RepoPath) -> Result<(), String> {
    let (place, target) = (whole(checkout, folder), whole(root, folder));
    if fs::read_link(&place).is_ok_and(|found| found == target) {
        return Ok(());
    }
    let handle = Root::open(checkout).map_err(|error| chain(&error))?;
    if let Some(parent) = folder.parent().filter(|parent| !parent.is_root()) {
        handle
            .host_create_folder(HostAct::WriteHostFile, &parent)
            .map_err(|error| chain(&error))?;
    }
    let failed = |error: io::Error| format!("cannot link `{folder}` in the checkout: {error}");
    match symlink(&target, &place) {
        // What is no link and was not swept is the candidate's own.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(format!(
            "cannot link `{folder}`: the candidate has files of its own there; take it out of `[gates] link`"
        )),
        made => made.map_err(failed),
    }
}

/// Finds what leads from linked folders into the rest of the work tree: the folder, and why.
fn way_back(root: &Path, links: &[RepoPath]) -> Option<(RepoPath, String)> {
    let own: Vec<PathBuf> = links.iter().map(|link| whole(root, link)).collect();
    let mut left = ENTRIES_MAX;
    links.iter().zip(&own).find_map(|(link, folder)| {
        let found = look_through(root, &own, folder, &mut left);
        found.map(|why| (link.clone(), why))
    })
}

fn look_through(root: &Path, own: &[PathBuf], folder: &Path, left: &mut usize) -> Option<String> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).ok()?.flatten() {
            if *left == 0 {
                return Some(format!(
                    "it has more than {ENTRIES_MAX} entries, too many to be sure that none leads into the work tree"
                ));
            }
            *left -= 1;
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else {
                continue;
            };
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let leads = match kind.is_symlink() {
                true => link_leads_back(root, own, &path),
                false => text_leads_back(root, own, &path),
            };
            if leads {
                let inside = path.strip_prefix(root).unwrap_or(&path);
                return Some(format!(
                    "`{}` leads into the work tree, so that a gate would test that instead of the candidate",
                    inside.display()
                ));
            }
        }
    }
    None
}

fn link_leads_back(root: &Path, own: &[PathBuf], link: &Path) -> bool {
    let Ok(target) = fs::read_link(link) else {
        return false;
    };
    let written = link.parent().unwrap_or(root).join(target);
    let target = fs::canonicalize(link).unwrap_or_else(|_| without_dots(&written));
    is_beside(root, own, &target)
}

/// Whether a path lies in the work tree and in none of the linked folders.
fn is_beside(root: &Path, own: &[PathBuf], path: &Path) -> bool {
    path.starts_with(root) && !own.iter().any(|folder| path.starts_with(folder))
}

/// Whether a file that tells a program where to look names the work tree, as editable installs do.
fn text_leads_back(root: &Path, own: &[PathBuf], file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let ending = Path::new(&*name).extension().unwrap_or_default();
    let is_record = name == "direct_url.json";
    let leads =
        is_record || ending == "pth" || ending == "egg-link" || name.starts_with("__editable__");
    let is_small = || fs::symlink_metadata(file).is_ok_and(|found| found.len() <= TEXT_MAX);
    if !leads || !is_small() {
        return false;
    }
    let text = String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned();
    // A plain install from the work tree is recorded as well, and is a copy.
    (!is_record || text.contains("\"editable\"")) && names_beside(root, own, &text)
}

fn names_beside(root: &Path, own: &[PathBuf], text: &str) -> bool {
    let root_text = root.to_string_lossy();
    text.match_indices(&*root_text).any(|(at, _)| {
        let rest = &text[at + root_text.len()..];
        let end = rest
            .find(['"', '\'', '\n', '\r', ';', ' '])
            .unwrap_or(rest.len());
        let rest = &rest[..end];
        let is_whole = rest.is_empty() || rest.starts_with('/');
        is_whole
            && is_beside(
                root,
                own,
                &without_dots(&root.join(rest.trim_start_matches('/'))),
            )
    })
}

/// Takes `.` and `..` out of a path by its text alone.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, leads: bool) {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let site = root.join("venv/lib/site-packages");
        fs::create_dir_all(&site).unwrap();
        fs::create_dir_all(root.join("src")).unwrap();
        let text = text.replace("ROOT", &root.to_string_lossy());
        match text.strip_prefix("-> ") {
            Some(target) => symlink(target, site.join(name)).unwrap(),
            None => fs::write(site.join(name), &text).unwrap(),
        }
        let links = [RepoPath::parse("venv").unwrap()];
        let found = way_back(&root, &links);
        assert_eq!(found.is_some(), leads, "{name}: {text}: {found:?}");
    }

    #[test]
    fn whatever_leads_into_the_work_tree_is_found() {
        check("demo.pth", "ROOT/src\n", true);
        check("demo.pth", "ROOT\n", true);
        check("demo.egg-link", "ROOT/src\n../\n", true);
        check(
            "direct_url.json",
            "{\"url\": \"file://ROOT\", \"dir_info\": {\"editable\": true}}",
            true,
        );
        check(
            "__editable___demo_finder.py",
            "MAPPING = {'demo': 'ROOT/src/demo'}\n",
            true,
        );
        check("pkg", "-> ../../../src", true);
        check("pkg", "-> ROOT/src/not-yet", true);
    }

    #[test]
    fn what_stays_in_it_or_leaves_the_repository_is_no_way_back() {
        check("demo.pth", "ROOT/venv/src\n", false);
        check("demo.pth", "ROOT-other/src\n", false);
        check("demo.pth", "/usr/lib/python3\n", false);
        check(
            "direct_url.json",
            "{\"url\": \"file://ROOT\", \"dir_info\": {}}",
            false,
        );
        check("notes.txt", "ROOT/src\n", false);
        check("python", "-> /usr/bin/env", false);
        check("tool", "-> ../tool.py", false);
    }
}
