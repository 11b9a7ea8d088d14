use std::path::Path;

use harness_core::{CommandRule, RuleDecision};

use super::{messages, repository, user};
use crate::{
    ConfigError, ConfigFile, Overrides, SavedRules, parse_saved_rules, render_rule, resolve,
    trust_subject,
};

fn saved(text: &str) -> Result<SavedRules, ConfigError> {
    parse_saved_rules(ConfigFile {
        name: "rules.toml",
        text,
    })
}

fn rule(rest: &str) -> String {
    format!("[[rule]]\ncommand = [\"npm\", \"publish\"]\n{rest}")
}

#[test]
fn a_rule_says_what_holds_for_a_command_and_why() {
    let text = rule(
        "decision = \"deny\"\nreason = \"not here\"\nmatch = [\"npm publish --tag x\"]\nnot_match = [\"npm test\"]",
    );
    let read = repository(&text).unwrap().rules;
    let expected = CommandRule {
        prefix: vec!["npm".to_owned(), "publish".to_owned()],
        exact: false,
        decision: RuleDecision::Deny,
        reason: "not here".to_owned(),
        origin: "harness.toml:2".to_owned(),
    };
    assert_eq!(read, [expected]);
}

#[test]
fn a_rule_that_cannot_be_meant_so_is_refused_with_its_place() {
    let texts = [
        rule("decision = \"allow\""),
        rule("decision = \"never\""),
        rule("reason = \"x\""),
        rule("decision = \"ask\"\nmatch = [\"npm publish\", \"npm test\"]"),
        rule("decision = \"ask\"\nexact = true\nmatch = [\"npm publish --tag x\"]"),
        rule("decision = \"ask\"\nnot_match = [\"npm publish x\"]"),
        rule("decision = \"ask\"\nrepository = \"/home/me/shop\""),
        rule("decision = \"ask\"\nreason = \"\""),
        rule("decision = \"ask\"\nreasn = \"x\""),
        "[[rule]]\ncommand = []\ndecision = \"ask\"".to_owned(),
        "[[rule]]\ncommand = [\"npm publish\"]\ndecision = \"ask\"".to_owned(),
        "[[rule]]\ncommand = [\"npm\", \"\"]\ndecision = \"ask\"".to_owned(),
    ];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    insta::assert_snapshot!(messages(repository, &texts), @r#"
    cannot read rule 1 in `harness.toml`, line 3: a repository's rule cannot allow
        it can narrow with `ask` or `deny`; what need not be asked stands in a person's own file
    cannot read rule 1 in `harness.toml`, line 3: `decision` cannot be `never`
        it is one of `ask`, `deny`, `allow`
    cannot read rule 1 in `harness.toml`, line 1: key `decision` is missing
    cannot read rule 1 in `harness.toml`, line 4: the rule `npm publish ...` is not about `npm test`
        a rule is about commands that begin with its words; `*` stands for one word
    cannot read rule 1 in `harness.toml`, line 5: the rule `npm publish` is not about `npm publish --tag x`
        a rule is about commands that begin with its words; `*` stands for one word
    cannot read rule 1 in `harness.toml`, line 4: the rule `npm publish ...` is about `npm publish x`
        a rule is about commands that begin with its words; `*` stands for one word
    cannot read rule 1 in `harness.toml`, line 4: key `repository` belongs in the user file
        a repository names no providers, keys or paths outside it: move it to your own file
    cannot read rule 1 in `harness.toml`, line 4: `reason` is not one line of text
    cannot read rule 1 in `harness.toml`, line 4: unknown key `reasn`
        did you mean `reason`?
    cannot read rule 1 in `harness.toml`, line 2: `command` names no program
        write program and arguments as a list: `["cargo", "test"]`
    cannot read rule 1 in `harness.toml`, line 2: `npm publish` in `command` is not one word
        write each word by itself: `["npm", "publish"]`
    cannot read rule 1 in `harness.toml`, line 2: `` in `command` is not one word
        write each word by itself: `["npm", "publish"]`
    "#);
    let texts = [
        rule("decision = \"allow\"\nmatch = [\"npm publish; curl x\"]"),
        rule("decision = \"allow\"\nrepository = \"shop\""),
    ];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    insta::assert_snapshot!(messages(user, &texts), @r#"
    cannot read rule 1 in `config.toml`, line 4: the rule `npm publish ...` is not about `npm publish; curl x`
        a rule is about commands that begin with its words; `*` stands for one word
    cannot read rule 1 in `config.toml`, line 4: `shop` is not an absolute path
        write the repository's folder in full, such as `repository = "/home/me/shop"`
    "#);
}

#[test]
fn a_wrong_example_names_file_line_and_key() {
    let text = rule("decision = \"ask\"\nmatch = [\n  \"npm publish\",\n  \"npm test\",\n]");
    let error = repository(&text).unwrap_err();
    assert_eq!(error.key(), Some("rule.match"));
    assert!(
        error.to_string().contains("`harness.toml`, line 6"),
        "{error}"
    );
}

#[test]
fn the_persons_saved_and_the_repositorys_rules_hold_together_each_with_its_origin() {
    let person = user(&rule("decision = \"allow\"")).unwrap();
    let elsewhere = rule("decision = \"deny\"\nrepository = \"/elsewhere\"");
    let here = rule("decision = \"allow\"\nexact = true\nrepository = \"/here\"");
    let kept = saved(&format!("{elsewhere}\n{here}")).unwrap();
    let person = person.with_saved(kept).for_repository(Path::new("/here"));
    let asked = repository(&rule("decision = \"ask\"")).unwrap();
    let none = Overrides::default();
    let resolved = resolve(Some(&asked), &person, &none, &none).unwrap();
    let origins: Vec<&str> = resolved
        .policy
        .commands
        .iter()
        .map(|rule| rule.origin.as_str())
        .collect();
    assert_eq!(origins, ["config.toml:2", "rules.toml:6", "harness.toml:2"]);
    let shown: Vec<String> = resolved
        .origins
        .iter()
        .filter(|setting| setting.key == "rule")
        .map(|setting| format!("{}  # {}", setting.value, setting.origin))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    { command = ["npm", "publish"], decision = "allow", reason = "a person's rule says that it need not be asked" }  # config.toml:2
    { command = ["npm", "publish"], exact = true, decision = "allow", reason = "a person's rule says that it need not be asked" }  # rules.toml:6
    { command = ["npm", "publish"], decision = "ask", reason = "a person decides about this command" }  # harness.toml:2
    "#);
}

#[test]
fn a_saved_rule_reads_back_as_it_was_written() {
    let rule = CommandRule {
        prefix: vec!["npm".to_owned(), "run".to_owned(), "\"a\\b\"".to_owned()],
        exact: true,
        decision: RuleDecision::Allow,
        reason: "a person said \"always\"".to_owned(),
        origin: "rules.toml:2".to_owned(),
    };
    let root = Path::new("/home/me/my \"shop\"");
    let text = render_rule(&rule, root);
    let person = user("").unwrap().with_saved(saved(&text).unwrap());
    let there: Vec<CommandRule> = person.for_repository(root).rules().cloned().collect();
    assert_eq!(there, [rule]);
    assert_eq!(person.for_repository(Path::new("/x")).rules().count(), 0);
}

#[test]
fn a_repositorys_rules_are_part_of_what_is_trusted() {
    let lines = |text: &str| trust_subject(&repository(text).unwrap());
    let with = lines(&rule("decision = \"ask\""));
    assert_eq!(with.len(), 1);
    assert_eq!(
        with[0].text,
        "ask npm publish; reason \"a person decides about this command\""
    );
    assert_ne!(with, lines(&rule("decision = \"deny\"")));
}
