//! The program dies, or is refused by the system, at every point where it writes.

use std::{collections::BTreeMap, fs, path::Path, process::Command, sync::OnceLock};

use harness_testkit::Run;

use super::tale::{Outcome, STEPS, Tale, calm, mended, sample, told, two_at_a_time, uninterrupted};
use crate::support::say;

const FAILPOINT: &str = "HARNESS_FAILPOINT";
const TRACE: &str = "HARNESS_FAILPOINT_TRACE";

/// How many cases each sweep tries when nobody asks for more.
const USUAL: usize = 2;

/// The pass of a resume's points at which each of two deaths takes an edit that is under way.
const BOTH_LOST: usize = 13;

/// What happens at which pass of which point, in which step.
#[derive(Clone, Debug)]
struct Case {
    step: usize,
    point: String,
    pass: usize,
    action: &'static str,
}

impl Case {
    fn wish(&self) -> String {
        format!("{}:{}:{}", self.point, self.pass, self.action)
    }
}

/// Returns how often each point is passed in each step of an uninterrupted run.
fn passes() -> &'static [BTreeMap<String, usize>] {
    static PASSES: OnceLock<Vec<BTreeMap<String, usize>>> = OnceLock::new();
    PASSES.get_or_init(count_passes)
}

fn count_passes() -> Vec<BTreeMap<String, usize>> {
    let tale = Tale::new();
    let trace = tale.desk.project.outside().join("trace");
    STEPS
        .iter()
        .map(|step| {
            let _ = fs::remove_file(&trace);
            let run = tale.command(step).env(TRACE, &trace).output().unwrap();
            assert!(
                run.status.code().is_some_and(|code| code == 0 || code == 3),
                "{step:?}"
            );
            let mut passed = BTreeMap::new();
            for point in fs::read_to_string(&trace).unwrap_or_default().lines() {
                *passed.entry(point.to_owned()).or_default() += 1;
            }
            passed
        })
        .collect()
}

/// Makes a case of every pass of the points that are wanted.
fn cases(action: &'static str, wanted: impl Fn(&str) -> bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for (step, points) in passes().iter().enumerate() {
        for (point, count) in points.iter().filter(|(point, _)| wanted(point)) {
            cases.extend((1..=*count).map(|pass| Case {
                step,
                point: point.clone(),
                pass,
                action,
            }));
        }
    }
    cases
}

/// Plays the steps; the case happens in its step, then whoever runs it goes on.
fn play(case: &Case, wanted: &Outcome) -> Result<(i32, Vec<i32>), String> {
    let tale = Tale::new();
    for (number, step) in STEPS.iter().enumerate().take(case.step + 1) {
        let mut command = tale.command(step);
        if number == case.step {
            command.env(FAILPOINT, case.wish());
        }
        let run = Run::from(command.output().unwrap());
        calm(&run)?;
        if number == case.step {
            let died = ["abort", "torn"]
                .iter()
                .any(|word| case.action.starts_with(word));
            if died && run.code != 137 {
                return Err(format!("it did not die: exit {} {}", run.code, run.stderr));
            }
            if run.code == 1 {
                told(&run, "(os error ")?;
            }
            let codes = mended(&tale, wanted)?;
            return Ok((run.code, codes));
        }
    }
    Err("there is no such step".to_owned())
}

/// How the cases of one point ended.
#[derive(Default)]
struct Row {
    tried: usize,
    wrong: usize,
    codes: BTreeMap<i32, usize>,
}

