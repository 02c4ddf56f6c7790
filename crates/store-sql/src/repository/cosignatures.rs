use sealyard_core::Timestamp;
use sealyard_store::{Cosignatures, StoreError};

use super::convert::{Columns as _, integer};
use crate::session::Session;

impl Cosignatures for Session<'_> {
    fn add_cosignature(&mut self, size: u64, witness: &str, line: &str, now: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO ledger_cosignatures (size, witness, line, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            (integer(size)?, witness, line, now.as_millis()),
        )?;
        Ok(())
    }

    fn cosignatures(&mut self, size: u64) -> Result<Vec<(String, String)>, StoreError> {
        self.all(
            "SELECT witness, line FROM ledger_cosignatures WHERE size = ?1 ORDER BY witness",
            [integer(size)?],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    fn cosigned_size(&mut self, witness: &str) -> Result<Option<u64>, StoreError> {
        self.optional(
            "SELECT size FROM ledger_cosignatures WHERE witness = ?1 ORDER BY size DESC LIMIT 1",
            [witness],
            |row| row.unsigned(0),
        )
    }

    fn cosigned_by(&mut self, witnesses: u32) -> Result<Option<u64>, StoreError> {
        self.optional(
            "SELECT size FROM ledger_cosignatures GROUP BY size HAVING count(*) >= ?1 ORDER BY size DESC LIMIT 1",
            [i64::from(witnesses)],
            |row| row.unsigned(0),
        )
    }

    fn checkpoint_of(&mut self, size: u64) -> Result<Option<String>, StoreError> {
        self.optional("SELECT note FROM ledger_checkpoints WHERE size = ?1", [integer(size)?], |row| row.get(0))
    }
}
