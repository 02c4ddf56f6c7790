use std::collections::BTreeSet;

use sealyard_evidence::VerifiedEvidence;
use sealyard_evidence::predicate::{Predicate, Publish};

use super::{Bench, Outcome, Piece, Rule, about_subject, judge_pieces, not_in_future, signed_by};
use crate::decision::Reason;
use crate::request::Request;

pub(crate) const NAME: &str = "publish.attestation";

pub(crate) fn judge(published_by: &BTreeSet<String>, bench: &Bench<'_>) -> Vec<Reason> {
    let pieces: Vec<_> = bench.evidence.iter().filter_map(piece).collect();
    judge_pieces("publish attestation", &pieces, &[Rule { name: NAME, check }], published_by, bench)
}

/// The publish gate let this very subject through, for this environment.
fn check(piece: &Piece<'_, Publish>, published_by: &BTreeSet<String>, request: &Request<'_>) -> Outcome {
    about_subject(piece.evidence, request)?;
    let signed = signed_by(piece.evidence, published_by)?;
    not_in_future("the publish attestation", piece.predicate.creation_time, request)?;
    let (published, asked) = (&piece.predicate.package.environment, &request.context.environment);
    if published != asked {
        let say = |environment: &Option<String>| environment.clone().unwrap_or_else(|| "no environment".to_owned());
        return Err(format!("published for {}, but asked for is {}", say(published), say(asked)));
    }
    Ok(format!("published at {}, {signed}", piece.predicate.creation_time))
}

const fn piece(evidence: &VerifiedEvidence) -> Option<Piece<'_, Publish>> {
    match evidence.predicate() {
        Predicate::Publish(predicate) => Some(Piece { evidence, predicate }),
        _ => None,
    }
}
