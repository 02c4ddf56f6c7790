use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sealyard_core::Clock;

use crate::EgressEntry;

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
    dropped: u64,
    open: Vec<TcpStream>,
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
        if state.entries.len() >= MAX_ENTRIES {
            state.dropped += 1;
            return None;
        }
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

    /// Keeps a handle on a connection, so that it can be ended; false when all is over already.
    pub(super) fn keep(&self, streams: [TcpStream; 2]) -> bool {
        let mut state = self.state();
        if state.hung_up {
            return false;
        }
        state.open.extend(streams);
        true
    }

    /// Ends every connection.
    pub(super) fn hang_up(&self) {
        let mut state = self.state();
        state.hung_up = true;
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn into_entries(self) -> (Vec<EgressEntry>, u64) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        (state.entries, state.dropped)
    }
}
