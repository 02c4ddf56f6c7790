use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{
    GatewayBinding, GatewayBindingQuery, GatewayEndpoint, GatewayModelDefinition, GatewaySecret, NewGatewayMapping,
    OnlineScoring,
};

type Result<T> = std::result::Result<T, StoreError>;

/// What the AI gateway is made of: secrets, model definitions, endpoints and who uses them.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Gateway {
    fn create_gateway_secret(&mut self, secret: &GatewaySecret, sealed: &[u8]) -> Result<()>;
    fn gateway_secret(&mut self, id: &str) -> Result<Option<GatewaySecret>>;
    /// What was sealed of it.
    fn sealed_gateway_secret(&mut self, id: &str) -> Result<Option<Vec<u8>>>;
    /// By name, those of a provider or all.
    fn gateway_secrets(&mut self, provider: Option<&str>) -> Result<Vec<GatewaySecret>>;
    fn count_gateway_secrets(&mut self) -> Result<u64>;
    /// What is masked of it, its configuration and who changed it when; with other sealed bytes, if they are given.
    fn update_gateway_secret(&mut self, secret: &GatewaySecret, sealed: Option<&[u8]>) -> Result<()>;
    /// Model definitions with it have none then.
    fn delete_gateway_secret(&mut self, id: &str) -> Result<()>;

    /// The secret's name is ignored.
    fn create_gateway_model_definition(&mut self, definition: &GatewayModelDefinition) -> Result<()>;
    fn gateway_model_definition(&mut self, id: &str) -> Result<Option<GatewayModelDefinition>>;
    /// By name.
    fn gateway_model_definitions(
        &mut self,
        provider: Option<&str>,
        secret: Option<&str>,
    ) -> Result<Vec<GatewayModelDefinition>>;
    fn count_gateway_model_definitions(&mut self) -> Result<u64>;
    /// All but id and creation; the secret's name is ignored.
    fn update_gateway_model_definition(&mut self, definition: &GatewayModelDefinition) -> Result<()>;
    /// [`StoreError::Conflict`] when an endpoint has it.
    fn delete_gateway_model_definition(&mut self, id: &str) -> Result<()>;

    /// Without models and tags.
    fn create_gateway_endpoint(&mut self, endpoint: &GatewayEndpoint) -> Result<()>;
    fn gateway_endpoint(&mut self, id: &str) -> Result<Option<GatewayEndpoint>>;
    fn gateway_endpoint_id(&mut self, name: &str) -> Result<Option<String>>;
    fn gateway_endpoint_name(&mut self, id: &str) -> Result<Option<String>>;
    /// By name; those that have a model of the provider, or of the secret.
    fn gateway_endpoints(&mut self, provider: Option<&str>, secret: Option<&str>) -> Result<Vec<GatewayEndpoint>>;
    fn count_gateway_endpoints(&mut self) -> Result<u64>;
    /// All but id, creation, models and tags.
    fn update_gateway_endpoint(&mut self, endpoint: &GatewayEndpoint) -> Result<()>;
    /// With its models, tags and bindings.
    fn delete_gateway_endpoint(&mut self, id: &str) -> Result<()>;

    /// [`StoreError::AlreadyExists`] when the endpoint has the definition in that role.
    fn add_gateway_mapping(&mut self, endpoint: &str, mapping: &NewGatewayMapping) -> Result<()>;
    /// Takes the definition, or all of them, from the endpoint; gives how many there were.
    fn remove_gateway_mappings(&mut self, endpoint: &str, definition: Option<&str>) -> Result<u64>;
    fn touch_gateway_endpoint(&mut self, id: &str, now: Timestamp, by: &str) -> Result<()>;

    fn set_gateway_endpoint_tag(&mut self, endpoint: &str, key: &str, value: &str) -> Result<()>;
    /// Whether there was one.
    fn delete_gateway_endpoint_tag(&mut self, endpoint: &str, key: &str) -> Result<bool>;

    fn create_gateway_binding(&mut self, binding: &GatewayBinding) -> Result<()>;
    fn delete_gateway_binding(&mut self, endpoint: &str, resource_type: &str, resource: &str) -> Result<()>;
    /// Ends all bindings of the resource; gives the endpoints.
    fn release_gateway_bindings(&mut self, resource_type: &str, resource: &str) -> Result<Vec<String>>;
    /// By endpoint and resource.
    fn gateway_bindings(&mut self, query: &GatewayBindingQuery, limit: u32) -> Result<Vec<GatewayBinding>>;
    fn count_gateway_bindings(&mut self, endpoint: &str) -> Result<u64>;

    /// In place of what was set for the scorer before.
    fn set_online_scoring(&mut self, scoring: &OnlineScoring) -> Result<()>;
    fn online_scoring(&mut self, scorers: &[String]) -> Result<Vec<OnlineScoring>>;
}
