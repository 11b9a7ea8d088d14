//! Sending a request.

use std::{sync::OnceLock, time::Duration};

use bytes::Bytes;
use reqwest::{
    Client, ClientBuilder, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

use super::{HttpBody, HttpError, HttpFailure, lookup::Lookup};
use crate::Cancelled;

/// A `POST`. Its headers hold a key: it is not shown.
#[derive(Clone)]
pub struct HttpRequest {
    /// The absolute address, `http` or `https`.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Bytes,
}

/// The beginning of an answer.
#[derive(Debug)]
pub struct HttpResponse {
    /// The status, such as 200.
    pub status: u16,
    /// Names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// What follows.
    pub body: HttpBody,
}

/// How long a connection may be unused before it is given up.
const POOL_IDLE: Duration = Duration::from_secs(90);

/// How long a name, a connection and its encryption may take together. A server that lets
/// more time pass cannot be reached, and one that is down for good is not kept asking.
const CONNECT: Duration = Duration::from_secs(15);

/// Keeps connections to servers. Cheap until its first request.
#[derive(Debug, Default)]
pub struct HttpClient {
    plain: OnceLock<Result<Client, HttpError>>,
    encrypted: OnceLock<Result<Client, HttpError>>,
}

impl HttpClient {
    /// Makes a client without connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a request and waits for the beginning of the answer.
    ///
    /// `idle` bounds the wait for it, connecting included, and later every wait
    /// for the next bytes. An answer with any status but a redirect is no error here.
    ///
    /// # Errors
    /// When no answer came, or a redirect did.
    pub async fn stream(
        &self,
        request: HttpRequest,
        idle: Duration,
        mut cancelled: Cancelled,
    ) -> Result<HttpResponse, HttpError> {
        let url = parse_url(&request.url)?;
        let host = named(&url);
        let sent = self
            .client_for(&url)?
            .post(url)
            .headers(header_map(&request.headers)?)
            .body(request.body)
            .send();
        let response = tokio::select! {
            biased;
            () = cancelled.wait() => return Err(HttpError::cancelled()),
            answered = tokio::time::timeout(idle, sent) => answered
                .map_err(|_| HttpError::silent(&host))?
                .map_err(|error| HttpError::of(&error, &host))?,
        };
        let status = response.status();
        if status.is_redirection() {
            let message = format!(
                "`{host}` redirects (status {}), and a key does not follow",
                status.as_u16()
            );
            return Err(HttpError::new(HttpFailure::Redirect, message));
        }
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        Ok(HttpResponse {
            status: status.as_u16(),
            headers,
            body: HttpBody::new(response, host, idle, cancelled),
        })
    }

    /// Returns the client for an address. Reading the system's certificates takes
    /// longer than the rest of a start, so a local server does not wait for it.
    fn client_for(&self, url: &Url) -> Result<&Client, HttpError> {
        let client = if url.scheme() == "https" {
            self.encrypted.get_or_init(|| {
                // An error means that one is installed, which serves as well.
                let _ = rustls::crypto::ring::default_provider().install_default();
                build(base().https_only(true))
            })
        } else {
            self.plain.get_or_init(|| {
                let _ = rustls::crypto::ring::default_provider().install_default();
                build(base().tls_certs_only([]))
            })
        };
        client.as_ref().map_err(Clone::clone)
    }
}

pub(super) fn base() -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .tcp_nodelay(true)
        .connect_timeout(CONNECT)
        .dns_resolver(Lookup::default())
        .pool_idle_timeout(POOL_IDLE)
        .user_agent(concat!("harness/", env!("CARGO_PKG_VERSION")))
}

pub(super) fn build(builder: ClientBuilder) -> Result<Client, HttpError> {
    builder
        .build()
        .map_err(|error| HttpError::of(&error, "any server"))
}

fn parse_url(url: &str) -> Result<Url, HttpError> {
    // The address may hold a key, so it is not repeated.
    let invalid = |reason: &str| HttpError::new(HttpFailure::Invalid, reason.to_owned());
    let url = Url::parse(url).map_err(|_| invalid("the provider's address is no URL"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(invalid("the provider's address is neither http nor https")),
    }
}

/// Names a server in messages: host, and port where it is not the usual one.
fn named(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, HttpError> {
    headers
        .iter()
        .map(|(name, value)| {
            let invalid = |what| {
                let message = format!("the {what} of the header `{name}` cannot be sent");
                HttpError::new(HttpFailure::Invalid, message)
            };
            let mut sent = HeaderValue::from_str(value).map_err(|_| invalid("value"))?;
            sent.set_sensitive(true);
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("name"))?;
            Ok((name, sent))
        })
        .collect()
}
