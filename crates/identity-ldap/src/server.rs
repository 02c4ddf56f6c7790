//! Where a directory listens.

use rustls::pki_types::ServerName;

use crate::LdapSettingsError;

/// How a connection is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// TLS from the first byte.
    Tls,
    /// TLS after a request for it.
    StartTls,
    /// None; this machine only.
    Plain,
}

/// One server of a directory.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) secrecy: Secrecy,
    pub(crate) tls_name: ServerName<'static>,
}

impl Server {
    /// For the log.
    pub(crate) fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Reads `ldaps://host[:port]` or `ldap://host[:port]`.
    pub(crate) fn parse(url: &str, starttls: bool, insecure: bool) -> Result<Self, LdapSettingsError> {
        let bad = |what: &str| LdapSettingsError::value("url", format!("{url:?}: {what}"));
        let lower = url.to_ascii_lowercase();
        let (secrecy, rest) = if let Some(rest) = lower.strip_prefix("ldaps://") {
            if starttls {
                return Err(bad("ldaps is TLS from the start: starttls is for ldap"));
            }
            (Secrecy::Tls, rest)
        } else if let Some(rest) = lower.strip_prefix("ldap://") {
            match (starttls, insecure) {
                (true, _) => (Secrecy::StartTls, rest),
                (false, true) => (Secrecy::Plain, rest),
                (false, false) => return Err(bad("plain LDAP shows passwords to the network: set starttls = true")),
            }
        } else {
            return Err(bad("it begins with neither ldaps:// nor ldap://"));
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = if let Some(bracketed) = rest.strip_prefix('[') {
            let (host, after) = bracketed.split_once(']').ok_or_else(|| bad("a bracket is open"))?;
            (host, after.strip_prefix(':').or(after.is_empty().then_some("")).ok_or_else(|| bad("no port"))?)
        } else {
            rest.split_once(':').unwrap_or((rest, ""))
        };
        let default = if secrecy == Secrecy::Tls { 636 } else { 389 };
        let port = if port.is_empty() { Ok(default) } else { port.parse::<u16>() };
        let port = port.ok().filter(|port| *port != 0).ok_or_else(|| bad("the port is none"))?;
        let tls_name = ServerName::try_from(host.to_owned()).map_err(|_| bad("the host is no name and no address"))?;
        Ok(Self { host: host.to_owned(), port, secrecy, tls_name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let server = Server::parse("ldaps://Directory.example.org", false, false).unwrap();
        assert_eq!((server.host.as_str(), server.port, server.secrecy), ("directory.example.org", 636, Secrecy::Tls));
        let server = Server::parse("ldap://[::1]:1389/", true, false).unwrap();
        assert_eq!((server.host.as_str(), server.port, server.secrecy), ("::1", 1389, Secrecy::StartTls));
        assert_eq!(Server::parse("ldap://127.0.0.1", false, true).unwrap().secrecy, Secrecy::Plain);
        for bad in [
            "http://x",
            "ldap://",
            "ldaps://x:0",
            "ldaps://x:99999",
            "ldaps://a@b",
            "ldaps://x/dc=y",
            "ldaps://x?y",
            "ldaps://[::1",
            "ldaps://[::1]x",
            "ldapi://%2fx",
        ] {
            assert!(Server::parse(bad, false, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn plain_ldap_has_to_be_asked_for() {
        assert!(Server::parse("ldap://directory.example.org", false, false).is_err());
        assert!(Server::parse("ldaps://directory.example.org", true, false).is_err());
    }
}
