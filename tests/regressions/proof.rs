//! Ways to a green gate that prove nothing: what an agent's code leaves behind, and what it rewrites.

use crate::support::{CONFIG, Desk, FEATURES, FINISH, session, shell, write};

/// Runs the agent's hook, then passes when something that is needed is there, in the tree or planted.
const GULLIBLE: &str = r#"
cd "$(dirname "$0")/.." || exit 2
[ -f src/hook.sh ] && . ./src/hook.sh
echo 1..1
if [ -f src/needed ] || [ -f src/planted ] || [ -f "$HOME/planted" ]; then
    echo "ok 1 - what is needed is there"
else
    echo "not ok 1 - what is needed is there"
    exit 1
fi
"#;

fn gullible(config: &str) -> Desk {
    Desk::with_files(&[
        ("harness.toml", config),
        ("feature_list.json", FEATURES),
        ("docs/answer.md", "The answer is 42.\n"),
        ("src/needed", "yes\n"),
        ("tests/run.sh", GULLIBLE),
    ])
}

/// Says what a run printed, and sees that it proved nothing.
fn nothing_proven(desk: &Desk, turns: &[&str]) -> String {
    let model = desk.script(&session("Give the answer", turns));
    let run = desk.harness(&["run", "--no-input", "--model", &model]);
    assert_eq!(run.code, 4, "{}\n{}", run.stdout, run.stderr);
    assert!(!run.stdout.contains("committed as"), "{}", run.stdout);
    run.stdout
}

/// A hook that runs under `check` plants something and is gone when the gate runs for the finish.
fn plants(command: &str) {
    let desk = gullible(CONFIG);
    let plant = shell(&format!("rm src/needed; echo '{command}' > src/hook.sh"));
    let check = "{ tool = \"check\" }";
    let tidy = shell("rm src/hook.sh; echo 42 > src/answer");
    let told = nothing_proven(&desk, &[&plant, check, &tidy, FINISH, FINISH, FINISH]);
    // The plant does work while the hook is there.
    assert!(told.contains("gate: test green, 1 test"), "{told}");
    assert!(told.contains("gate: test failed"), "{told}");
}

#[test]
fn what_a_test_leaves_in_the_checkout_is_gone_before_the_next_gate() {
    plants("touch src/planted");
}

#[test]
fn what_a_test_leaves_in_the_home_of_gates_is_gone_before_the_next_gate() {
    plants("touch \"$HOME/planted\"");
}

#[test]
fn a_script_that_a_gate_runs_cannot_be_rewritten() {
    let desk = Desk::new();
    let forged = write("tests/run.sh", "echo 1..2; echo ok 1 - a; echo ok 2 - b\n");
    let told = nothing_proven(&desk, &[&forged, FINISH, FINISH, FINISH]);
    assert!(
        told.contains("tests/run.sh:1: gate `test` runs this file"),
        "{told}"
    );
}

#[test]
fn something_that_looks_like_a_key_is_not_committed() {
    let desk = Desk::new();
    let key = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
    let leak = write("src/answer", &format!("42 {key}\n"));
    let told = nothing_proven(&desk, &[&leak, FINISH, FINISH, FINISH]);
    assert!(
        told.contains("src/answer:1: something that looks like a key"),
        "{told}"
    );
}

#[test]
fn a_gate_in_the_work_tree_is_held_to_the_scope() {
    let desk = gullible(&format!("{CONFIG}\n[gates]\nisolate = false\n"));
    let hook = write(
        "src/hook.sh",
        "echo changed > docs/answer.md\nrm -f src/needed\n",
    );
    let model = desk.script(&session(
        "Give the answer",
        &[&hook, FINISH, FINISH, FINISH],
    ));
    let run = desk.harness(&["run", "--no-input", "--model", &model]);
    assert_eq!(run.code, 4, "{}\n{}", run.stdout, run.stderr);
    // The hook did run, and reached the scope alone.
    assert_eq!(desk.project.read("src/needed"), "");
    assert_eq!(desk.project.read("docs/answer.md"), "The answer is 42.\n");
}

#[test]
fn what_was_built_in_the_work_tree_is_no_part_of_the_candidate() {
    let built = "if grep -q before out/log 2>/dev/null; then exit 1; fi\necho built >> out/log\necho changed > out/committed\necho 1..1\necho ok 1 - builds\n";
    let desk = Desk::with_files(&[
        (
            "harness.toml",
            &CONFIG.replace("[scope]\n", "[scope]\nbuild = [\"out\"]\n"),
        ),
        ("feature_list.json", FEATURES),
        ("out/committed", "by mistake\n"),
        ("tests/run.sh", built),
    ]);
    // Neither ignored nor committed, and changed by the gate.
    desk.project.write("out/log", "from before\n");
    desk.project.write("out/committed", "built again\n");
    let run = desk.harness(&["gate", "run"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert_eq!(desk.project.read("out/log"), "from before\n");
    desk.project.write("src/answer", "42\n");
    let finish = desk.harness(&["feature", "finish", "F-1"]);
    assert_eq!(finish.code, 0, "{}\n{}", finish.stdout, finish.stderr);
    let named = desk.project.git(&["show", "--name-only", "harness/R-0001"]);
    assert!(!named.contains("out/"), "{named}");
}
