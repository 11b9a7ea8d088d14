//! `harness scope explain` and `harness config`: what holds, and who said so.

use serde_json::{Value, json};

use super::{assert_ok, json};
use crate::support::{CONFIG, Desk, FEATURES, TESTS};

#[test]
fn a_path_is_explained_with_the_rule_that_decides() {
    let desk = Desk::new();
    let run = desk.harness(&[
        "scope",
        "explain",
        "src/new",
        "docs/answer.md",
        "harness.toml",
        ".git/config",
        ".env",
    ]);
    assert_ok(&run);
    let blocks: Vec<&str> = run.stdout.split_inclusive("\n").collect();
    assert_eq!(blocks.len(), 15, "{}", run.stdout);
    assert_eq!(
        blocks[..3].concat(),
        "src/new\n  read: allow\n  write: allow, by `src/**` (harness.toml:3)\n"
    );
    for (block, word) in [
        (5, "not in the write scope"),
        (8, "deny"),
        (10, "deny"),
        (13, "deny"),
        (14, "deny"),
    ] {
        assert!(blocks[block].contains(word), "{}", run.stdout);
    }
    let lines = json(&desk.harness(&["scope", "explain", "src/a", "b", "--json"]));
    assert_eq!(lines[0]["write"]["decision"], "allow");
    assert_eq!(
        lines[0]["write"]["rule"],
        json!({ "text": "src/**", "origin": "harness.toml:3" })
    );
    assert_eq!(lines[1]["write"]["decision"], "deny");
}

