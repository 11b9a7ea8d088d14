//! Measures what grows with the repository and with the session: `cargo bench --bench scale`.
//!
//! Prints figures and asserts nothing: machines differ; what git does in the same repository in
//! the same run stands beside. A repository of 100,000 files and one of 1,000 are built once
//! below `target/tmp` and kept. One part alone: `cargo bench --bench scale -- git`, `walk`,
//! `checkout`, `program`, `log` or `session`.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    io::{Read as _, Write as _},
    num::NonZeroU16,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness_core::{CheckpointNumber, Event, RepoPath, SessionId, Timestamp, TreeId};
use harness_git::{CheckoutStamp, CheckpointRef, Repo, SnapshotCache};
use harness_host::disk::Root;
use harness_store::Store;
use harness_testkit::{Home, Server};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// Folders at the top; each holds 1,000 files.
const AREAS_LARGE: usize = 100;
const PARTS: usize = 10;
const FILES: usize = 100;
const ROUNDS: usize = 15;
/// A session has 200 turns at most.
const SESSION_TURNS: usize = 190;
/// Commands in each turn, for 10,000 events.
const SESSION_CALLS: usize = 24;
/// How long the model thinks about its last answer, which nobody waits for. Unit: milliseconds.
const LAST_THINKS_MS: u64 = 3_600_000;
/// How long a session is waited for on the screen.
const SHOWN_WITHIN: Duration = Duration::from_secs(20);
const ROWS: NonZeroU16 = NonZeroU16::new(40).expect("not zero");
const COLUMNS: NonZeroU16 = NonZeroU16::new(120).expect("not zero");

fn main() {
    let wanted = env::args().skip(1).find(|word| !word.starts_with('-'));
    let is_wanted = |part: &str| wanted.as_deref().is_none_or(|wanted| wanted == part);
    let large = repository("large", AREAS_LARGE);
    let small = repository("small", 1);
    if is_wanted("git") {
        checkpoints("1,000 files", &small);
        checkpoints("100,000 files", &large);
        git(&large);
    }
    if is_wanted("walk") {
        walks(&large);
    }
    if is_wanted("checkout") {
        checkouts(&large);
    }
    if is_wanted("program") {
        program("1,000 files", &small);
        program("100,000 files", &large);
    }
    if is_wanted("log") {
        log(&small);
    }
    if is_wanted("session") {
        session();
    }
}

/// Makes a repository of so many thousand files, packed as `git clone` leaves it, or takes the one that is there.
fn repository(name: &str, areas: usize) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scale-{name}"));
    let made = root.join(".git/scale-is-made");
    if !made.exists() {
        let _ = fs::remove_dir_all(&root);
        fill(&root, areas);
        run_git(&root, &["init", "--quiet", "--initial-branch=main"]);
        run_git(&root, &["config", "gc.auto", "0"]);
        run_git(&root, &["add", "--all"]);
        commit(&root, "start");
        run_git(&root, &["repack", "-a", "-d", "--quiet"]);
        fs::write(made, "").expect("a file");
    }
    clear(&root);
    run_git(&root, &["status"]);
    root
}

fn fill(root: &Path, areas: usize) {
    for area in 0..areas {
        for part in 0..PARTS {
            let folder = root.join(format!("area-{area}/part-{part}"));
            fs::create_dir_all(&folder).expect("a folder");
            for file in 0..FILES {
                let text = format!("{area} {part} {file}\n").repeat(20);
                fs::write(folder.join(format!("file-{file}.txt")), text).expect("a file");
            }
        }
    }
    let config = "[scope]\nwrite = [\"area-0/**\"]\n[[gate]]\nname = \"test\"\nrun = [\"true\"]\n";
    fs::write(root.join("harness.toml"), config).expect("a file");
    fs::write(root.join("AGENTS.md"), "# demo\n").expect("a file");
}

/// Changes three files, to something new each time.
fn change(root: &Path, round: usize) {
    let text = format!("{round} {:?}\n", Instant::now());
    for part in [1, 4, 7] {
        let path = root.join(format!("area-0/part-{part}/file-3.txt"));
        fs::write(path, &text).expect("a file");
    }
}

