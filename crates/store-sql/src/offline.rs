use std::path::Path;
use std::time::Duration;

use sealyard_core::{Digest, Timestamp};
use sealyard_ledger::Entry;
use sealyard_ledger::personal::Kept;
use sealyard_store::StoreError;
use sealyard_store::model::CheckpointRecord;

use crate::postgres::{self, PostgresUrl};
use crate::repository::{Columns as _, read_kept};
use crate::session::Session;
use crate::sqlite;

/// Entries held in memory at a time.
const BATCH: i64 = 1000;
/// When a database that does not answer counts as lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// Reads the log of a catalog without changing it, also of one that a server has open.
#[derive(Debug)]
pub struct LedgerReader {
    database: Database,
}

#[derive(Debug)]
enum Database {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Connection>),
}

impl LedgerReader {
    /// Opens the catalog at `path` for reading.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](crate::SqliteStore::open); a database that is not there is an error too.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = sqlite::connect_to_read(path)?;
        Ok(Self { database: Database::Sqlite(connection) })
    }

    /// Connects to the catalog at `url` for reading. Not to be called, nor the reader used, on a thread of an asynchronous
    /// runtime.
    ///
    /// # Errors
    /// As [`PostgresStore::open`](crate::PostgresStore::open); a database without a catalog is an error too.
    pub fn connect(url: &PostgresUrl) -> Result<Self, StoreError> {
        let connection = postgres::connect_to_read(url, PATIENCE)?;
        Ok(Self { database: Database::Postgres(Box::new(connection)) })
    }

    /// How many steps of the schema the catalog has had.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the database can't be read.
    pub fn schema(&self) -> Result<u32, StoreError> {
        match &self.database {
            Database::Sqlite(connection) => sqlite::migrate::check(connection),
            Database::Postgres(connection) => postgres::schema_version(connection),
        }
    }

    /// How many steps this release knows.
    #[must_use]
    pub const fn known_schema() -> u32 {
        sqlite::migrate::MIGRATIONS.len() as u32
    }

    pub(crate) fn session(&self) -> Session<'_> {
        match &self.database {
            Database::Sqlite(connection) => Session::sqlite(connection),
            Database::Postgres(connection) => Session::postgres(connection),
        }
    }

    /// All checkpoints, smallest first.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the database can't be read.
    pub fn checkpoints(&self) -> Result<Vec<CheckpointRecord>, StoreError> {
        self.session().all("SELECT size, note, created FROM ledger_checkpoints ORDER BY size", [], |row| {
            let created = Timestamp::from_millis(row.get(2)?);
            Ok(CheckpointRecord { size: row.get(0)?, note: row.get(1)?, created })
        })
    }

    /// The notes of all checkpoints, each with the cosignatures that are kept with it; of a catalog that has none yet, too.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the database can't be read.
    pub fn cosigned_checkpoints(&self) -> Result<Vec<String>, StoreError> {
        let mut notes: Vec<(u64, String)> =
            self.checkpoints()?.into_iter().map(|checkpoint| (checkpoint.size, checkpoint.note)).collect();
        if self.has_table("ledger_cosignatures")? {
            let lines: Vec<(u64, String)> =
                self.session().all("SELECT size, line FROM ledger_cosignatures ORDER BY size, witness", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            for (size, line) in lines {
                if let Ok(at) = notes.binary_search_by_key(&size, |(size, _)| *size)
                    && let Some((_, note)) = notes.get_mut(at)
                {
                    note.push_str(&line);
                }
            }
        }
        Ok(notes.into_iter().map(|(_, note)| note).collect())
    }

    /// What is kept apart of the entry that has this digest.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the database can't be read.
    pub fn personal(&self, digest: &Digest) -> Result<Kept, StoreError> {
        let sql = "SELECT salt, personal FROM ledger_personal WHERE digest = ?1";
        let found = self.session().optional(sql, [digest.as_bytes().as_slice()], read_kept)?;
        Ok(found.unwrap_or(Kept::Missing))
    }

    /// Whether the catalog has this table: one that an earlier release made has not all of them.
    fn has_table(&self, name: &str) -> Result<bool, StoreError> {
        let sql = match self.database {
            Database::Sqlite(_) => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
            Database::Postgres(_) => {
                "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?1"
            }
        };
        Ok(self.session().optional(sql, [name], |_| Ok(()))?.is_some())
    }

    /// The value of a setting.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the database can't be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.session().optional("SELECT value FROM settings WHERE key = ?1", [key], |row| row.get(0))
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
        self.session().all(
            "SELECT position, event, leaf FROM ledger_entries WHERE position > ?1 ORDER BY position LIMIT ?2",
            [after, BATCH],
            |row| Ok(Entry { index: row.get(0)?, bytes: row.get(1)?, leaf: row.digest(2)? }),
        )
    }
}
