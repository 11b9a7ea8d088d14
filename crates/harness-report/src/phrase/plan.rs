//! What is said about proposed features.

use harness_core::{Event, Proposal, ProposalSettled, ProposalWord};

use super::{Line, Who};
use crate::{
    clean::clean_line,
    proposal::{count, proposal_lines},
};

/// Says what a planning session comes to; nothing about any other event.
pub(super) fn lines(event: &Event) -> Vec<Line> {
    match event {
        Event::FeaturesProposed { proposal, .. } => vec![proposed(proposal)],
        Event::ProposalKept { problem, .. } if !problem.is_empty() => vec![Line::new(
            Who::Note,
            format!(
                "the proposal is kept in the log alone: {}",
                clean_line(problem, 300)
            ),
        )],
        Event::ProposalSettled(settled) => self::settled(settled),
        _ => Vec::new(),
    }
}

fn proposed(proposal: &Proposal) -> Line {
    let text = format!(
        "proposes {}, kept as {}",
        count(proposal.features.len()),
        proposal.id
    );
    Line::new(Who::Agent, text).with(proposal_lines(proposal))
}

/// Asks for a person's word; the list itself was told before.
pub(super) fn asked(proposal: &Proposal) -> Line {
    let text = match proposal.features.len() {
        1 => "take this feature into the list?".to_owned(),
        count => format!("take these {count} features into the list?"),
    };
    Line::new(Who::Ask, text)
}

fn settled(settled: &ProposalSettled) -> Vec<Line> {
    if !settled.problem.is_empty() {
        let text = format!("nothing was added: {}", clean_line(&settled.problem, 400));
        return vec![Line::new(Who::Feature, text)];
    }
    match &settled.word {
        ProposalWord::Refused { .. } => {
            vec![Line::new(
                Who::You,
                format!("{} is refused", settled.proposal),
            )]
        }
        ProposalWord::Accepted { .. } => {
            let added = settled.features.iter().map(|added| {
                let title = clean_line(&added.title, 200);
                Line::new(Who::Feature, format!("{} pending, {title}", added.feature))
            });
            let remarks = settled.remarks.iter();
            let remarks = remarks.map(|remark| Line::new(Who::Note, clean_line(remark, 400)));
            added.chain(remarks).collect()
        }
    }
}
