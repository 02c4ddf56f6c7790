//! The sequencer: from the outbox to the signed log.

use sealyard_core::Clock;
use sealyard_ledger::merkle::leaf_hash;
use sealyard_ledger::{Checkpoint, Frontier, LedgerKey};

use crate::model::{CheckpointRecord, LedgerEntry};
use crate::{StoreError, Transaction};

/// Where the right edge of the tree is kept between calls.
const FRONTIER: &str = "ledger.frontier";
/// Entries read at a time when it has to be made again.
const BATCH: u32 = 1000;

/// Turns up to `limit` outbox rows into log entries and signs a checkpoint over them, all in `tx`. Gives how many.
///
/// The log is only ever extended from what `key` signed before: when entries, checkpoint and key don't go together, this
/// is an error and nothing is written, since a new signature would hide that the log was changed.
///
/// # Errors
/// [`StoreError::Ledger`], or the backend's.
pub fn sequence(tx: &mut dyn Transaction, key: &LedgerKey, clock: &dyn Clock, limit: u32) -> Result<usize, StoreError> {
    let rows = tx.outbox(limit)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut frontier = current(tx, key)?;
    let mut entries = Vec::with_capacity(rows.len());
    let mut numbers = Vec::with_capacity(rows.len());
    for (number, bytes) in rows {
        let leaf = leaf_hash(&bytes);
        entries.push(LedgerEntry { index: frontier.size(), bytes, leaf });
        numbers.push(number);
        frontier.push(leaf);
    }
    tx.append_entries(&entries, &numbers)?;
    let note = Checkpoint::sign(frontier.size(), &frontier.root(), key);
    tx.add_checkpoint(&CheckpointRecord { size: frontier.size(), note, created: clock.now() })?;
    tx.put_setting(FRONTIER, &frontier.to_text())?;
    crate::ledger_index::extend(tx, &entries)?;
    Ok(entries.len())
}

/// The right edge of the log as it was last signed.
fn current(tx: &mut dyn Transaction, key: &LedgerKey) -> Result<Frontier, StoreError> {
    let count = tx.entry_count()?;
    let signed = match tx.latest_checkpoint()? {
        None if count == 0 => return Ok(Frontier::default()),
        None => return Err(StoreError::Ledger(format!("{count} entries have no checkpoint"))),
        Some(record) => Checkpoint::open(&record.note, &key.verifier()).map_err(|error| {
            StoreError::Ledger(format!("its newest checkpoint was not signed by this server's key: {error}"))
        })?,
    };
    if signed.size != count {
        return Err(StoreError::Ledger(format!("its newest checkpoint covers {} of {count} entries", signed.size)));
    }
    let kept = tx.setting(FRONTIER)?.and_then(|text| Frontier::from_text(&text));
    let fits = |frontier: &Frontier| frontier.size() == signed.size && frontier.root() == signed.root;
    if let Some(frontier) = kept.filter(fits) {
        return Ok(frontier);
    }
    Some(rebuild(tx)?)
        .filter(fits)
        .ok_or_else(|| StoreError::Ledger("its entries do not give the root that was signed".to_owned()))
}

fn rebuild(tx: &mut dyn Transaction) -> Result<Frontier, StoreError> {
    let mut frontier = Frontier::default();
    loop {
        let entries = tx.entries(frontier.size(), BATCH)?;
        if entries.is_empty() {
            return Ok(frontier);
        }
        for entry in &entries {
            if entry.index != frontier.size() {
                return Err(StoreError::Ledger(format!("its entry {} is missing", frontier.size())));
            }
            frontier.push(leaf_hash(&entry.bytes));
        }
    }
}