/// Plays cases and shows, by point, how many ended as they must.
fn sweep(name: &str, cases: &[Case], usual: usize) {
    let wanted = uninterrupted();
    let chosen = sample(cases, usual);
    let ends = two_at_a_time(&chosen, |case| play(case, &wanted));
    let mut table: BTreeMap<(usize, &str), Row> = BTreeMap::new();
    let mut failures = Vec::new();
    for (case, end) in chosen.iter().zip(&ends) {
        let row = table.entry((case.step, &case.point)).or_default();
        row.tried += 1;
        match end {
            Ok((code, _)) => *row.codes.entry(*code).or_default() += 1,
            Err(why) => {
                row.wrong += 1;
                failures.push(format!("{} `{}`: {why}", STEPS[case.step][0], case.wish()));
            }
        }
    }
    say(&format!(
        "{name}: {} of {} points",
        chosen.len(),
        cases.len()
    ));
    for ((step, point), row) in table {
        say(&format!(
            "  {:<7} {point:<16} {:>4} tried, {} wrong, exits {:?}",
            STEPS[step][0], row.tried, row.wrong, row.codes
        ));
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        chosen.len(),
        failures.join("\n")
    );
}

/// Whether the program under test has any points at all.
fn has_points() -> bool {
    if !cfg!(debug_assertions) {
        say("skipped: a build without debug assertions has no failpoints");
    }
    cfg!(debug_assertions)
}

fn is_log(point: &str) -> bool {
    point.starts_with("log.")
}

#[test]
fn death_at_any_append_or_sync_of_the_log_costs_nothing() {
    if has_points() {
        sweep("dies at the log", &cases("abort", is_log), USUAL);
    }
}

#[test]
fn death_at_any_reference_file_or_state_costs_nothing() {
    if has_points() {
        sweep(
            "dies elsewhere",
            &cases("abort", |point| !is_log(point)),
            USUAL + 2,
        );
    }
}

#[test]
fn a_write_that_death_cut_costs_nothing() {
    if has_points() {
        let is_written = |point: &str| {
            [
                "log.append",
                "runs.append",
                "intent.append",
                "spend.append",
                "state.write",
                "file.write",
                "lock.write",
            ]
            .contains(&point)
        };
        sweep("dies in a write", &cases("torn:9", is_written), USUAL);
    }
}

#[test]
fn a_disk_that_says_no_once_is_told_and_costs_nothing() {
    if has_points() {
        sweep("EIO", &cases("error:EIO", |_| true), USUAL);
        let is_written = |point: &str| point.ends_with("append") || point.ends_with("write");
        sweep("full", &cases("short:9", is_written), USUAL);
    }
}

