use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sealyard_core::Clock;

use crate::EgressEntry;

/// Of the refused and of the others, so that no flood of the ones hides the others.
const MAX_ENTRIES: usize = 10_000;

/// Every connection that was made or refused, and the open ones.
#[derive(Debug)]
pub(super) struct EgressLog {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<EgressEntry>,
    refused: usize,
    dropped: u64,
    open: BTreeMap<u64, [TcpStream; 2]>,
    kept: u64,
    hung_up: bool,
}

/// One direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Out,
    In,
}

impl EgressLog {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an attempt down; gives its number unless the log is full.
    pub(super) fn record(&self, destination: String, allowed: bool) -> Option<usize> {
        let when = self.clock.now();
        let mut state = self.state();
        let alike = if allowed { state.entries.len() - state.refused } else { state.refused };
        if alike >= MAX_ENTRIES {
            state.dropped += 1;
            return None;
        }
        state.refused += usize::from(!allowed);
        state.entries.push(EgressEntry { when, destination, allowed, bytes_sent: 0, bytes_received: 0 });
        Some(state.entries.len() - 1)
    }

    pub(super) fn count(&self, number: Option<usize>, direction: Direction, bytes: u64) {
        let mut state = self.state();
        if let Some(entry) = number.and_then(|number| state.entries.get_mut(number)) {
            match direction {
                Direction::Out => entry.bytes_sent += bytes,
                Direction::In => entry.bytes_received += bytes,
            }
        }
    }

    /// Keeps a handle on a connection, so that it can be ended; none when all is over already.
    pub(super) fn keep(&self, streams: [TcpStream; 2]) -> Option<u64> {
        let mut state = self.state();
        if state.hung_up {
            return None;
        }
        state.kept += 1;
        let handle = state.kept;
        state.open.insert(handle, streams);
        Some(handle)
    }

    /// Lets go of a connection that is over: its descriptors are the supervisor's.
    pub(super) fn release(&self, handle: u64) {
        self.state().open.remove(&handle);
    }

    /// Ends every connection.
    pub(super) fn hang_up(&self) {
        let mut state = self.state();
        state.hung_up = true;
        for stream in std::mem::take(&mut state.open).into_values().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn into_entries(self) -> (Vec<EgressEntry>, u64) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        (state.entries, state.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealyard_core::SystemClock;

    #[test]
    fn a_flood_of_refused_attempts_hides_no_connection() {
        let log = EgressLog::new(Arc::new(SystemClock));
        for port in 0..MAX_ENTRIES + 5 {
            log.record(format!("192.0.2.1:{port}"), false);
        }
        let number = log.record("127.0.0.1:5000".into(), true);
        log.count(number, Direction::Out, 7);
        let (entries, dropped) = log.into_entries();
        assert_eq!((entries.len(), dropped), (MAX_ENTRIES + 1, 5));
        assert!(entries.last().is_some_and(|entry| entry.allowed && entry.bytes_sent == 7));
    }
}
