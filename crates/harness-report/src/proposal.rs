//! A proposal as a person reads it: one list for lines, the screen and the command that shows it.

use harness_core::{ApprovalAsked, Proposal, ProposedFeature};

use crate::{
    approval::ApprovalText,
    clean::{clean, clean_line},
};

/// The longest title that is shown. Unit: characters.
const TITLE_CHARS: usize = 240;
/// The longest line below it. Unit: characters.
const LINE_CHARS: usize = 2_000;

/// Lists a proposal's features, numbered, each with all that is said of it. All of it is cleaned.
pub fn proposal_lines(proposal: &Proposal) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, feature) in proposal.numbered() {
        lines.push(format!(
            "{number:>2}. {}",
            clean_line(&feature.title, TITLE_CHARS)
        ));
        lines.extend(
            feature_lines(feature)
                .into_iter()
                .map(|line| format!("    {line}")),
        );
    }
    lines
}

fn feature_lines(feature: &ProposedFeature) -> Vec<String> {
    let mut lines: Vec<String> = clean(&feature.description)
        .lines()
        .map(|line| line.trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let each = |what: &str, texts: &[String]| -> Vec<String> {
        let texts = texts.iter().map(|text| clean_line(text, LINE_CHARS));
        texts.map(|text| format!("{what}: {text}")).collect()
    };
    lines.extend(each("done when", &feature.acceptance));
    lines.extend(each("step", &feature.steps));
    let mut after: Vec<String> = feature
        .after
        .iter()
        .map(|after| format!("number {after}"))
        .collect();
    after.extend(feature.depends_on.iter().map(ToString::to_string));
    let lists = [
        ("after", after),
        ("writes only", feature.write.clone()),
        ("gates", feature.gates.clone()),
    ];
    for (what, texts) in lists.iter().filter(|(_, texts)| !texts.is_empty()) {
        lines.push(format!(
            "{what}: {}",
            clean_line(&texts.join(", "), LINE_CHARS)
        ));
    }
    if feature.priority != 0 {
        lines.push(format!("priority: {}", feature.priority));
    }
    lines
}

/// Counts features in words.
pub(crate) fn count(features: usize) -> String {
    match features {
        1 => "1 feature".to_owned(),
        count => format!("{count} features"),
    }
}

/// Says what a person is asked to take.
pub(crate) fn text(asked: &ApprovalAsked, proposal: &Proposal) -> ApprovalText {
    let mut body = vec![format!(
        "the goal: {}",
        clean_line(&asked.reason, LINE_CHARS)
    )];
    body.extend(proposal_lines(proposal));
    ApprovalText {
        title: match proposal.features.len() {
            1 => "Take this feature into the list?".to_owned(),
            count => format!("Take these {count} features into the list?"),
        },
        body,
    }
}
