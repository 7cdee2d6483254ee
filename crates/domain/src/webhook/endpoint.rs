//! Where events are posted to: an http or https address in the narrow form that every client reads alike.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest address, in bytes.
const ENDPOINT_MAX: usize = 500;

/// An address such as `https://partner.example/events`: a scheme, a host, perhaps a port, and what follows it. It
/// holds no login, which the log would show, and no fragment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint(String);

/// A text that is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an address such as https://host:port/path without login and fragment, of at most {max} characters",
    max = ENDPOINT_MAX
)]
pub struct EndpointError;

impl Endpoint {
    /// Parses the text.
    ///
    /// # Errors
    /// [`EndpointError`] when it has another form, or is too long.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (_, rest) = split(text).ok_or(EndpointError)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = host_and_port(authority).ok_or(EndpointError)?;
        let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        let sound = text.len() <= ENDPOINT_MAX
            && is_host(host)
            && port_fits
            // A query without a path is read in more than one way.
            && (path.is_empty() || path.starts_with('/'))
            && path.bytes().all(in_path);
        if sound { Ok(Self(text.to_owned())) } else { Err(EndpointError) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is posted to without encryption.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = split(&self.0).map_or("", |(_, rest)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, _) = host_and_port(&rest[..end]).unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }
}

/// The scheme and what follows it.
fn split(text: &str) -> Option<(&str, &str)> {
    ["https://", "http://"]
        .into_iter()
        .find_map(|scheme| text.strip_prefix(scheme).map(|rest| (scheme, rest)))
}

/// The host, its brackets included, and the port, if one is named.
fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let end = match authority.strip_prefix('[') {
        Some(inner) => inner.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    match rest.strip_prefix(':') {
        Some(port) => {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            (digits && !port.is_empty()).then_some((host, Some(port)))
        }
        None => rest.is_empty().then_some((host, None)),
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) => {
            let part = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
            inner.contains(':') && inner.bytes().all(part)
        }
        None => {
            let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            !host.is_empty()
                && host.bytes().all(part)
                && host.split('.').all(|label| !label.is_empty())
        }
    }
}

/// What may stand in a path or query (RFC 3986), a `#` not among it.
fn in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/?".contains(&byte)
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        Self::parse(&text)
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_it_is_and_its_host_is_found() {
        for (text, host, plain) in [
            ("https://partner.example", "partner.example", false),
            ("https://partner.example:8443/v1/events?from=doudi&x=%20", "partner.example", false),
            ("http://127.0.0.1:8080/", "127.0.0.1", true),
            ("http://[::1]:80/hook", "::1", true),
            ("https://[fd00::7]", "fd00::7", false),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((endpoint.host(), endpoint.is_plain()), (host, plain), "{text}");
            assert_eq!(endpoint.to_string(), text);
        }
    }

    #[test]
    fn what_clients_read_in_several_ways_is_refused() {
        let long = format!("https://partner.example/{}", "x".repeat(ENDPOINT_MAX));
        for text in [
            "",
            "partner.example",
            "ftp://partner.example",
            "HTTPS://partner.example",
            "https://",
            "https:///path",
            "https://user:secret@partner.example/",
            "https://partner.example/#part",
            "https://partner.example:0/",
            "https://partner.example:65536/",
            "https://partner.example:/",
            "https://partner.example:8a/",
            "https://partner..example/",
            "https://[::1/",
            "https://[partner]/",
            "https://[::1]x/",
            "https://::1/",
            "https://partner.example?x=1/2",
            "https://partner.example/a b",
            "https://partner.example\\@evil.example/",
            "https://伙伴.example/",
            &long,
        ] {
            assert_eq!(Endpoint::parse(text), Err(EndpointError), "{text}");
        }
    }
}
