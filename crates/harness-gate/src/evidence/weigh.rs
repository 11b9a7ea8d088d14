//! What evidence is worth now, and why it is worth no more.
//!
//! Pure comparison: of the feature, the gates and the tree as they are with what
//! the file says, and of the file with itself. It finds what was copied, edited
//! in one place or made for something else; it cannot find a file that was forged
//! as a whole. Called by `verify` and by everything that shows whether a feature
//! passes.

use harness_core::{
    Baseline, CheckStatus, Feature, FeatureId, Gate, Reader, ReviewBy, Stop, TreeId,
};
use serde_json::json;

use super::{CheckRecord, Evidence, EvidenceError, Standing, gates_of};
use crate::{
    canonical, check::gates_hash, list::intent_hash, proof::own_gate_name, readers::read_report,
};

/// Why a feature that says it passes has no proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// There is no evidence.
    Missing,
    /// There is a file, and it cannot be read as evidence; the text says why.
    Unreadable(String),
    /// It is the evidence of another feature.
    OtherFeature(FeatureId),
    /// The feature meant something else when it was proven.
    OtherText,
    /// The gates were others, or defined otherwise.
    OtherGates,
    /// There are neither gates nor commands that could prove anything.
    NoGates,
    /// A gate of the feature has no check in it.
    Unchecked(String),
    /// A check in it is not green.
    NotGreen(String),
    /// It says two things that cannot both be.
    Contradiction(String),
    /// The review that is demanded now is not in it.
    Unreviewed(ReviewBy),
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no evidence"),
            Self::Unreadable(why) => write!(f, "its evidence counts for nothing: {why}"),
            Self::OtherFeature(other) => write!(f, "its evidence is that of `{other}`"),
            Self::OtherText => f.write_str("the feature was proven with another text"),
            Self::OtherGates => f.write_str("it was proven with gates defined otherwise"),
            Self::NoGates => f.write_str("there is no gate that could prove it"),
            Self::Unchecked(gate) => write!(f, "its evidence has no check of gate `{gate}`"),
            Self::NotGreen(gate) => write!(f, "gate `{gate}` is not green in its evidence"),
            Self::Contradiction(what) => write!(f, "its evidence contradicts itself: {what}"),
            Self::Unreviewed(by) => {
                let by = by.as_str();
                write!(
                    f,
                    "it was proven without the review that `[gates] review = \"{by}\"` demands"
                )
            }
        }
    }
}

impl From<EvidenceError> for Doubt {
    fn from(error: EvidenceError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// What the configuration demands of a proof, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// All gates; the feature chooses among them.
    pub gates: &'a [Gate],
    /// Who has to review a change, by the repository's own word.
    pub review: ReviewBy,
}

/// What a proof is about, as it is in some tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// [`super::content_digest`] of its files.
    pub sha256: String,
    /// [`scope_hash`] of the rules that say which files these are.
    pub scope_sha256: String,
}

/// What evidence is worth, and why where it is no proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// Its worth.
    pub standing: Standing,
    /// Why it is no proof; absent where it is one.
    pub doubt: Option<Doubt>,
}

impl From<Doubt> for Weighed {
    fn from(doubt: Doubt) -> Self {
        Self {
            standing: Standing::Claimed,
            doubt: Some(doubt),
        }
    }
}

/// Returns the hash of lists of patterns, in hexadecimal; other patterns choose other files.
pub fn scope_hash(lists: &[Vec<&str>]) -> String {
    canonical::value_hash(json!(lists))
}

/// Says why evidence is no proof of a feature at all, whatever the tree; `None` when it is one.
///
/// A review is one more gate: one that is demanded later makes a claim of what was proven without.
pub fn doubt(evidence: &Evidence, feature: &Feature, demand: Demand<'_>) -> Option<Doubt> {
    let gates = gates_of(feature, demand.gates);
    if evidence.feature != feature.id {
        return Some(Doubt::OtherFeature(evidence.feature.clone()));
    }
    if evidence.spec_sha256 != intent_hash(feature) {
        return Some(Doubt::OtherText);
    }
    if gates.is_empty() && feature.verify.is_empty() {
        return Some(Doubt::NoGates);
    }
    if evidence.gates_sha256 != gates_hash(gates.iter().copied()) {
        return Some(Doubt::OtherGates);
    }
    let is_red = |check: &&CheckRecord| check.status != CheckStatus::Green;
    if let Some(red) = evidence.checks.iter().find(is_red) {
        return Some(Doubt::NotGreen(red.gate.clone()));
    }
    let own = feature.verify.iter().zip(1..);
    let own = own.map(|(argv, number)| (own_gate_name(number), argv, None));
    let named = gates
        .iter()
        .map(|gate| (gate.name.clone(), &gate.run, Some(*gate)));
    let review = evidence.review.as_ref();
    let is_reviewed =
        || demand.review.is_none() || review.is_some_and(|review| review.satisfies(demand.review));
    named
        .chain(own)
        .find_map(|(name, argv, gate)| check_doubt(evidence, name, argv, gate))
        .or_else(|| (!is_reviewed()).then_some(Doubt::Unreviewed(demand.review)))
}

