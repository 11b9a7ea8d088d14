//! A disk that is full, read-only or broken: it is said what could not be done, and nothing is lost.

use std::{fs, path::Path, process::Command};

use harness_testkit::Run;

use super::{
    shim::{preload, shim},
    tale::{Outcome, STEPS, Tale, calm, mended, sample, told, two_at_a_time, uninterrupted},
};
use crate::support::{PROGRAM, say};

/// Whether file systems can be mounted in a namespace of one's own; says so where not.
fn can_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        say("skipped: no file system can be mounted in a namespace here");
    }
    can
}

/// Runs a script of the shell in name spaces of its own, with the environment of the program under test.
///
/// `$H` is the program, `$P` the work tree, `$O` a folder that outlives the script.
fn in_namespace(tale: &Tale, script: &str) -> std::process::Output {
    let prepared = tale.command(&[]);
    let mut command = Command::new("unshare");
    command
        .args(["-Urm", "sh", "-c", script])
        .env_clear()
        .current_dir(tale.desk.project.root());
    for (name, value) in prepared.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
        .env("H", PROGRAM)
        .env("P", tale.desk.project.root())
        .env("O", tale.desk.project.outside());
    command.output().unwrap()
}

/// Reads how a command of a script ended.
fn ended(tale: &Tale, name: &str) -> Run {
    let folder = tale.desk.project.outside();
    let read =
        |end: &str| fs::read_to_string(folder.join(format!("{name}.{end}"))).unwrap_or_default();
    Run {
        code: read("code").trim().parse().unwrap_or(-1),
        stdout: read("out"),
        stderr: read("err"),
    }
}

/// Writes a line of a script that keeps how a command ended.
fn keep(name: &str, arguments: &[&str]) -> String {
    let arguments = arguments.join(" ");
    format!("\"$H\" {arguments} >$O/{name}.out 2>$O/{name}.err; echo $? >$O/{name}.code\n")
}

/// What could not be written is named, with why and what to do.
fn assert_told(run: &Run, why: &str) {
    calm(run).unwrap();
    assert_eq!(run.code, 1, "{}\n{}", run.stderr, run.stdout);
    told(run, why).unwrap();
}

