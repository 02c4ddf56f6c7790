use sealyard_core::{Rng, SystemRng};
use sealyard_ledger::personal::{Parted, part};
use sealyard_ledger::tile::MAX_ENTRY;
use sealyard_ledger::{Act, Event};
use sealyard_store::model::{CheckpointRecord, LedgerEntry};
use sealyard_store::{LedgerRecords, StoreError};

use super::convert::{Columns as _, integer};
use crate::error::backend;
use crate::session::Session;
use crate::sql::Row;

impl LedgerRecords for Session<'_> {
    fn record(&mut self, event: &Event) -> Result<(), StoreError> {
        let bytes = event.to_bytes().map_err(backend)?;
        // The salt is nobody's to choose, not even a test's.
        let salt = (&SystemRng as &dyn Rng).bytes::<32>();
        let mut apart = vec!["source"];
        if let Act::LoginFailed { name, .. } = &event.act
            && !self.exists("SELECT 1 FROM users WHERE name = ?1", [name])?
        {
            apart.push("name");
        }
        let Parted { bytes, personal } = part(bytes, &apart, salt).map_err(backend)?;
        // A bundle of entries (C2SP tlog-tiles) has 16 bits for an entry's length.
        if bytes.len() > MAX_ENTRY {
            return Err(StoreError::Invalid(format!("what the ledger is to be told is longer than {MAX_ENTRY} bytes")));
        }
        if let Some(personal) = personal {
            // Of whom it is: a refused log-in is nobody's act, and tells of the account that it was for.
            let owner = match &event.act {
                Act::LoginFailed { name, .. } if !apart.contains(&"name") => name,
                _ => &event.actor,
            };
            self.keep_personal(&personal, owner, event.time)?;
        }
        self.execute("INSERT INTO outbox (event) VALUES (?1)", [bytes])?;
        Ok(())
    }

    fn outbox(&mut self, limit: u32) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        self.all("SELECT number, event FROM outbox ORDER BY number LIMIT ?1", [limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    fn newest_in_outbox(&mut self) -> Result<Option<i64>, StoreError> {
        self.optional("SELECT number FROM outbox ORDER BY number DESC LIMIT 1", [], |row| row.get(0))
    }

    fn append_entries(&mut self, entries: &[LedgerEntry], outbox_rows: &[i64]) -> Result<(), StoreError> {
        let next = self.entry_count()?;
        let mut rows = Vec::with_capacity(entries.len());
        for (next, LedgerEntry { index, bytes, leaf }) in (next..).zip(entries) {
            if *index != next {
                return Err(StoreError::Conflict(format!("ledger entry {index} does not follow: {next} is next")));
            }
            rows.push((integer(*index)?, bytes, leaf.as_bytes()));
        }
        self.execute_many("INSERT INTO ledger_entries (position, event, leaf) VALUES (?1, ?2, ?3)", rows)?;
        let list = serde_json::to_string(outbox_rows).map_err(backend)?;
        let numbers = self.dialect().integers("?1");
        let removed = self.execute(&format!("DELETE FROM outbox WHERE number IN {numbers}"), [list])?;
        if removed != outbox_rows.len() {
            return Err(StoreError::Conflict("an outbox row is gone: it was sequenced already".to_owned()));
        }
        Ok(())
    }

    fn add_checkpoint(&mut self, checkpoint: &CheckpointRecord) -> Result<(), StoreError> {
        let newest: Option<u64> =
            self.optional("SELECT size FROM ledger_checkpoints ORDER BY size DESC LIMIT 1", [], |row| row.unsigned(0))?;
        if newest.is_some_and(|newest| checkpoint.size <= newest) {
            return Err(StoreError::Conflict(format!("a checkpoint of {} entries or more is there", checkpoint.size)));
        }
        self.execute(
            "INSERT INTO ledger_checkpoints (size, note, created) VALUES (?1, ?2, ?3)",
            (integer(checkpoint.size)?, &checkpoint.note, checkpoint.created.as_millis()),
        )?;
        Ok(())
    }

    fn latest_checkpoint(&mut self) -> Result<Option<CheckpointRecord>, StoreError> {
        self.optional(
            "SELECT size, note, created FROM ledger_checkpoints ORDER BY size DESC LIMIT 1",
            [],
            read_checkpoint,
        )
    }

    fn checkpoints(&mut self) -> Result<Vec<CheckpointRecord>, StoreError> {
        self.all("SELECT size, note, created FROM ledger_checkpoints ORDER BY size", [], read_checkpoint)
    }

    fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        self.all(
            "SELECT position, event, leaf FROM ledger_entries WHERE position >= ?1 ORDER BY position LIMIT ?2",
            (integer(from)?, limit),
            |row| Ok(LedgerEntry { index: row.unsigned(0)?, bytes: row.get(1)?, leaf: row.digest(2)? }),
        )
    }

    fn entry_count(&mut self) -> Result<u64, StoreError> {
        // Positions have no gaps, so the last one tells the count without a scan.
        let last: Option<u64> =
            self.optional("SELECT position FROM ledger_entries ORDER BY position DESC LIMIT 1", [], |row| {
                row.unsigned(0)
            })?;
        Ok(last.map_or(0, |last| last + 1))
    }
}

fn read_checkpoint(row: &Row<'_>) -> Result<CheckpointRecord, StoreError> {
    Ok(CheckpointRecord { size: row.unsigned(0)?, note: row.get(1)?, created: row.timestamp(2)? })
}
