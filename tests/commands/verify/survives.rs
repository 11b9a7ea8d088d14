//! What a proof outlives: clones, squashes, other branches, later features; and what makes it stale.

use harness_testkit::Run;
use serde_json::Value;

use super::{super::assert_ok, json, landed};
use crate::support::{CONFIG, Desk, FINISH, TESTS, Terminal, session, write};

/// Says what each proof is worth, by feature.
fn standings(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = json(run).into_iter();
    lines
        .map(|line| (text(&line["feature"]), text(&line["standing"])))
        .collect()
}

fn standing(desk: &Desk) -> String {
    let run = desk.harness(&["verify", "--json"]);
    standings(&run).remove(0).1
}

/// Features that have a file each and no other.
fn list_of(count: usize) -> String {
    let feature = |number: usize| {
        format!(
            r#"{{ "id": "F-{number}", "title": "Write part {number:02}", "scope": {{ "write": ["src/part{number:02}"] }}, "status": "pending", "passes": false }}"#
        )
    };
    let features: Vec<String> = (1..=count).map(feature).collect();
    format!(
        "{{ \"schema\": 1, \"features\": [\n{}\n] }}\n",
        features.join(",\n")
    )
}

/// A desk with features of one file each, all proven, nothing landed.
fn parts(count: usize) -> Desk {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", &list_of(count)),
        ("src/answer", "42\n"),
        ("docs/other.md", "other\n"),
        ("tests/run.sh", TESTS),
    ]);
    let script: String = (1..=count)
        .map(|number| {
            let part = write(&format!("src/part{number:02}"), "done\n");
            session(&format!("Write part {number:02}"), &[&part, FINISH])
        })
        .rev()
        .collect();
    let model = desk.script(&script);
    let run = desk.harness(&["run", "--model", &model]);
    assert_ok(&run);
    desk
}

#[test]
fn a_fresh_clone_and_a_squash_keep_the_proof() {
    for land in [&["land"][..], &["land", "--squash"]] {
        let desk = parts(2);
        assert_ok(&desk.harness(land));
        let run = desk.harness(&["verify", "--json"]);
        assert_ok(&run);
        let expected = [("F-1", "content"), ("F-2", "exact")];
        let expected = expected.map(|(id, word)| (id.to_owned(), word.to_owned()));
        assert_eq!(standings(&run), expected, "{land:?}");

        desk.project.git(&["clone", "--quiet", ".", "../clone"]);
        let clone = desk.project.outside().join("clone");
        let run = desk.home.run(&clone, &["verify", "--json"]);
        assert_ok(&run);
        assert_eq!(standings(&run), expected, "{land:?} in a clone");
        // There is no session, no log and no branch of a run in it.
        assert!(!clone.join(".git/harness").exists());
    }
}

#[test]
fn ten_later_features_elsewhere_leave_the_first_proof_as_it_is() {
    let desk = parts(11);
    assert_ok(&desk.harness(&["land"]));
    let run = desk.harness(&["verify", "--json"]);
    assert_ok(&run);
    let found = standings(&run);
    assert_eq!(found.len(), 11);
    assert_eq!(found[0], ("F-1".to_owned(), "content".to_owned()));
    assert!(found.iter().all(|(_, word)| word != "stale"), "{found:?}");
}

#[test]
fn a_real_rebase_and_a_cherry_pick_onto_another_branch_keep_the_proof() {
    let desk = landed();
    let git = |arguments: &[&str]| desk.project.git(arguments);
    git(&["branch", "release", "main~1"]);
    git(&["checkout", "--quiet", "-b", "upstream", "main~1"]);
    desk.project.write("docs/upstream.md", "moved on\n");
    desk.project.commit_all("upstream moves on");
    git(&["checkout", "--quiet", "main"]);
    git(&["rebase", "--quiet", "upstream"]);
    assert_eq!(standing(&desk), "content");
    assert_ok(&desk.harness(&["verify"]));

    git(&["checkout", "--quiet", "release"]);
    desk.project.write("docs/release.md", "another line\n");
    desk.project.commit_all("release notes");
    git(&["cherry-pick", "main"]);
    assert_eq!(standing(&desk), "content");
    assert_ok(&desk.harness(&["verify"]));
}

