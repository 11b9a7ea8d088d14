//! `harness trust`: shown, given, taken back.

use super::{assert_ok, json};
use crate::support::Desk;

#[test]
fn trust_is_shown_given_and_taken_back() {
    let desk = Desk::new();
    let shown = json(&desk.harness(&["trust", "--show", "--json"]));
    assert_eq!(
        (&shown[0]["type"], &shown[0]["trusted"]),
        (&"trust_subject".into(), &true.into())
    );
    let lines = shown[0]["lines"].as_array().unwrap();
    assert!(
        lines.iter().any(|line| line == "write: src/** tests/**"),
        "{lines:?}"
    );

    let revoked = desk.harness(&["trust", "--revoke"]);
    assert_ok(&revoked);
    assert_eq!(revoked.stdout, "note: trust taken back\n");
    assert_eq!(
        desk.harness(&["trust", "--revoke"]).stdout,
        "note: nothing was trusted\n"
    );
    assert_eq!(
        json(&desk.harness(&["trust", "--show", "--json"]))[0]["trusted"],
        false
    );

    let asked = desk.harness(&["trust"]);
    assert_eq!(asked.code, 5, "{}", asked.stderr);
    assert!(
        asked
            .stdout
            .contains("This repository would execute and open:"),
        "{}",
        asked.stdout
    );
    assert!(
        asked.stderr.contains("hint: harness trust --yes"),
        "{}",
        asked.stderr
    );
    assert_eq!(
        json(&desk.harness(&["trust", "--show", "--json"]))[0]["trusted"],
        false
    );

    assert_ok(&desk.harness(&["trust", "--yes"]));
    assert!(
        desk.harness(&["trust"])
            .stdout
            .contains("this is trusted already")
    );
    assert!(desk.harness(&["status"]).stdout.contains(", trusted, "));
}

#[test]
fn trust_belongs_to_one_place() {
    let desk = Desk::new();
    desk.project.git(&["clone", "--quiet", ".", "../copy"]);
    let copy = desk.project.outside().join("copy");
    let run = desk.home.run(&copy, &["gate", "run"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(run.stderr.contains("not trusted yet"), "{}", run.stderr);
}

#[test]
fn showing_and_trusting_write_nothing_into_the_repository() {
    let desk = Desk::new();
    for arguments in [
        &["trust", "--show"][..],
        &["trust", "--yes"],
        &["trust", "--revoke"],
        &["status"],
    ] {
        assert_ok(&desk.harness(arguments));
    }
    assert_eq!(
        desk.project.git(&["status", "--porcelain", "--ignored"]),
        ""
    );
    assert!(!desk.project.root().join(".git/harness").exists());
}
