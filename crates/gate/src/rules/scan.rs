use std::cmp::Reverse;

use sealyard_evidence::VerifiedEvidence;
use sealyard_evidence::predicate::{Predicate, ScanReport};

use super::{Bench, Piece, Rule, judge_pieces, scan_signer, scan_subject, scan_verdict};
use crate::decision::Reason;
use crate::policy::ScanRule;

pub(crate) const NAMES: [&str; 3] = [scan_subject::NAME, scan_signer::NAME, scan_verdict::NAME];

const RULES: [Rule<ScanReport, ScanRule>; 3] = [
    Rule { name: scan_subject::NAME, check: scan_subject::check },
    Rule { name: scan_signer::NAME, check: scan_signer::check },
    Rule { name: scan_verdict::NAME, check: scan_verdict::check },
];

/// Of the scans of this subject by an accepted scanner only the newest counts (of two of the same moment, the worse):
/// otherwise an old clean report would outlive a new finding.
pub(crate) fn judge(rule: &ScanRule, bench: &Bench<'_>) -> Vec<Reason> {
    let pieces: Vec<_> = bench.evidence.iter().filter_map(piece).collect();
    let counts = |piece: &&Piece<'_, ScanReport>| {
        scan_subject::check(piece, rule, bench.request).is_ok()
            && scan_signer::check(piece, rule, bench.request).is_ok()
    };
    let newest = pieces.iter().filter(counts).max_by_key(|piece| {
        let report = piece.predicate;
        (report.scanned_at, report.effective_verdict(), Reverse(piece.evidence.bundle_digest()))
    });
    let pieces = newest.map_or_else(|| pieces.clone(), |newest| vec![*newest]);
    judge_pieces("scan report", &pieces, &RULES, rule, bench)
}

const fn piece(evidence: &VerifiedEvidence) -> Option<Piece<'_, ScanReport>> {
    match evidence.predicate() {
        Predicate::ScanReport(predicate) => Some(Piece { evidence, predicate }),
        _ => None,
    }
}
