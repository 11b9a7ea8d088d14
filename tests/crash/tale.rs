//! One scripted run of several features, and what must be so at its end, however often it was cut short.
//!
//! Each feature edits and runs a command; the first one also claims too early, is refused by its
//! red gate, and is handed over to a fresh session. Each edit comes twice in the script, for a
//! model whose first one was lost would make it again.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command, sync::OnceLock};

use harness_testkit::{Run, Server};
use serde_json::Value;

use crate::support::{
    Desk, FINISH, alive, assert_gone, endless, news, session, shell, unique_word, write,
};

/// How the run is brought to its end when nothing comes in between.
pub(super) const STEPS: [&[&str]; 3] = [
    &["run", "--max-turns", "6", "--no-input", "--json"],
    &[
        "resume",
        "--last",
        "--max-turns",
        "60",
        "--no-input",
        "--json",
    ],
    &["land"],
];

/// How often a run is taken up before it counts as one that does not go on.
const RESUMES_MAX: usize = 6;

const COMMANDS: usize = 4;

const FEATURES: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "First", "description": "src/alpha must say 42", "status": "pending", "passes": false },
  { "id": "F-2", "title": "Second", "description": "src/beta must say 7", "status": "pending", "passes": false },
  { "id": "F-3", "title": "Third", "description": "src/gamma must be there", "status": "pending", "passes": false }
] }
"#;

const TESTS: &str = r#"
cd "$(dirname "$0")/.." || exit 2
echo 1..2
echo "ok 1 - the tests run"
if [ "$(cat src/alpha)" = 41 ]; then echo "not ok 2 - alpha is not 41"; exit 1; fi
echo "ok 2 - alpha is not 41"
"#;

/// A project, its model, and the word that every process of it carries.
pub(super) struct Tale {
    pub(super) desk: Desk,
    pub(super) server: Server,
    pub(super) word: String,
}

/// What a run comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The feature of each commit; which of them comes first depends on when a run was cut short.
    proven: Vec<String>,
    /// The files that landed: mode, object and path.
    files: String,
    /// What the feature list says of each.
    features: BTreeMap<String, (String, bool)>,
    /// Which features have evidence.
    evidence: Vec<String>,
}

impl Outcome {
    /// Returns the files that landed.
    pub(super) fn files(&self) -> &str {
        &self.files
    }
}

impl Tale {
    pub(super) fn new() -> Self {
        let word = unique_word();
        let config = format!(
            "[scope]\nwrite = [\"src/**\"]\nbuild = [\"target\"]\n\n[[gate]]\nname = \"test\"\n\
             run = [\"sh\", \"tests/run.sh\", \"{word}\"]\ntimeout = \"1m\"\nreport = \"tap\"\n"
        );
        let desk = Desk::with_files(&[
            ("harness.toml", &config),
            (".gitignore", "target\n"),
            ("AGENTS.md", "# demo\n"),
            ("feature_list.json", FEATURES),
            ("src/alpha", "0\n"),
            ("tests/run.sh", TESTS),
        ]);
        let server = Server::scripted(&script(&word));
        desk.use_server(&server, "anthropic");
        Self { desk, server, word }
    }

    /// Prepares a step.
    pub(super) fn command(&self, step: &[&str]) -> Command {
        self.desk.home.command(&self.desk.project.root(), step)
    }

    pub(super) fn git_folder(&self) -> PathBuf {
        self.desk.project.root().join(".git")
    }

    /// Brings the run to its end, as a person would who finds it cut short.
    ///
    /// Returns how each command ended.
    pub(super) fn go_on(&self) -> Result<Vec<i32>, String> {
        let mut codes = Vec::new();
        for _ in 0..RESUMES_MAX {
            let resumed = self.desk.harness(STEPS[1]);
            // Killed before the first record: there is nothing to resume, and nothing was done.
            let run = if resumed.stderr.contains("no session to resume") {
                self.desk
                    .harness(&["run", "--max-turns", "60", "--no-input", "--json"])
            } else {
                resumed
            };
            calm(&run)?;
            codes.push(run.code);
            match run.code {
                0 => {
                    let landed = self.desk.harness(STEPS[2]);
                    codes.push(landed.code);
                    return if landed.code == 0 {
                        Ok(codes)
                    } else {
                        Err(format!("land: {}{}", landed.stdout, landed.stderr))
                    };
                }
                3 => {}
                code => {
                    return Err(format!(
                        "exit {code}: {}\n{}",
                        run.stderr,
                        end_of(&run.stdout)
                    ));
                }
            }
        }
        Err(format!("it does not come to an end: {codes:?}"))
    }

