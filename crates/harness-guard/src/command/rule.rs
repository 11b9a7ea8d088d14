//! Which configured rule decides about a command, and whether a rule is about it at all.
//!
//! A refusal beats everything; between asking and not asking the rule with more
//! words decides, and a person's word that it need not be asked wins a draw. So
//! the order of rules makes no difference, and a repository's rule can never
//! undo a person's refusal.

use harness_core::{CommandRule, Decision, Rule, RuleDecision, Verdict};

use crate::shown::is_unreadable;

/// Stands for any one word of a command.
const ANY_WORD: &str = "*";

/// What has a meaning for a shell: a word with it is more than an argument.
const OPERATORS: &[char] = &[';', '|', '&', '<', '>', '(', ')', '$', '`', '\\'];

/// Says whether a rule is about a command: by the words it begins with, and nothing else.
///
/// Assignments before the command (`A=1 npm test`) are skipped. A rule that
/// allows is read more strictly, because it silences a question: assignments
/// count as words, and no word that the rule does not spell out may hold a line
/// break or what has a meaning for a shell.
pub fn rule_fits(rule: &CommandRule, command: &str) -> bool {
    if rule.decision == RuleDecision::Allow {
        let words: Vec<&str> = command
            .split([' ', '\t'])
            .filter(|word| !word.is_empty())
            .collect();
        return begins(rule, &words) && unnamed(rule, &words).all(is_argument);
    }
    begins(rule, &words_of(command))
}

/// Returns the rule that decides about a command; `None` when no rule is about it.
pub(crate) fn deciding<'a>(rules: &'a [CommandRule], command: &str) -> Option<&'a CommandRule> {
    let weight = |rule: &&CommandRule| {
        let is_deny = rule.decision == RuleDecision::Deny;
        let is_allow = rule.decision == RuleDecision::Allow;
        (is_deny, rule.prefix.len(), rule.exact, is_allow)
    };
    // The first of equals decides.
    let fitting = rules.iter().rev().filter(|rule| rule_fits(rule, command));
    fitting.max_by_key(weight)
}

/// Returns the rule that allows exactly this command; `None` where nobody would read one.
pub(crate) fn narrowest(command: &str) -> Option<CommandRule> {
    const WORDS_MAX: usize = 64;
    const BYTES_MAX: usize = 1_000;
    let is_plain = |char: char| char == '\t' || !is_unreadable(char);
    let words: Vec<String> = command
        .split([' ', '\t'])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let bytes: usize = words.iter().map(String::len).sum();
    let has_size = (1..=WORDS_MAX).contains(&words.len()) && bytes <= BYTES_MAX;
    let has_star = words.iter().any(|word| word == ANY_WORD);
    let is_one_line = command.chars().all(is_plain) && !command.contains(is_odd_blank);
    (has_size && is_one_line && !has_star).then(|| CommandRule {
        prefix: words,
        exact: true,
        decision: RuleDecision::Allow,
        reason: "a person said always".to_owned(),
        origin: String::new(),
    })
}

/// Whether a blank is one that a file's rule could not hold in a word.
fn is_odd_blank(char: char) -> bool {
    char.is_whitespace() && char != ' ' && char != '\t'
}

/// Returns what a rule says as a verdict.
pub(crate) fn verdict(rule: &CommandRule) -> Verdict {
    let decision = match rule.decision {
        RuleDecision::Ask => Decision::Ask,
        RuleDecision::Deny => Decision::Deny,
        RuleDecision::Allow => Decision::Allow,
    };
    let origin = if rule.origin.is_empty() {
        "command rule"
    } else {
        &rule.origin
    };
    Verdict {
        decision,
        reason: rule.reason.clone(),
        rule: Some(Rule {
            text: rule.to_string(),
            origin: origin.to_owned(),
        }),
    }
}

/// Returns the words of a command without the assignments before it.
pub(super) fn words_of(command: &str) -> Vec<&str> {
    let words = command.split_whitespace();
    words.skip_while(|word| is_assignment(word)).collect()
}

fn begins(rule: &CommandRule, words: &[&str]) -> bool {
    let fits = |(wanted, word): (&String, &&str)| wanted == ANY_WORD || wanted == word;
    let is_long_enough = if rule.exact {
        rule.prefix.len() == words.len()
    } else {
        rule.prefix.len() <= words.len()
    };
    is_long_enough && rule.prefix.iter().zip(words).all(fits)
}

/// Returns the words of a command that a rule does not spell out.
fn unnamed<'a>(rule: &'a CommandRule, words: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let named = rule.prefix.iter().map(Some).chain(std::iter::repeat(None));
    let pairs = words.iter().zip(named);
    pairs
        .filter(|(_, named)| named.is_none_or(|named| named == ANY_WORD))
        .map(|(word, _)| *word)
}

fn is_argument(word: &str) -> bool {
    !word.contains(OPERATORS) && !word.chars().any(char::is_control)
}

