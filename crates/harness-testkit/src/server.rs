//! A model server on loopback that speaks the wires from a script, and fails on command.
//!
//! Raw sockets instead of an HTTP library: the faults worth testing (a reset in
//! the middle of a word, a body that never ends) are what libraries prevent.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use harness_provider::Script;
use serde_json::Value;

use crate::wire;

/// The longest request accepted. Unit: bytes.
const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What the server answers to one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// What the script says, on the wire that was asked for.
    Script,
    /// A status with a body.
    Status {
        /// The status.
        status: u16,
        /// Headers beside the content's type and length.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// Recorded bytes of a stream.
    Recorded {
        /// The body.
        body: Vec<u8>,
        /// How many bytes go out at once.
        chunk: usize,
    },
    /// A stream that takes its time: a pause after each piece.
    Paced {
        /// The pieces of the body.
        pieces: Vec<Vec<u8>>,
        /// How long is waited after each.
        pause: Duration,
    },
    /// What the script says, cut after so many bytes; the connection then closes.
    Cut {
        /// How many bytes of the body go out.
        bytes: usize,
    },
    /// Headers, then nothing for this long.
    Stall(Duration),
    /// The connection closes without an answer.
    Close,
    /// What the script says, in another shape.
    Shaped(Shape),
}

/// How an answer of the script differs from what a well-behaved server sends.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Headers instead of the usual content type.
    pub headers: Vec<(&'static str, String)>,
    /// What becomes of the body.
    pub alter: fn(Vec<u8>) -> Vec<u8>,
    /// How many bytes go out at once.
    pub step: usize,
    /// How it ends.
    pub end: Ending,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            headers: vec![("content-type", "text/event-stream".to_owned())],
            alter: |body| body,
            step: usize::MAX,
            end: Ending::Whole,
        }
    }
}

/// How the connection fares after a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The body is closed in order, the connection stays open.
    Whole,
    /// Both are closed in order.
    Closed,
    /// The connection is reset before the body is closed.
    Reset,
}

/// A request that was received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The path.
    pub path: String,
    /// Header names in lower case, with values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
    /// The body as it was sent.
    pub text: String,
    /// The body's size. Unit: bytes.
    pub bytes: usize,
    /// When it had arrived.
    pub at: Instant,
}

#[derive(Debug, Default)]
struct Shared {
    script: Option<Script>,
    replies: Mutex<VecDeque<Reply>>,
    received: Mutex<Vec<Received>>,
    answered: Mutex<Vec<Instant>>,
    connections: AtomicUsize,
    /// Whether the bodies of requests are forgotten once they are answered.
    forgets: AtomicBool,
}

/// A running server; it ends with the process.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts a server that answers from a script.
    ///
    /// # Panics
    /// When the script is not one, or no port is free.
    pub fn scripted(script: &str) -> Self {
        Self::start(Some(
            Script::parse(script).expect("the test's script is one"),
        ))
    }

    /// Starts a server that only gives the replies it is told to.
    ///
    /// # Panics
    /// When no port is free.
    pub fn bare() -> Self {
        Self::start(None)
    }

    fn start(script: Option<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            script,
            ..Shared::default()
        });
        let for_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&for_thread);
                shared.connections.fetch_add(1, Ordering::Relaxed);
                // A client that goes away ends its connection and nothing else.
                thread::spawn(move || drop(serve(&stream, &shared)));
            }
        });
        Self { address, shared }
    }

    /// Says what the next requests get, before the script goes on.
    pub fn reply_with(&self, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.shared.replies).extend(replies);
    }

    /// Keeps no bodies from now on: those of thousands of requests come to gigabytes, and whoever
    /// measures would measure the memory that its own process has to bring along.
    pub fn keep_no_bodies(&self) {
        self.shared.forgets.store(true, Ordering::Relaxed);
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address to write into the configuration for a wire.
    pub fn base_url(&self, api: &str) -> String {
        let version = match api {
            "chat" | "responses" => "/v1",
            "gemini" => "/v1beta",
            _ => "",
        };
        format!("{}{version}", self.url())
    }

    /// Returns everything received so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// Returns when each answer had been sent.
    pub fn answered(&self) -> Vec<Instant> {
        lock(&self.shared.answered).clone()
    }

    /// Returns how many connections were opened.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one connection until either side closes it.
fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream.try_clone()?;
    while let Some(request) = read_request(&mut reader)? {
        let kept = match shared.forgets.load(Ordering::Relaxed) {
            true => Received {
                path: request.path.clone(),
                headers: request.headers.clone(),
                body: Value::Null,
                text: String::new(),
                ..request
            },
            false => request.clone(),
        };
        lock(&shared.received).push(kept);
        let reply = lock(&shared.replies).pop_front().unwrap_or(Reply::Script);
        if matches!(&reply, Reply::Shaped(shape) if shape.end == Ending::Reset) {
            // What is closed then is reset.
            rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
        }
        let stays_open = answer(&mut writer, &request, &reply, shared)?;
        lock(&shared.answered).push(Instant::now());
        if !stays_open {
            return Ok(());
        }
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<Received>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    // What this server makes of the body is none of the client's time.
    let at = Instant::now();
    let path = line
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length.min(REQUEST_BYTES_MAX)];
    reader.read_exact(&mut body)?;
    let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(Some(Received {
        path,
        headers,
        body: value,
        text: String::from_utf8_lossy(&body).into_owned(),
        bytes: length,
        at,
    }))
}