    /// Returns what the run came to, and everything that is not as it must be.
    pub(super) fn outcome(&self) -> (Outcome, Vec<String>) {
        let mut wrong = Vec::new();
        let git = |arguments: &[&str]| self.desk.project.git(arguments);
        let branches = git(&["for-each-ref", "--format=%(refname)", "refs/heads/harness"]);
        if branches.lines().count() != 1 {
            wrong.push(format!("branches: {branches}"));
        }
        let branch = branches.lines().next().unwrap_or("HEAD");
        let proven = git(&[
            "log",
            "--format=%(trailers:key=Harness-Feature,valueonly,separator=)",
            branch,
        ]);
        let proven = proven.lines().filter(|feature| !feature.is_empty());
        let mut proven: Vec<String> = proven.map(str::to_owned).collect();
        proven.sort();
        let list: Value =
            serde_json::from_str(&git(&["show", "HEAD:feature_list.json"])).unwrap_or_default();
        let features = list["features"].as_array().into_iter().flatten();
        let features = features.map(|feature| {
            let text = |key: &str| feature[key].as_str().unwrap_or_default().to_owned();
            let passes = feature["passes"] == true;
            (text("id"), (text("status"), passes))
        });
        let evidence = git(&["ls-tree", "--name-only", "HEAD", ".harness/evidence/"]);
        let outcome = Outcome {
            proven,
            files: git(&["ls-tree", "-r", "HEAD", "--", "src", "tests"]),
            features: features.collect(),
            evidence: evidence.lines().map(str::to_owned).collect(),
        };
        let status = git(&["status", "--porcelain"]);
        if !status.is_empty() {
            wrong.push(format!("left in the work tree: {status}"));
        }
        wrong.extend(self.logs());
        wrong.extend(self.commands());
        wrong.extend(self.left_files());
        if alive(&self.word) > 0 {
            let word = self.word.clone();
            let gone = std::panic::catch_unwind(|| assert_gone(&word, "at the end"));
            wrong.extend(gone.err().map(|_| "a process is left".to_owned()));
        }
        (outcome, wrong)
    }

    fn logs(&self) -> Option<String> {
        let verified = self.desk.harness(&["log", "verify"]);
        (verified.code != 0).then(|| format!("log: {}{}", verified.stdout, verified.stderr))
    }

    /// No command ran twice; where one may not have run at all, the model was told.
    fn commands(&self) -> Vec<String> {
        let count = self.desk.project.read("target/count");
        let received = self.server.received();
        let unknown = received
            .iter()
            .filter(|request| news(request).contains("outcome is unknown"))
            .count();
        let mut wrong = Vec::new();
        let mut missing = 0;
        for number in 1..=COMMANDS {
            let lines = count
                .lines()
                .filter(|line| **line == number.to_string())
                .count();
            missing += usize::from(lines == 0);
            if lines > 1 {
                wrong.push(format!("command {number} ran {lines} times"));
            }
        }
        if missing > unknown {
            wrong.push(format!(
                "{missing} commands did not run, and the model was told of {unknown}"
            ));
        }
        wrong
    }

    /// Nothing half-written lies beside what is read.
    fn left_files(&self) -> Option<String> {
        let root = self.desk.project.root();
        let half = [
            root.clone(),
            root.join("src"),
            root.join(".harness/evidence"),
        ];
        let names = half
            .iter()
            .flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let left: Vec<String> = names
            .filter(|name| name.contains("harness-new") || name.starts_with(".~"))
            .collect();
        (!left.is_empty()).then(|| format!("half-written files: {left:?}"))
    }
}

