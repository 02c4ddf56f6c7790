use std::sync::Arc;

use sealyard_core::{Clock, SystemClock};

/// How a [`SqliteStore`](crate::SqliteStore) is opened.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// Dates the default experiment, which the first opening makes.
    pub clock: Arc<dyn Clock>,
    /// Threads that answer reads; between 1 and 16.
    pub readers: usize,
    /// Work that may wait before [`StoreError::Busy`](sealyard_store::StoreError::Busy) is the answer.
    pub queue: usize,
}

impl SqliteOptions {
    /// The usual options with the time of `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..Self::default() }
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), readers: 3, queue: 4096 }
    }
}
