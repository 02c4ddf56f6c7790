use std::collections::BTreeSet;

use sealyard_evidence::predicate::ModelSignature;

use super::{Outcome, Piece, signed_by};
use crate::request::Request;

pub(crate) const NAME: &str = "signature.signer";

pub(crate) fn check(piece: &Piece<'_, ModelSignature>, accepted: &BTreeSet<String>, _: &Request<'_>) -> Outcome {
    signed_by(piece.evidence, accepted)
}
