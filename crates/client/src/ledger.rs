//! The ledger as the server hands it out. Whoever reads it hashes and verifies it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, Response};
use sealyard_core::Timestamp;
use sealyard_ledger::{ConsistencyProof, InclusionProof};
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
    /// The newest checkpoint that enough witnesses cosigned.
    #[serde(default)]
    pub cosigned: Option<String>,
}

/// A page of what a search found.
#[derive(Debug, Clone, Deserialize)]
pub struct LedgerPage {
    /// The entries, newest first.
    pub entries: Vec<FoundEntry>,
    /// Where the next page goes on.
    pub next_page_token: Option<String>,
    /// How many entries the server's index holds.
    pub indexed: u64,
    /// How many there are.
    pub size: u64,
    /// Entries that are not what the server's index says.
    pub mismatches: Vec<u64>,
}

/// One entry that was found.
#[derive(Debug, Clone, Deserialize)]
pub struct FoundEntry {
    /// Its index in the log, as the server says.
    pub index: u64,
    /// Its bytes in base64.
    pub bytes: String,
}

impl FoundEntry {
    /// The entry's bytes.
    ///
    /// # Errors
    /// [`ClientError::Json`] for what is no base64.
    pub fn decoded(&self) -> Result<Vec<u8>, ClientError> {
        STANDARD.decode(&self.bytes).map_err(|error| ClientError::Json(serde::de::Error::custom(error)))
    }
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

    /// Entries that match, newest first; `parameters` are names and values of the query.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn search_ledger(&self, parameters: &[(&str, String)]) -> Result<LedgerPage, ClientError> {
        let query: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", crate::segment(value))).collect();
        self.get(&format!("/api/sealyard/v1/ledger/search?{}", query.join("&"))).await
    }

    /// The proof that an entry is in the log, unverified.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ledger_proof(&self, index: u64) -> Result<InclusionProof, ClientError> {
        self.get(&format!("/api/sealyard/v1/ledger/proof?index={index}")).await
    }

    /// The proof for the newest entry of a request, unverified.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ledger_proof_of_request(&self, id: &str) -> Result<InclusionProof, ClientError> {
        self.get(&format!("/api/sealyard/v1/ledger/proof?request_id={}", crate::segment(id))).await
    }

    /// The proof that the log of `from` entries is a beginning of the present one, or of the checkpoint of `to` entries;
    /// unverified.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ledger_growth(&self, from: u64, to: Option<u64>) -> Result<ConsistencyProof, ClientError> {
        let to = to.map_or_else(String::new, |to| format!("&to={to}"));
        self.get(&format!("/api/sealyard/v1/ledger/consistency?from={from}{to}")).await
    }

    /// Has the server make its index of the ledger anew.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn reindex_ledger(&self) -> Result<(), ClientError> {
        let empty = serde_json::json!({});
        self.call::<_, serde_json::Value>(Method::POST, "/api/sealyard/v1/ledger/reindex", &empty).await.map(drop)
    }

    /// Erases what entries before `before` have of persons, of one actor or of all; gives of how many.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn erase_personal(&self, actor: Option<&str>, before: Timestamp) -> Result<u64, ClientError> {
        let body = serde_json::json!({"actor": actor, "before": before.as_millis()});
        let answer: serde_json::Value = self.call(Method::POST, "/api/sealyard/v1/ledger/erase", &body).await?;
        Ok(answer.get("erased").and_then(serde_json::Value::as_u64).unwrap_or_default())
    }

    /// Entries as JSON lines, as they come.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn export_ledger(&self, from: u64, to: Option<u64>) -> Result<Response, ClientError> {
        let to = to.map_or_else(String::new, |to| format!("&to={to}"));
        self.send(self.request(Method::GET, &format!("/api/sealyard/v1/ledger/export?from={from}{to}"))).await
    }
}
