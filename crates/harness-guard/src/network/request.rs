//! Reads the head of a request that a client makes to the proxy: one way to read it, or none.
//!
//! What two servers could read in two ways is refused: bare line feeds, folded
//! or doubled headers, a length beside a coding, a host that is named twice.

use super::{Endpoint, HostError};
use crate::shown::shown_text;

/// The longest head. Unit: bytes.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most header lines of a head.
pub const HEADERS_MAX: usize = 100;

/// The longest method. Unit: bytes.
const METHOD_BYTES_MAX: usize = 16;

/// How much of a foreign name is repeated. Unit: characters.
const SHOWN_MAX: usize = 80;

/// The port of plain HTTP where an address gives none.
const PLAIN_PORT: u16 = 80;

/// What ends a head.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Headers that are about one connection and go no further.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that no other header may declare to be about one connection.
const END_TO_END: [&str; 3] = ["host", "content-length", "authorization"];

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyRequest {
    /// A tunnel to a host; what is in it is between the two.
    Connect(Endpoint),
    /// One plain request.
    Plain(PlainRequest),
}

impl ProxyRequest {
    /// Returns what is to be reached.
    pub const fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Connect(endpoint) => endpoint,
            Self::Plain(request) => &request.endpoint,
        }
    }
}

/// A plain HTTP request, as it goes on to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainRequest {
    /// What is to be reached.
    pub endpoint: Endpoint,
    /// The head: made anew, with the host in canonical form, for one request on one connection.
    pub head: String,
    /// How much body follows. Unit: bytes.
    pub body: u64,
}

/// Why a head is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is not what HTTP/1.1 asks of a request to a proxy.
    #[error("the request cannot be read: {0}")]
    Malformed(&'static str),
    /// It names a host that is none.
    #[error("cannot reach `{shown}`: it {error}")]
    Host {
        /// The host as printable ASCII.
        shown: String,
        /// What is wrong with it.
        error: HostError,
    },
    /// Its `Host` names another host than its address.
    #[error("the request names `{endpoint}` and its `Host` header another host")]
    OtherHost {
        /// What the address names.
        endpoint: String,
    },
    /// Its body has no length.
    #[error("a body needs a `Content-Length`; use https for anything else")]
    LengthRequired,
    /// It is longer than a head may be.
    #[error("the head of the request is longer than {HEAD_BYTES_MAX} bytes or {HEADERS_MAX} lines")]
    TooLarge,
}

impl RequestError {
    /// Returns the status that answers it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Host { .. } | Self::OtherHost { .. } => 403,
            Self::LengthRequired => 411,
            Self::TooLarge => 431,
        }
    }
}

/// Returns the length of the head at the beginning of `bytes`, with the empty line that ends it.
pub fn head_length(bytes: &[u8]) -> Option<usize> {
    let found = bytes
        .windows(HEAD_END.len())
        .position(|window| window == HEAD_END);
    found.map(|at| at + HEAD_END.len())
}

/// Reads a head: request line, header lines and the empty line, nothing before and nothing behind.
///
/// # Errors
/// When it can be read in more than one way, or names no host that the grammar knows.
pub fn read_request(head: &[u8]) -> Result<ProxyRequest, RequestError> {
    if head.len() > HEAD_BYTES_MAX {
        return Err(RequestError::TooLarge);
    }
    let text = printable(head)?;
    let text = text
        .strip_suffix("\r\n\r\n")
        .ok_or(RequestError::Malformed("it has no end"))?;
    let mut lines = text.split("\r\n");
    let line = RequestLine::read(lines.next().unwrap_or_default())?;
    let headers = read_headers(lines)?;
    if line.method == "CONNECT" {
        connect(&line, &headers)
    } else {
        plain(&line, &headers)
    }
}

/// Whoever counts lines by another rule than "carriage return, line feed" would see other headers.
fn printable(head: &[u8]) -> Result<&str, RequestError> {
    let mut before = 0;
    for (at, byte) in head.iter().copied().enumerate() {
        let next = head.get(at + 1).copied();
        let is_fine = match byte {
            b'\r' => next == Some(b'\n'),
            b'\n' => before == b'\r',
            b'\t' | b' '..=b'~' => true,
            _ => false,
        };
        if !is_fine {
            return Err(RequestError::Malformed(
                "it has a control character, a bare line end or a byte that is not ASCII",
            ));
        }
        before = byte;
    }
    std::str::from_utf8(head).map_err(|_| RequestError::Malformed("it is not ASCII"))
}

struct RequestLine<'a> {
    method: &'a str,
    target: &'a str,
    version: &'a str,
}

impl<'a> RequestLine<'a> {
    fn read(line: &'a str) -> Result<Self, RequestError> {
        let malformed = Err(RequestError::Malformed(
            "its first line is not `METHOD address HTTP/1.1`",
        ));
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return malformed;
        };
        let is_method = (1..=METHOD_BYTES_MAX).contains(&method.len())
            && method.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_version = ["HTTP/1.1", "HTTP/1.0"].contains(&version);
        if !is_method || !is_version || target.is_empty() || target.contains('\t') {
            return malformed;
        }
        Ok(Self {
            method,
            target,
            version,
        })
    }
}

