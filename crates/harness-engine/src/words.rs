//! What the harness says to the agent: short, concrete, with the next step.

use harness_core::{
    Action, Amendment, ApprovalAnswer, ApprovalAsked, ApprovalSubject, CheckReport, CheckStatus,
    Finding, LimitKind, RepoPath,
};

mod beside;
mod drift;
mod formatting;
mod gates;
mod jobs;
pub(crate) mod person_review;
mod planning;
mod resume;
mod steering;
mod window;

pub(crate) use beside::{
    LEFT_OUT, ONLY_LOOKS, explored, extent, last_turn, not_the_form, plain, review_needed,
    review_refusal, reviewed,
};
pub(crate) use drift::{
    call, cut_for_ever, faulty_calls, faulty_for_ever, going_back, going_back_for_ever,
    nothing_new, nothing_new_for_ever, only_looking, refused_calls, refused_for_ever, repeated,
    repeating, same_failures, same_failures_for_ever,
};
pub(crate) use formatting::{format_failed, formatted};
pub(crate) use gates::{
    attempts_used_up, check_result, red_base, red_gates, turn_gates, turn_gates_not_run,
};
pub(crate) use resume::{differs, forked, shortened};
pub(crate) use steering::{answered, brought_back, question_waits, rewound};

pub(crate) use planning::{
    ONLY_PLANS, PROPOSAL_REFUSED, PROPOSES_ONLY_IN_PLAN, STOPPED_WITHOUT_PROPOSAL, bad_proposal,
    base_gates, base_unknown, no_proposal, not_added, otherwise, taken,
};
pub(crate) use window::{
    handed_over_for_nothing, handed_over_too_often, never_fits, planned, room_made, window_full,
};

pub(crate) const STOPPED: &str = "You stopped without calling a tool. If the work is done, call `finish`: the harness \
     then runs the gates. If it is not, go on. If a person must decide something, use `ask`.";

pub(crate) const CUT: &str =
    "Your answer was cut at the token limit. Go on where it stopped, in smaller steps.";

pub(crate) const OPEN_ALREADY: &str = "All of this is open already: go on.";

pub(crate) const ASKS_NO_MORE: &str =
    "request: the person does not want to be asked for more in this session; go on without it";

pub(crate) const UNKNOWN_OUTCOME: &str = "The harness stopped while this ran and its outcome is unknown. Nothing was \
     repeated. Check the state before you go on.";

pub(crate) const EMPTY_CHANGE: &str = "nothing was changed, so there is nothing that green gates would prove. If it is \
     there already, say so with `ask`: a person can accept it.";

pub(crate) const WORDS_FOLLOW: &str =
    "Not looked at yet: the person has said something first; it follows.";

pub(crate) const PASSED: &str = "The gates are green. The harness has committed the feature.";

pub(crate) use jobs::job_over;

/// Words for a limit that is nearly used up.
pub(crate) fn limit_near(limit: LimitKind, what: &str) -> String {
    let advice = match limit {
        LimitKind::Attempts => {
            "Do not call `finish` before `check` is green; if you cannot get it green, `ask`."
        }
        _ => {
            "Bring what you have to an end: finish the smallest whole part, and `note` what is left."
        }
    };
    format!("Limit near: {what}. {advice}")
}

/// The most of a command that stands in a sentence about it. Unit: characters.
const COMMAND_MAX: usize = 200;

/// Words for what a person has given.
pub(crate) fn given(amendment: &Amendment) -> String {
    format!("The person says yes. From the next call on you may: {amendment}.")
}

/// Words for what a person has refused.
pub(crate) fn refused_by_person(answer: &ApprovalAnswer) -> String {
    match answer {
        ApprovalAnswer::No { reason } if !reason.trim().is_empty() => {
            format!("denied: the person says no: {}", reason.trim())
        }
        ApprovalAnswer::Never => "denied: the person says no, and does not want to be asked again \
             in this session. Go on without it."
            .to_owned(),
        _ => "denied: the person says no. Go on without it, or use `ask` to learn why.".to_owned(),
    }
}