/// Times a checkpoint of three changed files, with a scope of 1,000 files and with all as scope.
fn checkpoints(what: &str, root: &Path) {
    let area = RepoPath::parse("area-0").expect("a plain name");
    for (scope, under) in [("1,000 files", area), ("`**`", RepoPath::root())] {
        let repo = Repo::discover(root).expect("a repository");
        let session = SessionId::new(9_000);
        let head = repo.head().expect("a commit").commit;
        let mut tree = repo.tree_of(&head).expect("a tree");
        let mut cache = SnapshotCache::default();
        let begun = Instant::now();
        repo.snapshot(&mut cache, &tree, std::slice::from_ref(&under), &|_| false)
            .expect("a snapshot");
        let first = begun.elapsed();
        let mut times = Vec::new();
        let mut parent = None;
        for round in 0..ROUNDS {
            change(root, round);
            let begun = Instant::now();
            let shot = repo
                .snapshot(&mut cache, &tree, std::slice::from_ref(&under), &|_| false)
                .expect("a snapshot");
            let number = CheckpointNumber(u32::try_from(round).unwrap_or(0));
            let name = CheckpointRef { session, number };
            let made = repo.checkpoint(name, &shot.tree, parent.as_ref(), "bench", now());
            times.push(begun.elapsed());
            assert_eq!(shot.changes.len(), 3);
            parent = Some(made.expect("a checkpoint"));
            tree = shot.tree;
        }
        for round in 0..ROUNDS {
            let number = CheckpointNumber(u32::try_from(round).unwrap_or(0));
            let _ = repo.forget_checkpoint(CheckpointRef { session, number });
        }
        run_git(root, &["checkout", "--quiet", "--", "."]);
        println!(
            "checkpoint of 3 changed files, repository of {what}, scope {scope}: {}; the first look {:.1} ms",
            range(&times),
            ms(first)
        );
    }
}

/// Times what git does with the same three files.
fn git(root: &Path) {
    let timed = |words: &[&[&str]]| {
        let mut times = Vec::new();
        for round in 0..ROUNDS / 3 {
            change(root, round);
            let begun = Instant::now();
            for arguments in words {
                run_git(root, arguments);
            }
            times.push(begun.elapsed());
        }
        range(&times)
    };
    let author = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    let commit = [&author[..], &["commit", "--quiet", "-m", "bench"]].concat();
    println!("git status: {}", timed(&[&["status", "--short"]]));
    let stash = [&author[..], &["stash", "create"]].concat();
    println!("git stash create: {}", timed(&[&stash]));
    run_git(root, &["checkout", "--quiet", "--detach"]);
    println!(
        "git add -A && git commit: {}",
        timed(&[&["add", "-A"], &commit])
    );
    run_git(root, &["checkout", "--quiet", "--force", "main"]);
}

/// Times the walk of everything and the comparison with the one before.
fn walks(root: &Path) {
    let root = Root::open(root).expect("a folder");
    let walk = || {
        root.manifest(&|_| false)
            .expect("a folder that can be read")
    };
    let first = walk();
    let (mut walks, mut comparisons) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let again = walk();
        walks.push(begun.elapsed());
        let begun = Instant::now();
        let _ = again.differences_from(&first);
        comparisons.push(begun.elapsed());
    }
    println!("walk of {} entries: {}", first.len(), range(&walks));
    println!("  comparison: {}", range(&comparisons));
}

