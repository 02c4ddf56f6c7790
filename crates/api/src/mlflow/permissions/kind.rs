use std::future::Future;

use sealyard_app::{App, AppError, Caller, PermissionLevel, Shared};
use sealyard_identity::{GatewayEndpointId, GatewayModelDefinitionId, GatewaySecretId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::users;
use super::view::{ExperimentPermissionView, ModelPermissionView};
use crate::http::{ApiError, ErrorCode, required};

/// What rights are given on.
pub(super) trait Kind: Send + 'static {
    /// The name of the id in requests.
    const ID: &'static str;
    /// For people.
    const WORDS: &'static str;

    fn id(request: &Request) -> &str;

    fn authorize(app: &App, caller: &Caller, id: &str) -> impl Future<Output = Result<Shared, AppError>> + Send;

    /// What a user has, in an answer.
    fn view(app: &App, id: &str, user: i64, level: PermissionLevel) -> Value;

    /// Whose permission it is, in the words that clients match on.
    fn whose(id: &str, user: &str) -> String {
        format!("with {}={id} and username={user}", Self::ID)
    }

    /// The same, of one that is there already.
    fn whose_already(id: &str, user: &str) -> String {
        Self::whose(id, user)
    }
}

pub(super) struct Experiment;

impl Kind for Experiment {
    const ID: &'static str = "experiment_id";
    const WORDS: &'static str = "Experiment permission";

    fn id(request: &Request) -> &str {
        &request.experiment_id
    }

    fn authorize(app: &App, caller: &Caller, id: &str) -> impl Future<Output = Result<Shared, AppError>> + Send {
        app.authorize_sharing_experiment(caller, id)
    }

    fn view(_: &App, id: &str, user: i64, level: PermissionLevel) -> Value {
        json!({ "experiment_permission": ExperimentPermissionView::new(id.to_owned(), user, level) })
    }
}

pub(super) struct RegisteredModel;

impl Kind for RegisteredModel {
    const ID: &'static str = "name";
    const WORDS: &'static str = "Registered model permission";

    fn id(request: &Request) -> &str {
        &request.name
    }

    fn authorize(app: &App, caller: &Caller, id: &str) -> impl Future<Output = Result<Shared, AppError>> + Send {
        app.authorize_sharing_model(caller, id)
    }

    fn view(app: &App, id: &str, user: i64, level: PermissionLevel) -> Value {
        let workspace = app.workspace().to_string();
        json!({ "registered_model_permission": ModelPermissionView::new(workspace, id.to_owned(), user, level) })
    }

    fn whose(id: &str, user: &str) -> String {
        format!("with workspace=default, name={id} and username={user}")
    }
}

/// On a secret of the gateway.
pub(super) struct Secret;
/// On a model definition.
pub(super) struct Definition;
/// On an endpoint.
pub(super) struct Endpoint;

macro_rules! gateway {
    ($($kind:ident $id:ty, $field:ident, $name:literal, $answer:literal, $words:literal;)*) => {$(
        impl Kind for $kind {
            const ID: &'static str = $name;
            const WORDS: &'static str = $words;

            fn id(request: &Request) -> &str {
                &request.$field
            }

            fn authorize(
                app: &App,
                caller: &Caller,
                id: &str,
            ) -> impl Future<Output = Result<Shared, AppError>> + Send {
                app.authorize_sharing_gateway::<$id>(caller, id)
            }

            fn view(_: &App, id: &str, user: i64, level: PermissionLevel) -> Value {
                json!({ $answer: { $name: id, "user_id": user, "permission": level.as_str() } })
            }

            fn whose_already(id: &str, user: &str) -> String {
                format!("({}={id}, username={user})", $name)
            }
        }
    )*};
}

gateway! {
    Secret GatewaySecretId, secret_id, "secret_id", "gateway_secret_permission", "Gateway secret permission";
    Definition GatewayModelDefinitionId, model_definition_id, "model_definition_id", "gateway_model_definition_permission",
        "Gateway model definition permission";
    Endpoint GatewayEndpointId, endpoint_id, "endpoint_id", "gateway_endpoint_permission", "Gateway endpoint permission";
}

/// Whose right on what.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    name: String,
    secret_id: String,
    model_definition_id: String,
    endpoint_id: String,
    pub(super) username: String,
    pub(super) permission: String,
}

impl Request {
    pub(super) async fn authorize<K: Kind>(&self, app: &App, caller: &Caller) -> Result<Shared, ApiError> {
        let may = K::authorize(app, caller, required(K::ID, K::id(self))?).await?;
        required("username", &self.username)?;
        Ok(may)
    }

    pub(super) fn answer<K: Kind>(&self, app: &App, user: i64, level: PermissionLevel) -> Value {
        K::view(app, K::id(self), user, level)
    }

    /// In the words that clients match on.
    pub(super) fn explain<K: Kind>(&self, error: AppError) -> ApiError {
        let (words, id, user) = (K::WORDS, K::id(self), &self.username);
        match error {
            AppError::NotFound { kind: "permission", .. } => {
                ApiError::new(ErrorCode::ResourceDoesNotExist, format!("{words} {} not found", K::whose(id, user)))
            }
            AppError::AlreadyExists { .. } => ApiError::new(
                ErrorCode::ResourceAlreadyExists,
                format!("{words} {} already exists.", K::whose_already(id, user)),
            ),
            other => users::missing(other),
        }
    }
}
