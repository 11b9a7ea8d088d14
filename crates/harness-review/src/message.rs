//! What the agent is told of a review, and what is read out of its answer.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{
    Comment, Decision, Kept,
    text::{count, head, one_line, visible},
};

/// The most of a message to the agent, beside the line that says what was left out. Unit: bytes.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024;
/// The most lines that are quoted for one comment.
const QUOTED_LINES_MAX: usize = 8;
/// The most of one quoted line. Unit: bytes.
const QUOTED_BYTES_MAX: usize = 200;
/// How many of the last answers of a comment are told again.
const TOLD_ANSWERS_MAX: usize = 4;
/// The most of each of them. Unit: bytes.
const TOLD_ANSWER_BYTES_MAX: usize = 1024;
/// The most of what was taken back that is shown for one rejection. Unit: lines.
const TURNED_DOWN_LINES_MAX: usize = 20;
/// The most of one answer that is kept. Unit: bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 8 * 1024;
/// The most answers that are read out of one text.
const ANSWERS_MAX: usize = 200;

/// Words comments as one message: number, kind, place, the lines and what was said.
///
/// Empty where there are none. What has no room is left for the next message: the comments that are
/// in this one are returned by number, and they are the first ones given.
pub fn drafts(comments: &[&Comment]) -> (String, Vec<u32>) {
    let mut told = Vec::new();
    let mut body = String::new();
    for comment in comments {
        let part = worded(comment);
        if !told.is_empty() && body.len() + part.len() > MESSAGE_BYTES_MAX {
            break;
        }
        body.push_str(head(&part, MESSAGE_BYTES_MAX));
        told.push(comment.number);
    }
    let Some(first) = told.first() else {
        return (String::new(), told);
    };
    let text = format!(
        "A person reviewed the change: {}. Answer each in a paragraph that begins with its number, as in `#{first}: ...`.\n\n{body}",
        count(told.len(), "comment"),
    );
    (text.trim_end().to_owned() + "\n", told)
}

fn worded(comment: &Comment) -> String {
    let place = one_line(&comment.place.worded());
    let by = match comment.by {
        crate::Author::Person => String::new(),
        other => format!(" by the {}", other.as_str()),
    };
    let mut text = format!(
        "#{} {}{by} at {place}",
        comment.number,
        comment.kind.as_str()
    );
    text.push_str(if comment.outdated {
        ", which read\n"
    } else {
        "\n"
    });
    if let Some(anchor) = comment.place.anchor() {
        text.push_str(&quoted(&anchor.text, QUOTED_LINES_MAX));
    }
    text.push_str(&visible(comment.text.trim()));
    text.push('\n');
    let answers = &comment.answers;
    for answer in &answers[answers.len().saturating_sub(TOLD_ANSWERS_MAX)..] {
        let said = visible(head(answer.text.trim(), TOLD_ANSWER_BYTES_MAX));
        text.push_str(&format!("{}: {said}\n", answer.by.as_str()));
    }
    text.push('\n');
    text
}

/// Quotes the first lines of a text.
fn quoted(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    for line in lines.iter().take(most) {
        let line = visible(line);
        let short = head(&line, QUOTED_BYTES_MAX);
        let cut = if short.len() < line.len() { "…" } else { "" };
        out.push_str(&format!("> {short}{cut}\n"));
    }
    if lines.len() > most {
        out.push_str(&format!("> [{} more]\n", count(lines.len() - most, "line")));
    }
    out
}

/// Words what a person has turned down and what was taken back for it; empty where there is nothing.
///
/// To be called before [`crate::Book::applied`], which drops what was kept.
pub fn turned_down(decisions: &[&Decision]) -> String {
    if decisions.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "A person turned {} of the change down; it was taken back. Do not make it again.\n",
        count(decisions.len(), "part")
    );
    let mut left_out = 0;
    for decision in decisions {
        let part = rejected(decision);
        if left_out > 0 || text.len() + part.len() > MESSAGE_BYTES_MAX {
            left_out += 1;
        } else {
            text.push_str(&part);
        }
    }
    if left_out > 0 {
        text.push_str(&format!("[{} more]\n", count(left_out, "part")));
    }
    text
}

fn rejected(decision: &Decision) -> String {
    let reason = decision.reason.trim();
    let reason = if reason.is_empty() {
        "no reason given".to_owned()
    } else {
        visible(reason)
    };
    let what = match &decision.kept {
        Some(Kept::Lines(patch)) => quoted(&patch.worded(), TURNED_DOWN_LINES_MAX),
        Some(Kept::Whole(_)) => "> [the file as a whole]\n".to_owned(),
        None => String::new(),
    };
    let path = one_line(&decision.path.to_text());
    format!("\n{path}: {reason}\n{what}")
}

