//! A start with uncommitted work: refused, or the base of the run and of nothing else.

use harness_testkit::Server;

use crate::support::{Desk, FINISH, session, write};

#[test]
fn uncommitted_work_is_refused_unless_it_is_taken_as_the_base_and_land_leaves_it_out() {
    let desk = Desk::new();
    let right = write("src/answer", "42\n");
    let server = Server::scripted(&session("F-1", &[&right, FINISH]));
    desk.use_server(&server, "anthropic");
    desk.project.write("src/mine", "my own work\n");
    desk.project
        .write("docs/answer.md", "The answer is 42, I say.\n");

    let refused = desk.harness(&["run", "--no-input"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("src/mine") && refused.stderr.contains("--dirty base"),
        "{}",
        refused.stderr
    );
    assert_eq!(server.received().len(), 0);

    let before = desk.person_side();
    let story = desk.story(&["run", "--dirty", "base"]);
    story.assert_ended("all_passing", 0);
    let run = story.first("session_started")["branch"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(desk.person_side(), before);
    let git = |arguments: &[&str]| desk.project.git(arguments);
    let subjects = git(&["log", "--format=%s", &format!("main..{run}")]);
    assert_eq!(subjects.lines().count(), 2, "{subjects}");
    assert!(subjects.contains("wip before R-"), "{subjects}");
    assert_eq!(git(&["show", &format!("{run}:src/mine")]), "my own work");
    let feature = git(&["show", "--name-only", "--format=", &run]);
    assert!(
        !feature.contains("src/mine") && feature.contains("src/answer"),
        "{feature}"
    );

    let landed = desk.harness(&["land"]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    assert_eq!(
        git(&["log", "--format=%s", "-2"]),
        "F-1: Give the answer\nstart"
    );
    let files = git(&["ls-tree", "-r", "--name-only", "HEAD"]);
    assert!(
        files.contains(".harness/evidence/F-1.json") && !files.contains("src/mine"),
        "{files}"
    );
    let status = git(&["status", "--porcelain"]);
    assert_eq!(
        status.trim_start(),
        "M docs/answer.md\n?? src/mine",
        "{status}"
    );
    assert_eq!(desk.project.read("src/mine"), "my own work\n");
}
