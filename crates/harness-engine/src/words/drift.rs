//! What is said of work that goes nowhere: to the agent what was seen and what else to do, to people why it was given up.
//!
//! Arguments and results are the model's own text or come from the repository, so they are cut.

use harness_core::{CheckReport, RepoPath, TurnNumber};

use super::listed;

/// The longest call in a sentence. Unit: bytes.
const CALL_MAX: usize = 160;
/// The longest piece of a result in a sentence. Unit: bytes.
const RESULT_MAX: usize = 300;
/// The most names in a sentence.
const NAMES_MAX: usize = 5;

/// Writes a call on one line.
pub(crate) fn call(tool: &str, arguments: &str) -> String {
    format!("`{}` {}", cut(tool, CALL_MAX), cut(arguments, CALL_MAX))
}

/// Words for calls that repeat.
pub(crate) fn repeating(round: &[&str], times: usize, since: TurnNumber) -> String {
    let (what, verb) = (
        round_of(round),
        if round.len() == 1 { "was" } else { "were" },
    );
    format!(
        "{what} {verb} called {times} times since turn {since}, with the same result each time. It will not \
         change by itself. Read the result again and change the approach: look at another file, try \
         another command, or use `ask` if a person must decide."
    )
}

/// The same for people, when it has not stopped.
pub(crate) fn repeated(round: &[&str], times: usize, since: TurnNumber) -> String {
    format!(
        "the agent has called {} {times} times since turn {since}, with the same result each time, and went on \
         after it was told",
        round_of(round)
    )
}

/// Words for calls that are refused.
pub(crate) fn refused_calls(calls: u32, shown: &str, reason: &str) -> String {
    format!(
        "{calls} calls were refused with nothing done between them, the last one {shown}: {}. The same thing asked in \
         another way is refused too. Work inside what is allowed; if the feature needs more, say which \
         paths or hosts and why with `request`, or use `ask`.",
        sentence(reason)
    )
}

/// The same for people, when it has not stopped.
pub(crate) fn refused_for_ever(calls: u32, shown: &str, reason: &str) -> String {
    format!(
        "{calls} calls of the agent were refused with nothing done between them, the last one {shown}: {}. If it needs this, \
         widen the feature's scope or answer its `request`",
        sentence(reason)
    )
}

/// Words for calls that make no sense.
pub(crate) fn faulty_calls(calls: u32, fault: &str) -> String {
    format!(
        "{calls} calls in a row could not be understood, the last one because: {}. Call one of your tools by its exact \
         name, with one JSON object of the arguments its description names.",
        sentence(fault)
    )
}

/// The same for people, when it has not stopped.
pub(crate) fn faulty_for_ever(calls: u32, shown: &str, fault: &str) -> String {
    format!(
        "{calls} calls of the agent in a row made no sense, the last one {shown}: {}; the model may not be able to call tools",
        sentence(fault)
    )
}

/// Words for edits that are taken back.
pub(crate) fn going_back(times: u32, paths: &[&RepoPath], since: TurnNumber) -> String {
    format!(
        "Your edits of {} go back and forth: {times} times in a row since turn {since} the files came to be exactly what \
         they were before. Say to yourself what both states have shown, and do something that is neither; \
         use `ask` if a person must decide between them.",
        names(paths)
    )
}

/// The same for people, when it has not stopped.
pub(crate) fn going_back_for_ever(times: u32, paths: &[&RepoPath], since: TurnNumber) -> String {
    format!(
        "the agent edits {} back and forth: {times} times in a row since turn {since} the files came to be what they were \
         before",
        names(paths)
    )
}

/// Words for a gate that stays red with the same failures.
pub(crate) fn same_failures(report: &CheckReport, runs: u32, since: TurnNumber) -> String {
    format!(
        "Gate {} has failed in the same way {runs} times since turn {since}{}, though you changed files each time: the \
         changes do not reach the cause. Look at what the failing code is really given (print it, or run \
         this one test alone) before the next edit.",
        report.gate,
        failed(report)
    )
}

/// The same for people, when it has not stopped.
pub(crate) fn same_failures_for_ever(report: &CheckReport, runs: u32, since: TurnNumber) -> String {
    format!(
        "gate {} has failed in the same way {runs} times since turn {since}{}, whatever the agent changed",
        report.gate,
        failed(report)
    )
}

/// Words for turns that bring nothing new.
pub(crate) fn nothing_new(turns: u32, since: TurnNumber) -> String {
    format!(
        "In the {turns} turns since turn {since} no file changed, no gate came out otherwise and every result was one you \
         had before. Take the next step with what you know: edit, run a test that can tell you more, \
         call `finish`, or `ask`."
    )
}

/// The same for people, when it has not stopped.
pub(crate) fn nothing_new_for_ever(turns: u32, since: TurnNumber) -> String {
    format!(
        "in the {turns} turns since turn {since} no file changed, no gate came out otherwise and the agent saw nothing it \
         had not seen before"
    )
}

/// Words for turns that only look.
pub(crate) fn only_looking(turns: u32, since: TurnNumber) -> String {
    format!(
        "In the {turns} turns since turn {since} no file changed and no gate came out otherwise. If you know enough, begin: \
         make the smallest edit that can be tested. If you wait for something, wait in one call."
    )
}

/// Words for people about a model whose answers are always cut.
pub(crate) fn cut_for_ever(answers: u32) -> String {
    format!(
        "{answers} answers in a row were cut at the token limit before a call; give the model a larger `output` or less \
         effort"
    )
}

fn round_of(round: &[&str]) -> String {
    match round {
        [one] => (*one).to_owned(),
        several => format!("the {} calls {}", several.len(), several.join(", ")),
    }
}

fn failed(report: &CheckReport) -> String {
    let names: Vec<&str> = report.failed_tests.iter().map(String::as_str).collect();
    if names.is_empty() {
        format!(" ({})", sentence(&report.reason))
    } else {
        format!(" ({})", cut(&listed(&names, NAMES_MAX), RESULT_MAX))
    }
}

fn names(paths: &[&RepoPath]) -> String {
    let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    listed(&names, NAMES_MAX)
}

/// Cuts a text so that it can stand in a sentence before a full stop.
fn sentence(text: &str) -> String {
    cut(text.trim_start_matches("denied: "), RESULT_MAX)
        .trim_end_matches('.')
        .to_owned()
}

fn cut(text: &str, most: usize) -> String {
    let line = text.trim().replace(['\n', '\r'], " ");
    if line.len() <= most {
        return line;
    }
    format!("{}...", &line[..line.floor_char_boundary(most)])
}
