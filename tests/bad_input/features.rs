//! Feature lists that are broken, or that somebody changed behind the harness.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use harness_testkit::{Run, Server};
use serde_json::Value;

use super::{GOOD_SCRIPT, assert_calm, assert_refused};
use crate::support::{Desk, FEATURES, Story};

#[test]
fn a_broken_list_is_refused_with_its_line_and_kept_as_it_is() {
    let desk = Desk::new();
    let model = desk.script(GOOD_SCRIPT);
    let cases = [
        ("{ \"schema\": 1,\n  \"features\": [ {\n", "line 3"),
        ("{ \"schema\": 1, \"features\": 7 }\n", "features"),
        (
            "{ \"schema\": 1, \"features\": [ { \"id\": \"a b\", \"title\": \"x\" } ] }\n",
            "a b",
        ),
        (
            "{ \"schema\": 1, \"features\": [ { \"id\": \"../../x\", \"title\": \"x\" } ] }\n",
            "../../x",
        ),
        (
            "{ \"schema\": 1, \"features\": [ { \"id\": \"F-1\", \"title\": \"x\" }, { \"id\": \"F-1\", \"title\": \"y\" } ] }\n",
            "F-1",
        ),
        (
            "{ \"schema\": 1, \"features\": [ { \"id\": \"F-1\", \"title\": \"x\", \"depends_on\": [\"F-1\"] } ] }\n",
            "F-1",
        ),
        ("\u{0}\u{1}\u{2}", "feature_list.json"),
    ];
    for (text, word) in cases {
        desk.project.write("feature_list.json", text);
        for command in [
            &["feature", "list"][..],
            &["feature", "add", "one more"],
            &["run", "--model", &model],
            &["status"],
            &["verify"],
        ] {
            assert_refused(
                &desk.harness(command),
                2,
                &["`feature_list.json`", word, "hint: "],
            );
        }
        assert_eq!(
            desk.project.read("feature_list.json"),
            text,
            "a broken list is not written over"
        );
    }
}

#[test]
fn a_feature_that_is_not_in_the_list_is_refused_with_those_that_are() {
    let desk = Desk::new();
    let model = desk.script(GOOD_SCRIPT);
    let run = desk.harness(&["run", "F-9", "--model", &model]);
    assert_refused(
        &run,
        2,
        &[
            "there is no feature `F-9` in `feature_list.json`",
            "hint: ",
            "F-1",
        ],
    );
    for command in [
        &["feature", "show", "F-9"][..],
        &["feature", "accept", "F-9", "--reason", "because"],
        &["verify", "F-9"],
        &["scope", "explain", "src", "--feature", "F-9"],
    ] {
        assert_refused(
            &desk.harness(command),
            2,
            &["there is no feature `F-9`", "hint: harness feature list"],
        );
    }
    assert_eq!(desk.project.read("feature_list.json"), FEATURES);
}

#[test]
fn a_feature_that_cannot_be_added_changes_nothing() {
    let desk = Desk::new();
    for (arguments, word) in [
        (&["feature", "add", " "][..], "needs a title"),
        (&["feature", "add", "x", "--id", "a b"], "`a b`"),
        (&["feature", "add", "x", "--id", "F-1"], "F-1"),
        (&["feature", "add", "x", "--after", "F-77"], "F-77"),
        (&["feature", "add", "x", "--verify", "'open"], "'open"),
        (&["feature", "add", "x", "--may-change", "../y"], "../y"),
        (
            &["feature", "accept", "F-1", "--reason", " "],
            "needs a reason",
        ),
    ] {
        assert_refused(&desk.harness(arguments), 2, &[word]);
    }
    assert_eq!(desk.project.read("feature_list.json"), FEATURES);
}

