//! A model server behind TLS that speaks HTTP/2 from a script, and fails on command.
//!
//! Its certificate is made anew; a program trusts it when `SSL_CERT_FILE` names
//! [`SecureServer::certificate`].

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use h2::{Reason, RecvStream, server::SendResponse};
use harness_provider::Script;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::Notify,
};
use tokio_rustls::TlsAcceptor;

use crate::wire;

/// Between the two halves of an answer.
const PAUSE: Duration = Duration::from_millis(100);

/// What happens to a connection or to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Http2 {
    /// What the script says.
    Whole,
    /// The connection is told to go away before it takes a request.
    GoAwayBefore,
    /// The connection is told to go away in order, in the middle of an answer that goes on.
    GoAwayDuring,
    /// The stream is reset in the middle of an answer.
    ResetDuring,
    /// The stream is reset as one that was never looked at.
    Refused,
}

struct Shared {
    script: Script,
    faults: Mutex<VecDeque<Http2>>,
    connections: AtomicUsize,
    requests: AtomicUsize,
}

/// A running server; it ends with the process.
pub struct SecureServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    folder: TempDir,
}

impl SecureServer {
    /// Starts a server that answers from a script, first in these ways.
    ///
    /// # Panics
    /// When the script is not one, or no port is free.
    pub fn scripted(script: &str, faults: &[Http2]) -> Self {
        let script = Script::parse(script).expect("the test's script is one");
        let shared = Arc::new(Shared {
            script,
            faults: Mutex::new(faults.iter().copied().collect()),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
        });
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
        let made = made.expect("a certificate can be made");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem())
            .expect("a file in a temporary folder");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has its versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key);
        let mut config = config.expect("key and certificate fit");
        config.alpn_protocols = vec![b"h2".to_vec()];
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let for_thread = Arc::clone(&shared);
        thread::spawn(move || listen(listener, &acceptor, &for_thread));
        Self {
            address,
            shared,
            folder,
        }
    }

    /// Returns `https://localhost:PORT`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Returns the file with the certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Returns how many connections were opened.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Returns how many requests were taken.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }
}

fn listen(listener: std::net::TcpListener, acceptor: &TlsAcceptor, shared: &Arc<Shared>) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    runtime.block_on(async {
        listener
            .set_nonblocking(true)
            .expect("a socket can be polled");
        let listener = TcpListener::from_std(listener).expect("a socket can be polled");
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, shared) = (acceptor.clone(), Arc::clone(shared));
            // A client that goes away ends its connection and nothing else.
            tokio::spawn(async move { drop(serve(stream, acceptor, shared).await) });
        }
    });
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) -> io::Result<()> {
    shared.connections.fetch_add(1, Ordering::Relaxed);
    let stream = acceptor.accept(stream).await?;
    let mut connection = h2::server::handshake(stream).await.map_err(broken)?;
    if is_to_go(&mut lock(&shared.faults)) {
        connection.abrupt_shutdown(Reason::NO_ERROR);
    }
    let go_away = Arc::new(Notify::new());
    loop {
        let accepted = tokio::select! {
            accepted = connection.accept() => accepted,
            () = go_away.notified() => {
                connection.graceful_shutdown();
                continue;
            }
        };
        let Some(accepted) = accepted else {
            return Ok(());
        };
        let (request, respond) = accepted.map_err(broken)?;
        shared.requests.fetch_add(1, Ordering::Relaxed);
        let fault = lock(&shared.faults).pop_front().unwrap_or(Http2::Whole);
        let (shared, go_away) = (Arc::clone(&shared), Arc::clone(&go_away));
        tokio::spawn(async move { drop(answer(request, respond, fault, &shared, &go_away).await) });
    }
}

async fn answer(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    fault: Http2,
    shared: &Shared,
    go_away: &Notify,
) -> io::Result<()> {
    if fault == Http2::Refused {
        respond.send_reset(Reason::REFUSED_STREAM);
        return Ok(());
    }
    let (head, mut body) = request.into_parts();
    let mut asked = Vec::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes.map_err(broken)?;
        let _ = body.flow_control().release_capacity(bytes.len());
        asked.extend_from_slice(&bytes);
    }
    let said = scripted(&shared.script, head.uri.path(), &asked).map_err(io::Error::other)?;
    let response = http::Response::builder().header("content-type", "text/event-stream");
    let response = response.body(()).map_err(io::Error::other)?;
    let mut sent = respond.send_response(response, false).map_err(broken)?;
    let (first, rest) = said.split_at(said.len() / 2);
    sent.send_data(Bytes::copy_from_slice(first), false)
        .map_err(broken)?;
    match fault {
        Http2::ResetDuring => {
            tokio::time::sleep(PAUSE).await;
            sent.send_reset(Reason::INTERNAL_ERROR);
            return Ok(());
        }
        Http2::GoAwayDuring => {
            go_away.notify_one();
            tokio::time::sleep(PAUSE).await;
        }
        Http2::Whole | Http2::GoAwayBefore | Http2::Refused => {}
    }
    sent.send_data(Bytes::copy_from_slice(rest), true)
        .map_err(broken)
}

fn scripted(script: &Script, path: &str, asked: &[u8]) -> Result<Vec<u8>, String> {
    let value = serde_json::from_slice(asked).map_err(|error| error.to_string())?;
    let talk = wire::read(&value)?;
    let turn = script
        .turn(talk.seen())
        .map_err(|error| error.to_string())?;
    let response = turn.to_response(talk.answers + 1, asked.len());
    Ok(wire::write(path, &response, talk.answers + 1)?.into_bytes())
}

/// Whether the connection goes away before it takes a request: once.
fn is_to_go(faults: &mut VecDeque<Http2>) -> bool {
    let is_first = faults.front() == Some(&Http2::GoAwayBefore);
    if is_first {
        faults.pop_front();
    }
    is_first
}

fn broken(error: h2::Error) -> io::Error {
    io::Error::other(error)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
