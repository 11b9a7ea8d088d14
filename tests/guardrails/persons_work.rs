//! What a person has beside a run: index, stash, HEAD, reflogs, refs and files stay to the byte.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::support::{CONFIG, Desk, FEATURES, FINISH, TESTS, session, shell, write};

/// Everything of a work tree: mode, and bytes or where a link leads.
type Files = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// A desk whose person is in the middle of many things.
fn busy(is_detached: bool) -> Desk {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("docs/answer.md", "one\ntwo\nthree\n"),
        ("docs/other.md", "other\n"),
        ("feature_list.json", FEATURES),
        (".gitignore", "*.log\n"),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let project = &desk.project;
    project.git(&["branch", "upstream"]);
    project.git(&["branch", "--set-upstream-to=upstream", "--quiet"]);
    project.git(&["tag", "v1"]);
    project.write("docs/other.md", "put away\n");
    project.git(&["stash", "push", "--quiet"]);
    if is_detached {
        project.git(&["checkout", "--quiet", "--detach"]);
    }
    // One file with a staged hunk and another one that is not, one staged anew, one removed.
    project.write("docs/answer.md", "ONE\ntwo\nthree\n");
    project.write("docs/new.md", "staged\n");
    project.git(&["add", "docs"]);
    project.write("docs/answer.md", "ONE\ntwo\nTHREE\n");
    project.write("notes.txt", "untracked\n");
    project.write("own.log", "ignored\n");
    let ignored = project.root().join("own.log");
    fs::set_permissions(ignored, PermissionsExt::from_mode(0o640)).unwrap();
    desk
}

/// What of git is the person's: bytes of files where a command would refresh them.
fn git_side(desk: &Desk) -> Vec<(String, Vec<u8>)> {
    let git = desk.project.root().join(".git");
    let files = [
        "HEAD",
        "index",
        "config",
        "logs/HEAD",
        "logs/refs/heads/main",
        "logs/refs/stash",
    ];
    let mut side: Vec<(String, Vec<u8>)> = files
        .map(|file| {
            (
                file.to_owned(),
                fs::read(git.join(file)).unwrap_or_default(),
            )
        })
        .into();
    side.push(("refs".to_owned(), refs(desk).into_bytes()));
    side
}

fn refs(desk: &Desk) -> String {
    let refs = desk.project.git(&["for-each-ref"]);
    let is_ours =
        |line: &&str| !line.contains("refs/harness/") && !line.contains("refs/heads/harness/");
    refs.lines().filter(is_ours).collect::<Vec<_>>().join("\n")
}

fn files(desk: &Desk) -> Files {
    let mut found = Files::new();
    collect(&desk.project.root(), &mut found);
    found
}

fn collect(folder: &Path, found: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stat = fs::symlink_metadata(&path).unwrap();
        if path.ends_with(".git") {
            continue;
        }
        if stat.is_dir() {
            collect(&path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, (stat.mode(), bytes));
        }
    }
}

#[test]
fn ten_turns_ten_undos_and_an_abort_leave_everything_of_the_persons() {
    for is_detached in [false, true] {
        let desk = busy(is_detached);
        // In the scope as well: taken as the base, on the run's branch alone.
        desk.project.write("src/staged", "staged\n");
        desk.project.git(&["add", "src/staged"]);
        desk.project.write("src/staged", "staged, and edited\n");
        let (before, git) = (files(&desk), git_side(&desk));
        let turns: Vec<String> = (1..=10)
            .map(|n| write("src/answer", &format!("{n}\n")))
            .collect();
        let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
        let model = desk.script(&session("F-1", &turns));
        let run = desk.harness(&[
            "run",
            "--no-input",
            "--model",
            &model,
            "--dirty",
            "base",
            "--max-turns",
            "10",
        ]);
        assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
        assert_eq!(git_side(&desk), git, "a run");
        for number in (0..10).rev() {
            let run = desk.harness(&["checkpoint", "undo", &number.to_string()]);
            assert_eq!(run.code, 0, "{number}: {}\n{}", run.stdout, run.stderr);
            assert_eq!(desk.project.read("src/answer"), format!("{number}\n"));
            assert_eq!(git_side(&desk), git, "undo {number}");
        }
        let run = desk.harness(&["abort"]);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        assert_eq!(files(&desk), before);
        assert_eq!(git_side(&desk), git, "abort");
        assert_eq!(desk.project.git(&["stash", "list"]).lines().count(), 1);
    }
}