#[test]
fn a_mark_without_proof_is_a_claim_and_counts_as_not_passing() {
    let desk = Desk::new();
    let marked = FEATURES.replace(
        "\"status\": \"pending\", \"passes\": false",
        "\"status\": \"passing\", \"passes\": true",
    );
    for text in [
        marked.clone(),
        FEATURES.replace("\"passes\": false", "\"passes\": true"),
    ] {
        desk.project.write("feature_list.json", &text);
        let listed = desk.harness(&["feature", "list", "--json"]);
        let line: Value = serde_json::from_str(&listed.stdout).unwrap();
        assert_eq!(
            (&line["claimed"], &line["passes"]),
            (&true.into(), &false.into()),
            "{text}"
        );
        let plain = desk.harness(&["feature", "list"]).stdout;
        assert!(plain.contains("F-1 claimed"), "{plain}");
        let shown = desk.harness(&["feature", "show", "F-1"]).stdout;
        assert!(shown.contains("claimed"), "{shown}");
        let verified = desk.harness(&["verify"]);
        assert_eq!(verified.code, 4, "{}", verified.stdout);
        assert!(
            verified.stdout.contains("F-1 claimed"),
            "{}",
            verified.stdout
        );
        let status = desk.harness(&["status"]).stdout;
        assert!(status.contains("0 of 1 passing, 1 claimed"), "{status}");
    }
    desk.project.write("feature_list.json", &marked);
    desk.project.commit_all("I say it passes");
    let model = desk.script(GOOD_SCRIPT);
    let run = desk.harness(&["run", "--model", &model]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stderr.contains("F-1 says it passes and has no proof"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("feature: F-1 passing, passed"),
        "{}",
        run.stdout
    );
}

#[test]
fn evidence_written_by_hand_proves_nothing() {
    let desk = Desk::new();
    let model = desk.script(GOOD_SCRIPT);
    assert_eq!(desk.harness(&["run", "--model", &model]).code, 0);
    assert_eq!(desk.harness(&["land"]).code, 0);
    assert_eq!(desk.harness(&["verify"]).code, 0);
    let good = desk.project.read(".harness/evidence/F-1.json");
    let spec = "\"spec_sha256\": \"";
    let (before, after) = good.split_once(spec).unwrap();
    for text in [
        String::new(),
        "{}".to_owned(),
        good.replace("\"feature\": \"F-1\"", "\"feature\": \"F-2\""),
        format!("{before}{spec}00000000{}", &after[8..]),
        good.replace("\"green\"", "\"red\""),
    ] {
        assert_ne!(text, good);
        desk.project.write(".harness/evidence/F-1.json", &text);
        let run = desk.harness(&["verify"]);
        assert_eq!(run.code, 4, "{text}");
        assert!(run.stdout.contains("F-1 claimed"), "{}", run.stdout);
    }
}

#[test]
fn a_list_changed_by_hand_during_a_run_stops_it_with_old_and_new() {
    let desk = Desk::new();
    let server = Server::scripted(
        r#"
[[session]]
[[session.turn]]
calls = [{ tool = "write", path = "src/answer", content = "42\n" }]
[[session.turn]]
think_ms = 1500
calls = [{ tool = "finish", text = "The answer is 42." }]
"#,
    );
    desk.use_server(&server, "chat");
    let mut command = desk
        .home
        .command(&desk.project.root(), &["run", "--json", "--no-input"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while server.received().len() < 2 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the model is never asked again"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let changed = FEATURES.replace("src/answer must say 42", "src/answer must say 43");
    desk.project.write("feature_list.json", &changed);
    let story = Story::of(Run::from(child.wait_with_output().unwrap()));
    assert_eq!(story.run.code, 5, "{story}");
    assert_calm(&story.run);
    for word in ["feature_list.json", "F-1", "must say 42", "must say 43"] {
        assert!(story.run.stdout.contains(word), "no `{word}` in {story}");
    }
    assert_eq!(
        desk.project.read("feature_list.json"),
        changed,
        "the person's text stays"
    );
    assert!(story.all("feature_passed").is_empty(), "{story}");
}