/// Writes the sessions of the model; the first that fits is taken. Where a commit failed it says again that it is done.
fn script(word: &str) -> String {
    let (wrong, right) = (write("src/alpha", "41\n"), write("src/alpha", "42\n"));
    let (beta, gamma) = (write("src/beta", "7\n"), write("src/gamma", "here\n"));
    let count = |number: u32| {
        shell(&format!(
            "mkdir -p target; echo {number} >> target/count; sleep 0.02; : {word}"
        ))
    };
    let note = "{ tool = \"note\", text = \"beta says 7\" }";
    let check = "{ tool = \"check\" }";
    let (one, two, three, four) = (count(1), count(2), count(3), count(4));
    // Where two deaths took both, the gate is red, and it mends what the gate names.
    let rest: [&str; 6] = [&right, &right, &two, FINISH, &right, FINISH];
    let text = [
        session("It worked on", &["left: the rest of it\ntrap: none"]),
        endless("src/gamma must", &[&four, &gamma, &gamma, check, FINISH]),
        endless("src/beta must", &[&beta, &beta, &three, note, FINISH]),
        endless("left: the rest", &rest),
        endless("the rest of it", &rest),
        endless(
            "src/alpha must",
            &[&[&*wrong, &wrong, &one, FINISH], &rest[..]].concat(),
        ),
    ];
    text.concat()
        .replace("[[session.turn]]", "[[session.turn]]\nthink_ms = 3")
}

/// Runs without any trouble and holds the end against what is wanted.
pub(super) fn uninterrupted() -> Outcome {
    static OUTCOME: OnceLock<Outcome> = OnceLock::new();
    OUTCOME.get_or_init(play_whole).clone()
}

fn play_whole() -> Outcome {
    let tale = Tale::new();
    for (step, code) in STEPS.iter().zip([3, 0, 0]) {
        let run = tale.desk.harness(step);
        assert_eq!(run.code, code, "{step:?}: {}\n{}", run.stderr, run.stdout);
    }
    let (outcome, wrong) = tale.outcome();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(outcome.proven.len(), 3, "{outcome:?}");
    assert!(
        outcome
            .features
            .values()
            .all(|(status, passes)| status == "passing" && *passes),
        "{outcome:?}"
    );
    let count = tale.desk.project.read("target/count");
    let mut count: Vec<&str> = count.lines().collect();
    count.sort_unstable();
    assert_eq!(count, ["1", "2", "3", "4"]);
    let progress = tale.desk.project.read("progress.md");
    assert!(progress.contains("F-1 handed over"), "{progress}");
    outcome
}

/// Goes on and returns how, or everything that is not as in an uninterrupted run.
pub(super) fn mended(tale: &Tale, wanted: &Outcome) -> Result<Vec<i32>, String> {
    let codes = tale.go_on()?;
    let (outcome, mut wrong) = tale.outcome();
    if outcome != *wanted {
        wrong.push(format!("another end: {outcome:?}\nwanted: {wanted:?}"));
    }
    if wrong.is_empty() {
        Ok(codes)
    } else {
        Err(wrong.join("; "))
    }
}

/// A program that meets trouble says so; it does not panic.
pub(super) fn calm(run: &Run) -> Result<(), String> {
    let panicked = ["panicked", "RUST_BACKTRACE", "internal error"]
        .iter()
        .any(|word| run.stderr.contains(word));
    if panicked || run.code == 101 || run.code == 134 {
        return Err(format!("a panic: exit {} {}", run.code, run.stderr));
    }
    Ok(())
}

/// What failed is said with what, where and why, and an error with what helps; as JSON the run's end says it.
pub(super) fn told(run: &Run, why: &str) -> Result<(), String> {
    let all = format!("{}{}", run.stdout, run.stderr);
    let helped = !run.stderr.contains("error: ") || run.stderr.contains("hint: ");
    if all.contains("cannot ") && all.contains(why) && helped {
        return Ok(());
    }
    Err(format!(
        "not said well: exit {} {}\n{}",
        run.code,
        run.stderr,
        end_of(&run.stdout)
    ))
}

fn end_of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(4)..].join("\n")
}

/// Does something for every case, two at a time, and returns the answers in order.
pub(super) fn two_at_a_time<C: Sync, A: Send>(cases: &[C], act: impl Fn(&C) -> A + Sync) -> Vec<A> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let answers = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    let answer = act(case);
                    answers.lock().unwrap().push((at, answer));
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap();
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// How many cases of a sweep are tried: all when `HARNESS_KILLS` says `all`, else its number or the usual one.
pub(super) fn sample<T: Clone>(cases: &[T], usual: usize) -> Vec<T> {
    let wanted = std::env::var("HARNESS_KILLS").unwrap_or_default();
    let count = match wanted.as_str() {
        "all" => cases.len(),
        number => number.parse().unwrap_or(usual),
    };
    let count = count.min(cases.len());
    // Spread evenly: the middle one of each part.
    (0..count)
        .map(|part| cases[(2 * part + 1) * cases.len() / (2 * count)].clone())
        .collect()
}
