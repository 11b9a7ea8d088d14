//! Gates as they are defined, and checks as they came out.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Captured, RepoPath, Stop};

/// What must be green before a feature is done: one command and how its report is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its name, unique in the configuration.
    pub name: String,
    /// The argv; there is no shell.
    pub run: Vec<String>,
    /// The working folder.
    #[serde(default)]
    pub cwd: RepoPath,
    /// Names of environment variables it gets beside the allow-list.
    #[serde(default)]
    pub environment: Vec<String>,
    /// How long it may run.
    pub timeout: Duration,
    /// How its report is read.
    pub reader: Reader,
    /// Pattern of the files its report stands in, from `cwd`; absent where the output is the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_file: Option<String>,
    /// The least number of tests; 0 where the reader counts none.
    #[serde(default)]
    pub min_tests: u32,
    /// When it runs on its own; every gate runs at `finish`.
    #[serde(default)]
    pub when: When,
    /// What is demanded where the base was red already.
    #[serde(default)]
    pub baseline: Baseline,
    /// Patterns of the files that concern it; all files when empty.
    #[serde(default)]
    pub paths: Vec<String>,
    /// How often it is run again when it is red: 0 or 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub flaky_retries: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Gate {
    /// How long a gate may run that does not say.
    pub const TIMEOUT: Duration = Duration::from_secs(600);

    /// Makes a gate of a command alone: it runs at a finish, from the root, and counts by its exit code.
    pub fn named(name: impl Into<String>, run: Vec<String>) -> Self {
        Self {
            name: name.into(),
            run,
            cwd: RepoPath::root(),
            environment: Vec::new(),
            timeout: Self::TIMEOUT,
            reader: Reader::Exit,
            min_tests: 0,
            when: When::default(),
            baseline: Baseline::default(),
            paths: Vec::new(),
            report_file: None,
            flaky_retries: 0,
        }
    }
}

/// How the report of a check is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// `cargo test` or `cargo nextest run`, told apart by their text.
    Cargo,
    /// The Test Anything Protocol.
    Tap,
    /// The exit code alone; no tests are counted.
    Exit,
    /// `pytest`, in any of its verbosities that has a summary.
    Pytest,
    /// JUnit's XML, in report files.
    Junit,
    /// `go test -json` or `go test -v`.
    Go,
    /// `node --test`, with its reporter `spec` or `tap`.
    Node,
    /// The JSON of `jest --json`, in the output or in a report file.
    Jest,
    /// The JSON of `vitest run --reporter=json`, in the output or in a report file.
    Vitest,
}

impl Reader {
    /// Every reader, in the order in which they are told.
    pub const ALL: [Self; 9] = [
        Self::Cargo,
        Self::Pytest,
        Self::Junit,
        Self::Tap,
        Self::Go,
        Self::Node,
        Self::Jest,
        Self::Vitest,
        Self::Exit,
    ];

    /// Whether the report names its tests, so that old failures can be told from new ones.
    pub const fn names_tests(self) -> bool {
        !matches!(self, Self::Exit)
    }

    /// Whether its report stands in files, may stand there, or never does.
    pub const fn report_file(self) -> ReportFile {
        match self {
            Self::Junit => ReportFile::Required,
            Self::Jest | Self::Vitest => ReportFile::Allowed,
            Self::Cargo | Self::Pytest | Self::Tap | Self::Go | Self::Node | Self::Exit => {
                ReportFile::Refused
            }
        }
    }

    /// Returns the word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Tap => "tap",
            Self::Exit => "exit",
            Self::Pytest => "pytest",
            Self::Junit => "junit",
            Self::Go => "go",
            Self::Node => "node",
            Self::Jest => "jest",
            Self::Vitest => "vitest",
        }
    }
}

/// What a reader says to a report in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFile {
    /// It reads nothing else.
    Required,
    /// It reads them instead of the output where a gate names some.
    Allowed,
    /// It reads the output alone.
    Refused,
}

/// When a gate runs on its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// After an edit, as information.
    Edit,
    /// After a turn, as information.
    Turn,
    /// Only when the agent says it is done.
    #[default]
    Finish,
}

