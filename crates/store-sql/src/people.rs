//! How often this process wrote who is who: accounts, tokens, second factors, lock-outs. Whoever remembers some of that asks
//! whether it can have changed since.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// The work on this thread changes it.
pub(crate) fn note() {
    CHANGED.set(true);
}

/// Moves after each commit with such work.
#[derive(Debug, Clone, Default)]
pub(crate) struct PeopleVersion(Arc<AtomicU64>);

impl PeopleVersion {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// After a commit, or where it is not known whether there was one, and before anybody is told of it.
    pub(crate) fn follow(&self) {
        if CHANGED.take() {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}
