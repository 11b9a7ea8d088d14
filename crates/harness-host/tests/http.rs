//! HTTP against a server that does exactly what a test says, on loopback.

use std::time::{Duration, Instant};

use bytes::Bytes;
use harness_core::{ByteCount, FailureClass};
use harness_host::{
    Cancelled, cancel_pair,
    http::{HttpClient, HttpError, HttpFailure, HttpRequest, HttpResponse},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::world::block_on;

const IDLE: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(200);

/// One thing the server does with a connection.
#[derive(Clone, Copy)]
enum Step {
    Request,
    Send(&'static str),
    Pause(Duration),
    Reset,
}
use Step::{Pause, Request, Reset, Send};

/// Serves connections, each with the same steps, and returns the address.
async fn serve(steps: &'static [Step]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(act(stream, steps));
        }
    });
    format!("http://{address}/v1/messages?key=canary")
}

async fn act(mut stream: TcpStream, steps: &'static [Step]) {
    for step in steps {
        match step {
            Request => {
                read_request(&mut stream).await;
            }
            Send(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Pause(time) => sleep(*time).await,
            Reset => stream.set_zero_linger().unwrap(),
        }
    }
}

/// Reads a request up to the end of its body.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        text.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
        if read == 0 || text.ends_with("BODY") {
            return text;
        }
    }
}

fn request(url: &str) -> HttpRequest {
    HttpRequest {
        url: url.to_owned(),
        headers: vec![("x-api-key".to_owned(), "canary".to_owned())],
        body: Bytes::from_static(b"BODY"),
    }
}

async fn send(url: &str, idle: Duration) -> Result<HttpResponse, HttpError> {
    HttpClient::new()
        .stream(request(url), idle, Cancelled::never())
        .await
}

/// Reads an answer to its end; the bytes until then, and what broke it.
async fn read(mut response: HttpResponse) -> (String, Option<HttpError>) {
    let mut text = String::new();
    while let Some(chunk) = response.body.next().await {
        match chunk {
            Ok(chunk) => text.push_str(std::str::from_utf8(&chunk).unwrap()),
            Err(error) => return (text, Some(error)),
        }
    }
    (text, None)
}

#[test]
fn an_answer_is_streamed_as_it_comes() {
    const STEPS: &[Step] = &[
        Request,
        Send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"),
        Send("data: 1\n\n"),
        Pause(Duration::from_millis(100)),
        Send("data: 2\n\n"),
    ];
    block_on(async {
        let url = serve(STEPS).await;
        let mut response = send(&url, IDLE).await.unwrap();
        assert_eq!(response.status, 200);
        assert!(
            response
                .headers
                .contains(&("content-type".to_owned(), "text/event-stream".to_owned()))
        );
        assert_eq!(response.body.next().await.unwrap().unwrap(), "data: 1\n\n");
        assert_eq!(response.body.next().await.unwrap().unwrap(), "data: 2\n\n");
        assert!(response.body.next().await.is_none());
    });
}

#[test]
fn the_request_is_sent_as_it_was_made() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/x?a=b", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let text = read_request(&mut stream).await;
            let answer = "HTTP/1.1 204 No Content\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
            text
        });
        assert_eq!(send(&url, IDLE).await.unwrap().status, 204);
        let text = server.await.unwrap();
        assert!(text.starts_with("POST /v1/x?a=b HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("x-api-key: canary\r\n"));
        assert!(text.contains("content-length: 4\r\n"));
        assert!(text.ends_with("\r\n\r\nBODY"));
    });
}

