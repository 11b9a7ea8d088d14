//! What is said of a person's review of the change.

use harness_core::{Event, ReviewChanged, TurnedDown, TurnedDownEnd, TurnedDownPart};

use super::super::{Line, Who, count, paragraph};
use crate::clean::{clean, clean_line};

/// What is shown of a text. Unit: characters.
const TEXT_CHARS: usize = 400;
/// The most lines of one side that are shown.
const LINES_MAX: usize = 20;

pub(super) fn lines(event: &Event) -> Vec<Line> {
    match event {
        Event::ReviewChanged(changed) => vec![changed_line(changed)],
        Event::TurnedDown(turned) => turned_down(turned),
        Event::CommentAnswered(answered) => {
            let text = format!("answer to comment #{}: {}", answered.number, answered.text);
            vec![paragraph(Who::Agent, &text)]
        }
        _ => Vec::new(),
    }
}

fn changed_line(changed: &ReviewChanged) -> Line {
    let open = changed.must_fix.len() as u64 + changed.more;
    let mut parts = Vec::new();
    if let Some(told) = &changed.told {
        parts.push(format!(
            "{} sent to the agent",
            count(told.comments.len() as u64, "comment")
        ));
    }
    if !changed.rejections.is_empty() {
        let rejections = count(changed.rejections.len() as u64, "rejection");
        parts.push(format!(
            "{rejections} to be taken back at the end of the turn"
        ));
    }
    parts.push(format!("{open} must-fix open"));
    let named = changed.must_fix.iter().map(|comment| {
        let state = if comment.waits_for_person {
            ", waits for your word"
        } else {
            ""
        };
        let place = clean_line(&comment.place, TEXT_CHARS);
        let text = clean_line(&comment.text, TEXT_CHARS);
        format!("#{} at {place}{state}: {text}", comment.number)
    });
    Line::new(Who::You, format!("review: {}", parts.join(", "))).with(named)
}

fn turned_down(turned: &TurnedDown) -> Vec<Line> {
    if !turned.problem.is_empty() {
        let why = clean_line(&turned.problem, TEXT_CHARS);
        return vec![Line::new(
            Who::Note,
            format!("what was rejected is not taken back: {why}"),
        )];
    }
    turned.parts.iter().map(part_line).collect()
}

fn part_line(part: &TurnedDownPart) -> Line {
    let hunk = clean_line(&part.hunk, 40);
    let path = clean_line(&part.path.to_text(), TEXT_CHARS);
    match &part.end {
        TurnedDownEnd::Applied => Line::new(
            Who::Checkpoint,
            format!("rejected hunk {hunk} of {path} taken back"),
        ),
        TurnedDownEnd::Withdrawn => Line::new(
            Who::Note,
            format!("hunk {hunk} of {path} stays: the rejection was taken back"),
        ),
        TurnedDownEnd::Clash {
            why,
            line,
            wanted,
            found,
        } => {
            let why = clean_line(why, TEXT_CHARS);
            let text = format!("rejected hunk {hunk} of {path} cannot be taken back: {why}");
            let below = [
                "to stand there:".to_owned(),
                indented(wanted),
                format!("stands there, line {line}:"),
                indented(found),
                "decide anew with `harness review`".to_owned(),
            ];
            Line::new(Who::Ask, text).with(below)
        }
    }
}

fn indented(text: &str) -> String {
    let all: Vec<&str> = text.lines().collect();
    let lines = all.iter().take(LINES_MAX);
    let mut shown: Vec<String> = lines.map(|line| format!("  {}", clean(line))).collect();
    if all.len() > LINES_MAX {
        shown.push(format!("  {} more lines", all.len() - LINES_MAX));
    }
    shown.join("\n")
}
