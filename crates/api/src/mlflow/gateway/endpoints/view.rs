use sealyard_store::model::{GatewayEndpoint, GatewayFallback, GatewayMapping, Pair};
use serde::Serialize;

use super::super::model_definitions::DefinitionView;

/// A model of an endpoint.
#[derive(Debug, Serialize)]
pub(super) struct MappingView {
    mapping_id: String,
    endpoint_id: String,
    model_definition_id: String,
    model_definition: DefinitionView,
    weight: f64,
    created_at: i64,
    created_by: String,
    linkage_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_order: Option<i32>,
}

impl From<GatewayMapping> for MappingView {
    fn from(mapping: GatewayMapping) -> Self {
        Self {
            mapping_id: mapping.id,
            endpoint_id: mapping.endpoint_id,
            model_definition_id: mapping.definition.id.clone(),
            model_definition: mapping.definition.into(),
            weight: mapping.weight,
            created_at: mapping.created.as_millis(),
            created_by: mapping.created_by,
            linkage_type: mapping.linkage.as_str(),
            fallback_order: mapping.fallback_order,
        }
    }
}

#[derive(Debug, Serialize)]
struct FallbackView {
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_attempts: Option<i32>,
}

impl From<GatewayFallback> for FallbackView {
    fn from(fallback: GatewayFallback) -> Self {
        Self { strategy: fallback.strategy, max_attempts: fallback.max_attempts }
    }
}

/// An endpoint of an answer.
#[derive(Debug, Serialize)]
pub(super) struct EndpointView {
    endpoint_id: String,
    name: String,
    created_at: i64,
    last_updated_at: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_mappings: Vec<MappingView>,
    created_by: String,
    last_updated_by: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing_strategy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_config: Option<FallbackView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_id: Option<String>,
    usage_tracking: bool,
}

impl From<GatewayEndpoint> for EndpointView {
    fn from(endpoint: GatewayEndpoint) -> Self {
        Self {
            endpoint_id: endpoint.id,
            name: endpoint.name,
            created_at: endpoint.created.as_millis(),
            last_updated_at: endpoint.updated.as_millis(),
            model_mappings: endpoint.models.into_iter().map(MappingView::from).collect(),
            created_by: endpoint.created_by,
            last_updated_by: endpoint.updated_by,
            tags: endpoint.tags,
            routing_strategy: endpoint.routing_strategy,
            fallback_config: endpoint.fallback.map(FallbackView::from),
            experiment_id: endpoint.experiment_id,
            usage_tracking: endpoint.usage_tracking,
        }
    }
}

/// `{"endpoint": …}`.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    endpoint: EndpointView,
}

impl From<GatewayEndpoint> for Response {
    fn from(endpoint: GatewayEndpoint) -> Self {
        Self { endpoint: endpoint.into() }
    }
}