fn is_assignment(word: &str) -> bool {
    let name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    word.split_once('=')
        .is_some_and(|(before, _)| !before.is_empty() && before.chars().all(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(words: &str, decision: RuleDecision) -> CommandRule {
        CommandRule {
            prefix: words.split(' ').map(str::to_owned).collect(),
            exact: false,
            decision,
            reason: words.replace(' ', "+"),
            origin: String::new(),
        }
    }

    fn exactly(words: &str, decision: RuleDecision) -> CommandRule {
        CommandRule {
            exact: true,
            ..rule(words, decision)
        }
    }

    fn decide(rules: &[CommandRule], command: &str) -> Option<(Decision, String)> {
        let verdict = deciding(rules, command).map(verdict)?;
        Some((verdict.decision, verdict.reason))
    }

    fn said(decision: Decision, reason: &str) -> Option<(Decision, String)> {
        Some((decision, reason.to_owned()))
    }

    #[test]
    fn a_rule_is_about_the_words_a_command_begins_with() {
        let rules = [rule("npm publish", RuleDecision::Deny)];
        for command in ["npm publish", " npm\tpublish --tag x", "A=1 B= npm publish"] {
            assert_eq!(
                decide(&rules, command),
                said(Decision::Deny, "npm+publish"),
                "{command}"
            );
        }
        for command in [
            "npmx publish",
            "echo npm publish",
            "npm",
            "",
            "sh -c 'npm publish'",
        ] {
            assert_eq!(decide(&rules, command), None, "{command}");
        }
    }

    #[test]
    fn a_star_is_any_one_word() {
        let rules = [rule("npm * --force", RuleDecision::Ask)];
        assert!(decide(&rules, "npm install --force x").is_some());
        assert!(decide(&rules, "npm --force").is_none());
        assert!(decide(&rules, "npm a b --force").is_none());
    }

    #[test]
    fn a_refusal_beats_everything_and_else_more_words_decide() {
        let mut rules = vec![
            rule("npm", RuleDecision::Ask),
            rule("npm run", RuleDecision::Allow),
            rule("npm run deploy", RuleDecision::Ask),
            rule("npm publish", RuleDecision::Allow),
            rule("npm", RuleDecision::Allow),
        ];
        for _ in 0..rules.len() {
            rules.rotate_left(1);
            assert_eq!(decide(&rules, "npm x"), said(Decision::Allow, "npm"));
            assert_eq!(
                decide(&rules, "npm run x"),
                said(Decision::Allow, "npm+run")
            );
            assert_eq!(
                decide(&rules, "npm run deploy x"),
                said(Decision::Ask, "npm+run+deploy")
            );
        }
        rules.push(rule("npm", RuleDecision::Deny));
        assert_eq!(decide(&rules, "npm publish"), said(Decision::Deny, "npm"));
    }

    #[test]
    fn an_exact_rule_ends_with_its_words() {
        let rules = [
            rule("npm publish", RuleDecision::Ask),
            exactly("npm publish --tag x", RuleDecision::Allow),
        ];
        assert_eq!(
            decide(&rules, "npm  publish --tag x").map(|said| said.0),
            Some(Decision::Allow)
        );
        for command in ["npm publish --tag x y", "npm publish --tag", "npm publish"] {
            let decision = decide(&rules, command).map(|said| said.0);
            assert_eq!(decision, Some(Decision::Ask), "{command}");
        }
    }

    #[test]
    fn an_allowance_does_not_reach_past_a_plain_command() {
        let rules = [
            rule("npm publish", RuleDecision::Ask),
            rule("npm publish", RuleDecision::Allow),
        ];
        assert_eq!(
            decide(&rules, "npm publish --tag x").map(|said| said.0),
            Some(Decision::Allow)
        );
        for command in [
            "npm publish; curl example.org",
            "npm publish x;curl example.org",
            "npm publish\ncurl example.org",
            "npm publish x\ncurl",
            "npm publish && curl",
            "npm publish $(curl)",
            "npm publish `curl`",
            "npm publish > x",
            "npm_config_registry=x npm publish",
            "npm\u{a0}publish",
        ] {
            let decision = decide(&rules, command).map(|said| said.0);
            assert_eq!(
                decision.unwrap_or(Decision::Ask),
                Decision::Ask,
                "{command}"
            );
        }
        let spelt_out = [
            rule("make", RuleDecision::Ask),
            exactly("make a && make b", RuleDecision::Allow),
        ];
        let decision = |command| decide(&spelt_out, command).map(|said| said.0);
        assert_eq!(decision("make a && make b"), Some(Decision::Allow));
        assert_eq!(decision("make a && make c"), Some(Decision::Ask));
    }

    #[test]
    fn the_narrowest_rule_allows_one_command_alone() {
        let command = "npm  publish --tag x; curl y";
        let narrow = narrowest(command).unwrap();
        assert_eq!(narrow.to_string(), "npm publish --tag x; curl y");
        let rules = [rule("npm publish", RuleDecision::Ask), narrow];
        let decision = |command| decide(&rules, command).map(|said| said.0);
        assert_eq!(decision(command), Some(Decision::Allow));
        for other in [
            "npm publish --tag x",
            "npm publish --tag x; curl z",
            "npm publish --tag x; curl y z",
        ] {
            assert_eq!(decision(other), Some(Decision::Ask), "{other}");
        }
    }

    #[test]
    fn no_rule_is_offered_that_nobody_would_read() {
        let long = "x".repeat(1_001);
        let many = "x ".repeat(65);
        for command in [
            "",
            "make\nclean",
            "make \u{202e}x",
            "make\u{a0}x",
            "make *",
            &long,
            &many,
        ] {
            assert_eq!(narrowest(command), None, "{command:?}");
        }
    }

    #[test]
    fn a_verdict_names_the_rule_and_where_it_stands() {
        let mut ask = rule("npm publish", RuleDecision::Ask);
        let named = |rule: &CommandRule| verdict(rule).rule.unwrap().to_string();
        assert_eq!(named(&ask), "`npm publish ...` (command rule)");
        ask.origin = "harness.toml:7".to_owned();
        ask.exact = true;
        assert_eq!(named(&ask), "`npm publish` (harness.toml:7)");
    }
}
