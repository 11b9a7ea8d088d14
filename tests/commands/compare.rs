//! `harness gate run --compare` and `harness init --try`: what a checkout lacks, with the lines that mend it.

use harness_testkit::{Home, Project};
use serde_json::json;

use super::{assert_ok, json, picture};
use crate::support::{CONFIG, Desk, PROGRAM, TESTS, Terminal, levels};

/// Needs a package that was installed in the work tree.
const NEEDS: &str =
    "cat node_modules/tiny/index.js || { echo \"Cannot find module 'tiny'\"; exit 1; }\n";

fn desk(gate: &str, more: &[(&str, &str)]) -> Desk {
    let config = CONFIG.replace("\"tap\"", "\"exit\"");
    let files = [
        ("harness.toml", config.as_str()),
        (".gitignore", "/node_modules\n/local.env\n/dist\n"),
        ("tests/run.sh", gate),
    ];
    Desk::with_files(&[&files[..], more].concat())
}

fn compare(desk: &Desk) -> (i32, String) {
    let run = desk.harness(&["gate", "run", "--compare"]);
    (run.code, format!("{}{}", run.stdout, run.stderr))
}

#[test]
fn a_missing_folder_of_dependencies_is_named_with_the_line_that_mends_it() {
    if levels().is_empty() {
        return;
    }
    let desk = desk(NEEDS, &[("package-lock.json", "{}\n")]);
    desk.project.write("node_modules/tiny/index.js", "42\n");
    let before = picture(&desk.project);
    let (code, said) = compare(&desk);
    assert_eq!(code, 4, "{said}");
    for line in [
        "gate: test in place green, isolated red",
        "    Cannot find module 'tiny'",
        "`node_modules` is in the work tree and in no checkout",
        "link = [\"node_modules\"]",
        "run = [\"npm\", \"ci\"]",
    ] {
        assert!(said.contains(line), "no {line} in {said}");
    }
    assert_eq!(picture(&desk.project), before);

    // The line it gives is the one that mends it.
    let config = desk.project.read("harness.toml");
    let mended = format!("{config}[gates]\nlink = [\"node_modules\"]\n");
    desk.project.write("harness.toml", &mended);
    assert_ok(&desk.harness(&["trust", "--yes"]));
    let (code, said) = compare(&desk);
    assert_eq!(code, 0, "{said}");
    assert_eq!(said, "gate: test in place green, isolated green\n");
    let line = json(&desk.harness(&["gate", "run", "--compare", "--json"])).remove(0);
    assert_eq!(line["type"], "gate_compared");
    assert_eq!(line["isolated"]["status"], "green");
    assert_eq!(line["advice"], json!([]));
}

#[test]
fn an_ignored_file_and_a_red_gate_are_told_apart() {
    if levels().is_empty() {
        return;
    }
    let desk_of_file = desk("cat local.env\n", &[]);
    desk_of_file.project.write("local.env", "x\n");
    let (_, said) = compare(&desk_of_file);
    assert!(said.contains("`local.env` is ignored by git"), "{said}");
    let (_, said) = compare(&desk("exit 1\n", &[]));
    assert!(said.contains("not green in either place"), "{said}");
}

#[test]
fn nothing_is_compared_before_trust_and_in_place_means_within_the_scope() {
    if levels().is_empty() {
        return;
    }
    let desk = desk(
        "echo x > README; echo y > src/made; cat src/made\n",
        &[("src/a", "a\n")],
    );
    let run = |arguments: &[&str]| desk.harness(arguments);
    assert_ok(&run(&["trust", "--revoke"]));
    let refused = run(&["gate", "run", "--compare"]);
    assert_eq!(refused.code, 5, "{}", refused.stdout);
    assert!(!desk.project.root().join("src/made").exists());
    assert_ok(&run(&["trust", "--yes"]));
    run(&["gate", "run", "--compare"]);
    assert!(!desk.project.root().join("README").exists());
    assert!(desk.project.root().join("src/made").exists());
}

#[test]
fn a_build_output_that_is_missing_is_there_in_place_and_gone_when_it_stays_empty() {
    if levels().is_empty() {
        return;
    }
    // As cargo does it: beside the folder first.
    let gate = "[ -d dist ] || { mkdir distX && mv distX dist || exit 1; }\n";
    let desk = desk(gate, &[]);
    let config = desk.project.read("harness.toml");
    let config = config.replace("[scope]", "[scope]\nbuild = [\"dist\"]");
    desk.project.write("harness.toml", &config);
    assert_ok(&desk.harness(&["trust", "--yes"]));
    let (code, said) = compare(&desk);
    assert_eq!(
        (code, said.as_str()),
        (0, "gate: test in place green, isolated green\n")
    );
    assert!(!desk.project.root().join("dist").exists());
}

fn project() -> Project {
    Project::with_files(&[
        ("src/a.sh", "echo a\n"),
        (".gitignore", "/node_modules\n"),
        ("tests/run.sh", NEEDS),
        ("node_modules/tiny/index.js", "42\n"),
    ])
}

#[test]
fn init_tries_what_it_wrote_and_nothing_else() {
    if levels().is_empty() {
        return;
    }
    let (home, project) = (Home::new(PROGRAM), project());
    project.git(&["rm", "-rq", "--cached", "--ignore-unmatch", "node_modules"]);
    project.git(&["commit", "-qm", "no modules", "--allow-empty"]);
    let run = |arguments: &[&str]| home.run(&project.root(), arguments);
    let tried = run(&["init", "--yes", "--try"]);
    assert_eq!(tried.code, 4, "{}{}", tried.stdout, tried.stderr);
    let said = &tried.stdout;
    for line in [
        "would execute and open",
        "in place green",
        "isolated red",
        "link = [\"node_modules\"]",
    ] {
        assert!(said.contains(line), "no {line} in {said}");
    }
    // What was there before is not trusted by a flag.
    assert_ok(&run(&["trust", "--revoke"]));
    let again = run(&["init", "--yes", "--try"]);
    assert_eq!(again.code, 5, "{}{}", again.stdout, again.stderr);
    assert!(
        again.stderr.contains("gate run --compare"),
        "{}",
        again.stderr
    );
}

#[test]
fn on_a_terminal_init_asks_before_it_tries() {
    if levels().is_empty() {
        return;
    }
    for (answer, wanted) in [("y\r", "isolated green"), ("n\r", "")] {
        let home = Home::new(PROGRAM);
        let project = Project::with_files(&[("src/answer", "42\n"), ("tests/run.sh", TESTS)]);
        let mut terminal = Terminal::start(&home, &project.root(), &["init"], (100, 40));
        terminal.wait_for("Write these files?");
        terminal.press("y\r");
        terminal.wait_for("try each gate once now?");
        assert!(!terminal.screen().contains("in place"));
        terminal.press(answer);
        if !wanted.is_empty() {
            terminal.wait_for(wanted);
        }
        assert_eq!(terminal.end(), 0, "{}", terminal.screen());
        assert_eq!(terminal.screen().contains("in place"), !wanted.is_empty());
    }
}
