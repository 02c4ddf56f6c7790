use sealyard_app::{App, AppError, Caller, GatewayId, PermissionLevel, Shared};
use sealyard_identity::{ActsOn, GatewayEndpointId, GatewayModelDefinitionId, GatewaySecretId, Manage};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::users;
use crate::http::{ApiError, ErrorCode, required};

/// What rights are given on.
pub(super) trait Kind: Send + 'static
where
    Manage: ActsOn<Self::Id>,
{
    /// Its id.
    type Id: GatewayId;
    /// The name of the id in requests and answers.
    const ID: &'static str;
    /// The name of an answer.
    const ANSWER: &'static str;
    /// For people.
    const WORDS: &'static str;

    fn id(request: &Request) -> &str;
}

/// On a secret.
pub(super) struct Secret;
/// On a model definition.
pub(super) struct Definition;
/// On an endpoint.
pub(super) struct Endpoint;

macro_rules! kinds {
    ($($kind:ident $id:ty, $field:ident, $name:literal, $answer:literal, $words:literal;)*) => {$(
        impl Kind for $kind {
            type Id = $id;
            const ID: &'static str = $name;
            const ANSWER: &'static str = $answer;
            const WORDS: &'static str = $words;

            fn id(request: &Request) -> &str {
                &request.$field
            }
        }
    )*};
}

kinds! {
    Secret GatewaySecretId, secret_id, "secret_id", "gateway_secret_permission", "Gateway secret permission";
    Definition GatewayModelDefinitionId, model_definition_id, "model_definition_id", "gateway_model_definition_permission",
        "Gateway model definition permission";
    Endpoint GatewayEndpointId, endpoint_id, "endpoint_id", "gateway_endpoint_permission", "Gateway endpoint permission";
}

/// Whose right on what.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    secret_id: String,
    model_definition_id: String,
    endpoint_id: String,
    pub(super) username: String,
    pub(super) permission: String,
}

impl Request {
    pub(super) async fn authorize<K: Kind>(&self, app: &App, caller: &Caller) -> Result<Shared, ApiError>
    where
        Manage: ActsOn<K::Id>,
    {
        let may = app.authorize_sharing_gateway::<K::Id>(caller, required(K::ID, K::id(self))?).await?;
        required("username", &self.username)?;
        Ok(may)
    }

    pub(super) fn answer<K: Kind>(&self, user: i64, level: PermissionLevel) -> Value
    where
        Manage: ActsOn<K::Id>,
    {
        json!({ K::ANSWER: { K::ID: K::id(self), "user_id": user, "permission": level.as_str() } })
    }

    /// In the words that clients match on.
    pub(super) fn explain<K: Kind>(&self, error: AppError) -> ApiError
    where
        Manage: ActsOn<K::Id>,
    {
        let (words, name, id, user) = (K::WORDS, K::ID, K::id(self), &self.username);
        match error {
            AppError::NotFound { kind: "permission", .. } => ApiError::new(
                ErrorCode::ResourceDoesNotExist,
                format!("{words} with {name}={id} and username={user} not found"),
            ),
            AppError::AlreadyExists { .. } => ApiError::new(
                ErrorCode::ResourceAlreadyExists,
                format!("{words} ({name}={id}, username={user}) already exists."),
            ),
            other => users::missing(other),
        }
    }
}
