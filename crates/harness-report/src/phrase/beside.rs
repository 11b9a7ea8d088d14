//! Conversations beside the main one, and what a reviewer makes of a change, in words.

use harness_core::{
    Beside, BesideEnd, BesideUse, ChangeShown, ConversationId, ConversationKind, Decision, Event,
    Happened, Remark, Review, ReviewVerdict,
};

use super::{Line, Who, count};
use crate::{
    clean::{clean, clean_line},
    phrase::held_for,
    tally::{tokens, usd},
};

/// How much of a question is shown. Unit: characters.
const QUESTION_CHARS: usize = 200;
/// How much of a report is shown. Unit: lines.
const REPORT_LINES: usize = 60;

pub(super) fn lines(event: &Event) -> Vec<Line> {
    match event {
        Event::Beside(told) => happened(told),
        Event::ChangeShown(shown) => shown_badly(shown).into_iter().collect(),
        Event::Reviewed(review) => vec![reviewed(review)],
        _ => Vec::new(),
    }
}

fn happened(told: &Beside) -> Vec<Line> {
    let id = told.conversation;
    let line = match &told.happened {
        Happened::Started { asked, model, .. } => started(id, asked, model),
        Happened::Retried {
            delay_ms, reason, ..
        } => Line::new(
            Who::Note,
            format!(
                "{id}: {}; again in {}",
                clean_line(reason, 300),
                super::seconds(*delay_ms)
            ),
        ),
        Happened::Paced {
            delay_ms,
            limit,
            until,
            ..
        } => Line::new(
            Who::Note,
            format!("{id}: {}", held_for(*delay_ms, *limit, *until)),
        ),
        Happened::CallJudged { tool, verdict, .. } if verdict.decision == Decision::Deny => {
            Line::new(
                Who::Guard,
                format!(
                    "{id} refused {}: {}",
                    clean_line(tool, 40),
                    clean_line(&verdict.reason, 300)
                ),
            )
        }
        Happened::Corrected { .. } => Line::new(
            Who::Note,
            format!("{id}: the answer is no judgement; asked once more"),
        ),
        Happened::Ended { end, used } => return ended(id, end, *used).into_iter().collect(),
        Happened::Responded { .. }
        | Happened::Failed { .. }
        | Happened::RetryDue { .. }
        | Happened::CallJudged { .. }
        | Happened::LinkMet { .. }
        | Happened::CallEnded { .. } => return Vec::new(),
    };
    vec![line]
}

fn started(id: ConversationId, asked: &str, model: &str) -> Line {
    let model = clean_line(model, 100);
    match id.kind {
        ConversationKind::Explore => {
            let question = clean_line(asked, QUESTION_CHARS);
            Line::new(Who::Tool, format!("{id}, {model} looks: {question}"))
        }
        ConversationKind::Reviewer => {
            Line::new(Who::Gate, format!("{id}, {model} looks at the change"))
        }
    }
}

/// What a reviewer ends in is told as a review.
fn ended(id: ConversationId, end: &BesideEnd, used: BesideUse) -> Option<Line> {
    let used = words(used);
    let line = match (id.kind, end) {
        (_, BesideEnd::Cancelled) => Line::new(Who::Note, format!("{id} called off, {used}")),
        (ConversationKind::Reviewer, _) => return None,
        (_, BesideEnd::Failed { reason }) => Line::new(
            Who::Tool,
            format!("{id}, FAILED: {}, {used}", clean_line(reason, 300)),
        ),
        (_, BesideEnd::Answered { text, bound }) => {
            let early = match bound.as_str() {
                "" => String::new(),
                bound => format!(", stopped early: {}", clean_line(bound, 100)),
            };
            let report = clean(text.trim()).into_owned();
            let shown: Vec<String> = report
                .lines()
                .take(REPORT_LINES)
                .map(str::to_owned)
                .collect();
            Line::new(Who::Tool, format!("{id} answered, {used}{early}")).with(shown)
        }
    };
    Some(line)
}

fn shown_badly(shown: &ChangeShown) -> Option<Line> {
    let problem = clean_line(&shown.problem, 300);
    (!problem.is_empty()).then(|| Line::new(Who::Gate, format!("review: {problem}")))
}