/// Runs with so little room in the folder that holds the repository, makes room and goes on.
fn with_room_in_repository(kib: u32, wanted: &Outcome) -> Result<i32, String> {
    let tale = Tale::new();
    let steps: String = STEPS[1..]
        .iter()
        .enumerate()
        .map(|(at, step)| keep(&format!("more{at}"), step))
        .collect();
    // The whole repository lies on a small file system; what is over is taken by a file that is ignored.
    let script = format!(
        "mkdir $O/small && mount -t tmpfs -o size=6m,mode=755 tmpfs $O/small && cp -a $P/. $O/small/ && mount --bind $O/small $P && cd $P || exit 9\n\
         mkdir -p target; dd if=/dev/zero of=target/filler bs=1024 count=100000 2>/dev/null; sync\n\
         size=$(stat -c %s target/filler); truncate -s $((size - {kib} * 1024)) target/filler\n\
         {}rm target/filler\n{}{steps}{}rm -rf $O/after; cp -a $P $O/after\n",
        keep("full", STEPS[0]),
        keep("again", STEPS[1]),
        keep("verify", &["log", "verify"]),
    );
    let output = in_namespace(&tale, &script);
    let full = ended(&tale, "full");
    if full.code == -1 {
        return Err(format!(
            "the script: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    calm(&full)?;
    if full.code == 1 {
        told(&full, "space").map_err(|why| format!("{kib} KiB: {why}"))?;
    }
    // Nothing was there to resume where not even the first record had room.
    let again = ended(&tale, "again");
    let mut problems = Vec::new();
    if again.stderr.contains("no session to resume") {
        return Ok(full.code);
    }
    for name in ["again", "more0", "more1", "verify"] {
        let run = ended(&tale, name);
        calm(&run)?;
        if run.code != 0 && !(name == "again" && run.code == 3) {
            problems.push(format!("{name}: exit {} {}", run.code, run.stderr));
        }
    }
    let after = tale.desk.project.outside().join("after");
    let files = git(&after, &["ls-tree", "-r", "HEAD", "--", "src", "tests"]);
    if files != wanted.files() {
        problems.push(format!("another end: {files}"));
    }
    if problems.is_empty() {
        Ok(full.code)
    } else {
        Err(format!(
            "{kib} KiB, exit {}: {}\n{}",
            full.code,
            problems.join("; "),
            full.stderr
        ))
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

#[test]
fn a_full_disk_under_the_repository_is_told_and_with_room_it_goes_on() {
    if !can_mount() {
        return;
    }
    let wanted = uninterrupted();
    let rooms = [
        0, 4, 12, 20, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 400, 500, 600,
    ];
    let rooms = sample(&rooms, 2);
    let ends = two_at_a_time(&rooms, |kib| with_room_in_repository(*kib, &wanted));
    let told: Vec<String> = rooms
        .iter()
        .zip(&ends)
        .map(|(kib, end)| format!("{kib} KiB: {end:?}"))
        .collect();
    say(&format!(
        "room in the repository, exit code: {}",
        told.join(", ")
    ));
    let failures: Vec<&String> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_full_disk_under_state_cache_or_temporary_files_stops_nothing_or_is_told() {
    if !can_mount() {
        return;
    }
    for folder in [".local/state/harness", ".cache/harness", "tmp"] {
        let tale = Tale::new();
        let full = tale.desk.home.path().join(folder);
        fs::create_dir_all(&full).unwrap();
        let script = format!(
            "F={full}; mkdir $O/full && mount -t tmpfs -o size=256k,mode=755 tmpfs $O/full && cp -a $F/. $O/full/ && mount --bind $O/full $F || exit 9\n\
             cd $P; export TMPDIR={tmp}; dd if=/dev/zero of=$F/filler bs=512 count=100000 2>/dev/null\n{}rm $F/filler\n{}{}{}",
            keep("full", STEPS[0]),
            keep("again", STEPS[1]),
            keep("land", STEPS[2]),
            keep("verify", &["log", "verify"]),
            full = full.display(),
            tmp = tale.desk.home.path().join("tmp").display(),
        );
        fs::create_dir_all(tale.desk.home.path().join("tmp")).unwrap();
        let output = in_namespace(&tale, &script);
        let full = ended(&tale, "full");
        assert_ne!(full.code, -1, "{}", String::from_utf8_lossy(&output.stderr));
        calm(&full).unwrap();
        say(&format!(
            "full {folder}: exit {} {}",
            full.code,
            full.stderr.lines().last().unwrap_or_default()
        ));
        // What could not be tried for want of room is not what the kernel cannot do.
        assert_ne!(full.code, 7, "{folder}: {}", full.stderr);
        if full.code == 1 {
            assert_told(&full, "space");
        }
        let again = ended(&tale, "again");
        if again.stderr.contains("no session to resume") {
            continue;
        }
        for name in ["again", "land", "verify"] {
            let run = ended(&tale, name);
            assert_eq!(
                run.code, 0,
                "{folder} {name}: {}\n{}",
                run.stderr, run.stdout
            );
        }
    }
}

#[test]
fn a_read_only_file_system_is_told_and_what_only_reads_works() {
    if !can_mount() {
        return;
    }
    let tale = Tale::new();
    let begun = tale.desk.harness(STEPS[0]);
    assert_eq!(begun.code, 3, "{}", begun.stderr);
    let reads: [(&str, &[&str]); 7] = [
        ("status", &["status"]),
        ("list", &["feature", "list"]),
        ("verify", &["log", "verify"]),
        ("show", &["log", "show"]),
        ("points", &["checkpoint", "list"]),
        ("proofs", &["verify"]),
        ("replay", &["replay", "--check", "R-0001"]),
    ];
    let writes: [(&str, &[&str]); 7] = [
        ("run", STEPS[0]),
        ("resume", STEPS[1]),
        ("block", &["feature", "block", "F-1", "--reason", "later"]),
        ("land", &["land"]),
        ("abort", &["abort"]),
        ("undo", &["checkpoint", "undo", "0"]),
        ("rename", &["session", "rename", "S-0001", "first"]),
    ];
    let lines: String = reads
        .iter()
        .chain(&writes)
        .map(|(name, step)| keep(name, step))
        .collect();
    let script =
        format!("mount --bind $P $P && mount -o remount,bind,ro $P && cd $P || exit 9\n{lines}");
    let output = in_namespace(&tale, &script);
    for (name, _) in reads {
        let run = ended(&tale, name);
        calm(&run).unwrap();
        assert_eq!(
            run.code,
            0,
            "{name}: {} {}",
            run.stderr,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for (name, _) in writes {
        let run = ended(&tale, name);
        assert_told(&run, "Read-only file system");
    }
    mended(&tale, &uninterrupted()).unwrap();
}

/// A call of the C library that fails once or for ever.
#[derive(Clone, Debug)]
struct Fault {
    call: &'static str,
    path: &'static str,
    nth: &'static str,
}

#[test]
fn an_input_or_output_error_is_told_and_costs_nothing() {
    let Some(library) = shim() else { return };
    let mut faults = Vec::new();
    for (call, path) in [
        ("sync", "log.jsonl"),
        ("write", "log.jsonl"),
        ("write", ".git/objects"),
        ("rename", ".git/refs/harness"),
        ("sync", ".git/refs/heads/harness"),
        ("rename", ".git/refs/heads/harness"),
        ("open", "locks/work-tree"),
        ("open", "refs/harness"),
        ("write", "intent.jsonl"),
        ("read", "log.jsonl"),
        ("read", ".git/objects"),
        ("read", ".git/refs"),
        ("open", "log.jsonl"),
        ("write", "log.synced"),
        ("rename", "log.synced"),
        ("write", "runs.jsonl"),
        ("sync", "runs.jsonl"),
        ("remove", ".git/harness"),
        ("remove", ".git/refs/harness"),
    ] {
        faults.extend(["1", "2+", "4", "9"].map(|nth| Fault { call, path, nth }));
    }
    let wanted = uninterrupted();
    let faults = sample(&faults, 4);
    let ends = two_at_a_time(&faults, |fault| {
        let tale = Tale::new();
        let mut command = tale.command(STEPS[0]);
        preload(&mut command, library)
            .env("HARNESS_SHIM_CALL", fault.call)
            .env("HARNESS_SHIM_PATH", fault.path)
            .env("HARNESS_SHIM_NTH", fault.nth);
        let run = Run::from(command.output().unwrap());
        calm(&run)?;
        if run.code == 1 {
            told(&run, "Input/output error")?;
        }
        mended(&tale, &wanted).map(|_| run.code)
    });
    let mut failures = Vec::new();
    for (fault, end) in faults.iter().zip(ends) {
        say(&format!(
            "  EIO at {} of `{}`, {}: {end:?}",
            fault.call, fault.path, fault.nth
        ));
        failures.extend(end.err().map(|why| format!("{fault:?}: {why}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
