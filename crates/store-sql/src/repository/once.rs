use sealyard_core::Timestamp;
use sealyard_store::{Once, StoreError};

use crate::session::Session;

impl Once for Session<'_> {
    fn use_once(&mut self, digest: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.execute("DELETE FROM used_once WHERE until <= ?1", [now.as_millis()])?;
        let sql = "INSERT INTO used_once (digest, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        Ok(self.execute(sql, (digest, until.as_millis()))? > 0)
    }
}
