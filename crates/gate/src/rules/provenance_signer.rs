use sealyard_evidence::predicate::Provenance;

use super::{Outcome, Piece, signed_by};
use crate::policy::ProvenanceRule;
use crate::request::Request;

pub(crate) const NAME: &str = "provenance.signer";

pub(crate) fn check(piece: &Piece<'_, Provenance>, rule: &ProvenanceRule, _: &Request<'_>) -> Outcome {
    signed_by(piece.evidence, &rule.signed_by)
}
