use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::address::{in_network_4, in_network_6, is_inside};

/// What the operator lets requests go to although it is not on the public internet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// A host by its name, whatever inner address it has.
    Name(String),
    /// A network, or one address.
    Network(IpAddr, u32),
}

/// The text names no host and no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a host name nor an address nor a network such as 10.1.0.0/16")]
pub struct AllowListError(String);

impl AllowList {
    /// Each text is a host name, an address, or a network such as `10.1.0.0/16`.
    ///
    /// # Errors
    /// [`AllowListError`] for the first that is none of them.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, AllowListError> {
        texts.into_iter().map(|text| text.as_ref().parse()).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the host stands in the list by its name.
    pub(crate) fn names(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|entry| matches!(entry, Entry::Name(name) if name.eq_ignore_ascii_case(host)))
    }

    /// Whether requests to `address` are allowed for a host called `host`.
    pub(crate) fn allows(&self, host: Option<&str>, address: IpAddr) -> bool {
        if host.is_some_and(|host| self.names(host)) && is_inside(address) {
            return true;
        }
        self.0.iter().any(|entry| match entry {
            Entry::Name(_) => false,
            Entry::Network(network, length) => match (address.to_canonical(), network) {
                (IpAddr::V4(address), IpAddr::V4(network)) => in_network_4(address, *network, *length),
                (IpAddr::V6(address), IpAddr::V6(network)) => in_network_6(address, *network, *length),
                _ => false,
            },
        })
    }
}

impl FromStr for Entry {
    type Err = AllowListError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || AllowListError(text.chars().take(80).collect());
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Network(address, if address.is_ipv4() { 32 } else { 128 }));
        }
        if let Some((network, length)) = text.split_once('/') {
            let network: IpAddr = network.parse().map_err(|_| unknown())?;
            let length: u32 = length.parse().map_err(|_| unknown())?;
            let longest = if network.is_ipv4() { 32 } else { 128 };
            return if length <= longest { Ok(Self::Network(network, length)) } else { Err(unknown()) };
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        // A last label of digits would be read as an address by some.
        let last = text.rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|byte| byte.is_ascii_digit());
        if text.is_empty() || text.len() > 253 || numeric || text.starts_with('.') || !text.bytes().all(plain) {
            return Err(unknown());
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, entry) in self.0.iter().enumerate() {
            f.write_str(if position == 0 { "" } else { ", " })?;
            match entry {
                Entry::Name(name) => f.write_str(name)?,
                Entry::Network(network, length) => write!(f, "{network}/{length}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(list: &[&str], host: Option<&str>, address: &str) -> bool {
        AllowList::parse(list).unwrap().allows(host, address.parse().unwrap())
    }

    #[test]
    fn entries_allow_what_they_name() {
        assert!(allows(&["10.1.0.0/16"], None, "10.1.2.3"));
        assert!(allows(&["10.1.0.0/16"], None, "::ffff:10.1.2.3"));
        assert!(!allows(&["10.1.0.0/16"], None, "10.2.0.1"));
        assert!(allows(&["::1"], Some("x"), "::1"));
        assert!(allows(&["0.0.0.0/0"], None, "127.0.0.1"));
        assert!(!allows(&["0.0.0.0/0"], None, "::1"));
        assert!(allows(&["chat.corp"], Some("CHAT.corp."), "10.0.0.9"));
        assert!(!allows(&["chat.corp"], Some("evil.corp"), "10.0.0.9"));
        assert!(!allows(&["chat.corp"], Some("chat.corp"), "169.254.169.254"));
        assert!(allows(&["chat.corp", "169.254.0.0/16"], Some("chat.corp"), "169.254.169.254"));
        assert!(!allows(&[], Some("localhost"), "127.0.0.1"));
    }

    #[test]
    fn texts_that_name_nothing_are_refused() {
        for text in [
            "",
            "*",
            "*.corp",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "a b",
            "http://x",
            ".corp",
            "1.2.3",
            "x:80",
            "10.0.0.0/-1",
        ] {
            assert!(AllowList::parse([text]).is_err(), "{text}");
        }
        assert_eq!(AllowList::parse(["Localhost", "10.0.0.0/8"]).unwrap().to_string(), "localhost, 10.0.0.0/8");
    }
}