/// Words for a person who was not there when their approval was wanted, with the way to give it.
pub(crate) fn approval_needed(asked: &ApprovalAsked) -> String {
    let rule = asked.rule.as_ref();
    let rule = rule
        .map(|rule| format!(", asked by {rule}"))
        .unwrap_or_default();
    let (what, way) = match &asked.subject {
        ApprovalSubject::Action {
            action: Action::Run { command, .. },
        } => {
            let shown: String = command.chars().take(COMMAND_MAX).collect();
            let more = command.chars().count().saturating_sub(COMMAND_MAX);
            let cut = if more > 0 {
                format!(" [and {more} characters more]")
            } else {
                String::new()
            };
            let way = asked.always.as_ref().map(|rule| {
                let words: Vec<String> =
                    rule.prefix.iter().map(|word| format!("{word:?}")).collect();
                format!(
                    "; to allow it in another run, put `[[rule]] command = [{}] decision = \"allow\"` into your own configuration",
                    words.join(", ")
                )
            });
            (format!("run `{shown}`{cut}"), way.unwrap_or_default())
        }
        ApprovalSubject::Action { action } => (format!("use `{}`", action.path()), String::new()),
        ApprovalSubject::Amendment { amendment } => (format!("have {amendment}"), String::new()),
        ApprovalSubject::Findings { .. } => ("finish".to_owned(), String::new()),
        ApprovalSubject::Features { proposal } => {
            return planning::proposal_waits(&proposal.id, proposal.features.len());
        }
    };
    format!(
        "the agent wants to {what} ({}{rule}), and nobody was there to approve it{way}; or resume on a terminal",
        asked.reason
    )
}

/// Words for a nested map that is loaded because its folder was touched.
pub(crate) fn nested_map(path: &RepoPath, text: &str) -> String {
    format!("[map `{path}`, loaded because its folder was touched; data of the repository]\n{text}")
}

/// Words for a nested map that should have been loaded and was not.
pub(crate) fn map_left_out(path: &RepoPath, problem: &str) -> String {
    format!("[map `{path}`, not loaded: {problem}]")
}

/// Words for a change that was taken back.
pub(crate) fn stray(path: &RepoPath, why: &str, done: &str) -> String {
    if why.is_empty() {
        return format!("undone: {path}: {done}");
    }
    format!("undone: {path}: {why}; {done}")
}

/// Says that work by hand stays where it is.
pub(crate) const REFUSED_BY_HAND: &str = "the finish was refused, nothing was committed";

/// Words for a finish whose change has findings, with what the agent and what a person can do.
pub(crate) fn findings(reason: &str, findings: &[Finding]) -> String {
    const SHOWN: usize = 50;
    let mut text = format!("Not done: {reason}. In the change was found:");
    for finding in findings.iter().take(SHOWN) {
        let place = finding.place();
        text.push_str(&format!("\n- {place}: {}", finding.message));
        if !finding.id.is_empty() {
            text.push_str(&format!(" [{}]", finding.id));
        }
    }
    if findings.len() > SHOWN {
        text.push_str(&format!("\n- and {} more", findings.len() - SHOWN));
    }
    text.push_str(
        "\nRestore what was there. If the feature needs the change, say why with `ask`: only a person can \
        approve it, for exactly these lines, on the terminal or with `--approve ID`.",
    );
    text
}

/// One line about why a finish was refused.
pub(crate) fn refusal(reports: &[CheckReport], found: &[Finding]) -> String {
    if let Some(first) = found.first() {
        let id = if first.id.is_empty() {
            String::new()
        } else {
            format!(" [{}]", first.id)
        };
        return format!(
            "{} in `{}`: {}{id}",
            count(found.len(), "finding"),
            first.place(),
            first.message
        );
    }
    let red = reports
        .iter()
        .filter(|report| report.status != CheckStatus::Green);
    red.map(|report| format!("gate {} {}: {}", report.gate, report.status, report.reason))
        .collect::<Vec<_>>()
        .join("; ")
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// Writes the first names, and how many more there are.
fn listed(names: &[&str], most: usize) -> String {
    let shown = names[..names.len().min(most)].join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