/// What the agent answered to one comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The comment.
    pub number: u32,
    /// What was said, at most 8 KiB.
    pub text: String,
}

/// An answer that an agent gives by a tool call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CalledAnswer {
    /// The comment.
    pub number: u32,
    /// What is said.
    pub text: String,
}

/// Reads answers out of free text, by the numbers of the comments that were asked.
///
/// A paragraph that begins with `#3`, `**#3**`, `- #3:`, `Comment 3:` or `#1 and #3:` answers these,
/// up to the next such beginning or the first heading after it; fenced code begins nothing. Other
/// numbers are text. What was answered twice is joined.
pub fn heard(text: &str, asked: &BTreeSet<u32>) -> Vec<Heard> {
    let mut found: Vec<Heard> = Vec::new();
    let (mut numbers, mut said, mut fence) = (Vec::new(), String::new(), None);
    for line in text.lines() {
        let begins = fence.is_none().then(|| beginning(line, asked)).flatten();
        fence = fenced(fence, line);
        match begins {
            Some((next, rest)) => {
                take(&mut found, &numbers, &said);
                (numbers, said) = (next, rest.to_owned());
            }
            None if fence.is_none()
                && line.starts_with('#')
                && line.trim_start_matches('#').starts_with(' ') =>
            {
                take(&mut found, &numbers, &said);
                numbers.clear();
            }
            None => said.push_str(line),
        }
        said.push('\n');
    }
    take(&mut found, &numbers, &said);
    found
}

/// Takes the answers of a tool call: of comments that were asked alone, joined where there are two.
pub fn called(answers: &[CalledAnswer], asked: &BTreeSet<u32>) -> Vec<Heard> {
    let mut found = Vec::new();
    for answer in answers
        .iter()
        .filter(|answer| asked.contains(&answer.number))
    {
        take(&mut found, &[answer.number], &answer.text);
    }
    found
}

fn take(found: &mut Vec<Heard>, numbers: &[u32], said: &str) {
    let said = said.trim();
    if said.is_empty() {
        return;
    }
    for number in numbers {
        let known = found.iter().position(|heard| heard.number == *number);
        let (at, text) = match known {
            Some(at) => (at, format!("{}\n\n{said}", found[at].text)),
            None if found.len() >= ANSWERS_MAX => continue,
            None => {
                found.push(Heard {
                    number: *number,
                    text: String::new(),
                });
                (found.len() - 1, said.to_owned())
            }
        };
        head(&text, ANSWER_BYTES_MAX).clone_into(&mut found[at].text);
    }
}

/// Returns the fence that is open after a line.
fn fenced(open: Option<&'static str>, line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    let mark = ["```", "~~~"]
        .into_iter()
        .find(|mark| line.starts_with(mark));
    match (open, mark) {
        (None, mark) => mark,
        (Some(open), Some(mark)) if open == mark => None,
        (open, _) => open,
    }
}

/// Returns the comments that a line begins to answer, and what follows on it.
fn beginning<'a>(line: &'a str, asked: &BTreeSet<u32>) -> Option<(Vec<u32>, &'a str)> {
    let signs = |char: char| {
        char.is_whitespace() || matches!(char, '*' | '-' | '_' | '[' | '(' | '>' | '`')
    };
    let heading = line.trim_start_matches('#');
    let line = if heading.starts_with(' ') {
        heading
    } else {
        line
    };
    let mut rest = line.trim_start_matches(signs);
    let mut numbers = Vec::new();
    loop {
        let (number, after) = numbered(rest)?;
        if !asked.contains(&number) {
            return None;
        }
        numbers.push(number);
        rest = after;
        let more = rest.trim_start_matches([',', ' ', '&', '/']);
        let more = more.strip_prefix("and ").unwrap_or(more);
        if rest.len() == more.len() || numbered(more).is_none() {
            break;
        }
        rest = more;
    }
    // The number must end here: `#3rd` and `#3.5` are words.
    let ends = |char: char| {
        char.is_whitespace()
            || matches!(
                char,
                ':' | '.' | ')' | ']' | '*' | '_' | '`' | '-' | '–' | '—' | ','
            )
    };
    let text = rest.trim_start_matches(ends);
    let ended = rest.is_empty() || rest.starts_with(ends);
    let is_fraction = rest.starts_with('.') && text.starts_with(|char: char| char.is_ascii_digit());
    (ended && !is_fraction).then_some((numbers, text))
}

/// Reads `#3` or `Comment 3`, and what follows.
fn numbered(text: &str) -> Option<(u32, &str)> {
    let digits = match text.strip_prefix('#') {
        Some(digits) => digits,
        None => {
            let word = text
                .get(..8)
                .filter(|word| word.eq_ignore_ascii_case("comment "))?;
            let rest = &text[word.len()..];
            rest.strip_prefix('#').unwrap_or(rest)
        }
    };
    let end = digits
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end]
        .parse()
        .ok()
        .map(|number| (number, &digits[end..]))
}

