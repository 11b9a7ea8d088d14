//! A secret that a command prints or a file holds is taken out before anything is hashed or kept.

use std::{fs, path::Path};

use super::assert_ok;
use crate::support::{Desk, FINISH, session, shell, write};

/// A token of a known shape that is nobody's, in two parts: no file of this repository holds it whole.
const HALVES: [&str; 2] = ["ghp_", "0123456789abcdefghijABCDEFGHIJ012345"];

/// Prints the token, and then again in the middle of a text that is kept beside the log.
fn loud() -> String {
    let [first, second] = HALVES;
    format!(
        "t={first}; echo \"$t\"{second}; i=0; while [ $i -lt 900 ]; do i=$((i+1)); echo \"line $i of a long output, $t\"{second}; done"
    )
}

fn files_with(folder: &Path, text: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_with(&path, text, found);
        } else if fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
        {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn a_secret_reaches_no_log_no_blob_and_no_export() {
    let secret = HALVES.concat();
    let desk = Desk::new();
    let noise = "a word that is no secret, ".repeat(1_500);
    let long = format!("42\\n{noise}{secret} and {noise}");
    let script = session(
        "F-1",
        &[
            &shell(&loud()),
            &write("src/answer", &long.replace("\\n", "\n")),
            FINISH,
        ],
    );
    let model = desk.script(&script);
    let run = desk.harness(&["run", "--agent", &model, "--json"]);
    // What is told of a write that holds a secret is told without it.
    assert!(!run.stdout.contains(&secret), "{}", run.stdout);
    let folder = desk.project.root().join(".git/harness");
    let mut found = Vec::new();
    files_with(&folder, &secret, &mut found);
    assert!(found.is_empty(), "{found:?}");
    let blobs = fs::read_dir(folder.join("sessions/S-0001/blobs")).unwrap();
    let blobs: String = blobs
        .flatten()
        .map(|entry| fs::read_to_string(entry.path()).unwrap())
        .collect();
    assert!(blobs.contains("[redacted:"), "no blob had the secret");
    for command in [
        &["log", "export"][..],
        &["log", "export", "--format", "md"],
        &["log", "show"],
        &["log", "follow"],
        &["replay", "--json"],
        &["session", "show"],
    ] {
        let told = desk.harness(command);
        assert!(!told.stdout.contains(&secret), "{command:?}");
    }
    assert_ok(&desk.harness(&["log", "verify"]));
    assert_ok(&desk.harness(&["replay", "--check"]));
}
