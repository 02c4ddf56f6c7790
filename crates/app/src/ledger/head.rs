//! The head of the log, kept beside the keys: a catalog that was put back to an older state is noticed at the start.

use sealyard_ledger::merkle::root_of;
use sealyard_ledger::{Act, Checkpoint, Outcome};
use sealyard_store::{StoreError, ledger_index};

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

impl App {
    /// The newest checkpoint with its cosignatures, to be kept beside the keys; `None` before the first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn checkpoint_to_keep(&self) -> Result<Option<String>, AppError> {
        self.store()
            .read_short(|tx| {
                let Some(record) = tx.latest_checkpoint()? else { return Ok(None) };
                with_lines(tx, record.size, record.note).map(Some)
            })
            .await
    }

    /// Whether the catalog's log is a continuation of `kept`.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn check_kept_checkpoint(&self, kept: &str) -> Result<HeadCheck, AppError> {
        let Ok(kept) = Checkpoint::open(kept, &self.ledger_key.verifier()) else { return Ok(HeadCheck::Foreign) };
        loop {
            let (size, root) = (kept.size, kept.root);
            let looked = self
                .store()
                .read(move |tx| {
                    let count = tx.entry_count()?;
                    if count < size {
                        return Ok(HeadCheck::Behind { kept: size, size: count });
                    }
                    let found = root_of(&mut ledger_index::tree(tx, size), size).map_err(StoreError::from)?;
                    Ok(if found == root { HeadCheck::Continues } else { HeadCheck::Rewritten { kept: size } })
                })
                .await;
            match looked {
                // A long log whose upper levels are still being made.
                Err(AppError::Store(StoreError::Unavailable)) if self.fill_ledger_index().await? => {}
                // What is there does not even make a tree of that size.
                Err(AppError::Store(StoreError::Ledger(_))) => return Ok(HeadCheck::Rewritten { kept: size }),
                other => return other,
            }
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
