use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a finding is. `Unknown` is a level of its own: nobody has said how bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum Severity {
    Info,
    Low,
    Medium,
    Unknown,
    High,
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::Unknown => "unknown",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

/// What a scan says of a subject. Ordered so that the worst of several is their maximum:
/// safe < not assessed < suspicious < unsafe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Looked at wholly, nothing found.
    Safe,
    /// Not, or not wholly, looked at. Never the same as safe.
    NotAssessed,
    /// Something that a person should look at.
    Suspicious,
    /// Loading it would, or could, run what its author chose.
    Unsafe,
}

impl Verdict {
    /// The verdict that a finding of `severity` alone leads to: high and critical make unsafe, medium and unknown
    /// make suspicious.
    #[must_use]
    pub const fn of(severity: Severity) -> Self {
        match severity {
            Severity::High | Severity::Critical => Self::Unsafe,
            Severity::Medium | Severity::Unknown => Self::Suspicious,
            Severity::Info | Severity::Low => Self::Safe,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safe => "safe",
            Self::NotAssessed => "not_assessed",
            Self::Suspicious => "suspicious",
            Self::Unsafe => "unsafe",
        })
    }
}
