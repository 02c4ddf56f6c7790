use std::net::IpAddr;

use serde::Deserialize;

use crate::Networks;

/// So many bytes and addresses of `X-Forwarded-For` are looked at. More of them is no proxy's doing.
const LONGEST: usize = 4096;
const MOST: usize = 64;

/// The proxies in front of a listener whose word about the client's address is believed. By default there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Proxies(Networks);

impl Proxies {
    /// These.
    #[must_use]
    pub const fn new(networks: Networks) -> Self {
        Self(networks)
    }

    /// Whether a connection from `peer` is one of a proxy.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.0.contain(peer)
    }

    /// Whose request it is that came from `peer` with these values of `X-Forwarded-For`; `None` if a proxy sent what can't be
    /// read.
    ///
    /// Each proxy appends whom it heard from, so only what trusted ones wrote is true: the list is read from its end up to the
    /// first address that is no proxy's. What stands before that the client wrote itself. A proxy's own requests have no such
    /// header.
    pub fn client<'a>(&self, peer: IpAddr, headers: impl DoubleEndedIterator<Item = &'a [u8]>) -> Option<IpAddr> {
        if !self.trusts(peer) {
            return Some(peer);
        }
        let mut client = peer;
        let (mut seen, mut bytes) = (0, 0);
        for header in headers.rev() {
            bytes += header.len();
            if bytes > LONGEST {
                return None;
            }
            for text in header.rsplit(|byte| *byte == b',') {
                seen += 1;
                if seen > MOST {
                    return None;
                }
                client = address(text)?;
                if !self.trusts(client) {
                    return Some(client);
                }
            }
        }
        Some(client)
    }
}

/// An address, with a port as some proxies write it.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t']);
    let found = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<std::net::SocketAddr>().map(|address| address.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>());
    found.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, headers: &[&str]) -> Option<String> {
        let proxies = Proxies::new(Networks::parse(trusted).unwrap());
        let headers = headers.iter().map(|header| header.as_bytes());
        proxies.client(peer.parse().unwrap(), headers).map(|address| address.to_string())
    }

    #[test]
    fn without_trusted_proxies_the_header_is_nothing() {
        assert_eq!(client(&[], "203.0.113.9", &["10.0.0.1"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(client(&["10.0.0.0/8"], "203.0.113.9", &["10.0.0.1"]).as_deref(), Some("203.0.113.9"));
    }

    #[test]
    fn a_client_can_not_write_its_own_address() {
        let proxies = &["10.0.0.0/8"];
        assert_eq!(client(proxies, "10.0.0.1", &["198.51.100.7"]).as_deref(), Some("198.51.100.7"));
        assert_eq!(client(proxies, "10.0.0.1", &["127.0.0.1, 198.51.100.7"]).as_deref(), Some("198.51.100.7"));
        assert_eq!(client(proxies, "10.0.0.1", &["127.0.0.1", "198.51.100.7"]).as_deref(), Some("198.51.100.7"));
        assert_eq!(
            client(proxies, "10.0.0.1", &["127.0.0.1, 198.51.100.7, 10.9.9.9"]).as_deref(),
            Some("198.51.100.7")
        );
        assert_eq!(client(proxies, "10.0.0.1", &[]).as_deref(), Some("10.0.0.1"));
        assert_eq!(client(proxies, "10.0.0.1", &["10.0.0.2"]).as_deref(), Some("10.0.0.2"));
        assert_eq!(client(proxies, "::ffff:10.0.0.1", &["[2001:db8::1]:99"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(client(proxies, "10.0.0.1", &["198.51.100.7:1234"]).as_deref(), Some("198.51.100.7"));
    }

    #[test]
    fn what_can_not_be_read_is_nobody() {
        let long = "10.0.0.1,".repeat(1000);
        let many = ["10.0.0.1"; MOST + 1].join(",");
        for header in ["", "unknown", "_hidden", "198.51.100.7, x", "\u{7f}", long.as_str(), many.as_str()] {
            assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[header]), None, "{header}");
        }
    }
}
