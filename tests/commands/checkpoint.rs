//! `harness checkpoint show|diff|undo`: what was saved, and whose bytes go where.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt, fs::symlink},
};

use serde_json::json;

use super::{assert_ok, busy_desk, busy_run, json, picture};
use crate::support::{Desk, FINISH, session, shell};

#[test]
fn a_checkpoint_is_shown_with_its_turn_its_calls_and_its_lines() {
    let desk = busy_desk();
    busy_run(&desk);
    let run = desk.harness(&["checkpoint", "show", "1"]);
    assert_ok(&run);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(
        lines[0].starts_with("checkpoint: 1 of S-0001, turn 1, ")
            && lines[0].ends_with("4 files, +2 -2"),
        "{}",
        run.stdout
    );
    assert_eq!(lines[1], "  write src/answer");
    assert!(lines[2].starts_with("  shell `rm src/gone"), "{}", lines[2]);
    assert_eq!(
        lines[3..],
        [
            "  M src/answer +1 -1",
            "  A src/bytes binary, executable",
            "  A src/deep/link +1 -0, link",
            "  D src/gone +0 -1"
        ]
    );
    let line = json(&desk.harness(&["checkpoint", "show", "1", "--json"])).remove(0);
    assert_eq!(
        (&line["n"], &line["turn"], &line["added"]),
        (&json!(1), &json!(1), &json!(2))
    );
    assert_eq!(line["files"][3]["change"], "deleted");
    let start = desk.harness(&["checkpoint", "show", "0"]).stdout;
    assert!(start.contains("before the session"), "{start}");
    let missing = desk.harness(&["checkpoint", "show", "9"]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    assert!(
        missing.stderr.contains("there is no checkpoint 9") && missing.stderr.contains("hint: "),
        "{}",
        missing.stderr
    );
}

#[test]
fn a_difference_applies_with_git_and_can_be_narrowed() {
    let desk = busy_desk();
    busy_run(&desk);
    let of = |arguments: &[&str]| {
        let run = desk.harness(&[&["checkpoint", "diff"], arguments].concat());
        assert_ok(&run);
        run.stdout
    };
    assert_eq!(
        of(&["0", "2", "--name-only"]),
        "src/answer\nsrc/bytes\nsrc/deep/link\nsrc/gone\nsrc/second\n"
    );
    assert_eq!(
        of(&["1", "2", "--stat"]),
        "A src/second +1 -0\n1 file, +1 -0\n"
    );
    assert_eq!(
        of(&["0", "1", "--", "src/answer"]),
        "diff --git a/src/answer b/src/answer\n--- a/src/answer\n+++ b/src/answer\n@@ -1,1 +1,1 @@\n-0\n+42\n"
    );
    assert_eq!(of(&["2"]), "", "the work tree is as the last one");
    desk.project.write("src/second", "mine\n");
    assert_eq!(of(&["2", "--stat"]), "M src/second +1 -1\n1 file, +1 -1\n");
    let lines = json(&desk.harness(&["checkpoint", "diff", "2", "--json"]));
    assert_eq!(
        (&lines[0]["from"], &lines[0]["to"], &lines[0]["path"]),
        (&json!(2), &json!(null), &json!("src/second"))
    );
    assert!(lines[0]["patch"].as_str().unwrap().contains("+mine"));

    // What git writes, git reads.
    assert_ok(&desk.harness(&["checkpoint", "undo", "0", "--save"]));
    let patch = desk.project.outside().join("patch");
    fs::write(
        &patch,
        of(&[
            "0",
            "2",
            "--",
            "src/answer",
            "src/gone",
            "src/second",
            "src/deep",
        ]),
    )
    .unwrap();
    desk.project.git(&["apply", patch.to_str().unwrap()]);
    assert_eq!(desk.project.read("src/answer"), "42\n");
    assert!(!desk.project.root().join("src/gone").exists());
    assert_eq!(
        fs::read_link(desk.project.root().join("src/deep/link")).unwrap(),
        OsStr::new("../answer")
    );
}

#[test]
fn a_refused_undo_shows_both_sides_and_the_ways_out() {
    let desk = busy_desk();
    busy_run(&desk);
    desk.project.write("src/answer", "mine\n");
    desk.project
        .write("src/own", "never touched by the agent\n");
    let before = picture(&desk.project);
    let run = desk.harness(&["checkpoint", "undo", "0"]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    let told = &run.stderr;
    let order = [
        "src/answer: it was changed meanwhile",
        "you, since then:",
        "  -42\n  +mine",
        "the undo:",
        "  -42\n  +0",
        "harness checkpoint undo 0 --session S-0001 --keep-mine",
        "--save",
    ];
    let mut at = 0;
    for part in order {
        let found = told[at..].find(part);
        at += found.unwrap_or_else(|| panic!("no `{part}` behind {at} in {told}"));
    }
    assert!(!told.contains("src/own"), "{told}");
    assert_eq!(picture(&desk.project), before);
}

#[test]
fn what_is_kept_stays_and_still_counts_as_the_persons() {
    let desk = busy_desk();
    busy_run(&desk);
    desk.project.write("src/answer", "mine\n");
    let run = desk.harness(&["checkpoint", "undo", "0", "--keep-mine"]);
    assert_ok(&run);
    assert!(
        run.stdout.contains("\n  src/answer left as it is"),
        "{}",
        run.stdout
    );
    assert_eq!(desk.project.read("src/answer"), "mine\n");
    assert_eq!(desk.project.read("src/gone"), "to be removed\r\n");
    assert!(!desk.project.root().join("src/second").exists());
    // Another undo still knows whose it is; one that does not concern it leaves it.
    assert_ok(&desk.harness(&["checkpoint", "undo", "1"]));
    assert_eq!(desk.project.read("src/answer"), "mine\n");
    let again = desk.harness(&["checkpoint", "undo", "0"]);
    assert_eq!(again.code, 5, "{}", again.stdout);
    assert!(again.stderr.contains("+mine"), "{}", again.stderr);
    let back = desk.harness(&["checkpoint", "undo", "2", "--keep-mine"]);
    assert_ok(&back);
    assert_eq!(desk.project.read("src/answer"), "mine\n");
    assert_eq!(desk.project.read("src/second"), "2\n");
}

#[test]
fn what_is_saved_first_comes_back_byte_for_byte() {
    let desk = busy_desk();
    let start = picture(&desk.project);
    busy_run(&desk);
    let root = desk.project.root();
    // A file becomes a folder, a folder a file, a link a file, and one is new.
    fs::remove_file(root.join("src/answer")).unwrap();
    desk.project.write("src/answer/inner", "mine\n");
    fs::remove_dir_all(root.join("src/deep")).unwrap();
    desk.project.write("src/deep", "mine as well\n");
    desk.project.write("src/own", "mine alone\n");
    let mine = picture(&desk.project);
    assert_eq!(desk.harness(&["checkpoint", "undo", "0"]).code, 5);
    assert_eq!(picture(&desk.project), mine);
    let run = desk.harness(&["checkpoint", "undo", "0", "--save", "--json"]);
    assert_ok(&run);
    let line = json(&run).remove(0);
    assert_eq!(
        (&line["saved"], &line["n"], &line["kept"]),
        (&json!(3), &json!(4), &json!([]))
    );
    let sources = |picture: &std::collections::BTreeMap<String, (u32, Vec<u8>)>| {
        let mut picture = picture.clone();
        picture.retain(|path, _| path.starts_with("src/"));
        picture
    };
    let mut wanted = sources(&start);
    wanted.extend(
        mine.iter()
            .filter(|(path, _)| *path == "src/own")
            .map(|(path, file)| (path.clone(), file.clone())),
    );
    assert_eq!(sources(&picture(&desk.project)), wanted);
    assert_ok(&desk.harness(&["checkpoint", "undo", "3"]));
    assert_eq!(sources(&picture(&desk.project)), sources(&mine));
    // And the undo of that undo.
    assert_ok(&desk.harness(&["checkpoint", "undo", "4"]));
    assert_eq!(sources(&picture(&desk.project)), wanted);
}

#[test]
fn names_modes_links_and_folders_of_every_kind_come_back() {
    let desk = Desk::new();
    let root = desk.project.root();
    let odd: [&[u8]; 5] = [
        b"src/-dash",
        b"src/new\nline",
        b"src/\xff\xfe",
        b"src/ space ",
        b"src/\"quote\"",
    ];
    for (n, name) in odd.iter().enumerate() {
        fs::write(root.join(OsStr::from_bytes(name)), format!("{n}\n")).unwrap();
    }
    desk.project.write("src/tool", "#!/bin/sh\n");
    fs::set_permissions(root.join("src/tool"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("nowhere", root.join("src/link")).unwrap();
    desk.project.write("src/folder/only", "alone\n");
    desk.project.commit_all("odd names");
    fs::create_dir(root.join("src/empty")).unwrap();
    let before = picture(&desk.project);
    let commands = [
        "cd src && rm -- -dash && mv ' space ' ./moved",
        "cd src && for f in *; do [ -f \"$f\" ] && echo changed >> \"./$f\"; done; true",
        "cd src && chmod -x tool && chmod +x answer && ln -sf elsewhere link",
        "cd src && rm -r folder && echo file > folder",
        "cd src && rm answer && mkdir answer && echo in > answer/in",
    ];
    let turns: Vec<String> = commands.iter().map(|command| shell(command)).collect();
    let mut turns: Vec<&str> = turns.iter().map(String::as_str).collect();
    turns.push(FINISH);
    let model = desk.script(&session("F-1", &turns));
    let run = desk.harness(&["run", "--no-input", "--model", &model, "--max-turns", "5"]);
    assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
    let after = picture(&desk.project);
    let last = json(&desk.harness(&["checkpoint", "list", "--json"])).len() - 1;
    assert_eq!(last, 5, "each turn changed something");
    for number in (0..last).rev() {
        let run = desk.harness(&["checkpoint", "undo", &number.to_string()]);
        assert_ok(&run);
    }
    let sources = |picture: &std::collections::BTreeMap<String, (u32, Vec<u8>)>| {
        let mut picture = picture.clone();
        picture.retain(|path, _| path.starts_with("src/"));
        picture
    };
    assert_eq!(sources(&picture(&desk.project)), sources(&before));
    assert!(root.join("src/empty").is_dir(), "it was nobody's to remove");
    assert_ok(&desk.harness(&["checkpoint", "undo", &last.to_string()]));
    assert_eq!(sources(&picture(&desk.project)), sources(&after));
    let names = desk
        .harness(&["checkpoint", "diff", "0", "1", "--name-only"])
        .stdout;
    assert!(names.contains("src/-dash"), "{names}");
    let names = desk
        .harness(&["checkpoint", "diff", "0", "2", "--name-only"])
        .stdout;
    assert!(
        names.contains("\"src/new\\nline\"") && names.contains("\"src/\\377\\376\""),
        "{names}"
    );
}

#[test]
fn damaged_and_pruned_checkpoints_are_named() {
    let desk = busy_desk();
    busy_run(&desk);
    let reference = |n: u32| format!("refs/harness/S-0001/{n}");
    desk.project.git(&["update-ref", "-d", &reference(1)]);
    fs::write(desk.project.root().join(".git").join(reference(2)), "").unwrap();
    let list = desk.harness(&["checkpoint", "list"]).stdout;
    assert!(
        list.contains("checkpoint: 1, removed to save space")
            && list.contains("checkpoint: 2, damaged, skipped"),
        "{list}"
    );
    for (number, why) in [("1", "was removed to save space"), ("2", "is damaged")] {
        for command in ["show", "undo", "diff"] {
            let run = desk.harness(&["checkpoint", command, number]);
            assert_eq!(run.code, 2, "{command} {number}: {}", run.stderr);
            assert!(run.stderr.contains(why), "{}", run.stderr);
        }
    }
    // What the agent did since is not known any more, so nothing goes back unsaved.
    let undo = desk.harness(&["checkpoint", "undo", "0"]);
    assert_eq!(undo.code, 5, "{}", undo.stdout);
    assert!(
        undo.stderr.contains("src/second: ") && undo.stderr.contains("is damaged"),
        "{}",
        undo.stderr
    );
    desk.project.write("src/own", "mine\n");
    assert_ok(&desk.harness(&["checkpoint", "undo", "0", "--save"]));
    assert_eq!(desk.project.read("src/answer"), "0\n");
    assert_eq!(desk.project.read("src/gone"), "to be removed\r\n");
    assert_eq!(desk.project.read("src/own"), "mine\n");
    assert!(!desk.project.root().join("src/second").exists());
    assert_ok(&desk.harness(&["checkpoint", "undo", "3"]));
    assert_eq!(desk.project.read("src/second"), "2\n");
}
