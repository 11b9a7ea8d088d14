//! The one grammar for hosts: canonical or nothing.

use std::fmt;
use std::net::IpAddr;

use super::is_public;

/// The longest name. Source: RFC 1035, section 2.3.4. Unit: bytes.
const NAME_BYTES_MAX: usize = 253;
/// The longest label of a name. Unit: bytes.
const LABEL_BYTES_MAX: usize = 63;
/// The port of a name that gives none where hosts are listed.
const DEFAULT_PORT: u16 = 443;

/// Why a text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// There is nothing.
    #[error("is empty")]
    Empty,
    /// It is longer than a name can be.
    #[error("is longer than {NAME_BYTES_MAX} characters")]
    TooLong,
    /// It is a URL or has a path.
    #[error("is a URL or a path, not a host")]
    Url,
    /// It has a wildcard.
    #[error("has a wildcard; every host is listed by its whole name")]
    Wildcard,
    /// It names a user.
    #[error("names a user before `@`")]
    User,
    /// It has a percent escape.
    #[error("has a percent sign; a name is written without escapes")]
    Escape,
    /// It is not ASCII.
    #[error("is not ASCII; a name in another script is written in its `xn--` form")]
    NotAscii,
    /// It has a space, a control character or another that names do not have.
    #[error("has a character that no host name has")]
    Character,
    /// It ends in a dot.
    #[error("ends in a dot")]
    TrailingDot,
    /// A label is empty, too long, or begins or ends with a hyphen.
    #[error("has a part that is empty, too long, or begins or ends with a hyphen")]
    Label,
    /// It is a number, or an address in decimal, octal, hexadecimal or short form.
    #[error("is a number and no address in its plain form, such as 192.0.2.1")]
    Number,
    /// It has colons and no brackets.
    #[error("has more than one colon; an IPv6 address stands in brackets")]
    Colons,
    /// It has brackets without an IPv6 address in them.
    #[error("has brackets without an IPv6 address in them")]
    Brackets,
    /// It is an IPv4 address in the clothes of an IPv6 address.
    #[error("is an IPv4 address written as IPv6")]
    Mapped,
    /// The port is no number from 1 to 65535.
    #[error("has no port from 1 to 65535")]
    Port,
    /// There is no port, and none goes without saying.
    #[error("names no port; only a name with a dot goes without, for port 443")]
    PortMissing,
}

/// A name or an address in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A name: labels of lower-case ASCII letters, digits and hyphens.
    Name(String),
    /// An address that was written in its plain form.
    Address(IpAddr),
}

impl Host {
    /// Reads a host; an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// When it is anything but a name or a plain address: see [`HostError`].
    pub fn parse(text: &str) -> Result<Self, HostError> {
        check_characters(text)?;
        if let Some(rest) = text.strip_prefix('[') {
            return parse_bracketed(rest);
        }
        if text.contains(':') {
            return Err(HostError::Colons);
        }
        if text.contains(']') {
            return Err(HostError::Brackets);
        }
        if text.ends_with('.') {
            return Err(HostError::TrailingDot);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(HostError::TooLong);
        }
        let labels = || text.split('.');
        if labels().next_back().is_some_and(is_number) {
            return match text.parse::<IpAddr>() {
                Ok(address) => Ok(Self::Address(address)),
                Err(_) => Err(HostError::Number),
            };
        }
        if labels().all(is_label) {
            Ok(Self::Name(text.to_ascii_lowercase()))
        } else {
            Err(HostError::Label)
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address @ IpAddr::V4(_)) => write!(f, "{address}"),
            Self::Address(address @ IpAddr::V6(_)) => write!(f, "[{address}]"),
        }
    }
}

/// A host and a port: what is listed, and what a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// The host.
    pub host: Host,
    /// The port; never 0.
    pub port: u16,
}

impl Endpoint {
    /// Reads `host:port`.
    ///
    /// # Errors
    /// As [`Host::parse`], and when there is no port from 1 to 65535 in plain decimal.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        Self::read(text, |_| None)
    }

    /// Reads `host:port`, where the port may be left out.
    ///
    /// # Errors
    /// As [`Endpoint::parse`].
    pub fn parse_or(text: &str, port: u16) -> Result<Self, HostError> {
        Self::read(text, |_| Some(port))
    }

    /// Reads a host as a person lists it: a name with a dot means port 443 where it gives none.
    ///
    /// A single word without a port is more likely a registry whose name was
    /// mistyped than a host of the local network.
    ///
    /// # Errors
    /// As [`Endpoint::parse`].
    pub fn parse_listed(text: &str) -> Result<Self, HostError> {
        Self::read(text, |host| match host {
            Host::Name(name) if name.contains('.') => Some(DEFAULT_PORT),
            _ => None,
        })
    }

    /// Whether it is a name, whose addresses are judged when it is resolved, or a public address.
    pub fn is_name_or_public(&self) -> bool {
        match self.host {
            Host::Name(_) => true,
            Host::Address(address) => is_public(address),
        }
    }

    fn read(text: &str, default: impl Fn(&Host) -> Option<u16>) -> Result<Self, HostError> {
        check_characters(text)?;
        let (host, port) = split(text)?;
        let host = Host::parse(host)?;
        let port = match port {
            Some(port) => parse_port(port)?,
            None => default(&host).ok_or(HostError::PortMissing)?,
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Names the trick where there is one: a person who meant well learns what to write.
fn check_characters(text: &str) -> Result<(), HostError> {
    if text.is_empty() {
        return Err(HostError::Empty);
    }
    // A colon and a port more than the longest name; brackets of an address are shorter.
    if text.len() > NAME_BYTES_MAX + 6 {
        return Err(HostError::TooLong);
    }
    if !text.is_ascii() {
        return Err(HostError::NotAscii);
    }
    let tricks: [(&[char], HostError); 4] = [
        (&['/', '\\', '?', '#'], HostError::Url),
        (&['@'], HostError::User),
        (&['*'], HostError::Wildcard),
        (&['%'], HostError::Escape),
    ];
    for (characters, error) in tricks {
        if text.contains(characters) {
            return Err(error);
        }
    }
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    if text.bytes().all(is_known) {
        Ok(())
    } else {
        Err(HostError::Character)
    }
}

/// Parts host and port; the port is absent where there is none.
fn split(text: &str) -> Result<(&str, Option<&str>), HostError> {
    if text.starts_with('[') {
        let end = text.find(']').ok_or(HostError::Brackets)?;
        let (host, rest) = text.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(HostError::Brackets),
        };
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(HostError::Colons),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

/// Reads a port in plain decimal: no sign, no leading zero, not 0.
fn parse_port(text: &str) -> Result<u16, HostError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let port = is_plain.then(|| text.parse::<u16>().ok()).flatten();
    port.ok_or(HostError::Port)
}

fn parse_bracketed(rest: &str) -> Result<Host, HostError> {
    let inside = rest.strip_suffix(']').ok_or(HostError::Brackets)?;
    match inside.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => Err(HostError::Mapped),
        Ok(address @ IpAddr::V6(_)) => Ok(Host::Address(address)),
        _ => Err(HostError::Brackets),
    }
}

/// Whether a name that ends in this label would be read as an address by somebody.
///
/// Source: WHATWG URL, "ends in a number checker".
fn is_number(label: &str) -> bool {
    let digits = |text: &str, radix| text.chars().all(|char| char.is_digit(radix));
    let hex = label
        .strip_prefix("0x")
        .or_else(|| label.strip_prefix("0X"));
    (!label.is_empty() && digits(label, 10)) || hex.is_some_and(|hex| digits(hex, 16))
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}
