//! While a backup copies objects, none is removed: what its snapshot of the catalog refers to must be there until it has it.
//!
//! The backup is another process. It writes into the catalog until when it holds, before it takes its snapshot; who removes an
//! object asks after the transaction that gave it up. So either the snapshot does not know the object, or the hold is seen.
//! What is left lying then goes at the next collection.

use std::time::Duration;

use sealyard_core::{Clock as _, SystemClock};
use sealyard_store::backup_hold::held_until;
use sealyard_store::{BACKUP_HOLD, Store};

use crate::{App, AppError};

const LOOK: Duration = Duration::from_secs(5);

/// Whether a backup holds.
pub(crate) async fn is_held(store: &dyn Store) -> bool {
    match store.read_short(|tx| Ok::<_, AppError>(tx.setting(BACKUP_HOLD)?)).await {
        // By the machine's own clock, as the other process knows it.
        Ok(until) => until.and_then(|text| held_until(&text)).is_some_and(|until| until > now()),
        // Nothing is removed that may be needed.
        Err(error) => {
            tracing::warn!(%error, "whether a backup is under way is not known; objects are left");
            true
        }
    }
}

fn now() -> i64 {
    SystemClock.now().as_millis()
}

impl App {
    /// Waits until no backup holds.
    pub(crate) async fn wait_for_backups(&self) -> Result<(), AppError> {
        while is_held(self.store()).await {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}
