use sealyard_core::Timestamp;
use serde::{Deserialize, Serialize};

/// A person approved the subject. Sealyard's own type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Approval {
    /// Who approved.
    pub approver: String,
    /// The stage or environment it is for; absent means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    #[serde(with = "crate::time")]
    pub approved_at: Timestamp,
    /// Until when it counts; absent means for good.
    #[serde(default, with = "crate::time::option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}
