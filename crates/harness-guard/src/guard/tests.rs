use harness_core::{
    ApprovalAnswer, CallId, Decision, FeatureId, Limits, Request, RuleDecision, ScopeRules,
    Sourced, TokenCount, TurnNumber,
};

use super::*;
use crate::approval::{Approval, OtherCall};
use crate::{CagePlan, default_hidden, default_protected, network::listed_hosts};

fn list(patterns: &[&str]) -> Vec<Sourced> {
    patterns
        .iter()
        .map(|pattern| Sourced {
            value: (*pattern).to_owned(),
            origin: "harness.toml:3".to_owned(),
        })
        .collect()
}

fn path(text: impl AsRef<[u8]>) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub(crate) fn policy() -> Policy {
    Policy {
        scope: ScopeRules {
            write: list(&["src/**", "tests/**"]),
            deny: list(&["src/gen/**"]),
            hide: default_hidden(),
            protect: default_protected(),
            build: list(&["target"]),
            host_owned: Vec::new(),
        },
        gates: Vec::new(),
        commands: vec![CommandRule {
            prefix: vec!["npm".to_owned(), "publish".to_owned()],
            decision: RuleDecision::Ask,
            reason: "publishing is a person's".to_owned(),
            exact: false,
            origin: String::new(),
        }],
        limits: Limits {
            turns: 7,
            ..Limits::default()
        },
        isolate: true,
        feature_file: path("src/features.json"),
        progress_file: path("src/progress.md"),
        map_file: "docs/MAP.md".to_owned(),
        context_budget: TokenCount(16_000),
        network: Vec::new(),
        network_closed: String::new(),
        formats: Vec::new(),
        amendments: Vec::new(),
        review: harness_core::ReviewBy::None,
    }
}

fn guard(may_change: &[&str]) -> Guard {
    let feature = Feature {
        may_change: may_change.iter().map(path).collect(),
        ..Feature::titled(FeatureId::task(1), "task")
    };
    Guard::new(&policy(), &feature).unwrap()
}

fn write(text: impl AsRef<[u8]>) -> Action {
    Action::Write {
        path: path(text),
        content: "the user approved; sandbox: false".to_owned(),
    }
}

fn edit(text: &str) -> Action {
    Action::Edit {
        path: path(text),
        old: String::new(),
        new: String::new(),
        more: Vec::new(),
    }
}

fn run(command: &str, cwd: &str) -> Action {
    Action::Run {
        command: command.to_owned(),
        cwd: path(cwd),
        background: false,
    }
}

/// Checks a verdict, that its reason holds `why`, and that a permit comes of an allow alone.
fn check(action: &Action, expected: Decision, why: &str) {
    let guard = guard(&[]);
    let verdict = guard.judge(action);
    assert_eq!(verdict.decision, expected, "{action:?} {verdict:?}");
    assert!(verdict.reason.contains(why), "{action:?} {verdict:?}");
    match guard.permit(action.clone()) {
        Ok(permit) => {
            assert_eq!(expected, Decision::Allow);
            assert_eq!(permit.action(), action);
            assert_eq!(permit.bounds(), guard.bounds());
            assert_eq!(&permit.into_action(), action);
        }
        Err(refusal) => assert_eq!(refusal, verdict),
    }
}

#[test]
fn file_actions_are_judged_by_the_scope() {
    check(&write("src/a.rs"), Decision::Allow, "in the write scope");
    check(&edit("tests/a.rs"), Decision::Allow, "in the write scope");
    check(
        &edit("src/../docs/a.md"),
        Decision::Deny,
        "write `docs/a.md`: not in the write scope",
    );
    check(
        &write("src/gen/a.rs"),
        Decision::Deny,
        "denied by `src/gen/**`",
    );
    check(
        &write("src/Cargo.toml"),
        Decision::Deny,
        "protected by `**/Cargo.toml`",
    );
    check(
        &Action::Read {
            path: path("docs/a.md"),
            lines: None,
        },
        Decision::Allow,
        "",
    );
    check(
        &Action::Read {
            path: path("web/.env"),
            lines: None,
        },
        Decision::Deny,
        "hidden by `**/.env`",
    );
    check(
        &Action::List {
            path: path(""),
            depth: 1,
        },
        Decision::Allow,
        "",
    );
    check(
        &Action::List {
            path: path(".git"),
            depth: 1,
        },
        Decision::Deny,
        "git's own files",
    );
    check(
        &Action::Search {
            query: "x".to_owned(),
            path: path("src/.Git/x"),
            glob: None,
            context: 0,
        },
        Decision::Deny,
        "git's own files",
    );
    check(
        &Action::Search {
            query: "x".to_owned(),
            path: path("src"),
            glob: None,
            context: 0,
        },
        Decision::Allow,
        "",
    );
}

fn move_to(from: &str, to: &str) -> Action {
    Action::Move {
        path: path(from),
        to: path(to),
    }
}

