use std::collections::BTreeMap;

use sealyard_core::Timestamp;

use super::Pair;

/// A key of a model provider, or several that belong together. What is secret of it is not in here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GatewaySecret {
    pub id: String,
    pub name: String,
    pub provider: Option<String>,
    /// Each of its values, masked.
    pub masked: BTreeMap<String, String>,
    /// What else is needed to use it, and not secret.
    pub auth_config: BTreeMap<String, String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub created_by: String,
    pub updated_by: String,
}

/// A provider's model with the secret it is asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GatewayModelDefinition {
    pub id: String,
    pub name: String,
    /// None once the secret was deleted.
    pub secret_id: Option<String>,
    pub secret_name: Option<String>,
    pub provider: String,
    pub model_name: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub created_by: String,
    pub updated_by: String,
}

/// What a model is to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GatewayLinkage {
    /// It gets its share of the requests.
    Primary,
    /// It is asked when the others fail.
    Fallback,
}

impl GatewayLinkage {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Fallback => "FALLBACK",
        }
    }

    /// From what [`Self::as_str`] gives.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Primary, Self::Fallback].into_iter().find(|linkage| linkage.as_str() == text)
    }
}

/// A model of an endpoint, to be written.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewGatewayMapping {
    pub id: String,
    pub definition_id: String,
    pub weight: f64,
    pub linkage: GatewayLinkage,
    pub fallback_order: Option<i32>,
    pub created: Timestamp,
    pub created_by: String,
}

/// A model of an endpoint.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GatewayMapping {
    pub id: String,
    pub endpoint_id: String,
    pub definition: GatewayModelDefinition,
    pub weight: f64,
    pub linkage: GatewayLinkage,
    pub fallback_order: Option<i32>,
    pub created: Timestamp,
    pub created_by: String,
}

/// What happens when a model of an endpoint fails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GatewayFallback {
    pub strategy: Option<String>,
    pub max_attempts: Option<i32>,
}

/// An endpoint: models under one name.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GatewayEndpoint {
    pub id: String,
    pub name: String,
    pub routing_strategy: Option<String>,
    pub fallback: Option<GatewayFallback>,
    /// Where the traces of its requests go.
    pub experiment_id: Option<String>,
    pub usage_tracking: bool,
    /// In the order they came; not written with the endpoint.
    pub models: Vec<GatewayMapping>,
    /// By key; not written with the endpoint.
    pub tags: Vec<Pair>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub created_by: String,
    pub updated_by: String,
}

/// That something here uses an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GatewayBinding {
    pub endpoint_id: String,
    /// `scorer`.
    pub resource_type: String,
    pub resource_id: String,
    /// The scorer's experiment and name, if there is that scorer; not written.
    pub scorer: Option<(String, String)>,
    pub created: Timestamp,
    pub created_by: String,
}

/// Which bindings are asked for; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GatewayBindingQuery {
    pub endpoint_id: Option<String>,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
}

/// Which traces a scorer is to judge as they come.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct OnlineScoring {
    pub id: String,
    pub scorer_id: String,
    /// The scorer's.
    pub experiment_id: String,
    /// From 0 to 1.
    pub sample_rate: f64,
    pub filter: Option<String>,
}
