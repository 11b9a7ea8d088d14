//! `harness review` in any git repository: no configuration, no run, and nothing that a text could do to a terminal.

use harness_testkit::{Home, Project, Run};
use serde_json::Value;

use crate::support::PROGRAM;

struct Repository {
    home: Home,
    project: Project,
}

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        Self {
            home: Home::new(PROGRAM),
            project: Project::with_files(files),
        }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.home.run(&self.project.root(), arguments)
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}\n{}\n{}", run.stdout, run.stderr);
        run.stdout + &run.stderr
    }

    fn review(&self, range: &str) -> Value {
        let run = self.run(&["review", range, "--json"]);
        serde_json::from_str(&run.stdout).unwrap()
    }

    fn hunk(&self, range: &str, path: &str, at: usize) -> String {
        let review = self.review(range);
        let mut files = review["files"].as_array().unwrap().iter();
        let file = files.find(|file| file["path"] == path).unwrap();
        file["hunks"][at]["id"].as_str().unwrap().to_owned()
    }
}

fn numbered(count: usize) -> String {
    (1..=count).map(|line| format!("line {line}\n")).collect()
}

#[test]
fn a_plain_repository_is_reviewed_and_nothing_is_written_for_looking() {
    let repository = Repository::new(&[("a.txt", &numbered(40)), ("b.txt", "    b\n")]);
    repository.project.git(&["checkout", "-q", "-b", "topic"]);
    let changed = numbered(40)
        .replace("line 3\n", "line three\n")
        .replace("line 30\n", "");
    repository.project.write("a.txt", &changed);
    repository.project.commit_all("change a");
    repository.project.write("new file.txt", "    new\n");
    let before = repository.project.git(&["count-objects"]);
    let listed = repository.ok(&["review", "main.."]);
    assert!(listed.contains("2 files, +2 -2, 0 of 3 hunks"), "{listed}");
    assert!(
        listed.contains("file: ~ a.txt, +1 -2, 0 of 2 hunks"),
        "{listed}"
    );
    assert!(listed.contains("file: + new file.txt, +1 -0"), "{listed}");
    assert_eq!(repository.project.git(&["count-objects"]), before);
    assert!(!repository.project.root().join(".git/harness").exists());
    // Two commits, and what is not committed.
    assert!(
        repository
            .ok(&["review", "main..topic"])
            .contains("1 files")
    );
    assert!(repository.ok(&["review"]).contains("new file.txt"));

    let hunk = repository.hunk("main..", "a.txt", 0);
    let shown = repository.ok(&["review", "show", &hunk[..6], "--of", "main.."]);
    assert!(
        shown.contains("+line three") && shown.contains("   3 -line 3"),
        "{shown}"
    );
    repository.ok(&["review", "accept", &hunk, "--of", "main.."]);
    assert!(
        repository
            .ok(&["review", "status", "--of", "main.."])
            .contains("1 of 3 hunks")
    );
    repository.ok(&["review", "undo", "--of", "main.."]);
    assert!(
        repository
            .ok(&["review", "status", "--of", "main.."])
            .contains("0 of 3 hunks")
    );
}

#[test]
fn what_is_turned_down_goes_and_a_patch_brings_it_back() {
    let repository = Repository::new(&[("a.txt", &numbered(40))]);
    let changed = numbered(40)
        .replace("line 3\n", "line three\nand more\n")
        .replace("line 30\n", "");
    repository.project.write("a.txt", &changed);
    let hunk = repository.hunk("HEAD..", "a.txt", 0);
    // A part of it: the second added line.
    let said = repository.ok(&[
        "review", "reject", &hunk, "--lines", "5", "--reason", "too much",
    ]);
    let expected = numbered(40)
        .replace("line 3\n", "line three\n")
        .replace("line 30\n", "");
    assert_eq!(repository.project.read("a.txt"), expected, "{said}");
    assert!(
        said.contains("turned-down-1.patch` brings it back"),
        "{said}"
    );
    let patch = repository.project.root().join(".git/harness/reviews");
    let mut folders = std::fs::read_dir(patch).unwrap().flatten();
    let folder = folders.find(|entry| entry.path().is_dir()).unwrap().path();
    let patch = folder.join("turned-down-1.patch").display().to_string();
    repository.project.git(&["apply", &patch]);
    assert_eq!(repository.project.read("a.txt"), changed);
}

#[test]
fn whole_files_come_and_go() {
    let repository = Repository::new(&[("gone.txt", "was\n"), ("b.txt", "b\n")]);
    std::fs::remove_file(repository.project.root().join("gone.txt")).unwrap();
    repository.project.write("new.txt", "new\n");
    repository.ok(&["review", "reject", "--all"]);
    assert_eq!(repository.project.read("gone.txt"), "was\n");
    assert!(!repository.project.root().join("new.txt").exists());
    assert!(repository.ok(&["review"]).contains("nothing differs"));
}