#[test]
fn a_connection_is_used_again() {
    block_on(async {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            // The only connection that is ever accepted.
            let (mut stream, _) = listener.accept().await.unwrap();
            loop {
                read_request(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let client = HttpClient::new();
        for _ in 0..3 {
            let sent = client.stream(request(&url), IDLE, Cancelled::never());
            assert_eq!(read(sent.await.unwrap()).await.0, "ok");
        }
    });
}

#[test]
fn failures_have_their_class_and_no_secret() {
    const CUT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf";
    const OPEN: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    const MOVED: &str = "HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:9/?key=canary\r\n\r\n";
    let cases: [(&str, &'static [Step], HttpFailure); 8] = [
        (
            "nothing is sent",
            &[Request, Pause(IDLE)],
            HttpFailure::Silent,
        ),
        (
            "silence in the middle",
            &[Request, Send(OPEN), Pause(IDLE)],
            HttpFailure::Silent,
        ),
        (
            "end in the middle",
            &[Request, Send(CUT)],
            HttpFailure::Broken,
        ),
        (
            "end in a chunk",
            &[Request, Send(OPEN)],
            HttpFailure::Broken,
        ),
        (
            "reset",
            &[Request, Send(OPEN), Pause(SHORT), Reset],
            HttpFailure::Broken,
        ),
        ("closed at once", &[Reset], HttpFailure::Broken),
        (
            "no http",
            &[Request, Send("hello\r\n\r\n")],
            HttpFailure::Broken,
        ),
        ("redirect", &[Request, Send(MOVED)], HttpFailure::Redirect),
    ];
    block_on(async {
        for (name, steps, class) in cases {
            let url = serve(steps).await;
            let idle = if class == HttpFailure::Silent {
                SHORT
            } else {
                IDLE
            };
            let since = Instant::now();
            let error = match send(&url, idle).await {
                Err(error) => error,
                Ok(response) => read(response).await.1.unwrap(),
            };
            assert_eq!(error.class, class, "{name}: {error}");
            assert!(!error.to_string().contains("canary"), "{name}: {error}");
            assert!(error.to_string().contains("127.0.0.1"), "{name}: {error}");
            assert!(since.elapsed() < Duration::from_secs(3), "{name}");
        }
    });
}

#[test]
fn a_server_that_is_not_there_cannot_be_reached() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        let closed = format!("http://{place}/?key=canary");
        drop(listener);
        let plain = serve(&[Send("HTTP/1.1 400 no encryption here\r\n\r\n"), Pause(IDLE)]).await;
        let cases = [
            (closed, HttpFailure::Unreachable),
            (plain.replace("http:", "https:"), HttpFailure::Tls),
            (
                "ftp://127.0.0.1/?key=canary".to_owned(),
                HttpFailure::Invalid,
            ),
            ("canary".to_owned(), HttpFailure::Invalid),
        ];
        for (url, class) in cases {
            let error = send(&url, IDLE).await.unwrap_err();
            assert_eq!(error.class, class, "{error}");
            assert!(!error.to_string().contains("canary"), "{error}");
            // Which of the servers of a machine it is, its port alone tells.
            let is_named = error.to_string().contains(&format!("`{place}`"));
            assert_eq!(is_named, class == HttpFailure::Unreachable, "{error}");
        }
        assert_eq!(HttpFailure::Unreachable.class(), FailureClass::Unreachable);
    });
}

#[test]
fn a_header_that_cannot_be_sent_is_named_without_its_value() {
    block_on(async {
        let mut bad = request("http://127.0.0.1:9/");
        bad.headers[0].1 = "canary\nx".to_owned();
        let sent = HttpClient::new()
            .stream(bad, IDLE, Cancelled::never())
            .await;
        let error = sent.unwrap_err();
        assert_eq!(error.class, HttpFailure::Invalid);
        assert_eq!(
            error.to_string(),
            "the value of the header `x-api-key` cannot be sent"
        );
    });
}

#[test]
fn the_body_of_an_error_is_bounded() {
    static BODY: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let body = BODY.get_or_init(|| {
        let body = "x".repeat(100 << 10);
        format!(
            "HTTP/1.1 529 Overloaded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    });
    let steps: &'static [Step] = Box::leak(Box::new([Request, Send(body.as_str())]));
    block_on(async {
        let url = serve(steps).await;
        let response = send(&url, IDLE).await.unwrap();
        assert_eq!(response.status, 529);
        assert_eq!(read(response).await.0.len(), 64 << 10);
        let response = send(&url, IDLE).await.unwrap();
        assert_eq!(
            response.body.collect(ByteCount::kib(2)).await.len(),
            2 << 10
        );
    });
}

#[test]
fn cancelling_ends_the_wait_and_the_stream() {
    const OPEN: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    block_on(async {
        for steps in [
            &[Request, Pause(IDLE)] as &'static [Step],
            &[Request, Send(OPEN), Pause(IDLE)],
        ] {
            let url = serve(steps).await;
            let (canceller, cancelled) = cancel_pair();
            tokio::spawn(async move {
                sleep(SHORT).await;
                canceller.cancel();
            });
            let client = HttpClient::new();
            let since = Instant::now();
            let error = match client.stream(request(&url), IDLE, cancelled).await {
                Err(error) => error,
                Ok(response) => read(response).await.1.unwrap(),
            };
            assert_eq!(error.class, HttpFailure::Cancelled);
            assert!(since.elapsed() < Duration::from_secs(2));
        }
    });
}
