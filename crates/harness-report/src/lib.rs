//! What a run says to people and to programs: one source of phrases, two forms.
//!
//! Both forms are folds over the same events. [`Lines`] is for people and for
//! screen readers: what is written is never moved or erased. [`JsonLines`] is
//! for programs: one versioned object per line. Nothing here prints.

mod approval;
mod clean;
mod json;
mod lines;
mod phrase;
mod planned;
mod proposal;
mod question;
mod summary;
mod tally;
#[cfg(test)]
mod tests;

pub use approval::{ApprovalText, approval_text, rule_text};
pub use clean::{clean, clean_line, escape_json};
pub use json::{
    Control, JsonAdded, JsonBeside, JsonDifference, JsonDropped, JsonFinding, JsonInFlight,
    JsonLine, JsonLines, JsonMark, JsonOutcome, JsonPlan, JsonProposed, JsonRemark, JsonRole,
    JsonStep, JsonTakenUp, JsonUse, Tests, Tokens, cache_rate, json_proposed,
};
pub use lines::Lines;
pub use phrase::{Line, Phrases, Who, held_for};
pub use planned::Planned;
pub use proposal::proposal_lines;
pub use question::{Reply, choices, prompt as question_prompt, reply};
pub use summary::{End, GateUse, SessionSummary, ToolUse};
pub use tally::{Bill, Span, Tally, amount, span, tokens, usd};
