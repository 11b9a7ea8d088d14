//! Words of a session that plans.

use harness_core::{AddedFeature, FeatureId};

/// How much of the agent's last words is told to a person. Unit: characters.
const LAST_WORDS_MAX: usize = 600;

/// The answer to a call that changes something, or claims something, in a session that plans.
pub(crate) const ONLY_PLANS: &str = "this session plans and changes nothing: look around, `ask` what only a person can decide, then `propose`";
/// The answer to a proposal in a session that works.
pub(crate) const PROPOSES_ONLY_IN_PLAN: &str = "features are proposed in a session of `harness plan` only; use `note` for what should be done later";
/// The answer to a proposal that the person does not want.
pub(crate) const PROPOSAL_REFUSED: &str = "the person refused the proposal";
/// What the agent is told when it stops without a proposal.
pub(crate) const STOPPED_WITHOUT_PROPOSAL: &str =
    "You stopped without a proposal. Call `propose` with the whole list, or `ask` what is missing.";

/// Words for a proposal that cannot be taken as it is.
pub(crate) fn bad_proposal(problems: &str) -> String {
    format!(
        "the proposal cannot be taken as it is, mend it and propose the whole list again:\n{problems}"
    )
}

/// Words for a person who wants the proposal otherwise.
pub(crate) fn otherwise(reason: &str) -> String {
    format!(
        "The person wants it otherwise: {}\nPropose the whole list again.",
        reason.trim()
    )
}

/// Words for a proposal that was taken.
pub(crate) fn taken(features: &[AddedFeature]) -> String {
    let names: Vec<String> = features
        .iter()
        .map(|added| format!("{} as {}", added.number, added.feature))
        .collect();
    format!(
        "The person has taken the proposal; these are in the list now: {}.",
        names.join(", ")
    )
}

/// Words for a person whose yes could not be carried out.
pub(crate) fn not_added(proposal: &FeatureId, problem: &str) -> String {
    format!(
        "nothing was added to the list: {problem}; mend that, then `harness plan --accept {proposal}`"
    )
}

/// Words for a person who was not there to look at a proposal.
pub(crate) fn proposal_waits(proposal: &FeatureId, count: usize) -> String {
    let features = if count == 1 {
        "1 feature waits".to_owned()
    } else {
        format!("{count} features wait")
    };
    format!(
        "{features} for your word: `harness plan --show {proposal}`, then `harness plan --accept {proposal}` or `--reject {proposal}`"
    )
}

/// Words for a person whose agent proposed nothing.
pub(crate) fn no_proposal(last_words: &str) -> String {
    let mut said: String = last_words.trim().chars().take(LAST_WORDS_MAX).collect();
    if said.is_empty() {
        "nothing".clone_into(&mut said);
    }
    format!("the agent proposed no features; it said: {said}")
}

/// Tells the agent how the gates stand where features will begin.
pub(crate) fn base_gates(red: &[String]) -> String {
    if red.is_empty() {
        return "[harness] All gates are green on the base.".to_owned();
    }
    format!(
        "[harness] Not green on the base: {}. No feature can be proven before that is mended; say so in a note.",
        red.join("; ")
    )
}

/// Tells the agent that nobody knows how the gates stand.
pub(crate) fn base_unknown(message: &str) -> String {
    format!("[harness] The gates could not be run on the base: {message}")
}
