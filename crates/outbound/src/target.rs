use std::net::IpAddr;

use reqwest::Url;

use crate::{AllowList, OutboundError, is_public};

/// Bytes of the longest URL.
const LONGEST_URL: usize = 2000;

/// A URL that the guard found nothing wrong with. Its name is yet to be resolved.
#[derive(Debug, Clone)]
pub struct Target {
    url: Url,
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

impl Target {
    /// Reads the URL as a browser would, so that `2130706433`, `0177.1` and `[::ffff:7f00:1]` are the addresses they are.
    pub(crate) fn parse(text: &str, allow: &AllowList) -> Result<Self, OutboundError> {
        let malformed = |reason: &str| OutboundError::refused("outgoing.url", reason);
        if text.len() > LONGEST_URL {
            return Err(malformed("the URL is too long"));
        }
        // Readers of URLs drop or keep these in different ways.
        if text.chars().any(|character| character.is_control() || character.is_whitespace() || character == '\\') {
            return Err(malformed("the URL holds a space, a backslash or a control character"));
        }
        let url = Url::parse(text).map_err(|error| malformed(&format!("it is not a URL: {error}")))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(OutboundError::refused("outgoing.scheme", "only https is sent to"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::refused(
                "outgoing.userinfo",
                "a URL with a name or password in it is not sent to",
            ));
        }
        let host = match url.host_str() {
            Some(host) => match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
                Some(address) => Host::Address(address.parse().map_err(|_| malformed("its address can't be read"))?),
                None => host.parse().map_or_else(|_| Host::Name(host.to_owned()), Host::Address),
            },
            None => return Err(malformed("it has no host")),
        };
        let port = url.port_or_known_default().unwrap_or(443);
        let target = Self { url, host, port };
        if target.is_plain() && !target.is_listed(allow) {
            let reason = "plain http is only sent to the machine itself, and only when the operator allows that host";
            return Err(OutboundError::refused("outgoing.scheme", reason));
        }
        // Below 1024 other protocols live, whose servers may take a request for something else.
        if port < 1024 && port != 443 && !(port == 80 && target.is_plain()) {
            return Err(OutboundError::refused("outgoing.port", format!("port {port} belongs to another protocol")));
        }
        if let Host::Address(address) = target.host {
            target.check_address(address, allow)?;
        }
        Ok(target)
    }

    fn is_listed(&self, allow: &AllowList) -> bool {
        match &self.host {
            Host::Name(name) => allow.names(name),
            Host::Address(address) => allow.allows(None, *address),
        }
    }

    /// Whether a request may go to this address.
    pub(crate) fn check_address(&self, address: IpAddr, allow: &AllowList) -> Result<(), OutboundError> {
        let name = if let Host::Name(name) = &self.host { Some(name.as_str()) } else { None };
        if self.is_plain() && !address.to_canonical().is_loopback() {
            let reason = "plain http is only sent to the machine itself";
            return Err(OutboundError::refused("outgoing.scheme", reason));
        }
        if is_public(address) || allow.allows(name, address) {
            return Ok(());
        }
        // Which inner address a name has is nobody's business who could not ask for it.
        let what = if name.is_some() { "its host has an address that is" } else { "its address is" };
        Err(OutboundError::refused("outgoing.address", format!("{what} not on the public internet")))
    }

    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Scheme, host and port: what may stand in a log, since paths and queries can hold secrets.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(url: &str, allow: &[&str]) -> Option<&'static str> {
        Target::parse(url, &AllowList::parse(allow).unwrap()).err().map(|error| error.rule().unwrap())
    }

    #[test]
    fn addresses_in_any_spelling_are_seen_through() {
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "0",
            "10.0.0.1",
            "169.254.169.254",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "①②⑦.0.0.1",
        ] {
            assert_eq!(rule(&format!("https://{host}/x"), &[]), Some("outgoing.address"), "{host}");
        }
        assert_eq!(rule("http://[::ffff:127.0.0.1]/", &[]), Some("outgoing.scheme"));
        assert_eq!(rule("https://8.8.8.8/", &[]), None);
    }

    #[test]
    fn only_https_and_no_tricks() {
        assert_eq!(rule("https://hooks.example.org/services/T0/x?y=z", &[]), None);
        for url in
            ["http://hooks.example.org/", "ftp://hooks.example.org/", "file:///etc/passwd", "gopher://x/", "data:x"]
        {
            assert_eq!(rule(url, &[]), Some("outgoing.scheme"), "{url}");
        }
        for url in ["https://user@hooks.example.org/", "https://a:b@hooks.example.org/", "https://:b@127.0.0.1/"] {
            assert_eq!(rule(url, &[]), Some("outgoing.userinfo"), "{url}");
        }
        let long = format!("https://h.example/{}", "x".repeat(2000));
        for url in [
            "",
            "   ",
            "hooks.example.org",
            "http://[invalid",
            "https://",
            "https:///",
            " https://h.example/",
            "https://h.example/\n",
            "https://h.example\\@127.0.0.1/",
            "https://h.example/a b",
            long.as_str(),
        ] {
            assert_eq!(rule(url, &[]), Some("outgoing.url"), "{url}");
        }
    }

    #[test]
    fn ports_of_other_protocols_are_not_knocked_at() {
        for port in [0, 1, 22, 25, 80, 389, 445, 636, 993] {
            assert_eq!(rule(&format!("https://h.example:{port}/"), &[]), Some("outgoing.port"), "{port}");
        }
        for port in [443, 1024, 8443, 65535] {
            assert_eq!(rule(&format!("https://h.example:{port}/"), &[]), None, "{port}");
        }
        assert_eq!(rule("https://h.example:65536/", &[]), Some("outgoing.url"));
        assert_eq!(rule("http://localhost:25/", &["localhost"]), Some("outgoing.port"));
    }

    #[test]
    fn plain_http_takes_the_operators_word_and_the_machine_itself() {
        assert_eq!(rule("http://127.0.0.1:9000/", &[]), Some("outgoing.scheme"));
        assert_eq!(rule("http://127.0.0.1:9000/", &["127.0.0.1"]), None);
        assert_eq!(rule("http://localhost:9000/", &["localhost"]), None);
        assert_eq!(rule("http://10.0.0.1/", &["10.0.0.0/8"]), Some("outgoing.scheme"));
        assert_eq!(rule("https://10.0.0.1/", &["10.0.0.0/8"]), None);
    }

    #[test]
    fn an_origin_has_no_path() {
        let target = Target::parse("https://h.example:8443/secret?token=x#y", &AllowList::default()).unwrap();
        assert_eq!(target.origin(), "https://h.example:8443");
    }
}
