//! What the steps of one place depend on, and which of them have run on it.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use harness_core::{ByteCount, RepoPath};
use harness_guard::SetupStep;
use harness_host::disk::{DiskError, Root};
use harness_store::state;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{super::chain, whole};
use crate::SetupPlan;

/// The largest file a step may depend on: lock files run to tens of megabytes.
const FILE_MAX: ByteCount = ByteCount::mib(64);

/// How many files the patterns of a step may match.
const FILES_MAX: usize = 10_000;

/// Files as they were when they were looked at.
#[derive(Debug)]
pub(super) struct Stamps(Vec<(PathBuf, Option<Stamp>)>);

type Stamp = (u64, u64, u64, i64, i64, i64, i64);

impl Stamps {
    /// Whether all files are as they were.
    pub(super) fn still_hold(&self) -> bool {
        self.0.iter().all(|(path, stamp)| stamp_of(path) == *stamp)
    }
}

fn stamp_of(path: &Path) -> Option<Stamp> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((
        found.dev(),
        found.ino(),
        found.len(),
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec(),
    ))
}

/// Reads what the steps depend on: the files' stamps, and a key for each step.
///
/// A step that names no file has `version` in its key instead. The files are
/// stamped before they are read, so that a change in between is seen as one.
pub(super) fn look(
    plan: &SetupPlan,
    folder: &Path,
    version: &str,
) -> Result<(Option<Stamps>, Vec<String>), String> {
    let root = Root::open(folder).map_err(|error| chain(&error))?;
    let mut stamps = Vec::new();
    let mut keys = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let mut hasher = Sha256::new();
        add_step(&mut hasher, step);
        if !step.has_files() {
            add(&mut hasher, version.as_bytes());
        }
        // A script that was taken back lifts what was held against it.
        let scripts = step.run().iter().map(|word| folder.join(word));
        stamps.extend(scripts.map(|path| (path.clone(), stamp_of(&path))));
        for path in files_of(step, &root)? {
            let place = whole(folder, &path);
            stamps.push((place.clone(), stamp_of(&place)));
            add(&mut hasher, path.as_bytes());
            match root.host_read_file(&path, FILE_MAX) {
                Ok(file) => add(&mut hasher, &Sha256::digest(&file.bytes)),
                Err(DiskError::NotFound { .. }) => add(&mut hasher, b"absent"),
                Err(error) => return Err(chain(&error)),
            }
        }
        keys.push(hex(&hasher.finalize()));
    }
    Ok((Some(Stamps(stamps)), keys))
}

/// The files that the argv of steps name, as they were when their content was trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scripts(Vec<(RepoPath, Option<String>)>);

impl Scripts {
    /// Reads them where the run begins.
    pub(super) fn read(plan: &SetupPlan, root: &Path) -> Self {
        let words = plan.steps.iter().flat_map(SetupStep::run);
        let mut paths: Vec<RepoPath> = words
            .filter_map(|word| RepoPath::parse(word).ok())
            .filter(|path| !path.is_root())
            .collect();
        paths.sort();
        paths.dedup();
        let root = Root::open(root).ok();
        let digest = |path: &RepoPath| root.as_ref().and_then(|root| script_digest(root, path));
        let read = paths.into_iter().map(|path| {
            let digest = digest(&path);
            (path, digest)
        });
        Self(read.collect())
    }

    /// Sees that they are the same elsewhere; what lies in `folders`, steps make themselves.
    ///
    /// A step has a network and writes what gates read: an agent's own script must not be one.
    pub(super) fn check(&self, root: &Path, folders: &[RepoPath]) -> Result<(), String> {
        let root = Root::open(root).map_err(|error| chain(&error))?;
        let is_made = |path: &RepoPath| folders.iter().any(|folder| path.starts_with(folder));
        let mut fixed = self.0.iter().filter(|(path, _)| !is_made(path));
        match fixed.find(|(path, digest)| script_digest(&root, path) != *digest) {
            None => Ok(()),
            Some((path, _)) => Err(format!(
                "setup runs `{path}`, which is not as it was trusted: take the change back, or leave it to a person, who looks at it with `harness trust`"
            )),
        }
    }
}

