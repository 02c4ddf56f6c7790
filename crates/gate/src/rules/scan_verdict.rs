use sealyard_core::Verdict;
use sealyard_evidence::predicate::ScanReport;

use super::{Outcome, Piece, not_in_future};
use crate::policy::ScanRule;
use crate::request::Request;

pub(crate) const NAME: &str = "scan.verdict";

const SECONDS_PER_DAY: i64 = 86_400;

/// Not assessed is not clean: it passes under no policy, also not where a suspicious file hides it in the verdict.
pub(crate) fn check(piece: &Piece<'_, ScanReport>, rule: &ScanRule, request: &Request<'_>) -> Outcome {
    let report = piece.predicate;
    not_in_future("the scan", report.scanned_at, request)?;
    if let Some(days) = rule.max_age_days {
        let until = report.scanned_at.plus_seconds(i64::from(days).saturating_mul(SECONDS_PER_DAY));
        if until < request.context.now {
            return Err(format!("the scan of {} is older than {days} days; scan again", report.scanned_at));
        }
    }
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
