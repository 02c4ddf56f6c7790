use sealyard_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::DecisionDetails;

/// A gate let the subject be published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Publish {
    /// When it was decided.
    #[serde(with = "crate::time")]
    pub creation_time: Timestamp,
    /// What it was published as.
    pub package: Package,
    /// Facts such as `slsa.dev/build/level`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub properties: serde_json::Map<String, serde_json::Value>,
    /// The policy and the evidence it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_details: Option<DecisionDetails>,
}

/// What something was published as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The package's or model's name.
    pub name: String,
    /// The registry it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The environment it was published for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}
