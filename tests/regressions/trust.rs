//! Trust is about the content of everything that would be executed.

use harness_testkit::{Home, Project};

use crate::support::{Desk, PROGRAM};

const CONFIG: &str = r#"
[scope]
write = ["src/**"]

[[gate]]
name = "test"
run = ["sh", "g.sh"]
cwd = "sub"
report = "exit"
"#;

const FEATURES: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "One", "status": "pending", "passes": false,
    "verify": [["sh", "check.sh"], ["sh", "src/check.sh"]] }
] }
"#;

#[test]
fn a_changed_script_asks_again_wherever_it_is_named() {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", FEATURES),
        ("sub/g.sh", "exit 0\n"),
        ("check.sh", "exit 0\n"),
        ("src/check.sh", "exit 0\n"),
    ]);
    let code = || desk.harness(&["gate", "run", "--no-input"]).code;
    assert_eq!(code(), 0);
    desk.project
        .write("src/check.sh", "exit 0 # the agent may\n");
    assert_eq!(code(), 0, "features are about changing it");
    for script in ["sub/g.sh", "check.sh"] {
        desk.project.write(script, "exit 0 # changed\n");
        assert_eq!(code(), 5, "{script}");
        desk.project.write(script, "exit 0\n");
        assert_eq!(code(), 0, "{script}");
    }
    let add = ["feature", "add", "Two", "--verify", "sh sub/g.sh"];
    assert_eq!(desk.harness(&add).code, 0);
    assert_eq!(code(), 0, "who adds a command has seen it");
}

#[test]
fn a_repository_that_is_gone_is_forgotten() {
    let home = Home::new(PROGRAM);
    let store = home.path().join(".local/state/harness/trust.json");
    let gone = Project::with_files(&[("harness.toml", CONFIG), ("sub/g.sh", "exit 0\n")]);
    let stays = Project::with_files(&[("harness.toml", CONFIG), ("sub/g.sh", "exit 0\n")]);
    let name = gone.outside().display().to_string();
    assert_eq!(home.run(&gone.root(), &["trust", "--yes"]).code, 0);
    assert!(std::fs::read_to_string(&store).unwrap().contains(&name));
    drop(gone);
    assert_eq!(home.run(&stays.root(), &["trust", "--yes"]).code, 0);
    assert!(!std::fs::read_to_string(&store).unwrap().contains(&name));
}
