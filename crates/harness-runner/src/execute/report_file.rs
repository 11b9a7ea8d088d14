//! The report files of a gate: nothing of an earlier run counts, and what was written is read.
//!
//! On a checkout, whatever matches is removed before the gate runs. In the work
//! tree nothing of the person's is removed; there a file counts only when the gate
//! has written it: it is not as it was before, and not older than the gate's start.
//! What the files say is the reader's business.

use std::{collections::HashMap, path::Path, path::PathBuf, time::SystemTime};

use harness_core::{ByteCount, Gate, RepoPath};
use harness_gate::readers::{ReportFiles, ReportText};
use harness_guard::{Covering, HostAct};
use harness_host::disk::{FileText, Root, Stamp};

/// The most files of one report.
const FILES_MAX: usize = 2_000;
/// What is read of all files of one report together.
const BYTES_MAX: ByteCount = ByteCount::mib(16);

/// Where the files of a report are.
#[derive(Clone, Debug)]
pub(super) struct ReportPlace {
    folder: PathBuf,
    is_checkout: bool,
}

impl ReportPlace {
    /// Returns a checkout, which is the harness's own.
    pub(super) fn checkout(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            is_checkout: true,
        }
    }

    /// Returns the work tree, which is the person's.
    pub(super) fn work_tree(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            is_checkout: false,
        }
    }
}

/// A report that a gate is going to write.
#[derive(Debug)]
pub(super) struct Awaited {
    place: ReportPlace,
    covering: Covering,
    pattern: String,
    begun: SystemTime,
    /// What matched before and was left where it is.
    left: HashMap<RepoPath, Stamp>,
}

impl Awaited {
    /// Makes a place ready for a gate; `None` when the gate names no report file.
    ///
    /// # Errors
    /// One line for people, when what an earlier run left cannot be removed.
    pub(super) async fn before(gate: &Gate, place: ReportPlace) -> Result<Option<Self>, String> {
        let Some(pattern) = gate.report_file.clone() else {
            return Ok(None);
        };
        let covering = Covering::new(&gate.cwd, &pattern, "report_file");
        let covering = covering.map_err(|error| super::chain(&error))?;
        let ready = tokio::task::spawn_blocking(move || ready(place, covering, pattern)).await;
        ready
            .map_err(|error| format!("looking for report files was cut short: {error}"))?
            .map(Some)
    }

    /// Reads what the gate has written.
    pub(super) async fn read(self) -> ReportFiles {
        let pattern = self.pattern.clone();
        let read = tokio::task::spawn_blocking(move || self.written()).await;
        let read = read.unwrap_or_else(|error| Err(format!("reading was cut short: {error}")));
        match read {
            Ok(texts) => ReportFiles {
                pattern,
                texts,
                problem: None,
            },
            Err(problem) => ReportFiles {
                pattern,
                texts: Vec::new(),
                problem: Some(problem),
            },
        }
    }

    fn written(&self) -> Result<Vec<ReportText>, String> {
        let root = open(&self.place.folder)?;
        let (paths, files) = matching(&root, &self.covering)?;
        let files = paths.into_iter().zip(files);
        let fresh = files.filter(|(path, file)| self.is_fresh(path, &file.stamp));
        fresh
            .map(|(path, file)| {
                let text =
                    String::from_utf8(file.bytes).map_err(|_| format!("`{path}` is not UTF-8"))?;
                Ok(ReportText {
                    path: path.to_text(),
                    text,
                })
            })
            .collect()
    }

    fn is_fresh(&self, path: &RepoPath, stamp: &Stamp) -> bool {
        self.place.is_checkout
            || (self.left.get(path) != Some(stamp) && !stamp.is_older_than(self.begun))
    }
}

fn ready(place: ReportPlace, covering: Covering, pattern: String) -> Result<Awaited, String> {
    let begun = SystemTime::now();
    let root = open(&place.folder)?;
    let mut left = HashMap::new();
    if place.is_checkout {
        let stale = root.host_matching(&covering, usize::MAX);
        root.host_remove(HostAct::CheckOutCandidate, &stale)
            .map_err(|error| super::chain(&error))?;
    } else {
        let (paths, files) = matching(&root, &covering)?;
        left = paths
            .into_iter()
            .zip(files.into_iter().map(|file| file.stamp))
            .collect();
    }
    Ok(Awaited {
        place,
        covering,
        pattern,
        begun,
        left,
    })
}

fn matching(root: &Root, covering: &Covering) -> Result<(Vec<RepoPath>, Vec<FileText>), String> {
    let paths = root.host_matching(covering, FILES_MAX + 1);
    if paths.len() > FILES_MAX {
        return Err(format!("more than {FILES_MAX} files match"));
    }
    let files = root.host_read_files(&paths, BYTES_MAX);
    let files = files.map_err(|error| super::chain(&error))?;
    Ok((paths, files))
}

fn open(folder: &Path) -> Result<Root, String> {
    Root::open(folder).map_err(|error| super::chain(&error))
}
