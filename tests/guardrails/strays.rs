//! What no level here prevents, found after the command and taken back.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::arena::{Arena, Outcome, has};
use crate::support::{CONFIG, TESTS, news, say, shell};

/// A scope of folders with things in it that are not for the agent.
fn config() -> String {
    CONFIG.replace(
        "[scope]\n",
        "[scope]\nbuild = [\"target\"]\ndeny = [\"src/gen/**\"]\n",
    ) + "[protect]\npaths = [\"src/locked.txt\"]\n"
}

pub(super) fn arena() -> Arena {
    let arena = Arena::with_config(&config());
    let project = &arena.desk.project;
    project.write("src/locked.txt", "locked\n");
    project.write("src/gen/schema.rs", "generated\n");
    project.write("src/deep/AGENTS.md", "# the map of a folder\n");
    project.write("src/deep/own.rs", "own\n");
    project.write(".gitignore", "*.db\ntarget\n");
    project.commit_all("things that are not for the agent");
    // In no tree, and not for the agent either.
    project.write("src/.env", "SECRET=kept\n");
    project.write("src/gen/local.db", "rows\n");
    fs::create_dir(arena.root().join("target")).unwrap();
    arena
}

/// A file as it must stay: mode, time and content.
type Seen = (u32, i64, Vec<u8>);

/// Records what must stay.
fn closed(arena: &Arena) -> Vec<(&'static str, Option<Seen>)> {
    let paths = [
        "src/locked.txt",
        "src/gen/schema.rs",
        "src/gen/local.db",
        "src/deep/AGENTS.md",
        "src/.env",
        "docs/kept.md",
        "harness.toml",
        ".git/config",
        ".git/hooks/sample",
    ];
    let seen = |path: &str| {
        let full = arena.root().join(path);
        let stat = fs::symlink_metadata(&full).ok()?;
        Some((
            stat.mode(),
            stat.mtime(),
            fs::read(&full).unwrap_or_default(),
        ))
    };
    paths.into_iter().map(|path| (path, seen(path))).collect()
}

fn hook(arena: &Arena) {
    arena
        .desk
        .project
        .write(".git/hooks/sample", "#!/bin/sh\nexit 0\n");
}

/// Makes the attack without a guard, then by an agent, and holds the closed paths against what they were.
fn held(level: &str, command: &str) -> (Arena, Outcome) {
    let free = arena();
    hook(&free);
    let before = (closed(&free), listing(&free.root()));
    free.unguarded(command);
    let after = (closed(&free), listing(&free.root()));
    assert!(before != after, "`{command}` is no attack");

    let arena = arena();
    hook(&arena);
    let before = closed(&arena);
    let outcome = arena.attack_at(level, &[shell(command)]);
    assert_eq!(
        before,
        closed(&arena),
        "{command} at {level}: {}",
        outcome.story
    );
    (arena, outcome)
}

/// Lists every path with its mode, its number of names and its time.
pub(super) fn listing(folder: &Path) -> Vec<(PathBuf, u32, u64, i64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(stat) = fs::symlink_metadata(&path) else {
            continue;
        };
        let time = stat.mtime() * 1_000_000_000 + stat.mtime_nsec();
        found.push((path.clone(), stat.mode(), stat.nlink(), time));
        if stat.is_dir() && !path.ends_with("objects") {
            found.extend(listing(&path));
        }
    }
    found.sort();
    found
}

/// The levels that are enforced here, and none at all.
pub(super) fn levels() -> Vec<&'static str> {
    let enforced = crate::support::levels().iter().copied();
    enforced.chain(["none"]).collect()
}

