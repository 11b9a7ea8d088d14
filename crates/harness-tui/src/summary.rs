//! What stands on the normal screen after the screen was left.

use harness_core::EndReason;

use crate::{
    app::App,
    theme::Sign,
    work::{GateState, Work, age},
};

/// Returns the lines that say how it went: outcome, features, checkpoints, gates, cost.
///
/// Nothing when no session was at work here: what was only seen ended before.
pub fn summary(app: &App) -> Vec<String> {
    let work = &app.work;
    let Some(session) = work.session.filter(|session| app.ran == Some(*session)) else {
        return Vec::new();
    };
    let outcome = match work.end {
        Some(reason) => format!("run ended: {reason}"),
        None => "left while the run was going on".to_owned(),
    };
    let done = match &work.planned {
        Some(planned) => planned.to_text(),
        None => format!(
            "{} of {} features passing",
            work.passing(),
            work.features.len()
        ),
    };
    let mut lines = vec![format!(
        "harness: {outcome}, {done}, {}{}",
        cost(work),
        time(work),
    )];
    let checkpoints = match work.checkpoints {
        1 => "1 checkpoint".to_owned(),
        many => format!("{many} checkpoints"),
    };
    lines.push(format!(
        "note: session {session}, {checkpoints}{}",
        gates(work)
    ));
    lines.push(format!("note: transcript: `harness log show {session}`"));
    let hint = match work.end {
        Some(EndReason::AllPassing | EndReason::FeaturePassed) if work.commits > 0 => {
            Some("`harness land` brings the proven features to your branch".to_owned())
        }
        Some(reason) if reason.exit_code() == 0 => None,
        Some(EndReason::Aborted) => None,
        Some(EndReason::Budget | EndReason::Limit) => Some(format!(
            "`harness resume {session}` goes on from here, once the limit is raised"
        )),
        _ => Some(format!("`harness resume {session}` goes on from here")),
    };
    lines.extend(hint.map(|hint| format!("hint: {hint}")));
    lines
}

fn cost(work: &Work) -> String {
    let tokens = harness_report::tokens(work.used.usage);
    match &work.model {
        Some(model) if model.priced => {
            format!("{tokens}, {}", harness_report::usd(work.used.spent))
        }
        _ => format!("{tokens}, price unknown"),
    }
}

fn time(work: &Work) -> String {
    let taken = work.used.since.zip(work.used.until);
    taken
        .map(|(since, until)| format!(", {}", age(until.since(since).as_secs())))
        .unwrap_or_default()
}

fn gates(work: &Work) -> String {
    // What is proven was green, and is saved once more after.
    let is_proven = work.end.is_some_and(|reason| reason.exit_code() == 0);
    let word = |state: &GateState| match state {
        GateState::Current(verdict) if verdict.sign == Sign::Good => Some("green"),
        GateState::Current(_) => Some("red"),
        GateState::Stale(_) if is_proven => None,
        GateState::Stale(_) => Some("stale"),
        GateState::Unknown | GateState::Running | GateState::Base(_) => None,
    };
    let known: Vec<String> = work
        .gates
        .iter()
        .filter_map(|gate| Some(format!("{} {}", gate.name, word(&gate.state)?)))
        .collect();
    match known.as_slice() {
        [] => String::new(),
        known => format!(", gates: {}", known.join(", ")),
    }
}
