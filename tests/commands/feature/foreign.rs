//! Lists that other tools and people own: `prd.json`, a bare array, Markdown.

use harness_testkit::{Home, Project};

use crate::{
    commands::{assert_ok, json as lines},
    support::{CONFIG, Desk, FINISH, PROGRAM, TESTS, session, write},
};

const PRD: &str = "{\n\t\"project\": \"answers\",\n\t\"branchName\": \"ralph/answers\",\n\t\"userStories\": [\n\t\t{ \"id\": \"US-001\", \"title\": \"Later\", \"acceptanceCriteria\": [\"a\"], \"priority\": 2, \"passes\": false, \"notes\": \"mine\" },\n\t\t{ \"id\": \"US-002\", \"title\": \"Give the answer\", \"priority\": 1, \"passes\": false }\n\t]\n}\n";

const PLAN: &str = "# Plan\r\n\r\nWords of mine.\r\n\r\n## Answers\r\n\r\n- [ ] F-1: Give the answer\r\n  It is 42.\r\n- [ ] F-2: Print it\r\n";

fn desk(file: &str, list: &str) -> Desk {
    let config = format!("{CONFIG}\n[features]\nfile = \"{file}\"\n[limits]\nattempts = 1\n");
    Desk::with_files(&[
        ("harness.toml", &config),
        (file, list),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

fn word(desk: &Desk, feature: &str) -> String {
    let found = lines(&desk.harness(&["feature", "list", "--json"]));
    let found = found.into_iter().find(|line| line["id"] == feature);
    found.map_or_else(String::new, |line| {
        line["status"].as_str().unwrap_or_default().to_owned()
    })
}

#[test]
fn a_story_that_passes_changes_one_word_of_its_file() {
    let desk = desk("prd.json", PRD);
    let model = desk.script(&session("US-002", &[&write("src/answer", "42\n"), FINISH]));
    let run = desk.harness(&["run", "US-002", "--model", &model]);
    assert_ok(&run);
    assert_ok(&desk.harness(&["land"]));
    let expected = PRD.replace(
        "\"priority\": 1, \"passes\": false",
        "\"priority\": 1, \"passes\": true",
    );
    assert_eq!(desk.project.read("prd.json"), expected);
    assert_ok(&desk.harness(&["verify"]));
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_box_is_ticked_and_the_rest_of_the_plan_is_the_persons() {
    let desk = desk("PLAN.md", PLAN);
    let model = desk.script(&session("F-1", &[&write("src/answer", "42\n"), FINISH]));
    assert_ok(&desk.harness(&["run", "F-1", "--model", &model]));
    assert_ok(&desk.harness(&["land"]));
    assert_eq!(
        desk.project.read("PLAN.md"),
        PLAN.replace("[ ] F-1", "[x] F-1")
    );
    assert_ok(&desk.harness(&["verify"]));
    let shown = desk.harness(&["feature", "show", "F-1"]).stdout;
    assert!(
        shown.contains("  category: Answers\n  description: It is 42.\n"),
        "{shown}"
    );
    assert_ok(&desk.harness(&["feature", "add", "Sell it", "--step", "find a buyer"]));
    let expected =
        PLAN.replace("[ ] F-1", "[x] F-1") + "- [ ] F-3: Sell it\r\n  - find a buyer\r\n";
    assert_eq!(desk.project.read("PLAN.md"), expected);
    assert_ok(&desk.harness(&["feature", "reopen", "F-1"]));
    assert_eq!(desk.project.read("PLAN.md"), expected.replace("[x]", "[ ]"));
}

#[test]
fn statuses_that_a_file_has_no_place_for_are_not_lost() {
    for (file, list, first) in [
        ("prd.json", PRD, "US-001"),
        ("PLAN.md", PLAN, "F-1"),
        ("list.json", "[ { \"description\": \"One\" } ]\n", "F-001"),
    ] {
        let desk = desk(file, list);
        for (command, status) in [
            ("block", "blocked"),
            ("cancel", "cancelled"),
            ("accept", "accepted"),
        ] {
            assert_ok(&desk.harness(&["feature", command, first, "--reason", "so it is"]));
            assert_eq!(word(&desk, first), status);
            let shown = desk.harness(&["feature", "show", first]).stdout;
            assert!(shown.contains("  reason: so it is\n"), "{shown}");
            assert_ok(&desk.harness(&["feature", "reopen", first]));
            assert_eq!(word(&desk, first), "pending");
        }
    }
}

#[test]
fn a_feature_that_a_run_gives_up_waits_for_a_person_until_the_run_is_given_up() {
    let desk = desk("PLAN.md", PLAN);
    let model = desk.script(&session("F-1", &[&write("src/answer", "41\n"), FINISH]));
    let run = desk.harness(&["run", "F-1", "--model", &model]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert_eq!(word(&desk, "F-1"), "needs_human");
    assert_eq!(desk.project.read("PLAN.md"), PLAN);
    assert_ok(&desk.harness(&["abort"]));
    assert_eq!(word(&desk, "F-1"), "pending");
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_a_file_has_no_place_for_is_refused_by_name() {
    for (file, list, shape) in [
        ("prd.json", PRD, "a list of `userStories`"),
        ("PLAN.md", PLAN, "a Markdown list"),
        ("list.json", "[]\n", "a bare array"),
    ] {
        let desk = desk(file, list);
        let run = desk.harness(&["feature", "add", "x", "--verify", "sh tests/run.sh"]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(
            run.stderr
                .contains("cannot write field `verify` of feature"),
            "{}",
            run.stderr
        );
        assert!(
            run.stderr
                .contains(&format!("{shape} has no place for it\nhint: an object")),
            "{}",
            run.stderr
        );
        assert_eq!(desk.project.read(file), list);
    }
}

#[test]
fn a_box_ticked_by_hand_is_a_claim() {
    let desk = desk("PLAN.md", &PLAN.replace("[ ] F-1", "[X] F-1"));
    let listed = desk.harness(&["feature", "list"]).stdout;
    assert!(
        listed.contains("F-1 claimed, Give the answer\n"),
        "{listed}"
    );
    assert_eq!(desk.harness(&["verify"]).code, 4);
    let model = desk.script(&session("F-1", &[&write("src/answer", "42\n"), FINISH]));
    let run = desk.harness(&["run", "F-1", "--model", &model]);
    assert_ok(&run);
    assert!(
        run.stderr.contains("F-1 says it passes and has no proof"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_prd_is_found_with_and_without_a_configuration() {
    let (home, project) = (
        Home::new(PROGRAM),
        Project::with_files(&[("prd.json", PRD), ("src/a.sh", ""), ("tests/run.sh", "")]),
    );
    let run = |arguments: &[&str]| home.run(&project.root(), arguments);
    let listed = run(&["feature", "list"]);
    assert_ok(&listed);
    assert!(
        listed.stdout.contains("feature: US-001 pending, Later"),
        "{}",
        listed.stdout
    );
    assert_ok(&run(&["init", "--yes"]));
    assert!(project.read("harness.toml").contains("[features]\n# What is wanted, in its own shape. Only the harness and you write it.\nfile = \"prd.json\"\n"));
    assert_eq!(project.read("feature_list.json"), "");
    assert_eq!(project.read("prd.json"), PRD);
    let listed = run(&["feature", "list"]);
    assert!(
        listed
            .stdout
            .contains("feature: US-002 pending, Give the answer"),
        "{}",
        listed.stdout
    );
    assert_eq!(
        lines(&run(&["init", "--yes", "--json"]))[0]["files"],
        serde_json::json!([])
    );
}

#[test]
fn a_first_feature_makes_a_list_of_the_shape_its_name_says() {
    for (file, expected) in [
        ("TODO.md", "# Features\n\n- [ ] F-001: The first\n"),
        (
            "prd.json",
            "{\n  \"userStories\": [\n    {\n      \"id\": \"F-001\",\n      \"title\": \"The first\",\n      \"description\": \"\",\n      \"acceptanceCriteria\": [],\n      \"priority\": 1,\n      \"passes\": false,\n      \"notes\": \"\"\n    }\n  ]\n}\n",
        ),
    ] {
        let desk = desk(file, if file.ends_with(".md") { "\n" } else { "[]\n" });
        if !file.ends_with(".md") {
            desk.project.write(file, "\n");
            let run = desk.harness(&["feature", "list"]);
            assert_eq!(run.code, 2, "an empty file is no JSON: {}", run.stdout);
            std::fs::remove_file(desk.project.root().join(file)).unwrap();
        }
        assert_ok(&desk.harness(&["feature", "list"]));
        assert_ok(&desk.harness(&["feature", "add", "The first"]));
        assert_eq!(desk.project.read(file), expected);
    }
}
