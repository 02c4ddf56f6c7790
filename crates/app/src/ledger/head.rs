//! The head of the log, kept beside the keys and in memory: a catalog that was put back to an older state, or exchanged, is
//! noticed at the start and while the server runs.

use sealyard_ledger::merkle::{consistency_path, verify_consistency};
use sealyard_ledger::{Act, Checkpoint, Outcome, VerifierKey};
use sealyard_store::{StoreError, Transaction, ledger_index};

use super::witnesses::with_lines;
use crate::{App, AppError, Caller};

/// How the catalog's log stands to a checkpoint that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadCheck {
    /// It is a continuation of it.
    Continues,
    /// It has fewer entries than that: so many.
    Behind {
        /// Of the kept checkpoint.
        kept: u64,
        /// Of the catalog.
        size: u64,
    },
    /// It has as many, but others.
    Rewritten {
        /// Of the kept checkpoint.
        kept: u64,
    },
    /// The kept checkpoint is not one of this log's key.
    Foreign,
}

/// A checkpoint of this log, as a note and read.
pub(crate) type Head = (String, Checkpoint);

impl App {
    /// The newest checkpoint with its cosignatures, to be kept beside the keys; `None` before the first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn checkpoint_to_keep(&self) -> Result<Option<String>, AppError> {
        let renewed = self.renewed();
        self.store()
            .read_short(move |tx| {
                let Some(record) = tx.latest_checkpoint()? else { return Ok(None) };
                with_lines(tx, &renewed, record.size, record.note).map(Some)
            })
            .await
    }

    /// How the catalog's log stands to `kept`, and, if it continues that, its newest checkpoint with its cosignatures: of one
    /// and the same look at the catalog, so that what is kept next was compared with what was kept before.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn compare_head(&self, kept: &str) -> Result<(HeadCheck, Option<String>), AppError> {
        let key = self.ledger_key.verifier();
        let Ok(kept) = Checkpoint::open(kept, &key) else { return Ok((HeadCheck::Foreign, None)) };
        let (rewritten, renewed) = (HeadCheck::Rewritten { kept: kept.size }, self.renewed());
        loop {
            let (kept, key, renewed) = (kept.clone(), key.clone(), renewed.clone());
            let looked = self
                .store()
                .read(move |tx| {
                    let Some(record) = tx.latest_checkpoint()? else {
                        return Ok((HeadCheck::Behind { kept: kept.size, size: 0 }, None));
                    };
                    let Ok(newest) = Checkpoint::open(&record.note, &key) else { return Ok((rewritten, None)) };
                    let found = continues(tx, &kept, &newest)?;
                    if found != HeadCheck::Continues {
                        return Ok((found, None));
                    }
                    let with = with_lines(tx, &renewed, record.size, record.note.clone())?;
                    Ok((found, Some((with, (record.note, newest)))))
                })
                .await;
            return match looked {
                // A long log whose upper levels are still being made.
                Err(AppError::Store(StoreError::Unavailable)) if self.fill_ledger_index().await? => continue,
                // What is there does not even make a tree of that size.
                Err(AppError::Store(StoreError::Ledger(_))) => Ok((rewritten, None)),
                Ok((found, Some((with, head)))) => {
                    self.sequencer.knows(head);
                    Ok((found, Some(with)))
                }
                Ok((found, None)) => Ok((found, None)),
                Err(error) => Err(error),
            };
        }
    }

    /// Notes that an administrator goes on with a log that is behind what was kept, or another.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn accept_ledger_rollback(&self, kept: u64, size: u64) -> Result<(), AppError> {
        let act = Act::LedgerRollbackAccepted { kept_size: kept, size };
        self.record(self.event(&Caller::system(), Outcome::Done, act)).await
    }
}

/// Whether the log of `newer` grew out of that of `older`, by a proof between what was signed: what else the catalog holds may
/// have been exchanged with the entries.
fn continues(tx: &mut dyn Transaction, older: &Checkpoint, newer: &Checkpoint) -> Result<HeadCheck, StoreError> {
    if newer.size < older.size {
        return Ok(HeadCheck::Behind { kept: older.size, size: newer.size });
    }
    let path = consistency_path(&mut ledger_index::tree(tx, newer.size), older.size, newer.size)?;
    let proven =
        path.is_some_and(|path| verify_consistency(older.size, older.root, newer.size, newer.root, &path).is_ok());
    Ok(if proven { HeadCheck::Continues } else { HeadCheck::Rewritten { kept: older.size } })
}

/// Refuses to go on with a log that is no continuation of the one that this server has seen: a signature below it would be
/// the proof for two pasts. `known` is what this process signed or read last.
pub(super) fn refuse_another_past(tx: &mut dyn Transaction, known: &Head, key: &VerifierKey) -> Result<(), StoreError> {
    let refused = |what: &str| {
        let kept = known.1.size;
        StoreError::Ledger(format!(
            "{what}, but had {kept} entries that this server has seen signed: it was put back or \
            exchanged while the server ran. Nothing is signed any more; `sealyard up --accept-ledger-rollback` goes on with it"
        ))
    };
    let Some(newest) = tx.latest_checkpoint()? else { return Err(refused("it has no checkpoint")) };
    if newest.note == known.0 {
        return Ok(());
    }
    let newest = Checkpoint::open(&newest.note, key).map_err(|error| {
        StoreError::Ledger(format!("its newest checkpoint was not signed by this server's key: {error}"))
    })?;
    match continues(tx, &known.1, &newest)? {
        HeadCheck::Continues => Ok(()),
        HeadCheck::Behind { size, .. } => Err(refused(&format!("it has {size} entries"))),
        _ => Err(refused("it has other entries")),
    }
}