/// Weighs evidence that was read, or was not, against the tree as it is now.
///
/// `content` is asked for what the proof is about only where it matters.
///
/// # Errors
/// As `content`.
pub fn weigh<E>(
    evidence: Result<&Evidence, Doubt>,
    feature: &Feature,
    demand: Demand<'_>,
    subject_tree: &TreeId,
    content: impl FnOnce(&Evidence) -> Result<Content, E>,
) -> Result<Weighed, E> {
    let evidence = match evidence {
        Ok(evidence) => evidence,
        Err(doubt) => return Ok(doubt.into()),
    };
    if let Some(doubt) = doubt(evidence, feature, demand) {
        return Ok(doubt.into());
    }
    let content = content(evidence)?;
    let is_same = content.sha256 == evidence.content_sha256;
    let is_exact = evidence.subject_tree == *subject_tree;
    if is_exact && let Some(doubt) = tree_doubt(evidence, &content) {
        return Ok(doubt.into());
    }
    let standing = match (is_exact, is_same) {
        (true, _) => Standing::Exact,
        (false, true) => Standing::Content,
        (false, false) => Standing::Stale,
    };
    Ok(Weighed {
        standing,
        doubt: None,
    })
}

/// Says whether evidence is about another tree than the one it names; `content` is of that tree.
pub fn tree_doubt(evidence: &Evidence, content: &Content) -> Option<Doubt> {
    let same_rules = evidence.scope_sha256.as_ref() == Some(&content.scope_sha256);
    (same_rules && evidence.content_sha256 != content.sha256)
        .then(|| Doubt::Contradiction("its content is not that of the tree it names".to_owned()))
}

/// Says what is wrong with the check of one gate.
fn check_doubt(
    evidence: &Evidence,
    name: String,
    argv: &[String],
    gate: Option<&Gate>,
) -> Option<Doubt> {
    let Some(check) = evidence.checks.iter().find(|check| check.gate == name) else {
        return Some(Doubt::Unchecked(name));
    };
    let problem = if check.argv == argv {
        contradiction(check, gate, &evidence.known_failures)?
    } else {
        "another command was run"
    };
    Some(Doubt::Contradiction(format!("gate `{name}`: {problem}")))
}

/// Says why a check cannot have come out green as it is recorded; `gate` is absent for a feature's own command.
fn contradiction(
    check: &CheckRecord,
    gate: Option<&Gate>,
    known: &[String],
) -> Option<&'static str> {
    let failed = check.tests.map_or(0, |tests| tests.failed);
    let no_worse = gate.is_some_and(|gate| gate.baseline == Baseline::NoWorse);
    let is_known = failed > 0 && no_worse && known.len() >= failed as usize;
    let least = gate.map_or(0, |gate| gate.min_tests);
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match (check.exit, check.tests) {
        (None, _) => Some("it has no exit code"),
        (Some(code), _) if code != 0 && !is_known => Some("it did not end with 0"),
        _ if failed > 0 && !is_known => Some("tests failed"),
        (_, None) if least > 0 => Some("no test is counted"),
        (_, Some(tests)) if tests.run < least => Some("fewer tests ran than the gate demands"),
        _ if !is_digest(&check.output_sha256) => Some("the hash of its output is none"),
        _ if !check.tail_is_all => None,
        _ if canonical::sha256_hex(check.tail.as_bytes()) != check.output_sha256 => {
            Some("its output does not fit the hash of it")
        }
        _ => report_contradiction(check, gate?),
    }
}

/// Reads the report again where all of the output is there.
fn report_contradiction(check: &CheckRecord, gate: &Gate) -> Option<&'static str> {
    // Where the report is in files, what the command wrote is not it.
    if gate.report_file.is_some() || gate.reader == Reader::Exit {
        return None;
    }
    let stop = Stop::Exited(check.exit?);
    let read = read_report(gate.reader, &check.tail, None, stop)
        .ok()?
        .counts?;
    let said = check.tests?;
    let differs = (read.run, read.failed) != (said.run, said.failed);
    differs.then_some("its output counts other tests")
}
