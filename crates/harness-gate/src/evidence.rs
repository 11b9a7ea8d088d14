//! The recorded proof of a feature: its file, its content digest, and what it is worth now.
//!
//! Evidence is a record and not a signature: comparing it shows that it fits
//! the feature, the gates and the tree, not that the gates ran. The runner
//! writes it beside the commit; `verify` and the feature list read it.

mod control;
mod isolation;
mod rerun;
mod weigh;

use harness_core::{
    ApprovedFinding, ApprovedHow, BlobId, CheckReport, CheckStatus, CommitId, Feature, FeatureId,
    Finding, FindingKind, Gate, Level, RepoPath, SessionId, Stop, TestCounts, TreeId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    canonical,
    review::ReviewRecord,
    text::{tail_lines, without_escapes},
};

pub use control::{ControlCheckRecord, ControlRecord};
pub use isolation::Isolation;
pub use rerun::{Difference, differences};
pub use weigh::{Content, Demand, Doubt, Weighed, doubt, scope_hash, tree_doubt, weigh};

/// The largest evidence file read. Unit: bytes.
pub const EVIDENCE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is kept of the end of a check's output. Unit: bytes.
const TAIL_BYTES_MAX: usize = 2 * 1024;

/// The schema this version writes, and the highest it reads.
pub const SCHEMA: u32 = 1;

/// The proof behind a passing feature, as its file holds it. Fields are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The version of the format: [`SCHEMA`].
    pub schema: u32,
    /// The feature.
    pub feature: FeatureId,
    /// [`intent_hash`](crate::list::intent_hash) of the feature.
    pub spec_sha256: String,
    /// [`gates_hash`](crate::check::gates_hash) of the feature's gates.
    pub gates_sha256: String,
    /// The tree the gates ran on: the candidate without host-owned paths.
    pub subject_tree: TreeId,
    /// The commit the run began from.
    pub base: CommitId,
    /// [`content_digest`] of what the proof is about.
    pub content_sha256: String,
    /// The paths the feature changed, sorted: they belong to its content wherever they lie.
    #[serde(default)]
    pub changed: Vec<RepoPath>,
    /// [`scope_hash`] of the rules that said what belongs to its content; absent in older evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_sha256: Option<String>,
    /// The checks, in the order they ran.
    pub checks: Vec<CheckRecord>,
    /// Whether the checks ran on a clean checkout.
    pub isolated: bool,
    /// What confined them.
    pub level: Level,
    /// What they ran on; absent in what older versions wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// Folders of the work tree that they could read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub linked: Vec<RepoPath>,
    /// What was found in the change and approved by a person.
    pub findings: Vec<FindingRecord>,
    /// How the added tests came out on the base; null in evidence of earlier versions.
    #[serde(default)]
    pub negative_control: Option<ControlRecord>,
    /// The session that did it.
    pub session: SessionId,
    /// The hash of the last record of the session's log when this was written.
    pub log_head: String,
    /// Names of tests that were red on the base and still are.
    #[serde(default)]
    pub known_failures: Vec<String>,
    /// Who reviewed the change; absent where nobody had to, and in evidence of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewRecord>,
}

/// One check in the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// The gate.
    pub gate: String,
    /// What was run.
    pub argv: Vec<String>,
    /// The exit code; null when it ended otherwise.
    pub exit: Option<i32>,
    /// How long it took. Unit: milliseconds.
    pub ms: u64,
    /// The tests it counted; null with a reader that counts none.
    pub tests: Option<TestsRecord>,
    /// SHA-256 of everything it wrote, in hexadecimal.
    pub output_sha256: String,
    /// Its colour.
    pub status: CheckStatus,
    /// The end of what it wrote, at most 2 KiB cut at line ends.
    #[serde(default)]
    pub tail: String,
    /// Whether `tail` is all it wrote, to the byte, so that `output_sha256` is the hash of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tail_is_all: bool,
    /// Whether it was red at first and green on the second run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retried: bool,
}

impl CheckRecord {
    /// Returns the record with another tail, such as one without secrets.
    #[must_use]
    pub fn with_tail(self, tail: String) -> Self {
        Self {
            tail_is_all: canonical::sha256_hex(tail.as_bytes()) == self.output_sha256,
            tail,
            ..self
        }
    }
}

/// Counted tests in the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestsRecord {
    /// Tests that ran.
    pub run: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were skipped.
    pub skipped: u32,
}

/// An integrity finding in the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// What kind it is.
    pub kind: FindingKind,
    /// Where.
    pub path: RepoPath,
    /// What was found.
    pub message: String,
    /// Its id, which stands for exactly this change.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The line where it is, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The person's approval; absent in evidence of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<ApprovalRecord>,
}

/// That a person approved a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRecord {
    /// When, as a UTC time to the second.
    pub time: String,
    /// How they said so: `asked` or `flag`.
    pub how: ApprovedHow,
}

impl FindingRecord {
    /// Makes the record of a finding with the approval that is about it, if there is one.
    pub fn new(finding: &Finding, approved: &[ApprovedFinding]) -> Self {
        let approval = approved.iter().find(|approved| approved.is_about(finding));
        Self {
            approved: approval.map(|approved| ApprovalRecord {
                time: approved.time.to_seconds_text(),
                how: approved.how,
            }),
            ..Self::from(finding)
        }
    }
}

