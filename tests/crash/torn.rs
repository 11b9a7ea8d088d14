//! What a crash or a loss of power left at the end of a log: put aside, told, and gone on from.

use std::{fs, path::Path, process::Command};

use super::tale::{STEPS, Tale, calm, sample, uninterrupted};
use crate::support::say;

const LOG: &str = "harness/sessions/S-0001/log.jsonl";

#[test]
fn a_log_cut_or_filled_with_zeros_anywhere_in_its_last_record_goes_on() {
    let tale = Tale::new();
    assert_eq!(
        tale.desk
            .harness(&["run", "F-1", "--max-turns", "2", "--no-input"])
            .code,
        3
    );
    let path = tale.git_folder().join(LOG);
    let whole = fs::read(&path).unwrap();
    let root = tale.desk.project.root();
    let saved = tale.desk.project.outside().join("saved");
    let copy = |from: &Path, to: &Path| {
        let copied = Command::new("cp").arg("-a").args([from, to]).status();
        assert!(copied.unwrap().success());
    };
    copy(&root, &saved);
    // The session that took up an earlier cut is no more.
    let restore = || {
        fs::remove_dir_all(&root).unwrap();
        copy(&saved, &root);
    };
    let before = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    let cuts: Vec<usize> = sample(&(before + 1..whole.len()).collect::<Vec<_>>(), 2);
    let lines = whole.iter().filter(|byte| **byte == b'\n').count();
    for (number, cut) in cuts.iter().enumerate() {
        let mut torn = whole[..*cut].to_vec();
        if number % 2 == 1 {
            // A file that was made longer before its bytes were on the disk.
            torn.resize(whole.len().next_multiple_of(4096), 0);
        }
        restore();
        fs::write(&path, &torn).unwrap();
        let shown = tale.desk.harness(&["log", "verify"]);
        assert_eq!(shown.code, 0, "cut at {cut}: {}", shown.stdout);
        assert!(
            shown.stdout.contains("cut short"),
            "cut at {cut}: {}",
            shown.stdout
        );
        for command in [&["status"][..], &["log", "show"], &["checkpoint", "list"]] {
            let run = tale.desk.harness(command);
            calm(&run).unwrap();
            assert_eq!(run.code, 0, "{command:?}: {}", run.stderr);
        }
        assert_eq!(
            fs::read(&path).unwrap(),
            torn,
            "who only reads changes nothing"
        );
        // Taken up and stopped at once, by a limit that is reached already.
        let resumed = tale
            .desk
            .harness(&["resume", "--last", "--max-turns", "2", "--no-input"]);
        calm(&resumed).unwrap();
        assert!(
            resumed
                .stderr
                .contains("the last record of S-0001 was cut short"),
            "cut at {cut}: {}{}",
            resumed.stdout,
            resumed.stderr
        );
        let kept = path.with_file_name("log.jsonl.torn-1");
        assert_eq!(fs::read(&kept).unwrap(), torn[before..], "cut at {cut}");
        let now = fs::read(&path).unwrap();
        assert_eq!(now[..before], whole[..before], "earlier records stay");
        assert!(
            now.iter().filter(|byte| **byte == b'\n').count() >= lines,
            "new ones follow"
        );
        let verified = tale.desk.harness(&["log", "verify"]);
        assert_eq!(verified.code, 0, "{}", verified.stdout);
        assert!(
            !verified.stdout.contains("cut short"),
            "{}",
            verified.stdout
        );
    }
    say(&format!("the last record cut at {} places", cuts.len()));
    restore();
    fs::write(&path, &whole[..cuts[0]]).unwrap();
    tale.go_on().unwrap();
    let (outcome, _) = tale.outcome();
    // The run was of the first feature alone: the files of the other two were never asked for.
    let whole = uninterrupted();
    let wanted = whole.files().lines();
    let wanted: Vec<&str> = wanted
        .filter(|line| !line.ends_with("src/beta") && !line.ends_with("src/gamma"))
        .collect();
    assert_eq!(outcome.files(), wanted.join("\n"));
}

#[test]
fn a_log_that_lost_everything_is_no_session_and_is_not_touched() {
    for bytes in [&b""[..], &[0; 5000], b"{\"v\":1,\"seq\":1,"] {
        let tale = Tale::new();
        assert_eq!(tale.desk.harness(STEPS[0]).code, 3);
        let path = tale.git_folder().join(LOG);
        fs::write(&path, bytes).unwrap();
        for command in [
            &["resume", "--last", "--no-input"][..],
            &["log", "show"],
            &["status"],
            &["land"],
        ] {
            let run = tale.desk.harness(command);
            calm(&run).unwrap();
            let is_told = run.code == 0 || run.stderr.contains("hint: ");
            assert!(is_told, "{command:?}: exit {} {}", run.code, run.stderr);
        }
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
