use std::collections::BTreeSet;

use sealyard_evidence::predicate::{ModelSignature, Predicate};

use super::{Bench, Piece, Rule, judge_pieces, signature_covers_tree, signature_signer};
use crate::decision::Reason;

/// In the order of looking: what ties a signature to the files comes first.
const RULES: [Rule<ModelSignature, BTreeSet<String>>; 2] = [
    Rule { name: signature_covers_tree::NAME, check: signature_covers_tree::check },
    Rule { name: signature_signer::NAME, check: signature_signer::check },
];

pub(crate) fn judge(signed_by: &BTreeSet<String>, bench: &Bench<'_>) -> Vec<Reason> {
    let pieces: Vec<_> = bench.evidence.iter().filter_map(piece).collect();
    let mut reasons = judge_pieces("model signature", &pieces, &RULES, signed_by, bench);
    reasons.reverse();
    reasons
}

const fn piece(evidence: &sealyard_evidence::VerifiedEvidence) -> Option<Piece<'_, ModelSignature>> {
    match evidence.predicate() {
        Predicate::ModelSignature(predicate) => Some(Piece { evidence, predicate }),
        _ => None,
    }
}
