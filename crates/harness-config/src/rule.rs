//! Reads `[[rule]]`: what is said about commands, with examples that must hold.
//!
//! Rules are manners: they look at the words a command begins with, and whoever
//! wants past them gets past and meets the cage. A repository's rule can only
//! narrow; not being asked is a person's to say, in their own file or by a rule
//! they had saved. Which of several rules decides is the guard's business.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use harness_core::{CommandRule, RuleDecision};
use harness_guard::rule_fits;

use crate::{
    document::{Document, Place},
    error::{Fault, shown},
    keys::Owner,
    raw::{RawRule, Text},
    setting::{Literal as _, Settings, quoted},
    value::{self, Here},
};

/// A rule of the person's and where it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PersonRule {
    pub(crate) rule: CommandRule,
    /// The repository's root; everywhere when absent.
    pub(crate) repository: Option<PathBuf>,
}

/// Reads every rule, in order.
pub(crate) fn rules(
    document: &Document<'_>,
    raw: &[RawRule],
    owner: Owner,
) -> Result<Vec<PersonRule>, Box<Fault>> {
    raw.iter()
        .enumerate()
        .map(|(index, raw)| {
            let place = Place::named(format!("rule {}", index + 1), ["rule"]);
            rule(&Here::new(document, place), raw, owner)
        })
        .collect()
}

fn rule(here: &Here<'_>, raw: &RawRule, owner: Owner) -> Result<PersonRule, Box<Fault>> {
    let decision = decision(here, &raw.decision, owner)?;
    let rule = CommandRule {
        prefix: words(here, raw)?,
        exact: raw.exact,
        decision,
        reason: match &raw.reason {
            Some(reason) => line(here, "reason", reason)?,
            None => default_reason(decision).to_owned(),
        },
        origin: here.origin(&raw.command),
    };
    check_examples(here, raw, &rule)?;
    let repository = raw.repository.as_ref();
    Ok(PersonRule {
        rule,
        repository: repository.map(|path| root(here, path)).transpose()?,
    })
}

fn decision(here: &Here<'_>, raw: &Text, owner: Owner) -> Result<RuleDecision, Box<Fault>> {
    const WORDS: [(&str, RuleDecision); 3] = [
        (RuleDecision::Ask.as_str(), RuleDecision::Ask),
        (RuleDecision::Deny.as_str(), RuleDecision::Deny),
        (RuleDecision::Allow.as_str(), RuleDecision::Allow),
    ];
    let decision = value::word(here, "decision", raw, &WORDS)?;
    if decision == RuleDecision::Allow && owner == Owner::Repository {
        return Err(here
            .fault("decision", raw, "a repository's rule cannot allow")
            .with_hint(
                "it can narrow with `ask` or `deny`; what need not be asked stands in a person's own file",
            ));
    }
    Ok(decision)
}

const fn default_reason(decision: RuleDecision) -> &'static str {
    match decision {
        RuleDecision::Ask => "a person decides about this command",
        RuleDecision::Deny => "this command is not wanted here",
        RuleDecision::Allow => "a person's rule says that it need not be asked",
    }
}

/// Commands are compared word by word, so a word that holds a blank would never fit.
fn words(here: &Here<'_>, raw: &RawRule) -> Result<Vec<String>, Box<Fault>> {
    let words = value::argv(here, "command", &raw.command)?;
    for (word, raw) in words.iter().zip(raw.command.get_ref()) {
        if word.is_empty() || word.contains(char::is_whitespace) {
            let problem = format!("`{}` in `command` is not one word", shown(word));
            return Err(here
                .fault("command", raw, problem)
                .with_hint("write each word by itself: `[\"npm\", \"publish\"]`"));
        }
    }
    Ok(words)
}

fn line(here: &Here<'_>, key: &str, raw: &Text) -> Result<String, Box<Fault>> {
    let text = raw.get_ref().trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        let problem = format!("`{key}` is not one line of text");
        return Err(here.fault(key, raw, problem));
    }
    Ok(text.to_owned())
}

fn check_examples(here: &Here<'_>, raw: &RawRule, rule: &CommandRule) -> Result<(), Box<Fault>> {
    let examples = |key: &'static str, examples: &[Text], wanted: bool| {
        let wrong = examples
            .iter()
            .find(|example| rule_fits(rule, example.get_ref()) != wanted);
        wrong.map_or(Ok(()), |example| {
            let is = if wanted { "is not" } else { "is" };
            let problem = format!(
                "the rule `{rule}` {is} about `{}`",
                shown(example.get_ref())
            );
            Err(here.fault(key, example, problem).with_hint(
                "a rule is about commands that begin with its words; `*` stands for one word",
            ))
        })
    };
    examples("match", &raw.matching, true)?;
    examples("not_match", &raw.not_matching, false)
}

/// Reads the root of a repository: absolute, without `..`.
pub(crate) fn root(here: &Here<'_>, path: &Text) -> Result<PathBuf, Box<Fault>> {
    let text = path.get_ref();
    if text.starts_with('/') && !text.split('/').any(|component| component == "..") {
        return Ok(PathBuf::from(text));
    }
    let problem = format!("`{}` is not an absolute path", shown(text));
    Err(here.fault("repository", path, problem).with_hint(
        "write the repository's folder in full, such as `repository = \"/home/me/shop\"`",
    ))
}

/// Notes every rule as it would be written in a file.
pub(crate) fn note(rules: &[CommandRule], settings: &mut Settings) {
    for rule in rules {
        let exact = if rule.exact { ", exact = true" } else { "" };
        let value = format!(
            "{{ command = {}{exact}, decision = {}, reason = {} }}",
            rule.prefix.literal(),
            quoted(rule.decision.as_str()),
            quoted(&rule.reason)
        );
        settings.note("rule", value, &rule.origin);
    }
}

/// Returns a rule as it is written into the file of saved rules: read back as it is.
pub fn render_rule(rule: &CommandRule, repository: &Path) -> String {
    let mut text = String::from("[[rule]]\n");
    let mut add = |key: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    };
    add("command", rule.prefix.literal());
    if rule.exact {
        add("exact", true.literal());
    }
    add("decision", quoted(rule.decision.as_str()));
    add("reason", quoted(&rule.reason));
    add("repository", quoted(&repository.to_string_lossy()));
    text
}
