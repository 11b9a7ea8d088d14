//! Measures the screen in a pty: `cargo bench --bench screen`.
//!
//! Prints figures and asserts nothing: machines differ. A key's time is from writing it to the
//! terminal to the last byte of the frame that shows it.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::{
    fs,
    io::{Read as _, Write as _},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use harness_testkit::{Home, Project, Reply, Server};
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};

const SIZE: PtySize = PtySize {
    rows: 40,
    cols: 120,
    pixel_width: 0,
    pixel_height: 0,
};
const STARTS: usize = 20;
const KEYS: usize = 60;
/// Pieces of an answer per second while keys are pressed.
const DELTAS: u64 = 500;

fn main() {
    let home = Home::new(env!("CARGO_BIN_EXE_harness"));
    let project = Project::with_files(&[
        (
            "harness.toml",
            "[scope]\nwrite = [\"src/**\"]\n[[gate]]\nname = \"test\"\nrun = [\"true\"]\n",
        ),
        ("AGENTS.md", "# demo\n"),
        ("src/a", "a\n"),
    ]);
    home.run(&project.root(), &["trust", "--yes"]);
    let first: Vec<Duration> = (0..STARTS).map(|_| first_frame(&home, &project)).collect();
    println!("start to first frame: {}", range(&first));
    idle(&home, &project);
    streaming(&home, &project);
}

struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn std::io::Write + Send>,
    seen: Arc<Mutex<Vec<u8>>>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    fn start(home: &Home, project: &Project, arguments: &[&str]) -> Self {
        let prepared = home.command(&project.root(), arguments);
        let mut command = CommandBuilder::new(prepared.get_program());
        command.args(prepared.get_args());
        command.cwd(project.root());
        command.env_clear();
        for (name, value) in prepared.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.env("TERM", "xterm-256color");
        let pair = native_pty_system().openpty(SIZE).expect("a pty");
        let child = pair.slave.spawn_command(command).expect("it starts");
        let mut output = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                shown
                    .lock()
                    .expect("a lock")
                    .extend_from_slice(&buffer[..read]);
            }
        });
        Self {
            child,
            keys,
            seen,
            _master: pair.master,
        }
    }

    fn press(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).expect("it takes keys");
        self.keys.flush().expect("it takes keys");
    }

    fn len(&self) -> usize {
        self.seen.lock().expect("a lock").len()
    }

    /// Waits until a text came behind a place.
    fn wait_for(&self, from: usize, text: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let seen = self.seen.lock().expect("a lock");
            if seen[from.min(seen.len())..]
                .windows(text.len())
                .any(|part| part == text.as_bytes())
            {
                return;
            }
            drop(seen);
            assert!(Instant::now() < until, "no {text:?}");
            thread::sleep(Duration::from_micros(200));
        }
    }

    fn pid(&self) -> u32 {
        self.child.process_id().expect("it was started")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_frame(home: &Home, project: &Project) -> Duration {
    let begun = Instant::now();
    let terminal = Terminal::start(home, project, &[]);
    terminal.wait_for(0, "\u{1b}[?2026l");
    begun.elapsed()
}

fn idle(home: &Home, project: &Project) {
    let terminal = Terminal::start(home, project, &[]);
    terminal.wait_for(0, "trusted as it is");
    thread::sleep(Duration::from_millis(500));
    let (bytes, ticks) = (terminal.len(), cpu_ticks(terminal.pid()));
    thread::sleep(Duration::from_secs(5));
    println!(
        "idle for 5 s: {} bytes, {} ticks of CPU, {:.1} MiB resident, {:.1} MiB of it its own",
        terminal.len() - bytes,
        cpu_ticks(terminal.pid()) - ticks,
        f64::from(status_kib(terminal.pid(), "VmRSS:")) / 1024.0,
        f64::from(status_kib(terminal.pid(), "RssAnon:")) / 1024.0,
    );
}

/// Presses keys while a model on loopback streams.
fn streaming(home: &Home, project: &Project) {
    let server = Server::bare();
    server.reply_with([Reply::Paced {
        pieces: pieces(),
        pause: Duration::from_secs(1) / u32::try_from(DELTAS).unwrap_or(1),
    }]);
    home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nbase_url = \"{}\"\nid = \"m\"\n",
        server.url()
    ));
    let mut terminal = Terminal::start(home, project, &["run", "Talk for long"]);
    terminal.wait_for(0, "ab ab ab");
    thread::sleep(Duration::from_millis(500));
    let before = terminal.len();
    let begun = Instant::now();
    let mut times = Vec::new();
    for index in 0..KEYS {
        // A letter that no word of the stream has, where the composer shows it.
        let key = char::from(b'A' + u8::try_from(index % 26).unwrap_or(0)).to_string();
        let from = terminal.len();
        let pressed = Instant::now();
        terminal.press(&key);
        terminal.wait_for(from, &key);
        times.push(pressed.elapsed());
        thread::sleep(Duration::from_millis(37));
    }
    println!(
        "key to frame while {DELTAS} pieces a second stream: {}",
        range(&times)
    );
    println!(
        "  {:.0} bytes a second to the terminal, {:.1} MiB resident",
        (terminal.len() - before) as f64 / begun.elapsed().as_secs_f64(),
        f64::from(status_kib(terminal.pid(), "VmRSS:")) / 1024.0,
    );
}

/// An answer of many small pieces, with line ends now and then.
fn pieces() -> Vec<Vec<u8>> {
    let event = |kind: &str, data: &str| format!("event: {kind}\ndata: {data}\n\n").into_bytes();
    let start = r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}"#;
    let block =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    let mut pieces = vec![
        event("message_start", start),
        event("content_block_start", block),
    ];
    for number in 0..DELTAS * 20 {
        let text = if number % 60 == 59 { "\\n\\n" } else { "ab " };
        let delta = format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
        );
        pieces.push(event("content_block_delta", &delta));
    }
    pieces
}

fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat
        .rsplit_once(") ")
        .map(|(_, rest)| rest.to_owned())
        .unwrap_or_default();
    let fields: Vec<u64> = fields
        .split(' ')
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    fields.get(11).unwrap_or(&0) + fields.get(12).unwrap_or(&0)
}

fn status_kib(pid: u32, name: &str) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

/// Returns median, 95th percentile and maximum in words.
fn range(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = |part: usize| {
        let index = (sorted.len() * part / 100).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or_default().as_secs_f64() * 1000.0
    };
    format!(
        "median {:.1} ms, p95 {:.1} ms, max {:.1} ms",
        at(50),
        at(95),
        at(100)
    )
}
