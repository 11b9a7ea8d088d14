//! Asks in plain lines what becomes of proposed features; the list was printed before.

use std::time::Instant;

use harness_core::{ApprovalAnswer, Proposal};

use super::DEAD;
use crate::{ask, output::say};

const PROMPT: &str = "\
  y           take all of it
  w 2,5       take it without these numbers
  d           refuse the whole
  anything else tells the agent what should be different
: ";

/// Asks until an answer says something; `None` at the end of input.
pub(crate) fn ask_features(proposal: &Proposal) -> Option<ApprovalAnswer> {
    loop {
        let shown = Instant::now();
        let line = ask::line(PROMPT)?;
        if shown.elapsed() < DEAD {
            say("that was typed before the question was there; once more");
            continue;
        }
        match answer(&line, proposal) {
            Ok(answer) => return Some(answer),
            Err(why) => say(&why),
        }
    }
}

/// Reads an answer.
///
/// # Errors
/// Why it is none.
fn answer(line: &str, proposal: &Proposal) -> Result<ApprovalAnswer, String> {
    let line = line.trim();
    let numbers = line
        .strip_prefix("w ")
        .or_else(|| line.strip_prefix("without "));
    if let Some(numbers) = numbers {
        let without = proposal.read_numbers(numbers)?;
        return Ok(ApprovalAnswer::Part { without });
    }
    match line {
        "" | "w" | "without" | "n" | "N" | "no" => Err(
            "y takes all, `w 2,5` leaves some out, d refuses; or say what should be different"
                .to_owned(),
        ),
        "y" | "Y" | "yes" => Ok(ApprovalAnswer::Part {
            without: Vec::new(),
        }),
        "d" | "D" => Ok(ApprovalAnswer::Never),
        text => Ok(ApprovalAnswer::No {
            reason: text.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use harness_core::{FeatureId, ProposedFeature};

    use super::*;

    fn proposal() -> Proposal {
        Proposal {
            id: FeatureId::plan(1),
            goal: String::new(),
            notes: Vec::new(),
            decided: Vec::new(),
            features: vec![ProposedFeature::default(); 5],
        }
    }

    #[test]
    fn only_a_key_takes_and_words_go_back_to_the_agent() {
        let part = |without: &[u16]| ApprovalAnswer::Part {
            without: without.to_vec(),
        };
        for (line, expected) in [
            ("y", part(&[])),
            (" yes ", part(&[])),
            ("w 5, 2", part(&[2, 5])),
            ("without 3", part(&[3])),
            ("d", ApprovalAnswer::Never),
            (
                "yes but smaller",
                ApprovalAnswer::No {
                    reason: "yes but smaller".to_owned(),
                },
            ),
        ] {
            assert_eq!(answer(line, &proposal()), Ok(expected), "{line}");
        }
        for line in ["", "n", "w", "w 6", "w x", "w 1 2 3 4 5"] {
            assert!(answer(line, &proposal()).is_err(), "{line}");
        }
    }
}
