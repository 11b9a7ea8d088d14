//! Runs the integrity check over the history of a repository, commit by commit, to see what it would say.
//!
//! A finding on an honest commit is a question to a person for nothing: this
//! program shows them one by one. `cargo run -p harness-runner --example integrity --
//! GIT_DIR [COMMITS] [--hunks]` reads the repository with `git` and writes nothing.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for a developer's terminal"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio},
};

use harness_core::{Finding, RepoPath};
use harness_gate::integrity::{self, FileChange};

/// What counts as code when commits are chosen.
const CODE: [&str; 11] = [
    "*.rs", "*.py", "*.js", "*.ts", "*.go", "*.java", "*.sh", "*.toml", "*.cfg", "*.json", "*.xml",
];
/// Commits that are looked at when no number is given.
const COMMITS: usize = 40;
/// The largest file that is read.
const TEXT_MAX: usize = 2 * 1024 * 1024;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let hunks = arguments.iter().position(|word| word == "--hunks");
    let hunks = hunks.map(|at| arguments.remove(at)).is_some();
    let Some(git_dir) = arguments.first().cloned() else {
        eprintln!("usage: integrity GIT_DIR [COMMITS] [--hunks]");
        return ExitCode::from(2);
    };
    let count = arguments.get(1).and_then(|number| number.parse().ok());
    let history = History { git_dir };
    let mut blobs = history.blobs();
    let (mut commits, mut found_in) = (0, 0);
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for (commit, subject) in history.commits(count.unwrap_or(COMMITS)) {
        commits += 1;
        let findings = history.findings(&commit, &mut blobs);
        found_in += u32::from(!findings.is_empty());
        if !findings.is_empty() {
            println!("{} {subject}", &commit[..10]);
        }
        for finding in &findings {
            *kinds.entry(finding.kind.as_str()).or_default() += 1;
            println!(
                "    {} {}: {} [{}]",
                finding.kind.as_str(),
                finding.place(),
                finding.message,
                finding.id
            );
            if hunks {
                let lines = finding.hunk.lines().map(|line| format!("        {line}\n"));
                print!("{}", lines.collect::<String>());
            }
        }
    }
    println!("{commits} commits, {found_in} with findings: {kinds:?}");
    ExitCode::SUCCESS
}

/// A repository that is read and never written.
struct History {
    git_dir: String,
}

impl History {
    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .arg("--git-dir")
            .arg(&self.git_dir)
            .args(arguments)
            .env("GIT_NO_LAZY_FETCH", "1")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.git(arguments).output();
        let bytes = output.map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns the last commits that touch code and have one parent, newest first.
    fn commits(&self, count: usize) -> Vec<(String, String)> {
        let number = format!("-n{count}");
        let mut arguments = vec![
            "log",
            "--no-merges",
            "--min-parents=1",
            "--format=%H %s",
            &number,
            "HEAD",
            "--",
        ];
        arguments.extend(CODE);
        let log = self.text(&arguments);
        let lines = log.lines().filter_map(|line| line.split_once(' '));
        lines
            .map(|(commit, subject)| (commit.to_owned(), subject.to_owned()))
            .collect()
    }

    fn findings(&self, commit: &str, blobs: &mut Blobs) -> Vec<Finding> {
        let parent = format!("{commit}^");
        let raw = self.text(&["diff-tree", "-r", "-z", "--no-renames", &parent, commit]);
        let mut fields = raw.split('\0');
        let mut files = Vec::new();
        while let (Some(entry), Some(path)) = (fields.next(), fields.next()) {
            let words: Vec<&str> = entry.split(' ').collect();
            let (Some(old), Some(new)) = (words.get(2), words.get(3)) else {
                break;
            };
            let Ok(path) = RepoPath::parse(path) else {
                continue;
            };
            files.push((path, blobs.text(old), blobs.text(new)));
        }
        let changes: Vec<FileChange<'_>> = files
            .iter()
            .map(|(path, old, new)| FileChange {
                path: path.clone(),
                old: old.as_deref(),
                new: new.as_deref(),
            })
            .collect();
        integrity::inspect(&changes)
    }

    fn blobs(&self) -> Blobs {
        let mut command = self.git(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("git can be started");
        let stdin = child.stdin.take().expect("stdin is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Blobs {
            _child: child,
            stdin,
            stdout,
            missing: BTreeSet::new(),
        }
    }
}

/// A running `git cat-file`.
struct Blobs {
    _child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    missing: BTreeSet<String>,
}

impl Blobs {
    /// Returns the text of a blob; `None` where it is absent, binary, too large or no blob.
    fn text(&mut self, blob: &str) -> Option<String> {
        if blob.bytes().all(|byte| byte == b'0') {
            return None;
        }
        writeln!(self.stdin, "{blob}").ok()?;
        let mut header = String::new();
        self.stdout.read_line(&mut header).ok()?;
        let Some(size) = header.split(' ').nth(2) else {
            self.missing.insert(blob.to_owned());
            return None;
        };
        let size: usize = size.trim().parse().ok()?;
        let mut bytes = vec![0; size + 1];
        self.stdout.read_exact(&mut bytes).ok()?;
        bytes.pop();
        let is_text = header.contains(" blob ") && size <= TEXT_MAX && !bytes.contains(&0);
        is_text.then(|| String::from_utf8(bytes).ok()).flatten()
    }
}