/// Holds what was told against what must be: mounts prevent some of it, and then there is nothing to tell.
fn assert_told(level: &str, told: &[(String, bool)], expected: &[&str], what: &str) {
    if level == "namespaces" {
        let known =
            |(path, restored): &(String, bool)| *restored && expected.contains(&path.as_str());
        assert!(told.iter().all(known), "{what}: {told:?}");
        return;
    }
    let expected: Vec<(String, bool)> = expected
        .iter()
        .map(|path| ((*path).to_owned(), true))
        .collect();
    assert_eq!(told, expected, "{what}");
}

/// Returns the strays that were told, and sees that the model was told as well.
fn strays(outcome: &Outcome) -> Vec<(String, bool)> {
    let told = outcome.story.all("stray_undone");
    let model = news(outcome.server.received().last().unwrap());
    told.iter()
        .map(|line| {
            let path = line["path"].as_str().unwrap().to_owned();
            assert!(
                model.contains(&format!("undone: {path}: ")),
                "{path}: {model}"
            );
            assert!(!line["why"].as_str().unwrap().is_empty(), "{line}");
            (path, line["restored"].as_bool().unwrap())
        })
        .collect()
}

/// Returns everything in quarantine: path below the number, and bytes.
pub(super) fn quarantine(arena: &Arena) -> Vec<(String, Vec<u8>)> {
    let folder = arena.root().join(".git/harness/quarantine/S-0001");
    let mut found = Vec::new();
    for (path, ..) in listing(&folder) {
        if path.is_file() {
            let inside = path.strip_prefix(&folder).unwrap();
            let name = inside.to_string_lossy().into_owned();
            found.push((name, fs::read(&path).unwrap()));
        }
    }
    found
}

/// Ways to damage what lies in a writable folder and is not for the agent.
const IN_REACH: &[(&str, &[&str])] = &[
    ("echo x > src/locked.txt", &["src/locked.txt"]),
    ("echo x >> src/gen/schema.rs", &["src/gen/schema.rs"]),
    ("rm src/locked.txt", &["src/locked.txt"]),
    ("rm -f src/.env", &["src/.env"]),
    ("echo S=x > src/.env", &["src/.env"]),
    ("rm src/gen/local.db", &["src/gen/local.db"]),
    (
        "echo x > src/n; mv -f src/n src/locked.txt",
        &["src/locked.txt"],
    ),
    (
        "rm src/locked.txt; mkdir src/locked.txt",
        &["src/locked.txt"],
    ),
    (
        "rm src/locked.txt; ln -s answer src/locked.txt",
        &["src/locked.txt"],
    ),
    (
        "mv src/deep src/moved; mkdir src/deep; echo x > src/deep/AGENTS.md",
        &["src/deep/AGENTS.md", "src/moved/AGENTS.md"],
    ),
    (
        "mv src/deep src/moved",
        &["src/deep/AGENTS.md", "src/moved/AGENTS.md"],
    ),
    (
        "mv src/deep src/moved; ln -s /tmp src/deep",
        &["src/deep", "src/deep/AGENTS.md", "src/moved/AGENTS.md"],
    ),
    (
        "rm -rf src/gen",
        &["src/gen", "src/gen/local.db", "src/gen/schema.rs"],
    ),
    (
        "rm src/gen/schema.rs; chmod 000 src/gen",
        &["src/gen", "src/gen/schema.rs"],
    ),
    ("chmod 777 src/locked.txt", &["src/locked.txt"]),
    ("touch -d @1 src/locked.txt", &["src/locked.txt"]),
    (
        "touch -r src/locked.txt src/t; printf 'lockEd\\n' > src/locked.txt; touch -r src/t src/locked.txt; rm src/t",
        &["src/locked.txt"],
    ),
    (
        "mkdir src/sub; echo x > src/sub/AGENTS.md",
        &["src/sub/AGENTS.md"],
    ),
    (
        "mkdir src/sub; echo x > src/sub/agents.override.MD",
        &["src/sub/agents.override.MD"],
    ),
    (
        "mkdir -p src/sub/.git/hooks; echo x > src/sub/.git/config",
        &["src/sub/.git"],
    ),
    (
        "mkdir -p src/.GIT/hooks; echo x > src/.GIT/config",
        &["src/.GIT"],
    ),
    ("echo 'gitdir: ../../x' > src/.git", &["src/.git"]),
    ("echo x > 'src/gen/a\nb'", &["src/gen/a\nb"]),
];

