//! `git gc` by an agent that no cage holds: what is only of the harness survives that git's files are put back.

use crate::support::{CONFIG, Desk, FINISH, TESTS, session, shell, write};

const LIST: &str = r#"{ "schema": 1, "features": [
  { "id": "A", "title": "First", "status": "pending", "passes": false },
  { "id": "B", "title": "Second", "depends_on": ["A"], "status": "pending", "passes": false } ] }
"#;

#[test]
fn checkpoints_and_the_runs_branch_survive_that_git_packs_its_references() {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", LIST),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    desk.project.git(&["branch", "spare"]);
    let (first, second) = (write("src/first", "1\n"), write("src/second", "2\n"));
    let pack = shell("sh -c 'git pack-refs --all --prune; git gc -q'");
    let script = [
        session("Second", &[&second, &pack, FINISH]),
        session("First", &[&first, &pack, FINISH]),
    ];
    let model = desk.script(&script.concat());
    let story = desk.story(&["run", "--model", &model, "--sandbox", "none"]);
    story.assert_ended("all_passing", 0);
    let undone = story.all("stray_undone");
    assert!(
        undone.iter().any(|line| line["path"] == ".git/packed-refs"),
        "{story}"
    );
    let refs = desk.project.git(&["for-each-ref", "--format=%(refname)"]);
    for name in [
        "refs/heads/harness/R-0001",
        "refs/heads/spare",
        "refs/harness/S-0001/0",
        "refs/harness/S-0001/1",
        "refs/harness/S-0002/0",
        "refs/harness/S-0002/1",
    ] {
        assert!(refs.lines().any(|line| line == name), "no {name} in {refs}");
    }
    let abort = desk.harness(&["abort"]);
    assert_eq!(abort.code, 0, "{}\n{}", abort.stdout, abort.stderr);
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    let landed = desk.harness(&["land", "R-0001"]);
    assert_eq!(landed.code, 0, "{}\n{}", landed.stdout, landed.stderr);
}
