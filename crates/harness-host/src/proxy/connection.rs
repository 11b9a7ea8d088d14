//! One connection of a client: its request read, judged and carried out, or answered with a refusal.

use std::{io, sync::atomic::Ordering, time::Duration};

use harness_core::{ByteCount, NetworkUse};
use harness_guard::network::{
    Endpoint, HEAD_BYTES_MAX, PlainRequest, ProxyRequest, RequestError, head_length, read_request,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    ProxyRules,
    dial::{DialError, dial},
    relay::{self, Ending, Tally},
};
use crate::Cancelled;

/// What a tunnel is answered with.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
/// How long a refused client is listened to, so that it gets to read its answer.
const FAREWELL: Duration = Duration::from_secs(1);
/// How much of a refused client's words is read. Unit: bytes.
const FAREWELL_BYTES: usize = 256 * 1024;

/// What is known of a connection, whenever it ends.
#[derive(Debug, Default)]
struct Known {
    host: String,
    port: u16,
    allowed: bool,
    tally: Tally,
}

/// How a connection came out.
enum Outcome {
    /// It asked for nothing.
    Silent,
    /// It was served; the text says what broke it, empty when nothing did.
    Served(String),
    /// It was refused with this status and sentence.
    Refused(u16, String),
}

/// Serves a connection and says what became of it; nothing for one that asked for nothing.
pub(super) async fn serve(
    mut stream: TcpStream,
    rules: &ProxyRules,
    mut cancelled: Cancelled,
) -> Option<NetworkUse> {
    let begun = Instant::now();
    let _ = stream.set_nodelay(true);
    let mut known = Known::default();
    let outcome = tokio::select! {
        biased;
        () = cancelled.wait() => Outcome::Served("closed: the network was taken back".to_owned()),
        outcome = attend(&mut stream, rules, &mut known) => outcome,
    };
    let reason = match outcome {
        Outcome::Silent => return None,
        // It was closed before it had asked.
        Outcome::Served(_) if known.host.is_empty() => return None,
        Outcome::Served(reason) => reason,
        Outcome::Refused(status, sentence) => {
            tokio::select! {
                () = cancelled.wait() => {}
                () = refuse(&mut stream, status, &sentence) => {}
            }
            sentence
        }
    };
    Some(NetworkUse {
        host: known.host,
        port: known.port,
        allowed: known.allowed,
        reason,
        sent: ByteCount(known.tally.sent.into_inner()),
        received: ByteCount(known.tally.received.into_inner()),
        ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

async fn attend(stream: &mut TcpStream, rules: &ProxyRules, known: &mut Known) -> Outcome {
    let head = match timeout(rules.bounds.head, read_head(stream)).await {
        Err(_) => return Outcome::Refused(408, "the request took too long".to_owned()),
        Ok(Err(_)) => return Outcome::Silent,
        Ok(Ok(None)) => {
            let error = RequestError::TooLarge;
            return Outcome::Refused(error.status(), error.to_string());
        }
        Ok(Ok(Some(head))) => head,
    };
    let request = match read_request(&head.bytes[..head.length]) {
        Ok(request) => request,
        Err(error) => {
            if let RequestError::Host { shown, .. } = &error {
                known.host.clone_from(shown);
            }
            return Outcome::Refused(error.status(), error.to_string());
        }
    };
    let endpoint = request.endpoint();
    known.host = endpoint.host.to_string();
    known.port = endpoint.port;
    let verdict = rules.hosts.judge_endpoint(endpoint);
    if !verdict.is_allowed() {
        return Outcome::Refused(403, verdict.reason);
    }
    known.allowed = true;
    let early = &head.bytes[head.length..];
    match &request {
        ProxyRequest::Connect(endpoint) => {
            let mut host = match reach(endpoint, rules, known).await {
                Ok(host) => host,
                Err(refused) => return refused,
            };
            tunnel(stream, &mut host, early, rules, &known.tally).await
        }
        ProxyRequest::Plain(plain) => {
            if early.len() as u64 > plain.body {
                let sentence = "one request is made on one connection".to_owned();
                return Outcome::Refused(400, sentence);
            }
            let mut host = match reach(&plain.endpoint, rules, known).await {
                Ok(host) => host,
                Err(refused) => return refused,
            };
            exchange(stream, &mut host, plain, early, rules, &known.tally).await
        }
    }
}

async fn reach(
    endpoint: &Endpoint,
    rules: &ProxyRules,
    known: &mut Known,
) -> Result<TcpStream, Outcome> {
    let dialled = dial(endpoint, rules).await;
    dialled.map_err(|error| match error {
        DialError::Refused(sentence) => {
            known.allowed = false;
            Outcome::Refused(403, sentence)
        }
        DialError::Unreachable(sentence) => Outcome::Refused(502, sentence),
        DialError::Slow(sentence) => Outcome::Refused(504, sentence),
    })
}

async fn tunnel(
    client: &mut TcpStream,
    host: &mut TcpStream,
    early: &[u8],
    rules: &ProxyRules,
    tally: &Tally,
) -> Outcome {
    let greeted = async {
        client.write_all(ESTABLISHED).await?;
        send(host, early, tally).await
    };
    match greeted.await {
        Ok(()) => served(relay::tunnel(client, host, tally, &rules.bounds).await),
        Err(_) => served(Ending::Broken),
    }
}

async fn exchange(
    client: &mut TcpStream,
    host: &mut TcpStream,
    plain: &PlainRequest,
    early: &[u8],
    rules: &ProxyRules,
    tally: &Tally,
) -> Outcome {
    let asked = async {
        send(host, plain.head.as_bytes(), tally).await?;
        send(host, early, tally).await
    };
    match asked.await {
        Ok(()) => {
            let left = plain.body - early.len() as u64;
            served(relay::exchange(client, host, left, tally, &rules.bounds).await)
        }
        Err(_) => served(Ending::Broken),
    }
}

async fn send(host: &mut TcpStream, bytes: &[u8], tally: &Tally) -> io::Result<()> {
    host.write_all(bytes).await?;
    tally.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    Ok(())
}

fn served(ending: Ending) -> Outcome {
    let reason = match ending {
        Ending::Done => "",
        Ending::Broken => "one side broke the connection off",
        Ending::Idle => "closed: nothing went through for too long",
        Ending::Flooded => "closed: more went through than one connection may carry",
        Ending::SecondRequest => "closed: one request is made on one connection",
    };
    Outcome::Served(reason.to_owned())
}

/// A head with what came right behind it.
struct Head {
    bytes: Vec<u8>,
    length: usize,
}

/// Reads up to the end of the head; `None` when it is longer than a head may be.
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<Head>> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        // The end may lie across what was there before and what comes now.
        let from = bytes.len().saturating_sub(3);
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(length) = head_length(&bytes[from..]) {
            let length = from + length;
            return Ok((length <= HEAD_BYTES_MAX).then_some(Head { bytes, length }));
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Ok(None);
        }
    }
}

/// Answers with a sentence, also where clients look for none: several show the status line alone.
async fn refuse(stream: &mut TcpStream, status: u16, sentence: &str) {
    let answer = format!(
        "HTTP/1.1 {status} {sentence}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{sentence}\n",
        sentence.len() + 1
    );
    let told = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // What is unread when a socket closes takes the answer with it.
        let mut heard = vec![0; 4096];
        let mut left = FAREWELL_BYTES;
        while left > 0 {
            match stream.read(&mut heard).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        io::Result::Ok(())
    };
    // Who does not listen is not waited for.
    let _ = timeout(FAREWELL, told).await;
}
