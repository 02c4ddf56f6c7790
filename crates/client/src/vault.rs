//! The vault's keys.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Client, ClientError};

impl Client {
    /// The vault's keys, and the work that is done with them.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn vault_status(&self) -> Result<Value, ClientError> {
        self.get("/api/sealyard/v1/vault").await
    }

    /// Makes a new key.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rotate_vault_key(&self) -> Result<Value, ClientError> {
        self.call(Method::POST, "/api/sealyard/v1/vault/rotate", &json!({})).await
    }

    /// Begins to put everything under the newest key: `rewrap` or `reencrypt`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn begin_vault_work(&self, kind: &str) -> Result<Value, ClientError> {
        self.call(Method::POST, "/api/sealyard/v1/vault/work", &json!({ "kind": kind })).await
    }
}
