use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use sealyard_transport::{Crowd, Place};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// One part in so many of all places is always left to a peer, if there is one.
const SMALLEST_SHARE: usize = 256;

/// The connections that a listener may have at once.
///
/// A peer may have a half of as many as are still free: alone it gets a third of all, a second one a third of what is left, and
/// so on. So a few that take all they get leave places for the next, and one that needs many has them while nobody else does.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    peers: Arc<Crowd<IpAddr>>,
    smallest: usize,
}

/// One of them that is not yet a peer's.
#[derive(Debug)]
pub(crate) struct Free(OwnedSemaphorePermit);

/// One of them, taken until it is dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    _place: OwnedSemaphorePermit,
    _peer: Place<IpAddr>,
}

impl Places {
    /// `connections` in all, at most `per_address` of them for one peer.
    pub(crate) fn new(connections: usize, per_address: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(connections)),
            peers: Crowd::new(per_address),
            smallest: (connections / SMALLEST_SHARE).max(1),
        }
    }

    /// Waits for one.
    pub(crate) async fn free(&self) -> Result<Free, AcquireError> {
        Arc::clone(&self.all).acquire_owned().await.map(Free)
    }

    /// Gives it to `peer`, unless that has its share.
    pub(crate) fn give(&self, free: Free, peer: IpAddr) -> Option<Taken> {
        let share = (self.all.available_permits() / 2).max(self.smallest);
        let peer = self.peers.admit_up_to(share, site(peer))?;
        Some(Taken { _place: free.0, _peer: peer })
    }
}

/// What one peer can come from: with IPv6, a network of 48 bits is given to whoever asks a provider for one. Within one's own
/// networks (RFC 4193, and of one link) 64 bits are a peer's, and behind NAT64 (RFC 6052) it is the IPv4 address.
fn site(peer: IpAddr) -> IpAddr {
    let IpAddr::V6(address) = peer.to_canonical() else { return peer.to_canonical() };
    let bits = address.to_bits();
    let keep = match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => return IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
        [first, ..] if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 => 64,
        _ => 48,
    };
    IpAddr::V6(Ipv6Addr::from_bits(bits & (u128::MAX << (128 - keep))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that a peer gets.
    async fn greedy(places: &Places, peer: &str) -> Vec<Taken> {
        let mut taken = Vec::new();
        while let Ok(Ok(free)) = tokio::time::timeout(std::time::Duration::from_millis(50), places.free()).await {
            let Some(place) = places.give(free, peer.parse().unwrap()) else { break };
            taken.push(place);
        }
        taken
    }

    #[tokio::test]
    async fn a_few_that_take_all_they_get_leave_places_for_the_next() {
        let places = Places::new(4096, 4096);
        let first = greedy(&places, "192.0.2.1").await;
        let second = greedy(&places, "2001:db8:0:1::1").await;
        // The same site by another network of it gets no more.
        assert!(greedy(&places, "2001:db8:0:2::1").await.is_empty());
        let third = greedy(&places, "192.0.2.3").await;
        assert_eq!([first.len(), second.len(), third.len()], [1365, 910, 607]);
        let mut rest = Vec::new();
        for host in 0..8 {
            rest.push(greedy(&places, &format!("198.51.100.{host}")).await);
        }
        // However few are left, a newcomer gets its small share.
        assert!(rest.iter().all(|taken| taken.len() >= 16), "{:?}", rest.iter().map(Vec::len).collect::<Vec<_>>());
        drop((first, second, third, rest));
        assert_eq!(greedy(&places, "192.0.2.9").await.len(), 1365);
    }

    #[test]
    fn a_site_is_what_one_peer_can_come_from() {
        let same = |one: &str, other: &str| site(one.parse().unwrap()) == site(other.parse().unwrap());
        assert!(same("2001:db8:1:2::3", "2001:db8:1:ffff::4") && !same("2001:db8:1::", "2001:db8:2::"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1") && !same("192.0.2.1", "192.0.2.2"));
        // One's own networks, and all of IPv4 behind one prefix, are many peers.
        assert!(same("fd00:0:1:2::3", "fd00:0:1:2::4") && !same("fd00:0:1:2::3", "fd00:0:1:3::3"));
        assert!(same("64:ff9b::c000:201", "192.0.2.1") && !same("64:ff9b::c000:201", "64:ff9b::c000:202"));
    }

    #[tokio::test]
    async fn no_peer_gets_more_than_is_set() {
        assert_eq!(greedy(&Places::new(100, 7), "192.0.2.1").await.len(), 7);
        // One place is somebody's as well.
        assert_eq!(greedy(&Places::new(1, 1), "192.0.2.1").await.len(), 1);
    }
}
