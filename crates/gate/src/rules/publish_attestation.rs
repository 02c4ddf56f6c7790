use sealyard_evidence::VerifiedEvidence;
use sealyard_evidence::predicate::{Predicate, Publish};

use super::{Bench, Outcome, Piece, Rule, about_subject, judge_pieces, signed_by, timely};
use crate::decision::Reason;
use crate::policy::AttestedBy;
use crate::request::Request;

pub(crate) const NAME: &str = "publish.attestation";

pub(crate) fn judge(by: &AttestedBy, bench: &Bench<'_>) -> Vec<Reason> {
    let pieces: Vec<_> = bench.evidence.iter().filter_map(piece).collect();
    judge_pieces("publish attestation", &pieces, &[Rule { name: NAME, check }], by, bench)
}

/// The publish gate let this very subject through, for this environment.
fn check(piece: &Piece<'_, Publish>, by: &AttestedBy, request: &Request<'_>) -> Outcome {
    about_subject(piece.evidence, request)?;
    let signed = signed_by(piece.evidence, &by.signed_by)?;
    timely("the publish attestation", piece.predicate.creation_time, by.max_age_days, request)?;
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
