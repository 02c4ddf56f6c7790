//! Answers the kernel's questions about `connect` and `sendto`.
//!
//! A call that may go on reads its address again from the command's memory, which another of its threads may have changed
//! by then. That gains nothing: the network has no route to anywhere. The refusal is for the log, the namespace is the wall.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::egress::EgressLog;
use crate::sys;

const MAX_ADDRESS: usize = 128;

/// Where a call wants to go.
#[derive(Debug, PartialEq, Eq)]
enum Destination {
    /// An address of the network.
    Internet(SocketAddr),
    /// A socket in the sandbox's own file system, or the end of an association.
    Local,
    /// Anything else.
    Other(u16),
}

/// Answers until the command and all its children are gone, or `stop`.
pub(super) fn serve(listener: &OwnedFd, port: Option<u16>, egress: &EgressLog, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        match super::readable(listener) {
            Some(true) => {}
            Some(false) => continue,
            None => return,
        }
        // The caller may be gone by now; then there is nothing to answer.
        let Ok(question) = sys::next_question(listener.as_fd()) else { continue };
        let destination = read_destination(listener, &question);
        let refusal = match &destination {
            Some(Destination::Local) => None,
            Some(Destination::Internet(address)) if is_relay(address, port) => None,
            _ => Some(libc::EACCES),
        };
        if refusal.is_some() {
            egress.record(
                match destination {
                    Some(Destination::Internet(address)) => address.to_string(),
                    Some(Destination::Other(family)) => format!("address family {family}"),
                    _ => "unreadable address".to_owned(),
                },
                false,
            );
        }
        let _ = sys::answer(listener.as_fd(), question.id, refusal);
    }
}

fn is_relay(address: &SocketAddr, port: Option<u16>) -> bool {
    address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) && Some(address.port()) == port
}

/// The address that the call points to, read from its process's memory.
fn read_destination(listener: &OwnedFd, question: &libc::seccomp_notif) -> Option<Destination> {
    let arguments = question.data.args;
    let is_connect = libc::c_long::from(question.data.nr) == libc::SYS_connect;
    let (place, length) = if is_connect { (arguments[1], arguments[2]) } else { (arguments[4], arguments[5]) };
    let memory = File::open(format!("/proc/{}/mem", question.pid)).ok()?;
    // Only now is it sure that the pid was still the caller's when its memory was opened.
    if !sys::still_asks(listener.as_fd(), question.id) {
        return None;
    }
    let length = usize::try_from(length & 0xFFFF_FFFF).ok()?.min(MAX_ADDRESS);
    let mut bytes = [0; MAX_ADDRESS];
    let bytes = bytes.get_mut(..length)?;
    memory.read_exact_at(bytes, place).ok()?;
    parse(bytes)
}

/// `struct sockaddr` of any family.
fn parse(bytes: &[u8]) -> Option<Destination> {
    let family = u16::from_ne_bytes(bytes.first_chunk().copied()?);
    let port = || bytes.get(2..)?.first_chunk().copied().map(u16::from_be_bytes);
    Some(match i32::from(family) {
        libc::AF_UNIX | libc::AF_UNSPEC => Destination::Local,
        libc::AF_INET => {
            let octets: [u8; 4] = bytes.get(4..)?.first_chunk().copied()?;
            Destination::Internet(SocketAddr::new(Ipv4Addr::from(octets).into(), port()?))
        }
        libc::AF_INET6 => {
            let octets: [u8; 16] = bytes.get(8..)?.first_chunk().copied()?;
            Destination::Internet(SocketAddr::new(Ipv6Addr::from(octets).into(), port()?))
        }
        _ => Destination::Other(family),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_short_ones_are_not() {
        let inet = [&2_u16.to_ne_bytes()[..], &443_u16.to_be_bytes(), &[203, 0, 113, 7]].concat();
        assert_eq!(parse(&inet), Some(Destination::Internet("203.0.113.7:443".parse().unwrap())));
        assert_eq!(parse(&inet[..7]), None);
        let inet6 = [&10_u16.to_ne_bytes()[..], &53_u16.to_be_bytes(), &[0; 4], &[0; 15], &[1]].concat();
        assert_eq!(parse(&inet6), Some(Destination::Internet("[::1]:53".parse().unwrap())));
        assert_eq!(parse(&1_u16.to_ne_bytes()), Some(Destination::Local));
        assert_eq!(parse(&16_u16.to_ne_bytes()), Some(Destination::Other(16)));
        assert_eq!(parse(&[]), None);
    }

    #[test]
    fn only_the_relays_own_port_goes_on() {
        let relay = |text: &str, port| is_relay(&text.parse().unwrap(), port);
        assert!(relay("127.0.0.1:5000", Some(5000)));
        assert!(!relay("127.0.0.1:5001", Some(5000)));
        assert!(!relay("127.0.0.2:5000", Some(5000)));
        assert!(!relay("[::1]:5000", Some(5000)));
        assert!(!relay("127.0.0.1:5000", None));
    }
}