#[test]
fn paths_are_seen_from_the_current_folder_and_never_from_outside() {
    let desk = Desk::new();
    let below = desk.project.root().join("src");
    let run = desk.home.run(&below, &["scope", "explain", "a", "../docs"]);
    assert_ok(&run);
    assert!(run.stdout.starts_with("src/a\n"), "{}", run.stdout);
    assert!(run.stdout.contains("\ndocs\n"), "{}", run.stdout);
    for path in ["../../x", "/etc/passwd"] {
        let run = desk.home.run(&below, &["scope", "explain", path]);
        assert_eq!(run.code, 7, "{path}: {}", run.stderr);
        assert!(
            run.stderr.contains("outside the repository"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_feature_narrows_the_scope() {
    let desk = Desk::new();
    assert_ok(&desk.harness(&["feature", "add", "Narrow", "--write", "src/export/**"]));
    let lines = json(&desk.harness(&[
        "scope",
        "explain",
        "src/a",
        "src/export/a",
        "--feature",
        "F-2",
        "--json",
    ]));
    assert_eq!(lines[0]["write"]["decision"], "deny");
    assert_eq!(lines[1]["write"]["decision"], "allow");
}

#[test]
fn the_sandbox_of_a_process_is_told() {
    let desk = Desk::new();
    let run = desk.harness(&["scope", "explain", "src", "--sandbox", "--json"]);
    assert_ok(&run);
    let plan = json(&run).remove(1);
    assert_eq!(plan["type"], "sandbox");
    let writable = plan["writable"].to_string();
    assert!(
        writable.contains("/demo/src") && !writable.contains("/demo/docs"),
        "{writable}"
    );
}

#[test]
fn the_sandbox_of_a_gate_is_told() {
    let desk = Desk::new();
    let explain = |flags: &[&str]| {
        let run = desk.harness(&[&["scope", "explain", "src", "--sandbox"], flags].concat());
        assert_ok(&run);
        run
    };
    let gates = json(&explain(&["--json"])).remove(2);
    assert_eq!(gates["type"], "sandbox_gates");
    let root = desk.project.root().display().to_string();
    if gates["isolation"] == "repository_path" {
        assert_eq!(gates["plan"]["place"], root);
        assert_eq!(
            gates["plan"]["git"],
            serde_json::json!([format!("{root}/.git")])
        );
        let tree = gates["plan"]["tree"]["mounts"].to_string();
        assert!(tree.contains(".git/harness"), "{tree}");
    }
    let writable = gates["plan"]["writable"].to_string();
    assert!(!writable.contains(&root), "{writable}");
    let text = explain(&[]).stdout;
    assert!(text.contains("gates: run on a clean checkout"), "{text}");
}

#[test]
fn a_command_is_explained_with_the_rule_that_decides() {
    let desk = Desk::new();
    let mut config = desk.project.read("harness.toml");
    let line = config.lines().count() + 2;
    config.push_str(
        "[[rule]]\ncommand = [\"npm\", \"publish\"]\ndecision = \"ask\"\nreason = \"publishing is a person's\"\n",
    );
    desk.project.write("harness.toml", &config);
    let explain = |command: &str| {
        let run = desk.harness(&["scope", "explain", "--command", command]);
        assert_ok(&run);
        run.stdout
    };
    assert_eq!(
        explain("npm publish --tag x"),
        format!(
            "npm publish --tag x\n  run: ask, by `npm publish ...` (harness.toml:{line}): publishing is a person's\n"
        )
    );
    assert_eq!(explain("npm test"), "npm test\n  run: allow\n");
    assert!(explain("git push").contains("deny, by `git writes` (built in)"));
    desk.home
        .configure("[[rule]]\ncommand = [\"npm\", \"publish\"]\ndecision = \"allow\"\n");
    let allowed = explain("npm publish --tag x");
    assert!(
        allowed.contains("allow, by `npm publish ...` (") && allowed.contains("config.toml:2)"),
        "{allowed}"
    );
    let shown = desk.harness(&["config", "show", "--origin"]).stdout;
    assert_eq!(shown.matches("\nrule = {").count(), 2, "{shown}");
}

#[test]
fn rules_that_the_person_had_saved_hold_in_their_repository() {
    let desk = Desk::new();
    let root = desk.project.root().canonicalize().unwrap();
    let rule = |repository: &str| {
        format!(
            "[[rule]]\ncommand = [\"npm\", \"publish\"]\ndecision = \"deny\"\nrepository = \"{repository}\"\n"
        )
    };
    desk.home
        .write_state("rules.toml", &rule(&root.to_string_lossy()));
    let explain = ["scope", "explain", "--command", "npm publish"];
    let run = desk.harness(&explain);
    assert!(
        run.stdout.contains("deny") && run.stdout.contains("rules.toml:2"),
        "{}",
        run.stdout
    );
    desk.home.write_state("rules.toml", &rule("/elsewhere"));
    assert!(desk.harness(&explain).stdout.contains("run: allow"));
    desk.home
        .write_state("rules.toml", "[[rule]]\ncommand = 1\ndecision = \"deny\"\n");
    let run = desk.harness(&explain);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("rules.toml`, line 2"), "{}", run.stderr);
}

#[test]
fn a_repository_cannot_allow_a_command() {
    let desk = Desk::new();
    let mut config = desk.project.read("harness.toml");
    config.push_str("[[rule]]\ncommand = [\"npm\"]\ndecision = \"allow\"\n");
    desk.project.write("harness.toml", &config);
    let run = desk.harness(&["config", "show"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("a repository's rule cannot allow"),
        "{}",
        run.stderr
    );
}

#[test]
fn every_value_is_shown_with_its_origin() {
    let desk = Desk::new();
    desk.home.configure("[limits]\nturns = 50\nminutes = 30\n");
    let arguments = ["config", "show", "--origin"];
    let run = desk
        .home
        .run_with(&desk.project.root(), &arguments, "HARNESS_MAX_TURNS", "20");
    assert_ok(&run);
    let origin = |key: &str| {
        let line = run
            .stdout
            .lines()
            .find(|line| line.starts_with(&format!("{key} = ")));
        line.unwrap_or_else(|| panic!("no {key} in {}", run.stdout))
            .to_owned()
    };
    assert!(origin("scope.write").ends_with("# harness.toml:3"));
    assert!(origin("context.map").ends_with("# built in"));
    assert!(
        origin("limits.turns").contains("= 20  # environment"),
        "{}",
        origin("limits.turns")
    );
    assert!(
        origin("limits.minutes").contains("config.toml:3"),
        "{}",
        origin("limits.minutes")
    );
    let without = desk.harness(&["config", "show"]);
    assert!(!without.stdout.contains("  # "), "{}", without.stdout);
    for line in json(&desk.harness(&["config", "show", "--json"])) {
        assert!(
            line["key"].is_string() && line["origin"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn the_default_files_are_read_back() {
    let desk = Desk::new();
    let repository = desk.harness(&["config", "default"]);
    assert_ok(&repository);
    desk.project.write("harness.toml", &repository.stdout);
    let person = desk.harness(&["config", "default", "--user"]);
    assert_ok(&person);
    desk.home.configure(&person.stdout);
    assert_ok(&desk.harness(&["config", "show"]));
}

#[test]
fn what_becomes_of_a_process_that_writes_is_told_for_each_path() {
    let config = CONFIG.replace("write = [\"src/**\"", "write = [\"**\", \"src/**\"");
    let desk = Desk::with_files(&[
        ("harness.toml", config.as_str()),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let told = |path: &str| {
        let run = desk.harness(&["scope", "explain", path, "--sandbox", "--json"]);
        let lines: Vec<Value> = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (lines[0]["process"].clone(), lines[1]["level"].clone())
    };
    let (outside, level) = told("harness.toml");
    let (absent, _) = told("AGENTS.md");
    assert_eq!(absent, "found_and_undone");
    if level == "namespaces" {
        assert_eq!(outside, "prevented");
    }
    let (open, _) = told("src/answer");
    assert_eq!(open, Value::Null);
}
