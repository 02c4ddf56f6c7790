use sealyard_core::Verdict;
use sealyard_evidence::predicate::ScanReport;

use super::{Outcome, Piece, timely};
use crate::policy::ScanRule;
use crate::request::Request;

pub(crate) const NAME: &str = "scan.verdict";

/// Not assessed is not clean: it passes under no policy, also not where a suspicious file hides it in the verdict.
pub(crate) fn check(piece: &Piece<'_, ScanReport>, rule: &ScanRule, request: &Request<'_>) -> Outcome {
    let report = piece.predicate;
    timely("the scan", report.scanned_at, rule.max_age_days, request)?;
    let verdict = report.effective_verdict();
    if report.counts.not_assessed > 0 || verdict == Verdict::NotAssessed {
        let count = report.counts.not_assessed;
        return Err(format!("not wholly assessed ({count} files were not), which is not the same as {}", rule.verdict));
    }
    let findings = report.findings.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    match (verdict, rule.verdict) {
        (Verdict::Safe, _) => Ok(format!("{} files looked at, all safe", report.counts.safe)),
        (Verdict::Suspicious, Verdict::Suspicious) => Ok(format!("suspicious, as the policy lets through: {findings}")),
        _ if findings.is_empty() => Err(format!("the scan says {verdict}, the policy asks for {}", rule.verdict)),
        _ => Err(format!("the scan says {verdict} ({findings}), the policy asks for {}", rule.verdict)),
    }
}
