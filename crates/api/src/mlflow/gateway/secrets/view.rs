use std::collections::BTreeMap;

use sealyard_store::model::GatewaySecret;
use serde::Serialize;

/// A secret of an answer: masked. There is nothing else to be shown.
#[derive(Debug, Serialize)]
pub(super) struct SecretView {
    secret_id: String,
    secret_name: String,
    masked_values: BTreeMap<String, String>,
    created_at: i64,
    last_updated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    created_by: String,
    last_updated_by: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    auth_config: BTreeMap<String, String>,
}

impl From<GatewaySecret> for SecretView {
    fn from(secret: GatewaySecret) -> Self {
        Self {
            secret_id: secret.id,
            secret_name: secret.name,
            masked_values: secret.masked,
            created_at: secret.created.as_millis(),
            last_updated_at: secret.updated.as_millis(),
            provider: secret.provider,
            created_by: secret.created_by,
            last_updated_by: secret.updated_by,
            auth_config: secret.auth_config,
        }
    }
}

/// `{"secret": …}`.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    secret: SecretView,
}

impl From<GatewaySecret> for Response {
    fn from(secret: GatewaySecret) -> Self {
        Self { secret: secret.into() }
    }
}
