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

fn prompt(asked: &ApprovalAsked, rules_file: &str) -> String {
    let is_action = matches!(asked.subject, ApprovalSubject::Action { .. });
    let always = asked.always.as_ref().filter(|_| is_action);
    let always =
        always.map(|rule| format!("  a  always: {}, kept in {rules_file}\n", rule_text(rule)));
    let session = if is_action {
        "  s  yes, exactly this for the rest of the session\n"
    } else {
        ""
    };
    format!(
        "  y  yes, {}\n{session}{}  n  no; what follows is told to the agent\n  d  no, and do not ask again in this session\n[n]: ",
        match asked.subject {
            ApprovalSubject::Action { .. } => "once",
            ApprovalSubject::Amendment { .. } => "for this feature",
            ApprovalSubject::Findings { .. } => "exactly these changes",
            ApprovalSubject::Features { .. } => "all of it",
        },
        always.unwrap_or_default(),
    )
}

/// Reads an answer; whatever is none of the keys is a no in the person's own words.
fn answer(line: &str, asked: &ApprovalAsked) -> ApprovalAnswer {
    let is_action = matches!(asked.subject, ApprovalSubject::Action { .. });
    let no = |reason: &str| ApprovalAnswer::No {
        reason: reason.trim().to_owned(),
    };
    match (line.trim(), &asked.always) {
        ("y" | "Y" | "yes", _) => ApprovalAnswer::Once,
        ("s" | "S", _) if is_action => ApprovalAnswer::Session,
        ("a" | "A", Some(rule)) if is_action => ApprovalAnswer::Always {
            rule: rule.clone(),
            problem: String::new(),
        },
        ("d" | "D", _) => ApprovalAnswer::Never,
        ("n" | "N" | "no", _) => no(""),
        (text, _) => no(text.strip_prefix("n ").unwrap_or(text)),
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
    }

    #[test]
    fn the_rule_and_its_file_are_named_before_it_is_kept() {
        let prompt = prompt(&asked(), "~/rules.toml");
        assert!(prompt.contains("a  always: exactly `npm publish`, kept in ~/rules.toml"));
        assert!(prompt.ends_with("[n]: "));
    }
}
