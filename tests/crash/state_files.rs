//! Every file that is kept between runs, damaged in every way: rebuilt, or said with the way out, and never lost.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness_testkit::{Run, Server};

use super::tale::calm;
use crate::support::{Desk, FINISH, say, session, write};

/// What a file is to the program when it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It can be made anew, and its bytes are worth nothing.
    Cache,
    /// Its bytes are kept, in place or beside it.
    Kept,
}

/// The ways a file is damaged.
fn damages(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let newer = br#"{"v":999,"value":{},"entry":{},"schema":999}"#;
    vec![
        ("empty", Vec::new()),
        ("zeros", vec![0; good.len().max(16)]),
        ("truncated", good[..good.len() / 2].to_vec()),
        ("garbage behind", [good, b"\n}}garbage\xff\n"].concat()),
        (
            "wrong shape",
            b"{\"v\":1,\"value\":[1,2],\"entry\":7}\n".to_vec(),
        ),
        ("newer", [newer.as_slice(), b"\n"].concat()),
        ("no text", vec![0xff; 64]),
    ]
}

/// Whether these bytes still are somewhere: in place, or in a file beside it that bears its name.
pub(super) fn is_there(path: &Path, bytes: &[u8]) -> bool {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let beside = fs::read_dir(path.parent().unwrap())
        .into_iter()
        .flatten()
        .flatten();
    let named = beside.filter(|entry| entry.file_name().to_string_lossy().starts_with(&name));
    // A file that is only appended to holds them at its beginning.
    named
        .map(|entry| fs::read(entry.path()).unwrap_or_default())
        .any(|found| found.starts_with(bytes) || bytes.ends_with(&found) && !found.is_empty())
}

/// A project with a run that stopped with work left, and one of each file that is kept.
pub(super) fn scene() -> (Desk, Server) {
    let ask = "{ tool = \"ask\", text = \"which answer?\" }";
    let right = write("src/answer", "42\n");
    let server = Server::scripted(&session("F-1", &[&right, &right, ask, FINISH]));
    let desk = Desk::new();
    desk.home.write_state(
        "rules.toml",
        "[[rule]]\ncommand = [\"make\"]\ndecision = \"allow\"\n",
    );
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nbase_url = \"{}\"\nid = \"m\"\nprice = {{ input = 1.0, output = 1.0 }}\n",
        server.base_url("anthropic")
    ));
    let blocked = desk.harness(&["feature", "amend", "F-1", "--title", "Give the one answer"]);
    assert_eq!(blocked.code, 0, "{}", blocked.stderr);
    desk.project.commit_all("amended");
    let run = desk.harness(&["run", "--no-input"]);
    assert!(
        [3, 5].contains(&run.code),
        "exit {}: {}",
        run.code,
        run.stderr
    );
    // A review of what it did, and a name.
    for command in [
        &["review", "comment", "is that so?"][..],
        &["session", "rename", "S-0001", "first"],
    ] {
        let done = desk.harness(command);
        assert_eq!(done.code, 0, "{command:?}: {}", done.stderr);
    }
    (desk, server)
}

/// Finds the files that are kept; a name with `*` stands for the first that fits.
pub(super) fn files(desk: &Desk) -> Vec<(PathBuf, Kind)> {
    let (home, git) = (
        desk.home.path().to_owned(),
        desk.project.root().join(".git/harness"),
    );
    let state = home.join(".local/state/harness");
    let first_in = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_file() && path.extension().is_some())
            .collect();
        paths.sort();
        paths.into_iter().next()
    };
    let named = [
        (Some(state.join("trust.json")), Kind::Kept),
        (Some(state.join("rules.toml")), Kind::Kept),
        (first_in(state.join("spend")), Kind::Kept),
        (Some(git.join("runs.jsonl")), Kind::Kept),
        (Some(git.join("intent.jsonl")), Kind::Kept),
        (first_in(git.join("questions")), Kind::Kept),
        (Some(git.join("reviews/R-0001.json")), Kind::Kept),
        (Some(git.join("sessions/S-0001/session.json")), Kind::Kept),
        (Some(git.join("sessions/S-0001/log.synced")), Kind::Cache),
        (Some(home.join(".config/harness/config.toml")), Kind::Kept),
        (Some(desk.project.root().join("progress.md")), Kind::Kept),
        (Some(git.join("locks/work-tree")), Kind::Cache),
        (Some(home.join(".cache/harness/level")), Kind::Cache),
        (Some(home.join(".cache/harness/programs.json")), Kind::Cache),
        (
            Some(desk.project.root().join("feature_list.json")),
            Kind::Kept,
        ),
        (Some(git.join("sessions/S-0001/log.jsonl")), Kind::Kept),
    ];
    named
        .into_iter()
        .filter_map(|(path, kind)| Some((path.filter(|path| path.is_file())?, kind)))
        .collect()
}

