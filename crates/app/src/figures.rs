//! Numbers about the server, for who watches it.

use crate::{App, AppError};

/// What is there now. None of it names anybody or anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Sessions of browsers that have not ended.
    pub sessions: u64,
    /// Entries of the ledger under its newest checkpoint.
    pub ledger_entries: u64,
}

impl App {
    /// Looks them up.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn figures(&self) -> Result<Figures, AppError> {
        let (now, idle) = (self.now(), self.rules.idle_seconds);
        self.store()
            .read(move |tx| {
                let sessions = tx.open_sessions(now, now.plus_seconds(-idle))?;
                let ledger_entries = tx.latest_checkpoint()?.map_or(0, |checkpoint| checkpoint.size);
                Ok::<_, AppError>(Figures { sessions, ledger_entries })
            })
            .await
    }
}
