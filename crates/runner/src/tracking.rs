//! The tracking server as the command sees it.

use std::net::{SocketAddr, ToSocketAddrs as _};

use sealyard_sandbox::Relay;

use crate::{RunError, Tracking};

/// The relay that leads to `tracking`. Host and port stay as they are, so that the server's certificate matches.
pub(crate) fn relay(tracking: &Tracking) -> Result<Relay, RunError> {
    let refuse = |detail: &str| RunError::Tracking { url: shown(&tracking.url), detail: detail.to_owned() };
    let (scheme, rest) = tracking.url.split_once("://").ok_or_else(|| refuse("it has no scheme"))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(refuse("it holds credentials; give a token instead"));
    }
    if authority.starts_with('[') {
        return Err(refuse("its host is an IPv6 address; use a host name"));
    }
    let default = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(refuse("its scheme is neither https nor http")),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().map_err(|_| refuse("its port is not a number"))?),
        None => (authority, default),
    };
    let addresses: Vec<SocketAddr> =
        (host, port).to_socket_addrs().map_err(|error| refuse(&format!("its host is unknown: {error}")))?.collect();
    let target = addresses
        .iter()
        .find(|address| address.is_ipv4())
        .or_else(|| addresses.first())
        .copied()
        .ok_or_else(|| refuse("its host has no address"))?;
    let is_address = host.parse::<std::net::Ipv4Addr>().is_ok();
    if is_address && host != "127.0.0.1" {
        return Err(refuse("its host is an address other than 127.0.0.1; use a host name"));
    }
    if scheme == "http" && !target.ip().is_loopback() {
        return Err(refuse("it is not encrypted and not on this machine"));
    }
    let names = if is_address { Vec::new() } else { vec![host.to_owned()] };
    Ok(Relay { port, names, target })
}

/// A URL without what may be secret in it.
fn shown(url: &str) -> String {
    let rest = url.rsplit('@').next().unwrap_or(url);
    rest.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Experiment;

    fn of(url: &str) -> Result<Relay, RunError> {
        relay(&Tracking { url: url.into(), ca_pem: None, token: None, experiment: Experiment::Id("0".into()) })
    }

    #[test]
    fn loopback_and_names_are_relayed() {
        let relay = of("https://127.0.0.1:5443/").unwrap();
        assert_eq!((relay.port, relay.target.to_string(), relay.names.len()), (5443, "127.0.0.1:5443".into(), 0));
        assert_eq!(of("http://localhost:5000").unwrap().names, ["localhost"]);
    }

    #[test]
    fn what_would_not_be_safe_is_refused() {
        for url in [
            "127.0.0.1:5000",
            "ftp://localhost:1",
            "https://u:secret@localhost:1",
            "https://192.0.2.1:5000",
            "http://192.0.2.1:5000",
            "https://[::1]:1",
            "https://localhost:x",
        ] {
            let error = of(url).unwrap_err();
            assert!(matches!(error, RunError::Tracking { .. }), "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
