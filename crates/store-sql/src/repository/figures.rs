use sealyard_core::Timestamp;
use sealyard_store::{Figures, StoreError};

use super::convert::Columns as _;
use crate::session::Session;

impl Figures for Session<'_> {
    fn open_sessions(&mut self, now: Timestamp, idle_since: Timestamp) -> Result<u64, StoreError> {
        let found = self.optional(
            "SELECT COUNT(*) FROM sessions WHERE expires > ?1 AND seen > ?2",
            (now.as_millis(), idle_since.as_millis()),
            |row| row.unsigned(0),
        )?;
        Ok(found.unwrap_or(0))
    }
}