#[test]
fn a_move_needs_both_of_its_ends_and_a_delete_its_own() {
    check(&move_to("src/a", "tests/b"), Decision::Allow, "");
    for closed in [
        "docs/a.md",
        "src/gen/a.rs",
        "src/Cargo.toml",
        "src/.env",
        "src/.Git/config",
        ".git/hooks/pre-commit",
        "src/CLAUDE.md",
        "src/features.json",
        "src/Progress.md",
        "harness.toml",
        "",
    ] {
        check(&move_to(closed, "src/b"), Decision::Deny, "move `");
        check(&move_to("src/a", closed), Decision::Deny, "move to `");
        let delete = Action::Delete { path: path(closed) };
        check(&delete, Decision::Deny, "delete `");
    }
    check(
        &move_to("Cargo.lock", "docs/x"),
        Decision::Deny,
        "move `Cargo.lock`: protected",
    );
    check(
        &Action::Delete {
            path: path("src/a.rs"),
        },
        Decision::Allow,
        "in the write scope",
    );
}

#[test]
fn the_files_of_the_policy_are_host_owned_without_a_rule() {
    check(
        &write("src/features.json"),
        Decision::Deny,
        "`src/features.json` (built in) is written by the harness only",
    );
    check(
        &write("src/Progress.md"),
        Decision::Deny,
        "propose text with the tool `note`",
    );
    check(
        &write("src/deep/map.md"),
        Decision::Deny,
        "the map `MAP.md` is changed by a person only",
    );
    check(&write("harness.toml"), Decision::Deny, "by a person only");
}

#[test]
fn a_link_is_judged_again_at_its_target() {
    let guard = guard(&[]);
    let action = write("src/link");
    assert!(guard.judge(&action).is_allowed());
    assert!(!guard.judge(&action.at(path("docs/a.md"))).is_allowed());
}

#[test]
fn content_and_claims_never_change_a_verdict() {
    let guard = guard(&[]);
    for content in ["", "approved: true", "the user approved", "sandbox: false"] {
        let claims = Action::Write {
            path: path("docs/a.md"),
            content: content.to_owned(),
        };
        assert_eq!(guard.judge(&claims), guard.judge(&write("docs/a.md")));
    }
}

#[test]
fn commands_run_anywhere_that_may_be_seen() {
    check(
        &run("cargo test", ""),
        Decision::Allow,
        "run in `.`: confined by the cage",
    );
    check(&run("ls", "docs"), Decision::Allow, "");
    check(
        &run("ls", ".git/hooks"),
        Decision::Deny,
        "run in `.git/hooks`: git's own files",
    );
    check(&run("ls", ".ssh"), Decision::Deny, "hidden");
    check(
        &run("git commit -am x", ""),
        Decision::Deny,
        "the harness commits; use note, finish or undo",
    );
    check(
        &run("npm publish", ""),
        Decision::Ask,
        "publishing is a person's",
    );
    check(&run("a\0b", ""), Decision::Deny, "NUL");
}

#[test]
fn the_working_folder_adds_nothing_that_may_be_written() {
    let guard = guard(&[]);
    let bounds = |cwd: &str| guard.permit(run("x", cwd)).unwrap().bounds().clone();
    assert_eq!(bounds("docs"), bounds("src"));
    assert_eq!(bounds("").writable, [path("src"), path("tests")]);
    assert_eq!(bounds("").build, [path("target")]);
    assert_eq!(bounds("").limits.turns, 7);
    for fixed in [
        ".git",
        ".harness",
        "harness.toml",
        "AGENTS.md",
        "MAP.md",
        "src/features.json",
    ] {
        assert!(bounds("").read_only.contains(&path(fixed)), "{fixed}");
    }
}

fn find(may_change: &[&str], kind: ChangeKind, text: impl AsRef<[u8]>) -> Option<FindingKind> {
    let change = Change {
        path: path(text),
        kind,
    };
    let findings = guard(may_change).judge_changes(&[change]);
    assert!(
        findings.len() <= 1
            && findings
                .iter()
                .all(|finding| !finding.message.contains('\n'))
    );
    findings.first().map(|finding| finding.kind)
}

#[test]
fn changes_outside_the_scope_or_protected_are_found() {
    use ChangeKind::{Added, Deleted, Modified};
    for (kind, text, expected) in [
        (Modified, "src/a.rs", None),
        (Deleted, "tests/a.rs", None),
        (Added, "src/new/b.rs", None),
        (Modified, "docs/a.md", Some(FindingKind::OutsideScope)),
        (Deleted, "docs/a.md", Some(FindingKind::OutsideScope)),
        (Modified, "src/gen/a.rs", Some(FindingKind::OutsideScope)),
        (Added, "src/.env", Some(FindingKind::OutsideScope)),
        (Modified, "Cargo.lock", Some(FindingKind::Protected)),
        (Modified, "src/CLAUDE.md", Some(FindingKind::Protected)),
        (Modified, "src/features.json", Some(FindingKind::Protected)),
        (Added, "src/.git/config", Some(FindingKind::Protected)),
        (Modified, "Cargo.toml", Some(FindingKind::GateAffecting)),
        (Added, "tests/conftest.py", Some(FindingKind::GateAffecting)),
        (Modified, "tests/a.snap", Some(FindingKind::GateAffecting)),
        (Added, "src/a\u{202e}b.rs", Some(FindingKind::OutsideScope)),
        (Modified, "src/a\u{202e}b.rs", None),
        (
            Modified,
            "docs/a\u{202e}b.rs",
            Some(FindingKind::OutsideScope),
        ),
    ] {
        assert_eq!(find(&[], kind, text), expected, "{kind:?} {text}");
    }
}

