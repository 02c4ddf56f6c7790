use sealyard_evidence::VerifiedEvidence;
use sealyard_evidence::predicate::{Deployment, Predicate};

use super::{Bench, Outcome, Piece, Rule, about_subject, judge_pieces, signed_by, timely};
use crate::decision::Reason;
use crate::policy::AttestedBy;
use crate::request::Request;

pub(crate) const NAME: &str = "deployment.attestation";

pub(crate) fn judge(by: &AttestedBy, bench: &Bench<'_>) -> Vec<Reason> {
    let pieces: Vec<_> = bench.evidence.iter().filter_map(piece).collect();
    judge_pieces("deployment attestation", &pieces, &[Rule { name: NAME, check }], by, bench)
}

/// The deploy gate let this very subject through, and every scope it names holds here. A scope the request says
/// nothing about does not hold; no scope at all means anywhere.
fn check(piece: &Piece<'_, Deployment>, by: &AttestedBy, request: &Request<'_>) -> Outcome {
    about_subject(piece.evidence, request)?;
    let signed = signed_by(piece.evidence, &by.signed_by)?;
    timely("the deployment attestation", piece.predicate.creation_time, by.max_age_days, request)?;
    for (scope, value) in &piece.predicate.scopes {
        let here = if scope == Deployment::ENVIRONMENT_SCOPE {
            request.context.environment.as_ref()
        } else {
            request.context.scopes.get(scope)
        };
        match here {
            Some(here) if here == value => {}
            Some(here) => return Err(format!("deployed for {scope} = {value:?}, but here it is {here:?}")),
            None => return Err(format!("deployed for {scope} = {value:?}, about which nothing is known here")),
        }
    }
    Ok(format!("deployment allowed at {}, {signed}", piece.predicate.creation_time))
}

const fn piece(evidence: &VerifiedEvidence) -> Option<Piece<'_, Deployment>> {
    match evidence.predicate() {
        Predicate::Deployment(predicate) => Some(Piece { evidence, predicate }),
        _ => None,
    }
}