/// A command that cannot go on says what, where and what to do.
pub(super) fn told(run: &Run) -> Result<(), String> {
    calm(run)?;
    let helped = run.stderr.contains("hint: ");
    // A person's own file that cannot be read is shown at its place.
    let is_shown = run.code == 2 && run.stderr.contains("\n --> ");
    let said = is_shown || helped && (run.code == 5 || run.stderr.contains("error: "));
    if [0, 3].contains(&run.code) || run.code == 4 && !run.stdout.is_empty() || said {
        return Ok(());
    }
    Err(format!(
        "exit {} without a way out: {}",
        run.code, run.stderr
    ))
}

#[test]
fn a_file_that_is_broken_is_rebuilt_or_said_and_never_lost() {
    let (desk, _server) = scene();
    let commands: [&[&str]; 5] = [
        &["status"],
        &["feature", "list"],
        &["answer"],
        &["log", "verify"],
        &["resume", "--last", "--no-input"],
    ];
    let mut problems = Vec::new();
    let files = files(&desk);
    assert!(files.len() >= 9, "{files:?}");
    let mut tried = 0;
    for (at, (path, kind)) in files.iter().enumerate() {
        let good = fs::read(path).unwrap();
        let all = damages(&good);
        let is_all = std::env::var_os("HARNESS_KILLS").is_some();
        for (number, (damage, bytes)) in all.iter().enumerate() {
            // Each file meets some damages, each damage some files; together they meet all when asked to.
            if !is_all && (number + at) % 5 != 0 {
                continue;
            }
            tried += 1;
            fs::write(path, bytes).unwrap();
            let mut codes = Vec::new();
            for command in commands
                .iter()
                .rev()
                .take(if is_all { 5 } else { 2 })
                .chain([&commands[0]])
            {
                let run = desk.harness(command);
                codes.push(run.code);
                if let Err(why) = told(&run) {
                    problems.push(format!("{} {damage}: {command:?}: {why}", path.display()));
                }
                if *kind == Kind::Kept && !is_there(path, bytes) {
                    problems.push(format!(
                        "{} {damage}: {command:?} lost the bytes",
                        path.display()
                    ));
                }
            }
            say(&format!(
                "  {:<18} {damage:<15} exits {codes:?}",
                path.file_name().unwrap().to_string_lossy()
            ));
            fs::write(path, &good).unwrap();
        }
    }
    assert!(
        problems.is_empty(),
        "{} of {tried}:\n{}",
        problems.len(),
        problems.join("\n")
    );
    // Put right again, all is as it was.
    let run = desk.harness(&["log", "verify"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn a_question_whose_file_is_broken_is_kept_anew_from_the_log() {
    let (desk, _server) = scene();
    let path = desk
        .project
        .root()
        .join(".git/harness/questions/Q-0001.json");
    for (number, bytes) in [(1, &b""[..]), (2, b"{\"v\":1,\"value\":7}")] {
        fs::write(&path, bytes).unwrap();
        let listed = desk.harness(&["answer"]);
        let told = format!("{}\n{}", listed.stdout, listed.stderr);
        assert_eq!(listed.code, 0, "{told}");
        assert!(listed.stdout.contains("which answer?"), "{told}");
        assert!(told.contains("Q-0001 was kept anew from the log"), "{told}");
        let kept = path.with_file_name(format!("Q-0001.json.broken-{number}"));
        assert_eq!(fs::read(kept).unwrap(), bytes);
    }
    fs::write(&path, "{").unwrap();
    let answered = desk.harness(&["answer", "Q-0001", "42"]);
    assert_eq!(answered.code, 0, "{}", answered.stderr);
    let none = desk.harness(&["answer"]);
    assert!(none.stdout.contains("none waits"), "{}", none.stdout);
}
