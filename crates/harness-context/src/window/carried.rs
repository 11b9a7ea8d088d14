//! What a session goes on with when others worked on its feature before: the plan, a person's words,
//! what has changed. And what is said again when old output was dropped.
//!
//! All of it has bounds of its own and stands beside the budget, which is about what people write:
//! a session that hands over must not make the next one impossible.

use harness_core::{ChangeKind, Feature, FeatureWork, Goal, PlanItem, RunState};

use super::{Block, plan, work, work_word};
use crate::text::one_line;

/// Changed paths that are named.
const CHANGED_SHOWN_MAX: usize = 40;

/// Words what holds through a whole session, with the plan as it stands: what the first message
/// says of gates, scope and feature, in the same bytes as long as nothing was amended.
pub fn intent(run: &RunState, feature: &Feature, steps: &[PlanItem]) -> String {
    let word = work_word(&run.goal, feature);
    let parts = match run.goal {
        Goal::Plan { .. } => {
            let blocks = plan::blocks(run, feature).into_iter();
            let parts = blocks.map(|block| block.text).chain([plan::goal(feature)]);
            parts.collect::<Vec<_>>()
        }
        _ => vec![
            work::gates(&run.policy, feature),
            work::scope(word, &run.policy, feature),
            work::wanted(word, feature),
        ],
    };
    let mut text = parts.join("\n");
    if !steps.is_empty() {
        text.push_str(&format!("\n{}", planned(steps)));
    }
    text
}

/// Makes the parts that tell a session what those before it have left.
pub(super) fn blocks(word: &str, known: &FeatureWork) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !known.said.is_empty() {
        blocks.push(Block::own("person", said(&known.said)));
    }
    if known.hand_overs > 0 {
        blocks.push(Block::own("continued", continued(word, known)));
    }
    if !known.plan.is_empty() {
        blocks.push(Block::own("plan", planned(&known.plan)));
    }
    blocks
}

fn planned(plan: &[PlanItem]) -> String {
    let items: Vec<String> = plan.iter().map(|item| format!("{item}\n")).collect();
    format!("# The plan, set with `plan`\n{}", items.concat())
}

fn said(words: &[String]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|words| format!("- {}\n", words.trim().replace('\n', "\n  ")))
        .collect();
    format!("# What the person has said so far\n{}", words.concat())
}

fn continued(word: &str, known: &FeatureWork) -> String {
    let mut text = format!(
        "# You go on with this {word}\nAn earlier session worked on it until its window was full. Its note stands above, headed \
         `handed over`. What it changed is in the work tree, unproven: look at that first, then go on with the plan. Do \
         not begin anew.\n"
    );
    if known.changed.is_empty() {
        return text;
    }
    text.push_str("Changed since the work began:\n");
    for change in known.changed.iter().take(CHANGED_SHOWN_MAX) {
        let how = match change.kind {
            ChangeKind::Added => "new",
            ChangeKind::Modified => "changed",
            ChangeKind::Deleted => "deleted",
        };
        text.push_str(&format!("- {how}: {}\n", one_line(&change.path.to_text())));
    }
    let more = known.changed.len().saturating_sub(CHANGED_SHOWN_MAX);
    if more > 0 {
        text.push_str(&format!(
            "- and {more} more: `git status --short` names them\n"
        ));
    }
    text
}
