//! Rules about command lines: manners for the agent, not a boundary.
//!
//! They look at the leading words and nothing else. `sh -c`, quotes, pipes and
//! scripts are not chased: whoever wants past them gets past, and then meets the
//! cage. Their use is a sentence that says what to do instead, and a question to
//! a person where the configuration asks for one.

mod rule;

use harness_core::{CommandRule, Rule, Verdict};

pub use self::rule::rule_fits;
pub(crate) use self::rule::{deciding, narrowest};

/// What the agent is told when it wants to write git itself.
const GIT_REASON: &str = "the harness commits; use note, finish or undo";

/// Git commands that always write the repository or move its work tree.
const GIT_WRITES: &[&str] = &[
    "add",
    "am",
    "checkout",
    "cherry-pick",
    "clean",
    "commit",
    "fetch",
    "filter-branch",
    "gc",
    "init",
    "merge",
    "mv",
    "pull",
    "push",
    "rebase",
    "reset",
    "restore",
    "revert",
    "rm",
    "switch",
    "update-index",
    "update-ref",
];

/// Options of git itself that take the next word as their value.
const GIT_OPTIONS_WITH_VALUE: &[&str] = &["-C", "-c", "--git-dir", "--work-tree", "--namespace"];

/// Options of `git branch` that change branches.
const BRANCH_WRITES: &[&str] = &[
    "-d", "-D", "-m", "-M", "-c", "-C", "-f", "--delete", "--move", "--copy", "--force",
];

/// Options with which `git tag` only lists.
const TAG_READS: &[&str] = &["-l", "--list", "-n", "--contains", "--points-at"];

/// Returns what the rules say about a command; `None` when they say nothing.
///
/// The built-in rule about git comes first and is never lifted.
pub(crate) fn judge_command(rules: &[CommandRule], command: &str) -> Option<Verdict> {
    if writes_git(&rule::words_of(command)) {
        let rule = Rule {
            text: "git writes".to_owned(),
            origin: "built in".to_owned(),
        };
        return Some(Verdict {
            rule: Some(rule),
            ..Verdict::deny(GIT_REASON)
        });
    }
    deciding(rules, command).map(rule::verdict)
}

fn writes_git(words: &[&str]) -> bool {
    let Some((program, mut rest)) = words.split_first() else {
        return false;
    };
    if program.rsplit('/').next() != Some("git") {
        return false;
    }
    while let Some((option, after)) = rest.split_first()
        && option.starts_with('-')
    {
        let value = usize::from(GIT_OPTIONS_WITH_VALUE.contains(option)).min(after.len());
        rest = &after[value..];
    }
    match rest.split_first() {
        Some((&"stash", after)) => !matches!(after.first(), Some(&("list" | "show"))),
        Some((&"tag", after)) => after.first().is_some_and(|word| !TAG_READS.contains(word)),
        Some((&"branch", after)) => after.iter().any(|word| BRANCH_WRITES.contains(word)),
        Some((&"worktree", after)) => after.first() != Some(&"list"),
        Some((subcommand, _)) => GIT_WRITES.contains(subcommand),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use harness_core::{Decision, RuleDecision};

    use super::*;

    #[test]
    fn a_git_write_is_refused_with_the_way_on() {
        for command in [
            "git commit -m x",
            "git add .",
            "git push",
            "  git   stash",
            "git -C sub -c a=b --no-pager commit",
            "GIT_EDITOR=true git rebase -i HEAD~1",
            "/usr/bin/git reset --hard",
            "git branch -D x",
            "git tag v1",
            "git update-ref HEAD x",
            "git clean -xfd",
            "git worktree add ../x",
        ] {
            let verdict = judge_command(&[], command).unwrap();
            assert_eq!(verdict.decision, Decision::Deny, "{command}");
            assert_eq!(verdict.reason, GIT_REASON, "{command}");
        }
    }

    #[test]
    fn what_only_reads_git_or_only_mentions_it_passes() {
        for command in [
            "git status",
            "git",
            "git -C",
            "git log --oneline",
            "git diff HEAD",
            "git branch",
            "git branch --list",
            "git tag",
            "git tag -l v1*",
            "git stash list",
            "git worktree list",
            "gitk commit",
            "echo git commit",
            "",
        ] {
            assert_eq!(judge_command(&[], command), None, "{command}");
        }
    }

    #[test]
    fn no_rule_lifts_the_one_about_git() {
        let allow = CommandRule {
            prefix: vec!["git".to_owned(), "push".to_owned()],
            exact: false,
            decision: RuleDecision::Allow,
            reason: String::new(),
            origin: String::new(),
        };
        let verdict = judge_command(&[allow], "git push").unwrap();
        assert_eq!(verdict.decision, Decision::Deny);
    }

    #[test]
    fn wrapped_commands_are_not_chased() {
        assert_eq!(judge_command(&[], "sh -c 'git commit'"), None);
        assert_eq!(judge_command(&[], "cd src && git commit"), None);
    }
}
