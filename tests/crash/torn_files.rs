//! Files that are kept between runs, cut at any byte: said with the way out, set aside, and never lost.

use std::fs;

use super::{
    state_files::{Kind, files, is_there, scene, told},
    tale::sample,
};
use crate::support::say;

#[test]
fn a_kept_file_that_was_cut_at_any_byte_is_said_and_never_lost() {
    let (desk, _server) = scene();
    let commands: [&[&str]; 6] = [
        &["status"],
        &["session", "list"],
        &["review"],
        &["answer"],
        &["feature", "list"],
        &["resume", "--last", "--no-input"],
    ];
    let mut problems = Vec::new();
    let root = desk.project.root();
    let kept = || {
        files(&desk)
            .into_iter()
            .filter(|(_, kind)| *kind == Kind::Kept)
    };
    for name in [
        "R-0001.json",
        "session.json",
        "progress.md",
        "config.toml",
        "trust.json",
    ] {
        let is_named = |path: &std::path::Path| path.ends_with(name);
        assert!(
            kept().any(|(path, _)| is_named(&path)),
            "no {name}: {:?}",
            files(&desk)
        );
    }
    for (path, _) in kept() {
        // A resume may change other files as well; each is cut from where all began.
        let saved = desk.project.outside().join("saved");
        let _ = fs::remove_dir_all(&saved);
        let copy = |from: &std::path::Path, to: &std::path::Path| {
            let copied = std::process::Command::new("cp")
                .arg("-a")
                .args([from, to])
                .status();
            assert!(copied.unwrap().success());
        };
        copy(&root, &saved);
        let good = fs::read(&path).unwrap();
        let cuts = sample(&(0..good.len()).collect::<Vec<_>>(), 1);
        let mut codes = Vec::new();
        for cut in cuts {
            fs::write(&path, &good[..cut]).unwrap();
            for command in commands {
                let run = desk.harness(command);
                codes.push(run.code);
                // A comment that must be settled is no problem of a file.
                let is_open = command == ["review"] && run.code == 5 && !run.stdout.is_empty();
                if let Err(why) = told(&run)
                    && !is_open
                {
                    problems.push(format!(
                        "{} cut at {cut}: {command:?}: {why}",
                        path.display()
                    ));
                }
                if !is_there(&path, &good[..cut]) {
                    problems.push(format!(
                        "{} cut at {cut}: {command:?} lost the bytes",
                        path.display()
                    ));
                }
            }
            fs::remove_dir_all(&root).unwrap();
            copy(&saved, &root);
            fs::write(&path, &good).unwrap();
        }
        codes.sort_unstable();
        codes.dedup();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        say(&format!(
            "  {name:<18} {} bytes, exits {codes:?}",
            good.len()
        ));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