#[test]
fn what_lies_in_a_writable_folder_and_is_not_for_the_agent_comes_back() {
    for level in levels() {
        for (command, paths) in IN_REACH {
            let (arena, outcome) = held(level, command);
            let told = strays(&outcome);
            let what = format!("{command} at {level}: {}", outcome.story);
            assert_told(level, &told, paths, &what);
            for (path, bytes) in quarantine(&arena) {
                assert!(path.starts_with("1/src/"), "{path}");
                assert_ne!(bytes, b"kept\n", "{path}");
            }
            assert!(!arena.root().join("src/sub/.git").exists());
            let log = arena.desk.harness(&["log", "show"]);
            assert!(
                told.is_empty() || log.stdout.contains("undone src/"),
                "{}",
                log.stdout
            );
        }
    }
}

#[test]
fn the_bad_bytes_are_kept_for_the_person() {
    let (arena, outcome) = held(
        "none",
        "echo bad > src/locked.txt; mkdir -p src/.git; echo evil > src/.git/config",
    );
    let kept = quarantine(&arena);
    assert_eq!(
        kept,
        [
            ("1/src/.git/config".to_owned(), b"evil\n".to_vec()),
            ("1/src/locked.txt".to_owned(), b"bad\n".to_vec())
        ]
    );
    let told = outcome.story.first("stray_undone");
    assert_eq!(told["quarantine"], "harness/quarantine/S-0001/1");
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .contains("kept for the person"),
        "{told}"
    );
}

/// Things in the scope itself that no review shows for what they are.
const ODD: &[(&str, &str, &str)] = &[
    ("mkfifo", "mkfifo src/pipe", "src/pipe"),
    (
        "python3",
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"src/sock\")'",
        "src/sock",
    ),
    (
        "sh",
        "cp /bin/true src/tool; chmod 4755 src/tool",
        "src/tool",
    ),
    (
        "sh",
        "cp /bin/true src/tool; chmod 2755 src/tool",
        "src/tool",
    ),
    ("sh", "ln src/locked.txt src/twin", "src/twin"),
    ("sh", "ln src/deep/AGENTS.md src/deep/twin", "src/deep/twin"),
    (
        "sh",
        "ln src/locked.txt src/twin; chmod 4755 src/twin",
        "src/twin",
    ),
];

#[test]
fn pipes_sockets_lent_rights_and_shared_files_do_not_stay_in_the_scope() {
    for level in levels() {
        for (program, command, path) in ODD {
            // The filter lets no socket be made.
            if *path == "src/sock" && level != "none" {
                continue;
            }
            if !has(program) {
                say(&format!("skipped: {program} is not here"));
                continue;
            }
            let (arena, outcome) = held(level, command);
            let told = strays(&outcome).contains(&((*path).to_owned(), true));
            // Mounts keep files from being shared.
            assert!(
                told || level == "namespaces",
                "{command} at {level}: {}",
                outcome.story
            );
            if let Ok(stat) = fs::symlink_metadata(arena.root().join(path)) {
                assert!(
                    !stat.file_type().is_fifo() && !stat.file_type().is_socket(),
                    "{path}"
                );
                assert_eq!(stat.permissions().mode() & 0o6000, 0, "{path}");
                assert_eq!(stat.nlink(), 1, "{path}");
            }
        }
    }
}

/// Metadata out of reach: what Landlock lets through.
const RIGHTS: &[(&str, &str)] = &[
    ("chmod 777 docs/kept.md", "docs/kept.md"),
    ("chmod 000 docs", "docs"),
    ("touch -d @1 docs/kept.md", "docs/kept.md"),
    ("chmod +x .git/hooks/sample", ".git/hooks/sample"),
    ("touch -d 2040-01-01 .git/config", ".git/config"),
    ("chmod 600 harness.toml", "harness.toml"),
];

