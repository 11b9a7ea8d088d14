//! What is said of a session that is taken up, and of one that begins with another's work.

use harness_core::{Fate, Forked, GivenAnswer, InFlight, TakenUp};

use super::{Line, Who, count, steering::answered};
use crate::{clean::clean_line, tally::usd};

/// What is shown of one line. Unit: characters.
const LINE_CHARS: usize = 400;

pub(super) fn resumed(found: &TakenUp, answers: &[GivenAnswer]) -> Vec<Line> {
    let line = if found.is_empty() {
        Line::new(
            Who::Note,
            "resumed; what was in flight when it stopped is not repeated",
        )
    } else {
        let how = if found.differs.is_empty() {
            "resumed where it was"
        } else {
            "resumed, and something differs"
        };
        Line::new(Who::Note, format!("{how}: {}", stood(found))).with(details(found))
    };
    std::iter::once(line)
        .chain(answers.iter().map(answered))
        .collect()
}

fn stood(found: &TakenUp) -> String {
    let place = match &found.feature {
        Some(feature) => format!("{feature}, turn {}", found.turn),
        None => {
            return "its last session was over, a fresh one goes on with what is left".to_owned();
        }
    };
    let is_unknown = |item: &InFlight| item.fate == Fate::Unknown;
    if found.in_flight.is_empty() {
        format!("{place}, nothing was in flight")
    } else if found.in_flight.iter().any(is_unknown) {
        format!("{place}; no action that was in flight is repeated")
    } else {
        format!("{place}; no action of the agent was in flight")
    }
}

fn details(found: &TakenUp) -> Vec<String> {
    let mut lines: Vec<String> = found.in_flight.iter().map(in_flight).collect();
    if let Some(spent) = found.spent {
        let cost = spent.cost.map_or_else(
            || "its price is unknown".to_owned(),
            |cost| format!("about {} is counted for what was sent", usd(cost)),
        );
        lines.push(format!(
            "the answer of the request is lost: {cost}, what it had answered is not known"
        ));
    }
    lines.extend(found.differs.iter().map(|difference| {
        let text = format!(
            "{}: {}; {}",
            difference.kind, difference.text, difference.done
        );
        one_line(&text)
    }));
    lines
}

/// Writes a text as one line, with all of it as far as the bound goes.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    clean_line(&words.join(" "), LINE_CHARS)
}

fn in_flight(item: &InFlight) -> String {
    let fate = match item.fate {
        Fate::Unknown => "its outcome is unknown, the agent is told",
        Fate::Again => "the harness's own, done again",
        Fate::Asked => "asked again",
    };
    let text = format!(
        "in flight: {} {}: {fate}",
        item.kind.as_str().replace('_', " "),
        item.what
    );
    one_line(&text)
}

pub(super) fn forked(forked: &Forked) -> Line {
    let text = format!(
        "begins with checkpoint {} of {} ({}), its conversation up to turn {}; {} written; {} stays as it is",
        forked.checkpoint,
        forked.session,
        forked.run,
        forked.turn,
        count(forked.files, "file"),
        forked.session
    );
    Line::new(Who::Checkpoint, text)
}