#[cfg(test)]
mod tests {
    use harness_core::{LineRange, RepoPath, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::{Anchor, AnchorSide, Author, CommentKind, CommentState, Place};

    fn comment(number: u32, text: &str) -> Comment {
        let lines = LineRange { first: 2, last: 2 };
        let path = RepoPath::parse("src/a.rs").unwrap();
        let anchor = Anchor::of(path, AnchorSide::New, "a\nlet b = 1;\nc\n", lines).unwrap();
        Comment {
            id: number.to_string(),
            number,
            kind: CommentKind::MustFix,
            place: Place::of_lines(anchor),
            state: CommentState::Draft,
            text: text.to_owned(),
            answers: Vec::new(),
            by: Author::Person,
            time: Timestamp::default(),
            edited: Timestamp::default(),
            moved: Timestamp::default(),
            outdated: false,
            withdrawn: None,
        }
    }

    #[test]
    fn drafts_are_one_message() {
        let other = Comment {
            kind: CommentKind::Question,
            place: Place::Change,
            ..comment(4, "Why so large?")
        };
        let (text, told) = drafts(&[&comment(2, "Also a newline?\n"), &other]);
        assert_eq!(told, [2, 4]);
        assert_eq!(
            text,
            "A person reviewed the change: 2 comments. Answer each in a paragraph that begins with its number, as in `#2: ...`.\n\n\
             #2 must-fix at src/a.rs:2\n> let b = 1;\nAlso a newline?\n\n#4 question at the whole change\nWhy so large?\n"
        );
        assert_eq!(drafts(&[]), (String::new(), Vec::new()));
    }

    #[test]
    fn a_message_has_its_bound_and_the_rest_waits() {
        let long = "x".repeat(MESSAGE_BYTES_MAX / 2);
        let comments: Vec<Comment> = (1..9).map(|number| comment(number, &long)).collect();
        let (text, told) = drafts(&comments.iter().collect::<Vec<_>>());
        assert_eq!(told, [1]);
        assert!(text.len() < MESSAGE_BYTES_MAX + 400);
        let lines: String = (0..40).map(|line| format!("{line}\n")).collect();
        assert!(quoted(&lines, 8).ends_with("> 7\n> [32 lines more]\n"));
        assert!(quoted(&"é".repeat(900), 8).len() < 220);
    }

    fn check(text: &str, expected: &[(u32, &str)]) {
        let asked = [1, 2, 3, 12].into();
        let found = heard(text, &asked);
        let found: Vec<_> = found
            .iter()
            .map(|heard| (heard.number, heard.text.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn answers_are_found_by_their_number() {
        check("#1: done\n#2 no", &[(1, "done"), (2, "no")]);
        check(
            "Sure.\n\n- **#1**: done\n  and tested\n* **#12** – no",
            &[(1, "done\n  and tested"), (12, "no")],
        );
        check("Comment 3: yes\n[#2] why", &[(3, "yes"), (2, "why")]);
        check(
            "#1 and #3: both done",
            &[(1, "both done"), (3, "both done")],
        );
        check("#1, #2: both", &[(1, "both"), (2, "both")]);
        check("#1: a\n\n#1: b", &[(1, "a\n\nb")]);
        check(
            "### #1\ntext\n### Comment 2: more\n",
            &[(1, "text"), (2, "more")],
        );
        check("#1\ntext\n\n## Summary\nall done", &[(1, "text")]);
    }

    #[test]
    fn what_is_no_answer_is_text() {
        check("1. first\n2. second", &[]);
        check("#7: unknown", &[]);
        check("#3rd\n#3.5 is\n# 1 heading\n#", &[]);
        check(
            "#1: see\n```\n#2: in code\n```\nend",
            &[(1, "see\n```\n#2: in code\n```\nend")],
        );
    }

    #[test]
    fn answers_of_a_call_are_of_what_was_asked() {
        let answers: Vec<CalledAnswer> = serde_json::from_str(
            r#"[{"number":1,"text":" done ","done":true},{"number":9,"text":"x"}]"#,
        )
        .unwrap();
        let found = called(&answers, &[1].into());
        assert_eq!(
            found,
            [Heard {
                number: 1,
                text: "done".to_owned()
            }]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[#0-9a ,.\n`*é-]{0,80}") {
            let asked: BTreeSet<u32> = (0..10).collect();
            for found in heard(&text, &asked) {
                prop_assert!(asked.contains(&found.number));
                prop_assert!(!found.text.trim().is_empty());
            }
        }
    }
}
