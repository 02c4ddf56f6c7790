use sealyard_store::model::GatewayBinding;
use serde::Serialize;

/// A binding of an answer.
#[derive(Debug, Serialize)]
pub(super) struct BindingView {
    endpoint_id: String,
    resource_type: String,
    resource_id: String,
    created_at: i64,
    last_updated_at: i64,
    created_by: String,
    last_updated_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
}

impl From<GatewayBinding> for BindingView {
    fn from(binding: GatewayBinding) -> Self {
        Self {
            endpoint_id: binding.endpoint_id,
            resource_type: binding.resource_type,
            resource_id: binding.resource_id,
            created_at: binding.created.as_millis(),
            last_updated_at: binding.created.as_millis(),
            created_by: binding.created_by.clone(),
            last_updated_by: binding.created_by,
            display_name: binding.scorer.map(|(_, name)| name),
        }
    }
}
