//! An agent asks for more, and a person gives it or does not.

use crate::support::{Desk, FINISH, Terminal, session, shell, write};

const SIZE: (u16, u16) = (100, 30);

fn request(arguments: &str) -> String {
    format!("{{ tool = \"request\", {arguments}, reason = \"the guide and its reader\" }}")
}

fn start(desk: &Desk, turns: &[&str]) -> Terminal {
    let script = desk.script(&session("", turns));
    let arguments = ["run", "--model", script.as_str()];
    Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE)
}

fn awake() {
    std::thread::sleep(std::time::Duration::from_millis(600));
}

/// A project with a manifest, which is protected and outside the scope.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.project.write("Cargo.toml", "[package]\n");
    desk.project.commit_all("a manifest");
    desk
}

#[test]
fn what_a_person_gives_opens_files_and_the_cage_and_is_committed() {
    let desk = desk();
    let change = "echo name >> Cargo.toml; echo made > docs/made";
    let turns = [
        &*shell(change),
        &request("paths = [\"Cargo.toml\", \"docs/**\"]"),
        &shell(change),
        &write("docs/written", "1\n"),
        &write("README.md", "1\n"),
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let mut terminal = start(&desk, &turns);
    terminal.wait_for("Widen F-1?");
    terminal.wait_for("change protected: Cargo.toml");
    terminal.wait_for("write: docs/**");
    assert_eq!(desk.project.read("Cargo.toml"), "[package]\n");
    assert!(!desk.project.root().join("docs/made").exists());
    awake();
    terminal.press("a");
    terminal.wait_for("for the feature alone");
    terminal.press("y");
    terminal.wait_for("run ended: all_passing");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    let files = desk
        .project
        .git(&["diff", "--name-only", "main", "harness/R-0001"]);
    for file in ["Cargo.toml", "docs/made", "docs/written", "src/answer"] {
        assert!(files.lines().any(|line| line == file), "{file} in {files}");
    }
    assert!(!desk.project.root().join("README.md").exists());
}

#[test]
fn a_no_with_a_reason_leaves_everything_closed() {
    let desk = desk();
    let turns = [
        &*request("paths = [\"docs/**\"]"),
        &write("docs/written", "1\n"),
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let mut terminal = start(&desk, &turns);
    terminal.wait_for("Widen F-1?");
    awake();
    terminal.press("nnot the docs\r");
    terminal.wait_for("no: not the docs");
    terminal.wait_for("run ended: all_passing");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert!(!desk.project.root().join("docs/written").exists());
}
