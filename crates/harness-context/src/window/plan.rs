//! The first window of a session that plans: the goal, and what features will have to keep to.

use harness_core::{Feature, FeatureStatus, Policy, RunState};

use super::{Block, work};
use crate::text::one_line;

/// How many features of the list are named: open ones first.
const LISTED_MAX: usize = 100;
/// How much of a title is shown. Unit: characters.
const TITLE_CHARS: usize = 120;

/// Says what proves features, where they may write, and what the list has already.
pub(super) fn blocks(run: &RunState, goal: &Feature) -> Vec<Block> {
    let mut blocks = vec![
        Block::own("gates", gates(&run.policy, goal)),
        Block::own("scope", scope(&run.policy, goal)),
    ];
    let listed = listed(run, goal);
    if !listed.is_empty() {
        blocks.push(Block::data(
            "features",
            "Features of the list, with ids",
            &listed,
        ));
    }
    blocks
}

/// Words the goal, and where what is taken will stand.
pub(super) fn goal(goal: &Feature) -> String {
    format!("# The goal {}\n{}\n", goal.id, goal.description.trim())
}

fn gates(policy: &Policy, goal: &Feature) -> String {
    if policy.gates.is_empty() {
        return "# Gates\nNone: nothing could be proven. Say so in a note; the first feature may bring a test runner.\n"
            .to_owned();
    }
    work::gates(policy, goal).replace(
        "# Gates, all green before it is done",
        "# Gates, by default all of them prove each feature",
    )
}

/// Words the repository's scope: the goal has it as its own, and the session itself none.
fn scope(policy: &Policy, goal: &Feature) -> String {
    let mut of_features = policy.clone();
    of_features.scope.write.clear();
    let text = work::scope("feature", &of_features, goal);
    let text = text.replacen("May be written:", "Features may write:", 1);
    format!("{text}This session itself writes nothing.\n")
}

fn listed(run: &RunState, goal: &Feature) -> String {
    let of_list = || run.features.iter().filter(|feature| feature.id != goal.id);
    let open = of_list().filter(|feature| !feature.status.is_settled());
    let settled = of_list().filter(|feature| feature.status.is_settled());
    let line = |feature: &Feature| {
        let title: String = one_line(&feature.title).chars().take(TITLE_CHARS).collect();
        let word = match feature.status {
            FeatureStatus::Pending => "open",
            status => status.as_str(),
        };
        format!("{} ({word}): {title}", feature.id)
    };
    let mut lines: Vec<String> = open.chain(settled).take(LISTED_MAX).map(line).collect();
    let more = of_list().count().saturating_sub(LISTED_MAX);
    if more > 0 {
        lines.push(format!("[{more} more left out]"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