/// Times what a gate's checkout costs: made, looked at after the gate, moved, and found by another process.
fn checkouts(root: &Path) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scale-checkout");
    let record = folder.with_extension("tree");
    let repo = Repo::discover(root).expect("a repository");
    let tree = repo.head().expect("a commit").tree;
    let (mut made, mut looks, mut moves, mut found) = (vec![], vec![], vec![], vec![]);
    for round in 0..ROUNDS / 5 {
        let _ = fs::remove_dir_all(&folder);
        let _ = fs::remove_file(&record);
        let mut stamp = CheckoutStamp::default();
        let bring = |stamp: &mut CheckoutStamp, tree: &TreeId, times: &mut Vec<Duration>| {
            let begun = Instant::now();
            repo.check_out_alone(tree, &folder, stamp, &|_| false, &|| false)
                .expect("a checkout");
            times.push(begun.elapsed());
        };
        bring(&mut stamp, &tree, &mut made);
        let begun = Instant::now();
        let changed = repo.verify_checkout(&tree, &folder, &mut stamp);
        assert!(changed.expect("a look").is_empty());
        looks.push(begun.elapsed());
        change(root, round);
        let shot = repo.snapshot(
            &mut SnapshotCache::default(),
            &tree,
            &[RepoPath::parse("area-0").expect("a plain name")],
            &|_| false,
        );
        bring(&mut stamp, &shot.expect("a snapshot").tree, &mut moves);
        stamp.keep_beside(&folder).expect("a file");
        bring(&mut CheckoutStamp::kept_beside(&folder), &tree, &mut found);
    }
    run_git(root, &["checkout", "--quiet", "--", "."]);
    println!("checkout of 100,000 files: {}", range(&made));
    println!("  looked at after a gate: {}", range(&looks));
    println!("  moved by 3 files: {}", range(&moves));
    println!("  taken up by another process: {}", range(&found));
    let begun = Instant::now();
    let _ = fs::remove_dir_all(&folder);
    println!("  removed: {:.1} ms", ms(begun.elapsed()));
    let _ = fs::remove_file(&record);
    let _ = fs::remove_file(folder.with_extension("files"));
}

/// Times the program: its start, its shortest look, and its own time in a turn.
fn program(what: &str, root: &Path) {
    let (home, server) = desk(root, &script(40, 1));
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let run = home.run(root, &["status"]);
        times.push(begun.elapsed());
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    println!("{what}: `harness status`: {}", range(&times));
    let mut starts = Vec::new();
    for _ in 0..5 {
        let (home, server) = desk(root, &script(0, 1));
        let begun = Instant::now();
        let run = home.run(root, &["run", "Say something", "--plain", "--no-input"]);
        let received = server.received();
        let first = received.first().unwrap_or_else(|| panic!("{}", run.stderr));
        starts.push(first.at.duration_since(begun));
    }
    println!("{what}: start to first request: {}", range(&starts));
    let arguments = ["run", "Work", "--json", "--no-input", "--max-turns", "1000"];
    let peak = watched(&mut home.command(root, &arguments));
    let own = own_times(&server);
    println!(
        "{what}: own time per turn with a command, {} turns: {}; the first {:.1} ms; peak memory {:.1} MiB",
        own.len(),
        range(&own[1.min(own.len())..]),
        ms(own.first().copied().unwrap_or_default()),
        peak
    );
    clear(root);
}

/// Removes what runs left.
fn clear(root: &Path) {
    for left in [
        ".git/harness",
        ".git/refs/harness",
        ".git/refs/heads/harness",
    ] {
        let _ = fs::remove_dir_all(root.join(left));
    }
    run_git(root, &["reset", "--hard", "--quiet", "main"]);
    run_git(root, &["clean", "-d", "--force", "--quiet"]);
}

/// Times an append with its sync, and the disk's own for as many bytes.
fn log(root: &Path) {
    let folder = root.join(".git/scale-log");
    let _ = fs::remove_dir_all(&folder);
    let store = Store::open(&folder).expect("a store");
    let (_, mut log) = store.new_session().expect("a log");
    let mut appends = Vec::new();
    let mut syncs = Vec::new();
    let mut plain = File::create(folder.join("plain")).expect("a file");
    let event = Event::ManifestShort {
        message: "x".repeat(200),
    };
    for _ in 0..200 {
        let begun = Instant::now();
        log.append(&event, now()).expect("a record");
        log.sync().expect("a sync");
        appends.push(begun.elapsed());
        let begun = Instant::now();
        plain.write_all(&[b'x'; 400]).expect("a write");
        plain.sync_data().expect("a sync");
        syncs.push(begun.elapsed());
    }
    println!("log append with sync: {}", range(&appends));
    println!("  the disk's own write and sync: {}", range(&syncs));
    let _ = fs::remove_dir_all(&folder);
}

