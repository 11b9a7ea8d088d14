//! A person stops the run while a request is at any of its points: it ends there, whatever the server does.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::support::{Desk, Live};

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const UNWELL: &str = "HTTP/1.1 503 Unwell\r\ncontent-length: 100\r\n\r\n";
const LATER: &str = "HTTP/1.1 503 Unwell\r\nretry-after: 100\r\ncontent-length: 0\r\n\r\n";

/// Where a request stands when the person stops the run.
struct Point {
    name: &'static str,
    scheme: &'static str,
    /// What the server says before it hangs.
    said: &'static str,
    /// What it says again and again from then on.
    repeated: &'static str,
}

const fn point(name: &'static str, said: &'static str, repeated: &'static str) -> Point {
    Point {
        name,
        scheme: "http",
        said,
        repeated,
    }
}

/// Serves every connection so; says when the first one has been told everything.
fn serve(point: &Point) -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    let (told, is_told) = mpsc::channel();
    let (said, repeated) = (point.said, point.repeated);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let told = told.clone();
            // A client that goes away ends its connection and nothing else.
            thread::spawn(move || drop(hang(stream, said, repeated, &told)));
        }
    });
    (format!("{}://{address}/v1", point.scheme), is_told)
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

#[test]
#[expect(
    clippy::print_stdout,
    reason = "how long it takes is measured and not asserted"
)]
fn a_run_is_stopped_at_any_point_of_a_request() {
    let text = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"so \"}}]}\n\n";
    let call = concat!(
        "HTTP/1.1 200 OK\r\n\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",",
        "\"function\":{\"name\":\"shell\",\"arguments\":\"{\\\"command\\\":\"}}]}}]}\n\n"
    );
    let points = [
        point("before the headers", "", ""),
        Point {
            scheme: "https",
            ..point("in the handshake", "", "")
        },
        point("after the headers", STREAM, ""),
        point("in a call", call, ""),
        point("in a flood of comments", STREAM, ": still here\n"),
        point("in a flood of text", STREAM, text),
        point("in the body of an error", UNWELL, ""),
        point("waiting for a retry", LATER, ""),
    ];
    for point in points {
        let (base, told) = serve(&point);
        let desk = Desk::new();
        desk.home.configure(&format!(
            "[agent]\nmodel = \"m\"\n[model.m]\napi = \"chat\"\nbase_url = \"{base}\"\nid = \"m\"\n"
        ));
        let mut live = Live::start(&desk, &["run"]);
        assert!(live.wait_for("turn_started", 1), "{}", point.name);
        let limit = Duration::from_secs(20);
        told.recv_timeout(limit).expect("a request comes");
        thread::sleep(Duration::from_millis(100));
        live.signal("INT");
        let begun = Instant::now();
        let has_ended = live.wait_for("run_ended", 1);
        let (ended, pid) = (begun.elapsed(), live.pid());
        let story = live.end();
        println!(
            "stopped {}: run_ended after {} ms, process {pid} gone after {} ms",
            point.name,
            ended.as_millis(),
            begun.elapsed().as_millis()
        );
        assert!(has_ended, "{}: {story}", point.name);
        story.assert_ended("interrupted", 3);
        assert!(story.all("tool_called").is_empty(), "{}", point.name);
        assert_eq!(desk.harness(&["log", "verify"]).code, 0, "{}", point.name);
    }
}
