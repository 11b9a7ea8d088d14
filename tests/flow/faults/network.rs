//! A network that is not there, comes back, and goes away in the middle.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use harness_testkit::{Http2, Reply, SecureServer, Server};

use super::desk;
use crate::support::{Desk, FINISH, Live, Story, session, shell};

/// A way to a server that can be closed and opened.
struct Way {
    address: SocketAddr,
    to: String,
    is_open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Way {
    /// Finds an address for a way that is closed.
    fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        Self {
            address: listener
                .local_addr()
                .expect("a bound socket has an address"),
            to: server.url().replace("http://", ""),
            is_open: Arc::default(),
            streams: Arc::default(),
        }
    }

    fn open(&self) {
        let listener = TcpListener::bind(self.address).expect("the port is free again");
        let (to, streams) = (self.to.clone(), Arc::clone(&self.streams));
        self.is_open.store(true, Ordering::Release);
        let is_open = Arc::clone(&self.is_open);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !is_open.load(Ordering::Acquire) {
                    return;
                }
                // A connection that fails is the program's to deal with.
                drop(join(stream, &to, &streams));
            }
        });
    }

    fn close(&self) {
        self.is_open.store(false, Ordering::Release);
        for stream in self.streams.lock().expect("no thread panics").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the listener, which then ends.
        drop(TcpStream::connect(self.address));
    }

    fn lead(&self, desk: &Desk, patience: &str) {
        let base = format!("http://{}/v1", self.address);
        desk.home.configure(&format!(
            "[limits]\npatience = \"{patience}\"\n[agent]\nmodel = \"test\"\n[model.test]\napi = \"chat\"\nbase_url = \"{base}\"\nid = \"test-model\"\n"
        ));
    }
}

fn join(near: TcpStream, to: &str, streams: &Mutex<Vec<TcpStream>>) -> io::Result<()> {
    let far = TcpStream::connect(to)?;
    let kept = [near.try_clone()?, far.try_clone()?];
    streams.lock().expect("no thread panics").extend(kept);
    for (mut from, mut to) in [(near.try_clone()?, far.try_clone()?), (far, near)] {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    Ok(())
}

fn server() -> Server {
    Server::scripted(&session(
        "F-1",
        &[&shell("echo once >> src/marker"), FINISH],
    ))
}

#[test]
fn a_server_that_appears_later_is_waited_for_and_asked_within_seconds() {
    let (desk, server) = (desk(), server());
    let way = Way::to(&server);
    way.lead(&desk, "1m");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("provider_retried", 3));
    way.open();
    let story = live.end();
    story.assert_ended("all_passing", 0);
    assert_eq!(desk.project.read("src/marker"), "once\n");
    assert!(
        story
            .all("provider_retried")
            .iter()
            .all(|line| line["delay_ms"].as_u64().is_some_and(|ms| ms <= 5_000)),
        "{story}"
    );
}

#[test]
fn a_network_that_goes_away_in_the_middle_is_waited_for_and_nothing_is_done_twice() {
    let (desk, server) = (desk(), server());
    let slow = vec![b": thinking\n".to_vec(); 40];
    let pause = Duration::from_millis(100);
    server.reply_with([
        Reply::Script,
        Reply::Paced {
            pieces: slow,
            pause,
        },
    ]);
    let way = Way::to(&server);
    way.lead(&desk, "1m");
    way.open();
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("turn_started", 2));
    thread::sleep(Duration::from_millis(300));
    way.close();
    // Lost first, then not there.
    assert!(live.wait_for("provider_retried", 3));
    way.open();
    let story = live.end();
    story.assert_ended("all_passing", 0);
    assert_eq!(desk.project.read("src/marker"), "once\n");
    let classes: Vec<&str> = story
        .all("model_failed")
        .iter()
        .filter_map(|line| line["class"].as_str())
        .collect();
    assert_eq!(classes.first(), Some(&"broken"), "{story}");
    assert!(classes.contains(&"unreachable"), "{story}");
}

#[test]
fn one_connection_serves_twenty_turns() {
    let desk = desk();
    let turns: Vec<String> = (0..19)
        .map(|n| shell(&format!("echo {n} >> src/marker")))
        .collect();
    let turns: Vec<&str> = turns.iter().map(String::as_str).chain([FINISH]).collect();
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "chat");
    desk.story(&["run"]).assert_ended("all_passing", 0);
    assert_eq!(server.received().len(), 20);
    assert_eq!(server.connections(), 1);
}

/// Runs against a server that speaks HTTP/2 behind TLS and first does what a row says.
fn over_http2(row: &str, faults: &[Http2]) -> (SecureServer, Story) {
    let desk = Desk::new();
    let script = session("F-1", &[&shell("echo once >> src/marker"), FINISH]);
    let server = SecureServer::scripted(&script, faults);
    let base = server.url();
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"chat\"\nbase_url = \"{base}/v1\"\nid = \"test-model\"\n"
    ));
    let root = desk.project.root();
    let mut command = desk.home.command(&root, &["run", "--json", "--no-input"]);
    command.env("SSL_CERT_FILE", server.certificate());
    let output = command.output().expect("the program starts");
    let story = Story::of(output.into());
    story.assert_ended("all_passing", 0);
    assert_eq!(desk.project.read("src/marker"), "once\n", "{story}");
    let rows = super::table::rows();
    let row = rows.iter().find(|known| known.name == row);
    let row = row.expect("the document has the row");
    let failed = story.all("model_failed");
    let first = failed.first();
    let class = first.map_or("-", |line| line["class"].as_str().unwrap_or_default());
    // A client that hears of it before it has sent anything turns to another connection unseen.
    if row.name == "http2-goaway" && failed.is_empty() {
        return (server, story);
    }
    assert_eq!(class, row.class, "{}: {story}", row.name);
    let message = first.map_or("", |line| line["message"].as_str().unwrap_or_default());
    assert!(message.contains(&row.told), "{}: {message}", row.name);
    (server, story)
}

#[test]
fn http_2_is_spoken_where_the_server_does_and_one_connection_is_enough() {
    let (server, _) = over_http2("http2", &[]);
    assert_eq!((server.connections(), server.requests()), (1, 2));
}

#[test]
fn a_connection_that_goes_away_before_it_took_the_request_is_no_end() {
    let (server, story) = over_http2("http2-goaway", &[Http2::GoAwayBefore]);
    assert_eq!((server.connections(), server.requests()), (2, 2), "{story}");
    let (server, story) = over_http2("http2-refused", &[Http2::Refused]);
    assert_eq!(server.requests(), 3, "{story}");
}

#[test]
fn a_connection_that_goes_away_in_order_brings_its_answer_to_the_end() {
    let (server, _) = over_http2("http2-goaway-during", &[Http2::GoAwayDuring]);
    assert_eq!((server.connections(), server.requests()), (2, 2));
}

#[test]
fn a_stream_that_is_reset_in_the_middle_of_a_call_is_asked_for_again() {
    let (server, _) = over_http2("http2-reset", &[Http2::ResetDuring]);
    assert_eq!((server.connections(), server.requests()), (1, 3));
}