/// Answers one request; says whether the connection stays open.
fn answer(
    writer: &mut impl Write,
    request: &Received,
    reply: &Reply,
    shared: &Shared,
) -> std::io::Result<bool> {
    match reply {
        Reply::Close => Ok(false),
        Reply::Status {
            status,
            headers,
            body,
        } => {
            let mut head =
                format!("HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            write!(writer, "{head}content-length: {}\r\n\r\n{body}", body.len())?;
            writer.flush()?;
            Ok(true)
        }
        Reply::Stall(duration) => {
            start_stream(writer)?;
            thread::sleep(*duration);
            Ok(false)
        }
        Reply::Recorded { body, chunk } => {
            start_stream(writer)?;
            for part in body.chunks((*chunk).max(1)) {
                write_chunk(writer, part)?;
            }
            write!(writer, "0\r\n\r\n")?;
            writer.flush()?;
            Ok(true)
        }
        Reply::Paced { pieces, pause } => {
            start_stream(writer)?;
            let begun = Instant::now();
            for (piece, number) in pieces.iter().zip(1..) {
                write_chunk(writer, piece)?;
                // Counted from the start, so that slow writes do not slow the stream.
                thread::sleep((*pause * number).saturating_sub(begun.elapsed()));
            }
            write!(writer, "0\r\n\r\n")?;
            writer.flush()?;
            Ok(true)
        }
        Reply::Shaped(shape) => {
            let body = scripted(request, shared).map_or_else(|_| Vec::new(), |(body, _)| body);
            shaped(writer, shape, body)
        }
        Reply::Script | Reply::Cut { .. } => match scripted(request, shared) {
            Ok((body, think)) => {
                start_stream(writer)?;
                thread::sleep(think);
                if let Reply::Cut { bytes } = reply {
                    write_chunk(writer, &body[..(*bytes).min(body.len())])?;
                    return Ok(false);
                }
                write_chunk(writer, &body)?;
                write!(writer, "0\r\n\r\n")?;
                writer.flush()?;
                Ok(true)
            }
            Err(message) => {
                let body = serde_json::json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}});
                let body = body.to_string();
                write!(
                    writer,
                    "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )?;
                writer.flush()?;
                Ok(true)
            }
        },
    }
}

/// Sends an answer in its shape; says whether the connection stays open.
fn shaped(writer: &mut impl Write, shape: &Shape, body: Vec<u8>) -> std::io::Result<bool> {
    // Before the headers, so that making a large body is no silence in the stream.
    let body = (shape.alter)(body);
    let headers = shape.headers.iter();
    let head: String = headers
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    write!(
        writer,
        "HTTP/1.1 200 OK\r\n{head}transfer-encoding: chunked\r\n\r\n"
    )?;
    for part in body.chunks(shape.step.max(1)) {
        write_chunk(writer, part)?;
    }
    if shape.end == Ending::Reset {
        return Ok(false);
    }
    write!(writer, "0\r\n\r\n")?;
    writer.flush()?;
    Ok(shape.end == Ending::Whole)
}

/// Finds the script's turn and puts it on the wire.
fn scripted(request: &Received, shared: &Shared) -> Result<(Vec<u8>, Duration), String> {
    let script = shared.script.as_ref().ok_or("the server has no script")?;
    let talk = wire::read(&request.body)?;
    let turn = script
        .turn(talk.seen())
        .map_err(|error| error.to_string())?;
    let response = turn.to_response(talk.answers + 1, request.bytes);
    let body = wire::write(&request.path, &response, talk.answers + 1)?;
    Ok((body.into_bytes(), turn.think()))
}

fn start_stream(writer: &mut impl Write) -> std::io::Result<()> {
    write!(
        writer,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )?;
    writer.flush()
}

fn write_chunk(writer: &mut impl Write, part: &[u8]) -> std::io::Result<()> {
    write!(writer, "{:x}\r\n", part.len())?;
    writer.write_all(part)?;
    write!(writer, "\r\n")?;
    writer.flush()
}