#[test]
fn rights_and_times_outside_the_scope_are_set_back() {
    for level in levels() {
        for (command, path) in RIGHTS {
            let (_, outcome) = held(level, command);
            let what = format!("{command} at {level}: {}", outcome.story);
            assert_told(level, &strays(&outcome), &[path], &what);
        }
    }
}

/// What only a cage prevents.
const UNCAGED: &[&str] = &[
    "echo x > docs/kept.md",
    "rm -rf docs",
    "mv docs old; ln -s src docs",
    "echo x > new.md; mkdir -p more/folders; echo x > more/folders/a",
    "printf '#!/bin/sh\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit",
    "git config core.pager evil",
    "git config core.fsmonitor evil; git config alias.st '!evil'",
    "git commit --quiet --no-verify --allow-empty -m x",
    "git branch spare; git tag t; git update-ref refs/heads/other HEAD",
    "git rm --quiet --cached harness.toml",
    "git stash --quiet --include-untracked",
    "git checkout --quiet -b other",
    "sed -i s/src/x/ harness.toml; rm feature_list.json; mkdir -p .harness; echo x > .harness/e",
    "rm -rf src/../tests/../docs .git/hooks",
    "printf x > \"docs/$(printf 'bad\\377name')\"",
    "echo x > ' -rf'",
    "rm docs/kept.md; chmod 000 docs",
];

#[test]
fn without_a_cage_everything_outside_the_scope_comes_back() {
    for command in UNCAGED {
        // Wrapped, so that no rule about commands sees it.
        let command = format!("sh -c '{}'", command.replace('\'', "'\\''"));
        let (_, outcome) = held("none", &command);
        let told = strays(&outcome);
        assert!(!told.is_empty(), "{command}: {}", outcome.story);
        assert!(
            told.iter().all(|(_, restored)| *restored),
            "{command}: {}",
            outcome.story
        );
    }
}

#[test]
fn a_gate_in_the_work_tree_is_looked_after_as_well() {
    for level in levels() {
        let arena = Arena::with_config(&format!("{}\n[gates]\nisolate = false\n", config()));
        let project = &arena.desk.project;
        project.write("src/locked.txt", "locked\n");
        let tests = format!(
            "{TESTS}\nif [ -e here ]; then echo bad > src/locked.txt; mkfifo src/pipe; fi\n"
        );
        project.write("tests/run.sh", &tests);
        fs::create_dir(arena.root().join("target")).unwrap();
        project.commit_all("a gate that does more than it should");
        // The baseline runs on a checkout, which has no such file.
        project.write(".git/info/exclude", "/here\n");
        project.write("here", "");
        assert_eq!(arena.desk.harness(&["trust", "--yes"]).code, 0);
        let outcome = arena.attack_at(level, &["{ tool = \"check\" }".to_owned()]);
        let told = strays(&outcome);
        let what = format!("{level}: {}", outcome.story);
        assert_told(level, &told, &["src/locked.txt", "src/pipe"], &what);
        assert!(!arena.root().join("src/pipe").exists());
        assert_eq!(project.read("src/locked.txt"), "locked\n");
    }
}

#[test]
fn ordinary_work_is_not_touched() {
    for level in levels() {
        let arena = arena();
        let commands = [
            "echo 1 > src/new.rs; mkdir -p src/a/b; echo 2 > src/a/b/c; ln -s ../answer src/a/link; rm src/deep/own.rs",
            "mkdir -p target/x; mkfifo target/x/pipe; echo rows > src/new.db; chmod 755 src/new.rs; ln src/new.rs src/a/twin",
            "git status; git log; git diff",
        ];
        let outcome = arena.attack_at(level, &commands.map(shell));
        assert!(
            outcome.story.all("stray_undone").is_empty(),
            "{level}: {}",
            outcome.story
        );
        assert!(
            outcome.story.all("changed_outside").is_empty(),
            "{level}: {}",
            outcome.story
        );
        assert_eq!(arena.desk.project.read("src/new.db"), "rows\n");
        assert!(arena.root().join("src/a/link").is_symlink());
    }
}

