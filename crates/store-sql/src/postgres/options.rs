use std::sync::Arc;
use std::time::Duration;

use sealyard_core::{Clock, SystemClock};

use crate::RowSeals;

/// How a [`PostgresStore`](crate::PostgresStore) is opened.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Dates the default experiment, which the first opening makes.
    pub clock: Arc<dyn Clock>,
    /// Threads that answer reads, each with a connection of its own; between 1 and 32.
    pub readers: usize,
    /// A read that takes longer is stopped with [`StoreError::TooLong`](sealyard_store::StoreError::TooLong).
    pub read_limit: Duration,
    /// Work that may wait before [`StoreError::Busy`](sealyard_store::StoreError::Busy) is the answer.
    pub queue: usize,
    /// When a server that does not answer a write counts as lost.
    pub patience: Duration,
    /// What rows are sealed with.
    pub seals: RowSeals,
}

impl PostgresOptions {
    /// The usual options with the time of `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..Self::default() }
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            readers: 4,
            read_limit: Duration::from_secs(30),
            queue: 4096,
            patience: Duration::from_secs(120),
            seals: RowSeals::default(),
        }
    }
}