/// Makes a session of 10,000 events and times what takes it up.
fn session() {
    let root = repository("small", 1);
    let mut script = script(SESSION_TURNS, SESSION_CALLS);
    let _ = writeln!(script, "think_ms = {LAST_THINKS_MS}");
    let (home, server) = desk(&root, &script);
    let arguments = ["run", "Work", "--json", "--no-input"];
    let begun = Instant::now();
    let asked = || server.received().len();
    // Killed while it waits for its next answer, as long work ends that is taken up later.
    let peak = watched_until(&mut home.command(&root, &arguments), || {
        asked() > SESSION_TURNS
    });
    let own = own_times(&server);
    let log = newest_log(&root);
    let events = fs::read_to_string(&log).map_or(0, |text| text.lines().count());
    println!(
        "session of {events} events, {:.1} MiB of log, made in {:.1} s: own time per turn {}; peak memory {peak:.1} MiB",
        fs::metadata(&log).map_or(0, |log| log.len()) as f64 / 1_048_576.0,
        begun.elapsed().as_secs_f64(),
        range(&own)
    );
    println!("  first 100 turns: {}", range(&own[..100.min(own.len())]));
    println!(
        "  last 100 turns: {}",
        range(&own[own.len().saturating_sub(100)..])
    );
    for arguments in [
        &["status"][..],
        &["log", "show"],
        &["log", "verify"],
        &["checkpoint", "list"],
    ] {
        let begun = Instant::now();
        let peak = watched(&mut home.command(&root, arguments));
        println!(
            "  `harness {}`: {:.1} ms, peak memory {peak:.1} MiB",
            arguments.join(" "),
            ms(begun.elapsed())
        );
    }
    let (mut frames, mut whole) = (Vec::new(), Vec::new());
    let mut most = 0.0_f64;
    for _ in 0..5 {
        let shown = show(&home, &root);
        frames.push(shown.first);
        whole.extend(shown.whole);
        most = most.max(shown.peak);
    }
    println!(
        "  `harness resume` on the screen, to the first frame: {}; to the end of the session in it: {}; peak memory {most:.1} MiB",
        range(&frames),
        range(&whole)
    );
    let taken_up = asked();
    let begun = Instant::now();
    let arguments = ["resume", "--last", "--json", "--no-input"];
    let peak = watched_until(&mut home.command(&root, &arguments), || asked() > taken_up);
    match server.received().get(taken_up) {
        Some(request) => println!(
            "  `harness resume` to its first request: {:.1} ms, peak memory {peak:.1} MiB",
            ms(request.at.duration_since(begun))
        ),
        None => println!(
            "  `harness resume` made no request, {:.1} ms, peak memory {peak:.1} MiB",
            ms(begun.elapsed())
        ),
    }
    clear(&root);
}

/// What a person who resumes sees, and when.
struct Shown {
    first: Duration,
    /// The first frame with the last command of the session.
    whole: Option<Duration>,
    peak: f64,
}

/// Takes the session up on a screen until its end can be seen there.
fn show(home: &Home, root: &Path) -> Shown {
    let prepared = home.command(root, &["resume", "--last"]);
    let mut command = CommandBuilder::new(prepared.get_program());
    command.args(prepared.get_args());
    command.cwd(root);
    command.env_clear();
    for (name, value) in prepared.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.env("TERM", "xterm-256color");
    let size = PtySize {
        rows: ROWS.get(),
        cols: COLUMNS.get(),
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).expect("a pty");
    let begun = Instant::now();
    let mut child = pair.slave.spawn_command(command).expect("it starts");
    drop(pair.slave);
    let mut output = pair.master.try_clone_reader().expect("a reader");
    let mut input = pair.master.take_writer().expect("a writer");
    let mut picture = vt100::Parser::new(ROWS, COLUMNS, 0);
    let mut buffer = [0; 65_536];
    let end = b"\x1b[?2026l";
    let last = format!("echo {} {}", SESSION_TURNS - 1, SESSION_CALLS - 1);
    let (mut seen, mut first, mut whole) = (Vec::new(), None, None);
    while whole.is_none()
        && begun.elapsed() < SHOWN_WITHIN
        && let Ok(read @ 1..) = output.read(&mut buffer)
    {
        let now = begun.elapsed();
        // As a terminal answers that is asked what it is; one that does not is waited for.
        if buffer[..read].windows(3).any(|part| part == b"\x1b[c") {
            let _ = input.write_all(b"\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62;c");
        }
        picture.process(&buffer[..read]);
        seen.extend_from_slice(&buffer[..read]);
        if first.is_none() && seen.windows(end.len()).any(|part| part == end) {
            first = Some(now);
        }
        if picture.screen().contents().contains(&last) {
            whole = Some(now);
        }
    }
    let peak = peak_memory(child.process_id().unwrap_or(0));
    let _ = child.kill();
    let _ = child.wait();
    Shown {
        first: first.unwrap_or_else(|| begun.elapsed()),
        whole,
        peak,
    }
}

