//! A person stops the run while a request is at any of its points: it ends there, whatever the server does.
//!
//! `HARNESS_CANCEL_ROUNDS=20` tries each point so often and prints how long it took.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::support::{CONFIG, Desk, FEATURES, Live, TESTS, Terminal};

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const UNWELL: &str = "HTTP/1.1 503 Unwell\r\ncontent-length: 100\r\n\r\n";
const UNWELL_FOR_EVER: &str = "HTTP/1.1 503 Unwell\r\n\r\n";
const LATER: &str = "HTTP/1.1 503 Unwell\r\nretry-after: 100\r\ncontent-length: 0\r\n\r\n";
const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"so \"}}]}\n\n";
const CALL: &str = concat!(
    "HTTP/1.1 200 OK\r\n\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",",
    "\"function\":{\"name\":\"shell\",\"arguments\":\"{\\\"command\\\":\"}}]}}]}\n\n"
);
/// A whole answer, after which the next request has to wait.
const USED_UP: &str = concat!(
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-ratelimit-remaining-requests: 0\r\n",
    "x-ratelimit-reset-requests: 1m0s\r\n\r\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",",
    "\"function\":{\"name\":\"read\",\"arguments\":\"{\\\"path\\\":\\\"AGENTS.md\\\"}\"}}]},",
    "\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
);

/// A name lookup that takes longer than anybody waits.
const LOOKUP: &str = "#include <unistd.h>
int getaddrinfo(const char *n, const char *s, const void *h, void **r) { sleep(60); return -3; }
";

/// Where a request stands when the person stops the run.
#[derive(Clone, Copy)]
struct Point {
    name: &'static str,
    place: Place,
    /// What the server says before it hangs.
    said: &'static str,
    /// What it says again and again from then on.
    repeated: &'static str,
    /// What is waited for before the person stops the run.
    until: &'static str,
    /// A gate that runs beside.
    gate: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    Encrypted,
    /// A name that no resolver ever finds.
    Name,
    /// Nothing listens there.
    Nowhere,
}

const fn point(name: &'static str, said: &'static str, repeated: &'static str) -> Point {
    Point {
        name,
        place: Place::Plain,
        said,
        repeated,
        until: "turn_started",
        gate: CONFIG,
    }
}

/// Serves every connection so; says when the first one has been told everything.
fn serve(point: Point) -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    let (told, is_told) = mpsc::channel();
    let base = match point.place {
        Place::Encrypted => format!("https://{address}/v1"),
        Place::Name => "http://models.example/v1".to_owned(),
        Place::Plain | Place::Nowhere => format!("http://{address}/v1"),
    };
    if matches!(point.place, Place::Name | Place::Nowhere) {
        let _ = told.send(());
        return (base, is_told);
    }
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let told = told.clone();
            // A client that goes away ends its connection and nothing else.
            thread::spawn(move || drop(hang(stream, point.said, point.repeated, &told)));
        }
    });
    (base, is_told)
}

fn hang(
    mut stream: TcpStream,
    said: &str,
    repeated: &str,
    told: &mpsc::Sender<()>,
) -> std::io::Result<()> {
    let mut request = [0; 1 << 16];
    let _ = stream.read(&mut request)?;
    stream.write_all(said.as_bytes())?;
    let _ = told.send(());
    while !repeated.is_empty() {
        stream.write_all(repeated.as_bytes())?;
    }
    while stream.read(&mut request)? > 0 {}
    Ok(())
}

/// Compiles the lookup that hangs; `None` where nothing compiles C.
fn hanging_lookup() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (source, library) = (folder.join("lookup.c"), folder.join("lookup.so"));
    std::fs::write(&source, LOOKUP).ok()?;
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]);
    let built = compiler.arg(&library).arg(&source).status().ok()?;
    built.success().then_some(library)
}

/// How long it took from the signal.
struct Taken {
    /// Until the program said that it stops.
    told: Duration,
    /// Until the run had ended.
    ended: Duration,
    /// Until the process was gone.
    gone: Duration,
}

