use sealyard_store::model::GatewayModelDefinition;
use serde::Serialize;

/// A model definition of an answer.
#[derive(Debug, Serialize)]
pub(in super::super) struct DefinitionView {
    model_definition_id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_name: Option<String>,
    provider: String,
    model_name: String,
    created_at: i64,
    last_updated_at: i64,
    created_by: String,
    last_updated_by: String,
}

impl From<GatewayModelDefinition> for DefinitionView {
    fn from(definition: GatewayModelDefinition) -> Self {
        Self {
            model_definition_id: definition.id,
            name: definition.name,
            secret_id: definition.secret_id,
            secret_name: definition.secret_name,
            provider: definition.provider,
            model_name: definition.model_name,
            created_at: definition.created.as_millis(),
            last_updated_at: definition.updated.as_millis(),
            created_by: definition.created_by,
            last_updated_by: definition.updated_by,
        }
    }
}

/// `{"model_definition": …}`.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    model_definition: DefinitionView,
}

impl From<GatewayModelDefinition> for Response {
    fn from(definition: GatewayModelDefinition) -> Self {
        Self { model_definition: definition.into() }
    }
}
