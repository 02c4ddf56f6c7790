use std::path::Path;

use rusqlite::Connection;
use sealyard_core::{Digest, Timestamp};
use sealyard_ledger::Entry;
use sealyard_store::StoreError;
use sealyard_store::model::CheckpointRecord;

use crate::error::{OrBackend as _, corrupt};
use crate::sqlite::connection::connect_offline;
use crate::sqlite::migrate;

/// Entries held in memory at a time.
const BATCH: i64 = 1000;

/// Reads the log of a catalog without changing it, also of one that a server has open.
#[derive(Debug)]
pub struct LedgerReader {
    connection: Connection,
}

impl LedgerReader {
    /// Opens the catalog at `path` for reading.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](crate::SqliteStore::open); a database that is not there is an error too.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = connect_offline(path)?;
        if migrate::check(&connection)? == 0 {
            return Err(StoreError::Invalid(format!("{} is not a Sealyard catalog: it is empty", path.display())));
        }
        // One snapshot for everything: entries and checkpoints must belong together.
        connection.execute_batch("BEGIN DEFERRED").or_backend()?;
        Ok(Self { connection })
    }

    /// All checkpoints, smallest first.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the database can't be read.
    pub fn checkpoints(&self) -> Result<Vec<CheckpointRecord>, StoreError> {
        let mut statement =
            self.connection.prepare("SELECT size, note, created FROM ledger_checkpoints ORDER BY size").or_backend()?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).or_backend()?;
        rows.map(|row| {
            let (size, note, created): (i64, String, i64) = row.or_backend()?;
            let size = u64::try_from(size).map_err(|_| corrupt("checkpoint"))?;
            Ok(CheckpointRecord { size, note, created: Timestamp::from_millis(created) })
        })
        .collect()
    }

    /// The value of a setting.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the database can't be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        use rusqlite::OptionalExtension as _;
        self.connection
            .query_row("SELECT value FROM settings WHERE key = ?1", [key], |row| row.get(0))
            .optional()
            .or_backend()
    }

    /// All entries in the order of their index, a batch in memory at a time.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, StoreError>> + '_ {
        let mut batch: std::vec::IntoIter<Entry> = Vec::new().into_iter();
        let mut last = -1;
        let mut ended = false;
        std::iter::from_fn(move || {
            if ended {
                return None;
            }
            if let Some(entry) = batch.next() {
                return Some(Ok(entry));
            }
            match self.batch(last) {
                Ok(entries) => {
                    batch = entries.into_iter();
                    let next = batch.next();
                    last = batch.as_slice().last().or(next.as_ref()).map_or(last, |entry| entry.index as i64);
                    ended = next.is_none();
                    next.map(Ok)
                }
                Err(error) => {
                    ended = true;
                    Some(Err(error))
                }
            }
        })
    }

    fn batch(&self, after: i64) -> Result<Vec<Entry>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT position, event, leaf FROM ledger_entries WHERE position > ?1 ORDER BY position LIMIT ?2",
            )
            .or_backend()?;
        let rows =
            statement.query_map([after, BATCH], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).or_backend()?;
        rows.map(|row| {
            let (index, bytes, leaf): (i64, Vec<u8>, [u8; 32]) = row.or_backend()?;
            let index = u64::try_from(index).map_err(|_| corrupt("ledger index"))?;
            Ok(Entry { index, bytes, leaf: Digest::from_bytes(leaf) })
        })
        .collect()
    }
}
