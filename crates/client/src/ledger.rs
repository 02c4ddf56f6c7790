//! The ledger as the server hands it out. Whoever reads it hashes and verifies it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::{Client, ClientError};

/// Entries of one page.
const PAGE: u32 = 500;

/// How the ledger stands, as the server says.
#[derive(Debug, Clone, Deserialize)]
pub struct LedgerStatus {
    /// The newest signed checkpoint, as a C2SP note.
    pub checkpoint: String,
    /// How many entries it covers, as the server says.
    pub size: u64,
    /// The public key that checks it, as the server says.
    pub verifier_key: String,
}

#[derive(Deserialize)]
struct Page {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    index: u64,
    /// The event's bytes in base64.
    bytes: String,
}

impl Client {
    /// The newest checkpoint.
    ///
    /// # Errors
    /// [`ClientError`]; there is none before the first event.
    pub async fn ledger_checkpoint(&self) -> Result<LedgerStatus, ClientError> {
        self.get("/api/sealyard/v1/ledger/checkpoint").await
    }

    /// Index and bytes of some entries from `from` on; none when there are no more.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ledger_entries(&self, from: u64) -> Result<Vec<(u64, Vec<u8>)>, ClientError> {
        let path = format!("/api/sealyard/v1/ledger/entries?from={from}&limit={PAGE}");
        let page: Page = self.get(&path).await?;
        let entry = |Entry { index, bytes }: Entry| match STANDARD.decode(bytes) {
            Ok(bytes) => Ok((index, bytes)),
            Err(error) => Err(ClientError::Json(serde::de::Error::custom(error))),
        };
        page.entries.into_iter().map(entry).collect()
    }
}