fn script_digest(root: &Root, path: &RepoPath) -> Option<String> {
    let file = root.host_read_file(path, FILE_MAX).ok()?;
    Some(hex(&Sha256::digest(&file.bytes)))
}

/// Returns what tells a plan from another, whatever it runs on.
pub(super) fn digest(plan: &SetupPlan) -> String {
    let mut hasher = Sha256::new();
    for step in &plan.steps {
        add_step(&mut hasher, step);
    }
    for folder in &plan.link {
        add(&mut hasher, folder.as_bytes());
    }
    hex(&hasher.finalize())
}

fn add_step(hasher: &mut Sha256, step: &SetupStep) {
    for word in step.run() {
        add(hasher, word.as_bytes());
    }
    for host in step.network().iter() {
        add(hasher, host.to_string().as_bytes());
    }
    add(hasher, b"step");
}

/// Adds one item so that no two sequences of items come to the same.
fn add(hasher: &mut Sha256, item: &[u8]) {
    hasher.update((item.len() as u64).to_le_bytes());
    hasher.update(item);
}

fn files_of(step: &SetupStep, root: &Root) -> Result<Vec<RepoPath>, String> {
    let mut files: Vec<RepoPath> = step.fixed_files().cloned().collect();
    if step.has_wildcards() {
        let is_file = |path: &RepoPath, is_folder: bool| !is_folder && step.depends_on(path);
        files.extend(root.host_find(&is_file, FILES_MAX + 1));
    }
    if files.len() > FILES_MAX {
        let run = step.run().join(" ");
        return Err(format!(
            "more than {FILES_MAX} files match `when` of setup `{run}`"
        ));
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// The steps that have run on one place, in order, as they are kept.
#[derive(Debug)]
pub(super) struct Record {
    file: PathBuf,
    steps: Vec<StepDone>,
}

/// A step that has run.
#[derive(Debug, Serialize, Deserialize)]
struct StepDone {
    key: String,
    /// Folders it filled: without them it has to run again.
    filled: Vec<RepoPath>,
}

impl Record {
    /// Reads what is kept; what cannot be read has not run.
    pub(super) fn read(file: PathBuf) -> Self {
        let steps = state::read_json(&file).ok().flatten().unwrap_or_default();
        Self { file, steps }
    }

    /// Returns the number of the first step that has to run, by the keys of all.
    pub(super) fn first_stale(&self, keys: &[String], folder: &Path) -> usize {
        let is_done = |(done, key): (&StepDone, &String)| {
            let stands = |path: &RepoPath| !is_empty(&whole(folder, path));
            done.key == *key && done.filled.iter().all(stands)
        };
        self.steps
            .iter()
            .zip(keys)
            .take_while(|pair| is_done(*pair))
            .count()
    }

    /// Forgets a step and what came after it.
    pub(super) fn forget_from(&mut self, first: usize) -> Result<(), String> {
        self.steps.truncate(first);
        self.write()
    }

    pub(super) fn add(&mut self, key: &str, filled: Vec<RepoPath>) -> Result<(), String> {
        self.steps.push(StepDone {
            key: key.to_owned(),
            filled,
        });
        self.write()
    }

    fn write(&self) -> Result<(), String> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| format!("cannot create `{}`: {error}", folder.display()))?;
        }
        state::write_json(&self.file, &self.steps).map_err(|error| chain(&error))
    }
}

/// Returns those of the folders that hold nothing.
pub(super) fn empty_ones(root: &Path, folders: &[RepoPath]) -> Vec<RepoPath> {
    let empty = folders
        .iter()
        .filter(|folder| is_empty(&whole(root, folder)));
    empty.cloned().collect()
}