#[test]
fn two_features_land_beside_staged_and_unstaged_work() {
    for (is_detached, is_squashed) in [(false, false), (false, true), (true, false)] {
        let desk = busy(is_detached);
        let list = r#"{ "schema": 1, "features": [
          { "id": "A", "title": "First", "status": "pending", "passes": false },
          { "id": "B", "title": "Second", "depends_on": ["A"], "status": "pending", "passes": false } ] }"#;
        desk.project.write("feature_list.json", list);
        desk.project.git(&[
            "commit",
            "--quiet",
            "--message",
            "list",
            "feature_list.json",
        ]);
        let (first, second) = (write("src/first", "1\n"), write("src/second", "2\n"));
        let script = [
            session("Second", &[&second, FINISH]),
            session("First", &[&first, FINISH]),
        ];
        let model = desk.script(&script.concat());
        // Looking at it with git refreshes the index, so that comes first.
        let (diffs, entries) = (diffs(&desk), entries(&desk));
        let (before, git) = (files(&desk), git_side(&desk));
        let flags = ["run", "--no-input", "--model", &model, "--dirty", "base"];
        let run = desk.harness(&flags);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        assert_eq!(git_side(&desk), git, "a run moves nothing of the person's");
        let mut land = vec!["land"];
        land.extend(is_squashed.then_some("--squash"));
        let run = desk.harness(&land);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);

        // The index: what landed, and every other entry with its looks as it was.
        let after = self::entries(&desk);
        for (path, entry) in &entries {
            if path != "feature_list.json" {
                assert_eq!(after.get(path), Some(entry), "{path}");
            }
        }
        let landed: Vec<&String> = after
            .keys()
            .filter(|path| !entries.contains_key(*path))
            .collect();
        assert_eq!(
            landed,
            [
                ".harness/evidence/A.json",
                ".harness/evidence/B.json",
                "progress.md",
                "src/first",
                "src/second"
            ]
        );
        assert_eq!(self::diffs(&desk), diffs);
        // Reflogs grow at their end, and nothing else moved.
        let now = git_side(&desk);
        for ((name, old), (_, new)) in git.iter().zip(&now) {
            match name.as_str() {
                "logs/HEAD" => assert!(new.starts_with(old), "{name}"),
                "logs/refs/heads/main" if !is_detached => assert!(new.starts_with(old), "{name}"),
                "HEAD" if is_detached => assert_ne!(old, new),
                "index" => {}
                "refs" if !is_detached => {
                    let others = |refs: &[u8]| {
                        let text = String::from_utf8_lossy(refs).into_owned();
                        let lines = text
                            .lines()
                            .filter(|line| !line.ends_with("refs/heads/main"));
                        lines.map(str::to_owned).collect::<Vec<_>>()
                    };
                    assert_eq!(others(old), others(new));
                }
                _ => assert_eq!(old, new, "{name}"),
            }
        }
        let after = files(&desk);
        for (path, file) in &before {
            if !path.ends_with("feature_list.json") {
                assert_eq!(after.get(path), Some(file), "{}", path.display());
            }
        }
        let count = if is_squashed { "3" } else { "4" };
        assert_eq!(desk.project.git(&["rev-list", "--count", "HEAD"]), count);
    }
}

/// The index entry by entry, with what git remembers of each file's looks.
fn entries(desk: &Desk) -> BTreeMap<String, String> {
    let text = desk.project.git(&["ls-files", "--stage", "--debug"]);
    let mut entries = BTreeMap::new();
    let mut path = String::new();
    for line in text.lines() {
        // What git remembers of a file is indented below its line.
        if let Some((_, name)) = line.split_once('\t').filter(|_| !line.starts_with(' ')) {
            path = name.to_owned();
        }
        let entry: &mut String = entries.entry(path.clone()).or_default();
        entry.push_str(line);
        entry.push('\n');
    }
    entries
}

/// What the person has staged, and what they have changed beside it.
fn diffs(desk: &Desk) -> [String; 2] {
    [
        desk.project.git(&["diff", "--cached", "--", "docs"]),
        desk.project.git(&["diff", "--", "docs"]),
    ]
}

#[test]
fn what_a_submodule_holds_is_in_no_checkpoint_and_not_written() {
    let other = Desk::new();
    other.project.write("file", "theirs\n");
    other.project.commit_all("a file");
    let desk = Desk::new();
    let url = other.project.root().display().to_string();
    let allow = "protocol.file.allow=always";
    let add = ["-c", allow, "submodule", "--quiet", "add", &url, "src/sub"];
    desk.project.git(&add);
    desk.project.commit_all("a submodule");
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
    desk.project.write("src/sub/file", "mine, saved nowhere\n");
    let turns = [
        &*write("src/sub/file", "the agent's\n"),
        &shell("echo shell > src/sub/file"),
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let model = desk.script(&session("F-1", &turns));
    let story = desk.story(&["run", "--dirty", "base", "--model", &model]);
    story.assert_ended("all_passing", 0);
    let first = story.first("tool_called");
    assert_eq!(first["verdict"], "deny", "{story}");
    let reason = first["reason"].as_str().unwrap();
    assert!(reason.contains(".gitmodules"), "{reason}");
    assert_eq!(desk.project.read("src/sub/file"), "mine, saved nowhere\n");
}

#[test]
fn a_pointer_of_lfs_that_changed_is_refused_by_name_and_what_is_beside_it_lands() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        (
            ".gitattributes",
            "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        ),
        (
            "feature_list.json",
            r#"{ "schema": 1, "features": [
              { "id": "A", "title": "First", "status": "pending", "passes": false },
              { "id": "B", "title": "Second", "status": "pending", "passes": false } ] }"#,
        ),
        ("src/big.bin", pointer),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let changed = shell("echo other > src/big.bin; echo a > src/first");
    let script = [
        session("Second", &[&write("src/second", "2\n"), FINISH]),
        session("First", &[&changed, FINISH, FINISH, FINISH]),
    ];
    let model = desk.script(&script.concat());
    let story = desk.story(&["run", "--model", &model]);
    story.assert_ended("gates_red", 4);
    assert_eq!(story.status_of("A"), "needs_human");
    let why = story.first("finish_refused")["reason"].as_str().unwrap();
    for word in ["src/big.bin", "filter program `lfs`"] {
        assert!(why.contains(word), "{why}");
    }
    assert_eq!(
        desk.project.read("src/big.bin"),
        pointer,
        "put aside with the rest"
    );
    let landed = desk.harness(&["land"]);
    assert_eq!(landed.code, 0, "{}\n{}", landed.stdout, landed.stderr);
    assert_eq!(desk.project.read("src/second"), "2\n");
    // Its bytes are in the session's checkpoint.
    let kept = desk
        .project
        .git(&["show", "refs/harness/S-0001/1:src/big.bin"]);
    assert_eq!(kept, "other");
}
