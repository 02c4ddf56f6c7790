use sealyard_evidence::VerifiedEvidence;
use sealyard_evidence::predicate::{Predicate, Provenance};

use super::{
    Bench, Piece, Rule, judge_pieces, provenance_builder, provenance_dependencies, provenance_signer,
    provenance_subject,
};
use crate::decision::Reason;
use crate::policy::ProvenanceRule;

pub(crate) const NAMES: [&str; 4] =
    [provenance_subject::NAME, provenance_signer::NAME, provenance_builder::NAME, provenance_dependencies::NAME];

const RULES: [Rule<Provenance, ProvenanceRule>; 4] = [
    Rule { name: provenance_subject::NAME, check: provenance_subject::check },
    Rule { name: provenance_signer::NAME, check: provenance_signer::check },
    Rule { name: provenance_builder::NAME, check: provenance_builder::check },
    Rule { name: provenance_dependencies::NAME, check: provenance_dependencies::check },
];

pub(crate) fn judge(rule: &ProvenanceRule, bench: &Bench<'_>) -> Vec<Reason> {
    let pieces: Vec<_> = bench.evidence.iter().filter_map(piece).collect();
    judge_pieces("provenance", &pieces, &RULES, rule, bench)
}

const fn piece(evidence: &VerifiedEvidence) -> Option<Piece<'_, Provenance>> {
    match evidence.predicate() {
        Predicate::Provenance(predicate) => Some(Piece { evidence, predicate }),
        _ => None,
    }
}