/// What is demanded of a gate whose base is red.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// The base must be green.
    #[default]
    Strict,
    /// Nothing red that was green at base.
    NoWorse,
}

/// Colour of a check or of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Everything demanded was shown.
    Green,
    /// It failed.
    Red,
    /// It could not be run or its report could not be read.
    Error,
    /// It ran out of time.
    Timeout,
}

impl fmt::Display for CheckStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::Error => "error",
            Self::Timeout => "timeout",
        })
    }
}

/// How many tests a report speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCounts {
    /// Tests that ran, passed or failed.
    pub run: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were skipped or ignored.
    pub skipped: u32,
}

/// One check as it came out: facts of the run and of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The gate it belongs to.
    pub gate: String,
    /// What was run.
    pub argv: Vec<String>,
    /// How it ended; absent when it could not be started.
    pub stop: Option<Stop>,
    /// How long it took. Unit: milliseconds.
    pub ms: u64,
    /// Its colour.
    pub status: CheckStatus,
    /// Why it is not green, one line; empty when it is.
    pub reason: String,
    /// The tests it speaks of; absent with a reader that counts none.
    pub tests: Option<TestCounts>,
    /// Names of the failed tests, at most 200.
    #[serde(default)]
    pub failed_tests: Vec<String>,
    /// The failing part for the agent, at most 8 KiB; empty when green.
    pub excerpt: String,
    /// What it wrote.
    pub output: Captured,
    /// SHA-256 of everything it wrote, in hexadecimal.
    pub output_sha256: String,
    /// Whether it was red at first and run a second time; the rest is about that run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retried: bool,
}

/// Something in a change that a person has to look at before it can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind it is.
    pub kind: FindingKind,
    /// Where.
    pub path: RepoPath,
    /// What was found, one line.
    pub message: String,
    /// The line where it is, from 1: in the new text, or in the old one for what is gone;
    /// absent where a file is meant and no line of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What it goes by: eight hexadecimal digits over kind, path, message and exactly this
    /// change. Empty in logs of earlier versions, and then nothing can approve it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The change it is about, with a few lines around it; cut where it is very long.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hunk: String,
}

impl Finding {
    /// Makes a finding about a path as a whole, which has no id yet.
    pub const fn of_path(kind: FindingKind, path: RepoPath, message: String) -> Self {
        Self {
            kind,
            path,
            message,
            line: None,
            id: String::new(),
            hunk: String::new(),
        }
    }

    /// Returns where it is: the path, with the line where one is meant.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.path),
            None => self.path.to_string(),
        }
    }
}

/// Kinds of integrity findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A path outside the scope has changed.
    OutsideScope,
    /// A protected path has changed.
    Protected,
    /// A file that decides how gates run has changed.
    GateAffecting,
    /// Tests were removed.
    TestsRemoved,
    /// Tests were skipped or ignored.
    TestsSkipped,
    /// There are fewer assertions, or trivial ones.
    AssertionsWeakened,
    /// A lint was silenced.
    LintSilenced,
    /// A gate changed files while it ran.
    GateChangedFiles,
    /// Something that looks like a key or token was added.
    SecretAdded,
    /// Tests have another name.
    TestsRenamed,
    /// A number that gates hold the work to became weaker.
    ThresholdLowered,
    /// A snapshot, a fixture or an expected output that was there has changed or is gone.
    SnapshotChanged,
    /// Nobody has reviewed the change who has to; it is about the whole of it.
    NotReviewed,
}

impl FindingKind {
    /// Returns the word of the log, of the evidence and of JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutsideScope => "outside_scope",
            Self::Protected => "protected",
            Self::GateAffecting => "gate_affecting",
            Self::TestsRemoved => "tests_removed",
            Self::TestsSkipped => "tests_skipped",
            Self::AssertionsWeakened => "assertions_weakened",
            Self::LintSilenced => "lint_silenced",
            Self::GateChangedFiles => "gate_changed_files",
            Self::SecretAdded => "secret_added",
            Self::TestsRenamed => "tests_renamed",
            Self::ThresholdLowered => "threshold_lowered",
            Self::SnapshotChanged => "snapshot_changed",
            Self::NotReviewed => "not_reviewed",
        }
    }
}