/// Names as they are written, and values without the space around them.
struct Headers<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Headers<'a> {
    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let of_name = self
            .0
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| *value)
    }

    /// Returns the value of a header that may stand there once.
    fn one(&self, name: &str, doubled: &'static str) -> Result<Option<&'a str>, RequestError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(RequestError::Malformed(doubled)),
        }
    }

    /// Returns the length of the body; absent where none is given.
    fn length(&self) -> Result<Option<u64>, RequestError> {
        if self.all("transfer-encoding").next().is_some() {
            return Err(RequestError::LengthRequired);
        }
        let length = self.one("content-length", "it has two lengths")?;
        let read = |text: &str| {
            let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let length = is_plain.then(|| text.parse::<u64>().ok()).flatten();
            length.ok_or(RequestError::Malformed("its length is no number"))
        };
        length.map(read).transpose()
    }

    fn host(&self) -> Result<Option<&'a str>, RequestError> {
        self.one("host", "it has two `Host` headers")
    }
}

fn read_headers<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Headers<'a>, RequestError> {
    let mut headers = Vec::new();
    for line in lines {
        if headers.len() == HEADERS_MAX {
            return Err(RequestError::TooLarge);
        }
        let malformed = RequestError::Malformed("a header is not `Name: value`");
        let (name, value) = line.split_once(':').ok_or(malformed.clone())?;
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        // A line that begins with a space would go on with the one before it.
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(malformed);
        }
        headers.push((name, value.trim_matches([' ', '\t'])));
    }
    Ok(Headers(headers))
}

fn connect(line: &RequestLine<'_>, headers: &Headers<'_>) -> Result<ProxyRequest, RequestError> {
    let endpoint = Endpoint::parse(line.target).map_err(|error| host_error(line.target, error))?;
    if headers.length()?.is_some_and(|length| length > 0) {
        return Err(RequestError::Malformed("a `CONNECT` has no body"));
    }
    // Some clients name the host without its port.
    let port = endpoint.port;
    check_host(headers.host()?, &endpoint, port)?;
    Ok(ProxyRequest::Connect(endpoint))
}

fn plain(line: &RequestLine<'_>, headers: &Headers<'_>) -> Result<ProxyRequest, RequestError> {
    let Some(rest) = line.target.strip_prefix("http://") else {
        return Err(RequestError::Malformed(
            "a proxy is asked for `http://host/path`, or for a tunnel with `CONNECT`",
        ));
    };
    if rest.contains(['#', '\\']) {
        return Err(RequestError::Malformed("its address has a `#` or a `\\`"));
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let endpoint =
        Endpoint::parse_or(authority, PLAIN_PORT).map_err(|error| host_error(authority, error))?;
    let host = headers.host()?;
    if host.is_none() {
        return Err(RequestError::Malformed("it has no `Host` header"));
    }
    check_host(host, &endpoint, PLAIN_PORT)?;
    let body = headers.length()?.unwrap_or(0);
    Ok(ProxyRequest::Plain(PlainRequest {
        head: forwarded(line, path, headers, &endpoint)?,
        endpoint,
        body,
    }))
}

/// Sees that a `Host` header, where there is one, names what the address names.
fn check_host(
    host: Option<&str>,
    endpoint: &Endpoint,
    default_port: u16,
) -> Result<(), RequestError> {
    let Some(host) = host else {
        return Ok(());
    };
    let named = Endpoint::parse_or(host, default_port).map_err(|error| host_error(host, error))?;
    if named == *endpoint {
        Ok(())
    } else {
        Err(RequestError::OtherHost {
            endpoint: endpoint.to_string(),
        })
    }
}

/// Writes the head as the host gets it.
fn forwarded(
    line: &RequestLine<'_>,
    path: &str,
    headers: &Headers<'_>,
    endpoint: &Endpoint,
) -> Result<String, RequestError> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let host = if endpoint.port == PLAIN_PORT {
        endpoint.host.to_string()
    } else {
        endpoint.to_string()
    };
    let mut head = format!(
        "{} {slash}{path} {}\r\nHost: {host}\r\n",
        line.method, line.version
    );
    let connection: Vec<String> = headers
        .all("connection")
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    if connection
        .iter()
        .any(|name| END_TO_END.contains(&name.as_str()))
    {
        return Err(RequestError::Malformed(
            "its `Connection` header names one that has to go on",
        ));
    }
    for (name, value) in &headers.0 {
        let lower = name.to_ascii_lowercase();
        let stays =
            lower == "host" || HOP_BY_HOP.contains(&lower.as_str()) || connection.contains(&lower);
        if !stays {
            head.extend([name, ": ", value, "\r\n"]);
        }
    }
    head.push_str("Connection: close\r\n\r\n");
    Ok(head)
}

fn host_error(text: &str, error: HostError) -> RequestError {
    RequestError::Host {
        shown: shown_text(text, SHOWN_MAX),
        error,
    }
}
