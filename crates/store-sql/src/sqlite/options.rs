use std::sync::Arc;
use std::time::Duration;

use sealyard_core::{Clock, SystemClock};

use crate::RowSeals;

/// How a [`SqliteStore`](crate::SqliteStore) is opened.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// Dates the default experiment, which the first opening makes.
    pub clock: Arc<dyn Clock>,
    /// Threads that answer reads; between 1 and 16.
    pub readers: usize,
    /// A read that takes longer is stopped with [`StoreError::TooLong`](sealyard_store::StoreError::TooLong), so that no
    /// search can hold a reader for good.
    pub read_limit: Duration,
    /// Work that may wait before [`StoreError::Busy`](sealyard_store::StoreError::Busy) is the answer.
    pub queue: usize,
    /// What rows are sealed with.
    pub seals: RowSeals,
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
        Self {
            clock: Arc::new(SystemClock),
            readers: 3,
            read_limit: Duration::from_secs(30),
            queue: 4096,
            seals: RowSeals::default(),
        }
    }
}
