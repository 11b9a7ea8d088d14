//! `harness hook stop`: whether another agent may stop, judged by the repository's gates.
//!
//! The agent is none of ours: nothing confines it and nothing it says is believed.
//! What it left in the work tree is looked at, as a finish looks at it. A hook must
//! never be in the way of a person: where nothing can be judged it says so and lets go.

mod blocks;
mod input;
mod judge;

use serde_json::json;

use self::{blocks::Blocks, input::Input, judge::Judgement};
use crate::{
    cli::{Common, Hook},
    compose::Site,
    failure::Failure,
    output::{self, say},
};

/// Exit code for input that is no hook's; 2 would mean to block.
const NO_INPUT: u8 = 1;

pub(super) fn run(common: &Common, hook: &Hook) -> Result<u8, Failure> {
    let Hook::Stop { feature } = hook;
    let input = match Input::read() {
        Ok(input) => input,
        Err(why) => {
            say(&format!(
                "error: cannot read the hook's input: {why}\nhint: an agent calls this; `harness gate run` is for people"
            ));
            return Ok(NO_INPUT);
        }
    };
    let common = input.placed(common);
    match judge::work_tree(&common, feature.as_deref()) {
        Ok(judged) => answer(&judged.site, &input, judged.judgement, judged.attempts),
        // Whatever is in the way, it is not the agent's to mend, and no reason to hold it.
        Err(failure) => let_go(&format!(
            "nothing was judged: {}",
            failure.to_told().message
        )),
    }
}

/// Answers the agent, and counts how often it was held back.
fn answer(site: &Site, input: &Input, judgement: Judgement, attempts: u32) -> Result<u8, Failure> {
    let mut blocks = Blocks::open(site);
    match judgement {
        Judgement::Unjudged(why) => let_go(&why),
        Judgement::Green { named } => {
            blocks.forget(&input.session);
            match named {
                Some(named) => let_go(&named),
                None => Ok(0),
            }
        }
        Judgement::Red { reason } => match blocks.count(&input.session, attempts) {
            Ok(true) => {
                let body = json!({ "decision": "block", "reason": reason });
                output::write(&format!("{body}\n"))?;
                Ok(0)
            }
            Ok(false) => {
                let first = reason.lines().next().unwrap_or_default();
                let_go(&format!(
                    "still not done after {attempts} tries, a person is needed: {first}"
                ))
            }
            Err(why) => let_go(&format!("a red gate is let through, {why}")),
        },
    }
}

/// Lets the agent stop and tells the person something.
fn let_go(text: &str) -> Result<u8, Failure> {
    let text = format!("harness: {text}");
    say(&text);
    let text = harness_report::clean(&harness_guard::redact(&text)).to_string();
    output::write(&format!("{}\n", json!({ "systemMessage": text })))?;
    Ok(0)
}
