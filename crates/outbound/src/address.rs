use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are not the public internet (IANA's registry of special purposes, RFC 6890 and later).
const NOT_PUBLIC_4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([192, 175, 48, 0], 24),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Within 2000::/3, the only part of IPv6 that is handed out: what is none the less special. 2001::/23 holds Teredo and
/// ORCHID, 2002::/16 is 6to4, which carries any IPv4 address inside.
const NOT_PUBLIC_6: &[([u16; 3], u32)] = &[
    ([0x2001, 0, 0], 23),
    ([0x2001, 0x0db8, 0], 32),
    ([0x2002, 0, 0], 16),
    ([0x2620, 0x004f, 0x8000], 48),
    ([0x3fff, 0, 0], 20),
];

/// Whether `address` is an address of the public internet, and nothing that stands for another one: an IPv4 address in
/// IPv6's clothes (mapped, NAT64, 6to4, Teredo) is not.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !NOT_PUBLIC_4.iter().any(|(network, length)| in_network_4(address, Ipv4Addr::from(*network), *length))
        }
        IpAddr::V6(address) => {
            let handed_out = in_network_6(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
            let within = |network: &[u16; 3], length: u32| {
                let [x, y, z] = *network;
                in_network_6(address, Ipv6Addr::new(x, y, z, 0, 0, 0, 0, 0), length)
            };
            handed_out && !NOT_PUBLIC_6.iter().any(|(network, length)| within(network, *length))
        }
    }
}

/// Whether an operator who vouches for a *name* can mean this address: an inner service, the machine itself. Never
/// link-local, where clouds answer with credentials, and never what is no single machine.
pub(crate) fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || in_network_4(address, Ipv4Addr::new(100, 64, 0, 0), 10)
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.segments().first().is_some_and(|first| first & 0xfe00 == 0xfc00)
        }
    }
}

pub(crate) fn in_network_4(address: Ipv4Addr, network: Ipv4Addr, length: u32) -> bool {
    let mask = if length == 0 { 0 } else { u32::MAX << (32 - length.min(32)) };
    address.to_bits() & mask == network.to_bits() & mask
}

pub(crate) fn in_network_6(address: Ipv6Addr, network: Ipv6Addr, length: u32) -> bool {
    let mask = if length == 0 { 0 } else { u128::MAX << (128 - length.min(128)) };
    address.to_bits() & mask == network.to_bits() & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.215.14",
            "100.128.0.1",
            "172.32.0.1",
            "192.1.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:4860::8888",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_vouched_name_never_means_link_local() {
        for text in ["127.0.0.1", "10.1.2.3", "192.168.0.1", "100.64.1.1", "::1", "fd00::1", "::ffff:10.0.0.1"] {
            assert!(is_inside(text.parse().unwrap()), "{text}");
        }
        for text in [
            "169.254.169.254",
            "fe80::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "::ffff:169.254.169.254",
        ] {
            assert!(!is_inside(text.parse().unwrap()), "{text}");
        }
    }
}
