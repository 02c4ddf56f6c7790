//! The sequencer, and what people ask of the ledger.

mod export;
mod head;
mod personal;
mod proofs;
mod search;
mod witnesses;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sealyard_core::Timestamp;
use sealyard_identity::{Authorized, LedgerLog, Read};
use sealyard_ledger::Checkpoint;
use sealyard_store::StoreError;
use serde::Serialize;
use tokio::sync::Notify;

pub use head::HeadCheck;
pub use search::{FoundEntries, FoundEntry, LedgerSearch};
pub use witnesses::{Witness, Witnesses};

use crate::{App, AppError};

/// Events that were not announced are picked up after this long: those of a process that died, or of another replica.
const LATEST: Duration = Duration::from_secs(2);
/// Events get this long to become entries with others: each checkpoint is signed and synced to disk. Who reads the ledger
/// waits for none of this.
const GATHERING: Duration = Duration::from_millis(200);
/// So many events become entries under one checkpoint.
const BATCH: u32 = 1000;

/// Wakes the sequencer.
#[derive(Debug, Default, Clone)]
pub(crate) struct Wake {
    wake: Arc<Notify>,
    /// The largest log that this process has signed or seen signed.
    head: Arc<Mutex<Option<head::Head>>>,
}

impl Wake {
    pub(crate) fn notify(&self) {
        self.wake.notify_one();
    }

    fn known(&self) -> Option<head::Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn knows(&self, head: head::Head) {
        let mut known = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.1.size < head.1.size) {
            *known = Some(head);
        }
    }
}

/// How the ledger stands.
#[derive(Debug, Clone, Serialize)]
pub struct LedgerStatus {
    /// The newest signed checkpoint, as a C2SP note.
    pub checkpoint: String,
    /// How many entries it covers.
    pub size: u64,
    /// When it was signed.
    pub time: Timestamp,
    /// The public key that checks it.
    pub verifier_key: String,
    /// The newest checkpoint that enough witnesses cosigned, with their signatures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosigned: Option<String>,
}

impl App {
    /// Turns the outbox into log entries for as long as the server runs.
    pub async fn run_sequencer(self: Arc<Self>) {
        let wake = Arc::clone(&self.sequencer.wake);
        loop {
            if let Err(error) = self.write_ended_counts().await {
                tracing::error!(%error, "counted refusals could not be written; it will be tried again");
            }
            if let Err(error) = self.write_counted_reads(false).await {
                tracing::error!(%error, "counted reads could not be written");
            }
            let filling = self.fill_ledger_index().await.unwrap_or_else(|error| {
                tracing::error!(%error, "the index of the ledger could not be filled; it will be tried again");
                false
            });
            match self.sequence().await {
                Ok(_) if filling => {}
                Ok(0) => {
                    let _ = tokio::time::timeout(LATEST, wake.notified()).await;
                    tokio::time::sleep(GATHERING).await;
                }
                Ok(full) if u32::try_from(full) == Ok(BATCH) => {}
                Ok(_) => tokio::time::sleep(GATHERING).await,
                Err(error) => {
                    tracing::error!(%error, "the ledger could not be extended; it will be tried again");
                    tokio::time::sleep(LATEST).await;
                }
            }
        }
    }

    /// Turns what is in the outbox now into entries, under one signed checkpoint. Gives how many. A log that does not
    /// continue what this server has seen is not extended.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sequence(&self) -> Result<usize, AppError> {
        let key = Arc::clone(&self.ledger_key);
        let clock = Arc::clone(&self.clock);
        let known = self.sequencer.known();
        let (count, head) = self
            .store()
            .write(move |tx| {
                if tx.newest_in_outbox()?.is_none() {
                    return Ok((0, None));
                }
                if let Some(known) = &known {
                    head::refuse_another_past(tx, known, &key.verifier())?;
                }
                let count = sealyard_store::ledger::sequence(tx, &key, &*clock, BATCH)?;
                let signed = tx.latest_checkpoint()?.and_then(|signed| {
                    let read = Checkpoint::open(&signed.note, &key.verifier()).ok()?;
                    Some((signed.note, read))
                });
                Ok::<_, AppError>((count, signed))
            })
            .await?;
        if let Some(head) = head {
            self.sequencer.knows(head);
        }
        Ok(count)
    }

    /// One step of what makes the ledger quick to search and to prove from; whether there is more to do.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn fill_ledger_index(&self) -> Result<bool, AppError> {
        // Looking costs no writer anything; most of the time there is nothing to do.
        let behind =
            self.store().read_short(|tx| Ok::<_, AppError>(sealyard_store::ledger_index::is_behind(tx)?)).await?;
        if !behind {
            return Ok(false);
        }
        self.store().write(|tx| Ok::<_, AppError>(sealyard_store::ledger_index::fill(tx)?)).await
    }

    /// Makes entries of all events that are there now, so that whoever asks the ledger finds each act that was acknowledged
    /// before. A log that can't be extended, since it or the database's schema was changed, is read as it is: it is then that
    /// people look at it.
    pub(crate) async fn catch_up(&self) -> Result<(), AppError> {
        // They are kept then and written later; what is in the ledger can still be read.
        if let Err(error) = self.write_counted_refusals().await {
            tracing::error!(%error, "counted refusals could not be written before the ledger was read");
        }
        let newest = self.store().read(|tx| Ok::<_, AppError>(tx.newest_in_outbox()?)).await?;
        let Some(newest) = newest else { return Ok(()) };
        loop {
            match self.sequence().await {
                Ok(_) => {}
                Err(AppError::Store(StoreError::Ledger(cause) | StoreError::Schema(cause))) => {
                    tracing::error!(cause, "the ledger could not be extended before it was read");
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            let oldest = self.store().read(|tx| Ok::<_, AppError>(tx.outbox(1)?)).await?;
            if oldest.first().is_none_or(|(number, _)| *number > newest) {
                return Ok(());
            }
        }
    }

    /// The newest checkpoint; it covers every act that was acknowledged before this was asked.
    ///
    /// # Errors
    /// [`AppError::NotFound`] before the first event was sequenced.
    pub async fn ledger_status(&self, _authorized: &Authorized<Read, LedgerLog>) -> Result<LedgerStatus, AppError> {
        self.catch_up().await?;
        let (quorum, renewed) = (self.quorum(), self.renewed());
        let latest = self
            .store()
            .read(move |tx| {
                let Some(mut latest) = tx.latest_checkpoint()? else { return Ok(None) };
                latest.note = witnesses::with_lines(tx, &renewed, latest.size, latest.note)?;
                Ok::<_, AppError>(Some((latest, witnesses::cosigned(tx, &renewed, quorum)?)))
            })
            .await?;
        let Some((latest, cosigned)) = latest else {
            return Err(AppError::NotFound { kind: "checkpoint", id: "newest".to_owned() });
        };
        Ok(LedgerStatus {
            cosigned: cosigned.map(|(_, note)| note),
            checkpoint: latest.note,
            size: latest.size,
            time: latest.created,
            verifier_key: self.ledger_key.verifier().to_string(),
        })
    }

    /// Entries from `from` on, at most `limit`, as they were written. Every act that was acknowledged before has its entry.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn ledger_entries(
        &self,
        _authorized: &Authorized<Read, LedgerLog>,
        from: u64,
        limit: u32,
    ) -> Result<Vec<(u64, Vec<u8>)>, AppError> {
        self.catch_up().await?;
        let entries = self.store().read(move |tx| Ok::<_, AppError>(tx.entries(from, limit.min(BATCH))?)).await?;
        Ok(entries.into_iter().map(|entry| (entry.index, entry.bytes)).collect())
    }
}
