//! What a person can answer to an agent's question: a numbered choice, their own words, or later.
//!
//! The same for the screen, the plain lines and the command.

/// The most choices that are offered by number.
const CHOICES_MAX: usize = 9;

/// What a person has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The question waits.
    Later,
    /// The answer for the agent.
    Answer(String),
}

/// Returns the choices that a question lists, each on a line of its own that begins with its number.
///
/// None where it lists fewer than two, or they are not numbered from 1.
pub fn choices(question: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in question.lines() {
        if let Some(choice) = choice(line, found.len() + 1) {
            found.push(choice);
        }
    }
    if (2..=CHOICES_MAX).contains(&found.len()) {
        found
    } else {
        Vec::new()
    }
}

/// Reads what a person has typed: the number of a choice stands for it, and `later` for itself.
pub fn reply(question: &str, typed: &str) -> Reply {
    let text = typed.trim();
    if text.eq_ignore_ascii_case("later") || text == "/later" {
        return Reply::Later;
    }
    let choices = choices(question);
    let number = text.parse::<usize>().ok().and_then(|at| at.checked_sub(1));
    Reply::Answer(match number.and_then(|at| choices.get(at)) {
        Some(choice) => format!("{text} ({choice})"),
        None => text.to_owned(),
    })
}

/// Returns what stands before the cursor in plain lines.
pub fn prompt(question: &str) -> String {
    match choices(question).len() {
        0 => "answer, or later:\n".to_owned(),
        count => format!("answer 1-{count}, in your own words, or later:\n"),
    }
}

/// Returns the text of a line that begins with this number, as in `1 comma`, `1. comma`, `- 1) comma`.
fn choice(line: &str, number: usize) -> Option<&str> {
    let line = line.trim_start_matches(|char: char| char.is_whitespace() || "-*(".contains(char));
    let rest = line.strip_prefix(&number.to_string())?;
    let text = rest.trim_start_matches(['.', ')', ':']);
    let is_apart = text.starts_with(char::is_whitespace);
    Some(text.trim()).filter(|text| is_apart && !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_lines_are_choices_and_a_number_stands_for_one() {
        for question in [
            "Which separator?\n1 comma\n2 semicolon",
            "Which?\n  1. comma\n  2. semicolon\nBoth work.",
            "Which?\n- 1) comma\n- 2) semicolon",
        ] {
            assert_eq!(choices(question), ["comma", "semicolon"], "{question}");
            let two = Reply::Answer("2 (semicolon)".to_owned());
            assert_eq!(reply(question, " 2\n"), two);
            assert_eq!(reply(question, "3"), Reply::Answer("3".to_owned()));
            assert!(prompt(question).starts_with("answer 1-2,"));
        }
        for question in [
            "Which port?",
            "1 way only?",
            "10 things\n20 things",
            "2 a\n3 b",
        ] {
            assert!(choices(question).is_empty(), "{question}");
            assert_eq!(reply(question, "1"), Reply::Answer("1".to_owned()));
        }
        assert_eq!(reply("a?", " Later "), Reply::Later);
        let words = Reply::Answer("later than noon".to_owned());
        assert_eq!(reply("a?", "later than noon"), words);
    }
}
