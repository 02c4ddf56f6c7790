use std::collections::BTreeMap;

use sealyard_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::ResourceDescriptor;

/// SLSA provenance v1: how something was built, by whom, from what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What was asked for and what went in.
    pub build_definition: BuildDefinition,
    /// Who built it, and when.
    pub run_details: RunDetails,
}

/// What was asked for and what went in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// A URI that says how to read the parameters.
    pub build_type: String,
    /// What the one who asked could choose; complete.
    pub external_parameters: serde_json::Map<String, serde_json::Value>,
    /// What the builder chose: sandbox, limits, network.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub internal_parameters: serde_json::Map<String, serde_json::Value>,
    /// Everything that was read: source, data, base model, every wheel, the interpreter.
    #[serde(default)]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// Who built it, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunDetails {
    /// Who built it.
    pub builder: Builder,
    /// This one run.
    #[serde(default)]
    pub metadata: BuildMetadata,
    /// What came out besides the subject: logs, the egress log, an SBOM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub byproducts: Vec<ResourceDescriptor>,
}

/// Who built it: whoever trusts this id trusts all that the provenance says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// A URI.
    pub id: String,
    /// Versions of the builder's parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
    /// What the builder itself is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builder_dependencies: Vec<ResourceDescriptor>,
}

/// This one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildMetadata {
    /// The run's id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub invocation_id: String,
    /// When it began.
    #[serde(default, with = "crate::time::option", skip_serializing_if = "Option::is_none")]
    pub started_on: Option<Timestamp>,
    /// When it ended.
    #[serde(default, with = "crate::time::option", skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Timestamp>,
}