fn reviewed(review: &Review) -> Line {
    let model = clean_line(&review.model, 100);
    let used = words(review.used);
    let marks: Vec<String> = review
        .marks
        .iter()
        .map(|mark| {
            let low = if mark.is_enough() { "" } else { "!" };
            format!("{} {}{low}", clean_line(&mark.criterion, 40), mark.score)
        })
        .collect();
    let marks = marks.join(", ");
    let text = match review.verdict {
        ReviewVerdict::Approved => format!("review by {model}: approved, {marks}; {used}"),
        ReviewVerdict::Refused => format!("review by {model}: REFUSED, {marks}; {used}"),
        ReviewVerdict::Failed => format!(
            "no review by {model}: {}; {used}",
            clean_line(&review.problem, 400)
        ),
    };
    let low = review.marks.iter().filter(|mark| !mark.is_enough());
    let low = low.map(|mark| {
        format!(
            "{} has {} of 3, {} is needed: {}",
            clean_line(&mark.criterion, 40),
            mark.score,
            mark.needed,
            clean_line(&mark.why, 700)
        )
    });
    let more = (review.left_out > 0).then(|| format!("and {} more", review.left_out));
    let anyway = (review.verdict == ReviewVerdict::Refused && !review.id.is_empty()).then(|| {
        format!(
            "a person lets exactly this change pass with --approve {}",
            clean_line(&review.id, 20)
        )
    });
    let remarks = review.remarks.iter().map(remark);
    let below: Vec<String> = low.chain(remarks).chain(more).chain(anyway).collect();
    Line::new(Who::Gate, text).with(below)
}

fn remark(remark: &Remark) -> String {
    let why = clean_line(&remark.why, 700);
    match remark.at.as_str() {
        "" => format!("{}: {why}", remark.kind.as_str()),
        at => format!("{}: {}: {why}", remark.kind.as_str(), clean_line(at, 200)),
    }
}

/// Words what a conversation used: `3 turns, 4 looks, 12k tokens in, 310 out, $0.01`.
fn words(used: BesideUse) -> String {
    let cost = match used.unpriced {
        true => "price unknown".to_owned(),
        false => usd(used.cost),
    };
    format!(
        "{}, {}, {}, {cost}",
        count(used.turns.into(), "turn"),
        count(used.calls.into(), "look"),
        tokens(used.usage)
    )
}

#[cfg(test)]
mod tests {
    use harness_core::{Mark, RemarkKind};

    use super::*;

    fn said(happened: Happened) -> Vec<String> {
        let told = Beside {
            conversation: ConversationId {
                kind: ConversationKind::Explore,
                number: 1,
            },
            happened,
        };
        let lines = lines(&Event::Beside(Box::new(told)));
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn no_words_of_a_model_begin_a_line_of_their_own() {
        let forged = "it is here\n\u{1b}[2Jharness  run ended".to_owned();
        let lines = said(Happened::Ended {
            end: BesideEnd::Answered {
                text: forged.clone(),
                bound: String::new(),
            },
            used: BesideUse::default(),
        });
        assert_eq!(
            lines,
            ["explore 1 answered, 0 turns, 0 looks, 0 tokens in, 0 out, $0.00"]
        );
        let lines = said(Happened::Started {
            call: None,
            asked: forged,
            model: "m".to_owned(),
        });
        assert!(lines[0].starts_with("explore 1, m looks: it is here"));
        assert!(!lines[0].contains(['\n', '\u{1b}']));
    }

    #[test]
    fn a_refusal_says_what_is_too_low_and_what_to_fix() {
        let review = Review {
            conversation: ConversationId {
                kind: ConversationKind::Reviewer,
                number: 2,
            },
            model: "judge".to_owned(),
            tree: "1".repeat(40).parse().unwrap(),
            id: "0badcafe".to_owned(),
            seen_sha256: String::new(),
            verdict: ReviewVerdict::Refused,
            problem: String::new(),
            marks: vec![Mark {
                criterion: "tests".to_owned(),
                score: 1,
                needed: 2,
                why: "none of them fails".to_owned(),
            }],
            remarks: vec![Remark {
                kind: RemarkKind::MustFix,
                at: "src/a.rs:3".to_owned(),
                why: "it divides by zero".to_owned(),
            }],
            left_out: 0,
            used: BesideUse::default(),
        };
        let line = reviewed(&review);
        assert!(
            line.text
                .starts_with("review by judge: REFUSED, tests 1!; ")
        );
        assert_eq!(
            line.more,
            [
                "tests has 1 of 3, 2 is needed: none of them fails",
                "must-fix: src/a.rs:3: it divides by zero",
                "a person lets exactly this change pass with --approve 0badcafe",
            ]
        );
    }
}
