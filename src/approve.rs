//! Asks for an approval in plain lines; what it is about was printed before.

mod features;

use std::time::{Duration, Instant};

use harness_core::{ApprovalAnswer, ApprovalAsked, ApprovalSubject};
use harness_report::rule_text;

use crate::{ask, output::say};

pub(crate) use features::ask_features;

/// A line that is there sooner was typed before the question was.
const DEAD: Duration = Duration::from_millis(400);

/// Asks until an answer comes that was typed after the question; the end of input is a no.
pub(crate) fn ask(asked: &ApprovalAsked, rules_file: &str) -> ApprovalAnswer {
    let prompt = prompt(asked, rules_file);
    loop {
        let shown = Instant::now();
        let line = ask::line(&prompt);
        if line.is_some() && shown.elapsed() < DEAD {
            say("that was typed before the question was there; once more");
            continue;
        }
        return answer(line.as_deref().unwrap_or_default(), asked);
    }
}

/// What can be answered, in the order in which it is numbered, with the letter for it.
fn choices(asked: &ApprovalAsked, rules_file: &str) -> Vec<(char, String)> {
    let is_action = matches!(asked.subject, ApprovalSubject::Action { .. });
    let yes = match asked.subject {
        ApprovalSubject::Action { .. } => "once",
        ApprovalSubject::Amendment { .. } => "for this feature",
        ApprovalSubject::Findings { .. } => "exactly these changes",
        ApprovalSubject::Features { .. } => "all of it",
    };
    let mut choices = vec![('y', format!("yes, {yes}"))];
    if is_action {
        let text = "yes, exactly this for the rest of the session";
        choices.push(('s', text.to_owned()));
    }
    if let Some(rule) = asked.always.as_ref().filter(|_| is_action) {
        let text = format!("always: {}, kept in {rules_file}", rule_text(rule));
        choices.push(('a', text));
    }
    choices.push(('n', "no; what follows is told to the agent".to_owned()));
    let never = "no, and do not ask again in this session";
    choices.push(('d', never.to_owned()));
    choices
}

fn prompt(asked: &ApprovalAsked, rules_file: &str) -> String {
    let choices = choices(asked, rules_file);
    let lines = (1..).zip(&choices);
    let lines = lines.map(|(number, (letter, text))| format!("  {number}  {letter}  {text}\n"));
    let count = choices.len();
    format!("{}answer 1-{count} [no]: ", lines.collect::<String>())
}

/// Reads an answer, by its number or its letter; whatever is neither is a no in the person's own words.
fn answer(line: &str, asked: &ApprovalAsked) -> ApprovalAnswer {
    let line = line.trim();
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let choices = choices(asked, "");
    let numbered = word.parse().ok().and_then(|number: usize| {
        let (letter, _) = choices.get(number.checked_sub(1)?)?;
        Some(*letter)
    });
    let lettered = choices.iter().map(|(letter, _)| *letter);
    let mut lettered = lettered.filter(|letter| word.eq_ignore_ascii_case(&letter.to_string()));
    let letter = match word {
        "yes" => Some('y'),
        "no" => Some('n'),
        _ => numbered.or_else(|| lettered.next()),
    };
    let no = |reason: &str| ApprovalAnswer::No {
        reason: reason.trim().to_owned(),
    };
    match (letter, rest.trim(), &asked.always) {
        (Some('n'), reason, _) => no(reason),
        (Some('y'), "", _) => ApprovalAnswer::Once,
        (Some('s'), "", _) => ApprovalAnswer::Session,
        (Some('a'), "", Some(rule)) => ApprovalAnswer::Always {
            rule: rule.clone(),
            problem: String::new(),
        },
        (Some('d'), "", _) => ApprovalAnswer::Never,
        _ => no(line),
    }
}

#[cfg(test)]
mod tests {
    use harness_core::{Action, CallId, CommandRule, RepoPath, RuleDecision, TurnNumber};

    use super::*;

    fn asked() -> ApprovalAsked {
        ApprovalAsked {
            call: CallId {
                turn: TurnNumber(1),
                index: 0,
            },
            subject: ApprovalSubject::Action {
                action: Action::Run {
                    command: "npm publish".to_owned(),
                    cwd: RepoPath::root(),
                    background: false,
                },
            },
            reason: String::new(),
            rule: None,
            always: Some(CommandRule {
                prefix: vec!["npm".to_owned(), "publish".to_owned()],
                exact: true,
                decision: RuleDecision::Allow,
                reason: String::new(),
                origin: String::new(),
            }),
        }
    }

    #[test]
    fn only_a_key_is_a_yes_and_everything_else_is_a_no() {
        let no = |reason: &str| ApprovalAnswer::No {
            reason: reason.to_owned(),
        };
        for (line, expected) in [
            ("y", ApprovalAnswer::Once),
            (" yes ", ApprovalAnswer::Once),
            ("s", ApprovalAnswer::Session),
            ("d", ApprovalAnswer::Never),
            ("", no("")),
            ("n", no("")),
            ("n use the staging registry", no("use the staging registry")),
            ("yes please", no("yes please")),
            ("yy", no("yy")),
            ("1", ApprovalAnswer::Once),
            ("2", ApprovalAnswer::Session),
            ("4", no("")),
            ("4 use the staging registry", no("use the staging registry")),
            ("5", ApprovalAnswer::Never),
            // What is no number of a choice is no yes.
            ("6", no("6")),
            ("1 1", no("1 1")),
            ("0", no("0")),
        ] {
            assert_eq!(answer(line, &asked()), expected, "{line:?}");
        }
        assert!(matches!(
            answer("a", &asked()),
            ApprovalAnswer::Always { .. }
        ));
        let without = ApprovalAsked {
            always: None,
            ..asked()
        };
        assert_eq!(answer("a", &without), no("a"));
        assert!(matches!(
            answer("3", &asked()),
            ApprovalAnswer::Always { .. }
        ));
        assert_eq!(answer("3", &without), no(""));
    }

    #[test]
    fn the_rule_and_its_file_are_named_before_it_is_kept() {
        let prompt = prompt(&asked(), "~/rules.toml");
        assert!(prompt.contains("3  a  always: exactly `npm publish`, kept in ~/rules.toml"));
        assert!(prompt.ends_with("answer 1-5 [no]: "));
    }
}
