use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Passwords that may wait to be checked.
const MOST: usize = 256;
/// Those of one network, so that one stranger with many names does not keep everybody else out.
const MOST_OF_ONE: usize = 64;

/// The passwords that wait to be checked, by the network that each came from.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    networks: Mutex<HashMap<IpAddr, usize>>,
}

/// A place in the line, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    line: Arc<Waiting>,
    network: IpAddr,
}

impl Waiting {
    /// A place for one more; `None` if the line is full, or full of this network's.
    pub(crate) fn admit(self: &Arc<Self>, network: IpAddr) -> Option<Place> {
        let mut networks = self.lock();
        let all: usize = networks.values().sum();
        let of_one = networks.get(&network).copied().unwrap_or_default();
        if all >= MOST || of_one >= MOST_OF_ONE {
            return None;
        }
        networks.insert(network, of_one + 1);
        Some(Place { line: Arc::clone(self), network })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut networks = self.line.lock();
        if let Some(count) = networks.get_mut(&self.network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                networks.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_network_takes_all_places_and_the_line_has_an_end() {
        let line = Arc::new(Waiting::default());
        let network = |last: u8| IpAddr::from([192, 0, 2, last]);
        let mut held: Vec<Place> = (0..MOST_OF_ONE).map(|_| line.admit(network(1)).unwrap()).collect();
        assert!(line.admit(network(1)).is_none());
        held.extend((0..MOST - MOST_OF_ONE).map(|at| line.admit(network(2 + u8::try_from(at).unwrap() / 32)).unwrap()));
        assert!(line.admit(network(99)).is_none());
        held.pop();
        assert!(line.admit(network(99)).is_some());
        drop(held);
        assert!(line.lock().is_empty());
    }
}