fn desk(point: Point) -> Desk {
    Desk::with_files(&[
        ("harness.toml", point.gate),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

fn stop_at(point: Point, lookup: Option<&PathBuf>) -> Taken {
    let (base, told) = serve(point);
    let desk = desk(point);
    desk.home.configure(&format!(
        "[limits]\npatience = \"5m\"\n[agent]\nmodel = \"m\"\n[model.m]\napi = \"chat\"\nbase_url = \"{base}\"\nid = \"m\"\n"
    ));
    let preload = lookup.filter(|_| point.place == Place::Name);
    let preload = preload.map(|library| ("LD_PRELOAD", library.as_os_str()));
    let mut live = Live::start_with(&desk, &["run"], preload);
    assert!(live.wait_for(point.until, 1), "{}", point.name);
    let limit = Duration::from_secs(20);
    told.recv_timeout(limit).expect("a request comes");
    thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    harness_testkit::interrupt(live.pid());
    assert!(live.wait_for("stopping", 1), "{}", point.name);
    let told = begun.elapsed();
    let has_ended = live.wait_for("run_ended", 1);
    let ended = begun.elapsed();
    let story = live.end();
    let gone = begun.elapsed();
    assert!(has_ended, "{}: {story}", point.name);
    story.assert_ended("interrupted", 3);
    assert_eq!(desk.harness(&["log", "verify"]).code, 0, "{}", point.name);
    Taken { told, ended, gone }
}

fn points() -> Vec<Point> {
    let slow_gate = concat!(
        "[scope]\nwrite = [\"src/**\"]\n[[gate]]\nname = \"slow\"\n",
        "run = [\"sleep\", \"300\"]\ntimeout = \"10m\"\n"
    );
    vec![
        point("before the headers", "", ""),
        Point {
            place: Place::Encrypted,
            ..point("in the handshake", "", "")
        },
        Point {
            place: Place::Name,
            ..point("looking up a name", "", "")
        },
        Point {
            place: Place::Nowhere,
            until: "provider_retried",
            ..point("waiting for a server", "", "")
        },
        point("after the headers", STREAM, ""),
        point("in a call", CALL, ""),
        point("in a flood of comments", STREAM, ": still here\n"),
        point("in a flood of text", STREAM, TEXT),
        point("in a flood of one event", STREAM, "data: more and more "),
        point("in the body of an error", UNWELL, ""),
        point(
            "in an error without end",
            UNWELL_FOR_EVER,
            "unwell and unwell ",
        ),
        Point {
            until: "provider_retried",
            ..point("waiting for a retry", LATER, "")
        },
        Point {
            until: "request_paced",
            ..point("waiting for a limit", USED_UP, "")
        },
        Point {
            gate: slow_gate,
            ..point("while a gate runs", STREAM, TEXT)
        },
    ]
}

fn in_millis(mut taken: Vec<Duration>) -> String {
    taken.sort_unstable();
    let at = |place: usize| taken.get(place).map_or(0, Duration::as_millis);
    let last = taken.len().saturating_sub(1);
    format!("{:>4} {:>4} {:>4}", at(0), at(last / 2), at(last))
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "how long it takes is measured and not asserted"
)]
fn a_run_is_stopped_at_any_point_of_a_request() {
    let rounds = std::env::var("HARNESS_CANCEL_ROUNDS");
    let rounds = rounds.ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let only = std::env::var("HARNESS_CANCEL_POINT").ok();
    let lookup = hanging_lookup();
    println!("{:<26} told, ended, gone after ms: min median max", "");
    for point in points() {
        if only.as_ref().is_some_and(|only| only != point.name) {
            continue;
        }
        if point.place == Place::Name && lookup.is_none() {
            println!("{}: skipped: nothing compiles C here", point.name);
            continue;
        }
        let taken: Vec<Taken> = (0..rounds)
            .map(|_| stop_at(point, lookup.as_ref()))
            .collect();
        let [told, ended, gone] = [
            |taken: &Taken| taken.told,
            |taken: &Taken| taken.ended,
            |taken: &Taken| taken.gone,
        ]
        .map(|part| in_millis(taken.iter().map(part).collect()));
        println!("{:<26} {told} | {ended} | {gone}", point.name);
    }
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "how long it takes is measured and not asserted"
)]
fn a_flood_on_the_screen_is_stopped_by_a_key() {
    let point = point("in a flood of text", STREAM, TEXT);
    let (base, told) = serve(point);
    let desk = desk(point);
    desk.home.configure(&format!(
        "[agent]\nmodel = \"m\"\n[model.m]\napi = \"chat\"\nbase_url = \"{base}\"\nid = \"m\"\n"
    ));
    let root = desk.project.root();
    let mut terminal = Terminal::start(&desk.home, &root, &["run"], (120, 40));
    told.recv_timeout(Duration::from_secs(20))
        .expect("a request comes");
    terminal.wait_for("so so so");
    thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    terminal.press("\u{3}");
    terminal.wait_for("run ended: interrupted");
    println!("on the screen: ended after {:?}", begun.elapsed());
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 3);
}
