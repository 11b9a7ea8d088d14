//! The repository's own machinery: the agent reads it, nobody but the person changes it, and nothing in it runs.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use harness_testkit::Server;

use super::arena::{Arena, is_caged};
use crate::support::{FINISH, news, session, shell, write};

/// Commands that change refs, index or configuration; each is run through `sh` so that no rule on words can help.
const WRITES: &[&str] = &[
    "git commit --allow-empty --no-verify -m x",
    "git commit --amend --no-verify -m x",
    "git reset --hard HEAD~1",
    "git branch -D spare",
    "git update-ref refs/heads/main HEAD~1",
    "git tag x",
    "git stash push -u",
    "git rm --cached src/answer",
    "git config core.fsmonitor 'touch MARK'",
    "git config core.hooksPath src/hooks",
    "git config alias.st '!touch MARK'",
    "printf '[core]\\n\\tpager = touch MARK\\n' >> .git/config",
    "echo x > .git/hooks/pre-commit",
    "echo x > .git/HEAD",
    "rm -rf .git/refs/heads/spare",
    "mv .git/hooks .git/hooks2",
    "rm .git/hooks/sample",
];

fn arena() -> Arena {
    let arena = Arena::new();
    arena.desk.project.write("src/second", "2\n");
    arena.desk.project.commit_all("second");
    arena.desk.project.git(&["branch", "spare"]);
    // Something for a stash and a reset to lose; it is no work in the scope.
    arena.desk.project.write("notes.txt", "the person's own\n");
    hook(
        &arena.root().join(".git/hooks/sample"),
        Path::new("/dev/null"),
    );
    arena
}

fn hook(path: &Path, marker: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(
        path,
        format!("#!/bin/sh\necho ran >> {}\n", marker.display()),
    )
    .unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_agent_changes_neither_history_nor_index_nor_configuration() {
    if !is_caged() {
        return;
    }
    for command in WRITES {
        let free = arena();
        let before = listing(&free.root().join(".git"));
        free.unguarded(command);
        let after = listing(&free.root().join(".git"));
        assert!(before != after, "`{command}` is no attack");
    }
    let caged = arena();
    let wrapped = |command: &&str| shell(&format!("sh -c '{}'", command.replace('\'', "'\\''")));
    let turns: Vec<String> = WRITES.iter().map(wrapped).collect();
    let turns: Vec<String> = turns.chunks(9).map(|calls| calls.join(", ")).collect();
    let outcome = caged.attack(&turns);
    for request in &outcome.server.received()[1..] {
        assert!(!news(request).contains("exit 0"), "{}", news(request));
    }
}

/// Lists a folder below `.git` with the content of small files, what is only objects or logs left out.
fn listing(folder: &Path) -> Vec<(std::path::PathBuf, u32, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.ends_with("objects") || path.ends_with("logs") || path.ends_with("COMMIT_EDITMSG") {
            continue;
        }
        let mode = entry.metadata().map_or(0, |stat| stat.permissions().mode());
        found.push((path.clone(), mode, fs::read(&path).unwrap_or_default()));
        if path.is_dir() {
            found.extend(listing(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn a_git_write_is_refused_with_the_way_on_and_the_tools_see_no_git_folder() {
    if !is_caged() {
        return;
    }
    let arena = arena();
    let turns: Vec<String> = ["git commit -am x", "git reset --hard HEAD~1", "git push"]
        .map(shell)
        .into();
    let paths = [
        ".git/config",
        ".git/hooks/pre-commit",
        ".GIT/config",
        "src/.git/config",
        "src/../.git/HEAD",
        "src/.Git/hooks/x",
    ];
    let turns: Vec<String> = turns
        .into_iter()
        .chain(paths.map(|path| write(path, "x")))
        .collect();
    let outcome = arena.attack(&turns);
    let told = outcome.story.all("tool_called");
    assert!(
        told[..9].iter().all(|line| line["verdict"] == "deny"),
        "{}",
        outcome.story
    );
    let reason = told[0]["reason"].as_str().unwrap();
    assert!(reason.contains("the harness commits"), "{reason}");
}

#[test]
fn nothing_of_the_repository_that_could_run_does() {
    if !is_caged() {
        return;
    }
    let arena = Arena::new();
    let (root, project) = (arena.root(), &arena.desk.project);
    project.write("src/filtered", "as it is\n");
    project.commit_all("a file that will have a filter");
    let marker = arena.outside().join("marker");
    for name in [
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-commit",
        "post-checkout",
        "post-merge",
        "post-index-change",
        "reference-transaction",
        "pre-rebase",
        "post-rewrite",
        "update",
        "pre-push",
        "fsmonitor-watchman",
    ] {
        hook(&root.join(".git/hooks").join(name), &marker);
    }
    // The hooks do run for who uses git itself.
    project.git(&["commit", "--quiet", "--allow-empty", "--message", "by hand"]);
    assert!(marker.exists());
    fs::write(
        root.join(".git/info/attributes"),
        "* diff=evil merge=evil\nsrc/filtered filter=evil\n",
    )
    .unwrap();
    let program = arena.outside().join("program");
    hook(&program, &marker);
    let program = program.display().to_string();
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "credential.helper",
        "gpg.program",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.external",
        "merge.evil.driver",
    ] {
        project.git(&["config", key, &program]);
    }
    project.git(&["config", "commit.gpgsign", "true"]);
    fs::remove_file(&marker).unwrap();

    let (first, second) = (write("src/answer", "41\n"), write("src/answer", "42\n"));
    let server = Server::scripted(&session("F-1", &[&first, FINISH, &second, FINISH]));
    arena.desk.use_server(&server, "anthropic");
    arena.desk.story(&["run"]).assert_ended("all_passing", 0);
    for arguments in [
        &["status"][..],
        &["checkpoint", "list"],
        &["land"],
        &["verify"],
        &["gate", "run", "--no-input"],
        &["checkpoint", "undo", "1"],
        &["checkpoint", "undo", "2"],
        &["feature", "list"],
    ] {
        let run = arena.desk.harness(arguments);
        assert!(
            run.code == 0 || arguments[0] == "checkpoint",
            "{arguments:?}: {}",
            run.stderr
        );
    }
    assert!(
        !marker.exists(),
        "something of the repository ran: {:?}",
        fs::read_to_string(&marker)
    );
    // Looking at it with git would run the programs: only the ref is read.
    let head = fs::read_to_string(root.join(".git/refs/heads/main")).unwrap();
    assert_eq!(head.trim().len(), 40);
}
