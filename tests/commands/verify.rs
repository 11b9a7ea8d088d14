//! `harness verify`: what a proof is worth after the world moved on.

mod broken;
mod forged;
mod rerun;
mod survives;

use harness_testkit::Run;
use serde_json::json;

use super::{assert_ok, busy_desk, busy_run, json};
use crate::support::{CONFIG, Desk};

fn landed() -> Desk {
    let desk = busy_desk();
    busy_run(&desk);
    assert_ok(&desk.harness(&["land"]));
    desk
}

/// Commits a change and says what the proof is worth then.
fn after(desk: &Desk, path: &str, text: &str) -> (Run, String) {
    desk.project.write(path, text);
    desk.project.commit_all("the world moves on");
    let run = desk.harness(&["verify", "--json"]);
    let standing = json(&run)[0]["standing"]
        .as_str()
        .expect("the line has it")
        .to_owned();
    (run, standing)
}

#[test]
fn a_proof_is_exact_for_the_tree_that_was_proven() {
    let desk = landed();
    let run = desk.harness(&["verify"]);
    assert_ok(&run);
    assert_eq!(run.stdout, "feature: F-1 exact, HEAD is what was proven\n");
    assert!(
        run.stderr.contains("only consistency was checked"),
        "{}",
        run.stderr
    );
    assert_eq!(
        desk.harness(&["verify", "F-1"]).stdout,
        "feature: F-1 exact, HEAD is what was proven\n"
    );
    let line = json(&desk.harness(&["verify", "--json"])).remove(0);
    assert_eq!(
        (&line["type"], &line["feature"], &line["standing"]),
        (&json!("verified"), &json!("F-1"), &json!("exact"))
    );
}

#[test]
fn a_proof_holds_while_its_content_is_the_same() {
    let desk = landed();
    let (run, standing) = after(&desk, "docs/other.md", "something else\n");
    assert_eq!((run.code, standing.as_str()), (0, "content"));
}

#[test]
fn a_proof_is_stale_when_its_content_moved_on_and_still_counts() {
    let desk = landed();
    let (run, standing) = after(&desk, "src/answer", "43\n");
    assert_eq!((run.code, standing.as_str()), (0, "stale"));
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert_eq!(listed, "feature: F-1 passing, Give the answer\n");
}

#[test]
fn a_proof_of_other_gates_or_another_wish_is_a_claim() {
    let stricter = CONFIG.replace("report = \"tap\"", "report = \"tap\"\nmin_tests = 2");
    let more = format!("{CONFIG}\n[[gate]]\nname = \"more\"\nrun = [\"true\"]\n");
    for text in [stricter, more] {
        let desk = landed();
        let (run, standing) = after(&desk, "harness.toml", &text);
        assert_eq!((run.code, standing.as_str()), (4, "claimed"), "{text}");
    }
    let desk = landed();
    let wish = desk
        .project
        .read("feature_list.json")
        .replace("must say 42", "must say 43");
    let (run, standing) = after(&desk, "feature_list.json", &wish);
    assert_eq!((run.code, standing.as_str()), (4, "claimed"));
    assert!(
        desk.harness(&["status"])
            .stdout
            .contains("0 of 1 passing, 1 claimed")
    );
}

#[test]
fn a_proof_that_was_removed_leaves_a_claim() {
    let desk = landed();
    desk.project
        .git(&["rm", "--quiet", ".harness/evidence/F-1.json"]);
    desk.project.commit_all("no proof");
    let run = desk.harness(&["verify"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (4, "feature: F-1 claimed, there is no evidence\n")
    );
}

#[test]
fn a_proof_survives_a_rebase() {
    let desk = landed();
    desk.project
        .git(&["checkout", "--quiet", "-b", "side", "main~1"]);
    desk.project.write("docs/side.md", "beside\n");
    desk.project.commit_all("beside");
    desk.project.git(&["cherry-pick", "main"]);
    let run = desk.harness(&["verify"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (
            0,
            "feature: F-1 content, what it is about is as it was proven\n"
        )
    );
}

#[test]
fn what_is_not_passing_has_nothing_to_verify() {
    let desk = Desk::new();
    let run = desk.harness(&["verify"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "note: no feature is passing\n")
    );
    let run = desk.harness(&["verify", "F-1"]);
    assert_eq!(run.code, 4);
    assert!(
        run.stdout
            .contains("F-1 is pending, there is nothing to verify"),
        "{}",
        run.stdout
    );
}