/// Why a file is no evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The file is larger than [`EVIDENCE_BYTES_MAX`].
    #[error("the evidence has {bytes} bytes, more than can be read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It is no JSON, or not that of evidence.
    #[error("cannot read the evidence: {message}")]
    Syntax {
        /// What is wrong, with line and column.
        message: String,
    },
    /// It was written by a newer version.
    #[error("the evidence has schema {found}, this version reads schema {SCHEMA}")]
    Schema {
        /// The schema found.
        found: u64,
    },
}

impl Evidence {
    /// Returns the file's text: JSON with an indent of two and a newline at the end.
    pub fn render(&self) -> String {
        let json = serde_json::to_string_pretty(self)
            .expect("evidence has text keys and no value that JSON cannot hold");
        format!("{json}\n")
    }

    /// Reads a file's text; unknown fields are ignored.
    ///
    /// # Errors
    /// When the text is too large, is not the JSON of evidence, or has a newer schema.
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        if text.len() > EVIDENCE_BYTES_MAX {
            return Err(EvidenceError::TooLarge { bytes: text.len() });
        }
        let syntax = |error: serde_json::Error| EvidenceError::Syntax {
            message: error.to_string(),
        };
        let value: Value = serde_json::from_str(text).map_err(syntax)?;
        // A newer file may differ in any field, so its version is looked at first.
        match value.get("schema").and_then(Value::as_u64) {
            Some(found) if found > u64::from(SCHEMA) => Err(EvidenceError::Schema { found }),
            _ => serde_json::from_value(value).map_err(syntax),
        }
    }
}

impl From<&CheckReport> for CheckRecord {
    fn from(report: &CheckReport) -> Self {
        let output = &report.output;
        let end = if output.tail.is_empty() {
            &output.head
        } else {
            &output.tail
        };
        let record = Self {
            gate: report.gate.clone(),
            argv: report.argv.clone(),
            exit: match report.stop {
                Some(Stop::Exited(code)) => Some(code),
                _ => None,
            },
            ms: report.ms,
            tests: report.tests.map(TestsRecord::from),
            output_sha256: report.output_sha256.clone(),
            status: report.status,
            tail: String::new(),
            tail_is_all: false,
            retried: report.retried,
        };
        record.with_tail(tail_lines(&without_escapes(end), TAIL_BYTES_MAX).to_owned())
    }
}

impl From<TestCounts> for TestsRecord {
    fn from(counts: TestCounts) -> Self {
        Self {
            run: counts.run,
            failed: counts.failed,
            skipped: counts.skipped,
        }
    }
}

impl From<&Finding> for FindingRecord {
    fn from(finding: &Finding) -> Self {
        Self {
            kind: finding.kind,
            path: finding.path.clone(),
            message: finding.message.clone(),
            id: finding.id.clone(),
            line: finding.line,
            approved: None,
        }
    }
}

/// Returns the SHA-256 over files: their paths, modes and contents, in hexadecimal.
///
/// The order of `entries` and repetitions do not matter. Each is hashed as its
/// path, a NUL byte, the mode in octal, a space, the blob's name and a newline.
pub fn content_digest<'a>(
    entries: impl Iterator<Item = (&'a RepoPath, u32, &'a BlobId)>,
) -> String {
    let mut entries: Vec<_> = entries.collect();
    entries.sort();
    entries.dedup();
    let mut hash = Sha256::new();
    for (path, mode, blob) in entries {
        hash.update(path.as_bytes());
        hash.update(format!("\0{mode:o} {blob}\n"));
    }
    canonical::hex(&hash.finalize())
}

/// Returns the gates a feature must pass: those it names, or all where it names none.
pub fn gates_of<'a>(feature: &Feature, gates: &'a [Gate]) -> Vec<&'a Gate> {
    let concerns = |gate: &&Gate| feature.gates.is_empty() || feature.gates.contains(&gate.name);
    gates.iter().filter(concerns).collect()
}

/// What a feature's evidence is worth, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It is about exactly this tree.
    Exact,
    /// The tree is another, what the proof is about is the same.
    Content,
    /// The feature and its gates are the same, the content has moved on.
    Stale,
    /// There is none, or it is about another feature text or other gates.
    Claimed,
}

impl Standing {
    /// Returns the word of output and JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Content => "content",
            Self::Stale => "stale",
            Self::Claimed => "claimed",
        }
    }

    /// Whether a feature that says it passes counts as passing.
    pub const fn is_proof(self) -> bool {
        !matches!(self, Self::Claimed)
    }
}

/// Weighs a feature's evidence against the feature, the gates and the tree as they are now.
///
/// `content_sha256` is the [`content_digest`] of the same files now, where it
/// has been computed. Evidence that lacks a green check of one of the gates is
/// no proof.
pub fn standing(
    evidence: Option<&Evidence>,
    feature: &Feature,
    demand: Demand<'_>,
    subject_tree: &TreeId,
    content_sha256: Option<&str>,
) -> Standing {
    let Some(evidence) = evidence.filter(|evidence| doubt(evidence, feature, demand).is_none())
    else {
        return Standing::Claimed;
    };
    if evidence.subject_tree == *subject_tree {
        Standing::Exact
    } else if content_sha256 == Some(evidence.content_sha256.as_str()) {
        Standing::Content
    } else {
        Standing::Stale
    }
}

#[cfg(test)]
mod tests;