#[test]
fn two_commits_are_not_changed_and_a_wrong_name_is_said() {
    let repository = Repository::new(&[("a.txt", "a\n")]);
    repository.project.git(&["checkout", "-q", "-b", "topic"]);
    repository.project.write("a.txt", "b\n");
    repository.project.commit_all("b");
    let hunk = repository.hunk("main..topic", "a.txt", 0);
    let refused = repository.run(&["review", "reject", &hunk, "--of", "main..topic"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    for wrong in ["nowhere..", "..", "-x..", "a..b..c"] {
        let run = repository.run(&["review", "--", wrong]);
        assert_eq!(run.code, 2, "{wrong}: {}", run.stderr);
    }
    assert_eq!(
        repository.run(&["review", "accept", "ffffffffffff"]).code,
        2
    );
    assert_eq!(repository.run(&["review", "--checkpoint", "1"]).code, 2);
    assert_eq!(
        repository
            .run(&[
                "review", "comment", "x", "--at", "a.txt:99", "--of", "main.."
            ])
            .code,
        2
    );
    assert_eq!(repository.run(&["review", "resolve", "7"]).code, 2);
}

#[test]
fn a_must_fix_makes_five_of_the_exit_code() {
    let repository = Repository::new(&[("a.txt", "a\n")]);
    repository.project.write("a.txt", "b\n");
    repository.ok(&["review", "comment", "why?", "--at", "a.txt:1"]);
    repository.ok(&["review", "comment", "and this?", "--kind", "question"]);
    for arguments in [
        &["review", "--no-input"][..],
        &["review", "status"],
        &["review", "--json"],
        &["review", "--export", "md"],
    ] {
        let run = repository.run(arguments);
        assert_eq!(run.code, 5, "{arguments:?} {}", run.stderr);
    }
    let markdown = repository.run(&["review", "--export", "md"]).stdout;
    assert!(
        markdown.contains("1 must-fix open") && markdown.contains("why?"),
        "{markdown}"
    );
    let json: Value =
        serde_json::from_str(&repository.run(&["review", "--export", "json"]).stdout).unwrap();
    assert_eq!(json["must_fix_open"], 1);
    let sent = repository.ok(&["review", "send"]);
    assert!(
        sent.contains("sent #1, #2") && sent.contains("no run made this change"),
        "{sent}"
    );
    assert_eq!(repository.run(&["review", "send"]).code, 2);
    assert_eq!(repository.run(&["review", "edit", "1", "other"]).code, 2);
    repository.ok(&["review", "resolve", "1"]);
    assert_eq!(repository.run(&["review"]).code, 0);
    repository.ok(&["review", "reopen", "1"]);
    assert_eq!(repository.run(&["review"]).code, 5);
}

#[test]
fn hostile_texts_do_nothing_to_the_terminal() {
    let evil = "\u{1b}[2J\u{1b}]0;title\u{7}\u{202e}gnp\r";
    let name = "a\u{1b}[31m\u{202e}.txt";
    let repository = Repository::new(&[("a.txt", "a\n")]);
    repository
        .project
        .write(name, &format!("{evil}\n{}\n", "x".repeat(100_000)));
    let said = format!("why {evil}?");
    let at = format!("{name}:1");
    let written = repository.run(&["review", "comment", &said, "--at", &at]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    let secret = format!("the key is sk-ant-api03-{}", "a1B2".repeat(24));
    assert_eq!(repository.run(&["review", "comment", &secret]).code, 2);
    let long = "y".repeat(100_000);
    assert_eq!(repository.run(&["review", "comment", &long]).code, 2);
    for arguments in [
        &["review"][..],
        &["review", "show"],
        &["review", "--json"],
        &["review", "--export", "md"],
        &["review", "--export", "json"],
    ] {
        let run = repository.run(arguments);
        for text in [&run.stdout, &run.stderr] {
            let bad = |char: char| matches!(char, '\u{1b}' | '\u{7}' | '\u{202e}' | '\r');
            assert!(!text.contains(bad), "{arguments:?}: {text:.300?}");
        }
    }
}

#[test]
fn a_broken_book_is_put_aside_and_said() {
    let repository = Repository::new(&[("a.txt", "a\n")]);
    repository.project.write("a.txt", "b\n");
    repository.ok(&["review", "comment", "why?", "--kind", "nit"]);
    let folder = repository.project.root().join(".git/harness/reviews");
    let mut books = std::fs::read_dir(&folder).unwrap().flatten();
    let book = books.find(|entry| entry.file_name().to_string_lossy().ends_with(".json"));
    let book = book.unwrap().path();
    std::fs::write(&book, "{").unwrap();
    let said = repository.ok(&["review"]);
    assert!(
        said.contains("begins anew") && said.contains(".json.broken-1"),
        "{said}"
    );
    std::fs::write(&book, r#"{"schema":99,"base":{"kind":"last_checkpoint"}}"#).unwrap();
    let run = repository.run(&["review"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(book.exists());
}
