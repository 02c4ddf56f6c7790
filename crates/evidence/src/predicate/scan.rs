use std::collections::BTreeSet;

use sealyard_core::{Timestamp, Verdict};
use serde::{Deserialize, Serialize};

/// What a scan says of a subject. Sealyard's own type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScanReport {
    /// The worst of all files.
    pub verdict: Verdict,
    /// Who looked.
    pub ruleset: Ruleset,
    /// Files by verdict.
    pub counts: ScanCounts,
    /// Ids of the rules that found something.
    pub findings: BTreeSet<String>,
    /// When the scan ended.
    #[serde(with = "crate::time")]
    pub scanned_at: Timestamp,
}

/// Which rules a scan applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruleset {
    /// The scanner's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How many rules it has.
    pub rules: u32,
}

/// Files by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScanCounts {
    /// Looked at wholly, nothing found.
    pub safe: u64,
    /// Something a person should look at.
    pub suspicious: u64,
    /// Would run what its author chose.
    pub r#unsafe: u64,
    /// Not, or not wholly, looked at.
    pub not_assessed: u64,
}

impl ScanReport {
    /// The worst that the report says anywhere: the verdict, or what the counts lead to if that is worse. A report
    /// that looked at no file is not assessed.
    #[must_use]
    pub fn effective_verdict(&self) -> Verdict {
        let ScanCounts { safe, suspicious, r#unsafe, not_assessed } = self.counts;
        let counted = if r#unsafe > 0 {
            Verdict::Unsafe
        } else if suspicious > 0 {
            Verdict::Suspicious
        } else if not_assessed > 0 || safe == 0 {
            Verdict::NotAssessed
        } else {
            Verdict::Safe
        };
        self.verdict.max(counted)
    }
}