#[test]
fn a_resume_that_dies_at_any_point_is_resumed() {
    if !has_points() {
        return;
    }
    let wanted = uninterrupted();
    // The second process dies as well, at ever later points of its own.
    let mut passes: Vec<usize> = sample(&(1..=40).collect::<Vec<_>>(), 2);
    if !passes.contains(&BOTH_LOST) {
        passes.push(BOTH_LOST);
    }
    let ends = two_at_a_time(&passes, |pass| {
        let tale = Tale::new();
        let run = |step: &[&str], wish: String| {
            let output = tale.command(step).env(FAILPOINT, wish).output();
            Run::from(output.unwrap())
        };
        calm(&run(STEPS[0], "log.append:31:abort".to_owned()))?;
        calm(&run(STEPS[1], format!("*:{pass}:abort")))?;
        calm(&run(STEPS[1], format!("*:{}:abort", pass + 1)))?;
        mended(&tale, &wanted)
    });
    let failures: Vec<String> = passes
        .iter()
        .zip(ends)
        .filter_map(|(pass, end)| Some(format!("{pass}: {}", end.err()?)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn work_that_was_coming_back_when_it_died_comes_back_and_a_persons_change_is_asked_about() {
    if !has_points() {
        return;
    }
    let wanted = uninterrupted();
    for point in ["tree.place", "tree.placed"] {
        let tale = Tale::new();
        assert_eq!(tale.desk.harness(STEPS[0]).code, 3);
        let wish = format!("{point}:1:abort");
        let died = tale.command(STEPS[1]).env(FAILPOINT, wish).output();
        assert_eq!(Run::from(died.unwrap()).code, 137, "{point}");
        let stands = tale.desk.project.read("src/alpha");
        tale.desk.project.write("src/alpha", "43\n");
        let asked = tale.desk.harness(STEPS[1]);
        let told = "`src/alpha` changed since checkpoint 0, and not by the agent";
        assert_eq!(asked.code, 5, "{point}: {}", asked.stderr);
        assert!(asked.stderr.contains(told), "{point}: {}", asked.stderr);
        tale.desk.project.write("src/alpha", &stands);
        // What stands there as it comes back is nobody's change.
        assert_eq!(mended(&tale, &wanted), Ok(vec![0, 0]), "{point}");
        let received = tale.server.received();
        let is_told = |text: &str| received.iter().any(|request| request.text.contains(text));
        assert!(is_told("is back in the tree (1 file)"), "{point}");
    }
}

#[test]
fn a_disk_that_is_slow_to_sync_changes_nothing_but_the_time() {
    if !has_points() {
        return;
    }
    let wanted = uninterrupted();
    let tale = Tale::new();
    for step in STEPS {
        let slow = tale
            .command(step)
            .env(FAILPOINT, "log.sync:*:sleep:120,commit.sync:*:sleep:120")
            .output();
        let run = Run::from(slow.unwrap());
        assert!(run.code == 0 || run.code == 3, "{step:?}: {}", run.stderr);
    }
    let (outcome, wrong) = tale.outcome();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(outcome, wanted);
}

/// Between taking a lock of git's and letting it go are microseconds: too few to hit by chance.
#[test]
fn a_lock_of_gits_that_a_killed_landing_left_is_named_and_nothing_is_lost() {
    let wanted = uninterrupted();
    let tale = Tale::new();
    for step in &STEPS[..2] {
        let run = tale.desk.harness(step);
        assert!(run.code == 0 || run.code == 3, "{step:?}: {}", run.stderr);
    }
    for lock in ["index.lock", "refs/heads/main.lock"] {
        let path = tale.git_folder().join(lock);
        fs::write(&path, "").unwrap();
        let landed = tale.desk.harness(STEPS[2]);
        assert_eq!(landed.code, 1, "{lock}: {}", landed.stdout);
        for part in ["error: cannot ", "hint: ", ".lock"] {
            assert!(landed.stderr.contains(part), "{lock}: {}", landed.stderr);
        }
        assert!(path.exists(), "the lock may be another's");
        fs::remove_file(path).unwrap();
    }
    mended(&tale, &wanted).unwrap();
}

/// A released program must not be brought down by a variable of somebody's environment.
#[test]
fn a_build_without_debug_assertions_knows_no_failpoint() {
    let folder = tempfile::tempdir().unwrap();
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/harness-failpoint/src/lib.rs");
    let main = folder.path().join("main.rs");
    fs::write(
        &main,
        "fn main() { harness_failpoint::moment(\"a\"); harness_failpoint::pass(\"a\").unwrap(); \
         harness_failpoint::write(\"a\", std::io::stdout(), b\"whole\").unwrap(); }",
    )
    .unwrap();
    let rustc = |arguments: &[&str], file: &Path| {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .args(["--edition", "2024", "-C", "debug-assertions=off", "-L"])
            .arg(folder.path());
        rustc
            .args(arguments)
            .arg("--out-dir")
            .arg(folder.path())
            .arg(file);
        let output = rustc.output().expect("the compiler that built this test");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    rustc(
        &["--crate-type", "rlib", "--crate-name", "harness_failpoint"],
        &library,
    );
    rustc(
        &["--crate-type", "bin", "--extern", "harness_failpoint"],
        &main,
    );
    let program = folder.path().join("main");
    for action in ["abort", "error:EIO", "torn:2", "short:2"] {
        let wish = format!("a:*:{action},*:1:{action}");
        let output = Command::new(&program)
            .env(FAILPOINT, wish)
            .output()
            .unwrap();
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(0), &b"whole"[..]),
            "{action}"
        );
    }
    let bytes = fs::read(&program).unwrap();
    let names = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    assert!(!names(FAILPOINT.as_bytes()), "the variable is named in it");
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(
        !manifest.contains("debug-assertions"),
        "no profile of a release may turn them on"
    );
}