#[test]
fn ignored_files_come_back_with_undo_and_with_abort() {
    for (command, way_back) in [
        ("rm -rf src/* src/.*", &["checkpoint", "undo", "0"][..]),
        (
            "sh -c 'git clean -xfdq src'; find src -type f -delete",
            &["abort"],
        ),
    ] {
        let arena = arena();
        let project = &arena.desk.project;
        project.write("src/data/local.db", "the person's rows\n");
        project.write("src/untracked.rs", "the person's own\n");
        project.git(&["add", "src/untracked.rs"]);
        project.git(&["commit", "--quiet", "--message", "one more"]);
        let outcome = arena.attack_at(levels()[0], &[shell(command)]);
        assert_eq!(project.read("src/data/local.db"), "", "{}", outcome.story);
        // What was never the agent's is back already.
        assert_eq!(project.read("src/.env"), "SECRET=kept\n");
        let back = arena.desk.harness(way_back);
        assert_eq!(back.code, 0, "{} {}", back.stdout, back.stderr);
        assert_eq!(project.read("src/data/local.db"), "the person's rows\n");
        assert_eq!(project.read("src/untracked.rs"), "the person's own\n");
        assert_eq!(project.read("src/answer"), "0\n");
    }
}

#[test]
fn kept_bytes_that_were_tampered_with_are_not_trusted() {
    let arena = arena();
    let tamper =
        "printf XXXXXXXXXXXXXXXXXXXXXXXX | dd of=.git/harness/kept/S-0001/bytes conv=notrunc";
    let turns = [shell(&format!(
        "{tamper}; echo bad > src/.env; echo bad > src/locked.txt"
    ))];
    let outcome = arena.attack_at("none", &turns);
    let told = outcome.story.all("stray_undone");
    let env = told.iter().find(|line| line["path"] == "src/.env").unwrap();
    assert_eq!(env["restored"], false, "{env}");
    assert!(
        env["message"].as_str().unwrap().contains("were changed"),
        "{env}"
    );
    // A tree has this one.
    assert_eq!(arena.desk.project.read("src/locked.txt"), "locked\n");
}

#[test]
fn a_folder_too_deep_to_be_looked_into_is_named() {
    let arena = arena();
    let name = "d".repeat(200);
    let deep = format!(
        "cd src; i=0; while [ $i -lt 30 ]; do mkdir {name} && cd {name} || exit 1; i=$((i+1)); done; mkdir .git"
    );
    let outcome = arena.attack_at(levels()[0], &[shell(&deep), shell("true")]);
    let problems = outcome.story.all("problem");
    let named: Vec<_> = problems
        .iter()
        .filter(|line| {
            line["message"]
                .as_str()
                .unwrap()
                .contains("cannot be looked into")
        })
        .collect();
    assert_eq!(named.len(), 1, "{}", outcome.story);
}

#[test]
fn many_strays_are_all_undone_and_not_all_told_one_by_one() {
    let arena = arena();
    for number in 0..120 {
        arena
            .desk
            .project
            .write(&format!("docs/part/{number}"), &format!("{number}\n"));
    }
    arena.desk.project.commit_all("many files");
    let outcome = arena.attack_at("none", &[shell("rm -rf docs/part")]);
    let told = outcome.story.all("stray_undone");
    assert_eq!(told.len(), 50, "{}", outcome.story);
    let last = told[49]["message"].as_str().unwrap();
    assert_eq!(last, "put back; so were 71 more");
}
