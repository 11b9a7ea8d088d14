//! Measures the program's own time against a model server on loopback: `cargo bench --bench turns`.
//!
//! Prints figures and asserts nothing: machines differ. Own time of a turn is from the last byte
//! of an answer to the next request: reading the answer, judging, one command in the cage, the log
//! on the disk, and building the request.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::{
    fmt::Write as _,
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use harness_testkit::{Home, Project, Server};

const TURNS: usize = 200;
const STARTS: usize = 20;

fn main() {
    println!("`harness --version`: {}", range(&versions()));
    let (first, again) = starts();
    println!("start to first request, first time ever: {}", range(&first));
    println!("start to first request, again: {}", range(&again));
    turns();
}

/// Times the shortest command.
fn versions() -> Vec<Duration> {
    let home = Home::new(env!("CARGO_BIN_EXE_harness"));
    let timed = |_| {
        let begun = Instant::now();
        home.run(home.path(), &["--version"]);
        begun.elapsed()
    };
    (0..STARTS).map(timed).collect()
}

/// Times from starting the process to the arrival of its first request: where it runs for the first
/// time ever, and again, when what the sandbox can do is known since this boot.
fn starts() -> (Vec<Duration>, Vec<Duration>) {
    let timed = |_| {
        let server = Server::scripted(&script(0));
        let (home, project) = desk(&server);
        let arguments = ["run", "Say something", "--plain", "--no-input"];
        let start = || {
            let earlier = server.received().len();
            let begun = Instant::now();
            let run = home.run(&project.root(), &arguments);
            let received = server.received();
            match received.get(earlier) {
                Some(request) => request.at.duration_since(begun),
                None => panic!("no request was made: {}", run.stderr),
            }
        };
        (start(), start())
    };
    (0..STARTS).map(timed).unzip()
}

/// Times a chain of turns with one command each.
fn turns() {
    let server = Server::scripted(&script(TURNS));
    let (home, project) = desk(&server);
    let mut command = home.command(
        &project.root(),
        &[
            "run",
            "Work for long",
            "--json",
            "--no-input",
            "--max-turns",
            "1000",
        ],
    );
    let begun = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut peak_kib = 0;
    while child
        .try_wait()
        .expect("the child can be waited for")
        .is_none()
    {
        peak_kib = peak_kib.max(peak_memory_kib(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    let whole = begun.elapsed();
    let (received, answered) = (server.received(), server.answered());
    let own: Vec<Duration> = received
        .iter()
        .skip(1)
        .zip(&answered)
        .map(|(next, answer)| next.at.saturating_duration_since(*answer))
        .collect();
    println!("turns: {}, in {:.2} s", received.len(), whole.as_secs_f64());
    println!("own time per turn: {}", range(&own));
    println!("  first 20: {}", range(&own[..20.min(own.len())]));
    println!("  last 20: {}", range(&own[own.len().saturating_sub(20)..]));
    println!(
        "peak memory of the program: {:.1} MiB",
        f64::from(peak_kib) / 1024.0
    );
    println!(
        "first request: {} bytes, last: {} bytes",
        received[0].bytes,
        received[received.len() - 1].bytes
    );
    println!("connections: {}", server.connections());
}

fn desk(server: &Server) -> (Home, Project) {
    let home = Home::new(env!("CARGO_BIN_EXE_harness"));
    home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nbase_url = \"{}\"\nid = \"m\"\n",
        server.url()
    ));
    let config = "[scope]\nwrite = [\"src/**\"]\n[[gate]]\nname = \"test\"\nrun = [\"true\"]\n";
    let project = Project::with_files(&[
        ("harness.toml", config),
        ("AGENTS.md", "# demo\n"),
        ("src/a", "a\n"),
    ]);
    let trusted = home.run(&project.root(), &["trust", "--yes"]);
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    (home, project)
}

/// Makes a script of so many commands, each another one, and a last word.
fn script(turns: usize) -> String {
    let mut text = "[[session]]\n".to_owned();
    for turn in 0..turns {
        let _ = write!(
            text,
            "[[session.turn]]\ncalls = [{{ tool = \"shell\", command = \"echo {turn}\" }}]\n"
        );
    }
    text.push_str("[[session.turn]]\ntext = \"That is all.\"\n");
    text
}

fn peak_memory_kib(pid: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

/// Returns minimum, median, 95th percentile and maximum in words.
fn range(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = |part: usize| {
        sorted
            .get((sorted.len() * part / 100).min(sorted.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    format!(
        "median {:.1} ms, p95 {:.1} ms, min {:.1} ms, max {:.1} ms",
        ms(at(50)),
        ms(at(95)),
        ms(at(0)),
        ms(at(100))
    )
}
