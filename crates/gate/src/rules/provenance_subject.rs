use sealyard_evidence::predicate::Provenance;

use super::{Outcome, Piece, about_subject};
use crate::policy::ProvenanceRule;
use crate::request::Request;

pub(crate) const NAME: &str = "provenance.subject";

pub(crate) fn check(piece: &Piece<'_, Provenance>, _: &ProvenanceRule, request: &Request<'_>) -> Outcome {
    about_subject(piece.evidence, request)
}
