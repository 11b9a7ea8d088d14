//! What a reviewer is asked about a change, and what its answer means.
//!
//! The form is fixed, and so is the threshold of each criterion: the answer is read, never
//! believed beyond its form. A review can stand in the way of a change; that it does not is one
//! more thing a change needs, and takes the place of no gate. Nothing here asks a model:
//! the engine does.

mod change;
mod record;

use harness_core::{
    Feature, Finding, FindingKind, Mark, Remark, RemarkKind, RepoPath, ReviewVerdict, TreeId,
};
use serde::Deserialize;

use crate::{canonical, integrity};

pub use change::{ChangedFile, worded};
pub use record::{JudgedRecord, ReviewRecord};

/// The longest answer that is read. Unit: bytes.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The most remarks that are kept.
pub const REMARKS_MAX: usize = 20;
/// The most criteria of its own that a feature is judged by; more are joined to the last one.
pub const CRITERIA_MAX: usize = 40;
/// The longest reason that is kept. Unit: characters.
const WHY_CHARS: usize = 600;
/// The longest place that is kept. Unit: characters.
const PLACE_CHARS: usize = 200;
/// The best score.
const BEST: u8 = 3;

/// What every change is judged by as a whole: the word, the least score that is enough, and what it means.
const OF_THE_WHOLE: [(&str, u8, &str); 4] = [
    (
        "correctness",
        2,
        "the change does what it is for, in edge cases too",
    ),
    (
        "tests",
        2,
        "its tests would fail without the change and prove what is asked for",
    ),
    ("scope", 2, "nothing is in it that the work does not need"),
    (
        "security",
        3,
        "it opens no hole, leaks nothing, and trusts no input it should not",
    ),
];

/// Something a change is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// What it goes by in the form.
    pub id: String,
    /// The least score that is enough.
    pub needed: u8,
    /// What is asked, in the person's words for the feature's own.
    pub text: String,
}

/// What an answer says, with what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What follows: never [`ReviewVerdict::Failed`].
    pub verdict: ReviewVerdict,
    /// One per criterion, in their order.
    pub marks: Vec<Mark>,
    /// The weightiest first, at most [`REMARKS_MAX`].
    pub remarks: Vec<Remark>,
    /// How many more there were.
    pub left_out: u32,
}

