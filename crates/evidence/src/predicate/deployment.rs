use std::collections::BTreeMap;

use sealyard_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::DecisionDetails;

/// A gate let the subject be deployed within scopes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// When it was decided.
    #[serde(with = "crate::time")]
    pub creation_time: Timestamp,
    /// Where it may run: every one must hold; none means anywhere.
    #[serde(default)]
    pub scopes: BTreeMap<String, String>,
    /// The policy and the evidence it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_details: Option<DecisionDetails>,
    /// There although rules of the gate were not content: somebody with the right to broke glass. Sealyard's own; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BrokenGlass>,
}

/// What an emergency overruled. Who it was and why are in the ledger alone: an attestation goes with the model to wherever it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrokenGlass {
    /// The rules that were not content.
    pub overruled: Vec<String>,
}

impl Deployment {
    /// The scope that binds a deployment to an environment. Sealyard's own.
    pub const ENVIRONMENT_SCOPE: &'static str = "https://sealyard.dev/scope/environment/v1";
}