/// A trusted home whose model plays a script, on loopback.
fn desk(root: &Path, script: &str) -> (Home, Server) {
    let server = Server::scripted(script);
    server.keep_no_bodies();
    let home = Home::new(env!("CARGO_BIN_EXE_harness"));
    home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nbase_url = \"{}\"\nid = \"m\"\ncontext = \"100000k tokens\"\n",
        server.url()
    ));
    let trusted = home.run(root, &["trust", "--yes"]);
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    (home, server)
}

/// Makes a script of so many turns with so many commands each, every one another, and a last word.
fn script(turns: usize, calls: usize) -> String {
    let mut text = "[[session]]\n".to_owned();
    for turn in 0..turns {
        let call = |call| {
            format!(
                "{{ tool = \"shell\", command = \"echo {turn} {call} > area-0/part-1/note.txt\" }}"
            )
        };
        let calls: Vec<String> = (0..calls).map(call).collect();
        let _ = writeln!(text, "[[session.turn]]\ncalls = [{}]", calls.join(", "));
    }
    text.push_str("[[session.turn]]\ntext = \"That is all.\"\n");
    text
}

/// Returns the times from the last byte of an answer to the next request.
fn own_times(server: &Server) -> Vec<Duration> {
    let (received, answered) = (server.received(), server.answered());
    let pairs = received.iter().skip(1).zip(&answered);
    pairs
        .map(|(next, answer)| next.at.saturating_duration_since(*answer))
        .collect()
}

/// Runs a command to its end and returns the most memory it had. Unit: MiB.
fn watched(command: &mut Command) -> f64 {
    watched_until(command, || false)
}

/// Runs a command to its end, or kills it once something is so, and returns the most memory it had. Unit: MiB.
fn watched_until(command: &mut Command, is_enough: impl Fn() -> bool) -> f64 {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = quiet.spawn().expect("the program starts");
    let mut peak = 0.0_f64;
    while child
        .try_wait()
        .expect("the child can be waited for")
        .is_none()
    {
        peak = peak.max(peak_memory(child.id()));
        if is_enough() {
            let _ = child.kill();
        }
        thread::sleep(Duration::from_millis(1));
    }
    peak
}

fn peak_memory(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u32> = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    f64::from(kib.unwrap_or(0)) / 1024.0
}

fn newest_log(root: &Path) -> PathBuf {
    let sessions = fs::read_dir(root.join(".git/harness/sessions")).expect("sessions");
    let newest = sessions.flatten().map(|entry| entry.path()).max();
    newest.expect("a session").join("log.jsonl")
}

fn commit(root: &Path, message: &str) {
    let author = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    run_git(
        root,
        &[&author[..], &["commit", "--quiet", "-m", message]].concat(),
    );
}

fn run_git(root: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdout(Stdio::null())
        .status()
        .expect("git is installed");
    assert!(status.success(), "git {arguments:?} failed");
}

fn now() -> Timestamp {
    harness_host::clock::now()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Returns median, least and most in words.
fn range(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = |part: usize| {
        let index = (sorted.len() * part / 100).min(sorted.len().saturating_sub(1));
        ms(sorted.get(index).copied().unwrap_or_default())
    };
    format!(
        "median {:.1} ms, min {:.1}, max {:.1}",
        at(50),
        at(0),
        at(100)
    )
}