/// Why an answer is no judgement; worded for the model that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// It is too long to be read.
    #[error("the answer has more than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    /// It is not one JSON object of the form and nothing else.
    #[error("it is not exactly one JSON object of this form: {0}")]
    Syntax(String),
    /// A criterion was judged twice.
    #[error("`{0}` has two marks")]
    Doubled(String),
    /// A criterion was not judged.
    #[error("`{0}` has no mark")]
    Missing(String),
    /// There is no such criterion.
    #[error("there is no criterion `{0}`")]
    Unknown(String),
    /// A score is not one.
    #[error("the score of `{0}` must be 0, 1, 2 or 3")]
    NoScore(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    marks: Vec<FormMark>,
    findings: Vec<FormFinding>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormMark {
    criterion: String,
    score: u64,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormFinding {
    kind: RemarkKind,
    #[serde(default)]
    at: String,
    why: String,
}

/// Returns what a change for a feature is judged by: its acceptance criteria, then the change as a whole.
pub fn criteria(feature: &Feature) -> Vec<Criterion> {
    let mut wanted: Vec<String> = feature.acceptance.clone();
    if wanted.is_empty() {
        wanted.push("what the feature's title and description ask for".to_owned());
    }
    if wanted.len() > CRITERIA_MAX {
        let rest = wanted.split_off(CRITERIA_MAX - 1);
        wanted.push(rest.join("; "));
    }
    let own = wanted.into_iter().zip(1..).map(|(text, number)| Criterion {
        id: format!("A{number}"),
        needed: 2,
        text,
    });
    let whole = OF_THE_WHOLE.iter().map(|(id, needed, text)| Criterion {
        id: (*id).to_owned(),
        needed: *needed,
        text: (*text).to_owned(),
    });
    own.chain(whole).collect()
}

/// Reads a reviewer's answer.
///
/// The whole answer must be one JSON object of the form, between one pair of code fences or
/// none: text around it, a second object, an unknown or doubled field or criterion and a missing mark
/// are no judgement, so that nothing quoted can pass for one.
///
/// # Errors
/// When it is no judgement; the text tells its writer what to mend.
pub fn read(answer: &str, criteria: &[Criterion]) -> Result<Judgement, FormError> {
    if answer.len() > ANSWER_BYTES_MAX {
        return Err(FormError::TooLong);
    }
    let form: Form = serde_json::from_str(unfenced(answer.trim()))
        .map_err(|error| FormError::Syntax(error.to_string()))?;
    let marks = marks(form.marks, criteria)?;
    let mut remarks: Vec<Remark> = form.findings.iter().map(remark).collect();
    remarks.sort_by_key(|remark| remark.kind);
    let is_grave = remarks
        .iter()
        .any(|remark| remark.kind == RemarkKind::MustFix);
    let is_enough = marks.iter().all(Mark::is_enough);
    let left_out = remarks.len().saturating_sub(REMARKS_MAX);
    remarks.truncate(REMARKS_MAX);
    Ok(Judgement {
        verdict: if is_enough && !is_grave {
            ReviewVerdict::Approved
        } else {
            ReviewVerdict::Refused
        },
        marks,
        remarks,
        left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
    })
}

/// Makes what a person approves who reviews a change: it stands for exactly this tree.
pub fn not_reviewed(tree: &TreeId, message: String, hunk: String) -> Finding {
    let about = "the change has to be reviewed".to_owned();
    let finding = Finding::of_path(FindingKind::NotReviewed, RepoPath::root(), about);
    let finding = integrity::with_change(finding, [tree.as_str()]);
    Finding {
        message,
        hunk,
        ..finding
    }
}

/// Returns the SHA-256 of texts, one after the other, each with its length before it, in hexadecimal.
pub fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts = texts.into_iter();
    let all: String = texts.map(|text| format!("{}:{text}", text.len())).collect();
    canonical::sha256_hex(all.as_bytes())
}

fn marks(said: Vec<FormMark>, criteria: &[Criterion]) -> Result<Vec<Mark>, FormError> {
    let mut marks: Vec<Option<Mark>> = vec![None; criteria.len()];
    for mark in said {
        let id = bounded(&mark.criterion, PLACE_CHARS);
        let at = criteria
            .iter()
            .position(|criterion| criterion.id == mark.criterion);
        let at = at.ok_or_else(|| FormError::Unknown(id.clone()))?;
        let score = u8::try_from(mark.score)
            .ok()
            .filter(|score| *score <= BEST)
            .ok_or_else(|| FormError::NoScore(id.clone()))?;
        if marks[at].is_some() {
            return Err(FormError::Doubled(id));
        }
        marks[at] = Some(Mark {
            criterion: id,
            score,
            needed: criteria[at].needed,
            why: bounded(&mark.why, WHY_CHARS),
        });
    }
    let named = criteria.iter().zip(marks);
    named
        .map(|(criterion, mark)| mark.ok_or_else(|| FormError::Missing(criterion.id.clone())))
        .collect()
}

fn remark(said: &FormFinding) -> Remark {
    Remark {
        kind: said.kind,
        at: bounded(&said.at, PLACE_CHARS),
        why: bounded(&said.why, WHY_CHARS),
    }
}

/// Returns what stands between one pair of code fences, where the text is just that.
fn unfenced(text: &str) -> &str {
    let inner = text.strip_prefix("```").and_then(|rest| {
        let (word, rest) = rest.split_once('\n')?;
        let is_word = matches!(word.trim(), "" | "json");
        rest.strip_suffix("```").filter(|_| is_word)
    });
    inner.unwrap_or(text)
}

/// Returns a text on one line, bounded.
fn bounded(text: &str, chars: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= chars {
        return line;
    }
    let kept: String = line.chars().take(chars).collect();
    format!("{kept} [...]")
}

#[cfg(test)]
mod tests;
