//! How many connections each peer has, so that no one takes all places.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The connections of each peer's address.
#[derive(Debug)]
pub(crate) struct Peers {
    most: usize,
    held: Mutex<HashMap<IpAddr, usize>>,
}

impl Peers {
    /// Each may have `most` connections.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// Counts one more connection until what is given back is dropped; `None` if the peer has as many as it may.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Held> {
        let peer = network(peer);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(peer).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Held { peers: Arc::clone(self), peer })
    }
}

/// One connection of a peer.
#[derive(Debug)]
pub(crate) struct Held {
    peers: Arc<Peers>,
    peer: IpAddr,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.peers.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.peer);
            }
        }
    }
}

/// What belongs to one peer: with IPv6 that is a network of 64 bits, whose addresses it may take as it likes.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_its_own_connections() {
        let peers = Peers::new(1);
        let held = peers.admit("10.0.0.1".parse().unwrap()).unwrap();
        assert!(peers.admit("::ffff:10.0.0.1".parse().unwrap()).is_none());
        assert!(peers.admit("10.0.0.2".parse().unwrap()).is_some());
        drop(held);
        assert!(peers.held.lock().unwrap().is_empty());
        let _held = peers.admit("2001:db8::1".parse().unwrap()).unwrap();
        assert!(peers.admit("2001:db8::2".parse().unwrap()).is_none());
        assert!(peers.admit("2001:db8:0:1::1".parse().unwrap()).is_some());
    }
}
