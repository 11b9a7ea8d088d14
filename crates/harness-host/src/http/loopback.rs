//! Asking servers on this machine what they have. Nothing else is ever reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::{Bytes, BytesMut};
use harness_core::ByteCount;
use reqwest::{Client, Url, header::CONTENT_TYPE};

use super::{
    HttpError,
    client::{base, build},
};

/// A client for servers on loopback; it sends no key and follows no redirect.
#[derive(Clone, Debug)]
pub struct LoopbackClient(Client);

impl LoopbackClient {
    /// Makes a client; nothing is sent.
    ///
    /// # Errors
    /// When the client library cannot be set up.
    pub fn new() -> Result<Self, HttpError> {
        // An error means that one is installed, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The name is not looked up: a resolver could lead it elsewhere.
        let here = [
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
        ];
        let builder = base()
            .tls_certs_only([])
            .resolve_to_addrs("localhost", &here);
        build(builder).map(Self)
    }

    /// Returns the body of what a server answers with status 200 and at most `max` bytes.
    ///
    /// Asks with `GET`, or posts `json` where there is some. `None` when there is no
    /// such answer, and where the address is not one of this machine. How long it
    /// takes is for the caller to bound: dropping the future ends it.
    pub async fn ask(&self, url: &str, json: Option<String>, max: ByteCount) -> Option<Bytes> {
        let url = Url::parse(url).ok().filter(is_here)?;
        let request = match json {
            Some(json) => self
                .0
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(json),
            None => self.0.get(url),
        };
        let mut response = request.send().await.ok()?;
        if response.status() != 200 {
            return None;
        }
        let mut whole = BytesMut::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            if whole.len() + chunk.len() > max.as_usize() {
                return None;
            }
            whole.extend_from_slice(&chunk);
        }
        Some(whole.freeze())
    }
}

/// Whether an address is one of this machine, in plain HTTP.
fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_loopback = match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost",
    };
    url.scheme() == "http" && is_loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        for (url, here) in [
            ("http://127.0.0.1:11434/api/tags", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:8080/v1", true),
            ("http://LOCALHOST:1234", true),
            ("https://127.0.0.1/", false),
            ("http://localhost.example.org/", false),
            ("http://127.0.0.1.example.org/", false),
            ("http://127.0.0.1@192.0.2.1/", false),
            ("http://192.168.1.2:11434/", false),
            ("http://0.0.0.0:11434/", false),
        ] {
            assert_eq!(is_here(&Url::parse(url).unwrap()), here, "{url}");
        }
    }
}