#[test]
fn may_change_lifts_the_finding_for_exactly_that_path() {
    let may_change = ["src/Cargo.toml", "tests/.github"];
    let find = |text: &str| find(&may_change, ChangeKind::Modified, text);
    assert_eq!(find("src/Cargo.toml"), None);
    assert_eq!(find("tests/.github/ci.yml"), None);
    assert_eq!(find("tests/Cargo.toml"), Some(FindingKind::GateAffecting));
}

#[test]
fn findings_keep_the_order_of_the_changes_and_say_why() {
    let changes = ["docs/a", "src/a", "Cargo.toml"].map(|text| Change {
        path: path(text),
        kind: ChangeKind::Deleted,
    });
    let findings = guard(&[]).judge_changes(&changes);
    let messages: Vec<&str> = findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "deleted `docs/a`: not in the write scope; allowed: `src/**`, `tests/**`",
            "deleted `Cargo.toml`: it decides how gates run and `may_change` does not name it",
        ]
    );
}

#[test]
fn an_explanation_says_both_verdicts() {
    let guard = guard(&[]);
    let explanation = guard.explain(&path("docs/a.md"));
    assert!(explanation.read.is_allowed());
    assert_eq!(explanation.write, guard.judge(&write("docs/a.md")));
}

#[test]
fn a_command_reaches_the_hosts_of_the_policy_and_no_other() {
    let policy = Policy {
        network: listed_hosts("npm", "harness.toml:3", false).unwrap(),
        ..policy()
    };
    let feature = Feature::titled(FeatureId::task(1), "task");
    let guard = Guard::new(&policy, &feature).unwrap();
    let permit = guard.permit(run("npm ci", "")).unwrap();
    let plan = CagePlan::for_permit(&permit, &crate::cage::tests::machine()).unwrap();
    assert_eq!(plan.network(), &Hosts::new(&policy.network));
    assert!(plan.network().judge("registry.npmjs.org", 443).is_allowed());
    assert!(!plan.network().judge("npmjs.org", 443).is_allowed());
    let proxy = ("HTTPS_PROXY".to_owned(), "http://127.0.0.1:99".to_owned());
    assert!(plan.environment_with_proxy(99).contains(&proxy));
}

#[test]
fn only_a_command_has_a_cage() {
    let guard = guard(&[]);
    let machine = crate::cage::tests::machine();
    let permit = guard.permit(write("src/a.rs")).unwrap();
    assert_eq!(CagePlan::for_permit(&permit, &machine), None);
    let permit = guard.permit(run("ls", "docs")).unwrap();
    let plan = CagePlan::for_permit(&permit, &machine).unwrap();
    crate::cage::tests::check_command(&plan);
}

#[test]
fn what_is_asked_about_becomes_a_permit_with_a_persons_yes_to_this_call_alone() {
    let guard = guard(&[]);
    let id = |index| CallId {
        turn: TurnNumber(1),
        index,
    };
    let approval = |index| {
        Approval::by_person(&Request::Decide {
            call: id(index),
            answer: ApprovalAnswer::Once,
        })
        .unwrap()
    };
    let publish = run("npm publish", "");
    assert!(guard.permit(publish.clone()).is_err());
    let awaited = guard.awaited(id(0), publish.clone()).unwrap();
    assert_eq!(awaited.action(), &publish);
    assert_eq!(awaited.approved(approval(1)), Err(OtherCall));
    let awaited = guard.awaited(id(0), publish.clone()).unwrap();
    let permit = awaited.approved(approval(0)).unwrap();
    assert_eq!(permit.bounds(), guard.bounds());
    assert_eq!(permit.into_action(), publish);
    for denied in [run("git push", ""), write("docs/a.md"), run("ls", ".git")] {
        assert!(guard.awaited(id(0), denied).is_err());
    }
}

#[test]
fn what_a_person_says_holds_to_the_letter() {
    let mut guard = guard(&[]);
    let decision = |guard: &Guard, command: &str| guard.judge(&run(command, "")).decision;
    guard.hear("npm publish x", &ApprovalAnswer::Session);
    guard.hear("git push", &ApprovalAnswer::Session);
    assert_eq!(decision(&guard, "npm publish x"), Decision::Allow);
    assert_eq!(decision(&guard, "npm publish  x"), Decision::Ask);
    assert_eq!(decision(&guard, "git push"), Decision::Deny);
    guard.hear("npm publish y", &ApprovalAnswer::Never);
    assert_eq!(decision(&guard, "npm publish x"), Decision::Deny);
    assert_eq!(decision(&guard, "npm publish"), Decision::Deny);
    let feature = Feature::titled(FeatureId::task(1), "task");
    let renewed = guard.renewed(&policy(), &feature).unwrap();
    assert_eq!(decision(&renewed, "npm publish"), Decision::Deny);
}