#[test]
fn what_it_changed_beside_its_scope_makes_a_proof_stale() {
    let list = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "scope": { "write": ["src/answer"] }, "may_change": ["docs/other.md"],
    "status": "pending", "passes": false } ] }
"#;
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", list),
        ("src/answer", "0\n"),
        ("docs/other.md", "other\n"),
        ("tests/run.sh", TESTS),
    ]);
    let (answer, other) = (
        write("src/answer", "42\n"),
        write("docs/other.md", "told\n"),
    );
    let model = desk.script(&session("F-1", &[&answer, &other, FINISH]));
    assert_ok(&desk.harness(&["run", "--model", &model]));
    assert_ok(&desk.harness(&["land"]));
    assert_eq!(standing(&desk), "exact");
    let evidence: Value = serde_json::from_str(&desk.project.read(".harness/evidence/F-1.json"))
        .expect("evidence is JSON");
    assert_eq!(
        evidence["changed"],
        serde_json::json!(["docs/other.md", "src/answer"])
    );
    for (path, text, expected) in [
        ("src/else", "beside its scope\n", "content"),
        ("docs/other.md", "told otherwise\n", "stale"),
        ("docs/other.md", "told\n", "content"),
        // It decides how the gate comes out, wherever the feature may write.
        ("tests/run.sh", "echo 1..1; echo ok 1\n", "stale"),
        ("tests/run.sh", TESTS, "content"),
        ("src/Makefile", "all:\n", "stale"),
    ] {
        desk.project.write(path, text);
        desk.project.commit_all(path);
        assert_eq!(standing(&desk), expected, "{path}");
    }
}

#[test]
fn what_a_person_gave_during_the_run_belongs_to_the_proof_in_every_clone() {
    let desk = Desk::new();
    let request = "{ tool = \"request\", paths = [\"docs/**\"], reason = \"the guide\" }";
    let (guide, answer) = (write("docs/guide.md", "1\n"), write("src/answer", "42\n"));
    let script = desk.script(&session("", &[request, &guide, &answer, FINISH]));
    let arguments = ["run", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, (100, 30));
    terminal.wait_for("Widen F-1?");
    std::thread::sleep(std::time::Duration::from_millis(600));
    terminal.press("a");
    terminal.wait_for("for the feature alone");
    terminal.press("y");
    terminal.wait_for("run ended: all_passing");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert_ok(&desk.harness(&["land"]));
    assert_eq!(standing(&desk), "exact");
    // Nothing of the person's yes is in the repository; what was changed with it is.
    for (path, expected) in [("docs/else.md", "content"), ("docs/guide.md", "stale")] {
        desk.project.write(path, "2\n");
        desk.project.commit_all(path);
        assert_eq!(standing(&desk), expected, "{path}");
    }
}

#[test]
fn a_proof_that_has_not_landed_is_judged_on_the_branch_of_its_run() {
    let desk = parts(1);
    let run = desk.harness(&["verify"]);
    assert_ok(&run);
    assert_eq!(
        run.stdout,
        "feature: F-1 exact on harness/R-0001, not landed yet: the branch is what was proven\n"
    );
    let line = json(&desk.harness(&["verify", "--json"])).remove(0);
    assert_eq!(line["landed"], false);
    assert_eq!(line["branch"], "harness/R-0001");
    assert_ok(&desk.harness(&["land"]));
    let line = json(&desk.harness(&["verify", "--json"])).remove(0);
    assert_eq!(
        (&line["landed"], &line["branch"]),
        (&true.into(), &Value::Null)
    );
}

#[test]
fn a_proof_holds_at_a_detached_head_and_in_a_linked_work_tree() {
    let desk = parts(1);
    assert_ok(&desk.harness(&["land"]));
    desk.project
        .git(&["worktree", "add", "--quiet", "--detach", "../linked"]);
    let linked = desk.project.outside().join("linked");
    let run = desk.home.run(&linked, &["verify", "--json"]);
    assert_ok(&run);
    assert_eq!(standings(&run)[0].1, "exact");
}