/// Returns those of the folders that hold something.
pub(super) fn filled_ones(root: &Path, folders: &[RepoPath]) -> Vec<RepoPath> {
    let filled = folders
        .iter()
        .filter(|folder| !is_empty(&whole(root, folder)));
    filled.cloned().collect()
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use harness_core::Sourced;
    use harness_guard::network::Hosts;

    use super::*;

    fn plan(steps: &[(&str, &[&str])]) -> SetupPlan {
        let step = |(run, when): &(&str, &[&str])| {
            let when: Vec<Sourced> = when
                .iter()
                .map(|value| Sourced {
                    value: (*value).to_owned(),
                    origin: "harness.toml:1".to_owned(),
                })
                .collect();
            SetupStep::new(vec![(*run).to_owned()], &when, Hosts::default()).unwrap()
        };
        SetupPlan {
            steps: steps.iter().map(step).collect(),
            ..SetupPlan::default()
        }
    }

    #[test]
    fn a_step_is_stale_when_what_it_depends_on_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repo");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("lock"), "1").unwrap();
        let plan = plan(&[("a", &["lock"]), ("b", &[]), ("c", &["*.lock"])]);
        let keys = |version: &str| look(&plan, &root, version).unwrap().1;
        let before = keys("1");
        assert_eq!(before, keys("1"));
        let differs = |other: &[String]| {
            let pairs = before.iter().zip(other);
            pairs.map(|(one, other)| one != other).collect::<Vec<_>>()
        };
        assert_eq!(differs(&keys("2")), [false, true, false]);
        let stamps = look(&plan, &root, "1").unwrap().0.unwrap();
        assert!(stamps.still_hold());
        fs::write(root.join("lock"), "22").unwrap();
        assert!(!stamps.still_hold());
        assert_eq!(differs(&keys("1")), [true, false, false]);
        fs::write(root.join("x.lock"), "1").unwrap();
        assert_eq!(differs(&keys("1")), [true, false, true]);
    }

    #[test]
    fn a_script_that_is_not_as_it_was_trusted_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let path = |text: &str| RepoPath::parse(text).unwrap();
        fs::write(root.join("setup.sh"), "1").unwrap();
        let plan = plan(&[("setup.sh", &[]), ("out/tool", &[]), ("ci", &[])]);
        let scripts = Scripts::read(&plan, root);
        let made = [path("out")];
        fs::create_dir(root.join("out")).unwrap();
        fs::write(root.join("out/tool"), "made").unwrap();
        assert_eq!(scripts.check(root, &made), Ok(()));
        assert!(scripts.check(root, &[]).unwrap_err().contains("`out/tool`"));
        fs::write(root.join("ci"), "new").unwrap();
        assert!(scripts.check(root, &made).unwrap_err().contains("`ci`"));
        fs::remove_file(root.join("ci")).unwrap();
        fs::write(root.join("setup.sh"), "2").unwrap();
        assert!(
            scripts
                .check(root, &made)
                .unwrap_err()
                .contains("`setup.sh`")
        );
    }

    #[test]
    fn a_record_says_where_to_begin_again() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let path = |text: &str| RepoPath::parse(text).unwrap();
        fs::create_dir(root.join("modules")).unwrap();
        let empty = empty_ones(root, &[path("modules")]);
        fs::write(root.join("modules/x"), "").unwrap();
        let file = root.join("kept/work_tree.json");
        let mut record = Record::read(file.clone());
        let keys = ["1", "2"].map(str::to_owned);
        assert_eq!(record.first_stale(&keys, root), 0);
        record.add("1", filled_ones(root, &empty)).unwrap();
        record.add("2", Vec::new()).unwrap();
        let record = Record::read(file);
        assert_eq!(record.first_stale(&keys, root), 2);
        assert_eq!(record.first_stale(&["1", "3"].map(str::to_owned), root), 1);
        fs::remove_dir_all(root.join("modules")).unwrap();
        assert_eq!(record.first_stale(&keys, root), 0);
    }
}
